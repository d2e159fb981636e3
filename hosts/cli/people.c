/*
 * People out of rows. Decides that a list is sound as a whole (a key for everybody, nobody twice,
 * every value of its kind) and what SCIM resource each row makes. Leaves the meaning of a header to
 * column.c, and what a resource leads to in Salesforce to the plugin.
 */
#include "hosts/cli/people.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosts/cli/column.h"
#include "hosts/cli/fault.h"

#define PREFIX "/Users/"

struct people {
    const struct csv *csv;
    struct column *columns; /* one for each of the csv */
    size_t key;             /* column */
    bool plain_key;         /* its header is no SCIM path: then it is the externalId as well */
    size_t *group;          /* of a column: the first column that writes the same array element */
    size_t *by_key;         /* rows in order of their keys */
    bool *map_used;
};

/* Trims blanks in place; headers come with them often enough. */
static char *
trimmed(const char *text)
{
    size_t length;
    char *copy;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length && strchr(" \t", text[length - 1]))
        length--;
    copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* What the header is to be read as: itself, unless a map names it. */
static const char *
apply_maps(const struct people_options *options, const char *header, bool *used)
{
    for (size_t i = 0; i < options->map_count; i++) {
        size_t length = strcspn(options->maps[i], "=");

        if (strlen(header) == length && !strncmp(options->maps[i], header, length)) {
            used[i] = true;
            return options->maps[i] + length + (options->maps[i][length] == '=');
        }
    }
    return header;
}

static int
leave_out(struct column *column)
{
    *column = (struct column){ .left_out = true };
    return PROV_OK;
}

static int
compile_column(struct people *people, const struct people_options *options, size_t index,
               struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    struct column *column = &people->columns[index];
    char *header = trimmed(csv_header(people->csv, index)->text);
    const char *path;
    bool is_key;
    int result;

    if (!header)
        return fault_nomem(err);
    path = apply_maps(options, header, people->map_used);
    is_key = !strcasecmp(header, options->key ? options->key : "externalId");
    if (is_key)
        people->key = index;
    if (!header[0])
        result = fault_set(&why, PROV_E_INVALID, "the header is empty; name it, or take it out");
    else if (!path[0])
        result = leave_out(column);
    else
        result = column_parse(path, column, &why);
    if (result && is_key && header[0]) {
        people->plain_key = true;
        result = leave_out(column);
    }
    if (result)
        fault_set(err, result, "line 1, column %zu '%s': %s", index + 1, header, why.text);
    free(header);
    return result;
}

static int
check_twice(const struct people *people, struct prov_error *err)
{
    const struct csv *csv = people->csv;

    for (size_t i = 1; i < csv->columns; i++) {
        for (size_t j = 0; j < i; j++) {
            if (column_same(&people->columns[i], &people->columns[j]))
                return fault_set(err, PROV_E_INVALID,
                                 "line 1, column %zu '%s': it says the same as column %zu '%s'; "
                                 "take one out, or leave it out with --map '%s='",
                                 i + 1, csv_header(csv, i)->text, j + 1, csv_header(csv, j)->text,
                                 csv_header(csv, i)->text);
        }
    }
    return PROV_OK;
}

static bool
has_attribute(const struct people *people, const char *attribute)
{
    for (size_t i = 0; i < people->csv->columns; i++) {
        if (!people->columns[i].left_out && !people->columns[i].schema[0] &&
            !strcmp(people->columns[i].attribute, attribute))
            return true;
    }
    return false;
}

/* Columns with one selection (emails[type eq "work"].value and .display) fill one element. */
static void
group_columns(struct people *people)
{
    for (size_t i = 0; i < people->csv->columns; i++) {
        struct column *column = &people->columns[i];

        for (people->group[i] = 0; people->group[i] < i; people->group[i]++) {
            const struct column *other = &people->columns[people->group[i]];

            if (other->many && !strcmp(other->attribute, column->attribute) &&
                !strcmp(other->select, column->select) &&
                !strcmp(other->select_value, column->select_value))
                break;
        }
    }
}

