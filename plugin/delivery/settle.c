/* Turns what became of one subject into its link, its history and the next due time: one case for each end that a
 * fate can have. How that is written is ending.c's. Which end it was is decided by the Salesforce room's table, by send.c and
 * by unknown.c; who is told of it, and when, by tell.c. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/ending.h"
#include "plugin/delivery/policy.h"

/* Merges what was sent into what is confirmed. */
static int
confirm(struct link *link, const struct value *sent, struct prov_error *err)
{
    int r =
        link->confirmed || (link->confirmed = value_object(&link->pool)) ? PROV_OK : PROV_E_NOMEM;

    VALUE_EACH(sent, member)
    {
        struct value *value = NULL;
        if (strcmp(member->name, FROZEN_FIELD) == 0 && !value_is(member->value, VALUE_TRUE)) {
            value_remove(link->confirmed, member->name); /* it is not our business any more */
            continue;
        }
        if (!r)
            r = value_copy(&link->pool, member->value, &value);
        if (!r)
            r = value_put(&link->pool, link->confirmed, member->name, value);
    }
    return r ? error_nomem(err) : PROV_OK;
}

/* Tried again with back-off. */
static int64_t
retry_at_us(const struct delivery *d, const struct link *link)
{
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };

    return clock_now_us() +
           policy_retry_after_us(&limits, link->attempts, 0, random_below(UINT64_MAX));
}

/* ---- delivered ---- */

/* A manager who has not come for long is said, though all else is delivered; also of who stays frozen. */
static void
note_manager(const struct delivery *d, struct item *item)
{
    const struct wait *wait = wait_of(&item->work.link, WAIT_MANAGER);
    struct plan *plan = &item->plan;
    const char *before = plan->code ? plan->reason : NULL;

    if (!wait || !wait->is_long)
        return;
    if (!plan->code)
        plan->code = CODE_MANAGER_AWAITED;
    plan_say(plan, "%s%sdelivered without the manager '%s', who has had no account for %lld hours",
             before ? before : "", before ? "; and " : "", wait->value,
             (long long)d->fields->wait_limit_hours);
}

/* What there is to be said of who needs no change any more, when it is known what the user waits for: why the user is
 * not in scope, or what is missing. */
static struct said
note_of(const struct delivery *d, struct item *item)
{
    const struct code_words *words;

    note_manager(d, item);
    words = item->plan.in_scope && item->plan.code ? code_words(item->plan.code) : NULL;
    if (!item->plan.code)
        return (struct said){ 0 };
    return (struct said){ .code = item->plan.code,
                          .message = item->plan.reason,
                          .cause = words ? words->cause : NULL,
                          .remedy = words ? words->remedy : NULL };
}

/* Then it is not confirmed of him any more, and at the next leaving it is looked at anew. That somebody else froze
 * him is known until a look tells otherwise (freeze.c). */
static void
forget_frost(struct item *item)
{
    struct link *link = &item->work.link;

    if (item_stays_frozen(item))
        value_remove(link->confirmed, FROZEN_FIELD);
}

/* Puts "adopted by EmployeeNumber" before the words for what was done with the account. */
static int
add_adoption(const struct item *item, char **action, struct prov_error *err)
{
    AUTO_FREE char *done = STEAL(*action);

    if (asprintf(action, "adopted by %s%s%s", item->adopted_by, done ? ", " : "",
                 done ? done : "") < 0) {
        *action = NULL;
        return error_nomem(err);
    }
    return PROV_OK;
}

static int
add_repair(char **action, struct prov_error *err)
{
    AUTO_FREE char *done = STEAL(*action);

    if (asprintf(action, "repaired: %s", done) < 0) {
        *action = NULL;
        return error_nomem(err);
    }
    return PROV_OK;
}

/* The account has its temporary name: whoever waited for the one before is woken, and this one is due again, for
 * nothing that was wanted is done yet. */
