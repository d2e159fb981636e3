/* The connector fields: names, aliases, types, defaults, limits and help, once. The parser, the
 * JSON Schema, the sample file and the manual are made from this table; rules that join several
 * fields (a login host with client credentials) stand in fields.c. */
#include "schema/fields_table.h"

#include <string.h>

#include "schema/fields.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): a designator cannot stand in parentheses */
#define MEMBER(member, kind)                                                                       \
    .name = #member, .type = kind, .offset = offsetof(struct fields, member)
/* NOLINTEND(bugprone-macro-parentheses) */
#define TEXT(member)    MEMBER(member, FIELD_TEXT)
#define SWITCH(member)  MEMBER(member, FIELD_BOOLEAN)
#define INTEGER(member) MEMBER(member, FIELD_INTEGER)

#define CONNECTION "Connection"
#define NAMES      "Usernames"
#define USERS      "Users"
#define SCOPE      "Scope"
#define DELIVERY   "Store and delivery"

static const struct field_row rows[] = {
    { TEXT(domain_name), .alias = "sf-domain-name", .flags = FIELD_REQUIRED, .group = CONNECTION,
      .title = "Domain Name",
      .help = "My Domain of the org: https://acme.my.salesforce.com, or just acme. A sandbox, "
              "developer or government host is taken as well, and a host copied from the "
              "Lightning pages is turned into it. Not login.salesforce.com or "
              "test.salesforce.com. Plain http is for a simulated org on this machine only.",
      .sample = "<https://your-domain.my.salesforce.com>" },
    { TEXT(api_version), .alias = "sf-api-version", .flags = FIELD_NUMERIC, .fallback = "v67.0",
      .group = CONNECTION, .title = "API version",
      .help = "Version of the Salesforce API: v67.0, 67.0 or 67. At least 41; 41 itself is raised "
              "to 42, the first version with sObject Collections. Salesforce promises three years "
              "for each version." },
    { TEXT(token_endpoint), .alias = "sf-token-endpoint", .group = CONNECTION,
      .title = "OAuth2 Token Endpoint",
      .help = "Where access tokens are fetched. Without it: login_host, else domain_name, with "
              "/services/oauth2/token. Client credentials work at My Domain only, not at "
              "login.salesforce.com." },
    { TEXT(login_host), .group = CONNECTION, .title = "Login host",
      .help = "Where to log in instead of the My Domain, by every flow but client credentials: "
              "production (login.salesforce.com), sandbox (test.salesforce.com), or an address. It "
              "also is the audience of a JWT; without it that follows from domain_name." },
    { TEXT(flow), .group = CONNECTION, .title = "OAuth flow",
      .help =
          "How to log in: client_credentials, jwt_bearer, refresh_token or password. Without it "
          "the flow follows from what is filled in: private_key means jwt_bearer, refresh_token "
          "means refresh_token, use_password_grant means password, and client_secret alone "
          "client_credentials. refresh_token with a token of sfprov login has to be said." },
    { TEXT(client_id), .alias = "sf-clientid", .flags = FIELD_REQUIRED, .group = CONNECTION,
      .title = "Client ID", .help = "Consumer key of the External Client App or connected app.",
      .sample = "<consumer key>" },
    { TEXT(client_secret), .alias = "sf-client-secret", .flags = FIELD_SECRET, .group = CONNECTION,
      .title = "Client Secret",
      .help = "Consumer secret of the same app. Needed by every flow but jwt_bearer; by "
              "refresh_token only if the app requires it.",
      .sample = "<consumer secret>" },
    { TEXT(username), .alias = "sf-username", .group = CONNECTION, .title = "Username",
      .help = "Salesforce username (not the e-mail address) of the user who is acted for, by "
              "jwt_bearer and password. Client credentials need none: there the app names the "
              "Run-As user." },
    { TEXT(private_key), .flags = FIELD_SECRET | FIELD_LINES, .group = CONNECTION,
      .title = "Private key",
      .help = "Of the JWT bearer flow: an RSA key of 2048 bits or more in PEM or PKCS#12, whose "
              "certificate was uploaded to the app; as a rule file:/etc/sfprov/salesforce.key." },
    { TEXT(private_key_next), .flags = FIELD_SECRET | FIELD_LINES, .group = CONNECTION,
      .title = "Next private key",
      .help = "A second key while the certificate of the app is changed. The first of the two that "
              "Salesforce accepts is used, and sfprov check says which." },
    { TEXT(private_key_password), .flags = FIELD_SECRET | FIELD_VERBATIM, .group = CONNECTION,
      .title = "Password of the keys",
      .help = "What opens the private keys, if they are encrypted." },
    { TEXT(certificate), .group = CONNECTION, .title = "Certificate",
      .help =
          "Absolute path of the certificate of private_key, PEM or DER, so that sfprov check can "
          "warn before it expires. Not needed where it stands in the file of the key." },
    { TEXT(refresh_token), .flags = FIELD_SECRET, .group = CONNECTION, .title = "Refresh token",
      .help = "Of the refresh_token flow: a token that was fetched elsewhere. sfprov login fetches "
              "one and keeps it sealed, then this field stays empty." },
    { TEXT(password), .alias = "sf-password", .flags = FIELD_SECRET | FIELD_VERBATIM | FIELD_LEGACY,
      .group = CONNECTION, .title = "Password",
      .help =
          "Password of the API user, for the legacy flow password only. It is not a password for "
          "provisioned users." },
    { TEXT(security_token), .flags = FIELD_SECRET | FIELD_LEGACY, .group = CONNECTION,
      .title = "Security token",
      .help =
          "Security token of the API user, for the legacy flow password, unless it stands behind "
          "the password already. Not needed from a trusted IP address." },
    { SWITCH(use_password_grant), .alias = "sf-usePasswordGrant", .flags = FIELD_LEGACY,
      .fallback = "false", .group = CONNECTION, .title = "Use OAuth username-password flow",
      .help = "WSO2's way to say that flow is password. Salesforce blocks that flow by default in "
              "orgs created since Summer '23, and External Client Apps do not support it: move to "
              "client_credentials or jwt_bearer." },
    { MEMBER(allowed_hosts, FIELD_NAMES), .group = CONNECTION, .title = "Allowed hosts",
      .help =
          "Hosts beyond Salesforce's own that the access token may be sent to, when a token reply "
          "names one as the instance: a list, or a text with commas. For a gateway of your own "
          "before Salesforce." },
    { TEXT(ca_file), .group = CONNECTION, .title = "Certificate authorities",
      .help = "Absolute path of a PEM file with the certificate authorities to trust, instead of "
              "the system's: for a company proxy that opens TLS, or to trust fewer. Without it: "
              "the system's. The certificate is always checked, by TLS 1.2 or later." },
    { TEXT(tls_pin), .group = CONNECTION, .title = "Pinned key",
      .help =
          "The public key that Salesforce's certificate must have, beside being good: sha256// and "
          "44 letters of base64, or several with ; between. Salesforce changes its keys without "
          "a word, so this is for a gateway of your own." },
    { TEXT(client_certificate), .group = CONNECTION, .title = "Client certificate",
      .help =
          "Absolute path of a PEM file with the certificate to show, for a gateway or an org with "
          "mutual TLS. With client_key." },
    { TEXT(client_key), .flags = FIELD_SECRET | FIELD_LINES, .group = CONNECTION,
      .title = "Client key", .help = "The private key of client_certificate, PEM, not encrypted." },
    { TEXT(proxy), .group = CONNECTION, .title = "Proxy",
      .help = "URL of the proxy to Salesforce, http://proxy.acme.com:3128, without a user name. "
              "Without "
              "it https_proxy and no_proxy of the environment count. What is sent is inside TLS "
              "there, too." },
    { TEXT(proxy_username), .group = CONNECTION, .title = "Proxy user",
      .help = "User name for the proxy." },
    { TEXT(proxy_password), .flags = FIELD_SECRET | FIELD_VERBATIM, .group = CONNECTION,
      .title = "Proxy password", .help = "Password for the proxy." },
    { INTEGER(connect_timeout_s), .fallback = "10", .minimum = 1, .maximum = 120, .unit = "seconds",
      .group = CONNECTION, .title = "Connect timeout",
      .help = "How long it may take until a request can be sent: name, connection, proxy and TLS "
              "together." },
    { INTEGER(request_timeout_s), .fallback = "120", .minimum = 1, .maximum = 600,
      .unit = "seconds", .group = CONNECTION, .title = "Request timeout",
      .help = "How long a call may take from its begin to the last byte of the answer. Salesforce "
              "works on a call for at most 10 minutes." },
    { TEXT(provisioning_pattern), .alias = "sf-prov-pattern", .flags = FIELD_PLAN,
      .fallback = "{UN}", .group = NAMES, .title = "Provisioning Pattern",
      .help =
          "What the username is built from: UD (user store domain), UN (user name), TD "
          "(tenant domain) and IDP (identity provider), in any order, such as {UD,UN,TD,IDP}." },
    { TEXT(provisioning_separator), .alias = "sf-prov-separator",
      .flags = FIELD_PLAN | FIELD_VERBATIM, .fallback = "_", .group = NAMES,
      .title = "Provisioning Separator", .help = "What stands between the parts of the pattern." },
    { TEXT(provisioning_domain), .alias = "sf-prov-domainName", .flags = FIELD_PLAN, .group = NAMES,
      .title = "Provisioning Domain",
      .help = "Domain of the usernames, such as acme.com: an @ in the name becomes a dot, and "
              "@acme.com is appended. Without it the name must be an e-mail address by itself." },
    { TEXT(identity_provider), .alias = "identityProviderName", .flags = FIELD_PLAN, .group = NAMES,
      .title = "Identity provider",
      .help = "Name of the identity provider, for IDP in the pattern. Needed if the pattern uses "
              "it." },
    { TEXT(tenant_domain), .flags = FIELD_PLAN, .group = NAMES, .title = "Tenant domain",
      .help = "For TD in the pattern. Without it: carbon.super." },
    { TEXT(user_domain), .flags = FIELD_PLAN, .group = NAMES, .title = "User store domain",
      .help = "For UD in the pattern, when a user name has no store prefix of its own. Without "
              "it: PRIMARY." },
    { TEXT(issuer), .group = NAMES, .title = "Issuer",
      .help = "Issuer (iss) of events and lists that name none. Without it every event must carry "
              "its iss, as RFC 8417 demands: one made up here would mix the users of two hosts." },
    { TEXT(profile), .flags = FIELD_REQUIRED | FIELD_PLAN, .group = USERS, .title = "Profile",
      .help = "Profile of new users, by name or Id. It decides licence and rights, so there is no "
              "default.",
      .sample = "<Standard User>" },
    { TEXT(time_zone), .flags = FIELD_PLAN, .fallback = "GMT", .group = USERS, .title = "Time zone",
      .help = "Time zone of new users whose host names none, as Salesforce spells it: "
              "Europe/Paris." },
    { TEXT(locale), .flags = FIELD_PLAN, .fallback = "en_US", .group = USERS, .title = "Locale",
      .help = "Locale of new users whose host names none: en_US. It decides how dates and numbers "
              "look." },
    { TEXT(language), .flags = FIELD_PLAN, .fallback = "en_US", .group = USERS, .title = "Language",
      .help = "Language of new users whose host names none: en_US. The org must have it enabled." },
    { TEXT(email_encoding), .flags = FIELD_PLAN, .fallback = "UTF-8", .group = USERS,
      .title = "E-mail encoding",
      .help = "Encoding of the mail that Salesforce sends for a new user." },
    { TEXT(correlation_field), .flags = FIELD_PLAN, .group = USERS, .title = "Correlation field",
      .help = "Custom field of User that holds sfprov's key of the user, such as Host_Id__c: "
              "text, external id, unique. It settles for certain whether a create that got no "
              "answer was done. Without it the username must do." },
    { MEMBER(match, FIELD_NAMES), .flags = FIELD_PLAN, .group = USERS, .title = "Match",
      .help =
          "Salesforce fields by which a new user is looked for among the accounts that are there, "
          "in order: a list, or a text with commas, of Username, Email, EmployeeNumber, "
          "FederationIdentifier, the correlation field or custom fields, such as EmployeeNumber, "
          "Email. One hit is adopted and keeps its username; several park the user. Without it "
          "no account is adopted. sfprov match shows what it would find." },
    { SWITCH(create_inactive), .flags = FIELD_PLAN, .fallback = "false", .group = USERS,
      .title = "Create inactive users",
      .help = "Whether users who are inactive from the start are created at all. Without it they "
              "hold no username until they become active." },
    { TEXT(username_taken), .flags = FIELD_PLAN, .fallback = "park", .group = USERS,
      .title = "Username taken",
      .help = "What becomes of a user whose username somebody else has, in this org or another "
              "one: park; or suffix: the numbers 2 to 9 are tried, as in jdoe2@acme.example. A new "
              "user whose name another user of the host has gets one too; who is renamed waits "
              "for the name. The name stays until the host changes what it is built from." },
    { TEXT(username_suffix), .flags = FIELD_PLAN, .group = USERS, .title = "Username suffix",
      .help = "With username_taken suffix: what stands between the name and the number, 10 "
              "characters at most; - makes jdoe-2@acme.example. Without it nothing does." },
    { TEXT(leaver_action), .flags = FIELD_PLAN, .fallback = "deactivate", .group = USERS,
      .title = "Leaver action",
      .help = "What becomes of the account of a user who is inactive, gone or out of scope: "
              "deactivate; freeze (no login, but the account stays active and keeps its licence); "
              "or deactivate_and_release (the username is given free as well, and taken back with "
              "the account when the user returns). A user whom Salesforce does not let be "
              "deactivated is frozen until it does." },
    { SWITCH(provision_passwords), .fallback = "false", .group = USERS,
      .title = "Provision passwords",
      .help = "Whether a password in an event is set in Salesforce, after the user is there and "
              "active. Until then it waits in the store, sealed with sealing_key, and is erased "
              "when it is settled. Without it passwords in events are dropped. Passwords in full "
              "lists are always dropped." },
    { .name = "mapping",
      .type = FIELD_RULES,
      .offset = offsetof(struct fields, mapping_rules),
      .flags = FIELD_PLAN,
      .group = USERS,
      .title = "Attribute mapping",
      .help = "Rules that are laid over the default mapping of SCIM attributes to Salesforce "
              "fields." },
    { TEXT(scope_filter), .flags = FIELD_PLAN, .group = SCOPE, .title = "Scope filter",
      .help = "Which users are provisioned: a SCIM filter (RFC 7644) over the user, such as "
              "userType eq \"Employee\" and not (title co \"Trainee\"). Whoever does not pass is "
              "not created, and deactivated if created before. Without it every user passes." },
    { MEMBER(scope_groups, FIELD_NAMES), .flags = FIELD_PLAN, .group = SCOPE,
      .title = "Scope groups",
      .help = "Groups or roles whose members are provisioned, by name or id, without regard to "
              "case: a list, or a text with commas. The user needs one of them, in groups or "
              "roles of the resource, which the host must send. With scope_filter both count. "
              "Without it the groups do not matter." },
    { TEXT(store), .flags = FIELD_REQUIRED, .group = DELIVERY, .title = "Store",
      .help = "Absolute path of the SQLite file that holds what is wanted and what is there. One "
              "for each org.",
      .sample = "/var/lib/sfprov/salesforce.db" },
    { TEXT(sealing_key), .flags = FIELD_SECRET, .group = DELIVERY, .title = "Sealing key",
      .help = "Where the key lies that seals what must not stand in the store in clear: "
              "file:/etc/sfprov/seal.key, or credential:NAME for a credential of systemd. The file "
              "has one key a line, 64 hex digits each; the first one seals, all of them open. It "
              "is readable by the host's user alone, and is not kept where the store's copies "
              "are. See docs/secrets.md." },
    { INTEGER(batch_size), .fallback = "200", .minimum = 1, .maximum = 200, .unit = "users",
      .group = DELIVERY, .title = "Batch size",
      .help = "Most users in one call. Each call counts once against the API limit of the org." },
    { INTEGER(parallel_calls), .fallback = "2", .minimum = 1, .maximum = 25, .unit = "calls",
      .group = DELIVERY, .title = "Parallel calls",
      .help = "Most calls under way at the same time. Calls that create or activate users, or "
              "change their username, profile or role, go alone all the same: Salesforce locks "
              "the memberships of groups for them. Who is to lose access waits for no call of "
              "others: where those have all places, one call more than this is under way. "
              "Deactivations lock as well, so of these there is one at a time; freezings share "
              "the time like other changes." },
    { INTEGER(api_reserve_percent), .fallback = "10", .minimum = 0, .maximum = 90,
      .unit = "percent", .group = DELIVERY, .title = "API reserve",
      .help = "Share of the org's API calls of 24 hours that is left to other programs. When it is "
              "reached, deactivations go on and everything else waits, until older calls drop out "
              "of the 24 hours. What an admin looks at with a few calls is asked all the same: "
              "sfprov check, and sfprov org --refresh." },
    { INTEGER(settle_window_s), .fallback = "600", .minimum = 1, .maximum = 86400,
      .unit = "seconds", .group = DELIVERY, .title = "Settle window",
      .help = "How long a call without an answer may still take effect. Only then is \"not found\" "
              "believed. Salesforce works on a call for up to 10 minutes." },
    { INTEGER(retry_first_s), .fallback = "1", .minimum = 1, .maximum = 3600, .unit = "seconds",
      .group = DELIVERY, .title = "First retry",
      .help = "Longest wait before the first repetition; it doubles with each." },
    { INTEGER(retry_max_s), .fallback = "3600", .minimum = 1, .maximum = 86400, .unit = "seconds",
      .group = DELIVERY, .title = "Longest retry",
      .help = "Longest wait between two repetitions." },
    { INTEGER(poll_interval_s), .fallback = "1", .minimum = 1, .maximum = 3600, .unit = "seconds",
      .group = DELIVERY, .title = "Poll interval",
      .help =
          "How often delivery looks for what other processes have submitted, should nothing tell "
          "it: on Linux the kernel does, when the store is written into." },
    { INTEGER(wait_limit_hours), .fallback = "48", .minimum = 1, .maximum = 8760, .unit = "hours",
      .group = DELIVERY, .title = "Wait limit",
      .help = "Who waits for longer than this for a username, an account or a licence seat that "
              "others have is parked and the host told so, as of a leaver whom Salesforce has not "
              "let be deactivated for so long, and of a password whose key is not there. All of "
              "them go on waiting, and the host is told once more when it is done after all. Of a "
              "manager who has no account for so long it is said beside the user, and the host has "
              "its last word until he comes." },
    { INTEGER(event_retention_days), .fallback = "90", .minimum = 1, .maximum = 3650,
      .unit = "days", .group = DELIVERY, .title = "Event retention",
      .help = "How long events are kept to answer what became of them, and to know a repeated "
              "one." },
    { INTEGER(guard_floor), .fallback = "10", .minimum = 0, .maximum = 1000000, .unit = "users",
      .group = DELIVERY, .title = "Guard floor",
      .help = "At most this many users are deactivated within guard_window_s, or lost by a full "
              "list, whatever share of the users they are." },
    { INTEGER(guard_percent), .fallback = "30", .minimum = 0, .maximum = 100, .unit = "percent",
      .group = DELIVERY, .title = "Guard share",
      .help = "A larger share of the active users than this, and more than guard_floor, is not "
              "deactivated: it waits until an admin gives the word release. A full list that loses "
              "so many changes nothing unless it is forced. 100 turns the guard off." },
    { INTEGER(guard_window_s), .fallback = "3600", .minimum = 1, .maximum = 604800,
      .unit = "seconds", .group = DELIVERY, .title = "Guard window",
      .help = "In which deactivations are counted together." },
    { INTEGER(quarantine_floor), .fallback = "20", .minimum = 1, .maximum = 10000, .unit = "users",
      .group = DELIVERY, .title = "Quarantine floor",
      .help =
          "Fewer users than this, refused by Salesforce with the same code within an hour, stop "
          "nobody." },
    { INTEGER(quarantine_percent), .fallback = "40", .minimum = 1, .maximum = 100,
      .unit = "percent", .group = DELIVERY, .title = "Quarantine share",
      .help =
          "Where at least quarantine_floor users, and a larger share than this of those who were "
          "tried within an hour, are refused with the same code, the others are not tried: the "
          "connector is on hold for all but leavers, says the common cause once, and tries one "
          "user again after 10 seconds, doubling to an hour, until that passes. 100 turns it "
          "off." },
};

