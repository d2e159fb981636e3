/*
 * A full list of one issuer's users (design rule 6). The list may be longer than memory: what is
 * added goes to a scratch file of this process, and nothing of it touches the store before the list
 * is complete and compared. So a list that is empty, broken, suspicious, never ended, or cut off by
 * a crash changes nothing, and leaves nothing. Comparing and folding is snapshot_apply.c's.
 */
#include "plugin/store/list.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static const char tables[] =
    "CREATE TABLE listed (seq INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE, alias TEXT UNIQUE,"
    " place TEXT, manager TEXT, data TEXT, inactive INTEGER, unreadable INTEGER);"
    "CREATE TABLE change (seq INTEGER PRIMARY KEY, listed INTEGER, uri TEXT NOT NULL,"
    " user_name TEXT, place TEXT, what INTEGER NOT NULL, attributes TEXT, note TEXT);"
    "CREATE TABLE claim (username TEXT PRIMARY KEY, uri TEXT NOT NULL) WITHOUT ROWID;";

/* ---- life ---- */

/* The number of the newest event, which is never forgotten. */
static int
newest_event(struct store *store, int64_t *ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_select(db, &rows, err, "SELECT coalesce(max(seq), 0) FROM event", "");
    if (!r)
        r = db_next(&rows, &row, err);
    if (!r)
        *ret = db_int(&rows, 0);
    return r;
}

static int
make_scratch(struct store_snapshot *snapshot, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&snapshot->store->list_lock);
    int r = db_open_scratch(store_path(snapshot->store), &snapshot->scratch, err);

    return r ? r : db_script(snapshot->scratch, tables, err);
}

int
store_snapshot_begin(struct store *store, const char *issuer, struct store_snapshot **ret,
                     struct prov_error *err)
{
    CLEANUP(store_snapshot_cleanup) struct store_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int r;

    if (!snapshot || !(snapshot->issuer = strdup(issuer)))
        return error_nomem(err);
    snapshot->store = store;
    random_id(snapshot->id);
    r = store_exists(store) ? newest_event(store, &snapshot->begun_after, err) : PROV_OK;
    if (!r)
        r = make_scratch(snapshot, err);
    if (!r)
        *ret = STEAL(snapshot);
    return r;
}

void
store_snapshot_free(struct store_snapshot *snapshot)
{
    if (!snapshot)
        return;
    pthread_mutex_lock(&snapshot->store->list_lock);
    db_close(snapshot->scratch);
    pthread_mutex_unlock(&snapshot->store->list_lock);
    free(snapshot->issuer);
    free(snapshot->cursor_uri);
    free(snapshot->unknown_manager_place);
    free(snapshot->reason);
    free(snapshot);
}

const char *
store_snapshot_issuer(const struct store_snapshot *snapshot)
{
    return snapshot->issuer;
}

/* ---- what is added ---- */

char *
list_manager(struct value *resource)
{
    struct value *manager = value_get_nocase(value_get_nocase(resource, ENTERPRISE), "manager");
    const char *ref = value_text(value_get_nocase(manager, "$ref"));
    const char *value =
        value_text(value_is(manager, VALUE_TEXT) ? manager : value_get_nocase(manager, "value"));
    char *uri = ref ? event_user_uri(ref) : NULL;

    return uri || !value || !*value ? uri : strdup(value);
}

/* Says who has the URI or the alias already, both with their places. */
static int
refuse_twice(struct store_snapshot *snapshot, const struct store_listed *user,
             struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    const char *uri, *before, *here = user->place ? user->place : "this one";
    bool row = false;
    int r = db_select(snapshot->scratch, &rows, err,
                      "SELECT uri, coalesce(place, 'an earlier one') FROM listed"
                      " WHERE uri = ?1 OR alias = ?2 ORDER BY uri = ?1 DESC",
                      "ss", user->event->uri, user->alias);

    if (!r)
        r = db_next(&rows, &row, err);
    if (r)
        return r;
    uri = row ? db_text(&rows, 0) : "";
    before = row ? db_text(&rows, 1) : "";
    if (strcmp(uri, user->event->uri) == 0)
        return error_set(err, PROV_E_INVALID,
                         "user '%s' stands twice in the list, at %s and %s: every user needs a key "
                         "of its own",
                         uri, before, here);
    return error_set(err, PROV_E_INVALID,
                     "users '%s' at %s and '%s' at %s have one name, '%s': it must tell one user",
                     uri, before, user->event->uri, here, user->alias);
}

int
store_snapshot_add(struct store_snapshot *snapshot, const struct store_listed *user,
                   struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = NULL;
    const struct event *event = user->event;
    AUTO_FREE char *own_text = NULL;
    AUTO_FREE char *manager = NULL;
    const char *data = NULL;
    int r;

    if (snapshot->phase != LIST_OPEN)
        return error_set(err, PROV_E_STATE, "the list is complete already: begin another one");
    if (event->data != EVENT_PUT || event->deleted || event->active || event->feed)
        return error_set(err, PROV_E_INVALID, "a list holds whole resources only");
    if (!user->bare) {
        data = event->payload_text;
        if (!data)
            data = own_text = value_canonical(event->payload);
        if (!data)
            return error_nomem(err);
        manager = list_manager(event->payload);
    }
    held = lock(&snapshot->store->list_lock);
    r = db_run(
        snapshot->scratch, err,
        "INSERT OR IGNORE INTO listed (uri, alias, place, manager, data, inactive, unreadable)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        "sssssii", event->uri, user->alias, user->place, manager, data, (int64_t)user->inactive,
        (int64_t)user->unreadable);
    if (!r && db_changes(snapshot->scratch) == 0)
        r = refuse_twice(snapshot, user, err);
    if (r)
        return r;
    snapshot->listed++;
    snapshot->aliases |= user->alias != NULL;
    return PROV_OK;
}

