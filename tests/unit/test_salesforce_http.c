/* The transport under the session: what went out and may have arrived, limits, redirects, waiting,
 * stopping, and living in someone else's process. The org is scripted to fail in each way. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/salesforce_session.h"

#define MIB (1024u * 1024u)

static double
seconds_since(int64_t start_us)
{
    return (double)(clock_monotonic_us() - start_us) / (double)CLOCK_SECOND_US;
}

/* ---- sent or not ---- */

/* A write and a read against the same answer: unknown and retry, and why. */
static void
write_and_read(struct loopback_answer answer, const char *why)
{
    for (int write = 0; write < 2; write++) {
        struct loopback_answer answers[] = { GIVES_TOKEN, answer };
        struct loopback *server = START(answers);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        struct sf_call call = write ? create_call(session, NULL) : query_call(session);
        T_INT(call.outcome, write ? SF_UNKNOWN : SF_RETRY);
        T_HAS(call.message, why);
        T_TRUE(call.cause[0] && call.remedy[0]);
        if (write) /* libcurl itself may repeat a GET on a connection that was kept too long */
            T_INT(loopback_count_with(server, AT_CREATE), 1);
        end(session, server);
    }
}

static void
a_dropped_connection_leaves_a_write_unknown_and_repeats_a_read(void)
{
    write_and_read((struct loopback_answer){ .end = LOOPBACK_CLOSE }, "");
    write_and_read((struct loopback_answer){ .end = LOOPBACK_RESET }, "");
}

static void
half_an_answer_leaves_a_write_unknown(void)
{
    static const char *const halves[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        "HTTP/1.1 200 OK\r\nConte",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
    };

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
        write_and_read((struct loopback_answer){ .raw = halves[i], .end = LOOPBACK_CLOSE }, "");
}

static void
garbage_with_a_good_status_leaves_a_write_unknown(void)
{
    static const struct loopback_answer garbage[] = {
        { .status = 200, .body = "[{\"success\":tr" },
        { .status = 200, .body = "" },
        { .status = 200, .body = "<html><body>Down</body></html>" },
        { .status = 200, .body = "null" },
        { .status = 200, .body = "\"text\"" },
        { .status = 200, .body = "{}" },
        { .raw =
              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!" },
    };

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
        write_and_read(garbage[i], "");
}

static void
a_page_of_html_on_an_error_is_judged_by_its_status(void)
{
    struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_CREATE, .status = 502, .body = "\n <html>Bad gateway</html>" },
        { .where = AT_CREATE, .status = 503 },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = create_call(session, NULL);

    T_INT(call.outcome, SF_UNKNOWN);
    T_INT(call.http_status, 502);
    T_STR(call.code, "");
    T_STR(call.message, "HTTP 502 with a page of HTML or XML");
    call = create_call(session, NULL);
    T_INT(call.outcome, SF_UNKNOWN);
    T_STR(call.message, "HTTP 503 with an empty answer");
    end(session, server);
}

/* Nobody listens at the org: the token came from elsewhere, the write surely did not leave. */
static void
a_write_that_could_not_be_sent_is_tried_again(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .body = "{\"access_token\":\"" TOKEN "\"}" },
    };
    static const char *const nowhere[] = { "http://127.0.0.1:1", "https://127.0.0.1:1" };

    for (size_t i = 0; i < 2; i++) {
        struct loopback *server = START(answers);
        char endpoint[128];
        struct sf_session *session;
        struct sf_call call;
        snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(server));
        session = open_at(nowhere[i], endpoint, 5000);
        call = create_call(session, NULL);
        T_INT(call.outcome, SF_RETRY);
        T_INT(call.http_status, 0);
        T_HAS(call.message, "127.0.0.1 port 1");
        end(session, server);
    }
}

/* TLS to a server that speaks none: refused before a byte of the request. */
static void
without_a_good_tls_handshake_nothing_is_sent(void)
{
    static const struct loopback_answer answers[] = {
        { .raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .end = LOOPBACK_CLOSE }
    };
    struct loopback *server = START(answers);
    char origin[64], endpoint[128];
    struct sf_session *session;

    snprintf(origin, sizeof(origin), "https%s", loopback_origin(server) + strlen("http"));
    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", origin);
    session = open_at(origin, endpoint, 1000);
    T_INT(create_call(session, NULL).outcome, SF_RETRY);
    T_INT(loopback_count_with(server, "client_secret"), 0);
    end(session, server);
}

/*
 * libcurl would send the request again by itself when a kept connection dies before an answer: a
 * user would be created twice.
 */
