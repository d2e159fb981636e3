/*
 * The provisioning-pattern engine: reads the three connector fields once, then joins the pieces of
 * a user name. Decides what the username is; whether Salesforce takes it is username.c's part, and
 * whether somebody holds it already is found at delivery. Follows WSO2's buildUserId (fact sheet of
 * the connectors, 1.2) where that is right; docs/patterns.md lists where it differs and why.
 * Rendering allocates and formats nothing, and calls nothing that depends on the locale.
 */
#include "patterns/pattern.h"

#include <stdbool.h>
#include <string.h>

#include "patterns/username.h"

#define SEPARATOR_MAX_BYTES 8
/* What Salesforce leaves for a domain: one character and the '@' come before it. */
#define DOMAIN_MAX_BYTES (USERNAME_MAX_CHARACTERS - 2)

struct pattern {
    enum pattern_key keys[PATTERN_MAX_KEYS];
    size_t key_count;
    unsigned used; /* bit of each key in keys */
    char separator[SEPARATOR_MAX_BYTES + 1];
    size_t separator_length;
    const char *separator_origin;
    char suffix[1 + DOMAIN_MAX_BYTES + 1]; /* "@acme.com" in lower case; empty: no domain */
    size_t suffix_length;
};

static const char *const key_names[] = { "UD", "UN", "TD", "IDP" };

#define KEY_COUNT (sizeof(key_names) / sizeof(key_names[0]))

static int
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* WSO2 takes a setting of white space alone for one not given. */
static const char *
or_default(const char *setting, const char *otherwise)
{
    for (const char *c = setting ? setting : ""; *c; c++) {
        if (!is_blank(*c))
            return setting;
    }
    return otherwise;
}

/* ASCII alone: Java's toLowerCase() follows the locale, and turns INGRID into ıngrıd under a
 * Turkish one. Other letters stay; no username may hold them anyway. */
static void
lower_copy(char *restrict to, const char *restrict from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)from[i];
        to[i] = (char)(byte | ((unsigned char)(byte - 'A') < 26 ? 0x20 : 0));
    }
}

/* Adds the key that an entry names; start and end are offsets into text. */
static int
add_key(struct pattern *pattern, const char *text, size_t start, size_t end, struct prov_error *err)
{
    char quoted[USERNAME_QUOTE_BYTES], name[32] = "";
    size_t length = end - start;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strlen(key_names[i]) != length || memcmp(key_names[i], text + start, length) != 0)
            continue;
        if (pattern->key_count == PATTERN_MAX_KEYS)
            return error_set(err, PROV_E_FIELDS,
                             "provisioning pattern has more than %d keys, the first too many at "
                             "position %zu; take it out",
                             PATTERN_MAX_KEYS, start + 1);
        pattern->keys[pattern->key_count++] = (enum pattern_key)i;
        pattern->used |= 1u << i;
        return PROV_OK;
    }
    memcpy(name, text + start, length < sizeof(name) ? length : sizeof(name) - 1);
    return error_set(err, PROV_E_FIELDS,
                     "provisioning pattern has an unknown key '%s' at position %zu; the keys are "
                     "UD, UN, TD and IDP, in capitals, separated by commas, as in {UD,UN}",
                     username_quote(name, quoted), start + 1);
}

/* What stands where a brace should, or after the last one. */
static int
brace_fault(const char *what, const char *text, size_t at, struct prov_error *err)
{
    char quoted[USERNAME_QUOTE_BYTES];

    return error_set(err, PROV_E_FIELDS,
                     "provisioning pattern '%s' has %s at position %zu; write it as one pair of "
                     "braces with all keys inside, as in {UD,UN}",
                     username_quote(text, quoted), what, at + 1);
}

