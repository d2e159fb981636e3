/* How a value is put into a resource: appended, merged, replaced. For this room only. The resource lives in
 * the pool, and so do the copies that are put in. */
#ifndef SCIM_PUT_H
#define SCIM_PUT_H

#include "plugin/base/value.h"

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
MUST_CHECK int scim_value_put(struct pool *pool, struct value *object, const char *name,
                              struct value *value, enum scim_op op, struct prov_error *err);

/* The same for a sub-attribute of a complex value: a new `value` makes the old `$ref` untrue. */
MUST_CHECK int scim_value_put_sub(struct pool *pool, struct value *complex, const char *name,
                                  struct value *value, enum scim_op op, struct prov_error *err);

/* Puts every sub-attribute of value; those not named stay. */
MUST_CHECK int scim_value_merge(struct pool *pool, struct value *complex, struct value *value,
                                enum scim_op op, struct prov_error *err);

void scim_value_remove(struct value *object, const char *name);

/* Of an attribute that is an array, removes the elements that `values`, one or an array, names: by
 * its members, or as `value`. */
void scim_value_remove_these(struct value *object, const char *name, struct value *values);

/* Makes the attribute of that name an array, around what stands there, and returns it, borrowed;
 * NULL: out of memory. */
struct value *scim_value_list(struct pool *pool, struct value *object, const char *name);

/* Puts an empty object in the place of element i, or behind the last. Borrowed; NULL: out of memory. */
struct value *scim_value_blank(struct pool *pool, struct value *list, size_t i);

/* Makes element i of the array an object, with a plain value as its `value`. Borrowed; NULL: out of
 * memory. */
struct value *scim_value_complex(struct pool *pool, struct value *list, size_t i);

/* Appends; element NULL: out of memory. */
MUST_CHECK int scim_value_append(struct pool *pool, struct value *list, struct value *element,
                                 struct prov_error *err);

/* Makes `primary` false in all elements but i (RFC 7644 3.5.2: at most one is primary), if i is
 * primary. */
void scim_value_sole_primary(struct value *list, size_t i);

/* Whether the User schema defines this attribute as multi-valued (RFC 7643 4.1.2). */
bool scim_is_multi_valued(const char *name);

#endif
