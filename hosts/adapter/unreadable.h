/*
 * A person whose entry cannot be read as a user, for some of its values: what can be read counts, or a leaver would stay for
 * whatever else is wrong. The rest of the user stays as the connector has it, and a resync is asked for.
 */
#ifndef ADAPTER_UNREADABLE_H
#define ADAPTER_UNREADABLE_H

#include "hosts/ldap/entry.h"

/* The same as entry_read(), and PROV_E_LIMIT: it is longer than an event may be. */
int unreadable_entry_read(const struct entry_options *options, const struct ldap_entry *entry,
                          struct entry_person *ret, struct prov_error *err);

/* Whether it is the entry's own fault that it ended so. */
bool unreadable_is(int result);

/* The connector, as whoever reads the entry asks it. */
struct unreadable_source {
    /* What it has of a user who is in scope, as JSON, heap; NULL in *ret: nothing, or they are not. */
    int (*known)(void *context, const char *uri, char **ret, struct prov_error *err);
    void *context;
};

/*
 * Such an entry, completed by what the connector has. *ret_known false: it is of none of its users who are in scope, so
 * that nothing can be said of it. `err` stays as it is, unless it fails. The caller clears *ret if it is known.
 */
int unreadable_complete(const struct unreadable_source *source, const struct entry_options *options,
                        const struct ldap_entry *entry, struct entry_person *ret, bool *ret_known,
                        struct prov_error *err);

/*
 * The same of a list: adds them completed, and where that is not possible bare, so that they are not taken for gone; but
 * for a lock, which counts all the same. `listed` has no resource. Errors as of `add`, which returns PROV_E_INVALID or
 * PROV_E_LIMIT where it is refused.
 */
int unreadable_list(const struct unreadable_source *source, const struct entry_options *options,
                    const struct ldap_entry *entry, const struct person_listed *listed,
                    int (*add)(void *context, const struct person_listed *listed,
                               struct prov_error *err),
                    void *context, struct prov_error *err);

#endif
