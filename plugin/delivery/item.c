/* A subject in a round, and what becomes of it there: the fate that the steps of a round change and look at. Which
 * step finds which is theirs; what an end makes of the subject is settle.c's. */
#include <stdarg.h>
#include <stdio.h>

#include "plugin/delivery/internal.h"

bool
item_sends(const struct item *item, enum plan_action action)
{
    return item->fate == FATE_SEND && item->plan.action == action;
}

bool
item_ends_here(const struct item *item)
{
    return item->fate >= FATE_FORGOTTEN && item->fate <= FATE_STAYS_PARKED;
}

bool
item_ended(const struct item *item)
{
    return item->fate >= FATE_FORGOTTEN;
}

bool
item_was_in_step(const struct item *item)
{
    return item->fate == FATE_NOTHING && !item->call.operation && !item->adopted_by;
}

bool
item_stays_frozen(const struct item *item)
{
    return item->plan.action != PLAN_PARK && text_is(item->plan.code, CODE_STAYS_FROZEN);
}

void
item_stop(struct item *item, enum fate fate)
{
    item->fate = fate;
    item->plan.action = PLAN_NOTHING;
}

void
item_park(struct item *item, const char *code, const char *format, ...)
{
    char reason[sizeof(((struct prov_error *)0)->text)];
    va_list arguments;

    item->fate = FATE_PARKED;
    item->plan.action = PLAN_PARK;
    item->plan.code = code;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    plan_say(&item->plan, "%s", reason);
}

struct item_list *
item_list_new(size_t room)
{
    struct item_list *list = calloc(1, sizeof(*list) + room * sizeof(list->items[0]));

    if (list)
        *list = (struct item_list){ .holders = 1, .count = room };
    return list;
}

struct item_list *
item_list_hold(struct item_list *list)
{
    list->holders++;
    return list;
}

void
item_list_release(struct item_list *list)
{
    if (!list || --list->holders > 0)
        return;
    for (size_t i = 0; i < list->count; i++) {
        work_done(&list->items[i].work);
        plan_done(&list->items[i].plan);
        free(list->items[i].blocker);
    }
    free(list);
}
