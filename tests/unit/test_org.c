/* The simulated org's rules for users, one by one: what it takes, what it refuses and in which
 * words. The words are those of the fact sheet. */
#include "tests/unit/ask.h"

#define USERS DATA "/sobjects/User"
#define MANY  DATA "/composite/sobjects"

/* ---- create ---- */

static void
a_created_user_has_an_id_and_a_location(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "jane@acme.com.prov", "");
    T_INT(strlen(id), 18);
    T_TRUE(strncmp(id, "005", 3) == 0);
    T_HAS(answer_header("Location"), id);
    T_HAS(answer_header("Sforce-Limit-Info"), "api-usage=1/100000;");
    T_STR(user_text(acme, id, "CreatedById"), acme->execution_user);
    T_STR(user_text(acme, id, "CreatedDate"), "2026-11-22T14:17:23.119+0000");
    T_TRUE(js_get_flag(answer_json, "IsActive", false));
    T_STR(js_get_text(js_get(answer_json, "attributes"), "type"), "User");
    ask_end();
}

static void
the_nine_required_fields_are_named_in_salesforces_order(void)
{
    ask_begin();
    T_INT(ask(acme, "POST", USERS, "{}"), 400);
    T_STR(error_code(), "REQUIRED_FIELD_MISSING");
    T_STR(error_text(), "Required fields are missing: [Username, LastName, Email, Alias, "
                        "TimeZoneSidKey, LocaleSidKey, EmailEncodingKey, ProfileId, "
                        "LanguageLocaleKey]");
    T_HAS(answer.body, "\"fields\":[\"Username\",\"LastName\",\"Email\"");
    ask_end();
}

static void
a_username_is_kept_in_lower_case(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "JDoe@Acme.COM", "");
    T_STR(user_text(acme, id, "Username"), "jdoe@acme.com");
    ask_end();
}

static void
names_of_objects_and_fields_are_known_in_any_case(void)
{
    ask_begin();
    T_INT(ask(acme, "POST", DATA "/sobjects/uSER", good_user("a@b.cc", ",\"tITLE\":\"Boss\"")),
          201);
    T_STR(user_text(acme, js_get_text(answer_json, "id"), "Title"), "Boss");
    ask_end();
}

static void
a_nickname_is_made_when_none_is_sent(void)
{
    const char *one, *two;
    char *first;

    ask_begin();
    one = make_user(acme, "a@b.cc", "");
    two = make_user(acme, "c@b.cc", "");
    first = text_copy(user_text(acme, one, "CommunityNickname"));
    T_TRUE(*first);
    T_TRUE(strcmp(first, user_text(acme, two, "CommunityNickname")) != 0);
    free(first);
    ask_end();
}

/* One fault each, on top of a good user: the code, the words, the field. */
static const struct {
    const char *more, *code, *text;
} faulty[] = {
    { ",\"foo\":1", "INVALID_FIELD", "No such column 'foo' on sobject of type User" },
    { ",\"Foo__c\":\"1\"", "INVALID_FIELD", "No such column 'Foo__c' on sobject of type User" },
    { ",\"title\":\"a\",\"Title\":\"b\"", "INVALID_FIELD", "Duplicate field" },
    { ",\"Name\":\"X\"", "INVALID_FIELD_FOR_INSERT_UPDATE",
      "Unable to create/update fields: Name. Please check the security settings of this field and "
      "verify that it is read/write for your profile or permission set." },
    { ",\"UserType\":\"Guest\",\"AccountId\":null", "INVALID_FIELD_FOR_INSERT_UPDATE",
      "Unable to create/update fields: UserType, AccountId. Please" },
    { ",\"Id\":\"0055g0000A7E9vpAQC\"", "INVALID_FIELD", "Id" },
    { ",\"IsActive\":\"true\"", "JSON_PARSER_ERROR",
      "Cannot deserialize instance of boolean from VALUE_STRING value true or request may be "
      "missing a required field at [line:1, column:" },
    { ",\"IsActive\":null", "JSON_PARSER_ERROR", "instance of boolean from VALUE_NULL" },
    { ",\"IsActive\":1", "JSON_PARSER_ERROR", "instance of boolean from VALUE_NUMBER_INT value 1" },
    { ",\"Title\":5", "JSON_PARSER_ERROR", "instance of string from VALUE_NUMBER_INT value 5" },
    { ",\"Phone\":5.5", "JSON_PARSER_ERROR", "instance of phone from VALUE_NUMBER_FLOAT" },
    { ",\"Title\":true", "JSON_PARSER_ERROR", "instance of string from VALUE_BOOLEAN" },
    { ",\"Title\":[\"a\"]", "JSON_PARSER_ERROR",
      "instance of string from START_ARRAY value [line:1" },
    { ",\"ManagerId\":{}", "JSON_PARSER_ERROR", "instance of reference from START_OBJECT value" },
    { ",\"FirstName\":\"12345678901234567890123456789012345678901\"", "STRING_TOO_LONG",
      "First Name: data value too large: 12345678901234567890123456789012345678901 (max "
      "length=40)" },
    { ",\"UserRoleId\":\"nope\"", "MALFORMED_ID", "Role ID: id value of incorrect type: nope" },
    { ",\"UserRoleId\":\"00E000000000001\"", "INVALID_CROSS_REFERENCE_KEY",
      "invalid cross reference id" },
    { ",\"ContactId\":\"003000000000001\"", "INVALID_CROSS_REFERENCE_KEY",
      "invalid cross reference id" },
    { ",\"SenderEmail\":\"foo\"", "INVALID_EMAIL_ADDRESS",
      "Email Sender Address: invalid email address: foo" },
    { ",\"UserPermissionsOfflineUser\":true", "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded" },
};

