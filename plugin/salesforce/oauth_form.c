/* What is sent to the token endpoint: one form for each flow (fact sheet 1.4 to 1.7), with secrets that are
 * read now, and the refresh token that is the newest of its line. */
#include "plugin/salesforce/oauth_form.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/jwt.h"

#define KEPT_TOKEN "refresh_token"

/* ---- forms ---- */

void
form_clear(struct form *form)
{
    secret_free(form->body);
    for (size_t i = 0; i < form->secret_count; i++)
        secret_free(form->secrets[i]);
    *form = (struct form){ .body = NULL };
}

int
form_add(struct form *form, const char *name, const char *value, struct prov_error *err)
{
    AUTO_SECRET char *encoded = secret_take(sf_percent_encode(value));
    char *longer;

    if (!encoded || !(longer = secret_format("%s%s%s=%s", form->body ? form->body : "",
                                             form->body ? "&" : "", name, encoded)))
        return error_nomem(err);
    secret_free(form->body);
    form->body = longer;
    return PROV_OK;
}

int
form_add_secret(struct form *form, const char *name, char *secret, struct prov_error *err)
{
    if (form->secret_count == FORM_SECRETS) {
        secret_free(secret);
        return error_nomem(err);
    }
    form->secrets[form->secret_count++] = secret;
    return form_add(form, name, secret, err);
}

static int
read_secret(const char *field, const char *reference, char **ret, struct prov_error *err)
{
    int result = secret_ref_read(reference, ret, err);

    return result ? error_wrap(err, result, "%s", field) : PROV_OK;
}

static int
form_add_field(struct form *form, const char *name, const char *field, const char *reference,
               struct prov_error *err)
{
    char *secret = NULL;
    int result = read_secret(field, reference, &secret, err);

    return result ? result : form_add_secret(form, name, secret, err);
}

/* RFC 6749 4.4.2, with the credentials in the body (fact sheet 1.4). */
int
form_of_client(const struct oauth *oauth, const char *grant_type, struct form *form,
               struct prov_error *err)
{
    int result = form_add(form, "grant_type", grant_type, err);

    if (!result)
        result = form_add(form, "client_id", oauth->client_id, err);
    if (!result && oauth->client_secret)
        result = form_add_field(form, "client_secret", "client_secret", oauth->client_secret, err);
    return result;
}

/* The security token stands behind the password (fact sheet 1.7). */
static int
make_password_form(const struct oauth *oauth, struct form *form, struct prov_error *err)
{
    AUTO_SECRET char *password = NULL;
    AUTO_SECRET char *token = NULL;
    char *both;
    int result = form_of_client(oauth, "password", form, err);

    if (!result)
        result = form_add(form, "username", oauth->username, err);
    if (!result)
        result = read_secret("password", oauth->password, &password, err);
    if (!result && oauth->security_token)
        result = read_secret("security_token", oauth->security_token, &token, err);
    if (result)
        return result;
    both = secret_format("%s%s", password, token ? token : "");
    if (!both)
        return error_nomem(err);
    return form_add_secret(form, "password", both, err);
}

/* ---- JWT bearer ---- */

static int
read_key(const struct oauth *oauth, size_t which, struct key **ret, struct prov_error *err)
{
    AUTO_SECRET char *password = NULL;
    CLEANUP(key_cleanup) struct key *key = NULL;
    char *bytes = NULL, *certificate = NULL;
    size_t length = 0, certificate_length = 0;
    int result = secret_ref_read_bytes(oauth->private_key[which], &bytes, &length, err);

    if (!result && oauth->private_key_password)
        result = read_secret("private_key_password", oauth->private_key_password, &password, err);
    if (!result)
        result = key_read(bytes, length, password, &key, err);
    secret_free(bytes);
    if (!result && which == 0 && oauth->certificate) {
        result = secret_ref_read_public(oauth->certificate, &certificate, &certificate_length, err);
        if (!result)
            result = key_add_certificate(key, certificate, certificate_length, err);
        secret_free(certificate);
        if (result)
            return error_wrap(err, result, "certificate");
    }
    if (result)
        return error_wrap(err, result, which ? "private_key_next" : "private_key");
    *ret = STEAL(key);
    return PROV_OK;
}

