/*
 * What Salesforce, or something in its place, answers. Input: a line with the HTTP status, "T" before
 * it when it is the answer to the token request, then the body. Whatever comes, every record has an
 * outcome, a success carries the id of a user that was asked for, and every word is clean.
 *
 * The HTTP room is replaced here by one that answers with the input: no network, no libcurl.
 */
#include "tests/fuzz/fuzz.h"

#include "plugin/base/cleanup.h"
#include "plugin/salesforce/http.h"
#include "plugin/salesforce/session.h"
#include "tests/unit/batches.h"

#define TOKEN                                                                                      \
    "{\"access_token\":\"00D5g000008abcd!AQEAQ.t\",\"scope\":\"api\",\"instance_url\":"            \
    "\"https://acme.my.salesforce.com\",\"id\":\"https://login.salesforce.com/id/"                 \
    "00D5g000008abcdEAA/0055g00000AbCdEAAV\",\"token_type\":\"Bearer\"}"
#define MAX_CALLS 6

static const char *const ids[] = { "0055g00000AbCdFAAV", "0055g00000AbCdGAAV" };

/* What the replaced HTTP room answers. */
static struct {
    int status, calls;
    bool to_token;
    const char *body;
    size_t length;
} script;

/* ---- the HTTP room ---- */

struct http {
    int unused;
};

int
http_new(const struct http_settings *settings, struct http **ret, struct prov_error *err)
{
    (void)settings;
    (void)err;
    *ret = calloc(1, sizeof(**ret));
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

void
http_free(struct http *http)
{
    free(http);
}

void
http_stop(struct http *http)
{
    (void)http;
}

void
http_set_deadline(struct http *http, int64_t deadline_us)
{
    (void)http, (void)deadline_us;
}

bool
http_time_is_over(struct http *http)
{
    (void)http;
    return false;
}

bool
http_stopped(const struct http *http)
{
    (void)http;
    return false;
}

int
http_origin_parse(const char *url, struct http_origin *ret, struct prov_error *err)
{
    (void)err;
    *ret = (struct http_origin){ .scheme = "https", .port = 443 };
    snprintf(ret->host, sizeof(ret->host), "%s",
             strstr(url, "acme.my.salesforce.com") ? "acme.my.salesforce.com" : "other.example");
    return PROV_OK;
}

bool
http_origin_same(const struct http_origin *a, const struct http_origin *b)
{
    return strcmp(a->host, b->host) == 0;
}

char *
http_origin_text(const struct http_origin *origin)
{
    char text[300];

    snprintf(text, sizeof(text), "https://%s", origin->host);
    return strdup(text);
}

int
http_call(struct http *http, const struct http_request *request, struct http_answer *ret)
{
    bool token = strstr(request->url, "/oauth2/token") != NULL;
    bool scripted = token == script.to_token;

    (void)http;
    *ret = (struct http_answer){ .end = HTTP_ANSWERED, .status = scripted ? script.status : 200 };
    if (++script.calls > MAX_CALLS) {
        ret->end = HTTP_NO_ANSWER;
        snprintf(ret->why, sizeof(ret->why), "enough");
        return PROV_OK;
    }
    ret->length = scripted ? script.length : strlen(token ? TOKEN : "[]");
    ret->body = malloc(ret->length + 1);
    FUZZ_CHECK(ret->body);
    memcpy(ret->body, scripted ? script.body : token ? TOKEN : "[]", ret->length);
    ret->body[ret->length] = '\0';
    return PROV_OK;
}

void
http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    *answer = (struct http_answer){ 0 };
}

/* ---- what must hold ---- */

static void
check_words(const char *text, size_t room)
{
    FUZZ_CHECK(strnlen(text, room) < room);
    for (const char *c = text; *c; c++)
        FUZZ_CHECK((unsigned char)*c >= 0x20);
}

