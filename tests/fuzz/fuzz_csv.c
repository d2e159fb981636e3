/*
 * CSV. How the bytes arrive makes no difference; every row has the header's cells; what was read can
 * be written quoted and is read again as the same.
 */
#include "tests/fuzz/fuzz.h"

#include "hosts/cli/csv.h"
#include "tests/fuzz/pieces.h"

/* Writes a cell in quotes, and what ends it. */
static void
write_cell(FILE *out, const struct csv_cell *cell, const char *end)
{
    fputc('"', out);
    for (const char *c = cell->text; *c; c++)
        fprintf(out, *c == '"' ? "\"\"" : "%c", *c);
    fprintf(out, "\"%s", end);
}

static void
check_row(const struct csv *csv, const struct csv_row *row, size_t *line)
{
    FUZZ_CHECK(row->count == csv->columns && row->count > 0 && row->count <= CSV_MAX_COLUMNS);
    FUZZ_CHECK(row->line > *line);
    *line = row->line;
    for (size_t i = 0; i < row->count; i++) {
        FUZZ_CHECK(strlen(row->cells[i].text) == row->cells[i].length);
        FUZZ_CHECK(row->cells[i].line >= *line);
        *line = row->cells[i].line;
    }
}

/* All rows, written anew; where one cannot be read, its reason instead. *ret_whole: none such. The
 * caller frees the text. */
static char *
read_all(const char *text, size_t length, size_t piece, char separator, int *ret_whole)
{
    struct pieces pieces = { .text = text, .length = length, .piece = piece };
    struct lines lines = { .source = { .read = pieces_read, .context = &pieces } };
    struct csv csv = { .lines = &lines, .separator = separator };
    struct prov_error err = { .size = sizeof(err) };
    char ends[2] = { separator, '\0' }, *written = NULL;
    size_t size = 0, line = 0;
    FILE *out = open_memstream(&written, &size);
    struct csv_row row;
    enum found found;

    FUZZ_CHECK(out);
    *ret_whole = 1;
    while ((found = csv_next(&csv, &row, &err)) == FOUND_ITEM || found == FOUND_FAULT) {
        if (found == FOUND_FAULT) {
            FUZZ_CHECK(strncmp(err.text, "line ", 5) == 0);
            fprintf(out, "%s\n", err.text);
            *ret_whole = 0;
            continue;
        }
        check_row(&csv, &row, &line);
        for (size_t i = 0; i < row.count; i++)
            write_cell(out, &row.cells[i], i + 1 < row.count ? ends : "\n");
    }
    if (found == FOUND_STOP) {
        FUZZ_CHECK(strlen(err.text) > 10);
        fprintf(out, "%s\n", err.text);
        *ret_whole = 0;
    }
    csv_clear(&csv);
    lines_clear(&lines);
    fclose(out);
    return written;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char separator = size && data[0] == ';' ? ';' : ',';
    char *text = fuzz_text(data, size), *first, *second, *again;
    int whole, same;

    first = read_all(text, size, size + 1, separator, &whole);
    second = read_all(text, size, 1 + size % 7, separator, &same);
    FUZZ_CHECK(whole == same && strcmp(first, second) == 0);
    if (whole) {
        again = read_all(first, strlen(first), 4096, separator, &same);
        FUZZ_CHECK(same && strcmp(first, again) == 0);
        free(again);
    }
    free(first);
    free(second);
    free(text);
    return 0;
}
