/* Set-and-return errors of the CLI's own pure files, in the ABI's error object. */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <provisioning/connector.h>

/* Sets *err (NULL allowed) to one line and returns code. */
int fault_set(struct prov_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int fault_nomem(struct prov_error *err);

#endif
