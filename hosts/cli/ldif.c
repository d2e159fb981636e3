/*
 * The LDIF reader. Decides what an entry is, and what is none: change records say what happened and
 * not who is there, and an ldapsearch that hit a limit gives a part of the list only. A value that
 * is to be read from another file or from the network is refused: an export does not decide what
 * this program opens.
 */
#include "hosts/cli/ldif.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

/* A value as offsets, until the entry is whole: the buffer may move. */
struct ldif_slot {
    size_t name, text, length, line;
    bool binary;
};

static enum found
nomem(struct prov_error *err)
{
    fault_nomem(err);
    return FOUND_STOP;
}

static bool
append(char **buffer, size_t *length, size_t *room, const char *bytes, size_t count)
{
    if (*room - *length <= count) {
        size_t more = (*room ? *room * 2 : 4096) + count;
        char *larger = realloc(*buffer, more);

        if (!larger)
            return false;
        *buffer = larger;
        *room = more;
    }
    memcpy(*buffer + *length, bytes, count);
    *length += count;
    (*buffer)[*length] = '\0';
    return true;
}

/* ---- logical lines ---- */

/* Reads one physical line ahead. */
static enum found
look_ahead(struct ldif *ldif, struct prov_error *err)
{
    struct line line;
    enum found found = lines_next(ldif->lines, &line, err);
    char *copy;

    ldif->has_ahead = false;
    if (found != FOUND_ITEM)
        return found;
    copy = realloc(ldif->ahead, line.length + 1);
    if (!copy)
        return nomem(err);
    memcpy(copy, line.text, line.length + 1);
    ldif->ahead = copy;
    ldif->ahead_length = line.length;
    ldif->ahead_line = line.number;
    ldif->has_ahead = true;
    return FOUND_ITEM;
}

/* The next line with those that continue it (RFC 2849 note 2), in ldif->logical. */
static enum found
next_logical(struct ldif *ldif, size_t *ret_line, struct prov_error *err)
{
    enum found found = ldif->has_ahead ? FOUND_ITEM : look_ahead(ldif, err);
    size_t skip = 0;

    ldif->logical_length = 0;
    if (found != FOUND_ITEM)
        return found;
    *ret_line = ldif->ahead_line;
    do {
        if (!append(&ldif->logical, &ldif->logical_length, &ldif->logical_room, ldif->ahead + skip,
                    ldif->ahead_length - skip))
            return nomem(err);
        if (ldif->logical_length > LDIF_MAX_ENTRY_BYTES) {
            fault_set(err, PROV_E_LIMIT, "line %zu: a value is longer than %u bytes", *ret_line,
                      LDIF_MAX_ENTRY_BYTES);
            return FOUND_STOP;
        }
        found = look_ahead(ldif, err);
        skip = 1;
    } while (found == FOUND_ITEM && ldif->logical_length > 0 && ldif->ahead[0] == ' ');
    /* a fault ahead is told now; the line it continues or ends belongs to an entry that is passed */
    return found == FOUND_END ? FOUND_ITEM : found;
}

/* ---- one attribute ---- */

