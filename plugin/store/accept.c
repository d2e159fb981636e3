/* Accepting events: group commit, de-duplication, folding into the subject (design rules 1-5). What
 * an event means for a subject is decided by event_fold(); whether it can be planned, by delivery. */
#include "plugin/store/internal.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/scim/patch.h"

/* Most events that share one commit: bounds how long a caller can wait for others. */
#define GROUP_MAX 2000

/* Of an event's digest so many hex digits are kept: 128 bits are enough to tell contents apart. */
#define DIGEST_LENGTH 32

/* One call waiting for its commit; lives on its caller's stack. */
struct accept_call {
    struct event *const *events;
    struct store_answer *answers;
    size_t count;
    int result;
    struct prov_error error;
    sem_t told; /* it is committed, or it is to lead */
    bool leads;
    struct accept_call *next;
};

/* ---- one event ---- */

/* What is known of an event's subject. The resource is read only if the event changes a part of it:
 * most events bring a whole one. */
struct known {
    int64_t id; /* 0: never heard of */
    int64_t version, last_event;
    int64_t counted; /* as settled, there (tally_find) */
    const char *user_name;
    struct subject_state state;
    struct pool pool; /* of the name and the resource */
};

static void
known_done(struct known *known)
{
    pool_done(&known->pool);
}

/* The jti is known: the same event again, or another one under its name. Then *answer is final. */
static int
answer_known(struct db *db, const struct event *event, struct store_answer *answer, bool *ret_known,
             struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r = db_select(db, &rows, err, "SELECT version, digest FROM event WHERE iss = ? AND jti = ?",
                      "ss", event->iss, event->jti);

    if (!r)
        r = db_next(&rows, ret_known, err);
    if (r || !*ret_known)
        return r;
    if (strncmp(db_text(&rows, 1), event->digest, DIGEST_LENGTH) != 0) {
        answer->status = PROV_ANSWER_REFUSED;
        error_set(&answer->error, PROV_E_INVALID,
                  "jti '%s' of issuer '%s' was accepted before with another content; give every "
                  "event a jti of its own",
                  event->jti, event->iss);
        return PROV_OK;
    }
    answer->status = PROV_ANSWER_ACCEPTED;
    answer->duplicate = true;
    answer->version = db_int(&rows, 0);
    return PROV_OK;
}

/* An event that says to which transaction of the host it belongs may come again under another jti. It is
 * the same one only if nothing else came for the user since: of "off, on, off" in one transaction the
 * last is no repetition of the first. */
static int
find_transaction(struct db *db, const struct event *event, struct store_answer *answer,
                 bool *ret_known, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r = answer_known(db, event, answer, ret_known, err);

    if (r || *ret_known)
        return r;
    r = db_select(db, &rows, err,
                  "SELECT e.version FROM subject s JOIN event e ON e.seq = s.last_event"
                  " WHERE s.uri = ? AND s.iss = ? AND e.txn = ? AND e.digest = substr(?, 1, 32)",
                  "ssss", event->uri, event->iss, event->txn, event->digest);
    if (!r)
        r = db_next(&rows, ret_known, err);
    if (!r && *ret_known) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->duplicate = true;
        answer->version = db_int(&rows, 0);
    }
    return r;
}

/* Whether the event changes a part of what is known, or needs to know whether anything is, so that it
 * must be read. */
static bool
builds_on_resource(const struct event *event)
{
    return event->data == EVENT_PATCH || event->notice ||
           (event->data == EVENT_NO_DATA &&
            (event->active != EVENT_NO_SWITCH || event->feed == EVENT_FEED_ADD));
}

/* A resource that cannot be read is like one that was never seen: what changes a part of it has
 * nothing to change, and leaves it as it is; the next whole one replaces it. */
static int
read_known(struct store *store, const struct db_rows *rows, const struct event *event,
           struct known *ret, struct prov_error *err)
{
    const char *text = builds_on_resource(event) ? db_text(rows, 5) : NULL;
    struct prov_error damage = PROV_ERROR_INIT;
    const char *name = db_text(rows, 4);

    ret->id = db_int(rows, 0);
    ret->version = db_int(rows, 1);
    ret->last_event = db_int(rows, 2);
    ret->state.presence = (enum presence)db_int(rows, 3);
    if (name && !(ret->user_name = pool_text(&ret->pool, name, strlen(name))))
        return error_nomem(err);
    if (tally_find(store, db_text(rows, 6), db_text(rows, 7), &ret->counted, err))
        return PROV_E_NOMEM;
    return text && value_parse(&ret->pool, text, strlen(text), "the resource", &ret->state.resource,
                               &damage) == PROV_E_NOMEM
               ? error_nomem(err)
               : PROV_OK;
}

