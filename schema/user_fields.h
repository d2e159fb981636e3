/* Facts about the Salesforce User fields (fact sheet 3.2, 3.3): kind, length, who may write. */
#ifndef SCHEMA_USER_FIELDS_H
#define SCHEMA_USER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

enum user_field_kind {
    USER_FIELD_STRING,
    USER_FIELD_EMAIL,
    USER_FIELD_PHONE,
    USER_FIELD_TEXT, /* several lines */
    USER_FIELD_PICKLIST,
    USER_FIELD_BOOLEAN,
    USER_FIELD_REFERENCE,
    /* custom fields only */
    USER_FIELD_URL,
    USER_FIELD_MULTI_PICKLIST,
    USER_FIELD_NUMBER,
    USER_FIELD_CURRENCY,
    USER_FIELD_PERCENT,
    USER_FIELD_DATE,
    USER_FIELD_DATETIME,
    USER_FIELD_ANY /* of a kind that only the org knows */
};

/* What a mapping rule may say of a custom field: only the org knows its kind. */
struct user_kind {
    const char *name; /* "number" */
    enum user_field_kind kind;
    size_t max_characters;     /* unless the rule says less; 0: no limit of text applies */
    size_t ceiling_characters; /* most that a rule may say; 0: a rule cannot */
};

/* All of them. Borrowed, static. */
const struct user_kind *user_kind_all(size_t *ret_count);

struct user_field {
    const char *name;
    enum user_field_kind kind;
    size_t max_characters; /* 0: no limit known */
    bool required;         /* on create */
    bool read_only;
    bool
        ours; /* planned by sfprov itself, not by the mapping: Username, IsActive, ProfileId, ... */
    /* Object that the field refers to and a rule may name a record of: "Profile", "UserRole". NULL:
     * the field takes its value as it is. */
    const char *names;
    /* Where `ours` or `read_only`: what to use instead; NULL: nothing does. */
    const char *instead;
};

/* The fact row of a standard field, name without regard to case; NULL for a custom or unknown one.
 * Borrowed, static. */
const struct user_field *user_field_find(const char *name);

/* Name of a custom field: a letter, then letters, digits and underscores, ending in __c. */
bool user_field_is_custom(const char *name);

/* A switch of Salesforce's: UserPermissions... or UserPreferences... Every release adds some, so
 * they are known by form; all are booleans. */
bool user_field_is_switch(const char *name);

/* All rows, for look-alikes and tests. */
const struct user_field *user_field_all(size_t *ret_count);

#endif
