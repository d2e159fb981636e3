/*
 * What a durable submit costs, beside what durability alone costs: store_accept() against bare
 * SQLite transactions that write the same bytes with the same settings. Both sides alternate within
 * one run, each for a fixed time, so that a slow moment of the disk falls on both; the median of
 * the pairs is printed, and how many flushes an event took. Judges nothing.
 *
 * The bare side is the strongest one: one table without an index, one prepared statement, and for
 * several threads one connection behind a mutex (with a connection each, they would sleep in
 * SQLite's busy handler).
 */
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plugin/store/store.h"

#define PAIRS        7
#define ROUND_S      0.35
#define THREADS      8
#define USERS_EACH   64 /* of a thread */
#define USERS        (THREADS * USERS_EACH)
#define GROUP_MOST   100
#define JTI_FORMAT   "bench-%010ld"
#define TOKEN_BYTES  1024
#define ISSUER       "https://bench.example"
#define EVENT_PREFIX "urn:ietf:params:scim:event:prov:"
#define CORE_SCHEMA  "urn:ietf:params:scim:schemas:core:2.0:User"

/* ---- flushes: SQLite's calls come here instead of into the C library ---- */

static atomic_long flushes;

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    atomic_fetch_add(&flushes, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int
fsync(int fd)
{
    atomic_fetch_add(&flushes, 1);
    return (int)syscall(SYS_fsync, fd);
}

/* ---- what is written ---- */

struct bench {
    char directory[256], store_path[300], bare_path[300];
    struct store *store;
    sqlite3 *bare;
    sqlite3_stmt *begin, *insert, *commit;
    pthread_mutex_t bare_lock;
    struct event *events[USERS];
    char *tokens[USERS];
};

static atomic_long next_jti = 1;

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_accept: %s: %s\n", what, why);
    exit(1);
}

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
make_events(struct bench *bench)
{
    for (int i = 0; i < USERS; i++) {
        struct prov_error err = PROV_ERROR_INIT;
        char *token = malloc(TOKEN_BYTES);
        int length;

        if (!token)
            fail("events", "out of memory");
        length = snprintf(
            token, TOKEN_BYTES,
            "{\"iss\":\"" ISSUER "\",\"iat\":1764000000,\"jti\":\"" JTI_FORMAT "\","
            "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/%d\"},\"events\":{"
            "\"" EVENT_PREFIX "put:full\":{\"data\":{\"schemas\":[\"" CORE_SCHEMA "\"],"
            "\"id\":\"%d\",\"userName\":\"user%d@bench.example\",\"active\":true,"
            "\"name\":{\"givenName\":\"Ada\",\"familyName\":\"Lovelace-%d\"},"
            "\"title\":\"Analyst\",\"department\":\"Engines\","
            "\"emails\":[{\"value\":\"user%d@bench.example\",\"type\":\"work\",\"primary\":true}],"
            "\"phoneNumbers\":[{\"value\":\"+44 20 7946 %04d\",\"type\":\"work\"}]}}}}",
            0L, i, i, i, i, i, i);
        if (event_parse(token, (size_t)length, NULL, &bench->events[i], &err))
            fail("events", err.text);
        bench->tokens[i] = token;
    }
}

/* A parsed event is used many times; its own jti makes each time another event. */
static struct event *
fresh(struct bench *bench, size_t user)
{
    struct event *event = bench->events[user];

    snprintf(event->jti, strlen(event->jti) + 1, JTI_FORMAT, atomic_fetch_add(&next_jti, 1));
    return event;
}

/* ---- the two sides ---- */

