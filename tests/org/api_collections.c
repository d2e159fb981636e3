/* sObject Collections (4.1): create, update, upsert, retrieve, delete. Decides what is refused for the
 * whole call, what per record, and what allOrNone takes back; the rules of a record are left to
 * rules.c. */
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

enum what {
    WHAT_CREATE,
    WHAT_UPDATE,
    WHAT_UPSERT,
    WHAT_DELETE
};

struct collection {
    struct call *call;
    struct json_object *records; /* of a deletion: ids */
    enum what what;
    const struct field_facts *external; /* of an upsert; NULL: by Id */
    bool all_or_none, failed;
    struct changes own, *changes;
    size_t kept;                    /* changes that were there before */
    char ids[MAX_RECORDS][ID_SIZE]; /* of rows written, "" for a failed record */
    bool created[MAX_RECORDS];
    struct refusal *refusals; /* one a record */
};

/* ---- the call as a whole ---- */

static bool
check_call(struct call *call)
{
    static const char *const members[] = { "allOrNone", "records", NULL };
    bool ignored;

    return call_check_members(call, call->json, members) &&
           call_read_flag(call, call->json, "allOrNone", false, &ignored);
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

/* The tables of a call's records, looked at as one. */
struct mixture {
    const struct object_facts *before;
    size_t chunks;
    bool setup, others, several;
};

static void
add_type(struct mixture *mixture, const struct object_facts *facts)
{
    mixture->chunks += mixture->before != facts;
    mixture->several = mixture->several || (mixture->before && mixture->before != facts);
    mixture->setup = mixture->setup || facts->flags & IS_SETUP;
    mixture->others = mixture->others || !(facts->flags & IS_SETUP);
    mixture->before = facts;
}

/* At most ten runs of one type; a setup object never with another type (4.1, 5.3). The codes and
 * texts are unsure. */
static bool
check_mixture(struct call *call, const struct mixture *mixture)
{
    if (mixture->chunks > MAX_CHUNKS)
        reply_error(call->reply, 400, "LIMIT_EXCEEDED",
                    "more than %d chunks of records of one type", MAX_CHUNKS);
    else if (mixture->setup && mixture->others)
        reply_error(call->reply, 400, "MIXED_DML_OPERATION",
                    "DML operation on setup object is not permitted after you have updated a "
                    "non-setup object (or vice versa)");
    else if (mixture->setup && mixture->several)
        reply_error(call->reply, 400, "INVALID_INPUT",
                    "a setup object cannot be written together with another type");
    else
        return true;
    return false;
}

static bool
check_types(struct call *call, struct json_object *records)
{
    struct mixture mixture = { 0 };

    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        const char *type = type_of(record);
        struct table *table = type ? org_table(call->org, type) : NULL;
        if (!json_object_is_type(record, json_type_object) || !type) {
            reply_error(call->reply, 400, "INVALID_TYPE",
                        "attributes.type is required in record %zu", i);
            return false;
        }
        if (!table) {
            reply_error(call->reply, 400, "INVALID_TYPE", "sObject type '%s' is not supported.",
                        type);
            return false;
        }
        add_type(&mixture, table->facts);
    }
    return check_mixture(call, &mixture);
}

/* Faults of the body itself refuse the whole call; that an unknown field is one of them follows
 * from its words, which are the parser's (unsure). */
