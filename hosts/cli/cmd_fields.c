/*
 * `fields` and `check`: what the connector can be told, and whether what it was told works. The
 * table of fields is the plugin's own schema; nothing of it is known here.
 */
#include <stdio.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

static bool
is_required(struct json_object *schema, const char *name)
{
    struct json_object *required = reply_get(schema, "required");

    for (size_t i = 0; i < reply_count(required); i++) {
        if (!strcmp(json_object_get_string(reply_item(required, i)), name))
            return true;
    }
    return false;
}

static int
print_schema_table(struct json_object *schema)
{
    static const char *const headings[] = { "FIELD", "NEEDED", "DEFAULT", "HELP", NULL };
    struct json_object *properties = reply_get(schema, "properties");
    struct table *table = table_new(headings);

    if (properties) {
        json_object_object_foreach(properties, name, field)
        {
            bool secret = reply_flag(field, "writeOnly");
            bool required = is_required(schema, name);

            table_add(table, TONE_BOLD, name);
            table_add(table, required ? TONE_WARN : TONE_PLAIN, required ? "yes" : "");
            table_add(table, TONE_PLAIN, secret ? "(secret)" : reply_text(field, "default"));
            table_add(table, TONE_PLAIN, reply_text(field, "description"));
        }
    }
    table_print(table);
    table_free(table);
    return CODE_DONE;
}

