/* The simulated org around the users: ids, JSON, tokens, sessions, limits, versions, and the faults
 * and control calls that tests steer it with. */
#include "tests/unit/ask.h"

#include <unistd.h>

#include "tests/org/json_read.h"

#define USERS DATA "/sobjects/User"
#define MANY  DATA "/composite/sobjects"

/* ---- ids ---- */

static void
ids_have_salesforces_suffix(void)
{
    /* real ids, fact sheet 5.5 */
    static const char *const real[] = { "005D0000001KyEIIA0", "003ak00000luKU1AAM",
                                        "005ak000005hvjJAAQ", "750ak000009BkrxAAC",
                                        "0PSak00000M9uBBGAZ", "001RM000003oLruYAE",
                                        "00eRM000001VtbnYAC", "0XA2o000000XaAQGA0" };
    char id[ID_SIZE], before[ID_SIZE] = "";

    for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
        AUTO_FREE char *fifteen = text_format("%.15s", real[i]);
        T_TRUE(id_normalise(fifteen, id));
        T_STR(id, real[i]);
        T_TRUE(id_normalise(real[i], id));
    }
    T_TRUE(!id_normalise("001RM000003oLrB000", id));
    T_TRUE(!id_normalise("001RM000003oLr", id));
    T_TRUE(!id_normalise("001RM000003oLr!", id));
    T_TRUE(!id_normalise("", id));
    for (uint64_t i = 0; i < 5000; i++) {
        id_make(id, "005", 0, i);
        T_TRUE(strcmp(before, id) < 0);
        memcpy(before, id, ID_SIZE);
    }
}

/* ---- JSON ---- */

static void
json_is_read_strictly(void)
{
    static const char *const good[] = { "{}",           " [1,-0.5e+3,\"\\u00e9\\ud83d\\ude00\"] ",
                                        "\"\xc3\xa9\"", "{\"a\":{\"a\":null}}",
                                        "true",         "[[[[]]]]" };
    static const struct {
        const char *text, *fault;
    } bad[] = {
        { "{\"a\" j}", "Unexpected character ('j' (code 106)): was expecting a colon to separate "
                       "field name and value at [line:1, column:6]" },
        { "{\"a\":1,\"a\":2}", "Duplicate field 'a'" },
        { "{\n\"a\":}", "[line:2, column:5]" },
        { "{\"a\":1,}", "double-quote" },
        { "[1,]", "Unexpected character (']'" },
        { "[1 2]", "comma" },
        { "{'a':1}", "double-quote" },
        { "{\"a\":01}", "comma" },
        { "{\"a\":1.}", "digit" },
        { "{\"a\":+1}", "Unexpected character ('+'" },
        { "{\"a\":nul}", "Unexpected" },
        { "{\"a\":NaN}", "Unexpected" },
        { "{\"a\":\"\\x\"}", "escape" },
        { "{\"a\":\"\\ud83d\"}", "surrogate" },
        { "{\"a\":\"\\ude00\"}", "surrogate" },
        { "{\"a\":\"\\u0000\"}", "code 0" },
        { "{\"a\":\"\n\"}", "CTRL-CHAR" },
        { "{\"a\":\"\xff\"}", "UTF-8" },
        { "{\"a\":\"\xc3\"}", "UTF-8" },
        { "{\"a\":\"\xed\xa0\x80\"}", "UTF-8" },
        { "{\"a\":\"\xc0\xaf\"}", "UTF-8" },
        { "{\"a\":1", "end-of-input" },
        { "{\"a\":\"x", "end-of-input" },
        { "{} {}", "end of the body" },
        { "/*x*/{}", "Unexpected character ('/'" },
        { "", "end-of-input" },
    };
    struct json_fault fault;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct json_object *value = NULL;
        T_TRUE(json_read(good[i], strlen(good[i]), &value, &fault));
        json_object_put(value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct json_object *value = NULL;
        T_TRUE(!json_read(bad[i].text, strlen(bad[i].text), &value, &fault));
        T_HAS(fault.text, bad[i].fault);
    }
}

static void
deep_json_is_refused(void)
{
    struct json_object *value = NULL;
    struct json_fault fault;
    char deep[4000];

    memset(deep, '[', sizeof(deep));
    T_TRUE(!json_read(deep, sizeof(deep), &value, &fault));
    T_HAS(fault.text, "nesting depth");
}

