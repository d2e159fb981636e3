/*
 * Decides which attributes make somebody a member, and that a uid is compared as it is written.
 */
#include "hosts/ldap/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/letters.h"

const char *const member_attributes[] = { "member", "uniqueMember", "memberUid", NULL };

bool
member_by_uid(const char *attribute)
{
    return letters_same(attribute, "memberUid");
}

bool
member_names(const char *attribute)
{
    for (size_t i = 0; member_attributes[i]; i++) {
        if (letters_same(attribute, member_attributes[i]))
            return true;
    }
    return false;
}

void
member_condition(FILE *to, const char *name, const char *value)
{
    fprintf(to, "(%s=", name);
    for (; *value; value++) {
        if (strchr("*()\\", *value))
            fprintf(to, "\\%02x", (unsigned char)*value);
        else
            fputc(*value, to);
    }
    fputc(')', to);
}

static char *
finish(FILE *to, char **text)
{
    if (to && fclose(to)) {
        free(*text);
        *text = NULL;
    }
    return *text;
}

char *
member_filter(const struct ldap_entry *person, const char *former)
{
    const char *const dns[] = { person->dn, former };
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (to) {
        fputs("(|", to);
        for (size_t i = 0; i < 2 && dns[i]; i++) {
            member_condition(to, "member", dns[i]);
            member_condition(to, "uniqueMember", dns[i]);
        }
        for (size_t i = 0; i < person->count; i++) {
            if (!strcmp(person->values[i].name, "uid") && !person->values[i].binary)
                member_condition(to, "memberUid", person->values[i].text);
        }
        fputc(')', to);
    }
    return finish(to, &text);
}

char *
member_uid_filter(const char *uid)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (to)
        member_condition(to, "uid", uid);
    return finish(to, &text);
}
