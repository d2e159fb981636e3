/*
 * The command line as a table: every command and every option once. Parsing, usage, help and shell
 * completion read it, and a guard holds the man pages to it. A new command is one row in
 * commands.c, its function in cli.h, and a page docs/man/sfprov-NAME.1.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "hosts/cli/cli.h"

struct command {
    const char *group; /* heading of this and the following commands in the help, or NULL */
    const char *name;
    const char *arguments; /* as usage shows them; FILE and USER are completed as such */
    size_t least, most;    /* number of arguments */
    const char *options;   /* names of its own options, separated by single blanks */
    command_fn run;
    const char *summary; /* one line; NULL: not for people, and not shown */
    const char *detail;  /* "": the summary says it all */
};

extern const struct command commands[];
extern const size_t commands_count;

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_CHOICE, /* one of `choices` */
    OPTION_NUMBER, /* above 0 */
    OPTION_LIST    /* several, each with an '=' in it */
};

struct option_row {
    const char *name;
    int letter;        /* 0: none */
    const char *value; /* as usage shows it; NULL: takes none; FILE is completed as such */
    enum option_kind kind;
    size_t offset; /* in struct options */
    bool everywhere;
    const char *help;
    const char *choices; /* separated by single blanks */
};

#define OPTION_ROWS_MAX 64
extern const struct option_row option_rows[];
extern const size_t option_rows_count;

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);
const struct option_row *option_find(const char *name, size_t length);

/* Whether `word` is one of `words`, which are separated by single blanks. */
bool among(const char *words, const char *word, size_t length);

/* Whether a command takes an option. */
bool command_takes(const struct command *command, const struct option_row *row);

/* Puts a value into its member; the value (NULL for a flag) is borrowed. Returns an exit code, and
 * has said on stderr what is wrong with the value. */
int option_set(struct options *options, const struct option_row *row, const char *value);

/* The help: of the program, or of a command. */
void usage_print(void);
void usage_print_command(const struct command *command);

/* "there is no command 'x'; did you mean 'y'?" on stderr. Returns CODE_USAGE. */
int usage_unknown_command(const char *name);

/* Prints what could stand in place of the last of `words`, one candidate a line with a TAB and an
 * explanation after it; ":files" asks for the names of files. Returns CODE_DONE. */
int command_complete(const struct options *options, const struct arguments *words);

#endif
