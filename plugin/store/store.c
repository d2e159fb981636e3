/* The store object: its tables, its connections and locks, and what happens to them at a fork. */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/base/fork.h"

/*
 * subject and event are written by accept, link by delivery, due by both (insert by anyone, delete
 * of the rows that were read by delivery): no row is shared, which is what deadlocked on
 * PostgreSQL when it was tried. command is for what is no state (a password to be set); nothing
 * writes it before passwords are provisioned.
 */
static const char schema[] =
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE subject ("
    " id INTEGER PRIMARY KEY, iss TEXT NOT NULL, uri TEXT NOT NULL, presence INTEGER NOT NULL,"
    " resource TEXT, user_name TEXT, etag TEXT, version INTEGER NOT NULL,"
    " last_event INTEGER NOT NULL, UNIQUE (iss, uri));"
    "CREATE INDEX subject_user_name ON subject (user_name COLLATE NOCASE);"
    "CREATE INDEX subject_uri ON subject (uri);"
    "CREATE TABLE event ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, iss TEXT NOT NULL, jti TEXT NOT NULL,"
    " digest TEXT NOT NULL, txn TEXT, subject INTEGER, version INTEGER NOT NULL,"
    " kinds TEXT NOT NULL, received_us INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE (iss, jti));"
    "CREATE INDEX event_txn ON event (iss, txn, digest) WHERE txn IS NOT NULL;"
    "CREATE INDEX event_subject ON event (subject, version);"
    "CREATE TABLE due (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " subject INTEGER NOT NULL);"
    "CREATE INDEX due_at ON due (at, seq);"
    "CREATE INDEX due_timed ON due (subject) WHERE at > 1;"
    "CREATE TABLE command (subject INTEGER NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,"
    " sealed BLOB, PRIMARY KEY (subject, kind, version)) WITHOUT ROWID;"
    "CREATE TABLE link ("
    " subject INTEGER PRIMARY KEY, salesforce_id TEXT UNIQUE, confirmed TEXT,"
    " confirmed_version INTEGER NOT NULL, settled_version INTEGER NOT NULL, username_wanted TEXT,"
    " username_held TEXT, username_inputs TEXT, in_flight TEXT, first_sent_us INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, next_us INTEGER NOT NULL, outcome TEXT, code TEXT, message TEXT,"
    " cause TEXT, remedy TEXT, last_action TEXT, plan_digest TEXT, waits_name TEXT,"
    " waits_manager TEXT, updated_us INTEGER NOT NULL);"
    "CREATE INDEX link_wanted ON link (username_wanted) WHERE username_wanted IS NOT NULL;"
    "CREATE INDEX link_held ON link (username_held) WHERE username_held IS NOT NULL;"
    "CREATE INDEX link_in_flight ON link (subject) WHERE in_flight IS NOT NULL;"
    "CREATE INDEX link_parked ON link (subject) WHERE outcome = 'refused';"
    "CREATE INDEX link_waits_name ON link (waits_name) WHERE waits_name IS NOT NULL;"
    "CREATE INDEX link_waits_manager ON link (waits_manager) WHERE waits_manager IS NOT NULL;"
    "INSERT INTO fact VALUES ('schema', '1');";

/* ---- forks ---- */

pthread_mutex_t store_list_lock = PTHREAD_MUTEX_INITIALIZER;
struct store *store_list;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void
close_connections(struct store *store)
{
    db_close(store->write);
    db_close(store->read);
    store->write = NULL;
    store->read = NULL;
}

/* Waits for transactions under way (a flush at most), then closes, so that the child inherits
 * neither a connection nor a lock held by a thread it does not have. */
static void
before_fork(void)
{
    pthread_mutex_lock(&store_list_lock);
    for (struct store *store = store_list; store; store = store->next_open) {
        pthread_mutex_lock(&store->write_lock);
        pthread_mutex_lock(&store->read_lock);
        close_connections(store);
    }
}

static void
after_fork(void)
{
    for (struct store *store = store_list; store; store = store->next_open) {
        pthread_mutex_unlock(&store->read_lock);
        pthread_mutex_unlock(&store->write_lock);
    }
    pthread_mutex_unlock(&store_list_lock);
}

/* The child's connectors make stores of their own; the parent's are forgotten, not freed. */
static void
after_fork_in_child(void)
{
    after_fork();
    store_list = NULL;
}

