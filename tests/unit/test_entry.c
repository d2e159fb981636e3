/* What an entry of a directory says of a person, and the token that carries it. */
#include "tests/unit/unit.h"

#include <json-c/json.h>

#include "hosts/adapter/token.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/strict.h"
#include "hosts/ldap/entry.h"
#include "hosts/ldap/member.h"
#include "hosts/slapi/waiting.h"

#define UUID "0b1c2d3e-0000-103f-8000-000000000001"

static struct prov_error err = PROV_ERROR_INIT;

static struct columns *
columns_of(const char *file)
{
    struct columns_options options = { .file = file };
    struct columns *columns = NULL;

    T_OK(columns_make(&options, true, &columns, &err), &err);
    return columns;
}

/* Values as "name=text" pairs; *ret_count of them. Names and texts stay in `pairs`. */
static size_t
split(char *pairs, struct ldap_value *values)
{
    size_t count = 0;

    for (char *rest = pairs, *pair; (pair = strtok_r(rest, "|", &rest));) {
        char *text = strchr(pair, '=');

        *text++ = '\0';
        values[count++] = (struct ldap_value){ .name = pair,
                                               .text = text,
                                               .length = strlen(text),
                                               .binary = strpbrk(text, "\xfe\xff") != NULL };
    }
    return count;
}

/* The resource of an entry of inetOrgPerson with these values and a key; static text. */
static const char *
resource_of(const struct entry_options *given, const char *columns_file, const char *text)
{
    static char result[4000];
    struct columns *columns = columns_of(columns_file);
    struct entry_options options = *given;
    struct ldap_value values[40];
    struct entry_person person = { .id = NULL };
    struct ldap_entry entry = { .dn = "uid=ada,dc=x", .values = values };
    char pairs[2000];

    snprintf(pairs, sizeof(pairs), "objectclass=inetOrgPerson|entryuuid=" UUID "|%s", text);
    entry.count = split(pairs, values);
    options.columns = columns;
    options.key = "entryUUID";
    snprintf(result, sizeof(result), "failed");
    if (!entry_read(&options, &entry, &person, &err)) {
        snprintf(result, sizeof(result), "%s", person.resource.json);
        T_STR(person.uri, "/Users/" UUID);
        entry_person_clear(&person);
    } else {
        snprintf(result, sizeof(result), "%s", err.text);
    }
    columns_free(columns);
    return result;
}

static const struct entry_options plain;

static void
a_person_is_read_by_the_attributes_of_inetorgperson(void)
{
    const char *text = resource_of(&plain, NULL,
                                   "uid=ada|cn=Ada L|sn=Lovelace|mail=a@x.example|mail=b@x.example|"
                                   "jpegphoto=no text is looked at");

    T_HAS(text, "\"userName\":\"ada\"");
    T_HAS(text, "\"familyName\":\"Lovelace\"");
    T_HAS(text, "{\"type\":\"work\",\"value\":\"a@x.example\"},{\"type\":\"work\",\"value\":\"b@x."
                "example\"}");
    T_HAS(text, "\"externalId\":\"" UUID "\"");
    T_TRUE(!strstr(text, "active"));
}

static void
only_a_lock_for_good_makes_a_user_inactive(void)
{
    T_HAS(resource_of(&plain, NULL, "uid=a|pwdaccountlockedtime=000001010000Z"),
          "\"active\":false");
    T_HAS(resource_of(&plain, NULL, "uid=a|pwdaccountlockedtime=20261127120000Z"),
          "\"active\":true");
    T_HAS(resource_of(&plain, NULL, "uid=a|nsaccountlock=TRUE"), "\"active\":false");
    T_HAS(resource_of(&plain, NULL, "uid=a|nsaccountlock=false"), "\"active\":true");
}

static void
of_two_locks_each_is_enough(void)
{
    T_HAS(resource_of(&plain, NULL, "uid=a|nsaccountlock=false|pwdaccountlockedtime=000001010000Z"),
          "\"active\":false");
    T_HAS(
        resource_of(&plain, NULL, "uid=a|nsaccountlock=true|pwdaccountlockedtime=20261127120000Z"),
        "\"active\":false");
}

static void
a_configured_lock_takes_the_place_of_the_known_ones(void)
{
    const char *file = "{\"columns\":{\"employeeType\":{\"path\":\"active\",\"false\":[\"left\"],"
                       "\"otherwise\":true}}}";

    T_HAS(resource_of(&plain, file, "uid=a|employeetype=left"), "\"active\":false");
    T_HAS(resource_of(&plain, file, "uid=a|employeetype=staff|nsaccountlock=true"),
          "\"active\":true");
}

