/*
 * The Salesforce client: one session for one org and execution user.
 *
 * Threads  Every function may be called from any thread. The access token is shared: fetched once
 *          for all who wait for it, kept until the org answers 401, then fetched anew once and the
 *          call repeated once.
 *          A failed token request is remembered for 1 second, doubling to 60, and answers who asks
 *          meanwhile: Salesforce allows 3600 logins per user and hour (fact sheet 1.3).
 * Blocking Every call blocks up to the time limits of the settings, or until the deadline if one is set;
 *          sf_session_stop() ends them.
 * Errors   A call that reached an answer or a certain non-answer returns 0 and says in *call what
 *          came of it. A negative code means that nothing was written: PROV_E_NOMEM, PROV_E_INVALID
 *          and PROV_E_LIMIT for the caller's own fault; *call says the same in words.
 * Fork     The child of a fork leaves the parent's session alone: not used, not freed.
 */
#ifndef SALESFORCE_SESSION_H
#define SALESFORCE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "plugin/base/json.h"
#include "plugin/salesforce/outcome.h"

#define SF_ID_SIZE          19 /* 18 characters and NUL */
#define SF_MAX_RECORDS      200
#define SF_ANSWER_MAX_BYTES (16u * 1024u * 1024u)
/* Largest SOQL text as it stands in the URL, see sf_soql_url_bytes() (fact sheet 11.2: URLs below
 * 8 KiB); cut IN lists so that they fit. */
#define SF_SOQL_MAX_BYTES 8000u

/* How a token is come by (fact sheet 1.4 to 1.7). */
enum sf_flow {
    SF_CLIENT_CREDENTIALS, /* as the app's execution user */
    SF_JWT_BEARER,         /* as `username`, signed with `private_key`; no secret is sent */
    SF_REFRESH_TOKEN,      /* as whoever approved the app once */
    SF_PASSWORD            /* as `username`: legacy, and blocked in newer orgs */
};

/*
 * Where tokens are kept beyond this session, for other processes and the next start. `put` has to be
 * durable when it returns, and to keep the text from everybody else: it is a secret. *ret of `get` is
 * NULL when there is none; the caller gives it back with secret_free(). `lock` waits until no other
 * process is at the token endpoint; it may fail, then it goes on without. All return 0 or an error.
 */
struct sf_keeper {
    void *context;
    int (*get)(void *context, const char *name, char **ret, struct prov_error *err);
    int (*put)(void *context, const char *name, const char *text, struct prov_error *err);
    int (*lock)(void *context);
    void (*unlock)(void *context);
};

struct sf_settings {
    const char *origin;         /* https://acme.my.salesforce.com; http only on loopback */
    const char *api_version;    /* "v67.0" */
    const char *token_endpoint; /* full URL */
    enum sf_flow flow;
    const char *client_id;
    /* Secrets by reference (base/secret_ref.h), read at each login. NULL where the flow needs none. */
    const char *client_secret, *password, *security_token, *refresh_token;
    const char *private_key, *private_key_next, *private_key_password;
    const char
        *certificate;     /* file with the certificate of private_key; NULL: that beside the key */
    const char *username; /* of the user who is acted for */
    const char *audience; /* of a JWT: https://login.salesforce.com */
    const char
        *allowed_hosts; /* beyond Salesforce's, that a token may go to; comma between; or NULL */
    const struct sf_keeper *keeper; /* copied; NULL: nothing is kept */
    const char *user_agent;
    const char *ca_file; /* PEM; whom to trust instead of the system's authorities; NULL: those */
    const char *tls_pin; /* of the server's public key, "sha256//..."; NULL: any */
    const char *client_certificate, *client_key; /* PEM file; secret by reference; NULL: none */
    const char *proxy, *proxy_username, *proxy_password; /* NULL: as the environment says */
    int64_t connect_timeout_ms; /* name, connection, proxy and TLS together; 0: 10 s */
    int64_t request_timeout_ms; /* a call from its begin to the last byte; 0: 120 s */
    bool keeps_reserve;         /* of the org's API calls of 24 hours; else every call goes */
    int64_t reserve_percent;    /* of them, left to others */
};

struct sf_session;

/* Copies the settings. Does no I/O. PROV_E_FIELDS for a URL, version or text that cannot be used;
 * PROV_E_NOMEM; PROV_E_STATE when libcurl is unusable here. */
MUST_CHECK int sf_session_new(const struct sf_settings *settings, struct sf_session **ret,
                              struct prov_error *err);
/* No call may be under way. Secrets are wiped. NULL is allowed. */
void sf_session_free(struct sf_session *session);
/* Makes calls under way, and later ones, end soon with SF_UNKNOWN or SF_RETRY. Any thread. */
void sf_session_stop(struct sf_session *session);
/* Calls that begin after this end by then (monotonic, us), and send nothing when it is past; token
 * requests, too. 0: only the limits of the settings count. */
void sf_session_set_deadline(struct sf_session *session, int64_t deadline_us);

/*
 * Whether a call may take one of the reserve. One that can wait is not made if it would: its outcome is SF_HOLD with
 * the code SF_RESERVE_CODE, and nothing was sent. Calls that do not say it can wait. Until an answer has told how many
 * calls are used, and without a reserve, all are made.
 */
