/* The addresses of an org: every form that an administrator types or pastes, and everything that
 * must not get the client secret. */
#include "tests/unit/fields_run.h"

static const char *
origin_of(const char *domain_name, char *origin, size_t size, bool *ret_warned)
{
    char json[1024];
    snprintf(json, sizeof(json), "{" BASE ",'domain_name':'%s'}", domain_name);
    AUTO_RUN run = parse(json);

    snprintf(origin, size, "%s",
             run.fields ? run.fields->domain_name : about(run.faults, "domain_name"));
    *ret_warned = *about(run.warnings, "domain_name") != '\0';
    return origin;
}

static void
every_form_of_a_domain_name_becomes_one_origin(void)
{
    static const struct {
        const char *given, *origin;
        bool warns;
    } forms[] = {
        { "acme", "https://acme.my.salesforce.com", false },
        { " ACME ", "https://acme.my.salesforce.com", false },
        { "acme.my.salesforce.com", "https://acme.my.salesforce.com", false },
        { "https://acme.my.salesforce.com/", "https://acme.my.salesforce.com", false },
        { "HTTPS://Acme.My.Salesforce.com", "https://acme.my.salesforce.com", false },
        { "acme--uat", "https://acme--uat.sandbox.my.salesforce.com", false },
        { "acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com",
          false },
        { "acme--uat.cs42.my.salesforce.com", "https://acme--uat.cs42.my.salesforce.com", false },
        { "acme-dev-ed.develop.my.salesforce.com", "https://acme-dev-ed.develop.my.salesforce.com",
          false },
        { "acme-dev-ed.my.salesforce.com", "https://acme-dev-ed.my.salesforce.com", false },
        { "x.scratch.my.salesforce.com", "https://x.scratch.my.salesforce.com", false },
        { "acme.my.salesforce.mil", "https://acme.my.salesforce.mil", false },
        { "acme.my.sfcrmproducts.cn", "https://acme.my.sfcrmproducts.cn", false },
        { "acme.my-salesforce.com", "https://acme.my-salesforce.com", false },
        { "https://acme.lightning.force.com", "https://acme.my.salesforce.com", true },
        { "acme--uat.sandbox.lightning.force.com", "https://acme--uat.sandbox.my.salesforce.com",
          true },
        { "acme.lightning.crmforce.mil", "https://acme.my.salesforce.mil", true },
        { "http://127.0.0.1:8080", "http://127.0.0.1:8080", true },
        { "http://localhost:8080/", "http://localhost:8080", true },
        { "http://[::1]:8080", "http://[::1]:8080", true },
        { "https://localhost:8443", "https://localhost:8443", false },
        { "http://127.1.2.3", "http://127.1.2.3", true },
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        char origin[2048];
        bool warned;
        T_STR(origin_of(forms[i].given, origin, sizeof(origin), &warned), forms[i].origin);
        T_INT(warned, forms[i].warns);
    }
}

static void
what_is_no_address_of_an_org_is_refused(void)
{
    static const char *const refused[][2] = {
        { "login.salesforce.com", "My Domain" },
        { "https://test.salesforce.com", "My Domain" },
        { "https://LOGIN.salesforce.com/", "My Domain" },
        { "evilsalesforce.com", "is no host of Salesforce" },
        { "acme.evilsalesforce.com", "is no host of Salesforce" },
        { "acme.my.salesforce.com.evil.com", "is no host of Salesforce" },
        { "acmemy.salesforce.com", "no My Domain host" },
        { "xmy.salesforce.com", "no My Domain host" },
        { "https://my.salesforce.com", "no My Domain host" },
        { "https://.my.salesforce.com", "no My Domain host" },
        { "https://a.b.c.my.salesforce.com", "no My Domain host" },
        { "https://-acme.my.salesforce.com", "no My Domain host" },
        { "https://na139.salesforce.com", "no My Domain host" },
        { "salesforce.com", "no My Domain host" },
        { "https://acme.my.salesforce.com.", "is no host of Salesforce" },
        { "https://acme.my.site.com", "its API is elsewhere" },
        { "acme.my.salesforce-setup.com", "its API is elsewhere" },
        { "acme--c.vf.force.com", "its API is elsewhere" },
        { "http://acme.my.salesforce.com", "write https://" },
        { "http://acme.lightning.force.com", "write https://" },
        { "http://127.0.0.1.evil.com", "is no host of Salesforce" },
        { "http://localhost.evil.com", "is no host of Salesforce" },
        { "http://127.0.0.256", "is no host of Salesforce" },
        { "http://127.1", "is no host of Salesforce" },
        { "http://10.0.0.1", "is no host of Salesforce" },
        { "http://[::2]", "is no host of Salesforce" },
        { "http://[::1", "has no end" },
        { "https://acme.my.salesforce.com:443", "leave the port out" },
        { "http://127.0.0.1:0", "port is no number" },
        { "http://127.0.0.1:99999", "port is no number" },
        { "http://127.0.0.1:80x", "port is no number" },
        { "https://acme.my.salesforce.com/lightning/setup",
          "write https://acme.my.salesforce.com" },
        { "acme.lightning.force.com/lightning/page/home", "write https://acme.my.salesforce.com" },
        { "https://acme.my.salesforce.com?x=1", "write https://acme.my.salesforce.com" },
        { "https://acme.my.salesforce.com\\\\@evil.com", "write https://acme.my.salesforce.com" },
        { "https://evil.com#.my.salesforce.com", "is no host of Salesforce" },
        { "ftp://acme.my.salesforce.com", "begin with https://" },
        { "javascript:alert(1)", "port is no number" },
        { "ac me", "no blanks" },
        { "https://acmé.my.salesforce.com", "beyond ASCII" },
        { "https://acme", "is no host of Salesforce" },
        { "acme_1", "is no My Domain name" },
        { "acme-dev-ed", "two forms" },
        { "https://", "is no host of Salesforce" },
        { "https://user@acme.my.salesforce.com", "before the '@'" },
    };

    for (size_t i = 0; i < COUNT(refused); i++) {
        char said[2048];
        bool warned;
        T_HAS(origin_of(refused[i][0], said, sizeof(said), &warned), refused[i][1]);
    }
}

