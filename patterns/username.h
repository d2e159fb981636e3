/* What Salesforce takes as a Username: e-mail form, length, characters. Pure. */
#ifndef PATTERNS_USERNAME_H
#define PATTERNS_USERNAME_H

#include <stddef.h>

#include "plugin/base/error.h"

/* Longest Username, in characters (fact sheet 3.3). */
#define USERNAME_MAX_CHARACTERS 80

/*
 * 0 when Salesforce would take the username as far as form goes. PROV_E_INVALID with the first
 * reason and its remedy: a blank or a character that is not allowed (which, and at which position),
 * no '@', several '@', an empty part, no dot in the domain, too long. Never fails on any bytes.
 */
MUST_CHECK int username_check(const char *username, struct prov_error *err);

/* ASCII-only equality without case: Salesforce stores usernames in lower case. */
int username_equal(const char *a, const char *b);

/* ASCII lower case, in place: the form in which usernames are stored and compared here. */
void username_lower(char *username);

/* Whether this byte may stand before the '@'. */
int username_takes(unsigned char byte);

/* What is wrong with a domain as part of a username, in a clause that follows "has"; NULL when
 * nothing is. *ret_position, from 1, says where. Characters that username_takes() refuses are
 * found too, but without their name. */
const char *username_domain_fault(const char *domain, size_t *ret_position);

/* The name that an account has while two exchange theirs: this and its Salesforce Id, which no other account
 * has, at the domain of the one before. */
#define USERNAME_TEMPORARY_PREFIX "swap-"
void username_temporary(const char *salesforce_id, const char *before,
                        char ret[USERNAME_MAX_CHARACTERS + 1]);

/* The next form of a username that is taken: what stands between, and the number, go behind the local part, as in
 * "jdoe2@acme.example"; the local part is cut where that would be longer than Salesforce takes. False: there
 * is no room for it. The longest `between` is USERNAME_BETWEEN_MAX. */
#define USERNAME_BETWEEN_MAX 10
#define USERNAME_NUMBER_MIN  2
#define USERNAME_NUMBER_MAX  9
int username_numbered(const char *username, const char *between, unsigned number,
                      char ret[USERNAME_MAX_CHARACTERS + 1]);

/* The text as an error may hold it: cut to what fits, bytes that are no UTF-8 replaced by '?'.
 * Returns out. */
#define USERNAME_QUOTE_BYTES 128
const char *username_quote(const char *text, char out[USERNAME_QUOTE_BYTES]);

#endif
