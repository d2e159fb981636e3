/* Reads the system's clocks; everything that is stored or compared over processes uses the wall
 * clock, every time limit the monotonic one. */
#include "plugin/base/clock.h"

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

/* Writes so many digits and what follows them. Returns the end. */
static char *
put(char *at, int64_t value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[digits] = after;
    return at + digits + 1;
}

/*
 * gmtime_r() and strftime() take the lock of glibc's time zones, which a child forked at that moment
 * would wait for without end. The calendar is Howard Hinnant's "civil from days": years begin in
 * March, 400 of them have 146097 days.
 */
char *
clock_format(int64_t time_us, char buffer[21])
{
    int64_t seconds = time_us / CLOCK_SECOND_US, day = seconds / 86400 + 719468;
    int64_t era = day / 146097, of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    char *at = buffer;

    year += era * 400 + (month >= 10);
    if (time_us <= 0 || year > 9999) {
        strcpy(buffer, "-");
        return buffer;
    }
    at = put(at, year, 4, '-');
    at = put(at, month < 10 ? month + 3 : month - 9, 2, '-');
    at = put(at, of_year - (153 * month + 2) / 5 + 1, 2, 'T');
    at = put(at, seconds % 86400 / 3600, 2, ':');
    at = put(at, seconds % 3600 / 60, 2, ':');
    at = put(at, seconds % 60, 2, 'Z');
    *at = '\0';
    return buffer;
}
