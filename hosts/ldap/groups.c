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

struct membership {
    char *member;      /* a DN in one spelling, or ':' and a uid */
    const char *group; /* one of `names` */
};

struct groups {
    struct membership *all;
    size_t count, room;
    char **names; /* DNs of groups */
    size_t name_count, name_room;
    bool sorted;
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
    free(groups->all);
    free(groups->names);
    free(groups->values);
    free(groups);
}

/* ---- taking up ---- */

/* Room for one more of what an array holds. */
static bool
make_room(void **array, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 64;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static char *
uid_key(const char *uid)
{
    char *key = NULL;

    return asprintf(&key, ":%s", uid) < 0 ? NULL : key;
}

static int
add(struct groups *groups, char *member, const char *group, struct prov_error *err)
{
    if (!member ||
        !make_room((void **)&groups->all, groups->count, &groups->room, sizeof(*groups->all))) {
        free(member);
        return fault_nomem(err);
    }
    groups->all[groups->count++] = (struct membership){ member, group };
    return PROV_OK;
}

int
groups_take(struct groups *groups, const struct ldap_entry *group, struct prov_error *err)
{
    char *name = strdup(group->dn);
    int result = PROV_OK;

    if (!name || !make_room((void **)&groups->names, groups->name_count, &groups->name_room,
                            sizeof(*groups->names))) {
        free(name);
        return fault_nomem(err);
    }
    groups->names[groups->name_count++] = name;
    groups->sorted = false;
    for (size_t i = 0; i < group->count && !result; i++) {
        const struct ldap_value *value = &group->values[i];

        if (!value->binary && member_names(value->name))
            result =
                add(groups,
                    member_by_uid(value->name) ? uid_key(value->text) : entry_plain_dn(value->text),
                    name, err);
    }
    return result;
}

int
groups_read(struct groups *groups, const struct connection_options *how, const char *base,
            struct prov_error *err)
{
    struct connection_options options = *how;
    struct search *search = NULL;
    struct ldap_entry entry;
    enum found found = FOUND_ITEM;
    int result;

    options.base = base;
    options.filter = MEMBER_ANY;
    result = search_open(&options, &search, err);
    while (!result && found == FOUND_ITEM) {
        found = search_next(search, &entry, err);
        if (found == FOUND_ITEM)
            result = groups_take(groups, &entry, err);
    }
    if (!result && found == FOUND_STOP)
        result = PROV_E_STATE;
    search_free(search);
    return result;
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

/* Behind the `kept` values of the entry; takes the key over. */
static int
write_of(struct groups *groups, char *key, size_t kept, size_t *count, struct prov_error *err)
{
    if (!key)
        return fault_nomem(err);
    for (size_t i = find(groups, key); i < groups->count && !strcmp(groups->all[i].member, key);
         i++) {
        const char *group = groups->all[i].group;

        if (has(groups, kept, *count, group))
            continue;
        if (!make_room((void **)&groups->values, *count, &groups->value_room,
                       sizeof(*groups->values))) {
            free(key);
            return fault_nomem(err);
        }
        groups->values[(*count)++] =
            (struct ldap_value){ .name = "memberof", .text = group, .length = strlen(group) };
    }
    free(key);
    return PROV_OK;
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
        if (!make_room((void **)&groups->values, kept, &groups->value_room,
                       sizeof(*groups->values)))
            return fault_nomem(err);
        groups->values[kept++] = entry->values[i];
    }
    count = kept;
    result = write_of(groups, entry_plain_dn(entry->dn), kept, &count, err);
    for (size_t i = 0; i < kept && !result; i++) {
        if (!strcmp(groups->values[i].name, "uid"))
            result = write_of(groups, uid_key(groups->values[i].text), kept, &count, err);
    }
    entry->values = groups->values;
    entry->count = count;
    return result;
}
