/*
 * `login`: has the app approved in a browser, once, for the flow refresh_token. Opens the address, or shows it,
 * takes the code on loopback or pasted, and hands it to the plugin, which exchanges it and keeps the refresh token
 * sealed. Neither the code nor a token is shown or stored here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/browser.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define USUAL_PORT 1717
#define USUAL_WAIT 600 /* seconds; as long as a code lives */
#define PASTE_URI  "https://login.salesforce.com/services/oauth2/success"
#define ANSWER_MAX 16384

/* What came back: a URL with a query, the query, or the code alone. */
struct came_back {
    char *code, *state, *error;
};

static void
came_back_clear(struct came_back *came)
{
    if (came->code)
        explicit_bzero(came->code, strlen(came->code));
    free(came->code);
    free(came->state);
    free(came->error);
    *came = (struct came_back){ NULL, NULL, NULL };
}

static int
hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c | 0x20) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Percent signs of a query decoded. A code ends in "==", which browsers show as %3D%3D: copied from the
 * address bar it is decoded, written as it is it stays. */
static char *
decoded(const char *text, size_t length)
{
    char *out = malloc(length + 1);
    size_t to = 0;

    for (size_t i = 0; out && i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            out[to++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[to++] = text[i];
        }
    }
    if (out)
        out[to] = '\0';
    return out;
}

/* The value of a parameter of a query; NULL: there is none. */
static char *
parameter(const char *query, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = query; *at; at += strcspn(at, "&#"), at += *at == '&') {
        if (*at == '#')
            break;
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return decoded(at + length + 1, strcspn(at + length + 1, "&# "));
    }
    return NULL;
}

static void
read_answer(const char *text, struct came_back *came)
{
    const char *query = strchr(text, '?');

    query = query ? query + 1 : text;
    came->code = parameter(query, "code");
    came->state = parameter(query, "state");
    came->error = parameter(query, "error");
    if (!came->code && !came->error && !strchr(text, '?') && !strchr(text, '/'))
        came->code = decoded(text, strcspn(text, " \r\n"));
}

/* ---- loopback ---- */

static int
listen_at(long port, long *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0)
        return -1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 4) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        close(listener);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return listener;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
wait_for(int file, int64_t until_ms)
{
    struct pollfd ready = { .fd = file, .events = POLLIN };
    int64_t left = until_ms - now_ms();

    return left > 0 && poll(&ready, 1, (int)left) == 1;
}

