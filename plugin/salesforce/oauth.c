/*
 * The token endpoint's client. It decides what is sent there (one form for each flow, fact sheet 1.4 to
 * 1.8) and what of the reply is believed. Secrets are read at each request and wiped after it: changing
 * one needs no restart.
 */
#include "plugin/salesforce/oauth.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/address.h"
#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/jwt.h"

#define TOKEN_MAX_BYTES 16384 /* opaque, some are JWTs (fact sheet 1.2) */
#define FORM_SECRETS    6
#define KEPT_TOKEN      "refresh_token"

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

void
grant_clear(struct grant *grant)
{
    wiped_free(grant->token);
    free(grant->instance);
    *grant = (struct grant){ .token = NULL };
}

/* ---- opening and closing ---- */

static int
copy(char **member, const char *text)
{
    *member = text ? strdup(text) : NULL;
    return text && !*member ? PROV_E_NOMEM : PROV_OK;
}

static int
copy_all(struct oauth *oauth, const struct sf_settings *from)
{
    const struct {
        char **member;
        const char *text;
    } texts[] = { { &oauth->endpoint, from->token_endpoint },
                  { &oauth->allowed_hosts, from->allowed_hosts },
                  { &oauth->client_id, from->client_id },
                  { &oauth->username, from->username },
                  { &oauth->audience, from->audience },
                  { &oauth->certificate, from->certificate },
                  { &oauth->client_secret, from->client_secret },
                  { &oauth->password, from->password },
                  { &oauth->security_token, from->security_token },
                  { &oauth->refresh_token, from->refresh_token },
                  { &oauth->private_key[0], from->private_key },
                  { &oauth->private_key[1], from->private_key_next },
                  { &oauth->private_key_password, from->private_key_password } };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (copy(texts[i].member, texts[i].text))
            return PROV_E_NOMEM;
    }
    oauth->origin_text = http_origin_text(&oauth->origin);
    return oauth->origin_text ? PROV_OK : PROV_E_NOMEM;
}

static int
make_fingerprint(struct oauth *oauth)
{
    AUTO_FREE char *text = NULL;

    if (asprintf(&text, "%d\n%s\n%s\n%s\n%s", (int)oauth->flow, oauth->origin_text, oauth->endpoint,
                 oauth->client_id, oauth->username ? oauth->username : "") < 0) {
        text = NULL;
        return PROV_E_NOMEM;
    }
    return digest_hex(text, strlen(text), oauth->fingerprint);
}

static bool
is_set(const char *text)
{
    return text && *text;
}

static int
check(const struct sf_settings *settings, struct prov_error *err)
{
    if (!is_set(settings->client_id))
        return error_set(err, PROV_E_FIELDS, "client_id: the consumer key is needed");
    if (settings->flow == SF_CLIENT_CREDENTIALS && !is_set(settings->client_secret))
        return error_set(err, PROV_E_FIELDS, "client_secret: the consumer secret is needed");
    if (settings->flow == SF_JWT_BEARER &&
        (!is_set(settings->private_key) || !is_set(settings->username) ||
         !is_set(settings->audience)))
        return error_set(err, PROV_E_FIELDS,
                         "private_key, username: the JWT bearer flow needs both");
    if (settings->flow == SF_PASSWORD &&
        (!is_set(settings->password) || !is_set(settings->username) ||
         !is_set(settings->client_secret)))
        return error_set(err, PROV_E_FIELDS,
                         "username, password, client_secret: the password flow needs all three");
    return PROV_OK;
}

int
oauth_new(const struct sf_settings *settings, const struct http_origin *origin, struct oauth **ret,
          struct prov_error *err)
{
    struct oauth *oauth;
    int result = check(settings, err);

    if (result)
        return result;
    oauth = calloc(1, sizeof(*oauth));
    if (!oauth)
        return error_nomem(err);
    oauth->flow = settings->flow;
    oauth->origin = *origin;
    if (settings->keeper)
        oauth->keeper = *settings->keeper;
    if (copy_all(oauth, settings) || make_fingerprint(oauth)) {
        oauth_free(oauth);
        return error_nomem(err);
    }
    *ret = oauth;
    return PROV_OK;
}

