/* A compiled mapping rule, shared by the files of the mapping. Rooms outside see mapping.h only. */
#ifndef SCHEMA_MAPPING_RULE_H
#define SCHEMA_MAPPING_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/json.h"
#include "plugin/scim/path.h"
#include "schema/faults.h"
#include "schema/mapping.h"
#include "schema/user_fields.h"

#define MAPPING_MAX_RULES   500
#define MAPPING_MAX_SOURCES 8

struct mapping_source {
    char *text;
    struct scim_path *path; /* NULL: $alias */
};

struct mapping_rule {
    char *field;                   /* as Salesforce spells it; a custom one as the rule does */
    const struct user_field *fact; /* NULL: custom field, or a switch known by its form */
    bool any_kind;                 /* a custom field: only the org knows its kind and length */
    enum user_field_kind kind;     /* unless any_kind */
    size_t max_characters;         /* 0: no limit known */
    struct mapping_source sources[MAPPING_MAX_SOURCES];
    size_t source_count;
    /* Converted when compiled. Threads share them, and json-c counts references without locks: they
     * are copied out, never referenced. */
    struct json_object *constant, *fallback;
    const char *constant_from, *fallback_from; /* for the trace; static */
    bool lower;
    size_t truncate; /* 0: not */
    bool create_only;
    bool leave; /* when nothing is there */
};

struct mapping {
    size_t count;
    struct mapping_rule rules[];
};

/* Why a value does not fit its field. */
struct value_problem {
    char reason[320];
    char remedy[160];
};

/*
 * The value in the form its field takes: kind, case, cutting, locale spelling, limits. *ret is a
 * new value, or NULL when the value is blank and so counts as absent; *ret_note says what was
 * changed, or NULL. PROV_E_INVALID with *problem set when it cannot be sent.
 */
MUST_CHECK int mapping_value(const struct mapping_rule *rule, struct json_object *value,
                             struct json_object **ret, const char **ret_note,
                             struct value_problem *problem);

/* Whether a cut value of this field is still a value: not so of an address, a key or a switch. */
bool mapping_may_truncate(const struct mapping_rule *rule);

/* Fills what follows from the field's name. False: Salesforce has no such field. */
bool mapping_rule_bind(struct mapping_rule *rule, const char *field);

/* mapping_compile() into a list that knows the secrets. */
MUST_CHECK int mapping_compile_list(struct json_object *rules,
                                    const struct mapping_defaults *defaults,
                                    struct fault_list *faults, struct mapping **ret,
                                    struct prov_error *err);

#endif
