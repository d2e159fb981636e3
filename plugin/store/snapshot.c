/* A full list of one issuer's users, compared with what is known and folded as events, all in one
 * transaction (design rule 6). The list is held in memory until it is complete, because an empty,
 * broken or suspicious list must change nothing. */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"

struct store_snapshot {
    struct store *store;
    char *issuer;
    char id[33];
    char jti[64];
    int64_t made;        /* events named so far */
    int64_t begun_after; /* the newest event when the snapshot began */
    struct event **events;
    size_t count, room;
    struct json_object *places; /* uri -> index into events */
};

struct lost {
    int64_t last_event;
    char *uri, *user_name;
};

struct applying {
    struct db *db;
    const struct store_snapshot *snapshot;
    int64_t now_us;
    struct json_object *changes;
    struct lost *lost;
    size_t lost_count;
    int64_t in_scope, at_risk; /* of those, who would be lost */
    int64_t hired, changed, returned, gone, unchanged, skipped;
};

/* ---- life ---- */

/* The number of the newest event, also when it is forgotten by now. */
static int
newest_event(struct store *store, int64_t *ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_select(db, &rows, err,
                      "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)",
                      "");
    if (!r)
        r = db_next(&rows, &row, err);
    if (!r)
        *ret = db_int(&rows, 0);
    return r;
}

int
store_snapshot_begin(struct store *store, const char *issuer, struct store_snapshot **ret,
                     struct prov_error *err)
{
    CLEANUP(store_snapshot_cleanup) struct store_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int r;

    if (!snapshot || !(snapshot->issuer = strdup(issuer)) ||
        !(snapshot->places = json_object_new_object()))
        return error_nomem(err);
    snapshot->store = store;
    random_id(snapshot->id);
    r = newest_event(store, &snapshot->begun_after, err);
    if (!r)
        *ret = STEAL(snapshot);
    return r;
}

void
store_snapshot_free(struct store_snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        event_free(snapshot->events[i]);
    free(snapshot->events);
    json_object_put(snapshot->places);
    free(snapshot->issuer);
    free(snapshot);
}

const char *
store_snapshot_issuer(const struct store_snapshot *snapshot)
{
    return snapshot->issuer;
}

const char *
store_snapshot_jti(struct store_snapshot *snapshot)
{
    snprintf(snapshot->jti, sizeof(snapshot->jti), "snapshot:%s:%lld", snapshot->id,
             (long long)++snapshot->made);
    return snapshot->jti;
}

int
store_snapshot_add(struct store_snapshot *snapshot, struct event *event, struct prov_error *err)
{
    if (json_get(snapshot->places, event->uri))
        return error_set(err, PROV_E_INVALID,
                         "user '%s' stands twice in the list: every user needs a key of its own",
                         event->uri);
    if (snapshot->count == snapshot->room) {
        size_t room = snapshot->room ? 2 * snapshot->room : 256;
        struct event **events = realloc(snapshot->events, room * sizeof(struct event *));
        if (!events)
            return error_nomem(err);
        snapshot->events = events;
        snapshot->room = room;
    }
    if (json_put_int(snapshot->places, event->uri, (int64_t)snapshot->count))
        return error_nomem(err);
    snapshot->events[snapshot->count++] = event;
    return PROV_OK;
}

/* ---- the difference, for people ---- */

/* Without its schema URN: "...enterprise:2.0:User" members are told by their own names. */
static int
note_name(struct json_object *names, const char *prefix, const char *name)
{
    AUTO_FREE char *full = NULL;

    if (asprintf(&full, "%s%s%s", prefix, *prefix ? "." : "", name) < 0)
        return PROV_E_NOMEM;
    return json_append(names, json_object_new_string(full));
}

static int note_differences(struct json_object *before, struct json_object *after,
                            const char *prefix, struct json_object *names);

static int
note_difference(const char *name, struct json_object *before, struct json_object *after,
                const char *prefix, struct json_object *names)
{
    bool is_object = json_object_is_type(before ? before : after, json_type_object);

    if (json_equal(before, after))
        return PROV_OK;
    if (strncasecmp(name, "urn:", 4) == 0 && is_object)
        return note_differences(before, after, "", names);
    if (is_object && *prefix == '\0' && before && after)
        return note_differences(before, after, name, names);
    return note_name(names, prefix, name);
}

static int
note_differences(struct json_object *before, struct json_object *after, const char *prefix,
                 struct json_object *names)
{
    int r = PROV_OK;

