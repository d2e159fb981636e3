/* The external client app as an admin of the org has set it up (1.4 to 1.8, 1.11). What is not set is as
 * strict as a new org: client credentials only. */
#include "tests/org/oauth.h"

#include <string.h>

struct json_object *
app_new(void)
{
    struct json_object *app = js_object(), *flows = js_array();

    js_append(flows, js_string("client_credentials"));
    js_put(app, "flows", flows); /* jwt_bearer, password, refresh_token, authorization_code */
    js_put(app, "certificates", js_array());               /* PEM */
    js_put(app, "approved", js_array());                   /* usernames */
    js_put_text(app, "permitted_users", "admin_approved"); /* or self_authorized */
    js_put(app, "callback_urls", js_array());
    js_put_text(app, "security_token", "simulatedcAnArYToken0000"); /* of every user */
    js_put_text(app, "authorizes_as", NULL); /* who is at the browser; absent: he says no */
    js_put_flag(app, "pkce_required", true);
    js_put_flag(app, "secret_for_code", true);
    js_put_flag(app, "secret_for_refresh_token", true);
    js_put_flag(app, "refresh_token_rotation", false);
    js_put_flag(app, "jwt_access_tokens", false);
    return app;
}

const char *
app_text(struct org *org, const char *name)
{
    return js_get_text(org->app, name);
}

bool
app_flag(struct org *org, const char *name)
{
    return js_get_flag(org->app, name, false);
}

bool
app_lists(struct org *org, const char *name, const char *text)
{
    struct json_object *list = js_get(org->app, name);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        const char *entry = json_object_get_string(json_object_array_get_idx(list, i));
        if (entry && strcmp(entry, text) == 0)
            return true;
    }
    return false;
}
