/*
 * Names compared without regard to the case of ASCII letters: the same in every locale. What the C library has follows the
 * process's, which is the server's with an adapter, and with a Turkish one "I" is not the capital of "i": "GIVENNAME" is no
 * "givenName" then. The programs and adapters know the connector by its ABI header alone, so this is not that of plugin/.
 */
#ifndef CLI_LETTERS_H
#define CLI_LETTERS_H

#include <stdbool.h>

static inline char
letters_small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool
letters_is_hex(char c)
{
    char letter = letters_small(c);

    return (c >= '0' && c <= '9') || (letter >= 'a' && letter <= 'f');
}

/* Whether the text begins with that. */
static inline bool
letters_begin(const char *text, const char *with)
{
    for (; *with; text++, with++) {
        if (*text != *with && letters_small(*text) != letters_small(*with))
            return false;
    }
    return true;
}

static inline bool
letters_same(const char *a, const char *b)
{
    while (*a && (*a == *b || letters_small(*a) == letters_small(*b))) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static inline void
letters_make_small(char *text)
{
    for (; *text; text++)
        *text = letters_small(*text);
}

#endif