    if (json_object_is_type(after, json_type_object)) {
        json_object_object_foreach(after, name, value)
        {
            if (!r)
                r = note_difference(name, json_get(before, name), value, prefix, names);
        }
    }
    if (json_object_is_type(before, json_type_object)) {
        json_object_object_foreach(before, gone, was)
        {
            if (!r && !json_get(after, gone))
                r = note_difference(gone, was, NULL, prefix, names);
        }
    }
    return r;
}

/* Adds one line to the report; `names` is taken over. */
static int
report(struct applying *a, const char *uri, const char *user_name, const char *what,
       struct json_object *names, const char *note, struct prov_error *err)
{
    struct json_object *line = json_object_new_object();

    if (!line || json_append(a->changes, line)) {
        json_object_put(names);
        return error_nomem(err);
    }
    if (json_put_string(line, "uri", uri) || json_put_string(line, "userName", user_name) ||
        json_put_string(line, "what", what) || json_put_string(line, "note", note)) {
        json_object_put(names);
        return error_nomem(err);
    }
    if (names && json_put(line, "attributes", names))
        return error_nomem(err);
    return PROV_OK;
}

/* ---- applying ---- */

static int
fold(struct applying *a, const struct event *event, struct prov_error *err)
{
    struct store_answer answer = { .error = PROV_ERROR_INIT };
    int r = accept_fold(a->db, event, a->now_us, &answer, err);

    if (!r && answer.status == PROV_ANSWER_REFUSED)
        r = error_set(err, PROV_E_INVALID, "user '%s': %s", event->uri, answer.error.text);
    return r;
}

static int
load_known(struct applying *a, const char *uri, struct subject *ret, int64_t *ret_last_event,
           struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_select(a->db, &rows, err,
                      "SELECT " SUBJECT_COLUMNS ", s.last_event FROM subject s"
                      " WHERE iss = ? AND uri = ?",
                      "ss", a->snapshot->issuer, uri);

    if (!r)
        r = db_next(&rows, &row, err);
    if (r || !row)
        return r;
    *ret_last_event = db_int(&rows, SUBJECT_COUNT);
    return subject_read(&rows, 0, ret, err);
}

static int
apply_listed(struct applying *a, const struct event *event, struct prov_error *err)
{
    static const char skipped[] = "an event came after the list was begun; the event counts";
    CLEANUP(subject_done) struct subject known = { 0 };
    struct json_object *name = json_get_nocase(event->payload, "userName", NULL);
    const char *user_name =
        json_object_is_type(name, json_type_string) ? json_object_get_string(name) : NULL;
    struct json_object *names;
    int64_t last_event = 0;
    int r = load_known(a, event->uri, &known, &last_event, err);

    if (r)
        return r;
    if (last_event > a->snapshot->begun_after) {
        a->skipped++;
        return report(a, event->uri, user_name, "skipped", NULL, skipped, err);
    }
    if (known.id == 0 || !known.resource) {
        a->hired++;
        r = report(a, event->uri, user_name, "hired", NULL, NULL, err);
        return r ? r : fold(a, event, err);
    }
    if (known.presence != PRESENCE_GONE && json_equal(known.resource, event->payload)) {
        a->unchanged++;
        return PROV_OK;
    }
    names = json_object_new_array();
    if (!names || note_differences(known.resource, event->payload, "", names)) {
        json_object_put(names);
        return error_nomem(err);
    }
    if (known.presence == PRESENCE_GONE)
        a->returned++;
    else
        a->changed++;
    r = report(a, event->uri, user_name, known.presence == PRESENCE_GONE ? "returned" : "changed",
               names, NULL, err);
    return r ? r : fold(a, event, err);
}

static int
collect_lost(struct applying *a, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    size_t room = 0;
    bool row = true;
    int r = db_select(a->db, &rows, err,
                      "SELECT uri, user_name, last_event, presence FROM subject"
                      " WHERE iss = ? AND presence <> 3",
                      "s", a->snapshot->issuer);

    while (!r) {
        struct lost *entry;
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        if (db_int(&rows, 3) == PRESENCE_IN)
            a->in_scope++;
        if (json_get(a->snapshot->places, db_text(&rows, 0)))
            continue;
        if (a->lost_count == room) {
            struct lost *more = realloc(a->lost, (room = 2 * room + 64) * sizeof(*more));
            if (!more)
                return error_nomem(err);
            a->lost = more;
        }
        entry = &a->lost[a->lost_count++];
        entry->last_event = db_int(&rows, 2);
        entry->uri = strdup(db_text(&rows, 0));
        entry->user_name = db_text(&rows, 1) ? strdup(db_text(&rows, 1)) : NULL;
        if (!entry->uri)
            r = error_nomem(err);
        /* who is out of scope already, or skipped, loses nothing */
        if (db_int(&rows, 3) == PRESENCE_IN && entry->last_event <= a->snapshot->begun_after)
            a->at_risk++;
    }
    return r;
}

