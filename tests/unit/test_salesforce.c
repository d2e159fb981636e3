/* The session: settings, one token for many threads, renewal on 401, where the token may go, who we
 * are. Each case runs against a scripted org and reads what arrived there. */
#include <pthread.h>
#include <time.h>

#include "tests/unit/salesforce_session.h"

#define THREADS 128

/* ---- settings ---- */

static int
try_settings(const char *origin, const char *endpoint, const char *version, const char *agent,
             const char *secret, struct prov_error *err)
{
    const struct sf_settings settings = { .origin = origin,
                                          .api_version = version,
                                          .token_endpoint = endpoint,
                                          .client_id = "id",
                                          .client_secret = secret,
                                          .user_agent = agent };
    struct sf_session *session = NULL;
    int result = sf_session_new(&settings, &session, err);

    sf_session_free(session);
    return result;
}

#define ACME     "https://acme.my.salesforce.com"
#define ENDPOINT ACME "/services/oauth2/token"

static void
settings_that_would_leak_the_secret_are_refused(void)
{
    static const char *const bad[][5] = {
        { "http://acme.my.salesforce.com", ENDPOINT, "v67.0", "a", "origin" },
        { ACME, "http://acme.my.salesforce.com/services/oauth2/token", "v67.0", "a",
          "token_endpoint" },
        { "http://127.0.0.1.evil.example", ENDPOINT, "v67.0", "a", "origin" },
        { "http://localhost.evil.example", ENDPOINT, "v67.0", "a", "origin" },
        { "ftp://acme.my.salesforce.com", ENDPOINT, "v67.0", "a", "origin" },
        { "file:///etc/passwd", ENDPOINT, "v67.0", "a", "origin" },
        { "https://user:pa55word@acme.my.salesforce.com", ENDPOINT, "v67.0", "a", "origin" },
        { ACME "/lightning", ENDPOINT, "v67.0", "a", "path" },
        { ACME "?x", ENDPOINT, "v67.0", "a", "path" },
        { "acme", ENDPOINT, "v67.0", "a", "origin" },
        { "", ENDPOINT, "v67.0", "a", "origin" },
        { NULL, ENDPOINT, "v67.0", "a", "origin" },
        { ACME, NULL, "v67.0", "a", "token_endpoint" },
        { ACME, ENDPOINT, "67.0", "a", "api_version" },
        { ACME, ENDPOINT, "v67.0/../..", "a", "api_version" },
        { ACME, ENDPOINT, NULL, "a", "api_version" },
        { ACME, ENDPOINT, "v67.0", "a\r\nX-Evil: 1", "user_agent" },
        { ACME, ENDPOINT, "v67.0", NULL, "user_agent" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        T_INT(try_settings(bad[i][0], bad[i][1], bad[i][2], bad[i][3], SECRET, &err),
              PROV_E_FIELDS);
        T_INT(err.code, PROV_E_FIELDS);
        T_HAS(err.text, bad[i][4]);
        T_TRUE(!strstr(err.text, SECRET) && !strstr(err.text, "pa55word"));
    }
}

static void
a_missing_secret_is_refused_and_good_settings_need_no_network(void)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_INT(try_settings(ACME, ENDPOINT, "v67.0", "sfprov/1", "", &err), PROV_E_FIELDS);
    T_HAS(err.text, "client_secret");
    T_OK(try_settings(ACME, ENDPOINT, "v67.0", "sfprov/1", SECRET, &err), &err);
    T_OK(try_settings("http://localhost:8080", "http://[::1]:8080/t", "v67.0", "a", SECRET, &err),
         &err);
    sf_session_free(NULL);
}

/* ---- the token ---- */

