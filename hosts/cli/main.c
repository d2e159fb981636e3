/*
 * sfprov: the reference host and the admin's tool. This file reads the command line by the tables
 * of commands.c and calls the command. The work is the commands', and what is right for Salesforce
 * is the plugin's.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "hosts/cli/commands.h"
#include "hosts/cli/screen.h"

#ifndef PACKAGE_VERSION
#    define PACKAGE_VERSION "0.1.0"
#endif

#define LONG_ONLY 256

/* What getopt found wrong; `word` is where it stands. */
static int
bad_option(int letter, const char *word)
{
    const struct option_row *row = NULL;

    /* a short option is named by optopt; of a long one optopt is its val, or 0 if it is unknown */
    for (size_t i = 0; i < option_rows_count; i++) {
        if (optopt && (optopt == option_rows[i].letter || optopt == LONG_ONLY + (int)i))
            row = &option_rows[i];
    }
    if (letter == ':' && row)
        complain("--%s needs a value: --%s %s", row->name, row->name, row->value);
    else if (row)
        complain("--%s takes no value, but '%s' gives one", row->name, word);
    else if (optopt)
        complain("there is no option '-%c'; 'sfprov --help' lists them", optopt);
    else
        complain("'%s' is no option, or the beginning of several; 'sfprov help COMMAND' lists them",
                 word);
    return CODE_USAGE;
}

static const struct option_row *
row_of(int letter)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (letter == LONG_ONLY + (int)i || (letter && letter == option_rows[i].letter))
            return &option_rows[i];
    }
    return NULL;
}

/* Takes the options off the line; `given` says which rows were there. The rest stays in argv from
 * optind on. */
static int
read_options(int argc, char **argv, struct options *options, bool *given)
{
    struct option longs[OPTION_ROWS_MAX + 1] = { { .name = NULL } };
    char letters[2 * OPTION_ROWS_MAX + 2] = ":", *end = letters + 1;
    int letter, code = CODE_DONE;

    for (size_t i = 0; i < option_rows_count; i++) {
        const struct option_row *row = &option_rows[i];

        longs[i] = (struct option){ .name = row->name,
                                    .has_arg = row->value ? required_argument : no_argument,
                                    .val = LONG_ONLY + (int)i };
        if (row->letter)
            *end++ = (char)row->letter;
        if (row->letter && row->value)
            *end++ = ':';
    }
    opterr = 0;
    while (!code && (letter = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct option_row *row = row_of(letter);

        if (!row)
            return bad_option(letter, argv[optind - 1]);
        given[row - option_rows] = true;
        code = option_set(options, row, optarg);
    }
    return code;
}

static int
check_line(const struct command *command, const struct arguments *arguments, const bool *given)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (given[i] && !command_takes(command, &option_rows[i])) {
            complain("'%s' takes no --%s; see 'sfprov help %s'", command->name, option_rows[i].name,
                     command->name);
            return CODE_USAGE;
        }
    }
    if (arguments->count >= command->least && arguments->count <= command->most)
        return CODE_DONE;
    if (arguments->count < command->least)
        complain("'%s' needs %s; usage: sfprov %s [OPTION...] %s", command->name,
                 command->arguments, command->name, command->arguments);
    else
        complain("'%s' is one argument too many; usage: sfprov %s [OPTION...]%s%s",
                 arguments->texts[command->most], command->name, *command->arguments ? " " : "",
                 command->arguments);
    return CODE_USAGE;
}

static int
help(const char *about)
{
    const struct command *command = about ? command_find(about) : NULL;

    if (about && !command)
        return usage_unknown_command(about);
    if (command)
        usage_print_command(command);
    else
        usage_print();
    return CODE_DONE;
}

static int
dispatch(const struct options *options, const struct arguments *line, const bool *given)
{
    const struct arguments arguments = { .count = line->count - 1, .texts = line->texts + 1 };
    const struct command *command = command_find(line->texts[0]);
    int code;

    if (!strcmp(line->texts[0], "help"))
        return help(arguments.count ? arguments.texts[0] : NULL);
    if (!command || options->help)
        return help(line->texts[0]);
    code = check_line(command, &arguments, given);
    return code ? code : command->run(options, &arguments);
}

/* It would hold tokens, and passwords on their way. The hard limit stays, for who looks for a crash:
 * prlimit --core=unlimited --pid N. */
static void
no_core_dump(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}

int
main(int argc, char **argv)
{
    struct options options = { .json = false };
    bool given[OPTION_ROWS_MAX] = { false };
    struct arguments line;
    int code;

    no_core_dump();
    screen_begin();
    code = read_options(argc, argv, &options, given);
    if (options.quiet || options.json)
        screen_quiet();
    if (options.color)
        screen_color(options.color);
    /* A reader that has seen enough ends us quietly, whatever our parent ignores. */
    signal(SIGPIPE, SIG_DFL);
    if (code)
        return code;
    line = (struct arguments){ .count = (size_t)(argc - optind), .texts = argv + optind };
    if (options.version) {
        puts("sfprov " PACKAGE_VERSION);
    } else if (line.count == 0) {
        usage_print();
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
