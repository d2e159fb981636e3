/* The pattern engine against every vector of the fact sheet, what it refuses and how it says so.
 * What holds for any bytes is in test_patterns_properties.c. */
#include <locale.h>

#include "patterns/pattern.h"
#include "patterns/username.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum verdict {
    REPRODUCES,
    DIFFERS
};

struct vector {
    const char *id, *entity, *pattern, *separator, *domain, *identity_provider, *tenant;
    enum verdict verdict;
    const char *wso2;    /* NULL: an exception */
    const char *ours;    /* NULL: refused when the fields are validated */
    const char *refusal; /* part of what pattern_compile() or username_check() says, or NULL */
};

#define SF "salesforce"

/* Fact sheet of the connectors, section (b); E: differences that no vector there shows. */
static const struct vector vectors[] = {
    { "D1", "user@provisioning.com", "{UD, UN, TD, IDP}", "-", NULL, SF, NULL, REPRODUCES,
      "primary-user@provisioning.com-carbon.super-salesforce",
      "primary-user@provisioning.com-carbon.super-salesforce", NULL },
    { "D2", "user@provisioning.com", "{UN, UD, TD, IDP}", "-", NULL, SF, NULL, REPRODUCES,
      "user@provisioning.com-primary-carbon.super-salesforce",
      "user@provisioning.com-primary-carbon.super-salesforce", NULL },
    { "D3", "testUser", "{UN,TD}", "_", "testmail.com", SF, "TestTenant.com", REPRODUCES,
      "testuser_testtenant.com@testmail.com", "testuser_testtenant.com@testmail.com", NULL },
    { "D4", "alex", "{UD,UN,TD,IDP}", "-", "abc.com", SF, NULL, REPRODUCES,
      "primary-alex-carbon.super-salesforce@abc.com",
      "primary-alex-carbon.super-salesforce@abc.com", NULL },
    { "D5", "alex", "{UD,UN,TD,IDP}", "-", "abc.com", "salesforce provisioning", NULL, REPRODUCES,
      "primary-alex-carbon.super-salesforce provisioning@abc.com",
      "primary-alex-carbon.super-salesforce provisioning@abc.com", "a blank at position 37" },
    { "D6", "usernetityname", "{UN}", NULL, NULL, "testIdP", NULL, REPRODUCES, "usernetityname",
      "usernetityname", "no '@'; set a provisioning domain" },
    { "S1", "user@provisioning.com", "{UD,UN,TD,IDP}", "-", "primary.com", SF, NULL, REPRODUCES,
      "primary-user.provisioning.com-carbon.super-salesforce@primary.com",
      "primary-user.provisioning.com-carbon.super-salesforce@primary.com", NULL },
    { "S2", "SECONDARY/John", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES,
      "secondary-john@acme.com", "secondary-john@acme.com", NULL },
    { "S3", "PRIMARY/John", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES,
      "primary-john@acme.com", "primary-john@acme.com", NULL },
    { "S4", "/john", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES, "primary-john@acme.com",
      "primary-john@acme.com", NULL },
    { "S5", "A/B/C", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES, "a-b/c@acme.com",
      "a-b/c@acme.com", NULL },
    { "S6", "john", NULL, "", "acme.com", SF, NULL, REPRODUCES, "john@acme.com", "john@acme.com",
      NULL },
    { "S7", "john", "{UN}", " ", "acme.com", SF, NULL, REPRODUCES, "john@acme.com", "john@acme.com",
      NULL },
    { "S8", "john@acme.com", "{UN}", "_", "acme.com", SF, NULL, REPRODUCES, "john@acme.com",
      "john@acme.com", NULL },
    { "S9", "john@notacme.com", "{UN}", "_", "acme.com", SF, NULL, DIFFERS, "john@notacme.com",
      "john.notacme.com@acme.com", NULL },
    { "S10", "johnacme.com", "{UN}", "_", "acme.com", SF, NULL, DIFFERS, "johnacme.com",
      "johnacme.com@acme.com", NULL },
    { "S11", "john@ACME.com", "{UN}", "_", "acme.com", SF, NULL, REPRODUCES, "john@acme.com",
      "john@acme.com", NULL },
    { "S12", "john@acme.com", "{UN}", "_", "ACME.com", SF, NULL, DIFFERS, "john.acme.com@ACME.com",
      "john@acme.com", NULL },
    { "S13", "john", "{UN}", "_", "@acme.com", SF, NULL, DIFFERS, "john@@acme.com", NULL,
      "'@' at position 1; the '@' is put before it anyway: write 'acme.com'" },
    { "S14", "john", "{UN,TD}", ".", "acme.com", SF, NULL, DIFFERS, "john.@acme.com",
      "john.carbonsuper@acme.com", NULL },
    { "S15", "john", "{UD,UN,TD,IDP}", ".", "acme.com", SF, NULL, DIFFERS, "john..@acme.com",
      "primary.john.carbonsuper.salesforce@acme.com", NULL },
    { "S16 +", "john", "{UN,TD}", "+", "acme.com", SF, NULL, DIFFERS, NULL,
      "john+carbon.super@acme.com", NULL },
    { "S16 *", "john", "{UN,TD}", "*", "acme.com", SF, NULL, DIFFERS, NULL,
      "john*carbon.super@acme.com", NULL },
    { "S16 ?", "john", "{UN,TD}", "?", "acme.com", SF, NULL, DIFFERS, NULL,
      "john?carbon.super@acme.com", NULL },
    { "S16 (", "john", "{UN,TD}", "(", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "separator '(' has a character at position 1" },
    { "S16 \\", "john", "{UN,TD}", "\\", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "separator '\\' has a character at position 1" },
    { "S17 $", "john", "{UN,TD}", "$", "acme.com", SF, NULL, REPRODUCES,
      "john$carbon.super@acme.com", "john$carbon.super@acme.com", NULL },
    { "S17 ^", "john", "{UN,TD}", "^", "acme.com", SF, NULL, REPRODUCES,
      "john^carbon.super@acme.com", "john^carbon.super@acme.com", NULL },
    { "S17 |", "john", "{UN,TD}", "|", "acme.com", SF, NULL, REPRODUCES,
      "john|carbon.super@acme.com", "john|carbon.super@acme.com", NULL },
    { "S17 $ in the tenant", "john", "{UN,TD}", "$", "acme.com", SF, "a$b.com", DIFFERS,
      "john$a$b.com@acme.com", "john$ab.com@acme.com", NULL },
    { "S18", "john-doe", "{UD,UN,IDP}", "-", "acme.com", "sales-force", NULL, REPRODUCES,
      "primary-john-doe-salesforce@acme.com", "primary-john-doe-salesforce@acme.com", NULL },
    { "S19", "a_b", "{UN,TD}", "_", "acme.com", SF, "c.com", REPRODUCES, "a_b_c.com@acme.com",
      "a_b_c.com@acme.com", NULL },
    { "S20", "a", "{UN,TD}", "_", "acme.com", SF, "b_c.com", REPRODUCES, "a_bc.com@acme.com",
      "a_bc.com@acme.com", NULL },
    { "S21 {un}", "john", "{un}", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "unknown key 'un' at position 2; the keys are UD, UN, TD and IDP, in capitals" },
    { "S21 {XX}", "john", "{XX}", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "unknown key 'XX' at position 2" },
    { "S21 {UN;TD}", "john", "{UN;TD}", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "unknown key 'UN;TD' at position 2; the keys are UD, UN, TD and IDP, in capitals, separated "
      "by commas" },
    { "S21 {UN}{TD}", "john", "{UN}{TD}", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "'{UN}{TD}' has more after its '}' at position 5" },
    { "S22", "john", "{UN,XX}", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "unknown key 'XX' at position 5" },
    { "S23", "john", "{XX,UN}", "-", "acme.com", SF, NULL, DIFFERS, "john@acme.com", NULL,
      "unknown key 'XX' at position 2" },
    { "S24", "john", "{}", "-", "acme.com", SF, NULL, DIFFERS, "john@acme.com", NULL,
      "no key between its braces, at position 2" },
    { "S25", "SECONDARY/john", "{}", "-", "acme.com", SF, NULL, DIFFERS, "SECONDARY/john@acme.com",
      NULL, "no key between its braces, at position 2" },
    { "S26", "john", "{,UN,,TD,}", "-", "acme.com", SF, "t.com", REPRODUCES, "john-t.com@acme.com",
      "john-t.com@acme.com", NULL },
    { "S27", "john", "{ UN , TD }", "-", "acme.com", SF, "t.com", REPRODUCES, "john-t.com@acme.com",
      "john-t.com@acme.com", NULL },
    { "S28 UN,TD", "john", "UN,TD", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "has no '{' at position 1" },
    { "S28 {UN", "john", "{UN", "-", "acme.com", SF, NULL, DIFFERS, NULL, NULL,
      "has no '}' at position 4" },
    { "S29", "john", "}UN,TD{", "-", "acme.com", SF, "t.com", DIFFERS, "john-t.com@acme.com", NULL,
      "has no '{' at position 1" },
    { "S30", "john", "{UN,UN}", "-", "acme.com", SF, NULL, REPRODUCES, "john-john@acme.com",
      "john-john@acme.com", NULL },
    { "S31", "john", "{UN,TD}", "--", "acme.com", SF, "t--x.com", REPRODUCES,
      "john--tx.com@acme.com", "john--tx.com@acme.com", NULL },
    { "S32", "john", "{UN,TD}", "@", NULL, SF, "t.com", REPRODUCES, "john@t.com", "john@t.com",
      NULL },
    { "S33", "john", "{UN,TD}", "[0-9]", "acme.com", SF, "t1.com", DIFFERS,
      "john[0-9]t.com@acme.com", NULL, "separator '[0-9]' has a character at position 1" },
    { "S34", "john doe", "{UN}", "_", "acme.com", SF, NULL, REPRODUCES, "john doe@acme.com",
      "john doe@acme.com", "a blank at position 5" },
    { "S35", "INGRID", "{UD,UN}", "-", "acme.com", SF, NULL, DIFFERS, "prımary-ıngrıd@acme.com",
      "primary-ingrid@acme.com", NULL },
    { "C1", "john@x.com", "{UN}", "_", "acme.com", SF, NULL, REPRODUCES, "john.x.com@acme.com",
      "john.x.com@acme.com", NULL },
    { "C1 the other", "john.x.com", "{UN}", "_", "acme.com", SF, NULL, REPRODUCES,
      "john.x.com@acme.com", "john.x.com@acme.com", NULL },
    { "C2", "A-B/john", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES, "ab-john@acme.com",
      "ab-john@acme.com", NULL },
    { "C2 the other", "AB/john", "{UD,UN}", "-", "acme.com", SF, NULL, REPRODUCES,
      "ab-john@acme.com", "ab-john@acme.com", NULL },
    { "E1 a segment of separators", "john", "{UN,TD}", "-", "acme.com", SF, "--", DIFFERS,
      "john-@acme.com", "john@acme.com", NULL },
    { "E2 a second @", "a@b@acme.com", "{UN}", "_", "acme.com", SF, NULL, DIFFERS, "a@b@acme.com",
      "a.b@acme.com", NULL },
    { "E3 no identity provider", "john", "{UN}", "_", "acme.com", NULL, NULL, DIFFERS, NULL,
      "john@acme.com", NULL },
    { "E4 a subdomain", "john@eu.acme.com", "{UN}", "_", "acme.com", SF, NULL, DIFFERS,
      "john@eu.acme.com", "john.eu.acme.com@acme.com", NULL },
    { "E5 upper case beyond ASCII", "JÜRGEN", "{UN}", "_", "acme.com", SF, NULL, DIFFERS,
      "jürgen@acme.com", "jÜrgen@acme.com", "'Ü' (U+00DC) at position 2" },
};

