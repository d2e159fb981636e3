/* Single rows: describe, create, read, update (2.5, 2.6). Decides what the paths under /sobjects
 * are; the rules of a user are left to user_rules.c. */
#include "tests/org/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/faults.h"

bool
write_record(struct call *call, struct row *row, struct json_object *record, struct row **ret,
             struct changes *changes, struct refusal *refusal)
{
    if (faults_refuse_record(call->org, call, row, record, refusal))
        return false;
    if (row)
        return user_update(row, record, call->org->execution_user, changes, refusal);
    return user_create(call->org, record, call->org->execution_user, ret, changes, refusal);
}

/* A record may name its type; another one than the path's is refused (code unsure). */
static bool
check_type(struct call *call, const struct object_facts *facts)
{
    struct json_object *attributes = js_get(call->json, "attributes");
    const char *type = js_get_text(attributes, "type");

    if (!type || strcasecmp(type, facts->name) == 0)
        return true;
    reply_error(call->reply, 400, "INVALID_TYPE", "sObject type '%s' does not match '%s'", type,
                facts->name);
    return false;
}

static void
create_row(struct call *call, struct table *table)
{
    struct changes changes = { 0 };
    struct refusal refusal;
    struct row *row = NULL;
    struct json_object *answer;

    if (!table->facts->writable) {
        reply_error(call->reply, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                    "entity type cannot be inserted: %s", table->facts->label);
        return;
    }
    if (!call_read_json(call) || !check_type(call, table->facts))
        return;
    call->records = 1;
    if (!write_record(call, NULL, call->json, &row, &changes, &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&changes);
    AUTO_FREE char *location =
        text_format("/services/data/%s/sobjects/%s/%s", call->version, table->facts->name, row->id);
    reply_header(call->reply, "Location", location);
    answer = js_object();
    js_put_text(answer, "id", row->id);
    js_put_flag(answer, "success", true);
    js_put(answer, "errors", js_array());
    reply_json(call->reply, 201, answer);
}

static void
update_row(struct call *call, struct row *row)
{
    struct changes changes = { 0 };
    struct refusal refusal;

    if (!row->table->facts->writable) {
        reply_error(call->reply, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                    "entity type cannot be updated: %s", row->table->facts->label);
        return;
    }
    if (!call_read_json(call) || !check_type(call, row->table->facts))
        return;
    call->records = 1;
    if (js_get_nocase(call->json, "Id")) {
        /* 2.5: an error, text unsure */
        reply_error(call->reply, 400, "INVALID_FIELD",
                    "The Id field should not be specified in the sobject data.");
        return;
    }
    if (!write_record(call, row, call->json, NULL, &changes, &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&changes);
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

static void
read_row(struct call *call, struct row *row)
{
    const char *fields = call_parameter(call, "fields");

    call->records = 1;
    if (fields)
        read_fields(call, row, fields);
    else
        reply_json(call->reply, 200, row_record(row, call->version));
}

/* 2.5 and 6.2: a segment that is no id is taken for an external id field. */
static struct row *
row_of_path(struct call *call, struct table *table, const char *segment)
{
    char id[ID_SIZE];
    struct row *row;

    if (!id_shaped(segment) || strncmp(segment, table->facts->prefix, 3) != 0) {
        reply_error(call->reply, 404, "NOT_FOUND",
                    "Provided external ID field does not exist or is not accessible: %s", segment);
        return NULL;
    }
    if (!id_normalise(segment, id)) {
        reply_error(call->reply, 400, "MALFORMED_ID", "malformed id %s", segment);
        return NULL;
    }
    row = table_find(table, id);
    if (!row)
        reply_not_found(call->reply);
    return row;
}

static void
answer_row(struct call *call, struct table *table)
{
    struct row *row = row_of_path(call, table, call->segments[API_ROOT + 2]);

    if (!row)
        return;
    if (call_method_is(call, "GET"))
        read_row(call, row);
    else if (call_method_is(call, "PATCH"))
        update_row(call, row);
    else /* 3.7: that DELETE of a User answers 405 is our choice; a PUT does (2.5) */
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET,PATCH");
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
        js_put(answer, "objectDescribe", describe_summary(table->facts, call->version));
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
        js_append(list, describe_summary(&objects[i], call->version));
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

    if (count == 1 && call_method_is(call, "GET"))
        answer_objects(call);
    else if (count == 1)
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
    else if (!table || count > 3)
        reply_not_found(call->reply);
    else if (count == 2)
        answer_object(call, table);
    else if (strcmp(call->segments[API_ROOT + 2], "describe") == 0)
        answer_describe(call, table);
    else
        answer_row(call, table);
}