static void
each_fault_of_a_record_has_its_code_and_words(void)
{
    ask_begin();
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        T_INT(ask(acme, "POST", USERS, good_user("a@b.cc", faulty[i].more)), 400);
        T_STR(error_code(), faulty[i].code);
        T_HAS(error_text(), faulty[i].text);
    }
    T_INT(acme->tables[OBJECT_USER].count, 2);
    make_user(acme, "a@b.cc", "");
    ask_end();
}

/* The user is there: the same fields, changed one at a time. */
static const struct {
    const char *body, *code, *text;
} faulty_updates[] = {
    { "{\"LastName\":null}", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]" },
    { "{\"LastName\":\"\"}", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]" },
    { "{\"LastName\":\" \\t\"}", "REQUIRED_FIELD_MISSING", "[LastName]" },
    { "{\"CommunityNickname\":null}", "REQUIRED_FIELD_MISSING", "[CommunityNickname]" },
    { "{\"Alias\":\"longalias9\"}", "STRING_TOO_LONG",
      "Alias: data value too large: longalias9 (max length=8)" },
    { "{\"LanguageLocaleKey\":\"xx\"}", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
      "Language: bad value for restricted picklist field: xx" },
    { "{\"TimeZoneSidKey\":\"Mars/Base\"}", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
      "Time Zone: bad value for restricted picklist field: Mars/Base" },
    { "{\"LocaleSidKey\":\"EN_us\"}", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Locale: bad" },
    { "{\"EmailEncodingKey\":null}", "REQUIRED_FIELD_MISSING", "[EmailEncodingKey]" },
    { "{\"Email\":\"foo\"}", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: foo" },
    { "{\"Username\":\"jdoe\"}", "INVALID_EMAIL_ADDRESS",
      "Username must be in the form of an email address (for example, john@acme.com)" },
    { "{\"ProfileId\":\"00E000000000001\"}", "MALFORMED_ID", "Profile ID: id value of incorrect" },
    { "{\"CreatedDate\":\"2026-01-01T00:00:00Z\"}", "INVALID_FIELD_FOR_INSERT_UPDATE",
      "CreatedDate" },
    { "{\"Id\":\"0055g0000A7E9vpAQC\"}", "INVALID_FIELD", "Id" },
    { "{\"attributes\":{\"type\":\"Lead\"}}", "INVALID_TYPE", "Lead" },
};

static void
each_fault_of_an_update_has_its_code_and_words(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", ",\"Title\":\"as it was\"");
    for (size_t i = 0; i < sizeof(faulty_updates) / sizeof(faulty_updates[0]); i++) {
        T_INT(ask(acme, "PATCH", user_path(id), faulty_updates[i].body), 400);
        T_STR(error_code(), faulty_updates[i].code);
        T_HAS(error_text(), faulty_updates[i].text);
    }
    T_STR(user_text(acme, id, "Title"), "as it was");
    T_STR(user_text(acme, id, "LastName"), "Doe");
    ask_end();
}

/* A record with every fault; each line removes the one named first. */
static void
rules_stand_in_their_order(void)
{
    static const char *const members[][3] = {
        { "\"nope\":1", "", "INVALID_FIELD" },
        { "\"Name\":\"x\"", "", "INVALID_FIELD_FOR_INSERT_UPDATE" },
        { "\"IsActive\":\"true\"", "\"IsActive\":true", "JSON_PARSER_ERROR" },
        { "\"LastName\":null", "\"LastName\":\"Doe\"", "REQUIRED_FIELD_MISSING" },
        { "\"Alias\":\"123456789\"", "\"Alias\":\"a\"", "STRING_TOO_LONG" },
        { "\"TimeZoneSidKey\":\"x\"", "\"TimeZoneSidKey\":\"GMT\"",
          "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" },
        { "\"ManagerId\":\"0055g0000000001\"", "", "INVALID_CROSS_REFERENCE_KEY" },
        { "\"Username\":\"x\"", "\"Username\":\"taken@acme.com\"", "INVALID_EMAIL_ADDRESS" },
        { "\"Title\":\"\"", "\"Username\":\"free@acme.com\"", "DUPLICATE_USERNAME" },
        { "\"Division\":\"\"", "\"IsActive\":false", "LICENSE_LIMIT_EXCEEDED" },
    };
    enum {
        COUNT = sizeof(members) / sizeof(members[0])
    };

    ask_begin();
    make_user(acme, "taken@acme.com", "");
    license_set_total(acme, "Salesforce", 0);
    for (size_t fixed = 0; fixed < COUNT; fixed++) {
        AUTO_TEXT struct text body = { 0 };
        text_addf(&body,
                  "{\"Email\":\"a@b.cc\",\"LocaleSidKey\":\"en_US\",\"EmailEncodingKey\":"
                  "\"UTF-8\",\"LanguageLocaleKey\":\"en_US\",\"ProfileId\":\"%s\"",
                  acme->tables[OBJECT_PROFILE].rows[1]->id);
        for (size_t i = 0; i < COUNT; i++) {
            const char *member = members[i][i < fixed ? 1 : 0];
            /* a later line may say a member again: the earlier one then gives way */
            if (i == 7 && fixed > 8)
                continue;
            if (*member)
                text_addf(&body, ",%s", member);
        }
        text_addf(&body, "}");
        ask(acme, "POST", USERS, body.data);
        T_STR(error_code(), members[fixed][2]);
    }
    ask(acme, "POST", USERS, good_user("taken@acme.com", ",\"SenderEmail\":\"x\""));
    T_STR(error_code(), "INVALID_EMAIL_ADDRESS");
    ask_end();
}

static void
lengths_are_counted_in_utf16_units(void)
{
    ask_begin();
    /* eight letters of two bytes fit, five emoji of two units do not */
    T_INT(ask(acme, "PATCH", user_path(make_user(acme, "d@b.cc", "")),
              "{\"Alias\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}"),
          204);
    T_INT(ask(acme, "PATCH", user_path(make_user(acme, "e@b.cc", "")),
              "{\"Alias\":"
              "\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}"),
          400);
    T_STR(error_code(), "STRING_TOO_LONG");
    ask_end();
}

static void
usernames_have_the_shape_of_an_address(void)
{
    static const char *const good[] = { "a@b.cc", "jane.doe@acme.com.prov", "o'neil+x@a-b.example",
                                        "two@signs@acme.com", "1@2.33" };
    static const char *const bad[] = { "jdoe",     "@b.cc",     "a@",      "a@b",
                                       "a b@c.dd", "a@b..c",    "a@.cc",   "a@-b.cc",
                                       ".a@b.cc",  "a..b@c.dd", "a@b.cc ", "\xc3\xa9@b.cc",
                                       "a@b_c.dd", "a(b)@c.dd" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        T_TRUE(username_shaped(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        T_TRUE(!username_shaped(bad[i]));
    T_TRUE(email_shaped("jane@acme.com"));
    T_TRUE(!email_shaped("two@signs@acme.com"));
}

/* ---- what is unique ---- */

static void
a_username_is_taken_in_all_orgs_also_by_the_inactive(void)
{
    const char *id;

    ask_begin();
    id = make_user(globex, "jane@acme.com", "");
    T_INT(ask(globex, "PATCH", user_path(id), "{\"IsActive\":false}"), 204);
    T_INT(ask(acme, "POST", USERS, good_user("Jane@ACME.com", "")), 400);
    T_STR(error_code(), "DUPLICATE_USERNAME");
    T_STR(error_text(),
          "Duplicate Username.<br>The username already exists in this or another Salesforce "
          "organization. Usernames must be unique across all Salesforce organizations. To resolve, "
          "use a different username (it doesn't need to match the user's email address). ");
    T_HAS(answer.body, "\"fields\":[\"Username\"]");
    ask_end();
}

static void
a_renamed_user_frees_the_username(void)
{
    const char *id;

    ask_begin();
    id = make_user(globex, "jane@acme.com", "");
    T_INT(ask(globex, "PATCH", user_path(id), "{\"Username\":\"old.jane@acme.com\"}"), 204);
    make_user(acme, "jane@acme.com", "");
    T_INT(ask(acme, "POST", USERS, good_user("old.jane@acme.com", "")), 400);
    ask_end();
}

static void
a_user_may_be_sent_the_own_values_again(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "jane@acme.com", ",\"CommunityNickname\":\"jane\"");
    T_INT(ask(acme, "PATCH", user_path(id),
              "{\"Username\":\"JANE@acme.com\",\"CommunityNickname\":\"Jane\"}"),
          204);
    ask_end();
}

static void
a_nickname_is_unique_in_its_org_only(void)
{
    ask_begin();
    make_user(acme, "a@acme.com", ",\"CommunityNickname\":\"jane\"");
    make_user(globex, "b@acme.com", ",\"CommunityNickname\":\"jane\"");
    T_INT(ask(acme, "POST", USERS, good_user("c@acme.com", ",\"CommunityNickname\":\"JANE\"")),
          400);
    T_STR(error_code(), "DUPLICATE_COMM_NICKNAME");
    T_STR(error_text(), "Duplicate Nickname.<br>Another user has already selected this "
                        "nickname.<br>Please select another.");
    ask_end();
}

static void
other_unique_values_name_the_record_that_has_them(void)
{
    const char *id, *reason;
    char expected[128];

    ask_begin();
    T_TRUE(org_add_custom_field(acme, "Key__c", 20, FIELD_UNIQUE | FIELD_EXTERNAL_ID, &reason));
    id = make_user(acme, "a@acme.com", ",\"Key__c\":\"k1\",\"FederationIdentifier\":\"f1\"");
    snprintf(expected, sizeof(expected),
             "duplicate value found: Key__c duplicates value on record with id: %.15s", id);
    T_INT(ask(acme, "POST", USERS, good_user("c@acme.com", ",\"key__C\":\"K1\"")), 400);
    T_STR(error_code(), "DUPLICATE_VALUE");
    T_STR(error_text(), expected);
    T_INT(ask(acme, "POST", USERS, good_user("c@acme.com", ",\"FederationIdentifier\":\"F1\"")),
          400);
    T_HAS(error_text(), "FederationIdentifier");
    T_INT(
        ask(acme, "POST", USERS, good_user("c@acme.com", ",\"Key__c\":\"123456789012345678901\"")),
        400);
    T_STR(error_code(), "STRING_TOO_LONG");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Key__c\":null,\"FederationIdentifier\":null}"),
          204);
    make_user(acme, "c@acme.com", ",\"Key__c\":\"k1\",\"FederationIdentifier\":\"f1\"");
    ask_end();
}

/* ---- update ---- */

static void
an_update_changes_what_was_sent_and_null_clears(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "jane@acme.com",
                   ",\"FirstName\":\"Jane\",\"Title\":\"Boss\",\"Division\":\"North\"");
    ask_now_ms += 5000;
    T_INT(ask(acme, "PATCH", user_path(id),
              "{\"Title\":null,\"Division\":\"\",\"LastName\":\"Roe\"}"),
          204);
    T_TRUE(answer.body == NULL);
    T_STR(user_text(acme, id, "Title"), "");
    T_STR(user_text(acme, id, "Division"), "");
    T_STR(user_text(acme, id, "Name"), "Jane Roe");
    T_STR(user_text(acme, id, "Alias"), "jane");
    T_STR(user_text(acme, id, "CreatedDate"), "2026-11-22T14:17:23.119+0000");
    T_STR(user_text(acme, id, "SystemModstamp"), "2026-11-22T14:17:28.119+0000");
    ask_end();
}

