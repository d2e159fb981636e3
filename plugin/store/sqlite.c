/* The only user of SQLite but for the file its log is written to (log_file.c): opening a file safely, statements,
 * transactions, and SQLite's errors in an operator's words. What is stored, and when, is decided by the rest of the
 * room. */
#include "plugin/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/store/log_file.h"

#define CACHE_SIZE 128

/* Of a new file; an older one keeps its own. An event alone changes three pages, and what is written to the log,
 * summed and flushed is whole pages; but a delivery reads the more of them, the smaller they are (docs/performance.md). */
#define PAGE_BYTES "2048"
/* The inner pages of the trees that delivery reads are not worth being read anew for each user: 8 MB, for a
 * connection that has met so many. */
#define CACHE_KIB "8000"
/* Of a statement, so much stands in a message that the reason and the remedy fit behind it. */
#define DOING_MAX 60

#define CHECKPOINT_WAIT_MS 1000

/* For so long a file that was seen in its place counts as there. It may be moved while a transaction is flushed
 * just as well, which takes as long on a slow disk; and a look costs a caller who submits without pause 3 us. */
#define IN_PLACE_US INT64_C(10000)

int db_busy_timeout_ms = 10000;

struct cached {
    const char *sql; /* compared by address: literals only */
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *handle;
    char *path;
    int64_t in_place_us; /* the file was last seen in its place then, on the monotonic clock */
    struct db_log *log;  /* NULL: nobody asks */
    bool damage;         /* met since db_met_damage() was asked last */
    struct cached cache[CACHE_SIZE];
};

static int
fail(struct db *db, int code, const char *doing, struct prov_error *err)
{
    const char *remedy;

    switch (code & 0xff) {
    case SQLITE_FULL:
        remedy = "the disk is full: make room, then submit again";
        break;
    case SQLITE_BUSY:
        remedy = "another process has held the store for too long: look for one that hangs";
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        remedy = "give this process the right to write the file and its directory";
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        db->damage = true;
        remedy = "the file is damaged or no sfprov store: 'sfprov store check' tells more; put it "
                 "aside and restore a backup";
        break;
    case SQLITE_IOERR:
        /* SQLite has a code of its own for a full disk only, not for a quota or RLIMIT_FSIZE */
        remedy = code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE
                     ? "make room, or raise the quota or this process's limit for files; if there "
                       "is room, the disk reports errors: check it and the system's log"
                     : "the disk reports errors: check it and the system's log";
        break;
    case SQLITE_PROTOCOL: /* after ten seconds; a lock that fails looks to SQLite like one that is held */
        remedy = "the file system refuses locks: put the store on a local disk, or check that and "
                 "the system's log";
        break;
    case SQLITE_NOMEM:
        return error_nomem(err);
    default:
        remedy = "see the message";
        break;
    }
    return error_set(err, PROV_E_STORE, "store '%s': %.*s failed: %s (%s); %s", db->path, DOING_MAX,
                     doing, db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code),
                     sqlite3_errstr(code), remedy);
}

/* The path with the links in its directory followed, since SQLite is told to follow none. Heap. */
static int
resolve(const char *path, char **ret, struct prov_error *err)
{
    AUTO_FREE char *directory = strdup(path);
    AUTO_FREE char *real = NULL;
    char *slash;

    if (!directory)
        return error_nomem(err);
    if (*path != '/')
        return error_set(err, PROV_E_STORE, "store '%s' is no absolute path: begin it with /",
                         path);
    slash = strrchr(directory, '/');
    slash[slash == directory] = '\0';
    real = realpath(directory, NULL);
    if (!real)
        return error_set(err, PROV_E_STORE,
                         "store '%s': its directory cannot be used: %s; create it, or name another",
                         path, strerror(errno));
    if (asprintf(ret, "%s/%s", strcmp(real, "/") == 0 ? "" : real, strrchr(path, '/') + 1) < 0)
        return error_nomem(err);
    return PROV_OK;
}

/* Whether others may put files into the directory; refused if they may also replace ours. */
static int
check_directory(const char *real, const char *path, bool *ret_shared, struct prov_error *err)
{
    AUTO_FREE char *directory = strdup(real);
    struct stat status;

    if (!directory)
        return error_nomem(err);
    strrchr(directory, '/')[strrchr(directory, '/') == directory] = '\0';
    if (stat(directory, &status) != 0)
        return error_set(err, PROV_E_STORE, "store '%s': its directory cannot be used: %s", path,
                         strerror(errno));
    *ret_shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (*ret_shared && !(status.st_mode & S_ISVTX))
        return error_set(err, PROV_E_STORE,
                         "store '%s': others may write in its directory, so they could replace the "
                         "store; remove that right (chmod go-w)",
                         path);
    return PROV_OK;
}

