/* What would become of an event: the plan, shown. Changes nothing, asks Salesforce nothing. */
#ifndef DELIVERY_PREVIEW_H
#define DELIVERY_PREVIEW_H

#include "plugin/delivery/plan.h"

/* Whether the host has to be asked for the resource before the event folds (event_asks). */
MUST_CHECK int preview_asks(struct store *store, const struct event *event, bool *ret,
                            struct prov_error *err);

/* Folds the event into what the store knows of its subject, in memory, and shows the plan; the JSON
 * form stands in sfprov-connector(7). PROV_E_INVALID: submit would refuse it. */
MUST_CHECK int preview_event(struct store *store, const struct fields *fields,
                             const struct event *event, struct json_object **ret,
                             struct prov_error *err);

#endif
