/*
 * Who is in which group of the domain: through other groups as well, and by the primary group, which no link
 * tells. Blocks on the disk; all belongs to the memory context given.
 */
#ifndef LDB_MEMBERSHIP_H
#define LDB_MEMBERSHIP_H

#include "hosts/ldb/directory.h"

/* The configured groups that an entry is in, DNs ending with NULL. */
int membership_groups(struct directory *directory, void *memory, const struct ldb_message *entry,
                      const char ***ret, struct prov_error *err);

/* Whether an entry is one of the configured groups, or in one. */
int membership_counts(struct directory *directory, void *memory, const struct ldb_message *entry,
                      bool *ret, struct prov_error *err);

/* Who came into a group or left it after a number: keys, ending with NULL, of users and groups. */
int membership_changed(struct directory *directory, void *memory, const struct ldb_message *group,
                       uint64_t after, const char ***ret, struct prov_error *err);

/* Who is in it, by the primary group too, or was and left after the number. */
int membership_all(struct directory *directory, void *memory, const struct ldb_message *group,
                   uint64_t after, const char ***ret, struct prov_error *err);

#endif
