/* Who was refused with what, and how many were delivered, within an hour: the numbers that a quarantine goes by. Pure but
 * for the clock; where they are kept is quarantine.c's. */
#ifndef DELIVERY_REFUSALS_H
#define DELIVERY_REFUSALS_H

#include "plugin/base/json.h"

/* What this process saw and the store does not know yet; what is older than the window is dropped. Zeroed to begin. */
struct refusals {
    int64_t delivered, since_us;
    struct json_object
        *codes; /* code -> {"users":{number:true},"message","cause","remedy"}; NULL: nobody */
};

void refusals_note_delivered(struct refusals *seen);
/* A user was refused; what was said last stands for all. 0 or PROV_E_NOMEM. */
MUST_CHECK int refusals_note(struct refusals *seen, int64_t user, const char *code,
                             const char *message, const char *cause, const char *remedy);
void refusals_forget(struct refusals *seen);

/* Adds that to the numbers of the window, which begins anew where it is over; *tally, owned by the caller, NULL at first:
 * {"since_us","delivered","refused":{code:{"count","users":{number:true}}}}. Up to `floor` each user counts once.
 * 0 or PROV_E_NOMEM. */
MUST_CHECK int refusals_add(const struct refusals *seen, int64_t floor, struct json_object **tally);
/* The code most users were refused with, if they are at least `floor` and a larger share of all who were tried; else NULL.
 * Borrowed. */
const char *refusals_common(struct json_object *tally, int64_t floor, int64_t percent,
                            int64_t *ret_count, int64_t *ret_tried);

#endif
