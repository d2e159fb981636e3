/* Reads the describe of User (fact sheet 2.6): which fields there are, and which values they take. Pure. */
#include "plugin/delivery/org_facts.h"

#include <string.h>
#include <strings.h>

struct json_object *
org_facts_described(struct json_object *describe, const char *name)
{
    struct json_object *fields = json_get(describe, "fields");

    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        const char *there = json_get_string(field, "name");
        if (there && strcasecmp(there, name) == 0)
            return field;
    }
    return NULL;
}

int
org_facts_choices(struct json_object *field, struct json_object **ret)
{
    struct json_object *values = json_get(field, "picklistValues");
    AUTO_JSON struct json_object *choices = json_object_new_array();
    size_t count =
        json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

    if (!choices)
        return PROV_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct json_object *value = json_object_array_get_idx(values, i);
        const char *text = json_get_string(value, "value");
        if (text && json_get_bool(value, "active", true) && json_append_string(choices, text))
            return PROV_E_NOMEM;
    }
    *ret = STEAL(choices);
    return PROV_OK;
}

bool
org_facts_is_choice(struct json_object *choices, const char *value)
{
    for (size_t i = 0; i < json_object_array_length(choices); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(choices, i)), value) == 0)
            return true;
    }
    return false;
}