static struct pattern *
compiled(const char *pattern, const char *separator, const char *domain)
{
    const struct pattern_settings settings = { pattern, separator, domain };
    struct prov_error err = PROV_ERROR_INIT;
    struct pattern *compiled = NULL;

    T_OK(pattern_compile(&settings, &compiled, NULL, &err), &err);
    return compiled;
}

/* The username of a user who has only a name. */
static const char *
rendered(const struct pattern *pattern, const char *entity)
{
    static char buffer[PATTERN_MAX_BYTES];
    const struct pattern_user user = { .entity_name = entity };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(pattern_render(pattern, &user, buffer, sizeof(buffer), NULL, &err), &err);
    return buffer;
}

static void
check_vector(const struct vector *v)
{
    const struct pattern_settings settings = { v->pattern, v->separator, v->domain };
    const struct pattern_user user = { .entity_name = v->entity,
                                       .tenant_domain = v->tenant,
                                       .identity_provider = v->identity_provider };
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char got[PATTERN_MAX_BYTES];
    int result = pattern_compile(&settings, &pattern, NULL, &err);

    if (!v->ours) {
        T_INT(result, PROV_E_FIELDS);
        T_TRUE(pattern == NULL);
        T_HAS(err.text, v->refusal);
        return;
    }
    T_OK(result, &err);
    if (result != PROV_OK)
        return;
    T_OK(pattern_render(pattern, &user, got, sizeof(got), NULL, &err), &err);
    T_STR(got, v->ours);
    result = username_check(got, &err);
    T_INT(result, v->refusal ? PROV_E_INVALID : PROV_OK);
    if (v->refusal)
        T_HAS(err.text, v->refusal);
}

