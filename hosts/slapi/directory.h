/*
 * The server's entries as hosts/ldap/entry.h has them, and what else has to be read for a person: groups
 * and manager. Reads through the server's internal operations, on the caller's thread.
 */
#ifndef SLAPI_DIRECTORY_H
#define SLAPI_DIRECTORY_H

#include <slapi-plugin.h>

#include "hosts/adapter/config.h"
#include "hosts/ldap/entry.h"

/* How the server differs from the other one. */
struct server {
    const char *name; /* "slapd": the host's name */
    const char *key;  /* the attribute that identifies an entry for good */
    void *identity;   /* of the plugin, as the server gave it; may be NULL */
    /* An internal search gives entries whole, whatever attributes it asks for; each that it names is
     * looked up in the schema. */
    bool whole_entries;
    /* The name by which entries have an attribute that a modification or a filter names by another one, or by its OID.
     * False: there is none, and *to is as it was. */
    bool (*attribute)(const char *name, char *to, size_t size);
    /* The values that the server shows of an attribute where they are not those that the entry has: of roles and classes of
     * service. NULL: there are none. The caller frees them. May be NULL itself. */
    Slapi_ValueSet *(*computed)(Slapi_Entry *entry, const char *name);
    /* The entry at a DN where this thread's operation has it at hand, which release() takes back; NULL: it is to be
     * searched for. May be NULL itself. */
    Slapi_Entry *(*at_hand)(const char *dn);
    void (*release)(Slapi_Entry *entry);
};

struct directory {
    const struct config *config;
    struct server server;
    char *key;            /* the config's, in small letters */
    Slapi_Filter *filter; /* NULL: persons by object class */
    char **filter_names; /* the attributes that it looks at, as entries have them; ends with NULL */
    char **attributes;   /* that searches ask for; ends with NULL; borrowed texts */
    char **bases, **groups; /* in one spelling; end with NULL */
};

/* An entry, copied: valid until cleared, whatever the server does with its own. */
struct directory_entry {
    struct ldap_entry view;
    bool user; /* one of those to be provisioned */
    char *dn;
    struct ldap_value *values;
    size_t count, room;
    size_t computed;      /* so many of them, the last ones, are not stored: as it was taken */
    struct piece *pieces; /* what dn and values point to */
    /* of one that is added, hashed or not; wiped when cleared; may be NULL */
    struct berval **passwords;
};

/* PROV_E_INVALID: the filter. The caller clears *ret, on success only. */
int directory_open(const struct config *config, const struct server *server, struct directory *ret,
                   struct prov_error *err);
void directory_close(struct directory *directory);

/* Copies an entry of the server. PROV_E_NOMEM. */
int directory_take(const struct directory *directory, Slapi_Entry *entry,
                   struct directory_entry *ret, struct prov_error *err);
void directory_entry_clear(struct directory_entry *entry);

/* Reads the entry at a DN. *ret_found false: there is none (any more). PROV_E_STATE: the server cannot
 * tell, with its code. The caller clears *ret if it was found. */
int directory_read(const struct directory *directory, const char *dn, struct directory_entry *ret,
                   bool *ret_found, struct prov_error *err);

/* The same without a search, where the server has the entry at hand: whoever may not read is not found by that. */
int directory_read_at_hand(const struct directory *directory, const char *dn,
                           struct directory_entry *ret, bool *ret_found, struct prov_error *err);

/* Calls each() for each entry below a DN, until it fails. Same errors as directory_read(). */
int directory_walk(const struct directory *directory, const char *dn,
                   int (*each)(void *context, struct directory_entry *entry,
                               struct prov_error *err),
                   void *context, struct prov_error *err);

/* With the config's groups: writes those the entry is in as values of memberOf, in the place of what
 * the server says; also those that name it by a former DN, unless that is NULL. Without: leaves the entry as it is. */
int directory_add_groups(const struct directory *directory, struct directory_entry *entry,
                         const char *former, struct prov_error *err);

/* The key of the entry at a DN, for entry_options: heap; NULL when there is none. */
int directory_key(void *directory, const char *dn, char **ret, struct prov_error *err);

/* Whether the DN is one of the config's groups, or below it. */
bool directory_is_group(const struct directory *directory, const char *dn);

/*
 * Calls each() with the DN of a member of a group: a DN as it stands, and for `memberUid` those of whoever has that
 * `uid` in the same tree as `group`. Same errors as directory_read().
 */
int directory_member(const struct directory *directory, const char *group, const char *attribute,
                     const char *member,
                     int (*each)(void *context, const char *dn, struct prov_error *err),
                     void *context, struct prov_error *err);

/* The first value of an attribute (small letters); NULL: there is none. Borrowed. */
const char *directory_value(const struct directory_entry *entry, const char *name);

/* Whether something else is computed of the two: of one entry, before and after an operation. */
bool directory_computes_anew(const struct directory_entry *before,
                             const struct directory_entry *after);

/* Whether the filter looks at an attribute. */
bool directory_filters_by(const struct directory *directory, const char *attribute);

/* The change number that the server gave the entry last; NULL: it gives none. Borrowed. */
const char *directory_change(const struct directory_entry *entry);

#endif
