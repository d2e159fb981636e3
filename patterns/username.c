/*
 * Decides whether Salesforce would take a string as a Username, by its form alone, and names the
 * first fault with its place and the remedy. The rule is the one Salesforce publishes for e-mail
 * addresses (help 000384328, before that 000001145), since "the username must be in the form of an
 * email address"; there is no published rule for usernames alone. Whether a name is free, and
 * whether the org takes it after all, is left to Salesforce. Plain comparisons of bytes: no locale,
 * no regular expression, so that positions are exact.
 */
#include "patterns/username.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"

static int
is_letter_or_digit(unsigned char byte)
{
    return ascii_is_letter((char)byte) || ascii_is_digit((char)byte);
}

/* Help 000001145 lists these for the local part; the parentheses of comments, quotes and square
 * brackets are mailbox syntax that no login name needs. */
int
username_takes(unsigned char byte)
{
    return is_letter_or_digit(byte) || (byte && strchr("!#$%&'*+-./=?^_`{|}~", byte));
}

/* The character at text, which is not at its end: its bytes and code point. 0 if it is no UTF-8. */
static size_t
character_at(const char *text, uint32_t *ret_point)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xC0 ? 0
                    : bytes[0] < 0xE0 ? 2
                    : bytes[0] < 0xF0 ? 3
                    : bytes[0] < 0xF8 ? 4
                                      : 0;
    uint32_t point = length < 2 ? bytes[0] : bytes[0] & (0x7Fu >> length);

    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3Fu);
    }
    if (length &&
        (point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)))
        return 0;
    *ret_point = point;
    return length;
}

const char *
username_quote(const char *text, char out[USERNAME_QUOTE_BYTES])
{
    const size_t room = USERNAME_QUOTE_BYTES - sizeof("...");
    size_t used = 0;

    while (*text) {
        uint32_t point;
        size_t length = character_at(text, &point);
        size_t taken = length ? length : 1;

        if (used + taken > room) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(out + used, length ? text : "?", taken);
        used += taken;
        text += taken;
    }
    out[used] = '\0';
    return out;
}

/* Names the character at text: what one sees is no help where it is a no-break space. */
static void
name_character(const char *text, char *out, size_t size)
{
    unsigned byte = (unsigned char)*text;
    uint32_t point;
    size_t length = character_at(text, &point);

    if (byte == ' ')
        snprintf(out, size, "a blank");
    else if (byte < 0x20 || byte == 0x7F)
        snprintf(out, size, "a control character (0x%02X)", byte);
    else if (!length)
        snprintf(out, size, "a byte that is no UTF-8 (0x%02X)", byte);
    else if (length == 1)
        snprintf(out, size, "the character '%c'", *text);
    else
        snprintf(out, size, "the character '%.*s' (U+%04X)", (int)length, text, (unsigned)point);
}

const char *
username_domain_fault(const char *domain, size_t *ret_position)
{
    size_t start = 0, i;
    int dots = 0;

    for (i = 0;; i++) {
        unsigned char byte = (unsigned char)domain[i];

        *ret_position = i + 1;
        /* '_' is not in Salesforce's list for domains; that usernames may hold it there, as in a
         * suffix for a sandbox, is unsure. It is let through: the org decides. */
        if (is_letter_or_digit(byte) || byte == '_' || (byte == '-' && i > start))
            continue;
        if (byte == '-')
            return "a '-' at the start of a label";
        if (byte && byte != '.')
            return "a character that no domain has";
        if (i == start && (byte || !i))
            return "an empty label";
        if (i == start || domain[i - 1] == '-') {
            *ret_position = i;
            return i == start ? "a '.' at its end" : "a '-' at the end of a label";
        }
        if (!byte)
            return dots ? NULL : "no '.' before its end";
        dots++;
        start = i + 1;
    }
}

