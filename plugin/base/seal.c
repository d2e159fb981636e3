/* The only user of OpenSSL's ciphers and key derivation; see seal.h for the form of a record. */
#include "plugin/base/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/fork.h"
#include "plugin/base/secret.h"
#include "plugin/base/secret_ref.h"

#define KEY_BYTES      32
#define ID_BYTES       8
#define NONCE_BYTES    12
#define TAG_BYTES      16
#define HEAD_BYTES     (1 + ID_BYTES + NONCE_BYTES)
#define PAD_BYTES      64
#define RECORD_VERSION 1
#define CLEAR_MAX      (1024 * 1024)

struct key {
    unsigned char bytes[KEY_BYTES], id[ID_BYTES];
};

struct sealer { /* in secret memory */
    size_t count;
    struct key keys[SEAL_KEYS_MAX];
};

DEFINE_CLEANUP(EVP_CIPHER_CTX *, cipher, EVP_CIPHER_CTX_free);
DEFINE_CLEANUP(EVP_KDF *, kdf, EVP_KDF_free);
DEFINE_CLEANUP(EVP_KDF_CTX *, kdf_context, EVP_KDF_CTX_free);

static int
library_failed(struct prov_error *err)
{
    return error_set(
        err, PROV_E_NOMEM,
        "OpenSSL could not do AES-256-GCM or HKDF: out of memory, or its providers are "
        "not there; see openssl list -providers");
}

/* ---- keys ---- */

/* HKDF-SHA256 of the key for a use. The caller holds the fork gate. */
static bool
derive(const unsigned char key[KEY_BYTES], const char *use, const char *purpose, unsigned char *out,
       size_t length)
{
    CLEANUP(kdf_cleanup) EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    CLEANUP(kdf_context_cleanup) EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256", info[128];
    int size = snprintf(info, sizeof(info), "%s %s", use, purpose);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): OpenSSL reads it only */
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)size),
        OSSL_PARAM_construct_end()
    };

    return context && size > 0 && (size_t)size < sizeof(info) &&
           EVP_KDF_derive(context, out, length, parameters) == 1;
}

static bool
name_key(struct key *key)
{
    return derive(key->bytes, "sfprov seal 1 id of", "key", key->id, ID_BYTES);
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hex(const char *text, size_t length, unsigned char key[KEY_BYTES])
{
    if (length != 2 * KEY_BYTES)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static int
base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* 43 letters, and one '=' or none. By hand: EVP_DecodeBlock() would leave a copy it does not wipe. */
static bool
read_base64(const char *text, size_t length, unsigned char key[KEY_BYTES])
{
    uint32_t bits = 0;
    size_t done = 0;
    int count = 0;

    if (length == 44 && text[43] == '=')
        length--;
    if (length != 43)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            key[done++] = (unsigned char)(bits >> count);
            bits &= (1U << count) - 1;
        }
    }
    return done == KEY_BYTES && bits == 0;
}

static int
add_key(struct sealer *sealer, const char *source, size_t line, struct prov_error *err)
{
    struct key *key = &sealer->keys[sealer->count];
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();

    if (!name_key(key))
        return library_failed(err);
    for (size_t i = 0; i < sealer->count; i++) {
        if (memcmp(sealer->keys[i].id, key->id, ID_BYTES) == 0)
            return error_set(err, PROV_E_FIELDS,
                             "'%s', line %zu: this key stands there twice; remove one of the lines",
                             source, line);
    }
    sealer->count++;
    return PROV_OK;
}

static int
read_line(struct sealer *sealer, const char *source, size_t line, const char *text, size_t length,
          struct prov_error *err)
{
    unsigned char *key;

    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    if (length == 0 || *text == '#')
        return PROV_OK;
    if (sealer->count == SEAL_KEYS_MAX)
        return error_set(err, PROV_E_FIELDS,
                         "'%s' has more than %d keys; remove the oldest, which nothing is sealed "
                         "with any more",
                         source, SEAL_KEYS_MAX);
    key = sealer->keys[sealer->count].bytes;
    if (!read_hex(text, length, key) && !read_base64(text, length, key))
        return error_set(err, PROV_E_FIELDS,
                         "'%s', line %zu is no key: it has %zu letters, and 32 bytes are 64 hex "
                         "digits or 44 letters of base64; make one with: openssl rand -hex 32",
                         source, line, length);
    return add_key(sealer, source, line, err);
}

