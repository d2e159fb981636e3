/* One accepting thread, one thread a connection; everything shared stands under one lock. It
 * understands as much HTTP as libcurl sends: a head, Content-Length, a body. */
#include "tests/unit/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUESTS    2048
#define MAX_CONNECTIONS 256
#define REQUEST_BYTES   (1024u * 1024u)

struct connection {
    struct loopback *server;
    pthread_t thread;
    int fd;
};

struct loopback {
    struct loopback_answer *answers;
    size_t answer_count;
    char origin[64];
    int listener;
    pthread_t thread;
    pthread_mutex_t lock;
    bool stopping;
    char *requests[MAX_REQUESTS];
    size_t request_count;
    struct connection connections[MAX_CONNECTIONS];
    size_t connection_count;
};

static void
die(const char *what)
{
    perror(what);
    abort();
}

static bool
is_stopping(struct loopback *server)
{
    bool stopping;

    pthread_mutex_lock(&server->lock);
    stopping = server->stopping;
    pthread_mutex_unlock(&server->lock);
    return stopping;
}

/* Waits in small steps, so that a stop is quick. */
static void
wait_ms(struct loopback *server, unsigned ms)
{
    for (unsigned waited = 0; waited < ms && !is_stopping(server); waited += 5)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

/* ---- reading ---- */

static size_t
body_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");

    return line ? strtoul(line + 17, NULL, 10) : 0;
}

/* A whole request, heap; NULL when the other side went away first. */
static char *
read_request(struct connection *connection)
{
    char *text = calloc(1, REQUEST_BYTES);
    size_t length = 0;
    ssize_t got;

    if (!text)
        die("calloc");
    while (length + 1 < REQUEST_BYTES &&
           (got = recv(connection->fd, text + length, REQUEST_BYTES - 1 - length, 0)) > 0) {
        const char *end;
        length += (size_t)got;
        end = strstr(text, "\r\n\r\n");
        if (end && length >= (size_t)(end + 4 - text) + body_length(text))
            return text;
    }
    free(text);
    return NULL;
}

/* Keeps the request and picks its answer. */
static struct loopback_answer
take_request(struct loopback *server, char *request)
{
    struct loopback_answer answer = { .status = 599, .body = "nothing fits this request" };

    pthread_mutex_lock(&server->lock);
    if (server->request_count == MAX_REQUESTS)
        die("too many requests");
    server->requests[server->request_count++] = request;
    for (size_t i = 0; i < server->answer_count; i++) {
        struct loopback_answer *candidate = &server->answers[i];
        if (candidate->times == 0 || (candidate->where && !strstr(request, candidate->where)))
            continue;
        candidate->times--;
        answer = *candidate;
        break;
    }
    pthread_mutex_unlock(&server->lock);
    return answer;
}

/* ---- answering ---- */

static void
send_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* The text with the origin filled in, heap. */
static char *
fill_in(const struct loopback *server, const char *text)
{
    char *filled = NULL;
    size_t room = 0;
    const char *mark;
    FILE *out = open_memstream(&filled, &room);

    if (!out)
        die("open_memstream");
    for (text = text ? text : ""; (mark = strstr(text, "@ORIGIN@")); text = mark + 8)
        fprintf(out, "%.*s%s", (int)(mark - text), text, server->origin);
    fputs(text, out);
    fclose(out);
    return filled;
}

static void
send_raw(struct loopback *server, int fd, const struct loopback_answer *answer)
{
    size_t length = answer->raw_length ? answer->raw_length : strlen(answer->raw);

    if (!answer->drip_ms)
        send_all(fd, answer->raw, length);
    for (size_t i = 0; answer->drip_ms && i < length && !is_stopping(server); i++) {
        wait_ms(server, answer->drip_ms);
        send_all(fd, answer->raw + i, 1);
    }
}

static void
send_answer(struct loopback *server, int fd, const struct loopback_answer *answer)
{
    char *header, *body, head[256];

    if (answer->raw) {
        send_raw(server, fd, answer);
        return;
    }
    if (!answer->status)
        return;
    header = fill_in(server, answer->header);
    body = fill_in(server, answer->body);
    snprintf(head, sizeof(head), "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n", answer->status,
             strlen(body));
    send_all(fd, head, strlen(head));
    send_all(fd, header, strlen(header));
    send_all(fd, "\r\n", 2);
    send_all(fd, body, strlen(body));
    free(header);
    free(body);
}

static void
reset(int fd)
{
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void *
serve(void *context)
{
    struct connection *connection = context;
    struct loopback *server = connection->server;
    char *request;

    while ((request = read_request(connection))) {
        struct loopback_answer answer = take_request(server, request);
        wait_ms(server, answer.delay_ms);
        send_answer(server, connection->fd, &answer);
        if (answer.end == LOOPBACK_HANG)
            wait_ms(server, 60000);
        if (answer.end == LOOPBACK_RESET)
            reset(connection->fd);
        if (answer.end != LOOPBACK_KEEP)
            break;
    }
    pthread_mutex_lock(&server->lock);
    close(connection->fd);
    connection->fd = -1;
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *
accept_all(void *context)
{
    struct loopback *server = context;
    const int on = 1;

    while (!is_stopping(server)) {
        struct connection *connection;
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                   sizeof(on)); /* else each answer waits 40 ms */
        if (server->connection_count == MAX_CONNECTIONS)
            die("too many connections");
        pthread_mutex_lock(&server->lock);
        connection = &server->connections[server->connection_count];
        *connection = (struct connection){ .server = server, .fd = fd };
        if (pthread_create(&connection->thread, NULL, serve, connection) != 0)
            die("pthread_create");
        server->connection_count++;
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

struct loopback *
loopback_start(const struct loopback_answer *answers, size_t count)
{
    struct loopback *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);

    if (!server || !(server->answers = calloc(count ? count : 1, sizeof(*answers))))
        die("calloc");
    memcpy(server->answers, answers, count * sizeof(*answers));
    server->answer_count = count;
    for (size_t i = 0; i < count; i++)
        server->answers[i].times = answers[i].times ? answers[i].times : 1;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, 128) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0)
        die("listen on 127.0.0.1");
    snprintf(server->origin, sizeof(server->origin), "http://127.0.0.1:%u",
             (unsigned)ntohs(address.sin_port));
    if (pthread_create(&server->thread, NULL, accept_all, server) != 0)
        die("pthread_create");
    return server;
}

void
loopback_stop(struct loopback *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR); /* which ends a waiting accept */
    pthread_join(server->thread, NULL);    /* no new connections from here on */
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->connection_count; i++) {
        if (server->connections[i].fd >= 0)
            shutdown(server->connections[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server->answers);
    free(server);
}

const char *
loopback_origin(const struct loopback *server)
{
    return server->origin;
}

size_t
loopback_count(struct loopback *server)
{
    return loopback_count_with(server, "");
}

size_t
loopback_count_with(struct loopback *server, const char *part)
{
    size_t count = 0;

    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->request_count; i++)
        count += strstr(server->requests[i], part) ? 1 : 0;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *
loopback_request(struct loopback *server, size_t index)
{
    const char *request;

    pthread_mutex_lock(&server->lock);
    request = index < server->request_count ? server->requests[index] : "(no such request)";
    pthread_mutex_unlock(&server->lock);
    return request;
}

size_t
loopback_connections(struct loopback *server)
{
    size_t count;

    pthread_mutex_lock(&server->lock);
    count = server->connection_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}
