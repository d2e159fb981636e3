/* Adopts accounts for subjects that were to be created (design rule 11): what the org holds becomes what
 * is confirmed, and the plan is made anew from that. The account keeps its username, which its owner
 * logs in with; a replan brings the one of the pattern. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/value_json.h"
#include "plugin/delivery/match.h"

/* Confirms what the row shows of a field; of one that it does not show nothing is known. */
static int
confirm_field(struct link *link, const char *field, struct json_object *row)
{
    struct json_object *there = NULL;
    struct value *value = NULL;

    if (!json_object_object_get_ex(row, field, &there))
        return PROV_OK;
    return value_from_json(&link->pool, there, &value)
               ? PROV_E_NOMEM
               : value_put(&link->pool, link->confirmed, field, value);
}

/* Of the fields that are planned. */
static int
confirm_row(struct link *link, const struct value *planned, const char *correlation_field,
            struct json_object *row, struct prov_error *err)
{
    link->confirmed = value_object(&link->pool);
    if (!link->confirmed)
        return error_nomem(err);
    VALUE_EACH(planned, member)
    {
        if (confirm_field(link, member->name, row))
            return error_nomem(err);
    }
    return correlation_field && confirm_field(link, correlation_field, row) ? error_nomem(err)
                                                                            : PROV_OK;
}

/* [tx] Takes the account from a leaver: whatever he had in Salesforce is the other's now, also that it is
 * frozen, and others may have the names that he held or wanted. What he was held or parked for is looked
 * at anew. */
static int
take_from(struct round *round, int64_t holder, struct link *heir, bool *ret_frozen,
          struct prov_error *err)
{
    struct store *store = round->delivery->store;
    CLEANUP(work_done) struct work other = { 0 };
    struct link *link = &other.link;
    int r = store_load_id(store, holder, &other, err);

    if (!r)
        r = settle_claim(round, link, NULL, err);
    if (!r && link->username_held)
        r = names_wake(store, link->username_held, err);
    if (r)
        return r;
    *ret_frozen = link_is_frozen(link);
    heir->frozen_by_others = link->frozen_by_others;
    link->frozen_by_others = false;
    link->salesforce_id[0] = '\0';
    link->confirmed = NULL;
    link->confirmed_version = link->first_sent_us = 0;
    if (set_text(&link->username_held, NULL) || set_text(&link->username_inputs, NULL) ||
        set_text(&link->last_action, "the account went to another user of the host"))
        return error_nomem(err);
    r = store_put_link(store, holder, link, err);
    return r ? r : store_due_add(store, holder, DUE_NOW, err);
}

/* [tx] In the stories of both. */
static int
note_adoption(struct store *store, const struct item *item, const struct match *match,
              struct prov_error *err)
{
    const char *id = item->work.link.salesforce_id;
    AUTO_FREE char *had = NULL;
    AUTO_FREE char *lost = NULL;
    int r;

    if (asprintf(&had, "%s adopted by %s", id, match->key) < 0) {
        had = NULL;
        return error_nomem(err);
    }
    if (asprintf(&lost, "%s went to '%s'", id, item->work.subject.uri) < 0) {
        lost = NULL;
        return error_nomem(err);
    }
    r = store_note(store, item->work.subject.id, NOTE_ACCOUNT, had, err);
    return r || !match->holder ? r : store_note(store, match->holder, NOTE_ACCOUNT, lost, err);
}

/* [tx] */
static int
adopt(struct round *round, struct item *item, const struct match *match, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    struct json_object *row = json_object_array_get_idx(match->rows, 0);
    const struct subject *subject = &item->work.subject;
    struct link *link = &item->work.link;
    AUTO_FREE char *name = strdup(json_get_string(row, "Username"));
    bool frozen = false;
    int r = name ? PROV_OK : error_nomem(err);

    if (!r && match->holder)
        r = take_from(round, match->holder, link, &frozen, err);
    /* it may have been us, with a store that was lost; but an admin may have had a reason */
    if (!r && !frozen)
        link->frozen_by_others = json_get_bool(row, FROZEN_FIELD, false);
    if (!r)
        r = confirm_row(link, item->plan.fields, round->delivery->fields->correlation_field, row,
                        err);
    if (r)
        return r;
    username_lower(name);
    snprintf(link->salesforce_id, sizeof(link->salesforce_id), "%s", json_get_string(row, "Id"));
    link->first_sent_us = 0;
    if (set_text(&link->username_held, name) ||
        set_text(&link->username_inputs, item->plan.username_inputs) ||
        value_put_text(&link->pool, link->confirmed, "Username", name) ||
        (frozen && value_put(&link->pool, link->confirmed, FROZEN_FIELD, value_boolean(true))))
        return error_nomem(err);
    r = settle_claim(round, link, name, err);
    if (!r)
        r = note_adoption(store, item, match, err);
    if (!r)
        r = store_put_link(store, subject->id, link, err);
    return r ? r : store_wake(store, WAIT_MANAGER, subject->uri, subject->iss, INT64_MAX, err);
}

