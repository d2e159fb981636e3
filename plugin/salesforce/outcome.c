/*
 * The outcome table: what an error code of Salesforce, or a bare HTTP status, means for us, and
 * what to tell the admin. Pure: no I/O, no state. It decides the outcome only; when to try again
 * and what to park is for delivery/policy.c, the one renewal of a token on 401 for session.c.
 * Codes and texts: Salesforce fact sheet 1.3 (token) and 6.2 (data API). Salesforce translates its
 * messages, so a row looks at the text only where nothing else tells two causes apart.
 */
#include "plugin/salesforce/outcome.h"

#include <string.h>

#include "plugin/base/ascii.h"

#define TOKEN  SF_ON(SF_LEVEL_TOKEN)
#define CALL   SF_ON(SF_LEVEL_CALL)
#define RECORD SF_ON(SF_LEVEL_RECORD)

/* One meaning for reads and writes. */
#define BOTH(outcome) outcome, outcome

#define ASK_ADMIN "Correct it in Salesforce or in the identity server, then retry this user."
#define WAITS     "Nothing to do: it is tried again."
#define SETTLES   "Nothing to do: the connector reads the org back before it sends anything again."

/*
 * The first row that fits counts: rows that look at the text stand before the row that does not.
 * No row of RECORD holds the connector (design rule 16).
 */