/* The first line of a request, as far as it came. */
static bool
read_request(int connection, int64_t until_ms, char line[ANSWER_MAX])
{
    size_t have = 0;

    line[0] = '\0';
    while (have + 1 < ANSWER_MAX && !strchr(line, '\n') && wait_for(connection, until_ms)) {
        ssize_t got = read(connection, line + have, ANSWER_MAX - 1 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
        line[have] = '\0';
    }
    return strchr(line, '\n') != NULL;
}

static void
answer_browser(int connection, bool good)
{
    static const char yes[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                              "\r\nDone. You can close this page and go back to the terminal.\n";
    static const char no[] = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
                             "Connection: close\r\n\r\nThis is not the answer that is awaited.\n";
    const char *text = good ? yes : no;

    (void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
}

/* Waits for the browser to come with this state; anything else that comes is sent away. */
static bool
take_from_browser(int listener, const char *state, int64_t until_ms, struct came_back *came)
{
    while (wait_for(listener, until_ms)) {
        char line[ANSWER_MAX];
        int64_t patience_ms = now_ms() + 5000;
        bool good = false;
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            continue;
        if (read_request(connection, patience_ms < until_ms ? patience_ms : until_ms, line) &&
            strncmp(line, "GET /OauthRedirect?", 19) == 0) {
            line[strcspn(line, "\r\n")] = '\0';
            read_answer(line, came);
            good = came->state && strcmp(came->state, state) == 0;
        }
        explicit_bzero(line, sizeof(line));
        answer_browser(connection, good);
        close(connection);
        if (good)
            return true;
        came_back_clear(came);
    }
    return false;
}

/* ---- the command ---- */

static bool
take_pasted(const char *state, struct came_back *came)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    fprintf(stderr, "Paste the address that the browser ends at, or the code in it: ");
    length = getline(&line, &room, stdin);
    if (length > 0) {
        char *text = line + strspn(line, " \t");
        text[strcspn(text, "\r\n")] = '\0';
        read_answer(text, came);
        explicit_bzero(line, (size_t)length);
    }
    free(line);
    if (came->state && strcmp(came->state, state) != 0) {
        complain("login: the address is of another login (its state differs); open the one that "
                 "was shown just now");
        came_back_clear(came);
        return false;
    }
    return came->code || came->error;
}

static int
begin(struct host *host, const char *redirect_uri, struct json_object **ret)
{
    struct json_object *request = host_request("act", "login");

    reply_put_text(request, "redirect_uri", redirect_uri);
    return host_act(host, request, ret);
}

static int
finish(struct host *host, const struct options *options, const char *redirect_uri,
       struct json_object *begun, const char *code)
{
    struct json_object *request = host_request("act", "login"), *answer = NULL;
    int result;

    reply_put_text(request, "redirect_uri", redirect_uri);
    reply_put_text(request, "state", reply_text(begun, "state"));
    reply_put_text(request, "verifier", reply_text(begun, "verifier"));
    reply_put_text(request, "code", code);
    result = host_act(host, request, &answer);
    if (result)
        return result;
    if (options->json)
        host_print_json(answer);
    else
        printf("logged in as user %s of org %s; the refresh token is kept, sealed\n",
               reply_word(answer, "user_id"), reply_word(answer, "org_id"));
    json_object_put(answer);
    return CODE_DONE;
}

static int
login(struct host *host, const struct options *options, int listener, const char *redirect_uri)
{
    struct json_object *begun = NULL;
    struct came_back came = { NULL, NULL, NULL };
    int64_t until_ms =
        now_ms() + 1000 * (int64_t)(options->timeout_s ? options->timeout_s : USUAL_WAIT);
    int code = begin(host, redirect_uri, &begun);
    bool there;

    if (code)
        return code;
    fprintf(stderr,
            "Open this address in a browser, log in as the integration user, and allow the app\n"
            "(its callback URL has to be %s):\n\n",
            redirect_uri);
    fprintf(stderr, "%s\n\n", reply_word(begun, "authorize_url"));
    if (listener >= 0 && !options->no_browser && browser_open(reply_word(begun, "authorize_url")))
        fprintf(stderr, "A browser of this machine was told to open it.\n");
    there = listener >= 0 ? take_from_browser(listener, reply_word(begun, "state"), until_ms, &came)
                          : take_pasted(reply_word(begun, "state"), &came);
    if (there && came.code) {
        code = finish(host, options, redirect_uri, begun, came.code);
    } else if (there) {
        complain("login: Salesforce answered '%s'%s", came.error,
                 strcmp(came.error, "access_denied") == 0 ? ": the app was not allowed" : "");
        code = CODE_FAILED;
    } else {
        complain("login: no code came back; run it again, or with --paste if the browser is on "
                 "another machine");
        code = CODE_UNFINISHED;
    }
    came_back_clear(&came);
    json_object_put(begun);
    return code;
}

int
command_login(const struct options *options, const struct arguments *arguments)
{
    char redirect_uri[128] = PASTE_URI;
    long port = options->port ? options->port : USUAL_PORT;
    int listener = -1, code;
    struct host host;

    (void)arguments;
    if (port > 65535) {
        complain("login: a port is a number from 1 to 65535");
        return CODE_USAGE;
    }
    if (!options->paste) {
        listener = listen_at(port, &port);
        if (listener < 0) {
            complain("login: port %ld of this machine cannot be listened at: %s; name another one "
                     "with --port, whose callback URL the app has too, or give --paste",
                     port, strerror(errno));
            return CODE_FAILED;
        }
        snprintf(redirect_uri, sizeof(redirect_uri), "http://localhost:%ld/OauthRedirect", port);
    }
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (!code) {
        code = login(&host, options, listener, redirect_uri);
        host_close(&host);
    }
    if (listener >= 0)
        close(listener);
    return code;
}
