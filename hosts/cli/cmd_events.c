/*
 * `preview` and `submit`: events from a file, shown or handed over. Neither delivers: the connector
 * is opened as a tool. What becomes of an event is the plugin's to say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/answers.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/host.h"
#include "hosts/cli/input.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/table.h"

#define EVENTS_MAX_BYTES (256u * 1024u * 1024u)

static int
read_events(const char *file, struct input_events *ret)
{
    struct prov_error err = { .size = sizeof(err) };
    char *text = NULL;
    size_t length;

    if (input_read(file, EVENTS_MAX_BYTES, &text, &length, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    if (input_split(text, length, ret, &err)) {
        complain("%s: %s", file, err.text);
        return CODE_USAGE;
    }
    return CODE_DONE;
}

static void
print_line(const char *label, enum tone tone, const char *text)
{
    printf("%-10s", label);
    screen_block(10, tone, text);
}

/* The username, and under it which piece came from where. */
static void
print_username(struct json_object *plan)
{
    static const char *const headings[] = { "          PIECE", "IS", "FROM", NULL };
    struct json_object *segments = reply_get(plan, "segments");
    struct table *table;
    char piece[64];

    if (!reply_text(plan, "username"))
        return;
    print_line("username", TONE_BOLD, reply_word(plan, "username"));
    table = table_new(headings);
    for (size_t i = 0; i < reply_count(segments); i++) {
        struct json_object *segment = reply_item(segments, i);

        snprintf(piece, sizeof(piece), "          %s", reply_word(segment, "source"));
        table_add(table, TONE_PLAIN, piece);
        table_add(table, TONE_PLAIN, reply_word(segment, "text"));
        table_add(table, TONE_DIM, reply_word(segment, "origin"));
    }
    table_print(table);
    table_free(table);
}

/* What was done to the value: "replace: Senior Rep; upper: SENIOR REP; cut to the length of the field". */
static void
add_note(struct table *table, struct json_object *field)
{
    struct json_object *steps = reply_get(field, "steps");
    const char *note = reply_text(field, "note");
    char text[1000] = "";
    size_t length = 0;

    for (size_t i = 0; i < reply_count(steps) && length < sizeof(text); i++) {
        struct json_object *step = reply_item(steps, i), *value = reply_get(step, "value");
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s: %s", i ? "; " : "",
                                   reply_word(step, "step"),
                                   value ? json_object_get_string(value) : "nothing");
    }
    if (note && *note && length < sizeof(text))
        snprintf(text + length, sizeof(text) - length, "%s%s", length ? "; " : "", note);
    table_add(table, TONE_DIM, text);
}

static void
print_fields(struct json_object *fields)
{
    static const char *const headings[] = { "FIELD", "VALUE", "FROM", "RULE", "NOTE", NULL };
    struct table *table;

    if (!reply_count(fields))
        return;
    putchar('\n');
    table = table_new(headings);
    for (size_t i = 0; i < reply_count(fields); i++) {
        struct json_object *field = reply_item(fields, i), *value = reply_get(field, "value");

        table_add(table, TONE_BOLD, reply_word(field, "field"));
        table_add(table, value ? TONE_PLAIN : TONE_DIM,
                  value                       ? json_object_get_string(value)
                  : reply_text(field, "note") ? "" /* it says what nothing means here */
                                              : "(cleared)");
        table_add(table, TONE_PLAIN, reply_text(field, "from"));
        table_add(table, TONE_DIM, reply_text(field, "rule"));
        add_note(table, field);
    }
    table_print(table);
    table_free(table);
}

static void
print_calls(struct json_object *calls)
{
    for (size_t i = 0; i < reply_count(calls); i++) {
        struct json_object *call = reply_item(calls, i), *body = reply_get(call, "body");

        printf(i ? "          " : "\ncalls     ");
        screen_tone(stdout, TONE_BOLD, reply_word(call, "method"));
        putchar(' ');
        screen_text(stdout, reply_word(call, "path"));
        if (body) {
            fputs("\n          ", stdout);
            screen_text(stdout, json_object_to_json_string_ext(
                                    body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        }
        putchar('\n');
    }
}

static void
print_texts(const char *label, struct json_object *texts)
{
    for (size_t i = 0; i < reply_count(texts); i++)
        print_line(i ? "" : label, TONE_PLAIN, json_object_get_string(reply_item(texts, i)));
}

static void
print_plan(struct json_object *plan)
{
    struct json_object *user = reply_get(plan, "user");
    const char *action = reply_word(plan, "action");

    print_line("user", TONE_BOLD, reply_word(user, "uri"));
    print_line("issuer", TONE_PLAIN, reply_word(user, "iss"));
    print_line("known", TONE_PLAIN, reply_flag(plan, "known") ? "yes" : "no, never seen before");
    print_line("action", strcmp(action, "park") ? TONE_GOOD : TONE_BAD, action);
    print_texts("because", reply_get(plan, "reasons"));
    print_username(plan);
    print_fields(reply_get(plan, "fields"));
    print_calls(reply_get(plan, "calls"));
    print_texts("looks up", reply_get(plan, "looks_up"));
}

static int
preview_one(const struct options *options, struct host *host, const struct input_event *input,
            bool first)
{
    struct prov_error err = { .size = sizeof(err) };
    struct prov_event event = { .size = sizeof(event), .json = input->json };
    struct json_object *plan;
    char *text = NULL;
    int code;

    event.length = input->length;
    if (host->api.preview(host->connector, &event, &text, &err))
        return host_failed("cannot preview", &err);
    code = host_answer(host, text, &plan);
    if (code)
        return code;
    if (options->json) {
        host_print_json(plan);
    } else {
        if (!first)
            putchar('\n');
        print_plan(plan);
    }
    if (!strcmp(reply_word(plan, "action"), "park"))
        code = CODE_PARKED;
    json_object_put(plan);
    return code;
}

int
command_preview(const struct options *options, const struct arguments *arguments)
{
    struct input_events events;
    struct host host;
    int code = read_events(arguments->texts[0], &events), worst = CODE_DONE;

    if (code)
        return code;
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    for (size_t i = 0; i < events.count && !code; i++) {
        int one = preview_one(options, &host, &events.events[i], i == 0);

        if (one > worst)
            worst = one;
    }
    if (!code)
        host_close(&host);
    input_clear(&events);
    return code ? code : worst;
}

static int
submit_all(const struct options *options, struct host *host, const struct input_events *events,
           struct answers *answers)
{
    int code = CODE_DONE;

    for (size_t at = 0; at < events->count && !code; at += ANSWERS_BATCH) {
        size_t left = events->count - at;

        code = answers_submit(host, events->events + at,
                              left < ANSWERS_BATCH ? left : ANSWERS_BATCH, answers);
        answers_print(answers, options->json);
    }
    return code;
}

int
command_submit(const struct options *options, const struct arguments *arguments)
{
    struct answers answers = { .file = arguments->texts[0] };
    struct input_events events;
    struct host host;
    int code = read_events(arguments->texts[0], &events);

    if (code)
        return code;
    answers.what = events.numbered ? "event" : "line";
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (!code) {
        code = submit_all(options, &host, &events, &answers);
        host_close(&host);
        if (!code && !options->json)
            answers_count(&answers, "\n");
    }
    input_clear(&events);
    if (!code && answers.refused)
        code = CODE_PARKED;
    return code;
}
