/* Steps of `check` about the object User, as its describe tells it to the execution user: what that user may
 * do, and whether the mapping's fields are there, can be written, and fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/delivery/check.h"
#include "plugin/delivery/org_facts.h"
#include "plugin/delivery/rights.h"
#include "schema/user_fields.h"

#define RIGHTS                                                                                     \
    "Give the integration user Manage Internal Users, View Setup and Configuration and API "       \
    "Enabled by a permission set."

/* Where the assignments are hidden, that itself says what is missing. */
static int
say_rights(struct check *check)
{
    AUTO_JSON struct json_object *given = NULL;
    struct sf_call call = { 0 };
    const char *missing;
    int r = rights_read(check->delivery->session, check->user_id, &given, &call);

    if (r)
        return r;
    if (call.outcome != SF_DELIVERED && !call.http_status)
        return check_call_failed(check, &call);
    if (call.outcome != SF_DELIVERED)
        return check_say(check, CHECK_WARNING,
                         "The execution user lacks View Setup and Configuration: profiles, roles "
                         "and licences may be hidden from it.",
                         RIGHTS, "its permission sets cannot be read: %s", call.code);
    missing = rights_missing(given);
    if (missing)
        return check_say(check, CHECK_WARNING,
                         "None of the permission sets of the execution user, its profile's among "
                         "them, gives this right; a permission set group may.",
                         RIGHTS, "the execution user has not '%s'", missing);
    return check_say(check, CHECK_OK, NULL, NULL,
                     "the execution user may create and change users, and see the setup");
}

int
check_permissions(struct check *check, struct prov_error *err)
{
    struct sf_call call = { 0 };
    int r = sf_describe(check->delivery->session, "User", &check->describe, &call);

    (void)err;
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED) {
        r = check_call_failed(check, &call);
        check->stopped_by = check->name;
        return r;
    }
    check->has |= NEEDS_USER;
    if (!json_get_bool(check->describe, "createable", true) ||
        !json_get_bool(check->describe, "updateable", true))
        return check_say(check, CHECK_FAILED,
                         "The execution user may not create or change users: it lacks Manage "
                         "Internal Users.",
                         RIGHTS, "the describe of User says: createable %s, updateable %s",
                         json_get_bool(check->describe, "createable", true) ? "yes" : "no",
                         json_get_bool(check->describe, "updateable", true) ? "yes" : "no");
    return say_rights(check);
}

/* ---- the mapping's fields ---- */

static int
say_missing(struct check *check, const char *field)
{
    AUTO_JSON struct json_object *names = org_facts_names(check->describe);
    char nearest[300];

    if (!names)
        return PROV_E_NOMEM;
    org_facts_nearest(nearest, sizeof(nearest), names, field);
    return check_say(check, CHECK_FAILED,
                     "The field is not in the org, or field-level security hides it from the "
                     "execution user.",
                     "Correct the name in the mapping (custom fields end in __c), or let the "
                     "integration user see it: Setup > Object Manager > User > Fields > Set "
                     "Field-Level Security.",
                     "User has no field '%s'%s", field, nearest);
}

static bool
is_text(const char *type)
{
    static const char *const types[] = { "string", "textarea", "email",    "phone",
                                         "url",    "picklist", "combobox", "encryptedstring" };

    for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0)
            return true;
    }
    return false;
}

/* A custom field whose kind the mapping says, and the org another. NULL: they agree, as far as is known. */
static const char *
other_kind(const struct mapping_target *target, const char *type)
{
    static const struct {
        int kind;
        const char *type;
    } kinds[] = {
        { USER_FIELD_BOOLEAN, "boolean" },   { USER_FIELD_DATE, "date" },
        { USER_FIELD_DATETIME, "datetime" }, { USER_FIELD_MULTI_PICKLIST, "multipicklist" },
        { USER_FIELD_PICKLIST, "picklist" }, { USER_FIELD_CURRENCY, "currency" },
        { USER_FIELD_PERCENT, "percent" }
    };

    if (target->fact || target->kind == USER_FIELD_ANY || !type)
        return NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].kind == target->kind)
            return strcmp(kinds[i].type, type) == 0 ? NULL : kinds[i].type;
    }
    if (target->kind == USER_FIELD_NUMBER)
        return strcmp(type, "double") == 0 || strcmp(type, "int") == 0 ? NULL : "number";
    return target->kind == USER_FIELD_STRING && !is_text(type) ? "text" : NULL;
}

