/* Steps of `check` about what the org has: the profile and what the mapping names besides, seats, UserLogin,
 * and the API calls of the day. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/delivery/check.h"
#include "plugin/delivery/org_facts.h"
#include "schema/letters.h"

#define FEW_SEATS 5

int
check_profile(struct check *check, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r = org_find_profile(check->delivery, &check->profile, &call, err);

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
    AUTO_JSON struct json_object *rows = NULL;
    struct json_object *licence;
    struct sf_call call = { 0 };
    char soql[200];
    const char *name;
    int64_t total, left;
    int r;

    (void)err;
    if (!check->profile.id[0])
        return check_say(check, CHECK_SKIPPED, NULL, NULL,
                         "not looked at, because of step 'profile'");
    snprintf(soql, sizeof(soql),
             "SELECT Id, UserLicense.Name, UserLicense.TotalLicenses, UserLicense.UsedLicenses "
             "FROM Profile WHERE Id = '%s'",
             check->profile.id);
    r = sf_query(check->delivery->session, soql, &rows, &call);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return check_call_failed(check, &call);
    licence = json_get(json_object_array_get_idx(rows, 0), "UserLicense");
    name = json_get_string(licence, "Name");
    total = json_get_int(licence, "TotalLicenses", -1);
    left = total - json_get_int(licence, "UsedLicenses", 0);
    if (!name || total < 0)
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
        if (name && strcasecmp(name, field) == 0 && collect(values, rule))
            return PROV_E_NOMEM;
    }
    *ret = STEAL(values);
    return PROV_OK;
}

static bool
has_record(struct json_object *rows, const char *name)
{
    static const char *const columns[] = { "Name", "DeveloperName", "Id" };

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
            const char *there = json_get_string(row, columns[k]);
            /* an Id of 15 characters is the beginning of that of 18 */
            if (there && (letters_same(there, name) ||
                          (k == 2 && strlen(name) == 15 && strncmp(there, name, 15) == 0)))
                return true;
        }
    }
    return false;
}

/* *ret_named counts those looked for; each that is not there is a row. */
static int
check_object(struct check *check, const char *field, const char *word, const char *soql,
             size_t *ret_named, bool *ret_missing)
{
    AUTO_JSON struct json_object *named = NULL;
    AUTO_JSON struct json_object *there = NULL;
    struct sf_call call = { 0 };
    char nearest[300];
    int r = check_named_values(check->fields, field, &named);

    if (r || json_object_object_length(named) == 0)
        return r;
    *ret_named += (size_t)json_object_object_length(named);
    r = sf_query(check->delivery->session, soql, &there, &call);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED) {
        *ret_missing = true;
        return check_call_failed(check, &call);
    }
    json_object_object_foreach(named, name, value)
    {
        (void)value;
        if (has_record(there, name))
            continue;
        *ret_missing = true;
        org_facts_nearest(nearest, sizeof(nearest), there, name);
        r = check_say(check, CHECK_FAILED, "Users whose mapping gives this name are parked.",
                      "Correct the name in the mapping, or make the record in Setup.",
                      "the mapping of %s: there is no %s '%s' in the org%s", field, word, name,
                      nearest);
        if (r)
            break;
    }
    return r;
}

int
check_roles(struct check *check, struct prov_error *err)
{
    size_t named = 0;
    bool missing = false;
    int r = check_object(check, "UserRoleId", "role",
                         "SELECT Id, Name, DeveloperName FROM UserRole ORDER BY Name LIMIT 2000",
                         &named, &missing);

    (void)err;
    if (!r && check->has)
        r = check_object(check, "ProfileId", "profile",
                         "SELECT Id, Name FROM Profile ORDER BY Name LIMIT 2000", &named, &missing);
    if (r || missing)
        return r;
    if (!named)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "the mapping names no role and no other profile");
    return check_say(check, CHECK_OK, NULL, NULL,
                     "all %zu roles and profiles that the mapping names are there", named);
}

/* ---- freezing, calls ---- */

int
check_freeze(struct check *check, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call = { 0 };
    int r = sf_query(check->delivery->session, "SELECT Id, UserId, IsFrozen FROM UserLogin LIMIT 1",
                     &rows, &call);

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
    if (quota_reached(check->delivery, 1))
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