static void
a_write_on_a_kept_connection_that_dies_is_sent_once_only(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS },
        { .where = AT_CREATE, .end = LOOPBACK_CLOSE },
        { .where = AT_CREATE, .status = 200, .body = CREATED },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call;

    T_INT(query_call(session).outcome, SF_DELIVERED);
    call = create_call(session, NULL);
    T_INT(call.outcome, SF_UNKNOWN);
    T_HAS(call.message, "closed before an answer came");
    T_INT(loopback_count_with(server, AT_CREATE), 1);
    end(session, server);
}

static void
a_connection_that_was_closed_meanwhile_is_replaced(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS, .end = LOOPBACK_CLOSE },
        { .where = AT_CREATE, .status = 200, .body = CREATED },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct timespec pause = { 0, 100000000 };

    T_INT(query_call(session).outcome, SF_DELIVERED);
    nanosleep(&pause, NULL);
    T_INT(create_call(session, NULL).outcome, SF_DELIVERED);
    T_INT(loopback_connections(server), 2);
    end(session, server);
}

/* ---- redirects ---- */

static void
a_redirect_is_not_followed_and_the_token_goes_nowhere_else(void)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    static const struct loopback_answer trap = { .status = 200, .body = CREATED, .times = 99 };

    for (size_t i = 0; i < 5; i++) {
        struct loopback *elsewhere = loopback_start(&trap, 1);
        char header[128];
        struct loopback_answer answers[] = {
            GIVES_TOKEN,
            { .where = "/services/data", .status = statuses[i], .header = header, .times = 9 },
        };
        struct loopback *server;
        struct sf_session *session;
        snprintf(header, sizeof(header), "Location: %s/services/data\r\n",
                 loopback_origin(elsewhere));
        server = START(answers);
        session = open_session(server, NO_HURRY_MS);
        T_INT(create_call(session, NULL).outcome, SF_HOLD);
        T_INT(query_call(session).outcome, SF_HOLD);
        T_INT(loopback_connections(elsewhere), 0);
        end(session, server);
        loopback_stop(elsewhere);
    }
}

/* ---- too large ---- */

