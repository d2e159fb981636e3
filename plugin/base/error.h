/* The error object of every room: set and return. Texts are for an operator: what, which object in
 * single quotes, why, and what to do; one line, never a secret. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <provisioning/connector.h>

#include "plugin/base/cleanup.h"

#define PROV_ERROR_INIT                                                                            \
    {                                                                                              \
        .size = sizeof(struct prov_error)                                                          \
    }

/* Sets *err (NULL allowed) and returns code. The text is cut at a character boundary. */
int error_set(struct prov_error *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " before the text of *err, if it holds one; returns its code, or code for NULL. */
int error_wrap(struct prov_error *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* PROV_E_NOMEM with its standing text. */
int error_nomem(struct prov_error *err);

/* Makes a cut text one clean line: ends it before a multi-byte character that was cut in two, and
 * turns control bytes into spaces. */
void error_tidy(char *text);

/* "STORE" for PROV_E_STORE; "UNKNOWN" for a code that is not ours. */
const char *error_code_name(int code);

#if defined(__clang_analyzer__) && !defined(ERROR_C)
/* What the static analyser cannot see from elsewhere: these return their code, and it is never 0. */
#    define error_set(err, code, ...) (error_set(err, code, __VA_ARGS__), (code))
#    define error_nomem(err)          (error_nomem(err), PROV_E_NOMEM)
#endif

#endif
