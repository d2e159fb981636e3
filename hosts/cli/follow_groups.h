/*
 * The groups whose members are followed (`follow --groups`): who is in them, and whether that has changed since.
 * Blocks for as long as it is told; one thread at a time.
 */
#ifndef CLI_FOLLOW_GROUPS_H
#define CLI_FOLLOW_GROUPS_H

#include "hosts/cli/cli.h"
#include "hosts/ldap/connection.h"

struct follow_groups;

/* Reads them all, and goes on listening. `how`: as for the people; errors as content_open() and
 * content_poll(), PROV_E_STATE also for a signal. The caller closes *ret, written on success only. */
int follow_groups_open(const struct option_list *bases, const struct connection_options *how,
                       struct follow_groups **ret, struct prov_error *err);
void follow_groups_close(struct follow_groups *groups);

/* Hears what there is, without waiting. *ret_changed: people have to be listed with what they are now, since they have
 * changed, and nothing more was heard since the poll before, or they do not come to rest. PROV_E_STATE: a connection
 * is over. */
int follow_groups_poll(struct follow_groups *groups, bool *ret_changed, struct prov_error *err);

/* As groups_write(). */
int follow_groups_write(struct follow_groups *groups, struct ldap_entry *entry,
                        struct prov_error *err);

#endif
