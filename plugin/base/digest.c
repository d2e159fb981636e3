/* The only user of OpenSSL's digests. */
#include "plugin/base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
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

/* Room for a digest under way is dear to make, so that of whoever was last is kept for whoever comes next; who comes
 * meanwhile makes his own. */
static _Atomic(EVP_MD_CTX *) spare;

static EVP_MD_CTX *
take_context(void)
{
    EVP_MD_CTX *context = atomic_exchange(&spare, NULL);

    return context ? context : EVP_MD_CTX_new();
}

static void
give_back_context(EVP_MD_CTX *context)
{
    EVP_MD_CTX_free(atomic_exchange(&spare, context));
}

int
digest_hex(const void *bytes, size_t length, char hex[DIGEST_HEX_SIZE])
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    unsigned char digest[32];
    unsigned int size = sizeof(digest);
    EVP_MD_CTX *context;
    bool done;

    pthread_once(&sha256_once, fetch_sha256);
    context = take_context();
    done = context && EVP_DigestInit_ex(context, sha256, NULL) == 1 &&
           EVP_DigestUpdate(context, bytes, length) == 1 &&
           EVP_DigestFinal_ex(context, digest, &size) == 1;
    give_back_context(context);
    if (!done)
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
