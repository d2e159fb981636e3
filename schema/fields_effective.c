/* Shows the connector fields in force, defaults filled in: what an admin sees when asking "which
 * value does it use?". Secrets are shown as set or not, or where they are kept, never what they are. */
#include "schema/fields.h"
#include "plugin/base/secret_ref.h"
#include "schema/fields_table.h"

#include <string.h>

static int
put_value(struct json_object *values, const struct field_row *row, const struct fields *fields)
{
    const char *place = (const char *)fields + row->offset;
    const char *text;
    struct json_object *rules, *copy = NULL;
    int64_t number;
    bool on;

    switch (row->type) {
    case FIELD_TEXT:
        memcpy(&text, place, sizeof(text));
        if (text && (row->flags & FIELD_SECRET) && !secret_ref_is(text))
            text = "***";
        return json_put_string(values, row->name, text);
    case FIELD_BOOLEAN:
        memcpy(&on, place, sizeof(on));
        return json_put_bool(values, row->name, on);
    case FIELD_INTEGER:
        memcpy(&number, place, sizeof(number));
        return json_put_int(values, row->name, number);
    default:
        memcpy(&rules, place, sizeof(rules)); /* NOLINT(bugprone-sizeof-expression): the pointer */
        /* threads share the fields, and json-c counts references without locks */
        if (rules && json_object_deep_copy(rules, &copy, NULL) != 0)
            return PROV_E_NOMEM;
        return rules ? json_put(values, row->name, copy) : PROV_OK;
    }
}

bool
fields_is_secret(const char *name)
{
    size_t count;
    const struct field_row *rows = fields_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].flags & FIELD_SECRET;
    }
    return false;
}

int
fields_effective(const struct fields *fields, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    AUTO_JSON struct json_object *values = json_object_new_object();
    const struct field_row *rows;
    size_t count;

    if (!result || !values || json_put(result, "fields", json_ref(values)))
        return error_nomem(err);
    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (put_value(values, &rows[i], fields))
            return error_nomem(err);
    }
    *ret = STEAL(result);
    return PROV_OK;
}
