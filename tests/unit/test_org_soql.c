/* The simulated org's SOQL: what is found, what is refused and where, and how results are paged. */
#include "tests/unit/ask.h"

/* Five users: a to e, made in that order. */
static void
make_users(void)
{
    char more[64];
    const char *boss = make_user(acme, "a@b.cc", ",\"Title\":\"Chief\",\"City\":\"Paris\"");

    snprintf(more, sizeof(more), ",\"ManagerId\":\"%s\"", boss);
    ask_now_ms += 1000;
    make_user(acme, "b@b.cc", more);
    make_user(acme, "c@b.cc", ",\"Title\":\"100%_done\\\\\",\"IsActive\":false");
    ask_now_ms += 1000;
    make_user(acme, "d@b.cc", ",\"Title\":\"O'Neil\",\"City\":\"paris\"");
    make_user(acme, "e@b.cc", ",\"Title\":\"\\u00c9t\\u00e9\"");
}

/* The first letters of the usernames found, the two admins (integr..., olga...) as i and o. */
static const char *
found(void)
{
    static char letters[64];
    struct json_object *records = js_get(answer_json, "records");
    size_t count = records ? json_object_array_length(records) : 0;

    for (size_t i = 0; i < count && i < sizeof(letters) - 1; i++) {
        const char *name = js_get_text(json_object_array_get_idx(records, i), "Username");
        letters[i] = name ? *name : '?';
        letters[i + 1] = '\0';
    }
    return count ? letters : "";
}

static void
conditions_find_their_users(void)
{
    static const char *const conditions[][2] = {
        { "Username = 'A@B.cc'", "a" },
        { "Username IN ('e@b.cc','nobody@b.cc','B@b.cc','e@b.cc')", "be" },
        { "Username IN ('e@b.cc') AND IsActive = false", "" },
        { "username='c@b.cc'", "c" },
        { "User.Username='c@b.cc'", "c" },
        { "Username NOT IN ('a@b.cc','b@b.cc') AND IsActive = true", "iode" },
        { "IsActive = false", "c" },
        { "IsActive != TRUE", "c" },
        { "NOT IsActive = true", "c" },
        { "City = 'PARIS'", "ad" },
        { "City != 'paris'", "iobce" },
        { "City = null AND Title != null", "ce" },
        { "City = '' AND Title != ''", "ce" },
        { "City IN ('Paris', null) AND Title = 'chief'", "a" },
        { "Title = 'O\\'Neil'", "d" },
        { "Title = '100%_done\\\\'", "c" },
        { "Title = '\\u00c9t\\u00e9'", "e" },
        { "Title = '\xc3\x89t\xc3\xa9'", "e" },
        { "Title LIKE 'ch%'", "a" },
        { "Title LIKE '%\\%\\_d%'", "c" },
        { "Title LIKE '%\\\\'", "c" },
        { "Title LIKE '_hie_'", "a" },
        { "Title LIKE '100\\%x%'", "" },
        { "Username > 'c@b.cc' AND Username < 'i'", "de" },
        { "Username >= 'c@b.cc' AND Username <= 'd@b.cc'", "cd" },
        { "Manager.Username = 'a@b.cc'", "b" },
        { "Manager.Title = null AND Title != null", "acde" },
        { "Profile.Name = 'Standard User' AND (Title = 'Chief' OR City = 'x')", "a" },
        { "(Username = 'a@b.cc' OR Username = 'b@b.cc') AND ManagerId = null", "a" },
        { "CreatedDate > 2026-11-22T14:17:24.119Z", "de" },
        { "CreatedDate >= 2026-11-22T15:17:25.119+01:00", "de" },
        { "CreatedDate <= 2026-11-22T14:17:23.119+0000 AND Title != null", "a" },
        { "Profile.UserLicense.Name = 'Salesforce' AND IsActive = false", "c" },
        { "Profile.UserLicense.TotalLicenses = 100 AND City != null", "ad" },
    };

    ask_begin();
    make_users();
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        AUTO_FREE char *soql = text_format("SELECT Username FROM User WHERE %s", conditions[i][0]);
        T_INT(ask_soql(acme, soql), 200);
        if (answer.status != 200 || strcmp(found(), conditions[i][1]) != 0)
            printf("    %s: %s\n", soql, answer.body);
        T_STR(found(), conditions[i][1]);
    }
    ask_end();
}

