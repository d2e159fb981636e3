/* Grants that act for a named user: username-password (1.7) and refresh token (1.6). */
#include "tests/org/oauth.h"

#include <string.h>

/* 1.7: blocked in orgs created Summer '23 or later, and the reply does not say so. */
void
grant_by_password(struct call *call)
{
    const char *username = call_parameter(call, "username");
    const char *password = call_parameter(call, "password");
    struct row *user = username ? oauth_user(call->org, username) : NULL;
    struct json_object *newest =
        user && user->passwords ? json_object_array_get_idx(user->passwords, 0) : NULL;
    AUTO_FREE char *wanted = NULL;

    if (!oauth_check_client(call, true))
        return;
    if (!app_lists(call->org, "flows", "password") || !newest || !password) {
        oauth_refuse(call, "invalid_grant", "authentication failure");
        return;
    }
    /* the security token stands behind the password: no address is trusted here */
    wanted =
        text_format("%s%s", json_object_get_string(newest), app_text(call->org, "security_token"));
    if (strcmp(wanted, password) != 0)
        oauth_refuse(call, "invalid_grant", "authentication failure");
    else if (oauth_check_user(call, user))
        oauth_grant(call, user, NULL);
}

/* ---- refresh tokens ---- */

static char *
add_refresh_token(struct org *org, const char *user_id, const char *line)
{
    AUTO_FREE char *random = oauth_random(80);
    char *token = text_format("5Aep861cAnArY%s", random);
    struct json_object *entry = js_object();

    js_put_text(entry, "user", user_id);
    js_put_text(entry, "line", line ? line : token);
    js_put(org->refresh_tokens, token, entry);
    return token;
}

char *
refresh_token_new(struct org *org, struct row *user)
{
    return add_refresh_token(org, user->id, NULL);
}

/* Ends the whole line of a token: what came before and after it. */
static void
end_line(struct org *org, const char *line_of)
{
    AUTO_FREE char *line = text_copy(line_of);
    struct json_object *left = js_object();

    json_object_object_foreach(org->refresh_tokens, token, entry)
    {
        if (strcmp(js_get_text(entry, "line"), line) != 0)
            js_put(left, token, json_object_get(entry));
    }
    json_object_put(org->refresh_tokens);
    org->refresh_tokens = left;
}

bool
refresh_token_end(struct org *org, const char *token)
{
    struct json_object *entry = js_get(org->refresh_tokens, token);

    if (entry)
        end_line(org, js_get_text(entry, "line"));
    return entry != NULL;
}

struct org *
org_of_refresh_token(struct world *world, struct call *call)
{
    const char *token = call_parameter(call, "refresh_token");

    for (size_t i = 0; token && i < world->org_count; i++) {
        if (js_get(world->orgs[i]->refresh_tokens, token))
            return world->orgs[i];
    }
    return NULL;
}

/* 1.6: with rotation a token is good for one use, and a second use ends the whole line. */
void
grant_by_refresh_token(struct call *call)
{
    struct org *org = call->org;
    const char *token = call_parameter(call, "refresh_token");
    struct json_object *entry = token ? js_get(org->refresh_tokens, token) : NULL;
    struct row *user = entry ? org_find(org, "User", js_get_text(entry, "user")) : NULL;
    AUTO_FREE char *next = NULL;

    if (!oauth_check_client(call, app_flag(org, "secret_for_refresh_token")))
        return;
    if (entry && js_get_flag(entry, "used", false)) {
        end_line(org, js_get_text(entry, "line"));
        entry = NULL;
    }
    if (!entry || !user || !app_lists(org, "flows", "refresh_token")) {
        oauth_refuse(call, "invalid_grant", "expired access/refresh token");
        return;
    }
    if (!oauth_check_user(call, user))
        return;
    if (app_flag(org, "refresh_token_rotation")) {
        js_put_flag(entry, "used", true);
        next = add_refresh_token(org, user->id, js_get_text(entry, "line"));
    }
    oauth_grant(call, user, next);
}
