/*
 * The loop: rounds until nothing is due, on the worker thread or on the caller's.
 *
 * Concurrency  delivery->lock is held for one round. thread_lock guards running, stopping, woken and ended.
 *              The worker waits for the bell, and for the store to be written into by other processes;
 *              `moved` tells that it has ended. The worker blocks all signals, so that the host's
 *              handlers run on the host's threads only (design rule 21).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/policy.h"

/* The longest pause after a round that failed. */
#define FAILED_MAX_US (60 * CLOCK_SECOND_US)

#ifdef __SANITIZE_THREAD__
#    include <sanitizer/tsan_interface.h>
#endif

/* ---- the host ---- */

/* After close() has given up waiting for the worker, the host's context may be gone. */
static void
write_log(void *context, int32_t level, const char *line)
{
    struct delivery *d = context;

    pthread_mutex_lock(&d->host_lock);
    if (!d->abandoned)
        d->host.log(d->host.context, level, line);
    pthread_mutex_unlock(&d->host_lock);
}

bool
host_told(struct delivery *d, const char *json)
{
    bool taken;

    pthread_mutex_lock(&d->host_lock);
    taken = !d->abandoned && d->host.outcome(d->host.context, json, strlen(json)) == 0;
    pthread_mutex_unlock(&d->host_lock);
    return taken;
}

/* Whether the lock was got before a time of the monotonic clock. ThreadSanitizer does not know
 * pthread_mutex_clocklock() and is told. */
static bool
lock_until(pthread_mutex_t *mutex, const struct timespec *until)
{
    if (pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, until) != 0)
        return false;
#ifdef __SANITIZE_THREAD__
    __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
    __tsan_mutex_post_lock(mutex, __tsan_mutex_try_lock, 0);
#endif
    return true;
}

/* A callback under way may end; but the host may have called close() with a lock that it needs. */
static void
abandon(struct delivery *d)
{
    struct timespec until;

    d->abandoned = true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    if (lock_until(&d->host_lock, &until))
        pthread_mutex_unlock(&d->host_lock);
}

/* ---- rounds ---- */

static struct stop
more_severe(struct stop a, struct stop b)
{
    return b.passage > a.passage ? b : a;
}

/* When there is something to do next; how much there is in all nobody asks at each round. `stop`: who
 * passes now; `moved`: somebody was settled in the round before. */
static int
outlook(struct delivery *d, struct stop stop, bool moved, struct prov_delivery *report,
        struct prov_error *err)
{
    int64_t next_us = 0, later_us = 0, password_us = 0, now = clock_now_us();
    bool any = false, urgent = false, some;
    int r = store_due_next(d->store, now, &any, &next_us, err);

    if (!r && d->fields->provision_passwords) {
        r = store_password_next(d->store, now, &password_us, err);
        any = any || password_us > 0;
        if (password_us > 0 && (next_us == 0 || password_us < next_us))
            next_us = password_us;
    }
    if (!r && stop.passage == PASS_LEAVERS)
        r = store_due_leavers_next(d->store, now, &urgent, &later_us, err);
    if (r)
        return r;
    some = any || next_us > 0; /* what is urgent is due at 0 */
    if (some && next_us < now)
        next_us = now;
    /* an urgent one that this round could not settle waits with the others */
    if (some && stop.passage != PASS_ALL && stop.until_us > next_us && !(urgent && moved))
        next_us = later_us && later_us < stop.until_us ? later_us : stop.until_us;
    report->next_due_us = next_us;
    if (!any) { /* a time that is left is of those who are parked, and tried again */
        report->state = PROV_DELIVERY_IDLE;
        return PROV_OK;
    }
    report->state = next_us > now ? PROV_DELIVERY_WAITING : PROV_DELIVERY_BUSY;
    return PROV_OK;
}

/* What is to be told to the host waits for no hold. */
static void
outlook_untold(const struct delivery *d, struct prov_delivery *report)
{
    int64_t left_us = d->telling.under_way ? 0 : d->untold.again.until_us - clock_monotonic_us();
    int64_t at_us = clock_now_us() + (left_us > 0 ? left_us : 0);

    if (!d->telling.under_way && !d->untold.some)
        return;
    if (report->next_due_us == 0 || at_us < report->next_due_us)
        report->next_due_us = at_us;
}

