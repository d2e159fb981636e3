/* The numbers that delivery's guard weighs, and an admin's release. What they mean is decided there. */
#include "plugin/store/internal.h"

_Static_assert(ORDER_RELEASE == 2, "the statements below say 2");

int
store_guard_numbers(struct store *store, struct guard_numbers *ret, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT (SELECT count(DISTINCT d.subject) FROM due d JOIN link l"
                       " ON l.subject = d.subject WHERE d.at = 0 AND d.orders & 2 = 0"
                       " AND l.salesforce_id IS NOT NULL AND l.code IS NOT '" GUARD_CODE "'"
                       " AND l.active),"
                       " (SELECT count(*) FROM link WHERE code = '" GUARD_CODE "')",
                       "");
    if (r)
        return r;
    *ret = (struct guard_numbers){ .due = db_int(&look.rows, 0), .held = db_int(&look.rows, 1) };
    return PROV_OK;
}

int
guard_mark(struct db *db, int64_t *ret_seq, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err, "SELECT coalesce(max(seq), 0) FROM event", "");

    if (!r)
        *ret_seq = db_int(&rows, 0);
    return r;
}

int
guard_pass_since(struct db *db, int64_t seq, struct prov_error *err)
{
    return db_run(db, err, "UPDATE due SET orders = orders | 2 WHERE at = 0 AND seq > ?", "i", seq);
}

int
store_guard_release(struct store *store, int64_t *ret_count, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(store->write, &rows, &row, err,
                       "SELECT count(*) FROM link WHERE code = '" GUARD_CODE "'", "");

    if (r)
        return r;
    *ret_count = db_int(&rows, 0);
    db_rows_cleanup(&rows);
    /* rows of its own: those that are there may just be worked on, and are deleted then */
    return due_insert(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE
                      ", subject, orders) SELECT 0, " DUE_CAUSE_KEY
                      ", subject, 2 FROM (SELECT subject FROM link WHERE code = '" GUARD_CODE "'"
                      " UNION SELECT subject FROM due WHERE at = 0)",
                      "");
}
