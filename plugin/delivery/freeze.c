/* Freezing and unfreezing through UserLogin (fact sheet 2.9): who leaves where the connector field
 * leaver_action says so, and whoever Salesforce does not let be deactivated, at once. Decides which row is
 * whose, and that a missing one is a fault. How an answer is settled is settle.c's. */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"

/* Users looked up, and settled, together. */
#define LOOKUP_MAX 200

int
freeze_note_blocker(struct item *item, const struct sf_record *blocker, struct prov_error *err)
{
    free(item->blocker);
    item->blocker = malloc(sizeof(*item->blocker));
    if (!item->blocker)
        return error_nomem(err);
    *item->blocker = *blocker;
    return PROV_OK;
}

int
freeze_instead(struct item *item, const struct sf_record *blocker, struct prov_error *err)
{
    int r = freeze_note_blocker(item, blocker, err);

    if (r)
        return r;
    item->fate = FATE_FREEZE;
    item->plan.action = PLAN_FREEZE;
    return plan_put_alone(&item->plan, FROZEN_FIELD, value_boolean(true)) ? error_nomem(err)
                                                                          : PROV_OK;
}

/* ---- whose row is which ---- */

/* Whether somebody else has frozen the account that is to be frozen: neither is it confirmed that we have, nor
 * may a send of ours without an answer have done so. */
static bool
is_by_others(const struct item *item)
{
    const struct link *link = &item->work.link;
    struct value *flight = value_get(link->in_flight, "fields");

    return link_is_frozen(link) ? link->frozen_by_others
                                : !value_get_boolean(flight, FROZEN_FIELD, false);
}

static struct json_object *
login_of(struct json_object *rows, const struct item *item)
{
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (strcmp(json_get_string(row, "UserId"), item->work.link.salesforce_id) == 0)
            return row;
    }
    return NULL;
}

/* Who is frozen by others needs no call. */
static void
take_login(struct item *item, struct json_object *rows)
{
    struct json_object *row = login_of(rows, item);
    bool freezes = item->plan.action == PLAN_FREEZE;

    if (!row)
        return;
    item->found_frozen = freezes && json_get_bool(row, "IsFrozen", false) && is_by_others(item);
    if (freezes)
        item->work.link.frozen_by_others = item->found_frozen;
    if (!item->found_frozen)
        snprintf(item->login_id, sizeof(item->login_id), "%s", json_get_string(row, "Id"));
}

/* Why an account cannot be frozen or unfrozen that has no UserLogin, or whose UserLogin cannot be read. */
static struct sf_record
fault_of(const struct sf_call *call)
{
    const struct code_words *words = code_words(CODE_NO_USER_LOGIN);
    struct sf_record fault = {
        .outcome = SF_REFUSED,
        .code = CODE_NO_USER_LOGIN,
        .message =
            "the user has no UserLogin in the org, so the account cannot be frozen or unfrozen",
        .cause = words->cause,
        .remedy = words->remedy
    };

    if (call->outcome != SF_REFUSED)
        return fault;
    snprintf(fault.code, sizeof(fault.code), "%s", call->code);
    snprintf(fault.message, sizeof(fault.message), "UserLogin cannot be read: %.480s",
             call->message);
    error_tidy(fault.message);
    fault.cause = call->cause;
    fault.remedy = call->remedy;
    return fault;
}

/* [tx] Of whom no UserLogin was found, or who is frozen already: as if it had been sent and confirmed. */
static int
settle_one(struct round *round, struct item *item, const struct said *fault, struct prov_error *err)
{
    int r = PROV_OK;

    if (!item->found_frozen) {
        item->said = *fault;
        item->fate = item->plan.action == PLAN_FREEZE ? FATE_NOT_FROZEN : FATE_REFUSED;
    } else if (item->blocker) {
        item->fate = FATE_FROZEN;
    } else {
        r = send_fly(round, item, SEND_FREEZES, err);
        item_is_there(item, FATE_DELIVERED, "");
    }
    return r ? r : settle(round, item, err);
}