/* When to see whether what has no time of its own is over. */
static int64_t
look_again_us(const struct delivery *d)
{
    return clock_now_us() + d->fields->poll_interval_s * CLOCK_SECOND_US;
}

/* Another one delivers, and may end before it has done what is due. */
static void
leave_to_other(const struct delivery *d, struct prov_delivery *report)
{
    report->state = PROV_DELIVERY_ELSEWHERE;
    report->next_due_us = look_again_us(d);
}

/* After a round: what the host is told, and whether it is worth going on at once. */
static int
conclude(struct delivery *d, struct stop hold, bool moved, struct prov_delivery *report,
         bool *ret_more, struct prov_error *err)
{
    int r = outlook(d, more_severe(hold, org_pause(d)), moved, report, err);

    if (r)
        return r;
    if (hold.passage != PASS_ALL && report->state == PROV_DELIVERY_WAITING)
        report->state = PROV_DELIVERY_HELD;
    if (hold.passage == PASS_NOBODY && report->state != PROV_DELIVERY_IDLE) {
        report->state = PROV_DELIVERY_HELD;
        report->next_due_us = hold.until_us ? hold.until_us : look_again_us(d);
    }
    outlook_untold(d, report);
    *ret_more = (moved && report->state == PROV_DELIVERY_BUSY) || d->air.count > 0 ||
                d->forgetting.under_way || d->forgetting_history.under_way ||
                d->telling.under_way || d->shrinking.under_way;
    return PROV_OK;
}

/* One round under the lock. *ret_more: it is worth going on at once. */
static int
round_once(struct delivery *d, struct prov_delivery *report, bool *ret_more, struct prov_error *err)
{
    struct stop hold = { PASS_ALL, 0 }, stop = { PASS_ALL, 0 };
    bool held = false;
    size_t subjects = 0;
    int r = store_lease_take(d->store, &held, err);

    *ret_more = false;
    if (r)
        return r;
    if (!held) {
        r = outlook(d, stop, false, report, err);
        if (!r && report->state != PROV_DELIVERY_IDLE)
            leave_to_other(d, report);
        return r;
    }
    r = upkeep_step(d, err);
    if (!r)
        r = org_listen(d, err);
    if (!r)
        r = org_held(d, &hold, err);
    stop = more_severe(hold, org_pause(d));
    if (!r && stop.passage != PASS_ALL)
        r = round_land(d, report, err);
    if (!r && stop.passage != PASS_NOBODY) {
        r = round_run(d, stop.passage == PASS_LEAVERS, report, &subjects, err);
        if (!r) /* the round itself may have come to a hold */
            r = org_held(d, &hold, err);
        stop = more_severe(hold, org_pause(d));
    }
    if (!r && d->fields->provision_passwords && stop.passage == PASS_ALL) {
        r = password_run(d, &subjects, err);
        if (!r)
            r = org_held(d, &hold, err);
    }
    if (!r)
        r = conclude(d, hold, subjects > 0 || d->air.count > 0, report, ret_more, err);
    d->mended = d->mended && r;
    return r;
}

/* Under the lock, by whoever makes no other round: nothing stays in the air. */
static int
land(struct delivery *d, struct prov_delivery *report, bool *ret_more, struct prov_error *err)
{
    struct stop hold = { PASS_ALL, 0 };
    int r;

    if (d->air.count == 0)
        return PROV_OK;
    r = round_land(d, report, err);
    if (!r)
        r = org_held(d, &hold, err);
    return r ? r : conclude(d, hold, true, report, ret_more, err);
}

