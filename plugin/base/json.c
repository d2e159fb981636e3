/* Strict JSON reading and canonical writing over json-c. Knows nothing of what the JSON means. */
#include "plugin/base/json.h"

#include <json-c/printbuf.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugin/base/fork.h"
#include "plugin/base/json_write.h"

static void
tokener_cleanup(struct json_tokener **tokener)
{
    if (*tokener) {
        /* the last text it read, which may be a password */
        if ((*tokener)->pb && (*tokener)->pb->buf)
            explicit_bzero((*tokener)->pb->buf, (size_t)(*tokener)->pb->size);
        json_tokener_free(*tokener);
    }
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
fail_at(const char *text, size_t offset, const char *what, const char *why, int code,
        struct prov_error *err)
{
    size_t line, column;

    place(text, offset, &line, &column);
    return error_set(err, code, "%s is not valid JSON at line %zu, column %zu: %s", what, line,
                     column, why);
}

/* ---- reading ---- */

/*
 * What json-c (0.16) takes in its strict mode and JSON (RFC 8259) does not: NaN, Infinity, "1.",
 * 'keys', control characters in strings, UTF-8 that is none. Written out again it would spoil a
 * whole call to Salesforce, so it is refused here, at its place. So is what JSON allows and nobody
 * can keep as it was sent (I-JSON, RFC 7493): a name that stands twice in an object, of which json-c
 * keeps the last; half of a surrogate pair, which it replaces; integers beyond 64 bits, which it
 * changes; NUL in a name, where it ends the name. NUL in a value is kept, and for the reader of the
 * value to refuse.
 */
struct scan {
    const unsigned char *at, *end;
    size_t depth;
    size_t names;    /* colons, one behind each name of an object */
    bool whole;      /* the outermost value has ended */
    const char *why; /* the first fault, at `at` */
    int code;
};

/* Length of the well-formed UTF-8 sequence at `at`; 0 if there is none (Unicode, table 3-7). */
static size_t
utf8_length(const unsigned char *at, const unsigned char *end)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length = *at < 0x80 ? 1 : *at < 0xC2 ? 0 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;

    if (length == 0 || *at > 0xF4 || (size_t)(end - at) < length)
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

static bool
scan_fail(struct scan *scan, int code, const char *why)
{
    scan->code = code;
    scan->why = why;
    return false;
}

/* The character of \uXXXX at `at`; -1 if there is none. */
static int
escaped_unit(const unsigned char *at, const unsigned char *end)
{
    int unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        if (!isxdigit(at[i]))
            return -1;
        unit = unit * 16 + (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    }
    return unit;
}

/* A backslash and what it escapes; what is no escape is json-c's to refuse. */
static bool
scan_escape(struct scan *scan, bool *nul)
{
    int unit = escaped_unit(scan->at, scan->end), next;

    *nul |= unit == 0;
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        next = escaped_unit(scan->at + 6, scan->end);
        if (unit > 0xDBFF || next < 0xDC00 || next > 0xDFFF)
            return scan_fail(scan, PROV_E_INVALID,
                             "half of a surrogate pair, send the whole character or none");
        scan->at += 6;
    }
    scan->at++;
    if (scan->at < scan->end && *scan->at >= 0x20 && *scan->at < 0x80)
        scan->at++;
    return true;
}

/* Whether the next token is a colon. */
static bool
is_name(const unsigned char *at, const unsigned char *end)
{
    while (at < end && strchr(" \t\r\n", *at))
        at++;
    return at < end && *at == ':';
}

static bool
scan_string(struct scan *scan)
{
    const unsigned char *start = scan->at;
    bool nul = false;

    for (scan->at++; scan->at < scan->end && *scan->at != '"';) {
        size_t length = utf8_length(scan->at, scan->end);
        if (length == 0)
            return scan_fail(scan, PROV_E_INVALID, "invalid UTF-8");
        if (*scan->at < 0x20)
            return scan_fail(scan, PROV_E_INVALID, "a control character in a string, escape it");
        if (*scan->at != '\\')
            scan->at += length;
        else if (!scan_escape(scan, &nul))
            return false;
    }
    if (scan->at < scan->end)
        scan->at++; /* else it ends too early, which json-c tells */
    if (!nul || !is_name(scan->at, scan->end))
        return true;
    scan->at = start;
    return scan_fail(scan, PROV_E_INVALID, "a name with a NUL character, remove it");
}

static const unsigned char *
skip_digits(const unsigned char *at, const unsigned char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the number that starts here; NULL if it is none (RFC 8259 section 6). */
static const unsigned char *
number_end(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *digits;

    if (*at == '-')
        at++;
    digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits)
            return NULL;
    }
    return at;
}

/* Whether this is an integer that fits neither int64 nor uint64. */
static bool
is_too_large(const unsigned char *at, const unsigned char *end)
{
    const char *limit = *at == '-' ? "9223372036854775808" : "18446744073709551615";
    size_t width = strlen(limit), length;

    at += *at == '-';
    length = (size_t)(end - at);
    if (skip_digits(at, end) != end)
        return false; /* a fraction or an exponent: json-c keeps its text */
    return length > width || (length == width && memcmp(at, limit, width) > 0);
}

