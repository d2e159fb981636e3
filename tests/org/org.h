/*
 * The model of simulated Salesforce orgs: rows, rules, registry. No HTTP, no threads.
 *
 * A world holds several orgs and what they share: the registry of usernames (fact sheet 3.5: unique
 * over all orgs, inactive users included). The caller holds world.mutex around every call here.
 * Section numbers in this directory are those of the fact sheet; "unsure" repeats its word for what
 * no public source confirms, and then the stricter reading was taken.
 */
#ifndef ORG_ORG_H
#define ORG_ORG_H

#include <pthread.h>
#include <json-c/linkhash.h>

#include "tests/org/facts.h"
#include "tests/org/ids.h"
#include "tests/org/text.h"

enum {
    MAX_ORGS = 8
};

/* A refused write, query or call. */
struct refusal {
    int status; /* HTTP status of a single-record call */
    char code[64];
    char message[2048];
    char fields[512]; /* names, comma between */
    bool has_fields;  /* whether "fields" stands in the body at all (2.12) */
};

/* Fills *refusal and returns false, so that a rule ends with `return refuse(...)`. fields NULL: no
 * "fields" member; "" an empty one. */
PRINTF_LIKE(5, 6)
bool refuse(struct refusal *refusal, int status, const char *code, const char *fields,
            const char *format, ...);

struct row {
    struct org *org;
    struct table *table;
    char id[ID_SIZE];
    struct json_object *values; /* by name; a null field is absent */
    char *pending_email;        /* 3.8: asked for, not yet verified; NULL if none */
    int passwords_set;
};

struct table {
    const struct object_facts *facts;
    struct row **rows; /* in order of creation */
    size_t count, room;
    struct lh_table *by_id;
};

struct settings {
    bool email_verification; /* 3.8 */
    bool sandbox;
    int64_t api_max;        /* daily API requests (section 10) */
    int64_t token_life_s;   /* 1.2: session timeout */
    int64_t token_max_hour; /* section 10: logins per user and hour */
    int64_t page_size;     /* rows of a query page; the server may return fewer than asked (2.10) */
    int64_t latency_ms;    /* of every data call */
    int64_t feature_seats; /* of each feature licence (3.6) */
};

struct usage {
    int64_t api_calls, token_requests;
};

struct cursor {
    char id[ID_SIZE];
    struct json_object *records;
    size_t page_size;
};

struct fault_list;
struct call_log;

struct license_count {
    char id[ID_SIZE];
    int64_t used;
};

enum {
    MAX_CURSORS = 64,
    LICENSE_COUNT = 3
};

struct org {
    struct world *world;
    unsigned index;
    char *name;
    char *origin; /* http://127.0.0.1:port, set by the server */
    char id[ID_SIZE];
    char execution_user[ID_SIZE]; /* whom client_credentials runs as (1.4) */
    char other_admin[ID_SIZE];    /* who makes users by the control interface */
    struct table tables[OBJECT_COUNT];
    struct lh_table *unique; /* "Field value" -> row, for fields unique in the org */
    struct license_count licenses[LICENSE_COUNT];
    struct field_facts *custom;
    size_t custom_count;
    int64_t schema_changed_ms;
    struct settings settings;
    struct usage usage;
    struct json_object *tokens; /* access token -> issued, ms */
    int64_t token_hour_ms, token_hour_count;
    struct cursor cursors[MAX_CURSORS];
    size_t next_cursor;
    uint64_t next_number; /* of ids */
    unsigned generation;  /* raised by a reset */
    int64_t late_writes;  /* not landed yet */
    struct fault_list *faults;
    struct call_log *calls;
};

struct world {
    pthread_mutex_t mutex;
    struct org *orgs[MAX_ORGS];
    size_t org_count;
    struct lh_table *usernames; /* the registry, as org.unique */
    char *client_id, *client_secret;
    char *login_origin;
    int64_t seats;                     /* of each user licence of a new or reset org */
    struct json_object *custom_fields; /* of a new or reset org */
    int64_t (*now_ms)(void);
};

/* Defaults documented in README.md. */
#define ORG_CLIENT_ID     "3MVG9simulated.consumer.key"
#define ORG_CLIENT_SECRET "simulated-consumer-secret"
#define ORG_SEATS         1000

