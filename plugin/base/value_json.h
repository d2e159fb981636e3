/* Between our values (value.h) and json-c's (json.h), which hold configuration, Salesforce's answers and
 * documents for the host. */
#ifndef BASE_VALUE_JSON_H
#define BASE_VALUE_JSON_H

#include "plugin/base/json.h"
#include "plugin/base/value.h"

/* A copy in the other form; NULL is null in both. 0, or PROV_E_NOMEM. The caller owns *ret of the first. */
MUST_CHECK int json_from_value(const struct value *value, struct json_object **ret);
MUST_CHECK int value_from_json(struct pool *pool, struct json_object *json, struct value **ret);

#endif
