/* A subject with what is there of it, as rows: read for whoever plans, and the link written. What stands in
 * it is decided by the delivery room. */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- memory ---- */

void
subject_done(struct subject *subject)
{
    free(subject->iss);
    free(subject->uri);
    pool_done(&subject->pool);
    *subject = (struct subject){ 0 };
}

void
link_done(struct link *link)
{
    char *const texts[] = { link->username_wanted, link->username_held, link->username_inputs,
                            link->outcome,         link->code,          link->message,
                            link->cause,           link->remedy,        link->last_action,
                            link->plan_digest };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    wait_forget(link);
    pool_done(&link->pool);
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

int
copy_text(const struct db_rows *rows, int column, char **ret, struct prov_error *err)
{
    const char *text = db_text(rows, column);

    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? error_nomem(err) : PROV_OK;
}

/* A value that is damaged is told by *ret_damaged and read as none: one bad row must not stop those
 * who are read with it. */
static int
read_value(const struct db_rows *rows, int column, struct pool *pool, struct value **ret,
           bool *ret_damaged, struct prov_error *err)
{
    const char *text = db_text(rows, column);
    int r = text ? value_parse(pool, text, strlen(text), "a stored value", ret, NULL) : PROV_OK;

    *ret_damaged = r && r != PROV_E_NOMEM;
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
        r = read_value(rows, first + 4, &ret->pool, &ret->resource, &ret->damaged, err);
    return r;
}

/* What carries orders out stands in another table, which may be damaged while the link is not. So they stand in
 * the link, beside those that were not sent yet. */
#define ORDERS_MASK ((1U << ORDER_BITS) - 1)

static int64_t
all_orders(const struct link *link)
{
    unsigned flying = link->in_flight || link->damaged_flight ? link->flying : 0;

    return (int64_t)(link->orders | flying << ORDER_BITS);
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
        { 17, &ret->plan_digest },
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
    ret->updated_us = db_int(rows, first + 18);
    ret->orders = (unsigned)db_int(rows, first + 19) & ORDERS_MASK;
    ret->flying = (unsigned)db_int(rows, first + 19) >> ORDER_BITS & ORDERS_MASK;
    ret->last_history = db_int(rows, first + 20);
    ret->frozen_by_others = db_int(rows, first + 21) != 0;
    if (!db_text(rows, first + 7)) { /* all that was in flight is lost, if any is: see mend.c */
        ret->orders |= ret->flying;
        ret->flying = 0;
    }
    r = read_value(rows, first + 1, &ret->pool, &ret->confirmed, &ret->damaged, err);
    if (!r)
        r = read_value(rows, first + 7, &ret->pool, &ret->in_flight, &ret->damaged_flight, err);
    for (size_t i = 0; !r && i < sizeof(texts) / sizeof(texts[0]); i++)
        r = copy_text(rows, first + texts[i].column, texts[i].text, err);
    return r;
}

/* An account that gives access, as far as was confirmed: for the guard. */
static bool
is_active(const struct link *link)
{
    return link->salesforce_id[0] && value_get_boolean(link->confirmed, "IsActive", true) &&
           !value_get_boolean(link->confirmed, "UserLogin.IsFrozen", false);
}

int
store_put_flight(struct store *store, int64_t subject, const struct link *link,
                 struct prov_error *err)
{
    AUTO_FREE char *sent = link->in_flight ? value_json(link->in_flight) : NULL;

    if (!link->in_flight)
        return db_run(store->write, err, "DELETE FROM flight WHERE subject = ?", "i", subject);
    /* REPLACE would cost a quarter more */
    return sent ? db_run(store->write, err,
                         "INSERT INTO flight VALUES (?, nullif(?, ?), ?, ?) ON CONFLICT (subject)"
                         " DO UPDATE SET username = excluded.username, first_sent_us ="
                         " excluded.first_sent_us, sent = excluded.sent",
                         "issis", subject, link->username_wanted, link->username_held,
                         link->first_sent_us, sent)
                : error_nomem(err);
}

/*
 * Two ways to write a link with the same parameters. The first is for one that is there and is counted as before
 * but for its version, and leaves alone what has an index of its own over all users, or by which one is made:
 * mostly that is as it was. A username that is held is not kept as the one wanted too.
 */
static const char update_link[] =
    "UPDATE link SET confirmed = ?3, confirmed_version = ?4, settled_version = ?5,"
    " username_inputs = ?8, first_sent_us = ?9, attempts = ?10, next_us = ?11, message = ?14,"
    " cause = ?15, remedy = ?16, last_action = ?17, plan_digest = ?18, updated_us = ?19,"
    " orders = ?20, last_history = ?22, frozen_by_others = ?23"
    " WHERE subject = ?1 AND salesforce_id IS nullif(?2, '') AND username_wanted IS nullif(?6, ?7)"
    " AND username_held IS ?7 AND outcome IS ?12 AND code IS ?13 AND active = ?21"
    " AND settled_version = ?24";
static const char put_link[] =
    "INSERT INTO link (subject, salesforce_id, confirmed, confirmed_version, settled_version,"
    " username_wanted, username_held, username_inputs, first_sent_us, attempts, next_us, outcome,"
    " code, message, cause, remedy, last_action, plan_digest, updated_us, orders, active,"
    " last_history, frozen_by_others)"
    " VALUES (?1, nullif(?2, ''), ?3, ?4, ?5, nullif(?6, ?7), ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    " ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)"
    " ON CONFLICT (subject) DO UPDATE SET salesforce_id = excluded.salesforce_id,"
    " confirmed = excluded.confirmed, confirmed_version = excluded.confirmed_version,"
    " settled_version = excluded.settled_version, username_wanted = excluded.username_wanted,"
    " username_held = excluded.username_held, username_inputs = excluded.username_inputs,"
    " first_sent_us = excluded.first_sent_us, attempts = excluded.attempts,"
    " next_us = excluded.next_us, outcome = excluded.outcome, code = excluded.code,"
    " message = excluded.message, cause = excluded.cause, remedy = excluded.remedy,"
    " last_action = excluded.last_action, plan_digest = excluded.plan_digest,"
    " updated_us = excluded.updated_us, orders = excluded.orders, active = excluded.active, "
    "last_history = excluded.last_history,"
    " frozen_by_others = excluded.frozen_by_others";

