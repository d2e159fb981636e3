/* Answers by who means harm, or is broken in a way that looks like it: none of them may crash or
 * hang a call, pass for "delivered", eat the memory of the host, or move the token elsewhere. What is
 * odd about an honest answer stands in the other tests of this room. */
#include <zlib.h>

#include "plugin/base/secret_ref.h"
#include "tests/unit/salesforce_session.h"

#define MIB         (1024u * 1024u)
#define ID_F        "0055g00000AbCdFAAV"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* An answer as it is, text and length; heap. */
struct raw {
    char *data;
    size_t length;
};

/* body NULL: room for it. */
static struct raw
raw_of(const char *head, const char *body, size_t length)
{
    struct raw raw = { .length = strlen(head) + length };

    raw.data = malloc(raw.length + 1);
    if (!raw.data)
        abort();
    memcpy(raw.data, head, strlen(head));
    if (body)
        memcpy(raw.data + strlen(head), body, length);
    raw.data[raw.length] = '\0';
    return raw;
}

/* What a create comes to, and a read, when the org answers so. Closed after it, so that an answer
 * without a length has an end. */
static struct sf_call
create_answered(const char *raw, size_t length)
{
    const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .raw = raw, .raw_length = length, .end = LOOPBACK_CLOSE }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = create_call(session, NULL);

    T_INT(loopback_count_with(server, AT_CREATE), 1);
    end(session, server);
    return call;
}

static struct sf_call
query_answered(const char *raw, size_t length)
{
    const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .raw = raw, .raw_length = length, .end = LOOPBACK_CLOSE, .times = 9 }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    struct sf_call call = query_call(session);

    end(session, server);
    return call;
}

static void
is_doubted(const char *raw, size_t length)
{
    struct sf_call written = create_answered(raw, length), read = query_answered(raw, length);

    T_INT(written.outcome, SF_UNKNOWN);
    T_TRUE(written.message[0] && written.cause[0] && written.remedy[0]);
    T_INT(read.outcome, SF_RETRY);
    T_TRUE(read.message[0] && read.cause[0] && read.remedy[0]);
}

/* ---- HTTP ---- */

#define OK_HEAD   "HTTP/1.1 200 OK\r\n" JSON_TYPE
#define LENGTH_56 "Content-Length: 56\r\n"

static void
http_that_is_none_is_doubted(void)
{
    static const char *const odd[] = {
        CREATED, /* HTTP/0.9 */
        "\r\n\r\n" CREATED,
        "HTTP/9.9 200 OK\r\n\r\n" CREATED,
        "HTTP/1.1 20 OK\r\n\r\n" CREATED,
        "HTTP/1.1 abc OK\r\n\r\n" CREATED,
        "ICY 200 OK\r\n\r\n" CREATED,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" CREATED,
        OK_HEAD "Content-Length: 5\r\n\r\n" CREATED,
        OK_HEAD "Content-Length: 1000\r\n\r\n" CREATED,
        OK_HEAD "Content-Length: -58\r\n\r\n" CREATED,
        OK_HEAD "Content-Length: 99999999999999999999999\r\n\r\n" CREATED,
        OK_HEAD "Content-Length: 0\r\n\r\n" CREATED,
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n" CREATED,
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3a\r\n" CREATED,
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" CREATED,
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n" CREATED,
        OK_HEAD "Content-Encoding: gzip\r\n\r\n" CREATED,
        OK_HEAD "Content-Encoding: secret\r\n\r\n" CREATED,
        OK_HEAD "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n\r\n" CREATED,
    };

    for (size_t i = 0; i < COUNT(odd); i++)
        is_doubted(odd[i], 0);
}

/* A status that Collections does not answer with says nothing, whatever stands behind it. */
static void
another_good_status_with_a_good_body_is_doubted(void)
{
    static const char *const odd[] = {
        "HTTP/1.1 201 Created\r\n\r\n" CREATED,
        "HTTP/1.1 204 No Content\r\n\r\n" CREATED,
        "HTTP/1.1 204 No Content\r\nContent-Length: 56\r\n\r\n" CREATED,
        "HTTP/1.1 205 Reset Content\r\n\r\n" CREATED,
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-57/90\r\n\r\n" CREATED,
        "HTTP/1.1 299 Fine\r\n\r\n" CREATED,
        "HTTP/1.1 304 Not Modified\r\n\r\n" CREATED,
        "HTTP/1.1 600 What\r\n\r\n" CREATED,
        "HTTP/1.1 999 What\r\n\r\n" CREATED,
    };

    for (size_t i = 0; i < COUNT(odd); i++)
        T_TRUE(create_answered(odd[i], 0).outcome != SF_DELIVERED);
}

