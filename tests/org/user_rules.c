/* The rules only users have: licence seats, allowed e-mail domains, and who cannot be deactivated. What all records have in
 * common is left to rules.c. */
#include "tests/org/rules.h"

#include <string.h>
#include <strings.h>

static const char *
license_of_profile(struct org *org, const char *profile_id)
{
    struct row *profile = profile_id ? org_find(org, "Profile", profile_id) : NULL;

    return profile ? js_get_text(profile->values, "UserLicenseId") : NULL;
}

/* Whether the row holds a seat of that licence now. */
static bool
holds_seat(struct row *row, const char *license_id)
{
    const char *held;

    if (!row || !js_get_flag(row->values, "IsActive", false))
        return false;
    held = license_of_profile(row->org, js_get_text(row->values, "ProfileId"));
    return held && strcmp(held, license_id) == 0;
}

/* 3.6: an active user takes a seat of the profile's licence, and a feature licence for each
 * feature that is on. */
static bool
check_licenses(struct examined *user)
{
    const char *license_id = license_of_profile(user->org, text_after(user, "ProfileId"));
    struct row *license = license_id ? org_find(user->org, "UserLicense", license_id) : NULL;
    const struct field_facts *field;

    if (!license || !js_get_flag(user->values, "IsActive", false))
        return true;
    if (!holds_seat(user->row, license_id) &&
        license_used(user->org, license_id) >= js_get_int(license->values, "TotalLicenses", 0))
        return refuse(user->refusal, 400, "LICENSE_LIMIT_EXCEEDED", "", "License Limit Exceeded");
    for (size_t i = 0; (field = org_field_at(user->org, &objects[OBJECT_USER], i)); i++) {
        if (!(field->flags & FIELD_FEATURE) || !js_get_flag(user->values, field->name, false) ||
            (user->row && js_get_flag(user->row->values, field->name, false)))
            continue;
        if (feature_used(user->org, field->name) >= user->org->settings.feature_seats)
            return refuse(user->refusal, 400, "LICENSE_LIMIT_EXCEEDED", "",
                          "License Limit Exceeded");
    }
    return true;
}

/* ---- 3.8: allowed e-mail domains ---- */

/* Of a new user, and of whoever is changed in anything, a deactivation too (help.salesforce.com 000187224,
 * users_email_domain_restrict); that a domain lets through none below it, and the text, are unsure. */
static bool
check_email_domain(struct examined *user)
{
    struct table *allowed = &user->org->tables[OBJECT_EMAIL_DOMAIN];
    const char *domain = strrchr(text_after(user, "Email"), '@') + 1;
    AUTO_TEXT struct text all = { 0 };

    for (size_t i = 0; i < allowed->count; i++) {
        const char *name = js_get_text(allowed->rows[i]->values, "Domain");
        if (allowed->rows[i]->deleted)
            continue;
        if (strcasecmp(name, domain) == 0)
            return true;
        text_addf(&all, "%s%s", all.length ? ", " : "", name);
    }
    if (!user->org->settings.email_allowlist || !all.length)
        return true;
    return refuse(user->refusal, 400, "INVALID_EMAIL_ADDRESS", "Email",
                  "Invalid Email Address: Must be in domain(s) %s", all.data);
}

/* ---- 3.7: who cannot be deactivated ---- */

/* What a user may be needed for in Setup. The words are those of the article, where there is one; that they come with
 * this code is unsure. */
static const struct {
    const char *what, *words;
} needs[] = {
    { "default_lead_owner", "You cannot deactivate this user. You cannot deactivate a user who is "
                            "the default owner of leads" },
    { "default_case_owner", "You cannot deactivate this user. You cannot deactivate a user who is "
                            "the default owner of cases" },                         /* 000384586 */
    { "default_workflow_user", "You cannot deactivate the Default Workflow User" }, /* 000384586 */
    { "web_to_lead_creator",
      "You cannot disable the Web to Lead Default Creator." }, /* 000384761 */
    { "case_rules",
      "You cannot deactivate this user. You cannot deactivate a user who is receiving "
      "cases or notifications as part of your case assignment/escalation rules. "
      "Click here to view your case assignment / escalation rules." }, /* 000383178 */
    { "portal_administrator",
      "You cannot deactivate a user who is a portal administrator" }, /* 000386638 */
    { "email_alert", "You cannot deactivate a user who is the only recipient of a workflow email "
                     "alert" }, /* unsure */
    { "approver",
      "You cannot deactivate a user who is an approver in an approval process" }, /* unsure */
};

bool
user_is_need(const char *what)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (strcmp(needs[i].what, what) == 0)
            return true;
    }
    return false;
}

static bool
check_needs(struct examined *user)
{
    const char *username = js_get_text(user->row->values, "Username");

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        const char *holder = js_get_text(user->org->needed, needs[i].what);
        if (holder && strcasecmp(holder, username) == 0)
            return refuse(user->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "", "%s",
                          needs[i].words);
    }
    return true;
}

/* Text as captured (000386275); the standard ManagerId keeps nobody. */
static bool
check_hierarchies(struct examined *user)
{
    struct table *users = &user->org->tables[OBJECT_USER];

    for (size_t i = 0; i < user->org->custom_count; i++) {
        const struct field_facts *field = &user->org->custom[i];
        for (size_t j = 0; field->flags & FIELD_HIERARCHY && j < users->count; j++) {
            const char *value = js_get_text(users->rows[j]->values, field->name);
            if (value && strcmp(value, user->row->id) == 0)
                return refuse(user->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "",
                              "Cannot complete this operation. Cannot inactivate user that is the "
                              "value of a hierarchy field: %s",
                              field->name);
        }
    }
    return true;
}

/* The enum has the code; that it is this one for the execution user is our choice. */
static bool
check_deactivation(struct examined *user)
{
    if (!user->row || js_get_flag(user->values, "IsActive", false))
        return true;
    if (strcmp(user->row->id, user->org->execution_user) != 0)
        return !js_get_flag(user->row->values, "IsActive", false) ||
               (check_needs(user) && check_hierarchies(user));
    return refuse(user->refusal, 400, "CANNOT_DISABLE_LAST_ADMIN", "IsActive",
                  "You can't deactivate the user this connection runs as");
}

bool
user_check(struct examined *user)
{
    return !object_is(user->facts, OBJECT_USER) ||
           (check_email_domain(user) && check_licenses(user) && check_deactivation(user));
}
