/* The calls: bodies as Salesforce documents them, answers believed only if they fit, Salesforce's
 * words made fit for a log line, queries page by page. */
#include "tests/unit/salesforce_session.h"

#define ID_F "0055g00000AbCdFAAV"
#define ID_G "0055g00000AbCdGAAV"

/* A session whose only data answer is this one; the caller ends both. */
static struct sf_session *
open_with(struct loopback **ret_server, struct loopback_answer answer)
{
    struct loopback_answer answers[] = { GIVES_TOKEN, answer };

    *ret_server = START(answers);
    return open_session(*ret_server, NO_HURRY_MS);
}

static const char *
body_of(struct loopback *server, size_t index)
{
    const char *end = strstr(loopback_request(server, index), "\r\n\r\n");

    return end ? end + 4 : "(no body)";
}

/* Two records, created or updated, against one answer. */
static struct sf_call
two_users(const char *answer, bool update, struct sf_record results[2])
{
    AUTO_JSON struct json_object *records =
        json_tokener_parse(update ? "[{\"Id\":\"0055g00000AbCdF\",\"Title\":\"A\"},"
                                    "{\"Id\":\"" ID_G "\",\"Title\":\"B\"}]"
                                  : "[{\"Username\":\"a@x.com\"},{\"Username\":\"b@x.com\"}]");
    struct loopback *server;
    struct sf_session *session = open_with(
        &server, (struct loopback_answer){ .where = "composite", .status = 200, .body = answer });
    struct sf_call call;

    memset(results, 0, 2 * sizeof(*results));
    T_INT(send_users(session, update, records, results, &call), PROV_OK);
    T_INT(loopback_count(server), 2);
    end(session, server);
    return call;
}

/* ---- bodies ---- */

