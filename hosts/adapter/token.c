/*
 * Decides what a token's id is made of, and how a password gets into its text: not by way of json-c,
 * which would leave copies of it in memory.
 */
#include "hosts/adapter/token.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/fault.h"

#define URN        "urn:ietf:params:scim:event:"
#define CHANGE_MAX 200

/* A text with as much room as it was made with; more than that is a fault of room_for(). */
struct text {
    char *bytes;
    size_t length, room;
};

static void
add(struct text *text, const char *bytes, size_t length)
{
    if (length >= text->room - text->length)
        abort();
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static void
add_text(struct text *text, const char *more)
{
    add(text, more, strlen(more));
}

/* A JSON string without its quotes. */
static void
add_escaped(struct text *text, const char *bytes, size_t length)
{
    char escape[8];

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte == '"' || byte == '\\' || byte < 0x20) {
            snprintf(escape, sizeof(escape), "\\u%04x", byte);
            add_text(text, escape);
        } else {
            add(text, &bytes[i], 1);
        }
    }
}

/* Room for the text of a token: what it is made of, if every byte of it were escaped. */
static size_t
room_for(const struct token_spec *spec, const char *resource)
{
    return 2048 + strlen(resource) + 6 * (strlen(spec->uri) + spec->password_length);
}

static void
add_data(struct text *text, const struct token_spec *spec, const char *resource)
{
    add_text(text, spec->kind == TOKEN_PATCH
                       ? "{\"data\":{\"Operations\":[{\"op\":\"replace\",\"value\":{"
                       : "{\"data\":{");
    if (spec->password) {
        add_text(text, "\"password\":\"");
        add_escaped(text, spec->password, spec->password_length);
        add_text(text, resource[1] == '}' ? "\"" : "\",");
    }
    add_text(text, resource + 1); /* it ends its object itself */
    add_text(text, spec->kind == TOKEN_PATCH ? "}]}}" : "}");
}

/* The member `events`. */
static void
add_events(struct text *text, const struct token_spec *spec, const char *resource)
{
    static const char *const names[] = { [TOKEN_CREATE] = "{\"" URN "prov:create:full\":",
                                         [TOKEN_PUT] = "{\"" URN "prov:put:full\":",
                                         [TOKEN_PATCH] = "{\"" URN "prov:patch:full\":",
                                         [TOKEN_PASSWORD] = "{\"" URN "prov:patch:notice\":",
                                         [TOKEN_LEAVE] = "{\"" URN "feed:remove\":",
                                         [TOKEN_DELETE] = "{\"" URN "prov:delete\":" };

    add_text(text, names[spec->kind]);
    if (spec->kind <= TOKEN_PATCH)
        add_data(text, spec, resource);
    else
        add_text(text, spec->kind == TOKEN_PASSWORD ? "{\"attributes\":[\"password\"]}" : "{}");
    if (spec->scoped && spec->resource)
        add_text(text, ",\"" URN "feed:add\":{}");
    add_text(text, "}");
}

/* ---- the id ---- */

/* Different for each token of all processes: a state may come back that was there before, with the
 * change number that it had then, and is news all the same. */
static void
add_id(struct text *text, const struct token_spec *spec)
{
    static atomic_ulong counter;
    struct timespec now;
    char id[160];

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(id, sizeof(id), "{\"jti\":\"%.20s:%lld.%09ld-%ld-%lu\",\"iat\":%lld,", spec->host,
             (long long)now.tv_sec, now.tv_nsec, (long)getpid(), atomic_fetch_add(&counter, 1),
             (long long)now.tv_sec);
    add_text(text, id);
    if (!spec->change)
        return;
    add_text(text, "\"txn\":\"");
    add_escaped(text, spec->change, strnlen(spec->change, CHANGE_MAX));
    add_text(text, "\",");
}

int
token_make(const struct token_spec *spec, struct token *ret, struct prov_error *err)
{
    const char *resource =
        spec->resource
            ? json_object_to_json_string_ext(spec->resource, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE)
            : "{}";
    struct token token = { .uri = strdup(spec->uri) };
    struct text text = { .room = resource ? room_for(spec, resource) : 1 };

    text.bytes = token.json = malloc(text.room);
    if (resource && spec->kind == TOKEN_PASSWORD && spec->resource)
        token.resource = strdup(resource);
    if (!resource || !token.uri || !token.json ||
        (spec->kind == TOKEN_PASSWORD && spec->resource && !token.resource)) {
        token_clear(&token);
        return fault_nomem(err);
    }
    add_id(&text, spec);
    add_text(&text, "\"sub_id\":{\"format\":\"scim\",\"uri\":\"");
    add_escaped(&text, spec->uri, strlen(spec->uri));
    add_text(&text, "\"},\"events\":");
    add_events(&text, spec, resource);
    add_text(&text, "}");
    token.length = text.length;
    *ret = token;
    return PROV_OK;
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
