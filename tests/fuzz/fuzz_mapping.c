/* Attribute mapping. Input: [rules, resource]. A resource gives the same fields each time, each a
 * value that Salesforce's JSON can hold, and the trace tells of every one. */
#include "tests/fuzz/fuzz.h"

#include "plugin/base/value_json.h"
#include "schema/mapping.h"

static const struct mapping_defaults defaults = { "Europe/Paris", "fr_FR", "fr", "UTF-8" };

static void
check_fields(struct pool *pool, struct value *fields, struct value *trace)
{
    AUTO_FREE char *text = value_json(fields);
    struct prov_error err = PROV_ERROR_INIT;
    struct value *again = NULL;

    FUZZ_CHECK(value_is(fields, VALUE_OBJECT));
    FUZZ_CHECK(value_is(trace, VALUE_ARRAY));
    VALUE_EACH(fields, member)
    {
        FUZZ_CHECK(*member->name);
        FUZZ_CHECK(value_is_scalar(member->value) && !value_has_nul(member->value));
    }
    FUZZ_CHECK(value_count(trace) >= value_count(fields));
    FUZZ_CHECK(text && value_parse(pool, text, strlen(text), "the fields", &again, &err) == 0);
    FUZZ_CHECK(value_equal(fields, again));
}

static void
check_apply(const struct mapping *mapping, struct json_object *json, bool creating)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *resource = NULL, *fields = NULL, *trace = NULL, *again = NULL;
    AUTO_FREE char *before = json_canonical(json), *after = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code = value_from_json(&pool, json, &resource);

    FUZZ_CHECK(code == PROV_OK);
    code = mapping_apply(&pool, mapping, resource, creating, &fields, &trace, &err);
    after = value_canonical(resource);
    FUZZ_CHECK(before && after && strcmp(before, after) == 0);
    FUZZ_CHECK(mapping_apply(&pool, mapping, resource, creating, &again, NULL, NULL) == code);
    if (code != PROV_OK) {
        FUZZ_CHECK(!fields && strlen(err.text) > 10);
        return;
    }
    FUZZ_CHECK(value_equal(fields, again));
    check_fields(&pool, fields, trace);
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
