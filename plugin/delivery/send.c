/* Sends plans in batches (design rules 7, 14, 16): stores what is in flight before it is sent, calls,
 * and hands every record's outcome to settle.c. A call refused as a whole is bisected, so that it is
 * charged only to a record that was alone in its call. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

enum plan_action
send_action(enum send_kind kind)
{
    static const enum plan_action actions[] = { [SEND_DEACTIVATIONS] = PLAN_DEACTIVATE,
                                                [SEND_FREEZES] = PLAN_FREEZE,
                                                [SEND_UNFREEZES] = PLAN_UNFREEZE,
                                                [SEND_UPDATES] = PLAN_UPDATE,
                                                [SEND_CREATES] = PLAN_CREATE };

    return actions[kind];
}

/* ---- in flight ---- */

/* Whether it is not all that is wanted with this version; the rest follows at once, and may be refused. What follows of
 * a leaver who is not wanted is our business alone. */
static bool
is_first_step(const struct item *item)
{
    return item->without_manager || (item->plan.more && item->plan.in_scope);
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
        (counts && value_put(pool, flight, "counts", value_boolean(true))) ||
        (is_first_step(item) && value_put(pool, flight, "first_step", value_boolean(true))) ||
        value_put_integer(pool, flight, "tries", flight_tries(link)))
        return error_nomem(err);
    orders_fly(item);
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
        items[i]->fate = FATE_SENT;
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

/* Nothing was done for sure: what was in flight before this send is all that is, and it is to be sent yet. */
static int
land(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++) {
        struct link *link = &items[i]->work.link;
        items[i]->fate = FATE_SEND;
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

bool
send_is_of_leavers(enum send_kind kind)
{
    return kind == SEND_DEACTIVATIONS || kind == SEND_FREEZES;
}

bool
send_is_of_logins(enum send_kind kind)
{
    return kind == SEND_FREEZES || kind == SEND_UNFREEZES;
}

static bool
is_taken(const struct item *item, enum send_kind kind, const struct sf_record *record)
{
    bool renames = kind == SEND_UPDATES && value_get(item->plan.fields, "Username") &&
                   !names_go_aside(&item->plan);

    return (kind == SEND_CREATES || renames) && record->outcome == SF_REFUSED &&
           strcmp(record->code, "DUPLICATE_USERNAME") == 0;
}

/* A refused ManagerId never blocks the rest (rule 13), so the rest is sent again without it. */
static bool
is_manager_at_fault(const struct item *item, const struct sf_record *record)
{
    return record->outcome == SF_REFUSED && strstr(record->fields, "ManagerId") &&
           value_has(item->plan.fields, "ManagerId") && value_count(item->plan.fields) > 1;
}

/* Of a deactivation: it takes with it what the host has corrected of the fields that the refusal names, for the rest of
 * the difference comes after it, and it would be refused as long as they stand. Else the leaver is frozen next, unless he is
 * frozen already. */
static int
judge_not_left(struct round *round, struct item *item, const struct sf_record *record,
               struct prov_error *err)
{
    bool corrected = false;
    int r = round_correct(round, item, record->fields, &corrected, err);

    item->fate = corrected ? FATE_CORRECTED : FATE_FROZEN;
    if (r || corrected)
        return r;
    return link_is_frozen(&item->work.link) ? freeze_note_blocker(item, record, err)
                                            : freeze_instead(item, record, err);
}

/* What the org's refusal makes of the item. */
static int
judge_refused(struct round *round, struct item *item, enum send_kind kind,
              const struct sf_record *record, struct prov_error *err)
{
    item->said = (struct said){ record->code, record->message, record->cause, record->remedy };
    if (item->plan.action == PLAN_FREEZE) {
        item->fate = FATE_NOT_FROZEN;
        return PROV_OK;
    }
    if (item->plan.action == PLAN_DEACTIVATE)
        return judge_not_left(round, item, record, err);
    item->fate = is_taken(item, kind, record)        ? FATE_WHOSE
                 : is_manager_at_fault(item, record) ? FATE_UNMANAGED
                                                     : FATE_REFUSED;
    return PROV_OK;
}

/* What an answer makes of the item. The record must last until that is settled. */
static int
judge(struct round *round, struct item *item, enum send_kind kind, const struct sf_record *record,
      struct prov_error *err)
{
    switch (record->outcome) {
    case SF_DELIVERED:
        item_is_there(item, item->blocker ? FATE_FROZEN : FATE_DELIVERED, record->id);
        return PROV_OK;
    case SF_RETRY:
    case SF_UNKNOWN:
        item->fate = record->outcome == SF_RETRY ? FATE_RETRY : FATE_UNKNOWN;
        item->said = (struct said){ record->code, record->message, record->cause, record->remedy };
        return item->fate == FATE_UNKNOWN && flight_began(&item->work.link, item->call.took_us)
                   ? error_nomem(err)
                   : PROV_OK;
    default:
        return judge_refused(round, item, kind, record, err);
    }
}

/* Of `items` those with the fate, in their order. *ret has room for all. */
static size_t
pick(struct item **items, size_t count, enum fate fate, struct item **ret)
{
    size_t picked = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i]->fate == fate)
            ret[picked++] = items[i];
    }
    return picked;
}