static int
end_aside(struct item *item, struct ending *ret, struct prov_error *err)
{
    struct link *link = &item->work.link;
    const char *name = value_get_text(flight_fields(item), "Username");
    const struct code_words *words = code_words(CODE_USERNAME_SWAP);
    AUTO_FREE char *action = NULL;
    AUTO_FREE char *inputs = NULL;
    int r = confirm(link, flight_fields(item), err);

    if (r)
        return r;
    if (set_text(&inputs, value_get_text(link->in_flight, "inputs")))
        return error_nomem(err);
    if (asprintf(&action, "renamed %s to %s for the time being",
                 link->username_held ? link->username_held : "", name ? name : "") < 0) {
        action = NULL;
        return error_nomem(err);
    }
    link->attempts = link->next_us = link->first_sent_us = 0;
    link->in_flight = NULL;
    if (set_text(&link->last_action, action) || set_text(&link->username_inputs, inputs))
        return error_nomem(err);
    *ret = (struct ending){ .outcome = "retry",
                            .said = { CODE_USERNAME_SWAP,
                                      names_given_up(link)
                                          ? "the account has a temporary username"
                                          : "the account has the username again that it had",
                                      words->cause, words->remedy },
                            .now = true };
    return PROV_OK;
}

bool
was_refused_with(const struct item *item, const char *code)
{
    const struct link *link = &item->work.link;

    return outcome_is(link->outcome, OUTCOME_REFUSED) && link->code &&
           (!code || text_is(link->code, code)) && link->settled_version == flight_version(item);
}

/* [tx] A user is delivered who was parked, though the host has sent nothing new: then the org has changed, and
 * may take others who are parked with the code. Once a code between two looks of the upkeep. */
static int
wake_alike(struct delivery *d, const struct item *item, struct prov_error *err)
{
    const char *code = item->work.link.code;

    if (!was_refused_with(item, NULL) || json_get(d->woken_codes, code))
        return PROV_OK;
    if ((!d->woken_codes && !(d->woken_codes = json_object_new_object())) ||
        json_put_bool(d->woken_codes, code, true))
        return error_nomem(err);
    return store_due_code(d->store, code, INT64_MAX, err);
}

/* What was done, in words. */
static int
describe_done(const struct item *item, bool first, const struct value *sent, char **ret,
              struct prov_error *err)
{
    const struct link *link = &item->work.link;
    int r;

    *ret =
        item->found_frozen ? strdup("found frozen") : plan_describe(first, sent, link->confirmed);
    r = *ret ? PROV_OK : error_nomem(err);
    if (!r && item->adopted_by)
        r = add_adoption(item, ret, err);
    if (!r && (orders_in_force(link) & ORDER_REPAIR) && !flight_is_mixed(link))
        r = add_repair(ret, err);
    return r;
}

void
item_is_there(struct item *item, enum fate fate, const char *account)
{
    struct link *link = &item->work.link;

    item->account = account;
    if (fate == FATE_FOUND)
        value_remove(link->in_flight, "late");
    item->fate = flight_is_aside(link) && !flight_is_mixed(link) ? FATE_ASIDE : fate;
}

/* What the account has by now; `late`: an earlier change may land yet. */
static int
put_done(struct round *round, struct item *item, bool late, const char *action,
         struct prov_error *err)
{
    struct link *link = &item->work.link;
    const char *inputs = value_get_text(link->in_flight, "inputs");

    if (!link->salesforce_id[0]) /* later ids may be those of a UserLogin */
        snprintf(link->salesforce_id, sizeof(link->salesforce_id), "%s", item->account);
    link->settled_version = flight_version(item);
    if (!flight_is_first_step(link))
        link->confirmed_version = link->settled_version;
    link->attempts = link->next_us = link->first_sent_us = 0;
    if (set_text(&link->last_action, action) || await(round->delivery, item, NULL, NULL) ||
        set_text(&link->plan_digest, round->delivery->fields->plan_digest) ||
        /* of a deactivation sent over a change it is not known whether the name has changed */
        (!late && inputs && set_text(&link->username_inputs, inputs)))
        return error_nomem(err);
    if (!late)
        link->in_flight = NULL;
    return PROV_OK;
}

/* What was sent to an account gives its seat back. */
static bool
frees_seat(const struct value *sent)
{
    return value_is(value_get(sent, "IsActive"), VALUE_FALSE);
}

