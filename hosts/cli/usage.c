/*
 * What the program tells of itself: the help, made from the tables of commands.c, and a guess at
 * what a misspelt command was meant to be.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/commands.h"
#include "hosts/cli/screen.h"

#define NAME_MAX_LENGTH 32

static void
print_option(const struct option_row *row)
{
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
             row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
             row->value ? " " : "", row->value ? row->value : "");
    printf("  %-26s %s\n", left, row->help);
}

void
usage_print(void)
{
    puts("usage: sfprov COMMAND [OPTION...] [ARGUMENT...]\n\n"
         "Keeps the users of a Salesforce org in step with an identity server.");
    for (size_t i = 0; i < commands_count; i++) {
        if (!commands[i].summary)
            continue;
        if (commands[i].group)
            printf("\n%s\n", commands[i].group);
        printf("  %-10s %-10s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    }
    puts("\n  help       [COMMAND]  tell about a command\n\nOptions of every command:");
    for (size_t i = 0; i < option_rows_count; i++) {
        if (option_rows[i].everywhere)
            print_option(&option_rows[i]);
    }
    puts("\nExit codes: 0 done; 1 done, but users are parked, lines refused or a step failed;\n"
         "2 usage or bad input; 3 connector fields wrong; 4 not finished; 5 store, Salesforce or\n"
         "plugin failed; 6 a step of check warns; 130 interrupted. See sfprov(1).");
}

void
usage_print_command(const struct command *command)
{
    printf("usage: sfprov %s [OPTION...]%s%s\n\n%s\n", command->name,
           *command->arguments ? " " : "", command->arguments,
           command->summary ? command->summary : "for the shell's completion");
    if (*command->detail)
        printf("\n%s\n", command->detail);
    if (*command->options)
        puts("\nOptions:");
    for (size_t i = 0; i < option_rows_count; i++) {
        if (!option_rows[i].everywhere && command_takes(command, &option_rows[i]))
            print_option(&option_rows[i]);
    }
    puts("\nOptions of every command:");
    for (size_t i = 0; i < option_rows_count; i++) {
        if (option_rows[i].everywhere)
            print_option(&option_rows[i]);
    }
    if (command->summary)
        printf("\nSee sfprov-%s(1).\n", command->name);
}

/* How many letters must be put in, left out or exchanged to make one word of the other; two that
 * changed places count as one. SIZE_MAX when a word is too long to be a command. */
static size_t
distance(const char *a, const char *b)
{
    size_t rows[NAME_MAX_LENGTH + 1][NAME_MAX_LENGTH + 1], x = strlen(a), y = strlen(b);

    if (x > NAME_MAX_LENGTH || y > NAME_MAX_LENGTH)
        return SIZE_MAX;
    for (size_t i = 0; i <= x; i++) {
        for (size_t j = 0; j <= y; j++) {
            size_t best;

            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (rows[i - 1][j] + 1 < best)
                best = rows[i - 1][j] + 1;
            if (rows[i][j - 1] + 1 < best)
                best = rows[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[i - 2][j - 2] + 1 < best)
                best = rows[i - 2][j - 2] + 1;
            rows[i][j] = best;
        }
    }
    return rows[x][y];
}

int
usage_unknown_command(const char *name)
{
    const struct command *nearest = NULL;
    size_t least = 3; /* farther off is no misspelling */

    for (size_t i = 0; i < commands_count; i++) {
        size_t steps = commands[i].summary ? distance(name, commands[i].name) : SIZE_MAX;

        if (steps < least) {
            least = steps;
            nearest = &commands[i];
        }
    }
    if (nearest)
        complain("there is no command '%s'; did you mean '%s'? 'sfprov --help' lists them", name,
                 nearest->name);
    else
        complain("there is no command '%s'; 'sfprov --help' lists them", name);
    return CODE_USAGE;
}
