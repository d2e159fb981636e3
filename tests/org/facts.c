/* The objects and fields of an org, as far as fact sheet 2.9, 3.2 to 3.4, 5.1 and 9 know them. Tables only;
 * what is done with them is left to rules.c, describe.c and soql_run.c. Lengths and labels
 * that the sheet marks unsure carry a comment. */
#include "tests/org/facts.h"

#include <string.h>

#include "tests/org/text.h"

/* 3.4; the lists are unsure as full lists, so a value outside them may be right in a real org. */
static const char *const time_zones[] = {
    "GMT",
    "UTC",
    "America/Anchorage",
    "America/Argentina/Buenos_Aires",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Phoenix",
    "America/Sao_Paulo",
    "America/Toronto",
    "America/Vancouver",
    "Asia/Colombo",
    "Asia/Dubai",
    "Asia/Hong_Kong",
    "Asia/Jakarta",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Manila",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
    "Australia/Brisbane",
    "Australia/Melbourne",
    "Australia/Perth",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Brussels",
    "Europe/Bucharest",
    "Europe/Dublin",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Oslo",
    "Europe/Paris",
    "Europe/Prague",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Vienna",
    "Europe/Warsaw",
    "Europe/Zurich",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    NULL,
};
static const char *const locales[] = {
    "en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_IN", "en_NZ", "en_ZA", "da_DK", "de_AT",
    "de_CH", "de_DE", "es_AR", "es_ES", "es_MX", "fi_FI", "fr_BE", "fr_CA", "fr_CH", "fr_FR",
    "it_CH", "it_IT", "ja_JP", "ko_KR", "nb_NO", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR",
    "pt_PT", "sv_SE", "th_TH", "tr_TR", "zh_CN", "zh_TW", NULL,
};
static const char *const languages[] = {
    "en_US", "en_GB", "de", "es", "es_MX", "fr", "it", "ja",    "ko",    "nl_NL", "pt_BR",
    "pt_PT", "sv",    "da", "fi", "no",    "th", "ru", "zh_CN", "zh_TW", NULL,
};
static const char *const encodings[] = {
    "UTF-8", "ISO-8859-1", "Shift_JIS",  "ISO-2022-JP", "EUC-JP", "ks_c_5601-1987",
    "Big5",  "GB2312",     "Big5-HKSCS", "x-SJIS_0213", NULL,
};
static const char *const user_types[] = {
    "Standard", "PowerPartner", "CspLitePortal",    "CustomerSuccess",      "PowerCustomerSuccess",
    "CsnOnly",  "Guest",        "AutomatedProcess", "CloudIntegrationUser", NULL,
};
static const char *const license_states[] = { "Active", "Disabled", NULL };
static const char *const set_types[] = {
    "Regular", "Profile", "Group", "Session", "Standard", NULL
};
static const char *const set_group_states[] = { "Updated", "Outdated", "Updating", "Failed", NULL };
static const char *const group_types[] = {
    "Regular", "Queue", "Role", "RoleAndSubordinates", "Organization", NULL,
};
static const char *const lead_states[] = {
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
    NULL,
};
static const char *const lead_sources[] = {
    "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", NULL,
};

#define TEXT(name, label, length, flags)                                                           \
    {                                                                                              \
        name, label, KIND_STRING, length, flags, 0, 0, 0, 0                                        \
    }
#define AREA(name, label, length, flags)                                                           \
    {                                                                                              \
        name, label, KIND_TEXTAREA, length, flags, 0, 0, 0, 0                                      \
    }
#define PHONE(name, label)                                                                         \
    {                                                                                              \
        name, label, KIND_PHONE, 40, FIELD_WRITE, 0, 0, 0, 0                                       \
    }
#define FLAG(name, label, flags)                                                                   \
    {                                                                                              \
        name, label, KIND_BOOLEAN, 0, flags, 0, 0, 0, 0                                            \
    }
#define PICK(name, label, values, flags)                                                           \
    {                                                                                              \
        name, label, KIND_PICKLIST, 40, flags, values, 0, 0, 0                                     \
    }
#define TIME(name, label, flags)                                                                   \
    {                                                                                              \
        name, label, KIND_DATETIME, 0, flags, 0, 0, 0, 0                                           \
    }
#define NUMBER(name, label)                                                                        \
    {                                                                                              \
        name, label, KIND_INT, 0, 0, 0, 0, 0, 0                                                    \
    }
#define REFERS(name, label, flags, target, relationship)                                           \
    {                                                                                              \
        name, label, KIND_REFERENCE, 18, flags, 0, target, relationship, 0                         \
    }
