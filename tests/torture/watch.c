/* Ticks are counted, not seconds: of all that come while a process is stopped it finds one. */
#include "tests/torture/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#define TICKS 30

static volatile sig_atomic_t ticks_left;
static void (*when_over)(void);

/* Should `when_over` hang as well, the next tick ends it. */
static void
on_tick(int signal_number)
{
    if (--ticks_left > 0)
        return;
    signal(signal_number, SIG_DFL);
    when_over();
    raise(signal_number);
}

static void
set_timer(long us)
{
    const struct timeval tick = { us / 1000000, us % 1000000 };
    const struct itimerval timer = { tick, tick };

    if (setitimer(ITIMER_REAL, &timer, NULL) != 0)
        abort();
}

void
watch_begin(int seconds, void (*over)(void))
{
    const struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART | SA_NODEFER };

    ticks_left = TICKS;
    when_over = over;
    if (sigaction(SIGALRM, &action, NULL) != 0)
        abort();
    set_timer(seconds * 1000000L / TICKS);
}

void
watch_end(void)
{
    set_timer(0);
}
