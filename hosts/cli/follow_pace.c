/*
 * Decides that a pause begins anew only once all went well for a while: a directory that takes everybody in and then ends
 * it would be asked without a rest otherwise.
 */
#include "hosts/cli/follow_pace.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/drive.h"

#define LONGEST_S    60
#define SECOND_US    INT64_C(1000000)
#define LIST_FIRST_S 15
#define LIST_LAST_S  3600
#define RELIST_MOST  1000000

void
follow_pace_well(struct follow_pace *pace)
{
    int64_t now_us = clock_us();

    pace->older_us = pace->lagging_us = pace->unwell_us = 0;
    if (!pace->well_us)
        pace->well_us = now_us;
    if (now_us - pace->well_us > LONGEST_S * SECOND_US)
        pace->pause_s = 0;
}

bool
follow_pace_is_late(struct follow_pace *pace)
{
    int64_t now_us = clock_us();

    if (!pace->unwell_us)
        pace->unwell_us = now_us;
    return now_us - pace->unwell_us > pace->lag_s * SECOND_US;
}

int
follow_pace_older(struct follow_pace *pace)
{
    int pause_s = pace->pause_s ? pace->pause_s : 1;

    pace->well_us = 0;
    pace->pause_s = pause_s * 2 < LONGEST_S ? pause_s * 2 : LONGEST_S;
    return pause_s;
}

int
follow_pace_failed(struct follow_pace *pace)
{
    pace->older_us = 0;
    return follow_pace_older(pace);
}

int
follow_pace_anew(struct follow_pace *pace)
{
    if (pace->pause_s)
        return follow_pace_failed(pace);
    pace->well_us = 0;
    pace->pause_s = 1;
    return 0;
}

bool
follow_pace_is_restored(struct follow_pace *pace)
{
    int64_t now_us = clock_us();

    if (pace->older_us)
        pace->lagging_us += now_us - pace->older_us;
    pace->older_us = now_us;
    if (pace->lagging_us < pace->lag_s * SECOND_US)
        return false;
    pace->older_us = pace->lagging_us = 0;
    return true;
}

int
follow_pace_list(struct follow_pace *pace, bool applied)
{
    int64_t pause_us = pace->list_pause_us ? pace->list_pause_us * 2 : LIST_FIRST_S * SECOND_US;

    pace->list_us = pace->list_pause_us = 0;
    if (applied)
        return 0;
    pace->list_pause_us = pause_us < LIST_LAST_S * SECOND_US ? pause_us : LIST_LAST_S * SECOND_US;
    pace->list_us = clock_us() + pace->list_pause_us;
    return (int)(pace->list_pause_us / SECOND_US);
}

bool
follow_pace_list_is_due(const struct follow_pace *pace)
{
    return pace->list_us && clock_us() >= pace->list_us;
}

bool
follow_pace_read(const char *text, int64_t *ret_s)
{
    static const char units[] = "smhd";
    static const int seconds[] = { 1, 60, 3600, 86400 };
    char *end;
    const char *unit;
    long number;

    *ret_s = 0;
    if (!strcmp(text, "never"))
        return true;
    number = strtol(text, &end, 10);
    unit = *end ? strchr(units, *end) : NULL;
    if (number <= 0 || number > RELIST_MOST || !unit || end[1])
        return false;
    *ret_s = number * seconds[unit - units];
    return true;
}
