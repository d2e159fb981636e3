/*
 * What a store with a million users costs beside one with a thousand, when all of them are due: opening
 * it, claiming who is due, writing what is in flight and then what came of it of a call's 200 users, `status`,
 * and the memory all that takes. The 200 are those whom a claim gives, as they came; and, as the worst that can
 * be (`scattered`), users from all over the store, of whom no two stand on one page. Both stores are made in one run and measured in
 * turn, the median of the turns is printed as a ratio. Counted is the processor, with the system's part, so
 * that other work does not matter; the files are in the system's cache. Judges nothing; the goals stand in
 * tests/bench/run. SFPROV_BENCH_USERS makes the large one smaller.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/store/store.h"
#include "tests/bench/size.h"

#define SMALL  1000
#define TURNS  15
#define GROUP  1000 /* users of a transaction while the stores are made */
#define CALL   200
#define CLAIM  1000 /* rows of `due` that a round reads */
#define ISSUER "https://bench.example"

enum measure {
    OPEN,
    CLAIM_ROUND,
    SETTLE,
    STATUS,
    SCATTERED, /* last, since it leaves events behind that are settled out of turn */
    MEASURES
};

static const char *const names[] = { "open", "claim", "settle", "status", "scattered" };

struct side {
    long users;
    char directory[256], path[300];
    struct store *store;
    double seconds[MEASURES][TURNS];
};

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_scale: %s: %s\n", what, why);
    exit(1);
}

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- making a store ---- */

static struct event *
make_event(long user)
{
    static long next_jti;
    struct prov_error err = PROV_ERROR_INIT;
    struct event *event = NULL;
    char token[1024];
    int length =
        snprintf(token, sizeof(token),
                 "{\"iss\":\"" ISSUER
                 "\",\"iat\":1764000000,\"jti\":\"%ld\",\"sub_id\":{\"format\":\"scim\","
                 "\"uri\":\"/Users/"
                 "%ld\"},\"events\":{\"urn:ietf:params:scim:event:prov:put:full\":{\"data\":{"
                 "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"id\":\"%ld\","
                 "\"userName\":\"user%ld@bench.example\",\"active\":true,\"title\":\"Analyst\","
                 "\"name\":{\"givenName\":\"Ada\",\"familyName\":\"Lovelace-%ld\"},"
                 "\"emails\":[{\"value\":\"user%ld@bench.example\",\"type\":\"work\"}]}}}}",
                 ++next_jti, user, user, user, user, user);

    if (event_parse(token, (size_t)length, NULL, &event, &err))
        fail("events", err.text);
    return event;
}

static void
accept_users(struct side *side, const long *users, size_t count)
{
    struct event *events[GROUP] = { NULL };
    struct store_answer answers[GROUP];
    struct prov_error err = PROV_ERROR_INIT;

    for (size_t i = 0; i < count; i++) {
        events[i] = make_event(users[i]);
        answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    }
    if (store_accept(side->store, events, count, answers, &err))
        fail("store_accept", err.text);
    for (size_t i = 0; i < count; i++) {
        if (answers[i].status != PROV_ANSWER_ACCEPTED)
            fail("store_accept", answers[i].error.text);
        event_free(events[i]);
    }
}

static void
accept_group(struct side *side, long first)
{
    long users[GROUP];

    for (long i = 0; i < GROUP; i++)
        users[i] = first + i;
    accept_users(side, users, GROUP);
}

static void
text(char **place, const char *value)
{
    free(*place);
    *place = strdup(value);
    if (!*place)
        fail("texts", "out of memory");
}

