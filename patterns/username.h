/* What Salesforce takes as a Username: e-mail form, length, characters. Pure. */
#ifndef PATTERNS_USERNAME_H
#define PATTERNS_USERNAME_H

#include "plugin/base/error.h"

/* Longest Username, in characters (fact sheet 3.3). */
#define USERNAME_MAX_CHARACTERS 80

/*
 * 0 when Salesforce would take the username as far as form goes. PROV_E_INVALID with the first
 * reason and its remedy: no '@', several '@', a blank or a character that is not allowed (which,
 * and at which position), an empty part, no dot in the domain, too long. Never fails on any bytes.
 */
MUST_CHECK int username_check(const char *username, struct prov_error *err);

/* ASCII-only equality without case: Salesforce stores usernames in lower case. */
int username_equal(const char *a, const char *b);

#endif
