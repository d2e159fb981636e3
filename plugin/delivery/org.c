/* The org as a whole: who we are there, which profile new users get, and whether the connector is on
 * hold or pauses (design rule 17, outcome "hold"). */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_names.h"
#include "plugin/delivery/policy.h"

/* A time further away than any back-off means that the clock was set back (as in the store). */
#define CLOCK_JUMP_US (25 * 3600 * CLOCK_SECOND_US)

/* ---- hold ---- */

static int
read_fact(struct store *store, const char *key, struct json_object **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    int r = store_get_fact(store, key, &text, err);

    *ret = NULL;
    return !r && text ? json_parse(text, strlen(text), "a fact of the store", ret, err) : r;
}

int
delivery_hold_read(struct store *store, struct json_object **ret, struct prov_error *err)
{
    return read_fact(store, "hold", ret, err);
}

int
delivery_trouble_read(struct store *store, struct json_object **ret, struct prov_error *err)
{
    return read_fact(store, "trouble", ret, err);
}

static bool
is_by_admin(struct json_object *hold)
{
    const char *by = json_get_string(hold, "by");

    return by && strcmp(by, "admin") == 0;
}

/* The member of a hold that spares those who leave. */
#define SPARES_LEAVERS "spares_leavers"
/* Of a quarantine: the code most are refused with. */
#define CODE "code"
/* Who is parked with this code is planned again when all is over, whatever holds came over a quarantine. */
#define PARKED_WITH "parked_with"

/* [tx] A hold that is prolonged is none anew. */
static int
note_hold(struct store *store, struct json_object *before, struct json_object *hold,
          struct prov_error *err)
{
    struct json_object *which = hold ? hold : before;
    const char *who = is_by_admin(which) ? "an admin" : "the connector";
    AUTO_FREE char *text = NULL;
    char since[21];
    int written;

    if (!before == !hold && (!hold || is_by_admin(before) == is_by_admin(hold)))
        return PROV_OK;
    clock_format(json_get_int(which, "since_us", 0), since);
    written = hold ? asprintf(&text, "begun by %s: %s", who, json_get_string(hold, "reason"))
                   : asprintf(&text, "ended, which %s began %s: %s", who, since,
                              json_get_string(which, "reason"));
    if (written < 0) {
        text = NULL;
        return error_nomem(err);
    }
    return store_note(store, 0, NOTE_HOLD, text, err);
}

/* [tx] The same, without asking whose it was. */
static int
put_hold(struct store *store, struct json_object *before, struct json_object *hold,
         struct prov_error *err)
{
    const char *parked_with = json_get_string(before, PARKED_WITH);
    AUTO_FREE char *text = NULL;
    int r;

    if (hold && parked_with && !json_get(hold, PARKED_WITH) &&
        json_put_string(hold, PARKED_WITH, parked_with))
        return error_nomem(err);
    if (hold && !(text = json_text(hold)))
        return error_nomem(err);
    r = store_put_fact(store, "hold", text, err);
    if (!r)
        r = note_hold(store, before, hold, err);
    if (!r && !hold && parked_with)
        r = store_due_code(store, parked_with, INT64_MAX, err);
    if (!r && !hold) /* who was refused before counts no more */
        r = store_put_fact(store, TALLY_FACT, NULL, err);
    return r;
}

/* Writes the hold, or its end (NULL). Delivery itself (fenced) leaves a hold alone that an admin
 * ordered, also one that came while a call was under way. */
static int
write_hold(struct store *store, enum store_fence fence, struct json_object *hold,
           struct prov_error *err)
{
    AUTO_JSON struct json_object *before = NULL;
    int r = store_begin(store, fence, err);

