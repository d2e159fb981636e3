/*
 * The only user of libcurl: one request, one answer. It decides how careful a transfer is (TLS,
 * limits, no redirects, no credentials from the environment, no SIGPIPE, descriptors closed on
 * exec) and whether a request that failed may have arrived. What an answer means is for answer.c
 * and outcome.c; which hosts are trusted with the token is for session.c, which hands over only
 * URLs that it has checked.
 *
 * A socket is opened to public addresses only, unless the host was allowed a private one, is this machine
 * by name, or it is the proxy's; the TLS name check comes before the first byte of a request.
 */
#include "plugin/salesforce/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "plugin/base/ascii.h"
#include "plugin/base/clock.h"
#include "plugin/base/secret.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/address.h"
#include "plugin/salesforce/http_trace.h"
#include "plugin/salesforce/session.h"
#include "plugin/salesforce/sigpipe.h"
#include "plugin/salesforce/unpack.h"

#define IDLE_HANDLES        26            /* kept for keep-alive; more callers make their own */
#define FIRST_BODY_BYTES    (16u * 1024u) /* a token reply never moves: fewer copies of the token */
#define UPLOAD_BYTES        (128L * 1024) /* most bodies go out in one piece, without a poll between */
#define HEADERS_MAX_BYTES   (256u * 1024u)
#define RETRY_AFTER_MAX_US  (3600 * CLOCK_SECOND_US) /* leavers wait with all others */
#define IDLE_CONNECTION_SEC 30L /* older ones are likely closed on the other side */

struct http {
    char *user_agent;
    char *ca_file;                               /* NULL: the system's */
    char *pin, *client_certificate, *client_key; /* NULL: none */
    char *proxy, *proxy_username, *proxy_password, *private_hosts;
    long connect_timeout_ms, request_timeout_ms;
    bool unpacks;             /* packed answers can be asked for */
    atomic_llong deadline_us; /* monotonic; 0: none */
    atomic_bool stopped;
    pthread_mutex_t lock; /* guards idle */
    CURL *idle[IDLE_HANDLES];
    size_t idle_count;
};

/* One request under way. */
struct transfer {
    struct http *http;
    const struct http_request *request;
    struct http_answer *answer;
    size_t body_taken; /* bytes of the request body handed to libcurl */
    size_t capacity, header_bytes;
    char retry_after[64];     /* the header, which may come before the Date that it counts from */
    const char *abort_reason; /* why a callback ended it */
    bool private_allowed;     /* the host may have an address of a private network */
    int proxy_port;           /* 0: no proxy is to be used */
    bool performed;           /* libcurl had it; else what it tells is of an earlier one */
    enum sf_fault unready;    /* why it had not */
    char *secrets[2];         /* read for this call: the client's key, the proxy's password */
    char error[CURL_ERROR_SIZE];
};

/* ---- libcurl in this process ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static const char *curl_unusable;

static void
curl_start(void)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

    /* without it curl_global_init() could race with the host's own use of libcurl */
    if (!(version->features & CURL_VERSION_THREADSAFE))
        curl_unusable = "its global initialisation is not safe with threads; use libcurl 7.84 or "
                        "later";
    else if (!(version->features & CURL_VERSION_SSL))
        curl_unusable = "it was built without TLS";
    else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        curl_unusable = "its global initialisation failed";
    /* never curl_global_cleanup(): the host, or another plugin of it, may use libcurl too */
}

/* Closing a TLS connection writes, too. */
static void
handle_close(CURL *handle)
{
    struct sigpipe_guard guard;

    sigpipe_block(&guard);
    curl_easy_cleanup(handle);
    sigpipe_restore(&guard);
}

/* ---- the client ---- */

static int
copy_settings(struct http *http, const struct http_settings *from)
{
    const struct {
        char **to;
        const char *text;
        char *(*copy)(const char *);
    } texts[] = { { &http->user_agent, from->user_agent, strdup },
                  { &http->ca_file, from->ca_file, strdup },
                  { &http->pin, from->pin, strdup },
                  { &http->client_certificate, from->client_certificate, strdup },
                  { &http->client_key, from->client_key, secret_copy },
                  { &http->proxy, from->proxy, strdup },
                  { &http->proxy_username, from->proxy_username, strdup },
                  { &http->proxy_password, from->proxy_password, secret_copy },
                  { &http->private_hosts, from->private_hosts, strdup } };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text && !(*texts[i].to = texts[i].copy(texts[i].text)))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