/* A gzip stream of zeros: fixed Huffman codes, each match of 258 bytes takes 13 bits. */
static size_t
gzip_of_zeros(unsigned char *out, size_t zeros)
{
    static const unsigned char start[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    size_t bit = 8 * sizeof(start);

    memcpy(out, start, sizeof(start));
#define BITS(value, count)                                                                         \
    for (int b_ = (count)-1; b_ >= 0; b_--, bit++)                                                 \
    out[bit / 8] |= (unsigned char)((((unsigned)(value) >> b_) & 1u) << (bit % 8))
    BITS(1, 1);    /* last block */
    BITS(2, 2);    /* fixed codes: 01, low bit first */
    BITS(0x30, 8); /* literal 0 */
    for (size_t done = 1; done < zeros; done += 258)
        BITS(0xC5u << 5, 13); /* length 258, distance 1 */
    BITS(0, 7);               /* end of block */
#undef BITS
    return bit / 8 + 1;
}

static void
a_gzip_bomb_ends_at_the_limit_of_the_decoded_size(void)
{
    static unsigned char raw[512 * 1024];
    int head;
    size_t length;

    memset(raw, 0, sizeof(raw));
    length = gzip_of_zeros(raw + 256, 64u * MIB);
    T_TRUE(length < 500 * 1024);
    head = snprintf((char *)raw, 256,
                    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                    "X-Pad: %.*s\r\nContent-Length: %zu\r\n\r\n",
                    120,
                    "----------------------------------------------------------------------"
                    "--------------------------------------------------",
                    length);
    T_TRUE(head > 0 && head < 256);
    memmove(raw + head, raw + 256, length);
    write_and_read(
        (struct loopback_answer){ .raw = (char *)raw, .raw_length = (size_t)head + length },
        "larger than 16 MiB");
}

/* The same encoder under the limit, so that the bomb test cannot pass for a broken stream. */
static void
a_small_gzip_answer_is_unpacked(void)
{
    static unsigned char raw[4096];
    char head[128];
    struct loopback_answer answers[] = { GIVES_TOKEN, { .raw = (char *)raw } };
    struct loopback *server;
    struct sf_session *session;
    struct sf_call call;
    unsigned char zipped[256] = { 0 };
    size_t length = gzip_of_zeros(zipped, 259);
    int head_length;

    /* CRC-32 and size of 259 zero bytes */
    memcpy(zipped + length, "\x68\xfc\x76\xc2\x03\x01\x00\x00", 8);
    length += 8;
    head_length = snprintf(
        head, sizeof(head),
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", length);
    memcpy(raw, head, (size_t)head_length);
    memcpy(raw + head_length, zipped, length);
    answers[1].raw_length = (size_t)head_length + length;
    server = START(answers);
    session = open_session(server, NO_HURRY_MS);
    call = query_call(session);
    T_INT(call.outcome, SF_RETRY);
    T_HAS(call.message, "NUL byte"); /* it was unpacked, and it is not JSON */
    T_HAS(loopback_request(server, 1), "Accept-Encoding: gzip\r\n");
    end(session, server);
}

static void
an_answer_above_16_mib_is_cut_off(void)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    size_t length = strlen(head) + 17u * MIB;
    char *raw = malloc(length);

    if (!raw)
        abort();
    memset(raw, ' ', length);
    memcpy(raw, head, strlen(head));
    write_and_read(
        (struct loopback_answer){ .raw = raw, .raw_length = length, .end = LOOPBACK_CLOSE },
        "larger than 16 MiB");
    free(raw);
    write_and_read((struct loopback_answer){ .raw = "HTTP/1.1 200 OK\r\nContent-Length: "
                                                    "99999999999\r\n\r\n[",
                                             .end = LOOPBACK_CLOSE },
                   "larger than 16 MiB");
}

static void
a_flood_of_headers_is_cut_off(void)
{
    size_t lines = 4000, at;
    char *raw = malloc(lines * 100 + 100);

    if (!raw)
        abort();
    at = (size_t)sprintf(raw, "HTTP/1.1 200 OK\r\n");
    for (size_t i = 0; i < lines; i++)
        at += (size_t)sprintf(raw + at, "X-Flood-%06zu: %070d\r\n", i, 0);
    sprintf(raw + at, "Content-Length: 2\r\n\r\n[]");
    write_and_read((struct loopback_answer){ .raw = raw, .end = LOOPBACK_CLOSE },
                   "too many headers");
    free(raw);
}

/* ---- waiting ---- */

static int64_t
fixed_now(void)
{
    return INT64_C(1763809320) * CLOCK_SECOND_US; /* Sat, 22 Nov 2025 11:02:00 GMT */
}

static void
retry_after_is_read_as_seconds_and_as_a_date(void)
{
    static const struct {
        const char *header;
        int64_t want_s;
    } waits[] = {
        { "Retry-After: 7\r\n", 7 },
        { "retry-after:120 \r\n", 120 },
        { "Retry-After: Sat, 22 Nov 2025 11:03:30 GMT\r\n", 90 },
        { "Retry-After: Saturday, 22-Nov-25 11:03:30 GMT\r\n", 90 },
        { "Retry-After: Sat, 22 Nov 2025 11:00:00 GMT\r\n", 0 },
        /* a date is one of the other side's clock, where it tells what that says */
        { "Date: Sat, 22 Nov 2025 08:00:00 GMT\r\nRetry-After: Sat, 22 Nov 2025 08:00:45 GMT\r\n",
          45 },
        { "Retry-After: Sun, 23 Nov 2025 08:00:45 GMT\r\nDate: Sun, 23 Nov 2025 08:00:00 GMT\r\n",
          45 },
        { "Date: soon\r\nRetry-After: Sat, 22 Nov 2025 11:03:30 GMT\r\n", 90 },
        { "Retry-After: 99999999999999999999\r\n", 3600 },
        { "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 3600 },
        { "Retry-After: 3600\r\n", 3600 },
        { "Retry-After: 3601\r\n", 3600 },
        { "Retry-After: -5\r\n", 0 },
        { "Retry-After: soon\r\n", 0 },
        { "Retry-After:\r\n", 0 },
        { "X-Retry-After: 7\r\n", 0 },
        { "", 0 },
    };
    int64_t (*clock_before)(void) = clock_now_us;

    clock_now_us = fixed_now;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        struct loopback_answer answers[] = {
            GIVES_TOKEN, { .where = AT_CREATE, .status = 429, .header = waits[i].header }
        };
        struct loopback *server = START(answers);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        struct sf_call call = create_call(session, NULL);
        T_INT(call.outcome, SF_RETRY);
        T_INT(call.retry_after_us, waits[i].want_s * CLOCK_SECOND_US);
        end(session, server);
    }
    clock_now_us = clock_before;
}

static void
the_time_there_is_told_by_answers(void)
{
    static const char *const dates[] = { "Date: Sat, 22 Nov 2025 11:03:30 GMT\r\n",
                                         "Date: soon\r\n", "" };

    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        struct loopback_answer answers[] = {
            GIVES_TOKEN, { .where = AT_CREATE, .status = 429, .header = dates[i] }
        };
        struct loopback *server = START(answers);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        int64_t now;
        T_INT(sf_session_now_us(session), 0);
        T_INT(create_call(session, NULL).outcome, SF_RETRY);
        now = sf_session_now_us(session) / CLOCK_SECOND_US;
        if (i == 0) /* goes on from there, by no clock that anybody sets */
            T_TRUE(now >= 1763809410 && now < 1763809410 + 60);
        else
            T_INT(now, 0);
        end(session, server);
    }
}