static void
check_call(const struct sf_call *call)
{
    FUZZ_CHECK(call->outcome <= SF_UNKNOWN && call->retry_after_us >= 0);
    check_words(call->code, sizeof(call->code));
    check_words(call->message, sizeof(call->message));
    /* only the token endpoint was told it */
    FUZZ_CHECK(!script.to_token || (!strstr(call->message, "s3cret-of-consumer") &&
                                    !strstr(call->code, "s3cret-of-consumer")));
    if (call->outcome != SF_DELIVERED)
        FUZZ_CHECK(call->cause && *call->cause && call->remedy && *call->remedy);
}

static void
check_records(const struct sf_record *records, bool update)
{
    for (size_t i = 0; i < 2; i++) {
        FUZZ_CHECK(records[i].outcome <= SF_UNKNOWN && records[i].outcome != SF_HOLD);
        check_words(records[i].code, sizeof(records[i].code));
        check_words(records[i].message, sizeof(records[i].message));
        check_words(records[i].fields, sizeof(records[i].fields));
        if (records[i].outcome == SF_DELIVERED) {
            FUZZ_CHECK(strlen(records[i].id) == 18 && strncmp(records[i].id, "005", 3) == 0);
            FUZZ_CHECK(!update || strcmp(records[i].id, ids[i]) == 0);
        }
    }
    if (records[0].outcome == SF_DELIVERED && records[1].outcome == SF_DELIVERED)
        FUZZ_CHECK(strcmp(records[0].id, records[1].id) != 0);
}

static struct sf_session *
open_session(void)
{
    const struct sf_settings settings = { .origin = "https://acme.my.salesforce.com",
                                          .api_version = "v67.0",
                                          .token_endpoint = "https://acme.my.salesforce.com/"
                                                            "services/oauth2/token",
                                          .client_id = "3MVG9",
                                          .client_secret = "s3cret-of-consumer",
                                          .user_agent = "sfprov/test" };
    struct sf_session *session = NULL;

    FUZZ_CHECK(sf_session_new(&settings, &session, NULL) == PROV_OK);
    script.calls = 0;
    return session;
}

static void
write_users(bool update)
{
    AUTO_JSON struct json_object *records =
        json_tokener_parse(update ? "[{\"Id\":\"0055g00000AbCdFAAV\",\"IsActive\":false},"
                                    "{\"Id\":\"0055g00000AbCdGAAV\",\"Title\":null}]"
                                  : "[{\"Username\":\"a@x.example\"},{\"Username\":\"b@x.example\"}"
                                    "]");
    struct sf_session *session = open_session();
    struct sf_record results[2] = { { .code = "" } };
    struct sf_call call;
    int code = send_users(session, update, records, results, &call);

    FUZZ_CHECK(code == PROV_OK);
    check_call(&call);
    if (call.outcome == SF_DELIVERED)
        check_records(results, update);
    sf_session_free(session);
}

static void
read_all(void)
{
    AUTO_JSON struct json_object *rows = NULL, *versions = NULL;
    struct sf_session *session = open_session();
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    struct sf_call call;

    FUZZ_CHECK(sf_query(session, "SELECT Id FROM User", SF_CAN_WAIT, &rows, &call) == PROV_OK);
    check_call(&call);
    FUZZ_CHECK((call.outcome == SF_DELIVERED) == (rows != NULL));
    FUZZ_CHECK(!rows || json_object_is_type(rows, json_type_array));
    script.calls = 0;
    FUZZ_CHECK(sf_versions(session, &versions, &call) == PROV_OK);
    check_call(&call);
    FUZZ_CHECK((call.outcome == SF_DELIVERED) == (versions != NULL));
    FUZZ_CHECK(sf_identity(session, org_id, user_id, &call) == PROV_OK);
    check_call(&call);
    FUZZ_CHECK(call.outcome != SF_DELIVERED || (strlen(org_id) == 18 && strlen(user_id) == 18));
    sf_session_free(session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *rest = text, *line = fuzz_line(&rest);

    script.to_token = *line == 'T';
    script.status = atoi(line + script.to_token);
    script.body = rest;
    script.length = size - (size_t)(rest - text); /* the body may hold NULs */
    write_users(false);
    write_users(true);
    read_all();
    free(text);
    return 0;
}
