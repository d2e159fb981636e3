/* The guard against mass mistakes (design rule 18): when more users are to be deactivated within a window
 * than a number and a share of the active ones allow, deactivations wait for an admin's release.
 * Nothing else waits. What was held keeps its reason in the link, so the store tells who it is. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

/* Whether an admin has let it go. */
static bool
is_released(const struct item *item)
{
    return (orders_in_force(&item->work.link) & ORDER_RELEASE) != 0;
}

/* Whether the guard has a word in it. Who is frozen already has no access to lose. */
static bool
is_weighed(const struct item *item)
{
    return plan_takes_access(&item->plan) && !is_released(item) &&
           !link_is_frozen(&item->work.link);
}

/* ---- how many were done ---- */

/* Deactivations done in the window that is under way, 0 in a new one; read once in a round. */
static int
read_done(struct round *round, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_FREE char *text = NULL;
    int64_t now = clock_now_us(), window_us = d->fields->guard_window_s * CLOCK_SECOND_US;
    int r = round->guard_read ? PROV_OK : store_get_fact(d->store, "guard", &text, err);

    if (!r && text)
        r = json_parse(text, strlen(text), "a fact of the store", &fact, err);
    if (r || round->guard_read)
        return r;
    round->guard_read = true;
    round->guard_since_us = json_get_int(fact, "since_us", 0);
    round->guard_done = json_get_int(fact, "done", 0);
    if (round->guard_since_us > now || now - round->guard_since_us >= window_us) {
        round->guard_since_us = now;
        round->guard_done = 0;
    }
    return PROV_OK;
}

bool
guard_counts(const struct item *item)
{
    const struct link *link = &item->work.link;
    struct value *before = item->there ? item->there : link->confirmed;

    return link->salesforce_id[0] && plan_takes_access(&item->plan) &&
           value_get_boolean(before, "IsActive", true) &&
           !value_get_boolean(before, FROZEN_FIELD, false) && !is_released(item);
}

int
guard_count(struct round *round, struct item *item, struct prov_error *err)
{
    struct value *flight = item->work.link.in_flight;
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_FREE char *text = NULL;
    int r;

    if (!value_get_boolean(flight, "counts", false))
        return PROV_OK;
    value_remove(flight, "counts");
    r = read_done(round, err);
    if (r)
        return r;
    round->guard_done++;
    fact = json_object_new_object();
    if (json_put_int(fact, "since_us", round->guard_since_us) ||
        json_put_int(fact, "done", round->guard_done) || !(text = json_text(fact)))
        return error_nomem(err);
    return store_put_fact(round->delivery->store, "guard", text, err);
}

/* ---- holding ---- */

static bool
is_held(const struct link *link)
{
    return link->code && strcmp(link->code, GUARD_CODE) == 0;
}

static void
hold_all(struct round *round, int64_t wanted, int64_t active)
{
    struct delivery *d = round->delivery;

    for (size_t i = 0; i < round->count; i++) {
        struct item *item = &round->items[i];
        if (!is_weighed(item))
            continue;
        /* who is held is looked at no more: what is in flight must be known before */
        item_stop(item, item->work.link.in_flight ? FATE_READ_BACK : FATE_HELD);
        if (item->fate == FATE_READ_BACK)
            continue;
        plan_say(&item->plan,
                 "%lld of %lld active users are to be deactivated within guard_window_s (%lld s), "
                 "more than guard_floor (%lld) and guard_percent (%lld%%) allow",
                 (long long)wanted, (long long)active, (long long)d->fields->guard_window_s,
                 (long long)d->fields->guard_floor, (long long)d->fields->guard_percent);
        if (!round->guard_told)
            log_line(&d->log, PROV_LOG_ERROR,
                     "the guard holds deactivations: %s; to do: look at 'sfprov list', then "
                     "'sfprov release', or correct the host",
                     item->plan.reason ? item->plan.reason : "");
        round->guard_told = true;
    }
}

/* Deactivations of this round that are not released: *ret_any; of these, how many were not held
 * before. */
static int64_t
count_here(const struct round *round, bool *ret_any)
{
    int64_t here = 0;

    *ret_any = false;
    for (size_t i = 0; i < round->count; i++) {
        const struct item *item = &round->items[i];
        if (!is_weighed(item))
            continue;
        *ret_any = true;
        here += !is_held(&item->work.link);
    }
    return here;
}

int
guard_check(struct round *round, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct guard_numbers numbers;
    int64_t here, wanted, active = 0;
    bool any = false;
    int r;

    here = count_here(round, &any);
    if (!any)
        return PROV_OK;
    r = store_guard_numbers(d->store, &numbers, err);
    if (!r)
        r = read_done(round, err);
    if (r)
        return r;
    wanted = round->guard_done + numbers.held + (here > numbers.due ? here : numbers.due);
    if (wanted <= d->fields->guard_floor)
        return PROV_OK;
    r = store_active_accounts(d->store, &active, err);
    if (!r && wanted * 100 > d->fields->guard_percent * (active + round->guard_done))
        hold_all(round, wanted, active + round->guard_done);
    return r;
}
