/* Steps of `check` about what the org has: the profile and what the mapping names besides, seats, UserLogin,
 * and the API calls of the day. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/delivery/check.h"
#include "plugin/delivery/org_names.h"

#define FEW_SEATS 5

int
check_profile(struct check *check, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r = org_find_profile(check->delivery, check->since_us, &check->profile, &call, err);

    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return check_call_failed(check, &call);
    if (check->profile.id[0])
        return check_say(check, CHECK_OK, NULL, NULL, "profile '%s' is %s", check->fields->profile,
                         check->profile.id);
    return check_say(check, CHECK_FAILED, "New users cannot be created without their profile.",
                     "Correct the field 'profile': the name as Setup > Profiles shows it, or the "
                     "Id, which differs between production and sandbox.",
                     "%s", check->profile.fault);
}

int
check_seats(struct check *check, struct prov_error *err)
{
    struct json_object *profiles, *licences = NULL, *row;
    struct sf_call call = { 0 };
    const char *name;
    int64_t total, left;
    int r;

    if (!check->profile.id[0])
        return check_say(check, CHECK_SKIPPED, NULL, NULL,
                         "not looked at, because of step 'profile'");
    r = facts_list(check->delivery, FACTS_PROFILES, check->since_us, &profiles, &call, err);
    if (!r && call.outcome == SF_DELIVERED)
        r = facts_list(check->delivery, FACTS_LICENCES, check->since_us, &licences, &call, err);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return check_call_failed(check, &call);
    row = seats_row(profiles, licences, check->profile.id);
    name = json_get_string(row, "Name");
    total = json_get_int(row, "TotalLicenses", 0);
    left = total - json_get_int(row, "UsedLicenses", 0);
    if (!name)
        return check_say(check, CHECK_OK, NULL, NULL, "the org does not tell how many there are");
    if (left <= 0)
        return check_say(check, CHECK_FAILED,
                         "Who is new, or comes back, gets no licence, and waits until one is free.",
                         "Setup > Company Information > User Licenses: free or buy some, or choose "
                         "another profile.",
                         "licence '%s' of the profile: none of %" PRId64 " is left", name, total);
    if (left <= FEW_SEATS)
        return check_say(check, CHECK_WARNING, "There are few licences left for new users.",
                         "Setup > Company Information > User Licenses: free or buy some in time.",
                         "licence '%s' of the profile: %" PRId64 " of %" PRId64 " left", name, left,
                         total);
    return check_say(check, CHECK_OK, NULL, NULL,
                     "licence '%s' of the profile: %" PRId64 " of %" PRId64 " left", name, left,
                     total);
}

/* ---- what the mapping names ---- */

static int
collect_text(struct json_object *ret, struct json_object *value)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

    return !text || *text == '$' ? PROV_OK : json_put_bool(ret, text, true);
}

/* Constants, defaults, and what a lookup at the end gives; as far as a rule says them outright. */
static int
collect(struct json_object *ret, struct json_object *part)
{
    struct json_object *steps = json_get(part, "steps"), *last, *lookup;
    size_t count =
        json_object_is_type(steps, json_type_array) ? json_object_array_length(steps) : 0;
    struct json_object *source = json_get(part, "source");
    int r = collect_text(ret, json_get(part, "constant"));

    if (!r)
        r = collect_text(ret, json_get(part, "default"));
    last = count ? json_object_array_get_idx(steps, count - 1) : NULL;
    lookup = json_get(last, "lookup");
    if (!r && json_object_is_type(lookup, json_type_object)) {
        json_object_object_foreach(lookup, from, to)
        {
            (void)from;
            r = r ? r : collect_text(ret, to);
        }
        r = r ? r : collect_text(ret, json_get(last, "default"));
    }
    if (!r && json_object_is_type(source, json_type_object))
        r = collect(ret, source);
    return r;
}

int
check_named_values(const struct fields *fields, const char *field, struct json_object **ret)
{
    struct json_object *rules = fields->mapping_rules;
    size_t count =
        json_object_is_type(rules, json_type_array) ? json_object_array_length(rules) : 0;
    AUTO_JSON struct json_object *values = json_object_new_object();

    if (!values)
        return PROV_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct json_object *rule = json_object_array_get_idx(rules, i);
        const char *name = json_get_string(rule, "field");
        if (name && ascii_compare(name, field) == 0 && collect(values, rule))
            return PROV_E_NOMEM;
    }
    *ret = STEAL(values);
    return PROV_OK;
}

