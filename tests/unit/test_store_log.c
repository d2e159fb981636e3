/* The write-ahead log that is gathered: what SQLite writes through it is there as without it, for every other
 * connection, whatever a transaction does. */
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* Two connections to a new file: one that gathers, and one as SQLite opens it. */
struct two {
    struct scratch scratch;
    sqlite3 *gathers, *plain;
};

static void
two_open(struct two *two)
{
    scratch_make(&two->scratch);
    unlink(two->scratch.path);
    two->gathers = open_through(two->scratch.path, log_file_vfs());
    two->plain = open_through(two->scratch.path, NULL);
}

static void
two_close(struct two *two)
{
    sqlite3_close(two->gathers);
    sqlite3_close(two->plain);
    scratch_remove(&two->scratch);
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
    struct two two;

    two_open(&two);
    run(two.gathers, MAKE "INSERT INTO t VALUES (1, 'one');");
    T_STR(seen(two.plain, "SELECT x FROM t"), "one");
    run(two.gathers, ROWS("2", "300"));
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "301");
    run(two.plain, ROWS("1000", "50"));
    T_STR(seen(two.gathers, "SELECT count(*) FROM t"), "351");
    T_STR(seen(two.plain, WHOLE), "ok");
    sqlite3_close(two.gathers);
    two.gathers = NULL;
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "351");
    two_close(&two);
}

/* A page that leaves a small cache before the commit is written to the log, and read back from there. */
static void
what_is_written_before_the_commit_is_read_back(void)
{
    struct two two;

    two_open(&two);
    run(two.gathers, "PRAGMA cache_size=5;" MAKE ROWS("1", "200"));
    run(two.gathers, "BEGIN;" ROWS("1000", "200") "UPDATE t SET x = 'half' WHERE n % 2;");
    T_STR(seen(two.gathers, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "400 200");
    T_STR(seen(two.plain, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "200 0");
    run(two.gathers, "SAVEPOINT some; DELETE FROM t; ROLLBACK TO some;");
    T_STR(seen(two.gathers, "SELECT count(*) FROM t"), "400");
    run(two.gathers, "ROLLBACK;");
    T_STR(seen(two.gathers, "SELECT count(*) || ' ' || sum(x = 'half') FROM t"), "200 0");
    run(two.gathers, "BEGIN;" ROWS("5000", "7") "COMMIT;");
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "207");
    T_STR(seen(two.plain, WHOLE), "ok");
    two_close(&two);
}

/* As nothing has to be read that stands in the log; and the next begins where it began. */
static void
what_follows_a_transaction_that_was_taken_back_is_whole(void)
{
    struct two two;

    two_open(&two);
    run(two.gathers,
        "PRAGMA cache_size=5;" MAKE ROWS("1", "20") "CREATE TABLE u AS SELECT 1 AS n;");
    for (int rows = 20; rows < 68; rows += 4) {
        char sql[400];
        snprintf(sql, sizeof(sql), "BEGIN;" ROWS("%d00", "%d") "ROLLBACK;", rows, rows);
        run(two.gathers, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE u SET n = n + 1;");
        run(two.gathers, sql);
        run(two.gathers, "UPDATE t SET x = x || 'y' WHERE n = 1;");
        T_STR(seen(two.plain, "SELECT count(*) FROM t"), "20");
        T_STR(seen(two.plain, WHOLE), "ok");
    }
    T_STR(seen(two.plain, "SELECT length(x) FROM t WHERE n = 1"), "1012");
    two_close(&two);
}

/* Whatever the connection does then: it reads, writes, copies the log into the file, or is closed. Looked at by a
 * connection that has seen nothing before. */
static void
what_was_taken_back_is_not_written_over_what_others_write(void)
{
    static const char *const next[] = { "SELECT * FROM t", "UPDATE u SET n = n + 1",
                                        "PRAGMA wal_checkpoint(PASSIVE)", "" };

    for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
        struct two two;
        sqlite3 *late;
        two_open(&two);
        run(two.gathers,
            "PRAGMA cache_size=5;" MAKE ROWS("1", "20") "CREATE TABLE u AS SELECT 1 AS n;");
        run(two.gathers, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE u SET n = n + 1;");
        run(two.gathers, "BEGIN;" ROWS("100", "40") "ROLLBACK;");
        run(two.plain, ROWS("200", "60"));
        run(two.gathers, next[i]);
        sqlite3_close(two.gathers);
        two.gathers = NULL;
        late = open_through(two.scratch.path, NULL);
        T_STR(seen(late, WHOLE), "ok");
        T_STR(seen(late, "SELECT count(*) || ' ' || sum(n >= 200) FROM t"), "80 60");
        sqlite3_close(late);
        two_close(&two);
    }
}

static void
a_log_begins_anew_and_is_cut(void)
{
    struct two two;

    two_open(&two);
    run(two.gathers, "PRAGMA journal_size_limit=20000;" MAKE);
    for (int i = 0; i < 5; i++) {
        run(two.gathers, "DELETE FROM t;" ROWS("1", "150"));
        run(i % 2 ? two.gathers : two.plain, "PRAGMA wal_checkpoint(RESTART);");
        T_STR(seen(two.plain, "SELECT count(*) FROM t"), "150");
    }
    run(two.plain, "PRAGMA wal_checkpoint(TRUNCATE);");
    run(two.gathers, ROWS("1000", "1"));
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "151");
    T_STR(seen(two.gathers, WHOLE), "ok");
    two_close(&two);
}

static off_t
log_length(const struct two *two)
{
    struct stat status = { .st_size = -1 };
    char log[300];

    snprintf(log, sizeof(log), "%s-wal", two->scratch.path);
    T_INT(stat(log, &status), 0);
    return status.st_size;
}

/* How often the log has grown in 200 commits of a page or two. */
static int
times_grown(const struct two *two)
{
    off_t before = log_length(two);
    int grown = 0;

    run(two->gathers, "DELETE FROM t");
    for (int i = 0; i < 200; i++) {
        char sql[100];
        off_t length;
        snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%d, 'x');", i);
        run(two->gathers, sql);
        length = log_length(two);
        grown += length != before;
        before = length;
    }
    return grown;
}

