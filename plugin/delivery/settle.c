/* Turns the outcome for one subject into its link and the next due time. Which outcome it was is decided
 * by the Salesforce room's table and by unknown.c; who is told of it, and when, by tell.c. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/policy.h"

int
set_text(char **place, const char *text)
{
    char *copy = text && *text ? strdup(text) : NULL;

    if (text && *text && !copy)
        return PROV_E_NOMEM;
    free(*place);
    *place = copy;
    return PROV_OK;
}

/* NULL and "" are alike, as for set_text(). */
static bool
text_is(const char *text, const char *other)
{
    return strcmp(text ? text : "", other ? other : "") == 0;
}

int
set_wait(struct link *link, const char *kind, const char *value)
{
    int64_t now = clock_now_us();

    /* a clock that was set back must not make a wait endless */
    if (!text_is(link->waits_kind, kind) || !text_is(link->waits_value, value) ||
        link->waits_since_us > now)
        link->waits_since_us = kind ? now : 0;
    return set_text(&link->waits_value, value) || set_text(&link->waits_kind, kind) ? PROV_E_NOMEM
                                                                                    : PROV_OK;
}

int64_t
long_wait_us(const struct delivery *d)
{
    return clock_now_us() - d->fields->wait_limit_hours * 3600 * CLOCK_SECOND_US;
}

bool
waits_long(const struct delivery *d, const struct link *link)
{
    return link->waits_since_us && link->waits_since_us <= long_wait_us(d);
}

int
settle_words(struct link *link, const char *outcome, const struct said *said,
             struct prov_error *err)
{
    if (set_text(&link->outcome, outcome) || set_text(&link->code, said->code) ||
        set_text(&link->message, said->message) || set_text(&link->cause, said->cause) ||
        set_text(&link->remedy, said->remedy))
        return error_nomem(err);
    return PROV_OK;
}

/* [tx] Who is looked at again, and is as before, is counted no more; who waits, or is held, not at all. */
static void
count_settled(struct store *store, const struct item *item)
{
    const struct link *link = &item->work.link;

    if (item->as_before)
        return;
    if (outcome_is(link->outcome, OUTCOME_DELIVERED))
        store_count(store, STORE_DELIVERED, 1);
    else if (outcome_is(link->outcome, OUTCOME_REFUSED))
        store_count(store, STORE_REFUSED, 1);
    else if (outcome_is(link->outcome, "retry") || outcome_is(link->outcome, "unknown"))
        store_count(store, STORE_RETRIED, 1);
}

/* [tx] Whoever waits for a leaver's account may have it when nothing of it is in flight. */
static int
offer_account(struct store *store, const struct item *item, struct prov_error *err)
{
    const struct link *link = &item->work.link;

    return item->plan.in_scope || !link->salesforce_id[0] || link->in_flight
               ? PROV_OK
               : store_wake(store, WAIT_ACCOUNT, NULL, NULL, INT64_MAX, err);
}

/* Writes the link and deletes the rows of `due` that were read. A manager who was linked since the
 * plan was made, perhaps by the same call, would wake nobody any more: then it is due at once. Only
 * a manager the plan looked for counts: one awaited earlier may have been linked long ago. */
int
settle_put(struct round *round, struct item *item, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    const struct subject *subject = &item->work.subject;
    const char *manager = item->plan.manager_uri;
    struct link *link = &item->work.link;
    int r;

    round->settled++;
    link->updated_us = clock_now_us();
    count_settled(store, item);
    store_count(store, STORE_SETTLED_EVENTS, link->settled_version - link->stored_version);
    link->stored_version = link->settled_version;
    r = history_add(round, item, err);
    if (!r)
        r = store_put_link(store, subject->id, link, err);
    if (!r)
        r = store_due_delete(store, &item->work, err);
    if (!r && manager && !item->manager_id[0])
        r = store_due_if_linked(store, subject->id, subject->iss, manager, err);
    return r ? r : offer_account(store, item, err);
}

static struct value *
sent_fields(const struct item *item)
{
    return value_get(item->work.link.in_flight, "fields");
}

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

