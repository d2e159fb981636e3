/* The simulated org's objects beside User: what can be assigned, frozen, made and deleted, and what
 * setup objects are not written together with. */
#include "tests/unit/ask.h"

/* The id of the first record a query finds, "" for none. Static, four in turn. */
static const char *
id_of(const char *soql)
{
    static char ids[4][ID_SIZE];
    static unsigned turn;
    char *id = ids[turn++ % 4];
    struct json_object *records;

    T_INT(ask_soql(acme, soql), 200);
    records = js_get(answer_json, "records");
    snprintf(id, ID_SIZE, "%s",
             answer_length() ? js_get_text(json_object_array_get_idx(records, 0), "Id") : "");
    return id;
}

static int
create(const char *object, const char *record)
{
    AUTO_FREE char *path = text_format(DATA "/sobjects/%s", object);

    return ask(acme, "POST", path, record);
}

static int
change(const char *method, const char *object, const char *id, const char *record)
{
    AUTO_FREE char *path = text_format(DATA "/sobjects/%s/%s", object, id);

    return ask(acme, method, path, record);
}

static int
assign(const char *user, const char *field, const char *id)
{
    AUTO_FREE char *record = text_format("{\"AssigneeId\":\"%s\",\"%s\":\"%s\"}", user, field, id);

    return create("PermissionSetAssignment", record);
}

static int64_t
count_of(const char *soql)
{
    T_INT(ask_soql(acme, soql), 200);
    return js_get_int(answer_json, "totalSize", -1);
}

/* ---- UserLogin ---- */

static void
a_user_is_frozen_by_the_login_row(void)
{
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *login = NULL;
    AUTO_FREE char *soql = NULL;

    ask_begin();
    user = text_copy(make_user(acme, "a@b.cc", ""));
    soql = text_format("SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '%s'", user);
    login = text_copy(id_of(soql));
    T_TRUE(strncmp(login, "0Yw", 3) == 0);
    T_INT(change("PATCH", "UserLogin", login, "{\"IsFrozen\":true}"), 204);
    T_INT(ask_soql(acme, soql), 200);
    T_HAS(answer.body, "\"IsFrozen\":true");
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"frozen\":[\"a@b.cc\"]");
    T_TRUE(js_get_flag(org_find(acme, "User", user)->values, "IsActive", false));
    T_INT(change("PATCH", "UserLogin", login, "{\"IsPasswordLocked\":true}"), 400);
    T_STR(error_code(), "CANNOT_PASSWORD_LOCKOUT");
    T_INT(change("PATCH", "UserLogin", login, "{\"UserId\":null}"), 400);
    T_STR(error_code(), "INVALID_FIELD_FOR_INSERT_UPDATE");
    T_INT(change("DELETE", "UserLogin", login, NULL), 405);
    T_INT(create("UserLogin", "{}"), 400);
    T_STR(error_code(), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    ask_end();
}

static void
nobody_freezes_themselves(void)
{
    AUTO_FREE char *soql = NULL;

    ask_begin();
    soql = text_format("SELECT Id FROM UserLogin WHERE UserId = '%s'", acme->execution_user);
    T_INT(change("PATCH", "UserLogin", id_of(soql), "{\"IsFrozen\":true}"), 400);
    T_STR(error_code(), "CANNOT_FREEZE_SELF");
    ask_end();
}

static void
a_login_row_may_be_missing_until_the_first_password(void)
{
    AUTO_FREE char *soql = NULL;
    AUTO_FREE char *path = NULL;
    const char *user;

    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"login_rows\":false}"), 200);
    user = make_user(acme, "a@b.cc", "");
    soql = text_format("SELECT Id FROM UserLogin WHERE UserId = '%s'", user);
    T_STR(id_of(soql), "");
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"without_login\":[\"a@b.cc\"]");
    path = text_format(DATA "/sobjects/User/%s/password", user);
    T_INT(ask(acme, "POST", path, "{\"NewPassword\":\"secret-123\"}"), 204);
    T_TRUE(*id_of(soql));
    ask_end();
}

/* ---- permission sets ---- */

