/*
 * Finds and removes passwords in the data of an event (design rule 5): a password must not reach
 * the store, the digest or a message. It takes too much rather than too little: `userPassword` of a
 * directory and `password` of an unknown extension go as well, whatever the form of the path. The
 * data need not be valid; whether it is, event.c decides afterwards.
 */
#include "plugin/event/password.h"

#include <stdint.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/secret.h"
#include "plugin/event/event.h"

#define PASSWORD_LENGTH (sizeof("password") - 1)

/* Looks for the `w`, which is rare, in this case of it. */
static bool
has_word_around(const char *text, size_t length, char w)
{
    const size_t before = sizeof("pass") - 1, from_w = PASSWORD_LENGTH - before;
    const char *end = text + length, *at = text;

    while ((at = memchr(at, w, (size_t)(end - at)))) {
        if ((size_t)(at - text) >= before && (size_t)(end - at) >= from_w &&
            ascii_compare_start(at - before, "password", PASSWORD_LENGTH) == 0)
            return true;
        at++;
    }
    return false;
}

bool
event_may_hold_password(const char *json, size_t length)
{
    return memchr(json, '\\', length) || has_word_around(json, length, 'w') ||
           has_word_around(json, length, 'W');
}

static bool
continues_name(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* Whether a name or path has an attribute name in it that ends with "password". What stands in
 * quotes is a filter's value, not a name. */
static bool
names_password(const char *text)
{
    bool quoted = false;

    for (const char *c = text; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (quoted && *c == '\\' && c[1])
            c++;
        else if (!quoted && (*c | 0x20) == 'p' &&
                 ascii_compare_start(c, "password", PASSWORD_LENGTH) == 0 &&
                 !continues_name(c[PASSWORD_LENGTH]))
            return true;
    }
    return false;
}

/* Overwrites every text of a value that is taken out. */
static void
wipe(struct value *value)
{
    if (value_is(value, VALUE_TEXT)) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is in the memory of the event, and out of use */
        explicit_bzero((void *)(uintptr_t)value->text, value->length);
    } else if (value_is(value, VALUE_ARRAY)) {
        for (size_t i = 0; i < value_count(value); i++)
            wipe(value_at(value, i));
    } else {
        VALUE_EACH(value, member)
        wipe(member->value);
    }
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static bool
remove_members(struct value *value)
{
    bool found = false;

    for (size_t i = 0; value_is(value, VALUE_ARRAY) && i < value_count(value); i++)
        found |= remove_members(value_at(value, i));
    /* from the end, so that taking one out does not move what is still to come */
    for (size_t i = value_is(value, VALUE_OBJECT) ? value_count(value) : 0; i-- > 0;) {
        struct member *member = value_member(value, i);
        if (member->name_length >= PASSWORD_LENGTH && names_password(member->name)) {
            wipe(member->value);
            value_remove(value, member->name);
            found = true;
        } else {
            found |= remove_members(member->value);
        }
    }
    return found;
}

static bool
is_empty(struct value *value)
{
    if (value_is(value, VALUE_ARRAY) && value_count(value) == 1)
        value = value_at(value, 0);
    return value_is(value, VALUE_OBJECT) && value_count(value) == 0;
}

/* Whether nothing of the operation may stay. */
static bool
is_spent(struct value *operation, bool *found)
{
    struct value *path = value_get_nocase(operation, "path");

    if (value_is(path, VALUE_TEXT) && names_password(value_text(path))) {
        wipe(value_get_nocase(operation, "value"));
        *found = true;
        return true;
    }
    if (!remove_members(operation))
        return false;
    *found = true;
    return is_empty(value_get_nocase(operation, "value"));
}

void
event_remove_password(struct value *payload, bool is_patch, bool *found)
{
    struct value *data = is_patch ? value_get(payload, "data") : NULL;
    struct value *operations = value_get_nocase(data, "Operations");

    if (value_is(operations, VALUE_OBJECT) && is_spent(operations, found))
        *operations = (struct value){ .type = VALUE_ARRAY }; /* one that stood for a list of one */
    for (size_t i = value_is(operations, VALUE_ARRAY) ? value_count(operations) : 0; i-- > 0;) {
        if (is_spent(value_at(operations, i), found))
            value_delete(operations, i);
    }
    *found |= remove_members(payload);
}

/* ---- the user's own ---- */

static int
take(struct value *value, char **ret, struct prov_error *err)
{
    size_t length;
    char *copy;

    if (!value || (value_is(value, VALUE_TEXT) && value->length == 0))
        return PROV_OK; /* null and "" are no password */
    if (!value_is(value, VALUE_TEXT))
        return error_set(err, PROV_E_INVALID, "attribute 'password' must be a text");
    length = value->length;
    if (memchr(value_text(value), '\0', length))
        return error_set(err, PROV_E_INVALID, "attribute 'password' has a NUL in it");
    if (length > PASSWORD_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "attribute 'password' has more than %d bytes",
                         PASSWORD_MAX_BYTES);
    copy = secret_alloc(length + 1);
    if (!copy)
        return error_nomem(err);
    memcpy(copy, value_text(value), length);
    secret_free(*ret);
    *ret = copy;
    return PROV_OK;
}

#define USER_SCHEMA "urn:ietf:params:scim:schemas:core:2.0:User"

/* What a path or name leads to: the schema of a user itself, as some hosts write it, or the password. */
enum leads_to {
    ELSEWHERE,
    THE_USER,
    THE_PASSWORD
};

static enum leads_to
follow(const char *path)
{
    const size_t length = sizeof(USER_SCHEMA) - 1, word = strlen("password");

    path += strspn(path, " ");
    if (ascii_compare_start(path, USER_SCHEMA, length) == 0) {
        path += length;
        if (!*path)
            return THE_USER;
        if (*path != ':' && *path != '.')
            return ELSEWHERE;
        path++;
    }
    return ascii_compare_start(path, "password", word) == 0 &&
                   !path[word + strspn(path + word, " ")]
               ? THE_PASSWORD
               : ELSEWHERE;
}

/* Of an object, by name; of a list of objects, the last one. */
static int
take_member(struct value *value, char **ret, struct prov_error *err)
{
    int r = PROV_OK;

    if (value_is(value, VALUE_ARRAY)) {
        for (size_t i = 0; !r && i < value_count(value); i++)
            r = take_member(value_at(value, i), ret, err);
    } else if (value_is(value, VALUE_OBJECT)) {
        VALUE_EACH(value, member)
        {
            enum leads_to there = follow(member->name);
            if (!r && there == THE_PASSWORD)
                r = take(member->value, ret, err);
            else if (!r && there == THE_USER)
                r = take_member(member->value, ret, err);
        }
    }
    return r;
}

static int
take_of_operation(struct value *operation, char **ret, struct prov_error *err)
{
    struct value *op = value_get_nocase(operation, "op");
    struct value *path = value_get_nocase(operation, "path");
    struct value *value = value_get_nocase(operation, "value");

    if (!value_is(op, VALUE_TEXT) || (ascii_compare(value_text(op), "add") != 0 &&
                                      ascii_compare(value_text(op), "replace") != 0))
        return PROV_OK;
    if (!path)
        return take_member(value, ret, err);
    if (!value_is(path, VALUE_TEXT))
        return PROV_OK;
    switch (follow(value_text(path))) {
    case THE_PASSWORD:
        return take(value, ret, err);
    case THE_USER:
        return take_member(value, ret, err);
    default:
        return PROV_OK;
    }
}

int
event_take_password(struct value *payload, bool is_patch, char **ret, struct prov_error *err)
{
    struct value *data = value_get(payload, "data");
    struct value *operations;
    int r = PROV_OK;

    if (!is_patch)
        return take_member(data, ret, err);
    operations = value_get_nocase(data, "Operations");
    if (!value_is(operations, VALUE_ARRAY))
        return take_of_operation(operations, ret, err);
    for (size_t i = 0; !r && i < value_count(operations); i++)
        r = take_of_operation(value_at(operations, i), ret, err);
    return r;
}

/* ---- what hosts write who hold the password only as a hash ---- */

/* RFC 2307 and its followers: {SSHA}..., {CRYPT}..., also {PBKDF2-SHA256}..., {CLEARTEXT}... */
static bool
is_of_scheme(const char *text)
{
    static const char *const schemes[] = {
        "SHA",      "SSHA",   "MD5",    "SMD5",       "CRYPT",   "BLF-CRYPT", "PBKDF2",
        "BCRYPT",   "SCRYPT", "ARGON2", "ARGON2I",    "ARGON2D", "ARGON2ID",  "SASL",
        "KERBEROS", "LANMAN", "NT",     "NS-MTA-MD5", "CLEAR",   "CLEARTEXT", "PLAIN"
    };
    size_t length = *text == '{' ? strcspn(text, "}") : 0;

    if (length < 3 || length > 24 || !text[length] || !text[length + 1])
        return false;
    for (size_t i = 1; i < length; i++) {
        if (!continues_name(text[i]) && text[i] != '.' && text[i] != '/')
            return false;
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t end = 1 + strlen(schemes[i]);
        if (ascii_compare_start(text + 1, schemes[i], end - 1) == 0 && !ascii_is_letter(text[end]))
            return true; /* SSHA512 and PBKDF2-SHA256 too */
    }
    return false;
}

/* crypt(5): $6$salt$hash, $2b$10$..., $y$j9T$salt$hash, $argon2id$v=19$... */
static bool
is_of_crypt(const char *text)
{
    size_t id = *text == '$' ? strcspn(text + 1, "$") : 0;
    size_t rest = id > 0 && text[1 + id] ? strlen(text + 2 + id) : 0;

    if (id > 20 || rest < 20 || !strchr(text + 2 + id, '$'))
        return false;
    for (size_t i = 1; i <= id; i++) {
        if (!continues_name(text[i]))
            return false;
    }
    return true;
}

bool
event_password_is_hashed(const char *password)
{
    return is_of_scheme(password) || is_of_crypt(password);
}
