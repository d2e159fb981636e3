/* In which attributes two resources differ, for people: complex attributes are told by their
 * sub-attributes, multi-valued ones as a whole, extensions without their schema. */
#include "plugin/store/list.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"

/* Without its schema URN: "...enterprise:2.0:User" members are told by their own names. */
static int
note_name(struct json_object *names, const char *prefix, const char *name)
{
    AUTO_FREE char *full = NULL;

    if (asprintf(&full, "%s%s%s", prefix, *prefix ? "." : "", name) < 0)
        return PROV_E_NOMEM;
    return json_append_string(names, full);
}

static int note_differences(struct value *before, struct value *after, const char *prefix,
                            struct json_object *names);

static int
note_difference(const char *name, struct value *before, struct value *after, const char *prefix,
                struct json_object *names)
{
    bool is_object = value_is(before ? before : after, VALUE_OBJECT);

    if (value_equal(before, after))
        return PROV_OK;
    if (ascii_compare_start(name, "urn:", 4) == 0 && is_object)
        return note_differences(before, after, "", names);
    if (is_object && *prefix == '\0' && before && after)
        return note_differences(before, after, name, names);
    return note_name(names, prefix, name);
}

static int
note_differences(struct value *before, struct value *after, const char *prefix,
                 struct json_object *names)
{
    int r = PROV_OK;

    VALUE_EACH(after, member)
    {
        if (!r)
            r = note_difference(member->name, value_get(before, member->name), member->value,
                                prefix, names);
    }
    VALUE_EACH(before, gone)
    {
        if (!r && !value_get(after, gone->name))
            r = note_difference(gone->name, gone->value, NULL, prefix, names);
    }
    return r;
}

int
list_difference(struct value *before, struct value *after, struct json_object **ret,
                struct prov_error *err)
{
    AUTO_JSON struct json_object *names = json_object_new_array();

    if (!names || note_differences(before, after, "", names))
        return error_nomem(err);
    *ret = STEAL(names);
    return PROV_OK;
}
