/*
 * The columns of a list. Decides which headers are taken, what each writes, and what to advise for
 * one that is not known: an unknown header is refused, because a misspelt `title` would clear
 * everybody's title. The attributes are those of RFC 7643 4.1 to 4.3 and of sfprov's own
 * extension; those of any other extension schema are taken on trust. Leaves the values to people.c.
 */
#include "hosts/cli/column.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define SFPROV     "urn:ietf:params:scim:schemas:extension:sfprov:1.0:User"
#define CORE       "urn:ietf:params:scim:schemas:core:2.0:User"

struct attribute {
    const char *schema; /* "" is the core schema */
    const char *name;
    const char *subs; /* space-separated, the default one first; NULL: a plain value */
    bool needs_sub;   /* no default */
    bool many;
    bool boolean;
};

static const struct attribute attributes[] = {
    { .schema = "", .name = "userName" },
    { .schema = "", .name = "externalId" },
    { .schema = "", .name = "displayName" },
    { .schema = "", .name = "nickName" },
    { .schema = "", .name = "profileUrl" },
    { .schema = "", .name = "title" },
    { .schema = "", .name = "userType" },
    { .schema = "", .name = "preferredLanguage" },
    { .schema = "", .name = "locale" },
    { .schema = "", .name = "timezone" },
    { .schema = "", .name = "active", .boolean = true },
    { .schema = "",
      .name = "name",
      .subs = "formatted familyName givenName middleName honorificPrefix honorificSuffix",
      .needs_sub = true },
    { .schema = "", .name = "emails", .subs = "value type primary display", .many = true },
    { .schema = "", .name = "phoneNumbers", .subs = "value type primary display", .many = true },
    { .schema = "", .name = "ims", .subs = "value type primary display", .many = true },
    { .schema = "", .name = "photos", .subs = "value type primary display", .many = true },
    { .schema = "", .name = "entitlements", .subs = "value type primary display", .many = true },
    { .schema = "", .name = "groups", .subs = "value display type", .many = true },
    { .schema = "", .name = "roles", .subs = "value type primary display", .many = true },
    { .schema = "",
      .name = "addresses",
      .subs = "formatted streetAddress locality region postalCode country type primary",
      .needs_sub = true,
      .many = true },
    { .schema = ENTERPRISE, .name = "employeeNumber" },
    { .schema = ENTERPRISE, .name = "costCenter" },
    { .schema = ENTERPRISE, .name = "organization" },
    { .schema = ENTERPRISE, .name = "division" },
    { .schema = ENTERPRISE, .name = "department" },
    { .schema = ENTERPRISE, .name = "manager", .subs = "value displayName" },
    { .schema = SFPROV, .name = "userDomain" },
    { .schema = SFPROV, .name = "tenantDomain" },
};

