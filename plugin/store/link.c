/* What delivery reads and writes: due subjects with their links, facts, wake-ups. When and why is decided
 * by the delivery room. */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- memory ---- */

void
subject_done(struct subject *subject)
{
    free(subject->iss);
    free(subject->uri);
    json_object_put(subject->resource);
    *subject = (struct subject){ 0 };
}

void
link_done(struct link *link)
{
    char *const texts[] = { link->username_wanted, link->username_held, link->username_inputs,
                            link->outcome,         link->code,          link->message,
                            link->cause,           link->remedy,        link->last_action,
                            link->plan_digest,     link->waits_kind,    link->waits_value };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    json_object_put(link->confirmed);
    json_object_put(link->in_flight);
    *link = (struct link){ 0 };
}

void
work_done(struct work *work)
{
    subject_done(&work->subject);
    link_done(&work->link);
    free(work->due);
    free(work->unreadable);
    *work = (struct work){ 0 };
}

void
work_list_free(struct work *list, size_t count)
{
    for (size_t i = 0; list && i < count; i++)
        work_done(&list[i]);
    free(list);
}

/* ---- rows ---- */

static int
copy_text(const struct db_rows *rows, int column, char **ret, struct prov_error *err)
{
    const char *text = db_text(rows, column);

    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? error_nomem(err) : PROV_OK;
}

/* A value that is damaged is told by *ret_damaged and read as none: one bad row must not stop those
 * who are read with it. */
static int
copy_json(const struct db_rows *rows, int column, struct json_object **ret, bool *ret_damaged,
          struct prov_error *err)
{
    const char *text = db_text(rows, column);
    struct prov_error why = PROV_ERROR_INIT;
    int r = text ? json_parse(text, strlen(text), "a stored value", ret, &why) : PROV_OK;

    *ret_damaged = r && r != PROV_E_NOMEM;
    if (r || !text)
        *ret = NULL;
    return r == PROV_E_NOMEM ? error_nomem(err) : PROV_OK;
}

int
subject_read(const struct db_rows *rows, int first, struct subject *ret, struct prov_error *err)
{
    int r = copy_text(rows, first + 1, &ret->iss, err);

    ret->id = db_int(rows, first);
    ret->presence = (enum presence)db_int(rows, first + 3);
    ret->version = db_int(rows, first + 5);
    if (!r)
        r = copy_text(rows, first + 2, &ret->uri, err);
    if (!r)
        r = copy_json(rows, first + 4, &ret->resource, &ret->damaged, err);
    return r;
}

int
link_read(const struct db_rows *rows, int first, struct link *ret, struct prov_error *err)
{
    struct {
        int column;
        char **text;
    } const texts[] = {
        { 4, &ret->username_wanted }, { 5, &ret->username_held }, { 6, &ret->username_inputs },
        { 11, &ret->outcome },        { 12, &ret->code },         { 13, &ret->message },
        { 14, &ret->cause },          { 15, &ret->remedy },       { 16, &ret->last_action },
        { 17, &ret->plan_digest },    { 18, &ret->waits_kind },   { 19, &ret->waits_value },
    };
    const char *id = db_text(rows, first);
    int r;

    snprintf(ret->salesforce_id, sizeof(ret->salesforce_id), "%s", id ? id : "");
    ret->confirmed_version = db_int(rows, first + 2);
    ret->settled_version = db_int(rows, first + 3);
    ret->stored_version = ret->settled_version;
    ret->first_sent_us = db_int(rows, first + 8);
    ret->attempts = db_int(rows, first + 9);
    ret->next_us = db_int(rows, first + 10);
    ret->updated_us = db_int(rows, first + 20);
    ret->waits_since_us = db_int(rows, first + 22);
    ret->last_history = db_int(rows, first + 23);
    /* and what a row of `due` asks for that was read before */
    ret->orders |= (unsigned)db_int(rows, first + 21);
    r = copy_json(rows, first + 1, &ret->confirmed, &ret->damaged, err);
    if (!r)
        r = copy_json(rows, first + 7, &ret->in_flight, &ret->damaged_flight, err);
    for (size_t i = 0; !r && i < sizeof(texts) / sizeof(texts[0]); i++)
        r = copy_text(rows, first + texts[i].column, texts[i].text, err);
    return r;
}

