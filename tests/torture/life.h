/*
 * A life of a few users in random steps, and the model of it, which knows nothing but the events that
 * were accepted: who is wanted, under which name, with which title and manager.
 */
#ifndef TORTURE_LIFE_H
#define TORTURE_LIFE_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/torture/world.h"

#define USER_COUNT 5
#define NAME_COUNT (2 * USER_COUNT) /* n0@acme.example, or primary-n0@acme.example, and so on */
#define STEP_COUNT 60
#define EVENTS_MAX 400

enum op {
    PUT,
    PATCH,
    DEACTIVATE,
    ACTIVATE,
    DELETE,
    SWAP, /* of two users' names */
    LIST,
    DELIVER,
    FAULT,
    KILL_DELIVERY,
    KILL_SUBMIT,
    FAIL,  /* a process whose calls fail, and another that commits before it goes on */
    RIVAL, /* another process delivers, or another connector on a thread */
    REOPEN,
    CLOCK,
    SKEW,
    ACT,
    EDIT,
    EXPIRE,
    SEATS,
    QUOTA,
    LAND, /* of what is late */
    OP_COUNT
};

struct step {
    enum op op;
    int user;
    unsigned arg;
};

/* What the model holds of a user, and all it holds. */
struct person {
    bool known, gone, active, guest; /* guest: out of scope, where a life has a scope */
    int name, manager;               /* manager -1: none */
    unsigned title;                  /* "t17" */
    unsigned left;                   /* the last event when he was not wanted */
    char fax[16];                    /* another admin's */
    unsigned password;               /* the last event that brought one, while he is wanted */
    bool was_there;                  /* an account that `match` adopts */
};

/* What an event was about, and what the host was told of it; shared with other processes. */
struct told {
    int user;
    unsigned title, seen;           /* seen: in the org when it was told */
    unsigned times, refused, parts; /* parts: as delivered but for a part, for now */
    bool accepted, wrong, lacks;    /* lacks: a part, by the last that was told */
};

struct life {
    struct world *world;
    uint64_t seed; /* of it also follow the connector fields */
    pid_t pid;     /* in other processes the org is not */
    char *fields;
    bool threads; /* what is done at the same time comes in an order that no seed tells */
    bool scoped, matched, mapped, remapped, died;
    bool suffixes;               /* username_taken */
    bool repatterned, patterned; /* whether the pattern may change, and whether it has */
    bool passwords;
    const char *leaver_action;
    unsigned event; /* the last one's jti, and the last title */
    struct person people[USER_COUNT];
    unsigned wanted_by[NAME_COUNT]; /* by whom at some time, a bit each */
    struct told *told;
    /* Called when an event is not accepted, before the host submits it again; NULL: it must be. */
    void (*relieve)(struct life *life);
    const char *fault; /* what went wrong; NULL: nothing */
};

void life_begin(struct life *life, struct world *world, uint64_t seed);
void life_end(struct life *life);
void life_reopen(struct life *life, unsigned arg);
/* What the org holds of late writes lands. */
void life_land(struct life *life);

bool life_wants(const struct life *life, const struct person *person);
/* Submits what the step stands for, if it makes sense for the user as he is. */
void life_submit(struct life *life, const struct step *step);
void life_swap(struct life *life, const struct step *step);
void life_list(struct life *life, const struct step *step);
/* Another admin changes what the connector does not map. */
void life_edit(struct life *life, const struct step *step);
/* All that stands in the way is taken out of it, as an admin would; then the org is compared with the
 * model. life->fault says what does not fit. */
void life_settle(struct life *life);
void life_judge(struct life *life);
void life_print(struct life *life);

/* A process that delivers (event NULL), or submits, and is killed or loses its power at a call that
 * `arg` says. */
void life_die(struct life *life, unsigned arg, const char *event);
/* A process in which calls fail while it submits the event and delivers; it goes on when another one has committed. */
void life_fail(struct life *life, const struct step *step, const char *event);

#endif
