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

/* Ends a plugin's list of them. */
struct callback {
    int what; /* SLAPI_PLUGIN_..._FN; 0: the end */
    int (*function)(Slapi_PBlock *block);
};

/* What the server is told of the plugin. 0, or -1. */
int adapter_describe(Slapi_PBlock *block);
/* The same, with functions that the server is to call. */
int adapter_register(Slapi_PBlock *block, const struct callback *callbacks);

/*
 * Makes the adapter from the file on the plugin line, or finds that it is there. Fails when the line or the
 * configuration is wrong, and then says why; `example` is a right line. To be called while the server starts,
 * by one thread.
 */
int adapter_open(Slapi_PBlock *block, const struct server *server, const char *example,
                 void (*log)(int, const char *), struct adapter **ret, struct prov_error *err);

/* Callbacks: in the process that serves, after the fork; and at the end, where the last plugin line ends it. */
int adapter_start(Slapi_PBlock *block);
int adapter_end(Slapi_PBlock *block);

#endif
