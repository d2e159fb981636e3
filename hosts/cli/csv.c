/*
 * The CSV reader. Decides where a cell begins and ends, and that a row is whole: nothing is guessed,
 * because a list that is taken for shorter than it is makes leavers of people who stayed. Leaves the
 * meaning of columns to people.c, and bytes, encoding and line ends to lines.c.
 */
#include "hosts/cli/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

/* A row being read. */
struct reading {
    struct csv *csv;
    struct line line;
    const char *at;
    size_t start; /* of the cell, in csv->text */
    size_t cell_line;
    struct prov_error *err;
};

static size_t
place(const struct reading *reading, const char *at)
{
    return utf8_count(reading->line.text, (size_t)(at - reading->line.text)) + 1;
}

static enum found
nomem(struct prov_error *err)
{
    fault_nomem(err);
    return FOUND_STOP;
}

/* Adds bytes to the row's text; false when out of memory. */
static bool
put(struct csv *csv, const char *bytes, size_t length)
{
    if (csv->capacity - csv->length <= length) {
        size_t capacity = (csv->capacity ? csv->capacity * 2 : 4096) + length;
        char *more = realloc(csv->text, capacity);

        if (!more)
            return false;
        csv->text = more;
        csv->capacity = capacity;
    }
    memcpy(csv->text + csv->length, bytes, length);
    csv->length += length;
    return true;
}

/* Ends the cell. Its text is an offset until the row is whole: the buffer may move. */
static enum found
end_cell(struct reading *reading)
{
    struct csv *csv = reading->csv;

    if (csv->count == csv->room) {
        size_t room = csv->room ? csv->room * 2 : 32;
        struct csv_cell *cells = realloc(csv->cells, room * sizeof(*cells));

        if (!cells)
            return nomem(reading->err);
        csv->cells = cells;
        csv->room = room;
    }
    csv->cells[csv->count++] = (struct csv_cell){ .text = NULL,
                                                  .length = csv->length - reading->start,
                                                  .line = reading->cell_line };
    if (!put(csv, "", 1))
        return nomem(reading->err);
    reading->start = csv->length;
    return FOUND_ITEM;
}

static enum found
never_closed(struct reading *reading, size_t line, size_t character, enum found how)
{
    fault_set(reading->err, PROV_E_INVALID,
              "line %zu, character %zu: the quote that opens here is never closed%s; close it, and "
              "write a quote inside a cell twice",
              line, character, how == FOUND_FAULT ? " within one row's length" : "");
    return FOUND_STOP;
}

/* The rest of a quoted cell, after its opening quote (RFC 4180 2.5 to 2.7). */
static enum found
read_quoted(struct reading *reading)
{
    struct csv *csv = reading->csv;
    size_t line = reading->line.number, character = place(reading, reading->at) - 1;

    for (;;) {
        const char *close = strchr(reading->at, '"'), *end = close;
        enum found found;

        if (!close)
            end = reading->line.text + reading->line.length;
        if (!put(csv, reading->at, (size_t)(end - reading->at)))
            return nomem(reading->err);
        if (csv->length > CSV_MAX_ROW_BYTES)
            return never_closed(reading, line, character, FOUND_FAULT);
        if (close && close[1] != '"') {
            reading->at = close + 1;
            break;
        }
        if (!put(csv, close ? "\"" : reading->line.end, close ? 1 : strlen(reading->line.end)))
            return nomem(reading->err);
        if (close) {
            reading->at = close + 2;
            continue;
        }
        found =
            *reading->line.end ? lines_next(csv->lines, &reading->line, reading->err) : FOUND_END;
        if (found == FOUND_END)
            return never_closed(reading, line, character, FOUND_END);
        if (found != FOUND_ITEM)
            return found;
        reading->at = reading->line.text;
    }
    if (!*reading->at || *reading->at == csv->separator)
        return FOUND_ITEM;
    fault_set(reading->err, PROV_E_INVALID,
              "line %zu, character %zu: text after a closing quote; write a quote inside a cell "
              "twice, and nothing between the quote and the separator",
              reading->line.number, place(reading, reading->at));
    return FOUND_FAULT;
}

