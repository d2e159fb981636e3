/* What the objects and fields of an org are (fact sheet 3.2 to 3.4, 5.1): tables only. */
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
    KIND_ADDRESS
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
    FIELD_NOT_NULL = 1 << 12 /* read-only and never null */
};

struct field_facts {
    const char *name, *label;
    enum field_kind kind;
    int length;
    unsigned flags;
    const char *const *values; /* picklist, NULL-terminated */
    const char *target;        /* object a reference points to */
    const char *relationship;  /* name of the parent in SOQL */
};

struct object_facts {
    const char *name, *label, *plural, *prefix;
    const struct field_facts *fields;
    size_t field_count;
    bool writable;
};

enum object_index {
    OBJECT_USER,
    OBJECT_PROFILE,
    OBJECT_USER_LICENSE,
    OBJECT_USER_ROLE,
    OBJECT_ORGANIZATION,
    OBJECT_COUNT
};

extern const struct object_facts objects[OBJECT_COUNT];

/* "string", "reference", ...: the type as describe names it. */
const char *field_kind_name(enum field_kind kind);

#endif
