/*
 * JSON values, in the memory of a pool: what is read on the way from an event to a call lives in these.
 * An object is an array of its members, in their order, and is searched from the front: the objects of a
 * user are small. A text is where it was read, ended by NUL; numbers keep their spelling.
 *
 * JSON null is the NULL pointer, as is what is absent (RFC 7643 2.5 makes no difference); value_has() tells
 * them apart. Texts, numbers, true and false never change, and may stand in any number of places; an object
 * or array may stand in several as long as nobody changes it. What is put into one must live as long.
 *
 * Configuration, Salesforce's answers and documents for the host are json-c's (json.h); value_json.h leads
 * from one to the other.
 */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "plugin/base/error.h"
#include "plugin/base/pool.h"

struct json_writer;

/* Arrays and objects inside each other, at most, in what is read. */
#define JSON_MAX_DEPTH 32

enum value_type {
    VALUE_NULL, /* of the NULL pointer alone */
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_INTEGER, /* fits an int64_t or an uint64_t */
    VALUE_REAL,    /* with a fraction or an exponent */
    VALUE_TEXT,
    VALUE_ARRAY,
    VALUE_OBJECT
};

struct member {
    const char *name; /* no NUL in it */
    size_t name_length;
    struct value *value;
};

struct value {
    enum value_type type;
    uint32_t length; /* bytes of a text or number, elements, members */
    uint32_t room;   /* of arrays and objects */
    union {
        const char
            *text; /* ended by NUL; a text may hold others (from \u0000): see value_has_nul() */
        struct value **elements;
        struct member *members;
    };
};

/* ---- reading ---- */

/*
 * Reads one JSON value: the grammar of RFC 8259 within the bounds of I-JSON (RFC 7493), so that
 * nothing is changed in silence: well-formed UTF-8, no half surrogate pair, no name twice in one
 * object and none with a NUL in it, integers of at most 64 bits. At most JSON_MAX_DEPTH arrays and
 * objects inside each other, nothing after the value. A text may hold NUL (from \u0000): see
 * value_has_nul(). `text` is copied. `what` names it in the error, which gives line and column.
 * PROV_E_INVALID, PROV_E_LIMIT (too deep), PROV_E_NOMEM.
 */
MUST_CHECK int value_parse(struct pool *pool, const char *text, size_t length, const char *what,
                           struct value **ret, struct prov_error *err);

static inline bool
value_is(const struct value *value, enum value_type type)
{
    return value ? value->type == type : type == VALUE_NULL;
}

static inline bool
value_is_boolean(const struct value *value)
{
    return value_is(value, VALUE_TRUE) || value_is(value, VALUE_FALSE);
}

static inline bool
value_is_number(const struct value *value)
{
    return value_is(value, VALUE_INTEGER) || value_is(value, VALUE_REAL);
}

/* Neither array nor object. */
static inline bool
value_is_scalar(const struct value *value)
{
    return !value_is(value, VALUE_ARRAY) && !value_is(value, VALUE_OBJECT);
}

/* Of a text; NULL of anything else. */
static inline const char *
value_text(const struct value *value)
{
    return value && value->type == VALUE_TEXT ? value->text : NULL;
}

/* What a scalar is written as: a text itself, a number, "true", "false" or "null". NULL of anything else. */
const char *value_spelling(const struct value *value);

/* Whether this is a text with a NUL in it, so that it is longer than it seems. */
static inline bool
value_has_nul(const struct value *value)
{
    return value_is(value, VALUE_TEXT) && strlen(value->text) != value->length;
}

/* Elements of an array, members of an object; 0 of anything else. */
static inline size_t
value_count(const struct value *value)
{
    return value_is_scalar(value) ? 0 : value->length;
}

/* Element i of an array; NULL where there is none. */
static inline struct value *
value_at(const struct value *array, size_t i)
{
    return value_is(array, VALUE_ARRAY) && i < array->length ? array->elements[i] : NULL;
}

/* Member i of an object; NULL where there is none. Borrowed until the object changes. */
static inline struct member *
value_member(const struct value *object, size_t i)
{
    return object && object->type == VALUE_OBJECT && i < object->length ? &object->members[i]
                                                                        : NULL;
}

/* The one behind a member; NULL: it was the last. */
static inline struct member *
value_next(const struct value *object, struct member *member)
{
    return member + 1 < object->members + object->length ? member + 1 : NULL;
}

/* VALUE_EACH(object, member) { member->name ... }: all members in order, none of what is no object. It must
 * not change meanwhile. */
