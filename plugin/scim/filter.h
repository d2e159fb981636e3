/*
 * Filters (RFC 7644 3.4.2.2). Of a path, over the elements of an attribute:
 *   type eq "work" and primary eq true
 * Over a whole resource, every operator, `and`, `or`, `not (...)`, value paths and schema URNs:
 *   userType eq "Employee" and emails[type eq "work" and value ew "@acme.example"]
 *   urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "Sales"
 * Names and texts compare without case. Of several values one that passes is enough, also for `ne`:
 * "none of them" is not (groups.display eq "x"). An absent `active` is true. Pure.
 */
#ifndef SCIM_FILTER_H
#define SCIM_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/value.h"

struct scim_filter;

/* Reads the filter that starts at text[*position]; on success *position is behind it and the blanks
 * after it. PROV_E_INVALID; PROV_E_LIMIT for too many parentheses. The caller frees *ret. */
MUST_CHECK int scim_filter_parse(const char *text, size_t *position, struct scim_filter **ret,
                                 struct prov_error *err);
void scim_filter_free(struct scim_filter *filter);
DEFINE_CLEANUP(struct scim_filter *, scim_filter, scim_filter_free);

/* Reads a filter over a resource, the whole text. PROV_E_INVALID with position (from 1) and remedy;
 * PROV_E_LIMIT beyond 4 KiB, 8 parentheses or 64 comparisons. The caller frees *ret. */
MUST_CHECK int scim_filter_compile(const char *text, struct scim_filter **ret,
                                   struct prov_error *err);

/* The first name in a compiled filter that no schema of users knows, as scim_path_stranger(). */
const char *scim_filter_stranger(const struct scim_filter *filter, const char *const **ret_known,
                                 size_t *ret_count);

/* Whether one element of a multi-valued attribute passes; of a compiled filter, the resource. A
 * filter never changes: any number of threads may use it. */
bool scim_filter_match(const struct scim_filter *filter, struct value *element);

/* Whether the filter says what an element that passes it looks like: `eq`, or several of them
 * joined by `and`. Not a comparison of `value` or `$ref`, which picks one existing element instead
 * of a kind of them. */
bool scim_filter_describes(const struct scim_filter *filter);

/* The element that such a filter describes, {"type":"work"} for `type eq "work"`; its values stay the
 * filter's. NULL: it describes none, or out of memory. */
struct value *scim_filter_element(struct pool *pool, const struct scim_filter *filter);

#endif