/* It need not grow at each commit: nine times; also after another one has cut it. */
static void
a_log_is_longer_than_it_has_to_be(void)
{
    struct two two;
    int grown;

    two_open(&two);
    run(two.gathers, MAKE);
    grown = times_grown(&two);
    T_TRUE(grown > 3 && grown < 12);
    run(two.plain, "PRAGMA wal_checkpoint(TRUNCATE);");
    T_INT(log_length(&two), 0);
    grown = times_grown(&two);
    T_TRUE(grown > 3 && grown < 12);
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "200");
    two_close(&two);
}

/* What another connection has written behind is left alone, however long this one believes the file to be. */
static void
nothing_is_written_over_what_others_wrote_behind(void)
{
    struct two two;

    two_open(&two);
    run(two.gathers, MAKE ROWS("1", "1"));
    for (int i = 1; i < 12; i++) {
        char sql[400];
        snprintf(sql, sizeof(sql), ROWS("%d000", "%d"), i, i * 7);
        run(i % 2 ? two.plain : two.gathers, sql);
        if (i % 4 == 0)
            run(i % 8 ? two.plain : two.gathers, "PRAGMA wal_checkpoint(TRUNCATE);");
    }
    T_STR(seen(two.gathers, "SELECT count(*) FROM t"), "463");
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "463");
    T_STR(seen(two.plain, WHOLE), "ok");
    two_close(&two);
}

/* The file and its log as they would be found after the machine has stopped. */
static void
what_is_found_after_a_crash_ends_with_the_last_commit(void)
{
    struct two two;
    char copy[1000];
    sqlite3 *found;

    two_open(&two);
    run(two.gathers, MAKE ROWS("1", "60"));
    run(two.gathers, "PRAGMA wal_checkpoint(RESTART);" ROWS("100", "7"));
    snprintf(copy, sizeof(copy), "cd '%s' && cp '%s' copy.db && cp '%s-wal' copy.db-wal",
             two.scratch.directory, two.scratch.path, two.scratch.path);
    T_INT(system(copy), 0);
    snprintf(copy, sizeof(copy), "%s/copy.db", two.scratch.directory);
    found = open_through(copy, NULL);
    T_STR(seen(found, "SELECT count(*) FROM t"), "67");
    T_STR(seen(found, WHOLE), "ok");
    sqlite3_close(found);
    two_close(&two);
}

static void
a_commit_that_finds_no_room_fails_and_leaves_nothing(void)
{
    struct two two;
    struct rlimit all, little;

    two_open(&two);
    run(two.gathers, MAKE ROWS("1", "20"));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    little = (struct rlimit){ 100000, all.rlim_max };
    setrlimit(RLIMIT_FSIZE, &little);
    T_TRUE(sqlite3_exec(two.gathers, ROWS("1000", "300"), NULL, NULL, NULL) != SQLITE_OK);
    setrlimit(RLIMIT_FSIZE, &all);
    T_STR(seen(two.gathers, "SELECT count(*) FROM t"), "20");
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "20");
    run(two.gathers, ROWS("1000", "300"));
    T_STR(seen(two.plain, "SELECT count(*) FROM t"), "320");
    T_STR(seen(two.plain, WHOLE), "ok");
    two_close(&two);
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
        UNIT_CASE(a_log_is_longer_than_it_has_to_be),
        UNIT_CASE(nothing_is_written_over_what_others_wrote_behind),
        UNIT_CASE(what_is_found_after_a_crash_ends_with_the_last_commit),
        UNIT_CASE(a_commit_that_finds_no_room_fails_and_leaves_nothing),
    };

    return unit_run("store_log", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
