/* The HTTP side, over libmicrohttpd: one thread a connection, so that a call that is made to wait
 * holds up nobody else. Decides nothing about Salesforce; see exchange.c. */
#include "tests/org/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Half a body of which the whole was promised: the reader ends with an error, which makes
 * libmicrohttpd close the connection. */
static ssize_t
read_half(void *argument, uint64_t position, char *buffer, size_t room)
{
    const struct text *half = argument;
    size_t left = half->length > position ? half->length - (size_t)position : 0;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left > room)
        left = room;
    memcpy(buffer, half->data + position, left);
    return (ssize_t)left;
}

static void
free_half(void *argument)
{
    struct text *half = argument;

    text_free(half);
    free(half);
}

static struct MHD_Response *
response_of(struct reply *reply)
{
    struct text *half;

    if (reply->delivery == DELIVERY_CUT && reply->body_bytes > 1) {
        half = text_block(sizeof(*half));
        text_add(half, reply->body, reply->body_bytes / 2);
        return MHD_create_response_from_callback(reply->body_bytes, 4096, read_half, half,
                                                 free_half);
    }
    return MHD_create_response_from_buffer(reply->body_bytes, reply->body ? reply->body : "",
                                           MHD_RESPMEM_MUST_COPY);
}

/* MHD_NO closes the connection without a byte. */
static enum MHD_Result
send_reply(struct MHD_Connection *connection, struct reply *reply)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    if (reply->delivery == DELIVERY_CLOSE)
        return MHD_NO;
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
    exchange(server->exchanges, server->org, &request, &reply);
    result = send_reply(connection, &reply);
    reply_free(&reply);
    return result;
}

struct server *
server_start(struct exchanges *exchanges, struct org *org, char **ret_origin)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct server *server = text_block(sizeof(*server));
    const union MHD_DaemonInfo *info = NULL;

    server->exchanges = exchanges;
    server->org = org;
    server->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
        NULL, handle_request, server, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request,
        NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (server->daemon)
        info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info) {
        fputs("sfprov-org: cannot listen on 127.0.0.1\n", stderr);
        server_stop(server);
        return NULL;
    }
    *ret_origin = text_format("http://127.0.0.1:%u", (unsigned)info->port);
    return server;
}

void
server_stop(struct server *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    free(server);
}
