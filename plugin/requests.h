/* query and act: requests of an admin or a monitor, in JSON (sfprov-connector(7)). */
#ifndef PLUGIN_REQUESTS_H
#define PLUGIN_REQUESTS_H

#include "plugin/delivery/delivery.h"
#include "plugin/resync.h"

struct request_context {
    struct store *store;
    struct delivery *delivery;
    const struct fields *fields;
    struct resync_work *work;     /* of the host, in this process */
    struct json_object *warnings; /* of the fields */
    bool worker;                  /* delivery has a thread of the plugin's own */
};

/* PROV_E_INVALID: not a request; PROV_E_NOTFOUND: no such subject, query or act, or no store;
 * PROV_E_UNSUPPORTED: known, but not done by this version. */
MUST_CHECK int request_query(const struct request_context *context, struct json_object *request,
                             struct json_object **ret, struct prov_error *err);
MUST_CHECK int request_act(const struct request_context *context, struct json_object *request,
                           struct json_object **ret, struct prov_error *err);

#endif
