/* Keeps a number for each username, and sorts by it. */
#include "plugin/delivery/name_list.h"

#include <stdlib.h>

void
name_list_done(struct name_list *names)
{
    free(names->list);
    *names = (struct name_list){ 0 };
}

/* FNV-1a. */
static uint64_t
hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

int
name_list_add(struct name_list *names, const char *name, int64_t subject, struct prov_error *err)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 1024;
        struct named *list = reallocarray(names->list, room, sizeof(*list));
        if (!list)
            return error_nomem(err);
        names->list = list;
        names->room = room;
    }
    names->list[names->count++] = (struct named){ hash_of(name), subject };
    return PROV_OK;
}

static int
by_hash(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->subject < y->subject ? -1 : x->subject > y->subject;
}

void
name_list_sort(struct name_list *names)
{
    if (names->count > 0)
        qsort(names->list, names->count, sizeof(*names->list), by_hash);
}

const struct named *
name_list_find(const struct name_list *names, const char *name, size_t *ret_count)
{
    uint64_t hash = hash_of(name);
    size_t low = 0, high = names->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->list[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < names->count && names->list[end].hash == hash;)
        end++;
    *ret_count = end - low;
    return names->list + low;
}
