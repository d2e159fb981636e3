/* JSON values: looking into them, comparing, making. Reading text is value_read.c's, writing value_write.c's. */
#include "plugin/base/value.h"

#include <locale.h>
#include <stdlib.h>

#include "plugin/base/ascii.h"

#define FIRST_ROOM  4
#define SECOND_ROOM 16

/* ---- looking ---- */

/* The members of an object, and where they end; both NULL of anything else. */
static struct member *
members_of(const struct value *object, struct member **ret_end)
{
    if (!value_is(object, VALUE_OBJECT) || object->length == 0)
        return *ret_end = NULL;
    *ret_end = object->members + object->length;
    return object->members;
}

struct member *
value_find_length(const struct value *object, const char *name, size_t length)
{
    struct member *end, *member = members_of(object, &end);

    for (; member != end; member++) {
        if (member->name_length == length && *member->name == *name &&
            memcmp(member->name, name, length) == 0)
            return member;
    }
    return NULL;
}

/* Whether two letters can be the same but for their case. */
static bool
may_be_same(char a, char b)
{
    return ((a ^ b) & ~('a' ^ 'A')) == 0;
}

struct member *
value_find_nocase(const struct value *object, const char *name)
{
    struct member *end, *member = members_of(object, &end);
    size_t length = strlen(name);

    for (; member != end; member++) {
        if (member->name_length == length && may_be_same(*member->name, *name) &&
            ascii_compare_start(member->name, name, length) == 0)
            return member;
    }
    return NULL;
}

struct value *
value_get_nocase(const struct value *object, const char *name)
{
    struct member *member = value_find_nocase(object, name);

    return member ? member->value : NULL;
}

const char *
value_get_text(const struct value *object, const char *name)
{
    return value_text(value_get(object, name));
}

int64_t
value_get_integer(const struct value *object, const char *name, int64_t otherwise)
{
    struct value *value = value_get(object, name);

    return value_is(value, VALUE_INTEGER) ? value_integer(value) : otherwise;
}

bool
value_get_boolean(const struct value *object, const char *name, bool otherwise)
{
    struct value *value = value_get(object, name);

    return value_is_boolean(value) ? value->type == VALUE_TRUE : otherwise;
}

const char *
value_spelling(const struct value *value)
{
    if (!value)
        return "null";
    if (value_is_boolean(value))
        return value->type == VALUE_TRUE ? "true" : "false";
    return value_is_scalar(value) ? value->text : NULL;
}

double
value_real(const struct value *number)
{
    /* the host's own locale may write a comma; that of C exists already, and is nobody's to free */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    return value_is_number(number) ? strtod_l(number->text, NULL, c_locale) : 0;
}

int64_t
value_integer(const struct value *number)
{
    double real;

    if (value_is(number, VALUE_INTEGER))
        return strtoll(number->text, NULL, 10);
    real = value_real(number);
    return real >= 0x1p63 ? INT64_MAX : real <= -0x1p63 ? INT64_MIN : (int64_t)real;
}

/* ---- comparing ---- */

static bool
members_equal(const struct value *a, const struct value *b)
{
    if (a->length != b->length)
        return false;
    for (uint32_t i = 0; i < a->length; i++) {
        const struct member *one = &a->members[i], *other = &b->members[i];
        /* mostly they stand in the same order */
        if (one->name_length != other->name_length ||
            memcmp(one->name, other->name, one->name_length) != 0)
            other = value_find(b, one->name);
        if (!other || !value_equal(one->value, other->value))
            return false;
    }
    return true;
}

static bool
elements_equal(const struct value *a, const struct value *b)
{
    if (a->length != b->length)
        return false;
    for (uint32_t i = 0; i < a->length; i++) {
        if (!value_equal(a->elements[i], b->elements[i]))
            return false;
    }
    return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    if (value_is_number(a) && value_is_number(b) &&
        (a->type != VALUE_INTEGER || b->type != VALUE_INTEGER))
        return value_real(a) == value_real(b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_OBJECT:
        return members_equal(a, b);
    case VALUE_ARRAY:
        return elements_equal(a, b);
    case VALUE_INTEGER: /* there is one spelling of each */
    case VALUE_TEXT:
        return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
    default:
        return true;
    }
}

/* ---- making ---- */

struct value *
value_boolean(bool is_true)
{
    static struct value no = { .type = VALUE_FALSE }, yes = { .type = VALUE_TRUE };

    return is_true ? &yes : &no;
}

static struct value *
make(struct pool *pool, enum value_type type)
{
    struct value *value = pool_alloc(pool, sizeof(*value));

    if (value)
        *value = (struct value){ .type = type };
    return value;
}

