/* What the objects and fields of an org are (fact sheet 2.9, 3.2 to 3.4, 5.1, 9): tables only. */
#ifndef ORG_FACTS_H
#define ORG_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum field_kind {
    KIND_ID,
    KIND_STRING,
    KIND_EMAIL,
    KIND_PHONE,
    KIND_TEXTAREA,
    KIND_PICKLIST,
    KIND_BOOLEAN,
    KIND_REFERENCE,
    KIND_DATETIME,
    KIND_INT,
    KIND_ADDRESS,
    KIND_DATE,
    KIND_DOUBLE,
    KIND_CURRENCY,
    KIND_PERCENT,
    KIND_URL,
    KIND_MULTIPICKLIST /* values with ';' between */
};

enum field_flag {
    FIELD_CREATE = 1 << 0, /* createable */
    FIELD_UPDATE = 1 << 1, /* updateable */
    FIELD_WRITE = FIELD_CREATE | FIELD_UPDATE,
    FIELD_REQUIRED = 1 << 2,  /* neither nillable nor defaulted on create */
    FIELD_DEFAULTED = 1 << 3, /* defaultedOnCreate, and not nillable */
    FIELD_UNIQUE = 1 << 4,    /* in the org, without regard to letter case */
    FIELD_ID_LOOKUP = 1 << 5,
    FIELD_EXTERNAL_ID = 1 << 6,
    FIELD_CUSTOM = 1 << 7,
    FIELD_RESTRICTED = 1 << 8, /* restricted picklist */
    FIELD_FEATURE = 1 << 9,    /* true takes a feature licence */
    FIELD_NO_FILTER = 1 << 10, /* not allowed in WHERE */
    FIELD_NAME_FIELD = 1 << 11,
    FIELD_NOT_NULL = 1 << 12,  /* read-only and never null */
    FIELD_NO_LOOP = 1 << 13,   /* a reference to the own object that must not lead back */
    FIELD_READ_ONLY = 1 << 14, /* a custom field that field-level security does not let be edited */
    FIELD_PLACE = 1 << 15,     /* the code of a state or country: address.c */
    FIELD_HIERARCHY = 1 << 16, /* of a custom reference: who is its value stays active (3.7) */
    FIELD_CASE = 1 << 17       /* of a unique custom text: its letter case matters (2.10) */
};

struct field_facts {
    const char *name, *label;
    enum field_kind kind;
    int length; /* UTF-16 units; of a number its digits in all */
    unsigned flags;
    const char *const *values; /* picklist, NULL-terminated */
    const char *target;        /* object a reference points to; several with ',' between */
    const char *relationship;  /* name of the parent in SOQL */
    int scale;                 /* of a number: its digits behind the point */
};

enum object_flag {
    CAN_CREATE = 1 << 0,
    CAN_UPDATE = 1 << 1,
    CAN_DELETE = 1 << 2,
    IS_SETUP = 1 << 3, /* not with other objects in one transaction (5.3) */
    HAS_BIN = 1 << 4   /* deleted rows are found by queryAll, by IsDeleted (2.10) */
};

enum {
    MAX_KEY_FIELDS = 3
};

struct object_facts {
    const char *name, *label, *plural, *prefix;
    const struct field_facts *fields;
    size_t field_count;
    unsigned flags;
    /* Two rows never agree in all of these; no names: there is no such key. */
    const char *key[MAX_KEY_FIELDS];
};

enum object_index {
    OBJECT_USER,
    OBJECT_PROFILE,
    OBJECT_USER_LICENSE,
    OBJECT_USER_ROLE,
    OBJECT_ORGANIZATION,
    OBJECT_USER_LOGIN,
    OBJECT_PERMISSION_SET,
    OBJECT_PERMISSION_SET_GROUP,
    OBJECT_PERMISSION_SET_ASSIGNMENT,
    OBJECT_PERMISSION_SET_LICENSE,
    OBJECT_PERMISSION_SET_LICENSE_ASSIGN,
    OBJECT_GROUP,
    OBJECT_GROUP_MEMBER,
    OBJECT_EMAIL_DOMAIN,
    OBJECT_LEAD,
    OBJECT_COUNT
};

extern const struct object_facts objects[OBJECT_COUNT];

/* "string", "reference", ...: the type as describe names it. */
const char *field_kind_name(enum field_kind kind);
/* False for a name that is no kind. */
bool field_kind_of(const char *name, enum field_kind *ret);
/* What JSON and SOQL write without quotes as a number. */
bool field_kind_is_number(enum field_kind kind);
/* What JSON writes as a string that an admin types: everything but numbers, booleans, addresses. */
bool field_kind_is_text(enum field_kind kind);
/* What two texts in the field have in common if they are one value there (2.10). Heap. */
char *field_key(const struct field_facts *field, const char *text);

static inline bool
object_is(const struct object_facts *facts, enum object_index index)
{
    return facts == &objects[index];
}

#endif
