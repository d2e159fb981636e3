/* value_parse: json-c is the reference for what is JSON, and for what it means. What json-c takes and we do
 * not is told by its reason. */
#include "tests/fuzz/fuzz.h"

#include "plugin/base/value_json.h"

/* Of what json-c takes and JSON, or I-JSON, does not. */
static const char *const our_reasons[] = {
    "stands twice",      "half of a surrogate pair",
    "beyond 64 bits",    "a name with a NUL",
    "control character", "invalid UTF-8",
    "NUL byte",          "neither a string",
    "behind a comma",    "in double quotes",
    "nested deeper",     "something follows",
    "ends too early",
};

static bool
is_ours(const char *error)
{
    for (size_t i = 0; i < sizeof(our_reasons) / sizeof(our_reasons[0]); i++) {
        if (strstr(error, our_reasons[i]))
            return true;
    }
    return false;
}

static bool
parse(const char *text, size_t length, int flags, struct json_object **ret)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    bool reads;

    json_tokener_set_flags(tokener, flags);
    /* with its NUL, for a bare number has no end of its own */
    *ret = json_tokener_parse_ex(tokener, text, (int)length + 1);
    reads = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    return reads;
}

/* As json-c reads it in its strict mode, which in 0.18 takes bytes above 0x7f for control characters; NULL:
 * null, or it is none. */
static bool
json_c_reads(const char *text, size_t length, struct json_object **ret)
{
    AUTO_JSON struct json_object *judged = NULL;
    AUTO_FREE char *ascii = fuzz_text((const uint8_t *)text, length);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            ascii[i] = 'x';
    }
    return parse(ascii, length, JSON_TOKENER_STRICT, &judged) && parse(text, length, 0, ret);
}

static void
compare(struct pool *pool, const struct value *value, struct json_object *json)
{
    AUTO_FREE char *text = value_json(value), *canonical = value_canonical(value);
    AUTO_FREE char *json_plain = json_text(json), *json_sorted = json_canonical(json);
    AUTO_JSON struct json_object *converted = NULL;
    struct value *second = NULL, *back = NULL, *copy = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    FUZZ_CHECK(text && json_plain && strcmp(text, json_plain) == 0);
    FUZZ_CHECK(strcmp(text, json_borrow_text(json)) == 0);
    FUZZ_CHECK(canonical && json_sorted && strcmp(canonical, json_sorted) == 0);
    FUZZ_CHECK(value_parse(pool, text, strlen(text), "it", &second, &err) == PROV_OK);
    FUZZ_CHECK(value_equal(value, second));
    FUZZ_CHECK(json_from_value(value, &converted) == PROV_OK && json_equal(json, converted));
    FUZZ_CHECK(value_from_json(pool, json, &back) == PROV_OK && value_equal(value, back));
    FUZZ_CHECK(value_copy(pool, value, &copy) == PROV_OK && value_equal(value, copy));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    AUTO_JSON struct json_object *json = NULL;
    AUTO_POOL struct pool pool = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct value *value = NULL;
    int r = value_parse(&pool, text, size, "it", &value, &err);
    bool reads = json_c_reads(text, size, &json);

    if (r) {
        FUZZ_CHECK(!value && err.code != PROV_OK && strncmp(err.text, "it ", 3) == 0);
        FUZZ_CHECK(!reads || size == 0 || is_ours(err.text));
        return 0;
    }
    FUZZ_CHECK(reads);
    /* json-c (0.16) takes escaped characters such as U+1DA00 for halves of a pair, and replaces them */
    if (!strstr(json_borrow_text(json), "\xEF\xBF\xBD"))
        compare(&pool, value, json);
    return 0;
}
