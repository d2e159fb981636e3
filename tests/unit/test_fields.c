/* Connector fields: what an administrator types or pastes, what comes of it, and what is said when
 * it is wrong. Also that the sample file and the section of the manual in docs/ are those of the
 * table. Addresses have tests of their own. */
#include "patterns/pattern.h"
#include "schema/fields_table.h"
#include "tests/unit/fields_run.h"

/* ---- defaults ---- */

static void
five_fields_are_enough(void)
{
    AUTO_RUN run = parse("{" BASE "}");

    T_OK(run.result, &run.err);
    if (!run.fields)
        return;
    T_STR(run.fields->domain_name, "https://acme.my.salesforce.com");
    T_STR(run.fields->token_endpoint, "https://acme.my.salesforce.com/services/oauth2/token");
    T_STR(run.fields->api_version, "v67.0");
    T_STR(run.fields->client_secret, SECRET);
    T_STR(run.fields->profile, "Standard User");
    T_STR(run.fields->provisioning_pattern, "{UN}");
    T_STR(run.fields->provisioning_separator, "_");
    T_TRUE(run.fields->provisioning_domain == NULL);
    T_TRUE(run.fields->issuer == NULL);
    T_TRUE(run.fields->correlation_field == NULL);
    T_STR(run.fields->time_zone, "GMT");
    T_STR(run.fields->locale, "en_US");
    T_STR(run.fields->language, "en_US");
    T_STR(run.fields->email_encoding, "UTF-8");
    T_TRUE(!run.fields->use_password_grant && !run.fields->create_inactive);
    T_INT(run.fields->batch_size, 200);
    T_INT(run.fields->settle_window_s, 600);
    T_INT(run.fields->connect_timeout_s, 10);
    T_INT(run.fields->request_timeout_s, 120);
    T_INT(run.fields->retry_first_s, 1);
    T_INT(run.fields->retry_max_s, 3600);
    T_INT(run.fields->poll_interval_s, 1);
    T_INT(run.fields->event_retention_days, 90);
    T_INT(run.fields->guard_floor, 10);
    T_INT(run.fields->guard_percent, 30);
    T_TRUE(run.fields->pattern && run.fields->mapping);
    T_TRUE(mapping_has(run.fields->mapping, "LASTNAME"));
    T_INT(length_of(run.warnings), 0);
}

static void
every_missing_field_is_named_at_once(void)
{
    AUTO_RUN run = parse("{}");

    T_INT(run.result, PROV_E_FIELDS);
    T_INT(length_of(run.faults), 5);
    T_HAS(about(run.faults, "domain_name"), "required and not set: My Domain of the org");
    T_HAS(about(run.faults, "client_id"), "required and not set");
    T_HAS(about(run.faults, "client_secret"), "required and not set");
    T_HAS(about(run.faults, "profile"), "required and not set");
    T_HAS(about(run.faults, "store"), "required and not set");
    T_STR(json_get_string(json_object_array_get_idx(run.faults, 0), "value"), "");
    T_HAS(run.err.text, "'domain_name': it is required and not set");
    T_HAS(run.err.text, "(and 4 more faults)");
}

