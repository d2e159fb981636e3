/* Which writes of a User an org takes, and with which words it refuses the others. The order of
 * the rules is that of 11.1 item 5 (unsure in reality): unknown field, read-only field, JSON type,
 * required, length, picklist, references, form of username and e-mail, duplicates, licence. The
 * first rule that fails answers; whether Salesforce ever reports several is unsure (section 12).
 * What a write then does is left to user_write.c. */
#include "tests/org/org.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/json_read.h"

/* One record under examination. */
struct examined {
    struct org *org;
    struct row *row;            /* NULL: create */
    struct json_object *record; /* as sent */
    struct json_object *values; /* as the row will be */
    struct refusal *refusal;
};

/* Members of a record that are not fields. Id is looked at by the caller: the path or the
 * Collections record names it. */
static bool
is_envelope(const char *name)
{
    return strcmp(name, "attributes") == 0;
}

static bool
is_id(const char *name)
{
    return strcasecmp(name, "Id") == 0;
}

static const struct field_facts *
user_field(struct org *org, const char *name)
{
    return org_field(org, &objects[OBJECT_USER], name);
}

static bool
is_text_kind(enum field_kind kind)
{
    return kind != KIND_BOOLEAN && kind != KIND_INT && kind != KIND_ADDRESS;
}

/* What the field will hold: what was sent, else what the row has. */
static const char *
text_after(struct examined *user, const char *name)
{
    return js_get_text(user->values, name);
}

/* ---- reading the record: faults here refuse a whole Collections call ---- */

static bool
refuse_type(const struct field_facts *field, struct json_object *value, struct refusal *refusal)
{
    char place[48];
    const char *kind = field_kind_name(field->kind);

    json_read_place(value, place);
    switch (json_object_get_type(value)) {
    case json_type_array:
        return refuse(refusal, 400, "JSON_PARSER_ERROR", NULL,
                      "Cannot deserialize instance of %s from START_ARRAY value %s", kind, place);
    case json_type_object:
        return refuse(refusal, 400, "JSON_PARSER_ERROR", NULL,
                      "Cannot deserialize instance of %s from START_OBJECT value %s", kind, place);
    default:
        break;
    }
    return refuse(refusal, 400, "JSON_PARSER_ERROR", NULL,
                  "Cannot deserialize instance of %s from VALUE_%s value %s or request may be "
                  "missing a required field at %s",
                  kind,
                  json_object_is_type(value, json_type_string)    ? "STRING"
                  : json_object_is_type(value, json_type_boolean) ? "BOOLEAN"
                  : json_object_is_type(value, json_type_int)     ? "NUMBER_INT"
                  : json_object_is_type(value, json_type_double)  ? "NUMBER_FLOAT"
                                                                  : "NULL",
                  value ? json_object_get_string(value) : "null", place);
}

/* 2.1: strings are strings and booleans are booleans. That a number is refused for a string, and
 * null for a boolean, is unsure. */
static bool
check_type(const struct field_facts *field, struct json_object *value, struct refusal *refusal)
{
    bool right;

    if (field->kind == KIND_BOOLEAN)
        right = json_object_is_type(value, json_type_boolean);
    else if (field->kind == KIND_INT)
        right = !value || json_object_is_type(value, json_type_int);
    else if (field->kind == KIND_ADDRESS)
        right = !value || json_object_is_type(value, json_type_object);
    else
        right = !value || json_object_is_type(value, json_type_string);
    return right || refuse_type(field, value, refusal);
}

static bool
check_known(struct org *org, struct json_object *record, struct refusal *refusal)
{
    json_object_object_foreach(record, name, value)
    {
        (void)value;
        if (!is_envelope(name) && !user_field(org, name))
            return refuse(refusal, 400, "INVALID_FIELD", NULL,
                          "No such column '%s' on sobject of type User", name);
    }
    return true;
}

/* Names differ in letter case only: one field twice (2.1; the code is unsure). */
static bool
check_once(struct json_object *record, struct refusal *refusal)
{
    json_object_object_foreach(record, name, value)
    {
        bool seen = false;
        (void)value;
        json_object_object_foreach(record, other, other_value)
        {
            (void)other_value;
            if (strcasecmp(name, other) != 0)
                continue;
            if (seen)
                return refuse(refusal, 400, "INVALID_FIELD", NULL, "Duplicate field '%s'", other);
            seen = true;
        }
    }
    return true;
}

static bool
check_types(struct org *org, struct json_object *record, struct refusal *refusal)
{
    json_object_object_foreach(record, name, value)
    {
        const struct field_facts *field = is_envelope(name) ? NULL : user_field(org, name);
        if (field && !check_type(field, value, refusal))
            return false;
    }
    return true;
}

bool
user_read_check(struct org *org, struct json_object *record, struct refusal *refusal)
{
    return check_known(org, record, refusal) && check_once(record, refusal) &&
           check_types(org, record, refusal);
}

/* ---- the rules of one record ---- */

static void
add_name(struct text *names, const char *separator, const char *name)
{
    text_addf(names, "%s%s", names->length ? separator : "", name);
}

