/* What accept.c does for group.c. Not for other files. */
#ifndef STORE_ACCEPT_H
#define STORE_ACCEPT_H

#include "plugin/store/internal.h"

/* What is known of an event's subject. The resource is read only if the event changes a part of it:
 * most events bring a whole one. */
struct known {
    int64_t id; /* 0: never heard of */
    int64_t version, last_event;
    int64_t
        repeated; /* the last event is this one under another jti, of that version; 0: it is not */
    int64_t counted;       /* as settled, there (tally_find) */
    const char *user_name; /* it and the resource live in the pool given to accept_look() */
    struct subject_state state;
};
#define NOTHING_KNOWN ((struct known){ .counted = -1, .state = { .presence = PRESENCE_IN } })

/* Events of different subjects that are looked up by one statement. */
#define AHEAD_MOST 8

/* [tx] What is known of the subjects of up to AHEAD_MOST events, each of another subject; *known is
 * NOTHING_KNOWN before. Nothing is looked up for an event that is ignored. */
MUST_CHECK int accept_look(struct store *store, struct pool *pool,
                           const struct event *const *events, size_t count, struct known *known,
                           struct prov_error *err);
/* [tx] Folds one of them. An answer that stays unknown: nothing is kept of the event, and the answer says why. */
MUST_CHECK int accept_fold_known(struct store *store, struct pool *pool, const struct event *event,
                                 struct known *known, int64_t now_us, struct store_answer *answer,
                                 struct prov_error *err);

#endif