static void
free_settings(struct http *http)
{
    free(http->user_agent);
    free(http->ca_file);
    free(http->pin);
    free(http->client_certificate);
    secret_free(http->client_key);
    free(http->proxy);
    free(http->proxy_username);
    secret_free(http->proxy_password);
    free(http->private_hosts);
}

int
http_new(const struct http_settings *settings, struct http **ret, struct prov_error *err)
{
    struct http *http;

    pthread_once(&curl_once, curl_start);
    if (curl_unusable)
        return error_set(err, PROV_E_STATE, "libcurl %s cannot be used: %s", curl_version(),
                         curl_unusable);
    http = calloc(1, sizeof(*http));
    if (!http)
        return error_nomem(err);
    if (copy_settings(http, settings)) {
        free_settings(http);
        free(http);
        return error_nomem(err);
    }
    pthread_mutex_init(&http->lock, NULL);
    atomic_init(&http->stopped, false);
    atomic_init(&http->deadline_us, 0);
    http->unpacks = unpack_is_sound();
    http->connect_timeout_ms = (long)settings->connect_timeout_ms;
    http->request_timeout_ms = (long)settings->request_timeout_ms;
    *ret = http;
    return PROV_OK;
}

void
http_free(struct http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->idle_count; i++)
        handle_close(http->idle[i]);
    pthread_mutex_destroy(&http->lock);
    free_settings(http);
    free(http);
}

void
http_stop(struct http *http)
{
    atomic_store(&http->stopped, true);
}

bool
http_stopped(const struct http *http)
{
    return atomic_load(&http->stopped);
}

void
http_set_deadline(struct http *http, int64_t deadline_us)
{
    atomic_store(&http->deadline_us, deadline_us);
}

/* What is left until the deadline, or `limit_ms` if that is less; 0: nothing. */
static long
time_left_ms(struct http *http, long limit_ms)
{
    int64_t deadline_us = atomic_load(&http->deadline_us), left_ms;

    if (!deadline_us)
        return limit_ms;
    left_ms = (deadline_us - clock_monotonic_us()) / 1000;
    return left_ms <= 0 ? 0 : left_ms < limit_ms ? (long)left_ms : limit_ms;
}

bool
http_time_is_over(struct http *http)
{
    return time_left_ms(http, 1) == 0;
}

static CURL *
handle_take(struct http *http)
{
    CURL *handle = NULL;

    pthread_mutex_lock(&http->lock);
    if (http->idle_count)
        handle = http->idle[--http->idle_count];
    pthread_mutex_unlock(&http->lock);
    return handle ? handle : curl_easy_init();
}

/* One that failed is not taken again: libcurl 8.14 goes on wanting to rewind a body that it could not, whatever
 * it is to send next. */
