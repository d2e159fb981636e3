/*
 * Tells what a list did, user by user. Joins three sources: the plugin's findings (who was hired,
 * changed, lost), its rows (what Salesforce said) and, in a dry run, its previews. Decides the words
 * of the table; judges nothing.
 */
#include "hosts/cli/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
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
    const char *action = reply_word(row, "last_action");
    char *text = NULL;
    int length;

    if (!strcmp(state, "parked"))
        length = asprintf(&text, "parked: %s",
                          reply_word(row, *reply_word(row, "code") ? "code" : "cause"));
    else if (!strcmp(state, "pending") && reply_text(row, "waits_for"))
        length = asprintf(&text, "waits for %s", reply_word(row, "waits_for"));
    else if (!strcmp(state, "pending") || !strcmp(state, "in_flight"))
        length = asprintf(&text, "pending%s%s", *outcome ? ": " : "", outcome);
    else if (!strcmp(outcome, "delivered") && *action)
        length = asprintf(&text, "%s%s",
                          hired && !strncmp(action, "updated ", 8) ? "created, " : "", action);
    else
        length = asprintf(&text, "%s", *outcome ? outcome : state);
    return length < 0 ? NULL : text;
}

/* Adds one user to `users`: members of the change, then of the row (may be NULL). */
static int
add_user(struct json_object *users, struct json_object *change, struct json_object *row,
         const char *outcome)
{
    static const char *const of_change[] = { "uri", "userName", "what", "attributes", "note" };
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
    if (!user || json_object_array_add(users, user)) {
        json_object_put(user);
        complain("out of memory");
        return CODE_FAILED;
    }
    return CODE_DONE;
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

/* Rows of up to PAGE users from `first` on. */
static int
ask_rows(struct host *host, struct json_object *changes, size_t first, struct json_object **ret)
{
    struct json_object *request = host_request("query", "subjects");
    struct json_object *uris = json_object_new_array();

    for (size_t i = first; i < first + PAGE && i < reply_count(changes); i++) {
        struct json_object *uri = json_object_get(reply_get(reply_item(changes, i), "uri"));

        if (!uris || json_object_array_add(uris, uri))
            json_object_put(uri);
    }
    reply_put_text(request, "state", "all");
    reply_put(request, "users", uris);
    reply_put(request, "limit", json_object_new_int(5 * PAGE));
    return host_query(host, request, ret);
}

int
changes_outcome(struct host *host, struct json_object *report, struct json_object **ret)
{
    struct json_object *changes = reply_get(report, "changes"), *users = json_object_new_array();
    struct json_object *page = NULL;
    int code = users ? CODE_DONE : CODE_FAILED;

    for (size_t i = 0; i < reply_count(changes) && !code; i++) {
        struct json_object *change = reply_item(changes, i), *row;
        char *outcome;

        if (i % PAGE == 0) {
            json_object_put(page);
            page = NULL;
            code = ask_rows(host, changes, i, &page);
            if (code)
                break;
        }
        row = row_of(page, report, reply_word(change, "uri"));
        outcome = outcome_of(change, row);
        code = add_user(users, change, row, outcome);
        free(outcome);
    }
    json_object_put(page);
    if (code) {
        json_object_put(users);
        return code;
    }
    *ret = users;
    return CODE_DONE;
}

/* The event that the change amounts to; NULL when out of memory. `data` is taken over. */
static struct json_object *
event_of(const char *uri, const char *issuer, struct json_object *data)
{
    struct json_object *event = json_object_new_object(), *subject = json_object_new_object();
    struct json_object *events = json_object_new_object(), *payload = json_object_new_object();

    reply_put_text(event, "jti", "dry-run");
    reply_put_text(event, "iss", issuer);
    reply_put_text(subject, "format", "scim");
    reply_put_text(subject, "uri", uri);
    reply_put(event, "sub_id", subject);
    reply_put(events,
              data ? "urn:ietf:params:scim:event:prov:put:full"
                   : "urn:ietf:params:scim:event:prov:delete",
              payload);
    reply_put(payload, "data", data);
    reply_put(event, "events", events);
    return event;
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
            if (!strcasecmp(name, "id") || !strcmp(name, "attributes"))
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
    size_t size = 0;
    char *text = NULL;
    FILE *out;

    if (!strcmp(action, "nothing"))
        return strdup("nothing to do");
    out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "would %s", action);
    if (!strcmp(action, "update"))
        print_written(out, reply_get(plan, "calls"));
    for (size_t i = 0; i < reply_count(reasons) && !strcmp(action, "park"); i++) {
        fprintf(out, "%s%s", before, json_object_get_string(reply_item(reasons, i)));
        before = "; ";
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

static int
preview_change(struct host *host, struct json_object *change, const char *issuer,
               struct json_object *data, struct json_object **ret)
{
    struct prov_error err = { .size = sizeof(err) };
    struct json_object *object = event_of(reply_word(change, "uri"), issuer, data);
    const char *json = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    struct prov_event event = { .size = sizeof(event), .json = json, .length = strlen(json) };
    char *text = NULL;
    int result = host->api.preview(host->connector, &event, &text, &err);

    json_object_put(object);
    if (result)
        return host_failed(reply_word(change, "uri"), &err);
    return host_answer(host, text, ret);
}

static int
add_preview(struct host *host, struct json_object *change, struct json_object *row,
            const char *issuer, struct json_object *data, struct json_object *users)
{
    struct json_object *plan = NULL, *told;
    char *outcome;
    int code = preview_change(host, change, issuer, data, &plan);

    if (code)
        return code;
    told = json_object_new_object();
    reply_put_text(told, "username",
                   reply_text(plan, "username") ? reply_word(plan, "username")
                                                : reply_text(row, "username"));
    reply_put_text(told, "salesforce_id", reply_text(row, "salesforce_id"));
    outcome = outcome_of_plan(plan);
    code = add_user(users, change, told, outcome);
    free(outcome);
    json_object_put(told);
    json_object_put(plan);
    return code;
}

int
changes_preview(struct host *host, struct json_object *report, const struct people *people,
                const char *issuer, struct json_object **ret)
{
    struct json_object *changes = reply_get(report, "changes"), *users = json_object_new_array();
    struct json_object *page = NULL;
    int code = users ? CODE_DONE : CODE_FAILED;

    for (size_t i = 0; i < reply_count(changes) && !code; i++) {
        struct json_object *change = reply_item(changes, i), *data = NULL;
        const char *uri = reply_word(change, "uri");
        size_t person = people_find(people, uri);
        struct prov_error err = { .size = sizeof(err) };

        if (i % PAGE == 0) {
            json_object_put(page);
            page = NULL;
            code = ask_rows(host, changes, i, &page);
        }
        if (!code && person < people_count(people) && people_resource(people, person, &data, &err))
            code = host_failed(uri, &err);
        if (!code)
            code = add_preview(host, change, row_of(page, report, uri), issuer, data, users);
    }
    json_object_put(page);
    if (code) {
        json_object_put(users);
        return code;
    }
    *ret = users;
    return CODE_DONE;
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

void
changes_print(struct json_object *users)
{
    static const char *const headings[] = { "HOST USER",     "WHAT HAPPENED", "SALESFORCE USERNAME",
                                            "SALESFORCE ID", "OUTCOME",       NULL };
    struct table *table = table_new(headings);

    for (size_t i = 0; i < reply_count(users); i++) {
        struct json_object *user = reply_item(users, i);
        const char *outcome = reply_word(user, "outcome");
        bool bad = strstr(outcome, "park") != NULL;

        table_add(table, TONE_PLAIN, reply_text(user, "userName"));
        table_add(table, what_tone(reply_word(user, "what")), reply_text(user, "happened"));
        table_add(table, TONE_PLAIN, reply_text(user, "username"));
        table_add(table, TONE_DIM, reply_text(user, "salesforce_id"));
        table_add(table, bad ? TONE_BAD : TONE_PLAIN, outcome);
    }
    table_print(table);
    if (table_rows(table))
        putchar('\n');
    table_free(table);
}
