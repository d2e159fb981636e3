/*
 * `list`, `show`, and the orders `retry`, `hold`, `resume`: what is kept of
 * whom, and a word to the connector. Everything told here is the plugin's answer, laid out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/fact.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/story.h"
#include "hosts/cli/subjects.h"
#include "hosts/cli/table.h"

/* Why a user is not to be in Salesforce; NULL: is to be. */
static const char *
scope_words(struct json_object *row)
{
    static const struct {
        const char *code, *linked, *frozen, *words;
    } known[] = {
        { "GONE", "deactivated: gone at the host", "frozen: gone at the host", "gone at the host" },
        { "OUT_OF_SCOPE", "deactivated: out of scope", "frozen: out of scope", "out of scope" },
        { "LEAVES_SCOPE", "out of scope from the next event", "out of scope from the next event",
          NULL }
    };
    bool frozen = !strcmp(reply_word(row, "last_action"), "frozen");

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(reply_word(row, "code"), known[i].code))
            return !reply_text(row, "salesforce_id") ? known[i].words
                   : frozen                          ? known[i].frozen
                                                     : known[i].linked;
    }
    return NULL;
}

/* Of a user whose password was not set, unless there is worse to tell. */
static const char *
password_words(struct json_object *row)
{
    struct json_object *password = reply_get(row, "password");
    const char *outcome = reply_word(password, "outcome");

    return !password || !strcmp(outcome, "delivered") ? NULL
           : !strcmp(outcome, "refused")              ? "password not set"
           : !strcmp(outcome, "dropped")              ? "password not set"
                                                      : "password waits";
}

/* "created; waits for manager" */
static void
add_waits(const char *outcome, struct json_object *waits, char *ret, size_t size)
{
    const char *between = outcome ? "; waits for " : "waits for ";

    snprintf(ret, size, "%s", outcome ? outcome : "");
    for (size_t i = 0; i < reply_count(waits); i++) {
        size_t length = strlen(ret);
        snprintf(ret + length, size - length, "%s%s", between,
                 reply_word(reply_item(waits, i), "kind"));
        between = ", ";
    }
}

static void
print_list(struct json_object *rows)
{
    static const char *const headings[] = { "HOST USER",     "STATE",   "SALESFORCE USERNAME",
                                            "SALESFORCE ID", "OUTCOME", NULL };
    struct table *table = table_new(headings);

    for (size_t i = 0; i < reply_count(rows); i++) {
        struct json_object *row = reply_item(rows, i);
        const char *state = reply_word(row, "state"), *outcome = reply_text(row, "last_action");
        char text[1000];

        if (!strcmp(state, "in_step") && scope_words(row))
            outcome = scope_words(row);
        else if (!strcmp(state, "in_step") && password_words(row))
            outcome = password_words(row);
        else if (!strcmp(state, "parked") || !strcmp(state, "waiting"))
            outcome = reply_text(row, reply_text(row, "code") ? "code" : "cause");
        else if (strcmp(state, "in_step"))
            outcome = outcome_open(row);
        table_add(table, TONE_PLAIN, host_name(row));
        table_add(table, state_tone(state), state);
        table_add(table, TONE_PLAIN, reply_text(row, "username"));
        table_add(table, TONE_DIM, reply_text(row, "salesforce_id"));
        add_waits(outcome, reply_get(row, "waits"), text, sizeof(text));
        table_add(table, TONE_PLAIN, text);
    }
    table_print(table);
    table_free(table);
}

int
command_list(const struct options *options, const struct arguments *arguments)
{
    const char *state = options->state ? options->state : "all";
    struct json_object *request, *rows;
    struct host host;
    size_t hidden;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    if (code)
        return code;
    request = host_request("query", "subjects");
    reply_put_text(request, "state", state);
    if (arguments->count)
        reply_put_text(request, "find", arguments->texts[0]);
    code = subjects_list(&host, request, options->limit, &rows, &hidden);
    host_close(&host);
    if (code)
        return code;
    if (options->json) {
        host_print_json(rows);
    } else {
        print_list(rows);
        printf("%zu %s\n", reply_count(rows), reply_count(rows) == 1 ? "user" : "users");
    }
    json_object_put(rows);
    return hidden ? CODE_FAILED : CODE_DONE;
}

static void
print_confirmed(struct json_object *confirmed)
{
    static const char *const headings[] = { "FIELD", "CONFIRMED BY SALESFORCE", NULL };
    struct table *table;

    if (!json_object_is_type(confirmed, json_type_object) || !json_object_object_length(confirmed))
        return;
    putchar('\n');
    table = table_new(headings);
    json_object_object_foreach(confirmed, name, value)
    {
        table_add(table, TONE_PLAIN, name);
        table_add(table, value ? TONE_PLAIN : TONE_DIM,
                  value ? json_object_get_string(value) : "(empty)");
    }
    table_print(table);
    table_free(table);
}

static const char *
presence_words(const char *presence, bool active)
{
    if (!strcmp(presence, "gone"))
        return "gone at the host";
    if (!strcmp(presence, "out"))
        return "out of scope at the host";
    return active ? "active at the host" : "inactive at the host";
}

static void
print_password(struct json_object *password)
{
    const char *outcome = reply_word(password, "outcome");
    bool set = !strcmp(outcome, "delivered");

    if (!password)
        return;
    print_fact("password", set ? TONE_PLAIN : TONE_WARN, set ? "set" : outcome);
    if (set)
        return;
    print_fact("  code", TONE_BAD, reply_text(password, "code"));
    print_fact("  reason", TONE_PLAIN, reply_text(password, "message"));
    print_fact("  cause", TONE_PLAIN, reply_text(password, "cause"));
    print_fact("  remedy", TONE_PLAIN, reply_text(password, "remedy"));
    print_fact("  next try", TONE_PLAIN, reply_text(password, "next_attempt"));
}

