/* Which users go in which call, and when: what takes locks goes alone, who breaks calls shares them with fewer, and who
 * leaves waits for no call of others (design rules 7, 16). What a call is, and what came of it, is send.c's. */
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

/* Who leaves while a call is in the air waits for no more than this. */
#define A_MOMENT_US (100 * 1000)

/* A suspect shares its next call with this many times fewer others. */
#define SUSPECT_SHARE 4

/*
 * How many may share a call with this one. What was in flight and did not happen may be what makes the
 * call fail, again and again: it shares with fewer each time, until it is alone and the others are
 * delivered. What was tried again for a reason of its own is not suspected.
 */
static size_t
share_of(const struct item *item, size_t limit)
{
    for (int64_t i = flight_tries(&item->work.link); i > 0 && limit > 1; i--)
        limit = limit > SUSPECT_SHARE ? limit / SUSPECT_SHARE : 1;
    return limit;
}

/* Who left since this round sent its leavers is not kept waiting for all of its calls (rule 7): the rest
 * stays due. */
static int
look_for_leavers(struct round *round, struct prov_error *err)
{
    bool urgent = false;
    int64_t later_us = 0;
    int r = PROV_OK;

    if (!round->urgent_left)
        r = store_due_leavers_next(round->delivery->store, clock_now_us(), &urgent, &later_us, err);
    round->yields = round->yields || urgent;
    round->leavers_only = round->leavers_only || urgent;
    return r;
}

/* Whether a batch of this kind may go now. The session keeps others than leavers off the reserve of the quota: where it
 * surely would, nothing is stored as in flight. A call that was handed to its thread a moment ago may not be known to it
 * yet; then it refuses this one later, and its users are due again, for nothing was sent. */
static int
may_send(struct round *round, enum send_kind kind, bool *ret, struct prov_error *err)
{
    int r = send_is_of_leavers(kind) || round->leavers_only ? PROV_OK : quota_check(round, err);

    /* one call of others goes in each round, so that nobody waits for ever */
    if (!r && !send_is_of_leavers(kind) && !round->leavers_only && round->rest_calls++ > 0)
        r = look_for_leavers(round, err);
    *ret = !r && !round->stop && (send_is_of_leavers(kind) || !round->leavers_only);
    return r;
}

/*
 * Whether Salesforce locks the memberships of groups for it (fact sheet 3.5, 4.5: profile, role, activity
 * and username recalculate who sees what): two such calls at once refuse records of each other. Who met a
 * lock is taken for one of them.
 */
static bool
takes_locks(const struct item *item, enum send_kind kind)
{
    static const char *const fields[] = { "IsActive", "ProfileId", "UserRoleId", "Username" };

    if (send_is_of_logins(kind))
        return false;
    if (kind != SEND_UPDATES ||
        (item->work.link.code && strcmp(item->work.link.code, "UNABLE_TO_LOCK_ROW") == 0))
        return true;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (value_has(item->plan.fields, fields[i]))
            return true;
    }
    return false;
}

/* What is sent of one kind: the call that is being filled. */
struct sending {
    struct round *round;
    struct flights *air;
    enum send_kind kind;
    struct item **batch;
    size_t filled, share;
    bool locks; /* one of the batch takes locks */
};

int
send_land(struct round *round, size_t count, struct prov_error *err)
{
    struct flights *air = &round->delivery->air;
    int r = PROV_OK;

    while (air->count > count) {
        CLEANUP(flight_cleanup) struct flight *flight = flights_wait(air, FLIGHTS_FOR_EVER);
        if (!r)
            r = send_settle(round, flight, err);
    }
    return r;
}

int
send_land_some(struct round *round, struct prov_error *err)
{
    CLEANUP(flight_cleanup)
    struct flight *flight = flights_wait(&round->delivery->air, A_MOMENT_US);

    return flight ? send_settle(round, flight, err) : PROV_OK;
}

/* The next call that is over. NULL: somebody has left meanwhile, and does not wait for it with the others. */
static int
wait_for_one(struct round *round, struct flight **ret, struct prov_error *err)
{
    int r = PROV_OK;

    *ret = NULL;
    while (!r && !round->yields && !(*ret = flights_wait(&round->delivery->air, A_MOMENT_US)))
        r = look_for_leavers(round, err);
    return r;
}

/* All calls, unless somebody has left meanwhile. */
static int
land_all(struct round *round, struct prov_error *err)
{
    int r = PROV_OK;

    while (!r && !round->yields && round->delivery->air.count > 0) {
        CLEANUP(flight_cleanup) struct flight *flight = NULL;
        r = wait_for_one(round, &flight, err);
        if (!r && flight)
            r = send_settle(round, flight, err);
    }
    return r;
}

static bool
is_in_the_air(const struct flights *air, enum send_kind kind)
{
    for (size_t i = 0; i < air->count; i++) {
        if (air->list[i]->kind == kind)
            return true;
    }
    return false;
}

/* The calls of leavers, and what is over besides: others may be slow, and no leaver depends on them. */
static int
land_leavers(struct round *round, enum send_kind kind, struct prov_error *err)
{
    struct flights *air = &round->delivery->air;
    int r = PROV_OK;

    while (!r && is_in_the_air(air, kind)) {
        CLEANUP(flight_cleanup) struct flight *flight = flights_wait(air, FLIGHTS_FOR_EVER);
        r = send_settle(round, flight, err);
    }
    return r;
}

