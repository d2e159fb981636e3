/* A server, or what is before it, that stalls in each phase of a request: the call ends, says where it was
 * and whether the request may have arrived. And where a request may lead at all, with a proxy between. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/salesforce_session.h"

#include "plugin/salesforce/http.h"

#define PATIENT 60000 /* ms; never waited for */
#define SHORT   300

/* ---- a name server that does not answer ---- */

static pthread_mutex_t stall_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stall_changed = PTHREAD_COND_INITIALIZER;
static bool stall_over;
static size_t stalled;

/* In the place of the C library's, for libcurl: the name "stall.example" is looked up until the test says
 * that it is over, "inside.example" leads into a private network. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, "inside.example") == 0)
        return real("10.11.12.13", service, hints, ret);
    if (!node || strcmp(node, "stall.example") != 0)
        return real(node, service, hints, ret);
    pthread_mutex_lock(&stall_lock);
    stalled++;
    pthread_cond_broadcast(&stall_changed);
    while (!stall_over)
        pthread_cond_wait(&stall_changed, &stall_lock);
    stalled--;
    pthread_cond_broadcast(&stall_changed);
    pthread_mutex_unlock(&stall_lock);
    return EAI_AGAIN;
}

static void
end_stall(void)
{
    pthread_mutex_lock(&stall_lock);
    stall_over = true;
    pthread_cond_broadcast(&stall_changed);
    while (stalled)
        pthread_cond_wait(&stall_changed, &stall_lock);
    pthread_mutex_unlock(&stall_lock);
}

/* ---- calls ---- */

struct outcome {
    struct http_answer answer;
    struct sf_trace trace;
};

static struct http *
client(int64_t connect_ms, int64_t request_ms, const char *proxy)
{
    const struct http_settings settings = { .user_agent = "test",
                                            .proxy = proxy,
                                            .connect_timeout_ms = connect_ms,
                                            .request_timeout_ms = request_ms };
    struct prov_error err = PROV_ERROR_INIT;
    struct http *http = NULL;

    T_OK(http_new(&settings, &http, &err), &err);
    return http;
}

static struct outcome
get(struct http *http, const char *url)
{
    struct outcome outcome = { .trace = { .fault = SF_FAULT_NONE } };
    const struct http_request request = {
        .method = "GET", .url = url, .bearer = "token", .trace = &outcome.trace
    };

    T_INT(http_call(http, &request, &outcome.answer), PROV_OK);
    http_answer_clear(&outcome.answer);
    return outcome;
}

/* One call by a client of its own. */
static struct outcome
get_once(const char *url, int64_t connect_ms, int64_t request_ms, const char *proxy)
{
    struct http *http = client(connect_ms, request_ms, proxy);
    struct outcome outcome = get(http, url);

    http_free(http);
    return outcome;
}

/* A listener that takes connections into its queue, and never looks at them. */
static int
mute(int backlog, int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, backlog) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    *ret_port = ntohs(address.sin_port);
    return listener;
}

static void
a_name_that_is_not_answered_ends_in_time(void)
{
    struct outcome outcome = get_once("https://stall.example/", SHORT, PATIENT, NULL);

    /* that we are here at all is the point: the name is still being looked up */
    pthread_mutex_lock(&stall_lock);
    T_INT(stalled, 1);
    pthread_mutex_unlock(&stall_lock);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_INT(outcome.trace.fault, SF_FAULT_NAME_TIMEOUT);
    end_stall();
}

static void
a_connection_that_does_not_come_ends_in_time(void)
{
    int port, listener = mute(0, &port), waiting[8];
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct outcome outcome;
    char url[64];

    for (size_t i = 0; i < 8; i++) { /* until the queue is full */
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(waiting[i], (struct sockaddr *)&address, sizeof(address));
    }
    usleep(200000);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    outcome = get_once(url, SHORT, PATIENT, NULL);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_INT(outcome.trace.fault, SF_FAULT_CONNECT_TIMEOUT);
    for (size_t i = 0; i < 8; i++)
        close(waiting[i]);
    close(listener);
}

static void
a_proxy_that_does_not_answer_ends_in_time(void)
{
    int port, listener = mute(5, &port);
    struct outcome outcome;
    char proxy[64];

    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
    outcome = get_once("https://acme.my.salesforce.com/", SHORT, PATIENT, proxy);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_INT(outcome.trace.fault, SF_FAULT_PROXY);
    close(listener);
}

static void
tls_that_is_held_back_ends_in_time(void)
{
    int port, listener = mute(5, &port);
    struct outcome outcome;
    char url[64];

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
    outcome = get_once(url, SHORT, PATIENT, NULL);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_INT(outcome.trace.fault, SF_FAULT_TLS_TIMEOUT);
    close(listener);
}