static void
a_create_is_one_post_of_a_collection(void)
{
    struct loopback *server;
    struct sf_session *session = open_with(
        &server, (struct loopback_answer){ .where = AT_CREATE, .status = 200, .body = CREATED });
    const char *input =
        "[{\"Username\":\"zo\\u00eb@acme.com\",\"IsActive\":true,\"ManagerId\":null,"
        "\"Title\":\"a/\\\"b\\\"\\u0001\"}]";
    AUTO_JSON struct json_object *records = json_tokener_parse(input);
    AUTO_FREE char *before = json_text(records), *after = NULL;
    struct sf_record result;
    struct sf_call call;

    T_INT(send_users(session, false, records, &result, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    T_INT(call.http_status, 200);
    T_INT(result.outcome, SF_DELIVERED);
    T_STR(result.id, ID_F);
    T_HAS(loopback_request(server, 1), AT_CREATE " HTTP/1.1\r\n");
    T_HAS(loopback_request(server, 1), "Content-Type: application/json; charset=UTF-8\r\n");
    T_STR(body_of(server, 1),
          "{\"allOrNone\":false,\"records\":[{\"attributes\":{\"type\":\"User\"},"
          "\"Username\":\"zoë@acme.com\",\"IsActive\":true,\"ManagerId\":null,"
          "\"Title\":\"a/\\\"b\\\"\\u0001\"}]}");
    after = json_text(records);
    T_STR(after, before);
    end(session, server);
}

static void
an_update_is_one_patch_with_an_id_in_each_record(void)
{
    struct loopback *server;
    struct sf_session *session = open_with(
        &server, (struct loopback_answer){ .where = AT_UPDATE, .status = 200, .body = CREATED });
    AUTO_JSON struct json_object *records =
        json_tokener_parse("[{\"Id\":\"" ID_F "\",\"IsActive\":false}]");
    struct sf_record result;
    struct sf_call call;

    T_INT(send_users(session, true, records, &result, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    T_INT(result.outcome, SF_DELIVERED);
    T_STR(body_of(server, 1),
          "{\"allOrNone\":false,\"records\":[{\"attributes\":{\"type\":\"User\"},"
          "\"id\":\"" ID_F "\",\"IsActive\":false}]}");
    end(session, server);
}

static void
what_cannot_be_sent_is_the_callers_fault_and_is_not_sent(void)
{
    static const struct {
        const char *records;
        int update, want;
    } bad[] = {
        { "[]", 0, PROV_E_INVALID },
        { "[1]", 0, PROV_E_INVALID },
        { "[null]", 0, PROV_E_INVALID },
        { "[{\"Id\":\"" ID_F "\"}]", 0, PROV_E_INVALID },
        { "[{\"Title\":\"x\"}]", 1, PROV_E_INVALID },
        { "[{\"Id\":\"005\"}]", 1, PROV_E_INVALID },
        { "[{\"Id\":7}]", 1, PROV_E_INVALID },
        { "[{\"Id\":\"0055g00000AbCdFAAA\"}]", 1, PROV_E_INVALID },
    };
    struct loopback *server;
    struct sf_session *session = open_with(&server, (struct loopback_answer){ .status = 200 });
    AUTO_JSON struct json_object *many = json_object_new_array();
    struct sf_record *results = calloc(SF_MAX_RECORDS + 1, sizeof(*results));
    struct sf_call call;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_JSON struct json_object *records = json_tokener_parse(bad[i].records);
        T_INT(send_users(session, bad[i].update, records, results, &call), bad[i].want);
        T_INT(call.outcome, SF_REFUSED);
        T_TRUE(call.message[0]);
    }
    for (int i = 0; i < SF_MAX_RECORDS + 1; i++)
        json_object_array_add(many, json_object_new_object());
    T_INT(send_users(session, false, many, results, &call), PROV_E_LIMIT);
    T_INT(loopback_count(server), 0);
    free(results);
    end(session, server);
}

static void
two_hundred_users_fit_one_call(void)
{
    struct loopback *server;
    struct sf_session *session;
    AUTO_JSON struct json_object *records = json_object_new_array();
    struct sf_record *results = calloc(SF_MAX_RECORDS, sizeof(*results));
    char *answer = malloc(SF_MAX_RECORDS * 100), *at = answer;
    struct sf_call call;

    for (int i = 0; i < SF_MAX_RECORDS; i++) {
        struct json_object *record = json_object_new_object();
        char name[32], id[SF_ID_SIZE], full[SF_ID_SIZE];
        snprintf(name, sizeof(name), "user%d@acme.com", i);
        snprintf(id, sizeof(id), "0055g0000000%03d", i);
        T_INT(sf_id_normalise(id, full, NULL), PROV_OK);
        T_INT(json_put_string(record, "Username", name), PROV_OK);
        json_object_array_add(records, record);
        at += sprintf(at, "%s{\"id\":\"%s\",\"success\":true,\"errors\":[]}", i ? "," : "[", full);
    }
    strcpy(at, "]");
    session = open_with(
        &server, (struct loopback_answer){ .where = AT_CREATE, .status = 200, .body = answer });
    T_INT(send_users(session, false, records, results, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    T_HAS(body_of(server, 1), "user199@acme.com");
    for (int i = 0; i < SF_MAX_RECORDS; i++)
        T_INT(results[i].outcome, SF_DELIVERED);
    T_HAS(results[199].id, "0055g0000000199");
    free(answer);
    free(results);
    end(session, server);
}

/* ---- results ---- */

/* Records that were saved, as Salesforce spells them, and what is nearly that. */
static void
an_answer_that_all_were_saved_is_believed_only_if_it_fits(void)
{
    static const struct {
        const char *answer;
        bool fits;
    } cases[] = {
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]},"
          "{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]}]",
          true },
        { " [ {\"success\":true, \"id\":\"" ID_F "\",\"errors\":[]},"
          "{\"id\":\"0055g00000AbCdG\",\"errors\":[],\"success\":true}]\n",
          true },
        { "[{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]},"
          "{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]}]",
          false },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]}]", false },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]},"
          "{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]}",
          false },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]},"
          "{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]}]x",
          false },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]},"
          "{\"id\":\"0055g00000AbCdGAAA\",\"success\":true,\"errors\":[]}]",
          false },
        { "[{\"id\":\"" ID_F "\",\"success\":true,\"errors\":[]}"
          "{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]}]",
          false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sf_record results[2];
        struct sf_call call = two_users(cases[i].answer, true, results);
        T_INT(call.outcome, cases[i].fits ? SF_DELIVERED : SF_UNKNOWN);
        if (cases[i].fits)
            T_STR(results[1].id, ID_G);
    }
}

