/* The JWT bearer grant (1.5): signature, claims, approval. Where the sheet is unsure, strict: the
 * audience is exactly the login host of the kind of org, `exp` lies within three minutes. */
#include "tests/org/oauth.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIFE_S = 180,
    SKEW_S = 5
};

/* Header and claims of an assertion, and what is signed of it. */
struct assertion {
    struct json_object *header, *claims;
    const char *text;
    size_t signed_length;
    char *signature;
    size_t signature_length;
};

static void
assertion_free(struct assertion *assertion)
{
    json_object_put(assertion->header);
    json_object_put(assertion->claims);
    free(assertion->signature);
}

static struct json_object *
read_part(const char *text, size_t length)
{
    size_t decoded = 0;
    AUTO_FREE char *json = oauth_decode(text, length, &decoded);
    struct json_object *value = json ? json_tokener_parse(json) : NULL;

    if (json_object_is_type(value, json_type_object))
        return value;
    json_object_put(value);
    return NULL;
}

static bool
read_assertion(const char *text, struct assertion *ret)
{
    const char *first = text ? strchr(text, '.') : NULL;
    const char *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || strchr(second + 1, '.'))
        return false;
    ret->text = text;
    ret->signed_length = (size_t)(second - text);
    ret->header = read_part(text, (size_t)(first - text));
    ret->claims = read_part(first + 1, (size_t)(second - first - 1));
    ret->signature = oauth_decode(second + 1, strlen(second + 1), &ret->signature_length);
    return ret->header && ret->claims && ret->signature;
}

static bool
is_signed_by(const struct assertion *assertion, const char *pem)
{
    BIO *memory = BIO_new_mem_buf(pem, -1);
    X509 *certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fits =
        certificate && context && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0 &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(certificate)) ==
            1 &&
        EVP_DigestVerify(context, (const unsigned char *)assertion->signature,
                         assertion->signature_length, (const unsigned char *)assertion->text,
                         assertion->signed_length) == 1;

    EVP_MD_CTX_free(context);
    X509_free(certificate);
    BIO_free(memory);
    return fits;
}

static bool
check_signature(struct call *call, const struct assertion *assertion)
{
    struct json_object *certificates = js_get(call->org->app, "certificates");
    const char *algorithm = js_get_text(assertion->header, "alg");

    for (size_t i = 0;
         algorithm && strcmp(algorithm, "RS256") == 0 && i < json_object_array_length(certificates);
         i++) {
        if (is_signed_by(assertion,
                         json_object_get_string(json_object_array_get_idx(certificates, i))))
            return true;
    }
    return oauth_refuse(call, "invalid_grant", "invalid assertion");
}

static bool
check_claims(struct call *call, struct json_object *claims)
{
    const char *issuer = js_get_text(claims, "iss"), *audience = js_get_text(claims, "aud");
    const char *wanted = call->org->settings.sandbox ? "https://test.salesforce.com"
                                                     : "https://login.salesforce.com";
    int64_t now_s = call->org->world->now_ms() / 1000, end_s = js_get_int(claims, "exp", 0);

    if (!issuer || strcmp(issuer, call->org->world->client_id) != 0)
        return oauth_refuse(call, "invalid_client_id", "client identifier invalid");
    if (!audience || strcmp(audience, wanted) != 0)
        return oauth_refuse(call, "invalid_grant", "audience is invalid");
    if (end_s <= now_s - SKEW_S) /* unsure text */
        return oauth_refuse(call, "invalid_grant", "assertion expired");
    if (end_s > now_s + LIFE_S + SKEW_S) /* unsure whether there is a bound */
        return oauth_refuse(call, "invalid_grant", "invalid assertion");
    return true;
}

void
grant_by_jwt(struct call *call)
{
    __attribute__((cleanup(assertion_free))) struct assertion assertion = { 0 };
    const char *subject;
    struct row *user;

    if (!app_lists(call->org, "flows", "jwt_bearer")) {
        oauth_refuse(call, "unsupported_grant_type", "grant type not supported");
        return;
    }
    if (!read_assertion(call_parameter(call, "assertion"), &assertion)) {
        oauth_refuse(call, "invalid_grant", "invalid assertion");
        return;
    }
    if (!check_claims(call, assertion.claims) || !check_signature(call, &assertion))
        return;
    subject = js_get_text(assertion.claims, "sub");
    user = subject ? oauth_user(call->org, subject) : NULL;
    if (!user)
        oauth_refuse(call, "invalid_grant", "user hasn't approved this consumer");
    else if (oauth_check_user(call, user) && oauth_check_approval(call, user))
        oauth_grant(call, user, NULL);
}

struct org *
org_of_jwt(struct world *world, struct call *call)
{
    __attribute__((cleanup(assertion_free))) struct assertion assertion = { 0 };
    const char *subject = read_assertion(call_parameter(call, "assertion"), &assertion)
                              ? js_get_text(assertion.claims, "sub")
                              : NULL;

    for (size_t i = 0; subject && i < world->org_count; i++) {
        if (oauth_user(world->orgs[i], subject))
            return world->orgs[i];
    }
    return NULL;
}
