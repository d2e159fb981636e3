/* What an admin asks of the file itself: how long it is and why, whether it is sound; and giving back
 * the room that nothing is in any more. */
#include "plugin/store/internal.h"
#include "plugin/store/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* So many faults of a damaged file are told; the rest says nothing new. */
#define PROBLEMS_MAX 20

/* Pages given back in one transaction: 2 MB, 4 of an older store. */
#define GIVE_BACK_PAGES 1000

static int64_t
file_bytes(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

/* What a select finds, or refuses to find, put into the answer; damage is one of the problems. */
static int
put_number(struct db *db, struct json_object *answer, const char *key, const char *sql,
           struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error why = PROV_ERROR_INIT;
    struct json_object *problems = json_get(answer, "problems");
    bool row = false;
    int r = db_select(db, &rows, &why, sql, "");

    if (!r)
        r = db_next(&rows, &row, &why);
    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    if (r) {
        if (json_put(answer, key, NULL) || json_append_string(problems, why.text))
            return error_nomem(err);
        return PROV_OK;
    }
    return json_put_int(answer, key, row ? db_int(&rows, 0) : 0) ? error_nomem(err) : PROV_OK;
}

static bool
is_of_this_version(struct json_object *answer)
{
    return json_get_int(answer, "schema", 0) == STORE_SCHEMA_VERSION;
}

static int
put_numbers(struct db *db, struct json_object *answer, struct prov_error *err)
{
    static const struct {
        const char *key, *sql;
    } numbers[] = {
        { "schema", "SELECT CAST(value AS INTEGER) FROM fact WHERE key = 'schema'" },
        { "page_bytes", "PRAGMA page_size" },
        { "pages", "PRAGMA page_count" },
        { "free_pages", "PRAGMA freelist_count" },
        { "users", "SELECT count(*) FROM subject" },
        { "events", "SELECT count(*) FROM event" },
        { "due", "SELECT count(*) FROM due" },
        { "links", "SELECT count(*) FROM link" },
        /* what an older store lacks: from here on only of one of this version */
        { "in_flight", "SELECT count(*) FROM flight" },
        { "news", "SELECT count(*) FROM " NEWS_OWED },
        { "passwords", "SELECT count(*) FROM command WHERE sealed IS NOT NULL" },
        { "outcomes", "SELECT count(*) FROM history WHERE outcome <> '" NOTE "'" },
        { "notes", "SELECT count(*) FROM history WHERE outcome = '" NOTE "'" },
    };
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (!strcmp(numbers[i].key, "in_flight") && !is_of_this_version(answer))
            break;
        r = put_number(db, answer, numbers[i].key, numbers[i].sql, err);
    }
    return r;
}

/* ---- whether the tables agree ---- */

/* What is kept, against what counting gives. */
static const char kept_and_counted[] =
    "SELECT what || CASE code WHEN '' THEN '' ELSE ' with ' || code END, sum(kept), sum(counted)"
    " FROM (SELECT what, code, n AS kept, 0 AS counted FROM tally WHERE what <> 'total'"
    " UNION ALL SELECT outcome, coalesce(code, ''), 0, count(*) FROM link"
    " WHERE outcome IS NOT NULL AND " SCHEMA_COUNTS(
        "link",
        OUTCOMES_SETTLED) " GROUP BY 1, 2"
                          " UNION ALL SELECT 'active', '', 0, count(*) FROM link WHERE active"
                          " UNION ALL SELECT 'waits', kind, 0, count(*) FROM wait GROUP BY 1, 2"
                          " UNION ALL SELECT 'waits_long', kind, 0, count(*) FROM wait"
                          " WHERE is_long GROUP BY 1, 2)"
                          " GROUP BY what, code HAVING sum(kept) <> sum(counted) LIMIT 20";

static int
add_difference(struct json_object *list, char *text, struct prov_error *err)
{
    error_tidy(text);
    return json_append_string(list, text) ? error_nomem(err) : PROV_OK;
}

static int
compare_numbers(struct db *db, struct json_object *list, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = true;
    char text[300];
    int r = db_select(db, &rows, err, kept_and_counted, "");

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        snprintf(text, sizeof(text), "users who are '%s': status tells %lld, and there are %lld",
                 db_text(&rows, 0), (long long)db_int(&rows, 1), (long long)db_int(&rows, 2));
        r = add_difference(list, text, err);
    }
    return r;
}

/* Rows of users whom the store does not know. */
static int
find_orphans(struct db *db, struct json_object *list, struct prov_error *err)
{
    static const struct {
        const char *what, *sql;
    } tables[] = {
#define ORPHANS(TABLE, WHERE)                                                                      \
    { TABLE,                                                                                       \
      "SELECT count(*) FROM " TABLE " WHERE " WHERE "subject NOT IN (SELECT id FROM subject)" }
        ORPHANS("link", ""),    ORPHANS("due", ""),   ORPHANS("flight", ""),
        ORPHANS("command", ""), ORPHANS("event", ""), ORPHANS("history", "subject <> 0 AND "),
        ORPHANS("wait", ""),
#undef ORPHANS
    };
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(tables) / sizeof(tables[0]); i++) {
        CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
        bool row = false;
        char text[100];
        r = db_one_row(db, &rows, &row, err, tables[i].sql, "");
        if (r || db_int(&rows, 0) == 0)
            continue;
        snprintf(text, sizeof(text), "table '%s': %lld rows of users who are not there",
                 tables[i].what, (long long)db_int(&rows, 0));
        r = add_difference(list, text, err);
    }
    return r;
}

