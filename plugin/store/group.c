/* Accepting many events at once: callers that come at the same time share a transaction, and a damaged page
 * stops only who needs it (design rule 3). What becomes of an event is decided by accept.c. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/store/accept.h"

/* Most events that share one commit: bounds how long a caller can wait for others. */
#define GROUP_MAX 2000

/* One call waiting for its commit; lives on its caller's stack. */
struct accept_call {
    struct event *const *events;
    struct store_answer *answers;
    size_t count;
    /* who has an event in this call that is not settled: "iss#uri" -> whether the host is to be asked */
    struct json_object *unsettled; /* NULL: nobody */
    int result;
    struct prov_error error;
    sem_t told; /* it is committed, or it is to lead */
    bool leads;
    struct accept_call *next;
};

static char *
subject_key(const struct event *event)
{
    char *key = NULL;

    return asprintf(&key, "%s#%s", event->iss, event->uri) < 0 ? NULL : key;
}

static int
note_unsettled(struct accept_call *call, const struct event *event, bool asks,
               struct prov_error *err)
{
    AUTO_FREE char *key = subject_key(event);

    if (!call->unsettled)
        call->unsettled = json_object_new_object();
    if (!key || !call->unsettled || json_put_bool(call->unsettled, key, asks))
        return error_nomem(err);
    return PROV_OK;
}

static void
forget_unsettled(struct accept_call *call)
{
    json_object_put(call->unsettled);
    call->unsettled = NULL;
}

/* Whether the event comes after one of its subject that is not settled, which it must not overtake;
 * then *answer says what becomes of it. */
static int
is_behind(const struct accept_call *call, const struct event *event, struct store_answer *answer,
          bool *ret, struct prov_error *err)
{
    AUTO_FREE char *key = NULL;

    *ret = false;
    if (!call->unsettled)
        return PROV_OK;
    key = subject_key(event);
    if (!key)
        return error_nomem(err);
    *ret = json_get(call->unsettled, key) != NULL;
    answer->waits = *ret && json_get_bool(call->unsettled, key, false);
    if (*ret && !answer->waits)
        error_set(&answer->error, PROV_E_STATE,
                  "an event of this user before it in the same call could not be accepted; submit "
                  "both again, in order");
    return PROV_OK;
}

/* Events that are looked up together: each of another subject, in the order in which they came. */
struct ahead {
    struct accept_call *calls[AHEAD_MOST];
    size_t places[AHEAD_MOST];
    const struct event *events[AHEAD_MOST];
    struct known known[AHEAD_MOST];
    struct pool pool; /* of what is known */
    size_t count;
};

static bool
stands_among(const struct ahead *ahead, const struct event *event)
{
    for (size_t i = 0; i < ahead->count; i++) {
        const struct event *other = ahead->events[i];
        if (event && !event->ignored && !other->ignored && strcmp(event->uri, other->uri) == 0 &&
            strcmp(event->iss, other->iss) == 0)
            return true;
    }
    return false;
}

/* Nothing, if the event was settled before it came here, or is settled by standing behind another. */
static int
add_ahead(struct ahead *ahead, struct accept_call *call, size_t place, struct prov_error *err)
{
    const struct event *event = call->events[place];
    bool behind = false;
    int r;

    if (!event)
        return PROV_OK;
    call->answers[place].asks = call->answers[place].waits = false;
    r = is_behind(call, event, &call->answers[place], &behind, err);
    if (r || behind)
        return r;
    ahead->calls[ahead->count] = call;
    ahead->places[ahead->count] = place;
    ahead->known[ahead->count] = NOTHING_KNOWN;
    ahead->events[ahead->count++] = event;
    return PROV_OK;
}

/* From *call and *place on, and moves them. An event of a user who stands among them already has to wait
 * until that one is folded. */
