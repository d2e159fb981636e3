/* A strict JSON reader of its own: it knows the place of each value (Salesforce's parser errors
 * name line and column, fact sheet 6.2) and refuses what json-c lets pass, first of all two members
 * of one name. What the values mean is left to the callers. */
#include "tests/org/json_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 64
};

struct reader {
    const char *bytes;
    size_t length, at;
    struct json_fault *fault;
};

static bool read_value(struct reader *reader, int depth, struct json_object **ret);

static void
place_of(const struct reader *reader, size_t offset, unsigned *line, unsigned *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (reader->bytes[i] == '\n') {
            (*line)++;
            *column = 1;
        } else {
            (*column)++;
        }
    }
}

PRINTF_LIKE(2, 3)
static bool
fail(struct reader *reader, const char *format, ...)
{
    char why[128];
    unsigned line, column;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    place_of(reader, reader->at, &line, &column);
    snprintf(reader->fault->text, sizeof(reader->fault->text), "%s at [line:%u, column:%u]", why,
             line, column);
    return false;
}

static bool
unexpected(struct reader *reader, const char *expected)
{
    unsigned char byte;

    if (reader->at >= reader->length)
        return fail(reader, "Unexpected end-of-input: was expecting %s", expected);
    byte = (unsigned char)reader->bytes[reader->at];
    if (byte < 0x20 || byte >= 0x7F)
        return fail(reader, "Unexpected character (code %u): was expecting %s", byte, expected);
    return fail(reader, "Unexpected character ('%c' (code %u)): was expecting %s", byte, byte,
                expected);
}

static void
skip_space(struct reader *reader)
{
    while (reader->at < reader->length && strchr(" \t\r\n", reader->bytes[reader->at]) &&
           reader->bytes[reader->at])
        reader->at++;
}

static bool
next_is(struct reader *reader, char wanted)
{
    return reader->at < reader->length && reader->bytes[reader->at] == wanted;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
read_hex4(struct reader *reader, uint32_t *ret)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++, reader->at++) {
        int digit = reader->at < reader->length ? hex_digit(reader->bytes[reader->at]) : -1;
        if (digit < 0)
            return unexpected(reader, "a hex-digit for character escape sequence");
        value = value * 16 + (uint32_t)digit;
    }
    *ret = value;
    return true;
}

