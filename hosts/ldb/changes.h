/*
 * What changed in the domain since the last time, as events for the connector: found by the numbers (USN) that
 * the directory gives each change, so it does not matter by which way or in which process it was made, by
 * LDAP, by a tool, by replication. Always the state as it is now is handed over, the whole resource.
 */
#ifndef LDB_CHANGES_H
#define LDB_CHANGES_H

#include "hosts/adapter/submit.h"
#include "hosts/ldb/directory.h"

/* What only a request knew: kept until its transaction ends. */
struct note {
    struct note *next;
    struct ldb_dn *dn;    /* as the request names it */
    const char *guid;     /* NULL: not known yet */
    char *password;       /* a new one of it, in clear; wiped with the note */
    const char **members; /* who was in the group that it deletes, if it counts; ends with NULL */
};

struct changes {
    struct directory *directory;
    struct submit *submit;
    struct note *notes;
};

/*
 * Hands over what changed after the number `after`, up to `until`. What cannot be made an event of is told in the
 * log and by the mark, and does not stand in the way. PROV_E_STORE and others: not all is handed over, and that it
 * is late is told as well; then all of it has to be once more, from `after` on: an entry that changed twice is found by its
 * last number alone.
 */
int changes_hand_over(const struct changes *changes, uint64_t after, uint64_t until,
                      struct prov_error *err);

/* Whether there is anything among them that would be handed over. */
int changes_concern(const struct changes *changes, uint64_t after, uint64_t until, bool *ret,
                    struct prov_error *err);

#endif
