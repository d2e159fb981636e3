/* json_parse: what is read can be written and read again as the same value, within its bounds. */
#include "tests/fuzz/fuzz.h"

#include "plugin/base/json.h"

static int
depth_of(struct json_object *value)
{
    int deepest = 0;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            int depth = depth_of(json_object_array_get_idx(value, i));
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    if (!json_object_is_type(value, json_type_object))
        return 0;
    json_object_object_foreach(value, name, member)
    {
        int depth = depth_of(member);
        (void)name;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *copy = fuzz_text(data, size), *text = NULL, *canonical = NULL, *again = NULL;
    AUTO_JSON struct json_object *value = NULL, *second = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    if (json_parse(copy, size, "it", &value, &err) != PROV_OK) {
        FUZZ_CHECK(!value && err.code != PROV_OK && strncmp(err.text, "it ", 3) == 0);
        return 0;
    }
    FUZZ_CHECK(depth_of(value) <= JSON_MAX_DEPTH);
    text = json_text(value);
    FUZZ_CHECK(text && strcmp(text, json_borrow_text(value)) == 0);
    FUZZ_CHECK(text && json_parse(text, strlen(text), "it", &second, &err) == PROV_OK);
    FUZZ_CHECK(json_equal(value, second));
    canonical = json_canonical(value);
    again = json_canonical(second);
    FUZZ_CHECK(canonical && again && strcmp(canonical, again) == 0);
    return 0;
}
