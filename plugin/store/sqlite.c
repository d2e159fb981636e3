/* The only user of SQLite: opening a file safely, statements, transactions, and SQLite's errors in
 * an operator's words. What is stored, and when, is decided by the rest of the room. */
#include "plugin/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_SIZE      128
#define BUSY_TIMEOUT_MS 10000

struct cached {
    const char *sql; /* compared by address: literals only */
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *handle;
    char *path;
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
        remedy = "another process has held the store for 10 seconds: look for one that hangs";
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        remedy = "give this process the right to write the file and its directory";
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        remedy = "the file is damaged or no sfprov store: put it aside and restore a backup";
        break;
    case SQLITE_IOERR:
        remedy = "the disk reports errors: check it and the system's log";
        break;
    case SQLITE_NOMEM:
        return error_nomem(err);
    default:
        remedy = "see the message";
        break;
    }
    return error_set(err, PROV_E_STORE, "store '%s': %s failed: %s (%s); %s", db->path, doing,
                     db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code),
                     sqlite3_errstr(code), remedy);
}

/* Creates the file itself, because SQLite would create it readable by all. O_EXCL: if it exists we
 * never open it here, since closing a second descriptor would drop SQLite's locks (rule 20). */
static int
create_private(const char *path, struct prov_error *err)
{
    AUTO_FREE char *directory = strdup(path);
    struct stat status;
    char *slash;
    int fd;

    if (!directory)
        return error_nomem(err);
    slash = strrchr(directory, '/');
    if (!slash)
        return error_set(err, PROV_E_STORE, "store '%s' is no absolute path", path);
    slash[slash == directory] = '\0';
    if (stat(directory, &status) != 0)
        return error_set(err, PROV_E_STORE, "store '%s': its directory: %s; create it", path,
                         strerror(errno));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX))
        return error_set(err, PROV_E_STORE,
                         "store '%s': others may write in its directory, so they could replace the "
                         "store; remove that right (chmod go-w)",
                         path);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return error_set(err, PROV_E_STORE, "store '%s' cannot be created: %s", path,
                         strerror(errno));
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return error_set(err, PROV_E_STORE, "store '%s' is no regular file", path);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, PROV_E_STORE,
                         "store '%s' can be read or written by others (mode %04o); it holds "
                         "personal data: chmod 600",
                         path, (unsigned)(status.st_mode & 07777));
    return PROV_OK;
}

int
db_open(const char *path, struct db **ret, struct prov_error *err)
{
    static const char settings[] = "PRAGMA journal_mode=WAL;"
                                   "PRAGMA synchronous=FULL;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA secure_delete=ON;"
                                   "PRAGMA temp_store=MEMORY;";
    CLEANUP(db_cleanup) struct db *db = calloc(1, sizeof(*db));
    int r;

    if (!db || !(db->path = strdup(path)))
        return error_nomem(err);
    r = create_private(path, err);
    if (r)
        return r;
    r = sqlite3_open_v2(path, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    if (r != SQLITE_OK)
        return fail(db, r, "opening", err);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    r = sqlite3_exec(db->handle, settings, NULL, NULL, NULL);
    if (r != SQLITE_OK)
        return fail(db, r, "opening", err);
    *ret = STEAL(db);
    return PROV_OK;
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

static sqlite3_stmt *
prepared(struct db *db, const char *sql, struct prov_error *err)
{
    size_t slot = ((uintptr_t)sql >> 3) % CACHE_SIZE;
    sqlite3_stmt *statement = NULL;
    int r;

    for (size_t i = 0; i < CACHE_SIZE; i++, slot = (slot + 1) % CACHE_SIZE) {
        if (db->cache[slot].sql == sql)
            return db->cache[slot].statement;
        if (!db->cache[slot].sql)
            break;
    }
    if (db->cache[slot].sql) { /* full: cannot happen while the room has fewer statements */
        error_set(err, PROV_E_STORE, "store '%s': too many statements", db->path);
        return NULL;
    }
    r = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (r != SQLITE_OK) {
        fail(db, r, sql, err);
        return NULL;
    }
    db->cache[slot] = (struct cached){ sql, statement };
    return statement;
}

static sqlite3_stmt *
bound(struct db *db, const char *sql, const char *types, va_list values,
      sqlite3_destructor_type lifetime, struct prov_error *err)
{
    sqlite3_stmt *statement = prepared(db, sql, err);

    for (int i = 0; statement && types[i]; i++) {
        int r = SQLITE_MISUSE;
        if (types[i] == 'i') {
            r = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
        } else if (types[i] == 's') {
            const char *text = va_arg(values, const char *);
            r = sqlite3_bind_text(statement, i + 1, text, -1, lifetime);
        }
        if (r != SQLITE_OK) {
            fail(db, r, sql, err);
            return NULL;
        }
    }
    return statement;
}

int
db_run(struct db *db, struct prov_error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list values;
    int r;

    va_start(values, types);
    statement = bound(db, sql, types, values, SQLITE_STATIC, err);
    va_end(values);
    if (!statement)
        return PROV_E_STORE;
    r = sqlite3_step(statement);
    if (r != SQLITE_DONE && r != SQLITE_ROW)
        fail(db, r, sql, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return r == SQLITE_DONE || r == SQLITE_ROW ? PROV_OK : PROV_E_STORE;
}

int
db_select(struct db *db, struct db_rows *rows, struct prov_error *err, const char *sql,
          const char *types, ...)
{
    va_list values;

    db_rows_cleanup(rows);
    va_start(values, types);
    rows->statement = bound(db, sql, types, values, SQLITE_TRANSIENT, err);
    va_end(values);
    rows->db = db;
    return rows->statement ? PROV_OK : PROV_E_STORE;
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
    if (rows->statement) {
        sqlite3_reset(rows->statement);
        sqlite3_clear_bindings(rows->statement);
    }
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
    return db_run(db, err, "BEGIN IMMEDIATE", "");
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
    if (!sqlite3_get_autocommit(db->handle) && db_run(db, &ignored, "ROLLBACK", ""))
        return;
}
