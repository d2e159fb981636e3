/*
 * Each fault that can stand between host and Salesforce, alone, against the model: users are made,
 * the fault strikes before or after that, they change meanwhile, it passes, all settles, and the org must be
 * what the model says. The table in README.md names where each is.
 *   faults [NAME [SEED [SEEDS [STRIDE]]]]   those with this in their name; so many seeds, from that one on
 * When it strikes, at which call, and what changes follows from the seed. What the org does is also done at
 * each STRIDE-th call of one life that has all there is (3; 0: not).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/base/json.h"
#include "plugin/store/db.h"
#include "tests/torture/life.h"
#include "tests/torture/shim.h"

#define DAY_US    INT64_C(86400000000)
#define LOCKED_AT 120 /* the byte of the -shm file that SQLite locks to write (WAL_WRITE_LOCK) */

#define FULL_SEED 6 /* of a life with passwords, freezing and `match`, and one thread */

/* Whether the fault had any effect; a fault that never has tests nothing. met: of the last life, with a call. */
static bool struck, met;

/* Calls that a fault has to meet. */
static struct kind {
    const char *part, *soql; /* soql: of the question; NULL: any */
    unsigned met;
} kinds[] = {
    { "/oauth2/token", NULL, 0 },      { "/describe", NULL, 0 },
    { "/password", NULL, 0 },          { "/composite/sobjects", NULL, 0 },
    { "/query", "FROM UserLogin", 0 }, { "/query", "FROM User WHERE", 0 },
    { "/query", "FROM Profile", 0 },   { "/query", "FROM UserLicense", 0 },
};

static void
deliver_once(struct life *life)
{
    struct prov_delivery delivery;

    if (world_deliver(life->world, &delivery))
        life->fault = life->relieve ? life->fault : "deliver fails";
    struck = struck || (life->relieve && delivery.state == PROV_DELIVERY_ELSEWHERE);
}

/* ---- processes ---- */

static pid_t other; /* a child process; 0: none */

static void
end_other(struct life *life)
{
    (void)life;
    if (other <= 0)
        return;
    kill(other, SIGCONT);
    kill(other, SIGTERM);
    while (waitpid(other, NULL, 0) < 0 && errno == EINTR)
        ;
    other = 0;
}

/* The store is locked by another process, longer than anybody waits for it. The connector gives the
 * store up while its process forks, so the file of locks may have to be made. */
static void
lock_store(struct life *life, uint64_t seed)
{
    struct flock byte = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_AT, .l_len = 1
    };
    char path[100], ready;
    int pipes[2];

    (void)seed;

    snprintf(path, sizeof(path), "%sstore.db-shm", life->world->folder);
    if (pipe(pipes) != 0)
        abort();
    fflush(stdout);
    other = fork();
    if (other == 0) {
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        if (fd >= 0 && fcntl(fd, F_SETLK, &byte) == 0 && write(pipes[1], "", 1) == 1)
            pause();
        perror(path);
        _exit(1);
    }
    close(pipes[1]);
    if (read(pipes[0], &ready, 1) != 1)
        life->fault = "the store cannot be locked by another process";
    close(pipes[0]);
    shim_sleepless(true);
}

static void
unlock_store(struct life *life)
{
    struck = struck || life->relieve; /* an event was not accepted */
    end_other(life);
    shim_sleepless(false);
}

/* A process that delivers is stopped in the middle, for a day; it goes on when others have been at it. */
static void
stop_sender(struct life *life, uint64_t seed)
{
    struct shim_plan plan = { SHIM_STORE | SHIM_SOCKET, SHIM_STOP, 10 + (long)(seed * 17 % 60), 0,
                              0 };
    struct prov_delivery delivery;
    int status;

    life->died = true;
    for (int user = 0; user < USER_COUNT; user++) /* something to do */
        life_submit(life, &(struct step){ PATCH, user, 0 });
    world_close(life->world);
    fflush(stdout);
    other = fork();
    if (other == 0) {
        shim_arm(&plan);
        if (world_open(life->world, life->fields) == 0) {
            for (int i = 0; i < 3; i++)
                world_deliver(life->world, &delivery);
        }
        _exit(0);
    }
    while (waitpid(other, &status, WUNTRACED) < 0 && errno == EINTR)
        ;
    if (!WIFSTOPPED(status))
        other = 0; /* it was done before */
    if (world_open(life->world, life->fields))
        life->fault = "the store cannot be opened beside a stopped process";
}

