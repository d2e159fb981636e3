/*
 * Compares a list that is complete with what is known, and folds what differs (design rules 6, 18).
 *
 * Comparing writes nothing to the store and holds no lock of it for longer than a page, so that a
 * list of a million delays no submit. Then the guard decides. Folding takes one transaction a page,
 * for the same reason; in each, whoever had an event since the list began is left alone. What was
 * found unchanged since then is so still: only events change a subject. A crash while folding leaves
 * a part of the list applied, each user as the list says; the same list does the rest.
 */
#include "plugin/store/list.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"

#define PAGE       500
#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static const char skipped_note[] = "an event came after the list was begun; the event counts";

/* A page at work. */
struct page {
    struct store_snapshot *snapshot;
    struct db *db, *scratch; /* db NULL: there is no store yet, so nobody is known */
    int64_t done, last;      /* rows of it; the number of the last one */
};

struct listed {
    int64_t seq;
    const char *uri, *place, *manager, *data; /* borrowed */
    bool has_alias;
};

/* ---- changes ---- */

static int
note_change(struct page *page, const struct listed *listed, const char *user_name,
            enum list_what what, const char *attributes, struct prov_error *err)
{
    int r = db_run(page->scratch, err,
                   "INSERT INTO change (listed, uri, user_name, place, what, attributes, note)"
                   " VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?)",
                   "isssiss", listed->seq, listed->uri, user_name, listed->place, (int64_t)what,
                   attributes, what == LIST_SKIPPED ? skipped_note : NULL);

    if (!r)
        page->snapshot->counts[what]++;
    return r;
}

static const char *
user_name_of(struct value *resource)
{
    return value_text(value_get_nocase(resource, "userName"));
}

/* ---- managers ---- */

static int
find_listed(struct page *page, const char *uri, const char *alias, char **ret_uri,
            struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = alias ? db_select(page->scratch, &rows, err, "SELECT uri FROM listed WHERE alias = ?",
                              "s", alias)
                  : db_select(page->scratch, &rows, err, "SELECT uri FROM listed WHERE uri = ?",
                              "s", uri);

    if (!r)
        r = db_next(&rows, &row, err);
    if (r || !row)
        return r;
    *ret_uri = strdup(db_text(&rows, 0));
    return *ret_uri ? PROV_OK : error_nomem(err);
}

static int
is_known(struct page *page, const char *uri, bool *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r;

    if (!page->db)
        return PROV_OK;
    r = db_select(page->db, &rows, err, "SELECT 1 FROM subject WHERE iss = ? AND uri = ?", "ss",
                  page->snapshot->issuer, uri);
    return r ? r : db_next(&rows, ret, err);
}

/* Writes the manager's URI in the place of the alias he was named by, or takes him out (uri NULL):
 * an alias means nothing outside the list. *ret_data is heap. */
static int
write_manager(const char *data, const char *uri, char **ret_data, struct prov_error *err)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *resource = NULL, *extension, *manager;
    struct member *before;
    int r = value_parse(&pool, data, strlen(data), "the listed user", &resource, err);

    if (r)
        return r;
    extension = value_get_nocase(resource, ENTERPRISE);
    before = value_find_nocase(extension, "manager");
    if (before)
        value_remove(extension, before->name);
    if (uri) {
        manager = value_object(&pool);
        if (value_put(&pool, extension, "manager", manager) ||
            value_put_text(&pool, manager, "value", strrchr(uri, '/') + 1) ||
            value_put_text(&pool, manager, "$ref", uri))
            return error_nomem(err);
    }
    *ret_data = value_canonical(resource); /* as accepting stores it */
    return *ret_data ? PROV_OK : error_nomem(err);
}

static int
count_unknown_manager(struct store_snapshot *snapshot, const struct listed *listed,
                      struct prov_error *err)
{
    if (snapshot->unknown_managers++ == 0) {
        snapshot->unknown_manager_place = strdup(listed->place ? listed->place : listed->uri);
        if (!snapshot->unknown_manager_place)
            return error_nomem(err);
    }
    return PROV_OK;
}

/* Finds the manager among those listed and those known. *ret_data: the resource with him named by
 * his URI, heap; NULL: as it stands. */
