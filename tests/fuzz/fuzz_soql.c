/* SOQL of the simulated org: parsed and run over a few users, or refused with a code and the place;
 * never read beyond its end. */
#include "tests/fuzz/fuzz.h"

#include "tests/org/org.h"
#include "tests/org/soql.h"

static int64_t
now_ms(void)
{
    return 1795357043119; /* 2026-11-22 */
}

/* One org for all inputs: queries change nothing. */
static struct org *
org_of_some(void)
{
    static struct world *world;
    static struct org *org;

    if (!world) {
        world = world_new("client", "secret", 100);
        FUZZ_CHECK(world);
        world->now_ms = now_ms;
        org = world_add_org(world, "acme");
    }
    return org;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct soql *soql = NULL;
    struct refusal refusal = { 0 };
    struct query_result result = { 0 };
    bool parsed = soql_parse(text, now_ms(), &soql, &refusal);

    FUZZ_CHECK(parsed == (soql != NULL));
    FUZZ_CHECK(parsed || (*refusal.code && *refusal.message));
    soql_free(soql);
    refusal = (struct refusal){ 0 };
    if (soql_run(org_of_some(), text, "v67.0", size % 2 == 0, &result, &refusal)) {
        FUZZ_CHECK(parsed && json_object_is_type(result.records, json_type_array));
        json_object_put(result.records);
    } else {
        FUZZ_CHECK(*refusal.code && *refusal.message);
    }
    free(text);
    return 0;
}
