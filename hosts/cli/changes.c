/*
 * Tells what a list did, user by user. Joins three sources: the plugin's findings (who was hired,
 * changed, lost), its rows (what Salesforce said) and, in a dry run, its plans. Decides the words of
 * the table; judges nothing. A page of changes is in memory at a time.
 */
#include "hosts/cli/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/letters.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/subjects.h"
#include "hosts/cli/table.h"

#define PAGE 200

/* Prints an attribute as people know it: without its schema, and a manager by one name only. */
static void
print_attribute(FILE *out, const char **before, const char *attribute)
{
    const char *colon = strncmp(attribute, "urn:", 4) ? NULL : strrchr(attribute, ':');
    const char *name = colon ? colon + 1 : attribute, *end = strrchr(name, '.');

    if (!strcmp(name, "userName") || !strcmp(name, "schemas") || (end && !strcmp(end, ".$ref")))
        return;
    if (!end || strcmp(end, ".value"))
        end = name + strlen(name);
    fprintf(out, "%s%.*s", *before, (int)(end - name), name);
    *before = ", ";
}

/* "hired", "renamed", "changed: title, department". Heap; NULL when out of memory. */
static char *
happened(struct json_object *change)
{
    const char *what = reply_word(change, "what");
    struct json_object *attributes = reply_get(change, "attributes");
    size_t count = reply_count(attributes), size = 0;
    bool renamed = false;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (size_t i = 0; i < count; i++)
        renamed |= !strcmp(json_object_get_string(reply_item(attributes, i)), "userName");
    fputs(!strcmp(what, "changed") && renamed ? "renamed" : what, out);
    if (!strcmp(what, "changed") || !strcmp(what, "returned")) {
        const char *before = renamed ? ", changed: " : ": ";

        for (size_t i = 0; i < count; i++)
            print_attribute(out, &before, json_object_get_string(reply_item(attributes, i)));
    }
    if (reply_text(change, "note"))
        fprintf(out, " (%s)", reply_word(change, "note"));
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

/* What became of it, in one phrase. A new user whose manager came after him was created first and
 * updated then. Heap; NULL when out of memory. */
static char *
outcome_of(struct json_object *change, struct json_object *row)
{
    bool hired = !strcmp(reply_word(change, "what"), "hired");
    const char *state = reply_word(row, "state"), *outcome = reply_word(row, "outcome");
    const char *action = reply_word(row, "last_action"), *so_far = outcome_open(row);
    char *text = NULL;
    int length;

    if (!strcmp(state, "parked") || !strcmp(state, "waiting"))
        length = asprintf(&text, "%s: %s", state,
                          reply_word(row, *reply_word(row, "code") ? "code" : "cause"));
    else if (!strcmp(state, "pending") || !strcmp(state, "in_flight"))
        length = asprintf(&text, "pending%s%s", so_far ? ": " : "", so_far ? so_far : "");
    else if (!strcmp(outcome, "delivered") && *action)
        length = asprintf(&text, "%s%s",
                          hired && !strncmp(action, "updated ", 8) ? "created, " : "", action);
    else
        length = asprintf(&text, "%s", *outcome ? outcome : state);
    return length < 0 ? NULL : text;
}

/* One user of the answer: members of the change, then of the row (may be NULL). */
static int
make_user(struct json_object *change, struct json_object *row, const char *outcome,
          struct json_object **ret)
{
    static const char *const of_change[] = { "uri",  "userName",   "place",
                                             "what", "attributes", "note" };
    static const char *const of_row[] = { "username", "salesforce_id", "state", "code",
                                          "message",  "cause",         "remedy" };
    struct json_object *user = json_object_new_object();
    char *what = happened(change);

    for (size_t i = 0; i < sizeof(of_change) / sizeof(of_change[0]); i++)
        reply_put(user, of_change[i], json_object_get(reply_get(change, of_change[i])));
    reply_put_text(user, "happened", what);
    for (size_t i = 0; i < sizeof(of_row) / sizeof(of_row[0]); i++)
        reply_put(user, of_row[i], json_object_get(reply_get(row, of_row[i])));
    reply_put_text(user, "outcome", outcome);
    free(what);
    *ret = user;
    if (user)
        return CODE_DONE;
    complain("out of memory");
    return CODE_FAILED;
}

/* The row of a user among those of a page; two issuers may both have a /Users/1. Borrowed. */
static struct json_object *
row_of(struct json_object *page, struct json_object *report, const char *uri)
{
    struct json_object *rows = reply_get(page, "subjects");
    const char *issuer = reply_text(report, "issuer");

    for (size_t i = 0; i < reply_count(rows); i++) {
        struct json_object *row = reply_item(rows, i);

        if (!strcmp(reply_word(row, "uri"), uri) &&
            (!issuer || !strcmp(reply_word(row, "iss"), issuer)))
            return row;
    }
    return NULL;
}

/* Rows of the users of a page. */
static int
ask_rows(struct host *host, struct json_object *changes, struct json_object **ret)
{
    struct json_object *request = host_request("query", "subjects");
    struct json_object *uris = json_object_new_array();

    for (size_t i = 0; i < reply_count(changes); i++) {
        struct json_object *uri = json_object_get(reply_get(reply_item(changes, i), "uri"));

        if (!uris || json_object_array_add(uris, uri))
            json_object_put(uri);
    }
    reply_put_text(request, "state", "all");
    reply_put(request, "users", uris);
    reply_put(request, "limit", json_object_new_int(5 * PAGE));
    return host_query(host, request, ret);
}

/* The Salesforce fields that the calls of a plan write. */
static void
print_written(FILE *out, struct json_object *calls)
{
    const char *before = " ";

    for (size_t i = 0; i < reply_count(calls); i++) {
        struct json_object *body = reply_get(reply_item(calls, i), "body");

        if (!json_object_is_type(body, json_type_object))
            continue;
        json_object_object_foreach(body, name, value)
        {
            (void)value;
            if (letters_same(name, "id") || !strcmp(name, "attributes"))
                continue;
            fprintf(out, "%s%s", before, name);
            before = ", ";
        }
    }
}

/* "would create", "would park: ...". Heap; NULL when out of memory. */
static char *
outcome_of_plan(struct json_object *plan)
{
    const char *action = reply_word(plan, "action"), *before = ": ";
    struct json_object *reasons = reply_get(plan, "reasons");
    bool rival = reply_text(plan, "rival") != NULL;
    size_t size = 0;
    char *text = NULL;
    FILE *out;

    if (!strcmp(action, "nothing"))
        return strdup("nothing to do");
    out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "would %s", rival ? "wait" : action);
    if (!strcmp(action, "update") && !rival)
        print_written(out, reply_get(plan, "calls"));
    /* of two who want one name, one gets it: the other would wait for it in vain */
    for (size_t i = 0; i < reply_count(reasons) && (!strcmp(action, "park") || rival); i++) {
        fprintf(out, "%s%s", before, json_object_get_string(reply_item(reasons, i)));
        before = "; ";
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

/* Tells of a change by its plan, in a dry run. */
static int
make_previewed(struct json_object *change, struct json_object *row, struct json_object **ret)
{
    struct json_object *plan = reply_get(change, "plan"), *told = json_object_new_object();
    char *outcome = plan ? outcome_of_plan(plan) : strdup("left alone");
    int code;

    reply_put_text(told, "username",
                   reply_text(plan, "username") ? reply_word(plan, "username")
                                                : reply_text(row, "username"));
    reply_put_text(told, "salesforce_id", reply_text(row, "salesforce_id"));
    code = make_user(change, told, outcome, ret);
    reply_put_text(*ret, "rival", reply_text(plan, "rival"));
    free(outcome);
    json_object_put(told);
    return code;
}

static int
make_delivered(struct json_object *change, struct json_object *row, struct json_object **ret)
{
    char *outcome = outcome_of(change, row);
    int code = make_user(change, row, outcome, ret);

    free(outcome);
    return code;
}

static int
tell_page(struct changes *changes, struct json_object *report, struct json_object *page)
{
    bool dry_run = reply_flag(report, "dry_run"), ask = false;
    struct json_object *rows = NULL, *user;
    int code = CODE_DONE;

    /* asking makes a store where none is; in a dry run who is hired has no row to ask for */
    for (size_t i = 0; i < reply_count(page) && !ask; i++)
        ask = !dry_run || strcmp(reply_word(reply_item(page, i), "what"), "hired");
    if (ask)
        code = ask_rows(changes->host, page, &rows);
    for (size_t i = 0; i < reply_count(page) && !code; i++) {
        struct json_object *change = reply_item(page, i);
        struct json_object *row = row_of(rows, report, reply_word(change, "uri"));

        user = NULL;
        code = (dry_run ? make_previewed : make_delivered)(change, row, &user);
        if (!code)
            changes->tell(changes->context, user);
        json_object_put(user);
    }
    json_object_put(rows);
    return code;
}

int
changes_tell(struct changes *changes, struct json_object *report)
{
    struct prov_error err = { .size = sizeof(err) };
    int64_t after = 0;
    int code = CODE_DONE;

    while (!code && after >= 0) {
        struct json_object *page = NULL;
        char *text = NULL;

        if (changes->host->api.snapshot_changes(changes->snapshot, after, PAGE, &text, &err))
            return host_failed("cannot tell the changes", &err);
        code = host_answer(changes->host, text, &page);
        if (!code)
            code = tell_page(changes, report, reply_get(page, "changes"));
        after = reply_get(page, "next") ? reply_number(page, "next") : -1;
        json_object_put(page);
    }
    return code;
}

static enum tone
what_tone(const char *what)
{
    if (!strcmp(what, "hired") || !strcmp(what, "returned"))
        return TONE_GOOD;
    if (!strcmp(what, "lost"))
        return TONE_BAD;
    return strcmp(what, "skipped") ? TONE_PLAIN : TONE_WARN;
}

struct table *
changes_table(void)
{
    static const char *const headings[] = { "HOST USER",     "WHAT HAPPENED", "SALESFORCE USERNAME",
                                            "SALESFORCE ID", "OUTCOME",       NULL };

    return table_new(headings);
}

void
changes_row(struct table *table, struct json_object *user)
{
    const char *outcome = reply_word(user, "outcome");
    bool bad = strstr(outcome, "park") != NULL || reply_text(user, "rival");

    table_add(table, TONE_PLAIN, host_name(user));
    table_add(table, what_tone(reply_word(user, "what")), reply_text(user, "happened"));
    table_add(table, TONE_PLAIN, reply_text(user, "username"));
    table_add(table, TONE_DIM, reply_text(user, "salesforce_id"));
    table_add(table, bad ? TONE_BAD : TONE_PLAIN, outcome);
    if (table_rows(table) % PAGE == 0)
        table_flush(table);
}
