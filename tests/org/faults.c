/* Faults on command: which call or record a fault meets, and how often. What a fault then does to a
 * call is left to exchange.c. Faults are tried in the order in which they were given; one meets a
 * call at most. */
#include "tests/org/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/api.h"
#include "tests/org/json_read.h"

struct fault_list {
    struct fault *list;
    size_t count;
};

static const struct {
    const char *name;
    enum fault_action action;
} actions[] = {
    { "status", FAULT_STATUS },
    { "drop_before", FAULT_DROP_BEFORE },
    { "drop_after", FAULT_DROP_AFTER },
    { "late", FAULT_LATE },
    { "delay", FAULT_DELAY },
    { "slow", FAULT_SLOW },
    { "garbage", FAULT_GARBAGE },
    { "cut", FAULT_CUT },
    { "short_array", FAULT_SHORT_ARRAY },
    { "long_array", FAULT_LONG_ARRAY },
    { "swap_array", FAULT_SWAP_ARRAY },
    { "refuse_record", FAULT_REFUSE_RECORD },
    { "refuse_call_with", FAULT_REFUSE_CALL },
};

struct fault_list *
faults_new(void)
{
    return text_block(sizeof(struct fault_list));
}

void
fault_clear(struct fault *fault)
{
    free(fault->on);
    free(fault->action_name);
    free(fault->body);
    free(fault->code);
    free(fault->message);
    free(fault->fields);
    json_object_put(fault->match);
    json_object_put(fault->headers);
    *fault = (struct fault){ 0 };
}

void
faults_free(struct fault_list *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fault_clear(&faults->list[i]);
    free(faults->list);
    free(faults);
}

/* ---- reading ---- */

static char *
copy_or_null(const char *text)
{
    return text ? text_copy(text) : NULL;
}

static char *
body_of(struct json_object *description)
{
    struct json_object *body = js_get(description, "body");

    if (!body)
        return NULL;
    return json_object_is_type(body, json_type_string) ? text_copy(json_object_get_string(body))
                                                       : js_text(body);
}

static const char *
unknown_member(struct json_object *description)
{
    static const char *const known[] = { "on",        "times",   "skip",     "do",    "status",
                                         "body",      "headers", "delay_ms", "match", "statusCode",
                                         "errorCode", "message", "commit",   "fields" };

    json_object_object_foreach(description, name, value)
    {
        bool found = false;
        (void)value;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || strcmp(known[i], name) == 0;
        if (!found)
            return name;
    }
    return NULL;
}

static enum fault_action
action_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0)
            return actions[i].action;
    }
    return FAULT_NONE;
}

bool
fault_add(struct fault_list *faults, struct json_object *description, char **ret_reason)
{
    const char *name = js_get_text(description, "do"), *on = js_get_text(description, "on");
    const char *code = js_get_text(description, "errorCode"), *unknown;
    enum fault_action action = action_of(name);
    struct fault *fault;

    if (!json_object_is_type(description, json_type_object) || action == FAULT_NONE) {
        *ret_reason = text_format("'do' is '%s', which is no fault", name ? name : "");
        return false;
    }
    if (js_get(description, "match") &&
        !json_object_is_type(js_get(description, "match"), json_type_object)) {
        *ret_reason = text_copy("'match' is an object of field to value");
        return false;
    }
    unknown = unknown_member(description);
    if (unknown) {
        *ret_reason = text_format("a fault has no member '%s'", unknown);
        return false;
    }
    faults->list = text_resize(faults->list, (faults->count + 1) * sizeof(*faults->list));
    fault = &faults->list[faults->count++];
    *fault = (struct fault){
        .on = text_copy(on ? on : "any"),
        /* to test bisecting, a call stays refused as long as the record is in it */
        .times = js_get_int(description, "times", action == FAULT_REFUSE_CALL ? -1 : 1),
        .skip = js_get_int(description, "skip", 0),
        .action = action,
        .action_name = text_copy(name),
        .match = json_object_get(js_get(description, "match")),
        .status = (int)js_get_int(description, "status", action == FAULT_STATUS ? 503 : 400),
        .body = body_of(description),
        .code = copy_or_null(code ? code : js_get_text(description, "statusCode")),
        .message = copy_or_null(js_get_text(description, "message")),
        .fields = copy_or_null(js_get_text(description, "fields")),
        .headers = json_object_get(js_get(description, "headers")),
        .delay_ms = js_get_int(description, "delay_ms", 1000),
        .commit = js_get_flag(description, "commit", false),
    };
    return true;
}

