/* The queries: what an admin or a monitor asks, as JSON. States and outcomes are derived here from
 * versions, never stored twice (design 2). */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/value_json.h"
#include "plugin/scim/patch.h"

/* The state of a subject in words; `l` may be all NULL. */
#define STATE_SQL                                                                                  \
    "CASE WHEN f.subject IS NOT NULL THEN 'in_flight'"                                             \
    " WHEN l.subject IS NULL OR l.settled_version < s.version"                                     \
    " OR coalesce(l.outcome, '') NOT IN " OUTCOMES_SETTLED                                         \
    " THEN 'pending' WHEN l.outcome = '" OUTCOME_REFUSED "' THEN 'parked'"                         \
    " WHEN l.outcome = '" OUTCOME_WAITING "' THEN 'waiting' ELSE 'in_step' END"

#define ROW_COLUMNS                                                                                \
    SUBJECT_COLUMNS ", " LINK_COLUMNS ", " STATE_SQL ", s.user_name,"                              \
                    " (SELECT coalesce(outcome, 'waiting') FROM command WHERE subject = s.id),"    \
                    " (SELECT code FROM command WHERE subject = s.id)"
#define ROW_STATE (SUBJECT_COUNT + LINK_COUNT)

static const char *
presence_name(enum presence presence)
{
    return presence == PRESENCE_IN ? "in" : presence == PRESENCE_OUT ? "out" : "gone";
}

int
put_time(struct json_object *object, const char *key, int64_t time_us)
{
    char text[21];

    return time_us > 0 ? json_put_string(object, key, clock_format(time_us, text))
                       : json_put(object, key, NULL);
}

static int
put_waits(struct json_object *row, const struct link *link)
{
    struct json_object *list = json_object_new_array();
    int r = json_put(row, "waits", list) || !list ? PROV_E_NOMEM : PROV_OK;

    for (size_t i = 0; !r && i < link->wait_count; i++) {
        const struct wait *wait = &link->waits[i];
        struct json_object *entry = json_object_new_object();
        if (json_append(list, entry) || !entry || json_put_string(entry, "kind", wait->kind) ||
            json_put_string(entry, "for", wait->value) ||
            put_time(entry, "since", wait->since_us) || json_put_bool(entry, "long", wait->is_long))
            r = PROV_E_NOMEM;
    }
    return r;
}

static int
put_link(struct json_object *row, const struct link *link)
{
    if (json_put_string(row, "username",
                        link->username_held ? link->username_held : link->username_wanted) ||
        (link->salesforce_id[0] && json_put_string(row, "salesforce_id", link->salesforce_id)) ||
        json_put_string(row, "last_action", link->last_action) ||
        json_put_string(row, "outcome", link->outcome) ||
        json_put_string(row, "code", link->code) ||
        json_put_string(row, "message", link->message) ||
        json_put_string(row, "cause", link->cause) ||
        json_put_string(row, "remedy", link->remedy) ||
        json_put_int(row, "attempts", link->attempts) ||
        put_time(row, "next_attempt", link->next_us) ||
        put_time(row, "updated", link->updated_us) || put_waits(row, link))
        return PROV_E_NOMEM;
    return PROV_OK;
}

/* What became of the user's password, in short: nothing where none came. */
static int
put_password_outcome(const struct db_rows *rows, struct json_object *row)
{
    const char *outcome = db_text(rows, ROW_STATE + 2);
    struct json_object *entry = outcome ? json_object_new_object() : NULL;

    if (!outcome)
        return PROV_OK;
    return !entry || json_put(row, "password", entry) ||
                   json_put_string(entry, "outcome", outcome) ||
                   json_put_string(entry, "code", db_text(rows, ROW_STATE + 3))
               ? PROV_E_NOMEM
               : PROV_OK;
}

static int
put_value(struct json_object *row, const char *name, const struct value *value)
{
    struct json_object *json = NULL;

    return json_from_value(value, &json) || json_put(row, name, json) ? PROV_E_NOMEM : PROV_OK;
}

/* One subject as a JSON object, from ROW_COLUMNS; the details too when asked for. */
static int
make_row(const struct db_rows *rows, bool detailed, struct json_object **ret,
         struct prov_error *err)
{
    CLEANUP(subject_done) struct subject subject = { 0 };
    CLEANUP(link_done) struct link link = { 0 };
    AUTO_JSON struct json_object *row = json_object_new_object();
    int r = row ? subject_read(rows, 0, &subject, err) : error_nomem(err);