static void
groups_are_named_by_their_dn(void)
{
    T_HAS(resource_of(&plain, NULL, "uid=a|memberof=cn=crm,dc=x|memberof=cn=all,dc=x"),
          "\"groups\":[{\"value\":\"cn=crm,dc=x\"},{\"value\":\"cn=all,dc=x\"}]");
}

static int
find_manager(void *context, const char *dn, char **ret, struct prov_error *error)
{
    if (!strcmp(dn, "uid=broken,dc=x"))
        return fault_set(error, PROV_E_STATE, "the server cannot tell");
    *ret = strcmp(dn, "uid=boss,dc=x") ? NULL : strdup(context);
    return PROV_OK;
}

static void
a_manager_is_the_key_of_an_entry_or_nobody(void)
{
    const struct entry_options options = { .manager = find_manager,
                                           .manager_is_key = true,
                                           .context = (void *)"77" };

    T_HAS(resource_of(&options, NULL, "uid=a|manager=uid=boss,dc=x"),
          "\"manager\":{\"value\":\"77\",\"$ref\":\"/Users/77\"}");
    T_TRUE(!strstr(resource_of(&options, NULL, "uid=a|manager=uid=nobody,dc=x"), "manager\""));
    T_STR(resource_of(&options, NULL, "uid=a|manager=uid=broken,dc=x"), "the server cannot tell");
    T_HAS(resource_of(&plain, NULL, "uid=a|manager=UID=Boss, DC=x"), "\"value\":\"uid=boss,dc=x\"");
}

static void
what_is_wrong_in_an_entry_names_it(void)
{
    const struct ldap_value values[] = {
        { .name = "sn", .text = "\xff", .length = 1, .binary = true },
        { .name = "entryuuid", .text = UUID, .length = 36 }
    };
    struct columns *columns = columns_of(NULL);
    struct entry_options options = { .columns = columns, .key = "entryUUID" };
    struct ldap_entry entry = { .dn = "uid=ada,dc=x", .values = values, .count = 2 };
    struct entry_person person;

    T_INT(entry_read(&options, &entry, &person, &err), PROV_E_INVALID);
    T_HAS(err.text, "entry 'uid=ada,dc=x', attribute 'sn': the value is not UTF-8 text");
    entry.count = 0;
    T_INT(entry_read(&options, &entry, &person, &err), PROV_E_INVALID);
    T_HAS(err.text, "'uid=ada,dc=x' has no entryUUID");
    T_HAS(resource_of(&plain, NULL, "uid=a|nsaccountlock=perhaps"),
          "attribute 'nsaccountlock': what 'perhaps' means is not said");
    columns_free(columns);
}

/* ---- tokens ---- */

static struct json_object *
token_of(const struct token_spec *spec, char **ret_text)
{
    const char *reason;
    size_t end;
    struct token token;
    struct json_object *json;

    T_OK(token_make(spec, &token, &err), &err);
    T_INT(token.length, strlen(token.json));
    json = strict_parse(token.json, token.length, &reason, &end);
    T_TRUE(json != NULL);
    T_INT(end, token.length);
    *ret_text = strdup(token.json);
    token_clear(&token);
    return json;
}

/* Of an attribute of several values, too: what could be read of it alone would take the rest away. */
static void
what_cannot_be_read_may_be_a_gap(void)
{
    const char *file = "{\"columns\":{\"employeeType\":{\"path\":\"active\",\"false\":[\"left\"],"
                       "\"true\":[\"staff\"]}}}";
    struct entry_gaps gaps = { .count = 0 };
    const struct entry_options tolerant = { .gaps = &gaps };
    const char *text = resource_of(&tolerant, file,
                                   "uid=ada|sn=L|mail=a@x.example|mail=\xff|mail=\xfe|title=Dr|"
                                   "employeetype=perhaps");

    T_HAS(text, "\"userName\":\"ada\"");
    T_HAS(text, "\"title\":\"Dr\"");
    T_TRUE(!strstr(text, "emails") && !strstr(text, "active"));
    T_INT(gaps.count, 2);
    T_HAS(resource_of(&plain, file, "uid=ada|mail=\xff"), "'mail': the value is not UTF-8 text");
    gaps = (struct entry_gaps){ .count = 0 };
    T_HAS(resource_of(&tolerant, file, "uid=ada|employeetype=left"), "\"active\":false");
    T_INT(gaps.count, 0);
}

