/*
 * The calls: create and update users by sObject Collections (fact sheet 4.1), query (2.10) and the
 * versions of the org (2.4). It writes the bodies and believes an answer only if it fits what was
 * asked: as many items as records, and the right ids (design rule 16). Which fields are sent, and
 * what follows from an outcome, is for delivery.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"

#define QUERY_MAX_PAGES 500
#define QUERY_MAX_BYTES (64u * 1024u * 1024u)

#define SETTLES "Nothing to do: the connector reads the org back before it sends anything again."

/* ---- the body of a collection ---- */

/* {"attributes":{"type":"User"}, ...}; "Id" goes out as "id", as the samples of 4.1 have it. */
static struct json_object *
make_record(const char *object, struct json_object *fields)
{
    AUTO_JSON struct json_object *record = json_object_new_object();
    AUTO_JSON struct json_object *attributes = json_object_new_object();

    if (!record || !attributes || json_put_string(attributes, "type", object) != PROV_OK ||
        json_put(record, "attributes", STEAL(attributes)) != PROV_OK)
        return NULL;
    json_object_object_foreach(fields, name, value)
    {
        if (json_put(record, strcmp(name, "Id") == 0 ? "id" : name, json_ref(value)) != PROV_OK)
            return NULL;
    }
    return STEAL(record);
}

static char *
make_body(const char *object, struct json_object *records)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct json_object *list = json_object_new_array();
    size_t count = json_object_array_length(records);

    if (!body || !list || json_put_bool(body, "allOrNone", false) != PROV_OK) {
        json_object_put(list);
        return NULL;
    }
    if (json_put(body, "records", list) != PROV_OK)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct json_object *record = make_record(object, json_object_array_get_idx(records, i));
        if (!record)
            return NULL;
        if (json_object_array_add(list, record) != 0) {
            json_object_put(record);
            return NULL;
        }
    }
    return json_text(body);
}

/* The caller's fault: nothing is sent. */
static int
refuse_call(struct sf_call *call, int code, const char *why)
{
    answer_tell(call, SF_REFUSED, "The connector asked for something that cannot be sent.",
                "Report this as a fault of the connector.", "%s", why);
    return code;
}

/* Updates name each user, creates none; `ids` gets the 18-character forms. */
static int
check_records(struct json_object *records, bool update, char (*ids)[SF_ID_SIZE],
              struct sf_call *call)
{
    size_t count =
        json_object_is_type(records, json_type_array) ? json_object_array_length(records) : 0;

    if (count == 0)
        return refuse_call(call, PROV_E_INVALID, "a call needs an array of at least one record");
    if (count > SF_MAX_RECORDS)
        return refuse_call(call, PROV_E_LIMIT, "a call takes at most 200 records");
    for (size_t i = 0; i < count; i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        if (!json_object_is_type(record, json_type_object))
            return refuse_call(call, PROV_E_INVALID, "a record must be an object");
        if (!update && json_get(record, "Id"))
            return refuse_call(call, PROV_E_INVALID, "a new record cannot have an Id");
        if (update && sf_id_normalise(json_get_string(record, "Id"), ids[i], NULL) != PROV_OK)
            return refuse_call(call, PROV_E_INVALID, "a record to update needs a valid Id");
    }
    return PROV_OK;
}

/* ---- the answer to a collection ---- */

/* The names of errors[].fields, as many as fit. */
static void
join_fields(struct json_object *error, char *ret, size_t room)
{
    struct json_object *fields = json_get(error, "fields");
    size_t count =
        json_object_is_type(fields, json_type_array) ? json_object_array_length(fields) : 0;
    size_t at = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(fields, i));
        char clean[80];
        answer_clean(name, clean, sizeof(clean));
        if (at + strlen(clean) + 2 > room)
            return;
        at += (size_t)snprintf(ret + at, room - at, "%s%s", at ? "," : "", clean);
    }
}

