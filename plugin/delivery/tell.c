/* Tells what became of a subject: the log line, and the host's outcome callback with RFC 9967
 * misc:asyncresp for each event. What became of it is decided by settle.c. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/policy.h"

/* The longest wait before the host is told again. */
#define TELL_MAX_US (3600 * CLOCK_SECOND_US)

/* A host that declines one after the other is asked on for this long only, and twice at least, until its time has come:
 * it may be slow in it, and delivery waits. */
#define DECLINED_MAX_US CLOCK_SECOND_US
#define DECLINED_MIN    2

/* "; waits for manager /Users/9", of each part that waits. */
static const char *
parts_that_wait(const struct link *link, char ret[400])
{
    size_t length = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < link->wait_count && length < 400; i++) {
        const struct wait *wait = &link->waits[i];
        if (wait_is_of_part(wait))
            length += (size_t)snprintf(ret + length, 400 - length, "; waits for %s%s%s", wait->kind,
                                       wait->value ? " " : "", wait->value ? wait->value : "");
    }
    error_tidy(ret); /* perhaps cut in a character */
    return ret;
}

static void
log_settled(struct delivery *d, const struct item *item)
{
    const struct link *link = &item->work.link;
    const char *name = plan_user_name(&item->work.subject), *uri = item->work.subject.uri;
    char next[21], parts[400];

    if (outcome_is(link->outcome, OUTCOME_NOTHING) ||
        (outcome_is_in_step(link->outcome) && item_was_in_step(item))) /* delivered before */
        log_line(&d->log, PROV_LOG_DEBUG, "user '%s' (%s): nothing to do", name, uri);
    else if (strcmp(link->outcome, "delivered") == 0)
        log_line(&d->log, PROV_LOG_INFO, "user '%s' (%s): %s; Salesforce user '%s' %s%s", name, uri,
                 link->last_action, link->username_held ? link->username_held : "",
                 link->salesforce_id, parts_that_wait(link, parts));
    else if (outcome_is_blocked(link->outcome) && item->as_before)
        log_line(&d->log, PROV_LOG_DEBUG, "user '%s' (%s) %s: %s", name, uri,
                 outcome_is(link->outcome, OUTCOME_WAITING) ? "still waits" : "stays parked",
                 link->code ? link->code : "");
    else if (outcome_is(link->outcome, OUTCOME_WAITING) && item->plan.action == PLAN_PARK &&
             wait_of(link, WAIT_SEAT)) /* seats.c has said so, once for all */
        log_line(&d->log, PROV_LOG_DEBUG, "user '%s' (%s) waits: %s", name, uri, link->message);
    else if (outcome_is(link->outcome, OUTCOME_REFUSED))
        log_line(&d->log, PROV_LOG_WARNING,
                 "user '%s' (%s) is parked: %s: %s; cause: %s; to do: %s", name, uri,
                 link->code ? link->code : "REFUSED", link->message ? link->message : "",
                 link->cause ? link->cause : "", link->remedy ? link->remedy : "");
    else if (outcome_is(link->outcome, OUTCOME_WAITING))
        log_line(&d->log, PROV_LOG_WARNING, "user '%s' (%s) waits: %s: %s; cause: %s; to do: %s",
                 name, uri, link->code ? link->code : "", link->message ? link->message : "",
                 link->cause ? link->cause : "", link->remedy ? link->remedy : "");
    else if (strcmp(link->outcome, "held") == 0) /* the guard has said so, once for all */
        log_line(&d->log, PROV_LOG_DEBUG, "user '%s' (%s): the guard holds the deactivation", name,
                 uri);
    else if (!link->next_us) /* at once */
        log_line(&d->log, PROV_LOG_INFO, "user '%s' (%s): %s", name, uri, link->message);
    else
        log_line(&d->log, PROV_LOG_WARNING, "user '%s' (%s): %s, next look at %s: %s %s", name, uri,
                 link->outcome, clock_format(link->next_us, next), link->code ? link->code : "",
                 link->message ? link->message : "");
}

/* The SCIM method that an event stands for. */
static const char *
method_of(const char *kinds)
{
    static const struct {
        const char *kind, *method;
    } known[] = { { "prov:delete", "DELETE" }, { "prov:create", "POST" }, { "prov:put", "PUT" } };

    for (size_t i = 0; kinds && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(kinds, known[i].kind))
            return known[i].method;
    }
    return "PATCH";
}

/* Whether it is over, so that the host has its answer: who waits, is tried again by itself, or has something
 * in flight, is not through. But a host has no use for an answer that may never come. */
