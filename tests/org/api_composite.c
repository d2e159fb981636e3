/* Composite calls (4.2) and graphs of them (4.3): requests within one request, of which later ones may
 * use what earlier ones answered. Decides what an @{reference} stands for, and what allOrNone takes
 * back; each part is answered by the route it names. Parts run in the order given: collateSubrequests
 * lets Salesforce choose another, so a client that depends on one must set it to false. */
#include "tests/org/api.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PARTS = 25,        /* 4.2 */
    MAX_QUERIES = 5,       /* 4.2: queries and collections */
    MAX_GRAPHS = 75,       /* 4.3 */
    MAX_NODES = 500,       /* 4.3 */
    MAX_FAILED_GRAPHS = 14 /* 4.3 */
};

/* One compositeRequest on its way. */
struct composite {
    struct call *call;
    struct json_object *parts;
    struct json_object *answers; /* {"body","httpHeaders","httpStatusCode","referenceId"} */
    struct changes *transaction; /* NULL: each part stands for itself */
    bool failed;
};

/* ---- references ---- */

/* The answer to that reference, or NULL. */
static struct json_object *
body_of(struct composite *composite, const char *reference, size_t length)
{
    for (size_t i = 0; i < json_object_array_length(composite->answers); i++) {
        struct json_object *answer = json_object_array_get_idx(composite->answers, i);
        const char *id = js_get_text(answer, "referenceId");
        if (strlen(id) == length && strncmp(id, reference, length) == 0)
            return js_get(answer, "body");
    }
    return NULL;
}

/* "id", "records[0].Id": one step, which moves *at behind it. */
static struct json_object *
step_into(struct json_object *value, const char **at)
{
    size_t length = strcspn(*at, ".[");
    AUTO_FREE char *name = text_format("%.*s", (int)length, *at);

    if (length)
        value = js_get(value, name);
    *at += length;
    while (**at == '[') {
        char *end;
        unsigned long index = strtoul(*at + 1, &end, 10);
        if (*end != ']' || !json_object_is_type(value, json_type_array))
            return NULL;
        value = json_object_array_get_idx(value, index);
        *at = end + 1;
    }
    if (**at == '.')
        (*at)++;
    return value;
}

/* What "ref.path" stands for: a scalar, or a refusal in the words that were seen (4.2). */
static struct json_object *
value_of_reference(struct composite *composite, const char *reference, struct refusal *refusal)
{
    size_t length = strcspn(reference, ".[");
    const char *at = reference + length + (reference[length] == '.' ? 1 : 0);
    struct json_object *value = body_of(composite, reference, length);

    while (value && *at)
        value = step_into(value, &at);
    if (value && !json_object_is_type(value, json_type_object) &&
        !json_object_is_type(value, json_type_array))
        return value;
    refuse(refusal, 400, "PROCESSING_HALTED", NULL,
           "Invalid reference specified. No value for %s found in %.*s", reference, (int)length,
           reference);
    return NULL;
}

static void
add_url_text(struct text *out, const char *text)
{
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("-_.~", *text))
            text_add(out, text, 1);
        else
            text_addf(out, "%%%02X", (unsigned char)*text);
    }
}

/* Every @{...} in a text. Heap; NULL and the refusal for one without a value. */
static char *
resolve_text(struct composite *composite, const char *text, bool in_url, struct refusal *refusal)
{
    AUTO_TEXT struct text out = { 0 };
    const char *open, *close;

    text_add(&out, "", 0);
    while ((open = strstr(text, "@{")) && (close = strchr(open, '}'))) {
        AUTO_FREE char *reference = text_format("%.*s", (int)(close - open - 2), open + 2);
        struct json_object *value = value_of_reference(composite, reference, refusal);
        if (!value)
            return NULL;
        text_add(&out, text, (size_t)(open - text));
        if (in_url)
            add_url_text(&out, json_object_get_string(value));
        else
            text_addf(&out, "%s", json_object_get_string(value));
        text = close + 1;
    }
    text_addf(&out, "%s", text);
    return STEAL(out.data);
}

