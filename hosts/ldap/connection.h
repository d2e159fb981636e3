/*
 * A way to a directory by LDAP (RFC 4511): encrypted, or staying on this machine. Blocks; one thread at a
 * time.
 */
#ifndef LDAP_CONNECTION_H
#define LDAP_CONNECTION_H

#include <ldap.h>

#include "hosts/ldap/entry.h"

struct connection_options {
    /* RFC 4516: ldap://host/base?attributes?scope?filter, ldaps:// or ldapi://; without a scope the whole
     * tree, without a filter (objectClass=person). Its attributes are not heeded. */
    const char *url;
    const char *base,
        *filter; /* in the place of the URL's, for the whole tree below; NULL: as it says */
    const char *const *attributes; /* what is read, operational ones among them; ends with NULL */
    bool only_these;               /* else all that users have as well */
    /* NULL: SASL EXTERNAL by ldapi where the directory offers it, else nobody (anonymous) */
    const char *bind_dn;
    const char *password_file; /* of bind_dn; its first line. Others may not read it */
    /* It is Active Directory: only its persons are meant, no machines and nobody whom the system made for
     * itself; and what other naming contexts hold is no part of the list. */
    bool active_directory;
};

#define CONNECTION_ANSWER_S 30 /* to all but a search for many */

/* Read only but for libldap's own. */
struct connection {
    LDAP *ldap;
    LDAPURLDesc *url; /* its scope is set */
    char *filter;
    bool active_directory;
    char **wanted; /* of all user attributes, and of those of the options */
};

/* Whether the text is meant as such a URL. */
bool connection_is_url(const char *text);

/* Connects, encrypts, binds. PROV_E_INVALID: the options; PROV_E_STATE: what the directory, or the way to
 * it, refuses. Both say what to do. The caller closes *ret, also on failure. */
int connection_open(const struct connection_options *options, struct connection *ret,
                    struct prov_error *err);
void connection_close(struct connection *connection);

/* Whether these options can be used, without a word to the directory: as connection_open(). */
int connection_check(const struct connection_options *options, struct prov_error *err);

/* Who both filters let in; the second one is in brackets. Heap; NULL when out of memory. */
char *connection_narrowed(const char *filter, const char *more);

/* As ldap_search_ext_s(), below a DN or of one; but a signal is heeded at any time (LDAP_USER_CANCELLED). */
struct connection_search {
    const char *dn;
    int scope;
    const char *filter; /* NULL: any */
    char **attributes;
    bool names_only;
    LDAPControl **controls;
    int seconds, most;
};
int connection_search(LDAP *ldap, const struct connection_search *what, LDAPMessage **ret);

/* PROV_E_STATE with `what` failed, libldap's code, the server's own words, and the remedy. */
int connection_fail(LDAP *ldap, int code, const char *what, const char *remedy,
                    struct prov_error *err);

/* The values of one entry, in the memory of messages of libldap. */
struct taken_entry {
    struct ldap_value *values;
    size_t count, room;
    struct berval **lists; /* libldap's, one for each attribute */
    size_t list_count, list_room;
    LDAPMessage **rests; /* of attributes that came in parts */
    size_t rest_count, rest_room;
};

/*
 * *ret lives as long as the message, and until the next call with this `taken`, which taken_entry_clear()
 * ends. A message may be taken once. Where the directory has given the first of many values only, as Active Directory
 * does ("member;range=0-1499"), it is asked for the rest. PROV_E_NOMEM; PROV_E_STATE: it cannot be read to its end, so
 * that it is no entry: what is missing would be taken for cleared.
 */
int connection_take(const struct connection *connection, LDAPMessage *message,
                    struct taken_entry *taken, struct ldap_entry *ret, struct prov_error *err);
void taken_entry_clear(struct taken_entry *taken);

#endif
