/* The gate that a fork closes: a lock that sections share and that the forking thread holds alone.
 * What belongs into a section is decided where the library is called. */
#include "plugin/base/fork.h"

#include <pthread.h>

/* A fork does not wait for ever while many threads come and go: writers first. */
#define GATE PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP

static pthread_rwlock_t gate = GATE;
static pthread_once_t watched = PTHREAD_ONCE_INIT;

static void
close_gate(void)
{
    pthread_rwlock_wrlock(&gate);
}

static void
open_gate(void)
{
    pthread_rwlock_unlock(&gate);
}

/* And anew: the copy still counts the parent's threads that wait at the gate. */
static void
open_gate_in_child(void)
{
    open_gate();
    gate = (pthread_rwlock_t)GATE;
}

static void
watch(void)
{
    pthread_atfork(close_gate, open_gate, open_gate_in_child);
}

void
fork_gate_watch(void)
{
    pthread_once(&watched, watch);
}

int
fork_gate_enter(void)
{
    fork_gate_watch();
    return pthread_rwlock_rdlock(&gate) == 0;
}

void
fork_gate_leave(int *inside)
{
    if (*inside)
        pthread_rwlock_unlock(&gate);
}
