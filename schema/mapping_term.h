/* Where a value comes from: a tree of sources, joins and steps. For the files of the mapping. */
#ifndef SCHEMA_MAPPING_TERM_H
#define SCHEMA_MAPPING_TERM_H

#include "plugin/scim/path.h"
#include "schema/mapping_step.h"

#define MAPPING_MAX_SOURCES 8
/* Sources inside each other: [{"source": [{"source": "a"}]}] has two. */
#define MAPPING_MAX_DEPTH 4

/* A leaf (text, and path unless it is $alias) or parts; then steps. */
struct mapping_term {
    char *text;
    struct scim_path *path;
    struct mapping_term *parts;
    size_t part_count;
    char *join; /* NULL: the first part that has a value; else all of them with this between */
    struct mapping_step *steps;
    size_t step_count;
    bool many; /* all values of the leaves are needed, not their first alone */
};

void mapping_term_cleanup(struct mapping_term *term);

/* Warns of a name in a path or filter that no schema of RFC 7643 knows, with the nearest of those it
 * does: hosts may have attributes of their own. NULL: all are known. */
void mapping_warn_stranger(struct draft *draft, const char *key, const char *text, const char *name,
                           const char *const *known, size_t count);

/* Reads "source", "join" and "steps" of the draft's object. `many`: the field takes several. */
void mapping_term_compile(struct draft *draft, bool many, struct mapping_term *ret);

/* The lookups whose values become the field's as they stand: calls back with each, and the draft of
 * its step. */
typedef void mapping_lookup_seen(struct draft *draft, const struct mapping_step *step,
                                 void *context);
void mapping_term_last_lookups(struct draft *draft, const struct mapping_term *term,
                               mapping_lookup_seen *seen, void *context);

/* Text of the first leaf, for messages; "" for none. Borrowed. */
const char *mapping_term_first(const struct mapping_term *term);

/* One evaluation. */
struct term_run {
    struct pool *pool;
    struct value *resource;
    struct value *trace;           /* array of {"step","value"}, or NULL */
    struct value_problem *problem; /* why not */
    const char *from;              /* the leaves that gave something; NULL: none */
};

/*
 * Appends the term's values to `list`, the best first; those that are null or blank are left out.
 * PROV_E_INVALID with *run->problem set: one that cannot be made was met; sources after it are not
 * asked, as they would hide it.
 */
MUST_CHECK int mapping_term_values(const struct mapping_term *term, struct term_run *run,
                                   struct value *list);

#endif
