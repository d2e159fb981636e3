/* The tables, and how a store of an older version gets them. A new store is made from `tables`, an
 * older one by its steps, and both come out alike (test_store_schema compares them): whoever
 * changes `tables` appends the step that does the same. A step that has landed is never changed. */
#include "plugin/store/schema.h"

#include <stdlib.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/store/store.h"

/*
 * subject and event are written by accept, link by delivery, due by both (insert by anyone, delete
 * of the rows that were read by delivery): no row is shared, which is what deadlocked on
 * PostgreSQL when it was tried. command is for what is no state (a password to be set),
 * one for each subject: accept writes what is sealed, delivery what became of it.
 */
#define SCHEMA_COMMAND                                                                             \
    "CREATE TABLE command (subject INTEGER NOT NULL, kind TEXT NOT NULL, version INTEGER NOT "     \
    "NULL,"                                                                                        \
    " sealed TEXT, tries INTEGER NOT NULL DEFAULT 0, sent_us INTEGER NOT NULL DEFAULT 0,"          \
    " next_us INTEGER NOT NULL DEFAULT 0, outcome TEXT, code TEXT, message TEXT, cause TEXT,"      \
    " remedy TEXT, updated_us INTEGER NOT NULL, PRIMARY KEY (subject, kind)) WITHOUT ROWID;"       \
    "CREATE INDEX command_waits ON command (next_us) WHERE sealed IS NOT NULL;"

