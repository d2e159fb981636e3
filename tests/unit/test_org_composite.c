/* The simulated org's calls that hold several: composite, graph, batch, tree. And those that name a
 * row otherwise than by Id: external ids, passwords. */
#include "tests/unit/ask.h"

#define USERS     DATA "/sobjects/User"
#define COMPOSITE DATA "/composite"

static struct json_object *
part(size_t index)
{
    struct json_object *list = js_get(answer_json, "compositeResponse");

    return json_object_is_type(list, json_type_array) ? json_object_array_get_idx(list, index)
                                                      : NULL;
}

static int64_t
part_status(size_t index)
{
    return js_get_int(part(index), "httpStatusCode", 0);
}

/* A member of the first error of a part, "" if it has none. */
static const char *
part_error(size_t index, const char *member)
{
    struct json_object *body = js_get(part(index), "body");
    const char *text = json_object_is_type(body, json_type_array)
                           ? js_get_text(json_object_array_get_idx(body, 0), member)
                           : NULL;

    return text ? text : "";
}

static int64_t
user_count(void)
{
    return (int64_t)acme->tables[OBJECT_USER].count;
}

static const char *
api_access(void)
{
    struct table *sets = &acme->tables[OBJECT_PERMISSION_SET];

    for (size_t i = 0; i < sets->count; i++) {
        if (strcmp(js_get_text(sets->rows[i]->values, "Name"), "Api_Access") == 0)
            return sets->rows[i]->id;
    }
    return "";
}

/* A user, an assignment to the new user, a query for both, a read of a row that was found. */
static void
later_parts_use_what_earlier_ones_answered(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    text_addf(&body,
              "{\"allOrNone\":true,\"compositeRequest\":["
              "{\"method\":\"POST\",\"url\":\"" USERS "\",\"referenceId\":\"u\",\"body\":%s},"
              "{\"method\":\"POST\",\"url\":\"" DATA "/sobjects/PermissionSetAssignment\","
              "\"referenceId\":\"a1\",\"body\":{\"AssigneeId\":\"@{u.id}\",\"PermissionSetId\":"
              "\"%s\"}},"
              "{\"method\":\"GET\",\"url\":\"" DATA "/query?q=SELECT+Id,IsActive+FROM+User+WHERE+"
              "Id='@{u.id}'\",\"referenceId\":\"q\"},"
              "{\"method\":\"PATCH\",\"url\":\"" USERS "/@{q.records[0].Id}\",\"referenceId\":"
              "\"p\",\"body\":{\"IsActive\":\"@{q.records[0].IsActive}\",\"Title\":"
              "\"was @{u.success}\"}},"
              "{\"method\":\"GET\",\"url\":\"" USERS "/@{u.id}?fields=Title\",\"referenceId\":"
              "\"g\"}]}",
              good_user("a@b.cc", ""), api_access());
    T_INT(ask(acme, "POST", COMPOSITE, body.data), 200);
    T_INT(part_status(0), 201);
    T_HAS(js_get_text(js_get(part(0), "httpHeaders"), "Location"), USERS "/005");
    T_STR(js_get_text(part(0), "referenceId"), "u");
    T_INT(part_status(1), 201);
    T_INT(part_status(2), 200);
    T_INT(part_status(3), 204);
    T_TRUE(js_get(part(3), "body") == NULL);
    T_INT(part_status(4), 200);
    T_STR(js_get_text(js_get(part(4), "body"), "Title"), "was true");
    T_INT(acme->usage.api_calls, 1);
    ask_end();
}

