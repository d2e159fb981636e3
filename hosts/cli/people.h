/*
 * A list of people: the columns of a CSV text read as SCIM paths, each row made into one SCIM
 * resource. Pure. `sfprov(1)` describes the columns.
 */
#ifndef CLI_PEOPLE_H
#define CLI_PEOPLE_H

#include <json-c/json.h>

#include "hosts/cli/csv.h"

struct people;

struct people_options {
    const char *key;         /* header of the key column; NULL: externalId */
    const char *const *maps; /* "HEADER=PATH"; an empty PATH leaves the column out */
    size_t map_count;
};

/*
 * Compiles the header and checks every row, so that a list is refused as a whole before anything
 * changes. PROV_E_INVALID with line, column and remedy for: an unknown or repeated header, no key
 * column, no userName column, an empty or repeated key, a value of the wrong kind. `csv` is borrowed
 * and must outlive *ret, which the caller frees.
 */
int people_read(const struct csv *csv, const struct people_options *options, struct people **ret,
                struct prov_error *err);
void people_free(struct people *people);

size_t people_count(const struct people *people);

/* The line a person begins at, and the path of their URI ("/Users/7"). The caller frees the text;
 * NULL when out of memory. */
size_t people_line(const struct people *people, size_t index);
char *people_uri(const struct people *people, size_t index);

/* The person of a URI as people_uri() makes it; people_count() when there is none. */
size_t people_find(const struct people *people, const char *uri);

/* The SCIM resource of one person. The caller drops *ret. */
int people_resource(const struct people *people, size_t index, struct json_object **ret,
                    struct prov_error *err);

/* How many people name a manager who is not in the list; *ret_line is the line of the first. */
size_t people_without_manager(const struct people *people, size_t *ret_line);

#endif