static const char tables[] =
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE subject ("
    " id INTEGER PRIMARY KEY, iss TEXT NOT NULL, uri TEXT NOT NULL, presence INTEGER NOT NULL,"
    " resource TEXT, user_name TEXT, etag TEXT, version INTEGER NOT NULL,"
    " last_event INTEGER NOT NULL);"
    /* the URI first: users have many, hosts few issuers, and people ask by URI alone */
    "CREATE UNIQUE INDEX subject_key ON subject (uri, iss);"
    "CREATE INDEX subject_user_name ON subject (user_name COLLATE NOCASE);"
    /* `previous` is the subject's event before: with subject.last_event it makes a list, where an
       index on subject would have every event write a page of its own. The newest event is never
       forgotten, so that no number comes twice. */
    "CREATE TABLE event ("
    " seq INTEGER PRIMARY KEY, iss TEXT NOT NULL, jti TEXT NOT NULL, digest TEXT NOT NULL,"
    " txn TEXT, subject INTEGER, version INTEGER NOT NULL, previous INTEGER, kinds TEXT NOT NULL,"
    " received_us INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0,"
    /* a leaver's: it has a row of `due`, and is no news (news.c) */
    " urgent INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX event_key ON event (jti, iss);"
    /* one tree, in the order in which it is worked off: `seq` is the event's that made a leaver
       due, with tie 0; or the newest one's when there was another cause, with the cause's number as
       tie. So no row ever comes twice, and who deletes what was read deletes nothing newer. */
    SCHEMA_DUE SCHEMA_COMMAND SCHEMA_HISTORY SCHEMA_NOTES SCHEMA_FLIGHT SCHEMA_WAIT
    "CREATE TABLE link ("
    " subject INTEGER PRIMARY KEY, salesforce_id TEXT UNIQUE, confirmed TEXT,"
    " confirmed_version INTEGER NOT NULL, settled_version INTEGER NOT NULL, username_wanted TEXT,"
    " username_held TEXT, username_inputs TEXT, first_sent_us INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, next_us INTEGER NOT NULL, outcome TEXT, code TEXT, message TEXT,"
    " cause TEXT, remedy TEXT, last_action TEXT, plan_digest TEXT, updated_us INTEGER NOT NULL,"
    " orders INTEGER NOT NULL DEFAULT 0, active INTEGER NOT NULL DEFAULT 0,"
    " last_history INTEGER NOT NULL DEFAULT 0, frozen_by_others INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX link_wanted ON link (username_wanted) WHERE username_wanted IS NOT NULL;"
    "CREATE INDEX link_held ON link (username_held) WHERE username_held IS NOT NULL;"
    "CREATE INDEX link_blocked ON link (subject) WHERE outcome IN " OUTCOMES_BLOCKED ";"
    "CREATE INDEX link_guard ON link (subject) WHERE code = 'GUARD';" SCHEMA_TALLY
    "INSERT INTO tally VALUES ('total', 'news', 0);";

/* Those that settled up to version 9. */
#define OUTCOMES_9 "('delivered', 'nothing to do', 'refused')"

/* steps[n] makes version n + 2 out of version n + 1. */
static const char *const steps[] = {
    /* 2: one index for a subject's key instead of two */
    "CREATE TABLE subject_2 ("
    " id INTEGER PRIMARY KEY, iss TEXT NOT NULL, uri TEXT NOT NULL, presence INTEGER NOT NULL,"
    " resource TEXT, user_name TEXT, etag TEXT, version INTEGER NOT NULL,"
    " last_event INTEGER NOT NULL);"
    "INSERT INTO subject_2 SELECT id, iss, uri, presence, resource, user_name, etag, version,"
    " last_event FROM subject;"
    "DROP TABLE subject;"
    "ALTER TABLE subject_2 RENAME TO subject;"
    "CREATE UNIQUE INDEX subject_key ON subject (uri, iss);"
    "CREATE INDEX subject_user_name ON subject (user_name COLLATE NOCASE);",
    /* 3: an admin may ask for a replan */
    "ALTER TABLE due ADD COLUMN replan INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE link ADD COLUMN replan INTEGER NOT NULL DEFAULT 0;",
    /* 4: events of a subject are a list instead of an index, their digests half as long */
    "CREATE TABLE event_4 ("
    " seq INTEGER PRIMARY KEY, iss TEXT NOT NULL, jti TEXT NOT NULL, digest TEXT NOT NULL,"
    " txn TEXT, subject INTEGER, version INTEGER NOT NULL, previous INTEGER, kinds TEXT NOT NULL,"
    " received_us INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO event_4 SELECT seq, iss, jti, substr(digest, 1, 32), txn, subject, version,"
    " CASE WHEN subject IS NOT NULL THEN lag(seq) OVER (PARTITION BY subject ORDER BY version)"
    " END, kinds, received_us, told FROM event ORDER BY seq;"
    "DROP TABLE event;"
    "ALTER TABLE event_4 RENAME TO event;"
    "CREATE UNIQUE INDEX event_key ON event (jti, iss);"
    "CREATE INDEX event_txn ON event (txn, digest) WHERE txn IS NOT NULL;"
    /* and what is due is one tree instead of two */
    "CREATE TABLE due_4 (at INTEGER NOT NULL, seq INTEGER NOT NULL, tie INTEGER NOT NULL,"
    " subject INTEGER NOT NULL, replan INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (at, seq, tie, subject)) WITHOUT ROWID;"
    "INSERT INTO due_4 SELECT at, 0, seq, subject, replan FROM due;"
    "DROP TABLE due;"
    "ALTER TABLE due_4 RENAME TO due;"
    "CREATE INDEX due_timed ON due (subject) WHERE at > 1;",
    /* 5: an admin may order more than a replan; and the guard asks often whom it holds */
    "ALTER TABLE due RENAME COLUMN replan TO orders;"
    "ALTER TABLE link RENAME COLUMN replan TO orders;"
    "CREATE INDEX link_guard ON link (subject) WHERE code = 'GUARD';",
    /* 6: a transaction is looked up by the subject's last event */
    "DROP INDEX event_txn;",
    /* 7: the file can give free pages back, which ensure_version() has seen to */
    "",
    /* 8: passwords are kept; nobody has written the table before */
    "DROP TABLE command;" SCHEMA_COMMAND,
    /* 9: numbers are kept instead of counted anew at each look */
    "ALTER TABLE link ADD COLUMN active INTEGER NOT NULL DEFAULT 0;"
    "UPDATE link SET active = 1 WHERE salesforce_id IS NOT NULL AND CASE"
    " WHEN confirmed IS NULL OR NOT json_valid(confirmed) THEN 1"
    " ELSE coalesce(json_extract(confirmed, '$.IsActive'), 1)"
    " AND NOT coalesce(json_extract(confirmed, '$.\"UserLogin.IsFrozen\"'), 0) END;" SCHEMA_TALLY
        SCHEMA_TALLY_KEPT(OUTCOMES_9) SCHEMA_TALLY_COUNTED(
            OUTCOMES_9) "INSERT INTO tally SELECT 'active', '', count(*) FROM link WHERE active;"
                        "INSERT INTO tally SELECT 'total', 'forgotten', max(seq) - count(*) FROM "
                        "event"
                        " HAVING count(*) > 0;",
    /* 10: whatever a subject waits for is a kind and a value; and waiting is no refusal */
    "DROP TRIGGER tally_link_made; DROP TRIGGER tally_link; DROP TRIGGER tally_active;"
    "DROP TRIGGER tally_news;"
    "DROP INDEX link_waits_name; DROP INDEX link_waits_manager; DROP INDEX link_parked;"
    "ALTER TABLE link RENAME COLUMN waits_name TO waits_kind;"
    "ALTER TABLE link RENAME COLUMN waits_manager TO waits_value;"
    "ALTER TABLE link ADD COLUMN waits_since_us INTEGER NOT NULL DEFAULT 0;"
    "UPDATE link SET waits_value = coalesce(waits_kind, waits_value),"
    " waits_kind = CASE WHEN waits_kind IS NOT NULL THEN 'username'"
    " WHEN waits_value IS NOT NULL THEN 'manager' END"
    " WHERE waits_kind IS NOT NULL OR waits_value IS NOT NULL;"
    "UPDATE link SET waits_value = NULL, waits_kind = CASE code WHEN 'MATCH_HELD' THEN 'account'"
    " ELSE 'seat' END WHERE outcome = 'refused'"
    " AND code IN ('MATCH_HELD', 'LICENSE_LIMIT_EXCEEDED');"
    "UPDATE link SET outcome = 'waiting' WHERE outcome = 'refused'"
    " AND waits_kind IN ('username', 'account', 'seat');"
    "UPDATE link SET waits_since_us = updated_us WHERE waits_kind IS NOT NULL;"
    "CREATE INDEX link_blocked ON link (subject) WHERE outcome IN ('refused', 'waiting');"
    "CREATE INDEX link_waits ON link (waits_kind, waits_value) WHERE waits_kind IS NOT NULL;"
    "DELETE FROM tally WHERE what NOT IN ('active', 'total');" SCHEMA_TALLY_KEPT(OUTCOMES_SETTLED)
        SCHEMA_TALLY_COUNTED(OUTCOMES_SETTLED),
    /* 11: delivery counts what it writes */
    "DROP TRIGGER tally_link_made; DROP TRIGGER tally_link; DROP TRIGGER tally_active;",
    /* 12: what became of a subject is kept, not the last of it alone */
    SCHEMA_HISTORY "ALTER TABLE link ADD COLUMN last_history INTEGER NOT NULL DEFAULT 0;",
    /* 13: accept counts by itself too */
    "DROP TRIGGER tally_news;",
    /* 14: what is in flight stands by itself; and a username is not kept twice */
    SCHEMA_FLIGHT
    "INSERT INTO flight SELECT subject, nullif(username_wanted, username_held), first_sent_us,"
    " in_flight FROM link WHERE in_flight IS NOT NULL;"
    "DROP INDEX link_in_flight; ALTER TABLE link DROP COLUMN in_flight;"
    "UPDATE link SET username_wanted = NULL WHERE username_wanted = username_held;",
    /* 15: a story has notes */
    SCHEMA_NOTES,
    /* 16: whom an admin has frozen we do not unfreeze */
    "ALTER TABLE link ADD COLUMN frozen_by_others INTEGER NOT NULL DEFAULT 0;",
    /* 17: news are read from the events; those that are there have rows of `due` */
    "ALTER TABLE event ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;"
    "INSERT INTO tally SELECT 'total', 'news', coalesce(max(seq), 0) FROM event;",
    /* 18: what a subject waits for stands by itself */
    SCHEMA_WAIT "INSERT INTO wait SELECT subject, waits_kind, waits_value, waits_since_us, 0"
                " FROM link WHERE waits_kind IS NOT NULL;"
                "INSERT INTO tally SELECT 'waits', kind, count(*) FROM wait GROUP BY kind;"
                "DROP INDEX link_waits; ALTER TABLE link DROP COLUMN waits_kind;"
                "ALTER TABLE link DROP COLUMN waits_value;"
                "ALTER TABLE link DROP COLUMN waits_since_us;",
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == STORE_SCHEMA_VERSION - 1,
               "every version but the first has a step that leads to it");

/* *ret_version 0: the file is empty. */
static int
read_version(const char *path, struct db *db, int64_t *ret_version, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT count(*), coalesce(sum(name = 'fact'), 0) FROM sqlite_schema", "");

    if (r)
        return r;
    *ret_version = 0;
    if (db_int(&rows, 0) == 0)
        return PROV_OK;
    if (db_int(&rows, 1) == 0)
        return error_set(err, PROV_E_STORE,
                         "store '%s' is a database of another program: name another path", path);
    r = db_one_row(db, &rows, &row, err, "SELECT value FROM fact WHERE key = 'schema'", "");
    if (r)
        return r;
    *ret_version = row && db_text(&rows, 0) ? atoll(db_text(&rows, 0)) : 0;
    if (*ret_version >= 1 && *ret_version <= STORE_SCHEMA_VERSION)
        return PROV_OK;
    return error_set(err, PROV_E_STORE,
                     "store '%s' has schema version %lld and this sfprov knows versions 1 to %d: "
                     "use the sfprov that wrote it, or name a new store",
                     path, (long long)*ret_version, STORE_SCHEMA_VERSION);
}

/* Inside a transaction: makes the tables, or takes the steps that are missing. */
static int
bring_up(const char *path, struct db *db, struct prov_error *err)
{
    int64_t version = 0;
    /* read anew: another process may have done it meanwhile */
    int r = read_version(path, db, &version, err);

    if (!r && version == 0) {
        r = db_script(db, tables, err);
        version = STORE_SCHEMA_VERSION;
    }
    for (; !r && version < STORE_SCHEMA_VERSION; version++)
        r = db_script(db, steps[version - 1], err);
    return r ? r
             : db_run(db, err, "INSERT OR REPLACE INTO fact VALUES ('schema', ?)", "i",
                      (int64_t)STORE_SCHEMA_VERSION);
}

static int
bring_up_in_one(const char *path, struct db *db, struct prov_error *err)
{
    int r = db_begin(db, err);

    if (r)
        return r;
    r = bring_up(path, db, err);
    if (!r)
        return db_commit(db, err);
    db_rollback(db);
    return r;
}

/* *ret_ready false: an older store that somebody else has open. */
static int
ensure_version(const char *path, struct db *db, bool *ret_ready, struct prov_error *err)
{
    int64_t version = 0;
    int r = read_version(path, db, &version, err);

    *ret_ready = true;
    if (r || version == STORE_SCHEMA_VERSION)
        return r;
    if (version == 0)
        return bring_up_in_one(path, db, err);
    /* an older sfprov that has it open would go on with the tables it knows */
    r = db_exclude_others(db, ret_ready, err);
    if (r || !*ret_ready)
        return r;
    /* outside a transaction, as SQLite wants it: brings what set_up() asked of a new file to this one */
    r = version < 7 ? db_script(db, "VACUUM", err) : PROV_OK;
    if (!r)
        r = bring_up_in_one(path, db, err);
    return r ? r : db_admit_others(db, err);
}

int
schema_open(const char *path, struct db **ret, struct prov_error *err)
{
    int64_t end_us = clock_monotonic_us() + db_busy_timeout_ms * INT64_C(1000);

    for (;;) {
        CLEANUP(db_cleanup) struct db *db = NULL;
        bool ready = false;
        int r = db_open(path, &db, err);

        if (!r)
            r = ensure_version(path, db, &ready, err);
        if (r)
            return r;
        if (ready) {
            *ret = STEAL(db);
            return PROV_OK;
        }
        if (clock_monotonic_us() >= end_us)
            return error_set(err, PROV_E_STORE,
                             "store '%s' was written by an older sfprov, and cannot be brought up "
                             "to date while another process has it open: end the processes that "
                             "use it, then start again",
                             path);
        /* closed before the pause, of a length of its own: two that wait would else see each other
         * for ever */
        db_close(STEAL(db));
        usleep((useconds_t)(5000 + random_below(45000)));
    }
}
