/*
 * PATCH (RFC 7644 3.5.2): the form of a PatchOp, and where each operation acts. How a value is put
 * in place is value.c's, what a path means path.c's.
 *
 * Beyond the RFC, as hosts do it: a filter of plain `eq` that no element passes adds the element it
 * describes (Entra ID sets emails[type eq "work"].value that way); a remove with a `value` takes
 * away only the values it names (Entra ID again); removing what is not there is nothing, because the
 * state that is wanted is there already. `id`, `meta` and `schemas` are left
 * alone: they are the host's own (RFC 7643 3.1).
 */
#include "plugin/scim/patch.h"

#include <string.h>
#include <strings.h>

#include "plugin/scim/bounds.h"
#include "plugin/scim/parts.h"
#include "plugin/scim/path.h"
#include "plugin/scim/value.h"

static const char *const op_names[] = { "add", "replace", "remove" };

struct operation {
    enum scim_op op;
    const char *text; /* the path as written, borrowed; NULL: none */
    struct scim_path *path;
    struct json_object *value; /* borrowed */
};

static void
operation_cleanup(struct operation *operation)
{
    scim_path_free(operation->path);
}

/* A PATCH being applied. */
struct work {
    struct json_object *resource; /* the copy that is changed; borrowed. NULL: form alone */
    size_t changes, removed;      /* so far; what SCIM_MAX_OPERATIONS and _REMOVED bound */
};

static int apply_path(const struct scim_path *path, struct work *work, struct json_object *value,
                      enum scim_op op, struct prov_error *err);

static bool
is_object(struct json_object *value)
{
    return json_object_is_type(value, json_type_object);
}

/* The one object where an array of one stands for it; else the value itself. */
static struct json_object *
single(struct json_object *value)
{
    if (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 1)
        return json_object_array_get_idx(value, 0);
    return value;
}

/* Puts value into one element, or into one of its sub-attributes. */
static int
put_into(struct json_object *list, size_t i, const char *sub, struct json_object *value,
         enum scim_op op, struct prov_error *err)
{
    /* RFC 7644 3.5.2.3: a record that matched is replaced, not merged */
    bool anew = !sub && op == SCIM_REPLACE && is_object(value);
    struct json_object *element = anew ? scim_value_blank(list, i) : scim_value_complex(list, i);
    int result;

    if (!element)
        return error_nomem(err);
    if (!sub && is_object(value))
        result = scim_value_merge(element, value, op, err);
    else
        result = scim_value_put_sub(element, sub ? sub : "value", value, op, err);
    return result;
}

/* The same where it is the only one that changes. */
static int
put_into_one(struct json_object *list, size_t i, const char *sub, struct json_object *value,
             enum scim_op op, struct prov_error *err)
{
    int result = put_into(list, i, sub, value, op, err);

    return result == PROV_OK ? scim_value_sole_primary(list, i, err) : result;
}

/* No element passed the filter: the one that the filter describes is added. */
static int
add_described(const struct scim_path *path, struct json_object *container, const char *name,
              struct json_object *value, struct prov_error *err)
{
    AUTO_JSON struct json_object *described = scim_filter_element(path->filter);
    struct json_object *list;
    int result;

    if (!scim_filter_describes(path->filter))
        return error_set(err, PROV_E_INVALID,
                         "noTarget: no value passes the filter; send the whole resource, or `add` "
                         "the value without a filter");
    if (!scim_is_present(value))
        return PROV_OK;
    list = described ? scim_value_list(container, name) : NULL;
    if (!list)
        return error_nomem(err);
    result = scim_value_append(list, json_object_new_object(), err);
    if (result == PROV_OK)
        result = put_into(list, json_object_array_length(list) - 1, NULL, described, SCIM_ADD, err);
    if (result != PROV_OK)
        return result;
    return put_into_one(list, json_object_array_length(list) - 1, path->sub, value, SCIM_ADD, err);
}

/* Removes an element, or its sub-attribute and the element when nothing is left of it. */
static void
remove_from(struct json_object *list, size_t i, const char *sub)
{
    struct json_object *element = json_object_array_get_idx(list, i);

    if (sub && is_object(element)) {
        scim_value_remove(element, sub);
        if (json_object_object_length(element) > 0)
            return;
    } else if (sub && strcasecmp(sub, "value") != 0) {
        return; /* a plain value has no other part */
    }
    json_object_array_del_idx(list, i, 1);
}

