/* The front of an org: takes a request apart, checks version, size, session and the daily limit,
 * and hands on to the route. What the routes do is left to the other api_*.c, oauth.c and
 * control.c. */
#include "tests/org/api.h"
#include "tests/org/oauth.h"

#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_URI_BYTES = 16384,  /* section 10 */
    MAX_HEAD_BYTES = 16384, /* section 10: URI and headers */
    OLDEST_VERSION = 31,    /* section 10: 21 to 30 retired in Summer '25, 7 to 20 in '22 */
    OLDEST_RETIRED = 7,
    NEWEST_VERSION = 68,    /* section 10: Winter '27 */
    COLLECTIONS_SINCE = 42, /* 4.1 */
    COMPOSITE_SINCE = 38,   /* 4.2 */
    GRAPH_SINCE = 50,       /* 4.3 */
    BATCH_SINCE = 34        /* 4.4, the version of its examples; the tree's too */
};

/* ---- replies ---- */

void
reply_free(struct reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    free(reply->body);
    *reply = (struct reply){ 0 };
}

void
reply_header(struct reply *reply, const char *name, const char *value)
{
    struct header *header = NULL;

    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcasecmp(reply->headers[i].name, name) == 0)
            header = &reply->headers[i];
    }
    if (!header) {
        if (reply->header_count == MAX_HEADERS)
            return;
        header = &reply->headers[reply->header_count++];
        header->name = text_copy(name);
        header->value = NULL;
    }
    free(header->value);
    header->value = text_copy(value);
}

void
reply_json(struct reply *reply, int status, struct json_object *value)
{
    AUTO_JS struct json_object *owned = value;

    free(reply->body);
    reply->status = status;
    reply->body = js_text(owned);
    reply->body_bytes = strlen(reply->body);
    reply_header(reply, "Content-Type", "application/json;charset=UTF-8");
}

void
reply_refusal(struct reply *reply, const struct refusal *refusal)
{
    struct json_object *list = js_array(), *error = js_object();

    js_put_text(error, "message", refusal->message);
    js_put_text(error, "errorCode", refusal->code);
    if (refusal->has_fields) {
        struct json_object *fields = js_array();
        AUTO_FREE char *names = text_copy(refusal->fields);
        char *rest = names, *name;
        while ((name = strsep(&rest, ",")) && *name)
            js_append(fields, js_string(name));
        js_put(error, "fields", fields);
    }
    js_append(list, error);
    reply_json(reply, refusal->status, list);
}

void
reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
{
    struct refusal refusal;
    AUTO_FREE char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        message = text_copy(code);
    va_end(arguments);
    refuse(&refusal, status, code, NULL, "%s", message);
    reply_refusal(reply, &refusal);
}

void
reply_not_found(struct reply *reply)
{
    reply_error(reply, 404, "NOT_FOUND", "The requested resource does not exist");
}

void
reply_not_allowed(struct reply *reply, const char *method, const char *allowed)
{
    reply_header(reply, "Allow", allowed);
    reply_error(reply, 405, "METHOD_NOT_ALLOWED", "HTTP Method '%s' not allowed. Allowed are %s",
                method, allowed);
}

/* ---- the request ---- */

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoding; heap, NULL for a broken escape or a NUL. */
static char *
decode(const char *text, size_t length, bool plus_is_space)
{
    AUTO_FREE char *result = text_block(length + 1);
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%') {
            int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0)
                return NULL;
            result[out++] = (char)(high * 16 + low);
            i += 2;
        } else {
            result[out++] = plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return STEAL(result);
}