static void
each_record_gets_its_own_result_in_order(void)
{
    struct sf_record results[2];
    struct sf_call call = two_users(
        "[{\"success\":false,\"errors\":[{\"statusCode\":\"DUPLICATE_USERNAME\",\"message\":"
        "\"Duplicate Username.<br>The username already exists in this or another Salesforce "
        "organization. \",\"fields\":[\"Username\"]},{\"statusCode\":\"X\",\"message\":\"2\"}]},"
        "{\"id\":\"" ID_G "\",\"success\":true,\"errors\":[]}]",
        false, results);

    T_INT(call.outcome, SF_DELIVERED);
    T_INT(results[0].outcome, SF_REFUSED);
    T_STR(results[0].code, "DUPLICATE_USERNAME");
    T_STR(results[0].message, "Duplicate Username. The username already exists in this or another "
                              "Salesforce organization.");
    T_STR(results[0].fields, "Username");
    T_STR(results[0].id, "");
    T_HAS(results[0].remedy, "unique over all orgs");
    T_INT(results[1].outcome, SF_DELIVERED);
    T_STR(results[1].id, ID_G);
    T_STR(results[1].code, "");
}

static void
a_fault_of_the_org_on_one_record_does_not_hold(void)
{
    struct sf_record results[2];
    struct sf_call call = two_users(
        "[{\"id\":\"" ID_F "\",\"success\":false,\"errors\":[{\"statusCode\":"
        "\"UNABLE_TO_LOCK_ROW\",\"message\":\"unable to obtain exclusive access\",\"fields\":[]}]},"
        "{\"success\":false,\"errors\":[{\"statusCode\":\"INSUFFICIENT_ACCESS_OR_READONLY\","
        "\"message\":\"insufficient access rights on object id\",\"fields\":[\"A\",\"B__c\"]}]}]",
        true, results);

    T_INT(call.outcome, SF_DELIVERED);
    T_INT(results[0].outcome, SF_RETRY);
    T_STR(results[0].fields, "");
    T_INT(results[1].outcome, SF_REFUSED);
    T_STR(results[1].fields, "A,B__c");
}

static void
a_mark_behind_the_end_of_a_long_message_still_counts(void)
{
    char answer[2048], padding[1001];
    struct sf_record results[2];
    struct sf_call call;

    memset(padding, 'x', 1000);
    padding[1000] = '\0';
    snprintf(answer, sizeof(answer),
             "[{\"success\":false,\"errors\":[{\"statusCode\":\"CANNOT_EXECUTE_FLOW_TRIGGER\","
             "\"message\":\"%s UNABLE_TO_LOCK_ROW\"}]},{\"success\":false,\"errors\":[]}]",
             padding);
    call = two_users(answer, false, results);
    T_INT(call.outcome, SF_DELIVERED);
    T_INT(results[0].outcome, SF_RETRY);
    T_INT(strlen(results[0].message), sizeof(results[0].message) - 1);
    /* not saved, and no reason: nobody knows */
    T_INT(results[1].outcome, SF_UNKNOWN);
    T_TRUE(results[1].cause[0] && results[1].remedy[0]);
}

#define OK_ITEM(id) "{\"id\":\"" id "\",\"success\":true,\"errors\":[]}"