static void
every_vector_renders_as_documented(void)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        int same = v->wso2 && v->ours && strcmp(v->wso2, v->ours) == 0;
        unsigned before = CU_get_number_of_failures();

        T_INT(same, v->verdict == REPRODUCES);
        check_vector(v);
        if (CU_get_number_of_failures() != before)
            printf("    ^ vector %s\n", v->id);
    }
}

static void
lower_case_does_not_follow_the_locale(void)
{
    static const char *const turkish[] = { "tr_TR.UTF-8", "tr_TR.utf8", "tr_TR.ISO-8859-9",
                                           "tr_TR" };
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UD,UN}", "-", "ACME.com");
    size_t i = 0;

    while (i < COUNT(turkish) && !setlocale(LC_ALL, turkish[i]))
        i++;
    if (i == COUNT(turkish))
        printf("    no Turkish locale here: checked under the one there is\n");
    T_STR(rendered(pattern, "INGRID"), "primary-ingrid@acme.com");
    T_STR(rendered(pattern, "I\xDD\xC4\xB0"), "primary-i\xDD\xC4\xB0@acme.com");
    T_TRUE(username_equal("INGRID@acme.com", "ingrid@ACME.COM"));
    setlocale(LC_ALL, "C");
}

static const struct {
    struct pattern_settings settings;
    enum pattern_setting fault;
    const char *place, *remedy;
} wrong_settings[] = {
    { { "{UN,UD", NULL, NULL }, PATTERN_SETTING_PATTERN, "no '}' at position 7", "{UD,UN}" },
    { { "{", NULL, NULL }, PATTERN_SETTING_PATTERN, "no '}' at position 2", "{UD,UN}" },
    { { "{,}", NULL, NULL }, PATTERN_SETTING_PATTERN, "no key", "as in {UN}" },
    { { "  { , ,, } ", NULL, NULL }, PATTERN_SETTING_PATTERN, "at position 4", "as in {UN}" },
    { { "x{UN}", NULL, NULL }, PATTERN_SETTING_PATTERN, "no '{' at position 1", "{UD,UN}" },
    { { "{UN} x", NULL, NULL }, PATTERN_SETTING_PATTERN, "'}' at position 6", "{UD,UN}" },
    { { "{UN{TD}", NULL, NULL }, PATTERN_SETTING_PATTERN, "'{' at position 4", "{UD,UN}" },
    { { "{UN,\xC3\xA9}", NULL, NULL },
      PATTERN_SETTING_PATTERN,
      "key '\xC3\xA9' at position 5",
      "UD, UN, TD and IDP" },
    { { "{UN TD}", NULL, NULL }, PATTERN_SETTING_PATTERN, "'UN TD' at position 2", "commas" },
    { { "{U}", NULL, NULL }, PATTERN_SETTING_PATTERN, "'U' at position 2", "UD, UN" },
    { { "{UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UD}", NULL, NULL },
      PATTERN_SETTING_PATTERN,
      "more than 16 keys",
      "position 50; take it out" },
    { { NULL, "a b", NULL }, PATTERN_SETTING_SEPARATOR, "position 2", "use '.', '-' or '_'" },
    { { NULL, "-\t", NULL }, PATTERN_SETTING_SEPARATOR, "position 2", "use '.', '-' or '_'" },
    { { NULL, "\xC2\xB7", NULL }, PATTERN_SETTING_SEPARATOR, "position 1", "use '.'" },
    { { NULL, "---------", NULL }, PATTERN_SETTING_SEPARATOR, "position 8", "8 characters" },
    { { "{UN,TD}", "@", "acme.com" }, PATTERN_SETTING_SEPARATOR, "'@' at position 1", "use" },
    { { "{UN,TD,UD}", "@", NULL }, PATTERN_SETTING_SEPARATOR, "'@' at position 1", "just one" },
    { { "{UN,TD}", "-@", NULL }, PATTERN_SETTING_SEPARATOR, "'@' at position 2", "just one" },
    { { NULL, NULL, "john@acme.com" }, PATTERN_SETTING_DOMAIN, "position 5", "'acme.com'" },
    { { NULL, NULL, "@" }, PATTERN_SETTING_DOMAIN, "'@' at position 1", "write 'acme.com'" },
    { { NULL, NULL, "acme" }, PATTERN_SETTING_DOMAIN, "no '.' before its end", "acme.com" },
    { { NULL, NULL, "acme..com" }, PATTERN_SETTING_DOMAIN, "empty label at position 6", "" },
    { { NULL, NULL, ".acme.com" }, PATTERN_SETTING_DOMAIN, "empty label at position 1", "" },
    { { NULL, NULL, "acme.com." }, PATTERN_SETTING_DOMAIN, "its end at position 9", "" },
    { { NULL, NULL, "-acme.com" }, PATTERN_SETTING_DOMAIN, "start of a label at position 1", "" },
    { { NULL, NULL, "acme-.com" }, PATTERN_SETTING_DOMAIN, "end of a label at position 5", "" },
    { { NULL, NULL, "acme.com-" }, PATTERN_SETTING_DOMAIN, "end of a label at position 9", "" },
    { { NULL, NULL, "acme.com " }, PATTERN_SETTING_DOMAIN, "position 9", "without blanks" },
    { { NULL, NULL, "https://acme.com" }, PATTERN_SETTING_DOMAIN, "position 6", "scheme" },
    { { NULL, NULL, "m\xC3\xBCller.de" }, PATTERN_SETTING_DOMAIN, "position 2", "acme.com" },
    { { NULL, NULL,
        "a.12345678901234567890123456789012345678901234567890123456789012345678901234567.c" },
      PATTERN_SETTING_DOMAIN,
      "goes on after position 78",
      "use a shorter one" },
};

