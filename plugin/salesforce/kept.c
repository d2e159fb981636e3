/* Keeps and finds the shared access token. What is kept names the settings it was given for: another
 * client, user or endpoint does not take it. */
#include "plugin/salesforce/kept.h"

#include <string.h>

#include "plugin/base/json.h"
#include "plugin/base/secret_ref.h"

#define KEPT_ACCESS "access_token"

static void
take_id(struct json_object *kept, const char *name, char ret[SF_ID_SIZE])
{
    const char *id = json_get_string(kept, name);

    if (!id || sf_id_normalise(id, ret, NULL) != PROV_OK)
        ret[0] = '\0';
}

static bool
is_refused(const char *token, const char *refused)
{
    char digest[DIGEST_HEX_SIZE];

    return *refused &&
           (digest_hex(token, strlen(token), digest) != PROV_OK || strcmp(digest, refused) == 0);
}

int
kept_read(const struct oauth *oauth, const struct sf_keeper *keeper,
          const char refused[DIGEST_HEX_SIZE], struct grant *ret)
{
    AUTO_SECRET char *text = NULL;
    AUTO_JSON struct json_object *kept = NULL;
    const char *token, *instance, *owner;

    if (!keeper->get || keeper->get(keeper->context, KEPT_ACCESS, &text, NULL) != PROV_OK || !text)
        return PROV_OK;
    if (json_parse(text, strlen(text), "the kept access token", &kept, NULL) != PROV_OK)
        return PROV_OK;
    token = json_get_string(kept, "token");
    instance = json_get_string(kept, "instance");
    owner = json_get_string(kept, "for");
    if (!token || !*token || !instance || !owner || strcmp(owner, oauth_fingerprint(oauth)) != 0 ||
        is_refused(token, refused) || !oauth_trusts(oauth, instance))
        return PROV_OK;
    ret->token = secret_copy(token);
    ret->instance = strdup(instance);
    take_id(kept, "org_id", ret->org_id);
    take_id(kept, "user_id", ret->user_id);
    if (ret->token && ret->instance)
        return PROV_OK;
    grant_clear(ret);
    return PROV_E_NOMEM;
}

void
kept_write(const struct oauth *oauth, const struct sf_keeper *keeper, const struct grant *grant)
{
    AUTO_JSON struct json_object *kept = json_object_new_object();
    AUTO_SECRET char *text = NULL;

    if (!keeper->put || !kept || json_put_string(kept, "for", oauth_fingerprint(oauth)) ||
        json_put_string(kept, "token", grant->token) ||
        json_put_string(kept, "instance", grant->instance) ||
        json_put_string(kept, "org_id", grant->org_id) ||
        json_put_string(kept, "user_id", grant->user_id) || !(text = secret_take(json_text(kept))))
        return;
    (void)keeper->put(keeper->context, KEPT_ACCESS, text, NULL);
}
