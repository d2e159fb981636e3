/*
 * Reads JSON (RFC 8259 within the bounds of I-JSON, RFC 7493) in one pass. The text is copied into the pool
 * once and read there: a text of it is ended where its closing quote stood, and its escapes are replaced in
 * place, so that no text is copied again. Names and texts point into that copy.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/base/ascii.h"
#include "plugin/base/value.h"

/* So many names of an object are compared each with each; more are sorted. */
#define FEW_NAMES 16
/* Bytes behind the copy that may be looked at. */
#define PADDING sizeof(uint64_t)

struct reader {
    struct pool *pool;
    char *start, *at, *end; /* the copy; NUL at its end, and nowhere else before it is reached */
    size_t depth;
    bool met_nul;    /* as an escape, in a text */
    const char *why; /* the first fault, at `at` */
    int code;
    char why_twice[200];
};

static int
fail(struct reader *reader, int code, const char *why)
{
    reader->code = code;
    reader->why = why;
    return code;
}

static int
fail_syntax(struct reader *reader, const char *why)
{
    return fail(reader, PROV_E_INVALID, reader->at == reader->end ? "it ends too early" : why);
}

static inline bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline void
skip_blanks(struct reader *reader)
{
    while ((unsigned char)*reader->at <= ' ' && is_blank(*reader->at)) /* mostly there is none */
        reader->at++;
}

/* ---- texts ---- */

/* Length of the well-formed UTF-8 sequence at `at`; 0 if there is none (Unicode, table 3-7). NUL behind the
 * text ends any sequence. */