/* More than fits in what the kernel keeps between. */
static void
a_request_that_is_not_taken_ends_in_time(void)
{
    size_t length = 32u * 1024 * 1024;
    char *body = calloc(1, length), url[64];
    struct sf_trace trace = { .fault = SF_FAULT_NONE };
    struct http *http = client(PATIENT, SHORT, NULL);
    int port, listener = mute(5, &port);
    struct http_request request = { .method = "POST",
                                    .url = url,
                                    .content_type = "application/json",
                                    .body = body,
                                    .body_length = length,
                                    .trace = &trace };
    struct http_answer answer;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    T_INT(http_call(http, &request, &answer), PROV_OK);
    T_INT(answer.end, HTTP_NO_ANSWER);
    T_INT(trace.fault, SF_FAULT_ANSWER_TIMEOUT);
    http_answer_clear(&answer);
    http_free(http);
    free(body);
    close(listener);
}

static void
an_answer_that_does_not_begin_or_does_not_end_ends_in_time(void)
{
    static const struct loopback_answer answers[] = {
        { .where = "GET /silent", .end = LOOPBACK_HANG },
        { .where = "GET /half",
          .raw = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
          .end = LOOPBACK_HANG },
        { .where = "GET /drip",
          .raw = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{                              ",
          .drip_ms = 50 },
    };
    static const char *const paths[] = { "/silent", "/half", "/drip" };

    for (size_t i = 0; i < 3; i++) {
        struct loopback *server = START(answers);
        struct outcome outcome;
        char url[128];
        snprintf(url, sizeof(url), "%s%s", loopback_origin(server), paths[i]);
        outcome = get_once(url, PATIENT, SHORT, NULL);
        T_INT(outcome.answer.end, HTTP_NO_ANSWER);
        T_INT(outcome.trace.fault, SF_FAULT_ANSWER_TIMEOUT);
        loopback_stop(server);
    }
}

/* Whatever the settings allow. A call after it makes no connection. */
static void
a_deadline_ends_every_call(void)
{
    static const struct loopback_answer answers[] = {
        { .where = "GET /one", .status = 200, .body = "{}" },
        { .where = "GET /two", .end = LOOPBACK_HANG },
        { .where = "GET /three", .status = 200, .body = "{}", .times = 2 },
    };
    struct loopback *server = START(answers);
    struct http *http = client(PATIENT, PATIENT, NULL);
    struct outcome outcome;
    char url[128];

    snprintf(url, sizeof(url), "%s/one", loopback_origin(server));
    http_set_deadline(http, clock_monotonic_us() + PATIENT * INT64_C(1000));
    T_INT(get(http, url).answer.end, HTTP_ANSWERED);
    http_set_deadline(http, clock_monotonic_us() + SHORT * 1000);
    snprintf(url, sizeof(url), "%s/two", loopback_origin(server));
    T_INT(get(http, url).answer.end, HTTP_NO_ANSWER);
    http_set_deadline(http, clock_monotonic_us() - 1);
    snprintf(url, sizeof(url), "%s/three", loopback_origin(server));
    outcome = get(http, url);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_HAS(outcome.answer.why, "no time left");
    T_INT(loopback_count(server), 2);
    http_set_deadline(http, 0);
    T_INT(get(http, url).answer.end, HTTP_ANSWERED);
    http_free(http);
    loopback_stop(server);
}

/* ---- private addresses and proxies ---- */

static void
a_proxy_is_not_asked_for_a_private_address(void)
{
    static const char *const urls[] = { "https://10.0.0.1/", "https://169.254.169.254/latest",
                                        "https://[fe80::1]/", "https://[::ffff:192.168.1.1]/" };
    static const struct loopback_answer refuses = { .status = 502, .times = 99 };
    struct loopback *proxy = loopback_start(&refuses, 1);
    struct http *http = client(5000, 5000, loopback_origin(proxy));

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct outcome outcome = get(http, urls[i]);
        T_INT(outcome.answer.end, HTTP_NOT_SENT);
        T_HAS(outcome.answer.why, "private network");
    }
    T_INT(loopback_connections(proxy), 0);
    /* the proxy's own address is private, and may be */
    T_INT(get(http, "https://acme.my.salesforce.com/").trace.fault, SF_FAULT_PROXY);
    T_INT(loopback_count_with(proxy, "CONNECT acme.my.salesforce.com:443"), 1);
    http_free(http);
    loopback_stop(proxy);
}

