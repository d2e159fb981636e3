/* What came, and what became of it, as JSON: a page of all events, and one user's. What became of an event is derived
 * from three tables; where one of them is damaged the rest is told, and what is missing is named. */
#include "plugin/store/internal.h"

/* What became of an event: pending until its version is settled, and again while a refused one is
 * tried anew; superseded when a newer version was settled in its place and nothing confirmed shows
 * its own. */
#define OUTCOME_SQL                                                                                \
    "CASE WHEN e.subject IS NULL THEN 'ignored: no user'"                                          \
    " WHEN l.subject IS NULL OR e.version > l.settled_version THEN 'pending'"                      \
    " WHEN e.version = l.settled_version"                                                          \
    " AND l.outcome IN " OUTCOMES_SETTLED " THEN l.outcome"                                        \
    " WHEN e.version <= l.confirmed_version THEN 'delivered'"                                      \
    " WHEN e.version = l.settled_version THEN 'pending' ELSE 'superseded' END"

/* Of an event that is not the newest settled one: the outcome it had itself, or the newer version that was
 * settled in its place; NULL where the user's last outcomes do not tell. What was confirmed since says less: a
 * user who was deactivated and activated again between two looks is as wanted, and nothing was ever sent. The
 * walk ends at an outcome older than the event; it knows all if it comes there, or to the user's first. */
#define PAST_SQL                                                                                   \
    "CASE WHEN e.version < l.settled_version THEN ("                                               \
    "WITH RECURSIVE past (seq, previous, version, outcome, place) AS ("                            \
    "SELECT seq, previous, version, outcome, 1 FROM history"                                       \
    " WHERE seq = l.last_history AND subject = e.subject"                                          \
    " UNION ALL SELECT h.seq, h.previous, h.version, h.outcome, past.place + 1 FROM past"          \
    " JOIN history h ON h.seq = past.previous AND h.subject = e.subject"                           \
    " WHERE past.version >= e.version AND past.previous < past.seq AND past.place < 50)"           \
    " SELECT coalesce("                                                                            \
    "min(CASE WHEN version = e.version AND outcome IN " OUTCOMES_IN_STEP " THEN outcome END),"     \
    " CASE WHEN max(version < e.version OR previous = 0)"                                          \
    " THEN min(CASE WHEN version > e.version THEN version END) END) FROM past) END"

#define STORY_COLUMNS EVENT_COLUMNS ", e.received_us, s.uri, " OUTCOME_SQL ", e.told > 0, " PAST_SQL
#define EVENT_TABLES                                                                               \
    " FROM event e LEFT JOIN subject s ON s.id = e.subject LEFT JOIN link l ON l.subject = "       \
    "e.subject"

/* The less of it is asked for, the less can be in the way. */
#define LESS_COLUMNS EVENT_COLUMNS ", e.received_us, "
static const char *const alone_sql[] = {
    "SELECT " STORY_COLUMNS EVENT_TABLES " WHERE e.seq = ?",
    "SELECT " LESS_COLUMNS "s.uri, NULL, e.told > 0, NULL FROM event e LEFT JOIN subject s"
    " ON s.id = e.subject WHERE e.seq = ?",
    "SELECT " LESS_COLUMNS "NULL, NULL, e.told > 0, NULL FROM event e WHERE e.seq = ?",
    "SELECT e.seq, e.iss, e.jti, NULL, NULL, 0, 0, NULL, NULL, 0, NULL FROM event e"
    " INDEXED BY event_key WHERE +e.seq = ?",
};

int
event_put(struct json_object *row, const struct db_rows *rows)
{
    return json_put_int(row, "seq", db_int(rows, 0)) ||
                   json_put_string(row, "iss", db_text(rows, 1)) ||
                   json_put_string(row, "jti", db_text(rows, 2)) ||
                   json_put_string(row, "txn", db_text(rows, 3)) ||
                   json_put_string(row, "kinds", db_text(rows, 4)) ||
                   json_put_int(row, "version", db_int(rows, 5))
               ? PROV_E_NOMEM
               : PROV_OK;
}

static struct json_object *
event_row(const struct db_rows *rows)
{
    struct json_object *row = json_object_new_object();
    int64_t superseded_by = db_int(rows, EVENT_COUNT + 4); /* 0 of a word */
    const char *past = db_text(rows, EVENT_COUNT + 4);
    const char *outcome = superseded_by ? "superseded"
                          : past        ? past
                                        : db_text(rows, EVENT_COUNT + 2);

    if (!row || event_put(row, rows) || put_time(row, "received", db_int(rows, EVENT_COUNT)) ||
        json_put_string(row, "uri", db_text(rows, EVENT_COUNT + 1)) ||
        json_put_string(row, "outcome", outcome) ||
        (superseded_by && json_put_int(row, "superseded_by", superseded_by)) ||
        json_put_bool(row, "told", db_int(rows, EVENT_COUNT + 3) != 0)) {
        json_object_put(row);
        return NULL;
    }
    return row;
}

int
rows_append(struct db_rows *rows, struct json_object *(*make)(const struct db_rows *rows),
            struct json_object *list, struct prov_error *err)
{
    bool row = true;
    int r = PROV_OK;

