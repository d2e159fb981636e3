/* Queries that are answered in pages. */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include <stdbool.h>

#include "hosts/cli/host.h"

/* What is asked for page by page. */
struct pages {
    const char *verb, *name; /* "query" or "act", and which */
    const char *user;        /* of one only; NULL: of all */
    bool dry_run;            /* of an act */
};

/* Appends what every page's `member` holds to lines. `seen`, if not NULL, is shown each page. Returns an
 * exit code. */
int pages_read(struct host *host, const struct pages *pages, const char *member,
               struct json_object *lines, void (*seen)(struct json_object *page, void *context),
               void *context);

#endif
