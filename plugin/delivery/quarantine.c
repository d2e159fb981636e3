/* Where most users are refused alike, the fault is the org's or the configuration's, and trying each one
 * would only fill the log and use up calls: delivery holds all but leavers, says the common cause once,
 * and probes with one of those who are parked (fields quarantine_floor, quarantine_percent). The hold is
 * org.c's; who is parked with what is in the store, so another process knows as much. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

#define WINDOW_US (3600 * CLOCK_SECOND_US)

/* Codes of ours cost no call; and one that was refused the same way before is no news. */
static bool
counts(const struct link *link, const char *code)
{
    bool before = link->outcome && strcmp(link->outcome, "refused") == 0 && link->code &&
                  strcmp(link->code, code) == 0;

    return code[0] && !code_words(code)->code[0] && !before;
}

int
quarantine_note_refused(struct delivery *d, const struct link *link, const struct said *said)
{
    const char *code = said->code;
    struct json_object *entry;

    if (!counts(link, code))
        return PROV_OK;
    if (!d->tally.refused && !(d->tally.refused = json_object_new_object()))
        return PROV_E_NOMEM;
    entry = json_get(d->tally.refused, code);
    if (!entry &&
        ((entry = json_object_new_object()) == NULL || json_put(d->tally.refused, code, entry)))
        return PROV_E_NOMEM;
    if (json_put_int(entry, "count", json_get_int(entry, "count", 0) + 1) ||
        json_put_string(entry, "message", said->message) ||
        json_put_string(entry, "cause", said->cause) ||
        json_put_string(entry, "remedy", said->remedy))
        return PROV_E_NOMEM;
    return PROV_OK;
}

/* ---- the tally of the window: {"since_us","delivered","refused":{code:{"count"}}} ---- */

/* Adds what this process saw since to what the store has of the window that is under way. */
static int
merge(struct delivery *d, struct json_object **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    AUTO_JSON struct json_object *before = NULL;
    AUTO_JSON struct json_object *tally = json_object_new_object();
    struct json_object *refused = json_object_new_object(), *earlier;
    int64_t now = clock_now_us(), since;
    int r = store_get_fact(d->store, TALLY_FACT, &text, err);

    if (json_put(tally, "refused", refused))
        return error_nomem(err);
    if (!r && text)
        r = json_parse(text, strlen(text), "a fact of the store", &before, err);
    if (r)
        return r;
    since = json_get_int(before, "since_us", 0);
    if (since > now || now - since >= WINDOW_US) {
        since = now;
        json_object_put(STEAL(before));
    }
    if (json_put_int(tally, "since_us", since) ||
        json_put_int(tally, "delivered", json_get_int(before, "delivered", 0) + d->tally.delivered))
        return error_nomem(err);
    earlier = json_get(before, "refused");
    if (earlier) {
        json_object_object_foreach(earlier, code, count)
        {
            if (json_put(refused, code, json_ref(count)))
                return error_nomem(err);
        }
    }
    json_object_object_foreach(d->tally.refused, code, entry)
    {
        if (json_put_int(refused, code,
                         json_get_int(refused, code, 0) + json_get_int(entry, "count", 0)))
            return error_nomem(err);
    }
    *ret = STEAL(tally);
    return PROV_OK;
}

/* The code most were refused with, of all that were tried. NULL: not too many were. */
static const char *
common_code(const struct delivery *d, struct json_object *tally, int64_t *ret_count,
            int64_t *ret_tried)
{
    struct json_object *refused = json_get(tally, "refused");
    const char *most = NULL;

    *ret_tried = json_get_int(tally, "delivered", 0);
    *ret_count = 0;
    json_object_object_foreach(refused, code, value)
    {
        int64_t count = json_object_get_int64(value);
        *ret_tried += count;
        if (count > *ret_count) {
            *ret_count = count;
            most = code;
        }
    }
    return *ret_count >= d->fields->quarantine_floor &&
                   *ret_count * 100 > *ret_tried * d->fields->quarantine_percent
               ? most
               : NULL;
}

static int
put_tally(struct delivery *d, struct json_object *tally, struct prov_error *err)
{
    AUTO_FREE char *text = json_text(tally);
    int r = text ? store_begin(d->store, STORE_FENCED, err) : error_nomem(err);

    if (r)
        return r;
    r = store_put_fact(d->store, TALLY_FACT, text, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

static int
declare(struct delivery *d, const char *code, int64_t count, int64_t tried, struct prov_error *err)
{
    struct json_object *entry = json_get(d->tally.refused, code);
    AUTO_FREE char *reason = NULL;
    AUTO_FREE char *remedy = NULL;

    if (asprintf(&reason, "%lld of %lld users tried within the hour were refused with %s: %s",
                 (long long)count, (long long)tried, code, json_get_string(entry, "message")) < 0 ||
        asprintf(&remedy,
                 "%s One of them is tried again by itself, and all when that passes; "
                 "`sfprov resume` tries all now",
                 json_get_string(entry, "remedy")) < 0)
        return error_nomem(err);
    return org_quarantine(d, code, reason, json_get_string(entry, "cause"), remedy, err);
}

int
quarantine_weigh(struct round *round, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *tally = NULL;
    const char *code;
    int64_t count, tried, parked = 0;
    int r;

    if (!d->tally.refused)
        return PROV_OK;
    r = merge(d, &tally, err);
    if (!r)
        r = put_tally(d, tally, err);
    if (r)
        return r;
    code = d->in_quarantine ? NULL : common_code(d, tally, &count, &tried);
    /* one user who is refused again and again is not many */
    if (code)
        r = store_count_parked(d->store, code, &parked, err);
    if (r)
        return r;
    /* another call under way may have seen the message */
    if (code && parked >= d->fields->quarantine_floor && json_get(d->tally.refused, code)) {
        round->stop = true;
        r = declare(d, code, count, tried, err);
    }
    quarantine_forget(d);
    return r;
}

void
quarantine_forget(struct delivery *d)
{
    json_object_put(STEAL(d->tally.refused));
    d->tally.delivered = 0;
}

/* ---- the probe ---- */

/* Whether the user is still refused that way, or it is not known yet. */
static bool
still_fails(const struct link *link, const char *code)
{
    return link->in_flight ||
           (link->outcome &&
            (strcmp(link->outcome, "retry") == 0 || strcmp(link->outcome, "unknown") == 0)) ||
           (link->code && strcmp(link->code, code) == 0);
}

int
quarantine_probe(struct delivery *d, const char *code, bool *ret_passed, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_delivery report = { .size = sizeof(report) };
    int64_t subject = 0;
    /* who was looked at longest ago, so that one who has a fault of his own does not stand for all */
    int r = store_parked_with(d->store, code, &subject, err);

    *ret_passed = !r && subject == 0; /* nobody is left */
    if (r || subject == 0)
        return r;
    r = round_run_one(d, subject, &report, err);
    if (!r)
        r = store_load_id(d->store, subject, &work, err);
    *ret_passed = !r && !still_fails(&work.link, code);
    return r;
}
