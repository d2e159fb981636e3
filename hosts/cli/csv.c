/*
 * The CSV reader. Decides where a cell begins and ends, and that a file is whole: it is refused as
 * one when any byte of it cannot be read for certain, because a list that is taken for shorter
 * than it is makes leavers of people who stayed. Leaves the meaning of columns to people.c and
 * the reading of files to its caller.
 *
 * Cells are unquoted in place, into one copy of the text that is never longer than the text.
 */
#include "hosts/cli/csv.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"

struct reader {
    const char *at, *end;
    const char *line_start; /* first byte of the current line, to count characters from */
    size_t line;
    char separator;
    char *out; /* next byte of the copy */
    struct csv *csv;
    size_t capacity; /* cells allocated */
    size_t count;    /* cells filled */
    struct prov_error *err;
};

/* Characters, not bytes, from the start of the line, counted from 1. */
static size_t
place(const struct reader *reader, const char *at)
{
    size_t characters = 1;

    for (const char *byte = reader->line_start; byte < at; byte++)
        characters += ((unsigned char)*byte & 0xc0) != 0x80;
    return characters;
}

/* Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t
utf8_length(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t left = (size_t)(end - at), length;
    unsigned char low = 0x80, high = 0xbf;

    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;
    length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (left < length)
        return 0;
    if (byte[0] == 0xe0)
        low = 0xa0;
    else if (byte[0] == 0xed)
        high = 0x9f;
    else if (byte[0] == 0xf0)
        low = 0x90;
    else if (byte[0] == 0xf4)
        high = 0x8f;
    if (byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (byte[i] < 0x80 || byte[i] > 0xbf)
            return 0;
    }
    return length;
}

static int
check_bytes(struct reader *reader)
{
    const char *at = reader->at;
    size_t line = 1, length;

    for (; at < reader->end; at += length) {
        length = utf8_length(at, reader->end);
        if (length == 0)
            return fault_set(reader->err, PROV_E_INVALID,
                             "line %zu, character %zu: byte 0x%02x is not UTF-8; save the file as "
                             "UTF-8",
                             line, place(reader, at), (unsigned char)*at);
        if (*at == '\0')
            return fault_set(reader->err, PROV_E_INVALID,
                             "line %zu, character %zu: a NUL byte; the file is not plain text, "
                             "save it as CSV in UTF-8",
                             line, place(reader, at));
        if (*at == '\n' || (*at == '\r' && !(at + 1 < reader->end && at[1] == '\n'))) {
            line++;
            reader->line_start = at + 1;
        }
    }
    return PROV_OK;
}

static bool
at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r';
}

/* Steps over one line end, copying it when inside quotes. */
static void
skip_line_end(struct reader *reader, bool copy)
{
    if (reader->at == reader->end)
        return;
    if (*reader->at == '\r' && reader->at + 1 < reader->end && reader->at[1] == '\n') {
        if (copy)
            *reader->out++ = *reader->at;
        reader->at++;
    }
    if (copy)
        *reader->out++ = *reader->at;
    reader->at++;
    reader->line++;
    reader->line_start = reader->at;
}

static int
add_cell(struct reader *reader, const char *start, size_t line)
{
    struct csv_cell *cells = reader->csv->cells;

    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 256;

        cells =
            capacity > SIZE_MAX / sizeof(*cells) ? NULL : realloc(cells, capacity * sizeof(*cells));
        if (!cells)
            return fault_nomem(reader->err);
        reader->csv->cells = cells;
        reader->capacity = capacity;
    }
    cells[reader->count].text = start;
    cells[reader->count].length = (size_t)(reader->out - start);
    cells[reader->count].line = line;
    reader->count++;
    *reader->out++ = '\0';
    return PROV_OK;
}

/* The rest of a quoted cell, after its opening quote (RFC 4180 2.5 to 2.7). */
static int
read_quoted(struct reader *reader)
{
    size_t line = reader->line, character = place(reader, reader->at - 1);

    for (;;) {
        if (reader->at == reader->end)
            return fault_set(reader->err, PROV_E_INVALID,
                             "line %zu, character %zu: the quote that opens here is never closed; "
                             "close it, and write a quote inside a cell twice",
                             line, character);
        if (*reader->at == '"') {
            if (!(reader->at + 1 < reader->end && reader->at[1] == '"'))
                break;
            reader->at++;
        } else if (*reader->at == '\n' || *reader->at == '\r') {
            skip_line_end(reader, true);
            continue;
        }
        *reader->out++ = *reader->at++;
    }
    reader->at++;
    if (!at_line_end(reader) && *reader->at != reader->separator)
        return fault_set(
            reader->err, PROV_E_INVALID,
            "line %zu, character %zu: text after a closing quote; write a quote inside "
            "a cell twice",
            reader->line, place(reader, reader->at));
    return PROV_OK;
}

