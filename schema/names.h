/* Connector fields that are lists of names: read from a list of texts, or from one text with commas. */
#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include "schema/faults.h"

#define NAMES_MAX 200

/*
 * Brings *place, the value of a field, to an array of texts without blanks around them and without
 * empty ones. Another type, or more than NAMES_MAX of them, is a fault, and *place stays as it is.
 * Returns whether *place is such a list now.
 */
bool names_read(struct json_object **place, const char *field, const char *remedy,
                struct fault_list *faults);

#endif
