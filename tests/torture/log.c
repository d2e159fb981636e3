/*
 * Random lives of a database whose write-ahead log is written through plugin/store/log_file.c: transactions over three
 * connections, and, in some lives, over another process too; each way to copy the log into the file; calls that fail,
 * a full disk, half a write. A life is ended by a kill or by a loss of power at a call that nobody chose. Then SQLite
 * alone must find the database whole, with exactly what was committed: each transaction whose commit returned, and at
 * most one of those since that were refused or cut off in their commit.
 *   log [SEED [LIVES [SECONDS]]]   LIVES 0: for so many seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/cleanup.h"
#include "plugin/store/log_file.h"
#include "tests/torture/shim.h"
#include "tests/torture/watch.h"

#define LIVES        150 /* in make check */
#define DEATHS       4   /* of a life: the next goes on with what is there */
#define CONNECTIONS  3
#define KEY_COUNT    40
#define TEXT_MAX     6000
#define DOUBTS_MAX   30
#define STEPS_MAX    40  /* before the one that is struck */
#define STEPS_STRUCK 150 /* who is not struck in so many is killed behind them */
#define HANG_S       60

/* ---- what must be there ---- */

/* By key: which version of the row is there; 0: none. */
struct model {
    unsigned version[KEY_COUNT];
};

/* Of all processes. */
static struct shared {
    struct model kept;               /* as of the last commit that returned */
    struct model doubts[DOUBTS_MAX]; /* as of those since of which nobody knows */
    size_t doubt_count;
    unsigned version; /* the last that was written */
    char fault[400];
} * shared;

/* A connection; `reads`: it stands in a transaction that began when there was what it has seen. */
struct actor {
    sqlite3 *db;
    bool reads, struck; /* struck: what it does now may fail */
    struct model seen;
};

static char folder[64], store[80];
static uint64_t chance;

static unsigned
below(unsigned count)
{
    uint64_t z = chance += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % count);
}

/* The first is kept; false for who calls. */
__attribute__((format(printf, 1, 2))) static bool
fault(const char *format, ...)
{
    va_list more;

    if (shared->fault[0])
        return false;
    va_start(more, format);
    vsnprintf(shared->fault, sizeof(shared->fault), format, more);
    va_end(more);
    return false;
}

/* Which text a version of a row has, in a buffer of TEXT_MAX; its length. No two have one letter at one place for long. */
static int
text_of(unsigned key, unsigned version, char *text)
{
    unsigned mixed = (version * 2654435761u) ^ (key * 40503u), length = mixed >> 8 & 255;

    if (version % 5 == 0)
        length = mixed >> 8 & 2047;
    if (version % 17 == 0)
        length = TEXT_MAX - 1;
    for (unsigned i = 0; i < length; i++)
        text[i] = (char)('a' + (mixed + i * (1 + version % 7)) % 26);
    text[length] = '\0';
    return (int)length;
}

/* ---- what is there ---- */

static int
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static bool
take_row(sqlite3_stmt *row, struct model *model)
{
    static char wanted[TEXT_MAX];
    unsigned key = (unsigned)sqlite3_column_int(row, 0);
    unsigned version = (unsigned)sqlite3_column_int(row, 1);
    const char *text = (const char *)sqlite3_column_text(row, 2);

    if (!text) /* no memory is refused here */
        return fault("row %u has no text", key);
    text_of(key % KEY_COUNT, version, wanted);
    if (key >= KEY_COUNT || strcmp(text, wanted) != 0)
        return fault("row %u is not as it was written in version %u", key, version);
    model->version[key] = version;
    return true;
}

/* Of SQLite, and SQLITE_MISMATCH where a row is not as it was written. */
static int
look(sqlite3 *db, struct model *ret)
{
    sqlite3_stmt *rows = NULL;
    int r = sqlite3_prepare_v2(db, "SELECT key, version, text FROM t", -1, &rows, NULL);

    *ret = (struct model){ { 0 } };
    while (r == SQLITE_OK && (r = sqlite3_step(rows)) == SQLITE_ROW)
        r = take_row(rows, ret) ? SQLITE_OK : SQLITE_MISMATCH;
    sqlite3_finalize(rows);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}