static const struct sf_code rows[] = {
    /* ---- the token endpoint (fact sheet 1.3): all but a passing fault concerns everyone ---- */
    { TOKEN, "invalid_grant", "request not supported on this domain", BOTH(SF_HOLD),
      "The token endpoint is not the org's My Domain.",
      "Client credentials work on the My Domain only, not on login.salesforce.com or "
      "test.salesforce.com. Set 'token_endpoint' to https://<my domain>/services/oauth2/token." },
    { TOKEN, "invalid_grant", "no client credentials user", BOTH(SF_HOLD),
      "The external client app has no execution user.",
      "External Client App Manager > Policies > OAuth Flows: enable Client Credentials and enter "
      "the username (not the e-mail address) of the integration user in Run As." },
    /* the exact text is unsure (fact sheet 1.3) */
    { TOKEN, "invalid_grant", "client credentials flow", BOTH(SF_HOLD),
      "The client credentials flow is off.",
      "External Client App Manager > Settings > OAuth: enable the Client Credentials Flow, and "
      "again under Policies." },
    { TOKEN, "invalid_grant", "approved this consumer", BOTH(SF_HOLD),
      "The execution user has not approved the app.",
      "App Policies: set Permitted Users to 'Admin approved users are pre-authorized' and add the "
      "integration user's permission set." },
    { TOKEN, "invalid_grant", "assertion", BOTH(SF_HOLD),
      "Salesforce refused the signed assertion.",
      "Check the certificate of the app and the clock of this machine." },
    { TOKEN, "invalid_grant", "audience", BOTH(SF_HOLD), "Salesforce refused the audience.",
      "Use login.salesforce.com for production, test.salesforce.com for a sandbox." },
    { TOKEN, "invalid_grant", "inactive organization", BOTH(SF_HOLD),
      "The org is locked or closed.", "Ask Salesforce; check 'domain_name' if the org was moved." },
    { TOKEN, "invalid_grant", "inactive user", BOTH(SF_HOLD), "The execution user is inactive.",
      "Activate the integration user in Setup > Users, or choose another one in Run As." },
    /* both texts are unsure (fact sheet 1.3) */
    { TOKEN, "invalid_grant", "ip restricted", BOTH(SF_HOLD),
      "This machine's address is not allowed to log in.",
      "Add the address to the Login IP Ranges of the integration user's profile, or relax IP "
      "Relaxation in the app's policies." },
    { TOKEN, "invalid_grant", "login hours", BOTH(SF_HOLD),
      "The execution user may not log in at this hour.",
      "Remove the Login Hours from the integration user's profile." },
    { TOKEN, "invalid_grant", "expired access/refresh token", BOTH(SF_HOLD),
      "The refresh token has expired, or was revoked.",
      "Run `sfprov login` again, as the integration user; check the Refresh Token Policy of the "
      "app." },
    { TOKEN, "invalid_grant", NULL, BOTH(SF_HOLD), "Salesforce refused the credentials.",
      "Look at Setup > Login History for the reason. Check the Run As user and the policies of the "
      "external client app." },
    { TOKEN, "inactive_user", NULL, BOTH(SF_HOLD), "The execution user is inactive.",
      "Activate the integration user in Setup > Users, or choose another one in Run As." },
    { TOKEN, "inactive_org", NULL, BOTH(SF_HOLD), "The org is locked or closed.",
      "Ask Salesforce; check 'domain_name' if the org was moved." },
    { TOKEN, "invalid_app_access", NULL, BOTH(SF_HOLD),
      "The execution user may not use the external client app.",
      "App Policies: add a permission set or profile of the integration user." },
    { TOKEN, "invalid_client_id", NULL, BOTH(SF_HOLD), "Salesforce does not know the consumer key.",
      "Check 'client_id'. A new or changed app needs 2 to 10 minutes before its key works: if it "
      "is new, wait." },
    { TOKEN, "invalid_client", NULL, BOTH(SF_HOLD), "The consumer secret is wrong.",
      "Copy the Consumer Secret anew from the app's OAuth settings. After a rotation the old one "
      "stops to work; a new one needs a few minutes." },
    { TOKEN, "invalid_request", NULL, BOTH(SF_HOLD),
      "Salesforce does not accept the token request.",
      "Check that 'token_endpoint' is https and ends in /services/oauth2/token." },
    { TOKEN, "unsupported_grant_type", NULL, BOTH(SF_HOLD),
      "The app does not allow this OAuth flow.",
      "External Client App Manager > Settings > OAuth: enable the flow that 'flow' names "
      "(docs/login)." },
    { TOKEN, "invalid_scope", NULL, BOTH(SF_HOLD), "The app lacks an OAuth scope.",
      "Add the scope 'Manage user data via APIs (api)' to the app." },
    { TOKEN, "access_denied", NULL, BOTH(SF_HOLD),
      "The execution user may not use the external client app.",
      "App Policies: add a permission set or profile of the integration user." },
    { TOKEN, "rate_limit_exceeded", NULL, BOTH(SF_HOLD), "Too many logins of the execution user.",
      "Salesforce allows 3600 logins per user and hour. Give this connector a user of its own." },
    { TOKEN, "LOGIN_RATE_EXCEEDED", NULL, BOTH(SF_HOLD), "Too many logins of the execution user.",
      "Salesforce allows 3600 logins per user and hour. Give this connector a user of its own." },
    { TOKEN, "unknown_error", NULL, BOTH(SF_RETRY), "Salesforce could not issue a token just now.",
      WAITS },

    /* ---- credentials, limits and state of the org: a call concerns everyone ---- */
    { CALL, "INVALID_SESSION_ID", "not valid for use with the REST API", BOTH(SF_HOLD),
      "The execution user's session may not use the REST API.",
      "Give the integration user the permission API Enabled, and check the app's IP and session "
      "policies. A new login does not help." },
    { CALL, "INVALID_SESSION_ID", "not attached to Agent", BOTH(SF_HOLD),
      "The external client app is not allowed for this kind of user.",
      "Attach the app to the agent in Salesforce, or use an integration user." },
    { CALL, "INVALID_SESSION_ID", NULL, BOTH(SF_HOLD),
      "Salesforce refuses a token that it has just issued.",
      "Check that 'domain_name' and 'token_endpoint' name the same org, and the app's IP "
      "policies." },
    { CALL, "INVALID_AUTH_HEADER", NULL, BOTH(SF_HOLD), "Salesforce cannot read the credentials.",
      "Look for a proxy that changes the Authorization header." },
    { CALL, "REQUEST_LIMIT_EXCEEDED", "Concurrent", BOTH(SF_RETRY),
      "Too many long calls run at the same time in the org.", WAITS },
    /* unsure which texts there are beside TotalRequests: what is not "Concurrent" holds */
    { CALL, "REQUEST_LIMIT_EXCEEDED", NULL, BOTH(SF_HOLD),
      "The org has used up its API calls of the last 24 hours.",
      "Setup > Company Information shows the use. Find the program that uses them, or buy more." },
    { CALL, "API_DISABLED_FOR_ORG", NULL, BOTH(SF_HOLD), "The org's edition has no API.",
      "Use Enterprise, Unlimited, Performance or Developer Edition, or add the API to "
      "Professional." },
    { CALL, "API_CURRENTLY_DISABLED", NULL, BOTH(SF_HOLD), "The API is off for the execution user.",
      "Give the integration user the permission API Enabled." },
    { CALL, "FUNCTIONALITY_NOT_ENABLED", NULL, BOTH(SF_HOLD),
      "The API is off for the execution user.",
      "Give the integration user the permission API Enabled." },
    { CALL, "INSUFFICIENT_ACCESS", NULL, BOTH(SF_HOLD), "The execution user lacks a permission.",
      "Give the integration user Manage Users and API Enabled by a permission set." },
    { CALL, "INSUFFICIENT_ACCESS_OR_READONLY", NULL, BOTH(SF_HOLD),
      "The execution user lacks a permission.",
      "Give the integration user Manage Users and API Enabled by a permission set." },
    { CALL, "INVALID_TYPE", NULL, SF_REFUSED, SF_HOLD,
      "The execution user cannot see this kind of object.",
      "Give the integration user Manage Users and View Setup and Configuration." },
    { CALL, "INVALID_TYPE_FOR_OPERATION", NULL, SF_REFUSED, SF_HOLD,
      "The execution user may not do this with the object.",
      "Give the integration user Manage Users by a permission set." },
    { CALL, "NOT_FOUND", NULL, BOTH(SF_HOLD), "The org does not know the address of the API.",
      "Check 'domain_name' and 'api_version'." },
    { CALL, "UNSUPPORTED_API_VERSION", NULL, BOTH(SF_HOLD), "The API version is retired.",
      "Set 'api_version' to one that the org offers." },
    { CALL, "METHOD_NOT_ALLOWED", NULL, BOTH(SF_HOLD), "The method of the call is not allowed.",
      "Look for a proxy that forbids PATCH; check 'api_version'." },
    { CALL, "UNSUPPORTED_MEDIA_TYPE", NULL, BOTH(SF_HOLD), "Salesforce does not take JSON here.",
      "Check 'domain_name' and 'api_version'." },
    /* read-only maintenance: the code itself says that nothing was written */
    { CALL, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", NULL, BOTH(SF_HOLD),
      "The org is in maintenance and read-only.", "See trust.salesforce.com. " WAITS },
    { CALL, "SERVICE_UNAVAILABLE", NULL, BOTH(SF_HOLD), "The org is in maintenance.",
      "See trust.salesforce.com. " WAITS },

    /* ---- a call that may pass; a write may have been done (fact sheet 6.1 UNKNOWN) ---- */
    /* "Server too busy" looks like a refusal at the door, but nobody promises that a write was not
     * begun: the fact sheet says unknown for a POST, and reading back costs only time */
    { CALL, "SERVER_UNAVAILABLE", NULL, SF_RETRY, SF_UNKNOWN, "Salesforce is too busy.", SETTLES },
    { CALL, "REQUEST_RUNNING_TOO_LONG", NULL, SF_RETRY, SF_UNKNOWN,
      "The call ran longer than Salesforce allows.", SETTLES },
    { CALL | RECORD, "UNKNOWN_EXCEPTION", NULL, SF_RETRY, SF_UNKNOWN,
      "Salesforce failed inside; its message holds an error number for Salesforce support.",
      SETTLES },
    { CALL | RECORD, "APEX_ERROR", NULL, SF_RETRY, SF_UNKNOWN,
      "Apex code of the org failed while it worked on the user.",
      "Show the message to who maintains the org's Apex triggers. The connector reads the org back "
      "before it sends anything again." },
    { CALL | RECORD, "INTERNAL_ERROR", NULL, SF_RETRY, SF_UNKNOWN, "Salesforce failed inside.",
      SETTLES },
    { CALL | RECORD, "UNABLE_TO_LOCK_ROW", NULL, BOTH(SF_RETRY),
      "Something else changes the user, its role or its groups at this moment.", WAITS },
    { CALL | RECORD, "QUERY_TIMEOUT", NULL, BOTH(SF_RETRY), "Salesforce took too long to search.",
      WAITS },
    { CALL | RECORD, "TXN_SECURITY_METERING_ERROR", NULL, BOTH(SF_RETRY),
      "A transaction security policy has reached its limit.",
      "If it lasts, look at Setup > Transaction Security Policies. " WAITS },
    /* bisecting the call makes it smaller */
    { CALL | RECORD, "OPERATION_TOO_LARGE", NULL, BOTH(SF_REFUSED),
      "The call concerns too many rows.", "Ask for fewer users at a time." },
    { CALL, "INVALID_QUERY_LOCATOR", NULL, BOTH(SF_RETRY),
      "The list was not read to its end in time.", "Nothing to do: it is read from the start." },

    /* ---- the same codes on one record: they pass, they never hold ---- */
    { RECORD, "INVALID_SESSION_ID", NULL, BOTH(SF_RETRY), "The session ended during the call.",
      WAITS },
    { RECORD, "REQUEST_LIMIT_EXCEEDED", NULL, BOTH(SF_RETRY), "A limit of the org was reached.",
      WAITS },
    { RECORD, "SERVER_UNAVAILABLE", NULL, BOTH(SF_RETRY), "Salesforce was too busy for this user.",
      WAITS },
    { RECORD, "SERVICE_UNAVAILABLE", NULL, BOTH(SF_RETRY), "The org is in maintenance.", WAITS },
    { RECORD, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", NULL, BOTH(SF_RETRY),
      "The org is in maintenance and read-only.", WAITS },
    { RECORD, "REQUEST_RUNNING_TOO_LONG", NULL, BOTH(SF_UNKNOWN),
      "The call ran longer than Salesforce allows.", SETTLES },
    /* the whole call: bisected, and in the end only the real error is there */
    { CALL, "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL, BOTH(SF_REFUSED),
      "Another user of the same call was refused.", WAITS },
    { CALL, "PROCESSING_HALTED", NULL, BOTH(SF_REFUSED),
      "Another user of the same call was refused.", WAITS },
    { RECORD, "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL, BOTH(SF_RETRY),
      "Another user of the same call was refused.", WAITS },
    { RECORD, "PROCESSING_HALTED", NULL, BOTH(SF_RETRY),
      "Another user of the same call was refused.", WAITS },

    /* ---- a trigger, flow or rule of the org ---- */
    { CALL | RECORD, "CANNOT_EXECUTE_FLOW_TRIGGER", "UNABLE_TO_LOCK_ROW", BOTH(SF_RETRY),
      "A flow of the org met a lock.", WAITS },
    { CALL | RECORD, "CANNOT_EXECUTE_FLOW_TRIGGER", NULL, BOTH(SF_REFUSED),
      "A flow or process of the org failed.",
      "Give the message to who maintains the org's flows (Setup > Flows), then retry this user." },
    { CALL | RECORD, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "UNABLE_TO_LOCK_ROW", BOTH(SF_RETRY),
      "A trigger of the org met a lock.", WAITS },
    { CALL | RECORD, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", NULL, BOTH(SF_REFUSED),
      "A trigger of the org failed, or the execution user may not create users.",
      "If the message names a trigger, give it to who maintains the org's Apex. Else give the "
      "integration user Manage Users." },
    { CALL | RECORD, "FIELD_CUSTOM_VALIDATION_EXCEPTION", NULL, BOTH(SF_REFUSED),
      "A validation rule of the org refuses the values.",
      "Meet the rule (Setup > Object Manager > User > Validation Rules), or exempt the integration "
      "user from it." },
    { CALL | RECORD, "MIXED_DML_OPERATION", NULL, BOTH(SF_REFUSED),
      "A trigger or flow on User changes business records in the same transaction.",
      "Let the trigger or flow do that part asynchronously." },
    { CALL | RECORD, "APEX_DATA_ACCESS_RESTRICTION", NULL, BOTH(SF_REFUSED),
      "Apex code of the org may not see the data.",
      "Check the permissions of the integration user." },

    /* ---- names that are taken ---- */
    { CALL | RECORD, "DUPLICATE_USERNAME", NULL, BOTH(SF_REFUSED),
      "The username is taken, in this org or in any other one.",
      "Usernames are unique over all orgs, and inactive users keep theirs. Change the pattern or "
      "'provisioning_domain', free the name in the other org, or match the user." },
    { CALL | RECORD, "DUPLICATE_COMM_NICKNAME", NULL, BOTH(SF_REFUSED),
      "Another user has this nickname.",
      "Map CommunityNickname to something unique, or leave it out." },
    { CALL | RECORD, "DUPLICATE_VALUE", NULL, BOTH(SF_REFUSED),
      "Another user has the same value in a unique field.",
      "The message names the field or the record. Correct the value, or match the user." },
    { CALL | RECORD, "DUPLICATE_EXTERNAL_ID", NULL, BOTH(SF_REFUSED),
      "Several users have this external id.", "Correct the external id in Salesforce." },
    { CALL | RECORD, "DUPLICATES_DETECTED", NULL, BOTH(SF_REFUSED),
      "A duplicate rule of the org found a similar record.",
      "Setup > Duplicate Rules: exempt the integration user, or correct the values." },
    { CALL | RECORD, "PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT", NULL, BOTH(SF_REFUSED),
      "The contact has a portal user already.", "Match the user instead of creating it." },

    /* ---- licences and state of users ---- */
    { CALL | RECORD, "LICENSE_LIMIT_EXCEEDED", NULL, BOTH(SF_REFUSED),
      "No free licence for the user's profile or for a feature of it.",
      "Setup > Company Information > User Licenses and Feature Licenses: free or buy one, or map "
      "another profile. It is tried again by itself, each hour and when a user of ours leaves." },
    { CALL | RECORD, "CANNOT_DISABLE_LAST_ADMIN", NULL, BOTH(SF_REFUSED),
      "The user is the last active administrator.", "Make somebody else an administrator first." },
    { CALL | RECORD, "CANNOT_FREEZE_SELF", NULL, BOTH(SF_REFUSED),
      "The execution user cannot freeze itself.",
      "Take the integration user out of the scope of provisioning." },
    { CALL | RECORD, "INACTIVE_OWNER_OR_USER", NULL, BOTH(SF_REFUSED),
      "An inactive user would own the record.", "Activate the user that the message names." },
    { CALL | RECORD, "INVALID_READ_ONLY_USER_DML", NULL, BOTH(SF_REFUSED),
      "A read-only user cannot change anything.", "Choose another integration user." },
    { CALL | RECORD, "MANAGER_NOT_DEFINED", NULL, BOTH(SF_REFUSED),
      "An approval process needs a manager.", "Set the user's manager." },
    { CALL | RECORD, "CIRCULAR_DEPENDENCY", NULL, BOTH(SF_REFUSED),
      "The user would be above its own manager.",
      "Correct the manager. It is tried again when another user's manager has changed." },
    { CALL | RECORD, "ENTITY_IS_LOCKED", NULL, BOTH(SF_REFUSED),
      "An approval process locks the record.", "Finish the approval, or unlock the record." },
    { CALL | RECORD, "RECORD_LOCKED", NULL, BOTH(SF_REFUSED),
      "An approval process locks the record.", "Finish the approval, or unlock the record." },
    { CALL | RECORD, "DELETE_NOT_ALLOWED", NULL, BOTH(SF_REFUSED),
      "Users of Salesforce cannot be deleted.", "Deactivate the user." },
    { CALL | RECORD, "ENTITY_IS_DELETED", NULL, BOTH(SF_REFUSED),
      "The record was deleted in Salesforce.", ASK_ADMIN },
    { RECORD, "NOT_FOUND", NULL, BOTH(SF_REFUSED), "Salesforce does not know this id.",
      "The stored Salesforce id is stale: relink the user." },

    /* ---- permissions, as far as one record is concerned ---- */
    { RECORD, "INSUFFICIENT_ACCESS", NULL, BOTH(SF_REFUSED),
      "The execution user may not change this user.",
      "The integration user needs Manage Users; a user of a higher profile or role can be out of "
      "its reach." },
    { RECORD, "INSUFFICIENT_ACCESS_OR_READONLY", NULL, BOTH(SF_REFUSED),
      "The execution user may not change this user.",
      "The integration user needs Manage Users; a user of a higher profile or role can be out of "
      "its reach." },
    { CALL | RECORD, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", NULL, BOTH(SF_REFUSED),
      "The execution user may not refer to a record that the values name.",
      "Check the profile, role and manager ids, and what the integration user may see." },
    { RECORD, "API_DISABLED_FOR_ORG", NULL, BOTH(SF_REFUSED), "The org's edition has no API.",
      ASK_ADMIN },
    { RECORD, "API_CURRENTLY_DISABLED", NULL, BOTH(SF_REFUSED),
      "The API is off for the execution user.",
      "Give the integration user the permission API Enabled." },
    { RECORD, "FUNCTIONALITY_NOT_ENABLED", NULL, BOTH(SF_REFUSED),
      "A feature that the values need is off in the org.", ASK_ADMIN },
    { RECORD, "INVALID_TYPE", NULL, BOTH(SF_REFUSED),
      "The execution user cannot see this kind of object.",
      "Give the integration user Manage Users and View Setup and Configuration." },
    { RECORD, "INVALID_TYPE_FOR_OPERATION", NULL, BOTH(SF_REFUSED),
      "The execution user may not do this with the object.",
      "Give the integration user Manage Users by a permission set." },

    /* ---- values ---- */
    { CALL | RECORD, "REQUIRED_FIELD_MISSING", NULL, BOTH(SF_REFUSED), "A required field is empty.",
      "Fill it in the identity server, or give it a default in the mapping." },
    { CALL | RECORD, "STRING_TOO_LONG", NULL, BOTH(SF_REFUSED), "A value is too long.",
      "Shorten it in the identity server, or cut it in the mapping." },
    { CALL | RECORD, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", NULL, BOTH(SF_REFUSED),
      "A value is not in the list that Salesforce allows.",
      "The message names field and value: correct the mapping of time zone, locale or language." },
    { CALL | RECORD, "INVALID_EMAIL_ADDRESS", "Must be in domain", BOTH(SF_REFUSED),
      "The org takes e-mail addresses of certain domains only, and the user's is of none of them.",
      "Add the domain in Setup > Allowed Email Domains, or correct the address in the identity "
      "server. Who is to be deactivated leaves with the correction, and is kept frozen "
      "meanwhile." },
    { CALL | RECORD, "INVALID_EMAIL_ADDRESS", NULL, BOTH(SF_REFUSED),
      "The e-mail address or username has a wrong form, or its domain is not allowed.",
      "Correct it; see also Setup > Allowed Email Domains. A username must look like an e-mail "
      "address." },
    /* State and Country/Territory picklists (Salesforce Help, "Field-Syncing Logic") */
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", "list of valid countries", BOTH(SF_REFUSED),
      "The org has a list of countries, and the user's is not in it as it is written.",
      "Country takes the name that the list has, CountryCode its two letters: map the one that the "
      "identity server has (docs/mapping.md has an example). The list is Setup > State and "
      "Country/Territory Picklists." },
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", "list of valid states", BOTH(SF_REFUSED),
      "The org has a list of states, and the user's is not in it as it is written.",
      "State takes the name that the list has, StateCode its code: map the one that the identity "
      "server has (docs/mapping.md has an example). Most countries have no states in it: see Setup "
      "> State and Country/Territory Picklists." },
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", "recognize the state value", BOTH(SF_REFUSED),
      "The user's state is not one of the user's country.",
      "Correct country or state in the identity server, or add the state to the country's list: "
      "Setup > State and Country/Territory Picklists. Of who is to be deactivated, correct it in "
      "Salesforce." },
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", "before specifying a state", BOTH(SF_REFUSED),
      "The user has a state and no country, and the org has a list of both.",
      "Give the user a country in the identity server, or the rule for the country a "
      "\"default\"." },
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", "value and ISO code", BOTH(SF_REFUSED),
      "The mapping fills a name and a code of the address, and they are not the same place.",
      "Map Country or CountryCode, and State or StateCode: Salesforce fills the other one." },
    { CALL | RECORD, "FIELD_INTEGRITY_EXCEPTION", NULL, BOTH(SF_REFUSED),
      "Values do not go together, or the user is still needed somewhere in the org.",
      "Follow the message. A user who is default owner, approver or value of a hierarchy field "
      "must be replaced there before deactivation; the connector keeps who leaves frozen "
      "meanwhile." },
    { CALL | RECORD, "INVALID_CROSS_REFERENCE_KEY", NULL, BOTH(SF_REFUSED),
      "A profile, role, manager or other id does not exist in this org.",
      "Correct the mapping: ids differ between production and sandbox, use names." },
    { CALL | RECORD, "INVALID_PROFILE", NULL, BOTH(SF_REFUSED),
      "The profile does not exist or does not fit the user.", "Correct the profile mapping." },
    { CALL | RECORD, "INVALID_USER_OBJECT", NULL, BOTH(SF_REFUSED), "Not a usable user.",
      ASK_ADMIN },
    { CALL | RECORD, "MALFORMED_ID", NULL, BOTH(SF_REFUSED),
      "An id is not one, or of another kind.", "Correct the id that the message names." },
    { CALL | RECORD, "MISSING_ARGUMENT", NULL, BOTH(SF_REFUSED), "An id is missing.", ASK_ADMIN },
    { CALL | RECORD, "INVALID_FIELD", NULL, BOTH(SF_REFUSED),
      "A field does not exist or is hidden from the execution user.",
      "Check the name (custom fields end in __c) and its field-level security for the integration "
      "user." },
    { CALL | RECORD, "INVALID_FIELD_FOR_INSERT_UPDATE", NULL, BOTH(SF_REFUSED),
      "A field cannot be written.",
      "Take it out of the mapping, or give the integration user edit access to it in field-level "
      "security." },
    { CALL | RECORD, "INVALID_NEW_PASSWORD", NULL, BOTH(SF_REFUSED),
      "The password does not meet the org's policy.",
      "See Setup > Password Policies, or the profile's." },
    { CALL, "MALFORMED_QUERY", NULL, BOTH(SF_REFUSED), "Salesforce cannot read the query.",
      "Check field names in the mapping and in 'match'." },
    { CALL, "NUMBER_OUTSIDE_VALID_RANGE", NULL, BOTH(SF_REFUSED),
      "Salesforce cannot answer a query of this size.", "Ask for fewer users at a time." },
    { RECORD, "NUMBER_OUTSIDE_VALID_RANGE", NULL, BOTH(SF_REFUSED),
      "A number is larger or smaller than its field takes.",
      "Correct it in the identity server or in the mapping." },
    { CALL | RECORD, "JSON_PARSER_ERROR", NULL, BOTH(SF_REFUSED),
      "A value has a type that its field does not take.",
      "Correct the mapping of the field that the message names." },
};

