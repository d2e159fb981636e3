/* LDIF by RFC 2849, entry by entry: what slapcat and ldapsearch write. Pure but for the source of
 * its lines. What an attribute means is people.c's business. */
#ifndef CLI_LDIF_H
#define CLI_LDIF_H

#include "hosts/cli/lines.h"
#include "hosts/ldap/entry.h"

/* Photographs are allowed for. */
#define LDIF_MAX_ENTRY_BYTES (16u * 1024u * 1024u)

struct ldif_slot; /* ldif.c */

/* { .lines = ... } */
struct ldif {
    struct lines *lines; /* borrowed */
    char *logical;       /* an unfolded line */
    size_t logical_length, logical_room;
    char *ahead; /* the physical line after it */
    size_t ahead_length, ahead_line;
    bool has_ahead, begun, passing;
    char *text; /* the names and values of the entry */
    size_t length, room;
    struct ldif_slot *slots;
    struct ldap_value *values;
    size_t count, value_room;
};

/*
 * The next entry. FOUND_FAULT with its line for one that cannot be read: no dn, bad base64, a value
 * that stands in another file (`:<`), no UTF-8 in the dn. FOUND_STOP for what is no list of
 * entries: change records, another version, a search that says itself that it is not complete.
 */
enum found ldif_next(struct ldif *ldif, struct ldap_entry *ret, struct prov_error *err);
void ldif_clear(struct ldif *ldif);

#endif
