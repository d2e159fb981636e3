/* The tables: made in a new file, brought up to date in an older one, refused in a newer one. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "plugin/store/db.h"

/*
 * Opens the store with the tables of STORE_SCHEMA_VERSION. An older store is migrated first, in one
 * transaction, which needs that no other process has it open: waits db_busy_timeout_ms for that.
 * PROV_E_STORE: a newer store, a database of another program, a store that somebody holds open, and
 * whatever db_open() says.
 */
MUST_CHECK int schema_open(const char *path, struct db **ret, struct prov_error *err);

/* What is due: also made anew when it is damaged (mend.c). */
#define SCHEMA_DUE                                                                                 \
    "CREATE TABLE due (at INTEGER NOT NULL, seq INTEGER NOT NULL, tie INTEGER NOT NULL,"           \
    " subject INTEGER NOT NULL, orders INTEGER NOT NULL DEFAULT 0,"                                \
    " PRIMARY KEY (at, seq, tie, subject)) WITHOUT ROWID;"                                         \
    "CREATE INDEX due_timed ON due (subject) WHERE at > 1;"

#endif