static int
read_pattern(struct pattern *pattern, const char *setting, struct prov_error *err)
{
    const char *text = or_default(setting, "{UN}");
    size_t i = 0;

    while (is_blank(text[i]))
        i++;
    if (text[i] != '{')
        return brace_fault("no '{'", text, i, err);
    do {
        size_t start = ++i, end;

        while (is_blank(text[start]))
            start++;
        i = start + strcspn(text + start, ",{}");
        for (end = i; end > start && is_blank(text[end - 1]);)
            end--;
        if (end > start) {
            int result = add_key(pattern, text, start, end, err);
            if (result != PROV_OK)
                return result;
        }
    } while (text[i] == ',');
    if (text[i] != '}')
        return brace_fault(text[i] ? "a second '{'" : "no '}'", text, i, err);
    for (i++; is_blank(text[i]);)
        i++;
    if (text[i])
        return brace_fault("more after its '}'", text, i, err);
    if (!pattern->key_count)
        return error_set(err, PROV_E_FIELDS,
                         "provisioning pattern has no key between its braces, at position %zu; "
                         "write at least one of UD, UN, TD and IDP, as in {UN}",
                         strcspn(text, "{") + 2);
    return PROV_OK;
}

/*
 * The separator is literal text. With a character that no username may hold, every user would be
 * refused one by one; '@' works only as the one '@' of a name without a domain, {UN,TD}.
 */
static int
read_separator(struct pattern *pattern, const char *setting, int has_domain, struct prov_error *err)
{
    const char *text = or_default(setting, "_");
    char quoted[USERNAME_QUOTE_BYTES];
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (username_takes((unsigned char)text[i]))
            continue;
        if (strcmp(text, "@") == 0 && !has_domain && pattern->key_count <= 2)
            continue;
        return error_set(err, PROV_E_FIELDS,
                         text[i] == '@'
                             ? "provisioning separator '%s' has an '@' at position %zu; a username "
                               "holds just one: use '.', '-' or '_', or leave the provisioning "
                               "domain empty and put one '@' between two keys"
                             : "provisioning separator '%s' has a character at position %zu that "
                               "Salesforce takes in no username; use '.', '-' or '_'",
                         username_quote(text, quoted), i + 1);
    }
    if (length > SEPARATOR_MAX_BYTES)
        return error_set(err, PROV_E_FIELDS,
                         "provisioning separator '%s' goes on after position %d; use %d characters "
                         "at most, as in '-'",
                         username_quote(text, quoted), SEPARATOR_MAX_BYTES, SEPARATOR_MAX_BYTES);
    memcpy(pattern->separator, text, length);
    pattern->separator_length = length;
    pattern->separator_origin = text == setting ? "connector field" : "default";
    return PROV_OK;
}

/* Kept in lower case, as Salesforce stores the name: what is wanted then equals what is there. */
static int
read_domain(struct pattern *pattern, const char *setting, struct prov_error *err)
{
    const char *text = or_default(setting, ""), *at = strchr(text, '@'), *fault;
    char quoted[USERNAME_QUOTE_BYTES], after[USERNAME_QUOTE_BYTES];
    size_t length = strlen(text), position;

    if (!length)
        return PROV_OK;
    if (at)
        return error_set(err, PROV_E_FIELDS,
                         "provisioning domain '%s' has an '@' at position %zu; the '@' is put "
                         "before it anyway: write '%s'",
                         username_quote(text, quoted), (size_t)(at - text) + 1,
                         at[1] ? username_quote(strrchr(text, '@') + 1, after) : "acme.com");
    fault = username_domain_fault(text, &position);
    if (fault)
        return error_set(err, PROV_E_FIELDS,
                         "provisioning domain '%s' has %s at position %zu; write a domain such as "
                         "acme.com, without blanks, scheme or path",
                         username_quote(text, quoted), fault, position);
    if (length > DOMAIN_MAX_BYTES)
        return error_set(err, PROV_E_FIELDS,
                         "provisioning domain '%s' goes on after position %d and leaves no room "
                         "for a name in the %d characters of a username; use a shorter one",
                         username_quote(text, quoted), DOMAIN_MAX_BYTES, USERNAME_MAX_CHARACTERS);
    pattern->suffix[0] = '@';
    lower_copy(pattern->suffix + 1, text, length);
    pattern->suffix_length = length + 1;
    return PROV_OK;
}