#define RECORD_ID(label)                                                                           \
    {                                                                                              \
        "Id", label, KIND_ID, 18, FIELD_NOT_NULL | FIELD_ID_LOOKUP, 0, 0, 0, 0                     \
    }
#define STAMPS                                                                                     \
    TIME("CreatedDate", "Created Date", FIELD_NOT_NULL),                                           \
        REFERS("CreatedById", "Created By ID", FIELD_NOT_NULL, "User", "CreatedBy"),               \
        TIME("LastModifiedDate", "Last Modified Date", FIELD_NOT_NULL),                            \
        REFERS("LastModifiedById", "Last Modified By ID", FIELD_NOT_NULL, "User",                  \
               "LastModifiedBy"),                                                                  \
        TIME("SystemModstamp", "System Modstamp", FIELD_NOT_NULL)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    WRITE = FIELD_WRITE,
    NEEDED = FIELD_WRITE | FIELD_REQUIRED,
    SWITCH = FIELD_WRITE | FIELD_DEFAULTED,
    FEATURE = FIELD_WRITE | FIELD_DEFAULTED | FIELD_FEATURE,
    ONCE = FIELD_CREATE | FIELD_REQUIRED /* not changed later */
};

/* The nine required fields stand in the order in which REQUIRED_FIELD_MISSING names them (3.2). */
static const struct field_facts user_fields[] = {
    RECORD_ID("User ID"),
    TEXT("Username", "Username", 80, NEEDED | FIELD_ID_LOOKUP), /* 80 unsure */
    TEXT("LastName", "Last Name", 80, NEEDED),
    TEXT("FirstName", "First Name", 40, WRITE),
    TEXT("Name", "Full Name", 121, FIELD_NOT_NULL | FIELD_NAME_FIELD),
    TEXT("CompanyName", "Company Name", 80, WRITE),
    TEXT("Division", "Division", 80, WRITE),
    TEXT("Department", "Department", 80, WRITE),
    TEXT("Title", "Title", 80, WRITE), /* 80 unsure */
    AREA("Street", "Street", 255, WRITE),
    TEXT("City", "City", 40, WRITE),
    TEXT("State", "State/Province", 80, WRITE),
    TEXT("PostalCode", "Zip/Postal Code", 20, WRITE),
    TEXT("Country", "Country", 80, WRITE),
    { "Address", "Address", KIND_ADDRESS, 0, FIELD_NO_FILTER, 0, 0, 0, 0 },
    { "Email", "Email", KIND_EMAIL, 128, NEEDED, 0, 0, 0, 0 },
    { "SenderEmail", "Email Sender Address", KIND_EMAIL, 80, WRITE, 0, 0, 0, 0 },
    TEXT("SenderName", "Email Sender Name", 80, WRITE),
    AREA("Signature", "Email Signature", 1333, WRITE | FIELD_NO_FILTER),
    PHONE("Phone", "Phone"), /* 40 unsure */
    PHONE("Fax", "Fax"),
    PHONE("MobilePhone", "Mobile"),
    PHONE("Extension", "Extension"),
    TEXT("Alias", "Alias", 8, NEEDED),
    TEXT("CommunityNickname", "Nickname", 40, SWITCH | FIELD_UNIQUE),
    FLAG("IsActive", "Active", SWITCH),
    PICK("TimeZoneSidKey", "Time Zone", time_zones, NEEDED | FIELD_RESTRICTED),
    REFERS("UserRoleId", "Role ID", WRITE, "UserRole", "UserRole"),
    PICK("LocaleSidKey", "Locale", locales, NEEDED | FIELD_RESTRICTED),
    FLAG("ReceivesInfoEmails", "Info Emails", SWITCH),
    FLAG("ReceivesAdminInfoEmails", "Admin Info Emails", SWITCH),
    PICK("EmailEncodingKey", "Email Encoding", encodings, NEEDED | FIELD_RESTRICTED),
    REFERS("ProfileId", "Profile ID", NEEDED, "Profile", "Profile"),
    PICK("UserType", "User Type", user_types, FIELD_RESTRICTED | FIELD_NOT_NULL),
    PICK("LanguageLocaleKey", "Language", languages, NEEDED | FIELD_RESTRICTED),
    TEXT("EmployeeNumber", "Employee Number", 20, WRITE),
    REFERS("DelegatedApproverId", "Delegated Approver ID", WRITE, "User", NULL),
    REFERS("ManagerId", "Manager ID", WRITE | FIELD_NO_LOOP, "User", "Manager"),
    TIME("LastLoginDate", "Last Login", 0),
    TIME("LastPasswordChangeDate", "Last Password Change or Reset", 0),
    STAMPS,
    FLAG("UserPermissionsMarketingUser", "Marketing User", FEATURE),
    FLAG("UserPermissionsOfflineUser", "Offline User", FEATURE),
    FLAG("UserPermissionsCallCenterAutoLogin", "Auto-login To Call Center", SWITCH),
    FLAG("UserPermissionsSFContentUser", "Salesforce CRM Content User", FEATURE),
    FLAG("UserPermissionsKnowledgeUser", "Knowledge User", FEATURE),
    FLAG("UserPermissionsInteractionUser", "Flow User", FEATURE),
    FLAG("UserPermissionsSupportUser", "Service Cloud User", FEATURE),
    FLAG("ForecastEnabled", "Allow Forecasting", SWITCH),
    FLAG("UserPreferencesActivityRemindersPopup", "ActivityRemindersPopup", SWITCH),
    FLAG("UserPreferencesEventRemindersCheckboxDefault", "EventRemindersCheckboxDefault", SWITCH),
    FLAG("UserPreferencesTaskRemindersCheckboxDefault", "TaskRemindersCheckboxDefault", SWITCH),
    FLAG("UserPreferencesDisableAllFeedsEmail", "DisableAllFeedsEmail", SWITCH),
    REFERS("ContactId", "Contact ID", WRITE, "Contact", NULL),
    REFERS("AccountId", "Account ID", 0, "Account", NULL),
    REFERS("CallCenterId", "Call Center ID", WRITE, "CallCenter", NULL),
    /* 3.3: unique when set; case sensitivity unsure, so the stricter reading */
    TEXT("FederationIdentifier", "SAML Federation ID", 512, WRITE | FIELD_UNIQUE),
    AREA("AboutMe", "About Me", 1000, WRITE | FIELD_NO_FILTER),
};