/* The environment has a proxy, and says which hosts go round it: those are looked at like all others. */
static void
a_host_that_goes_round_the_proxy_is_looked_at(void)
{
    static const struct loopback_answer refuses = { .status = 502, .times = 99 };
    struct loopback *proxy = loopback_start(&refuses, 1);
    struct outcome outcome;

    setenv("https_proxy", loopback_origin(proxy), 1);
    outcome = get_once("https://inside.example/", 5000, 5000, NULL);
    T_INT(outcome.trace.fault, SF_FAULT_PROXY);
    T_INT(loopback_count_with(proxy, "CONNECT inside.example:443"), 1);
    setenv("no_proxy", "inside.example", 1);
    outcome = get_once("https://inside.example/", 5000, 5000, NULL);
    T_INT(outcome.answer.end, HTTP_NOT_SENT);
    T_HAS(outcome.answer.why, "private network");
    T_TRUE(!outcome.trace.proxied);
    T_INT(loopback_connections(proxy), 1);
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    loopback_stop(proxy);
}

static void
the_port_of_a_proxy_is_known(void)
{
    static const struct {
        const char *proxy;
        int port;
    } known[] = { { "http://proxy.acme.com:3128", 3128 }, { "proxy.acme.com:8080", 8080 },
                  { "http://proxy.acme.com", 1080 },      { "https://proxy.acme.com", 443 },
                  { "socks5h://127.0.0.1:9", 9 },         { "http://[::1]:3128/", 3128 } };

    T_INT(http_proxy_port(NULL), 0);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        T_INT(http_proxy_port(known[i].proxy), known[i].port);
        setenv("ALL_PROXY", known[i].proxy, 1);
        T_INT(http_proxy_port(NULL), known[i].port);
        unsetenv("ALL_PROXY");
    }
}

/* What a kept handle tells is of the call before, and not of one that never began. */
static void
a_call_that_cannot_begin_was_not_sent(void)
{
    static const struct loopback_answer answers[] = { { .status = 200, .body = "{}", .times = 9 } };
    struct loopback *server = START(answers);
    struct http_settings settings = { .user_agent = "test",
                                      .client_certificate = "/nonexistent/client.pem",
                                      .client_key = "file:/nonexistent/client.key",
                                      .connect_timeout_ms = 5000,
                                      .request_timeout_ms = 5000 };
    struct prov_error err = PROV_ERROR_INIT;
    struct http *http = NULL;
    struct outcome outcome;
    char url[128];

    T_OK(http_new(&settings, &http, &err), &err);
    snprintf(url, sizeof(url), "%s/", loopback_origin(server));
    for (size_t i = 0; i < 2; i++) {
        outcome = get(http, url);
        T_INT(outcome.answer.end, HTTP_NOT_SENT);
        T_HAS(outcome.answer.why, "client_key");
        T_INT(outcome.trace.fault, SF_FAULT_CLIENT_CERTIFICATE);
    }
    http_free(http);
    T_INT(loopback_connections(server), 0);
    loopback_stop(server);
}

/* ---- the reserve ---- */

static struct sf_session *
open_with_reserve(struct loopback **server, const struct loopback_answer *answers)
{
    char endpoint[128];
    struct sf_settings settings = { .api_version = "v67.0",
                                    .client_id = "id",
                                    .client_secret = SECRET,
                                    .user_agent = "sfprov/test",
                                    .keeps_reserve = true,
                                    .reserve_percent = 10 };
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;

    *server = loopback_start(answers, 5);
    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(*server));
    settings.origin = loopback_origin(*server);
    settings.token_endpoint = endpoint;
    T_OK(sf_session_new(&settings, &session, &err), &err);
    return session;
}

static void
check_spared(const struct sf_call *call)
{
    T_INT(call->outcome, SF_HOLD);
    T_STR(call->code, SF_RESERVE_CODE);
    T_STR(call->message, "90 of the org's 100 API calls of 24 hours are used, and 10 of them are "
                         "kept in reserve (api_reserve_percent 10)");
    T_INT(call->http_status, 0);
}