static void
managers_form_no_loop(void)
{
    const char *a, *b, *c;
    char body[64];

    ask_begin();
    a = make_user(acme, "a@b.cc", "");
    b = make_user(acme, "b@b.cc", "");
    c = make_user(acme, "c@b.cc", "");
    snprintf(body, sizeof(body), "{\"ManagerId\":\"%.15s\"}", a);
    T_INT(ask(acme, "PATCH", user_path(a), body), 400);
    T_STR(error_code(), "CIRCULAR_DEPENDENCY");
    T_INT(ask(acme, "PATCH", user_path(b), body), 204);
    T_STR(user_text(acme, b, "ManagerId"), a);
    snprintf(body, sizeof(body), "{\"ManagerId\":\"%s\"}", b);
    T_INT(ask(acme, "PATCH", user_path(c), body), 204);
    snprintf(body, sizeof(body), "{\"ManagerId\":\"%s\"}", c);
    T_INT(ask(acme, "PATCH", user_path(a), body), 400);
    T_INT(ask(acme, "PATCH", user_path(c), "{\"ManagerId\":null}"), 204);
    T_INT(ask(acme, "PATCH", user_path(a), body), 204);
    ask_end();
}

static void
an_inactive_manager_is_allowed_and_one_of_another_org_is_not(void)
{
    const char *manager, *foreign;
    char more[64];

    ask_begin();
    manager = make_user(acme, "m@b.cc", ",\"IsActive\":false");
    foreign = make_user(globex, "g@b.cc", "");
    snprintf(more, sizeof(more), ",\"ManagerId\":\"%s\"", manager);
    make_user(acme, "a@b.cc", more);
    snprintf(more, sizeof(more), ",\"ManagerId\":\"%s\"", foreign);
    T_INT(ask(acme, "POST", USERS, good_user("c@b.cc", more)), 400);
    T_STR(error_code(), "INVALID_CROSS_REFERENCE_KEY");
    ask_end();
}