/* After "\u". Halves of a surrogate pair must stand together. */
static bool
read_unicode_escape(struct reader *reader, struct text *out)
{
    uint32_t high, low;

    if (!read_hex4(reader, &high))
        return false;
    if (high == 0)
        return fail(reader, "Illegal character (code 0) in a string");
    if (high >= 0xDC00 && high <= 0xDFFF)
        return fail(reader, "Low surrogate without a high one");
    if (high >= 0xD800 && high <= 0xDBFF) {
        if (reader->at + 2 > reader->length || memcmp(reader->bytes + reader->at, "\\u", 2) != 0)
            return fail(reader, "High surrogate without a low one");
        reader->at += 2;
        if (!read_hex4(reader, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail(reader, "High surrogate without a low one");
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    text_add_code_point(out, high);
    return true;
}

static bool
read_escape(struct reader *reader, struct text *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (reader->at >= reader->length || !reader->bytes[reader->at])
        return unexpected(reader, "an escape character");
    if (reader->bytes[reader->at] == 'u') {
        reader->at++;
        return read_unicode_escape(reader, out);
    }
    found = strchr(from, reader->bytes[reader->at]);
    if (!found)
        return fail(reader, "Unrecognized character escape '%c'", reader->bytes[reader->at]);
    text_add(out, &to[found - from], 1);
    reader->at++;
    return true;
}

/* One well-formed UTF-8 sequence of two to four bytes (RFC 3629: no overlong forms, surrogates, or
 * values above 10FFFF). */
static bool
read_multibyte(struct reader *reader, struct text *out)
{
    const unsigned char *at = (const unsigned char *)reader->bytes + reader->at;
    size_t left = reader->length - reader->at, count;
    unsigned char low = 0x80, high = 0xBF;

    if (*at >= 0xC2 && *at <= 0xDF) {
        count = 2;
    } else if (*at >= 0xE0 && *at <= 0xEF) {
        count = 3;
        low = *at == 0xE0 ? 0xA0 : 0x80;
        high = *at == 0xED ? 0x9F : 0xBF;
    } else if (*at >= 0xF0 && *at <= 0xF4) {
        count = 4;
        low = *at == 0xF0 ? 0x90 : 0x80;
        high = *at == 0xF4 ? 0x8F : 0xBF;
    } else {
        return fail(reader, "Invalid UTF-8 start byte 0x%x", *at);
    }
    if (left < count || at[1] < low || at[1] > high)
        return fail(reader, "Invalid UTF-8 middle byte");
    for (size_t i = 2; i < count; i++) {
        if (at[i] < 0x80 || at[i] > 0xBF)
            return fail(reader, "Invalid UTF-8 middle byte");
    }
    text_add(out, (const char *)at, count);
    reader->at += count;
    return true;
}

/* At the opening quote. */
static bool
read_string(struct reader *reader, struct text *out)
{
    text_add(out, "", 0);
    reader->at++;
    while (reader->at < reader->length) {
        unsigned char byte = (unsigned char)reader->bytes[reader->at];
        if (byte == '"') {
            reader->at++;
            return true;
        }
        if (byte < 0x20)
            return fail(reader, "Illegal unquoted character ((CTRL-CHAR, code %u))", byte);
        if (byte == '\\') {
            reader->at++;
            if (!read_escape(reader, out))
                return false;
        } else if (byte >= 0x80) {
            if (!read_multibyte(reader, out))
                return false;
        } else {
            text_add(out, (const char *)&byte, 1);
            reader->at++;
        }
    }
    return unexpected(reader, "closing quote for a string value");
}

static size_t
skip_digits(struct reader *reader)
{
    size_t from = reader->at;

    while (reader->at < reader->length && reader->bytes[reader->at] >= '0' &&
           reader->bytes[reader->at] <= '9')
        reader->at++;
    return reader->at - from;
}

static bool
read_number(struct reader *reader, struct json_object **ret)
{
    size_t from = reader->at;
    bool whole = true;
    char digits[64];

    if (next_is(reader, '-'))
        reader->at++;
    if (next_is(reader, '0')) {
        reader->at++;
    } else if (skip_digits(reader) == 0) {
        return unexpected(reader, "a digit");
    }
    if (next_is(reader, '.')) {
        reader->at++;
        whole = false;
        if (skip_digits(reader) == 0)
            return unexpected(reader, "a digit after the decimal point");
    }
    if (next_is(reader, 'e') || next_is(reader, 'E')) {
        reader->at++;
        whole = false;
        if (next_is(reader, '+') || next_is(reader, '-'))
            reader->at++;
        if (skip_digits(reader) == 0)
            return unexpected(reader, "a digit in the exponent");
    }
    if (reader->at - from >= sizeof(digits))
        return fail(reader, "Number too long");
    memcpy(digits, reader->bytes + from, reader->at - from);
    digits[reader->at - from] = '\0';
    *ret = whole ? json_object_new_int64(strtoll(digits, NULL, 10))
                 : json_object_new_double(strtod(digits, NULL));
    return true;
}

static bool
read_word(struct reader *reader, struct json_object **ret)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if (reader->length - reader->at >= length &&
            memcmp(reader->bytes + reader->at, words[i], length) == 0) {
            reader->at += length;
            *ret = i == 2 ? NULL : json_object_new_boolean(i == 0);
            return true;
        }
    }
    return unexpected(reader,
                      "('true', 'false' or 'null', a number, a string, an object or an array)");
}

static bool
read_array(struct reader *reader, int depth, struct json_object *array)
{
    reader->at++;
    skip_space(reader);
    if (next_is(reader, ']')) {
        reader->at++;
        return true;
    }
    for (;;) {
        struct json_object *item = NULL;
        if (!read_value(reader, depth + 1, &item))
            return false;
        js_append(array, item);
        skip_space(reader);
        if (next_is(reader, ']')) {
            reader->at++;
            return true;
        }
        if (!next_is(reader, ','))
            return unexpected(reader, "comma to separate ARRAY entries");
        reader->at++;
    }
}

static bool
read_member(struct reader *reader, int depth, struct json_object *object)
{
    AUTO_TEXT struct text name = { 0 };
    struct json_object *value = NULL;

    skip_space(reader);
    if (!next_is(reader, '"'))
        return unexpected(reader, "double-quote to start field name");
    if (!read_string(reader, &name))
        return false;
    if (json_object_object_get_ex(object, name.data, NULL))
        return fail(reader, "Duplicate field '%.60s'", name.data);
    skip_space(reader);
    if (!next_is(reader, ':'))
        return unexpected(reader, "a colon to separate field name and value");
    reader->at++;
    if (!read_value(reader, depth + 1, &value))
        return false;
    js_put(object, name.data, value);
    return true;
}

static bool
read_object(struct reader *reader, int depth, struct json_object *object)
{
    reader->at++;
    skip_space(reader);
    if (next_is(reader, '}')) {
        reader->at++;
        return true;
    }
    for (;;) {
        if (!read_member(reader, depth, object))
            return false;
        skip_space(reader);
        if (next_is(reader, '}')) {
            reader->at++;
            return true;
        }
        if (!next_is(reader, ','))
            return unexpected(reader, "comma to separate OBJECT entries");
        reader->at++;
    }
}

static bool
read_any(struct reader *reader, int depth, struct json_object **ret)
{
    AUTO_TEXT struct text string = { 0 };
    char first = reader->at < reader->length ? reader->bytes[reader->at] : '\0';

    if (first == '{') {
        *ret = js_object();
        return read_object(reader, depth, *ret);
    }
    if (first == '[') {
        *ret = js_array();
        return read_array(reader, depth, *ret);
    }
    if (first == '"') {
        if (!read_string(reader, &string))
            return false;
        *ret = js_string(string.data);
        return true;
    }
    if (first == '-' || (first >= '0' && first <= '9'))
        return read_number(reader, ret);
    return read_word(reader, ret);
}

static bool
read_value(struct reader *reader, int depth, struct json_object **ret)
{
    AUTO_JS struct json_object *value = NULL;
    size_t from;

    if (depth > MAX_DEPTH)
        return fail(reader, "Document nesting depth exceeds the maximum allowed (%d)", MAX_DEPTH);
    skip_space(reader);
    from = reader->at;
    if (!read_any(reader, depth, &value))
        return false;
    /* the offset is kept, not line and column: finding those for each value would be quadratic */
    if (value)
        json_object_set_userdata(value, (void *)(uintptr_t)(from + 1), NULL);
    *ret = STEAL(value);
    return true;
}

bool
json_read(const char *bytes, size_t length, struct json_object **ret, struct json_fault *fault)
{
    struct reader reader = { .bytes = bytes, .length = length, .fault = fault };
    AUTO_JS struct json_object *value = NULL;

    if (!read_value(&reader, 0, &value))
        return false;
    skip_space(&reader);
    if (reader.at < length)
        return unexpected(&reader, "the end of the body");
    *ret = STEAL(value);
    return true;
}

void
json_read_place(struct json_object *value, char ret[48])
{
    uintptr_t offset = value ? (uintptr_t)json_object_get_userdata(value) : 0;

    /* request bodies of clients are one line, so the offset is the column */
    snprintf(ret, 48, "[line:1, column:%zu]", (size_t)offset);
}
