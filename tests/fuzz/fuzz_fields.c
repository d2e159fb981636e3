/* Connector fields: they are taken, or every fault is named; a secret is shown in neither. */
#include "tests/fuzz/fuzz.h"

#include "schema/fields.h"

/* Whether the value of the secret stands in what is shown; only asked where it stands nowhere else
 * in the input, and is long enough not to be there by chance. */
static void
check_secret(const char *input, struct json_object *shown)
{
    AUTO_JSON struct json_object *root = json_tokener_parse(input);
    AUTO_FREE char *secret = NULL, *rest = NULL, *text = shown ? json_text(shown) : NULL;
    struct json_object *value = json_get(root, "client_secret");

    if (!text || !json_object_is_type(value, json_type_string) ||
        json_object_get_string_len(value) < 8)
        return;
    secret = json_text(value);
    json_object_object_del(root, "client_secret");
    rest = json_text(root);
    FUZZ_CHECK(secret && rest);
    secret[strlen(secret) - 1] = '\0'; /* without its quotes */
    if (!strstr(rest, secret + 1))
        FUZZ_CHECK(!strstr(text, secret + 1));
}

static void
check_list(struct json_object *list)
{
    FUZZ_CHECK(json_object_is_type(list, json_type_array));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *entry = json_object_array_get_idx(list, i);
        FUZZ_CHECK(json_get_string(entry, "field") && json_get_string(entry, "reason") &&
                   json_get_string(entry, "remedy"));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    AUTO_JSON struct json_object *warnings = NULL, *faults = NULL, *effective = NULL;
    CLEANUP(fields_cleanup) struct fields *fields = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    if (fields_parse(text, size, &fields, &warnings, &faults, &err) != PROV_OK) {
        FUZZ_CHECK(!fields && err.code == PROV_E_FIELDS && strlen(err.text) > 10);
        check_list(faults);
        FUZZ_CHECK(json_object_array_length(faults) > 0);
        check_secret(text, faults);
        return 0;
    }
    check_list(warnings);
    check_secret(text, warnings);
    FUZZ_CHECK(fields->pattern && fields->mapping);
    FUZZ_CHECK(fields_effective(fields, &effective, &err) == PROV_OK);
    check_secret(text, effective);
    return 0;
}
