/*
 * Decides who of a directory is a person, what identifies them, and which values make their
 * resource. Leaves the meaning of an attribute to columns.c, and the resource to person.c.
 */
#include "hosts/ldap/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

#define VALUES_MAX 1024
#define VALUES_FEW 32 /* of most entries */

/* An entry being read. */
struct reading {
    const struct entry_options *options;
    const struct ldap_entry *entry;
    struct person_value *values;
    size_t count, further;
    const char *key;
    char key_text[ENTRY_GUID_MAX]; /* a binary key, written out */
    char *manager;                 /* the text that stands for them */
};

/* One byte of a value: servers write what has to be escaped as \, or as \2C, and letters as they like. */
static char *
write_byte(char *out, unsigned char byte, bool escaped)
{
    static const char digits[] = "0123456789abcdef";

    if (!escaped || (byte >= ' ' && !strchr(",+\"\\<>;=# ", byte))) {
        *out++ = letters_small((char)byte);
        return out;
    }
    *out++ = '\\';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

/* What is behind a backslash: a byte in hexadecimal digits, or itself. Returns its last character. */
static const char *
read_escape(const char *dn, unsigned char *ret)
{
    char digits[3] = { dn[1], dn[1] ? dn[2] : '\0', '\0' };

    if (letters_is_hex(digits[0]) && letters_is_hex(digits[1])) {
        *ret = (unsigned char)strtoul(digits, NULL, 16);
        return dn + 2;
    }
    *ret = (unsigned char)dn[1];
    return dn + 1;
}

char *
entry_plain_dn(const char *dn)
{
    char *copy = malloc(3 * strlen(dn) + 1), *out = copy;
    bool in_value = false, in_quotes = false, escaped;

    if (!copy)
        return NULL;
    for (; *dn; dn++) {
        bool edge = out == copy || strchr(",+=", out[-1]);
        unsigned char byte = (unsigned char)(*dn == ';' && !in_quotes ? ',' : *dn);

        if (*dn == '"' && (in_quotes || (in_value && edge))) {
            in_quotes = !in_quotes;
            continue;
        }
        if (*dn == ' ' && !in_quotes && (edge || strchr(",+=;", dn[strspn(dn, " ")])))
            continue;
        escaped = (*dn == '\\' && dn[1]) || (in_value && byte == '=') ||
                  (in_quotes && strchr(",+;<>", byte));
        if (*dn == '\\' && dn[1])
            dn = read_escape(dn, &byte);
        else
            in_value = byte == '=' || in_quotes || (in_value && byte != ',' && byte != '+');
        out = write_byte(out, byte, escaped);
    }
    *out = '\0';
    return copy;
}

void
entry_free_dns(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

char **
entry_plain_dns(const char *const *dns)
{
    size_t count = 0;
    char **texts;

    while (dns[count])
        count++;
    texts = calloc(count + 1, sizeof(*texts));
    for (size_t i = 0; texts && i < count; i++) {
        texts[i] = entry_plain_dn(dns[i]);
        if (!texts[i]) {
            entry_free_dns(texts);
            return NULL;
        }
    }
    return texts;
}

bool
entry_is_below(const char *plain, char *const *bases)
{
    size_t length = strlen(plain);

    for (; *bases; bases++) {
        size_t base = strlen(*bases);

        if (length >= base && !strcmp(plain + length - base, *bases) &&
            (length == base || plain[length - base - 1] == ','))
            return true;
    }
    return false;
}

bool
entry_is_person(const struct ldap_entry *entry, const char **ret_class)
{
    static const char *const classes[] = { "person", "organizationalPerson", "inetOrgPerson",
                                           "user" };
    const char *last = NULL;
    bool person = false;

    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->values[i].name, "objectclass"))
            continue;
        last = entry->values[i].text;
        if (letters_same(last, "computer"))
            person = false;
        if (letters_same(last, "computer"))
            break;
        for (size_t j = 0; j < sizeof(classes) / sizeof(classes[0]); j++)
            person |= letters_same(last, classes[j]);
    }
    if (!person && last && ret_class)
        *ret_class = last;
    return person || !last;
}