static void
a_token_request_is_what_salesforce_documents(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_QUERY, .status = 200, .body = NO_ROWS, .times = 3 }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_usage usage;

    for (int i = 0; i < 3; i++)
        T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(loopback_count(server), 4);
    T_HAS(loopback_request(server, 0), AT_TOKEN " HTTP/1.1\r\n");
    T_HAS(loopback_request(server, 0), "Content-Type: application/x-www-form-urlencoded\r\n");
    T_HAS(loopback_request(server, 0), "Accept: application/json\r\n");
    T_HAS(loopback_request(server, 0), "User-Agent: sfprov/test\r\n");
    T_HAS(loopback_request(server, 0),
          "\r\n\r\ngrant_type=client_credentials&client_id=3MVG9%20key%26"
          "&client_secret=cAnArY%2F%2B%26%3D%25consumer");
    T_TRUE(!strstr(loopback_request(server, 0), "Authorization"));
    T_HAS(loopback_request(server, 1), "Authorization: Bearer " TOKEN "\r\n");
    T_TRUE(!strstr(loopback_request(server, 1), "Cookie"));
    /* all over one kept connection */
    T_INT(loopback_connections(server), 1);
    sf_session_usage(session, &usage);
    T_INT(usage.token_calls, 1);
    T_INT(usage.api_calls, 3);
    end(session, server);
}

/* ---- many threads ---- */

static pthread_barrier_t barrier;

struct caller {
    struct sf_session *session;
    struct sf_call call;
};

static void *
run_query(void *context)
{
    struct caller *caller = context;
    AUTO_JSON struct json_object *rows = NULL;

    pthread_barrier_wait(&barrier);
    if (sf_query(caller->session, "SELECT Id FROM User", SF_CAN_WAIT, &rows, &caller->call) !=
        PROV_OK)
        caller->call.outcome = SF_UNKNOWN;
    return NULL;
}

/* How many of THREADS calls at the same time came out as wanted. */
static int
query_together(struct sf_session *session, enum sf_outcome wanted)
{
    static struct caller callers[THREADS];
    pthread_t threads[THREADS];
    int fit = 0;

    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){ .session = session };
        if (pthread_create(&threads[i], NULL, run_query, &callers[i]) != 0)
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        fit += callers[i].call.outcome == wanted;
    }
    pthread_barrier_destroy(&barrier);
    return fit;
}

static void
many_threads_share_one_token_request(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN,
          .status = 200,
          .body = TOKEN_REPLY(TOKEN),
          .times = 2 * THREADS,
          .delay_ms = 100 },
        { .where = "Bearer " TOKEN "\r\n", .status = 200, .body = NO_ROWS, .times = 2 * THREADS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 20000);

    T_INT(query_together(session, SF_DELIVERED), THREADS);
    T_INT(loopback_count_with(server, AT_TOKEN), 1);
    T_INT(loopback_count_with(server, AT_QUERY), THREADS);
    end(session, server);
}

/*
 * The org forgets a token that all of them hold: one renewal, each call repeated once. Half of them
 * hear of it only when the new token is there already, and must not drop that one.
 */
static void
many_threads_with_an_expired_token_renew_it_once(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .body = TOKEN_REPLY(TOKEN) },
        { .where = AT_TOKEN,
          .status = 200,
          .body = TOKEN_REPLY(TOKEN_2),
          .times = 2 * THREADS,
          .delay_ms = 50 },
        { .where = "Bearer " TOKEN "\r\n", .status = 200, .body = NO_ROWS },
        { .where = "Bearer " TOKEN "\r\n",
          .status = 401,
          .body = EXPIRED,
          .times = THREADS / 2,
          .delay_ms = 20 },
        { .where = "Bearer " TOKEN "\r\n",
          .status = 401,
          .body = EXPIRED,
          .times = 2 * THREADS,
          .delay_ms = 1000 },
        { .where = "Bearer " TOKEN_2 "\r\n", .status = 200, .body = NO_ROWS, .times = 2 * THREADS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 20000);

    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(query_together(session, SF_DELIVERED), THREADS);
    T_INT(loopback_count_with(server, AT_TOKEN), 2);
    end(session, server);
}

