/*
 * What an org answers to one HTTP request, without the HTTP server: the request is taken apart here,
 * the reply is a status, headers and a body.
 */
#ifndef ORG_API_H
#define ORG_API_H

#include "tests/org/org.h"

struct request {
    const char *method;
    const char *target;       /* as on the request line: path?query */
    const char *content_type; /* header values, NULL when absent */
    const char *authorization;
    const char *query_options; /* Sforce-Query-Options */
    const char *if_none_match;
    const char *content_encoding;
    size_t head_bytes; /* URI and headers (section 10) */
    const char *body;
    size_t body_bytes;
};

enum {
    MAX_HEADERS = 12
};

struct header {
    char *name, *value;
};

/* What the server does with the reply. */
enum delivery {
    DELIVERY_SEND,
    DELIVERY_CLOSE, /* no byte of an answer */
    DELIVERY_CUT    /* headers and half the body, then closed */
};

struct reply {
    int status;
    struct header headers[MAX_HEADERS];
    size_t header_count;
    char *body; /* NULL: none */
    size_t body_bytes;
    enum delivery delivery;
};

void reply_free(struct reply *reply);
void reply_header(struct reply *reply, const char *name, const char *value);
/* Takes over value. */
void reply_json(struct reply *reply, int status, struct json_object *value);
/* [{"message","errorCode"[,"fields"]}] (2.12). */
void reply_refusal(struct reply *reply, const struct refusal *refusal);
PRINTF_LIKE(4, 5)
void reply_error(struct reply *reply, int status, const char *code, const char *format, ...);
void reply_not_found(struct reply *reply);
/* allowed: "HEAD,GET". */
void reply_not_allowed(struct reply *reply, const char *method, const char *allowed);

enum {
    MAX_SEGMENTS = 12,
    MAX_PARAMETERS = 64
};

struct parameter {
    char *name, *value;
};

/* A request on its way through the routes. */
struct call {
    struct org *org;
    const struct request *request;
    struct reply *reply;
    char *path;                   /* without the query, as sent */
    char *segments[MAX_SEGMENTS]; /* decoded */
    size_t segment_count;
    struct parameter parameters[MAX_PARAMETERS]; /* of the query; for the token also of the body */
    size_t parameter_count;
    char version[8]; /* "v67.0" */
    int version_number;
    struct json_object *json; /* the body, when the route reads it */
    bool late;                /* applied by the timer: the caller is gone */
    int64_t records;          /* written or returned, for the call log */
    const char *fault;        /* what was done to it, for the call log */
};

/* False and a reply when the target cannot be taken apart. */
bool call_init(struct call *call, struct org *org, const struct request *request,
               struct reply *reply);
void call_free(struct call *call);
const char *call_parameter(const struct call *call, const char *name);
bool call_method_is(const struct call *call, const char *method); /* GET includes HEAD */
bool call_add_parameters(struct call *call, const char *text, size_t length);
/* Reads the body as a JSON object into call->json: content type, size, grammar. */
bool call_read_json(struct call *call);

/* The whole of it: routes, faults left out. world.mutex is held. */
void api_answer(struct call *call);
/* The same for a call the login host takes (call->org is NULL), or the control interface. */
void login_answer(struct world *world, struct call *call);
void control_answer(struct call *call);

/* Routes behind /services/data/vXX.X/ ; segments from that index on are theirs. */
void api_sobjects(struct call *call);    /* api_rows.c */
void api_collections(struct call *call); /* api_collections.c */
void api_query(struct call *call);       /* api_query.c */
void api_token(struct call *call);       /* oauth.c */
void api_userinfo(struct call *call);    /* oauth.c */
void api_identity(struct call *call);    /* oauth.c */
void api_revoke(struct call *call);      /* oauth.c */

/* oauth.c: whether the request carries a valid token of this org (6.2: 401 INVALID_SESSION_ID). */
bool call_is_authorized(struct call *call);

/* One record of a create or update, faults on records included. */
bool write_record(struct call *call, struct row *row, struct json_object *record, struct row **ret,
                  struct changes *changes, struct refusal *refusal);

/* The first segment behind the version. */
enum {
    API_ROOT = 3
};

#endif
