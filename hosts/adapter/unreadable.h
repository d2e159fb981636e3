/*
 * A person whose entry cannot be read as a user. They stay as they are, and a resync is asked for; but a lock must not
 * wait for whatever else is wrong.
 */
#ifndef ADAPTER_UNREADABLE_H
#define ADAPTER_UNREADABLE_H

#include "hosts/adapter/submit.h"
#include "hosts/ldap/entry.h"

/* Whether it is the entry's own fault that entry_read() ended so. */
bool unreadable_is(int result);

/* The URI of who is inactive by what can be read, and one of the connector's users: heap. NULL in *ret_uri: nobody. `err`
 * stays as it is, unless it fails. */
int unreadable_locked(struct submit *submit, const struct entry_options *options,
                      const struct ldap_entry *entry, char **ret_uri, struct prov_error *err);

#endif