/* What delivery keeps of a user who is in Salesforce. */
static void
fill_link(struct link *link, long user)
{
    char json[400], name[60];
    struct prov_error err = PROV_ERROR_INIT;
    int length = snprintf(json, sizeof(json),
                          "{\"Username\":\"user%ld@bench.example\",\"LastName\":\"Lovelace-%ld\","
                          "\"FirstName\":\"Ada\",\"Email\":\"user%ld@bench.example\",\"Alias\":"
                          "\"user\",\"Title\":\"Analyst\",\"IsActive\":true,\"ProfileId\":"
                          "\"00e000000000001AAA\"}",
                          user, user, user);

    if (value_parse(&link->pool, json, (size_t)length, "confirmed", &link->confirmed, &err))
        fail("links", err.text);
    snprintf(link->salesforce_id, sizeof(link->salesforce_id), "005%012ldAAA", user);
    snprintf(name, sizeof(name), "user%ld@bench.example", user);
    text(&link->username_held, name);
    text(&link->username_wanted, name);
    text(&link->last_action, "created");
    text(&link->outcome, "delivered");
    link->confirmed_version = link->settled_version = 1;
    text(&link->plan_digest, "5d41402abc4b2a76b9719d911017c592");
    link->updated_us = clock_now_us();
}

/* Everybody was delivered once. */
static void
link_group(struct side *side, long first)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *work = NULL;
    size_t count = 0;
    int r = store_due(side->store, clock_now_us(), GROUP, NULL, &work, &count, &err);

    if (!r)
        r = store_begin(side->store, STORE_UNFENCED, &err);
    for (size_t i = 0; !r && i < count; i++) {
        fill_link(&work[i].link, first + (long)i);
        r = store_put_link(side->store, work[i].subject.id, &work[i].link, &err);
        if (!r)
            r = store_due_delete(side->store, &work[i], &err);
    }
    if (!r)
        r = store_commit(side->store, &err);
    if (r || count != GROUP)
        fail("links", r ? err.text : "not everybody is due");
    work_list_free(work, count);
}

static void
open_store(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *version = NULL;

    if (store_new(side->path, &side->store, &err) ||
        store_get_fact(side->store, "schema", &version, &err))
        fail("open", err.text);
}

static void
make_side(struct side *side, long users)
{
    const char *place = getenv("TMPDIR");

    side->users = users;
    snprintf(side->directory, sizeof(side->directory), "%s/bench-scale-XXXXXX",
             place ? place : "/tmp");
    if (!mkdtemp(side->directory))
        fail("directory", "cannot be made");
    snprintf(side->path, sizeof(side->path), "%s/store.db", side->directory);
    open_store(side);
    for (long first = 0; first < users; first += GROUP) {
        accept_group(side, first);
        link_group(side, first);
    }
    for (long first = 0; first < users; first += GROUP)
        accept_group(side, first); /* and has news */
}

static void
remove_side(struct side *side)
{
    static const char *const endings[] = { "", "-wal", "-shm", ".lease" };

    store_free(side->store);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char file[320];
        snprintf(file, sizeof(file), "%s%s", side->path, endings[i]);
        unlink(file);
    }
    rmdir(side->directory);
}

/* ---- measuring ---- */

static double
measure_open(struct side *side)
{
    double start;

    store_free(STEAL(side->store));
    start = now_s();
    open_store(side);
    return now_s() - start;
}

static void
claim(struct side *side, size_t *ret)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *work = NULL;
    size_t count = 0;

    if (store_due(side->store, clock_now_us(), CLAIM, NULL, &work, &count, &err))
        fail("store_due", err.text);
    work_list_free(work, count);
    *ret = count;
}

static double
measure_claim(struct side *side)
{
    double start = now_s(), took;
    size_t count = 0;

    claim(side, &count);
    took = now_s() - start;
    if (count != CLAIM)
        fail("store_due", "not everybody is due");
    return took;
}

static void
begin(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;

    if (store_begin(side->store, STORE_UNFENCED, &err))
        fail("begin", err.text);
}

static void
commit(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;

    if (store_commit(side->store, &err))
        fail("commit", err.text);
}

/* Makes so many users due before all others, each of them another one, from all over the store. */
static void
hurry_some(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;
    static uint64_t place;
    int r = PROV_OK;

    begin(side);
    for (long i = 0; !r && i < CALL; i++) {
        place +=
            UINT64_C(0x9e3779b97f4a7c15); /* steps of the golden ratio: spread, and none twice */
        r = store_due_add(side->store, (int64_t)((place >> 32) * (uint64_t)side->users >> 32) + 1,
                          DUE_URGENT, &err);
    }
    if (r)
        fail("store_due_add", err.text);
    commit(side);
}