static void
watch_forks(void)
{
    fork_gate_watch(); /* first, since JSON is read under our locks */
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* ---- life ---- */

int
store_new(const char *path, struct store **ret, struct prov_error *err)
{
    CLEANUP(store_cleanup) struct store *store = calloc(1, sizeof(*store));

    if (!store)
        return error_nomem(err);
    store->lease_fd = -1;
    store->queue_tail = &store->queue_head;
    pthread_mutex_init(&store->write_lock, NULL);
    pthread_mutex_init(&store->read_lock, NULL);
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_cond_init(&store->queue_moved, NULL);
    store->path = strdup(path);
    if (!store->path || asprintf(&store->lease_path, "%s.lease", path) < 0)
        return error_nomem(err);
    pthread_once(&fork_once, watch_forks);
    pthread_mutex_lock(&store_list_lock);
    store->next_open = store_list;
    store_list = store;
    pthread_mutex_unlock(&store_list_lock);
    *ret = STEAL(store);
    return PROV_OK;
}

void
store_free(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store_list_lock);
    for (struct store **link = &store_list; *link; link = &(*link)->next_open) {
        if (*link == store) {
            *link = store->next_open;
            break;
        }
    }
    /* under the list's lock: a fork in between would hand an open connection to the child */
    close_connections(store);
    pthread_mutex_unlock(&store_list_lock);
    store_lease_drop(store);
    pthread_mutex_destroy(&store->write_lock);
    pthread_mutex_destroy(&store->read_lock);
    pthread_mutex_destroy(&store->queue_lock);
    pthread_cond_destroy(&store->queue_moved);
    free(store->path);
    free(store->lease_path);
    free(store);
}

const char *
store_path(const struct store *store)
{
    return store->path;
}

int
store_check_place(const struct store *store, struct prov_error *err)
{
    return db_check_place(store->path, err);
}

bool
store_exists(const struct store *store)
{
    return access(store->path, F_OK) == 0;
}

/* ---- tables ---- */

static int
read_version(struct store *store, struct db *db, bool *ret_empty, int64_t *ret_version,
             struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_select(db, &rows, err,
                      "SELECT count(*), coalesce(sum(name = 'fact'), 0) FROM sqlite_schema", "");

    if (!r)
        r = db_next(&rows, &row, err);
    if (r)
        return r;
    *ret_empty = db_int(&rows, 0) == 0;
    if (*ret_empty)
        return PROV_OK;
    if (db_int(&rows, 1) == 0)
        return error_set(err, PROV_E_STORE,
                         "store '%s' is a database of another program: name another path",
                         store->path);
    r = db_select(db, &rows, err, "SELECT value FROM fact WHERE key = 'schema'", "");
    if (!r)
        r = db_next(&rows, &row, err);
    if (!r)
        *ret_version = row && db_text(&rows, 0) ? atoll(db_text(&rows, 0)) : 0;
    return r;
}

/* Makes the tables in a new file; refuses a file of another version. */
static int
ensure_schema(struct store *store, struct db *db, struct prov_error *err)
{
    int64_t version = 0;
    bool empty = false;
    int r = read_version(store, db, &empty, &version, err);

    if (r)
        return r;
    if (empty) {
        r = db_begin(db, err);
        if (r)
            return r;
        /* another process may have made them meanwhile */
        r = read_version(store, db, &empty, &version, err);
        if (!r && empty) {
            r = db_script(db, schema, err);
            version = STORE_SCHEMA_VERSION;
        }
        if (r) {
            db_rollback(db);
            return r;
        }
        r = db_commit(db, err);
        if (r)
            return r;
    }
    if (version != STORE_SCHEMA_VERSION)
        return error_set(err, PROV_E_STORE,
                         "store '%s' has schema version %lld and this sfprov reads version %d: use "
                         "the sfprov that wrote it, or name a new store",
                         store->path, (long long)version, STORE_SCHEMA_VERSION);
    return PROV_OK;
}

/* The connection kept at `place`, opened if it is not. */
static int
connect_at(struct store *store, struct db **place, struct db **ret, struct prov_error *err)
{
    if (!*place) {
        CLEANUP(db_cleanup) struct db *db = NULL;
        int r = db_open(store->path, &db, err);
        if (!r)
            r = ensure_schema(store, db, err);
        if (r)
            return r;
        *place = STEAL(db);
    }
    *ret = *place;
    return PROV_OK;
}

int
store_writer(struct store *store, struct db **ret, struct prov_error *err)
{
    return connect_at(store, &store->write, ret, err);
}

int
store_reader(struct store *store, struct db **ret, struct prov_error *err)
{
    return connect_at(store, &store->read, ret, err);
}