#define VALUE_EACH(object, item)                                                                   \
    for (struct member *item = value_member(object, 0); item; item = value_next(object, item))

/* The member of this name; without regard to ASCII case (RFC 7643 2.1) for value_find_nocase(). NULL: the
 * object has none, or it is no object. */
struct member *value_find_length(const struct value *object, const char *name, size_t length);
struct member *value_find_nocase(const struct value *object, const char *name);
static inline struct member *
value_find(const struct value *object, const char *name)
{
    return value_find_length(object, name, strlen(name)); /* mostly known to the compiler */
}

/* The value of that member. */
struct value *value_get_nocase(const struct value *object, const char *name);
static inline struct value *
value_get(const struct value *object, const char *name)
{
    struct member *member = value_find(object, name);

    return member ? member->value : NULL;
}

static inline bool
value_has(const struct value *object, const char *name)
{
    return value_find(object, name) != NULL;
}

/* The same, if it is of this type. */
const char *value_get_text(const struct value *object, const char *name);
int64_t value_get_integer(const struct value *object, const char *name, int64_t otherwise);
bool value_get_boolean(const struct value *object, const char *name, bool otherwise);

/* Of a number, cut to what fits; 0 of anything else. */
int64_t value_integer(const struct value *number);
double value_real(const struct value *number);

/* Same value; objects without regard to the order of members, numbers by value. */
bool value_equal(const struct value *a, const struct value *b);

/* ---- making ---- */

/* true or false; needs no memory. */
struct value *value_boolean(bool is_true);

/* NULL when out of memory. value_string() copies the text; value_number() takes it as JSON has it. */
struct value *value_string(struct pool *pool, const char *text);
struct value *value_string_length(struct pool *pool, const char *text, size_t length);
struct value *value_number(struct pool *pool, const char *text);
struct value *value_from_integer(struct pool *pool, int64_t number);
struct value *value_object(struct pool *pool);
struct value *value_array(struct pool *pool);

/* Another value that shares nothing with this one. 0, or PROV_E_NOMEM: NULL is a value. */
MUST_CHECK int value_copy(struct pool *pool, const struct value *value, struct value **ret);

/* Puts a value in place of the member of this name, or behind the last; the name is copied. PROV_OK, or
 * PROV_E_NOMEM, also where `object` is NULL, so that a failed allocation may be noticed here. */
MUST_CHECK int value_put(struct pool *pool, struct value *object, const char *name,
                         struct value *value);
/* Text NULL puts nothing. */
MUST_CHECK int value_put_text(struct pool *pool, struct value *object, const char *name,
                              const char *text);
MUST_CHECK int value_put_integer(struct pool *pool, struct value *object, const char *name,
                                 int64_t number);

/* For those below: makes room for one more, of this size; the old room is left to the pool. */
bool value_grow(struct pool *pool, struct value *container, size_t size);

/* Puts it behind the last; as above. */
MUST_CHECK static inline int
value_append(struct pool *pool, struct value *array, struct value *value)
{
    if (!value_is(array, VALUE_ARRAY) ||
        (array->length == array->room && !value_grow(pool, array, sizeof(struct value *))))
        return PROV_E_NOMEM;
    array->elements[array->length++] = value;
    return PROV_OK;
}
MUST_CHECK int value_append_text(struct pool *pool, struct value *array, const char *text);

/* Puts a member behind the last, without a look whether it is there already; the name is not copied. */
MUST_CHECK static inline int
value_add(struct pool *pool, struct value *object, const char *name, size_t name_length,
          struct value *value)
{
    if (!value_is(object, VALUE_OBJECT) ||
        (object->length == object->room && !value_grow(pool, object, sizeof(struct member))))
        return PROV_E_NOMEM;
    object->members[object->length++] = (struct member){ name, name_length, value };
    return PROV_OK;
}

/* Takes out a member, or an element; those behind it move up. */
void value_remove(struct value *object, const char *name);
void value_delete(struct value *array, size_t i);

/* ---- writing ---- */

/* Any value; NULL is null. Where the text of writer->watched begins and ends is noted; it is no text itself. */
void value_write(struct json_writer *writer, const struct value *value);
/* The same, members sorted by the bytes of their names: values that are equal but for the spelling of numbers have the
 * same text. */
void value_write_canonical(struct json_writer *writer, const struct value *value);
/* The text alone, heap; NULL when out of memory. */
char *value_json(const struct value *value);
char *value_canonical(const struct value *value);

#endif
