/*
 * How far a directory was heard, as OpenLDAP writes it into its cookies: "rid=000,sid=001,csn=A;B", the newest change of
 * each server whose changes it has. RFC 4533 leaves open what is in one, so of others nothing is known. Pure.
 */
#ifndef LDAP_COOKIE_H
#define LDAP_COOKIE_H

#include <stdbool.h>

enum cookie_age {
    COOKIE_UNKNOWN, /* nobody can tell */
    COOKIE_OLDER,
    COOKIE_NOT_OLDER
};

/* Whether a cookie stands for less than an earlier one, of any server. */
enum cookie_age cookie_compare(const char *now, const char *before);

/* Whether it is one of OpenLDAP that names no change at all: it says nothing. */
bool cookie_is_bare(const char *cookie);

/* Whether it stands for that change (an entryCSN) too. */
bool cookie_has(const char *cookie, const char *change);

/* Leaves out which server gave it, if it is one of OpenLDAP: who names a server is taken for it, and a replica tells nobody
 * what they have changed or passed on themselves. */
void cookie_forget_giver(char *cookie);

/* A cookie that stands for what both do: what is told of one change names its server alone. Heap; NULL when out of
 * memory. */
char *cookie_merge(const char *before, const char *now);

#endif
