/* Queries that are answered in pages. */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include "hosts/cli/host.h"

/* Appends what every page's `member` holds to lines. `user`: of one only; NULL: of all. `seen`, if not
 * NULL, is shown each page. Returns an exit code. */
int pages_read(struct host *host, const char *query, const char *user, const char *member,
               struct json_object *lines, void (*seen)(struct json_object *page, void *context),
               void *context);

#endif