static struct timespec
after_us(int64_t us)
{
    struct timespec at;

    us = us > 0 ? us : 0;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(us / CLOCK_SECOND_US);
    at.tv_nsec += (long)(us % CLOCK_SECOND_US) * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* A file that is damaged where it says what is due, what is in flight, what users wait for, or what became of them,
 * would stop every round. Damage that is there again at the next one is the disk's, and the round has failed. */
static int
mend(struct delivery *d, const struct prov_error *why, struct prov_delivery *report, bool *ret_more,
     struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    struct store_mended mended;
    int r = store_mend(d->store, &mended, &ignored);

    if (mended.due)
        log_line(
            &d->log, PROV_LOG_ERROR,
            "what was due could not be read, and was made anew from what is known of each user; a "
            "replan, repair or release that was ordered has to be ordered again: %s",
            why->text);
    if (mended.news)
        log_line(&d->log, PROV_LOG_ERROR,
                 "who has news could not be read from the events, and is found by what is known of "
                 "each user: %s",
                 why->text);
    if (mended.flight)
        log_line(&d->log, PROV_LOG_ERROR,
                 "what is in flight could not be read: everybody who is due is read back from the "
                 "org, and what is not there is sent again after settle_window_s: %s",
                 why->text);
    if (mended.wait)
        log_line(
            &d->log, PROV_LOG_ERROR,
            "what users wait for could not be read: whoever may wait is planned anew, and waits "
            "from now on: %s",
            why->text);
    if (mended.history)
        log_line(&d->log, PROV_LOG_ERROR,
                 "what became of users could not be read, and is kept from now on anew: %s",
                 why->text);
    if (r || d->mended ||
        !(mended.due || mended.news || mended.flight || mended.wait || mended.history))
        return error_set(err, PROV_E_STORE, "%s", why->text);
    d->mended = true;
    report->state = PROV_DELIVERY_BUSY;
    report->next_due_us = clock_now_us();
    *ret_more = true;
    return PROV_OK;
}

/* After a round that failed, mostly for the store: when the next one is to be. */
static void
put_off_next(struct delivery *d, struct prov_delivery *report)
{
    struct policy_limits limits = { d->fields->retry_first_s * CLOCK_SECOND_US,
                                    d->fields->retry_max_s * CLOCK_SECOND_US };

    if (limits.max_us > FAILED_MAX_US)
        limits.max_us = FAILED_MAX_US;
    report->state = PROV_DELIVERY_WAITING;
    report->next_due_us =
        clock_now_us() + policy_retry_after_us(&limits, d->failures++, 0, random_below(UINT64_MAX));
}

/* A step, round_once() or land(), when the one under way on another thread is over; none if that takes longer
 * than wait_us (and a second, so that who calls in a loop does not spin). One that was fenced out drops the
 * lease and leaves everything to the new holder. */
static int
guarded(struct delivery *d,
        int (*step)(struct delivery *, struct prov_delivery *, bool *, struct prov_error *),
        int64_t wait_us, struct prov_delivery *report, bool *ret_more, struct prov_error *err)
{
    struct timespec until = after_us(wait_us > CLOCK_SECOND_US ? wait_us : CLOCK_SECOND_US);
    struct prov_error why = PROV_ERROR_INIT, ignored = PROV_ERROR_INIT;
    struct sf_usage before, after;
    int r;

    *ret_more = false;
    if (!lock_until(&d->lock, &until)) {
        report->state = PROV_DELIVERY_BUSY;
        report->next_due_us = clock_now_us();
        return PROV_OK;
    }
    sf_session_usage(d->session, &before);
    r = step(d, report, ret_more, &why);
    if (r && round_land(d, report, &ignored) != PROV_OK)
        log_line(&d->log, PROV_LOG_WARNING,
                 "what became of calls under way could not be stored; it is read back: %s",
                 ignored.text);
    if (r == PROV_E_STORE)
        r = mend(d, &why, report, ret_more, err);
    else if (r)
        error_set(err, r, "%s", why.text);
    sf_session_usage(d->session, &after);
    report->api_calls += after.api_calls - before.api_calls;
    if (r == PROV_E_STATE) {
        log_line(&d->log, PROV_LOG_WARNING, "%s", err->text);
        store_lease_drop(d->store);
        d->had_lease = false;
        leave_to_other(d, report);
        r = PROV_OK;
    }
    if (r)
        put_off_next(d, report);
    else
        d->failures = 0;
    pthread_mutex_unlock(&d->lock);
    return r;
}

int
delivery_run(struct delivery *d, uint32_t max_ms, struct prov_delivery *ret, struct prov_error *err)
{
    int64_t end_us = clock_monotonic_us() + (int64_t)max_ms * 1000;
    struct prov_error why = PROV_ERROR_INIT;
    int64_t pending = 0;
    bool more = true;
    int r = PROV_OK;

    while (!r && more) {
        r = guarded(d, round_once, end_us - clock_monotonic_us(), ret, &more, &why);
        if (clock_monotonic_us() >= end_us)
            break;
    }
    if (!r && more)
        r = guarded(d, land, 0, ret, &more, &why);
    if (!r && store_due_count(d->store, clock_now_us(), &pending, &why)) {
        r = why.code;
        put_off_next(d, ret);
    }
    ret->pending = (uint64_t)pending;
    return r ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* ---- the thread ---- */

static bool
is_stopping(struct delivery *d)
{
    bool stopping;

    pthread_mutex_lock(&d->thread_lock);
    stopping = d->stopping;
    pthread_mutex_unlock(&d->thread_lock);
    return stopping;
}

/* Whether somebody rang. */
static bool
is_called(struct delivery *d)
{
    uint64_t rung;
    bool called;

    (void)!read(d->bell, &rung, sizeof(rung));
    pthread_mutex_lock(&d->thread_lock);
    called = d->stopping || d->woken;
    d->woken = false;
    pthread_mutex_unlock(&d->thread_lock);
    return called;
}

static void
ring(struct delivery *d)
{
    const uint64_t once = 1;

    /* it is full only if nobody has answered for ever, and then it is readable */
    (void)!write(d->bell, &once, sizeof(once));
}

/* How long to sleep: until the next due time, but look now and then for what other processes submitted. Who
 * does not deliver is not told of each commit: all that share the store would look at it. What is due, or to be told,
 * is nothing to him either, and stays so however often he looks. */
static void
wait_for_work(struct delivery *d, const struct prov_delivery *report)
{
    int64_t now = clock_now_us(), wait_us = d->fields->poll_interval_s * CLOCK_SECOND_US, end_us;
    bool holds = store_lease_held(d->store);

    if (holds && report->next_due_us > 0 && report->next_due_us - now < wait_us)
        wait_us = report->next_due_us > now ? report->next_due_us - now : 0;
    end_us = clock_monotonic_us() + wait_us;
    while (!is_called(d) && (wait_us = end_us - clock_monotonic_us()) > 0) {
        struct pollfd waits[] = { { .fd = d->bell, .events = POLLIN },
                                  { .fd = report->state == PROV_DELIVERY_ELSEWHERE ? -1 : d->watch,
                                    .events = POLLIN } };
        if (poll(waits, 2, (int)(wait_us / 1000 + 1)) > 0 && waits[1].revents &&
            store_watch_read(d->store, d->watch))
            break;
    }
    if (d->watch >= 0 && !is_stopping(d)) /* what came until now the next round finds */
        (void)store_watch_read(d->store, d->watch);
}

/* After a round that failed. Nobody who rings ends the pause, or each event would be a try, with the calls of one; but
 * whoever leaves must not wait for long once the disk has room again. */
static void
wait_after_failure(struct delivery *d, const struct prov_delivery *report)
{
    int64_t wait_us, end_us = clock_monotonic_us() + report->next_due_us - clock_now_us();

    while (!is_stopping(d) && (wait_us = end_us - clock_monotonic_us()) > 0) {
        struct pollfd bell = { .fd = d->bell, .events = POLLIN };
        (void)poll(&bell, 1, (int)(wait_us / 1000 + 1));
        (void)is_called(d);
    }
}

static void *
run_worker(void *argument)
{
    struct delivery *d = argument;
    struct prov_delivery report = { .size = sizeof(report) };
    struct prov_error error = PROV_ERROR_INIT;
    bool more = false;
    char said[sizeof(((struct prov_error *)0)->text)] = "";

    pthread_setname_np(pthread_self(), "sfprov");
    while (!is_stopping(d)) {
        int r;
        if (d->watch < 0) /* before the round looks, so that nothing is missed between */
            d->watch = store_watch(d->store);
        report = (struct prov_delivery){ .size = sizeof(report) };
        error = (struct prov_error)PROV_ERROR_INIT;
        r = guarded(d, round_once, 0, &report, &more, &error);
        if (r && strcmp(said, error.text) != 0) { /* once, not at every turn */
            snprintf(said, sizeof(said), "%s", error.text);
            log_line(&d->log, PROV_LOG_ERROR, "delivery: %s; it goes on when this passes", said);
        }
        if (r) {
            wait_after_failure(d, &report);
            continue;
        }
        said[0] = '\0';
        if (!more)
            wait_for_work(d, &report);
    }
    if (more && guarded(d, land, 0, &report, &more, &error) != PROV_OK)
        log_line(&d->log, PROV_LOG_ERROR, "delivery: %s", error.text);
    /* one that was given up keeps what it uses, but not the right to deliver */
    store_lease_drop(d->store);
    pthread_mutex_lock(&d->thread_lock);
    d->ended = true;
    pthread_cond_signal(&d->moved);
    pthread_mutex_unlock(&d->thread_lock);
    return NULL;
}

int
delivery_start(struct delivery *d, struct prov_error *err)
{
    sigset_t all, before;
    int r = 0;

    pthread_mutex_lock(&d->thread_lock);
    if (!d->running) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&d->thread, NULL, run_worker, d);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        d->running = r == 0;
    }
    pthread_mutex_unlock(&d->thread_lock);
    return r ? error_set(err, PROV_E_NOMEM, "the delivery thread cannot be started: %s",
                         strerror(r))
             : PROV_OK;
}

