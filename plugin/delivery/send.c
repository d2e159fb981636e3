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

/* The admin's orders that this send carries out. Of who is in scope a deactivation is only the first
 * step. */
static int64_t
orders_in(const struct item *item)
{
    bool first = plan_takes_access(&item->plan) && item->plan.in_scope;
    unsigned carried = item->aside ? 0 : first ? ORDER_RELEASE : ORDER_RELEASE | ORDER_REPLAN;

    /* without the manager it is not all that was to be set back */
    if (!first && !item->aside && !item->without_manager)
        carried |= ORDER_REPAIR;

    return item->work.link.orders & carried;
}

/*
 * What is in flight for an item. Over a change that is in flight already, which only a deactivation
 * may be sent over, both are kept: the earlier one can land after ours, so the union is read back
 * when the settle window is over.
 */
static int
fly(struct round *round, struct item *item, enum send_kind kind, struct prov_error *err)
{
    struct link *link = &item->work.link;
    struct json_object *before = json_get(link->in_flight, "fields");
    const char *inputs = item->plan.username_inputs;
    AUTO_JSON struct json_object *flight = json_object_new_object();
    struct json_object *fields = json_object_new_object();
    int64_t now = clock_now_us();
    bool late = link->in_flight != NULL;
    int r = PROV_OK;

    if (!flight || json_put(flight, "fields", fields) || !fields)
        return error_nomem(err);
    if (before) {
        inputs = json_get_string(link->in_flight, "inputs");
        json_object_object_foreach(before, name, value)
        {
            r = r ? r : json_put(fields, name, json_ref(value));
        }
    }
    json_object_object_foreach(item->plan.fields, field, wanted)
    {
        r = r ? r : json_put(fields, field, json_ref(wanted));
    }
    if (r || json_put_string(flight, "op", kind == SEND_CREATES ? "create" : "update") ||
        json_put_string(flight, "inputs", inputs) ||
        json_put_int(flight, "version", item->work.subject.version) ||
        json_put_int(flight, "at_us", now) || json_put_int(flight, "up_us", clock_up_us()) ||
        json_put_string(flight, "boot", clock_boot()) ||
        (late && json_put_bool(flight, "late", true)) ||
        json_put_int(flight, "orders", orders_in(item)) ||
        json_put_int(flight, "tries", tries_of(link)))
        return error_nomem(err);
    json_object_put(link->in_flight);
    link->in_flight = STEAL(flight);
    if (kind == SEND_CREATES && !link->first_sent_us)
        link->first_sent_us = now;
    if (!json_get(item->plan.fields, "Username"))
        return PROV_OK;
    return settle_claim(round, link, item->plan.username, err);
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
        r = fly(round, items[i], kind, err);
        if (!r)
            r = store_put_link(store, items[i]->work.subject.id, &items[i]->work.link, err);
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
        flight_failed(link);
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
is_taken(enum send_kind kind, const struct sf_record *record)
{
    return kind == SEND_CREATES && record->outcome == SF_REFUSED &&
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
        return settle_refused(round, item, record->code, record->message, record->cause,
                              record->remedy, err);
    }
}

/* A refused ManagerId never blocks the rest (rule 13), so the rest is sent again without it. */
static bool
is_manager_at_fault(const struct item *item, const struct sf_record *record)
{
    return record->outcome == SF_REFUSED && strstr(record->fields, "ManagerId") &&
           json_object_object_get_ex(item->plan.fields, "ManagerId", NULL) &&
           json_object_object_length(item->plan.fields) > 1;
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
           : is_taken(kind, record)            ? LOOK_UP
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
        json_object_object_del(items[i]->plan.fields, "ManagerId");
        items[i]->without_manager = true;
    }
    return r ? r : send_batch(round, items, count, kind, err);
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
            settle_tell(round, items[i]);
    }
    if (!r)
        r = freeze_refused(round, items, records, count, kind, err);
    if (!r && taken_count > 0)
        r = unknown_username_taken(round, taken, taken_count, err);
    if (!r && !round->stop && again_count > 0)
        r = send_without_manager(round, again, again_count, kind, err);
    return r;
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
        settle_tell(round, items[i]);
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