static void
all_or_none_takes_the_other_parts_back(void)
{
    AUTO_TEXT struct text body = { 0 };
    static const char *const modes[] = { "true", "false" };

    ask_begin();
    for (int i = 0; i < 2; i++) {
        text_free(&body);
        text_addf(&body,
                  "{\"allOrNone\":%s,\"compositeRequest\":["
                  "{\"method\":\"POST\",\"url\":\"" USERS "\",\"referenceId\":\"u\",\"body\":%s},"
                  "{\"method\":\"POST\",\"url\":\"" USERS "\",\"referenceId\":\"v\",\"body\":{}},"
                  "{\"method\":\"PATCH\",\"url\":\"" USERS "/@{v.id}\",\"referenceId\":\"w\","
                  "\"body\":{}}]}",
                  modes[i], good_user("a@b.cc", ""));
        T_INT(ask(acme, "POST", COMPOSITE, body.data), 200);
        T_STR(part_error(1, "errorCode"), "REQUIRED_FIELD_MISSING");
        T_STR(part_error(2, "errorCode"), "PROCESSING_HALTED");
        if (i == 0) {
            T_INT(part_status(0), 400);
            T_STR(part_error(0, "message"), "The transaction was rolled back since another "
                                            "operation in the same transaction failed.");
            T_INT(user_count(), 2);
            T_STR(part_error(2, "message"), part_error(0, "message"));
        } else {
            T_INT(part_status(0), 201);
            T_INT(user_count(), 3);
            T_STR(part_error(2, "message"),
                  "Invalid reference specified. No value for v.id found in v");
        }
    }
    ask_end();
}

/* The outer allOrNone overrides that of a Collections call in it. */
static void
a_failed_record_of_collections_fails_the_transaction(void)
{
    AUTO_TEXT struct text body = { 0 };
    static const char *const modes[] = { "true", "false" };

    ask_begin();
    for (int i = 0; i < 2; i++) {
        struct json_object *results;
        text_free(&body);
        text_addf(&body,
                  "{\"allOrNone\":%s,\"compositeRequest\":[{\"method\":\"POST\",\"url\":\"" USERS
                  "\",\"referenceId\":\"u\",\"body\":%s},{\"method\":\"POST\",\"url\":\"" COMPOSITE
                  "/sobjects\",\"referenceId\":\"c\",\"body\":{\"records\":[%s,{\"attributes\":"
                  "{\"type\":\"User\"}}]}}]}",
                  modes[i], good_user("a@b.cc", ""), good_user("c@b.cc", ""));
        T_INT(ask(acme, "POST", COMPOSITE, body.data), 200);
        T_INT(part_status(0), i == 0 ? 400 : 201);
        T_INT(user_count(), i == 0 ? 2 : 4);
        results = js_get(part(1), "body");
        T_TRUE(js_get_flag(json_object_array_get_idx(results, 0), "success", false) == (i == 1));
        T_TRUE(!js_get_flag(json_object_array_get_idx(results, 1), "success", true));
    }
    ask_end();
}

static void
setup_objects_and_others_are_no_transaction(void)
{
    AUTO_TEXT struct text body = { 0 };
    static const char *const modes[] = { "true", "false" };
    const char *lead = "{\"method\":\"POST\",\"url\":\"" DATA "/sobjects/Lead\",\"referenceId\":"
                       "\"l\",\"body\":{\"LastName\":\"Roe\",\"Company\":\"Acme\"}}";

    ask_begin();
    AUTO_FREE char *id = text_copy(make_user(acme, "a@b.cc", ""));
    for (int i = 0; i < 2; i++) {
        text_free(&body);
        text_addf(
            &body,
            "{\"allOrNone\":%s,\"compositeRequest\":[%s,{\"method\":\"PATCH\",\"url\":\"" USERS
            "/%s\",\"referenceId\":\"u\",\"body\":{\"IsActive\":false}}]}",
            modes[i], lead, id);
        T_INT(ask(acme, "POST", COMPOSITE, body.data), 200);
        T_INT(part_status(1), i == 0 ? 400 : 204);
        if (i == 0)
            T_STR(part_error(1, "message"),
                  "DML operation on setup object is not permitted after you have updated a "
                  "non-setup object (or vice versa): User, original object: Lead");
    }
    /* a change that touches nothing of the setup goes with a lead */
    text_free(&body);
    text_addf(&body,
              "{\"allOrNone\":true,\"compositeRequest\":[{\"method\":\"PATCH\",\"url\":\"" USERS
              "/%s\",\"referenceId\":\"u\",\"body\":{\"Title\":\"x\"}},%s]}",
              id, lead);
    T_INT(ask(acme, "POST", COMPOSITE, body.data), 200);
    T_INT(part_status(1), 201);
    ask_end();
}

