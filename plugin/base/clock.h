/* The one source of time: microseconds since the epoch, as int64. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND_US INT64_C(1000000)

/* Now, wall clock. Tests put their own function here. */
extern int64_t (*clock_now_us)(void);

/* Monotonic, for time limits inside a process; never stored. */
int64_t clock_monotonic_us(void);

/* Since this machine started, with the time it slept; nobody sets it. Of use with the start it belongs
 * to: clock_boot(), text that differs after each start; "" where the system does not tell. */
int64_t clock_up_us(void);
const char *clock_boot(void);

/* "2026-11-22T13:40:05Z" into a buffer of at least 21 bytes; "-" for 0. Returns the buffer. */
char *clock_format(int64_t time_us, char buffer[21]);

/* Microseconds of an ISO 8601 time as Salesforce writes it (fact sheet 2.1), such as
 * "2026-11-22T10:15:30.000+0000" or "...Z"; parts of a second are dropped. 0: that is no such time. */
int64_t clock_parse(const char *text);

#endif
