/* What a connector field's value has to mean, and which fields must fit each other: addresses, API
 * version, grant, pattern, user settings, store. Types, ranges and required fields were seen to in
 * fields.c from the table; whether the org agrees is told by the connector's check(). */
#include "schema/fields_check.h"

#include <stdlib.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/secret_ref.h"
#include "schema/letters.h"
#include "schema/locale.h"
#include "schema/scope.h"
#include "schema/mapping_rule.h"
#include "schema/names.h"
#include "schema/user_fields.h"

/* Versions (fact sheet 10): v7 to v30 are retired, v31 to v40 retire in Summer '28. sObject
 * Collections, which carry all our writes, came with v42 (4.1). v58 is of Summer '23: three years,
 * which Salesforce promises for each version, before v67. */
#define VERSION_LEAST       41
#define VERSION_COLLECTIONS 42
#define VERSION_OLD         58
#define VERSION_ADVISED     "v67.0"

static void
set_text(struct fields_draft *draft, char **member, char *value)
{
    if (!value) {
        draft->faults.result = PROV_E_NOMEM;
        return;
    }
    free(*member);
    *member = value;
}

/* The number in "v67.0", "67.0" or "67"; -1 for anything else. */
static int
version_number(const char *text)
{
    size_t digits;

    if (*text == 'v' || *text == 'V')
        text++;
    digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || (text[digits] && strcmp(text + digits, ".0") != 0))
        return -1;
    return atoi(text);
}

static void
check_version(struct fields_draft *draft)
{
    static const char newer[] = "set api_version to " VERSION_ADVISED;
    const char *given = draft->fields->api_version;
    int version = given ? version_number(given) : 0;

    if (!given)
        return;
    if (version < 0) {
        faults_add(&draft->faults, "api_version", given, "write it as " VERSION_ADVISED,
                   "it is no version of the Salesforce API");
        return;
    }
    if (version < VERSION_LEAST) {
        faults_add(&draft->faults, "api_version", given, newer,
                   "versions up to 30 are retired and 31 to 40 will be in Summer '28; %d is the "
                   "least taken",
                   VERSION_LEAST);
        return;
    }
    if (version < VERSION_COLLECTIONS)
        faults_add(&draft->warnings, "api_version", given, newer,
                   "v%d.0 is used instead, the first version with sObject Collections; versions "
                   "31 to 40 are retired in Summer '28, and newer ones last longer",
                   VERSION_COLLECTIONS);
    else if (version < VERSION_OLD)
        faults_add(&draft->warnings, "api_version", given, newer,
                   "Salesforce promises three years for each version, and this one is older; "
                   "versions 31 to 40 are retired in Summer '28");
    if (version < VERSION_COLLECTIONS)
        version = VERSION_COLLECTIONS;
    set_text(draft, &draft->fields->api_version, letters_format("v%d.0", version));
}

/* A fault of one of the pattern's settings; its text ends in "; remedy". */
static void
add_pattern_fault(struct fields_draft *draft, enum pattern_setting setting,
                  const struct prov_error *why)
{
    const struct fields *fields = draft->fields;
    const struct {
        const char *name, *value;
    } settings[] = {
        [PATTERN_SETTING_PATTERN] = { "provisioning_pattern", fields->provisioning_pattern },
        [PATTERN_SETTING_SEPARATOR] = { "provisioning_separator", fields->provisioning_separator },
        [PATTERN_SETTING_DOMAIN] = { "provisioning_domain", fields->provisioning_domain },
    };
    AUTO_FREE char *reason = strdup(why->text);
    const char *remedy = "see docs/patterns.md";
    char *semicolon = NULL;

    for (char *next = reason; next && (next = strstr(next, "; ")); next++)
        semicolon = next;
    if (semicolon) {
        *semicolon = '\0';
        remedy = semicolon + 2;
    }
    if (reason)
        faults_add(&draft->faults, settings[setting].name, settings[setting].value, remedy, "%s",
                   reason);
    else
        draft->faults.result = PROV_E_NOMEM;
}

/* Compiles one set of settings; false when it has a fault, which is added. */
static bool
try_pattern(struct fields_draft *draft, const struct pattern_settings *settings,
            struct pattern **ret)
{
    struct prov_error why = PROV_ERROR_INIT;
    enum pattern_setting setting = PATTERN_SETTING_PATTERN;
    int result = pattern_compile(settings, ret, &setting, &why);

    if (result == PROV_E_NOMEM)
        draft->faults.result = result;
    else if (result)
        add_pattern_fault(draft, setting, &why);
    return result == PROV_OK;
}

