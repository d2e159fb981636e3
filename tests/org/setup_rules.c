/* The rules of objects other than User (2.9, 5.1, 5.3, section 9), with the values they have by
 * default: what cannot be assigned, frozen or deleted. Texts and codes that no public source gives
 * are marked unsure; most are, and then the stricter reading was taken. */
#include "tests/org/rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void
put_default(struct examined *examined, const char *name, const char *value)
{
    if (!examined->row && !js_get(examined->values, name))
        js_put_text(examined->values, name, value);
}

static struct row *
row_after(struct examined *examined, const char *field, const char *object)
{
    const char *id = text_after(examined, field);

    return id ? org_find(examined->org, object, id) : NULL;
}

/* Heap: the name with everything else than letters and digits as '_'. The rule is unsure. */
static char *
developer_name_of(const char *name)
{
    char *result = text_format("%s%s", isalpha((unsigned char)*name) ? "" : "X", name);
    char *out = result;

    for (const char *at = result; *at; at++) {
        bool plain = (unsigned char)*at < 0x80 && isalnum((unsigned char)*at);
        if (plain || (out > result && out[-1] != '_'))
            *out++ = plain ? *at : '_';
    }
    while (out > result && out[-1] == '_')
        out--;
    *out = '\0';
    return result;
}

/* Letters, digits and single underscores, a letter first (text unsure). */
static bool
check_developer_name(struct examined *examined, const char *field)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_";
    const char *name = text_after(examined, field);
    size_t length = strlen(name);

    if (length && isalpha((unsigned char)*name) && strspn(name, letters) == length &&
        name[length - 1] != '_' && !strstr(name, "__"))
        return true;
    return refuse(examined->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", field,
                  "%s: only letters, digits and single underscores, beginning with a letter and "
                  "not ending in an underscore: %s",
                  field, name);
}

static bool
default_developer_name(struct examined *examined)
{
    AUTO_FREE char *name = developer_name_of(text_after(examined, "Name"));

    put_default(examined, "DeveloperName", name);
    return check_developer_name(examined, "DeveloperName");
}

/* 2.9: the codes are in the enum, their texts unsure. */
static bool
check_login(struct examined *login)
{
    bool self = strcmp(text_after(login, "UserId"), login->by) == 0;

    if (self && js_get_flag(login->values, "IsFrozen", false))
        return refuse(login->refusal, 400, "CANNOT_FREEZE_SELF", "IsFrozen",
                      "You can't freeze yourself");
    if (js_get_flag(login->values, "IsPasswordLocked", false) &&
        !js_get_flag(login->row->values, "IsPasswordLocked", false))
        return refuse(login->refusal, 400, "CANNOT_PASSWORD_LOCKOUT", "IsPasswordLocked",
                      "IsPasswordLocked can only be set to false");
    return true;
}

static bool
check_permission_set(struct examined *set)
{
    if (set->row && js_get_flag(set->row->values, "IsOwnedByProfile", false))
        return refuse(set->refusal, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "",
                      "A permission set that is owned by a profile is changed through the profile");
    if (!set->row) {
        js_put_flag(set->values, "IsCustom", true);
        js_put_text(set->values, "Type", "Regular");
    }
    return check_developer_name(set, "Name");
}

/* Whether the user may have what a permission set of this licence gives: the profile's licence is the
 * same, or the permission set licence is assigned. */
static bool
has_license(struct org *org, struct row *user, const char *license_id)
{
    struct row *profile = org_find(org, "Profile", js_get_text(user->values, "ProfileId"));
    AUTO_JS struct json_object *key = js_object();

    if (strcmp(js_get_text(profile->values, "UserLicenseId"), license_id) == 0)
        return true;
    js_put_text(key, "AssigneeId", user->id);
    js_put_text(key, "PermissionSetLicenseId", license_id);
    return rows_key_holder(org, &objects[OBJECT_PERMISSION_SET_LICENSE_ASSIGN], key) != NULL;
}

/* 5.3, the second sentence as captured; what stands in the place of the permission is ours. */
static bool
check_set_license(struct examined *assignment, struct row *set)
{
    struct row *user = row_after(assignment, "AssigneeId", "User");
    const char *license_id = js_get_text(set->values, "LicenseId");

    if (!license_id || has_license(assignment->org, user, license_id))
        return true;
    return refuse(assignment->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "PermissionSetId",
                  "Can't assign permission set %s to user %s. The user license doesn't allow the "
                  "permission: %s",
                  js_get_text(set->values, "Label"), js_get_text(user->values, "Name"),
                  js_get_text(set->values, "Name"));
}

/* 5.1: a permission set or a group of them; not one that a profile owns (unsure, well known). */
static bool
check_assignment(struct examined *assignment)
{
    struct row *set = row_after(assignment, "PermissionSetId", "PermissionSet");
    const char *group = text_after(assignment, "PermissionSetGroupId");

    if (assignment->row)
        return true;
    if (!set && !group)
        return refuse(assignment->refusal, 400, "REQUIRED_FIELD_MISSING", "PermissionSetId",
                      "Required fields are missing: [PermissionSetId]");
    if (set && group)
        return refuse(assignment->refusal, 400, "FIELD_INTEGRITY_EXCEPTION",
                      "PermissionSetId,PermissionSetGroupId",
                      "An assignment names a permission set or a permission set group, not both");
    if (set && js_get_flag(set->values, "IsOwnedByProfile", false))
        return refuse(assignment->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "PermissionSetId",
                      "A permission set that is owned by a profile can't be assigned");
    js_put_flag(assignment->values, "IsActive", true);
    return !set || check_set_license(assignment, set);
}

