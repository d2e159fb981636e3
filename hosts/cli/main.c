/*
 * sfprov: the reference host and the admin's tool. This file decides what the command line means:
 * one table of commands and one of options drive dispatch, usage and help. The work is the
 * commands', and what is right for Salesforce is the plugin's.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/screen.h"

#ifndef PACKAGE_VERSION
#    define PACKAGE_VERSION "0.1.0"
#endif

struct command {
    const char *name, *arguments;
    size_t least, most;
    const char *options; /* of its own, separated by blanks */
    command_fn run;
    const char *summary, *detail;
};

static const struct command commands[] = {
    { "fields", "", 0, 0, "schema check values", command_fields,
      "show the connector fields, or check the file that sets them",
      "Prints the table of connector fields: name, whether it is needed, default, help.\n"
      "With --check every fault of the fields file is named at once." },
    { "check", "", 0, 0, "", command_check, "test the connection to the org",
      "Tries domain, token, API version and profile, and says for each what was seen and,\n"
      "if it failed, why and what to do." },
    { "preview", "FILE|-", 1, 1, "", command_preview, "show what an event would lead to",
      "Changes nothing and asks Salesforce nothing." },
    { "submit", "FILE|-", 1, 1, "", command_submit, "hand events over, without delivering them",
      "The file holds one event a line, one JSON object, or a JSON array of events." },
    { "run", "FILE|-", 1, 1, "timeout", command_run,
      "hand over events as they come, and deliver until all is settled",
      "Reads one event a line until the end of input. A line that is refused is named, and\n"
      "the rest goes on." },
    { "sync", "FILE.csv", 1, 1, "key map separator issuer dry-run force no-deliver timeout",
      command_sync, "make the org follow a full list of people",
      "Whoever is not in the list is gone. Headers are SCIM paths; sfprov(1) lists them. The\n"
      "file is checked as a whole before anything changes." },
    { "deliver", "", 0, 0, "timeout", command_deliver,
      "deliver what is pending, until all is settled", "For cron, and after 'submit' or 'retry'." },
    { "status", "", 0, 0, "", command_status, "show how far the org is in step",
      "Ends with 1 when users are parked and with 4 on hold." },
    { "list", "[TEXT]", 0, 1, "state limit", command_list, "list users, or those that match TEXT",
      "" },
    { "show", "USER", 1, 1, "", command_show, "tell the story of one user",
      "USER is a URI, a host user name, a Salesforce username or a Salesforce Id." },
    { "retry", "[USER]", 0, 1, "all", command_retry, "try a parked user again", "" },
    { "hold", "[REASON]", 0, 1, "", command_hold, "stop delivering, keep accepting", "" },
    { "resume", "", 0, 0, "", command_resume, "end a hold", "" },
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_MAP
};

struct option_row {
    const char *name;
    int letter; /* 0: none */
    const char *value;
    enum option_kind kind;
    size_t offset; /* in struct options */
    bool everywhere;
    const char *help;
};

#define FIELD(member) offsetof(struct options, member)