static int
write_link(struct db *db, const char *sql, int64_t subject, const struct link *link, bool active,
           struct prov_error *err)
{
    AUTO_FREE char *confirmed = link->confirmed ? value_json(link->confirmed) : NULL;

    if (link->confirmed && !confirmed)
        return error_nomem(err);
    return db_run(
        db, err, sql, sql == update_link ? "issiisssiiisssssssiiiiii" : "issiisssiiisssssssiiiii",
        subject, link->salesforce_id, confirmed, link->confirmed_version, link->settled_version,
        link->username_wanted, link->username_held, link->username_inputs, link->first_sent_us,
        link->attempts, link->next_us, link->outcome, link->code, link->message, link->cause,
        link->remedy, link->last_action, link->plan_digest, link->updated_us, all_orders(link),
        (int64_t)active, link->last_history, (int64_t)link->frozen_by_others, link->stored_version);
}

/* One that is not there, or has changed in what it is found or counted by. */
static int
replace_link(struct store *store, int64_t subject, const struct link *link,
             const struct counted *now, int64_t version, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct counted before = { 0 };
    bool row = false;
    int r = db_one_row(store->write, &rows, &row, err,
                       "SELECT outcome, code, settled_version, active FROM link WHERE subject = ?",
                       "i", subject);

    if (!r && row)
        before = (struct counted){ db_text(&rows, 0), db_text(&rows, 1), db_int(&rows, 2),
                                   db_int(&rows, 3) != 0 };
    if (!r)
        r = tally_move(store, &before, now, version, err);
    return r ? r : write_link(store->write, put_link, subject, link, now->active, err);
}

int
store_put_link(struct store *store, int64_t subject, const struct link *link,
               struct prov_error *err)
{
    const struct counted before = { link->outcome, link->code, link->stored_version,
                                    is_active(link) };
    struct counted now = before;
    int64_t version = 0;
    bool done = false;
    int r = tally_version(store, subject, link, &version, err);

    now.settled_version = link->settled_version;
    if (!r)
        r = store_put_flight(store, subject, link, err);
    if (!r)
        r = wait_put(store, subject, link, err);
    if (!r && link->stored_version > 0) {
        r = write_link(store->write, update_link, subject, link, now.active, err);
        done = !r && db_changes(store->write) > 0;
    }
    if (!r)
        r = done ? tally_move(store, &before, &now, version, err)
                 : replace_link(store, subject, link, &now, version, err);
    return r;
}

/* ---- a subject with its link ---- */

/* The rows of a select of what follows, of subjects that stand in the list; of one who waits for several things there
 * are several. */
#define WORK_SELECT                                                                                \
    "SELECT " SUBJECT_COLUMNS ", " LINK_COLUMNS ", " WAIT_COLUMNS LINK_TABLES WAIT_TABLE " WHERE "

static int
read_work(struct db_rows *rows, struct work *list, struct prov_error *err)
{
    bool row = true;
    int r = PROV_OK;

    while (!r) {
        struct work *entry = list;
        r = db_next(rows, &row, err);
        if (r || !row)
            break;
        while (entry->subject.id && entry->subject.id != db_int(rows, 0))
            entry++;
        if (!entry->subject.uri) {
            r = subject_read(rows, 0, &entry->subject, err);
            if (!r)
                r = link_read(rows, SUBJECT_COUNT, &entry->link, err);
        }
        if (!r)
            r = wait_read(rows, SUBJECT_COUNT + LINK_COUNT, &entry->link, err);
    }
    return r;
}

int
link_load(struct db *db, int64_t subject, struct work *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r = db_select(db, &rows, err, WORK_SELECT "s.id = ?", "i", subject);

    return r ? r : read_work(&rows, ret, err);
}

int
link_load_some(struct db *db, struct work *list, size_t count, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t subjects[LOAD_MOST];
    int r;

    for (size_t i = 0; i < LOAD_MOST; i++) /* one that is named twice is read once */
        subjects[i] = list[i < count ? i : 0].subject.id;
    r = db_select_numbers(db, &rows, err, WORK_SELECT "s.id IN (?, ?, ?, ?, ?, ?, ?, ?)", subjects,
                          LOAD_MOST);
    return r ? r : read_work(&rows, list, err);
}

int
store_load(struct store *store, const char *iss, const char *uri, struct work *ret_work,
           struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err, "SELECT id FROM subject WHERE iss = ? AND uri = ?", "ss",
                       iss, uri);

    return !r && look.row ? link_load(look.rows.db, db_int(&look.rows, 0), ret_work, err) : r;
}

int
store_load_of_event(struct store *store, int64_t event, struct work *ret_work,
                    struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err, "SELECT subject FROM event WHERE seq = ?", "i", event);

    return !r && look.row ? link_load(look.rows.db, db_int(&look.rows, 0), ret_work, err) : r;
}

int
store_load_id(struct store *store, int64_t subject, struct work *ret_work, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    int r = store_reader(store, &db, err);

    return r ? r : link_load(db, subject, ret_work, err);
}