static int
digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Decodes in place (RFC 4648 4, padding needed); false: it is none. */
static bool
decode_base64(char *text, size_t *length)
{
    size_t count = *length, out = 0, padded = 0;
    unsigned bits = 0;

    if (count % 4)
        return false;
    while (padded < 2 && padded < count && text[count - padded - 1] == '=')
        padded++; /* counted now: of four characters the decoded ones take the place */
    for (size_t i = 0; i < count; i++) {
        size_t left = count - i;
        bool padding = text[i] == '=' && (left == 1 || (left == 2 && text[i + 1] == '='));
        int value = padding ? 0 : digit(text[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
        if (i % 4 == 3) {
            text[out++] = (char)(bits >> 16 & 0xff);
            text[out++] = (char)(bits >> 8 & 0xff);
            text[out++] = (char)(bits & 0xff);
            bits = 0;
        }
    }
    *length = out - padded;
    return true;
}

/* Splits ldif->logical into name and value. *ret_value is borrowed. */
static enum found
split(struct ldif *ldif, size_t line, char **ret_value, size_t *ret_length, struct prov_error *err)
{
    char *colon = strchr(ldif->logical, ':'), *value;

    if (!colon || colon == ldif->logical || ldif->logical[0] == ';') {
        fault_set(err, PROV_E_INVALID,
                  "line %zu: '%.40s' is no 'attribute: value'; a long value goes on in a line that "
                  "begins with a blank, and a blank line ends an entry",
                  line, ldif->logical);
        return FOUND_FAULT;
    }
    *colon = '\0';
    value = colon + 1;
    if (*value == '<') {
        fault_set(
            err, PROV_E_INVALID,
            "line %zu: '%s' is to be read from '%.80s'; nothing but this file is read: export "
            "the value itself, or leave the attribute out",
            line, ldif->logical, value + 1 + strspn(value + 1, " "));
        return FOUND_FAULT;
    }
    *ret_value = value + (*value == ':');
    *ret_value += strspn(*ret_value, " ");
    *ret_length = ldif->logical_length - (size_t)(*ret_value - ldif->logical);
    if (*value == ':') {
        while (*ret_length && (*ret_value)[*ret_length - 1] == ' ')
            --*ret_length;
        if (!decode_base64(*ret_value, ret_length)) {
            fault_set(err, PROV_E_INVALID,
                      "line %zu: the value of '%s' is not base64, as the '::' says it is", line,
                      ldif->logical);
            return FOUND_FAULT;
        }
        (*ret_value)[*ret_length] = '\0';
    }
    return FOUND_ITEM;
}

/* "GivenName;lang-en" becomes "givenname". */
static void
plain_name(char *name)
{
    name[strcspn(name, ";")] = '\0';
    letters_make_small(name);
}

static enum found
add_value(struct ldif *ldif, size_t line, struct prov_error *err)
{
    char *value = NULL;
    size_t length = 0;
    struct ldif_slot slot = { .name = ldif->length, .line = line };
    enum found found = split(ldif, line, &value, &length, err);

    if (found != FOUND_ITEM)
        return found;
    plain_name(ldif->logical);
    if (ldif->count == ldif->value_room) {
        size_t room = ldif->value_room ? ldif->value_room * 2 : 64;
        struct ldif_slot *slots = realloc(ldif->slots, room * sizeof(*slots));

        if (!slots)
            return nomem(err);
        ldif->slots = slots;
        ldif->value_room = room;
    }
    slot.text = slot.name + strlen(ldif->logical) + 1;
    slot.length = length;
    slot.binary = !utf8_is_text(value, length);
    if (!append(&ldif->text, &ldif->length, &ldif->room, ldif->logical,
                strlen(ldif->logical) + 1) ||
        !append(&ldif->text, &ldif->length, &ldif->room, value, length) ||
        !append(&ldif->text, &ldif->length, &ldif->room, "", 1))
        return nomem(err);
    ldif->slots[ldif->count++] = slot;
    if (ldif->length > LDIF_MAX_ENTRY_BYTES) {
        fault_set(err, PROV_E_LIMIT, "line %zu: the entry is longer than %u bytes", line,
                  LDIF_MAX_ENTRY_BYTES);
        return FOUND_FAULT;
    }
    return FOUND_ITEM;
}

/* ---- entries ---- */

static const char *
name_of(const struct ldif *ldif, size_t index)
{
    return ldif->text + ldif->slots[index].name;
}

static const char *
value_of(const struct ldif *ldif, size_t index)
{
    return ldif->text + ldif->slots[index].text;
}

/* What makes the whole text no list of entries. */
static enum found
check_kind(const struct ldif *ldif, struct prov_error *err)
{
    size_t last = ldif->count - 1, line = ldif->slots[last].line;
    const char *name = name_of(ldif, last), *value = value_of(ldif, last);

    if (!strcmp(name, "changetype") || (!strcmp(name, "control") && last < 2)) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu: a change record ('%s: %.60s'); a list needs the entries themselves: "
                  "export them with ldapsearch -LLL or slapcat",
                  line, name, value);
        return FOUND_STOP;
    }
    if (!strcmp(name, "version") && last == 0 && strcmp(value, "1")) {
        fault_set(err, PROV_E_INVALID, "line %zu: LDIF version '%.20s'; version 1 is read", line,
                  value);
        return FOUND_STOP;
    }
    if (!strcmp(name, "result") && !strcmp(name_of(ldif, 0), "search") && strncmp(value, "0 ", 2)) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu: the search did not end well ('result: %.60s'), so the list is not "
                  "whole: raise the limit, or search page by page (ldapsearch -E pr=1000/noprompt)",
                  line, value);
        return FOUND_STOP;
    }
    return FOUND_ITEM;
}

