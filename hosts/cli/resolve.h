/* The host's resolve callback. */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include <provisioning/connector.h>

/* For struct prov_host; context: the path of a directory with a file ID.json for each user, the SCIM
 * resource. No file: there is no such user. A file that cannot be read is said on stderr, and the event
 * is to be handed over again. */
int32_t resolve_from(void *context, const struct prov_resolve *question);

#endif