#define GET_USERS "{\"method\":\"GET\",\"url\":\"" USERS "\",\"referenceId\":"

static const struct {
    const char *body, *code;
} faulty_composites[] = {
    { "{}", "REQUIRED_FIELD_MISSING" },
    { "{\"compositeRequest\":[]}", "REQUIRED_FIELD_MISSING" },
    { "{\"compositeRequest\":[1]}", "JSON_PARSER_ERROR" },
    { "{\"allOrNone\":\"true\",\"compositeRequest\":[" GET_USERS "\"u\"}]}", "JSON_PARSER_ERROR" },
    { "{\"x\":1,\"compositeRequest\":[" GET_USERS "\"u\"}]}", "JSON_PARSER_ERROR" },
    { "{\"compositeRequest\":[" GET_USERS "\"u\",\"richInput\":{}}]}", "JSON_PARSER_ERROR" },
    { "{\"compositeRequest\":[" GET_USERS "\"u\",\"httpHeaders\":{\"If-Match\":\"x\"}}]}",
      "INVALID_INPUT" },
    { "{\"compositeRequest\":[" GET_USERS "\"1u\"}]}", "INVALID_INPUT" },
    { "{\"compositeRequest\":[" GET_USERS "\"u-1\"}]}", "INVALID_INPUT" },
    { "{\"compositeRequest\":[" GET_USERS "null}]}", "INVALID_INPUT" },
    { "{\"compositeRequest\":[" GET_USERS "\"u\"}," GET_USERS "\"u\"}]}", "INVALID_INPUT" },
    { "{\"compositeRequest\":[{\"method\":\"LIST\",\"url\":\"" USERS "\",\"referenceId\":\"u\"}]}",
      "JSON_PARSER_ERROR" },
    { "{\"compositeRequest\":[{\"method\":\"GET\",\"url\":\"/__org/"
      "state\",\"referenceId\":\"u\"}]}",
      "INVALID_INPUT" },
};

static void
faulty_composites_are_refused_whole(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    for (size_t i = 0; i < sizeof(faulty_composites) / sizeof(faulty_composites[0]); i++) {
        T_INT(ask(acme, "POST", COMPOSITE, faulty_composites[i].body), 400);
        T_STR(error_code(), faulty_composites[i].code);
    }
    for (int parts = 25; parts <= 26; parts++) {
        text_free(&body);
        text_addf(&body, "{\"compositeRequest\":[");
        for (int i = 0; i < parts; i++)
            text_addf(&body, "%s" GET_USERS "\"u%d\"}", i ? "," : "", i);
        text_addf(&body, "]}");
        T_INT(ask(acme, "POST", COMPOSITE, body.data), parts == 25 ? 200 : 400);
    }
    T_STR(part_error(0, "errorCode"), "LIMIT_EXCEEDED");
    text_free(&body);
    text_addf(&body, "{\"compositeRequest\":[");
    for (int i = 0; i < 6; i++)
        text_addf(&body,
                  "%s{\"method\":\"GET\",\"url\":\"" DATA "/query?q=x\",\"referenceId\":"
                  "\"q%d\"}",
                  i ? "," : "", i);
    text_addf(&body, "]}");
    T_INT(ask(acme, "POST", COMPOSITE, body.data), 400);
    T_STR(part_error(0, "errorCode"), "LIMIT_EXCEEDED");
    ask_end();
}

/* A composite in a composite, and what is not below /services/data. */
static void
parts_reach_rows_and_queries_only(void)
{
    static const char *const urls[] = { COMPOSITE, COMPOSITE "/batch",
                                        "/services/data/v30.0/limits",
                                        "/services/data/v67.0/../../oauth2/userinfo" };

    ask_begin();
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        AUTO_FREE char *body = text_format("{\"compositeRequest\":[{\"method\":\"POST\",\"url\":"
                                           "\"%s\",\"referenceId\":\"u\",\"body\":{}}]}",
                                           urls[i]);
        T_INT(ask(acme, "POST", COMPOSITE, body), 200);
        T_INT(part_status(0), i == 2 ? 410 : 404);
    }
    T_INT(ask(acme, "GET", COMPOSITE, NULL), 200);
    T_HAS(answer.body, "\"sobjects\":\"" COMPOSITE "/sobjects\"");
    T_INT(ask(acme, "GET", "/services/data/v37.0/composite", NULL), 404);
    ask_end();
}