/* A record that was not saved. The first error counts, as Salesforce lists the root first. */
static void
read_failure(struct json_object *item, struct sf_record *record)
{
    struct json_object *errors = json_get(item, "errors");
    struct json_object *error =
        json_object_is_type(errors, json_type_array) ? json_object_array_get_idx(errors, 0) : NULL;
    const char *code = json_get_string(error, "statusCode");
    const char *message = json_get_string(error, "message");
    struct sf_verdict verdict;

    if (!code || !*code) {
        record->outcome = SF_UNKNOWN;
        record->cause = "Salesforce did not save the user and does not say why.";
        record->remedy = SETTLES;
        snprintf(record->message, sizeof(record->message),
                 "success is false, without a statusCode");
        return;
    }
    verdict = sf_judge(SF_LEVEL_RECORD, 0, code, message, 1);
    record->outcome = verdict.outcome;
    record->cause = verdict.cause;
    record->remedy = verdict.remedy;
    answer_clean(code, record->code, sizeof(record->code));
    answer_clean(message, record->message, sizeof(record->message));
    join_fields(error, record->fields, sizeof(record->fields));
}

/* Or absent. */
static bool
is_empty_list(struct json_object *list)
{
    return !list ||
           (json_object_is_type(list, json_type_array) && json_object_array_length(list) == 0);
}

/*
 * One item against what was asked; wanted_id NULL for a create. NULL: it fits; else why not. An
 * item about another user means that the order is not what we think: then nothing can be believed.
 */
static const char *
read_item(struct json_object *item, const char *wanted_id, struct sf_record *record)
{
    struct json_object *success = json_get(item, "success"), *id = json_get(item, "id");
    char full[SF_ID_SIZE] = "";

    *record = (struct sf_record){ .outcome = SF_DELIVERED, .cause = "", .remedy = "" };
    if (!json_object_is_type(success, json_type_boolean))
        return "without success true or false";
    if (id && (!json_object_is_type(id, json_type_string) ||
               sf_id_normalise(json_object_get_string(id), full, NULL) != PROV_OK))
        return "with an id that is not valid";
    if (full[0] && !wanted_id && strncmp(full, "005", 3) != 0)
        return "with the id of something else than a user";
    if (full[0] && wanted_id && strcmp(full, wanted_id) != 0)
        return "with the id of another record";
    if (!json_object_get_boolean(success)) {
        read_failure(item, record);
        return NULL;
    }
    if (!full[0])
        return "that succeeded without an id";
    if (!is_empty_list(json_get(item, "errors")))
        return "that succeeded with errors";
    memcpy(record->id, full, sizeof(full));
    return NULL;
}

static bool
is_repeated(const struct sf_record *results, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (results[i].id[0] && strcmp(results[i].id, results[index].id) == 0)
            return true;
    }
    return false;
}

static void doubt(struct sf_call *call, const char *format, ...) PRINTF_LIKE(2, 3);

