/* What the org says of the object User (its describe, fact sheet 2.6), and whether values fit it. Pure. */
#ifndef DELIVERY_ORG_FACTS_H
#define DELIVERY_ORG_FACTS_H

#include "plugin/base/json.h"

/* The described field of this name, without regard to case; NULL: there is none, or it is hidden. Borrowed. */
struct json_object *org_facts_described(struct json_object *describe, const char *name);
/* The values in force of a described picklist: array of texts, the caller owns it. 0 or PROV_E_NOMEM. */
MUST_CHECK int org_facts_choices(struct json_object *field, struct json_object **ret);
bool org_facts_is_choice(struct json_object *choices, const char *value);

#endif