static void
a_wrong_setting_is_refused_with_place_and_remedy(void)
{
    for (size_t i = 0; i < COUNT(wrong_settings); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        struct pattern *pattern = NULL;
        enum pattern_setting fault = (enum pattern_setting)99;

        T_INT(pattern_compile(&wrong_settings[i].settings, &pattern, &fault, &err), PROV_E_FIELDS);
        T_INT(fault, wrong_settings[i].fault);
        T_TRUE(pattern == NULL);
        T_HAS(err.text, wrong_settings[i].place);
        T_HAS(err.text, wrong_settings[i].remedy);
        T_INT(pattern_compile(&wrong_settings[i].settings, &pattern, NULL, NULL), PROV_E_FIELDS);
    }
}

static void
blank_settings_are_the_defaults(void)
{
    CLEANUP(pattern_cleanup) struct pattern *none = compiled(NULL, NULL, NULL);
    CLEANUP(pattern_cleanup) struct pattern *blank = compiled(" \t", " ", "  ");
    CLEANUP(pattern_cleanup) struct pattern *joined = compiled("\n {UD,UN} ", "", "");

    T_STR(rendered(none, "STORE/John"), "john");
    T_STR(rendered(blank, "STORE/John"), "john");
    T_STR(rendered(joined, "STORE/John"), "store_john");
    T_TRUE(pattern_uses(none, PATTERN_UN));
    T_TRUE(!pattern_uses(none, PATTERN_IDP));
    T_TRUE(pattern_uses(joined, PATTERN_UD));
    T_TRUE(!pattern_uses(joined, PATTERN_TD));
}