static int
apply_lost(struct applying *a, struct store_snapshot *snapshot, const struct lost *lost,
           struct prov_error *err)
{
    static const char skipped[] = "an event came after the list was begun; the event counts";
    struct event event = { .iss = snapshot->issuer, .uri = lost->uri, .deleted = true };
    AUTO_FREE char *kinds = strdup("prov:delete");
    AUTO_FREE char *jti = NULL;
    int r;

    if (lost->last_event > snapshot->begun_after) {
        a->skipped++;
        return report(a, lost->uri, lost->user_name, "skipped", NULL, skipped, err);
    }
    a->gone++;
    jti = strdup(store_snapshot_jti(snapshot));
    if (!jti || !kinds || digest_hex(jti, strlen(jti), event.digest))
        return error_nomem(err);
    event.jti = jti;
    event.kinds = kinds;
    r = report(a, lost->uri, lost->user_name, "lost", NULL, NULL, err);
    return r ? r : fold(a, &event, err);
}

/* *ret NULL: the list may be applied; else why not. Heap. */
static int
objection(const struct applying *a, const struct store_guard *guard, char **ret,
          struct prov_error *err)
{
    char *text = NULL;
    int length = 0;

    if (a->snapshot->count == 0)
        length =
            asprintf(&text, "the list is empty; nothing was changed. If that is meant, force it");
    else if (a->at_risk > guard->floor && a->at_risk * 100 > guard->percent * a->in_scope)
        length = asprintf(
            &text,
            "the list lacks %lld of %lld users in scope, more than guard_floor (%lld) and "
            "guard_percent (%lld%%) allow; nothing was changed. If that is meant, force it",
            (long long)a->at_risk, (long long)a->in_scope, (long long)guard->floor,
            (long long)guard->percent);
    if (length < 0) /* out of memory must not read as "no objection" */
        return error_nomem(err);
    *ret = text;
    return PROV_OK;
}

static int
make_report(struct applying *a, bool applied, bool dry_run, const char *reason,
            struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *report_ = json_object_new_object();
    AUTO_JSON struct json_object *counts = json_object_new_object();

    if (!report_ || !counts || json_put_int(counts, "listed", (int64_t)a->snapshot->count) ||
        json_put_int(counts, "hired", a->hired) || json_put_int(counts, "changed", a->changed) ||
        json_put_int(counts, "returned", a->returned) || json_put_int(counts, "lost", a->gone) ||
        json_put_int(counts, "unchanged", a->unchanged) ||
        json_put_int(counts, "skipped", a->skipped) || json_put_bool(report_, "applied", applied) ||
        json_put_bool(report_, "dry_run", dry_run) || json_put_string(report_, "reason", reason) ||
        json_put(report_, "counts", json_ref(counts)) ||
        json_put(report_, "changes", json_ref(a->changes)))
        return error_nomem(err);
    *ret = STEAL(report_);
    return PROV_OK;
}

static int
apply_all(struct applying *a, struct store_snapshot *snapshot, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < snapshot->count; i++)
        r = apply_listed(a, snapshot->events[i], err);
    for (size_t i = 0; !r && i < a->lost_count; i++)
        r = apply_lost(a, snapshot, &a->lost[i], err);
    return r;
}

static void
applying_done(struct applying *a)
{
    for (size_t i = 0; i < a->lost_count; i++) {
        free(a->lost[i].uri);
        free(a->lost[i].user_name);
    }
    free(a->lost);
    json_object_put(a->changes);
}

int
store_snapshot_apply(struct store_snapshot *snapshot, const struct store_guard *guard, bool force,
                     bool dry_run, struct json_object **ret_report, struct prov_error *err)
{
    CLEANUP(applying_done)
    struct applying a = { .snapshot = snapshot,
                          .now_us = clock_now_us(),
                          .changes = json_object_new_array() };
    AUTO_FREE char *reason = NULL;
    bool apply;
    int r = a.changes ? store_begin(snapshot->store, STORE_UNFENCED, err) : error_nomem(err);

    if (r)
        return r;
    a.db = snapshot->store->write;
    r = collect_lost(&a, err);
    if (!r)
        r = objection(&a, guard, &reason, err);
    apply = !reason || force;
    if (!r && (apply || dry_run))
        r = apply_all(&a, snapshot, err);
    if (!r && apply && !dry_run)
        r = store_commit(snapshot->store, err);
    else
        store_rollback(snapshot->store);
    return r ? r
             : make_report(&a, apply && !dry_run, dry_run, apply ? NULL : reason, ret_report, err);
}
