/* Rows by an external id (2.7): read, upsert, delete. Decides which fields can be used so: custom ones
 * that are external ids. That Username and FederationIdentifier cannot is the strict reading
 * (unsure). */
#include "tests/org/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ANSWERS_UPDATE_SINCE = 46 /* 2.7: before, an update answers 204 */
};

struct row **
api_external_rows(struct table *table, const struct field_facts *field, const char *value,
                  size_t *ret_count)
{
    AUTO_FREE char *wanted = field_key(field, value);
    struct row **found = text_block(table->count * sizeof(struct row *));
    bool number = field_kind_is_number(field->kind);
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct json_object *held = js_get(table->rows[i]->values, field->name);
        AUTO_FREE char *text = held ? field_key(field, json_object_get_string(held)) : NULL;
        if (text && !table->rows[i]->deleted &&
            (number ? json_object_get_double(held) == strtod(value, NULL)
                    : strcmp(text, wanted) == 0))
            found[count++] = table->rows[i];
    }
    *ret_count = count;
    return found;
}

/* 300: the records' paths. */
static void
answer_choices(struct call *call, struct table *table, struct row **rows, size_t count)
{
    struct json_object *list = js_array();

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *url = text_format("/services/data/%s/sobjects/%s/%s", call->version,
                                          table->facts->name, rows[i]->id);
        js_append(list, js_string(url));
    }
    reply_json(call->reply, 300, list);
}

/* 2.7: neither the Id nor the field of the path stands in the body. */
static bool
check_body(struct call *call, struct table *table, const struct field_facts *field)
{
    const char *names[] = { "Id", field->name };

    if (!call_read_json(call) || !call_check_type(call, table, call->json))
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (!js_get_nocase(call->json, names[i]))
            continue;
        reply_error(call->reply, 400, "INVALID_FIELD",
                    "The %s field should not be specified in the sobject data.", names[i]);
        return false;
    }
    return true;
}

static struct json_object *
external_value(const struct field_facts *field, const char *value)
{
    return field_kind_is_number(field->kind) ? json_object_new_double(strtod(value, NULL))
                                             : js_string(value);
}

static void
answer_upserted(struct call *call, struct table *table, const char *id, bool created)
{
    struct json_object *answer;

    if (created) {
        AUTO_FREE char *location =
            text_format("/services/data/%s/sobjects/%s/%s", call->version, table->facts->name, id);
        reply_header(call->reply, "Location", location);
    }
    if (!created && call->version_number < ANSWERS_UPDATE_SINCE) {
        call->reply->status = 204;
        return;
    }
    answer = api_success(id);
    if (call->version_number >= ANSWERS_UPDATE_SINCE)
        js_put_flag(answer, "created", created);
    reply_json(call->reply, created ? 201 : 200, answer);
}

/* row NULL: there is none of that value. */
static void
upsert(struct call *call, struct table *table, const struct field_facts *field, const char *value,
       struct row *row)
{
    const char *only = call_parameter(call, "updateOnly");
    struct changes own = { 0 };
    struct refusal refusal;
    bool created = !row;

    if (created && only && strcmp(only, "true") == 0) {
        reply_not_found(call->reply);
        return;
    }
    if (!check_body(call, table, field))
        return;
    if (created)
        js_put(call->json, field->name, external_value(field, value));
    call->records = 1;
    if (!api_write_record(call, table, row, call->json, &row, call_changes(call, &own), &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&own);
    answer_upserted(call, table, row->id, created);
}

static void
delete_found(struct call *call, struct table *table, struct row *row)
{
    struct changes own = { 0 };
    struct refusal refusal;

    if (!api_write_record(call, table, row, NULL, NULL, call_changes(call, &own), &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    changes_free(&own);
    call->reply->status = 204;
}

void
api_external(struct call *call, struct table *table)
{
    const char *name = call->segments[API_ROOT + 2], *value = call->segments[API_ROOT + 3];
    const struct field_facts *field = org_field(call->org, table->facts, name);
    bool deletable = (table->facts->flags & CAN_DELETE) != 0;
    AUTO_FREE struct row **rows = NULL;
    size_t count;

    if (!field || !(field->flags & FIELD_EXTERNAL_ID) || !*value) {
        reply_error(call->reply, 404, "NOT_FOUND",
                    "Provided external ID field does not exist or is not accessible: %s", name);
        return;
    }
    rows = api_external_rows(table, field, value, &count);
    if (count > 1)
        answer_choices(call, table, rows, count);
    else if (call_method_is(call, "PATCH"))
        upsert(call, table, field, value, count ? rows[0] : NULL);
    else if (!call_method_is(call, "GET") && !(call_method_is(call, "DELETE") && deletable))
        reply_not_allowed(call->reply, call->request->method,
                          deletable ? "DELETE,HEAD,GET,PATCH" : "HEAD,GET,PATCH");
    else if (count == 0)
        reply_not_found(call->reply);
    else if (call_method_is(call, "GET"))
        api_read_row(call, rows[0]);
    else
        delete_found(call, table, rows[0]);
}