/*
 * What keeps a user from being deactivated (fact sheet 3.7; help.salesforce.com 000384586, 000384761,
 * 000383178, 000386638).
 * Salesforce tells them apart by the text alone, and the code is unsure: so the text counts under
 * FIELD_INTEGRITY_EXCEPTION and under every code that is not in the table.
 */
#define BLOCKER(text, cause, remedy)                                                               \
    {                                                                                              \
        RECORD | CALL, "FIELD_INTEGRITY_EXCEPTION", text, BOTH(SF_REFUSED), cause, remedy          \
    }

static const struct sf_code blockers[] = {
    BLOCKER("hierarchy field", "The user is the value of a hierarchy field of other users.",
            "Put somebody else, or nobody, into the field that the message names."),
    BLOCKER("web to lead", "The user is the default creator of web-to-lead.",
            "Choose somebody else in Setup > Web-to-Lead, Default Lead Creator."),
    BLOCKER("lead owner", "The user is the org's default owner of leads.",
            "Choose somebody else in Setup > Lead Settings."),
    BLOCKER("owner of leads", "The user is the org's default owner of leads.",
            "Choose somebody else in Setup > Lead Settings."),
    BLOCKER("case owner", "The user is the org's default owner of cases.",
            "Choose somebody else in Setup > Support Settings."),
    BLOCKER("owner of cases", "The user is the org's default owner of cases.",
            "Choose somebody else in Setup > Support Settings."),
    BLOCKER("escalation rule", "An assignment or escalation rule of cases names the user.",
            "Choose somebody else in Setup > Case Assignment Rules and Escalation Rules (there in "
            "the escalation actions too); rules that are not active count as well."),
    BLOCKER("automated case", "The user is the org's automated case user.",
            "Choose somebody else in Setup > Support Settings."),
    BLOCKER("workflow user", "The user is the org's default workflow user.",
            "Choose somebody else in Setup > Process Automation Settings."),
    BLOCKER("email alert", "The user is the only recipient of a workflow email alert.",
            "Choose somebody else in Setup > Email Alerts."),
    BLOCKER("workflow", "A workflow rule or field update names the user.",
            "Choose somebody else in Setup > Workflow Rules and Workflow Actions."),
    BLOCKER("approv", "The user is an approver in an approval process.",
            "Choose somebody else in Setup > Approval Processes."),
    BLOCKER("assignment rule", "An assignment rule of leads or cases names the user.",
            "Choose somebody else in Setup > Lead Assignment Rules or Case Assignment Rules."),
    BLOCKER("auto-response", "An auto-response rule of leads or cases names the user.",
            "Choose somebody else in Setup > Auto-Response Rules."),
    BLOCKER("portal administrator", "The user is the administrator of a portal.",
            "Choose somebody else in Setup > Customer Portal Settings or Partners > Settings."),
};

