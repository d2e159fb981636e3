/*
 * The reader of SCIM users in JSON. Decides where a user begins and ends, by brackets and strings
 * alone, so that a list response of any length is read in little memory; whether the text between
 * is JSON is found by who parses it. Where users stand one a line, a broken line is that line's
 * fault; elsewhere nothing can be told after one.
 */
#include "hosts/cli/users.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

static enum found
nomem(struct prov_error *err)
{
    fault_nomem(err);
    return FOUND_STOP;
}

static bool
append(struct users_text *text, char c)
{
    if (text->length >= PROV_EVENT_MAX_BYTES) {
        text->over = true;
        return true;
    }
    if (text->length + 1 >= text->room) {
        size_t room = text->room ? text->room * 2 : 4096;
        char *more = realloc(text->bytes, room);

        if (!more)
            return false;
        text->bytes = more;
        text->room = room;
    }
    text->bytes[text->length++] = c;
    text->bytes[text->length] = '\0';
    return true;
}

static void
begin(struct users_text *text)
{
    text->length = 0;
    text->over = false;
}

/* The character at `at`, counted in its line from 1. */
static size_t
character(const struct users *users)
{
    return users->piece.before +
           utf8_count(users->piece.text, (size_t)(users->at - users->piece.text)) + 1;
}

/* Whether the elements of a list stand here, and not the members of one, or of what is around it. */
static bool
between_elements(const struct users *users)
{
    return users->resources ? users->depth == 2
                            : users->depth == 1 && users->list && users->outer.bytes[0] == '[';
}

/* Forgets a broken value, and the rest of its line. */
static void
give_up_line(struct users *users)
{
    users->depth = 0;
    users->in_string = users->escaped = users->list = users->resources = users->member = false;
    users->at = users->piece.text + users->piece.length;
}

static enum found
no_json(struct users *users, const char *what, struct prov_error *err)
{
    fault_set(err, PROV_E_INVALID,
              "line %zu, character %zu: %s; give one SCIM user a line, a JSON array of them, or a "
              "list response",
              users->piece.number, character(users), what);
    if (!users->one_a_line)
        return FOUND_STOP;
    give_up_line(users);
    return FOUND_FAULT;
}

static enum found
give(const struct users_text *text, size_t line, size_t at, struct user_text *ret,
     struct prov_error *err)
{
    *ret = (struct user_text){ text->bytes, text->length, line, at };
    if (!text->over)
        return FOUND_ITEM;
    fault_set(err, PROV_E_LIMIT, "line %zu, character %zu: the user is longer than %u bytes", line,
              at, PROV_EVENT_MAX_BYTES);
    return FOUND_FAULT;
}

/* A list response is over: what it says of the whole. FOUND_END: go on. */
static enum found
end_response(struct users *users, struct prov_error *err)
{
    struct json_object *outer = json_tokener_parse(users->outer.bytes);

    users->responses++;
    if (!outer) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu, character %zu: the list response that begins here is no JSON",
                  users->outer_line, users->outer_character);
        return FOUND_STOP;
    }
    json_object_object_foreach(outer, name, value)
    {
        if (letters_same(name, "totalResults") && json_object_get_int64(value) > users->total)
            users->total = json_object_get_int64(value);
    }
    json_object_put(outer);
    return FOUND_END;
}

/* The value at the top is over. FOUND_END: there is nothing to give. */
static enum found
end_outer(struct users *users, struct user_text *ret, struct prov_error *err)
{
    bool list = users->list, array = users->outer.bytes[0] == '[';

    users->list = false;
    if (list)
        return array ? FOUND_END : end_response(users, err);
    users->one_a_line |= users->outer_line == users->piece.number;
    return give(&users->outer, users->outer_line, users->outer_character, ret, err);
}

/* Whether the last string of the outer object is the name Resources. */
static bool
is_resources(const struct users *users)
{
    static const char name[] = "\"Resources\"";
    const char *at = users->outer.bytes + users->key;

    return users->depth == 1 && !users->list && users->outer.bytes[0] == '{' &&
           users->key + strlen(name) <= users->outer.length && letters_begin(at, name) &&
           at[strlen(name) + strspn(at + strlen(name), " \t\r\n")] == ':';
}

