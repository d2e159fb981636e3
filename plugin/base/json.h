/* JSON at the edges: what is read seldom, and documents for the host; small conveniences over json-c. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/error.h"
#include "plugin/base/value.h"

static inline void
json_cleanup(struct json_object **variable)
{
    json_object_put(*variable);
}

/* AUTO_JSON struct json_object *value = NULL; drops one reference at the end of the scope. */
#define AUTO_JSON CLEANUP(json_cleanup)

/* Wipes all texts in the value, spellings of numbers and names of members too, whoever else refers to them; it is of
 * no use then but to be given back. NULL is allowed. */
void json_wipe(struct json_object *value);

/* Another reference (json-c calls it get, which reads like a look-up). */
#define json_ref json_object_get

/* Reads one JSON value as value_parse() does (value.h). */
MUST_CHECK int json_parse(const char *text, size_t length, const char *what,
                          struct json_object **ret, struct prov_error *err);

/* Same value with keys sorted by bytes and no white space; heap, NULL when out of memory. Two
 * values that differ only in the order of keys have the same canonical text. */
char *json_canonical(struct json_object *value);

/* Plain text of a value, heap, NULL when out of memory. */
char *json_text(struct json_object *value);

/* The same without a copy: borrowed until the value is changed, freed or written again. */
const char *json_borrow_text(struct json_object *value);

/* Borrowed. NULL when absent (or of another type, for the typed ones). */
struct json_object *json_get(struct json_object *object, const char *key);
const char *json_get_string(struct json_object *object, const char *key);
int64_t json_get_int(struct json_object *object, const char *key, int64_t otherwise);
bool json_get_bool(struct json_object *object, const char *key, bool otherwise);

/* The member whose name equals key without regard to ASCII case (RFC 7643 2.1), and the name as
 * spelled there (ret_name may be NULL). */
struct json_object *json_get_nocase(struct json_object *object, const char *key,
                                    const char **ret_name);

/* Same value; objects without regard to order of keys, numbers by value. */
bool json_equal(struct json_object *a, struct json_object *b);

/* Adds and takes over value, also on failure; string NULL adds nothing. 0, or PROV_E_NOMEM, also
 * when `object` (or `array`) is NULL, so that a failed allocation may be noticed here. */
int json_append(struct json_object *array, struct json_object *value);
int json_append_string(struct json_object *array, const char *value);
int json_put(struct json_object *object, const char *key, struct json_object *value);
int json_put_string(struct json_object *object, const char *key, const char *value);
int json_put_int(struct json_object *object, const char *key, int64_t value);
int json_put_bool(struct json_object *object, const char *key, bool value);

#endif