    if (r)
        return r;
    r = delivery_hold_read(store, &before, err);
    if (!r && !(fence == STORE_FENCED && is_by_admin(before)))
        r = put_hold(store, before, hold, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}

static struct json_object *
make_hold(const char *by, const char *reason, const char *cause, const char *remedy)
{
    AUTO_JSON struct json_object *hold = json_object_new_object();

    if (!hold || json_put_string(hold, "by", by) || json_put_string(hold, "reason", reason) ||
        json_put_string(hold, "cause", cause) || json_put_string(hold, "remedy", remedy) ||
        json_put_int(hold, "since_us", clock_now_us()))
        return NULL;
    return STEAL(hold);
}

int
delivery_hold_by_admin(struct store *store, const char *reason, struct prov_error *err)
{
    AUTO_JSON struct json_object *hold =
        make_hold("admin", reason, "an admin ordered it", "resume when it may go on");

    return hold ? write_hold(store, STORE_UNFENCED, hold, err) : error_nomem(err);
}

int
delivery_resume(struct store *store, struct prov_error *err)
{
    return write_hold(store, STORE_UNFENCED, NULL, err);
}

int
delivery_try_now(struct store *store, struct prov_error *err)
{
    AUTO_JSON struct json_object *before = NULL;
    int r = store_begin(store, STORE_UNFENCED, err);

    if (r)
        return r;
    r = delivery_hold_read(store, &before, err);
    if (!r && before && !is_by_admin(before))
        r = put_hold(store, before, NULL, err);
    if (!r)
        r = store_put_fact(store, "trouble", NULL, err);
    if (!r) /* what the org's fields were like; it decides itself now */
        r = store_put_fact(store, FACTS_USER_AT, NULL, err);
    if (!r)
        return store_commit(store, err);
    store_rollback(store);
    return r;
}

/* A hold for the quota is probed as if it had failed so often: after some five minutes at first, since a
 * probe costs a call and 24 hours roll on slowly. */
#define QUOTA_PROBES 5

/* Holds, or prolongs the hold in force; says it loudly once. */
static int
hold(struct delivery *d, struct json_object *after, int64_t asked_us, struct prov_error *err)
{
    AUTO_JSON struct json_object *before = NULL;
    bool spares = json_get_bool(after, SPARES_LEAVERS, false), same;
    int64_t probes, now = clock_now_us();
    int r = after ? delivery_hold_read(d->store, &before, err) : error_nomem(err);

    if (r)
        return r;
    same = before && json_get_bool(before, SPARES_LEAVERS, false) == spares;
    probes = same                               ? json_get_int(before, "probes", 0)
             : spares && !json_get(after, CODE) ? QUOTA_PROBES
                                                : 0;
    if (json_put_int(after, "since_us", same ? json_get_int(before, "since_us", now) : now) ||
        json_put_int(after, "probes", probes + 1) ||
        json_put_int(after, "probe_us",
                     now + policy_probe_after_us(probes, asked_us, random_below(UINT64_MAX))))
        return error_nomem(err);
    d->knows_hold = true;
    if (!same)
        log_line(&d->log, PROV_LOG_ERROR,
                 "delivery is on hold, %s, and it is tried again by itself: %s; cause: %s; to do: "
                 "%s",
                 spares ? "deactivations go on and everything else waits"
                        : "everything accepted waits",
                 json_get_string(after, "reason"), json_get_string(after, "cause"),
                 json_get_string(after, "remedy"));
    return write_hold(d->store, STORE_FENCED, after, err);
}

int
org_hold_rest(struct delivery *d, const char *reason, const char *cause, const char *remedy,
              struct prov_error *err)
{
    AUTO_JSON struct json_object *after = make_hold("salesforce", reason, cause, remedy);

