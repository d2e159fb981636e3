/* What is done once in a while: at the first round and once an hour it begins, and a piece of it is done
 * in each round. Parked users are looked at anew, events are forgotten, the host is told what it has
 * not been told, and the store's file gives back what is free. */
#include <stdio.h>
#include <stdlib.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_names.h"

/* Of the store's file so much may be free, and so long may its write-ahead log be. */
#define FREE_PERCENT  25
#define WAL_BYTES_MAX (INT64_C(64) << 20)

#define UPKEEP_EVERY_US (3600 * CLOCK_SECOND_US)

/* Who waits for a username is woken when it is free; but those who exchange theirs, and one of whom was refused, wait
 * for the org to change, and it takes three calls to try that. */
#define NAMES_EVERY_US (24 * 3600 * CLOCK_SECOND_US)

/* Of those parked with one code so many are tried at each upkeep. */
#define PARKED_LIMIT 20

/* Events forgotten in one transaction, which keeps other writers waiting. */
#define FORGET_LIMIT 1000
/* Events looked at in one round for what the host has not been told; each that is told is a flush. */
#define TELL_LIMIT 200

/* [tx] Who is parked may pass now: a profile, a field, a picklist's value, a rule of the org has changed. A
 * few of each code are tried; when one passes, all are (settle.c). Once an hour, whichever process it is. */
static int
look_at_parked(struct delivery *d, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    int64_t now = clock_now_us(), looked;
    char time[24];
    int r = store_get_fact(d->store, "parked_looked_us", &text, err);

    looked = text ? strtoll(text, NULL, 10) : 0;
    if (r || (looked <= now && now - looked < UPKEEP_EVERY_US))
        return r;
    snprintf(time, sizeof(time), "%lld", (long long)now);
    r = store_put_fact(d->store, "parked_looked_us", time, err);
    if (!r)
        r = store_due_names(d->store, now - NAMES_EVERY_US, err);
    return r ? r : store_due_long_parked(d->store, now - UPKEEP_EVERY_US, PARKED_LIMIT, err);
}

/* A corrected field re-plans what was parked under the old ones (rule 10); and somebody else may have freed
 * a seat meanwhile, or an account. */
