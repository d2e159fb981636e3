/*
 * The token endpoint's client. It decides what is sent there (one form for each flow, fact sheet 1.4 to
 * 1.8) and what of the reply is believed. Secrets are read at each request and wiped after it: changing
 * one needs no restart.
 */
#include "plugin/salesforce/oauth_form.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/digest.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/address.h"
#include "plugin/salesforce/answer.h"

#define TOKEN_MAX_BYTES 16384 /* opaque, some are JWTs (fact sheet 1.2) */

void
grant_clear(struct grant *grant)
{
    secret_free(grant->token);
    free(grant->instance);
    *grant = (struct grant){ .token = NULL };
}

/* ---- opening and closing ---- */

static int
copy_all(struct oauth *oauth, const struct sf_settings *from)
{
    const struct {
        char **member;
        const char *text;
        char *(*copy)(const char *);
    } texts[] = { { &oauth->endpoint, from->token_endpoint, strdup },
                  { &oauth->allowed_hosts, from->allowed_hosts, strdup },
                  { &oauth->client_id, from->client_id, strdup },
                  { &oauth->username, from->username, strdup },
                  { &oauth->audience, from->audience, strdup },
                  { &oauth->certificate, from->certificate, strdup },
                  { &oauth->client_secret, from->client_secret, secret_copy },
                  { &oauth->password, from->password, secret_copy },
                  { &oauth->security_token, from->security_token, secret_copy },
                  { &oauth->refresh_token, from->refresh_token, secret_copy },
                  { &oauth->private_key[0], from->private_key, secret_copy },
                  { &oauth->private_key[1], from->private_key_next, secret_copy },
                  { &oauth->private_key_password, from->private_key_password, secret_copy } };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text && !(*texts[i].member = texts[i].copy(texts[i].text)))
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
    secret_free(oauth->client_secret);
    secret_free(oauth->password);
    secret_free(oauth->security_token);
    secret_free(oauth->refresh_token);
    secret_free(oauth->private_key[0]);
    secret_free(oauth->private_key[1]);
    secret_free(oauth->private_key_password);
    secret_free(oauth->unkept);
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

/* ---- the reply ---- */

bool
oauth_trusts(const struct oauth *oauth, const char *url)
{
    struct http_origin instance;

    return http_origin_parse(url, &instance, NULL) == PROV_OK &&
           address_is_trusted(&oauth->origin, &instance, oauth->allowed_hosts);
}

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

    if (!read || !is_token(token) || (type && ascii_compare(type, "Bearer") != 0)) {
        answer_tell(call, SF_HOLD, "The token endpoint answered without a usable token.",
                    "Check that 'token_endpoint' is https://<my domain>/services/oauth2/token; "
                    "look for a proxy that answers itself.",
                    "'%s' answered HTTP %d without a Bearer access_token", oauth->endpoint,
                    answer->status);
        return PROV_OK;
    }
    grant->token = secret_copy(token);
    if (!grant->token)
        return PROV_E_NOMEM;
    read_identity(json_get_string(reply, "id"), grant);
    *ret_reply = STEAL(reply);
    return read_instance(oauth, instance, grant, call);
}

/* ---- the request ---- */

int
oauth_send(struct oauth *oauth, struct http *http, const struct form *form, struct grant *grant,
           struct json_object **ret_reply, struct sf_call *call)
{
    const struct http_request request = { .method = "POST",
                                          .url = oauth->endpoint,
                                          .content_type = "application/x-www-form-urlencoded",
                                          .body = form->body,
                                          .body_length = strlen(form->body),
                                          .body_secret = true };
    struct http_answer answer;
    int result;

    atomic_fetch_add(&oauth->requests, 1);
    result = http_call(http, &request, &answer);
    if (result)
        return result;
    /* before the words are cut, except out of what may hold a token; and as they stand in the JSON */
    for (size_t i = 0; i < form->secret_count && !answer_is_success(&answer); i++)
        answer_redact(answer.body, form->secrets[i]);
    answer_judge(&answer, SF_LEVEL_TOKEN, 0, call);
    if (call->outcome == SF_DELIVERED)
        result = read_grant(oauth, &answer, grant, ret_reply, call);
    for (size_t i = 0; i < form->secret_count; i++) {
        answer_redact(call->code, form->secrets[i]);
        answer_redact(call->message, form->secrets[i]);
    }
    http_answer_clear(&answer);
    return result;
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
    int result = form_of_flow(oauth, key, &form, owner, &err);

    if (result == PROV_E_NOMEM)
        return result;
    if (result) {
        answer_tell(call, SF_HOLD, "What the login needs cannot be read.",
                    "Follow the message. It is read anew at the next try, no restart is needed.",
                    "%s", err.text);
        return PROV_OK;
    }
    result = oauth_send(oauth, http, &form, grant, &reply, call);
    if (!result && reply)
        result = refresh_take(oauth, reply, &form, owner, call);
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
