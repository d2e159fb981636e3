/*
 * Sealing what must not lie in the store in clear, such as passwords and tokens: AES-256-GCM
 * (NIST SP 800-38D) with a key of its own for each purpose (HKDF-SHA256, RFC 5869), made from a key
 * that an admin keeps in a file outside the store.
 *
 *     seal() ──▶ 1 byte version │ 8 id of the key │ 12 nonce │ ciphertext │ 16 tag
 *
 * What is sealed opens only with the same purpose and place: a record that is moved to another row
 * is refused like one that was altered. The nonce is random, so one key seals 2^32 records at most
 * (SP 800-38D 8.3), some 4 billion. The clear text is padded to a multiple of 64 bytes, so that the
 * store does not tell how long a password is.
 *
 * The file holds one key a line, 64 hex digits or 44 letters of base64 for its 32 bytes, or nothing
 * but the 32 bytes themselves. The first key seals, all of them open: whoever puts a new one before
 * the old has rotated. Empty lines, and lines that begin with #, do not count.
 *
 * A sealer never changes once it is loaded: any threads may use it, and a forked child too. No error
 * text holds anything of a key or of what is sealed.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stddef.h>

#include "plugin/base/error.h"

#define SEAL_KEYS_MAX   16
#define SEAL_KEY_ID_HEX 17

struct sealer;

/* Reads the keys from where `source` says, a reference as in secret_ref.h, which also says who may
 * read the file. Blocks for the disk. PROV_E_FIELDS: what is wrong with the file, and what to do. */
MUST_CHECK int sealer_load(const char *source, struct sealer **ret, struct prov_error *err);
void sealer_free(struct sealer *sealer);
DEFINE_CLEANUP(struct sealer *, sealer, sealer_free);

/* The id of the key that seals, in hex: tells keys apart, and nothing about them. */
void sealer_id(const struct sealer *sealer, char id[SEAL_KEY_ID_HEX]);

/*
 * Seals. `purpose` chooses the key: "password". `place` names the row, so that it is the same text
 * whenever this record is opened and never that of another: "command 17 password 3". *ret is heap.
 */
MUST_CHECK int seal(const struct sealer *sealer, const char *purpose, const char *place,
                    const void *clear, size_t length, unsigned char **ret, size_t *ret_length,
                    struct prov_error *err);

/*
 * Opens. *ret is from secret_alloc() with a NUL behind it; secret_free() it.
 * PROV_E_STATE: sealed with a key that the file does not hold; it opens once that key is there
 * again, so keep it. PROV_E_INVALID: cut, altered, or of another purpose or place; it will never open.
 */
MUST_CHECK int seal_open(const struct sealer *sealer, const char *purpose, const char *place,
                         const unsigned char *sealed, size_t sealed_length, char **ret,
                         size_t *ret_length, struct prov_error *err);

#endif
