/*
 * The adapter as both servers load it: one in a process, made once from the configuration, however many
 * plugin lines name it.
 */
#ifndef SLAPI_ADAPTER_H
#define SLAPI_ADAPTER_H

#include "hosts/slapi/changes.h"

struct adapter {
    struct config config;
    struct directory directory;
    struct changes changes;
    struct submit *submit; /* NULL: not active */
    char *file;            /* the configuration's */
    int users;             /* plugin lines */
};

/*
 * Makes the adapter from the file on the plugin line, or finds that it is there. Fails when the
 * configuration is wrong, and then says why. To be called while the server starts, by one thread.
 */
int adapter_open(const char *file, const struct server *server, void (*log)(int, const char *),
                 struct adapter **ret, struct prov_error *err);
/* The last one that closes ends it. */
void adapter_close(struct adapter *adapter);

#endif
