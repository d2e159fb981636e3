/* What is due can be worked out anew from what is wanted and what is there, what is in flight can be read
 * back, what is waited for is found out by planning, and a story is not worth that nothing is delivered: a file
 * that is damaged where `due`, `flight`, `wait` or `history` stands stops nobody. An admin's orders (replan, repair,
 * release) are lost with `due`, and everybody's story says so; those in flight stand in the link. */
#include "plugin/store/internal.h"

#include <stdio.h>

#include "plugin/store/schema.h"

/* An event that no subject knows of is of no user. */
#define END_SOUND "SELECT count(*) FROM event WHERE seq > (SELECT max(last_event) FROM subject)"

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

/* Who has news, or something in flight, or a try to come; those who are parked for good wait on. So all news are
 * taken. */
static int
fill(struct db *db, struct prov_error *err)
{
    int r = due_insert(
        db, err,
        "INSERT INTO due (at, seq, tie, subject) SELECT CASE WHEN s.presence = 1 THEN 1 ELSE 0 END,"
        " (SELECT max(last_event) FROM subject), " DUE_CAUSE_NUMBER
        ", s.id FROM subject s LEFT JOIN link l ON l.subject = s.id"
        " WHERE l.subject IS NULL OR l.settled_version < s.version"
        " OR " IN_FLIGHT("s.id") " OR l.next_us > 0 OR l.orders <> 0"
                                 " OR coalesce(l.outcome, '') NOT IN " OUTCOMES_SETTLED,
        "");

    return r ? r
             : db_run(db, err,
                      "UPDATE tally SET n = (SELECT coalesce(max(last_event), 0) FROM subject)"
                      " WHERE " NEWS_ROW,
                      "");
}

/* `schema` drops the indexes, which would keep their names. */
static int
make_table(struct db *db, const char *table, const char *schema, struct prov_error *err)
{
    int r = put_aside(db, table, err);

    return r ? r : db_script(db, schema, err);
}

/* Who has something in flight is due until that is settled. What was sent to him stands there as a text that
 * cannot be read, which delivery can deal with; and who has no account may have been sent to at any time. */
static int
doubt_all(struct db *db, struct prov_error *err)
{
    return db_run(
        db, err,
        "INSERT INTO flight SELECT DISTINCT d.subject, l.username_wanted,"
        " l.salesforce_id IS NULL, '' FROM due d LEFT JOIN link l ON l.subject = d.subject",
        "");
}

/* Whoever may have waited finds out anew: who was not delivered, of whom something is said, and who has a manager. */
static int
wake_all(struct db *db, struct prov_error *err)
{
    return due_insert(db, err,
                      DUE_NOW_FOR "l.subject FROM link l JOIN subject s ON s.id = l.subject"
                                  " WHERE l.outcome NOT IN " OUTCOMES_IN_STEP
                                  " OR l.code IS NOT NULL OR s.resource LIKE '%\"manager\"%'",
                      "");
}

/* [tx] What is lost for good, in everybody's story: whose it was nobody knows. */
static int
note_lost(struct store *store, const struct store_mended *damaged, struct prov_error *err)
{
    int r = PROV_OK;

    if (damaged->due)
        r = store_note(store, 0, NOTE_STORE,
                       "what was due could not be read, and was made anew: a replan, repair or "
                       "release that was ordered and not done yet has to be ordered again",
                       err);
    if (!r && damaged->history)
        r = store_note(store, 0, NOTE_STORE,
                       "what became of users before could not be read, and is not told any more",
                       err);
    return r;
}

/* `end`: the events can be read behind those that subjects know. */
static int
make_anew(struct store *store, struct db *db, const struct store_mended *damaged, bool end,
          struct prov_error *err)
{
    int r = db_begin(db, err);

    if (r)
        return r;
    if (damaged->flight) /* before what is due is asked for it */
        r = make_table(db, "flight", "DROP INDEX flight_username;" SCHEMA_FLIGHT, err);
    if (!r && damaged->due)
        r = make_table(db, "due", "DROP INDEX due_timed;" SCHEMA_DUE, err);
    if (!r && (damaged->due || damaged->news || damaged->flight))
        r = fill(db, err);
    if (!r && !end)
        r = db_run(db, err, "UPDATE tally SET n = " NEWS_NONE " WHERE " NEWS_ROW, "");
    if (!r && damaged->flight)
        r = doubt_all(db, err);
    if (!r && damaged->wait)
        r = make_table(db, "wait",
                       "DROP INDEX wait_for; DELETE FROM tally WHERE what IN (" TALLY_WAITS
                       ");" SCHEMA_WAIT,
                       err);
    if (!r && damaged->wait)
        r = wake_all(db, err);
    if (!r && damaged->history)
        r = make_table(db, "history", "DROP INDEX history_note;" SCHEMA_HISTORY SCHEMA_NOTES, err);
    if (!r)
        r = note_lost(store, damaged, err);
    if (!r)
        return db_commit(db, err);
    db_rollback(db);
    return r;
}

int
news_return(struct store *store, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool none = false, end = false;
    struct db *db;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &none, err, "SELECT 1 WHERE " NEWS_TAKEN " = " NEWS_NONE, "");
    db_rows_cleanup(&rows);
    if (!r && none && tally_newest(db) > 0) /* all users are not looked at in vain */
        r = is_sound(db, END_SOUND, &end, err);
    if (!r && end)
        r = db_begin(db, err);
    if (r || !end)
        return r;
    r = store_end(store, fill(db, err), err);
    news_forget(&store->news);
    return r;
}

int
flight_is_sound(struct db *db, bool *ret, struct prov_error *err)
{
    return is_sound(db, "SELECT sum(length(sent)) FROM flight", ret, err);
}

int
wait_is_sound(struct db *db, bool *ret, struct prov_error *err)
{
    return is_sound(db,
                    "SELECT (SELECT sum(since_us + length(value)) FROM wait NOT INDEXED),"
                    " (SELECT count(*) FROM wait INDEXED BY wait_for WHERE kind > '')",
                    ret, err);
}

int
store_mend(struct store *store, struct store_mended *ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    bool due = true, news = true, end = true, flight = true, wait = true, history = true;
    struct store_mended damaged;
    struct db *db;
    int r = store_writer(store, &db, err);

    *ret = (struct store_mended){ 0 };
    if (!r) /* every entry, and those of the index */
        r = is_sound(db,
                     "SELECT (SELECT count(at) + count(orders) FROM due NOT INDEXED),"
                     " (SELECT count(*) FROM due INDEXED BY due_timed WHERE at > 1)",
                     &due, err);
    if (!r)
        r = is_sound(db, "SELECT count(*), sum(seq) FROM " NEWS_OWED, &news, err);
    if (!r && !news) /* not in the transaction, which would not outlive it */
        r = is_sound(db, END_SOUND, &end, err);
    if (!r)
        r = flight_is_sound(db, &flight, err);
    if (!r)
        r = wait_is_sound(db, &wait, err);
    if (!r)
        r = is_sound(db,
                     "SELECT (SELECT count(request_id) FROM history NOT INDEXED), (SELECT count(*)"
                     " FROM history INDEXED BY history_note WHERE outcome = '" NOTE "')",
                     &history, err);
    if (r || (due && news && flight && wait && history))
        return r;
    damaged = (struct store_mended){
        .due = !due, .news = !news, .flight = !flight, .wait = !wait, .history = !history
    };
    r = make_anew(store, db, &damaged, end, err);
    news_forget(&store->news);
    if (!r)
        *ret = damaged;
    return r;
}
