/* The token endpoint and its sessions (section 1): which grant is asked for, client credentials on the
 * org's own host, who a session is, the end of one, and what the login host takes. Secrets here are made up for tests; nothing else is protected by
 * them. */
#include "tests/org/oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum {
    TOKEN_CHARACTERS = 96,
    JWT_CHARACTERS = 4500,
    HOUR_MS = 3600000
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

char *
oauth_random(size_t length)
{
    unsigned char *bytes = text_block(length);
    char *text = text_block(length + 1);

    for (size_t have = 0; have < length;) {
        ssize_t got = getrandom(bytes + have, length - have, 0);
        if (got <= 0) {
            fputs("sfprov-org: no random bytes\n", stderr);
            exit(71);
        }
        have += (size_t)got;
    }
    for (size_t i = 0; i < length; i++)
        text[i] = alphabet[bytes[i] % 64];
    free(bytes);
    return text;
}

/* 1.3 */
bool
oauth_refuse(struct call *call, const char *error, const char *description)
{
    struct json_object *answer = js_object();

    js_put_text(answer, "error", error);
    js_put_text(answer, "error_description", description);
    reply_json(call->reply, 400, answer);
    return false;
}

static int
base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c == '-' ? '+' : c == '_' ? '/' : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

char *
oauth_decode(const char *text, size_t length, size_t *ret_length)
{
    struct text out = { 0 };
    unsigned bits = 0, count = 0;

    text_add(&out, "", 0);
    for (size_t i = 0; i < length && text[i] != '='; i++) {
        int value = base64_value(text[i]);
        if (value < 0) {
            text_free(&out);
            return NULL;
        }
        bits = (bits << 6 | (unsigned)value) & 0xFFFF;
        count += 6;
        if (count >= 8) {
            char byte = (char)(bits >> (count - 8) & 0xFF);
            count -= 8;
            text_add(&out, &byte, 1);
        }
    }
    *ret_length = out.length;
    return out.data;
}

/* 1.4: client id and secret in the body or in Basic. Heap values. */
static void
client_of(struct call *call, char **ret_id, char **ret_secret)
{
    const char *authorization = call->request->authorization;
    const char *id = call_parameter(call, "client_id");
    const char *secret = call_parameter(call, "client_secret");
    AUTO_FREE char *pair = NULL;
    char *colon;

    if (authorization && strncasecmp(authorization, "Basic ", 6) == 0) {
        size_t length = 0;
        pair = oauth_decode(authorization + 6, strlen(authorization + 6), &length);
        colon = pair ? strchr(pair, ':') : NULL;
        if (colon) {
            *colon = '\0';
            id = pair;
            secret = colon + 1;
        }
    }
    *ret_id = text_copy(id ? id : "");
    *ret_secret = text_copy(secret ? secret : "");
}

/* The body's parameters, when it is a form. */
static bool
read_form(struct call *call)
{
    const char *type = call->request->content_type;

    if (!call->request->body_bytes || !type ||
        strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
        return true;
    return call_add_parameters(call, call->request->body, call->request->body_bytes);
}

bool
oauth_check_client(struct call *call, bool secret_needed)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *secret = NULL;

    client_of(call, &id, &secret);
    if (strcmp(id, call->org->world->client_id) != 0)
        return oauth_refuse(call, "invalid_client_id", "client identifier invalid");
    if ((secret_needed || *secret) && strcmp(secret, call->org->world->client_secret) != 0)
        return oauth_refuse(call, "invalid_client", "invalid client credentials");
    return true;
}

/* ---- users ---- */

struct row *
oauth_user(struct org *org, const char *username)
{
    struct table *users = &org->tables[OBJECT_USER];

    for (size_t i = 0; i < users->count; i++) {
        if (strcasecmp(js_get_text(users->rows[i]->values, "Username"), username) == 0)
            return users->rows[i];
    }
    return NULL;
}

static bool
is_frozen(struct row *user)
{
    struct row *login = user_login(user);

    return login && js_get_flag(login->values, "IsFrozen", false);
}

/* What a frozen user's login says is unsure: the sheet has no text of its own for it. */
bool
oauth_check_user(struct call *call, struct row *user)
{
    if (!js_get_flag(user->values, "IsActive", false))
        return oauth_refuse(call, "invalid_grant", "inactive user");
    if (is_frozen(user))
        return oauth_refuse(call, "invalid_grant", "authentication failure");
    return true;
}

