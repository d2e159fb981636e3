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
    MAX_HEADERS = 16
};

struct header {
    char *name, *value;
};

/* What the server does with the reply. */
enum delivery {
    DELIVERY_SEND,
    DELIVERY_CLOSE, /* no byte of an answer */
    DELIVERY_CUT,   /* headers and half the body, then closed */
    DELIVERY_SLOW   /* headers and half the body, the rest after a pause */
};

struct reply {
    int status;
    struct header headers[MAX_HEADERS];
    size_t header_count;
    char *body; /* NULL: none */
    size_t body_bytes;
    enum delivery delivery;
    int64_t pause_ms; /* DELIVERY_SLOW */
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
    struct row *user;         /* whose session it is; NULL: not looked at */
    bool late;                /* applied by the timer: the caller is gone */
    bool inner; /* a part of a composite call, which has the session and was counted */
    struct changes *transaction; /* of the composite call that takes all back or nothing, or NULL */
    bool met_lock;               /* another call under way has the locks that this one needs */
    bool met_long_calls;         /* as many long calls are under way as the org allows */
    bool failed;       /* answered 200, but a record of it failed: the transaction fails with it */
    int64_t records;   /* written or returned, for the call log */
    const char *fault; /* what was done to it, for the call log */
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

/* A part of a composite call: a path below /services/data, without session and count. */
void api_answer_inner(struct call *call);
/* Answers a part of call, which adds its records to call's; body NULL: none. transaction: see there.
 * False when it failed. */
bool api_answer_part(struct call *call, const char *method, const char *target, const char *body,
                     struct changes *transaction, struct reply *reply);
/* Counts one API call (2.3); false, with the reply, over the daily limit. */
bool api_count(struct call *call);

/* Routes behind /services/data/vXX.X/ ; segments from that index on are theirs. */
void api_sobjects(struct call *call);                      /* api_rows.c */
void api_external(struct call *call, struct table *table); /* api_external.c */
void api_password(struct call *call, struct row *row);     /* api_password.c */
void api_collections(struct call *call);                   /* api_collections.c */
void api_composite(struct call *call);                     /* api_composite.c */
void api_batch(struct call *call);                         /* api_batch.c */
void api_tree(struct call *call);                          /* api_batch.c */
void api_query(struct call *call);                         /* api_query.c */
void api_resources(struct call *call);                     /* api_resources.c */
void api_limits(struct call *call);                        /* api_resources.c */
void api_record_count(struct call *call);                  /* api_resources.c */
void api_token(struct call *call);                         /* oauth.c */
void api_userinfo(struct call *call);                      /* oauth.c */
void api_identity(struct call *call);                      /* oauth.c */
void api_revoke(struct call *call);                        /* oauth.c */

/* oauth.c: whether the request carries a valid token of this org (6.2: 401 INVALID_SESSION_ID). */
bool call_is_authorized(struct call *call);

/* One record of a create (row NULL), an update or a deletion (record NULL), faults on records
 * included. */
bool api_write_record(struct call *call, struct table *table, struct row *row,
                      struct json_object *record, struct row **ret, struct changes *changes,
                      struct refusal *refusal);
/* The changes a route notes: those of the composite call around it, else its own. */
struct changes *call_changes(struct call *call, struct changes *own);
/* {"id":..,"success":true,"errors":[]} (2.5). */
struct json_object *api_success(const char *id);
/* [{"statusCode","message","fields"}] (4.1, 4.4). */
struct json_object *api_errors(const struct refusal *refusal);
/* The row a path or a list names, deleted ones refused: 6.2's words. */
struct row *api_row_named(struct call *call, struct table *table, const char *text);
void api_read_row(struct call *call, struct row *row);
/* The rows whose field has this value, without regard to letter case. Heap; *ret_count of them. */
struct row **api_external_rows(struct table *table, const struct field_facts *field,
                               const char *value, size_t *ret_count);
/* The body must be an object of these members, NULL at the end (JSON_PARSER_ERROR). */
bool call_check_members(struct call *call, struct json_object *object, const char *const *known);
/* A boolean member; false with the reply for another type. */
bool call_read_flag(struct call *call, struct json_object *object, const char *name, bool otherwise,
                    bool *ret);
bool call_check_type(struct call *call, struct table *table, struct json_object *record);

/* The first segment behind the version. */
enum {
    API_ROOT = 3
};

#endif