/* 6.2: all read-only fields in one message. */
static bool
check_writable(struct examined *user)
{
    AUTO_TEXT struct text shown = { 0 };
    AUTO_TEXT struct text listed = { 0 };
    unsigned needed = user->row ? FIELD_UPDATE : FIELD_CREATE;

    json_object_object_foreach(user->record, name, value)
    {
        const struct field_facts *field = user_field(user->org, name);
        (void)value;
        if (!field || is_envelope(name) || is_id(name) || field->flags & needed)
            continue;
        add_name(&shown, ", ", field->name);
        add_name(&listed, ",", field->name);
    }
    if (!shown.length)
        return true;
    return refuse(user->refusal, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", listed.data,
                  "Unable to create/update fields: %s. Please check the security settings of this "
                  "field and verify that it is read/write for your profile or permission set.",
                  shown.data);
}

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* The record's fields over the row's: null and "" clear a field (2.5). That white space alone
 * counts as empty is unsure. */
static void
merge(struct examined *user)
{
    json_object_object_foreach(user->record, name, value)
    {
        const struct field_facts *field =
            is_envelope(name) || is_id(name) ? NULL : user_field(user->org, name);
        if (!field)
            continue;
        if (!value || (is_text_kind(field->kind) && is_blank(json_object_get_string(value))))
            json_object_object_del(user->values, field->name);
        else
            js_put(user->values, field->name, js_scalar_copy(value));
    }
}

/* 3.2: all missing ones in one message. On update only a field that was sent can be missing. */
static bool
check_required(struct examined *user)
{
    AUTO_TEXT struct text shown = { 0 };
    AUTO_TEXT struct text listed = { 0 };
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(user->org, &objects[OBJECT_USER], i)); i++) {
        bool needed = field->flags & FIELD_REQUIRED ||
                      (user->row && strcmp(field->name, "CommunityNickname") == 0);
        if (!needed || js_get(user->values, field->name))
            continue;
        add_name(&shown, ", ", field->name);
        add_name(&listed, ",", field->name);
    }
    if (!shown.length)
        return true;
    return refuse(user->refusal, 400, "REQUIRED_FIELD_MISSING", listed.data,
                  "Required fields are missing: [%s]", shown.data);
}

/* 3.3. Counted in UTF-16 units, the larger count (unsure). */
static bool
check_length(struct examined *user, const struct field_facts *field, const char *value)
{
    if (field->kind == KIND_REFERENCE || field->kind == KIND_PICKLIST || field->length == 0 ||
        text_units(value) <= (size_t)field->length)
        return true;
    return refuse(user->refusal, 400, "STRING_TOO_LONG", field->name,
                  "%s: data value too large: %s (max length=%d)", field->label, value,
                  field->length);
}

/* 3.4. Values are compared as they are written (unsure). */
static bool
check_picklist(struct examined *user, const struct field_facts *field, const char *value)
{
    if (field->kind != KIND_PICKLIST || !(field->flags & FIELD_RESTRICTED))
        return true;
    for (const char *const *known = field->values; *known; known++) {
        if (strcmp(*known, value) == 0)
            return true;
    }
    return refuse(user->refusal, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
                  "%s: bad value for restricted picklist field: %s", field->label, value);
}

/* Each manager's manager, until none, or the user again: loops are refused (3.3; code and text
 * unsure, the code is a member of the enum in 6.2). */
static bool
check_manager(struct examined *user, const char *manager_id)
{
    struct row *at = org_find(user->org, "User", manager_id);

    for (size_t steps = 0; user->row && at && steps <= user->org->tables[OBJECT_USER].count;
         steps++) {
        const char *next = js_get_text(at->values, "ManagerId");
        if (at == user->row)
            return refuse(user->refusal, 400, "CIRCULAR_DEPENDENCY", "ManagerId",
                          "Manager ID: a user cannot be their own manager, directly or through "
                          "others");
        at = next ? org_find(user->org, "User", next) : NULL;
    }
    return true;
}

/* 6.2: MALFORMED_ID for another object's id, INVALID_CROSS_REFERENCE_KEY for one that is not
 * there. The row then holds the 18-character form (2.5). */
static bool
check_reference(struct examined *user, const struct field_facts *field, const char *value)
{
    struct table *target = org_table(user->org, field->target);
    char id[ID_SIZE];

    if (!id_normalise(value, id) || (target && strncmp(id, target->facts->prefix, 3) != 0))
        return refuse(user->refusal, 400, "MALFORMED_ID", field->name,
                      "%s: id value of incorrect type: %s", field->label, value);
    if (!target || !table_find(target, id))
        return refuse(user->refusal, 400, "INVALID_CROSS_REFERENCE_KEY", field->name,
                      "invalid cross reference id");
    js_put_text(user->values, field->name, id);
    return strcmp(field->name, "ManagerId") != 0 || check_manager(user, id);
}

static bool
local_part_shaped(const char *text, size_t length, const char *more)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "!#$%&'*+/=?^_`{|}~-.";

    if (length == 0 || text[0] == '.' || text[length - 1] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!strchr(plain, text[i]) && !strchr(more, text[i]))
            return false;
        if (text[i] == '.' && text[i + 1] == '.')
            return false;
    }
    return true;
}

