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

#include "plugin/base/ascii.h"
#include "plugin/scim/bounds.h"
#include "plugin/scim/parts.h"
#include "plugin/scim/path.h"
#include "plugin/scim/put.h"

static const char *const op_names[] = { "add", "replace", "remove" };

struct operation {
    enum scim_op op;
    const char *text; /* the path as written, borrowed; NULL: none */
    struct scim_path *path;
    struct value *value; /* borrowed */
};

static void
operation_cleanup(struct operation *operation)
{
    scim_path_free(operation->path);
}

/* A PATCH being applied. */
struct work {
    struct pool *pool;
    struct value *resource;  /* the copy that is changed; borrowed. NULL: form alone */
    size_t changes, removed; /* so far; what SCIM_MAX_OPERATIONS and _REMOVED bound */
};

static int apply_path(const struct scim_path *path, struct work *work, struct value *value,
                      enum scim_op op, struct prov_error *err);

static bool
is_object(struct value *value)
{
    return value_is(value, VALUE_OBJECT);
}

/* The one object where an array of one stands for it; else the value itself. */
static struct value *
single(struct value *value)
{
    if (value_is(value, VALUE_ARRAY) && value_count(value) == 1)
        return value_at(value, 0);
    return value;
}

/* Puts value into one element, or into one of its sub-attributes. */
static int
put_into(struct pool *pool, struct value *list, size_t i, const char *sub, struct value *value,
         enum scim_op op, struct prov_error *err)
{
    /* RFC 7644 3.5.2.3: a record that matched is replaced, not merged */
    bool anew = !sub && op == SCIM_REPLACE && is_object(value);
    struct value *element =
        anew ? scim_value_blank(pool, list, i) : scim_value_complex(pool, list, i);
    int result;

    if (!element)
        return error_nomem(err);
    if (!sub && is_object(value))
        result = scim_value_merge(pool, element, value, op, err);
    else
        result = scim_value_put_sub(pool, element, sub ? sub : "value", value, op, err);
    return result;
}

/* The same where it is the only one that changes. */
static int
put_into_one(struct pool *pool, struct value *list, size_t i, const char *sub, struct value *value,
             enum scim_op op, struct prov_error *err)
{
    int result = put_into(pool, list, i, sub, value, op, err);

    scim_value_sole_primary(list, i);
    return result;
}

/* No element passed the filter: the one that the filter describes is added. */
static int
add_described(struct pool *pool, const struct scim_path *path, struct value *container,
              const char *name, struct value *value, struct prov_error *err)
{
    struct value *described = scim_filter_element(pool, path->filter);
    struct value *list;
    int result;

    if (!scim_filter_describes(path->filter))
        return error_set(err, PROV_E_INVALID,
                         "noTarget: no value passes the filter; send the whole resource, or `add` "
                         "the value without a filter");
    if (!scim_is_present(value))
        return PROV_OK;
    list = described ? scim_value_list(pool, container, name) : NULL;
    if (!list)
        return error_nomem(err);
    result = scim_value_append(pool, list, value_object(pool), err);
    if (result == PROV_OK)
        result = put_into(pool, list, value_count(list) - 1, NULL, described, SCIM_ADD, err);
    if (result != PROV_OK)
        return result;
    return put_into_one(pool, list, value_count(list) - 1, path->sub, value, SCIM_ADD, err);
}

/* Removes an element, or its sub-attribute and the element when nothing is left of it. */
static void
remove_from(struct value *list, size_t i, const char *sub)
{
    struct value *element = value_at(list, i);

    if (sub && is_object(element)) {
        scim_value_remove(element, sub);
        if (value_count(element) > 0)
            return;
    } else if (sub && ascii_compare(sub, "value") != 0) {
        return; /* a plain value has no other part */
    }
    value_delete(list, i);
}

static bool
passes(const struct scim_path *path, struct value *element)
{
    return !path->filter || scim_filter_match(path->filter, element);
}

static bool
any_passes(const struct scim_path *path, struct value *attribute)
{
    if (!value_is(attribute, VALUE_ARRAY))
        return attribute && passes(path, attribute);
    for (size_t i = 0; i < value_count(attribute); i++) {
        if (passes(path, value_at(attribute, i)))
            return true;
    }
    return false;
}

static void
remove_passing(struct value *list, const struct scim_path *path)
{
    /* from the end, so that removing does not move what is still to come */
    for (size_t i = value_count(list); i-- > 0;) {
        if (passes(path, value_at(list, i)))
            remove_from(list, i, path->sub);
    }
}