static void
many_threads_without_a_token_do_not_hammer_the_endpoint(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN,
          .status = 400,
          .times = 2 * THREADS,
          .delay_ms = 50,
          .header = "Retry-After: 30\r\n",
          .body = "{\"error\":\"invalid_client\",\"error_description\":\"invalid client "
                  "credentials\"}" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 20000);
    struct timespec pause = { 1, 100000000 };
    struct sf_call call;

    T_INT(query_together(session, SF_HOLD), THREADS);
    T_INT(loopback_count(server), 1);
    nanosleep(&pause, NULL); /* longer than our own pause, shorter than what the answer asks for */
    call = query_call(session);
    T_INT(call.outcome, SF_HOLD);
    T_STR(call.code, "invalid_client");
    T_STR(call.message, "invalid client credentials");
    T_HAS(call.remedy, "Consumer Secret");
    T_TRUE(call.retry_after_us > 0 && call.retry_after_us < 29 * CLOCK_SECOND_US);
    T_INT(loopback_count(server), 1);
    end(session, server);
}

static void
forgetting_the_token_asks_again_at_once_even_after_a_failure(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 400, .body = "{\"error\":\"invalid_client\"}" },
        GIVES_TOKEN,
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS, .times = 9 }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    T_INT(query_call(session).outcome, SF_HOLD);
    sf_session_forget_token(session);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    sf_session_forget_token(session);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(loopback_count_with(server, AT_TOKEN), 3);
    end(session, server);
}

static void
a_failed_token_request_is_repeated_after_a_pause(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 503, .body = "<html>maintenance</html>" },
        GIVES_TOKEN,
        { .where = AT_CREATE, .status = 200, .body = CREATED }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct timespec pause = { 1, 100000000 };
    struct sf_call call = create_call(session, NULL);

    /* the write itself was never sent: retry, not unknown */
    T_INT(call.outcome, SF_RETRY);
    T_INT(call.http_status, 503);
    nanosleep(&pause, NULL);
    T_INT(create_call(session, NULL).outcome, SF_DELIVERED);
    end(session, server);
}

/* ---- 401 ---- */

#define OTHER_ORG_REPLY                                                                            \
    "{\"access_token\":\"" TOKEN_2 "\",\"instance_url\":\"@ORIGIN@\","                             \
    "\"id\":\"https://login.salesforce.com/id/00D000000000001EAA/" RUN_AS_ID "\"}"

static void
a_write_is_not_repeated_in_another_org(void)
{
    const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = TOKEN_REPLY(TOKEN) },
        { .where = AT_CREATE, .status = 401, .body = EXPIRED },
        { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = OTHER_ORG_REPLY },
        { .where = AT_CREATE, .status = 200, .header = JSON_TYPE, .body = CREATED },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_record record;
    struct sf_call call = create_call(session, &record);

    T_INT(call.outcome, SF_RETRY);
    T_HAS(call.message, "nothing was sent there");
    T_HAS(call.message, "00D000000000001EAA");
    T_INT(loopback_count_with(server, AT_CREATE), 1);
    end(session, server);
}

static void
an_expired_token_is_renewed_and_the_write_repeated_once(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .body = TOKEN_REPLY(TOKEN) },
        { .where = "Bearer " TOKEN "\r\n", .status = 401, .body = EXPIRED },
        { .where = AT_TOKEN, .status = 200, .body = TOKEN_REPLY(TOKEN_2) },
        { .where = "Bearer " TOKEN_2 "\r\n", .status = 200, .body = CREATED }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_record record;
    struct sf_call call = create_call(session, &record);
    const char *first, *second;

    T_INT(call.outcome, SF_DELIVERED);
    T_STR(record.id, "0055g00000AbCdFAAV");
    T_INT(loopback_count(server), 4);
    first = strstr(loopback_request(server, 1), "\r\n\r\n");
    second = strstr(loopback_request(server, 3), "\r\n\r\n");
    T_STR(second, first);
    end(session, server);
}