static void
each_graph_is_whole_or_nothing(void)
{
    AUTO_TEXT struct text body = { 0 };
    struct json_object *graphs;

    ask_begin();
    text_addf(&body,
              "{\"graphs\":[{\"graphId\":\"1\",\"compositeRequest\":[{\"method\":\"POST\",\"url\":"
              "\"" USERS "\",\"referenceId\":\"u\",\"body\":%s}]},{\"graphId\":\"2\","
              "\"compositeRequest\":[{\"method\":\"POST\",\"url\":\"" USERS "\",\"referenceId\":"
              "\"u\",\"body\":%s},{\"method\":\"POST\",\"url\":\"" USERS "\",\"referenceId\":\"v\","
              "\"body\":{}}]}]}",
              good_user("a@b.cc", ""), good_user("c@b.cc", ""));
    T_INT(ask(acme, "POST", COMPOSITE "/graph", body.data), 200);
    graphs = js_get(answer_json, "graphs");
    T_TRUE(js_get_flag(json_object_array_get_idx(graphs, 0), "isSuccessful", false));
    T_TRUE(!js_get_flag(json_object_array_get_idx(graphs, 1), "isSuccessful", true));
    T_INT(user_count(), 3);
    T_INT(ask(acme, "POST", COMPOSITE "/graph", "{\"graphs\":[]}"), 400);
    T_INT(ask(acme, "POST", COMPOSITE "/graph",
              "{\"graphs\":[{\"graphId\":\"1\",\"compositeRequest\":[{\"method\":\"GET\",\"url\":"
              "\"" DATA "/query?q=x\",\"referenceId\":\"q\"}]}]}"),
          400);
    ask_end();
}

static void
parts_of_a_batch_stand_for_themselves_and_count(void)
{
    static const char *const halts[] = { "false", "true" };
    struct json_object *results;

    ask_begin();
    for (int i = 0; i < 2; i++) {
        AUTO_FREE char *body =
            text_format("{\"haltOnError\":%s,\"batchRequests\":[{\"method\":\"POST\",\"url\":"
                        "\"v67.0/sobjects/User\",\"richInput\":{}},{\"method\":\"GET\",\"url\":"
                        "\"v67.0/sobjects/User/%s?fields=Username\"},{\"method\":\"PATCH\",\"url\":"
                        "\"v67.0/sobjects/User/%s\",\"richInput\":{\"Title\":\"x\"}}]}",
                        halts[i], acme->other_admin, acme->other_admin);
        T_INT(ask(acme, "POST", COMPOSITE "/batch", body), 200);
        T_TRUE(js_get_flag(answer_json, "hasErrors", false));
        results = js_get(answer_json, "results");
        T_INT(js_get_int(json_object_array_get_idx(results, 0), "statusCode", 0), 400);
        T_INT(js_get_int(json_object_array_get_idx(results, 1), "statusCode", 0),
              i == 0 ? 200 : 412);
        T_INT(js_get_int(json_object_array_get_idx(results, 2), "statusCode", 0),
              i == 0 ? 204 : 412);
        T_INT(acme->usage.api_calls, i == 0 ? 4 : 6);
    }
    T_HAS(answer.body, "BATCH_PROCESSING_HALTED");
    acme->settings.api_max = 8;
    AUTO_FREE char *two = text_copy("{\"batchRequests\":[{\"method\":\"GET\",\"url\":"
                                    "\"v67.0/limits\"},{\"method\":\"GET\",\"url\":"
                                    "\"v67.0/limits\"}]}");
    T_INT(ask(acme, "POST", COMPOSITE "/batch", two), 200);
    T_HAS(answer.body, "\"statusCode\":200");
    T_HAS(answer.body, "\"statusCode\":403,\"result\":[{\"message\":\"TotalRequests Limit");
    T_INT(ask(globex, "POST", COMPOSITE "/batch",
              "{\"batchRequests\":[{\"method\":\"GET\",\"url\":\"/services/data/v67.0/limits\"}]}"),
          400);
    ask_end();
}