/* Puts the value into every element that passes. Of several that become primary by it, the first
 * stays so (RFC 7644 3.5.2). */
static int
put_into_passing(struct pool *pool, struct value *list, const struct scim_path *path,
                 struct value *value, enum scim_op op, struct prov_error *err)
{
    size_t size = scim_bytes(value), bytes = 0, first = SIZE_MAX;
    int result = PROV_OK;

    if (!path->sub && !scim_is_present(value))
        return PROV_OK;
    for (size_t i = 0; result == PROV_OK && i < value_count(list); i++) {
        if (!passes(path, value_at(list, i)))
            continue;
        bytes += size;
        if (bytes > SCIM_MAX_BYTES)
            return error_set(err, PROV_E_LIMIT,
                             "the value goes into so many that they would have more than %d bytes: "
                             "send less of it",
                             SCIM_MAX_BYTES);
        result = put_into(pool, list, i, path->sub, value, op, err);
        first = first == SIZE_MAX ? i : first;
    }
    if (result == PROV_OK && first != SIZE_MAX)
        scim_value_sole_primary(list, first);
    return result;
}

/* Operations on those elements of an attribute that pass the filter (all, without one). */
static int
apply_elements(struct pool *pool, const struct scim_path *path, struct value *container,
               const char *name, struct value *value, enum scim_op op, struct prov_error *err)
{
    struct value *list;
    int result = PROV_OK;

    if (!path->sub && op == SCIM_REPLACE && !scim_is_present(value))
        op = SCIM_REMOVE; /* null unassigns */
    if (!any_passes(path, value_get_nocase(container, name)))
        return op == SCIM_REMOVE ? PROV_OK : add_described(pool, path, container, name, value, err);
    list = scim_value_list(pool, container, name);
    if (!list)
        return error_nomem(err);
    if (op == SCIM_REMOVE)
        remove_passing(list, path);
    else
        result = put_into_passing(pool, list, path, value, op, err);
    if (result == PROV_OK && value_count(list) == 0)
        scim_value_remove(container, name);
    return result;
}

/* Of several values without a filter, a sub-attribute is set in the one that a reader of the path
 * would get: the primary, else the first. */
static int
put_in_list(struct pool *pool, struct value *list, const char *sub, struct value *value,
            enum scim_op op, struct prov_error *err)
{
    size_t chosen = 0;

    for (size_t i = value_count(list); i-- > 0;) {
        if (scim_is_true(value_get_nocase(value_at(list, i), "primary")))
            chosen = i;
    }
    return put_into_one(pool, list, chosen, sub, value, op, err);
}

/* `name.familyName`; the complex attribute is created where it is missing. */
static int
apply_sub(struct pool *pool, const struct scim_path *path, struct value *container,
          const char *name, struct value *value, enum scim_op op, struct prov_error *err)
{
    struct value *old = value_get_nocase(container, name);
    struct value *promoted = NULL;
    int result;

    if (op == SCIM_REMOVE && is_object(old)) {
        scim_value_remove(old, path->sub);
        if (value_count(old) == 0)
            scim_value_remove(container, name);
        return PROV_OK;
    }
    if (op == SCIM_REMOVE)
        return old ? apply_elements(pool, path, container, name, NULL, op, err) : PROV_OK;
    if (!is_object(old) && !scim_is_present(value))
        return apply_sub(pool, path, container, name, NULL, SCIM_REMOVE, err);
    if (value_is(old, VALUE_ARRAY) || (!old && scim_is_multi_valued(name))) {
        struct value *list = scim_value_list(pool, container, name);
        return list ? put_in_list(pool, list, path->sub, value, op, err) : error_nomem(err);
    }
    if (is_object(old))
        return scim_value_put_sub(pool, old, path->sub, value, op, err);
    promoted = value_object(pool);
    if (!promoted || (old && value_put(pool, promoted, "value", old) != PROV_OK))
        return error_nomem(err);
    scim_value_remove(container, name);
    result = scim_value_put_sub(pool, promoted, path->sub, value, op, err);
    return result == PROV_OK ? scim_value_put(pool, container, name, promoted, op, err) : result;
}

static bool
is_listed(struct value *schemas, const char *schema)
{
    for (size_t i = 0; value_is(schemas, VALUE_ARRAY) && i < value_count(schemas); i++) {
        struct value *name = value_at(schemas, i);
        if (value_is(name, VALUE_TEXT) && ascii_compare(value_text(name), schema) == 0)
            return true;
    }
    return false;
}

