/* Worlds and orgs: what an org holds when it is new, its schema, and time as Salesforce writes it.
 * Rows and indexes are left to rows.c, rules to user_rules.c, calls to api.c. */
#include "tests/org/org.h"
#include "tests/org/oauth.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tests/org/address.h"
#include "tests/org/calls.h"
#include "tests/org/faults.h"
#include "tests/org/rules.h"

static int64_t clock_offset_ms;

static int64_t
real_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + clock_offset_ms;
}

void
org_clock_offset(int64_t offset_s)
{
    clock_offset_ms = offset_s * 1000;
}

bool
refuse(struct refusal *refusal, int status, const char *code, const char *fields,
       const char *format, ...)
{
    va_list arguments;
    size_t end;
    int length;

    refusal->status = status;
    snprintf(refusal->code, sizeof(refusal->code), "%s", code);
    snprintf(refusal->fields, sizeof(refusal->fields), "%s", fields ? fields : "");
    refusal->has_fields = fields != NULL;
    va_start(arguments, format);
    length = vsnprintf(refusal->message, sizeof(refusal->message), format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof(refusal->message)) {
        /* cut: not in the middle of a character */
        end = sizeof(refusal->message) - 1;
        while (end > 0 && ((unsigned char)refusal->message[end - 1] & 0xC0) == 0x80)
            end--;
        refusal->message[end > 0 ? end - 1 : 0] = '\0';
    }
    return false;
}

char *
time_text(int64_t ms, char ret[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char day[20];

    gmtime_r(&seconds, &utc);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret, 32, "%s.%03u+0000", day, (unsigned)(ms % 1000) % 1000u);
    return ret;
}

/* Whether a calendar has that day. */
static bool
is_day(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool
date_parse(const char *text, int64_t *ret_ms)
{
    struct tm utc = { 0 };
    int end = 0;

    if (sscanf(text, "%4d-%2d-%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &end) != 3 ||
        end != 10 || text[end] || !is_day(utc.tm_year, utc.tm_mon, utc.tm_mday))
        return false;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&utc) * 1000;
    return true;
}

/* The zone behind a time of day: Z, +hhmm or +hh:mm. */
static bool
zone_parse(const char *text, int64_t *ret_offset_ms)
{
    int hours, minutes, end = 0;

    if (strcmp(text, "Z") == 0) {
        *ret_offset_ms = 0;
        return true;
    }
    if (*text != '+' && *text != '-')
        return false;
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || text[1 + end]) {
        end = 0;
        if (sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &end) != 2 || text[1 + end])
            return false;
    }
    *ret_offset_ms = (hours * INT64_C(60) + minutes) * 60000 * (*text == '-' ? -1 : 1);
    return true;
}

bool
time_parse(const char *text, int64_t *ret_ms)
{
    struct tm utc = { 0 };
    int64_t offset_ms, fraction = 0, scale = 100;
    int end = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &end) != 6 ||
        end != 19 || !is_day(utc.tm_year, utc.tm_mon, utc.tm_mday) || utc.tm_hour > 23 ||
        utc.tm_min > 59 || utc.tm_sec > 59)
        return false;
    text += end;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
            fraction += (*text - '0') * scale;
    }
    if (!zone_parse(text, &offset_ms))
        return false;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&utc) * 1000 + fraction - offset_ms;
    return true;
}

/* ---- schema ---- */

struct table *
org_table(struct org *org, const char *object_name)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        if (strcasecmp(objects[i].name, object_name) == 0 && org_has_object(org, &objects[i]))
            return &org->tables[i];
    }
    return NULL;
}

bool
org_has_places(const struct org *org, const struct object_facts *facts)
{
    return org->settings.address_picklists &&
           (object_is(facts, OBJECT_USER) || object_is(facts, OBJECT_LEAD));
}

bool
org_has_object(const struct org *org, const struct object_facts *facts)
{
    return org->settings.email_allowlist || !object_is(facts, OBJECT_EMAIL_DOMAIN);
}

struct table *
org_table_of_id(struct org *org, const char *id)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        if (strncmp(objects[i].prefix, id, 3) == 0)
            return &org->tables[i];
    }
    return NULL;
}

const struct field_facts *
org_field_at(struct org *org, const struct object_facts *facts, size_t index)
{
    if (index < facts->field_count)
        return &facts->fields[index];
    index -= facts->field_count;
    if (org_has_places(org, facts)) {
        if (index < ADDRESS_FIELDS)
            return &address_fields[index];
        index -= ADDRESS_FIELDS;
    }
    return facts == &objects[OBJECT_USER] && index < org->custom_count ? &org->custom[index] : NULL;
}

