/*
 * When `follow` tries again: what fails, a directory that is older than what was heard of it, and a list that was not
 * applied.
 */
#ifndef CLI_FOLLOW_PACE_H
#define CLI_FOLLOW_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed but for lag_s: nothing was tried yet. */
struct follow_pace {
    long lag_s;            /* so long a directory may be older than what was heard of it */
    int pause_s;           /* before the next try; 0: none */
    int64_t well_us;       /* since when it is followed; 0: it is not */
    int64_t unwell_us;     /* since when it is known that it is not; 0: it is */
    int64_t older_us;      /* when it was seen to be older, and nothing has failed since; 0: else */
    int64_t lagging_us;    /* so long it was, as far as it was seen */
    int64_t list_us;       /* when a list that was not applied is heard again; 0: there is none */
    int64_t list_pause_us; /* before it was */
};

/* The directory is followed. */
void follow_pace_well(struct follow_pace *pace);

/* It is not: whether that is so for longer than lag_s. */
bool follow_pace_is_late(struct follow_pace *pace);

/* Seconds to wait after a failure; */
int follow_pace_failed(struct follow_pace *pace);
/* before a directory that is older is looked at again; */
int follow_pace_older(struct follow_pace *pace);
/* before all of it is heard anew: none, unless it was not followed for long. */
int follow_pace_anew(struct follow_pace *pace);

/* The directory is older than what was heard of it: whether it has been so long enough to count as restored. The time in
 * which it could not be looked at does not count, since it may not have been able to catch up either. */
bool follow_pace_is_restored(struct follow_pace *pace);

/* A list was heard. Seconds until it is heard again, if it was not applied. */
int follow_pace_list(struct follow_pace *pace, bool applied);
bool follow_pace_list_is_due(const struct follow_pace *pace);

/* Seconds of "24h", "90m", "3600s" or "2d"; 0 of "never". False: it is none of these. */
bool follow_pace_read(const char *text, int64_t *ret_s);

#endif
