/* The numbers that a monitor asks for again and again: kept in the transactions that change them, so that a
 * look costs the same for a thousand users and for a million. A version is settled by delivery and made
 * old by accept; each counts here what it writes, and the sums are written before the commit. */
#include "plugin/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/store/schema.h"

/* What stands in `tally` under these words: how many users are pending is what is left of all. */
static const char *
state_of(const char *what)
{
    static const char *const states[][2] = { { OUTCOME_DELIVERED, "in_step" },
                                             { OUTCOME_NOTHING, "in_step" },
                                             { OUTCOME_REFUSED, "parked" },
                                             { OUTCOME_WAITING, "waiting" },
                                             { "unknown", "in_flight" } };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i][0], what) == 0)
            return states[i][1];
    }
    return "pending";
}

struct states {
    int64_t total, in_step, waiting, parked, in_flight;
};

static int
add_code(struct json_object *codes, const char *what, const char *code, int64_t users,
         struct prov_error *err)
{
    struct json_object *entry = json_object_new_object();

    if (json_append(codes, entry) || json_put_string(entry, "state", state_of(what)) ||
        json_put_string(entry, "code", code) || json_put_int(entry, "users", users))
        return error_nomem(err);
    return PROV_OK;
}

static int
read_tally(struct db *db, struct states *states, struct json_object *codes, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    int r = db_select(db, &rows, err,
                      "SELECT what, code, n FROM tally WHERE n > 0 AND what NOT IN ('active',"
                      " 'total', " TALLY_WAITS ") ORDER BY what, code",
                      "");

    while (!r) {
        const char *state;
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        state = state_of(db_text(&rows, 0));
        if (strcmp(state, "in_step") == 0)
            states->in_step += db_int(&rows, 2);
        else if (strcmp(state, "parked") == 0)
            states->parked += db_int(&rows, 2);
        else if (strcmp(state, "waiting") == 0)
            states->waiting += db_int(&rows, 2);
        if (*db_text(&rows, 1))
            r = add_code(codes, db_text(&rows, 0), db_text(&rows, 1), db_int(&rows, 2), err);
    }
    return r;
}

/* Who has something in flight is that, whatever the last outcome says. */
static int
read_flights(struct db *db, struct states *states, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT count(*),"
                       " coalesce(sum(l.settled_version >= s.version"
                       " AND l.outcome IN " OUTCOMES_IN_STEP "), 0),"
                       " coalesce(sum(l.settled_version >= s.version"
                       " AND l.outcome = '" OUTCOME_REFUSED "'), 0),"
                       " coalesce(sum(l.settled_version >= s.version"
                       " AND l.outcome = '" OUTCOME_WAITING "'), 0)"
                       " FROM flight f JOIN subject s ON s.id = f.subject"
                       " LEFT JOIN link l ON l.subject = f.subject",
                       "");

    if (r)
        return r;
    states->in_flight = db_int(&rows, 0);
    states->in_step -= db_int(&rows, 1);
    states->parked -= db_int(&rows, 2);
    states->waiting -= db_int(&rows, 3);
    return PROV_OK;
}

int
tally_states(struct db *db, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *counts = json_object_new_object(), *codes = json_object_new_array();
    struct states states = { 0 };
    bool row = false;
    int r = json_put(result, "codes", codes) || !codes || json_put(result, "subjects", counts) ||
                    !counts
                ? error_nomem(err)
                : PROV_OK;

    /* no subject is ever deleted, and their numbers have no gaps */
    if (!r)
        r = db_one_row(db, &rows, &row, err, "SELECT coalesce(max(id), 0) FROM subject", "");
    if (!r)
        states.total = db_int(&rows, 0);
    if (!r)
        r = read_tally(db, &states, codes, err);
    if (!r)
        r = read_flights(db, &states, err);
    if (r)
        return r;
    if (json_put_int(counts, "in_step", states.in_step) ||
        json_put_int(counts, "pending",
                     states.total - states.in_step - states.waiting - states.parked -
                         states.in_flight) ||
        json_put_int(counts, "waiting", states.waiting) ||
        json_put_int(counts, "parked", states.parked) ||
        json_put_int(counts, "in_flight", states.in_flight) ||
        json_put_int(counts, "total", states.total))
        return error_nomem(err);
    return PROV_OK;
}

int
store_active_accounts(struct store *store, int64_t *ret, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(
        store, &look, err,
        "SELECT coalesce((SELECT n FROM tally WHERE what = 'active' AND code = ''), 0)", "");
    if (!r)
        *ret = db_int(&look.rows, 0);
    return r;
}

/* ---- what was done ---- */