const struct field_facts *
org_field(struct org *org, const struct object_facts *facts, const char *name)
{
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(org, facts, i)); i++) {
        if (strcasecmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

struct table *
org_target(struct org *org, const struct field_facts *field, const char *id, bool *ret_any)
{
    AUTO_FREE char *names = text_copy(field->target);
    char *rest = names, *name;
    struct table *found = NULL;

    *ret_any = false;
    while ((name = strsep(&rest, ","))) {
        struct table *table = org_table(org, name);
        *ret_any = *ret_any || table;
        if (table && strncmp(table->facts->prefix, id, 3) == 0)
            found = table;
    }
    return found;
}

/* What org_declare_field() copied. */
static void
forget_custom_fields(struct org *org)
{
    for (size_t i = 0; i < org->custom_count; i++) {
        struct field_facts *field = &org->custom[i];
        free((char *)(uintptr_t)field->name);
        free((char *)(uintptr_t)field->label);
        free((char *)(uintptr_t)field->target);
        free((char *)(uintptr_t)field->relationship);
        for (const char *const *value = field->values; value && *value; value++)
            free((char *)(uintptr_t)*value);
        free((void *)(uintptr_t)field->values);
    }
    free(org->custom);
    org->custom = NULL;
    org->custom_count = 0;
}

static const char *
check_custom_field(struct org *org, const struct field_facts *declared)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_";
    size_t size = strlen(declared->name);
    int most = declared->kind == KIND_TEXTAREA        ? 131072
               : field_kind_is_number(declared->kind) ? 18
                                                      : 255;

    if (size < 4 || strcmp(declared->name + size - 3, "__c") != 0 ||
        strspn(declared->name, letters) != size)
        return "the name of a custom field is letters, digits and '_', ending in '__c'";
    if (field_kind_is_text(declared->kind) && (declared->length < 1 || declared->length > most))
        return "the length of a custom text field is 1 to 255 (textarea: to 131072)";
    if (!field_kind_is_text(declared->kind) && (declared->length < 0 || declared->length > most))
        return "a custom number has at most 18 digits";
    if (declared->flags & FIELD_EXTERNAL_ID && declared->kind != KIND_STRING &&
        declared->kind != KIND_EMAIL && !field_kind_is_number(declared->kind))
        return "an external id is a text, an e-mail address or a number";
    if (declared->flags & FIELD_UNIQUE && !field_kind_is_text(declared->kind))
        return "a unique field is a text";
    if (declared->flags & FIELD_CASE && !(declared->flags & FIELD_UNIQUE))
        return "letter case matters in unique fields only";
    if (declared->kind == KIND_ID || declared->kind == KIND_ADDRESS)
        return "a custom field is no 'id' and no 'address'";
    if (declared->kind == KIND_REFERENCE &&
        (!declared->target || !org_table(org, declared->target)))
        return "a reference has a 'target', one of the org's objects";
    if (declared->scale < 0 || declared->scale > (declared->length ? declared->length : 18) ||
        (declared->scale && !field_kind_is_number(declared->kind)))
        return "the scale of a custom number is at most its precision";
    if (declared->flags & FIELD_HIERARCHY &&
        (declared->kind != KIND_REFERENCE || strcmp(declared->target, "User") != 0))
        return "a hierarchy is a reference to User";
    if (org_field(org, &objects[OBJECT_USER], declared->name))
        return "there is a field of that name already";
    return NULL;
}

/* Heap, NULL-terminated; NULL for NULL. */
static const char *const *
copy_list(const char *const *values)
{
    const char **copy;
    size_t count = 0;

    if (!values)
        return NULL;
    while (values[count])
        count++;
    copy = text_block((count + 1) * sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = text_copy(values[i]);
    return copy;
}

bool
org_declare_field(struct org *org, const struct field_facts *declared, const char **ret_reason)
{
    struct field_facts *field;

    *ret_reason = check_custom_field(org, declared);
    if (*ret_reason)
        return false;
    org->custom = text_resize(org->custom, (org->custom_count + 1) * sizeof(*org->custom));
    field = &org->custom[org->custom_count++];
    *field = *declared;
    field->name = text_copy(declared->name);
    field->label = text_copy(declared->label ? declared->label : declared->name);
    field->target = declared->target ? text_copy(declared->target) : NULL;
    field->values = copy_list(declared->values);
    field->flags |= FIELD_CUSTOM | (field->flags & FIELD_READ_ONLY ? 0u : FIELD_WRITE);
    if (field->flags & FIELD_EXTERNAL_ID)
        field->flags |= FIELD_ID_LOOKUP;
    if (field->flags & FIELD_HIERARCHY)
        field->flags |= FIELD_NO_LOOP;
    if (field->kind == KIND_REFERENCE) /* the parent of Boss__c is Boss__r */
        field->relationship = text_format("%.*s__r", (int)strlen(field->name) - 3, declared->name);
    org->schema_changed_ms = org->world->now_ms();
    return true;
}

bool
org_add_custom_field(struct org *org, const char *name, int length, unsigned flags,
                     const char **ret_reason)
{
    struct field_facts field = {
        .name = name, .kind = KIND_STRING, .length = length, .flags = flags
    };

    return org_declare_field(org, &field, ret_reason);
}

/* ---- what a new org holds ---- */

static struct json_object *
stamped(struct org *org)
{
    struct json_object *values = js_object();
    char now[32];

    time_text(org->world->now_ms(), now);
    js_put_text(values, "CreatedDate", now);
    js_put_text(values, "LastModifiedDate", now);
    js_put_text(values, "SystemModstamp", now);
    if (*org->execution_user) {
        js_put_text(values, "CreatedById", org->execution_user);
        js_put_text(values, "LastModifiedById", org->execution_user);
    }
    return values;
}

void
org_add_email_domain(struct org *org, const char *domain)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "Domain", domain);
    org_row_create(org, OBJECT_EMAIL_DOMAIN, values, NULL);
}

