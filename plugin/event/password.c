/*
 * Finds and removes passwords in the data of an event (design rule 5): a password must not reach
 * the store, the digest or a message. It takes too much rather than too little: `userPassword` of a
 * directory and `password` of an unknown extension go as well, whatever the form of the path. The
 * data need not be valid; whether it is, event.c decides afterwards.
 */
#include "plugin/event/password.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "plugin/base/secret.h"
#include "plugin/event/event.h"

static bool
continues_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Whether a name or path has an attribute name in it that ends with "password". What stands in
 * quotes is a filter's value, not a name. */
static bool
names_password(const char *text)
{
    static const char word[] = "password";
    const size_t length = sizeof(word) - 1;
    bool quoted = false;

    for (const char *c = text; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (quoted && *c == '\\' && c[1])
            c++;
        else if (!quoted && (*c | 0x20) == 'p' && strncasecmp(c, word, length) == 0 &&
                 !continues_name(c[length]))
            return true;
    }
    return false;
}

/* Overwrites every text of a value that is to be freed. */
static void
wipe(struct json_object *value)
{
    if (json_object_is_type(value, json_type_string)) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): the text is json-c's, and about to be freed */
        explicit_bzero((void *)(uintptr_t)json_object_get_string(value),
                       (size_t)json_object_get_string_len(value));
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            wipe(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            wipe(member);
        }
    }
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static bool
remove_members(struct json_object *value)
{
    bool found = false;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            found |= remove_members(json_object_array_get_idx(value, i));
        return found;
    }
    if (!json_object_is_type(value, json_type_object))
        return false;
    json_object_object_foreach(value, name, member)
    {
        if (names_password(name)) {
            wipe(member);
            json_object_object_del(value, name);
            found = true;
        } else {
            found |= remove_members(member);
        }
    }
    return found;
}

static bool
is_empty(struct json_object *value)
{
    if (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 1)
        value = json_object_array_get_idx(value, 0);
    return json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0;
}

/* Whether nothing of the operation may stay. */
static bool
is_spent(struct json_object *operation, bool *found)
{
    struct json_object *path = json_get_nocase(operation, "path", NULL);

    if (json_object_is_type(path, json_type_string) &&
        names_password(json_object_get_string(path))) {
        wipe(json_get_nocase(operation, "value", NULL));
        *found = true;
        return true;
    }
    if (!remove_members(operation))
        return false;
    *found = true;
    return is_empty(json_get_nocase(operation, "value", NULL));
}

int
event_remove_password(struct json_object *payload, bool is_patch, bool *found,
                      struct prov_error *err)
{
    const char *name = "Operations";
    struct json_object *data = is_patch ? json_get(payload, "data") : NULL;
    struct json_object *operations = json_get_nocase(data, name, &name);

    if (json_object_is_type(operations, json_type_object) && is_spent(operations, found)) {
        struct json_object *none = json_object_new_array();
        if (!none || json_put(data, name, none) != PROV_OK)
            return error_nomem(err);
    } else if (json_object_is_type(operations, json_type_array)) {
        for (size_t i = json_object_array_length(operations); i-- > 0;) {
            if (is_spent(json_object_array_get_idx(operations, i), found))
                json_object_array_del_idx(operations, i, 1);
        }
    }
    *found |= remove_members(payload);
    return PROV_OK;
}

/* ---- the user's own ---- */

static int
take(struct json_object *value, char **ret, struct prov_error *err)
{
    size_t length;
    char *copy;

    if (!value ||
        (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == 0))
        return PROV_OK; /* null and "" are no password */
    if (!json_object_is_type(value, json_type_string))
        return error_set(err, PROV_E_INVALID, "attribute 'password' must be a text");
    length = (size_t)json_object_get_string_len(value);
    if (memchr(json_object_get_string(value), '\0', length))
        return error_set(err, PROV_E_INVALID, "attribute 'password' has a NUL in it");
    if (length > PASSWORD_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "attribute 'password' has more than %d bytes",
                         PASSWORD_MAX_BYTES);
    copy = secret_alloc(length + 1);
    if (!copy)
        return error_nomem(err);
    memcpy(copy, json_object_get_string(value), length);
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
    if (strncasecmp(path, USER_SCHEMA, length) == 0) {
        path += length;
        if (!*path)
            return THE_USER;
        if (*path != ':' && *path != '.')
            return ELSEWHERE;
        path++;
    }
    return strncasecmp(path, "password", word) == 0 && !path[word + strspn(path + word, " ")]
               ? THE_PASSWORD
               : ELSEWHERE;
}

/* Of an object, by name; of a list of objects, the last one. */
static int
take_member(struct json_object *value, char **ret, struct prov_error *err)
{
    int r = PROV_OK;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; !r && i < json_object_array_length(value); i++)
            r = take_member(json_object_array_get_idx(value, i), ret, err);
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            enum leads_to there = follow(name);
            if (!r && there == THE_PASSWORD)
                r = take(member, ret, err);
            else if (!r && there == THE_USER)
                r = take_member(member, ret, err);
        }
    }
    return r;
}

static int
take_of_operation(struct json_object *operation, char **ret, struct prov_error *err)
{
    struct json_object *op = json_get_nocase(operation, "op", NULL);
    struct json_object *path = json_get_nocase(operation, "path", NULL);
    struct json_object *value = json_get_nocase(operation, "value", NULL);

    if (!json_object_is_type(op, json_type_string) ||
        (strcasecmp(json_object_get_string(op), "add") != 0 &&
         strcasecmp(json_object_get_string(op), "replace") != 0))
        return PROV_OK;
    if (!path)
        return take_member(value, ret, err);
    if (!json_object_is_type(path, json_type_string))
        return PROV_OK;
    switch (follow(json_object_get_string(path))) {
    case THE_PASSWORD:
        return take(value, ret, err);
    case THE_USER:
        return take_member(value, ret, err);
    default:
        return PROV_OK;
    }
}

int
event_take_password(struct json_object *payload, bool is_patch, char **ret, struct prov_error *err)
{
    struct json_object *data = json_get(payload, "data");
    struct json_object *operations;
    int r = PROV_OK;

    if (!is_patch)
        return take_member(data, ret, err);
    operations = json_get_nocase(data, "Operations", NULL);
    if (!json_object_is_type(operations, json_type_array))
        return take_of_operation(operations, ret, err);
    for (size_t i = 0; !r && i < json_object_array_length(operations); i++)
        r = take_of_operation(json_object_array_get_idx(operations, i), ret, err);
    return r;
}

/* ---- what hosts write who hold the password only as a hash ---- */

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

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
        if (strncasecmp(text + 1, schemes[i], end - 1) == 0 && !is_letter(text[end]))
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
