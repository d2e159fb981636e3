/*
 * LDIF. How the bytes arrive makes no difference; an entry has a dn, names in lower case and values
 * that are text or say that they are not; written in base64 it is read again as the same.
 */
#include "tests/fuzz/fuzz.h"

#include <ctype.h>

#include "hosts/cli/ldif.h"
#include "tests/fuzz/pieces.h"

static void
write_value(FILE *out, const char *name, const char *value, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fprintf(out, "%s:: ", name);
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned bits = (unsigned)(unsigned char)value[i] << 16;
        bits |= left > 1 ? (unsigned)(unsigned char)value[i + 1] << 8 : 0;
        bits |= left > 2 ? (unsigned)(unsigned char)value[i + 2] : 0;
        fprintf(out, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
                left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '=');
    }
    fputc('\n', out);
}

static void
check_entry(const struct ldap_entry *entry, size_t *line)
{
    FUZZ_CHECK(entry->dn && entry->line > *line);
    *line = entry->line;
    for (size_t i = 0; i < entry->count; i++) {
        const struct ldap_value *value = &entry->values[i];
        FUZZ_CHECK(value->line > *line);
        *line = value->line;
        FUZZ_CHECK(value->text[value->length] == '\0');
        FUZZ_CHECK(value->binary || strlen(value->text) == value->length);
        for (const char *c = value->name; *c; c++)
            FUZZ_CHECK(*c != ';' && !isupper((unsigned char)*c));
    }
}

/* All entries, written anew; where one cannot be read, its reason instead. *ret_whole: none such.
 * The caller frees the text. */
static char *
read_all(const char *text, size_t length, size_t piece, int *ret_whole)
{
    struct pieces pieces = { .text = text, .length = length, .piece = piece };
    struct lines lines = { .source = { .read = pieces_read, .context = &pieces } };
    struct ldif ldif = { .lines = &lines };
    struct prov_error err = { .size = sizeof(err) };
    struct ldap_entry entry;
    char *written = NULL;
    size_t size = 0, line = 0;
    FILE *out = open_memstream(&written, &size);
    enum found found;

    FUZZ_CHECK(out);
    *ret_whole = 1;
    while ((found = ldif_next(&ldif, &entry, &err)) == FOUND_ITEM || found == FOUND_FAULT) {
        if (found == FOUND_FAULT) {
            FUZZ_CHECK(strncmp(err.text, "line ", 5) == 0);
            fprintf(out, "%s\n", err.text);
            *ret_whole = 0;
            continue;
        }
        check_entry(&entry, &line);
        write_value(out, "dn", entry.dn, strlen(entry.dn));
        for (size_t i = 0; i < entry.count; i++)
            write_value(out, entry.values[i].name, entry.values[i].text, entry.values[i].length);
        fputc('\n', out);
    }
    if (found == FOUND_STOP) {
        FUZZ_CHECK(strlen(err.text) > 10);
        fprintf(out, "%s\n", err.text);
        *ret_whole = 0;
    }
    ldif_clear(&ldif);
    lines_clear(&lines);
    fclose(out);
    return written;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *first, *second, *again;
    int whole, same;

    first = read_all(text, size, size + 1, &whole);
    second = read_all(text, size, 1 + size % 7, &same);
    FUZZ_CHECK(whole == same && strcmp(first, second) == 0);
    /* a "control" is refused only right behind the dn, and a version before it is not written */
    if (whole && !strstr(first, "\ncontrol::")) {
        again = read_all(first, strlen(first), 4096, &same);
        FUZZ_CHECK(same && strcmp(first, again) == 0);
        free(again);
    }
    free(first);
    free(second);
    free(text);
    return 0;
}
