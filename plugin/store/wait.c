/* What a subject waits for: rows of its own, one for each kind, so that it may wait for several things; and who is
 * due when one of them comes. What is waited for is decided by the delivery room. */
#include "plugin/store/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- of one subject ---- */

static bool
same_text(const char *text, const char *other)
{
    return strcmp(text ? text : "", other ? other : "") == 0;
}

struct wait *
wait_of(const struct link *link, const char *kind)
{
    for (size_t i = 0; i < link->wait_count; i++) {
        if (strcmp(link->waits[i].kind, kind) == 0)
            return &link->waits[i];
    }
    return NULL;
}

bool
wait_is_of_part(const struct wait *wait)
{
    return strcmp(wait->kind, WAIT_MANAGER) == 0 || strcmp(wait->kind, WAIT_UNFREEZING) == 0;
}

enum told
wait_told(const struct link *link)
{
    enum told told = TOLD;

    for (size_t i = 0; i < link->wait_count; i++) {
        if (wait_is_of_part(&link->waits[i]) && !link->waits[i].is_long)
            return TOLD_PART;
        if (wait_is_of_part(&link->waits[i]))
            told = TOLD_WITHOUT;
    }
    return told;
}

static void
wait_done(struct wait *wait)
{
    free(wait->kind);
    free(wait->value);
}

/* Takes the two texts over. */
static int
add(struct link *link, const struct wait *wait)
{
    struct wait *more = reallocarray(link->waits, link->wait_count + 1, sizeof(*more));

    if (!more)
        return PROV_E_NOMEM;
    link->waits = more;
    link->waits[link->wait_count++] = *wait;
    return PROV_OK;
}

int
wait_begin(struct link *link, const char *kind, const char *value, int64_t now_us)
{
    const struct wait *before = wait_of(link, kind);
    struct wait wait = { .since_us = now_us };

    /* a clock that was set back must not make a wait endless */
    if (before && same_text(before->value, value) && before->since_us <= now_us)
        return PROV_OK;
    wait.kind = strdup(kind);
    wait.value = value ? strdup(value) : NULL;
    wait_end(link, kind);
    if (!wait.kind || (value && !wait.value) || add(link, &wait)) {
        wait_done(&wait);
        return PROV_E_NOMEM;
    }
    link->waits_changed = true;
    return PROV_OK;
}

void
wait_end(struct link *link, const char *kind)
{
    struct wait *wait = wait_of(link, kind);

    if (!wait)
        return;
    wait_done(wait);
    *wait = link->waits[--link->wait_count];
    link->waits_changed = true;
}

void
wait_weigh(struct link *link, int64_t before_us)
{
    for (size_t i = 0; i < link->wait_count; i++) {
        struct wait *wait = &link->waits[i];
        bool is_long = wait->since_us <= before_us;
        link->waits_changed |= wait->is_long != is_long;
        wait->is_long = is_long;
    }
}

void
wait_forget(struct link *link)
{
    for (size_t i = 0; i < link->wait_count; i++)
        wait_done(&link->waits[i]);
    free(link->waits);
}

/* ---- rows ---- */

int
wait_read(const struct db_rows *rows, int first, struct link *link, struct prov_error *err)
{
    struct wait wait = { .since_us = db_int(rows, first + 2),
                         .is_long = db_int(rows, first + 3) != 0 };
    int r;

    if (!db_text(rows, first))
        return PROV_OK;
    r = copy_text(rows, first, &wait.kind, err);
    if (!r)
        r = copy_text(rows, first + 1, &wait.value, err);
    if (!r && add(link, &wait))
        r = error_nomem(err);
    if (r)
        wait_done(&wait);
    return r;
}

int
wait_load(struct db *db, int64_t subject, struct link *link, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    int r = db_select(db, &rows, err,
                      "SELECT " WAIT_COLUMNS " FROM wait w WHERE w.subject = ? ORDER BY w.kind",
                      "i", subject);

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        r = wait_read(&rows, 0, link, err);
    }
    return r;
}

/* [tx] The rows that are there count no more. */
static int
uncount(struct store *store, int64_t subject, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    int r = db_select(store->write, &rows, err, "SELECT kind, is_long FROM wait WHERE subject = ?",
                      "i", subject);

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        r = tally_wait(store, db_text(&rows, 0), db_int(&rows, 1) != 0, -1, err);
    }
    return r;
}

