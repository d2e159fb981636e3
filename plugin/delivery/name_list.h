/*
 * Usernames of everybody, with the subjects that are to have them: for whoever looks for two that are alike. 16
 * bytes a user, so that a million take little room.
 */
#ifndef DELIVERY_NAME_LIST_H
#define DELIVERY_NAME_LIST_H

#include "plugin/store/store.h"

struct named {
    uint64_t hash; /* of the name; whoever finds two alike looks at the names */
    int64_t subject;
};

struct name_list {
    struct named *list;
    size_t count, room;
};

void name_list_done(struct name_list *names);
/* PROV_E_NOMEM. */
MUST_CHECK int name_list_add(struct name_list *names, const char *name, int64_t subject,
                             struct prov_error *err);
/* By number, then by subject; when all are added. */
void name_list_sort(struct name_list *names);
/* Those with the number of this name: the first of *ret_count, borrowed. */
const struct named *name_list_find(const struct name_list *names, const char *name,
                                   size_t *ret_count);

#endif
