/*
 * What `sfprov status` says of a follower: the lasting mark that a resync is needed. Of a directory that is not followed,
 * or was never heard in full, the follower is late: it hears that by itself, once it can. What goes wrong here is told.
 */
#ifndef CLI_FOLLOW_MARK_H
#define CLI_FOLLOW_MARK_H

#include "hosts/cli/host.h"

/* The mark gets its room, which a full disk would not give it later. */
void follow_mark_prepare(struct host *host);

/* A change that did not get through, and will not be heard again: told, and marked. */
void follow_mark_missed(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The directory is not followed. ever: all of it was heard once. why NULL: nothing has failed, a list of it is being heard;
 * that takes away no mark which came after it was begun, and gets none beside another. */
void follow_mark_late(struct host *host, const char *url, bool ever, const char *why);
/* It is followed, and all that was there has been heard. */
void follow_mark_caught_up(struct host *host);

#endif