static void
only_active_users_take_seats(void)
{
    const char *id;

    ask_begin();
    license_set_total(acme, "Salesforce", 3); /* two are the admins' */
    id = make_user(acme, "a@b.cc", "");
    T_INT(ask(acme, "POST", USERS, good_user("c@b.cc", "")), 400);
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    T_STR(error_text(), "License Limit Exceeded");
    make_user(acme, "c@b.cc", ",\"IsActive\":false");
    T_INT(ask_soql(acme, "SELECT Id FROM User WHERE Username='c@b.cc'"), 200);
    T_INT(ask(acme, "PATCH", user_path(id), "{\"IsActive\":true,\"Title\":\"x\"}"), 204);
    T_INT(ask(acme, "PATCH", user_path(id), "{\"IsActive\":false}"), 204);
    make_user(acme, "d@b.cc", "");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"IsActive\":true}"), 400);
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    ask_end();
}

static void
another_profile_takes_a_seat_of_its_own_licence(void)
{
    const char *id;
    char body[64];

    ask_begin();
    license_set_total(acme, "Salesforce", 3);
    license_set_total(acme, "Chatter Free", 0);
    id = make_user(acme, "a@b.cc", "");
    snprintf(body, sizeof(body), "{\"ProfileId\":\"%s\"}",
             acme->tables[OBJECT_PROFILE].rows[3]->id);
    T_INT(ask(acme, "PATCH", user_path(id), body), 400);
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    license_set_total(acme, "Chatter Free", 1);
    T_INT(ask(acme, "PATCH", user_path(id), body), 204);
    T_STR(user_text(acme, id, "UserType"), "CsnOnly");
    make_user(acme, "c@b.cc", "");
    ask_end();
}