/* What a bare HTTP status says on call level (fact sheet 2.12); the first range that fits counts. */
static const struct sf_status statuses[] = {
    { 200, 299, BOTH(SF_DELIVERED), "", "" },
    { 300, 300, BOTH(SF_REFUSED), "Several records fit.", "Correct the id in Salesforce." },
    { 301, 399, BOTH(SF_HOLD), "The address leads to another one, which is not followed.",
      "Set 'domain_name' to the org's My Domain: https://<name>.my.salesforce.com." },
    { 401, 401, BOTH(SF_HOLD), "Salesforce did not accept the credentials.",
      "Check the external client app and its policies." },
    { 403, 403, BOTH(SF_HOLD), "Access is forbidden for the execution user or for this machine.",
      "Check permissions of the integration user and IP policies; look for a proxy between." },
    { 404, 404, BOTH(SF_HOLD), "This address is not known there.",
      "Check 'domain_name' and 'api_version'." },
    { 405, 405, BOTH(SF_HOLD), "The method of the call is not allowed.",
      "Look for a proxy that forbids PATCH; check 'api_version'." },
    { 407, 407, BOTH(SF_HOLD), "The proxy wants credentials.", "Correct the proxy settings." },
    { 408, 408, SF_RETRY, SF_UNKNOWN, "The other side waited too long for the call.", SETTLES },
    { 410, 410, BOTH(SF_HOLD), "The API version is retired.",
      "Set 'api_version' to one that the org offers." },
    { 415, 415, BOTH(SF_HOLD), "The content type is not accepted.",
      "Check 'domain_name' and 'api_version'." },
    { 420, 420, BOTH(SF_RETRY), "Salesforce cannot route to the org at this moment.",
      "If it lasts, check 'domain_name' and trust.salesforce.com." },
    { 429, 429, BOTH(SF_RETRY), "Too many calls at a time.", WAITS },
    { 400, 499, BOTH(SF_REFUSED), "The call was refused.", "Follow the message of Salesforce." },
    { 500, 599, SF_RETRY, SF_UNKNOWN, "Salesforce failed, or is in maintenance.",
      "See trust.salesforce.com. " SETTLES },
};