static void
a_permission_set_is_assigned_once_and_taken_away(void)
{
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *set = NULL;
    AUTO_FREE char *assignment = NULL;

    ask_begin();
    user = text_copy(make_user(acme, "a@b.cc", ""));
    set = text_copy(id_of("SELECT Id FROM PermissionSet WHERE Name = 'Api_Access'"));
    T_INT(assign(user, "PermissionSetId", set), 201);
    assignment = text_copy(js_get_text(answer_json, "id"));
    T_TRUE(strncmp(assignment, "0Pa", 3) == 0);
    T_INT(assign(user, "PermissionSetId", set), 400);
    T_STR(error_code(), "DUPLICATE_VALUE");
    AUTO_FREE char *words = text_format(
        "Duplicate PermissionSetAssignment.  Assignee: %.15s; Permission Set: %.15s", user, set);
    T_STR(error_text(), words);
    T_HAS(answer.body, "\"fields\":[\"AssigneeId\",\"PermissionSetId\"]");
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"permission_set_assignments\":{\"a@b.cc\":[\"Api_Access\"]}");
    T_INT(change("DELETE", "PermissionSet", set, NULL), 400);
    T_STR(error_code(), "DELETE_FAILED");
    T_INT(change("DELETE", "PermissionSetAssignment", assignment, NULL), 204);
    T_INT(change("DELETE", "PermissionSetAssignment", assignment, NULL), 404);
    T_STR(error_code(), "ENTITY_IS_DELETED");
    T_STR(error_text(), "entity is deleted");
    T_INT(change("GET", "PermissionSetAssignment", assignment, NULL), 404);
    T_INT(assign(user, "PermissionSetId", set), 201);
    ask_end();
}

/* A client that does not filter IsOwnedByProfile sees the profile's own. */
static void
every_user_has_the_permission_set_of_the_profile(void)
{
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *soql = NULL;
    AUTO_FREE char *assignment = NULL;

    ask_begin();
    user = text_copy(make_user(acme, "a@b.cc", ""));
    soql = text_format("SELECT Id, PermissionSet.Profile.Name FROM PermissionSetAssignment WHERE "
                       "AssigneeId = '%s'",
                       user);
    T_INT(count_of(soql), 1);
    T_HAS(answer.body, "\"Name\":\"Standard User\"");
    assignment = text_copy(id_of(soql));
    T_INT(change("DELETE", "PermissionSetAssignment", assignment, NULL), 403);
    T_STR(error_code(), "INSUFFICIENT_ACCESS_OR_READONLY");
    AUTO_FREE char *move =
        text_format("{\"ProfileId\":\"%s\"}", acme->tables[OBJECT_PROFILE].rows[3]->id);
    T_INT(ask(acme, "PATCH", user_path(user), move), 204);
    T_INT(count_of(soql), 1);
    T_HAS(answer.body, "\"Name\":\"Chatter Free User\"");
    T_INT(assign(user, "PermissionSetId",
                 id_of("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true")),
          400);
    T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
    ask_end();
}

static void
an_assignment_names_a_user_and_one_set_or_group(void)
{
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *group = NULL;
    AUTO_FREE char *record = NULL;

    ask_begin();
    user = text_copy(make_user(acme, "a@b.cc", ""));
    group = text_copy(id_of("SELECT Id FROM PermissionSetGroup"));
    T_INT(assign(user, "PermissionSetGroupId", group), 201);
    T_INT(assign(user, "PermissionSetGroupId", group), 400);
    T_STR(error_code(), "DUPLICATE_VALUE");
    T_INT(assign(user, "PermissionSetId", group), 400);
    T_STR(error_code(), "MALFORMED_ID");
    T_INT(create("PermissionSetAssignment", "{}"), 400);
    T_STR(error_text(), "Required fields are missing: [AssigneeId]");
    record = text_format("{\"AssigneeId\":\"%s\"}", user);
    T_INT(create("PermissionSetAssignment", record), 400);
    T_STR(error_text(), "Required fields are missing: [PermissionSetId]");
    free(record);
    record =
        text_format("{\"AssigneeId\":\"%s\",\"PermissionSetGroupId\":\"%s\","
                    "\"PermissionSetId\":\"%s\"}",
                    user, group, id_of("SELECT Id FROM PermissionSet WHERE Name = 'Api_Access'"));
    T_INT(create("PermissionSetAssignment", record), 400);
    T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
    ask_end();
}

