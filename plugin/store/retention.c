/* How long events are kept, and which of them the host has not been told of. Both walk over the events
 * in the order in which they came, a page a call, so that nobody waits for a store with millions. */
#include "plugin/store/internal.h"

#include "plugin/base/clock.h"

/* Event e of link l is settled, so that nothing of it is owed to the org. */
#define SETTLED_SQL                                                                                \
    "(e.version < l.settled_version OR (e.version = l.settled_version"                             \
    " AND l.outcome IN " OUTCOMES_OVER "))"

/* Of event e, which was told as delivered but for a part, there is something else to be said: no part waits, or now
 * for long. */
#define PARTS_THAT_WAIT "FROM wait w WHERE w.subject = l.subject AND w.kind IN " WAITS_OF_PARTS
#define PART_IS_OTHERWISE                                                                          \
    "l.outcome IN " OUTCOMES_IN_STEP " AND (NOT EXISTS (SELECT 1 " PARTS_THAT_WAIT ")"             \
    " OR (e.told = 4 AND NOT EXISTS (SELECT 1 " PARTS_THAT_WAIT " AND NOT w.is_long)))"

/* The last event of the page after `after`, 0: there is none; how many of the page may be older than
 * before_us: a time in the future was written by a wrong clock, and says nothing. */
static int
read_page(struct db *db, int64_t after, int64_t limit, int64_t before_us, int64_t *ret_last,
          int64_t *ret_old, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT coalesce(max(seq), 0), coalesce(sum(received_us < ?3"
                       " OR received_us > ?4), 0) FROM (SELECT seq, received_us FROM event"
                       " WHERE seq > ?1 ORDER BY seq LIMIT ?2)",
                       "iiii", after, limit, before_us, clock_now_us());

    if (r)
        return r;
    *ret_last = db_int(&rows, 0);
    *ret_old = db_int(&rows, 1);
    return PROV_OK;
}

int
store_forget_events(struct store *store, const struct store_retention *retention, int64_t *after,
                    struct prov_error *err)
{
    int64_t last = 0, old = 0, from = *after;
    int r = read_page(store->write, from, retention->limit, retention->before_us, &last, &old, err);

    if (r)
        return r;
    *after = old ? last : 0;
    if (!old)
        return PROV_OK;
    r = db_run(store->write, err,
               "DELETE FROM event AS e WHERE seq > ?1 AND seq <= ?2 AND received_us < ?3"
               " AND seq < (SELECT max(seq) FROM event) AND (subject IS NULL"
               " OR ((told > 0 OR ?4 = 0) AND EXISTS (SELECT 1 FROM link l"
               " WHERE l.subject = e.subject AND " SETTLED_SQL ")))",
               "iiii", from, last, retention->before_us, (int64_t)retention->keep_untold);
    if (!r)
        store_count(store, STORE_FORGOTTEN, db_changes(store->write));
    return r;
}

/* NULL when out of memory. */
static struct json_object *
number_row(const struct db_rows *rows)
{
    return json_object_new_int64(db_int(rows, 0));
}

/* The numbers that a select with two parameters finds. */
static int
select_numbers(struct db *db, const char *sql, int64_t first, int64_t second,
               struct json_object **ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    AUTO_JSON struct json_object *list = json_object_new_array();
    int r = list ? db_select(db, &rows, err, sql, "ii", first, second) : error_nomem(err);

    if (!r)
        r = rows_append(&rows, number_row, list, err);
    if (!r)
        *ret = STEAL(list);
    return r;
}

int
store_untold_events(struct store *store, int64_t limit, int64_t *after, struct json_object **ret,
                    struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    int64_t last = 0, old = 0;
    struct db *db;
    int r = store_reader(store, &db, err);

    if (!r)
        r = read_page(db, *after, limit, 0, &last, &old, err);
    if (!r)
        r = select_numbers(
            db,
            "SELECT max(e.seq) FROM event e JOIN link l ON l.subject = e.subject"
            " WHERE e.seq > ? AND e.seq <= ?"
            " AND e.version <= l.settled_version AND NOT " IN_FLIGHT(
                "l.subject") " AND (e.told = 0 OR (e.told = 2 AND e.version <= "
                             "l.confirmed_version) OR (e.told >= 4 AND " PART_IS_OTHERWISE "))"
                             " AND l.outcome IN " OUTCOMES_OVER
                             /* who is refused and tried again by itself is not through, for some time */
                             " AND NOT (l.outcome = '" OUTCOME_REFUSED "' AND l.next_us > 0"
                             " AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.subject = l.subject"
                             " AND w.is_long AND w.kind NOT IN " WAITS_OF_PARTS "))"
                             " GROUP BY e.subject ORDER BY 1",
            *after, last, ret, err);
    if (!r)
        *after = last;
    return r;
}

int
store_untold_around(struct store *store, int64_t limit, int64_t *after, struct json_object **ret,
                    struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    size_t count;
    int r = store_reader(store, &db, err);

    if (!r)
        r = select_numbers(db, /* not by the table, which may be what is damaged */
                           "SELECT seq FROM event INDEXED BY event_key WHERE +seq > ?"
                           " ORDER BY +seq LIMIT ?",
                           *after, limit, ret, err);
    if (r)
        return r;
    count = json_object_array_length(*ret);
    *after = count ? json_object_get_int64(json_object_array_get_idx(*ret, count - 1)) : 0;
    return PROV_OK;
}