static void
a_new_token_that_is_refused_as_well_holds(void)
{
    static const struct loopback_answer answers[] = { GIVES_TOKEN,
                                                      { .where = AT_QUERY,
                                                        .status = 401,
                                                        .header = "Retry-After: 30\r\n",
                                                        .body = EXPIRED,
                                                        .times = 2 * THREADS } };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = query_call(session);

    T_INT(call.outcome, SF_HOLD);
    T_INT(call.http_status, 401);
    T_STR(call.code, "INVALID_SESSION_ID");
    T_INT(loopback_count_with(server, AT_TOKEN), 2);
    T_INT(loopback_count_with(server, AT_QUERY), 2);
    /* the next callers do not cost a login each */
    for (int i = 0; i < 5; i++)
        T_INT(query_call(session).outcome, SF_HOLD);
    T_INT(loopback_count(server), 4);
    end(session, server);
}

static void
a_session_that_may_not_use_the_api_is_not_renewed(void)
{
    static const char *const texts[] = {
        "[{\"message\":\"This session is not valid for use with the REST API\","
        "\"errorCode\":\"INVALID_SESSION_ID\"}]",
        "[{\"message\":\"Connected app is not attached to Agent\","
        "\"errorCode\":\"INVALID_SESSION_ID\"}]",
    };

    for (size_t i = 0; i < 2; i++) {
        const struct loopback_answer answers[] = {
            GIVES_TOKEN, { .where = AT_QUERY, .status = 401, .body = texts[i], .times = 9 }
        };
        struct loopback *server = START(answers);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        T_INT(query_call(session).outcome, SF_HOLD);
        T_INT(loopback_count_with(server, AT_TOKEN), 1);
        T_INT(loopback_count_with(server, AT_QUERY), 1);
        end(session, server);
    }
}

/* A proxy, or a code we do not know: not renewed at once, but not stuck with the token either. */
static void
after_a_401_without_words_a_later_call_starts_with_a_new_token(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY, .status = 401, .body = "<html>no</html>" },
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct timespec pause = { 1, 100000000 };

    T_INT(query_call(session).outcome, SF_HOLD);
    T_INT(loopback_count(server), 2);
    nanosleep(&pause, NULL);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(loopback_count_with(server, AT_TOKEN), 2);
    end(session, server);
}

/* ---- what the token endpoint answers ---- */

static void
an_unusable_token_reply_holds_and_sends_nothing_further(void)
{
    static const struct loopback_answer replies[] = {
        { .status = 200, .body = "<html>Welcome to the guest network</html>" },
        { .status = 200, .body = "" },
        { .status = 200, .body = "{\"access_token\":\"cut off" },
        { .status = 200, .body = "[]" },
        { .status = 200, .body = "{\"access_token\":7}" },
        { .status = 200, .body = "{\"access_token\":\"\"}" },
        { .status = 200, .body = "{\"access_token\":\"a\\r\\nX-Evil: 1\"}" },
        { .status = 200, .body = "{\"access_token\":\"two words\"}" },
        { .status = 200, .body = "{\"access_token\":\"abc\",\"token_type\":\"mac\"}" },
        { .status = 204 },
        { .status = 302, .header = "Location: @ORIGIN@/elsewhere\r\n" },
        { .status = 404, .body = "<html>not here</html>" },
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct loopback *server = loopback_start(&replies[i], 1);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        struct sf_call call = create_call(session, NULL);
        T_INT(call.outcome, SF_HOLD);
        T_TRUE(call.message[0] && call.cause[0] && call.remedy[0]);
        T_INT(loopback_count(server), 1);
        end(session, server);
    }
}

static void
the_secret_and_the_token_never_reach_a_message(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN,
          .status = 400,
          .body =
              "{\"error\":\"invalid_client\",\"error_description\":\"bad secret " SECRET "\"}" },
        GIVES_TOKEN,
        { .where = AT_QUERY,
          .status = 400,
          .body = "[{\"errorCode\":\"X\",\"message\":\"your token " TOKEN " is odd\"}]" }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = query_call(session);

    T_HAS(call.message, "bad secret ***");
    T_TRUE(!strstr(call.message, SECRET));
    sf_session_forget_token(session);
    call = query_call(session);
    T_HAS(call.message, "your token ***");
    T_TRUE(!strstr(call.message, TOKEN));
    end(session, server);
}

