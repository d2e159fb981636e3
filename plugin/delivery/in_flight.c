/* What was sent to a subject and has no answer yet, as it stands in the link: how old it is, of which version, and
 * what is left of it when it did nothing. It is made by send.c, and read back by unknown.c. */
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

/* Its settle window began so long ago. */
static int
put_time(struct link *link, int64_t ago_us)
{
    struct pool *pool = &link->pool;
    struct value *flight = link->in_flight;

    return value_put_integer(pool, flight, "at_us", clock_now_us() - ago_us) ||
                   value_put_integer(pool, flight, "up_us", clock_up_us() - ago_us) ||
                   value_put_text(pool, flight, "boot", clock_boot())
               ? PROV_E_NOMEM
               : PROV_OK;
}

int
flight_began(struct link *link, int64_t took_us)
{
    int64_t before = value_get_integer(link->in_flight, "at_us", -1);
    int r;

    if (flight_age_us(link) <= took_us)
        return PROV_OK;
    r = put_time(link, took_us);
    /* by this it is known of a create that it is the first that was sent, see flight_failed() */
    if (!r && link->first_sent_us == before)
        link->first_sent_us = value_get_integer(link->in_flight, "at_us", before);
    return r;
}

int64_t
flight_tries(const struct link *link)
{
    return text_is(link->code, CODE_NO_ANSWER) ? link->attempts : 0;
}

bool
flight_is_mixed(const struct link *link)
{
    return value_get_boolean(link->in_flight, "late", false);
}

bool
flight_is_aside(const struct link *link)
{
    return names_are_temporary(value_get_text(link->in_flight, "inputs"));
}

bool
flight_is_first_step(const struct link *link)
{
    return value_get_boolean(link->in_flight, "first_step", false);
}

struct value *
flight_fields(const struct item *item)
{
    return value_get(item->work.link.in_flight, "fields");
}

int64_t
flight_version(const struct item *item)
{
    return value_get_integer(item->work.link.in_flight, "version", item->work.subject.version);
}

/* A wall clock that was wrong and is put right would make what was just sent look old, and "not there"
 * would be believed while Salesforce still works on it. */
int64_t
flight_age_us(const struct link *link)
{
    const char *boot = value_get_text(link->in_flight, "boot");
    int64_t now = clock_now_us();

    if (boot && *boot && strcmp(boot, clock_boot()) == 0)
        return clock_up_us() - value_get_integer(link->in_flight, "up_us", 0);
    return now - value_get_integer(link->in_flight, "at_us", now);
}

bool
flight_window_over(const struct delivery *d, const struct item *item)
{
    return flight_age_us(&item->work.link) >= d->fields->settle_window_s * CLOCK_SECOND_US;
}

bool
flight_has_settled(const struct delivery *d, const struct item *item)
{
    return flight_is_mixed(&item->work.link) && flight_window_over(d, item);
}

void
flight_failed(struct link *link)
{
    orders_return(link);
    if (flight_is_mixed(link))
        return;
    if (link->first_sent_us == value_get_integer(link->in_flight, "at_us", 0))
        link->first_sent_us = 0;
    link->in_flight = NULL;
}

/* What was sent, when, and how much of what was wanted that was, nobody knows: it may have gone out just now, and of a
 * change it may be anything. */
static int
doubt(struct link *link, struct prov_error *err)
{
    struct pool *pool = &link->pool;
    struct value *flight = value_object(pool), *fields = value_object(pool);
    bool creates = link->salesforce_id[0] == '\0';

    link->in_flight = flight;
    orders_return(link);
    return value_put(pool, flight, "fields", fields) ||
                   value_put_text(pool, fields, "Username",
                                  link->username_wanted ? link->username_wanted
                                                        : link->username_held) ||
                   value_put_text(pool, flight, "op", creates ? "create" : "update") ||
                   put_time(link, 0) ||
                   value_put(pool, flight, "first_step", value_boolean(true)) ||
                   (!creates && value_put(pool, flight, "late", value_boolean(true)))
               ? error_nomem(err)
               : PROV_OK;
}

int
flight_mend(struct delivery *d, struct item *item, struct prov_error *err)
{
    struct link *link = &item->work.link;

    if (!link->damaged && !link->damaged_flight)
        return PROV_OK;
    item->mended = link->damaged_flight ? "what is in flight" : "what was confirmed";
    log_line(&d->log, PROV_LOG_WARNING, "user '%s': " STORE_WAS_DAMAGED ". Look after the disk",
             item->work.subject.uri, item->mended);
    link->confirmed = NULL; /* what was in flight may have changed any of it */
    link->damaged = false;
    if (!link->damaged_flight)
        return PROV_OK;
    link->damaged_flight = false;
    return doubt(link, err);
}