static void
an_answer_that_does_not_fit_is_unknown_for_all(void)
{
    static const struct {
        const char *answer;
        bool update;
        const char *why;
    } odd[] = {
        { "[]", false, "0 items instead of 2" },
        { "[" OK_ITEM(ID_F) "]", false, "1 items instead of 2" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM(ID_G) "," OK_ITEM(RUN_AS_ID) "]", false, "3 items" },
        { "{\"id\":\"" ID_F "\",\"success\":true}", false, "0 items" },
        { "[" OK_ITEM(ID_F) ",null]", false, "item 2 of 2" },
        { "[" OK_ITEM(ID_F) ",{}]", false, "without success" },
        { "[" OK_ITEM(ID_F) ",{\"id\":\"" ID_G "\",\"success\":\"true\"}]", false,
          "without success" },
        { "[" OK_ITEM(ID_F) ",{\"success\":true,\"errors\":[]}]", false, "without an id" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM("") "]", false, "not valid" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM("0055g00000AbCdGAAA") "]", false, "not valid" },
        { "[" OK_ITEM(ID_F) ",{\"id\":5,\"success\":true}]", false, "not valid" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM("0015g00000AbCdGAAV") "]", false, "something else" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM(ID_F) "]", false, "another item" },
        { "[" OK_ITEM(ID_G) "," OK_ITEM(ID_F) "]", true, "another record" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM(RUN_AS_ID) "]", true, "another record" },
        { "[" OK_ITEM(ID_F) ",{\"id\":\"" ID_F "\",\"success\":false,\"errors\":[]}]", true,
          "another record" },
        { "[" OK_ITEM(ID_F) "," OK_ITEM(ID_G) "] trailing", false, "something follows" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
          false, "deeper" },
        { "[\"\xff\",1]", false, "JSON" },
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct sf_record results[2];
        struct sf_call call = two_users(odd[i].answer, odd[i].update, results);
        T_INT(call.outcome, SF_UNKNOWN);
        T_HAS(call.message, odd[i].why);
        T_TRUE(call.cause[0] && call.remedy[0]);
    }
}

static void
an_id_of_15_characters_counts_as_the_same(void)
{
    struct sf_record results[2];
    struct sf_call call =
        two_users("[" OK_ITEM("0055g00000AbCdF") "," OK_ITEM(ID_G) "]", true, results);

    T_INT(call.outcome, SF_DELIVERED);
    T_STR(results[0].id, ID_F);
}

static void
another_good_status_than_200_is_unknown(void)
{
    static const int statuses[] = { 201, 202, 204, 206 };

    for (size_t i = 0; i < 4; i++) {
        struct loopback *server;
        struct sf_session *session = open_with(
            &server, (struct loopback_answer){ .where = AT_CREATE,
                                               .status = statuses[i],
                                               .body = statuses[i] == 204 ? "" : CREATED });
        T_INT(create_call(session, NULL).outcome, SF_UNKNOWN);
        end(session, server);
    }
}

/* ---- a call that is refused as a whole ---- */

