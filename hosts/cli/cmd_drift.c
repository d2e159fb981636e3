/* `drift`: what somebody changed in the org by hand, and, with --repair, the order to set it back. What
 * differs is the plugin's finding; here it is laid out, a line a field. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/pages.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

/* Lines shown when --limit says nothing. */
#define SHOWN_MAX 200

struct counts {
    int64_t looked_at, same, in_flight, ordered;
};

static void
count_page(struct json_object *page, void *context)
{
    struct counts *counts = context;

    counts->looked_at += reply_number(page, "looked_at");
    counts->same += reply_number(page, "same");
    counts->in_flight += reply_number(page, "in_flight");
    counts->ordered += reply_number(page, "count");
}

static const char *
shown(struct json_object *value)
{
    return value ? json_object_get_string(value) : "(empty)";
}

static void
add_rows(struct table *table, struct json_object *line)
{
    struct json_object *fields = reply_get(line, "fields");
    const char *name = reply_word(line, reply_text(line, "userName") ? "userName" : "uri");

    if (!reply_count(fields)) {
        table_add(table, TONE_PLAIN, name);
        table_add(table, TONE_BAD, "the account is not there");
        table_add(table, TONE_PLAIN, reply_text(line, "salesforce_id"));
        table_add(table, TONE_PLAIN, NULL);
    }
    for (size_t i = 0; i < reply_count(fields); i++) {
        struct json_object *field = reply_item(fields, i);
        bool note = reply_text(field, "note") != NULL;

        table_add(table, TONE_PLAIN, name);
        table_add(table, note ? TONE_DIM : TONE_WARN, reply_text(field, "field"));
        table_add(table, TONE_PLAIN, shown(reply_get(field, "ours")));
        table_add(table, TONE_PLAIN, shown(reply_get(field, "theirs")));
    }
}

static void
print_lines(struct json_object *lines, const struct counts *counts, size_t limit)
{
    static const char *const headings[] = { "HOST USER", "FIELD", "CONFIRMED", "IN THE ORG NOW",
                                            NULL };
    size_t count = reply_count(lines), pending = 0;
    struct table *table = table_new(headings);

    for (size_t i = 0; i < count; i++) {
        pending += !strcmp(reply_word(reply_item(lines, i), "what"), "email");
        if (i < limit)
            add_rows(table, reply_item(lines, i));
    }
    table_print(table);
    if (table_rows(table))
        putchar('\n');
    table_free(table);
    printf("%" PRId64 " account%s looked at: %" PRId64 " as confirmed, %zu drifted",
           counts->looked_at, counts->looked_at == 1 ? "" : "s", counts->same, count - pending);
    if (counts->in_flight)
        printf(", %" PRId64 " in flight", counts->in_flight);
    if (pending)
        printf("; %zu with an e-mail address that perhaps waits for the user to confirm it",
               pending);
    putchar('\n');
    if (count > limit)
        printf("the first %zu are shown; --limit shows more\n", limit);
}

static void
print_order(const struct options *options, const struct counts *counts)
{
    if (options->dry_run)
        printf("a dry run, nothing was changed; %" PRId64 " would be set back\n", counts->ordered);
    else if (counts->ordered)
        printf("%" PRId64 " to be set back; 'sfprov deliver' does it now\n", counts->ordered);
}

/* Whether anybody differs in what counts. */
static bool
has_drift(struct json_object *lines)
{
    for (size_t i = 0; i < reply_count(lines); i++) {
        if (strcmp(reply_word(reply_item(lines, i), "what"), "email"))
            return true;
    }
    return false;
}

int
command_drift(const struct options *options, const struct arguments *arguments)
{
    struct json_object *lines = json_object_new_array();
    struct counts counts = { 0 };
    struct pages pages = { .verb = options->repair ? "act" : "query",
                           .name = options->repair ? "repair" : "drift",
                           .user = arguments->count ? arguments->texts[0] : NULL,
                           .dry_run = options->dry_run };
    struct host host;
    int code = CODE_USAGE;

    if (options->dry_run && !options->repair)
        complain("drift: --dry-run goes with --repair; without it nothing is changed anyway");
    else
        code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (code) {
        json_object_put(lines);
        return code;
    }
    code = pages_read(&host, &pages, "drift", lines, count_page, &counts);
    host_close(&host);
    if (!code && options->json) {
        struct json_object *answer = json_object_new_object();
        reply_put(answer, "looked_at", json_object_new_int64(counts.looked_at));
        reply_put(answer, "same", json_object_new_int64(counts.same));
        reply_put(answer, "in_flight", json_object_new_int64(counts.in_flight));
        reply_put(answer, "drift", json_object_get(lines));
        if (options->repair) {
            reply_put(answer, "count", json_object_new_int64(counts.ordered));
            reply_put(answer, "dry_run", json_object_new_boolean(options->dry_run));
        }
        host_print_json(answer);
        json_object_put(answer);
    } else if (!code) {
        print_lines(lines, &counts, options->limit ? (size_t)options->limit : SHOWN_MAX);
        if (options->repair)
            print_order(options, &counts);
    }
    if (!code && (!options->repair || options->dry_run) && has_drift(lines))
        code = CODE_PARKED;
    json_object_put(lines);
    return code;
}