static void
a_header_of_an_interim_answer_does_not_count(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_CREATE,
          .raw = "HTTP/1.1 103 Early Hints\r\nRetry-After: 999\r\n\r\n"
                 "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = create_call(session, NULL);

    T_INT(call.http_status, 429);
    T_INT(call.retry_after_us, 0);
    end(session, server);
}

static void
a_silent_org_hits_the_time_limit(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_CREATE, .end = LOOPBACK_HANG }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 400);
    int64_t start_us = clock_monotonic_us();
    struct sf_call call = create_call(session, NULL);

    T_INT(call.outcome, SF_UNKNOWN);
    T_HAS(call.message, "timed out");
    T_TRUE(seconds_since(start_us) >= 0.39 && seconds_since(start_us) < 20);
    end(session, server);
}

static void *
stop_soon(void *context)
{
    nanosleep(&(struct timespec){ 0, 200000000 }, NULL);
    sf_session_stop(context);
    return NULL;
}

static void
a_stop_ends_a_hanging_call_and_all_later_ones(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_CREATE, .end = LOOPBACK_HANG }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 30000);
    int64_t start_us = clock_monotonic_us();
    struct sf_call call;
    pthread_t thread;

    if (pthread_create(&thread, NULL, stop_soon, session) != 0)
        abort();
    call = create_call(session, NULL);
    T_INT(call.outcome, SF_UNKNOWN);
    T_HAS(call.message, "stopping");
    T_TRUE(seconds_since(start_us) < 20);
    pthread_join(thread, NULL);
    T_INT(create_call(session, NULL).outcome, SF_RETRY);
    T_INT(query_call(session).outcome, SF_RETRY);
    T_INT(loopback_count(server), 2);
    end(session, server);
}

static void
a_stop_also_ends_who_waits_for_a_token(void)
{
    static const struct loopback_answer answers[] = { { .where = AT_TOKEN, .end = LOOPBACK_HANG } };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 30000);
    int64_t start_us = clock_monotonic_us();
    pthread_t thread;

    if (pthread_create(&thread, NULL, stop_soon, session) != 0)
        abort();
    T_INT(create_call(session, NULL).outcome, SF_RETRY);
    T_TRUE(seconds_since(start_us) < 20);
    pthread_join(thread, NULL);
    end(session, server);
}

/* ---- in someone else's process ---- */

static volatile sig_atomic_t sigpipes;

static void
count_sigpipe(int signal_number)
{
    (void)signal_number;
    sigpipes++;
}

/* Stands in for OpenSSL, whose writes to a reset connection raise it in the middle of a call. */
static int64_t
now_with_a_sigpipe(void)
{
    pthread_kill(pthread_self(), SIGPIPE);
    return fixed_now();
}

static bool
sigpipe_is_blocked(void)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGPIPE);
}

static void
a_sigpipe_in_a_call_never_reaches_the_host(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_CREATE,
          .status = 429,
          .header = "Retry-After: Sat, 22 Nov 2025 11:03:30 GMT\r\n" },
        { .where = AT_CREATE, .end = LOOPBACK_RESET },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sigaction count = { .sa_handler = count_sigpipe }, before;
    int64_t (*clock_before)(void) = clock_now_us;
    sigset_t pending;

    sigaction(SIGPIPE, &count, &before);
    clock_now_us = now_with_a_sigpipe;
    T_INT(create_call(session, NULL).retry_after_us, 90 * CLOCK_SECOND_US);
    clock_now_us = clock_before;
    T_INT(create_call(session, NULL).outcome, SF_UNKNOWN);
    sigpending(&pending);
    T_TRUE(!sigismember(&pending, SIGPIPE));
    T_TRUE(!sigpipe_is_blocked());
    T_INT(sigpipes, 0);
    end(session, server);
    sigaction(SIGPIPE, &before, NULL);
}

