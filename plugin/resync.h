/*
 * The mark that the host's users have to be listed anew (sfprov sync), since a change may have been missed:
 * a file beside the store, because it is needed most when the store cannot be written. It has its room on
 * the disk from the moment a host begins its work for the first time, is overwritten in place, and stays.
 */
#ifndef PLUGIN_RESYNC_H
#define PLUGIN_RESYNC_H

#include <pthread.h>
#include <stdint.h>

#include "plugin/base/json.h"

/* Who holds the mark gives it back at once; one that was stopped keeps all others waiting for so long, once in a
 * process, and then each function but resync_miss() and resync_late() fails with PROV_E_STORE. */
extern int resync_wait_ms;

/* That a host is at work in this process: a lock on a byte of the mark's file, which the system gives up with
 * the process, whoever looks and whatever they may see of it. Calls with the same one wait for each other. A child
 * of a fork makes its own, with its parent's as `before`. */
struct resync_work {
    pthread_mutex_t lock;
    int fd; /* -1: nothing is under way */
    int place;
    struct resync_work *before; /* NULL: none, or it is known what became of it */
};
#define RESYNC_WORK_INIT                                                                           \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, -1, 0, NULL                                                     \
    }

/* A host begins its work in this process; several may be at work. One that is no more, and has not said that
 * it ends, may have missed what it did last: that counts as missed from the moment it is gone. Nothing is
 * done where the work has begun. PROV_E_LIMIT: too many are at work. */
MUST_CHECK int resync_begin(struct resync_work *work, const char *store, const char *host,
                            struct prov_error *err);
/* A process of a host that has many, and finds out by itself what one that died has missed: the mark gets
 * its room, and nobody is expected to end. */
MUST_CHECK int resync_join(const char *store, struct prov_error *err);
/* It ends, in this process, or what a parent that is gone began; what was missed stays marked. */
MUST_CHECK int resync_end(struct resync_work *work, const char *store, struct prov_error *err);
/* Gives up the lock without a word, as the end of the process does. */
void resync_work_free(struct resync_work *work);
/* A change was missed. While somebody keeps the mark that is noted, without the mark: of several the last one. */
MUST_CHECK int resync_miss(const char *store, const char *host, const char *reason,
                           struct prov_error *err);
/* The same of one that the host knows of, and hands over later by itself; and that it has done so with all such. */
MUST_CHECK int resync_late(const char *store, const char *host, const char *reason,
                           struct prov_error *err);
MUST_CHECK int resync_caught_up(const char *store, struct prov_error *err);

/* A number that each miss makes another one than any before; 0: there is no mark yet. */
MUST_CHECK int resync_missed(const char *store, int64_t *ret, struct prov_error *err);
/* A whole list was applied that was begun when the number was this: takes the mark away, unless more has been
 * missed since. */
MUST_CHECK int resync_done(const char *store, int64_t missed, struct prov_error *err);

/* {"since","host","reason","missed","remedy"}; NULL: no resync is needed. A mark that is not
 * understood counts as one. */
MUST_CHECK int resync_read(const char *store, struct json_object **ret, struct prov_error *err);

#endif
