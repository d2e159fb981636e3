/*
 * Attribute paths: their syntax, where they lead in a resource, and the one value a reader of a
 * path means. Filters inside brackets are filter.c's; changing what a path leads to is patch.c's.
 *
 * A URN in front of an attribute ends at the last colon, and attribute names hold neither colons
 * nor dots, so the dot of "2.0" divides nothing. Whether the last segment is an attribute or part
 * of the URN ("...:enterprise:2.0:User" as a whole) is decided for names of resource types here,
 * else by the resource.
 */
#include "plugin/scim/path.h"

#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/scim/parts.h"

/* A path is typed by a person or built from an attribute name; nothing honest comes near this. */
#define PATH_MAX_BYTES 1024

/* RFC 7643 4.3. Entra ID names them without their schema. */
static const char *const enterprise_attributes[] = {
    "employeeNumber", "costCenter", "organization", "division", "department", "manager",
};

void
scim_path_free(struct scim_path *path)
{
    if (!path)
        return;
    free(path->schema);
    free(path->attribute);
    free(path->whole);
    scim_filter_free(path->filter);
    free(path->sub);
    free(path);
}

int
scim_shown_length(const char *text)
{
    size_t length = strnlen(text, 121);

    if (length > 120) {
        length = 120;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    return (int)length;
}

int
scim_syntax_error(const char *text, size_t position, const char *why, struct prov_error *err)
{
    return error_set(err, PROV_E_INVALID,
                     "path '%.*s' is not valid at position %zu: %s; a path looks like "
                     "name.familyName or emails[type eq \"work\"].value",
                     scim_shown_length(text), text, position + 1, why);
}

/* RFC 7643 2.1 ATTRNAME, and `$ref`; custom attributes of some hosts start with `_`. */
size_t
scim_name_length(const char *text)
{
    size_t length = text[0] == '$' ? 1 : 0;

    if (!ascii_is_letter(text[length]) && text[length] != '_')
        return 0;
    while (ascii_is_letter(text[length]) || ascii_is_digit(text[length]) || text[length] == '-' ||
           text[length] == '_')
        length++;
    return length;
}

bool
scim_is_schema(const char *urn)
{
    const char *segment = strrchr(urn, ':');

    if (ascii_compare(urn, SCIM_CORE_USER) == 0 || ascii_compare(urn, SCIM_ENTERPRISE_USER) == 0)
        return true;
    /* extensions of a user end with its resource type by convention (RFC 7643 10.2.1); with its
     * capital, as others have a `user` in the middle of a URN */
    return segment && strcmp(segment, ":User") == 0;
}

/* The URN at text[*at], if one is there; *at is moved to the attribute, or to the end of the URN
 * when it stands for itself. */
static int
take_schema(const char *text, size_t *at, char **ret, struct prov_error *err)
{
    size_t start = *at, head = start + strcspn(text + start, "[ \t\"()"), colon = head, end;
    AUTO_FREE char *urn = NULL;
    bool version_last;

    if (ascii_compare_start(text + start, "urn:", 4) != 0)
        return PROV_OK;
    while (text[colon] != ':' || colon == head)
        colon--;
    if (colon <= start + 4)
        return scim_syntax_error(text, start, "a schema URN has more than two segments", err);
    for (size_t i = start; i < head; i++) {
        if ((unsigned char)text[i] < 0x21 || (unsigned char)text[i] > 0x7e)
            return scim_syntax_error(text, i, "this cannot stand in a schema URN", err);
    }
    end = colon + 1 + scim_name_length(text + colon + 1);
    version_last = text[colon + 1] >= '0' && text[colon + 1] <= '9';
    if (version_last)
        end = head; /* no attribute starts with a digit */
    urn = strndup(text + start, end - start);
    if (!urn)
        return error_nomem(err);
    if (version_last || scim_is_schema(urn)) {
        *at = text[end] == '.' ? end + 1 : end; /* some write a dot before the attribute */
    } else {
        urn[colon - start] = '\0';
        *at = colon + 1;
    }
    *ret = STEAL(urn);
    return PROV_OK;
}

static int
take_name(const char *text, size_t *at, char **ret, struct prov_error *err)
{
    size_t length = scim_name_length(text + *at);

    if (length == 0)
        return scim_syntax_error(text, *at, "an attribute name is needed here", err);
    *ret = strndup(text + *at, length);
    *at += length;
    return *ret ? PROV_OK : error_nomem(err);
}

/* `attribute[filter].sub` from text[*at]. */
static int
take_attribute(const char *text, size_t *at, struct scim_path *path, struct prov_error *err)
{
    int result = take_name(text, at, &path->attribute, err);

    if (result != PROV_OK)
        return result;
    if (text[*at] == '[') {
        (*at)++;
        result = scim_filter_parse(text, at, &path->filter, err);
        if (result != PROV_OK)
            return result;
        if (text[*at] != ']')
            return scim_syntax_error(text, *at, "']', 'and' or 'or' is needed here", err);
        (*at)++;
    }
    if (text[*at] == '.') {
        (*at)++;
        return take_name(text, at, &path->sub, err);
    }
    return PROV_OK;
}

static bool
is_enterprise(const char *attribute)
{
    for (size_t i = 0; i < sizeof(enterprise_attributes) / sizeof(enterprise_attributes[0]); i++) {
        if (ascii_compare(attribute, enterprise_attributes[i]) == 0)
            return true;
    }
    return false;
}

int
scim_path_parse(const char *text, struct scim_path **ret, struct prov_error *err)
{
    CLEANUP(scim_path_cleanup) struct scim_path *path = calloc(1, sizeof(*path));
    size_t start = strspn(text, " \t"), at = start, end;
    int result;

    if (!path)
        return error_nomem(err);
    if (strlen(text) > PATH_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "path '%.*s...' is longer than %d bytes: shorten it",
                         scim_shown_length(text), text, PATH_MAX_BYTES);
    result = take_schema(text, &at, &path->schema, err);
    if (result != PROV_OK)
        return result;
    if (!path->schema || text[at + strspn(text + at, " \t")] != '\0') {
        result = take_attribute(text, &at, path, err);
        if (result != PROV_OK)
            return result;
    }
    path->enterprise = !path->schema && is_enterprise(path->attribute);
    end = at;
    at += strspn(text + at, " \t");
    if (text[at] != '\0')
        return scim_syntax_error(text, at, "nothing more can stand here", err);
    if (path->schema && path->attribute && !path->filter && !path->sub) {
        path->whole = strndup(text + start, end - start);
        if (!path->whole)
            return error_nomem(err);
    }
    *ret = STEAL(path);
    return PROV_OK;
}

/* The extension of that name, as the resource spells it; also one that is not there yet. */
static void
locate_extension(struct value *resource, const char *schema, struct scim_place *place)
{
    struct member *member = value_find_nocase(resource, schema);

    place->schema = member ? member->name : schema;
    place->container = member ? member->value : NULL;
}

static bool
is_extension(const char *name)
{
    return (*name == 'u' || *name == 'U') && ascii_compare_start(name, "urn:", 4) == 0;
}

/* An attribute written without a schema is the resource's, or that of an extension that has it; where none
 * does, one of the enterprise extension's own belongs there. */
static void
locate_short(const struct scim_path *path, struct value *resource, struct scim_place *place)
{
    struct member *found = value_find_nocase(resource, path->attribute);

    VALUE_EACH(resource, member)
    {
        if (found)
            break;
        if (!is_extension(member->name))
            continue;
        found = value_find_nocase(member->value, path->attribute);
        if (found) {
            place->container = member->value;
            place->schema = member->name;
        }
    }
    if (found)
        place->value = found->value;
    else if (path->enterprise && value_is(resource, VALUE_OBJECT))
        locate_extension(resource, SCIM_ENTERPRISE_USER, place);
}

void
scim_path_locate(const struct scim_path *path, struct value *resource, struct scim_place *ret)
{
    *ret = (struct scim_place){ .container = resource, .attribute = path->attribute };
    if (!path->schema && path->attribute) {
        locate_short(path, resource, ret);
        return;
    }
    if (path->whole && value_find_nocase(resource, path->whole)) {
        locate_extension(resource, path->whole, ret);
        ret->attribute = NULL;
    } else if (path->schema && ascii_compare(path->schema, SCIM_CORE_USER) != 0) {
        locate_extension(resource, path->schema, ret);
    }
    ret->value = ret->attribute ? value_get_nocase(ret->container, ret->attribute) : ret->container;
}

bool
scim_is_present(struct value *value)
{
    if (value_is(value, VALUE_TEXT) || value_is(value, VALUE_ARRAY))
        return value->length > 0;
    return value != NULL;
}

bool
scim_is_true(struct value *value)
{
    if (value_is(value, VALUE_TEXT))
        return ascii_compare(value_text(value), "true") == 0;
    return value_is_boolean(value) && value->type == VALUE_TRUE;
}

struct value *
scim_element_part(struct value *element, const char *sub)
{
    if (value_is(element, VALUE_OBJECT))
        return value_get_nocase(element, sub);
    return ascii_compare(sub, "value") == 0 ? element : NULL;
}

/* What the path means of one element, or NULL. */
static struct value *
value_of(const struct scim_path *path, struct value *element)
{
    struct value *value = path->sub ? scim_element_part(element, path->sub) : element;

    return scim_is_present(value) ? value : NULL;
}

/* The first element with a value among those that pass the filter, or that are primary. */
static struct value *
first_value(const struct scim_path *path, struct value *elements, bool primary_only)
{
    for (size_t i = 0; i < value_count(elements); i++) {
        struct value *element = value_at(elements, i), *value;
        if (path->filter && !scim_filter_match(path->filter, element))
            continue;
        if (primary_only && !scim_is_true(value_get_nocase(element, "primary")))
            continue;
        value = value_of(path, element);
        if (value)
            return value;
    }
    return NULL;
}

struct value *
scim_path_get(const struct scim_path *path, struct value *resource)
{
    struct scim_place place;
    struct value *value = NULL;

    scim_path_locate(path, resource, &place);
    if (!place.attribute)
        return scim_is_present(place.value) ? place.value : NULL;
    if (value_is(place.value, VALUE_ARRAY)) {
        if (!path->filter)
            value = first_value(path, place.value, true);
        return value ? value : first_value(path, place.value, false);
    }
    if (path->filter && !(place.value && scim_filter_match(path->filter, place.value)))
        return NULL;
    return value_of(path, place.value);
}

static int
list_values(struct pool *pool, const struct scim_path *path, struct value *elements, bool primary,
            struct value *list)
{
    int result = PROV_OK;

    for (size_t i = 0; result == PROV_OK && i < value_count(elements); i++) {
        struct value *element = value_at(elements, i), *value;
        if (path->filter && !scim_filter_match(path->filter, element))
            continue;
        if (!path->filter && primary != scim_is_true(value_get_nocase(element, "primary")))
            continue;
        value = value_of(path, element);
        if (value)
            result = value_append(pool, list, value);
    }
    return result;
}

int
scim_path_list(struct pool *pool, const struct scim_path *path, struct value *resource,
               struct value *list)
{
    struct scim_place place;
    struct value *value;
    int result;

    scim_path_locate(path, resource, &place);
    if (!place.attribute || !value_is(place.value, VALUE_ARRAY)) {
        value = scim_path_get(path, resource);
        return value ? value_append(pool, list, value) : PROV_OK;
    }
    if (path->filter)
        return list_values(pool, path, place.value, false, list);
    result = list_values(pool, path, place.value, true, list);
    return result == PROV_OK ? list_values(pool, path, place.value, false, list) : result;
}
