/* Accepting events: group commit, de-duplication, folding into the subject (design rules 1-5). What
 * an event means for a subject is decided by event_fold(); whether it can be planned, by delivery. */
#include "plugin/store/internal.h"

#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/scim/patch.h"

/* Most events that share one commit: bounds how long a caller can wait for others. */
#define GROUP_MAX 2000

/* One call waiting for its commit; lives on its caller's stack. */
struct accept_call {
    struct event *const *events;
    struct store_answer *answers;
    size_t count;
    int result;
    struct prov_error error;
    bool done;
    struct accept_call *next;
};

/* ---- one event ---- */

/* Whether the event is known already; then *answer is final. */
static int
find_duplicate(struct db *db, const struct event *event, struct store_answer *answer,
               bool *ret_known, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r = db_select(db, &rows, err, "SELECT version, digest FROM event WHERE iss = ? AND jti = ?",
                      "ss", event->iss, event->jti);

    if (!r)
        r = db_next(&rows, ret_known, err);
    if (r)
        return r;
    if (*ret_known && strcmp(db_text(&rows, 1), event->digest) != 0) {
        answer->status = PROV_ANSWER_REFUSED;
        error_set(&answer->error, PROV_E_INVALID,
                  "jti '%s' of issuer '%s' was accepted before with another content; give every "
                  "event a jti of its own",
                  event->jti, event->iss);
        return PROV_OK;
    }
    if (!*ret_known && event->txn) {
        r = db_select(db, &rows, err,
                      "SELECT version FROM event WHERE iss = ? AND txn = ? AND digest = ?", "sss",
                      event->iss, event->txn, event->digest);
        if (!r)
            r = db_next(&rows, ret_known, err);
        if (r)
            return r;
    }
    if (*ret_known) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->duplicate = true;
        answer->version = db_int(&rows, 0);
    }
    return PROV_OK;
}

static int
load_subject(struct db *db, const struct event *event, struct subject *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_select(db, &rows, err,
                      "SELECT " SUBJECT_COLUMNS " FROM subject s WHERE iss = ? AND uri = ?", "ss",
                      event->iss, event->uri);

    if (!r)
        r = db_next(&rows, &row, err);
    if (!r && row)
        r = subject_read(&rows, 0, ret, err);
    return r;
}

static int
write_event(struct db *db, const struct event *event, int64_t subject, int64_t version,
            int64_t now_us, struct prov_error *err)
{
    return db_run(db, err,
                  "INSERT INTO event (iss, jti, digest, txn, subject, version, kinds, received_us)"
                  " VALUES (?, ?, ?, ?, nullif(?, 0), ?, ?, ?)",
                  "ssssiisi", event->iss, event->jti, event->digest, event->txn, subject, version,
                  event->kinds, now_us);
}

bool
store_wants_active(const struct store *store, enum presence presence, struct json_object *resource)
{
    return presence == PRESENCE_IN && scim_is_active(resource) &&
           (!resource || !store->in_scope || store->in_scope(store->scope_context, resource));
}

/* Writes event, subject and due. */
static int
write_fold(struct store *store, const struct event *event, int64_t now_us, struct subject *subject,
           struct prov_error *err)
{
    struct db *db = store->write;
    AUTO_FREE char *resource = subject->resource ? json_text(subject->resource) : NULL;
    struct json_object *name = json_get_nocase(subject->resource, "userName", NULL);
    const char *user_name =
        json_object_is_type(name, json_type_string) ? json_object_get_string(name) : NULL;
    bool urgent = !store_wants_active(store, subject->presence, subject->resource);
    int64_t event_seq;
    int r;

    if (subject->resource && !resource)
        return error_nomem(err);
    subject->version++;
    r = write_event(db, event, subject->id, subject->version, now_us, err);
    if (r)
        return r;
    event_seq = db_last_key(db);
    if (subject->id == 0) {
        r = db_run(db, err,
                   "INSERT INTO subject (iss, uri, presence, resource, user_name, etag, version,"
                   " last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   "ssisssii", event->iss, event->uri, (int64_t)subject->presence, resource,
                   user_name, event->etag, subject->version, event_seq);
        subject->id = db_last_key(db);
        if (!r)
            r = db_run(db, err, "UPDATE event SET subject = ? WHERE seq = ?", "ii", subject->id,
                       event_seq);
    } else {
        r = db_run(db, err,
                   "UPDATE subject SET presence = ?, resource = ?, user_name = ?,"
                   " etag = coalesce(?, etag), version = ?, last_event = ? WHERE id = ?",
                   "isssiii", (int64_t)subject->presence, resource, user_name, event->etag,
                   subject->version, event_seq, subject->id);
    }
    if (!r)
        r = db_run(db, err, "INSERT INTO due (at, subject) VALUES (?, ?)", "ii",
                   urgent ? DUE_URGENT : DUE_NOW, subject->id);
    return r;
}