static int
read_keys(struct sealer *sealer, const char *source, const char *text, size_t length,
          struct prov_error *err)
{
    size_t line = 1;
    int r = PROV_OK;

    if (length == KEY_BYTES) {
        memcpy(sealer->keys[0].bytes, text, KEY_BYTES);
        return add_key(sealer, source, line, err);
    }
    for (size_t start = 0, end; start < length && !r; start = end + 1, line++) {
        const char *newline = memchr(text + start, '\n', length - start);
        end = newline ? (size_t)(newline - text) : length;
        r = read_line(sealer, source, line, text + start, end - start, err);
    }
    if (!r && sealer->count == 0)
        r = error_set(err, PROV_E_FIELDS, "'%s' holds no key; make one with: openssl rand -hex 32",
                      source);
    return r;
}

int
sealer_load(const char *source, struct sealer **ret, struct prov_error *err)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = secret_alloc(sizeof(*sealer));
    char *text = NULL;
    size_t length = 0;
    int r = sealer ? secret_ref_read_bytes(source, &text, &length, err) : error_nomem(err);

    if (!r)
        r = read_keys(sealer, source, text, length, err);
    secret_free(text);
    if (!r)
        *ret = STEAL(sealer);
    return r;
}

void
sealer_free(struct sealer *sealer)
{
    secret_free(sealer);
}

