/* The org's API calls of 24 hours: which of them are left to others, and what is kept of their number.
 * Salesforce tells it with each answer, and no time at which it falls (fact sheet 2.3, 10). Leavers may
 * use the reserve: what others do can wait for calls as hires can, but who has left could go on logging
 * in for a day, and one call deactivates 200. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/codes.h"
#include "plugin/delivery/internal.h"

#define FACT "api_usage"

/* How often the number is written at most: `status` tells how old it is. */
#define NOTE_EVERY_US (10 * CLOCK_SECOND_US)

/* [tx] Brings the store's totals up to what this session has called. */
static void
count_calls(struct delivery *d, const struct sf_usage *usage)
{
    store_count(d->store, STORE_CALLS, (int64_t)(usage->api_calls - d->calls_counted));
    store_count(d->store, STORE_CALLS_FAILED, d->calls_failed);
    d->calls_counted = usage->api_calls;
    d->calls_failed = 0;
}

int
quota_note(struct delivery *d, struct prov_error *err)
{
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_FREE char *text = NULL;
    int64_t now = clock_monotonic_us();
    struct sf_usage usage;
    struct sf_call call;

    sf_session_usage(d->session, &usage);
    count_calls(d, &usage);
    if (usage.day_max < 0 || (d->quota_noted_us && now - d->quota_noted_us < NOTE_EVERY_US &&
                              !sf_reserve_reached(d->session, &call)))
        return PROV_OK;
    fact = json_object_new_object();
    if (!fact || json_put_int(fact, "used", usage.day_used) ||
        json_put_int(fact, "max", usage.day_max) || json_put_int(fact, "at_us", usage.day_at_us) ||
        (usage.deprecation[0] && (json_put_string(fact, "api_version", d->fields->api_version) ||
                                  json_put_string(fact, "deprecation", usage.deprecation))) ||
        !(text = json_text(fact)))
        return error_nomem(err);
    d->quota_noted_us = now;
    return store_put_fact(d->store, FACT, text, err);
}

static int
write_note(struct delivery *d, struct prov_error *err)
{
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = quota_note(d, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

int
quota_hold(struct delivery *d, struct prov_error *err)
{
    struct sf_call call;
    int r;

    d->quota_noted_us = 0;
    r = write_note(d, err);
    if (r)
        return r;
    (void)sf_reserve_reached(d->session, &call);
    return org_hold_rest(d, call.message, call.cause, call.remedy, err);
}

int
quota_check(struct round *round, struct prov_error *err)
{
    struct sf_call call;

    if (!sf_reserve_reached(round->delivery->session, &call))
        return PROV_OK;
    round->leavers_only = true;
    return quota_hold(round->delivery, err);
}

/* Of the version that is called now; null: the org has said nothing against it. */
static int
show_deprecation(struct json_object *fact, const struct fields *fields, struct json_object *shown)
{
    const char *version = json_get_string(fact, "api_version");
    struct json_object *deprecation = NULL;

    if (!version || strcmp(version, fields->api_version) != 0)
        return json_put(shown, "deprecation", NULL);
    deprecation = json_object_new_object();
    return !deprecation || json_put(shown, "deprecation", deprecation) ||
                   json_put_string(deprecation, "api_version", version) ||
                   json_put_string(deprecation, "message", json_get_string(fact, "deprecation")) ||
                   json_put_string(deprecation, "remedy", DEPRECATION_REMEDY)
               ? PROV_E_NOMEM
               : PROV_OK;
}

int
delivery_quota_read(struct store *store, const struct fields *fields, struct json_object **ret,
                    struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_JSON struct json_object *shown = NULL;
    int64_t used, max, at_us, percent = fields->api_reserve_percent;
    char time[21];
    int r = store_get_fact(store, FACT, &text, err);

    *ret = NULL;
    if (r || !text)
        return r;
    r = json_parse(text, strlen(text), "a fact of the store", &fact, err);
    if (r)
        return r;
    used = json_get_int(fact, "used", 0);
    max = json_get_int(fact, "max", 0);
    at_us = json_get_int(fact, "at_us", 0);
    shown = json_object_new_object();
    if (!shown || json_put_int(shown, "used", used) || json_put_int(shown, "max", max) ||
        json_put_int(shown, "reserve", sf_reserve_of(max, percent)) ||
        json_put_int(shown, "left", sf_reserve_left(used, max, percent)) ||
        json_put_string(shown, "seen", clock_format(at_us, time)) ||
        json_put_int(shown, "age_s",
                     clock_now_us() > at_us ? (clock_now_us() - at_us) / CLOCK_SECOND_US : 0) ||
        show_deprecation(fact, fields, shown))
        return error_nomem(err);
    *ret = STEAL(shown);
    return PROV_OK;
}
