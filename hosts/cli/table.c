/*
 * Tables. Decides column widths, by display width, so that names in any script stand in line; the
 * last column is never padded and may be as long as it likes. What stands in a cell, and whether it
 * is safe to print, is screen.c's and the commands' business.
 */
#include "hosts/cli/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    char *text;
    size_t width;
    enum tone tone;
};

struct table {
    const char *const *headings;
    size_t columns;
    size_t *widths;
    struct cell *cells;
    size_t count, capacity;
    bool out_of_memory;
};

struct table *
table_new(const char *const *headings)
{
    struct table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    table->headings = headings;
    while (headings[table->columns])
        table->columns++;
    table->widths = calloc(table->columns, sizeof(*table->widths));
    if (!table->widths) {
        free(table);
        return NULL;
    }
    for (size_t i = 0; i < table->columns; i++)
        table->widths[i] = screen_width(headings[i]);
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
    size_t column;

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
    cell->width = screen_width(cell->text);
    column = table->count++ % table->columns;
    if (cell->width > table->widths[column])
        table->widths[column] = cell->width;
}

size_t
table_rows(const struct table *table)
{
    return table ? table->count / table->columns : 0;
}

static void
print_cell(const struct table *table, size_t column, enum tone tone, const char *text, size_t width)
{
    screen_tone(stdout, tone, text);
    if (column + 1 == table->columns) {
        putchar('\n');
        return;
    }
    printf("%*s", (int)(table->widths[column] - width + 2), "");
}

void
table_print(const struct table *table)
{
    if (!table || table->out_of_memory) {
        complain("out of memory while making the table; ask for less, or use --json");
        return;
    }
    if (table->count == 0)
        return;
    for (size_t i = 0; i < table->columns; i++)
        print_cell(table, i, TONE_BOLD, table->headings[i], screen_width(table->headings[i]));
    for (size_t i = 0; i < table->count; i++)
        print_cell(table, i % table->columns, table->cells[i].tone, table->cells[i].text,
                   table->cells[i].width);
}
