/*
 * Memory that is given back all at once: what belongs together, such as a parsed event, is cut from a few
 * large pieces and lives as long as its pool. Nothing in it is freed alone. A pool has one user at a time.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "plugin/base/cleanup.h"

struct pool_piece;

/* Zeroed before the first use; allocates nothing until then. May be moved, but not copied. */
struct pool {
    struct pool_piece *pieces;
    char *at, *end; /* what is left of the newest piece */
};

/* Wipes and gives back all that is in it, for it may be personal or secret; the pool is empty then. */
void pool_done(struct pool *pool);

/* Aligned for pointers and 64-bit integers, not cleared. NULL when out of memory. */
void *pool_alloc(struct pool *pool, size_t size);

/* A copy of these bytes with a NUL behind them; NULL when out of memory. */
char *pool_text(struct pool *pool, const char *text, size_t length);

/* AUTO_POOL struct pool pool = { 0 }; */
#define AUTO_POOL CLEANUP(pool_done)

#endif
