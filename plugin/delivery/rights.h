/* The rights of the execution user. */
#ifndef DELIVERY_RIGHTS_H
#define DELIVERY_RIGHTS_H

#include "plugin/salesforce/session.h"

/* Labels of the rights that matter here and that the user has, as an array the caller owns (SF_DELIVERED only). One
 * API call, which needs View Setup and Configuration itself. 0 or PROV_E_NOMEM. */
MUST_CHECK int rights_read(struct sf_session *session, const char *user_id,
                           struct json_object **ret, struct sf_call *ret_call);

/* The label of one that is needed and not among those given; NULL: all are. Static. */
const char *rights_missing(struct json_object *given);

#endif