static void
rows_are_ordered_limited_and_skipped(void)
{
    static const char *const tails[][2] = {
        { "", "ioabcde" },
        { "ORDER BY Username DESC", "oiedcba" },
        { "order by City ASC NULLS LAST, Username desc", "daoiecb" },
        { "ORDER BY Title DESC LIMIT 2", "ed" },
        { "ORDER BY Title LIMIT 3", "iob" },
        { "LIMIT 2", "io" },
        { "LIMIT 0", "" },
        { "LIMIT 2 OFFSET 4", "cd" },
        { "OFFSET 6", "e" },
        { "OFFSET 2000", "" },
        { "ORDER BY Manager.Username DESC, Id DESC LIMIT 2", "be" },
    };

    ask_begin();
    make_users();
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        AUTO_FREE char *soql = text_format("SELECT Username FROM User %s", tails[i][0]);
        T_INT(ask_soql(acme, soql), 200);
        T_STR(found(), tails[i][1]);
    }
    ask_end();
}

static const struct {
    const char *soql, *code, *text;
} refused[] = {
    { "SELECT Id,Foo FROM User", "INVALID_FIELD",
      "\nSELECT Id,Foo FROM User\n          ^\nERROR at Row:1:Column:11\nNo such column 'Foo' on "
      "entity 'User'. If you are attempting to use a custom field, be sure to append the '__c' "
      "after the custom field name. Please reference your WSDL or the describe call for the "
      "appropriate names." },
    { "SELECT Id\nFROM User\nWHERE Foo = 'x'", "INVALID_FIELD", "ERROR at Row:3:Column:7" },
    { "SELECT Id FROM User ORDER BY Foo", "INVALID_FIELD", "No such column 'Foo'" },
    { "SELECT Id FROM Accout", "INVALID_TYPE", "sObject type 'Accout' is not supported." },
    { "SELECT Nope.Name FROM User", "INVALID_FIELD", "Didn't understand relationship 'Nope'" },
    { "SELECT Profile.Nope FROM User", "INVALID_FIELD", "'Nope' on entity 'Profile'" },
    { "SELECT Id, id FROM User", "INVALID_FIELD", "duplicate field selected: id" },
    { "SELECT Id FROM User WHERE IsActive = 'true'", "INVALID_FIELD",
      "value of filter criterion for field 'IsActive' must be of type boolean and should not be "
      "enclosed in quotes" },
    { "SELECT Id FROM User WHERE Username = 5", "INVALID_FIELD",
      "must be of type string and should be enclosed in quotes" },
    { "SELECT Id FROM User WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD",
      "must be of type dateTime and should not be enclosed in quotes" },
    { "SELECT Id FROM User WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "dateTime" },
    { "SELECT Id FROM User WHERE Id = 'foo'", "INVALID_QUERY_FILTER_OPERATOR",
      "invalid ID field: foo" },
    { "SELECT Id FROM User WHERE Id IN ('0055g00000AbCdEAAA')", "INVALID_QUERY_FILTER_OPERATOR",
      "invalid ID field" },
    { "SELECT Id FROM User WHERE IsActive > false", "INVALID_QUERY_FILTER_OPERATOR", "boolean" },
    { "SELECT Id FROM User WHERE Id LIKE '005%'", "INVALID_QUERY_FILTER_OPERATOR", "id" },
    { "SELECT Id FROM User WHERE Title > null", "INVALID_QUERY_FILTER_OPERATOR", "null" },
    { "SELECT Id FROM User WHERE AboutMe = 'x'", "INVALID_FIELD",
      "field 'AboutMe' can not be filtered in a query call" },
    { "SELECT Id FROM User WHERE Title = 'a\\q'", "MALFORMED_QUERY", "'\\q'" },
    { "SELECT Id FROM User WHERE Title = 'a\\%'", "MALFORMED_QUERY", "'\\%'" },
    { "SELECT Id FROM User WHERE Title = '\\u12'", "MALFORMED_QUERY", "unicode" },
    { "SELECT Id FROM User WHERE Title = 'open", "MALFORMED_QUERY", "unexpected token: '''" },
    { "SELECT Id FROM User WHERE Title = 'it's'", "MALFORMED_QUERY", "unexpected token: 's'" },
    { "SELECT Id FROM User WHERE Title = \"x\"", "MALFORMED_QUERY", "unexpected token: '\"'" },
    { "SELECT Id FROM User WHERE Title = x", "MALFORMED_QUERY", "unexpected token: 'x'" },
    { "SELECT Id FROM User WHERE Title IN ()", "MALFORMED_QUERY", "unexpected token: ')'" },
    { "SELECT Id FROM User WHERE Title IN 'x'", "MALFORMED_QUERY", "unexpected token" },
    { "SELECT Id FROM User WHERE Id IN (SELECT Id FROM User)", "MALFORMED_QUERY", "'SELECT'" },
    { "SELECT Id FROM User WHERE IsActive=true AND City='x' OR City='y'", "MALFORMED_QUERY",
      "unexpected token: 'OR'" },
    { "SELECT Id FROM User WHERE IsActive=true OR City='x' AND City='y'", "MALFORMED_QUERY",
      "unexpected token: 'AND'" },
    { "SELECT Id FROM User WHERE (IsActive=true", "MALFORMED_QUERY", "unexpected token: '<EOF>'" },
    { "SELECT Id FROM User WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'" },
    { "SELECT FROM User", "MALFORMED_QUERY", "unexpected token: 'FROM'" },
    { "SELECT * FROM User", "MALFORMED_QUERY", "unexpected token: '*'" },
    { "SELECT Id User", "MALFORMED_QUERY", "unexpected token: 'User'" },
    { "UPDATE User", "MALFORMED_QUERY", "unexpected token: 'UPDATE'" },
    { "SELECT Id FROM User LIMIT 'x'", "MALFORMED_QUERY", "unexpected token" },
    { "SELECT Id FROM User LIMIT 1.5", "MALFORMED_QUERY", "unexpected token" },
    { "SELECT Id FROM User LIMIT 5; DROP", "MALFORMED_QUERY", "unexpected token: ';'" },
    { "SELECT Id FROM User OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000" },
    { "SELECT Id, COUNT() FROM User", "MALFORMED_QUERY", "unexpected token" },
    { "", "MALFORMED_QUERY", "empty" },
};

static void
what_is_not_soql_is_refused_with_its_place(void)
{
    ask_begin();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        T_INT(ask_soql(acme, refused[i].soql), 400);
        T_STR(error_code(), refused[i].code);
        T_HAS(error_text(), refused[i].text);
    }
    ask_end();
}