void
delivery_wake(struct delivery *d)
{
    pthread_mutex_lock(&d->thread_lock);
    d->woken = true;
    ring(d);
    pthread_mutex_unlock(&d->thread_lock);
}

/* Waits so long for the worker, which has been told to stop. Not by a join with a time: ThreadSanitizer
 * does not know that one. */
static bool
has_ended(struct delivery *d, uint32_t timeout_ms)
{
    struct timespec until = after_us((int64_t)timeout_ms * 1000);
    bool ended;

    pthread_mutex_lock(&d->thread_lock);
    while (!d->ended && pthread_cond_timedwait(&d->moved, &d->thread_lock, &until) == 0)
        ;
    ended = d->ended;
    pthread_mutex_unlock(&d->thread_lock);
    return ended;
}

bool
delivery_stop(struct delivery *d, uint32_t timeout_ms)
{
    bool running;

    pthread_mutex_lock(&d->thread_lock);
    d->stopping = true;
    running = d->running;
    ring(d);
    pthread_mutex_unlock(&d->thread_lock);
    sf_session_stop(d->session);
    if (!running)
        return true;
    if (has_ended(d, timeout_ms)) {
        pthread_join(d->thread, NULL);
        d->running = false;
        return true;
    }
    abandon(d);
    pthread_detach(d->thread);
    return false;
}

