/* How the connector logs in, as the fields say it: flows, what contradicts, secrets by reference, login
 * hosts. */
#include "tests/unit/fields_run.h"

#define APP  "'domain_name':'acme','client_id':'k','profile':'P','store':'/s'"
#define KEY  "'private_key':'file:/etc/sfprov/salesforce.key'"
#define USER "'username':'api@acme.com'"

/* The seeds' four ways, and how each is told from the fields. */
static void
the_flow_follows_from_what_is_filled_in(void)
{
    static const struct {
        const char *fields, *flow;
    } cases[] = {
        { "'client_secret':'secret-1'", FLOW_CLIENT_CREDENTIALS },
        { KEY "," USER, FLOW_JWT_BEARER },
        { "'client_secret':'secret-1','refresh_token':'5Aep861'", FLOW_REFRESH_TOKEN },
        { "'refresh_token':'5Aep861'", FLOW_REFRESH_TOKEN },
        { "'client_secret':'secret-1','flow':'refresh_token'", FLOW_REFRESH_TOKEN },
        { "'flow':'refresh_token'", FLOW_REFRESH_TOKEN },
        { "'client_secret':'secret-1','sf-usePasswordGrant':'true',"
          "'password':'hunter2token'," USER,
          FLOW_PASSWORD },
        { "'flow':'password','client_secret':'secret-1','password':'hunter2token'," USER,
          FLOW_PASSWORD },
        { "'flow':'jwt_bearer','client_secret':'secret-1'," KEY "," USER, FLOW_JWT_BEARER },
        { "'client_secret':'secret-1','sf-usePasswordGrant':'false','password':'p'," USER,
          FLOW_CLIENT_CREDENTIALS },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[600];
        snprintf(json, sizeof(json), "{" APP ",%s}", cases[i].fields);
        AUTO_RUN run = parse(json);
        T_OK(run.result, &run.err);
        T_STR(run.fields ? run.fields->flow : NULL, cases[i].flow);
    }
}

