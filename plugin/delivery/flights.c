/*
 * Calls under way at the same time. It knows when one is over, and nothing of what came of it: that is
 * settled by the thread of the round, one call after the other (send.c).
 *
 * Concurrency  Each call that shares the time with others runs on a thread of its own, which touches the
 *              flight's batch, results and call, and the session; never the store, an item, or the host.
 *              Whoever holds delivery->lock starts them and waits for them: the next round may settle
 *              what this one began. Who stops delivering leaves none behind.
 */
#include <errno.h>
#include <signal.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

void
flight_free(struct flight *flight)
{
    if (!flight)
        return;
    item_list_release(flight->list);
    sf_batch_free(flight->batch);
    free(flight->results);
    free(flight->items);
    free(flight);
}

void
flights_init(struct flights *flights, struct sf_session *session)
{
    *flights = (struct flights){ .session = session };
    pthread_condattr_t by_monotonic;

    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&flights->lock, NULL);
    pthread_cond_init(&flights->landed, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
}

void
flights_done(struct flights *flights)
{
    pthread_mutex_destroy(&flights->lock);
    pthread_cond_destroy(&flights->landed);
}

static void
make_call(struct flights *flights, struct flight *flight)
{
    flight->result = sf_batch_send(flights->session, flight->batch, flight->urgency,
                                   flight->results, &flight->call);
}

static void *
fly_alone(void *argument)
{
    struct flight *flight = argument;
    struct flights *flights = flight->flights;

    pthread_setname_np(pthread_self(), "sfprov-call");
    make_call(flights, flight);
    pthread_mutex_lock(&flights->lock);
    flight->over = true;
    pthread_cond_signal(&flights->landed);
    pthread_mutex_unlock(&flights->lock);
    return NULL;
}

void
flights_start(struct flights *flights, struct flight *flight, bool alone)
{
    sigset_t all, before;

    flight->flights = flights;
    if (!alone) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        flight->has_thread = pthread_create(&flight->thread, NULL, fly_alone, flight) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (!flight->has_thread) { /* or there is none to be had: then it shares the time with nobody */
        make_call(flights, flight);
        flight->over = true;
    }
    flights->list[flights->count++] = flight;
}

/* The first that is over; `count`: none is. */
static size_t
first_over(const struct flights *flights)
{
    size_t at = 0;

    while (at < flights->count && !flights->list[at]->over)
        at++;
    return at;
}

struct flight *
flights_wait(struct flights *flights, int64_t most_us)
{
    bool ends = most_us != FLIGHTS_FOR_EVER;
    int64_t end_us = ends ? clock_monotonic_us() + most_us : 0;
    struct timespec end = { .tv_sec = (time_t)(end_us / CLOCK_SECOND_US),
                            .tv_nsec = (long)(end_us % CLOCK_SECOND_US * 1000) };
    struct flight *flight;
    size_t at;
    int r = 0;

    pthread_mutex_lock(&flights->lock);
    while ((at = first_over(flights)) == flights->count && r != ETIMEDOUT)
        r = ends ? pthread_cond_timedwait(&flights->landed, &flights->lock, &end)
                 : pthread_cond_wait(&flights->landed, &flights->lock);
    if (at == flights->count) {
        pthread_mutex_unlock(&flights->lock);
        return NULL;
    }
    flight = flights->list[at];
    flights->list[at] = flights->list[--flights->count];
    pthread_mutex_unlock(&flights->lock);
    if (flight->has_thread)
        pthread_join(flight->thread, NULL);
    return flight;
}
