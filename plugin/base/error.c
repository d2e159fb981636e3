/* Error texts: formatting into the caller's memory, cutting, prefixing. Decides nothing about what
 * an error means; the codes are the ABI's. */
#define ERROR_C
#include "plugin/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for text in an error of the caller's size, the NUL included; 0 if it has none. */
static size_t
text_room(const struct prov_error *err)
{
    size_t offset = offsetof(struct prov_error, text);

    if (!err || err->size <= offset)
        return 0;
    return err->size - offset < sizeof(err->text) ? err->size - offset : sizeof(err->text);
}

void
error_tidy(char *text)
{
    size_t length = strlen(text), start = length;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        unsigned char lead = (unsigned char)text[start - 1];
        size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (length - (start - 1) < wanted)
            text[start - 1] = '\0';
    }
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
}

int
error_set(struct prov_error *err, int code, const char *format, ...)
{
    size_t room = text_room(err);
    va_list arguments;

    if (room) {
        err->code = code;
        va_start(arguments, format);
        vsnprintf(err->text, room, format, arguments);
        va_end(arguments);
        error_tidy(err->text);
    }
    return code;
}

int
error_wrap(struct prov_error *err, int code, const char *format, ...)
{
    /* cppcheck-suppress ctunullpointer ; sizeof reads nothing */
    char context[256], before[sizeof(err->text)];
    size_t room = text_room(err);
    va_list arguments;

    if (!room)
        return code;
    va_start(arguments, format);
    vsnprintf(context, sizeof(context), format, arguments);
    va_end(arguments);
    memcpy(before, err->text, room);
    before[room - 1] = '\0';
    if (err->code != PROV_OK)
        code = err->code;
    return error_set(err, code, "%s: %s", context, before);
}

int
error_nomem(struct prov_error *err)
{
    return error_set(err, PROV_E_NOMEM, "out of memory");
}

const char *
error_code_name(int code)
{
    static const char *const names[] = { "OK",     "INVALID",     "FIELDS", "STORE",
                                         "REMOTE", "NOTFOUND",    "STATE",  "NOMEM",
                                         "ABI",    "UNSUPPORTED", "LIMIT" };

    if (code > 0 || (size_t)-code >= sizeof(names) / sizeof(names[0]))
        return "UNKNOWN";
    return names[-code];
}
