/* The attributes of users by name (RFC 7643 4.1, 4.3 and 8.7.1), to tell a slip of the pen from an
 * attribute. Hosts may send others: what is unknown here still works. */
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/scim/parts.h"
#include "plugin/scim/path.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The enterprise attributes stand last: they are also known by their short path (path.h). */
static const char *const attributes[] = {
    "userName",
    "name",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "externalId",
    "id",
    "meta",
    "schemas",
    "x509Certificates",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
};
#define ENTERPRISE_COUNT 6
#define CORE_COUNT       (COUNT(attributes) - ENTERPRISE_COUNT)
static const char *const name_parts[] = {
    "formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix",
};
static const char *const address_parts[] = {
    "formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary",
};
static const char *const manager_parts[] = { "value", "$ref", "displayName" };
static const char *const meta_parts[] = {
    "resourceType", "created", "lastModified", "location", "version",
};
static const char *const element_parts[] = { "value", "display", "type", "primary", "$ref" };

static bool
is_known(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ascii_compare(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* The sub-attributes of an attribute; 0: it has none, so that nothing is known of what stands
 * behind it. */
static size_t
parts_of(const char *attribute, const char *const **ret)
{
    static const struct {
        const char *attribute;
        const char *const *parts;
        size_t count;
    } complex[] = {
        { "name", name_parts, COUNT(name_parts) },
        { "addresses", address_parts, COUNT(address_parts) },
        { "manager", manager_parts, COUNT(manager_parts) },
        { "meta", meta_parts, COUNT(meta_parts) },
        { "emails", element_parts, COUNT(element_parts) },
        { "phoneNumbers", element_parts, COUNT(element_parts) },
        { "ims", element_parts, COUNT(element_parts) },
        { "photos", element_parts, COUNT(element_parts) },
        { "groups", element_parts, COUNT(element_parts) },
        { "entitlements", element_parts, COUNT(element_parts) },
        { "roles", element_parts, COUNT(element_parts) },
        { "x509Certificates", element_parts, COUNT(element_parts) },
    };

    for (size_t i = 0; i < COUNT(complex); i++) {
        if (ascii_compare(attribute, complex[i].attribute) == 0) {
            *ret = complex[i].parts;
            return complex[i].count;
        }
    }
    return 0;
}

const char *
scim_path_stranger(const struct scim_path *path, const char *const **ret_known, size_t *ret_count)
{
    bool core = path->schema && ascii_compare(path->schema, SCIM_CORE_USER) == 0;
    bool enterprise = path->schema && ascii_compare(path->schema, SCIM_ENTERPRISE_USER) == 0;

    if (!path->attribute || (path->schema && !core && !enterprise))
        return NULL;
    *ret_known = enterprise ? attributes + CORE_COUNT : attributes;
    *ret_count = enterprise ? ENTERPRISE_COUNT : core ? CORE_COUNT : COUNT(attributes);
    if (!is_known(path->attribute, *ret_known, *ret_count))
        return path->attribute;
    *ret_count = path->sub ? parts_of(path->attribute, ret_known) : 0;
    return *ret_count > 0 && !is_known(path->sub, *ret_known, *ret_count) ? path->sub : NULL;
}