/* An interim answer is free, so a flood of them would never end. */
static void
a_flood_of_interim_answers_is_cut_off(void)
{
    static const char interim[] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    size_t count = 20000, size = strlen(interim);
    struct raw flood = raw_of("", NULL, count * size);

    for (size_t i = 0; i < count; i++)
        memcpy(flood.data + i * size, interim, size);
    T_HAS(create_answered(flood.data, flood.length).message, "too many headers");
    is_doubted(flood.data, flood.length);
    free(flood.data);
}

static void
a_header_line_without_end_is_cut_off(void)
{
    struct raw line = raw_of("HTTP/1.1 200 OK\r\nX-Long: ", NULL, 2 * MIB);

    memset(strchr(line.data, ':') + 2, 'x', 2 * MIB);
    is_doubted(line.data, line.length);
    free(line.data);
}

/* The stub was read and answered long ago; what else came with it must not answer the next call. */
static void
an_answer_that_nobody_asked_for_answers_nothing(void)
{
    static const char twice[] =
        OK_HEAD "Content-Length: 40\r\n\r\n" NO_ROWS OK_HEAD LENGTH_56 "\r\n" CREATED;
    const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY, .raw = twice },
        { .where = AT_CREATE, .status = 503, .body = "" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(create_call(session, NULL).outcome, SF_UNKNOWN);
    T_INT(loopback_count_with(server, AT_CREATE), 1);
    end(session, server);
}

static void
a_body_that_drips_hits_the_time_limit(void)
{
    const struct loopback_answer answers[] = {
        GIVES_TOKEN, { .raw = OK_HEAD LENGTH_56 "\r\n" CREATED, .drip_ms = 50, .times = 2 }
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, 400);
    struct sf_call call = create_call(session, NULL);

    T_INT(call.outcome, SF_UNKNOWN);
    T_HAS(call.message, "timed out");
    T_INT(query_call(session).outcome, SF_RETRY);
    end(session, server);
}

static void
cookies_and_other_wishes_of_the_org_are_not_kept(void)
{
    const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY,
          .status = 200,
          .header = "Set-Cookie: track=me; Path=/\r\nAlt-Svc: h2=\"127.0.0.1:1\"\r\n"
                    "Refresh: 0; url=http://127.0.0.1:1/\r\nWWW-Authenticate: Basic\r\n",
          .body = NO_ROWS,
          .times = 2 },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_INT(loopback_count_with(server, AT_QUERY), 2);
    T_INT(loopback_count_with(server, "track"), 0);
    T_INT(loopback_count_with(server, "Authorization: Basic"), 0);
    end(session, server);
}

/* Secret and token go to the address that was configured, and to no other that an answer names. */
static void
no_redirect_moves_the_secret_or_the_token(void)
{
    static const int statuses[] = { 300, 301, 302, 303, 307, 308 };
    static const struct loopback_answer takes_all[] = {
        { .status = 200, .body = TOKEN_REPLY(TOKEN), .times = 99 }
    };

    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct loopback *elsewhere = START(takes_all);
        char location[128];
        struct loopback_answer answers[] = {
            { .where = AT_TOKEN, .status = statuses[i], .header = location },
            GIVES_TOKEN,
            { .status = statuses[i], .header = location, .times = 9 }
        };
        struct loopback *server;
        struct sf_session *session;
        snprintf(location, sizeof(location), "Location: %s/\r\n", loopback_origin(elsewhere));
        server = START(answers);
        session = open_session(server, NO_HURRY_MS);
        T_INT(query_call(session).outcome, SF_HOLD);
        sf_session_forget_token(session);
        T_TRUE(query_call(session).outcome != SF_DELIVERED);
        T_TRUE(create_call(session, NULL).outcome != SF_DELIVERED);
        T_INT(loopback_connections(elsewhere), 0);
        end(session, server);
        loopback_stop(elsewhere);
    }
}