static bool
passes(const struct scim_path *path, struct json_object *element)
{
    return !path->filter || scim_filter_match(path->filter, element);
}

static bool
any_passes(const struct scim_path *path, struct json_object *attribute)
{
    if (!json_object_is_type(attribute, json_type_array))
        return attribute && passes(path, attribute);
    for (size_t i = 0; i < json_object_array_length(attribute); i++) {
        if (passes(path, json_object_array_get_idx(attribute, i)))
            return true;
    }
    return false;
}

static void
remove_passing(struct json_object *list, const struct scim_path *path)
{
    /* from the end, so that removing does not move what is still to come */
    for (size_t i = json_object_array_length(list); i-- > 0;) {
        if (passes(path, json_object_array_get_idx(list, i)))
            remove_from(list, i, path->sub);
    }
}

/* Puts the value into every element that passes. Of several that become primary by it, the first
 * stays so (RFC 7644 3.5.2). */
static int
put_into_passing(struct json_object *list, const struct scim_path *path, struct json_object *value,
                 enum scim_op op, struct prov_error *err)
{
    size_t size = scim_bytes(value), bytes = 0, first = SIZE_MAX;
    int result = PROV_OK;

    if (!path->sub && !scim_is_present(value))
        return PROV_OK;
    for (size_t i = 0; result == PROV_OK && i < json_object_array_length(list); i++) {
        if (!passes(path, json_object_array_get_idx(list, i)))
            continue;
        bytes += size;
        if (bytes > SCIM_MAX_BYTES)
            return error_set(err, PROV_E_LIMIT,
                             "the value goes into so many that they would have more than %d bytes: "
                             "send less of it",
                             SCIM_MAX_BYTES);
        result = put_into(list, i, path->sub, value, op, err);
        first = first == SIZE_MAX ? i : first;
    }
    return result == PROV_OK && first != SIZE_MAX ? scim_value_sole_primary(list, first, err)
                                                  : result;
}

/* Operations on those elements of an attribute that pass the filter (all, without one). */
static int
apply_elements(const struct scim_path *path, struct json_object *container, const char *name,
               struct json_object *value, enum scim_op op, struct prov_error *err)
{
    struct json_object *list;
    int result = PROV_OK;

    if (!path->sub && op == SCIM_REPLACE && !scim_is_present(value))
        op = SCIM_REMOVE; /* null unassigns */
    if (!any_passes(path, json_get_nocase(container, name, NULL)))
        return op == SCIM_REMOVE ? PROV_OK : add_described(path, container, name, value, err);
    list = scim_value_list(container, name);
    if (!list)
        return error_nomem(err);
    if (op == SCIM_REMOVE)
        remove_passing(list, path);
    else
        result = put_into_passing(list, path, value, op, err);
    if (result == PROV_OK && json_object_array_length(list) == 0)
        scim_value_remove(container, name);
    return result;
}

/* Of several values without a filter, a sub-attribute is set in the one that a reader of the path
 * would get: the primary, else the first. */
static int
put_in_list(struct json_object *list, const char *sub, struct json_object *value, enum scim_op op,
            struct prov_error *err)
{
    size_t chosen = 0;

    for (size_t i = json_object_array_length(list); i-- > 0;) {
        if (scim_is_true(json_get_nocase(json_object_array_get_idx(list, i), "primary", NULL)))
            chosen = i;
    }
    return put_into_one(list, chosen, sub, value, op, err);
}

/* `name.familyName`; the complex attribute is created where it is missing. */
static int
apply_sub(const struct scim_path *path, struct json_object *container, const char *name,
          struct json_object *value, enum scim_op op, struct prov_error *err)
{
    struct json_object *old = json_get_nocase(container, name, NULL);
    AUTO_JSON struct json_object *promoted = NULL;
    int result;