static void
a_tree_is_created_whole_or_says_what_is_wrong(void)
{
    AUTO_FREE char *body = NULL;
    struct json_object *record;

    ask_begin();
    record = json_tokener_parse(good_user("a@b.cc", ""));
    js_put_text(js_get(record, "attributes"), "referenceId", "r1");
    AUTO_FREE char *good = js_text(record);
    json_object_put(record);
    body =
        text_format("{\"records\":[%s,{\"attributes\":{\"type\":\"User\",\"referenceId\":\"r2\"},"
                    "\"Alias\":\"x\"}]}",
                    good);
    T_INT(ask(acme, "POST", COMPOSITE "/tree/User", body), 400);
    T_HAS(answer.body, "{\"hasErrors\":true,\"results\":[{\"referenceId\":\"r2\",\"errors\":"
                       "[{\"statusCode\":\"REQUIRED_FIELD_MISSING\"");
    T_INT(user_count(), 2);
    free(body);
    body = text_format("{\"records\":[%s]}", good);
    T_INT(ask(acme, "POST", COMPOSITE "/tree/User", body), 201);
    T_HAS(answer.body, "{\"hasErrors\":false,\"results\":[{\"referenceId\":\"r1\",\"id\":\"005");
    T_INT(ask(acme, "POST", COMPOSITE "/tree/Lead", body), 400);
    T_STR(error_code(), "INVALID_TYPE");
    ask_end();
}

/* ---- external ids ---- */

static void
put_key_fields(void)
{
    const char *reason;

    org_add_custom_field(acme, "Key__c", 30, FIELD_UNIQUE | FIELD_EXTERNAL_ID, &reason);
    org_add_custom_field(acme, "Loose__c", 30, FIELD_EXTERNAL_ID, &reason);
    org_add_custom_field(acme, "Plain__c", 30, FIELD_UNIQUE, &reason);
}

static void
a_row_is_upserted_by_an_external_id(void)
{
    AUTO_FREE char *id = NULL;

    ask_begin();
    put_key_fields();
    T_INT(ask(acme, "PATCH", USERS "/Key__c/E%2F1.com?updateOnly=true", good_user("a@b.cc", "")),
          404);
    T_INT(ask(acme, "PATCH", USERS "/key__c/E%2F1.com", good_user("a@b.cc", "")), 201);
    T_TRUE(js_get_flag(answer_json, "created", false));
    T_HAS(answer_header("Location"), USERS "/005");
    id = text_copy(js_get_text(answer_json, "id"));
    T_STR(user_text(acme, id, "Key__c"), "E/1.com");
    T_INT(ask(acme, "PATCH", USERS "/Key__c/e%2f1.COM", "{\"Title\":\"x\"}"), 200);
    T_TRUE(!js_get_flag(answer_json, "created", true));
    T_STR(js_get_text(answer_json, "id"), id);
    T_INT(ask(acme, "PATCH", "/services/data/v45.0/sobjects/User/Key__c/E%2F1.com",
              "{\"Title\":\"y\"}"),
          204);
    T_INT(ask(acme, "GET", USERS "/Key__c/E%2F1.com?fields=Title", NULL), 200);
    T_STR(js_get_text(answer_json, "Title"), "y");
    T_INT(ask(acme, "GET", USERS "/Key__c/none", NULL), 404);
    T_STR(error_text(), "The requested resource does not exist");
    T_INT(ask(acme, "PATCH", USERS "/Key__c/E%2F1.com", "{\"Key__c\":\"z\"}"), 400);
    T_STR(error_text(), "The Key__c field should not be specified in the sobject data.");
    T_INT(ask(acme, "PATCH", USERS "/Key__c/E%2F1.com", "{\"Id\":\"005\"}"), 400);
    T_INT(ask(acme, "DELETE", USERS "/Key__c/E%2F1.com", NULL), 405);
    T_INT(ask(acme, "POST", USERS "/Id", good_user("c@b.cc", "")), 201);
    ask_end();
}

