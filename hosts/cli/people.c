/*
 * People out of rows, entries and JSON. Decides who is a person, what their key is, and what is told
 * of what was left out. Leaves reading to csv.c, ldif.c and users.c, the meaning of columns to
 * columns.c and column.c, and the resource to person.c. That nobody stands in the list twice is
 * found by the plugin, which has seen all of them.
 */
#include "hosts/cli/people.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/csv.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/ldif.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/person.h"
#include "hosts/cli/strict.h"
#include "hosts/cli/users.h"
#include "hosts/ldap/entry.h"

#define VALUES_MAX     1024
#define LEFT_NAMES_MAX 40

/* Names that are told once, at the end. */
struct names {
    char *names[LEFT_NAMES_MAX];
    size_t count;
    bool more;
};

struct people {
    enum people_format format;
    const char *key;
    struct columns *columns;
    struct lines lines;
    struct csv csv;
    struct ldif ldif;
    struct entry_source entries;
    bool any_class;
    struct users users;

    struct column *header; /* CSV: of each column, left out if nothing is read from it */
    size_t key_column, header_next;
    bool header_bad, begun;

    struct ldap_entry entry; /* the one at hand; borrowed */
    char *id, *uri, *alias;  /* of the person at hand; id is the key as it stands */
    char *resource;
    struct json_object *user; /* JSON: the same, as it was read */
    struct person_value *values;
    char place[160];

    size_t others, further, noted; /* entries that are no persons; values left out; notes told */
    char others_class[64];
    struct names unread;
};

/* ---- life ---- */

static enum found
next_of_ldif(void *context, struct ldap_entry *ret, struct prov_error *err)
{
    return ldif_next(context, ret, err);
}

int
people_open(const struct people_options *options, struct text_source source, struct people **ret,
            struct prov_error *err)
{
    static const char *const keys[] = { "externalId", "entryUUID", "id", "entryUUID" };
    struct people *people = calloc(1, sizeof(*people));
    struct columns_options columns = options->columns;
    int result;

    if (!people)
        return fault_nomem(err);
    columns.key = options->key;
    columns.default_key = keys[options->format];
    people->format = options->format;
    people->any_class = options->any_class;
    people->lines.source = source;
    people->lines.pieces = options->format == PEOPLE_JSON;
    people->csv = (struct csv){ .lines = &people->lines, .separator = options->separator };
    people->ldif = (struct ldif){ .lines = &people->lines };
    people->users = (struct users){ .lines = &people->lines };
    people->values = calloc(VALUES_MAX, sizeof(*people->values));
    people->entries = options->format == PEOPLE_LDAP
                          ? options->entries
                          : (struct entry_source){ .next = next_of_ldif, .context = &people->ldif };
    result = people->values
                 ? columns_make(&columns,
                                options->format == PEOPLE_LDIF || options->format == PEOPLE_LDAP,
                                &people->columns, err)
                 : fault_nomem(err);
    if (!result && options->format == PEOPLE_JSON &&
        (options->columns.map_count || options->columns.file))
        result = fault_set(err, PROV_E_INVALID,
                           "--map and --columns are for CSV and LDIF; JSON has SCIM's own names");
    if (result) {
        people_free(people);
        return result;
    }
    people->key = columns_key(people->columns);
    *ret = people;
    return PROV_OK;
}

void
people_free(struct people *people)
{
    if (!people)
        return;
    csv_clear(&people->csv);
    ldif_clear(&people->ldif);
    users_clear(&people->users);
    lines_clear(&people->lines);
    columns_free(people->columns);
    for (size_t i = 0; i < people->unread.count; i++)
        free(people->unread.names[i]);
    free(people->header);
    free(people->values);
    free(people->id);
    free(people->uri);
    free(people->alias);
    free(people->resource);
    json_object_put(people->user);
    free(people);
}

const char *
people_key(const struct people *people)
{
    return people->key;
}

const char *
people_attribute(const struct people *people, size_t index)
{
    return index ? columns_attribute(people->columns, index - 1) : people->key;
}

static enum found
nomem(struct prov_error *err)
{
    fault_nomem(err);
    return FOUND_STOP;
}

/* A result of the pure files as what was found. */
static enum found
found_of(int result)
{
    return result == PROV_OK ? FOUND_ITEM : result == PROV_E_NOMEM ? FOUND_STOP : FOUND_FAULT;
}

