/*
 * Keeps memberships sorted by member, so that the groups of one stand side by side.
 */
#include "hosts/ldap/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/ldap/member.h"
#include "hosts/ldap/search.h"

#define DOMAIN_SID_BYTES 28u /* S-1-5-21-a-b-c and a number */

struct membership {
    char *member; /* a DN in one spelling, or ':' and a uid, or the number of a primary group */
    const char *group; /* one of `names` */
};

struct groups {
    struct membership *all;
    size_t count, room;
    char **names; /* DNs of groups */
    size_t name_count, name_room;
    bool sorted;
    char **
        bases; /* of Active Directory: DNs in one spelling; what is not at or below them leads there at most */
    size_t base_count, base_room;
    struct ldap_value *values; /* of the entry written last */
    size_t value_room;
};

struct groups *
groups_new(void)
{
    return calloc(1, sizeof(struct groups));
}

void
groups_free(struct groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < groups->count; i++)
        free(groups->all[i].member);
    for (size_t i = 0; i < groups->name_count; i++)
        free(groups->names[i]);
    for (size_t i = 0; i < groups->base_count; i++)
        free(groups->bases[i]);
    free(groups->all);
    free(groups->names);
    free(groups->bases);
    free(groups->values);
    free(groups);
}

/* ---- taking up ---- */

static char *
text_key(const char *text)
{
    char *key = NULL;

    return asprintf(&key, ":%s", text) < 0 ? NULL : key;
}

/* The copy of a text, in a list of such; takes it over. NULL when out of memory. */
static const char *
keep(char ***list, size_t *count, size_t *room, char *text)
{
    if (!text || !entry_make_room((void **)list, *count, room, sizeof(**list))) {
        free(text);
        return NULL;
    }
    return (*list)[(*count)++] = text;
}

static const char *
keep_name(struct groups *groups, const char *name)
{
    return keep(&groups->names, &groups->name_count, &groups->name_room, strdup(name));
}

static int
add(struct groups *groups, char *member, const char *group, struct prov_error *err)
{
    if (!member || !entry_make_room((void **)&groups->all, groups->count, &groups->room,
                                    sizeof(*groups->all))) {
        free(member);
        return fault_nomem(err);
    }
    groups->all[groups->count++] = (struct membership){ member, group };
    return PROV_OK;
}

int
groups_take(struct groups *groups, const struct ldap_entry *group, struct prov_error *err)
{
    const char *name = keep_name(groups, group->dn);
    int result = PROV_OK;

    if (!name)
        return fault_nomem(err);
    groups->sorted = false;
    for (size_t i = 0; i < group->count && !result; i++) {
        const struct ldap_value *value = &group->values[i];

        if (!value->binary && member_names(value->name))
            result = add(groups,
                         member_by_uid(value->name) ? text_key(value->text)
                                                    : entry_plain_dn(value->text),
                         name, err);
    }
    return result;
}

/* Of Active Directory: what a group is in by itself, and its number, by which it is a primary group. Not its members,
 * of which a server tells so many and no more. */
static int
take_nested(struct groups *groups, const struct ldap_entry *group, struct prov_error *err)
{
    const char *name = keep_name(groups, group->dn);
    int result = name ? PROV_OK : fault_nomem(err);
    char number[16];

    groups->sorted = false;
    for (size_t i = 0; i < group->count && !result; i++) {
        const struct ldap_value *value = &group->values[i];
        const unsigned char *end = (const unsigned char *)value->text + value->length - 4;

        if (!strcmp(value->name, "memberof")) {
            const char *outer = keep_name(groups, value->text);

            result = outer ? add(groups, entry_plain_dn(group->dn), outer, err) : fault_nomem(err);
        } else if (!strcmp(value->name, "objectsid") && value->length == DOMAIN_SID_BYTES) {
            snprintf(number, sizeof(number), "%u",
                     (unsigned)end[0] | (unsigned)end[1] << 8 | (unsigned)end[2] << 16 |
                         (unsigned)end[3] << 24);
            result = add(groups, text_key(number), name, err);
        }
    }
    return result;
}

static int
read_all(struct groups *groups, const struct connection_options *how,
         int (*take)(struct groups *, const struct ldap_entry *, struct prov_error *),
         struct prov_error *err)
{
    struct search *search = NULL;
    struct ldap_entry entry;
    enum found found = FOUND_ITEM;
    int result = search_open(how, &search, err);

    while (!result && found == FOUND_ITEM) {
        found = search_next(search, &entry, err);
        if (found == FOUND_ITEM)
            result = take(groups, &entry, err);
    }
    if (!result && found == FOUND_STOP)
        result = PROV_E_STATE;
    search_free(search);
    return result;
}

static int
read_nested(struct groups *groups, const struct connection_options *how, const char *base,
            struct prov_error *err)
{
    static const char *const nesting[] = { "memberOf", "objectSid", NULL };
    struct connection_options options = *how;
    bool first = !groups->base_count;
    const char *plain =
        keep(&groups->bases, &groups->base_count, &groups->base_room, entry_plain_dn(base));
    const char *domain = plain ? strstr(plain, ",dc=") : NULL;