static void
a_set_with_a_licence_needs_the_licence_first(void)
{
    AUTO_FREE char *license = NULL;
    AUTO_FREE char *set = NULL;
    AUTO_FREE char *record = NULL;
    const char *names[] = { "a@b.cc", "b@b.cc", "c@b.cc" };

    ask_begin();
    license = text_copy(id_of("SELECT Id FROM PermissionSetLicense"));
    set = text_copy(id_of("SELECT Id FROM PermissionSet WHERE Name = 'Sales_Console'"));
    for (int i = 0; i < 3; i++) {
        AUTO_FREE char *user = text_copy(make_user(acme, names[i], ""));
        T_INT(assign(user, "PermissionSetId", set), 400);
        T_HAS(error_text(), "The user license doesn't allow the permission:");
        free(record);
        record =
            text_format("{\"AssigneeId\":\"%s\",\"PermissionSetLicenseId\":\"%s\"}", user, license);
        T_INT(create("PermissionSetLicenseAssign", record), i < 2 ? 201 : 400);
        if (i < 2)
            T_INT(assign(user, "PermissionSetId", set), 201);
    }
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    T_INT(ask_soql(acme, "SELECT TotalLicenses, UsedLicenses FROM PermissionSetLicense"), 200);
    T_HAS(answer.body, "\"TotalLicenses\":2,\"UsedLicenses\":2");
    ask_end();
}

/* ---- roles, groups, leads ---- */

static void
roles_are_made_assigned_and_kept_while_used(void)
{
    AUTO_FREE char *role = NULL;
    AUTO_FREE char *more = NULL;
    AUTO_FREE char *record = NULL;

    ask_begin();
    T_INT(create("UserRole", "{\"Name\":\"Field Sales, EMEA\"}"), 201);
    role = text_copy(js_get_text(answer_json, "id"));
    T_INT(change("GET", "UserRole", role, NULL), 200);
    T_STR(js_get_text(answer_json, "DeveloperName"), "Field_Sales_EMEA");
    T_INT(create("UserRole", "{\"Name\":\"Field Sales  EMEA\"}"), 400);
    T_STR(error_code(), "DUPLICATE_DEVELOPER_NAME");
    T_INT(create("UserRole", "{\"Name\":\"x\",\"DeveloperName\":\"1__\"}"), 400);
    T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
    T_INT(create("UserRole", "{}"), 400);
    T_STR(error_code(), "REQUIRED_FIELD_MISSING");
    record = text_format("{\"ParentRoleId\":\"%s\"}", role);
    T_INT(change("PATCH", "UserRole", role, record), 400);
    T_STR(error_code(), "CIRCULAR_DEPENDENCY");
    more = text_format(",\"UserRoleId\":\"%s\"", role);
    AUTO_FREE char *user = text_copy(make_user(acme, "a@b.cc", more));
    T_INT(change("DELETE", "UserRole", role, NULL), 400);
    T_STR(error_code(), "DELETE_FAILED");
    T_INT(ask(acme, "PATCH", user_path(user), "{\"UserRoleId\":null}"), 204);
    T_INT(change("DELETE", "UserRole", role, NULL), 204);
    T_INT(ask(acme, "POST", DATA "/sobjects/User", good_user("b@b.cc", more)), 400);
    T_STR(error_code(), "INVALID_CROSS_REFERENCE_KEY");
    T_INT(create("UserRole", "{\"Name\":\"Field Sales EMEA\"}"), 201);
    ask_end();
}

