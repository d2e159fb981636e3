/* Who delivers: one connector of one process a store (design rule 15). The lock is an fcntl lock on
 * a file of its own: it has no expiry, is not inherited by fork, and is gone with the process. The
 * epoch fences a sender that believes it still holds it. */
#include "plugin/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* fcntl locks belong to the process, so a second connector of this process would get the lock too,
 * and closing its descriptor would drop the first one's: look before opening. */
static bool
held_in_process(const struct store *store)
{
    struct stat status;

    if (stat(store->lease_path, &status) != 0)
        return false;
    for (const struct store *other = store_list; other; other = other->next_open) {
        if (other->lease_fd >= 0 && other->lease_device == status.st_dev &&
            other->lease_inode == status.st_ino)
            return true;
    }
    return false;
}

/* A tool run by root must not lock the host's own user out: SQLite gives its files to the owner of
 * the store, and so is this one. If it cannot be, that user is told when it fails to open it. */
static void
give_to_owner(const struct store *store, int fd)
{
    struct stat status;

    if (geteuid() == 0 && stat(store->path, &status) == 0 && status.st_uid != 0 &&
        fchown(fd, status.st_uid, status.st_gid) != 0)
        return;
}

/* Takes the lock; *ret_fd -1: another process has it. */
static int
take_lock(struct store *store, int *ret_fd, struct prov_error *err)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(store->lease_path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600), reason;

    *ret_fd = -1;
    if (fd < 0)
        return error_set(err, PROV_E_STORE,
                         "lease file '%s' cannot be opened: %s; give this process the right to "
                         "write it and its directory",
                         store->lease_path, strerror(errno));
    give_to_owner(store, fd);
    if (fcntl(fd, F_SETLK, &whole) == 0) {
        *ret_fd = fd;
        return PROV_OK;
    }
    reason = errno;
    close(fd);
    if (reason == EACCES || reason == EAGAIN)
        return PROV_OK;
    return error_set(err, PROV_E_STORE, "lease file '%s' cannot be locked: %s", store->lease_path,
                     strerror(reason));
}

/* A new epoch, and everything that may be in flight at an older holder becomes due. */
static int
begin_epoch(struct store *store, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct db *db;
    bool row = false;
    int r = store_writer(store, &db, err);

    if (!r)
        r = db_begin(db, err);
    if (r)
        return r;
    r = db_run(db, err,
               "INSERT INTO fact VALUES ('epoch', 1)"
               " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
               "");
    if (!r)
        r = due_insert(db, err,
                       "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY
                       ", subject FROM flight",
                       "");
    if (!r)
        r = db_select(db, &rows, err, "SELECT value FROM fact WHERE key = 'epoch'", "");
    if (!r)
        r = db_next(&rows, &row, err);
    if (!r) {
        news_forget(&store->news); /* somebody else may have delivered meanwhile */
        store->epoch = db_int(&rows, 0);
        db_rows_cleanup(&rows);
        return db_commit(db, err);
    }
    db_rows_cleanup(&rows);
    db_rollback(db);
    return r;
}

int
store_lease_take(struct store *store, bool *ret_held, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store_list_lock);
    struct stat status;
    int fd, r;

    *ret_held = store->lease_fd >= 0;
    if (*ret_held || held_in_process(store))
        return PROV_OK;
    r = take_lock(store, &fd, err);
    if (r || fd < 0)
        return r;
    if (fstat(fd, &status) != 0) {
        close(fd);
        return error_set(err, PROV_E_STORE, "lease file '%s' cannot be read: %s", store->lease_path,
                         strerror(errno));
    }
    r = begin_epoch(store, err);
    if (!r)
        r = news_return(store, err);
    if (r) {
        close(fd);
        return r;
    }
    store->lease_fd = fd;
    store->lease_device = status.st_dev;
    store->lease_inode = status.st_ino;
    *ret_held = true;
    return PROV_OK;
}

void
store_lease_drop(struct store *store)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store_list_lock);

    if (store->lease_fd >= 0)
        close(store->lease_fd);
    store->lease_fd = -1;
}

bool
store_lease_held(struct store *store)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store_list_lock);

    return store->lease_fd >= 0;
}

/* Asks the kernel who has the lock. The file is opened for that, and no lock of this process may be on
 * it then: closing it would drop that. */
static int
ask_holder(const struct store *store, struct store_holder *ret, struct prov_error *err)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(store->lease_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), reason;

    if (fd < 0 && errno == ENOENT)
        return PROV_OK;
    if (fd < 0)
        return error_set(err, PROV_E_STORE,
                         "lease file '%s' cannot be opened: %s; give this process the right to "
                         "read it",
                         store->lease_path, strerror(errno));
    reason = fcntl(fd, F_GETLK, &whole) == 0 ? 0 : errno;
    close(fd);
    if (reason)
        return error_set(err, PROV_E_STORE, "lease file '%s': who holds it cannot be asked: %s",
                         store->lease_path, strerror(reason));
    ret->held = whole.l_type != F_UNLCK;
    ret->process = ret->held && whole.l_pid > 0 ? whole.l_pid : 0;
    return PROV_OK;
}

int
store_lease_holder(struct store *store, struct store_holder *ret, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store_list_lock);

    *ret = (struct store_holder){ .held = held_in_process(store) };
    if (!ret->held)
        return ask_holder(store, ret, err);
    ret->process = getpid();
    return PROV_OK;
}

static int
check_epoch(struct store *store, struct db *db, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    bool row = false;
    int r = db_select(db, &rows, err, "SELECT value FROM fact WHERE key = 'epoch'", "");

    if (!r)
        r = db_next(&rows, &row, err);
    if (!r && (!row || db_int(&rows, 0) != store->epoch))
        r = error_set(err, PROV_E_STATE,
                      "store '%s': another process has taken delivery over; this one stops and "
                      "leaves what it had sent to be read back",
                      store->path);
    return r;
}

int
store_begin(struct store *store, enum store_fence fence, struct prov_error *err)
{
    struct db *db;
    int r;

    pthread_mutex_lock(&store->write_lock);
    r = store_writer(store, &db, err);
    if (!r)
        r = db_begin(db, err);
    if (!r && fence == STORE_FENCED) {
        r = check_epoch(store, db, err);
        if (r)
            db_rollback(db);
    }
    if (r)
        pthread_mutex_unlock(&store->write_lock);
    return r;
}

int
store_end(struct store *store, int result, struct prov_error *err)
{
    int r = result ? result : news_write(store, err);

    if (!r)
        r = tally_write(store, err);
    if (!r)
        r = db_commit(store->write, err);
    else
        db_rollback(store->write);
    news_ended(store, r == PROV_OK);
    store->next_subject = 0;
    tally_forget(store);
    return r;
}

int
store_commit(struct store *store, struct prov_error *err)
{
    int r = store_end(store, PROV_OK, err);

    pthread_mutex_unlock(&store->write_lock);
    store_sweep_after(store);
    return r;
}

void
store_rollback(struct store *store)
{
    struct prov_error ignored = PROV_ERROR_INIT;

    (void)!store_end(store, PROV_E_STORE, &ignored);
    pthread_mutex_unlock(&store->write_lock);
}
