/*
 * Decides how memberships are walked: upward by memberOf, group by group, for which the database has links both
 * ways; a rule that it has for that (1.2.840.113556.1.4.1941) would look at every entry. A group that is there
 * already ends the walk, so that groups which are in each other do no harm.
 */
#include "hosts/ldb/membership.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

#define SID_BYTES  28u /* of a domain: S-1-5-21-a-b-c-RID */
#define LINK_GONE  1u  /* RMD_FLAGS of a link that is no more */
#define WHOLE_TREE "(objectClass=*)"

struct list {
    const char **texts; /* ends with NULL */
    size_t count;
};

static int
append(struct list *list, void *memory, const char *text, struct prov_error *err)
{
    const char **texts =
        talloc_realloc(memory, list->texts, const char *, (unsigned)list->count + 2);

    if (!text || !texts)
        return fault_nomem(err);
    texts[list->count++] = text;
    texts[list->count] = NULL;
    list->texts = texts;
    return PROV_OK;
}

/* ---- upward ---- */

static const struct ldb_val *
sid_of(const struct ldb_message *entry)
{
    const struct ldb_val *sid = ldb_msg_find_ldb_val(entry, "objectSid");

    return sid && sid->length == SID_BYTES ? sid : NULL;
}

static bool
has(const struct list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (letters_same(list->texts[i], text))
            return true;
    }
    return false;
}

/* The groups that a group or a person is in by itself. */
static int
append_direct(struct list *list, void *memory, const struct ldb_message *entry,
              struct prov_error *err)
{
    const struct ldb_message_element *groups = ldb_msg_find_element(entry, "memberOf");
    int result = PROV_OK;

    for (unsigned i = 0; groups && i < groups->num_values && !result; i++) {
        const char *text = (const char *)groups->values[i].data;

        if (!has(list, text))
            result = append(list, memory, text, err);
    }
    return result;
}

/* The SID of the primary group is that of the domain with another end. */
static int
append_primary(struct directory *directory, struct list *list, void *memory,
               const struct ldb_message *entry, struct prov_error *err)
{
    const struct ldb_val *sid = sid_of(entry);
    uint64_t number = directory_number(entry, "primaryGroupID");
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    struct ldb_message *group;
    uint32_t parts[4];
    struct ldb_dn *dn;
    int result;

    if (!sid || !number)
        return PROV_OK;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *at = sid->data + 8 + 4 * i;

        parts[i] =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    }
    dn = ldb_dn_new_fmt(memory, ldb, "<SID=S-1-5-%u-%u-%u-%u-%" PRIu64 ">", parts[0], parts[1],
                        parts[2], parts[3], number);
    result = dn ? directory_read(directory, memory, dn, &group, err) : fault_nomem(err);
    if (result || !group)
        return result;
    return append(list, memory, ldb_dn_get_linearized(group->dn), err);
}

static int
climb(struct directory *directory, void *memory, const struct ldb_message *entry, struct list *list,
      struct prov_error *err)
{
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    int result = append_primary(directory, list, memory, entry, err);

    if (!result)
        result = append_direct(list, memory, entry, err);
    for (size_t i = 0; i < list->count && !result; i++) {
        struct ldb_dn *dn = ldb_dn_new(memory, ldb, list->texts[i]);
        struct ldb_message *group = NULL;

        result = dn ? directory_read(directory, memory, dn, &group, err) : fault_nomem(err);
        if (!result && group)
            result = append_direct(list, memory, group, err);
    }
    return result;
}

static bool
is_configured(struct directory *directory, void *memory, const char *text)
{
    struct ldb_dn *dn = ldb_dn_new(memory, ldb_module_get_ctx(directory->module), text);

    return dn && directory_is_group(directory, dn);
}

int
membership_groups(struct directory *directory, void *memory, const struct ldb_message *entry,
                  const char ***ret, struct prov_error *err)
{
    struct list all = { .texts = talloc_zero_array(memory, const char *, 1) };
    size_t count = 0;
    int result = all.texts ? climb(directory, memory, entry, &all, err) : fault_nomem(err);

    for (size_t i = 0; i < all.count && !result; i++) {
        if (is_configured(directory, memory, all.texts[i]))
            all.texts[count++] = all.texts[i];
    }
    if (!result)
        all.texts[count] = NULL;
    *ret = all.texts;
    return result;
}