static struct sf_verdict
verdict(enum sf_outcome outcome, const char *cause, const char *remedy)
{
    return (struct sf_verdict){ outcome, cause, remedy, false };
}

static bool
says(const struct sf_code *row, const char *message)
{
    return !row->text || (message && ascii_find(message, row->text));
}

static const struct sf_code *
find_blocker(enum sf_level level, const char *message)
{
    for (size_t i = 0; i < sizeof(blockers) / sizeof(blockers[0]); i++) {
        if ((blockers[i].levels & SF_ON(level)) && says(&blockers[i], message))
            return &blockers[i];
    }
    return NULL;
}

static const struct sf_code *
find_row(enum sf_level level, const char *code, const char *message)
{
    const struct sf_code *blocker = find_blocker(level, message);

    if (blocker && strcmp(code, blocker->code) == 0)
        return blocker;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sf_code *row = &rows[i];
        if ((row->levels & SF_ON(level)) && strcmp(row->code, code) == 0 && says(row, message))
            return row;
    }
    return level == SF_LEVEL_RECORD ? blocker : NULL;
}

/* A call without a code that we know. */
static struct sf_verdict
judge_status(int http_status, int write)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        const struct sf_status *row = &statuses[i];
        if (http_status >= row->first && http_status <= row->last)
            return verdict(write ? row->on_write : row->on_read, row->cause, row->remedy);
    }
    return verdict(write ? SF_UNKNOWN : SF_RETRY, "There was no answer that can be understood.",
                   SETTLES);
}