static bool
check_readable(struct call *call, struct json_object *records)
{
    struct refusal refusal;

    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *record = json_object_array_get_idx(records, i);
        struct table *table = org_table(call->org, type_of(record));
        if (!record_read_check(call->org, table->facts, record, &refusal)) {
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

static struct row *
row_by_id(struct collection *collection, size_t index, struct table *table, const char *text)
{
    struct refusal *refusal = &collection->refusals[index];
    struct row *row;
    char id[ID_SIZE];

    if (!id_normalise(text, id) || strncmp(id, table->facts->prefix, 3) != 0) {
        refuse(refusal, 400, "MALFORMED_ID", "Id", "malformed id %s", text);
        return NULL;
    }
    if (was_updated(collection, index, id)) {
        /* one row twice in a call: code and text unsure */
        refuse(refusal, 400, "DUPLICATE_VALUE", "Id", "Duplicate id in list: %s", id);
        return NULL;
    }
    row = table_find_any(table, id);
    if (row && row->deleted)
        refuse(refusal, 404, "ENTITY_IS_DELETED", "", "entity is deleted");
    else if (!row) /* code for a row that is not there: unsure */
        refuse(refusal, 404, "INVALID_CROSS_REFERENCE_KEY", "", "invalid cross reference id");
    return row && !row->deleted ? row : NULL;
}

/* The row a record of an update names, or a refusal. */
static struct row *
row_of(struct collection *collection, size_t index, struct table *table, struct json_object *record)
{
    struct json_object *value = js_get_nocase(record, "Id");
    const char *text = value ? json_object_get_string(value) : "";

    if (*text)
        return row_by_id(collection, index, table, text);
    refuse(&collection->refusals[index], 400, "MISSING_ARGUMENT", "Id",
           "Id not specified in an update call");
    return NULL;
}

/* The row an upsert writes over; NULL with true when it creates one. */
static bool
row_to_upsert(struct collection *collection, size_t index, struct table *table,
              struct json_object *record, struct row **ret)
{
    const struct field_facts *field = collection->external;
    struct refusal *refusal = &collection->refusals[index];
    struct json_object *value = js_get_nocase(record, field ? field->name : "Id");
    AUTO_FREE struct row **rows = NULL;
    size_t matches;

    *ret = NULL;
    if (!field) {
        *ret = value ? row_by_id(collection, index, table, json_object_get_string(value)) : NULL;
        return !value || *ret;
    }
    if (!value || !*json_object_get_string(value)) /* code unsure */
        return refuse(refusal, 400, "MISSING_ARGUMENT", field->name, "%s not specified",
                      field->name);
    if (js_get_nocase(record, "Id"))
        return refuse(refusal, 400, "INVALID_FIELD", "Id",
                      "The Id field should not be specified in the sobject data.");
    rows = api_external_rows(table, field, json_object_get_string(value), &matches);
    if (matches > 1)
        return refuse(refusal, 400, "DUPLICATE_EXTERNAL_ID", field->name,
                      "%s: more than one record found for external id field", field->name);
    *ret = matches ? rows[0] : NULL;
    if (*ret && was_updated(collection, index, (*ret)->id))
        return refuse(refusal, 400, "DUPLICATE_VALUE", field->name,
                      "Duplicate external id specified: %s", json_object_get_string(value));
    return true;
}

static bool
delete_one(struct collection *collection, size_t index)
{
    const char *text =
        json_object_get_string(json_object_array_get_idx(collection->records, index));
    struct refusal *refusal = &collection->refusals[index];
    struct table *table = org_table_of_id(collection->call->org, text);
    struct row *row;

    if (!table)
        return refuse(refusal, 400, "MALFORMED_ID", "Id", "malformed id %s", text);
    row = row_by_id(collection, index, table, text);
    if (!row ||
        !api_write_record(collection->call, table, row, NULL, NULL, collection->changes, refusal))
        return false;
    memcpy(collection->ids[index], row->id, ID_SIZE);
    return true;
}

static bool
write_one(struct collection *collection, size_t index)
{
    struct json_object *record = json_object_array_get_idx(collection->records, index);
    struct refusal *refusal = &collection->refusals[index];
    struct table *table;
    struct row *row = NULL;

    if (collection->what == WHAT_DELETE)
        return delete_one(collection, index);
    table = org_table(collection->call->org, type_of(record));
    if (!record_call_check(table->facts, collection->what == WHAT_CREATE ? CAN_CREATE : CAN_UPDATE,
                           refusal))
        return false;
    if (collection->what == WHAT_UPDATE && !(row = row_of(collection, index, table, record)))
        return false;
    if (collection->what == WHAT_UPSERT && !row_to_upsert(collection, index, table, record, &row))
        return false;
    collection->created[index] = !row;
    if (!api_write_record(collection->call, table, row, record, &row, collection->changes, refusal))
        return false;
    memcpy(collection->ids[index], row->id, ID_SIZE);
    return true;
}

/* ---- the answer ---- */

struct json_object *
api_errors(const struct refusal *refusal)
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
    struct json_object *result;
    bool written = *collection->ids[index] != '\0';

    if (written && !(collection->all_or_none && collection->failed)) {
        result = api_success(collection->ids[index]);
        if (collection->what == WHAT_UPSERT)
            js_put_flag(result, "created", collection->created[index]);
        return result;
    }
    result = js_object();
    if (written)
        refuse(&collection->refusals[index], 400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "",
               "Record rolled back because not all records were valid and the request was using "
               "AllOrNone header");
    js_put_flag(result, "success", false);
    js_put(result, "errors", api_errors(&collection->refusals[index]));
    if (collection->what == WHAT_UPSERT)
        js_put_flag(result, "created", false);
    return result;
}

/* Runs what the collection was filled with. */
static void
write_all(struct collection *collection)
{
    struct call *call = collection->call;
    size_t count = json_object_array_length(collection->records);
    AUTO_FREE struct refusal *refusals = text_block(count * sizeof(*refusals));
    struct json_object *results = js_array();

    collection->refusals = refusals;
    /* the REST guide, allOrNone in composite and collections: the outer one overrides */
    collection->all_or_none = collection->all_or_none || call->transaction;
    collection->changes = call_changes(call, &collection->own);
    collection->kept = collection->changes->count;
    call->records = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!write_one(collection, i))
            collection->failed = true;
    }
    call->failed = collection->failed && call->transaction;
    if (collection->failed && collection->all_or_none)
        changes_roll_back(collection->changes, collection->kept);
    changes_free(&collection->own);
    for (size_t i = 0; i < count; i++)
        js_append(results, result_of(collection, i));
    reply_json(call->reply, 200, results);
}