/* true, false, null, or a number. */
static bool
scan_word(struct scan *scan)
{
    static const char *const words[] = { "true", "false", "null" };
    const unsigned char *end = NULL;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= length && memcmp(scan->at, words[i], length) == 0)
            end = scan->at + length;
    }
    if (!end) {
        end = number_end(scan->at, scan->end);
        if (end && is_too_large(scan->at, end))
            return scan_fail(scan, PROV_E_INVALID,
                             "an integer beyond 64 bits, send it as a string");
    }
    if (!end)
        return scan_fail(scan, PROV_E_INVALID,
                         "neither a string in double quotes, nor a number, true, false or null");
    scan->at = end;
    return true;
}

static bool
scan_bracket(struct scan *scan)
{
    if ((*scan->at == '[' || *scan->at == '{') && scan->depth++ == JSON_MAX_DEPTH)
        return scan_fail(scan, PROV_E_LIMIT, "nested deeper than 32 levels");
    if ((*scan->at == ']' || *scan->at == '}') && scan->depth > 0)
        scan->depth--;
    scan->names += *scan->at == ':';
    scan->at++;
    return true;
}

/* Looks at tokens only; their order is json-c's to judge. */
static bool
scan_tokens(struct scan *scan)
{
    while (scan->at < scan->end) {
        bool ok;
        if (strchr(" \t\r\n", *scan->at)) {
            scan->at++;
            continue;
        }
        if (scan->whole)
            return scan_fail(scan, PROV_E_INVALID, "something follows the value");
        if (*scan->at == '"')
            ok = scan_string(scan);
        else if (strchr("[]{},:", *scan->at))
            ok = scan_bracket(scan);
        else
            ok = scan_word(scan);
        if (!ok)
            return false;
        scan->whole = scan->depth == 0;
    }
    return true;
}

/* Lets json-c read what was scanned. */
static int
read_value(const char *text, size_t length, const char *what, struct json_object **ret,
           struct prov_error *err)
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    /* json-c counts a value inside the innermost array as a level */
    CLEANUP(tokener_cleanup)
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    AUTO_JSON struct json_object *value = NULL;
    enum json_tokener_error error;
    size_t end;

    if (!tokener)
        return error_nomem(err);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    value = json_tokener_parse_ex(tokener, text, (int)length);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue && end == length) {
        /* a bare number has no end of its own: tell the tokener that this was all */
        value = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
    }
    if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
        return fail_at(text, length, what, "it ends too early", PROV_E_INVALID, err);
    if (error != json_tokener_success)
        return fail_at(text, end, what, json_tokener_error_desc(error), PROV_E_INVALID, err);
    *ret = STEAL(value);
    return PROV_OK;
}

/* How many names the objects of a value have. */
static size_t
count_names(struct json_object *value)
{
    size_t count = 0;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count += count_names(json_object_array_get_idx(value, i));
        return count;
    }
    if (!json_object_is_type(value, json_type_object))
        return 0;
    json_object_object_foreach(value, name, member)
    {
        (void)name;
        count += 1 + count_names(member);
    }
    return count;
}

/* The next string of a text that was scanned before, decoded, if it is a name; *at is moved behind
 * the string. NULL: it is a value, or out of memory. */
static struct json_object *
read_name(const unsigned char **at, const unsigned char *end)
{
    struct scan scan = { .at = *at, .end = end };
    AUTO_JSON struct json_object *name = NULL;
    const unsigned char *start = *at;

    scan_string(&scan);
    *at = scan.at;
    if (!is_name(*at, end) ||
        json_parse((const char *)start, (size_t)(*at - start), "a name", &name, NULL) != PROV_OK)
        return NULL;
    return STEAL(name);
}

static void
names_cleanup(struct json_object *(*names)[JSON_MAX_DEPTH + 1])
{
    for (size_t i = 0; i <= JSON_MAX_DEPTH; i++)
        json_object_put((*names)[i]);
}

/* Finds the name that stands twice in an object of a text that is JSON otherwise. */
static int
fail_twice(const char *text, size_t length, const char *what, struct prov_error *err)
{
    const unsigned char *start = (const unsigned char *)text, *at = start, *end = start + length;
    /* the names seen so far of the object on each level */
    CLEANUP(names_cleanup) struct json_object *names[JSON_MAX_DEPTH + 1] = { NULL };
    size_t depth = 0;
    char why[200];

    for (size_t offset = 0; at < end; offset = (size_t)(at - start)) {
        AUTO_JSON struct json_object *name = *at == '"' ? read_name(&at, end) : NULL;
        if (text[offset] == '[' || text[offset] == '{') {
            json_object_put(names[++depth]);
            names[depth] = json_object_new_object();
        } else if (text[offset] == ']' || text[offset] == '}') {
            depth--;
        }
        if (text[offset] != '"')
            at++;
        if (!name)
            continue;
        if (json_object_object_get_ex(names[depth], json_object_get_string(name), NULL)) {
            snprintf(why, sizeof(why), "the name '%.100s' stands twice in one object, send it once",
                     json_object_get_string(name));
            return fail_at(text, offset, what, why, PROV_E_INVALID, err);
        }
        if (json_put(names[depth], json_object_get_string(name), NULL) != PROV_OK)
            break;
    }
    return error_nomem(err); /* a name could not be read or kept */
}