/* Whatever the status and the spelling: also where no error is expected to stand. */
static void
the_secret_does_not_come_back_by_another_way(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN,
          .status = 302,
          .body = "{\"error\":\"" SECRET "\",\"error_description\":\"bad secret " SECRET "\"}" },
        { .where = AT_TOKEN,
          .status = 400,
          .body = "{\"error\":\"x\",\"error_description\":\"bad cAnArY\\/+&=%consumer\"}" },
        { .where = AT_TOKEN,
          .status = 200,
          .body = "{\"access_token\":\"00D!x\",\"token_type\":\"Bearer\","
                  "\"instance_url\":\"https://" SECRET ".example\"}" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct sf_call call = query_call(session);
        T_TRUE(call.outcome != SF_DELIVERED);
        T_TRUE(!strstr(call.message, SECRET) && !strstr(call.code, SECRET));
        T_HAS(call.message, "***");
        sf_session_forget_token(session);
    }
    end(session, server);
}

/* ---- instance_url ---- */

/* The call that follows a token reply with this instance_url. */
static struct sf_call
call_with_instance(const char *instance_url, size_t *ret_requests)
{
    char body[2048];
    struct loopback_answer answers[] = { { .where = AT_TOKEN, .status = 200 },
                                         { .status = 200, .body = NO_ROWS, .times = 9 } };
    struct loopback *server;
    struct sf_session *session;
    struct sf_call call;

    snprintf(body, sizeof(body), "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"%s\"}",
             instance_url);
    answers[0].body = body;
    server = START(answers);
    session = open_session(server, 2000);
    call = query_call(session);
    *ret_requests = loopback_count(server);
    end(session, server);
    return call;
}

/* For a loopback origin only that origin will do: a test org must not send its token to a real one. */
static void
the_token_of_a_loopback_org_stays_there(void)
{
    static const char *const elsewhere[] = {
        "https://acme.my.salesforce.com",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://localhost",
        "https://127.0.0.1",
        "@ORIGIN@/path",
        "@ORIGIN@?x=1",
        "@ORIGIN@@evil.example",
        "",
        "javascript:alert(1)",
    };
    size_t requests;
    struct sf_call call = call_with_instance("@ORIGIN@", &requests);

    T_INT(call.outcome, SF_DELIVERED);
    T_INT(requests, 2);
    T_INT(call_with_instance("@ORIGIN@/", &requests).outcome, SF_DELIVERED);
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        call = call_with_instance(elsewhere[i], &requests);
        if (call.outcome != SF_HOLD)
            printf("    '%s'\n", elsewhere[i]);
        T_INT(call.outcome, SF_HOLD);
        T_HAS(call.message, "instance_url");
        T_INT(requests, 1);
    }
}

/*
 * A real org: the token endpoint is scripted, the origin is not called. Whether the reply was
 * trusted shows in the outcome of asking who we are.
 */
static enum sf_outcome
trust(const char *origin, const char *instance_url)
{
    char body[2048], endpoint[128], org[SF_ID_SIZE], user[SF_ID_SIZE];
    struct loopback_answer answer = { .where = AT_TOKEN, .status = 200, .body = body };
    struct loopback *server;
    struct sf_session *session;
    struct sf_call call;

    snprintf(body, sizeof(body),
             "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"%s\",\"id\":"
             "\"https://login.salesforce.com/id/" ORG_ID "/" RUN_AS_ID "\"}",
             instance_url);
    server = loopback_start(&answer, 1);
    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(server));
    session = open_at(origin, endpoint, 2000);
    T_INT(sf_identity(session, org, user, &call), PROV_OK);
    end(session, server);
    return call.outcome;
}