/* The part after the '@', which stands at `at`. */
static int
check_domain(const char *username, const char *at, const char *quoted, struct prov_error *err)
{
    size_t position;
    const char *fault;

    if (!at[1])
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has nothing after its '@'; Salesforce needs the form "
                         "name@domain, as in john@acme.com",
                         quoted);
    /* Some orgs were seen to take several '@' (fact sheet 3.3, unsure); no mailbox has that form,
     * and which '@' starts the domain would be a guess. */
    if (strchr(at + 1, '@'))
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has a second '@' at position %zu; set a provisioning "
                         "domain, which turns every '@' of the name into '.', or take the '@' out "
                         "of the value it came from",
                         quoted, (size_t)(strchr(at + 1, '@') - username) + 1);
    fault = username_domain_fault(at + 1, &position);
    if (fault)
        return error_set(err, PROV_E_INVALID,
                         "username '%s': its domain has %s at position %zu; Salesforce needs a "
                         "domain such as acme.com after the '@': correct the value it came from "
                         "or set a provisioning domain",
                         quoted, fault, (size_t)(at - username) + 1 + position);
    return PROV_OK;
}

int
username_check(const char *username, struct prov_error *err)
{
    char quoted[USERNAME_QUOTE_BYTES], character[64];
    const char *text = username ? username : "";
    const char *bad = text, *at;
    size_t length;
    int result;

    if (!*text)
        return error_set(err, PROV_E_INVALID, "the username is empty; give the user a userName");
    username_quote(text, quoted);
    while (*bad && (*bad == '@' || username_takes((unsigned char)*bad)))
        bad++;
    if (*bad) {
        name_character(bad, character, sizeof(character));
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has %s at position %zu, which Salesforce takes in no "
                         "username; take it out of the value it came from: the user name, the "
                         "tenant domain or the identity provider's name",
                         quoted, character, (size_t)(bad - text) + 1);
    }
    at = strchr(text, '@');
    if (!at)
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has no '@'; set a provisioning domain, or send an e-mail "
                         "address as the user name",
                         quoted);
    if (at == text)
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has nothing before its '@'; give the user a userName",
                         quoted);
    /* The only place: Salesforce allows ".." and a dot before the '@' (help 000384328). */
    if (*text == '.')
        return error_set(err, PROV_E_INVALID,
                         "username '%s' has a '.' at position 1, where Salesforce allows none; "
                         "take it out of the value it came from",
                         quoted);
    result = check_domain(text, at, quoted, err);
    if (result != PROV_OK)
        return result;
    length = strlen(text);
    if (length > USERNAME_MAX_CHARACTERS)
        return error_set(err, PROV_E_INVALID,
                         "username '%s' is %zu characters long, and Salesforce takes %d; use fewer "
                         "keys in the provisioning pattern, or a shorter provisioning domain",
                         quoted, length, USERNAME_MAX_CHARACTERS);
    return PROV_OK;
}

int
username_equal(const char *a, const char *b)
{
    return a && b ? ascii_compare(a, b) == 0 : a == b;
}

void
username_lower(char *username)
{
    for (; *username; username++)
        *username = ascii_lower(*username);
}

void
username_temporary(const char *salesforce_id, const char *before,
                   char ret[USERNAME_MAX_CHARACTERS + 1])
{
    static const char elsewhere[] = "swap.invalid";
    const char *at = strrchr(before, '@'), *domain = at ? at + 1 : elsewhere;

    /* of a long domain the end; of one without a dot to cut at nothing */
    while (strlen(USERNAME_TEMPORARY_PREFIX "@") + strlen(salesforce_id) + strlen(domain) >
           USERNAME_MAX_CHARACTERS) {
        const char *dot = strchr(domain, '.');
        domain = dot && strchr(dot + 1, '.') ? dot + 1 : elsewhere;
    }
    snprintf(ret, USERNAME_MAX_CHARACTERS + 1, USERNAME_TEMPORARY_PREFIX "%s@%s", salesforce_id,
             domain);
    username_lower(ret);
}

int
username_numbered(const char *username, const char *between, unsigned number,
                  char ret[USERNAME_MAX_CHARACTERS + 1])
{
    const char *at = strrchr(username, '@');
    char tail[USERNAME_BETWEEN_MAX + sizeof("4294967295")];
    size_t local = at ? (size_t)(at - username) : 0, rest;

    ret[0] = '\0';
    snprintf(tail, sizeof(tail), "%s%u", between, number);
    rest = at ? strlen(tail) + strlen(at) : USERNAME_MAX_CHARACTERS;
    if (!local || rest >= USERNAME_MAX_CHARACTERS)
        return 0;
    if (local > USERNAME_MAX_CHARACTERS - rest)
        local = USERNAME_MAX_CHARACTERS - rest;
    snprintf(ret, USERNAME_MAX_CHARACTERS + 1, "%.*s%s%s", (int)local, username, tail, at);
    return 1;
}