/* ---- what is told ---- */

const char *
list_what_name(enum list_what what)
{
    static const char *const names[] = { "hired",   "changed",   "returned",  "lost",
                                         "skipped", "unchanged", "unreadable" };

    return names[what];
}

static const char *
state_name(enum list_phase phase)
{
    static const char *const names[] = { "open", "comparing", "comparing", "folding", "done" };

    return names[phase];
}

int
store_snapshot_report(const struct store_snapshot *snapshot, bool dry_run, struct json_object **ret,
                      struct prov_error *err)
{
    AUTO_JSON struct json_object *report = json_object_new_object();
    struct json_object *counts = json_object_new_object();
    int r = json_put(report, "counts", counts) || json_put_int(counts, "listed", snapshot->listed);

    for (int i = 0; !r && i < LIST_WHATS; i++)
        r = json_put_int(counts, list_what_name((enum list_what)i), snapshot->counts[i]);
    if (r || json_put_string(report, "state", state_name(snapshot->phase)) ||
        json_put_string(report, "issuer", snapshot->issuer) ||
        json_put_bool(report, "applied", snapshot->applied) ||
        json_put_bool(report, "dry_run", dry_run) ||
        json_put_string(report, "reason", snapshot->reason) ||
        json_put_int(report, "compared", snapshot->compared) ||
        json_put_int(report, "folded", snapshot->folded))
        return error_nomem(err);
    if (snapshot->unknown_managers &&
        (json_put_int(report, "unknown_managers", snapshot->unknown_managers) ||
         json_put_string(report, "unknown_manager_place", snapshot->unknown_manager_place)))
        return error_nomem(err);
    *ret = STEAL(report);
    return PROV_OK;
}

/* One row of: seq, uri, user_name, place, what, attributes, note. */
static int
show_change(const struct db_rows *rows, struct json_object *changes, struct prov_error *err)
{
    struct json_object *change = json_object_new_object();
    AUTO_JSON struct json_object *attributes = NULL;
    const char *names = db_text(rows, 5);
    int r = names ? json_parse(names, strlen(names), "the attributes", &attributes, err) : PROV_OK;

    if (r) {
        json_object_put(change);
        return r;
    }
    if (json_append(changes, change) || json_put_int(change, "seq", db_int(rows, 0)) ||
        json_put_string(change, "uri", db_text(rows, 1)) ||
        json_put_string(change, "userName", db_text(rows, 2)) ||
        json_put_string(change, "place", db_text(rows, 3)) ||
        json_put_string(change, "what", list_what_name((enum list_what)db_int(rows, 4))) ||
        (attributes && json_put(change, "attributes", json_ref(attributes))) ||
        json_put_string(change, "note", db_text(rows, 6)))
        return error_nomem(err);
    return PROV_OK;
}

int
store_snapshot_changes(struct store_snapshot *snapshot, int64_t after, int64_t limit,
                       struct json_object **ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    AUTO_JSON struct json_object *changes = json_object_new_array();
    bool row = true;
    int r = changes ? db_select(snapshot->scratch, &rows, err,
                                "SELECT seq, uri, user_name, place, what, attributes, note"
                                " FROM change WHERE seq > ? ORDER BY seq LIMIT ?",
                                "ii", after, limit)
                    : error_nomem(err);

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        r = show_change(&rows, changes, err);
    }
    if (!r)
        *ret = STEAL(changes);
    return r;
}

int
store_snapshot_event(struct store_snapshot *snapshot, int64_t seq, struct event **ret,
                     struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    CLEANUP(event_cleanup) struct event *event = event_new();
    const char *data;
    bool row = false;
    int r = event ? db_select(snapshot->scratch, &rows, err,
                              "SELECT c.uri, l.data FROM change c LEFT JOIN listed l"
                              " ON l.seq = c.listed WHERE c.seq = ?",
                              "i", seq)
                  : error_nomem(err);

    if (!r)
        r = db_next(&rows, &row, err);
    if (!r && !row)
        r = error_set(err, PROV_E_NOTFOUND, "the list has no change %lld", (long long)seq);
    if (r)
        return r;
    data = db_text(&rows, 1);
    r = data
            ? value_parse(&event->pool, data, strlen(data), "the listed user", &event->payload, err)
            : PROV_OK;
    if (r)
        return r;
    event->data = data ? EVENT_PUT : EVENT_NO_DATA;
    event->deleted = !data;
    event->iss = pool_text(&event->pool, snapshot->issuer, strlen(snapshot->issuer));
    event->uri = pool_text(&event->pool, db_text(&rows, 0), strlen(db_text(&rows, 0)));
    event->kinds = data ? "prov:put:full" : "prov:delete";
    if (!event->iss || !event->uri)
        return error_nomem(err);
    *ret = STEAL(event);
    return PROV_OK;
}

int
store_snapshot_claim(struct store_snapshot *snapshot, const char *username, const char *uri,
                     char **ret_other, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_run(snapshot->scratch, err,
                   "INSERT OR IGNORE INTO claim (username, uri) VALUES (lower(?), ?)", "ss",
                   username, uri);

    if (!r)
        r = db_select(snapshot->scratch, &rows, err,
                      "SELECT uri FROM claim WHERE username = lower(?) AND uri <> ?", "ss",
                      username, uri);
    if (!r)
        r = db_next(&rows, &row, err);
    if (r || !row)
        return r;
    *ret_other = strdup(db_text(&rows, 0));
    return *ret_other ? PROV_OK : error_nomem(err);
}
