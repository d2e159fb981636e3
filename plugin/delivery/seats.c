/* Licence seats: who cannot get one waits before anything is sent, and it is said which licence has run out:
 * once for all who wait for it, in the log and in a fact of the store. Which licence a profile takes is kept for
 * long (facts.c); the numbers serve for some minutes, but nobody has to wait for what an older answer says. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

#define KEEP_US (300 * CLOCK_SECOND_US)

/* Licences that had no seat left for somebody: licence -> {"total","used","at_us"}. */
#define FACT "seats"

/* delivery->seats: Profile Id -> licence, null if that was not told; and licence -> {"total","used","free"}. */
struct seats_view {
    struct json_object *profiles, *licences;
};

static struct seats_view
view_of(const struct delivery *d)
{
    return (struct seats_view){ json_get(d->seats, "profiles"), json_get(d->seats, "licences") };
}

/* Users of the round who take a seat: new ones, and those who come back. */
static bool
takes_seat(const struct item *item, enum plan_action action)
{
    return item->plan.action == action && value_get_boolean(item->plan.fields, "IsActive", false);
}

static const char *
profile_of(const struct item *item)
{
    const char *planned = value_get_text(item->plan.fields, "ProfileId");

    return planned ? planned : value_get_text(item->work.link.confirmed, "ProfileId");
}

/* The profiles of those, as an object used as a set. */
static struct json_object *
profiles_of(const struct round *round)
{
    AUTO_JSON struct json_object *set = json_object_new_object();

    for (size_t i = 0; set && i < round->count; i++) {
        const struct item *item = &round->items[i];
        const char *profile = profile_of(item);
        if ((takes_seat(item, PLAN_UPDATE) || takes_seat(item, PLAN_CREATE)) && profile &&
            json_put_bool(set, profile, true))
            return NULL;
    }
    return STEAL(set);
}

/* ---- asking ---- */

static struct json_object *
find_row(struct json_object *rows, const char *key, const char *value)
{
    for (size_t i = 0; rows && value && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *there = json_get_string(row, key);
        if (there && strcmp(there, value) == 0)
            return row;
    }
    return NULL;
}

struct json_object *
seats_row(struct json_object *profiles, struct json_object *licences, const char *profile)
{
    struct json_object *licence = json_get(find_row(profiles, "Id", profile), "UserLicense");
    struct json_object *row = find_row(licences, "Name", json_get_string(licence, "Name"));

    return json_get_int(row, "TotalLicenses", -1) < 0 ? NULL : row;
}

static int
keep(struct delivery *d, struct json_object *asked, struct json_object *profile_rows,
     struct json_object *licence_rows)
{
    AUTO_JSON struct json_object *seats = json_object_new_object();
    struct json_object *profiles = json_object_new_object(), *licences = json_object_new_object();

    if (json_put(seats, "profiles", profiles) || json_put(seats, "licences", licences))
        return PROV_E_NOMEM;
    json_object_object_foreach(asked, profile, value)
    {
        struct json_object *row = seats_row(profile_rows, licence_rows, profile), *counts;
        const char *name = json_get_string(row, "Name");
        int64_t total = json_get_int(row, "TotalLicenses", 0);
        int64_t used = json_get_int(row, "UsedLicenses", 0);

        (void)value;
        if (json_put(profiles, profile, name ? json_object_new_string(name) : NULL))
            return PROV_E_NOMEM;
        if (!name)
            continue;
        counts = json_object_new_object();
        if (json_put(licences, name, counts) || json_put_int(counts, "total", total) ||
            json_put_int(counts, "used", used) || json_put_int(counts, "free", total - used))
            return PROV_E_NOMEM;
    }
    json_object_put(d->seats);
    d->seats = STEAL(seats);
    d->seats_us = clock_monotonic_us();
    return PROV_OK;
}

static bool
has_all(struct json_object *rows, struct json_object *profiles)
{
    json_object_object_foreach(profiles, profile, value)
    {
        (void)value;
        if (!find_row(rows, "Id", profile))
            return false;
    }
    return true;
}

/* The profiles as they are kept, unless one is missing; the numbers anew. */
static int
ask(struct delivery *d, struct json_object *profiles, struct sf_call *ret_call,
    struct prov_error *err)
{
    int64_t now = clock_now_us();
    struct json_object *rows, *licences = NULL;
    int r = facts_list(d, FACTS_PROFILES, now - FACTS_OLD_US, &rows, ret_call, err);

