/*
 * Accepting against bare SQLite: the same bytes, the same settings, both sides in turn in one run. Ours
 * also folds, keeps jti, digest and an index, and makes the subject due. Threads against threads that
 * share their commits in the same way: with a connection each, they would sleep in SQLite's busy
 * handler.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plugin/store/store.h"
#include "tests/bench/size.h"

#define PAIRS        7
#define ROUND_S      0.35
#define THREADS_MOST 32
#define USERS_EACH   64 /* of a thread */
#define USERS        (THREADS_MOST * USERS_EACH)
#define GROUP_MOST   100
#define TIMES_MOST   65536 /* calls of a thread in a round that are timed */
#define SLOW_US      1000
#define JTI_FORMAT   "bench-%010ld"
#define TOKEN_BYTES  1024
#define ISSUER       "https://bench.example"
#define EVENT_PREFIX "urn:ietf:params:scim:event:prov:"
#define CORE_SCHEMA  "urn:ietf:params:scim:schemas:core:2.0:User"

/* ---- flushes: SQLite's calls come here instead of into the C library ---- */

static atomic_long flushes, flush_us, slow_us;

/* A disk whose flush takes so long: here it may take no time at all. */
static int
flush(long call, int fd)
{
    struct timespec pause = { 0, atomic_load(&slow_us) * 1000 }, from, to;
    int r;

    atomic_fetch_add(&flushes, 1);
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (pause.tv_nsec > 0)
        nanosleep(&pause, NULL);
    r = (int)syscall(call, fd);
    clock_gettime(CLOCK_MONOTONIC, &to);
    atomic_fetch_add(&flush_us,
                     (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
    return r;
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    return flush(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int
fsync(int fd)
{
    return flush(SYS_fsync, fd);
}

/* ---- what is written ---- */

struct bench {
    char directory[256], store_path[300], bare_path[300];
    struct store *store;
    sqlite3 *bare;
    sqlite3_stmt *begin, *insert, *commit;
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

/* Every jti is as long, and each use of a text or an event has another. */
static void
write_jti(char *place)
{
    char jti[32];

    snprintf(jti, sizeof(jti), JTI_FORMAT, atomic_fetch_add(&next_jti, 1));
    memcpy(place, jti, strlen(jti));
}

/* ---- the two sides ---- */

static void
accept_all(struct bench *bench, struct event **events, size_t group)
{
    /* not on the stack, which our compiler options would clear: fifty kilobytes for one event */
    static _Thread_local struct store_answer answers[GROUP_MOST];
    struct prov_error err = PROV_ERROR_INIT;

    for (size_t i = 0; i < group; i++)
        answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    if (store_accept(bench->store, events, group, answers, &err))
        fail("store_accept", err.text);
    for (size_t i = 0; i < group; i++) {
        if (answers[i].status != PROV_ANSWER_ACCEPTED || answers[i].duplicate)
            fail("store_accept", "an event was not accepted as new");
    }
}

/* One thread's doing in a round. What `prepare` does is not in the times of its calls. */
struct part {
    struct bench *bench;
    const struct side *side;
    size_t first_user, users, group, turn;
    struct event *parsed[GROUP_MOST];
    double end_s, spent_s;
    long events, calls;
    double took_us[TIMES_MOST];
};

struct side {
    void (*prepare)(struct part *);
    void (*call)(struct part *);
    void (*done)(struct part *); /* NULL: nothing */
};

static size_t
user_of(const struct part *part, size_t i)
{
    return part->first_user + (part->turn * part->group + i) % part->users;
}

/* The texts as a host has just written them: both sides find them in the processor's cache. */
static void
write_tokens(struct part *part)
{
    for (size_t i = 0; i < part->group; i++)
        write_jti(strstr(part->bench->tokens[user_of(part, i)], "bench-"));
}

static void
parse(struct part *part)
{
    struct prov_error err = PROV_ERROR_INIT;

    for (size_t i = 0; i < part->group; i++) {
        const char *token = part->bench->tokens[user_of(part, i)];
        if (event_parse(token, strlen(token), NULL, &part->parsed[i], &err))
            fail("event_parse", err.text);
    }
}

static void
free_parsed(struct part *part)
{
    for (size_t i = 0; i < part->group; i++)
        event_free(part->parsed[i]);
}

static void
write_and_parse(struct part *part)
{
    write_tokens(part);
    parse(part);
}

static void
accept_parsed(struct part *part)
{
    accept_all(part->bench, part->parsed, part->group);
}

/* Events as they come out of event_parse(), of which 100 stay in the cache. */
static const struct side ours = { write_and_parse, accept_parsed, free_parsed };

/* Events that were parsed once, for threads: what they do between two calls is in the time of a round. */
static void
take_parsed(struct part *part)
{
    for (size_t i = 0; i < part->group; i++) {
        part->parsed[i] = part->bench->events[user_of(part, i)];
        write_jti((char *)part->parsed[i]->jti); /* which stands in the event's pool */
    }
}

static const struct side ours_shared = { take_parsed, accept_parsed, NULL };

/* From JSON text on, as a host's submit. */
static void
submit(struct part *part)
{
    parse(part);
    accept_parsed(part);
    free_parsed(part);
}

static const struct side whole = { write_tokens, submit, NULL };

static void
step(struct bench *bench, sqlite3_stmt *statement)
{
    int r = sqlite3_step(statement);

    if (r != SQLITE_DONE)
        fail("bare", sqlite3_errmsg(bench->bare));
    sqlite3_reset(statement);
}

static void
insert_all(struct part *part)
{
    struct bench *bench = part->bench;

    step(bench, bench->begin);
    for (size_t i = 0; i < part->group; i++) {
        const char *token = bench->tokens[user_of(part, i)];
        sqlite3_bind_text(bench->insert, 1, token, -1, SQLITE_STATIC);
        step(bench, bench->insert);
    }
    step(bench, bench->commit);
}

static const struct side bare = { write_tokens, insert_all, NULL };

/* Rows that threads hand over one by one, committed together by whoever finds nobody doing so. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    const char *tokens[THREADS_MOST];
    long handed, durable;
    bool leading;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };

static void
commit_shared(struct bench *bench)
{
    long from = shared.durable, to = shared.handed;

    shared.leading = true;
    pthread_mutex_unlock(&shared.lock);
    step(bench, bench->begin);
    for (long i = from; i < to; i++) {
        sqlite3_bind_text(bench->insert, 1, shared.tokens[i % THREADS_MOST], -1, SQLITE_STATIC);
        step(bench, bench->insert);
    }
    step(bench, bench->commit);
    pthread_mutex_lock(&shared.lock);
    shared.durable = to;
    shared.leading = false;
    pthread_cond_broadcast(&shared.moved);
}

static void
insert_shared(struct part *part)
{
    long mine;

    pthread_mutex_lock(&shared.lock);
    mine = shared.handed++;
    shared.tokens[mine % THREADS_MOST] = part->bench->tokens[user_of(part, 0)];
    while (shared.durable <= mine) {
        if (shared.leading)
            pthread_cond_wait(&shared.moved, &shared.lock);
        else
            commit_shared(part->bench);
    }
    pthread_mutex_unlock(&shared.lock);
}

static const struct side bare_shared = { write_tokens, insert_shared, NULL };

/* ---- rounds ---- */

/* One round of one side; the times are those of its calls. */
struct round {
    double per_s, flushes_per_call, median_us, p99_us, longest_us, flush_us;
};

static struct part parts[THREADS_MOST];
static double times_us[THREADS_MOST * TIMES_MOST];

static void *
run_part(void *argument)
{
    struct part *part = argument;
    for (part->turn = 0; now_s() < part->end_s; part->turn++) {
        double took_s;
        part->side->prepare(part);
        took_s = -now_s();
        part->side->call(part);
        took_s += now_s();
        if (part->calls < TIMES_MOST)
            part->took_us[part->calls++] = took_s * 1e6;
        part->spent_s += took_s;
        part->events += (long)part->group;
        if (part->side->done)
            part->side->done(part);
    }
    return NULL;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
weigh_times(size_t threads, struct round *round)
{
    size_t count = 0;

    for (size_t i = 0; i < threads; i++) {
        memcpy(times_us + count, parts[i].took_us, sizeof(double) * (size_t)parts[i].calls);
        count += (size_t)parts[i].calls;
    }
    qsort(times_us, count, sizeof(times_us[0]), by_value);
    round->median_us = times_us[count / 2];
    round->p99_us = times_us[count * 99 / 100];
    round->longest_us = times_us[count - 1];
}

static struct round
run_round(struct bench *bench, const struct side *side, size_t threads, size_t group)
{
    pthread_t running[THREADS_MOST];
    struct round round = { 0 };
    long events = 0, flushed = atomic_load(&flushes), flush_took = atomic_load(&flush_us);
    double start = now_s();

    for (size_t i = 0; i < threads; i++) {
        struct part *part = &parts[i];
        part->bench = bench;
        part->side = side;
        part->first_user = i * USERS_EACH;
        part->users = threads == 1 ? USERS : USERS_EACH;
        part->group = group;
        part->end_s = start + (double)bench_size((size_t)(ROUND_S * 1e6), 50000) / 1e6;
        part->events = part->calls = 0;
        part->spent_s = 0;
        if (threads > 1 && pthread_create(&running[i], NULL, run_part, part))
            fail("threads", "cannot be started");
    }
    if (threads == 1)
        run_part(&parts[0]);
    for (size_t i = 0; i < threads; i++) {
        if (threads > 1)
            pthread_join(running[i], NULL);
        events += parts[i].events;
    }
    flushed = atomic_load(&flushes) - flushed;
    round.per_s = (double)events / (threads > 1 ? now_s() - start : parts[0].spent_s);
    round.flushes_per_call = (double)flushed * (double)group / (double)events;
    round.flush_us =
        flushed > 0 ? (double)(atomic_load(&flush_us) - flush_took) / (double)flushed : 0;
    weigh_times(threads, &round);
    return round;
}

static double
median(double *values)
{
    size_t pairs = bench_size(PAIRS, 1);

    qsort(values, pairs, sizeof(values[0]), by_value);
    return values[pairs / 2];
}

/* Never asserted: other work on the machine moves it. */
static void
print_goal(const char *name, double value, bool at_least, double goal)
{
    bool met = at_least ? value >= goal : value <= goal;

    printf("%-32s %8.2f   goal: %s %.2f, %s\n", name, value, at_least ? "at least" : "at most",
           goal, met ? "met" : "not met");
    fflush(stdout);
}

static void
print_number(const char *name, double value)
{
    printf("%-32s %8.*f\n", name, value < 100 ? 2 : 0, value);
    fflush(stdout);
}

struct pairs {
    double ratio[PAIRS], our_per_s[PAIRS], bare_per_s[PAIRS], flushes[PAIRS], more_us[PAIRS];
};

static void
run_pairs(struct bench *bench, const struct side *our_side, const struct side *bare_side,
          size_t threads, size_t group, struct pairs *ret)
{
    for (int pair = 0; pair < (int)bench_size(PAIRS, 1); pair++) {
        struct round us = { 0 }, them = { 0 };

        for (int turn = 0; turn < 2; turn++) { /* neither always comes after the other */
            if (turn == pair % 2)
                us = run_round(bench, our_side, threads, group);
            else
                them = run_round(bench, bare_side, threads, group);
        }
        ret->ratio[pair] = us.per_s / them.per_s;
        ret->our_per_s[pair] = us.per_s;
        ret->bare_per_s[pair] = them.per_s;
        ret->flushes[pair] = us.flushes_per_call;
        ret->more_us[pair] = us.median_us - them.median_us;
    }
}

static void
compare_group100(struct bench *bench)
{
    struct pairs pairs;

    run_pairs(bench, &ours, &bare, 1, GROUP_MOST, &pairs);
    print_goal("accept.group100_ratio", median(pairs.ratio), true, 0.5);
    print_number("accept.group100_per_s", median(pairs.our_per_s));
    print_number("accept.group100_bare_per_s", median(pairs.bare_per_s));
    print_goal("accept.flushes_per_group", median(pairs.flushes), false, 1.15);
}

static void
compare_submit100(struct bench *bench)
{
    struct pairs pairs;

    run_pairs(bench, &whole, &bare, 1, GROUP_MOST, &pairs);
    print_number("accept.with_parsing_ratio", median(pairs.ratio));
    print_number("accept.with_parsing_per_s", median(pairs.our_per_s));
}

static void
compare_threads16(struct bench *bench)
{
    struct pairs pairs;

    run_pairs(bench, &ours_shared, &bare_shared, 16, 1, &pairs);
    print_goal("accept.threads16_ratio", median(pairs.ratio), true, 0.7);
    print_number("accept.threads16_per_s", median(pairs.our_per_s));
    print_number("accept.threads16_bare_per_s", median(pairs.bare_per_s));
}

static void
compare_alone(struct bench *bench)
{
    struct pairs pairs;

    run_pairs(bench, &whole, &bare, 1, 1, &pairs);
    print_goal("accept.alone_more_us", median(pairs.more_us), false, 30);
}

static struct store *bench_store;

/* What delivery's thread does in its rounds. */
static void *
sweep_now_and_then(void *over)
{
    struct prov_error err = PROV_ERROR_INIT;

    while (!atomic_load((atomic_bool *)over)) {
        if (store_sweep(bench_store, &err))
            fail("store_sweep", err.text);
        usleep(5000);
    }
    return NULL;
}

static void
measure_slow32(struct bench *bench)
{
    double p99[PAIRS], longest[PAIRS], bare_p99[PAIRS], per_s[PAIRS];
    atomic_bool over = false;
    pthread_t sweeper;

    bench_store = bench->store;
    if (pthread_create(&sweeper, NULL, sweep_now_and_then, &over))
        fail("threads", "cannot be started");
    atomic_store(&slow_us, SLOW_US);
    for (int i = 0; i < (int)bench_size(PAIRS, 1); i++) {
        struct round round = run_round(bench, &ours_shared, THREADS_MOST, 1);
        p99[i] = round.p99_us / round.flush_us;
        longest[i] = round.longest_us / round.flush_us;
        per_s[i] = round.per_s;
        round = run_round(bench, &bare_shared, THREADS_MOST, 1);
        bare_p99[i] = round.p99_us / round.flush_us;
    }
    atomic_store(&slow_us, 0);
    atomic_store(&over, true);
    pthread_join(sweeper, NULL);
    print_goal("accept.slow32_p99_in_flushes", median(p99), false, 4);
    print_number("accept.slow32_bare_p99_in_flushes", median(bare_p99));
    print_number("accept.slow32_longest_in_flushes", median(longest));
    print_number("accept.slow32_per_s", median(per_s));
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

static struct bench bench;

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
        void (*run)(struct bench *);
    } ways[] = { { "alone", compare_alone },
                 { "group100", compare_group100 },
                 { "submit100", compare_submit100 },
                 { "threads16", compare_threads16 },
                 { "slow32", measure_slow32 } };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (!wanted || strcmp(wanted, ways[i].name) == 0)
            ways[i].run(what);
    }
}

/* The bytes of a page in a write-ahead log: a number of its head, https://www.sqlite.org/fileformat.html#walformat. */
static off_t
page_of(const char *log)
{
    unsigned char bytes[4] = { 0 };
    int file = open(log, O_RDONLY | O_CLOEXEC);

    if (file < 0 || pread(file, bytes, sizeof(bytes), 8) != sizeof(bytes))
        fail(log, "cannot be read");
    close(file);
    return (off_t)bytes[0] << 24 | (off_t)bytes[1] << 16 | (off_t)bytes[2] << 8 | bytes[3];
}

/* Makes every user known, and both logs as long as they get: while a log grows, each flush also writes how
 * long the file is, and a host that runs for a day leaves that behind in the first minutes. */
static void
warm_up(struct bench *what)
{
    struct part *part = &parts[0];
    struct stat status;
    char log[sizeof(what->store_path) + 4];

    store_log_pages = (long)bench_size((size_t)store_log_pages, 100);
    *part = (struct part){ .bench = what, .users = USERS, .group = GROUP_MOST };
    snprintf(log, sizeof(log), "%s-wal", what->store_path);
    for (; part->turn * GROUP_MOST < USERS || stat(log, &status) != 0 ||
           status.st_size < 2 * store_log_pages * page_of(log);
         part->turn++) {
        take_parsed(part);
        accept_parsed(part);
        insert_all(part);
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
    store_count_no_memory(); /* of either side, as in the servers that have an adapter */
    if (store_new(bench.store_path, &bench.store, &err))
        fail("store", err.text);
    open_bare(&bench);
    make_events(&bench);
    warm_up(&bench);
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
