/*
 * Sets the passwords that wait, one call each, after everything else of a round. Who is meant is settled,
 * and there; who is not active gets none, and it is erased. A send is stored before it is made, so
 * whoever finds one without an answer waits for the settle window and sends once more; that Salesforce
 * then refuses it as a repetition, or has changed the password since, shows that the first had landed.
 */
#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/base/secret.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/policy.h"
#include "plugin/event/event.h"

/* Of one round, so that leavers wait for a few calls at most. */
#define ROUND_PASSWORDS 20
#define SENDS_MAX       2
#define KEY_AGAIN_US    (600 * CLOCK_SECOND_US)
/* Each try is a call, and a right that is missing keeps many waiting: a call a day for each. */
#define RIGHT_AGAIN_US (24 * 3600 * CLOCK_SECOND_US)
#define CHANGE_SKEW_US CLOCK_SECOND_US /* times are told in whole seconds */

/* [tx] */
static int
note(struct store *store, int64_t subject, const struct store_password_news *news,
     struct prov_error *err)
{
    bool set = strcmp(news->outcome, OUTCOME_DELIVERED) == 0;
    AUTO_FREE char *text = NULL;

    if (!set && asprintf(&text, "not set: %s%s%s", news->code, *news->message ? ": " : "",
                         news->message) < 0) {
        text = NULL;
        return error_nomem(err);
    }
    return store_note(store, subject, NOTE_PASSWORD, set ? "set" : text, err);
}

