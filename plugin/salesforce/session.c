/*
 * The session with one org: one token for all threads, its renewal on
 * 401, and the counters. It decides when a token is asked for and when a call is repeated (once,
 * after a 401, when nothing was done); the table says what any other answer means, and delivery
 * when to come back.
 *
 * Locking: `lock` guards all that is below it in the struct, and is never held during a transfer.
 * Secrets: ours are wiped; libcurl and json-c keep short-lived copies that we cannot reach.
 * How a token is asked for, and where it may go, is oauth.c's.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugin/base/ascii.h"
#include "plugin/base/clock.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"
#include "plugin/salesforce/kept.h"
#include "plugin/salesforce/oauth.h"

#define CONNECT_TIMEOUT_MS INT64_C(10000)
#define REQUEST_TIMEOUT_MS INT64_C(120000)
#define TIMEOUT_MAX_MS     INT64_C(86400000)
#define FIRST_PAUSE_US     CLOCK_SECOND_US
#define LOCK_PAUSE_NS      50000000L
#define LONGEST_PAUSE_US   (60 * CLOCK_SECOND_US)
/* So many calls that do not reach the org's instance: less may be the network alone, and each login counts in the org. */
#define UNREACHED_MAX 3

/* A grant and who sends with it: a copy of the token for each call would cost a tenth of the call, as memory
 * for secrets is mapped. */
struct pass {
    struct grant grant; /* does not change */
    size_t holders;     /* the session's lock guards it */
};

struct sf_session {
    struct http_origin origin;
    char *origin_text, *api_version;
    struct oauth *oauth;
    struct http *http;
    struct sf_keeper keeper;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pass *pass;             /* NULL: none */
    char refused[DIGEST_HEX_SIZE]; /* digest of a token that is not to be taken again; "": none */
    bool anew;                     /* the next one is asked for, whatever is kept */
    bool fetching;                 /* one thread is at the token endpoint */
    unsigned unreached;         /* calls in a row that did not come to the instance of the pass */
    uint64_t failed_requests;   /* so that who waited sees that it failed */
    unsigned failures_in_a_row; /* since the data API last took a token */
    int64_t not_before_us;      /* monotonic; until then `failure` answers */
    struct sf_call failure;
    struct sf_usage usage;
    int64_t under_way; /* calls of the data API */
    bool keeps_reserve;
    int64_t reserve_percent;
    int64_t date_us,
        date_up_us; /* Date of the last answer that had one, and when it came, by clock_up_us() */
};

static void
pass_free(struct pass *pass)
{
    grant_clear(&pass->grant);
    free(pass);
}

/* Lock held, as in the next one. NULL is allowed. */
static void
release_pass(struct pass *pass)
{
    if (pass && --pass->holders == 0)
        pass_free(pass);
}

/* Takes over one of the pass's holders. Who sends with the one before it goes on. */
static void
set_pass(struct sf_session *session, struct pass *pass)
{
    release_pass(session->pass);
    session->pass = pass;
}

/* ---- opening and closing ---- */

/* Nothing that could end a header line or a URL early. */
static bool
is_header_text(const char *text)
{
    if (!text || !*text)
        return false;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            return false;
    }
    return true;
}

/* "v67.0" */
static bool
is_version(const char *text)
{
    size_t digits;

    if (!text || *text != 'v' || !(digits = strspn(text + 1, "0123456789")))
        return false;
    return strcmp(text + 1 + digits, ".0") == 0;
}

/* https, or http on loopback only (the simulated org). */
static int
check_origin(const char *name, const char *url, struct http_origin *ret, struct prov_error *err)
{
    if (!url || http_origin_parse(url, ret, err) != PROV_OK) {
        if (!url)
            error_set(err, PROV_E_FIELDS, "a URL is needed");
        if (err && err->code == PROV_E_NOMEM)
            return PROV_E_NOMEM;
        error_wrap(err, PROV_E_FIELDS, "%s", name);
        if (err)
            err->code = PROV_E_FIELDS;
        return PROV_E_FIELDS;
    }
    if (strcmp(ret->scheme, "https") != 0 && !ret->loopback)
        return error_set(err, PROV_E_FIELDS, "%s: 'http://%s' is not encrypted: use https", name,
                         ret->host);
    return PROV_OK;
}