/* Where others may put files, anyone may have put one of our names there, to read what we would
 * write or to be read in its place. */
static int
check_owner(const char *real, const char *path, struct prov_error *err)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        AUTO_FREE char *file = NULL;
        struct stat status;
        if (asprintf(&file, "%s%s", real, endings[i]) < 0)
            return error_nomem(err);
        if (lstat(file, &status) == 0 && status.st_uid != geteuid())
            return error_set(err, PROV_E_STORE,
                             "store '%s': the file '%s' belongs to another user, and others may "
                             "write in its directory: name a path in a directory of your own",
                             path, file);
    }
    return PROV_OK;
}

/* Creates the file itself, because SQLite would create it readable by all. O_EXCL: if it exists we
 * never open it here, since closing a second descriptor would drop SQLite's locks (rule 20). */
static int
create_private(const char *real, const char *path, struct prov_error *err)
{
    struct stat status;
    bool shared = false;
    int fd, r = check_directory(real, path, &shared, err);

    if (r)
        return r;
    fd = open(real, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return error_set(err, PROV_E_STORE,
                         "store '%s' cannot be created: %s; give this process the right to write "
                         "in its directory, or name another path",
                         path, strerror(errno));
    if (lstat(real, &status) != 0 || !S_ISREG(status.st_mode))
        return error_set(err, PROV_E_STORE,
                         "store '%s' is no regular file: name the file itself, or another path",
                         path);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, PROV_E_STORE,
                         "store '%s' can be read or written by others (mode %04o); it holds "
                         "personal data: chmod 600",
                         path, (unsigned)(status.st_mode & 07777));
    return shared ? check_owner(real, path, err) : PROV_OK;
}

int
db_check_place(const char *path, struct prov_error *err)
{
    AUTO_FREE char *real = NULL;
    AUTO_FREE char *directory = NULL;
    bool shared = false;
    int r = resolve(path, &real, err);

    if (!r)
        r = check_directory(real, path, &shared, err);
    if (r)
        return r;
    if (access(real, F_OK) == 0) /* then everything is looked at, and nothing made */
        return create_private(real, path, err);
    directory = strdup(real);
    if (!directory)
        return error_nomem(err);
    strrchr(directory, '/')[strrchr(directory, '/') == directory] = '\0';
    if (access(directory, W_OK | X_OK) != 0)
        return error_set(err, PROV_E_STORE,
                         "store '%s' cannot be created: %s; give this process the right to write "
                         "in its directory, or name another path",
                         path, strerror(errno));
    return PROV_OK;
}

static int
note_number(void *context, int columns, char **values, char **names)
{
    (void)names;
    *(int *)context = columns > 0 && values[0] ? atoi(values[0]) : 0;
    return 0;
}

/* Counts for a file without tables, and the second for others at the next VACUUM. Where it is so already,
 * saying it again would write. */
static int
set_pages(struct db *db)
{
    int mode = 0, r = sqlite3_exec(db->handle, "PRAGMA auto_vacuum", note_number, &mode, NULL);

    return r != SQLITE_OK || mode != 0
               ? r
               : sqlite3_exec(db->handle,
                              "PRAGMA page_size=" PAGE_BYTES "; PRAGMA auto_vacuum=INCREMENTAL",
                              NULL, NULL, NULL);
}

/* In the place of SQLite's own hook, which would copy the log into the file inside a commit. */
static int
note_log(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = context;

    (void)handle;
    (void)name;
    if (db->log && pages < atomic_exchange(&db->log->pages, pages))
        atomic_store(&db->log->swept, 0);
    return SQLITE_OK;
}

/* Prepared when the file is opened, for who has no memory must roll back too: else nobody could write any more, this process
 * and all others. */
static const char rollback_sql[] = "ROLLBACK";

static int
prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct prov_error *err)
{
    size_t slot = ((uintptr_t)sql >> 3) % CACHE_SIZE;
    int r;

    for (size_t i = 0; i < CACHE_SIZE && db->cache[slot].sql; i++, slot = (slot + 1) % CACHE_SIZE) {
        if (db->cache[slot].sql == sql) {
            *ret = db->cache[slot].statement;
            return PROV_OK;
        }
    }
    if (db->cache[slot].sql) /* full: cannot happen while the room has fewer statements */
        return error_set(err, PROV_E_STORE, "store '%s': too many statements", db->path);
    r = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    if (r != SQLITE_OK)
        return fail(db, r, sql, err);
    db->cache[slot] = (struct cached){ sql, *ret };
    return PROV_OK;
}

