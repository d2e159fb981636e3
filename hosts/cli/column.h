/* What the header of a CSV column means: a SCIM path, resolved against the schemas we know. Pure. */
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

#define COLUMN_NAME_MAX 64
#define COLUMN_URN_MAX  200

struct column {
    bool left_out; /* nothing is read from it, except perhaps the key */
    enum column_kind kind;
    char schema[COLUMN_URN_MAX];     /* of an extension; "": the core schema */
    char attribute[COLUMN_NAME_MAX]; /* as the schema spells it */
    char sub[COLUMN_NAME_MAX];       /* sub-attribute; "": none */
    bool many;                       /* the attribute is an array of objects */
    char select[COLUMN_NAME_MAX];    /* of an array: the filter's attribute; "": no filter */
    char select_value[COLUMN_NAME_MAX];
};

/*
 * Reads a header such as `userName`, `name.givenName`, `emails[type eq "work"].value`,
 * `urn:...:2.0:User:department`, `department`, `manager`. PROV_E_INVALID says what is wrong with it
 * and what would be right; the caller puts the place in front.
 */
int column_parse(const char *header, struct column *ret, struct prov_error *err);

/* Whether both write the same value. */
bool column_same(const struct column *a, const struct column *b);

#endif