static int
check_settings(const struct sf_settings *settings, struct http_origin *origin,
               struct prov_error *err)
{
    struct http_origin endpoint;
    int result = check_origin("origin", settings->origin, origin, err);

    if (result == PROV_OK)
        result = check_origin("token_endpoint", settings->token_endpoint, &endpoint, err);
    if (result != PROV_OK)
        return result;
    if (origin->has_path)
        return error_set(err, PROV_E_FIELDS,
                         "origin: '%s' must end after the host name, without a path",
                         settings->origin);
    if (!is_version(settings->api_version))
        return error_set(err, PROV_E_FIELDS, "api_version: '%s' must look like v67.0",
                         settings->api_version ? settings->api_version : "");
    if (!is_header_text(settings->user_agent))
        return error_set(err, PROV_E_FIELDS, "user_agent: printable ASCII is needed");
    return PROV_OK;
}

static int64_t
limit_or_default(int64_t value_ms, int64_t default_ms)
{
    if (value_ms <= 0)
        return default_ms;
    return value_ms < TIMEOUT_MAX_MS ? value_ms : TIMEOUT_MAX_MS;
}

static int
copy_settings(struct sf_session *session, const struct sf_settings *settings)
{
    session->origin_text = http_origin_text(&session->origin);
    session->api_version = strdup(settings->api_version);
    return session->origin_text && session->api_version ? PROV_OK : PROV_E_NOMEM;
}

int
sf_session_new(const struct sf_settings *settings, struct sf_session **ret, struct prov_error *err)
{
    const struct http_settings http = {
        .user_agent = settings->user_agent,
        .ca_file = settings->ca_file,
        .pin = settings->tls_pin,
        .client_certificate = settings->client_certificate,
        .client_key = settings->client_key,
        .proxy = settings->proxy,
        .proxy_username = settings->proxy_username,
        .proxy_password = settings->proxy_password,
        .private_hosts = settings->allowed_hosts,
        .connect_timeout_ms = limit_or_default(settings->connect_timeout_ms, CONNECT_TIMEOUT_MS),
        .request_timeout_ms = limit_or_default(settings->request_timeout_ms, REQUEST_TIMEOUT_MS)
    };
    struct sf_session *session;
    struct http_origin origin;
    int result = check_settings(settings, &origin, err);

    if (result != PROV_OK)
        return result;
    session = calloc(1, sizeof(*session));
    if (!session)
        return error_nomem(err);
    pthread_mutex_init(&session->lock, NULL);
    pthread_cond_init(&session->changed, NULL);
    session->origin = origin;
    if (settings->keeper)
        session->keeper = *settings->keeper;
    session->usage.day_used = session->usage.day_max = -1;
    session->keeps_reserve = settings->keeps_reserve;
    session->reserve_percent = settings->reserve_percent;
    result = copy_settings(session, settings);
    if (result != PROV_OK)
        error_nomem(err);
    else
        result = oauth_new(settings, &origin, &session->oauth, err);
    if (result == PROV_OK)
        result = http_new(&http, &session->http, err);
    if (result != PROV_OK) {
        sf_session_free(session);
        return result;
    }
    *ret = session;
    return PROV_OK;
}

void
sf_session_free(struct sf_session *session)
{
    if (!session)
        return;
    http_free(session->http);
    release_pass(session->pass);
    oauth_free(session->oauth);
    free(session->origin_text);
    free(session->api_version);
    pthread_cond_destroy(&session->changed);
    pthread_mutex_destroy(&session->lock);
    free(session);
}

void
sf_session_stop(struct sf_session *session)
{
    /* who waits for a token is woken by the thread that fetches it, whose transfer ends now */
    http_stop(session->http);
}

void
sf_session_set_deadline(struct sf_session *session, int64_t deadline_us)
{
    http_set_deadline(session->http, deadline_us);
}

/* ---- one token for all ---- */

/* Who asks during the pause gets the same answer. Lock held. */
static void
remember_failure(struct sf_session *session, const struct sf_call *call)
{
    unsigned doublings = session->failures_in_a_row < 6 ? session->failures_in_a_row : 6;
    int64_t pause_us = FIRST_PAUSE_US << doublings;

    if (pause_us > LONGEST_PAUSE_US)
        pause_us = LONGEST_PAUSE_US;
    if (pause_us < call->retry_after_us)
        pause_us = call->retry_after_us;
    session->failures_in_a_row++;
    session->failed_requests++;
    session->failure = *call;
    session->not_before_us = clock_monotonic_us() + pause_us;
}

