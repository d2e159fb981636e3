/* What is due: read for a round, deleted when it is settled, and added for causes that are no event. When
 * and why is decided by the delivery room; who has news is told by news.c. */
#include "plugin/store/internal.h"

#include <string.h>

/* ---- what a round takes ---- */

struct due_row {
    struct due_key key;
    int64_t subject;
    unsigned orders;
    int64_t version; /* of news: the event's; else 0 */
};

/* A time further away than any back-off means that the clock went backwards: due as well. */
#define CLOCK_JUMP_US (INT64_C(25) * 3600 * 1000000)

/* What is due up to `before`, and what is due after `after`, up to `until`. */
struct due_span {
    int64_t before, after, until, limit, now;
    const struct under_way *but; /* NULL: nobody is */
    bool news;                   /* with the events that are not taken yet */
};

/* So many of those, in their order. */
#define DUE_SELECT      "SELECT at, seq, tie, subject, orders FROM due WHERE "
#define DUE_IN_ORDER    " ORDER BY at, seq, tie LIMIT ?4"
#define DUE_ROWS(WHERE) "(" DUE_SELECT WHERE DUE_IN_ORDER ")"
#define DUE_URGENT_ROWS DUE_ROWS("at <= 0")
#define DUE_SPAN_ROWS   DUE_ROWS("at > 0 AND at <= ?1")
#define DUE_FAR_ROWS    DUE_ROWS("at > ?2 AND at <= ?3")
#define DUE_NEWS                                                                                   \
    "(SELECT seq, subject, version FROM event WHERE ?6 < " NEWS_NONE " AND seq > ?6"               \
    " AND subject IS NOT NULL AND urgent = 0 ORDER BY seq LIMIT ?7)"

/* A leaver who is tried again has a time, and goes ahead of the news like the others; so his row comes twice. */
static const char due_sql[] =
    "SELECT at, seq, tie, subject, orders, version FROM (SELECT 0 AS class, *, 0 AS version"
    " FROM " DUE_URGENT_ROWS
    " UNION ALL SELECT 0, d.at, d.seq, d.tie, d.subject, d.orders, 0 FROM wait w CROSS JOIN due d"
    " ON d.subject = w.subject WHERE w.kind = '" WAIT_LEAVING "' AND d.at > 1 AND d.at <= ?5"
    " UNION ALL SELECT 1, *, 0 FROM " DUE_SPAN_ROWS " UNION ALL SELECT 1, *, 0 FROM " DUE_FAR_ROWS
    " UNION ALL SELECT 1, 1, seq, 0, subject, 0, version FROM " DUE_NEWS
    ") ORDER BY class, at, seq, tie LIMIT ?7";

static int
by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

bool
due_is_under_way(const struct under_way *under_way, int64_t subject)
{
    return under_way && bsearch(&subject, under_way->subjects, under_way->count,
                                sizeof(*under_way->subjects), by_number);
}

static int
take_row(struct store *store, const struct due_span *span, const struct due_row *row,
         struct due_row *list, size_t *count, struct prov_error *err)
{
    bool open = true;
    int r = row->version ? news_read(store, row->key.seq, row->subject, &open, err) : PROV_OK;

    if (!r && open && !due_is_under_way(span->but, row->subject))
        list[(*count)++] = *row;
    return r;
}

static int
read_due(struct store *store, struct db *db, const struct due_span *span, int64_t newest,
         struct due_row *list, size_t *ret_count, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t most = span->limit + (span->but ? span->but->rows : 0), after = INT64_MAX, known = 0;
    int64_t seen = 0;
    bool row = true;
    int r = span->news ? news_begin(store, db, span->but, &after, &known, err) : PROV_OK;

    if (!r)
        r = db_select(db, &rows, err, due_sql, "iiiiiii", span->before, span->after, span->until,
                      most, span->now, after, most + known);
    *ret_count = 0;
    while (!r && *ret_count < (size_t)span->limit) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        seen++;
        r = take_row(
            store, span,
            &(struct due_row){ .key = { db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2) },
                               .subject = db_int(&rows, 3),
                               .orders = (unsigned)db_int(&rows, 4),
                               .version = db_int(&rows, 5) },
            list, ret_count, err);
    }
    if (!r && !row && span->news && seen < most + known)
        news_read_all(store, newest);
    return r;
}