    if (!r && rows && !has_all(rows, profiles))
        r = facts_list(d, FACTS_PROFILES, now - KEEP_US, &rows, ret_call, err);
    if (!r && ret_call->outcome == SF_DELIVERED)
        r = facts_list(d, FACTS_LICENCES, now, &licences, ret_call, err);
    if (r || (ret_call->outcome != SF_DELIVERED && ret_call->outcome != SF_REFUSED))
        return r;
    return keep(d, profiles, rows, licences) ? error_nomem(err) : PROV_OK;
}

/* An org that does not tell is no reason to wait: it refuses by itself who gets no seat. */
static int
read_seats(struct round *round, struct json_object *profiles, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r = ask(round->delivery, profiles, &call, err);

    if (r || call.outcome == SF_DELIVERED || call.outcome == SF_REFUSED)
        return r;
    round->stop = true;
    return org_call_failed(round->delivery, &call, err);
}

/* ---- giving ---- */

static void
park(struct item *item, const char *licence, int64_t total)
{
    item_park(item, CODE_NO_SEAT,
              "all %lld seats of the licence '%s', which the user's profile takes, are in use",
              (long long)total, licence);
}

const char *
seats_licence(const struct delivery *d, const struct item *item)
{
    const char *profile = profile_of(item);

    return profile ? json_get_string(view_of(d).profiles, profile) : NULL;
}

/* Gives this user a seat of those that are left; false: there is none. */
static bool
give(const struct delivery *d, struct item *item, struct json_object *left, bool parks)
{
    const char *licence = seats_licence(d, item);
    struct json_object *counts = licence ? json_get(view_of(d).licences, licence) : NULL;
    int64_t still;

    if (!counts)
        return true;
    still = json_get_int(left, licence, json_get_int(counts, "free", 0));
    /* below nought it tells how many want more than there are */
    if (json_put_int(left, licence, still - 1))
        return false;
    if (still <= 0 && parks)
        park(item, licence, json_get_int(counts, "total", 0));
    return still > 0;
}

/* In the order in which they are sent. *ret_left: what remains of each licence that was touched. */
static bool
give_all(struct round *round, struct json_object *left, bool parks)
{
    static const enum plan_action order[] = { PLAN_UPDATE, PLAN_CREATE };
    bool enough = true;

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        for (size_t i = 0; i < round->count; i++) {
            struct item *item = &round->items[i];
            if (takes_seat(item, order[k]))
                enough = give(round->delivery, item, left, parks) && enough;
        }
    }
    return enough;
}

/* Whether what is known is new enough, of all these profiles, and leaves a seat for everybody. */
static bool
suffices(struct round *round, struct json_object *profiles)
{
    const struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *left = json_object_new_object();
    struct seats_view seats = view_of(d);

    if (!d->seats || !left || clock_monotonic_us() - d->seats_us > KEEP_US)
        return false;
    json_object_object_foreach(profiles, profile, value)
    {
        (void)value;
        if (!json_object_object_get_ex(seats.profiles, profile, NULL))
            return false;
    }
    return give_all(round, left, false);
}

/* ---- what is said of a licence that ran out ---- */

static const char remedy[] =
    "deactivate who has left, buy seats (Setup > Company Information > User Licenses), or map "
    "another profile; who waits is tried again by itself, each hour and when a user of ours leaves";

static int
read_fact(struct store *store, struct json_object **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    int r = store_get_fact(store, FACT, &text, err);

    if (!r && text)
        return json_parse(text, strlen(text), "a fact of the store", ret, err);
    if (!r && !(*ret = json_object_new_object()))
        return error_nomem(err);
    return r;
}

static int
write_fact(struct store *store, struct json_object *fact, struct prov_error *err)
{
    AUTO_FREE char *text = json_text(fact);
    int r = text ? store_begin(store, STORE_FENCED, err) : error_nomem(err);

    if (r)
        return r;
    r = store_put_fact(store, FACT, text, err);
    if (!r)
        return store_commit(store, err);
    store_rollback(store);
    return r;
}

/* Notes the licences that have fewer seats left than that; the log has a line of each for which nobody waited
 * yet. */
