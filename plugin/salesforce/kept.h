/* The access token that processes share: sealed by the keeper, read before anybody asks for a new one.
 * Private to plugin/salesforce/. */
#ifndef SALESFORCE_KEPT_H
#define SALESFORCE_KEPT_H

#include "plugin/base/digest.h"
#include "plugin/salesforce/oauth.h"

/* The kept grant, if there is one for these settings, and it is not the refused token (its digest; "":
 * none was). ret->token stays NULL otherwise, also when the keeper fails: then a new one is asked for.
 * PROV_E_NOMEM only. */
MUST_CHECK int kept_read(const struct oauth *oauth, const struct sf_keeper *keeper,
                         const char refused[DIGEST_HEX_SIZE], struct grant *ret);
/* A grant that cannot be kept is used all the same. */
void kept_write(const struct oauth *oauth, const struct sf_keeper *keeper,
                const struct grant *grant);

#endif