struct world *world_new(const char *client_id, const char *client_secret, int64_t seats);
void world_free(struct world *world);
/* NULL when there are MAX_ORGS, or one of that name. */
struct org *world_add_org(struct world *world, const char *name);
/* The org as it was when it was added: rows, settings, tokens, faults, calls. */
void org_reset(struct org *org);

/* ---- facts with this org's custom fields; without regard to letter case ---- */

struct table *org_table(struct org *org, const char *object_name);
const struct field_facts *org_field(struct org *org, const struct object_facts *facts,
                                    const char *name);
/* The index'th field, custom ones last; NULL at the end. */
const struct field_facts *org_field_at(struct org *org, const struct object_facts *facts,
                                       size_t index);
/* Declares or changes a custom field of User. False, with the reason, for a bad name or length. */
bool org_add_custom_field(struct org *org, const char *name, int length, unsigned flags,
                          const char **ret_reason);

/* ---- rows: rows.c ---- */

void rows_init(struct org *org);
void rows_clear(struct org *org);
/* The row of User that holds this value of a unique field, or NULL. */
struct row *rows_holder(struct org *org, const struct field_facts *field, const char *value);
struct row *table_find(struct table *table, const char *id18);
/* The row of that object, or NULL. */
struct row *org_find(struct org *org, const char *object_name, const char *id18);
/* The value as a reader sees it (computed ones too); a new reference, NULL for null. */
struct json_object *row_value(struct row *row, const struct field_facts *field);
/* {"attributes":{..},all fields} (2.5). */
struct json_object *row_record(struct row *row, const char *version);
void row_put_attributes(struct json_object *record, const char *object_name, const char *id,
                        const char *version);

/* "2026-11-22T10:15:30.000+0000" (2.1). */
char *time_text(int64_t ms, char ret[32]);
/* Milliseconds from ISO 8601 with an offset or Z; false for anything else. */
bool time_parse(const char *text, int64_t *ret_ms);

/* ---- writing rows: changes that can be taken back (allOrNone, 4.1) ---- */

struct change {
    struct row *row;
    struct json_object *before; /* NULL: the row was created */
    char *pending_before;
};

struct changes {
    struct change *list;
    size_t count, room;
};

/* Takes over values. New rows of User enter the registry here, and nowhere else. */
struct row *org_row_create(struct org *org, enum object_index object, struct json_object *values,
                           struct changes *changes);
void org_row_update(struct row *row, struct json_object *values, const char *pending_email,
                    struct changes *changes);
void changes_roll_back(struct changes *changes);
void changes_free(struct changes *changes);

/* Seats of a user licence in use: active users whose profile has it (3.6). */
int64_t license_used(struct org *org, const char *license_id);
int64_t feature_used(struct org *org, const char *field_name);
/* False when there is no licence of that name. */
bool license_set_total(struct org *org, const char *license_name, int64_t seats);

/* ---- users: user_rules.c decides, user_write.c does ---- */

/* Before any record of a call: unknown fields and JSON types, which are refused where the body is
 * read and so for the whole call. */
bool user_read_check(struct org *org, struct json_object *record, struct refusal *refusal);
/* The rules of one record in the order of 11.1 item 5. row NULL: create. *ret_values: the row's
 * new values, canonical names. */
bool user_check(struct org *org, struct row *row, struct json_object *record,
                struct json_object **ret_values, struct refusal *refusal);

/* by: the Id of the acting user. */
bool user_create(struct org *org, struct json_object *record, const char *by, struct row **ret,
                 struct changes *changes, struct refusal *refusal);
bool user_update(struct row *row, struct json_object *record, const char *by,
                 struct changes *changes, struct refusal *refusal);
/* The click on the verification link (3.8). */
void user_verify_email(struct row *row);

/* Shape of an e-mail address, and of a username (3.5). */
bool email_shaped(const char *text);
bool username_shaped(const char *text);

/* ---- describe.c ---- */

struct json_object *describe_object(struct org *org, const struct object_facts *facts,
                                    const char *version);
/* The short form, without fields (2.4). */
struct json_object *describe_summary(const struct object_facts *facts, const char *version);

/* ---- soql_run.c ---- */

struct query_result {
    struct json_object *records; /* array */
    size_t total;
};

bool soql_run(struct org *org, const char *soql, const char *version, struct query_result *ret,
              struct refusal *refusal);

#endif
