/*
 * Lines. Decides what a line end is, and that every byte is UTF-8 before anything is made of it: a
 * list whose encoding is guessed gives people wrong names. What is wrong is told for each line, and
 * the next ones are read, so that all faults are seen at once.
 */
#include "hosts/cli/lines.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

#define READ_BYTES  65536u
#define PIECE_BYTES 65536u

/* Reads more behind what is there. 0, or a negative errno. */
static long
fill(struct lines *lines)
{
    long got;

    if (lines->start) {
        memmove(lines->bytes, lines->bytes + lines->start, lines->count);
        lines->start = 0;
    }
    if (lines->capacity - lines->count < READ_BYTES + 1) {
        size_t capacity = lines->capacity ? lines->capacity * 2 : 4 * READ_BYTES;
        char *more = realloc(lines->bytes, capacity);

        if (!more)
            return -ENOMEM;
        lines->bytes = more;
        lines->capacity = capacity;
    }
    got = lines->source.read(lines->source.context, lines->bytes + lines->count, READ_BYTES);
    if (got < 0)
        return got;
    lines->ended = got == 0;
    lines->count += (size_t)got;
    lines->bytes[lines->count] = '\0';
    return 0;
}

static enum found
stop(struct prov_error *err, long reason)
{
    fault_set(err, PROV_E_INVALID, "cannot be read: %s", strerror((int)-reason));
    return FOUND_STOP;
}

/* The first bytes: a mark to pass over, or another encoding. */
static enum found
begin(struct lines *lines, struct prov_error *err)
{
    const char *bytes;
    long reason = 0;

    while (!reason && !lines->ended && lines->count < 4)
        reason = fill(lines);
    if (reason)
        return stop(err, reason);
    lines->begun = true;
    lines->number = 1;
    bytes = lines->bytes;
    if (lines->count >= 2 && (!memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2) ||
                              (!bytes[0] && bytes[1]) || (bytes[0] && !bytes[1]))) {
        fault_set(err, PROV_E_INVALID,
                  "line 1, character 1: the file is UTF-16; save it as UTF-8, or convert it: "
                  "iconv -f UTF-16 -t UTF-8");
        return FOUND_STOP;
    }
    if (lines->count >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
        lines->start = 3;
        lines->count -= 3;
    }
    return FOUND_ITEM;
}

/* Where the line ends that begins at the start; NULL: not in what was read. */
static char *
find_end(const struct lines *lines)
{
    char *bytes = lines->bytes + lines->start, *end = memchr(bytes, '\n', lines->count);
    char *early = memchr(bytes, '\r', end ? (size_t)(end - bytes) : lines->count);

    /* a CR that is the last byte read may be half of a CRLF */
    if (early && early + 1 == bytes + lines->count && !lines->ended)
        return NULL;
    return early ? early : end;
}

static enum found
check(const struct lines *lines, const struct line *line, struct prov_error *err)
{
    const char *end = line->text + line->length, *at = line->text;
    size_t length = 1, character;

    while (at < end && *at && (length = utf8_length(at, end)) > 0)
        at += length;
    if (at == end)
        return FOUND_ITEM;
    character = lines->before + utf8_count(line->text, (size_t)(at - line->text)) + 1;
    if (*at == '\0')
        fault_set(err, PROV_E_INVALID,
                  "line %zu, character %zu: a NUL byte; the file is not plain text, save it as "
                  "text in UTF-8",
                  line->number, character);
    else
        fault_set(err, PROV_E_INVALID,
                  "line %zu, character %zu: byte 0x%02x is not UTF-8; save the file as UTF-8, or "
                  "convert it: iconv -f WINDOWS-1252 -t UTF-8",
                  line->number, character, (unsigned char)*at);
    return FOUND_FAULT;
}

/* Takes `length` bytes and an end of `end_length` off what was read. */
static enum found
take(struct lines *lines, size_t length, const char *end, struct line *ret, struct prov_error *err)
{
    char *text = lines->bytes + lines->start;
    struct line line = { text, length, lines->number, lines->before, end };
    bool skipped = lines->skipping || length > LINES_MAX_BYTES;
    enum found found;

    lines->start += length + strlen(end);
    lines->count -= length + strlen(end);
    if (*end || lines->ended)
        text[length] = '\0';
    found = skipped ? FOUND_FAULT : check(lines, &line, err);
    if (skipped)
        fault_set(err, PROV_E_LIMIT, "line %zu: it is longer than %u bytes", line.number,
                  LINES_MAX_BYTES);
    lines->before = *end ? 0 : lines->before + utf8_count(text, length);
    lines->number += *end != '\0';
    lines->skipping = false;
    *ret = line;
    return found;
}

/* Bytes of a piece: those read, less a last character that may be cut in two. */
static size_t
piece_length(const struct lines *lines)
{
    const char *bytes = lines->bytes + lines->start;

    for (size_t back = 1; back <= 3; back++) {
        unsigned char byte = (unsigned char)bytes[lines->count - back];

        if (byte >= 0xc0)
            return lines->count - back;
        if (byte < 0x80)
            break;
    }
    return lines->count;
}

enum found
lines_next(struct lines *lines, struct line *ret, struct prov_error *err)
{
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    enum found found = lines->begun ? FOUND_ITEM : begin(lines, err);

    while (found == FOUND_ITEM) {
        char *end = lines->count ? find_end(lines) : NULL;
        long reason;

        if (end) {
            bool two = end[0] == '\r' && end + 1 < lines->bytes + lines->start + lines->count &&
                       end[1] == '\n';
            return take(lines, (size_t)(end - lines->bytes) - lines->start,
                        ends[two            ? 1
                             : *end == '\r' ? 2
                                            : 0],
                        ret, err);
        }
        if (lines->ended && lines->count == 0 && !lines->skipping)
            return FOUND_END;
        if (lines->ended)
            return take(lines, lines->count, "", ret, err);
        if (lines->pieces && lines->count > PIECE_BYTES)
            return take(lines, piece_length(lines), "", ret, err);
        if (lines->count > LINES_MAX_BYTES) {
            lines->skipping = true;
            lines->count = 0;
        }
        reason = fill(lines);
        if (reason)
            return stop(err, reason);
    }
    return found;
}

void
lines_clear(struct lines *lines)
{
    free(lines->bytes);
    *lines = (struct lines){ .number = 0 };
}

static long
read_bytes(void *context, char *to, size_t size)
{
    struct text_bytes *bytes = context;
    size_t length = bytes->length < size ? bytes->length : size;

    memcpy(to, bytes->text, length);
    bytes->text += length;
    bytes->length -= length;
    return (long)length;
}

struct text_source
text_source_of(struct text_bytes *bytes)
{
    return (struct text_source){ .read = read_bytes, .context = bytes };
}
