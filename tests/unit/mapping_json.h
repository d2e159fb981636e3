/* JSON in tests of the mapping, written with ' for ", to stay readable. */
#ifndef MAPPING_JSON_H
#define MAPPING_JSON_H

#include "plugin/base/json.h"
#include "schema/mapping.h"
#include "tests/unit/unit.h"

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

#endif