static void
replay_failure(const struct sf_session *session, struct sf_call *call)
{
    int64_t rest_us = session->not_before_us - clock_monotonic_us();

    *call = session->failure;
    call->retry_after_us = rest_us > 0 ? rest_us : 0;
}

/* One process at a time is at the token endpoint. PROV_OK: it is us; PROV_E_STATE: another one still was when
 * the time was over; else there is no locking here. */
static int
lock_endpoint(const struct sf_session *session)
{
    const struct sf_keeper *keeper = &session->keeper;
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
    int locked = PROV_E_STORE;

    while (keeper->lock && (locked = keeper->lock(keeper->context)) == PROV_E_STATE &&
           !http_stopped(session->http) && !http_time_is_over(session->http))
        nanosleep(&pause, NULL);
    return locked;
}

static void
unlock_endpoint(const struct sf_session *session, int locked)
{
    if (locked == PROV_OK)
        session->keeper.unlock(session->keeper.context);
}

static void
tell_waited(struct sf_call *call)
{
    answer_tell(call, SF_RETRY,
                "Another process asks Salesforce for a token, and has no answer yet.",
                "It is tried again. If it lasts, see what that process says.",
                "another process is logging in with the same store, and was waited for");
}

/*
 * From another process if it has one that was not refused yet, else from Salesforce. While another one is
 * asking its answer is waited for. Lock not held.
 */
static int
obtain_grant(struct sf_session *session, bool anew, const char *refused, struct grant *grant,
             struct sf_call *call)
{
    const struct sf_keeper *keeper = &session->keeper;
    int locked = lock_endpoint(session), result;

    if (locked == PROV_E_STATE) {
        tell_waited(call);
        return PROV_OK;
    }
    result = anew ? PROV_OK : kept_read(session->oauth, keeper, refused, grant);
    if (result == PROV_OK && grant->token) {
        *call = (struct sf_call){ .outcome = SF_DELIVERED, .cause = "", .remedy = "" };
    } else if (result == PROV_OK) {
        result = oauth_request(session->oauth, session->http, grant, call);
        if (result == PROV_OK && call->outcome == SF_DELIVERED)
            kept_write(session->oauth, keeper, grant);
    }
    unlock_endpoint(session, locked);
    return result;
}

/* Lock held, given up during the request. */
static int
fetch_grant(struct sf_session *session, struct sf_call *call)
{
    char refused[DIGEST_HEX_SIZE];
    bool anew = session->anew;
    struct pass *pass = calloc(1, sizeof(*pass));
    int result;

    if (!pass)
        return PROV_E_NOMEM;
    session->fetching = true;
    memcpy(refused, session->refused, sizeof(refused));
    pthread_mutex_unlock(&session->lock);
    result = obtain_grant(session, anew, refused, &pass->grant, call);
    pthread_mutex_lock(&session->lock);
    session->fetching = false;
    if (result == PROV_OK && call->outcome == SF_DELIVERED) {
        pass->holders = 1;
        set_pass(session, pass);
        session->anew = false;
        pass = NULL;
    } else if (result == PROV_OK) {
        remember_failure(session, call);
    }
    if (pass)
        pass_free(pass);
    pthread_cond_broadcast(&session->changed);
    return result;
}

/* With SF_DELIVERED session->pass is set. Lock held. */
static int
ensure_grant(struct sf_session *session, struct sf_call *call)
{
    uint64_t failed_before = session->failed_requests;

    while (!session->pass) {
        if (session->failed_requests != failed_before ||
            clock_monotonic_us() < session->not_before_us) {
            replay_failure(session, call);
            return PROV_OK;
        }
        if (!session->fetching)
            return fetch_grant(session, call);
        pthread_cond_wait(&session->changed, &session->lock);
    }
    *call = (struct sf_call){ .outcome = SF_DELIVERED, .cause = "", .remedy = "" };
    return PROV_OK;
}

/* *ret, with SF_DELIVERED, is for give_pass(). */
static int
take_pass(struct sf_session *session, struct pass **ret, struct sf_call *call)
{
    int result;

    pthread_mutex_lock(&session->lock);
    result = ensure_grant(session, call);
    if (result == PROV_OK && call->outcome == SF_DELIVERED) {
        session->pass->holders++;
        *ret = session->pass;
    }
    pthread_mutex_unlock(&session->lock);
    return result;
}