static void
a_member_twice_is_the_first_one(void)
{
    AUTO_FREE char *group = NULL;
    AUTO_FREE char *record = NULL;
    AUTO_FREE char *member = NULL;
    const char *user;

    ask_begin();
    user = make_user(acme, "a@b.cc", "");
    T_INT(create("Group", "{\"Name\":\"Night shift\"}"), 201);
    group = text_copy(js_get_text(answer_json, "id"));
    record = text_format("{\"GroupId\":\"%s\",\"UserOrGroupId\":\"%s\"}", group, user);
    T_INT(create("GroupMember", record), 201);
    member = text_copy(js_get_text(answer_json, "id"));
    T_INT(create("GroupMember", record), 201);
    T_STR(js_get_text(answer_json, "id"), member);
    T_INT(change("PATCH", "GroupMember", member, "{}"), 400);
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"group_members\":{\"a@b.cc\":[\"Night shift\"]}");
    T_INT(change("DELETE", "Group", group, NULL), 204);
    T_INT(change("GET", "GroupMember", member, NULL), 404);
    T_STR(error_code(), "ENTITY_IS_DELETED");
    T_INT(create("Group", "{\"Name\":\"x\",\"Type\":\"Role\"}"), 400);
    T_INT(
        change("DELETE", "Group", id_of("SELECT Id FROM Group WHERE Type = 'Organization'"), NULL),
        400);
    ask_end();
}

static void
leads_stay_in_the_bin_for_queryall(void)
{
    AUTO_FREE char *lead = NULL;

    ask_begin();
    T_INT(create("Lead", "{\"LastName\":\"Roe\"}"), 400);
    T_STR(error_text(), "Required fields are missing: [Company]");
    T_INT(create("Lead", "{\"LastName\":\"Roe\",\"Company\":\"Acme\",\"City\":\"Rome\"}"), 201);
    lead = text_copy(js_get_text(answer_json, "id"));
    T_INT(change("GET", "Lead", lead, NULL), 200);
    T_STR(js_get_text(answer_json, "OwnerId"), acme->execution_user);
    T_STR(js_get_text(answer_json, "Status"), "Open - Not Contacted");
    T_STR(js_get_text(js_get(answer_json, "Address"), "city"), "Rome");
    T_INT(change("DELETE", "Lead", lead, NULL), 204);
    T_INT(count_of("SELECT COUNT() FROM Lead"), 0);
    T_INT(ask(acme, "GET", DATA "/queryAll?q=SELECT+Id,IsDeleted+FROM+Lead", NULL), 200);
    T_INT(answer_length(), 1);
    T_HAS(answer.body, "\"IsDeleted\":true");
    T_INT(ask(acme, "GET", DATA "/queryAll?q=SELECT+Id+FROM+Lead+WHERE+IsDeleted=false", NULL),
          200);
    T_INT(answer_length(), 0);
    AUTO_FREE char *record =
        text_format("{\"LastName\":\"x\",\"Company\":\"y\",\"OwnerId\":\"%s\"}",
                    make_user(acme, "off@b.cc", ",\"IsActive\":false"));
    T_INT(create("Lead", record), 400);
    T_STR(error_code(), "INACTIVE_OWNER_OR_USER");
    ask_end();
}

/* ---- Collections of other objects ---- */

