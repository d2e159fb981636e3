/* What the files of the token request share. Private to them: oauth.c asks, oauth_form.c says what is sent,
 * oauth_approve.c has the app approved in a browser. */
#ifndef SALESFORCE_OAUTH_FORM_H
#define SALESFORCE_OAUTH_FORM_H

#include <stdatomic.h>

#include "plugin/base/digest.h"
#include "plugin/base/json.h"
#include "plugin/salesforce/oauth.h"

#define FORM_SECRETS 6

struct oauth {
    enum sf_flow flow;
    struct http_origin origin;
    char *origin_text, *endpoint, *allowed_hosts;
    char *client_id, *username, *audience, *certificate;
    char *client_secret, *password, *security_token, *refresh_token;
    char *private_key[2], *private_key_password;
    struct sf_keeper keeper;
    char fingerprint[DIGEST_HEX_SIZE];
    char *unkept; /* a rotated refresh token that could not be kept; as a text for the keeper */
    atomic_uint key_in_use;
    _Atomic(int64_t) key_expires_us[2];
    _Atomic(uint64_t) requests;
};

/* The body of a request, and the secrets in it, which its answer must not show. */
struct form {
    char *body;
    char *secrets[FORM_SECRETS];
    size_t secret_count;
};

void form_clear(struct form *form);
MUST_CHECK int form_add(struct form *form, const char *name, const char *value,
                        struct prov_error *err);
/* Takes the secret over; it stays until the answer is read. */
MUST_CHECK int form_add_secret(struct form *form, const char *name, char *secret,
                               struct prov_error *err);
/* grant_type, consumer key and, if there is one, consumer secret. */
MUST_CHECK int form_of_client(const struct oauth *oauth, const char *grant_type, struct form *form,
                              struct prov_error *err);
/* The form of the flow, its secrets read now. `key` 0 or 1 for a JWT. `owner` is set for a refresh token:
 * whose line it is of. */
MUST_CHECK int form_of_flow(struct oauth *oauth, size_t key, struct form *form,
                            char owner[DIGEST_HEX_SIZE], struct prov_error *err);

/* Whose line the refresh tokens are of that come of `given` (NULL: of `sfprov login`). */
MUST_CHECK int refresh_owner(const struct oauth *oauth, const char *given,
                             char owner[DIGEST_HEX_SIZE], struct prov_error *err);
/* Keeps the reply's refresh token, if it is another than the one that was sent. A hold when it cannot be
 * kept: it is not lost while the process lives. */
MUST_CHECK int refresh_take(struct oauth *oauth, struct json_object *reply, const struct form *form,
                            const char *owner, struct sf_call *call);

/* Sends the form. *ret_reply is the reply's JSON where there was a token in it. */
MUST_CHECK int oauth_send(struct oauth *oauth, struct http *http, const struct form *form,
                          struct grant *grant, struct json_object **ret_reply,
                          struct sf_call *call);

#endif