/* Plain names that people give to columns, and the path that is meant. */
static const struct {
    const char *plain, *path;
} short_forms[] = {
    { "email", "emails[type eq \"work\"].value" },
    { "phone", "phoneNumbers[type eq \"work\"].value" },
    { "mobile", "phoneNumbers[type eq \"mobile\"].value" },
    { "givenName", "name.givenName" },
    { "familyName", "name.familyName" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The text of a header in parts, not yet resolved. */
struct parts {
    char schema[COLUMN_URN_MAX];
    char attribute[COLUMN_NAME_MAX];
    char filter[COLUMN_NAME_MAX * 2];
    char sub[COLUMN_NAME_MAX];
    bool filtered;
};

static int
copy_part(char *to, size_t size, const char *from, size_t length, struct prov_error *err)
{
    if (length >= size)
        return fault_set(err, PROV_E_INVALID, "a name in it is longer than %zu characters",
                         size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
    return PROV_OK;
}

static int
split(const char *header, struct parts *parts, struct prov_error *err)
{
    const char *rest = header, *colon, *close;
    int result = PROV_OK;

    /* A schema URN holds dots and colons itself; the attribute follows its last colon. */
    if (letters_begin(header, "urn:")) {
        size_t until = strcspn(header, "[");

        colon = header + strlen("urn");
        for (const char *at = colon; at < header + until; at++) {
            if (*at == ':')
                colon = at;
        }
        result =
            copy_part(parts->schema, sizeof(parts->schema), header, (size_t)(colon - header), err);
        rest = colon + 1;
    }
    if (!result)
        result =
            copy_part(parts->attribute, sizeof(parts->attribute), rest, strcspn(rest, "[."), err);
    if (result)
        return result;
    rest += strcspn(rest, "[.");
    if (*rest == '[') {
        close = strchr(rest, ']');
        if (!close)
            return fault_set(err, PROV_E_INVALID, "its '[' has no ']'");
        result = copy_part(parts->filter, sizeof(parts->filter), rest + 1,
                           (size_t)(close - rest - 1), err);
        if (result)
            return result;
        parts->filtered = true;
        rest = close + 1;
    }
    if (*rest == '.')
        return copy_part(parts->sub, sizeof(parts->sub), rest + 1, strlen(rest + 1), err);
    if (*rest)
        return fault_set(err, PROV_E_INVALID, "'%s' after the ']' is no sub-attribute", rest);
    return PROV_OK;
}

static const struct attribute *
find_attribute(const struct parts *parts)
{
    bool any_schema = !parts->schema[0];
    const char *schema = letters_same(parts->schema, CORE) ? "" : parts->schema;

    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (letters_same(attributes[i].name, parts->attribute) &&
            (any_schema || letters_same(attributes[i].schema, schema)))
            return &attributes[i];
    }
    return NULL;
}

static bool
is_known_schema(const char *schema)
{
    return letters_same(schema, CORE) || letters_same(schema, ENTERPRISE) ||
           letters_same(schema, SFPROV);
}

static int
unknown_attribute(const struct parts *parts, struct prov_error *err)
{
    if (letters_same(parts->attribute, "password"))
        return fault_set(err, PROV_E_INVALID,
                         "passwords are never read from a list; take the column out of the file");
    return fault_set(err, PROV_E_INVALID,
                     "no such SCIM attribute; use a path such as userName, name.givenName, "
                     "emails[type eq \"work\"].value, title or department, or say what it is with "
                     "--map 'HEADER=PATH', or leave it out with --map 'HEADER='");
}

/* The sub-attribute as the schema spells it; the first one when none is given. */
static int
resolve_sub(const struct attribute *attribute, const struct parts *parts, struct column *column,
            struct prov_error *err)
{
    const char *wanted = parts->sub, *at = attribute->subs;
    size_t length;

    if (!attribute->subs) {
        if (wanted[0])
            return fault_set(err, PROV_E_INVALID, "'%s' has no sub-attributes; write '%s'",
                             attribute->name, attribute->name);
        return PROV_OK;
    }
    if (!wanted[0] && attribute->needs_sub)
        return fault_set(err, PROV_E_INVALID, "it needs a sub-attribute, one of: %s",
                         attribute->subs);
    for (; *at; at += length + (at[length] == ' ')) {
        length = strcspn(at, " ");
        if (!wanted[0] || (strlen(wanted) == length && letters_begin(at, wanted)))
            return copy_part(column->sub, sizeof(column->sub), at, length, err);
    }
    return fault_set(err, PROV_E_INVALID, "'%s' has no sub-attribute '%s'; it has: %s",
                     attribute->name, wanted, attribute->subs);
}

/* `type eq "work"` or `primary eq true`: the filters that say what the new element holds. */
static int
resolve_filter(const struct parts *parts, struct column *column, struct prov_error *err)
{
    char name[COLUMN_NAME_MAX], value[COLUMN_NAME_MAX], after;
    int found;

    if (!parts->filtered)
        return PROV_OK;
    if (!column->many)
        return fault_set(err, PROV_E_INVALID, "'%s' has one value, so it takes no filter in []",
                         column->attribute);
    found = sscanf(parts->filter, " %63[A-Za-z] %*[eE]%*[qQ] \"%63[^\"]\" %c", name, value, &after);
    if (found == 2 && letters_same(name, "type")) {
        strcpy(column->select, "type");
        strcpy(column->select_value, value);
        return PROV_OK;
    }
    found = sscanf(parts->filter, " %63[A-Za-z] %*[eE]%*[qQ] %63[a-z] %c", name, value, &after);
    if (found == 2 && letters_same(name, "primary") && !strcmp(value, "true")) {
        strcpy(column->select, "primary");
        strcpy(column->select_value, "true");
        return PROV_OK;
    }
    return fault_set(err, PROV_E_INVALID,
                     "the filter [%s] is not understood; write [type eq \"work\"] or "
                     "[primary eq true]",
                     parts->filter);
}

/* An attribute of a schema we have no table of: taken as it stands. */
static int
take_on_trust(const struct parts *parts, struct column *column, struct prov_error *err)
{
    if (parts->filtered)
        return fault_set(err, PROV_E_INVALID, "filters are taken for core attributes only");
    if (!parts->attribute[0])
        return fault_set(err, PROV_E_INVALID, "the schema is not followed by an attribute");
    strcpy(column->schema, parts->schema);
    strcpy(column->attribute, parts->attribute);
    strcpy(column->sub, parts->sub);
    return PROV_OK;
}

static const char *
expand(const char *header)
{
    for (size_t i = 0; i < COUNT(short_forms); i++) {
        if (letters_same(short_forms[i].plain, header))
            return short_forms[i].path;
    }
    return header;
}

static const char *const yes[] = { "true", "yes", "1", NULL };
static const char *const no[] = { "false", "no", "0", NULL };
const struct column_words column_plain_words = { yes, no, -1, 0 };
const struct column_words column_negated_words = { no, yes, -1, 0 };

static bool
is_among(const char *const *words, const char *text)
{
    for (; words && *words; words++) {
        if (letters_same(*words, text))
            return true;
    }
    return false;
}

int
column_boolean(const struct column *column, const char *text, bool *ret)
{
    const struct column_words *words = column->words;
    char *end;
    long long number;

    if (words->unless_bit) {
        number = strtoll(text, &end, 10);
        if (end == text || *end)
            return PROV_E_INVALID;
        *ret = !(number & words->unless_bit);
        return PROV_OK;
    }
    *ret = is_among(words->yes, text);
    if (*ret || is_among(words->no, text))
        return PROV_OK;
    *ret = words->otherwise > 0;
    return words->otherwise < 0 ? PROV_E_INVALID : PROV_OK;
}

/* The kind of the value, and for a boolean its words. */
static int
resolve_kind(const struct attribute *attribute, bool negated, struct column *column,
             struct prov_error *err)
{
    if ((attribute && attribute->boolean) || !strcmp(column->sub, "primary")) {
        column->kind = COLUMN_BOOLEAN;
        column->words = negated ? &column_negated_words : &column_plain_words;
        return PROV_OK;
    }
    if (negated)
        return fault_set(err, PROV_E_INVALID,
                         "'not' is for what is true or false, as 'not active'");
    if (attribute && !strcmp(column->attribute, "manager") && !strcmp(column->sub, "value"))
        column->kind = COLUMN_MANAGER;
    return PROV_OK;
}

int
column_parse(const char *header, struct column *ret, struct prov_error *err)
{
    struct parts parts = { .filtered = false };
    struct column column = { .kind = COLUMN_TEXT };
    const struct attribute *attribute;
    bool negated = letters_begin(header, "not ");
    int result;

    if (negated)
        header += 4 + strspn(header + 4, " ");
    result = split(expand(header), &parts, err);
    if (result)
        return result;
    attribute = find_attribute(&parts);
    if (attribute) {
        strcpy(column.schema, attribute->schema);
        strcpy(column.attribute, attribute->name);
        column.many = attribute->many;
        result = resolve_sub(attribute, &parts, &column, err);
        if (!result)
            result = resolve_filter(&parts, &column, err);
    } else if (parts.schema[0] && !is_known_schema(parts.schema)) {
        result = take_on_trust(&parts, &column, err);
    } else {
        result = unknown_attribute(&parts, err);
    }
    if (!result)
        result = resolve_kind(attribute, negated, &column, err);
    if (!result)
        *ret = column;
    return result;
}

bool
column_same(const struct column *a, const struct column *b)
{
    return !a->left_out && !b->left_out && letters_same(a->schema, b->schema) &&
           letters_same(a->attribute, b->attribute) && letters_same(a->sub, b->sub) &&
           !strcmp(a->select, b->select) && !strcmp(a->select_value, b->select_value);
}
