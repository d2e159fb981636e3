/* Passwords on their way to Salesforce: what is no state, one for each subject. The newest takes the
 * place of an older one. Sealed until it is settled, then erased (secure_delete); what became of it
 * stays. When it is sent, delivery decides. */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/secret.h"
#include "plugin/scim/patch.h"

#define PASSWORD "password"
/* A time further ahead is of a clock that was set back. */
#define FAR_US (25 * INT64_C(3600) * CLOCK_SECOND_US)

/* A send that had no answer may still land: its own, or that of the one whose place it has taken. */
#define MAY_LAND "sent_us > 0 AND coalesce(outcome, 'unknown') = 'unknown'"

/* Of those whose subject is settled; nobody else's password is looked at. Who is parked, or waits, is settled
 * enough if there is an account that gives access; and who has left, whatever became of it. */
#define WAITING_SQL                                                                                \
    " FROM command c JOIN subject s ON s.id = c.subject JOIN link l ON l.subject = s.id"           \
    " WHERE c.sealed IS NOT NULL AND NOT " IN_FLIGHT(                                              \
        "l.subject") " AND l.settled_version >= s.version"                                         \
                     " AND (l.outcome IN " OUTCOMES_IN_STEP " OR (l.outcome IN " OUTCOMES_BLOCKED  \
                     " AND l.active) OR s.presence <> 1)"

static int
read_key(struct store *store, struct prov_error *err)
{
    if (store->sealer)
        return PROV_OK;
    if (!store->key_source)
        return error_set(err, PROV_E_FIELDS, "the field 'provision_passwords' is not set");
    return sealer_load(store->key_source, &store->sealer, err) == PROV_OK
               ? PROV_OK
               : error_wrap(err, PROV_E_FIELDS, "field 'sealing_key'");
}

/* What binds a record to its row. */
static void
name_place(int64_t subject, int64_t version, char place[80])
{
    snprintf(place, 80, "command %lld " PASSWORD " %lld", (long long)subject, (long long)version);
}

static char *
to_hex(const unsigned char *bytes, size_t length)
{
    char *hex = malloc(2 * length + 1);

    for (size_t i = 0; hex && i < length; i++) {
        hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    if (hex)
        hex[2 * length] = '\0';
    return hex;
}

/* In place; what is no hex gives a record that does not open. */
static size_t
from_hex(const char *hex, unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(hex) / 2;

    for (size_t i = 0; i < length; i++) {
        const char *high = strchr(digits, hex[2 * i]), *low = strchr(digits, hex[2 * i + 1]);
        bytes[i] = (unsigned char)(high && low ? (high - digits) << 4 | (low - digits) : 0);
    }
    return length;
}

int
command_ready(struct store *store, struct prov_error *err)
{
    return read_key(store, err);
}

/* An older one whose send had no answer may still land, so that the newer waits as long as it would have. */
int
command_keep(struct store *store, const struct event *event, int64_t subject, int64_t version,
             int64_t now_us, struct prov_error *err)
{
    AUTO_FREE unsigned char *sealed = NULL;
    AUTO_FREE char *hex = NULL;
    size_t length = 0;
    char place[80];
    int r = read_key(store, err);

    name_place(subject, version, place);
    if (!r)
        r = seal(store->sealer, PASSWORD, place, event->password, strlen(event->password), &sealed,
                 &length, err);
    if (r)
        return r;
    hex = to_hex(sealed, length);
    if (!hex)
        return error_nomem(err);
    return db_run(store->write, err,
                  "INSERT INTO command (subject, kind, version, sealed, updated_us)"
                  " VALUES (?, 'password', ?, ?, ?) ON CONFLICT (subject, kind) DO UPDATE SET"
                  " version = excluded.version, sealed = excluded.sealed, tries = 0,"
                  " next_us = CASE WHEN " MAY_LAND " THEN next_us ELSE 0 END,"
                  " sent_us = CASE WHEN " MAY_LAND " THEN sent_us ELSE 0 END, outcome = NULL,"
                  " code = NULL, message = NULL, cause = NULL, remedy = NULL,"
                  " updated_us = excluded.updated_us",
                  "iisi", subject, version, hex, now_us);
}

void
store_password_done(struct store_password *password)
{
    free(password->uri);
    free(password->salesforce_id);
    free(password->sealed);
    *password = (struct store_password){ 0 };
}

/* The object that a stored text is; NULL if there is none, or it cannot be read. */
static int
object_of(struct pool *pool, const char *text, struct value **ret, struct prov_error *err)
{
    struct prov_error damage = PROV_ERROR_INIT;

    if (text &&
        value_parse(pool, text, strlen(text), "a stored value", ret, &damage) == PROV_E_NOMEM)
        return error_nomem(err);
    return PROV_OK;
}

/* Whether the account is active, by what was confirmed, and is wanted so: that of a leaver whom Salesforce
 * keeps is not. */
static int
is_active(const char *confirmed, const char *resource, bool *ret, struct prov_error *err)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *there = NULL, *wanted = NULL;
    int r = object_of(&pool, confirmed, &there, err);

    if (!r)
        r = object_of(&pool, resource, &wanted, err);
    *ret = value_get_boolean(there, "IsActive", false) && wanted && scim_is_active(wanted);
    return r;
}

