/* gzip as Salesforce takes and gives it (2.1). */
#ifndef ORG_GZIP_H
#define ORG_GZIP_H

#include "tests/org/text.h"

/* Heap; never NULL. */
char *gzip_pack(const char *bytes, size_t length, size_t *ret_length);
/* False: not gzip, cut short, or more than `limit` bytes unpacked. */
bool gzip_unpack(const char *bytes, size_t length, size_t limit, struct text *ret);
/* Whether an Accept-Encoding header (may be NULL) takes gzip: RFC 9110 12.5.3. */
bool gzip_is_accepted(const char *header);

#endif