static enum found
set_key(struct people *people, const char *key, size_t line, struct prov_error *err)
{
    char column[32] = "";

    if (people->format == PEOPLE_CSV)
        snprintf(column, sizeof(column), " column %zu", people->key_column + 1);
    if (!key || !key[strspn(key, " \t\r\n")]) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu,%s '%s': the key is empty; everybody needs one that never changes",
                  line, column, people->key);
        return FOUND_FAULT;
    }
    free(people->uri);
    free(people->id);
    people->uri = person_uri(key);
    people->id = strdup(key);
    return people->uri && people->id ? FOUND_ITEM : nomem(err);
}

/* ---- CSV ---- */

/* Trims blanks in place; headers come with them often enough. */
static char *
trim(char *text)
{
    size_t length;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length && strchr(" \t", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* Compiles one column of the header. */
static int
compile(struct people *people, size_t index, struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    char *header = trim(people->csv.header[index]);
    const struct column *said = columns_find(people->columns, header, false);
    struct column *column = &people->header[index];
    bool is_key = letters_same(header, people->key);
    int result = PROV_OK;

    if (is_key)
        people->key_column = index;
    if (!header[0])
        result = fault_set(&why, PROV_E_INVALID, "the header is empty; name it, or take it out");
    else if (said)
        *column = *said;
    else
        result = column_parse(header, column, &why);
    if (result && is_key && header[0]) { /* the key's name needs not be a path */
        *column = (struct column){ .attribute = "externalId" };
        for (size_t i = 0; i < people->csv.columns; i++)
            column->left_out |=
                i != index && letters_same(trim(people->csv.header[i]), "externalId");
        return PROV_OK;
    }
    for (size_t i = 0; i < index && !result; i++) {
        if (column_same(column, &people->header[i]))
            result = fault_set(&why, PROV_E_INVALID,
                               "it says the same as column %zu '%s'; take one out, or leave it out "
                               "with --map '%s='",
                               i + 1, trim(people->csv.header[i]), header);
    }
    if (result)
        fault_set(err, result, "line 1, column %zu '%s': %s", index + 1, header, why.text);
    return result;
}

/* One cell alone in the header is most often another separator. */
static int
check_separator(const struct csv *csv, struct prov_error *err)
{
    const char *only = csv->header[0], *hint = NULL;

    if (csv->columns == 1 && strchr(only, ';'))
        hint = "semicolons: use --separator ';'";
    else if (csv->columns == 1 && strchr(only, '\t'))
        hint = "tabs: use --separator tab";
    else if (csv->columns == 1 && strchr(only, ','))
        hint = "commas: use --separator ','";
    if (!hint)
        return PROV_OK;
    return fault_set(err, PROV_E_INVALID,
                     "line 1: it has one column only; the file seems to be separated by %s", hint);
}

static bool
has_user_name(const struct people *people)
{
    for (size_t i = 0; i < people->csv.columns; i++) {
        if (!people->header[i].left_out && !people->header[i].schema[0] &&
            !strcmp(people->header[i].attribute, "userName"))
            return true;
    }
    return false;
}

/* What is wrong with the header as a whole. */
static int
check_header(struct people *people, struct prov_error *err)
{
    const char *map = columns_unused_map(people->columns);

    if (people->key_column == people->csv.columns)
        return fault_set(
            err, PROV_E_INVALID,
            "line 1: there is no column '%s'; name the column that identifies a person for good "
            "with --key COLUMN",
            people->key);
    if (map)
        return fault_set(err, PROV_E_INVALID,
                         "--map '%s': line 1 has no such column; write the header as in the file",
                         map);
    if (!has_user_name(people) && !people->header_bad)
        return fault_set(err, PROV_E_INVALID,
                         "line 1: there is no column 'userName'; add one, or say which it is with "
                         "--map 'HEADER=userName'");
    return PROV_OK;
}

/* The header, one fault a call. FOUND_ITEM: it is fine. */
static enum found
read_header(struct people *people, struct prov_error *err)
{
    struct csv_row row;
    enum found found;

    if (!people->header) {
        found = csv_next(&people->csv, &row, err);
        if (found != FOUND_ITEM)
            return FOUND_STOP;
        people->header = calloc(people->csv.columns, sizeof(*people->header));
        if (!people->header)
            return nomem(err);
        people->key_column = people->csv.columns;
        if (check_separator(&people->csv, err))
            return FOUND_STOP;
    }
    while (people->header_next < people->csv.columns) {
        if (compile(people, people->header_next++, err)) {
            people->header_bad = true;
            return FOUND_FAULT;
        }
    }
    if (check_header(people, err))
        return FOUND_STOP;
    if (people->header_bad) {
        fault_set(err, PROV_E_INVALID, "line 1: the rest is not read while the header is wrong");
        return FOUND_STOP;
    }
    people->begun = true;
    return FOUND_ITEM;
}

static void
take_resource(struct people *people, const struct person_resource *resource)
{
    free(people->resource);
    people->resource = resource->json;
    people->further += resource->further;
}

static enum found
next_row(struct people *people, struct person *ret, struct prov_error *err)
{
    const struct person_options how = { .refs = true };
    struct person_resource resource;
    enum found found = people->begun ? FOUND_ITEM : read_header(people, err);
    struct csv_row row;
    size_t count = 0;

    if (found == FOUND_ITEM)
        found = csv_next(&people->csv, &row, err);
    if (found == FOUND_ITEM)
        found = set_key(people, row.cells[people->key_column].text,
                        row.cells[people->key_column].line, err);
    if (found != FOUND_ITEM)
        return found;
    for (size_t i = 0; i < row.count; i++) {
        if (!people->header[i].left_out)
            people->values[count++] = (struct person_value){ .column = &people->header[i],
                                                             .text = row.cells[i].text,
                                                             .length = row.cells[i].length,
                                                             .name = people->csv.header[i],
                                                             .line = row.cells[i].line,
                                                             .number = i + 1 };
    }
    found = found_of(person_make(people->values, count, &how, &resource, err));
    if (found != FOUND_ITEM)
        return found;
    take_resource(people, &resource);
    *ret = (struct person){ .uri = people->uri,
                            .resource = people->resource,
                            .name = person_name(people->values, count),
                            .line = row.line };
    return FOUND_ITEM;
}

/* ---- LDIF ---- */

const struct ldap_entry *
people_entry(struct people *people, struct entry_options *ret)
{
    *ret = (struct entry_options){ .columns = people->columns, .key = people->key };
    return &people->entry;
}

static void
note_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!strcmp(names->names[i], name))
            return;
    }
    if (names->count == LEFT_NAMES_MAX) {
        names->more = true;
        return;
    }
    names->names[names->count] = strdup(name);
    names->count += names->names[names->count] != NULL;
}