static void
write_records(struct call *call, enum what what, const struct field_facts *external)
{
    AUTO_FREE struct collection *collection = text_block(sizeof(*collection));
    struct json_object *records = js_get(call->json, "records");

    if (!check_call(call) || !check_count(call, records) || !check_types(call, records) ||
        !check_readable(call, records))
        return;
    collection->call = call;
    collection->records = records;
    collection->what = what;
    collection->external = external;
    collection->all_or_none = js_get_flag(call->json, "allOrNone", false);
    write_all(collection);
}

/* The path's type is that of every record (4.1). */
static void
upsert_records(struct call *call)
{
    const char *type = call->segments[API_ROOT + 2], *name = call->segments[API_ROOT + 3];
    struct table *table = org_table(call->org, type);
    const struct field_facts *field = table ? org_field(call->org, table->facts, name) : NULL;
    bool by_id = field && field->kind == KIND_ID;
    struct json_object *records;

    if (!field || !(by_id || field->flags & FIELD_EXTERNAL_ID)) {
        reply_error(call->reply, 404, "NOT_FOUND",
                    "Provided external ID field does not exist or is not accessible: %s", name);
        return;
    }
    if (!call_read_json(call))
        return;
    records = js_get(call->json, "records");
    for (size_t i = 0;
         json_object_is_type(records, json_type_array) && i < json_object_array_length(records);
         i++) {
        if (!call_check_type(call, table, json_object_array_get_idx(records, i)))
            return;
    }
    write_records(call, WHAT_UPSERT, by_id ? NULL : field);
}

/* ?ids=a,b&allOrNone=true */
static void
delete_records(struct call *call)
{
    const char *ids = call_parameter(call, "ids"), *all = call_parameter(call, "allOrNone");
    AUTO_FREE struct collection *collection = text_block(sizeof(*collection));
    AUTO_JS struct json_object *list = js_array();
    AUTO_FREE char *copy = text_copy(ids ? ids : "");
    struct mixture mixture = { 0 };
    char *rest = copy, *text;

    while (*copy && (text = strsep(&rest, ","))) {
        struct table *table = org_table_of_id(call->org, text);
        if (table)
            add_type(&mixture, table->facts);
        js_append(list, js_string(text));
    }
    if (!check_count(call, list) || !check_mixture(call, &mixture))
        return;
    collection->call = call;
    collection->records = list;
    collection->what = WHAT_DELETE;
    collection->all_or_none = all && strcmp(all, "true") == 0;
    write_all(collection);
}