void
oauth_free(struct oauth *oauth)
{
    if (!oauth)
        return;
    free(oauth->origin_text);
    free(oauth->endpoint);
    free(oauth->allowed_hosts);
    free(oauth->client_id);
    free(oauth->username);
    free(oauth->audience);
    free(oauth->certificate);
    wiped_free(oauth->client_secret);
    wiped_free(oauth->password);
    wiped_free(oauth->security_token);
    wiped_free(oauth->refresh_token);
    wiped_free(oauth->private_key[0]);
    wiped_free(oauth->private_key[1]);
    wiped_free(oauth->private_key_password);
    wiped_free(oauth->unkept);
    free(oauth);
}

const char *
oauth_fingerprint(const struct oauth *oauth)
{
    return oauth->fingerprint;
}

uint64_t
oauth_requests(const struct oauth *oauth)
{
    return atomic_load(&oauth->requests);
}

void
oauth_login(const struct oauth *oauth, struct sf_login *ret)
{
    *ret = (struct sf_login){ .flow = oauth->flow };
    if (oauth->flow != SF_JWT_BEARER)
        return;
    ret->key_in_use = atomic_load(&oauth->key_in_use);
    for (size_t i = 0; i < 2; i++)
        ret->key_expires_us[i] = atomic_load(&oauth->key_expires_us[i]);
}

/* ---- forms ---- */

/* The body of a request, and the secrets in it, which its answer must not show. */
struct form {
    char *body;
    char *secrets[FORM_SECRETS];
    size_t secret_count;
};

static void
form_clear(struct form *form)
{
    wiped_free(form->body);
    for (size_t i = 0; i < form->secret_count; i++)
        wiped_free(form->secrets[i]);
    *form = (struct form){ .body = NULL };
}

static int
form_add(struct form *form, const char *name, const char *value, struct prov_error *err)
{
    CLEANUP(wiped_cleanup) char *encoded = sf_percent_encode(value);
    char *longer = NULL;

    if (!encoded || asprintf(&longer, "%s%s%s=%s", form->body ? form->body : "",
                             form->body ? "&" : "", name, encoded) < 0)
        return error_nomem(err);
    wiped_free(form->body);
    form->body = longer;
    return PROV_OK;
}

