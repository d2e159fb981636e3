/*
 * The persons of a directory by LDAP (RFC 4511), page by page (RFC 2696): what `sfprov sync ldap://...`
 * reads. The connection is encrypted, or stays on this machine. Blocks; one thread at a time.
 */
#ifndef LDAP_SEARCH_H
#define LDAP_SEARCH_H

#include "hosts/cli/lines.h"
#include "hosts/ldap/entry.h"

struct search_options {
    /* RFC 4516: ldap://host/base?attributes?scope?filter, ldaps:// or ldapi://; without a scope the whole
     * tree, without a filter (objectClass=person). Its attributes are not heeded. */
    const char *url;
    const char *const *attributes; /* what is read, operational ones among them; ends with NULL */
    const char *bind_dn;           /* NULL: SASL EXTERNAL by ldapi, else nobody (anonymous) */
    const char *password_file;     /* of bind_dn; its first line. Others may not read it */
};

struct search;

/* Whether the text is meant as such a URL. */
bool search_is_url(const char *text);

/* Connects, encrypts, binds. PROV_E_INVALID: the options; PROV_E_STATE: what the directory, or the way to
 * it, refuses. Both say what to do. The caller frees *ret. */
int search_open(const struct search_options *options, struct search **ret, struct prov_error *err);

/* The next entry; what it points to lives until the next call. FOUND_STOP: the search did not come to its
 * end, or a part of the tree is elsewhere: what was read is no whole list. */
enum found search_next(struct search *search, struct ldap_entry *ret, struct prov_error *err);
void search_free(struct search *search);

#endif
