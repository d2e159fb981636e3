/* The signed assertion of the JWT bearer flow (RFC 7523; fact sheet 1.5). Private to
 * plugin/salesforce/. */
#ifndef SALESFORCE_JWT_H
#define SALESFORCE_JWT_H

#include <stdint.h>

#include "plugin/base/key.h"

/* How long an assertion holds; Salesforce is said to take 3 to 5 minutes. */
#define JWT_LIFE_S 180

struct jwt_claims {
    const char *issuer;   /* consumer key */
    const char *subject;  /* username of the user who is acted for */
    const char *audience; /* https://login.salesforce.com or https://test.salesforce.com */
    int64_t now_s;        /* seconds since 1970 */
};

/* "header.claims.signature" by RS256, never by another algorithm. *ret is from secret_alloc(), a secret until
 * it has expired; secret_free() it. PROV_E_NOMEM only. */
MUST_CHECK int jwt_make(const struct key *key, const struct jwt_claims *claims, char **ret,
                        struct prov_error *err);

#endif
