/* The simulated org as a library: what a test program can start, ask and stop. */
#include "tests/org/gzip.h"
#include "tests/org/sim.h"
#include "tests/unit/unit.h"

static struct org_sim *
start(const struct org_sim_options *options)
{
    char why[ORG_SIM_WHY_BYTES] = "";
    struct org_sim *sim = org_sim_start(options, why);

    if (!sim) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return sim;
}

static void
orgs_are_there_as_asked_and_can_be_steered(void)
{
    static const char *const names[] = { "initech" };
    static const char *const custom[] = { "Host_Id__c:40:unique:external" };
    struct org_sim *sim = start(&(struct org_sim_options){ .names = names,
                                                           .name_count = 1,
                                                           .seats = 3,
                                                           .custom_fields = custom,
                                                           .custom_field_count = 1 });
    AUTO_FREE char *ready = org_sim_ready(sim);
    AUTO_FREE char *state = org_sim_state(sim, "initech");
    AUTO_FREE char *made = NULL, *user = NULL, *nobody = NULL;
    int status = 0;

    T_HAS(org_sim_url(sim, "initech"), "http://127.0.0.1:");
    T_TRUE(org_sim_url(sim, "acme") == NULL);
    T_HAS(ready, org_sim_url(sim, "initech"));
    T_TRUE(strstr(ready, "ca_file") == NULL);
    T_HAS(state, "\"provisioned\":0");
    made = org_sim_ask(sim, "initech", "POST", "/__org/users",
                       "{\"Username\":\"ann@initech.example\",\"Host_Id__c\":\"7\"}", &status);
    T_INT(status, 200);
    T_HAS(made, "\"Host_Id__c\":\"7\"");
    user = org_sim_ask(sim, "initech", "GET", "/__org/users/ann@initech.example", NULL, &status);
    T_INT(status, 200);
    T_HAS(user, "\"Host_Id__c\":\"7\"");
    /* the data API wants a session, here as over a connection */
    nobody = org_sim_ask(sim, "initech", "GET", "/services/data/v67.0/limits", NULL, &status);
    T_INT(status, 401);
    T_TRUE(org_sim_ask(sim, "acme", "GET", "/__org/state", NULL, NULL) == NULL);
    org_sim_stop(sim);
}

static void
two_of_them_know_nothing_of_each_other(void)
{
    const struct org_sim_options usual = { .seats = -1 };
    struct org_sim *one = start(&usual), *other = start(&usual);
    static const char ann[] = "{\"Username\":\"ann@acme.example\"}";
    AUTO_FREE char *made = org_sim_ask(one, "acme", "POST", "/__org/users", ann, NULL);
    AUTO_FREE char *as_well = NULL;
    AUTO_FREE char *here = org_sim_state(one, "acme"), *there = org_sim_state(other, "acme");

    T_TRUE(strcmp(org_sim_url(one, "acme"), org_sim_url(other, "acme")) != 0);
    T_HAS(here, "ann@acme.example");
    T_TRUE(strstr(there, "ann@acme.example") == NULL);
    org_sim_stop(one);
    as_well = org_sim_ask(other, "acme", "POST", "/__org/users", ann, NULL);
    T_HAS(as_well, "\"Id\":\"005");
    org_sim_stop(other);
}

static void
what_cannot_be_used_is_named_and_nothing_starts(void)
{
    static const char *const twice[] = { "acme", "acme" }, *const shouted[] = { "ACME" },
                             *const plain[] = { "Badge" };
    static const struct {
        struct org_sim_options options;
        const char *why;
    } wrong[] = {
        { { .names = twice, .name_count = 2, .seats = -1 }, "there is one of that name" },
        { { .names = shouted, .name_count = 1, .seats = -1 }, "small letters" },
        { { .custom_fields = plain, .custom_field_count = 1, .seats = -1 }, "'Badge'" },
        { { .certificate = ORG_SIM_GOOD, .seats = -1 }, "TLS needs a file" },
        { { .certificate = ORG_SIM_GOOD, .ca_file = "/nowhere/ca.pem", .seats = -1 },
          "'/nowhere/ca.pem'" },
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char why[ORG_SIM_WHY_BYTES] = "";
        T_TRUE(org_sim_start(&wrong[i].options, why) == NULL);
        T_HAS(why, wrong[i].why);
    }
}

static void
gzip_is_given_to_who_asks_for_it(void)
{
    static const struct {
        const char *header;
        bool accepted;
    } headers[] = {
        { "gzip", true },
        { "gzip, deflate", true },
        { "deflate;q=0.5,GZIP ;q=0.1", true },
        { "br , gzip;q=1", true },
        { "gzip;q=0", false },
        { "identity", false },
        { "x-gzipped", false },
        { "deflate, gzip2", false },
        { "", false },
        { NULL, false },
        { "gzip; q=0.000", false },
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        T_INT(gzip_is_accepted(headers[i].header), headers[i].accepted);
}

static void
gzip_unpacks_what_it_packed_and_nothing_else(void)
{
    static char long_text[100000];
    AUTO_TEXT struct text whole = { 0 }, cut = { 0 }, bomb = { 0 }, more = { 0 };
    AUTO_FREE char *packed = NULL;
    size_t length;

    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = (char)('a' + i % 7 * (i / 5000) % 26);
    packed = gzip_pack(long_text, sizeof(long_text), &length);
    T_TRUE(length < sizeof(long_text));
    T_TRUE(gzip_unpack(packed, length, sizeof(long_text), &whole));
    T_INT(whole.length, sizeof(long_text));
    T_INT(memcmp(whole.data, long_text, sizeof(long_text)), 0);
    T_TRUE(!gzip_unpack(packed, length - 1, sizeof(long_text), &cut));
    T_TRUE(!gzip_unpack(packed, length, sizeof(long_text) - 1, &bomb));
    T_TRUE(!gzip_unpack("not gzip", 8, 100, &more));
}

static const struct unit_case cases[] = {
    UNIT_CASE(orgs_are_there_as_asked_and_can_be_steered),
    UNIT_CASE(two_of_them_know_nothing_of_each_other),
    UNIT_CASE(what_cannot_be_used_is_named_and_nothing_starts),
    UNIT_CASE(gzip_is_given_to_who_asks_for_it),
    UNIT_CASE(gzip_unpacks_what_it_packed_and_nothing_else),
};

int
main(int argc, char **argv)
{
    return unit_run("org_sim", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
