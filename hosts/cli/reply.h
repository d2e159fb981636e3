/* Reading the plugin's JSON answers, and making requests: borrowed values, and a safe one when a
 * member is missing, because a newer or older plugin may say more or less. */
#ifndef CLI_REPLY_H
#define CLI_REPLY_H

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static inline struct json_object *
reply_get(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

/* NULL when absent or null. */
static inline const char *
reply_text(struct json_object *object, const char *key)
{
    struct json_object *value = reply_get(object, key);

    return value ? json_object_get_string(value) : NULL;
}

/* "" when absent or null. */
static inline const char *
reply_word(struct json_object *object, const char *key)
{
    const char *text = reply_text(object, key);

    return text ? text : "";
}

static inline int64_t
reply_number(struct json_object *object, const char *key)
{
    struct json_object *value = reply_get(object, key);

    return value ? json_object_get_int64(value) : 0;
}

static inline bool
reply_flag(struct json_object *object, const char *key)
{
    struct json_object *value = reply_get(object, key);

    return value && json_object_get_boolean(value);
}

/* 0 when absent or no array. */
static inline size_t
reply_count(struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static inline struct json_object *
reply_item(struct json_object *array, size_t index)
{
    return index < reply_count(array) ? json_object_array_get_idx(array, index) : NULL;
}

/* Adds and takes over value; drops it when that fails: the request then says less and is refused. */
static inline void
reply_put(struct json_object *object, const char *key, struct json_object *value)
{
    if (!object || json_object_object_add(object, key, value))
        json_object_put(value);
}

static inline void
reply_put_text(struct json_object *object, const char *key, const char *value)
{
    reply_put(object, key, value ? json_object_new_string(value) : NULL);
}

/* A duration for machines, to the millisecond; NULL when out of memory. */
static inline struct json_object *
reply_seconds(int64_t microseconds)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64 ".%03d", microseconds / 1000000,
             (int)(microseconds % 1000000 / 1000));
    return json_object_new_double_s((double)microseconds / 1e6, text);
}

#endif