static int
check_target(struct check *check, const struct mapping_target *target, size_t *ret_faults)
{
    struct json_object *field = org_facts_described(check->describe, target->field);
    size_t length = (size_t)json_get_int(field, "length", 0);
    size_t precision = (size_t)json_get_int(field, "precision", 0);
    size_t scale = (size_t)json_get_int(field, "scale", 0);
    const char *type = json_get_string(field, "type"), *said;

    ++*ret_faults;
    if (!field)
        return say_missing(check, target->field);
    if (!json_get_bool(field, "createable", true) ||
        (!target->create_only && !json_get_bool(field, "updateable", true)))
        return check_say(
            check, CHECK_FAILED,
            "The field is read-only for the execution user; users for whom it is sent are "
            "parked.",
            "Give the integration user edit access to it in field-level security, or "
            "take it out of the mapping.",
            "field '%s' cannot be written", target->field);
    if ((said = other_kind(target, type)))
        return check_say(
            check, CHECK_FAILED, "The mapping and the org disagree on the field's kind.",
            "Correct 'kind' in the mapping rule of the field.",
            "field '%s' is a %s in the org, and a %s in the mapping", target->field, type, said);
    if (length && target->max_characters > length && is_text(type))
        return check_say(check, CHECK_WARNING,
                         "The mapping lets through longer values than the field holds; users who "
                         "have one are parked.",
                         "Give the rule this \"length\", and \"too_long\":\"truncate\" if values "
                         "may be cut.",
                         "field '%s' holds %zu characters, the mapping up to %zu", target->field,
                         length, target->max_characters);
    if (precision && target->max_digits > precision - scale)
        return check_say(check, CHECK_WARNING,
                         "The mapping lets through larger numbers than the field holds; users who "
                         "have one are parked.",
                         "Give the rule the \"precision\" and \"scale\" of the field: then who has "
                         "a larger number is told before it is sent.",
                         "field '%s' holds %zu digits before the point, the mapping up to %zu",
                         target->field, precision - scale, target->max_digits);
    --*ret_faults;
    return PROV_OK;
}

/* Fields that a new user must have, and that nobody fills. */
static int
check_required(struct check *check, size_t *ret_faults)
{
    struct json_object *fields = json_get(check->describe, "fields");
    const char *correlation = check->fields->correlation_field;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        const char *name = json_get_string(field, "name");
        const struct user_field *fact = name ? user_field_find(name) : NULL;
        if (!name || !json_get_bool(field, "createable", false) ||
            json_get_bool(field, "nillable", true) ||
            json_get_bool(field, "defaultedOnCreate", false) || (fact && fact->ours) ||
            mapping_has(check->fields->mapping, name) ||
            ascii_compare(name, "ProfileId") == 0 || /* the field `profile` */
            (correlation && ascii_compare(correlation, name) == 0))
            continue;
        ++*ret_faults;
        r = check_say(check, CHECK_FAILED,
                      "The org requires the field of a new user, and the mapping does not fill it: "
                      "no user can be created.",
                      "Add a rule for it to the mapping, with a \"default\" for who has no value; "
                      "or make the field optional in Setup.",
                      "field '%s' is required", name);
    }
    return r;
}

/* The mapping's field of this name; false: it writes none. */
static bool
target_named(const struct mapping *mapping, const char *field, struct mapping_target *ret)
{
    for (size_t i = 0; mapping_target_at(mapping, i, ret); i++) {
        if (ascii_compare(ret->field, field) == 0)
            return true;
    }
    return false;
}

/* An org with State and Country/Territory picklists has the field of the code too. What fills the name is left to who
 * has written a rule for it; the default rules give it what the host sends, and that is a code (RFC 7643, 4.1.2). */