void
entry_guid(const void *bytes, char to[ENTRY_GUID_MAX])
{
    static const int order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    const unsigned char *from = bytes;

    for (size_t i = 0; i < 16; i++)
        to += snprintf(to, 4, "%02x%s", from[order[i]],
                       i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
}

/* The text of the key: a GUID as Active Directory stores it is written as people know it. */
static const char *
key_text(struct reading *reading, const struct ldap_value *value)
{
    if (!letters_same(value->name, "objectGUID") || value->length != 16)
        return value->binary ? NULL : value->text;
    entry_guid(value->text, reading->key_text);
    return reading->key_text;
}

/* Most attributes begin with another letter. */
static bool
is_key(const struct reading *reading, const struct ldap_value *value)
{
    const char *key = reading->options->key;

    return !((value->name[0] ^ key[0]) & ~0x20) && letters_same(value->name, key);
}

static void
find_key(struct reading *reading)
{
    const struct ldap_entry *entry = reading->entry;

    for (size_t i = 0; i < entry->count && !reading->key; i++) {
        if (is_key(reading, &entry->values[i]))
            reading->key = key_text(reading, &entry->values[i]);
    }
}

static bool
is_blank(const char *key)
{
    return !key[strspn(key, " \t\r\n")];
}

/* Where something stands: in a file by its line, else by the entry it belongs to. */
static const char *
place(const struct ldap_entry *entry, size_t line, char *to, size_t size)
{
    if (line)
        snprintf(to, size, "line %zu", line);
    else
        snprintf(to, size, "entry '%.120s'", entry->dn);
    return to;
}

static int
no_key(const struct reading *reading, struct prov_error *err)
{
    static const char *const known[] = { "entryuuid", "nsuniqueid", "objectguid", "ipauniqueid" };
    const char *hint = "ask for it (ldapsearch ... '*' '+'), or name another with --key ATTRIBUTE";
    const struct ldap_entry *entry = reading->entry;
    const char *key = reading->options->key;
    char text[120], line[32] = "";

    for (size_t i = 0; i < entry->count; i++) {
        for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
            if (strcmp(entry->values[i].name, known[j]) || letters_same(key, known[j]))
                continue;
            snprintf(text, sizeof(text), "this server has '%s': use --key %s", known[j], known[j]);
            hint = text;
        }
    }
    if (entry->line)
        snprintf(line, sizeof(line), "line %zu: ", entry->line);
    return fault_set(err, PROV_E_INVALID,
                     "%s'%.120s' has no %s, the key that identifies a person for good; %s", line,
                     entry->dn, key, hint);
}

static int
not_text(const struct ldap_entry *entry, const struct ldap_value *value, struct prov_error *err)
{
    char at[160];

    return fault_set(err, PROV_E_INVALID,
                     "%s, attribute '%s': the value is not UTF-8 text; leave it out with "
                     "--map '%s='",
                     place(entry, value->line, at, sizeof(at)), value->name, value->name);
}

/* Whether the attribute that it is of is one of the gaps. */
static bool
is_gap(const struct entry_gaps *gaps, const struct column *column)
{
    for (size_t i = 0; i < gaps->count; i++) {
        if (person_same_attribute(gaps->columns[i], column))
            return true;
    }
    return false;
}

/* Whether the value is none that can be read, and was taken for a gap. */
static bool
leaves_gap(const struct entry_options *options, const struct column *column,
           const struct ldap_value *value)
{
    struct entry_gaps *gaps = options->gaps;
    bool yes;

    if (!gaps || gaps->count == ENTRY_GAPS_MAX ||
        (!value->binary && (column->kind != COLUMN_BOOLEAN || !value->length ||
                            !column_boolean(column, value->text, &yes))))
        return false;
    if (!is_gap(gaps, column))
        gaps->columns[gaps->count++] = column;
    return true;
}

/* What was read of an attribute before its gap was seen. */
static void
drop_gaps(struct reading *reading)
{
    const struct entry_gaps *gaps = reading->options->gaps;
    size_t kept = 0;

    for (size_t i = 0; i < reading->count; i++) {
        if (!is_gap(gaps, reading->values[i].column))
            reading->values[kept++] = reading->values[i];
    }
    reading->count = kept;
}

/* Takes one value up, if it is read at all. */
static int
take_value(struct reading *reading, const struct ldap_value *value, struct prov_error *err)
{
    const struct entry_options *options = reading->options;
    const struct column *column = columns_find(options->columns, value->name, true);

    if (!column && options->unread && strcmp(value->name, "objectclass") != 0 &&
        !is_key(reading, value))
        options->unread(options->context, value->name);
    if (!column || column->left_out || leaves_gap(options, column, value))
        return PROV_OK;
    if (value->binary)
        return not_text(reading->entry, value, err);
    if (reading->count == VALUES_MAX) {
        reading->further++;
        return PROV_OK;
    }
    reading->values[reading->count++] = (struct person_value){ .column = column,
                                                               .text = value->text,
                                                               .length = value->length,
                                                               .name = value->name,
                                                               .line = value->line };
    return PROV_OK;
}