static int
read_cell(struct reader *reader)
{
    const char *start = reader->out;
    size_t line = reader->line;
    int result;

    if (!at_line_end(reader) && *reader->at == '"') {
        reader->at++;
        result = read_quoted(reader);
        if (result)
            return result;
        return add_cell(reader, start, line);
    }
    while (!at_line_end(reader) && *reader->at != reader->separator) {
        /* A header may be written as the path it is, emails[type eq "work"].value: no cell of
         * data is at stake there. */
        if (*reader->at == '"' && reader->csv->columns)
            return fault_set(reader->err, PROV_E_INVALID,
                             "line %zu, character %zu: a quote inside a cell that is not quoted; "
                             "quote the whole cell and write the quote twice",
                             reader->line, place(reader, reader->at));
        *reader->out++ = *reader->at++;
    }
    return add_cell(reader, start, line);
}

static int
check_width(struct reader *reader, size_t cells, size_t line)
{
    size_t columns = reader->csv->columns;

    if (columns == 0) {
        if (cells > CSV_MAX_COLUMNS)
            return fault_set(reader->err, PROV_E_LIMIT,
                             "the header has %zu columns, the limit is %u", cells, CSV_MAX_COLUMNS);
        reader->csv->columns = cells;
        return PROV_OK;
    }
    if (cells == columns)
        return PROV_OK;
    if (cells < columns)
        return fault_set(reader->err, PROV_E_INVALID,
                         "line %zu: the row has %zu of %zu cells and ends before column %zu '%s'; "
                         "add the missing separators",
                         line, cells, columns, cells + 1, csv_header(reader->csv, cells)->text);
    return fault_set(reader->err, PROV_E_INVALID,
                     "line %zu: the row has %zu cells, the header %zu; quote cells that hold a "
                     "separator",
                     line, cells, columns);
}

static int
read_row(struct reader *reader)
{
    size_t before = reader->count, line = reader->line;
    int result;

    for (;;) {
        result = read_cell(reader);
        if (result)
            return result;
        if (at_line_end(reader))
            break;
        reader->at++;
    }
    skip_line_end(reader, false);
    return check_width(reader, reader->count - before, line);
}

static int
read_rows(struct reader *reader)
{
    int result;

    while (reader->at < reader->end) {
        if (at_line_end(reader)) {
            skip_line_end(reader, false);
            continue;
        }
        result = read_row(reader);
        if (result)
            return result;
    }
    if (reader->csv->columns == 0)
        return fault_set(reader->err, PROV_E_INVALID,
                         "the file is empty; its first line must name the columns");
    reader->csv->rows = reader->count / reader->csv->columns - 1;
    return PROV_OK;
}

int
csv_parse(const char *text, size_t length, char separator, struct csv *ret, struct prov_error *err)
{
    struct csv csv = { .columns = 0 };
    struct reader reader = { .line = 1, .separator = separator, .csv = &csv, .err = err };
    int result;

    if (length > CSV_MAX_BYTES)
        return fault_set(err, PROV_E_LIMIT, "the file has %zu bytes, the limit is %u", length,
                         CSV_MAX_BYTES);
    if (length >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return fault_set(err, PROV_E_INVALID, "the file is UTF-16; save it as CSV in UTF-8");
    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        length -= 3;
    }
    /* Each cell trades its separator or line end for a NUL; only the last may have had none. */
    csv.text = malloc(length + 2);
    if (!csv.text)
        return fault_nomem(err);
    reader.at = reader.line_start = text;
    reader.end = text + length;
    reader.out = csv.text;
    result = check_bytes(&reader);
    reader.line_start = text;
    if (!result)
        result = read_rows(&reader);
    if (result) {
        csv_clear(&csv);
        return result;
    }
    *ret = csv;
    return PROV_OK;
}

void
csv_clear(struct csv *csv)
{
    free(csv->cells);
    free(csv->text);
    *csv = (struct csv){ .columns = 0 };
}

const struct csv_cell *
csv_header(const struct csv *csv, size_t column)
{
    return &csv->cells[column];
}

const struct csv_cell *
csv_cell(const struct csv *csv, size_t row, size_t column)
{
    return &csv->cells[(row + 1) * csv->columns + column];
}
