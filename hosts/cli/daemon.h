/* `run --daemon`: a process that only delivers what others accept into the store. */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "hosts/cli/cli.h"

/* Delivers until SIGTERM or SIGINT; SIGHUP reads the connector fields anew. Returns an exit code. */
int daemon_run(const struct options *options);

#endif