/* Users whose news are not settled, and whom nothing makes due; but who is held by the guard waits for a release. */
static int
find_forgotten(struct db *db, struct json_object *list, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    char text[100];
    int r =
        db_one_row(db, &rows, &row, err,
                   "SELECT count(*) FROM subject s LEFT JOIN link l ON l.subject = s.id"
                   " WHERE s.version > coalesce(l.settled_version, 0)"
                   " AND l.code IS NOT '" GUARD_CODE "'"
                   " AND s.last_event <= " NEWS_TAKEN " AND s.id NOT IN (SELECT subject FROM due"
                   " UNION ALL SELECT subject FROM flight)",
                   "");

    if (r || db_int(&rows, 0) == 0)
        return r;
    snprintf(text, sizeof(text), "users with news whom nothing makes due: %lld",
             (long long)db_int(&rows, 0));
    return add_difference(list, text, err);
}

/* Only of a file that can be read. */
static int
find_differences(struct db *db, struct json_object *answer, struct prov_error *err)
{
    struct json_object *list = json_get(answer, "differences");
    int r = compare_numbers(db, list, err);

    if (!r)
        r = find_orphans(db, list, err);
    return r ? r : find_forgotten(db, list, err);
}

/* SQLite's own look at every page; the full one compares the indexes with their tables as well. */
static int
find_problems(struct db *db, bool full, struct json_object *problems, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error why = PROV_ERROR_INIT;
    bool row = true;
    int r = db_select(db, &rows, &why,
                      full ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(20)", "");

    while (!r) {
        r = db_next(&rows, &row, &why);
        if (r || !row)
            break;
        if (strcmp(db_text(&rows, 0), "ok") != 0 && json_append_string(problems, db_text(&rows, 0)))
            return error_nomem(err);
    }
    if (r == PROV_E_NOMEM || (r && json_append_string(problems, why.text)))
        return error_nomem(err);
    return PROV_OK;
}

static int
inspect(const char *path, bool full, struct json_object *answer, struct prov_error *err)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    struct json_object *problems = json_get(answer, "problems");
    int r = db_open(path, &db, err);

    if (!r)
        r = put_numbers(db, answer, err);
    if (!r)
        r = find_problems(db, full, problems, err);
    if (!r && full && json_object_array_length(problems) == 0 && is_of_this_version(answer))
        r = find_differences(db, answer, err);
    if (!r && json_object_array_length(problems) > PROBLEMS_MAX)
        json_object_array_del_idx(problems, PROBLEMS_MAX,
                                  json_object_array_length(problems) - PROBLEMS_MAX);
    return r;
}

int
store_inspect(struct store *store, bool full, struct json_object **ret, struct prov_error *err)
{
    /* a connection of its own, closed before a fork may go on: it takes long, and the store's tables
     * are not brought up to date by a look */
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->list_lock);
    AUTO_JSON struct json_object *answer = json_object_new_object();
    struct json_object *problems = json_object_new_array();
    struct json_object *differences = json_object_new_array();
    AUTO_FREE char *wal = NULL;
    bool exists = store_exists(store);
    int r = PROV_OK;

    if (!answer || json_put(answer, "problems", problems) ||
        json_put(answer, "differences", differences) || !differences ||
        asprintf(&wal, "%s-wal", store->path) < 0 ||
        json_put_string(answer, "store", store->path) || json_put_bool(answer, "exists", exists) ||
        json_put_int(answer, "bytes", file_bytes(store->path)) ||
        json_put_int(answer, "wal_bytes", file_bytes(wal)))
        return error_nomem(err);
    if (exists)
        r = inspect(store->path, full, answer, err);
    if (r)
        return r;
    if (json_put_bool(answer, "sound",
                      json_object_array_length(problems) + json_object_array_length(differences) ==
                          0))
        return error_nomem(err);
    *ret = STEAL(answer);
    return PROV_OK;
}

int
store_read_files(struct store *store, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *files = json_object_new_object();
    AUTO_FREE char *wal = NULL;
    struct statvfs disk;

    if (!files || asprintf(&wal, "%s-wal", store->path) < 0 ||
        json_put_int(files, "store_bytes", file_bytes(store->path)) ||
        json_put_int(files, "wal_bytes", file_bytes(wal)))
        return error_nomem(err);
    if (statvfs(store->path, &disk) == 0
            ? json_put_int(files, "free_bytes", (int64_t)disk.f_bavail * (int64_t)disk.f_frsize)
            : json_put(files, "free_bytes", NULL))
        return error_nomem(err);
    *ret = STEAL(files);
    return PROV_OK;
}

/* ---- room ---- */

static int
read_number(struct db *db, const char *sql, int64_t *ret, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_one_row(db, &rows, &row, err, sql, "");

    if (!r)
        *ret = row ? db_int(&rows, 0) : 0;
    return r;
}

int
store_give_back(struct store *store, int64_t keep_percent, bool *ret_more, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    int64_t pages = 0, unused = 0, keep;
    struct db *db;
    int r = store_writer(store, &db, err);

    *ret_more = false;
    if (!r)
        r = read_number(db, "PRAGMA page_count", &pages, err);
    if (!r)
        r = read_number(db, "PRAGMA freelist_count", &unused, err);
    if (r)
        return r;
    keep = pages * keep_percent / 100;
    if (unused <= keep)
        return PROV_OK;
    *ret_more = unused - keep > GIVE_BACK_PAGES;
    return db_shrink(db, *ret_more ? GIVE_BACK_PAGES : unused - keep, err);
}

int
store_checkpoint(struct store *store, int64_t above_bytes, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    AUTO_FREE char *wal = NULL;
    struct db *db;
    int r;

    if (asprintf(&wal, "%s-wal", store->path) < 0)
        return error_nomem(err);
    if (file_bytes(wal) <= above_bytes)
        return PROV_OK;
    r = store_writer(store, &db, err);
    return r ? r : db_checkpoint(db, err);
}