static bool
is_same(const struct model *one, const struct model *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

/* Whether nobody knows of it whether it was committed. */
static bool
is_doubted(const struct model *found)
{
    for (size_t i = 0; i < shared->doubt_count; i++) {
        if (is_same(found, &shared->doubts[i]))
            return true;
    }
    return false;
}

/* What was in doubt and is found is in doubt no longer. */
static bool
is_committed(const struct model *found)
{
    size_t key = 0;

    if (is_same(found, &shared->kept))
        return true;
    if (is_doubted(found)) {
        shared->kept = *found;
        shared->doubt_count = 0;
        return true;
    }
    while (found->version[key] == shared->kept.version[key])
        key++;
    return fault("row %zu has version %u instead of %u; in doubt were %zu commits", key,
                 found->version[key], shared->kept.version[key], shared->doubt_count);
}

/* ---- connections ---- */

/* Whether it was done. What is struck may fail; nothing else. */
static bool
done(struct actor *actor, int r, const char *what)
{
    if (r == SQLITE_OK)
        return true;
    if (r == SQLITE_MISMATCH || !actor->struck)
        fault("%s: %s", what, actor->db ? sqlite3_errmsg(actor->db) : sqlite3_errstr(r));
    return false;
}

static void
close_actor(struct actor *actor)
{
    if (actor->db && sqlite3_close(actor->db) != SQLITE_OK)
        fault("a connection cannot be closed: %s", sqlite3_errmsg(actor->db));
    *actor = (struct actor){ .struck = actor->struck };
}

/* With a small cache, which pages leave before the commit; with a log that is copied now and then by itself, or cut. */
static void
open_actor(struct actor *actor)
{
    static const char *const settings[] = {
        "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA cache_size=5;",
        "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;",
        "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=30;"
        "PRAGMA journal_size_limit=20000; PRAGMA cache_size=20;",
        "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL;"
    };
    int r = sqlite3_open_v2(store, &actor->db, SQLITE_OPEN_READWRITE, log_file_vfs());

    if (r == SQLITE_OK) {
        log_file_watch(actor->db);
        r = run(actor->db, settings[below(sizeof(settings) / sizeof(settings[0]))]);
    }
    if (!done(actor, r, "a connection is opened"))
        close_actor(actor);
}

/* ---- steps ---- */

/* A look that was begun must end as it began. */
static void
end_reading(struct actor *actor)
{
    struct model now;

    if (!actor->reads)
        return;
    actor->reads = false;
    if (done(actor, look(actor->db, &now), "a snapshot is read") && !is_same(&now, &actor->seen))
        fault("what a transaction reads has changed");
    run(actor->db, "ROLLBACK");
}

static void
begin_reading(struct actor *actor)
{
    end_reading(actor);
    if (!done(actor, run(actor->db, "BEGIN"), "a snapshot begins"))
        return;
    if (done(actor, look(actor->db, &actor->seen), "it is looked what is there") &&
        is_committed(&actor->seen) && below(2))
        actor->reads = true;
    else
        run(actor->db, "ROLLBACK");
}

static int
write_row(sqlite3 *db, unsigned key, unsigned version)
{
    char text[TEXT_MAX];
    sqlite3_stmt *statement = NULL;
    int r = sqlite3_prepare_v2(db,
                               version ? "INSERT OR REPLACE INTO t VALUES (?1, ?2, ?3)"
                                       : "DELETE FROM t WHERE key = ?1",
                               -1, &statement, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_bind_int64(statement, 1, key);
    if (r == SQLITE_OK && version)
        r = sqlite3_bind_int64(statement, 2, version);
    if (r == SQLITE_OK && version)
        r = sqlite3_bind_text(statement, 3, text, text_of(key, version, text), SQLITE_STATIC);
    if (r == SQLITE_OK && (r = sqlite3_step(statement)) == SQLITE_DONE)
        r = SQLITE_OK;
    sqlite3_finalize(statement);
    return r;
}

/* Nothing of it is taken back alone: see db_begin() for what SQLite loses then. */
static int
write_rows(sqlite3 *db, struct model *model)
{
    unsigned count = below(5) ? 1 + below(4) : 1 + below(KEY_COUNT);
    int r = SQLITE_OK;

    for (unsigned i = 0; r == SQLITE_OK && i < count; i++) {
        unsigned key = below(KEY_COUNT);
        model->version[key] = below(6) ? ++shared->version : 0;
        r = write_row(db, key, model->version[key]);
    }
    return r;
}

static int
commit(sqlite3 *db, const struct model *next)
{
    int r;

    shared->doubts[shared->doubt_count++] = *next;
    r = run(db, "COMMIT");
    if (r == SQLITE_OK) {
        shared->kept = *next;
        shared->doubt_count = 0;
    }
    return r;
}

static void
transact(struct actor *actor)
{
    struct model next;
    int r;

    end_reading(actor);
    r = run(actor->db, "BEGIN IMMEDIATE");
    if (r == SQLITE_OK)
        r = look(actor->db, &next);
    if (r == SQLITE_OK && !is_committed(&next))
        r = SQLITE_MISMATCH;
    if (r == SQLITE_OK)
        r = write_rows(actor->db, &next);
    if (r == SQLITE_OK && below(4) && shared->doubt_count < DOUBTS_MAX)
        r = commit(actor->db, &next);
    done(actor, r, "a transaction");
    if (!sqlite3_get_autocommit(actor->db))
        run(actor->db, "ROLLBACK");
}

static void
copy_log(struct actor *actor)
{
    int mode = (int)below(4), r;

    end_reading(actor);
    r = sqlite3_wal_checkpoint_v2(actor->db, NULL, SQLITE_CHECKPOINT_PASSIVE + mode, NULL, NULL);
    /* others that read may stand in its way */
    done(actor, r == SQLITE_BUSY ? SQLITE_OK : r, "the log is copied");
}

static void
act(struct actor *actor)
{
    unsigned what = below(20);

    if (!actor->db)
        open_actor(actor);
    if (!actor->db)
        return;
    if (what < 10)
        transact(actor);
    else if (what < 14)
        begin_reading(actor);
    else if (what < 18)
        copy_log(actor);
    else {
        end_reading(actor);
        close_actor(actor);
    }
}

/* ---- the process that is struck ---- */

/* A call that fails, or all from one on: of a broken disk, of a full one, of one that has room for half a write. */
static void
act_in_trouble(struct actor *actor)
{
    static const struct shim_plan troubles[] = { { SHIM_STORE, SHIM_FAIL, 0, EIO, 0 },
                                                 { SHIM_STORE, SHIM_FAIL_ON, 0, EIO, 0 },
                                                 { SHIM_SPACE, SHIM_FAIL, 0, 0, 0 },
                                                 { SHIM_SPACE, SHIM_FAIL_ON, 0, 0, 0 },
                                                 { SHIM_SPACE, SHIM_SHORT, 0, ENOSPC, 0 } };
    struct shim_plan plan = troubles[below(sizeof(troubles) / sizeof(troubles[0]))];

    if (!actor->db) /* SQLite opens for reading only what it cannot open else */
        open_actor(actor);
    end_reading(actor);
    plan.nth = 1 + (long)below(below(2) ? 8 : 60);
    actor->struck = true;
    shim_arm(&plan);
    act(actor);
    shim_disarm();
    actor->struck = false;
    end_reading(actor);
    if (actor->db && !sqlite3_get_autocommit(actor->db))
        run(actor->db, "ROLLBACK");
}

/* The other process takes a step meanwhile. */
static void
let_other_act(int other)
{
    char byte = 0;

    if (send(other, &byte, 1, MSG_NOSIGNAL) != 1 || recv(other, &byte, 1, 0) != 1)
        fault("the other process is gone");
}

static void
live(enum shim_action end, int other)
{
    struct actor actors[CONNECTIONS] = { 0 };
    struct shim_plan plan = { .classes = SHIM_STORE, .action = end };
    unsigned steps = below(STEPS_MAX);

    plan.nth = 1 + (long)below(below(2) ? 40 : 600);
    plan.chance = below(4);
    if (plan.chance)
        plan.chance = 1 + below(1u << 30);
    for (unsigned step = 0; !shared->fault[0] && step < steps + STEPS_STRUCK; step++) {
        struct actor *actor = &actors[below(CONNECTIONS)];
        if (step == steps)
            shim_arm(&plan);
        if (other >= 0 && below(3) == 0)
            let_other_act(other);
        else if (step < steps && below(4) == 0)
            act_in_trouble(actor);
        else
            act(actor);
    }
}

static pid_t
start(enum shim_action end, uint64_t seed, int other)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        chance = seed;
        shim_be_connector(true);
        shim_sleepless(true);
        shim_follow(end == SHIM_LOSE ? folder : "");
        watch_begin(HANG_S, shim_trace);
        live(end, other);
        _exit(SHIM_EXIT_CODE); /* closed is nothing: as if killed */
    }
    return child;
}