static int
make_jwt_form(struct oauth *oauth, size_t which, struct form *form, struct prov_error *err)
{
    CLEANUP(key_cleanup) struct key *key = NULL;
    const struct jwt_claims claims = { .issuer = oauth->client_id,
                                       .subject = oauth->username,
                                       .audience = oauth->audience,
                                       .now_s = clock_now_us() / CLOCK_SECOND_US };
    char *assertion = NULL;
    int result = read_key(oauth, which, &key, err);

    if (result)
        return result;
    atomic_store(&oauth->key_expires_us[which], key_expires_us(key));
    result = jwt_make(key, &claims, &assertion, err);
    if (!result)
        result = form_add(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", err);
    if (result) {
        secret_free(assertion);
        return result;
    }
    return form_add_secret(form, "assertion", assertion, err);
}

/* ---- refresh tokens ---- */

/* What is kept: {"for": the client and the token that the admin gave, "token": the newest of its line}. */
int
refresh_owner(const struct oauth *oauth, const char *given, char hex[DIGEST_HEX_SIZE],
              struct prov_error *err)
{
    AUTO_SECRET char *text = secret_format("%s\n%s", oauth->fingerprint, given ? given : "");

    if (!text)
        return error_nomem(err);
    return digest_hex(text, strlen(text), hex) ? error_nomem(err) : PROV_OK;
}

/* *ret NULL: none is kept, or one of another client. */
static int
read_kept(const struct oauth *oauth, const char *owner, char **ret, struct prov_error *err)
{
    AUTO_SECRET char *text = NULL;
    AUTO_JSON struct json_object *kept = NULL;
    const char *token, *owned_by;
    int result = PROV_OK;

    if (oauth->unkept)
        text = secret_copy(oauth->unkept);
    else if (oauth->keeper.get)
        result = oauth->keeper.get(oauth->keeper.context, KEPT_TOKEN, &text, err);
    if (result || !text)
        return result || !oauth->unkept ? result : error_nomem(err);
    if (json_parse(text, strlen(text), "the kept refresh token", &kept, NULL) != PROV_OK)
        return PROV_OK;
    owned_by = json_get_string(kept, "for");
    token = json_get_string(kept, "token");
    if (!owned_by || !token || strcmp(owned_by, owner) != 0)
        return PROV_OK;
    *ret = secret_copy(token);
    return *ret ? PROV_OK : error_nomem(err);
}

/* The token to send, and whose line it is of. */
static int
find_refresh_token(const struct oauth *oauth, char **ret, char owner[DIGEST_HEX_SIZE],
                   struct prov_error *err)
{
    AUTO_SECRET char *given = NULL;
    int result = oauth->refresh_token
                     ? read_secret("refresh_token", oauth->refresh_token, &given, err)
                     : PROV_OK;

    if (!result)
        result = refresh_owner(oauth, given, owner, err);
    if (!result)
        result = read_kept(oauth, owner, ret, err);
    if (result)
        return result;
    if (!*ret)
        *ret = STEAL(given);
    return *ret ? PROV_OK
                : error_set(err, PROV_E_FIELDS,
                            "there is no refresh token for this client yet; run `sfprov login`, or "
                            "set the field refresh_token");
}

static int
make_refresh_form(const struct oauth *oauth, struct form *form, char owner[DIGEST_HEX_SIZE],
                  struct prov_error *err)
{
    char *token = NULL;
    int result = form_of_client(oauth, "refresh_token", form, err);

    if (!result)
        result = find_refresh_token(oauth, &token, owner, err);
    return result ? result : form_add_secret(form, "refresh_token", token, err);
}

static int
keep_refresh_token(struct oauth *oauth, const char *owner, const char *token,
                   struct prov_error *err)
{
    AUTO_JSON struct json_object *kept = json_object_new_object();
    char *text = NULL;
    int result;

    if (kept && !json_put_string(kept, "for", owner) && !json_put_string(kept, "token", token))
        text = secret_take(json_text(kept));
    if (!text)
        return error_nomem(err);
    secret_free(oauth->unkept);
    oauth->unkept = text;
    if (!oauth->keeper.put)
        return error_set(err, PROV_E_FIELDS,
                         "there is nowhere to keep it sealed; set the field sealing_key");
    result = oauth->keeper.put(oauth->keeper.context, KEPT_TOKEN, text, err);
    if (!result)
        secret_free(STEAL(oauth->unkept));
    return result;
}

/* A new refresh token takes the place of the one that was sent, which is worth nothing from now on. */
int
refresh_take(struct oauth *oauth, struct json_object *reply, const struct form *form,
             const char *owner, struct sf_call *call)
{
    struct prov_error err = PROV_ERROR_INIT;
    const char *token = json_get_string(reply, "refresh_token");
    const char *sent = form->secret_count ? form->secrets[form->secret_count - 1] : "";
    int result;

    if (oauth->flow != SF_REFRESH_TOKEN || !token || !*token || strcmp(token, sent) == 0)
        return PROV_OK;
    result = keep_refresh_token(oauth, owner, token, &err);
    if (result == PROV_E_NOMEM && !oauth->unkept)
        return result;
    if (result)
        answer_tell(call, SF_HOLD,
                    "Salesforce gave a new refresh token in place of the old one, and it could "
                    "not be kept.",
                    "Follow the message while this process runs; if it ends before, run `sfprov "
                    "login` again.",
                    "the new refresh token: %s", err.text);
    return PROV_OK;
}

/* ---- all of them ---- */

int
form_of_flow(struct oauth *oauth, size_t key, struct form *form, char owner[DIGEST_HEX_SIZE],
             struct prov_error *err)
{
    switch (oauth->flow) {
    case SF_JWT_BEARER:
        return make_jwt_form(oauth, key, form, err);
    case SF_REFRESH_TOKEN:
        return make_refresh_form(oauth, form, owner, err);
    case SF_PASSWORD:
        return make_password_form(oauth, form, err);
    default:
        return form_of_client(oauth, "client_credentials", form, err);
    }
}