/* ---- compression ---- */

/* A gzip member of this; *ret is heap. */
static size_t
gzip(const void *bytes, size_t length, char **ret)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length };
    size_t room;

    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    room = deflateBound(&stream, (uLong)length);
    if (!(*ret = malloc(room)))
        abort();
    stream.next_out = (Bytef *)*ret;
    stream.avail_out = (uInt)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    room = stream.total_out;
    deflateEnd(&stream);
    return room;
}

static void
a_bomb_in_a_bomb_ends_at_the_limit(void)
{
    size_t size = 64u * MIB, once, twice;
    char *zeros = calloc(1, size), *inner, *outer;
    struct raw bomb;

    if (!zeros)
        abort();
    once = gzip(zeros, size, &inner);
    twice = gzip(inner, once, &outer);
    T_TRUE(twice < 2048);
    bomb = raw_of(OK_HEAD "Content-Encoding: gzip, gzip\r\n\r\n", outer, twice);
    T_HAS(create_answered(bomb.data, bomb.length).message, "larger than 16 MiB");
    is_doubted(bomb.data, bomb.length);
    free(bomb.data);
    free(outer);
    free(inner);
    free(zeros);
}

/* Cut off is more than what ends the stream: the JSON itself. */
static void
half_a_gzip_body_is_doubted(void)
{
    char *packed;
    size_t length = gzip(CREATED, strlen(CREATED), &packed);

    for (size_t cut = 16; cut < length; cut += 7) {
        struct raw raw = raw_of(OK_HEAD "Content-Encoding: gzip\r\n\r\n", packed, length - cut);
        T_INT(create_answered(raw.data, raw.length).outcome, SF_UNKNOWN);
        free(raw.data);
    }
    free(packed);
}

/* ---- JSON ---- */

/* A few bytes of JSON are a kilobyte in memory. */
static void
json_that_would_fill_the_memory_is_doubted(void)
{
    static const char *const seeds[] = { "{},", "[],", "1,", "\"\"," };

    for (size_t i = 0; i < COUNT(seeds); i++) {
        size_t seed = strlen(seeds[i]), count = 12u * MIB / seed;
        struct raw raw = raw_of(OK_HEAD "\r\n[", NULL, count * seed + 2);
        char *at = raw.data + strlen(OK_HEAD "\r\n[");
        for (size_t n = 0; n < count; n++, at += seed)
            memcpy(at, seeds[i], seed);
        memcpy(at, "1]", 2);
        T_HAS(create_answered(raw.data, raw.length).message, "too many values");
        T_HAS(query_answered(raw.data, raw.length).message, "too many values");
        free(raw.data);
    }
}

static void
bodies_that_are_no_json_are_doubted(void)
{
    static const struct {
        const char *body;
        size_t length;
    } bodies[] = {
#define BODY(text) { text, sizeof(text) - 1 }
        BODY("\xEF\xBB\xBF" CREATED),
        BODY(CREATED "\0"),
        BODY("\0" CREATED),
        BODY(CREATED CREATED),
        BODY("[{'id':'" ID_F "','success':true}]"),
        BODY("[{id:\"" ID_F "\",success:true}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":True}]"),
        BODY("/* */" CREATED),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,\"n\":NaN}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,\"n\":\"\xC0\xAF\"}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,\"n\":\"\xED\xA0\x80\"}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,\"n\":\"\n\"}]"),
        BODY("[{\"id\":\"" ID_F "\\u0000x\",\"success\":true}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true,\"n\":\"\\u0000\"}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\\u0000\":false,\"success\":true}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":false,\"success\":true}]"),
        BODY("[{\"id\":\"" ID_F "\",\"success\":true"),
        BODY("\xFF\xFE[\0]\0"),
#undef BODY
    };

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct raw raw = raw_of(OK_HEAD "\r\n", bodies[i].body, bodies[i].length);
        is_doubted(raw.data, raw.length);
        free(raw.data);
    }
}