    if (!plain)
        return fault_nomem(err);
    if (!domain)
        return fault_set(err, PROV_E_INVALID,
                         "--groups '%.200s' is below no domain, such as DC=ad,DC=example,DC=org",
                         base);
    options.base = domain + 1;
    options.filter = "(objectClass=group)";
    options.attributes = nesting;
    options.only_these = true;
    return first ? read_all(groups, &options, take_nested, err) : PROV_OK;
}

int
groups_read(struct groups *groups, const struct connection_options *how, const char *base,
            struct prov_error *err)
{
    struct connection_options options = *how;

    if (how->active_directory)
        return read_nested(groups, how, base, err);
    options.base = base;
    options.filter = MEMBER_ANY;
    options.attributes = member_attributes;
    options.only_these = true;
    return read_all(groups, &options, groups_take, err);
}

/* ---- writing ---- */

static int
compare(const void *a, const void *b)
{
    const struct membership *left = a, *right = b;
    int order = strcmp(left->member, right->member);

    return order ? order : strcmp(left->group, right->group);
}

/* The first one of a member, or where it would stand. */
static size_t
find(const struct groups *groups, const char *member)
{
    size_t low = 0, high = groups->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(groups->all[middle].member, member) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
has(const struct groups *groups, size_t from, size_t to, const char *group)
{
    for (size_t i = from; i < to; i++) {
        if (!strcmp(groups->values[i].text, group))
            return true;
    }
    return false;
}

/* Behind the kept values. */
static int
write_group(struct groups *groups, const char *group, size_t *count, struct prov_error *err)
{
    if (!entry_make_room((void **)&groups->values, *count, &groups->value_room,
                         sizeof(*groups->values)))
        return fault_nomem(err);
    groups->values[(*count)++] =
        (struct ldap_value){ .name = "memberof", .text = group, .length = strlen(group) };
    return PROV_OK;
}

/* Behind the `kept` values of the entry; takes the key over. */
static int
write_of(struct groups *groups, char *key, size_t kept, size_t *count, struct prov_error *err)
{
    int result = PROV_OK;

    if (!key)
        return fault_nomem(err);
    for (size_t i = find(groups, key);
         i < groups->count && !strcmp(groups->all[i].member, key) && !result; i++) {
        const char *group = groups->all[i].group;

        if (has(groups, kept, *count, group))
            continue;
        result = write_group(groups, group, count, err);
    }
    free(key);
    return result;
}

static bool
is_below(const char *plain, const char *base)
{
    size_t length = strlen(plain), end = strlen(base);

    return length >= end && !strcmp(plain + length - end, base) &&
           (length == end || plain[length - end - 1] == ',');
}

/* Leaves those that count. */
static int
pick(struct groups *groups, size_t kept, size_t *count, struct prov_error *err)
{
    size_t to = kept;

    for (size_t i = kept; i < *count; i++) {
        char *plain = entry_plain_dn(groups->values[i].text);
        bool counts = false;

        if (!plain)
            return fault_nomem(err);
        for (size_t j = 0; j < groups->base_count; j++)
            counts = counts || is_below(plain, groups->bases[j]);
        free(plain);
        if (counts)
            groups->values[to++] = groups->values[i];
    }
    *count = to;
    return PROV_OK;
}

/* From what the entry says itself on, group by group; one that is there already ends the way. */
static int
write_nested(struct groups *groups, const struct ldap_entry *entry, size_t kept, size_t *count,
             struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; i < entry->count && !result; i++) {
        if (!strcmp(entry->values[i].name, "memberof"))
            result = write_group(groups, entry->values[i].text, count, err);
        else if (!strcmp(entry->values[i].name, "primarygroupid"))
            result = write_of(groups, text_key(entry->values[i].text), kept, count, err);
    }
    for (size_t i = kept; i < *count && !result; i++)
        result = write_of(groups, entry_plain_dn(groups->values[i].text), kept, count, err);
    return result ? result : pick(groups, kept, count, err);
}

int
groups_write(struct groups *groups, struct ldap_entry *entry, struct prov_error *err)
{
    size_t kept = 0, count;
    int result;

    if (!groups->sorted && groups->count)
        qsort(groups->all, groups->count, sizeof(*groups->all), compare);
    groups->sorted = true;
    for (size_t i = 0; i < entry->count; i++) {
        if (!strcmp(entry->values[i].name, "memberof"))
            continue;
        if (!entry_make_room((void **)&groups->values, kept, &groups->value_room,
                             sizeof(*groups->values)))
            return fault_nomem(err);
        groups->values[kept++] = entry->values[i];
    }
    count = kept;
    if (groups->base_count)
        result = write_nested(groups, entry, kept, &count, err);
    else
        result = write_of(groups, entry_plain_dn(entry->dn), kept, &count, err);
    for (size_t i = 0; i < kept && !result && !groups->base_count; i++) {
        if (!strcmp(groups->values[i].name, "uid"))
            result = write_of(groups, text_key(groups->values[i].text), kept, &count, err);
    }
    entry->values = groups->values;
    entry->count = count;
    return result;
}