/* A token request without a code that we know. It changes nothing in the org, so it is no write. */
static struct sf_verdict
judge_token_status(int http_status)
{
    if (http_status >= 500 || http_status == 0 || http_status == 408 || http_status == 420)
        return verdict(SF_RETRY, "The token endpoint failed.", "See trust.salesforce.com. " WAITS);
    if (http_status == 429)
        return verdict(SF_HOLD, "Too many logins of the execution user.",
                       "Salesforce allows 3600 logins per user and hour. Give this connector a "
                       "user of its own.");
    return verdict(SF_HOLD, "The token endpoint did not issue a token.",
                   "Check that 'token_endpoint' is https://<my domain>/services/oauth2/token, and "
                   "the external client app.");
}

struct sf_verdict
sf_judge(enum sf_level level, int http_status, const char *code, const char *message, int write)
{
    const struct sf_code *row = code ? find_row(level, code, message) : NULL;

    if (level == SF_LEVEL_RECORD)
        write = 1;
    if (row)
        return (struct sf_verdict){ write ? row->on_write : row->on_read, row->cause, row->remedy,
                                    true };
    if (level == SF_LEVEL_TOKEN)
        return judge_token_status(http_status);
    if (level == SF_LEVEL_RECORD)
        return verdict(SF_REFUSED, "Salesforce refuses the user.",
                       "Follow the message of Salesforce, then retry this user.");
    return judge_status(http_status, write);
}

const struct sf_code *
sf_codes(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct sf_code *
sf_blockers(size_t *ret_count)
{
    *ret_count = sizeof(blockers) / sizeof(blockers[0]);
    return blockers;
}

const struct sf_status *
sf_statuses(size_t *ret_count)
{
    *ret_count = sizeof(statuses) / sizeof(statuses[0]);
    return statuses;
}

const char *
sf_outcome_name(enum sf_outcome outcome)
{
    static const char *const names[] = { "delivered", "retry", "refused", "hold", "unknown" };

    if ((size_t)outcome >= sizeof(names) / sizeof(names[0]))
        return "unknown";
    return names[outcome];
}
