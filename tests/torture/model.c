/*
 * Random lives of a few users: events, faults of the org, kills, losses of power, clocks that move,
 * connectors opened anew, acts of admins on both sides. Then everything settles, and the org must be
 * what the model says, which knows nothing but the events that were accepted.
 *   model [SEED [SEQUENCES [SECONDS]]]   so many sequences, or for so long; each has the next seed
 * A failure prints its seed, and the shortest list of steps found that still fails.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "tests/torture/shim.h"
#include "tests/torture/world.h"

#define USER_COUNT 5
#define STEP_COUNT 60
#define SHRINK_MAX 400

/* ---- steps ---- */

enum op {
    PUT,
    PATCH,
    DEACTIVATE,
    ACTIVATE,
    DELETE,
    DELIVER,
    FAULT,
    KILL_DELIVERY,
    KILL_SUBMIT,
    REOPEN,
    CLOCK,
    SKEW,
    ACT,
    EDIT,
    EXPIRE,
    OP_COUNT
};

static const struct {
    const char *name;
    unsigned weight;
} ops[OP_COUNT] = { { "put", 9 },      { "patch", 6 },         { "deactivate", 4 },
                    { "activate", 3 }, { "delete", 2 },        { "deliver", 16 },
                    { "fault", 9 },    { "kill delivery", 4 }, { "kill submit", 2 },
                    { "reopen", 2 },   { "clock", 4 },         { "skew", 1 },
                    { "act", 4 },      { "edit", 2 },          { "expire", 1 } };

struct step {
    enum op op;
    int user;
    unsigned arg;
};

static const char *const faults[] = {
    "{\"on\":\"collections\",\"do\":\"drop_before\"}",
    "{\"on\":\"collections\",\"do\":\"drop_after\"}",
    "{\"on\":\"collections\",\"do\":\"drop_after\",\"times\":3}",
    "{\"on\":\"collections\",\"do\":\"late\",\"delay_ms\":40}",
    "{\"on\":\"collections\",\"do\":\"late\",\"delay_ms\":40,\"times\":2}",
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

/* ---- the model ---- */

struct person {
    bool known, gone, active;
    char name[40], title[16], fax[16];
};

struct life {
    struct world *world;
    uint64_t seed;
    char *fields;
    unsigned event; /* the last one's jti */
    struct person people[USER_COUNT];
    const char *fault; /* what went wrong; NULL: nothing */
};

/* ---- events ---- */

static char *
event_text(struct life *life, int user, const char *kind, const char *payload)
{
    char *text = NULL;

    if (asprintf(&text,
                 "{\"jti\":\"e%u\",\"iss\":\"https://idp.example\",\"sub_id\":{\"format\":\"scim\","
                 "\"uri\":\"/Users/%d\"},\"events\":{\"urn:ietf:params:scim:event:prov:%s\":%s}}",
                 ++life->event, user, kind, payload) < 0)
        abort();
    return text;
}

/* The event of this step; NULL: it makes no sense for the user as he is. The model knows it then. */
static char *
make_event(struct life *life, const struct step *step)
{
    struct person *person = &life->people[step->user];
    char payload[400] = "{}";
    enum op op = step->op == KILL_SUBMIT ? PUT : step->op;

    if (op != PUT && (!person->known || person->gone))
        return NULL;
    if (op == PUT || op == PATCH)
        snprintf(person->title, sizeof(person->title), "t%u", life->event + 1);
    if (op == PUT) {
        person->known = person->active = true;
        person->gone = false;
        snprintf(person->name, sizeof(person->name), "u%d%c@acme.example", step->user,
                 step->arg % 4 ? 'x' : 'y');
        snprintf(payload, sizeof(payload),
                 "{\"data\":{\"userName\":\"%.3s\",\"active\":true,\"title\":\"%s\",\"name\":"
                 "{\"familyName\":\"Doe\"},\"emails\":[{\"value\":\"u@example.com\"}]}}",
                 person->name, person->title);
        return event_text(life, step->user, "put:full", payload);
    }
    if (op == PATCH) {
        snprintf(payload, sizeof(payload),
                 "{\"data\":{\"Operations\":[{\"op\":\"replace\",\"path\":\"title\",\"value\":"
                 "\"%s\"}]}}",
                 person->title);
        return event_text(life, step->user, "patch:full", payload);
    }
    person->gone = op == DELETE;
    person->active = op == ACTIVATE;
    return event_text(life, step->user, ops[op].name, payload);
}

/* ---- a process that dies ---- */

static void
die_in_child(struct life *life, unsigned arg, const char *event)
{
    struct shim_plan plan = { SHIM_STORE | SHIM_SOCKET, SHIM_DIE, 1 + (long)(arg % 97), 0, 0 };
    struct prov_delivery delivery;
    pid_t child;

    if (arg >> 8 & 1) {
        plan.action = SHIM_LOSE;
        plan.chance = arg >> 9 & 7;
    }
    world_close(life->world);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        shim_follow(plan.action == SHIM_LOSE ? life->world->folder : "");
        shim_arm(&plan);
        if (world_open(life->world, life->fields) == 0 && event)
            world_submit(life->world, event);
        for (int i = 0; i < 3 && !event; i++)
            world_deliver(life->world, &delivery);
        _exit(0);
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (world_open(life->world, life->fields))
        life->fault = "the store cannot be opened again";
}

/* ---- running ---- */

static void
submit(struct life *life, const struct step *step)
{
    char *event = make_event(life, step);

    if (event && step->op == KILL_SUBMIT)
        die_in_child(life, step->arg, event);
    /* a host whose submit had no answer submits again */
    if (event && !life->fault && world_submit(life->world, event) != PROV_ANSWER_ACCEPTED)
        life->fault = "an event is not accepted";
    free(event);
}

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

/* Account of a user; *ret_count: how many there are, under any name he had. */
static struct json_object *
account_of(struct json_object *users, int user, size_t *ret_count)
{
    struct json_object *account = NULL;
    char prefix[8];

    *ret_count = 0;
    snprintf(prefix, sizeof(prefix), "u%d", user);
    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct json_object *one = json_object_array_get_idx(users, i);
        if (strncmp(json_get_string(one, "Username"), prefix, strlen(prefix)) != 0)
            continue;
        account = one;
        (*ret_count)++;
    }
    return account;
}

