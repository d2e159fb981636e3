/* JSON written directly: json-c keeps a copy of the text in every value that it writes, and looks at each
 * byte twice. Numbers alone are left to it, since it remembers how they were spelled. */
#include "plugin/base/json_write.h"

#include <stdint.h>
#include <string.h>

#define FIRST_ROOM 512
/* So many members of an object are sorted without an allocation. */
#define MEMBERS_SMALL 32

static bool
grow(struct json_writer *writer, size_t length)
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

static inline bool
make_room(struct json_writer *writer, size_t length)
{
    return length <= writer->room - writer->length || grow(writer, length);
}

void
json_write_raw(struct json_writer *writer, const char *bytes, size_t length)
{
    if (length == 0 || !make_room(writer, length))
        return;
    memcpy(writer->text + writer->length, bytes, length);
    writer->length += length;
}

static void
write_escape(struct json_writer *writer, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
    const char *found = byte ? strchr(plain, byte) : NULL;
    char escape[6] = "\\u00";

    if (found) {
        escape[1] = names[found - plain];
        json_write_raw(writer, escape, 2);
        return;
    }
    escape[4] = digits[byte >> 4];
    escape[5] = digits[byte & 15];
    json_write_raw(writer, escape, 6);
}

static bool
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* Whether none of eight bytes needs an escape. Subtracting n from every byte sets the top bit of those
 * below n, and of no other whose top bit was clear, unless one below n stands before it. */
static bool
all_plain(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word, quotes, backslashes;

    memcpy(&word, bytes, sizeof(word));
    quotes = word ^ (ones * '"');
    backslashes = word ^ (ones * '\\');
    return !((((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) |
              ((backslashes - ones) & ~backslashes)) &
             tops);
}

static size_t
plain_length(const char *text, size_t length)
{
    size_t i = 0;

    while (length - i >= sizeof(uint64_t) && all_plain(text + i))
        i += sizeof(uint64_t);
    while (i < length && is_plain((unsigned char)text[i]))
        i++;
    return i;
}

void
json_write_string(struct json_writer *writer, const char *text, size_t length)
{
    size_t plain = plain_length(text, length);

    if (!make_room(writer, plain + 2))
        return;
    writer->text[writer->length++] = '"';
    memcpy(writer->text + writer->length, text, plain);
    writer->length += plain;
    while (plain < length) {
        size_t more;
        write_escape(writer, (unsigned char)text[plain++]);
        more = plain_length(text + plain, length - plain);
        json_write_raw(writer, text + plain, more);
        plain += more;
    }
    if (make_room(writer, 1)) /* of a text without escapes it was made above */
        writer->text[writer->length++] = '"';
}

void
json_write_name(struct json_writer *writer, const char *name, bool first)
{
    size_t length = strlen(name);

    if (!make_room(writer, length + 4))
        return;
    if (!first)
        writer->text[writer->length++] = ',';
    json_write_string(writer, name, length);
    JSON_WRITE_LITERAL(writer, ":");
}

static void write_value(struct json_writer *writer, struct json_object *value, bool canonical);

static void
write_member(struct json_writer *writer, bool first, const char *name, struct json_object *value,
             bool canonical)
{
    json_write_name(writer, name, first);
    write_value(writer, value, canonical);
}

static void
write_object(struct json_writer *writer, struct json_object *object)
{
    bool first = true;

    JSON_WRITE_LITERAL(writer, "{");
    json_object_object_foreach(object, name, value)
    {
        write_member(writer, first, name, value, false);
        first = false;
    }
    JSON_WRITE_LITERAL(writer, "}");
}

struct member {
    const char *name;
    struct json_object *value;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* Few members, often in order already. */
static void
sort_members(struct member *members, size_t count)
{
    if (count > MEMBERS_SMALL) {
        qsort(members, count, sizeof(*members), by_name);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct member moved = members[i];
        size_t at = i;
        for (; at > 0 && by_name(&members[at - 1], &moved) > 0; at--)
            members[at] = members[at - 1];
        members[at] = moved;
    }
}

static void
write_sorted(struct json_writer *writer, struct json_object *object)
{
    struct member small[MEMBERS_SMALL], *members = small;
    AUTO_FREE struct member *many = NULL;
    size_t count = 0;

    if (json_object_object_length(object) > MEMBERS_SMALL)
        members = many = calloc((size_t)json_object_object_length(object), sizeof(*many));
    if (!members) {
        writer->failed = true;
        return;
    }
    json_object_object_foreach(object, name, value)
    {
        members[count++] = (struct member){ name, value };
    }
    sort_members(members, count);
    JSON_WRITE_LITERAL(writer, "{");
    for (size_t i = 0; i < count; i++)
        write_member(writer, i == 0, members[i].name, members[i].value, true);
    JSON_WRITE_LITERAL(writer, "}");
}

static void
write_array(struct json_writer *writer, struct json_object *array, bool canonical)
{
    JSON_WRITE_LITERAL(writer, "[");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        if (i > 0)
            JSON_WRITE_LITERAL(writer, ",");
        write_value(writer, json_object_array_get_idx(array, i), canonical);
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

static void
write_value(struct json_writer *writer, struct json_object *value, bool canonical)
{
    size_t at = writer->length;

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
        if (canonical)
            write_sorted(writer, value);
        else
            write_object(writer, value);
        break;
    case json_type_array:
        write_array(writer, value, canonical);
        break;
    default:
        write_number(writer, value);
        break;
    }
    if (value && value == writer->watched) {
        writer->watched_at = at;
        writer->watched_end = writer->length;
    }
}

void
json_write_value(struct json_writer *writer, struct json_object *value)
{
    write_value(writer, value, false);
}

void
json_write_canonical(struct json_writer *writer, struct json_object *value)
{
    write_value(writer, value, true);
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