/* Where in a list of entries each subject stands: by open addressing, a place plus one in each slot. */
struct places {
    size_t *slots, mask;
};

static int
places_make(struct places *places, size_t rows, struct prov_error *err)
{
    size_t size = 16;

    while (size < 2 * rows)
        size *= 2;
    places->slots = calloc(size, sizeof(*places->slots));
    places->mask = size - 1;
    return places->slots ? PROV_OK : error_nomem(err);
}

static void
places_done(struct places *places)
{
    free(places->slots);
}

/* The slot that says where the subject stands, or is to say it. */
static size_t *
places_slot(const struct places *places, const struct work *list, int64_t subject)
{
    size_t at = (size_t)subject & places->mask;

    while (places->slots[at] && list[places->slots[at] - 1].subject.id != subject)
        at = (at + 1) & places->mask;
    return &places->slots[at];
}

static bool
has_key(const struct work *entry, const struct due_key *key)
{
    for (size_t i = 0; i < entry->due_count; i++) {
        const struct due_key *known = &entry->due[i];
        if (known->at == key->at && known->seq == key->seq && known->tie == key->tie)
            return true;
    }
    return false;
}

static int
add_key(struct work *entry, const struct due_row *row, struct prov_error *err)
{
    struct due_key *keys;

    if (row->key.at > DUE_NOW && has_key(entry, &row->key))
        return PROV_OK;
    entry->news_version = row->version > entry->news_version ? row->version : entry->news_version;
    entry->only_news = row->version && (entry->only_news || entry->due_count == 0);
    keys = reallocarray(entry->due, entry->due_count + 1, sizeof(*keys));

    if (!keys)
        return error_nomem(err);
    entry->due = keys;
    entry->due[entry->due_count++] = row->key;
    entry->orders |= row->orders;
    return PROV_OK;
}

/* One entry for each subject, in the order of the first row that names it. */
static int
gather(const struct due_row *rows, size_t row_count, struct work *list, size_t *ret_count,
       struct prov_error *err)
{
    CLEANUP(places_done) struct places places = { 0 };
    int r = places_make(&places, row_count, err);

    *ret_count = 0;
    for (size_t i = 0; !r && i < row_count; i++) {
        size_t *slot = places_slot(&places, list, rows[i].subject);
        if (!*slot) {
            list[*ret_count].subject.id = rows[i].subject;
            *slot = ++*ret_count;
        }
        r = add_key(&list[*slot - 1], &rows[i], err);
    }
    return r;
}

/* Within the list, where another one was taken out. */
static void
move_entry(struct work *from, struct work *to)
{
    if (from == to)
        return;
    *to = *from;
    *from = (struct work){ 0 };
}

static void
forget_entry(struct work *entry)
{
    int64_t subject = entry->subject.id;

    subject_done(&entry->subject);
    link_done(&entry->link);
    entry->subject.id = subject;
}

/* A damaged page must not stop those who are read with it; one of a short table concerns them all. A disk that failed
 * once, which SQLite calls damage too, is asked again. What fails for another reason, a lock say, is no damage of
 * anybody's, and fails the round. */
static int
load_entry(struct db *db, struct work *entry, struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    int64_t subject = entry->subject.id;
    bool sound = true, damaged = true;
    int r = PROV_OK;

    (void)db_met_damage(db); /* what was read before does not count */
    for (int tries = 0; damaged && tries < 2; tries++) {
        forget_entry(entry);
        r = link_load(db, subject, entry, &why);
        entry->subject.id = subject;
        damaged = r && r != PROV_E_NOMEM && db_met_damage(db);
    }
    if (damaged && !flight_is_sound(db, &sound, err) && sound && !wait_is_sound(db, &sound, err) &&
        sound) {
        forget_entry(entry);
        entry->unreadable = strdup(why.text);
        r = entry->unreadable ? PROV_OK : PROV_E_NOMEM;
    }
    return r ? error_set(err, r, "%s", why.text) : PROV_OK;
}