static void
ours(struct bench *bench, size_t first_user, size_t users, size_t group, size_t turn)
{
    struct event *events[GROUP_MOST] = { NULL };
    struct store_answer answers[GROUP_MOST];
    struct prov_error err = PROV_ERROR_INIT;

    for (size_t i = 0; i < group; i++) {
        events[i] = fresh(bench, first_user + (turn * group + i) % users);
        answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    }
    if (store_accept(bench->store, events, group, answers, &err))
        fail("store_accept", err.text);
    for (size_t i = 0; i < group; i++) {
        if (answers[i].status != PROV_ANSWER_ACCEPTED || answers[i].duplicate)
            fail("store_accept", "an event was not accepted as new");
    }
}

static void
step(struct bench *bench, sqlite3_stmt *statement)
{
    int r = sqlite3_step(statement);

    if (r != SQLITE_DONE)
        fail("bare", sqlite3_errmsg(bench->bare));
    sqlite3_reset(statement);
}

static void
bare(struct bench *bench, size_t first_user, size_t users, size_t group, size_t turn)
{
    pthread_mutex_lock(&bench->bare_lock);
    step(bench, bench->begin);
    for (size_t i = 0; i < group; i++) {
        const char *token = bench->tokens[first_user + (turn * group + i) % users];
        sqlite3_bind_text(bench->insert, 1, token, -1, SQLITE_STATIC);
        step(bench, bench->insert);
    }
    step(bench, bench->commit);
    pthread_mutex_unlock(&bench->bare_lock);
}

typedef void (*side_fn)(struct bench *, size_t, size_t, size_t, size_t);

/* ---- rounds ---- */

struct part {
    struct bench *bench;
    side_fn side;
    size_t first_user, users, group;
    double end_s;
    long events;
};

struct rate {
    double per_s, flushes_per_event;
};

static void *
run_part(void *argument)
{
    struct part *part = argument;

    for (size_t turn = 0; now_s() < part->end_s; turn++) {
        part->side(part->bench, part->first_user, part->users, part->group, turn);
        part->events += (long)part->group;
    }
    return NULL;
}

static struct rate
run_round(struct bench *bench, side_fn side, size_t threads, size_t group)
{
    pthread_t running[THREADS];
    struct part parts[THREADS];
    long events = 0, before = atomic_load(&flushes);
    double start = now_s(), took;

    for (size_t i = 0; i < threads; i++) {
        parts[i] = (struct part){ .bench = bench,
                                  .side = side,
                                  .first_user = i * USERS_EACH,
                                  .users = threads == 1 ? USERS : USERS_EACH,
                                  .group = group,
                                  .end_s = start + ROUND_S };
        if (threads > 1 && pthread_create(&running[i], NULL, run_part, &parts[i]))
            fail("threads", "cannot be started");
    }
    if (threads == 1)
        run_part(&parts[0]);
    for (size_t i = 0; i < threads; i++) {
        if (threads > 1)
            pthread_join(running[i], NULL);
        events += parts[i].events;
    }
    took = now_s() - start;
    return (struct rate){ (double)events / took,
                          (double)(atomic_load(&flushes) - before) / (double)events };
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values)
{
    qsort(values, PAIRS, sizeof(values[0]), by_value);
    return values[PAIRS / 2];
}

static void
compare(struct bench *bench, const char *name, size_t threads, size_t group)
{
    double ratios[PAIRS], our_rates[PAIRS], bare_rates[PAIRS], our_flushes[PAIRS],
        bare_flushes[PAIRS];

    for (int pair = 0; pair < PAIRS; pair++) {
        struct rate our_rate, bare_rate;

        if (pair % 2) { /* neither side is always the one that comes after the other */
            bare_rate = run_round(bench, bare, threads, group);
            our_rate = run_round(bench, ours, threads, group);
        } else {
            our_rate = run_round(bench, ours, threads, group);
            bare_rate = run_round(bench, bare, threads, group);
        }
        ratios[pair] = our_rate.per_s / bare_rate.per_s;
        our_rates[pair] = our_rate.per_s;
        bare_rates[pair] = bare_rate.per_s;
        our_flushes[pair] = our_rate.flushes_per_event;
        bare_flushes[pair] = bare_rate.flushes_per_event;
    }
    printf("accept.%s_ratio %.2f\n", name, median(ratios));
    printf("accept.%s_events_per_s %.0f\n", name, median(our_rates));
    printf("accept.%s_bare_events_per_s %.0f\n", name, median(bare_rates));
    printf("accept.%s_flushes_per_event %.3f\n", name, median(our_flushes));
    printf("accept.%s_bare_flushes_per_event %.3f\n", name, median(bare_flushes));
    fflush(stdout);
}

