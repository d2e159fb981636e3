/*
 * Attribute mapping: SCIM resource in, Salesforce User fields out, as data. Pure.
 *
 * A rule: {"field":"Title","source":"title"} and, each optional:
 *   "source"   a SCIM path, or an array of them: the first that has a value
 *   "constant" a value instead of a source
 *   "default"  when no source has a value
 *   "lower"    true: ASCII and Unicode simple lower case
 *   "truncate" number of characters (not bytes) at most
 *   "apply"    "always" (default) or "create": only when the user is created
 *   "absent"   "clear" (default): nothing there sends null; "leave": sends nothing
 * Rules are laid over the default mapping by field name; {"field":X,"remove":true} takes one out.
 */
#ifndef SCHEMA_MAPPING_H
#define SCHEMA_MAPPING_H

#include <stdbool.h>

#include "plugin/base/json.h"

struct mapping;

/* Values for fields that SCIM attributes may fill and connector fields do otherwise. */
struct mapping_defaults {
    const char *time_zone, *locale, *language, *email_encoding;
};

/*
 * Compiles the rules (an array, or NULL for the default mapping alone). Every fault is appended to
 * faults, an array, as {"field":"mapping[3].source","value","reason","remedy"}; PROV_E_FIELDS if
 * there was one. The caller frees *ret.
 */
MUST_CHECK int mapping_compile(struct json_object *rules, const struct mapping_defaults *defaults,
                               struct json_object *faults, struct mapping **ret,
                               struct prov_error *err);
void mapping_free(struct mapping *mapping);
DEFINE_CLEANUP(struct mapping *, mapping, mapping_free);

/* Whether the mapping writes this Salesforce field (without regard to case). */
bool mapping_has(const struct mapping *mapping, const char *field);

/*
 * Maps. *ret_fields: Salesforce field -> string, boolean, number, or null for "clear"; rules that
 * apply on create only are left out unless creating. *ret_trace (may be NULL): an array of
 * {"field","value","from","note"} that says for every field where its value came from.
 * PROV_E_INVALID when a value is too long or of the wrong kind for its field, or a required one is
 * missing; all of them are named in `err`, with the remedy.
 */
MUST_CHECK int mapping_apply(const struct mapping *mapping, struct json_object *resource,
                             bool creating, struct json_object **ret_fields,
                             struct json_object **ret_trace, struct prov_error *err);

/* The default mapping as JSON rules, for documents and the `fields` command. Borrowed text. */
const char *mapping_default_rules(void);

#endif
