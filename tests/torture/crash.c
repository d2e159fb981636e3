/*
 * A fixed small life of two users, and each call of it that can fail or be the last: a child process
 * lives it until the shim strikes; then another process finishes. What submit had answered accepted
 * must be in the org, once and in order, and nothing else; nobody crashes or hangs. The loops "beside another" live
 * the life of beside.c instead, in which a second process writes the same store.
 *   crash [STRIDE [LOOP [CALL [LAST]]]]   each STRIDE-th call (1: all), of the loops with this in their
 *                                         name; that call alone, or from there to the last one
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "tests/torture/beside.h"
#include "tests/torture/shim.h"
#include "tests/torture/watch.h"
#include "tests/torture/world.h"

#define HANG_S 30

/* ---- the life ---- */

#define EVENT(jti, uri, kind, payload)                                                             \
    "{\"jti\":\"" jti "\",\"iss\":\"https://idp.example\",\"sub_id\":{\"format\":\"scim\","        \
    "\"uri\":\"/Users/" uri "\"},\"events\":{\"urn:ietf:params:scim:event:" kind "\":" payload     \
    "}}"
#define PERSON(name, title)                                                                        \
    "{\"data\":{\"userName\":\"" name "\",\"active\":true,\"title\":\"" title                      \
    "\",\"name\":{\"familyName\":\"Doe\"},"                                                        \
    "\"emails\":[{\"value\":\"" name "@example.com\",\"primary\":true}]}}"

#define SECRET "Kestrel-7-Meadow"
#define PASSWORD                                                                                   \
    "{\"data\":{\"Operations\":[{\"op\":\"replace\",\"path\":\"password\",\"value\":\"" SECRET     \
    "\"}]}}"

/* Whom an event is about, and what of him is in the org then. Delivery runs after those that say so. */
static const struct event {
    const char *json;
    int user;
    const char *username, *title;
    bool active, deliver;
} events[] = {
    { EVENT("1", "a", "prov:create:full", PERSON("ann", "one")), 0, "ann@acme.example", "one", true,
      false },
    { EVENT("2", "b", "prov:create:full", PERSON("bob", "one")), 1, "bob@acme.example", "one", true,
      true },
    { EVENT("3", "a", "prov:put:full", PERSON("anna", "two")), 0, "anna@acme.example", "two", true,
      false },
    { EVENT("4", "b", "prov:deactivate", "{}"), 1, "bob@acme.example", "one", false, true },
    { EVENT("5", "b", "prov:activate", "{}"), 1, "bob@acme.example", "one", true, true },
    { EVENT("6", "a", "prov:delete", "{}"), 0, "anna@acme.example", "two", false, true },
    { EVENT("7", "b", "prov:patch:full", PASSWORD), 1, "bob@acme.example", "one", true, true },
};
#define EVENT_COUNT (sizeof(events) / sizeof(events[0]))
#define USER_COUNT  2

static char *fields;

/* Shared with the child. */
static struct report {
    size_t accepted; /* events answered so, in order */
    bool done;
    long calls;
} * report;

/* As a host does: what is not known to be accepted is submitted again; each so many times. */
static void
live(struct world *world, const struct shim_plan *plan)
{
    struct prov_delivery delivery;

    shim_arm(plan);
    if (world_open(world, fields) && world_open(world, fields))
        return;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        unsigned status = 0;
        for (int times = 0; times < 3 && status != PROV_ANSWER_ACCEPTED; times++)
            status = world_submit(world, events[i].json);
        if (status != PROV_ANSWER_ACCEPTED)
            break;
        report->accepted++;
        for (int rounds = 0; events[i].deliver && rounds < 2; rounds++)
            world_deliver(world, &delivery);
    }
    world_close(world);
}

/* ---- what must be ---- */

/* The last event of the user among the first `count`; NULL: none. */
static const struct event *
last_of(int user, size_t count)
{
    const struct event *last = NULL;

    for (size_t i = 0; i < count; i++)
        last = events[i].user == user ? &events[i] : last;
    return last;
}

/* The accounts of a user, under any name he had; *ret: one of them. */
static size_t
accounts_of(struct json_object *users, int user, struct json_object **ret)
{
    static const char *const names[USER_COUNT] = { "ann", "bob" };
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct json_object *account = json_object_array_get_idx(users, i);
        if (strncmp(json_get_string(account, "Username"), names[user], 3) != 0)
            continue;
        *ret = account;
        count++;
    }
    return count;
}

/* Whether the account is as after the event. Of who left before the news of him was delivered only
 * that is wanted: an account is inactive, or was never made. */
static bool
fits(struct json_object *account, const struct event *event)
{
    bool active = json_get_bool(account, "IsActive", false);

    if (!event || !event->active)
        return !active;
    return account && active &&
           strcmp(json_get_string(account, "Username"), event->username) == 0 &&
           strcmp(json_get_string(account, "Title"), event->title) == 0;
}

