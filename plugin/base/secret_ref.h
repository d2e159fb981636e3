/*
 * Secrets by reference. A connector field that is a secret holds the secret itself, or says where it
 * is kept:
 *
 *   file:/etc/sfprov/secret   a file that nobody else can read
 *   env:SFPROV_SECRET         a variable of the process's environment
 *   credential:salesforce     a file in the directory that systemd gives the service (LoadCredential=)
 *   literal:file:...          the secret itself, should it begin like one of the above
 *
 * Nothing is kept between two readings, so whoever reads at each login has the secret of now: it is
 * changed without a restart.
 */
#ifndef BASE_SECRET_REF_H
#define BASE_SECRET_REF_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/error.h"
#include "plugin/base/secret.h"

/* A key with its chain of certificates has a few KiB. */
#define SECRET_MAX_BYTES (64u * 1024u)

/* Whether the text says where the secret is, and is not it. Pure. */
bool secret_ref_is(const char *text);

/* Whether a reference can be one: an absolute path, a name. PROV_E_FIELDS with the reason and, behind
 * "; ", the remedy. A literal always can. Pure; what is there is seen when it is read. */
MUST_CHECK int secret_ref_check(const char *text, struct prov_error *err);

/*
 * The bytes, NUL behind them, from secret_alloc(). Reads a file, blocks on
 * nothing but the disk. PROV_E_FIELDS says what keeps it from being read and what to do; PROV_E_NOMEM.
 * A file is opened without following a link, and refused unless it is a regular file of root or the
 * process's own user that nobody else can read.
 */
MUST_CHECK int secret_ref_read_bytes(const char *text, char **ret, size_t *ret_length,
                                     struct prov_error *err);

/* The same for a password or a token: without the end of the line that an editor puts behind it. Refused
 * when empty, or with a control character in it. */
MUST_CHECK int secret_ref_read(const char *text, char **ret, struct prov_error *err);

/* A file that is no secret, such as a certificate: the same bounds, whoever may read it. */
MUST_CHECK int secret_ref_read_public(const char *path, char **ret, size_t *ret_length,
                                      struct prov_error *err);

#endif