static void
a_feature_takes_a_feature_licence(void)
{
    ask_begin();
    acme->settings.feature_seats = 1;
    make_user(acme, "a@b.cc", ",\"UserPermissionsMarketingUser\":true");
    make_user(acme, "c@b.cc", ",\"UserPermissionsMarketingUser\":false");
    T_INT(ask(acme, "POST", USERS, good_user("d@b.cc", ",\"UserPermissionsMarketingUser\":true")),
          400);
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    make_user(acme, "d@b.cc", ",\"UserPermissionsSupportUser\":true");
    ask_end();
}

static void
a_new_address_of_an_active_user_waits_for_its_verification(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Email\":\"new@acme.com\",\"Title\":\"x\"}"), 204);
    T_STR(user_text(acme, id, "Email"), "jane@acme.com");
    T_STR(user_text(acme, id, "Title"), "x");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Title\":\"y\"}"), 204);
    user_verify_email(org_find(acme, "User", id));
    T_STR(user_text(acme, id, "Email"), "new@acme.com");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Email\":\"other@acme.com\"}"), 204);
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Email\":\"new@acme.com\"}"), 204);
    T_TRUE(org_find(acme, "User", id)->pending_email == NULL); /* withdrawn */
    user_verify_email(org_find(acme, "User", id));
    T_STR(user_text(acme, id, "Email"), "new@acme.com");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"IsActive\":false}"), 204);
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Email\":\"third@acme.com\"}"), 204);
    T_STR(user_text(acme, id, "Email"), "third@acme.com");
    ask_end();
}

