/* sObject Collections of users (4.1): create, update, retrieve. Decides what is refused for the
 * whole call, what per record, and what allOrNone takes back; the rules of a user are left to
 * user_rules.c. */
#include "tests/org/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_RECORDS = 200,
    MAX_CHUNKS = 10,
    MAX_IDS = 2000
};

struct collection {
    struct call *call;
    struct json_object *records;
    bool all_or_none, update, failed;
    struct changes changes;
    char ids[MAX_RECORDS][ID_SIZE]; /* of rows created or updated, "" for a failed record */
    struct refusal *refusals;       /* one a record */
};

/* ---- the call as a whole ---- */

static bool
check_members(struct call *call)
{
    json_object_object_foreach(call->json, name, value)
    {
        (void)value;
        if (strcmp(name, "allOrNone") != 0 && strcmp(name, "records") != 0) {
            reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                        "Unrecognized field \"%s\" at [line:1, column:1]", name);
            return false;
        }
    }
    if (js_get(call->json, "allOrNone") &&
        !json_object_is_type(js_get(call->json, "allOrNone"), json_type_boolean)) {
        reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                    "Cannot deserialize instance of boolean from allOrNone at [line:1, column:1]");
        return false;
    }
    return true;
}

static bool
check_count(struct call *call, struct json_object *records)
{
    size_t count =
        json_object_is_type(records, json_type_array) ? json_object_array_length(records) : 0;

    if (count == 0) {
        reply_error(call->reply, 400, "REQUIRED_FIELD_MISSING", "At least 1 record is required");
        return false;
    }
    if (count > MAX_RECORDS) {
        /* text from a public report of this error */
        reply_error(call->reply, 400, "EXCEEDED_ID_LIMIT",
                    "record limit reached. cannot submit more than %d records into this call",
                    MAX_RECORDS);
        return false;
    }
    return true;
}

static const char *
type_of(struct json_object *record)
{
    return js_get_text(js_get(record, "attributes"), "type");
}

/* At most ten runs of one type; a User, being a setup object, never with another type (4.1). The
 * codes and texts are unsure. */
static bool
check_types(struct call *call, struct json_object *records)
{
    const char *before = NULL;
    size_t chunks = 0;
    bool users = false, others = false;

    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        const char *type = type_of(record);
        if (!json_object_is_type(record, json_type_object) || !type) {
            reply_error(call->reply, 400, "INVALID_TYPE",
                        "attributes.type is required in record %zu", i);
            return false;
        }
        if (!org_table(call->org, type)) {
            reply_error(call->reply, 400, "INVALID_TYPE", "sObject type '%s' is not supported.",
                        type);
            return false;
        }
        chunks += !before || strcasecmp(before, type) != 0;
        users = users || strcasecmp(type, "User") == 0;
        others = others || strcasecmp(type, "User") != 0;
        before = type;
    }
    if (chunks > MAX_CHUNKS || (users && others)) {
        reply_error(call->reply, 400, chunks > MAX_CHUNKS ? "LIMIT_EXCEEDED" : "INVALID_INPUT",
                    chunks > MAX_CHUNKS ? "more than 10 chunks of records of one type"
                                        : "User cannot be written together with another type");
        return false;
    }
    return true;
}

/* Faults of the body itself refuse the whole call; that an unknown field is one of them follows
 * from its words, which are the parser's (unsure). */
static bool
check_readable(struct call *call, struct json_object *records)
{
    struct refusal refusal;

    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        if (strcasecmp(type_of(record), "User") == 0 &&
            !user_read_check(call->org, record, &refusal)) {
            reply_refusal(call->reply, &refusal);
            return false;
        }
    }
    return true;
}

/* ---- one record ---- */

static bool
was_updated(const struct collection *collection, size_t before, const char *id)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(collection->ids[i], id) == 0)
            return true;
    }
    return false;
}

/* The row a record of an update names, or a refusal. */
static struct row *
row_of(struct collection *collection, size_t index, struct json_object *record)
{
    struct refusal *refusal = &collection->refusals[index];
    struct json_object *value = js_get_nocase(record, "Id");
    const char *text = value ? json_object_get_string(value) : "";
    struct row *row;
    char id[ID_SIZE];

    if (!*text) {
        refuse(refusal, 400, "MISSING_ARGUMENT", "Id", "Id not specified in an update call");
        return NULL;
    }
    if (!id_normalise(text, id) || strncmp(id, objects[OBJECT_USER].prefix, 3) != 0) {
        refuse(refusal, 400, "MALFORMED_ID", "Id", "malformed id %s", text);
        return NULL;
    }
    if (was_updated(collection, index, id)) {
        /* one row twice in a call: code and text unsure */
        refuse(refusal, 400, "DUPLICATE_VALUE", "Id", "Duplicate id in list: %s", id);
        return NULL;
    }
    row = org_find(collection->call->org, "User", id);
    if (!row) /* code for a row that is not there: unsure */
        refuse(refusal, 404, "INVALID_CROSS_REFERENCE_KEY", "", "invalid cross reference id");
    return row;
}

