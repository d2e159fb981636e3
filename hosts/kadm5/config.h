/* What an admin configures of the adapter for a Kerberos realm, beside what all adapters have. */
#ifndef KADM5_CONFIG_H
#define KADM5_CONFIG_H

#include <regex.h>

#include "hosts/adapter/settings.h"

#define CONFIG_PATH "/etc/sfprov/kadm5.json"

struct config {
    struct settings settings;
    const char *realm; /* NULL: the default realm */
    bool creates;      /* a principal whom the connector does not know is a new user */
    bool has_persons, has_except;
    regex_t persons; /* names of those who are persons; all, without it */
    regex_t except;  /* names of those who are none */
};

/* Reads the file and those it names. PROV_E_INVALID or PROV_E_FIELDS: what is wrong, where, and what to
 * do. The caller clears *ret, on success only. */
int config_read(const char *file, struct config *ret, struct prov_error *err);
void config_clear(struct config *config);

/* Whether a principal is a person by name, which is without the realm. */
bool config_is_person(const struct config *config, const char *name);

#endif
