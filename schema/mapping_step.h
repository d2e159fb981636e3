/* The steps of a mapping rule: what is done to a value on its way. For the files of the mapping. */
#ifndef SCHEMA_MAPPING_STEP_H
#define SCHEMA_MAPPING_STEP_H

#include "schema/mapping_draft.h"
#include "schema/regex.h"

#define MAPPING_MAX_STEPS 16

/* Why a value cannot be sent. */
struct value_problem {
    char reason[320];
    char remedy[160];
};

/* Fills *problem; returns PROV_E_INVALID. */
int value_problem_set(struct value_problem *problem, const char *remedy, const char *format, ...)
    PRINTF_LIKE(3, 4);

enum step_kind {
    STEP_REPLACE,
    STEP_MATCH,
    STEP_LOOKUP,
    STEP_FIRST,
    STEP_NORMALISE,
    STEP_LOWER,
    STEP_UPPER,
    STEP_SPLIT
};

struct lookup_entry {
    char *key; /* in lower case */
    struct value *value;
};

/* Its values live in the pool of the mapping. */
struct mapping_step {
    enum step_kind kind;
    struct regex *regex;
    struct lookup_entry *entries; /* sorted by key */
    size_t entry_count;
    struct value *fallback; /* of a lookup; NULL: none */
    bool keeps, refuses;    /* of a lookup: what is not in the table */
    size_t first;
    char *separator;
};

void mapping_step_cleanup(struct mapping_step *step);

/* Reads one step; faults are in the draft. */
void mapping_step_compile(struct draft *draft, struct mapping_step *ret);

/* What to do about a key of a rule that is one of a step; NULL: it is none. Static. */
const char *mapping_step_advice(const char *key);

/* "replace", for the trace. Static. */
const char *mapping_step_name(const struct mapping_step *step);

/* Whether the step may make nothing of a value, so that the ones after it are needed as well. */
bool mapping_step_drops(const struct mapping_step *step);

/* Appends to `list` what the step makes of a value: nothing, one, or several. PROV_E_INVALID with
 * *problem set when it cannot be done. `value` is borrowed. */
MUST_CHECK int mapping_step_run(struct pool *pool, const struct mapping_step *step,
                                struct value *value, struct value *list,
                                struct value_problem *problem);

#endif