static const char *
add_license(struct org *org, size_t index, const char *name, const char *key)
{
    struct json_object *values = stamped(org);
    struct row *row;

    js_put_text(values, "Name", name);
    js_put_text(values, "MasterLabel", name);
    js_put_text(values, "LicenseDefinitionKey", key);
    js_put_text(values, "Status", "Active");
    js_put_int(values, "TotalLicenses", org->world->seats);
    js_put_int(values, "MonthlyLoginsEntitlement", 0);
    js_put_int(values, "MonthlyLoginsUsed", 0);
    row = org_row_create(org, OBJECT_USER_LICENSE, values, NULL);
    memcpy(org->licenses[index].id, row->id, ID_SIZE);
    return row->id;
}

static const char *
add_profile(struct org *org, const char *name, const char *license_id, const char *user_type)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "Name", name);
    js_put_text(values, "UserLicenseId", license_id);
    js_put_text(values, "UserType", user_type);
    return org_row_create(org, OBJECT_PROFILE, values, NULL)->id;
}

/* Every profile owns a permission set that carries its permissions (5.1). Custom ones have no
 * profile. */
static void
add_permission_set(struct org *org, const char *name, const char *label, const char *profile_id,
                   const char *license_id)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "Name", name);
    js_put_text(values, "Label", label);
    js_put_text(values, "LicenseId", license_id);
    js_put_text(values, "ProfileId", profile_id);
    js_put_flag(values, "IsOwnedByProfile", profile_id != NULL);
    js_put_flag(values, "IsCustom", profile_id == NULL);
    js_put_text(values, "Type", profile_id ? "Profile" : "Regular");
    org_row_create(org, OBJECT_PERMISSION_SET, values, NULL);
}

static void
add_profile_sets(struct org *org)
{
    struct table *profiles = &org->tables[OBJECT_PROFILE];

    for (size_t i = 0; i < profiles->count; i++) {
        struct row *profile = profiles->rows[i];
        AUTO_FREE char *name = text_format("X%.15s", profile->id);
        add_permission_set(org, name, name, profile->id,
                           js_get_text(profile->values, "UserLicenseId"));
    }
}

static const char *
add_set_license(struct org *org, const char *name, const char *label, int64_t total)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "DeveloperName", name);
    js_put_text(values, "MasterLabel", label);
    js_put_text(values, "PermissionSetLicenseKey", name);
    js_put_text(values, "Status", "Active");
    js_put_int(values, "TotalLicenses", total);
    return org_row_create(org, OBJECT_PERMISSION_SET_LICENSE, values, NULL)->id;
}

static void
add_set_group(struct org *org, const char *name, const char *label)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "DeveloperName", name);
    js_put_text(values, "MasterLabel", label);
    js_put_text(values, "Status", "Updated");
    org_row_create(org, OBJECT_PERMISSION_SET_GROUP, values, NULL);
}

static void
add_group(struct org *org, const char *name, const char *developer_name, const char *type)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "Name", name);
    js_put_text(values, "DeveloperName", developer_name);
    js_put_text(values, "Type", type);
    org_row_create(org, OBJECT_GROUP, values, NULL);
}

