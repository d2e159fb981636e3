/* Set-and-return errors of the CLI's own pure files, in the ABI's error object. */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <provisioning/connector.h>

/* Sets *err (NULL allowed) to one line and returns code. */
int fault_set(struct prov_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int fault_nomem(struct prov_error *err);

#if defined(__clang_analyzer__) && !defined(FAULT_C)
/* What the static analyser cannot see from elsewhere: these return their code, and it is never 0. */
#    define fault_set(err, code, ...) (fault_set(err, code, __VA_ARGS__), (code))
#    define fault_nomem(err)          (fault_nomem(err), PROV_E_NOMEM)
#endif

#endif
