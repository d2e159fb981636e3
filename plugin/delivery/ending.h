/* What an end of a subject's fate leaves to be written, besides what stands in the link by then. */
#ifndef DELIVERY_ENDING_H
#define DELIVERY_ENDING_H

#include "plugin/delivery/internal.h"

struct ending {
    const char *outcome;
    struct said said; /* borrowed */
    char *message;    /* heap: said.message, where it was made for this; or NULL */
    bool keeps_claim; /* the username that is claimed stays so */
    bool arrives;     /* there is an account now: those whom the user is the manager of are due */
    bool
        lands_late; /* what was sent before may land yet: read back when the settle window is over */
    bool now;       /* due again at once */
};
void ending_done(struct ending *ending);

/* [tx] Due again also at link.next_us, if that is not 0; whoever waits for what was given up is woken. */
MUST_CHECK int ending_write(struct round *round, struct item *item, const struct ending *ending,
                            struct prov_error *err);

#endif