static void
sixteen_keys_are_taken(void)
{
    CLEANUP(pattern_cleanup)
    struct pattern *pattern =
        compiled("{UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN,UN}", "-", "acme.com");
    const struct pattern_user user = { .entity_name = "a" };
    struct pattern_segment segments[PATTERN_MAX_SEGMENTS];
    struct prov_error err = PROV_ERROR_INIT;
    char buffer[PATTERN_MAX_BYTES];
    size_t count = 0;

    T_OK(pattern_explain(pattern, &user, buffer, sizeof(buffer), segments, &count, &err), &err);
    T_STR(buffer, "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a@acme.com");
    T_INT(count, 33);
}

static void
the_store_comes_from_the_prefix_else_the_user_else_primary(void)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UD,UN}", "-", NULL);
    static const struct {
        const char *entity, *user_domain, *want;
    } cases[] = {
        { "STORE/john", "OTHER", "store-john" }, { "john", "OTHER", "other-john" },
        { "john", NULL, "primary-john" },        { "john", "", "primary-john" },
        { "/john", "OTHER", "other-john" },      { "john", "-O-T-", "ot-john" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pattern_user user = { .entity_name = cases[i].entity,
                                           .user_domain = cases[i].user_domain };
        struct prov_error err = PROV_ERROR_INIT;
        char buffer[64];
        size_t length = 0;

        T_OK(pattern_render(pattern, &user, buffer, sizeof(buffer), &length, &err), &err);
        T_STR(buffer, cases[i].want);
        T_INT(length, strlen(cases[i].want));
    }
}

static void
a_user_without_a_name_gets_no_username(void)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UD,UN}", "-", "acme.com");
    CLEANUP(pattern_cleanup) struct pattern *nameless = compiled("{UD,IDP}", "-", "acme.com");
    static const char *const entities[] = { NULL, "", "STORE/", "/" };

    for (size_t i = 0; i < COUNT(entities); i++) {
        const struct pattern_user user = { .entity_name = entities[i] };
        struct prov_error err = PROV_ERROR_INIT;
        char buffer[64] = "before";

        T_INT(pattern_render(pattern, &user, buffer, sizeof(buffer), NULL, &err), PROV_E_INVALID);
        T_HAS(err.text, "give the user a userName");
        T_STR(buffer, "");
    }
    T_STR(rendered(nameless, NULL), "primary@acme.com");
}

static void
a_separator_of_letters_is_lowered_and_removed_as_written(void)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UN,TD}", "X", NULL);
    const struct pattern_user user = { .entity_name = "aXb", .tenant_domain = "cXd.com" };
    struct prov_error err = PROV_ERROR_INIT;
    char buffer[64];

    T_OK(pattern_render(pattern, &user, buffer, sizeof(buffer), NULL, &err), &err);
    T_STR(buffer, "axbxcd.com");
}

static void
the_longest_domain_leaves_room_for_one_character(void)
{
    char domain[80] = "a.com.";
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    const struct pattern_settings longer = { .domain = domain };
    struct pattern *none = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    memset(domain + 6, 'b', sizeof(domain) - 6 - 2);
    pattern = compiled(NULL, NULL, domain);
    T_OK(username_check(rendered(pattern, "j"), &err), &err);
    T_INT(username_check(rendered(pattern, "jd"), &err), PROV_E_INVALID);
    domain[78] = 'b';
    T_INT(pattern_compile(&longer, &none, NULL, &err), PROV_E_FIELDS);
    T_HAS(err.text, "goes on after position 78");
}