static void
faults_of_every_kind_are_told_together(void)
{
    AUTO_RUN run = parse(
        "{'domain_name':'login.salesforce.com','client_id':7,'client_secret':'" SECRET "',"
        "'profile':'P','store':'relative.db','ca_file':'proxy.pem','api_version':'40','batch_size':"
        "201,"
        "'provisioning_pattern':'{XX}','provisioning_domain':'@acme.com','poll_intervall_s':5,"
        "'create_inactive':'perhaps','correlation_field':'EmployeeNumber',"
        "'mapping':[{'field':'Titel','source':'title'},{'field':'Title','source':'a[','apply':3}]"
        "}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "domain_name"), "no org answers API calls there");
    T_HAS(about(run.faults, "domain_name"), "My Domain");
    T_HAS(about(run.faults, "client_id"), "write it in quotes");
    T_HAS(about(run.faults, "store"), "absolute path");
    T_HAS(about(run.faults, "ca_file"), "absolute path");
    T_HAS(about(run.faults, "api_version"), "31 to 40 will be in Summer '28");
    T_HAS(about(run.faults, "batch_size"), "whole number from 1 to 200");
    T_HAS(about(run.faults, "provisioning_pattern"), "unknown key");
    T_HAS(about(run.faults, "provisioning_domain"), "'@'");
    T_HAS(about(run.faults, "poll_intervall_s"), "'poll_interval_s'");
    T_HAS(about(run.faults, "create_inactive"), "write true or false");
    T_HAS(about(run.faults, "correlation_field"), "Host_Id__c");
    T_HAS(about(run.faults, "mapping[0].field"), "'Title'");
    T_HAS(about(run.faults, "mapping[1].source"), "position");
    T_HAS(about(run.faults, "mapping[1].apply"), "write \"always\" or \"create\"");
    T_INT(length_of(run.faults), 14);
}

/* ---- WSO2 ---- */

static void
a_wso2_export_can_be_pasted(void)
{
    AUTO_RUN run = parse(
        "{'connectorId':'c2FsZXNmb3JjZQ','name':'salesforce','isEnabled':true,"
        "'properties':[{'key':'sf-api-version','value':'41.0'},"
        "{'key':'sf-domain-name','value':'https://acme.my.salesforce.com'},"
        "{'key':'sf-clientid','value':'3MVG9abc'},"
        "{'key':'sf-client-secret','value':'" SECRET "'},"
        "{'name':'sf-username','value':''},{'name':'sf-password','value':null},"
        "{'name':'sf-usePasswordGrant','value':'false'},"
        "{'name':'sf-token-endpoint','value':'https://acme.my.salesforce.com/services/oauth2/"
        "token'},"
        "{'name':'sf-prov-pattern','value':'{UD,UN,TD,IDP}'},"
        "{'name':'sf-prov-separator','value':'-'},{'name':'sf-prov-domainName','value':'acme.com'},"
        "{'name':'identityProviderName','value':'Salesforce'},"
        "{'name':'userIdClaimUri','value':'http://wso2.org/claims/username'},"
        "{'name':'jitProvisioningEnabled','value':'1'}],"
        "'profile':'Standard User','store':'/s'}");
    struct pattern_user user = { .entity_name = "PRIMARY/alex", .identity_provider = "salesforce" };
    char username[PATTERN_MAX_BYTES];

    T_OK(run.result, &run.err);
    if (!run.fields)
        return;
    T_STR(run.fields->client_id, "3MVG9abc");
    T_STR(run.fields->identity_provider, "Salesforce");
    T_TRUE(run.fields->username == NULL);
    T_TRUE(!run.fields->use_password_grant);
    T_STR(run.fields->api_version, "v42.0");
    T_HAS(about(run.warnings, "api_version"), "v42.0 is used instead");
    T_HAS(about(run.warnings, "api_version"), "Summer '28");
    T_HAS(about(run.warnings, "userIdClaimUri"), "ignored");
    T_HAS(about(run.warnings, "jitProvisioningEnabled"), "ignored");
    T_INT(length_of(run.warnings), 3);
    T_OK(pattern_render(run.fields->pattern, &user, username, sizeof(username), NULL, &run.err),
         &run.err);
    T_STR(username, "primary-alex-carbon.super-salesforce@acme.com");
}

static void
a_flat_wso2_object_and_a_bare_list_are_read_too(void)
{
    AUTO_RUN flat =
        parse("{'sf-domain-name':'acme','sf-clientid':'i','sf-client-secret':'" SECRET
              "','profile':'P','store':'/s','batch_size':'50','create_inactive':'TRUE'}");
    AUTO_RUN list = parse("[{'name':'sf-domain-name','value':'acme'},{'name':'sf-clientid',"
                          "'value':'i'},{'name':'sf-client-secret','value':'" SECRET "'},"
                          "{'name':'profile','value':'P'},{'name':'store','value':'/s'}]");

    T_OK(flat.result, &flat.err);
    T_OK(list.result, &list.err);
    T_INT(flat.fields ? flat.fields->batch_size : 0, 50);
    T_TRUE(flat.fields && flat.fields->create_inactive);
    T_STR(list.fields ? list.fields->domain_name : NULL, "https://acme.my.salesforce.com");
}

static void
an_alias_and_its_field_must_agree(void)
{
    AUTO_RUN same = parse("{" BASE ",'sf-clientid':'3MVG9abc','sf-prov-pattern':'{UN}'}");
    AUTO_RUN other =
        parse("{" BASE ",'sf-clientid':'another','sf-client-secret':'other" SECRET "'}");

    T_OK(same.result, &same.err);
    T_INT(other.result, PROV_E_FIELDS);
    T_HAS(about(other.faults, "client_id"), "'client_id' and 'sf-clientid' are the same field");
    T_HAS(about(other.faults, "client_secret"), "'client_secret' and 'sf-client-secret'");
    T_INT(length_of(other.faults), 2);
}

static void
a_list_entry_without_a_name_is_a_fault_with_its_place(void)
{
    AUTO_RUN run = parse("{" BASE ",'properties':[{'name':'sf-prov-pattern','value':'{UN}'},"
                         "{'value':'x'},7]}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "properties[1]"), "a name (or key) and a value");
    T_HAS(about(run.faults, "properties[2]"), "a name (or key) and a value");
    T_INT(length_of(run.faults), 2);
}

static void
every_alias_of_wso2_is_known(void)
{
    static const char *const aliases[][2] = {
        { "sf-api-version", "api_version" },
        { "sf-domain-name", "domain_name" },
        { "sf-clientid", "client_id" },
        { "sf-client-secret", "client_secret" },
        { "sf-usePasswordGrant", "use_password_grant" },
        { "sf-username", "username" },
        { "sf-password", "password" },
        { "sf-token-endpoint", "token_endpoint" },
        { "sf-prov-pattern", "provisioning_pattern" },
        { "sf-prov-separator", "provisioning_separator" },
        { "sf-prov-domainName", "provisioning_domain" },
        { "identityProviderName", "identity_provider" },
    };
    const struct field_row *rows;
    size_t count, found = 0;

    rows = fields_table(&count);
    for (size_t i = 0; i < COUNT(aliases); i++) {
        for (size_t r = 0; r < count; r++) {
            if (rows[r].alias && strcmp(rows[r].alias, aliases[i][0]) == 0) {
                T_STR(rows[r].name, aliases[i][1]);
                found++;
            }
        }
    }
    T_INT(found, COUNT(aliases));
}

/* ---- single fields ---- */

static void
an_api_version_is_taken_in_every_form(void)
{
    static const struct {
        const char *given, *version, *said;
    } forms[] = {
        { "'v67.0'", "v67.0", "" },
        { "'67.0'", "v67.0", "" },
        { "67.0", "v67.0", "" },
        { "67", "v67.0", "" },
        { "'V66'", "v66.0", "" },
        { "'58'", "v58.0", "" },
        { "'57'", "v57.0", "three years" },
        { "'42'", "v42.0", "three years" },
        { "'41.0'", "v42.0", "v42.0 is used instead" },
        { "'40.0'", NULL, "31 to 40 will be in Summer '28" },
        { "30", NULL, "retired" },
        { "'67.1'", NULL, "write it as v67.0" },
        { "'latest'", NULL, "write it as v67.0" },
        { "'v67.0/../..'", NULL, "write it as v67.0" },
        { "-67", NULL, "write it as v67.0" },
        { "true", NULL, "a text is needed" },
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        char json[512];
        snprintf(json, sizeof(json), "{" BASE ",'api_version':%s}", forms[i].given);
        AUTO_RUN run = parse(json);
        T_STR(run.fields ? run.fields->api_version : NULL, forms[i].version);
        T_HAS(about(forms[i].version ? run.warnings : run.faults, "api_version"), forms[i].said);
    }
}

static void
user_and_password_are_kept_and_said_to_be_unused(void)
{
    AUTO_RUN run = parse("{" BASE ",'username':'api@acme.com','password':' with blanks '}");

    T_OK(run.result, &run.err);
    T_STR(run.fields ? run.fields->username : NULL, "api@acme.com");
    T_STR(run.fields ? run.fields->password : NULL, " with blanks ");
    T_HAS(about(run.warnings, "username"), "not used");
    T_HAS(about(run.warnings, "password"), "not used");
}

static void
a_pattern_with_idp_needs_the_identity_provider(void)
{
    AUTO_RUN without = parse("{" BASE ",'provisioning_pattern':'{UN,IDP}',"
                             "'provisioning_domain':'acme.com'}");
    AUTO_RUN with = parse("{" BASE ",'provisioning_pattern':'{UN,IDP}',"
                          "'provisioning_domain':'acme.com','identity_provider':'okta'}");

    T_INT(without.result, PROV_E_FIELDS);
    T_HAS(about(without.faults, "identity_provider"), "uses IDP");
    T_OK(with.result, &with.err);
    T_INT(length_of(with.warnings), 0);
}

static void
a_pattern_that_can_never_make_a_username_is_warned_of(void)
{
    AUTO_RUN run = parse("{" BASE ",'provisioning_pattern':'{UN,IDP}','provisioning_domain':"
                         "'acme.com','identity_provider':'My Salesforce'}");

    T_OK(run.result, &run.err);
    T_HAS(about(run.warnings, "provisioning_pattern"), "Salesforce refuses");
}

static void
a_separator_keeps_its_blanks_and_its_own_faults(void)
{
    AUTO_RUN blank = parse("{" BASE ",'provisioning_separator':' '}");
    AUTO_RUN bad = parse("{" BASE ",'provisioning_separator':'@','provisioning_domain':'a b'}");

    T_OK(blank.result, &blank.err);
    T_STR(blank.fields ? blank.fields->provisioning_separator : NULL, "_");
    T_INT(bad.result, PROV_E_FIELDS);
    T_HAS(about(bad.faults, "provisioning_separator"), "'@'");
    T_HAS(about(bad.faults, "provisioning_domain"), "position");
    T_INT(length_of(bad.faults), 2);
}

static void
numbers_are_held_to_their_ranges(void)
{
    static const char *const refused[] = { "0",    "201",  "-1",    "1.5", "'12x'",
                                           "''x'", "true", "[200]", "{}",  "99999999999999999999" };

    for (size_t i = 0; i < COUNT(refused); i++) {
        char json[512];
        snprintf(json, sizeof(json), "{" BASE ",'batch_size':%s}", refused[i]);
        AUTO_RUN run = parse(json);
        T_INT(run.result, PROV_E_FIELDS);
        T_INT(length_of(run.faults), 1);
    }
    AUTO_RUN crossed = parse("{" BASE ",'retry_first_s':20,'retry_max_s':10}");
    T_HAS(about(crossed.faults, "retry_first_s"), "longer than the longest");
    AUTO_RUN short_window = parse("{" BASE ",'settle_window_s':5}");
    T_OK(short_window.result, &short_window.err);
    T_HAS(about(short_window.warnings, "settle_window_s"), "10 minutes");
}

static void
user_settings_are_spelt_as_salesforce_does(void)
{
    AUTO_RUN run =
        parse("{" BASE ",'locale':'de-CH','language':'de-DE','time_zone':'Europe/Zurich',"
              "'email_encoding':'ISO-8859-1'}");
    AUTO_RUN bad = parse("{" BASE ",'time_zone':'Central European','email_encoding':'UTF 8'}");

    T_OK(run.result, &run.err);
    T_STR(run.fields ? run.fields->locale : NULL, "de_CH");
    T_STR(run.fields ? run.fields->language : NULL, "de");
    T_HAS(about(bad.faults, "time_zone"), "Europe/Paris");
    T_HAS(about(bad.faults, "email_encoding"), "UTF-8");
}

static void
a_mapping_rule_cannot_write_the_correlation_field(void)
{
    AUTO_RUN run = parse("{" BASE ",'correlation_field':'Host_Id__c',"
                         "'mapping':[{'field':'host_id__c','source':'externalId'}]}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "mapping"), "correlation field");
}

static void
an_unknown_field_names_the_nearest_one(void)
{
    static const char *const names[][2] = {
        { "domainName", "domain_name" },
        { "clientId", "client_id" },
        { "Client_Secret", "client_secret" },
        { "sf_client_secret", "sf-client-secret" },
        { "provisoning_patern", "provisioning_pattern" },
        { "timezone", "time_zone" },
        { "gaurd_floor", "guard_floor" },
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        char json[512], want[64];
        snprintf(json, sizeof(json),
                 "{" BASE ",'%s':'"
                 "x" SECRET "'}",
                 names[i][0]);
        snprintf(want, sizeof(want), "the nearest known field is '%s'", names[i][1]);
        AUTO_RUN run = parse(json);
        T_INT(length_of(run.faults), 1);
        T_HAS(about(run.faults, names[i][0]), want);
    }
}

static void
what_is_told_of_a_strange_name_and_of_no_number_fits(void)
{
    AUTO_RUN run = parse("{" BASE ",'permission_sets':['A'],'guard_percent':'a'}");

    T_INT(length_of(run.faults), 2);
    T_HAS(about(run.faults, "guard_percent"), "no whole number");
    T_HAS(about(run.faults, "permission_sets"), "`sfprov fields` lists them");
}

static void
a_byte_order_mark_is_no_fault(void)
{
    AUTO_RUN run = parse_text("\xef\xbb\xbf{}");

    T_HAS(about(run.faults, "profile"), "required");
}

static void
text_that_is_no_json_is_told_with_its_place(void)
{
    AUTO_RUN broken = parse_text("{\"domain_name\": \"acme\",\n  \"client_id\" 7}");
    AUTO_RUN number = parse_text("7");
    AUTO_RUN empty = parse_text("");

    T_INT(broken.result, PROV_E_FIELDS);
    T_HAS(broken.err.text, "line 2");
    T_INT(length_of(broken.faults), 1);
    T_INT(number.result, PROV_E_FIELDS);
    T_HAS(number.err.text, "one JSON object");
    T_INT(empty.result, PROV_E_FIELDS);
}

static void
control_characters_are_refused(void)
{
    AUTO_RUN run = parse("{" BASE ",'profile':'a\\nb','client_id':'x\\u0000y'}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "profile"), "control character at position 2");
    T_HAS(about(run.faults, "client_id"), "control character at position 2");
}

static void
a_long_value_is_shortened_between_characters(void)
{
    char json[2048], store[600] = "";
    const char *value;

    for (size_t i = 0; i < 100; i++)
        strcat(store, "ä");
    snprintf(json, sizeof(json), "{" BASE ",'store':'%s'}", store);
    AUTO_RUN run = parse(json);
    value = json_get_string(json_object_array_get_idx(run.faults, 0), "value");
    T_INT(strlen(value), 60 * 2 + 3);
    T_HAS(value, "ä...");
}

/* ---- secrets ---- */

/* Whether a part of the secret, 6 characters of it, stands anywhere in what was said. */
static bool
leaks(const struct run *run, const char *secret)
{
    const char *texts[] = { run->err.text,
                            run->faults ? json_object_to_json_string(run->faults) : "",
                            run->warnings ? json_object_to_json_string(run->warnings) : "" };

    for (size_t i = 0; i + 6 <= strlen(secret); i++) {
        char part[7];
        memcpy(part, secret + i, 6);
        part[6] = '\0';
        for (size_t t = 0; t < COUNT(texts); t++) {
            if (strstr(texts[t], part))
                return true;
        }
    }
    return false;
}

static void
no_secret_is_ever_in_a_message(void)
{
    static const char *const cases[] = {
        "{" BASE ",'client_secret':['" SECRET "']}",
        "{" BASE ",'client_secret':{'value':'" SECRET "'}}",
        "{" BASE ",'client_secret':'" SECRET "\\n'}",
        "{" BASE ",'client_secret':'" SECRET "\\u0007x'}",
        "{" BASE ",'client_secret':'<" SECRET ">'}",
        "{" BASE ",'sf-client-secret':'" SECRET "2'}",
        "{" BASE ",'client_secrt':'" SECRET "'}",
        "{" BASE ",'properties':[{'name':'sf-client-sceret','value':'" SECRET "'}]}",
        "{" BASE ",'domain_name':'https://api:" SECRET "@acme.my.salesforce.com'}",
        "{" BASE ",'token_endpoint':'https://x.test/?client_secret=" SECRET "'}",
        "{" BASE ",'client_id':'" SECRET "','batch_size':'" SECRET "','store':'" SECRET "'}",
        "{" BASE ",'provisioning_pattern':'{" SECRET "}','provisioning_domain':'" SECRET "'}",
        "{" BASE ",'mapping':[{'field':'" SECRET "','source':'" SECRET "['}]}",
        "{" BASE ",'" SECRET "':1}",
        "{" BASE ",'api_version':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" SECRET "'}",
        "{" BASE ",'password':'" SECRET "','domain_name':'" SECRET ".example.com'}",
        "{" BASE ",'use_password_grant':'" SECRET "','create_inactive':'" SECRET "'}",
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_RUN run = parse(cases[i]);
        T_TRUE(!leaks(&run, SECRET));
        if (leaks(&run, SECRET))
            printf("      case %zu: %s\n", i, run.err.text);
    }
    AUTO_RUN number = parse("{" BASE ",'client_secret':1234567890123,'batch_size':1234567890123}");
    T_INT(number.result, PROV_E_FIELDS);
    T_TRUE(!leaks(&number, "1234567890123"));
}

static void
credentials_in_an_address_and_short_secrets_are_not_shown_either(void)
{
    AUTO_RUN address =
        parse("{" BASE ",'domain_name':'https://api:Passw0rdX@acme.my.salesforce.com',"
              "'token_endpoint':'https://a.my.salesforce.com/?secret=Passw0rdX'}");
    AUTO_RUN brief = parse("{" BASE ",'client_secret':['q7'],'password':{'q':'q7'}}");

    T_INT(length_of(address.faults), 2);
    T_TRUE(!leaks(&address, "Passw0rdX"));
    T_INT(length_of(brief.faults), 2);
    T_TRUE(!strstr(json_object_to_json_string(brief.faults), "q7"));
}

static void
a_masked_secret_of_an_export_is_noticed(void)
{
    AUTO_RUN run = parse("{" BASE ",'client_secret':'********'}");

    T_INT(run.result, PROV_E_FIELDS);
    T_HAS(about(run.faults, "client_secret"), "masked");
}

static void
the_fields_in_force_show_defaults_and_no_secret(void)
{
    AUTO_RUN run = parse("{" BASE ",'password':'hunter2token','mapping':[{'field':'City',"
                         "'remove':true}]}");
    AUTO_JSON struct json_object *shown = NULL;
    struct json_object *fields;

    T_OK(run.result, &run.err);
    if (!run.fields)
        return;
    T_OK(fields_effective(run.fields, &shown, &run.err), &run.err);
    fields = json_get(shown, "fields");
    T_STR(json_get_string(fields, "client_secret"), "***");
    T_STR(json_get_string(fields, "password"), "***");
    T_STR(json_get_string(fields, "time_zone"), "GMT");
    T_INT(json_get_int(fields, "batch_size", 0), 200);
    T_TRUE(json_get(fields, "issuer") == NULL);
    T_INT(length_of(json_get(fields, "mapping")), 1);
    T_TRUE(json_get(fields, "mapping") != run.fields->mapping_rules);
    T_TRUE(!strstr(json_object_to_json_string(shown), "hunter2"));
}

/* ---- digest ---- */

static void
the_plan_digest_follows_what_decides_a_plan_only(void)
{
    static const char *const same[] = {
        "{" BASE ",'client_secret':'another-secret','client_id':'other'}",
        "{" BASE ",'domain_name':'other','api_version':'66','batch_size':5}",
        "{" BASE ",'store':'/elsewhere','retry_max_s':60,'guard_percent':90}",
        "{" BASE ",'provisioning_pattern':' {UN} ','locale':'en-US'}",
        "{" BASE ",'username':'u','password':'p'}",
    };
    static const char *const other[] = {
        "{" BASE ",'provisioning_pattern':'{UN,TD}'}",
        "{" BASE ",'provisioning_separator':'-'}",
        "{" BASE ",'provisioning_domain':'acme.com'}",
        "{" BASE ",'identity_provider':'x'}",
        "{" BASE ",'tenant_domain':'x'}",
        "{" BASE ",'user_domain':'x'}",
        "{" BASE ",'profile':'Other'}",
        "{" BASE ",'time_zone':'Europe/Paris'}",
        "{" BASE ",'locale':'fr_FR'}",
        "{" BASE ",'language':'fr'}",
        "{" BASE ",'email_encoding':'ISO-8859-1'}",
        "{" BASE ",'correlation_field':'Host_Id__c'}",
        "{" BASE ",'create_inactive':true}",
        "{" BASE ",'mapping':[{'field':'Title','source':'title','apply':'create'}]}",
    };
    AUTO_RUN base = parse("{" BASE "}");

    T_INT(strlen(base.fields->plan_digest), 64);
    for (size_t i = 0; i < COUNT(same); i++) {
        AUTO_RUN run = parse(same[i]);
        T_OK(run.result, &run.err);
        T_STR(run.fields ? run.fields->plan_digest : NULL, base.fields->plan_digest);
    }
    for (size_t i = 0; i < COUNT(other); i++) {
        AUTO_RUN run = parse(other[i]);
        T_OK(run.result, &run.err);
        T_TRUE(run.fields && strcmp(run.fields->plan_digest, base.fields->plan_digest) != 0);
    }
}

static void
the_order_of_members_does_not_change_the_digest(void)
{
    AUTO_RUN one = parse("{" BASE ",'mapping':[{'field':'Title','source':'x','apply':'create'}],"
                         "'time_zone':'Europe/Paris'}");
    AUTO_RUN two = parse("{'time_zone':'Europe/Paris','mapping':[{'apply':'create','source':'x',"
                         "'field':'Title'}]," BASE "}");

    T_STR(one.fields ? one.fields->plan_digest : "1", two.fields ? two.fields->plan_digest : "2");
}

/* ---- describe, sample, manual ---- */

static void
describe_says_what_the_table_says(void)
{
    AUTO_FREE char *text = NULL;
    AUTO_JSON struct json_object *schema = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    const struct field_row *rows;
    size_t count, required = 0;

    T_OK(fields_describe(&text, &err), &err);
    T_OK(json_parse(text, strlen(text), "the schema", &schema, &err), &err);
    T_STR(json_get_string(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
    T_TRUE(!json_get_bool(schema, "additionalProperties", true));
    rows = fields_table(&count);
    T_INT(json_object_object_length(json_get(schema, "properties")), count);
    for (size_t i = 0; i < count; i++) {
        struct json_object *property = json_get(json_get(schema, "properties"), rows[i].name);
        bool secret = (rows[i].flags & FIELD_SECRET) != 0;
        T_STR(json_get_string(property, "title"), rows[i].title);
        T_STR(json_get_string(property, "description"), rows[i].help);
        T_STR(json_get_string(property, "x-alias"), rows[i].alias);
        T_INT(json_get_int(property, "x-order", 0), i + 1);
        T_INT(json_get_bool(property, "writeOnly", false), secret);
        T_INT(json_get(property, "default") != NULL, rows[i].fallback != NULL);
        T_TRUE(!secret || !rows[i].fallback);
        if (rows[i].type == FIELD_INTEGER) {
            T_INT(json_get_int(property, "minimum", -1), rows[i].minimum);
            T_INT(json_get_int(property, "maximum", -1), rows[i].maximum);
            T_TRUE(rows[i].unit != NULL);
        }
        if (rows[i].flags & FIELD_REQUIRED)
            T_STR(json_object_get_string(
                      json_object_array_get_idx(json_get(schema, "required"), required++)),
                  rows[i].name);
    }
    T_INT(length_of(json_get(schema, "required")), required);
    T_STR(json_get_string(json_get(json_get(schema, "properties"), "mapping"), "type"), "array");
}

static void
the_schema_holds_the_rule_keys_that_the_mapping_takes(void)
{
    AUTO_FREE char *text = NULL;
    AUTO_JSON struct json_object *schema = NULL;
    struct json_object *keys;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(fields_describe(&text, &err), &err);
    T_OK(json_parse(text, strlen(text), "the schema", &schema, &err), &err);
    keys = json_get(json_get(json_get(json_get(schema, "properties"), "mapping"), "items"),
                    "properties");
    T_INT(json_object_object_length(keys), 15);
    json_object_object_foreach(keys, key, value)
    {
        char json[512];
        (void)value;
        snprintf(json, sizeof(json), "{" BASE ",'mapping':[{'%s':{}}]}", key);
        AUTO_RUN run = parse(json);
        T_TRUE(!strstr(json_object_to_json_string(run.faults), "no rule has the key"));
    }
}

/* The sample with each placeholder replaced by something usable. */
static void
the_sample_works_once_it_is_filled_in(void)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *filled = NULL;
    AUTO_JSON struct json_object *sample = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(fields_sample(&text, &err), &err);
    AUTO_RUN as_printed = parse_text(text);
    T_INT(as_printed.result, PROV_E_FIELDS);
    T_INT(length_of(as_printed.faults), 4);
    T_HAS(about(as_printed.faults, "domain_name"), "placeholder");
    T_HAS(about(as_printed.faults, "client_id"), "placeholder");
    T_HAS(about(as_printed.faults, "client_secret"), "placeholder");
    T_HAS(about(as_printed.faults, "profile"), "placeholder");
    T_OK(json_parse(text, strlen(text), "the sample", &sample, &err), &err);
    T_INT(json_put_string(sample, "domain_name", "acme"), 0);
    T_INT(json_put_string(sample, "client_id", "id"), 0);
    T_INT(json_put_string(sample, "client_secret", SECRET), 0);
    T_INT(json_put_string(sample, "profile", "Standard User"), 0);
    filled = json_text(sample);
    AUTO_RUN run = parse_text(filled);
    T_OK(run.result, &run.err);
    T_INT(length_of(run.warnings), 0);
    AUTO_RUN plain = parse("{" BASE "}");
    T_STR(run.fields ? run.fields->plan_digest : NULL, plain.fields->plan_digest + 0);
}

/* The committed file, from the source tree that the environment names; heap. */
static char *
committed(const char *name)
{
    const char *top = getenv("srcdir");
    char path[4096], *text = NULL;
    size_t length = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
    file = fopen(path, "r");
    if (!file) {
        printf("    cannot read '%s'; run from the top of the sources, or set srcdir\n", path);
        return NULL;
    }
    if (getdelim(&text, &length, EOF, file) < 0)
        text[0] = '\0';
    fclose(file);
    return text;
}

static void
the_committed_sample_and_manual_are_those_of_the_table(void)
{
    AUTO_FREE char *sample = NULL;
    AUTO_FREE char *mdoc = NULL;
    AUTO_FREE char *sample_file = committed("docs/sfprov.sample.json");
    AUTO_FREE char *mdoc_file = committed("docs/man/fields.mdoc.inc");
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(fields_sample(&sample, &err), &err);
    T_OK(fields_mdoc(&mdoc, &err), &err);
    T_STR(sample_file, sample);
    T_STR(mdoc_file, mdoc);
    if (!sample_file || !mdoc_file || strcmp(sample, sample_file) != 0 ||
        strcmp(mdoc, mdoc_file) != 0)
        printf("    run `make fields-docs` and commit what changed\n");
}

static void
the_manual_names_every_field_and_alias(void)
{
    AUTO_FREE char *mdoc = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    const struct field_row *rows;
    size_t count;

    T_OK(fields_mdoc(&mdoc, &err), &err);
    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        char line[128];
        snprintf(line, sizeof(line), ".It Va %s\n", rows[i].name);
        T_HAS(mdoc, line);
    }
    T_HAS(mdoc, "sf\\-prov\\-domainName");
    T_TRUE(!strstr(mdoc, "\n\n"));
}

static const struct unit_case cases[] = {
    UNIT_CASE(five_fields_are_enough),
    UNIT_CASE(every_missing_field_is_named_at_once),
    UNIT_CASE(faults_of_every_kind_are_told_together),
    UNIT_CASE(a_wso2_export_can_be_pasted),
    UNIT_CASE(a_flat_wso2_object_and_a_bare_list_are_read_too),
    UNIT_CASE(an_alias_and_its_field_must_agree),
    UNIT_CASE(a_list_entry_without_a_name_is_a_fault_with_its_place),
    UNIT_CASE(every_alias_of_wso2_is_known),
    UNIT_CASE(an_api_version_is_taken_in_every_form),
    UNIT_CASE(user_and_password_are_kept_and_said_to_be_unused),
    UNIT_CASE(a_pattern_with_idp_needs_the_identity_provider),
    UNIT_CASE(a_pattern_that_can_never_make_a_username_is_warned_of),
    UNIT_CASE(a_separator_keeps_its_blanks_and_its_own_faults),
    UNIT_CASE(numbers_are_held_to_their_ranges),
    UNIT_CASE(user_settings_are_spelt_as_salesforce_does),
    UNIT_CASE(a_mapping_rule_cannot_write_the_correlation_field),
    UNIT_CASE(an_unknown_field_names_the_nearest_one),
    UNIT_CASE(what_is_told_of_a_strange_name_and_of_no_number_fits),
    UNIT_CASE(a_byte_order_mark_is_no_fault),
    UNIT_CASE(text_that_is_no_json_is_told_with_its_place),
    UNIT_CASE(control_characters_are_refused),
    UNIT_CASE(a_long_value_is_shortened_between_characters),
    UNIT_CASE(no_secret_is_ever_in_a_message),
    UNIT_CASE(credentials_in_an_address_and_short_secrets_are_not_shown_either),
    UNIT_CASE(a_masked_secret_of_an_export_is_noticed),
    UNIT_CASE(the_fields_in_force_show_defaults_and_no_secret),
    UNIT_CASE(the_plan_digest_follows_what_decides_a_plan_only),
    UNIT_CASE(the_order_of_members_does_not_change_the_digest),
    UNIT_CASE(describe_says_what_the_table_says),
    UNIT_CASE(the_schema_holds_the_rule_keys_that_the_mapping_takes),
    UNIT_CASE(the_sample_works_once_it_is_filled_in),
    UNIT_CASE(the_committed_sample_and_manual_are_those_of_the_table),
    UNIT_CASE(the_manual_names_every_field_and_alias),
};

/* --print-sample, --print-mdoc, --print-schema: the text on stdout, for `make fields-docs`. */
static int
print(const char *what)
{
    AUTO_FREE char *text = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int result = strcmp(what, "--print-sample") == 0 ? fields_sample(&text, &err)
                 : strcmp(what, "--print-mdoc") == 0 ? fields_mdoc(&text, &err)
                                                     : fields_describe(&text, &err);

    if (result)
        fprintf(stderr, "%s\n", err.text);
    else
        fputs(text, stdout);
    return result ? 1 : 0;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--print-", 8) == 0)
        return print(argv[1]);
    return unit_run("fields", cases, COUNT(cases), argc, argv);
}
