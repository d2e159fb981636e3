/* The store object: its connections and locks, and what happens to them at a fork. */
#include "plugin/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/base/fork.h"
#include "plugin/store/schema.h"

/* ---- forks ---- */

pthread_mutex_t store_list_lock = PTHREAD_MUTEX_INITIALIZER;
struct store *store_list;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void
close_connections(struct store *store)
{
    db_close(store->write);
    db_close(store->read);
    db_close(store->sweep);
    store->sweep = NULL;
    store->write = NULL;
    store->read = NULL;
}

/* Waits for transactions (a flush at most) and a sweep under way, then closes, so that the child inherits
 * neither a connection nor a lock held by a thread it does not have. */
static void
before_fork(void)
{
    pthread_mutex_lock(&store_list_lock);
    for (struct store *store = store_list; store; store = store->next_open) {
        pthread_mutex_lock(&store->sweep_lock);
        pthread_mutex_lock(&store->write_lock);
        pthread_mutex_lock(&store->read_lock);
        pthread_mutex_lock(&store->list_lock);
        close_connections(store);
    }
}

static void
after_fork(void)
{
    for (struct store *store = store_list; store; store = store->next_open) {
        pthread_mutex_unlock(&store->list_lock);
        pthread_mutex_unlock(&store->read_lock);
        pthread_mutex_unlock(&store->write_lock);
        pthread_mutex_unlock(&store->sweep_lock);
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
    pthread_mutex_init(&store->sweep_lock, NULL);
    pthread_mutex_init(&store->write_lock, NULL);
    pthread_mutex_init(&store->read_lock, NULL);
    pthread_mutex_init(&store->list_lock, NULL);
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_mutex_init(&store->open_lock, NULL);
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
    pthread_mutex_destroy(&store->sweep_lock);
    sealer_free(store->sealer);
    pthread_mutex_destroy(&store->write_lock);
    pthread_mutex_destroy(&store->read_lock);
    pthread_mutex_destroy(&store->list_lock);
    pthread_mutex_destroy(&store->queue_lock);
    pthread_mutex_destroy(&store->open_lock);
    news_forget(&store->news);
    free(store->path);
    free(store->lease_path);
    free(store);
}

void
store_keep_passwords(struct store *store, const char *source)
{
    store->key_source = source;
}

void
store_set_scope(struct store *store, store_scope_fn in_scope, const void *context)
{
    store->in_scope = in_scope;
    store->scope_context = context;
}

void
store_count_no_memory(void)
{
    db_count_no_memory();
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
    /* where nobody may look, opening it says what is wrong */
    return access(store->path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* ---- connections ---- */

/* The connection kept at `place`, opened if it is not. One at a time: a second one that finds no tables yet
 * would wait for the transaction which the first has begun since, while that one waits for the second. */
static int
connect_at(struct store *store, struct db **place, struct db **ret, struct prov_error *err)
{
    int r = PROV_OK;

    if (!*place) {
        pthread_mutex_lock(&store->open_lock);
        r = schema_open(store->path, place, err);
        pthread_mutex_unlock(&store->open_lock);
    }
    if (!r)
        *ret = *place;
    return r;
}

int
store_writer(struct store *store, struct db **ret, struct prov_error *err)
{
    int r = connect_at(store, &store->write, ret, err);

    if (!r)
        db_watch_log(*ret, &store->log);
    return r;
}

int
store_reader(struct store *store, struct db **ret, struct prov_error *err)
{
    return connect_at(store, &store->read, ret, err);
}

int
store_view(struct store *store, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);
    struct db *db;
    int r = store_reader(store, &db, err);

    return r ? r : db_run(db, err, "BEGIN", "");
}

/* A fork in between has closed the connection, and the view with it. */
void
store_view_end(struct store *store)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);

    if (store->read)
        db_rollback(store->read); /* nothing was written */
}

bool
store_met_damage(struct store *store)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->read_lock);

    return store->read && db_met_damage(store->read);
}

void
look_done(struct look *look)
{
    db_rows_cleanup(&look->rows);
    unlock_cleanup(&look->held);
}

int
store_look(struct store *store, struct look *look, struct prov_error *err, const char *sql,
           const char *types, ...)
{
    struct db *db;
    va_list values;
    int r;

    if (!look->held)
        look->held = lock(&store->read_lock);
    r = store_reader(store, &db, err);
    if (r)
        return r;
    va_start(values, types);
    r = db_vone_row(db, &look->rows, &look->row, err, sql, types, values);
    va_end(values);
    return r;
}
