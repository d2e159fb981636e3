/*
 * Memory that is given back all at once: what belongs together, such as a parsed event, is cut from a few
 * large pieces and lives as long as its pool. Nothing in it is freed alone. A pool has one user at a time.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/base/cleanup.h"

struct pool_piece;

/* Zeroed before the first use; allocates nothing until then. May be moved, but not copied. */
struct pool {
    struct pool_piece *pieces;
    char *at, *end; /* what is left of the newest piece */
};

/* Wipes and gives back all that is in it, for it may be personal or secret; the pool is empty then. */
void pool_done(struct pool *pool);

/* For pool_alloc(): begins a piece with room for this. */
void *pool_alloc_piece(struct pool *pool, size_t size);

/* Aligned for pointers and 64-bit integers, not cleared. NULL when out of memory. */
static inline void *
pool_alloc(struct pool *pool, size_t size)
{
    char *block = pool->at;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + alignof(int64_t) - 1) & ~(alignof(int64_t) - 1);
    if (size > (size_t)(pool->end - block))
        return pool_alloc_piece(pool, size);
    pool->at += size;
    return block;
}

/* A copy of these bytes with a NUL behind them; NULL when out of memory. */
char *pool_text(struct pool *pool, const char *text, size_t length);

/* AUTO_POOL struct pool pool = { 0 }; */
#define AUTO_POOL CLEANUP(pool_done)

#endif