static void
unread_attribute(void *context, const char *attribute)
{
    struct people *people = context;

    note_name(&people->unread, attribute);
}

static bool
is_person(struct people *people, const struct ldap_entry *entry)
{
    const char *class = NULL;
    bool person = people->any_class || entry_is_person(entry, &class);

    if (class)
        snprintf(people->others_class, sizeof(people->others_class), "%s", class);
    return person;
}

static enum found
read_entry(struct people *people, const struct ldap_entry *entry, struct person *ret,
           struct prov_error *err)
{
    const struct entry_options options = { .columns = people->columns,
                                           .key = people->key,
                                           .unread = unread_attribute,
                                           .context = people };
    struct entry_person read = { .id = NULL };
    enum found found = found_of(entry_read(&options, entry, &read, err));

    people->entry = *entry;
    free(people->id);
    free(people->uri);
    free(people->alias);
    people->id = read.id;
    people->uri = found == FOUND_FAULT ? entry_uri(&options, entry) : read.uri;
    people->alias = entry_plain_dn(entry->dn);
    take_resource(people, &read.resource);
    *ret = (struct person){ .uri = people->uri,
                            .resource = people->resource,
                            .name = read.name,
                            .alias = people->alias,
                            .line = entry->line };
    return people->alias ? found : nomem(err);
}

static enum found
next_entry(struct people *people, struct person *ret, struct prov_error *err)
{
    struct ldap_entry entry;
    enum found found = people->entries.next(people->entries.context, &entry, err);

    while (found == FOUND_ITEM && !is_person(people, &entry)) {
        people->others++;
        found = people->entries.next(people->entries.context, &entry, err);
    }
    return found == FOUND_ITEM ? read_entry(people, &entry, ret, err) : found;
}

/* ---- JSON ---- */

static const char *
text_of(struct json_object *object, const char *name)
{
    json_object_object_foreach(object, member, value)
    {
        if (letters_same(member, name))
            return json_object_is_type(value, json_type_string) ||
                           json_object_is_type(value, json_type_int)
                       ? json_object_get_string(value)
                       : NULL;
    }
    return NULL;
}

static const char *
user_name(struct json_object *user)
{
    json_object_object_foreach(user, name, value)
    {
        if (letters_same(name, "userName") && json_object_is_type(value, json_type_string) &&
            json_object_get_string_len(value))
            return json_object_get_string(value);
    }
    return NULL;
}