int
settle_claim(struct round *round, struct link *link, const char *name, struct prov_error *err)
{
    AUTO_FREE char *before = STEAL(link->username_wanted);

    if (set_text(&link->username_wanted, name))
        return error_nomem(err);
    if (!before || (name && strcmp(before, name) == 0) ||
        (link->username_held && strcmp(before, link->username_held) == 0))
        return PROV_OK;
    return store_wake(round->delivery->store, WAIT_USERNAME, before, NULL, INT64_MAX, err);
}

int
settle_names(struct round *round, struct link *link, struct prov_error *err)
{
    const char *now = value_get_text(link->confirmed, "Username");
    const char *flying = value_get_text(value_get(link->in_flight, "fields"), "Username");
    AUTO_FREE char *before = NULL;
    int r = PROV_OK;

    if (now && !(link->username_held && strcmp(link->username_held, now) == 0)) {
        before = STEAL(link->username_held);
        if (set_text(&link->username_held, now))
            return error_nomem(err);
        if (before)
            r = store_wake(round->delivery->store, WAIT_USERNAME, before, NULL, INT64_MAX, err);
    }
    return r ? r : settle_claim(round, link, flying ? flying : link->username_held, err);
}

/* The manager the resource names, while he is not linked (rule 13). A deactivation looks at no
 * manager, so what was awaited is kept. */
static const char *
awaited_manager(const struct item *item)
{
    const struct link *link = &item->work.link;

    if (!item->plan.manager_uri)
        return plan_takes_access(&item->plan) && link->waits_kind &&
                       strcmp(link->waits_kind, WAIT_MANAGER) == 0
                   ? link->waits_value
                   : NULL;
    return item->manager_id[0] ? NULL : item->plan.manager_uri;
}

/* Of a subject that waits for nothing else. */
static int
await_manager(struct item *item)
{
    const char *manager = awaited_manager(item);

    return set_wait(&item->work.link, manager ? WAIT_MANAGER : NULL, manager);
}

bool
flight_is_mixed(const struct link *link)
{
    return value_get_boolean(link->in_flight, "late", false);
}

/* A wall clock that was wrong and is put right would make what was just sent look old, and "not there"
 * would be believed while Salesforce still works on it. */
int64_t
flight_age_us(const struct link *link)
{
    const char *boot = value_get_text(link->in_flight, "boot");
    int64_t now = clock_now_us();

    if (boot && *boot && strcmp(boot, clock_boot()) == 0)
        return clock_up_us() - value_get_integer(link->in_flight, "up_us", 0);
    return now - value_get_integer(link->in_flight, "at_us", now);
}

int
flight_failed(struct link *link, struct prov_error *err)
{
    if (orders_return(link))
        return error_nomem(err);
    if (flight_is_mixed(link))
        return PROV_OK;
    if (link->first_sent_us == value_get_integer(link->in_flight, "at_us", 0))
        link->first_sent_us = 0;
    link->in_flight = NULL;
    return PROV_OK;
}

/* The version that the outcome speaks of: what was sent may be older than what is wanted by now. */
static int64_t
version_of(const struct item *item)
{
    return value_get_integer(item->work.link.in_flight, "version", item->work.subject.version);
}

static int64_t
window_end_us(const struct delivery *d)
{
    return clock_now_us() + d->fields->settle_window_s * CLOCK_SECOND_US;
}

/* Whether the user is wanted again, and the account stays frozen, since somebody else has frozen it. */
static bool
stays_frozen(const struct item *item)
{
    return item->plan.action != PLAN_PARK && text_is(item->plan.code, CODE_STAYS_FROZEN);
}

/* What there is to be said of who needs no change any more: why the user is not in scope, or stays frozen. */
static struct said
note_of(const struct item *item)
{
    const struct code_words *words = stays_frozen(item) ? code_words(CODE_STAYS_FROZEN) : NULL;

    if (!words && item->plan.in_scope)
        return (struct said){ 0 };
    return (struct said){ .code = item->plan.code,
                          .message = item->plan.reason,
                          .cause = words ? words->cause : NULL,
                          .remedy = words ? words->remedy : NULL };
}

