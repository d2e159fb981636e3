/*
 * Active Directory's entries as hosts/ldap/entry.h has them, read through the modules below ours, with the
 * rights of the server. Blocks on the disk; everything that is read belongs to the memory context given.
 */
#ifndef LDB_DIRECTORY_H
#define LDB_DIRECTORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include <ldb_module.h>

#include "hosts/adapter/config.h"
#include "hosts/ldap/entry.h"

struct directory {
    const struct config *config;
    struct ldb_module *module;
    const char **attributes; /* that are read of a person; ends with NULL */
    struct ldb_dn **bases, **groups;
    struct ldb_dn *domain; /* the naming context of its people */
    char id[40];           /* whose update sequence numbers they are (invocationId) */
};

/* PROV_E_INVALID: the filter, or a DN of the configuration. Reads nothing. */
int directory_open(const struct config *config, struct ldb_module *module, void *memory,
                   struct directory **ret, struct prov_error *err);
/* Finds out where the people are, and whose numbers they are; once. PROV_E_STATE. */
int directory_find(struct directory *directory, struct prov_error *err);

/* The highest update sequence number so far, with those of a transaction that is under way. */
int directory_usn(struct directory *directory, uint64_t *ret, struct prov_error *err);

/* Everything that has one of these numbers, from the one after `after` to `until`, the deleted as well. */
int directory_changed(struct directory *directory, void *memory, uint64_t after, uint64_t until,
                      struct ldb_result **ret, struct prov_error *err);

struct directory_search {
    struct ldb_dn *base;
    enum ldb_scope scope;
    const char *filter;
    const char *const *attributes;
    unsigned how; /* or'ed */
};
#define DIRECTORY_LINKS  1u /* DNs with what is known of each */
#define DIRECTORY_FORMER 2u /* those that are no more as well */

/* *ret without entries: there are none, or the base is not there. */
int directory_search(struct directory *directory, void *memory,
                     const struct directory_search *search, struct ldb_result **ret,
                     struct prov_error *err);

/* The entry at a DN, which may be <GUID=...>; *ret NULL: there is none. */
int directory_read(struct directory *directory, void *memory, struct ldb_dn *dn,
                   struct ldb_message **ret, struct prov_error *err);
/* Everything below a DN. */
int directory_below(struct directory *directory, void *memory, struct ldb_dn *dn,
                    struct ldb_result **ret, struct prov_error *err);

/* The DN that stands for a key; NULL: out of memory. */
struct ldb_dn *directory_dn(const struct directory *directory, void *memory, const char *guid);

/* ---- what an entry is ---- */

bool directory_is_class(const struct ldb_message *entry, const char *name);
bool directory_is_deleted(const struct ldb_message *entry);
/* One of those to be provisioned. */
int directory_is_person(struct directory *directory, void *memory, const struct ldb_message *entry,
                        bool *ret, struct prov_error *err);
/* Whether there is anybody to be provisioned who was not made after this number. */
int directory_has_people(struct directory *directory, uint64_t until, bool *ret,
                         struct prov_error *err);
/* Whether the DN is one of the config's groups, or below it. */
bool directory_is_group(const struct directory *directory, struct ldb_dn *dn);

uint64_t directory_number(const struct ldb_message *entry, const char *name);
/* What of it changed after this number, as its metadata say. */
bool directory_has_moved(const struct ldb_message *entry, uint64_t after);
/* Whether all of it that changed after this number is what the system notes of logons. */
int directory_is_logon(struct directory *directory, void *memory, const struct ldb_message *entry,
                       uint64_t after, bool *ret, struct prov_error *err);
bool directory_has_new_password(const struct ldb_message *entry, uint64_t after);

/* "03020100-0504-...", as the key is written; NULL: there is none. */
const char *directory_guid(void *memory, const struct ldb_message *entry);

const char *directory_guid_text(void *memory, const struct ldb_val *guid);

/* The entry as entry_read() takes it; borrowed from `entry` and `memory`. `groups`, DNs that end with NULL, are in the
 * place of its memberOf; NULL: that counts. PROV_E_NOMEM. */
int directory_view(void *memory, const struct ldb_message *entry, const char *const *groups,
                   struct ldap_entry *ret, struct prov_error *err);
/* The key of the entry at a DN, for entry_options: heap; NULL when there is none. */
int directory_key(void *directory, const char *dn, char **ret, struct prov_error *err);

#endif
