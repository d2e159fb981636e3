/* The simulated org's SOQL: what is found, what is refused and where, and how results are paged. */
#include "tests/org/soql.h"
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
        { "Title = '\xc3\xa9T\xc3\x89'", "e" },
        { "Title LIKE '_t_'", "e" },
        { "Title LIKE '%\xc3\x89'", "e" },
        { "Title LIKE 'ch%'", "a" },
        { "NOT Title LIKE 'ch%'", "iobcde" },
        { "NOT (Title = null OR City = null)", "ad" },
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
        { "Profile.Name IN ('System Administrator','nobody')", "io" },
        { "Manager.Profile.UserLicense.Name LIKE 'sales%'", "b" },
        { "CreatedDate = TODAY AND City != null", "ad" },
        { "CreatedDate < today", "" },
        { "CreatedDate >= LAST_N_DAYS:1 AND CreatedDate < TOMORROW AND City != null", "ad" },
        { "CreatedDate IN (YESTERDAY, TODAY) AND City = 'paris'", "ad" },
        { "CreatedDate != THIS_YEAR", "" },
        { "LastLoginDate = null AND City != null", "ad" },
        { "LastLoginDate < TODAY", "" },
        { "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Profile.Name "
          "= 'System Administrator')",
          "io" },
        { "Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = false)", "" },
        { "ProfileId IN (SELECT Id FROM Profile WHERE Name LIKE 'Sys%') AND Username LIKE 'o%'",
          "o" },
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
        { "ORDER BY Title DESC LIMIT 2", "io" },
        { "ORDER BY Title DESC NULLS LAST LIMIT 2", "ed" },
        { "ORDER BY IsActive, Title DESC NULLS LAST, Username", "cedabio" },
        { "ORDER BY Title LIMIT 3", "iob" },
        { "LIMIT 2", "io" },
        { "LIMIT 0", "" },
        { "LIMIT 2 OFFSET 4", "cd" },
        { "OFFSET 6", "e" },
        { "OFFSET 2000", "" },
        { "ORDER BY Manager.Username DESC NULLS LAST, Id DESC LIMIT 2", "be" },
        { "ORDER BY Manager.Username NULLS FIRST, Id LIMIT 2", "io" },
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
    { "SELECT Id FROM User WHERE Id IN (SELECT Id FROM User)", "MALFORMED_QUERY",
      "should not be on the same object type" },
    { "SELECT Id FROM User WHERE Title IN (SELECT UserId FROM UserLogin)", "MALFORMED_QUERY",
      "cannot use: 'Title'" },
    { "SELECT Id FROM User WHERE Id IN (SELECT Name FROM Profile)", "MALFORMED_QUERY",
      "semi join sub selects can only query id fields, cannot use: 'Name'" },
    { "SELECT Id FROM User WHERE Id IN (SELECT Id FROM Profile)", "MALFORMED_QUERY",
      "different objects" },
    { "SELECT Id FROM User WHERE Id IN (SELECT Id FROM Nope)", "INVALID_TYPE", "'Nope'" },
    { "SELECT Id FROM User WHERE Id IN (SELECT Id, UserId FROM UserLogin)", "MALFORMED_QUERY",
      "exactly one field" },
    { "SELECT Id FROM User WHERE City='x' OR Id IN (SELECT UserId FROM UserLogin)",
      "MALFORMED_QUERY", "not allowed with the 'OR' operator" },
    { "SELECT Id FROM User WHERE City='x' AND (Title='y' AND Id IN (SELECT UserId FROM UserLogin))",
      "MALFORMED_QUERY", "only allowed at the top level" },
    { "SELECT Id FROM User WHERE NOT Id IN (SELECT UserId FROM UserLogin)", "MALFORMED_QUERY",
      "only allowed at the top level" },
    { "SELECT Id FROM User WHERE Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE "
      "PermissionSetId IN (SELECT Id FROM PermissionSet))",
      "MALFORMED_QUERY", "Nesting of semi join" },
    { "SELECT Id FROM User WHERE Id IN (SELECT UserId FROM UserLogin LIMIT 1)", "MALFORMED_QUERY",
      "unexpected token: 'LIMIT'" },
    { "SELECT Id FROM User WHERE CreatedDate = 2026-11-22", "INVALID_FIELD", "type dateTime" },
    { "SELECT Id FROM User WHERE CreatedDate = 'TODAY'", "INVALID_FIELD", "type dateTime" },
    { "SELECT Id FROM User WHERE CreatedDate > 2026-02-30T00:00:00Z", "MALFORMED_QUERY",
      "unexpected token: '2026-02-30T00:00:00Z'" },
    { "SELECT Id FROM User WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "'LAST_N_DAYS'" },
    { "SELECT Id FROM User WHERE CreatedDate = LAST_N_DAYS:-1", "MALFORMED_QUERY",
      "'LAST_N_DAYS'" },
    { "SELECT Id FROM User WHERE CreatedDate = TODAY:1", "MALFORMED_QUERY", "'TODAY:1'" },
    { "SELECT Id FROM User WHERE Title = TODAY", "INVALID_FIELD", "type string" },
    { "SELECT Id FROM User WHERE Title INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "string" },
    { "SELECT Id FROM User ORDER BY AboutMe", "INVALID_FIELD", "can not be sorted" },
    { "SELECT FIELDS(ALL) FROM User", "MALFORMED_QUERY",
      "The SOQL FIELDS function must have a LIMIT of at most 200" },
    { "SELECT FIELDS(ALL) FROM User LIMIT 201", "MALFORMED_QUERY", "at most 200" },
    { "SELECT FIELDS(SOME) FROM User", "MALFORMED_QUERY", "unexpected token: 'SOME'" },
    { "SELECT FIELDS(STANDARD), Title FROM User", "INVALID_FIELD", "duplicate field selected" },
    { "SELECT COUNT(Id) FROM User LIMIT 5", "MALFORMED_QUERY", "cannot also use LIMIT" },
    { "SELECT COUNT(Id), Title FROM User", "MALFORMED_QUERY", "unexpected token: 'Title'" },
    { "SELECT COUNT(AboutMe) FROM User", "MALFORMED_QUERY", "aggregate" },
    { "SELECT MAX(IsActive) FROM User", "MALFORMED_QUERY", "aggregate" },
    { "SELECT Id FROM User GROUP BY Id", "MALFORMED_QUERY", "unexpected token: 'GROUP'" },
    { "SELECT Id, (SELECT Id FROM Users) FROM Profile", "MALFORMED_QUERY", "unexpected token" },
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
    T_TRUE(soql_run(acme, soql.data, "v67.0", false, &result, &refusal));
    json_object_put(result.records);
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User WHERE Title = '%04001d'", 0);
    T_TRUE(!soql_run(acme, soql.data, "v67.0", false, &result, &refusal));
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User%100000s", "");
    T_TRUE(!soql_run(acme, soql.data, "v67.0", false, &result, &refusal));
    T_STR(refusal.code, "MALFORMED_QUERY");
    text_free(&soql);
    text_addf(&soql, "SELECT Id FROM User WHERE ");
    for (int i = 0; i < 40000; i++)
        text_addf(&soql, "(");
    T_TRUE(!soql_run(acme, soql.data, "v67.0", false, &result, &refusal));
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
    T_INT(ask_soql(acme, "SELECT COUNT() FROM User LIMIT 2"), 200);
    T_INT(js_get_int(answer_json, "totalSize", 0), 2);
    T_INT(ask_soql(acme, "SELECT COUNT(Title) FROM User"), 200);
    T_HAS(answer.body, "\"type\":\"AggregateResult\"");
    T_HAS(answer.body, "\"expr0\":4");
    T_INT(ask_soql(acme, "SELECT COUNT(Id) total, COUNT_DISTINCT(City), MIN(Username), "
                         "MAX(Manager.Username) boss FROM User WHERE City != null"),
          200);
    T_INT(js_get_int(answer_json, "totalSize", 0), 1);
    T_HAS(answer.body, "\"total\":2,\"expr0\":1,\"expr1\":\"a@b.cc\",\"boss\":null");
    ask_end();
}

static void
fields_can_be_asked_for_by_group_and_objects_have_aliases(void)
{
    const char *reason;

    ask_begin();
    make_users();
    T_INT(ask_soql(acme, "SELECT FIELDS(CUSTOM) FROM User LIMIT 1"), 400);
    org_add_custom_field(acme, "Key__c", 30, 0, &reason);
    T_INT(ask_soql(acme, "SELECT FIELDS(STANDARD) FROM User WHERE Username = 'a@b.cc'"), 200);
    T_HAS(answer.body, "\"Title\":\"Chief\"");
    T_TRUE(strstr(answer.body, "Key__c") == NULL);
    T_INT(ask_soql(acme, "SELECT FIELDS(ALL), Profile.Name FROM User LIMIT 200"), 200);
    T_HAS(answer.body, "\"Key__c\":null");
    T_HAS(answer.body, "\"Name\":\"Standard User\"");
    T_INT(ask_soql(acme, "SELECT u.Username, u.Manager.Username FROM User u WHERE u.City = 'Paris' "
                         "ORDER BY u.Username DESC"),
          200);
    T_STR(found(), "da");
    ask_end();
}

static struct row *
add_user_with(const char *username, const char *more)
{
    return org_find(acme, "User", make_user(acme, username, more));
}

/* Custom fields of the kinds that User's own fields have none of. */
static void
fields_of_every_kind_are_compared_and_ordered(void)
{
    static const char *const conditions[][2] = {
        { "Born__c = 1990-05-01", "a" },
        { "Born__c > 1990-05-01", "b" },
        { "Born__c < TODAY AND Born__c >= 1980-01-01", "ab" },
        { "Born__c = NEXT_N_YEARS:2", "" },
        { "Size__c = 9.5", "a" },
        { "Size__c > 9", "ab" },
        { "Size__c IN (10, 11)", "b" },
        { "Skills__c INCLUDES ('C')", "ab" },
        { "Skills__c INCLUDES ('C;SQL')", "a" },
        { "Skills__c INCLUDES ('SQL', 'Go')", "ab" },
        { "Skills__c EXCLUDES ('SQL') AND Born__c != null", "b" },
        { "Boss__r.Username = 'a@b.cc'", "b" },
        { "Seen__c > 2026-01-01T00:00:00Z", "a" },
        { "VIP__c = true", "b" },
    };

    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/settings",
                       "{\"custom_fields\":[{\"name\":\"Born__c\",\"type\":\"date\"},"
                       "{\"name\":\"Size__c\",\"type\":\"double\"},"
                       "{\"name\":\"VIP__c\",\"type\":\"boolean\"},"
                       "{\"name\":\"Seen__c\",\"type\":\"datetime\"},"
                       "{\"name\":\"Boss__c\",\"type\":\"reference\",\"target\":\"User\"},"
                       "{\"name\":\"Skills__c\",\"type\":\"multipicklist\",\"values\":[\"C\","
                       "\"SQL\",\"Go\"]}]}"),
          200);
    AUTO_FREE char *more = text_format(
        ",\"Born__c\":\"1991-01-31\",\"Size__c\":10,\"VIP__c\":true,\"Skills__c\":\"C;Go\","
        "\"Boss__c\":\"%s\"",
        add_user_with("a@b.cc", ",\"Born__c\":\"1990-05-01\",\"Size__c\":9.5,\"Skills__c\":"
                                "\"C;SQL\",\"Seen__c\":\"2026-11-22T10:00:00+01:00\"")
            ->id);
    add_user_with("b@b.cc", more);
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        AUTO_FREE char *soql = text_format("SELECT Username FROM User WHERE %s", conditions[i][0]);
        T_INT(ask_soql(acme, soql), 200);
        T_STR(found(), conditions[i][1]);
    }
    T_INT(ask_soql(acme, "SELECT Username FROM User ORDER BY Size__c DESC NULLS LAST LIMIT 2"),
          200);
    T_STR(found(), "ba");
    T_INT(ask_soql(acme, "SELECT Seen__c FROM User WHERE Username = 'a@b.cc'"), 200);
    T_HAS(answer.body, "\"Seen__c\":\"2026-11-22T09:00:00.000+0000\"");
    ask_end();
}

