/* The authorization code flow (1.8): the page where a person says yes, and the exchange of the code. The
 * person is a setting of the app: `authorizes_as`. */
#include "tests/org/oauth.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE_LIFE_MS = 600000 /* 10 minutes; 15 are said elsewhere (unsure) */
};

static void
add_encoded(struct text *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            text_add(out, text, 1);
        else
            text_addf(out, "%%%02X", (unsigned char)*text);
    }
}

/* 302 to the redirect URI with one parameter, and the state. */
static void
redirect(struct call *call, const char *name, const char *value, const char *description)
{
    const char *uri = call_parameter(call, "redirect_uri"), *state = call_parameter(call, "state");
    AUTO_TEXT struct text to = { 0 };

    text_addf(&to, "%s%s%s=", uri, strchr(uri, '?') ? "&" : "?", name);
    add_encoded(&to, value);
    if (description) {
        text_addf(&to, "&error_description=");
        add_encoded(&to, description);
    }
    if (state) {
        text_addf(&to, "&state=");
        add_encoded(&to, state);
    }
    call->reply->status = 302;
    reply_header(call->reply, "Location", to.data);
}

/* What has no redirect URI that can be trusted is told on the page itself. */
static void
tell_page(struct call *call, const char *error, const char *description)
{
    call->reply->status = 400;
    call->reply->body =
        text_format("<html><body>error=%s&error_description=%s</body></html>", error, description);
    call->reply->body_bytes = strlen(call->reply->body);
    reply_header(call->reply, "Content-Type", "text/html;charset=UTF-8");
}

static bool
check_asker(struct call *call)
{
    const char *client = call_parameter(call, "client_id");
    const char *uri = call_parameter(call, "redirect_uri");

    if (!client || strcmp(client, call->org->world->client_id) != 0)
        tell_page(call, "invalid_client_id", "client identifier invalid");
    else if (!uri)
        tell_page(call, "redirect_uri_missing", "redirect_uri not provided");
    else if (!app_lists(call->org, "callback_urls", uri))
        tell_page(call, "redirect_uri_mismatch", "redirect_uri must match configuration");
    else
        return true;
    return false;
}

static bool
check_wish(struct call *call)
{
    const char *type = call_parameter(call, "response_type");
    const char *method = call_parameter(call, "code_challenge_method");

    if (!type || strcmp(type, "code") != 0)
        redirect(call, "error", "unsupported_response_type", "response type not supported");
    else if (!app_lists(call->org, "flows", "authorization_code"))
        redirect(call, "error", "invalid_request", "flow not enabled");
    else if (app_flag(call->org, "pkce_required") && !call_parameter(call, "code_challenge"))
        redirect(call, "error", "invalid_request", "missing required code challenge");
    else if (method && strcmp(method, "S256") != 0)
        redirect(call, "error", "invalid_request", "invalid code challenge method");
    else
        return true;
    return false;
}

static bool
asks_for(const char *scope, const char *wanted)
{
    size_t length = strlen(wanted);

    for (const char *at = scope; at && (at = strstr(at, wanted)); at += length) {
        if ((at == scope || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    }
    return false;
}

void
api_authorize(struct call *call)
{
    const char *username = app_text(call->org, "authorizes_as");
    const char *scope = call_parameter(call, "scope");
    struct row *user = username ? oauth_user(call->org, username) : NULL;
    struct json_object *entry;
    AUTO_FREE char *random = NULL;
    AUTO_FREE char *code = NULL;

    if (!call_method_is(call, "GET")) {
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
        return;
    }
    if (!check_asker(call) || !check_wish(call))
        return;
    if (!user) {
        redirect(call, "error", "access_denied", "end-user denied authorization");
        return;
    }
    entry = js_object();
    js_put_text(entry, "user", user->id);
    js_put_text(entry, "redirect_uri", call_parameter(call, "redirect_uri"));
    js_put_text(entry, "challenge", call_parameter(call, "code_challenge"));
    js_put_int(entry, "at", call->org->world->now_ms());
    js_put_flag(entry, "refresh",
                asks_for(scope, "refresh_token") || asks_for(scope, "offline_access"));
    random = oauth_random(76);
    code = text_format("aPrxcAnArY%s==", random);
    js_put(call->org->codes, code, entry);
    redirect(call, "code", code, NULL);
}

struct org *
org_of_code(struct world *world, struct call *call)
{
    const char *code = call_parameter(call, "code");

    for (size_t i = 0; code && i < world->org_count; i++) {
        if (js_get(world->orgs[i]->codes, code))
            return world->orgs[i];
    }
    return NULL;
}

/* RFC 7636 4.6: base64url of the SHA-256 of the verifier. */
static bool
verifies(const char *challenge, const char *verifier)
{
    unsigned char digest[32];
    size_t length = 0;
    AUTO_FREE char *wanted = oauth_decode(challenge, strlen(challenge), &length);

    return verifier && wanted && length == sizeof(digest) &&
           EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(digest, wanted, length) == 0;
}

static bool
check_code(struct call *call, struct json_object *entry)
{
    const char *uri = call_parameter(call, "redirect_uri");
    const char *challenge = js_get_text(entry, "challenge");

    if (!entry)
        return oauth_refuse(call, "invalid_grant", "invalid authorization code");
    if (call->org->world->now_ms() - js_get_int(entry, "at", 0) >= CODE_LIFE_MS)
        return oauth_refuse(call, "invalid_grant", "expired authorization code");
    if (!uri || strcmp(uri, js_get_text(entry, "redirect_uri")) != 0)
        return oauth_refuse(call, "redirect_uri_mismatch", "redirect_uri must match configuration");
    if (challenge && !verifies(challenge, call_parameter(call, "code_verifier")))
        return oauth_refuse(call, "invalid_grant", "invalid code verifier");
    return true;
}

void
grant_by_code(struct call *call)
{
    struct org *org = call->org;
    const char *code = call_parameter(call, "code");
    AUTO_JS struct json_object *entry = code ? json_object_get(js_get(org->codes, code)) : NULL;
    AUTO_FREE char *refresh = NULL;
    struct row *user;

    if (!oauth_check_client(call, app_flag(org, "secret_for_code")))
        return;
    if (entry)
        json_object_object_del(org->codes, code); /* one use, whatever comes of it */
    if (!check_code(call, entry))
        return;
    user = org_find(org, "User", js_get_text(entry, "user"));
    if (!user || !oauth_check_user(call, user))
        return;
    if (js_get_flag(entry, "refresh", false) && app_lists(org, "flows", "refresh_token"))
        refresh = refresh_token_new(org, user);
    oauth_grant(call, user, refresh);
}