static void
a_refused_call_gives_salesforces_words_with_cause_and_remedy(void)
{
    static const struct {
        int status;
        const char *body, *code, *message;
        enum sf_outcome want;
    } refusals[] = {
        { 400,
          "[{\"message\":\"Unexpected character ('j' (code 106))\\n at [line:1, column:18]\","
          "\"errorCode\":\"JSON_PARSER_ERROR\"}]",
          "JSON_PARSER_ERROR", "Unexpected character ('j' (code 106)) at [line:1, column:18]",
          SF_REFUSED },
        { 403,
          "[{\"message\":\"TotalRequests Limit "
          "exceeded.\",\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\"}]",
          "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", SF_HOLD },
        { 503, "[{\"message\":\"Server too busy\",\"errorCode\":\"SERVER_UNAVAILABLE\"}]",
          "SERVER_UNAVAILABLE", "Server too busy", SF_UNKNOWN },
        { 400, "{\"error\":\"odd\",\"error_description\":\"words\"}", "odd", "words", SF_REFUSED },
        { 400, "{\"message\":\"alone\",\"errorCode\":\"STRING_TOO_LONG\"}", "STRING_TOO_LONG",
          "alone", SF_REFUSED },
        { 400, "[]", "", "HTTP 400 with an answer without an error code", SF_REFUSED },
        { 400, "[{\"message\":7,\"errorCode\":\"X\"}]", "X", "", SF_REFUSED },
        { 500, "[{\"errorCode\":[]}]", "", "HTTP 500 with an answer without an error code",
          SF_UNKNOWN },
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct loopback *server;
        struct sf_session *session =
            open_with(&server, (struct loopback_answer){ .where = AT_CREATE,
                                                         .status = refusals[i].status,
                                                         .body = refusals[i].body });
        struct sf_call call = create_call(session, NULL);
        T_INT(call.outcome, refusals[i].want);
        T_INT(call.http_status, refusals[i].status);
        T_STR(call.code, refusals[i].code);
        T_STR(call.message, refusals[i].message);
        T_TRUE(call.cause[0] && call.remedy[0]);
        end(session, server);
    }
}

static void
messages_are_one_clean_line_cut_between_characters(void)
{
    static const struct {
        const char *json, *want;
    } texts[] = {
        { "Duplicate Nickname.<br>Another user.<BR/>Select.<br />",
          "Duplicate Nickname. Another user. Select." },
        { "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
          "duplicate value found: <unknown> duplicates value on record with id: <unknown>" },
        { "a < b and c > d", "a < b and c > d" },
        { "x <a href='http://evil'>click</a> y", "x click y" },
        { "\\n {\\\"level\\\":\\\"error\\\"}\\r\\n\\u0000", "{\"level\":\"error\"}" },
        { "\\u001b[31mred\\u007f\\u009b", "[31mred" },
        { "<br", "<br" },
        { "", "" },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char answer[512];
        struct loopback *server;
        struct sf_session *session;
        snprintf(answer, sizeof(answer), "[{\"errorCode\":\"X\",\"message\":\"%s\"}]",
                 texts[i].json);
        session = open_with(
            &server, (struct loopback_answer){ .where = AT_CREATE, .status = 400, .body = answer });
        T_STR(create_call(session, NULL).message, texts[i].want);
        end(session, server);
    }
}

static void
a_long_message_is_cut_at_a_character(void)
{
    char answer[4096] = "[{\"errorCode\":\"X\",\"message\":\"a";
    struct loopback *server;
    struct sf_session *session;
    struct sf_call call;

    for (int i = 0; i < 400; i++)
        strcat(answer, "日");
    strcat(answer, "\"}]");
    session = open_with(
        &server, (struct loopback_answer){ .where = AT_CREATE, .status = 400, .body = answer });
    call = create_call(session, NULL);
    T_INT(strlen(call.message), 1 + 3 * ((sizeof(call.message) - 2) / 3));
    end(session, server);
}

/* ---- queries ---- */

