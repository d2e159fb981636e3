/* The rules of one record that is to be written: rules.c has those every object shares,
 * user_rules.c and setup_rules.c those of their objects. */
#ifndef ORG_RULES_H
#define ORG_RULES_H

#include "tests/org/org.h"

/* One record under examination. */
struct examined {
    struct org *org;
    const struct object_facts *facts;
    struct row *row;            /* NULL: create */
    struct json_object *record; /* as sent */
    struct json_object *values; /* as the row will be */
    const char *by;             /* Id of the acting user */
    struct refusal *refusal;
};

/* Fills values; false and the refusal for the first rule that fails. The object's own rules, if it
 * has any, come last. */
bool rules_check(struct examined *examined);

/* The rules of single objects, with the values they give by default; true for objects they do not
 * know. */
bool user_check(struct examined *user);
/* Whether there is something of that name that a user may be needed for (3.7). */
bool user_is_need(const char *what);
bool setup_check(struct examined *examined);
/* Why a row of these objects cannot go. */
bool setup_check_delete(struct row *row, struct refusal *refusal);

/* What follows from a user's record that was let through: computed values. */
void user_finish(struct org *org, struct json_object *values);
/* 3.8: the new address of an active user stays pending, and the old one is what is read. Heap, NULL
 * for none. */
char *user_hold_back_email(struct row *row, struct json_object *record, struct json_object *values);
/* The rows that come with a user: the UserLogin (2.9), the assignment of the profile's permission
 * set (5.1). Called when the user is new or has another profile. */
void user_follow(struct row *user, struct changes *changes);

static inline const char *
text_after(const struct examined *examined, const char *name)
{
    return js_get_text(examined->values, name);
}

#endif