    if (op == SCIM_REMOVE && is_object(old)) {
        scim_value_remove(old, path->sub);
        if (json_object_object_length(old) == 0)
            scim_value_remove(container, name);
        return PROV_OK;
    }
    if (op == SCIM_REMOVE)
        return old ? apply_elements(path, container, name, NULL, op, err) : PROV_OK;
    if (!is_object(old) && !scim_is_present(value))
        return apply_sub(path, container, name, NULL, SCIM_REMOVE, err);
    if (json_object_is_type(old, json_type_array) || (!old && scim_is_multi_valued(name))) {
        struct json_object *list = scim_value_list(container, name);
        return list ? put_in_list(list, path->sub, value, op, err) : error_nomem(err);
    }
    if (is_object(old))
        return scim_value_put_sub(old, path->sub, value, op, err);
    promoted = json_object_new_object();
    if (!promoted || (old && json_put(promoted, "value", json_ref(old)) != PROV_OK))
        return error_nomem(err);
    scim_value_remove(container, name);
    result = scim_value_put_sub(promoted, path->sub, value, op, err);
    return result == PROV_OK ? scim_value_put(container, name, promoted, op, err) : result;
}

static bool
is_listed(struct json_object *schemas, const char *schema)
{
    for (size_t i = 0;
         json_object_is_type(schemas, json_type_array) && i < json_object_array_length(schemas);
         i++) {
        struct json_object *name = json_object_array_get_idx(schemas, i);
        if (json_object_is_type(name, json_type_string) &&
            strcasecmp(json_object_get_string(name), schema) == 0)
            return true;
    }
    return false;
}

/* Whether a URN that could end with an attribute is an extension as a whole, one that the resource
 * does not have yet: so it is when its value is an object, and what stands before is no schema. */
static bool
is_new_extension(const struct scim_path *path, struct json_object *resource,
                 struct json_object *value)
{
    struct json_object *schemas = json_get_nocase(resource, "schemas", NULL);

    if (!path->whole || !is_object(value))
        return false;
    return is_listed(schemas, path->whole) ||
           !(scim_is_schema(path->schema) || json_get_nocase(resource, path->schema, NULL) ||
             is_listed(schemas, path->schema));
}

/* Every member of value is an attribute, of the schema or of what its own name says. */
static int
apply_members(const char *schema, struct work *work, struct json_object *value, enum scim_op op,
              struct prov_error *err)
{
    json_object_object_foreach(value, name, member)
    {
        CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
        /* a name that is no path is an attribute all the same: kept, and ignored by the mapping */
        struct scim_path literal = { .schema = (char *)schema, .attribute = name };
        int result = scim_path_parse(name, &path, NULL);

        if (result == PROV_E_NOMEM)
            return error_nomem(err);
        if (path && !path->schema && schema) {
            path->schema = strdup(schema);
            if (!path->schema)
                return error_nomem(err);
        }
        result = apply_path(path ? path : &literal, work, member, op, err);
        if (result != PROV_OK)
            return error_wrap(err, result, "attribute '%.*s'", scim_shown_length(name), name);
    }
    return PROV_OK;
}

/* The schema as a whole: the core schema is the resource itself. */
static int
apply_schema(const char *schema, const struct scim_place *place, struct work *work,
             struct json_object *value, enum scim_op op, struct prov_error *err)
{
    if (op != SCIM_REMOVE && is_object(value))
        return apply_members(schema, work, value, op, err);
    if (op != SCIM_REMOVE && value)
        return error_set(err, PROV_E_INVALID,
                         "invalidValue: a schema as a whole needs an object of its attributes");
    if (!place->schema)
        return error_set(err, PROV_E_INVALID,
                         "noTarget: PATCH cannot remove a whole resource; send prov:delete");
    if (op != SCIM_ADD)
        scim_value_remove(work->resource, place->schema);
    return PROV_OK;
}

/* An attribute of the resource, or of an extension whose object it is. */
static int
apply_attribute(const struct scim_path *path, struct json_object *container, const char *name,
                struct json_object *value, enum scim_op op, struct prov_error *err)
{
    if (path->filter)
        return apply_elements(path, container, name, single(value), op, err);
    if (path->sub)
        return apply_sub(path, container, name, value, op, err);
    if (op != SCIM_REMOVE)
        return scim_value_put(container, name, value, op, err);
    if (scim_is_present(value) &&
        json_object_is_type(json_get_nocase(container, name, NULL), json_type_array))
        scim_value_remove_these(container, name, value);
    else
        scim_value_remove(container, name);
    return PROV_OK;
}