/* One cell alone in the header is most often another separator. */
static const char *
separator_hint(const struct csv *csv)
{
    if (csv->columns > 1)
        return "";
    if (strchr(csv_header(csv, 0)->text, ';'))
        return "; the file seems to be separated by semicolons: use --separator ';'";
    if (strchr(csv_header(csv, 0)->text, '\t'))
        return "; the file seems to be separated by tabs: use --separator tab";
    return "";
}

static int
compile_header(struct people *people, const struct people_options *options, struct prov_error *err)
{
    const char *key = options->key ? options->key : "externalId",
               *hint = separator_hint(people->csv);
    int result;

    people->key = SIZE_MAX;
    if (hint[0])
        return fault_set(err, PROV_E_INVALID, "line 1: it has one column only%s", hint);
    for (size_t i = 0; i < people->csv->columns; i++) {
        result = compile_column(people, options, i, err);
        if (result)
            return result;
    }
    if (people->key == SIZE_MAX)
        return fault_set(
            err, PROV_E_INVALID,
            "line 1: there is no column '%s'; name the column that identifies a person "
            "for good with --key COLUMN",
            key);
    for (size_t i = 0; i < options->map_count; i++) {
        if (!people->map_used[i])
            return fault_set(err, PROV_E_INVALID,
                             "--map '%s': line 1 has no such column; write the header as in the "
                             "file",
                             options->maps[i]);
    }
    if (people->plain_key && !has_attribute(people, "externalId"))
        people->columns[people->key] = (struct column){ .attribute = "externalId" };
    if (!has_attribute(people, "userName"))
        return fault_set(err, PROV_E_INVALID,
                         "line 1: there is no column 'userName'; add one, or say which it is with "
                         "--map 'HEADER=userName'");
    group_columns(people);
    return check_twice(people, err);
}

static const char *
key_of(const struct people *people, size_t row)
{
    return csv_cell(people->csv, row, people->key)->text;
}

static int
compare_keys(const void *a, const void *b, void *context)
{
    const struct people *people = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    int order = strcmp(key_of(people, left), key_of(people, right));

    return order ? order : (left > right) - (left < right);
}

static int
check_keys(struct people *people, struct prov_error *err)
{
    const struct csv *csv = people->csv;

    people->by_key = calloc(csv->rows + 1, sizeof(*people->by_key));
    if (!people->by_key)
        return fault_nomem(err);
    for (size_t i = 0; i < csv->rows; i++) {
        people->by_key[i] = i;
        if (!key_of(people, i)[strspn(key_of(people, i), " \t\r\n")])
            return fault_set(
                err, PROV_E_INVALID,
                "line %zu, column %zu '%s': the key is empty; everybody needs one that "
                "never changes",
                people_line(people, i), people->key + 1, csv_header(csv, people->key)->text);
    }
    qsort_r(people->by_key, csv->rows, sizeof(*people->by_key), compare_keys, people);
    for (size_t i = 1; i < csv->rows; i++) {
        size_t row = people->by_key[i], before = people->by_key[i - 1];

        if (strcmp(key_of(people, before), key_of(people, row)) == 0)
            return fault_set(
                err, PROV_E_INVALID,
                "line %zu, column %zu '%s': the key '%s' was used in line %zu already; "
                "two people cannot share one",
                people_line(people, row), people->key + 1, csv_header(csv, people->key)->text,
                key_of(people, row), people_line(people, before));
    }
    return PROV_OK;
}

static int
check_rows(struct people *people, struct prov_error *err)
{
    for (size_t i = 0; i < people->csv->rows; i++) {
        struct json_object *resource = NULL;
        int result = people_resource(people, i, &resource, err);

        if (result)
            return result;
        json_object_put(resource);
    }
    return PROV_OK;
}

int
people_read(const struct csv *csv, const struct people_options *options, struct people **ret,
            struct prov_error *err)
{
    struct people *people = calloc(1, sizeof(*people));
    int result;