static enum found
open_bracket(struct users *users, char c, struct prov_error *err)
{
    if (users->depth == 0) {
        begin(&users->outer);
        users->key = 0;
        users->list = c == '[';
        users->outer_line = users->piece.number;
        users->outer_character = character(users);
    } else if (c == '[' && is_resources(users)) {
        users->list = users->resources = true;
    } else if (!users->member && between_elements(users)) {
        if (c == '[')
            return no_json(users, "a list in the list, where a user should be", err);
        begin(&users->inner);
        users->member = true;
        users->inner_line = users->piece.number;
        users->inner_character = character(users);
    }
    users->depth++;
    return append(users->member ? &users->inner : &users->outer, c) ? FOUND_END : nomem(err);
}

static enum found
close_bracket(struct users *users, char c, struct user_text *ret, struct prov_error *err)
{
    if (users->depth == 0)
        return no_json(users, "a bracket closes that was never opened", err);
    if (!append(users->member ? &users->inner : &users->outer, c))
        return nomem(err);
    users->depth--;
    if (users->member && between_elements(users)) {
        users->member = false;
        users->seen += users->resources;
        return give(&users->inner, users->inner_line, users->inner_character, ret, err);
    }
    if (users->resources && users->depth == 1)
        users->resources = false;
    return users->depth == 0 ? end_outer(users, ret, err) : FOUND_END;
}

/* One character; FOUND_END: go on. */
static enum found
take(struct users *users, char c, struct user_text *ret, struct prov_error *err)
{
    struct users_text *text = users->member ? &users->inner : &users->outer;
    bool blank = strchr(" \t\r\n", c) != NULL;

    if (users->in_string) {
        users->in_string = users->escaped || c != '"';
        users->escaped = !users->escaped && c == '\\';
        return append(text, c) ? FOUND_END : nomem(err);
    }
    if (c == '{' || c == '[')
        return open_bracket(users, c, err);
    if (c == '}' || c == ']')
        return close_bracket(users, c, ret, err);
    if (users->depth == 0)
        return blank ? FOUND_END : no_json(users, "no JSON object", err);
    if (!users->member && between_elements(users))
        return blank || c == ',' ? FOUND_END : no_json(users, "no user, but another value", err);
    if (c == '"') {
        users->in_string = true;
        users->key = users->depth == 1 ? users->outer.length : users->key;
    }
    return append(text, c) ? FOUND_END : nomem(err);
}

/* At the end of a line: a string never goes on in the next one, and a user that stands on a line of
 * its own does not either. */
static enum found
end_line(struct users *users, struct prov_error *err)
{
    bool alone = users->depth && !users->list && users->outer_line == users->piece.number;
    bool broken = users->in_string || (alone && users->one_a_line);

    if (!broken)
        return FOUND_END;
    fault_set(err, PROV_E_INVALID,
              "line %zu, character %zu: the %s is not closed at the end of the line",
              users->piece.number, character(users), users->in_string ? "string" : "object");
    if (!alone)
        return FOUND_STOP;
    users->one_a_line = true;
    give_up_line(users);
    return FOUND_FAULT;
}

static enum found
end_text(struct users *users, struct prov_error *err)
{
    if (users->depth) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu, character %zu: the value that begins here is not closed: the file is "
                  "cut off",
                  users->outer_line, users->outer_character);
        return FOUND_STOP;
    }
    if (users->total > (long long)users->seen) {
        fault_set(err, PROV_E_INVALID,
                  "the list is not whole: %zu of totalResults %lld users are in it; ask for all "
                  "pages (startIndex, count) and give them one after the other",
                  users->seen, users->total);
        users->total = 0;
        return FOUND_STOP;
    }
    return FOUND_END;
}

enum found
users_next(struct users *users, struct user_text *ret, struct prov_error *err)
{
    for (;;) {
        const char *end = users->at ? users->piece.text + users->piece.length : NULL;
        enum found found = FOUND_END;

        while (users->at != end && found == FOUND_END) {
            const char *here = users->at;

            found = take(users, *here, ret, err);
            if (users->at == here)
                users->at++;
        }
        if (found != FOUND_END)
            return found;
        if (users->at && *users->piece.end) {
            found = end_line(users, err);
            users->at = NULL;
            if (found != FOUND_END)
                return found;
        }
        found = lines_next(users->lines, &users->piece, err);
        if (found == FOUND_END)
            return end_text(users, err);
        if (found != FOUND_ITEM)
            return found == FOUND_FAULT && users->depth ? FOUND_STOP : found;
        users->at = users->piece.text;
    }
}

void
users_clear(struct users *users)
{
    free(users->outer.bytes);
    free(users->inner.bytes);
    *users = (struct users){ .depth = 0 };
}