static int
resolve_manager(struct page *page, const struct listed *listed, char **ret_data,
                struct prov_error *err)
{
    AUTO_FREE char *uri = NULL;
    AUTO_FREE char *found = NULL;
    bool known = false;
    int r = PROV_OK;

    if (page->snapshot->aliases)
        r = find_listed(page, NULL, listed->manager, &found, err);
    if (!r && found)
        r = write_manager(listed->data, found, ret_data, err);
    if (r || found)
        return r;
    if (asprintf(&uri, "%s%s", *listed->manager == '/' ? "" : "/Users/", listed->manager) < 0) {
        uri = NULL;
        return error_nomem(err);
    }
    r = find_listed(page, uri, NULL, &found, err);
    if (!r && !found)
        r = is_known(page, uri, &known, err);
    if (r || found || known)
        return r;
    r = count_unknown_manager(page->snapshot, listed, err);
    if (!r && listed->has_alias)
        r = write_manager(listed->data, NULL, ret_data, err);
    return r;
}

/* ---- comparing ---- */

/* What is known of one user; id 0: nothing. */
struct known {
    int64_t id, last_event;
    enum presence presence;
    char *resource;
};

static void
known_done(struct known *known)
{
    free(known->resource);
}

static int
load_known(struct db *db, const struct store_snapshot *snapshot, const char *uri, struct known *ret,
           struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r;

    if (!db)
        return PROV_OK;
    r = db_select(db, &rows, err,
                  "SELECT id, last_event, presence, resource FROM subject"
                  " WHERE iss = ? AND uri = ?",
                  "ss", snapshot->issuer, uri);
    if (!r)
        r = db_next(&rows, &row, err);
    if (r || !row)
        return r;
    ret->id = db_int(&rows, 0);
    ret->last_event = db_int(&rows, 1);
    ret->presence = (enum presence)db_int(&rows, 2);
    ret->resource = db_text(&rows, 3) ? strdup(db_text(&rows, 3)) : NULL;
    if (db_text(&rows, 3) && !ret->resource)
        return error_nomem(err);
    return PROV_OK;
}

static int
compare_known(struct page *page, const struct listed *listed, const struct known *known,
              struct value *wanted, struct prov_error *err)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *before = NULL;
    AUTO_JSON struct json_object *names = NULL;
    AUTO_FREE char *attributes = NULL;
    bool gone = known->presence == PRESENCE_GONE;
    struct prov_error damage = PROV_ERROR_INIT;
    int r = value_parse(&pool, known->resource, strlen(known->resource), "a stored resource",
                        &before, &damage);

    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    /* one that is damaged is replaced by what is listed */
    if (!r && !gone && value_equal(before, wanted)) {
        page->snapshot->counts[LIST_UNCHANGED]++;
        return PROV_OK;
    }
    page->snapshot->at_risk += store_wants_active(page->snapshot->store, known->presence, before) &&
                               !store_wants_active(page->snapshot->store, known->presence, wanted);
    r = list_difference(before, wanted, &names, err);
    if (r)
        return r;
    attributes = json_text(names);
    if (!attributes)
        return error_nomem(err);
    return note_change(page, listed, user_name_of(wanted), gone ? LIST_RETURNED : LIST_CHANGED,
                       attributes, err);
}

static int
compare(struct page *page, const struct listed *listed, struct prov_error *err)
{
    CLEANUP(known_done) struct known known = { 0 };
    AUTO_POOL struct pool pool = { 0 };
    struct value *wanted = NULL;
    int r = load_known(page->db, page->snapshot, listed->uri, &known, err);

    if (r)
        return r;
    /* most users of most lists: equal to the letter */
    if (known.last_event <= page->snapshot->begun_after && known.resource &&
        known.presence != PRESENCE_GONE && strcmp(known.resource, listed->data) == 0) {
        page->snapshot->counts[LIST_UNCHANGED]++;
        return PROV_OK;
    }
    r = value_parse(&pool, listed->data, strlen(listed->data), "the listed user", &wanted, err);
    if (r)
        return r;
    if (known.last_event > page->snapshot->begun_after)
        return note_change(page, listed, user_name_of(wanted), LIST_SKIPPED, NULL, err);
    if (!known.resource)
        return note_change(page, listed, user_name_of(wanted), LIST_HIRED, NULL, err);
    return compare_known(page, listed, &known, wanted, err);
}