/* An account that gives access, as far as was confirmed: for the guard. */
static bool
is_active(const struct link *link)
{
    return link->salesforce_id[0] && json_get_bool(link->confirmed, "IsActive", true) &&
           !json_get_bool(link->confirmed, "UserLogin.IsFrozen", false);
}

int
store_put_link(struct store *store, int64_t subject, const struct link *link,
               struct prov_error *err)
{
    AUTO_FREE char *confirmed = link->confirmed ? json_text(link->confirmed) : NULL;
    AUTO_FREE char *in_flight = link->in_flight ? json_text(link->in_flight) : NULL;

    bool active = is_active(link);
    int r;

    if ((link->confirmed && !confirmed) || (link->in_flight && !in_flight))
        return error_nomem(err);
    r = tally_link(store, subject, link, active, err);
    if (r)
        return r;
    return db_run(
        store->write, err,
        "INSERT INTO link (subject, salesforce_id, confirmed, confirmed_version,"
        " settled_version, username_wanted, username_held, username_inputs, in_flight,"
        " first_sent_us, attempts, next_us, outcome, code, message, cause, remedy,"
        " last_action, plan_digest, waits_kind, waits_value, waits_since_us, updated_us, orders,"
        " active, last_history)"
        " VALUES (?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ?, ?, ?, ?, ?)"
        " ON CONFLICT (subject) DO UPDATE SET salesforce_id = excluded.salesforce_id,"
        " confirmed = excluded.confirmed, confirmed_version ="
        " excluded.confirmed_version, settled_version = excluded.settled_version,"
        " username_wanted = excluded.username_wanted, username_held ="
        " excluded.username_held, username_inputs = excluded.username_inputs,"
        " in_flight = excluded.in_flight, first_sent_us = excluded.first_sent_us,"
        " attempts = excluded.attempts, next_us = excluded.next_us, outcome ="
        " excluded.outcome, code = excluded.code, message = excluded.message, cause ="
        " excluded.cause, remedy = excluded.remedy, last_action ="
        " excluded.last_action, plan_digest = excluded.plan_digest, waits_kind ="
        " excluded.waits_kind, waits_value = excluded.waits_value, waits_since_us ="
        " excluded.waits_since_us, updated_us ="
        " excluded.updated_us, orders = excluded.orders, active = excluded.active,"
        " last_history = excluded.last_history",
        "issiissssiiisssssssssiiiii", subject, link->salesforce_id, confirmed,
        link->confirmed_version, link->settled_version, link->username_wanted, link->username_held,
        link->username_inputs, in_flight, link->first_sent_us, link->attempts, link->next_us,
        link->outcome, link->code, link->message, link->cause, link->remedy, link->last_action,
        link->plan_digest, link->waits_kind, link->waits_value, link->waits_since_us,
        link->updated_us, (int64_t)link->orders, (int64_t)active, link->last_history);
}

/* ---- what is due ---- */

struct due_row {
    struct due_key key;
    int64_t subject;
    unsigned orders;
};

/* A time further away than any back-off means that the clock went backwards: due as well. */
#define CLOCK_JUMP_US (INT64_C(25) * 3600 * 1000000)

/* What is due up to `before`, and what is due after `after`, up to `until`. */
struct due_span {
    int64_t before, after, until, limit;
};

