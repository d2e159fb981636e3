/* When to try again. Pure: the caller brings time and chance. */
#ifndef DELIVERY_POLICY_H
#define DELIVERY_POLICY_H

#include <stdint.h>

struct policy_limits {
    int64_t first_us, max_us; /* back-off before the first repetition, and the cap */
};

/*
 * Capped exponential back-off with full jitter: a time between 0 and min(max, first * 2^attempts),
 * but never before what the server asked for (Retry-After), which may exceed the cap. `chance` is
 * uniform over all of uint64. attempts counts from 0. A floor of 50 ms keeps a lucky draw from
 * becoming a loop.
 */
int64_t policy_retry_after_us(const struct policy_limits *limits, int64_t attempts,
                              int64_t asked_us, uint64_t chance);

/* Delay before the next probe of a connector on hold: 10 s doubling to an hour, at least what was
 * asked for, with a quarter of jitter. */
int64_t policy_probe_after_us(int64_t probes, int64_t asked_us, uint64_t chance);

/* Next look at an unknown outcome: 1 s doubling to a minute, but at the end of the settle window at
 * the latest. `at_us` is when it was sent. */
int64_t policy_settle_at_us(int64_t at_us, int64_t window_us, int64_t attempts, int64_t now_us);

#endif