/* Each member of a result as each type it does not have. */
static void
results_of_a_wrong_type_are_doubted(void)
{
    static const char *const values[] = { "null",  "true", "false", "7",     "-1.5e300",  "\"\"",
                                          "\"x\"", "[]",   "{}",    "[[7]]", "{\"id\":1}" };
    static const struct {
        const char *before, *after, *right;
    } members[] = {
        { "[{\"id\":", ",\"success\":true,\"errors\":[]}]", "" },
        { "[{\"id\":\"" ID_F "\",\"success\":", ",\"errors\":[]}]", "true" },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":", "}]", "[] null" },
        { "[", "]", "" },
        { "", "", "" },
        { "[{\"id\":\"" ID_F "\",\"success\":false,\"errors\":", "}]", "" },
        { "[{\"id\":\"" ID_F "\",\"success\":false,\"errors\":[", "]}]", "" },
        { "[{\"success\":false,\"errors\":[{\"statusCode\":", "}]}]", "\"x\"" },
    };

    for (size_t m = 0; m < COUNT(members); m++) {
        for (size_t v = 0; v < COUNT(values); v++) {
            char body[256];
            struct raw raw;
            struct loopback_answer answers[] = { GIVES_TOKEN, { .end = LOOPBACK_CLOSE } };
            struct loopback *server;
            struct sf_session *session;
            struct sf_record record = { .outcome = SF_UNKNOWN };
            struct sf_call call;
            if (strstr(members[m].right, values[v]))
                continue;
            snprintf(body, sizeof(body), "%s%s%s", members[m].before, values[v], members[m].after);
            raw = raw_of(OK_HEAD "\r\n", body, strlen(body));
            answers[1].raw = raw.data;
            server = START(answers);
            session = open_session(server, NO_HURRY_MS);
            call = create_call(session, &record);
            T_TRUE(call.outcome == SF_UNKNOWN ||
                   (call.outcome == SF_DELIVERED && record.outcome == SF_UNKNOWN));
            if (call.outcome == SF_DELIVERED)
                T_TRUE(record.message[0] && record.cause[0] && record.remedy[0]);
            end(session, server);
            free(raw.data);
        }
    }
}

/* Success, with reasons why it is none. */
static void
a_success_with_errors_is_doubted(void)
{
    static const char body[] =
        OK_HEAD "\r\n[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[{\"statusCode\":\"X\"}]}]";

    T_INT(create_answered(body, 0).outcome, SF_UNKNOWN);
}

static void
pages_that_do_not_fit_are_tried_again(void)
{
    static const char *const pages[] = {
        /* fewer or more rows than there are said to be: who is missing must not pass for not there */
        "{\"totalSize\":1,\"done\":true,\"records\":[]}",
        "{\"totalSize\":0,\"done\":true,\"records\":[{\"Id\":\"" ID_F "\"}]}",
        "{\"totalSize\":2,\"done\":true,\"records\":[{\"Id\":\"" ID_F "\"}]}",
        "{\"totalSize\":-1,\"done\":true,\"records\":[]}",
        "{\"totalSize\":\"0\",\"done\":true,\"records\":[]}",
        "{\"totalSize\":null,\"done\":true,\"records\":[]}",
        "{\"done\":true,\"records\":[]}",
        "{\"totalSize\":1,\"done\":true,\"records\":[null]}",
        "{\"totalSize\":1,\"done\":true,\"records\":[7]}",
        "{\"totalSize\":1,\"done\":true,\"records\":[\"x\"]}",
        "{\"totalSize\":1,\"done\":true,\"records\":[[]]}",
        "{\"totalSize\":0,\"done\":true,\"records\":null}",
        "{\"totalSize\":0,\"done\":\"true\",\"records\":[]}",
        "{\"totalSize\":0,\"done\":null,\"records\":[]}",
        "{\"totalSize\":0,\"done\":false,\"records\":[]}",
        "{\"totalSize\":0,\"done\":false,\"records\":[],\"nextRecordsUrl\":7}",
        "{\"totalSize\":0,\"done\":false,\"records\":[],\"nextRecordsUrl\":{}}",
        "{\"totalSize\":0,\"done\":false,\"records\":[],\"nextRecordsUrl\":\"\"}",
        "{\"totalSize\":0,\"done\":false,\"done\":true,\"records\":[]}",
        CREATED,
        "{\"totalSize\":0,\"done\":true,\"records\":[]} {}",
    };

    for (size_t i = 0; i < COUNT(pages); i++) {
        struct raw raw = raw_of(OK_HEAD "\r\n", pages[i], strlen(pages[i]));
        struct sf_call call = query_answered(raw.data, raw.length);
        T_INT(call.outcome, SF_RETRY);
        if (call.outcome != SF_RETRY)
            printf("    %s\n", pages[i]);
        free(raw.data);
    }
}

