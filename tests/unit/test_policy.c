/* When to try again: bounds, and values at which arithmetic wraps. */
#include "plugin/delivery/policy.h"
#include "tests/unit/unit.h"

#define S INT64_C(1000000)

static const uint64_t chances[] = { 0, 1, 12345678901234567, UINT64_MAX / 2, UINT64_MAX };

#define CHANCES (sizeof(chances) / sizeof(chances[0]))

static void
a_retry_waits_between_nothing_and_the_doubled_time(void)
{
    struct policy_limits limits = { 1 * S, 3600 * S };

    for (int64_t attempts = 0; attempts < 20; attempts++) {
        int64_t ceiling = attempts < 12 ? S << attempts : 3600 * S;
        if (ceiling > 3600 * S)
            ceiling = 3600 * S;
        for (size_t i = 0; i < CHANCES; i++) {
            int64_t delay = policy_retry_after_us(&limits, attempts, 0, chances[i]);
            T_TRUE(delay >= 50000 && delay <= ceiling);
        }
        T_INT(policy_retry_after_us(&limits, attempts, 0, (uint64_t)ceiling), ceiling);
        T_INT(policy_retry_after_us(&limits, attempts, 0, (uint64_t)ceiling + 1), 50000);
    }
}

static void
a_retry_never_comes_before_the_server_asked_for_it(void)
{
    struct policy_limits limits = { 1 * S, 60 * S };

    for (size_t i = 0; i < CHANCES; i++) {
        T_TRUE(policy_retry_after_us(&limits, 0, 5 * S, chances[i]) >= 5 * S);
        T_INT(policy_retry_after_us(&limits, 0, 7200 * S, chances[i]),
              7200 * S); /* above the cap */
    }
}

static void
a_retry_is_bounded_whatever_the_numbers(void)
{
    static const struct policy_limits all[] = {
        { 1, INT64_MAX }, { INT64_MAX, INT64_MAX }, { INT64_MAX, 1 }, { 0, 10 * S }, { 0, 0 }
    };
    static const int64_t attempts[] = { INT64_MIN, -1, 0, 1, 62, 63, 64, 1000, INT64_MAX };

    for (size_t l = 0; l < sizeof(all) / sizeof(all[0]); l++) {
        for (size_t a = 0; a < sizeof(attempts) / sizeof(attempts[0]); a++) {
            for (size_t i = 0; i < CHANCES; i++) {
                int64_t delay = policy_retry_after_us(&all[l], attempts[a], 0, chances[i]);
                T_TRUE(delay >= 50000);
                T_TRUE(delay <= all[l].max_us || delay == 50000);
            }
        }
    }
}

static void
probes_double_from_ten_seconds_to_an_hour(void)
{
    static const struct {
        int64_t probes, least_s;
    } cases[] = {
        { -1, 10 }, { 0, 10 }, { 1, 20 }, { 5, 320 }, { 8, 2560 }, { 9, 3600 }, { INT64_MAX, 3600 },
    };

    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        for (size_t i = 0; i < CHANCES; i++) {
            int64_t delay = policy_probe_after_us(cases[c].probes, 0, chances[i]);
            T_TRUE(delay >= cases[c].least_s * S);
            T_TRUE(delay <= cases[c].least_s * S * 5 / 4);
            T_INT(policy_probe_after_us(cases[c].probes, 86400 * S, chances[i]), 86400 * S);
        }
    }
}

static void
an_unknown_outcome_is_looked_at_until_the_window_is_over(void)
{
    const int64_t sent = 1800000000 * S, window = 600 * S;

    T_INT(policy_settle_at_us(sent, window, 0, sent), sent + S);
    T_INT(policy_settle_at_us(sent, window, 3, sent + 7 * S), sent + 15 * S);
    T_INT(policy_settle_at_us(sent, window, 6, sent + 100 * S), sent + 160 * S); /* a minute */
    T_INT(policy_settle_at_us(sent, window, INT64_MAX, sent + 100 * S), sent + 160 * S);
    T_INT(policy_settle_at_us(sent, window, 9, sent + 590 * S), sent + window); /* not later */
    T_INT(policy_settle_at_us(sent, window, 9, sent + window), sent + window);  /* now */
    T_INT(policy_settle_at_us(sent, window, 9, sent + 9000 * S), sent + 9000 * S);
    /* a clock that was set back, or a time that makes no sense, delays by a look at most */
    T_INT(policy_settle_at_us(sent, window, 0, sent - 3600 * S), sent - 3599 * S);
    T_INT(policy_settle_at_us(INT64_MAX, window, 0, sent), sent + S);
    T_INT(policy_settle_at_us(0, window, 0, sent), sent);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_retry_waits_between_nothing_and_the_doubled_time),
        UNIT_CASE(a_retry_never_comes_before_the_server_asked_for_it),
        UNIT_CASE(a_retry_is_bounded_whatever_the_numbers),
        UNIT_CASE(probes_double_from_ten_seconds_to_an_hour),
        UNIT_CASE(an_unknown_outcome_is_looked_at_until_the_window_is_over),
    };

    return unit_run("policy", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
