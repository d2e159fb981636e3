/* Date literals of SOQL (2.10): TODAY, LAST_N_DAYS:30, THIS_FISCAL_QUARTER, ... Decides which span of
 * time each stands for. Days begin at midnight UTC, weeks on Sunday (the week of en_US); the fiscal
 * year is the calendar year, as it is in an org where nobody changed it. */
#include "tests/org/soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum unit {
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR
};

enum {
    MAX_COUNT = 9999
};

/* The first moment of the unit that lies so many units after now's. */
static int64_t
unit_start(int64_t now_ms, enum unit unit, int64_t offset)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    utc.tm_hour = utc.tm_min = utc.tm_sec = 0;
    switch (unit) {
    case UNIT_DAY:
        utc.tm_mday += (int)offset;
        break;
    case UNIT_WEEK:
        utc.tm_mday += (int)offset * 7 - utc.tm_wday;
        break;
    case UNIT_MONTH:
        utc.tm_mday = 1;
        utc.tm_mon += (int)offset;
        break;
    case UNIT_QUARTER:
        utc.tm_mday = 1;
        utc.tm_mon += (int)offset * 3 - utc.tm_mon % 3;
        break;
    case UNIT_YEAR:
        utc.tm_mday = 1;
        utc.tm_mon = 0;
        utc.tm_year += (int)offset;
        break;
    }
    return (int64_t)timegm(&utc) * 1000;
}

/* The unit's name at the text's beginning; its length, 0 if there is none. */
static size_t
unit_of(const char *text, enum unit *ret)
{
    static const struct {
        const char *name;
        enum unit unit;
    } units[] = { { "DAY", UNIT_DAY },         { "WEEK", UNIT_WEEK },
                  { "MONTH", UNIT_MONTH },     { "QUARTER", UNIT_QUARTER },
                  { "YEAR", UNIT_YEAR },       { "FISCAL_QUARTER", UNIT_QUARTER },
                  { "FISCAL_YEAR", UNIT_YEAR } };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i].name);
        if (strncasecmp(text, units[i].name, length) == 0) {
            *ret = units[i].unit;
            return length;
        }
    }
    return 0;
}

static bool
is(const char *text, const char *wanted)
{
    return strcasecmp(text, wanted) == 0;
}

static bool
starts(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

/* A span in units of the one that runs now: [from, to). */
struct span {
    enum unit unit;
    int64_t from, to;
};

/* Names without a number. LAST_90_DAYS holds today, 91 days in all; NEXT_90_DAYS begins tomorrow. */
static bool
plain_span(const char *name, struct span *ret)
{
    static const struct {
        const char *name;
        struct span span;
    } days[] = { { "YESTERDAY", { UNIT_DAY, -1, 0 } },
                 { "TODAY", { UNIT_DAY, 0, 1 } },
                 { "TOMORROW", { UNIT_DAY, 1, 2 } },
                 { "LAST_90_DAYS", { UNIT_DAY, -90, 1 } },
                 { "NEXT_90_DAYS", { UNIT_DAY, 1, 91 } } };
    static const struct {
        const char *name;
        int64_t from;
    } nearby[] = { { "LAST_", -1 }, { "THIS_", 0 }, { "NEXT_", 1 } };

    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        if (is(name, days[i].name)) {
            *ret = days[i].span;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(nearby) / sizeof(nearby[0]); i++) {
        size_t length = starts(name, nearby[i].name) ? unit_of(name + 5, &ret->unit) : 0;
        if (length && !name[5 + length] && ret->unit != UNIT_DAY) {
            ret->from = nearby[i].from;
            ret->to = ret->from + 1;
            return true;
        }
    }
    return false;
}

/* LAST_N_xS, NEXT_N_xS, N_xS_AGO. LAST_N_DAYS holds today; the others leave out the unit that runs
 * now. */
static bool
counted_span(const char *name, int64_t count, struct span *ret)
{
    bool last = starts(name, "LAST_N_"), next = starts(name, "NEXT_N_");
    const char *unit = name + (last || next ? 7 : 2);
    size_t length = last || next || starts(name, "N_") ? unit_of(unit, &ret->unit) : 0;

    if (!length || !is(unit + length, last || next ? "S" : "S_AGO"))
        return false;
    ret->from = next ? 1 : -count;
    ret->to = next ? count + 1 : last ? (ret->unit == UNIT_DAY ? 1 : 0) : -count + 1;
    return true;
}

bool
soql_date_span(const char *literal, int64_t now_ms, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    AUTO_FREE char *name = text_copy(literal);
    char *colon = strchr(name, ':'), *end;
    struct span span;
    int64_t count;

    if (colon) {
        *colon = '\0';
        count = strtoll(colon + 1, &end, 10);
        if (end == colon + 1 || *end || count < 0 || count > MAX_COUNT ||
            !counted_span(name, count, &span))
            return false;
    } else if (!plain_span(name, &span)) {
        return false;
    }
    *ret_from_ms = unit_start(now_ms, span.unit, span.from);
    *ret_to_ms = unit_start(now_ms, span.unit, span.to);
    return true;
}
