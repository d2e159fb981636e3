/* Language tags of SCIM (BCP 47, RFC 7643 4.1.1) as Salesforce's keys. Pure. */
#ifndef SCHEMA_LOCALE_H
#define SCHEMA_LOCALE_H

#include "plugin/base/cleanup.h"

/* For LocaleSidKey: "en-US" gives "en_US". Salesforce's own form passes unchanged. Heap, NULL when
 * out of memory; "" when the text names no locale. */
MUST_CHECK char *locale_key(const char *tag);

/* For LanguageLocaleKey: the first of an Accept-Language list, as the nearest language that
 * Salesforce has: "de-DE,de;q=0.9" gives "de", "nb" gives "no". Otherwise as locale_key(). */
MUST_CHECK char *language_key(const char *list);

#endif
