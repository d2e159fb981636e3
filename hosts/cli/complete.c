/*
 * Completion: what could stand in place of the last word of a command line. The scripts in
 * hosts/completion hand over the words and lay out the answer in their shell's way, so that every
 * shell knows what the tables of commands.c know. Nothing is said on failure: a shell that is asked
 * for a completion has no place for a message.
 */
#include <stdio.h>
#include <string.h>

#include "hosts/cli/commands.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/subjects.h"

#define USERS_MAX 100

/* The line up to its last word. */
struct line {
    const struct command *command; /* NULL: not given yet */
    bool help;                     /* `help`: a command is its argument */
    size_t arguments;
    struct options options;
    const struct option_row *open; /* the last word is this option's value */
    const char *last;
    const char *prefix; /* "--color=" when the value stands in the option's own word */
    size_t prefix_length;
};

/* The row an option's word means: "-c", "--config", "--config=..."; NULL if none. */
static const struct option_row *
row_of_word(const char *word)
{
    if (word[0] != '-' || !word[1])
        return NULL;
    if (word[1] == '-')
        return option_find(word + 2, strcspn(word + 2, "="));
    for (size_t i = 0; i < option_rows_count; i++) {
        if (option_rows[i].letter && option_rows[i].letter == word[1] && !word[2])
            return &option_rows[i];
    }
    return NULL;
}

/* Remembers what the user's rows of the store are looked up with. */
static void
note_value(struct line *line, const struct option_row *row, const char *value)
{
    if (row && row->kind == OPTION_TEXT)
        option_set(&line->options, row, value);
}

static void
take_argument(struct line *line, const char *word)
{
    if (line->command || line->help)
        line->arguments++;
    else if (!strcmp(word, "help"))
        line->help = true;
    else
        line->command = command_find(word);
}

/* Takes the words before the last one, then looks at where the last one stands. */
static struct line
read_line(const struct arguments *words)
{
    struct line line = { .last = words->count ? words->texts[words->count - 1] : "" };

    for (size_t i = 0; i + 1 < words->count; i++) {
        const char *word = words->texts[i], *sign = strchr(word, '=');
        const struct option_row *row = row_of_word(word);

        if (line.open) {
            note_value(&line, line.open, word);
            line.open = NULL;
        } else if (row && sign) {
            note_value(&line, row, sign + 1);
        } else if (row && row->value) {
            line.open = row;
        } else if (word[0] != '-' || !word[1]) {
            take_argument(&line, word);
        }
    }
    if (!line.open && row_of_word(line.last) && strchr(line.last, '=')) {
        line.open = row_of_word(line.last);
        line.prefix = line.last;
        line.last = strchr(line.last, '=') + 1;
        line.prefix_length = (size_t)(line.last - line.prefix);
    }
    return line;
}

static void
offer(const struct line *line, const char *before, const char *word, size_t length,
      const char *explanation)
{
    char whole[512];

    snprintf(whole, sizeof(whole), "%s%.*s", before, (int)length, word);
    if (strncmp(whole, line->last, strlen(line->last)))
        return;
    printf("%.*s", (int)line->prefix_length, line->prefix ? line->prefix : "");
    screen_text(stdout, whole);
    printf("\t%s\n", explanation);
}

static void
offer_choices(const struct line *line, const char *choices)
{
    for (const char *at = choices; *at; at += *at == ' ') {
        size_t length = strcspn(at, " ");

        offer(line, "", at, length, "");
        at += length;
    }
}

/* The words of "check|vacuum"; what stands for something else is in capitals. */
static void
offer_words(const struct line *line, const char *shown)
{
    for (const char *at = shown; *at; at += *at == '|') {
        size_t length = strcspn(at, "|");

        if (*at >= 'a' && *at <= 'z')
            offer(line, "", at, length, "");
        at += length;
    }
}

static void
offer_commands(const struct line *line)
{
    for (size_t i = 0; i < commands_count; i++) {
        if (commands[i].summary)
            offer(line, "", commands[i].name, strlen(commands[i].name), commands[i].summary);
    }
    if (!line->help)
        offer(line, "", "help", strlen("help"), "tell about a command");
}

static void
offer_options(const struct line *line)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        const struct option_row *row = &option_rows[i];

        if (line->command ? command_takes(line->command, row) : row->everywhere)
            offer(line, "--", row->name, strlen(row->name), row->help);
    }
}

/* Users of the store whose host name begins so. */
static void
offer_users(const struct line *line)
{
    struct json_object *request, *rows;
    struct host host;

    if (host_open(&line->options, PROV_OPEN_NEVER_DELIVER, &host))
        return;
    request = host_request("query", "subjects");
    reply_put_text(request, "state", "all");
    if (*line->last)
        reply_put_text(request, "find", line->last);
    if (!subjects_list(&host, request, USERS_MAX, &rows, NULL)) {
        for (size_t i = 0; i < reply_count(rows); i++) {
            const char *name = reply_text(reply_item(rows, i), "userName");

            if (name && *name)
                offer(line, "", name, strlen(name), reply_word(reply_item(rows, i), "state"));
        }
        json_object_put(rows);
    }
    host_close(&host);
}

/* What stands for a value or an argument, by the word that usage shows for it. */
static void
offer_for(const struct line *line, const char *shown)
{
    if (strstr(shown, "FILE"))
        puts(":files");
    else if (strstr(shown, "USER"))
        offer_users(line);
    else
        offer_words(line, shown);
}

int
command_complete(const struct options *options, const struct arguments *words)
{
    struct line line = read_line(words);
    bool named = line.command || (line.help && line.arguments);

    (void)options;
    if (line.open && line.open->choices)
        offer_choices(&line, line.open->choices);
    else if (line.open)
        offer_for(&line, line.open->value);
    else if (!named && *line.last != '-')
        offer_commands(&line);
    else if (!line.command || *line.last == '-' || line.arguments >= line.command->most)
        offer_options(&line);
    else
        offer_for(&line, line.command->arguments);
    return CODE_DONE;
}
