/*
 * Reading: query (fact sheet 2.10) and the versions of the org (2.4). It believes an answer only if it is
 * whole. What is asked, and what follows from an answer, is for delivery.
 */
#include <stdio.h>
#include <string.h>

#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"

#define QUERY_MAX_PAGES 500
#define QUERY_MAX_BYTES (64u * 1024u * 1024u)

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
read_pages(struct sf_session *session, char **path, enum sf_urgency urgency,
           struct json_object *records, struct sf_call *call)
{
    struct sizes sizes = { 0, 0 };

    for (unsigned pages = 0; *path; pages++) {
        AUTO_JSON struct json_object *page = NULL;
        AUTO_FREE char *current = STEAL(*path);
        const struct session_request request = { .method = "GET",
                                                 .path = current,
                                                 .urgency = urgency };
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
sf_query(struct sf_session *session, const char *soql, enum sf_urgency urgency,
         struct json_object **ret_records, struct sf_call *call)
{
    AUTO_JSON struct json_object *records = NULL;
    AUTO_FREE char *encoded = NULL;
    AUTO_FREE char *path = NULL;
    int result;

    *call = (struct sf_call){ .outcome = SF_REFUSED, .cause = "", .remedy = "" };
    if (sf_soql_url_bytes(soql) > SF_SOQL_MAX_BYTES)
        return answer_refuse(call, PROV_E_LIMIT, "the query is longer than 8000 bytes in the URL");
    records = json_object_new_array();
    encoded = sf_percent_encode(soql);
    if (!records || !encoded ||
        asprintf(&path, "/services/data/%s/query?q=%s", session_api_version(session), encoded) <
            0) {
        path = NULL;
        answer_out_of_memory(call);
        return PROV_E_NOMEM;
    }
    result = read_pages(session, &path, urgency, records, call);
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
session_get(struct sf_session *session, const struct session_request *request,
            struct json_object **ret, struct sf_call *call)
{
    struct sizes sizes = { 0, 0 };

    return read_json(session, request, ret, &sizes, call);
}

int
sf_versions(struct sf_session *session, struct json_object **ret_versions, struct sf_call *call)
{
    return sf_probe(session, NULL, ret_versions, call);
}

int
sf_probe(struct sf_session *session, struct sf_trace *ret_trace, struct json_object **ret_versions,
         struct sf_call *call)
{
    const struct session_request request = {
        .method = "GET", .path = "/services/data", .anonymous = true, .trace = ret_trace
    };
    AUTO_JSON struct json_object *list = NULL;
    int result;

    if (ret_trace)
        *ret_trace = (struct sf_trace){ .fault = SF_FAULT_NONE };
    result = session_get(session, &request, &list, call);

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
