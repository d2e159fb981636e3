/* Asks the simulated org for its unit tests: sessions, requests, and readers of the last reply.
 * What is asked and expected is left to the cases. */
#include "tests/unit/ask.h"

struct world *world;
struct org *acme, *globex;
int64_t ask_now_ms;
struct reply answer;
struct json_object *answer_json;

static struct exchanges *exchanges;
static char sessions[2][512];

static int64_t
now_ms(void)
{
    return ask_now_ms;
}

static void
log_in(struct org *org)
{
    static const char form[] = "grant_type=client_credentials&client_id=" ORG_CLIENT_ID
                               "&client_secret=" ORG_CLIENT_SECRET;
    struct request request = { .method = "POST",
                               .target = "/services/oauth2/token",
                               .content_type = "application/x-www-form-urlencoded",
                               .body = form,
                               .body_bytes = sizeof(form) - 1 };

    T_INT(ask_raw(org, &request), 200);
    snprintf(sessions[org->index], sizeof(sessions[0]), "Bearer %s",
             js_get_text(answer_json, "access_token"));
}

const char *
ask_session(struct org *org)
{
    return sessions[org->index];
}

void
ask_begin(void)
{
    ask_now_ms = 1795357043119; /* 2026-11-22 */
    world = world_new(ORG_CLIENT_ID, ORG_CLIENT_SECRET, 100);
    world->now_ms = now_ms;
    world->login_origin = text_copy("http://login.example");
    acme = world_add_org(world, "acme");
    globex = world_add_org(world, "globex");
    acme->origin = text_copy("http://acme.example");
    globex->origin = text_copy("http://globex.example");
    exchanges = exchanges_new(world);
    log_in(acme);
    log_in(globex);
}

void
ask_end(void)
{
    exchanges_stop(exchanges);
    exchanges_free(exchanges);
    world_free(world);
    reply_free(&answer);
    json_object_put(answer_json);
    answer_json = NULL;
}

static void
keep_answer(void)
{
    json_object_put(answer_json);
    answer_json = answer.body ? json_tokener_parse(answer.body) : NULL;
}

int
ask_raw(struct org *org, const struct request *request)
{
    struct call call;

    reply_free(&answer);
    if (call_init(&call, org, request, &answer)) {
        if (org)
            api_answer(&call);
        else
            login_answer(world, &call);
    }
    call_free(&call);
    keep_answer();
    return answer.status;
}

struct exchanges *
ask_exchanges(void)
{
    return exchanges;
}

static struct request
request_of(struct org *org, const char *method, const char *target, const char *body)
{
    return (struct request){ .method = method,
                             .target = target,
                             .content_type = "application/json",
                             .authorization = sessions[org->index],
                             .body = body,
                             .body_bytes = body ? strlen(body) : 0 };
}

int
ask(struct org *org, const char *method, const char *target, const char *body)
{
    struct request request = request_of(org, method, target, body);

    return ask_raw(org, &request);
}

int
ask_exchange(struct org *org, const char *method, const char *target, const char *body)
{
    struct request request = request_of(org, method, target, body);

    reply_free(&answer);
    exchange(exchanges, org, &request, &answer);
    keep_answer();
    return answer.status;
}

int
ask_soql(struct org *org, const char *soql)
{
    AUTO_TEXT struct text target = { 0 };

    text_addf(&target, DATA "/query?q=");
    for (; *soql; soql++)
        text_addf(&target, "%%%02X", (unsigned char)*soql);
    return ask(org, "GET", target.data, NULL);
}

const char *
good_user(const char *username, const char *more)
{
    static char buffers[4][4096];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];

    snprintf(buffer, sizeof(buffers[0]),
             "{\"attributes\":{\"type\":\"User\"},\"Username\":\"%s\",\"LastName\":\"Doe\","
             "\"Email\":\"jane@acme.com\",\"Alias\":\"jane\",\"TimeZoneSidKey\":\"Europe/Paris\","
             "\"LocaleSidKey\":\"en_US\",\"EmailEncodingKey\":\"UTF-8\",\"LanguageLocaleKey\":"
             "\"en_US\",\"ProfileId\":\"%s\"%s}",
             username, acme->tables[OBJECT_PROFILE].rows[1]->id, more);
    return buffer;
}

/* The profile of the record is acme's; globex has the same one under another id. */
static void
use_profile_of(struct org *org, char *record)
{
    char *at = strstr(record, acme->tables[OBJECT_PROFILE].rows[1]->id);

    if (at && org != acme)
        memcpy(at, org->tables[OBJECT_PROFILE].rows[1]->id, ID_SIZE - 1);
}

const char *
make_user(struct org *org, const char *username, const char *more)
{
    static char ids[4][ID_SIZE];
    static unsigned turn;
    char *id = ids[turn++ % 4];
    AUTO_FREE char *record = text_copy(good_user(username, more));

    use_profile_of(org, record);
    T_INT(ask(org, "POST", DATA "/sobjects/User", record), 201);
    snprintf(id, ID_SIZE, "%s",
             js_get_text(answer_json, "id") ? js_get_text(answer_json, "id") : "");
    return id;
}

const char *
user_path(const char *id)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), DATA "/sobjects/User/%s", id);
    return path;
}

static struct json_object *
first_error(void)
{
    return json_object_is_type(answer_json, json_type_array) &&
                   json_object_array_length(answer_json) > 0
               ? json_object_array_get_idx(answer_json, 0)
               : NULL;
}

const char *
error_code(void)
{
    const char *code = js_get_text(first_error(), "errorCode");

    return code ? code : "";
}

const char *
error_text(void)
{
    const char *text = js_get_text(first_error(), "message");

    return text ? text : "";
}

static struct json_object *
result(size_t index)
{
    return json_object_is_type(answer_json, json_type_array)
               ? json_object_array_get_idx(answer_json, index)
               : NULL;
}

const char *
result_code(size_t index)
{
    struct json_object *errors = js_get(result(index), "errors");
    const char *code;

    if (!errors)
        return "(no result)";
    if (json_object_array_length(errors) == 0)
        return "";
    code = js_get_text(json_object_array_get_idx(errors, 0), "statusCode");
    return code ? code : "(no statusCode)";
}

const char *
result_id(size_t index)
{
    const char *id = js_get_text(result(index), "id");

    return id ? id : "";
}

size_t
answer_length(void)
{
    struct json_object *records = js_get(answer_json, "records");

    if (json_object_is_type(answer_json, json_type_array))
        return json_object_array_length(answer_json);
    return json_object_is_type(records, json_type_array) ? json_object_array_length(records) : 0;
}

const char *
answer_header(const char *name)
{
    for (size_t i = 0; i < answer.header_count; i++) {
        if (strcmp(answer.headers[i].name, name) == 0)
            return answer.headers[i].value;
    }
    return "";
}

const char *
user_text(struct org *org, const char *id, const char *field)
{
    const char *text;

    T_INT(ask(org, "GET", user_path(id), NULL), 200);
    text = js_get_text(answer_json, field);
    return text ? text : "";
}