static int
look_ahead(struct ahead *ahead, struct accept_call **call, size_t *place, struct prov_error *err)
{
    int r = PROV_OK;

    while (*call && ahead->count < AHEAD_MOST && !r) {
        if (*place == (*call)->count) {
            *call = (*call)->next;
            *place = 0;
            continue;
        }
        if (stands_among(ahead, (*call)->events[*place]))
            break;
        r = add_ahead(ahead, *call, (*place)++, err);
    }
    return r;
}

static void
ahead_done(struct ahead *ahead)
{
    pool_done(&ahead->pool);
}

/* One of them, which nothing of its call must overtake. */
static int
fold_one(struct store *store, struct ahead *ahead, size_t i, int64_t now_us, struct prov_error *err)
{
    struct accept_call *call = ahead->calls[i];
    struct store_answer *answer = &call->answers[ahead->places[i]];
    int r = accept_fold_known(store, &ahead->pool, ahead->events[i], &ahead->known[i], now_us,
                              answer, err);

    return !r && answer->status == PROV_ANSWER_UNKNOWN
               ? note_unsettled(call, ahead->events[i], answer->asks, err)
               : r;
}

static int
fold_ahead(struct store *store, struct ahead *ahead, int64_t now_us, struct prov_error *err)
{
    int r = PROV_OK;

    if (ahead->count)
        r = accept_look(store, &ahead->pool, ahead->events, ahead->count, ahead->known, err);
    for (size_t i = 0; i < ahead->count && !r; i++)
        r = fold_one(store, ahead, i, now_us, err);
    return r;
}

/* ---- a group ---- */

/* Calls that share a transaction, in the order in which they came. */
struct accept_group {
    struct accept_call *first, *last;
    size_t events;
};

/* Takes those who wait into the group, oldest first, until it is full; the first of those taken, or NULL. */
static struct accept_call *
take_waiting(struct store *store, struct accept_group *group)
{
    struct accept_call *first, *last = NULL;

    pthread_mutex_lock(&store->queue_lock);
    first = store->queue_head;
    for (struct accept_call *call = first;
         call && (!group->first || group->events + call->count <= GROUP_MAX); call = call->next) {
        group->first = group->first ? group->first : call;
        group->events += call->count;
        last = call;
    }
    if (last) {
        store->queue_head = last->next;
        if (!store->queue_head)
            store->queue_tail = &store->queue_head;
        last->next = NULL;
    }
    pthread_mutex_unlock(&store->queue_lock);
    if (!last)
        return NULL;
    if (group->last)
        group->last->next = first;
    group->last = last;
    return first;
}

static int
fold_calls(struct store *store, struct accept_call *call, int64_t now_us, struct prov_error *err)
{
    size_t place = 0;
    int r = PROV_OK;

    while (call && !r) {
        CLEANUP(ahead_done) struct ahead ahead = { .count = 0 };
        r = look_ahead(&ahead, &call, &place, err);
        if (!r)
            r = fold_ahead(store, &ahead, now_us, err);
    }
    return r;
}

/* Who comes while others are folded is folded behind them, and needs no flush of his own. A failure of the
 * store ends the whole transaction, since nothing after it can be trusted. */
static int
fold_group(struct store *store, struct accept_group *group, struct prov_error *err)
{
    struct accept_call *more;
    int r = PROV_OK;

    while (!r && (more = take_waiting(store, group)))
        r = fold_calls(store, more, clock_now_us(), err);
    return r;
}

/* ---- around a damaged page ---- */

static void
set_unknown(struct store_answer *answer, const struct prov_error *error)
{
    answer->status = PROV_ANSWER_UNKNOWN;
    answer->duplicate = answer->asks = answer->waits = false;
    answer->version = 0;
    if (error)
        answer->error = *error;
}

static int
commit_one(struct store *store, struct accept_call *call, size_t place, struct prov_error *err)
{
    CLEANUP(ahead_done) struct ahead ahead = { .count = 0 };
    int r = db_begin(store->write, err);

    if (r)
        return r;
    r = add_ahead(&ahead, call, place, err);
    if (!r)
        r = fold_ahead(store, &ahead, clock_now_us(), err);
    return store_end(store, r, err);
}

