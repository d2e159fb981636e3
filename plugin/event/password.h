/* Takes passwords out of an event before anything else sees it. For this room only. */
#ifndef EVENT_PASSWORD_H
#define EVENT_PASSWORD_H

#include "plugin/base/json.h"

/*
 * Removes every attribute whose name ends with `password`, at any depth, from the payload of an
 * event URI; from that of a PATCH also the operations whose path names one, and those that are
 * empty afterwards. Sets *found if there was one, and never clears it. PROV_E_NOMEM.
 */
MUST_CHECK int event_remove_password(struct json_object *payload, bool is_patch, bool *found,
                                     struct prov_error *err);

#endif