static const struct field_facts profile_fields[] = {
    RECORD_ID("Profile ID"),
    TEXT("Name", "Name", 255, FIELD_NOT_NULL | FIELD_NAME_FIELD | FIELD_ID_LOOKUP),
    REFERS("UserLicenseId", "User License ID", FIELD_NOT_NULL, "UserLicense", "UserLicense"),
    PICK("UserType", "User Type", user_types, FIELD_RESTRICTED),
    TEXT("Description", "Description", 255, 0),
    STAMPS,
};

static const struct field_facts license_fields[] = {
    RECORD_ID("User License ID"),
    TEXT("LicenseDefinitionKey", "License Def. ID", 40, FIELD_NOT_NULL),
    TEXT("Name", "Name", 80, FIELD_NOT_NULL | FIELD_NAME_FIELD | FIELD_ID_LOOKUP),
    TEXT("MasterLabel", "Label", 80, FIELD_NOT_NULL),
    PICK("Status", "Status", license_states, FIELD_RESTRICTED | FIELD_NOT_NULL),
    NUMBER("TotalLicenses", "Total Licenses"),
    NUMBER("UsedLicenses", "Used Licenses"),
    NUMBER("MonthlyLoginsEntitlement", "Monthly Logins Allowed"),
    NUMBER("MonthlyLoginsUsed", "Monthly Logins Used"),
    STAMPS,
};

static const struct field_facts role_fields[] = {
    RECORD_ID("Role ID"),
    TEXT("Name", "Name", 80, NEEDED | FIELD_NAME_FIELD),
    REFERS("ParentRoleId", "Parent Role ID", WRITE | FIELD_NO_LOOP, "UserRole", "ParentRole"),
    TEXT("DeveloperName", "Developer Name", 80, SWITCH),
    STAMPS,
};

/* 2.9: neither created nor deleted by a caller. */
static const struct field_facts login_fields[] = {
    RECORD_ID("User Login ID"),
    REFERS("UserId", "User ID", FIELD_NOT_NULL, "User", "User"),
    FLAG("IsFrozen", "Frozen", FIELD_UPDATE | FIELD_DEFAULTED),
    FLAG("IsPasswordLocked", "Password Locked", FIELD_UPDATE | FIELD_DEFAULTED),
    TIME("LastModifiedDate", "Last Modified Date", FIELD_NOT_NULL),
    REFERS("LastModifiedById", "Last Modified By ID", FIELD_NOT_NULL, "User", "LastModifiedBy"),
    TIME("SystemModstamp", "System Modstamp", FIELD_NOT_NULL),
};

