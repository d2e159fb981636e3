/* The HTTP side, over libmicrohttpd: one thread a connection, so that a call that is made to wait
 * holds up nobody else. TLS and gzip end here. Decides nothing else about Salesforce; see
 * exchange.c. */
#include "tests/org/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/gzip.h"

enum {
    /* section 10 refuses heads of more than 16 KiB: what is longer has to get here first */
    CONNECTION_MEMORY_BYTES = 256 * 1024,
    KEPT_BODY_BYTES = 51 * 1024 * 1024,
    IDLE_SECONDS = 120
};

struct server {
    struct exchanges *exchanges;
    struct org *org;
    struct MHD_Daemon *daemon;
};

/* One request while its body arrives. */
struct incoming {
    char *target; /* as on the request line */
    struct text body;
    bool begun;
};

static void *
begin_request(void *argument, const char *uri, struct MHD_Connection *connection)
{
    struct incoming *incoming = text_block(sizeof(*incoming));

    (void)argument;
    (void)connection;
    incoming->target = text_copy(uri);
    return incoming;
}

static void
end_request(void *argument, struct MHD_Connection *connection, void **request_state,
            enum MHD_RequestTerminationCode why)
{
    struct incoming *incoming = *request_state;

    (void)argument;
    (void)connection;
    (void)why;
    if (!incoming)
        return;
    free(incoming->target);
    text_free(&incoming->body);
    free(incoming);
    *request_state = NULL;
}

static enum MHD_Result
add_head_bytes(void *argument, enum MHD_ValueKind kind, const char *name, const char *value)
{
    size_t *bytes = argument;

    (void)kind;
    *bytes += strlen(name) + (value ? strlen(value) : 0) + 4;
    return MHD_YES;
}

static const char *
header_of(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A body of which half comes at once. */
struct half {
    struct text body;
    size_t first;     /* bytes */
    int64_t pause_ms; /* before the rest; negative: it never comes */
};

/* Where the rest never comes the reader ends with an error, which makes libmicrohttpd close the
 * connection. */
static ssize_t
read_half(void *argument, uint64_t position, char *buffer, size_t room)
{
    struct half *half = argument;
    bool first = position < half->first;
    size_t end = first ? half->first : half->body.length, left = end - (size_t)position;

    if (!first && half->pause_ms < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (position == half->first)
        poll(NULL, 0, (int)half->pause_ms);
    if (left > room)
        left = room;
    memcpy(buffer, half->body.data + position, left);
    return (ssize_t)left;
}

static void
free_half(void *argument)
{
    struct half *half = argument;

    text_free(&half->body);
    free(half);
}

static struct MHD_Response *
response_of(struct reply *reply)
{
    struct half *half;

    if (reply->delivery != DELIVERY_SEND && reply->body_bytes > 1) {
        half = text_block(sizeof(*half));
        text_add(&half->body, reply->body, reply->body_bytes);
        half->first = reply->body_bytes / 2;
        half->pause_ms = reply->delivery == DELIVERY_SLOW ? reply->pause_ms : -1;
        return MHD_create_response_from_callback(reply->body_bytes, 4096, read_half, half,
                                                 free_half);
    }
    return MHD_create_response_from_buffer(reply->body_bytes, reply->body ? reply->body : "",
                                           MHD_RESPMEM_MUST_COPY);
}

static bool
has_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcasecmp(reply->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

/* 2.1: packed whenever the client takes it, whatever the size, so that every client has to unpack.
 * A fault that names an encoding means its bytes as they are. */
static void
pack(struct MHD_Connection *connection, struct reply *reply)
{
    char *packed;
    size_t length;

    if (reply->body_bytes == 0 || has_header(reply, "Content-Encoding") ||
        !gzip_is_accepted(header_of(connection, "Accept-Encoding")))
        return;
    packed = gzip_pack(reply->body, reply->body_bytes, &length);
    free(reply->body);
    reply->body = packed;
    reply->body_bytes = length;
    reply_header(reply, "Content-Encoding", "gzip");
}

/* 2.1. What cannot be unpacked keeps its Content-Encoding, and is refused for it. */
static void
unpack(struct incoming *incoming, struct request *request)
{
    AUTO_TEXT struct text plain = { 0 };

    if (!request->content_encoding || strcasecmp(request->content_encoding, "gzip") != 0 ||
        !gzip_unpack(request->body, request->body_bytes, KEPT_BODY_BYTES, &plain))
        return;
    text_free(&incoming->body);
    incoming->body = plain;
    plain = (struct text){ 0 };
    request->content_encoding = NULL;
    request->body = incoming->body.data;
    request->body_bytes = incoming->body.length;
}

/* MHD_NO closes the connection without a byte. */
static enum MHD_Result
send_reply(struct MHD_Connection *connection, struct reply *reply)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    if (reply->delivery == DELIVERY_CLOSE)
        return MHD_NO;
    pack(connection, reply);
    response = response_of(reply);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
handle_request(void *argument, struct MHD_Connection *connection, const char *url,
               const char *method, const char *version, const char *upload, size_t *upload_bytes,
               void **request_state)
{
    struct server *server = argument;
    struct incoming *incoming = *request_state;
    struct reply reply = { 0 };
    struct request request = { .method = method };
    enum MHD_Result result;

    (void)url;
    (void)version;
    if (!incoming)
        return MHD_NO;
    if (!incoming->begun) {
        incoming->begun = true;
        return MHD_YES;
    }
    if (*upload_bytes) {
        /* a body over the limit is read to its end, but not kept */
        if (incoming->body.length <= KEPT_BODY_BYTES)
            text_add(&incoming->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    request.target = incoming->target;
    request.content_type = header_of(connection, "Content-Type");
    request.authorization = header_of(connection, "Authorization");
    request.query_options = header_of(connection, "Sforce-Query-Options");
    request.if_none_match = header_of(connection, "If-None-Match");
    request.content_encoding = header_of(connection, "Content-Encoding");
    request.head_bytes = strlen(incoming->target);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_head_bytes, &request.head_bytes);
    request.body = incoming->body.data;
    request.body_bytes = incoming->body.length;
    unpack(incoming, &request);
    exchange(server->exchanges, server->org, &request, &reply);
    result = send_reply(connection, &reply);
    reply_free(&reply);
    return result;
}

enum {
    TLS_OPTIONS = 4
};

/* Three options and an end, for a client that checks them. */
static void
set_tls(const struct server_tls *tls, struct MHD_OptionItem options[TLS_OPTIONS])
{
    memset(options, 0, TLS_OPTIONS * sizeof(options[0])); /* MHD_OPTION_END */
    if (!tls)
        return;
    options[0] =
        (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->identity->certificate };
    options[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->identity->key };
    if (tls->old)
        options[2] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
                                              "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1:+SIGN-ALL" };
}

struct server *
server_start(struct exchanges *exchanges, struct org *org, const struct server_tls *tls,
             char **ret_origin)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct server *server = text_block(sizeof(*server));
    struct MHD_OptionItem tls_options[TLS_OPTIONS];
    const union MHD_DaemonInfo *info = NULL;

    server->exchanges = exchanges;
    server->org = org;
    set_tls(tls, tls_options);
    server->daemon = MHD_start_daemon(
        tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, handle_request, server,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK,
        begin_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_ARRAY, tls_options,
        MHD_OPTION_END);
    if (server->daemon)
        info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info) {
        server_stop(server);
        return NULL;
    }
    *ret_origin = text_format("%s://127.0.0.1:%u", tls ? "https" : "http", (unsigned)info->port);
    return server;
}

void
server_stop(struct server *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    free(server);
}