static void
a_username_that_does_not_fit_is_refused_and_nothing_is_overrun(void)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UD,UN}", "-", "acme.com");
    const struct pattern_user user = { .entity_name = "john" };
    static const char want[] = "primary-john@acme.com";

    for (size_t size = 0; size <= sizeof(want) + 1; size++) {
        struct prov_error err = PROV_ERROR_INIT;
        char *buffer = malloc(size ? size : 1); /* of its own, for the sanitizer */
        size_t length = 99;
        int result = pattern_render(pattern, &user, buffer, size, &length, &err);

        T_INT(result, size < sizeof(want) ? PROV_E_LIMIT : PROV_OK);
        T_INT(length, size < sizeof(want) ? 99 : sizeof(want) - 1);
        if (size >= sizeof(want))
            T_STR(buffer, want);
        else if (size)
            T_STR(buffer, "");
        free(buffer);
    }
}

static void
no_username_is_longer_than_the_limit(void)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = compiled("{UN}", NULL, "acme.com");
    const size_t longest = PATTERN_MAX_BYTES - 1 - strlen("@acme.com");
    char entity[PATTERN_MAX_BYTES + 1], buffer[2 * PATTERN_MAX_BYTES];
    const struct pattern_user user = { .entity_name = entity };
    struct prov_error err = PROV_ERROR_INIT;
    size_t length = 0;

    memset(entity, 'a', sizeof(entity));
    entity[longest] = '\0';
    T_OK(pattern_render(pattern, &user, buffer, sizeof(buffer), &length, &err), &err);
    T_INT(length, PATTERN_MAX_BYTES - 1);
    entity[longest] = 'a';
    entity[longest + 1] = '\0';
    T_INT(pattern_render(pattern, &user, buffer, sizeof(buffer), &length, &err), PROV_E_LIMIT);
    T_HAS(err.text, "use fewer keys in the provisioning pattern, or shorter names");
}

struct explained {
    const char *source, *origin, *text;
};

static void
check_explained(const struct pattern *pattern, const struct pattern_user *user,
                const struct explained *want, size_t want_count)
{
    struct pattern_segment segments[PATTERN_MAX_SEGMENTS];
    struct prov_error err = PROV_ERROR_INIT;
    char buffer[PATTERN_MAX_BYTES], text[PATTERN_MAX_BYTES];
    size_t count = 0;

    T_OK(pattern_explain(pattern, user, buffer, sizeof(buffer), segments, &count, &err), &err);
    T_INT(count, want_count);
    for (size_t i = 0; i < count && i < want_count; i++) {
        T_STR(segments[i].source, want[i].source);
        T_STR(segments[i].origin, want[i].origin);
        snprintf(text, sizeof(text), "%.*s", (int)segments[i].length, buffer + segments[i].start);
        T_STR(text, want[i].text);
    }
}

static void
explain_says_which_segment_came_from_where(void)
{
    CLEANUP(pattern_cleanup) struct pattern *full = compiled("{UD,UN,TD,IDP}", "-", "Acme.com");
    CLEANUP(pattern_cleanup) struct pattern *plain = compiled("{UD,UN}", NULL, NULL);
    static const struct explained want_full[] = {
        { "UD", "store prefix", "hr" },
        { "separator", "connector field", "-" },
        { "UN", "user name", "john.x.com" },
        { "separator", "connector field", "-" },
        { "TD", "tenant domain", "t.com" },
        { "separator", "connector field", "-" },
        { "IDP", "connector field", "sf" },
        { "@", "connector field", "@" },
        { "domain", "connector field", "acme.com" },
    };
    static const struct explained want_defaults[] = {
        { "UD", "default", "primary" },
        { "separator", "connector field", "-" },
        { "UN", "user name", "john" },
        { "separator", "connector field", "-" },
        { "TD", "default", "carbon.super" },
        { "@", "connector field", "@" },
        { "domain", "connector field", "acme.com" },
    };
    static const struct explained want_plain[] = {
        { "UD", "user domain", "hr" },
        { "separator", "default", "_" },
        { "UN", "user name", "john" },
    };

    check_explained(full,
                    &(struct pattern_user){ .entity_name = "HR/John@X.com",
                                            .tenant_domain = "T.com",
                                            .identity_provider = "S-F" },
                    want_full, COUNT(want_full));
    check_explained(full, &(struct pattern_user){ .entity_name = "John" }, want_defaults,
                    COUNT(want_defaults));
    check_explained(plain, &(struct pattern_user){ .entity_name = "John", .user_domain = "HR" },
                    want_plain, COUNT(want_plain));
}

static void
explain_says_when_the_name_ended_in_the_domain_already(void)
{
    CLEANUP(pattern_cleanup) struct pattern *name = compiled("{UN}", NULL, "acme.com");
    CLEANUP(pattern_cleanup) struct pattern *spread = compiled("{UN,TD}", ".", "acme.com");
    static const struct explained want[] = {
        { "UN", "user name", "john" },
        { "@", "already there", "@" },
        { "domain", "already there", "acme.com" },
    };
    static const struct explained want_bare[] = {
        { "@", "already there", "@" },
        { "domain", "already there", "acme.com" },
    };

    check_explained(name, &(struct pattern_user){ .entity_name = "john@ACME.com" }, want,
                    COUNT(want));
    /* The end of the name stretches over a part of UN, a separator and TD. */
    check_explained(spread,
                    &(struct pattern_user){ .entity_name = "john@acme", .tenant_domain = "com" },
                    want, COUNT(want));
    check_explained(name, &(struct pattern_user){ .entity_name = "@acme.com" }, want_bare,
                    COUNT(want_bare));
}