static void
give_pass(struct sf_session *session, struct pass *pass)
{
    pthread_mutex_lock(&session->lock);
    release_pass(pass);
    pthread_mutex_unlock(&session->lock);
}

/* Nor is its token taken again from where others keep theirs. Lock held. */
static void
refuse_pass(struct sf_session *session)
{
    const char *token = session->pass->grant.token;

    session->anew = digest_hex(token, strlen(token), session->refused) != PROV_OK;
    session->unreached = 0;
    set_pass(session, NULL);
}

/* Many may come with the same refused token; the first one drops it. */
static void
drop_pass(struct sf_session *session, const struct pass *pass, const struct sf_call *failure)
{
    pthread_mutex_lock(&session->lock);
    if (session->pass == pass) {
        refuse_pass(session);
        if (failure)
            remember_failure(session, failure);
    }
    pthread_mutex_unlock(&session->lock);
}

/* The reply that brought a token says where the org is, and nothing else does. An org that was moved, or got another
 * name, is found by the next login. (One that answers, if only by pointing elsewhere, is a hold, whose probe logs in.) */
static void
weigh_place(struct sf_session *session, const struct pass *pass, const struct http_answer *answer)
{
    pthread_mutex_lock(&session->lock);
    if (session->pass == pass)
        session->unreached = answer->unreached ? session->unreached + 1 : 0;
    if (session->unreached >= UNREACHED_MAX)
        refuse_pass(session); /* which counts anew */
    pthread_mutex_unlock(&session->lock);
}

void
sf_session_forget_token(struct sf_session *session)
{
    pthread_mutex_lock(&session->lock);
    if (session->pass)
        refuse_pass(session);
    session->usage.day_used = session->usage.day_max = -1;
    session->not_before_us = 0;
    session->failures_in_a_row = 0;
    pthread_mutex_unlock(&session->lock);
}

void
sf_session_login_anew(struct sf_session *session)
{
    sf_session_forget_token(session);
    pthread_mutex_lock(&session->lock);
    session->anew = true;
    pthread_mutex_unlock(&session->lock);
}

/* ---- the reserve ---- */

int64_t
sf_reserve_of(int64_t day_max, int64_t percent)
{
    return day_max / 100 * percent + (day_max % 100 * percent + 99) / 100;
}

int64_t
sf_reserve_left(int64_t day_used, int64_t day_max, int64_t percent)
{
    int64_t left = day_max - sf_reserve_of(day_max, percent) - day_used;

    return left > 0 ? left : 0;
}

/* Those under way count as if they were told. Lock held. */
static bool
reaches_reserve(const struct sf_session *session)
{
    const struct sf_usage *usage = &session->usage;

    return session->keeps_reserve && usage->day_max > 0 &&
           sf_reserve_left(usage->day_used + session->under_way, usage->day_max,
                           session->reserve_percent) == 0;
}

/* Lock held. */
static void
tell_reserve(const struct sf_session *session, struct sf_call *call)
{
    const struct sf_usage *usage = &session->usage;

    answer_tell(call, SF_HOLD, SF_RESERVE_CAUSE, SF_RESERVE_REMEDY,
                "%lld of the org's %lld API calls of 24 hours are used, and %lld of them are kept "
                "in reserve (api_reserve_percent %lld)",
                (long long)usage->day_used, (long long)usage->day_max,
                (long long)sf_reserve_of(usage->day_max, session->reserve_percent),
                (long long)session->reserve_percent);
    snprintf(call->code, sizeof(call->code), "%s", SF_RESERVE_CODE);
}

bool
sf_reserve_reached(struct sf_session *session, struct sf_call *ret_call)
{
    bool reached;

    *ret_call = (struct sf_call){ .outcome = SF_HOLD };
    pthread_mutex_lock(&session->lock);
    reached = reaches_reserve(session);
    tell_reserve(session, ret_call);
    pthread_mutex_unlock(&session->lock);
    return reached;
}

/* Whether the call is made: then end_call() is to follow. */
static bool
begin_call(struct sf_session *session, const struct session_request *request, struct sf_call *call)
{
    bool goes;

    pthread_mutex_lock(&session->lock);
    goes = request->urgency == SF_URGENT || !reaches_reserve(session);
    if (goes)
        session->under_way++;
    else
        tell_reserve(session, call);
    pthread_mutex_unlock(&session->lock);
    return goes;
}

