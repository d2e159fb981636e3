/*
 * Provisioning patterns and usernames. Input, a line each: pattern, separator, domain, user name,
 * user domain, tenant domain, identity provider. What is explained is what is rendered, and the
 * username check says of every text the same each time.
 */
#include "tests/fuzz/fuzz.h"

#include "patterns/pattern.h"
#include "patterns/username.h"

static void
check_username(const char *name)
{
    struct prov_error first = PROV_ERROR_INIT, second = PROV_ERROR_INIT;
    int code = username_check(name, &first);
    size_t characters = 0;

    FUZZ_CHECK(username_check(name, &second) == code && strcmp(first.text, second.text) == 0);
    FUZZ_CHECK(username_equal(name, name));
    if (code != PROV_OK) {
        FUZZ_CHECK(strlen(first.text) > 10);
        return;
    }
    for (const char *c = name; *c; c++)
        characters += ((unsigned char)*c & 0xC0) != 0x80;
    FUZZ_CHECK(characters <= USERNAME_MAX_CHARACTERS);
    FUZZ_CHECK(strchr(name, '@') && strchr(name, '@') == strrchr(name, '@'));
}

static void
check_explained(const struct pattern *pattern, const struct pattern_user *user, const char *name)
{
    struct pattern_segment segments[PATTERN_MAX_SEGMENTS];
    char buffer[PATTERN_MAX_BYTES];
    size_t count = 0, at = 0;

    FUZZ_CHECK(pattern_explain(pattern, user, buffer, sizeof(buffer), segments, &count, NULL) ==
               PROV_OK);
    FUZZ_CHECK(strcmp(buffer, name) == 0 && count <= PATTERN_MAX_SEGMENTS);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(segments[i].start == at && segments[i].length > 0);
        FUZZ_CHECK(*segments[i].source && *segments[i].origin);
        at += segments[i].length;
    }
    FUZZ_CHECK(at == strlen(name));
}

/* A buffer that just fits takes it, one byte less does not; both on the heap. */
static void
check_room(const struct pattern *pattern, const struct pattern_user *user, const char *name)
{
    size_t room = strlen(name) + 1, length = 0;
    AUTO_FREE char *exact = malloc(room), *small = malloc(room);

    FUZZ_CHECK(exact && small);
    FUZZ_CHECK(pattern_render(pattern, user, exact, room, &length, NULL) == PROV_OK);
    FUZZ_CHECK(strcmp(exact, name) == 0 && length == room - 1);
    FUZZ_CHECK(pattern_render(pattern, user, small, room - 1, &length, NULL) == PROV_E_LIMIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    char *rest = text, name[PATTERN_MAX_BYTES];
    struct pattern_settings settings = { .pattern = fuzz_line(&rest),
                                         .separator = fuzz_line(&rest),
                                         .domain = fuzz_line(&rest) };
    struct pattern_user user = { .entity_name = fuzz_line(&rest),
                                 .user_domain = fuzz_line(&rest),
                                 .tenant_domain = fuzz_line(&rest),
                                 .identity_provider = fuzz_line(&rest) };
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    enum pattern_setting fault = PATTERN_SETTING_PATTERN;
    struct prov_error err = PROV_ERROR_INIT;
    size_t length = 0;

    check_username(user.entity_name);
    if (pattern_compile(&settings, &pattern, &fault, &err) != PROV_OK) {
        FUZZ_CHECK(!pattern && fault <= PATTERN_SETTING_DOMAIN && strlen(err.text) > 10);
        return 0;
    }
    if (pattern_render(pattern, &user, name, sizeof(name), &length, &err) != PROV_OK) {
        FUZZ_CHECK(strlen(err.text) > 10);
        return 0;
    }
    FUZZ_CHECK(strlen(name) == length);
    check_username(name);
    check_explained(pattern, &user, name);
    check_room(pattern, &user, name);
    return 0;
}
