/* A program whose output is read; without a shell. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <sys/types.h>

#include <provisioning/connector.h>

struct program {
    pid_t process; /* 0: it has not been started, or has ended */
    int fd;        /* its output */
};

/* Starts arguments[0], looked for along PATH; arguments end with NULL. SIGCHLD gets its default action in this
 * process. PROV_E_NOTFOUND: it cannot be started. */
int program_start(char *const arguments[], struct program *ret, struct prov_error *err);

/* Waits for its end. PROV_E_STATE: it ended otherwise than well, which is said. */
int program_end(struct program *program, const char *name, struct prov_error *err);

/* Tells it to end, since its output is of no use any more, and waits for that. */
void program_stop(struct program *program);

#endif