int
membership_counts(struct directory *directory, void *memory, const struct ldb_message *entry,
                  bool *ret, struct prov_error *err)
{
    const char **groups;
    int result;

    *ret = directory_is_group(directory, entry->dn);
    if (*ret)
        return PROV_OK;
    result = membership_groups(directory, memory, entry, &groups, err);
    *ret = !result && *groups;
    return result;
}

/* ---- downward ---- */

static uint64_t
link_number(struct ldb_dn *dn, const char *name)
{
    const struct ldb_val *value = ldb_dn_get_extended_component(dn, name);

    return value ? strtoull((const char *)value->data, NULL, 10) : 0;
}

/* Whether a link is of those that are asked for; one that does not say when it came always is. */
static bool
is_wanted(struct ldb_dn *dn, uint64_t after, bool all)
{
    if (all && !(link_number(dn, "RMD_FLAGS") & LINK_GONE))
        return true;
    return !ldb_dn_get_extended_component(dn, "RMD_LOCAL_USN") ||
           link_number(dn, "RMD_LOCAL_USN") > after;
}

static int
append_links(struct directory *directory, void *memory, const struct ldb_message *group,
             uint64_t after, bool all, struct list *list, struct prov_error *err)
{
    static const char *const names[] = { "member", NULL };
    const struct directory_search search = { group->dn, LDB_SCOPE_BASE, WHOLE_TREE, names,
                                             DIRECTORY_LINKS | DIRECTORY_FORMER };
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    const struct ldb_message_element *members = NULL;
    struct ldb_result *found;
    int result = directory_search(directory, memory, &search, &found, err);

    if (!result && found->count)
        members = ldb_msg_find_element(found->msgs[0], "member");
    for (unsigned i = 0; members && i < members->num_values && !result; i++) {
        struct ldb_dn *dn = ldb_dn_from_ldb_val(found, ldb, &members->values[i]);
        const struct ldb_val *guid = dn ? ldb_dn_get_extended_component(dn, "GUID") : NULL;

        if (guid && is_wanted(dn, after, all))
            result = append(list, memory, directory_guid_text(memory, guid), err);
        talloc_free(dn);
    }
    talloc_free(found);
    return result;
}

/* Whose primary group it is. */
static int
append_those_of(struct directory *directory, void *memory, const struct ldb_message *group,
                struct list *list, struct prov_error *err)
{
    static const char *const names[] = { "objectGUID", NULL };
    const struct ldb_val *sid = sid_of(group);
    const uint8_t *end = sid ? sid->data + SID_BYTES - 4 : NULL;
    struct directory_search search = { directory->domain, LDB_SCOPE_SUBTREE, NULL, names, 0 };
    struct ldb_result *found = NULL;
    char *filter;
    int result;

    if (!sid)
        return PROV_OK;
    filter = talloc_asprintf(memory, "(&(primaryGroupID=%u)(objectClass=user))",
                             (unsigned)end[0] | (unsigned)end[1] << 8 | (unsigned)end[2] << 16 |
                                 (unsigned)end[3] << 24);
    search.filter = filter;
    result = filter ? directory_search(directory, memory, &search, &found, err) : fault_nomem(err);
    for (unsigned i = 0; !result && i < found->count; i++)
        result = append(list, memory, directory_guid(memory, found->msgs[i]), err);
    talloc_free(found);
    return result;
}

int
membership_changed(struct directory *directory, void *memory, const struct ldb_message *group,
                   uint64_t after, const char ***ret, struct prov_error *err)
{
    struct list list = { .count = 0 };
    int result = append_links(directory, memory, group, after, false, &list, err);

    *ret = list.texts;
    return result;
}

int
membership_all(struct directory *directory, void *memory, const struct ldb_message *group,
               uint64_t after, const char ***ret, struct prov_error *err)
{
    struct list list = { .texts = talloc_zero_array(memory, const char *, 1) };
    int result = list.texts ? append_links(directory, memory, group, after, true, &list, err)
                            : fault_nomem(err);

    if (!result)
        result = append_those_of(directory, memory, group, &list, err);
    *ret = list.texts;
    return result;
}
