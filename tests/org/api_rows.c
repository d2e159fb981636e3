/* Single rows: describe, create, read, update, delete (2.5, 2.6). Decides what the paths under
 * /sobjects are; rules are left to rules.c, external ids to api_external.c. */
#include "tests/org/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/faults.h"

bool
api_write_record(struct call *call, struct table *table, struct row *row,
                 struct json_object *record, struct row **ret, struct changes *changes,
                 struct refusal *refusal)
{
    const char *by = call->user ? call->user->id : call->org->execution_user;

    if (call->met_lock) {
        refuse(refusal, 400, "UNABLE_TO_LOCK_ROW", "", "%s",
               "unable to obtain exclusive access to this record");
        return false;
    }
    if (faults_refuse_record(call->org, call, row, record, refusal))
        return false;
    if (!record)
        return record_delete(row, changes, refusal);
    if (row)
        return record_update(row, record, by, changes, refusal);
    return record_create(call->org, table->facts, record, by, ret, changes, refusal);
}

struct changes *
call_changes(struct call *call, struct changes *own)
{
    return call->transaction ? call->transaction : own;
}

/* A record may name its type; another one than the path's is refused (code unsure). */
bool
call_check_type(struct call *call, struct table *table, struct json_object *record)
{
    const char *type = js_get_text(js_get(record, "attributes"), "type");

    if (!type || strcasecmp(type, table->facts->name) == 0)
        return true;
    reply_error(call->reply, 400, "INVALID_TYPE", "sObject type '%s' does not match '%s'", type,
                table->facts->name);
    return false;
}

struct json_object *
api_success(const char *id)
{
    struct json_object *answer = js_object();

    js_put_text(answer, "id", id);
    js_put_flag(answer, "success", true);
    js_put(answer, "errors", js_array());
    return answer;
}

/* Whether the object has this call at all; asked before the body is read. */
static bool
has_call(struct call *call, struct table *table, unsigned which)
{
    struct refusal refusal;

    if (record_call_check(table->facts, which, &refusal))
        return true;
    reply_refusal(call->reply, &refusal);
    return false;
}

