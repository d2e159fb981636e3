/* Batches of independent requests, and trees of new records (4.4). A batch is a convenience only: each
 * part counts as a call, and stands for itself. A tree is created whole or not at all; records below
 * records are not simulated, since none of the objects here has children a tree could name. */
#include "tests/org/api.h"

#include <string.h>

enum {
    MAX_BATCH = 25, /* 4.4 */
    MAX_TREE = 200  /* 4.4 */
};

/* ---- batch ---- */

/* Everything that can be refused before a part runs (REST-BATCH). The codes are unsure. */
static bool
check_batch(struct call *call, struct json_object *parts)
{
    static const char *const members[] = { "method", "url", "richInput", NULL };
    size_t count =
        json_object_is_type(parts, json_type_array) ? json_object_array_length(parts) : 0;

    if (count == 0 || count > MAX_BATCH) {
        reply_error(call->reply, 400, count ? "LIMIT_EXCEEDED" : "REQUIRED_FIELD_MISSING",
                    "batchRequests is an array of 1 to %d subrequests", MAX_BATCH);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *part = json_object_array_get_idx(parts, i);
        const char *url = js_get_text(part, "url");
        if (!json_object_is_type(part, json_type_object) || !js_get_text(part, "method") || !url ||
            *url != 'v') {
            reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                        "a subrequest has a method and a url that begins with its version");
            return false;
        }
        if (!call_check_members(call, part, members))
            return false;
    }
    return true;
}

/* False when the part failed. */
static bool
run_one(struct call *call, struct json_object *part, struct json_object *results)
{
    AUTO_FREE char *target = text_format("/services/data/%s", js_get_text(part, "url"));
    AUTO_FREE char *body = js_get(part, "richInput") ? js_text(js_get(part, "richInput")) : NULL;
    struct reply reply = { 0 };
    struct json_object *result = js_object();
    bool done = false;

    if (api_count(call)) {
        done = api_answer_part(call, js_get_text(part, "method"), target, body, NULL, &reply);
    } else { /* the refusal is this part's */
        reply = *call->reply;
        *call->reply = (struct reply){ 0 };
    }
    js_put_int(result, "statusCode", reply.status);
    js_put(result, "result", reply.body ? json_tokener_parse(reply.body) : NULL);
    js_append(results, result);
    reply_free(&reply);
    return done;
}

/* haltOnError: what comes after a failure is not tried (REST-BATCH; the text is unsure). */
static void
add_halted(struct json_object *results)
{
    struct json_object *result = js_object();
    struct reply reply = { 0 };

    reply_error(&reply, 412, "BATCH_PROCESSING_HALTED",
                "Batch processing halted due to a previous error");
    js_put_int(result, "statusCode", reply.status);
    js_put(result, "result", json_tokener_parse(reply.body));
    js_append(results, result);
    reply_free(&reply);
}

static void
answer_batch(struct call *call)
{
    static const char *const members[] = { "haltOnError", "batchRequests", NULL };
    struct json_object *parts, *answer, *results;
    bool halt, failed = false;

    if (!call_read_json(call) || !call_check_members(call, call->json, members) ||
        !call_read_flag(call, call->json, "haltOnError", false, &halt))
        return;
    parts = js_get(call->json, "batchRequests");
    if (!check_batch(call, parts))
        return;
    results = js_array();
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        if (failed && halt)
            add_halted(results);
        else if (!run_one(call, json_object_array_get_idx(parts, i), results))
            failed = true;
    }
    answer = js_object();
    js_put_flag(answer, "hasErrors", failed);
    js_put(answer, "results", results);
    reply_json(call->reply, 200, answer);
}

void
api_batch(struct call *call)
{
    if (call->segment_count != API_ROOT + 2)
        reply_not_found(call->reply);
    else if (call_method_is(call, "POST"))
        answer_batch(call);
    else
        reply_not_allowed(call->reply, call->request->method, "POST");
}

/* ---- tree ---- */

static const char *
reference_of(struct json_object *record)
{
    return js_get_text(js_get(record, "attributes"), "referenceId");
}

static bool
check_tree(struct call *call, struct table *table, struct json_object *records)
{
    size_t count =
        json_object_is_type(records, json_type_array) ? json_object_array_length(records) : 0;

    if (count == 0 || count > MAX_TREE) {
        reply_error(call->reply, 400, "INVALID_INPUT", "records is an array of 1 to %d records",
                    MAX_TREE);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        if (!js_get_text(js_get(record, "attributes"), "type") || !reference_of(record)) {
            reply_error(call->reply, 400, "INVALID_INPUT",
                        "attributes.type and attributes.referenceId are required in record %zu", i);
            return false;
        }
        if (!call_check_type(call, table, record))
            return false;
    }
    return true;
}

static struct json_object *
entry_of(const char *reference, const char *id, const struct refusal *refusal)
{
    struct json_object *entry = js_object();

    js_put_text(entry, "referenceId", reference);
    if (refusal)
        js_put(entry, "errors", api_errors(refusal));
    else
        js_put_text(entry, "id", id);
    return entry;
}

/* Whole, or a list of what is wrong. */
static void
create_tree(struct call *call, struct table *table, struct json_object *records)
{
    struct changes own = { 0 }, *changes = call_changes(call, &own);
    struct json_object *good = js_array(), *bad = js_array(), *answer = js_object();
    size_t kept = changes->count;
    bool failed;

    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        const char *reference = reference_of(record);
        struct refusal refusal;
        struct row *row = NULL;
        if (api_write_record(call, table, NULL, record, &row, changes, &refusal))
            js_append(good, entry_of(reference, row->id, NULL));
        else
            js_append(bad, entry_of(reference, NULL, &refusal));
    }
    failed = json_object_array_length(bad) > 0;
    if (failed)
        changes_roll_back(changes, kept);
    changes_free(&own);
    call->records = (int64_t)json_object_array_length(records);
    js_put_flag(answer, "hasErrors", failed);
    js_put(answer, "results", failed ? bad : good);
    json_object_put(failed ? good : bad);
    reply_json(call->reply, failed ? 400 : 201, answer);
}

void
api_tree(struct call *call)
{
    static const char *const members[] = { "records", NULL };
    struct table *table = call->segment_count == API_ROOT + 3
                              ? org_table(call->org, call->segments[API_ROOT + 2])
                              : NULL;

    if (!table) {
        reply_not_found(call->reply);
    } else if (!call_method_is(call, "POST")) {
        reply_not_allowed(call->reply, call->request->method, "POST");
    } else if (call_read_json(call) && call_check_members(call, call->json, members) &&
               check_tree(call, table, js_get(call->json, "records"))) {
        create_tree(call, table, js_get(call->json, "records"));
    }
}