/* ---- tokens ---- */

static int
ask_token(struct org *org, const char *method, const char *target, const char *type,
          const char *authorization, const char *body)
{
    struct request request = { .method = method,
                               .target = target,
                               .content_type = type,
                               .authorization = authorization,
                               .body = body,
                               .body_bytes = body ? strlen(body) : 0 };

    return ask_raw(org, &request);
}

#define TOKEN  "/services/oauth2/token"
#define FORM   "application/x-www-form-urlencoded"
#define GRANT  "grant_type=client_credentials"
#define CLIENT "&client_id=" ORG_CLIENT_ID "&client_secret=" ORG_CLIENT_SECRET

static void
a_token_has_salesforces_members(void)
{
    AUTO_FREE char *identity = NULL;

    ask_begin();
    T_INT(ask_token(acme, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 200);
    identity = text_format("http://login.example/id/%s/%s", acme->id, acme->execution_user);
    T_STR(js_get_text(answer_json, "id"), identity);
    T_STR(js_get_text(answer_json, "instance_url"), "http://acme.example");
    T_STR(js_get_text(answer_json, "token_type"), "Bearer");
    T_STR(js_get_text(answer_json, "issued_at"), "1795357043119");
    T_STR(js_get_text(answer_json, "scope"), "api");
    T_TRUE(js_get_text(answer_json, "signature") != NULL);
    T_TRUE(js_get(answer_json, "expires_in") == NULL);
    T_TRUE(strncmp(js_get_text(answer_json, "access_token"), acme->id, 15) == 0);
    T_STR(js_get_text(answer_json, "token_format"), "opaque");
    T_INT(json_object_object_length(answer_json), 9);
    /* in the query, and as Basic: "3MVG9simulated.consumer.key:simulated-cAnArY-secret" */
    T_INT(ask_token(acme, "POST", TOKEN "?" GRANT CLIENT, NULL, NULL, NULL), 200);
    T_INT(ask_token(acme, "POST", TOKEN, FORM,
                    "Basic M01WRzlzaW11bGF0ZWQuY29uc3VtZXIua2V5OnNpbXVsYXRlZC1jQW5Bclktc2VjcmV0",
                    GRANT),
          200);
    ask_end();
}

static void
a_token_is_refused_in_oauths_words(void)
{
    static const struct {
        const char *method, *type, *body, *error, *description;
    } refused[] = {
        { "POST", FORM, GRANT "&client_id=x&client_secret=y", "invalid_client_id",
          "client identifier invalid" },
        { "POST", FORM, GRANT "&client_id=" ORG_CLIENT_ID "&client_secret=y", "invalid_client",
          "invalid client credentials" },
        { "POST", FORM, "grant_type=urn:device" CLIENT, "unsupported_grant_type",
          "grant type not supported" },
        { "POST", "application/json", "{}", "unsupported_grant_type", "grant type not supported" },
        { "POST", FORM, "%zz=1", "invalid_request", "malformed request body" },
        { "GET", NULL, NULL, "invalid_request", "must use HTTP POST" },
    };

    ask_begin();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        T_INT(ask_token(acme, refused[i].method, TOKEN, refused[i].type, NULL, refused[i].body),
              400);
        T_STR(js_get_text(answer_json, "error"), refused[i].error);
        T_STR(js_get_text(answer_json, "error_description"), refused[i].description);
    }
    T_INT(ask_token(NULL, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 400);
    T_STR(js_get_text(answer_json, "error"), "invalid_grant");
    T_STR(js_get_text(answer_json, "error_description"), "request not supported on this domain");
    ask_end();
}

/* Salesforce's `id` leads to the login host, also for an org that has its own. */
static void
the_login_host_tells_who_a_session_is(void)
{
    struct request request = { .method = "GET" };
    AUTO_FREE char *of_acme = NULL;
    AUTO_FREE char *of_globex = NULL;

    ask_begin();
    of_acme = text_format("/id/%s/%s", acme->id, acme->execution_user);
    of_globex = text_format("/id/%s/%s", globex->id, globex->execution_user);
    request.target = of_acme;
    request.authorization = ask_session(acme);
    T_INT(ask_raw(NULL, &request), 200);
    T_STR(js_get_text(answer_json, "organization_id"), acme->id);
    T_STR(js_get_text(answer_json, "username"), "integr@acme.simulated.example");
    request.target = of_globex; /* with a session of another org */
    T_INT(ask_raw(NULL, &request), 403);
    T_STR(answer.body, "Bad_OAuth_Token");
    request.target = "/id/00D000000000000AAA/005000000000000AAA";
    T_INT(ask_raw(NULL, &request), 404);
    request.target = of_acme;
    request.method = "POST";
    T_INT(ask_raw(NULL, &request), 405);
    ask_end();
}

#define REVOKE "/services/oauth2/revoke"

static void
a_revoked_token_ends_its_session_only(void)
{
    struct org *hosts[] = { NULL, NULL };

    ask_begin();
    hosts[0] = acme; /* and the login host */
    for (size_t i = 0; i < 2; i++) {
        AUTO_FREE char *form = NULL;
        AUTO_FREE char *session = NULL;
        T_INT(ask_token(acme, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 200);
        form = text_format("token=%s", js_get_text(answer_json, "access_token"));
        session = text_format("Bearer %s", form + strlen("token="));
        struct request limits = { .method = "GET",
                                  .target = DATA "/limits",
                                  .authorization = session };
        T_INT(ask_raw(acme, &limits), 200);
        T_INT(ask_token(hosts[i], "POST", REVOKE, FORM, NULL, form), 200);
        T_INT(answer.body_bytes, 0);
        T_INT(ask_raw(acme, &limits), 401);
        T_INT(ask(acme, "GET", DATA "/limits", NULL), 200);
        T_INT(ask_token(hosts[i], "POST", REVOKE, FORM, NULL, form), 400);
        T_STR(js_get_text(answer_json, "error"), "unsupported_token_type");
        T_INT(ask_token(hosts[i], "POST", REVOKE, FORM, NULL, ""), 400);
        T_INT(ask_token(hosts[i], "GET", REVOKE, NULL, NULL, NULL), 400);
    }
    ask_end();
}

static void
logins_are_limited_by_the_hour(void)
{
    ask_begin();
    acme->settings.token_max_hour = 2; /* one was made at the start */
    T_INT(ask_token(acme, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 200);
    T_INT(ask_token(acme, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 400);
    T_STR(js_get_text(answer_json, "error"), "rate_limit_exceeded");
    ask_now_ms += 3600000;
    T_INT(ask_token(acme, "POST", TOKEN, FORM, NULL, GRANT CLIENT), 200);
    ask_end();
}

static int
ask_as(struct org *org, const char *authorization)
{
    return ask_token(org, "GET", DATA "/limits", NULL, authorization, NULL);
}

static void
a_session_is_of_one_org_and_ends(void)
{
    AUTO_FREE char *oauth = NULL;

    ask_begin();
    oauth = text_format("OAuth %s", ask_session(acme) + strlen("Bearer "));
    T_INT(ask_as(acme, ask_session(acme)), 200);
    T_INT(ask_as(acme, oauth), 200);
    T_INT(ask_as(acme, ask_session(globex)), 401);
    T_STR(error_code(), "INVALID_SESSION_ID");
    T_STR(error_text(), "Session expired or invalid");
    T_STR(answer_header("Sforce-Limit-Info"), "");
    T_INT(ask_as(acme, NULL), 401);
    T_INT(ask_as(acme, "Basic eDp5"), 401);
    T_STR(error_code(), "INVALID_AUTH_HEADER");
    ask_now_ms += acme->settings.token_life_s * 1000;
    T_INT(ask_as(acme, ask_session(acme)), 401);
    ask_end();
}

static void
who_is_known_and_a_bad_token_is_told_in_plain_text(void)
{
    AUTO_FREE char *path = NULL;

    ask_begin();
    T_INT(ask(acme, "GET", "/services/oauth2/userinfo", NULL), 200);
    T_STR(js_get_text(answer_json, "organization_id"), acme->id);
    T_STR(js_get_text(answer_json, "user_id"), acme->execution_user);
    path = text_format("/id/%s/%s", acme->id, acme->execution_user);
    T_INT(ask(acme, "GET", path, NULL), 200);
    T_INT(ask(globex, "GET", path, NULL), 404);
    T_INT(ask_token(acme, "GET", path, NULL, "Bearer x", NULL), 403);
    T_STR(answer.body, "Bad_OAuth_Token");
    T_INT(acme->usage.api_calls, 0);
    ask_end();
}

/* ---- the front ---- */

/* Section 10 */
static void
versions_that_go_next_answer_with_a_warning(void)
{
    ask_begin();
    T_INT(ask(acme, "GET", "/services/data/v40.0/limits", NULL), 200);
    T_HAS(answer_header("Warning"), "299 - \"This API is deprecated and will be removed by ");
    T_INT(ask(acme, "GET", "/services/data/v41.0/limits", NULL), 200);
    T_STR(answer_header("Warning"), "");
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"deprecated_below\":68}"), 200);
    T_INT(ask(acme, "GET", DATA "/limits", NULL), 200);
    T_HAS(answer_header("Warning"), "299 - ");
    T_INT(ask(acme, "GET", "/services/data", NULL), 200); /* of no version */
    T_STR(answer_header("Warning"), "");
    ask_end();
}

static void
versions_are_offered_retired_or_unknown(void)
{
    ask_begin();
    T_INT(ask_token(acme, "GET", "/services/data", NULL, NULL, NULL), 200);
    T_HAS(answer.body,
          "{\"label\":\"Summer '26\",\"url\":\"/services/data/v67.0\",\"version\":\"67."
          "0\"}");
    T_HAS(answer.body, "{\"label\":\"Spring '25\",\"url\":\"/services/data/v63.0\"");
    T_HAS(answer.body, "{\"label\":\"Winter '27\",\"url\":\"/services/data/v68.0\"");
    T_STR(answer_header("Sforce-Limit-Info"), "");
    T_INT(ask(acme, "GET", "/services/data/v30.0/limits", NULL), 410);
    T_INT(ask(acme, "GET", "/services/data/v31.0/limits", NULL), 200);
    T_INT(ask(acme, "GET", "/services/data/v69.0/limits", NULL), 404);
    T_INT(ask(acme, "GET", "/services/data/v67/limits", NULL), 404);
    T_INT(ask(acme, "GET", "/services/data/67.0/limits", NULL), 404);
    T_INT(ask(acme, "GET", "/services/data/v67.0/", NULL), 200);
    T_HAS(answer.body, "\"sobjects\":\"/services/data/v67.0/sobjects\"");
    T_INT(ask(acme, "GET", "/services/data/v67.0//limits", NULL), 404);
    T_INT(ask(acme, "GET", "/", NULL), 404);
    T_INT(ask(acme, "GET", DATA "/query?q=%zz", NULL), 400);
    ask_end();
}

static void
the_daily_limit_is_counted_and_kept(void)
{
    ask_begin();
    acme->settings.api_max = 2;
    T_INT(ask(acme, "GET", DATA "/limits", NULL), 200);
    T_HAS(answer.body, "{\"Max\":2,\"Remaining\":1,");
    T_INT(ask(acme, "POST", USERS, "{}"), 400);
    T_HAS(answer_header("Sforce-Limit-Info"), "api-usage=2/2;");
    T_INT(ask(acme, "GET", DATA "/limits", NULL), 403);
    T_STR(error_code(), "REQUEST_LIMIT_EXCEEDED");
    T_STR(error_text(), "TotalRequests Limit exceeded.");
    T_HAS(answer_header("Sforce-Limit-Info"), "api-usage=2/2;");
    T_INT(ask(globex, "GET", DATA "/limits", NULL), 200);
    ask_end();
}

static void
bodies_are_json_by_name_and_heads_have_a_size(void)
{
    struct request request = { .method = "POST", .target = USERS, .body = "{}", .body_bytes = 2 };
    AUTO_FREE char *target = text_format(DATA "/query?q=%016384d", 0);

    ask_begin();
    request.authorization = ask_session(acme);
    T_INT(ask_raw(acme, &request), 415);
    T_STR(error_code(), "UNSUPPORTED_MEDIA_TYPE");
    request.content_type = "text/plain";
    T_INT(ask_raw(acme, &request), 415);
    request.content_type = "application/jsonx";
    T_INT(ask_raw(acme, &request), 415);
    request.content_type = "Application/JSON; charset=utf-8";
    T_INT(ask_raw(acme, &request), 400);
    T_STR(error_code(), "REQUIRED_FIELD_MISSING");
    request.content_encoding = "gzip";
    T_INT(ask_raw(acme, &request), 415);
    request.head_bytes = 16385;
    T_INT(ask_raw(acme, &request), 431);
    request.target = target;
    T_INT(ask_raw(acme, &request), 414);
    ask_end();
}

/* ---- faults ---- */

static int
order(struct org *org, const char *fault)
{
    return ask_exchange(org, "POST", "/__org/faults", fault);
}

static int64_t
user_count(void)
{
    int64_t count;

    pthread_mutex_lock(&world->mutex); /* the timer may be writing */
    count = (int64_t)acme->tables[OBJECT_USER].count;
    pthread_mutex_unlock(&world->mutex);
    return count;
}

static void
a_status_is_answered_as_often_as_asked(void)
{
    ask_begin();
    T_INT(order(acme, "{\"on\":\"create\",\"do\":\"status\",\"skip\":1,\"times\":2}"), 200);
    T_INT(ask_exchange(acme, "POST", USERS, good_user("a@b.cc", "")), 201);
    T_INT(ask_exchange(acme, "GET", DATA "/limits", NULL), 200);
    T_INT(ask_exchange(acme, "POST", USERS, good_user("c@b.cc", "")), 503);
    T_STR(error_code(), "SERVER_UNAVAILABLE");
    T_INT(ask_exchange(acme, "POST", USERS, good_user("c@b.cc", "")), 503);
    T_INT(user_count(), 3);
    T_INT(ask_exchange(acme, "POST", USERS, good_user("c@b.cc", "")), 201);
    T_INT(order(acme, "{\"on\":\"any\",\"do\":\"status\",\"status\":420,\"body\":\"<html>\","
                      "\"headers\":{\"Content-Type\":\"text/html\",\"Retry-After\":\"7\"}}"),
          200);
    T_INT(ask_exchange(acme, "GET", DATA "/limits", NULL), 420);
    T_STR(answer.body, "<html>");
    T_STR(answer_header("Content-Type"), "text/html");
    T_STR(answer_header("Retry-After"), "7");
    T_INT(order(acme, "{\"on\":\"write\",\"do\":\"status\",\"status\":500,\"commit\":true}"), 200);
    T_INT(ask_exchange(acme, "POST", USERS, good_user("d@b.cc", "")), 500);
    T_INT(user_count(), 5);
    ask_end();
}

static void
replies_are_dropped_before_or_after_the_commit(void)
{
    ask_begin();
    T_INT(order(acme, "[{\"on\":\"write\",\"do\":\"drop_before\"},{\"on\":\"write\",\"do\":"
                      "\"drop_after\"},{\"on\":\"write\",\"do\":\"cut\"}]"),
          200);
    ask_exchange(acme, "POST", USERS, good_user("a@b.cc", ""));
    T_INT(answer.delivery, DELIVERY_CLOSE);
    T_INT(user_count(), 2);
    ask_exchange(acme, "POST", USERS, good_user("a@b.cc", ""));
    T_INT(answer.delivery, DELIVERY_CLOSE);
    T_INT(user_count(), 3);
    ask_exchange(acme, "POST", USERS, good_user("b@b.cc", ""));
    T_INT(answer.delivery, DELIVERY_CUT);
    T_INT(user_count(), 4);
    ask_end();
}

static void
a_late_write_lands_after_its_caller_is_gone(void)
{
    ask_begin();
    T_INT(order(acme, "{\"on\":\"create\",\"do\":\"late\",\"delay_ms\":1500}"), 200);
    ask_exchange(acme, "POST", USERS, good_user("a@b.cc", ""));
    T_INT(answer.delivery, DELIVERY_CLOSE);
    T_INT(user_count(), 2);
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    T_INT(js_get_int(answer_json, "late_writes", 0), 1);
    for (int i = 0; i < 1000 && user_count() == 2; i++)
        usleep(20000);
    T_INT(user_count(), 3);
    T_INT(ask_exchange(acme, "GET", "/__org/calls", NULL), 200);
    T_HAS(answer.body,
          "\"status\":201,\"records\":1,\"fault\":\"late\",\"answered\":false,\"late\":"
          "true");
    ask_end();
}

static void
a_reset_forgets_late_writes(void)
{
    ask_begin();
    T_INT(order(acme, "{\"on\":\"create\",\"do\":\"late\",\"delay_ms\":50}"), 200);
    ask_exchange(acme, "POST", USERS, good_user("a@b.cc", ""));
    T_INT(ask_exchange(acme, "POST", "/__org/reset", NULL), 200);
    usleep(150000);
    T_INT(user_count(), 2);
    T_INT(ask_exchange(acme, "GET", DATA "/limits", NULL), 401);
    ask_end();
}

static void
an_answer_of_collections_can_be_spoilt(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    T_INT(order(acme, "[{\"on\":\"collections\",\"do\":\"short_array\"},{\"on\":\"collections_"
                      "create\",\"do\":\"long_array\"},{\"on\":\"any\",\"do\":\"swap_array\"},"
                      "{\"on\":\"any\",\"do\":\"garbage\"}]"),
          200);
    text_addf(&body, "{\"records\":[%s,%s]}", good_user("a@b.cc", ""), good_user("c@b.cc", ""));
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_INT(answer_length(), 1);
    T_INT(user_count(), 4);
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_INT(answer_length(), 3);
    text_free(&body);
    text_addf(&body, "{\"records\":[%s,%s]}", good_user("a@b.cc", ""), good_user("d@b.cc", ""));
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_STR(result_code(0), "");
    T_STR(result_code(1), "DUPLICATE_USERNAME");
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_TRUE(answer_json == NULL);
    T_HAS(answer.body, "<html>");
    ask_end();
}

static void
one_record_can_be_refused(void)
{
    AUTO_TEXT struct text body = { 0 };

    ask_begin();
    T_INT(order(acme, "{\"on\":\"collections\",\"do\":\"refuse_record\",\"match\":{\"Username\":"
                      "\"c@b.cc\"},\"statusCode\":\"FIELD_CUSTOM_VALIDATION_EXCEPTION\","
                      "\"message\":\"No.\"}"),
          200);
    text_addf(&body, "{\"records\":[%s,%s]}", good_user("a@b.cc", ""), good_user("c@b.cc", ""));
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_STR(result_code(0), "");
    T_STR(result_code(1), "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    T_INT(ask_exchange(acme, "POST", MANY, body.data), 200);
    T_STR(result_code(0), "DUPLICATE_USERNAME");
    T_STR(result_code(1), "");
    ask_end();
}

/* The match may name what the row holds, though the record does not say it. */
static void
a_call_is_refused_as_long_as_a_record_is_in_it(void)
{
    AUTO_TEXT struct text body = { 0 };
    const char *a, *c;

    ask_begin();
    a = make_user(acme, "a@b.cc", "");
    c = make_user(acme, "c@b.cc", "");
    T_INT(order(acme, "{\"on\":\"collections\",\"do\":\"refuse_call_with\",\"match\":{\"username\":"
                      "\"C@b.cc\"},\"errorCode\":\"CANNOT_EXECUTE_FLOW_TRIGGER\"}"),
          200);
    text_addf(&body,
              "{\"records\":[{\"attributes\":{\"type\":\"User\"},\"Id\":\"%s\",\"Title\":\"x\"},"
              "{\"attributes\":{\"type\":\"User\"},\"Id\":\"%s\",\"Title\":\"x\"}]}",
              a, c);
    for (int i = 0; i < 3; i++) {
        T_INT(ask_exchange(acme, "PATCH", MANY, body.data), 400);
        T_STR(error_code(), "CANNOT_EXECUTE_FLOW_TRIGGER");
    }
    text_free(&body);
    text_addf(&body,
              "{\"records\":[{\"attributes\":{\"type\":\"User\"},\"Id\":\"%s\",\"Title\":\"x\"}]}",
              a);
    T_INT(ask_exchange(acme, "PATCH", MANY, body.data), 200);
    T_STR(result_code(0), "");
    ask_end();
}

static void
a_fault_that_is_none_is_refused(void)
{
    static const char *const bad[] = { "{\"do\":\"explode\"}",
                                       "{\"do\":\"status\",\"time\":1}",
                                       "{\"on\":\"any\"}",
                                       "5",
                                       "{",
                                       "{\"do\":\"late\",\"match\":\"x\"}" };

    ask_begin();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        T_INT(order(acme, bad[i]), 400);
        T_TRUE(js_get_text(answer_json, "error") != NULL);
    }
    T_INT(order(acme, "{\"do\":\"drop_before\"}"), 200);
    T_INT(ask_exchange(acme, "DELETE", "/__org/faults", NULL), 200);
    T_INT(ask_exchange(acme, "GET", DATA "/limits", NULL), 200);
    ask_end();
}

/* ---- control ---- */

static void
state_shows_users_and_counts(void)
{
    struct json_object *users, *first;

    ask_begin();
    make_user(acme, "b@b.cc", ",\"IsActive\":false");
    T_INT(ask(acme, "PATCH", user_path(make_user(acme, "a@b.cc", "")), "{\"Email\":\"x@y.zz\"}"),
          204);
    T_INT(ask_exchange(acme, "POST", "/__org/users",
                       "{\"Username\":\"c@b.cc\",\"Department\":\"HR\"}"),
          200);
    T_STR(js_get_text(answer_json, "CreatedById"), acme->other_admin);
    T_INT(ask_exchange(acme, "GET", "/__org/state", NULL), 200);
    users = js_get(answer_json, "users");
    first = json_object_array_get_idx(users, 0);
    T_STR(js_get_text(answer_json, "org_id"), acme->id);
    T_INT(json_object_array_length(users), 5);
    T_STR(js_get_text(first, "Username"), "a@b.cc");
    T_TRUE(json_object_object_get_ex(first, "Division", NULL));
    T_STR(js_get_text(js_get(answer_json, "pending_emails"), "a@b.cc"), "x@y.zz");
    T_INT(js_get_int(js_get(answer_json, "counts"), "users", 0), 5);
    T_INT(js_get_int(js_get(answer_json, "counts"), "active", 0), 4);
    T_INT(js_get_int(js_get(answer_json, "counts"), "provisioned", 0), 2);
    T_INT(js_get_int(js_get(answer_json, "usage"), "api_calls", 0), 3);
    T_INT(js_get_int(js_get(answer_json, "usage"), "token_requests", 0), 1);
    ask_end();
}

static void
the_log_of_calls_shows_what_was_asked(void)
{
    struct json_object *calls, *call;

    ask_begin();
    T_INT(ask_exchange(acme, "POST", USERS, "{\"Alias\":\"a\"}"), 400);
    T_INT(ask_exchange(acme, "GET", DATA "/query?q=SELECT+Id+FROM+User", NULL), 200);
    T_INT(ask_exchange(acme, "GET", "/__org/calls", NULL), 200);
    calls = js_get(answer_json, "calls");
    T_INT(json_object_array_length(calls), 2);
    call = json_object_array_get_idx(calls, 0);
    T_STR(js_get_text(call, "kind"), "create");
    T_STR(js_get_text(call, "body"), "{\"Alias\":\"a\"}");
    T_INT(js_get_int(call, "status", 0), 400);
    call = json_object_array_get_idx(calls, 1);
    T_STR(js_get_text(call, "soql"), "SELECT Id FROM User");
    T_INT(js_get_int(call, "records", 0), 2);
    T_INT(js_get_int(js_get(answer_json, "totals"), "POST /services/data/v67.0/sobjects/User", 0),
          1);
    T_INT(ask_exchange(acme, "DELETE", "/__org/calls", NULL), 200);
    T_INT(ask_exchange(acme, "GET", "/__org/calls", NULL), 200);
    T_INT(js_get_int(answer_json, "count", -1), 0);
    ask_end();
}

static void
another_admin_changes_users(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    T_INT(ask_exchange(acme, "PATCH", "/__org/users/A@b.cc", "{\"Email\":\"new@b.cc\"}"), 200);
    T_STR(user_text(acme, id, "Email"), "new@b.cc");
    T_STR(user_text(acme, id, "LastModifiedById"), acme->other_admin);
    T_INT(ask(acme, "PATCH", user_path(id), "{\"Email\":\"newer@b.cc\"}"), 204);
    T_INT(ask_exchange(acme, "POST", "/__org/users/a@b.cc/verify_email", NULL), 200);
    T_STR(user_text(acme, id, "Email"), "newer@b.cc");
    T_INT(ask_exchange(acme, "PATCH", "/__org/users/nobody@b.cc", "{}"), 404);
    T_INT(ask_exchange(globex, "PATCH", "/__org/users/a@b.cc", "{}"), 404);
    T_INT(ask_exchange(globex, "POST", "/__org/users", "{\"Username\":\"a@b.cc\"}"), 400);
    T_STR(error_code(), "DUPLICATE_USERNAME");
    ask_end();
}

static void
settings_are_known_or_refused(void)
{
    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/settings",
                       "{\"seats\":{\"Salesforce\":2},\"api_max\":7,\"email_verification\":false,"
                       "\"sandbox\":true,\"custom_fields\":[{\"name\":\"Key__c\",\"length\":9,"
                       "\"unique\":true}]}"),
          200);
    T_INT(ask(acme, "POST", USERS, good_user("a@b.cc", ",\"Key__c\":\"1\"")), 400);
    T_STR(error_code(), "LICENSE_LIMIT_EXCEEDED");
    T_HAS(answer_header("Sforce-Limit-Info"), "api-usage=1/7;");
    T_INT(ask_soql(acme, "SELECT Id FROM Organization WHERE IsSandbox = true"), 200);
    T_INT(answer_length(), 1);
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"seat\":1}"), 400);
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"seats\":{\"Nope\":1}}"), 400);
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"custom_fields\":[{\"name\":\"K\"}]}"),
          400);
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "[]"), 400);
    T_INT(ask_exchange(acme, "POST", "/__org/nope", "{}"), 404);
    ask_end();
}

