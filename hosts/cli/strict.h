/* JSON as its standard has it, from json-c, which takes more. */
#ifndef CLI_STRICT_H
#define CLI_STRICT_H

#include <stddef.h>

#include <json-c/json.h>

/*
 * Parses one JSON value at the start of a text that a NUL ends; what stands behind it is not looked at.
 * The caller releases it. *ret_reason says why it is none, in json-c's words, and is NULL when it is one,
 * be it a null; *ret_offset is where it ends, or where it is no JSON.
 */
struct json_object *strict_parse(const char *text, size_t length, const char **ret_reason,
                                 size_t *ret_offset);

#endif