static bool
fills_name(const struct check *check, const char *name, const char *code)
{
    struct mapping_target target;

    return org_facts_described(check->describe, code) &&
           target_named(check->fields->mapping, name, &target) &&
           (target.by_default || mapping_has(check->fields->mapping, code));
}

static int
check_places(struct check *check, size_t *ret_faults)
{
    bool country = fills_name(check, "Country", "CountryCode");
    bool state = fills_name(check, "State", "StateCode");

    if (!country && !state)
        return PROV_OK;
    ++*ret_faults;
    return check_say(
        check, CHECK_WARNING,
        "There, Country and State take names as the org's lists have them, and "
        "nothing else: a user whose country comes as 'DE', as SCIM has it, is parked.",
        "Map CountryCode and StateCode, and take Country and State out: docs/mapping.md "
        "has the rules. If the identity server sends the names of the lists, give "
        "Country and State rules that say so.",
        "the org has State and Country/Territory picklists, and the mapping fills "
        "%s%s%s",
        country ? "Country" : "", country && state ? " and " : "", state ? "State" : "");
}

int
check_mapping(struct check *check, struct prov_error *err)
{
    struct mapping_target target;
    size_t faults = 0, count = 0;
    int r = PROV_OK;

    (void)err;
    for (; !r && mapping_target_at(check->fields->mapping, count, &target); count++)
        r = check_target(check, &target, &faults);
    if (!r)
        r = check_required(check, &faults);
    if (!r)
        r = check_places(check, &faults);
    if (r || faults)
        return r;
    return check_say(check, CHECK_OK, NULL, NULL,
                     "all %zu fields that the mapping writes are there, writable, and long enough",
                     count);
}

/* ---- picklists ---- */

static int
check_value(struct check *check, const char *field, const char *from, const char *value,
            size_t *ret_faults)
{
    struct json_object *there = org_facts_described(check->describe, field);
    AUTO_JSON struct json_object *values = NULL;
    char nearest[300];
    int r;

    if (!there || !json_get_bool(there, "restrictedPicklist", false))
        return PROV_OK;
    r = org_facts_choices(there, &values);
    if (r || org_facts_is_choice(values, value))
        return r;
    ++*ret_faults;
    org_facts_nearest(nearest, sizeof(nearest), values, value);
    return check_say(
        check, CHECK_FAILED,
        "The value is not in the list that Salesforce allows; users who get it are "
        "parked.",
        "Use one of the list: Setup > Company Information shows locales, languages and "
        "time zones; else Setup > Object Manager > User > Fields.",
        "%s: '%s' is no value of %s%s", from, value, field, nearest);
}

int
check_picklists(struct check *check, struct prov_error *err)
{
    const struct fields *fields = check->fields;
    const struct {
        const char *field, *from, *value;
    } fixed[] = { { "TimeZoneSidKey", "time_zone", fields->time_zone },
                  { "LocaleSidKey", "locale", fields->locale },
                  { "LanguageLocaleKey", "language", fields->language },
                  { "EmailEncodingKey", "email_encoding", fields->email_encoding } };
    struct mapping_target target;
    size_t faults = 0;
    int r = PROV_OK;

    (void)err;
    for (size_t i = 0; !r && i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (fixed[i].value)
            r = check_value(check, fixed[i].field, fixed[i].from, fixed[i].value, &faults);
    }
    for (size_t i = 0; !r && mapping_target_at(fields->mapping, i, &target); i++) {
        AUTO_JSON struct json_object *named = NULL;
        r = check_named_values(fields, target.field, &named);
        if (r)
            return r;
        json_object_object_foreach(named, value, ignored)
        {
            (void)ignored;
            r = r ? r : check_value(check, target.field, "mapping", value, &faults);
        }
    }
    if (r || faults)
        return r;
    return check_say(check, CHECK_OK, NULL, NULL,
                     "time zone, locale, language, encoding and the values that the mapping names "
                     "are in the org's lists");
}
