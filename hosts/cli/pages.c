/* Reads a query that is answered in pages, each with "next", into one list. */
#include "hosts/cli/pages.h"

#include <string.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define PAGE 200

static int
ask_page(struct host *host, const struct pages *pages, int64_t after, struct json_object **ret)
{
    struct json_object *request = host_request(pages->verb, pages->name);

    reply_put_text(request, "user", pages->user);
    reply_put(request, "after", json_object_new_int64(after));
    reply_put(request, "limit", json_object_new_int64(PAGE));
    if (strcmp(pages->verb, "act"))
        return host_query(host, request, ret);
    reply_put(request, "all", json_object_new_boolean(!pages->user));
    reply_put(request, "dry_run", json_object_new_boolean(pages->dry_run));
    return host_act(host, request, ret);
}

int
pages_read(struct host *host, const struct pages *pages, const char *member,
           struct json_object *lines, void (*seen)(struct json_object *page, void *context),
           void *context)
{
    int64_t after = 0;

    while (after >= 0) {
        struct json_object *page, *part, *next;
        int code = ask_page(host, pages, after, &page);

        if (code)
            return code;
        part = reply_get(page, member);
        for (size_t i = 0; i < reply_count(part); i++) {
            struct json_object *line = json_object_get(reply_item(part, i));
            if (json_object_array_add(lines, line)) {
                json_object_put(line);
                json_object_put(page);
                complain("out of memory");
                return CODE_FAILED;
            }
        }
        if (seen)
            seen(page, context);
        next = reply_get(page, "next");
        after = next ? json_object_get_int64(next) : -1;
        json_object_put(page);
    }
    return CODE_DONE;
}
