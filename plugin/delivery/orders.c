/* What an admin ordered for a subject (enum order). An order stands in one place at a time: in a row of `due`,
 * then in the link, then there among those that what is in flight carries out; it is gone when that is delivered, and
 * not sent yet again when it did not happen. So whatever is ordered meanwhile is an order of its own. Decides here which
 * send carries which order out, and when one has lapsed. */
#include <string.h>

#include "plugin/delivery/internal.h"

static unsigned
in_flight(const struct link *link)
{
    return link->in_flight ? link->flying : 0;
}

unsigned
orders_in_force(const struct link *link)
{
    return link->orders | in_flight(link);
}

/*
 * A replan and a repair were ordered with these connector fields, and for the user as he was: where they were
 * refused, other fields make another plan, of which nobody has seen the counts, and news of the user must
 * not be refused with them. A retry is for the same plan. Who waits goes on by himself, with his news.
 */
static bool
have_lapsed(const struct fields *fields, const struct work *work)
{
    const struct link *link = &work->link;

    if (!outcome_is_blocked(link->outcome) || link->in_flight)
        return false;
    return !link->plan_digest || strcmp(link->plan_digest, fields->plan_digest) != 0 ||
           (outcome_is(link->outcome, OUTCOME_REFUSED) &&
            link->settled_version < work->subject.version);
}

void
orders_take(const struct fields *fields, struct work *work)
{
    if (have_lapsed(fields, work))
        work->link.orders &= ~(unsigned)(ORDER_REPLAN | ORDER_REPAIR);
    work->link.orders |= work->orders;
}

unsigned
orders_left(const struct item *item)
{
    return item->plan.wanted ? 0 : item->work.link.orders & ORDER_REPLAN;
}

void
orders_fly(struct item *item)
{
    struct link *link = &item->work.link;
    /* of who is in scope a deactivation is only the first step */
    bool first = plan_takes_access(&item->plan) && item->plan.in_scope;
    bool aside = names_go_aside(&item->plan);
    unsigned carried = aside ? 0 : (ORDER_RELEASE | ORDER_REPLAN) & ~orders_left(item);

    /* without the manager it is not all that was to be set back */
    if (!first && !aside && !item->without_manager)
        carried |= ORDER_REPAIR;
    carried &= link->orders;
    link->orders &= ~carried;
    link->flying = carried | in_flight(link);
}

void
orders_return(struct link *link)
{
    link->orders |= in_flight(link);
    link->flying = 0;
}