/* Then it is not our business any more, and at the next leaving it is looked at anew. */
static void
forget_frost(struct item *item)
{
    struct link *link = &item->work.link;

    if (!stays_frozen(item))
        return;
    value_remove(link->confirmed, FROZEN_FIELD);
    link->frozen_by_others = false;
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

static bool
flight_is_aside(const struct link *link)
{
    const char *inputs = value_get_text(link->in_flight, "inputs");

    return names_are_temporary(inputs);
}

/* [tx] The account has its temporary name: whoever waited for the one before is woken, and this one is
 * due again, for nothing that was wanted is done yet. */
static int
settle_aside(struct round *round, struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;
    const char *name = value_get_text(sent_fields(item), "Username");
    const struct code_words *words = code_words(CODE_USERNAME_SWAP);
    AUTO_FREE char *action = NULL;
    AUTO_FREE char *inputs = NULL;
    int r = confirm(link, sent_fields(item), err);

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
    r = settle_words(link, "retry",
                     &(struct said){ CODE_USERNAME_SWAP,
                                     names_given_up(link)
                                         ? "the account has a temporary username"
                                         : "the account has the username again that it had",
                                     words->cause, words->remedy },
                     err);
    if (!r)
        r = settle_names(round, link, err);
    if (!r)
        r = settle_put(round, item, err);
    return r ? r : store_due_add(round->delivery->store, item->work.subject.id, DUE_NOW, err);
}

/* Whether this version is parked with the code already. */
static bool
was_refused_with(const struct item *item, const char *code)
{
    const struct link *link = &item->work.link;

    return outcome_is(link->outcome, OUTCOME_REFUSED) && link->code &&
           (!code || text_is(link->code, code)) && link->settled_version == version_of(item);
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
    if (!r && !flight_is_mixed(link) && orders_in_force(link) & ORDER_REPAIR)
        r = add_repair(ret, err);
    return r;
}

int
settle_delivered(struct round *round, struct item *item, const char *id, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    const struct subject *subject = &item->work.subject;
    bool first = link->salesforce_id[0] == '\0', late = flight_is_mixed(link);
    const char *inputs = value_get_text(link->in_flight, "inputs");
    /* of a deactivation sent over an unknown change only the deactivation is certain */
    struct value *sent = late ? item->plan.fields : sent_fields(item);
    AUTO_FREE char *action = NULL;
    struct said said;
    int r;

    if (!late && flight_is_aside(link))
        return settle_aside(round, item, err);
    r = describe_done(item, first, sent, &action, err);
    if (!r)
        r = guard_count(round, item, err);
    if (!r)
        r = confirm(link, sent, err);
    if (!r)
        r = wake_alike(d, item, err);
    if (r)
        return r;
    round->freed_seats += item->plan.action == PLAN_DEACTIVATE;
    round->moved_managers |= !first && value_has(sent, "ManagerId");
    if (first) /* later ids may be those of a UserLogin */
        snprintf(link->salesforce_id, sizeof(link->salesforce_id), "%s", id);
    link->confirmed_version = link->settled_version = version_of(item);
    link->attempts = link->next_us = link->first_sent_us = 0;
    if (set_text(&link->last_action, action) || await_manager(item) ||
        set_text(&link->plan_digest, d->fields->plan_digest) ||
        /* of a deactivation sent over a change it is not known whether the name has changed */
        (!late && inputs && set_text(&link->username_inputs, inputs)))
        return error_nomem(err);
    if (!late)
        link->in_flight = NULL;
    forget_frost(item);
    said = note_of(item);
    r = settle_words(link, "delivered", &said, err);
    if (!r)
        r = settle_names(round, link, err);
    if (!r)
        r = settle_put(round, item, err);
    if (!r && late)
        r = store_due_add(d->store, subject->id, window_end_us(d), err);
    if (!r && first)
        r = store_wake(d->store, WAIT_MANAGER, subject->uri, subject->iss, INT64_MAX, err);
    /* a deactivation is sent alone; what else differs is a later difference (rule 7). So is a
     * manager who was refused: then that is the subject's outcome. */
    if (!r && (item->without_manager || item->plan.more))
        r = store_due_add(d->store, subject->id, DUE_NOW, err);
    round->report->delivered++;
    d->tally.delivered++;
    return r;
}

/* Which username it is that somebody has, or of which licence there is no seat. */
static const char *
awaited(const struct delivery *d, const struct item *item, const char *kind)
{
    const struct link *link = &item->work.link;

    if (strcmp(kind, WAIT_SEAT) == 0) {
        const char *licence = seats_licence(d, item);
        return licence ? licence : text_is(link->waits_kind, kind) ? link->waits_value : NULL;
    }
    if (strcmp(kind, WAIT_USERNAME) == 0)
        return item->plan.username;
    return strcmp(kind, WAIT_RELEASE) == 0 ? value_get_text(sent_fields(item), "Username") : NULL;
}

/* Who waits for what another one has is not refused; but who does so for long is. He is woken all the same.
 * *ret_words: the message, heap. */
static int
weigh_wait(const struct delivery *d, struct item *item, const char *code, const char *message,
           const char **ret_outcome, char **ret_words, struct prov_error *err)
{
    const char *kind = code_waits_for(code);
    struct link *link = &item->work.link;
    const char *given_up =
        kind ? NULL : names_given_up(link); /* of who waits, names.c has said it */
    bool is_long;

    if (item->awaits_name ? set_wait(link, WAIT_USERNAME, item->plan.username)
        : kind            ? set_wait(link, kind, awaited(d, item, kind))
                          : await_manager(item))
        return error_nomem(err);
    is_long = kind && waits_long(d, link);
    *ret_outcome = kind && !is_long ? OUTCOME_WAITING : OUTCOME_REFUSED;
    if ((is_long ? asprintf(ret_words,
                            "%s; this has lasted for %lld hours, and it is delivered by itself "
                            "when that ends",
                            message, (long long)d->fields->wait_limit_hours)
                 : asprintf(ret_words, given_up ? "%s" NAME_FOR_NOW "%s" : "%s", message,
                            link->username_held)) < 0) {
        *ret_words = NULL;
        return error_nomem(err);
    }
    return PROV_OK;
}

int
settle_refused(struct round *round, struct item *item, const struct said *said,
               struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    const struct subject *subject = &item->work.subject;
    AUTO_FREE char *message = NULL;
    const char *outcome = NULL;
    bool renames;
    int r = weigh_wait(d, item, said->code, said->message, &outcome, &message, err);

    if (r)
        return r;
    renames = item->plan.action != PLAN_PARK && value_get(sent_fields(item), "Username");
    if (!code_waits_for(said->code) && item->plan.action != PLAN_PARK &&
        quarantine_note_refused(d, link, said))
        return error_nomem(err);
    if (item->plan.action != PLAN_PARK) { /* it was sent */
        facts_note_refused(d, said->code);
        round->seats_refused |= text_is(said->code, CODE_NO_SEAT);
    }
    item->as_before = outcome_is_blocked(link->outcome) && text_is(link->code, said->code) &&
                      text_is(link->message, message) && link->settled_version == version_of(item);
    link->settled_version = version_of(item);
    link->attempts = link->next_us = 0;
    r = flight_failed(link, err);
    if (r)
        return r;
    if (!plan_takes_access(&item->plan)) /* a release is over with what it was given for */
        link->orders &= ~(unsigned)ORDER_RELEASE;
    if (set_text(&link->plan_digest, d->fields->plan_digest) ||
        settle_words(link, outcome,
                     &(struct said){ said->code, message, said->cause, said->remedy }, err))
        return error_nomem(err);
    r = settle_names(round, link, err);
    if (!r)
        r = settle_put(round, item, err);
    /* who stepped aside for this one does not get the name now */
    if (!r && renames && link->username_held)
        r = store_wake(d->store, WAIT_USERNAME, link->username_held, NULL, INT64_MAX, err);
    /* an earlier change may land yet; or what was refused is not what is wanted any more */
    if (!r && link->in_flight)
        r = store_due_add(d->store, subject->id, window_end_us(d), err);
    else if (!r && link->settled_version < subject->version)
        r = store_due_add(d->store, subject->id, DUE_NOW, err);
    round->report->refused += outcome_is(outcome, OUTCOME_REFUSED);
    return r;
}

/* For so long Salesforce may keep the names of a sandbox that was refreshed; tried so often meanwhile. A
 * production org is not refreshed: what it does not get, another one keeps. */
#define RELEASE_WINDOW_US (48 * 3600 * CLOCK_SECOND_US)
#define RELEASE_AGAIN_US  (3600 * CLOCK_SECOND_US)

static void
elsewhere_words(const struct item *item, char *ret, size_t size)
{
    const char *name = value_get_text(sent_fields(item), "Username");

    snprintf(ret, size, "username '%s' is taken, and not by a user of this org", name ? name : "");
    error_tidy(ret);
}

bool
settle_release_is_over(const struct delivery *d, const struct item *item)
{
    const struct link *link = &item->work.link;
    const char *name = value_get_text(sent_fields(item), "Username");
    char message[200];

    /* a number is tried when the wait for the name without it is over */
    if (!d->is_sandbox || item->suffix)
        return true;
    if (text_is(link->waits_kind, WAIT_RELEASE) && text_is(link->waits_value, name))
        return clock_now_us() - link->waits_since_us >= RELEASE_WINDOW_US;
    elsewhere_words(item, message, sizeof(message));
    return was_refused_with(item, "DUPLICATE_USERNAME") &&
           (d->fields->suffixes || text_is(link->message, message));
}

int
settle_elsewhere(struct round *round, struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;
    const struct code_words *words = code_words(CODE_USERNAME_ELSEWHERE);
    char message[200];
    int r;

    elsewhere_words(item, message, sizeof(message));
    if (settle_release_is_over(round->delivery, item))
        return settle_refused(
            round, item,
            &(struct said){
                "DUPLICATE_USERNAME", message,
                "usernames are unique over all Salesforce orgs, and another org has this one",
                "free it there, or set provisioning_domain or provisioning_pattern so that another "
                "one is built, then retry" },
            err);
    r = settle_refused(
        round, item,
        &(struct said){ CODE_USERNAME_ELSEWHERE, message, words->cause, words->remedy }, err);
    if (r || link->in_flight)
        return r;
    link->next_us = clock_now_us() + RELEASE_AGAIN_US;
    r = store_put_link(round->delivery->store, item->work.subject.id, link, err);
    return r ? r : store_due_add(round->delivery->store, item->work.subject.id, link->next_us, err);
}

/* Why the account is as it is: what Salesforce said to the deactivation, and whether it is frozen. */
static int
blocked_words(struct link *link, const struct sf_record *blocker, const struct sf_record *fault,
              struct prov_error *err)
{
    const struct sf_record *first = blocker ? blocker : fault;
    AUTO_FREE char *message = NULL;
    struct said said;

    if ((fault ? asprintf(&message, "%s%s%s%s%s; the user can still log in",
                          blocker ? blocker->message : "",
                          blocker ? "; and the account could not be frozen either: " : "",
                          blocker ? fault->code : "", blocker ? ": " : "", fault->message)
               : asprintf(&message, "%s; the account is frozen until it can be deactivated",
                          blocker->message)) < 0) {
        message = NULL;
        return error_nomem(err);
    }
    /* one of the two is there, see is_blocked() in send.c */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    said = (struct said){ first->code, message, first->cause, first->remedy };
    return settle_words(link, "refused", &said, err);
}

int
settle_blocked(struct round *round, struct item *item, const struct sf_record *fault,
               struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };
    bool frozen = item->plan.action == PLAN_FREEZE && !fault;
    AUTO_FREE char *said =
        was_refused_with(item, NULL) && link->message ? strdup(link->message) : NULL;
    int r = frozen ? guard_count(round, item, err) : PROV_OK;

    link->settled_version = version_of(item);
    if (!r && frozen)
        r = confirm(link, item->plan.fields, err);
    if (!r && frozen &&
        set_text(&link->last_action, item->found_frozen ? "found frozen" : "frozen"))
        r = error_nomem(err);
    if (!r) /* it is over, one way or the other */
        r = flight_failed(link, err);
    if (!r)
        r = blocked_words(link, item->blocker, fault, err);
    item->as_before = said && text_is(link->message, said);
    if (!r && (set_text(&link->plan_digest, d->fields->plan_digest) ||
               set_wait(link, WAIT_LEAVING, NULL)))
        r = error_nomem(err);
    if (!r)
        r = settle_names(round, link, err);
    link->next_us = clock_now_us() +
                    policy_retry_after_us(&limits, link->attempts, 0, random_below(UINT64_MAX));
    link->attempts++;
    if (!r)
        r = settle_put(round, item, err);
    if (!r)
        r = store_due_add(d->store, item->work.subject.id, link->next_us, err);
    if (!r && link->in_flight)
        r = store_due_add(d->store, item->work.subject.id, window_end_us(d), err);
    round->report->refused++;
    return r;
}

