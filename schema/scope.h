/*
 * Scope: who among the host's users is to be in Salesforce, by the connector fields scope_filter and
 * scope_groups. What the host itself says of that (feed:add, feed:remove, delete) is the subject's
 * presence, and not looked at here. Pure.
 */
#ifndef SCHEMA_SCOPE_H
#define SCHEMA_SCOPE_H

#include "schema/faults.h"
#include "schema/fields.h"

/* Brings scope_groups to a list of names and compiles scope_filter; adds faults. */
void scope_check(struct fields *fields, struct fault_list *faults);

/*
 * Whether a user with this resource is in scope: passes scope_filter, where there is one, and is in
 * one of scope_groups, where there are some. If not and `why` is not NULL, the reason goes there, cut
 * to its size: "out of scope: ...". Any number of threads may call it.
 */
bool scope_admits(const struct fields *fields, struct value *resource, char *why, size_t size);

#endif