/* ---- the token ---- */

static void
a_token_reply_of_wrong_types_gives_no_token_and_moves_none(void)
{
    static const char *const replies[] = {
        "null",
        "7",
        "\"" TOKEN "\"",
        "[{\"access_token\":\"" TOKEN "\"}]",
        "{\"access_token\":null}",
        "{\"access_token\":true}",
        "{\"access_token\":[\"" TOKEN "\"]}",
        "{\"access_token\":{\"access_token\":\"" TOKEN "\"}}",
        "{\"access_token\":\"" TOKEN "\\u0000\"}",
        "{\"access_token\":\"t\xC3\xB6ken\"}",
        "{\"access_token\":\"" TOKEN "\",\"access_token\":\"" TOKEN_2 "\"}",
        "{\"access_token\":\"" TOKEN "\",\"token_type\":\"MAC\"}",
        "{\"access_token\":\"" TOKEN "\",\"token_type\":7}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":7}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":[\"@ORIGIN@\"]}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"\"}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"@ORIGIN@\\u0000.evil.example\"}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"@ORIGIN@\\r\\nX-Evil: 1\"}",
        "{\"access_token\":\"" TOKEN "\",\"instance_url\":\"https://evil.example\"}",
    };

    for (size_t i = 0; i < COUNT(replies); i++) {
        const struct loopback_answer answers[] = {
            { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = replies[i] },
            { .where = AT_QUERY, .status = 200, .body = NO_ROWS },
        };
        struct loopback *server = START(answers);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        struct sf_call call = query_call(session);
        T_INT(call.outcome, SF_HOLD);
        if (call.outcome != SF_HOLD)
            printf("    %s\n", replies[i]);
        T_TRUE(call.message[0] && call.cause[0] && call.remedy[0]);
        T_INT(loopback_count(server), 1);
        end(session, server);
    }
}

static void
a_huge_token_is_not_used(void)
{
    struct raw reply = raw_of("{\"access_token\":\"", NULL, 10u * MIB);
    struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = reply.data },
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS },
    };
    size_t head = strlen("{\"access_token\":\"");
    struct loopback *server;
    struct sf_session *session;

    memset(reply.data + head, 'A', 10u * MIB);
    memcpy(reply.data + reply.length - 2, "\"}", 2);
    server = START(answers);
    session = open_session(server, NO_HURRY_MS);
    T_INT(query_call(session).outcome, SF_HOLD);
    T_INT(loopback_count(server), 1);
    end(session, server);
    free(reply.data);
}

/* ---- a token that another process, or the one before us, has kept ---- */

static struct sf_session *
open_kept(const struct loopback *server, const struct sf_keeper *keeper)
{
    char endpoint[128];
    const struct sf_settings settings = { .origin = loopback_origin(server),
                                          .api_version = "v67.0",
                                          .token_endpoint = endpoint,
                                          .client_id = "key",
                                          .client_secret = SECRET,
                                          .keeper = keeper,
                                          .user_agent = "sfprov/test" };
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;

    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(server));
    T_OK(sf_session_new(&settings, &session, &err), &err);
    return session;
}

static int
kept_get(void *context, const char *name, char **ret, struct prov_error *err)
{
    char *const *kept = context;

    (void)err;
    *ret = strcmp(name, "access_token") == 0 && *kept ? secret_copy(*kept) : NULL;
    return PROV_OK;
}

static int
kept_put(void *context, const char *name, const char *text, struct prov_error *err)
{
    char **kept = context;

    (void)name, (void)err;
    secret_free(*kept);
    *kept = secret_copy(text);
    return *kept ? PROV_OK : PROV_E_NOMEM;
}