static bool resolve_value(struct composite *composite, struct json_object *value,
                          struct json_object **ret, struct refusal *refusal);

/* A string that is one reference takes the value with its type; in a longer one it becomes text. */
static bool
resolve_string(struct composite *composite, const char *text, struct json_object **ret,
               struct refusal *refusal)
{
    const char *close = strchr(text, '}');
    AUTO_FREE char *resolved = NULL;

    if (strncmp(text, "@{", 2) == 0 && close && !close[1]) {
        AUTO_FREE char *reference = text_format("%.*s", (int)(close - text - 2), text + 2);
        struct json_object *value = value_of_reference(composite, reference, refusal);
        *ret = js_scalar_copy(value);
        return value != NULL;
    }
    resolved = resolve_text(composite, text, false, refusal);
    if (resolved)
        *ret = js_string(resolved);
    return resolved != NULL;
}

static bool
resolve_members(struct composite *composite, struct json_object *value, struct json_object **ret,
                struct refusal *refusal)
{
    AUTO_JS struct json_object *copy = js_object();

    json_object_object_foreach(value, name, member)
    {
        struct json_object *resolved;
        if (!resolve_value(composite, member, &resolved, refusal))
            return false;
        js_put(copy, name, resolved);
    }
    *ret = STEAL(copy);
    return true;
}

/* A copy with the references replaced. */
static bool
resolve_value(struct composite *composite, struct json_object *value, struct json_object **ret,
              struct refusal *refusal)
{
    AUTO_JS struct json_object *list = NULL;

    *ret = NULL;
    if (json_object_is_type(value, json_type_string))
        return resolve_string(composite, json_object_get_string(value), ret, refusal);
    if (json_object_is_type(value, json_type_object))
        return resolve_members(composite, value, ret, refusal);
    if (!json_object_is_type(value, json_type_array)) {
        *ret = js_scalar_copy(value);
        return true;
    }
    list = js_array();
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *resolved;
        if (!resolve_value(composite, json_object_array_get_idx(value, i), &resolved, refusal))
            return false;
        js_append(list, resolved);
    }
    *ret = STEAL(list);
    return true;
}

/* ---- one part ---- */

bool
api_answer_part(struct call *call, const char *method, const char *target, const char *body,
                struct changes *transaction, struct reply *reply)
{
    struct request request = *call->request;
    struct call inner;
    bool failed;

    request.method = method;
    request.target = target;
    request.content_type = "application/json";
    request.content_encoding = NULL;
    request.if_none_match = NULL;
    request.body = body;
    request.body_bytes = body ? strlen(body) : 0;
    if (call_init(&inner, call->org, &request, reply)) {
        inner.inner = true;
        inner.transaction = transaction;
        api_answer_inner(&inner);
        call->records += inner.records;
        if (inner.fault)
            call->fault = inner.fault;
    }
    failed = inner.failed || reply->status >= 400;
    call_free(&inner);
    return !failed;
}

/* 4.2: of the headers only Location says anything here. */
static void
add_answer(struct composite *composite, const char *reference, struct reply *reply)
{
    struct json_object *answer = js_object(), *headers = js_object();

    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcmp(reply->headers[i].name, "Location") == 0)
            js_put_text(headers, "Location", reply->headers[i].value);
    }
    js_put(answer, "body", reply->body ? json_tokener_parse(reply->body) : NULL);
    js_put(answer, "httpHeaders", headers);
    js_put_int(answer, "httpStatusCode", reply->status);
    js_put_text(answer, "referenceId", reference);
    js_append(composite->answers, answer);
}