bool
oauth_check_approval(struct call *call, struct row *user)
{
    const char *permitted = app_text(call->org, "permitted_users");

    if (app_lists(call->org, "approved", js_get_text(user->values, "Username")))
        return true;
    if (permitted && strcmp(permitted, "self_authorized") == 0)
        return oauth_refuse(call, "invalid_grant", "user hasn't approved this consumer");
    return oauth_refuse(call, "invalid_app_access",
                        "user is not admin approved to access this app");
}

/* ---- the token ---- */

/* 3600 logins a user and hour (section 10); which error the endpoint then gives is unsure. */
static bool
check_rate(struct call *call)
{
    struct org *org = call->org;
    int64_t now_ms = org->world->now_ms();

    if (now_ms - org->token_hour_ms >= HOUR_MS) {
        org->token_hour_ms = now_ms;
        org->token_hour_count = 0;
    }
    if (org->token_hour_count >= org->settings.token_max_hour)
        return oauth_refuse(call, "rate_limit_exceeded", "number of logins exceeded");
    org->token_hour_count++;
    return true;
}

/* Opaque, or in the form of a JWT (1.2), which is some KiB long. */
static char *
new_token(struct org *org)
{
    AUTO_FREE char *secret = oauth_random(TOKEN_CHARACTERS);
    AUTO_FREE char *claims = NULL;

    if (!app_flag(org, "jwt_access_tokens"))
        return text_format("%.15s!cAnArY.%s", org->id, secret);
    claims = oauth_random(JWT_CHARACTERS);
    for (char *at = claims; *at; at++)
        *at = *at == '.' ? '-' : *at;
    return text_format("eyJhbGciOiJSUzI1NiJ9.eyJ%s.%s", claims, "cAnArYc2lnbmF0dXJl");
}

/* 1.2: these keys and no expires_in; the address of newer orgs is no place for the calls here. */
void
oauth_grant(struct call *call, struct row *user, const char *refresh_token)
{
    struct org *org = call->org;
    struct json_object *answer, *session;
    int64_t now_ms = org->world->now_ms();
    AUTO_FREE char *token = new_token(org);
    AUTO_FREE char *identity =
        text_format("%s/id/%s/%s", org->world->login_origin, org->id, user->id);
    AUTO_FREE char *issued = text_format("%lld", (long long)now_ms);
    AUTO_FREE char *signature = oauth_random(43);
    AUTO_FREE char *signed_text = NULL;

    if (!check_rate(call))
        return;
    session = js_object();
    js_put_int(session, "at", now_ms);
    js_put_text(session, "user", user->id);
    js_put(org->tokens, token, session);
    for (char *at = signature; *at; at++)
        *at = *at == '.' ? '+' : *at == '_' ? '/' : *at;
    signed_text = text_format("%s=", signature);
    answer = js_object();
    js_put_text(answer, "access_token", token);
    js_put_text(answer, "signature", signed_text);
    js_put_text(answer, "scope", refresh_token ? "refresh_token api" : "api");
    js_put_text(answer, "instance_url", org->origin);
    js_put_text(answer, "id", identity);
    js_put_text(answer, "token_type", "Bearer");
    if (!app_flag(org, "jwt_access_tokens"))
        js_put_text(answer, "token_format", "opaque");
    js_put_text(answer, "api_instance_url", "https://api.salesforce.com");
    js_put_text(answer, "issued_at", issued);
    if (refresh_token)
        js_put_text(answer, "refresh_token", refresh_token);
    reply_json(call->reply, 200, answer);
}

/* 1.4 */
static void
grant_by_client(struct call *call)
{
    struct row *user = org_find(call->org, "User", call->org->execution_user);

    if (!oauth_check_client(call, true))
        return;
    if (!app_lists(call->org, "flows", "client_credentials")) /* text unsure */
        oauth_refuse(call, "invalid_grant", "client credentials flow not enabled");
    else if (oauth_check_user(call, user))
        oauth_grant(call, user, NULL);
}

static struct org *
org_of_username(struct world *world, struct call *call)
{
    const char *username = call_parameter(call, "username");

    for (size_t i = 0; username && i < world->org_count; i++) {
        if (oauth_user(world->orgs[i], username))
            return world->orgs[i];
    }
    return NULL;
}