struct json_object *
faults_state(struct fault_list *faults)
{
    struct json_object *list = js_array();

    for (size_t i = 0; i < faults->count; i++) {
        struct json_object *entry = js_object();
        js_put_text(entry, "do", faults->list[i].action_name);
        js_put_text(entry, "on", faults->list[i].on);
        js_put_int(entry, "times", faults->list[i].times);
        js_put_int(entry, "skip", faults->list[i].skip);
        js_put(entry, "match", json_object_get(faults->list[i].match));
        js_append(list, entry);
    }
    return list;
}

/* ---- which calls ---- */

/* Collections by what they do; "composite" for the calls that hold others. */
static const char *
composite_kind(const struct call *call)
{
    const char *part = call->segment_count > API_ROOT + 1 ? call->segments[API_ROOT + 1] : "";
    const char *method = call->request->method;
    bool lists = call->segment_count == API_ROOT + 3; /* reads by a list of ids */

    if (strcmp(part, "sobjects") != 0)
        return "composite";
    return strcmp(method, "POST") == 0 && !lists ? "collections_create"
           : strcmp(method, "PATCH") == 0        ? "collections_update"
           : strcmp(method, "DELETE") == 0       ? "collections_delete"
                                                 : "collections_get";
}

static const char *
data_kind(const struct call *call)
{
    size_t count = call->segment_count;
    const char *resource = count > API_ROOT ? call->segments[API_ROOT] : "";
    const char *method = call->request->method;

    if (strcmp(resource, "composite") == 0)
        return composite_kind(call);
    if (strcmp(resource, "query") == 0 || strcmp(resource, "queryAll") == 0)
        return "query";
    if (strcmp(resource, "limits") == 0)
        return "limits";
    if (strcmp(resource, "sobjects") != 0)
        return "other";
    if (strcmp(call->segments[count - 1], "describe") == 0)
        return "describe";
    if (count == API_ROOT + 4 && strcmp(call->segments[count - 1], "password") == 0)
        return "password";
    return strcmp(method, "POST") == 0     ? "create"
           : strcmp(method, "PATCH") == 0  ? "update"
           : strcmp(method, "DELETE") == 0 ? "delete"
                                           : "get";
}

const char *
fault_kind(const struct call *call)
{
    if (call->segment_count < 2 || strcmp(call->segments[0], "services") != 0)
        return "other";
    if (strcmp(call->segments[1], "oauth2") == 0)
        return call->segment_count == 3 && strcmp(call->segments[2], "token") == 0 ? "token"
                                                                                   : "userinfo";
    if (strcmp(call->segments[1], "data") != 0)
        return "other";
    return call->segment_count == 2 ? "versions" : data_kind(call);
}

static bool
kind_matches(const char *on, const char *kind)
{
    bool collections = strncmp(kind, "collections_", 12) == 0 && strcmp(kind + 12, "get") != 0;
    bool write = collections || strcmp(kind, "create") == 0 || strcmp(kind, "update") == 0 ||
                 strcmp(kind, "delete") == 0 || strcmp(kind, "composite") == 0 ||
                 strcmp(kind, "password") == 0;

    return strcmp(on, "any") == 0 || strcmp(on, kind) == 0 ||
           (strcmp(on, "collections") == 0 && collections) || (strcmp(on, "write") == 0 && write);
}

/* ---- which records ---- */