/* Whether an ordinary user would get a username that Salesforce takes. */
static void
try_username(struct fields_draft *draft)
{
    const struct fields *fields = draft->fields;
    const struct pattern_user user = { .entity_name = "jane.doe@example.com",
                                       .user_domain = fields->user_domain,
                                       .tenant_domain = fields->tenant_domain,
                                       .identity_provider = fields->identity_provider };
    struct prov_error why = PROV_ERROR_INIT;
    char username[PATTERN_MAX_BYTES];

    if (pattern_render(fields->pattern, &user, username, sizeof(username), NULL, &why) == PROV_OK &&
        username_check(username, &why) == PROV_OK)
        return;
    faults_add(
        &draft->warnings, "provisioning_pattern", fields->provisioning_pattern,
        "correct the pattern or the names it uses; `sfprov preview` shows what comes of them",
        "the host user jane.doe@example.com would get a username that Salesforce refuses: "
        "%s",
        why.text);
}

static void
check_names(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    const struct pattern_settings all = { fields->provisioning_pattern,
                                          fields->provisioning_separator,
                                          fields->provisioning_domain };
    /* the separator beside some sound domain: an '@' is wrong in it only if there is one */
    const struct pattern_settings each[] = { { .pattern = all.pattern },
                                             { .separator = all.separator,
                                               .domain = all.domain ? "example.com" : NULL },
                                             { .domain = all.domain } };
    bool sound = true;

    /* one by one, so that all three can be told to be wrong at once */
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        CLEANUP(pattern_cleanup) struct pattern *alone = NULL;
        sound = try_pattern(draft, &each[i], &alone) && sound;
        if (i == 0 && alone && pattern_uses(alone, PATTERN_IDP) && !fields->identity_provider) {
            faults_add(&draft->faults, "identity_provider", NULL,
                       "name the identity provider, or take IDP out of provisioning_pattern",
                       "the provisioning pattern uses IDP and no name is given for it");
            sound = false;
        }
    }
    if (sound && try_pattern(draft, &all, &fields->pattern))
        try_username(draft);
}

/* A key of a Salesforce picklist: nothing that could not be one. */
static void
check_key(struct fields_draft *draft, const char *name, const char *value, const char *remedy)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "_-+/.";

    if (value && (value[strspn(value, allowed)] || letters_units(value) > 40))
        faults_add(&draft->faults, name, value, remedy,
                   "Salesforce has no such key: letters, digits and _-+/. only, 40 at most");
}

static void
check_leaver_action(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    const char *action = fields->leaver_action;

    if (!action) /* refused before */
        return;
    fields->leavers_freeze = strcmp(action, "freeze") == 0;
    fields->leavers_release = strcmp(action, "deactivate_and_release") == 0;
    if (!fields->leavers_freeze && !fields->leavers_release && strcmp(action, "deactivate") != 0)
        faults_add(&draft->faults, "leaver_action", action,
                   "write deactivate, freeze or deactivate_and_release",
                   "it is none of the actions there are");
}

static void
check_username_taken(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    const char *taken = fields->username_taken, *between = fields->username_suffix;
    size_t length = 0;

    if (!taken) /* refused before */
        return;
    fields->suffixes = strcmp(taken, "suffix") == 0;
    if (!fields->suffixes && strcmp(taken, "park") != 0)
        faults_add(&draft->faults, "username_taken", taken, "write park or suffix",
                   "it is none of the ways there are");
    while (between && username_takes((unsigned char)between[length]))
        length++;
    if (between && (between[length] || length > USERNAME_BETWEEN_MAX))
        faults_add(&draft->faults, "username_suffix", between,
                   "write a few letters or one of -._, such as -",
                   "it cannot stand before the '@' of a username, or is longer than %d characters",
                   USERNAME_BETWEEN_MAX);
}

static void
check_correlation(struct fields_draft *draft)
{
    const struct fields *fields = draft->fields;

    if (!fields->correlation_field)
        return;
    if (!user_field_is_custom(fields->correlation_field))
        faults_add(&draft->faults, "correlation_field", fields->correlation_field,
                   "create a custom field on User (text, external id, unique) and give its API "
                   "name, such as Host_Id__c",
                   "it is no custom field, which ends in __c");
    else if (fields->mapping && mapping_has(fields->mapping, fields->correlation_field))
        faults_add(&draft->faults, "mapping", fields->correlation_field,
                   "remove the rule, or choose another correlation_field",
                   "a mapping rule writes the correlation field, which sfprov fills itself");
}

/* Standard fields by which an account may be told for sure, or nearly. */
static bool
may_match(const struct fields *fields, const char *name)
{
    static const char *const known[] = { "Username", "Email", "EmployeeNumber",
                                         "FederationIdentifier" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], name) == 0)
            return true;
    }
    return user_field_is_custom(name) ||
           (fields->correlation_field && strcmp(fields->correlation_field, name) == 0);
}

/* Whether users have a value for it: a key that is never filled matches nobody. */
static bool
is_filled(const struct fields *fields, const char *name)
{
    return strcmp(name, "Username") == 0 || !fields->mapping ||
           (fields->correlation_field && strcmp(fields->correlation_field, name) == 0) ||
           mapping_has(fields->mapping, name);
}

