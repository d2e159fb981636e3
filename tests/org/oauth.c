/* Tokens (section 1): client credentials on the org's own host, sessions, who a session is, the end of
 * one, and what the login host says to all of that. Secrets here are made up for tests; nothing else is protected by
 * them. */
#include "tests/org/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum {
    TOKEN_CHARACTERS = 96,
    HOUR_MS = 3600000
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

static void
random_text(char *out, size_t length)
{
    unsigned char bytes[128];

    if (length > sizeof(bytes) || getrandom(bytes, length, 0) != (ssize_t)length) {
        fputs("sfprov-org: no random bytes\n", stderr);
        exit(71);
    }
    for (size_t i = 0; i < length; i++)
        out[i] = alphabet[bytes[i] % 64];
    out[length] = '\0';
}

/* 1.3 */
static void
refuse_token(struct call *call, const char *error, const char *description)
{
    struct json_object *answer = js_object();

    js_put_text(answer, "error", error);
    js_put_text(answer, "error_description", description);
    reply_json(call->reply, 400, answer);
}

static int
base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Heap; NULL for what is not base64. */
static char *
base64_decode(const char *text)
{
    struct text out = { 0 };
    unsigned bits = 0, count = 0;

    text_add(&out, "", 0);
    for (; *text && *text != '='; text++) {
        int value = base64_value(*text);
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
        pair = base64_decode(authorization + 6);
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

/* What both hosts ask first. */
static bool
check_grant(struct call *call)
{
    const char *grant;

    if (!call_method_is(call, "POST")) {
        refuse_token(call, "invalid_request", "must use HTTP POST");
        return false;
    }
    if (!read_form(call)) {
        refuse_token(call, "invalid_request", "malformed request body");
        return false;
    }
    grant = call_parameter(call, "grant_type");
    if (grant && strcmp(grant, "client_credentials") == 0)
        return true;
    refuse_token(call, "unsupported_grant_type", "grant type not supported");
    return false;
}

static bool
check_client(struct call *call)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *secret = NULL;

    client_of(call, &id, &secret);
    if (strcmp(id, call->org->world->client_id) != 0) {
        refuse_token(call, "invalid_client_id", "client identifier invalid");
        return false;
    }
    if (strcmp(secret, call->org->world->client_secret) != 0) {
        refuse_token(call, "invalid_client", "invalid client credentials");
        return false;
    }
    return true;
}

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
    if (org->token_hour_count >= org->settings.token_max_hour) {
        refuse_token(call, "rate_limit_exceeded", "number of logins exceeded");
        return false;
    }
    org->token_hour_count++;
    return true;
}

/* 1.2: these keys and no expires_in. */
static void
grant_token(struct call *call)
{
    struct org *org = call->org;
    struct json_object *answer = js_object();
    int64_t now_ms = org->world->now_ms();
    char secret[TOKEN_CHARACTERS + 1], signature[44];
    AUTO_FREE char *token = NULL;
    AUTO_FREE char *identity = NULL;
    AUTO_FREE char *issued = text_format("%lld", (long long)now_ms);

    random_text(secret, TOKEN_CHARACTERS);
    random_text(signature, 43);
    for (char *at = signature; *at; at++)
        *at = *at == '.' ? '+' : *at == '_' ? '/' : *at;
    token = text_format("%.15s!%s", org->id, secret);
    identity = text_format("%s/id/%s/%s", org->world->login_origin, org->id, org->execution_user);
    js_put_int(org->tokens, token, now_ms);
    js_put_text(answer, "access_token", token);
    AUTO_FREE char *signed_text = text_format("%s=", signature);
    js_put_text(answer, "signature", signed_text);
    js_put_text(answer, "scope", "api");
    js_put_text(answer, "instance_url", org->origin);
    js_put_text(answer, "id", identity);
    js_put_text(answer, "token_type", "Bearer");
    js_put_text(answer, "issued_at", issued);
    reply_json(call->reply, 200, answer);
}

void
api_token(struct call *call)
{
    struct row *user = org_find(call->org, "User", call->org->execution_user);

    call->org->usage.token_requests++;
    if (!check_grant(call) || !check_client(call) || !check_rate(call))
        return;
    if (!js_get_flag(user->values, "IsActive", false))
        refuse_token(call, "invalid_grant", "inactive user");
    else
        grant_token(call);
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

static bool
is_session(struct org *org, const char *token)
{
    struct row *user = org_find(org, "User", org->execution_user);
    int64_t issued_ms = js_get_int(org->tokens, token, -1);

    return issued_ms >= 0 && js_get_flag(user->values, "IsActive", false) &&
           org->world->now_ms() - issued_ms < org->settings.token_life_s * 1000;
}

bool
call_is_authorized(struct call *call)
{
    const char *authorization = call->request->authorization;
    const char *token = authorization ? token_of(authorization) : NULL;

    if (token && is_session(call->org, token))
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

    if (token && is_session(call->org, token))
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
    struct row *user = org_find(call->org, "User", call->org->execution_user);
    struct json_object *answer;

    if (!check_identity_token(call))
        return;
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
    struct row *user = org_find(call->org, "User", call->org->execution_user);
    struct json_object *answer;

    if (strcmp(call->segments[1], call->org->id) != 0 || strcmp(call->segments[2], user->id) != 0) {
        reply_not_found(call->reply);
        return;
    }
    if (!check_identity_token(call))
        return;
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
        return false;
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
        refuse_token(call, "invalid_request", "a POST with a token is needed");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (end_session(orgs[i], token)) {
            call->reply->status = 200;
            return;
        }
    }
    refuse_token(call, "unsupported_token_type", "this token type is not supported");
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

void
login_answer(struct world *world, struct call *call)
{
    if (call->segment_count == 3 && strcmp(call->segments[0], "id") == 0)
        login_identity(world, call);
    else if (strcmp(call->path, "/services/oauth2/revoke") == 0)
        revoke_in(call, world->orgs, world->org_count);
    else if (strcmp(call->path, "/services/oauth2/token") != 0)
        reply_not_found(call->reply);
    else if (check_grant(call))
        refuse_token(call, "invalid_grant", "request not supported on this domain");
}