static void
hex_id(const unsigned char id[ID_BYTES], char text[SEAL_KEY_ID_HEX])
{
    for (size_t i = 0; i < ID_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[id[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
    }
    text[2 * ID_BYTES] = '\0';
}

void
sealer_id(const struct sealer *sealer, char id[SEAL_KEY_ID_HEX])
{
    hex_id(sealer->keys[0].id, id);
}

/* ---- records ---- */

/* A cipher under way: the key of the purpose, the nonce, and what the record is bound to (its head,
 * purpose and place, with a NUL between the two). NULL: the library failed. */
static EVP_CIPHER_CTX *
start(const struct key *key, const char *purpose, const char *place, const unsigned char *head,
      int encrypt)
{
    CLEANUP(cipher_cleanup) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char derived[KEY_BYTES];
    int ignored;
    bool done =
        cipher && derive(key->bytes, "sfprov seal 1 key for", purpose, derived, sizeof(derived)) &&
        EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, derived, head + 1 + ID_BYTES, encrypt) ==
            1 &&
        EVP_CipherUpdate(cipher, NULL, &ignored, head, HEAD_BYTES) == 1 &&
        EVP_CipherUpdate(cipher, NULL, &ignored, (const unsigned char *)purpose,
                         (int)strlen(purpose) + 1) == 1 &&
        EVP_CipherUpdate(cipher, NULL, &ignored, (const unsigned char *)place,
                         (int)strlen(place)) == 1;

    OPENSSL_cleanse(derived, sizeof(derived));
    return done ? STEAL(cipher) : NULL;
}

int
seal(const struct sealer *sealer, const char *purpose, const char *place, const void *clear,
     size_t length, unsigned char **ret, size_t *ret_length, struct prov_error *err)
{
    /* at least one byte of padding: 0x80, then zeros (ISO/IEC 7816-4) */
    size_t padded = (length / PAD_BYTES + 1) * PAD_BYTES;
    size_t size = HEAD_BYTES + padded + TAG_BYTES;
    AUTO_SECRET unsigned char *text = length <= CLEAR_MAX ? secret_alloc(padded) : NULL;
    AUTO_FREE unsigned char *sealed = text ? malloc(size) : NULL;
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    CLEANUP(cipher_cleanup) EVP_CIPHER_CTX *cipher = NULL;
    int got, rest;

    if (length > CLEAR_MAX)
        return error_set(err, PROV_E_LIMIT, "%zu bytes are too many to be sealed, at most %d fit",
                         length, CLEAR_MAX);
    if (!sealed)
        return error_nomem(err);
    if (length > 0)
        memcpy(text, clear, length);
    text[length] = 0x80;
    sealed[0] = RECORD_VERSION;
    memcpy(sealed + 1, sealer->keys[0].id, ID_BYTES);
    if (RAND_bytes(sealed + 1 + ID_BYTES, NONCE_BYTES) != 1)
        return library_failed(err);
    cipher = start(&sealer->keys[0], purpose, place, sealed, 1);
    if (!cipher || EVP_CipherUpdate(cipher, sealed + HEAD_BYTES, &got, text, (int)padded) != 1 ||
        EVP_CipherFinal_ex(cipher, sealed + HEAD_BYTES + got, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
                            sealed + HEAD_BYTES + padded) != 1)
        return library_failed(err);
    *ret = STEAL(sealed);
    *ret_length = size;
    return PROV_OK;
}

static int
find_key(const struct sealer *sealer, const unsigned char *sealed, const char *place,
         const struct key **ret, struct prov_error *err)
{
    char id[SEAL_KEY_ID_HEX];

    for (size_t i = 0; i < sealer->count; i++) {
        if (memcmp(sealer->keys[i].id, sealed + 1, ID_BYTES) == 0) {
            *ret = &sealer->keys[i];
            return PROV_OK;
        }
    }
    hex_id(sealed + 1, id);
    return error_set(err, PROV_E_STATE,
                     "'%s' was sealed with the key '%s', which sealing_key does not hold; put that "
                     "key into its file again, behind the one in use; nothing is lost",
                     place, id);
}

static int
altered(const char *place, struct prov_error *err)
{
    return error_set(err, PROV_E_INVALID,
                     "'%s' cannot be opened: it was cut, altered or taken from another row", place);
}

/* The length before the padding; -1: there is none. */
static ptrdiff_t
unpad(const char *text, size_t length)
{
    while (length > 0 && text[length - 1] == 0)
        length--;
    return length > 0 && (unsigned char)text[length - 1] == 0x80 ? (ptrdiff_t)length - 1 : -1;
}

int
seal_open(const struct sealer *sealer, const char *purpose, const char *place,
          const unsigned char *sealed, size_t sealed_length, char **ret, size_t *ret_length,
          struct prov_error *err)
{
    size_t padded = sealed_length - HEAD_BYTES - TAG_BYTES;
    AUTO_SECRET char *text = NULL;
    const struct key *key = NULL;
    ptrdiff_t length;
    int got, rest, r;

    if (sealed_length < HEAD_BYTES + PAD_BYTES + TAG_BYTES || padded % PAD_BYTES != 0 ||
        padded > CLEAR_MAX + PAD_BYTES || sealed[0] != RECORD_VERSION)
        return altered(place, err);
    r = find_key(sealer, sealed, place, &key, err);
    if (r)
        return r;
    text = secret_alloc(padded + 1);
    if (!text)
        return error_nomem(err);
    {
        CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
        CLEANUP(cipher_cleanup)
        EVP_CIPHER_CTX *cipher = start(key, purpose, place, sealed, 0);
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): OpenSSL reads it only */
        void *tag = (void *)(uintptr_t)(sealed + HEAD_BYTES + padded);
        if (!cipher || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) != 1)
            return library_failed(err);
        if (EVP_CipherUpdate(cipher, (unsigned char *)text, &got, sealed + HEAD_BYTES,
                             (int)padded) != 1 ||
            EVP_CipherFinal_ex(cipher, (unsigned char *)text + got, &rest) != 1)
            return altered(place, err);
    }
    length = unpad(text, padded);
    if (length < 0)
        return altered(place, err);
    memset(text + length, 0, padded - (size_t)length);
    *ret = STEAL(text);
    *ret_length = (size_t)length;
    return PROV_OK;
}
