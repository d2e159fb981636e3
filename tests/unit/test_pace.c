/* When a directory is tried again, and when an older one counts as restored. */
#include "tests/unit/unit.h"

#include "hosts/cli/drive.h"
#include "hosts/cli/follow_pace.h"

static int64_t now_s = 1000;

/* In the place of the machine's. */
int64_t
clock_us(void)
{
    return now_s * 1000000;
}

static bool
is_restored_after(struct follow_pace *pace, int seconds)
{
    now_s += seconds;
    return follow_pace_is_restored(pace);
}

static void
who_is_older_for_long_counts_as_restored(void)
{
    struct follow_pace pace = { .lag_s = 600 };

    T_TRUE(!is_restored_after(&pace, 0) && !is_restored_after(&pace, 599));
    T_INT(follow_pace_older(&pace), 1);
    T_TRUE(is_restored_after(&pace, 1));
    T_TRUE(!is_restored_after(&pace, 1)); /* it begins anew */
    follow_pace_well(&pace);
    T_TRUE(!is_restored_after(&pace, 600) && is_restored_after(&pace, 600));
}

static void
who_cannot_be_reached_does_not_lag_meanwhile(void)
{
    struct follow_pace pace = { .lag_s = 600 };

    T_TRUE(!is_restored_after(&pace, 0) && !is_restored_after(&pace, 300));
    T_INT(follow_pace_failed(&pace), 1);
    T_TRUE(!is_restored_after(&pace, 86400)); /* it comes back */
    T_TRUE(!is_restored_after(&pace, 299) && is_restored_after(&pace, 1));
}

static void
a_pause_doubles_until_all_went_well_for_a_while(void)
{
    static const int pauses[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
    struct follow_pace pace = { .lag_s = 600 };

    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
        T_INT(i % 2 ? follow_pace_failed(&pace) : follow_pace_older(&pace), pauses[i]);
    follow_pace_well(&pace);
    T_INT(follow_pace_failed(&pace), 60);
    follow_pace_well(&pace);
    now_s += 61;
    follow_pace_well(&pace);
    T_INT(follow_pace_anew(&pace), 0);
    T_INT(follow_pace_anew(&pace), 1);
}

static void
how_often_is_a_number_and_a_unit(void)
{
    static const char *const wrong[] = { "",        "24",  "h",   "24 h",  "24hh",
                                         "0h",      "-1h", "24w", "Never", "99999999999999999999h",
                                         "9999999h" };
    int64_t seconds = -1;

    T_TRUE(follow_pace_read("24h", &seconds) && seconds == 86400);
    T_TRUE(follow_pace_read("90m", &seconds) && seconds == 5400);
    T_TRUE(follow_pace_read("7s", &seconds) && seconds == 7);
    T_TRUE(follow_pace_read("2d", &seconds) && seconds == 172800);
    T_TRUE(follow_pace_read("never", &seconds) && seconds == 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        T_TRUE(!follow_pace_read(wrong[i], &seconds));
}

static const struct unit_case cases[] = {
    UNIT_CASE(how_often_is_a_number_and_a_unit),
    UNIT_CASE(who_is_older_for_long_counts_as_restored),
    UNIT_CASE(who_cannot_be_reached_does_not_lag_meanwhile),
    UNIT_CASE(a_pause_doubles_until_all_went_well_for_a_while),
};

int
main(int argc, char **argv)
{
    return unit_run("pace", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
