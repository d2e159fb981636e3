/* Salesforce record ids (fact sheet 5.4, 5.5). */
#ifndef ORG_IDS_H
#define ORG_IDS_H

#include <stdbool.h>
#include <stdint.h>

#define ID_SIZE 19 /* 18 characters and NUL */

/* The number'th id with a 3-character prefix in the org of that index: ascending with number. */
void id_make(char ret[ID_SIZE], const char *prefix, unsigned org_index, uint64_t number);

/* 15 or 18 characters to 18. False for anything else, a wrong suffix included. */
bool id_normalise(const char *id, char ret[ID_SIZE]);

/* Looks like an id, whether or not its suffix is right. */
bool id_shaped(const char *id);

#endif