static void
end_call(struct sf_session *session)
{
    pthread_mutex_lock(&session->lock);
    session->under_way--;
    pthread_mutex_unlock(&session->lock);
}

/* ---- calls ---- */

static void
count_call(struct sf_session *session, const struct session_request *request,
           const struct http_answer *answer)
{
    if (answer->end == HTTP_NOT_SENT)
        return;
    pthread_mutex_lock(&session->lock);
    session->usage.api_calls++;
    if (answer->end == HTTP_ANSWERED && answer->status != 401 && !request->anonymous)
        session->failures_in_a_row = 0; /* the token works */
    if (answer_usage(answer->limit_info, &session->usage.day_used, &session->usage.day_max)) {
        session->usage.day_at_us = clock_now_us();
        /* by whom the calls are counted, and not a gateway, say: what it does not say is not so */
        answer_deprecation(answer->warning, session->usage.deprecation,
                           sizeof(session->usage.deprecation));
    }
    if (answer->date_us) {
        session->date_us = answer->date_us;
        session->date_up_us = clock_up_us();
    }
    pthread_mutex_unlock(&session->lock);
}

/* Whole, and of plain characters, or not at all: a piece of a token that comes back would be neither. */
static void
take_request_id(const struct http_answer *answer, struct sf_call *call)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *id = answer->request_id;
    size_t length = strlen(id);

    if (length + 1 < sizeof(answer->request_id) && strspn(id, plain) == length)
        snprintf(call->request_id, sizeof(call->request_id), "%s", id);
}

/* One transfer. token NULL: none is sent. */
static int
transfer(struct sf_session *session, const struct session_request *request, const char *base,
         const char *token, struct http_answer *answer, struct sf_call *call)
{
    AUTO_FREE char *url = NULL;
    struct http_request http_request = { .method = request->method,
                                         .bearer = token,
                                         .content_type = "application/json; charset=UTF-8",
                                         .body = request->body,
                                         .body_length = request->body_length,
                                         .body_secret = request->body_secret,
                                         .trace = request->trace };
    int64_t began_us;
    int result;

    if (asprintf(&url, "%s%s", base, request->path) < 0) {
        url = NULL;
        return PROV_E_NOMEM;
    }
    http_request.url = url;
    began_us = clock_monotonic_us();
    result = http_call(session->http, &http_request, answer);
    if (result != PROV_OK)
        return result;
    if (answer->warning[0])
        answer_redact(answer->warning, token);
    count_call(session, request, answer);
    if (!answer_is_success(answer))
        answer_redact(answer->body, token);
    answer_judge(answer, SF_LEVEL_CALL, request->write, call);
    answer_redact(call->message, token);
    call->took_us = clock_monotonic_us() - began_us;
    take_request_id(answer, call);
    return PROV_OK;
}

/*
 * A new token helps against an expired session only. The other two texts of this code are about
 * permissions: asking anew for them would loop (fact sheet 6.2).
 */
static bool
is_expired(const struct sf_call *call)
{
    return call->http_status == 401 && strcmp(call->code, "INVALID_SESSION_ID") == 0 &&
           !ascii_find(call->message, "not valid for use with the REST API") &&
           !ascii_find(call->message, "not attached to Agent");
}

/* A write meant for one org must not be repeated in another, when the address or the client was
 * changed while the old token lived. */
static bool
leads_elsewhere(const char *org_before, const char *org_id, struct sf_call *call)
{
    if (!*org_before || strcmp(org_before, org_id) == 0)
        return false;
    answer_tell(call, SF_RETRY, "The renewed token is for another org than the one before it.",
                "Check 'domain_name', 'token_endpoint' and the client: they lead to another org.",
                "the token for org %s was renewed as one for org %s; nothing was sent there",
                org_before, *org_id ? org_id : "unknown");
    return true;
}

/*
 * A 401 did nothing in the org, so repeating a write is safe. A token that is refused again, or
 * for another reason, goes too, behind the same pause as a failed request: a later probe then
 * starts with a new one, without a login for each call.
 */
static int
call_with_token(struct sf_session *session, const struct session_request *request,
                struct http_answer *answer, struct sf_call *call)
{
    char org_before[SF_ID_SIZE] = "";
    bool again;