static void
a_dn_has_one_spelling(void)
{
    static const char *const pairs[][2] = {
        { "UID=Ada, OU=People ,dc=x", "uid=ada,ou=people,dc=x" },
        { "ou=Sales\\, EMEA,dc=x", "ou=sales\\2c emea,dc=x" },
        { "ou=Sales\\2C EMEA;dc=x", "ou=sales\\2c emea,dc=x" },
        { "ou=\"Sales, EMEA\" , dc=x", "ou=sales\\2c emea,dc=x" },
        { "ou=\"a=b;c , d\\\"e\"+cn=f,dc=x", "ou=a\\3db\\3bc \\2c d\\22e+cn=f,dc=x" },
        { "cn=a\\+b\\\\c\\\"d+uid=e", "cn=a\\2bb\\5cc\\22d+uid=e" },
        { "cn=a=b", "cn=a\\3db" },
        { "cn=a\\3Db", "cn=a\\3db" },
        { "cn=\\ a\\ ", "cn=\\20a\\20" },
        { "cn=a  b ", "cn=a  b" },
        { "cn=\\C3\\BC\\41\\00", "cn=\xc3\xbc"
                                 "a\\00" },
        { "cn=a\\", "cn=a\\" },
        { "", "" },
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char *once = entry_plain_dn(pairs[i][0]);
        char *again = entry_plain_dn(once);

        T_STR(once, pairs[i][1]);
        T_STR(again, once);
        free(once);
        free(again);
    }
}

static void
two_tokens_of_one_change_differ_in_their_id_alone(void)
{
    struct json_object *jti[2], *json[2];
    struct token_spec spec = { .kind = TOKEN_PUT,
                               .host = "slapd",
                               .uri = "/Users/7",
                               .change = "20261127120000.000000Z#000000#000#000000",
                               .resource = "{\"userName\":\"ada\"}" };
    char *text[2];

    for (int i = 0; i < 2; i++) {
        json[i] = token_of(&spec, &text[i]);
        json_object_object_get_ex(json[i], "jti", &jti[i]);
        T_HAS(text[i], "\"txn\":\"20261127120000.000000Z#000000#000#000000\"");
        T_HAS(text[i],
              "{\"urn:ietf:params:scim:event:prov:put:full\":{\"data\":{\"userName\":\"ada\"}}}");
    }
    T_TRUE(strcmp(json_object_get_string(jti[0]), json_object_get_string(jti[1])) != 0);
    for (int i = 0; i < 2; i++) {
        json_object_put(json[i]);
        free(text[i]);
    }
}

static void
each_kind_is_an_event_of_its_own(void)
{
    static const struct {
        enum token_kind kind;
        const char *event;
    } cases[] = {
        { TOKEN_CREATE,
          "prov:create:full\":{\"data\":{}},\"urn:ietf:params:scim:event:feed:add\":{}}" },
        { TOKEN_LOCK, "prov:patch:full\":{\"data\":{\"Operations\":[{\"op\":\"replace\",\"value\":"
                      "{\"active\":false}}]}}}" },
        { TOKEN_PASSWORD, "prov:patch:notice\":{\"attributes\":[\"password\"]},\"urn" },
        { TOKEN_LEAVE, "{\"urn:ietf:params:scim:event:feed:remove\":{}}" },
        { TOKEN_DELETE, "{\"urn:ietf:params:scim:event:prov:delete\":{}}" }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool data = cases[i].kind <= TOKEN_PASSWORD && cases[i].kind != TOKEN_LOCK;
        struct token_spec spec = {
            .kind = cases[i].kind, .host = "h", .uri = "/Users/7", .scoped = true
        };
        char *text;

        spec.resource = data ? "{}" : NULL;
        json_object_put(token_of(&spec, &text));
        T_HAS(text, cases[i].event);
        T_TRUE(!strstr(text, "txn"));
        free(text);
    }
}

static void
a_password_is_written_as_it_is(void)
{
    static const char password[] = "a\"b\\c\nd\xc3\xa9";
    struct json_object *json, *found = NULL;
    struct token_spec spec = { .kind = TOKEN_PUT,
                               .host = "h",
                               .uri = "/Users/7",
                               .resource = "{\"userName\":\"ada\"}",
                               .password = password,
                               .password_length = strlen(password) };
    char *text;

    for (int round = 0; round < 2; round++) {
        json = token_of(&spec, &text);
        json_object_object_get_ex(json, "events", &found);
        json_object_object_get_ex(found, "urn:ietf:params:scim:event:prov:put:full", &found);
        json_object_object_get_ex(found, "data", &found);
        json_object_object_get_ex(found, "password", &found);
        T_STR(json_object_get_string(found), password);
        json_object_put(json);
        free(text);
        spec.resource = "{}"; /* then an object without anything else */
    }
}