static void
create_row(struct call *call, struct table *table)
{
    struct changes own = { 0 };
    struct refusal refusal;
    struct row *row = NULL;

    if (!has_call(call, table, CAN_CREATE) || !call_read_json(call) ||
        !call_check_type(call, table, call->json))
        return;
    call->records = 1;
    if (!api_write_record(call, table, NULL, call->json, &row, call_changes(call, &own),
                          &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&own);
    AUTO_FREE char *location =
        text_format("/services/data/%s/sobjects/%s/%s", call->version, table->facts->name, row->id);
    reply_header(call->reply, "Location", location);
    reply_json(call->reply, 201, api_success(row->id));
}

static void
update_row(struct call *call, struct row *row)
{
    struct changes own = { 0 };
    struct refusal refusal;

    if (!has_call(call, row->table, CAN_UPDATE) || !call_read_json(call) ||
        !call_check_type(call, row->table, call->json))
        return;
    call->records = 1;
    if (js_get_nocase(call->json, "Id")) {
        /* 2.5: an error, text unsure */
        reply_error(call->reply, 400, "INVALID_FIELD",
                    "The Id field should not be specified in the sobject data.");
        return;
    }
    if (!api_write_record(call, row->table, row, call->json, NULL, call_changes(call, &own),
                          &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&own);
    call->reply->status = 204;
}

static void
delete_row(struct call *call, struct row *row)
{
    struct changes own = { 0 };
    struct refusal refusal;

    call->records = 1;
    if (!api_write_record(call, row->table, row, NULL, NULL, call_changes(call, &own), &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&own);
    call->reply->status = 204;
}

/* ?fields=Id,Username; names as the client wrote them find the field, answers carry its own. */
static void
read_fields(struct call *call, struct row *row, const char *list)
{
    AUTO_JS struct json_object *record = js_object();
    AUTO_FREE char *names = text_copy(list);
    char *rest = names, *name;

    row_put_attributes(record, row->table->facts->name, row->id, call->version);
    while ((name = strsep(&rest, ","))) {
        const struct field_facts *field = org_field(row->org, row->table->facts, name);
        if (!field) {
            reply_error(call->reply, 400, "INVALID_FIELD",
                        "No such column '%s' on entity '%s'. If you are attempting to use a custom "
                        "field, be sure to append the '__c' after the custom field name. Please "
                        "reference your WSDL or the describe call for the appropriate names.",
                        name, row->table->facts->name);
            return;
        }
        js_put(record, field->name, row_value(row, field));
    }
    js_put_text(record, "Id", row->id);
    reply_json(call->reply, 200, STEAL(record));
}

void
api_read_row(struct call *call, struct row *row)
{
    const char *fields = call_parameter(call, "fields");

    call->records = 1;
    if (fields)
        read_fields(call, row, fields);
    else
        reply_json(call->reply, 200, row_record(row, call->version));
}

struct row *
api_row_named(struct call *call, struct table *table, const char *text)
{
    char id[ID_SIZE];
    struct row *row;

    if (!id_normalise(text, id)) {
        reply_error(call->reply, 400, "MALFORMED_ID", "malformed id %s", text);
        return NULL;
    }
    row = table_find_any(table, id);
    if (!row)
        reply_not_found(call->reply);
    else if (row->deleted) /* 5.3, 6.2 */
        reply_error(call->reply, 404, "ENTITY_IS_DELETED", "entity is deleted");
    return row && !row->deleted ? row : NULL;
}

/* 2.5 and 6.2: a segment that is no id is taken for an external id field. */
static struct row *
row_of_path(struct call *call, struct table *table, const char *segment)
{
    if (id_shaped(segment) && strncmp(segment, table->facts->prefix, 3) == 0)
        return api_row_named(call, table, segment);
    reply_error(call->reply, 404, "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: %s", segment);
    return NULL;
}

static void
answer_row(struct call *call, struct table *table)
{
    struct row *row = row_of_path(call, table, call->segments[API_ROOT + 2]);
    bool deletable = (table->facts->flags & CAN_DELETE) != 0;

    if (!row)
        return;
    if (call_method_is(call, "GET"))
        api_read_row(call, row);
    else if (call_method_is(call, "PATCH"))
        update_row(call, row);
    else if (call_method_is(call, "DELETE") && deletable)
        delete_row(call, row);
    else /* 3.7: that DELETE of a User answers 405 is our choice; a PUT does (2.5) */
        reply_not_allowed(call->reply, call->request->method,
                          deletable ? "DELETE,HEAD,GET,PATCH" : "HEAD,GET,PATCH");
}

/* Two segments behind the object: a user's password, POST .../Id to insert (2.7), or an external id
 * and its value. */
static void
answer_below_row(struct call *call, struct table *table)
{
    const char *first = call->segments[API_ROOT + 2], *second = call->segments[API_ROOT + 3];
    struct row *row;

    if (object_is(table->facts, OBJECT_USER) && strcmp(second, "password") == 0 &&
        id_shaped(first) && strncmp(first, table->facts->prefix, 3) == 0) {
        row = api_row_named(call, table, first);
        if (row)
            api_password(call, row);
    } else {
        api_external(call, table);
    }
}

/* 2.1: describe carries an ETag and honours If-None-Match. */
static void
answer_describe(struct call *call, struct table *table)
{
    AUTO_FREE char *tag =
        text_format("\"%llx-%s\"", (unsigned long long)call->org->schema_changed_ms, call->version);

    if (!call_method_is(call, "GET")) {
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
        return;
    }
    reply_header(call->reply, "ETag", tag);
    if (call->request->if_none_match && strcmp(call->request->if_none_match, tag) == 0)
        call->reply->status = 304;
    else
        reply_json(call->reply, 200, describe_object(call->org, table->facts, call->version));
}

static void
answer_object(struct call *call, struct table *table)
{
    struct json_object *answer;

    if (call_method_is(call, "POST")) {
        create_row(call, table);
    } else if (call_method_is(call, "GET")) {
        answer = js_object();
        js_put(answer, "objectDescribe", describe_summary(call->org, table->facts, call->version));
        js_put(answer, "recentItems", js_array());
        reply_json(call->reply, 200, answer);
    } else {
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET,POST");
    }
}

static void
answer_objects(struct call *call)
{
    struct json_object *answer = js_object(), *list = js_array();

    for (size_t i = 0; i < OBJECT_COUNT; i++)
        if (org_has_object(call->org, &objects[i]))
            js_append(list, describe_summary(call->org, &objects[i], call->version));
    js_put_text(answer, "encoding", "UTF-8");
    js_put_int(answer, "maxBatchSize", 200);
    js_put(answer, "sobjects", list);
    reply_json(call->reply, 200, answer);
}

void
api_sobjects(struct call *call)
{
    size_t count = call->segment_count - API_ROOT;
    struct table *table = count > 1 ? org_table(call->org, call->segments[API_ROOT + 1]) : NULL;
    const char *third = count > 2 ? call->segments[API_ROOT + 2] : "";

    if (count == 1 && call_method_is(call, "GET"))
        answer_objects(call);
    else if (count == 1)
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
    else if (!table || count > 4)
        reply_not_found(call->reply);
    else if (count == 2)
        answer_object(call, table);
    else if (count == 4)
        answer_below_row(call, table);
    else if (strcmp(third, "describe") == 0)
        answer_describe(call, table);
    else if (strcasecmp(third, "Id") == 0 && call_method_is(call, "POST")) /* 2.7, since v37 */
        create_row(call, table);
    else
        answer_row(call, table);
}
