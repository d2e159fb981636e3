/* The token request: the form that each flow sends, the secrets in it, and what the reply grants.
 * Private to plugin/salesforce/; session.c decides when a token is asked for. */
#ifndef SALESFORCE_OAUTH_H
#define SALESFORCE_OAUTH_H

#include "plugin/salesforce/http.h"
#include "plugin/salesforce/session.h"

/* What a token reply gave. */
struct grant {
    char *token;    /* NULL: none */
    char *instance; /* where the token may be sent: "https://acme.my.salesforce.com" */
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE]; /* "" if the reply named none */
};
void grant_clear(struct grant *grant);

struct oauth;

/* Copies what it needs. PROV_E_FIELDS for a setting that the flow lacks; PROV_E_NOMEM. */
MUST_CHECK int oauth_new(const struct sf_settings *settings, const struct http_origin *origin,
                         struct oauth **ret, struct prov_error *err);
/* No request may be under way. NULL is allowed. */
void oauth_free(struct oauth *oauth);

/*
 * Asks for a token: reads the secrets anew, sends one request (JWT with two keys: a second one when the
 * first key is refused), and keeps a rotated refresh token before it returns. One thread at a time.
 * *ret is set with SF_DELIVERED. PROV_E_NOMEM before anything was sent.
 */
MUST_CHECK int oauth_request(struct oauth *oauth, struct http *http, struct grant *ret,
                             struct sf_call *call);

/* The two halves of approving the app in a browser, see session.h. */
MUST_CHECK int oauth_authorize_url(const struct oauth *oauth, const struct sf_approval *approval,
                                   char **ret, struct prov_error *err);
MUST_CHECK int oauth_exchange(struct oauth *oauth, struct http *http,
                              const struct sf_approval *approval, const char *code,
                              struct grant *ret, struct sf_call *call);

/* What the grant belongs to: one client, user, endpoint and flow. Hex; the same for the same settings. */
const char *oauth_fingerprint(const struct oauth *oauth);

/* Whether a token may be sent to this URL. */
bool oauth_trusts(const struct oauth *oauth, const char *url);

/* Token requests made so far. */
uint64_t oauth_requests(const struct oauth *oauth);
void oauth_login(const struct oauth *oauth, struct sf_login *ret);

#endif