    while (!r) {
        struct json_object *entry;
        r = db_next(rows, &row, err);
        if (r || !row)
            break;
        entry = make(rows);
        if (!entry || json_append(list, entry))
            r = error_nomem(err);
    }
    return r;
}

/* ---- around damage ---- */

/* One of which not all can be read. */
static int
name_unreadable(struct json_object *unreadable, const struct db_rows *key, const char *why,
                struct prov_error *err)
{
    struct json_object *entry = json_object_new_object();

    return json_append(unreadable, entry) || !entry || json_put_int(entry, "seq", db_int(key, 0)) ||
                   json_put_string(entry, "iss", db_text(key, 1)) ||
                   json_put_string(entry, "jti", db_text(key, 2)) ||
                   json_put_string(entry, "reason", why)
               ? error_nomem(err)
               : PROV_OK;
}

/* So much of one event as can be read. */
static int
append_careful(struct db *db, const struct db_rows *key, struct json_object *list,
               struct json_object *unreadable, struct prov_error *err)
{
    struct prov_error first = PROV_ERROR_INIT;
    int r = PROV_E_STORE;

    for (size_t i = 0; r && i < sizeof(alone_sql) / sizeof(alone_sql[0]); i++) {
        CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
        struct prov_error why = PROV_ERROR_INIT;
        (void)db_met_damage(db); /* what was read before does not count */
        r = db_select(db, &rows, &why, alone_sql[i], "i", db_int(key, 0));
        if (!r)
            r = rows_append(&rows, event_row, list, &why);
        if (r && (r == PROV_E_NOMEM || !db_met_damage(db)))
            return error_set(err, r, "%s", why.text);
        if (r && i == 0)
            first = why;
    }
    return first.text[0] ? name_unreadable(unreadable, key, first.text, err) : PROV_OK;
}

/* Their numbers and keys are read first, from `sql`, and then each alone. */
static int
select_around(struct db *db, const char *sql, int64_t after, int64_t limit,
              struct json_object *list, struct json_object *unreadable, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows keys = { 0 };
    bool row = true;
    int r = db_select(db, &keys, err, sql, "ii", after, limit);

    while (!r) {
        r = db_next(&keys, &row, err);
        if (r || !row)
            break;
        r = append_careful(db, &keys, list, unreadable, err);
    }
    return r;
}

static void
empty(struct json_object *list)
{
    json_object_array_del_idx(list, 0, json_object_array_length(list));
}

/* By the table, and where that is damaged by its index, which is no order of theirs. */
static int
read_page(struct db *db, int64_t after, int64_t limit, struct json_object *list,
          struct json_object *unreadable, struct prov_error *err)
{
    static const char *const ways[] = {
        "SELECT seq, iss, jti FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
        "SELECT seq, iss, jti FROM event INDEXED BY event_key WHERE +seq > ? ORDER BY +seq LIMIT ?"
    };
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int r;

    (void)db_met_damage(db);
    r = db_select(db, &rows, err,
                  "SELECT " STORY_COLUMNS EVENT_TABLES " WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
                  "ii", after, limit);
    if (!r)
        r = rows_append(&rows, event_row, list, err);
    db_rows_cleanup(&rows);
    for (size_t i = 0; r == PROV_E_STORE && db_met_damage(db) && i < 2; i++) {
        empty(list);
        empty(unreadable);
        r = select_around(db, ways[i], after, limit, list, unreadable, err);
    }
    return r;
}

int
store_read_events(struct store *store, int64_t after, int64_t limit, struct json_object **ret,
                  struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *list = json_object_new_array(), *unreadable = json_object_new_array();
    struct db *db;
    int r = json_put(result, "events", list);

    if (json_put(result, "unreadable", unreadable) || r || !list || !unreadable)
        return error_nomem(err);
    r = store_reader(store, &db, err);
    if (!r)
        r = read_page(db, after, limit, list, unreadable, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* ---- one user's ---- */

#define STORY(COLUMNS)                                                                             \
    "WITH RECURSIVE story (seq, place) AS (SELECT last_event, 1 FROM subject WHERE id = ?"         \
    " UNION ALL SELECT o.previous, story.place + 1 FROM story JOIN event o ON o.seq = story.seq"   \
    " WHERE story.place < 100) SELECT " COLUMNS " JOIN story ON e.seq = story.seq"                 \
    " ORDER BY e.version"

static int
put_story(struct db *db, int64_t subject, const char *sql, struct json_object *result,
          struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *list = json_object_new_array();
    int r = json_put(result, "events", list) || !list ? error_nomem(err) : PROV_OK;

    if (!r)
        r = db_select(db, &rows, err, sql, "i", subject);
    return r ? r : rows_append(&rows, event_row, list, err);
}

int
events_put(struct db *db, int64_t subject, struct json_object *result, struct prov_error *err)
{
    return put_story(db, subject, STORY(STORY_COLUMNS EVENT_TABLES), result, err);
}

int
events_put_bare(struct db *db, int64_t subject, struct json_object *result, struct prov_error *err)
{
    return put_story(db, subject, STORY(LESS_COLUMNS "NULL, NULL, e.told > 0, NULL FROM event e"),
                     result, err);
}