static enum found
read_plain(struct reading *reading)
{
    struct csv *csv = reading->csv;
    const char stops[] = { csv->separator, csv->columns ? '"' : '\0', '\0' };
    size_t length = strcspn(reading->at, stops);

    if (!put(csv, reading->at, length))
        return nomem(reading->err);
    reading->at += length;
    /* a header often holds emails[type eq "work"], and there is nothing to mistake it for */
    if (*reading->at != '"' || csv->separator == '"')
        return FOUND_ITEM;
    fault_set(reading->err, PROV_E_INVALID,
              "line %zu, character %zu: a quote inside a cell that is not quoted; quote the whole "
              "cell and write the quote twice",
              reading->line.number, place(reading, reading->at));
    return FOUND_FAULT;
}

static enum found
read_cells(struct reading *reading)
{
    struct csv *csv = reading->csv;
    enum found found = FOUND_ITEM;

    for (reading->at = reading->line.text; found == FOUND_ITEM; reading->at++) {
        reading->cell_line = reading->line.number;
        if (*reading->at == '"') {
            reading->at++;
            found = read_quoted(reading);
        } else {
            found = read_plain(reading);
        }
        if (found == FOUND_ITEM)
            found = end_cell(reading);
        if (found == FOUND_ITEM && csv->length > CSV_MAX_ROW_BYTES) {
            fault_set(reading->err, PROV_E_LIMIT, "line %zu: the row is longer than %u bytes",
                      reading->line.number, CSV_MAX_ROW_BYTES);
            return FOUND_FAULT;
        }
        if (found == FOUND_ITEM && !*reading->at)
            break;
    }
    return found;
}

static enum found
check_width(const struct csv *csv, size_t line, struct prov_error *err)
{
    if (csv->count == csv->columns)
        return FOUND_ITEM;
    if (csv->count < csv->columns)
        fault_set(err, PROV_E_INVALID,
                  "line %zu: the row has %zu of %zu cells and ends before column %zu '%s'; add the "
                  "missing separators",
                  line, csv->count, csv->columns, csv->count + 1, csv->header[csv->count]);
    else
        fault_set(err, PROV_E_INVALID,
                  "line %zu: the row has %zu cells, the header %zu; quote cells that hold a "
                  "separator",
                  line, csv->count, csv->columns);
    return FOUND_FAULT;
}

static enum found
keep_header(struct csv *csv, struct prov_error *err)
{
    if (csv->count > CSV_MAX_COLUMNS) {
        fault_set(err, PROV_E_LIMIT, "the header has %zu columns, the limit is %u", csv->count,
                  CSV_MAX_COLUMNS);
        return FOUND_STOP;
    }
    csv->header = calloc(csv->count + 1, sizeof(*csv->header));
    if (!csv->header)
        return nomem(err);
    csv->columns = csv->count;
    for (size_t i = 0; i < csv->count; i++) {
        csv->header[i] = strdup(csv->cells[i].text);
        if (!csv->header[i])
            return nomem(err);
    }
    return FOUND_ITEM;
}

/* Nothing of the list can be read without its header. */
static enum found
without_header(const struct csv *csv, enum found found, struct prov_error *err)
{
    if (csv->columns || found == FOUND_ITEM)
        return found;
    if (found == FOUND_END)
        fault_set(err, PROV_E_INVALID,
                  "line 1: the file is empty; its first line must name the columns");
    return FOUND_STOP;
}

enum found
csv_next(struct csv *csv, struct csv_row *ret, struct prov_error *err)
{
    struct reading reading = { .csv = csv, .err = err };
    size_t at = 0, line;
    enum found found;

    csv->length = csv->count = 0;
    do
        found = lines_next(csv->lines, &reading.line, err);
    while (found == FOUND_ITEM && reading.line.length == 0);
    line = reading.line.number;
    if (found == FOUND_ITEM)
        found = read_cells(&reading);
    if (found != FOUND_ITEM)
        return without_header(csv, found, err);
    for (size_t i = 0; i < csv->count; at += csv->cells[i].length + 1, i++)
        csv->cells[i].text = csv->text + at;
    found = csv->columns ? check_width(csv, line, err) : keep_header(csv, err);
    *ret = (struct csv_row){ csv->cells, csv->count, line };
    return found;
}

void
csv_clear(struct csv *csv)
{
    for (size_t i = 0; csv->header && i < csv->columns; i++)
        free(csv->header[i]);
    free(csv->header);
    free(csv->cells);
    free(csv->text);
    *csv = (struct csv){ .columns = 0 };
}