/* ---- the process that judges ---- */

static void
remove_store(const char *path)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
    char name[120];

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int
note_text(void *to, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    snprintf(to, 100, "%s", values[0] ? values[0] : "nothing");
    return 1; /* the first is enough */
}

/* By SQLite alone. A log that is not copied at the end is there for the next who opens it. Of a copy nothing follows for
 * what was in doubt: who still has the file open need not find it. */
static void
judge(const char *path)
{
    bool copy = strcmp(path, store) != 0;
    struct model found;
    char sound[100] = "";
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        look(db, &found) != SQLITE_OK)
        fault("SQLite cannot read it: %s", sqlite3_errmsg(db));
    else if (!copy || !is_doubted(&found))
        is_committed(&found);
    sqlite3_exec(db, "PRAGMA integrity_check", note_text, sound, NULL);
    if (strcmp(sound, "ok") != 0)
        fault("SQLite finds it damaged: %s", sound);
    if (below(2))
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
}

static void
copy_file(const char *ending)
{
    static char data[1 << 20];
    char from[120], to[120];
    ssize_t length;
    int in, out;

    snprintf(from, sizeof(from), "%s%s", store, ending);
    snprintf(to, sizeof(to), "%scopy.db%s", folder, ending);
    in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return; /* there is no log */
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while ((length = read(in, data, sizeof(data))) > 0) {
        if (write(out, data, (size_t)length) != length)
            abort();
    }
    close(out);
    close(in);
}