/* Begins the call of the batch that was filled, if it may be sent. */
static int
begin_filled(struct sending *sending, bool alone, struct prov_error *err)
{
    struct round *round = sending->round;
    struct flight *flight = NULL;
    bool go = false;
    int r = may_send(round, sending->kind, &go, err);

    if (!r && go)
        r = send_make(round, sending->batch, sending->filled, sending->kind, &flight, err);
    if (!flight)
        return r;
    flight->list = item_list_hold(round->list);
    round->begun++;
    flights_start(sending->air, flight, alone);
    return PROV_OK;
}

/* Where as many calls are under way as may be, one that has passed makes room for the next before it is
 * settled: the org has something to do meanwhile. */
static int
begin_in_place_of_another(struct sending *sending, struct prov_error *err)
{
    CLEANUP(flight_cleanup) struct flight *over = NULL;
    struct prov_error ignored = PROV_ERROR_INIT;
    int r = wait_for_one(sending->round, &over, err), after;
    bool passed;

    if (r || !over)
        return r;
    passed = !over->result && over->call.outcome == SF_DELIVERED;
    if (!passed)
        r = send_settle(sending->round, over, err);
    if (!r)
        r = begin_filled(sending, false, err);
    after = passed ? send_settle(sending->round, over, r ? &ignored : err) : PROV_OK;
    return r ? r : after;
}

/* Deactivations go one call after the other, and freezes share the time. One such call is one more than may be under way
 * where slow calls of others have all places: these take no locks. */
static int
send_filled_of_leavers(struct sending *sending, struct prov_error *err)
{
    size_t most = (size_t)sending->round->delivery->fields->parallel_calls;
    bool alone = sending->locks || most == 1;
    int r = PROV_OK;

    if (alone || sending->air->count >= most)
        r = land_leavers(sending->round, sending->kind, err);
    if (!r)
        r = begin_filled(sending, alone, err);
    return r || !alone ? r : land_leavers(sending->round, sending->kind, err);
}

static int
send_filled_of_others(struct sending *sending, struct prov_error *err)
{
    size_t most = (size_t)sending->round->delivery->fields->parallel_calls;
    int r;

    if (!sending->locks && most > 1)
        return sending->air->count < most ? begin_filled(sending, false, err)
                                          : begin_in_place_of_another(sending, err);
    r = land_all(sending->round, err);
    if (!r && sending->air->count == 0)
        r = begin_filled(sending, true, err);
    return r ? r : land_all(sending->round, err);
}

/* Sends the batch that was filled; if it does not go now, its users stay due. */
static int
send_filled(struct sending *sending, struct prov_error *err)
{
    int r = send_is_of_leavers(sending->kind) ? send_filled_of_leavers(sending, err)
                                              : send_filled_of_others(sending, err);

    sending->filled = 0;
    sending->locks = false;
    return r;
}

static bool
is_wanted(const struct sending *sending, const struct item *item)
{
    return item_sends(item, send_action(sending->kind)) && item->share == sending->share &&
           !(send_is_of_logins(sending->kind) && !item->login_id[0]);
}

/* Fills batches: first those who take locks, so that they are together, then the others. */
static int
send_wanted(struct sending *sending, struct prov_error *err)
{
    struct round *round = sending->round;
    int r = PROV_OK;

    for (int locks = 1; locks >= 0; locks--) {
        for (size_t i = 0; !r && !round->stop && i < round->count; i++) {
            struct item *item = &round->items[i];
            if (!is_wanted(sending, item) || takes_locks(item, sending->kind) != (bool)locks)
                continue;
            sending->batch[sending->filled++] = item;
            sending->locks = sending->locks || locks;
            if (sending->filled == sending->share)
                r = send_filled(sending, err);
        }
    }
    return !r && !round->stop && sending->filled > 0 ? send_filled(sending, err) : r;
}

/* Sends those who may share a call with `share` records. */
static int
send_shared(struct round *round, enum send_kind kind, size_t share, struct prov_error *err)
{
    AUTO_FREE struct item **batch = calloc(share, sizeof(struct item *));
    struct sending sending = {
        .round = round, .air = &round->delivery->air, .kind = kind, .batch = batch, .share = share
    };
    size_t begun = round->begun;
    int r = batch ? send_wanted(&sending, err) : error_nomem(err);

    /* what comes of leavers, and of who returns, the rest of the round has to know */
    if (r || kind == SEND_UPDATES || round->begun == begun)
        return r;
    return send_is_of_leavers(kind) ? land_leavers(round, kind, err) : land_all(round, err);
}

int
send_all(struct round *round, enum send_kind kind, struct prov_error *err)
{
    size_t share = (size_t)round->delivery->fields->batch_size;
    int r;

    /* before anything is sent: what comes of it changes the answer, and nobody is sent twice */
    for (size_t i = 0; i < round->count; i++)
        round->items[i].share = share_of(&round->items[i], share);
    r = send_shared(round, kind, share, err);
    while (!r && !round->stop && share > 1) {
        share = share > SUSPECT_SHARE ? share / SUSPECT_SHARE : 1;
        r = send_shared(round, kind, share, err);
    }
    return r;
}