static void
usernames_that_salesforce_takes_pass(void)
{
    static const char *const names[] = {
        "john@acme.com",
        "o'brien@acme.com",
        "j.d+test_1-x@eu.acme-inc.co.uk",
        "abcdefg.hijklmnopqrstuvwxyz!#$%&'*/=?^_+-`{|}~0123456789@acme.com",
        "a..a@test.jp",
        "a..@test.jp",
        "a/b@acme.com",
        "John.Doe@contoso.com.test",
        "jdoe@acme.com.my_sandbox",
        "1@2.3",
        "john@x.c",
        "12345678901234567890123456789012345678901234567890123456789012345678901@acme.com",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        T_OK(username_check(names[i], &err), &err);
    }
    T_INT(strlen(names[COUNT(names) - 1]), USERNAME_MAX_CHARACTERS);
}

static const struct {
    const char *name, *place, *remedy;
} wrong_usernames[] = {
    { NULL, "empty", "give the user a userName" },
    { "", "empty", "give the user a userName" },
    { "john", "no '@'", "set a provisioning domain" },
    { "@acme.com", "nothing before its '@'", "give the user a userName" },
    { "john@", "nothing after its '@'", "john@acme.com" },
    { "@", "nothing before its '@'", "give the user a userName" },
    { "a@b@acme.com", "second '@' at position 4", "set a provisioning domain" },
    { "john@@acme.com", "second '@' at position 6", "set a provisioning domain" },
    { ".john@acme.com", "'.' at position 1", "take it out" },
    { "john doe@acme.com", "a blank at position 5", "take it out" },
    { " john@acme.com", "a blank at position 1", "take it out" },
    { "john@acme.com\n", "a control character (0x0A) at position 14", "take it out" },
    { "john\x7F@acme.com", "a control character (0x7F) at position 5", "take it out" },
    { "jos\xC3\xA9@acme.com", "'\xC3\xA9' (U+00E9) at position 4", "take it out" },
    { "a\xC2\xA0z@acme.com", "(U+00A0) at position 2", "take it out" },
    { "a\xF0\x9F\x98\x80@acme.com", "(U+1F600) at position 2", "take it out" },
    { "john\xE9@acme.com", "no UTF-8 (0xE9) at position 5", "take it out" },
    { "john\xC0\x80@acme.com", "no UTF-8 (0xC0) at position 5", "take it out" },
    { "john\xED\xA0\x80@acme.com", "no UTF-8 (0xED) at position 5", "take it out" },
    { "john\xC3", "no UTF-8 (0xC3) at position 5", "take it out" },
    { "john(x)@acme.com", "the character '(' at position 5", "take it out" },
    { "john\\x@acme.com", "the character '\\' at position 5", "take it out" },
    { "\"john\"@acme.com", "the character '\"' at position 1", "take it out" },
    { "john,doe@acme.com", "the character ',' at position 5", "take it out" },
    { "john@acme", "no '.' before its end at position 10", "set a provisioning domain" },
    { "john@.com", "an empty label at position 6", "such as acme.com" },
    { "john@acme..com", "an empty label at position 11", "such as acme.com" },
    { "john@acme.com.", "a '.' at its end at position 14", "such as acme.com" },
    { "john@-acme.com", "start of a label at position 6", "such as acme.com" },
    { "john@acme.com-", "end of a label at position 14", "such as acme.com" },
    { "john@ac!me.com", "no domain has at position 8", "such as acme.com" },
    { "123456789012345678901234567890123456789012345678901234567890123456789012@acme.com",
      "81 characters long, and Salesforce takes 80", "use fewer keys" },
};

static void
usernames_that_salesforce_refuses_are_refused_with_place_and_remedy(void)
{
    for (size_t i = 0; i < COUNT(wrong_usernames); i++) {
        struct prov_error err = PROV_ERROR_INIT;

        T_INT(username_check(wrong_usernames[i].name, &err), PROV_E_INVALID);
        T_INT(err.code, PROV_E_INVALID);
        T_HAS(err.text, wrong_usernames[i].place);
        T_HAS(err.text, wrong_usernames[i].remedy);
        T_INT(username_check(wrong_usernames[i].name, NULL), PROV_E_INVALID);
    }
}

static void
the_end_of_a_string_is_no_character(void)
{
    size_t position = 0;

    T_TRUE(!username_takes('\0'));
    T_STR(username_domain_fault("", &position), "an empty label");
    T_INT(position, 1);
}

