/* Sends plans in batches (design rules 7, 14, 16): stores what is in flight before it is sent, calls,
 * and hands every record's outcome to settle.c. A call refused as a whole is bisected, so that it is
 * charged only to a record that was alone in its call. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

/* A suspect shares its next call with this many times fewer others. */
#define SUSPECT_SHARE 4

static enum plan_action
action_of(enum send_kind kind)
{
    static const enum plan_action actions[] = { [SEND_DEACTIVATIONS] = PLAN_DEACTIVATE,
                                                [SEND_FREEZES] = PLAN_FREEZE,
                                                [SEND_UNFREEZES] = PLAN_UNFREEZE,
                                                [SEND_UPDATES] = PLAN_UPDATE,
                                                [SEND_CREATES] = PLAN_CREATE };

    return actions[kind];
}

/* ---- in flight ---- */

/* How often in a row what was sent got no answer, and had not happened. */
static int64_t
tries_of(const struct link *link)
{
    return link->code && strcmp(link->code, CODE_NO_ANSWER) == 0 ? link->attempts : 0;
}

/*
 * What is in flight for an item. Over a change that is in flight already, which only a deactivation
 * may be sent over, both are kept: the earlier one can land after ours, so the union is read back
 * when the settle window is over.
 */
int
send_fly(struct round *round, struct item *item, enum send_kind kind, struct prov_error *err)
{
    struct link *link = &item->work.link;
    struct pool *pool = &link->pool;
    struct value *before = link->in_flight, *flight = value_object(pool), *fields = NULL;
    const char *inputs = before ? value_get_text(before, "inputs") : item->plan.username_inputs;
    int64_t now = clock_now_us();
    bool counts = guard_counts(item);
    int r = before ? value_copy(pool, value_get(before, "fields"), &fields) : PROV_OK;

    if (!r && !fields)
        fields = value_object(pool);
    VALUE_EACH(item->plan.fields, member)
    {
        struct value *value = NULL;
        r = r ? r : value_copy(pool, member->value, &value);
        r = r ? r : value_put(pool, fields, member->name, value);
    }
    if (r || !fields || value_put(pool, flight, "fields", fields) ||
        value_put_text(pool, flight, "op", kind == SEND_CREATES ? "create" : "update") ||
        value_put_text(pool, flight, "inputs", inputs) ||
        value_put_integer(pool, flight, "version", item->work.subject.version) ||
        value_put_integer(pool, flight, "at_us", now) ||
        value_put_integer(pool, flight, "up_us", clock_up_us()) ||
        value_put_text(pool, flight, "boot", clock_boot()) ||
        (before && value_put(pool, flight, "late", value_boolean(true))) ||
        value_put_integer(pool, flight, "orders", orders_fly(item)) ||
        (counts && value_put(pool, flight, "counts", value_boolean(true))) ||
        value_put_integer(pool, flight, "tries", tries_of(link)))
        return error_nomem(err);
    link->in_flight = flight;
    if (kind == SEND_CREATES && !link->first_sent_us)
        link->first_sent_us = now;
    if (!value_get(item->plan.fields, "Username"))
        return PROV_OK;
    return settle_claim(round, link, item->plan.username, err);
}

/* Whether the username that is claimed now takes the place of another, claimed in the link. */
static bool
gives_up_name(const struct item *item)
{
    const struct link *link = &item->work.link;

    return value_get(item->plan.fields, "Username") && link->username_wanted &&
           !(link->username_held && strcmp(link->username_wanted, link->username_held) == 0);
}