static int
load_known(struct store *store, const struct event *event, struct known *ret,
           struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(store->write, &rows, &row, err,
                       "SELECT s.id, s.version, s.last_event, s.presence, s.user_name, s.resource,"
                       " l.outcome, coalesce(l.code, '') FROM subject s LEFT JOIN link l"
                       " ON l.subject = s.id AND l.settled_version >= s.version"
                       " WHERE s.uri = ? AND s.iss = ?",
                       "ss", event->uri, event->iss);

    return !r && row ? read_known(store, &rows, event, ret, err) : r;
}

/* The id of a subject that is to be inserted; other writers wait for this transaction. */
static int
next_subject(struct db *db, int64_t *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_select(db, &rows, err, "SELECT coalesce(max(id), 0) + 1 FROM subject", "");

    if (!r)
        r = db_next(&rows, &row, err);
    *ret = row ? db_int(&rows, 0) : 0;
    return r;
}

/* *ret_seq 0: the jti is there already. */
static int
write_event(struct db *db, const struct event *event, const struct known *known, int64_t now_us,
            int64_t *ret_seq, struct prov_error *err)
{
    char digest[DIGEST_LENGTH + 1] = "";
    int r;

    memcpy(digest, event->digest, DIGEST_LENGTH);
    r = db_run(db, err,
               "INSERT INTO event (iss, jti, digest, txn, subject, version, previous, kinds,"
               " received_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
               "ssssninsi", event->iss, event->jti, digest, event->txn, known->id, known->version,
               known->last_event, event->kinds, now_us);
    *ret_seq = !r && db_changes(db) > 0 ? db_last_key(db) : 0;
    return r;
}

/* Writes a known subject: columns that stay as they are are not named, for the sake of their index. */
static int
update_subject(struct db *db, const struct event *event, const struct known *known,
               int64_t event_seq, const char *resource, const char *user_name,
               struct prov_error *err)
{
    const struct subject_state *state = &known->state;
    bool renamed =
        !user_name != !known->user_name || (user_name && strcmp(user_name, known->user_name) != 0);

    if (!resource)
        return db_run(db, err,
                      "UPDATE subject SET presence = ?, version = ?, last_event = ? WHERE id = ?",
                      "iiii", (int64_t)state->presence, known->version, event_seq, known->id);
    if (!renamed)
        return db_run(db, err,
                      "UPDATE subject SET presence = ?, resource = ?, etag = coalesce(?, etag),"
                      " version = ?, last_event = ? WHERE id = ?",
                      "issiii", (int64_t)state->presence, resource, event->etag, known->version,
                      event_seq, known->id);
    return db_run(db, err,
                  "UPDATE subject SET presence = ?, resource = ?, user_name = ?,"
                  " etag = coalesce(?, etag), version = ?, last_event = ? WHERE id = ?",
                  "isssiii", (int64_t)state->presence, resource, user_name, event->etag,
                  known->version, event_seq, known->id);
}

bool
store_wants_active(const struct store *store, enum presence presence, struct value *resource)
{
    return presence == PRESENCE_IN && scim_is_active(resource) &&
           (!resource || !store->in_scope || store->in_scope(store->scope_context, resource));
}

/* The canonical text of the resource after an event: in most cases the one that the event brings, which
 * was written when it was parsed. *ret is borrowed from *ret_own or from the event. */
static int
resource_text(const struct event *event, struct value *resource, char **ret_own, const char **ret,
              struct prov_error *err)
{
    *ret = NULL;
    if (!resource)
        return PROV_OK;
    if (resource == event->payload && event->payload_text) {
        *ret = event->payload_text;
        return PROV_OK;
    }
    *ret = *ret_own = value_canonical(resource);
    return *ret ? PROV_OK : error_nomem(err);
}

/* OR FAIL: the whole transaction is taken back if one fails, and to take back a statement alone SQLite would
 * keep copies of the pages it writes. */
#define INSERT_DUE "INSERT OR FAIL INTO due (at, seq, tie, subject) VALUES (?, ?, 0, ?)"
#define MORE_DUE   ", (?, ?, 0, ?)"

int
accept_write_due(struct store *store, struct prov_error *err)
{
    size_t count = store->news_count;
    int r = PROV_OK;

    store->news_count = 0;
    if (count == NEWS_MOST)
        return db_run_numbers(
            store->write, err,
            INSERT_DUE MORE_DUE MORE_DUE MORE_DUE MORE_DUE MORE_DUE MORE_DUE MORE_DUE,
            store->news[0], 3 * count);
    for (size_t i = 0; i < count && !r; i++)
        r = db_run_numbers(store->write, err, INSERT_DUE, store->news[i], 3);
    return r;
}