static int
print_schema(const struct options *options)
{
    struct prov_error err = { .size = sizeof(err) };
    struct host host;
    struct json_object *schema;
    char *text = NULL;
    int code = host_load(options, &host);

    if (code)
        return code;
    if (host.api.describe(&text, &err))
        return host_failed("cannot describe the connector fields", &err);
    code = host_answer(&host, text, &schema);
    if (code)
        return code;
    if (options->schema || options->json)
        puts(json_object_to_json_string_ext(schema, JSON_C_TO_STRING_PRETTY |
                                                        JSON_C_TO_STRING_SPACED |
                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        code = print_schema_table(schema);
    json_object_put(schema);
    return code;
}

/* One fault a block: what, then what to do. */
static void
print_fault(struct json_object *fault, enum tone tone, const char *what)
{
    const char *value = reply_text(fault, "value");

    screen_tone(stdout, tone, what);
    fputs("  ", stdout);
    screen_tone(stdout, TONE_BOLD, reply_word(fault, "field"));
    if (value && *value) {
        fputs("  '", stdout);
        screen_text(stdout, value);
        putchar('\'');
    }
    fputs("\n         ", stdout);
    screen_block(9, TONE_PLAIN, reply_word(fault, "reason"));
    if (reply_text(fault, "remedy")) {
        fputs("         ", stdout);
        screen_block(9, TONE_PLAIN, reply_word(fault, "remedy"));
    }
}

static void
print_faults(const char *file, struct json_object *faults, int code)
{
    struct json_object *list = reply_get(faults, "faults");
    struct json_object *warnings = reply_get(faults, "warnings");

    for (size_t i = 0; i < reply_count(list); i++)
        print_fault(reply_item(list, i), TONE_BAD, "fault  ");
    for (size_t i = 0; i < reply_count(warnings); i++)
        print_fault(reply_item(warnings, i), TONE_WARN, "warning");
    screen_text(stdout, file);
    if (code)
        printf(": %zu fault%s\n", reply_count(list), reply_count(list) == 1 ? "" : "s");
    else if (reply_count(warnings))
        printf(": the connector fields work; %zu warning%s\n", reply_count(warnings),
               reply_count(warnings) == 1 ? "" : "s");
    else
        puts(": the connector fields are right");
}

/* Of a connector that opened, in the form of the faults of one that did not. */
static int
warnings_of(struct host *host, struct json_object **ret)
{
    struct json_object *answer, *all;
    int code = host_query(host, host_request("query", "fields"), &answer);

    if (code)
        return code;
    all = json_tokener_parse("{\"faults\":[]}");
    json_object_object_add(all, "warnings", json_object_get(reply_get(answer, "warnings")));
    json_object_put(answer);
    *ret = all;
    return CODE_DONE;
}

static int
check_fields(const struct options *options)
{
    struct host host;
    struct json_object *faults = NULL;
    int code = host_load(options, &host);

    if (code)
        return code;
    code = host_open_fields(options, PROV_OPEN_NEVER_DELIVER, &host, &faults);
    if (code && !faults)
        return code;
    if (!code) {
        code = warnings_of(&host, &faults);
        host_close(&host);
    }
    if (options->json) {
        host_print_json(faults);
    } else {
        print_faults(host_fields_file(options), faults, code);
    }
    json_object_put(faults);
    return code;
}

/* The values in force, defaults filled in; the plugin masks secrets. */
static int
print_values(const struct options *options)
{
    static const char *const headings[] = { "FIELD", "VALUE", NULL };
    struct host host;
    struct json_object *values;
    struct table *table;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    if (code)
        return code;
    code = host_query(&host, host_request("query", "fields"), &values);
    host_close(&host);
    if (code)
        return code;
    if (options->json) {
        host_print_json(values);
    } else {
        struct json_object *fields = reply_get(values, "fields");

        table = table_new(headings);
        json_object_object_foreach(fields ? fields : values, name, value)
        {
            table_add(table, TONE_BOLD, name);
            table_add(table, TONE_PLAIN, value ? json_object_get_string(value) : "");
        }
        table_print(table);
        table_free(table);
    }
    json_object_put(values);
    return CODE_DONE;
}

int
command_fields(const struct options *options, const struct arguments *arguments)
{
    (void)arguments;
    if (options->schema + options->check + options->values > 1) {
        complain("fields: give one of --schema, --check and --values");
        return CODE_USAGE;
    }
    if (options->check)
        return check_fields(options);
    if (options->values)
        return print_values(options);
    return print_schema(options);
}

static enum tone
step_tone(const char *status)
{
    if (!strcmp(status, "ok"))
        return TONE_GOOD;
    if (!strcmp(status, "failed"))
        return TONE_BAD;
    return strcmp(status, "warning") ? TONE_DIM : TONE_WARN;
}

static void
print_indented(const char *what, const char *text)
{
    if (!text || !*text)
        return;
    printf("         %-8s", what);
    screen_block(17, TONE_PLAIN, text);
}

static void
print_step(struct json_object *step)
{
    const char *status = reply_word(step, "status"), *seen = reply_word(step, "seen");
    const char *name = reply_word(step, "name");

    screen_tone(stdout, step_tone(status), status);
    printf("%*s", (int)(9 - (strlen(status) < 8 ? strlen(status) : 8)), "");
    screen_tone(stdout, TONE_BOLD, name);
    fputs("  ", stdout);
    screen_block(11 + screen_width(name, strlen(name)), TONE_PLAIN, seen);
    print_indented("cause", reply_text(step, "cause"));
    print_indented("remedy", reply_text(step, "remedy"));
}

int
command_check(const struct options *options, const struct arguments *arguments)
{
    struct prov_error err = { .size = sizeof(err) };
    struct host host;
    struct json_object *answer = NULL, *steps;
    char *text = NULL;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    (void)arguments;
    if (code)
        return code;
    if (host.api.check(host.connector, &text, &err))
        code = host_failed("cannot check the connection", &err);
    else
        code = host_answer(&host, text, &answer);
    host_close(&host);
    if (code)
        return code;
    if (options->json) {
        host_print_json(answer);
    } else {
        steps = reply_get(answer, "steps");
        for (size_t i = 0; i < reply_count(steps); i++)
            print_step(reply_item(steps, i));
    }
    code = !reply_flag(answer, "ok")                         ? CODE_PARKED
           : !strcmp(reply_word(answer, "worst"), "warning") ? CODE_WARNED
                                                             : CODE_DONE;
    json_object_put(answer);
    return code;
}
