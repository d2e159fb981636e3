/* What the window of an hour holds: what is older is dropped, and each user counts once. */
#include "plugin/delivery/refusals.h"

#include <stdio.h>

#include "plugin/base/clock.h"

#define WINDOW_US (3600 * CLOCK_SECOND_US)

/* Of each code so many are kept, or the floor if that is more. One user who is refused again and again is not many; but
 * so many users are, and then it does not matter that one of them is counted twice. */
#define USERS_KEPT 200

static bool
is_over(int64_t since_us)
{
    int64_t now = clock_now_us();

    return since_us > now || now - since_us >= WINDOW_US;
}

void
refusals_forget(struct refusals *seen)
{
    json_object_put(STEAL(seen->codes));
    seen->delivered = seen->since_us = 0;
}

static void
keep_young(struct refusals *seen)
{
    if (!is_over(seen->since_us))
        return;
    refusals_forget(seen);
    seen->since_us = clock_now_us();
}

void
refusals_note_delivered(struct refusals *seen)
{
    keep_young(seen);
    seen->delivered++;
}

/* The object that is this member, made if there is none; NULL when out of memory. */
static struct json_object *
object_in(struct json_object *parent, const char *key)
{
    struct json_object *member = json_get(parent, key);

    if (json_object_is_type(member, json_type_object))
        return member;
    member = json_object_new_object();
    return json_put(parent, key, member) ? NULL : member;
}

int
refusals_note(struct refusals *seen, int64_t user, const char *code, const char *message,
              const char *cause, const char *remedy)
{
    struct json_object *entry, *users;
    char number[24];

    keep_young(seen);
    if (!seen->codes && !(seen->codes = json_object_new_object()))
        return PROV_E_NOMEM;
    snprintf(number, sizeof(number), "%lld", (long long)user);
    entry = object_in(seen->codes, code);
    users = object_in(entry, "users");
    return !users || json_put_bool(users, number, true) ||
                   json_put_string(entry, "message", message) ||
                   json_put_string(entry, "cause", cause) ||
                   json_put_string(entry, "remedy", remedy)
               ? PROV_E_NOMEM
               : PROV_OK;
}

static int
count_users(struct json_object *entry, struct json_object *more, int64_t kept)
{
    struct json_object *users = object_in(entry, "users");
    int64_t count = json_get_int(entry, "count", 0);

    if (!users)
        return PROV_E_NOMEM;
    json_object_object_foreach(more, user, seen)
    {
        if (json_get(users, user))
            continue;
        count++;
        if (json_object_object_length(users) < kept && json_put(users, user, json_ref(seen)))
            return PROV_E_NOMEM;
    }
    return json_put_int(entry, "count", count);
}

int
refusals_add(const struct refusals *seen, int64_t floor, struct json_object **tally)
{
    int64_t kept = floor > USERS_KEPT ? floor : USERS_KEPT;
    struct json_object *refused;

    if (is_over(json_get_int(*tally, "since_us", 0))) {
        json_object_put(*tally);
        *tally = json_object_new_object();
        if (json_put_int(*tally, "since_us", seen->since_us))
            return PROV_E_NOMEM;
    }
    refused = object_in(*tally, "refused");
    if (!refused ||
        json_put_int(*tally, "delivered", json_get_int(*tally, "delivered", 0) + seen->delivered))
        return PROV_E_NOMEM;
    json_object_object_foreach(seen->codes, code, entry)
    {
        if (count_users(object_in(refused, code), json_get(entry, "users"), kept))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

const char *
refusals_common(struct json_object *tally, int64_t floor, int64_t percent, int64_t *ret_count,
                int64_t *ret_tried)
{
    struct json_object *refused = json_get(tally, "refused");
    const char *most = NULL;

    *ret_tried = json_get_int(tally, "delivered", 0);
    *ret_count = 0;
    json_object_object_foreach(refused, code, entry)
    {
        int64_t count = json_get_int(entry, "count", 0);
        *ret_tried += count;
        if (count > *ret_count) {
            *ret_count = count;
            most = code;
        }
    }
    return *ret_count >= floor && *ret_count * 100 > *ret_tried * percent ? most : NULL;
}
