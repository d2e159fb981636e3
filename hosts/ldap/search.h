/*
 * The persons of a directory, page by page (RFC 2696): what `sfprov sync ldap://...` reads. Blocks; one
 * thread at a time.
 */
#ifndef LDAP_SEARCH_H
#define LDAP_SEARCH_H

#include "hosts/cli/lines.h"
#include "hosts/ldap/connection.h"

struct search;

/* As connection_open(). The caller frees *ret. */
int search_open(const struct connection_options *options, struct search **ret,
                struct prov_error *err);
/* By a connection that has other work too, and which outlives it; for the base and the filter of that one. */
int search_beside(struct connection *connection, struct search **ret, struct prov_error *err);

/* The next entry; what it points to lives until the next call. FOUND_STOP: the search did not come to its
 * end, or a part of the tree is elsewhere: what was read is no whole list. */
enum found search_next(struct search *search, struct ldap_entry *ret, struct prov_error *err);
/* Whether the page at hand has more, so that the next entry needs no word of the directory. */
bool search_has_more(const struct search *search);
void search_free(struct search *search);

#endif
