/* One round of delivery: what is due is planned; deactivations are sent; what needs no call is
 * settled; what is in flight is read back; then updates and creates are sent.
 *
 * A round does not wait for its last calls: the next one is planned while they are in the air, without those
 * they are about. They are updates that take no locks (share_calls.c): nobody's username, profile or Id depends
 * on them, so that a plan, the guard, or a look-up of the org would say the same when they have landed. Unfreezes
 * are among them only where the round gave way to who leaves. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/match.h"
#include "plugin/delivery/org_names.h"

/* Rows of `due` taken in one round: a few full Collections calls, for each that may be under way at the
 * same time. */
#define ROUND_CALLS    3
#define ROUND_ROWS_MAX 1000 /* planned in less than a call takes, so that the next round is ready */

#define UNREADABLE_AGAIN_US (3600 * CLOCK_SECOND_US)

/* ---- planning ---- */

/* The manager's Salesforce Id, if he has one by now. */
static int
find_manager(struct delivery *d, struct item *item, struct prov_error *err)
{
    AUTO_FREE char *uri = plan_manager_uri(item->work.subject.resource);

    item->manager_id[0] = '\0';
    if (!uri || strcmp(uri, item->work.subject.uri) == 0)
        return PROV_OK;
    return store_linked_id(d->store, item->work.subject.iss, uri, item->manager_id, err);
}

/* New users get the profile, and a replan brings it to those who are there. */
static bool
needs_profile(const struct round *round, const struct item *item)
{
    if (round->delivery->profile.id[0] ||
        mapping_has(round->delivery->fields->mapping,
                    "ProfileId")) /* then it is looked up by name */
        return false;
    return item->plan.action == PLAN_CREATE ||
           (item->plan.wanted && (item->work.link.orders & ORDER_REPLAN));
}

/* What the plan alone says of it. Nothing but a deactivation may be sent over what is in flight (rule 14); and who
 * is to be repaired is read before anything else is sent. */
static enum fate
fate_of(const struct round *round, const struct item *item)
{
    bool takes_access = plan_takes_access(&item->plan);

    if (item->work.link.in_flight && (!takes_access || flight_has_settled(round->delivery, item)))
        return FATE_READ_BACK;
    if (item->work.subject.version == 0)
        return FATE_FORGOTTEN;
    if (item->plan.action == PLAN_PARK) /* who has a temporary name may go back yet (names.c) */
        return names_given_up(&item->work.link) ? FATE_LATER : FATE_PARKED;
    if (takes_access)
        return FATE_SEND;
    if (repair_is_due(item) || item->plan.lacks || needs_profile(round, item))
        return FATE_LOOK_UP;
    if (item->plan.action != PLAN_NOTHING)
        return FATE_SEND;
    return item_stays_frozen(item) ? FATE_LOOK_FROZEN : FATE_NOTHING;
}

static struct plan_input
input_of(const struct round *round, const struct item *item)
{
    const struct delivery *d = round->delivery;

    return (struct plan_input){ .fields = d->fields,
                                .subject = &item->work.subject,
                                .link = &item->work.link,
                                .profile_id = d->profile.id[0] ? d->profile.id : NULL,
                                .names = d->names,
                                .manager_id = item->manager_id[0] ? item->manager_id : NULL,
                                .replan = orders_in_force(&item->work.link) & ORDER_REPLAN,
                                .there = item->there };
}

int
round_correct(struct round *round, struct item *item, const char *names, bool *ret,
              struct prov_error *err)
{
    const struct plan_input input = input_of(round, item);

    return plan_correct(&input, names, &item->plan, ret, err);
}

int
round_plan(struct round *round, struct item *item, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct plan_input input;
    int r = flight_mend(d, item, err);

    if (!r)
        r = find_manager(d, item, err);

    if (r)
        return r;
    input = input_of(round, item);
    plan_done(&item->plan);
    r = plan_make(&input, &item->plan, err);
    if (r)
        return r;
    /* nobody waits for themselves: Salesforce takes no user as their own manager (fact sheet 3.3) */
    if (item->plan.manager_uri && strcmp(item->plan.manager_uri, item->work.subject.uri) == 0)
        free(STEAL(item->plan.manager_uri));
    item->fate = fate_of(round, item);
    if (item->fate == FATE_READ_BACK || (item->fate == FATE_LOOK_UP && repair_is_due(item)))
        item_stop(item, item->fate);
    return PROV_OK;
}

static bool
needs_org(const struct item *item)
{
    return !item_ends_here(item);
}

/* Plans anew whoever is given a profile or role by name, now that its Id is known, or that there is
 * none. */
static int
complete_names(struct round *round, struct prov_error *err)
{
    int r = org_names_look_up(round, err);

    for (size_t i = 0; !r && !round->stop && i < round->count; i++) {
        struct item *item = &round->items[i];
        if (item->fate == FATE_LOOK_UP && item->plan.lacks)
            r = round_plan(round, item, err);
    }
    return r;
}

/* Only now, for leavers wait for no profile. Who needs one is planned anew with it; one that is not
 * there parks them, and nobody else. */
