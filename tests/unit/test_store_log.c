/* The write-ahead log that is gathered: what SQLite writes through it is there as without it, for every other
 * connection, whatever a transaction does. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugin/store/log_file.h"
#include "tests/unit/scratch.h"

static void
run(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    sqlite3_exec(db, sql, NULL, NULL, &message);
    T_STR(message, NULL);
    sqlite3_free(message);
}

static sqlite3 *
open_through(const char *path, const char *vfs)
{
    sqlite3 *db = NULL;

    T_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
    if (vfs)
        log_file_watch(db);
    run(db, "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;");
    return db;
}

/* What a look of the connection finds, as text. */
static const char *
seen(sqlite3 *db, const char *sql)
{
    static char text[200];
    sqlite3_stmt *statement = NULL;

    snprintf(text, sizeof(text), "nothing");
    T_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

#define MAKE "CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT);"
/* So many rows of a kilobyte, numbered from `from` on. */
#define ROWS(FROM, COUNT)                                                                          \
    "WITH RECURSIVE c(n) AS (SELECT " FROM " UNION ALL SELECT n + 1 FROM c LIMIT " COUNT ")"       \
    " INSERT INTO t SELECT n, hex(randomblob(500)) FROM c;"
#define WHOLE "SELECT group_concat(integrity_check) FROM pragma_integrity_check"

static void
a_commit_is_there_for_others_at_once(void)
{
    struct scratch s;
    sqlite3 *gathers, *plain;

    scratch_make(&s);
    unlink(s.path);
    gathers = open_through(s.path, log_file_vfs());
    plain = open_through(s.path, NULL);
    run(gathers, MAKE "INSERT INTO t VALUES (1, 'one');");
    T_STR(seen(plain, "SELECT x FROM t"), "one");
    run(gathers, ROWS("2", "300"));
    T_STR(seen(plain, "SELECT count(*) FROM t"), "301");
    run(plain, ROWS("1000", "50"));
    T_STR(seen(gathers, "SELECT count(*) FROM t"), "351");
    T_STR(seen(plain, WHOLE), "ok");
    sqlite3_close(gathers);
    T_STR(seen(plain, "SELECT count(*) FROM t"), "351");
    sqlite3_close(plain);
    scratch_remove(&s);
}

/* A page that leaves a small cache before the commit is written to the log, and read back from there. */
static void
what_is_written_before_the_commit_is_read_back(void)
{
    struct scratch s;
    sqlite3 *gathers, *plain;

    scratch_make(&s);
    unlink(s.path);
    gathers = open_through(s.path, log_file_vfs());
    plain = open_through(s.path, NULL);
    run(gathers, "PRAGMA cache_size=5;" MAKE ROWS("1", "200"));
    run(gathers, "BEGIN;" ROWS("1000", "200") "UPDATE t SET x = 'half' WHERE n % 2;");
    T_STR(seen(gathers, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "400 200");
    T_STR(seen(plain, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "200 0");
    run(gathers, "SAVEPOINT some; DELETE FROM t; ROLLBACK TO some;");
    T_STR(seen(gathers, "SELECT count(*) FROM t"), "400");
    run(gathers, "ROLLBACK;");
    T_STR(seen(gathers, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "200 0");
    run(gathers, "BEGIN;" ROWS("5000", "7") "COMMIT;");
    T_STR(seen(plain, "SELECT count(*) FROM t"), "207");
    T_STR(seen(plain, WHOLE), "ok");
    sqlite3_close(plain);
    sqlite3_close(gathers);
    scratch_remove(&s);
}

/* As nothing has to be read that stands in the log; and the next begins where it began. */
static void
what_follows_a_transaction_that_was_taken_back_is_whole(void)
{
    struct scratch s;
    sqlite3 *gathers, *plain;

    scratch_make(&s);
    unlink(s.path);
    gathers = open_through(s.path, log_file_vfs());
    plain = open_through(s.path, NULL);
    run(gathers, "PRAGMA cache_size=5;" MAKE ROWS("1", "20") "CREATE TABLE u AS SELECT 1 AS n;");
    for (int rows = 20; rows < 68; rows += 4) {
        char sql[400];
        snprintf(sql, sizeof(sql), "BEGIN;" ROWS("%d00", "%d") "ROLLBACK;", rows, rows);
        run(gathers, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE u SET n = n + 1;");
        run(gathers, sql);
        run(gathers, "UPDATE t SET x = x || 'y' WHERE n = 1;");
        T_STR(seen(plain, "SELECT count(*) FROM t"), "20");
        T_STR(seen(plain, WHOLE), "ok");
    }
    T_STR(seen(plain, "SELECT length(x) FROM t WHERE n = 1"), "1012");
    sqlite3_close(plain);
    sqlite3_close(gathers);
    scratch_remove(&s);
}

/* Whatever the connection does then: it reads, writes, copies the log into the file, or is closed. Looked at by a
 * connection that has seen nothing before. */
static void
what_was_taken_back_is_not_written_over_what_others_write(void)
{
    static const char *const next[] = { "SELECT * FROM t", "UPDATE u SET n = n + 1",
                                        "PRAGMA wal_checkpoint(PASSIVE)", "" };

    for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
        struct scratch s;
        sqlite3 *gathers, *plain, *late;
        scratch_make(&s);
        unlink(s.path);
        gathers = open_through(s.path, log_file_vfs());
        plain = open_through(s.path, NULL);
        run(gathers,
            "PRAGMA cache_size=5;" MAKE ROWS("1", "20") "CREATE TABLE u AS SELECT 1 AS n;");
        run(gathers, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE u SET n = n + 1;");
        run(gathers, "BEGIN;" ROWS("100", "40") "ROLLBACK;");
        run(plain, ROWS("200", "60"));
        run(gathers, next[i]);
        sqlite3_close(gathers);
        late = open_through(s.path, NULL);
        T_STR(seen(late, WHOLE), "ok");
        T_STR(seen(late, "SELECT count(*) || ' ' || sum(n >= 200) FROM t"), "80 60");
        sqlite3_close(late);
        sqlite3_close(plain);
        scratch_remove(&s);
    }
}

static void
a_log_begins_anew_and_is_cut(void)
{
    struct scratch s;
    sqlite3 *gathers, *plain;

    scratch_make(&s);
    unlink(s.path);
    gathers = open_through(s.path, log_file_vfs());
    plain = open_through(s.path, NULL);
    run(gathers, "PRAGMA journal_size_limit=20000;" MAKE);
    for (int i = 0; i < 5; i++) {
        run(gathers, "DELETE FROM t;" ROWS("1", "150"));
        run(i % 2 ? gathers : plain, "PRAGMA wal_checkpoint(RESTART);");
        T_STR(seen(plain, "SELECT count(*) FROM t"), "150");
    }
    run(plain, "PRAGMA wal_checkpoint(TRUNCATE);");
    run(gathers, ROWS("1000", "1"));
    T_STR(seen(plain, "SELECT count(*) FROM t"), "151");
    T_STR(seen(gathers, WHOLE), "ok");
    sqlite3_close(plain);
    sqlite3_close(gathers);
    scratch_remove(&s);
}

static void
a_commit_that_finds_no_room_fails_and_leaves_nothing(void)
{
    struct scratch s;
    struct rlimit all, little;
    sqlite3 *gathers, *plain;

    scratch_make(&s);
    unlink(s.path);
    gathers = open_through(s.path, log_file_vfs());
    plain = open_through(s.path, NULL);
    run(gathers, MAKE ROWS("1", "20"));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    little = (struct rlimit){ 100000, all.rlim_max };
    setrlimit(RLIMIT_FSIZE, &little);
    T_TRUE(sqlite3_exec(gathers, ROWS("1000", "300"), NULL, NULL, NULL) != SQLITE_OK);
    setrlimit(RLIMIT_FSIZE, &all);
    T_STR(seen(gathers, "SELECT count(*) FROM t"), "20");
    T_STR(seen(plain, "SELECT count(*) FROM t"), "20");
    run(gathers, ROWS("1000", "300"));
    T_STR(seen(plain, "SELECT count(*) FROM t"), "320");
    T_STR(seen(plain, WHOLE), "ok");
    sqlite3_close(plain);
    sqlite3_close(gathers);
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_commit_is_there_for_others_at_once),
        UNIT_CASE(what_is_written_before_the_commit_is_read_back),
        UNIT_CASE(what_follows_a_transaction_that_was_taken_back_is_whole),
        UNIT_CASE(what_was_taken_back_is_not_written_over_what_others_write),
        UNIT_CASE(a_log_begins_anew_and_is_cut),
        UNIT_CASE(a_commit_that_finds_no_room_fails_and_leaves_nothing),
    };

    return unit_run("store_log", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