static void
run_part(struct composite *composite, struct json_object *part)
{
    struct reply reply = { 0 };
    struct refusal refusal;
    AUTO_JS struct json_object *body = NULL;
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *url = resolve_text(composite, js_get_text(part, "url"), true, &refusal);

    if (!url || !resolve_value(composite, js_get(part, "body"), &body, &refusal)) {
        reply_refusal(&reply, &refusal);
        composite->failed = true;
    } else {
        text = body ? js_text(body) : NULL;
        if (!api_answer_part(composite->call, js_get_text(part, "method"), url, text,
                             composite->transaction, &reply))
            composite->failed = true;
    }
    add_answer(composite, js_get_text(part, "referenceId"), &reply);
    reply_free(&reply);
}

/* 4.2: all parts but the one that failed, the last one tried, say so. */
static void
halt(struct composite *composite)
{
    struct json_object *before = composite->answers;
    struct refusal refusal;

    refuse(&refusal, 400, "PROCESSING_HALTED", NULL,
           "The transaction was rolled back since another operation in the same transaction "
           "failed.");
    composite->answers = js_array();
    for (size_t i = 0; i < json_object_array_length(composite->parts); i++) {
        struct json_object *part = json_object_array_get_idx(composite->parts, i);
        struct reply reply = { 0 };
        if (i + 1 == json_object_array_length(before)) {
            js_append(composite->answers, json_object_get(json_object_array_get_idx(before, i)));
            continue;
        }
        reply_refusal(&reply, &refusal);
        add_answer(composite, js_get_text(part, "referenceId"), &reply);
        reply_free(&reply);
    }
    json_object_put(before);
}

/* The answers as an array; the caller's. *ret_failed: whether a part was refused. */
static struct json_object *
run_parts(struct call *call, struct json_object *parts, bool all_or_none, bool *ret_failed)
{
    struct changes changes = { 0 };
    struct composite composite = { .call = call,
                                   .parts = parts,
                                   .answers = js_array(),
                                   .transaction = all_or_none ? &changes : NULL };

    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        run_part(&composite, json_object_array_get_idx(parts, i));
        if (composite.failed && all_or_none)
            break;
    }
    if (composite.failed && all_or_none) {
        changes_roll_back(&changes, 0);
        halt(&composite);
    }
    changes_free(&changes);
    *ret_failed = composite.failed;
    return composite.answers;
}

/* ---- the body ---- */

/* 4.2: letters, digits, '_', a letter first, each once. The codes are unsure. */
static bool
check_reference_id(struct call *call, struct json_object *parts, size_t index)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_";
    const char *id = js_get_text(json_object_array_get_idx(parts, index), "referenceId");
    bool twice = false;

    for (size_t i = 0; id && i < index; i++)
        twice = twice ||
                strcmp(js_get_text(json_object_array_get_idx(parts, i), "referenceId"), id) == 0;
    if (id && isalpha((unsigned char)*id) && strspn(id, letters) == strlen(id) && !twice)
        return true;
    reply_error(call->reply, 400, "INVALID_INPUT",
                twice ? "Duplicate referenceId: %s"
                      : "Invalid referenceId '%s': it must start with a letter and contain only "
                        "letters, numbers and underscores",
                id ? id : "");
    return false;
}

static bool
check_method(struct call *call, struct json_object *part)
{
    static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE", "PUT" };
    const char *method = js_get_text(part, "method");

    for (size_t i = 0; method && i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i], method) == 0)
            return true;
    }
    reply_error(call->reply, 400, "JSON_PARSER_ERROR", "'%s' is no method", method ? method : "");
    return false;
}

