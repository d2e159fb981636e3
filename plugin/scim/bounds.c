/*
 * Which resources can be worked on at all: names that are unique without regard to case, texts that
 * do not end before their end, and a size that can be searched, read back and stored. What the
 * attributes mean is nobody's concern here.
 */
#include "plugin/scim/bounds.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/scim/parts.h"

/* So many members of an object are compared each with each; more are sorted. */
#define FEW_MEMBERS 16

static int
by_name(const void *a, const void *b)
{
    return ascii_compare((*(const struct member *const *)a)->name,
                         (*(const struct member *const *)b)->name);
}

/* Two members of one name, of few. */
static void
find_twice_of_few(struct value *object, const struct member *ret[2])
{
    for (uint32_t i = 1; i < object->length; i++) {
        struct member *member = &object->members[i];
        for (uint32_t k = 0; k < i; k++) {
            struct member *before = &object->members[k];
            if (before->name_length == member->name_length &&
                ascii_compare_start(before->name, member->name, member->name_length) == 0) {
                ret[0] = before;
                ret[1] = member;
            }
        }
    }
}

static int
find_twice_of_many(struct value *object, const struct member *ret[2])
{
    AUTO_FREE const struct member **sorted = calloc(object->length, sizeof(struct member *));

    if (!sorted)
        return PROV_E_NOMEM;
    for (uint32_t i = 0; i < object->length; i++)
        sorted[i] = &object->members[i];
    qsort(sorted, object->length, sizeof(struct member *), by_name);
    for (uint32_t i = 1; i < object->length; i++) {
        if (by_name(&sorted[i - 1], &sorted[i]) == 0) {
            ret[0] = sorted[i - 1];
            ret[1] = sorted[i];
        }
    }
    return PROV_OK;
}

/* The members of one object; `place` is the attribute whose value it is, NULL for the outermost. */
static int
check_members(struct value *object, const char *place, struct prov_error *err)
{
    const struct member *twice[2] = { NULL, NULL };

    if (object->length <= FEW_MEMBERS)
        find_twice_of_few(object, twice);
    else if (find_twice_of_many(object, twice) != PROV_OK)
        return error_nomem(err);
    if (!twice[0])
        return PROV_OK;
    return error_set(err, PROV_E_INVALID,
                     "attribute '%.*s'%s%.*s%s is there twice, also as '%.*s': names differ by "
                     "more than case in SCIM (RFC 7643 2.1), send it once",
                     scim_shown_length(twice[0]->name), twice[0]->name, place ? " of '" : "",
                     place ? scim_shown_length(place) : 0, place ? place : "", place ? "'" : "",
                     scim_shown_length(twice[1]->name), twice[1]->name);
}

static int
check_text(struct value *text, const char *place, struct prov_error *err)
{
    if (!value_has_nul(text))
        return PROV_OK;
    return error_set(err, PROV_E_INVALID,
                     "the value of attribute '%.*s' holds a NUL character (\\u0000): remove it",
                     scim_shown_length(place ? place : ""), place ? place : "");
}

static int check_container(struct value *value, const char *place, struct prov_error *err);

static inline int
check_value(struct value *value, const char *place, struct prov_error *err)
{
    if (value_is(value, VALUE_TEXT))
        return check_text(value, place, err);
    return value_is_scalar(value) ? PROV_OK : check_container(value, place, err);
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
check_container(struct value *value, const char *place, struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; value->type == VALUE_ARRAY && result == PROV_OK && i < value->length; i++)
        result = check_value(value->elements[i], place, err);
    if (value->type == VALUE_OBJECT)
        result = check_members(value, place, err);
    VALUE_EACH(value, member)
    {
        if (result == PROV_OK)
            result = check_value(member->value, member->name, err);
    }
    return result;
}

int
scim_check_data(struct value *value, struct prov_error *err)
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
scim_bytes(struct value *value)
{
    size_t bytes = 8;

    if (value_is(value, VALUE_TEXT))
        return bytes + value->length;
    if (value_is(value, VALUE_ARRAY)) {
        for (size_t i = 0; i < value_count(value); i++)
            bytes += scim_bytes(value_at(value, i));
        return bytes;
    }
    VALUE_EACH(value, member)
    bytes += member->name_length + scim_bytes(member->value);
    return bytes;
}

static int
check_shape(struct value *value, int levels, struct prov_error *err)
{
    bool list = value_is(value, VALUE_ARRAY);
    int result = PROV_OK;

    if (!list && !value_is(value, VALUE_OBJECT))
        return PROV_OK;
    if (levels == 0)
        return too_large("nests deeper than", JSON_MAX_DEPTH, err);
    if (list && value_count(value) > SCIM_MAX_ELEMENTS)
        return too_large("has an attribute with more values than", SCIM_MAX_ELEMENTS, err);
    for (size_t i = 0; list && result == PROV_OK && i < value_count(value); i++)
        result = check_shape(value_at(value, i), levels - 1, err);
    if (list)
        return result;
    if (value_count(value) > SCIM_MAX_MEMBERS)
        return too_large("has an object with more attributes than", SCIM_MAX_MEMBERS, err);
    VALUE_EACH(value, member)
    {
        if (result == PROV_OK)
            result = check_shape(member->value, levels - 1, err);
    }
    return result;
}

int
scim_check_size(struct value *resource, struct prov_error *err)
{
    int result = check_shape(resource, JSON_MAX_DEPTH, err);

    if (result == PROV_OK && scim_bytes(resource) > SCIM_MAX_BYTES)
        return too_large("has more bytes than", SCIM_MAX_BYTES, err);
    return result;
}