static const char *const counter_names[] = {
    [STORE_CALLS] = "calls",         [STORE_CALLS_FAILED] = "calls_failed",
    [STORE_DELIVERED] = "delivered", [STORE_REFUSED] = "refused",
    [STORE_RETRIED] = "retried",     [STORE_SETTLED_EVENTS] = "events_settled",
    [STORE_FORGOTTEN] = "forgotten",
};

_Static_assert(sizeof(counter_names) / sizeof(counter_names[0]) == STORE_COUNTERS,
               "every counter has a name");

/* Stands among the counters, and is no number of anything: when a change was delivered last. */
#define LAST_DELIVERED "last_delivered_us"

void
store_count(struct store *store, enum store_counter counter, int64_t more)
{
    store->counted[counter] += more;
}

/* So many users more of one kind, in the transaction under way. Texts are heap. */
struct tally_move {
    char *what, *code;
    int64_t n;
};

/* Where they are counted, added if they are not. */
static int
find_move(struct store *store, const char *what, const char *code, size_t *ret,
          struct prov_error *err)
{
    struct tally_move *more, added = { .n = 0 };

    for (*ret = 0; *ret < store->move_count; ++*ret) {
        struct tally_move *known = &store->moves[*ret];
        if (strcmp(known->what, what) == 0 && strcmp(known->code, code) == 0)
            return PROV_OK;
    }
    more = reallocarray(store->moves, store->move_count + 1, sizeof(*more));
    if (!more)
        return error_nomem(err);
    store->moves = more;
    added.what = strdup(what);
    added.code = strdup(code);
    if (!added.what || !added.code) {
        free(added.what);
        free(added.code);
        return error_nomem(err);
    }
    more[store->move_count++] = added;
    return PROV_OK;
}

static int
move(struct store *store, const char *what, const char *code, int64_t n, struct prov_error *err)
{
    size_t place;
    int r = find_move(store, what, code, &place, err);

    if (!r)
        store->moves[place].n += n;
    return r;
}

/* An outcome that settles counts while no newer event came. */
static bool
counts(const char *outcome, int64_t settled_version, int64_t version)
{
    return outcome && *outcome && (!outcome_is_settled(outcome) || settled_version >= version);
}

int64_t
tally_newest(struct db *db)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error ignored = PROV_ERROR_INIT;
    bool row = false;

    return db_one_row(db, &rows, &row, &ignored, "SELECT max(seq) FROM event", "") == PROV_OK
               ? db_int(&rows, 0)
               : 0;
}

/* Of many users each is a page of its own, so the subject is looked at only where an event came since the link
 * was read. */
int
tally_version(struct store *store, int64_t subject, const struct link *link, int64_t *ret,
              struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r;

    if (link->as_of && !store->newest)
        store->newest = tally_newest(store->write);
    *ret = link->wanted_version;
    if (link->as_of && link->as_of == store->newest)
        return PROV_OK;
    r = db_one_row(store->write, &rows, &row, err, "SELECT version FROM subject WHERE id = ?", "i",
                   subject);
    *ret = !r && row ? db_int(&rows, 0) : TALLY_GONE;
    return r;
}

/* Moves a user from where he was counted to where he is. */
int
tally_move(struct store *store, const struct counted *before, const struct counted *after,
           int64_t version, struct prov_error *err)
{
    bool was = counts(before->outcome, before->settled_version, version);
    bool is = counts(after->outcome, after->settled_version, version);
    int r = PROV_OK;

    if (version == TALLY_GONE)
        return PROV_OK;
    if (was)
        r = move(store, before->outcome, before->code ? before->code : "", -1, err);
    if (!r && is)
        r = move(store, after->outcome, after->code ? after->code : "", 1, err);
    if (!r && before->active != after->active)
        r = move(store, "active", "", after->active ? 1 : -1, err);
    return r;
}

int
tally_wait(struct store *store, const char *kind, bool is_long, int64_t n, struct prov_error *err)
{
    int r = move(store, "waits", kind, n, err);

    return r || !is_long ? r : move(store, "waits_long", kind, n, err);
}

int
tally_waits(struct db *db, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *list = json_object_new_array();
    bool row = true;
    int r = json_put(result, "waits", list) || !list ? error_nomem(err) : PROV_OK;

    if (!r)
        r = db_select(db, &rows, err,
                      "SELECT w.code, w.n, coalesce(l.n, 0) FROM tally w LEFT JOIN tally l"
                      " ON l.what = 'waits_long' AND l.code = w.code"
                      " WHERE w.what = 'waits' AND w.n > 0 ORDER BY w.code",
                      "");
    while (!r) {
        struct json_object *entry;
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        entry = json_object_new_object();
        if (json_append(list, entry) || !entry ||
            json_put_string(entry, "kind", db_text(&rows, 0)) ||
            json_put_int(entry, "users", db_int(&rows, 1)) ||
            json_put_int(entry, "long", db_int(&rows, 2)))
            r = error_nomem(err);
    }
    return r;
}

