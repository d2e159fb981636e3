/* Attribute mapping. Input: [rules, resource]. A resource gives the same fields each time, each a
 * value that Salesforce's JSON can hold, and the trace tells of every one. */
#include "tests/fuzz/fuzz.h"

#include "schema/mapping.h"

static const struct mapping_defaults defaults = { "Europe/Paris", "fr_FR", "fr", "UTF-8" };

static void
check_fields(struct json_object *fields, struct json_object *trace)
{
    AUTO_FREE char *text = json_text(fields);
    AUTO_JSON struct json_object *again = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    FUZZ_CHECK(json_object_is_type(fields, json_type_object));
    FUZZ_CHECK(json_object_is_type(trace, json_type_array));
    json_object_object_foreach(fields, name, value)
    {
        FUZZ_CHECK(*name);
        FUZZ_CHECK(!json_object_is_type(value, json_type_array) &&
                   !json_object_is_type(value, json_type_object));
        if (json_object_is_type(value, json_type_string))
            FUZZ_CHECK(!memchr(json_object_get_string(value), '\0',
                               (size_t)json_object_get_string_len(value)));
    }
    FUZZ_CHECK(json_object_array_length(trace) >= (size_t)json_object_object_length(fields));
    FUZZ_CHECK(text && json_parse(text, strlen(text), "the fields", &again, &err) == PROV_OK);
    FUZZ_CHECK(json_equal(fields, again));
}

static void
check_apply(const struct mapping *mapping, struct json_object *resource, bool creating)
{
    AUTO_JSON struct json_object *fields = NULL, *trace = NULL, *again = NULL;
    AUTO_FREE char *before = json_canonical(resource), *after = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code = mapping_apply(mapping, resource, creating, &fields, &trace, &err);

    after = json_canonical(resource);
    FUZZ_CHECK(before && after && strcmp(before, after) == 0);
    FUZZ_CHECK(mapping_apply(mapping, resource, creating, &again, NULL, NULL) == code);
    if (code != PROV_OK) {
        FUZZ_CHECK(!fields && strlen(err.text) > 10);
        return;
    }
    FUZZ_CHECK(json_equal(fields, again));
    check_fields(fields, trace);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    AUTO_JSON struct json_object *input = NULL, *faults = json_object_new_array();
    CLEANUP(mapping_cleanup) struct mapping *mapping = NULL;
    struct json_object *rules, *resource;
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    if (json_parse(text, size, "the input", &input, NULL) != PROV_OK ||
        !json_object_is_type(input, json_type_array) || json_object_array_length(input) != 2)
        return 0;
    rules = json_object_array_get_idx(input, 0);
    resource = json_object_array_get_idx(input, 1);
    code = mapping_compile(rules, &defaults, faults, &mapping, &err);
    FUZZ_CHECK((code == PROV_OK) == (json_object_array_length(faults) == 0));
    if (code != PROV_OK) {
        FUZZ_CHECK(!mapping && code == PROV_E_FIELDS);
        return 0;
    }
    check_apply(mapping, resource, true);
    check_apply(mapping, resource, false);
    return 0;
}