static int
note_lack(struct delivery *d, int64_t fewer, struct prov_error *err)
{
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_JSON struct json_object *wanted = NULL;
    struct json_object *licences = view_of(d).licences;
    int r = read_fact(d->store, &fact, err);

    if (!r)
        r = store_read_seats_wanted(d->store, &wanted, err);
    if (r)
        return r;
    json_object_object_foreach(licences, licence, counts)
    {
        int64_t total = json_get_int(counts, "total", 0), used = json_get_int(counts, "used", 0);
        struct json_object *entry;
        if (json_get_int(counts, "free", 0) >= fewer)
            continue;
        entry = json_object_new_object();
        if (json_put(fact, licence, entry) || json_put_int(entry, "total", total) ||
            /* those that this round takes are no more free */
            json_put_int(entry, "used", used > total ? used : total) ||
            json_put_int(entry, "at_us", clock_now_us()))
            return error_nomem(err);
        if (!json_get(wanted, licence))
            log_line(&d->log, PROV_LOG_WARNING,
                     "all %lld seats of the licence '%s' are in use, and users wait for one; "
                     "`sfprov status` tells how many: %s",
                     (long long)total, licence, remedy);
    }
    return write_fact(d->store, fact, err);
}

static bool
lacks_any(struct json_object *licences)
{
    json_object_object_foreach(licences, licence, counts)
    {
        (void)licence;
        if (json_get_int(counts, "free", 0) < 0)
            return true;
    }
    return false;
}

/* One licence of the answer; licence "": of those the org told nothing. */
static struct json_object *
shown(const char *licence, int64_t waiting, struct json_object *entry)
{
    AUTO_JSON struct json_object *row = json_object_new_object();
    char time[21];

    if (!row || json_put(row, "licence", *licence ? json_object_new_string(licence) : NULL) ||
        json_put(row, "used", json_ref(json_get(entry, "used"))) ||
        json_put(row, "total", json_ref(json_get(entry, "total"))) ||
        json_put_int(row, "waiting", waiting) ||
        json_put(row, "seen",
                 entry ? json_object_new_string(clock_format(json_get_int(entry, "at_us", 0), time))
                       : NULL) ||
        json_put_string(row, "remedy", remedy))
        return NULL;
    return STEAL(row);
}

int
delivery_seats_read(struct store *store, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *fact = NULL;
    AUTO_JSON struct json_object *wanted = NULL;
    AUTO_JSON struct json_object *rows = json_object_new_array();
    int r = rows ? read_fact(store, &fact, err) : error_nomem(err);

    if (!r)
        r = store_read_seats_wanted(store, &wanted, err);
    if (r)
        return r;
    json_object_object_foreach(wanted, licence, waiting)
    {
        if (json_append(rows,
                        shown(licence, json_object_get_int64(waiting), json_get(fact, licence))))
            return error_nomem(err);
    }
    *ret = STEAL(rows);
    return PROV_OK;
}

int
seats_check(struct round *round, struct prov_error *err)
{
    AUTO_JSON struct json_object *profiles = profiles_of(round);
    AUTO_JSON struct json_object *left = json_object_new_object();
    struct json_object *licences;
    int r = PROV_OK;

    if (!profiles || !left)
        return error_nomem(err);
    if (json_object_object_length(profiles) == 0)
        return PROV_OK;
    if (!suffices(round, profiles))
        r = read_seats(round, profiles, err);
    if (r || round->stop)
        return r;
    give_all(round, left, true);
    licences = view_of(round->delivery).licences;
    json_object_object_foreach(left, licence, count)
    {
        if (json_put(json_get(licences, licence), "free", json_ref(count)))
            return error_nomem(err);
    }
    return lacks_any(licences) ? note_lack(round->delivery, 0, err) : PROV_OK;
}

/* Salesforce had no seat for somebody, though there was one by what was known: what is there now? */
static int
look_again(struct round *round, struct prov_error *err)
{
    AUTO_JSON struct json_object *profiles = profiles_of(round);
    int r;

    if (!profiles)
        return error_nomem(err);
    r = read_seats(round, profiles, err);
    return r || round->stop ? r : note_lack(round->delivery, 1, err);
}

/* ---- seats that become free ---- */

int
seats_wake(struct round *round, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = round->seats_refused && !round->stop ? look_again(round, err) : PROV_OK;

    if (r || !round->freed_seats)
        return r;
    json_object_put(STEAL(round->delivery->seats));
    r = store_begin(store, STORE_FENCED, err);
    if (r)
        return r;
    r = store_wake(store, WAIT_SEAT, NULL, NULL, round->freed_seats, err);
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}