/* Each user has one account, as after what was accepted, or, where an answer was lost, as after one
 * event more. */
static bool
is_right(struct world *world, size_t accepted, bool one_more)
{
    struct json_object *users = world_users(world);
    size_t all = 0;
    bool right = true;

    for (int user = 0; user < USER_COUNT; user++) {
        const struct event *last = last_of(user, accepted);
        struct json_object *account = NULL;
        size_t count = accounts_of(users, user, &account);
        all += count;
        right = right && count <= 1 &&
                (fits(account, last) || fits(account, last_of(user, accepted + one_more)));
    }
    right = right && json_object_array_length(users) == all;
    if (!right)
        world_print(users);
    json_object_put(users);
    return right;
}

static int64_t
passwords_given(struct world *world, const char *username)
{
    struct json_object *users = world_users(world);
    int64_t count = 0;

    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct json_object *user = json_object_array_get_idx(users, i);
        if (strcmp(json_get_string(user, "Username"), username) == 0)
            count = json_get_int(user, "passwords", 0);
    }
    json_object_put(users);
    return count;
}

/* In the store, sealed. */
static int64_t
passwords_waiting(struct world *world)
{
    struct json_object *status = world_query(world, "{\"query\":\"status\"}");
    int64_t count = json_get_int(json_get(status, "passwords"), "waiting", -1);

    json_object_put(status);
    return count;
}

/* The password of the last event is bob's, once, and nothing of it is left in the store. */
static bool
password_is_right(struct world *world)
{
    int64_t given = passwords_given(world, "bob@acme.example");
    bool left = passwords_waiting(world) != 0;

    if (given != 1 || left)
        printf("  bob was given %lld passwords%s\n", (long long)given,
               left ? ", and one is left in the store" : "");
    return given == 1 && !left;
}

/* ---- one strike ---- */

static bool
fail(struct world *world, const char *what, long nth, const char *why)
{
    printf("%s, call %ld: %s: %s; accepted were %zu events\n", what, nth, why, world->error.text,
           report->accepted);
    shim_print_trace();
    return false;
}

