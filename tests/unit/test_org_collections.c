/* The simulated org's sObject Collections: what is an error of one record, what refuses the whole
 * call, and what allOrNone takes back. */
#include "tests/unit/ask.h"

#define USERS  DATA "/sobjects/User"
#define MANY   DATA "/composite/sobjects"
#define RECORD "{\"attributes\":{\"type\":\"User\"}"

static void
collections_answer_each_record_in_order(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    text_addf(&body, "{\"records\":[%s,%s,%s]}", good_user("a@b.cc", ""), good_user("A@b.cc", ""),
              good_user("c@b.cc", ""));
    T_INT(ask(acme, "POST", MANY, body.data), 200);
    T_INT(answer_length(), 3);
    T_STR(result_code(0), "");
    T_STR(result_code(1), "DUPLICATE_USERNAME");
    T_STR(result_code(2), "");
    T_STR(result_id(1), "");
    T_STR(user_text(acme, result_id(2), "Username"), "c@b.cc");
    T_INT(acme->usage.api_calls, 2);
    ask_end();
}

static void
all_or_none_takes_everything_back(void)
{
    AUTO_TEXT struct text body = { 0 };
    char *kept;

    ask_begin();
    license_set_total(acme, "Salesforce", 3);
    text_addf(&body, "{\"allOrNone\":true,\"records\":[%s,%s]}",
              good_user("a@b.cc", ",\"CommunityNickname\":\"n\""), good_user("c@b.cc", ""));
    T_INT(ask(acme, "POST", MANY, body.data), 200);
    T_STR(result_code(0), "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    T_STR(result_code(1), "LICENSE_LIMIT_EXCEEDED");
    T_INT(acme->tables[OBJECT_USER].count, 2);
    /* name, nickname and seat are free again */
    kept = text_copy(make_user(acme, "a@b.cc", ",\"CommunityNickname\":\"n\""));
    text_free(&body);
    text_addf(&body,
              "{\"allOrNone\":true,\"records\":[{\"attributes\":{\"type\":\"User\"},\"Id\":\"%s\","
              "\"Username\":\"z@b.cc\",\"Title\":\"x\",\"Email\":\"n@b.cc\"},{\"attributes\":"
              "{\"type\":\"User\"},\"id\":\"%s\",\"Alias\":\"123456789\"}]}",
              kept, acme->other_admin);
    T_INT(ask(acme, "PATCH", MANY, body.data), 200);
    T_STR(result_code(0), "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    T_STR(user_text(acme, kept, "Username"), "a@b.cc");
    T_STR(user_text(acme, kept, "Title"), "");
    T_TRUE(org_find(acme, "User", kept)->pending_email == NULL);
    T_INT(ask(acme, "POST", USERS, good_user("z@b.cc", ",\"IsActive\":false")), 201);
    free(kept);
    ask_end();
}

static void
updates_need_an_id_that_is_there_and_only_once(void)
{
    AUTO_TEXT struct text body = { 0 };
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    text_addf(&body,
              "{\"records\":[" RECORD ",\"Title\":\"x\"}," RECORD ",\"id\":\"0055g\"}," RECORD
              ",\"id\":\"0055g0000000001\"}," RECORD ",\"id\":\"%.15s\",\"Title\":\"y\"}," RECORD
              ",\"Id\":\"%s\",\"Title\":\"z\"}]}",
              id, id);
    T_INT(ask(acme, "PATCH", MANY, body.data), 200);
    T_STR(result_code(0), "MISSING_ARGUMENT");
    T_HAS(answer.body, "Id not specified in an update call");
    T_STR(result_code(1), "MALFORMED_ID");
    T_HAS(answer.body, "malformed id 0055g");
    T_STR(result_code(2), "INVALID_CROSS_REFERENCE_KEY");
    T_STR(result_id(3), id);
    T_STR(result_code(4), "DUPLICATE_VALUE");
    T_STR(user_text(acme, id, "Title"), "y");
    ask_end();
}

static const struct {
    const char *body, *code, *text;
} faulty_calls[] = {
    { "{}", "REQUIRED_FIELD_MISSING", "At least 1 record is required" },
    { "{\"records\":[]}", "REQUIRED_FIELD_MISSING", "At least 1 record is required" },
    { "{\"records\":[1]}", "INVALID_TYPE", "attributes.type" },
    { "{\"records\":[{}]}", "INVALID_TYPE", "attributes.type" },
    { "{\"records\":[" RECORD "}],\"x\":1}", "JSON_PARSER_ERROR", "Unrecognized field \"x\"" },
    { "{\"records\":[" RECORD "}],\"allOrNone\":\"true\"}", "JSON_PARSER_ERROR", "boolean" },
    { "{\"records\":[" RECORD "}," RECORD ",\"Nope\":1}]}", "INVALID_FIELD",
      "No such column 'Nope' on sobject of type User" },
    { "{\"records\":[" RECORD "}," RECORD ",\"IsActive\":\"yes\"}]}", "JSON_PARSER_ERROR",
      "VALUE_STRING value yes" },
    { "{\"records\":[" RECORD "},{\"attributes\":{\"type\":\"Nope\"}}]}", "INVALID_TYPE",
      "sObject type 'Nope' is not supported" },
    { "{\"records\":[" RECORD "},{\"attributes\":{\"type\":\"UserRole\"}}]}", "INVALID_INPUT",
      "another type" },
    { "{\"records\":[" RECORD ",\"Alias\":\"a\",\"Alias\":\"b\"}]}", "JSON_PARSER_ERROR",
      "Duplicate field 'Alias'" },
    { "", "JSON_PARSER_ERROR",
      "The HTTP entity body is required, but this request has no entity body." },
    { "[]", "JSON_PARSER_ERROR", "object" },
};

static void
faults_of_the_body_refuse_the_whole_call(void)
{
    ask_begin();
    for (size_t i = 0; i < sizeof(faulty_calls) / sizeof(faulty_calls[0]); i++) {
        T_INT(ask(acme, "POST", MANY, faulty_calls[i].body), 400);
        T_STR(error_code(), faulty_calls[i].code);
        T_HAS(error_text(), faulty_calls[i].text);
    }
    T_INT(acme->tables[OBJECT_USER].count, 2);
    ask_end();
}

static void
two_hundred_records_and_no_more(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    for (int records = 200; records <= 201; records++) {
        text_free(&body);
        text_addf(&body, "{\"records\":[");
        for (int i = 0; i < records; i++) {
            AUTO_FREE char *username = text_format("u%d-%d@b.cc", records, i);
            text_addf(&body, "%s%s", i ? "," : "", good_user(username, ",\"IsActive\":false"));
        }
        text_addf(&body, "]}");
        T_INT(ask(acme, "POST", MANY, body.data), records == 200 ? 200 : 400);
    }
    T_STR(error_code(), "EXCEEDED_ID_LIMIT");
    T_INT(acme->tables[OBJECT_USER].count, 202);
    ask_end();
}

static void
collections_read_several_users(void)
{
    const char *a, *b;
    char path[256];

    ask_begin();
    a = make_user(acme, "a@b.cc", "");
    b = make_user(acme, "b@b.cc", "");
    snprintf(path, sizeof(path), MANY "/User?ids=%s,0055g0000000001,%.15s&fields=Id,username", b,
             a);
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_INT(answer_length(), 3);
    T_STR(js_get_text(json_object_array_get_idx(answer_json, 0), "Username"), "b@b.cc");
    T_TRUE(json_object_array_get_idx(answer_json, 1) == NULL);
    T_STR(js_get_text(json_object_array_get_idx(answer_json, 2), "Id"), a);
    snprintf(path, sizeof(path), MANY "/User?ids=%s&fields=Nope", b);
    T_INT(ask(acme, "GET", path, NULL), 400);
    snprintf(path, sizeof(path), MANY "/User?ids=%s", b);
    T_INT(ask(acme, "GET", path, NULL), 400);
    T_INT(ask(acme, "GET", "/services/data/v41.0/composite/sobjects/User?ids=x&fields=Id", NULL),
          404);
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(collections_answer_each_record_in_order),
    UNIT_CASE(all_or_none_takes_everything_back),
    UNIT_CASE(updates_need_an_id_that_is_there_and_only_once),
    UNIT_CASE(faults_of_the_body_refuse_the_whole_call),
    UNIT_CASE(two_hundred_records_and_no_more),
    UNIT_CASE(collections_read_several_users),
};

int
main(int argc, char **argv)
{
    return unit_run("org_collections", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