static int
read_password(const struct db_rows *rows, struct store_password *ret, struct prov_error *err)
{
    const char *id = db_text(rows, 5);

    ret->subject = db_int(rows, 0);
    ret->version = db_int(rows, 1);
    ret->tries = db_int(rows, 2);
    ret->sent_us = db_int(rows, 9);
    ret->uri = strdup(db_text(rows, 3));
    ret->sealed = strdup(db_text(rows, 4));
    ret->salesforce_id = strdup(id ? id : "");
    if (!ret->uri || !ret->sealed || !ret->salesforce_id)
        return error_nomem(err);
    return id && db_int(rows, 7) == PRESENCE_IN
               ? is_active(db_text(rows, 6), db_text(rows, 8), &ret->active, err)
               : PROV_OK;
}

int
store_password_due(struct store *store, int64_t now_us, struct store_password *ret, bool *ret_found,
                   struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, ret_found, err,
                       "SELECT c.subject, c.version, c.tries, s.uri, c.sealed, l.salesforce_id,"
                       " l.confirmed, s.presence, s.resource, c.sent_us" WAITING_SQL
                       " AND (c.next_us <= ?1 OR c.next_us > ?1 + ?2) ORDER BY c.next_us LIMIT 1",
                       "ii", now_us, FAR_US);
    return r || !*ret_found ? r : read_password(&rows, ret, err);
}

int
store_password_next(struct store *store, int64_t now_us, int64_t *ret_at_us, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_one_row(db, &rows, &row, err,
                       "SELECT coalesce(min(CASE WHEN c.next_us <= ?1 OR c.next_us > ?1 + ?2"
                       " THEN ?1 ELSE c.next_us END), 0)" WAITING_SQL,
                       "ii", now_us, FAR_US);
    *ret_at_us = !r && row ? db_int(&rows, 0) : 0;
    return r;
}

int
store_password_open(struct store *store, const struct store_password *password, char **ret,
                    struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    AUTO_FREE unsigned char *sealed = malloc(strlen(password->sealed) / 2 + 1);
    size_t length = 0;
    char place[80];
    int r = sealed ? read_key(store, err) : error_nomem(err);

    if (r)
        return r;
    name_place(password->subject, password->version, place);
    r = seal_open(store->sealer, PASSWORD, place, sealed, from_hex(password->sealed, sealed), ret,
                  &length, err);
    if (r == PROV_E_STATE) { /* the file may hold that key by now */
        sealer_free(STEAL(store->sealer));
        r = read_key(store, err);
        if (!r)
            r = seal_open(store->sealer, PASSWORD, place, sealed,
                          from_hex(password->sealed, sealed), ret, &length, err);
    }
    return r;
}

int
store_password_put(struct store *store, const struct store_password *password,
                   const struct store_password_news *news, struct prov_error *err)
{
    return db_run(store->write, err,
                  "UPDATE command SET sealed = CASE WHEN ? THEN NULL ELSE sealed END, tries = ?,"
                  " sent_us = ?, next_us = ?, outcome = ?, code = ?, message = ?, cause = ?,"
                  " remedy = ?, updated_us = ? WHERE subject = ? AND kind = 'password'"
                  " AND version = ?",
                  "iiiisssssiii", (int64_t)news->erase, news->tries, news->sent_us, news->next_us,
                  news->outcome, news->code, news->message, news->cause, news->remedy,
                  clock_now_us(), password->subject, password->version);
}

int
store_password_hurry(struct store *store, int64_t subject, struct prov_error *err)
{
    return db_run(store->write, err,
                  "UPDATE command SET next_us = 0 WHERE sealed IS NOT NULL AND NOT (" MAY_LAND ")"
                  " AND (?1 = 0 OR subject = ?1)",
                  "i", subject);
}

int
store_password_drop(struct store *store, const struct store_password_news *news, int64_t *ret_count,
                    struct prov_error *err)
{
    int r =
        db_run(store->write, err,
               "UPDATE command SET sealed = NULL, outcome = ?, code = ?, message = ?, cause = ?,"
               " remedy = ?, next_us = 0, updated_us = ? WHERE sealed IS NOT NULL",
               "sssssi", news->outcome, news->code, news->message, news->cause, news->remedy,
               clock_now_us());

    *ret_count = r ? 0 : db_changes(store->write);
    return r;
}