static void
plain_http_is_warned_of_loudly(void)
{
    AUTO_RUN run = parse("{" BASE ",'domain_name':'http://127.0.0.1:9'}");

    T_OK(run.result, &run.err);
    T_HAS(about(run.warnings, "domain_name"), "CAUTION");
    T_HAS(about(run.warnings, "domain_name"), "in clear");
    T_HAS(about(run.warnings, "domain_name"), "simulated org");
    T_INT(length_of(run.warnings), 1);
}

static void
a_login_host_with_client_credentials_is_a_fault_with_its_remedy(void)
{
    static const char *const hosts[] = { "login.salesforce.com", "test.salesforce.com" };

    for (size_t i = 0; i < COUNT(hosts); i++) {
        char json[512];
        snprintf(json, sizeof(json),
                 "{" BASE ",'sf-token-endpoint':'https://%s/services/oauth2/token'}", hosts[i]);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_INT(length_of(run.faults), 1);
        T_HAS(about(run.faults, "token_endpoint"), "My Domain of the org only");
        T_HAS(about(run.faults, "token_endpoint"),
              "it then is https://acme.my.salesforce.com/services/oauth2/token");
    }
}

static void
a_token_endpoint_is_held_as_strictly_as_the_domain(void)
{
    static const char *const refused[][2] = {
        { "https://acme.my.salesforce.com", "leave the field out" },
        { "https://acme.my.salesforce.com/services/oauth2/token/", "the path of a token endpoint" },
        { "https://acme.my.salesforce.com/services/oauth2/token?a=b", "the path of a token" },
        { "acme.my.salesforce.com/services/oauth2/token", "a whole URL" },
        { "http://acme.my.salesforce.com/services/oauth2/token", "write https://" },
        { "https://evilsalesforce.com/services/oauth2/token", "is no host of Salesforce" },
        { "https://login/services/oauth2/token", "is no host of Salesforce" },
        { "http://127.0.0.1:8080/services/oauth2/token", "must both be this machine" },
        { "https://a:b@acme.my.salesforce.com/services/oauth2/token", "before the '@'" },
    };

    for (size_t i = 0; i < COUNT(refused); i++) {
        char json[512];
        snprintf(json, sizeof(json), "{" BASE ",'token_endpoint':'%s'}", refused[i][0]);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_HAS(about(run.faults, "token_endpoint"), refused[i][1]);
    }
}

static void
a_token_endpoint_of_another_org_is_warned_of(void)
{
    AUTO_RUN run = parse(
        "{" BASE ",'token_endpoint':'https://ACME2.my.salesforce.com/services/oauth2/token'}");

    T_OK(run.result, &run.err);
    T_STR(run.fields ? run.fields->token_endpoint : NULL,
          "https://acme2.my.salesforce.com/services/oauth2/token");
    T_HAS(about(run.warnings, "token_endpoint"), "another host than domain_name");
}

static const struct unit_case cases[] = {
    UNIT_CASE(every_form_of_a_domain_name_becomes_one_origin),
    UNIT_CASE(what_is_no_address_of_an_org_is_refused),
    UNIT_CASE(plain_http_is_warned_of_loudly),
    UNIT_CASE(a_login_host_with_client_credentials_is_a_fault_with_its_remedy),
    UNIT_CASE(a_token_endpoint_is_held_as_strictly_as_the_domain),
    UNIT_CASE(a_token_endpoint_of_another_org_is_warned_of),
};

int
main(int argc, char **argv)
{
    return unit_run("addresses", cases, COUNT(cases), argc, argv);
}
