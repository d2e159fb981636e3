/* A batch from records written as a JSON array, "Id" among the fields of an update. */
#ifndef TESTS_BATCHES_H
#define TESTS_BATCHES_H

#include "plugin/base/value_json.h"
#include "plugin/salesforce/session.h"

static inline int
send_users_as(struct sf_session *session, bool update, enum sf_urgency urgency,
              struct json_object *records, struct sf_record *results, struct sf_call *call)
{
    size_t count = json_object_array_length(records);
    struct sf_change *changes = calloc(count + 1, sizeof(*changes));
    AUTO_POOL struct pool pool = { 0 };
    CLEANUP(sf_batch_cleanup) struct sf_batch *batch = NULL;
    int result;

    if (!changes)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct value *record = NULL;
        if (value_from_json(&pool, json_object_array_get_idx(records, i), &record))
            abort();
        changes[i].fields = record;
        if (!update || !value_get_text(record, "Id"))
            continue;
        changes[i].id = value_get_text(record, "Id");
        value_remove(record, "Id");
    }
    result = sf_batch_new(update ? SF_UPDATE_USERS : SF_CREATE_USERS, changes, count, &batch, call);
    free(changes);
    return result ? result : sf_batch_send(session, batch, urgency, results, call);
}

static inline int
send_users(struct sf_session *session, bool update, struct json_object *records,
           struct sf_record *results, struct sf_call *call)
{
    return send_users_as(session, update, SF_CAN_WAIT, records, results, call);
}

#endif