/* Whether a URN that could end with an attribute is an extension as a whole, one that the resource
 * does not have yet: so it is when its value is an object, and what stands before is no schema. */
static bool
is_new_extension(const struct scim_path *path, struct value *resource, struct value *value)
{
    struct value *schemas = value_get_nocase(resource, "schemas");

    if (!path->whole || !is_object(value))
        return false;
    return is_listed(schemas, path->whole) ||
           !(scim_is_schema(path->schema) || value_get_nocase(resource, path->schema) ||
             is_listed(schemas, path->schema));
}

/* Every member of value is an attribute, of the schema or of what its own name says. */
static int
apply_members(const char *schema, struct work *work, struct value *value, enum scim_op op,
              struct prov_error *err)
{
    VALUE_EACH(value, member)
    {
        const char *name = member->name;
        CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
        /* a name that is no path is an attribute all the same: kept, and ignored by the mapping */
        struct scim_path literal = { .schema = (char *)schema, .attribute = (char *)name };
        int result = scim_path_parse(name, &path, NULL);

        if (result == PROV_E_NOMEM)
            return error_nomem(err);
        if (path && !path->schema && schema) {
            path->schema = strdup(schema);
            if (!path->schema)
                return error_nomem(err);
        }
        result = apply_path(path ? path : &literal, work, member->value, op, err);
        if (result != PROV_OK)
            return error_wrap(err, result, "attribute '%.*s'", scim_shown_length(name), name);
    }
    return PROV_OK;
}

/* The schema as a whole: the core schema is the resource itself. */
static int
apply_schema(const char *schema, const struct scim_place *place, struct work *work,
             struct value *value, enum scim_op op, struct prov_error *err)
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
apply_attribute(struct pool *pool, const struct scim_path *path, struct value *container,
                const char *name, struct value *value, enum scim_op op, struct prov_error *err)
{
    if (path->filter)
        return apply_elements(pool, path, container, name, single(value), op, err);
    if (path->sub)
        return apply_sub(pool, path, container, name, value, op, err);
    if (op != SCIM_REMOVE)
        return scim_value_put(pool, container, name, value, op, err);
    if (scim_is_present(value) && value_is(value_get_nocase(container, name), VALUE_ARRAY))
        scim_value_remove_these(container, name, value);
    else
        scim_value_remove(container, name);
    return PROV_OK;
}

static bool
is_of_the_host(const char *name)
{
    return ascii_compare(name, "id") == 0 || ascii_compare(name, "meta") == 0 ||
           ascii_compare(name, "schemas") == 0;
}

/* Counts what one PATCH may do. */
static int
count_change(struct work *work, struct value *value, enum scim_op op, struct prov_error *err)
{
    work->changes++;
    if (op == SCIM_REMOVE && value_is(value, VALUE_ARRAY))
        work->removed += value_count(value);
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
apply_path(const struct scim_path *path, struct work *work, struct value *value, enum scim_op op,
           struct prov_error *err)
{
    struct value *resource = work->resource;
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
        place.container = value_object(work->pool);
        if (!place.container ||
            value_put(work->pool, resource, place.schema, place.container) != PROV_OK)
            return error_nomem(err);
    }
    result = apply_attribute(work->pool, path, place.container, place.attribute, value, op, err);
    if (result == PROV_OK && place.schema && value_count(place.container) == 0)
        scim_value_remove(resource, place.schema);
    /* all else grows by what the event has; this by as much for every value that passes */
    if (result == PROV_OK && path->filter && op != SCIM_REMOVE)
        result = scim_check_size(resource, err);
    return result;
}

static int
read_op(struct value *json, enum scim_op *ret, struct prov_error *err)
{
    struct value *op = value_get_nocase(json, "op");

    for (size_t i = 0; i < sizeof(op_names) / sizeof(op_names[0]); i++) {
        if (value_is(op, VALUE_TEXT) && ascii_compare(value_text(op), op_names[i]) == 0) {
            *ret = (enum scim_op)i;
            return PROV_OK;
        }
    }
    return error_set(err, PROV_E_INVALID, "invalidSyntax: 'op' must be add, replace or remove");
}