static void
a_contradiction_names_both_fields(void)
{
    static const struct {
        const char *fields, *field, *other;
    } cases[] = {
        { KEY "," USER ",'refresh_token':'5Aep861'", "refresh_token", "'private_key'" },
        { KEY "," USER ",'client_secret':'secret-1'", "client_secret", "'private_key'" },
        { "'client_secret':'secret-1','refresh_token':'5Aep861','use_password_grant':true",
          "refresh_token", "'use_password_grant'" },
        { "'flow':'client_credentials','client_secret':'secret-1'," KEY, "private_key",
          "'flow (client_credentials)'" },
        { "'flow':'jwt_bearer','refresh_token':'5Aep861'," KEY "," USER, "refresh_token",
          "'flow (jwt_bearer)'" },
        { "'flow':'refresh_token','use_password_grant':true", "use_password_grant",
          "'flow (refresh_token)'" },
        { "'client_secret':'secret-1','login_host':'production'", "login_host",
          "'login_host' and the flow client_credentials" },
        { "'client_secret':'secret-1','token_endpoint':"
          "'https://login.salesforce.com/services/oauth2/token'",
          "token_endpoint",
          "'token_endpoint' is at a login host, and the flow client_credentials" },
        { KEY "," USER ",'login_host':'sandbox','token_endpoint':"
              "'https://login.salesforce.com/services/oauth2/token'",
          "token_endpoint", "'token_endpoint' and 'login_host'" },
        { KEY "," USER ",'login_host':'login.salesforce.mil'", "login_host",
          "'login_host' and 'domain_name'" },
        { "'client_secret':'secret-1','proxy_username':'u'", "proxy", "'proxy_username'" },
        { "'client_secret':'secret-1','client_key':'file:/k.pem'", "client_certificate",
          "'client_key'" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[600];
        snprintf(json, sizeof(json), "{" APP ",%s}", cases[i].fields);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_INT(length_of(run.faults), 1);
        T_HAS(about(run.faults, cases[i].field), cases[i].other);
    }
}

static void
what_a_flow_lacks_is_named(void)
{
    static const struct {
        const char *fields, *lacks;
        size_t faults;
    } cases[] = {
        { "'locale':'en_US'", "client_secret", 1 },
        { KEY, "username", 1 },
        { "'flow':'jwt_bearer'," USER, "private_key", 1 },
        { "'flow':'jwt_bearer'", "private_key", 2 },
        { "'flow':'password','client_secret':'secret-1'", "password", 2 },
        { "'flow':'oauth','client_secret':'secret-1'", "flow", 1 },
        { "'client_secret':7", "client_secret", 1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[600];
        snprintf(json, sizeof(json), "{" APP ",%s}", cases[i].fields);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_INT(length_of(run.faults), cases[i].faults);
        T_TRUE(*about(run.faults, cases[i].lacks));
    }
}

static void
the_password_flow_is_legacy_and_says_why(void)
{
    AUTO_RUN run = parse("{" APP ",'client_secret':'secret-1','sf-usePasswordGrant':'true'," USER
                         ",'password':'hunter2token','token_endpoint':"
                         "'https://login.salesforce.com/services/oauth2/token'}");

    T_OK(run.result, &run.err);
    T_INT(length_of(run.warnings), 1);
    T_HAS(about(run.warnings, "use_password_grant"), "External Client Apps");
    T_HAS(about(run.warnings, "use_password_grant"), "Summer '23");
    T_HAS(about(run.warnings, "use_password_grant"), "Run-As user");
    T_STR(run.fields ? run.fields->token_endpoint : NULL,
          "https://login.salesforce.com/services/oauth2/token");
}

static void
client_credentials_stay_at_my_domain(void)
{
    AUTO_RUN run = parse("{" APP ",'client_secret':'secret-1','token_endpoint':"
                         "'https://test.salesforce.com/services/oauth2/token'}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "token_endpoint"), "My Domain of the org only");
}

static void
a_login_host_is_taken_in_every_form(void)
{
    static const struct {
        const char *given, *endpoint;
    } forms[] = {
        { "production", "https://login.salesforce.com" },
        { "sandbox", "https://test.salesforce.com" },
        { "test", "https://test.salesforce.com" },
        { "Test.Salesforce.com", "https://test.salesforce.com" },
        { "https://login.salesforce.com/", "https://login.salesforce.com" },
        { "acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com" },
    };
    static const char *const wrong[] = { "http://login.salesforce.com",
                                         "login.salesforce.com:8443",
                                         "https://login.salesforce.com/services/oauth2/token",
                                         "login.salesforce.com.evil.example",
                                         "evil.example",
                                         "http://127.0.0.1:8080",
                                         "https://a@login.salesforce.com" };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char json[600], endpoint[200];
        snprintf(json, sizeof(json), "{" APP "," KEY "," USER ",'login_host':'%s'}",
                 forms[i].given);
        snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", forms[i].endpoint);
        AUTO_RUN run = parse(json);
        T_OK(run.result, &run.err);
        T_STR(run.fields ? run.fields->token_endpoint : NULL, endpoint);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char json[600];
        snprintf(json, sizeof(json), "{" APP "," KEY "," USER ",'login_host':'%s'}", wrong[i]);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_TRUE(*about(run.faults, "login_host"));
    }
}

static void
the_audience_follows_the_kind_of_org(void)
{
    static const struct {
        const char *domain, *login, *audience;
    } orgs[] = {
        { "acme", NULL, "https://login.salesforce.com" },
        { "acme--uat", NULL, "https://test.salesforce.com" },
        { "acme--uat.sandbox.my.salesforce.com", NULL, "https://test.salesforce.com" },
        { "acme--uat.cs42.my.salesforce.com", NULL, "https://test.salesforce.com" },
        { "quiet-fox-1.scratch.my.salesforce.com", NULL, "https://test.salesforce.com" },
        { "acme-dev-ed.develop.my.salesforce.com", NULL, "https://login.salesforce.com" },
        { "acme", "sandbox", "https://test.salesforce.com" },
        { "acme--uat", "production", "https://login.salesforce.com" },
        { "acme--uat", "acme--uat", "https://test.salesforce.com" },
        { "acme.my.salesforce.mil", NULL, "https://login.salesforce.mil" },
        { "acme--uat.sandbox.my.salesforce.mil", NULL, "https://test.salesforce.mil" },
        { "acme.lightning.crmforce.mil", "sandbox", "https://test.salesforce.mil" },
        { "acme.my.sfcrmproducts.cn", NULL, "https://login.sfcrmproducts.cn" },
        { "acme--uat.sandbox.my.sfcrmproducts.cn", "production", "https://login.sfcrmproducts.cn" },
        { "acme.my-salesforce.com", NULL, "https://login.salesforce.com" },
    };

    for (size_t i = 0; i < sizeof(orgs) / sizeof(orgs[0]); i++) {
        char json[600];
        snprintf(json, sizeof(json),
                 "{'client_id':'k','profile':'P','store':'/s'," KEY "," USER
                 ",'domain_name':'%s','login_host':'%s'}",
                 orgs[i].domain, orgs[i].login ? orgs[i].login : "");
        AUTO_RUN run = parse(json);
        T_OK(run.result, &run.err);
        T_STR(run.fields ? run.fields->audience : NULL, orgs[i].audience);
    }
}

static void
secrets_are_named_by_where_they_are_kept(void)
{
    AUTO_RUN run = parse("{" APP ",'client_secret':'file:/etc/sfprov/secret'}");
    AUTO_RUN wrong = parse("{" APP ",'client_secret':'file:secret'}");
    AUTO_JSON struct json_object *shown = NULL;

    T_OK(run.result, &run.err);
    T_STR(run.fields ? run.fields->client_secret : NULL, "file:/etc/sfprov/secret");
    T_OK(run.fields ? fields_effective(run.fields, &shown, &run.err) : PROV_E_STATE, &run.err);
    T_STR(json_get_string(json_get(shown, "fields"), "client_secret"), "file:/etc/sfprov/secret");
    T_INT(length_of(wrong.faults), 1);
    T_HAS(about(wrong.faults, "client_secret"), "absolute path of a file: write file:/etc");
}

static void
a_key_may_stand_in_the_fields_with_its_lines(void)
{
    AUTO_RUN run = parse("{" APP "," USER ",'private_key':'-----BEGIN PRIVATE KEY-----\\nMIIE\\n"
                         "-----END PRIVATE KEY-----\\n'}");
    AUTO_RUN tab = parse("{" APP "," USER ",'private_key':'-----BEGIN\\tPRIVATE KEY-----'}");

    T_OK(run.result, &run.err);
    T_INT(length_of(tab.faults), 1);
    T_HAS(about(tab.faults, "private_key"), "control character");
}

static void
allowed_hosts_are_names(void)
{
    AUTO_RUN run = parse("{" APP ",'client_secret':'secret-1','allowed_hosts':"
                         "'sf.acme.com, gw.acme.net'}");
    AUTO_RUN wrong = parse("{" APP ",'client_secret':'secret-1','allowed_hosts':["
                           "'https://sf.acme.com','sf.acme.com:8443','*.acme.com','localhost',"
                           "'.acme.com']}");

    T_OK(run.result, &run.err);
    T_INT(run.fields ? length_of(run.fields->allowed_hosts) : 0, 2);
    T_INT(length_of(wrong.faults), 5);
}

static void
pin_client_certificate_and_proxy_are_held_to_their_forms(void)
{
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    AUTO_RUN good = parse("{" APP ",'client_secret':'secret-1','tls_pin':'" PIN ";" PIN
                          "','client_certificate':'/c.pem','client_key':'file:/k.pem',"
                          "'proxy':'http://proxy.acme.com:3128','proxy_username':'u',"
                          "'proxy_password':'env:PROXY_PASSWORD'}");
    static const struct {
        const char *fields, *field;
    } wrong[] = {
        { "'tls_pin':'sha256//short='", "tls_pin" },
        { "'tls_pin':'" PIN ";'", "tls_pin" },
        { "'tls_pin':'/etc/pin.pem'", "tls_pin" },
        { "'client_certificate':'/c.pem'", "client_key" },
        { "'client_key':'file:/k.pem'", "client_certificate" },
        { "'proxy':'http://u:hunter2@proxy.acme.com'", "proxy" },
        { "'proxy':'socks5://proxy.acme.com'", "proxy" },
        { "'proxy_password':'hunter2token'", "proxy" },
    };

    T_OK(good.result, &good.err);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char json[400];
        snprintf(json, sizeof(json), "{" APP ",'client_secret':'secret-1',%s}", wrong[i].fields);
        AUTO_RUN run = parse(json);
        T_INT(length_of(run.faults), 1);
        T_TRUE(*about(run.faults, wrong[i].field));
        T_TRUE(!strstr(json_object_to_json_string(run.faults), "hunter2"));
    }
}

/* How often the bytes stand in the heap of this process, in use or freed. */
static size_t
copies_in_heap(const char *needle)
{
    FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
    static char page[1 << 24]; /* no heap */
    unsigned long from = 0, to = 0;
    size_t count = 0, length;
    char line[400];

    while (fgets(line, sizeof(line), maps) && !strstr(line, "[heap]"))
        ;
    if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &from, &to) == 2 &&
        fseeko(memory, (off_t)from, SEEK_SET) == 0) {
        length = fread(page, 1, to - from < sizeof(page) ? to - from : sizeof(page), memory);
        for (char *at = page;
             (at = memmem(at, length - (size_t)(at - page), needle, strlen(needle))); at++)
            count++;
    }
    fclose(maps);
    fclose(memory);
    return count;
}

