/*
 * Which resources can be worked on at all: names that are unique without regard to case, texts that
 * do not end before their end, and a size that can be searched, read back and stored. What the
 * attributes mean is nobody's concern here.
 */
#include "plugin/scim/bounds.h"

#include <string.h>
#include <strings.h>

#include "plugin/scim/parts.h"

static int
by_name(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* The members of one object; `place` is the attribute whose value it is, NULL for the outermost. */
static int
check_members(struct json_object *object, const char *place, struct prov_error *err)
{
    size_t count = (size_t)json_object_object_length(object), i = 0;
    AUTO_FREE const char **names = calloc(count ? count : 1, sizeof(*names));

    if (!names)
        return error_nomem(err);
    json_object_object_foreach(object, name, member)
    {
        (void)member;
        names[i++] = name;
    }
    qsort(names, count, sizeof(*names), by_name);
    for (i = 1; i < count; i++) {
        if (strcasecmp(names[i - 1], names[i]) != 0)
            continue;
        return error_set(err, PROV_E_INVALID,
                         "attribute '%.*s'%s%.*s%s is there twice, also as '%.*s': names differ by "
                         "more than case in SCIM (RFC 7643 2.1), send it once",
                         scim_shown_length(names[i - 1]), names[i - 1], place ? " of '" : "",
                         place ? scim_shown_length(place) : 0, place ? place : "", place ? "'" : "",
                         scim_shown_length(names[i]), names[i]);
    }
    return PROV_OK;
}

static int
check_text(struct json_object *text, const char *place, struct prov_error *err)
{
    if (strlen(json_object_get_string(text)) == (size_t)json_object_get_string_len(text))
        return PROV_OK;
    return error_set(err, PROV_E_INVALID,
                     "the value of attribute '%.*s' holds a NUL character (\\u0000): remove it",
                     scim_shown_length(place ? place : ""), place ? place : "");
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
check_value(struct json_object *value, const char *place, struct prov_error *err)
{
    int result = PROV_OK;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; result == PROV_OK && i < json_object_array_length(value); i++)
            result = check_value(json_object_array_get_idx(value, i), place, err);
        return result;
    }
    if (json_object_is_type(value, json_type_string))
        return check_text(value, place, err);
    if (!json_object_is_type(value, json_type_object))
        return PROV_OK;
    result = check_members(value, place, err);
    json_object_object_foreach(value, name, member)
    {
        if (result == PROV_OK)
            result = check_value(member, name, err);
    }
    return result;
}

int
scim_check_data(struct json_object *value, struct prov_error *err)
{
    return check_value(value, NULL, err);
}

static int
too_large(const char *why, int limit, struct prov_error *err)
{
    return error_set(err, PROV_E_LIMIT,
                     "the resource %s %d, too large for PATCH: send the parts of it that a user "
                     "needs with prov:put:full",
                     why, limit);
}

size_t
scim_bytes(struct json_object *value)
{
    size_t bytes = 8;

    if (json_object_is_type(value, json_type_string))
        return bytes + (size_t)json_object_get_string_len(value);
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            bytes += scim_bytes(json_object_array_get_idx(value, i));
        return bytes;
    }
    if (!json_object_is_type(value, json_type_object))
        return bytes;
    json_object_object_foreach(value, name, member)
    {
        bytes += strlen(name) + scim_bytes(member);
    }
    return bytes;
}

static int
check_shape(struct json_object *value, int levels, struct prov_error *err)
{
    bool list = json_object_is_type(value, json_type_array);
    int result = PROV_OK;

    if (!list && !json_object_is_type(value, json_type_object))
        return PROV_OK;
    if (levels == 0)
        return too_large("nests deeper than", JSON_MAX_DEPTH, err);
    if (list && json_object_array_length(value) > SCIM_MAX_ELEMENTS)
        return too_large("has an attribute with more values than", SCIM_MAX_ELEMENTS, err);
    for (size_t i = 0; list && result == PROV_OK && i < json_object_array_length(value); i++)
        result = check_shape(json_object_array_get_idx(value, i), levels - 1, err);
    if (list)
        return result;
    if (json_object_object_length(value) > SCIM_MAX_MEMBERS)
        return too_large("has an object with more attributes than", SCIM_MAX_MEMBERS, err);
    json_object_object_foreach(value, name, member)
    {
        (void)name;
        if (result == PROV_OK)
            result = check_shape(member, levels - 1, err);
    }
    return result;
}

int
scim_check_size(struct json_object *resource, struct prov_error *err)
{
    int result = check_shape(resource, JSON_MAX_DEPTH, err);

    if (result == PROV_OK && scim_bytes(resource) > SCIM_MAX_BYTES)
        return too_large("has more bytes than", SCIM_MAX_BYTES, err);
    return result;
}