static const struct {
    const char *type;
    void (*grant)(struct call *call);
    struct org *(*org_of)(struct world *world, struct call *call); /* NULL: not at the login host */
} grants[] = {
    { "client_credentials", grant_by_client, NULL },
    { "urn:ietf:params:oauth:grant-type:jwt-bearer", grant_by_jwt, org_of_jwt },
    { "password", grant_by_password, org_of_username },
    { "refresh_token", grant_by_refresh_token, org_of_refresh_token },
    { "authorization_code", grant_by_code, org_of_code },
};

/* The row of the grant that is asked for, or -1 with the reply. */
static int
read_grant(struct call *call)
{
    const char *type;

    if (!call_method_is(call, "POST")) {
        oauth_refuse(call, "invalid_request", "must use HTTP POST");
        return -1;
    }
    if (!read_form(call)) {
        oauth_refuse(call, "invalid_request", "malformed request body");
        return -1;
    }
    type = call_parameter(call, "grant_type");
    for (size_t i = 0; type && i < sizeof(grants) / sizeof(grants[0]); i++) {
        if (strcmp(type, grants[i].type) == 0)
            return (int)i;
    }
    oauth_refuse(call, "unsupported_grant_type", "grant type not supported");
    return -1;
}

void
api_token(struct call *call)
{
    int which;

    call->org->usage.token_requests++;
    which = read_grant(call);
    if (which >= 0)
        grants[which].grant(call);
}

/* ---- sessions ---- */

/* The token behind "Bearer " or "OAuth " (2.1), NULL for another scheme. */
static const char *
token_of(const char *authorization)
{
    static const char *const schemes[] = { "Bearer ", "OAuth " };

    for (size_t i = 0; i < 2; i++) {
        if (strncasecmp(authorization, schemes[i], strlen(schemes[i])) == 0)
            return authorization + strlen(schemes[i]);
    }
    return NULL;
}

/* The user whose session it is; NULL: it is none, or none any more. */
static struct row *
session_user(struct org *org, const char *token)
{
    struct json_object *session = js_get(org->tokens, token);
    struct row *user = session ? org_find(org, "User", js_get_text(session, "user")) : NULL;

    if (!user || !js_get_flag(user->values, "IsActive", false) || is_frozen(user) ||
        org->world->now_ms() - js_get_int(session, "at", 0) >= org->settings.token_life_s * 1000)
        return NULL;
    return user;
}

