/* Handing events over in batches, and what the plugin answered to each. */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "hosts/cli/host.h"
#include "hosts/cli/input.h"

#define ANSWERS_BATCH 200u

struct answers {
    const char *file; /* where the events came from, and what `line` counts there */
    const char *what;
    uint64_t accepted, duplicates, refused; /* accepted includes duplicates */
    /* The last batch. */
    size_t count;
    struct input_event events[ANSWERS_BATCH];
    struct prov_answer answers[ANSWERS_BATCH];
};

/* Submits at most ANSWERS_BATCH events and counts their answers. CODE_FAILED when the store gave
 * none: then it is not known which are durable, and the same events may be submitted again. */
int answers_submit(struct host *host, const struct input_event *events, size_t count,
                   struct answers *answers);

/* Prints each answer of the last batch: a line for a person, or one of JSON. */
void answers_print(const struct answers *answers, bool json);

/* Prints the refused ones of the last batch on stderr. */
void answers_complain(const struct answers *answers);

/* Prints how many were accepted and refused so far, and `after`. */
void answers_count(const struct answers *answers, const char *after);

#endif