static bool
value_matches(struct json_object *value, struct json_object *wanted)
{
    if (!value || !wanted)
        return value == wanted;
    return strcasecmp(json_object_get_string(value), json_object_get_string(wanted)) == 0;
}

/* Each member of match holds in the record as sent, or else in the row as it is. */
static bool
record_matches(struct json_object *match, struct row *row, struct json_object *record)
{
    if (!match)
        return true;
    json_object_object_foreach(match, name, wanted)
    {
        struct json_object *value = js_get_nocase(record, name);
        if (value_matches(value, wanted))
            continue;
        if (!row || !value_matches(js_get_nocase(row->values, name), wanted))
            return false;
    }
    return true;
}

static struct row *
row_of_id(struct org *org, const char *id_text)
{
    char id[ID_SIZE];
    struct table *table = id_text && id_normalise(id_text, id) ? org_table_of_id(org, id) : NULL;

    return table ? table_find(table, id) : NULL;
}

/* Any record of the call; a body that cannot be read matches nothing. */
static bool
call_matches(struct org *org, struct call *call, struct json_object *match)
{
    AUTO_JS struct json_object *body = NULL;
    struct json_object *records;
    struct json_fault ignored;
    const char *id = call->segment_count == API_ROOT + 3 ? call->segments[API_ROOT + 2] : NULL;

    if (!match)
        return true;
    if (!call->request->body_bytes ||
        !json_read(call->request->body, call->request->body_bytes, &body, &ignored))
        return false;
    records = js_get(body, "records");
    if (!json_object_is_type(records, json_type_array))
        return record_matches(match, row_of_id(org, id), body);
    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        struct json_object *record_id = js_get_nocase(record, "Id");
        if (record_matches(match,
                           row_of_id(org, record_id ? json_object_get_string(record_id) : NULL),
                           record))
            return true;
    }
    return false;
}

/* ---- taking one ---- */

/* Whether the fault meets now; counts it. */
static bool
is_due(struct fault *fault)
{
    if (fault->skip > 0) {
        fault->skip--;
        return false;
    }
    if (fault->times == 0)
        return false;
    if (fault->times > 0)
        fault->times--;
    return true;
}

static void
copy_fault(const struct fault *from, struct fault *to)
{
    *to = *from;
    to->on = text_copy(from->on);
    to->action_name = text_copy(from->action_name);
    to->body = copy_or_null(from->body);
    to->code = copy_or_null(from->code);
    to->message = copy_or_null(from->message);
    to->fields = copy_or_null(from->fields);
    json_object_get(to->match);
    json_object_get(to->headers);
}

bool
faults_take(struct org *org, struct call *call, struct fault *ret)
{
    const char *kind = fault_kind(call);

    for (size_t i = 0; i < org->faults->count; i++) {
        struct fault *fault = &org->faults->list[i];
        if (fault->action == FAULT_REFUSE_RECORD || fault->times == 0 ||
            !kind_matches(fault->on, kind) || !call_matches(org, call, fault->match) ||
            !is_due(fault))
            continue;
        copy_fault(fault, ret);
        return true;
    }
    return false;
}

bool
faults_refuse_record(struct org *org, struct call *call, struct row *row,
                     struct json_object *record, struct refusal *refusal)
{
    const char *kind = fault_kind(call);

    for (size_t i = 0; i < org->faults->count; i++) {
        struct fault *fault = &org->faults->list[i];
        if (fault->action != FAULT_REFUSE_RECORD || fault->times == 0 ||
            !kind_matches(fault->on, kind) || !record_matches(fault->match, row, record) ||
            !is_due(fault))
            continue;
        call->fault = "refuse_record";
        refuse(refusal, fault->status, fault->code ? fault->code : "UNABLE_TO_LOCK_ROW",
               fault->fields ? fault->fields : "", "%s",
               fault->message ? fault->message
                              : "unable to obtain exclusive access to this record");
        return true;
    }
    return false;
}
