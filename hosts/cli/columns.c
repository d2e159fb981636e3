/*
 * The sources of what columns mean, and their order: who says it on the command line is right, then
 * the file, then one of the tables below, which the key chooses. A default gives way to whoever else writes the same value. A
 * misspelt --map is found by columns_unused_map(); a file may say more than a list holds, so that
 * one serves several.
 */
#include "hosts/cli/columns.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

/* slapd's policy overlay locks for good with this time, and for a while, after bad passwords, with any
 * other: only the former is an admin's word. 389 DS says true. */
static const char *const locked_for_good[] = { "000001010000Z", NULL };
static const struct column_words locked_time = { NULL, locked_for_good, 1, 0 };

/* inetOrgPerson (RFC 2798), what it inherits (RFC 4519), and what servers add to it. */
struct default_column {
    const char *attribute, *path;
    const struct column_words *words;
};
static const struct default_column ldap_defaults[] = {
    { "uid", "userName", NULL },
    { "cn", "name.formatted", NULL },
    { "givenName", "name.givenName", NULL },
    { "sn", "name.familyName", NULL },
    { "initials", "name.middleName", NULL },
    { "displayName", "displayName", NULL },
    { "mail", "emails[type eq \"work\"].value", NULL },
    { "telephoneNumber", "phoneNumbers[type eq \"work\"].value", NULL },
    { "mobile", "phoneNumbers[type eq \"mobile\"].value", NULL },
    { "homePhone", "phoneNumbers[type eq \"home\"].value", NULL },
    { "facsimileTelephoneNumber", "phoneNumbers[type eq \"fax\"].value", NULL },
    { "title", "title", NULL },
    { "employeeNumber", "employeeNumber", NULL },
    { "employeeType", "userType", NULL },
    { "departmentNumber", "department", NULL },
    { "o", "organization", NULL },
    { "preferredLanguage", "preferredLanguage", NULL },
    { "street", "addresses[type eq \"work\"].streetAddress", NULL },
    { "l", "addresses[type eq \"work\"].locality", NULL },
    { "st", "addresses[type eq \"work\"].region", NULL },
    { "postalCode", "addresses[type eq \"work\"].postalCode", NULL },
    { "c", "addresses[type eq \"work\"].country", NULL },
    { "manager", "manager", NULL },
    { "memberOf", "groups.value", NULL },
    { "pwdAccountLockedTime", "active", &locked_time },
    { "nsAccountLock", "not active", NULL },
};