static void
the_execution_user_cannot_be_deactivated(void)
{
    ask_begin();
    T_INT(ask(acme, "PATCH", user_path(acme->execution_user), "{\"IsActive\":false}"), 400);
    T_STR(error_code(), "CANNOT_DISABLE_LAST_ADMIN");
    T_INT(ask(acme, "PATCH", user_path(acme->other_admin), "{\"IsActive\":false}"), 204);
    ask_end();
}

/* ---- paths ---- */

static void
rows_are_found_by_either_length_of_id_and_nothing_else(void)
{
    const char *id;
    char path[128];

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    snprintf(path, sizeof(path), USERS "/%.15s", id);
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_STR(js_get_text(answer_json, "Id"), id);
    T_INT(ask(globex, "GET", path, NULL), 404);
    T_STR(error_text(), "The requested resource does not exist");
    T_INT(ask(acme, "GET", USERS "/23foo", NULL), 404);
    T_STR(error_text(), "Provided external ID field does not exist or is not accessible: 23foo");
    T_INT(ask(acme, "GET", USERS "/001000000000001", NULL), 404);
    T_INT(ask(acme, "GET", USERS "/0055g00000AbCdEAAA", NULL), 400);
    T_STR(error_code(), "MALFORMED_ID");
    T_INT(ask(acme, "GET", DATA "/sobjects/Nope", NULL), 404);
    T_INT(ask(acme, "GET", DATA "/nope", NULL), 404);
    ask_end();
}

static void
fields_can_be_chosen(void)
{
    const char *id;
    char path[128];

    ask_begin();
    id = make_user(acme, "a@b.cc", ",\"City\":\"Paris\"");
    snprintf(path, sizeof(path), USERS "/%s?fields=username,Address", id);
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_STR(js_get_text(answer_json, "Username"), "a@b.cc");
    T_STR(js_get_text(js_get(answer_json, "Address"), "city"), "Paris");
    T_TRUE(js_get(answer_json, "LastName") == NULL);
    snprintf(path, sizeof(path), USERS "/%s?fields=nope", id);
    T_INT(ask(acme, "GET", path, NULL), 400);
    T_STR(error_code(), "INVALID_FIELD");
    ask_end();
}

