/* A source of text that comes in pieces, as from a pipe. */
#ifndef FUZZ_PIECES_H
#define FUZZ_PIECES_H

#include <string.h>

struct pieces {
    const char *text;
    size_t length, at, piece; /* at most so many bytes at a time */
};

static inline long
pieces_read(void *context, char *to, size_t size)
{
    struct pieces *pieces = context;
    size_t count = pieces->length - pieces->at;

    count = count < pieces->piece ? count : pieces->piece;
    count = count < size ? count : size;
    memcpy(to, pieces->text + pieces->at, count);
    pieces->at += count;
    return (long)count;
}

#endif
