/* Decides how a string is escaped. Eight bytes are looked at a time, since nearly none needs it. */
#include "hosts/adapter/text.h"

#include <stdint.h>
#include <stdlib.h>

#include "hosts/cli/fault.h"

#define FIRST_ROOM 1024

/* ---- UTF-8 ---- */

/* Whether one of these bytes is a control, a quotation mark, a backslash, or no ASCII. */
static inline bool
is_special(uint64_t bytes)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t quotes = bytes ^ (ones * '"'), backslashes = bytes ^ (ones * '\\');

    return (bytes | (bytes - ones * 0x20) | (quotes - ones) | (backslashes - ones)) & (ones * 0x80);
}

static inline bool
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

size_t
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

bool
utf8_is_text(const char *bytes, size_t length)
{
    const char *end = bytes + length;
    uint64_t eight;
    size_t width = 1;

    while (bytes < end && width) {
        if (end - bytes >= 8) {
            memcpy(&eight, bytes, sizeof(eight));
            width = is_special(eight) ? 0 : 8;
        } else {
            width = 0;
        }
        if (!width)
            width = *bytes ? utf8_length(bytes, end) : 0;
        bytes += width;
    }
    return bytes == end;
}

void
utf8_mend(char *text)
{
    const char *end = text + strlen(text);

    while (*text) {
        size_t width = utf8_length(text, end);

        if (!width)
            *text = '?';
        text += width ? width : 1;
    }
}

size_t
utf8_count(const char *text, size_t length)
{
    size_t characters = 0;

    for (size_t i = 0; i < length; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    return characters;
}

/* ---- writing ---- */

static void
fail(struct text *text, int fault)
{
    if (!text->fault)
        text->fault = fault;
    text->room = text->length; /* so that everybody comes to text_grow() */
}

bool
text_grow(struct text *text, size_t more)
{
    size_t room = text->room ? text->room : FIRST_ROOM;
    char *grown;

    if (text->fault)
        return false;
    while (room - text->length < more)
        room *= 2;
    grown = malloc(room);
    if (!grown) {
        fail(text, PROV_E_NOMEM);
        return false;
    }
    if (text->bytes) {
        memcpy(grown, text->bytes, text->length);
        explicit_bzero(text->bytes, text->length);
    }
    free(text->bytes);
    text->bytes = grown;
    text->room = room;
    return true;
}

static void
add_escape(struct text *text, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[6] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

    text_add(text, escape, sizeof(escape));
}

/* Copies up to the first byte that is special, and says how many. */
static size_t
copy_plain(char *to, const char *from, size_t length)
{
    uint64_t eight;
    size_t i = 0;

    for (; length - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, from + i, sizeof(eight));
        if (is_special(eight))
            break;
        memcpy(to + i, &eight, sizeof(eight));
    }
    for (; i < length && is_plain((unsigned char)from[i]); i++)
        to[i] = from[i];
    return i;
}

void
text_part(struct text *text, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    size_t width;

    if (!length)
        return;
    while (text_room(text, (size_t)(end - bytes))) { /* once, mostly: then there was room for all */
        width = copy_plain(text->bytes + text->length, bytes, (size_t)(end - bytes));
        text->length += width;
        bytes += width;
        if (bytes == end)
            return;
        width = utf8_length(bytes, end);
        if (width == 0)
            fail(text, PROV_E_INVALID);
        else if (width == 1)
            add_escape(text, (unsigned char)*bytes);
        else
            text_add(text, bytes, width);
        bytes += width;
    }
}

void
text_string(struct text *text, const char *bytes, size_t length)
{
    if (!text_room(text, length + 2))
        return;
    TEXT_ADD(text, "\"");
    text_part(text, bytes, length);
    TEXT_ADD(text, "\"");
}

void
text_member(struct text *text, const char *name)
{
    size_t length = strlen(name);

    if (!text_room(text, length + 4))
        return;
    if (text->length && text->bytes[text->length - 1] != '{')
        TEXT_ADD(text, ",");
    TEXT_ADD(text, "\"");
    text_add(text, name, length);
    TEXT_ADD(text, "\":");
}

void
text_number(struct text *text, unsigned long long number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    text_add(text, digits + at, sizeof(digits) - at);
}

int
text_end(struct text *text, char **ret, size_t *ret_length, struct prov_error *err)
{
    int fault;

    text_add(text, "", 1);
    fault = text->fault;
    if (fault) {
        text_drop(text);
        return fault == PROV_E_NOMEM ? fault_nomem(err)
                                     : fault_set(err, fault, "a text is not UTF-8");
    }
    *ret = text->bytes;
    if (ret_length)
        *ret_length = text->length - 1;
    *text = (struct text){ .bytes = NULL };
    return PROV_OK;
}

void
text_drop(struct text *text)
{
    if (text->bytes)
        explicit_bzero(text->bytes, text->length);
    free(text->bytes);
    *text = (struct text){ .bytes = NULL };
}
