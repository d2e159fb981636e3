/* What became of each subject: written with the link, in its transaction; read for one user's story; forgotten
 * like events. What is worth a row is decided by the delivery room. */
#include "plugin/store/internal.h"

#include "plugin/base/clock.h"
#include "plugin/store/schema.h"

/* So many rows of a subject are told, and so many notes. */
#define STORY_ROWS INT64_C(50)

/* One like the newest, but for when it was and how the call went: counted there. *ret_done false: it is another. */
static int
count_again(struct db *db, int64_t subject, const struct history *row, int64_t last, bool *ret_done,
            struct prov_error *err)
{
    int r = db_run(db, err,
                   "UPDATE history SET times = times + 1, at_us = ?, records = ?, took_us = ?,"
                   " http_status = ?, request_id = ? WHERE seq = ? AND subject = ? AND version = ?"
                   " AND outcome = ? AND code IS ? AND message IS ? AND action IS ?"
                   " AND operation IS ?",
                   "iiiisiiisssss", row->at_us, row->records, row->took_us, row->http_status,
                   row->request_id, last, subject, row->version, row->outcome, row->code,
                   row->message, row->action, row->operation);

    *ret_done = !r && db_changes(db) > 0;
    return r;
}

static int
add_row(struct db *db, int64_t subject, const struct history *row, int64_t *last,
        struct prov_error *err)
{
    int r =
        db_run(db, err,
               "INSERT INTO history (subject, previous, first_us, at_us, version, outcome, code,"
               " message, action, operation, records, took_us, http_status, request_id)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "iniiisssssiiis", subject, *last, row->at_us, row->at_us, row->version, row->outcome,
               row->code, row->message, row->action, row->operation, row->records, row->took_us,
               row->http_status, row->request_id);

    if (!r)
        *last = db_last_key(db);
    return r;
}

int
store_history_add(struct store *store, int64_t subject, const struct history *row, int64_t *last,
                  struct prov_error *err)
{
    bool done = false;
    int r = PROV_OK;

    if (*last && !outcome_is(row->outcome, OUTCOME_DELIVERED))
        r = count_again(store->write, subject, row, *last, &done, err);
    return r || done ? r : add_row(store->write, subject, row, last, err);
}

int
store_note(struct store *store, int64_t subject, const char *what, const char *text,
           struct prov_error *err)
{
    int64_t now = clock_now_us();

    return db_run(store->write, err,
                  "INSERT INTO history (subject, first_us, at_us, version, outcome, code, message)"
                  " VALUES (?, ?, ?, 0, '" NOTE "', ?, ?)",
                  "iiiss", subject, now, now, what, text);
}

/* ---- reading ---- */

static int
put_call(struct json_object *entry, const struct db_rows *rows)
{
    struct json_object *call = NULL;

    if (!db_text(rows, 8))
        return json_put(entry, "call", NULL);
    call = json_object_new_object();
    if (json_put(entry, "call", call) || !call ||
        json_put_string(call, "operation", db_text(rows, 8)) ||
        json_put_int(call, "records", db_int(rows, 9)) ||
        json_put_int(call, "took_ms", (db_int(rows, 10) + 500) / 1000) ||
        json_put_int(call, "http_status", db_int(rows, 11)) ||
        json_put_string(call, "request_id", db_text(rows, 12)))
        return PROV_E_NOMEM;
    return PROV_OK;
}

static int
append_row(const struct db_rows *rows, struct json_object *list)
{
    struct json_object *entry = json_object_new_object();

    if (json_append(list, entry) || !entry || json_put_int(entry, "seq", db_int(rows, 13)) ||
        put_time(entry, "first", db_int(rows, 0)) || put_time(entry, "at", db_int(rows, 1)) ||
        json_put_int(entry, "times", db_int(rows, 2)) ||
        json_put_int(entry, "version", db_int(rows, 3)) ||
        json_put_string(entry, "outcome", db_text(rows, 4)) ||
        json_put_string(entry, "action", db_text(rows, 7)) ||
        json_put_string(entry, "code", db_text(rows, 5)) ||
        json_put_string(entry, "message", db_text(rows, 6)) || put_call(entry, rows))
        return PROV_E_NOMEM;
    return PROV_OK;
}

