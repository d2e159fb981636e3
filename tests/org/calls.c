/* The log of calls: the last ones in a ring, and totals of all by method and route. What a test
 * concludes from them is its own affair. */
#include "tests/org/calls.h"

#include <stdlib.h>
#include <string.h>

#include "tests/org/api.h"
#include "tests/org/faults.h"

enum {
    KEPT = 2000,
    MAX_BODY_KEPT = 8192
};

struct call_log {
    struct json_object *ring[KEPT];
    uint64_t count;
    struct json_object *totals;
};

struct call_log *
calls_new(void)
{
    struct call_log *log = text_block(sizeof(*log));

    log->totals = js_object();
    return log;
}

void
calls_free(struct call_log *log)
{
    for (size_t i = 0; i < KEPT; i++)
        json_object_put(log->ring[i]);
    json_object_put(log->totals);
    free(log);
}

/* "PATCH /services/data/v67.0/sobjects/User/{id}": one line of the totals for all users. */
static char *
route_of(const struct call *call)
{
    struct text route = { 0 };

    text_addf(&route, "%s ", call->request->method);
    for (size_t i = 0; i < call->segment_count; i++) {
        const char *segment = call->segments[i];
        text_addf(&route, "/%s",
                  id_shaped(segment) && segment[0] >= '0' && segment[0] <= '9' ? "{id}" : segment);
    }
    return route.data;
}

/* What was asked: the SOQL of a query, a short body of another data call. Never of a token or a
 * password. */
static void
put_question(struct json_object *entry, const struct call *call)
{
    const struct request *request = call->request;

    if (strcmp(fault_kind(call), "query") == 0)
        js_put_text(entry, "soql", call_parameter(call, "q"));
    else if (request->body_bytes && request->body_bytes <= MAX_BODY_KEPT &&
             strncmp(call->path, "/services/oauth2/", 17) != 0 &&
             strcmp(fault_kind(call), "password") != 0)
        js_put(entry, "body", json_object_new_string_len(request->body, (int)request->body_bytes));
}

void
calls_add(struct call_log *log, const struct call *call, int64_t at_ms)
{
    struct json_object *entry = js_object();
    AUTO_FREE char *route = route_of(call);
    struct json_object **slot = &log->ring[log->count % KEPT];

    js_put_int(entry, "seq", (int64_t)++log->count);
    js_put_int(entry, "at_ms", at_ms);
    js_put_text(entry, "kind", fault_kind(call));
    js_put_text(entry, "method", call->request->method);
    js_put_text(entry, "path", call->path);
    js_put_int(entry, "status", call->reply->status);
    js_put_int(entry, "records", call->records);
    js_put_text(entry, "fault", call->fault);
    js_put_flag(entry, "answered", call->reply->delivery == DELIVERY_SEND && !call->late);
    js_put_flag(entry, "late", call->late);
    put_question(entry, call);
    json_object_put(*slot);
    *slot = entry;
    js_put_int(log->totals, route, js_get_int(log->totals, route, 0) + 1);
}

struct json_object *
calls_state(const struct call_log *log)
{
    struct json_object *state = js_object(), *calls = js_array();
    uint64_t first = log->count > KEPT ? log->count - KEPT : 0;

    for (uint64_t i = first; i < log->count; i++)
        js_append(calls, json_object_get(log->ring[i % KEPT]));
    js_put_int(state, "count", (int64_t)log->count);
    js_put(state, "calls", calls);
    js_put(state, "totals", json_object_get(log->totals));
    return state;
}