static bool
is_of_the_host(const char *name)
{
    return strcasecmp(name, "id") == 0 || strcasecmp(name, "meta") == 0 ||
           strcasecmp(name, "schemas") == 0;
}

/* Counts what one PATCH may do. */
static int
count_change(struct work *work, struct json_object *value, enum scim_op op, struct prov_error *err)
{
    work->changes++;
    if (op == SCIM_REMOVE && json_object_is_type(value, json_type_array))
        work->removed += json_object_array_length(value);
    if (work->changes > SCIM_MAX_OPERATIONS)
        return error_set(err, PROV_E_LIMIT,
                         "a PATCH of more than %d operations and attributes: send several",
                         SCIM_MAX_OPERATIONS);
    if (work->removed > SCIM_MAX_REMOVED)
        return error_set(err, PROV_E_LIMIT,
                         "more than %d values to be removed: replace the attribute as a whole",
                         SCIM_MAX_REMOVED);
    return PROV_OK;
}

static int
apply_path(const struct scim_path *path, struct work *work, struct json_object *value,
           enum scim_op op, struct prov_error *err)
{
    struct json_object *resource = work->resource;
    struct scim_path extension = { .schema = path->whole };
    struct scim_place place;
    int result = count_change(work, value, op, err);

    if (result != PROV_OK)
        return result;
    if (is_new_extension(path, resource, value))
        path = &extension;
    scim_path_locate(path, resource, &place);
    if (!place.attribute)
        return apply_schema(path->attribute ? path->whole : path->schema, &place, work, value, op,
                            err);
    if (!place.schema && is_of_the_host(place.attribute))
        return PROV_OK;
    if (!is_object(place.container)) {
        if (op == SCIM_REMOVE)
            return PROV_OK;
        place.container = json_object_new_object();
        if (!place.container || json_put(resource, place.schema, place.container) != PROV_OK)
            return error_nomem(err);
    }
    result = apply_attribute(path, place.container, place.attribute, value, op, err);
    if (result == PROV_OK && place.schema && json_object_object_length(place.container) == 0)
        scim_value_remove(resource, place.schema);
    /* all else grows by what the event has; this by as much for every value that passes */
    if (result == PROV_OK && path->filter && op != SCIM_REMOVE)
        result = scim_check_size(resource, err);
    return result;
}

static int
read_op(struct json_object *json, enum scim_op *ret, struct prov_error *err)
{
    struct json_object *op = json_get_nocase(json, "op", NULL);

    for (size_t i = 0; i < sizeof(op_names) / sizeof(op_names[0]); i++) {
        if (json_object_is_type(op, json_type_string) &&
            strcasecmp(json_object_get_string(op), op_names[i]) == 0) {
            *ret = (enum scim_op)i;
            return PROV_OK;
        }
    }
    return error_set(err, PROV_E_INVALID, "invalidSyntax: 'op' must be add, replace or remove");
}

/* No path, null and "" mean the resource. */
static int
read_path(struct json_object *json, struct operation *operation, struct prov_error *err)
{
    struct json_object *path = json_get_nocase(json, "path", NULL);
    int result;

    if (!path)
        return PROV_OK;
    if (!json_object_is_type(path, json_type_string) ||
        strlen(json_object_get_string(path)) != (size_t)json_object_get_string_len(path))
        return error_set(err, PROV_E_INVALID, "invalidPath: 'path' must be a string without NUL");
    if (json_object_get_string_len(path) == 0)
        return PROV_OK;
    operation->text = json_object_get_string(path);
    result = scim_path_parse(operation->text, &operation->path, err);
    return result == PROV_OK ? result : error_wrap(err, result, "invalidPath");
}

