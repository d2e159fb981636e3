/* What is due can be worked out anew from what is wanted and what is there, and a story is not worth that
 * nothing is delivered: a file that is damaged where `due` or `history` stands stops nobody. An admin's
 * orders (replan, repair, release) are lost with `due`. */
#include "plugin/store/internal.h"

#include <stdio.h>

#include "plugin/store/schema.h"

/* Whether the select, which reads all of a table, can be read. */
static int
is_sound(struct db *db, const char *sql, bool *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error why = PROV_ERROR_INIT;
    bool row = false;
    int r;

    (void)db_met_damage(db);
    r = db_one_row(db, &rows, &row, &why, sql, "");
    *ret = !r;
    return r && !db_met_damage(db) ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* A table that cannot be read cannot be emptied either: it is put aside under another name. */
static int
put_aside(struct db *db, const char *table, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    char sql[100];
    int64_t number;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT count(*) FROM sqlite_schema WHERE name LIKE ? || '\\_damaged\\_%'"
                       " ESCAPE '\\' AND type = 'table'",
                       "s", table);

    if (r)
        return r;
    number = db_int(&rows, 0) + 1;
    db_rows_cleanup(&rows);
    snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO %s_damaged_%lld", table, table,
             (long long)number);
    return db_script(db, sql, err);
}

/* Who has news, or something in flight, or a try to come; those who are parked for good wait on. */
static int
fill(struct db *db, struct prov_error *err)
{
    return due_insert(db, err,
                      "INSERT INTO due (at, " DUE_CAUSE
                      ", subject) SELECT CASE WHEN s.presence = 1 THEN 1 ELSE 0 END, " DUE_CAUSE_KEY
                      ", s.id FROM subject s LEFT JOIN link l ON l.subject = s.id"
                      " WHERE l.subject IS NULL OR l.settled_version < s.version"
                      " OR l.in_flight IS NOT NULL OR l.next_us > 0 OR l.orders <> 0"
                      " OR coalesce(l.outcome, '') NOT IN " OUTCOMES_SETTLED,
                      "");
}

static int
make_due(struct db *db, struct prov_error *err)
{
    int r = put_aside(db, "due", err);

    if (!r)
        r = db_script(db, "DROP INDEX due_timed;" SCHEMA_DUE, err);
    return r ? r : fill(db, err);
}

static int
make_history(struct db *db, struct prov_error *err)
{
    int r = put_aside(db, "history", err);

    return r ? r : db_script(db, SCHEMA_HISTORY, err);
}

/* *ret_made: what `sql` reads was damaged, and is made anew. */
static int
make_anew(struct db *db, const char *sql, int (*make)(struct db *db, struct prov_error *err),
          bool *ret_made, struct prov_error *err)
{
    bool sound = true;
    int r = is_sound(db, sql, &sound, err);

    *ret_made = false;
    if (r || sound)
        return r;
    r = db_begin(db, err);
    if (r)
        return r;
    r = make(db, err);
    if (r) {
        db_rollback(db);
        return r;
    }
    r = db_commit(db, err);
    *ret_made = !r;
    return r;
}

int
store_mend(struct store *store, bool *ret_due, bool *ret_history, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    struct db *db;
    int r = store_writer(store, &db, err);

    *ret_due = *ret_history = false;
    if (!r) /* every entry, and those of the index */
        r = make_anew(db,
                      "SELECT (SELECT count(at) + count(orders) FROM due NOT INDEXED),"
                      " (SELECT count(*) FROM due INDEXED BY due_timed WHERE at > 1)",
                      make_due, ret_due, err);
    if (!r)
        r = make_anew(db, "SELECT count(request_id) FROM history", make_history, ret_history, err);
    return r;
}