bool
call_add_parameters(struct call *call, const char *text, size_t length)
{
    const char *end = text + length;

    while (text < end) {
        size_t piece = 0, name;
        struct parameter *parameter = &call->parameters[call->parameter_count];
        while (text + piece < end && text[piece] != '&')
            piece++;
        if (piece > 0) {
            const char *equals = memchr(text, '=', piece);
            if (call->parameter_count == MAX_PARAMETERS)
                return false;
            name = equals ? (size_t)(equals - text) : piece;
            parameter->name = decode(text, name, true);
            parameter->value = equals ? decode(equals + 1, piece - name - 1, true) : text_copy("");
            call->parameter_count++;
            if (!parameter->name || !parameter->value)
                return false;
        }
        text += piece + (text + piece < end ? 1 : 0);
    }
    return true;
}

static bool
split_path(struct call *call)
{
    const char *at = call->path;

    while (*at == '/') {
        size_t length = strcspn(++at, "/");
        if (length == 0 && !at[length])
            return true; /* a slash at the end */
        if (call->segment_count == MAX_SEGMENTS)
            return false;
        call->segments[call->segment_count] = decode(at, length, false);
        if (!call->segments[call->segment_count++])
            return false;
        at += length;
    }
    return !*at;
}

bool
call_init(struct call *call, struct org *org, const struct request *request, struct reply *reply)
{
    const char *query = strchr(request->target, '?');
    size_t path = query ? (size_t)(query - request->target) : strlen(request->target);

    *call = (struct call){ .org = org, .request = request, .reply = reply };
    call->path = text_format("%.*s", (int)path, request->target);
    if (split_path(call) && (!query || call_add_parameters(call, query + 1, strlen(query + 1))))
        return true;
    reply_error(reply, 400, "URL_MALFORMED", "The request URL is not well formed");
    return false;
}

void
call_free(struct call *call)
{
    for (size_t i = 0; i < call->segment_count; i++)
        free(call->segments[i]);
    for (size_t i = 0; i < call->parameter_count; i++) {
        free(call->parameters[i].name);
        free(call->parameters[i].value);
    }
    free(call->path);
    json_object_put(call->json);
    *call = (struct call){ 0 };
}

const char *
call_parameter(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->parameter_count; i++) {
        if (strcmp(call->parameters[i].name, name) == 0)
            return call->parameters[i].value;
    }
    return NULL;
}

bool
call_method_is(const struct call *call, const char *method)
{
    return strcmp(call->request->method, method) == 0 ||
           (strcmp(method, "GET") == 0 && strcmp(call->request->method, "HEAD") == 0);
}

/* ---- the front of the data API ---- */

/* Section 10: three releases a year, v67 is Summer '26. */
static void
version_label(int version, char ret[24])
{
    static const char *const seasons[] = { "Spring", "Summer", "Winter" };
    static const int shifts[] = { 12, 11, 13 };

    snprintf(ret, 24, "%s '%02d", seasons[version % 3], (version + shifts[version % 3]) / 3);
}

/* 2.4: no session needed. */
static void
answer_versions(struct call *call)
{
    struct json_object *list = js_array();

    for (int version = OLDEST_VERSION; version <= NEWEST_VERSION; version++) {
        struct json_object *entry = js_object();
        AUTO_FREE char *url = text_format("/services/data/v%d.0", version);
        AUTO_FREE char *number = text_format("%d.0", version);
        char label[24];
        version_label(version, label);
        js_put_text(entry, "label", label);
        js_put_text(entry, "url", url);
        js_put_text(entry, "version", number);
        js_append(list, entry);
    }
    reply_json(call->reply, 200, list);
}

static bool
check_version(struct call *call)
{
    const char *text = call->segments[2];
    int number = 0, end = 0;

    if (sscanf(text, "v%2d.0%n", &number, &end) != 1 || end == 0 || text[end] ||
        number < OLDEST_RETIRED || number > NEWEST_VERSION) {
        reply_not_found(call->reply);
        return false;
    }
    if (number < OLDEST_VERSION) {
        /* 6.2: status known, body unsure */
        reply_error(call->reply, 410, "UNSUPPORTED_API_VERSION",
                    "API version %d.0 is no longer available", number);
        return false;
    }
    snprintf(call->version, sizeof(call->version), "v%d.0", number);
    call->version_number = number;
    return true;
}

