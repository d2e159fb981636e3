/* Test connection: named steps, each ok, warning, failed or skipped, with what was seen, the cause
 * and what to do. Changes nothing, in the org or in the store. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"

#define KEY_WARNING_US (30 * 24 * 3600 * CLOCK_SECOND_US)

struct check {
    struct delivery *delivery;
    struct json_object *steps;
    bool failed;
};

static int
step(struct check *check, const char *name, const char *status, const char *seen, const char *cause,
     const char *remedy)
{
    struct json_object *row = json_object_new_object();

    if (!row || json_object_array_add(check->steps, row) != 0) {
        json_object_put(row);
        return PROV_E_NOMEM;
    }
    if (strcmp(status, "failed") == 0)
        check->failed = true;
    if (json_put_string(row, "name", name) || json_put_string(row, "status", status) ||
        json_put_string(row, "seen", seen) || json_put_string(row, "cause", cause) ||
        json_put_string(row, "remedy", remedy))
        return PROV_E_NOMEM;
    return PROV_OK;
}

/* A step that failed because a call did. */
static int
step_call(struct check *check, const char *name, const struct sf_call *call)
{
    char seen[700];

    snprintf(seen, sizeof(seen), "%s%s%s", call->code, call->code[0] ? ": " : "", call->message);
    return step(check, name, "failed", seen, call->cause, call->remedy);
}

static int
skip(struct check *check, const char *name)
{
    return step(check, name, "skipped", "a step before it failed", NULL, NULL);
}

static int
check_fields(struct check *check, struct json_object *warnings)
{
    size_t count = warnings ? json_object_array_length(warnings) : 0;
    int r = PROV_OK;

    if (count == 0)
        return step(check, "fields", "ok", "all connector fields are valid", NULL, NULL);
    for (size_t i = 0; !r && i < count; i++) {
        struct json_object *warning = json_object_array_get_idx(warnings, i);
        char seen[300];
        snprintf(seen, sizeof(seen), "field '%s'", json_get_string(warning, "field"));
        r = step(check, "fields", "warning", seen, json_get_string(warning, "reason"),
                 json_get_string(warning, "remedy"));
    }
    return r;
}

static int
check_token(struct check *check, char org_id[SF_ID_SIZE], bool *ret_ok)
{
    struct delivery *d = check->delivery;
    char user_id[SF_ID_SIZE], seen[200];
    struct sf_call call = { 0 };
    int r;

    *ret_ok = false;
    sf_session_forget_token(d->session);
    r = sf_identity(d->session, org_id, user_id, &call);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return step_call(check, "token", &call);
    *ret_ok = true;
    snprintf(seen, sizeof(seen), "a token for execution user %s of org %s, by the flow %s", user_id,
             org_id, d->fields->flow);
    return step(check, "token", "ok", seen, NULL, NULL);
}

/* Which of two keys Salesforce takes, and how long the certificates hold. */
static int
check_key(struct check *check)
{
    static const char *const names[] = { "private_key", "private_key_next" };
    struct sf_login login;
    char seen[200], end[21];
    int64_t left_us;

    sf_session_login(check->delivery->session, &login);
    if (!login.key_in_use)
        return PROV_OK;
    left_us = login.key_expires_us[login.key_in_use - 1];
    if (!left_us) {
        snprintf(seen, sizeof(seen), "'%s' is the key in use", names[login.key_in_use - 1]);
        return step(check, "key", "ok", seen, NULL, NULL);
    }
    snprintf(seen, sizeof(seen), "'%s' is the key in use; its certificate holds until %s",
             names[login.key_in_use - 1], clock_format(left_us, end));
    if (left_us - clock_now_us() > KEY_WARNING_US)
        return step(check, "key", "ok", seen, NULL, NULL);
    return step(check, "key", "warning", seen,
                "when the certificate has expired, Salesforce takes no assertion of this key",
                "make a new key and certificate, name the key in private_key_next, and upload the "
                "certificate to the app; both are tried, so the order does not matter");
}

static int
check_store(struct check *check)
{
    struct prov_error why = PROV_ERROR_INIT;
    const char *path = store_path(check->delivery->store);
    int r = store_check_place(check->delivery->store, &why);

    if (r == PROV_E_NOMEM)
        return r;
    if (r)
        return step(check, "store", "failed", why.text, "nothing can be accepted without the store",
                    "see the message; or name another path in the field `store`");
    return step(check, "store", "ok", path, NULL, NULL);
}

static int
check_org(struct check *check, const char *org_id, struct prov_error *err)
{
    AUTO_FREE char *pinned = NULL;
    char seen[300];
    /* a store that is not there yet is not made by a look */
    int r = store_exists(check->delivery->store)
                ? store_get_fact(check->delivery->store, "org_id", &pinned, err)
                : PROV_OK;

    if (r == PROV_E_STORE)
        return step(check, "store", "failed", err->text, "the store cannot be used",
                    "see the message");
    if (r)
        return r;
    if (!pinned)
        return step(check, "org", "ok", "the store is new, it will belong to this org", NULL, NULL);
    if (strcmp(pinned, org_id) == 0)
        return step(check, "org", "ok", "the org that the store belongs to", NULL, NULL);
    snprintf(seen, sizeof(seen), "the store belongs to org %s, the credentials lead to %s", pinned,
             org_id);
    return step(check, "org", "failed", seen,
                "domain_name or the client was changed to another org",
                "name a new store for the new org, or put the old domain_name back");
}

