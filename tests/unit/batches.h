/* A batch from records written as a JSON array, "Id" among the fields of an update. */
#ifndef TESTS_BATCHES_H
#define TESTS_BATCHES_H

#include "plugin/salesforce/session.h"

static inline int
send_users(struct sf_session *session, bool update, struct json_object *records,
           struct sf_record *results, struct sf_call *call)
{
    size_t count = json_object_array_length(records);
    struct sf_change *changes = calloc(count + 1, sizeof(*changes));
    AUTO_JSON struct json_object *copy = NULL;
    CLEANUP(sf_batch_cleanup) struct sf_batch *batch = NULL;
    int result;

    if (json_object_deep_copy(records, &copy, NULL) != 0 || !changes)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct json_object *record = json_object_array_get_idx(copy, i);
        const char *id = json_get_string(record, "Id");
        changes[i].fields = record;
        if (!update || !id)
            continue;
        changes[i].id = json_get_string(json_object_array_get_idx(records, i), "Id");
        json_object_object_del(record, "Id");
    }
    result = sf_batch_new(update ? SF_UPDATE_USERS : SF_CREATE_USERS, changes, count, &batch, call);
    free(changes);
    return result ? result : sf_batch_send(session, batch, results, call);
}

#endif
