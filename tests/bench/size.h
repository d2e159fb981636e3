/* How much a bench does: with SFPROV_BENCH_SMOKE in the environment just so much that everything in it has run
 * once (smoke.py), and what it prints of times says nothing. */
#ifndef BENCH_SIZE_H
#define BENCH_SIZE_H

#include <stdlib.h>

static inline size_t
bench_size(size_t full, size_t least)
{
    return getenv("SFPROV_BENCH_SMOKE") ? least : full;
}

#endif
