/*
 * A SCIM resource out of values. Decides where a value goes, what is true and false, and that nobody
 * is without a name. Leaves the meaning of a header to column.c, and what a resource leads to in
 * Salesforce to the plugin.
 */
#include "hosts/cli/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosts/cli/fault.h"

#define PREFIX "/Users/"

char *
person_uri(const char *key)
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
    const struct person_value *values;
    struct json_object **elements; /* of arrays, by the value that made them; borrowed */
    struct json_object *resource;
    bool refs;
    size_t further;
};

static bool
same_element(const struct column *a, const struct column *b)
{
    return a->many && b->many && !strcmp(a->attribute, b->attribute) &&
           !strcmp(a->select, b->select) && !strcmp(a->select_value, b->select_value);
}

/* The element of the array that this value fills, made when missing. Borrowed. */
static struct json_object *
element(struct making *making, size_t index, const char *name, struct json_object *array)
{
    const struct column *column = making->values[index].column;
    struct json_object *fresh;

    for (size_t i = 0; i < index; i++) {
        if (making->elements[i] && same_element(making->values[i].column, column) &&
            !json_object_object_get_ex(making->elements[i], name, NULL))
            return making->elements[i];
    }
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
    return making->elements[index] = fresh;
}

static bool
put_manager(struct making *making, struct json_object *object, const char *key)
{
    char *uri = person_uri(key);
    struct json_object *manager = inner(object, "manager", false);
    bool done = uri && manager && put(manager, "value", json_object_new_string(key)) &&
                (!making->refs || put(manager, "$ref", json_object_new_string(uri)));

    free(uri);
    return done;
}

/* Where the value goes: the resource, an extension, an object or an element in it. Borrowed. */
static struct json_object *
holder(struct making *making, size_t index, const char *name)
{
    const struct column *column = making->values[index].column;
    struct json_object *object = making->resource;

    if (column->schema[0])
        object = inner(object, column->schema, false);
    if (object && column->kind != COLUMN_MANAGER && column->sub[0]) {
        object = inner(object, column->attribute, column->many);
        if (object && column->many)
            object = element(making, index, name, object);
    }
    return object;
}

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

static int
put_value(struct making *making, size_t index, struct prov_error *err)
{
    const struct person_value *value = &making->values[index];
    const struct column *column = value->column;
    bool manager = column->kind == COLUMN_MANAGER, yes = false;
    const char *name = manager || !column->sub[0] ? column->attribute : column->sub;
    struct json_object *object, *made, *there = NULL;

    if (value->length == 0)
        return PROV_OK;
    if (column->kind == COLUMN_BOOLEAN && column_boolean(column, value->text, &yes))
        return no_boolean(value, err);
    object = holder(making, index, name);
    if (!object)
        return fault_nomem(err);
    if (json_object_object_get_ex(object, name, &there)) {
        /* of several that say whether a user is active, each can lock the account */
        if (column->kind == COLUMN_BOOLEAN && !column->many && !yes)
            json_object_set_boolean(there, 0);
        else
            making->further++;
        return PROV_OK;
    }
    if (manager)
        return put_manager(making, object, value->text) ? PROV_OK : fault_nomem(err);
    made = column->kind == COLUMN_BOOLEAN
               ? json_object_new_boolean(yes)
               : json_object_new_string_len(value->text, (int)value->length);
    return put(object, name, made) ? PROV_OK : fault_nomem(err);
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

const char *
person_name(struct json_object *resource)
{
    json_object_object_foreach(resource, name, value)
    {
        if (!strcasecmp(name, "userName") && json_object_is_type(value, json_type_string) &&
            json_object_get_string_len(value))
            return json_object_get_string(value);
    }
    return NULL;
}

int
person_check(struct json_object *resource, const char *place, struct prov_error *err)
{
    if (person_name(resource))
        return PROV_OK;
    return fault_set(err, PROV_E_INVALID,
                     "%s: the userName is empty; everybody needs one to be named by", place);
}

int
person_make(const struct person_value *values, size_t count, bool refs, struct json_object **ret,
            size_t *further, struct prov_error *err)
{
    struct making making = { .values = values, .resource = json_object_new_object(), .refs = refs };
    int result = PROV_OK;

    making.elements = calloc(count + 1, sizeof(struct json_object *));
    if (!making.resource || !making.elements)
        result = fault_nomem(err);
    for (size_t i = 0; i < count && !result; i++)
        result = put_value(&making, i, err);
    if (!result)
        result = put_schemas(making.resource, err);
    free(making.elements);
    if (result) {
        json_object_put(making.resource);
        return result;
    }
    *further += making.further;
    *ret = making.resource;
    return PROV_OK;
}
