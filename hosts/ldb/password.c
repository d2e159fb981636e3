/*
 * Decides what of a request is a password in clear ([MS-ADTS] 3.1.1.3.1.5): unicodePwd is UTF-16 in quotes, and a
 * hash where it is not; clearTextPassword, Samba's own, is UTF-16 without; userPassword is UTF-8.
 */
#include "hosts/ldb/password.h"

#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/letters.h"

static uint32_t
unit(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static size_t
put_utf8(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* NULL: out of memory. What is no UTF-16 becomes what is no UTF-8. */
static char *
from_utf16(void *memory, const uint8_t *bytes, size_t length)
{
    char *text = talloc_size(memory, length / 2 * 3 + 1), *out = text;

    for (size_t i = 0; text && i + 1 < length; i += 2) {
        uint32_t c = unit(bytes + i);

        if (c >= 0xd800 && c < 0xdc00 && i + 3 < length &&
            (unit(bytes + i + 2) & 0xfc00) == 0xdc00) {
            c = 0x10000 + ((c & 0x3ff) << 10) + (unit(bytes + i + 2) & 0x3ff);
            i += 2;
        }
        out += put_utf8(c, out);
    }
    if (text)
        *out = '\0';
    return text;
}

static int
take(void *memory, const char *name, const struct ldb_val *value, char **ret)
{
    const uint8_t *bytes = value->data;
    size_t length = value->length;
    char *text;

    if (letters_same(name, "userPassword")) {
        text = talloc_strndup(memory, (const char *)bytes, length);
    } else if (letters_same(name, "clearTextPassword")) {
        text = from_utf16(memory, bytes, length);
    } else {
        if (length < 4 || length % 2 || unit(bytes) != '"' || unit(bytes + length - 2) != '"')
            return 0;
        text = from_utf16(memory, bytes + 2, length - 4);
    }
    if (!text)
        return -1;
    if (*text && utf8_is_text(text, strlen(text))) {
        *ret = text;
        return 0;
    }
    explicit_bzero(text, strlen(text));
    talloc_free(text);
    return 0;
}

int
password_of(void *memory, const struct ldb_message *message, char **ret)
{
    static const char *const names[] = { "unicodePwd", "clearTextPassword", "userPassword" };
    int result = 0;

    *ret = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !*ret && !result; i++) {
        const struct ldb_message_element *element = ldb_msg_find_element(message, names[i]);

        if (element && element->num_values &&
            LDB_FLAG_MOD_TYPE(element->flags) != LDB_FLAG_MOD_DELETE)
            result = take(memory, names[i], &element->values[element->num_values - 1], ret);
    }
    return result;
}