static const struct field_facts permission_set_fields[] = {
    RECORD_ID("PermissionSet ID"),
    TEXT("Name", "Permission Set Name", 80, NEEDED | FIELD_NAME_FIELD),
    TEXT("Label", "Permission Set Label", 80, NEEDED),
    REFERS("LicenseId", "License ID", FIELD_CREATE, "PermissionSetLicense,UserLicense", NULL),
    REFERS("ProfileId", "Profile ID", 0, "Profile", "Profile"),
    FLAG("IsOwnedByProfile", "Is Owned By Profile", FIELD_NOT_NULL),
    FLAG("IsCustom", "Custom", FIELD_NOT_NULL),
    FLAG("HasActivationRequired", "Has Activation Required", SWITCH),
    PICK("Type", "Type", set_types, FIELD_RESTRICTED | FIELD_NOT_NULL),
    TEXT("Description", "Description", 255, WRITE),
    /* of several hundred, those that a connector asks for; one for each right (5.1, unsure) */
    FLAG("PermissionsApiEnabled", "API Enabled", SWITCH),
    FLAG("PermissionsManageInternalUsers", "Manage Internal Users", SWITCH),
    FLAG("PermissionsManageUsers", "Manage Users", SWITCH),
    FLAG("PermissionsViewSetup", "View Setup and Configuration", SWITCH),
    STAMPS,
};

static const struct field_facts permission_set_group_fields[] = {
    RECORD_ID("Permission Set Group ID"),
    TEXT("DeveloperName", "API Name", 80, FIELD_NOT_NULL | FIELD_NAME_FIELD),
    TEXT("MasterLabel", "Label", 80, FIELD_NOT_NULL),
    TEXT("Description", "Description", 255, 0),
    PICK("Status", "Status", set_group_states, FIELD_RESTRICTED | FIELD_NOT_NULL),
    FLAG("HasActivationRequired", "Has Activation Required", FIELD_NOT_NULL),
    STAMPS,
};

/* 5.1: one of PermissionSetId and PermissionSetGroupId. */
static const struct field_facts assignment_fields[] = {
    RECORD_ID("PermissionSetAssignment ID"),
    REFERS("AssigneeId", "Assignee ID", ONCE, "User", "Assignee"),
    REFERS("PermissionSetId", "PermissionSet ID", FIELD_CREATE, "PermissionSet", "PermissionSet"),
    REFERS("PermissionSetGroupId", "Permission Set Group ID", FIELD_CREATE, "PermissionSetGroup",
           "PermissionSetGroup"),
    TIME("ExpirationDate", "Expires On", WRITE),
    FLAG("IsActive", "Is Active", FIELD_NOT_NULL),
    FLAG("IsRevoked", "Is Revoked", FIELD_NOT_NULL),
    TIME("SystemModstamp", "System Modstamp", FIELD_NOT_NULL),
};

static const struct field_facts set_license_fields[] = {
    RECORD_ID("Permission Set License ID"),
    TEXT("DeveloperName", "Permission Set License Name", 80, FIELD_NOT_NULL | FIELD_NAME_FIELD),
    TEXT("MasterLabel", "Permission Set License Label", 80, FIELD_NOT_NULL),
    TEXT("PermissionSetLicenseKey", "Permission Set License Key", 80, FIELD_NOT_NULL),
    PICK("Status", "Status", license_states, FIELD_RESTRICTED | FIELD_NOT_NULL),
    { "ExpirationDate", "Expiration Date", KIND_DATE, 0, 0, 0, 0, 0, 0 },
    NUMBER("TotalLicenses", "Total Licenses"),
    NUMBER("UsedLicenses", "Used Licenses"),
    STAMPS,
};

static const struct field_facts set_license_assign_fields[] = {
    RECORD_ID("Permission Set License Assignment ID"),
    REFERS("AssigneeId", "Assignee ID", ONCE, "User", "Assignee"),
    REFERS("PermissionSetLicenseId", "Permission Set License ID", ONCE, "PermissionSetLicense",
           "PermissionSetLicense"),
    STAMPS,
};