/* Another admin changes what the connector does not map. */
static void
edit(struct life *life, const struct step *step)
{
    struct json_object *users = world_users(life->world);
    struct person *person = &life->people[step->user];
    size_t count;
    struct json_object *account = account_of(users, step->user, &count);
    char target[100], body[60];

    if (account) {
        snprintf(person->fax, sizeof(person->fax), "%u", step->arg % 100000);
        snprintf(target, sizeof(target), "/__org/users/%s", json_get_string(account, "Id"));
        snprintf(body, sizeof(body), "{\"Fax\":\"%s\"}", person->fax);
        world_change_org(life->world, target, body);
    }
    json_object_put(users);
}

static void
reopen(struct life *life, unsigned arg)
{
    static const int sizes[] = { 1, 2, 200 };
    char more[100];

    snprintf(more, sizeof(more), "\"batch_size\":%d,\"guard_floor\":%u,", sizes[arg % 3],
             life->seed % 2 ? 2 : 1000);
    free(life->fields);
    life->fields = world_fields(life->world, more);
    world_close(life->world);
    if (world_open(life->world, life->fields))
        life->fault = "the connector does not open";
}

static void
run_step(struct life *life, const struct step *step)
{
    struct prov_delivery delivery;

    switch (step->op) {
    case DELIVER:
        if (world_deliver(life->world, &delivery))
            life->fault = "deliver fails";
        break;
    case FAULT:
        world_tell_org(life->world, "/__org/faults",
                       faults[step->arg % (sizeof(faults) / sizeof(faults[0]))]);
        break;
    case KILL_DELIVERY:
        die_in_child(life, step->arg, NULL);
        break;
    case REOPEN:
        reopen(life, step->arg);
        break;
    case CLOCK:
        world_pass(life->world, step->arg % INT64_C(200000) * 1000);
        break;
    case SKEW: /* up to a day back; and back again by another such step */
        shim_clock_skew(-(int64_t)(step->arg % 86400) * 1000000 * (step->arg >> 20 & 1));
        break;
    case ACT:
        act(life, step);
        break;
    case EDIT:
        edit(life, step);
        break;
    case EXPIRE:
        world_tell_org(life->world, "/__org/expire_tokens", "{}");
        break;
    default:
        submit(life, step);
        break;
    }
}

/* ---- judging ---- */

