/*
 * What an admin configures of any adapter: one JSON file, which the server's configuration names. What
 * only one adapter has, it takes out of the file itself.
 */
#ifndef ADAPTER_SETTINGS_H
#define ADAPTER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>
#include <provisioning/connector.h>

struct settings {
    char *file;   /* the configuration's */
    char *plugin; /* path of sfprov.so */
    char *fields; /* the connector fields, as text; wiped when cleared */
    size_t fields_length;
    const char *fields_file;
    const char *issuer_means; /* as of the host */
    bool closed;              /* refuse a change that could not be kept */
    bool deliver;             /* deliver in the server's own process */
    bool active;              /* false: loaded, and does nothing */
    bool passwords;           /* hand over a new password where the server shows it in clear */
    struct json_object *json; /* owns the texts */
};

struct settings_host {
    const char *known;  /* the keys that the file may have, with a blank between them */
    const char *issuer; /* what the issuer stands for, with an example */
    bool deliver;       /* where the file does not say */
};

#define SETTINGS_MAX_BYTES (1024u * 1024u)

/*
 * Reads the file, and the one of the connector fields, which is not looked into: it holds secrets, and the connector
 * says what is wrong with it. PROV_E_INVALID: what is wrong, where, and what to do. The caller clears *ret, on success only.
 */
int settings_read(const char *file, const struct settings_host *host, struct settings *ret,
                  struct prov_error *err);
void settings_clear(struct settings *settings);

/* Each takes the value of a key; what is not there leaves *ret as it is. Texts are borrowed.
 * PROV_E_INVALID: it is of another kind. */
int settings_text(const struct settings *settings, const char *name, const char **ret,
                  struct prov_error *err);
int settings_switch(const struct settings *settings, const char *name, bool *ret,
                    struct prov_error *err);

#endif
