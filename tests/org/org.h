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
    bool deleted;               /* in no index; found by queryAll if the object has a bin */
    /* 2.8: newest first, as they were set; NULL if none ever was. No change takes them back. */
    struct json_object *passwords;
    bool password_expired;
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
    /* what the execution user may: API Enabled; Manage Users with Manage Internal Users; View Setup */
    bool api_enabled, manage_users, view_setup;
    bool grouped_rights;    /* they come by a permission set group, and are in no set (unsure) */
    bool login_rows;        /* 2.9: a new user has a UserLogin; else the first password makes it */
    bool address_picklists; /* 3.3: states and countries come from lists */
    bool
        translated; /* section 6: messages are in the language of the execution user, which is not English */
    bool email_allowlist; /* 3.8: an address must be in one of the domains of AllowedEmailDomain */
    int64_t api_max;      /* daily API requests (section 10) */
    int64_t token_life_s; /* 1.2: session timeout */
    int64_t token_max_hour; /* section 10: logins per user and hour */
    int64_t page_size;     /* rows of a query page; the server may return fewer than asked (2.10) */
    int64_t latency_ms;    /* of every data call */
    int64_t feature_seats; /* of each feature licence (3.6) */
    int64_t long_call_ms,
        long_calls_max;       /* section 10: so many calls may take that long at a time */
    int64_t deprecated_below; /* section 10: API versions before this one are being retired */
};

struct usage {
    int64_t api_calls, token_requests;
    int64_t under_way, most_under_way; /* calls at the same time */
    int64_t locking;                   /* of them those that lock group memberships (3.5) */
};

