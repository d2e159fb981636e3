/* The rules only users have: licence seats, and who cannot be deactivated. What all records have in
 * common is left to rules.c. */
#include "tests/org/rules.h"

#include <string.h>

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

/* 3.7: the enum has the code; that it is this one for the execution user is our choice. */
static bool
check_deactivation(struct examined *user)
{
    if (!user->row || strcmp(user->row->id, user->org->execution_user) != 0 ||
        js_get_flag(user->values, "IsActive", false))
        return true;
    return refuse(user->refusal, 400, "CANNOT_DISABLE_LAST_ADMIN", "IsActive",
                  "You can't deactivate the user this connection runs as");
}

bool
user_check(struct examined *user)
{
    return !object_is(user->facts, OBJECT_USER) ||
           (check_licenses(user) && check_deactivation(user));
}