static void
wake_sender(struct life *life)
{
    (void)life;
    if (other <= 0)
        return;
    kill(other, SIGCONT);
    struck = true;
    while (waitpid(other, NULL, 0) < 0 && errno == EINTR)
        ;
    other = 0;
}

/* As above; and somebody has taken its lease away, so that it is to be fenced. */
static void
stop_sender_and_take_over(struct life *life, uint64_t seed)
{
    char path[100];

    stop_sender(life, seed);
    snprintf(path, sizeof(path), "%sstore.db.lease", life->world->folder);
    if (other > 0 && unlink(path) != 0)
        life->fault = "there is no lease to take away";
    deliver_once(life);
}

/* ---- disk, clock ---- */

static long strikes_from; /* which call the shim lets fail first */

static void
disarm(struct life *life)
{
    long calls = shim_disarm();

    (void)life;
    struck = struck || calls >= strikes_from;
}

static void
arm(unsigned classes, enum shim_action action, long nth)
{
    strikes_from = nth;
    shim_arm(&(struct shim_plan){ classes, action, nth, 0, 0 });
}

static void
fill_disk(struct life *life, uint64_t seed)
{
    (void)life;
    arm(SHIM_SPACE, SHIM_FAIL_ON, 1 + (long)(seed * 7 % 30));
}

static void
set_clock_back(struct life *life, uint64_t seed)
{
    struck = true;
    (void)life;
    shim_clock_skew(-(int64_t)(seed * 5000 % 86400) * CLOCK_SECOND_US);
}

/* By up to a day. */
static void
set_clock_ahead(struct life *life, uint64_t seed)
{
    struck = true;
    (void)life;
    shim_clock_skew((int64_t)(10 + seed * 5077 % 86400) * CLOCK_SECOND_US);
}

static void
put_clock_right(struct life *life)
{
    (void)life;
    shim_clock_skew(0);
}

/* ---- the network ---- */

static void
break_socket(struct life *life, uint64_t seed)
{
    (void)life;
    arm(SHIM_SOCKET, SHIM_FAIL, 1 + (long)(seed % 24));
}

/* A connection of its own, so that the handshake is what breaks. */
static void
break_handshake(struct life *life, uint64_t seed)
{
    life_reopen(life, 2);
    break_socket(life, seed);
}

/* Nobody is there for a day; deliveries go on trying. */
static void
lose_org(struct life *life, uint64_t seed)
{
    int64_t until = clock_now_us() + DAY_US;

    arm(SHIM_SOCKET, SHIM_FAIL_ON, 1 + (long)(seed % 8));
    life_submit(life, &(struct step){ PUT, 0, 0 });
    while (!life->fault && clock_now_us() < until) {
        deliver_once(life);
        world_pass(life->world, DAY_US / 50);
    }
}

/* Opened anew with a part of its fields replaced by something of another length or none. */
static void
open_with(struct life *life, const char *member, const char *value)
{
    char *at = strstr(life->fields, member), *fields = NULL;
    const char *end = at ? strchr(at + strlen(member), '"') : NULL;

    if (!end || asprintf(&fields, "%.*s%s%s%s", (int)(at - life->fields), life->fields, member,
                         value, end) < 0)
        abort();
    world_close(life->world);
    if (world_open(life->world, fields))
        life->fault = "the connector does not open";
    struck = true;
    free(fields);
}

static void
lose_name(struct life *life, uint64_t seed)
{
    (void)seed;
    shim_names_fail(true);
    open_with(life, "\"domain_name\":\"", "https://acme.my.salesforce.com");
}

static void
find_name(struct life *life)
{
    shim_names_fail(false);
    world_close(life->world);
    if (world_open(life->world, life->fields))
        life->fault = "the connector does not open";
}

/* The CA that is trusted is another than the one that signed: what a changed certificate is. */
static void
change_certificate(struct life *life, uint64_t seed)
{
    (void)seed;
    open_with(life, "\"ca_file\":\"", "/etc/ssl/certs/ca-certificates.crt");
}

/* Gives up waiting after a second. */
static void
be_impatient(struct life *life, uint64_t seed)
{
    char *fields = NULL;

    (void)seed;
    if (asprintf(&fields, "{\"request_timeout_s\":1,%s", life->fields + 1) < 0)
        abort();
    free(life->fields);
    life->fields = fields;
    world_close(life->world);
    if (world_open(life->world, fields))
        life->fault = "the connector does not open";
}

/* ---- writes that are held ---- */

