/* A digest of texts that tells apart what nobody has chosen to be alike (FNV-1a, 64 bits). */
#ifndef CLI_FNV_H
#define CLI_FNV_H

#include <stdint.h>

#define FNV_NOTHING UINT64_C(0xcbf29ce484222325)

/* Of a text behind what the digest is of. */
static inline uint64_t
fnv_add(uint64_t digest, const char *text)
{
    for (; *text; text++)
        digest = (digest ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return digest;
}

#endif
