/* `collisions`: who would share a Salesforce username, with the connector fields or with a pattern that
 * is thought of, and what would tell them apart. The finding is the plugin's; here it is laid out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

/* Usernames named when --limit says nothing. */
#define SHOWN_MAX 100

static void
print_change(struct json_object *change)
{
    if (!change)
        puts("  nothing in the pattern tells them apart: rename one of them at the host");
    else if (reply_text(change, "key"))
        printf(
            "  the key %s would tell them apart: provisioning_pattern %s, provisioning_separator "
            "'%s'\n",
            reply_word(change, "key"), reply_word(change, "pattern"),
            reply_word(change, "separator"));
    else
        printf("  another separator would tell them apart: provisioning_separator '%s'\n",
               reply_word(change, "separator"));
}

static void
print_group(struct json_object *group)
{
    static const char *const headings[] = { "  HOST USER", "URI", "ISSUER", NULL };
    struct json_object *users = reply_get(group, "users");
    struct table *table = table_new(headings);
    int64_t more = reply_number(group, "count") - (int64_t)reply_count(users);

    printf("%s\n", reply_word(group, "username"));
    for (size_t i = 0; i < reply_count(users); i++) {
        struct json_object *user = reply_item(users, i);
        char name[300];

        snprintf(name, sizeof(name), "  %s", reply_word(user, "userName"));
        table_add(table, TONE_PLAIN, name);
        table_add(table, TONE_PLAIN, reply_text(user, "uri"));
        table_add(table, TONE_PLAIN, reply_text(user, "iss"));
    }
    table_print(table);
    table_free(table);
    if (more > 0)
        printf("  and %" PRId64 " more\n", more);
    print_change(reply_get(group, "change"));
    putchar('\n');
}

static void
print_answer(struct json_object *answer)
{
    struct json_object *groups = reply_get(answer, "groups");
    int64_t shared = reply_number(answer, "shared"), nameless = reply_number(answer, "nameless");
    int64_t named = reply_number(answer, "users") - nameless;

    for (size_t i = 0; i < reply_count(groups); i++)
        print_group(reply_item(groups, i));
    if (shared > (int64_t)reply_count(groups))
        printf("the first %zu are shown; --limit shows more\n", reply_count(groups));
    if (shared)
        printf("%" PRId64 " of %" PRId64 " users would share %" PRId64 " username%s\n",
               reply_number(answer, "sharing"), reply_number(answer, "users"), shared,
               shared == 1 ? "" : "s");
    else
        printf("%" PRId64 " user%s, each with a username of their own\n", named,
               named == 1 ? "" : "s");
    if (nameless)
        printf("%" PRId64 " more get no username that Salesforce takes, and will be parked with "
               "the reason\n",
               nameless);
}

int
command_collisions(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request, *answer;
    struct host host;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    (void)arguments;
    if (code)
        return code;
    request = host_request("query", "collisions");
    reply_put_text(request, "pattern", options->pattern);
    reply_put_text(request, "separator", options->separator);
    reply_put_text(request, "domain", options->domain);
    reply_put(request, "limit", json_object_new_int64(options->limit ? options->limit : SHOWN_MAX));
    code = host_query(&host, request, &answer);
    host_close(&host);
    if (code)
        return code;
    if (options->json)
        host_print_json(answer);
    else
        print_answer(answer);
    code = reply_number(answer, "shared") ? CODE_PARKED : CODE_DONE;
    json_object_put(answer);
    return code;
}