static bool
check_part(struct call *call, struct json_object *parts, size_t index)
{
    static const char *const members[] = { "method",      "url",         "body",
                                           "referenceId", "httpHeaders", NULL };
    struct json_object *part = json_object_array_get_idx(parts, index);
    const char *url = js_get_text(part, "url");

    if (!json_object_is_type(part, json_type_object)) {
        reply_error(call->reply, 400, "JSON_PARSER_ERROR", "a subrequest is an object");
        return false;
    }
    if (!call_check_members(call, part, members) || !check_method(call, part) ||
        !check_reference_id(call, parts, index))
        return false;
    if (js_get(part, "httpHeaders") &&
        (!json_object_is_type(js_get(part, "httpHeaders"), json_type_object) ||
         json_object_object_length(js_get(part, "httpHeaders")) > 0)) {
        reply_error(call->reply, 400, "INVALID_INPUT",
                    "httpHeaders of a subrequest are not simulated");
        return false;
    }
    if (url && strncmp(url, "/services/data/v", 16) == 0)
        return true;
    reply_error(call->reply, 400, "INVALID_INPUT",
                "The url of a subrequest begins with /services/data/vXX.X/: %s", url ? url : "");
    return false;
}

static bool
is_query_or_collection(struct json_object *part)
{
    const char *url = js_get_text(part, "url");

    return url && (strstr(url, "/query") || strstr(url, "/composite/sobjects"));
}

/* As it was seen: an answer without a referenceId (4.2; its status is unsure). */
static void
refuse_size(struct call *call, const char *message)
{
    struct json_object *body = js_object(), *list = js_array(), *answer = js_object();
    struct reply reply = { 0 };

    reply_error(&reply, 400, "LIMIT_EXCEEDED", "%s", message);
    js_put(answer, "body", json_tokener_parse(reply.body));
    js_put(answer, "httpHeaders", js_object());
    js_put_int(answer, "httpStatusCode", 400);
    js_put(answer, "referenceId", NULL);
    js_append(list, answer);
    js_put(body, "compositeResponse", list);
    reply_json(call->reply, 400, body);
    reply_free(&reply);
}

static bool
check_parts(struct call *call, struct json_object *parts, size_t most)
{
    size_t count =
        json_object_is_type(parts, json_type_array) ? json_object_array_length(parts) : 0;
    size_t queries = 0;

    if (count == 0) { /* code unsure */
        reply_error(call->reply, 400, "REQUIRED_FIELD_MISSING",
                    "compositeRequest is required, an array of subrequests");
        return false;
    }
    if (count > most) {
        refuse_size(call, "The request can\xe2\x80\x99t contain more than 25 operations.");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_part(call, parts, i))
            return false;
        queries += is_query_or_collection(json_object_array_get_idx(parts, i));
    }
    if (queries > MAX_QUERIES)
        refuse_size(call, "The request can\xe2\x80\x99t contain more than 5 queries and "
                          "collections.");
    return queries <= MAX_QUERIES;
}

static void
answer_composite(struct call *call)
{
    static const char *const members[] = { "allOrNone", "collateSubrequests", "compositeRequest",
                                           NULL };
    struct json_object *parts, *answer;
    bool all_or_none, ignored;

    if (!call_read_json(call) || !call_check_members(call, call->json, members) ||
        !call_read_flag(call, call->json, "allOrNone", false, &all_or_none) ||
        !call_read_flag(call, call->json, "collateSubrequests", true, &ignored))
        return;
    parts = js_get(call->json, "compositeRequest");
    if (!check_parts(call, parts, MAX_PARTS))
        return;
    answer = js_object();
    js_put(answer, "compositeResponse", run_parts(call, parts, all_or_none, &ignored));
    reply_json(call->reply, 200, answer);
}

/* ---- graphs (4.3) ---- */

static bool
check_graph(struct call *call, struct json_object *graph, size_t *nodes)
{
    static const char *const members[] = { "graphId", "compositeRequest", NULL };
    struct json_object *parts = js_get(graph, "compositeRequest");

    if (!js_get_text(graph, "graphId") || !call_check_members(call, graph, members)) {
        if (!call->reply->status)
            reply_error(call->reply, 400, "INVALID_INPUT", "a graph has a graphId, a text");
        return false;
    }
    if (!check_parts(call, parts, MAX_NODES))
        return false;
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        const char *url = js_get_text(json_object_array_get_idx(parts, i), "url");
        if (strstr(url, "/sobjects/") && !strstr(url, "/composite/"))
            continue;
        reply_error(call->reply, 400, "INVALID_INPUT", "a graph has no other nodes than rows: %s",
                    url);
        return false;
    }
    *nodes += json_object_array_length(parts);
    return true;
}