    if (!r)
        r = link_read(rows, SUBJECT_COUNT, &link, err);
    if (!r)
        r = wait_load(rows->db, subject.id, &link, err);
    if (r)
        return r;
    if (json_put_int(row, "id", subject.id) || json_put_string(row, "iss", subject.iss) ||
        json_put_string(row, "uri", subject.uri) ||
        json_put_string(row, "userName", db_text(rows, ROW_STATE + 1)) ||
        json_put_string(row, "presence", presence_name(subject.presence)) ||
        json_put_bool(row, "active",
                      subject.presence == PRESENCE_IN && subject.resource &&
                          scim_is_active(subject.resource)) ||
        json_put_int(row, "version", subject.version) ||
        json_put_string(row, "state", db_text(rows, ROW_STATE)) || put_link(row, &link) ||
        put_password_outcome(rows, row))
        return error_nomem(err);
    if (detailed && (put_value(row, "resource", subject.resource) ||
                     put_value(row, "confirmed", link.confirmed) ||
                     put_value(row, "in_flight", link.in_flight)))
        return error_nomem(err);
    *ret = STEAL(row);
    return PROV_OK;
}

/* Appends the rows of a select over ROW_COLUMNS; *ret_last is the last subject's id. */
static int
append_rows(struct db_rows *rows, struct json_object *list, int64_t *ret_last,
            struct prov_error *err)
{
    bool row = true;
    int r = PROV_OK;

    while (!r) {
        struct json_object *entry = NULL;
        r = db_next(rows, &row, err);
        if (r || !row)
            break;
        *ret_last = db_int(rows, 0);
        r = make_row(rows, false, &entry, err);
        if (!r && json_append(list, entry))
            r = error_nomem(err);
    }
    return r;
}

static int
select_listed(struct db *db, struct json_object *users, struct json_object *list,
              struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t last = 0;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < json_object_array_length(users); i++) {
        r = db_select(db, &rows, err, "SELECT " ROW_COLUMNS LINK_TABLES " WHERE s.uri = ?", "s",
                      json_object_get_string(json_object_array_get_idx(users, i)));
        if (!r)
            r = append_rows(&rows, list, &last, err);
    }
    return r;
}

/* Those of one issuer with just this user name, in upper or lower case. */
static int
select_named(struct db *db, const char *issuer, const char *name, struct json_object *list,
             struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t last = 0;
    int r = db_select(db, &rows, err,
                      "SELECT " ROW_COLUMNS LINK_TABLES " WHERE s.user_name = ? COLLATE NOCASE"
                      " AND s.iss = ? ORDER BY s.id",
                      "ss", name, issuer);

    return r ? r : append_rows(&rows, list, &last, err);
}

/* What a page of the list is to show. */
struct selection {
    int64_t after, limit;
    const char *state, *find; /* NULL: all */
};

#define SELECTION_SQL                                                                              \
    " AND (?2 IS NULL OR " STATE_SQL " = ?2)"                                                      \
    " AND (?3 IS NULL OR instr(lower(s.user_name), lower(?3)) > 0"                                 \
    " OR instr(s.uri, ?3) > 0 OR instr(coalesce(l.username_held, ''), lower(?3)) > 0)"

/* *ret_last: the last subject looked at, if there may be more. */
static int
select_sound(struct db *db, const struct selection *selection, struct json_object *list,
             int64_t *ret_last, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t last = 0;
    int r =
        db_select(db, &rows, err,
                  "SELECT " ROW_COLUMNS LINK_TABLES " WHERE s.id > ?1" SELECTION_SQL
                  " ORDER BY s.id LIMIT ?4",
                  "issi", selection->after, selection->state, selection->find, selection->limit);

    if (!r)
        r = append_rows(&rows, list, &last, err);
    *ret_last = (int64_t)json_object_array_length(list) == selection->limit ? last : 0;
    return r;
}

/* One row that a damaged page may hide: then it is named among `unreadable`. */
static int
select_careful(struct db *db, const struct selection *selection, int64_t id, const char *uri,
               struct json_object *list, struct json_object *unreadable, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error why = PROV_ERROR_INIT;
    struct json_object *entry;
    int64_t last = 0;
    int r;

    (void)db_met_damage(db); /* what was read before does not count */
    r = db_select(db, &rows, &why,
                  "SELECT " ROW_COLUMNS LINK_TABLES " WHERE s.id = ?1" SELECTION_SQL, "iss", id,
                  selection->state, selection->find);
    if (!r)
        r = append_rows(&rows, list, &last, &why);
    if (!r || r == PROV_E_NOMEM || !db_met_damage(db))
        return r ? error_set(err, r, "%s", why.text) : PROV_OK;
    entry = json_object_new_object();
    if (json_append(unreadable, entry) || json_put_string(entry, "uri", uri) ||
        json_put_string(entry, "reason", why.text))
        return error_nomem(err);
    return PROV_OK;
}

