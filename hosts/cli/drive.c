/*
 * Drives delivery for `run`, `sync` and `deliver`: one thread calls deliver() again and again, so
 * that reading and accepting never wait for Salesforce. Decides how long to pause between rounds
 * and when all is settled. What is sent, and when it is tried again, is the plugin's business.
 *
 * Concurrency: `view`, `asked` and `stop` belong to `lock`; the thread holds no lock while it is in
 * the plugin. Signals are blocked in the thread, so that they reach the reader.
 */
#include "hosts/cli/drive.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define ROUND_MS       1000u  /* longest stay in deliver(), but for a call under way */
#define PAUSE_IDLE_US  500000 /* to see what other processes submitted */
#define PAUSE_LEAST_US 20000
#define LOOK_US        200000 /* how often a waiting user sees something move */
#define STOP_S         15

struct drive {
    struct host *host;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct drive_view view;
    unsigned long asked;
    bool stop;
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
    (void)number;
    if (interrupted)
        _exit(CODE_INTERRUPTED);
    interrupted = 1;
}

void
interrupt_watch(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool
interrupt_seen(void)
{
    return interrupted != 0;
}

int64_t
clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Under lock: waits for a move, at most that long. */
static void
wait_us(struct drive *drive, int64_t microseconds)
{
    int64_t until = clock_us() + microseconds;
    struct timespec end = { .tv_sec = (time_t)(until / 1000000),
                            .tv_nsec = (long)(until % 1000000 * 1000) };

    pthread_cond_timedwait(&drive->moved, &drive->lock, &end);
}

static int64_t
pause_us(const struct drive_view *view)
{
    int64_t left;

    if (view->state == PROV_DELIVERY_BUSY)
        return 0;
    if (view->state != PROV_DELIVERY_WAITING || view->next_due_us == 0)
        return PAUSE_IDLE_US;
    left = view->next_due_us - wall_us();
    if (left < PAUSE_LEAST_US)
        return PAUSE_LEAST_US;
    return left < PAUSE_IDLE_US ? left : PAUSE_IDLE_US;
}

/* Another process delivers: its progress is seen in the store. */
static void
look_elsewhere(struct host *host, struct prov_delivery *delivery)
{
    struct prov_error err = { .size = sizeof(err) };
    struct json_object *status, *subjects;

    if (host_ask(host, host_request("query", "status"), &status, &err))
        return;
    subjects = reply_get(status, "subjects");
    delivery->pending =
        (uint64_t)(reply_number(subjects, "pending") + reply_number(subjects, "in_flight"));
    if (!strcmp(reply_word(status, "state"), "held"))
        delivery->state = PROV_DELIVERY_HELD;
    json_object_put(status);
}

/* Under lock. `asked` is what the round knew of. */
static void
record(struct drive *drive, const struct prov_delivery *delivery, unsigned long asked)
{
    struct drive_view *view = &drive->view;

    view->delivered += delivery->delivered;
    view->parked += delivery->refused;
    view->retried += delivery->retried;
    view->api_calls += delivery->api_calls;
    view->pending = delivery->pending;
    view->state = delivery->state;
    view->next_due_us = delivery->next_due_us;
    view->settled = asked == drive->asked &&
                    (delivery->state == PROV_DELIVERY_IDLE ||
                     (delivery->state == PROV_DELIVERY_ELSEWHERE && delivery->pending == 0));
}

static void *
deliver_rounds(void *argument)
{
    struct drive *drive = argument;
    struct prov_error err = { .size = sizeof(err) };

    pthread_mutex_lock(&drive->lock);
    while (!drive->stop) {
        struct prov_delivery delivery = { .size = sizeof(delivery) };
        unsigned long asked = drive->asked;
        int32_t result;
        int64_t until;

        pthread_mutex_unlock(&drive->lock);
        result = drive->host->api.deliver(drive->host->connector, ROUND_MS, &delivery, &err);
        if (!result && delivery.state == PROV_DELIVERY_ELSEWHERE)
            look_elsewhere(drive->host, &delivery);
        pthread_mutex_lock(&drive->lock);
        if (result) {
            drive->view.code = result;
            memcpy(drive->view.error, err.text, sizeof(drive->view.error));
            break;
        }
        record(drive, &delivery, asked);
        pthread_cond_broadcast(&drive->moved);
        until = clock_us() + pause_us(&drive->view);
        while (!drive->stop && drive->asked == asked && clock_us() < until)
            wait_us(drive, until - clock_us());
    }
    pthread_cond_broadcast(&drive->moved);
    pthread_mutex_unlock(&drive->lock);
    return NULL;
}

int
drive_start(struct host *host, struct drive **ret)
{
    struct drive *drive = calloc(1, sizeof(*drive));
    pthread_condattr_t attributes;
    sigset_t all, before;
    int reason;

    if (!drive) {
        complain("out of memory");
        return CODE_FAILED;
    }
    drive->host = host;
    pthread_mutex_init(&drive->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&drive->moved, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    reason = pthread_create(&drive->thread, NULL, deliver_rounds, drive);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason) {
        complain("cannot start a thread to deliver: %s", strerror(reason));
        free(drive);
        return CODE_FAILED;
    }
    *ret = drive;
    return CODE_DONE;
}

void
drive_kick(struct drive *drive)
{
    pthread_mutex_lock(&drive->lock);
    drive->asked++;
    drive->view.settled = false;
    pthread_cond_broadcast(&drive->moved);
    pthread_mutex_unlock(&drive->lock);
}

struct drive_view
drive_look(struct drive *drive)
{
    struct drive_view view;

    pthread_mutex_lock(&drive->lock);
    view = drive->view;
    pthread_mutex_unlock(&drive->lock);
    return view;
}

void
drive_progress(const struct drive_view *view, const char *prefix, int64_t since_us)
{
    int64_t left_us = view->next_due_us - wall_us();
    char waiting[64] = "";

    if (view->state == PROV_DELIVERY_WAITING && left_us > 1000000)
        snprintf(waiting, sizeof(waiting), ", next try in %" PRId64 " s", left_us / 1000000);
    else if (view->state == PROV_DELIVERY_ELSEWHERE)
        strcpy(waiting, ", another process delivers");
    screen_progress("%s%" PRIu64 " delivered, %" PRIu64 " parked, %" PRIu64 " pending, %" PRIu64
                    " API calls, %" PRId64 " s%s",
                    prefix, view->delivered, view->parked, view->pending, view->api_calls,
                    (clock_us() - since_us) / 1000000, waiting);
}

/* The exit code once the wait is over, -1 before. */
static int
verdict(const struct drive_view *view)
{
    if (view->code)
        return view->code == PROV_E_STATE ? CODE_UNFINISHED : CODE_FAILED;
    if (view->settled)
        return view->pending ? CODE_UNFINISHED : CODE_DONE;
    return view->state == PROV_DELIVERY_HELD ? CODE_UNFINISHED : -1;
}

int
drive_finish(struct drive *drive, long timeout_s, const char *prefix)
{
    int64_t start = clock_us(), limit = (int64_t)timeout_s * 1000000;
    int code;

    pthread_mutex_lock(&drive->lock);
    for (;;) {
        struct drive_view view = drive->view;

        code = verdict(&view);
        if (interrupt_seen())
            code = CODE_INTERRUPTED;
        else if (code < 0 && limit && clock_us() - start >= limit)
            code = CODE_UNFINISHED;
        if (code >= 0)
            break;
        pthread_mutex_unlock(&drive->lock);
        drive_progress(&view, prefix, start);
        pthread_mutex_lock(&drive->lock);
        wait_us(drive, LOOK_US);
    }
    pthread_mutex_unlock(&drive->lock);
    screen_progress_end();
    return code;
}

struct drive_view
drive_stop(struct drive *drive, int code)
{
    struct drive_view view;
    struct timespec until;

    pthread_mutex_lock(&drive->lock);
    drive->stop = true;
    pthread_cond_broadcast(&drive->moved);
    pthread_mutex_unlock(&drive->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_S;
    if (pthread_timedjoin_np(drive->thread, NULL, &until)) {
        complain("a call to Salesforce is still under way; the next delivery will find out what "
                 "became of it");
        fflush(NULL);
        _exit(code);
    }
    view = drive->view;
    pthread_cond_destroy(&drive->moved);
    pthread_mutex_destroy(&drive->lock);
    free(drive);
    return view;
}

struct json_object *
drive_summary(const struct drive_view *view, int code)
{
    static const char *const words[] = { [0] = "none",
                                         [PROV_DELIVERY_IDLE] = "idle",
                                         [PROV_DELIVERY_BUSY] = "busy",
                                         [PROV_DELIVERY_WAITING] = "waiting",
                                         [PROV_DELIVERY_HELD] = "held",
                                         [PROV_DELIVERY_ELSEWHERE] = "elsewhere" };
    struct json_object *summary = json_object_new_object();

    reply_put_text(summary, "state",
                   view->state < sizeof(words) / sizeof(words[0]) ? words[view->state] : "unknown");
    reply_put(summary, "finished", json_object_new_boolean(code == CODE_DONE));
    reply_put(summary, "delivered", json_object_new_int64((int64_t)view->delivered));
    reply_put(summary, "parked", json_object_new_int64((int64_t)view->parked));
    reply_put(summary, "retried", json_object_new_int64((int64_t)view->retried));
    reply_put(summary, "pending", json_object_new_int64((int64_t)view->pending));
    reply_put(summary, "api_calls", json_object_new_int64((int64_t)view->api_calls));
    return summary;
}

static void
explain_hold(struct host *host)
{
    struct json_object *status, *hold;

    if (host_query(host, host_request("query", "status"), &status))
        return;
    hold = reply_get(status, "hold");
    if (!host_error_logged()) {
        complain("delivery is on hold: %s", reply_word(hold, "reason"));
        if (reply_text(hold, "cause"))
            complain("cause: %s", reply_text(hold, "cause"));
        if (reply_text(hold, "remedy"))
            complain("remedy: %s", reply_text(hold, "remedy"));
    }
    complain("'sfprov resume' ends the hold, then 'sfprov deliver' tries it at once");
    json_object_put(status);
}

void
drive_explain(struct host *host, const struct drive_view *view, int code)
{
    if (code == CODE_INTERRUPTED)
        complain("interrupted; everything accepted is kept, 'sfprov deliver' goes on with it");
    else if (view->code)
        complain("cannot deliver: %s", view->error);
    else if (code == CODE_UNFINISHED && view->state == PROV_DELIVERY_HELD)
        explain_hold(host);
    else if (code == CODE_UNFINISHED)
        complain("not finished: %" PRIu64
                 " %s not settled yet%s; 'sfprov status' tells how far it is",
                 view->pending, view->pending == 1 ? "user is" : "users are",
                 view->state == PROV_DELIVERY_ELSEWHERE ? ", another process delivers" : "");
}