static void
collections_take_one_setup_object_at_a_time(void)
{
    AUTO_TEXT struct text body = { 0 };
    AUTO_FREE char *path = NULL;
    const char *user, *set;

    ask_begin();
    user = make_user(acme, "a@b.cc", "");
    set = id_of("SELECT Id FROM PermissionSet WHERE Name = 'Api_Access'");
    text_addf(&body,
              "{\"records\":[{\"attributes\":{\"type\":\"PermissionSetAssignment\"},\"AssigneeId\":"
              "\"%s\",\"PermissionSetId\":\"%s\"},{\"attributes\":{\"type\":"
              "\"PermissionSetAssignment\"},\"AssigneeId\":\"%s\",\"PermissionSetId\":\"%s\"}]}",
              user, set, user, set);
    T_INT(ask(acme, "POST", DATA "/composite/sobjects", body.data), 200);
    T_STR(result_code(0), "");
    T_STR(result_code(1), "DUPLICATE_VALUE");
    path =
        text_format(DATA "/composite/sobjects?ids=%s,0Pa5g0000000001&allOrNone=true", result_id(0));
    T_INT(ask(acme, "DELETE", path, NULL), 200);
    T_STR(result_code(0), "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    T_STR(result_code(1), "INVALID_CROSS_REFERENCE_KEY");
    T_INT(assign(user, "PermissionSetId", set), 400); /* it is back, and in its index */
    path[strlen(path) - strlen("0Pa5g0000000001&allOrNone=true") - 1] = '\0';
    T_INT(ask(acme, "DELETE", path, NULL), 200);
    T_STR(result_code(0), "");
    T_INT(ask(acme, "POST", DATA "/composite/sobjects",
              "{\"records\":[{\"attributes\":{\"type\":\"Lead\"}},{\"attributes\":{\"type\":"
              "\"UserRole\"}}]}"),
          400);
    T_STR(error_code(), "MIXED_DML_OPERATION");
    T_INT(ask(acme, "DELETE", DATA "/composite/sobjects?ids=", NULL), 400);
    ask_end();
}

/* ---- custom fields ---- */

static void
custom_fields_are_written_by_the_rules_of_their_kind(void)
{
    static const struct {
        const char *more, *code, *text;
    } refused[] = {
        { ",\"Born__c\":\"1990-02-30\"", "JSON_PARSER_ERROR",
          "instance of date from VALUE_STRING" },
        { ",\"Born__c\":\"1990-02-03T00:00:00Z\"", "JSON_PARSER_ERROR", "instance of date" },
        { ",\"Seen__c\":\"1990-02-03\"", "JSON_PARSER_ERROR", "instance of datetime" },
        { ",\"Size__c\":\"9\"", "JSON_PARSER_ERROR", "instance of double from VALUE_STRING" },
        { ",\"Size__c\":123456", "NUMBER_OUTSIDE_VALID_RANGE", "123456" },
        { ",\"VIP__c\":null", "JSON_PARSER_ERROR", "instance of boolean from VALUE_NULL" },
        { ",\"Team__c\":\"Blue\"", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Blue" },
        { ",\"Skills__c\":\"C;Ada\"", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "C;Ada" },
        { ",\"Boss__c\":\"00e000000000001\"", "MALFORMED_ID", "id value of incorrect type" },
        { ",\"Mail__c\":\"nobody\"", "INVALID_EMAIL_ADDRESS", "Mail__c" },
    };
    static const char *const no_fields[] = {
        "{\"name\":\"X__c\",\"type\":\"blob\"}",
        "{\"name\":\"X__c\",\"type\":\"reference\"}",
        "{\"name\":\"X__c\",\"type\":\"date\",\"external_id\":true}",
        "{\"name\":\"X__c\",\"type\":\"double\",\"unique\":true}",
        "{\"name\":\"X__c\",\"type\":\"double\",\"precision\":19}",
        "{\"name\":\"X__c\",\"kind\":\"double\"}",
    };

    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/settings",
                       "{\"custom_fields\":[{\"name\":\"Born__c\",\"type\":\"date\"},"
                       "{\"name\":\"Seen__c\",\"type\":\"datetime\"},"
                       "{\"name\":\"Size__c\",\"type\":\"double\",\"precision\":5},"
                       "{\"name\":\"VIP__c\",\"type\":\"boolean\"},"
                       "{\"name\":\"Mail__c\",\"type\":\"email\"},"
                       "{\"name\":\"Team__c\",\"type\":\"picklist\",\"values\":[\"Red\"]},"
                       "{\"name\":\"Skills__c\",\"type\":\"multipicklist\",\"values\":[\"C\","
                       "\"Go\"]},"
                       "{\"name\":\"Boss__c\",\"type\":\"reference\",\"target\":\"User\"}]}"),
          200);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        T_INT(create("User", good_user("a@b.cc", refused[i].more)), 400);
        T_STR(error_code(), refused[i].code);
        T_HAS(error_text(), refused[i].text);
    }
    for (size_t i = 0; i < sizeof(no_fields) / sizeof(no_fields[0]); i++) {
        AUTO_FREE char *body = text_format("{\"custom_fields\":[%s]}", no_fields[i]);
        T_INT(ask_exchange(acme, "POST", "/__org/settings", body), 400);
    }
    AUTO_FREE char *id =
        text_copy(make_user(acme, "a@b.cc",
                            ",\"Born__c\":\"1990-02-03\",\"Size__c\":12345,\"Team__c\":\"Red\","
                            "\"Skills__c\":\"Go;C\",\"Seen__c\":\"2026-01-01T01:00:00+01:00\""));
    T_STR(user_text(acme, id, "Born__c"), "1990-02-03");
    T_STR(user_text(acme, id, "Seen__c"), "2026-01-01T00:00:00.000+0000");
    T_STR(json_object_to_json_string(js_get(answer_json, "Size__c")), "12345.0");
    T_INT(ask(acme, "PATCH", user_path(id),
              "{\"Title\":\" a \\n b\\r\\n \",\"Street\":\"1\\n2\\r\\n3\"}"),
          204);
    T_STR(user_text(acme, id, "Title"), "a \n b");
    T_STR(user_text(acme, id, "Street"), "1\n2\r\n3");
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Born__c\":null,\"Size__c\":null}"), 204);
    T_STR(user_text(acme, id, "Born__c"), "");
    ask_end();
}

