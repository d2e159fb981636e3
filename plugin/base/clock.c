/* Reads the system's clocks; everything that is stored or compared over processes uses the wall
 * clock, every time limit the monotonic one. */
#include "plugin/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

static int64_t
wall_clock(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t (*clock_now_us)(void) = wall_clock;

int64_t
clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

char *
clock_format(int64_t time_us, char buffer[21])
{
    time_t seconds = (time_t)(time_us / CLOCK_SECOND_US);
    struct tm fields;

    if (time_us <= 0 || !gmtime_r(&seconds, &fields) ||
        strftime(buffer, 21, "%Y-%m-%dT%H:%M:%SZ", &fields) == 0)
        strcpy(buffer, "-");
    return buffer;
}
