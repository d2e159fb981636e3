/* Having the app approved in a browser, once: the address to open, and the exchange of the code that comes
 * back (fact sheet 1.8), with PKCE (RFC 7636). */
#include "plugin/salesforce/oauth_form.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/key.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/answer.h"

/* base64url of the SHA-256 of the verifier (RFC 7636 4.2). */
static char *
challenge_of(const char *verifier)
{
    char hex[DIGEST_HEX_SIZE];
    unsigned char digest[32];

    if (digest_hex(verifier, strlen(verifier), hex) != PROV_OK)
        return NULL;
    for (size_t i = 0; i < sizeof(digest); i++) {
        unsigned value = 0;
        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            return NULL;
        digest[i] = (unsigned char)value;
    }
    return key_base64url(digest, sizeof(digest));
}

static int
check_approval(const struct oauth *oauth, const struct sf_approval *approval,
               struct prov_error *err)
{
    struct http_origin origin;
    size_t length = approval->verifier ? strlen(approval->verifier) : 0;

    if (oauth->flow != SF_REFRESH_TOKEN)
        return error_set(err, PROV_E_STATE,
                         "only the flow refresh_token needs a login in a browser; set the field "
                         "flow to refresh_token, or just use `sfprov check`");
    if (!oauth->keeper.put)
        return error_set(err, PROV_E_STATE,
                         "there is nowhere to keep the refresh token sealed; set the field "
                         "sealing_key");
    if (!approval->redirect_uri || !approval->state || length < 43 || length > 128)
        return error_set(err, PROV_E_INVALID,
                         "redirect_uri, state and verifier are needed, the last with 43 to 128 "
                         "characters");
    if (http_origin_parse(approval->redirect_uri, &origin, NULL) != PROV_OK)
        return error_set(err, PROV_E_INVALID, "the redirect_uri is no URL");
    return PROV_OK;
}

int
oauth_authorize_url(const struct oauth *oauth, const struct sf_approval *approval, char **ret,
                    struct prov_error *err)
{
    static const char token_path[] = "/token";
    size_t base = strlen(oauth->endpoint) - strlen(token_path);
    AUTO_FREE char *client = sf_percent_encode(oauth->client_id);
    AUTO_FREE char *redirect = NULL;
    AUTO_FREE char *state = NULL;
    AUTO_FREE char *challenge = NULL;
    int result = check_approval(oauth, approval, err);

    if (result)
        return result;
    redirect = sf_percent_encode(approval->redirect_uri);
    state = sf_percent_encode(approval->state);
    challenge = challenge_of(approval->verifier);
    if (!client || !redirect || !state || !challenge ||
        asprintf(ret,
                 "%.*s/authorize?response_type=code&client_id=%s&redirect_uri=%s&"
                 "scope=api%%20refresh_token&state=%s&code_challenge=%s&code_challenge_method=S256",
                 (int)base, oauth->endpoint, client, redirect, state, challenge) < 0)
        return error_nomem(err);
    return PROV_OK;
}

static int
make_code_form(const struct oauth *oauth, const struct sf_approval *approval, const char *code,
               struct form *form, char owner[DIGEST_HEX_SIZE], struct prov_error *err)
{
    char *secret_code = secret_copy(code), *verifier = NULL;
    int result = form_of_client(oauth, "authorization_code", form, err);

    if (!result)
        result = form_add(form, "redirect_uri", approval->redirect_uri, err);
    if (!result)
        result = refresh_owner(oauth, NULL, owner, err);
    if (!result && !secret_code)
        result = error_nomem(err);
    if (result) {
        secret_free(secret_code);
        return result;
    }
    result = form_add_secret(form, "code", secret_code, err);
    verifier = secret_copy(approval->verifier);
    if (!result && !verifier)
        return error_nomem(err);
    if (result) {
        secret_free(verifier);
        return result;
    }
    return form_add_secret(form, "code_verifier", verifier, err);
}

/* A login without a refresh token in its reply is of no use. */
static int
take_first_token(struct oauth *oauth, struct json_object *reply, const struct form *form,
                 const char *owner, struct sf_call *call)
{
    const char *token = json_get_string(reply, "refresh_token");

    if (token && *token)
        return refresh_take(oauth, reply, form, owner, call);
    answer_tell(
        call, SF_HOLD, "The app gives no refresh token.",
        "Add the scope 'Perform requests at any time (refresh_token, offline_access)' to the "
        "app, and run `sfprov login` again.",
        "the token reply holds no refresh_token");
    return PROV_OK;
}

int
oauth_exchange(struct oauth *oauth, struct http *http, const struct sf_approval *approval,
               const char *code, struct grant *ret, struct sf_call *call)
{
    CLEANUP(form_clear) struct form form = { .body = NULL };
    AUTO_JSON struct json_object *reply = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct grant grant = { .token = NULL };
    char owner[DIGEST_HEX_SIZE] = "";
    int result = check_approval(oauth, approval, &err);

    *call = (struct sf_call){ .outcome = SF_RETRY, .cause = "", .remedy = "" };
    if (!result)
        result = make_code_form(oauth, approval, code, &form, owner, &err);
    if (result == PROV_E_NOMEM)
        return result;
    if (result) {
        answer_tell(call, SF_HOLD, "What the login needs cannot be used.", "Follow the message.",
                    "%s", err.text);
        return PROV_OK;
    }
    result = oauth_send(oauth, http, &form, &grant, &reply, call);
    if (!result && reply && call->outcome == SF_DELIVERED)
        result = take_first_token(oauth, reply, &form, owner, call);
    if (!result && call->outcome == SF_DELIVERED)
        *ret = grant;
    else
        grant_clear(&grant);
    return result;
}