static void
a_query_reads_all_pages_in_order(void)
{
    static const struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY "?q=",
          .status = 200,
          .body = "{\"totalSize\":3,\"done\":false,\"nextRecordsUrl\":"
                  "\"/services/data/v67.0/query/01g5g00000XyZab-2000\","
                  "\"records\":[{\"Id\":\"1\"},{\"Id\":\"2\"}]}" },
        { .where = AT_QUERY "/01g5g00000XyZab-2000 ",
          .status = 200,
          .body = "{\"totalSize\":3,\"done\":true,\"records\":[{\"Id\":\"3\",\"Profile\":null}]}",
          .header = "Sforce-Limit-Info: api-usage=18/5000; per-app-api-usage=1/2(appName=x)\r\n" },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE char *text = NULL;
    struct sf_usage usage;
    struct sf_call call;

    sf_session_usage(session, &usage);
    T_INT(usage.day_used, -1);
    T_INT(usage.day_max, -1);
    T_INT(sf_query(session, "SELECT Id FROM User WHERE Username = 'o\\'b+%&@x.com'", SF_CAN_WAIT,
                   &rows, &call),
          PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    text = json_text(rows);
    T_STR(text, "[{\"Id\":\"1\"},{\"Id\":\"2\"},{\"Id\":\"3\",\"Profile\":null}]");
    T_HAS(loopback_request(server, 1), "?q=SELECT%20Id%20FROM%20User%20WHERE%20Username%20%3D%20"
                                       "%27o%5C%27b%2B%25%26%40x.com%27 HTTP/1.1\r\n");
    sf_session_usage(session, &usage);
    T_INT(usage.day_used, 18);
    T_INT(usage.day_max, 5000);
    T_INT(usage.api_calls, 2);
    end(session, server);
}

/* For Salesforce's support; whole and plain, or it is none. */
static void
the_id_of_a_request_is_told(void)
{
    static const struct {
        const char *header, *id;
    } cases[] = {
        { "X-Sfdc-Request-Id: 3f0a\r\nX-Request-Id: 7c1b-2\r\n", "7c1b-2" },
        { "X-Request-Id: 7c1b-2\r\nX-Sfdc-Request-Id: 3f0a\r\n", "7c1b-2" },
        { "X-Sfdc-Request-Id: 3f0a\r\n", "3f0a" },
        { "X-Request-Id: 00D5g!AQ\r\n", "" },
        { "X-Request-Id: 0123456789012345678901234567890123456789012345678901234567890123456789"
          "\r\n",
          "" },
        { "X-Request: 1\r\n", "" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loopback *server;
        struct sf_session *session = open_with(
            &server,
            (struct loopback_answer){
                .where = AT_QUERY, .status = 200, .header = cases[i].header, .body = NO_ROWS });
        struct sf_call call = query_call(session);
        T_INT(call.outcome, SF_DELIVERED);
        T_STR(call.request_id, cases[i].id);
        T_TRUE(call.took_us > 0);
        end(session, server);
    }
}

static void
a_limit_header_that_cannot_be_read_changes_nothing(void)
{
    static const char *const headers[] = {
        "Sforce-Limit-Info: per-app-api-usage=17/250(appName=x)\r\n",
        "Sforce-Limit-Info: api-usage=x/y\r\n",
        "Sforce-Limit-Info: api-usage=-1/5\r\n",
        "Sforce-Limit-Info: api-usage=5\r\n",
        "Sforce-Limit-Info:\r\n",
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct loopback *server;
        struct sf_session *session = open_with(
            &server, (struct loopback_answer){
                         .where = AT_QUERY, .status = 200, .header = headers[i], .body = NO_ROWS });
        struct sf_usage usage;
        T_INT(query_call(session).outcome, SF_DELIVERED);
        sf_session_usage(session, &usage);
        T_INT(usage.day_used, -1);
        end(session, server);
    }
}

static void
the_use_of_the_org_is_told_from_that_of_one_app(void)
{
    struct loopback *server;
    struct sf_session *session = open_with(
        &server, (struct loopback_answer){ .where = AT_QUERY,
                                           .status = 200,
                                           .header = "Sforce-Limit-Info: per-app-api-usage=17/"
                                                     "250(appName=x); api-usage=18/15000\r\n",
                                           .body = NO_ROWS });
    struct sf_usage usage;

    T_INT(query_call(session).outcome, SF_DELIVERED);
    sf_session_usage(session, &usage);
    T_INT(usage.day_used, 18);
    T_INT(usage.day_max, 15000);
    T_TRUE(usage.day_at_us > 0);
    end(session, server);
}

static void
a_next_page_elsewhere_is_not_read(void)
{
    static const char *const paths[] = {
        "\"https://evil.example/services/data/v67.0/query/1\"",
        "\"//evil.example/services/data/v67.0/query/1\"",
        "\"/services/oauth2/revoke\"",
        "\"services/data/v67.0/query/1\"",
        "\"@evil.example/services/data/\"",
        "\".evil.example/services/data/\"",
        "\"/services/data/../oauth2/revoke\"",
        "\"/services/data/%2e%2e/oauth2/revoke\"",
        "\"/services/data//evil.example\"",
        "\"/services/data/v67.0/query/1?x=1\"",
        "\"/services/data/v67.0/query/1\\r\\nX-Evil: 1\"",
        "\"\"",
        "null",
        "7",
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char page[512];
        struct loopback *server;
        struct sf_session *session;
        struct sf_call call;
        snprintf(page, sizeof(page),
                 "{\"totalSize\":2,\"done\":false,\"nextRecordsUrl\":%s,\"records\":[{}]}",
                 paths[i]);
        session = open_with(
            &server, (struct loopback_answer){ .where = AT_QUERY, .status = 200, .body = page });
        call = query_call(session);
        T_INT(call.outcome, SF_RETRY);
        T_HAS(call.message, "nextRecordsUrl");
        T_INT(loopback_count(server), 2);
        end(session, server);
    }
}

static void
a_query_without_end_is_ended(void)
{
    struct loopback *server;
    struct sf_session *session = open_with(
        &server,
        (struct loopback_answer){ .where = AT_QUERY,
                                  .status = 200,
                                  .times = 2000,
                                  .body = "{\"done\":false,\"records\":[{}],\"nextRecordsUrl\":"
                                          "\"/services/data/v67.0/query/again\"}" });
    struct sf_call call = query_call(session);

    T_INT(call.outcome, SF_REFUSED);
    T_HAS(call.message, "500 pages");
    T_INT(loopback_count_with(server, AT_QUERY), 500);
    end(session, server);
}

static void
what_is_no_page_of_records_is_tried_again(void)
{
    static const char *const pages[] = { "[]",
                                         "{}",
                                         "{\"records\":[]}",
                                         "{\"done\":true}",
                                         "{\"done\":1,\"records\":[]}",
                                         "{\"done\":true,\"records\":{}}" };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct loopback *server;
        struct sf_session *session = open_with(
            &server,
            (struct loopback_answer){ .where = AT_QUERY, .status = 200, .body = pages[i] });
        AUTO_JSON struct json_object *rows = NULL;
        struct sf_call call;
        T_INT(sf_query(session, "SELECT Id FROM User", SF_CAN_WAIT, &rows, &call), PROV_OK);
        T_INT(call.outcome, SF_RETRY);
        T_TRUE(rows == NULL);
        end(session, server);
    }
}