/* A second store for this org is told by what it has made. */
static int
check_twin(struct check *check, struct prov_error *err)
{
    AUTO_FREE char *seen = NULL;
    AUTO_FREE char *remedy = twin_remedy(check->delivery);
    struct sf_call call = { 0 };
    int r = remedy ? twin_find(check->delivery, &seen, &call, err) : error_nomem(err);

    if (r == PROV_E_STORE)
        return step(check, "store", "failed", err->text, "the store cannot be used",
                    "see the message");
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return step_call(check, "correlation", &call);
    return seen ? step(check, "store", "warning", seen, twin_cause, remedy) : PROV_OK;
}

static int
check_version(struct check *check)
{
    struct delivery *d = check->delivery;
    AUTO_JSON struct json_object *versions = NULL;
    struct sf_call call = { 0 };
    const char *wanted = d->fields->api_version + 1, *newest = NULL;
    char seen[200];
    bool offered = false;
    int r = sf_versions(d->session, &versions, &call);

    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return step_call(check, "version", &call);
    for (size_t i = 0; i < json_object_array_length(versions); i++) {
        newest = json_get_string(json_object_array_get_idx(versions, i), "version");
        offered = offered || (newest && strcmp(newest, wanted) == 0);
    }
    snprintf(seen, sizeof(seen), "API version %s; the org offers up to %s", wanted,
             newest ? newest : "none");
    if (offered)
        return step(check, "version", "ok", seen, NULL, NULL);
    return step(check, "version", "failed", seen, "the org does not offer the version api_version",
                "set api_version to one the org offers");
}

static int
check_profile(struct check *check, struct prov_error *err)
{
    struct delivery *d = check->delivery;
    struct org_profile profile;
    struct sf_call call = { 0 };
    char seen[200];
    int r = org_find_profile(d, &profile, &call, err);

    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return step_call(check, "profile", &call);
    if (!profile.id[0])
        return step(check, "profile", "failed", profile.fault,
                    "the field `profile` names none of the org's profiles",
                    "correct the field `profile`, or create the profile");
    snprintf(seen, sizeof(seen), "profile '%s' is %s", d->fields->profile, profile.id);
    return step(check, "profile", "ok", seen, NULL, NULL);
}

/* One username from the pattern, so that the admin sees what will be sent. */
static int
check_username(struct check *check)
{
    const struct fields *fields = check->delivery->fields;
    struct pattern_user user = { .entity_name = "jane.doe",
                                 .user_domain = fields->user_domain,
                                 .tenant_domain = fields->tenant_domain,
                                 .identity_provider = fields->identity_provider };
    struct prov_error why = PROV_ERROR_INIT;
    char username[PATTERN_MAX_BYTES], seen[PATTERN_MAX_BYTES + 100];

    if (pattern_render(fields->pattern, &user, username, sizeof(username), NULL, &why))
        return step(check, "username", "failed", why.text, "the pattern gives no username",
                    "correct provisioning_pattern");
    snprintf(seen, sizeof(seen), "host user 'jane.doe' becomes '%s'", username);
    if (username_check(username, &why) == PROV_OK)
        return step(check, "username", "ok", seen, NULL, NULL);
    if (fields->provisioning_domain)
        return step(check, "username", "failed", seen, why.text,
                    "correct provisioning_pattern, provisioning_separator or identity_provider");
    return step(check, "username", "warning", seen, why.text,
                "set provisioning_domain, unless the host's user names are e-mail addresses");
}

static int
run(struct check *check, struct json_object *warnings, struct prov_error *err)
{
    char org_id[SF_ID_SIZE] = "";
    bool ok = false;
    int r = check_fields(check, warnings);

    if (!r)
        r = check_store(check);
    if (!r)
        r = step(check, "address", "ok", check->delivery->fields->domain_name, NULL, NULL);
    if (!r)
        r = check_token(check, org_id, &ok);
    if (!r && ok)
        r = check_key(check);
    if (!r)
        r = ok ? check_org(check, org_id, err) : skip(check, "org");
    if (!r && ok)
        r = check_twin(check, err);
    if (!r)
        r = check_version(check);
    if (!r)
        r = ok ? check_profile(check, err) : skip(check, "profile");
    return r ? r : check_username(check);
}

int
delivery_check(struct delivery *d, struct json_object *field_warnings, struct json_object **ret,
               struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct check check = { .delivery = d, .steps = json_object_new_array() };
    int r;

    if (!result || !check.steps || json_put(result, "steps", check.steps))
        return error_nomem(err);
    /* without delivery->lock: nobody waits here for a call that the worker is in */
    r = run(&check, field_warnings, err);
    if (r)
        return r == PROV_E_NOMEM ? error_nomem(err) : r;
    if (json_put_bool(result, "ok", !check.failed))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}