static bool
write_one(struct collection *collection, size_t index)
{
    struct json_object *record = json_object_array_get_idx(collection->records, index);
    struct refusal *refusal = &collection->refusals[index];
    struct row *row = NULL;

    if (strcasecmp(type_of(record), "User") != 0)
        return refuse(refusal, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "",
                      "entity type cannot be %s: %s", collection->update ? "updated" : "inserted",
                      type_of(record));
    if (collection->update && !(row = row_of(collection, index, record)))
        return false;
    if (!write_record(collection->call, row, record, &row, &collection->changes, refusal))
        return false;
    memcpy(collection->ids[index], row->id, ID_SIZE);
    return true;
}

/* ---- the answer ---- */

static struct json_object *
errors_of(const struct refusal *refusal)
{
    struct json_object *errors = js_array(), *error = js_object(), *fields = js_array();
    AUTO_FREE char *names = text_copy(refusal->fields);
    char *rest = names, *name;

    while ((name = strsep(&rest, ",")) && *name)
        js_append(fields, js_string(name));
    js_put_text(error, "statusCode", refusal->code);
    js_put_text(error, "message", refusal->message);
    js_put(error, "fields", fields);
    js_append(errors, error);
    return errors;
}

/* A failed record has no id (4.1: "may have no id"). */
static struct json_object *
result_of(const struct collection *collection, size_t index)
{
    struct json_object *result = js_object();
    bool written = *collection->ids[index] != '\0';

    if (written && !(collection->all_or_none && collection->failed)) {
        js_put_text(result, "id", collection->ids[index]);
        js_put_flag(result, "success", true);
        js_put(result, "errors", js_array());
        return result;
    }
    if (written)
        refuse(&collection->refusals[index], 400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "",
               "Record rolled back because not all records were valid and the request was using "
               "AllOrNone header");
    js_put_flag(result, "success", false);
    js_put(result, "errors", errors_of(&collection->refusals[index]));
    return result;
}

static void
write_records(struct call *call, bool update)
{
    AUTO_FREE struct collection *collection = text_block(sizeof(*collection));
    AUTO_FREE struct refusal *refusals = NULL;
    struct json_object *records = js_get(call->json, "records"), *results;
    size_t count;

    if (!check_members(call) || !check_count(call, records) || !check_types(call, records) ||
        !check_readable(call, records))
        return;
    count = json_object_array_length(records);
    refusals = text_block(count * sizeof(*refusals));
    collection->call = call;
    collection->records = records;
    collection->update = update;
    collection->refusals = refusals;
    collection->all_or_none = js_get_flag(call->json, "allOrNone", false);
    call->records = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!write_one(collection, i))
            collection->failed = true;
    }
    if (collection->failed && collection->all_or_none)
        changes_roll_back(&collection->changes);
    changes_free(&collection->changes);
    results = js_array();
    for (size_t i = 0; i < count; i++)
        js_append(results, result_of(collection, i));
    reply_json(call->reply, 200, results);
}

/* ---- retrieve ---- */

static bool
put_fields(struct call *call, struct row *row, const char *list, struct json_object *record)
{
    AUTO_FREE char *names = text_copy(list);
    char *rest = names, *name;

    while ((name = strsep(&rest, ","))) {
        const struct field_facts *field = org_field(call->org, &objects[OBJECT_USER], name);
        if (!field) {
            reply_error(call->reply, 400, "INVALID_FIELD",
                        "No such column '%s' on sobject of type User", name);
            return false;
        }
        if (row)
            js_put(record, field->name, row_value(row, field));
    }
    return true;
}

/* A row that is not there is null in the answer (unsure). */
static void
read_records(struct call *call)
{
    const char *ids = call_parameter(call, "ids"), *fields = call_parameter(call, "fields");
    AUTO_JS struct json_object *list = js_array();
    AUTO_FREE char *copy = NULL;
    char *rest, *text, id[ID_SIZE];

    if (!ids || !*ids || !fields || !*fields) {
        reply_error(call->reply, 400, "MISSING_ARGUMENT", "ids and fields are required");
        return;
    }
    copy = text_copy(ids);
    rest = copy;
    while ((text = strsep(&rest, ","))) {
        AUTO_JS struct json_object *record = js_object();
        struct row *row;
        if (!id_normalise(text, id)) {
            reply_error(call->reply, 400, "MALFORMED_ID", "malformed id %s", text);
            return;
        }
        row = org_find(call->org, "User", id);
        if (row)
            row_put_attributes(record, "User", row->id, call->version);
        if (!put_fields(call, row, fields, record))
            return;
        js_append(list, row ? STEAL(record) : NULL);
    }
    call->records = (int64_t)json_object_array_length(list);
    if (call->records > MAX_IDS)
        reply_error(call->reply, 400, "EXCEEDED_ID_LIMIT", "more than %d ids", MAX_IDS);
    else
        reply_json(call->reply, 200, STEAL(list));
}

void
api_collections(struct call *call)
{
    size_t count = call->segment_count - API_ROOT;

    if (count == 3 && strcasecmp(call->segments[API_ROOT + 2], "User") == 0) {
        if (call_method_is(call, "GET"))
            read_records(call);
        else
            reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
    } else if (count != 2) {
        reply_not_found(call->reply);
    } else if (call_method_is(call, "POST") || call_method_is(call, "PATCH")) {
        if (call_read_json(call))
            write_records(call, call_method_is(call, "PATCH"));
    } else { /* users cannot be deleted (3.1) */
        reply_not_allowed(call->reply, call->request->method, "PATCH,POST");
    }
}