/* Labels of letters, digits and inner hyphens; at least two of them. */
static bool
domain_shaped(const char *text)
{
    size_t labels = 0, length;

    for (;; text += length + 1) {
        length = strcspn(text, ".");
        if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
            return false;
        if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") <
            length)
            return false;
        labels++;
        if (!text[length])
            return labels >= 2;
    }
}

bool
email_shaped(const char *text)
{
    const char *at = strrchr(text, '@');

    return at && at - text <= 64 && local_part_shaped(text, (size_t)(at - text), "") &&
           domain_shaped(at + 1);
}

/* 3.5: loosely checked, several '@' pass. That the domain needs a dot and the rest ASCII is the
 * strict reading (unsure). */
bool
username_shaped(const char *text)
{
    const char *at = strrchr(text, '@');

    return at && local_part_shaped(text, (size_t)(at - text), "@") && text[0] != '@' &&
           domain_shaped(at + 1);
}

/* 3.5 gives the username's text (its code is unsure), 6.2 the e-mail's (text unsure). */
static bool
check_form(struct examined *user, const struct field_facts *field, const char *value)
{
    if (strcmp(field->name, "Username") == 0 && !username_shaped(value))
        return refuse(user->refusal, 400, "INVALID_EMAIL_ADDRESS", "Username",
                      "Username must be in the form of an email address (for example, "
                      "john@acme.com)");
    if (field->kind == KIND_EMAIL && !email_shaped(value))
        return refuse(user->refusal, 400, "INVALID_EMAIL_ADDRESS", field->name,
                      "%s: invalid email address: %s", field->label, value);
    return true;
}

/* 3.5 and 6.2, texts as captured: the <br> and the trailing space are Salesforce's. */
static bool
check_duplicate(struct examined *user, const struct field_facts *field, const char *value)
{
    bool is_username = strcmp(field->name, "Username") == 0;
    struct row *holder =
        is_username || field->flags & FIELD_UNIQUE ? rows_holder(user->org, field, value) : NULL;

    if (!holder || holder == user->row)
        return true;
    if (is_username)
        return refuse(user->refusal, 400, "DUPLICATE_USERNAME", "Username",
                      "Duplicate Username.<br>The username already exists in this or another "
                      "Salesforce organization. Usernames must be unique across all Salesforce "
                      "organizations. To resolve, use a different username (it doesn't need to "
                      "match the user's email address). ");
    if (strcmp(field->name, "CommunityNickname") == 0)
        return refuse(user->refusal, 400, "DUPLICATE_COMM_NICKNAME", "CommunityNickname",
                      "Duplicate Nickname.<br>Another user has already selected this "
                      "nickname.<br>Please select another.");
    /* the 15-character id is what captures show; for FederationIdentifier the code is unsure */
    return refuse(user->refusal, 400, "DUPLICATE_VALUE", "",
                  "duplicate value found: %s duplicates value on record with id: %.15s",
                  field->name, holder->id);
}

typedef bool (*field_rule)(struct examined *user, const struct field_facts *field,
                           const char *value);

/* One rule over all fields that were sent and hold text. */
static bool
check_sent(struct examined *user, field_rule rule)
{
    json_object_object_foreach(user->record, name, value)
    {
        const struct field_facts *field =
            is_envelope(name) || is_id(name) ? NULL : user_field(user->org, name);
        const char *text = field ? text_after(user, field->name) : NULL;
        (void)value;
        if (text && !rule(user, field, text))
            return false;
    }
    return true;
}

static bool
check_only_references(struct examined *user, const struct field_facts *field, const char *value)
{
    return field->kind != KIND_REFERENCE || check_reference(user, field, value);
}

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

/* 2.5: Id in a body is refused (text unsure). */
static bool
check_no_id(struct examined *user)
{
    return refuse(user->refusal, 400, "INVALID_FIELD", NULL,
                  "The Id field should not be specified in the sobject data.");
}

bool
user_check(struct org *org, struct row *row, struct json_object *record,
           struct json_object **ret_values, struct refusal *refusal)
{
    AUTO_JS struct json_object *values = row ? js_members_copy(row->values) : js_object();
    struct examined user = { org, row, record, values, refusal };

    if (!check_known(org, record, refusal) || !check_once(record, refusal) ||
        !check_writable(&user) || !check_types(org, record, refusal))
        return false;
    if (js_get_nocase(record, "Id") && !row)
        return check_no_id(&user);
    if (!row) /* 3.3: default true is unsure */
        js_put_flag(values, "IsActive", true);
    merge(&user);
    if (!check_required(&user) || !check_sent(&user, check_length) ||
        !check_sent(&user, check_picklist) || !check_sent(&user, check_only_references) ||
        !check_sent(&user, check_form) || !check_sent(&user, check_duplicate) ||
        !check_licenses(&user) || !check_deactivation(&user))
        return false;
    *ret_values = STEAL(values);
    return true;
}