int
accept_fold(struct store *store, const struct event *event, int64_t now_us,
            struct store_answer *answer, struct prov_error *err)
{
    struct db *db = store->write;
    CLEANUP(subject_done) struct subject subject = { .presence = PRESENCE_IN };
    struct subject_state state;
    bool known = false, changed;
    int r = find_duplicate(db, event, answer, &known, err);

    if (r || known)
        return r;
    if (event->ignored) {
        answer->status = PROV_ANSWER_ACCEPTED;
        return write_event(db, event, 0, 0, now_us, err);
    }
    r = load_subject(db, event, &subject, err);
    if (r)
        return r;
    state = (struct subject_state){ subject.presence, STEAL(subject.resource) };
    r = event_fold(event, &state, &changed, &answer->error);
    subject.presence = state.presence;
    subject.resource = state.resource;
    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    if (r) {
        answer->status = PROV_ANSWER_REFUSED;
        return PROV_OK;
    }
    /* an event that changes nothing counts too: it releases a parked subject, and the story tells
     * that it came; the plan then finds no difference */
    r = write_fold(store, event, now_us, &subject, err);
    if (!r) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->version = subject.version;
    }
    return r;
}

/* ---- many events ---- */

/* One savepoint an event: what it wrote goes when it fails, the rest of the group stays. A failure
 * of the store itself ends the whole transaction, since nothing after it can be trusted. */
static int
fold_call(struct store *store, struct accept_call *call, int64_t now_us, struct prov_error *err)
{
    struct db *db = store->write;

    for (size_t i = 0; i < call->count; i++) {
        struct store_answer *answer = &call->answers[i];
        int r;

        if (!call->events[i]) /* refused before it came here */
            continue;
        r = db_run(db, err, "SAVEPOINT one", "");
        if (!r)
            r = accept_fold(store, call->events[i], now_us, answer, err);
        if (r)
            return r;
        if (answer->status == PROV_ANSWER_REFUSED)
            r = db_run(db, err, "ROLLBACK TO one", "");
        if (!r)
            r = db_run(db, err, "RELEASE one", "");
        if (r)
            return r;
    }
    return PROV_OK;
}

static int
commit_group(struct store *store, struct accept_call *group, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    struct db *db;
    int64_t now_us;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_begin(db, err);
    if (r)
        return r;
    now_us = clock_now_us();
    for (struct accept_call *call = group; call && !r; call = call->next)
        r = fold_call(store, call, now_us, err);
    if (r) {
        db_rollback(db);
        return r;
    }
    return db_commit(db, err);
}

static void
answer_unknown(struct accept_call *call, int result, const struct prov_error *error)
{
    call->result = result;
    call->error = *error;
    for (size_t i = 0; i < call->count; i++) {
        if (!call->events[i])
            continue;
        call->answers[i].status = PROV_ANSWER_UNKNOWN;
        call->answers[i].duplicate = false;
        call->answers[i].version = 0;
        call->answers[i].error = *error;
    }
}

/* Takes waiting calls off the queue, oldest first, up to GROUP_MAX events. */
static struct accept_call *
take_group(struct store *store)
{
    struct accept_call *group = store->queue_head, *last = group;
    size_t events = group->count;

    while (last->next && events + last->next->count <= GROUP_MAX) {
        last = last->next;
        events += last->count;
    }
    store->queue_head = last->next;
    if (!store->queue_head)
        store->queue_tail = &store->queue_head;
    last->next = NULL;
    return group;
}

/* The caller holds queue_lock and leads: commits for all who wait, itself among them. */
static void
lead(struct store *store, struct accept_call *mine)
{
    store->leading = true;
    while (!mine->done) {
        struct accept_call *group = take_group(store), *next;
        struct prov_error error = PROV_ERROR_INIT;
        int r;

        pthread_mutex_unlock(&store->queue_lock);
        r = commit_group(store, group, &error);
        pthread_mutex_lock(&store->queue_lock);
        for (struct accept_call *call = group; call; call = next) {
            next = call->next; /* the call is gone as soon as its owner sees `done` */
            if (r)
                answer_unknown(call, r, &error);
            call->done = true;
        }
        pthread_cond_broadcast(&store->queue_moved);
    }
    store->leading = false;
    pthread_cond_broadcast(&store->queue_moved); /* whoever came meanwhile leads on */
}

int
store_accept(struct store *store, struct event *const *events, size_t count,
             struct store_answer *answers, struct prov_error *err)
{
    struct accept_call call = { .events = events, .answers = answers, .count = count };

    pthread_mutex_lock(&store->queue_lock);
    *store->queue_tail = &call;
    store->queue_tail = &call.next;
    while (!call.done && store->leading)
        pthread_cond_wait(&store->queue_moved, &store->queue_lock);
    if (!call.done)
        lead(store, &call);
    pthread_mutex_unlock(&store->queue_lock);
    if (call.result)
        return error_set(err, call.result, "%s", call.error.text);
    return PROV_OK;
}
