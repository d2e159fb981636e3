/*
 * A thin layer over one database connection: text SQL, `?` parameters, cached statements. The rest
 * of the room writes its SQL against it; a second engine would implement this header.
 *
 * Not thread-safe: the store's locks decide who uses a connection.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugin/base/error.h"

struct db;

/* How long a connection waits for other processes, from the moment it is opened: 10 s, shorter in
 * tests. */
extern int db_busy_timeout_ms;

/* See store_count_no_memory(). */
void db_count_no_memory(void);

/*
 * Opens, creating the file with mode 0600 if it is not there, and sets what durability and safety
 * need (WAL, synchronous FULL, defensive mode). Blocks on other processes for db_busy_timeout_ms.
 * PROV_E_STORE says which file, why, and what to do.
 */
MUST_CHECK int db_open(const char *path, struct db **ret, struct prov_error *err);
/* Whether db_open() would find a place it may use, without making the file. */
MUST_CHECK int db_check_place(const char *path, struct prov_error *err);
/*
 * A database for what is of use to this process alone: a file of mode 0600 in the directory of
 * `beside` that has no name any more, so it is gone with the connection, also in a crash. One
 * transaction is open and stays so: no db_begin(), nothing is flushed. Memory is bounded (16 MB);
 * what does not fit is in the file. PROV_E_STORE.
 */
MUST_CHECK int db_open_scratch(const char *beside, struct db **ret, struct prov_error *err);
void db_close(struct db *db);
DEFINE_CLEANUP(struct db *, db, db_close);

/*
 * Makes this the only connection to the file, for a change that nobody else may see half-way or go
 * on without. *ret_alone false: another connection is open, in this process or another; nothing
 * waits for it. db_admit_others() ends that, with all settings as db_open() made them.
 */
MUST_CHECK int db_exclude_others(struct db *db, bool *ret_alone, struct prov_error *err);
MUST_CHECK int db_admit_others(struct db *db, struct prov_error *err);

/* Gives up to so many free pages at the file's end back to the file system, moving others there first. */
MUST_CHECK int db_shrink(struct db *db, int64_t pages, struct prov_error *err);
/*
 * A commit of this connection never copies the write-ahead log into the file; who wants that done
 * calls db_copy_log(). From now on each commit tells *log how long it has become.
 */
struct db_log {
    atomic_long pages; /* since the log began anew */
    atomic_long swept; /* of them, for whoever copies it; 0 again when the log begins anew */
};
void db_watch_log(struct db *db, struct db_log *log);
/* Copies of the log what was in it at the beginning, waiting for nobody; others may commit meanwhile,
 * and if none does, the log begins anew with the next commit. *ret_copied: pages of the log that are in
 * the file now. */
MUST_CHECK int db_copy_log(struct db *db, int64_t *ret_copied, struct prov_error *err);
/* Writes the write-ahead log into the file and empties it, unless somebody reads in it for a second. */
MUST_CHECK int db_checkpoint(struct db *db, struct prov_error *err);

/* Whether a statement of this connection failed since this was asked last because the file is damaged
 * where it looked. Elsewhere the file may be sound. */
bool db_met_damage(struct db *db);

/* A write transaction, begun at once so that it cannot fail half-way for a lock. PROV_E_STORE if the file was moved,
 * deleted or replaced more than 10 ms ago. A statement that fails in it ends it all, by db_rollback(), and there are no
 * savepoints: with a part undone that SQLite 3.40 had spilled into the log, a crash after the commit loses it. */
MUST_CHECK int db_begin(struct db *db, struct prov_error *err);
MUST_CHECK int db_commit(struct db *db, struct prov_error *err);
void db_rollback(struct db *db);

/*
 * Runs one statement without rows. `types` has one letter for each `?`: 'i' int64_t, 'n' int64_t
 * (0 is SQL NULL), 's' const char * (NULL is SQL NULL). sql must be a string that lives as long as the connection (a literal):
 * statements are cached by its address.
 */
MUST_CHECK int db_run(struct db *db, struct prov_error *err, const char *sql, const char *types,
                      ...);
MUST_CHECK int db_vrun(struct db *db, struct prov_error *err, const char *sql, const char *types,
                       va_list values);

/* Rows the last db_run() of this connection changed, and the key of the last row it inserted. */
int64_t db_changes(struct db *db);
int64_t db_last_key(struct db *db);

/* Several statements without parameters (the schema). */
MUST_CHECK int db_script(struct db *db, const char *sql, struct prov_error *err);

/* A result being read: CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 }; */
struct db_rows {
    struct db *db;
    void *statement;
};

/* Texts for `?` are not copied: they live until the last db_next(). */
MUST_CHECK int db_select(struct db *db, struct db_rows *rows, struct prov_error *err,
                         const char *sql, const char *types, ...);
/* The same with so many texts, or numbers, one for each `?`. */
MUST_CHECK int db_select_texts(struct db *db, struct db_rows *rows, struct prov_error *err,
                               const char *sql, const char *const *texts, size_t count);
MUST_CHECK int db_select_numbers(struct db *db, struct db_rows *rows, struct prov_error *err,
                                 const char *sql, const int64_t *numbers, size_t count);
/* *ret_row: whether there is a row to read columns from. */
MUST_CHECK int db_next(struct db_rows *rows, bool *ret_row, struct prov_error *err);
/* Both at once, for a select of which one row is of interest. */
MUST_CHECK int db_one_row(struct db *db, struct db_rows *rows, bool *ret_row,
                          struct prov_error *err, const char *sql, const char *types, ...);
MUST_CHECK int db_vone_row(struct db *db, struct db_rows *rows, bool *ret_row,
                           struct prov_error *err, const char *sql, const char *types,
                           va_list values);
int64_t db_int(const struct db_rows *rows, int column);
/* Borrowed until the next db_next(); NULL for SQL NULL. */
const char *db_text(const struct db_rows *rows, int column);
void db_rows_cleanup(struct db_rows *rows);

#endif