static int
complete_profiles(struct round *round, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    bool asked = false, ready = true;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < round->count; i++) {
        struct item *item = &round->items[i];
        if (item->fate != FATE_LOOK_UP || repair_is_due(item))
            continue;
        if (!asked)
            r = org_ready_for_creates(d, &ready, err);
        asked = true;
        round->stop = !ready;
        if (r || !ready)
            break;
        if (d->profile.id[0])
            r = round_plan(round, item, err);
        else
            item_park(item, CODE_PROFILE_NOT_FOUND, "%s", d->profile.fault);
    }
    return r;
}

/* ---- what needs no call ---- */

static int
settle_without_call(struct round *round, struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < round->count; i++) {
        if (item_ends_here(&round->items[i]))
            r = settle(round, &round->items[i], err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < round->count; i++) {
        if (item_ends_here(&round->items[i]))
            tell_settled(&telling, &round->items[i]);
    }
    return r;
}

/* ---- the round ---- */

/* Plans everything, and makes sure of the org if a call is needed. */
static int
plan_all(struct round *round, struct prov_error *err)
{
    bool call = false, ready = true;
    int r = PROV_OK;

    facts_follow_refused(round->delivery);
    org_names_forget_missing(round->delivery->names);
    for (size_t i = 0; !r && i < round->count; i++) {
        struct item *item = &round->items[i];
        r = round_plan(round, item, err);
        call = call || needs_org(item);
    }
    if (!r && call)
        r = org_ready(round->delivery, &ready, err);
    round->stop = !ready;
    return r;
}

/* Whether others than leavers go on. */
static bool
rest_goes_on(const struct round *round)
{
    return !round->stop && !round->leavers_only;
}

/* Who would have been above his own manager may be no more, since others have another manager now: that
 * depends on the order in which Salesforce took them. */
static int
wake_managed(struct round *round, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = round->moved_managers ? store_begin(store, STORE_FENCED, err) : PROV_OK;

    if (r || !round->moved_managers)
        return r;
    r = store_due_code(store, CODE_CIRCULAR, INT64_MAX, err);
    if (!r)
        return store_commit(store, err);
    store_rollback(store);
    return r;
}

static int
work_through(struct round *round, struct prov_error *err)
{
    int64_t later_us = 0;
    int r = plan_all(round, err);

    if (!r && rest_goes_on(round))
        r = repair_read(round, err);
    if (!r)
        r = guard_check(round, err);
    /* leavers go ahead of everything (rule 7), also of what has to be looked up */
    if (!r && !round->stop)
        r = send_all(round, SEND_DEACTIVATIONS, err);
    if (!r && !round->stop)
        r = freeze_all(round, err);
    if (!r && rest_goes_on(round))
        r = store_due_leavers_next(round->delivery->store, clock_now_us(), &round->urgent_left,
                                   &later_us, err);
    if (!r && rest_goes_on(round))
        r = complete_names(round, err);
    if (!r && rest_goes_on(round))
        r = complete_profiles(round, err);
    if (!r && rest_goes_on(round))
        r = match_creates(round, err);
    if (!r && rest_goes_on(round))
        r = facts_check(round, err);
    if (!r && rest_goes_on(round))
        r = names_check(round, err);
    if (!r && rest_goes_on(round))
        r = seats_check(round, err);
    if (!r && rest_goes_on(round))
        r = freeze_look(round, err);
    /* before the sends: whoever waits for a name must be known when it is freed */
    if (!r)
        r = settle_without_call(round, err);
    if (!r && rest_goes_on(round))
        r = unknown_settle(round, err);
    if (!r && rest_goes_on(round))
        r = send_all(round, SEND_UPDATES, err);
    if (!r && rest_goes_on(round))
        r = unfreeze_all(round, err);
    if (!r && rest_goes_on(round))
        r = send_all(round, SEND_CREATES, err);
    return r;
}

static bool
may_stay(const struct round *round)
{
    return rest_goes_on(round) || (round->yields && !round->stop);
}

/* What follows when the calls of the round are over, but for those that stay in the air. */
static int
finish(struct round *round, bool stay, struct prov_error *err)
{
    size_t staying = stay && may_stay(round) ? round->delivery->air.count : 0;
    int r = PROV_OK;

    /* one that nothing came of waits, or rounds would be made without a pause */
    if (staying > 0 && round->begun == 0 && round->settled == 0)
        r = send_land_some(round, err);
    if (!r && (staying == 0 || !may_stay(round)))
        r = send_land(round, 0, err);
    if (!r)
        r = seats_wake(round, err);
    return r ? r : wake_managed(round, err);
}