static int
read_due(struct db *db, const struct due_span *span, struct due_row *list, size_t *ret_count,
         struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    int r = db_select(db, &rows, err,
                      "SELECT * FROM (SELECT at, seq, tie, subject, orders FROM due WHERE at <= ?1"
                      " ORDER BY at, seq, tie LIMIT ?4) UNION ALL"
                      " SELECT * FROM (SELECT at, seq, tie, subject, orders FROM due"
                      " WHERE at > ?2 AND at <= ?3 ORDER BY at, seq, tie LIMIT ?4)"
                      " ORDER BY at, seq, tie LIMIT ?4",
                      "iiii", span->before, span->after, span->until, span->limit);

    *ret_count = 0;
    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        list[(*ret_count)++] =
            (struct due_row){ .key = { db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2) },
                              .subject = db_int(&rows, 3),
                              .orders = (unsigned)db_int(&rows, 4) };
    }
    return r;
}

static int
load_work(struct db *db, int64_t subject, struct work *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT " SUBJECT_COLUMNS ", l.subject, " LINK_COLUMNS
                       " FROM subject s LEFT JOIN link l ON l.subject = s.id WHERE s.id = ?",
                       "i", subject);

    if (!r && row)
        r = subject_read(&rows, 0, &ret->subject, err);
    if (!r && row && db_int(&rows, SUBJECT_COUNT))
        r = link_read(&rows, SUBJECT_COUNT + 1, &ret->link, err);
    return r;
}

/* The same into a list, where a damaged page must not stop those who are read with it. */
static int
load_entry(struct db *db, struct work *entry, struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    int64_t subject = entry->subject.id;
    int r;

    (void)db_met_damage(db); /* what was read before does not count */
    r = load_work(db, subject, entry, &why);
    if (r && r != PROV_E_NOMEM && db_met_damage(db)) {
        subject_done(&entry->subject);
        link_done(&entry->link);
        entry->unreadable = strdup(why.text);
        r = entry->unreadable ? PROV_OK : PROV_E_NOMEM;
    }
    entry->subject.id = subject;
    return r ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* The list's entry of a subject, made if it is not there; NULL when out of memory. */
static struct work *
entry_of(struct work *list, size_t *count, int64_t subject, size_t rows_left)
{
    struct work *entry;

    for (size_t i = *count; i > 0; i--) {
        if (list[i - 1].subject.id == subject)
            return &list[i - 1];
    }
    entry = &list[*count];
    entry->due = calloc(rows_left, sizeof(*entry->due));
    if (!entry->due)
        return NULL;
    entry->subject.id = subject;
    (*count)++;
    return entry;
}

static int
load_due(struct store *store, const struct due_span *span, struct work **ret, size_t *ret_count,
         struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    AUTO_FREE struct due_row *due = calloc((size_t)span->limit, sizeof(*due));
    struct work *list = calloc((size_t)span->limit, sizeof(*list));
    size_t due_count = 0, count = 0;
    struct db *db;
    int r = due && list ? store_reader(store, &db, err) : error_nomem(err);

    if (!r)
        r = read_due(db, span, due, &due_count, err);
    for (size_t i = 0; !r && i < due_count; i++) {
        struct work *entry = entry_of(list, &count, due[i].subject, due_count - i);
        if (!entry) {
            r = error_nomem(err);
            break;
        }
        entry->due[entry->due_count++] = due[i].key;
        entry->orders |= due[i].orders;
        entry->link.orders |= due[i].orders;
    }
    for (size_t i = 0; !r && i < count; i++)
        r = load_entry(db, &list[i], err);
    if (r) {
        work_list_free(list, count);
        return r;
    }
    *ret = list;
    *ret_count = count;
    return PROV_OK;
}

int
store_due(struct store *store, int64_t now_us, int64_t limit, struct work **ret, size_t *ret_count,
          struct prov_error *err)
{
    const struct due_span span = { now_us, now_us + CLOCK_JUMP_US, INT64_MAX, limit };

    return load_due(store, &span, ret, ret_count, err);
}

int
store_due_leavers(struct store *store, int64_t looked_us, int64_t now_us, int64_t limit,
                  struct work **ret, size_t *ret_count, struct prov_error *err)
{
    const struct due_span span = { DUE_URGENT, looked_us > DUE_NOW ? looked_us : DUE_NOW, now_us,
                                   limit };

    return load_due(store, &span, ret, ret_count, err);
}

int
store_due_delete(struct store *store, const struct work *work, struct prov_error *err)
{
    int r = db_run(store->write, err, "DELETE FROM due WHERE subject = ? AND at > 1", "i",
                   work->subject.id);

    for (size_t i = 0; !r && i < work->due_count; i++)
        r = db_run(store->write, err,
                   "DELETE FROM due WHERE at = ? AND seq = ? AND tie = ? AND subject = ?", "iiii",
                   work->due[i].at, work->due[i].seq, work->due[i].tie, work->subject.id);
    return r;
}

int
store_due_put_off(struct store *store, const struct work *work, int64_t at_us,
                  struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < work->due_count; i++)
        r = db_run(store->write, err,
                   "UPDATE OR REPLACE due SET at = ?"
                   " WHERE at = ? AND seq = ? AND tie = ? AND subject = ?",
                   "iiiii", at_us, work->due[i].at, work->due[i].seq, work->due[i].tie,
                   work->subject.id);
    return r;
}