static bool
check_graphs(struct call *call, struct json_object *graphs)
{
    size_t count =
        json_object_is_type(graphs, json_type_array) ? json_object_array_length(graphs) : 0;
    size_t nodes = 0;

    for (size_t i = 0; i < count; i++) {
        if (!check_graph(call, json_object_array_get_idx(graphs, i), &nodes))
            return false;
    }
    if (count > 0 && count <= MAX_GRAPHS && nodes <= MAX_NODES)
        return true;
    reply_error(call->reply, 400, "LIMIT_EXCEEDED", "1 to %d graphs with at most %d nodes",
                MAX_GRAPHS, MAX_NODES);
    return false;
}

static struct json_object *
answer_graph(struct call *call, struct json_object *graph, bool *ret_failed)
{
    struct json_object *answer = js_object(), *response = js_object();

    js_put(response, "compositeResponse",
           run_parts(call, js_get(graph, "compositeRequest"), true, ret_failed));
    js_put_text(answer, "graphId", js_get_text(graph, "graphId"));
    js_put(answer, "graphResponse", response);
    js_put_flag(answer, "isSuccessful", !*ret_failed);
    return answer;
}

/* 4.3: after 14 graphs that failed the others are not tried. */
static struct json_object *
answer_halted(struct json_object *graph)
{
    struct composite composite = { .parts = js_get(graph, "compositeRequest"),
                                   .answers = js_array() };
    struct json_object *answer = js_object(), *response = js_object();

    halt(&composite);
    js_put(response, "compositeResponse", composite.answers);
    js_put_text(answer, "graphId", js_get_text(graph, "graphId"));
    js_put(answer, "graphResponse", response);
    js_put_flag(answer, "isSuccessful", false);
    return answer;
}

static void
answer_graphs(struct call *call)
{
    static const char *const members[] = { "graphs", NULL };
    struct json_object *graphs, *answer, *list;
    size_t failures = 0;

    if (!call_read_json(call) || !call_check_members(call, call->json, members))
        return;
    graphs = js_get(call->json, "graphs");
    if (!check_graphs(call, graphs))
        return;
    list = js_array();
    for (size_t i = 0; i < json_object_array_length(graphs); i++) {
        struct json_object *graph = json_object_array_get_idx(graphs, i);
        bool failed = false;
        js_append(list, failures >= MAX_FAILED_GRAPHS ? answer_halted(graph)
                                                      : answer_graph(call, graph, &failed));
        failures += failed;
    }
    answer = js_object();
    js_put(answer, "graphs", list);
    reply_json(call->reply, 200, answer);
}

static void
list_resources(struct call *call)
{
    static const char *const names[] = { "tree", "batch", "sobjects", "graph" };
    struct json_object *answer = js_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_FREE char *path =
            text_format("/services/data/%s/composite/%s", call->version, names[i]);
        js_put_text(answer, names[i], path);
    }
    reply_json(call->reply, 200, answer);
}

void
api_composite(struct call *call)
{
    bool graph = call->segment_count == API_ROOT + 2;

    if (call->segment_count > API_ROOT + 2)
        reply_not_found(call->reply);
    else if (call_method_is(call, "POST") && graph)
        answer_graphs(call);
    else if (call_method_is(call, "POST"))
        answer_composite(call);
    else if (call_method_is(call, "GET") && !graph)
        list_resources(call);
    else
        reply_not_allowed(call->reply, call->request->method, graph ? "POST" : "GET,HEAD,POST");
}
