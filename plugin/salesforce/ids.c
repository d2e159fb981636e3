/*
 * Record ids and SOQL text: the 18-character form of an id with its check suffix (fact sheet 5.5),
 * string literals (fact sheet 2.10) and percent-encoding. Pure. Which kind of record an id must
 * name is for the caller to check.
 */
#include <stdio.h>
#include <string.h>

#include "plugin/salesforce/session.h"

/* 1: a digit or a lower-case letter; 3: an upper-case one; 0: nothing of an id. */
static const unsigned char letter_kinds[256] = { ['0' ... '9'] = 1,
                                                 ['a' ... 'z'] = 1,
                                                 ['A' ... 'Z'] = 3 };

static bool
is_alphanumeric(char c)
{
    return letter_kinds[(unsigned char)c];
}

int
sf_id_normalise(const char *id, char ret[SF_ID_SIZE], struct prov_error *err)
{
    /* a letter of the suffix tells which of five characters are upper case, the first one lowest */
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    size_t length = id ? strnlen(id, SF_ID_SIZE) : 0;
    char full[SF_ID_SIZE];
    unsigned upper = 0, all = 1;

    if (length != 15 && length != 18)
        return error_set(err, PROV_E_INVALID,
                         "'%.*s' is not a Salesforce id: it needs 15 or 18 characters", 40,
                         id ? id : "");
    for (size_t i = 0; i < length; i++) {
        unsigned kind = letter_kinds[(unsigned char)id[i]];
        all &= kind;
        upper |= kind >> 1 << i;
    }
    if (!all)
        return error_set(err, PROV_E_INVALID,
                         "'%.*s' is not a Salesforce id: letters and digits only", 40, id);
    memcpy(full, id, 15);
    for (size_t group = 0; group < 3; group++)
        full[15 + group] = letters[(upper >> (5 * group)) & 31];
    full[18] = '\0';
    if (length == 18 && memcmp(full + 15, id + 15, 3) != 0)
        return error_set(err, PROV_E_INVALID,
                         "'%s' is not a Salesforce id: its last three characters must be '%s'; "
                         "copy it again, upper and lower case matter",
                         id, full + 15);
    memcpy(ret, full, sizeof(full));
    return PROV_OK;
}

/* The letter after the backslash for what cannot stand as it is, else 0. */
static char
soql_escape(char c)
{
    switch (c) {
    case '\\':
    case '\'':
    case '"':
        return c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

char *
sf_soql_quote(const char *text)
{
    /* the longest escape is \u00XX */
    size_t room = 6 * strlen(text) + 3, at = 0;
    char *quoted = malloc(room);

    if (!quoted)
        return NULL;
    quoted[at++] = '\'';
    for (const char *c = text; *c; c++) {
        char letter = soql_escape(*c);
        if (letter) {
            quoted[at++] = '\\';
            quoted[at++] = letter;
        } else if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            at += (size_t)snprintf(quoted + at, room - at, "\\u%04X", (unsigned)*c);
        } else {
            quoted[at++] = *c;
        }
    }
    quoted[at++] = '\'';
    quoted[at] = '\0';
    return quoted;
}

/* RFC 3986 2.3. */
static bool
is_unreserved(char c)
{
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

size_t
sf_soql_url_bytes(const char *soql)
{
    size_t bytes = 0;

    for (const char *c = soql; *c; c++)
        bytes += is_unreserved(*c) ? 1 : 3;
    return bytes;
}

char *
sf_percent_encode(const char *text)
{
    size_t room = sf_soql_url_bytes(text) + 1, at = 0;
    char *encoded = malloc(room);

    if (!encoded)
        return NULL;
    for (const char *c = text; *c; c++) {
        if (is_unreserved(*c))
            encoded[at++] = *c;
        else
            at += (size_t)snprintf(encoded + at, room - at, "%%%02X", (unsigned)(unsigned char)*c);
    }
    encoded[at] = '\0';
    return encoded;
}
