/* Users of the store who would share a username, before anything is sent (design rule 9). */
#ifndef DELIVERY_COLLISIONS_H
#define DELIVERY_COLLISIONS_H

#include "plugin/delivery/plan.h"

/*
 * Renders the username of everybody who is not gone, with the connector fields or with a pattern,
 * separator and domain of the request, and names those who share one, with the change that would
 * tell them apart. Reads the store page by page and keeps 16 bytes a user; names at most "limit"
 * usernames, and counts all. JSON form: sfprov-connector(7). Blocks for the store. PROV_E_INVALID:
 * the request's pattern is none.
 */
MUST_CHECK int collisions_find(struct store *store, const struct fields *fields,
                               struct json_object *request, struct json_object **ret,
                               struct prov_error *err);

#endif
