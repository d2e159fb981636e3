/* What a subject waits for: somebody else's username, account or seat, or a manager; and when it has waited for so
 * long that the host is told. What makes it due when that comes is the store's (store_wake()). */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

int64_t
long_wait_us(const struct delivery *d)
{
    return clock_now_us() - d->fields->wait_limit_hours * 3600 * CLOCK_SECOND_US;
}

bool
is_kept_for_long(const struct link *link)
{
    for (size_t i = 0; i < link->wait_count; i++) {
        if (link->waits[i].is_long && !wait_is_of_part(&link->waits[i]))
            return true;
    }
    return false;
}

/* It waits for this, or not. */
static int
wait_if(struct link *link, bool waits, const char *kind, const char *value)
{
    if (waits)
        return wait_begin(link, kind, value, clock_now_us());
    wait_end(link, kind);
    return PROV_OK;
}

/* The manager whom the resource names, while he is not linked (rule 13). A deactivation looks at no manager, so what
 * was awaited is awaited still. */
static int
await_manager(struct item *item)
{
    const char *uri = item->plan.manager_uri;

    if (!uri && plan_takes_access(&item->plan) && item->plan.in_scope)
        return PROV_OK;
    return wait_if(&item->work.link, uri && !item->manager_id[0], WAIT_MANAGER, uri);
}

int
await(const struct delivery *d, struct item *item, const char *kind, const char *value)
{
    struct link *link = &item->work.link;
    int r = PROV_OK;

    /* but for those of parts, one rules the other out */
    for (size_t i = link->wait_count; i-- > 0;) {
        if (!wait_is_of_part(&link->waits[i]) && !text_is(link->waits[i].kind, kind))
            wait_end(link, link->waits[i].kind);
    }
    if (kind)
        r = wait_begin(link, kind, value, clock_now_us());
    if (!r)
        r = await_manager(item);
    if (!r)
        r = wait_if(link, item_stays_frozen(item), WAIT_UNFREEZING, NULL);
    wait_weigh(link, long_wait_us(d));
    return r;
}

int
await_leaving(struct item *item)
{
    struct link *link = &item->work.link;
    bool leaves = plan_takes_access(&item->plan) ||
                  (wait_of(link, WAIT_LEAVING) && item->plan.action == PLAN_NOTHING);

    return wait_if(link, leaves, WAIT_LEAVING, NULL);
}

/* Which username it is that somebody has, or of which licence there is no seat. */
static const char *
awaited(const struct delivery *d, const struct item *item, const char *kind)
{
    const struct link *link = &item->work.link;

    if (strcmp(kind, WAIT_SEAT) == 0) {
        const char *licence = seats_licence(d, item);
        const struct wait *before = wait_of(link, kind);
        return licence ? licence : before ? before->value : NULL;
    }
    if (strcmp(kind, WAIT_USERNAME) == 0)
        return item->plan.username;
    return strcmp(kind, WAIT_RELEASE) == 0 ? value_get_text(flight_fields(item), "Username") : NULL;
}

int
weigh_wait(const struct delivery *d, struct item *item, const char **ret_outcome,
           char **ret_message, struct prov_error *err)
{
    const struct said *said = &item->said;
    struct link *link = &item->work.link;
    const char *kind = code_waits_for(said->code);
    const char *given_up =
        kind ? NULL : names_given_up(link); /* of who waits, names.c has said it */
    bool is_long;
    int length;

    if (await(d, item, kind, kind ? awaited(d, item, kind) : NULL))
        return error_nomem(err);
    is_long = is_kept_for_long(link);
    *ret_outcome = kind && !is_long ? OUTCOME_WAITING : OUTCOME_REFUSED;
    if (is_long)
        length = asprintf(ret_message,
                          "%s; this has lasted for %lld hours, and it is delivered by itself "
                          "when that ends",
                          said->message, (long long)d->fields->wait_limit_hours);
    else
        length = asprintf(ret_message, given_up ? "%s" NAME_FOR_NOW "%s" : "%s", said->message,
                          link->username_held);
    if (length >= 0)
        return PROV_OK;
    *ret_message = NULL;
    return error_nomem(err);
}

int
delivery_explain_waits(struct json_object *row, struct prov_error *err)
{
    struct json_object *list = json_get(row, "waits");

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *wait = json_object_array_get_idx(list, i);
        const struct code_words *words = wait_words(json_get_string(wait, "kind"));
        if (json_put_string(wait, "cause", words->cause) ||
            json_put_string(wait, "remedy", words->remedy))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* ---- a username that nobody can see ---- */

/* For so long Salesforce may keep the names of a sandbox that was refreshed; tried so often meanwhile. A
 * production org is not refreshed: what it does not get, another one keeps. */
#define RELEASE_WINDOW_US (48 * 3600 * CLOCK_SECOND_US)
#define RELEASE_AGAIN_US  (3600 * CLOCK_SECOND_US)

void
release_words(const struct item *item, char *ret, size_t size)
{
    const char *name = value_get_text(flight_fields(item), "Username");

    snprintf(ret, size, "username '%s' is taken, and not by a user of this org", name ? name : "");
    error_tidy(ret);
}

bool
release_is_over(const struct delivery *d, const struct item *item)
{
    const struct link *link = &item->work.link;
    const char *name = value_get_text(flight_fields(item), "Username");
    const struct wait *wait = wait_of(link, WAIT_RELEASE);
    char message[200];

    /* a number is tried when the wait for the name without it is over */
    if (!d->is_sandbox || item->suffix)
        return true;
    if (wait && text_is(wait->value, name))
        return clock_now_us() - wait->since_us >= RELEASE_WINDOW_US;
    release_words(item, message, sizeof(message));
    return was_refused_with(item, "DUPLICATE_USERNAME") &&
           (d->fields->suffixes || text_is(link->message, message));
}

int64_t
release_again_us(void)
{
    return clock_now_us() + RELEASE_AGAIN_US;
}