static void
check_match(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    size_t count;

    if (!fields->match || !names_read(&fields->match, "match",
                                      "write [\"EmployeeNumber\", \"Email\"]", &draft->faults))
        return;
    count = json_object_array_length(fields->match);
    if (count == 0) { /* no key is no match */
        json_object_put(fields->match);
        fields->match = NULL;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(fields->match, i));
        bool twice = false;

        for (size_t j = 0; j < i; j++)
            twice = twice || strcmp(name, json_object_get_string(
                                              json_object_array_get_idx(fields->match, j))) == 0;
        if (twice)
            faults_add(&draft->faults, "match", name, "name each field once", "it is named twice");
        else if (!may_match(fields, name))
            faults_add(
                &draft->faults, "match", name,
                "name Username, Email, EmployeeNumber, FederationIdentifier, the correlation "
                "field or a custom field (X__c), spelled like that",
                "accounts cannot be told apart by that field");
        else if (!is_filled(fields, name))
            faults_add(&draft->faults, "match", name,
                       "map an attribute to that field, or leave it out of match",
                       "the mapping does not fill that field, so it would match nobody");
    }
}

static void
check_users(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    struct mapping_defaults defaults = { .time_zone = fields->time_zone,
                                         .email_encoding = fields->email_encoding };
    struct prov_error why = PROV_ERROR_INIT;

    if (fields->locale)
        set_text(draft, &fields->locale, locale_key(fields->locale));
    if (fields->language)
        set_text(draft, &fields->language, language_key(fields->language));
    defaults.locale = fields->locale;
    defaults.language = fields->language;
    check_key(draft, "time_zone", fields->time_zone, "write it as Europe/Paris or GMT");
    check_key(draft, "locale", fields->locale, "write it as en_US");
    check_key(draft, "language", fields->language, "write it as en_US");
    check_key(draft, "email_encoding", fields->email_encoding, "write it as UTF-8");
    if (fields->profile && letters_units(fields->profile) > 255)
        faults_add(&draft->faults, "profile", fields->profile, "give its Id",
                   "a profile's name has at most 255 characters");
    if (mapping_compile_list(fields->mapping_rules, &defaults, &draft->faults, &draft->warnings,
                             &fields->mapping, &why) == PROV_E_NOMEM)
        draft->faults.result = PROV_E_NOMEM;
    check_correlation(draft);
    check_match(draft);
}

static void
check_path(struct fields_draft *draft, const char *name, const char *path, const char *remedy)
{
    size_t length = path ? strlen(path) : 0;

    if (length && (path[0] != '/' || path[length - 1] == '/'))
        faults_add(&draft->faults, name, path, remedy,
                   "it is no absolute path of a file; the host may change its directory at any "
                   "time");
}

/* A key that stood in the fields would lie beside what it seals, in many a backup. */
static void
check_sealing_key(struct fields_draft *draft)
{
    const char *key = draft->fields->sealing_key;

    if (key && !secret_ref_is(key))
        faults_add(&draft->faults, "sealing_key", NULL,
                   "write the key to a file of its own, and file:/path/of/it here",
                   "it says where the key is kept and is not the key itself");
    if (draft->fields->provision_passwords && !key)
        faults_add(&draft->faults, "provision_passwords", "true",
                   "set sealing_key (docs/secrets.md), or set provision_passwords to false",
                   "passwords wait in the store sealed, and sealing_key is not set");
}

static void
check_delivery(struct fields_draft *draft)
{
    const struct fields *fields = draft->fields;

    check_path(draft, "ca_file", fields->ca_file,
               "write the path of a file from the root, such as /etc/sfprov/proxy-ca.pem");
    check_path(draft, "client_certificate", fields->client_certificate,
               "write the path of a file from the root, such as /etc/sfprov/client.crt");
    check_path(draft, "certificate", fields->certificate,
               "write the path of a file from the root, such as /etc/sfprov/salesforce.crt");
    check_path(draft, "store", fields->store,
               "write the path of a file from the root, such as /var/lib/sfprov/acme.db");
    check_sealing_key(draft);
    if (fields->retry_first_s > fields->retry_max_s)
        faults_add(&draft->faults, "retry_first_s", NULL,
                   "lower retry_first_s or raise retry_max_s",
                   "the first wait, %lld s, is longer than the longest one, %lld s",
                   (long long)fields->retry_first_s, (long long)fields->retry_max_s);
    if (fields->settle_window_s < 600)
        faults_add(&draft->warnings, "settle_window_s", NULL, "leave it at 600 for a real org",
                   "Salesforce works on a call for up to 10 minutes: with %lld s a create that got "
                   "no answer may be done twice",
                   (long long)fields->settle_window_s);
}

void
fields_check(struct fields_draft *draft)
{
    fields_check_login(draft);
    check_version(draft);
    check_names(draft);
    check_users(draft);
    check_leaver_action(draft);
    check_username_taken(draft);
    scope_check(draft->fields, &draft->faults);
    check_delivery(draft);
}