/* No path, null and "" mean the resource. */
static int
read_path(struct value *json, struct operation *operation, struct prov_error *err)
{
    struct value *path = value_get_nocase(json, "path");
    int result;

    if (!path)
        return PROV_OK;
    if (!value_is(path, VALUE_TEXT) || value_has_nul(path))
        return error_set(err, PROV_E_INVALID, "invalidPath: 'path' must be a string without NUL");
    if (path->length == 0)
        return PROV_OK;
    operation->text = value_text(path);
    result = scim_path_parse(operation->text, &operation->path, err);
    return result == PROV_OK ? result : error_wrap(err, result, "invalidPath");
}

/* The form of one operation, which does not depend on the resource (RFC 7644 table 9). */
static int
read_operation(struct value *json, struct operation *operation, struct prov_error *err)
{
    struct member *value = value_find_nocase(json, "value");
    int result;

    if (!is_object(json))
        return error_set(err, PROV_E_INVALID, "invalidSyntax: an operation must be an object");
    result = read_op(json, &operation->op, err);
    if (result == PROV_OK)
        result = read_path(json, operation, err);
    if (result != PROV_OK)
        return result;
    operation->value = value ? value->value : NULL;
    if (operation->op == SCIM_REMOVE)
        return operation->path
                   ? PROV_OK
                   : error_set(err, PROV_E_INVALID, "noTarget: remove needs a path that says what");
    if (!value)
        return error_set(err, PROV_E_INVALID, "invalidValue: 'value' is missing; null unassigns");
    if (!operation->path && !is_object(single(operation->value)))
        return error_set(err, PROV_E_INVALID,
                         "invalidValue: without a path, 'value' must be an object of attributes");
    if (operation->path && operation->path->filter &&
        value_is(single(operation->value), VALUE_ARRAY) && value_count(operation->value) > 0)
        return error_set(err, PROV_E_INVALID,
                         "invalidValue: behind a filter, 'value' must be one value, not several");
    return PROV_OK;
}

/* One operation on the copy; without one its form alone. */
static int
apply_operation(struct value *json, size_t number, struct work *work, struct prov_error *err)
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
apply_operations(struct pool *pool, struct value *operations, struct value *copy,
                 struct prov_error *err)
{
    size_t count = is_object(operations) ? 1 : value_count(operations);
    struct work work = { .pool = pool, .resource = copy };
    int result = PROV_OK;

    if (count > SCIM_MAX_OPERATIONS)
        return error_set(err, PROV_E_LIMIT,
                         "a PATCH with %zu operations, more than %d: send several", count,
                         SCIM_MAX_OPERATIONS);
    for (size_t i = 0; result == PROV_OK && i < count; i++)
        result = apply_operation(is_object(operations) ? operations : value_at(operations, i),
                                 i + 1, &work, err);
    return result;
}

int
scim_patch_apply(struct pool *pool, struct value *resource, struct value *patch, struct value **ret,
                 struct prov_error *err)
{
    struct value *operations = value_get_nocase(patch, "Operations");
    struct value *copy = NULL;
    int result;

    if (!is_object(operations) && !value_is(operations, VALUE_ARRAY))
        return error_set(err, PROV_E_INVALID, "invalidSyntax: a PATCH needs an array 'Operations'");
    if (resource && !is_object(resource))
        return error_set(err, PROV_E_INVALID, "the resource is no JSON object: send it whole");
    if (resource && value_copy(pool, resource, &copy) != PROV_OK)
        return error_nomem(err);
    result = scim_check_data(patch, err);
    if (result == PROV_OK && copy)
        result = scim_check_size(copy, err);
    if (result == PROV_OK)
        result = apply_operations(pool, operations, copy, err);
    /* what gets wrapped gets deeper; a resource that cannot be read back is of no use */
    if (result == PROV_OK && copy)
        result = scim_check_size(copy, err);
    if (result == PROV_OK && copy)
        *ret = copy;
    return result;
}

bool
scim_is_active(struct value *resource)
{
    struct value *active = value_get_nocase(resource, "active");

    if (value_is(active, VALUE_TEXT))
        return ascii_compare(value_text(active), "false") != 0;
    return !value_is_boolean(active) || active->type == VALUE_TRUE;
}

int
scim_set_active(struct pool *pool, struct value *resource, bool active, struct prov_error *err)
{
    struct member *member = value_find_nocase(resource, "active");
    const char *name = member ? member->name : "active";

    return value_put(pool, resource, name, value_boolean(active)) == PROV_OK ? PROV_OK
                                                                             : error_nomem(err);
}