static const struct option_row option_rows[] = {
    { "config", 'c', "FILE", OPTION_TEXT, FIELD(fields_file), true,
      "connector fields (else $SFPROV_FIELDS, /etc/sfprov/fields.json)" },
    { "plugin", 0, "FILE", OPTION_TEXT, FIELD(plugin_file), true,
      "plugin to load (else $SFPROV_PLUGIN, the installed one)" },
    { "json", 0, NULL, OPTION_FLAG, FIELD(json), true, "answer in JSON, for machines" },
    { "quiet", 'q', NULL, OPTION_FLAG, FIELD(quiet), true, "no progress line" },
    { "verbose", 'v', NULL, OPTION_FLAG, FIELD(verbose), true, "the plugin's log on stderr" },
    { "help", 'h', NULL, OPTION_FLAG, FIELD(help), true, "this help" },
    { "version", 0, NULL, OPTION_FLAG, FIELD(version), true, "the version" },
    { "schema", 0, NULL, OPTION_FLAG, FIELD(schema), false, "the JSON Schema of the fields" },
    { "check", 0, NULL, OPTION_FLAG, FIELD(check), false, "name every fault of the fields file" },
    { "values", 0, NULL, OPTION_FLAG, FIELD(values), false, "the values in force, secrets masked" },
    { "key", 0, "COLUMN", OPTION_TEXT, FIELD(key), false,
      "the column that identifies a person (externalId)" },
    { "map", 0, "HEADER=PATH", OPTION_MAP, 0, false,
      "read column HEADER as PATH; without PATH leave it out" },
    { "separator", 0, "CHAR", OPTION_TEXT, FIELD(separator), false,
      "between the cells, a character or 'tab' (,)" },
    { "issuer", 0, "ISS", OPTION_TEXT, FIELD(issuer), false,
      "whose users the list holds (the field 'issuer')" },
    { "dry-run", 'n', NULL, OPTION_FLAG, FIELD(dry_run), false, "show what would happen" },
    { "force", 0, NULL, OPTION_FLAG, FIELD(force), false,
      "apply a list that is empty or loses many" },
    { "no-deliver", 0, NULL, OPTION_FLAG, FIELD(no_deliver), false,
      "accept the list, leave delivery to the server" },
    { "timeout", 0, "SECONDS", OPTION_NUMBER, FIELD(timeout_s), false,
      "give up waiting; nothing accepted is lost" },
    { "state", 0, "STATE", OPTION_TEXT, FIELD(state), false,
      "all, in_step, pending, parked or in_flight" },
    { "limit", 0, "N", OPTION_NUMBER, FIELD(limit), false, "at most so many" },
    { "all", 0, NULL, OPTION_FLAG, FIELD(all), false, "every parked user" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_ONLY    256

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    }
    return NULL;
}

