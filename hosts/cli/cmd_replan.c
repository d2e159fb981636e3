/* `replan`: brings changed connector fields to users who are in Salesforce already. Whom that changes,
 * and whether so many may be renamed, is the plugin's finding; here it is laid out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

/* Changes named when --limit says nothing. */
#define SHOWN_MAX 200

/* What a person reads of one change: the new username, the fields, or why not. Heap. */
static char *
detail_of(struct json_object *change)
{
    struct json_object *fields = reply_get(change, "fields");
    const char *what = reply_word(change, "what");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    if (!strcmp(what, "renamed"))
        fprintf(out, "to %s", reply_word(change, "to"));
    else if (!strcmp(what, "created"))
        fprintf(out, "as %s", reply_word(change, "to"));
    else if (!strcmp(what, "blocked") || !strcmp(what, "deactivated"))
        fputs(reply_word(change, "reason"), out);
    for (size_t i = 0; !strcmp(what, "updated") && i < reply_count(fields); i++)
        fprintf(out, "%s%s", i ? ", " : "", json_object_get_string(reply_item(fields, i)));
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

static void
print_changes(struct json_object *answer)
{
    static const char *const headings[] = { "HOST USER", "SALESFORCE USERNAME", "WHAT", "DETAIL",
                                            NULL };
    struct json_object *changes = reply_get(answer, "changes");
    struct table *table = table_new(headings);

    for (size_t i = 0; i < reply_count(changes); i++) {
        struct json_object *change = reply_item(changes, i);
        const char *what = reply_word(change, "what");
        char *detail = detail_of(change);

        table_add(table, TONE_PLAIN, reply_text(change, "userName"));
        table_add(table, TONE_PLAIN, reply_text(change, "from"));
        table_add(table,
                  strcmp(what, "blocked") && strcmp(what, "deactivated") ? TONE_PLAIN : TONE_WARN,
                  what);
        table_add(table, TONE_PLAIN, detail);
        free(detail);
    }
    table_print(table);
    if (table_rows(table))
        putchar('\n');
    table_free(table);
}

static void
print_answer(struct json_object *answer)
{
    static const char *const names[] = { "created",     "renamed", "updated",
                                         "deactivated", "blocked", "unchanged" };
    struct json_object *counts = reply_get(answer, "counts");
    struct json_object *looks_up = reply_get(answer, "looks_up");
    int64_t changes = 0;

    print_changes(answer);
    printf("%" PRId64 " users in Salesforce:", reply_number(counts, "linked"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        printf("%s %" PRId64 " %s", i ? "," : "", reply_number(counts, names[i]), names[i]);
        changes += i < 5 ? reply_number(counts, names[i]) : 0;
    }
    putchar('\n');
    if (changes > (int64_t)reply_count(reply_get(answer, "changes")))
        printf("the first %zu are shown; --limit shows more\n",
               reply_count(reply_get(answer, "changes")));
    for (size_t i = 0; i < reply_count(looks_up); i++)
        printf("not known here: %s\n", json_object_get_string(reply_item(looks_up, i)));
    if (reply_flag(answer, "applied") && changes == 0 &&
        (!reply_number(counts, "linked") || !reply_count(looks_up)))
        puts("nothing is to be done");
    else if (reply_flag(answer, "applied"))
        puts("they are due; 'sfprov deliver' does it now");
    else if (reply_flag(answer, "dry_run"))
        puts("a dry run, nothing was changed");
}

/* Not applied and no dry run: the guard. */
static int
explain_refusal(const struct options *options, struct json_object *answer)
{
    const char *reason = reply_text(answer, "reason");

    if (reply_flag(answer, "applied") || !reason)
        return CODE_DONE;
    complain("the replan was not done%s: %s", options->dry_run ? " and would not be" : "", reason);
    return options->dry_run ? CODE_DONE : CODE_USAGE;
}

int
command_replan(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request, *answer;
    struct host host;
    int code;

    if (options->all == (arguments->count > 0)) {
        complain("replan: name one user, or give --all for everybody in Salesforce");
        return CODE_USAGE;
    }
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (code)
        return code;
    request = host_request("act", "replan");
    if (options->all)
        reply_put(request, "all", json_object_new_boolean(true));
    else
        reply_put_text(request, "user", arguments->texts[0]);
    reply_put(request, "dry_run", json_object_new_boolean(options->dry_run));
    reply_put(request, "force", json_object_new_boolean(options->force));
    reply_put(request, "limit", json_object_new_int64(options->limit ? options->limit : SHOWN_MAX));
    code = host_act(&host, request, &answer);
    host_close(&host);
    if (code)
        return code;
    if (options->json)
        host_print_json(answer);
    else
        print_answer(answer);
    code = explain_refusal(options, answer);
    json_object_put(answer);
    return code;
}