static int
end_delivered(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    bool first = link->salesforce_id[0] == '\0', late = flight_is_mixed(link);
    /* of a deactivation sent over an unknown change only the deactivation is certain */
    struct value *sent = late ? item->plan.fields : flight_fields(item);
    AUTO_FREE char *action = NULL;
    int r = describe_done(item, first, sent, &action, err);

    if (!r)
        r = guard_count(round, item, err);
    if (!r)
        r = confirm(link, sent, err);
    if (!r)
        r = wake_alike(d, item, err);
    if (r)
        return r;
    round->freed_seats += !first && frees_seat(sent);
    round->moved_managers |= !first && value_has(sent, "ManagerId");
    r = put_done(round, item, late, action, err);
    forget_frost(item);
    round->report->delivered++;
    refusals_note_delivered(&d->seen);
    *ret = (struct ending){
        .outcome = OUTCOME_DELIVERED,
        .said = note_of(d, item),
        .lands_late = late,
        .arrives = first,
        /* a deactivation is sent alone; what else differs is a later difference (rule 7). So
                             * is a manager who was refused: then that is the subject's outcome. Of what was
                             * found the resource may have moved on since it was sent, and the manager was not
                             * looked at. */
        .now = item->without_manager || item->plan.more || item->fate == FATE_FOUND
    };
    return r;
}

static int
end_nothing(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    /* looked at again for a cause of our own, a version that was delivered stays delivered */
    bool told = link->settled_version == item->work.subject.version &&
                outcome_is(link->outcome, OUTCOME_DELIVERED);
    AUTO_FREE char *action = NULL;
    int r = PROV_OK;

    if (await(d, item, NULL, NULL))
        return error_nomem(err);
    *ret =
        (struct ending){ .outcome = told || item->adopted_by ? OUTCOME_DELIVERED : OUTCOME_NOTHING,
                         .said = note_of(d, item) };
    forget_frost(item);
    if (item->adopted_by)
        r = add_adoption(item, &action, err);
    if (!r && action && set_text(&link->last_action, action))
        r = error_nomem(err);
    if (r)
        return r;
    item->as_before = told && !item->adopted_by && text_is(link->code, ret->said.code) &&
                      text_is(link->message, ret->said.message);
    link->settled_version = item->work.subject.version;
    /* of a user who is gone or out of scope the changes are not there: nothing was wanted of them */
    if (link->salesforce_id[0] && (item->plan.in_scope || told))
        link->confirmed_version = link->settled_version;
    link->next_us = item->look_failed ? retry_at_us(d, link) : 0;
    link->attempts = item->look_failed ? link->attempts + 1 : 0;
    link->orders = orders_left(item);
    return set_text(&link->plan_digest, d->fields->plan_digest) ? error_nomem(err) : PROV_OK;
}

/* ---- refused ---- */

/* Parked, or waiting: what is common to what was sent and to what was not. */
static int
put_parked(struct round *round, struct item *item, struct ending *ending, struct prov_error *err)
{
    struct link *link = &item->work.link;

    item->as_before = outcome_is_blocked(link->outcome) && text_is(link->code, ending->said.code) &&
                      text_is(link->message, ending->said.message) &&
                      link->settled_version == flight_version(item);
    link->settled_version = flight_version(item);
    link->attempts = link->next_us = 0;
    flight_failed(link);
    if (!plan_takes_access(&item->plan)) /* a release is over with what it was given for */
        link->orders &= ~(unsigned)ORDER_RELEASE;
    if (set_text(&link->plan_digest, round->delivery->fields->plan_digest))
        return error_nomem(err);
    round->report->refused += outcome_is(ending->outcome, OUTCOME_REFUSED);
    /* an earlier change may land yet; or what was refused is not what is wanted any more */
    ending->lands_late = link->in_flight != NULL;
    ending->now = !link->in_flight && link->settled_version < item->work.subject.version;
    return PROV_OK;
}

static int
end_parked(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    const struct code_words *words = code_words(item->plan.code);
    struct sf_verdict verdict = { .cause = words->cause, .remedy = words->remedy };
    int r;

    if (!item->plan.reason)
        return error_nomem(err);
    /* with our words, or with those for Salesforce's own code where it was foreseen (facts.c) */
    if (!words->code[0])
        verdict = sf_judge(SF_LEVEL_RECORD, 400, item->plan.code, item->plan.reason, 1);
    item->said = (struct said){ item->plan.code, item->plan.reason, verdict.cause, verdict.remedy };
    r = weigh_wait(round->delivery, item, &ret->outcome, &ret->message, err);
    ret->said = item->said;
    ret->said.message = ret->message;
    return r ? r : put_parked(round, item, ret, err);
}