/* 2026-11-22 is a Sunday; spans are [from, to) in days from it. */
static void
date_literals_stand_for_their_span(void)
{
    static const struct {
        const char *literal;
        const char *from, *to;
    } spans[] = {
        { "TODAY", "2026-11-22", "2026-11-23" },
        { "YESTERDAY", "2026-11-21", "2026-11-22" },
        { "TOMORROW", "2026-11-23", "2026-11-24" },
        { "LAST_WEEK", "2026-11-15", "2026-11-22" },
        { "THIS_WEEK", "2026-11-22", "2026-11-29" },
        { "NEXT_WEEK", "2026-11-29", "2026-12-06" },
        { "LAST_MONTH", "2026-10-01", "2026-11-01" },
        { "THIS_MONTH", "2026-11-01", "2026-12-01" },
        { "NEXT_MONTH", "2026-12-01", "2027-01-01" },
        { "LAST_90_DAYS", "2026-08-24", "2026-11-23" },
        { "NEXT_90_DAYS", "2026-11-23", "2027-02-21" },
        { "LAST_N_DAYS:1", "2026-11-21", "2026-11-23" },
        { "NEXT_N_DAYS:1", "2026-11-23", "2026-11-24" },
        { "N_DAYS_AGO:3", "2026-11-19", "2026-11-20" },
        { "LAST_N_WEEKS:2", "2026-11-08", "2026-11-22" },
        { "N_WEEKS_AGO:1", "2026-11-15", "2026-11-22" },
        { "LAST_N_MONTHS:2", "2026-09-01", "2026-11-01" },
        { "NEXT_N_MONTHS:2", "2026-12-01", "2027-02-01" },
        { "N_MONTHS_AGO:11", "2025-12-01", "2026-01-01" },
        { "THIS_QUARTER", "2026-10-01", "2027-01-01" },
        { "LAST_QUARTER", "2026-07-01", "2026-10-01" },
        { "NEXT_QUARTER", "2027-01-01", "2027-04-01" },
        { "LAST_N_QUARTERS:4", "2025-10-01", "2026-10-01" },
        { "THIS_FISCAL_QUARTER", "2026-10-01", "2027-01-01" },
        { "THIS_YEAR", "2026-01-01", "2027-01-01" },
        { "last_n_years:2", "2024-01-01", "2026-01-01" },
        { "N_FISCAL_YEARS_AGO:1", "2025-01-01", "2026-01-01" },
    };

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        int64_t from = 0, to = 0, day;
        T_TRUE(soql_date_span(spans[i].literal, 1795357043119, &from, &to));
        T_TRUE(date_parse(spans[i].from, &day));
        T_INT(from, day);
        T_TRUE(date_parse(spans[i].to, &day));
        T_INT(to, day);
    }
    T_TRUE(!soql_date_span("THIS_DAY", 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
    T_TRUE(!soql_date_span("LAST_N_DAYS:", 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
    T_TRUE(!soql_date_span("LAST_N_DAYS:99999", 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
    T_TRUE(!soql_date_span("LAST_YEARS", 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
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
        if (!record_create(acme, &objects[OBJECT_USER], record, acme->other_admin, &row, &changes,
                           &refusal))
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
    ask_now_ms += INT64_C(2) * 24 * 3600 * 1000 + 1; /* the session is over too */
    acme->settings.token_life_s = INT64_C(10) * 24 * 3600;
    T_INT(ask(acme, "GET", next, NULL), 400);
    T_STR(error_code(), "INVALID_QUERY_LOCATOR");
    T_INT(ask(acme, "GET", DATA "/query/nonsense", NULL), 400);
    T_STR(error_code(), "INVALID_QUERY_LOCATOR");
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
    UNIT_CASE(fields_can_be_asked_for_by_group_and_objects_have_aliases),
    UNIT_CASE(fields_of_every_kind_are_compared_and_ordered),
    UNIT_CASE(date_literals_stand_for_their_span),
    UNIT_CASE(another_orgs_user_is_not_found),
    UNIT_CASE(pages_have_two_thousand_rows_or_what_was_asked_for),
    UNIT_CASE(a_cursor_keeps_what_was_found),
};

int
main(int argc, char **argv)
{
    return unit_run("org_soql", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
