/* Lists of faults and warnings: {"field","value","reason","remedy"} each, as the ABI's open() hands
 * them to a form or a command line. */
#ifndef SCHEMA_FAULTS_H
#define SCHEMA_FAULTS_H

#include "plugin/base/json.h"

/* An array under construction. Running out of memory is kept in `result` and asked for once. */
struct fault_list {
    struct json_object *array; /* borrowed */
    /* Strings that must not appear in any text, wherever somebody put them; borrowed, may be NULL.
     * Those of fewer than 6 bytes are not looked for: they would tear up ordinary words. */
    struct json_object *secrets;
    int result;
};

/* Appends. `value` NULL: not known or not to be shown; it is cut to a readable length, after
 * secrets were taken out. */
void faults_add(struct fault_list *list, const char *field, const char *value, const char *remedy,
                const char *format, ...) PRINTF_LIKE(5, 6);

/* Sets err to the first fault, and says how many more there are. Returns PROV_E_FIELDS. */
int faults_first(struct json_object *faults, struct prov_error *err);

/* The candidate nearest to a word by edit distance; case, '_' and '-' count for nothing. Start with
 * { .word = ... } and offer all candidates; `best` is NULL when none was offered. */
struct nearest {
    const char *word;
    const char *best;
    size_t distance;
};
void nearest_offer(struct nearest *nearest, const char *candidate);

/* Whether most of the word is in the best candidate: else naming it would mislead. */
bool nearest_is_near(const struct nearest *nearest);

#endif
