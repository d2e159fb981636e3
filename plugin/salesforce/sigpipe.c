/* Keeps a SIGPIPE of ours from the process that we live in. */
#include "plugin/salesforce/sigpipe.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

void
sigpipe_block(struct sigpipe_guard *guard)
{
    sigset_t pending, sigpipe;

    sigemptyset(&pending);
    sigpending(&pending);
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    /* one that is pending already is blocked already, and a second one leaves no trace */
    guard->active = !sigismember(&pending, SIGPIPE) &&
                    pthread_sigmask(SIG_BLOCK, &sigpipe, &guard->before) == 0;
}

void
sigpipe_restore(const struct sigpipe_guard *guard)
{
    const struct timespec at_once = { 0, 0 };
    sigset_t sigpipe;

    if (!guard->active)
        return;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
