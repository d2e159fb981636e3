/*
 * Addresses, as an admin types them and as a token reply names them. Input: any text. What is taken is
 * Salesforce's or this machine, stays the same when it is read again, and reads alike in both parsers.
 */
#include "tests/fuzz/fuzz.h"

#include "plugin/salesforce/address.h"
#include "schema/address.h"

typedef bool (*reader)(const char *, const char *, struct fault_list *, struct address *);

/* What one reader makes of the text; NULL: refused. Heap. */
static char *
read_by(reader read, const char *text, struct address *facts)
{
    AUTO_JSON struct json_object *array = json_object_new_array();
    struct fault_list faults = { .array = array };
    struct address address = { 0 };
    bool taken = read(text, "field", &faults, &address);

    FUZZ_CHECK(taken == (json_object_array_length(array) == 0));
    FUZZ_CHECK(taken == (address.origin != NULL));
    *facts = address;
    return address.origin;
}

static bool
read_login(const char *text, const char *field, struct fault_list *faults, struct address *ret)
{
    return address_of_login(text, "https://acme.my.salesforce.mil", field, faults, ret);
}

static void
check_reader(reader read, const char *text, const char *path)
{
    struct address facts, again;
    struct http_origin parsed;
    char whole[2048];
    char *origin = read_by(read, text, &facts), *same;

    if (!origin)
        return;
    FUZZ_CHECK(http_origin_parse(origin, &parsed, NULL) == PROV_OK);
    FUZZ_CHECK(!parsed.has_path && parsed.loopback == facts.loopback);
    FUZZ_CHECK(facts.loopback || ((facts.login_host || address_is_salesforce(parsed.host)) &&
                                  parsed.port == 443 && strcmp(parsed.scheme, "https") == 0));
    FUZZ_CHECK(!facts.login_host || strncmp(parsed.host, "login.", 6) == 0 ||
               strncmp(parsed.host, "test.", 5) == 0);
    snprintf(whole, sizeof(whole), "%s%s", origin, path);
    same = read_by(read, whole, &again);
    FUZZ_CHECK(same && strcmp(same, origin) == 0);
    free(same);
    free(origin);
}

/* What a token reply names is followed to Salesforce only. */
static void
check_instance(const char *text)
{
    struct http_origin org, instance;

    FUZZ_CHECK(http_origin_parse("https://acme.my.salesforce.com", &org, NULL) == PROV_OK);
    if (http_origin_parse(text, &instance, NULL) != PROV_OK ||
        !address_is_trusted(&org, &instance, "gw.acme.com"))
        return;
    FUZZ_CHECK(strcmp(instance.scheme, "https") == 0 && instance.port == 443 &&
               !instance.loopback && !instance.has_path);
    FUZZ_CHECK(address_is_salesforce(instance.host) || strcmp(instance.host, "gw.acme.com") == 0);
    FUZZ_CHECK(!strpbrk(text, "@\\%"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size <= 1000 ? fuzz_text(data, size) : NULL;

    if (!text)
        return 0;
    check_reader(address_of_org, text, "");
    check_reader(read_login, text, "");
    check_reader(address_of_token, text, TOKEN_PATH);
    check_instance(text);
    free(text);
    return 0;
}