static void
land(struct life *life)
{
    world_tell_org(life->world, "/__org/land", "{}");
}

/* Long after it was given up and sent again. */
static void
land_after_window(struct life *life)
{
    if (!world_settle(life->world))
        life->fault = "a held write is waited for without end";
    land(life);
}

/* What was overwritten then is found by comparing, and set back. */
static void
land_after_window_and_repair(struct life *life)
{
    land_after_window(life);
    if (world_act(life->world, "{\"act\":\"repair\",\"all\":true}"))
        life->fault = "a repair is refused";
}

/* ---- the table ---- */

enum when {
    ANY_TIME,     /* the seed says whether before users are made or after */
    BEFORE_USERS, /* while they are made */
    AFTER_USERS
};

#define STATUS(status, more)                                                                       \
    "{\"on\":\"any\",\"do\":\"status\",\"status\":" status more ",\"skip\":%u}"
#define WRITES(fault, more) "{\"on\":\"write\",\"do\":\"" fault "\"" more ",\"skip\":%u}"

static const struct fault {
    const char *name;
    const char
        *json; /* for the org; %u: how many calls it lets pass; DATE: in a minute and a half */
    void (*strike)(struct life *life, uint64_t seed);
    void (*relieve)(struct life *life);
    enum when when;
    bool tls, only_titles; /* only_titles: what changes meanwhile is titles */
    bool ticks; /* seconds go by between deliveries, a quarter of the settle window in all */
} faults[] = {
    { .name = "401 at any call", .json = STATUS("401", "") },
    { .name = "401 at all calls", .json = STATUS("401", ",\"times\":5") },
    { .name = "403 request limit", .json = STATUS("403", ",\"times\":2") },
    { .name = "429", .json = STATUS("429", ",\"times\":3") },
    { .name = "429 with Retry-After",
      .json = STATUS("429", ",\"times\":3,\"headers\":{\"Retry-After\":\"30\"}") },
    { .name = "500, not applied", .json = STATUS("500", ",\"times\":2") },
    { .name = "500, applied", .json = WRITES("status", ",\"status\":500,\"commit\":true") },
    { .name = "503", .json = STATUS("503", ",\"times\":3") },
    { .name = "503 with Retry-After in seconds",
      .json = STATUS("503", ",\"headers\":{\"Retry-After\":\"120\"}") },
    { .name = "503 with Retry-After as a date",
      .json = STATUS("503", ",\"headers\":{\"Retry-After\":\"DATE\"}") },
    { .name = "503 with Retry-After that is none",
      .json = STATUS("503", ",\"headers\":{\"Retry-After\":\"soon\"}") },
    { .name = "reply dropped before the commit", .json = WRITES("drop_before", "") },
    { .name = "reply dropped after the commit", .json = WRITES("drop_after", "") },
    { .name = "reply dropped after the commit, three times",
      .json = WRITES("drop_after", ",\"times\":3") },
    { .name = "any call dropped",
      .json = "{\"on\":\"any\",\"do\":\"drop_before\",\"times\":2,\"skip\":%u}" },
    { .name = "closed in the middle of the body",
      .json = "{\"on\":\"any\",\"do\":\"cut\",\"times\":2,\"skip\":%u}" },
    { .name = "garbage", .json = "{\"on\":\"any\",\"do\":\"garbage\",\"times\":2,\"skip\":%u}" },
    { .name = "an answer too short", .json = WRITES("short_array", "") },
    { .name = "an answer too long", .json = WRITES("long_array", "") },
    { .name = "slow body",
      .json = "{\"on\":\"any\",\"do\":\"slow\",\"delay_ms\":30,\"times\":3,\"skip\":%u}" },
    { .name = "slow body, given up",
      .json = WRITES("slow", ",\"delay_ms\":1300"),
      .strike = be_impatient },
    { .name = "lock error of a record",
      .json = "{\"on\":\"write\",\"do\":\"refuse_record\",\"times\":3,\"skip\":%u}" },
    { .name = "lock error of a call",
      .json = WRITES("refuse_call_with", ",\"times\":2,\"errorCode\":\"UNABLE_TO_LOCK_ROW\"") },
    { .name = "token refused for a while",
      .json = "{\"on\":\"token\",\"do\":\"status\",\"status\":500,\"times\":3,\"skip\":%u}",
      .when = BEFORE_USERS },
    { .name = "late send, before the window's end",
      .json = WRITES("late", ",\"delay_ms\":-1"),
      .relieve = land,
      .ticks = true },
    { .name = "late create, after the window",
      .json = "{\"on\":\"collections_create\",\"do\":\"late\",\"delay_ms\":-1,\"skip\":%u}",
      .relieve = land_after_window,
      .when = BEFORE_USERS,
      .only_titles = true },
    { .name = "late update, after the window",
      .json = "{\"on\":\"collections_update\",\"do\":\"late\",\"delay_ms\":-1,\"skip\":%u}",
      .relieve = land_after_window_and_repair,
      .when = AFTER_USERS,
      .only_titles = true },
    { .name = "disk full", .strike = fill_disk, .relieve = disarm },
    { .name = "store locked", .strike = lock_store, .relieve = unlock_store, .when = AFTER_USERS },
    { .name = "clock set back", .strike = set_clock_back, .relieve = put_clock_right },
    { .name = "clock set ahead", .strike = set_clock_ahead, .relieve = put_clock_right },
    { .name = "clock set ahead, and a create without an answer",
      .json = "{\"on\":\"collections_create\",\"do\":\"drop_after\",\"skip\":%u}",
      .strike = set_clock_ahead,
      .relieve = put_clock_right,
      .when = BEFORE_USERS },
    { .name = "clock set back, and a create without an answer",
      .json = "{\"on\":\"collections_create\",\"do\":\"drop_after\",\"skip\":%u}",
      .strike = set_clock_back,
      .relieve = put_clock_right,
      .when = BEFORE_USERS },
    { .name = "socket fails", .strike = break_socket, .relieve = disarm },
    { .name = "TLS handshake broken", .strike = break_handshake, .relieve = disarm, .tls = true },
    { .name = "certificate changed midway",
      .strike = change_certificate,
      .relieve = find_name,
      .tls = true },
    { .name = "name does not resolve", .strike = lose_name, .relieve = find_name },
    { .name = "org gone for a day", .strike = lose_org, .relieve = disarm },
    { .name = "stopped sender",
      .strike = stop_sender,
      .relieve = wake_sender,
      .when = AFTER_USERS },
    { .name = "stopped sender, fenced",
      .strike = stop_sender_and_take_over,
      .relieve = wake_sender,
      .when = AFTER_USERS },
};

