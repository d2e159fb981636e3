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

/* The resource after one operation, in the pool. NULL: refused. */
static struct value *
patched(struct pool *pool, struct value *resource, const char *op, const char *path,
        struct value *value)
{
    AUTO_FREE char *before = value_canonical(resource), *after = NULL;
    struct value *patch = value_object(pool), *operation = value_object(pool), *result = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    FUZZ_CHECK(value_put_text(pool, operation, "op", op) == PROV_OK &&
               value_put_text(pool, operation, "path", path) == PROV_OK &&
               value_put(pool, operation, "value", value) == PROV_OK &&
               value_put(pool, patch, "Operations", operation) == PROV_OK);
    code = scim_patch_apply(pool, resource, patch, &result, &err);
    FUZZ_CHECK((code == PROV_OK) == (result != NULL));
    FUZZ_CHECK(code == PROV_OK || strncmp(err.text, "PATCH operation 1", 17) == 0 ||
               strstr(err.text, "too large") || strstr(err.text, "is there twice") ||
               strstr(err.text, "holds a NUL"));
    after = value_canonical(resource);
    FUZZ_CHECK(before && after && strcmp(before, after) == 0);
    return result;
}

static void
check_twice(struct pool *pool, struct value *resource, const char *op, const char *path,
            struct value *value)
{
    struct value *first = patched(pool, resource, op, path, value), *second;

    if (!first)
        return;
    second = patched(pool, first, op, path, value);
    FUZZ_CHECK(second && value_equal(first, second));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    AUTO_POOL struct pool pool = { 0 };
    struct value *resource = NULL, *value = NULL;
    CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char *rest = text, *line = fuzz_line(&rest);
    /* on a heap block of its own, so that a read behind it is seen */
    AUTO_FREE char *alone = strdup(line);

    FUZZ_CHECK(value_parse(&pool, user, sizeof(user) - 1, "it", &resource, NULL) == PROV_OK);
    if (scim_path_parse(alone, &path, &err) != PROV_OK) {
        FUZZ_CHECK(!path && strncmp(err.text, "path '", 6) == 0);
        return 0;
    }
    scim_path_get(path, resource);
    scim_path_get(path, NULL);
    if (value_parse(&pool, rest, strlen(rest), "the value", &value, NULL) != PROV_OK)
        value = value_string(&pool, "z");
    if (!strchr(alone, '['))
        check_twice(&pool, resource, "replace", alone, value);
    if (!strchr(alone, '['))
        check_twice(&pool, resource, "add", alone, value);
    patched(&pool, resource, "replace", alone, value);
    patched(&pool, resource, "add", alone, value);
    check_twice(&pool, resource, "remove", alone, NULL);
    check_twice(&pool, resource, "remove", alone, value);
    return 0;
}
