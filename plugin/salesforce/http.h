/*
 * HTTP for this room only: one request, one answer, over libcurl, which nobody else calls. Private
 * to plugin/salesforce/: other rooms use session.h.
 */
#ifndef SALESFORCE_HTTP_H
#define SALESFORCE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/base/error.h"

/* Scheme, host and port, as libcurl's own parser reads them: what is checked is what is used. */
struct http_origin {
    char scheme[8]; /* "https" or "http" */
    char host[256]; /* lower case; an IPv6 address in brackets */
    int port;       /* the scheme's own one if the URL names none */
    bool loopback;  /* localhost, 127.0.0.0/8 or [::1], by the text */
    bool has_path;  /* there is a path beyond "/", a query or a fragment */
};

/* PROV_E_INVALID: not an absolute URL, another scheme, user information, or a host that
 * needs decoding. */
MUST_CHECK int http_origin_parse(const char *url, struct http_origin *ret, struct prov_error *err);
bool http_origin_same(const struct http_origin *a, const struct http_origin *b);
/* "https://host" or "https://host:8443"; heap, NULL when out of memory. */
char *http_origin_text(const struct http_origin *origin);

/* Port of the proxy that a request to a host beyond this machine is to go by: of `configured`, else of the
 * environment's; no_proxy may still send it round the proxy. 0: there is none. */
int http_proxy_port(const char *configured);

struct http;
struct sf_trace;

struct http_settings {
    const char *user_agent;
    const char *ca_file; /* PEM; NULL: the system's certificate authorities */
    const char *pin; /* "sha256//...": the server's public key, beside its certificate; NULL: any */
    const char *client_certificate; /* PEM file; NULL: none is shown */
    const char *client_key;         /* secret by reference, PEM; with client_certificate */
    const char *proxy;              /* URL; NULL: as the environment says */
    const char *proxy_username;
    const char *proxy_password; /* secret by reference */
    const char *private_hosts;  /* who may have an address of a private network; comma between */
    int64_t connect_timeout_ms; /* name, connection, proxy and TLS together */
    int64_t request_timeout_ms; /* all of it, the connection included */
};

/* Copies the settings; a CA file is read with each new connection. PROV_E_NOMEM; PROV_E_STATE when
 * the libcurl of this process cannot be used by threads. */
MUST_CHECK int http_new(const struct http_settings *settings, struct http **ret,
                        struct prov_error *err);
/* No call may be under way. NULL is allowed. */
void http_free(struct http *http);
/* Calls under way end within a second or so, later ones at once. Any thread. */
void http_stop(struct http *http);
bool http_stopped(const struct http *http);
/* Calls end then, whatever the limits of the settings are, and later ones send nothing. Monotonic; 0: no
 * deadline. For calls that begin after this. Any thread. */
void http_set_deadline(struct http *http, int64_t deadline_us);
bool http_time_is_over(struct http *http);

struct http_request {
    const char *method; /* GET, POST, PATCH */
    const char *url;    /* https, or http on loopback: the caller has checked it */
    const char *bearer; /* access token; NULL for none */
    const char *content_type;
    const char *body; /* NULL for none */
    size_t body_length;
    bool body_secret;       /* what libcurl copies of it is left out of core dumps */
    struct sf_trace *trace; /* filled; NULL: it is not asked for */
};

enum http_end {
    HTTP_ANSWERED, /* the whole answer is here */
    HTTP_NOT_SENT, /* surely nothing was done there */
    HTTP_NO_ANSWER /* the request, or part of it, may have arrived */
};

/* Why TLS came to nothing, as far as an admin can do something about it. */
enum http_distrust {
    HTTP_TRUSTED,           /* or it did not come to that */
    HTTP_CERTIFICATE,       /* the other side's certificate was refused */
    HTTP_PIN,               /* it is good, but its key is not the one that is pinned */
    HTTP_CA_FILE,           /* the file of certificate authorities cannot be read */
    HTTP_CLIENT_CERTIFICATE /* it cannot be read, or the other side does not take it, or wants one */
};

struct http_answer {
    enum http_end end;
    enum http_distrust distrust;
    bool unreached;         /* HTTP_NOT_SENT: there was no way to who was to answer */
    int status;             /* HTTP_ANSWERED only */
    char *body;             /* NUL-terminated; NULL if empty */
    size_t length;          /* decoded bytes */
    int64_t retry_after_us; /* Retry-After, seconds or date; 0: none */
    char limit_info[128];   /* Sforce-Limit-Info; "" if none */
    char warning[256];      /* Warning; "" if none */
    int64_t date_us;        /* Date, the answer's own time, since 1970; 0: none */
    char request_id[64];    /* X-Request-Id, or X-Sfdc-Request-Id; "" if none */
    char why[256];          /* what went wrong, unless HTTP_ANSWERED */
};

/*
 * One request, without redirects, cookies or credentials of the environment. PROV_E_NOMEM only
 * before anything was sent; everything else is told by ret->end. Give the answer back with
 * http_answer_clear(), which wipes it.
 */
MUST_CHECK int http_call(struct http *http, const struct http_request *request,
                         struct http_answer *ret);
void http_answer_clear(struct http_answer *answer);

#endif