/* The form of one operation, which does not depend on the resource (RFC 7644 table 9). */
static int
read_operation(struct json_object *json, struct operation *operation, struct prov_error *err)
{
    const char *has_value = NULL;
    int result;

    if (!is_object(json))
        return error_set(err, PROV_E_INVALID, "invalidSyntax: an operation must be an object");
    result = read_op(json, &operation->op, err);
    if (result == PROV_OK)
        result = read_path(json, operation, err);
    if (result != PROV_OK)
        return result;
    operation->value = json_get_nocase(json, "value", &has_value);
    if (operation->op == SCIM_REMOVE)
        return operation->path
                   ? PROV_OK
                   : error_set(err, PROV_E_INVALID, "noTarget: remove needs a path that says what");
    if (!has_value)
        return error_set(err, PROV_E_INVALID, "invalidValue: 'value' is missing; null unassigns");
    if (!operation->path && !is_object(single(operation->value)))
        return error_set(err, PROV_E_INVALID,
                         "invalidValue: without a path, 'value' must be an object of attributes");
    if (operation->path && operation->path->filter &&
        json_object_is_type(single(operation->value), json_type_array) &&
        json_object_array_length(operation->value) > 0)
        return error_set(err, PROV_E_INVALID,
                         "invalidValue: behind a filter, 'value' must be one value, not several");
    return PROV_OK;
}

/* One operation on the copy; without one its form alone. */
static int
apply_operation(struct json_object *json, size_t number, struct work *work, struct prov_error *err)
{
    CLEANUP(operation_cleanup) struct operation operation = { .op = SCIM_ADD };
    int result = read_operation(json, &operation, err);

    if (result == PROV_OK && work->resource && operation.path)
        result = apply_path(operation.path, work, operation.value, operation.op, err);
    else if (result == PROV_OK && work->resource)
        result = apply_members(NULL, work, single(operation.value), operation.op, err);
    if (result == PROV_OK)
        return PROV_OK;
    if (!operation.text)
        return error_wrap(err, result, "PATCH operation %zu", number);
    return error_wrap(err, result, "PATCH operation %zu on '%.*s'", number,
                      scim_shown_length(operation.text), operation.text);
}

static int
apply_operations(struct json_object *operations, struct json_object *copy, struct prov_error *err)
{
    size_t count = is_object(operations) ? 1 : json_object_array_length(operations);
    struct work work = { .resource = copy };
    int result = PROV_OK;

    if (count > SCIM_MAX_OPERATIONS)
        return error_set(err, PROV_E_LIMIT,
                         "a PATCH with %zu operations, more than %d: send several", count,
                         SCIM_MAX_OPERATIONS);
    for (size_t i = 0; result == PROV_OK && i < count; i++)
        result = apply_operation(is_object(operations) ? operations
                                                       : json_object_array_get_idx(operations, i),
                                 i + 1, &work, err);
    return result;
}

int
scim_patch_apply(struct json_object *resource, struct json_object *patch, struct json_object **ret,
                 struct prov_error *err)
{
    struct json_object *operations = json_get_nocase(patch, "Operations", NULL);
    AUTO_JSON struct json_object *copy = NULL;
    int result;

    if (!is_object(operations) && !json_object_is_type(operations, json_type_array))
        return error_set(err, PROV_E_INVALID, "invalidSyntax: a PATCH needs an array 'Operations'");
    if (resource && !is_object(resource))
        return error_set(err, PROV_E_INVALID, "the resource is no JSON object: send it whole");
    if (resource && json_object_deep_copy(resource, &copy, NULL) != 0)
        return error_nomem(err);
    result = scim_check_data(patch, err);
    if (result == PROV_OK && copy)
        result = scim_check_size(copy, err);
    if (result == PROV_OK)
        result = apply_operations(operations, copy, err);
    /* what gets wrapped gets deeper; a resource that cannot be read back is of no use */
    if (result == PROV_OK && copy)
        result = scim_check_size(copy, err);
    if (result == PROV_OK && copy)
        *ret = STEAL(copy);
    return result;
}

bool
scim_is_active(struct json_object *resource)
{
    struct json_object *active = json_get_nocase(resource, "active", NULL);

    if (json_object_is_type(active, json_type_string))
        return strcasecmp(json_object_get_string(active), "false") != 0;
    return !json_object_is_type(active, json_type_boolean) || json_object_get_boolean(active);
}

int
scim_set_active(struct json_object *resource, bool active, struct prov_error *err)
{
    const char *name = "active";

    json_get_nocase(resource, name, &name);
    return json_put_bool(resource, name, active) == PROV_OK ? PROV_OK : error_nomem(err);
}
