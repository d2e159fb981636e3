/* Accepting one event: de-duplication, folding into the subject (design rules 1-5). What an event means for
 * a subject is decided by event_fold(); whether it can be planned, by delivery; who shares a transaction, by
 * group.c. */
#include "plugin/store/accept.h"

#include <string.h>

#include "plugin/scim/patch.h"

/* Of an event's digest so many hex digits are kept: 128 bits are enough to tell contents apart. */
#define DIGEST_LENGTH 32

static bool
is_digest_of(const struct event *event, const char *kept)
{
    return kept && strncmp(kept, event->digest, DIGEST_LENGTH) == 0;
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
    if (!is_digest_of(event, db_text(&rows, 1))) {
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

/* The transaction of the host by which the event may be known under another jti; NULL: by none. The digest knows
 * nothing of a password: two events that differ in it alone are not the same. */
static const char *
known_by(const struct event *event)
{
    return event->password ? NULL : event->txn;
}

/* An event that says to which transaction of the host it belongs may come again under another jti. It is
 * the same one only if nothing else came for the user since: of "off, on, off" in one transaction the
 * last is no repetition of the first. Then *answer is final. */
static int
answer_transaction(struct db *db, const struct event *event, const struct known *known,
                   struct store_answer *answer, struct prov_error *err)
{
    bool duplicate = false;
    int r = answer_known(db, event, answer, &duplicate, err); /* a jti that is known counts more */

    if (!r && !duplicate) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->duplicate = true;
        answer->version = known->repeated;
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
read_known(struct store *store, struct pool *pool, const struct db_rows *rows,
           const struct event *event, struct known *ret, struct prov_error *err)
{
    const char *text = builds_on_resource(event) ? db_text(rows, 6) : NULL;
    struct prov_error damage = PROV_ERROR_INIT;
    const char *name = db_text(rows, 5);

    ret->id = db_int(rows, 1);
    ret->version = db_int(rows, 2);
    ret->last_event = db_int(rows, 3);
    ret->state.presence = (enum presence)db_int(rows, 4);
    if (name && !(ret->user_name = pool_text(pool, name, strlen(name))))
        return error_nomem(err);
    if (tally_find(store, db_text(rows, 7), db_text(rows, 8), &ret->counted, err))
        return PROV_E_NOMEM;
    if (db_int(rows, 9) && is_digest_of(event, db_text(rows, 10)))
        ret->repeated = db_int(rows, 9);
    return text && value_parse(pool, text, strlen(text), "the resource", &ret->state.resource,
                               &damage) == PROV_E_NOMEM
               ? error_nomem(err)
               : PROV_OK;
}

/* The subject's last event is looked at only where there is a transaction to compare. */
#define SELECT_KNOWN                                                                               \
    "s.id, s.version, s.last_event, s.presence, s.user_name, s.resource, l.outcome,"               \
    " coalesce(l.code, ''), e.version, e.digest FROM "
#define JOIN_REST(txn)                                                                             \
    " LEFT JOIN link l ON l.subject = s.id AND l.settled_version >= s.version"                     \
    " LEFT JOIN event e ON e.seq = CASE WHEN " txn " NOT NULL THEN s.last_event END"               \
    " AND e.txn = " txn " WHERE "

int
accept_look(struct store *store, struct pool *pool, const struct event *const *events, size_t count,
            struct known *known, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    const char *keys[AHEAD_MOST][3] = { { NULL } };
    bool row = false;
    int r;

    for (size_t i = 0; i < count; i++) {
        keys[i][0] = events[i]->ignored ? NULL : events[i]->uri; /* NULL: of nobody */
        keys[i][1] = events[i]->iss;
        keys[i][2] = known_by(events[i]);
    }
    if (count > 1)
        r = db_select_texts(store->write, &rows, err,
                            "SELECT k.column1, " SELECT_KNOWN
                            "(VALUES (0, ?, ?, ?), (1, ?, ?, ?), (2, ?, ?, ?), (3, ?, ?, ?),"
                            " (4, ?, ?, ?), (5, ?, ?, ?), (6, ?, ?, ?), (7, ?, ?, ?)) k"
                            " CROSS JOIN subject s" JOIN_REST(
                                "k.column4") "s.uri = k.column2 AND s.iss = k.column3",
                            keys[0], 3 * AHEAD_MOST);
    else
        r = db_select_texts(store->write, &rows, err,
                            "SELECT 0, " SELECT_KNOWN
                            "subject s" JOIN_REST("?3") "s.uri = ?1 AND s.iss = ?2",
                            keys[0], 3);
    if (!r)
        r = db_next(&rows, &row, err);
    while (!r && row) {
        size_t i = (size_t)db_int(&rows, 0);
        r = read_known(store, pool, &rows, events[i], &known[i], err);
        if (!r)
            r = db_next(&rows, &row, err);
    }
    return r;
}

/* The id of a subject that is to be inserted; other writers wait for this transaction. */
static int
next_subject(struct store *store, int64_t *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = store->next_subject ? PROV_OK
                                : db_one_row(store->write, &rows, &row, err,
                                             "SELECT coalesce(max(id), 0) + 1 FROM subject", "");

    if (row)
        store->next_subject = db_int(&rows, 0);
    *ret = store->next_subject;
    return r;
}

/* *ret_seq 0: the jti is there already. */
static int
write_event(struct db *db, const struct event *event, const struct known *known, bool urgent,
            int64_t now_us, int64_t *ret_seq, struct prov_error *err)
{
    char digest[DIGEST_LENGTH + 1] = "";
    int r;

    memcpy(digest, event->digest, DIGEST_LENGTH);
    r = db_run(db, err,
               "INSERT INTO event (iss, jti, digest, txn, subject, version, previous, kinds,"
               " received_us, urgent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
               "ssssninsii", event->iss, event->jti, digest, event->txn, known->id, known->version,
               known->last_event, event->kinds, now_us, (int64_t)urgent);
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

/* Who is out by the connector fields leaves as urgently as who was told to (rule 7); of nothing nobody knows. */
static bool
is_urgent(const struct store *store, const struct subject_state *state)
{
    return state->presence != PRESENCE_IN ||
           (state->resource && !store_wants_active(store, state->presence, state->resource));
}

/* Writes the subject. The event makes it due (news.c), and who is to leave a row that goes ahead of the news. */
static int
write_subject(struct store *store, const struct event *event, const struct known *known,
              bool is_new, bool urgent, int64_t event_seq, struct prov_error *err)
{
    struct db *db = store->write;
    const struct subject_state *state = &known->state;
    AUTO_FREE char *own_text = NULL;
    const char *resource;
    const char *user_name = value_text(value_get_nocase(state->resource, "userName"));
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
    store->next_subject += is_new;
    tally_news(store, known->counted);
    return urgent ? db_run(db, err, "INSERT INTO due (at, seq, tie, subject) VALUES (0, ?, 0, ?)",
                           "ii", event_seq, known->id)
                  : PROV_OK;
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

/* Of an event that cannot be folded nothing is kept; it may be a known one all the same. */
static int
answer_unfoldable(struct db *db, const struct event *event, const struct prov_error *why,
                  struct store_answer *answer, struct prov_error *err)
{
    bool duplicate = false;
    int r = answer_known(db, event, answer, &duplicate, err);

    if (r || duplicate)
        return r;
    answer->status = PROV_ANSWER_REFUSED;
    answer->error = *why;
    return PROV_OK;
}

/* That the event is known is shown by the insert, without a look before. */
static int
fold_new(struct store *store, struct pool *pool, const struct event *event, struct known *known,
         int64_t now_us, struct store_answer *answer, struct prov_error *err)
{
    struct db *db = store->write;
    struct prov_error why = PROV_ERROR_INIT;
    bool is_new = known->id == 0, urgent = false, ignored;
    int64_t seq = 0;
    int r = event->ignored ? PROV_OK : event_fold(pool, event, &known->state, NULL, &why);

    if (r)
        return r == PROV_E_NOMEM ? error_nomem(err)
                                 : answer_unfoldable(db, event, &why, answer, err);
    if (!event->ignored) {
        known->version++;
        urgent = is_urgent(store, &known->state);
    }
    if (is_new && !event->ignored)
        r = next_subject(store, &known->id, err);
    if (!r)
        r = write_event(db, event, known, urgent, now_us, &seq, err);
    if (r)
        return r;
    if (seq == 0)
        return answer_known(db, event, answer, &ignored, err);
    /* an event that changes nothing counts too: it releases a parked subject, and the story tells that it
     * came; the plan then finds no difference */
    if (!event->ignored)
        r = write_subject(store, event, known, is_new, urgent, seq, err);
    if (!r && !event->ignored && event->password && store->key_source)
        r = command_keep(store, event, known->id, known->version, now_us, err);
    if (!r) {
        answer->status = PROV_ANSWER_ACCEPTED;
        answer->version = known->version;
    }
    return r;
}

int
accept_fold_known(struct store *store, struct pool *pool, const struct event *event,
                  struct known *known, int64_t now_us, struct store_answer *answer,
                  struct prov_error *err)
{
    if (known->repeated)
        return answer_transaction(store->write, event, known, answer, err);
    if (must_ask(event, known))
        return answer_unasked(store->write, event, known, answer, err);
    if (event->password && store->key_source && !event->ignored &&
        command_ready(store, &answer->error))
        return PROV_OK; /* nothing is kept of it, and the answer says why: to be submitted again */
    return fold_new(store, pool, event, known, now_us, answer, err);
}

int
accept_fold(struct store *store, const struct event *event, int64_t now_us,
            struct store_answer *answer, struct prov_error *err)
{
    AUTO_POOL struct pool pool = { NULL };
    struct known known = NOTHING_KNOWN;
    int r = accept_look(store, &pool, &event, 1, &known, err);

    return r ? r : accept_fold_known(store, &pool, event, &known, now_us, answer, err);
}
