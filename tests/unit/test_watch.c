/* The limit of the torture for who hangs: it must not take for one who was stopped, or was not given the time. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/torture/watch.h"

static int told[2]; /* a pipe: what the limit's function did */

static void
tell(void)
{
    if (write(told[1], "!", 1) != 1)
        abort();
}

static void
hang_too(void)
{
    for (;;)
        pause();
}

static void
wait_ms(long ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) != 0)
        ;
}

/* A process that has a second, and waits so long. */
static pid_t
start(long ms, void (*over)(void))
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        watch_begin(1, over);
        wait_ms(ms);
        watch_end();
        _exit(0);
    }
    return child;
}

static int
end_of(pid_t child)
{
    int status = -1;

    T_INT(waitpid(child, &status, 0), child);
    return status;
}

static void
who_hangs_is_ended_and_tells_where(void)
{
    char byte = 0;
    int status;

    T_INT(pipe(told), 0);
    status = end_of(start(20000, tell));
    T_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    close(told[1]);
    T_INT(read(told[0], &byte, 1), 1);
    close(told[0]);
}

static void
who_cannot_even_tell_it_is_ended(void)
{
    int status = end_of(start(20000, hang_too));

    T_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static void
who_was_stopped_for_longer_does_not_hang(void)
{
    pid_t child = start(200, hang_too);

    wait_ms(50);
    T_INT(kill(child, SIGSTOP), 0);
    wait_ms(1500);
    T_INT(kill(child, SIGCONT), 0);
    T_INT(end_of(child), 0);
}

static const struct unit_case cases[] = {
    UNIT_CASE(who_hangs_is_ended_and_tells_where),
    UNIT_CASE(who_cannot_even_tell_it_is_ended),
    UNIT_CASE(who_was_stopped_for_longer_does_not_hang),
};

int
main(int argc, char **argv)
{
    return unit_run("watch", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
