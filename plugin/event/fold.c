/*
 * What an event makes of what is known of its subject. The resource is what the host said last; the
 * presence tells whether the host still has and wants the subject, apart from the resource (design
 * rule 4). Whether anything follows from the new state is delivery's to decide.
 *
 * A subject of whom no resource was ever seen keeps none through a PATCH, an activate or a
 * deactivate: there is nothing that they could change, and the create or put that must come first
 * says itself what is active.
 */
#include <stddef.h>

#include "plugin/event/event.h"
#include "plugin/scim/patch.h"

/* Whether the event itself brings the whole resource. */
static bool
is_whole(const struct event *event)
{
    return (event->data == EVENT_CREATE || event->data == EVENT_PUT) && !event->notice;
}

/* The resource after the event's data, perhaps the one before; NULL: none. One that is switched below is a
 * copy: the payload may be folded into other states too. */
static int
fold_data(struct pool *pool, const struct event *event, const struct subject_state *state,
          struct value **ret, struct prov_error *err)
{
    struct value *before = state->resource;

    if (event_asks(event, state) && event->resource)
        before = event->resource;
    else if (event->data == EVENT_PATCH && !event->notice && before)
        return scim_patch_apply(pool, before, event->payload, ret, err);
    else if (is_whole(event))
        before = event->payload;
    *ret = before;
    if (event->active == EVENT_NO_SWITCH)
        return PROV_OK;
    return value_copy(pool, before, ret) == PROV_OK ? PROV_OK : error_nomem(err);
}

static enum presence
fold_presence(const struct event *event, enum presence before)
{
    bool replaced =
        (event->data == EVENT_CREATE || event->data == EVENT_PUT) && event->ask != EVENT_NOT_THERE;

    if (event->deleted)
        return PRESENCE_GONE;
    if (event->feed == EVENT_FEED_ADD)
        return PRESENCE_IN;
    /* out of scope stays out, whatever is said of the resource, until it is added to the feed */
    if (replaced && before == PRESENCE_GONE)
        before = PRESENCE_IN;
    if (event->feed == EVENT_FEED_REMOVE && before != PRESENCE_GONE)
        return PRESENCE_OUT;
    return before;
}

bool
event_asks(const struct event *event, const struct subject_state *state)
{
    if (event->ignored || event->deleted || is_whole(event))
        return false;
    if (event->notice)
        return true;
    return fold_presence(event, state->presence) == PRESENCE_IN &&
           (!state->resource || state->presence != PRESENCE_IN);
}

int
event_fold(struct pool *pool, const struct event *event, struct subject_state *state,
           bool *ret_changed, struct prov_error *err)
{
    struct value *resource = NULL;
    enum presence presence;
    bool active = event->active == EVENT_ACTIVATE;
    int result;

    if (event->ignored) {
        if (ret_changed)
            *ret_changed = false;
        return PROV_OK;
    }
    result = fold_data(pool, event, state, &resource, err);
    if (result != PROV_OK)
        return result;
    if (event->active != EVENT_NO_SWITCH && resource && scim_is_active(resource) != active) {
        result = scim_set_active(pool, resource, active, err);
        if (result != PROV_OK)
            return result;
    }
    presence = fold_presence(event, state->presence);
    if (ret_changed)
        *ret_changed = presence != state->presence || !value_equal(resource, state->resource);
    state->resource = resource;
    state->presence = presence;
    return PROV_OK;
}
