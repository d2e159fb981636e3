/* What an admin configures of the adapter for a directory, beside what all adapters have. */
#ifndef ADAPTER_CONFIG_H
#define ADAPTER_CONFIG_H

#include "hosts/adapter/settings.h"
#include "hosts/cli/columns.h"

struct config {
    struct settings settings;
    struct columns *columns;
    const char *columns_file; /* NULL: the default ones */
    const char *key;          /* the attribute that identifies a person for good */
    const char *filter;       /* LDAP filter of those to be provisioned; NULL: by object class */
    const char **bases;       /* DNs at or below which they are; ends with NULL; empty: anywhere */
    const char **groups;      /* DNs at or below which groups are that count; ends with NULL */
};

/* What the server is, for its configuration. */
struct config_server {
    const char *key; /* its attribute for the key, if the columns file names none */
    bool several;    /* several processes, none of which delivers */
};

/*
 * Reads the file and those it names. PROV_E_INVALID or PROV_E_FIELDS: what is wrong, where, and what to do. The caller clears
 * *ret, on success only.
 */
int config_read(const char *file, const struct config_server *server, struct config *ret,
                struct prov_error *err);
void config_clear(struct config *config);

#endif
