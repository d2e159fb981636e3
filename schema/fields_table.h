/* The one table of connector fields, shared by the files of this room. Others see fields.h. */
#ifndef SCHEMA_FIELDS_TABLE_H
#define SCHEMA_FIELDS_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct fields;

enum field_type {
    FIELD_TEXT,
    FIELD_BOOLEAN,
    FIELD_INTEGER,
    FIELD_RULES, /* a list of objects */
    FIELD_NAMES  /* a list of texts, or a text with commas */
};

enum field_flag {
    FIELD_REQUIRED = 1u,
    FIELD_SECRET = 2u,   /* never shown, not even partly */
    FIELD_VERBATIM = 4u, /* white space at the ends belongs to the value */
    FIELD_PLAN = 8u,     /* decides what is planned: part of plan_digest */
    FIELD_LEGACY = 16u,  /* taken from old configurations, left out of the sample */
    FIELD_NUMERIC = 32u, /* a text that may be given as a number: 67.0 */
    FIELD_LINES = 64u    /* a text of several lines: a key in PEM */
};

struct field_row {
    const char *name;  /* of the connector field and of the member of struct fields */
    const char *alias; /* WSO2's key; NULL: none */
    enum field_type type;
    size_t offset; /* in struct fields */
    unsigned flags;
    const char *fallback;     /* the default as text; NULL: none */
    int64_t minimum, maximum; /* FIELD_INTEGER */
    const char *unit;         /* NULL: a plain number or text */
    const char *group, *title;
    const char *help;   /* whole sentences, in words that hold in a form and in the manual */
    const char *sample; /* what the sample file shows; NULL: the default, or blank. A value in
                           angle brackets has to be replaced, and is refused until it is. */
};

const struct field_row *fields_table(size_t *ret_count);

/* A field without which a flow cannot log in, and what to do about it. */
struct flow_need {
    const char *field, *remedy;
};

/* An OAuth flow: what says that it is meant where the field `flow` does not (NULL: nothing else does), and what
 * it needs, until a field of NULL. */
struct flow_row {
    const char *name, *hint;
    struct flow_need needs[4];
};

const struct flow_row *fields_flows(size_t *ret_count);

/* The member of a field that is a text. */
char **fields_text(struct fields *fields, const char *name);

/* Names of an export that say nothing to us; the reason why, NULL for any other name. */
const char *fields_ignored(const char *name);

#endif
