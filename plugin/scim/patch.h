/*
 * RFC 7644 3.5.2 PATCH on a resource: add, remove, replace, with value paths, without path, names
 * without case. Habits of vendors that are taken: `op` in any case ("Replace", Entra), no-path
 * replace with dotted or URN keys (Okta, Entra), booleans as strings for `active` and `primary`,
 * a single object where an array is meant, a bare id as
 * `manager`, and emails[type eq "work"].value where there is no such value: a filter of plain `eq`
 * says what to add; `remove` with a `value`, which takes away the values that it names. Removing what
 * is not there is nothing. `id`, `meta` and `schemas` are left
 * alone. Pure.
 */
#ifndef SCIM_PATCH_H
#define SCIM_PATCH_H

#include "plugin/base/value.h"

/*
 * Applies a PatchOp (`{"schemas":[...],"Operations":[...]}`) to a copy of resource in the pool and
 * returns the copy. All operations or none. PROV_E_INVALID names the operation (from 1),
 * its path, the reason (RFC 7644 table 9: noTarget, invalidPath, ...) and the remedy.
 * PROV_E_LIMIT: the bounds of plugin/scim/bounds.h, or a result
 * that would break them.
 * With resource NULL only the form is checked; pool and ret are not used then.
 */
MUST_CHECK int scim_patch_apply(struct pool *pool, struct value *resource, struct value *patch,
                                struct value **ret, struct prov_error *err);

/* `active` of a resource: false only when it says so, as boolean or as a string in any case
 * (Entra ID sends "False"); absent is true. */
bool scim_is_active(struct value *resource);

/* Sets `active`, under the spelling the resource already uses. */
MUST_CHECK int scim_set_active(struct pool *pool, struct value *resource, bool active,
                               struct prov_error *err);

#endif