static int
put(struct delivery *d, const struct store_password *password,
    const struct store_password_news *news, struct prov_error *err)
{
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = store_password_put(d->store, password, news, err);
    if (!r && news->erase)
        r = note(d->store, password->subject, news, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

/* It is over: what is sealed is erased. */
static int
settle_password(struct delivery *d, const struct store_password *password,
                struct store_password_news *news, struct prov_error *err)
{
    int r;

    news->erase = true;
    r = put(d, password, news, err);
    if (r)
        return r;
    if (strcmp(news->outcome, "delivered") == 0)
        log_line(&d->log, PROV_LOG_INFO, "'%s': password set", password->uri);
    else
        log_line(&d->log, PROV_LOG_WARNING, "'%s': password not set: %s%s%s; %s", password->uri,
                 news->code, *news->message ? ": " : "", news->message, news->remedy);
    tell_password(d, password->subject);
    return PROV_OK;
}

/* Settled by a code of our own. */
static int
give_up(struct delivery *d, const struct store_password *password, const char *outcome,
        const char *code, const char *message, struct prov_error *err)
{
    const struct code_words *words = code_words(code);
    struct store_password_news news = { .outcome = outcome,
                                        .code = code,
                                        .message = message,
                                        .cause = words->cause,
                                        .remedy = words->remedy };

    return settle_password(d, password, &news, err);
}

/* The key is not there: nothing is lost, and others need the same key. */
static int
wait_for_key(struct delivery *d, const struct store_password *password,
             const struct prov_error *why, struct prov_error *err)
{
    const struct code_words *words = code_words(CODE_PASSWORD_KEY);
    struct store_password_news news = { .tries = password->tries,
                                        .sent_us = password->sent_us,
                                        .next_us = clock_now_us() + KEY_AGAIN_US,
                                        .outcome = "waiting",
                                        .code = CODE_PASSWORD_KEY,
                                        .message = why->text,
                                        .cause = words->cause,
                                        .remedy = words->remedy };
    int r;

    log_line(&d->log, PROV_LOG_ERROR, "'%s': password waits: %s", password->uri, why->text);
    r = put(d, password, &news, err);
    if (!r) /* if it has waited for long */
        tell_password(d, password->subject);
    return r;
}

/* Not of the password: it is kept until an admin has put right what the execution user may. */
static bool
is_about_rights(const struct sf_call *call)
{
    return call->outcome == SF_REFUSED && (call->http_status == 403 || call->http_status == 404);
}

static int
wait_for_right(struct delivery *d, const struct store_password *password,
               const struct sf_call *call, struct prov_error *err)
{
    struct store_password_news news = { .tries = password->tries,
                                        .sent_us = password->sent_us,
                                        .next_us = clock_now_us() + RIGHT_AGAIN_US,
                                        .outcome = "waiting",
                                        .code = call->code,
                                        .message = call->message,
                                        .cause = call->cause,
                                        .remedy = call->remedy };
    int r;

    log_line(&d->log, PROV_LOG_WARNING, "'%s': password waits: %s: %s; %s", password->uri,
             call->code, call->message, call->remedy);
    r = put(d, password, &news, err);
    if (!r) /* if it has waited for long */
        tell_password(d, password->subject);
    return r;
}

enum landing {
    LANDED_NOT,
    LANDED,
    LANDED_UNSEEN
};

/*
 * Whether the send that had no answer has landed: then the second is refused as a repetition. Salesforce says so in the
 * language of the execution user, so it counts as well that the password was changed since, both by Salesforce's clock.
 * Who cannot look now does not know: *call is then what the look-up met, and the password is kept.
 */
static int
find_landed(struct delivery *d, const struct store_password *password, struct sf_call *call,
            enum landing *ret)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call look = { 0 };
    const char *changed;
    char soql[100];

    *ret = LANDED_NOT;
    if (password->tries == 0 || strcmp(call->code, "INVALID_NEW_PASSWORD") != 0)
        return PROV_OK;
    if (ascii_find(call->message, "repeat")) {
        *ret = LANDED;
        return PROV_OK;
    }
    snprintf(soql, sizeof(soql), "SELECT LastPasswordChangeDate FROM User WHERE Id = '%s'",
             password->salesforce_id);
    if (sf_query(d->session, soql, SF_CAN_WAIT, &rows, &look))
        return PROV_E_NOMEM;
    if (look.outcome != SF_DELIVERED) {
        *call = look;
        *ret = LANDED_UNSEEN;
        return PROV_OK;
    }
    changed = json_get_string(json_object_array_get_idx(rows, 0), "LastPasswordChangeDate");
    if (changed && password->sent_us && clock_parse(changed) >= password->sent_us - CHANGE_SKEW_US)
        *ret = LANDED;
    return PROV_OK;
}

/* What the answer means for this one. */
static int
settle_answer(struct delivery *d, const struct store_password *password, struct sf_call *call,
              const struct store_password_news *flight, struct prov_error *err)
{
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };
    struct store_password_news news = { .tries = password->tries,
                                        .sent_us = password->sent_us,
                                        .outcome = "retry",
                                        .code = call->code,
                                        .message = call->message,
                                        .cause = call->cause,
                                        .remedy = call->remedy };
    enum landing landed = LANDED_NOT;

    if (find_landed(d, password, call, &landed))
        return error_nomem(err);
    if (call->outcome == SF_DELIVERED || landed == LANDED)
        return settle_password(d, password, &(struct store_password_news){ .outcome = "delivered" },
                               err);
    if (is_about_rights(call) || (landed == LANDED_UNSEEN && call->outcome == SF_REFUSED))
        return wait_for_right(d, password, call, err);
    if (call->outcome == SF_REFUSED) {
        news.outcome = "refused";
        return settle_password(d, password, &news, err);
    }
    if (call->outcome == SF_UNKNOWN && landed != LANDED_UNSEEN) {
        news.outcome = "unknown";
        news.tries = flight->tries;
        news.sent_us = flight->sent_us;
        news.next_us = flight->next_us;
        if (news.tries >= SENDS_MAX)
            return give_up(d, password, "refused", CODE_PASSWORD_NO_ANSWER, call->message, err);
    } else { /* nothing was done */
        news.next_us = clock_now_us() + policy_retry_after_us(&limits, 0, call->retry_after_us,
                                                              random_below(UINT64_MAX));
    }
    return put(d, password, &news, err);
}

/* What the call says about the connection. */
static int
note_call(struct delivery *d, const struct sf_call *call, struct prov_error *err)
{
    if (call->outcome == SF_UNKNOWN)
        return org_write_failed(d, call, err);
    if (call->outcome == SF_RETRY || call->outcome == SF_HOLD)
        return org_call_failed(d, call, err);
    org_call_passed(d);
    org_write_passed(d);
    return PROV_OK;
}