static void
only_external_ids_name_rows_and_several_rows_are_listed(void)
{
    static const char *const names[] = { "Username", "FederationIdentifier", "Plain__c", "Namez" };
    AUTO_FREE char *a = NULL;

    ask_begin();
    put_key_fields();
    a = text_copy(make_user(acme, "a@b.cc", ",\"Loose__c\":\"x\""));
    make_user(acme, "c@b.cc", ",\"Loose__c\":\"X\"");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_FREE char *path = text_format(USERS "/%s/a@b.cc", names[i]);
        AUTO_FREE char *words = text_format("Provided external ID field does not exist or is not "
                                            "accessible: %s",
                                            names[i]);
        T_INT(ask(acme, "GET", path, NULL), 404);
        T_STR(error_text(), words);
    }
    T_INT(ask(acme, "GET", USERS "/Loose__c/x", NULL), 300);
    T_INT(answer_length(), 2);
    T_STR(json_object_get_string(json_object_array_get_idx(answer_json, 0)), user_path(a));
    T_INT(ask(acme, "PATCH", USERS "/Loose__c/x", "{}"), 300);
    ask_end();
}

static void
collections_upsert_by_an_external_id(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    put_key_fields();
    make_user(acme, "a@b.cc", ",\"Key__c\":\"k1\"");
    text_addf(&body,
              "{\"records\":[{\"attributes\":{\"type\":\"User\"},\"Key__c\":\"K1\",\"Title\":"
              "\"x\"},%s,{\"attributes\":{\"type\":\"User\"},\"Title\":\"z\"}]}",
              good_user("c@b.cc", ",\"Key__c\":\"k2\""));
    T_INT(ask(acme, "PATCH", DATA "/composite/sobjects/User/Key__c", body.data), 200);
    T_STR(result_code(0), "");
    T_TRUE(!js_get_flag(json_object_array_get_idx(answer_json, 0), "created", true));
    T_STR(result_code(1), "");
    T_TRUE(js_get_flag(json_object_array_get_idx(answer_json, 1), "created", false));
    T_STR(result_code(2), "MISSING_ARGUMENT");
    T_INT(ask(acme, "PATCH", DATA "/composite/sobjects/User/Username", body.data), 404);
    T_INT(ask(acme, "POST", DATA "/composite/sobjects/Profile",
              "{\"ids\":[\"00e\"],\"fields\":[\"Name\"]}"),
          400);
    AUTO_FREE char *ask_for = text_format("{\"ids\":[\"%s\"],\"fields\":[\"Name\"]}",
                                          acme->tables[OBJECT_PROFILE].rows[1]->id);
    T_INT(ask(acme, "POST", DATA "/composite/sobjects/Profile", ask_for), 200);
    T_HAS(answer.body, "\"Name\":\"Standard User\"");
    ask_end();
}

/* ---- passwords ---- */

static void
a_password_is_set_reset_and_never_twice(void)
{
    AUTO_FREE char *path = NULL;
    static const struct {
        const char *body, *code, *text;
    } refused[] = {
        { "{\"NewPassword\":\"short1\"}", "INVALID_NEW_PASSWORD", "8 characters" },
        { "{\"NewPassword\":\"onlyletters\"}", "INVALID_NEW_PASSWORD",
          "Your password must have a mix of" },
        { "{\"NewPassword\":\"1234567890\"}", "INVALID_NEW_PASSWORD",
          "Your password must have a mix of" },
        { "{\"NewPassword\":\"A1@b.cc-123\"}", "INVALID_NEW_PASSWORD", "user name" },
        { "{\"NewPassword\":\"secret-123\"}", "INVALID_NEW_PASSWORD", "invalid repeated password" },
        { "{\"NewPassword\":1}", "MISSING_ARGUMENT", "NewPassword" },
        { "{\"Password\":\"secret-124\"}", "MISSING_ARGUMENT", "NewPassword" },
    };
    const char *id;

    ask_begin();
    id = make_user(acme, "a1@b.cc", "");
    path = text_format("%s/password", user_path(id));
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_STR(answer.body, "{\"isExpired\":false}");
    T_INT(ask(acme, "POST", path, "{\"newPassword\":\"secret-123\"}"), 204);
    T_TRUE(answer.body == NULL);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        T_INT(ask(acme, "POST", path, refused[i].body), 400);
        T_STR(error_code(), refused[i].code);
        T_HAS(error_text(), refused[i].text);
    }
    T_TRUE(*user_text(acme, id, "LastPasswordChangeDate"));
    T_INT(ask(acme, "DELETE", path, NULL), 200);
    AUTO_FREE char *temporary = text_copy(js_get_text(answer_json, "NewPassword"));
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_STR(answer.body, "{\"isExpired\":true}");
    AUTO_FREE char *check = text_format("/__org/users/%s/check_password", id);
    AUTO_FREE char *guess = text_format("{\"password\":\"%s\"}", temporary);
    T_INT(ask_exchange(acme, "POST", check, guess), 200);
    T_STR(answer.body, "{\"matches\":true}");
    T_INT(ask_exchange(acme, "POST", check, "{\"password\":\"secret-123\"}"), 200);
    T_STR(answer.body, "{\"matches\":false}");
    T_INT(ask(acme, "PUT", path, "{}"), 405);
    T_INT(ask(acme, "GET", USERS "/0055g0000000001/password", NULL), 404);
    ask_end();
}