    for (int attempt = 0;; attempt++) {
        struct pass *pass = NULL;
        int result = take_pass(session, &pass, call);
        if (result != PROV_OK || call->outcome != SF_DELIVERED)
            return result;
        again = false;
        if (!leads_elsewhere(org_before, pass->grant.org_id, call)) {
            memcpy(org_before, pass->grant.org_id, sizeof(org_before));
            result =
                transfer(session, request, pass->grant.instance, pass->grant.token, answer, call);
            if (result == PROV_OK && call->http_status == 401) {
                again = attempt == 0 && is_expired(call);
                drop_pass(session, pass, again ? NULL : call);
            } else if (result == PROV_OK) {
                weigh_place(session, pass, answer);
            }
        }
        give_pass(session, pass);
        if (!again)
            return result;
        http_answer_clear(answer);
    }
}

int
session_call(struct sf_session *session, const struct session_request *request,
             struct http_answer *ret_answer, struct sf_call *call)
{
    struct http_answer answer = { .end = HTTP_NOT_SENT };
    int result = PROV_OK;

    *call = (struct sf_call){ .outcome = SF_RETRY, .cause = "", .remedy = "" };
    if (request->anonymous) {
        result = transfer(session, request, session->origin_text, NULL, &answer, call);
    } else if (begin_call(session, request, call)) {
        result = call_with_token(session, request, &answer, call);
        end_call(session);
    }
    if (result != PROV_OK)
        answer_out_of_memory(call);
    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        http_answer_clear(&answer);
    *ret_answer = answer;
    return result;
}

const char *
session_api_version(const struct sf_session *session)
{
    return session->api_version;
}

int
sf_identity(struct sf_session *session, char org_id[SF_ID_SIZE], char user_id[SF_ID_SIZE],
            struct sf_call *call)
{
    int result;

    *call = (struct sf_call){ .outcome = SF_RETRY, .cause = "", .remedy = "" };
    pthread_mutex_lock(&session->lock);
    result = ensure_grant(session, call);
    if (result != PROV_OK) {
        answer_out_of_memory(call);
    } else if (call->outcome == SF_DELIVERED) {
        if (session->pass->grant.org_id[0]) {
            memcpy(org_id, session->pass->grant.org_id, SF_ID_SIZE);
            memcpy(user_id, session->pass->grant.user_id, SF_ID_SIZE);
        } else {
            answer_tell(call, SF_HOLD, "The token reply does not say which org it is for.",
                        "Check that 'token_endpoint' is the org's own, and that no proxy answers.",
                        "the token reply holds no identity URL with an org and a user id");
        }
    }
    pthread_mutex_unlock(&session->lock);
    return result;
}

void
sf_session_usage(struct sf_session *session, struct sf_usage *ret)
{
    pthread_mutex_lock(&session->lock);
    *ret = session->usage;
    pthread_mutex_unlock(&session->lock);
    ret->token_calls = oauth_requests(session->oauth);
}

int64_t
sf_session_now_us(struct sf_session *session)
{
    int64_t now = 0;

    pthread_mutex_lock(&session->lock);
    if (session->date_us)
        now = session->date_us + clock_up_us() - session->date_up_us;
    pthread_mutex_unlock(&session->lock);
    return now;
}

void
sf_session_login(struct sf_session *session, struct sf_login *ret)
{
    oauth_login(session->oauth, ret);
}

int
sf_login_url(struct sf_session *session, const struct sf_approval *approval, char **ret,
             struct prov_error *err)
{
    return oauth_authorize_url(session->oauth, approval, ret, err);
}

int
sf_login_code(struct sf_session *session, const struct sf_approval *approval, const char *code,
              char org_id[SF_ID_SIZE], char user_id[SF_ID_SIZE], struct sf_call *call)
{
    struct grant grant = { .token = NULL };
    int locked = lock_endpoint(session), result;

    if (locked == PROV_E_STATE) {
        tell_waited(call);
        return PROV_OK;
    }
    result = oauth_exchange(session->oauth, session->http, approval, code, &grant, call);
    if (result == PROV_OK && call->outcome == SF_DELIVERED) {
        memcpy(org_id, grant.org_id, SF_ID_SIZE);
        memcpy(user_id, grant.user_id, SF_ID_SIZE);
        kept_write(session->oauth, &session->keeper, &grant);
    } else if (result != PROV_OK) {
        answer_out_of_memory(call);
    }
    unlock_endpoint(session, locked);
    grant_clear(&grant);
    return result;
}