static void
print_waits(struct json_object *row)
{
    struct json_object *waits = reply_get(row, "waits");

    for (size_t i = 0; i < reply_count(waits); i++) {
        struct json_object *wait = reply_item(waits, i);
        const char *what = reply_text(wait, "for");
        char text[1000];

        snprintf(text, sizeof(text), "%s%s%s since %s%s", reply_word(wait, "kind"), what ? " " : "",
                 what ? what : "", reply_word(wait, "since"),
                 reply_flag(wait, "long") ? ", longer than wait_limit_hours" : "");
        print_fact("waits for", TONE_PLAIN, text);
        if (!strcmp(reply_word(wait, "remedy"), reply_word(row, "remedy")))
            continue; /* it stands above */
        print_fact("  cause", TONE_PLAIN, reply_text(wait, "cause"));
        print_fact("  remedy", TONE_PLAIN, reply_text(wait, "remedy"));
    }
}

static void
print_story(struct json_object *row)
{
    struct json_object *unreadable = reply_get(row, "unreadable");
    const char *state = reply_word(row, "state");

    print_fact("user", TONE_BOLD, reply_word(row, "userName"));
    print_fact("uri", TONE_PLAIN, reply_word(row, "uri"));
    print_fact("issuer", TONE_PLAIN, reply_word(row, "iss"));
    print_fact("is", TONE_PLAIN,
               presence_words(reply_word(row, "presence"), reply_flag(row, "active")));
    print_fact("state", state_tone(state), state);
    print_fact("Salesforce", TONE_BOLD, reply_text(row, "username"));
    print_fact("Id", TONE_PLAIN, reply_text(row, "salesforce_id"));
    print_fact("last action", TONE_PLAIN, reply_text(row, "last_action"));
    print_fact("outcome", TONE_PLAIN, reply_text(row, "outcome"));
    print_fact("code", scope_words(row) ? TONE_PLAIN : TONE_BAD, reply_text(row, "code"));
    print_fact("reason", TONE_PLAIN, reply_text(row, "message"));
    print_fact("cause", TONE_PLAIN, reply_text(row, "cause"));
    print_fact("remedy", TONE_PLAIN, reply_text(row, "remedy"));
    print_waits(row);
    if (reply_number(row, "attempts"))
        print_fact("attempts", TONE_PLAIN, reply_text(row, "attempts"));
    print_fact("next try", TONE_PLAIN, reply_text(row, "next_attempt"));
    print_fact("updated", TONE_PLAIN, reply_text(row, "updated"));
    if (reply_get(row, "in_flight"))
        print_fact("in flight", TONE_WARN, reply_text(row, "in_flight"));
    print_password(reply_get(row, "password"));
    print_confirmed(reply_get(row, "confirmed"));
    for (size_t i = 0; i < reply_count(unreadable); i++)
        print_factf("cannot be read", "%s: %s", reply_word(reply_item(unreadable, i), "member"),
                    reply_word(reply_item(unreadable, i), "reason"));
    story_print(row);
}

int
command_show(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request, *row;
    struct host host;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);

    if (code)
        return code;
    request = host_request("query", "subject");
    reply_put_text(request, "user", arguments->texts[0]);
    code = host_query(&host, request, &row);
    host_close(&host);
    if (code)
        return code;
    if (options->json)
        host_print_json(row);
    else
        print_story(row);
    code = reply_count(reply_get(row, "unreadable")) ? CODE_FAILED : CODE_DONE;
    json_object_put(row);
    return code;
}

/* Gives an order and tells what came of it: `noun`, of how many, or NULL; `none`: it was for nobody. */
static int
order(const struct options *options, struct json_object *request, const char *noun,
      const char *done, const char *none)
{
    struct json_object *answer;
    struct host host;
    int code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    int64_t count;

    if (code) {
        json_object_put(request);
        return code;
    }
    code = host_act(&host, request, &answer);
    host_close(&host);
    if (code)
        return code;
    count = reply_number(answer, "count");
    if (options->json)
        host_print_json(answer);
    else if (count == 0)
        printf("%s\n", none);
    else if (noun)
        printf("%" PRId64 " %s%s %s\n", count, noun, count == 1 ? "" : "s", done);
    else
        printf("%s\n", done);
    json_object_put(answer);
    return CODE_DONE;
}

int
command_retry(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request = host_request("act", "retry");

    if (options->all == (arguments->count > 0)) {
        complain("retry: name one user, or give --all for every parked one");
        json_object_put(request);
        return CODE_USAGE;
    }
    if (options->all)
        reply_put_text(request, "state", "parked");
    else
        reply_put_text(request, "user", arguments->texts[0]);
    return order(
        options, request, "user", "to be tried again; 'sfprov deliver' does it now",
        "nobody is parked; a pause after calls that failed is over, and what is pending is tried "
        "at once");
}

int
command_hold(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request = host_request("act", "hold");

    reply_put_text(request, "reason", arguments->count ? arguments->texts[0] : NULL);
    return order(options, request, NULL, "on hold: events are accepted, nothing is sent", "");
}

int
command_resume(const struct options *options, const struct arguments *arguments)
{
    (void)arguments;
    return order(options, host_request("act", "resume"), NULL,
                 "resumed: delivery goes on; 'sfprov deliver' does it now", "there is no hold");
}

int
command_release(const struct options *options, const struct arguments *arguments)
{
    (void)arguments;
    return order(options, host_request("act", "release"), "deactivation",
                 "let go; 'sfprov deliver' does it now", "the guard holds nobody");
}
