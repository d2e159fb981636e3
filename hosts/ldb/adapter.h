/*
 * What the processes of the server have of sfprov: made when a database is opened for the first time, from
 * the configuration that the database names, and there until the process ends; a child has it of its parent.
 * Nothing of it is a thread, a lock or an open file.
 */
#ifndef LDB_ADAPTER_H
#define LDB_ADAPTER_H

#include <ldb.h>

#include "hosts/adapter/config.h"
#include "hosts/adapter/submit.h"

struct adapter {
    struct config config;
    struct submit *submit;
    char *cursor; /* path of the cursor's file */
    char *file;   /* the configuration's */
    struct adapter *next;
};

/*
 * Makes the adapter of this configuration, or finds that it is there. Fails when the configuration is wrong,
 * and then says why. Touches neither store nor network.
 */
int adapter_open(const char *file, struct adapter **ret, struct prov_error *err);

/* Whose log takes the lines from now on; NULL: nobody's. */
void adapter_log_to(struct ldb_context *ldb);
/* One line for the server's log; level as enum prov_log_level. */
void adapter_log(int level, const char *line);

#endif
