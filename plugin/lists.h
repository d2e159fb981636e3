/* The ABI's full lists (design rule 6), between the host's JSON and the store. */
#ifndef PLUGIN_LISTS_H
#define PLUGIN_LISTS_H

#include <provisioning/connector.h>

#include "plugin/store/store.h"
#include "schema/fields.h"

struct list;

/* `store` and `fields` outlive the list; issuer NULL or "": the field. flags: prov_snapshot_flag. */
MUST_CHECK int list_begin(struct store *store, const struct fields *fields, const char *issuer,
                          uint32_t flags, struct list **ret, struct prov_error *err);
/* One user as the host gives it. */
MUST_CHECK int list_add(struct list *list, const char *json, size_t length, struct prov_error *err);
/* Compares and applies, at most max_ms (0: until done). PROV_E_STATE in a forked child; an entry
 * that was refused, or a failure before, is told again. */
MUST_CHECK int list_apply(struct list *list, uint32_t max_ms, bool *ret_done,
                          struct prov_error *err);
/* The report; with_changes: the first 1000 are in it, "changes_left" counts the others. */
MUST_CHECK int list_report(struct list *list, bool with_changes, struct json_object **ret,
                           struct prov_error *err);
MUST_CHECK int list_changes(struct list *list, int64_t after, uint32_t limit,
                            struct json_object **ret, struct prov_error *err);
void list_free(struct list *list);

#endif
