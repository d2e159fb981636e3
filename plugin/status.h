/* The query `status`: what an admin or a monitor wants to know of a connector at a glance. */
#ifndef PLUGIN_STATUS_H
#define PLUGIN_STATUS_H

#include "plugin/requests.h"

/*
 * As JSON, or, with "format":"prometheus", {"content_type","text"}: the same in numbers (metrics.h); forms in
 * sfprov-connector(7). Asks the store only, and costs the same however many users there are. PROV_E_INVALID:
 * another format; PROV_E_STORE.
 */
MUST_CHECK int status_query(const struct request_context *context, struct json_object *request,
                            struct json_object **ret, struct prov_error *err);

#endif