static const struct field_facts group_fields[] = {
    RECORD_ID("Group ID"),
    TEXT("Name", "Name", 40, NEEDED | FIELD_NAME_FIELD),
    TEXT("DeveloperName", "Developer Name", 80, SWITCH),
    REFERS("RelatedId", "Related ID", 0, "UserRole,User", NULL),
    PICK("Type", "Type", group_types, FIELD_CREATE | FIELD_DEFAULTED | FIELD_RESTRICTED),
    { "Email", "Email", KIND_EMAIL, 255, WRITE, 0, 0, 0, 0 },
    REFERS("OwnerId", "Owner ID", FIELD_NOT_NULL, "User", "Owner"),
    FLAG("DoesSendEmailToMembers", "Send Email to Members", SWITCH),
    FLAG("DoesIncludeBosses", "Include Bosses", SWITCH),
    TEXT("Description", "Description", 255, WRITE),
    STAMPS,
};

static const struct field_facts member_fields[] = {
    RECORD_ID("Group Member ID"),
    REFERS("GroupId", "Group ID", ONCE, "Group", "Group"),
    REFERS("UserOrGroupId", "User/Group ID", ONCE, "User,Group", NULL),
    TIME("SystemModstamp", "System Modstamp", FIELD_NOT_NULL),
};

/* Section 9; here because it is no setup object. */
static const struct field_facts lead_fields[] = {
    RECORD_ID("Lead ID"),
    FLAG("IsDeleted", "Deleted", FIELD_NOT_NULL),
    TEXT("LastName", "Last Name", 80, NEEDED),
    TEXT("FirstName", "First Name", 40, WRITE),
    TEXT("Name", "Full Name", 121, FIELD_NOT_NULL | FIELD_NAME_FIELD),
    TEXT("Title", "Title", 128, WRITE), /* 128 unsure */
    TEXT("Company", "Company", 255, NEEDED),
    AREA("Street", "Street", 255, WRITE),
    TEXT("City", "City", 40, WRITE),
    TEXT("State", "State/Province", 80, WRITE),
    TEXT("PostalCode", "Zip/Postal Code", 20, WRITE),
    TEXT("Country", "Country", 80, WRITE),
    { "Address", "Address", KIND_ADDRESS, 0, FIELD_NO_FILTER, 0, 0, 0, 0 },
    PHONE("Phone", "Phone"),
    PHONE("MobilePhone", "Mobile Phone"),
    PHONE("Fax", "Fax"),
    { "Email", "Email", KIND_EMAIL, 80, WRITE, 0, 0, 0, 0 },
    { "Website", "Website", KIND_URL, 255, WRITE, 0, 0, 0, 0 },
    AREA("Description", "Description", 32000, WRITE | FIELD_NO_FILTER),
    PICK("LeadSource", "Lead Source", lead_sources, WRITE),
    PICK("Status", "Status", lead_states, SWITCH),
    REFERS("OwnerId", "Owner ID", SWITCH, "User,Group", NULL),
    FLAG("IsConverted", "Converted", FIELD_NOT_NULL),
    STAMPS,
};

/* The list of domains that users may have an address in; hidden in an org that has it not switched on. */
static const struct field_facts domain_fields[] = {
    RECORD_ID("Allowed Email Domain ID"),
    TEXT("Domain", "Domain", 80, NEEDED | FIELD_NAME_FIELD | FIELD_ID_LOOKUP), /* 80 unsure */
    STAMPS,
};

static const struct field_facts organization_fields[] = {
    RECORD_ID("Organization ID"),
    TEXT("Name", "Name", 80, FIELD_NOT_NULL | FIELD_NAME_FIELD),
    TEXT("OrganizationType", "Edition", 40, FIELD_NOT_NULL),
    TEXT("InstanceName", "Instance Name", 5, FIELD_NOT_NULL),
    FLAG("IsSandbox", "Is Sandbox", FIELD_NOT_NULL),
    PICK("TimeZoneSidKey", "Time Zone", time_zones, FIELD_RESTRICTED | FIELD_NOT_NULL),
    PICK("LanguageLocaleKey", "Language", languages, FIELD_RESTRICTED | FIELD_NOT_NULL),
    PICK("DefaultLocaleSidKey", "Locale", locales, FIELD_RESTRICTED | FIELD_NOT_NULL),
    STAMPS,
};