int
due_new_cause(struct db *db, struct prov_error *err)
{
    return db_run(db, err,
                  "INSERT INTO fact VALUES ('causes', 1)"
                  " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
                  "");
}

int
store_due_add(struct store *store, int64_t subject, int64_t at, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) VALUES (?, " DUE_CAUSE_KEY
                      ", ?)",
                      "ii", at, subject);
}

int
store_due_order(struct store *store, int64_t subject, unsigned orders, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE
                      ", subject, orders) VALUES (1, " DUE_CAUSE_KEY ", ?, ?)",
                      "ii", subject, (int64_t)orders);
}

/* The ids that a select with the parameters id and limit finds. */
static int
read_ids(struct store *store, const char *sql, int64_t after, int64_t limit, int64_t *ret,
         size_t *ret_count, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = true;
    int r = store_reader(store, &db, err);

    *ret_count = 0;
    if (!r)
        r = db_select(db, &rows, err, sql, "ii", after, limit);
    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        ret[(*ret_count)++] = db_int(&rows, 0);
    }
    return r;
}

int
store_linked(struct store *store, int64_t after, int64_t limit, int64_t *ret, size_t *ret_count,
             struct prov_error *err)
{
    return read_ids(store,
                    "SELECT subject FROM link WHERE subject > ? AND salesforce_id IS NOT NULL"
                    " ORDER BY subject LIMIT ?",
                    after, limit, ret, ret_count, err);
}

int
store_replannable(struct store *store, int64_t after, int64_t limit, int64_t *ret,
                  size_t *ret_count, struct prov_error *err)
{
    return read_ids(store,
                    "SELECT subject FROM link WHERE subject > ?"
                    " AND (salesforce_id IS NOT NULL OR code = 'OUT_OF_SCOPE')"
                    " ORDER BY subject LIMIT ?",
                    after, limit, ret, ret_count, err);
}

int
store_unlinked(struct store *store, int64_t after, int64_t limit, int64_t *ret, size_t *ret_count,
               struct prov_error *err)
{
    return read_ids(store,
                    "SELECT s.id FROM subject s LEFT JOIN link l ON l.subject = s.id"
                    " WHERE s.id > ? AND s.presence = 1 AND l.salesforce_id IS NULL"
                    " ORDER BY s.id LIMIT ?",
                    after, limit, ret, ret_count, err);
}

int
store_seen(struct store *store, int64_t after, int64_t limit, int64_t *ret, size_t *ret_count,
           struct prov_error *err)
{
    return read_ids(store,
                    "SELECT id FROM subject WHERE id > ? AND presence <> 3"
                    " AND resource IS NOT NULL ORDER BY id LIMIT ?",
                    after, limit, ret, ret_count, err);
}

