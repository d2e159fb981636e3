/*
 * JSON written into one buffer, without a tree of it: what is said of a person. And UTF-8, for nothing else may
 * stand in it. Pure.
 */
#ifndef ADAPTER_TEXT_H
#define ADAPTER_TEXT_H

#include <stdbool.h>
#include <string.h>

#include <provisioning/connector.h>

/* Zeroed before the first use. What is written after a fault is dropped. */
struct text {
    char *bytes; /* not ended by NUL until text_end() */
    size_t length, room;
    int fault; /* PROV_E_NOMEM, or PROV_E_INVALID: a string is no UTF-8 */
};

/* For text_room(): there is less. What is outgrown is wiped. */
bool text_grow(struct text *text, size_t more);
/* Makes sure of room for so many more bytes; false: out of memory. */
static inline bool
text_room(struct text *text, size_t more)
{
    return more <= text->room - text->length || text_grow(text, more);
}

/* Bytes as they are: brackets, names that need no escapes, JSON that is there already. */
static inline void
text_add(struct text *text, const char *bytes, size_t length)
{
    if (!text_room(text, length) || !length)
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}
#define TEXT_ADD(text, literal) text_add(text, literal, sizeof(literal) - 1)

/* In quotes, with the escapes of RFC 8259: quotation mark, backslash, controls. */
void text_string(struct text *text, const char *bytes, size_t length);
/* The same without the quotes: a string is written in parts. Each of them is UTF-8 by itself. */
void text_part(struct text *text, const char *bytes, size_t length);
/* The name of a member, which needs no escapes, with its colon, and a comma before it unless it is the first. */
void text_member(struct text *text, const char *name);
void text_number(struct text *text, unsigned long long number);

/* The text, heap, with a NUL behind it; or why there is none. The text is empty then. */
int text_end(struct text *text, char **ret, size_t *ret_length, struct prov_error *err);
void text_drop(struct text *text);

/* Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), or 0. */
size_t utf8_length(const char *at, const char *end);
/* Whether all of it is UTF-8, without a NUL. */
bool utf8_is_text(const char *bytes, size_t length);
/* Puts '?' for each byte that is of no character: of one that snprintf() cut, or of another encoding. */
void utf8_mend(char *text);
/* Characters of a valid UTF-8 text. */
size_t utf8_count(const char *text, size_t length);

#endif