bool
call_is_authorized(struct call *call)
{
    const char *authorization = call->request->authorization;
    const char *token = authorization ? token_of(authorization) : NULL;

    call->user = token ? session_user(call->org, token) : NULL;
    if (call->user)
        return true;
    if (authorization && !token) /* 6.2, unsure */
        reply_error(call->reply, 401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE");
    else
        reply_error(call->reply, 401, "INVALID_SESSION_ID", "Session expired or invalid");
    return false;
}

/* 1.9: plain text, unlike all else. */
static bool
check_identity_token(struct call *call)
{
    static const char text[] = "Bad_OAuth_Token";
    const char *authorization = call->request->authorization;
    const char *token = authorization ? token_of(authorization) : NULL;

    call->user = token ? session_user(call->org, token) : NULL;
    if (call->user)
        return true;
    call->reply->status = 403;
    call->reply->body = text_copy(text);
    call->reply->body_bytes = sizeof(text) - 1;
    reply_header(call->reply, "Content-Type", "text/html;charset=UTF-8");
    return false;
}

static void
put_user(struct json_object *answer, struct row *user, const char *key, const char *field)
{
    js_put(answer, key, json_object_get(js_get(user->values, field)));
}

/* 1.9, the keys that say something here. */
void
api_userinfo(struct call *call)
{
    struct row *user;
    struct json_object *answer;

    if (!check_identity_token(call))
        return;
    user = call->user;
    AUTO_FREE char *subject =
        text_format("%s/id/%s/%s", call->org->world->login_origin, call->org->id, user->id);
    answer = js_object();
    js_put_text(answer, "sub", subject);
    js_put_text(answer, "user_id", user->id);
    js_put_text(answer, "organization_id", call->org->id);
    put_user(answer, user, "preferred_username", "Username");
    put_user(answer, user, "nickname", "CommunityNickname");
    put_user(answer, user, "name", "Name");
    put_user(answer, user, "email", "Email");
    js_put_flag(answer, "email_verified", true);
    put_user(answer, user, "given_name", "FirstName");
    put_user(answer, user, "family_name", "LastName");
    put_user(answer, user, "zoneinfo", "TimeZoneSidKey");
    js_put_flag(answer, "active", true);
    js_put_text(answer, "user_type", "STANDARD");
    put_user(answer, user, "language", "LanguageLocaleKey");
    put_user(answer, user, "locale", "LocaleSidKey");
    reply_json(call->reply, 200, answer);
}

void
api_identity(struct call *call)
{
    struct row *user = org_find(call->org, "User", call->segments[2]);
    struct json_object *answer;

    if (strcmp(call->segments[1], call->org->id) != 0 || !user) {
        reply_not_found(call->reply);
        return;
    }
    if (!check_identity_token(call))
        return;
    if (call->user != user) { /* unsure: only one's own identity is asked for here */
        reply_not_found(call->reply);
        return;
    }
    AUTO_FREE char *id =
        text_format("%s/id/%s/%s", call->org->world->login_origin, call->org->id, user->id);
    answer = js_object();
    js_put_text(answer, "id", id);
    js_put_flag(answer, "asserted_user", true);
    js_put_text(answer, "user_id", user->id);
    js_put_text(answer, "organization_id", call->org->id);
    put_user(answer, user, "username", "Username");
    put_user(answer, user, "nick_name", "CommunityNickname");
    put_user(answer, user, "display_name", "Name");
    put_user(answer, user, "email", "Email");
    js_put_flag(answer, "active", true);
    js_put_text(answer, "user_type", "STANDARD");
    reply_json(call->reply, 200, answer);
}

/* ---- the end of a session ---- */

/* False: no org knows it. */
static bool
end_session(struct org *org, const char *token)
{
    if (!js_get(org->tokens, token))
        return refresh_token_end(org, token);
    json_object_object_del(org->tokens, token);
    return true;
}

/* 1.9: a token that is not known is refused. */
static void
revoke_in(struct call *call, struct org **orgs, size_t count)
{
    const char *token = NULL;

    if (!call_method_is(call, "POST") || !read_form(call) ||
        !(token = call_parameter(call, "token"))) {
        oauth_refuse(call, "invalid_request", "a POST with a token is needed");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (end_session(orgs[i], token)) {
            call->reply->status = 200;
            return;
        }
    }
    oauth_refuse(call, "unsupported_token_type", "this token type is not supported");
}

void
api_revoke(struct call *call)
{
    revoke_in(call, &call->org, 1);
}

/* ---- the login host ---- */

/* What stands behind the `id` of a token reply. */
static void
login_identity(struct world *world, struct call *call)
{
    for (size_t i = 0; i < world->org_count; i++) {
        if (strcmp(world->orgs[i]->id, call->segments[1]) == 0)
            call->org = world->orgs[i];
    }
    if (!call->org)
        reply_not_found(call->reply);
    else if (call_method_is(call, "GET"))
        api_identity(call);
    else
        reply_not_allowed(call->reply, call->request->method, "HEAD,GET");
}

/* Every grant but client credentials; whose it is follows from what is sent. Who cannot be told gets the
 * words of a wrong secret, for there is no org to ask. */
static void
login_token(struct world *world, struct call *call)
{
    int which = read_grant(call);

    if (which < 0)
        return;
    if (!grants[which].org_of) {
        oauth_refuse(call, "invalid_grant", "request not supported on this domain");
        return;
    }
    call->org = grants[which].org_of(world, call);
    if (call->org) {
        call->org->usage.token_requests++;
        grants[which].grant(call);
    } else {
        oauth_refuse(call, "invalid_grant", "authentication failure");
    }
}

void
login_answer(struct world *world, struct call *call)
{
    if (call->segment_count == 3 && strcmp(call->segments[0], "id") == 0)
        login_identity(world, call);
    else if (strcmp(call->path, "/services/oauth2/revoke") == 0)
        revoke_in(call, world->orgs, world->org_count);
    else if (strcmp(call->path, "/services/oauth2/token") == 0)
        login_token(world, call);
    else
        reply_not_found(call->reply);
}