/* Where opening a file to write fails, though there is the right to it, SQLite opens it to read, be it the database, its
 * log or what the processes share of it: then nothing could be written until the process ends. Of one that somebody else
 * writes nothing is known, but SQLite looks at this first. */
static int
check_writable(struct db *db, struct prov_error *err)
{
    int r;

    if (access(db->path, W_OK) != 0)
        return PROV_OK;
    if (sqlite3_db_readonly(db->handle, "main") == 1)
        return fail(db, SQLITE_READONLY, "opening", err);
    sqlite3_busy_timeout(db->handle, 0);
    r = sqlite3_exec(db->handle, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL);
    sqlite3_busy_timeout(db->handle, db_busy_timeout_ms);
    return r == SQLITE_OK || (r & 0xff) == SQLITE_BUSY ? PROV_OK : fail(db, r, "opening", err);
}

/* When several connections switch a new file to WAL at once, SQLite answers BUSY without waiting. */
static int
set_up(struct db *db, struct prov_error *err)
{
    static const char settings[] = "PRAGMA synchronous=FULL;" /* first, see log_file.c */
                                   "PRAGMA journal_mode=WAL;"
                                   "PRAGMA journal_size_limit=67108864;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA secure_delete=ON;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cache_size=-" CACHE_KIB ";";
    int64_t end_us = clock_monotonic_us() + db_busy_timeout_ms * INT64_C(1000);
    sqlite3_stmt *rollback;
    int r;

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, db_busy_timeout_ms);
    sqlite3_wal_hook(db->handle, note_log, db);
    log_file_watch(db->handle);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* what is bound chooses no plan: else whatever may depend on it is compiled anew at each run */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    while ((r = set_pages(db)) != SQLITE_OK ||
           (r = sqlite3_exec(db->handle, settings, NULL, NULL, NULL)) != SQLITE_OK) {
        if ((r & 0xff) != SQLITE_BUSY || clock_monotonic_us() >= end_us)
            return fail(db, r, "opening", err);
        sqlite3_sleep(5);
    }
    r = check_writable(db, err);
    return r ? r : prepare(db, rollback_sql, &rollback, err);
}

/* A file that was moved away or deleted takes writes like before, and they would be lost with it. */
static int
check_in_place(struct db *db, struct prov_error *err)
{
    int64_t now_us = clock_monotonic_us();
    int moved = 0;

    if (db->in_place_us && now_us - db->in_place_us < IN_PLACE_US)
        return PROV_OK;
    db->in_place_us = 0;
    if (sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved)
        return error_set(err, PROV_E_STORE,
                         "store '%s' was moved, deleted or replaced while it is in use: put it "
                         "back, or restart the host",
                         db->path);
    db->in_place_us = now_us;
    return PROV_OK;
}

void
db_count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* SQLITE_MISUSE: it is in use already */
}

int
db_open(const char *path, struct db **ret, struct prov_error *err)
{
    CLEANUP(db_cleanup) struct db *db = calloc(1, sizeof(*db));
    AUTO_FREE char *real = NULL;
    int r;

    if (!db || !(db->path = strdup(path)))
        return error_nomem(err);
    r = resolve(path, &real, err);
    if (!r)
        r = create_private(real, path, err);
    if (r)
        return r;
    r = sqlite3_open_v2(real, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                        log_file_vfs());
    if (r != SQLITE_OK)
        return fail(db, r, "opening", err);
    r = set_up(db, err);
    if (!r)
        *ret = STEAL(db);
    return r;
}

/* One transaction that never ends: nothing of a scratch file is to outlive its connection, so it is
 * never flushed, and no page of it was there before that a journal would keep. */
static int
set_up_scratch(struct db *db, struct prov_error *err)
{
    static const char settings[] = "PRAGMA journal_mode=MEMORY;"
                                   "PRAGMA synchronous=OFF;"
                                   "PRAGMA locking_mode=EXCLUSIVE;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cache_size=-16384;"
                                   "BEGIN EXCLUSIVE;";
    int r;

    sqlite3_extended_result_codes(db->handle, 1);
    r = sqlite3_exec(db->handle, settings, NULL, NULL, NULL);
    return r == SQLITE_OK ? PROV_OK : fail(db, r, "opening", err);
}

