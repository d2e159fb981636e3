/* Steps of `check` about who we are: the token, the key it was had with, the org it leads to, and whether
 * that org's API takes it. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/check.h"

#define KEY_WARNING_US (30 * 24 * 3600 * CLOCK_SECOND_US)

static int
stop(struct check *check, int result)
{
    check->has = NEEDS_NOTHING;
    check->stopped_by = check->name;
    return result;
}

/* The cause and the remedy of every OAuth error are the outcome table's. */
int
check_token(struct check *check, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r = sf_identity(check->delivery->session, check->org_id, check->user_id, &call);

    (void)err;
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return stop(check, check_call_failed(check, &call));
    check->has |= NEEDS_TOKEN;
    return check_say(check, CHECK_OK, NULL, NULL,
                     "a token for execution user %s of org %s, by the flow %s", check->user_id,
                     check->org_id, check->fields->flow);
}

/* Which of two keys Salesforce takes, and how long the certificates hold. */
int
check_key(struct check *check, struct prov_error *err)
{
    static const char *const names[] = { "private_key", "private_key_next" };
    struct sf_login login;
    const char *name;
    int64_t end_us;
    char end[21];

    (void)err;
    sf_session_login(check->delivery->session, &login);
    if (!login.key_in_use)
        return check_say(check, CHECK_OK, NULL, NULL, "the flow %s signs nothing",
                         check->fields->flow);
    name = names[login.key_in_use - 1];
    end_us = login.key_expires_us[login.key_in_use - 1];
    if (!end_us)
        return check_say(check, CHECK_OK, NULL, NULL, "'%s' is the key in use", name);
    if (end_us - clock_now_us() > KEY_WARNING_US)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "'%s' is the key in use; its certificate holds until %s", name,
                         clock_format(end_us, end));
    return check_say(check, CHECK_WARNING,
                     "When the certificate has expired, Salesforce takes no assertion of this key.",
                     "Make a new key and certificate, name the key in private_key_next, and upload "
                     "the certificate to the app; both are tried, so the order does not matter.",
                     "'%s' is the key in use; its certificate holds until %s", name,
                     clock_format(end_us, end));
}

int
check_org(struct check *check, struct prov_error *err)
{
    AUTO_FREE char *pinned = NULL;
    struct store *store = check->delivery->store;
    struct prov_error why = PROV_ERROR_INIT;
    int r = store_exists(store) ? store_get_fact(store, "org_id", &pinned, &why) : PROV_OK;

    (void)err;
    if (r == PROV_E_NOMEM)
        return r;
    if (r) /* step `store` has told it */
        return check_say(check, CHECK_SKIPPED, NULL, NULL,
                         "not looked at, because of step 'store'");
    if (!pinned)
        return check_say(check, CHECK_OK, NULL, NULL, "the store is new, it will belong to org %s",
                         check->org_id);
    if (strcmp(pinned, check->org_id) == 0)
        return check_say(check, CHECK_OK, NULL, NULL, "%s, the org that the store belongs to",
                         pinned);
    return stop(check, check_say(check, CHECK_FAILED,
                                 "'domain_name' or the client was changed to another org.",
                                 "Name a new store for the new org, or put the old 'domain_name' "
                                 "back.",
                                 "the store belongs to org %s, the credentials lead to %s", pinned,
                                 check->org_id));
}

/* Answers of the data API tell it with a header (fact sheet 10). */
static int
say_deprecation(struct check *check)
{
    struct sf_usage usage;

    sf_session_usage(check->delivery->session, &usage);
    if (!usage.deprecation[0])
        return PROV_OK;
    return check_say(check, CHECK_WARNING,
                     "Salesforce retires this version of the API: one day it is not answered any "
                     "more, and nobody is provisioned.",
                     DEPRECATION_REMEDY, "of API version %s the org says: %s",
                     check->fields->api_version + 1, usage.deprecation);
}

/* The first call of the data API. It asks for what everybody may see: our own row. */
int
check_api(struct check *check, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct json_object *row;
    struct sf_call call = { 0 };
    char soql[100];
    int r;

    (void)err;
    snprintf(soql, sizeof(soql), "SELECT Username, Name FROM User WHERE Id = '%s'", check->user_id);
    r = sf_query(check->delivery->session, soql, SF_CAN_WAIT, &rows, &call);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return stop(check, check_call_failed(check, &call));
    check->has |= NEEDS_API;
    r = say_deprecation(check);
    if (r)
        return r;
    row = json_object_array_get_idx(rows, 0);
    if (!row)
        return check_say(check, CHECK_WARNING,
                         "The execution user does not see its own row: its view of users is "
                         "narrowed.",
                         "Give the integration user View All Users, or Manage Users.",
                         "the API answers, and does not show user %s", check->user_id);
    return check_say(check, CHECK_OK, NULL, NULL, "the API answers; the execution user is '%s'",
                     json_get_string(row, "Username") ? json_get_string(row, "Username")
                                                      : check->user_id);
}

/* A second store for this org is told by what it has made. */
int
check_twin(struct check *check, struct prov_error *err)
{
    AUTO_FREE char *seen = NULL;
    AUTO_FREE char *remedy = twin_remedy(check->delivery);
    struct prov_error why = PROV_ERROR_INIT;
    struct sf_call call = { 0 };
    int r = remedy ? twin_find(check->delivery, &seen, &call, &why) : PROV_E_NOMEM;

    (void)err;
    if (r == PROV_E_STORE)
        return check_say(check, CHECK_SKIPPED, NULL, NULL,
                         "not looked at, because of step 'store'");
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return check_call_failed(check, &call);
    if (seen)
        return check_say(check, CHECK_WARNING, twin_cause, remedy, "%s", seen);
    return check_say(check, CHECK_OK, NULL, NULL,
                     check->fields->correlation_field
                         ? "no account of another store was found"
                         : "no correlation_field: another store for this org would not be noticed");
}
