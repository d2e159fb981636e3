/* Copies values from one form into the other. Recursion is bounded by JSON_MAX_DEPTH, or by what we built. */
#include "plugin/base/value_json.h"

#include <stdlib.h>

static struct json_object *
number_of(const struct value *number)
{
    if (number->type == VALUE_REAL) /* keeps the spelling */
        return json_object_new_double_s(value_real(number), number->text);
    return number->text[0] == '-' ? json_object_new_int64(value_integer(number))
                                  : json_object_new_uint64(strtoull(number->text, NULL, 10));
}

static int
fill(struct json_object *json, const struct value *value)
{
    bool object = value->type == VALUE_OBJECT;
    int r = PROV_OK;

    for (uint32_t i = 0; !r && i < value->length; i++) {
        struct json_object *part = NULL;
        r = json_from_value(object ? value->members[i].value : value->elements[i], &part);
        if (!r)
            r = object ? json_put(json, value->members[i].name, part) : json_append(json, part);
    }
    return r;
}

int
json_from_value(const struct value *value, struct json_object **ret)
{
    AUTO_JSON struct json_object *json = NULL;
    int r = PROV_OK;

    *ret = NULL;
    if (!value)
        return PROV_OK;
    if (value_is_boolean(value))
        json = json_object_new_boolean(value->type == VALUE_TRUE);
    else if (value_is_number(value))
        json = number_of(value);
    else if (value->type == VALUE_TEXT)
        json = json_object_new_string_len(value->text, (int)value->length);
    else
        json = value->type == VALUE_OBJECT ? json_object_new_object() : json_object_new_array();
    if (!json)
        return PROV_E_NOMEM;
    if (!value_is_scalar(value))
        r = fill(json, value);
    if (!r)
        *ret = STEAL(json);
    return r;
}

static int
value_from_members(struct pool *pool, struct json_object *json, struct value *object)
{
    int r = PROV_OK;

    json_object_object_foreach(json, name, member)
    {
        size_t length = strlen(name);
        char *copy = pool_text(pool, name, length);
        struct value *value = NULL;
        if (!r)
            r = copy ? value_from_json(pool, member, &value) : PROV_E_NOMEM;
        if (!r) /* a name is there once */
            r = value_add(pool, object, copy, length, value);
    }
    return r;
}

static int
value_from_elements(struct pool *pool, struct json_object *json, struct value *array)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < json_object_array_length(json); i++) {
        struct value *value = NULL;
        r = value_from_json(pool, json_object_array_get_idx(json, i), &value);
        if (!r)
            r = value_append(pool, array, value);
    }
    return r;
}

int
value_from_json(struct pool *pool, struct json_object *json, struct value **ret)
{
    struct value *value = NULL;
    int r = PROV_OK;

    switch (json_object_get_type(json)) {
    case json_type_null:
        *ret = NULL;
        return PROV_OK;
    case json_type_boolean:
        value = value_boolean(json_object_get_boolean(json));
        break;
    case json_type_string:
        value = value_string_length(pool, json_object_get_string(json),
                                    (size_t)json_object_get_string_len(json));
        break;
    case json_type_object:
        value = value_object(pool);
        r = value ? value_from_members(pool, json, value) : PROV_E_NOMEM;
        break;
    case json_type_array:
        value = value_array(pool);
        r = value ? value_from_elements(pool, json, value) : PROV_E_NOMEM;
        break;
    default:
        value = json_borrow_text(json) ? value_number(pool, json_borrow_text(json)) : NULL;
        break;
    }
    if (!value || r)
        return PROV_E_NOMEM;
    *ret = value;
    return PROV_OK;
}