static size_t
utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xBF;
    size_t length = *at < 0x80 ? 1 : *at < 0xC2 ? 0 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;

    if (length == 0 || *at > 0xF4)
        return 0;
    low = *at == 0xE0 ? 0xA0 : *at == 0xF0 ? 0x90 : low;
    high = *at == 0xED ? 0x9F : *at == 0xF4 ? 0x8F : high;
    for (size_t i = 1; i < length; i++) {
        if (at[i] < low || at[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

/* Of eight bytes, which do not stand for themselves (controls, quotes, backslashes, and what is not ASCII): the lowest
 * bit that is set is the top one of the first. A word less n in every byte has the top bit set in those below n,
 * and in no other before the first of them. */
static inline uint64_t
not_plain(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word, quotes, backslashes;

    memcpy(&word, bytes, sizeof(word));
    word = le64toh(word);
    quotes = word ^ (ones * '"');
    backslashes = word ^ (ones * '\\');
    return (word | (word - ones * 0x20) | (quotes - ones) | (backslashes - ones)) & tops;
}

/* The bytes from `at` on that stand for themselves. */
static inline char *
skip_plain(char *at)
{
    uint64_t others;

    while (!(others = not_plain(at)))
        at += sizeof(uint64_t);
    return at + __builtin_ctzll(others) / 8;
}

/* The character of \uXXXX at `at`; -1 if there is none. */
static int
escaped_unit(const char *at)
{
    int unit = 0;

    if (at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        if (!ascii_is_hex(at[i]))
            return -1;
        unit = unit * 16 + (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    }
    return unit;
}

/* At the `u` that too few digits follow. */
static int
fail_unit(struct reader *reader)
{
    reader->at++;
    while (ascii_is_hex(*reader->at))
        reader->at++;
    return fail_syntax(reader, "four hexadecimal digits are needed behind \\u");
}

static char *
put_utf8(char *to, unsigned character)
{
    static const unsigned char heads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    if (length == 1) {
        *to = (char)character;
        return to + 1;
    }
    for (size_t i = length; i-- > 1; character >>= 6)
        to[i] = (char)(0x80 | (character & 0x3F));
    to[0] = (char)(heads[length] | character);
    return to + length;
}

/* Replaces the escape at reader->at by what it means, at *to; both are moved. */
static int
read_escape(struct reader *reader, char **to)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    int unit = escaped_unit(reader->at), next = -1;
    unsigned character = (unsigned)unit;
    const char *found;

    if (unit < 0) {
        reader->at++;
        if (*reader->at == 'u')
            return fail_unit(reader);
        found = *reader->at ? strchr(names, *reader->at) : NULL;
        if (!found)
            return fail_syntax(reader, "no such escape: a backslash is written as \\\\");
        *(*to)++ = meanings[found - names];
        reader->at++;
        return PROV_OK;
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        next = escaped_unit(reader->at + 6);
        if (unit > 0xDBFF || next < 0xDC00 || next > 0xDFFF)
            return fail(reader, PROV_E_INVALID,
                        "half of a surrogate pair, send the whole character or none");
        character = 0x10000 + ((character - 0xD800) << 10) + ((unsigned)next - 0xDC00);
    }
    reader->met_nul |= character == 0;
    reader->at += next < 0 ? 6 : 12;
    *to = put_utf8(*to, character);
    return PROV_OK;
}

/* What read_text() does, for any text; its opening quote is right before reader->at. */
static int
read_odd_text(struct reader *reader, const char **ret, size_t *ret_length)
{
    char *start = reader->at, *to = start;
    int r = PROV_OK;

    while (!r) {
        char *plain = reader->at;
        size_t length;
        reader->at = skip_plain(plain);
        length = (size_t)(reader->at - plain);
        if ((unsigned char)*reader->at >= 0x80) {
            size_t more = utf8_length(reader->at);
            if (more == 0)
                return fail(reader, PROV_E_INVALID, "invalid UTF-8");
            reader->at += more;
            length += more;
        }
        if (to != plain)
            memmove(to, plain, length);
        to += length;
        if (*reader->at == '"')
            break;
        if (*reader->at == '\\')
            r = read_escape(reader, &to);
        else if ((unsigned char)*reader->at < 0x20)
            r = fail_syntax(reader, "a control character in a string, escape it");
    }
    if (r)
        return r;
    /* what the escapes left over too, which may be the end of a password */
    memset(to, '\0', (size_t)(reader->at + 1 - to));
    reader->at++;
    *ret = start;
    *ret_length = (size_t)(to - start);
    return PROV_OK;
}

/* The text whose opening quote is at reader->at; ended by NUL in place of the closing one. */
static inline int
read_text(struct reader *reader, const char **ret, size_t *ret_length)
{
    char *start = ++reader->at, *end = skip_plain(start);

    if (*end != '"')
        return read_odd_text(reader, ret, ret_length);
    *end = '\0';
    reader->at = end + 1;
    *ret = start;
    *ret_length = (size_t)(end - start);
    return PROV_OK;
}

/* ---- numbers and words ---- */

static char *
skip_digits(char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the number that starts here; NULL if it is none (RFC 8259 section 6). */
static char *
number_end(char *at, bool *ret_real)
{
    char *digits = at + (*at == '-');

    at = skip_digits(digits);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    *ret_real = *at == '.' || *at == 'e' || *at == 'E';
    if (*at == '.') {
        digits = ++at;
        at = skip_digits(at);
        if (at == digits)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        digits = at;
        at = skip_digits(at);
        if (at == digits)
            return NULL;
    }
    return at;
}

/* Whether an integer fits neither int64 nor uint64. */
static bool
is_too_large(const char *at, size_t length)
{
    const char *limit = *at == '-' ? "9223372036854775808" : "18446744073709551615";
    size_t width = strlen(limit);

    length -= *at == '-';
    at += *at == '-';
    return length > width || (length == width && memcmp(at, limit, width) > 0);
}

static int
read_number(struct reader *reader, struct value **ret)
{
    bool real = false;
    char *start = reader->at, *end = number_end(start, &real);
    struct value *number;
    const char *text;
    size_t length;

    if (!end)
        return fail_syntax(reader,
                           "neither a string in double quotes, nor a number, true, false or null");
    length = (size_t)(end - start);
    if (!real && is_too_large(start, length))
        return fail(reader, PROV_E_INVALID, "an integer beyond 64 bits, send it as a string");
    if (!real && length == 2 && memcmp(start, "-0", 2) == 0) {
        start++;
        length--;
    }
    /* a copy, for what ends a number may be needed yet */
    text = pool_text(reader->pool, start, length);
    number = text ? pool_alloc(reader->pool, sizeof(*number)) : NULL;
    if (!number)
        return fail(reader, PROV_E_NOMEM, NULL);
    *number = (struct value){ .type = real ? VALUE_REAL : VALUE_INTEGER,
                              .length = (uint32_t)length,
                              .text = text };
    reader->at = end;
    *ret = number;
    return PROV_OK;
}

static bool
take_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    if (*reader->at != *word || strncmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* true, false, null, or a number. */
static int
read_word(struct reader *reader, struct value **ret)
{
    if (take_word(reader, "true"))
        *ret = value_boolean(true);
    else if (take_word(reader, "false"))
        *ret = value_boolean(false);
    else if (take_word(reader, "null"))
        *ret = NULL;
    else
        return read_number(reader, ret);
    return PROV_OK;
}

/* ---- objects and arrays ---- */

/* Not inlined: most values are texts, and need nothing of what it saves and restores. */
__attribute__((noinline)) static int read_container(struct reader *reader, struct value **ret);

static int
by_name(const void *a, const void *b)
{
    const struct member *one = *(const struct member *const *)a;
    const struct member *other = *(const struct member *const *)b;
    int difference = strcmp(one->name, other->name);

    return difference ? difference : (one > other) - (one < other);
}

/* The second member of a name, of many; NULL: each is there once. */
static int
find_twice_of_many(struct value *object, const struct member **ret)
{
    AUTO_FREE const struct member **sorted = calloc(object->length, sizeof(struct member *));

    if (!sorted)
        return PROV_E_NOMEM;
    for (uint32_t i = 0; i < object->length; i++)
        sorted[i] = &object->members[i];
    qsort(sorted, object->length, sizeof(struct member *), by_name);
    for (uint32_t i = 1; i < object->length; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0 && (!*ret || sorted[i] < *ret))
            *ret = sorted[i];
    }
    return PROV_OK;
}

static const struct member *
find_twice_of_few(struct value *object)
{
    for (uint32_t i = 1; i < object->length; i++) {
        const struct member *member = &object->members[i];
        for (uint32_t k = 0; k < i; k++) {
            const struct member *before = &object->members[k];
            if (before->name_length == member->name_length &&
                memcmp(before->name, member->name, member->name_length) == 0)
                return member;
        }
    }
    return NULL;
}

static int
check_names(struct reader *reader, struct value *object)
{
    const struct member *twice = NULL;

    if (object->length <= FEW_NAMES)
        twice = find_twice_of_few(object);
    else if (find_twice_of_many(object, &twice) != PROV_OK)
        return fail(reader, PROV_E_NOMEM, NULL);
    if (!twice)
        return PROV_OK;
    snprintf(reader->why_twice, sizeof(reader->why_twice),
             "the name '%.100s' stands twice in one object, send it once", twice->name);
    reader->at = reader->start + (twice->name - reader->start) - 1;
    return fail(reader, PROV_E_INVALID, reader->why_twice);
}

static int
read_text_value(struct reader *reader, struct value **ret)
{
    struct value *text = pool_alloc(reader->pool, sizeof(*text));
    size_t length;
    int r;

    if (!text)
        return fail(reader, PROV_E_NOMEM, NULL);
    *text = (struct value){ .type = VALUE_TEXT };
    r = read_text(reader, &text->text, &length);
    if (r)
        return r;
    text->length = (uint32_t)length;
    *ret = text;
    return PROV_OK;
}

static inline int
read_value(struct reader *reader, struct value **ret)
{
    skip_blanks(reader);
    switch (*reader->at) {
    case '"':
        return read_text_value(reader, ret);
    case '{':
    case '[':
        return read_container(reader, ret);
    default:
        return read_word(reader, ret);
    }
}

static int
read_member(struct reader *reader, struct value *object)
{
    const char *name = NULL;
    char *quote = reader->at;
    struct value *value = NULL;
    size_t length = 0;
    int r;

    if (*reader->at != '"')
        return fail_syntax(reader, "a name in double quotes is needed here");
    r = read_text(reader, &name, &length);
    if (r)
        return r;
    skip_blanks(reader);
    if (*reader->at != ':')
        return fail_syntax(reader, "a colon is needed behind a name");
    if (reader->met_nul && memchr(name, '\0', length)) {
        reader->at = quote;
        return fail(reader, PROV_E_INVALID, "a name with a NUL character, remove it");
    }
    reader->at++;
    r = read_value(reader, &value);
    if (!r && value_add(reader->pool, object, name, length, value) != PROV_OK)
        return fail(reader, PROV_E_NOMEM, NULL);
    return r;
}

static int
read_element(struct reader *reader, struct value *array)
{
    struct value *value = NULL;
    int r = read_value(reader, &value);

    if (!r && value_append(reader->pool, array, value) != PROV_OK)
        return fail(reader, PROV_E_NOMEM, NULL);
    return r;
}

/* From behind the opening bracket to behind the closing one. */
static int
read_all(struct reader *reader, struct value *container)
{
    bool object = container->type == VALUE_OBJECT;
    char close = object ? '}' : ']';
    int r = PROV_OK;

    skip_blanks(reader);
    while (!r && *reader->at != close) {
        r = object ? read_member(reader, container) : read_element(reader, container);
        if (r)
            break;
        skip_blanks(reader);
        if (*reader->at == ',') {
            reader->at++;
            skip_blanks(reader);
            if (*reader->at == close)
                r = fail_syntax(reader, "something is needed behind a comma");
        } else if (*reader->at != close) {
            r = fail_syntax(reader, object ? "a comma or '}' is needed here"
                                           : "a comma or ']' is needed here");
        }
    }
    reader->at += !r;
    return r;
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
read_container(struct reader *reader, struct value **ret)
{
    bool is_object = *reader->at == '{';
    struct value *container = is_object ? value_object(reader->pool) : value_array(reader->pool);
    int r;

    if (!container)
        return fail(reader, PROV_E_NOMEM, NULL);
    if (reader->depth++ == JSON_MAX_DEPTH)
        return fail(reader, PROV_E_LIMIT, "nested deeper than 32 levels");
    reader->at++;
    r = read_all(reader, container);
    if (!r && is_object)
        r = check_names(reader, container);
    reader->depth--;
    *ret = container;
    return r;
}

/* Line and column, both from 1, of a byte offset. */
static void
place(const char *text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            (*line)++;
            *column = 1;
        } else {
            (*column)++;
        }
    }
}

static int
read_whole(struct reader *reader, struct value **ret)
{
    int r = read_value(reader, ret);

    if (r)
        return r;
    skip_blanks(reader);
    return reader->at == reader->end ? PROV_OK
                                     : fail(reader, PROV_E_INVALID, "something follows the value");
}

int
value_parse(struct pool *pool, const char *text, size_t length, const char *what,
            struct value **ret, struct prov_error *err)
{
    struct reader reader = { .pool = pool };
    struct value *value = NULL;
    size_t line, column;
    int r;

    if (length == 0)
        return error_set(err, PROV_E_INVALID, "%s is empty, a JSON value is needed", what);
    if (length > INT32_MAX)
        return error_set(err, PROV_E_LIMIT, "%s is larger than 2 GiB", what);
    if (memchr(text, '\0', length))
        return error_set(err, PROV_E_INVALID, "%s holds a NUL byte", what);
    reader.start = reader.at = pool_alloc(pool, length + PADDING);
    if (!reader.start)
        return error_nomem(err);
    reader.end = reader.start + length;
    memcpy(reader.start, text, length);
    memset(reader.end, '\0', PADDING);
    r = read_whole(&reader, &value);
    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    if (r) {
        place(text, (size_t)(reader.at - reader.start), &line, &column);
        return error_set(err, r, "%s is not valid JSON at line %zu, column %zu: %s", what, line,
                         column, reader.why);
    }
    *ret = value;
    return PROV_OK;
}
