/* A table on stdout: rows are collected, then printed with columns as wide as they need, or as the
 * terminal leaves them; a block of lines for each row where it leaves too little. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

#include "hosts/cli/screen.h"

struct table;

/* Headings, at least one, are borrowed and end with NULL. NULL when out of memory; every function takes NULL. */
struct table *table_new(const char *const *headings);
void table_free(struct table *table);

/* The next cell, row by row; NULL is an empty one. Copied. */
void table_add(struct table *table, enum tone tone, const char *text);

size_t table_rows(const struct table *table);

/* Prints the rows collected so far and forgets them, so that a table may be longer than memory:
 * headings stand before the first ones, and columns become wider only. */
void table_flush(struct table *table);

/* Prints headings and rows; nothing if there are no rows. Says so if memory ran out. */
void table_print(const struct table *table);

#endif
