/*
 * What an operation of the server means for the people: which of them it changed, and how they are now.
 * Each function hands that over before it returns, and says in the log and by the mark what it could
 * not; the result is for who can still refuse the operation (389 DS).
 */
#ifndef SLAPI_CHANGES_H
#define SLAPI_CHANGES_H

#include <stdatomic.h>

#include "hosts/slapi/directory.h"
#include "hosts/adapter/submit.h"

struct changes {
    const struct config *config;
    const struct directory *directory;
    struct submit *submit;
    const char *host;
    /* The server lets one operation after the other call here, and keeps locks meanwhile: then nothing is
     * held while an entry is read (order.h). */
    bool serial;
    bool refuses;         /* a change that fails here will be refused, so nothing was missed */
    atomic_bool has_read; /* an entry could be read: so internal searches may read */
};

/* What is known of an entry before the operation. { NULL } knows nothing. */
struct before {
    char *uri;      /* of a user */
    char *change;   /* the change number */
    char **members; /* of a group, as far as they matter; ends with NULL */
};

/* Whether these modifications can change a person, or a group that counts. */
bool changes_matter(const struct changes *changes, const char *dn, LDAPMod **mods);
/* Whether the members before have to be known: a group's are replaced, or taken out without a list. */
bool changes_need_members(const struct changes *changes, const char *dn, LDAPMod **mods);

/* Takes what is needed of an entry that will be gone or be another one; `members`: also those of a group. */
int changes_before(const struct changes *changes, const struct directory_entry *entry, bool members,
                   struct before *ret, struct prov_error *err);
void before_clear(struct before *before);

int changes_added(struct changes *changes, struct directory_entry *entry);
/* The entry as it is now; NULL: it is read. */
int changes_modified(struct changes *changes, const char *dn, struct directory_entry *entry,
                     LDAPMod **mods, const struct before *before);
/* The entry and all below it have other DNs now. `former`: the one that groups still have, which the server puts right by
 * itself, so that nobody leaves a group by it; NULL: it does not, or has done so. `entry`: as it is now; NULL: it is read.
 * Serial: but for what lies below, which is changes_moved()'s, once the transaction is over: 389 DS does not see it yet. */
int changes_renamed(struct changes *changes, const char *new_dn, const char *former,
                    struct directory_entry *entry);
int changes_deleted(struct changes *changes, const char *dn, const struct before *before);

void changes_moved(struct changes *changes, const char *new_dn);

/* An operation was taken back after its change had been handed over: what is at the DN now, or that the
 * person of this URI is not there. */
int changes_read_back(struct changes *changes, const char *dn, const char *uri);

#endif