/* The same where a page is damaged: who is there is read from an index, and then each alone. So many are
 * looked at, not found. */
static int
select_around(struct db *db, const struct selection *selection, struct json_object *list,
              struct json_object *unreadable, int64_t *ret_last, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t seen = 0;
    bool row = true;
    int r = db_select(db, &rows, err,
                      "SELECT id, uri FROM subject INDEXED BY subject_key WHERE +id > ?"
                      " ORDER BY +id LIMIT ?",
                      "ii", selection->after, selection->limit);

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        seen++;
        *ret_last = db_int(&rows, 0);
        r = select_careful(db, selection, *ret_last, db_text(&rows, 1), list, unreadable, err);
    }
    if (!r && seen < selection->limit)
        *ret_last = 0;
    return r;
}

static int
select_page(struct db *db, struct json_object *request, struct json_object *result,
            int64_t *ret_next, struct prov_error *err)
{
    struct selection selection = { .after = json_get_int(request, "after", 0),
                                   .limit = json_get_int(request, "limit", 200),
                                   .state = json_get_string(request, "state"),
                                   .find = json_get_string(request, "find") };
    struct json_object *list = json_get(result, "subjects");
    struct json_object *unreadable = json_get(result, "unreadable");
    int r;

    if (selection.limit < 1 || selection.limit > 1000)
        return error_set(err, PROV_E_INVALID, "limit %lld is not from 1 to 1000",
                         (long long)selection.limit);
    if (selection.state && strcmp(selection.state, "all") == 0)
        selection.state = NULL;
    (void)db_met_damage(db);
    r = select_sound(db, &selection, list, ret_next, err);
    if (r != PROV_E_STORE || !db_met_damage(db))
        return r;
    json_object_array_del_idx(list, 0, json_object_array_length(list));
    return select_around(db, &selection, list, unreadable, ret_next, err);
}