/* 3.6 for permission set licences. */
static bool
check_set_license_assign(struct examined *assign)
{
    struct row *license = row_after(assign, "PermissionSetLicenseId", "PermissionSetLicense");

    if (rows_key_holder(assign->org, assign->facts, assign->values) ||
        (strcmp(js_get_text(license->values, "Status"), "Active") == 0 &&
         set_license_used(assign->org, license->id) <
             js_get_int(license->values, "TotalLicenses", 0)))
        return true;
    return refuse(assign->refusal, 400, "LICENSE_LIMIT_EXCEEDED", "", "License Limit Exceeded");
}

static bool
is_free_group(const char *type)
{
    return strcmp(type, "Regular") == 0 || strcmp(type, "Queue") == 0;
}

/* The other types belong to roles and to the org (unsure). */
static bool
check_group(struct examined *group)
{
    put_default(group, "Type", "Regular");
    put_default(group, "OwnerId", group->by);
    if (!is_free_group(text_after(group, "Type")))
        return refuse(group->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "Type",
                      "A group of type %s is made and kept by the org", text_after(group, "Type"));
    return default_developer_name(group);
}

static bool
check_member(struct examined *member)
{
    struct row *group = row_after(member, "GroupId", "Group");

    if (strcmp(text_after(member, "GroupId"), text_after(member, "UserOrGroupId")) == 0)
        return refuse(member->refusal, 400, "CIRCULAR_DEPENDENCY", "UserOrGroupId",
                      "A group cannot be a member of itself");
    if (!is_free_group(js_get_text(group->values, "Type")))
        return refuse(member->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "GroupId",
                      "The members of a group of type %s are kept by the org",
                      js_get_text(group->values, "Type"));
    return true;
}

/* Section 9; the owner's activity by 3.7. */
static bool
check_lead(struct examined *lead)
{
    const char *first = text_after(lead, "FirstName"), *last = text_after(lead, "LastName");
    AUTO_FREE char *name = text_format("%s%s%s", first ? first : "", first ? " " : "", last);
    struct row *owner;

    js_put_text(lead->values, "Name", name);
    put_default(lead, "Status", "Open - Not Contacted");
    put_default(lead, "OwnerId", lead->by);
    owner = row_after(lead, "OwnerId", "User");
    if (owner && !js_get_flag(owner->values, "IsActive", false))
        return refuse(lead->refusal, 400, "INACTIVE_OWNER_OR_USER", "OwnerId",
                      "operation performed with inactive user [%s] as owner of lead", owner->id);
    return true;
}

bool
setup_check(struct examined *examined)
{
    static bool (*const checks[OBJECT_COUNT])(struct examined *) = {
        [OBJECT_USER_ROLE] = default_developer_name,
        [OBJECT_USER_LOGIN] = check_login,
        [OBJECT_PERMISSION_SET] = check_permission_set,
        [OBJECT_PERMISSION_SET_ASSIGNMENT] = check_assignment,
        [OBJECT_PERMISSION_SET_LICENSE_ASSIGN] = check_set_license_assign,
        [OBJECT_GROUP] = check_group,
        [OBJECT_GROUP_MEMBER] = check_member,
        [OBJECT_LEAD] = check_lead,
    };
    bool (*check)(struct examined *) = checks[examined->facts - objects];

    return !check || check(examined);
}

/* ---- deletion ---- */

static bool
is_used(struct org *org, enum object_index object, const char *field, const char *id)
{
    struct table *table = &org->tables[object];

    for (size_t i = 0; i < table->count; i++) {
        const char *value = js_get_text(table->rows[i]->values, field);
        if (!table->rows[i]->deleted && value && strcmp(value, id) == 0)
            return true;
    }
    return false;
}

static bool
refuse_used(struct row *row, struct refusal *refusal)
{
    return refuse(refusal, 400, "DELETE_FAILED", "",
                  "Your attempt to delete %s could not be completed because it is associated with "
                  "other records",
                  js_get_text(row->values, "Name"));
}

/* The codes are in the enum; which one, and the texts, are unsure. */
bool
setup_check_delete(struct row *row, struct refusal *refusal)
{
    const struct object_facts *facts = row->table->facts;
    struct row *set;

    if (object_is(facts, OBJECT_USER_ROLE) &&
        (is_used(row->org, OBJECT_USER, "UserRoleId", row->id) ||
         is_used(row->org, OBJECT_USER_ROLE, "ParentRoleId", row->id)))
        return refuse_used(row, refusal);
    if (object_is(facts, OBJECT_PERMISSION_SET) &&
        (js_get_flag(row->values, "IsOwnedByProfile", false) ||
         is_used(row->org, OBJECT_PERMISSION_SET_ASSIGNMENT, "PermissionSetId", row->id)))
        return refuse_used(row, refusal);
    if (object_is(facts, OBJECT_GROUP) && !is_free_group(js_get_text(row->values, "Type")))
        return refuse_used(row, refusal);
    if (!object_is(facts, OBJECT_PERMISSION_SET_ASSIGNMENT) ||
        !js_get_text(row->values, "PermissionSetId"))
        return true;
    set = org_find(row->org, "PermissionSet", js_get_text(row->values, "PermissionSetId"));
    if (!js_get_flag(set->values, "IsOwnedByProfile", false))
        return true;
    return refuse(refusal, 403, "INSUFFICIENT_ACCESS_OR_READONLY", "",
                  "insufficient access rights on object id");
}