/* Takes the secret over; it stays until the answer is read. */
static int
form_add_secret(struct form *form, const char *name, char *secret, struct prov_error *err)
{
    if (form->secret_count == FORM_SECRETS) {
        wiped_free(secret);
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
static int
make_client_form(const struct oauth *oauth, const char *grant_type, struct form *form,
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
    CLEANUP(wiped_cleanup) char *password = NULL;
    CLEANUP(wiped_cleanup) char *token = NULL;
    char *both = NULL;
    int result = make_client_form(oauth, "password", form, err);

    if (!result)
        result = form_add(form, "username", oauth->username, err);
    if (!result)
        result = read_secret("password", oauth->password, &password, err);
    if (!result && oauth->security_token)
        result = read_secret("security_token", oauth->security_token, &token, err);
    if (result)
        return result;
    if (asprintf(&both, "%s%s", password, token ? token : "") < 0)
        return error_nomem(err);
    return form_add_secret(form, "password", both, err);
}

/* ---- JWT bearer ---- */

static int
read_key(const struct oauth *oauth, size_t which, struct key **ret, struct prov_error *err)
{
    CLEANUP(wiped_cleanup) char *password = NULL;
    CLEANUP(key_cleanup) struct key *key = NULL;
    char *bytes = NULL, *certificate = NULL;
    size_t length = 0, certificate_length = 0;
    int result = secret_ref_read_bytes(oauth->private_key[which], &bytes, &length, err);

    if (!result && oauth->private_key_password)
        result = read_secret("private_key_password", oauth->private_key_password, &password, err);
    if (!result)
        result = key_read(bytes, length, password, &key, err);
    wiped_free_bytes(bytes, length);
    if (!result && which == 0 && oauth->certificate) {
        result = secret_ref_read_public(oauth->certificate, &certificate, &certificate_length, err);
        if (!result)
            result = key_add_certificate(key, certificate, certificate_length, err);
        free(certificate);
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
        wiped_free(assertion);
        return result;
    }
    return form_add_secret(form, "assertion", assertion, err);
}

/* ---- refresh tokens ---- */

/* What is kept: {"for": the client and the token that the admin gave, "token": the newest of its line}. */
static int
kept_for(const struct oauth *oauth, const char *given, char hex[DIGEST_HEX_SIZE],
         struct prov_error *err)
{
    CLEANUP(wiped_cleanup) char *text = NULL;

    if (asprintf(&text, "%s\n%s", oauth->fingerprint, given ? given : "") < 0) {
        text = NULL;
        return error_nomem(err);
    }
    return digest_hex(text, strlen(text), hex) ? error_nomem(err) : PROV_OK;
}

/* *ret NULL: none is kept, or one of another client. */
static int
read_kept(const struct oauth *oauth, const char *owner, char **ret, struct prov_error *err)
{
    CLEANUP(wiped_cleanup) char *text = NULL;
    AUTO_JSON struct json_object *kept = NULL;
    const char *token, *owned_by;
    int result = PROV_OK;

    if (oauth->unkept)
        text = strdup(oauth->unkept);
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
    *ret = strdup(token);
    return *ret ? PROV_OK : error_nomem(err);
}

/* The token to send, and whose line it is of. */
static int
find_refresh_token(const struct oauth *oauth, char **ret, char owner[DIGEST_HEX_SIZE],
                   struct prov_error *err)
{
    CLEANUP(wiped_cleanup) char *given = NULL;
    int result = oauth->refresh_token
                     ? read_secret("refresh_token", oauth->refresh_token, &given, err)
                     : PROV_OK;

    if (!result)
        result = kept_for(oauth, given, owner, err);
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
    int result = make_client_form(oauth, "refresh_token", form, err);

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
        text = json_text(kept);
    if (!text)
        return error_nomem(err);
    wiped_free(oauth->unkept);
    oauth->unkept = text;
    if (!oauth->keeper.put)
        return error_set(err, PROV_E_FIELDS,
                         "there is nowhere to keep it sealed; set the field sealing_key");
    result = oauth->keeper.put(oauth->keeper.context, KEPT_TOKEN, text, err);
    if (!result)
        wiped_free(STEAL(oauth->unkept));
    return result;
}

/* A new refresh token takes the place of the one that was sent, which is worth nothing from now on. */
static int
take_refresh_token(struct oauth *oauth, struct json_object *reply, const struct form *form,
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

/* ---- the reply ---- */

static int
read_instance(const struct oauth *oauth, const char *url, struct grant *grant, struct sf_call *call)
{
    struct http_origin instance;

    /* the fact sheet calls it always present; without it the configured origin is the only choice */
    if (!url) {
        grant->instance = strdup(oauth->origin_text);
    } else if (http_origin_parse(url, &instance, NULL) == PROV_OK &&
               address_is_trusted(&oauth->origin, &instance, oauth->allowed_hosts)) {
        grant->instance = http_origin_text(&instance);
    } else {
        answer_tell(call, SF_HOLD,
                    "The token reply names an instance_url that is not a Salesforce host; the "
                    "token was not sent there.",
                    "Check 'domain_name' and 'token_endpoint', and who answers there. A host of "
                    "your own that stands before Salesforce belongs into 'allowed_hosts'.",
                    "the token reply of '%s' names the instance_url '%s'", oauth->endpoint, url);
        return PROV_OK;
    }
    return grant->instance ? PROV_OK : PROV_E_NOMEM;
}

/* ".../id/<org id>/<user id>" (fact sheet 1.2). It is read, never called. */
static void
read_identity(const char *url, struct grant *grant)
{
    const char *user = url ? strrchr(url, '/') : NULL;
    char org[SF_ID_SIZE];
    size_t length = 0;

    while (user && user - length > url && user[-(ptrdiff_t)length - 1] != '/')
        length++;
    if (!length || length >= sizeof(org))
        return;
    memcpy(org, user - length, length);
    org[length] = '\0';
    if (strncmp(org, "00D", 3) != 0 || strncmp(user + 1, "005", 3) != 0 ||
        sf_id_normalise(org, grant->org_id, NULL) != PROV_OK ||
        sf_id_normalise(user + 1, grant->user_id, NULL) != PROV_OK)
        grant->org_id[0] = grant->user_id[0] = '\0';
}

/* A member that may be absent, but must be a text. */
static bool
read_text(struct json_object *reply, const char *name, const char **ret)
{
    *ret = json_get_string(reply, name);
    return *ret || !json_get(reply, name);
}

static bool
is_token(const char *text)
{
    for (const char *c = text; c && *c; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c > 0x7e)
            return false;
    }
    return is_set(text) && strlen(text) <= TOKEN_MAX_BYTES;
}

/* All but the token is optional (fact sheet 1.2). */
static int
read_grant(const struct oauth *oauth, const struct http_answer *answer, struct grant *grant,
           struct json_object **ret_reply, struct sf_call *call)
{
    AUTO_JSON struct json_object *reply = NULL;
    const char *token = NULL, *type = NULL, *instance = NULL;
    bool read = answer_parse(answer, "the token reply", &reply, NULL, NULL) == PROV_OK &&
                read_text(reply, "access_token", &token) && read_text(reply, "token_type", &type) &&
                read_text(reply, "instance_url", &instance);

    if (!read || !is_token(token) || (type && strcasecmp(type, "Bearer") != 0)) {
        answer_tell(call, SF_HOLD, "The token endpoint answered without a usable token.",
                    "Check that 'token_endpoint' is https://<my domain>/services/oauth2/token; "
                    "look for a proxy that answers itself.",
                    "'%s' answered HTTP %d without a Bearer access_token", oauth->endpoint,
                    answer->status);
        return PROV_OK;
    }
    grant->token = strdup(token);
    if (!grant->token)
        return PROV_E_NOMEM;
    read_identity(json_get_string(reply, "id"), grant);
    *ret_reply = STEAL(reply);
    return read_instance(oauth, instance, grant, call);
}

/* ---- the request ---- */

/* Sends the form. *ret_reply is the reply's JSON where there was a token in it. */
static int
send_form(struct oauth *oauth, struct http *http, const struct form *form, struct grant *grant,
          struct json_object **ret_reply, struct sf_call *call)
{
    const struct http_request request = { .method = "POST",
                                          .url = oauth->endpoint,
                                          .content_type = "application/x-www-form-urlencoded",
                                          .body = form->body,
                                          .body_length = strlen(form->body) };
    struct http_answer answer;
    int result;

    atomic_fetch_add(&oauth->requests, 1);
    result = http_call(http, &request, &answer);
    if (result)
        return result;
    if (answer.status >= 300) {
        for (size_t i = 0; i < form->secret_count; i++)
            answer_redact(answer.body, form->secrets[i]);
    }
    answer_judge(&answer, SF_LEVEL_TOKEN, 0, call);
    if (call->outcome == SF_DELIVERED)
        result = read_grant(oauth, &answer, grant, ret_reply, call);
    http_answer_clear(&answer);
    return result;
}

static int
make_form(struct oauth *oauth, size_t key, struct form *form, char owner[DIGEST_HEX_SIZE],
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
        return make_client_form(oauth, "client_credentials", form, err);
    }
}

/* One request, with one key. */
static int
request_once(struct oauth *oauth, struct http *http, size_t key, struct grant *grant,
             struct sf_call *call)
{
    CLEANUP(form_clear) struct form form = { .body = NULL };
    AUTO_JSON struct json_object *reply = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char owner[DIGEST_HEX_SIZE] = "";
    int result = make_form(oauth, key, &form, owner, &err);

    if (result == PROV_E_NOMEM)
        return result;
    if (result) {
        answer_tell(call, SF_HOLD, "What the login needs cannot be read.",
                    "Follow the message. It is read anew at the next try, no restart is needed.",
                    "%s", err.text);
        return PROV_OK;
    }
    result = send_form(oauth, http, &form, grant, &reply, call);
    if (!result && reply)
        result = take_refresh_token(oauth, reply, &form, owner, call);
    return result;
}

/* Whether another key may help. Which text Salesforce has for a signature that fits no certificate is
 * unsure (fact sheet 1.3), so any refusal of the grant counts. */
static bool
may_be_the_key(const struct sf_call *call)
{
    return strcmp(call->code, "invalid_grant") == 0 || strcmp(call->code, "invalid_client") == 0;
}

int
oauth_request(struct oauth *oauth, struct http *http, struct grant *ret, struct sf_call *call)
{
    struct grant grant = { .token = NULL };
    size_t first = atomic_load(&oauth->key_in_use) == 2, used = first;
    int result;

    *call = (struct sf_call){ .outcome = SF_RETRY, .cause = "", .remedy = "" };
    result = request_once(oauth, http, first, &grant, call);
    if (!result && call->outcome == SF_HOLD && oauth->private_key[1] && may_be_the_key(call)) {
        struct sf_call other = *call;
        grant_clear(&grant);
        used = !first;
        result = request_once(oauth, http, used, &grant, &other);
        /* of two refusals the words of the first key's stay */
        if (other.outcome == SF_DELIVERED)
            *call = other;
    }
    if (!result && call->outcome == SF_DELIVERED) {
        if (oauth->flow == SF_JWT_BEARER)
            atomic_store(&oauth->key_in_use, (unsigned)used + 1);
        *ret = grant;
    } else {
        grant_clear(&grant);
    }
    return result;
}
