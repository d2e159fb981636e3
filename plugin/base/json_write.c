/* JSON written directly: json-c keeps a copy of the text in every value that it writes, and looks at each
 * byte twice. Numbers alone are left to it, since it remembers how they were spelled. */
#include "plugin/base/json_write.h"

#include <stdint.h>
#include <string.h>

#include "plugin/base/json.h"

#define FIRST_ROOM 512

bool
json_write_grow(struct json_writer *writer, size_t length)
{
    size_t room = writer->room ? writer->room : FIRST_ROOM;
    char *grown;

    if (writer->failed)
        return false;
    while (room - writer->length < length)
        room *= 2;
    grown = realloc(writer->text, room);
    if (!grown) {
        writer->failed = true;
        writer->room = writer->length; /* so that everybody comes here */
        return false;
    }
    writer->text = grown;
    writer->room = room;
    return true;
}

static void
write_escape(struct json_writer *writer, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
    const char *found = byte ? strchr(plain, byte) : NULL;

    JSON_WRITE_LITERAL(writer, "\\");
    if (found) {
        json_write_raw(writer, names + (found - plain), 1);
        return;
    }
    JSON_WRITE_LITERAL(writer, "u00");
    json_write_raw(writer, digits + (byte >> 4), 1);
    json_write_raw(writer, digits + (byte & 15), 1);
}

static bool
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

/* Whether none of these bytes needs an escape. */
static inline bool
all_plain(uint64_t first, uint64_t second)
{
    bytes16 bytes = (bytes16)(words2){ first, second };
    words2 escaped = (words2)((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));

    return !(escaped[0] | escaped[1]);
}

/* Copies 8 to 16 bytes, or nothing if one of them needs an escape. The halves may overlap. */
static inline bool
copy_plain_16(char *to, const char *from, size_t length)
{
    uint64_t first, last;

    memcpy(&first, from, sizeof(first));
    memcpy(&last, from + length - sizeof(last), sizeof(last));
    if (!all_plain(first, last))
        return false;
    memcpy(to, &first, sizeof(first));
    memcpy(to + length - sizeof(last), &last, sizeof(last));
    return true;
}

/* The same of 4 to 8. */
static inline bool
copy_plain_8(char *to, const char *from, size_t length)
{
    uint32_t first, last;

    memcpy(&first, from, sizeof(first));
    memcpy(&last, from + length - sizeof(last), sizeof(last));
    if (!all_plain((uint64_t)last << 32 | first, (uint64_t)last << 32 | first))
        return false;
    memcpy(to, &first, sizeof(first));
    memcpy(to + length - sizeof(last), &last, sizeof(last));
    return true;
}

/* Copies up to the first byte that needs an escape, and says how many. */
static inline size_t
copy_plain(char *to, const char *from, size_t length)
{
    size_t i = 0;

    while (length - i > 16 && copy_plain_16(to + i, from + i, 16))
        i += 16;
    if (length - i >= 8 && length - i <= 16 && copy_plain_16(to + i, from + i, length - i))
        return length;
    if (length - i >= 4 && length - i <= 8 && copy_plain_8(to + i, from + i, length - i))
        return length;
    while (i < length && is_plain((unsigned char)from[i])) {
        to[i] = from[i];
        i++;
    }
    return i;
}

/* What begins with a byte that needs an escape; makes room for one byte more. */
__attribute__((noinline)) static bool
write_with_escapes(struct json_writer *writer, const char *text, size_t length)
{
    while (length > 0) {
        size_t plain;
        write_escape(writer, (unsigned char)*text++);
        if (!json_write_room(writer, length))
            return false;
        plain = copy_plain(writer->text + writer->length, text, --length);
        writer->length += plain;
        text += plain;
        length -= plain;
    }
    return true;
}

void
json_write_string(struct json_writer *writer, const char *text, size_t length)
{
    char *to;
    size_t plain;

    if (!json_write_room(writer, length + 2))
        return;
    to = writer->text + writer->length;
    *to++ = '"';
    plain = copy_plain(to, text, length);
    if (plain == length) {
        to[plain] = '"';
        writer->length += plain + 2;
        return;
    }
    writer->length += plain + 1;
    if (write_with_escapes(writer, text + plain, length - plain))
        writer->text[writer->length++] = '"';
}

void
json_write_name(struct json_writer *writer, const char *name, bool first)
{
    if (!first)
        JSON_WRITE_LITERAL(writer, ",");
    json_write_string(writer, name, strlen(name));
    JSON_WRITE_LITERAL(writer, ":");
}

static void
write_object(struct json_writer *writer, struct json_object *object)
{
    bool first = true;

    JSON_WRITE_LITERAL(writer, "{");
    json_object_object_foreach(object, name, value)
    {
        json_write_name(writer, name, first);
        json_write_value(writer, value);
        first = false;
    }
    JSON_WRITE_LITERAL(writer, "}");
}

static void
write_array(struct json_writer *writer, struct json_object *array)
{
    JSON_WRITE_LITERAL(writer, "[");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        if (i > 0)
            JSON_WRITE_LITERAL(writer, ",");
        json_write_value(writer, json_object_array_get_idx(array, i));
    }
    JSON_WRITE_LITERAL(writer, "]");
}

static void
write_number(struct json_writer *writer, struct json_object *value)
{
    const char *text = json_borrow_text(value);

    if (text)
        json_write_raw(writer, text, strlen(text));
    else
        writer->failed = true;
}

void
json_write_value(struct json_writer *writer, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        JSON_WRITE_LITERAL(writer, "null");
        break;
    case json_type_boolean:
        if (json_object_get_boolean(value))
            JSON_WRITE_LITERAL(writer, "true");
        else
            JSON_WRITE_LITERAL(writer, "false");
        break;
    case json_type_string:
        json_write_string(writer, json_object_get_string(value),
                          (size_t)json_object_get_string_len(value));
        break;
    case json_type_object:
        write_object(writer, value);
        break;
    case json_type_array:
        write_array(writer, value);
        break;
    default:
        write_number(writer, value);
        break;
    }
}

char *
json_write_end(struct json_writer *writer)
{
    char *text;

    json_write_raw(writer, "", 1);
    text = writer->text;
    if (writer->failed) {
        free(text);
        text = NULL;
    }
    *writer = (struct json_writer){ 0 };
    return text;
}
