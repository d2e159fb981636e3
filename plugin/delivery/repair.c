/* Repair: who is ordered to be set back is read first, and planned against what the org holds now instead
 * of what was confirmed. What was confirmed stays as it is until the difference is delivered: so a
 * retry, a lost answer or a crash reads and compares again, and nothing that was to be set back is
 * taken for wanted. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/value_json.h"
#include "plugin/delivery/internal.h"

bool
repair_is_due(const struct item *item)
{
    return (item->work.link.orders & ORDER_REPAIR) && item->work.link.salesforce_id[0] &&
           !item->work.link.in_flight && !item->there && !plan_takes_access(&item->plan);
}

/* Every field that was confirmed of these, as an object used as a set. */
static struct json_object *
confirmed_fields(struct item **items, size_t count)
{
    AUTO_JSON struct json_object *set = json_object_new_object();

    for (size_t i = 0; set && i < count; i++) {
        VALUE_EACH(items[i]->work.link.confirmed, member)
        {
            if (json_put_bool(set, member->name, true))
                return NULL;
        }
    }
    return STEAL(set);
}

static struct json_object *
row_of(struct json_object *rows, const struct item *item)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (strcmp(json_get_string(row, "Id"), item->work.link.salesforce_id) == 0)
            return row;
    }
    return NULL;
}

/* What is there: the row, and what was confirmed where the org shows nothing. A new e-mail address
 * shows only when its owner has confirmed it (fact sheet 3.8), so it is left out of it. */
static int
merge(struct pool *pool, const struct value *confirmed, struct json_object *row, struct value **ret)
{
    struct value *there = value_object(pool);
    int r = PROV_OK;

    VALUE_EACH(confirmed, member)
    r = r ? r : value_put(pool, there, member->name, member->value);
    json_object_object_foreach(row, name, theirs)
    {
        struct value *value = NULL;
        r = r ? r : value_from_json(pool, theirs, &value);
        if (!r && strcmp(name, "Email") != 0)
            r = value_put(pool, there, name, value);
    }
    *ret = there;
    return there ? r : PROV_E_NOMEM;
}

static int
plan_anew(struct round *round, struct item *item, struct json_object *rows, struct prov_error *err)
{
    struct json_object *row = row_of(rows, item);
    struct link *link = &item->work.link;

    if (!row) {
        item_park(item, CODE_ACCOUNT_MISSING,
                  "the Salesforce user this subject is linked to is not in the org");
        return PROV_OK;
    }
    if (merge(&link->pool, link->confirmed, row, &item->there))
        return error_nomem(err);
    return round_plan(round, item, err);
}

static int
read_items(struct round *round, struct item **items, size_t count, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *fields = confirmed_fields(items, count);
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE const char **ids = calloc(count, sizeof(*ids));
    struct lookup lookup = { .key = "Id", .values = ids, .count = count, .fields = fields };
    struct sf_call call;
    int r;

    if (!fields || !ids)
        return error_nomem(err);
    for (size_t i = 0; i < count; i++)
        ids[i] = items[i]->work.link.salesforce_id;
    r = lookup_users(d, &lookup, &rows, &call, err);
    if (!r && call.outcome == SF_DELIVERED) {
        org_call_passed(d);
        for (size_t i = 0; !r && i < count; i++)
            r = plan_anew(round, items[i], rows, err);
    } else if (!r && call.outcome == SF_REFUSED) {
        for (size_t i = 0; i < count; i++)
            item_park(items[i], CODE_ACCOUNT_UNREADABLE, "the account cannot be read: %s: %s",
                      call.code, call.message);
    } else if (!r) {
        round->stop = true; /* they stay due, their order with them */
        r = org_call_failed(d, &call, err);
    }
    return r;
}

int
repair_read(struct round *round, struct prov_error *err)
{
    AUTO_FREE struct item **items = calloc(round->count, sizeof(struct item *));
    size_t count = 0;

    if (!items)
        return error_nomem(err);
    for (size_t i = 0; i < round->count; i++) {
        /* leavers wait for no look-up: the next round reads */
        if (plan_takes_access(&round->items[i].plan))
            return PROV_OK;
        if (round->items[i].fate == FATE_LOOK_UP && repair_is_due(&round->items[i]))
            items[count++] = &round->items[i];
    }
    return count > 0 ? read_items(round, items, count, err) : PROV_OK;
}