/* Every kind of call: one that forgot to ask would be made, and be seen by the server. */
static void
no_call_that_can_wait_takes_one_of_the_reserve(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY,
          .status = 200,
          .header = "Sforce-Limit-Info: api-usage=89/100\r\n",
          .body = NO_ROWS,
          .times = 1 },
        { .where = AT_QUERY,
          .status = 200,
          .header = "Sforce-Limit-Info: api-usage=90/100\r\n",
          .body = NO_ROWS,
          .times = 1000 },
        { .where = AT_CREATE,
          .status = 200,
          .header = "Sforce-Limit-Info: api-usage=20/100\r\n",
          .body = CREATED,
          .times = 1000 },
        { .where = "GET", .status = 500, .body = "{}", .times = 1000 },
    };
    AUTO_JSON struct json_object *records =
        json_tokener_parse("[{\"Username\":\"ann@acme.com\",\"LastName\":\"Ann\"}]");
    AUTO_JSON struct json_object *ignored = NULL;
    struct loopback *server;
    struct sf_session *session = open_with_reserve(&server, answers);
    struct sf_record record;
    struct sf_usage usage;
    struct sf_call call;

    T_INT(query_call(session).outcome, SF_DELIVERED); /* nothing is known before it */
    T_TRUE(!sf_reserve_reached(session, &call));
    T_INT(query_call(session).outcome, SF_DELIVERED); /* the last that is not of the reserve */
    T_TRUE(sf_reserve_reached(session, &call));
    check_spared(&call);
    call = query_call(session);
    check_spared(&call);
    call = create_call(session, NULL);
    check_spared(&call);
    T_INT(sf_set_password(session, RUN_AS_ID, "cAnArY word", &call), PROV_OK);
    check_spared(&call);
    T_INT(sf_describe(session, "User", &ignored, &call), PROV_OK);
    check_spared(&call);
    T_INT(sf_limits(session, &ignored, &call), PROV_OK);
    check_spared(&call);
    sf_session_usage(session, &usage);
    T_INT(usage.api_calls, 2);
    T_INT(send_users_as(session, false, SF_URGENT, records, &record, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    T_TRUE(!sf_reserve_reached(session, &call)); /* the number has fallen */
    T_INT(query_call(session).outcome, SF_DELIVERED);
    end(session, server);
}

/* ---- the version of the API ---- */

#define LONG_TEXT  "0123456789012345678901234567890123456789012345678901234567890123456789"
#define COUNTED    "Sforce-Limit-Info: api-usage=18/5000\r\n"
#define DEPRECATED "Warning: 299 - \"This API is deprecated.\"\r\n"

/* What each answer in turn leaves known. One that does not count the calls, a proxy's warning, one that is cut, and one
 * that has the token in it. */
static void
what_the_org_says_of_the_api_version_is_known_as_long_as_it_says_it(void)
{
    static const struct {
        const char *header, *known;
    } turns[] = {
        { COUNTED, "" },
        { COUNTED DEPRECATED, "This API is deprecated." },
        { JSON_TYPE, "This API is deprecated." },
        { COUNTED, "" },
        { COUNTED DEPRECATED "Warning: 110 proxy \"Response is stale\"\r\n",
          "This API is deprecated." },
        { COUNTED "warning: 299 - \"\x1b[31mred <b>" TOKEN "</b>\" and more\r\n",
          "[31mred **********************************" },
        { COUNTED "Warning: 110 proxy \"Response is stale\"\r\n", "" },
        { COUNTED "Warning: 299 - \"" LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT "\"\r\n", "" },
        { COUNTED "Warning: 299 \r\n", "" },
    };
    struct loopback_answer answers[1 + sizeof(turns) / sizeof(turns[0])] = { GIVES_TOKEN };
    struct sf_session *session;
    struct loopback *server;
    struct sf_usage usage;

    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
        answers[i + 1] = (struct loopback_answer){
            .where = AT_QUERY, .status = 200, .header = turns[i].header, .body = NO_ROWS, .times = 1
        };
    server = START(answers);
    session = open_session(server, NO_HURRY_MS);
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        T_INT(query_call(session).outcome, SF_DELIVERED);
        sf_session_usage(session, &usage);
        T_STR(usage.deprecation, turns[i].known);
    }
    end(session, server);
}

static const struct unit_case cases[] = {
    UNIT_CASE(what_the_org_says_of_the_api_version_is_known_as_long_as_it_says_it),
    UNIT_CASE(a_name_that_is_not_answered_ends_in_time),
    UNIT_CASE(a_connection_that_does_not_come_ends_in_time),
    UNIT_CASE(a_proxy_that_does_not_answer_ends_in_time),
    UNIT_CASE(tls_that_is_held_back_ends_in_time),
    UNIT_CASE(a_request_that_is_not_taken_ends_in_time),
    UNIT_CASE(an_answer_that_does_not_begin_or_does_not_end_ends_in_time),
    UNIT_CASE(a_deadline_ends_every_call),
    UNIT_CASE(a_proxy_is_not_asked_for_a_private_address),
    UNIT_CASE(a_host_that_goes_round_the_proxy_is_looked_at),
    UNIT_CASE(the_port_of_a_proxy_is_known),
    UNIT_CASE(a_call_that_cannot_begin_was_not_sent),
    UNIT_CASE(no_call_that_can_wait_takes_one_of_the_reserve),
};

int
main(int argc, char **argv)
{
    static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                         "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    return unit_run("salesforce_limits", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