static void
a_salesforce_host_may_be_sent_the_token(void)
{
    static const char *const good[] = {
        "https://acme.my.salesforce.com",
        "https://ACME.My.Salesforce.com",
        "https://acme.my.salesforce.com:443",
        "https://acme.my.salesforce.com/",
        "https://other.my.salesforce.com",
        "https://acme--uat.sandbox.my.salesforce.com",
        "https://acme-dev-ed.develop.my.salesforce.com",
        "https://na139.salesforce.com",
        "https://acme.my.salesforce.mil",
        "https://acme.my.sfcrmproducts.cn",
        "https://acme.my-salesforce.com",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (trust(ACME, good[i]) != SF_DELIVERED)
            printf("    '%s'\n", good[i]);
        T_INT(trust(ACME, good[i]), SF_DELIVERED);
    }
    T_INT(trust("https://org.example.com:8443", "https://org.example.com:8443"), SF_DELIVERED);
}

static const char *const hostile[] = {
    "http://acme.my.salesforce.com",
    "https://evilsalesforce.com",
    "https://evil-salesforce.com",
    "https://salesforce.com",
    "https://my.sfcrmproducts.cn",
    "https://evilmy.sfcrmproducts.cn",
    "https://evil.sfcrmproducts.cn",
    "https://my-salesforce.com",
    "https://xmy-salesforce.com",
    "https://acme.my.salesforce.com.evil.example",
    "https://acme.my.salesforce.com.",
    "https://acme..my.salesforce.com",
    "https://.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.example",
    "https://acme.my.salesforce.com:pw@evil.example",
    "https://user@acme.my.salesforce.com",
    "https://user:pw@acme.my.salesforce.com",
    "https://@acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com:80",
    "https://acme.my.salesforce.com:0",
    "https://acme.my.salesforce.com:99999",
    "https://acme.my.salesforce.com:443:443",
    "https://evil.example/acme.my.salesforce.com",
    "https://evil.example/.my.salesforce.com",
    "https://evil.example?.my.salesforce.com",
    "https://evil.example#.my.salesforce.com",
    "https://evil.example\\\\.my.salesforce.com",
    "https://evil.example\\\\@acme.my.salesforce.com",
    "https://evil.example%2e.my.salesforce.com",
    "https://evil.example%2f.my.salesforce.com",
    "https://evil.example%00.my.salesforce.com",
    "https://evil.example%0d%0a.my.salesforce.com",
    "https://evil.example .my.salesforce.com",
    "https://acme.my.salesforce%2ecom.evil.example",
    "https://acme.my.salesforce.com/path",
    "https://acme.my.salesforce.com/?q",
    "https://acme.my.salesforce.com?q",
    "https://acme.my.salesforce.com#f",
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://0177.0.0.1",
    "https://10.0.0.1",
    "https://169.254.169.254",
    "https://192.168.0.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:7f00:1]",
    "https://[fe80::1%25eth0]",
    "https://localhost",
    "https://s\xc4\xb1lesforce.com",
    "https://acme.my.salesf\xd0\xberce.com",
    "https://acme.my.xn--salesfrce-4uf.com",
    "https://acme\xe3\x80\x82my.salesforce.com",
    "ftp://acme.my.salesforce.com",
    "file:///etc/passwd",
    "gopher://acme.my.salesforce.com",
    "javascript:alert(1)",
    "//acme.my.salesforce.com",
    "acme.my.salesforce.com",
    "https:acme.my.salesforce.com",
    "https:///acme.my.salesforce.com",
    "https://",
    "",
    " https://acme.my.salesforce.com",
    "https://acme.my.salesforce.com ",
    "https://acme.lightning.force.com",
    "https://acme.my.site.com",
    "https://acme.salesforce-setup.com",
    "https://.salesforce.com.evil.example",
};

static void
no_other_host_is_sent_the_token(void)
{
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        enum sf_outcome got = trust(ACME, hostile[i]);
        if (got != SF_HOLD)
            printf("    '%s'\n", hostile[i]);
        T_INT(got, SF_HOLD);
    }
}