int
pattern_compile(const struct pattern_settings *settings, struct pattern **ret,
                enum pattern_setting *ret_fault, struct prov_error *err)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = calloc(1, sizeof(*pattern));
    enum pattern_setting setting = PATTERN_SETTING_PATTERN;
    int result;

    if (!pattern)
        return error_nomem(err);
    result = read_pattern(pattern, settings->pattern, err);
    if (result == PROV_OK) {
        setting = PATTERN_SETTING_DOMAIN;
        result = read_domain(pattern, settings->domain, err);
    }
    if (result == PROV_OK) {
        setting = PATTERN_SETTING_SEPARATOR;
        result = read_separator(pattern, settings->separator, pattern->suffix_length > 0, err);
    }
    if (result != PROV_OK) {
        if (ret_fault)
            *ret_fault = setting;
        return result;
    }
    *ret = STEAL(pattern);
    return PROV_OK;
}

void
pattern_free(struct pattern *pattern)
{
    free(pattern);
}

int
pattern_uses(const struct pattern *pattern, enum pattern_key key)
{
    return (pattern->used >> key & 1u) != 0;
}

struct value {
    const char *bytes;
    size_t length;
    const char *origin;
};

static struct value
or_default_value(const char *text, const char *origin, const char *otherwise)
{
    if (text && *text)
        return (struct value){ text, strlen(text), origin };
    return (struct value){ otherwise, strlen(otherwise), "default" };
}

/* The store is what stands before the first '/'; a '/' at the very start names none. */
static struct value
value_of(enum pattern_key key, const struct pattern_user *user)
{
    const char *entity = user->entity_name ? user->entity_name : "";
    const char *slash, *name;

    switch (key) {
    case PATTERN_UD:
        slash = strchr(entity, '/');
        if (slash && slash > entity)
            return (struct value){ entity, (size_t)(slash - entity), "store prefix" };
        return or_default_value(user->user_domain, "user domain", "PRIMARY");
    case PATTERN_UN:
        slash = strchr(entity, '/');
        name = slash ? slash + 1 : entity;
        return (struct value){ name, strlen(name), "user name" };
    case PATTERN_TD:
        return or_default_value(user->tenant_domain, "tenant domain", "carbon.super");
    case PATTERN_IDP:
        break;
    }
    return or_default_value(user->identity_provider, "connector field", "");
}

/* A username in the making. Segments are noted only for explain, which so cannot differ. */
struct output {
    char *bytes;
    size_t used, room; /* room leaves one byte for the NUL */
    struct pattern_segment *segments;
    size_t segment_count;
};

/* Puts the bytes in lower case; -1 when they do not fit. */
static int
put(struct output *out, const char *bytes, size_t length)
{
    if (length > out->room - out->used)
        return -1;
    lower_copy(out->bytes + out->used, bytes, length);
    out->used += length;
    return 0;
}

/* Puts the value without the separators in it: a separator in the result then separates. As in
 * WSO2, the user's own name is left alone, so that it stays recognisable. */
static int
put_value(struct output *out, const struct pattern *pattern, enum pattern_key key,
          struct value value)
{
    const char *hit;

    while (key != PATTERN_UN && (hit = memmem(value.bytes, value.length, pattern->separator,
                                              pattern->separator_length))) {
        size_t before = (size_t)(hit - value.bytes);
        if (put(out, value.bytes, before))
            return -1;
        value.bytes = hit + pattern->separator_length;
        value.length -= before + pattern->separator_length;
    }
    return put(out, value.bytes, value.length);
}

static void
note(struct output *out, const char *source, const char *origin, size_t start, size_t end)
{
    if (out->segments)
        out->segments[out->segment_count++] =
            (struct pattern_segment){ source, origin, start, end - start };
}

/* Whether put_value() would put nothing. */
static bool
is_empty(const struct pattern *pattern, enum pattern_key key, struct value value)
{
    size_t width = pattern->separator_length;

    while (key != PATTERN_UN && value.length >= width &&
           memcmp(value.bytes, pattern->separator, width) == 0) {
        value.bytes += width;
        value.length -= width;
    }
    return !value.length;
}

/* Where nothing is there, there is no separator either; WSO2 ends the name in one. */
static int
put_segment(struct output *out, const struct pattern *pattern, enum pattern_key key,
            struct value value)
{
    size_t start = out->used, body;

    if (is_empty(pattern, key, value))
        return 0;
    if (start && put(out, pattern->separator, pattern->separator_length))
        return -1;
    body = out->used;
    if (put_value(out, pattern, key, value))
        return -1;
    if (start)
        note(out, "separator", pattern->separator_origin, start, body);
    note(out, key_names[key], value.origin, body, out->used);
    return 0;
}

