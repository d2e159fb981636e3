/* State and country picklists: the fields that come with them, and what they do to a write. */
#ifndef ORG_ADDRESS_H
#define ORG_ADDRESS_H

#include "tests/org/rules.h"

enum {
    ADDRESS_FIELDS = 2
};

/* Of an object with an address, behind its own (facts.c). */
extern const struct field_facts address_fields[ADDRESS_FIELDS];

/* The name that a list shows for a code. */
const char *address_label(const struct field_facts *field, const char *code);
/* Heap: "validFor" of a state's code. */
char *address_valid_for(const char *state_code);
/* Refuses what does not go together; else the record's values hold names and codes that do. */
bool address_check(struct examined *examined);

#endif
