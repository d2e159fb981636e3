/*
 * Comma-separated values by RFC 4180, whole text in, cells with their places out. Pure: no file,
 * no locale, no globals. What a column means is people.c's business.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>

#include <provisioning/connector.h>

/* Larger texts are refused: a directory of a million people stays below. */
#define CSV_MAX_BYTES   (512u * 1024u * 1024u)
#define CSV_MAX_COLUMNS 256u

/* One cell, unquoted and NUL-terminated; it lives as long as its csv. */
struct csv_cell {
    const char *text;
    size_t length;
    size_t line; /* where it begins, from 1; a quoted cell may span several lines */
};

struct csv {
    size_t columns;         /* of every row, the header included */
    size_t rows;            /* without the header */
    struct csv_cell *cells; /* (rows + 1) * columns, the header first */
    char *text;             /* owns the bytes of all cells */
};

/*
 * Parses: LF, CRLF or CR line ends, a byte order mark, quoted cells with "" and line ends inside,
 * blank lines skipped. PROV_E_INVALID with line and place for: no header, a stray or open quote, a
 * NUL, bytes that are not UTF-8, a row with more or fewer cells than the header. PROV_E_LIMIT for
 * size. The caller gives *ret to csv_clear().
 */
int csv_parse(const char *text, size_t length, char separator, struct csv *ret,
              struct prov_error *err);
void csv_clear(struct csv *csv);

/* Header cell of a column, and cell of a row; both count from 0. */
const struct csv_cell *csv_header(const struct csv *csv, size_t column);
const struct csv_cell *csv_cell(const struct csv *csv, size_t row, size_t column);

#endif