/* Each event of a call in a transaction of its own, so that only those fail that need the damaged page,
 * and what comes after them of the same user. Other failures end it, for the calls behind it too: `r` and *err are
 * what the one before has returned. */
static int
commit_singly(struct store *store, struct accept_call *call, int r, struct prov_error *err)
{
    forget_unsettled(call);
    for (size_t i = 0; i < call->count; i++) {
        struct store_answer *answer = &call->answers[i];
        if (!call->events[i])
            continue;
        if (answer->status != PROV_ANSWER_UNKNOWN) /* what the transaction that failed said */
            set_unknown(answer, &(struct prov_error)PROV_ERROR_INIT);
        if (!r)
            r = commit_one(store, call, i, err);
        if (!r)
            continue;
        set_unknown(answer, err);
        if (db_met_damage(store->write))
            r = note_unsettled(call, call->events[i], false, err);
    }
    return r;
}

/* Commits for all who wait, up to a group; *group is who they were, also if it fails. */
static int
commit_group(struct store *store, struct accept_group *group, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    struct db *db;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_begin(db, err);
    if (r) {
        (void)take_waiting(store, group);
        return r;
    }
    (void)db_met_damage(db);
    r = store_end(store, fold_group(store, group, err), err);
    if (!r || !db_met_damage(db))
        return r;
    r = PROV_OK;
    for (struct accept_call *call = group->first; call; call = call->next)
        r = commit_singly(store, call, r, err);
    return PROV_OK; /* the answers say the rest */
}

static void
answer_unknown(struct accept_call *call, int result, const struct prov_error *error)
{
    call->result = result;
    call->error = *error;
    for (size_t i = 0; i < call->count; i++) {
        if (!call->events[i])
            continue;
        set_unknown(&call->answers[i], error);
    }
}

/* Whoever stands first in the queue leads next, if anybody waits. */
static struct accept_call *
choose_leader(struct store *store)
{
    struct accept_call *next;

    pthread_mutex_lock(&store->queue_lock);
    next = store->queue_head;
    store->leading = next != NULL;
    pthread_mutex_unlock(&store->queue_lock);
    return next;
}

/* Mine stands first among those who wait. The next leader is woken last, so that who comes again at once with
 * his next call shares that commit, instead of every second one. */
static void
lead(struct store *store, struct accept_call *mine)
{
    struct prov_error error = PROV_ERROR_INIT;
    struct accept_group group = { NULL };
    struct accept_call *leader, *next;
    int r = commit_group(store, &group, &error);

    for (struct accept_call *call = group.first; call; call = next) {
        next = call->next; /* the call is gone as soon as its owner is told */
        forget_unsettled(call);
        if (r)
            answer_unknown(call, r, &error);
        if (call != mine)
            sem_post(&call->told);
    }
    leader = choose_leader(store);
    if (leader) {
        leader->leads = true;
        sem_post(&leader->told);
    }
}

/* Puts the call behind the others. Whether it leads at once, since nobody does; else it is told. */
static bool
enter_queue(struct store *store, struct accept_call *call)
{
    bool leads;

    pthread_mutex_lock(&store->queue_lock);
    *store->queue_tail = call;
    store->queue_tail = &call->next;
    leads = call->leads = !store->leading;
    store->leading = true;
    pthread_mutex_unlock(&store->queue_lock);
    return leads;
}

int
store_accept(struct store *store, struct event *const *events, size_t count,
             struct store_answer *answers, struct prov_error *err)
{
    struct accept_call call = { .events = events, .answers = answers, .count = count };
    bool told;

    sem_init(&call.told, 0, 0);
    told = enter_queue(store, &call);
    while (!told)
        told = sem_wait(&call.told) == 0; /* else a signal of the host's came */
    if (call.leads)
        lead(store, &call);
    sem_destroy(&call.told);
    if (call.leads)
        store_sweep_after(store);
    if (call.result)
        return error_set(err, call.result, "%s", call.error.text);
    return PROV_OK;
}
