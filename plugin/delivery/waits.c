/* What a subject waits for: somebody else's username, account or seat, or a manager; and when it has waited for so
 * long that the host is told. What makes it due when that comes is the store's (store_wake()). */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

int
set_wait(struct link *link, const char *kind, const char *value)
{
    int64_t now = clock_now_us();

    /* a clock that was set back must not make a wait endless */
    if (!text_is(link->waits_kind, kind) || !text_is(link->waits_value, value) ||
        link->waits_since_us > now)
        link->waits_since_us = kind ? now : 0;
    return set_text(&link->waits_value, value) || set_text(&link->waits_kind, kind) ? PROV_E_NOMEM
                                                                                    : PROV_OK;
}

int64_t
long_wait_us(const struct delivery *d)
{
    return clock_now_us() - d->fields->wait_limit_hours * 3600 * CLOCK_SECOND_US;
}

bool
waits_long(const struct delivery *d, const struct link *link)
{
    return link->waits_since_us && link->waits_since_us <= long_wait_us(d);
}

/* The manager the resource names, while he is not linked (rule 13). A deactivation looks at no
 * manager, so what was awaited is kept. */
static const char *
awaited_manager(const struct item *item)
{
    const struct link *link = &item->work.link;

    if (!item->plan.manager_uri)
        return plan_takes_access(&item->plan) && text_is(link->waits_kind, WAIT_MANAGER)
                   ? link->waits_value
                   : NULL;
    return item->manager_id[0] ? NULL : item->plan.manager_uri;
}

int
await_others(struct item *item)
{
    const char *manager = awaited_manager(item);

    return set_wait(&item->work.link,
                    manager                   ? WAIT_MANAGER
                    : item_stays_frozen(item) ? WAIT_UNFREEZING
                                              : NULL,
                    manager);
}

/* Which username it is that somebody has, or of which licence there is no seat. */
static const char *
awaited(const struct delivery *d, const struct item *item, const char *kind)
{
    const struct link *link = &item->work.link;

    if (strcmp(kind, WAIT_SEAT) == 0) {
        const char *licence = seats_licence(d, item);
        return licence ? licence : text_is(link->waits_kind, kind) ? link->waits_value : NULL;
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

    if (kind ? set_wait(link, kind, awaited(d, item, kind)) : await_others(item))
        return error_nomem(err);
    is_long = kind && waits_long(d, link);
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
    char message[200];

    /* a number is tried when the wait for the name without it is over */
    if (!d->is_sandbox || item->suffix)
        return true;
    if (text_is(link->waits_kind, WAIT_RELEASE) && text_is(link->waits_value, name))
        return clock_now_us() - link->waits_since_us >= RELEASE_WINDOW_US;
    release_words(item, message, sizeof(message));
    return was_refused_with(item, "DUPLICATE_USERNAME") &&
           (d->fields->suffixes || text_is(link->message, message));
}

int64_t
release_again_us(void)
{
    return clock_now_us() + RELEASE_AGAIN_US;
}