static int
replan_parked(struct delivery *d, struct prov_error *err)
{
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = d->had_lease ? PROV_OK : store_replan_parked(d->store, d->fields->plan_digest, err);
    if (!r)
        r = store_wake(d->store, WAIT_SEAT, NULL, NULL, INT64_MAX, err);
    if (!r)
        r = store_wake(d->store, WAIT_ACCOUNT, NULL, NULL, INT64_MAX, err);
    if (!r)
        r = store_wake(d->store, WAIT_UNFREEZING, NULL, NULL, INT64_MAX, err);
    if (!r)
        r = store_wake_long(d->store, long_wait_us(d), clock_now_us(), err);
    if (!r)
        r = look_at_parked(d, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

typedef int (*forget_fn)(struct store *store, const struct store_retention *retention,
                         int64_t *after, struct prov_error *err);

static int
forget_some(struct delivery *d, struct event_walk *walk, forget_fn forget, int64_t now,
            struct prov_error *err)
{
    struct store_retention retention = {
        .before_us = now - d->fields->event_retention_days * 86400 * CLOCK_SECOND_US,
        .keep_untold = d->host.outcome != NULL,
        .limit = FORGET_LIMIT,
    };
    int64_t after = walk->after;
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = forget(d->store, &retention, &after, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    r = store_commit(d->store, err);
    if (!r)
        *walk = (struct event_walk){ after != 0, after };
    return r;
}

/* Only who had the lease before, a host that declined, or a store that failed, leaves something untold. */
static int
tell_some(struct delivery *d, struct prov_error *err)
{
    struct untold *untold = &d->untold;
    bool whole;
    int64_t from = d->telling.after;
    int r = tell_rest(d, TELL_LIMIT, &d->telling.after, &whole, err);

    d->telling.under_way = !r && whole && d->telling.after != 0;
    if (d->telling.under_way)
        return PROV_OK;
    if (r)
        tell_later(d, from);
    else if (!whole)
        tell_later(d, d->telling.after);
    else if (untold->behind)
        tell_later(d, untold->after);
    else if (!untold->some) /* all is told */
        untold->again.failures = 0;
    untold->behind = r || whole ? 0 : d->telling.after;
    return r;
}

static void
begin_telling(struct delivery *d)
{
    if (!d->untold.some || d->telling.under_way || clock_monotonic_us() < d->untold.again.until_us)
        return;
    d->telling = (struct event_walk){ true, d->untold.behind ? d->untold.behind : d->untold.after };
    d->untold.some = false;
    tell_asks_anew(d);
}

/* A file that is mostly free pages since its events were forgotten gives them back, a piece a round; a
 * quarter is left for those that come. */
static int
give_back_some(struct delivery *d, struct prov_error *err)
{
    int r = store_give_back(d->store, FREE_PERCENT, &d->shrinking.under_way, err);

    /* SQLite empties its write-ahead log by itself, unless somebody always reads */
    return r || d->shrinking.under_way ? r : store_checkpoint(d->store, WAL_BYTES_MAX, err);
}

/* What begins when the lease was taken, and once an hour. */
static int
begin_upkeep(struct delivery *d, int64_t now, struct prov_error *err)
{
    int r = replan_parked(d, err);

    if (!r && !d->fields->provision_passwords)
        r = password_forget(d, err);
    if (r)
        return r;
    org_names_drop(d); /* profiles and roles are renamed at times */
    json_object_put(STEAL(d->woken_codes));
    d->forgetting = d->forgetting_history = d->shrinking = (struct event_walk){ true, 0 };
    if (d->host.outcome && !d->had_lease) {
        d->telling = (struct event_walk){ true, 0 };
        d->untold = (struct untold){ .some = false };
        d->taken.stuck = false; /* somebody else may have told it otherwise */
        d->taken.count = 0;
    }
    d->had_lease = true;
    d->facts_looked = false; /* another process may have read them */
    d->facts_asked = false;
    d->upkeep_us = now;
    return PROV_OK;
}

/* A walk that the store stopped, by a damaged page perhaps, begins anew in an hour (what the host is told with back-off
 * to an hour), and delivery goes on. */
static int
or_later(struct delivery *d, struct event_walk *walk, int result, const struct prov_error *why,
         struct prov_error *err)
{
    if (result != PROV_E_STORE)
        return result ? error_set(err, result, "%s", why->text) : PROV_OK;
    walk->under_way = false;
    log_line(&d->log, PROV_LOG_ERROR, "upkeep of the store: %s; tried again within the hour",
             why->text);
    return PROV_OK;
}

int
upkeep_step(struct delivery *d, struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    int64_t now = clock_now_us();
    int r = PROV_OK;

    if (!d->had_lease || now - d->upkeep_us >= UPKEEP_EVERY_US || now < d->upkeep_us)
        r = begin_upkeep(d, now, err);
    if (!r && store_sweep(d->store, &why)) /* the log only grows longer */
        log_line(&d->log, PROV_LOG_WARNING, "%s", why.text);
    if (!r && d->forgetting.under_way)
        r = or_later(d, &d->forgetting,
                     forget_some(d, &d->forgetting, store_forget_events, now, &why), &why, err);
    if (!r && d->forgetting_history.under_way)
        r = or_later(d, &d->forgetting_history,
                     forget_some(d, &d->forgetting_history, store_forget_history, now, &why), &why,
                     err);
    if (!r)
        begin_telling(d);
    if (!r && d->telling.under_way)
        r = or_later(d, &d->telling, tell_some(d, &why), &why, err);
    if (!r && d->shrinking.under_way && !d->forgetting.under_way &&
        !d->forgetting_history.under_way)
        r = or_later(d, &d->shrinking, give_back_some(d, &why), &why, err);
    return r;
}
