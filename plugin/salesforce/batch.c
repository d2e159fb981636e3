/*
 * Collections: creating and updating up to 200 records in one call (fact sheet 4.1). It writes the bodies
 * and believes an answer only if it fits what was asked: as many items as records, and the right ids
 * (design rule 16). Which fields are sent, and what follows from an outcome, is for delivery.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/json_write.h"
#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"

#define SETTLES "Nothing to do: the connector reads the org back before it sends anything again."

struct sf_batch {
    bool update;
    size_t count;
    char *body; /* personal data: wiped */
    size_t body_length;
    char (*ids)[SF_ID_SIZE]; /* of an update, 18 characters; NULL for creates */
};

/* ---- the body ---- */

static const char *
object_of(enum sf_batch_kind kind)
{
    return kind == SF_UPDATE_LOGINS ? "UserLogin" : "User";
}

/* {"attributes":{"type":"User"},"id":"005...", ...}, as the samples of 4.1 have it. "UserLogin.IsFrozen"
 * is IsFrozen there. */
static void
write_record(struct json_writer *writer, const char *object, const struct sf_change *change)
{
    size_t prefix = strlen(object);

    JSON_WRITE_LITERAL(writer, "{\"attributes\":{\"type\":");
    json_write_string(writer, object, prefix);
    JSON_WRITE_LITERAL(writer, "}");
    if (change->id) {
        json_write_name(writer, "id", false);
        json_write_string(writer, change->id, strlen(change->id));
    }
    VALUE_EACH(change->fields, member)
    {
        const char *name = member->name;
        bool own =
            name[0] == object[0] && strncmp(name, object, prefix) == 0 && name[prefix] == '.';
        size_t skipped = own ? prefix + 1 : 0;

        JSON_WRITE_LITERAL(writer, ",");
        json_write_string(writer, name + skipped, member->name_length - skipped);
        JSON_WRITE_LITERAL(writer, ":");
        value_write(writer, member->value);
    }
    JSON_WRITE_LITERAL(writer, "}");
}

static char *
make_body(const char *object, const struct sf_change *changes, size_t count, size_t *ret_length)
{
    struct json_writer writer = { 0 };

    JSON_WRITE_LITERAL(&writer, "{\"allOrNone\":false,\"records\":[");
    for (size_t i = 0; i < count; i++) {
        if (i == 1) /* they are mostly alike */
            (void)json_write_room(&writer, writer.length * count);
        if (i > 0)
            JSON_WRITE_LITERAL(&writer, ",");
        write_record(&writer, object, &changes[i]);
    }
    JSON_WRITE_LITERAL(&writer, "]}");
    *ret_length = writer.length;
    return json_write_end(&writer);
}

/* Updates name each record, creates none; `ids` gets the 18-character forms. */
static int
check_changes(const struct sf_change *changes, size_t count, char (*ids)[SF_ID_SIZE],
              struct sf_call *call)
{
    if (count == 0)
        return answer_refuse(call, PROV_E_INVALID, "a call needs at least one record");
    if (count > SF_MAX_RECORDS)
        return answer_refuse(call, PROV_E_LIMIT, "a call takes at most 200 records");
    for (size_t i = 0; i < count; i++) {
        const struct sf_change *change = &changes[i];
        if (!value_is(change->fields, VALUE_OBJECT))
            return answer_refuse(call, PROV_E_INVALID, "a record must be an object");
        if (value_get(change->fields, "Id") || (!ids && change->id))
            return answer_refuse(call, PROV_E_INVALID,
                                 "an Id is no field, and a new record has none");
        if (ids && (!change->id || sf_id_normalise(change->id, ids[i], NULL) != PROV_OK))
            return answer_refuse(call, PROV_E_INVALID, "a record to update needs a valid Id");
    }
    return PROV_OK;
}

int
sf_batch_new(enum sf_batch_kind kind, const struct sf_change *changes, size_t count,
             struct sf_batch **ret, struct sf_call *call)
{
    struct sf_batch *batch = calloc(1, sizeof(*batch));
    int result = PROV_E_NOMEM;

    *call = (struct sf_call){ .outcome = SF_REFUSED, .cause = "", .remedy = "" };
    if (batch) {
        batch->update = kind != SF_CREATE_USERS;
        batch->count = count;
        if (batch->update)
            batch->ids = calloc(count + 1, sizeof(*batch->ids));
    }
    if (batch && (batch->ids || !batch->update))
        result = check_changes(changes, count, batch->ids, call);
    if (result == PROV_OK &&
        !(batch->body = make_body(object_of(kind), changes, count, &batch->body_length)))
        result = PROV_E_NOMEM;
    if (result == PROV_E_NOMEM)
        answer_out_of_memory(call);
    if (result != PROV_OK) {
        sf_batch_free(batch);
        return result;
    }
    *ret = batch;
    return PROV_OK;
}

