/* What the host has been told of its events, and what not yet. When it is told is decided by the delivery
 * room. */
#include "plugin/store/internal.h"

/* The greatest of TOLD_PART and TOLD_WITHOUT of which there is something else to be said now. */
static int64_t
told_before(const struct link *link)
{
    enum told now = wait_told(link);

    return !outcome_is_in_step(link->outcome) || now == TOLD_PART ? 0
           : now == TOLD                                          ? TOLD_WITHOUT
                                                                  : TOLD_PART;
}

/* Of event e, if command c came with it; one that waits is told of only if it has waited for long. */
#define PASSWORD_FAULT                                                                             \
    "CASE WHEN c.version = e.version AND c.outcome IN ('refused', 'dropped', 'waiting')"           \
    " THEN 'the password was not set: ' || c.code || CASE WHEN coalesce(c.message, '') = ''"       \
    " THEN '' ELSE ': ' || c.message END END"

static struct json_object *
untold_row(const struct db_rows *rows)
{
    struct json_object *row = json_object_new_object();

    if (!row || event_put(row, rows) ||
        json_put_string(row, "password_fault", db_text(rows, EVENT_COUNT)) ||
        json_put_bool(row, "password_waits", db_int(rows, EVENT_COUNT + 1))) {
        json_object_put(row);
        return NULL;
    }
    return row;
}

int
store_untold(struct store *store, const struct untold_part *part, const struct link *link,
             int64_t long_us, struct json_object **ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    AUTO_JSON struct json_object *list = json_object_new_array();
    struct db *db;
    int r = list ? store_reader(store, &db, err) : error_nomem(err);

    if (!r)
        r = db_select(
            db, &rows, err,
            /* they are told in their order, so before one that was told for good stands
                         none that was not */
            "WITH RECURSIVE untold (seq) AS ("
            "SELECT coalesce(nullif(?, 0), last_event) FROM subject WHERE id = ?"
            " UNION ALL SELECT o.previous FROM untold JOIN event o ON o.seq = untold.seq"
            " WHERE o.told <> 1 AND NOT ?)"
            " SELECT " EVENT_COLUMNS ", " PASSWORD_FAULT ", c.sealed IS NOT NULL"
            " FROM untold JOIN event e ON e.seq = untold.seq"
            " LEFT JOIN command c ON c.subject = e.subject AND c.version <= e.version"
            " WHERE e.version <= ? AND (e.told = 0 OR (e.told = 2 AND e.version <= ?)"
            " OR e.told BETWEEN 4 AND ?)"
            /* a password that waits keeps them back, but not a refusal: it is mended first; nor
                         without end, where its key stays away or a right is missing */
            " AND (c.sealed IS NULL OR e.version > ?"
            " OR (e.told = 0 AND c.outcome = 'waiting' AND e.received_us <= ?)) ORDER BY e.version",
            "iiiiiiii", part->last, part->subject, (int64_t)part->alone, link->settled_version,
            link->confirmed_version, told_before(link),
            outcome_is(link->outcome, OUTCOME_REFUSED) ? link->confirmed_version : INT64_MAX,
            long_us);
    if (!r)
        r = rows_append(&rows, untold_row, list, err);
    if (!r)
        *ret = STEAL(list);
    return r;
}

int
store_told(struct store *store, int64_t seq, enum told told, struct prov_error *err)
{
    return db_run(store->write, err, "UPDATE event SET told = ? WHERE seq = ?", "ii", (int64_t)told,
                  seq);
}