/* ---- faults ---- */

static void
faults_meet_deletions_passwords_and_parts_of_a_composite(void)
{
    AUTO_FREE char *role = NULL;
    AUTO_FREE char *body = NULL;
    AUTO_FREE char *path = NULL;

    ask_begin();
    T_INT(create("UserRole", "{\"Name\":\"Night\"}"), 201);
    role = text_copy(js_get_text(answer_json, "id"));
    T_INT(
        ask_exchange(acme, "POST", "/__org/faults",
                     "[{\"on\":\"delete\",\"do\":\"refuse_record\",\"match\":{\"Name\":\"night\"}},"
                     "{\"on\":\"password\",\"do\":\"status\",\"status\":500},"
                     "{\"on\":\"create\",\"do\":\"refuse_record\",\"match\":{\"Alias\":\"jane\"},"
                     "\"statusCode\":\"FIELD_CUSTOM_VALIDATION_EXCEPTION\",\"message\":\"No.\"},"
                     "{\"on\":\"composite\",\"do\":\"status\",\"status\":503,\"skip\":1}]"),
        200);
    path = text_format(DATA "/sobjects/UserRole/%s", role);
    T_INT(ask_exchange(acme, "DELETE", path, NULL), 400);
    T_STR(error_code(), "UNABLE_TO_LOCK_ROW");
    T_INT(ask_exchange(acme, "DELETE", path, NULL), 204);
    free(path);
    path = text_format("%s/password", user_path(acme->other_admin));
    T_INT(ask_exchange(acme, "POST", path, "{\"NewPassword\":\"secret-123\"}"), 500);
    body = text_format("{\"compositeRequest\":[{\"method\":\"POST\",\"url\":\"" DATA
                       "/sobjects/User\",\"referenceId\":\"u\",\"body\":%s}]}",
                       good_user("a@b.cc", ""));
    T_INT(ask_exchange(acme, "POST", DATA "/composite", body), 200);
    T_HAS(answer.body, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    T_INT(ask_exchange(acme, "POST", DATA "/composite", body), 503);
    T_INT(ask_exchange(acme, "POST", DATA "/composite", body), 200);
    T_HAS(answer.body, "\"httpStatusCode\":201");
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_user_is_frozen_by_the_login_row),
    UNIT_CASE(nobody_freezes_themselves),
    UNIT_CASE(a_login_row_may_be_missing_until_the_first_password),
    UNIT_CASE(a_permission_set_is_assigned_once_and_taken_away),
    UNIT_CASE(every_user_has_the_permission_set_of_the_profile),
    UNIT_CASE(an_assignment_names_a_user_and_one_set_or_group),
    UNIT_CASE(a_set_with_a_licence_needs_the_licence_first),
    UNIT_CASE(roles_are_made_assigned_and_kept_while_used),
    UNIT_CASE(a_member_twice_is_the_first_one),
    UNIT_CASE(leads_stay_in_the_bin_for_queryall),
    UNIT_CASE(collections_take_one_setup_object_at_a_time),
    UNIT_CASE(custom_fields_are_written_by_the_rules_of_their_kind),
    UNIT_CASE(faults_meet_deletions_passwords_and_parts_of_a_composite),
};

int
main(int argc, char **argv)
{
    return unit_run("org_setup", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
