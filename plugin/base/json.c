/* Strict JSON reading and canonical writing over json-c. Knows nothing of what the JSON means. */
#include "plugin/base/json.h"

#include <string.h>
#include <strings.h>

static void
tokener_cleanup(struct json_tokener **tokener)
{
    if (*tokener)
        json_tokener_free(*tokener);
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

int
json_parse(const char *text, size_t length, const char *what, struct json_object **ret,
           struct prov_error *err)
{
    CLEANUP(tokener_cleanup) struct json_tokener *tokener = NULL;
    AUTO_JSON struct json_object *value = NULL;
    enum json_tokener_error error;
    size_t end;

    if (length == 0)
        return error_set(err, PROV_E_INVALID, "%s is empty, a JSON value is needed", what);
    if (length > INT32_MAX)
        return error_set(err, PROV_E_LIMIT, "%s is larger than 2 GiB", what);
    if (memchr(text, '\0', length))
        return error_set(err, PROV_E_INVALID, "%s holds a NUL byte", what);
    tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
    if (!tokener)
        return error_nomem(err);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
                                        JSON_TOKENER_ALLOW_TRAILING_CHARS);
    value = json_tokener_parse_ex(tokener, text, (int)length);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue && end == length) {
        /* a bare number has no end of its own: tell the tokener that this was all */
        value = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
        if (error == json_tokener_success)
            end = length;
    }
    if (error == json_tokener_continue)
        return fail_at(text, length, what, "it ends too early", PROV_E_INVALID, err);
    if (error == json_tokener_error_depth)
        return fail_at(text, end, what, "nested deeper than 32 levels", PROV_E_LIMIT, err);
    if (error != json_tokener_success)
        return fail_at(text, end, what, json_tokener_error_desc(error), PROV_E_INVALID, err);
    while (end < length && strchr(" \t\r\n", text[end]))
        end++;
    if (end < length)
        return fail_at(text, end, what, "something follows the value", PROV_E_INVALID, err);
    *ret = STEAL(value);
    return PROV_OK;
}

struct member {
    const char *name;
    struct json_object *value;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* A deep copy whose objects have their members added in order of name. */
static struct json_object *
sorted(struct json_object *value)
{
    if (json_object_is_type(value, json_type_array)) {
        size_t length = json_object_array_length(value);
        struct json_object *copy = json_object_new_array_ext((int)length);
        for (size_t i = 0; copy && i < length; i++)
            json_object_array_add(copy, sorted(json_object_array_get_idx(value, i)));
        return copy;
    }
    if (json_object_is_type(value, json_type_object)) {
        size_t count = (size_t)json_object_object_length(value), i = 0;
        AUTO_FREE struct member *members = calloc(count ? count : 1, sizeof(*members));
        struct json_object *copy = json_object_new_object();
        if (!members || !copy) {
            json_object_put(copy);
            return NULL;
        }
        json_object_object_foreach(value, name, member)
        {
            members[i++] = (struct member){ name, member };
        }
        qsort(members, count, sizeof(*members), by_name);
        for (i = 0; i < count; i++)
            json_object_object_add(copy, members[i].name, sorted(members[i].value));
        return copy;
    }
    return json_ref(value);
}

char *
json_canonical(struct json_object *value)
{
    AUTO_JSON struct json_object *copy = sorted(value);

    return copy || !value ? json_text(copy) : NULL;
}

char *
json_text(struct json_object *value)
{
    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE);

    return text ? strdup(text) : NULL;
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

bool
json_equal(struct json_object *a, struct json_object *b)
{
    if (is_number(a) && is_number(b) && json_object_get_type(a) != json_object_get_type(b))
        return json_object_get_double(a) == json_object_get_double(b);
    return json_object_equal(a, b) != 0;
}

int
json_put(struct json_object *object, const char *key, struct json_object *value)
{
    if (json_object_object_add(object, key, value) != 0) {
        json_object_put(value);
        return PROV_E_NOMEM;
    }
    return PROV_OK;
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
