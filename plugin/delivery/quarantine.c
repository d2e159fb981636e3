/* Where most users are refused alike, the fault is the org's or the configuration's, and trying each one
 * would only fill the log and use up calls: delivery holds all but leavers, says the common cause once,
 * and probes with one of those who are parked (fields quarantine_floor, quarantine_percent). The hold is
 * org.c's; who is parked with what is in the store, so another process knows as much. */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"

/* Codes of ours cost no call; and one that was refused the same way before is no news. */
static bool
counts(const struct link *link, const char *code)
{
    bool before = link->outcome && strcmp(link->outcome, "refused") == 0 && link->code &&
                  strcmp(link->code, code) == 0;

    return code[0] && !code_words(code)->code[0] && !before;
}

int
quarantine_note_refused(struct delivery *d, const struct item *item)
{
    const struct said *said = &item->said;

    return counts(&item->work.link, said->code)
               ? refusals_note(&d->seen, item->work.subject.id, said->code, said->message,
                               said->cause, said->remedy)
               : PROV_OK;
}

/* What the store has of the window, and what this process saw besides. */
static int
read_tally(struct delivery *d, struct json_object **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    AUTO_JSON struct json_object *tally = NULL;
    int r = store_get_fact(d->store, TALLY_FACT, &text, err);

    if (!r && text)
        r = json_parse(text, strlen(text), "a fact of the store", &tally, err);
    if (!r && refusals_add(&d->seen, d->fields->quarantine_floor, &tally))
        r = error_nomem(err);
    if (!r)
        *ret = STEAL(tally);
    return r;
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
    struct json_object *entry = json_get(d->seen.codes, code);
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
    int64_t count, tried;
    int r;

    if (!d->seen.codes)
        return PROV_OK;
    r = read_tally(d, &tally, err);
    if (!r)
        r = put_tally(d, tally, err);
    if (r)
        return r;
    code = d->in_quarantine ? NULL
                            : refusals_common(tally, d->fields->quarantine_floor,
                                              d->fields->quarantine_percent, &count, &tried);
    /* another call under way may have seen the message */
    if (code && json_get(d->seen.codes, code)) {
        round->stop = true;
        r = declare(d, code, count, tried, err);
    }
    refusals_forget(&d->seen);
    return r;
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
