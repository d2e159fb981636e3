/* Look-ups: who holds or wants a name, whose an Id is, lists of subjects, facts. What follows from them is
 * decided by the delivery room. */
#include "plugin/store/internal.h"

#include <stdio.h>

/* ---- names and Ids ---- */

int
store_uri_by_index(struct store *store, int64_t subject, char **ret, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r =
        store_look(store, &look, err,
                   "SELECT uri FROM subject INDEXED BY subject_key WHERE +id = ?", "i", subject);

    *ret = NULL;
    return !r && look.row ? copy_text(&look.rows, 0, ret, err) : r;
}

void
name_claim_done(struct name_claim *claim)
{
    free(claim->uri);
    free(claim->waits_name);
    *claim = (struct name_claim){ 0 };
}

/* Three looks at an index, of which mostly nothing comes: all who are created ask. */
int
store_name_claim(struct store *store, const char *username, int64_t except, struct name_claim *ret,
                 struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int64_t holder, claimant;
    int r = store_look(store, &look, err,
                       "SELECT coalesce((SELECT subject FROM link WHERE username_held = ?1"
                       " AND subject <> ?2 LIMIT 1), 0), coalesce((SELECT subject FROM link"
                       " WHERE username_wanted = ?1 AND subject <> ?2 UNION ALL SELECT subject"
                       " FROM flight WHERE username = ?1 AND subject <> ?2 LIMIT 1), 0)",
                       "si", username, except);

    *ret = (struct name_claim){ 0 };
    if (r)
        return r;
    holder = db_int(&look.rows, 0);
    claimant = db_int(&look.rows, 1);
    if (!holder && !claimant)
        return PROV_OK;
    r = store_look(store, &look, err,
                   "SELECT s.uri, w.value FROM subject s LEFT JOIN wait w ON w.subject = s.id"
                   " AND w.kind = '" WAIT_USERNAME "' WHERE s.id = ?",
                   "i", holder ? holder : claimant);
    if (r || !look.row)
        return r;
    ret->subject = holder ? holder : claimant;
    ret->holds = holder != 0;
    r = copy_text(&look.rows, 0, &ret->uri, err);
    return r ? r : copy_text(&look.rows, 1, &ret->waits_name, err);
}

int
store_name_awaited(struct store *store, const char *username, bool *ret, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT EXISTS (SELECT 1 FROM wait w JOIN link l ON l.subject = w.subject"
                       " WHERE w.kind = '" WAIT_USERNAME "' AND w.value = ?"
                       " AND l.salesforce_id IS NOT NULL AND l.outcome <> '" OUTCOME_REFUSED "')",
                       "s", username);

    *ret = !r && db_int(&look.rows, 0) != 0;
    return r;
}

int
store_id_holder(struct store *store, const char *salesforce_id, int64_t except, int64_t *ret_id,
                struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT subject FROM link WHERE salesforce_id = ? AND subject <> ?", "si",
                       salesforce_id, except);

    if (!r)
        *ret_id = look.row ? db_int(&look.rows, 0) : 0;
    return r;
}

int
store_linked_id(struct store *store, const char *iss, const char *uri, char ret[19],
                struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT coalesce(l.salesforce_id, '') FROM subject s JOIN link l"
                       " ON l.subject = s.id WHERE s.iss = ? AND s.uri = ?",
                       "ss", iss, uri);

    if (!r)
        snprintf(ret, 19, "%s", look.row ? db_text(&look.rows, 0) : "");
    return r;
}

int
store_parked_with(struct store *store, const char *code, int64_t *ret_subject,
                  struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err,
                       "SELECT subject FROM link WHERE outcome = '" OUTCOME_REFUSED "' AND code = ?"
                       " AND next_us = 0 ORDER BY updated_us LIMIT 1",
                       "s", code);

    if (!r)
        *ret_subject = look.row ? db_int(&look.rows, 0) : 0;
    return r;
}

/* ---- lists of subjects ---- */

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

/* ---- facts ---- */

int
store_get_fact(struct store *store, const char *key, char **ret, struct prov_error *err)
{
    CLEANUP(look_done) struct look look = { 0 };
    int r = store_look(store, &look, err, "SELECT value FROM fact WHERE key = ?", "s", key);

    if (r)
        return r;
    *ret = NULL;
    return look.row ? copy_text(&look.rows, 0, ret, err) : PROV_OK;
}

int
store_put_fact(struct store *store, const char *key, const char *value, struct prov_error *err)
{
    if (!value)
        return db_run(store->write, err, "DELETE FROM fact WHERE key = ?", "s", key);
    return db_run(store->write, err, "INSERT OR REPLACE INTO fact VALUES (?, ?)", "ss", key, value);
}