/* ---- retrieve ---- */

/* The names in fields, into the record if there is a row. */
static bool
put_fields(struct call *call, struct table *table, struct row *row, struct json_object *fields,
           struct json_object *record)
{
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(fields, i));
        const struct field_facts *field = org_field(call->org, table->facts, name ? name : "");
        if (!field) {
            reply_error(call->reply, 400, "INVALID_FIELD",
                        "No such column '%s' on sobject of type "
                        "%s",
                        name ? name : "null", table->facts->name);
            return false;
        }
        if (row)
            js_put(record, field->name, row_value(row, field));
    }
    return true;
}

/* A row that is not there is null in the answer (unsure). */
static void
read_listed(struct call *call, struct table *table, struct json_object *ids,
            struct json_object *fields)
{
    AUTO_JS struct json_object *list = js_array();
    char id[ID_SIZE];

    if (json_object_array_length(ids) > MAX_IDS) {
        reply_error(call->reply, 400, "EXCEEDED_ID_LIMIT", "more than %d ids", MAX_IDS);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(ids, i));
        AUTO_JS struct json_object *record = js_object();
        struct row *row;
        if (!text || !id_normalise(text, id)) {
            reply_error(call->reply, 400, "MALFORMED_ID", "malformed id %s", text ? text : "null");
            return;
        }
        row = table_find(table, id);
        if (row)
            row_put_attributes(record, table->facts->name, row->id, call->version);
        if (!put_fields(call, table, row, fields, record))
            return;
        js_append(list, row ? STEAL(record) : NULL);
    }
    call->records = (int64_t)json_object_array_length(list);
    reply_json(call->reply, 200, STEAL(list));
}

static struct json_object *
listed(const char *text)
{
    struct json_object *list = js_array();
    AUTO_FREE char *copy = text_copy(text ? text : "");
    char *rest = copy, *piece;

    while (*copy && (piece = strsep(&rest, ",")))
        js_append(list, js_string(piece));
    return list;
}

/* By GET with parameters, or by POST with a body. */
static void
read_records(struct call *call)
{
    static const char *const members[] = { "ids", "fields", NULL };
    struct table *table = org_table(call->org, call->segments[API_ROOT + 2]);
    AUTO_JS struct json_object *ids = NULL;
    AUTO_JS struct json_object *fields = NULL;

    if (!table) {
        reply_not_found(call->reply);
        return;
    }
    if (call_method_is(call, "GET")) {
        ids = listed(call_parameter(call, "ids"));
        fields = listed(call_parameter(call, "fields"));
    } else if (!call_read_json(call) || !call_check_members(call, call->json, members)) {
        return;
    } else {
        ids = json_object_get(js_get(call->json, "ids"));
        fields = json_object_get(js_get(call->json, "fields"));
    }
    if (!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) == 0 ||
        !json_object_is_type(fields, json_type_array) || json_object_array_length(fields) == 0)
        reply_error(call->reply, 400, "MISSING_ARGUMENT", "ids and fields are required");
    else
        read_listed(call, table, ids, fields);
}

static void
answer_all(struct call *call)
{
    if (call_method_is(call, "DELETE")) {
        delete_records(call);
    } else if (call_method_is(call, "POST") || call_method_is(call, "PATCH")) {
        if (call_read_json(call))
            write_records(call, call_method_is(call, "PATCH") ? WHAT_UPDATE : WHAT_CREATE, NULL);
    } else {
        reply_not_allowed(call->reply, call->request->method, "DELETE,PATCH,POST");
    }
}

void
api_collections(struct call *call)
{
    size_t count = call->segment_count - API_ROOT;
    const char *method = call->request->method;

    if (count == 2)
        answer_all(call);
    else if (count == 3 && (call_method_is(call, "GET") || call_method_is(call, "POST")))
        read_records(call);
    else if (count == 3)
        reply_not_allowed(call->reply, method, "HEAD,GET,POST");
    else if (count == 4 && call_method_is(call, "PATCH"))
        upsert_records(call);
    else if (count == 4)
        reply_not_allowed(call->reply, method, "PATCH");
    else
        reply_not_found(call->reply);
}
