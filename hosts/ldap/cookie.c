/*
 * Decides that changes are compared by the server that made them: one may be ahead of what was heard of one server,
 * and behind in what was heard of another.
 */
#include "hosts/ldap/cookie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "20261127233137.123456Z#000000#001#000000": the third part is the server's. */
struct csn {
    const char *text, *server;
    int length, server_length;
};

/* Where a field of it begins, with its name, "csn="; NULL: there is none. */
static const char *
field_of(const char *cookie, const char *name)
{
    const char *field = cookie;

    while (field && strncmp(field, name, strlen(name)) != 0) {
        field = strchr(field, ',');
        field = field ? field + 1 : NULL;
    }
    return field;
}

/* The CSNs of a cookie; "": it has none. */
static const char *
list_of(const char *cookie)
{
    const char *field = field_of(cookie, "csn=");

    return field ? field + 4 : "";
}

/* Whether it is one of OpenLDAP. */
static bool
is_openldaps(const char *cookie)
{
    return !strncmp(cookie, "rid=", 4) || !strncmp(cookie, "sid=", 4);
}

/* The next one of a list, which moves on; false: there are no more. */
static bool
next(const char **list, struct csn *ret)
{
    const char *text = *list;
    size_t length = strcspn(text, ";,"), part = strcspn(text, "#;,");

    if (!length)
        return false;
    *list += length + (text[length] == ';');
    for (int i = 0; i < 2 && text[part] == '#'; i++)
        part += 1 + strcspn(text + part + 1, "#;,");
    *ret = (struct csn){ .text = text, .length = (int)length };
    ret->server = memrchr(text, '#', part);
    if (!ret->server)
        ret->server = text + part;
    ret->server_length = (int)(text + part - ret->server);
    return true;
}

/* That of the same server. */
static bool
find(const char *list, const struct csn *like, struct csn *ret)
{
    while (next(&list, ret)) {
        if (ret->server_length == like->server_length &&
            !strncmp(ret->server, like->server, (size_t)like->server_length))
            return true;
    }
    return false;
}

static bool
is_older(const struct csn *csn, const struct csn *than)
{
    int length = csn->length < than->length ? csn->length : than->length;

    return strncmp(csn->text, than->text, (size_t)length) < 0;
}

enum cookie_age
cookie_compare(const char *now, const char *before)
{
    const char *list = list_of(before), *there = list_of(now);
    struct csn csn, its;

    if (!*list || !*there)
        return COOKIE_UNKNOWN;
    while (next(&list, &csn)) {
        if (!find(there, &csn, &its) || is_older(&its, &csn))
            return COOKIE_OLDER;
    }
    return COOKIE_NOT_OLDER;
}

bool
cookie_is_bare(const char *cookie)
{
    return !*cookie || (is_openldaps(cookie) && !*list_of(cookie));
}

void
cookie_forget_giver(char *cookie)
{
    const char *field = is_openldaps(cookie) ? field_of(cookie, "sid=") : NULL, *rest;
    char *at;

    if (!field)
        return;
    rest = field + strcspn(field, ",");
    at = cookie + (field - cookie);
    if (at > cookie)
        at--; /* with the comma before it, */
    else
        rest += *rest == ','; /* or behind */
    memmove(at, rest, strlen(rest) + 1);
}

bool
cookie_has(const char *cookie, const char *change)
{
    struct csn csn, its;

    return next(&change, &csn) && find(list_of(cookie), &csn, &its) && !is_older(&its, &csn);
}

char *
cookie_merge(const char *before, const char *now)
{
    const char *old = list_of(before), *list = list_of(now), *rest = old;
    char *text = NULL;
    size_t size;
    FILE *to = *old && *list ? open_memstream(&text, &size) : NULL;
    struct csn csn, its;
    bool cut;

    if (!*old || !*list)
        return strdup(now);
    if (!to)
        return NULL;
    fprintf(to, "%.*s", (int)(list - now), now);
    for (const char *at = list; next(&at, &csn);) {
        bool newer = find(old, &csn, &its) && is_older(&csn, &its);

        fprintf(to, "%s%.*s", csn.text == list ? "" : ";", newer ? its.length : csn.length,
                newer ? its.text : csn.text);
    }
    while (next(&rest, &csn)) {
        if (!find(list, &csn, &its))
            fprintf(to, ";%.*s", csn.length, csn.text);
    }
    cut = ferror(to) != 0;
    if (!fclose(to) && !cut)
        return text;
    free(text);
    return NULL;
}