static bool
takes(const struct command *command, const struct option_row *row)
{
    size_t length = strlen(row->name);

    if (row->everywhere)
        return true;
    for (const char *at = command->options; (at = strstr(at, row->name)); at += length) {
        if ((at == command->options || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    }
    return false;
}

static void
print_option(const struct option_row *row)
{
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
             row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
             row->value ? " " : "", row->value ? row->value : "");
    printf("  %-26s %s\n", left, row->help);
}

static void
print_help(void)
{
    puts("usage: sfprov COMMAND [OPTION...] [ARGUMENT...]\n\n"
         "Keeps the users of a Salesforce org in step with an identity server.\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        printf("  %-8s %-9s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    puts("  help     [COMMAND] tell about a command\n\nOptions of every command:");
    for (size_t i = 0; i < COUNT(option_rows); i++) {
        if (option_rows[i].everywhere)
            print_option(&option_rows[i]);
    }
    puts("\nExit codes: 0 done; 1 done, but users are parked, lines refused or a step failed;\n"
         "2 usage or bad input; 3 connector fields wrong; 4 not finished; 5 store, Salesforce or\n"
         "plugin failed; 130 interrupted. See sfprov(1).");
}

static void
print_command_help(const struct command *command)
{
    printf("usage: sfprov %s [OPTION...]%s%s\n\n%s\n", command->name,
           *command->arguments ? " " : "", command->arguments, command->summary);
    if (*command->detail)
        printf("\n%s\n", command->detail);
    puts("\nOptions:");
    for (size_t i = 0; i < COUNT(option_rows); i++) {
        if (takes(command, &option_rows[i]))
            print_option(&option_rows[i]);
    }
}

static int
set_option(struct options *options, const struct option_row *row, const char *value)
{
    void *member = (char *)options + row->offset;
    char *end;
    long number;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return CODE_DONE;
    case OPTION_TEXT:
        *(const char **)member = value;
        return CODE_DONE;
    case OPTION_NUMBER:
        errno = 0;
        number = strtol(value, &end, 10);
        if (errno || *end || end == value || number <= 0 || number > INT32_MAX) {
            complain("--%s '%s': give a whole number above 0", row->name, value);
            return CODE_USAGE;
        }
        *(long *)member = number;
        return CODE_DONE;
    default:
        break;
    }
    if (!strchr(value, '=') || *value == '=' || options->map_count == OPTION_MAPS_MAX) {
        complain("--map '%s': %s", value,
                 options->map_count == OPTION_MAPS_MAX ? "too many of them" : "write HEADER=PATH");
        return CODE_USAGE;
    }
    options->maps[options->map_count++] = value;
    return CODE_DONE;
}

/* Takes the options off the line; `given` says which rows were there. The rest stays in argv from
 * optind on. */
static int
read_options(int argc, char **argv, struct options *options, bool *given)
{
    struct option longs[COUNT(option_rows) + 1] = { { .name = NULL } };
    int letter, code = CODE_DONE;

    for (size_t i = 0; i < COUNT(option_rows); i++)
        longs[i] =
            (struct option){ .name = option_rows[i].name,
                             .has_arg = option_rows[i].value ? required_argument : no_argument,
                             .val = LONG_ONLY + (int)i };
    while ((letter = getopt_long(argc, argv, "c:hnqv", longs, NULL)) != -1 && !code) {
        size_t found = COUNT(option_rows);

        for (size_t i = 0; i < COUNT(option_rows); i++) {
            if (letter == LONG_ONLY + (int)i || letter == option_rows[i].letter)
                found = i;
        }
        if (found == COUNT(option_rows))
            return CODE_USAGE; /* getopt has said why */
        given[found] = true;
        code = set_option(options, &option_rows[found], optarg);
    }
    return code;
}

static int
check_line(const struct command *command, const struct arguments *arguments, const bool *given)
{
    for (size_t i = 0; i < COUNT(option_rows); i++) {
        if (given[i] && !takes(command, &option_rows[i])) {
            complain("'%s' takes no --%s; see 'sfprov help %s'", command->name, option_rows[i].name,
                     command->name);
            return CODE_USAGE;
        }
    }
    if (arguments->count < command->least || arguments->count > command->most) {
        complain("usage: sfprov %s [OPTION...]%s%s", command->name, *command->arguments ? " " : "",
                 command->arguments);
        return CODE_USAGE;
    }
    return CODE_DONE;
}

static int
help(const char *about)
{
    const struct command *command = about ? find_command(about) : NULL;

    if (about && !command) {
        complain("there is no command '%s'; 'sfprov --help' lists them", about);
        return CODE_USAGE;
    }
    if (command)
        print_command_help(command);
    else
        print_help();
    return CODE_DONE;
}

static int
dispatch(const struct options *options, const struct arguments *line, const bool *given)
{
    const struct arguments arguments = { .count = line->count - 1, .texts = line->texts + 1 };
    const struct command *command = find_command(line->texts[0]);
    int code;

    if (!strcmp(line->texts[0], "help"))
        return help(arguments.count ? arguments.texts[0] : NULL);
    if (!command || options->help)
        return help(line->texts[0]);
    code = check_line(command, &arguments, given);
    return code ? code : command->run(options, &arguments);
}

int
main(int argc, char **argv)
{
    struct options options = { .json = false };
    bool given[COUNT(option_rows)] = { false };
    struct arguments line;
    int code;

    screen_begin();
    code = read_options(argc, argv, &options, given);
    if (options.quiet || options.json)
        screen_quiet();
    /* A reader that has seen enough ends us quietly, whatever our parent ignores. */
    signal(SIGPIPE, SIG_DFL);
    if (code)
        return code;
    line = (struct arguments){ .count = (size_t)(argc - optind), .texts = argv + optind };
    if (options.version) {
        puts("sfprov " PACKAGE_VERSION);
    } else if (line.count == 0) {
        print_help();
        code = options.help ? CODE_DONE : CODE_USAGE;
    } else {
        code = dispatch(&options, &line, given);
    }
    if (fflush(stdout) || ferror(stdout)) {
        complain("cannot write the output: %s", strerror(errno));
        code = code ? code : CODE_FAILED;
    }
    return code;
}