int
wait_put(struct store *store, int64_t subject, const struct link *link, struct prov_error *err)
{
    int r = PROV_OK;

    if (!link->waits_changed)
        return PROV_OK;
    r = uncount(store, subject, err);
    if (!r)
        r = db_run(store->write, err, "DELETE FROM wait WHERE subject = ?", "i", subject);
    for (size_t i = 0; !r && i < link->wait_count; i++) {
        const struct wait *wait = &link->waits[i];
        r = db_run(store->write, err, "INSERT INTO wait VALUES (?, ?, ?, ?, ?)", "issii", subject,
                   wait->kind, wait->value, wait->since_us, (int64_t)wait->is_long);
        if (!r)
            r = tally_wait(store, wait->kind, wait->is_long, 1, err);
    }
    return r;
}

/* ---- who is due ---- */

/* Mostly nobody waits, and that costs a look at an index. */
static int
anybody_waits(struct store *store, const char *kind, const char *value, bool *ret,
              struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };

    return value ? db_one_row(store->write, &rows, ret, err,
                              "SELECT 1 FROM wait WHERE kind = ? AND value = ? LIMIT 1", "ss", kind,
                              value)
                 : db_one_row(store->write, &rows, ret, err,
                              "SELECT 1 FROM wait WHERE kind = ? LIMIT 1", "s", kind);
}

int
store_wake(struct store *store, const char *kind, const char *value, const char *iss, int64_t limit,
           struct prov_error *err)
{
    bool waits = false;
    int r = anybody_waits(store, kind, value, &waits, err);

    if (r || !waits)
        return r;
    if (!value)
        return due_insert(store->write, err,
                          DUE_NOW_FOR "subject FROM (SELECT w.subject, row_number() OVER"
                                      " (PARTITION BY w.value ORDER BY l.updated_us) AS place"
                                      " FROM wait w JOIN link l ON l.subject = w.subject"
                                      " WHERE w.kind = ?) WHERE place <= ?",
                          "si", kind, limit);
    return due_insert(store->write, err,
                      DUE_NOW_FOR "w.subject FROM wait w JOIN link l ON l.subject = w.subject"
                                  /* the plus keeps the index on iss out of it: an issuer is
                                     everybody, those who wait for one manager are few */
                                  " JOIN subject s ON s.id = w.subject WHERE w.kind = ?1"
                                  " AND w.value = ?2 AND (?3 IS NULL OR +s.iss = ?3)"
                                  " ORDER BY l.updated_us LIMIT ?4",
                      "sssi", kind, value, iss, limit);
}

/* So far along those who wait for each other. They are woken together, or each would have a round of his own; and no
 * more of them, since each who moves up wakes those behind him again. */
#define BEHIND_MAX "64"

int
store_wake_name(struct store *store, const char *username, struct prov_error *err)
{
    bool waits = false;
    int r = anybody_waits(store, WAIT_USERNAME, username, &waits, err);

    if (r || !waits)
        return r;
    return due_insert(store->write, err,
                      "WITH RECURSIVE behind (subject, place) AS ("
                      "SELECT subject, 1 FROM wait WHERE kind = '" WAIT_USERNAME "' AND value = ?"
                      " UNION SELECT w.subject, b.place + 1 FROM behind b"
                      " CROSS JOIN link l ON l.subject = b.subject"
                      " CROSS JOIN wait w ON w.kind = '" WAIT_USERNAME
                      "' AND w.value = l.username_held WHERE b.place < " BEHIND_MAX ") " DUE_NOW_FOR
                      "subject FROM (SELECT DISTINCT subject FROM behind)",
                      "s", username);
}

int
store_wake_holder(struct store *store, const char *prefix, const char *inputs,
                  struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "subject FROM link WHERE username_held >= ?1"
                                  " AND username_held < ?1 || char(1114111)"
                                  " AND username_inputs = ?2",
                      "ss", prefix, inputs);
}

int
store_wake_long(struct store *store, int64_t before_us, int64_t now_us, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "subject FROM (SELECT DISTINCT subject FROM wait"
                                  " WHERE (since_us <= ? AND NOT is_long) OR since_us > ?)",
                      "ii", before_us, now_us);
}

int
store_due_names(struct store *store, int64_t before_us, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "w.subject FROM wait w JOIN link l ON l.subject = w.subject"
                                  " WHERE w.kind = '" WAIT_USERNAME "' AND l.updated_us < ?",
                      "i", before_us);
}

int
store_due_for_name_of(struct store *store, int64_t subject, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "w.subject FROM link l JOIN wait w ON w.kind = '" WAIT_USERNAME
                                  "' AND w.value = l.username_held WHERE l.subject = ?",
                      "i", subject);
}