static int
end_stays_parked(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct link *link = &item->work.link;

    if (await(round->delivery, item, WAIT_USERNAME, item->plan.username))
        return error_nomem(err);
    *ret = (struct ending){ .outcome = OUTCOME_REFUSED,
                            .said = { link->code, link->message, link->cause, link->remedy } };
    return put_parked(round, item, ret, err);
}

/* Of what was sent. */
static int
end_refused(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    bool first = !outcome_is_blocked(link->outcome);
    int r = weigh_wait(d, item, &ret->outcome, &ret->message, err);

    if (r)
        return r;
    ret->said = item->said;
    ret->said.message = ret->message;
    if (!code_waits_for(item->said.code) && quarantine_note_refused(d, item))
        return error_nomem(err);
    facts_note_refused(d, item->said.code);
    round->seats_refused |= text_is(item->said.code, CODE_NO_SEAT);
    r = put_parked(round, item, ret, err);
    if (text_is(item->said.code, CODE_USERNAME_ELSEWHERE) && !link->in_flight)
        link->next_us = release_again_us();
    /* has a temporary name, and may have his own again (names.c); if not, whoever gives that up wakes him */
    ret->now = ret->now || (first && !link->in_flight && names_given_up(link));
    return r;
}

/* Why the account is as it is: what Salesforce said to the deactivation, and whether it is frozen. One of the two
 * is there. */
static int
blocked_words(const struct item *item, struct ending *ret, struct prov_error *err)
{
    const struct sf_record *blocker = item->blocker;
    const struct said *fault = &item->said;
    const char *why = blocker ? blocker->message : "";
    int length =
        item->fate == FATE_NOT_FROZEN
            ? asprintf(&ret->message, "%s%s%s%s%s; the user can still log in", why,
                       blocker ? "; and the account could not be frozen either: " : "",
                       blocker ? fault->code : "", blocker ? ": " : "", fault->message)
            : asprintf(&ret->message, "%s; the account is frozen until it can be deactivated", why);

    if (length < 0) {
        ret->message = NULL;
        return error_nomem(err);
    }
    ret->said = *fault;
    if (blocker)
        ret->said = (struct said){ blocker->code, NULL, blocker->cause, blocker->remedy };
    ret->said.message = ret->message;
    return PROV_OK;
}

/* The user has left, and the account is not deactivated: parked, and tried again with back-off. */
static int
end_blocked(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    bool frozen = item->fate == FATE_FROZEN && item->plan.action == PLAN_FREEZE;
    bool refused_before = was_refused_with(item, NULL);
    int r = frozen ? guard_count(round, item, err) : PROV_OK;

    link->settled_version = flight_version(item);
    if (!r && frozen)
        r = confirm(link, item->plan.fields, err);
    if (!r && frozen &&
        set_text(&link->last_action, item->found_frozen ? "found frozen" : "frozen"))
        r = error_nomem(err);
    if (!r) /* it is over, one way or the other */
        flight_failed(link);
    if (!r)
        r = blocked_words(item, ret, err);
    if (r)
        return r;
    item->as_before = refused_before && link->message && text_is(link->message, ret->message);
    if (set_text(&link->plan_digest, d->fields->plan_digest) || await(d, item, WAIT_LEAVING, NULL))
        return error_nomem(err);
    link->next_us = retry_at_us(d, link);
    link->attempts++;
    ret->outcome = OUTCOME_REFUSED;
    ret->lands_late = link->in_flight != NULL;
    round->report->refused++;
    return PROV_OK;
}

/* Nothing makes it due but a release, or news of the user. */
static int
end_held(struct item *item, struct ending *ret)
{
    const struct code_words *words = code_words(GUARD_CODE);

    *ret = (struct ending){ .outcome = "held",
                            .said = { GUARD_CODE, item->plan.reason, words->cause, words->remedy },
                            .keeps_claim = true };
    item->work.link.next_us = 0;
    return PROV_OK;
}

/* ---- tried again ---- */

/* Looked at again at at_us, or at the look that is to come before: or every event meanwhile would put it off. Who is to
 * lose access, and has it still, is told apart from others, for he goes first. */