/* What is known of somebody who cannot be read, but that they are inactive. *ret_data: heap; NULL: there is nothing to
 * be made inactive. */
static int
make_inactive(struct page *page, const struct listed *listed, char **ret_data,
              struct prov_error *err)
{
    CLEANUP(known_done) struct known known = { 0 };
    AUTO_POOL struct pool pool = { 0 };
    struct value *resource = NULL;
    struct member *before;
    struct prov_error damage = PROV_ERROR_INIT;
    int r = load_known(page->db, page->snapshot, listed->uri, &known, err);

    if (r || !known.resource || known.presence != PRESENCE_IN)
        return r;
    r = value_parse(&pool, known.resource, strlen(known.resource), "a stored resource", &resource,
                    &damage);
    if (r)
        return r == PROV_E_NOMEM ? error_nomem(err) : PROV_OK;
    before = value_find_nocase(resource, "active");
    if (before && value_is(before->value, VALUE_FALSE))
        return PROV_OK;
    if (before)
        value_remove(resource, before->name);
    if (value_put(&pool, resource, "active", value_boolean(false)))
        return error_nomem(err);
    *ret_data = value_canonical(resource);
    return *ret_data ? PROV_OK : error_nomem(err);
}

static int
compare_row(struct page *page, const struct db_rows *rows, struct prov_error *err)
{
    struct listed listed = { .seq = db_int(rows, 0),
                             .uri = db_text(rows, 1),
                             .place = db_text(rows, 2),
                             .manager = db_text(rows, 3),
                             .data = db_text(rows, 4),
                             .has_alias = db_int(rows, 5) };
    AUTO_FREE char *data = NULL;
    int r = listed.manager ? resolve_manager(page, &listed, &data, err) : PROV_OK;

    page->last = listed.seq;
    page->done++;
    page->snapshot->counts[LIST_UNREADABLE] += db_int(rows, 7);
    if (!listed.data) {
        r = db_int(rows, 6) ? make_inactive(page, &listed, &data, err) : PROV_OK;
        if (r || !data)
            return r;
    }
    if (!r && data) {
        r = db_run(page->scratch, err, "UPDATE listed SET data = ? WHERE seq = ?", "si", data,
                   listed.seq);
        listed.data = data;
    }
    return r ? r : compare(page, &listed, err);
}

/* Rows of a page that was taken off the scratch file, each handed to `each`. */
static int
take_rows(struct page *page, struct db_rows *rows,
          int (*each)(struct page *, const struct db_rows *, struct prov_error *),
          struct prov_error *err)
{
    bool row = true;
    int r = PROV_OK;

    while (!r) {
        r = db_next(rows, &row, err);
        if (r || !row)
            break;
        r = each(page, rows, err);
    }
    return r;
}

/* Comparing makes no store, so that a dry run leaves nothing behind. Under read_lock. */
static int
known_reader(struct store *store, struct db **ret, struct prov_error *err)
{
    return store_exists(store) ? store_reader(store, ret, err) : PROV_OK;
}

