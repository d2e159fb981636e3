/* json-c in its strict mode, for names in any alphabet. */
#include "hosts/cli/strict.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A copy with a letter for each byte that is not ASCII, and whether there is one. NULL: no memory. */
static char *
ascii_copy(const char *text, size_t length, bool *ret_other)
{
    char *copy = malloc(length + 1);

    *ret_other = false;
    for (size_t i = 0; copy && i < length; i++) {
        bool other = (unsigned char)text[i] >= 0x80;

        copy[i] = text[i];
        if (other)
            copy[i] = 'x';
        *ret_other = *ret_other || other;
    }
    if (copy)
        copy[length] = '\0';
    return copy;
}

static struct json_object *
parse(const char *text, size_t length, int flags, const char **ret_reason, size_t *ret_offset)
{
    struct json_tokener *tokener = json_tokener_new();
    enum json_tokener_error reason;
    struct json_object *value;

    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, flags);
    /* the NUL at the end tells json-c that no more will come */
    value = json_tokener_parse_ex(tokener, text, (int)length + 1);
    *ret_offset = json_tokener_get_parse_end(tokener);
    reason = json_tokener_get_error(tokener);
    *ret_reason = reason == json_tokener_success ? NULL : json_tokener_error_desc(reason);
    json_tokener_free(tokener);
    return value;
}

/*
 * json-c 0.18 takes bytes above 0x7f for control characters, which its strict mode refuses within a string.
 * So that mode judges a text without them, and one with them is read in the other mode once it is good.
 */
struct json_object *
strict_parse(const char *text, size_t length, const char **ret_reason, size_t *ret_offset)
{
    struct json_object *value = NULL;
    bool other = false;
    char *ascii;

    *ret_reason = "out of memory";
    *ret_offset = 0;
    if (length >= INT32_MAX)
        return NULL;
    ascii = ascii_copy(text, length, &other);
    if (ascii)
        value = parse(ascii, length, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS,
                      ret_reason, ret_offset);
    if (value && other) {
        json_object_put(value);
        value = parse(text, length, 0, ret_reason, ret_offset);
    }
    if (ascii)
        explicit_bzero(ascii, length); /* a password may be in it */
    free(ascii);
    return value;
}