/* The first manager by what stands for them; further ones are left out later. */
static int
name_manager(struct reading *reading, struct prov_error *err)
{
    const struct entry_options *options = reading->options;

    for (size_t i = 0; i < reading->count; i++) {
        struct person_value *value = &reading->values[i];
        int result;

        if (value->column->kind != COLUMN_MANAGER || !value->length)
            continue;
        if (options->manager) {
            result = options->manager(options->context, value->text, &reading->manager, err);
        } else {
            reading->manager = entry_plain_dn(value->text);
            result = reading->manager ? PROV_OK : fault_nomem(err);
        }
        value->text = reading->manager ? reading->manager : "";
        value->length = strlen(value->text);
        return result;
    }
    return PROV_OK;
}

/* What is wrong with a value is told with whose it is; in a file the line says that. */
static int
name_entry(const struct ldap_entry *entry, struct prov_error *err)
{
    char reason[sizeof(err->text)];

    snprintf(reason, sizeof(reason), "%s", err->text);
    return fault_set(err, PROV_E_INVALID, "entry '%.120s', %.800s", entry->dn, reason);
}

/* Lists tell people apart by the externalId also where they are compared by another key. */
static int
make_person(struct reading *reading, struct entry_person *ret, struct prov_error *err)
{
    struct entry_person person = { .id = strdup(reading->key),
                                   .uri = person_uri(reading->key),
                                   .name = person_name(reading->values, reading->count) };
    const struct person_options how = { .refs = reading->options->manager_is_key,
                                        .id = reading->key };
    int result = person.id && person.uri ? PROV_OK : fault_nomem(err);

    if (!result)
        result = name_manager(reading, err);
    if (!result) {
        result = person_make(reading->values, reading->count, &how, &person.resource, err);
        if (result == PROV_E_INVALID && !reading->entry->line)
            result = name_entry(reading->entry, err);
    }
    if (result) {
        entry_person_clear(&person);
        return result;
    }
    person.resource.further += reading->further;
    *ret = person;
    return PROV_OK;
}

int
entry_read(const struct entry_options *options, const struct ldap_entry *entry,
           struct entry_person *ret, struct prov_error *err)
{
    struct person_value few[VALUES_FEW], *many = NULL;
    struct reading reading = { .options = options, .entry = entry, .values = few };
    int result = PROV_OK;
    char at[160];

    if (entry->count > VALUES_FEW) {
        reading.values = many = calloc(VALUES_MAX, sizeof(*many));
        result = many ? PROV_OK : fault_nomem(err);
    }
    find_key(&reading);
    for (size_t i = 0; i < entry->count && !result; i++)
        result = take_value(&reading, &entry->values[i], err);
    if (options->gaps)
        drop_gaps(&reading);
    if (!result && !reading.key)
        result = no_key(&reading, err);
    else if (!result && is_blank(reading.key))
        result = fault_set(err, PROV_E_INVALID,
                           "%s, '%s': the key is empty; everybody needs one that never changes",
                           place(entry, entry->line, at, sizeof(at)), options->key);
    else if (!result)
        result = make_person(&reading, ret, err);
    free(many);
    free(reading.manager);
    return result;
}

/* Any value that locks the account counts, as in a resource. */
bool
entry_is_inactive(const struct columns *columns, const struct ldap_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        const struct ldap_value *value = &entry->values[i];
        const struct column *column = columns_find(columns, value->name, true);
        bool active = true;

        if (column && !column->left_out && !*column->schema &&
            !strcmp(column->attribute, "active") && !value->binary && value->length &&
            !column_boolean(column, value->text, &active) && !active)
            return true;
    }
    return false;
}

const char *
entry_text(const struct ldap_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (letters_same(entry->values[i].name, name))
            return entry->values[i].text;
    }
    return NULL;
}

char *
entry_uri(const struct entry_options *options, const struct ldap_entry *entry)
{
    struct reading reading = { .options = options, .entry = entry };

    find_key(&reading);
    return reading.key && !is_blank(reading.key) ? person_uri(reading.key) : NULL;
}

void
entry_person_clear(struct entry_person *person)
{
    free(person->id);
    free(person->uri);
    free(person->resource.json);
    *person = (struct entry_person){ .id = NULL };
}

bool
entry_make_room(void **array, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 64;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}
