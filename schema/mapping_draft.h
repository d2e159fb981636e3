/* Reading a mapping: one JSON object of it with its place, and how each key is read and each fault
 * told. For the files of the mapping only. */
#ifndef SCHEMA_MAPPING_DRAFT_H
#define SCHEMA_MAPPING_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/faults.h"
#include "schema/mapping.h"

#define DRAFT_PLACE_SIZE 128

struct draft {
    struct pool *pool;            /* for what is compiled */
    struct json_object *object;   /* what is read now; borrowed */
    char place[DRAFT_PLACE_SIZE]; /* "mapping[3].steps[0]" */
    const struct mapping_defaults *defaults;
    struct fault_list *faults, *warnings;
};

/* The draft of an object inside this one; the format gives its place, below this one's. */
struct draft draft_enter(const struct draft *draft, struct json_object *object, const char *format,
                         ...) PRINTF_LIKE(3, 4);

/* A fault of the key (NULL: of the object as a whole), with the value that stands there. */
void draft_refuse(struct draft *draft, const char *key, const char *remedy, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The same for what works, but hardly as meant. */
void draft_warn(struct draft *draft, const char *key, const char *remedy, const char *format, ...)
    PRINTF_LIKE(4, 5);
void draft_nomem(struct draft *draft);

bool draft_has(const struct draft *draft, const char *key);

/* Refuses every key but these. `what`: "rule", "step". The remedy is advice(key) (static), else the
 * nearest of the keys; advice may be NULL. */
void draft_check_keys(struct draft *draft, const char *what, const char *const *keys, size_t count,
                      const char *(*advice)(const char *key));

/* The text of a key; NULL: it is not there, or refused for being no text. */
const char *draft_text(struct draft *draft, const char *key);
/* False where it is not there, or refused. */
bool draft_flag(struct draft *draft, const char *key);
/* `otherwise` where it is not there, or refused. */
size_t draft_number(struct draft *draft, const char *key, size_t least, size_t most,
                    size_t otherwise);
/* Index of the word that the key says; 0 where it is not there, or refused. */
size_t draft_choice(struct draft *draft, const char *key, const char *const *words, size_t count);

#endif
