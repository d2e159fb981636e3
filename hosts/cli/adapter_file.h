/*
 * The configuration of a server's adapter as options: so a list, or a follower, of that directory means the same people,
 * groups and attributes as the adapter.
 */
#ifndef CLI_ADAPTER_FILE_H
#define CLI_ADAPTER_FILE_H

#include "hosts/adapter/config.h"
#include "hosts/cli/cli.h"

struct adapter_file {
    struct options options; /* with what the file says in them */
    char *url;              /* with its filter; without --adapter as it was, */
    char *about;            /* and with its bases: another text is other people */
    bool any_class;         /* its filter says who is a person */
    struct config config;
    char **bases; /* in one spelling; NULL: anywhere */
};

/* Returns an enum exit_code and has said why. The caller closes *ret in any case. */
int adapter_file_read(const struct options *options, const char *url, struct adapter_file *ret);
void adapter_file_close(struct adapter_file *file);

/* *ret: whether an entry with this DN is one of those that are meant. PROV_E_NOMEM. */
int adapter_file_means(const struct adapter_file *file, const char *dn, bool *ret,
                       struct prov_error *err);

#endif