int
history_put(struct db *db, int64_t subject, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *list = json_object_new_array();
    bool row = true;
    int r = json_put(result, "history", list) || !list ? error_nomem(err) : PROV_OK;

    /* The row that a link names may be forgotten, and numbers begin anew with a table that was mended. A CROSS JOIN is
     * not turned round: SQLite 3.46 reads all of the table else, for one subject. */
    if (!r)
        r = db_select(db, &rows, err,
                      "WITH RECURSIVE story (seq, place) AS ("
                      "SELECT last_history, 1 FROM link WHERE subject = ?1"
                      " UNION ALL SELECT o.previous, story.place + 1 FROM story"
                      " CROSS JOIN history o ON o.seq = story.seq AND o.subject = ?1"
                      " WHERE story.place < ?2 AND o.previous < o.seq)"
                      " SELECT h.first_us, h.at_us, h.times, h.version, h.outcome, h.code,"
                      " h.message, h.action, h.operation, h.records, h.took_us, h.http_status,"
                      " h.request_id, h.seq FROM story CROSS JOIN history h ON h.seq = story.seq"
                      " WHERE h.subject = ?1 ORDER BY h.seq",
                      "ii", subject, STORY_ROWS);
    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        if (append_row(&rows, list))
            r = error_nomem(err);
    }
    return r;
}

int
notes_put(struct db *db, int64_t subject, int64_t event, struct json_object *result,
          struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *list = json_object_new_array();
    bool row = true;
    int r = json_put(result, "notes", list) || !list ? error_nomem(err) : PROV_OK;

    if (!r)
        r = db_select(db, &rows, err,
                      "SELECT * FROM (SELECT seq, at_us, code, message, subject = 0 FROM history"
                      " WHERE outcome = '" NOTE "' AND subject IN (0, ?) AND at_us >="
                      " coalesce((SELECT received_us FROM event WHERE seq = ?), 0)"
                      " ORDER BY seq DESC LIMIT ?) ORDER BY seq",
                      "iii", subject, event, STORY_ROWS);
    while (!r) {
        struct json_object *entry;
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        entry = json_object_new_object();
        if (json_append(list, entry) || !entry || json_put_int(entry, "seq", db_int(&rows, 0)) ||
            put_time(entry, "at", db_int(&rows, 1)) ||
            json_put_string(entry, "what", db_text(&rows, 2)) ||
            json_put_string(entry, "text", db_text(&rows, 3)) ||
            json_put_bool(entry, "everybody", db_int(&rows, 4)))
            r = error_nomem(err);
    }
    return r;
}

/* ---- forgetting ---- */

int
store_forget_history(struct store *store, const struct store_retention *retention, int64_t *after,
                     struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t from = *after, last, old;
    bool row = false;
    int r = db_one_row(store->write, &rows, &row, err,
                       "SELECT coalesce(max(seq), 0), coalesce(sum(first_us < ?3), 0) FROM"
                       " (SELECT seq, first_us FROM history WHERE seq > ?1 ORDER BY seq LIMIT ?2)",
                       "iii", from, retention->limit, retention->before_us);

    if (r)
        return r;
    last = db_int(&rows, 0);
    old = db_int(&rows, 1);
    db_rows_cleanup(&rows);
    *after = old ? last : 0;
    if (!old)
        return PROV_OK;
    return db_run(store->write, err,
                  "DELETE FROM history WHERE seq > ? AND seq <= ? AND at_us < ?"
                  " AND seq < (SELECT max(seq) FROM history)",
                  "iii", from, last, retention->before_us);
}