/* 2.8 */
static void
passwords_need_the_right_to_manage_users(void)
{
    static const char *const methods[] = { "GET", "POST", "DELETE" };
    AUTO_FREE char *path = NULL;

    ask_begin();
    path = text_format("%s/password", user_path(make_user(acme, "a@b.cc", "")));
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"manage_users\":false}"), 200);
    for (size_t i = 0; i < 3; i++) {
        T_INT(ask(acme, methods[i], path, i == 1 ? "{\"NewPassword\":\"secret-123\"}" : NULL), 403);
        T_STR(error_code(), "INSUFFICIENT_ACCESS");
    }
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"passwords_set\":{}");
    ask_end();
}

static void
passwords_stay_out_of_the_log(void)
{
    AUTO_FREE char *path = NULL;

    ask_begin();
    path = text_format("%s/password", user_path(acme->other_admin));
    T_INT(ask_exchange(acme, "POST", path, "{\"NewPassword\":\"secret-123\"}"), 204);
    T_INT(ask_exchange(acme, "GET", "/__org/calls", NULL), 200);
    T_HAS(answer.body, "\"kind\":\"password\"");
    T_TRUE(strstr(answer.body, "secret-123") == NULL);
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_HAS(answer.body, "\"passwords_set\":{\"olga@acme.simulated.example\":1}");
    T_TRUE(strstr(answer.body, "secret-123") == NULL);
    ask_end();
}

/* ---- what the API says of itself ---- */

static void
limits_and_record_counts_are_told(void)
{
    ask_begin();
    make_user(acme, "a@b.cc", "");
    T_INT(ask(acme, "GET", DATA "/limits", NULL), 200);
    T_HAS(answer.body, "\"DailyApiRequests\":{\"Max\":100000,\"Remaining\":99998,\"simulated\":"
                       "{\"Max\":0,\"Remaining\":0}}");
    T_HAS(answer.body, "\"PermissionSets\":{\"Max\":1500,\"Remaining\":1497,\"CreateCustom\":"
                       "{\"Max\":1000,\"Remaining\":997}}");
    T_TRUE(json_object_object_length(answer_json) > 40);
    T_INT(ask(acme, "GET", DATA "/limits/recordCount?sObjects=User,Lead", NULL), 200);
    T_HAS(answer.body, "{\"sObjects\":[{\"count\":3,\"name\":\"User\"},{\"count\":0,\"name\":"
                       "\"Lead\"}]}");
    ask_end();
}