#define OBJECT(name, label, plural, prefix, fields, flags)                                         \
    {                                                                                              \
        name, label, plural, prefix, fields, COUNT(fields), flags,                                 \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define KEYED(name, label, plural, prefix, fields, flags, ...)                                     \
    {                                                                                              \
        name, label, plural, prefix, fields, COUNT(fields), flags,                                 \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

enum {
    ALL = CAN_CREATE | CAN_UPDATE | CAN_DELETE
};

/* Calls by 3.1, 2.9, 5.1 and 9; setup objects by 5.3. That UserLogin and PermissionSetLicenseAssign
 * and AllowedEmailDomain are setup objects, and the prefixes 0Yw, 2LA and 1AE, are unsure. */
const struct object_facts objects[OBJECT_COUNT] = {
    [OBJECT_USER] =
        OBJECT("User", "User", "Users", "005", user_fields, CAN_CREATE | CAN_UPDATE | IS_SETUP),
    [OBJECT_PROFILE] = OBJECT("Profile", "Profile", "Profile", "00e", profile_fields, IS_SETUP),
    [OBJECT_USER_LICENSE] =
        OBJECT("UserLicense", "User License", "User Licenses", "100", license_fields, IS_SETUP),
    [OBJECT_USER_ROLE] =
        KEYED("UserRole", "Role", "Role", "00E", role_fields, ALL | IS_SETUP, "DeveloperName"),
    [OBJECT_ORGANIZATION] =
        OBJECT("Organization", "Organization", "Organizations", "00D", organization_fields, 0),
    [OBJECT_USER_LOGIN] = KEYED("UserLogin", "User Login", "User Logins", "0Yw", login_fields,
                                CAN_UPDATE | IS_SETUP, "UserId"),
    [OBJECT_PERMISSION_SET] = KEYED("PermissionSet", "Permission Set", "Permission Sets", "0PS",
                                    permission_set_fields, ALL | IS_SETUP, "Name"),
    [OBJECT_PERMISSION_SET_GROUP] =
        KEYED("PermissionSetGroup", "Permission Set Group", "Permission Set Groups", "0PG",
              permission_set_group_fields, IS_SETUP, "DeveloperName"),
    [OBJECT_PERMISSION_SET_ASSIGNMENT] = KEYED(
        "PermissionSetAssignment", "Permission Set Assignment", "Permission Set Assignments", "0Pa",
        assignment_fields, ALL | IS_SETUP, "AssigneeId", "PermissionSetId", "PermissionSetGroupId"),
    [OBJECT_PERMISSION_SET_LICENSE] =
        KEYED("PermissionSetLicense", "Permission Set License", "Permission Set Licenses", "0PL",
              set_license_fields, IS_SETUP, "DeveloperName"),
    [OBJECT_PERMISSION_SET_LICENSE_ASSIGN] =
        KEYED("PermissionSetLicenseAssign", "Permission Set License Assignment",
              "Permission Set License Assignments", "2LA", set_license_assign_fields,
              CAN_CREATE | CAN_DELETE | IS_SETUP, "AssigneeId", "PermissionSetLicenseId"),
    [OBJECT_GROUP] = KEYED("Group", "Group", "Groups", "00G", group_fields, ALL | IS_SETUP, "Type",
                           "DeveloperName"),
    [OBJECT_GROUP_MEMBER] =
        KEYED("GroupMember", "Group Member", "Group Members", "011", member_fields,
              CAN_CREATE | CAN_DELETE | IS_SETUP, "GroupId", "UserOrGroupId"),
    [OBJECT_EMAIL_DOMAIN] =
        KEYED("AllowedEmailDomain", "Allowed Email Domain", "Allowed Email Domains", "1AE",
              domain_fields, ALL | IS_SETUP, "Domain"),
    [OBJECT_LEAD] = OBJECT("Lead", "Lead", "Leads", "00Q", lead_fields, ALL | HAS_BIN),
};

static const char *const kind_names[] = {
    "id",      "string",    "email",    "phone", "textarea",      "picklist",
    "boolean", "reference", "datetime", "int",   "address",       "date",
    "double",  "currency",  "percent",  "url",   "multipicklist",
};

const char *
field_kind_name(enum field_kind kind)
{
    return kind_names[kind];
}

bool
field_kind_of(const char *name, enum field_kind *ret)
{
    for (size_t i = 0; i < COUNT(kind_names); i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *ret = (enum field_kind)i;
            return true;
        }
    }
    return false;
}

bool
field_kind_is_number(enum field_kind kind)
{
    return kind == KIND_INT || kind == KIND_DOUBLE || kind == KIND_CURRENCY || kind == KIND_PERCENT;
}

bool
field_kind_is_text(enum field_kind kind)
{
    return kind != KIND_BOOLEAN && kind != KIND_ADDRESS && !field_kind_is_number(kind);
}

char *
field_key(const struct field_facts *field, const char *text)
{
    return field->flags & FIELD_CASE ? text_copy(text) : text_fold(text);
}