/* Whoever was settled has news again, behind all others: everybody stays due. */
static void
make_due_again(struct side *side, const struct work *work, size_t count)
{
    long users[CALL] = { 0 };

    for (size_t i = 0; i < count; i++)
        users[i] = (long)work[i].subject.id - 1;
    accept_users(side, users, count);
}

static void
write_flights(struct side *side, struct work *work, size_t count)
{
    struct prov_error err = PROV_ERROR_INIT;
    int r = PROV_OK;

    begin(side);
    for (size_t i = 0; !r && i < count; i++) {
        struct link *link = &work[i].link;
        link->in_flight = value_object(&link->pool);
        r = value_put_text(&link->pool, link->in_flight, "op", "update");
        if (!r)
            r = store_put_flight(side->store, work[i].subject.id, link, &err);
        link->in_flight = NULL;
    }
    if (r)
        fail("in flight", err.text);
    commit(side);
}

static void
write_outcomes(struct side *side, struct work *work, size_t count)
{
    struct prov_error err = PROV_ERROR_INIT;
    int r = PROV_OK;

    begin(side);
    for (size_t i = 0; !r && i < count; i++) {
        struct link *link = &work[i].link;
        link->settled_version = link->confirmed_version = work[i].subject.version;
        text(&link->outcome, "delivered");
        r = store_put_link(side->store, work[i].subject.id, link, &err);
        if (!r)
            r = store_due_delete(side->store, &work[i], &err);
    }
    if (r)
        fail("settle", err.text);
    commit(side);
}

/* What is in flight, and what came of it, of a call's users, as delivery writes it. */
static double
settle_call(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *work = NULL;
    size_t count = 0;
    double took;

    if (store_due(side->store, clock_now_us(), CALL, NULL, &work, &count, &err) || count < CALL - 5)
        fail("store_due", "too few are due");
    took = -now_s();
    write_flights(side, work, count);
    write_outcomes(side, work, count);
    took += now_s();
    make_due_again(side, work, count);
    work_list_free(work, count);
    return took;
}

/* In the order in which they came. */
static double
measure_settle(struct side *side)
{
    return settle_call(side);
}

static double
measure_scattered(struct side *side)
{
    hurry_some(side);
    return settle_call(side);
}

static double
measure_status(struct side *side)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *counts = NULL;
    double start = now_s();

    if (store_read_counts(side->store, &counts, &err))
        fail("status", err.text);
    return now_s() - start;
}

/* ---- telling ---- */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values, size_t turns)
{
    qsort(values, turns, sizeof(*values), by_value);
    return values[turns / 2];
}

/* The most memory since it was last forgotten, in bytes. */
static double
peak_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long kilobytes = 0;

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return (double)kilobytes * 1024;
}

static void
forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

int
main(void)
{
    static double (*const measures[])(struct side *) = { measure_open, measure_claim,
                                                         measure_settle, measure_status,
                                                         measure_scattered };
    static struct side small, large;
    const char *users = getenv("SFPROV_BENCH_USERS");
    size_t turns = bench_size(TURNS, 1);

    make_side(&small, SMALL);
    make_side(&large, users ? atol(users) / GROUP * GROUP : (long)bench_size(1000000, 2000));
    forget_peak();
    for (size_t turn = 0; turn < 2 * turns; turn++) {
        for (size_t i = turn < turns ? 0 : SCATTERED; i < (turn < turns ? SCATTERED : MEASURES);
             i++) {
            small.seconds[i][turn % turns] = measures[i](&small);
            large.seconds[i][turn % turns] = measures[i](&large);
        }
    }
    printf("scale.users                 %ld\n", large.users);
    for (size_t i = 0; i < MEASURES; i++) {
        double here = median(large.seconds[i], turns);
        printf("scale.%s_s%*s%.6f\n", names[i], (int)(20 - strlen(names[i])), "", here);
        printf("scale.%s_ratio%*s%.2f\n", names[i], (int)(16 - strlen(names[i])), "",
               here / median(small.seconds[i], turns));
    }
    printf("scale.memory_bytes          %.0f\n", peak_bytes());
    remove_side(&small);
    remove_side(&large);
    return 0;
}
