/*
 * SCIM paths, filters and PATCH by them. Input: a path, and in a second line a JSON value (a string,
 * when there is none). Setting or removing what is set or removed already changes nothing.
 */
#include "tests/fuzz/fuzz.h"

#include "plugin/scim/patch.h"
#include "plugin/scim/path.h"

static const char user[] =
    "{\"userName\":\"a\",\"title\":null,\"active\":true,\"name\":{\"familyName\":\"F\"},\"emails\":"
    "[{\"value\":\"h@x\",\"type\":\"home\"},{\"value\":\"w@x\",\"type\":\"work\",\"primary\":"
    "\"True\"},{\"value\":\"o@x\",\"type\":\"work\",\"rank\":3}],\"roles\":[\"a\",\"b\",7],"
    "\"urn:acme:hr\":{\"badge\":{\"number\":7}},\"x\":[{}],"
    "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"T\","
    "\"manager\":\"26\"}}";

/* The resource after one operation; the caller owns it. NULL: refused. */
static struct json_object *
patched(struct json_object *resource, const char *op, const char *path, struct json_object *value)
{
    AUTO_JSON struct json_object *patch = json_object_new_object();
    AUTO_FREE char *before = json_canonical(resource), *after = NULL;
    struct json_object *operation = json_object_new_object(), *result = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    FUZZ_CHECK(json_put_string(operation, "op", op) == PROV_OK &&
               json_put_string(operation, "path", path) == PROV_OK &&
               json_put(operation, "value", json_ref(value)) == PROV_OK &&
               json_put(patch, "Operations", operation) == PROV_OK);
    code = scim_patch_apply(resource, patch, &result, &err);
    FUZZ_CHECK((code == PROV_OK) == (result != NULL));
    FUZZ_CHECK(code == PROV_OK || strncmp(err.text, "PATCH operation 1", 17) == 0 ||
               strstr(err.text, "too large") || strstr(err.text, "is there twice") ||
               strstr(err.text, "holds a NUL"));
    after = json_canonical(resource);
    FUZZ_CHECK(before && after && strcmp(before, after) == 0);
    return result;
}

static void
check_twice(struct json_object *resource, const char *op, const char *path,
            struct json_object *value)
{
    AUTO_JSON struct json_object *first = patched(resource, op, path, value), *second = NULL;

    if (!first)
        return;
    second = patched(first, op, path, value);
    FUZZ_CHECK(second && json_equal(first, second));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    AUTO_JSON struct json_object *resource = json_tokener_parse(user), *value = NULL;
    CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char *rest = text, *line = fuzz_line(&rest);
    /* on a heap block of its own, so that a read behind it is seen */
    AUTO_FREE char *alone = strdup(line);

    if (scim_path_parse(alone, &path, &err) != PROV_OK) {
        FUZZ_CHECK(!path && strncmp(err.text, "path '", 6) == 0);
        return 0;
    }
    scim_path_get(path, resource);
    scim_path_get(path, NULL);
    if (json_parse(rest, strlen(rest), "the value", &value, NULL) != PROV_OK)
        value = json_object_new_string("z");
    if (!strchr(alone, '['))
        check_twice(resource, "replace", alone, value);
    if (!strchr(alone, '['))
        check_twice(resource, "add", alone, value);
    json_object_put(patched(resource, "replace", alone, value));
    json_object_put(patched(resource, "add", alone, value));
    check_twice(resource, "remove", alone, NULL);
    check_twice(resource, "remove", alone, value);
    return 0;
}