static bool
is_over(const struct link *link)
{
    if (!link->outcome || link->in_flight || link->damaged_flight)
        return false;
    if (outcome_is(link->outcome,
                   OUTCOME_REFUSED)) /* a leaver whom Salesforce keeps: tried again */
        return link->next_us == 0 || is_kept_for_long(link);
    /* a first step may be delivered, and the rest of the same version not yet; of an account that went to another
     * user of the host nothing follows */
    return outcome_is_in_step(link->outcome) &&
           !(outcome_is(link->outcome, OUTCOME_DELIVERED) && link->salesforce_id[0] &&
             link->confirmed_version < link->settled_version);
}

/* Told late, an older event may have been delivered before a newer one was refused. */
static bool
is_refused(const struct link *link, struct json_object *event)
{
    return outcome_is(link->outcome, OUTCOME_REFUSED) &&
           json_get_int(event, "version", 0) > link->confirmed_version;
}

/* Why the answer is a refusal; NULL: it is none. The password is told of with the event that brought it. */
static const char *
fault_of(const struct link *link, struct json_object *event)
{
    if (!is_refused(link, event))
        return json_get_string(event, "password_fault");
    return link->message ? link->message : "";
}

/* What is waited for may change the answer, the one of those before as well. */
static enum told
how_told(const struct link *link, struct json_object *event)
{
    bool waits = json_get_bool(event, "password_waits", false);
    bool fault = json_get_string(event, "password_fault") != NULL;
    enum told told = wait_told(link);

    if (is_refused(link, event) || (waits && fault))
        return TOLD_FOR_NOW;
    /* for good; but one before may have been told that a part waits, and is not told otherwise yet */
    if (waits || (fault && told != TOLD) || !outcome_is_in_step(link->outcome))
        return TOLD_BEHIND;
    return told;
}

/* What of the user is missing, though all else is delivered. Heap, NULL when out of memory. */
static char *
missing_words(const struct delivery *d, const struct link *link)
{
    const struct wait *manager = wait_of(link, WAIT_MANAGER);
    const char *and = manager && wait_of(link, WAIT_UNFREEZING) ? "; and " : "";
    char since[100] = "", *text;

    if (wait_told(link) == TOLD_WITHOUT)
        snprintf(since, sizeof(since), "; this has lasted for %lld hours",
                 (long long)d->fields->wait_limit_hours);
    if (asprintf(&text, "%s%s%s%s%s%s", manager ? "the manager '" : "",
                 manager ? manager->value : "",
                 manager ? "' has no account yet, and is set when there is one" : "", and,
                 wait_of(link, WAIT_UNFREEZING)
                     ? "the account is frozen, and not by the connector as far as it knows"
                     : "",
                 since) < 0)
        return NULL;
    return text;
}

/* The body of the answer, as RFC 7644 has it in a bulk response: where there is something to be said. */
static int
put_response(struct json_object *payload, const char *status, const char *detail)
{
    struct json_object *response = json_object_new_object();

    return json_put(payload, "response", response) || json_put_string(response, "detail", detail) ||
           (strcmp(status, "400") == 0 && json_put_string(response, "scimType", "invalidValue")) ||
           json_put_string(response, "status", status);
}

/* RFC 9967 misc:asyncresp for one event of a settled subject; heap, NULL when out of memory. */
static char *
asyncresp(const struct delivery *d, const struct subject *subject, const struct link *link,
          struct json_object *event)
{
    static const char uri[] = "urn:ietf:params:scim:event:misc:asyncresp";
    AUTO_JSON struct json_object *claims = json_object_new_object();
    struct json_object *events = json_object_new_object(), *payload = json_object_new_object();
    struct json_object *sub_id = json_object_new_object();
    const char *fault = fault_of(link, event);
    enum told told = how_told(link, event);
    AUTO_FREE char *missing = told >= TOLD_PART ? missing_words(d, link) : NULL;
    const char *status = fault ? "400" : told == TOLD_PART ? "202" : "200";
    char jti[33];

