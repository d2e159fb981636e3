/*
 * A SCIM resource out of values. Decides where a value goes, and what is true and false: values that share a
 * member are gathered where the first of them stands. Leaves the meaning of a header to column.c, and what a resource leads to in
 * Salesforce to the plugin.
 */
#include "hosts/cli/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

#define PREFIX "/Users/"

/* The URI of a key, without a NUL; `to` has room for the prefix and three times the key. Returns its end. */
static char *
write_uri(char *to, const char *key)
{
    static const char digits[] = "0123456789ABCDEF";

    to = mempcpy(to, PREFIX, sizeof(PREFIX) - 1);
    for (; *key; key++) {
        unsigned char byte = (unsigned char)*key;

        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z') || strchr("-._~", byte)) {
            *to++ = *key;
        } else {
            *to++ = '%';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    return to;
}

char *
person_uri(const char *key)
{
    char *uri = malloc(sizeof(PREFIX) + 3 * strlen(key));

    if (uri)
        *write_uri(uri, key) = '\0';
    return uri;
}

/* A resource being written. */
struct making {
    struct person_value *values;
    size_t count;
    bool refs;
    struct text text;
    size_t further;
    bool inactive;
};

/* ---- what belongs together ---- */

static bool
same_schema(const struct column *a, const struct column *b)
{
    return a == b || !strcmp(a->schema, b->schema);
}

bool
person_same_attribute(const struct column *a, const struct column *b)
{
    return a == b || (!strcmp(a->attribute, b->attribute) && same_schema(a, b));
}

static bool
same_selection(const struct column *a, const struct column *b)
{
    return a == b || (person_same_attribute(a, b) && !strcmp(a->select, b->select) &&
                      !strcmp(a->select_value, b->select_value));
}

static bool
is_active(const struct column *column)
{
    return !column->schema[0] && !strcmp(column->attribute, "active");
}

/* ---- values ---- */

static int
no_boolean(const struct person_value *value, struct prov_error *err)
{
    char place[64] = "attribute";

    if (value->number)
        snprintf(place, sizeof(place), "line %zu, column %zu", value->line, value->number);
    else if (value->line)
        snprintf(place, sizeof(place), "line %zu, attribute", value->line);
    if (value->column->words == &column_plain_words)
        return fault_set(err, PROV_E_INVALID,
                         "%s '%s': '%.40s' is neither true nor false; write true or "
                         "false, or say in a columns file what means which",
                         place, value->name, value->text);
    return fault_set(err, PROV_E_INVALID,
                     "%s '%s': what '%.40s' means is not said; say it in the columns file", place,
                     value->name, value->text);
}

/* What is true and false, and that no empty value is written. */
static int
look_at_values(struct making *making, struct prov_error *err)
{
    for (size_t i = 0; i < making->count; i++) {
        struct person_value *value = &making->values[i];

        value->written = !value->length;
        value->yes = false;
        if (value->length && value->column->kind == COLUMN_BOOLEAN &&
            column_boolean(value->column, value->text, &value->yes))
            return no_boolean(value, err);
    }
    return PROV_OK;
}

static void
write_manager(struct making *making, const char *key)
{
    struct text *text = &making->text;

    text_member(text, "value");
    text_string(text, key, strlen(key));
    if (!making->refs)
        return;
    text_member(text, "$ref");
    TEXT_ADD(text, "\"");
    if (text_room(text, sizeof(PREFIX) + 3 * strlen(key)))
        text->length = (size_t)(write_uri(text->bytes + text->length, key) - text->bytes);
    TEXT_ADD(text, "\"");
}

static void
write_value(struct making *making, const char *name, const struct person_value *value)
{
    if (value->column->kind == COLUMN_MANAGER) {
        write_manager(making, value->text);
        return;
    }
    text_member(&making->text, name);
    if (value->column->kind != COLUMN_BOOLEAN)
        text_string(&making->text, value->text, value->length);
    else if (value->yes)
        TEXT_ADD(&making->text, "true");
    else
        TEXT_ADD(&making->text, "false");
}

/* One value of this name: the first, or, of several that say whether a user is active, any that locks the
 * account. */
static void
write_one(struct making *making, size_t first, const char *name)
{
    struct person_value *value = &making->values[first];
    const struct column *column = value->column;

    for (size_t i = first + 1; i < making->count; i++) {
        struct person_value *other = &making->values[i];

        if (other->written || !person_same_attribute(other->column, column) ||
            strcmp(other->column->sub, column->sub) != 0)
            continue;
        other->written = true;
        if (other->column->kind == COLUMN_BOOLEAN && !other->yes)
            value->yes = false;
        else
            making->further++;
    }
    value->written = true;
    making->inactive |= column->kind == COLUMN_BOOLEAN && !value->yes && is_active(column);
    write_value(making, name, value);
}

/* ---- what holds them ---- */

#define SUBS_MAX 16 /* of an element of an array */

/* Takes a value up in an element: one of each name, and none of the selection's. */
static bool
takes(const char **names, size_t *count, const struct column *column)
{
    for (size_t i = 0; i < *count; i++) {
        if (names[i] == column->sub || !strcmp(names[i], column->sub))
            return false;
    }
    if (*count == SUBS_MAX)
        return false;
    names[(*count)++] = column->sub;
    return true;
}

static void
write_element(struct making *making, size_t first)
{
    const struct column *column = making->values[first].column;
    const char *names[SUBS_MAX] = { column->select };
    size_t count = 1;

    if (making->text.bytes[making->text.length - 1] != '[')
        TEXT_ADD(&making->text, ",");
    TEXT_ADD(&making->text, "{");
    if (!strcmp(column->select, "primary")) {
        TEXT_ADD(&making->text, "\"primary\":true");
    } else if (column->select[0]) {
        text_member(&making->text, column->select);
        text_string(&making->text, column->select_value, strlen(column->select_value));
    }
    for (size_t i = first; i < making->count && !making->text.fault; i++) {
        struct person_value *value = &making->values[i];

        if (value->written || !same_selection(value->column, column) ||
            !takes(names, &count, value->column))
            continue;
        write_value(making, value->column->sub, value);
        value->written = true;
    }
    making->further += !making->values[first].written;
    making->values[first].written = true;
    TEXT_ADD(&making->text, "}");
}

/* The attribute as an object of its own, or as an array of them. */
static void
write_parts(struct making *making, size_t first)
{
    const struct column *column = making->values[first].column;

    text_member(&making->text, column->attribute);
    if (column->many)
        TEXT_ADD(&making->text, "[");
    else
        TEXT_ADD(&making->text, "{");
    for (size_t i = first; i < making->count && !making->text.fault; i++) {
        const struct person_value *value = &making->values[i];

        if (value->written || !value->column->sub[0] ||
            !person_same_attribute(value->column, column))
            continue;
        if (column->many)
            write_element(making, i);
        else
            write_one(making, i, value->column->sub);
    }
    if (column->many)
        TEXT_ADD(&making->text, "]");
    else
        TEXT_ADD(&making->text, "}");
}

/* What another schema may say of one attribute in two ways, a value and an object, is written in the first. */
static void
write_attribute(struct making *making, size_t first)
{
    const struct column *column = making->values[first].column;

    if (column->sub[0])
        write_parts(making, first);
    else
        write_one(making, first, column->attribute);
    for (size_t i = first + 1; i < making->count; i++) {
        struct person_value *value = &making->values[i];

        if (value->written || !person_same_attribute(value->column, column))
            continue;
        value->written = true;
        making->further++;
    }
}

static void
write_extension(struct making *making, size_t first)
{
    const struct column *column = making->values[first].column;

    text_member(&making->text, column->schema);
    TEXT_ADD(&making->text, "{");
    for (size_t i = first; i < making->count && !making->text.fault; i++) {
        const struct person_value *value = &making->values[i];

        if (!value->written && same_schema(value->column, column))
            write_attribute(making, i);
    }
    TEXT_ADD(&making->text, "}");
}

/* The core schema, and those of which there are values. */
static void
write_schemas(struct making *making)
{
    text_member(&making->text, "schemas");
    TEXT_ADD(&making->text, "[\"urn:ietf:params:scim:schemas:core:2.0:User\"");
    for (size_t i = 0; i < making->count; i++) {
        const struct person_value *value = &making->values[i];
        size_t before = 0;

        if (!value->length || !value->column->schema[0])
            continue;
        while (before < i && (!making->values[before].length ||
                              !same_schema(making->values[before].column, value->column)))
            before++;
        if (before < i)
            continue;
        TEXT_ADD(&making->text, ",");
        text_string(&making->text, value->column->schema, strlen(value->column->schema));
    }
    TEXT_ADD(&making->text, "]");
}

static const struct person_value *
find_core(const struct person_value *values, size_t count, const char *attribute)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].length && !values[i].column->schema[0] &&
            !strcmp(values[i].column->attribute, attribute))
            return &values[i];
    }
    return NULL;
}