static void
users_cannot_be_deleted_and_methods_are_named(void)
{
    const char *id;
    char path[128];

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    T_INT(ask(acme, "DELETE", user_path(id), NULL), 405);
    T_STR(error_text(), "HTTP Method 'DELETE' not allowed. Allowed are HEAD,GET,PATCH");
    T_INT(ask(acme, "PUT", user_path(id), "{}"), 405);
    T_INT(ask(acme, "PATCH", USERS, "{}"), 405);
    T_STR(error_text(), "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST");
    snprintf(path, sizeof(path), MANY "?ids=%s,x", id);
    T_INT(ask(acme, "DELETE", path, NULL), 200);
    T_STR(result_code(0), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    T_HAS(answer.body, "entity type cannot be deleted: User");
    T_STR(result_code(1), "MALFORMED_ID");
    T_INT(ask(acme, "POST", DATA "/query", "{}"), 405);
    T_INT(ask(acme, "POST", DATA "/sobjects/Profile", "{\"Name\":\"x\"}"), 400);
    T_STR(error_text(), "entity type cannot be inserted: Profile");
    ask_end();
}

static struct json_object *
described(const char *name)
{
    struct json_object *fields = js_get(answer_json, "fields");

    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        if (strcmp(js_get_text(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

static void
describe_says_what_the_rules_do(void)
{
    struct request request;
    const char *reason;
    char tag[64];

    ask_begin();
    org_add_custom_field(acme, "Key__c", 30, FIELD_UNIQUE | FIELD_EXTERNAL_ID, &reason);
    T_INT(ask(acme, "GET", USERS "/describe", NULL), 200);
    T_INT(js_get_int(described("Alias"), "length", 0), 8);
    T_INT(js_get_int(described("LastName"), "byteLength", 0), 240);
    T_TRUE(!js_get_flag(described("LastName"), "nillable", true));
    T_TRUE(!js_get_flag(described("LastName"), "defaultedOnCreate", true));
    T_TRUE(js_get_flag(described("CommunityNickname"), "defaultedOnCreate", false));
    T_TRUE(js_get_flag(described("Username"), "idLookup", false));
    T_TRUE(!js_get_flag(described("Name"), "updateable", true));
    T_TRUE(js_get_flag(described("Key__c"), "externalId", false));
    T_TRUE(js_get_flag(described("Key__c"), "custom", false));
    T_TRUE(js_get_flag(described("TimeZoneSidKey"), "restrictedPicklist", false));
    T_TRUE(json_object_array_length(js_get(described("TimeZoneSidKey"), "picklistValues")) > 20);
    T_STR(js_get_text(described("ManagerId"), "relationshipName"), "Manager");
    T_TRUE(!js_get_flag(answer_json, "deletable", true));
    snprintf(tag, sizeof(tag), "%s", answer_header("ETag"));
    request =
        (struct request){ .method = "GET", .target = USERS "/describe", .if_none_match = tag };
    T_INT(ask_raw(acme, &request), 401);
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_created_user_has_an_id_and_a_location),
    UNIT_CASE(the_nine_required_fields_are_named_in_salesforces_order),
    UNIT_CASE(a_username_is_kept_in_lower_case),
    UNIT_CASE(names_of_objects_and_fields_are_known_in_any_case),
    UNIT_CASE(a_nickname_is_made_when_none_is_sent),
    UNIT_CASE(each_fault_of_a_record_has_its_code_and_words),
    UNIT_CASE(each_fault_of_an_update_has_its_code_and_words),
    UNIT_CASE(rules_stand_in_their_order),
    UNIT_CASE(lengths_are_counted_in_utf16_units),
    UNIT_CASE(usernames_have_the_shape_of_an_address),
    UNIT_CASE(a_username_is_taken_in_all_orgs_also_by_the_inactive),
    UNIT_CASE(a_renamed_user_frees_the_username),
    UNIT_CASE(a_user_may_be_sent_the_own_values_again),
    UNIT_CASE(a_nickname_is_unique_in_its_org_only),
    UNIT_CASE(other_unique_values_name_the_record_that_has_them),
    UNIT_CASE(an_update_changes_what_was_sent_and_null_clears),
    UNIT_CASE(managers_form_no_loop),
    UNIT_CASE(an_inactive_manager_is_allowed_and_one_of_another_org_is_not),
    UNIT_CASE(only_active_users_take_seats),
    UNIT_CASE(another_profile_takes_a_seat_of_its_own_licence),
    UNIT_CASE(a_feature_takes_a_feature_licence),
    UNIT_CASE(a_new_address_of_an_active_user_waits_for_its_verification),
    UNIT_CASE(the_execution_user_cannot_be_deactivated),
    UNIT_CASE(rows_are_found_by_either_length_of_id_and_nothing_else),
    UNIT_CASE(fields_can_be_chosen),
    UNIT_CASE(users_cannot_be_deleted_and_methods_are_named),
    UNIT_CASE(describe_says_what_the_rules_do),
};

int
main(int argc, char **argv)
{
    return unit_run("org", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