/* [tx] What becomes of the leaver's account is known soon: nobody has to be asked. */
static int
wait_for_leaver(struct round *round, struct item *item, const struct match *match,
                struct prov_error *err)
{
    const struct code_words *words = code_words(CODE_MATCH_LEAVER);

    item_stop(item, FATE_RETRY);
    item->said = (struct said){ CODE_MATCH_LEAVER, match->reason, words->cause, words->remedy };
    return settle(round, item, err);
}

/* [tx] An account goes to one subject of the round only, the first. */
static int
adopt_or_put_off(struct round *round, struct item *item, const struct match *match,
                 struct json_object *given, struct prov_error *err)
{
    const char *id = json_get_string(json_object_array_get_idx(match->rows, 0), "Id");
    int r;

    if (json_get(given, id) || (match->holder && round_knows(round, match->holder))) {
        item_stop(item, FATE_LATER); /* the store will know whose it is */
        return PROV_OK;
    }
    r = json_put_bool(given, id, true) ? error_nomem(err) : adopt(round, item, match, err);
    item->adopted_by = match->key;
    return r;
}

/* [tx] Adopts those who may be. */
static int
adopt_all(struct round *round, struct item **items, struct match *list, size_t count,
          struct prov_error *err)
{
    AUTO_JSON struct json_object *given = json_object_new_object();
    int r = given ? PROV_OK : error_nomem(err);

    for (size_t i = 0; !r && i < count; i++) {
        if (list[i].verdict == MATCH_REFUSE)
            item_park(items[i], list[i].code, "%s", list[i].reason);
        else if (list[i].verdict == MATCH_WAIT)
            r = wait_for_leaver(round, items[i], &list[i], err);
        else if (list[i].verdict == MATCH_ADOPT)
            r = adopt_or_put_off(round, items[i], &list[i], given, err);
    }
    return r;
}

static int
adopt_in_one(struct round *round, struct item **items, struct match *list, size_t count,
             struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };
    struct store *store = round->delivery->store;
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    r = adopt_all(round, items, list, count, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++) {
        if (list[i].verdict == MATCH_WAIT)
            tell_settled(&telling, items[i]);
        else if (list[i].verdict == MATCH_ADOPT && items[i]->adopted_by)
            r = round_plan(round, items[i], err);
    }
    return r;
}

/* The org refuses the question itself: a field of `match` is not there, or hidden. */
static void
park_all(struct item **items, size_t count, const struct sf_call *call)
{
    for (size_t i = 0; i < count; i++)
        item_park(items[i], CODE_MATCH_REFUSED,
                  "whether the user is in the org already cannot be asked: %s: %s", call->code,
                  call->message);
}

static int
match_items(struct round *round, struct item **items, struct match *list, size_t count,
            struct prov_error *err)
{
    struct sf_call call;
    int r = match_find(round->delivery, list, count, &call, err);

    if (r)
        return r;
    if (call.outcome == SF_DELIVERED)
        return adopt_in_one(round, items, list, count, err);
    if (call.outcome == SF_REFUSED) {
        park_all(items, count, &call);
        return PROV_OK;
    }
    round->stop = true;
    return org_call_failed(round->delivery, &call, err);
}

int
match_creates(struct round *round, struct prov_error *err)
{
    AUTO_FREE struct item **items = calloc(round->count, sizeof(struct item *));
    AUTO_FREE struct match *list = calloc(round->count, sizeof(*list));
    size_t count = 0;
    int r;

    if (!items || !list)
        return error_nomem(err);
    if (!round->delivery->fields->match)
        return PROV_OK;
    for (size_t i = 0; i < round->count; i++) {
        struct item *item = &round->items[i];
        if (!item_sends(item, PLAN_CREATE))
            continue;
        list[count] = (struct match){ .subject = &item->work.subject, .fields = item->plan.fields };
        items[count++] = item;
    }
    r = count > 0 ? match_items(round, items, list, count, err) : PROV_OK;
    for (size_t i = 0; i < count; i++)
        match_done(&list[i]);
    return r;
}
