/* JSON values of tests, which live until the program ends. */
#ifndef TESTS_VALUES_H
#define TESTS_VALUES_H

#include "plugin/base/value_json.h"
#include "tests/unit/unit.h"

static struct pool test_values;

static inline struct value *
value_of(const char *text)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct value *value = NULL;

    T_OK(value_parse(&test_values, text, strlen(text), "the test's JSON", &value, &err), &err);
    return value;
}

/* The same value as one of json-c's has. */
static inline struct value *
value_like(struct json_object *json)
{
    struct value *value = NULL;

    T_INT(value_from_json(&test_values, json, &value), PROV_OK);
    return value;
}

#endif