/* ---- one life ---- */

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 31;
}

/* The text with one mark of it replaced; heap. */
static char *
fill_in(const char *text, const char *mark, const char *value)
{
    const char *at = strstr(text, mark);
    char *filled = NULL;

    if (!at)
        return strdup(text);
    if (asprintf(&filled, "%.*s%s%s", (int)(at - text), text, value, at + strlen(mark)) < 0)
        abort();
    return filled;
}

static void
strike(struct life *life, const struct fault *fault, unsigned skip)
{
    time_t later = (time_t)(clock_now_us() / CLOCK_SECOND_US) + 90;
    char number[12], date[40], *skipped, *json;

    life->relieve = fault->relieve;
    if (fault->strike)
        fault->strike(life, life->seed);
    if (!fault->json)
        return;
    snprintf(number, sizeof(number), "%u", skip);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&later));
    skipped = fill_in(fault->json, "%u", number);
    json = fill_in(skipped, "DATE", date);
    world_tell_org(life->world, "/__org/faults", json);
    free(skipped);
    free(json);
}

static void
make_users(struct life *life)
{
    for (int user = 0; !life->fault && user < USER_COUNT; user++)
        life_submit(life, &(struct step){ PUT, user, 2 });
    deliver_once(life);
}

static void
change_users(struct life *life, const struct fault *fault)
{
    static const enum op ops[] = { PATCH, PUT, DEACTIVATE, SWAP, ACTIVATE, DELETE, PATCH, PUT };
    uint64_t random = life->seed;

    for (int i = 0; !life->fault && i < 8; i++) {
        struct step step = { ops[next_random(&random) % 8],
                             (int)(next_random(&random) % USER_COUNT),
                             (unsigned)(next_random(&random) >> 40) };
        if (fault->only_titles)
            step.op = PATCH;
        if (step.op == SWAP)
            life_swap(life, &step);
        else
            life_submit(life, &step);
        if (fault->ticks)
            shim_clock_move(2 * CLOCK_SECOND_US);
        if (!life->fault && i % 2)
            deliver_once(life);
    }
}

