/* What the org says of the object User (its describe, fact sheet 2.6), and whether values fit it. Pure. */
#ifndef DELIVERY_ORG_FACTS_H
#define DELIVERY_ORG_FACTS_H

#include "plugin/base/json.h"

/* The described field of this name, without regard to case; NULL: there is none, or it is hidden. Borrowed. */
struct json_object *org_facts_described(struct json_object *describe, const char *name);
/* The values in force of a described picklist: array of texts, the caller owns it. 0 or PROV_E_NOMEM. */
MUST_CHECK int org_facts_choices(struct json_object *field, struct json_object **ret);
/* "; the nearest are 'a', 'b'", of an array of texts or of rows with a Name. "" if there are none. */
void org_facts_nearest(char *ret, size_t room, struct json_object *there, const char *word);
/* Names of all fields, as an array of texts that the caller owns; NULL when out of memory. */
struct json_object *org_facts_names(struct json_object *describe);
bool org_facts_is_choice(struct json_object *choices, const char *value);

/* Why the org would refuse a record. */
struct facts_fault {
    const char *code; /* Salesforce's own, of org_facts_codes() */
    char text[400];
};
/* A describe by the names of its fields, which it borrows; free() it before. NULL when out of memory. */
struct facts_index;
struct facts_index *org_facts_index(struct json_object *describe);
/* Whether one of the fields (name -> value) is not there, cannot be written, or does not take its value.
 * False also where the describe does not tell. */
bool org_facts_fault(struct facts_index *index, const struct value *fields, bool creating,
                     struct facts_fault *ret);
/* The codes of Salesforce that say the same. Static. */
const char *const *org_facts_codes(size_t *ret_count);
/* What of a describe is of use here: {"fields":[{"name","type","length",...}]}. NULL when out of memory. */
struct json_object *org_facts_trim(struct json_object *describe);

#endif
