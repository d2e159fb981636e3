/* Conveniences over json-c. Knows nothing of what the JSON means. */
#include "plugin/base/json.h"

#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/json_write.h"
#include "plugin/base/value_json.h"

int
json_parse(const char *text, size_t length, const char *what, struct json_object **ret,
           struct prov_error *err)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *value = NULL;
    int result = value_parse(&pool, text, length, what, &value, err);

    if (result != PROV_OK)
        return result;
    return json_from_value(value, ret) == PROV_OK ? PROV_OK : error_nomem(err);
}

static bool
is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

/* Where it stands, not a copy. */
static void
wipe(const char *text, size_t length)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): drops const */
    explicit_bzero((char *)(uintptr_t)text, length);
}

/* It has its spelling, and json-c keeps the text of a number that was written. */
static void
wipe_number(struct json_object *number)
{
    const char *spelling =
        json_object_is_type(number, json_type_double) ? json_object_get_userdata(number) : NULL;
    const char *written = json_object_to_json_string(number);

    if (written)
        wipe(written, strlen(written));
    if (spelling)
        wipe(spelling, strlen(spelling));
}

void
json_wipe(struct json_object *value)
{
    if (json_object_is_type(value, json_type_string)) {
        wipe(json_object_get_string(value), (size_t)json_object_get_string_len(value));
    } else if (is_number(value)) {
        wipe_number(value);
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            json_wipe(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            json_wipe(member);
            wipe(name, strlen(name));
        }
    }
}

/* ---- writing ---- */

char *
json_canonical(struct json_object *value)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *copy = NULL;

    return value_from_json(&pool, value, &copy) == PROV_OK ? value_canonical(copy) : NULL;
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
        if (ascii_compare(name, key) == 0) {
            if (ret_name)
                *ret_name = name;
            return value;
        }
    }
    return NULL;
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