static void
sizes_are_limited(void)
{
    AUTO_TEXT struct text soql = { 0 };
    struct query_result result;
    struct refusal refusal;

    ask_begin();
    text_addf(&soql, "SELECT Id FROM User WHERE Title = '%04000d'", 0);
    T_TRUE(soql_run(acme, soql.data, "v67.0", &result, &refusal));
    json_object_put(result.records);
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User WHERE Title = '%04001d'", 0);
    T_TRUE(!soql_run(acme, soql.data, "v67.0", &result, &refusal));
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User%100000s", "");
    T_TRUE(!soql_run(acme, soql.data, "v67.0", &result, &refusal));
    T_STR(refusal.code, "MALFORMED_QUERY");
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User WHERE ");
    for (int i = 0; i < 40000; i++)
        text_addf(&soql, "(");
    T_TRUE(!soql_run(acme, soql.data, "v67.0", &result, &refusal));
    ask_end();
}

static void
selected_parents_stand_in_objects_of_their_own(void)
{
    struct json_object *record, *profile;

    ask_begin();
    make_users();
    T_INT(ask_soql(acme, "select id, profile.usErLicense.name, Profile.Id, Manager.Name FROM user "
                         "WHERE Username='a@b.cc'"),
          200);
    record = json_object_array_get_idx(js_get(answer_json, "records"), 0);
    profile = js_get(record, "Profile");
    T_STR(js_get_text(js_get(record, "attributes"), "type"), "User");
    T_TRUE(js_get_text(record, "Id") != NULL);
    T_STR(js_get_text(js_get(profile, "attributes"), "type"), "Profile");
    T_STR(js_get_text(js_get(profile, "UserLicense"), "Name"), "Salesforce");
    T_TRUE(js_get_text(profile, "Id") != NULL);
    T_HAS(answer.body, "\"Manager\":null");
    ask_end();
}

static void
other_objects_can_be_queried(void)
{
    ask_begin();
    make_users();
    T_INT(ask_soql(acme, "SELECT Id, Name, UserLicense.Name FROM Profile WHERE Name = 'standard "
                         "user'"),
          200);
    T_INT(answer_length(), 1);
    T_INT(ask_soql(acme, "SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense WHERE "
                         "LicenseDefinitionKey = 'SFDC'"),
          200);
    T_HAS(answer.body, "\"TotalLicenses\":100,\"UsedLicenses\":6");
    T_INT(ask_soql(acme, "SELECT Name, ParentRole.Name FROM UserRole WHERE ParentRoleId != null"),
          200);
    T_INT(answer_length(), 2);
    T_INT(ask_soql(acme, "SELECT Id, Name, IsSandbox FROM Organization"), 200);
    T_HAS(answer.body, acme->id);
    T_HAS(answer.body, "\"IsSandbox\":false");
    ask_end();
}

