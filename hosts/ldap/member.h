/*
 * How groups name their members (RFC 4519 member and uniqueMember, RFC 2307 memberUid): one meaning for all who
 * read groups. Pure.
 */
#ifndef LDAP_MEMBER_H
#define LDAP_MEMBER_H

#include <stdio.h>

#include "hosts/ldap/entry.h"

#define MEMBER_ANY "(|(member=*)(uniqueMember=*)(memberUid=*))"

/* Those attributes, ends with NULL. */
extern const char *const member_attributes[];

/* Whether an attribute, without options and in any case, names members of a group. */
bool member_names(const char *attribute);
/* Whether it is one that names them by `uid`, not by DN. */
bool member_by_uid(const char *attribute);

/* Writes "(name=value)", the value escaped (RFC 4515). */
void member_condition(FILE *to, const char *name, const char *value);

/* The filter of the groups that an entry is in, by its DN, by the one it had before (NULL: none) or by a `uid`. Heap; NULL
 * when out of memory. */
char *member_filter(const struct ldap_entry *person, const char *former);
/* The filter of whoever a `uid` means. Heap; the same. */
char *member_uid_filter(const char *uid);

#endif
