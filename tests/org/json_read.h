/* Strict JSON reading for request bodies. */
#ifndef ORG_JSON_READ_H
#define ORG_JSON_READ_H

#include "tests/org/text.h"

struct json_fault {
    char text[192]; /* with the place at its end, as Salesforce writes it */
};

/* Reads one JSON value (RFC 8259, UTF-8, no duplicate member names, at most 64 levels). False and
 * *fault otherwise. Each value but null remembers where it stands, see json_read_place(). */
bool json_read(const char *bytes, size_t length, struct json_object **ret,
               struct json_fault *fault);

/* "[line:1, column:18]" of a value that json_read() made. */
void json_read_place(struct json_object *value, char ret[48]);

#endif