/* Active Directory's user, as [MS-ADSC] and RFC 2798 name its attributes. Bit 2 is ACCOUNTDISABLE. */
static const struct column_words enabled_account = { NULL, NULL, -1, 2 };
static const struct default_column ad_defaults[] = {
    { "sAMAccountName", "userName", NULL },
    { "cn", "name.formatted", NULL },
    { "givenName", "name.givenName", NULL },
    { "sn", "name.familyName", NULL },
    { "middleName", "name.middleName", NULL },
    { "personalTitle", "name.honorificPrefix", NULL },
    { "generationQualifier", "name.honorificSuffix", NULL },
    { "displayName", "displayName", NULL },
    { "mail", "emails[type eq \"work\"].value", NULL },
    { "telephoneNumber", "phoneNumbers[type eq \"work\"].value", NULL },
    { "mobile", "phoneNumbers[type eq \"mobile\"].value", NULL },
    { "homePhone", "phoneNumbers[type eq \"home\"].value", NULL },
    { "facsimileTelephoneNumber", "phoneNumbers[type eq \"fax\"].value", NULL },
    { "title", "title", NULL },
    { "employeeID", "employeeNumber", NULL },
    { "employeeType", "userType", NULL },
    { "department", "department", NULL },
    { "division", "division", NULL },
    { "company", "organization", NULL },
    { "preferredLanguage", "preferredLanguage", NULL },
    { "streetAddress", "addresses[type eq \"work\"].streetAddress", NULL },
    { "l", "addresses[type eq \"work\"].locality", NULL },
    { "st", "addresses[type eq \"work\"].region", NULL },
    { "postalCode", "addresses[type eq \"work\"].postalCode", NULL },
    { "c", "addresses[type eq \"work\"].country", NULL },
    { "manager", "manager", NULL },
    { "memberOf", "groups.value", NULL },
    { "userAccountControl", "active", &enabled_account },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct said {
    char *header;
    size_t length;
    const char *map; /* the --map it comes from; NULL: elsewhere */
    bool used;
    struct column column;
    struct column_words words; /* of this column alone */
    const char **yes, **no;
    struct said *next; /* of its bucket */
};

#define BUCKETS 64

struct columns {
    struct said *said;
    size_t count;
    struct said
        *buckets[BUCKETS];    /* by header; of each the first that was said, and those behind it */
    struct json_object *file; /* owns the words, and the key that it names */
    const char *key;
};

static struct said *
add(struct columns *columns, const char *header, size_t length)
{
    struct said *said = &columns->said[columns->count];

    said->header = strndup(header, length);
    said->length = length;
    return said->header ? &columns->said[columns->count++] : NULL;
}

static int
parse(struct said *said, const char *path, struct prov_error *err)
{
    said->column = (struct column){ .left_out = !*path };
    return *path ? column_parse(path, &said->column, err) : PROV_OK;
}

static int
take_maps(struct columns *columns, const struct columns_options *options, struct prov_error *err)
{
    for (size_t i = 0; i < options->map_count; i++) {
        const char *map = options->maps[i];
        size_t length = strcspn(map, "=");
        struct said *said = add(columns, map, length);
        struct prov_error why = { .size = sizeof(why) };

        if (!said)
            return fault_nomem(err);
        said->map = map;
        if (parse(said, map + length + (map[length] == '='), &why))
            return fault_set(err, PROV_E_INVALID, "--map '%s': %s", map, why.text);
    }
    return PROV_OK;
}

/* ---- the file ---- */

/* An array of strings as a list that ends with NULL; the strings are borrowed. */
static int
take_words(struct json_object *spec, const char *name, const char ***ret, struct prov_error *err)
{
    struct json_object *list = NULL;
    size_t count;

    if (!json_object_object_get_ex(spec, name, &list))
        return PROV_OK;
    if (!json_object_is_type(list, json_type_array))
        return fault_set(err, PROV_E_INVALID, "\"%s\" must be an array of words", name);
    count = json_object_array_length(list);
    *ret = calloc(count + 1, sizeof(**ret));
    if (!*ret)
        return fault_nomem(err);
    for (size_t i = 0; i < count; i++) {
        struct json_object *word = json_object_array_get_idx(list, i);

        if (!json_object_is_type(word, json_type_string))
            return fault_set(err, PROV_E_INVALID, "\"%s\" must hold words in quotes", name);
        (*ret)[i] = json_object_get_string(word);
    }
    return PROV_OK;
}

static int
check_members(struct json_object *object, const char *known, struct prov_error *err)
{
    json_object_object_foreach(object, name, value)
    {
        const char *at = strstr(known, name);

        (void)value;
        if (!at || !*name || (at != known && at[-1] != ' ') ||
            (at[strlen(name)] && at[strlen(name)] != ' '))
            return fault_set(err, PROV_E_INVALID, "'%.60s' is not known here; there are: %s", name,
                             known);
    }
    return PROV_OK;
}

/* {"path":"active","true":["Active"],"false":["Left"],"otherwise":false,"unless_bit":2} */
static int
take_spec(struct said *said, struct json_object *spec, struct prov_error *err)
{
    struct json_object *path = NULL, *otherwise = NULL, *bit = NULL;
    int result = check_members(spec, "path true false otherwise unless_bit", err);

    json_object_object_get_ex(spec, "path", &path);
    if (!result && !json_object_is_type(path, json_type_string))
        result = fault_set(err, PROV_E_INVALID, "it needs a \"path\"");
    if (!result)
        result = parse(said, json_object_get_string(path), err);
    if (!result)
        result = take_words(spec, "true", &said->yes, err);
    if (!result)
        result = take_words(spec, "false", &said->no, err);
    if (result)
        return result;
    said->words.otherwise = -1;
    if (json_object_object_get_ex(spec, "otherwise", &otherwise))
        said->words.otherwise = json_object_get_boolean(otherwise);
    if (json_object_object_get_ex(spec, "unless_bit", &bit))
        said->words.unless_bit = json_object_get_int64(bit);
    said->words.yes = said->yes;
    said->words.no = said->no;
    if (said->column.kind != COLUMN_BOOLEAN && json_object_object_length(spec) > 1)
        return fault_set(err, PROV_E_INVALID, "only what is true or false, as active, takes words");
    if (json_object_object_length(spec) > 1)
        said->column.words = &said->words;
    return PROV_OK;
}

static int
take_column(struct columns *columns, const char *header, struct json_object *spec,
            struct prov_error *err)
{
    struct said *said = add(columns, header, strlen(header));
    struct prov_error why = { .size = sizeof(why) };
    int result;

    if (!said)
        return fault_nomem(err);
    if (json_object_is_type(spec, json_type_object))
        result = take_spec(said, spec, &why);
    else if (!spec || json_object_is_type(spec, json_type_string))
        result = parse(said, spec ? json_object_get_string(spec) : "", &why);
    else
        result = fault_set(&why, PROV_E_INVALID, "it must be a path, or an object with a \"path\"");
    return result ? fault_set(err, result, "columns file: column '%s': %s", header, why.text)
                  : PROV_OK;
}

static int
take_file(struct columns *columns, struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    struct json_object *all = NULL, *key = NULL;

    if (check_members(columns->file, "key columns", &why))
        return fault_set(err, PROV_E_INVALID, "columns file: %s", why.text);
    json_object_object_get_ex(columns->file, "columns", &all);
    json_object_object_get_ex(columns->file, "key", &key);
    if ((all && !json_object_is_type(all, json_type_object)) ||
        (key && !json_object_is_type(key, json_type_string)))
        return fault_set(err, PROV_E_INVALID,
                         "columns file: \"columns\" must be an object, and \"key\" a text");
    if (key && !columns->key)
        columns->key = json_object_get_string(key);
    if (all) {
        json_object_object_foreach(all, header, spec)
        {
            int result = take_column(columns, header, spec, err);

            if (result)
                return result;
        }
    }
    return PROV_OK;
}

static int
parse_file(const char *text, struct json_object **ret, struct prov_error *err)
{
    enum json_tokener_error reason = json_tokener_success;
    struct json_object *file = json_tokener_parse_verbose(text, &reason);

    if (!json_object_is_type(file, json_type_object)) {
        json_object_put(file);
        return fault_set(err, PROV_E_INVALID,
                         "columns file: no JSON object%s%s; write {\"key\":\"empnum\","
                         "\"columns\":{\"empnum\":\"userName\",\"status\":\"\"}}",
                         reason ? ": " : "", reason ? json_tokener_error_desc(reason) : "");
    }
    *ret = file;
    return PROV_OK;
}

/* ---- all of it ---- */

/* Only Active Directory has that key. */
static bool
is_ad(const struct columns *columns)
{
    return columns->key && letters_same(columns->key, "objectGUID");
}

static int
take_defaults(struct columns *columns, const struct default_column *defaults, size_t count,
              struct prov_error *err)
{
    size_t given = columns->count;

    for (size_t i = 0; i < count; i++) {
        struct said *said = add(columns, defaults[i].attribute, strlen(defaults[i].attribute));

        if (!said)
            return fault_nomem(err);
        if (parse(said, defaults[i].path, err))
            return PROV_E_INVALID;
        if (defaults[i].words)
            said->column.words = defaults[i].words;
        for (size_t j = 0; j < given; j++)
            said->column.left_out |= column_same(&said->column, &columns->said[j].column);
    }
    return PROV_OK;
}

/* Case makes no difference. */
static size_t
bucket_of(const char *header, size_t length)
{
    size_t ends = length ? (size_t)(header[0] | 0x20) + (size_t)(header[length - 1] | 0x20) * 7 : 0;

    return (ends + length * 5) % BUCKETS;
}

static void
fill_buckets(struct columns *columns)
{
    for (size_t i = columns->count; i-- > 0;) {
        struct said *said = &columns->said[i];
        struct said **bucket = &columns->buckets[bucket_of(said->header, said->length)];

        said->next = *bucket;
        *bucket = said;
    }
}

int
columns_make(const struct columns_options *options, bool with_ldap, struct columns **ret,
             struct prov_error *err)
{
    struct columns *columns = calloc(1, sizeof(*columns));
    struct json_object *all = NULL;
    size_t room;
    int result = columns ? PROV_OK : fault_nomem(err);

    if (!result)
        columns->key = options->key;
    if (!result && options->file)
        result = parse_file(options->file, &columns->file, err);
    if (!result) {
        json_object_object_get_ex(columns->file, "columns", &all);
        room = options->map_count + COUNT(ldap_defaults) + COUNT(ad_defaults) + 1;
        if (json_object_is_type(all, json_type_object))
            room += (size_t)json_object_object_length(all);
        columns->said = calloc(room, sizeof(*columns->said));
        result = columns->said ? take_maps(columns, options, err) : fault_nomem(err);
    }
    if (!result && columns->file)
        result = take_file(columns, err);
    if (!result && !columns->key)
        columns->key = options->default_key;
    if (!result && with_ldap)
        result = is_ad(columns) ? take_defaults(columns, ad_defaults, COUNT(ad_defaults), err)
                                : take_defaults(columns, ldap_defaults, COUNT(ldap_defaults), err);
    if (result) {
        columns_free(columns);
        return result;
    }
    fill_buckets(columns);
    *ret = columns;
    return PROV_OK;
}

void
columns_free(struct columns *columns)
{
    if (!columns)
        return;
    for (size_t i = 0; columns->said && i < columns->count; i++) {
        free(columns->said[i].header);
        free(columns->said[i].yes);
        free(columns->said[i].no);
    }
    free(columns->said);
    json_object_put(columns->file);
    free(columns);
}

const char *
columns_key(const struct columns *columns)
{
    return columns->key;
}

const struct column *
columns_find(const struct columns *columns, const char *header, bool ldap)
{
    size_t length = strlen(header);

    for (struct said *said = columns->buckets[bucket_of(header, length)]; said; said = said->next) {
        if (said->length != length ||
            (ldap ? !letters_same(said->header, header) : strcmp(said->header, header)) != 0)
            continue;
        if (!ldap)
            said->used = true;
        return &said->column;
    }
    return NULL;
}

const char *
columns_attribute(const struct columns *columns, size_t index)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (!columns->said[i].column.left_out && index-- == 0)
            return columns->said[i].header;
    }
    return NULL;
}

const char *
columns_unused_map(const struct columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->said[i].map && !columns->said[i].used)
            return columns->said[i].map;
    }
    return NULL;
}