static void
handle_give_back(struct http *http, CURL *handle, CURLcode code)
{
    curl_easy_reset(handle); /* keeps connections, DNS and TLS sessions, drops all pointers to us */
    pthread_mutex_lock(&http->lock);
    if (code == CURLE_OK && http->idle_count < IDLE_HANDLES) {
        http->idle[http->idle_count++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&http->lock);
    if (handle)
        handle_close(handle);
}

/* ---- callbacks of libcurl ---- */

static size_t
give_body(char *buffer, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t rest = transfer->request->body_length - transfer->body_taken, room = size * count;
    size_t length = rest < room ? rest : room;

    /* libcurl keeps its buffer beyond the request, 8.14 until it sends something longer by the same handle */
    if (length && transfer->request->body_secret)
        secret_hide(buffer, length);
    if (length) /* an empty body may be NULL */
        memcpy(buffer, transfer->request->body + transfer->body_taken, length);
    transfer->body_taken += length;
    return length;
}

/*
 * libcurl repeats a request by itself when a reused connection dies before the first byte of an
 * answer. For a write that could do it twice, so a body can be taken once only.
 */
static int
rewind_body(void *context, curl_off_t offset, int origin)
{
    const struct transfer *transfer = context;

    return offset == 0 && origin == SEEK_SET && transfer->body_taken == 0 ? CURL_SEEKFUNC_OK
                                                                          : CURL_SEEKFUNC_FAIL;
}

static const char too_large[] = "the answer is larger than 16 MiB";

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = transfer->answer;
    size_t length = size * count;

    /* decoded bytes: this is what a gzip bomb runs into */
    if (length > SF_ANSWER_MAX_BYTES - answer->length) {
        transfer->abort_reason = too_large;
        return 0;
    }
    if (answer->length + length + 1 > transfer->capacity) {
        size_t capacity = transfer->capacity ? 2 * transfer->capacity : FIRST_BODY_BYTES;
        char *grown;
        while (capacity < answer->length + length + 1)
            capacity *= 2;
        grown = realloc(answer->body, capacity);
        if (!grown) {
            transfer->abort_reason = "out of memory while reading the answer";
            return 0;
        }
        answer->body = grown;
        transfer->capacity = capacity;
    }
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return length;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of the header line if its name is this one: without white space around, cut to fit. */
static bool
header_value(const char *line, size_t length, const char *name, char *value, size_t room)
{
    size_t name_length = strlen(name);

    if (length <= name_length || line[name_length] != ':' ||
        ascii_compare_start(line, name, name_length) != 0)
        return false;
    line += name_length + 1;
    length -= name_length + 1;
    while (length && is_blank(*line)) {
        line++;
        length--;
    }
    while (length && is_blank(line[length - 1]))
        length--;
    if (length >= room)
        length = room - 1;
    memcpy(value, line, length);
    value[length] = '\0';
    return true;
}

/* 0: nonsense. */
static int64_t
date_us(const char *value)
{
    time_t seconds = curl_getdate(value, NULL);

    return seconds < 0 ? 0 : (int64_t)seconds * CLOCK_SECOND_US;
}

/* RFC 9110 10.2.3: seconds or an HTTP date, which is one of the clock that `now_us` is of. Nonsense is no
 * wish. */
static int64_t
retry_after_us(const char *value, int64_t now_us)
{
    int64_t wait_us;

    if (*value && strspn(value, "0123456789") == strlen(value)) {
        wait_us =
            strlen(value) > 9 ? RETRY_AFTER_MAX_US : strtoll(value, NULL, 10) * CLOCK_SECOND_US;
    } else {
        int64_t until_us = date_us(value);
        if (!until_us)
            return 0;
        wait_us = until_us - now_us;
    }
    if (wait_us < 0)
        return 0;
    return wait_us < RETRY_AFTER_MAX_US ? wait_us : RETRY_AFTER_MAX_US;
}

static size_t
take_header(char *line, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = transfer->answer;
    char value[64], warning[sizeof(answer->warning)];
    size_t length = size * count;

    transfer->header_bytes += length;
    if (transfer->header_bytes > HEADERS_MAX_BYTES) {
        transfer->abort_reason = "the answer has too many headers";
        return 0;
    }
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) { /* a 1xx answer came before */
        transfer->retry_after[0] = '\0';
        answer->limit_info[0] = answer->warning[0] = answer->request_id[0] = '\0';
        answer->date_us = 0;
    }
    header_value(line, length, "Retry-After", transfer->retry_after, sizeof(transfer->retry_after));
    header_value(line, length, "Sforce-Limit-Info", answer->limit_info, sizeof(answer->limit_info));
    if (header_value(line, length, "Warning", warning, sizeof(warning)) &&
        strncmp(answer->warning, "299 ", 4) != 0) /* a proxy adds one of its own behind that */
        memcpy(answer->warning, warning, sizeof(warning));
    if (header_value(line, length, "Date", value, sizeof(value)))
        answer->date_us = date_us(value);
    /* both were seen with Salesforce's answers (fact sheet 2.1) */
    if (!header_value(line, length, "X-Request-Id", answer->request_id,
                      sizeof(answer->request_id)) &&
        !answer->request_id[0])
        header_value(line, length, "X-Sfdc-Request-Id", answer->request_id,
                     sizeof(answer->request_id));
    return length;
}

static int
watch(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct transfer *transfer = context;

    (void)down_total, (void)down, (void)up_total, (void)up;
    if (!http_stopped(transfer->http))
        return 0;
    transfer->abort_reason = "the connector is stopping";
    return 1;
}

