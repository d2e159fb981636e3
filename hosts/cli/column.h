/* What the header of a CSV column, or an LDAP attribute, means: a SCIM path, resolved against the schemas we know. Pure. */
#ifndef CLI_COLUMN_H
#define CLI_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

#include <provisioning/connector.h>

enum column_kind {
    COLUMN_TEXT,
    COLUMN_BOOLEAN,
    COLUMN_MANAGER
};

/* Which words of a column mean true: each list ends with NULL. */
struct column_words {
    const char *const *yes, *const *no;
    int otherwise;        /* of any other word: 1, 0, or -1: it is a fault */
    long long unless_bit; /* 0: none; else: a number, true unless it has this bit */
};
extern const struct column_words column_plain_words, column_negated_words;

#define COLUMN_NAME_MAX 64
#define COLUMN_URN_MAX  200

struct column {
    bool left_out; /* nothing is read from it, except perhaps the key */
    enum column_kind kind;
    const struct column_words *words; /* of a boolean; borrowed */
    char schema[COLUMN_URN_MAX];      /* of an extension; "": the core schema */
    char attribute[COLUMN_NAME_MAX];  /* as the schema spells it */
    char sub[COLUMN_NAME_MAX];        /* sub-attribute; "": none */
    bool many;                        /* the attribute is an array of objects */
    char select[COLUMN_NAME_MAX];     /* of an array: the filter's attribute; "": no filter */
    char select_value[COLUMN_NAME_MAX];
};

/*
 * Reads a header such as `userName`, `name.givenName`, `emails[type eq "work"].value`,
 * `urn:...:2.0:User:department`, `department`, `manager`; `not active` for a column that says the
 * opposite. PROV_E_INVALID says what is wrong with it
 * and what would be right; the caller puts the place in front.
 */
int column_parse(const char *header, struct column *ret, struct prov_error *err);

/* 0, or PROV_E_INVALID: the text is none of the words. */
int column_boolean(const struct column *column, const char *text, bool *ret);

/* Whether both write the same value. */
bool column_same(const struct column *a, const struct column *b);

#endif
