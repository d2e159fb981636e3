/* Makes the assertion. The algorithm is fixed: nothing that is configured or received chooses it. */
#include "plugin/salesforce/jwt.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/json.h"
#include "plugin/base/secret_ref.h"

static char *
claims_text(const struct jwt_claims *claims)
{
    AUTO_JSON struct json_object *json = json_object_new_object();

    if (!json || json_put_string(json, "iss", claims->issuer) ||
        json_put_string(json, "sub", claims->subject) ||
        json_put_string(json, "aud", claims->audience) ||
        json_put_int(json, "exp", claims->now_s + JWT_LIFE_S))
        return NULL;
    return json_text(json);
}

int
jwt_make(const struct key *key, const struct jwt_claims *claims, char **ret, struct prov_error *err)
{
    static const char header[] = "{\"alg\":\"RS256\"}";
    AUTO_FREE char *text = claims_text(claims);
    AUTO_FREE char *first = key_base64url(header, strlen(header));
    AUTO_FREE char *second = text ? key_base64url(text, strlen(text)) : NULL;
    AUTO_FREE char *to_sign = NULL;
    AUTO_SECRET char *signature = NULL; /* the rest of it is no secret */
    int r;

    if (!first || !second || asprintf(&to_sign, "%s.%s", first, second) < 0) {
        to_sign = NULL;
        return error_nomem(err);
    }
    r = key_sign(key, to_sign, &signature, err);
    if (r)
        return r;
    *ret = secret_format("%s.%s", to_sign, signature);
    return *ret ? PROV_OK : error_nomem(err);
}