void
sf_batch_free(struct sf_batch *batch)
{
    if (!batch)
        return;
    if (batch->body)
        explicit_bzero(batch->body, batch->body_length);
    free(batch->body);
    free(batch->ids);
    free(batch);
}

/* ---- the answer ---- */

/* The names of errors[].fields, as many as fit. */
static void
join_fields(struct json_object *error, char *ret, size_t room)
{
    struct json_object *fields = json_get(error, "fields");
    size_t count =
        json_object_is_type(fields, json_type_array) ? json_object_array_length(fields) : 0;
    size_t at = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(fields, i));
        char clean[80];
        answer_clean(name, clean, sizeof(clean));
        if (at + strlen(clean) + 2 > room)
            return;
        at += (size_t)snprintf(ret + at, room - at, "%s%s", at ? "," : "", clean);
    }
}

/* A record that was not saved. The first error counts, as Salesforce lists the root first. */
static void
read_failure(struct json_object *item, struct sf_record *record)
{
    struct json_object *errors = json_get(item, "errors");
    struct json_object *error =
        json_object_is_type(errors, json_type_array) ? json_object_array_get_idx(errors, 0) : NULL;
    const char *code = json_get_string(error, "statusCode");
    const char *message = json_get_string(error, "message");
    struct sf_verdict verdict;

    if (!code || !*code) {
        record->outcome = SF_UNKNOWN;
        record->cause = "Salesforce did not save the user and does not say why.";
        record->remedy = SETTLES;
        snprintf(record->message, sizeof(record->message),
                 "success is false, without a statusCode");
        return;
    }
    verdict = sf_judge(SF_LEVEL_RECORD, 0, code, message, 1);
    record->outcome = verdict.outcome;
    record->cause = verdict.cause;
    record->remedy = verdict.remedy;
    answer_clean(code, record->code, sizeof(record->code));
    answer_clean(message, record->message, sizeof(record->message));
    join_fields(error, record->fields, sizeof(record->fields));
}

/* Or absent. */
static bool
is_empty_list(struct json_object *list)
{
    return !list ||
           (json_object_is_type(list, json_type_array) && json_object_array_length(list) == 0);
}

/*
 * One item against what was asked; wanted_id NULL for a create. NULL: it fits; else why not. An
 * item about another user means that the order is not what we think: then nothing can be believed.
 */
static const char *
read_item(struct json_object *item, const char *wanted_id, struct sf_record *record)
{
    struct json_object *success = json_get(item, "success"), *id = json_get(item, "id");
    char full[SF_ID_SIZE] = "";

    *record = (struct sf_record){ .outcome = SF_DELIVERED, .cause = "", .remedy = "" };
    if (!json_object_is_type(success, json_type_boolean))
        return "without success true or false";
    if (id && (!json_object_is_type(id, json_type_string) ||
               sf_id_normalise(json_object_get_string(id), full, NULL) != PROV_OK))
        return "with an id that is not valid";
    if (full[0] && !wanted_id && strncmp(full, "005", 3) != 0)
        return "with the id of something else than a user";
    if (full[0] && wanted_id && strcmp(full, wanted_id) != 0)
        return "with the id of another record";
    if (!json_object_get_boolean(success)) {
        read_failure(item, record);
        return NULL;
    }
    if (!full[0])
        return "that succeeded without an id";
    if (!is_empty_list(json_get(item, "errors")))
        return "that succeeded with errors";
    memcpy(record->id, full, sizeof(full));
    return NULL;
}

#define ID_PLACES_BITS 9 /* more than twice SF_MAX_RECORDS */

/* The ids that an answer has told so far, by their hash. */
struct ids_seen {
    const char *places[1 << ID_PLACES_BITS];
};

