/* How the store's write-ahead log is written. */
#ifndef STORE_LOG_FILE_H
#define STORE_LOG_FILE_H

struct sqlite3;

/*
 * The name to give to sqlite3_open_v2() for a connection that never leaves synchronous=FULL, and is watched: a commit
 * then writes its log with one call. NULL, which means SQLite's default, where that cannot be had. Static text; from
 * any thread. It stays registered for as long as the process lives.
 */
const char *log_file_vfs(void);

/* For each connection opened by that name, before anything is written: takes its rollback hook. */
void log_file_watch(struct sqlite3 *handle);

#endif
