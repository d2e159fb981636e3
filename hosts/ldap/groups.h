/*
 * The groups of a directory, and who is in them: for those who read people, and say of each the groups, as the
 * plugins of servers do. In memory, some hundred bytes for each membership.
 */
#ifndef LDAP_GROUPS_H
#define LDAP_GROUPS_H

#include "hosts/ldap/connection.h"

struct groups;

/* Empty. NULL when out of memory. */
struct groups *groups_new(void);
void groups_free(struct groups *groups);

/* Takes up an entry with members. PROV_E_NOMEM. */
int groups_take(struct groups *groups, const struct ldap_entry *group, struct prov_error *err);

/* Takes up all groups at or below `base` in the directory of `how`. Of Active Directory all of the domain, since
 * a group may be in one of those at or below `base` by others, and the primary group. Blocks. As search_open() and
 * search_next(); what is not a whole list of groups is none. */
int groups_read(struct groups *groups, const struct connection_options *how, const char *base,
                struct prov_error *err);

/*
 * Writes the groups the entry is in as values of memberOf, in the place of what the directory says. The
 * entry's values are borrowed until the next call. PROV_E_NOMEM.
 */
int groups_write(struct groups *groups, struct ldap_entry *entry, struct prov_error *err);

#endif
