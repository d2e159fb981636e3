/* The Alias that a name comes to. Pure. */
#ifndef SCHEMA_ALIAS_H
#define SCHEMA_ALIAS_H

#include "plugin/base/value.h"

/* Longest Alias, in letters_units() (fact sheet 3.3). */
#define ALIAS_MAX_CHARACTERS 8

/*
 * First letter of the given name and the family name, in a-z and 0-9, at most ALIAS_MAX_CHARACTERS:
 * "Ångela Müller" gives "amuller". Where the family name has no such letters: the local part of
 * userName, then displayName, then the name in its own script. Aliases need not be unique.
 * *ret_from is static. Heap; NULL with *ret_from set when out of memory, with NULL when the
 * resource holds nothing to derive from.
 */
MUST_CHECK char *alias_derive(struct value *resource, const char **ret_from);

#endif
