/* Hands out the memory of a pool from the front of its newest piece; pieces double in size, so that there
 * are few of them. */
#include "plugin/base/pool.h"

#include <string.h>

#define FIRST_BYTES 4096
#define LARGEST_BYTES                                                                              \
    (256 * 1024) /* pieces grow no further than that, but for what is larger itself */

struct pool_piece {
    struct pool_piece *before;
    size_t size; /* of bytes */
    alignas(int64_t) char bytes[];
};

void
pool_done(struct pool *pool)
{
    for (struct pool_piece *piece = pool->pieces, *before; piece; piece = before) {
        size_t unused = piece == pool->pieces ? (size_t)(pool->end - pool->at) : 0;
        before = piece->before;
        explicit_bzero(piece->bytes, piece->size - unused);
        free(piece);
    }
    *pool = (struct pool){ 0 };
}

void *
pool_alloc_piece(struct pool *pool, size_t size)
{
    size_t room = pool->pieces ? pool->pieces->size * 2 : FIRST_BYTES;
    struct pool_piece *piece;

    room = room < LARGEST_BYTES ? room : LARGEST_BYTES;
    room = room < size ? size : room;
    piece = malloc(sizeof(*piece) + room);
    if (!piece)
        return NULL;
    *piece = (struct pool_piece){ .before = pool->pieces, .size = room };
    pool->pieces = piece;
    pool->at = piece->bytes + size;
    pool->end = piece->bytes + room;
    return piece->bytes;
}

char *
pool_text(struct pool *pool, const char *text, size_t length)
{
    char *copy = pool_alloc(pool, length + 1);

    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}
