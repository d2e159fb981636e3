/*
 * Random lives of a few users: events, faults of the org, kills, losses of power, calls that fail, clocks that move,
 * connectors opened anew, acts of admins on both sides. Then everything settles, and the org must be
 * what the model says, which knows nothing but the events that were accepted.
 *   model [SEED [SEQUENCES [SECONDS]]]   so many sequences, or for so long; each has the next seed
 * A failure prints its seed, and the shortest list of steps found that still fails.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "tests/torture/life.h"
#include "tests/torture/shim.h"

#define SHRINK_MAX 400

/* ---- steps ---- */

static const struct {
    const char *name;
    unsigned weight;
} ops[OP_COUNT] = {
    { "put", 10 },   { "patch", 6 },         { "deactivate", 4 },  { "activate", 3 },
    { "delete", 2 }, { "swap", 2 },          { "list", 1 },        { "deliver", 17 },
    { "fault", 9 },  { "kill delivery", 3 }, { "kill submit", 2 }, { "fail", 3 },
    { "rival", 2 },  { "reopen", 2 },        { "clock", 4 },       { "skew", 1 },
    { "act", 4 },    { "edit", 2 },          { "expire", 1 },      { "seats", 1 },
    { "quota", 1 },  { "land", 2 },
};

static const char *const faults[] = {
    "{\"on\":\"collections\",\"do\":\"drop_before\"}",
    "{\"on\":\"collections\",\"do\":\"drop_after\"}",
    "{\"on\":\"collections\",\"do\":\"drop_after\",\"times\":3}",
    "{\"on\":\"collections\",\"do\":\"late\",\"delay_ms\":-1}",
    "{\"on\":\"collections\",\"do\":\"late\",\"delay_ms\":-1,\"times\":2}",
    "{\"on\":\"collections\",\"do\":\"garbage\"}",
    "{\"on\":\"collections\",\"do\":\"cut\"}",
    "{\"on\":\"collections\",\"do\":\"short_array\"}",
    "{\"on\":\"collections\",\"do\":\"long_array\"}",
    /* of a create nobody could tell; Salesforce promises the order of the request */
    "{\"on\":\"collections_update\",\"do\":\"swap_array\"}",
    "{\"on\":\"collections\",\"do\":\"status\",\"status\":503}",
    "{\"on\":\"collections\",\"do\":\"status\",\"status\":500,\"commit\":true}",
    "{\"on\":\"collections\",\"do\":\"status\",\"status\":401,\"body\":[{\"errorCode\":"
    "\"INVALID_SESSION_ID\",\"message\":\"Session expired or invalid\"}]}",
    "{\"on\":\"any\",\"do\":\"status\",\"status\":403,\"body\":[{\"errorCode\":"
    "\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"TotalRequests Limit exceeded.\"}]}",
    "{\"on\":\"any\",\"do\":\"status\",\"status\":429,\"times\":2}",
    "{\"on\":\"collections\",\"do\":\"refuse_record\",\"times\":2}",
    "{\"on\":\"collections\",\"do\":\"refuse_record\",\"statusCode\":"
    "\"FIELD_INTEGRITY_EXCEPTION\",\"message\":\"no\"}",
    "{\"on\":\"collections\",\"do\":\"refuse_call_with\",\"times\":1}",
    "{\"on\":\"token\",\"do\":\"status\",\"status\":500}",
    "{\"on\":\"token\",\"do\":\"drop_before\",\"times\":2}",
    "{\"on\":\"query\",\"do\":\"status\",\"status\":503}",
    "{\"on\":\"query\",\"do\":\"drop_after\"}",
    "{\"on\":\"query\",\"do\":\"cut\"}",
};

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void
make_steps(uint64_t seed, struct step *steps)
{
    unsigned sum = 0;

    for (size_t op = 0; op < OP_COUNT; op++)
        sum += ops[op].weight;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        unsigned at = (unsigned)(next_random(&seed) % sum);
        size_t op = 0;
        for (; at >= ops[op].weight; op++)
            at -= ops[op].weight;
        steps[i] = (struct step){ (enum op)op, (int)(next_random(&seed) % USER_COUNT),
                                  (unsigned)(next_random(&seed) >> 33) };
    }
}

/* ---- running ---- */

static void
act(struct life *life, const struct step *step)
{
    static const char *const acts[] = {
        "{\"act\":\"retry\",\"user\":\"/Users/%d\"}",
        "{\"act\":\"retry\",\"state\":\"parked\"}",
        "{\"act\":\"hold\",\"reason\":\"test\"}",
        "{\"act\":\"resume\"}",
        "{\"act\":\"release\"}",
        "{\"act\":\"replan\",\"user\":\"/Users/%d\"}",
        "{\"act\":\"replan\",\"all\":true,\"force\":true}",
    };
    const char *form = acts[step->arg % (sizeof(acts) / sizeof(acts[0]))],
               *user = strstr(form, "%d");
    char text[100];

    if (user)
        snprintf(text, sizeof(text), "%.*s%d%s", (int)(user - form), form, step->user, user + 2);
    else
        snprintf(text, sizeof(text), "%s", form);
    (void)world_act(life->world, text); /* refused where there is no such user yet */
}

