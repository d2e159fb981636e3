/* Users who would share a username, and what would tell them apart. Pure. */
#ifndef PATTERNS_COLLISIONS_H
#define PATTERNS_COLLISIONS_H

#include <stdbool.h>

#include "patterns/pattern.h"

/* So many users are told apart at once; of more, only the first ones are looked at. */
#define COLLISION_USERS_MAX 64

/* A pattern and a separator that give users of one username one each. */
struct pattern_change {
    const char *key; /* the key that the pattern lacks, "UD"; NULL: only the separator is changed */
    char pattern[256], separator[9];
};

/*
 * Looks for the smallest change of the settings with which all these users have usernames that
 * differ and that Salesforce takes: another separator, one more key in front, both. *ret_found false:
 * none was found; mostly the users differ in nothing that a username is built from. The change was rendered
 * for every user, not guessed. PROV_E_FIELDS: the settings themselves do not compile.
 */
MUST_CHECK int pattern_tell_apart(const struct pattern_settings *settings,
                                  const struct pattern_user *users, size_t count,
                                  struct pattern_change *ret, bool *ret_found,
                                  struct prov_error *err);

#endif