/* Whether the lines up to the blank one are an entry; FOUND_END: they are about the file. */
static enum found
check_entry(struct ldif *ldif, struct ldap_entry *ret, struct prov_error *err)
{
    size_t dn = !strcmp(name_of(ldif, 0), "version") ? 1 : 0;
    struct ldap_value *values;

    if (dn == ldif->count || !strcmp(name_of(ldif, 0), "search"))
        return FOUND_END;
    if (strcmp(name_of(ldif, dn), "dn")) {
        fault_set(err, PROV_E_INVALID,
                  "line %zu: an entry begins with '%.40s', not with 'dn'; is it cut in two by a "
                  "blank line?",
                  ldif->slots[dn].line, name_of(ldif, dn));
        return FOUND_FAULT;
    }
    if (ldif->slots[dn].binary) {
        fault_set(err, PROV_E_INVALID, "line %zu: the dn is not UTF-8", ldif->slots[dn].line);
        return FOUND_FAULT;
    }
    values = realloc(ldif->values, ldif->value_room * sizeof(*values));
    if (!values)
        return nomem(err);
    ldif->values = values;
    for (size_t i = dn + 1; i < ldif->count; i++)
        values[i] = (struct ldap_value){ .name = name_of(ldif, i),
                                         .text = value_of(ldif, i),
                                         .length = ldif->slots[i].length,
                                         .binary = ldif->slots[i].binary,
                                         .line = ldif->slots[i].line };
    *ret = (struct ldap_entry){ .dn = value_of(ldif, dn),
                                .line = ldif->slots[dn].line,
                                .values = values + dn + 1,
                                .count = ldif->count - dn - 1 };
    return FOUND_ITEM;
}

/* Reads the lines of an entry. FOUND_END: the text ends, and there may be values. */
static enum found
read_entry(struct ldif *ldif, struct prov_error *err)
{
    enum found found = FOUND_ITEM;
    size_t line = 0;

    while (found == FOUND_ITEM) {
        found = next_logical(ldif, &line, err);
        if (found != FOUND_ITEM || ldif->logical[0] == '#')
            continue;
        if (ldif->logical_length == 0) {
            ldif->passing = false;
            if (ldif->count)
                return FOUND_ITEM;
        } else if (!ldif->passing) {
            found = add_value(ldif, line, err);
            if (found == FOUND_ITEM)
                found = check_kind(ldif, err);
        }
    }
    ldif->passing = found == FOUND_FAULT;
    return found;
}

enum found
ldif_next(struct ldif *ldif, struct ldap_entry *ret, struct prov_error *err)
{
    enum found read = FOUND_ITEM, found = FOUND_END;

    while (found == FOUND_END && read == FOUND_ITEM) {
        ldif->count = ldif->length = 0;
        read = read_entry(ldif, err);
        if (read == FOUND_FAULT || read == FOUND_STOP)
            return read;
        if (ldif->count)
            found = check_entry(ldif, ret, err);
    }
    return found;
}

void
ldif_clear(struct ldif *ldif)
{
    free(ldif->logical);
    free(ldif->ahead);
    free(ldif->text);
    free(ldif->slots);
    free(ldif->values);
    *ldif = (struct ldif){ .count = 0 };
}
