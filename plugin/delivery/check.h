/* What the files of `check` share: a step and its words. check.c has the list of steps; check_fields.c,
 * check_network.c, check_login.c, check_org.c and check_user.c take them. */
#ifndef DELIVERY_CHECK_H
#define DELIVERY_CHECK_H

#include "plugin/delivery/internal.h"

enum check_status {
    CHECK_OK,
    CHECK_SKIPPED,
    CHECK_WARNING,
    CHECK_FAILED
};

/* What a step needs of those before it. */
enum check_need {
    NEEDS_NOTHING = 0,
    NEEDS_HOST = 1,  /* an org answers */
    NEEDS_TOKEN = 2, /* and has given a token, for the org of the store */
    NEEDS_API = 4,   /* and answers calls of the data API */
    NEEDS_USER = 8   /* and has described User */
};

struct check {
    struct delivery
        *delivery; /* one of its own: same store and fields, a session with short limits */
    const struct fields *fields;
    struct json_object *warnings; /* of the connector fields; borrowed, may be NULL */
    struct json_object *steps;
    const char *name; /* of the step under way */
    enum check_status worst;
    int64_t begun_us; /* monotonic */
    int64_t
        since_us; /* the same by the wall clock: what is kept of the org from before is not asked */
    unsigned has; /* of enum check_need */
    const char *stopped_by; /* the step that keeps others from being taken */
    /* what was seen and is of use for later steps */
    struct sf_trace trace;
    struct sf_call probe;
    struct json_object *versions, *describe; /* NULL: not known */
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    struct org_profile profile;
};

struct check_step {
    const char *name;
    unsigned needs;
    int (*take)(struct check *check, struct prov_error *err);
};

/* Adds a row for the step under way; a step may add several. `seen` is a format. Only for CHECK_OK both
 * cause and remedy may be NULL. 0 or PROV_E_NOMEM. */
MUST_CHECK int check_say(struct check *check, enum check_status status, const char *cause,
                         const char *remedy, const char *seen, ...) PRINTF_LIKE(5, 6);
/* The step failed because a call did. */
MUST_CHECK int check_call_failed(struct check *check, const struct sf_call *call);

/* The values that the mapping's rules for a field name outright, as an object used as a set; the caller owns
 * it. 0 or PROV_E_NOMEM. */
MUST_CHECK int check_named_values(const struct fields *fields, const char *field,
                                  struct json_object **ret);

int check_fields(struct check *check, struct prov_error *err);
int check_store(struct check *check, struct prov_error *err);
int check_sealing(struct check *check, struct prov_error *err);
int check_username(struct check *check, struct prov_error *err);
int check_address(struct check *check, struct prov_error *err);
int check_proxy(struct check *check, struct prov_error *err);
int check_dns(struct check *check, struct prov_error *err);
int check_tcp(struct check *check, struct prov_error *err);
int check_tls(struct check *check, struct prov_error *err);
int check_clock(struct check *check, struct prov_error *err);
int check_version(struct check *check, struct prov_error *err);
int check_token(struct check *check, struct prov_error *err);
int check_key(struct check *check, struct prov_error *err);
int check_org(struct check *check, struct prov_error *err);
int check_api(struct check *check, struct prov_error *err);
int check_permissions(struct check *check, struct prov_error *err);
int check_twin(struct check *check, struct prov_error *err);
int check_profile(struct check *check, struct prov_error *err);
int check_roles(struct check *check, struct prov_error *err);
int check_seats(struct check *check, struct prov_error *err);
int check_mapping(struct check *check, struct prov_error *err);
int check_picklists(struct check *check, struct prov_error *err);
int check_email(struct check *check, struct prov_error *err);
int check_quota(struct check *check, struct prov_error *err);
int check_freeze(struct check *check, struct prov_error *err);

#endif
