/* One person of a list as a SCIM resource, from values and what they are read as. Pure. */
#ifndef CLI_PERSON_H
#define CLI_PERSON_H

#include "hosts/cli/column.h"

struct person_value {
    const struct column *column; /* not one that is left out */
    const char *text;            /* empty: the person has no such value */
    size_t length;
    const char *name;    /* of the column or attribute */
    size_t line, number; /* number of the column, from 1; 0: it has none */

    bool yes, written; /* of person_make() */
};

struct person_options {
    bool refs;      /* a manager's value is a key, and becomes a $ref as well */
    const char *id; /* the externalId, if the values have none; NULL: none */
};

struct person_resource {
    char *json; /* heap */
    size_t length;
    size_t further; /* values left out, where one is taken */
    bool inactive;  /* it says that they are */
};

/*
 * Writes the resource. Values of one array element are those whose columns have one selection
 * (emails[type eq "work"].value and .display); a second value of a column makes a further element of
 * an array, and is left out and counted otherwise. PROV_E_INVALID with the place. The caller frees ret->json, on
 * success only.
 */
int person_make(struct person_value *values, size_t count, const struct person_options *options,
                struct person_resource *ret, struct prov_error *err);

/* "/Users/" and the key, percent-encoded but for the unreserved characters (RFC 3986 2.3). Heap;
 * NULL when out of memory. */
char *person_uri(const char *key);

/* One user of a list, as snapshot_add() takes it. Heap. PROV_E_INVALID: a text is not UTF-8. */
struct person_listed {
    const char *uri, *place;
    const char *resource; /* NULL of who cannot be read */
    bool inactive;        /* of those: they are inactive all the same */
    bool unreadable;      /* a part of it could not be read, and is what was known */
    const char *alias;    /* may be NULL */
};
int person_list(const struct person_listed *listed, char **ret, size_t *ret_length,
                struct prov_error *err);

/* Whether both belong to one attribute of the resource. */
bool person_same_attribute(const struct column *a, const struct column *b);

/* The userName that the resource of these values has, borrowed; NULL: none. */
const char *person_name(const struct person_value *values, size_t count);

#endif
