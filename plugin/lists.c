/*
 * The ABI's full lists: what a listed user must look like, when a list is spoilt, and what a dry run
 * says of each change. Each user is read as an event would be, so that passwords are taken out in
 * one place. What a list changes is decided in store/snapshot_apply.c.
 */
#include "plugin/lists.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/preview.h"
#include "plugin/resync.h"

#define CHANGES_MAX 1000

struct list {
    struct store *store;
    const struct fields *fields;
    struct store_snapshot *snapshot;
    uint32_t how;   /* enum store_snapshot_how */
    bool tolerant;  /* who is refused spoils nothing */
    int64_t missed; /* what the host had missed when the list began (resync.h) */
    pid_t pid;
    bool done;
    struct prov_error spoilt; /* the first fault of a user; code 0: none */
    struct prov_error failed; /* of the store, while applying; code 0: not */
};

/* Locks and files of a list belong to the process that began it. */
static bool
is_ours(const struct list *list)
{
    return list->pid == getpid();
}

void
list_free(struct list *list)
{
    if (!list)
        return;
    /* closed in a forked child, SQLite would take back what the parent has in the file */
    if (is_ours(list))
        store_snapshot_free(list->snapshot);
    free(list);
}
DEFINE_CLEANUP(struct list *, list, list_free);

int
list_begin(struct store *store, const struct fields *fields, const char *issuer, uint32_t flags,
           struct list **ret, struct prov_error *err)
{
    CLEANUP(list_cleanup) struct list *list = NULL;
    int r;

    if (flags & ~(uint32_t)(PROV_SNAPSHOT_FORCE | PROV_SNAPSHOT_DRY_RUN | PROV_SNAPSHOT_TOLERANT))
        return error_set(err, PROV_E_INVALID, "snapshot_begin: unknown flags are set");
    if (!issuer || !*issuer)
        issuer = fields->issuer;
    if (!issuer)
        return error_set(err, PROV_E_INVALID,
                         "a snapshot needs an issuer: name one, or set the field 'issuer'");
    list = calloc(1, sizeof(*list));
    if (!list)
        return error_nomem(err);
    list->store = store;
    list->fields = fields;
    list->pid = getpid();
    list->spoilt = (struct prov_error)PROV_ERROR_INIT;
    list->failed = (struct prov_error)PROV_ERROR_INIT;
    list->tolerant = flags & PROV_SNAPSHOT_TOLERANT;
    list->how = ((flags & PROV_SNAPSHOT_FORCE) ? STORE_SNAPSHOT_FORCE : 0u) |
                ((flags & PROV_SNAPSHOT_DRY_RUN) ? STORE_SNAPSHOT_DRY_RUN : 0u);
    r = resync_missed(fields->store, &list->missed, err);
    if (!r)
        r = store_snapshot_begin(store, issuer, &list->snapshot, err);
    if (!r)
        *ret = STEAL(list);
    return r;
}

static int
check_process(const struct list *list, struct prov_error *err)
{
    if (is_ours(list))
        return PROV_OK;
    return error_set(err, PROV_E_STATE,
                     "the list was begun before a fork, by the parent: begin one of this process");
}

/* ---- one user ---- */

/* One listed user as a token: so it is checked and stripped of its password like any event. Without data the
 * URI alone is. */
static int
make_event(struct list *list, struct json_object *entry, struct event **ret, struct prov_error *err)
{
    static const char put[] = "urn:ietf:params:scim:event:prov:put:full";
    AUTO_JSON struct json_object *token = json_object_new_object();
    struct json_object *sub_id = json_object_new_object(), *events = json_object_new_object();
    struct json_object *payload = json_object_new_object(), *data = json_get(entry, "data");
    AUTO_FREE char *text = NULL;

    if (!token || json_put(token, "sub_id", sub_id) || json_put(token, "events", events) ||
        json_put(events, put, payload) ||
        json_put_string(token, "iss", store_snapshot_issuer(list->snapshot)) ||
        json_put_string(token, "jti", "listed") || json_put_string(sub_id, "format", "scim") ||
        json_put_string(sub_id, "uri", json_get_string(entry, "uri")) ||
        json_put(payload, "data", data ? json_ref(data) : json_object_new_object()) ||
        !(text = json_text(token)))
        return error_nomem(err);
    return event_parse(text, strlen(text), NULL, ret, err);
}