/* LOAD_MOST at once; one by one where something cannot be read. */
static int
load_some(struct db *db, struct work *list, size_t count, struct prov_error *err)
{
    int r = PROV_OK;

    if (count > 1 && link_load_some(db, list, count, NULL) == PROV_OK)
        return PROV_OK;
    for (size_t i = 0; !r && i < count; i++)
        r = load_entry(db, &list[i], err);
    return r;
}

/* Whether the entry is there for events alone whose versions are settled: by a process that was killed before it
 * could say so, or since news of the subject that came later were settled with them. */
static bool
is_settled(const struct work *entry)
{
    return entry->only_news && !entry->unreadable &&
           entry->link.settled_version >= entry->news_version;
}

static int
load_all(struct store *store, struct db *db, const struct due_span *span, struct work *list,
         size_t *ret_count, bool *ret_passed, struct prov_error *err)
{
    AUTO_FREE struct due_row *rows = calloc((size_t)span->limit, sizeof(*rows));
    size_t row_count = 0, count = 0;
    int64_t newest = tally_newest(db);
    int r = rows ? read_due(store, db, span, newest, rows, &row_count, err) : error_nomem(err);

    *ret_count = 0;
    if (!r)
        r = gather(rows, row_count, list, &count, err);
    for (size_t i = 0; i < count; i++) {
        struct work *entry = &list[i];
        if (!r && i % LOAD_MOST == 0)
            r = load_some(db, entry, count - i < LOAD_MOST ? count - i : LOAD_MOST, err);
        entry->link.as_of = newest;
        entry->link.wanted_version = entry->subject.version;
        if (!r && !is_settled(entry)) {
            move_entry(entry, &list[(*ret_count)++]);
            continue;
        }
        *ret_passed |= !r;
        for (size_t key = 0; !r && key < entry->due_count; key++)
            news_pass(store, entry->due[key].seq);
        work_done(entry);
    }
    return r;
}

static int
load_once(struct store *store, const struct due_span *span, struct work *list, size_t *ret_count,
          bool *ret_passed, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    int r = store_reader(store, &db, err);

    *ret_count = 0;
    if (!r) /* one transaction, so that the locks of the file are asked for once */
        r = db_run(db, err, "BEGIN", "");
    if (!r) {
        r = load_all(store, db, span, list, ret_count, ret_passed, err);
        db_rollback(db); /* nothing was written */
    }
    return r;
}

static int
load_due(struct store *store, const struct due_span *span, struct work **ret, size_t *ret_count,
         struct prov_error *err)
{
    struct work *list = calloc((size_t)span->limit, sizeof(*list));
    bool passed = true;
    size_t count = 0;
    int r = list ? PROV_OK : error_nomem(err);

    while (!r && count == 0 && passed) {
        passed = false;
        r = load_once(store, span, list, &count, &passed, err);
    }
    if (!r)
        r = news_keep(store, count == 0, err);
    if (r) {
        work_list_free(list, count);
        return r;
    }
    *ret = list;
    *ret_count = count;
    return PROV_OK;
}

int
store_due(struct store *store, int64_t now_us, int64_t limit, const struct under_way *but,
          struct work **ret, size_t *ret_count, struct prov_error *err)
{
    const struct due_span span = { now_us, now_us + CLOCK_JUMP_US, INT64_MAX, limit, now_us,
                                   but,    now_us >= DUE_NOW };

    return load_due(store, &span, ret, ret_count, err);
}

int
store_due_leavers(struct store *store, int64_t looked_us, int64_t now_us, int64_t limit,
                  struct work **ret, size_t *ret_count, struct prov_error *err)
{
    const struct due_span span = {
        DUE_URGENT, looked_us > DUE_NOW ? looked_us : DUE_NOW, now_us, limit, now_us, NULL, false
    };

    return load_due(store, &span, ret, ret_count, err);
}

/* ---- what was read ---- */

/* Or a row of an event, from before news were read there, or of one that was left behind (news.c). */
static bool
is_news(const struct due_key *key)
{
    return key->at == DUE_NOW && key->tie == 0;
}

