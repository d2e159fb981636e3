/*
 * SCIM attribute paths and value filters (RFC 7644 3.4.2.2 and 3.5.2, figure 7):
 *   userName   name.familyName   emails[type eq "work"].value
 *   urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value
 * Attribute names and schema URNs compare without case (RFC 7643 2.1). Also taken: Salesforce's and
 * Entra's short path of an extension attribute (`department`), when the core schema has no such
 * attribute in the resource and an extension has; a bare "manager":"7" as its `value`. Pure. A
 * parsed path never changes.
 */
#ifndef SCIM_PATH_H
#define SCIM_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/value.h"

struct scim_path;

/* PROV_E_INVALID with position (from 1) and remedy; PROV_E_LIMIT beyond 1 KiB, 8
 * parentheses or 16 comparisons. The caller frees *ret. */
MUST_CHECK int scim_path_parse(const char *text, struct scim_path **ret, struct prov_error *err);
void scim_path_free(struct scim_path *path);
DEFINE_CLEANUP(struct scim_path *, scim_path, scim_path_free);

/*
 * The one value the path leads to, borrowed from the resource, or NULL. Of a multi-valued attribute
 * the first element that passes the filter and has it; without a filter the element with `primary`
 * true, else the first. JSON null, "" and [] count as absent (RFC 7643 2.5).
 */
struct value *scim_path_get(const struct scim_path *path, struct value *resource);

/* Appends all values the path leads to, in the order in which scim_path_get() prefers
 * them. PROV_OK or PROV_E_NOMEM. */
MUST_CHECK int scim_path_list(struct pool *pool, const struct scim_path *path,
                              struct value *resource, struct value *list);

/*
 * The name in the path that no schema of users knows (RFC 7643 4.1, 4.3, 8.7.1), with the names known
 * in its place; NULL: all are known, or belong to an extension of the host's own. Borrowed.
 */
const char *scim_path_stranger(const struct scim_path *path, const char *const **ret_known,
                               size_t *ret_count);

#endif
