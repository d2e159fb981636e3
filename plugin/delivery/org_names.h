/*
 * Profiles and roles that the mapping names, and their Ids. What the org has of them is kept as JSON:
 * {"UserRole":{"sales rep":"00E...","gone":{"fault":"there is no role..."}}}, by name in lower case.
 * org_names_resolve() is pure; the rest asks Salesforce.
 */
#ifndef DELIVERY_ORG_NAMES_H
#define DELIVERY_ORG_NAMES_H

#include "plugin/base/json.h"

struct delivery;
struct round;

/*
 * Puts Ids in the place of names in `wanted`, which lives in the pool. A name that `names` (may be NULL) says nothing of is
 * taken out of `wanted` and appended to *lacks (made when needed) as {"object","name"}. *ret_fault:
 * why there is no such record, borrowed from names; NULL: none is known to be missing. PROV_OK or
 * PROV_E_NOMEM.
 */
MUST_CHECK int org_names_resolve(struct pool *pool, struct json_object *names, struct value *wanted,
                                 struct value **lacks, const char **ret_fault);

/* "profile", "role": how an object is called in messages. Static. */
const char *org_names_word(const char *object);

/* Asks the org for all names that plans of the round lack, in as few queries as fit. round->stop: the
 * connector is on hold or pauses. */
MUST_CHECK int org_names_look_up(struct round *round, struct prov_error *err);

/* Forgets the names that the org did not have: somebody may have made them meanwhile. */
void org_names_forget_missing(struct json_object *names);

#endif