static int
look_again(struct round *round, struct item *item, int64_t at_us, struct prov_error *err)
{
    struct link *link = &item->work.link;
    bool to_come = link->next_us > clock_now_us() && link->next_us <= at_us;

    round->report->retried++;
    if (!to_come) {
        link->next_us = at_us;
        link->attempts++;
    }
    return await_leaving(item) ? error_nomem(err) : PROV_OK;
}

static int
end_retry(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct link *link = &item->work.link;
    int64_t at_us = retry_at_us(round->delivery, link);

    flight_failed(link);
    *ret = (struct ending){ .outcome = "retry", .said = item->said, .keeps_claim = true };
    return look_again(round, item, at_us, err);
}

static int
end_unknown(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    const struct code_words *words = code_words(CODE_NO_ANSWER);
    int64_t now = clock_now_us(), at_us = now - flight_age_us(link);

    *ret = (struct ending){ .outcome = "unknown",
                            .said = { CODE_NO_ANSWER, item->said.message, words->cause,
                                      words->remedy },
                            .keeps_claim = true };
    if (at_us > now) { /* the clock was set back, and the machine started: the window begins anew */
        at_us = now;
        if (value_put_integer(&link->pool, link->in_flight, "at_us", now))
            return error_nomem(err);
    }
    at_us = policy_settle_at_us(at_us, d->fields->settle_window_s * CLOCK_SECOND_US, link->attempts,
                                now);
    return look_again(round, item, at_us, err);
}

/* Whether access was to be taken with all that was in flight, and that much of it is there. */
static bool
has_taken_access(const struct item *item)
{
    const struct value *sent = flight_fields(item), *there = item->work.link.confirmed;

    return (frees_seat(sent) && !value_get_boolean(there, "IsActive", true)) ||
           (value_get_boolean(sent, FROZEN_FIELD, false) &&
            value_get_boolean(there, FROZEN_FIELD, false));
}

/* What is confirmed is what was read back, by now (unknown.c). Cause and remedy are those of the wait before. */
static int
end_not_happened(struct round *round, struct item *item, struct ending *ret, struct prov_error *err)
{
    struct link *link = &item->work.link;
    bool taken = has_taken_access(item);
    int r = taken ? guard_count(round, item, err) : PROV_OK;

    if (r)
        return r;
    round->freed_seats += taken && frees_seat(flight_fields(item));
    link->attempts = value_get_integer(link->in_flight, "tries", 0) + 1;
    link->next_us = 0;
    orders_return(link);
    link->in_flight = NULL;
    *ret = (struct ending){ .outcome = "retry",
                            .said = { CODE_NO_ANSWER,
                                      "what was sent without an answer did not happen; it is sent "
                                      "again",
                                      link->cause, link->remedy },
                            .keeps_claim = true,
                            .now = true };
    return PROV_OK;
}

/* ---- which end ---- */

int
settle(struct round *round, struct item *item, struct prov_error *err)
{
    CLEANUP(ending_done) struct ending ending = { 0 };
    int r = PROV_OK;

    switch (item->fate) {
    case FATE_FORGOTTEN:
        return store_due_delete(round->delivery->store, &item->work, err);
    case FATE_NOTHING:
        r = end_nothing(round, item, &ending, err);
        break;
    case FATE_HELD:
        r = end_held(item, &ending);
        break;
    case FATE_PARKED:
        r = end_parked(round, item, &ending, err);
        break;
    case FATE_STAYS_PARKED:
        r = end_stays_parked(round, item, &ending, err);
        break;
    case FATE_DELIVERED:
    case FATE_FOUND:
        r = end_delivered(round, item, &ending, err);
        break;
    case FATE_ASIDE:
        r = end_aside(item, &ending, err);
        break;
    case FATE_REFUSED:
        r = end_refused(round, item, &ending, err);
        break;
    case FATE_FROZEN:
    case FATE_NOT_FROZEN:
        r = end_blocked(round, item, &ending, err);
        break;
    case FATE_RETRY:
        r = end_retry(round, item, &ending, err);
        break;
    case FATE_UNKNOWN:
        r = end_unknown(round, item, &ending, err);
        break;
    case FATE_NOT_HAPPENED:
        r = end_not_happened(round, item, &ending, err);
        break;
    default: /* on the way: it stays due */
        return PROV_OK;
    }
    return r ? r : ending_write(round, item, &ending, err);
}
