/*
 * Tables. Decides column widths, by display width, so that names in any script stand in line. On a
 * terminal that is too narrow the widest columns give way and their cells go on below; where they cannot
 * give enough, each row becomes a block of "HEADING  value" lines. Into a pipe every row is one line. What stands in a cell, and whether it is safe to print, is screen.c's and
 * the commands' business.
 */
#include "hosts/cli/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP       2
#define WIDTH_MIN 12 /* no column is made narrower: names and Ids would fall to pieces */

struct cell {
    char *text;
    enum tone tone;
};

struct table {
    const char *const *headings;
    size_t columns;
    size_t *widths;
    const char **rests; /* while a row is printed: what of its cells is still to come */
    struct cell *cells;
    size_t count, capacity;
    size_t printed; /* rows flushed */
    bool out_of_memory;
};

struct table *
table_new(const char *const *headings)
{
    struct table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    table->headings = headings;
    table->columns = 1;
    while (headings[table->columns])
        table->columns++;
    table->widths = calloc(table->columns, sizeof(*table->widths));
    table->rests = calloc(table->columns, sizeof(*table->rests));
    if (!table->widths || !table->rests) {
        table_free(table);
        return NULL;
    }
    for (size_t i = 0; i < table->columns; i++)
        table->widths[i] = screen_width(headings[i], strlen(headings[i]));
    return table;
}

void
table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table->widths);
    free(table->rests);
    free(table);
}

static struct cell *
next_cell(struct table *table)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        struct cell *cells = capacity > SIZE_MAX / sizeof(*cells)
                                 ? NULL
                                 : realloc(table->cells, capacity * sizeof(*cells));

        if (!cells)
            return NULL;
        table->cells = cells;
        table->capacity = capacity;
    }
    return &table->cells[table->count];
}

void
table_add(struct table *table, enum tone tone, const char *text)
{
    struct cell *cell = table ? next_cell(table) : NULL;
    size_t column, width;

    if (!cell) {
        if (table)
            table->out_of_memory = true;
        return;
    }
    cell->text = strdup(text ? text : "");
    if (!cell->text) {
        table->out_of_memory = true;
        return;
    }
    cell->tone = tone;
    width = screen_width(cell->text, strlen(cell->text));
    column = table->count++ % table->columns;
    if (width > table->widths[column])
        table->widths[column] = width;
}

size_t
table_rows(const struct table *table)
{
    return table ? table->printed + table->count / table->columns : 0;
}

/* The width that no column may exceed if the table is to fit into `room` columns; 0 if it cannot be made
 * to. */
static size_t
widest_allowed(const struct table *table, size_t room)
{
    for (size_t limit = room; limit >= WIDTH_MIN; limit--) {
        size_t width = (table->columns - 1) * GAP;

        for (size_t i = 0; i < table->columns; i++)
            width += table->widths[i] < limit ? table->widths[i] : limit;
        if (width <= room)
            return limit;
    }
    return 0;
}

/* Prints a row, which takes as many lines as its longest cell needs; no cells: the headings. */
static void
print_row(const struct table *table, const struct cell *cells, size_t limit)
{
    bool more = true;

    for (size_t i = 0; i < table->columns; i++)
        table->rests[i] = cells ? cells[i].text : table->headings[i];
    while (more) {
        size_t padding = 0;

        more = false;
        for (size_t i = 0; i < table->columns; i++) {
            size_t room = table->widths[i] < limit ? table->widths[i] : limit, next;
            size_t length = screen_fit(table->rests[i], room, &next);

            if (length)
                printf("%*s", (int)padding, "");
            padding = (length ? 0 : padding) + room + GAP - screen_width(table->rests[i], length);
            screen_piece(stdout, cells ? cells[i].tone : TONE_BOLD, table->rests[i], length);
            table->rests[i] += next;
            more |= *table->rests[i] != '\0';
        }
        putchar('\n');
    }
}

/* Prints a row as a block, a line for each cell that is not empty; the values stand below each other, or each
 * below its heading where there is no room for both. */
static void
print_block(const struct table *table, const struct cell *cells, size_t room)
{
    size_t column = 0, indent;

    for (size_t i = 0; i < table->columns; i++) {
        size_t width = screen_width(table->headings[i], strlen(table->headings[i])) + GAP;
        column = width > column ? width : column;
    }
    indent = column + SCREEN_BLOCK_MIN <= room ? column : GAP;
    for (size_t i = 0; i < table->columns; i++) {
        const char *heading = table->headings[i];
        size_t width = screen_width(heading, strlen(heading));

        if (!*cells[i].text)
            continue;
        screen_piece(stdout, TONE_BOLD, heading, strlen(heading));
        if (width + GAP > indent) {
            putchar('\n');
            width = 0;
        }
        printf("%*s", (int)(indent - width), "");
        screen_block(indent, cells[i].tone, cells[i].text);
    }
}

static void
print_blocks(const struct table *table, size_t room)
{
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns) {
        if (i || table->printed)
            putchar('\n');
        print_block(table, table->cells + i, room);
    }
}

void
table_print(const struct table *table)
{
    size_t room = screen_columns(), limit;

    if (!table || table->out_of_memory) {
        complain("out of memory while making the table; ask for less, or use --json");
        return;
    }
    if (table->count == 0)
        return;
    limit = room ? widest_allowed(table, room) : SIZE_MAX;
    if (!limit) {
        print_blocks(table, room);
        return;
    }
    if (table->printed == 0)
        print_row(table, NULL, limit);
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns)
        print_row(table, table->cells + i, limit);
}

void
table_flush(struct table *table)
{
    table_print(table);
    if (!table || table->out_of_memory)
        return;
    table->printed = table_rows(table);
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    table->count = 0;
}
