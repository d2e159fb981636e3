/*
 * Attribute mapping: SCIM resource in, Salesforce User fields out, as data. Pure.
 *
 * A rule: {"field":"Title","source":"title"} and, each optional:
 *   "when"     a SCIM filter on the resource: of the rules of a field the first that holds counts
 *   "source"   a SCIM path; {"source","join","steps"}; or an array of them: the first that has a
 *              value. "$alias": derived from the name (schema/alias.h)
 *   "join"     a text: all values of all sources in one, with it between them
 *   "steps"    what is done to the value, in order: {"replace":regex,"with":text},
 *              {"match":regex,"with":text}, {"lookup":{from:to},"default":to | "unknown":"absent",
 *              "keep" or "refuse"}, {"first":n}, {"normalise":true}, {"lower":true},
 *              {"upper":true}, {"split":separator}
 *   "constant" a value instead of a source
 *   "default"  when no source has a value
 *   "kind"     of a custom field: user_kind_all(); "length" of texts, "precision" and "scale" of
 *              numbers
 *   "too_long" "refuse" (default) or "truncate"
 *   "apply"    "always" (default) or "create": only when the user is created
 *   "absent"   "clear" (default): nothing there sends the default, else null (false for a boolean);
 *              "leave": sends nothing, but for the default when the user is created
 *   "remove"   true: takes the default rule out; with "when", leaves the field alone
 * "$time_zone", "$locale", "$language" and "$email_encoding" as constant or default stand for the
 * connector field; "$$" starts a text with "$".
 * Rules are laid over the default mapping by field name: one with a source or a constant takes the
 * place of the default rule, one without changes only what it names. Rules with "when" go before it.
 * docs/mapping.md shows each by example.
 */
#ifndef SCHEMA_MAPPING_H
#define SCHEMA_MAPPING_H

#include <stdbool.h>

#include "plugin/base/json.h"
#include "plugin/base/value.h"

struct mapping;
struct user_field;

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

/* One field that the mapping writes, with the widest that its rules let through. */
struct mapping_target {
    const char *field;
    const struct user_field *fact; /* NULL: a custom field, or a switch known by its form */
    int kind;                      /* enum user_field_kind */
    size_t max_characters;         /* 0: no limit known */
    bool create_only;
    bool by_default;   /* no rule but the default one */
    size_t max_digits; /* of a number, before the point; 0: no limit said */
};
/* The index'th field, each once; false: there are no more. Borrowed. */
bool mapping_target_at(const struct mapping *mapping, size_t index, struct mapping_target *ret);

/* Whether a value that the org shows is the one we sent, in another spelling perhaps: the choices of a
 * multi-select picklist in another order, the code of a country in another letter case, an Id of 18
 * characters for one of 15, line ends of a browser. Either may be NULL. */
bool mapping_same(const struct mapping *mapping, const char *field, struct value *ours,
                  struct value *theirs);

/*
 * Maps. *ret_fields: Salesforce field -> string, boolean, number, or null for "clear" (also when
 * creating: it is what the org will hold); rules that apply on create only are left out unless
 * creating. A required field is never null: nothing there is a fault, unless it is to be left.
 * ProfileId and UserRoleId may be the name of a profile or role. *ret_trace (may be NULL): an array
 * of {"field","value","from","note","rule","steps":[{"step","value"}]} that says for every field
 * where its value came from. Both live in the pool; their values may be those of the resource or of the
 * mapping, so they last no longer than these.
 * PROV_E_INVALID when a value is too long or of the wrong kind for its field, or a required one is
 * missing; all of them are named in `err`, with the remedy.
 */
MUST_CHECK int mapping_apply(struct pool *pool, const struct mapping *mapping,
                             struct value *resource, bool creating, struct value **ret_fields,
                             struct value **ret_trace, struct prov_error *err);

/* The default mapping as JSON rules, for documents and the `fields` command. Borrowed text. */
const char *mapping_default_rules(void);

#endif