static int
add_entry(struct list *list, const char *json, size_t length, struct prov_error *err)
{
    AUTO_JSON struct json_object *entry = NULL;
    CLEANUP(event_cleanup) struct event *event = NULL;
    struct store_listed user;
    int r;

    if (!json)
        return error_set(err, PROV_E_INVALID, "a listed user is NULL");
    if (length > PROV_EVENT_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "a listed user has %zu bytes, at most %u fit", length,
                         PROV_EVENT_MAX_BYTES);
    r = json_parse(json, length, "the listed user", &entry, err);
    if (!r && (!json_get_string(entry, "uri") || (!json_get(entry, "data") && !list->tolerant)))
        r = error_set(err, PROV_E_INVALID,
                      "a listed user has the form {\"uri\":\"/Users/7\",\"data\":{...}}");
    if (!r)
        r = make_event(list, entry, &event, err);
    if (!r && event->ignored)
        r = error_set(err, PROV_E_INVALID, "'%s' is no user; a list holds users only", event->uri);
    if (r)
        return r;
    user = (struct store_listed){ .event = event,
                                  .bare = !json_get(entry, "data"),
                                  .unreadable = !json_get(entry, "data") ||
                                                json_get_bool(entry, "unreadable", false),
                                  .inactive = !json_get_bool(entry, "active", true),
                                  .alias = json_get_string(entry, "alias"),
                                  .place = json_get_string(entry, "place") };
    return store_snapshot_add(list->snapshot, &user, err);
}

int
list_add(struct list *list, const char *json, size_t length, struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    int r = check_process(list, err);

    if (r)
        return r;
    r = add_entry(list, json, length, &why);
    if (!r)
        return PROV_OK;
    if (!list->spoilt.code && !(list->tolerant && (r == PROV_E_INVALID || r == PROV_E_LIMIT)))
        list->spoilt = why;
    return error_set(err, r, "%s", why.text);
}

/* ---- applying ---- */

/* A list that was applied, not one that the guard objected to, has what a host had missed, unless somebody in
 * it could not be read. */
static int
note_applied(struct list *list, struct prov_error *err)
{
    AUTO_JSON struct json_object *report = NULL;
    int r;

    if (!list->missed || (list->how & STORE_SNAPSHOT_DRY_RUN))
        return PROV_OK;
    r = store_snapshot_report(list->snapshot, false, &report, err);
    if (r || !json_get_bool(report, "applied", false) ||
        json_get_int(json_get(report, "counts"), "unreadable", 0))
        return r;
    return resync_done(list->fields->store, list->missed, err);
}

int
list_apply(struct list *list, uint32_t max_ms, bool *ret_done, struct prov_error *err)
{
    struct store_guard guard = { .floor = list->fields->guard_floor,
                                 .percent = list->fields->guard_percent };
    int64_t end_us = clock_monotonic_us() + max_ms * INT64_C(1000);
    int r = check_process(list, err);

    if (r)
        return r;
    if (list->spoilt.code)
        return error_set(err, list->spoilt.code,
                         "the list holds an entry that was refused, so nothing was changed: %s",
                         list->spoilt.text);
    if (list->failed.code)
        return error_set(err, list->failed.code, "%s", list->failed.text);
    while (!r && !list->done && (max_ms == 0 || clock_monotonic_us() < end_us))
        r = store_snapshot_step(list->snapshot, &guard, list->how, &list->done, &list->failed);
    if (!r && list->done) {
        r = note_applied(list, &list->failed);
        if (r)
            error_wrap(&list->failed, r,
                       "the list was applied, all of it; that no resync is needed any more is not "
                       "noted");
    }
    if (r)
        return error_set(err, r, "%s", list->failed.text);
    *ret_done = list->done;
    return PROV_OK;
}