/* What is in the files, while the other process has them open. */
static void
judge_copy(void)
{
    char path[sizeof(folder) + 10];

    snprintf(path, sizeof(path), "%scopy.db", folder);
    copy_file("");
    copy_file("-wal");
    judge(path);
    remove_store(path);
}

/* Acts whenever it is asked, until the one that asks is gone. */
static void
act_beside(int asked)
{
    struct actor actor = { NULL };
    char byte;

    while (!shared->fault[0] && recv(asked, &byte, 1, 0) == 1) {
        act(&actor);
        if (send(asked, &byte, 1, MSG_NOSIGNAL) != 1)
            break;
    }
    close(asked);
    judge_copy();
    if (actor.db) {
        end_reading(&actor);
        transact(&actor);
    }
    close_actor(&actor);
}

static void
await_end(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status)) {
        shim_print_trace();
        fault("the process ended by signal %d%s", WTERMSIG(status),
              WTERMSIG(status) == SIGALRM ? " (it hangs)" : "");
    } else if (WEXITSTATUS(status) != SHIM_EXIT_CODE) {
        fault("the process ended with %d", WEXITSTATUS(status));
    }
}

static void
die_once(uint64_t seed)
{
    bool beside = below(3) == 0;
    enum shim_action end = beside || below(4) == 0 ? SHIM_DIE : SHIM_LOSE;
    int ends[2] = { -1, -1 };
    pid_t child;

    if (beside && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    child = start(end, seed, ends[1]);
    close(ends[1]);
    if (beside)
        act_beside(ends[0]);
    await_end(child);
    judge(store);
}

static void
make_store(void)
{
    sqlite3 *db = NULL;
    char sql[200];

    snprintf(sql, sizeof(sql),
             "PRAGMA page_size=%u; PRAGMA journal_mode=WAL;"
             "CREATE TABLE t (key INTEGER PRIMARY KEY, version INTEGER, text TEXT);"
             "CREATE INDEX u ON t (text)",
             512u << below(4));
    remove_store(store);
    if (sqlite3_open(store, &db) != SQLITE_OK || run(db, sql) != SQLITE_OK)
        abort();
    sqlite3_close(db);
    *shared = (struct shared){ .doubt_count = 0 };
}

static bool
live_and_die(uint64_t seed)
{
    chance = seed << 8;
    make_store();
    for (unsigned death = 1; death <= DEATHS; death++) {
        die_once((seed << 8) + death);
        if (!shared->fault[0])
            continue;
        printf("seed %llu, death %u: %s\n  tests/torture/log %llu 1\n", (unsigned long long)seed,
               death, shared->fault, (unsigned long long)seed);
        return false;
    }
    return true;
}

static void
begin(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(folder, "/tmp/sfprov-log-XXXXXX");
    if (shared == MAP_FAILED || !mkdtemp(folder) || !log_file_vfs())
        abort();
    strcat(folder, "/");
    snprintf(store, sizeof(store), "%sstore.db", folder);
    shim_trace_fd = memfd_create("trace", 0);
    shim_trace(); /* the first loads a library, which a process that hangs may not be able to */
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned long lives = argc > 2 ? strtoul(argv[2], NULL, 10) : LIVES;
    time_t end = time(NULL) + (argc > 3 ? atol(argv[3]) : 0);
    unsigned passed = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    begin();
    for (; failed < 5 && (lives ? passed + failed < lives : time(NULL) < end); seed++) {
        if (live_and_die(seed))
            passed++;
        else
            failed++;
    }
    remove_store(store);
    rmdir(folder);
    printf("log: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