static int
make_due(struct store *store, int64_t at, int64_t event_seq, int64_t subject,
         struct prov_error *err)
{
    int64_t *row = store->news[store->news_count++];

    row[0] = at;
    row[1] = event_seq;
    row[2] = subject;
    return store->news_count == NEWS_MOST ? accept_write_due(store, err) : PROV_OK;
}

/* Writes the subject, and makes it due. */
static int
write_subject(struct store *store, const struct event *event, const struct known *known,
              bool is_new, int64_t event_seq, struct prov_error *err)
{
    struct db *db = store->write;
    const struct subject_state *state = &known->state;
    AUTO_FREE char *own_text = NULL;
    const char *resource;
    const char *user_name = value_text(value_get_nocase(state->resource, "userName"));
    /* who is out by the connector fields leaves as urgently (rule 7); of nothing nobody knows */
    bool urgent = state->presence != PRESENCE_IN ||
                  (state->resource && !store_wants_active(store, state->presence, state->resource));
    int r = resource_text(event, state->resource, &own_text, &resource, err);

    if (r)
        return r;
    if (is_new)
        r = db_run(db, err,
                   "INSERT INTO subject (id, iss, uri, presence, resource, user_name, etag,"
                   " version, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "ississsii", known->id, event->iss, event->uri, (int64_t)state->presence,
                   resource, user_name, event->etag, known->version, event_seq);
    else
        r = update_subject(db, event, known, event_seq, resource, user_name, err);
    if (r)
        return r;
    tally_news(store, known->counted);
    return make_due(store, urgent ? DUE_URGENT : DUE_NOW, event_seq, known->id, err);
}

/* What was written for an event that turned out to be refused. */
static int
take_back(struct db *db, int64_t event_seq, struct prov_error *err)
{
    return db_run(db, err, "DELETE FROM event WHERE seq = ?", "i", event_seq);
}

/* Whether the event cannot be folded before the host said what the resource is. What the host said of
 * another version than this one counts no more (design 6). */
static bool
must_ask(const struct event *event, const struct known *known)
{
    return event->can_ask && event_asks(event, &known->state) &&
           (event->ask == EVENT_NOT_ASKED || event->ask == EVENT_ASK_FAILED ||
            event->asked_version != known->version);
}

/* Nothing is kept of it: the host is to be asked, or was, and nobody knows. */
static int
answer_unasked(struct db *db, const struct event *event, const struct known *known,
               struct store_answer *answer, struct prov_error *err)
{
    bool duplicate = false;
    int r = answer_known(db, event, answer, &duplicate, err);

    if (r || duplicate)
        return r;
    answer->asks = event->ask != EVENT_ASK_FAILED;
    answer->version = answer->asks ? known->version : 0;
    return PROV_OK;
}

/* The event is written first: that shows, without a look before, whether it is known. */
static int
fold_new(struct store *store, const struct event *event, int64_t now_us,
         struct store_answer *answer, struct prov_error *err)
{
    struct db *db = store->write;
    CLEANUP(known_done)
    struct known known = { .counted = -1, .state = { .presence = PRESENCE_IN } };
    bool is_new, ignored;
    int64_t seq;
    int r = event->ignored ? PROV_OK : load_known(store, event, &known, err);

    if (!r && must_ask(event, &known))
        return answer_unasked(db, event, &known, answer, err);
    if (!r && event->password && store->key_source && !event->ignored &&
        command_ready(store, &answer->error))
        return PROV_OK; /* nothing is kept of it, and the answer says why: to be submitted again */
    is_new = known.id == 0;
    if (!r && is_new && !event->ignored)
        r = next_subject(db, &known.id, err);
    known.version += !event->ignored;
    if (!r)
        r = write_event(db, event, &known, now_us, &seq, err);
    if (r)
        return r;
    if (seq == 0)
        return answer_known(db, event, answer, &ignored, err);
    if (!event->ignored) {
        r = event_fold(&known.pool, event, &known.state, NULL, &answer->error);
        if (r == PROV_E_NOMEM)
            return error_nomem(err);
        if (r) {
            answer->status = PROV_ANSWER_REFUSED;
            return take_back(db, seq, err);
        }
        /* an event that changes nothing counts too: it releases a parked subject, and the story
         * tells that it came; the plan then finds no difference */
        r = write_subject(store, event, &known, is_new, seq, err);
        if (!r && event->password && store->key_source)
            r = command_keep(store, event, known.id, known.version, now_us, err);
    }
    if (!r) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->version = known.version;
    }
    return r;
}

