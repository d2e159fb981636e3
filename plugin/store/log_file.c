/* The write-ahead log is written once a commit. SQLite writes each frame of it with two calls, its head and its page,
 * and a call made right after a flush, with everything cold, costs some 2 us; so what is written is gathered, and
 * written when it is to be flushed or read. That changes nothing of what a crash may leave: the order is kept, and
 * between two flushes the system kept as little of it.
 *
 * Of a log that grows each flush writes the length of the file too, which takes an ext4 two to four times as long. So it
 * is made longer than it has to be, with zeros, by as much as it is long, at most half a megabyte. What stands behind the
 * last frame is no frame to SQLite, as it does not bear the salts of the log's head.
 *
 * A commit is shown to other connections after its flush, since they are all opened with synchronous=FULL (sqlite.c);
 * so nobody looks for a frame that is still gathered here. What a transaction wrote that is rolled back is forgotten.
 * https://www.sqlite.org/walformat.html
 */
#include "plugin/store/log_file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

/* The heads and pages of 30 frames. */
#define GATHERED_MOST (30 * (24 + 2048))

#define AHEAD_MOST (512 * 1024)

/* In front of the file of SQLite's own way to the system. */
struct log_file {
    sqlite3_file base;
    char *gathered; /* NULL: nothing was yet */
    int length;
    sqlite3_int64 at;    /* where it begins in the file */
    sqlite3_int64 end;   /* of what was written and not flushed; 0: nothing */
    sqlite3_int64 known; /* the file was so long, or longer, when it was looked at last */
    sqlite3_file *real;
};

static sqlite3_vfs *system_vfs;
static sqlite3_vfs log_vfs;

static struct log_file *
log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

/* What cannot be written stays, for SQLite counts on it until the transaction is rolled back. */
static int
write_gathered(struct log_file *log)
{
    int r = log->length > 0
                ? log->real->pMethods->xWrite(log->real, log->gathered, log->length, log->at)
                : SQLITE_OK;

    if (r == SQLITE_OK)
        log->length = 0;
    return r;
}

/* What is gathered yet was never committed. */
static int
log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);

    sqlite3_free(log->gathered);
    return log->real->pMethods->xClose(log->real);
}

static int
log_read(sqlite3_file *file, void *to, int length, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int r = write_gathered(log);

    return r != SQLITE_OK ? r : log->real->pMethods->xRead(log->real, to, length, at);
}

static int
log_write(sqlite3_file *file, const void *from, int length, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int r = SQLITE_OK;

    log->end = at + length > log->end ? at + length : log->end;
    if (at == 0) /* it begins anew: another one may have cut it */
        log->known = 0;
    if (log->length > 0 && (at != log->at + log->length || length > GATHERED_MOST - log->length))
        r = write_gathered(log);
    if (r == SQLITE_OK && !log->gathered)
        log->gathered = sqlite3_malloc(GATHERED_MOST);
    if (r == SQLITE_OK && (!log->gathered || length > GATHERED_MOST))
        return log->real->pMethods->xWrite(log->real, from, length, at);
    if (r != SQLITE_OK)
        return r;
    if (log->length == 0)
        log->at = at;
    memcpy(log->gathered + log->length, from, (size_t)length);
    log->length += length;
    return SQLITE_OK;
}

static int
log_truncate(sqlite3_file *file, sqlite3_int64 length)
{
    struct log_file *log = log_of(file);
    int r = write_gathered(log);

    log->known = 0;
    return r != SQLITE_OK ? r : log->real->pMethods->xTruncate(log->real, length);
}

/* Only behind what this connection has written itself, for which it holds the lock; and only behind the end of the file,
 * as others may have made it longer. Where there is no room for it the log does without. */
static void
go_ahead(struct log_file *log)
{
    sqlite3_int64 length = 0, until;

    if (log->end <= log->known || !log->gathered ||
        log->real->pMethods->xFileSize(log->real, &length) != SQLITE_OK)
        return;
    log->known = length;
    if (length > log->end)
        return;
    until = length + (length < AHEAD_MOST ? length : AHEAD_MOST);
    memset(log->gathered, 0,
           until - length < GATHERED_MOST ? (size_t)(until - length) : GATHERED_MOST);
    while (log->known < until) {
        int piece = until - log->known < GATHERED_MOST ? (int)(until - log->known) : GATHERED_MOST;
        if (log->real->pMethods->xWrite(log->real, log->gathered, piece, log->known) != SQLITE_OK)
            return;
        log->known += piece;
    }
}

static int
log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    int r = write_gathered(log);

    if (r == SQLITE_OK)
        go_ahead(log);
    log->end = 0;
    return r != SQLITE_OK ? r : log->real->pMethods->xSync(log->real, flags);
}

static int
log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct log_file *log = log_of(file);
    int r = write_gathered(log);

    return r != SQLITE_OK ? r : log->real->pMethods->xFileSize(log->real, ret);
}

/* A log is not locked: the file it belongs to is. */
static int
log_lock(sqlite3_file *file, int level)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xLock(log->real, level);
}

static int
log_unlock(sqlite3_file *file, int level)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xUnlock(log->real, level);
}

static int
log_check_lock(sqlite3_file *file, int *ret)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xCheckReservedLock(log->real, ret);
}

static int
log_control(sqlite3_file *file, int what, void *argument)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xFileControl(log->real, what, argument);
}

static int
log_sector(sqlite3_file *file)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xSectorSize(log->real);
}

static int
log_device(sqlite3_file *file)
{
    struct log_file *log = log_of(file);

    return log->real->pMethods->xDeviceCharacteristics(log->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_check_lock,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

/* Once the lock is gone, others write at that place. */
static void
forget_gathered(void *handle)
{
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
        !file || file->pMethods != &log_methods)
        return;
    log_of(file)->length = 0;
    log_of(file)->end = 0;
}

void
log_file_watch(sqlite3 *handle)
{
    sqlite3_rollback_hook(handle, forget_gathered, handle);
}

/* Every file but a log is the system's own. */
static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct log_file *log = log_of(file);
    int r;

    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return system_vfs->xOpen(system_vfs, name, file, flags, ret_flags);
    *log = (struct log_file){ .real = (sqlite3_file *)(void *)(log + 1) };
    r = system_vfs->xOpen(system_vfs, name, log->real, flags, ret_flags);
    /* of a file that has methods SQLite closes what is open, whatever is answered here */
    if (log->real->pMethods)
        log->base.pMethods = &log_methods;
    return r;
}

/* The rest is done by the system's own functions, which keep what they need to know of a file in the file. */
static void
register_vfs(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs)
        return;
    log_vfs = *system_vfs;
    log_vfs.zName = "sfprov-log";
    log_vfs.pNext = NULL;
    log_vfs.szOsFile += (int)sizeof(struct log_file);
    log_vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&log_vfs, 0) != SQLITE_OK)
        system_vfs = NULL;
}

const char *
log_file_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_vfs);
    return system_vfs ? log_vfs.zName : NULL;
}