/* Drops the segments, and the part of one, that lie beyond the end of the name. */
static void
trim_segments(struct output *out)
{
    struct pattern_segment *last;

    while (out->segment_count && out->segments[out->segment_count - 1].start >= out->used)
        out->segment_count--;
    if (!out->segment_count)
        return;
    last = &out->segments[out->segment_count - 1];
    if (last->start + last->length > out->used)
        last->length = out->used - last->start;
}

/*
 * Puts "@domain" after the name, whose other '@' become '.'. WSO2 asks only whether the name ends
 * in the domain's letters; the '@' belongs to the test, or notacme.com passes for acme.com.
 */
static int
put_domain(struct output *out, const struct pattern *pattern)
{
    const char *origin = "connector field";
    size_t length = pattern->suffix_length, start;
    char *at = out->bytes;

    if (out->used >= length &&
        memcmp(out->bytes + out->used - length, pattern->suffix, length) == 0) {
        origin = "already there";
        out->used -= length;
        trim_segments(out);
    }
    start = out->used;
    while ((at = memchr(at, '@', (size_t)(out->bytes + start - at))))
        *at++ = '.';
    if (put(out, pattern->suffix, length))
        return -1;
    note(out, "@", origin, start, start + 1);
    note(out, "domain", origin, start + 1, out->used);
    return 0;
}

static int
too_long(const struct pattern_user *user, size_t room, struct prov_error *err)
{
    char quoted[USERNAME_QUOTE_BYTES];

    return error_set(err, PROV_E_LIMIT,
                     "the username of '%s' would be longer than %zu bytes, and Salesforce takes %d "
                     "characters; use fewer keys in the provisioning pattern, or shorter names",
                     username_quote(user->entity_name ? user->entity_name : "", quoted), room,
                     USERNAME_MAX_CHARACTERS);
}

static int
nameless(const struct pattern_user *user, struct prov_error *err)
{
    char quoted[USERNAME_QUOTE_BYTES];

    return error_set(err, PROV_E_INVALID,
                     "the user name '%s' is empty or has nothing after its store prefix, and the "
                     "provisioning pattern needs it (UN); give the user a userName",
                     username_quote(user->entity_name ? user->entity_name : "", quoted));
}

static int
put_name(const struct pattern *pattern, const struct pattern_user *user, struct output *out,
         struct prov_error *err)
{
    for (size_t i = 0; i < pattern->key_count; i++) {
        enum pattern_key key = pattern->keys[i];
        struct value value = value_of(key, user);

        if (key == PATTERN_UN && !value.length)
            return nameless(user, err);
        if (put_segment(out, pattern, key, value))
            return too_long(user, out->room, err);
    }
    if (pattern->suffix_length && put_domain(out, pattern))
        return too_long(user, out->room, err);
    return PROV_OK;
}

/* Leaves an empty string in the buffer when it fails. */
static int
build(const struct pattern *pattern, const struct pattern_user *user, char *buffer, size_t size,
      struct output *out, struct prov_error *err)
{
    int result;

    if (!size)
        return too_long(user, 0, err);
    out->bytes = buffer;
    out->room = (size < PATTERN_MAX_BYTES ? size : PATTERN_MAX_BYTES) - 1;
    result = put_name(pattern, user, out, err);
    buffer[result == PROV_OK ? out->used : 0] = '\0';
    return result;
}

int
pattern_render(const struct pattern *pattern, const struct pattern_user *user, char *buffer,
               size_t size, size_t *ret_length, struct prov_error *err)
{
    struct output out = { 0 };
    int result = build(pattern, user, buffer, size, &out, err);

    if (result == PROV_OK && ret_length)
        *ret_length = out.used;
    return result;
}

int
pattern_explain(const struct pattern *pattern, const struct pattern_user *user, char *buffer,
                size_t size, struct pattern_segment *segments, size_t *ret_count,
                struct prov_error *err)
{
    struct output out = { .segments = segments };
    int result = build(pattern, user, buffer, size, &out, err);

    if (result == PROV_OK)
        *ret_count = out.segment_count;
    return result;
}