#define PRIVATE_ADDRESS                                                                            \
    "the host has an address of a private network, where no org is; nothing was sent. If a "       \
    "gateway or a private link is meant, name the host in 'allowed_hosts'"

static int
port_of(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, address, sizeof(v4));
    return ntohs(v4.sin_port);
}

/* libcurl's own sockets would leak into programs that the host starts. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    /* no_proxy may send a host round the proxy, which is seen by the port only */
    bool to_proxy = transfer->proxy_port && port_of(&address->addr) == transfer->proxy_port;

    (void)purpose;
    if (transfer->request->trace)
        transfer->request->trace->proxied = to_proxy;
    /* the address that is used, whatever the name led to before */
    if (!transfer->private_allowed && !to_proxy && address_is_private(&address->addr)) {
        transfer->abort_reason = PRIVATE_ADDRESS;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- one call ---- */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(handle, option, value);                                   \
        if (set_ != CURLE_OK)                                                                      \
            return set_;                                                                           \
    } while (0)

/* Explicit even where it is the default today: the host may run with another libcurl. */
static CURLcode
set_safety(CURL *handle, struct transfer *transfer)
{
    const struct http *http = transfer->http;
    struct http_origin origin;

    if (http_origin_parse(transfer->request->url, &origin, NULL) != PROV_OK)
        return CURLE_URL_MALFORMAT;
    transfer->private_allowed =
        origin.loopback || address_is_listed(http->private_hosts, origin.host);
    transfer->proxy_port = origin.loopback ? 0 : http_proxy_port(http->proxy);
    if (transfer->request->trace)
        transfer->request->trace->proxied = transfer->proxy_port != 0;
    /* a proxy resolves names itself, so of a name only TLS tells whose it is; a number is plain */
    if (!transfer->private_allowed && address_is_private_text(origin.host)) {
        transfer->abort_reason = PRIVATE_ADDRESS;
        transfer->unready = SF_FAULT_CONNECT;
        return CURLE_COULDNT_CONNECT;
    }
    SET(CURLOPT_PROTOCOLS_STR, origin.scheme);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, origin.scheme);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (http->ca_file) {
        SET(CURLOPT_CAINFO, http->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* else the system's directory would still be trusted */
    }
    if (http->pin)
        SET(CURLOPT_PINNEDPUBLICKEY, http->pin);
    /* one connection carries one request: nothing else shares its fate */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 0L); /* a body without a status */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* Elsewhere https_proxy and no_proxy of the environment count, as admins expect of programs
     * that use libcurl; the request is inside TLS then. Loopback is in clear: never by a proxy. */
    if (origin.loopback)
        SET(CURLOPT_NOPROXY, "*");
    else if (http->proxy)
        SET(CURLOPT_PROXY, http->proxy);
    return CURLE_OK;
}

static CURLcode
read_secret(struct transfer *transfer, const char *field, const char *reference, size_t *ret_length)
{
    struct prov_error err = PROV_ERROR_INIT;
    size_t which = transfer->secrets[0] ? 1 : 0;

    if (secret_ref_read_bytes(reference, &transfer->secrets[which], ret_length, &err) == PROV_OK)
        return CURLE_OK;
    snprintf(transfer->error, sizeof(transfer->error), "%s: %.200s", field, err.text);
    return CURLE_READ_ERROR;
}

/* Who we are, to the other side of TLS and to a proxy. Secrets are read anew with each call, and libcurl
 * keeps its copies until the handle is used again. */
