/*
 * Decides that a change of a group is a reason to list everybody anew: who was in it before is not kept, and the list
 * finds out whom it concerns.
 */
#include "hosts/cli/follow_groups.h"

#include <stdlib.h>

#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/ldap/content.h"
#include "hosts/ldap/groups.h"
#include "hosts/ldap/member.h"

#define RESTLESS_S 20 /* changes are waited for so long, and no longer */

struct follow_groups {
    struct groups *groups;
    struct content *contents[OPTION_LIST_MAX];
    size_t count;
    size_t reading;        /* bases whose groups are still being read */
    unsigned long changes; /* heard since, */
    unsigned long looked;  /* and known to the poll before */
    int64_t changed_us;    /* when the first of them was heard */
};

/* ---- what is heard ---- */

static int
hear_group(void *context, const struct ldap_entry *entry, const char *uuid, bool fresh,
           struct prov_error *err)
{
    struct follow_groups *groups = context;

    (void)uuid;
    (void)fresh;
    if (groups->reading)
        return groups_take(groups->groups, entry, err);
    groups->changes++;
    return PROV_OK;
}

static int
hear_gone(void *context, const char *uuid, struct prov_error *err)
{
    struct follow_groups *groups = context;

    (void)uuid;
    (void)err;
    groups->changes++;
    return PROV_OK;
}

static int
hear_all_was_told(void *context, struct prov_error *err)
{
    struct follow_groups *groups = context;

    (void)err;
    groups->reading--;
    return PROV_OK;
}

/* ---- all of it ---- */

/* One base after the other: each is heard from only once it is polled. */
static int
open_base(struct follow_groups *groups, const char *base, const struct connection_options *how,
          struct prov_error *err)
{
    const struct content_listener listener = {
        .entry = hear_group, .gone = hear_gone, .refreshed = hear_all_was_told, .context = groups
    };
    struct connection_options options = *how;
    struct content **content = &groups->contents[groups->count];
    int result;

    options.base = base;
    options.filter = MEMBER_ANY;
    options.attributes = member_attributes;
    options.only_these = true;
    result = content_open(&options, NULL, true, &listener, content, err);
    if (result)
        return result;
    groups->count++;
    groups->reading++;
    while (!result && groups->reading) {
        if (interrupt_seen())
            return fault_set(err, PROV_E_STATE, "interrupted");
        result = content_poll(*content, 1, err);
    }
    return result;
}

int
follow_groups_open(const struct option_list *bases, const struct connection_options *how,
                   struct follow_groups **ret, struct prov_error *err)
{
    struct follow_groups *groups = calloc(1, sizeof(*groups));
    int result = PROV_OK;

    if (groups)
        groups->groups = groups_new();
    if (!groups || !groups->groups)
        result = fault_nomem(err);
    for (size_t i = 0; i < bases->count && !result; i++)
        result = open_base(groups, bases->texts[i], how, err);
    if (result) {
        follow_groups_close(groups);
        return result;
    }
    *ret = groups;
    return PROV_OK;
}

void
follow_groups_close(struct follow_groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < groups->count; i++)
        content_close(groups->contents[i]);
    groups_free(groups->groups);
    free(groups);
}

int
follow_groups_poll(struct follow_groups *groups, bool *ret_changed, struct prov_error *err)
{
    unsigned long before = groups->looked;
    int64_t now_us = clock_us();
    int result = PROV_OK;

    for (size_t i = 0; i < groups->count && !result; i++)
        result = content_poll(groups->contents[i], 0, err);
    groups->looked = groups->changes;
    if (!before)
        groups->changed_us = now_us;
    *ret_changed = groups->changes && (groups->changes == before ||
                                       now_us - groups->changed_us > RESTLESS_S * 1000000);
    return result;
}

int
follow_groups_write(struct follow_groups *groups, struct ldap_entry *entry, struct prov_error *err)
{
    return groups_write(groups->groups, entry, err);
}
