/* Reads the system's clocks; everything that is stored or compared over processes uses the wall
 * clock, every time limit the monotonic one. */
#include "plugin/base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

int64_t
clock_up_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

static char boot[40];

static void
read_boot(void)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, boot, sizeof(boot) - 1);

    boot[length > 0 ? length : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

const char *
clock_boot(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_boot);
    return boot;
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

/* A number of exactly `digits` digits; -1 if there is none. Moves on behind it. */
static int64_t
take(const char **text, int digits)
{
    int64_t value = 0;

    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

static bool
take_mark(const char **text, char mark)
{
    if (**text != mark)
        return false;
    (*text)++;
    return true;
}

/* "Z", "+0130" or "-01:30": seconds east of Greenwich. */
static bool
take_zone(const char **text, int64_t *ret_seconds)
{
    int64_t sign = **text == '-' ? -1 : 1, hours, minutes;

    *ret_seconds = 0;
    if (take_mark(text, 'Z'))
        return **text == '\0';
    if (!take_mark(text, '+') && !take_mark(text, '-'))
        return false;
    hours = take(text, 2);
    take_mark(text, ':');
    minutes = take(text, 2);
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return hours >= 0 && minutes >= 0 && **text == '\0';
}

int64_t
clock_parse(const char *text)
{
    int64_t year, month, day, hour, minute, second, zone, days;

    if (!text || (year = take(&text, 4)) < 1970 || !take_mark(&text, '-') ||
        (month = take(&text, 2)) < 1 || month > 12 || !take_mark(&text, '-') ||
        (day = take(&text, 2)) < 1 || day > 31 || !take_mark(&text, 'T') ||
        (hour = take(&text, 2)) < 0 || !take_mark(&text, ':') || (minute = take(&text, 2)) < 0 ||
        !take_mark(&text, ':') || (second = take(&text, 2)) < 0)
        return 0;
    if (take_mark(&text, '.')) {
        while (*text >= '0' && *text <= '9')
            text++;
    }
    if (!take_zone(&text, &zone))
        return 0;
    /* the other way of clock_format(): "days from civil" */
    year -= month <= 2;
    month += month <= 2 ? 9 : -3;
    days = year / 400 * 146097 + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 +
           (153 * month + 2) / 5 + day - 1 - 719468;
    return (days * 86400 + hour * 3600 + minute * 60 + second - zone) * CLOCK_SECOND_US;
}