/* ---- sending ---- */

static struct json_object *
make_records(struct item **items, size_t count, enum send_kind kind)
{
    AUTO_JSON struct json_object *records = json_object_new_array_ext((int)count);

    for (size_t i = 0; records && i < count; i++) {
        struct json_object *record = json_object_new_object();
        if (!record || json_object_array_add(records, record) != 0) {
            json_object_put(record);
            return NULL;
        }
        if (is_of_logins(kind)) {
            if (json_put_string(record, "Id", items[i]->login_id) ||
                json_put(record, "IsFrozen",
                         json_ref(json_get(items[i]->plan.fields, FROZEN_FIELD))))
                return NULL;
            continue;
        }
        if (kind != SEND_CREATES &&
            json_put_string(record, "Id", items[i]->work.link.salesforce_id))
            return NULL;
        json_object_object_foreach(items[i]->plan.fields, field, value)
        {
            if (json_put(record, field, json_ref(value)))
                return NULL;
        }
    }
    return STEAL(records);
}

static int
send_batch(struct round *round, struct item **items, size_t count, enum send_kind kind,
           struct prov_error *err)
{
    struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *records = make_records(items, count, kind);
    AUTO_FREE struct sf_record *results = calloc(count, sizeof(*results));
    struct sf_call call = { 0 };
    int r = records && results ? store_flight(round, items, count, kind, err) : error_nomem(err);

    if (r)
        return r;
    r = is_of_logins(kind)     ? sf_logins_update(d->session, records, results, &call)
        : kind == SEND_CREATES ? sf_users_create(d->session, records, results, &call)
                               : sf_users_update(d->session, records, results, &call);
    if (r)
        return error_set(err, r, "the change could not be sent: %s", call.message);
    switch (call.outcome) {
    case SF_DELIVERED:
        if (is_of_leavers(kind))
            org_call_passed(d);
        else
            org_write_passed(d);
        return settle_records(round, items, results, count, kind, err);
    case SF_UNKNOWN:
        r = settle_call_unknown(round, items, count, &call, err);
        if (r || is_of_leavers(kind))
            break;
        round->stop = true; /* leavers are tried in the next round */
        return org_write_failed(d, &call, err);
    case SF_REFUSED:
        if (count == 1)
            return settle_call_refused(round, items[0], &call, kind, err);
        r = land(round, items, count, err);
        if (!r)
            r = send_batch(round, items, count / 2, kind, err);
        if (!r && !round->stop)
            r = send_batch(round, items + count / 2, count - count / 2, kind, err);
        return r;
    default:
        r = land(round, items, count, err);
        break;
    }
    round->stop = true;
    return r ? r : org_call_failed(d, &call, err);
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

/* Whether a batch of this kind may go now: others than leavers keep off the reserve of the quota. */
static int
may_send(struct round *round, enum send_kind kind, bool *ret, struct prov_error *err)
{
    int r = is_of_leavers(kind) || round->leavers_only ? PROV_OK : quota_check(round, err);

    *ret = !r && !round->stop && (is_of_leavers(kind) || !round->leavers_only);
    return r;
}

/* Sends those who may share a call with `share` records. */
static int
send_shared(struct round *round, enum send_kind kind, size_t share, struct prov_error *err)
{
    AUTO_FREE struct item **batch = calloc(share, sizeof(struct item *));
    size_t filled = 0;
    bool go = true;
    int r = batch ? PROV_OK : error_nomem(err);

    for (size_t i = 0; !r && go && i < round->count; i++) {
        struct item *item = &round->items[i];
        if (item->plan.action == action_of(kind) && item->share == share &&
            !(is_of_logins(kind) && !item->login_id[0]))
            batch[filled++] = item;
        if (filled == 0 || (filled < share && i + 1 < round->count))
            continue;
        r = may_send(round, kind, &go, err);
        if (!r && go)
            r = send_batch(round, batch, filled, kind, err);
        filled = 0;
    }
    return r;
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