static void
describe_has_every_key_a_client_reads(void)
{
    static const char *const object_keys[] = {
        "actionOverrides",
        "childRelationships",
        "compactLayoutable",
        "createable",
        "custom",
        "fields",
        "keyPrefix",
        "layoutable",
        "name",
        "namedLayoutInfos",
        "networkScopeFieldName",
        "recordTypeInfos",
        "searchLayoutable",
        "sobjectDescribeOption",
        "supportedScopes",
        "triggerable",
        "undeletable",
        "urls",
    };
    static const char *const field_keys[] = {
        "aggregatable",
        "aiPredictionField",
        "autoNumber",
        "byteLength",
        "calculatedFormula",
        "cascadeDelete",
        "caseSensitive",
        "compoundFieldName",
        "controllerName",
        "createable",
        "defaultValue",
        "defaultedOnCreate",
        "dependentPicklist",
        "digits",
        "encrypted",
        "externalId",
        "extraTypeInfo",
        "filterable",
        "filteredLookupInfo",
        "groupable",
        "highScaleNumber",
        "htmlFormatted",
        "idLookup",
        "inlineHelpText",
        "label",
        "length",
        "mask",
        "maskType",
        "name",
        "nameField",
        "namePointing",
        "nillable",
        "permissionable",
        "picklistValues",
        "polymorphicForeignKey",
        "precision",
        "queryByDistance",
        "referenceTargetField",
        "referenceTo",
        "relationshipName",
        "relationshipOrder",
        "restrictedDelete",
        "restrictedPicklist",
        "scale",
        "searchPrefilterable",
        "soapType",
        "sortable",
        "type",
        "unique",
        "updateable",
        "writeRequiresMasterRead",
    };
    struct json_object *fields, *ignored;

    ask_begin();
    T_INT(ask(acme, "GET", DATA "/sobjects/AllowedEmailDomain/describe", NULL), 404);
    T_INT(ask(acme, "GET", DATA "/sobjects", NULL), 200);
    T_INT(json_object_array_length(js_get(answer_json, "sobjects")), OBJECT_COUNT - 1);
    acme->settings.email_allowlist = true;
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        AUTO_FREE char *path = text_format(DATA "/sobjects/%s/describe", objects[i].name);
        T_INT(ask(acme, "GET", path, NULL), 200);
        for (size_t j = 0; j < sizeof(object_keys) / sizeof(object_keys[0]); j++)
            T_TRUE(json_object_object_get_ex(answer_json, object_keys[j], &ignored));
        fields = js_get(answer_json, "fields");
        T_INT(json_object_array_length(fields), objects[i].field_count);
        for (size_t j = 0; j < sizeof(field_keys) / sizeof(field_keys[0]); j++)
            T_TRUE(json_object_object_get_ex(json_object_array_get_idx(fields, 0), field_keys[j],
                                             &ignored));
    }
    T_INT(ask(acme, "GET", DATA "/sobjects", NULL), 200);
    T_INT(json_object_array_length(js_get(answer_json, "sobjects")), OBJECT_COUNT);
    T_INT(ask(acme, "GET", USERS "/describe", NULL), 200);
    T_HAS(answer.body, "{\"cascadeDelete\":false,\"childSObject\":\"PermissionSetAssignment\","
                       "\"deprecatedAndHidden\":false,\"field\":\"AssigneeId\"");
    T_INT(ask(acme, "GET", DATA "/sobjects/GroupMember/describe", NULL), 200);
    T_HAS(answer.body, "\"referenceTo\":[\"User\",\"Group\"]");
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(later_parts_use_what_earlier_ones_answered),
    UNIT_CASE(all_or_none_takes_the_other_parts_back),
    UNIT_CASE(a_failed_record_of_collections_fails_the_transaction),
    UNIT_CASE(setup_objects_and_others_are_no_transaction),
    UNIT_CASE(faulty_composites_are_refused_whole),
    UNIT_CASE(parts_reach_rows_and_queries_only),
    UNIT_CASE(each_graph_is_whole_or_nothing),
    UNIT_CASE(parts_of_a_batch_stand_for_themselves_and_count),
    UNIT_CASE(a_tree_is_created_whole_or_says_what_is_wrong),
    UNIT_CASE(a_row_is_upserted_by_an_external_id),
    UNIT_CASE(only_external_ids_name_rows_and_several_rows_are_listed),
    UNIT_CASE(collections_upsert_by_an_external_id),
    UNIT_CASE(a_password_is_set_reset_and_never_twice),
    UNIT_CASE(passwords_need_the_right_to_manage_users),
    UNIT_CASE(passwords_stay_out_of_the_log),
    UNIT_CASE(limits_and_record_counts_are_told),
    UNIT_CASE(describe_has_every_key_a_client_reads),
};

int
main(int argc, char **argv)
{
    return unit_run("org_composite", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