    if (!after || json_put_bool(after, SPARES_LEAVERS, true))
        return error_nomem(err);
    return hold(d, after, 0, err);
}

int
org_quarantine(struct delivery *d, const char *code, const char *reason, const char *cause,
               const char *remedy, struct prov_error *err)
{
    AUTO_JSON struct json_object *after = make_hold("salesforce", reason, cause, remedy);

    if (!after || json_put_bool(after, SPARES_LEAVERS, true) ||
        json_put_string(after, CODE, code) || json_put_string(after, PARKED_WITH, code))
        return error_nomem(err);
    return hold(d, after, 0, err);
}

static int
end_hold(struct delivery *d, const char *why, struct prov_error *err)
{
    log_line(&d->log, PROV_LOG_INFO, "delivery goes on: %s", why);
    return write_hold(d->store, STORE_FENCED, NULL, err);
}

/* ---- trouble ---- */

/* What keeps the calls from passing, for `status`: a pause is no hold, and only the process that
 * delivers knows of it. NULL: it is over. */
static int
write_trouble(struct delivery *d, struct json_object *trouble, struct prov_error *err)
{
    AUTO_FREE char *text = trouble ? json_text(trouble) : NULL;
    int r;

    if (trouble && !text)
        return error_nomem(err);
    r = store_begin(d->store, STORE_FENCED, err);
    if (r)
        return r;
    r = store_put_fact(d->store, "trouble", text, err);
    if (!r)
        r = quota_note(d, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    return store_commit(d->store, err);
}

/* Since when: trouble that stands in the store, as of a process before this one, goes on, for no call has passed since. */
static int
put_since(struct delivery *d, const struct backoff *backoff, struct json_object *trouble,
          struct prov_error *err)
{
    AUTO_JSON struct json_object *before = NULL;
    int r = delivery_trouble_read(d->store, &before, err);

    if (!r &&
        json_put_int(trouble, "since_us", json_get_int(before, "since_us", backoff->since_us)))
        r = error_nomem(err);
    return r;
}

/* The first failure in a row is told: in the log, and to whoever asks for the status; to the latter again, if a call of
 * another kind has passed meanwhile. */
static int
tell_trouble(struct delivery *d, const struct backoff *backoff, const struct sf_call *call,
             struct prov_error *err)
{
    AUTO_JSON struct json_object *trouble = NULL;
    char reason[700];
    int r;

    if (backoff->failures > 1 && !d->no_trouble)
        return PROV_OK;
    snprintf(reason, sizeof(reason), "%s%s%s", call->code, call->code[0] ? ": " : "",
             call->message);
    if (backoff->failures == 1)
        log_line(&d->log, PROV_LOG_WARNING,
                 "Salesforce: %s; cause: %s; it is tried again by itself", reason, call->cause);
    trouble = make_hold("salesforce", reason, call->cause, call->remedy);
    r = trouble ? put_since(d, backoff, trouble, err) : error_nomem(err);
    d->no_trouble = false;
    return r ? r : write_trouble(d, trouble, err);
}

static int
pause_for(struct delivery *d, struct backoff *backoff, const struct sf_call *call,
          struct prov_error *err)
{
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };

    backoff->until_us = clock_monotonic_us() + policy_retry_after_us(&limits, backoff->failures,
                                                                     call->retry_after_us,
                                                                     random_below(UINT64_MAX));
    if (backoff->failures++ == 0)
        backoff->since_us = clock_now_us();
    return tell_trouble(d, backoff, call, err);
}

int
org_call_failed(struct delivery *d, const struct sf_call *call, struct prov_error *err)
{
    AUTO_JSON struct json_object *after = NULL;
    char reason[700];

    if (strcmp(call->code, SF_RESERVE_CODE) == 0)
        return quota_hold(d, err);
    d->calls_failed++;
    if (call->outcome != SF_HOLD && !d->probing)
        return pause_for(d, &d->pause, call, err);
    snprintf(reason, sizeof(reason), "%s%s%s", call->code, call->code[0] ? ": " : "",
             call->message);
    after = make_hold("salesforce", reason, call->cause, call->remedy);
    return after ? hold(d, after, call->retry_after_us, err) : error_nomem(err);
}

int
org_write_failed(struct delivery *d, const struct sf_call *call, struct prov_error *err)
{
    d->calls_failed++;
    /* an org that says when to come again means everybody */
    return pause_for(d, call->retry_after_us ? &d->pause : &d->rest_pause, call, err);
}

int
org_listen(struct delivery *d, struct prov_error *err)
{
    AUTO_JSON struct json_object *trouble = NULL;
    int r;

    if (d->no_trouble || org_pause(d).passage == PASS_ALL)
        return PROV_OK;
    r = delivery_trouble_read(d->store, &trouble, err);
    if (r || trouble)
        return r;
    /* an admin has struck it out */
    d->pause = d->rest_pause = (struct backoff){ 0 };
    sf_session_forget_token(d->session);
    return PROV_OK;
}

void
org_call_passed(struct delivery *d)
{
    struct prov_error ignored = PROV_ERROR_INIT;

    d->pause = (struct backoff){ 0 };
    if (d->rest_pause.until_us > clock_monotonic_us())
        return;
    /* an older process may have left its trouble; if this cannot be written, the next call tries */
    if (!d->no_trouble)
        d->no_trouble = write_trouble(d, NULL, &ignored) == PROV_OK;
}

void
org_write_passed(struct delivery *d)
{
    d->rest_pause = (struct backoff){ 0 };
    org_call_passed(d);
}

struct stop
org_pause(const struct delivery *d)
{
    int64_t now = clock_monotonic_us(), wall = clock_now_us();

    if (d->pause.until_us > now)
        return (struct stop){ PASS_NOBODY, wall + d->pause.until_us - now };
    if (d->rest_pause.until_us > now)
        return (struct stop){ PASS_LEAVERS, wall + d->rest_pause.until_us - now };
    return (struct stop){ PASS_ALL, 0 };
}

/* ---- who we are ---- */

/* The org this store belongs to; pinned at the first contact (rule 17). */
static int
check_org(struct delivery *d, const char *org_id, bool *ret_same, struct prov_error *err)
{
    AUTO_FREE char *pinned = NULL;
    char reason[300];
    int r = store_get_fact(d->store, "org_id", &pinned, err);

    if (r)
        return r;
    *ret_same = pinned && strcmp(pinned, org_id) == 0;
    if (pinned && !*ret_same) {
        AUTO_JSON struct json_object *after = NULL;
        snprintf(reason, sizeof(reason),
                 "the store '%s' belongs to org %s, and the credentials lead to org %s",
                 store_path(d->store), pinned, org_id);
        after =
            make_hold("salesforce", reason, "domain_name or the client was changed to another org",
                      "name a new store for the new org, or put the old domain_name back");
        return after ? hold(d, after, 0, err) : error_nomem(err);
    }
    if (*ret_same)
        return PROV_OK;
    r = store_begin(d->store, STORE_FENCED, err);
    if (r)
        return r;
    r = store_put_fact(d->store, "org_id", org_id, err);
    if (!r) /* a look before may have been at another org */
        r = facts_forget(d->store, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    *ret_same = true;
    return store_commit(d->store, err);
}

int
org_refuse_other(struct delivery *d, struct prov_error *err)
{
    AUTO_FREE char *pinned = NULL;
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    struct sf_call call = { 0 };
    int r = store_get_fact(d->store, "org_id", &pinned, err);

    if (r || !pinned)
        return r;
    if (sf_identity(d->session, org_id, user_id, &call))
        return error_nomem(err);
    if (call.outcome != SF_DELIVERED || strcmp(pinned, org_id) == 0)
        return PROV_OK;
    return error_set(err, PROV_E_STATE,
                     "the store '%s' belongs to org %s, and the credentials lead to org %s; name a "
                     "new store for the new org, or put the old domain_name back",
                     store_path(d->store), pinned, org_id);
}

int
org_ready(struct delivery *d, bool *ret_ready, struct prov_error *err)
{
    char org_id[SF_ID_SIZE];
    struct sf_call call = { 0 };
    int r = sf_identity(d->session, org_id, d->user_id, &call);

    *ret_ready = false;
    if (r)
        return error_nomem(err);
    return call.outcome == SF_DELIVERED ? check_org(d, org_id, ret_ready, err)
                                        : org_call_failed(d, &call, err);
}

/* ---- the profile ---- */

int
org_find_profile(struct delivery *d, int64_t since_us, struct org_profile *ret,
                 struct sf_call *ret_call, struct prov_error *err)
{
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    int r;

    *ret = (struct org_profile){ 0 };
    if (!wanted || org_names_want(wanted, d->fields->profile))
        return error_nomem(err);
    r = org_names_ask(d, "Profile", wanted, since_us, ret_call, err);
    if (r)
        return r;
    if (ret_call->outcome != SF_DELIVERED && ret_call->outcome != SF_REFUSED)
        return PROV_OK;
    json_object_object_foreach(wanted, key, name)
    {
        struct json_object *known = json_get(json_get(d->names, "Profile"), key);
        (void)name;
        if (json_object_is_type(known, json_type_string))
            snprintf(ret->id, sizeof(ret->id), "%s", json_object_get_string(known));
        else
            snprintf(ret->fault, sizeof(ret->fault), "%s", json_get_string(known, "fault"));
    }
    return PROV_OK;
}

int
org_learn_kind(struct delivery *d, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;

    if (d->knows_sandbox)
        return PROV_OK;
    if (sf_query(d->session, "SELECT IsSandbox FROM Organization", SF_CAN_WAIT, &rows, &call))
        return error_nomem(err);
    d->knows_sandbox = call.outcome == SF_DELIVERED && json_object_array_length(rows) == 1;
    d->is_sandbox =
        !d->knows_sandbox || json_get_bool(json_object_array_get_idx(rows, 0), "IsSandbox", true);
    return PROV_OK;
}

int
org_ready_for_creates(struct delivery *d, bool *ret_ready, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r;

    *ret_ready = true;
    if (d->profile.id[0])
        return PROV_OK;
    /* a profile that is not there is looked for again each time there is a user to create: the
     * admin may have made it meanwhile */
    r = org_find_profile(d, clock_now_us() - FACTS_OLD_US, &d->profile, &call, err);
    /* a refused query is a fault of the profile's: it concerns creates alone */
    if (r || call.outcome == SF_DELIVERED || call.outcome == SF_REFUSED)
        return r;
    *ret_ready = false;
    return org_call_failed(d, &call, err);
}

/* ---- the probe ---- */

/* One real call of the data API: what holds us may be the token, the API or its quota. */
static int
probe(struct delivery *d, bool spares_leavers, bool *ret_passed, struct prov_error *err)
{
    int r;

    if (!spares_leavers) /* for the quota no token is to blame */
        sf_session_forget_token(d->session);
    org_names_drop(d);
    d->lists_since_us = clock_now_us(); /* what is kept would be no call */
    d->probing = true;                  /* whatever fails now prolongs the hold */
    r = org_ready(d, ret_passed, err);
    if (!r && *ret_passed)
        r = org_ready_for_creates(d, ret_passed, err);
    d->probing = false;
    return r;
}

/* With one user, not only a call: ends the quarantine, or prolongs it. */
static int
probe_quarantine(struct delivery *d, struct json_object *in_force, struct prov_error *err)
{
    AUTO_JSON struct json_object *now = NULL;
    const char *code = json_get_string(in_force, CODE);
    bool passed = false;
    int r;

    if (org_pause(d).passage != PASS_ALL)
        return PROV_OK;
    r = quarantine_probe(d, code, &passed, err);
    if (!r)
        r = delivery_hold_read(d->store, &now, err);
    if (r || !now || !json_get(now, CODE)) /* something else came in between */
        return r;
    if (!passed)
        return hold(d, now, 0, err);
    d->knows_hold = false;
    d->in_quarantine = false;
    refusals_forget(&d->seen);
    return end_hold(d, "a user who was refused like most others is taken now", err);
}

/* Probes if it is time: ends the hold, or prolongs it. */
static int
probe_hold(struct delivery *d, struct json_object *in_force, struct prov_error *err)
{
    int64_t now = clock_now_us(), until = json_get_int(in_force, "probe_us", 0);
    struct sf_call call;
    bool passed = false;
    int r;

    /* further away than any probe: the clock was set back. The first look is a probe always: a
     * process is often started anew because the cause was put right */
    if (d->knows_hold && until > now && until <= now + CLOCK_JUMP_US)
        return PROV_OK;
    d->knows_hold = true;
    if (json_get(in_force, CODE))
        return probe_quarantine(d, in_force, err);
    r = probe(d, json_get_bool(in_force, SPARES_LEAVERS, false), &passed, err);
    if (r || !passed)
        return r;
    org_call_passed(d);
    if (sf_reserve_reached(d->session, &call))
        return quota_hold(d, err);
    d->knows_hold = false;
    return end_hold(d, "Salesforce answers again", err);
}

int
org_held(struct delivery *d, struct stop *ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *in_force = NULL;
    int r = delivery_hold_read(d->store, &in_force, err);

    *ret = (struct stop){ PASS_ALL, 0 };
    if (!r && !in_force && d->knows_hold) {
        /* an admin ended it, since something was put right: what the session remembers is old */
        d->knows_hold = false;
        refusals_forget(&d->seen);
        sf_session_forget_token(d->session);
    }
    d->in_quarantine = json_get(in_force, CODE) != NULL;
    if (!r && in_force && !is_by_admin(in_force)) {
        r = probe_hold(d, in_force, err);
        /* what is in force now: prolonged, ended, or an admin's that came meanwhile */
        json_object_put(STEAL(in_force));
        if (!r)
            r = delivery_hold_read(d->store, &in_force, err);
    }
    d->in_quarantine = json_get(in_force, CODE) != NULL;
    if (r || !in_force)
        return r;
    ret->passage = json_get_bool(in_force, SPARES_LEAVERS, false) ? PASS_LEAVERS : PASS_NOBODY;
    ret->until_us = json_get_int(in_force, "probe_us", 0);
    return PROV_OK;
}
