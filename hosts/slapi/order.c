/*
 * DNs share a few locks: two that share one wait for each other without need, and never go wrong. All
 * of them are taken from the first to the last, so nobody waits in a circle.
 */
#include "hosts/slapi/order.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define LOCKS 64

static struct {
    pthread_mutex_t lock;
    atomic_ulong count;
} locks[LOCKS] = { [0 ... LOCKS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

/* Of letters and digits alone: blanks and case do not make it another DN. */
static size_t
lock_of(const char *dn)
{
    size_t hash = 5381;

    for (; *dn; dn++) {
        unsigned byte = (unsigned char)*dn, letter = byte | 0x20;

        if (letter - 'a' < 26 || byte - '0' < 10)
            hash = hash * 33 + letter;
    }
    return hash % LOCKS;
}

void
order_hold(const char *dn)
{
    for (size_t i = dn ? lock_of(dn) : 0; i < LOCKS; i++) {
        pthread_mutex_lock(&locks[i].lock);
        if (dn)
            return;
    }
}

void
order_release(const char *dn)
{
    for (size_t i = dn ? lock_of(dn) : 0; i < LOCKS; i++) {
        locks[i].count++;
        pthread_mutex_unlock(&locks[i].lock);
        if (dn)
            return;
    }
}

unsigned long
order_count(const char *dn)
{
    return locks[lock_of(dn)].count;
}