static CURLcode
set_credentials(CURL *handle, struct transfer *transfer)
{
    const struct http *http = transfer->http;
    struct curl_blob key = { .flags = CURL_BLOB_COPY };
    CURLcode code;
    size_t length = 0;
    char *password;

    if (http->client_certificate) {
        SET(CURLOPT_SSLCERT, http->client_certificate);
        transfer->unready = SF_FAULT_CLIENT_CERTIFICATE;
        code = read_secret(transfer, "client_key", http->client_key, &key.len);
        if (code != CURLE_OK)
            return code;
        key.data = transfer->secrets[0];
        SET(CURLOPT_SSLKEY_BLOB, &key);
    }
    if (!http->proxy || !http->proxy_username)
        return CURLE_OK;
    SET(CURLOPT_PROXYUSERNAME, http->proxy_username);
    if (!http->proxy_password)
        return CURLE_OK;
    transfer->unready = SF_FAULT_PROXY;
    code = read_secret(transfer, "proxy_password", http->proxy_password, &length);
    if (code != CURLE_OK)
        return code;
    password = transfer->secrets[1] ? transfer->secrets[1] : transfer->secrets[0];
    password[strcspn(password, "\r\n")] = '\0';
    SET(CURLOPT_PROXYPASSWORD, password);
    return CURLE_OK;
}

static CURLcode
set_limits(CURL *handle, struct transfer *transfer)
{
    struct http *http = transfer->http;
    long connect_ms = time_left_ms(http, http->connect_timeout_ms);
    long request_ms = time_left_ms(http, http->request_timeout_ms);

    if (!connect_ms || !request_ms) { /* 0 would be without a limit */
        transfer->abort_reason = "there was no time left for it";
        transfer->unready = SF_FAULT_CONNECT_TIMEOUT;
        return CURLE_OPERATION_TIMEDOUT;
    }
    /* name, connection, proxy and TLS together */
    SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    /* The total limit is the only one on a slow answer: Salesforce works up to 10 minutes on a call
     * without sending a byte (fact sheet 10), so a low-speed limit would end good calls. */
    SET(CURLOPT_TIMEOUT_MS, request_ms);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* else libcurl waits for name servers beyond all limits; older ones do. The thread that asks them
     * ends by itself, and frees what is its own. */
    (void)curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
#endif
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_SEC);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)SF_ANSWER_MAX_BYTES);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, transfer);
    return CURLE_OK;
}

static CURLcode
set_request(CURL *handle, struct transfer *transfer, struct curl_slist *headers)
{
    const struct http_request *request = transfer->request;

    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_USERAGENT, transfer->http->user_agent);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    if (request->trace)
        SET(CURLOPT_CERTINFO, 1L);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, transfer);
    /* a libcurl without zlib refuses it; then answers come unpacked */
    if (transfer->http->unpacks)
        (void)curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (!request->body) {
        SET(CURLOPT_HTTPGET, 1L);
        return CURLE_OK;
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES);
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, transfer);
    SET(CURLOPT_SEEKFUNCTION, rewind_body);
    SET(CURLOPT_SEEKDATA, transfer);
    return CURLE_OK;
}

static void
headers_cleanup(struct curl_slist **headers)
{
    for (struct curl_slist *header = *headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data)); /* one of them holds the token */
    curl_slist_free_all(*headers);
}

static int
add_header(struct curl_slist **headers, const char *name, const char *value)
{
    struct curl_slist *longer;
    char *line = NULL;
    int length = asprintf(&line, "%s%s", name, value);

    if (length < 0)
        return PROV_E_NOMEM;
    longer = curl_slist_append(*headers, line);
    explicit_bzero(line, (size_t)length);
    free(line);
    if (!longer)
        return PROV_E_NOMEM;
    *headers = longer;
    return PROV_OK;
}

static int
make_headers(const struct http_request *request, struct curl_slist **headers)
{
    if (add_header(headers, "Accept: ", "application/json") != PROV_OK)
        return PROV_E_NOMEM;
    if (request->bearer &&
        add_header(headers, "Authorization: Bearer ", request->bearer) != PROV_OK)
        return PROV_E_NOMEM;
    if (!request->body)
        return PROV_OK;
    /* an empty Expect: no waiting for a 100 that Salesforce does not send */
    if (add_header(headers, "Content-Type: ", request->content_type) != PROV_OK ||
        add_header(headers, "Expect:", "") != PROV_OK)
        return PROV_E_NOMEM;
    return PROV_OK;
}

/*
 * A body of which libcurl took nothing did not leave; without a body, count what was sent, which a proxy
 * was sent as well before it let us through. What libcurl took may still be in its buffer: in doubt it has
 * arrived.
 */