/* ---- begin and end ---- */

static void
open_bare(struct bench *bench)
{
    /* as in plugin/store/sqlite.c */
    static const char settings[] = "PRAGMA journal_mode=WAL;"
                                   "PRAGMA synchronous=FULL;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA secure_delete=ON;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "CREATE TABLE raw (seq INTEGER PRIMARY KEY, token TEXT);";

    if (sqlite3_open_v2(bench->bare_path, &bench->bare,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_exec(bench->bare, settings, NULL, NULL, NULL) ||
        sqlite3_prepare_v2(bench->bare, "BEGIN IMMEDIATE", -1, &bench->begin, NULL) ||
        sqlite3_prepare_v2(bench->bare, "INSERT INTO raw (token) VALUES (?)", -1, &bench->insert,
                           NULL) ||
        sqlite3_prepare_v2(bench->bare, "COMMIT", -1, &bench->commit, NULL))
        fail("bare", bench->bare ? sqlite3_errmsg(bench->bare) : "out of memory");
}

static struct bench bench = { .bare_lock = PTHREAD_MUTEX_INITIALIZER };

/* Also after fail(). */
static void
clean_up(void)
{
    static const char *const names[] = { "store.db",       "store.db-wal", "store.db-shm",
                                         "store.db.lease", "bare.db",      "bare.db-wal",
                                         "bare.db-shm" };
    char path[300];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", bench.directory, names[i]);
        unlink(path);
    }
    rmdir(bench.directory);
}

static void
compare_all(struct bench *what, const char *wanted)
{
    static const struct {
        const char *name;
        size_t threads, group;
    } ways[] = { { "group1", 1, 1 }, { "group100", 1, GROUP_MOST }, { "threads8", THREADS, 1 } };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (!wanted || strcmp(wanted, ways[i].name) == 0)
            compare(what, ways[i].name, ways[i].threads, ways[i].group);
    }
}

/* With an argument, only the comparison of that name, such as group100. */
int
main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    struct prov_error err = PROV_ERROR_INIT;

    snprintf(bench.directory, sizeof(bench.directory), "%s/sfprov-bench.XXXXXX",
             tmp && *tmp == '/' ? tmp : "/tmp");
    if (!mkdtemp(bench.directory))
        fail(bench.directory, strerror(errno));
    atexit(clean_up);
    snprintf(bench.store_path, sizeof(bench.store_path), "%s/store.db", bench.directory);
    snprintf(bench.bare_path, sizeof(bench.bare_path), "%s/bare.db", bench.directory);
    if (store_new(bench.store_path, &bench.store, &err))
        fail("store", err.text);
    open_bare(&bench);
    make_events(&bench);
    for (size_t turn = 0; turn * GROUP_MOST < USERS;
         turn++) { /* every user is known from here on */
        ours(&bench, 0, USERS, GROUP_MOST, turn);
        bare(&bench, 0, USERS, GROUP_MOST, turn);
    }
    compare_all(&bench, argc > 1 ? argv[1] : NULL);
    store_free(bench.store);
    sqlite3_finalize(bench.begin);
    sqlite3_finalize(bench.insert);
    sqlite3_finalize(bench.commit);
    sqlite3_close(bench.bare);
    for (int i = 0; i < USERS; i++) {
        event_free(bench.events[i]);
        free(bench.tokens[i]);
    }
    return 0;
}
