/* Processes of a life that are struck: by a kill or a loss of power, which they do not outlive, or by calls that fail,
 * after which they go on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/store/db.h"
#include "tests/torture/life.h"
#include "tests/torture/shim.h"
#include "tests/torture/watch.h"

#define HANG_S 60

/* ---- one that dies ---- */

void
life_die(struct life *life, unsigned arg, const char *event)
{
    struct shim_plan plan = { SHIM_STORE | SHIM_SOCKET, SHIM_DIE, 1 + (long)(arg % 97), 0, 0 };
    struct prov_delivery delivery;
    pid_t child;

    if (arg >> 8 & 1) {
        plan.action = SHIM_LOSE;
        plan.chance = arg >> 9 & 7;
    }
    life->died = true;
    world_close(life->world);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        life->world->worker = false;
        shim_clock_hold(true);
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

/* ---- one that fails ---- */

/* What fails, and from which call on: a disk that does, one that is full, or no memory. */
static struct shim_plan
plan_of(unsigned arg)
{
    static const struct {
        struct shim_plan plan;
        unsigned most; /* so many calls are made, about */
    } ways[] = {
        { { SHIM_STORE, SHIM_FAIL, 0, 0, 0 }, 150 },
        { { SHIM_STORE, SHIM_FAIL, 0, EIO, 0 }, 150 },
        { { SHIM_STORE, SHIM_FAIL_ON, 0, 0, 0 }, 150 },
        { { SHIM_SPACE, SHIM_FAIL_ON, 0, 0, 0 }, 30 },
        { { SHIM_SPACE, SHIM_SHORT, 0, 0, 0 }, 30 },
        { { SHIM_MEMORY, SHIM_FAIL, 0, 0, 0 }, 4000 },
        { { SHIM_MEMORY, SHIM_FAIL_ON, 0, 0, 0 }, 4000 },
    };
    size_t way = arg % (sizeof(ways) / sizeof(ways[0]) - (shim_has_memory ? 0 : 2));
    struct shim_plan plan = ways[way].plan;

    plan.nth = 1 + (long)(arg / 8 % ways[way].most);
    return plan;
}

static void
submit_and_deliver(struct world *world, const char *event)
{
    struct prov_delivery delivery;

    if (world->connector)
        world_submit(world, event);
    for (int i = 0; i < 2 && world->connector; i++)
        world_deliver(world, &delivery);
}

/* The other process has the turn until it gives it back. */
struct turn {
    int gives, takes;
};

/* false: the other has died. */
static bool
take_turn(const struct turn *turn)
{
    char word;

    return read(turn->takes, &word, 1) == 1;
}

static void
give_turn(const struct turn *turn)
{
    if (write(turn->gives, ".", 1) != 1)
        abort();
}

/* Fails, waits until the other has committed, and goes on with what it has. Returns what the process ends with. */
static int
fail_and_go_on(struct life *life, const struct shim_plan *plan, const char *event,
               const struct turn *turn)
{
    struct world *world = life->world;
    int timeout_ms = db_busy_timeout_ms;

    if (!take_turn(turn))
        return 1;
    watch_begin(HANG_S, shim_trace);
    shim_sleepless(true);
    db_busy_timeout_ms =
        0; /* a lock that cannot be had is waited for by a clock that stands still */
    shim_arm(plan);
    world_open(world, life->fields);
    submit_and_deliver(world, event);
    shim_disarm();
    shim_sleepless(false);
    db_busy_timeout_ms = timeout_ms;
    give_turn(turn);
    if (!take_turn(turn))
        return 1;
    if ((!world->connector && world_open(world, life->fields)) ||
        world_submit(world, event) != PROV_ANSWER_ACCEPTED) { /* the host submits it again */
        printf("  it does not go on: %s\n", world->error.text);
        fflush(stdout);
        return 1;
    }
    submit_and_deliver(world, event);
    world_close(world);
    return 0;
}

/* Another process has the store open, and commits before and after the one that fails. */
static void
commit_beside(struct life *life, const struct step *step, const struct turn *turn)
{
    struct step other = { PUT, (step->user + 1) % USER_COUNT, step->arg >> 3 };

    if (world_open(life->world, life->fields)) {
        life->fault = "the store cannot be opened after a fork";
        return;
    }
    life_submit(life, &other);
    give_turn(turn);
    if (!take_turn(turn))
        return;
    other.arg >>= 1;
    life_submit(life, &other);
    give_turn(turn);
}

void
life_fail(struct life *life, const struct step *step, const char *event)
{
    const struct shim_plan plan = plan_of(step->arg);
    int to[2], from[2], status = 0;
    pid_t child;

    life->died = true; /* what it was told may not be noted */
    world_close(life->world);
    life->world->worker = false; /* nobody else has a lock while one waits for none */
    shim_clock_hold(true);
    if (pipe(to) || pipe(from))
        abort();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(to[1]);
        close(from[0]);
        _exit(fail_and_go_on(life, &plan, event, &(struct turn){ from[1], to[0] }));
    }
    close(to[0]);
    close(from[1]);
    commit_beside(life, step, &(struct turn){ to[1], from[0] });
    close(to[1]);
    close(from[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (status && !life->fault)
        life->fault = "a process whose calls failed does not go on";
}