int
accept_fold(struct store *store, const struct event *event, int64_t now_us,
            struct store_answer *answer, struct prov_error *err)
{
    bool known = false;
    /* the digest knows nothing of a password: two that differ in it alone are not the same */
    int r = event->txn && !event->password
                ? find_transaction(store->write, event, answer, &known, err)
                : PROV_OK;

    return r || known ? r : fold_new(store, event, now_us, answer, err);
}

/* ---- many events ---- */

/* Who has an event in this call that is not settled: "iss#uri" -> whether the host is to be asked. */
struct unsettled {
    struct json_object *subjects; /* NULL: nobody */
};

static void
unsettled_done(struct unsettled *unsettled)
{
    json_object_put(unsettled->subjects);
}

static char *
subject_key(const struct event *event)
{
    char *key = NULL;

    return asprintf(&key, "%s#%s", event->iss, event->uri) < 0 ? NULL : key;
}

static int
note_unsettled(struct unsettled *unsettled, const struct event *event, bool asks,
               struct prov_error *err)
{
    AUTO_FREE char *key = subject_key(event);

    if (!unsettled->subjects)
        unsettled->subjects = json_object_new_object();
    if (!key || !unsettled->subjects || json_put_bool(unsettled->subjects, key, asks))
        return error_nomem(err);
    return PROV_OK;
}

/* Whether the event comes after one of its subject that is not settled, which it must not overtake;
 * then *answer says what becomes of it. */
static int
is_behind(const struct unsettled *unsettled, const struct event *event, struct store_answer *answer,
          bool *ret, struct prov_error *err)
{
    AUTO_FREE char *key = NULL;

    *ret = false;
    if (!unsettled->subjects)
        return PROV_OK;
    key = subject_key(event);
    if (!key)
        return error_nomem(err);
    *ret = json_get(unsettled->subjects, key) != NULL;
    answer->waits = *ret && json_get_bool(unsettled->subjects, key, false);
    if (*ret && !answer->waits)
        error_set(&answer->error, PROV_E_STATE,
                  "an event of this user before it in the same call could not be accepted; submit "
                  "both again, in order");
    return PROV_OK;
}

/* One event of a call, which nothing must overtake. */
static int
fold_one(struct store *store, struct accept_call *call, size_t place, struct unsettled *unsettled,
         int64_t now_us, struct prov_error *err)
{
    struct store_answer *answer = &call->answers[place];
    const struct event *event = call->events[place];
    bool behind;
    int r;

    if (!event) /* settled before it came here */
        return PROV_OK;
    answer->asks = answer->waits = false;
    r = is_behind(unsettled, event, answer, &behind, err);
    if (!r && !behind)
        r = accept_fold(store, event, now_us, answer, err);
    if (!r && !behind && answer->status == PROV_ANSWER_UNKNOWN)
        r = note_unsettled(unsettled, event, answer->asks, err);
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
fold_calls(struct store *store, struct accept_call *first, int64_t now_us, struct prov_error *err)
{
    int r = PROV_OK;

    for (struct accept_call *call = first; call && !r; call = call->next) {
        CLEANUP(unsettled_done) struct unsettled unsettled = { NULL };
        for (size_t i = 0; i < call->count && !r; i++)
            r = fold_one(store, call, i, &unsettled, now_us, err);
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
commit_one(struct store *store, struct accept_call *call, size_t place, struct unsettled *unsettled,
           struct prov_error *err)
{
    int r = db_begin(store->write, err);

    if (r)
        return r;
    r = fold_one(store, call, place, unsettled, clock_now_us(), err);
    return store_end(store, r, err);
}

/* Each event of a call in a transaction of its own, so that only those fail that need the damaged page,
 * and what comes after them of the same user. Other failures end it. */
static int
commit_singly(struct store *store, struct accept_call *call, struct prov_error *err)
{
    CLEANUP(unsettled_done) struct unsettled unsettled = { NULL };
    int r = PROV_OK;

    for (size_t i = 0; i < call->count; i++) {
        struct store_answer *answer = &call->answers[i];
        if (!call->events[i])
            continue;
        if (answer->status != PROV_ANSWER_UNKNOWN) /* what the transaction that failed said */
            set_unknown(answer, &(struct prov_error)PROV_ERROR_INIT);
        if (!r)
            r = commit_one(store, call, i, &unsettled, err);
        if (!r)
            continue;
        set_unknown(answer, err);
        if (db_met_damage(store->write))
            r = note_unsettled(&unsettled, call->events[i], false, err);
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
    for (struct accept_call *call = group->first; call && !r; call = call->next)
        r = commit_singly(store, call, err);
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
