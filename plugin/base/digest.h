/* SHA-256 and random numbers. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_HEX_SIZE 65

/* Lower-case hex of the SHA-256 of the bytes. 0, or PROV_E_NOMEM if the library fails. */
int digest_hex(const void *bytes, size_t length, char hex[DIGEST_HEX_SIZE]);

/* Uniform in [0, limit), for jitter and ids, from the kernel; 0 when limit is 0. */
uint64_t random_below(uint64_t limit);

/* 32 hex digits of randomness. */
void random_id(char id[33]);

#endif