int
json_parse(const char *text, size_t length, const char *what, struct json_object **ret,
           struct prov_error *err)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct scan scan = { .at = bytes, .end = bytes + length };
    AUTO_JSON struct json_object *value = NULL;
    int result;

    if (length == 0)
        return error_set(err, PROV_E_INVALID, "%s is empty, a JSON value is needed", what);
    if (length > INT32_MAX)
        return error_set(err, PROV_E_LIMIT, "%s is larger than 2 GiB", what);
    if (memchr(text, '\0', length))
        return error_set(err, PROV_E_INVALID, "%s holds a NUL byte", what);
    if (!scan_tokens(&scan))
        return fail_at(text, (size_t)(scan.at - bytes), what, scan.why, scan.code, err);
    result = read_value(text, length, what, &value, err);
    if (result == PROV_OK && count_names(value) != scan.names)
        return fail_twice(text, length, what, err);
    if (result == PROV_OK)
        *ret = STEAL(value);
    return result;
}

/* ---- writing ---- */

char *
json_canonical(struct json_object *value)
{
    struct json_writer writer = { 0 };

    json_write_canonical(&writer, value);
    return json_write_end(&writer);
}

const char *
json_borrow_text(struct json_object *value)
{
    return json_object_to_json_string_ext(value,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

char *
json_text(struct json_object *value)
{
    struct json_writer writer = { 0 };

    json_write_value(&writer, value);
    return json_write_end(&writer);
}

struct json_object *
json_get(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

const char *
json_get_string(struct json_object *object, const char *key)
{
    struct json_object *value = json_get(object, key);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t
json_get_int(struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *value = json_get(object, key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

bool
json_get_bool(struct json_object *object, const char *key, bool otherwise)
{
    struct json_object *value = json_get(object, key);

    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value)
                                                         : otherwise;
}

struct json_object *
json_get_nocase(struct json_object *object, const char *key, const char **ret_name)
{
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_foreach(object, name, value)
    {
        if (strcasecmp(name, key) == 0) {
            if (ret_name)
                *ret_name = name;
            return value;
        }
    }
    return NULL;
}

static bool
is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

static bool
members_equal(struct json_object *a, struct json_object *b)
{
    struct json_object *other;

    if (json_object_object_length(a) != json_object_object_length(b))
        return false;
    json_object_object_foreach(a, name, member)
    {
        if (!json_object_object_get_ex(b, name, &other) || !json_equal(member, other))
            return false;
    }
    return true;
}

static bool
elements_equal(struct json_object *a, struct json_object *b)
{
    size_t length = json_object_array_length(a);

    if (json_object_array_length(b) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!json_equal(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
            return false;
    }
    return true;
}

bool
json_equal(struct json_object *a, struct json_object *b)
{
    if (is_number(a) && is_number(b) && json_object_get_type(a) != json_object_get_type(b))
        return json_object_get_double(a) == json_object_get_double(b);
    if (json_object_get_type(a) != json_object_get_type(b))
        return false;
    if (json_object_is_type(a, json_type_object))
        return members_equal(a, b);
    if (json_object_is_type(a, json_type_array))
        return elements_equal(a, b);
    return json_object_equal(a, b) != 0;
}

/* json-c aborts the process when it is handed no container, as after a failed allocation. */
int
json_put(struct json_object *object, const char *key, struct json_object *value)
{
    if (!json_object_is_type(object, json_type_object) ||
        json_object_object_add(object, key, value) != 0) {
        json_object_put(value);
        return PROV_E_NOMEM;
    }
    return PROV_OK;
}

int
json_append(struct json_object *array, struct json_object *value)
{
    if (!json_object_is_type(array, json_type_array) || json_object_array_add(array, value) != 0) {
        json_object_put(value);
        return PROV_E_NOMEM;
    }
    return PROV_OK;
}

int
json_append_string(struct json_object *array, const char *value)
{
    struct json_object *string = json_object_new_string(value);

    return string ? json_append(array, string) : PROV_E_NOMEM;
}

int
json_put_string(struct json_object *object, const char *key, const char *value)
{
    struct json_object *string;

    if (!value)
        return PROV_OK;
    string = json_object_new_string(value);
    return string ? json_put(object, key, string) : PROV_E_NOMEM;
}

int
json_put_int(struct json_object *object, const char *key, int64_t value)
{
    struct json_object *number = json_object_new_int64(value);

    return number ? json_put(object, key, number) : PROV_E_NOMEM;
}

int
json_put_bool(struct json_object *object, const char *key, bool value)
{
    struct json_object *boolean = json_object_new_boolean(value);

    return boolean ? json_put(object, key, boolean) : PROV_E_NOMEM;
}