int
db_open_scratch(const char *beside, struct db **ret, struct prov_error *err)
{
    CLEANUP(db_cleanup) struct db *db = calloc(1, sizeof(*db));
    AUTO_FREE char *real = NULL;
    AUTO_FREE char *file = NULL;
    bool shared = false;
    int fd, r;

    if (!db || !(db->path = strdup(beside)))
        return error_nomem(err);
    r = resolve(beside, &real, err);
    if (!r)
        r = check_directory(real, beside, &shared, err);
    if (r)
        return r;
    if (asprintf(&file, "%s.list-XXXXXX", real) < 0)
        return error_nomem(err);
    fd = mkostemp(file, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return error_set(err, PROV_E_STORE,
                         "store '%s': no file for a list can be made beside it: %s; give this "
                         "process the right to write in its directory, and room",
                         beside, strerror(errno));
    close(fd);
    r = sqlite3_open_v2(file, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    r = r == SQLITE_OK ? set_up_scratch(db, err) : fail(db, r, "opening", err);
    unlink(file);
    if (!r)
        *ret = STEAL(db);
    return r;
}

int
db_shrink(struct db *db, int64_t pages, struct prov_error *err)
{
    char sql[60];

    snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%lld)", (long long)pages);
    return db_script(db, sql, err);
}

void
db_watch_log(struct db *db, struct db_log *log)
{
    db->log = log;
}

int
db_copy_log(struct db *db, int64_t *ret_copied, struct prov_error *err)
{
    int pages = 0, copied = 0;
    int r = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);

    *ret_copied = copied;
    return r == SQLITE_OK || (r & 0xff) == SQLITE_BUSY
               ? PROV_OK
               : fail(db, r, "copying the write-ahead log into the file", err);
}

int
db_checkpoint(struct db *db, struct prov_error *err)
{
    int r;

    sqlite3_busy_timeout(db->handle, CHECKPOINT_WAIT_MS);
    r = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db->handle, db_busy_timeout_ms);
    return r == SQLITE_OK || (r & 0xff) == SQLITE_BUSY
               ? PROV_OK
               : fail(db, r, "emptying the write-ahead log", err);
}

bool
db_met_damage(struct db *db)
{
    bool met = db->damage;

    db->damage = false;
    return met;
}

void
db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < CACHE_SIZE; i++)
        sqlite3_finalize(db->cache[i].statement);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

int
db_exclude_others(struct db *db, bool *ret_alone, struct prov_error *err)
{
    int r;

    /* to leave WAL, SQLite must be alone with the file, and stays so while a lock is kept; EXTRA,
     * since a rollback journal whose end is not on disk would undo what was committed after it */
    sqlite3_busy_timeout(db->handle, 0);
    r = sqlite3_exec(db->handle,
                     "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE;"
                     "PRAGMA synchronous=EXTRA; BEGIN EXCLUSIVE; COMMIT",
                     NULL, NULL, NULL);
    sqlite3_busy_timeout(db->handle, db_busy_timeout_ms);
    *ret_alone = r == SQLITE_OK;
    return r == SQLITE_OK || (r & 0xff) == SQLITE_BUSY ? PROV_OK : fail(db, r, "locking", err);
}

int
db_admit_others(struct db *db, struct prov_error *err)
{
    /* the lock goes with the next access, and must be gone before WAL is entered: alone, SQLite
     * would share no memory for it */
    int r = db_script(db, "PRAGMA locking_mode=NORMAL; SELECT 1 FROM sqlite_schema", err);

    return r ? r : set_up(db, err);
}

/* Texts are not copied, and what is bound stays until it is bound anew: always before a run. */
static int
bind(struct db *db, const char *sql, const char *types, va_list values, sqlite3_stmt **ret,
     struct prov_error *err)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(db, sql, &statement, err);

    if (r)
        return r;
    for (int i = 0; types[i]; i++) {
        r = SQLITE_MISUSE;
        if (types[i] == 'i' || types[i] == 'n') {
            int64_t number = va_arg(values, int64_t);
            r = types[i] == 'n' && number == 0 ? sqlite3_bind_null(statement, i + 1)
                                               : sqlite3_bind_int64(statement, i + 1, number);
        } else if (types[i] == 's') {
            const char *text = va_arg(values, const char *);
            r = sqlite3_bind_text(statement, i + 1, text, -1, SQLITE_STATIC);
        }
        if (r != SQLITE_OK)
            return fail(db, r, sql, err);
    }
    *ret = statement;
    return PROV_OK;
}