static int
send(struct delivery *d, const struct store_password *password, const char *text,
     struct prov_error *err)
{
    int64_t now_us = clock_now_us(), there_us = sf_session_now_us(d->session);
    const struct code_words *words = code_words(CODE_NO_ANSWER);
    struct store_password_news flight = { .tries = password->tries + 1,
                                          .sent_us = there_us ? there_us : now_us,
                                          .next_us =
                                              now_us + d->fields->settle_window_s * CLOCK_SECOND_US,
                                          .outcome = "unknown",
                                          .code = CODE_NO_ANSWER,
                                          .message =
                                              "sent, and the answer is not known; it is sent "
                                              "once more after settle_window_s",
                                          .cause = words->cause,
                                          .remedy = "nothing" };
    struct sf_call call = { .outcome = SF_UNKNOWN };
    int r = put(d, password, &flight, err);

    if (!r) /* a failure of ours is a retry, as the call says */
        (void)!sf_set_password(d->session, password->salesforce_id, text, &call);
    if (!r)
        r = settle_answer(d, password, &call, &flight, err);
    return r ? r : note_call(d, &call, err);
}

static int
run_one(struct delivery *d, const struct store_password *password, struct prov_error *err)
{
    AUTO_SECRET char *text = NULL;
    struct prov_error why = PROV_ERROR_INIT;
    int r;

    if (!password->active)
        return give_up(d, password, "dropped", CODE_PASSWORD_NOT_ACTIVE,
                       "the user has no active account", err);
    if (password->tries >= SENDS_MAX) /* killed during the second */
        return give_up(d, password, "refused", CODE_PASSWORD_NO_ANSWER,
                       "the connector was ended while Salesforce worked", err);
    r = store_password_open(d->store, password, &text, &why);
    if (r == PROV_E_INVALID)
        return give_up(d, password, "refused", CODE_PASSWORD_DAMAGED, why.text, err);
    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    if (!r &&
        event_password_is_hashed(text)) /* literally set, it would let in whoever reads the hash */
        return give_up(d, password, "refused", CODE_PASSWORD_HASHED,
                       "it has the form of a hash, as in {SSHA}... or $6$...", err);
    return r ? wait_for_key(d, password, &why, err) : send(d, password, text, err);
}

int
password_run(struct delivery *d, size_t *ret_count, struct prov_error *err)
{
    bool found = true, ready = true;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < ROUND_PASSWORDS && org_pause(d).passage == PASS_ALL; i++) {
        struct store_password password = { 0 };
        struct stop hold = { PASS_ALL, 0 };
        struct sf_call call;
        r = store_password_due(d->store, clock_now_us(), &password, &found, err);
        if (!r && found && password.active)
            r = org_ready(d, &ready, err);
        if (!r && found && ready && password.active && sf_reserve_reached(d->session, &call))
            r = quota_hold(d, err);
        if (!r)
            r = org_held(d, &hold, err);
        if (!r && found && ready && hold.passage == PASS_ALL)
            r = run_one(d, &password, err);
        store_password_done(&password);
        if (!found || !ready || hold.passage != PASS_ALL)
            break;
        ++*ret_count;
    }
    return r;
}

int
password_forget(struct delivery *d, struct prov_error *err)
{
    const struct code_words *words = code_words(CODE_PASSWORD_OFF);
    const struct store_password_news news = { .outcome = "dropped",
                                              .code = CODE_PASSWORD_OFF,
                                              .message = "passwords are not provisioned any more",
                                              .cause = words->cause,
                                              .remedy = words->remedy };
    int64_t count = 0;
    int r = store_begin(d->store, STORE_FENCED, err);

    if (r)
        return r;
    r = store_password_drop(d->store, &news, &count, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    r = store_commit(d->store, err);
    if (!r && count > 0)
        log_line(&d->log, PROV_LOG_WARNING,
                 "%lld passwords that waited are erased: the field provision_passwords is off",
                 (long long)count);
    return r;
}
