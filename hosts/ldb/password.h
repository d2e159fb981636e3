/* A new password in clear among the changes of a request. */
#ifndef LDB_PASSWORD_H
#define LDB_PASSWORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include <ldb_module.h>

/* *ret is UTF-8 of `memory`, which the caller wipes; NULL: there is none, or none that can be read. 0, or -1: out
 * of memory. */
int password_of(void *memory, const struct ldb_message *message, char **ret);

#endif