/* ---- life ---- */

int
delivery_new(const struct delivery_settings *settings, struct delivery **ret,
             struct prov_error *err)
{
    struct delivery *d = calloc(1, sizeof(*d));
    pthread_condattr_t monotonic;
    int r;

    if (!d)
        return error_nomem(err);
    d->store = settings->store;
    d->fields = settings->fields;
    if (settings->host)
        d->host = *settings->host;
    d->log = (struct log){ d, d->host.log ? write_log : NULL };
    d->keeps_reserve = true;
    r = login_session(d, 0, 0, err);
    if (r) {
        free(d);
        return r;
    }
    d->watch = -1;
    d->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->bell < 0) {
        error_set(err, PROV_E_STATE, "a descriptor cannot be made: %s", strerror(errno));
        sf_session_free(d->session);
        free(d);
        return PROV_E_STATE;
    }
    flights_init(&d->air, d->session);
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->host_lock, NULL);
    pthread_mutex_init(&d->thread_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *ret = d;
    return PROV_OK;
}

void
delivery_free(struct delivery *d)
{
    if (!d)
        return;
    json_object_put(d->names);
    facts_drop_lists(d);
    free(d->facts_index);
    json_object_put(d->facts);
    json_object_put(d->seats);
    json_object_put(d->woken_codes);
    refusals_forget(&d->seen);
    close(d->bell);
    if (d->watch >= 0)
        close(d->watch);
    flights_done(&d->air);
    sf_session_free(d->session);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->host_lock);
    pthread_mutex_destroy(&d->thread_lock);
    pthread_cond_destroy(&d->moved);
    free(d);
}