/* Notes which kind of call it was. */
static bool
org_met_fault(struct world *world)
{
    char *text = org_sim_ask(world->sim, "acme", "GET", "/__org/calls", NULL, NULL);
    struct json_object *answer = text ? json_tokener_parse(text) : NULL,
                       *calls = json_get(answer, "calls");
    bool any = false;

    for (size_t i = 0; calls && i < json_object_array_length(calls); i++) {
        struct json_object *call = json_object_array_get_idx(calls, i);
        const char *target = json_get_string(call, "path");
        if (!json_get_string(call, "fault"))
            continue;
        any = true;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            kinds[k].met +=
                strstr(target, kinds[k].part) &&
                (!kinds[k].soql || strstr(json_get_string(call, "soql"), kinds[k].soql) != NULL);
    }
    json_object_put(answer);
    free(text);
    return any;
}

/* NULL: all is well. skip: how many calls the org lets pass before it. */
static const char *
run(struct world *world, const struct fault *fault, uint64_t seed, unsigned skip, bool print)
{
    bool before = fault->when == ANY_TIME ? seed % 2 : fault->when == BEFORE_USERS;
    bool struck_before = struck;
    struct life life;

    life_begin(&life, world, seed);
    if (before)
        strike(&life, fault, skip);
    make_users(&life);
    if (!before)
        strike(&life, fault, skip);
    change_users(&life, fault);
    if (life.relieve)
        life.relieve(&life);
    life.relieve = NULL;
    if (!life.fault)
        life_settle(&life);
    if (!life.fault)
        life_judge(&life);
    if (life.fault && print) {
        printf("%s, seed %llu, after %u calls: %s %s\n", fault->name, (unsigned long long)seed,
               skip, life.fault, world->error.text);
        life_print(&life);
    }
    met = fault->json && org_met_fault(world);
    if (fault->json) /* without it, what is done beside it is another row's test */
        struck = struck_before || met;
    shim_disarm();
    unlock_store(&life);
    life_end(&life);
    return life.fault;
}

static struct world clear, tls;

static struct world *
world_of(const struct fault *fault)
{
    return fault->tls ? &tls : &clear;
}

/* As many lives as seeds, each with the fault at a call that follows from the seed. */
static bool
run_seeds(const struct fault *fault, uint64_t first, unsigned seeds)
{
    unsigned bad = 0;

    struck = false;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        bad += run(world_of(fault), fault, seed, (unsigned)(seed / 2 % 6), bad == 0) != NULL;
    printf("%s: %u seeds, %u failed%s\n", fault->name, seeds, bad,
           struck || !seeds ? "" : "; it never struck");
    return bad == 0 && (struck || !seeds);
}

/* A life that has all there is: passwords, freezing, `match`. Each stride-th call of it meets the fault. */
static bool
run_calls(const struct fault *fault, unsigned first, unsigned stride)
{
    unsigned bad = 0, lives = 0;
    struct fault from_the_start = *fault;

    from_the_start.when = BEFORE_USERS;
    met = true;
    for (unsigned skip = first; met && bad < 3; skip += stride, lives++)
        bad += run(world_of(fault), &from_the_start, FULL_SEED, skip, bad == 0) != NULL;
    printf("%s: at each call: %u lives, %u failed\n", fault->name, lives, bad);
    return bad == 0;
}

/* Whether every kind of call has met a fault. */
static bool
all_kinds_met(void)
{
    bool all = true;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (kinds[k].met == 0)
            printf("no fault met a call with '%s%s'\n", kinds[k].part,
                   kinds[k].soql ? kinds[k].soql : "");
        all = all && kinds[k].met > 0;
    }
    return all;
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    unsigned seeds = argc > 3 ? (unsigned)atoi(argv[3]) : 4, passed = 0, failed = 0;
    unsigned stride = argc > 4 ? (unsigned)atoi(argv[4]) : 3;

    setvbuf(stdout, NULL, _IOLBF, 0);
    db_busy_timeout_ms = 20; /* who has the store locked here does not give it up in time */
    world_start(&clear, ORG_SIM_PLAIN_HTTP);
    world_start(&tls, ORG_SIM_GOOD);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        bool good;
        if (!strstr(faults[i].name, only))
            continue;
        good = run_seeds(&faults[i], first, seeds);
        if (faults[i].json && !faults[i].relieve && stride)
            good = run_calls(&faults[i], (unsigned)i % stride, stride) && good;
        passed += good;
        failed += !good;
    }
    if (!*only && stride) {
        bool all = all_kinds_met();
        passed += all;
        failed += !all;
    }
    world_stop(&clear);
    world_stop(&tls);
    printf("faults: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
