/* The tables: made in a new file, brought up to date in an older one, refused in a newer one. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "plugin/store/db.h"

/*
 * Opens the store with the tables of STORE_SCHEMA_VERSION. An older store is migrated first, in one
 * transaction, which needs that no other process has it open: waits db_busy_timeout_ms for that.
 * PROV_E_STORE: a newer store, a database of another program, a store that somebody holds open, and
 * whatever db_open() says.
 */
MUST_CHECK int schema_open(const char *path, struct db **ret, struct prov_error *err);

/* Numbers of users by their outcome and its code ("in step, pending, ..." are made of them, see tally.c), of
 * active accounts, and of what was done ('total'). */
#define SCHEMA_TALLY                                                                               \
    "CREATE TABLE tally (what TEXT NOT NULL, code TEXT NOT NULL, n INTEGER NOT NULL,"              \
    " PRIMARY KEY (what, code)) WITHOUT ROWID;"

/* Up to version 12 they were kept by triggers, which cost more than the writing itself. */
/* Whether a link counts: an outcome that settles does while no newer event came. */
#define SCHEMA_COUNTS(LINK, SETTLED)                                                               \
    "(" LINK ".outcome NOT IN " SETTLED " OR " LINK ".settled_version >="                          \
    " (SELECT version FROM subject WHERE id = " LINK ".subject))"
#define SCHEMA_ONE_MORE(SETTLED)                                                                   \
    " INSERT INTO tally SELECT NEW.outcome, coalesce(NEW.code, ''), 1"                             \
    " WHERE NEW.outcome IS NOT NULL AND " SCHEMA_COUNTS(                                           \
        "NEW", SETTLED) " ON CONFLICT (what, code) DO UPDATE SET n = n + 1;"
#define SCHEMA_TALLY_NEWS(SETTLED)                                                                 \
    "CREATE TRIGGER tally_news AFTER UPDATE OF version ON subject"                                 \
    " WHEN NEW.version > OLD.version BEGIN"                                                        \
    " UPDATE tally SET n = n - 1 WHERE (what, code) = (SELECT outcome, coalesce(code, '')"         \
    " FROM link WHERE subject = NEW.id AND settled_version >= OLD.version"                         \
    " AND outcome IN " SETTLED "); END;"
/* clang-format off */
#define SCHEMA_TALLY_KEPT(SETTLED)                                                                 \
    "CREATE TRIGGER tally_link_made AFTER INSERT ON link BEGIN" SCHEMA_ONE_MORE(SETTLED)           \
    " INSERT INTO tally SELECT 'active', '', 1 WHERE NEW.active"                                   \
    " ON CONFLICT (what, code) DO UPDATE SET n = n + 1; END;"                                      \
    "CREATE TRIGGER tally_link AFTER UPDATE OF outcome, code, settled_version ON link"             \
    " WHEN OLD.settled_version <> NEW.settled_version OR OLD.outcome IS NOT NEW.outcome"           \
    " OR OLD.code IS NOT NEW.code BEGIN"                                                           \
    " UPDATE tally SET n = n - 1 WHERE what = OLD.outcome AND code = coalesce(OLD.code, '')"       \
    " AND " SCHEMA_COUNTS("OLD", SETTLED) ";" SCHEMA_ONE_MORE(SETTLED) " END;"                     \
    "CREATE TRIGGER tally_active AFTER UPDATE OF active ON link WHEN OLD.active <> NEW.active"     \
    " BEGIN INSERT INTO tally VALUES ('active', '', NEW.active - OLD.active)"                      \
    " ON CONFLICT (what, code) DO UPDATE SET n = n + excluded.n; END;"                             \
    SCHEMA_TALLY_NEWS(SETTLED)
/* clang-format on */
/* Counted once; from then on it is kept. */
#define SCHEMA_TALLY_COUNTED(SETTLED)                                                              \
    "INSERT INTO tally SELECT outcome, coalesce(code, ''), count(*) FROM link"                     \
    " WHERE outcome IS NOT NULL AND " SCHEMA_COUNTS("link", SETTLED) " GROUP BY 1, 2;"

/* The next are made anew when they are damaged (mend.c). */
/* What became of each subject, one outcome a row: a list by `previous` that begins at link.last_history, as
 * events have it. The newest row is never forgotten. */
#define SCHEMA_HISTORY                                                                             \
    "CREATE TABLE history (seq INTEGER PRIMARY KEY, subject INTEGER NOT NULL, previous INTEGER,"   \
    " first_us INTEGER NOT NULL, at_us INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1,"        \
    " version INTEGER NOT NULL, outcome TEXT NOT NULL, code TEXT, message TEXT, action TEXT,"      \
    " operation TEXT, records INTEGER, took_us INTEGER, http_status INTEGER, request_id TEXT);"
/* What was sent to whom without an answer so far, with the username it claims and the first send of a create:
 * a few rows, where else the link would be written as a whole. */
#define SCHEMA_FLIGHT                                                                              \
    "CREATE TABLE flight (subject INTEGER PRIMARY KEY, username TEXT,"                             \
    " first_sent_us INTEGER NOT NULL, sent TEXT NOT NULL);"                                        \
    "CREATE INDEX flight_username ON flight (username) WHERE username IS NOT NULL;"
/* What each subject waits for, a row for each: so that it can wait for several things at the same time. A short table,
 * since mostly nobody waits. */
#define SCHEMA_WAIT                                                                                \
    "CREATE TABLE wait (subject INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT,"                 \
    " since_us INTEGER NOT NULL, is_long INTEGER NOT NULL, PRIMARY KEY (subject, kind))"           \
    " WITHOUT ROWID;"                                                                              \
    "CREATE INDEX wait_for ON wait (kind, value);"
/* Among them stand notes, of what is no outcome: found by subject, 0 for everybody, and in no list. */
#define NOTE         "note"
#define SCHEMA_NOTES "CREATE INDEX history_note ON history (subject) WHERE outcome = '" NOTE "';"
/* What is due. */
#define SCHEMA_DUE                                                                                 \
    "CREATE TABLE due (at INTEGER NOT NULL, seq INTEGER NOT NULL, tie INTEGER NOT NULL,"           \
    " subject INTEGER NOT NULL, orders INTEGER NOT NULL DEFAULT 0,"                                \
    " PRIMARY KEY (at, seq, tie, subject)) WITHOUT ROWID;"                                         \
    "CREATE INDEX due_timed ON due (subject) WHERE at > 1;"

#endif