static int
settle_unsent(struct round *round, struct item **items, size_t count, const struct sf_call *call,
              struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };
    struct store *store = round->delivery->store;
    struct sf_record record = fault_of(call);
    struct said fault = { record.code, record.message, record.cause, record.remedy };
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++) {
        if (!items[i]->login_id[0])
            r = settle_one(round, items[i], &fault, err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++) {
        if (!items[i]->login_id[0])
            tell_settled(&telling, items[i]);
    }
    return r;
}

/* Their UserLogins. */
static int
ask(struct round *round, struct item **items, size_t count, struct json_object **ret_rows,
    struct sf_call *ret_call, struct prov_error *err)
{
    const char *ids[LOOKUP_MAX];
    int r;

    for (size_t i = 0; i < count; i++)
        ids[i] = items[i]->work.link.salesforce_id;
    r = lookup_logins(round->delivery, ids, count,
                      items[0]->plan.action == PLAN_FREEZE ? SF_URGENT : SF_CAN_WAIT, ret_rows,
                      ret_call, err);
    if (r)
        return r;
    if (ret_call->outcome == SF_DELIVERED)
        org_call_passed(round->delivery);
    return PROV_OK;
}

/* An org that does not pass stops the round: they stay due. */
static int
look_up(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;
    int r = ask(round, items, count, &rows, &call, err);

    if (r)
        return r;
    history_note_call(items, count, "look up UserLogin", &call);
    if (call.outcome != SF_DELIVERED && call.outcome != SF_REFUSED) {
        round->stop = true;
        return org_call_failed(round->delivery, &call, err);
    }
    for (size_t i = 0; rows && i < count; i++)
        take_login(items[i], rows);
    return settle_unsent(round, items, count, &call, err);
}

/* Of items with the fate and what is planned, so many at a time. */
static int
look_up_all(struct round *round, enum fate fate, enum plan_action action,
            int (*look)(struct round *round, struct item **items, size_t count,
                        struct prov_error *err),
            struct prov_error *err)
{
    struct item *chunk[LOOKUP_MAX];
    size_t filled = 0;
    int r = PROV_OK;

    for (size_t i = 0; !r && !round->stop && i < round->count; i++) {
        if (round->items[i].fate == fate && round->items[i].plan.action == action)
            chunk[filled++] = &round->items[i];
        if (filled > 0 && (filled == LOOKUP_MAX || i + 1 == round->count)) {
            r = look(round, chunk, filled, err);
            filled = 0;
        }
    }
    return r;
}

/* ---- who was frozen by others ---- */

/* Of whom the org tells nothing it stays as it was until the next look, which comes soon unless that is refused: nobody
 * else is to wait for that. */
static int
look_frozen(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;
    int r = ask(round, items, count, &rows, &call, err);

    for (size_t i = 0; !r && i < count; i++) {
        struct link *link = &items[i]->work.link;
        items[i]->fate = FATE_NOTHING;
        items[i]->look_failed = call.outcome != SF_DELIVERED && call.outcome != SF_REFUSED;
        if (json_get_bool(login_of(rows, items[i]), "IsFrozen", true))
            continue;
        link->frozen_by_others = false;
        value_remove(link->confirmed, FROZEN_FIELD);
        items[i]->plan.code = NULL;
        history_note_call(&items[i], 1, "look up UserLogin", &call);
        if (set_text(&link->last_action, "found unfrozen"))
            r = error_nomem(err);
    }
    return r;
}

int
freeze_look(struct round *round, struct prov_error *err)
{
    return look_up_all(round, FATE_LOOK_FROZEN, PLAN_NOTHING, look_frozen, err);
}

int
freeze_all(struct round *round, struct prov_error *err)
{
    int r = look_up_all(round, FATE_SEND, PLAN_FREEZE, look_up, err);

    return r || round->stop ? r : send_all(round, SEND_FREEZES, err);
}

int
unfreeze_all(struct round *round, struct prov_error *err)
{
    int r = look_up_all(round, FATE_SEND, PLAN_UNFREEZE, look_up, err);

    return r || round->stop ? r : send_all(round, SEND_UNFREEZES, err);
}