/* Mostly nobody waits, and that costs a look at an index. */
static int
anybody_waits(struct store *store, const char *kind, const char *value, bool *ret,
              struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };

    return value ? db_one_row(store->write, &rows, ret, err,
                              "SELECT 1 FROM link WHERE waits_kind = ? AND waits_value = ? LIMIT 1",
                              "ss", kind, value)
                 : db_one_row(store->write, &rows, ret, err,
                              "SELECT 1 FROM link WHERE waits_kind = ? LIMIT 1", "s", kind);
}

int
store_wake(struct store *store, const char *kind, const char *value, const char *iss, int64_t limit,
           struct prov_error *err)
{
    bool waits = false;
    int r = anybody_waits(store, kind, value, &waits, err);

    if (r || !waits)
        return r;
    r = due_new_cause(store->write, err);
    if (r)
        return r;
    if (!value)
        return db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                      ", subject FROM link WHERE waits_kind = ? ORDER BY updated_us LIMIT ?",
                      "si", kind, limit);
    return db_run(store->write, err,
                  "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                  ", l.subject FROM link l"
                  /* the plus keeps the index on iss out of it: an issuer is everybody, those who
                     wait for one manager are few */
                  " JOIN subject s ON s.id = l.subject WHERE l.waits_kind = ?1"
                  " AND l.waits_value = ?2 AND (?3 IS NULL OR +s.iss = ?3)"
                  " ORDER BY l.updated_us LIMIT ?4",
                  "sssi", kind, value, iss, limit);
}

int
store_wake_long(struct store *store, int64_t before_us, int64_t now_us, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                      ", subject FROM link WHERE outcome = '" OUTCOME_WAITING "'"
                      " AND outcome IN " OUTCOMES_BLOCKED /* which has an index */
                      " AND (waits_since_us <= ? OR waits_since_us > ?)",
                      "ii", before_us, now_us);
}

int
store_due_if_linked(struct store *store, int64_t subject, const char *iss, const char *manager_uri,
                    struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY ", ?"
                      " FROM subject s"
                      " JOIN link l ON l.subject = s.id WHERE s.iss = ? AND s.uri = ?"
                      " AND l.salesforce_id IS NOT NULL",
                      "iss", subject, iss, manager_uri);
}

int
store_replan_parked(struct store *store, const char *plan_digest, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                      ", subject FROM link"
                      " WHERE outcome IN " OUTCOMES_BLOCKED " AND plan_digest IS NOT ?",
                      "s", plan_digest);
}

int
store_due_code(struct store *store, const char *code, int64_t limit, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                      ", subject FROM link WHERE outcome = '" OUTCOME_REFUSED "' AND code = ?"
                      " ORDER BY updated_us LIMIT ?",
                      "si", code, limit);
}

int
store_parked_with(struct store *store, const char *code, int64_t *ret_subject,
                  struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT subject FROM link WHERE outcome = '" OUTCOME_REFUSED "' AND code = ?"
                       " AND next_us = 0 ORDER BY updated_us LIMIT 1",
                       "s", code);
    if (!r)
        *ret_subject = row ? db_int(&rows, 0) : 0;
    return r;
}

int
store_due_long_parked(struct store *store, int64_t before_us, int64_t limit, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    return r ? r
             : db_run(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                      ", subject FROM (SELECT subject, row_number() OVER (PARTITION BY code"
                      " ORDER BY updated_us) AS place FROM link WHERE outcome = '" OUTCOME_REFUSED
                      "'"
                      " AND next_us = 0 AND updated_us < ?) WHERE place <= ?",
                      "ii", before_us, limit);
}

int
store_due_parked(struct store *store, int64_t *ret_count, struct prov_error *err)
{
    int r = due_new_cause(store->write, err);

    if (!r)
        r = db_run(store->write, err,
                   "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                   ", subject FROM link"
                   " WHERE outcome IN " OUTCOMES_BLOCKED,
                   "");

    if (!r)
        *ret_count = db_changes(store->write);
    return r;
}

/* ---- look-ups ---- */

