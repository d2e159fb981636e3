/* What is due, and when next, in numbers: for who waits, and for who tells how much is left. */
#include "plugin/store/internal.h"

/* Whether a row d of `due` is only there to look at a settled user again, later than the first parameter. */
#define LATER_SQL                                                                                  \
    "(d.at > ?1 AND EXISTS (SELECT 1 FROM link l WHERE l.subject = d.subject"                      \
    " AND l.outcome IN " OUTCOMES_SETTLED " AND NOT " IN_FLIGHT("l.subject") "))"

int
store_due_next(struct store *store, int64_t now_us, bool *ret_any, int64_t *ret_at_us,
               struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT coalesce((SELECT at FROM due ORDER BY at LIMIT 1), ?2),"
                       " EXISTS (SELECT 1 FROM due d WHERE NOT " LATER_SQL " LIMIT 1),"
                       " EXISTS (SELECT 1 FROM " NEWS_OWED ")",
                       "ii", now_us, INT64_MAX);

    if (!r) {
        bool news = db_int(&look.rows, 2) != 0;
        int64_t at = db_int(&look.rows, 0);
        *ret_any = news || db_int(&look.rows, 1) != 0;
        *ret_at_us = news && at > DUE_NOW ? DUE_NOW : at < INT64_MAX ? at : 0;
    }
    return r;
}

int
store_due_leavers_next(struct store *store, int64_t now_us, bool *ret_urgent, int64_t *ret_at_us,
                       struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT EXISTS (SELECT 1 FROM due WHERE at <= ?1) OR EXISTS (SELECT 1"
                       " FROM wait w CROSS JOIN due d ON d.subject = w.subject"
                       " WHERE w.kind = '" WAIT_LEAVING "' AND d.at > 1 AND d.at <= ?2),"
                       " coalesce((SELECT at FROM due WHERE at > ?2 ORDER BY at LIMIT 1), 0)",
                       "ii", DUE_URGENT, now_us);

    if (!r) {
        *ret_urgent = db_int(&look.rows, 0) != 0;
        *ret_at_us = db_int(&look.rows, 1);
    }
    return r;
}

int
store_due_count(struct store *store, int64_t now_us, int64_t *ret_subjects, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r =
        store_look(store, &look, err,
                   "SELECT (SELECT count(*) FROM (SELECT d.subject FROM due d WHERE NOT " LATER_SQL
                   " UNION SELECT subject FROM " NEWS_OWED
                   ")) + (SELECT count(*) FROM link WHERE code = '" GUARD_CODE "')",
                   "i", now_us);

    *ret_subjects = r ? 0 : db_int(&look.rows, 0);
    return r;
}
