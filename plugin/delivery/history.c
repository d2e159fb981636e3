/* What is worth a row of a subject's history, and in which words. Names of fields and never their values;
 * Salesforce's words as they stand in the link. */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"

void
history_note_call(struct item **items, size_t count, const char *operation,
                  const struct sf_call *call)
{
    struct call_note note = { .operation = operation,
                              .records = count,
                              .took_us = call->took_us,
                              .http_status = call->http_status };

    memcpy(note.request_id, call->request_id, sizeof(note.request_id));
    for (size_t i = 0; i < count; i++)
        items[i]->call = note;
}

/* Looked at again for a cause of our own, and there was nothing to do, nor to say. */
static bool
is_no_news(const struct item *item)
{
    return !item->call.operation && item->as_before &&
           outcome_is(item->work.link.outcome, OUTCOME_DELIVERED);
}

/* What was to be done: "update Title, Phone". *ret NULL: nothing. */
static int
decided(const struct item *item, char **ret, struct prov_error *err)
{
    const struct link *link = &item->work.link;
    bool unknown = outcome_is(link->outcome, "unknown");
    const char *what = plan_action_name(item->plan.action);
    const struct value *fields = item->plan.fields;
    AUTO_FREE char *names = NULL;

    *ret = NULL;
    if (unknown) { /* what is read back need not be what would be planned now */
        what = value_get_text(link->in_flight, "op");
        fields = value_get(link->in_flight, "fields");
    } else if (item->plan.action == PLAN_NOTHING || item->plan.action == PLAN_PARK) {
        return PROV_OK;
    }
    if (strcmp(what ? what : "", plan_action_name(PLAN_UPDATE)) != 0) {
        *ret = strdup(what ? what : "");
        return *ret ? PROV_OK : error_nomem(err);
    }
    names = plan_field_names(fields);
    if (!names)
        return error_nomem(err);
    if (asprintf(ret, "%s%s%s", what, *names ? " " : "", names) < 0) {
        *ret = NULL;
        return error_nomem(err);
    }
    return PROV_OK;
}

int
history_add(struct round *round, struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;
    const struct call_note *call = &item->call;
    bool done = (outcome_is(link->outcome, OUTCOME_DELIVERED) && !item_was_in_step(item)) ||
                (item->plan.action == PLAN_FREEZE && link_is_frozen(link));
    AUTO_FREE char *action = NULL;
    struct history row = { .at_us = link->updated_us,
                           .version = item->work.subject.version,
                           .outcome = link->outcome,
                           .code = link->code,
                           .message = link->message,
                           .operation = call->operation,
                           .records = (int64_t)call->records,
                           .took_us = call->took_us,
                           .http_status = call->http_status,
                           .request_id = call->request_id[0] ? call->request_id : NULL };
    int r = PROV_OK;

    if (!link->outcome || is_no_news(item))
        return PROV_OK;
    if (outcome_is_in_step(link->outcome) || outcome_is_blocked(link->outcome))
        row.version = link->settled_version;
    if (!done)
        r = decided(item, &action, err);
    if (r)
        return r;
    row.action = done ? link->last_action : action;
    return store_history_add(round->delivery->store, item->work.subject.id, &row,
                             &link->last_history, err);
}