/* What can be given to users besides a profile (5.1); README.md lists it. */
static void
add_entitlements(struct org *org)
{
    const char *license;

    add_profile_sets(org);
    license = add_set_license(org, "SalesConsoleUser", "Sales Console User", 2);
    add_permission_set(org, "Api_Access", "API Access", NULL, NULL);
    add_permission_set(org, "Report_Builder", "Report Builder", NULL, NULL);
    add_permission_set(org, "Sales_Console", "Sales Console", NULL, license);
    add_set_group(org, "Sales_Staff", "Sales Staff");
    add_group(org, "Sales", "Sales", "Regular");
    add_group(org, "Support Queue", "Support_Queue", "Queue");
    add_group(org, "All Internal Users", "AllInternalUsers", "Organization");
}

static const char *
add_role(struct org *org, const char *name, const char *developer_name, const char *parent)
{
    struct json_object *values = stamped(org);

    js_put_text(values, "Name", name);
    js_put_text(values, "DeveloperName", developer_name);
    js_put_text(values, "ParentRoleId", parent);
    return org_row_create(org, OBJECT_USER_ROLE, values, NULL)->id;
}

static void
add_organization(struct org *org)
{
    struct json_object *values = stamped(org);
    struct row *row;

    js_put_text(values, "Name", org->name);
    js_put_text(values, "OrganizationType", "Developer Edition");
    js_put_text(values, "InstanceName", "SIM1");
    js_put_flag(values, "IsSandbox", false);
    js_put_text(values, "TimeZoneSidKey", "America/Los_Angeles");
    js_put_text(values, "LanguageLocaleKey", "en_US");
    js_put_text(values, "DefaultLocaleSidKey", "en_US");
    row = org_row_create(org, OBJECT_ORGANIZATION, values, NULL);
    memcpy(org->id, row->id, ID_SIZE);
}

static struct row *
add_admin(struct org *org, const char *first, const char *last, const char *local,
          const char *profile_id)
{
    AUTO_FREE char *username = text_format("%s@%s.simulated.example", local, org->name);
    AUTO_FREE char *name = text_format("%s %s", first, last);
    struct json_object *values = stamped(org);

    js_put_text(values, "Username", username);
    js_put_text(values, "FirstName", first);
    js_put_text(values, "LastName", last);
    js_put_text(values, "Name", name);
    js_put_text(values, "Email", username);
    js_put_text(values, "Alias", local);
    js_put_text(values, "CommunityNickname", local);
    js_put_flag(values, "IsActive", true);
    js_put_text(values, "TimeZoneSidKey", "America/Los_Angeles");
    js_put_text(values, "LocaleSidKey", "en_US");
    js_put_text(values, "EmailEncodingKey", "UTF-8");
    js_put_text(values, "LanguageLocaleKey", "en_US");
    js_put_text(values, "ProfileId", profile_id);
    js_put_text(values, "UserType", "Standard");
    return org_row_create(org, OBJECT_USER, values, NULL);
}

static void
add_users(struct org *org, const char *admin_profile)
{
    struct row *user = add_admin(org, "Integration", "User", "integr", admin_profile);
    struct row *other = add_admin(org, "Olga", "Admin", "olga", admin_profile);

    memcpy(org->execution_user, user->id, ID_SIZE);
    memcpy(org->other_admin, other->id, ID_SIZE);
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        /* rows made before their maker */
        for (size_t j = 0; j < org->tables[i].count; j++) {
            js_put_text(org->tables[i].rows[j]->values, "CreatedById", user->id);
            js_put_text(org->tables[i].rows[j]->values, "LastModifiedById", user->id);
            if (i == OBJECT_GROUP)
                js_put_text(org->tables[i].rows[j]->values, "OwnerId", user->id);
        }
    }
    user_follow(user, NULL);
    user_follow(other, NULL);
}

void
org_show_rights(struct org *org)
{
    const struct settings *settings = &org->settings;
    struct row *user = org_find(org, "User", org->execution_user);
    const char *profile = js_get_text(user->values, "ProfileId");
    struct table *sets = &org->tables[OBJECT_PERMISSION_SET];

    for (size_t i = 0; i < sets->count; i++) {
        struct json_object *values = sets->rows[i]->values;
        const char *owner = js_get_text(values, "ProfileId");
        bool shown = !settings->grouped_rights;
        if (!owner || strcmp(owner, profile) != 0)
            continue;
        js_put_flag(values, "PermissionsApiEnabled", shown && settings->api_enabled);
        js_put_flag(values, "PermissionsManageInternalUsers", shown && settings->manage_users);
        js_put_flag(values, "PermissionsManageUsers", shown && settings->manage_users);
        js_put_flag(values, "PermissionsViewSetup", shown && settings->view_setup);
    }
}

