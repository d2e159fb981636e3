/*
 * Letters and digits of ASCII, and texts compared without regard to their case: the same in every locale. What the C
 * library has follows the host's, and with a Turkish one "I" is not the capital of "i": "SCIM" is no "scim" then, "ID"
 * no "id", and the headers of an HTTP answer have other names. Bytes beyond ASCII are what they are.
 */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char
ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static inline bool
ascii_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_is_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* As strcasecmp(), strncasecmp() and strcasestr(), but that what is found may not be written. */
int ascii_compare(const char *a, const char *b);
int ascii_compare_start(const char *a, const char *b, size_t length);
const char *ascii_find(const char *text, const char *part);

#endif