static void
a_reset_org_is_new_and_its_usernames_are_free(void)
{
    ask_begin();
    make_user(acme, "a@b.cc", "");
    T_INT(ask_exchange(acme, "POST", "/__org/reset", NULL), 200);
    make_user(globex, "a@b.cc", "");
    T_INT(user_count(), 2);
    T_INT(acme->licenses[0].used, 2);
    ask_end();
}

static void
expired_sessions_are_refused(void)
{
    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/expire_tokens", NULL), 200);
    T_INT(ask(acme, "GET", DATA "/limits", NULL), 401);
    T_INT(ask(globex, "GET", DATA "/limits", NULL), 200);
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(ids_have_salesforces_suffix),
    UNIT_CASE(json_is_read_strictly),
    UNIT_CASE(deep_json_is_refused),
    UNIT_CASE(a_token_has_salesforces_members),
    UNIT_CASE(a_token_is_refused_in_oauths_words),
    UNIT_CASE(the_login_host_tells_who_a_session_is),
    UNIT_CASE(a_revoked_token_ends_its_session_only),
    UNIT_CASE(logins_are_limited_by_the_hour),
    UNIT_CASE(a_session_is_of_one_org_and_ends),
    UNIT_CASE(who_is_known_and_a_bad_token_is_told_in_plain_text),
    UNIT_CASE(versions_are_offered_retired_or_unknown),
    UNIT_CASE(versions_that_go_next_answer_with_a_warning),
    UNIT_CASE(the_daily_limit_is_counted_and_kept),
    UNIT_CASE(bodies_are_json_by_name_and_heads_have_a_size),
    UNIT_CASE(a_status_is_answered_as_often_as_asked),
    UNIT_CASE(replies_are_dropped_before_or_after_the_commit),
    UNIT_CASE(a_late_write_lands_after_its_caller_is_gone),
    UNIT_CASE(a_reset_forgets_late_writes),
    UNIT_CASE(an_answer_of_collections_can_be_spoilt),
    UNIT_CASE(one_record_can_be_refused),
    UNIT_CASE(a_call_is_refused_as_long_as_a_record_is_in_it),
    UNIT_CASE(a_fault_that_is_none_is_refused),
    UNIT_CASE(state_shows_users_and_counts),
    UNIT_CASE(the_log_of_calls_shows_what_was_asked),
    UNIT_CASE(another_admin_changes_users),
    UNIT_CASE(settings_are_known_or_refused),
    UNIT_CASE(a_reset_org_is_new_and_its_usernames_are_free),
    UNIT_CASE(expired_sessions_are_refused),
};

int
main(int argc, char **argv)
{
    return unit_run("org_api", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
