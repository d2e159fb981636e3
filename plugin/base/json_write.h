/* Writes JSON as text, without a tree in between. */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <string.h>

struct json_object;
struct value;

/* Zeroed before the first use. What is written after memory has run out is dropped. */
struct json_writer {
    char *text; /* not ended by NUL until json_write_end() */
    size_t length, room;
    bool failed;
    const struct value *watched; /* NULL: none */
    size_t watched_at, watched_end;
};

/* For json_write_room(): there is less. */
bool json_write_grow(struct json_writer *writer, size_t length);
/* Makes sure of room for so many more bytes; false: out of memory. Whoever knows about how long the text will
 * be does so once. */
static inline bool
json_write_room(struct json_writer *writer, size_t length)
{
    return length <= writer->room - writer->length || json_write_grow(writer, length);
}

/* Bytes as they are: brackets, commas, names that need no escapes. */
static inline void
json_write_raw(struct json_writer *writer, const char *bytes, size_t length)
{
    if (length == 0 || !json_write_room(writer, length))
        return;
    memcpy(writer->text + writer->length, bytes, length);
    writer->length += length;
}
#define JSON_WRITE_LITERAL(writer, literal) json_write_raw(writer, literal, sizeof(literal) - 1)

/* In quotes, with the escapes of RFC 8259 that are needed: quotation mark, backslash, controls. */
void json_write_string(struct json_writer *writer, const char *text, size_t length);
/* The name of a member, with its colon, and a comma before it unless it is the first. */
void json_write_name(struct json_writer *writer, const char *name, bool first);
/* Any value; NULL is null. Same text as json_borrow_text(). */
void json_write_value(struct json_writer *writer, struct json_object *value);

/* The text, heap, or NULL when out of memory; the writer is empty then. */
char *json_write_end(struct json_writer *writer);

#endif
