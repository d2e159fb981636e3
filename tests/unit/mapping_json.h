/* JSON in tests of the mapping, written with ' for ", to stay readable. */
#ifndef MAPPING_JSON_H
#define MAPPING_JSON_H

#include "plugin/base/json.h"
#include "schema/mapping.h"
#include "tests/unit/values.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* JSON written with ' for ". NULL, with a failed check, when it is not JSON. */
static inline struct json_object *
json(const char *quoted)
{
    AUTO_FREE char *text = strdup(quoted);
    struct json_object *value = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    for (char *c = text; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    T_OK(json_parse(text, strlen(text), "the test's JSON", &value, &err), &err);
    return value;
}

/* The same as a value of ours. */
static inline struct value *
value_quoted(const char *quoted)
{
    AUTO_JSON struct json_object *parsed = json(quoted);

    return value_like(parsed);
}

/* mapping_apply() of a resource of json-c's. */
static inline int
apply_mapping(const struct mapping *mapping, struct json_object *resource, bool creating,
              struct json_object **ret_fields, struct json_object **ret_trace,
              struct prov_error *err)
{
    struct value *fields = NULL, *trace = NULL;
    int r =
        mapping_apply(&test_values, mapping, value_like(resource), creating, &fields, &trace, err);

    T_INT(json_from_value(fields, ret_fields), PROV_OK);
    T_INT(json_from_value(trace, ret_trace), PROV_OK);
    return r;
}

#endif
