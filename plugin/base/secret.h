/* Memory for secrets: wiped when it is given back, and kept out of core dumps. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "plugin/base/cleanup.h"

/* Zeroed memory of its own pages: not in core dumps, not swapped as far as RLIMIT_MEMLOCK allows.
 * NULL when out of memory. For few and short-lived values: each costs a page. Any thread. */
void *secret_alloc(size_t size);
/* Texts of that kind; NULL when out of memory, or for NULL. */
char *secret_copy(const char *text);
char *secret_format(const char *format, ...) PRINTF_LIKE(1, 2);
/* Moves a text from malloc() into such memory; wipes and frees it in any case. */
char *secret_take(char *text);
/* Wipes and gives back; NULL is allowed. */
void secret_free(void *secret);
/* Keeps what others have copied there out of core dumps, with the rest of its pages, for as long as they are mapped. */
void secret_hide(void *copy, size_t size);

/* AUTO_SECRET char *text = NULL; gives it back at the end of the scope. */
static inline void
secret_cleanup(void *variable)
{
    secret_free(*(void **)variable);
}
#define AUTO_SECRET CLEANUP(secret_cleanup)

#endif