    if (!people)
        return fault_nomem(err);
    people->csv = csv;
    people->columns = calloc(csv->columns, sizeof(*people->columns));
    people->group = calloc(csv->columns, sizeof(*people->group));
    people->map_used = calloc(options->map_count + 1, sizeof(*people->map_used));
    if (!people->columns || !people->group || !people->map_used) {
        people_free(people);
        return fault_nomem(err);
    }
    result = compile_header(people, options, err);
    if (!result)
        result = check_keys(people, err);
    if (!result)
        result = check_rows(people, err);
    if (result) {
        people_free(people);
        return result;
    }
    *ret = people;
    return PROV_OK;
}

void
people_free(struct people *people)
{
    if (!people)
        return;
    free(people->columns);
    free(people->group);
    free(people->by_key);
    free(people->map_used);
    free(people);
}

size_t
people_count(const struct people *people)
{
    return people->csv->rows;
}

size_t
people_line(const struct people *people, size_t index)
{
    return csv_cell(people->csv, index, 0)->line;
}

/* "/Users/" and the key, percent-encoded but for the unreserved characters (RFC 3986 2.3). */
static char *
uri_of_key(const char *key)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *uri = malloc(sizeof(PREFIX) + 3 * strlen(key)), *out;

    if (!uri)
        return NULL;
    out = stpcpy(uri, PREFIX);
    for (; *key; key++) {
        if (strchr(plain, *key))
            *out++ = *key;
        else
            out += snprintf(out, sizeof("%XX"), "%%%02X", (unsigned char)*key);
    }
    *out = '\0';
    return uri;
}

char *
people_uri(const struct people *people, size_t index)
{
    return uri_of_key(key_of(people, index));
}

