/* JSON at the edges: strict parsing of text from outside, and small conveniences over json-c. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/error.h"

#define JSON_MAX_DEPTH 32

static inline void
json_cleanup(struct json_object **variable)
{
    json_object_put(*variable);
}

/* AUTO_JSON struct json_object *value = NULL; drops one reference at the end of the scope. */
#define AUTO_JSON CLEANUP(json_cleanup)

/* Another reference (json-c calls it get, which reads like a look-up). */
#define json_ref json_object_get

/*
 * Parses one JSON value: the grammar of RFC 8259 within the bounds of I-JSON (RFC 7493), so that
 * nothing is changed in silence: well-formed UTF-8, no half surrogate pair, no name twice in one
 * object and none with a NUL in it, integers of at most 64 bits. At most JSON_MAX_DEPTH arrays and
 * objects inside each other, nothing after the value. A string may hold NUL (from \u0000): look at
 * its length where that matters. `what` names the text in the error, which
 * gives line and column. PROV_E_INVALID, PROV_E_LIMIT (too deep), PROV_E_NOMEM.
 */
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