static void *
deliver_elsewhere(void *argument)
{
    const struct world *world = argument;
    struct world other = *world;
    struct prov_delivery delivery;

    other.worker = false;
    other.connector = NULL;
    if (world_open(&other, other.fields) == 0) {
        for (int i = 0; i < 2; i++)
            world_deliver(&other, &delivery);
    }
    world_close(&other);
    return NULL;
}

static void
await(pid_t child, const pthread_t *thread)
{
    if (child == 0)
        pthread_join(*thread, NULL);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* A second connector on the same store delivers, in a process of its own or on a thread: while this one
 * does, if a life has threads, else before. */
static void
run_rival(struct life *life, unsigned arg)
{
    struct prov_delivery delivery;
    pthread_t thread = 0;
    pid_t child = 0;

    life->died = true; /* who delivers tells, and may be of another process */
    life->world->fields = life->fields;
    fflush(stdout);
    if (arg % 2) {
        child = fork();
        if (child == 0) {
            deliver_elsewhere(life->world);
            _exit(0);
        }
    } else if (pthread_create(&thread, NULL, deliver_elsewhere, life->world) != 0) {
        abort();
    }
    if (!life->threads)
        await(child, &thread);
    life_submit(life, &(struct step){ PATCH, (int)(arg >> 1) % USER_COUNT, 0 });
    if (world_deliver(life->world, &delivery))
        life->fault = "deliver fails beside another one";
    if (life->threads)
        await(child, &thread);
}

/* Seats of the licence, and calls used of 1000; all if it is not there. */
static void
limit(struct life *life, unsigned seats, unsigned used)
{
    char body[100];

    snprintf(body, sizeof(body), "{\"seats\":{\"Salesforce\":%u},\"api_max\":1000,\"api_used\":%u}",
             seats, used);
    world_tell_org(life->world, "/__org/settings", body);
}

static void
run_step(struct life *life, const struct step *step)
{
    struct prov_delivery delivery;
    const char *fault;

    switch (step->op) {
    case DELIVER:
        if (world_deliver(life->world, &delivery))
            life->fault = "deliver fails";
        break;
    case FAULT:
        fault = faults[step->arg % (sizeof(faults) / sizeof(faults[0]))];
        /* a thread could send between the look for late writes and the move of the clock */
        if (!life->world->worker || !strstr(fault, "late"))
            world_tell_org(life->world, "/__org/faults", fault);
        break;
    case KILL_DELIVERY:
        life_die(life, step->arg, NULL);
        break;
    case REOPEN:
        life_reopen(life, step->arg);
        break;
    case LAND:
        life_land(life);
        break;
    case CLOCK:
        life_land(life); /* nothing is later than the settle window */
        world_pass(life->world, step->arg % INT64_C(200000) * 1000);
        break;
    case SKEW: /* up to a day back or ahead; and right again by another such step */
        shim_clock_skew((int64_t)(step->arg % 86400) * (step->arg >> 21 & 1 ? 1000000 : -1000000) *
                        (step->arg >> 20 & 1));
        break;
    case ACT:
        act(life, step);
        break;
    case EDIT:
        life_edit(life, step);
        break;
    case EXPIRE:
        world_tell_org(life->world, "/__org/expire_tokens", "{}");
        break;
    case SWAP:
        life_swap(life, step);
        break;
    case LIST:
        life_list(life, step);
        break;
    case RIVAL:
        run_rival(life, step->arg);
        break;
    case SEATS:
        limit(life, 4 + step->arg % 4, 0);
        break;
    case QUOTA:
        limit(life, 100, 850 + step->arg % 150);
        break;
    default:
        life_submit(life, step);
        break;
    }
}

/* NULL: all is well. */
static const char *
run_life(struct world *world, uint64_t seed, const struct step *steps, size_t count, bool print)
{
    struct life life;

    life_begin(&life, world, seed);
    for (size_t i = 0; !life.fault && i < count; i++)
        run_step(&life, &steps[i]);
    if (!life.fault)
        life_settle(&life);
    if (!life.fault)
        life_judge(&life);
    if (life.fault && print) {
        printf("%s %s\n", life.fault, world->error.text);
        life_print(&life);
    }
    life_end(&life);
    return life.fault;
}

/* ---- failures ---- */

/* Leaves out steps while it still fails. Of lives with threads timing is no part of the seed, so one may
 * fail now and then only; a step is left out if it failed without it once. */
static size_t
shrink(struct world *world, uint64_t seed, struct step *steps, size_t count)
{
    struct step tried[STEP_COUNT];
    int runs = 0;

    for (size_t part = count / 2; part > 0; part /= 2) {
        for (size_t at = 0; at + part <= count && runs < SHRINK_MAX; runs++) {
            memcpy(tried, steps, at * sizeof(*steps));
            memcpy(tried + at, steps + at + part, (count - at - part) * sizeof(*steps));
            if (run_life(world, seed, tried, count - part, false)) {
                count -= part;
                memcpy(steps, tried, count * sizeof(*steps));
            } else {
                at += part;
            }
        }
    }
    return count;
}

static void
report_failure(struct world *world, uint64_t seed, struct step *steps, const char *fault)
{
    size_t count;

    printf("seed %llu: %s\n", (unsigned long long)seed, fault);
    count = shrink(world, seed, steps, STEP_COUNT);
    printf("shortest list of steps that fails:\n");
    for (size_t i = 0; i < count; i++)
        printf("  %zu. %s, user %d, %u%s%s\n", i + 1, ops[steps[i].op].name, steps[i].user,
               steps[i].arg, steps[i].op == FAULT ? " " : "",
               steps[i].op == FAULT ? faults[steps[i].arg % (sizeof(faults) / sizeof(faults[0]))]
                                    : "");
    if (!run_life(world, seed, steps, count, true))
        printf("it did not fail once more: it depends on timing too\n");
    printf("again: tests/torture/model %llu 1\n", (unsigned long long)seed);
}

/* a clock that was set back and is put right makes what was just sent look hours old */
static const struct step clock_put_right[] = {
    { PUT, 2, 1 },    { DELIVER, 0, 0 }, { FAULT, 0, 3 },   { SKEW, 0, 1 << 20 },
    { PATCH, 2, 0 },  { DELIVER, 0, 0 }, { PATCH, 2, 0 },   { SKEW, 0, 0 },
    { REOPEN, 0, 2 }, { DELIVER, 0, 0 }, { DELIVER, 0, 0 },
};
/* a name that is sent in vain, and then not wanted any more, stands in another one's way */
static const struct step name_given_up[] = {
    { KILL_SUBMIT, 1, 350832456 },
    { KILL_SUBMIT, 3, 681936216 },
    { DELIVER, 0, 0 },
    { SWAP, 1, 1937377369 },
    { FAULT, 0, 17 },
    { PUT, 3, 1135887324 },
    { DELIVER, 0, 0 },
    { SWAP, 3, 1073895694 },
};
/* who wants the name of a leaver keeps another one from his */
static const struct step leavers_name[] = {
    { PUT, 4, 736629757 },   { PUT, 3, 289968852 },   { PUT, 2, 149445604 },    { DELIVER, 0, 0 },
    { SWAP, 4, 1517300830 }, { SWAP, 3, 1776491535 }, { DELETE, 3, 651366314 },
};
/* a leaver's new name is another one's, who waits for a stranger's */
static const struct step leaver_waits[] = {
    { KILL_SUBMIT, 3, 296439961 }, { PUT, 0, 1206439058 }, { DELIVER, 0, 0 },
    { DEACTIVATE, 0, 0 },          { PUT, 2, 808091322 },  { DELIVER, 0, 0 },
    { SWAP, 2, 1269871960 },       { SWAP, 3, 209619833 },
};

/* the file, its log and what is shared of it are opened to read, since that to write failed once */
static const struct step opened_to_read[] = {
    { PUT, 3, 0 },   { FAIL, 4, 14 }, { FAIL, 0, 21 }, { FAIL, 4, 28 }, { FAIL, 0, 35 },
    { FAIL, 4, 42 }, { FAIL, 0, 49 }, { FAIL, 4, 56 }, { FAIL, 0, 70 },
};

/* Lives that once failed; arguments as the steps above take them. */
static const struct {
    uint64_t seed;
    const struct step *steps;
    size_t count;
} known[] = {
    { 0, clock_put_right, sizeof(clock_put_right) / sizeof(struct step) },
    { 501956, name_given_up, sizeof(name_given_up) / sizeof(struct step) },
    { 302, leavers_name, sizeof(leavers_name) / sizeof(struct step) },
    { 90607, leaver_waits, sizeof(leaver_waits) / sizeof(struct step) },
    { 46, opened_to_read, sizeof(opened_to_read) / sizeof(struct step) },
};
#define KNOWN_COUNT ((unsigned)(sizeof(known) / sizeof(known[0])))

static unsigned
run_known(struct world *world)
{
    unsigned failed = 0;

    for (size_t i = 0; i < KNOWN_COUNT; i++)
        failed += run_life(world, known[i].seed, known[i].steps, known[i].count, true) != NULL;
    return failed;
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned sequences = argc > 2 ? (unsigned)atoi(argv[2]) : 60, lives = 0, failed;
    time_t end = argc > 3 ? time(NULL) + atoi(argv[3]) : 0;
    struct world world;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    world_start(&world, ORG_SIM_PLAIN_HTTP);
    failed = run_known(&world);
    for (; (end ? time(NULL) < end : lives < sequences) && failed < 3; seed++, lives++) {
        struct step steps[STEP_COUNT];
        const char *fault;
        make_steps(seed, steps);
        fault = run_life(&world, seed, steps, STEP_COUNT, false);
        if (fault)
            report_failure(&world, seed, steps, fault);
        failed += fault != NULL;
    }
    world_stop(&world);
    printf("%u steps; up to seed %llu; %u lives known to have failed\n", lives * STEP_COUNT,
           (unsigned long long)seed - 1, KNOWN_COUNT);
    printf("model: %u passed, %u failed\n", lives + KNOWN_COUNT - failed, failed);
    return failed || !lives;
}
