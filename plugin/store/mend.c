/* What is due can be worked out anew from what is wanted and what is there: a file that is damaged
 * where `due` stands stops nobody. An admin's orders (replan, repair, release) are lost with it. */
#include "plugin/store/internal.h"

#include <stdio.h>

#include "plugin/store/schema.h"

/* Whether every entry of `due`, and of its index, can be read. */
static int
is_sound(struct db *db, bool *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error why = PROV_ERROR_INIT;
    bool row = false;
    int r;

    (void)db_met_damage(db);
    r = db_one_row(db, &rows, &row, &why,
                   "SELECT (SELECT count(at) + count(orders) FROM due NOT INDEXED),"
                   " (SELECT count(*) FROM due INDEXED BY due_timed WHERE at > 1)",
                   "");
    *ret = !r;
    return r && !db_met_damage(db) ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* A table that cannot be read cannot be emptied either: it is put aside under another name. */
static int
put_aside(struct db *db, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    char sql[100];
    int64_t number;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'due\\_damaged\\_%'"
                       " ESCAPE '\\' AND type = 'table'",
                       "");

    if (r)
        return r;
    number = db_int(&rows, 0) + 1;
    db_rows_cleanup(&rows);
    snprintf(sql, sizeof(sql), "ALTER TABLE due RENAME TO due_damaged_%lld; DROP INDEX due_timed",
             (long long)number);
    return db_script(db, sql, err);
}

/* Who has news, or something in flight, or a try to come; those who are parked for good wait on. */
static int
fill(struct db *db, struct prov_error *err)
{
    int r = due_new_cause(db, err);

    return r ? r
             : db_run(db, err,
                      "INSERT INTO due (at, " DUE_CAUSE
                      ", subject) SELECT CASE WHEN s.presence = 1 THEN 1 ELSE 0 END, " DUE_CAUSE_KEY
                      ", s.id FROM subject s LEFT JOIN link l ON l.subject = s.id"
                      " WHERE l.subject IS NULL OR l.settled_version < s.version"
                      " OR l.in_flight IS NOT NULL OR l.next_us > 0 OR l.orders <> 0"
                      " OR coalesce(l.outcome, '') NOT IN " OUTCOMES_SETTLED,
                      "");
}

static int
make_anew(struct db *db, struct prov_error *err)
{
    int r = db_begin(db, err);

    if (r)
        return r;
    r = put_aside(db, err);
    if (!r)
        r = db_script(db, SCHEMA_DUE, err);
    if (!r)
        r = fill(db, err);
    if (!r)
        return db_commit(db, err);
    db_rollback(db);
    return r;
}

int
store_mend_due(struct store *store, bool *ret_mended, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    struct db *db;
    bool sound = true;
    int r = store_writer(store, &db, err);

    *ret_mended = false;
    if (!r)
        r = is_sound(db, &sound, err);
    if (r || sound)
        return r;
    r = make_anew(db, err);
    *ret_mended = !r;
    return r;
}