static void
a_patch_replaces_what_it_names(void)
{
    struct token_spec spec = { .kind = TOKEN_PATCH,
                               .host = "h",
                               .uri = "/Users/7",
                               .resource = "{\"userName\":\"ada\",\"active\":false}" };
    char *text;

    json_object_put(token_of(&spec, &text));
    T_HAS(text, "prov:patch:full\":{\"data\":{\"Operations\":[{\"op\":\"replace\",\"value\":"
                "{\"userName\":\"ada\",\"active\":false}}]}}}}");
    free(text);
    spec.password = "a\"b";
    spec.password_length = 3;
    json_object_put(token_of(&spec, &text));
    T_HAS(text, "\"value\":{\"password\":\"a\\u0022b\",\"userName\":");
    free(text);
}

/* Without a resource nothing is said of the user, and a question for it has no answer. */
static void
a_password_alone_has_no_resource(void)
{
    struct token_spec spec = { .kind = TOKEN_PASSWORD, .host = "h", .uri = "/Users/7" };
    struct token token;

    T_OK(token_make(&spec, &token, &err), &err);
    T_TRUE(token.resource == NULL);
    token_clear(&token);
}

static void
a_filter_of_groups_names_dn_and_uids_escaped(void)
{
    struct ldap_value values[] = { { .name = "uid", .text = "a*b" },
                                   { .name = "sn", .text = "B" },
                                   { .name = "uid", .text = "c(d)\\e" },
                                   { .name = "uid", .text = "f", .binary = true } };
    struct ldap_entry person = { .dn = "cn=A\\2c B,dc=x", .values = values, .count = 4 };
    char *filter = member_filter(&person, NULL), *uid = member_uid_filter("a)(b");

    T_STR(filter, "(|(member=cn=A\\5c2c B,dc=x)(uniqueMember=cn=A\\5c2c B,dc=x)"
                  "(memberUid=a\\2ab)(memberUid=c\\28d\\29\\5ce))");
    T_STR(uid, "(uid=a\\29\\28b)");
    free(filter);
    free(uid);
    T_TRUE(member_names("memberUID") && member_names("uniquemember") && member_names("member"));
    T_TRUE(!member_names("memberOf") && member_by_uid("memberuid") && !member_by_uid("member"));
}

static size_t
free_all(char **reports)
{
    size_t count = 0;

    for (; reports && reports[count]; count++)
        free(reports[count]);
    free(reports);
    return count;
}

static void
reports_wait_for_a_manager_once_and_not_without_end(void)
{
    char dn[32], **reports;

    T_TRUE(!waiting_take("cn=chief,dc=x"));
    waiting_note("CN=Chief, dc=x", "cn=a,dc=x");
    waiting_note("cn=chief,dc=x", "cn=b,dc=x");
    waiting_note("cn=chief,dc=x", "CN=a,dc=x");
    waiting_note("cn=other,dc=x", "cn=a,dc=x");
    reports = waiting_take("cn=chief,DC=x");
    T_STR(reports[0], "cn=a,dc=x");
    T_STR(reports[1], "cn=b,dc=x");
    T_INT(free_all(reports), 2);
    T_TRUE(!waiting_take("cn=chief,dc=x"));
    T_INT(free_all(waiting_take("cn=other,dc=x")), 1);
    for (int i = 0; i < 5000; i++) {
        snprintf(dn, sizeof(dn), "cn=r%d,dc=x", i);
        waiting_note("cn=gone,dc=x", dn);
    }
    T_INT(free_all(waiting_take("cn=gone,dc=x")), 4096);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_person_is_read_by_the_attributes_of_inetorgperson),
    UNIT_CASE(only_a_lock_for_good_makes_a_user_inactive),
    UNIT_CASE(of_two_locks_each_is_enough),
    UNIT_CASE(a_configured_lock_takes_the_place_of_the_known_ones),
    UNIT_CASE(groups_are_named_by_their_dn),
    UNIT_CASE(a_manager_is_the_key_of_an_entry_or_nobody),
    UNIT_CASE(what_is_wrong_in_an_entry_names_it),
    UNIT_CASE(what_cannot_be_read_may_be_a_gap),
    UNIT_CASE(a_dn_has_one_spelling),
    UNIT_CASE(two_tokens_of_one_change_differ_in_their_id_alone),
    UNIT_CASE(a_patch_replaces_what_it_names),
    UNIT_CASE(a_password_alone_has_no_resource),
    UNIT_CASE(each_kind_is_an_event_of_its_own),
    UNIT_CASE(a_password_is_written_as_it_is),
    UNIT_CASE(a_filter_of_groups_names_dn_and_uids_escaped),
    UNIT_CASE(reports_wait_for_a_manager_once_and_not_without_end),
};

int
main(int argc, char **argv)
{
    return unit_run("entry", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