/* An org that was moved answers at its old address with neither 401 nor JSON. Who probes forgets the token,
 * and must not find the same one, with the same address, in the store. A newer one it may take. */
static void
a_forgotten_token_is_not_taken_from_the_keeper_again(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = TOKEN_REPLY(TOKEN) },
        { .where = AT_QUERY, .status = 404, .body = "<html>This org has moved</html>" },
        { .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = TOKEN_REPLY(TOKEN_2) },
        { .where = AT_QUERY, .status = 200, .body = NO_ROWS, .times = 9 },
    };
    char *kept = NULL;
    const struct sf_keeper keeper = { &kept, kept_get, kept_put, NULL, NULL };
    struct loopback *server = START(answers);
    struct sf_session *first = open_kept(server, &keeper), *second = open_kept(server, &keeper);

    T_INT(query_call(first).outcome, SF_HOLD);
    sf_session_forget_token(first);
    T_INT(query_call(first).outcome, SF_DELIVERED);
    T_INT(loopback_count_with(server, AT_TOKEN), 2);
    T_INT(query_call(second).outcome, SF_DELIVERED);
    T_INT(loopback_count_with(server, AT_TOKEN), 2);
    T_INT(loopback_count_with(server, "Authorization: Bearer " TOKEN_2), 2);
    sf_session_free(second);
    end(first, server);
    secret_free(kept);
}

/* ---- errors ---- */

/* The words of an error are for an operator's line, whatever they are. */
static void
error_words_of_any_kind_end_as_one_short_line(void)
{
    static const char *const bodies[] = {
        "[{\"errorCode\":7,\"message\":[]}]",
        "[{\"errorCode\":\"A\\u001b[31mB\\r\\nC\",\"message\":\"\\u001b]0;owned\\u0007 x\\ny\"}]",
        "[{\"errorCode\":\"A\",\"message\":{\"a\":1}}]",
        "[[{\"errorCode\":\"A\"}]]",
        "[null]",
        "{\"error\":{\"code\":1}}",
        "{\"error\":\"A\",\"error_description\":7}",
        "[{\"errorCode\":\"\",\"message\":\"\"}]",
    };

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct raw raw = raw_of("HTTP/1.1 500 Bad\r\n\r\n", bodies[i], strlen(bodies[i]));
        struct sf_call call = create_answered(raw.data, raw.length);
        T_INT(call.outcome, SF_UNKNOWN);
        for (const char *c = call.message; *c; c++)
            T_TRUE((unsigned char)*c >= 0x20);
        for (const char *c = call.code; *c; c++)
            T_TRUE((unsigned char)*c >= 0x20);
        T_TRUE(call.cause[0] && call.remedy[0]);
        free(raw.data);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(http_that_is_none_is_doubted),
    UNIT_CASE(another_good_status_with_a_good_body_is_doubted),
    UNIT_CASE(a_flood_of_interim_answers_is_cut_off),
    UNIT_CASE(a_header_line_without_end_is_cut_off),
    UNIT_CASE(an_answer_that_nobody_asked_for_answers_nothing),
    UNIT_CASE(a_body_that_drips_hits_the_time_limit),
    UNIT_CASE(cookies_and_other_wishes_of_the_org_are_not_kept),
    UNIT_CASE(no_redirect_moves_the_secret_or_the_token),
    UNIT_CASE(a_bomb_in_a_bomb_ends_at_the_limit),
    UNIT_CASE(half_a_gzip_body_is_doubted),
    UNIT_CASE(json_that_would_fill_the_memory_is_doubted),
    UNIT_CASE(bodies_that_are_no_json_are_doubted),
    UNIT_CASE(results_of_a_wrong_type_are_doubted),
    UNIT_CASE(a_success_with_errors_is_doubted),
    UNIT_CASE(pages_that_do_not_fit_are_tried_again),
    UNIT_CASE(a_token_reply_of_wrong_types_gives_no_token_and_moves_none),
    UNIT_CASE(a_huge_token_is_not_used),
    UNIT_CASE(a_forgotten_token_is_not_taken_from_the_keeper_again),
    UNIT_CASE(error_words_of_any_kind_end_as_one_short_line),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce_hostile", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