static void
a_query_too_long_for_a_url_is_not_sent(void)
{
    struct loopback *server;
    struct sf_session *session = open_with(
        &server, (struct loopback_answer){ .where = AT_QUERY, .status = 200, .body = NO_ROWS });
    char soql[SF_SOQL_MAX_BYTES + 2];
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;

    memset(soql, 'a', sizeof(soql));
    soql[SF_SOQL_MAX_BYTES + 1] = '\0';
    T_INT(sf_query(session, soql, SF_CAN_WAIT, &rows, &call), PROV_E_LIMIT);
    T_INT(loopback_count(server), 0);
    memset(soql, '=', SF_SOQL_MAX_BYTES / 3 + 1);
    soql[SF_SOQL_MAX_BYTES / 3 + 1] = '\0';
    T_INT(sf_query(session, soql, SF_CAN_WAIT, &rows, &call), PROV_E_LIMIT);
    soql[SF_SOQL_MAX_BYTES / 3] = '\0';
    T_INT(sf_query(session, soql, SF_CAN_WAIT, &rows, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    end(session, server);
}

/* ---- versions ---- */

static void
versions_need_no_token_and_come_sorted(void)
{
    static const struct loopback_answer answer = {
        .where = "GET /services/data HTTP",
        .status = 200,
        .body = "[{\"label\":\"Winter '27\",\"url\":\"/services/data/v68.0\",\"version\":\"68.0\"},"
                "{\"label\":\"Spring '11\",\"url\":\"/services/data/v9.0\",\"version\":\"9.0\"},"
                "{\"label\":\"Summer '26\",\"url\":\"/services/data/v67.0\",\"version\":\"67.0\"}]"
    };
    struct loopback *server = loopback_start(&answer, 1);
    struct sf_session *session = open_session(server, NO_HURRY_MS);
    AUTO_JSON struct json_object *versions = NULL;
    struct sf_call call;

    T_INT(sf_versions(session, &versions, &call), PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    T_INT(json_object_array_length(versions), 3);
    T_STR(json_get_string(json_object_array_get_idx(versions, 0), "version"), "9.0");
    T_STR(json_get_string(json_object_array_get_idx(versions, 2), "version"), "68.0");
    T_TRUE(!strstr(loopback_request(server, 0), "Authorization"));
    T_INT(loopback_count(server), 1);
    end(session, server);
}

static void
a_host_that_is_no_org_holds(void)
{
    static const char *const bodies[] = { "[]", "{}", "[1]", "[{\"version\":\"67.0\"}]",
                                          "[{\"label\":1,\"url\":\"u\",\"version\":\"v\"}]" };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct loopback_answer answer = { .status = 200, .body = bodies[i] };
        struct loopback *server = loopback_start(&answer, 1);
        struct sf_session *session = open_session(server, NO_HURRY_MS);
        AUTO_JSON struct json_object *versions = NULL;
        struct sf_call call;
        T_INT(sf_versions(session, &versions, &call), PROV_OK);
        T_INT(call.outcome, SF_HOLD);
        T_HAS(call.remedy, "My Domain");
        T_TRUE(versions == NULL);
        end(session, server);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_create_is_one_post_of_a_collection),
    UNIT_CASE(an_update_is_one_patch_with_an_id_in_each_record),
    UNIT_CASE(what_cannot_be_sent_is_the_callers_fault_and_is_not_sent),
    UNIT_CASE(two_hundred_users_fit_one_call),
    UNIT_CASE(an_answer_that_all_were_saved_is_believed_only_if_it_fits),
    UNIT_CASE(each_record_gets_its_own_result_in_order),
    UNIT_CASE(a_fault_of_the_org_on_one_record_does_not_hold),
    UNIT_CASE(a_mark_behind_the_end_of_a_long_message_still_counts),
    UNIT_CASE(an_answer_that_does_not_fit_is_unknown_for_all),
    UNIT_CASE(an_id_of_15_characters_counts_as_the_same),
    UNIT_CASE(another_good_status_than_200_is_unknown),
    UNIT_CASE(a_refused_call_gives_salesforces_words_with_cause_and_remedy),
    UNIT_CASE(messages_are_one_clean_line_cut_between_characters),
    UNIT_CASE(a_long_message_is_cut_at_a_character),
    UNIT_CASE(a_query_reads_all_pages_in_order),
    UNIT_CASE(the_id_of_a_request_is_told),
    UNIT_CASE(a_limit_header_that_cannot_be_read_changes_nothing),
    UNIT_CASE(the_use_of_the_org_is_told_from_that_of_one_app),
    UNIT_CASE(a_next_page_elsewhere_is_not_read),
    UNIT_CASE(a_query_without_end_is_ended),
    UNIT_CASE(what_is_no_page_of_records_is_tried_again),
    UNIT_CASE(a_query_too_long_for_a_url_is_not_sent),
    UNIT_CASE(versions_need_no_token_and_come_sorted),
    UNIT_CASE(a_host_that_is_no_org_holds),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce_users", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