const struct field_row *
fields_table(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const char *
fields_ignored(const char *name)
{
    static const struct {
        const char *name, *why;
    } ignored[] = {
        { "userIdClaimUri", "the provisioning pattern alone makes the username" },
        { "jitProvisioningEnabled", "users are provisioned by events, not when they log in" },
    };

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        if (strcmp(ignored[i].name, name) == 0)
            return ignored[i].why;
    }
    return NULL;
}

#define SECRET_NEEDED                                                                              \
    {                                                                                              \
        "client_secret",                                                                           \
            "copy the Consumer Secret of the app, or fill in the fields of another flow"           \
    }
#define USERNAME_NEEDED                                                                            \
    {                                                                                              \
        "username", "give the Salesforce username of the integration user"                         \
    }

static const struct flow_row flows[] = {
    { FLOW_CLIENT_CREDENTIALS, NULL, { SECRET_NEEDED } },
    { FLOW_JWT_BEARER,
      "private_key",
      { { "private_key", "name the file of the key: file:/etc/sfprov/salesforce.key" },
        USERNAME_NEEDED } },
    { FLOW_REFRESH_TOKEN, "refresh_token", { { NULL, NULL } } },
    { FLOW_PASSWORD,
      "use_password_grant",
      { SECRET_NEEDED, { "password", "give the password of the API user" }, USERNAME_NEEDED } },
};

const struct flow_row *
fields_flows(size_t *ret_count)
{
    *ret_count = sizeof(flows) / sizeof(flows[0]);
    return flows;
}

char **
fields_text(struct fields *fields, const char *name)
{
    size_t i = 0;

    while (strcmp(rows[i].name, name) != 0)
        i++;
    return (char **)((char *)fields + rows[i].offset);
}