/* The end of each is looked for, since what a block begins with is lost when it is freed. */
static void
of_no_form_of_a_secret_a_copy_is_left(void)
{
#define LEFT        "which-is-to-be-left-nowhere"
#define LEFT_NUMBER "4711081547110815471108154711"
    static const struct {
        const char *json, *field; /* NULL: none is at fault */
    } forms[] = {
        { "{\"client_secret\":\"a secret " LEFT "\"}", NULL },
        { "{\"client_secret\":\"a secret " LEFT "\",\"sf-client-secret\":\"a secret " LEFT "\"}",
          NULL },
        { "{\"client_secret\":\"a secret " LEFT "\",\"sf-client-secret\":\"the other " LEFT "\"}",
          "client_secret" },
        { "{\"client_secret\":\"a secret " LEFT "\",\"client_secret\":\"the other " LEFT "\"}",
          "(all fields)" },
        { "[{\"name\":\"client_secret\",\"value\":\"a secret " LEFT "\"},"
          "{\"name\":\"client_secret\",\"value\":\"the other " LEFT "\"}]",
          "client_secret" },
        { "[{\"client_secret\":\"a secret " LEFT "\"}]", "properties[0]" },
        { "[{\"name\":\"client_secret\",\"values\":\"a secret " LEFT "\"}]", NULL },
        { "[{\"name\":\"client_secret\",\"value\":\"x1y2z3z4\",\"old\":\"a secret " LEFT "\"}]",
          NULL },
        { "{\"properties\":[],\"displayName\":\"a secret " LEFT "\"}", NULL },
        { "{\"client_secret\":{\"value\":[\"a secret " LEFT "\"]}}", "client_secret" },
        { "{\"client_secret\":{\"a secret " LEFT "\":1}}", "client_secret" },
        { "{\"client_secret\":0.1234567890123456" LEFT_NUMBER "}", "client_secret" },
        { "{\"client_secret\":[1.1234567890123456" LEFT_NUMBER "]}", "client_secret" },
        { "\"a secret " LEFT "\"", "(all fields)" },
        { "0.1234567890123456" LEFT_NUMBER, "(all fields)" },
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        struct run run = parse_text(forms[i].json);
        T_TRUE(!forms[i].field || *about(run.faults, forms[i].field));
        run_cleanup(&run);
        if (copies_in_heap(LEFT) || copies_in_heap(LEFT_NUMBER))
            T_STR(forms[i].json, "");
    }
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(the_flow_follows_from_what_is_filled_in),
        UNIT_CASE(a_contradiction_names_both_fields),
        UNIT_CASE(what_a_flow_lacks_is_named),
        UNIT_CASE(the_password_flow_is_legacy_and_says_why),
        UNIT_CASE(client_credentials_stay_at_my_domain),
        UNIT_CASE(a_login_host_is_taken_in_every_form),
        UNIT_CASE(the_audience_follows_the_kind_of_org),
        UNIT_CASE(secrets_are_named_by_where_they_are_kept),
        UNIT_CASE(a_key_may_stand_in_the_fields_with_its_lines),
        UNIT_CASE(allowed_hosts_are_names),
        UNIT_CASE(of_no_form_of_a_secret_a_copy_is_left),
        UNIT_CASE(pin_client_certificate_and_proxy_are_held_to_their_forms),
    };

    return unit_run("fields_login", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