/* Of whoever stands on a damaged page nothing is known, not even that he is to leave. */
static int
put_off(struct delivery *d, const struct work *work, struct prov_error *err)
{
    AUTO_FREE char *uri = NULL;
    struct prov_error ignored = PROV_ERROR_INIT;
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = store_due_put_off(d->store, work, clock_now_us() + UNREADABLE_AGAIN_US, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    r = store_commit(d->store, err);
    if (r)
        return r;
    if (store_uri_by_index(d->store, work->subject.id, &uri, &ignored) != PROV_OK || !uri)
        log_line(&d->log, PROV_LOG_ERROR,
                 "user number %lld of the store is put off for an hour: %s",
                 (long long)work->subject.id, work->unreadable);
    else
        log_line(&d->log, PROV_LOG_ERROR, "'%s' is put off for an hour: %s", uri, work->unreadable);
    return PROV_OK;
}

/* Moves those who can be read into the round; the list is empty then. */
static int
take_readable(struct round *round, struct work *work, size_t count, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; i < count; i++) {
        if (!r && !work[i].unreadable) {
            orders_take(round->delivery->fields, &work[i]);
            round->items[round->count++].work = work[i];
            work[i] = (struct work){ 0 };
        } else if (!r) {
            r = put_off(round->delivery, &work[i], err);
        }
    }
    return r;
}

static void
round_done(struct round *round)
{
    item_list_release(round->list);
    json_object_put(round->names);
    json_object_put(round->walked);
}

static int
round_begin(struct round *round, size_t room, struct prov_error *err)
{
    round->names = json_object_new_object();
    round->list = item_list_new(room);
    if (!round->names || !round->list)
        return error_nomem(err);
    round->items = round->list->items;
    return PROV_OK;
}

static int64_t
round_rows(const struct fields *fields)
{
    int64_t rows = ROUND_CALLS * fields->batch_size * fields->parallel_calls;

    return rows < ROUND_ROWS_MAX ? rows : ROUND_ROWS_MAX;
}

bool
round_knows(const struct round *round, int64_t subject)
{
    const struct flights *air = &round->delivery->air;

    for (size_t i = 0; i < round->count; i++) {
        if (round->items[i].work.subject.id == subject)
            return true;
    }
    for (size_t f = 0; f < air->count; f++) {
        for (size_t i = 0; i < air->list[f]->count; i++) {
            if (air->list[f]->items[i]->work.subject.id == subject)
                return true;
        }
    }
    return false;
}

static int
by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int
in_the_air(const struct flights *air, struct under_way *ret, struct prov_error *err)
{
    size_t count = 0;

    for (size_t f = 0; f < air->count; f++)
        count += air->list[f]->count;
    ret->subjects = calloc(count + 1, sizeof(*ret->subjects));
    if (!ret->subjects)
        return error_nomem(err);
    for (size_t f = 0; f < air->count; f++) {
        for (size_t i = 0; i < air->list[f]->count; i++) {
            const struct work *work = &air->list[f]->items[i]->work;
            ret->subjects[ret->count++] = work->subject.id;
            ret->rows += (int64_t)work->due_count;
        }
    }
    qsort(ret->subjects, ret->count, sizeof(*ret->subjects), by_number);
    return PROV_OK;
}

static void
under_way_done(struct under_way *under_way)
{
    free(under_way->subjects);
}

/* What is due; while only leavers pass, what is urgent, and the times that were not looked at yet. */
static int
read_due(struct delivery *d, bool leavers_only, struct work **ret, size_t *ret_count,
         struct prov_error *err)
{
    CLEANUP(under_way_done) struct under_way under_way = { 0 };
    int64_t now = clock_now_us(), looked = d->leavers_looked_us;
    int r;

    d->leavers_looked_us = leavers_only ? now : 0;
    if (leavers_only)
        return store_due_leavers(d->store, looked, now, round_rows(d->fields), ret, ret_count, err);
    r = in_the_air(&d->air, &under_way, err);
    return r ? r : store_due(d->store, now, round_rows(d->fields), &under_way, ret, ret_count, err);
}

int
round_run(struct delivery *d, bool leavers_only, struct prov_delivery *report, size_t *ret_subjects,
          struct prov_error *err)
{
    CLEANUP(round_done)
    struct round round = { .delivery = d, .report = report, .leavers_only = leavers_only };
    struct work *work = NULL;
    size_t count = 0;
    int r = read_due(d, leavers_only, &work, &count, err);

    *ret_subjects = 0;
    if (r || (count == 0 && d->air.count == 0)) {
        free(work);
        return r;
    }
    r = round_begin(&round, count, err);
    if (!r)
        r = take_readable(&round, work, count, err);
    work_list_free(work, count);
    if (!r && round.count > 0)
        r = work_through(&round, err);
    if (!r)
        r = finish(&round, true, err);
    if (!r && !round.stop)
        *ret_subjects = round.leavers_only || count == 0 ? round.settled : count;
    return r;
}

int
round_land(struct delivery *d, struct prov_delivery *report, struct prov_error *err)
{
    struct round round = { .delivery = d, .report = report };

    return d->air.count > 0 ? finish(&round, false, err) : PROV_OK;
}

int
round_run_one(struct delivery *d, int64_t subject, struct prov_delivery *report,
              struct prov_error *err)
{
    CLEANUP(round_done) struct round round = { .delivery = d, .report = report };
    int r = round_begin(&round, 1, err);

    if (r)
        return r;
    round.count = 1;
    r = store_load_id(d->store, subject, &round.items[0].work, err);
    orders_take(d->fields, &round.items[0].work);
    if (!r)
        r = work_through(&round, err);
    return r ? r : finish(&round, false, err);
}