/* Who is to lose access, and has it still, is told apart from others who are tried again: he goes first. */
static int
note_leaving(struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;
    bool leaving = text_is(link->waits_kind, WAIT_LEAVING);
    bool is_to = plan_takes_access(&item->plan) || (leaving && item->plan.action == PLAN_NOTHING);

    if (is_to == leaving)
        return PROV_OK;
    return set_wait(link, is_to ? WAIT_LEAVING : NULL, NULL) ? error_nomem(err) : PROV_OK;
}

/* Puts the link and looks again at at_us, or at the look that is to come before: or every event
 * meanwhile would put it off. */
static int
put_and_look(struct round *round, struct item *item, int64_t at_us, struct prov_error *err)
{
    struct link *link = &item->work.link;
    bool to_come = link->next_us > clock_now_us() && link->next_us <= at_us;
    int r;

    round->report->retried++;
    if (!to_come) {
        link->next_us = at_us;
        link->attempts++;
    }
    r = note_leaving(item, err);
    if (!r)
        r = settle_put(round, item, err);
    return r ? r : store_due_add(round->delivery->store, item->work.subject.id, link->next_us, err);
}

int
settle_retry(struct round *round, struct item *item, const struct sf_record *record,
             struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };
    int64_t at_us = clock_now_us() +
                    policy_retry_after_us(&limits, link->attempts, 0, random_below(UINT64_MAX));
    int r = settle_words(
        link, "retry",
        &(struct said){ record->code, record->message, record->cause, record->remedy }, err);

    if (!r)
        r = flight_failed(link, err);
    return r ? r : put_and_look(round, item, at_us, err);
}