enum sf_urgency {
    SF_CAN_WAIT,
    SF_URGENT /* takes the access of who has left, or looks whether the number has fallen */
};
#define SF_RESERVE_CODE "API_RESERVE"
#define SF_RESERVE_CAUSE                                                                           \
    "all programs that use the org's API together have used up what is not reserved"
#define SF_RESERVE_REMEDY                                                                          \
    "nothing: it goes on by itself as calls become older than 24 hours. Setup > Company "          \
    "Information shows the use; to go on now, lower api_reserve_percent or buy calls"

/* What became of a call as a whole. */
struct sf_call {
    enum sf_outcome outcome;    /* SF_DELIVERED: see the records or the result */
    int http_status;            /* 0: no answer */
    int64_t retry_after_us;     /* as the answer asked for; 0: it did not */
    char code[64];              /* Salesforce's errorCode or error; "" if none */
    char message[512];          /* Salesforce's or the transport's words */
    const char *cause, *remedy; /* static, never NULL when outcome is not SF_DELIVERED */
    int64_t took_us;            /* the last transfer of it; 0: there was none */
    char request_id[64];        /* Salesforce's, for its support; "" if it told none */
};

/* What became of one record of a call that was delivered as a whole. */
struct sf_record {
    enum sf_outcome outcome; /* never SF_HOLD */
    char id[SF_ID_SIZE];     /* created or updated; "" if none */
    char code[64];
    char message[512];
    char fields[128]; /* names, comma between */
    const char *cause, *remedy;
};

/* What a record is changed to, or made as. */
struct sf_change {
    const char *id;             /* 15 or 18 characters; NULL for a create */
    const struct value *fields; /* field -> value, without Id; null clears a field */
};

/* UserLogin records tell whether a user is frozen (fact sheet 2.9); they are there or not, and cannot be
 * created. One kind of object a call. */
enum sf_batch_kind {
    SF_CREATE_USERS,
    SF_UPDATE_USERS,
    SF_UPDATE_LOGINS
};

struct sf_batch;

/*
 * The body of one sObject Collections call, allOrNone false, for 1..SF_MAX_RECORDS changes; keeps nothing
 * of them. PROV_E_NOMEM, PROV_E_INVALID, PROV_E_LIMIT: *call says why.
 */
MUST_CHECK int sf_batch_new(enum sf_batch_kind kind, const struct sf_change *changes, size_t count,
                            struct sf_batch **ret, struct sf_call *call);
/* Wipes it. NULL is allowed. */
void sf_batch_free(struct sf_batch *batch);
DEFINE_CLEANUP(struct sf_batch *, sf_batch, sf_batch_free);
/*
 * Makes the call. With outcome SF_DELIVERED every results[i] is set, in the order of the changes. An
 * answer of the wrong length, or with ids that do not fit, is SF_UNKNOWN for the whole call. Any thread;
 * several batches may be under way at once.
 */
MUST_CHECK int sf_batch_send(struct sf_session *session, const struct sf_batch *batch,
                             enum sf_urgency urgency, struct sf_record *results,
                             struct sf_call *call);

/* Sets the password of the user with this Id. One API call; a write like any other: no answer is
 * SF_UNKNOWN. Nothing in *call holds the password. */
MUST_CHECK int sf_set_password(struct sf_session *session, const char *id, const char *password,
                               struct sf_call *call);

/* Runs SOQL, all pages; not for COUNT(). *ret_records: an array of objects, as many as the answer says
 * there are, that the caller owns (SF_DELIVERED only). PROV_E_LIMIT beyond SF_SOQL_MAX_BYTES. A result
 * beyond 500 pages, 64 MiB or some two million values is SF_REFUSED: page by Id. */
MUST_CHECK int sf_query(struct sf_session *session, const char *soql, enum sf_urgency urgency,
                        struct json_object **ret_records, struct sf_call *call);

/* Versions the org offers, newest last: array of {"label","url","version"}. No token needed. */
MUST_CHECK int sf_versions(struct sf_session *session, struct json_object **ret_versions,
                           struct sf_call *call);

/* Where a request failed; in the order of its way. */
enum sf_fault {
    SF_FAULT_NONE,
    SF_FAULT_PROXY,
    SF_FAULT_PROXY_LOGIN,
    SF_FAULT_NAME,
    SF_FAULT_NAME_TIMEOUT,
    SF_FAULT_CONNECT,
    SF_FAULT_CONNECT_TIMEOUT,
    SF_FAULT_CA_FILE,
    SF_FAULT_TLS,
    SF_FAULT_TLS_TIMEOUT,
    SF_FAULT_UNKNOWN_CA,
    SF_FAULT_SELF_SIGNED,
    SF_FAULT_HOST_NAME,
    SF_FAULT_EXPIRED,
    SF_FAULT_NOT_YET_VALID,
    SF_FAULT_PIN,
    SF_FAULT_CLIENT_CERTIFICATE,
    SF_FAULT_ANSWER, /* the connection stood, and then no whole answer came */
    SF_FAULT_ANSWER_TIMEOUT
};