static int
store_flight(struct round *round, struct item **items, size_t count, enum send_kind kind,
             struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++) {
        const struct link *link = &items[i]->work.link;
        int64_t subject = items[i]->work.subject.id;
        bool changes = gives_up_name(items[i]);
        unsigned orders = link->orders;
        r = send_fly(round, items[i], kind, err);
        changes = changes || link->orders != orders; /* else the link stands as it was read */
        if (!r)
            r = changes ? store_put_link(store, subject, link, err)
                        : store_put_flight(store, subject, link, err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}

/* Nothing was done for sure: what was in flight before this send is all that is. */
static int
land(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++) {
        struct link *link = &items[i]->work.link;
        r = flight_failed(link, err);
        if (!r)
            r = store_put_link(store, items[i]->work.subject.id, link, err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}

/* ---- outcomes ---- */

static int send_batch(struct round *round, struct item **items, size_t count, enum send_kind kind,
                      struct prov_error *err);

static bool
is_of_leavers(enum send_kind kind)
{
    return kind == SEND_DEACTIVATIONS || kind == SEND_FREEZES;
}

static bool
is_of_logins(enum send_kind kind)
{
    return kind == SEND_FREEZES || kind == SEND_UNFREEZES;
}

static bool
is_taken(const struct item *item, enum send_kind kind, const struct sf_record *record)
{
    bool renames = kind == SEND_UPDATES && value_get(item->plan.fields, "Username") && !item->aside;

    return (kind == SEND_CREATES || renames) && record->outcome == SF_REFUSED &&
           strcmp(record->code, "DUPLICATE_USERNAME") == 0;
}

/* A leaver's account that cannot be deactivated or frozen; or that was frozen because it cannot be
 * deactivated. */
static bool
is_blocked(const struct item *item, const struct sf_record *record)
{
    return record->outcome == SF_REFUSED ? plan_takes_access(&item->plan)
                                         : record->outcome == SF_DELIVERED && item->blocker;
}

static int
settle_record(struct round *round, struct item *item, const struct sf_record *record,
              struct prov_error *err)
{
    bool refused = record->outcome == SF_REFUSED, freezes = item->plan.action == PLAN_FREEZE;
    int r = PROV_OK;

    if (is_blocked(item, record)) {
        if (!freezes)
            r = freeze_note_blocker(item, record, err);
        return r ? r : settle_blocked(round, item, refused && freezes ? record : NULL, err);
    }
    switch (record->outcome) {
    case SF_DELIVERED:
        return settle_delivered(round, item, record->id, err);
    case SF_RETRY:
        return settle_retry(round, item, record, err);
    case SF_UNKNOWN:
        return settle_unknown(round, item, record->message, err);
    default:
        return settle_refused(
            round, item,
            &(struct said){ record->code, record->message, record->cause, record->remedy }, err);
    }
}

/* A refused ManagerId never blocks the rest (rule 13), so the rest is sent again without it. */
static bool
is_manager_at_fault(const struct item *item, const struct sf_record *record)
{
    return record->outcome == SF_REFUSED && strstr(record->fields, "ManagerId") &&
           value_has(item->plan.fields, "ManagerId") && value_count(item->plan.fields) > 1;
}

/* What is to be done with a record of a call that was delivered as a whole. */
enum next_step {
    SETTLE,
    FREEZE,  /* it could not be deactivated, and is not frozen yet */
    LOOK_UP, /* its username is taken: ours after all, or whose? That asks Salesforce */
    SEND_AGAIN
};

static enum next_step
next_step_of(const struct item *item, enum send_kind kind, const struct sf_record *record)
{
    return kind == SEND_DEACTIVATIONS && record->outcome == SF_REFUSED &&
                   !link_is_frozen(&item->work.link)
               ? FREEZE
           : is_taken(item, kind, record)      ? LOOK_UP
           : is_manager_at_fault(item, record) ? SEND_AGAIN
                                               : SETTLE;
}

/* Of `items` those whose next step is this one, in their order. *ret has room for all. */
static size_t
pick(struct item **items, const struct sf_record *records, size_t count, enum send_kind kind,
     enum next_step step, struct item **ret)
{
    size_t picked = 0;

    for (size_t i = 0; i < count; i++) {
        if (next_step_of(items[i], kind, &records[i]) == step)
            ret[picked++] = items[i];
    }
    return picked;
}

static int
send_without_manager(struct round *round, struct item **items, size_t count, enum send_kind kind,
                     struct prov_error *err)
{
    int r = land(round, items, count, err);

    for (size_t i = 0; i < count; i++) {
        value_remove(items[i]->plan.fields, "ManagerId");
        items[i]->without_manager = true;
    }
    return r ? r : send_batch(round, items, count, kind, err);
}

/* Who has the usernames; and of whoever is given another one the next form is tried. */
static int
look_up_taken(struct round *round, struct item **items, size_t count, enum send_kind kind,
              struct prov_error *err)
{
    size_t again = 0;
    int r = round->stop ? land(round, items, count, err)
                        : unknown_username_taken(round, items, count, err);

    for (size_t i = 0; i < count; i++) {
        if (items[i]->sends_again)
            items[again++] = items[i];
        items[i]->sends_again = false;
    }
    if (r || again == 0)
        return r;
    r = land(round, items, again, err);
    return r || round->stop ? r : send_batch(round, items, again, kind, err);
}

/* Who could not be deactivated is frozen next, in this round (freeze.c). They stay due until that is
 * settled: a process that is killed in between begins with the deactivation again. */
static int
freeze_refused(struct round *round, struct item **items, const struct sf_record *records,
               size_t count, enum send_kind kind, struct prov_error *err)
{
    AUTO_FREE struct item **refused = calloc(count, sizeof(struct item *));
    size_t refused_count = 0;
    int r = refused ? PROV_OK : error_nomem(err);

    for (size_t i = 0; !r && i < count; i++) {
        if (next_step_of(items[i], kind, &records[i]) != FREEZE)
            continue;
        r = freeze_instead(items[i], &records[i], err);
        refused[refused_count++] = items[i];
    }
    return r || refused_count == 0 ? r : land(round, refused, refused_count, err);
}

/* All records of a call that was delivered as a whole, in one transaction, but for those that need
 * another call. */
static int
settle_records(struct round *round, struct item **items, const struct sf_record *records,
               size_t count, enum send_kind kind, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    AUTO_FREE struct item **taken = calloc(count, sizeof(struct item *));
    AUTO_FREE struct item **again = calloc(count, sizeof(struct item *));
    size_t taken_count, again_count;
    int r = taken && again ? store_begin(store, STORE_FENCED, err) : error_nomem(err);

    if (r)
        return r;
    taken_count = pick(items, records, count, kind, LOOK_UP, taken);
    again_count = pick(items, records, count, kind, SEND_AGAIN, again);
    for (size_t i = 0; !r && i < count; i++) {
        if (next_step_of(items[i], kind, &records[i]) == SETTLE)
            r = settle_record(round, items[i], &records[i], err);
    }
    if (!r)
        r = quota_note(round->delivery, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++) {
        if (next_step_of(items[i], kind, &records[i]) == SETTLE)
            tell_settled(round, items[i]);
    }
    if (!r)
        r = freeze_refused(round, items, records, count, kind, err);
    if (!r && taken_count > 0)
        r = look_up_taken(round, taken, taken_count, kind, err);
    if (!r && again_count > 0)
        r = round->stop ? land(round, again, again_count, err)
                        : send_without_manager(round, again, again_count, kind, err);
    return r || is_of_leavers(kind) ? r : quarantine_weigh(round, err);
}

static int
settle_call_unknown(struct round *round, struct item **items, size_t count,
                    const struct sf_call *call, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++)
        r = settle_unknown(round, items[i], call->message, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++)
        tell_settled(round, items[i]);
    return r;
}

static int
settle_call_refused(struct round *round, struct item *item, const struct sf_call *call,
                    enum send_kind kind, struct prov_error *err)
{
    struct sf_record record = { .outcome = SF_REFUSED,
                                .cause = call->cause,
                                .remedy = call->remedy };

    snprintf(record.code, sizeof(record.code), "%s", call->code);
    snprintf(record.message, sizeof(record.message), "%s", call->message);
    /* a create that was refused as a call is not looked for by its name */
    return settle_records(round, &item, &record, 1, kind == SEND_CREATES ? SEND_UPDATES : kind,
                          err);
}

/* ---- what came of a call ---- */

/* Other calls may be under way, and each is settled. One that failed stops the round, and is told once: of
 * several the worst counts, and one that passes meanwhile does not end the pause. */
static int
call_failed(struct round *round, enum failure failure, const struct sf_call *call,
            struct prov_error *err)
{
    bool worse = failure > round->failed;

    round->stop = true;
    if (!worse)
        return PROV_OK;
    round->failed = failure;
    return failure == FAILED_WRITE ? org_write_failed(round->delivery, call, err)
                                   : org_call_failed(round->delivery, call, err);
}

static void
call_passed(struct round *round, enum send_kind kind)
{
    if (round->stop)
        return;
    if (is_of_leavers(kind))
        org_call_passed(round->delivery);
    else
        org_write_passed(round->delivery);
}

/* A call that was refused as a whole: the record that is at fault is found by halves. */
static int
bisect(struct round *round, const struct flight *flight, struct prov_error *err)
{
    size_t half = flight->count / 2;
    int r = land(round, flight->items, flight->count, err);

    if (!r && !round->stop)
        r = send_batch(round, flight->items, half, flight->kind, err);
    if (!r && !round->stop)
        r = send_batch(round, flight->items + half, flight->count - half, flight->kind, err);
    return r;
}

static int
settle_flight(struct round *round, const struct flight *flight, struct prov_error *err)
{
    const struct sf_call *call = &flight->call;
    bool leavers = is_of_leavers(flight->kind);
    int r;

    if (flight->result)
        return error_set(err, flight->result, "the change could not be sent: %s", call->message);
    history_note_call(flight->items, flight->count, plan_action_name(action_of(flight->kind)),
                      call);
    switch (call->outcome) {
    case SF_DELIVERED:
        call_passed(round, flight->kind);
        return settle_records(round, flight->items, flight->results, flight->count, flight->kind,
                              err);
    case SF_UNKNOWN:
        r = settle_call_unknown(round, flight->items, flight->count, call, err);
        /* leavers are tried in the next round */
        return r ? r : call_failed(round, leavers ? FAILED_CALL : FAILED_WRITE, call, err);
    case SF_REFUSED:
        return flight->count == 1
                   ? settle_call_refused(round, flight->items[0], call, flight->kind, err)
                   : bisect(round, flight, err);
    default:
        r = land(round, flight->items, flight->count, err);
        return r ? r
                 : call_failed(round, call->outcome == SF_HOLD ? FAILED_ORG : FAILED_CALL, call,
                               err);
    }
}

/* ---- sending ---- */

static enum sf_batch_kind
batch_kind_of(enum send_kind kind)
{
    return is_of_logins(kind)     ? SF_UPDATE_LOGINS
           : kind == SEND_CREATES ? SF_CREATE_USERS
                                  : SF_UPDATE_USERS;
}

static int
make_batch(struct flight *flight, struct prov_error *err)
{
    AUTO_FREE struct sf_change *changes = calloc(flight->count, sizeof(*changes));
    int r;

    if (!changes)
        return error_nomem(err);
    for (size_t i = 0; i < flight->count; i++) {
        const struct item *item = flight->items[i];
        changes[i].fields = item->plan.fields;
        if (flight->kind != SEND_CREATES)
            changes[i].id =
                is_of_logins(flight->kind) ? item->login_id : item->work.link.salesforce_id;
    }
    r = sf_batch_new(batch_kind_of(flight->kind), changes, flight->count, &flight->batch,
                     &flight->call);
    return r ? error_set(err, r, "the change could not be sent: %s", flight->call.message)
             : PROV_OK;
}

/* Ready to be sent: what is in it is stored as in flight. The items must last. */
static int
make_flight(struct round *round, struct item **items, size_t count, enum send_kind kind,
            struct flight **ret, struct prov_error *err)
{
    CLEANUP(flight_cleanup) struct flight *flight = calloc(1, sizeof(*flight));
    int r;

    if (!flight)
        return error_nomem(err);
    flight->items = malloc(count * sizeof(struct item *));
    flight->results = calloc(count, sizeof(*flight->results));
    if (!flight->items || !flight->results)
        return error_nomem(err);
    memcpy(flight->items, items, count * sizeof(struct item *));
    flight->count = count;
    flight->kind = kind;
    r = make_batch(flight, err);
    if (!r)
        r = store_flight(round, items, count, kind, err);
    if (!r)
        *ret = STEAL(flight);
    return r;
}

/* One call, and what came of it, before anything else. */
static int
send_batch(struct round *round, struct item **items, size_t count, enum send_kind kind,
           struct prov_error *err)
{
    CLEANUP(flight_cleanup) struct flight *flight = NULL;
    int r = count > 0 ? make_flight(round, items, count, kind, &flight, err) : PROV_OK;

    if (r || !flight)
        return r;
    flight->result =
        sf_batch_send(round->delivery->session, flight->batch, flight->results, &flight->call);
    return settle_flight(round, flight, err);
}

/*
 * How many may share a call with this one. What was in flight and did not happen may be what makes the
 * call fail, again and again: it shares with fewer each time, until it is alone and the others are
 * delivered. What was tried again for a reason of its own is not suspected.
 */
static size_t
share_of(const struct item *item, size_t limit)
{
    for (int64_t i = tries_of(&item->work.link); i > 0 && limit > 1; i--)
        limit = limit > SUSPECT_SHARE ? limit / SUSPECT_SHARE : 1;
    return limit;
}

/* Who left since this round sent its leavers is not kept waiting for all of its calls (rule 7): the rest
 * stays due. One call of others goes in each round, so that nobody waits for ever. */
static int
look_for_leavers(struct round *round, struct prov_error *err)
{
    bool urgent = false;
    int64_t later_us = 0;
    int r = PROV_OK;

    if (round->rest_calls++ > 0 && !round->urgent_left)
        r = store_due_leavers_next(round->delivery->store, clock_now_us(), &urgent, &later_us, err);
    round->leavers_only = round->leavers_only || urgent;
    return r;
}

/* Whether a batch of this kind may go now: others than leavers keep off the reserve of the quota. */
static int
may_send(struct round *round, enum send_kind kind, bool *ret, struct prov_error *err)
{
    int r = is_of_leavers(kind) || round->leavers_only ? PROV_OK : quota_check(round, err);

    if (!r && !is_of_leavers(kind) && !round->leavers_only)
        r = look_for_leavers(round, err);
    *ret = !r && !round->stop && (is_of_leavers(kind) || !round->leavers_only);
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

    if (is_of_logins(kind))
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
        CLEANUP(flight_cleanup) struct flight *flight = flights_wait(air);
        if (!r)
            r = settle_flight(round, flight, err);
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
        r = make_flight(round, sending->batch, sending->filled, sending->kind, &flight, err);
    sending->filled = 0;
    sending->locks = false;
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
    CLEANUP(flight_cleanup) struct flight *over = flights_wait(sending->air);
    struct prov_error ignored = PROV_ERROR_INIT;
    bool passed = !over->result && over->call.outcome == SF_DELIVERED;
    int r = passed ? PROV_OK : settle_flight(sending->round, over, err), after;

    if (!r)
        r = begin_filled(sending, false, err);
    after = passed ? settle_flight(sending->round, over, r ? &ignored : err) : PROV_OK;
    return r ? r : after;
}

/* Sends the batch that was filled. */
static int
send_filled(struct sending *sending, struct prov_error *err)
{
    size_t most = (size_t)sending->round->delivery->fields->parallel_calls;
    int r;

    if (!sending->locks && most > 1)
        return sending->air->count < most ? begin_filled(sending, false, err)
                                          : begin_in_place_of_another(sending, err);
    r = send_land(sending->round, 0, err);
    if (!r)
        r = begin_filled(sending, true, err);
    return r ? r : send_land(sending->round, 0, err);
}

static bool
is_wanted(const struct sending *sending, const struct item *item)
{
    return item->plan.action == action_of(sending->kind) && item->share == sending->share &&
           !(is_of_logins(sending->kind) && !item->login_id[0]);
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
    return r || kind == SEND_UPDATES || round->begun == begun ? r : send_land(round, 0, err);
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
