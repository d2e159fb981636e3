/* Memory, growing text and small conveniences over json-c for the simulated org. It is a test
 * program: when memory runs out it says so and ends, in one place, so that no caller has to ask. */
#ifndef ORG_TEXT_H
#define ORG_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/base/cleanup.h"

/* A zeroed block; never NULL. */
void *text_block(size_t bytes);
/* Like realloc; never NULL. */
void *text_resize(void *block, size_t bytes);
char *text_copy(const char *text);
char *text_format(const char *format, ...) PRINTF_LIKE(1, 2);
/* Heap, ASCII letters lowered. */
char *text_lower(const char *text);
/* Heap, UTF-8 with the letters of every script lowered: equal for texts that SOQL and unique fields
 * take for equal (2.10). */
char *text_fold(const char *text);
/* The character at *at, which moves behind it; bytes that are no UTF-8 one by one. */
uint32_t text_next(const char **at);
/* A letter in lower case. */
uint32_t text_lower_letter(uint32_t code_point);

/* Text that grows; {0} is empty. data is NULL while nothing was added. */
struct text {
    char *data;
    size_t length, room;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_addf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_free(struct text *text);

#define AUTO_TEXT CLEANUP(text_free)

/* Appends one code point as UTF-8. */
void text_add_code_point(struct text *text, uint32_t code_point);

/* Length of UTF-8 text in UTF-16 units. */
size_t text_units(const char *text);

/* ---- json-c ---- */

static inline void
js_cleanup(struct json_object **variable)
{
    json_object_put(*variable);
}

#define AUTO_JS CLEANUP(js_cleanup)

struct json_object *js_object(void);
struct json_object *js_array(void);
struct json_object *js_string(const char *text); /* NULL gives JSON null */
struct json_object *js_double(double number);
/* These take over value. */
void js_put(struct json_object *object, const char *key, struct json_object *value);
void js_append(struct json_object *array, struct json_object *value);
void js_put_text(struct json_object *object, const char *key, const char *text);
void js_put_int(struct json_object *object, const char *key, int64_t number);
void js_put_flag(struct json_object *object, const char *key, bool flag);

/* Borrowed; NULL when absent, null, or of another type. */
struct json_object *js_get(struct json_object *object, const char *key);
const char *js_get_text(struct json_object *object, const char *key);
int64_t js_get_int(struct json_object *object, const char *key, int64_t otherwise);
bool js_get_flag(struct json_object *object, const char *key, bool otherwise);
/* The member whose name is key in any letter case. */
struct json_object *js_get_nocase(struct json_object *object, const char *key);

/* A new value that shares nothing with the old one (scalars only; anything else gives null). */
struct json_object *js_scalar_copy(struct json_object *value);
/* A new object with the same members; the members are shared. */
struct json_object *js_members_copy(struct json_object *object);
/* Heap. */
char *js_text(struct json_object *value);

#endif
