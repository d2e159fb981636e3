/* A compiled mapping rule, shared by the files of the mapping. Rooms outside see mapping.h only. */
#ifndef SCHEMA_MAPPING_RULE_H
#define SCHEMA_MAPPING_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/json.h"
#include "plugin/scim/filter.h"
#include "schema/faults.h"
#include "schema/mapping.h"
#include "schema/mapping_term.h"
#include "schema/user_fields.h"

#define MAPPING_MAX_RULES 500

struct mapping_rule {
    char *field;                   /* as Salesforce spells it; a custom one as the rule does */
    const struct user_field *fact; /* NULL: custom field, or a switch known by its form */
    enum user_field_kind kind;
    size_t max_characters;   /* 0: no limit known */
    size_t precision, scale; /* of numbers: digits in all, and behind the point */
    int given;               /* its place in the mapping; -1: of the default mapping */
    bool alternative;        /* of the same field as the rule before it */
    char *condition;         /* the text of `when`; NULL: always */
    struct scim_filter *when;
    bool remove; /* the field is left alone */
    struct mapping_term term;
    struct value *constant, *fallback;         /* converted when compiled */
    const char *constant_from, *fallback_from; /* for the trace; static */
    bool truncate;                             /* what is too long is cut */
    bool create_only;
    bool leave; /* when nothing is there */
};

/* Rules of one field stand side by side; the first that holds counts. */
struct mapping {
    struct pool pool; /* of the values of the rules */
    size_t count;
    struct mapping_rule rules[];
};

/*
 * The value in the form its field takes: kind, spelling, limits. `value` is a scalar, or for a
 * multi-select picklist perhaps an array of them. *ret is a value in the pool, or the one given, or NULL when
 * that is blank and so counts as absent; *ret_note says what was changed, or NULL. PROV_E_INVALID with
 * *problem set when it cannot be sent.
 */
MUST_CHECK int mapping_value(struct pool *pool, const struct mapping_rule *rule,
                             struct value *value, struct value **ret, const char **ret_note,
                             struct value_problem *problem);

/* Whether a cut value of this field is still a value: not so of an address, a key or a switch. */
bool mapping_may_truncate(const struct mapping_rule *rule);

/* Fills what follows from the field's name. False: Salesforce has no such field. */
bool mapping_rule_bind(struct mapping_rule *rule, const char *field);

/* mapping_compile() into lists that know the secrets; warnings may be NULL. */
MUST_CHECK int mapping_compile_list(struct json_object *rules,
                                    const struct mapping_defaults *defaults,
                                    struct fault_list *faults, struct fault_list *warnings,
                                    struct mapping **ret, struct prov_error *err);

#endif