/* Adds and takes over value; false when out of memory. */
static bool
put(struct json_object *object, const char *name, struct json_object *value)
{
    if (value && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* The object or array under name, made when missing. Borrowed; NULL when out of memory. */
static struct json_object *
inner(struct json_object *object, const char *name, bool array)
{
    struct json_object *value = NULL;

    if (json_object_object_get_ex(object, name, &value))
        return value;
    value = array ? json_object_new_array() : json_object_new_object();
    return put(object, name, value) ? value : NULL;
}

/* A resource in the making. */
struct making {
    const struct people *people;
    size_t row;
    struct json_object *resource;
    struct json_object *elements[CSV_MAX_COLUMNS]; /* of arrays, by group; borrowed */
};

/* The element of the array that this column fills, made when missing. Borrowed. */
static struct json_object *
element(struct making *making, size_t index, struct json_object *array)
{
    const struct column *column = &making->people->columns[index];
    struct json_object **slot = &making->elements[making->people->group[index]], *fresh;

    if (*slot)
        return *slot; /* cppcheck-suppress identicalInnerCondition ; a value, not a condition */
    fresh = json_object_new_object();
    if (!fresh || json_object_array_add(array, fresh)) {
        json_object_put(fresh);
        return NULL;
    }
    if (!strcmp(column->select, "primary")) {
        if (!put(fresh, "primary", json_object_new_boolean(1)))
            return NULL;
    } else if (column->select[0] &&
               !put(fresh, column->select, json_object_new_string(column->select_value))) {
        return NULL;
    }
    return *slot = fresh;
}

static int
read_boolean(const char *text, bool *ret)
{
    static const char *const yes[] = { "true", "yes", "1" }, *const no[] = { "false", "no", "0" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
            *ret = !strcasecmp(text, yes[i]);
            return PROV_OK;
        }
    }
    return PROV_E_INVALID;
}

static bool
put_manager(struct json_object *object, const char *key)
{
    char *uri = uri_of_key(key);
    struct json_object *manager = inner(object, "manager", false);
    bool done = uri && manager && put(manager, "value", json_object_new_string(key)) &&
                put(manager, "$ref", json_object_new_string(uri));

    free(uri);
    return done;
}

/* Where the value goes: the resource, an extension, an object or an element in it. Borrowed. */
static struct json_object *
holder(struct making *making, size_t index)
{
    const struct column *column = &making->people->columns[index];
    struct json_object *object = making->resource;

    if (column->schema[0])
        object = inner(object, column->schema, false);
    if (object && column->kind != COLUMN_MANAGER && column->sub[0]) {
        object = inner(object, column->attribute, column->many);
        if (object && column->many)
            object = element(making, index, object);
    }
    return object;
}

static int
put_cell(struct making *making, size_t index, struct prov_error *err)
{
    const struct csv *csv = making->people->csv;
    const struct column *column = &making->people->columns[index];
    const struct csv_cell *cell = csv_cell(csv, making->row, index);
    const char *name = column->sub[0] ? column->sub : column->attribute;
    struct json_object *object, *value;
    bool yes = false;

    if (column->left_out || cell->length == 0)
        return PROV_OK;
    if (column->kind == COLUMN_BOOLEAN && read_boolean(cell->text, &yes))
        return fault_set(err, PROV_E_INVALID,
                         "line %zu, column %zu '%s': '%.40s' is neither true nor false; write true "
                         "or false",
                         cell->line, index + 1, csv_header(csv, index)->text, cell->text);
    object = holder(making, index);
    if (!object)
        return fault_nomem(err);
    if (column->kind == COLUMN_MANAGER)
        return put_manager(object, cell->text) ? PROV_OK : fault_nomem(err);
    if (column->kind == COLUMN_BOOLEAN)
        value = json_object_new_boolean(yes);
    else
        value = json_object_new_string_len(cell->text, (int)cell->length);
    return put(object, name, value) ? PROV_OK : fault_nomem(err);
}

static bool
append_text(struct json_object *array, const char *text)
{
    struct json_object *value = json_object_new_string(text);

    if (value && json_object_array_add(array, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static int
put_schemas(struct json_object *resource, struct prov_error *err)
{
    struct json_object *schemas = json_object_new_array();
    bool done = schemas && append_text(schemas, "urn:ietf:params:scim:schemas:core:2.0:User");

    json_object_object_foreach(resource, name, value)
    {
        (void)value;
        if (done && strncasecmp(name, "urn:", 4) == 0)
            done = append_text(schemas, name);
    }
    if (!done) {
        json_object_put(schemas);
        return fault_nomem(err);
    }
    return put(resource, "schemas", schemas) ? PROV_OK : fault_nomem(err);
}

int
people_resource(const struct people *people, size_t index, struct json_object **ret,
                struct prov_error *err)
{
    struct making making = { .people = people, .row = index, .resource = json_object_new_object() };
    struct json_object *name;
    int result = making.resource ? PROV_OK : fault_nomem(err);

    for (size_t i = 0; i < people->csv->columns && !result; i++)
        result = put_cell(&making, i, err);
    if (!result && !json_object_object_get_ex(making.resource, "userName", &name))
        result = fault_set(err, PROV_E_INVALID,
                           "line %zu: the userName is empty; everybody needs one to be named by",
                           people_line(people, index));
    if (!result)
        result = put_schemas(making.resource, err);
    if (result) {
        json_object_put(making.resource);
        return result;
    }
    *ret = making.resource;
    return PROV_OK;
}

static size_t
find_key(const struct people *people, const char *key)
{
    size_t low = 0, high = people->csv->rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key_of(people, people->by_key[middle]), key);

        if (order == 0)
            return people->by_key[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return people->csv->rows;
}

size_t
people_find(const struct people *people, const char *uri)
{
    size_t prefix = strlen(PREFIX), found;
    char *key, *out;

    if (strncmp(uri, PREFIX, prefix))
        return people_count(people);
    key = out = strdup(uri + prefix);
    if (!key)
        return people_count(people);
    for (const char *at = key; *at; at++) {
        unsigned byte;

        if (*at == '%' && sscanf(at + 1, "%2X", &byte) == 1 && at[1] && at[2]) {
            *out++ = (char)byte;
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    found = find_key(people, key);
    free(key);
    return found;
}

size_t
people_without_manager(const struct people *people, size_t *ret_line)
{
    size_t count = 0;

    for (size_t row = 0; row < people->csv->rows; row++) {
        for (size_t i = 0; i < people->csv->columns; i++) {
            const char *manager = csv_cell(people->csv, row, i)->text;

            if (people->columns[i].kind != COLUMN_MANAGER || people->columns[i].left_out ||
                !manager[0] || find_key(people, manager) < people_count(people))
                continue;
            if (count++ == 0)
                *ret_line = people_line(people, row);
        }
    }
    return count;
}