int
store_read_subjects(struct store *store, struct json_object *request, struct json_object **ret,
                    struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *list = json_object_new_array(), *users = json_get(request, "users");
    struct json_object *unreadable = json_object_new_array();
    const char *name = json_get_string(request, "userName");
    int64_t next = 0;
    struct db *db;
    int r;

    if (json_put(result, "unreadable", unreadable) || !unreadable ||
        json_put(result, "subjects", list) || !list)
        return error_nomem(err);
    r = store_reader(store, &db, err);
    if (!r && json_object_is_type(users, json_type_array))
        r = select_listed(db, users, list, err);
    else if (!r && name)
        r = select_named(db, json_get_string(request, "issuer"), name, list, err);
    else if (!r)
        r = select_page(db, request, result, &next, err);
    if (!r && json_put(result, "next", next ? json_object_new_int64(next) : NULL))
        r = error_nomem(err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* ---- what cannot be read ---- */

int
store_or_unreadable(struct json_object *result, const char *const *members, int r,
                    const struct prov_error *why, struct prov_error *err)
{
    struct json_object *list = json_get(result, "unreadable");

    if (r != PROV_E_STORE)
        return r ? error_set(err, r, "%s", why->text) : PROV_OK;
    for (; *members; members++) {
        struct json_object *part = json_object_new_object();
        if (json_append(list, part) || json_put_string(part, "member", *members) ||
            json_put_string(part, "reason", why->text) || json_put(result, *members, NULL))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* ---- one subject ---- */

static int
find(struct db *db, const char *path, const char *user, int64_t *ret_id, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    char several[512] = "";
    size_t length = 0;
    int64_t id = 0;
    int count = 0;
    bool row = true;
    int r = db_select(db, &rows, err,
                      "SELECT id, uri, coalesce(user_name, ''), iss FROM subject WHERE uri = ?1"
                      " OR iss || '#' || uri = ?1"
                      " OR user_name = ?1 COLLATE NOCASE"
                      " OR substr(user_name, instr(user_name, '/') + 1) = ?1 COLLATE NOCASE"
                      " UNION SELECT s.id, s.uri, coalesce(s.user_name, ''), s.iss FROM link l"
                      " JOIN subject s ON s.id = l.subject WHERE l.username_held = lower(?1)"
                      " OR l.username_wanted = lower(?1) OR l.salesforce_id = ?1"
                      " OR substr(l.salesforce_id, 1, 15) = ?1"
                      " UNION SELECT s.id, s.uri, coalesce(s.user_name, ''), s.iss FROM flight f"
                      " JOIN subject s ON s.id = f.subject WHERE f.username = lower(?1) LIMIT 10",
                      "s", user);

    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        id = db_int(&rows, 0);
        count++;
        length += (size_t)snprintf(several + length, sizeof(several) - length, "%s'%s' (%s at %s)",
                                   length ? ", " : "", db_text(&rows, 1), db_text(&rows, 2),
                                   db_text(&rows, 3));
        if (length >= sizeof(several))
            length = sizeof(several) - 1;
    }
    if (r)
        return r;
    if (count == 0)
        return error_set(
            err, PROV_E_NOTFOUND,
            "no subject '%s' is known: not as URI, userName, Salesforce username or "
            "Salesforce Id. No event for it was accepted, so nothing was ever sent for "
            "it. To check: is it spelled as the host does ('sfprov list TEXT' looks for "
            "a part of it)? does the host provision this user at all, and did its "
            "submit answer 'accepted' (its log has the reason if not)? does the host "
            "write into this store, '%s'?",
            user, path);
    error_tidy(several); /* perhaps cut in a character */
    if (count > 1)
        return error_set(err, PROV_E_INVALID,
                         "'%s' fits several subjects: %s; name one by its URI, or by issuer#URI",
                         user, several);
    *ret_id = id;
    return PROV_OK;
}

int
store_find(struct store *store, const char *user, int64_t *ret_id, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    int r = store_reader(store, &db, err);

    return r ? r : find(db, store->path, user, ret_id, err);
}

/* What became of the user's password, if one came; never the password. */
static int
put_password(struct db *db, int64_t id, struct json_object *result, struct prov_error *err)
{
    static const char *const names[] = { "outcome", "code", "message", "cause", "remedy" };
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *entry;
    bool row = false;
    int r = db_one_row(db, &rows, &row, err,
                       "SELECT version, next_us, updated_us, coalesce(outcome, 'waiting'), code,"
                       " message, cause, remedy FROM command WHERE subject = ?"
                       " AND kind = 'password'",
                       "i", id);

    if (r || !row)
        return r;
    entry = json_object_new_object();
    if (json_put(result, "password", entry) || !entry ||
        json_put_int(entry, "version", db_int(&rows, 0)) ||
        put_time(entry, "next_attempt", db_int(&rows, 1)) ||
        put_time(entry, "updated", db_int(&rows, 2)))
        return error_nomem(err);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_put_string(entry, names[i], db_text(&rows, 3 + (int)i)))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* Beside what is known of the user now: all of it is of use without the rest. */
static int
put_past(struct db *db, int64_t id, struct json_object *result, struct prov_error *err)
{
    static const char *const members[][2] = {
        { "password" }, { "events" }, { "history" }, { "notes" }
    };
    struct prov_error why = PROV_ERROR_INIT;
    struct json_object *first;
    int r = store_or_unreadable(result, members[0], put_password(db, id, result, &why), &why, err),
        told;

    if (r)
        return r;
    told = events_put(db, id, result, &why);
    r = store_or_unreadable(result, members[1], told, &why, err);
    /* what became of them may be all that is missing */
    if (!r && told && events_put_bare(db, id, result, NULL) && json_put(result, "events", NULL))
        r = error_nomem(err);
    if (!r)
        r = store_or_unreadable(result, members[2], history_put(db, id, result, &why), &why, err);
    if (r)
        return r;
    first = json_get(result, "events"); /* json-c takes no null for an empty array */
    first = first ? json_object_array_get_idx(first, 0) : NULL;
    return store_or_unreadable(result, members[3],
                               notes_put(db, id, json_get_int(first, "seq", 0), result, &why), &why,
                               err);
}

int
store_read_subject(struct store *store, const char *user, struct json_object **ret,
                   struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    AUTO_JSON struct json_object *result = NULL;
    struct json_object *unreadable;
    int64_t id = 0;
    struct db *db;
    bool row = false;
    int r = store_reader(store, &db, err);

    if (!r)
        r = find(db, store->path, user, &id, err);
    if (!r)
        r = db_one_row(db, &rows, &row, err, "SELECT " ROW_COLUMNS LINK_TABLES " WHERE s.id = ?",
                       "i", id);
    if (!r)
        r = make_row(&rows, true, &result, err);
    if (r)
        return r;
    unreadable = json_object_new_array();
    if (json_put(result, "unreadable", unreadable) || !unreadable)
        return error_nomem(err);
    r = put_past(db, id, result, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* ---- counts ---- */

static int
count_passwords(struct db *db, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *counts = json_object_new_object();
    bool row = false;
    int r = json_put(result, "passwords", counts) || !counts ? error_nomem(err) : PROV_OK;

    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT coalesce(sum(sealed IS NOT NULL), 0),"
                       " coalesce(sum(outcome = 'refused'), 0) FROM command",
                       "");
    if (r)
        return r;
    if (json_put_int(counts, "waiting", db_int(&rows, 0)) ||
        json_put_int(counts, "refused", db_int(&rows, 1)))
        return error_nomem(err);
    return PROV_OK;
}

int
store_read_seats_wanted(struct store *store, struct json_object **ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct db *db;
    bool row = true;
    int r = result ? store_reader(store, &db, err) : error_nomem(err);

    if (!r)
        r = db_select(db, &rows, err,
                      "SELECT coalesce(value, ''), count(*) FROM wait WHERE kind = '" WAIT_SEAT "'"
                      " GROUP BY value",
                      "");
    while (!r) {
        r = db_next(&rows, &row, err);
        if (r || !row)
            break;
        if (json_put_int(result, db_text(&rows, 0), db_int(&rows, 1)))
            r = error_nomem(err);
    }
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* Of those who are due for each reason, so many are looked at to find who has waited longest; they
 * stand in the order in which they came. */
#define OLDEST_OF INT64_C(300)

/* Whether anything is due, and the oldest event not settled yet: the event itself says how long it has been waiting. */
static int
count_due(struct db *db, struct json_object *result, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    int64_t oldest, waited;
    bool row = false;
    int r = db_one_row(
        db, &rows, &row, err,
        "WITH RECURSIVE head (subject) AS ("
        "SELECT subject FROM (SELECT subject FROM due WHERE at = 0 ORDER BY seq"
        " LIMIT ?1) UNION SELECT subject FROM (SELECT subject FROM due WHERE at = 1"
        " ORDER BY seq LIMIT ?1) UNION SELECT subject FROM (SELECT subject FROM " NEWS_OWED
        " LIMIT ?1) UNION SELECT subject FROM (SELECT subject FROM due"
        " WHERE at > 1 ORDER BY at, seq LIMIT ?1)),"
        " waiting (seq, settled) AS ("
        "SELECT s.last_event, coalesce(l.settled_version, 0) FROM head"
        " JOIN subject s ON s.id = head.subject LEFT JOIN link l ON l.subject = s.id"
        " UNION ALL SELECT e.previous, waiting.settled FROM waiting"
        " JOIN event e ON e.seq = waiting.seq WHERE e.version > waiting.settled + 1)"
        " SELECT (SELECT count(*) FROM (SELECT 1 FROM due UNION ALL SELECT 1 FROM " NEWS_OWED
        " LIMIT 1000)),"
        " coalesce((SELECT min(e.received_us) FROM waiting"
        " JOIN event e ON e.seq = waiting.seq WHERE e.version > waiting.settled), 0)",
        "i", OLDEST_OF);

    if (r)
        return r;
    oldest = db_int(&rows, 1);
    waited = clock_now_us() - oldest; /* negative when the clock was set back */
    if (json_put_int(result, "due", db_int(&rows, 0)) ||
        json_put(result, "oldest_pending_s",
                 oldest ? json_object_new_int64(waited > 0 ? waited / CLOCK_SECOND_US : 0) : NULL))
        return error_nomem(err);
    return PROV_OK;
}

int
store_read_counts(struct store *store, struct json_object **ret, struct prov_error *err)
{
    static const struct {
        int (*read)(struct db *db, struct json_object *result, struct prov_error *err);
        const char *members[9]; /* NULL behind the last */
    } parts[] = { { tally_states, { "subjects", "codes" } },
                  { count_due, { "due", "oldest_pending_s" } },
                  { tally_totals,
                    { "events_settled", "changes_delivered", "changes_refused", "changes_retried",
                      "api_calls", "api_calls_failed", "last_delivered", "last_delivered_s" } },
                  { tally_events, { "events", "events_accepted" } },
                  { count_passwords, { "passwords" } },
                  { tally_waits, { "waits" } } };
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *unreadable = json_object_new_array();
    struct db *db;
    int r;

    if (json_put(result, "unreadable", unreadable) || !unreadable ||
        json_put_string(result, "store", store->path))
        return error_nomem(err);
    r = store_reader(store, &db, err);
    for (size_t i = 0; !r && i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct prov_error why = PROV_ERROR_INIT;
        r = store_or_unreadable(result, parts[i].members, parts[i].read(db, result, &why), &why,
                                err);
    }
    if (!r)
        *ret = STEAL(result);
    return r;
}
