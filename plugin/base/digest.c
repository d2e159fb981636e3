/* The only user of OpenSSL's digests. */
#include "plugin/base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#include "plugin/base/error.h"
#include "plugin/base/fork.h"

/* Looked for once in the provider: OpenSSL's EVP_sha256() has it looked for at each digest. Kept to the
 * end of the process. */
static const EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void
fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        sha256 = EVP_sha256();
}

int
digest_hex(const void *bytes, size_t length, char hex[DIGEST_HEX_SIZE])
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    unsigned char digest[32];
    unsigned int size = sizeof(digest);

    pthread_once(&sha256_once, fetch_sha256);
    if (EVP_Digest(bytes, length, digest, &size, sha256, NULL) != 1)
        return PROV_E_NOMEM;
    for (unsigned int i = 0; i < size; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[2 * size] = '\0';
    return PROV_OK;
}

static uint64_t
random_u64(void)
{
    uint64_t value = 0;

    /* up to 256 bytes never fail and are never cut short once the pool is up (getrandom(2)) */
    while (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
        ;
    return value;
}

uint64_t
random_below(uint64_t limit)
{
    return limit ? random_u64() % limit : 0;
}

void
random_id(char id[33])
{
    snprintf(id, 33, "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
}