static void
fill(struct org *org)
{
    const char *salesforce, *chatter, *admin, *ceo, *ignored = NULL;
    struct json_object *custom = org->world->custom_fields;

    rows_init(org);
    org->next_number = 1;
    org->execution_user[0] = '\0';
    org->settings = (struct settings){ .email_verification = true,
                                       .login_rows = true,
                                       .api_enabled = true,
                                       .manage_users = true,
                                       .view_setup = true,
                                       .api_max = 100000,
                                       .token_life_s = 7200,
                                       .token_max_hour = 3600,
                                       .page_size = 2000,
                                       .long_call_ms = 20000,
                                       .long_calls_max = 5, /* of a Developer Edition */
                                       /* from Summer '27 on; told already */
                                       .deprecated_below = 41 };
    org->tokens = js_object();
    org->app = app_new();
    org->refresh_tokens = js_object();
    org->codes = js_object();
    org->needed = js_object();
    org->schema_changed_ms = org->world->now_ms();
    add_organization(org);
    salesforce = add_license(org, 0, "Salesforce", "SFDC");
    chatter = add_license(org, 1, "Chatter Free", "PID_CHATTER");
    add_license(org, 2, "Salesforce Platform", "AUL");
    admin = add_profile(org, "System Administrator", salesforce, "Standard");
    add_profile(org, "Standard User", salesforce, "Standard");
    add_profile(org, "Minimum Access - Salesforce", salesforce, "Standard");
    add_profile(org, "Chatter Free User", chatter, "CsnOnly");
    ceo = add_role(org, "CEO", "CEO", NULL);
    add_role(org, "Sales Manager", "SalesManager", ceo);
    add_role(org, "Support Agent", "SupportAgent", ceo);
    add_entitlements(org);
    add_users(org, admin);
    org_show_rights(org);
    for (size_t i = 0; custom && i < json_object_array_length(custom); i++) {
        struct json_object *field = json_object_array_get_idx(custom, i);
        org_add_custom_field(org, js_get_text(field, "name"), (int)js_get_int(field, "length", 255),
                             (unsigned)js_get_int(field, "flags", 0), &ignored);
    }
    org->faults = faults_new();
    org->calls = calls_new();
}

static void
empty(struct org *org)
{
    rows_clear(org);
    forget_custom_fields(org);
    json_object_put(org->tokens);
    json_object_put(org->app);
    json_object_put(org->refresh_tokens);
    json_object_put(org->codes);
    json_object_put(org->needed);
    for (size_t i = 0; i < MAX_CURSORS; i++) {
        json_object_put(org->cursors[i].records);
        org->cursors[i] = (struct cursor){ 0 };
    }
    org->next_cursor = 0;
    org->usage = (struct usage){ 0 };
    memset(org->under_way_since_ms, 0, sizeof(org->under_way_since_ms));
    org->token_hour_ms = org->token_hour_count = 0;
    faults_free(org->faults);
    calls_free(org->calls);
}

void
org_reset(struct org *org)
{
    empty(org);
    org->generation++;
    org->late_writes = 0;
    fill(org);
}

struct world *
world_new(const char *client_id, const char *client_secret, int64_t seats)
{
    struct world *world = text_block(sizeof(*world));

    pthread_mutex_init(&world->mutex, NULL);
    world->client_id = text_copy(client_id);
    world->client_secret = text_copy(client_secret);
    world->seats = seats;
    world->now_ms = real_now_ms;
    return world;
}

struct org *
world_add_org(struct world *world, const char *name)
{
    struct org *org;

    if (world->org_count == MAX_ORGS)
        return NULL;
    for (size_t i = 0; i < world->org_count; i++) {
        if (strcasecmp(world->orgs[i]->name, name) == 0)
            return NULL;
    }
    org = text_block(sizeof(*org));
    org->world = world;
    org->index = (unsigned)world->org_count;
    org->name = text_copy(name);
    world->orgs[world->org_count++] = org;
    fill(org);
    return org;
}

void
world_free(struct world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->org_count; i++) {
        empty(world->orgs[i]);
        free(world->orgs[i]->name);
        free(world->orgs[i]->origin);
        free(world->orgs[i]);
    }
    if (world->usernames)
        lh_table_free(world->usernames);
    json_object_put(world->custom_fields);
    free(world->client_id);
    free(world->client_secret);
    free(world->login_origin);
    pthread_mutex_destroy(&world->mutex);
    free(world);
}
