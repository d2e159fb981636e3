/*
 * The plan: the difference between what is wanted (subject) and what is there (link), in the terms
 * of Salesforce. Pure: no I/O, no clock; the same inputs give the same plan.
 */
#ifndef DELIVERY_PLAN_H
#define DELIVERY_PLAN_H

#include "plugin/store/store.h"
#include "schema/fields.h"

enum plan_action {
    PLAN_NOTHING,
    PLAN_CREATE,
    PLAN_UPDATE,
    PLAN_DEACTIVATE, /* IsActive false alone, ahead of everything else (rule 7); but see plan_correct() */
    PLAN_FREEZE,   /* the same with the user's UserLogin (connector field leaver_action) */
    PLAN_UNFREEZE, /* its undoing, when nothing else differs any more */
    PLAN_PARK      /* cannot be planned; code, reason and remedy say why */
};

/* Whether an account is frozen stands in the UserLogin of the user, and is kept with the fields of the
 * user under this name, which no field of User can have. It is there only while we froze the account. */
#define FROZEN_FIELD "UserLogin.IsFrozen"

struct plan_input {
    const struct fields *fields;
    const struct subject *subject;
    const struct link *link;
    const char *profile_id; /* the field `profile`, resolved; NULL: not known yet (preview) */
    struct json_object
        *names;             /* profiles and roles by name (org_names.h); NULL: none is known yet */
    const char *manager_id; /* Salesforce Id of the manager; NULL: none, or not linked yet */
    bool traced;            /* to be shown: plan.trace is wanted */
    bool replan; /* an admin asked: what follows from connector fields alone is brought to who is
                             * wanted, and takes away whom they let in no more */
    struct value *there; /* a repair: field -> value that the org holds now; what was confirmed
                                * and is not there any more is wanted again. NULL: what was confirmed
                                * counts as there */
};

struct plan {
    enum plan_action action;
    struct pool
        pool; /* where its values are; some are the subject's and the link's, or the mapping's */
    struct value *fields; /* what is to be sent, without Id; create, update, deactivate */
    struct value *trace;  /* {"field","value","from","note"} of every mapped field; or NULL */
    const char *username; /* wanted, lower case; NULL when none was built */
    const char
        *plain; /* the same without the number behind it (username_taken); NULL: it has none */
    char *
        username_inputs; /* what it was built from: JSON of UD, UN, TD; before it, and a blank, stands the
                                * number that is behind the name */
    struct value *lacks; /* {"object","name"} of records named by the mapping and not known yet;
                                * NULL: none. Their fields are not in `fields` */
    char *manager_uri;   /* whom the resource names as manager; NULL: nobody */
    bool more;           /* something else differs, and is a later difference */
    bool in_scope; /* the host has and wants the user, and the connector fields let the user in */
    bool wanted;   /* in scope, and active at the host */
    /* In scope: "STAYS_FROZEN", to be said with what becomes of it. Parked: "RESOURCE_NEVER_SEEN", "USERNAME", "MAPPING", "NAME_NOT_FOUND". Not in scope: "GONE", "OUT_OF_SCOPE", and
     * "LEAVES_SCOPE": changed connector fields would deactivate, and wait for an event or a replan. */
    const char *code;
    /* Of these, and why a user in scope is deactivated; NULL: nothing is to be said. */
    const char *reason;
};

/* Says why, in one line of at most an error's length, kept in the pool; NULL when out of memory. */
__attribute__((format(printf, 2, 3))) void plan_say(struct plan *plan, const char *format, ...);
/* Takes the name for the one that is wanted; it is copied. PROV_E_NOMEM. */
MUST_CHECK int plan_name(struct plan *plan, const char *name);
/* The same of the form with this number of the name that was wanted. PROV_E_NOMEM. */
MUST_CHECK int plan_number(struct plan *plan, const char *name, unsigned number);

/* Plans one field alone, in place of what was planned. */
MUST_CHECK int plan_put_alone(struct plan *plan, const char *field, struct value *value);

/* Of a deactivation that was refused for the values of these fields (names, comma between): adds what the host has said of
 * them since, as the mapping makes it. *ret false: nothing that was not in it before. */
MUST_CHECK int plan_correct(const struct plan_input *input, const char *names, struct plan *plan,
                            bool *ret, struct prov_error *err);

/* 0, or PROV_E_NOMEM. A subject that cannot be planned is PLAN_PARK, not an error. The caller calls
 * plan_done() in both cases. */
MUST_CHECK int plan_make(const struct plan_input *input, struct plan *ret, struct prov_error *err);
void plan_done(struct plan *plan);

/* Whether the subject is gone or out of scope, by the host's word or the connector fields', so that its account
 * may go to another one. Who would be out by changed fields alone, and stays, is not. */
bool plan_is_out(const struct fields *fields, const struct work *work);

/* Whether it takes access away: it goes ahead of everything, over what is in flight (rules 7 and 14), and
 * the guard weighs it (rule 18). */
static inline bool
plan_takes_access(const struct plan *plan)
{
    return plan->action == PLAN_DEACTIVATE || plan->action == PLAN_FREEZE;
}

/* Whether the account is frozen, as far as is confirmed: by us, or found so when we wanted it. */
static inline bool
link_is_frozen(const struct link *link)
{
    return value_get_boolean(link->confirmed, FROZEN_FIELD, false);
}

/* What a host calls the user: userName, or the URI. Borrowed. */
const char *plan_user_name(const struct subject *subject);

/* URI of the manager a resource names ("/Users/7"), heap; NULL: none (rule 13). */
char *plan_manager_uri(struct value *resource);

/* The words for what the fields of a delivered plan did: "created", "updated Title, Phone",
 * "renamed a@x to b@x", "deactivated", "reactivated". Heap; NULL when out of memory. */
char *plan_describe(bool create, const struct value *sent, const struct value *before);

/* "create", "update", ... as previews and stories say it. */
const char *plan_action_name(enum plan_action action);
/* Names of fields, comma between, but for IsActive and Id, cut to some 400 bytes; heap, NULL when out of
 * memory. */
char *plan_field_names(const struct value *sent);

/* Segments of the username for preview: {"source","origin","text"}; array. */
MUST_CHECK int plan_segments(const struct fields *fields, const struct subject *subject,
                             struct json_object **ret, struct prov_error *err);

/* Value that the correlation field holds for a subject: issuer and URI. Heap. */
char *plan_correlation(const struct subject *subject);

/* Whom the pattern is to name; borrows from both. */
struct pattern_user plan_pattern_user(const struct fields *fields, struct value *resource);

#endif
