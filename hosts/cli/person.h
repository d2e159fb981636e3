/* One person of a list as a SCIM resource, from values and what they are read as. Pure. */
#ifndef CLI_PERSON_H
#define CLI_PERSON_H

#include <json-c/json.h>

#include "hosts/cli/column.h"

struct person_value {
    const struct column *column; /* not one that is left out */
    const char *text;            /* empty: the person has no such value */
    size_t length;
    const char *name;    /* of the column or attribute */
    size_t line, number; /* number of the column, from 1; 0: it has none */
};

/*
 * Makes the resource. Values of one array element are those whose columns have one selection
 * (emails[type eq "work"].value and .display); a second value of a column makes a further element of
 * an array, and is left out and counted in *further otherwise. `refs`: a manager's value is a key,
 * and becomes a $ref as well. PROV_E_INVALID with the place. The caller drops *ret.
 */
int person_make(const struct person_value *values, size_t count, bool refs,
                struct json_object **ret, size_t *further, struct prov_error *err);

/* "/Users/" and the key, percent-encoded but for the unreserved characters (RFC 3986 2.3). Heap;
 * NULL when out of memory. */
char *person_uri(const char *key);

/* The userName of a resource, borrowed; NULL: it has none. */
const char *person_name(struct json_object *resource);

/* PROV_E_INVALID: the resource of the person at this line has no userName. */
int person_check(struct json_object *resource, const char *place, struct prov_error *err);

#endif