/* How far a request came. */
struct sf_trace {
    enum sf_fault fault;
    bool proxied;                      /* it was to go by a proxy */
    bool resolved, connected, secured; /* the host's name, or the proxy's; secured: TLS stands */
    char address[64];                  /* that the connection is to; "": none */
    int64_t date_us;                   /* what the other side's clock says; 0: nothing */
    int64_t certificate_end_us;        /* of the host's certificate; 0: not told */
};

/* sf_versions(), and how it went. A new connection is made if the session has made no call yet. */
MUST_CHECK int sf_probe(struct sf_session *session, struct sf_trace *ret_trace,
                        struct json_object **ret_versions, struct sf_call *call);

/* The describe of an object (fact sheet 2.6) and the org's limits (2.4), as they are told; the caller owns
 * *ret. With SF_DELIVERED it is an object, and a describe has an array "fields". */
MUST_CHECK int sf_describe(struct sf_session *session, const char *object, struct json_object **ret,
                           struct sf_call *call);
MUST_CHECK int sf_limits(struct sf_session *session, struct json_object **ret,
                         struct sf_call *call);

/* Who we are, from the token's identity URL; fetches a token if there is none. 18-character ids.
 * Does not ask the data API: SF_DELIVERED says that the credentials work, not that the API does. */
MUST_CHECK int sf_identity(struct sf_session *session, char org_id[SF_ID_SIZE],
                           char user_id[SF_ID_SIZE], struct sf_call *call);

/* Drops the token, a remembered failure and what the org told of its use, so that the next call asks for
 * one, or takes another one that is kept (for probes, and when an admin has put something right). */
void sf_session_forget_token(struct sf_session *session);

/* The same, and the next token is asked for even if another process has kept one. */
void sf_session_login_anew(struct sf_session *session);

struct sf_usage {
    uint64_t api_calls;        /* made by this session, token requests left out */
    uint64_t token_calls;      /* token requests */
    int64_t day_used, day_max; /* from Sforce-Limit-Info, -1 unknown; the first number is USED */
    int64_t day_at_us;         /* told when; wall clock */
    char
        deprecation[256]; /* what the org says of our version of the API, if that is retired next */
};
void sf_session_usage(struct sf_session *session, struct sf_usage *ret);
/* So many of an org's calls are the reserve; and so many are left before one touches it, 0 or more. */
int64_t sf_reserve_of(int64_t day_max, int64_t percent);
int64_t sf_reserve_left(int64_t day_used, int64_t day_max, int64_t percent);
/* Whether a call that can wait would not be made now; *ret_call as for such a one, in both cases. */
bool sf_reserve_reached(struct sf_session *session, struct sf_call *ret_call);

/* Now by Salesforce's clock, to a second or so: by the header Date of the last answer, and the time since.
 * 0: no answer has told yet. Our own wall clock has no part in it. */
int64_t sf_session_now_us(struct sf_session *session);

/* How the last login went; all 0 before the first. */
struct sf_login {
    enum sf_flow flow;
    unsigned key_in_use;       /* JWT: 1 private_key, 2 private_key_next, 0 not known yet */
    int64_t key_expires_us[2]; /* of their certificates, since 1970; 0: not known */
};
void sf_session_login(struct sf_session *session, struct sf_login *ret);

/* ---- approving the app once, for a refresh token (fact sheet 1.8) ---- */

struct sf_approval {
    const char *redirect_uri; /* one of the app's callback URLs, to the letter */
    const char *state;        /* comes back with the code */
    const char *verifier; /* PKCE, RFC 7636: 43 to 128 letters and digits; a secret until then */
};

/* Where a person says yes in a browser. *ret is heap. PROV_E_INVALID for a part that cannot be used. */
MUST_CHECK int sf_login_url(struct sf_session *session, const struct sf_approval *approval,
                            char **ret, struct prov_error *err);
/* Exchanges the code, which is good once and for some minutes. With SF_DELIVERED the refresh token is
 * kept; a keeper is needed for that. The ids are 18 characters, or "". PROV_E_NOMEM as for calls. */
MUST_CHECK int sf_login_code(struct sf_session *session, const struct sf_approval *approval,
                             const char *code, char org_id[SF_ID_SIZE], char user_id[SF_ID_SIZE],
                             struct sf_call *call);

/* ---- small pure helpers, in ids.c ---- */

/* 15- or 18-character id to 18 with a right suffix; PROV_E_INVALID for anything else. */
MUST_CHECK int sf_id_normalise(const char *id, char ret[SF_ID_SIZE], struct prov_error *err);

/* Text as a SOQL string literal, quoted and escaped (SOQL reference): heap text the caller owns;
 * NULL when out of memory. Not for LIKE, which escapes % and _ as well. */
char *sf_soql_quote(const char *text);

/* Bytes that SOQL takes in the URL, where most characters but letters and digits become three. */
size_t sf_soql_url_bytes(const char *soql);

/* Percent-encodes all but RFC 3986 unreserved characters; heap, NULL when out of memory. */
char *sf_percent_encode(const char *text);

#endif
