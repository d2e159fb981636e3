/* The value filter of a path, `type eq "work" and primary eq true`. For this room only. */
#ifndef SCIM_FILTER_H
#define SCIM_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/json.h"

struct scim_filter;

/* Reads the filter that starts at text[*position]; on success *position is behind it and the blanks
 * after it. PROV_E_INVALID; PROV_E_LIMIT for too many parentheses. The caller frees *ret. */
MUST_CHECK int scim_filter_parse(const char *text, size_t *position, struct scim_filter **ret,
                                 struct prov_error *err);
void scim_filter_free(struct scim_filter *filter);
DEFINE_CLEANUP(struct scim_filter *, scim_filter, scim_filter_free);

/* Whether one element of a multi-valued attribute passes. */
bool scim_filter_match(const struct scim_filter *filter, struct json_object *element);

/* Whether the filter says what an element that passes it looks like: `eq`, or several of them
 * joined by `and`. Not a comparison of `value` or `$ref`, which picks one existing element instead
 * of a kind of them. */
bool scim_filter_describes(const struct scim_filter *filter);

/* The element that such a filter describes, {"type":"work"} for `type eq "work"`; the caller owns
 * it, its values stay the filter's. NULL: it describes none, or out of memory. */
struct json_object *scim_filter_element(const struct scim_filter *filter);

#endif