static int
run_child(struct world *world, const struct shim_plan *plan, bool beside)
{
    pid_t child;
    int status = 0;

    memset(report, 0, sizeof(*report));
    if (ftruncate(shim_trace_fd, 0))
        abort();
    shim_follow(plan->action == SHIM_LOSE ? world->folder : "");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        watch_begin(HANG_S, shim_trace); /* instead of where a call failed */
        shim_be_connector(true);
        shim_sleepless(true); /* SQLite waits ten seconds for a lock that it cannot have */
        (beside ? beside_live : live)(world, plan);
        report->calls = shim_disarm();
        report->done = true;
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* A new process: first what was accepted is delivered, then the host submits the rest again. */
static bool
finish(struct world *world, const char *what, long nth)
{
    bool right = false;

    if (world_open(world, fields))
        return fail(world, what, nth, "the store cannot be opened again");
    if (!world_settle(world))
        fail(world, what, nth, "what was accepted is not delivered");
    else if (!is_right(world, report->accepted, report->accepted < EVENT_COUNT))
        fail(world, what, nth, "the org is not what was accepted");
    else
        right = true;
    for (size_t i = report->accepted; right && i < EVENT_COUNT; i++) {
        if (world_submit(world, events[i].json) != PROV_ANSWER_ACCEPTED ||
            (events[i].deliver && !world_settle(world)))
            right = fail(world, what, nth, "the host cannot go on");
    }
    if (right &&
        (!world_settle(world) || !is_right(world, EVENT_COUNT, false) || !password_is_right(world)))
        right = fail(world, what, nth, "the org is not what it should be in the end");
    if (!right)
        world_print_subjects(world);
    world_close(world);
    return right;
}

static bool
finish_beside(struct world *world, const char *what, long nth)
{
    const char *why = beside_judge(world);

    world_close(world);
    if (!why)
        return true;
    printf("%s, call %ld: %s: %s\n", what, nth, why, world->error.text);
    shim_print_trace();
    return false;
}

/* *ret_over: the life ended before the n-th call. */
static bool
strike(struct world *world, const char *what, const struct shim_plan *plan, bool beside,
       bool *ret_over)
{
    int status;

    world_reset(world);
    if (beside)
        beside_start(world);
    status = run_child(world, plan, beside);
    *ret_over = report->done && report->calls < plan->nth;
    if (WIFSIGNALED(status)) {
        snprintf(world->error.text, sizeof(world->error.text), "signal %d%s", WTERMSIG(status),
                 WTERMSIG(status) == SIGALRM ? " (it hangs)" : "");
        return fail(world, what, plan->nth, "the process ended");
    }
    return (beside ? finish_beside : finish)(world, what, plan->nth);
}

/* ---- loops ---- */

static const struct loop {
    const char *what;
    struct shim_plan plan;
    int stride;  /* times the one of the command line */
    int strikes; /* beside another: so many, spread over its calls, unless all are wanted */
} loops[] = {
    { "killed", { SHIM_STORE | SHIM_SOCKET, SHIM_DIE, 0, 0, 0 }, 1, 0 },
    { "power lost", { SHIM_STORE | SHIM_SOCKET, SHIM_LOSE, 0, 0, 0 }, 1, 0 },
    { "power lost, some of it written", { SHIM_STORE, SHIM_LOSE, 0, 0, 1 }, 1, 0 },
    { "store fails once", { SHIM_STORE, SHIM_FAIL, 0, 0, 0 }, 1, 0 },
    { "store fails for good", { SHIM_STORE, SHIM_FAIL_ON, 0, 0, 0 }, 1, 0 },
    { "EIO once", { SHIM_STORE, SHIM_FAIL, 0, EIO, 0 }, 1, 0 },
    { "socket fails once", { SHIM_SOCKET, SHIM_FAIL, 0, 0, 0 }, 1, 0 },
    { "socket fails for good", { SHIM_SOCKET, SHIM_FAIL_ON, 0, 0, 0 }, 1, 0 },
    { "no memory once", { SHIM_MEMORY, SHIM_FAIL, 0, 0, 0 }, 25, 0 },
    { "no memory for good", { SHIM_MEMORY, SHIM_FAIL_ON, 0, 0, 0 }, 50, 0 },
    { "killed beside another", { SHIM_STORE, SHIM_DIE, 0, 0, 0 }, 0, 4 },
    { "store fails once beside another", { SHIM_STORE, SHIM_FAIL, 0, 0, 0 }, 0, 10 },
    { "store fails for good beside another", { SHIM_STORE, SHIM_FAIL_ON, 0, 0, 0 }, 0, 2 },
    { "no memory once beside another", { SHIM_MEMORY, SHIM_FAIL, 0, 0, 0 }, 0, 12 },
};

static unsigned passed, failed;

/* How many there are depends on the store's pages. */
static long
calls_beside(struct world *world, const struct loop *loop)
{
    struct shim_plan plan = { .classes = loop->plan.classes, .action = SHIM_COUNT };
    bool over;

    return strike(world, loop->what, &plan, true, &over) ? report->calls : 0;
}

static void
run_loop(struct world *world, const struct loop *loop, int stride, long first, long last)
{
    unsigned good = 0, bad = 0;
    bool beside = loop->strikes > 0;
    long step = stride == 1 ? 1
                : beside    ? calls_beside(world, loop) / loop->strikes + 1
                            : (long)loop->stride * stride;
    bool over = false;

    /* calls differ from run to run by a few, so the first of a stride may as well be any */
    for (long nth = first; !over && nth <= last && bad < 5; nth += step) {
        struct shim_plan plan = loop->plan;
        plan.nth = nth;
        plan.chance = plan.chance ? (unsigned)nth : 0;
        if (strike(world, loop->what, &plan, beside, &over))
            good++;
        else
            bad++;
    }
    printf("%s: %u strikes survived, %u not\n", loop->what, good, bad);
    if (beside && last == LONG_MAX && beside_rolled_back() == 0) {
        printf("  none of them rolled back what stood in the log\n");
        bad++;
    }
    passed += bad == 0;
    failed += bad > 0;
}

/* The connector fields for it; heap. It lies beside no store, for a loss of power takes what is there. */
static char *
write_key(char *path)
{
    static const char text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    int file = mkstemp(path);
    char *more = NULL;

    if (file < 0 || write(file, text, sizeof(text) - 1) < 0 ||
        asprintf(&more, "\"provision_passwords\":true,\"sealing_key\":\"file:%s\",", path) < 0)
        abort();
    close(file);
    return more;
}

int
main(int argc, char **argv)
{
    int stride = argc > 1 ? atoi(argv[1]) : 6;
    const char *only = argc > 2 ? argv[2] : "";
    long first = argc > 3 ? atol(argv[3]) : 1, last = argc > 4 ? atol(argv[4]) : first;
    char key[] = "/tmp/sfprov-torture-key-XXXXXX", *more;
    struct world world;

    setvbuf(stdout, NULL, _IOLBF, 0);
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 1;
    shim_trace_fd = memfd_create("trace", 0);
    shim_trace(); /* the first loads a library, which a process that hangs may not be able to */
    world_start(&world, ORG_SIM_PLAIN_HTTP);
    more = write_key(key);
    fields = world_fields(&world, more);
    free(more);
    beside_begin(&world, fields);
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        if (strstr(loops[i].what, only) &&
            (shim_has_memory || !(loops[i].plan.classes & SHIM_MEMORY)))
            run_loop(&world, &loops[i], stride, first, argc > 3 ? last : LONG_MAX);
    }
    free(fields);
    unlink(key);
    world_stop(&world);
    printf("crash: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