int
store_due_delete(struct store *store, const struct work *work, struct prov_error *err)
{
    /* an order that was put off with its row has not been read */
    int r = db_run(store->write, err, "DELETE FROM due WHERE subject = ? AND at > 1 AND orders = 0",
                   "i", work->subject.id);

    for (size_t i = 0; !r && i < work->due_count; i++) {
        if (is_news(&work->due[i]) && news_over(store, work->due[i].seq))
            continue;
        r = db_run(store->write, err,
                   "DELETE FROM due WHERE at = ? AND seq = ? AND tie = ? AND subject = ?", "iiii",
                   work->due[i].at, work->due[i].seq, work->due[i].tie, work->subject.id);
    }
    return r;
}

int
store_due_put_off(struct store *store, const struct work *work, int64_t at_us,
                  struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < work->due_count; i++) {
        const struct due_key *key = &work->due[i];
        if (is_news(key) && news_over(store, key->seq))
            r = db_run(store->write, err,
                       "INSERT OR REPLACE INTO due (at, seq, tie, subject) VALUES (?, ?, 0, ?)",
                       "iii", at_us, key->seq, work->subject.id);
        else
            r = db_run(store->write, err,
                       "UPDATE OR REPLACE due SET at = ?"
                       " WHERE at = ? AND seq = ? AND tie = ? AND subject = ?",
                       "iiiii", at_us, key->at, key->seq, key->tie, work->subject.id);
    }
    return r;
}

/* ---- causes ---- */

int
due_insert(struct db *db, struct prov_error *err, const char *sql, const char *types, ...)
{
    va_list values;
    int r = db_run(db, err,
                   "INSERT INTO fact VALUES ('causes', 1)"
                   " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
                   "");

    if (r)
        return r;
    va_start(values, types);
    r = db_vrun(db, err, sql, types, values);
    va_end(values);
    return r;
}

int
store_due_add(struct store *store, int64_t subject, int64_t at, struct prov_error *err)
{
    return due_insert(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE ", subject) VALUES (?, " DUE_CAUSE_KEY
                      ", ?)",
                      "ii", at, subject);
}

int
store_due_order(struct store *store, int64_t subject, unsigned orders, struct prov_error *err)
{
    return due_insert(store->write, err,
                      "INSERT INTO due (at, " DUE_CAUSE
                      ", subject, orders) VALUES (1, " DUE_CAUSE_KEY ", ?, ?)",
                      "ii", subject, (int64_t)orders);
}

/* Who is one of those who are blocked, which has an index (link_blocked); it does not see that by itself. */
#define BLOCKED_AS(OUTCOME) "outcome = '" OUTCOME "' AND outcome IN " OUTCOMES_BLOCKED

int
store_due_if_linked(struct store *store, int64_t subject, const char *iss, const char *manager_uri,
                    struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "? FROM subject s JOIN link l ON l.subject = s.id"
                                  " WHERE s.iss = ? AND s.uri = ? AND l.salesforce_id IS NOT NULL",
                      "iss", subject, iss, manager_uri);
}

int
store_replan_parked(struct store *store, const char *plan_digest, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "subject FROM link WHERE outcome IN " OUTCOMES_BLOCKED
                                  " AND plan_digest IS NOT ?",
                      "s", plan_digest);
}

int
store_due_code(struct store *store, const char *code, int64_t limit, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR "subject FROM link WHERE " BLOCKED_AS(
                          OUTCOME_REFUSED) " AND code = ? ORDER BY updated_us LIMIT ?",
                      "si", code, limit);
}

int
store_due_long_parked(struct store *store, int64_t before_us, int64_t limit, struct prov_error *err)
{
    return due_insert(store->write, err,
                      DUE_NOW_FOR
                      "subject FROM (SELECT subject, row_number() OVER (PARTITION BY"
                      " code ORDER BY updated_us) AS place FROM link"
                      " WHERE " BLOCKED_AS(
                          OUTCOME_REFUSED) " AND next_us = 0 AND updated_us < ?"
                                           " AND NOT EXISTS (SELECT 1 FROM wait w WHERE"
                                           " w.subject = link.subject AND w.kind = '" WAIT_USERNAME
                                           "')) WHERE place <= ?",
                      "ii", before_us, limit);
}

int
store_due_parked(struct store *store, int64_t *ret_count, struct prov_error *err)
{
    int r = due_insert(store->write, err,
                       DUE_NOW_FOR "subject FROM link WHERE outcome IN " OUTCOMES_BLOCKED, "");

    if (!r)
        *ret_count = db_changes(store->write);
    return r;
}