static enum found
parse_user(const struct user_text *text, struct json_object **ret, struct prov_error *err)
{
    const char *reason;
    size_t offset;
    bool first_line;

    *ret = strict_parse(text->json, text->length, &reason, &offset);
    if (json_object_is_type(*ret, json_type_object))
        return FOUND_ITEM;
    first_line = !memchr(text->json, '\n', offset < text->length ? offset : text->length);
    fault_set(err, PROV_E_INVALID, "line %zu, character %zu: no JSON%s: %s", text->line,
              first_line ? text->character + utf8_count(text->json, offset) : text->character,
              first_line ? "" : " (in the object that begins here)", reason ? reason : "no object");
    json_object_put(*ret);
    return FOUND_FAULT;
}

/* What is no user although it is an object: another resource, or an event. */
static int
check_user(struct json_object *resource, size_t line, struct prov_error *err)
{
    struct json_object *meta = NULL;
    const char *type;

    json_object_object_get_ex(resource, "meta", &meta);
    type = json_object_is_type(meta, json_type_object) ? text_of(meta, "resourceType") : NULL;
    if (type && !letters_same(type, "User"))
        return fault_set(err, PROV_E_INVALID,
                         "line %zu: a %.40s, and no user; ask for /Users alone", line, type);
    if (json_object_object_get_ex(resource, "events", NULL) &&
        json_object_object_get_ex(resource, "sub_id", NULL))
        return fault_set(err, PROV_E_INVALID,
                         "line %zu: an event, and no user; 'sfprov run' takes events", line);
    return PROV_OK;
}

static enum found
next_user(struct people *people, struct person *ret, struct prov_error *err)
{
    struct user_text text;
    const char *key;
    enum found found = users_next(&people->users, &text, err);

    json_object_put(people->user);
    people->user = NULL;
    if (found == FOUND_ITEM)
        found = parse_user(&text, &people->user, err);
    if (found != FOUND_ITEM)
        return found;
    key = text_of(people->user, people->key);
    if (check_user(people->user, text.line, err)) {
        found = FOUND_FAULT;
    } else if (!key) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu: the user has no '%s', which identifies a person for good; name "
                  "another attribute with --key",
                  text.line, people->key);
        found = FOUND_FAULT;
    } else {
        found = set_key(people, key, text.line, err);
    }
    *ret = (struct person){ .uri = people->uri,
                            .resource = json_object_to_json_string_ext(people->user,
                                                                       JSON_C_TO_STRING_PLAIN),
                            .name = user_name(people->user),
                            .line = text.line };
    return found == FOUND_ITEM && !ret->resource ? nomem(err) : found;
}

/* ---- all ---- */

enum found
people_next(struct people *people, struct person *ret, struct prov_error *err)
{
    enum found found = people->format == PEOPLE_JSON  ? next_user(people, ret, err)
                       : people->format == PEOPLE_CSV ? next_row(people, ret, err)
                                                      : next_entry(people, ret, err);

    if (people->format == PEOPLE_LDAP && people->alias)
        snprintf(people->place, sizeof(people->place), "entry '%.120s'", people->alias);
    else
        snprintf(people->place, sizeof(people->place), "line %zu", ret->line);
    utf8_mend(people->place);
    ret->place = people->place;
    if (found != FOUND_ITEM)
        return found;
    /* who leaves may lose their name first: a directory's users are the plugin's to judge */
    if (people->format == PEOPLE_LDAP || ret->name)
        return FOUND_ITEM;
    fault_set(err, PROV_E_INVALID, "%s: the userName is empty; everybody needs one to be named by",
              people->place);
    return FOUND_FAULT;
}

static char *
unread_note(const struct names *unread)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputs("attributes that are not read:", out);
    for (size_t i = 0; i < unread->count; i++)
        fprintf(out, "%s %s", i ? "," : "", unread->names[i]);
    fputs(unread->more ? ", and more; --map or --columns reads them"
                       : "; --map or --columns reads them",
          out);
    fclose(out);
    return text;
}

char *
people_note(struct people *people)
{
    char *text = NULL;
    int length = 0;

    while (people->noted < 3 && !text && length >= 0) {
        switch (people->noted++) {
        case 0:
            if (people->others)
                length = asprintf(&text,
                                  "entries left out because they are no persons: %zu (such as "
                                  "objectClass %s)",
                                  people->others, people->others_class);
            break;
        case 1:
            if (people->further)
                length = asprintf(&text,
                                  "further values left out, where one is taken and the first "
                                  "counts: %zu",
                                  people->further);
            break;
        default:
            if (people->unread.count)
                text = unread_note(&people->unread);
            break;
        }
    }
    return length < 0 ? NULL : text;
}