/* URI found by a select with the parameters text, text, id; NULL if there is none. */
static int
find_uri(struct store *store, const char *sql, const char *text, int64_t except, char **ret_uri,
         struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err, sql, "ssi", text, text, except);
    if (r)
        return r;
    *ret_uri = NULL;
    return row ? copy_text(&rows, 0, ret_uri, err) : PROV_OK;
}

int
store_uri_by_index(struct store *store, int64_t subject, char **ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    *ret = NULL;
    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT uri FROM subject INDEXED BY subject_key WHERE +id = ?", "i",
                       subject);
    return !r && row ? copy_text(&rows, 0, ret, err) : r;
}

int
store_name_user(struct store *store, const char *username, int64_t except, char **ret_uri,
                struct prov_error *err)
{
    return find_uri(store,
                    "SELECT s.uri FROM link l JOIN subject s ON s.id = l.subject"
                    " WHERE (l.username_held = ? OR l.username_wanted = ?) AND l.subject <> ?"
                    " LIMIT 1",
                    username, except, ret_uri, err);
}

void
name_claim_done(struct name_claim *claim)
{
    free(claim->uri);
    free(claim->waits_name);
    *claim = (struct name_claim){ 0 };
}

int
store_name_claim(struct store *store, const char *username, int64_t except, struct name_claim *ret,
                 struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    *ret = (struct name_claim){ 0 };
    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT l.subject, coalesce(l.username_held = ?1, 0) AS holds, s.uri,"
                       " CASE WHEN l.waits_kind = '" WAIT_USERNAME "' THEN l.waits_value END"
                       " FROM link l JOIN subject s ON s.id = l.subject"
                       " WHERE (l.username_held = ?1 OR l.username_wanted = ?1) AND l.subject <> ?2"
                       " ORDER BY holds DESC LIMIT 1",
                       "si", username, except);
    if (r || !row)
        return r;
    ret->subject = db_int(&rows, 0);
    ret->holds = db_int(&rows, 1);
    r = copy_text(&rows, 2, &ret->uri, err);
    return r ? r : copy_text(&rows, 3, &ret->waits_name, err);
}

int
store_id_holder(struct store *store, const char *salesforce_id, int64_t except, int64_t *ret_id,
                struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT subject FROM link WHERE salesforce_id = ? AND subject <> ?", "si",
                       salesforce_id, except);
    if (r)
        return r;
    *ret_id = row ? db_int(&rows, 0) : 0;
    return PROV_OK;
}

int
store_linked_id(struct store *store, const char *iss, const char *uri, char ret[19],
                struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT coalesce(l.salesforce_id, '') FROM subject s JOIN link l"
                       " ON l.subject = s.id WHERE s.iss = ? AND s.uri = ?",
                       "ss", iss, uri);
    if (r)
        return r;
    snprintf(ret, 19, "%s", row ? db_text(&rows, 0) : "");
    return PROV_OK;
}

int
store_load(struct store *store, const char *iss, const char *uri, struct work *ret_work,
           struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err, "SELECT id FROM subject WHERE iss = ? AND uri = ?",
                       "ss", iss, uri);
    return !r && row ? load_work(db, db_int(&rows, 0), ret_work, err) : r;
}

int
store_load_id(struct store *store, int64_t subject, struct work *ret_work, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    int r = store_reader(store, &db, err);

    return r ? r : load_work(db, subject, ret_work, err);
}

/* ---- facts ---- */

int
store_get_fact(struct store *store, const char *key, char **ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err, "SELECT value FROM fact WHERE key = ?", "s", key);
    if (r)
        return r;
    *ret = NULL;
    return row ? copy_text(&rows, 0, ret, err) : PROV_OK;
}

int
store_put_fact(struct store *store, const char *key, const char *value, struct prov_error *err)
{
    if (!value)
        return db_run(store->write, err, "DELETE FROM fact WHERE key = ?", "s", key);
    return db_run(store->write, err, "INSERT OR REPLACE INTO fact VALUES (?, ?)", "ss", key, value);
}