/* *ret_named counts those looked for; each that is not there is a row. */
static int
check_object(struct check *check, const char *field, const char *object, size_t *ret_named,
             bool *ret_missing, struct prov_error *err)
{
    AUTO_JSON struct json_object *named = NULL;
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    struct sf_call call = { 0 };
    int r = wanted ? check_named_values(check->fields, field, &named) : PROV_E_NOMEM;

    if (r || json_object_object_length(named) == 0)
        return r;
    *ret_named += (size_t)json_object_object_length(named);
    json_object_object_foreach(named, name, value)
    {
        (void)value;
        if (org_names_want(wanted, name))
            return PROV_E_NOMEM;
    }
    r = org_names_ask(check->delivery, object, wanted, check->since_us, &call, err);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED) {
        *ret_missing = true;
        return check_call_failed(check, &call);
    }
    json_object_object_foreach(wanted, key, written)
    {
        struct json_object *known = json_get(json_get(check->delivery->names, object), key);
        (void)written;
        /* cppcheck-suppress identicalConditionAfterEarlyExit ; set by the one before */
        if (r || json_object_is_type(known, json_type_string))
            continue;
        *ret_missing = true;
        r = check_say(check, CHECK_FAILED, "Users whose mapping gives this name are parked.",
                      "Correct the name in the mapping, or make the record in Setup.",
                      "the mapping of %s: %s", field, json_get_string(known, "fault"));
    }
    return r;
}

int
check_roles(struct check *check, struct prov_error *err)
{
    size_t named = 0;
    bool missing = false;
    int r = check_object(check, "UserRoleId", "UserRole", &named, &missing, err);

    if (!r && check->has)
        r = check_object(check, "ProfileId", "Profile", &named, &missing, err);
    if (r || missing)
        return r;
    if (!named)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "the mapping names no role and no other profile");
    return check_say(check, CHECK_OK, NULL, NULL,
                     "all %zu roles and profiles that the mapping names are there", named);
}

/* ---- e-mail domains, freezing, calls ---- */

/* "'acme.example', 'acme.org'"; as many as fit. */
static void
list_domains(struct json_object *rows, char *ret, size_t room)
{
    size_t length = 0;

    *ret = '\0';
    for (size_t i = 0; i < json_object_array_length(rows) && length < room; i++) {
        const char *name = json_get_string(json_object_array_get_idx(rows, i), "Domain");
        length += (size_t)snprintf(ret + length, room - length, "%s'%s'", i ? ", " : "",
                                   name ? name : "");
    }
    error_tidy(ret);
}

/* Whose address is of another domain is known only when the user comes, so it is said and no more. An org without the
 * list has no such object. */
int
check_email(struct check *check, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call = { 0 };
    char domains[300];
    int r = sf_query(check->delivery->session,
                     "SELECT Domain FROM AllowedEmailDomain ORDER BY Domain LIMIT 200", SF_CAN_WAIT,
                     &rows, &call);

    (void)err;
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED && strcmp(call.code, "INVALID_TYPE") != 0)
        return check_call_failed(check, &call);
    if (call.outcome != SF_DELIVERED || json_object_array_length(rows) == 0)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "no list of allowed e-mail domains is shown to the execution user");
    list_domains(rows, domains, sizeof(domains));
    return check_say(check, CHECK_OK, NULL, NULL,
                     "e-mail addresses of %s are taken, and no others (Setup > Allowed Email "
                     "Domains)",
                     domains);
}

int
check_freeze(struct check *check, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call = { 0 };
    int r = sf_query(check->delivery->session, "SELECT Id, UserId, IsFrozen FROM UserLogin LIMIT 1",
                     SF_CAN_WAIT, &rows, &call);

    (void)err;
    if (r)
        return r;
    if (call.outcome == SF_DELIVERED)
        return check_say(check, CHECK_OK, NULL, NULL, "UserLogin can be read");
    if (call.http_status)
        return check_say(check, check->fields->leavers_freeze ? CHECK_FAILED : CHECK_WARNING,
                         "Without it nobody can be frozen: neither who leaves, if 'leaver_action' "
                         "says so, nor whom Salesforce refuses to deactivate.",
                         "Give the integration user Manage Users by a permission set.", "%s: %s",
                         call.code, call.message);
    return check_call_failed(check, &call);
}

int
check_quota(struct check *check, struct prov_error *err)
{
    struct sf_usage usage;

    (void)err;
    sf_session_usage(check->delivery->session, &usage);
    if (usage.day_max <= 0)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "the org does not tell how many calls it allows");
    if (usage.day_used >= usage.day_max)
        return check_say(check, CHECK_FAILED,
                         "The org has used up its API calls of the last 24 hours.",
                         "Setup > Company Information shows the use. Find the program that uses "
                         "them, or buy more.",
                         "%" PRId64 " of %" PRId64 " API calls of 24 hours are used",
                         usage.day_used, usage.day_max);
    if (sf_reserve_left(usage.day_used, usage.day_max, check->fields->api_reserve_percent) == 0)
        return check_say(check, CHECK_WARNING,
                         "What is left is the reserve ('api_reserve_percent'): only who leaves is "
                         "provisioned until others use fewer calls.",
                         "Setup > Company Information shows the use. Find the program that uses "
                         "them, buy more, or make the reserve smaller.",
                         "%" PRId64 " of %" PRId64 " API calls of 24 hours are used; %" PRId64
                         "%% are the reserve",
                         usage.day_used, usage.day_max, check->fields->api_reserve_percent);
    return check_say(check, CHECK_OK, NULL, NULL,
                     "%" PRId64 " of %" PRId64 " API calls of 24 hours are used; %" PRId64
                     "%% are the reserve",
                     usage.day_used, usage.day_max, check->fields->api_reserve_percent);
}