static void
rows_are_counted(void)
{
    ask_begin();
    make_users();
    T_INT(ask_soql(acme, "SELECT COUNT() FROM User WHERE IsActive = true"), 200);
    T_STR(answer.body, "{\"totalSize\":6,\"done\":true,\"records\":[]}");
    T_INT(ask_soql(acme, "SELECT COUNT(Title) FROM User"), 200);
    T_HAS(answer.body, "\"type\":\"AggregateResult\"");
    T_HAS(answer.body, "\"expr0\":4");
    ask_end();
}

static void
another_orgs_user_is_not_found(void)
{
    ask_begin();
    make_user(globex, "g@b.cc", "");
    T_INT(ask_soql(acme, "SELECT Username FROM User WHERE Username = 'g@b.cc'"), 200);
    T_INT(answer_length(), 0);
    T_INT(ask_soql(globex, "SELECT Username FROM User WHERE Username = 'g@b.cc'"), 200);
    T_INT(answer_length(), 1);
    ask_end();
}

static void
fill_org(size_t users)
{
    for (size_t i = 0; i < users; i++) {
        AUTO_FREE char *username = text_format("u%zu@b.cc", i);
        struct changes changes = { 0 };
        AUTO_JS struct json_object *record =
            json_tokener_parse(good_user(username, ",\"IsActive\":false"));
        struct refusal refusal;
        struct row *row;
        if (!user_create(acme, record, acme->other_admin, &row, &changes, &refusal))
            T_STR(refusal.message, "");
        changes_free(&changes);
    }
}

static int
next_page(void)
{
    AUTO_FREE char *next = text_copy(js_get_text(answer_json, "nextRecordsUrl")
                                         ? js_get_text(answer_json, "nextRecordsUrl")
                                         : "/none");

    return ask(acme, "GET", next, NULL);
}

static void
pages_have_two_thousand_rows_or_what_was_asked_for(void)
{
    struct request request;

    ask_begin();
    fill_org(4100);
    T_INT(ask_soql(acme, "SELECT Id FROM User"), 200);
    T_INT(answer_length(), 2000);
    T_INT(js_get_int(answer_json, "totalSize", 0), 4102);
    T_TRUE(!js_get_flag(answer_json, "done", true));
    T_HAS(js_get_text(answer_json, "nextRecordsUrl"), DATA "/query/01g");
    T_INT(next_page(), 200);
    T_INT(answer_length(), 2000);
    T_INT(next_page(), 200);
    T_INT(answer_length(), 102);
    T_TRUE(js_get_flag(answer_json, "done", false));
    T_TRUE(js_get(answer_json, "nextRecordsUrl") == NULL);
    request = (struct request){ .method = "GET",
                                .target = DATA "/query?q=SELECT+Id+FROM+User",
                                .authorization = ask_session(acme),
                                .query_options = "batchSize=250" };
    T_INT(ask_raw(acme, &request), 200);
    T_INT(answer_length(), 250);
    T_INT(next_page(), 200);
    T_INT(answer_length(), 250);
    request.query_options = "batchSize=1";
    T_INT(ask_raw(acme, &request), 200);
    T_INT(answer_length(), 200);
    T_INT(ask(acme, "GET", DATA "/query/01g5g0000A7E9vpAQC-2000", NULL), 400);
    T_STR(error_code(), "INVALID_QUERY_LOCATOR");
    ask_end();
}

static void
a_cursor_keeps_what_was_found(void)
{
    ask_begin();
    fill_org(250);
    acme->settings.page_size = 200;
    T_INT(ask_soql(acme, "SELECT Id FROM User WHERE IsActive = false"), 200);
    AUTO_FREE char *next = text_copy(js_get_text(answer_json, "nextRecordsUrl"));
    make_user(acme, "late@b.cc", ",\"IsActive\":false");
    T_INT(ask(acme, "GET", next, NULL), 200);
    T_INT(answer_length(), 50);
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(conditions_find_their_users),
    UNIT_CASE(rows_are_ordered_limited_and_skipped),
    UNIT_CASE(what_is_not_soql_is_refused_with_its_place),
    UNIT_CASE(sizes_are_limited),
    UNIT_CASE(selected_parents_stand_in_objects_of_their_own),
    UNIT_CASE(other_objects_can_be_queried),
    UNIT_CASE(rows_are_counted),
    UNIT_CASE(another_orgs_user_is_not_found),
    UNIT_CASE(pages_have_two_thousand_rows_or_what_was_asked_for),
    UNIT_CASE(a_cursor_keeps_what_was_found),
};

int
main(int argc, char **argv)
{
    return unit_run("org_soql", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