/* Whether it was there already. `id`, of 18 characters, must last. */
static bool
see_id(struct ids_seen *seen, const char *id)
{
    uint64_t hash; /* of the number at the end of the first 15, in which they differ */
    size_t at;

    memcpy(&hash, id + 15 - sizeof(hash), sizeof(hash));
    hash = (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
    at = (size_t)(hash >> (64 - ID_PLACES_BITS));
    for (;; at = (at + 1) % (1 << ID_PLACES_BITS)) {
        if (!seen->places[at]) {
            seen->places[at] = id;
            return false;
        }
        if (strcmp(seen->places[at], id) == 0)
            return true;
    }
}

static void doubt(struct sf_call *call, const char *format, ...) PRINTF_LIKE(2, 3);

/* The call was answered, but the answer does not say what became of it. */
static void
doubt(struct sf_call *call, const char *format, ...)
{
    char why[sizeof(call->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    answer_tell(call, SF_UNKNOWN, "The answer does not fit the call.", SETTLES, "%s", why);
}

/* Takes this text; false leaves *at. */
static bool
take(const char **at, const char *end, const char *text, size_t length)
{
    if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}
#define TAKE(at, end, literal) take(at, end, literal, sizeof(literal) - 1)

/* Takes an id of 18 characters: the one that was asked for, or, NULL, that of any user. */
static bool
take_id(const char **at, const char *end, const char *wanted, char ret[SF_ID_SIZE])
{
    char id[SF_ID_SIZE];

    if ((size_t)(end - *at) < sizeof(id))
        return false;
    memcpy(id, *at, sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    if (wanted ? memcmp(id, wanted, sizeof(id)) != 0
               : memcmp(id, "005", 3) != 0 || strlen(id) != sizeof(id) - 1 ||
                     sf_id_normalise(id, id, NULL) != PROV_OK)
        return false;
    memcpy(ret, id, sizeof(id));
    *at += sizeof(id) - 1;
    return true;
}

/*
 * The answer of a call of which every record was saved, spelled as Salesforce spells it (fact sheet 4.1):
 * nothing to take apart. False: another answer, or another spelling, for read_results(); `results` may be
 * half written then. What is accepted here, read_results() would accept.
 */
static bool
all_were_saved(const struct http_answer *answer, size_t count, char (*ids)[SF_ID_SIZE],
               struct sf_record *results)
{
    struct ids_seen seen = { { NULL } };
    const char *at = answer->body ? answer->body : "", *end = at + answer->length;

    if (answer->status != 200 || !TAKE(&at, end, "["))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct sf_record *result = &results[i];
        if ((i > 0 && !TAKE(&at, end, ",")) || !TAKE(&at, end, "{\"id\":\"") ||
            !take_id(&at, end, ids ? ids[i] : NULL, result->id) ||
            !TAKE(&at, end, "\",\"success\":true,\"errors\":[]}") ||
            (!ids && see_id(&seen, result->id)))
            return false;
        result->outcome = SF_DELIVERED;
        result->code[0] = result->message[0] = result->fields[0] = '\0';
        result->cause = result->remedy = "";
    }
    return TAKE(&at, end, "]") && at == end;
}

/* ids NULL for creates. */
static void
read_results(const struct http_answer *answer, size_t count, char (*ids)[SF_ID_SIZE],
             struct sf_record *results, struct sf_call *call)
{
    AUTO_JSON struct json_object *list = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct ids_seen seen = { { NULL } };

    if (answer->status != 200) {
        doubt(call, "HTTP %d where 200 was expected", answer->status);
        return;
    }
    if (answer_parse(answer, "the answer", &list, NULL, &err) != PROV_OK) {
        doubt(call, "%s", err.text);
        return;
    }
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != count) {
        doubt(call, "%zu items instead of %zu",
              json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0,
              count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *why =
            read_item(json_object_array_get_idx(list, i), ids ? ids[i] : NULL, &results[i]);
        if (!why && !ids && results[i].id[0] && see_id(&seen, results[i].id))
            why = "with the id of another item";
        if (why) {
            doubt(call, "item %zu of %zu came %s", i + 1, count, why);
            return;
        }
    }
}

int
sf_batch_send(struct sf_session *session, const struct sf_batch *batch, enum sf_urgency urgency,
              struct sf_record *results, struct sf_call *call)
{
    char path[64];
    /* POST creates, PATCH updates */
    struct session_request request = { .method = batch->update ? "PATCH" : "POST",
                                       .path = path,
                                       .body = batch->body,
                                       .body_length = batch->body_length,
                                       .urgency = urgency,
                                       .write = true };
    struct http_answer answer;
    int result;

    snprintf(path, sizeof(path), "/services/data/%.16s/composite/sobjects",
             session_api_version(session));
    result = session_call(session, &request, &answer, call);
    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    if (!all_were_saved(&answer, batch->count, batch->ids, results))
        read_results(&answer, batch->count, batch->ids, results, call);
    http_answer_clear(&answer);
    return PROV_OK;
}
