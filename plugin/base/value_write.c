/* Writes values as JSON. Texts and brackets are json_write.c's. */
#include <stdlib.h>

#include "plugin/base/json_write.h"
#include "plugin/base/value.h"

/* So many members of an object are sorted without an allocation. */
#define MEMBERS_SMALL 32

static void write_other(struct json_writer *writer, const struct value *value, bool canonical);

/* Most values are texts. */
static inline void
write_value(struct json_writer *writer, const struct value *value, bool canonical)
{
    if (value_is(value, VALUE_TEXT))
        json_write_string(writer, value->text, value->length);
    else
        write_other(writer, value, canonical);
}

static inline void
write_member(struct json_writer *writer, const struct member *member, bool first, bool canonical)
{
    if (!first)
        JSON_WRITE_LITERAL(writer, ",");
    json_write_string(writer, member->name, member->name_length);
    JSON_WRITE_LITERAL(writer, ":");
    write_value(writer, member->value, canonical);
}

/* Mostly the first bytes differ. */
static inline int
compare_names(const struct member *a, const struct member *b)
{
    int difference = (unsigned char)*a->name - (unsigned char)*b->name;

    return difference ? difference : strcmp(a->name, b->name);
}

static int
by_name(const void *a, const void *b)
{
    return compare_names(*(const struct member *const *)a, *(const struct member *const *)b);
}

/* Few members, often in order already. */
static void
sort_members(const struct member **members, size_t count)
{
    if (count > MEMBERS_SMALL) {
        qsort(members, count, sizeof(struct member *), by_name);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct member *moved = members[i];
        size_t at = i;
        for (; at > 0 && compare_names(members[at - 1], moved) > 0; at--)
            members[at] = members[at - 1];
        members[at] = moved;
    }
}

static void
write_sorted(struct json_writer *writer, const struct value *object)
{
    const struct member *small[MEMBERS_SMALL], **members = small;
    AUTO_FREE const struct member **many = NULL;

    if (object->length > MEMBERS_SMALL)
        members = many = calloc(object->length, sizeof(struct member *));
    if (!members) {
        writer->failed = true;
        return;
    }
    for (uint32_t i = 0; i < object->length; i++)
        members[i] = &object->members[i];
    sort_members(members, object->length);
    for (uint32_t i = 0; i < object->length; i++)
        write_member(writer, members[i], i == 0, true);
}

static void
write_object(struct json_writer *writer, const struct value *object, bool canonical)
{
    JSON_WRITE_LITERAL(writer, "{");
    if (canonical)
        write_sorted(writer, object);
    for (uint32_t i = 0; !canonical && i < object->length; i++)
        write_member(writer, &object->members[i], i == 0, false);
    JSON_WRITE_LITERAL(writer, "}");
}

static void
write_array(struct json_writer *writer, const struct value *array, bool canonical)
{
    JSON_WRITE_LITERAL(writer, "[");
    for (uint32_t i = 0; i < array->length; i++) {
        if (i > 0)
            JSON_WRITE_LITERAL(writer, ",");
        write_value(writer, array->elements[i], canonical);
    }
    JSON_WRITE_LITERAL(writer, "]");
}

static void
write_other(struct json_writer *writer, const struct value *value, bool canonical)
{
    size_t at = writer->length;

    switch (value ? value->type : VALUE_NULL) {
    case VALUE_NULL:
        JSON_WRITE_LITERAL(writer, "null");
        break;
    case VALUE_FALSE:
        JSON_WRITE_LITERAL(writer, "false");
        break;
    case VALUE_TRUE:
        JSON_WRITE_LITERAL(writer, "true");
        break;
    case VALUE_INTEGER:
    case VALUE_REAL:
        json_write_raw(writer, value->text, value->length);
        break;
    case VALUE_ARRAY:
        write_array(writer, value, canonical);
        break;
    case VALUE_OBJECT:
        write_object(writer, value, canonical);
        break;
    case VALUE_TEXT: /* is no other */
        break;
    }
    if (value && value == writer->watched) {
        writer->watched_at = at;
        writer->watched_end = writer->length;
    }
}

void
value_write(struct json_writer *writer, const struct value *value)
{
    write_value(writer, value, false);
}

void
value_write_canonical(struct json_writer *writer, const struct value *value)
{
    write_value(writer, value, true);
}

char *
value_json(const struct value *value)
{
    struct json_writer writer = { 0 };

    write_value(&writer, value, false);
    return json_write_end(&writer);
}

char *
value_canonical(const struct value *value)
{
    struct json_writer writer = { 0 };

    write_value(&writer, value, true);
    return json_write_end(&writer);
}
