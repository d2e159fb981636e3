/* Characters of UTF-8 text: counting, cutting, lower case, folding to ASCII. Pure, and the same in
 * every locale of the host process. */
#ifndef SCHEMA_LETTERS_H
#define SCHEMA_LETTERS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/cleanup.h"

/* The length of text as a field's limit counts it: in UTF-16 units, two for a character beyond U+FFFF. That
 * is how Apex counts; of the API it is not sure, and the larger count is refused by neither. */
size_t letters_units(const char *text);

/* Cuts text, in place, to at most so many characters, or units, never inside a character. */
void letters_cut(char *text, size_t most);
void letters_cut_units(char *text, size_t most);

/* Lower case by Unicode's simple mapping; heap, NULL when out of memory. */
MUST_CHECK char *letters_lower(const char *text);

/* Upper case by the same mapping; a letter without one stays (so does U+00DF). As above. */
MUST_CHECK char *letters_upper(const char *text);

/* Latin letters without their accents ("Ångström" gives "Angstrom", "Weiß" "Weiss"), in their case;
 * everything else as it is. Heap, NULL when out of memory. */
MUST_CHECK char *letters_plain(const char *text);

/* Whether two texts are the same but for case, by Unicode's simple mapping. */
bool letters_same(const char *a, const char *b);

/* Only the letters and digits, a-z and 0-9, accents dropped ("Ångström" gives "angstrom"); what has
 * no ASCII form is left out. Heap, NULL when out of memory. */
MUST_CHECK char *letters_ascii(const char *text);

/* A copy without white space at both ends; heap, NULL when out of memory. */
MUST_CHECK char *letters_trim(const char *text);
/* Whether that would be the same text. */
bool letters_is_trimmed(const char *text);

/* Formatted into heap memory of the right size; NULL when out of memory. */
MUST_CHECK char *letters_format(const char *format, ...) PRINTF_LIKE(1, 2);
MUST_CHECK char *letters_vformat(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

#endif
