/* Reads dates and times and writes them anew. Fractions of seconds are dropped: Salesforce keeps
 * whole ones. A leap second becomes the second before it. */
#include "schema/moment.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define YEAR_FIRST 1700
#define YEAR_LAST  4000

struct moment {
    int year, month, day, hour, minute, second;
    int offset; /* minutes before UTC */
};

/* Exactly `count` digits at *text, which moves behind them. */
static bool
take_digits(const char **text, int count, int *ret)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += count;
    *ret = value;
    return true;
}

static bool
take(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* Z, +hh:mm, +hhmm, +hh, or nothing, to the end of the text. */
static bool
take_zone(const char **text, struct moment *moment)
{
    int hours = 0, minutes = 0, sign;

    if (take(text, 'Z') || take(text, 'z') || !**text)
        return !**text;
    sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(text, 2, &hours))
        return false;
    if (**text) {
        take(text, ':');
        if (!take_digits(text, 2, &minutes))
            return false;
    }
    moment->offset = sign * (hours * 60 + minutes);
    return !**text && hours <= 14 && minutes <= 59;
}

static bool
take_time(const char **text, bool colons, struct moment *moment)
{
    if (!take_digits(text, 2, &moment->hour) || (colons && !take(text, ':')) ||
        !take_digits(text, 2, &moment->minute))
        return false;
    if (colons ? take(text, ':') : **text >= '0' && **text <= '9') {
        if (!take_digits(text, 2, &moment->second))
            return false;
    }
    if (take(text, '.') || take(text, ',')) {
        size_t length = strspn(*text, "0123456789");
        if (length == 0)
            return false;
        *text += length;
    }
    return take_zone(text, moment);
}

static int
days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool
is_real(const struct moment *m)
{
    return m->year >= YEAR_FIRST && m->year <= YEAR_LAST && m->month >= 1 && m->month <= 12 &&
           m->day >= 1 && m->day <= days_in_month(m->year, m->month) && m->hour <= 23 &&
           m->minute <= 59 && m->second <= 60;
}

static bool
read_moment(const char *text, struct moment *ret)
{
    bool dashes;

    *ret = (struct moment){ 0 };
    if (!take_digits(&text, 4, &ret->year))
        return false;
    dashes = take(&text, '-');
    if (!take_digits(&text, 2, &ret->month) || (dashes && !take(&text, '-')) ||
        !take_digits(&text, 2, &ret->day))
        return false;
    if (*text) {
        if (dashes && !take(&text, 'T') && !take(&text, 't') && !take(&text, ' '))
            return false;
        if (!dashes)
            take(&text, 'T');
        if (!take_time(&text, dashes, ret))
            return false;
    }
    return is_real(ret);
}

/* Into UTC: an offset is less than a day. */
static void
to_utc(struct moment *m)
{
    int minutes = m->hour * 60 + m->minute - m->offset;
    int days = minutes < 0 ? -1 : minutes >= 24 * 60 ? 1 : 0;

    minutes -= days * 24 * 60;
    m->hour = minutes / 60;
    m->minute = minutes % 60;
    m->day += days;
    if (m->day > days_in_month(m->year, m->month)) {
        m->day = 1;
        m->month++;
    }
    if (m->month > 12) {
        m->month = 1;
        m->year++;
    }
    if (m->day < 1) {
        m->month = m->month == 1 ? 12 : m->month - 1;
        m->year -= m->month == 12 ? 1 : 0;
        m->day = days_in_month(m->year, m->month);
    }
}

bool
moment_date(const char *text, char ret[MOMENT_SIZE])
{
    struct moment m;

    if (!read_moment(text, &m))
        return false;
    snprintf(ret, MOMENT_SIZE, "%04d-%02d-%02d", m.year, m.month, m.day);
    return true;
}

bool
moment_datetime(const char *text, char ret[MOMENT_SIZE])
{
    struct moment m;

    if (!read_moment(text, &m))
        return false;
    to_utc(&m);
    snprintf(ret, MOMENT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.000+0000", m.year, m.month, m.day,
             m.hour, m.minute, m.second == 60 ? 59 : m.second);
    return true;
}
