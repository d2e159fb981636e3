/* Memory, growing text and json-c conveniences. Decides one thing: a test program that has no
 * memory left ends with a message. Everything else is left to the callers. */
#include "tests/org/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

static void *
needed(void *block)
{
    if (!block) {
        fputs("sfprov-org: out of memory\n", stderr);
        exit(70);
    }
    return block;
}

void *
text_block(size_t bytes)
{
    return needed(calloc(1, bytes ? bytes : 1));
}

void *
text_resize(void *block, size_t bytes)
{
    return needed(realloc(block, bytes ? bytes : 1));
}

char *
text_copy(const char *text)
{
    return needed(strdup(text));
}

char *
text_format(const char *format, ...)
{
    char *result = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&result, format, arguments);
    va_end(arguments);
    return needed(length < 0 ? NULL : result);
}

char *
text_lower(const char *text)
{
    char *copy = text_copy(text);

    for (char *at = copy; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    return copy;
}

uint32_t
text_next(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    unsigned length = *bytes >= 0xF0 ? 4 : *bytes >= 0xE0 ? 3 : *bytes >= 0xC0 ? 2 : 1;
    uint32_t code_point = length == 1 ? *bytes : *bytes & (0x7Fu >> length);

    for (unsigned i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            (*at)++;
            return *bytes;
        }
        code_point = code_point << 6 | (bytes[i] & 0x3Fu);
    }
    *at += length;
    return code_point;
}

/* The C library's Unicode tables, whatever locale the program runs in. */
static locale_t unicode;

static void
open_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

uint32_t
text_lower_letter(uint32_t code_point)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (code_point < 0x80)
        return code_point >= 'A' && code_point <= 'Z' ? code_point - 'A' + 'a' : code_point;
    pthread_once(&once, open_unicode);
    return unicode ? (uint32_t)towlower_l((wint_t)code_point, unicode) : code_point;
}

char *
text_fold(const char *text)
{
    struct text folded = { 0 };

    text_add(&folded, "", 0);
    while (*text)
        text_add_code_point(&folded, text_lower_letter(text_next(&text)));
    return folded.data;
}

void
text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->length + length + 1 > text->room) {
        size_t room = text->room ? text->room : 128;
        while (room < text->length + length + 1)
            room *= 2;
        text->data = text_resize(text->data, room);
        text->room = room;
    }
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void
text_addf(struct text *text, const char *format, ...)
{
    AUTO_FREE char *piece = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&piece, format, arguments);
    va_end(arguments);
    if (length < 0)
        needed(NULL);
    text_add(text, piece, (size_t)length);
}

void
text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){ 0 };
}

void
text_add_code_point(struct text *text, uint32_t code_point)
{
    char bytes[4];
    size_t count;

    if (code_point < 0x80) {
        bytes[0] = (char)code_point;
        count = 1;
    } else if (code_point < 0x800) {
        bytes[0] = (char)(0xC0 | (code_point >> 6));
        bytes[1] = (char)(0x80 | (code_point & 0x3F));
        count = 2;
    } else if (code_point < 0x10000) {
        bytes[0] = (char)(0xE0 | (code_point >> 12));
        bytes[1] = (char)(0x80 | ((code_point >> 6) & 0x3F));
        bytes[2] = (char)(0x80 | (code_point & 0x3F));
        count = 3;
    } else {
        bytes[0] = (char)(0xF0 | (code_point >> 18));
        bytes[1] = (char)(0x80 | ((code_point >> 12) & 0x3F));
        bytes[2] = (char)(0x80 | ((code_point >> 6) & 0x3F));
        bytes[3] = (char)(0x80 | (code_point & 0x3F));
        count = 4;
    }
    text_add(text, bytes, count);
}

size_t
text_units(const char *text)
{
    size_t units = 0;

    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if ((*at & 0xC0) != 0x80)
            units += *at >= 0xF0 ? 2 : 1;
    }
    return units;
}

struct json_object *
js_object(void)
{
    return needed(json_object_new_object());
}

struct json_object *
js_array(void)
{
    return needed(json_object_new_array());
}

struct json_object *
js_string(const char *text)
{
    return text ? needed(json_object_new_string(text)) : NULL;
}

struct json_object *
js_double(double number)
{
    return needed(json_object_new_double(number));
}

void
js_put(struct json_object *object, const char *key, struct json_object *value)
{
    if (json_object_object_add(object, key, value) != 0)
        needed(NULL);
}

void
js_append(struct json_object *array, struct json_object *value)
{
    if (json_object_array_add(array, value) != 0)
        needed(NULL);
}

void
js_put_text(struct json_object *object, const char *key, const char *text)
{
    js_put(object, key, js_string(text));
}

void
js_put_int(struct json_object *object, const char *key, int64_t number)
{
    js_put(object, key, needed(json_object_new_int64(number)));
}

void
js_put_flag(struct json_object *object, const char *key, bool flag)
{
    js_put(object, key, needed(json_object_new_boolean(flag)));
}

struct json_object *
js_get(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, key, &value);
    return value;
}

const char *
js_get_text(struct json_object *object, const char *key)
{
    struct json_object *value = js_get(object, key);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t
js_get_int(struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *value = js_get(object, key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

bool
js_get_flag(struct json_object *object, const char *key, bool otherwise)
{
    struct json_object *value = js_get(object, key);

    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value)
                                                         : otherwise;
}

struct json_object *
js_get_nocase(struct json_object *object, const char *key)
{
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_foreach(object, name, value)
    {
        if (strcasecmp(name, key) == 0)
            return value;
    }
    return NULL;
}

struct json_object *
js_scalar_copy(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        return needed(json_object_new_string_len(json_object_get_string(value),
                                                 json_object_get_string_len(value)));
    case json_type_boolean:
        return needed(json_object_new_boolean(json_object_get_boolean(value)));
    case json_type_int:
        return needed(json_object_new_int64(json_object_get_int64(value)));
    case json_type_double:
        return js_double(json_object_get_double(value));
    default:
        return NULL;
    }
}

struct json_object *
js_members_copy(struct json_object *object)
{
    struct json_object *copy = js_object();

    json_object_object_foreach(object, name, value)
    {
        js_put(copy, name, json_object_get(value));
    }
    return copy;
}

char *
js_text(struct json_object *value)
{
    return text_copy(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE));
}