/* The host blocked it and has one waiting: it is the host's. */
static void
a_sigpipe_of_the_host_is_left_to_it(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_QUERY, .status = 200, .body = NO_ROWS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct timespec at_once = { 0, 0 };
    sigset_t sigpipe, before, pending;

    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    pthread_kill(pthread_self(), SIGPIPE);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    sigpending(&pending);
    T_TRUE(sigismember(&pending, SIGPIPE));
    T_TRUE(sigpipe_is_blocked());
    sigtimedwait(&sigpipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    end(session, server);
}

static void
kept_connections_do_not_leak_into_programs_of_the_host(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_QUERY, .status = 200, .body = NO_ROWS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    unsigned port = (unsigned)strtoul(strrchr(loopback_origin(server), ':') + 1, NULL, 10);
    int found = 0;

    T_INT(query_call(session).outcome, SF_DELIVERED);
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer;
        socklen_t length = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != port)
            continue;
        found++;
        T_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    T_INT(found, 1);
    end(session, server);
}

static void
a_proxy_of_the_environment_is_not_used_for_loopback(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .where = AT_QUERY, .status = 200, .body = NO_ROWS }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    end(session, server);
}

/* Netrc and URL credentials of the user who runs the host are not ours to send. */
static void
a_netrc_file_is_not_read(void)
{
    static const struct loopback_answer answers[] = {
        { .where = "GET /services/data ", .status = 200, .body = "[]" }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    char home[] = "/tmp/sfprov-netrc-XXXXXX", path[64], *home_before = getenv("HOME");
    AUTO_FREE char *saved = home_before ? strdup(home_before) : NULL;
    AUTO_JSON struct json_object *versions = NULL;
    struct sf_call call;
    FILE *netrc;

    T_TRUE(mkdtemp(home) != NULL);
    snprintf(path, sizeof(path), "%s/.netrc", home);
    netrc = fopen(path, "w");
    if (!netrc)
        abort();
    fputs("machine 127.0.0.1 login canary password canary\n", netrc);
    fclose(netrc);
    setenv("HOME", home, 1);
    T_INT(sf_versions(session, &versions, &call), PROV_OK);
    T_INT(loopback_count(server), 1);
    T_TRUE(!strstr(loopback_request(server, 0), "Authorization"));
    if (saved)
        setenv("HOME", saved, 1);
    unlink(path);
    rmdir(home);
    end(session, server);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_dropped_connection_leaves_a_write_unknown_and_repeats_a_read),
    UNIT_CASE(half_an_answer_leaves_a_write_unknown),
    UNIT_CASE(garbage_with_a_good_status_leaves_a_write_unknown),
    UNIT_CASE(a_page_of_html_on_an_error_is_judged_by_its_status),
    UNIT_CASE(a_write_that_could_not_be_sent_is_tried_again),
    UNIT_CASE(without_a_good_tls_handshake_nothing_is_sent),
    UNIT_CASE(a_write_on_a_kept_connection_that_dies_is_sent_once_only),
    UNIT_CASE(a_connection_that_was_closed_meanwhile_is_replaced),
    UNIT_CASE(a_redirect_is_not_followed_and_the_token_goes_nowhere_else),
    UNIT_CASE(a_gzip_bomb_ends_at_the_limit_of_the_decoded_size),
    UNIT_CASE(a_small_gzip_answer_is_unpacked),
    UNIT_CASE(an_answer_above_16_mib_is_cut_off),
    UNIT_CASE(a_flood_of_headers_is_cut_off),
    UNIT_CASE(retry_after_is_read_as_seconds_and_as_a_date),
    UNIT_CASE(the_time_there_is_told_by_answers),
    UNIT_CASE(a_header_of_an_interim_answer_does_not_count),
    UNIT_CASE(a_silent_org_hits_the_time_limit),
    UNIT_CASE(a_stop_ends_a_hanging_call_and_all_later_ones),
    UNIT_CASE(a_stop_also_ends_who_waits_for_a_token),
    UNIT_CASE(a_sigpipe_in_a_call_never_reaches_the_host),
    UNIT_CASE(a_sigpipe_of_the_host_is_left_to_it),
    UNIT_CASE(kept_connections_do_not_leak_into_programs_of_the_host),
    UNIT_CASE(a_proxy_of_the_environment_is_not_used_for_loopback),
    UNIT_CASE(a_netrc_file_is_not_read),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce_http", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