static const char *
judge_person(const struct person *person, struct json_object *account, size_t count)
{
    bool active = json_get_bool(account, "IsActive", false);
    bool wanted = person->known && !person->gone && person->active;
    const char *fax = json_get_string(account, "Fax");

    if (count > 1)
        return "a user is doubled";
    if (wanted && !account)
        return "a user is missing";
    if (active != wanted)
        return wanted ? "a user is inactive" : "a user is active after deactivation";
    if (account && strcmp(fax ? fax : "", person->fax) != 0)
        return "what another admin did is undone";
    if (account && !person->gone &&
        (strcmp(json_get_string(account, "Username"), person->name) != 0 ||
         strcmp(json_get_string(account, "Title"), person->title) != 0))
        return "a user is older than accepted";
    return NULL;
}

static void
judge(struct life *life)
{
    struct json_object *users = world_users(life->world);
    size_t all = 0;

    for (int user = 0; !life->fault && user < USER_COUNT; user++) {
        size_t count;
        struct json_object *account = account_of(users, user, &count);
        all += count;
        life->fault = judge_person(&life->people[user], account, count);
    }
    if (!life->fault && all != json_object_array_length(users))
        life->fault = "there is a user whom nobody wanted";
    json_object_put(users);
}

/* All that stands in the way is taken out of it, as an admin would. */
static void
settle(struct life *life)
{
    static const char *const acts[] = { "{\"act\":\"resume\"}", "{\"act\":\"release\"}",
                                        "{\"act\":\"retry\",\"state\":\"parked\"}" };

    world_tell_org(life->world, "/__org/faults", NULL);
    for (int times = 0; !life->fault && times < 2; times++) {
        for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
            if (world_act(life->world, acts[i]))
                life->fault = "an act is refused";
        }
        if (!world_settle(life->world))
            life->fault = "it does not settle";
    }
    world_pass(life->world, 0); /* what lands late shows */
}

static void
print_life(struct life *life)
{
    struct json_object *users = world_users(life->world);

    for (int user = 0; user < USER_COUNT; user++) {
        const struct person *person = &life->people[user];
        printf("  wanted: user %d %s title '%s' fax '%s' %s\n", user, person->name, person->title,
               person->fax,
               person->gone     ? "gone"
               : person->active ? "active"
                                : "inactive");
    }
    world_print(users);
    json_object_put(users);
    if (life->world->connector)
        world_print_subjects(life->world);
}

/* NULL: all is well. */
static const char *
run_life(struct world *world, uint64_t seed, const struct step *steps, size_t count, bool print)
{
    struct life life = { .world = world, .seed = seed };

    world_reset(world);
    world->error.text[0] = '\0';
    reopen(&life, 2);
    for (size_t i = 0; !life.fault && i < count; i++)
        run_step(&life, &steps[i]);
    if (!life.fault)
        settle(&life);
    if (!life.fault)
        judge(&life);
    if (life.fault && print) {
        printf("%s %s\n", life.fault, world->error.text);
        print_life(&life);
    }
    world_close(world);
    free(life.fields);
    return life.fault;
}

/* ---- failures ---- */

/* Leaves out steps while it still fails. Timing is not in the seed, so a life may fail now and then
 * only; a step is left out if it failed without it once. */
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

/* Lives that once failed; arguments as the steps above take them. */
static bool
run_known(struct world *world)
{
    /* a clock that was set back and is put right makes what was just sent look hours old */
    static const struct step clock_put_right[] = {
        { PUT, 2, 1 },    { DELIVER, 0, 0 }, { FAULT, 0, 3 },   { SKEW, 0, 1 << 20 },
        { PATCH, 2, 0 },  { DELIVER, 0, 0 }, { PATCH, 2, 0 },   { SKEW, 0, 0 },
        { REOPEN, 0, 2 }, { DELIVER, 0, 0 }, { DELIVER, 0, 0 },
    };
    size_t count = sizeof(clock_put_right) / sizeof(clock_put_right[0]);

    return run_life(world, 0, clock_put_right, count, true) == NULL;
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned sequences = argc > 2 ? (unsigned)atoi(argv[2]) : 60, passed = 0, failed = 0;
    time_t end = argc > 3 ? time(NULL) + atoi(argv[3]) : 0;
    struct world world;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    world_start(&world);
    passed += run_known(&world);
    failed += !passed;
    for (; (end ? time(NULL) < end : passed + failed < sequences) && failed < 3; seed++) {
        struct step steps[STEP_COUNT];
        const char *fault;
        make_steps(seed, steps);
        fault = run_life(&world, seed, steps, STEP_COUNT, false);
        if (fault)
            report_failure(&world, seed, steps, fault);
        passed += !fault;
        failed += fault != NULL;
    }
    world_stop(&world);
    printf("%u steps; up to seed %llu\n", (passed + failed) * STEP_COUNT,
           (unsigned long long)seed - 1);
    printf("model: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