static struct value *
make_text(struct pool *pool, enum value_type type, const char *text, size_t length)
{
    struct value *value = length <= UINT32_MAX ? make(pool, type) : NULL;

    if (!value)
        return NULL;
    value->text = pool_text(pool, text, length);
    value->length = (uint32_t)length;
    return value->text ? value : NULL;
}

struct value *
value_string_length(struct pool *pool, const char *text, size_t length)
{
    return make_text(pool, VALUE_TEXT, text, length);
}

struct value *
value_string(struct pool *pool, const char *text)
{
    return make_text(pool, VALUE_TEXT, text, strlen(text));
}

struct value *
value_number(struct pool *pool, const char *text)
{
    return make_text(pool, strpbrk(text, ".eE") ? VALUE_REAL : VALUE_INTEGER, text, strlen(text));
}

struct value *
value_from_integer(struct pool *pool, int64_t number)
{
    char text[24], *end = text + sizeof(text), *at = end;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--at = '-';
    return make_text(pool, VALUE_INTEGER, at, (size_t)(end - at));
}

struct value *
value_object(struct pool *pool)
{
    return make(pool, VALUE_OBJECT);
}

struct value *
value_array(struct pool *pool)
{
    return make(pool, VALUE_ARRAY);
}

bool
value_grow(struct pool *pool, struct value *container, size_t size)
{
    uint32_t before = container->room;
    uint32_t room = before == 0 ? FIRST_ROOM : before == FIRST_ROOM ? SECOND_ROOM : before * 2;
    void *grown = room > before ? pool_alloc(pool, room * size) : NULL;

    if (!grown)
        return false;
    if (container->length > 0)
        memcpy(grown, container->elements, container->length * size);
    container->elements = grown;
    container->room = room;
    return true;
}

int
value_put(struct pool *pool, struct value *object, const char *name, struct value *value)
{
    struct member *member = value_find(object, name);
    size_t length = strlen(name);
    char *copy;

    if (member) {
        member->value = value;
        return PROV_OK;
    }
    copy = pool_text(pool, name, length);
    return copy ? value_add(pool, object, copy, length, value) : PROV_E_NOMEM;
}

int
value_put_text(struct pool *pool, struct value *object, const char *name, const char *text)
{
    struct value *value;

    if (!text)
        return PROV_OK;
    value = value_string(pool, text);
    return value ? value_put(pool, object, name, value) : PROV_E_NOMEM;
}

int
value_put_integer(struct pool *pool, struct value *object, const char *name, int64_t number)
{
    struct value *value = value_from_integer(pool, number);

    return value ? value_put(pool, object, name, value) : PROV_E_NOMEM;
}

int
value_append_text(struct pool *pool, struct value *array, const char *text)
{
    struct value *value = value_string(pool, text);

    return value ? value_append(pool, array, value) : PROV_E_NOMEM;
}

static int
copy_members(struct pool *pool, const struct value *object, struct value *copy)
{
    int r = PROV_OK;

    for (uint32_t i = 0; !r && i < object->length; i++) {
        const struct member *member = &object->members[i];
        const char *name = pool_text(pool, member->name, member->name_length);
        struct value *value = NULL;
        r = name ? value_copy(pool, member->value, &value) : PROV_E_NOMEM;
        if (!r)
            r = value_add(pool, copy, name, member->name_length, value);
    }
    return r;
}

static int
copy_elements(struct pool *pool, const struct value *array, struct value *copy)
{
    int r = PROV_OK;

    for (uint32_t i = 0; !r && i < array->length; i++) {
        struct value *element = NULL;
        r = value_copy(pool, array->elements[i], &element);
        if (!r)
            r = value_append(pool, copy, element);
    }
    return r;
}

int
value_copy(struct pool *pool, const struct value *value, struct value **ret)
{
    struct value *copy = NULL;
    int r = PROV_OK;

    if (value_is_boolean(value))
        copy = value_boolean(value->type == VALUE_TRUE);
    else if (value && value_is_scalar(value))
        copy = make_text(pool, value->type, value->text, value->length);
    else if (value)
        copy = make(pool, value->type);
    if (value && !copy)
        return PROV_E_NOMEM;
    if (value_is(value, VALUE_OBJECT))
        r = copy_members(pool, value, copy);
    else if (value_is(value, VALUE_ARRAY))
        r = copy_elements(pool, value, copy);
    if (!r)
        *ret = copy;
    return r;
}

/* ---- taking out ---- */

void
value_remove(struct value *object, const char *name)
{
    struct member *member = value_find(object, name);

    if (!member)
        return;
    object->length--;
    memmove(member, member + 1,
            (size_t)(object->members + object->length - member) * sizeof(*member));
}

void
value_delete(struct value *array, size_t i)
{
    if (!value_is(array, VALUE_ARRAY) || i >= array->length)
        return;
    array->length--;
    memmove(array->elements + i, array->elements + i + 1,
            (array->length - i) * sizeof(struct value *));
}
