/* What Salesforce's User object can hold (fact sheet 3.2, 3.3). Lengths marked there as unsure are
 * marked here; 0 stands where none is known. Knows nothing of SCIM, and leaves restricted picklist
 * values to the org: they differ between orgs. */
#include "schema/user_fields.h"

#include <string.h>

#include "plugin/base/ascii.h"

#define NONE              false, false, false, NULL, NULL
#define REQUIRED          true, false, false, NULL, NULL
#define READ_ONLY(hint)   false, true, false, NULL, hint
#define OURS(hint)        false, false, true, NULL, hint
#define REQUIRED_OURS(in) true, false, true, NULL, in
#define NAMES(object)     false, false, false, object, NULL

static const char names_hint[] = "map FirstName and LastName";
static const char address_hint[] = "map Street, City, State, PostalCode and Country";
static const char pattern_hint[] =
    "the username is made by the connector fields provisioning_pattern, provisioning_separator and "
    "provisioning_domain";
static const char active_hint[] =
    "it follows `active` of the resource; see the connector field create_inactive";
static const char manager_hint[] =
    "it follows the enterprise attribute `manager`, which names another user of the host";

static const struct user_field rows[] = {
    /* names */
    { "Username", USER_FIELD_STRING, 80, REQUIRED_OURS(pattern_hint) }, /* 80: unsure */
    { "FirstName", USER_FIELD_STRING, 40, NONE },
    { "LastName", USER_FIELD_STRING, 80, REQUIRED },
    { "MiddleName", USER_FIELD_STRING, 40, NONE }, /* an org option; 40: unsure */
    { "Suffix", USER_FIELD_STRING, 40, NONE },     /* an org option; 40: unsure */
    { "Name", USER_FIELD_STRING, 121, READ_ONLY(names_hint) },
    { "Alias", USER_FIELD_STRING, 8, REQUIRED },
    { "CommunityNickname", USER_FIELD_STRING, 40, NONE }, /* unique in the org */
    { "FederationIdentifier", USER_FIELD_STRING, 512, NONE },

    /* work */
    { "Title", USER_FIELD_STRING, 80, NONE }, /* 80: unsure */
    { "CompanyName", USER_FIELD_STRING, 80, NONE },
    { "Department", USER_FIELD_STRING, 80, NONE },
    { "Division", USER_FIELD_STRING, 80, NONE },
    { "EmployeeNumber", USER_FIELD_STRING, 20, NONE },
    { "AboutMe", USER_FIELD_TEXT, 1000, NONE },

    /* reachable at */
    { "Email", USER_FIELD_EMAIL, 128, REQUIRED },
    { "SenderEmail", USER_FIELD_EMAIL, 80, NONE },
    { "SenderName", USER_FIELD_STRING, 80, NONE },
    { "Signature", USER_FIELD_TEXT, 1333, NONE },
    { "Phone", USER_FIELD_PHONE, 40, NONE }, /* 40: unsure */
    { "MobilePhone", USER_FIELD_PHONE, 40, NONE },
    { "Fax", USER_FIELD_PHONE, 40, NONE },
    { "Extension", USER_FIELD_PHONE, 40, NONE },
    { "Address", USER_FIELD_TEXT, 0, READ_ONLY(address_hint) },
    { "Street", USER_FIELD_TEXT, 255, NONE },
    { "City", USER_FIELD_STRING, 40, NONE },
    { "State", USER_FIELD_STRING, 80, NONE },
    { "StateCode", USER_FIELD_PICKLIST, 10, NONE }, /* with State/Country picklists only */
    { "PostalCode", USER_FIELD_STRING, 20, NONE },
    { "Country", USER_FIELD_STRING, 80, NONE },
    { "CountryCode", USER_FIELD_PICKLIST, 10, NONE }, /* with State/Country picklists only */

    /* settings */
    { "TimeZoneSidKey", USER_FIELD_PICKLIST, 40, REQUIRED },
    { "LocaleSidKey", USER_FIELD_PICKLIST, 40, REQUIRED },
    { "LanguageLocaleKey", USER_FIELD_PICKLIST, 40, REQUIRED },
    { "EmailEncodingKey", USER_FIELD_PICKLIST, 40, REQUIRED },
    { "CurrencyIsoCode", USER_FIELD_PICKLIST, 0, NONE },        /* with several currencies only */
    { "DefaultCurrencyIsoCode", USER_FIELD_PICKLIST, 0, NONE }, /* with several currencies only */
    { "DigestFrequency", USER_FIELD_PICKLIST, 0, NONE },
    { "DefaultGroupNotificationFrequency", USER_FIELD_PICKLIST, 0, NONE },
    { "ForecastEnabled", USER_FIELD_BOOLEAN, 0, NONE },
    { "ReceivesInfoEmails", USER_FIELD_BOOLEAN, 0, NONE },
    { "ReceivesAdminInfoEmails", USER_FIELD_BOOLEAN, 0, NONE },
    { "EmailPreferencesAutoBcc", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsCallCenterAutoLogin", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsInteractionUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsKnowledgeUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsMarketingUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsMobileUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsOfflineUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsSFContentUser", USER_FIELD_BOOLEAN, 0, NONE },
    { "UserPermissionsSupportUser", USER_FIELD_BOOLEAN, 0, NONE },

    /* access */
    { "IsActive", USER_FIELD_BOOLEAN, 0, OURS(active_hint) },
    { "ProfileId", USER_FIELD_REFERENCE, 18, true, false, false, "Profile", NULL },
    { "ManagerId", USER_FIELD_REFERENCE, 18, OURS(manager_hint) },
    { "UserRoleId", USER_FIELD_REFERENCE, 18, NAMES("UserRole") },
    { "DelegatedApproverId", USER_FIELD_REFERENCE, 18, NONE },
    { "CallCenterId", USER_FIELD_REFERENCE, 18, NONE },
    { "ContactId", USER_FIELD_REFERENCE, 18, NONE }, /* portal and community profiles only */
    { "AccountId", USER_FIELD_REFERENCE, 18, READ_ONLY("it follows ContactId") },

    /* kept by Salesforce */
    { "Id", USER_FIELD_REFERENCE, 18, OURS("sfprov keeps the link from subject to Id itself") },
    { "UserType", USER_FIELD_PICKLIST, 0, READ_ONLY("it follows the profile") },
    { "LastLoginDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "LastPasswordChangeDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "LastViewedDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "LastReferencedDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "CreatedDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "CreatedById", USER_FIELD_REFERENCE, 18, READ_ONLY(NULL) },
    { "LastModifiedDate", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "LastModifiedById", USER_FIELD_REFERENCE, 18, READ_ONLY(NULL) },
    { "SystemModstamp", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "SmallPhotoUrl", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
    { "FullPhotoUrl", USER_FIELD_STRING, 0, READ_ONLY(NULL) },
};

/* Limits of custom fields are those of Setup: long text areas end at 131,072 characters, text at
 * 255, e-mail at 80, phone at 40, a chosen multi-select at 4,099; of values of picklists at 255. */
static const struct user_kind kinds[] = {
    { "text", USER_FIELD_STRING, 255, 255 },
    { "long_text", USER_FIELD_TEXT, 131072, 131072 },
    { "number", USER_FIELD_NUMBER, 0, 0 },
    { "currency", USER_FIELD_CURRENCY, 0, 0 },
    { "percent", USER_FIELD_PERCENT, 0, 0 },
    { "boolean", USER_FIELD_BOOLEAN, 0, 0 },
    { "date", USER_FIELD_DATE, 0, 0 },
    { "datetime", USER_FIELD_DATETIME, 0, 0 },
    { "picklist", USER_FIELD_PICKLIST, 255, 0 },
    { "multi_picklist", USER_FIELD_MULTI_PICKLIST, 4099, 0 },
    { "email", USER_FIELD_EMAIL, 80, 0 },
    { "phone", USER_FIELD_PHONE, 40, 0 },
    { "url", USER_FIELD_URL, 255, 0 },
    { "reference", USER_FIELD_REFERENCE, 18, 0 },
};

const struct user_kind *
user_kind_all(size_t *ret_count)
{
    *ret_count = sizeof(kinds) / sizeof(kinds[0]);
    return kinds;
}

const struct user_field *
user_field_all(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct user_field *
user_field_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (ascii_compare(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool
is_api_name(const char *name)
{
    if (!ascii_is_letter(name[0]))
        return false;
    for (const char *c = name; *c; c++) {
        if (!ascii_is_letter(*c) && !ascii_is_digit(*c) && *c != '_')
            return false;
    }
    return true;
}

bool
user_field_is_custom(const char *name)
{
    size_t length = name ? strlen(name) : 0;

    return length > 3 && ascii_compare(name + length - 3, "__c") == 0 && is_api_name(name);
}

bool
user_field_is_switch(const char *name)
{
    static const char *const families[] = { "UserPermissions", "UserPreferences" };

    for (size_t i = 0; name && i < sizeof(families) / sizeof(families[0]); i++) {
        size_t length = strlen(families[i]);
        if (ascii_compare_start(name, families[i], length) == 0 && name[length] &&
            is_api_name(name))
            return true;
    }
    return false;
}