/* Section 10: deprecated versions answer with a Warning header; its form and words as headers_warning.htm of the REST
 * guide has them. That refusals have it too is unsure. */
static void
put_deprecation(struct call *call)
{
    if (call->version_number < call->org->settings.deprecated_below)
        reply_header(call->reply, "Warning",
                     "299 - \"This API is deprecated and will be removed by Summer '28. Please see "
                     "https://help.salesforce.com/articleView?id=005321531 for details.\"");
}

/* 2.3: the first number is what was used. */
bool
api_count(struct call *call)
{
    struct org *org = call->org;
    bool within = org->usage.api_calls < org->settings.api_max;
    AUTO_FREE char *usage = NULL;

    if (within)
        org->usage.api_calls++;
    usage = text_format("api-usage=%lld/%lld; per-app-api-usage=7/9(appName=simulated)",
                        (long long)org->usage.api_calls, (long long)org->settings.api_max);
    reply_header(call->reply, "Sforce-Limit-Info", usage);
    if (!within)
        reply_error(call->reply, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    return within;
}

static void
answer_get_only(struct call *call, void (*answer)(struct call *call))
{
    if (call_method_is(call, "GET"))
        answer(call);
    else
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
}

/* What is below /composite, and since when. */
static void
answer_composite(struct call *call)
{
    static const struct {
        const char *name;
        int since;
        void (*answer)(struct call *call);
    } parts[] = { { "", COMPOSITE_SINCE, api_composite },
                  { "sobjects", COLLECTIONS_SINCE, api_collections },
                  { "graph", GRAPH_SINCE, api_composite },
                  { "batch", BATCH_SINCE, api_batch },
                  { "tree", BATCH_SINCE, api_tree } };
    const char *name = call->segment_count > API_ROOT + 1 ? call->segments[API_ROOT + 1] : "";

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bool allowed = !call->inner || strcmp(parts[i].name, "sobjects") == 0;
        if (strcmp(name, parts[i].name) == 0 && call->version_number >= parts[i].since && allowed) {
            parts[i].answer(call);
            return;
        }
    }
    reply_not_found(call->reply);
}

static void
answer_data(struct call *call)
{
    const char *resource = call->segment_count > API_ROOT ? call->segments[API_ROOT] : "";
    const char *part = call->segment_count == API_ROOT + 2 ? call->segments[API_ROOT + 1] : "";

    if (call->segment_count == API_ROOT)
        answer_get_only(call, api_resources);
    else if (strcmp(resource, "sobjects") == 0)
        api_sobjects(call);
    else if (strcmp(resource, "query") == 0 || strcmp(resource, "queryAll") == 0)
        answer_get_only(call, api_query);
    else if (strcmp(resource, "limits") == 0 && call->segment_count == API_ROOT + 1)
        answer_get_only(call, api_limits);
    else if (strcmp(resource, "limits") == 0 && strcmp(part, "recordCount") == 0)
        answer_get_only(call, api_record_count);
    else if (strcmp(resource, "composite") == 0)
        answer_composite(call);
    else
        reply_not_found(call->reply);
}

static bool
starts(const struct call *call, const char *first, const char *second, const char *third)
{
    return call->segment_count >= 2 && strcmp(call->segments[0], first) == 0 &&
           strcmp(call->segments[1], second) == 0 &&
           (!third || (call->segment_count == 3 && strcmp(call->segments[2], third) == 0));
}

/* 2.1: as captured; the form of the request's ids is unsure. */
static void
put_standing_headers(struct call *call)
{
    static atomic_uint requests;
    AUTO_FREE char *id = text_format("%032x", atomic_fetch_add(&requests, 1) + 1);

    reply_header(call->reply, "X-Request-Id", id);
    reply_header(call->reply, "X-Sfdc-Request-Id", id);
    reply_header(call->reply, "Server", "sfdcedge");
    reply_header(call->reply, "Vary", "Accept-Encoding");
    reply_header(call->reply, "Cache-Control",
                 "no-cache,must-revalidate,max-age=0,no-store,private");
}