static int
run(struct db *db, sqlite3_stmt *statement, struct prov_error *err)
{
    int step = sqlite3_step(statement);
    int r = step == SQLITE_DONE || step == SQLITE_ROW ? PROV_OK
                                                      : fail(db, step, sqlite3_sql(statement), err);

    sqlite3_reset(statement);
    return r;
}

int
db_vrun(struct db *db, struct prov_error *err, const char *sql, const char *types, va_list values)
{
    sqlite3_stmt *statement = NULL;
    int r = bind(db, sql, types, values, &statement, err);

    return r ? r : run(db, statement, err);
}

int
db_run(struct db *db, struct prov_error *err, const char *sql, const char *types, ...)
{
    va_list values;
    int r;

    va_start(values, types);
    r = db_vrun(db, err, sql, types, values);
    va_end(values);
    return r;
}

static int
start(struct db *db, struct db_rows *rows, const char *sql, const char *types, va_list values,
      struct prov_error *err)
{
    sqlite3_stmt *statement = NULL;
    int r;

    db_rows_cleanup(rows);
    r = bind(db, sql, types, values, &statement, err);
    if (!r)
        *rows = (struct db_rows){ db, statement };
    return r;
}

int
db_select(struct db *db, struct db_rows *rows, struct prov_error *err, const char *sql,
          const char *types, ...)
{
    va_list values;
    int r;

    va_start(values, types);
    r = start(db, rows, sql, types, values, err);
    va_end(values);
    return r;
}

int
db_vone_row(struct db *db, struct db_rows *rows, bool *ret_row, struct prov_error *err,
            const char *sql, const char *types, va_list values)
{
    int r = start(db, rows, sql, types, values, err);

    return r ? r : db_next(rows, ret_row, err);
}

int
db_select_texts(struct db *db, struct db_rows *rows, struct prov_error *err, const char *sql,
                const char *const *texts, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(db, sql, &statement, err);

    db_rows_cleanup(rows);
    for (size_t i = 0; !r && i < count; i++) {
        int code = sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC);
        if (code != SQLITE_OK)
            r = fail(db, code, sql, err);
    }
    if (!r)
        *rows = (struct db_rows){ db, statement };
    return r;
}

int
db_select_numbers(struct db *db, struct db_rows *rows, struct prov_error *err, const char *sql,
                  const int64_t *numbers, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int r;

    db_rows_cleanup(rows);
    r = prepare(db, sql, &statement, err);
    for (size_t i = 0; !r && i < count; i++) {
        int code = sqlite3_bind_int64(statement, (int)i + 1, numbers[i]);
        if (code != SQLITE_OK)
            r = fail(db, code, sql, err);
    }
    if (!r)
        *rows = (struct db_rows){ db, statement };
    return r;
}

int
db_one_row(struct db *db, struct db_rows *rows, bool *ret_row, struct prov_error *err,
           const char *sql, const char *types, ...)
{
    va_list values;
    int r;

    va_start(values, types);
    r = db_vone_row(db, rows, ret_row, err, sql, types, values);
    va_end(values);
    return r;
}

int
db_next(struct db_rows *rows, bool *ret_row, struct prov_error *err)
{
    int r = sqlite3_step(rows->statement);

    if (r != SQLITE_ROW && r != SQLITE_DONE)
        return fail(rows->db, r, sqlite3_sql(rows->statement), err);
    *ret_row = r == SQLITE_ROW;
    return PROV_OK;
}

int64_t
db_int(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

const char *
db_text(const struct db_rows *rows, int column)
{
    return (const char *)sqlite3_column_text(rows->statement, column);
}

void
db_rows_cleanup(struct db_rows *rows)
{
    if (rows->statement)
        sqlite3_reset(rows->statement);
    rows->statement = NULL;
}

int64_t
db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t
db_last_key(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int
db_script(struct db *db, const char *sql, struct prov_error *err)
{
    int r = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return r == SQLITE_OK ? PROV_OK : fail(db, r, "preparing the tables", err);
}

int
db_begin(struct db *db, struct prov_error *err)
{
    int r = check_in_place(db, err);

    return r ? r : db_run(db, err, "BEGIN IMMEDIATE", "");
}

int
db_commit(struct db *db, struct prov_error *err)
{
    int r = db_run(db, err, "COMMIT", "");

    if (r)
        db_rollback(db);
    return r;
}

void
db_rollback(struct db *db)
{
    struct prov_error ignored = PROV_ERROR_INIT;

    /* after some errors SQLite has rolled back by itself, and says so here; both are fine */
    if (!sqlite3_get_autocommit(db->handle) && db_run(db, &ignored, rollback_sql, ""))
        return;
}
