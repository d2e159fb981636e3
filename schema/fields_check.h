/* Between the two halves of reading connector fields: values are in their members, and the rules
 * that look at a value's meaning, or at several fields, are still to come. */
#ifndef SCHEMA_FIELDS_CHECK_H
#define SCHEMA_FIELDS_CHECK_H

#include "schema/faults.h"
#include "schema/fields.h"

struct fields_draft {
    struct fields *fields; /* a member whose value was refused is NULL, or holds its default */
    struct fault_list faults, warnings;
};

/* The flow, and the addresses and secrets that it needs; in fields_login.c. */
void fields_check_login(struct fields_draft *draft);

/* Makes values canonical and the pattern and mapping from them; adds faults and warnings. */
void fields_check(struct fields_draft *draft);

#endif