/* The call was answered, but the answer does not say what became of it. */
static void
doubt(struct sf_call *call, const char *format, ...)
{
    char why[sizeof(call->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    answer_tell(call, SF_UNKNOWN, "The answer does not fit the call.", SETTLES, "%s", why);
}

/* ids NULL for creates. */
static void
read_results(const struct http_answer *answer, size_t count, char (*ids)[SF_ID_SIZE],
             struct sf_record *results, struct sf_call *call)
{
    AUTO_JSON struct json_object *list = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    if (answer->status != 200) {
        doubt(call, "HTTP %d where 200 was expected", answer->status);
        return;
    }
    if (answer_parse(answer, "the answer", &list, NULL, &err) != PROV_OK) {
        doubt(call, "%s", err.text);
        return;
    }
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != count) {
        doubt(call, "%zu items instead of %zu",
              json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0,
              count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *why =
            read_item(json_object_array_get_idx(list, i), ids ? ids[i] : NULL, &results[i]);
        if (!why && !ids && results[i].id[0] && is_repeated(results, i))
            why = "with the id of another item";
        if (why) {
            doubt(call, "item %zu of %zu came %s", i + 1, count, why);
            return;
        }
    }
}

/* POST creates, PATCH updates (fact sheet 4.1). One kind of object a call. */
static int
send_records(struct sf_session *session, const char *method, const char *object,
             struct json_object *records, struct sf_record *results, struct sf_call *call)
{
    bool update = strcmp(method, "PATCH") == 0;
    char ids[SF_MAX_RECORDS][SF_ID_SIZE], path[64];
    AUTO_FREE char *body = NULL;
    struct session_request request = { .method = method, .path = path, .write = true };
    struct http_answer answer;
    int result;

    *call = (struct sf_call){ .outcome = SF_REFUSED, .cause = "", .remedy = "" };
    result = check_records(records, update, ids, call);
    if (result != PROV_OK)
        return result;
    body = make_body(object, records);
    if (!body) {
        answer_out_of_memory(call);
        return PROV_E_NOMEM;
    }
    snprintf(path, sizeof(path), "/services/data/%.16s/composite/sobjects",
             session_api_version(session));
    request.body = body;
    result = session_call(session, &request, &answer, call);
    explicit_bzero(body, strlen(body)); /* personal data */
    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    read_results(&answer, json_object_array_length(records), update ? ids : NULL, results, call);
    http_answer_clear(&answer);
    return PROV_OK;
}

int
sf_users_create(struct sf_session *session, struct json_object *records, struct sf_record *results,
                struct sf_call *call)
{
    return send_records(session, "POST", "User", records, results, call);
}

int
sf_users_update(struct sf_session *session, struct json_object *records, struct sf_record *results,
                struct sf_call *call)
{
    return send_records(session, "PATCH", "User", records, results, call);
}

int
sf_logins_update(struct sf_session *session, struct json_object *records, struct sf_record *results,
                 struct sf_call *call)
{
    return send_records(session, "PATCH", "UserLogin", records, results, call);
}

/* ---- reading ---- */

/* Of all answers to one question. */
struct sizes {
    size_t bytes, values;
};

/* The body of a GET as JSON. With SF_DELIVERED *ret is set; *sizes grows by what it is. */
static int
read_json(struct sf_session *session, const struct session_request *request,
          struct json_object **ret, struct sizes *sizes, struct sf_call *call)
{
    size_t values = 0;
    struct prov_error err = PROV_ERROR_INIT;
    struct http_answer answer;
    int result = session_call(session, request, &answer, call);

    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    result = answer_parse(&answer, "the answer", ret, &values, &err);
    sizes->bytes += answer.length;
    sizes->values += values;
    http_answer_clear(&answer);
    if (result == PROV_E_NOMEM) {
        answer_out_of_memory(call);
        return result;
    }
    if (result != PROV_OK)
        answer_tell(call, SF_RETRY, "The answer is not Salesforce's.",
                    "It is tried again. If it lasts, look for a proxy that answers itself.", "%s",
                    err.text);
    return PROV_OK;
}

static int
not_a_page(struct sf_call *call, const char *why)
{
    answer_tell(call, SF_RETRY, "The answer is not a list of records.",
                "It is tried again. If it lasts, look for a proxy that answers itself.", "%s", why);
    return PROV_OK;
}

/* A path on the same host, below /services/data/, that nothing between can read another way. */
static bool
is_next_path(const char *path)
{
    static const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789/._~-";

    return path && strncmp(path, "/services/data/", 15) == 0 && strlen(path) < 1024 &&
           strspn(path, allowed) == strlen(path) && !strstr(path, "//") && !strstr(path, "..");
}

/* Who is missing from a short answer must not pass for who is not in the org. */
static bool
is_whole(struct json_object *last_page, struct json_object *records)
{
    return json_get_int(last_page, "totalSize", -1) == (int64_t)json_object_array_length(records);
}

/* Moves the records of one page, and says where the next one is (NULL: this was the last). */
static int
take_page(struct json_object *page, struct json_object *records, char **ret_next,
          struct sf_call *call)
{
    struct json_object *list = json_get(page, "records"), *done = json_get(page, "done");
    const char *next = json_get_string(page, "nextRecordsUrl");

    if (!json_object_is_type(list, json_type_array) ||
        !json_object_is_type(done, json_type_boolean))
        return not_a_page(call, "the answer holds no 'records' and 'done'");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *record = json_object_array_get_idx(list, i);
        if (!json_object_is_type(record, json_type_object))
            return not_a_page(call, "one of the 'records' is no record");
        if (json_append(records, json_ref(record)) != PROV_OK)
            return PROV_E_NOMEM;
    }
    if (json_object_get_boolean(done))
        return is_whole(page, records)
                   ? PROV_OK
                   : not_a_page(call,
                                "the answer holds more or fewer records than its 'totalSize'");
    if (!is_next_path(next))
        return not_a_page(call, "the answer is not the last page, but its 'nextRecordsUrl' is not "
                                "a path below /services/data/");
    *ret_next = strdup(next);
    return *ret_next ? PROV_OK : PROV_E_NOMEM;
}

/* From the first page at *path on; *path is used up. */
static int
read_pages(struct sf_session *session, char **path, struct json_object *records,
           struct sf_call *call)
{
    struct sizes sizes = { 0, 0 };

    for (unsigned pages = 0; *path; pages++) {
        AUTO_JSON struct json_object *page = NULL;
        AUTO_FREE char *current = STEAL(*path);
        const struct session_request request = { .method = "GET", .path = current };
        int result;
        if (pages == QUERY_MAX_PAGES || sizes.bytes > QUERY_MAX_BYTES ||
            sizes.values > QUERY_MAX_VALUES) {
            answer_tell(call, SF_REFUSED, "The query has too many results.",
                        "Ask for less at a time.", "more than %d pages or 64 MiB of results",
                        QUERY_MAX_PAGES);
            return PROV_OK;
        }
        result = read_json(session, &request, &page, &sizes, call);
        if (result != PROV_OK || call->outcome != SF_DELIVERED)
            return result;
        result = take_page(page, records, path, call);
        if (result != PROV_OK)
            answer_out_of_memory(call);
        if (result != PROV_OK || call->outcome != SF_DELIVERED)
            return result;
    }
    return PROV_OK;
}

int
sf_query(struct sf_session *session, const char *soql, struct json_object **ret_records,
         struct sf_call *call)
{
    AUTO_JSON struct json_object *records = NULL;
    AUTO_FREE char *encoded = NULL;
    AUTO_FREE char *path = NULL;
    int result;

    *call = (struct sf_call){ .outcome = SF_REFUSED, .cause = "", .remedy = "" };
    if (sf_soql_url_bytes(soql) > SF_SOQL_MAX_BYTES)
        return refuse_call(call, PROV_E_LIMIT, "the query is longer than 8000 bytes in the URL");
    records = json_object_new_array();
    encoded = sf_percent_encode(soql);
    if (!records || !encoded ||
        asprintf(&path, "/services/data/%s/query?q=%s", session_api_version(session), encoded) <
            0) {
        path = NULL;
        answer_out_of_memory(call);
        return PROV_E_NOMEM;
    }
    result = read_pages(session, &path, records, call);
    if (result == PROV_OK && call->outcome == SF_DELIVERED)
        *ret_records = STEAL(records);
    return result;
}

static int
by_version(const void *a, const void *b)
{
    struct json_object *const *left = a, *const *right = b;
    long first = strtol(json_get_string(*left, "version"), NULL, 10);
    long second = strtol(json_get_string(*right, "version"), NULL, 10);

    return (first > second) - (first < second);
}

static bool
is_version_list(struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) == 0)
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (!json_get_string(item, "label") || !json_get_string(item, "url") ||
            !json_get_string(item, "version"))
            return false;
    }
    return true;
}

int
sf_versions(struct sf_session *session, struct json_object **ret_versions, struct sf_call *call)
{
    const struct session_request request = { .method = "GET",
                                             .path = "/services/data",
                                             .anonymous = true };
    AUTO_JSON struct json_object *list = NULL;
    struct sizes sizes = { 0, 0 };
    int result = read_json(session, &request, &list, &sizes, call);

    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    if (!is_version_list(list)) {
        answer_tell(call, SF_HOLD, "This host does not answer like a Salesforce org.",
                    "Set 'domain_name' to the org's My Domain: https://<name>.my.salesforce.com.",
                    "/services/data is not a list of versions");
        return PROV_OK;
    }
    json_object_array_sort(list, by_version);
    *ret_versions = STEAL(list);
    return PROV_OK;
}
