/* Decides what a list of names may look like in the connector fields; what the names must be is decided by
 * the field's own check. */
#include "schema/names.h"

#include <string.h>

#include "schema/letters.h"

/* Adds a name without the blanks around it; an empty one is left out. */
static int
add_name(struct json_object *names, const char *text)
{
    AUTO_FREE char *name = letters_trim(text);

    if (!name)
        return PROV_E_NOMEM;
    return *name ? json_append_string(names, name) : PROV_OK;
}

/* The names in "sales, support". */
static int
split(const char *text, struct json_object *names)
{
    AUTO_FREE char *copy = strdup(text);
    char *rest = copy;
    int result = copy ? PROV_OK : PROV_E_NOMEM;

    for (char *name; result == PROV_OK && (name = strsep(&rest, ","));)
        result = add_name(names, name);
    return result;
}

static int
copy_list(struct json_object *given, struct json_object *names, const char *field,
          const char *remedy, struct fault_list *faults)
{
    int result = PROV_OK;

    for (size_t i = 0; !result && i < json_object_array_length(given); i++) {
        struct json_object *name = json_object_array_get_idx(given, i);
        if (!json_object_is_type(name, json_type_string)) {
            faults_add(faults, field, NULL, remedy, "entry %zu is of type %s; a name is a text",
                       i + 1, json_type_to_name(json_object_get_type(name)));
            return PROV_E_FIELDS;
        }
        result = add_name(names, json_object_get_string(name));
    }
    return result;
}

bool
names_read(struct json_object **place, const char *field, const char *remedy,
           struct fault_list *faults)
{
    AUTO_JSON struct json_object *names = json_object_new_array();
    int result = names ? PROV_OK : PROV_E_NOMEM;

    if (!result && json_object_is_type(*place, json_type_string))
        result = split(json_object_get_string(*place), names);
    else if (!result && json_object_is_type(*place, json_type_array))
        result = copy_list(*place, names, field, remedy, faults);
    else if (!result) {
        faults_add(faults, field, NULL, remedy, "a list of names is needed");
        return false;
    }
    if (result == PROV_E_NOMEM)
        faults->result = result;
    if (result)
        return false;
    if (json_object_array_length(names) > NAMES_MAX) {
        faults_add(faults, field, NULL, remedy, "it has %zu names, at most %d are taken",
                   json_object_array_length(names), NAMES_MAX);
        return false;
    }
    json_object_put(*place);
    *place = STEAL(names);
    return true;
}
