/* Back-off arithmetic (design 4; "Exponential Backoff And Jitter", AWS Architecture Blog 2015, full
 * jitter). Which outcome leads here is decided by the worker. */
#include "plugin/delivery/policy.h"

#define MINIMUM_US     INT64_C(50000)
#define PROBE_FIRST_US INT64_C(10000000)
#define PROBE_MAX_US   INT64_C(3600000000)
#define SETTLE_MAX_US  INT64_C(60000000)

/* first * 2^times, at most max, without overflow. */
static int64_t
doubled(int64_t first, int64_t times, int64_t max)
{
    int64_t value = first < max ? first : max;

    for (; times > 0 && value > 0 && value < max; times--)
        value = value > max / 2 ? max : value * 2;
    return value;
}

int64_t
policy_retry_after_us(const struct policy_limits *limits, int64_t attempts, int64_t asked_us,
                      uint64_t chance)
{
    int64_t ceiling = doubled(limits->first_us, attempts, limits->max_us);
    int64_t delay = (int64_t)(chance % ((uint64_t)ceiling + 1));

    if (delay < asked_us)
        delay = asked_us;
    return delay > MINIMUM_US ? delay : MINIMUM_US;
}

int64_t
policy_probe_after_us(int64_t probes, int64_t asked_us, uint64_t chance)
{
    int64_t delay = doubled(PROBE_FIRST_US, probes, PROBE_MAX_US);

    delay += (int64_t)(chance % (uint64_t)(delay / 4 + 1));
    return delay > asked_us ? delay : asked_us;
}

int64_t
policy_settle_at_us(int64_t at_us, int64_t window_us, int64_t attempts, int64_t now_us)
{
    int64_t next = now_us + doubled(1000000, attempts, SETTLE_MAX_US);
    int64_t end;

    /* at_us comes from the store: a value that makes no sense must not make the time wrap */
    if (__builtin_add_overflow(at_us, window_us, &end))
        end = INT64_MAX;
    return next < end ? next : end > now_us ? end : now_us;
}