    random_id(jti);
    if (!claims || json_put(claims, "events", events) || json_put(claims, "sub_id", sub_id) ||
        json_put(events, uri, payload) || json_put_string(sub_id, "format", "scim") ||
        json_put_string(sub_id, "uri", subject->uri) || json_put_string(claims, "jti", jti) ||
        json_put_int(claims, "iat", clock_now_us() / CLOCK_SECOND_US) ||
        json_put_string(claims, "iss", "sfprov") || json_put_string(claims, "aud", subject->iss) ||
        json_put_string(claims, "txn",
                        json_get_string(event, "txn") ? json_get_string(event, "txn")
                                                      : json_get_string(event, "jti")) ||
        json_put_string(payload, "method", method_of(json_get_string(event, "kinds"))) ||
        json_put_string(payload, "status", status) || (told >= TOLD_PART && !missing) ||
        (fault && put_response(payload, status, fault)) ||
        (missing && put_response(payload, status, missing)))
        return NULL;
    return json_text(claims);
}

void
tell_later(struct delivery *d, int64_t after)
{
    const struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US, TELL_MAX_US };
    struct untold *untold = &d->untold;

    if (!untold->some)
        untold->again.until_us =
            clock_monotonic_us() +
            policy_retry_after_us(&limits, untold->again.failures++, 0, random_below(UINT64_MAX));
    if ((!untold->some && !untold->behind) || after < untold->after)
        untold->after = after;
    untold->some = true;
}

static int
write_all(struct store *store, const struct taken *taken, struct prov_error *err)
{
    int r = store_begin(store, STORE_FENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < taken->count; i++)
        r = store_told(store, taken->list[i].event, taken->list[i].how, err);
    if (!r)
        return store_commit(store, err);
    store_rollback(store);
    return r;
}

/* What was taken is the store's from now on. */
static int
write_taken(struct delivery *d, struct prov_error *err)
{
    struct taken *taken = &d->taken;
    int r = taken->count > 0 ? write_all(d->store, taken, err) : PROV_OK;

    taken->stuck = r != PROV_OK;
    if (!r)
        taken->count = 0;
    return r;
}

static int
note_taken(struct delivery *d, int64_t event, enum told how, struct prov_error *err)
{
    struct taken *taken = &d->taken;

    taken->list[taken->count].event = event;
    taken->list[taken->count++].how = how;
    return taken->count == sizeof(taken->list) / sizeof(taken->list[0]) ? write_taken(d, err)
                                                                        : PROV_OK;
}

static bool
is_worth_asking(const struct untold *untold)
{
    return untold->declined < DECLINED_MIN || untold->declined_us < DECLINED_MAX_US;
}

void
tell_asks_anew(struct delivery *d)
{
    d->untold.declined = d->untold.declined_us = 0;
}

/* Tells the host of one event, if it is worth asking. */
static int
offer(struct delivery *d, const struct work *work, struct json_object *event, bool *ret_taken,
      struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    struct untold *untold = &d->untold;
    int64_t began_us = clock_monotonic_us();

    *ret_taken = false;
    if (!is_worth_asking(untold))
        return PROV_OK;
    text = asyncresp(d, &work->subject, &work->link, event);
    if (!text)
        return error_nomem(err);
    *ret_taken = host_told(d, text);
    if (*ret_taken) {
        tell_asks_anew(d);
    } else {
        untold->declined++;
        untold->declined_us += clock_monotonic_us() - began_us;
    }
    return PROV_OK;
}

/* Tells every settled event of the subject that has not been told, up to `last` or it alone (struct untold_part); stops
 * when the host declines. */
static int
tell_subject(struct delivery *d, const struct work *work, int64_t last, bool alone, bool *ret_took,
             struct prov_error *err)
{
    const struct untold_part part = { work->subject.id, last, alone };
    AUTO_JSON struct json_object *events = NULL;
    int r = d->taken.stuck ? write_taken(d, err) : PROV_OK;

    *ret_took = false;
    if (!r && is_over(&work->link))
        r = store_untold(d->store, &part, &work->link, long_wait_us(d), &events, err);

    for (size_t i = 0; !r && events && i < json_object_array_length(events); i++) {
        struct json_object *event = json_object_array_get_idx(events, i);
        int64_t seq = json_get_int(event, "seq", 0);
        bool taken;
        r = offer(d, work, event, &taken, err);
        if (r)
            break;
        if (!taken) {
            tell_later(d, seq - 1);
            break;
        }
        *ret_took = true;
        r = note_taken(d, seq, how_told(&work->link, event), err);
    }
    return r;
}

/* A host that could not be told is told later; of which events it was to be told is not known then. */
static void
tell_now(struct delivery *d, const struct work *work)
{
    struct prov_error error = PROV_ERROR_INIT;
    bool took;

    if (d->host.outcome && tell_subject(d, work, 0, false, &took, &error)) {
        tell_later(d, 0);
        log_line(&d->log, PROV_LOG_ERROR,
                 "the host could not be told of '%s': %s; it is told later", work->subject.uri,
                 error.text);
    }
}

