/* `org`: what the org says of itself, as it is kept in the store, or read anew. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

static void
print_read(struct json_object *org, const char *what, const char *time, const char *age)
{
    if (reply_text(org, time))
        printf("%-12sread %s, %" PRId64 " min ago\n", what, reply_word(org, time),
               reply_number(org, age) / 60);
    else
        printf("%-12snot read yet; --refresh reads it\n", what);
}

static void
print_names(const char *heading, struct json_object *rows, const char *second)
{
    const char *headings[] = { heading, second ? second : "ID", "ID", NULL };
    struct table *table;

    if (!reply_count(rows))
        return;
    if (!second)
        headings[2] = NULL;
    table = table_new(headings);
    for (size_t i = 0; i < reply_count(rows); i++) {
        struct json_object *row = reply_item(rows, i);
        table_add(table, TONE_PLAIN, reply_word(row, "Name"));
        if (second)
            table_add(table, TONE_DIM,
                      reply_text(row, "DeveloperName")
                          ? reply_word(row, "DeveloperName")
                          : reply_word(reply_get(row, "UserLicense"), "Name"));
        table_add(table, TONE_DIM, reply_word(row, "Id"));
    }
    putchar('\n');
    table_print(table);
    table_free(table);
}

static void
print_licences(struct json_object *rows)
{
    static const char *const headings[] = { "LICENCE", "USED", "TOTAL", NULL };
    struct table *table = table_new(headings);

    for (size_t i = 0; i < reply_count(rows); i++) {
        struct json_object *row = reply_item(rows, i);
        table_add(table, TONE_PLAIN, reply_word(row, "Name"));
        table_add(table, TONE_PLAIN, reply_word(row, "UsedLicenses"));
        table_add(table, TONE_PLAIN, reply_word(row, "TotalLicenses"));
    }
    putchar('\n');
    table_print(table);
    table_free(table);
}

static void
print_fields(struct json_object *fields)
{
    static const char *const headings[] = { "FIELD", "TYPE", "LENGTH", "WRITTEN", "VALUES", NULL };
    struct table *table = table_new(headings);

    for (size_t i = 0; i < reply_count(fields); i++) {
        struct json_object *field = reply_item(fields, i);
        bool create = reply_flag(field, "createable"), update = reply_flag(field, "updateable");
        char values[24] = "";

        if (reply_flag(field, "restrictedPicklist"))
            snprintf(values, sizeof(values), "%zu",
                     reply_count(reply_get(field, "picklistValues")));
        table_add(table, TONE_PLAIN, reply_word(field, "name"));
        table_add(table, TONE_PLAIN, reply_word(field, "type"));
        table_add(table, TONE_PLAIN,
                  reply_number(field, "length") ? reply_word(field, "length") : "");
        table_add(table, create && update ? TONE_PLAIN : TONE_DIM,
                  create && update ? "yes"
                  : create         ? "when created"
                  : update         ? "later"
                                   : "no");
        table_add(table, TONE_DIM, values);
    }
    putchar('\n');
    table_print(table);
    table_free(table);
}

static void
print_rights(struct json_object *rights)
{
    if (!rights)
        return;
    printf("%-12s", "rights");
    for (size_t i = 0; i < reply_count(rights); i++)
        printf("%s%s", i ? ", " : "", json_object_get_string(reply_item(rights, i)));
    puts(reply_count(rights) ? "" : "none");
}

static void
print_org(struct json_object *org)
{
    struct json_object *versions = reply_get(org, "versions");
    struct json_object *calls = reply_get(reply_get(org, "limits"), "DailyApiRequests");

    printf("%-12s%s\n", "org", reply_text(org, "org_id") ? reply_word(org, "org_id") : "not known");
    print_read(org, "fields", "fields_read", "fields_age_s");
    print_read(org, "profiles", "profiles_read", "profiles_age_s");
    print_read(org, "roles", "roles_read", "roles_age_s");
    print_read(org, "licences", "licences_read", "licences_age_s");
    print_read(org, "the rest", "read", "age_s");
    if (reply_count(versions))
        printf("%-12s%s to %s\n", "versions", reply_word(reply_item(versions, 0), "version"),
               reply_word(reply_item(versions, reply_count(versions) - 1), "version"));
    if (calls)
        printf("%-12s%" PRId64 " of %" PRId64 " left in 24 hours\n", "API calls",
               reply_number(calls, "Remaining"), reply_number(calls, "Max"));
    print_rights(reply_get(org, "rights"));
    if (reply_count(reply_get(org, "licences")))
        print_licences(reply_get(org, "licences"));
    print_names("PROFILE", reply_get(org, "profiles"), "LICENCE");
    print_names("ROLE", reply_get(org, "roles"), "DEVELOPER NAME");
    if (reply_count(reply_get(org, "fields")))
        print_fields(reply_get(org, "fields"));
}

int
command_org(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request = host_request("query", "org"), *org = NULL;
    struct host host;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    (void)arguments;
    if (code) {
        json_object_put(request);
        return code;
    }
    if (options->refresh)
        reply_put(request, "refresh", json_object_new_boolean(1));
    code = host_query(&host, request, &org);
    host_close(&host);
    if (code)
        return code;
    if (options->json)
        host_print_json(org);
    else
        print_org(org);
    json_object_put(org);
    return CODE_DONE;
}