static int
compare_page(struct store_snapshot *snapshot, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *read_held = lock(&snapshot->store->read_lock);
    CLEANUP(unlock_cleanup) pthread_mutex_t *list_held = lock(&snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct page page = { .snapshot = snapshot, .scratch = snapshot->scratch };
    int r = known_reader(snapshot->store, &page.db, err);

    if (!r)
        r = db_select(
            page.scratch, &rows, err,
            "SELECT seq, uri, place, manager, data, alias IS NOT NULL, inactive, unreadable"
            " FROM listed WHERE seq > ? ORDER BY seq LIMIT ?",
            "ii", snapshot->cursor, (int64_t)PAGE);
    if (!r)
        r = take_rows(&page, &rows, compare_row, err);
    if (r)
        return r;
    snapshot->compared += page.done;
    snapshot->cursor = page.last;
    if (page.done < PAGE)
        snapshot->phase = LIST_LOST;
    return PROV_OK;
}

/* ---- who is lost ---- */

static int
look_for(struct page *page, const struct db_rows *rows, struct prov_error *err)
{
    struct store_snapshot *snapshot = page->snapshot;
    struct listed missing = { .uri = db_text(rows, 0) };
    bool newer = db_int(rows, 2) > snapshot->begun_after, in = db_int(rows, 3) == PRESENCE_IN;
    AUTO_FREE char *found = NULL;
    int r = find_listed(page, missing.uri, NULL, &found, err);

    page->done++;
    free(snapshot->cursor_uri);
    snapshot->cursor_uri = strdup(missing.uri);
    if (!snapshot->cursor_uri)
        return error_nomem(err);
    snapshot->in_scope += in;
    if (r || found)
        return r;
    /* who is out of scope already, or skipped, loses nothing */
    snapshot->at_risk += in && !newer;
    return note_change(page, &missing, db_text(rows, 1), newer ? LIST_SKIPPED : LIST_GONE, NULL,
                       err);
}

static int
find_lost_page(struct store_snapshot *snapshot, bool *ret_more, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *read_held = lock(&snapshot->store->read_lock);
    CLEANUP(unlock_cleanup) pthread_mutex_t *list_held = lock(&snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct page page = { .snapshot = snapshot, .scratch = snapshot->scratch };
    int r = known_reader(snapshot->store, &page.db, err);

    *ret_more = false;
    if (!r && !page.db)
        return PROV_OK;
    if (!r)
        r = db_select(page.db, &rows, err,
                      "SELECT uri, user_name, last_event, presence FROM subject"
                      " WHERE iss = ? AND uri > ? AND presence <> 3 ORDER BY uri LIMIT ?",
                      "ssi", snapshot->issuer, snapshot->cursor_uri ? snapshot->cursor_uri : "",
                      (int64_t)PAGE);
    if (!r)
        r = take_rows(&page, &rows, look_for, err);
    *ret_more = page.done == PAGE;
    return r;
}

/* Sets snapshot->reason if the list should not be applied. */
static int
object(struct store_snapshot *s, const struct store_guard *guard, struct prov_error *err)
{
    int length = 0;

    if (s->listed == 0)
        length = asprintf(&s->reason,
                          "the list is empty; nothing was changed. If that is meant, force it");
    else if (s->at_risk > guard->floor && s->at_risk * 100 > guard->percent * s->in_scope)
        length = asprintf(
            &s->reason,
            "the list lacks %lld of %lld users in scope, or makes them inactive or out of scope, "
            "more than guard_floor (%lld) and guard_percent (%lld%%) allow; nothing was changed. "
            "If "
            "that is meant, force it",
            (long long)s->at_risk, (long long)s->in_scope, (long long)guard->floor,
            (long long)guard->percent);
    if (length < 0) { /* out of memory must not read as "no objection" */
        s->reason = NULL;
        return error_nomem(err);
    }
    return PROV_OK;
}

static int
find_lost(struct store_snapshot *snapshot, const struct store_guard *guard, uint32_t how,
          struct prov_error *err)
{
    bool more, force = how & STORE_SNAPSHOT_FORCE;
    int r = find_lost_page(snapshot, &more, err);

    if (!r && !more)
        r = object(snapshot, guard, err);
    if (r || more)
        return r;
    snapshot->cursor = 0;
    snapshot->phase =
        (how & STORE_SNAPSHOT_DRY_RUN) || (snapshot->reason && !force) ? LIST_DONE : LIST_FOLDING;
    if (snapshot->phase == LIST_FOLDING) {
        free(snapshot->reason); /* forced */
        snapshot->reason = NULL;
    }
    return PROV_OK;
}

/* ---- folding ---- */

static int
skip(struct page *page, int64_t seq, enum list_what what, struct prov_error *err)
{
    int r = db_run(page->scratch, err, "UPDATE change SET what = ?, note = ? WHERE seq = ?", "isi",
                   (int64_t)LIST_SKIPPED, skipped_note, seq);

    if (!r) {
        page->snapshot->counts[what]--;
        page->snapshot->counts[LIST_SKIPPED]++;
    }
    return r;
}

static int
fold(struct page *page, int64_t seq, const char *uri, const char *data, struct prov_error *err)
{
    struct store_answer answer = { .error = PROV_ERROR_INIT };
    AUTO_FREE char *jti = NULL;
    AUTO_POOL struct pool pool = { 0 };
    struct event event = { .iss = page->snapshot->issuer,
                           .uri = uri,
                           .kinds = data ? "prov:put:full" : "prov:delete",
                           .data = data ? EVENT_PUT : EVENT_NO_DATA,
                           .deleted = !data };
    int r = PROV_OK;

    if (asprintf(&jti, "snapshot:%s:%lld", page->snapshot->id, (long long)seq) < 0) {
        jti = NULL;
        return error_nomem(err);
    }
    if (data)
        r = value_parse(&pool, data, strlen(data), "the listed user", &event.payload, err);
    event.jti = jti;
    if (!r && digest_hex(data ? data : jti, strlen(data ? data : jti), event.digest))
        r = error_nomem(err);
    if (!r)
        r = accept_fold(page->snapshot->store, &event, clock_now_us(), &answer, err);
    if (!r && answer.status == PROV_ANSWER_REFUSED)
        r = error_set(err, PROV_E_INVALID, "user '%s': %s", uri, answer.error.text);
    return r;
}

/* One row of: seq, uri, what, data. */
static int
fold_row(struct page *page, const struct db_rows *rows, struct prov_error *err)
{
    CLEANUP(known_done) struct known known = { 0 };
    int64_t seq = db_int(rows, 0);
    enum list_what what = (enum list_what)db_int(rows, 2);
    const char *uri = db_text(rows, 1);
    int r = load_known(page->db, page->snapshot, uri, &known, err);

    page->last = seq;
    page->done++;
    if (r || what == LIST_SKIPPED)
        return r;
    if (known.last_event > page->snapshot->begun_after)
        return skip(page, seq, what, err);
    return fold(page, seq, uri, db_text(rows, 3), err);
}

/* Inside a transaction of the store. */
static int
fold_rows(struct page *page, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&page->snapshot->store->list_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r = db_select(page->scratch, &rows, err,
                      "SELECT c.seq, c.uri, c.what, l.data FROM change c LEFT JOIN listed l"
                      " ON l.seq = c.listed WHERE c.seq > ? ORDER BY c.seq LIMIT ?",
                      "ii", page->snapshot->cursor, (int64_t)PAGE);

    return r ? r : take_rows(page, &rows, fold_row, err);
}

/* `force`: who loses access by this page has passed the guard. */
static int
fold_page(struct store_snapshot *snapshot, bool force, struct prov_error *err)
{
    struct page page = { .snapshot = snapshot, .scratch = snapshot->scratch };
    int64_t counts[LIST_WHATS], before = 0;
    int r = store_begin(snapshot->store, STORE_UNFENCED, err);

    if (r)
        return r;
    memcpy(counts, snapshot->counts, sizeof(counts));
    page.db = snapshot->store->write;
    if (force)
        r = guard_mark(page.db, &before, err);
    if (!r)
        r = fold_rows(&page, err);
    if (!r && force)
        r = guard_pass_since(page.db, before, err);
    if (!r)
        r = store_commit(snapshot->store, err);
    else
        store_rollback(snapshot->store);
    if (r) {
        memcpy(snapshot->counts, counts, sizeof(counts));
        return error_wrap(err, r,
                          "the list was applied in part, %lld of its changes; the same list again "
                          "does the rest",
                          (long long)snapshot->folded);
    }
    snapshot->folded += page.done;
    snapshot->cursor = page.last;
    if (page.done < PAGE) {
        snapshot->applied = true;
        snapshot->phase = LIST_DONE;
    }
    return PROV_OK;
}

int
store_snapshot_step(struct store_snapshot *snapshot, const struct store_guard *guard, uint32_t how,
                    bool *ret_done, struct prov_error *err)
{
    int r = PROV_OK;

    switch (snapshot->phase) {
    case LIST_OPEN:
        snapshot->phase = LIST_LISTED;
        break;
    case LIST_LISTED:
        r = compare_page(snapshot, err);
        break;
    case LIST_LOST:
        r = find_lost(snapshot, guard, how, err);
        break;
    case LIST_FOLDING:
        r = fold_page(snapshot, how & STORE_SNAPSHOT_FORCE, err);
        break;
    case LIST_DONE:
        break;
    }
    *ret_done = snapshot->phase == LIST_DONE;
    return r;
}