void
telling_end(struct telling *telling)
{
    struct delivery *d = telling->delivery;
    struct prov_error error = PROV_ERROR_INIT;

    if (!d->taken.stuck && write_taken(d, &error)) {
        tell_later(d, d->taken.list[0].event - 1);
        log_line(&d->log, PROV_LOG_ERROR,
                 "what the host was told could not be noted: %s; that is tried again, and should "
                 "the process end before, the host is told once more",
                 error.text);
    }
}

void
tell_settled(struct telling *telling, const struct item *item)
{
    struct delivery *d = telling->delivery;

    if (!item->work.link.outcome)
        return;
    log_settled(d, item);
    if (outcome_is_in_step(item->work.link.outcome) && item->work.link.remedy &&
        !item->as_before) /* with a "but" */
        log_line(&d->log, PROV_LOG_WARNING, "user '%s' (%s): %s; to do: %s",
                 plan_user_name(&item->work.subject), item->work.subject.uri,
                 item->work.link.message, item->work.link.remedy);
    tell_now(d, &item->work);
}

void
tell_password(struct delivery *d, int64_t subject)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = d };
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error error = PROV_ERROR_INIT;

    if (!d->host.outcome)
        return;
    if (store_load_id(d->store, subject, &work, &error))
        tell_later(d, 0);
    else
        tell_now(d, &work);
}

/* ---- what was not told ---- */

/* Of one event of the walk, with those of its user before it, or alone. */
static int
tell_event(struct delivery *d, int64_t event, bool alone, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { 0 };
    bool took = false;
    int r = store_load_of_event(d->store, event, &work, err);

    if (!r)
        r = tell_subject(d, &work, event, alone, &took, err);
    if (took)
        d->untold.again.failures = 0;
    return r;
}

/* Events of a page that cannot be read. */
struct unread {
    int64_t count, first;
    struct prov_error why; /* of the first */
};

static bool
is_unread(const struct delivery *d, int result)
{
    return result == PROV_E_STORE && !d->taken.stuck && store_met_damage(d->store);
}

/* Of one of a page in which something cannot be read. A damaged one before it keeps it back no longer: it is told alone
 * then, and those of its user that can be read still come in their order. */
static int
tell_around(struct delivery *d, int64_t event, struct unread *unread, struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    int r = tell_event(d, event, false, &why);

    if (is_unread(d, r))
        r = tell_event(d, event, true, &why);
    if (is_unread(d, r)) {
        if (unread->count++ == 0) {
            unread->first = event;
            unread->why = why;
        }
        return PROV_OK;
    }
    if (!r)
        r = write_taken(d, &why); /* before the next of the same user */
    return r ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* One page of the walk, or what of it is worth asking; around what cannot be read, if that is to be noted. */
static int
tell_page(struct delivery *d, int64_t limit, int64_t *after, struct unread *unread, bool *ret_whole,
          struct prov_error *err)
{
    AUTO_JSON struct json_object *events = NULL;
    int r = unread ? store_untold_around(d->store, limit, after, &events, err)
                   : store_untold_events(d->store, limit, after, &events, err);

    *ret_whole = true;
    for (size_t i = 0; !r && i < json_object_array_length(events); i++) {
        int64_t event = json_object_get_int64(json_object_array_get_idx(events, i));
        *ret_whole = is_worth_asking(&d->untold);
        if (!*ret_whole) {
            *after = event - 1;
            break;
        }
        r = unread ? tell_around(d, event, unread, err) : tell_event(d, event, false, err);
    }
    return r;
}

int
tell_rest(struct delivery *d, int64_t limit, int64_t *after, bool *ret_whole,
          struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = d };
    struct unread unread = { .why = PROV_ERROR_INIT };
    int64_t from = *after;
    int r = d->taken.stuck ? write_taken(d, err) : PROV_OK;

    *ret_whole = true;
    if (r)
        return r;
    r = tell_page(d, limit, after, NULL, ret_whole, err);
    if (!is_unread(d, r))
        return r;
    *after = from;
    r = write_taken(d, err);
    if (!r)
        r = tell_page(d, limit, after, &unread, ret_whole, err);
    if (unread.count) {
        tell_later(d, from);
        log_line(
            &d->log, PROV_LOG_ERROR,
            "what became of %lld events cannot be read, of which number %lld is the first, and "
            "the host is not told: %s; tried again within the hour",
            (long long)unread.count, (long long)unread.first, unread.why.text);
    }
    return r;
}
