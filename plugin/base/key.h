/*
 * Private RSA keys and their certificates, as a token request needs them: read from PEM or PKCS#12,
 * sign by RS256 (RFC 7518 3.3), and tell until when the certificate holds.
 *
 * Threads  A key is read by one thread and may be used by many.
 * Errors   PROV_E_FIELDS says what is wrong with what was given and what to do; it holds nothing of a
 *          key or a password.
 */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/base/error.h"

struct key;

/* `password` may be NULL; nobody is ever asked for one. RSA of 2048 bits and more. A certificate that
 * stands beside the key, in either form, is kept with it if it is that key's. */
MUST_CHECK int key_read(const char *bytes, size_t length, const char *password, struct key **ret,
                        struct prov_error *err);
void key_free(struct key *key);
DEFINE_CLEANUP(struct key *, key, key_free);

/* A certificate of its own, PEM or DER. PROV_E_FIELDS unless it is this key's. */
MUST_CHECK int key_add_certificate(struct key *key, const char *bytes, size_t length,
                                   struct prov_error *err);

/* Microseconds since 1970; 0: no certificate is known. */
int64_t key_expires_us(const struct key *key);

/* Base64url (RFC 4648 5, no padding) of bytes; heap, NULL when out of memory. */
char *key_base64url(const void *bytes, size_t length);

/* Base64url of the RS256 signature over the text; *ret is from secret_alloc(). PROV_E_NOMEM if the library fails. */
MUST_CHECK int key_sign(const struct key *key, const char *text, char **ret,
                        struct prov_error *err);

#endif
