/*
 * Who of the connector's users is meant by a name: for hosts whose users have nothing else that lasts. A
 * user keeps the URI that he was first seen with, whatever he is called later; whoever has the name of
 * somebody who is gone is another one.
 */
#ifndef ADAPTER_NAMES_H
#define ADAPTER_NAMES_H

#include <provisioning/connector.h>

struct names {
    const struct prov_vtable *api;
    prov_connector *connector;
    const char *issuer; /* NULL: the connector field */
};

/*
 * The URI of the user who has this userName now; *ret_uri is NULL if there is none. PROV_E_INVALID: several
 * have it. Others are the query's. Reads the store. The caller frees *ret_uri.
 */
int names_find(const struct names *names, const char *name, char **ret_uri, struct prov_error *err);

/* A URI for somebody new of this name, which nobody has or had: "/Users/ada", "/Users/ada~2". The caller
 * frees *ret_uri. */
int names_new_uri(const struct names *names, const char *name, char **ret_uri,
                  struct prov_error *err);

#endif
