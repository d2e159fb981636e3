/*
 * The timeline of `show`: events as they came, each outcome with the call that led to it, and what comes
 * next. Everything told here is the plugin's answer, laid out.
 */
#include "hosts/cli/story.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define WHAT_AT 22 /* columns: after "2026-11-27T12:00:00Z" */
#define TEXT_AT 33

/* A line of text of any length, in pieces. */
struct words {
    char text[2048];
    size_t length;
};

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct words *words, const char *format, ...)
{
    size_t room = sizeof(words->text) - words->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(words->text + words->length, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        words->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void
print_text(enum tone tone, const char *text)
{
    printf("%*s", TEXT_AT, "");
    screen_block(TEXT_AT, tone, text);
}

/* "2026-11-27T12:00:00Z  refused    create: ..." */
static void
print_head(const char *time, enum tone tone, const char *what, const char *text)
{
    printf("%-*s", WHAT_AT, time);
    screen_tone(stdout, tone, what);
    printf("%*s", (int)(strlen(what) < TEXT_AT - WHAT_AT ? TEXT_AT - WHAT_AT - strlen(what) : 1),
           "");
    screen_block(TEXT_AT, TONE_PLAIN, text);
}

static void
print_event(struct json_object *event)
{
    struct words words = { "", 0 };

    add(&words, "%s, version %" PRId64 ": %s", reply_word(event, "kinds"),
        reply_number(event, "version"),
        reply_text(event, "outcome") ? reply_text(event, "outcome")
                                     : "what became of it cannot be read");
    if (reply_number(event, "superseded_by"))
        add(&words, " by version %" PRId64, reply_number(event, "superseded_by"));
    add(&words, "%s", reply_flag(event, "told") ? ", the host was told" : "");
    print_head(reply_word(event, "received"), TONE_BOLD, "event", words.text);
    words.length = 0;
    add(&words, "jti %s", reply_word(event, "jti"));
    if (reply_text(event, "txn"))
        add(&words, ", txn %s", reply_word(event, "txn"));
    print_text(TONE_DIM, words.text);
}

static enum tone
outcome_tone(const char *outcome)
{
    return !strcmp(outcome, "delivered")       ? TONE_GOOD
           : !strcmp(outcome, "nothing to do") ? TONE_DIM
           : !strcmp(outcome, "refused")       ? TONE_BAD
                                               : TONE_WARN;
}

static void
print_call(struct json_object *call)
{
    int64_t records = reply_number(call, "records");
    struct words words = { "", 0 };

    if (!call)
        return;
    add(&words, "call: %s, %" PRId64 " %s, %" PRId64 " ms, ", reply_word(call, "operation"),
        records, records == 1 ? "user" : "users", reply_number(call, "took_ms"));
    if (reply_number(call, "http_status"))
        add(&words, "HTTP %" PRId64, reply_number(call, "http_status"));
    else
        add(&words, "no answer");
    if (reply_text(call, "request_id"))
        add(&words, ", request %s", reply_word(call, "request_id"));
    print_text(TONE_DIM, words.text);
}

static void
print_outcome(struct json_object *row)
{
    const char *outcome = reply_word(row, "outcome"), *code = reply_text(row, "code");
    const char *action = reply_text(row, "action"), *message = reply_text(row, "message");
    struct words words = { "", 0 };

    add(&words, "%s", action ? action : "");
    if (code)
        add(&words, "%s%s", words.length ? ": " : "", code);
    if (message)
        add(&words, "%s%s", words.length ? ": " : "", message);
    if (reply_number(row, "times") > 1)
        add(&words, "%s%" PRId64 " times since %s", words.length ? "; " : "",
            reply_number(row, "times"), reply_word(row, "first"));
    print_head(reply_word(row, "at"), outcome_tone(outcome),
               !strcmp(outcome, "nothing to do") ? "no change" : outcome, words.text);
    print_call(reply_get(row, "call"));
}

/* Whether the event comes before the outcome, or the note. Times are whole seconds: within one, an outcome
 * comes after the events that it speaks of, and a note after those whose outcome it comes after. */
static bool
is_before(struct json_object *event, struct json_object *next, int64_t version)
{
    const char *at = reply_text(next, "first") ? reply_text(next, "first") : reply_word(next, "at");
    int order = strcmp(reply_word(event, "received"), at);

    return order < 0 || (order == 0 && reply_number(event, "version") <= version);
}

static void
print_note(struct json_object *note)
{
    print_head(reply_word(note, "at"),
               strcmp(reply_word(note, "what"), "hold") ? TONE_BOLD : TONE_WARN,
               reply_word(note, "what"), reply_word(note, "text"));
}

/* What came first of these two, in the order in which they were written; NULL: neither is left. */
static struct json_object *
earlier(struct json_object *row, struct json_object *note)
{
    if (!row || !note)
        return row ? row : note;
    return reply_number(row, "seq") < reply_number(note, "seq") ? row : note;
}

void
story_print(struct json_object *subject)
{
    struct json_object *notes = reply_get(subject, "notes");
    struct json_object *events = reply_get(subject, "events");
    struct json_object *rows = reply_get(subject, "history");
    size_t event = 0, row = 0, note = 0;
    int64_t version = 1; /* of the last outcome; the first event comes before any note */

    if (reply_count(events) || reply_count(rows) || reply_count(notes))
        putchar('\n');
    for (;;) {
        struct json_object *news = reply_item(events, event);
        struct json_object *next = earlier(reply_item(rows, row), reply_item(notes, note));
        if (!news && !next)
            break;
        version = reply_get(next, "version") ? reply_number(next, "version") : version;
        if (news && (!next || is_before(news, next, version))) {
            print_event(news);
            event++;
        } else if (next == reply_item(notes, note)) {
            print_note(next);
            note++;
        } else {
            print_outcome(next);
            row++;
        }
    }
    if (reply_text(subject, "next_attempt"))
        print_head(reply_word(subject, "next_attempt"), TONE_WARN, "next try",
                   reply_get(subject, "in_flight") ? "what was sent is looked for in the org"
                                                   : "what differs then is sent");
}
