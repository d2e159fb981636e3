/* Derives Alias, which Salesforce wants in every create and SCIM does not have (fact sheet 3.2,
 * 7.2). Only for show there: it need not be unique, and a user may change it. */
#include "schema/alias.h"

#include <stdlib.h>
#include <string.h>

#include "schema/letters.h"

static const char *
text_of(struct value *object, const char *attribute)
{
    const char *text = value_text(value_get_nocase(object, attribute));

    return text ? text : "";
}

/* initial's first character, then name, cut; heap. */
static char *
joined(const char *initial, const char *name)
{
    AUTO_FREE char *first = strdup(initial);
    char *alias;

    if (!first)
        return NULL;
    letters_cut(first, 1);
    alias = letters_format("%s%s", first, name);
    if (alias)
        letters_cut_units(alias, ALIAS_MAX_CHARACTERS);
    return alias;
}

/* userName without the store before '/' and the domain after '@', as letters; heap. */
static char *
account_letters(const char *account)
{
    const char *slash = strrchr(account, '/');
    AUTO_FREE char *local = strdup(slash ? slash + 1 : account);

    if (!local)
        return NULL;
    local[strcspn(local, "@")] = '\0';
    return letters_ascii(local);
}

/* The name as it is written, without blanks, in lower case; heap. */
static char *
own_script(const char *given, const char *family)
{
    AUTO_FREE char *lower = NULL;
    AUTO_FREE char *start = letters_trim(given);
    AUTO_FREE char *rest = letters_trim(family);
    AUTO_FREE char *both = start && rest ? joined(start, rest) : NULL;
    size_t length = 0;

    lower = both ? letters_lower(both) : NULL;
    for (char *c = lower; lower && *c; c++) {
        if (!strchr(" \t\r\n", *c))
            lower[length++] = *c;
    }
    if (lower)
        lower[length] = '\0';
    return STEAL(lower);
}

/* ---- one origin each: heap, "" where there is nothing, NULL when out of memory ---- */

static char *
from_name(struct value *resource)
{
    struct value *name = value_get_nocase(resource, "name");
    AUTO_FREE char *surname = letters_ascii(text_of(name, "familyName"));
    AUTO_FREE char *initial = NULL;

    if (!surname || !*surname)
        return STEAL(surname);
    initial = letters_ascii(text_of(name, "givenName"));
    return initial ? joined(initial, surname) : NULL;
}

static char *
from_account(struct value *resource)
{
    AUTO_FREE char *account = account_letters(text_of(resource, "userName"));

    return account ? joined("", account) : NULL;
}

static char *
from_display(struct value *resource)
{
    AUTO_FREE char *display = letters_ascii(text_of(resource, "displayName"));

    return display ? joined("", display) : NULL;
}

static char *
from_own_script(struct value *resource)
{
    struct value *name = value_get_nocase(resource, "name");

    return own_script(text_of(name, "givenName"), text_of(name, "familyName"));
}

char *
alias_derive(struct value *resource, const char **ret_from)
{
    static const struct {
        const char *from;
        char *(*derive)(struct value *resource);
    } origins[] = {
        { "$alias: name.givenName, name.familyName", from_name },
        { "$alias: userName", from_account },
        { "$alias: displayName", from_display },
        { "$alias: name in its own script", from_own_script },
    };

    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        char *alias = origins[i].derive(resource);
        *ret_from = origins[i].from;
        if (!alias || *alias)
            return alias;
        free(alias);
    }
    *ret_from = NULL;
    return NULL;
}
