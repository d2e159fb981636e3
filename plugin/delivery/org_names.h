/*
 * Profiles and roles that the mapping names, and their Ids. What the org has of them is kept as JSON:
 * {"UserRole":{"sales rep":"00E...","gone":{"fault":"there is no role..."}}}, by name in lower case.
 * org_names_resolve() and org_names_learn() are pure.
 */
#ifndef DELIVERY_ORG_NAMES_H
#define DELIVERY_ORG_NAMES_H

#include "plugin/base/json.h"

struct delivery;
struct round;
struct sf_call;

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

/* Adds a name to a set of those that are wanted: in lower case -> as it is written. */
MUST_CHECK int org_names_want(struct json_object *wanted, const char *name);
/* For each that is wanted the Id, or a fault, goes into `known`, by the org's rows of the object; names may be Ids.
 * *ret_missing: one is at fault. PROV_OK or PROV_E_NOMEM. */
MUST_CHECK int org_names_learn(struct json_object *known, const char *object,
                               struct json_object *wanted, struct json_object *rows,
                               bool *ret_missing);
/* The same into delivery->names, by what facts_list() has since then, or anew where a name is missing. What the org
 * refuses to tell is a fault; with another outcome in *ret_call nothing is known. */
MUST_CHECK int org_names_ask(struct delivery *delivery, const char *object,
                             struct json_object *wanted, int64_t since_us, struct sf_call *ret_call,
                             struct prov_error *err);
/* The same for all names that plans of the round lack. round->stop: the connector is on hold or pauses. */
MUST_CHECK int org_names_look_up(struct round *round, struct prov_error *err);

/* Forgets all names, and the profile of new users: the lists are looked at anew. */
void org_names_drop(struct delivery *delivery);

/* Forgets the names that the org did not have: somebody may have made them meanwhile. */
void org_names_forget_missing(struct json_object *names);

#endif