struct cursor {
    char id[ID_SIZE];
    int64_t opened_ms;
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
    MAX_UNDER_WAY = 256,
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
    struct lh_table *unique; /* "Field value" -> row, for fields unique in the org, and keys */
    struct license_count licenses[LICENSE_COUNT];
    struct field_facts *custom;
    size_t custom_count;
    int64_t schema_changed_ms;
    struct settings settings;
    struct usage usage;
    int64_t under_way_since_ms[MAX_UNDER_WAY]; /* monotonic; 0: a free place */
    struct json_object *tokens;                /* access token -> {"at" (ms),"user"} */
    struct json_object *app;                   /* the external client app, see oauth_app.c */
    struct json_object *refresh_tokens;        /* token -> {"user","line","used"} */
    struct json_object *codes;                 /* authorization code -> what it was given for */
    struct json_object *needed;                /* what for (user_rules.c) -> username */
    int64_t token_hour_ms, token_hour_count;
    struct cursor cursors[MAX_CURSORS];
    size_t next_cursor;
    uint64_t next_number; /* of ids */
    unsigned generation;  /* raised by a reset */
    int64_t late_writes;  /* not landed yet */
    bool landing;         /* the writes that are held are to land now */
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

/* Moves the clock of all orgs of this process against that of the machine. */
void org_clock_offset(int64_t offset_s);

/* Defaults documented in README.md. */
#define ORG_CLIENT_ID     "3MVG9simulated.consumer.key"
#define ORG_CLIENT_SECRET "simulated-cAnArY-secret"
#define ORG_SEATS         1000

struct world *world_new(const char *client_id, const char *client_secret, int64_t seats);
void world_free(struct world *world);
/* NULL when there are MAX_ORGS, or one of that name. */
struct org *world_add_org(struct world *world, const char *name);
/* The org as it was when it was added: rows, settings, tokens, faults, calls. */
void org_reset(struct org *org);

/* ---- facts with this org's custom fields; without regard to letter case ---- */

struct table *org_table(struct org *org, const char *object_name);
/* The table whose prefix (5.4) an id has, or NULL. */
struct table *org_table_of_id(struct org *org, const char *id);
const struct field_facts *org_field(struct org *org, const struct object_facts *facts,
                                    const char *name);
/* The index'th field, custom ones last; NULL at the end. */
const struct field_facts *org_field_at(struct org *org, const struct object_facts *facts,
                                       size_t index);
/* Declares a custom text field of User. False, with the reason, for a bad name or length. */
bool org_add_custom_field(struct org *org, const char *name, int length, unsigned flags,
                          const char **ret_reason);
/* The same for a field of any kind; its texts are copied. */
bool org_declare_field(struct org *org, const struct field_facts *declared,
                       const char **ret_reason);
/* Setup > Allowed Email Domains: one more. */
void org_add_email_domain(struct org *org, const char *domain);
/* Whether the object has an address whose states and countries come from lists. */
bool org_has_places(const struct org *org, const struct object_facts *facts);
/* Whether there is the object in this org. */
bool org_has_object(const struct org *org, const struct object_facts *facts);
/* The table an id of this reference leads to, or NULL. *ret_any: whether the org has one of the
 * objects it may lead to at all. */
struct table *org_target(struct org *org, const struct field_facts *field, const char *id,
                         bool *ret_any);

/* ---- rows: rows.c ---- */

void rows_init(struct org *org);
void rows_clear(struct org *org);
/* The row of User that holds this value of a unique field, or NULL. */
struct row *rows_holder(struct org *org, const struct field_facts *field, const char *value);
struct row *table_find(struct table *table, const char *id18);
/* A deleted row too. */
struct row *table_find_any(struct table *table, const char *id18);
/* The row that agrees with these values in the object's key (facts.h), or NULL. */
struct row *rows_key_holder(struct org *org, const struct object_facts *facts,
                            struct json_object *values);
/* The row of that object, or NULL. */
struct row *org_find(struct org *org, const char *object_name, const char *id18);
/* Writes what the settings say of the execution user's rights into the permission set of its profile. */
void org_show_rights(struct org *org);
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
/* The first moment (UTC) of "2026-11-22"; false for anything else, or a day there is not. */
bool date_parse(const char *text, int64_t *ret_ms);

/* ---- writing rows: changes that can be taken back (allOrNone, 4.1) ---- */

enum change_kind {
    CHANGE_CREATED,
    CHANGE_UPDATED,
    CHANGE_DELETED
};

struct change {
    enum change_kind kind;
    struct row *row;
    struct json_object *before; /* of an update */
    char *pending_before;
};

struct changes {
    struct change *list;
    size_t count, room;
    const struct object_facts *setup, *other; /* written first of its sort, for 5.3's MIXED_DML */
};

/* Takes over values. New rows of User enter the registry here, and nowhere else. */
struct row *org_row_create(struct org *org, enum object_index object, struct json_object *values,
                           struct changes *changes);
void org_row_update(struct row *row, struct json_object *values, const char *pending_email,
                    struct changes *changes);
void org_row_delete(struct row *row, struct changes *changes);
/* Takes back what was noted after the first `kept` changes. */
void changes_roll_back(struct changes *changes, size_t kept);
void changes_free(struct changes *changes);

/* Seats of a user licence in use: active users whose profile has it (3.6). */
int64_t license_used(struct org *org, const char *license_id);
int64_t feature_used(struct org *org, const char *field_name);
/* False when there is no licence of that name. */
bool license_set_total(struct org *org, const char *license_name, int64_t seats);

/* Permission set licences assigned (5.1). */
int64_t set_license_used(struct org *org, const char *set_license_id);

/* ---- records: rules.c decides, record_write.c does ---- */

/* Before any record of a call: unknown fields and JSON types, which are refused where the body is
 * read and so for the whole call. */
bool record_read_check(struct org *org, const struct object_facts *facts,
                       struct json_object *record, struct refusal *refusal);
/* Whether the object has the call at all: CAN_CREATE, CAN_UPDATE or CAN_DELETE. */
bool record_call_check(const struct object_facts *facts, unsigned call, struct refusal *refusal);

/* by: the Id of the acting user. changes may be NULL; records of setup objects and others do not go
 * into the same (5.3). */
/* Whether who acts may write the object: users and their logins need manage_users. */
bool record_right_check(struct org *org, const struct object_facts *facts, const char *by,
                        struct refusal *refusal);
bool record_create(struct org *org, const struct object_facts *facts, struct json_object *record,
                   const char *by, struct row **ret, struct changes *changes,
                   struct refusal *refusal);
bool record_update(struct row *row, struct json_object *record, const char *by,
                   struct changes *changes, struct refusal *refusal);
bool record_delete(struct row *row, struct changes *changes, struct refusal *refusal);

/* ---- users ---- */

/* 2.8: what a password must be; then set, by an admin. */
bool user_set_password(struct row *user, const char *password, struct refusal *refusal);
/* A random one, that the user must change. Heap. */
char *user_reset_password(struct row *user);
/* The UserLogin of a user, or NULL (2.9). */
struct row *user_login(struct row *user);
/* The click on the verification link (3.8). */
void user_verify_email(struct row *row);

/* Shape of an e-mail address, and of a username (3.5). */
bool email_shaped(const char *text);
bool username_shaped(const char *text);

/* ---- describe.c ---- */

struct json_object *describe_object(struct org *org, const struct object_facts *facts,
                                    const char *version);
/* The short form, without fields (2.4). */
struct json_object *describe_summary(struct org *org, const struct object_facts *facts,
                                     const char *version);

/* ---- soql_run.c ---- */

struct query_result {
    struct json_object *records; /* array */
    size_t total;
};

/* with_deleted: queryAll (2.10). */
bool soql_run(struct org *org, const char *soql, const char *version, bool with_deleted,
              struct query_result *ret, struct refusal *refusal);

#endif