int
person_make(struct person_value *values, size_t count, const struct person_options *options,
            struct person_resource *ret, struct prov_error *err)
{
    struct making making = { .values = values, .count = count, .refs = options->refs };
    struct person_resource resource = { .json = NULL };
    int result = look_at_values(&making, err);

    if (result)
        return result;
    TEXT_ADD(&making.text, "{");
    for (size_t i = 0; i < count && !making.text.fault; i++) {
        if (!values[i].written && values[i].column->schema[0])
            write_extension(&making, i);
        else if (!values[i].written)
            write_attribute(&making, i);
    }
    write_schemas(&making);
    if (options->id && !find_core(values, count, "externalId")) {
        text_member(&making.text, "externalId");
        text_string(&making.text, options->id, strlen(options->id));
    }
    TEXT_ADD(&making.text, "}");
    result = text_end(&making.text, &resource.json, &resource.length, err);
    if (result)
        return result;
    resource.further = making.further;
    resource.inactive = making.inactive;
    *ret = resource;
    return PROV_OK;
}

const char *
person_name(const struct person_value *values, size_t count)
{
    const struct person_value *name = find_core(values, count, "userName");

    return name ? name->text : NULL;
}

static void
write_text(struct text *text, const char *name, const char *value)
{
    text_member(text, name);
    text_string(text, value, strlen(value));
}

int
person_list(const struct person_listed *listed, char **ret, size_t *ret_length,
            struct prov_error *err)
{
    struct text text = { .bytes = NULL };

    TEXT_ADD(&text, "{");
    write_text(&text, "uri", listed->uri);
    text_member(&text, "data");
    if (listed->resource)
        text_add(&text, listed->resource, strlen(listed->resource));
    else
        TEXT_ADD(&text, "null");
    if (!listed->resource && listed->inactive)
        TEXT_ADD(&text, ",\"active\":false");
    if (listed->unreadable)
        TEXT_ADD(&text, ",\"unreadable\":true");
    write_text(&text, "place", listed->place);
    if (listed->alias)
        write_text(&text, "alias", listed->alias);
    TEXT_ADD(&text, "}");
    return text_end(&text, ret, ret_length, err);
}
