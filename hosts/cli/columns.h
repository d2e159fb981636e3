/*
 * What the columns of a list, or the attributes of its entries, are read as: --map, then a columns
 * file, then, for LDIF, the attributes of inetOrgPerson or of Active Directory. Pure.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "hosts/cli/column.h"

struct columns_options {
    const char *const *maps; /* "HEADER=PATH"; an empty PATH leaves the column out */
    size_t map_count;
    const char *file;        /* the text of a columns file; NULL: none. See sfprov-sync(1) */
    const char *key;         /* the attribute that identifies people, whatever the file says */
    const char *default_key; /* the one if neither says any; both may be NULL */
};

struct columns;

/* PROV_E_INVALID names the column or the place in the file. with_ldap: the defaults of
 * LDIF, inetOrgPerson's, or where the key is objectGUID those of Active Directory's user. */
int columns_make(const struct columns_options *options, bool with_ldap, struct columns **ret,
                 struct prov_error *err);
void columns_free(struct columns *columns);

/* The key: of the options, of the file, or the default one; NULL: none. Borrowed. */
const char *columns_key(const struct columns *columns);

/* What is said of a header (ldap: without regard to case, and by any number of threads); NULL: nothing
 * is. Borrowed. */
const struct column *columns_find(const struct columns *columns, const char *header, bool ldap);

/* The i-th attribute of which anything is said and not left out; NULL: there are no more. Borrowed. */
const char *columns_attribute(const struct columns *columns, size_t index);

/* A --map whose header was never asked for; NULL: none. */
const char *columns_unused_map(const struct columns *columns);

#endif