/* ---- who we are ---- */

static void
the_identity_comes_from_the_token_reply_with_18_characters(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN,
          .status = 200,
          .body = "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"@ORIGIN@\",\"id\":"
                  "\"https://test.salesforce.com/id/00D5g000008abcd/0055g00000AbCdE\"}" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    char org[SF_ID_SIZE] = "", user[SF_ID_SIZE] = "";
    struct sf_call call;

    for (int i = 0; i < 2; i++) {
        T_INT(sf_identity(session, org, user, &call), PROV_OK);
        T_INT(call.outcome, SF_DELIVERED);
        T_STR(org, ORG_ID);
        T_STR(user, RUN_AS_ID);
    }
    T_INT(loopback_count(server), 1);
    end(session, server);
}

static void
an_identity_url_that_is_none_holds(void)
{
    static const char *const urls[] = {
        "null",
        "\"\"",
        "\"/\"",
        "\"https://login.salesforce.com/id/00D5g000008abcd\"",
        "\"https://login.salesforce.com/id/0055g00000AbCdE/00D5g000008abcd\"",
        "\"https://login.salesforce.com/id/00D5g000008abcdAAA/0055g00000AbCdE\"",
        "\"https://login.salesforce.com/id/00D5g000008abcd/0055g00000AbCdE?x\"",
        "\"https://login.salesforce.com/id/00D5g000008abcdEAAEAAEAAEAA/0055g00000AbCdE\"",
        "{}",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char body[512], org[SF_ID_SIZE] = "before", user[SF_ID_SIZE] = "before";
        struct loopback_answer answer = { .where = AT_TOKEN, .status = 200, .body = body };
        struct loopback *server;
        struct sf_session *session;
        struct sf_call call;
        snprintf(body, sizeof(body),
                 "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"@ORIGIN@\",\"id\":%s}",
                 urls[i]);
        server = loopback_start(&answer, 1);
        session = open_session(server, NO_HURRY_MS);
        T_INT(sf_identity(session, org, user, &call), PROV_OK);
        T_INT(call.outcome, SF_HOLD);
        T_STR(org, "before");
        T_STR(user, "before");
        end(session, server);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(settings_that_would_leak_the_secret_are_refused),
    UNIT_CASE(a_missing_secret_is_refused_and_good_settings_need_no_network),
    UNIT_CASE(a_token_request_is_what_salesforce_documents),
    UNIT_CASE(many_threads_share_one_token_request),
    UNIT_CASE(many_threads_with_an_expired_token_renew_it_once),
    UNIT_CASE(many_threads_without_a_token_do_not_hammer_the_endpoint),
    UNIT_CASE(forgetting_the_token_asks_again_at_once_even_after_a_failure),
    UNIT_CASE(a_failed_token_request_is_repeated_after_a_pause),
    UNIT_CASE(an_expired_token_is_renewed_and_the_write_repeated_once),
    UNIT_CASE(a_new_token_that_is_refused_as_well_holds),
    UNIT_CASE(a_session_that_may_not_use_the_api_is_not_renewed),
    UNIT_CASE(a_write_is_not_repeated_in_another_org),
    UNIT_CASE(after_a_401_without_words_a_later_call_starts_with_a_new_token),
    UNIT_CASE(an_unusable_token_reply_holds_and_sends_nothing_further),
    UNIT_CASE(the_secret_and_the_token_never_reach_a_message),
    UNIT_CASE(the_secret_does_not_come_back_by_another_way),
    UNIT_CASE(the_token_of_a_loopback_org_stays_there),
    UNIT_CASE(a_salesforce_host_may_be_sent_the_token),
    UNIT_CASE(no_other_host_is_sent_the_token),
    UNIT_CASE(the_identity_comes_from_the_token_reply_with_18_characters),
    UNIT_CASE(an_identity_url_that_is_none_holds),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