static void
a_long_username_does_not_push_the_remedy_out(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    char name[4096];

    /* An odd start puts every cut by bytes into the middle of a character. */
    name[0] = 'a';
    for (size_t i = 1; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xC3\xA9", 2);
    name[sizeof(name) - 1] = '\0';
    T_INT(username_check(name, &err), PROV_E_INVALID);
    T_HAS(err.text, "\xC3\xA9...' has the character '\xC3\xA9' (U+00E9) at position 2");
    T_HAS(err.text, "take it out of the value it came from");
}

static void
a_temporary_name_is_valid_and_the_same_each_time(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "ada@acme.example", "swap-0055g00000a7e9waqc@acme.example" },
        { "ada@a-domain-so-long-that.it-does-not-fit-with.the-rest-of-it.acme.example",
          "swap-0055g00000a7e9waqc@it-does-not-fit-with.the-rest-of-it.acme.example" },
        { "a@nothing-to-cut-at-in-this-one-which-is-far-too-long-for-a-name.example",
          "swap-0055g00000a7e9waqc@swap.invalid" },
        { "no name", "swap-0055g00000a7e9waqc@swap.invalid" },
    };
    struct prov_error err = PROV_ERROR_INIT;
    char name[USERNAME_MAX_CHARACTERS + 1];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        username_temporary("0055g00000A7E9wAQC", cases[i].before, name);
        T_STR(name, cases[i].after);
        T_OK(username_check(name, &err), &err);
    }
}

static void
a_number_goes_behind_the_local_part_and_fits(void)
{
    static const struct {
        const char *before, *between, *after;
        unsigned number;
    } cases[] = {
        { "jdoe@acme.example", "", "jdoe2@acme.example", 2 },
        { "jdoe@acme.example", "-", "jdoe-9@acme.example", 9 },
        { "j@a.b", ".", "j.12@a.b", 12 },
        { "a2345678901234567890123456789012345678901234567890123456789012345678@acme.example", "",
          "cut", 2 },
        { "jdoe", "", "", 2 },
        { "@acme.example", "", "", 2 },
        { "j@a23456789012345678901234567890123456789012345678901234567890123456789012345.de", "",
          "", 2 },
    };
    struct prov_error err = PROV_ERROR_INIT;
    char name[USERNAME_MAX_CHARACTERS + 1];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        T_INT(username_numbered(cases[i].before, cases[i].between, cases[i].number, name),
              cases[i].after[0] != '\0');
        if (i != 3)
            T_STR(name, cases[i].after);
        if (name[0])
            T_OK(username_check(name, &err), &err);
    }
    username_numbered(cases[3].before, "", 2, name);
    T_INT(strlen(name), USERNAME_MAX_CHARACTERS);
    T_TRUE(strstr(name, "2@acme.example") && strncmp(name, cases[3].before, 60) == 0);
}

static void
usernames_are_equal_without_regard_to_ascii_case(void)
{
    T_TRUE(username_equal("John@Acme.COM", "john@acme.com"));
    T_TRUE(username_equal("", ""));
    T_TRUE(username_equal(NULL, NULL));
    T_TRUE(!username_equal(NULL, ""));
    T_TRUE(!username_equal("john", "john@"));
    T_TRUE(!username_equal("john@", "john"));
    T_TRUE(!username_equal("john[", "john{")); /* 0x20 apart, but no letters */
    T_TRUE(!username_equal("\xC3\x89", "\xC3\xA9"));
}

static const struct unit_case cases[] = {
    UNIT_CASE(every_vector_renders_as_documented),
    UNIT_CASE(lower_case_does_not_follow_the_locale),
    UNIT_CASE(a_wrong_setting_is_refused_with_place_and_remedy),
    UNIT_CASE(blank_settings_are_the_defaults),
    UNIT_CASE(sixteen_keys_are_taken),
    UNIT_CASE(the_store_comes_from_the_prefix_else_the_user_else_primary),
    UNIT_CASE(a_user_without_a_name_gets_no_username),
    UNIT_CASE(a_separator_of_letters_is_lowered_and_removed_as_written),
    UNIT_CASE(the_longest_domain_leaves_room_for_one_character),
    UNIT_CASE(a_username_that_does_not_fit_is_refused_and_nothing_is_overrun),
    UNIT_CASE(no_username_is_longer_than_the_limit),
    UNIT_CASE(explain_says_which_segment_came_from_where),
    UNIT_CASE(explain_says_when_the_name_ended_in_the_domain_already),
    UNIT_CASE(usernames_that_salesforce_takes_pass),
    UNIT_CASE(usernames_that_salesforce_refuses_are_refused_with_place_and_remedy),
    UNIT_CASE(the_end_of_a_string_is_no_character),
    UNIT_CASE(a_long_username_does_not_push_the_remedy_out),
    UNIT_CASE(a_temporary_name_is_valid_and_the_same_each_time),
    UNIT_CASE(a_number_goes_behind_the_local_part_and_fits),
    UNIT_CASE(usernames_are_equal_without_regard_to_ascii_case),
};

int
main(int argc, char **argv)
{
    return unit_run("patterns", cases, COUNT(cases), argc, argv);
}