int
tally_find(struct store *store, const char *outcome, const char *code, int64_t *ret_place,
           struct prov_error *err)
{
    size_t place;
    int r;

    *ret_place = -1;
    if (!outcome || !outcome_is_settled(outcome))
        return PROV_OK;
    r = find_move(store, outcome, code, &place, err);
    if (!r)
        *ret_place = (int64_t)place;
    return r;
}

void
tally_news(struct store *store, int64_t place)
{
    if (place >= 0)
        store->moves[place].n--;
}

void
tally_forget(struct store *store)
{
    memset(store->counted, 0, sizeof(store->counted));
    for (size_t i = 0; i < store->move_count; i++) {
        free(store->moves[i].what);
        free(store->moves[i].code);
    }
    free(store->moves);
    store->moves = NULL;
    store->move_count = 0;
    store->newest = 0;
}

static int
add(struct store *store, const char *what, const char *code, int64_t n, struct prov_error *err)
{
    if (n == 0)
        return PROV_OK;
    return db_run(store->write, err,
                  "INSERT INTO tally VALUES (?, ?, ?)"
                  " ON CONFLICT (what, code) DO UPDATE SET n = n + excluded.n",
                  "ssi", what, code, n);
}

int
tally_write(struct store *store, struct prov_error *err)
{
    int r = PROV_OK;

    if (store->counted[STORE_DELIVERED])
        r = db_run(store->write, err,
                   "INSERT INTO tally VALUES ('total', '" LAST_DELIVERED "', ?)"
                   " ON CONFLICT (what, code) DO UPDATE SET n = excluded.n",
                   "i", clock_now_us());
    for (size_t i = 0; !r && i < STORE_COUNTERS; i++)
        r = add(store, "total", counter_names[i], store->counted[i], err);
    for (size_t i = 0; !r && i < store->move_count; i++)
        r = add(store, store->moves[i].what, store->moves[i].code, store->moves[i].n, err);
    return r;
}

/* 0: never. */
static int
put_delivered(struct json_object *result, int64_t delivered_us)
{
    int64_t age_us = clock_now_us() - delivered_us;
    char time[21];

    if (!delivered_us)
        return json_put(result, "last_delivered", NULL) ||
                       json_put(result, "last_delivered_s", NULL)
                   ? PROV_E_NOMEM
                   : PROV_OK;
    if (json_put_string(result, "last_delivered", clock_format(delivered_us, time)))
        return PROV_E_NOMEM;
    return json_put_int(result, "last_delivered_s", age_us > 0 ? age_us / CLOCK_SECOND_US : 0);
}

int
tally_events(struct db *db, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT coalesce(max(seq), 0), coalesce((SELECT n FROM tally"
                       " WHERE what = 'total' AND code = ?), 0) FROM event",
                       "s", counter_names[STORE_FORGOTTEN]);

    if (r)
        return r;
    return json_put_int(result, "events", db_int(&rows, 0) - db_int(&rows, 1)) ||
                   json_put_int(result, "events_accepted", db_int(&rows, 0))
               ? error_nomem(err)
               : PROV_OK;
}

int
tally_totals(struct db *db, struct json_object *result, struct prov_error *err)
{
    int64_t totals[STORE_COUNTERS] = { 0 }, delivered_us = 0;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    int r = db_select(db, &rows, err, "SELECT code, n FROM tally WHERE what = 'total'", "");

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        for (size_t i = 0; i < STORE_COUNTERS; i++) {
            if (strcmp(counter_names[i], db_text(&rows, 0)) == 0)
                totals[i] = db_int(&rows, 1);
        }
        if (strcmp(LAST_DELIVERED, db_text(&rows, 0)) == 0)
            delivered_us = db_int(&rows, 1);
    }
    if (r)
        return r;
    if (json_put_int(result, "events_settled", totals[STORE_SETTLED_EVENTS]) ||
        json_put_int(result, "changes_delivered", totals[STORE_DELIVERED]) ||
        json_put_int(result, "changes_refused", totals[STORE_REFUSED]) ||
        json_put_int(result, "changes_retried", totals[STORE_RETRIED]) ||
        json_put_int(result, "api_calls", totals[STORE_CALLS]) ||
        json_put_int(result, "api_calls_failed", totals[STORE_CALLS_FAILED]))
        return error_nomem(err);
    return put_delivered(result, delivered_us) ? error_nomem(err) : PROV_OK;
}