int
settle_unknown(struct round *round, struct item *item, const char *message, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct link *link = &item->work.link;
    const struct code_words *words = code_words(CODE_NO_ANSWER);
    int64_t now = clock_now_us(), at_us = now - flight_age_us(link);
    int r;

    if (at_us > now) { /* the clock was set back, and the machine started: the window begins anew */
        at_us = now;
        if (value_put_integer(&link->pool, link->in_flight, "at_us", now))
            return error_nomem(err);
    }
    at_us = policy_settle_at_us(at_us, d->fields->settle_window_s * CLOCK_SECOND_US, link->attempts,
                                now);
    r = settle_words(link, "unknown",
                     &(struct said){ CODE_NO_ANSWER, message, words->cause, words->remedy }, err);
    return r ? r : put_and_look(round, item, at_us, err);
}

int
settle_nothing(struct round *round, struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;
    /* looked at again for a cause of our own, a version that was delivered stays delivered */
    bool told = link->settled_version == item->work.subject.version && link->outcome &&
                strcmp(link->outcome, "delivered") == 0;
    AUTO_FREE char *action = NULL;
    const struct said said = note_of(item);
    int r =
        settle_words(link, told || item->adopted_by ? "delivered" : "nothing to do", &said, err);

    forget_frost(item);
    if (!r && item->adopted_by)
        r = add_adoption(item, &action, err);
    if (!r && action && set_text(&link->last_action, action))
        r = error_nomem(err);
    if (r)
        return r;
    item->as_before = told && !item->adopted_by;
    link->settled_version = item->work.subject.version;
    /* of a user who is gone or out of scope the changes are not there: nothing was wanted of them */
    if (link->salesforce_id[0] && item->plan.in_scope)
        link->confirmed_version = link->settled_version;
    link->attempts = link->next_us = 0;
    link->orders = 0;
    if (await_manager(item) || set_text(&link->plan_digest, round->delivery->fields->plan_digest))
        return error_nomem(err);
    r = settle_names(round, link, err);
    return r ? r : settle_put(round, item, err);
}