static bool
may_have_arrived(CURL *handle, const struct transfer *transfer)
{
    curl_off_t ready_us = 0;
    long sent = 0;

    if (!transfer->performed)
        return false;
    if (transfer->request->body)
        return transfer->body_taken > 0;
    if (curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &ready_us) == CURLE_OK && !ready_us)
        return false;
    return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent) != CURLE_OK || sent > 0;
}

/* By TLS 1.3 we send before the other side has looked at our certificate; if it does not take it, its first
 * answer is an alert, and nobody has read the request. */
static enum http_distrust
distrust_of(const struct transfer *transfer, CURLcode code)
{
    if (!transfer->header_bytes && http_refuses_us((int)code, transfer->error))
        return HTTP_CLIENT_CERTIFICATE;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_CERTIFICATE;
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return HTTP_PIN;
    case CURLE_SSL_CACERT_BADFILE:
        return HTTP_CA_FILE;
    case CURLE_SSL_CERTPROBLEM:
        return HTTP_CLIENT_CERTIFICATE;
    default:
        return HTTP_TRUSTED;
    }
}

/* Why it failed. In libcurl's words, but for an answer that is too large, and for a connection that was closed:
 * a kept one makes it speak of how it wanted to send the body again. */
static const char *
words_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->abort_reason)
        return transfer->abort_reason;
    if (code == CURLE_FILESIZE_EXCEEDED)
        return too_large;
    if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_GOT_NOTHING)
        return "the connection was closed before an answer came";
    return transfer->error[0] ? transfer->error : curl_easy_strerror(code);
}

static void
settle(CURL *handle, struct transfer *transfer, CURLcode code)
{
    struct http_answer *answer = transfer->answer;
    long status = 0;

    if (code == CURLE_OK)
        code = curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status > 0 && !transfer->abort_reason) {
        answer->end = HTTP_ANSWERED;
        answer->status = (int)status;
        answer->retry_after_us = retry_after_us(transfer->retry_after,
                                                answer->date_us ? answer->date_us : clock_now_us());
        return;
    }
    answer->distrust = distrust_of(transfer, code);
    answer->end = answer->distrust == HTTP_TRUSTED && may_have_arrived(handle, transfer)
                      ? HTTP_NO_ANSWER
                      : HTTP_NOT_SENT;
    answer->unreached =
        answer->end == HTTP_NOT_SENT && transfer->performed && !transfer->abort_reason;
    snprintf(answer->why, sizeof(answer->why), "%s", words_of(transfer, code));
}

int
http_call(struct http *http, const struct http_request *request, struct http_answer *ret)
{
    CLEANUP(headers_cleanup) struct curl_slist *headers = NULL;
    struct transfer transfer = { .http = http, .request = request, .answer = ret };
    struct sigpipe_guard guard;
    CURLcode code;
    CURL *handle;

    *ret = (struct http_answer){ .end = HTTP_NOT_SENT };
    if (http_stopped(http)) {
        snprintf(ret->why, sizeof(ret->why), "the connector is stopping");
        return PROV_OK;
    }
    if (make_headers(request, &headers) != PROV_OK || !(handle = handle_take(http)))
        return PROV_E_NOMEM;
    sigpipe_block(&guard);
    code = set_safety(handle, &transfer);
    if (code == CURLE_OK)
        code = set_credentials(handle, &transfer);
    if (code == CURLE_OK)
        code = set_limits(handle, &transfer);
    if (code == CURLE_OK)
        code = set_request(handle, &transfer, headers);
    if (code == CURLE_OK) {
        transfer.performed = true;
        code = curl_easy_perform(handle);
    }
    settle(handle, &transfer, code);
    if (request->trace && transfer.performed)
        http_trace_read(handle, (int)code, transfer.error, strncmp(request->url, "https:", 6) == 0,
                        request->trace);
    else if (request->trace)
        request->trace->fault = transfer.unready;
    if (request->trace)
        request->trace->date_us = ret->date_us;
    for (size_t i = 0; i < 2; i++)
        secret_free(transfer.secrets[i]);
    sigpipe_restore(&guard);
    handle_give_back(http, handle, code);
    return PROV_OK;
}

void
http_answer_clear(struct http_answer *answer)
{
    if (answer->body)
        explicit_bzero(answer->body, answer->length);
    free(answer->body);
    answer->body = NULL;
    answer->length = 0;
}