int
list_report(struct list *list, bool with_changes, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *report = NULL;
    AUTO_JSON struct json_object *changes = NULL;
    struct json_object *counts;
    int64_t left = 0;
    int r = store_snapshot_report(list->snapshot, list->how & STORE_SNAPSHOT_DRY_RUN, &report, err);

    if (!r && with_changes)
        r = store_snapshot_changes(list->snapshot, 0, CHANGES_MAX, &changes, err);
    if (r)
        return r;
    if (changes) {
        counts = json_get(report, "counts");
        left = json_get_int(counts, "hired", 0) + json_get_int(counts, "changed", 0) +
               json_get_int(counts, "returned", 0) + json_get_int(counts, "lost", 0) +
               json_get_int(counts, "skipped", 0) - (int64_t)json_object_array_length(changes);
        if (json_put(report, "changes", json_ref(changes)) ||
            (left && json_put_int(report, "changes_left", left)))
            return error_nomem(err);
    }
    *ret = STEAL(report);
    return PROV_OK;
}

/* ---- what changes ---- */

/* Who of the list wanted this name first would have it. */
static int
add_rival(struct list *list, struct json_object *plan, const char *uri, struct prov_error *err)
{
    const char *username = json_get_string(plan, "username");
    AUTO_FREE char *other = NULL;
    AUTO_FREE char *text = NULL;
    int r = username ? store_snapshot_claim(list->snapshot, username, uri, &other, err) : PROV_OK;

    if (r || !other)
        return r;
    if (asprintf(&text, "'%s' of this list gets the same username; two users cannot share it",
                 other) < 0) {
        text = NULL;
        return error_nomem(err);
    }
    if (json_put_string(plan, "rival", other) ||
        json_append(json_get(plan, "reasons"), json_object_new_string(text)))
        return error_nomem(err);
    return PROV_OK;
}

static int
add_plan(struct list *list, struct json_object *change, struct prov_error *err)
{
    CLEANUP(event_cleanup) struct event *event = NULL;
    AUTO_JSON struct json_object *plan = NULL;
    const char *action;
    int r = store_snapshot_event(list->snapshot, json_get_int(change, "seq", 0), &event, err);

    if (!r)
        r = preview_event(list->store, list->fields, event, &plan, err);
    if (r)
        return r;
    action = json_get_string(plan, "action");
    if (strcmp(action, "create") == 0 || strcmp(action, "update") == 0)
        r = add_rival(list, plan, event->uri, err);
    if (!r && json_put(change, "plan", json_ref(plan)))
        r = error_nomem(err);
    return r;
}

int
list_changes(struct list *list, int64_t after, uint32_t limit, struct json_object **ret,
             struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *changes = NULL;
    size_t count;
    int r = check_process(list, err);

    if (!r && !list->done)
        r = error_set(err, PROV_E_STATE, "the list is not compared yet: call snapshot_apply first");
    if (!r && (limit < 1 || limit > CHANGES_MAX))
        r = error_set(err, PROV_E_INVALID, "limit %u is not from 1 to %d", (unsigned)limit,
                      CHANGES_MAX);
    if (!r)
        r = store_snapshot_changes(list->snapshot, after, limit, &changes, err);
    if (r)
        return r;
    if (json_put(result, "changes", changes))
        return error_nomem(err);
    count = json_object_array_length(changes);
    for (size_t i = 0; !r && i < count; i++) {
        struct json_object *change = json_object_array_get_idx(changes, i);
        bool skipped = strcmp(json_get_string(change, "what"), "skipped") == 0;

        after = json_get_int(change, "seq", 0);
        if ((list->how & STORE_SNAPSHOT_DRY_RUN) && !skipped)
            r = add_plan(list, change, err);
    }
    if (r)
        return r;
    if (count == limit && json_put_int(result, "next", after))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}
