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

/* The resource after the event's data, owned by the caller, perhaps the one before; NULL: none. */
static int
fold_data(const struct event *event, const struct subject_state *state, struct json_object **ret,
          struct prov_error *err)
{
    struct json_object *before = state->resource;
    /* a copy if it is switched below: the payload may be folded into other states too */
    bool changes = event->active != EVENT_NO_SWITCH;
    struct json_object *copy = NULL;

    if (event_asks(event, state) && event->resource)
        before = event->resource;
    else if (event->data == EVENT_PATCH && !event->notice && before)
        return scim_patch_apply(before, event->payload, ret, err);
    else if (is_whole(event))
        before = event->payload;
    if (!changes)
        *ret = json_ref(before);
    else if (before && json_object_deep_copy(before, &copy, NULL) != 0)
        return error_nomem(err);
    else
        *ret = copy;
    return PROV_OK;
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
event_fold(const struct event *event, struct subject_state *state, bool *ret_changed,
           struct prov_error *err)
{
    AUTO_JSON struct json_object *resource = NULL;
    enum presence presence;
    bool active = event->active == EVENT_ACTIVATE;
    int result;

    if (event->ignored) {
        if (ret_changed)
            *ret_changed = false;
        return PROV_OK;
    }
    result = fold_data(event, state, &resource, err);
    if (result != PROV_OK)
        return result;
    if (event->active != EVENT_NO_SWITCH && resource && scim_is_active(resource) != active) {
        result = scim_set_active(resource, active, err);
        if (result != PROV_OK)
            return result;
    }
    presence = fold_presence(event, state->presence);
    if (ret_changed)
        *ret_changed = presence != state->presence || !json_equal(resource, state->resource);
    json_object_put(state->resource);
    state->resource = STEAL(resource);
    state->presence = presence;
    return PROV_OK;
}
