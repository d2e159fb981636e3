/* How a value is put into a resource: appended, merged, replaced. For this room only. */
#ifndef SCIM_VALUE_H
#define SCIM_VALUE_H

#include "plugin/base/json.h"

enum scim_op {
    SCIM_ADD,
    SCIM_REPLACE,
    SCIM_REMOVE
};

/*
 * Puts a copy of value into the attribute of that name, without regard to case, by the rules of RFC
 * 7644 3.5.2.1 (SCIM_ADD) and 3.5.2.3 (SCIM_REPLACE). null and [] unassign it, but an add takes
 * nothing away from a multi-valued attribute. PROV_E_LIMIT: the resource would grow too large.
 */
MUST_CHECK int scim_value_put(struct json_object *object, const char *name,
                              struct json_object *value, enum scim_op op, struct prov_error *err);

/* The same for a sub-attribute of a complex value: a new `value` makes the old `$ref` untrue. */
MUST_CHECK int scim_value_put_sub(struct json_object *complex, const char *name,
                                  struct json_object *value, enum scim_op op,
                                  struct prov_error *err);

/* Puts every sub-attribute of value; those not named stay. */
MUST_CHECK int scim_value_merge(struct json_object *complex, struct json_object *value,
                                enum scim_op op, struct prov_error *err);

void scim_value_remove(struct json_object *object, const char *name);

/* Of an attribute that is an array, removes the elements that `values`, one or an array, names: by
 * its members, or as `value`. */
void scim_value_remove_these(struct json_object *object, const char *name,
                             struct json_object *values);

/* Makes the attribute of that name an array, around what stands there, and returns it, borrowed;
 * NULL: out of memory. */
struct json_object *scim_value_list(struct json_object *object, const char *name);

/* Puts an empty object in the place of element i. Borrowed; NULL: out of memory. */
struct json_object *scim_value_blank(struct json_object *list, size_t i);

/* Makes element i of the array an object, with a plain value as its `value`. Borrowed; NULL: out of
 * memory. */
struct json_object *scim_value_complex(struct json_object *list, size_t i);

/* Appends; takes over element, also when it fails, and NULL as out of memory. */
MUST_CHECK int scim_value_append(struct json_object *list, struct json_object *element,
                                 struct prov_error *err);

/* Makes `primary` false in all elements but i (RFC 7644 3.5.2: at most one is primary), if i is
 * primary. */
MUST_CHECK int scim_value_sole_primary(struct json_object *list, size_t i, struct prov_error *err);

/* Whether the User schema defines this attribute as multi-valued (RFC 7643 4.1.2). */
bool scim_is_multi_valued(const char *name);

#endif