/* 2.12 and section 10; the bodies are unsure. */
static bool
check_head(struct call *call)
{
    if (strlen(call->request->target) > MAX_URI_BYTES) {
        reply_error(call->reply, 414, "URI_TOO_LONG", "The URI is longer than %d bytes",
                    MAX_URI_BYTES);
        return false;
    }
    if (call->request->head_bytes > MAX_HEAD_BYTES) {
        reply_error(call->reply, 431, "REQUEST_HEADER_FIELDS_TOO_LARGE",
                    "URI and headers are longer than %d bytes", MAX_HEAD_BYTES);
        return false;
    }
    return true;
}

/* 6.2; the text is unsure. */
static bool
check_api_enabled(struct call *call)
{
    if (call->org->settings.api_enabled)
        return true;
    reply_error(call->reply, 403, "API_CURRENTLY_DISABLED", "API is not enabled for this User");
    return false;
}

/* Section 10 and 6.2: what is under way for long keeps the next one out. That a refused call is not counted for the
 * day is unsure. */
static bool
check_long_calls(struct call *call)
{
    if (!call->met_long_calls)
        return true;
    reply_error(call->reply, 403, "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentPerOrgLongTxn Limit exceeded.");
    return false;
}

void
api_answer_inner(struct call *call)
{
    if (!starts(call, "services", "data", NULL) || call->segment_count < API_ROOT)
        reply_not_found(call->reply);
    else if (check_version(call))
        answer_data(call);
}

/* Of an error, wherever it stands in an answer: codes and fields stay. */
static void
translate(struct json_object *value)
{
    struct json_object *fields = js_get(value, "fields");

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            translate(json_object_array_get_idx(value, i));
        return;
    }
    if (!json_object_is_type(value, json_type_object))
        return;
    if (js_get(value, "errorCode") || js_get(value, "statusCode")) {
        AUTO_FREE char *names = fields ? js_text(fields) : text_copy("[]");
        AUTO_FREE char *text = text_format("No se ha podido hacer: %s", names);
        js_put_text(value, "message", text);
        return;
    }
    json_object_object_foreach(value, name, member)
    {
        (void)name;
        translate(member);
    }
}

/* Section 6: whatever was written of an error is in the user's language; nobody has to understand it. */
static void
translate_answer(struct call *call)
{
    struct json_object *body = call->reply->body ? json_tokener_parse(call->reply->body) : NULL;

    if (!body)
        return;
    translate(body);
    reply_json(call->reply, call->reply->status, body);
}

static void
answer_version(struct call *call)
{
    put_deprecation(call);
    if ((call->late || call_is_authorized(call)) && check_api_enabled(call) &&
        check_long_calls(call) && api_count(call))
        answer_data(call);
    if (call->org->settings.translated)
        translate_answer(call);
}

void
api_answer(struct call *call)
{
    put_standing_headers(call);
    if (!check_head(call))
        return;
    if (starts(call, "services", "oauth2", "token"))
        api_token(call);
    else if (starts(call, "services", "oauth2", "authorize"))
        api_authorize(call);
    else if (starts(call, "services", "oauth2", "revoke"))
        api_revoke(call);
    else if (starts(call, "services", "oauth2", "userinfo"))
        answer_get_only(call, api_userinfo);
    else if (call->segment_count == 3 && strcmp(call->segments[0], "id") == 0)
        answer_get_only(call, api_identity);
    else if (starts(call, "services", "data", NULL) && call->segment_count == 2)
        answer_get_only(call, answer_versions);
    else if (!starts(call, "services", "data", NULL))
        reply_not_found(call->reply);
    else if (check_version(call))
        answer_version(call);
}