/* [tx] Those that have come to an end. */
static int
settle_ended(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < count; i++) {
        if (item_ended(items[i]))
            r = settle(round, items[i], err);
    }
    return r ? r : quota_note(round->delivery, err);
}

static int
send_again(struct round *round, struct item **items, size_t count, enum send_kind kind,
           struct prov_error *err)
{
    int r = land(round, items, count, err);

    return r || round->stop ? r : send_batch(round, items, count, kind, err);
}

static int
send_without_manager(struct round *round, struct item **items, size_t count, enum send_kind kind,
                     struct prov_error *err)
{
    for (size_t i = 0; i < count; i++) {
        value_remove(items[i]->plan.fields, "ManagerId");
        items[i]->without_manager = true;
    }
    return send_again(round, items, count, kind, err);
}

/* Who has the usernames; and of whoever is given another one the next form is tried. */
static int
look_up_taken(struct round *round, struct item **items, size_t count, enum send_kind kind,
              struct prov_error *err)
{
    size_t again;
    int r;

    if (round->stop)
        return land(round, items, count, err);
    r = unknown_username_taken(round, items, count, err);
    again = pick(items, count, FATE_SEND, items);
    return r || again == 0 ? r : send_again(round, items, again, kind, err);
}

/* Those of a call for whom there is more to do, of one kind. They stay due until that is settled: a process that is
 * killed in between begins anew, with the deactivation of who is to be frozen. */
static int
go_on(struct round *round, struct item **items, size_t count, enum fate fate, enum send_kind kind,
      struct prov_error *err)
{
    AUTO_FREE struct item **picked = calloc(count + 1, sizeof(struct item *));
    size_t picked_count;

    if (!picked)
        return error_nomem(err);
    picked_count = pick(items, count, fate, picked);
    if (picked_count == 0)
        return PROV_OK;
    if (fate == FATE_WHOSE)
        return look_up_taken(round, picked, picked_count, kind, err);
    if (fate == FATE_FREEZE || round->stop)
        return land(round, picked, picked_count, err);
    return fate == FATE_CORRECTED ? send_again(round, picked, picked_count, kind, err)
                                  : send_without_manager(round, picked, picked_count, kind, err);
}

static void
tell_ended(struct round *round, struct item **items, size_t count)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };

    for (size_t i = 0; i < count; i++) {
        if (item_ended(items[i]))
            tell_settled(&telling, items[i]);
    }
}

/* All records of a call that was delivered as a whole, in one transaction, but for those that need
 * another call. */
static int
settle_records(struct round *round, struct item **items, const struct sf_record *records,
               size_t count, enum send_kind kind, struct prov_error *err)
{
    static const enum fate more[] = { FATE_FREEZE, FATE_CORRECTED, FATE_WHOSE, FATE_UNMANAGED };
    struct store *store = round->delivery->store;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < count; i++)
        r = judge(round, items[i], kind, &records[i], err);
    if (!r)
        r = store_begin(store, STORE_FENCED, err);
    if (r)
        return r;
    r = settle_ended(round, items, count, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    if (!r)
        tell_ended(round, items, count);
    for (size_t k = 0; !r && k < sizeof(more) / sizeof(more[0]); k++)
        r = go_on(round, items, count, more[k], kind, err);
    return r || send_is_of_leavers(kind) ? r : quarantine_weigh(round, err);
}

static int
settle_call_unknown(struct round *round, struct item **items, size_t count,
                    const struct sf_call *call, struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++) {
        items[i]->fate = FATE_UNKNOWN;
        items[i]->said = (struct said){ .message = call->message };
        if (flight_began(&items[i]->work.link, call->took_us))
            r = error_nomem(err);
        if (!r)
            r = settle(round, items[i], err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++)
        tell_settled(&telling, items[i]);
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
    if (send_is_of_leavers(kind))
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

int
send_settle(struct round *round, const struct flight *flight, struct prov_error *err)
{
    const struct sf_call *call = &flight->call;
    bool leavers = send_is_of_leavers(flight->kind);
    int r;

    if (flight->result)
        return error_set(err, flight->result, "the change could not be sent: %s", call->message);
    history_note_call(flight->items, flight->count, plan_action_name(send_action(flight->kind)),
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
    return send_is_of_logins(kind) ? SF_UPDATE_LOGINS
           : kind == SEND_CREATES  ? SF_CREATE_USERS
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
                send_is_of_logins(flight->kind) ? item->login_id : item->work.link.salesforce_id;
    }
    r = sf_batch_new(batch_kind_of(flight->kind), changes, flight->count, &flight->batch,
                     &flight->call);
    return r ? error_set(err, r, "the change could not be sent: %s", flight->call.message)
             : PROV_OK;
}

/* Ready to be sent: what is in it is stored as in flight. The items must last. */
int
send_make(struct round *round, struct item **items, size_t count, enum send_kind kind,
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
    flight->urgency = send_is_of_leavers(kind) ? SF_URGENT : SF_CAN_WAIT;
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
    int r = count > 0 ? send_make(round, items, count, kind, &flight, err) : PROV_OK;

    if (r || !flight)
        return r;
    flight->result = sf_batch_send(round->delivery->session, flight->batch, flight->urgency,
                                   flight->results, &flight->call);
    return send_settle(round, flight, err);
}
