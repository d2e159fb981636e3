/*
 * A person of a directory: what an LDAP entry says as a SCIM resource. One meaning for all who read
 * entries: an LDIF file, a search, a plugin of the server. Pure.
 */
#ifndef LDAP_ENTRY_H
#define LDAP_ENTRY_H

#include "hosts/cli/columns.h"
#include "hosts/cli/person.h"

struct ldap_value {
    const char *name; /* lower case, options (";lang-en") left out */
    const char *text; /* NUL-terminated; may hold NULs if binary */
    size_t length;
    bool binary; /* no UTF-8 text */
    size_t line; /* where it was read; 0: in no file */
};

struct ldap_entry {
    const char *dn;
    size_t line;
    const struct ldap_value *values;
    size_t count;
};

/* Attributes of a person that are left out: what cannot be read. Each is any column that is of it. */
#define ENTRY_GAPS_MAX 32
struct entry_gaps {
    const struct column *columns[ENTRY_GAPS_MAX];
    size_t count;
};

struct entry_options {
    const struct columns *columns;
    const char *key; /* the attribute that identifies a person for good */
    struct entry_gaps
        *gaps; /* takes what is no fault then; what is there is left out. May be NULL */
    /*
     * What stands for a manager who is named by this DN, heap; NULL in *ret: nobody. Not given: the
     * DN in one spelling. PROV_OK, or why nobody can tell.
     */
    int (*manager)(void *context, const char *dn, char **ret, struct prov_error *err);
    bool manager_is_key; /* of the two, it is the key of an entry */
    void (*unread)(void *context, const char *attribute); /* one that means nothing; may be NULL */
    void *context;
};

struct entry_person {
    char *id;  /* the key as it stands */
    char *uri; /* "/Users/" and the key */
    struct person_resource resource;
    const char *name; /* the userName; borrowed of the entry; NULL: none */
};

/*
 * Whether the entry is a person, by its object class; one without any was asked for by a search for
 * attributes. *ret_class (or NULL): a class of one that is none; borrowed, not written else.
 */
bool entry_is_person(const struct ldap_entry *entry, const char **ret_class);

/*
 * PROV_E_INVALID with the place: no key, a value that is no text, or none of its words. The caller
 * clears *ret, on success only.
 */
int entry_read(const struct entry_options *options, const struct ldap_entry *entry,
               struct entry_person *ret, struct prov_error *err);
void entry_person_clear(struct entry_person *person);

/* Whether it says that the person is inactive, also if it cannot be read else. */
bool entry_is_inactive(const struct columns *columns, const struct ldap_entry *entry);

/* The first text of an attribute, whatever its case; borrowed; NULL: there is none. */
const char *entry_text(const struct ldap_entry *entry, const char *name);

/* "/Users/" and the key of an entry that cannot be read else. Heap; NULL: it has none, or out of memory. */
char *entry_uri(const struct entry_options *options, const struct ldap_entry *entry);

/* The 16 bytes of an objectGUID as people know it: 03020100-0504-... */
#define ENTRY_GUID_MAX 40
void entry_guid(const void *bytes, char to[ENTRY_GUID_MAX]);

/* A DN in one spelling (RFC 4514, and a value in quotes as in RFC 2253): small letters, no blanks around ',', '+' and '=', and
 * one way to escape. Enough to compare what a server wrote, and an admin. Heap; NULL when out of memory. */
char *entry_plain_dn(const char *dn);
/* So an array of them, which ends with NULL, and goes with entry_free_dns(). NULL when out of memory. */
char **entry_plain_dns(const char *const *dns);
void entry_free_dns(char **dns);
/* Whether a DN is one of these bases, or below one; all of them in that spelling. */
bool entry_is_below(const char *plain, char *const *bases);

/* Room for one more of `size` bytes in an array that holds `count` and has room for *room. False: out of memory, and the
 * array is as it was. */
bool entry_make_room(void **array, size_t count, size_t *room, size_t size);

#endif
