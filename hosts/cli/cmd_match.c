/* `match`: who of those without an account has one in the org already. Whose is whose is the plugin's
 * finding; here the pages are put together and laid out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/pages.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

/* Lines shown when --limit says nothing. */
#define SHOWN_MAX 200

/* "jdoe@acme.example (inactive)", or why there is none to be had. Heap. */
static char *
detail_of(struct json_object *line)
{
    struct json_object *accounts = reply_get(line, "accounts"), *account = reply_item(accounts, 0);
    char *text = NULL;
    int length = 0;

    if (reply_text(line, "reason"))
        return strdup(reply_word(line, "reason"));
    if (reply_count(accounts))
        length = asprintf(&text, "%s%s by %s '%s'", reply_word(account, "username"),
                          reply_flag(account, "active") ? "" : " (inactive)",
                          reply_word(line, "by"), reply_word(line, "value"));
    else
        return strdup("");
    return length < 0 ? NULL : text;
}

static void
print_lines(struct json_object *lines, size_t limit)
{
    static const char *const headings[] = { "HOST USER", "WILL", "SALESFORCE ID", "DETAIL", NULL };
    static const char *const results[] = { "adopt", "create", "park" };
    size_t counts[3] = { 0 }, count = reply_count(lines);
    struct table *table = table_new(headings);

    for (size_t i = 0; i < count; i++) {
        struct json_object *line = reply_item(lines, i), *accounts = reply_get(line, "accounts");
        const char *result = reply_word(line, "result");
        char *detail = detail_of(line);

        for (size_t n = 0; n < 3; n++)
            counts[n] += !strcmp(result, results[n]);
        if (i < limit) {
            table_add(table, TONE_PLAIN,
                      reply_word(line, reply_text(line, "userName") ? "userName" : "uri"));
            table_add(table, strcmp(result, "park") ? TONE_PLAIN : TONE_BAD, result);
            table_add(table, TONE_DIM,
                      reply_count(accounts) == 1
                          ? reply_text(reply_item(accounts, 0), "salesforce_id")
                          : NULL);
            table_add(table, TONE_PLAIN, detail);
        }
        free(detail);
    }
    table_print(table);
    if (table_rows(table))
        putchar('\n');
    table_free(table);
    printf("%zu users without an account:", count);
    for (size_t n = 0; n < 3; n++)
        printf("%s %zu to %s", n ? "," : "", counts[n], results[n]);
    putchar('\n');
    if (count > limit)
        printf("the first %zu are shown; --limit shows more\n", limit);
}

int
command_match(const struct options *options, const struct arguments *arguments)
{
    struct json_object *lines = json_object_new_array();
    struct pages pages = { .verb = "query",
                           .name = "match",
                           .user = arguments->count ? arguments->texts[0] : NULL };
    struct host host;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    if (code) {
        json_object_put(lines);
        return code;
    }
    code = pages_read(&host, &pages, "matches", lines, NULL, NULL);
    host_close(&host);
    if (!code && options->json) {
        struct json_object *answer = json_object_new_object();
        reply_put(answer, "matches", json_object_get(lines));
        host_print_json(answer);
        json_object_put(answer);
    } else if (!code) {
        print_lines(lines, options->limit ? (size_t)options->limit : SHOWN_MAX);
    }
    json_object_put(lines);
    return code;
}
