/*
 * Comma-separated values by RFC 4180, row by row. Pure but for the source of its lines. What a
 * column means is people.c's business.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "hosts/cli/lines.h"

#define CSV_MAX_COLUMNS 256u
/* What a listed user may be at most; a longer row is most often a quote that is never closed. */
#define CSV_MAX_ROW_BYTES PROV_EVENT_MAX_BYTES

/* One cell, unquoted and NUL-terminated. */
struct csv_cell {
    const char *text;
    size_t length;
    size_t line; /* where it begins, from 1; a quoted cell may span several lines */
};

struct csv_row {
    struct csv_cell *cells;
    size_t count;
    size_t line; /* where it begins */
};

/* { .lines = ..., .separator = ',' } */
struct csv {
    struct lines *lines; /* borrowed */
    char separator;
    size_t columns; /* of the header, and so of every row; 0: the header was not read yet */
    char **header;
    char *text; /* the cells of the row */
    size_t length, capacity;
    struct csv_cell *cells;
    size_t count, room;
};

/*
 * The next row, the header first. Takes LF, CRLF or CR line ends, a byte order mark, quoted cells
 * with "" and line ends inside, and passes over blank lines. FOUND_FAULT with line and place for a
 * stray or open quote, a row with more or fewer cells than the header, a row that is too long, and
 * what lines_next() finds; FOUND_STOP also for an open quote that may have swallowed rows, and for a
 * text without a header.
 */
enum found csv_next(struct csv *csv, struct csv_row *ret, struct prov_error *err);
void csv_clear(struct csv *csv);

#endif
