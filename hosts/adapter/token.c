/* Decides what a token's id is made of. */
#include "hosts/adapter/token.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

#define URN        "urn:ietf:params:scim:event:"
#define HOST_MAX   20
#define CHANGE_MAX 200
#define ROOM       320 /* of a token without what it is made of */

static void
add_text(struct text *text, const char *more)
{
    text_add(text, more, strlen(more));
}

static bool
is_patch(const struct token_spec *spec)
{
    return spec->kind == TOKEN_PATCH || spec->kind == TOKEN_LOCK;
}

static void
add_data(struct text *text, const struct token_spec *spec, const char *resource)
{
    if (is_patch(spec))
        TEXT_ADD(text, "{\"data\":{\"Operations\":[{\"op\":\"replace\",\"value\":{");
    else
        TEXT_ADD(text, "{\"data\":{");
    if (spec->password) {
        text_member(text, "password");
        text_string(text, spec->password, spec->password_length);
        if (resource[1] != '}')
            TEXT_ADD(text, ",");
    }
    add_text(text, resource + 1); /* it ends its object itself */
    if (is_patch(spec))
        TEXT_ADD(text, "}]}}");
    else
        TEXT_ADD(text, "}");
}

/* The member `events`. */
static void
add_events(struct text *text, const struct token_spec *spec)
{
    static const char *const names[] = { [TOKEN_CREATE] = "{\"" URN "prov:create:full\":",
                                         [TOKEN_PUT] = "{\"" URN "prov:put:full\":",
                                         [TOKEN_PATCH] = "{\"" URN "prov:patch:full\":",
                                         [TOKEN_LOCK] = "{\"" URN "prov:patch:full\":",
                                         [TOKEN_PASSWORD] = "{\"" URN "prov:patch:notice\":",
                                         [TOKEN_LEAVE] = "{\"" URN "feed:remove\":",
                                         [TOKEN_DELETE] = "{\"" URN "prov:delete\":" };

    add_text(text, names[spec->kind]);
    if (spec->kind <= TOKEN_PATCH)
        add_data(text, spec, spec->resource ? spec->resource : "{}");
    else if (spec->kind == TOKEN_LOCK)
        add_data(text, spec, "{\"active\":false}");
    else if (spec->kind == TOKEN_PASSWORD)
        TEXT_ADD(text, "{\"attributes\":[\"password\"]}");
    else
        TEXT_ADD(text, "{}");
    if (spec->scoped && spec->resource)
        TEXT_ADD(text, ",\"" URN "feed:add\":{}");
    TEXT_ADD(text, "}");
}

/* ---- the id ---- */

static void
add_nanoseconds(struct text *text, long nanoseconds)
{
    for (long unit = 100000000; unit; unit /= 10)
        text_add(text, &"0123456789"[nanoseconds / unit % 10], 1);
}

/* Different for each token of all processes: a state may come back that was there before, with the
 * change number that it had then, and is news all the same. */
static void
add_id(struct text *text, const struct token_spec *spec)
{
    static atomic_ulong counter;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    TEXT_ADD(text, "{\"jti\":\"");
    text_part(text, spec->host, strnlen(spec->host, HOST_MAX));
    TEXT_ADD(text, ":");
    text_number(text, (unsigned long long)now.tv_sec);
    TEXT_ADD(text, ".");
    add_nanoseconds(text, now.tv_nsec);
    TEXT_ADD(text, "-");
    text_number(text, (unsigned long long)getpid());
    TEXT_ADD(text, "-");
    text_number(text, atomic_fetch_add(&counter, 1));
    TEXT_ADD(text, "\",\"iat\":");
    text_number(text, (unsigned long long)now.tv_sec);
    TEXT_ADD(text, ",");
    if (!spec->change)
        return;
    TEXT_ADD(text, "\"txn\":");
    text_string(text, spec->change, strnlen(spec->change, CHANGE_MAX));
    TEXT_ADD(text, ",");
}

int
token_make(const struct token_spec *spec, struct token *ret, struct prov_error *err)
{
    size_t uri = strlen(spec->uri), resource = spec->resource ? strlen(spec->resource) : 0;
    struct token token = { .uri = strdup(spec->uri), .inactive = spec->inactive };
    struct text text = { .bytes = NULL };
    int result = PROV_OK;

    if (spec->kind == TOKEN_PASSWORD && spec->resource)
        token.resource = strdup(spec->resource);
    if (!token.uri || (spec->kind == TOKEN_PASSWORD && spec->resource && !token.resource))
        result = fault_nomem(err);
    text_room(&text, ROOM + uri + resource + spec->password_length);
    add_id(&text, spec);
    TEXT_ADD(&text, "\"sub_id\":{\"format\":\"scim\",\"uri\":");
    text_string(&text, spec->uri, uri);
    TEXT_ADD(&text, "},\"events\":");
    add_events(&text, spec);
    TEXT_ADD(&text, "}");
    if (result)
        text_drop(&text);
    else
        result = text_end(&text, &token.json, &token.length, err);
    if (result)
        token_clear(&token);
    else
        *ret = token;
    return result;
}

void
token_clear(struct token *token)
{
    if (token->json)
        explicit_bzero(token->json, token->length);
    free(token->json);
    free(token->uri);
    free(token->resource);
    *token = (struct token){ .json = NULL };
}
