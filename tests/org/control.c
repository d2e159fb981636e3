/* The control interface under /__org/: reading an org's state, and doing what a test cannot do
 * through Salesforce's API. Not part of Salesforce; README.md describes it. A request that does not
 * fit is refused with its reason, so that a slip in a test shows. */
#include "tests/org/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/calls.h"
#include "tests/org/faults.h"
#include "tests/org/json_read.h"
#include "tests/org/oauth.h"
#include "tests/org/rules.h"

static void
refuse_control(struct call *call, int status, const char *reason)
{
    struct json_object *answer = js_object();

    js_put_text(answer, "error", reason);
    reply_json(call->reply, status, answer);
}

static void
answer_done(struct call *call)
{
    struct json_object *answer = js_object();

    js_put_flag(answer, "ok", true);
    reply_json(call->reply, 200, answer);
}

/* ---- state ---- */

static struct json_object *
user_state(struct row *row)
{
    struct json_object *state = js_object();
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(row->org, row->table->facts, i)); i++)
        js_put(state, field->name, row_value(row, field));
    return state;
}

static int
by_username(const void *a, const void *b)
{
    const struct row *const *x = a, *const *y = b;

    return strcmp(js_get_text((*x)->values, "Username"), js_get_text((*y)->values, "Username"));
}

static struct json_object *
licenses_state(struct org *org)
{
    struct json_object *state = js_object();
    struct table *licenses = &org->tables[OBJECT_USER_LICENSE];

    for (size_t i = 0; i < licenses->count; i++) {
        struct json_object *entry = js_object();
        js_put_int(entry, "total", js_get_int(licenses->rows[i]->values, "TotalLicenses", 0));
        js_put_int(entry, "used", license_used(org, licenses->rows[i]->id));
        js_put(state, js_get_text(licenses->rows[i]->values, "Name"), entry);
    }
    return state;
}

/* Users in order of username, their counts, and the e-mail changes that wait. */
static void
put_users(struct json_object *state, struct org *org)
{
    struct table *users = &org->tables[OBJECT_USER];
    AUTO_FREE struct row **rows = text_block(users->count * sizeof(struct row *));
    struct json_object *list = js_array(), *counts = js_object(), *pending = js_object();
    int64_t active = 0, provisioned = 0;

    memcpy(rows, users->rows, users->count * sizeof(struct row *));
    qsort(rows, users->count, sizeof(struct row *), by_username);
    for (size_t i = 0; i < users->count; i++) {
        active += js_get_flag(rows[i]->values, "IsActive", false);
        provisioned +=
            strcmp(js_get_text(rows[i]->values, "CreatedById"), org->execution_user) == 0 &&
            strcmp(rows[i]->id, org->execution_user) != 0 &&
            strcmp(rows[i]->id, org->other_admin) != 0;
        if (rows[i]->pending_email)
            js_put_text(pending, js_get_text(rows[i]->values, "Username"), rows[i]->pending_email);
        js_append(list, user_state(rows[i]));
    }
    js_put_int(counts, "users", (int64_t)users->count);
    js_put_int(counts, "active", active);
    js_put_int(counts, "provisioned", provisioned);
    js_put(state, "counts", counts);
    js_put(state, "pending_emails", pending);
    js_put(state, "users", list);
}

/* Ids by name, of rows that are there. */
static struct json_object *
ids_by(struct org *org, enum object_index object, const char *field)
{
    struct json_object *state = js_object();
    struct table *table = &org->tables[object];

    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i]->deleted)
            js_put_text(state, js_get_text(table->rows[i]->values, field), table->rows[i]->id);
    }
    return state;
}

static const char *
username_of(struct row *row, const char *field)
{
    const char *id = js_get_text(row->values, field);
    struct row *user = id ? org_find(row->org, "User", id) : NULL;

    return user ? js_get_text(user->values, "Username") : NULL;
}

/* Usernames that are frozen, and those without a UserLogin (2.9). */
static void
put_logins(struct json_object *state, struct org *org)
{
    struct table *users = &org->tables[OBJECT_USER];
    struct json_object *frozen = js_array(), *without = js_array(), *passwords = js_object();

    for (size_t i = 0; i < users->count; i++) {
        struct row *user = users->rows[i], *login = user_login(user);
        const char *username = js_get_text(user->values, "Username");
        if (!login)
            js_append(without, js_string(username));
        else if (js_get_flag(login->values, "IsFrozen", false))
            js_append(frozen, js_string(username));
        if (user->passwords)
            js_put_int(passwords, username, (int64_t)json_object_array_length(user->passwords));
    }
    js_put(state, "frozen", frozen);
    js_put(state, "without_login", without);
    js_put(state, "passwords_set", passwords);
}

/* What a row gives to whom: appends the name to the list of the user's. */
static void
put_given(struct json_object *given, struct row *row, const char *user_field, const char *field,
          const char *object, const char *name_field)
{
    const char *username = username_of(row, user_field), *id = js_get_text(row->values, field);
    struct row *what = id ? org_find(row->org, object, id) : NULL;
    struct json_object *list;

    if (!username || !what || row->deleted || js_get_flag(what->values, "IsOwnedByProfile", false))
        return;
    list = js_get(given, username);
    if (!list) {
        list = js_array();
        js_put(given, username, list);
    }
    js_append(list, js_string(js_get_text(what->values, name_field)));
}

/* By username: what each user was given besides the profile (5.1). */
static void
put_entitlements(struct json_object *state, struct org *org)
{
    static const struct {
        const char *key;
        enum object_index rows;
        const char *user, *field, *object, *name;
    } kinds[] = {
        { "permission_set_assignments", OBJECT_PERMISSION_SET_ASSIGNMENT, "AssigneeId",
          "PermissionSetId", "PermissionSet", "Name" },
        { "permission_set_group_assignments", OBJECT_PERMISSION_SET_ASSIGNMENT, "AssigneeId",
          "PermissionSetGroupId", "PermissionSetGroup", "DeveloperName" },
        { "permission_set_license_assignments", OBJECT_PERMISSION_SET_LICENSE_ASSIGN, "AssigneeId",
          "PermissionSetLicenseId", "PermissionSetLicense", "DeveloperName" },
        { "group_members", OBJECT_GROUP_MEMBER, "UserOrGroupId", "GroupId", "Group", "Name" },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct json_object *given = js_object();
        struct table *table = &org->tables[kinds[i].rows];
        for (size_t j = 0; j < table->count; j++)
            put_given(given, table->rows[j], kinds[i].user, kinds[i].field, kinds[i].object,
                      kinds[i].name);
        js_put(state, kinds[i].key, given);
    }
}

static void
answer_state(struct call *call)
{
    struct org *org = call->org;
    struct json_object *state = js_object(), *usage = js_object();

    js_put_text(state, "name", org->name);
    js_put_text(state, "org_id", org->id);
    js_put_text(state, "execution_user", org->execution_user);
    js_put_text(state, "other_admin", org->other_admin);
    js_put_int(usage, "api_calls", org->usage.api_calls);
    js_put_int(usage, "token_requests", org->usage.token_requests);
    js_put_int(usage, "under_way", org->usage.under_way);
    js_put_int(usage, "most_under_way", org->usage.most_under_way);
    js_put(state, "usage", usage);
    js_put(state, "licenses", licenses_state(org));
    js_put(state, "profiles", ids_by(org, OBJECT_PROFILE, "Name"));
    js_put(state, "roles", ids_by(org, OBJECT_USER_ROLE, "Name"));
    js_put(state, "permission_sets", ids_by(org, OBJECT_PERMISSION_SET, "Name"));
    js_put(state, "permission_set_groups",
           ids_by(org, OBJECT_PERMISSION_SET_GROUP, "DeveloperName"));
    js_put(state, "permission_set_licenses",
           ids_by(org, OBJECT_PERMISSION_SET_LICENSE, "DeveloperName"));
    js_put(state, "groups", ids_by(org, OBJECT_GROUP, "Name"));
    put_logins(state, org);
    put_entitlements(state, org);
    js_put_int(state, "late_writes", org->late_writes);
    js_put(state, "faults", faults_state(org->faults));
    put_users(state, org);
    reply_json(call->reply, 200, state);
}

/* ---- faults and settings ---- */

static void
add_faults(struct call *call)
{
    bool many = json_object_is_type(call->json, json_type_array);
    size_t count = many ? json_object_array_length(call->json) : 1;
    AUTO_FREE char *reason = NULL;

    for (size_t i = 0; i < count; i++) {
        struct json_object *fault = many ? json_object_array_get_idx(call->json, i) : call->json;
        if (!fault_add(call->org->faults, fault, &reason)) {
            refuse_control(call, 400, reason);
            return;
        }
    }
    answer_done(call);
}

static void
clear_faults(struct call *call)
{
    faults_free(call->org->faults);
    call->org->faults = faults_new();
    answer_done(call);
}

static const char *
set_seats(struct org *org, struct json_object *seats)
{
    if (!json_object_is_type(seats, json_type_object))
        return "'seats' is an object of licence name to number";
    json_object_object_foreach(seats, name, number)
    {
        if (!json_object_is_type(number, json_type_int) ||
            !license_set_total(org, name, json_object_get_int64(number)))
            return "'seats' names a licence that is not there, or no number";
    }
    return NULL;
}

/* Heap, NULL-terminated, borrowing the texts; NULL when there are no values, or one is no text. */
static const char **
values_of(struct json_object *list)
{
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    AUTO_FREE const char **values = text_block((count + 1) * sizeof(*values));

    for (size_t i = 0; i < count; i++) {
        struct json_object *value = json_object_array_get_idx(list, i);
        if (!json_object_is_type(value, json_type_string))
            return NULL;
        values[i] = json_object_get_string(value);
    }
    return count ? STEAL(values) : NULL;
}

static bool
has_known_members(struct json_object *field)
{
    static const char *const known[] = { "name",      "label",         "type",        "length",
                                         "unique",    "required",      "external_id", "values",
                                         "target",    "read_only",     "precision",   "scale",
                                         "hierarchy", "case_sensitive" };

    json_object_object_foreach(field, member, value)
    {
        bool found = false;
        (void)value;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || strcmp(known[i], member) == 0;
        if (!found)
            return false;
    }
    return true;
}

/* The declared values are all there are: the picklist is restricted. */
static const char *
add_custom_field(struct org *org, struct json_object *field)
{
    const char *name = js_get_text(field, "name"), *reason = NULL;
    const char *type = js_get_text(field, "type");
    AUTO_FREE const char **values = values_of(js_get(field, "values"));
    struct field_facts declared = {
        .name = name,
        .label = js_get_text(field, "label"),
        .kind = KIND_STRING,
        .flags = (js_get_flag(field, "unique", false) ? FIELD_UNIQUE : 0u) |
                 (js_get_flag(field, "required", false) ? FIELD_REQUIRED : 0u) |
                 (js_get_flag(field, "external_id", false) ? FIELD_EXTERNAL_ID : 0u) |
                 (js_get_flag(field, "read_only", false) ? FIELD_READ_ONLY : 0u) |
                 (js_get_flag(field, "hierarchy", false) ? FIELD_HIERARCHY : 0u) |
                 (js_get_flag(field, "case_sensitive", false) ? FIELD_CASE : 0u) |
                 (values ? FIELD_RESTRICTED : 0u),
        .values = values,
        .target = js_get_text(field, "target"),
        .scale = (int)js_get_int(field, "scale", 0),
    };

    if (!name)
        return "a custom field has a 'name'";
    if (!has_known_members(field))
        return "a custom field has 'name', 'label', 'type', 'length', 'unique', 'required', "
               "'external_id', 'values', 'target', 'read_only', 'precision', 'scale', 'hierarchy' "
               "and 'case_sensitive', and no other member";
    if (type && !field_kind_of(type, &declared.kind))
        return "the 'type' of a custom field is one that describe knows: string, boolean, double, "
               "date, datetime, picklist, multipicklist, email, phone, url, textarea, currency, "
               "percent, int or reference";
    declared.length =
        (int)js_get_int(field, field_kind_is_number(declared.kind) ? "precision" : "length",
                        field_kind_is_text(declared.kind) ? 255 : 0);
    org_declare_field(org, &declared, &reason);
    return reason;
}

static const char *
add_custom_fields(struct org *org, struct json_object *fields)
{
    if (!json_object_is_type(fields, json_type_array))
        return "'custom_fields' is an array";
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        const char *reason = add_custom_field(org, json_object_array_get_idx(fields, i));
        if (reason)
            return reason;
    }
    return NULL;
}

/* Those that there were go; none: the list is off. */
static const char *
set_email_domains(struct org *org, struct json_object *domains)
{
    struct table *table = &org->tables[OBJECT_EMAIL_DOMAIN];

    if (!json_object_is_type(domains, json_type_array))
        return "'email_domains' is an array of names";
    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i]->deleted)
            org_row_delete(table->rows[i], NULL);
    }
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        org_add_email_domain(org, json_object_get_string(json_object_array_get_idx(domains, i)));
    org->settings.email_allowlist = json_object_array_length(domains) > 0;
    return NULL;
}

static const char *
set_needed(struct org *org, struct json_object *needed)
{
    if (!json_object_is_type(needed, json_type_object))
        return "'needed' is an object: what for, and the username";
    json_object_object_foreach(needed, what, username)
    {
        if (!user_is_need(what))
            return "there is nothing of that name that a user is needed for";
        js_put(org->needed, what, json_object_get(username));
    }
    return NULL;
}

static void
set_sandbox(struct org *org, bool sandbox)
{
    org->settings.sandbox = sandbox;
    js_put_flag(org->tables[OBJECT_ORGANIZATION].rows[0]->values, "IsSandbox", sandbox);
}

/* What describe says changes with it. */
static void
set_address_picklists(struct org *org, bool on)
{
    org->settings.address_picklists = on;
    org->schema_changed_ms = org->world->now_ms();
}

static const char *
set_flag(struct org *org, const char *name, bool value)
{
    if (strcmp(name, "email_verification") == 0)
        org->settings.email_verification = value;
    else if (strcmp(name, "login_rows") == 0)
        org->settings.login_rows = value;
    else if (strcmp(name, "api_enabled") == 0)
        org->settings.api_enabled = value;
    else if (strcmp(name, "manage_users") == 0)
        org->settings.manage_users = value;
    else if (strcmp(name, "view_setup") == 0)
        org->settings.view_setup = value;
    else if (strcmp(name, "grouped_rights") == 0)
        org->settings.grouped_rights = value;
    else if (strcmp(name, "translated") == 0)
        org->settings.translated = value;
    else if (strcmp(name, "sandbox") == 0)
        set_sandbox(org, value);
    else if (strcmp(name, "address_picklists") == 0)
        set_address_picklists(org, value);
    else
        return "there is no such setting, or it is not a boolean";
    org_show_rights(org);
    return NULL;
}

static const char *
set_number(struct org *org, const char *name, int64_t value)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = { { "api_max", &org->settings.api_max },
                    { "api_used", &org->usage.api_calls },
                    { "token_life_s", &org->settings.token_life_s },
                    { "token_max_hour", &org->settings.token_max_hour },
                    { "page_size", &org->settings.page_size },
                    { "latency_ms", &org->settings.latency_ms },
                    { "long_call_ms", &org->settings.long_call_ms },
                    { "long_calls_max", &org->settings.long_calls_max },
                    { "deprecated_below", &org->settings.deprecated_below },
                    { "feature_seats", &org->settings.feature_seats } };

    if (strcmp(name, "clock_offset_s") == 0) {
        org_clock_offset(value);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].number = value;
            return NULL;
        }
    }
    return "there is no such setting, or it is not a number";
}

static const char *
apply_setting(struct org *org, const char *name, struct json_object *value)
{
    if (strcmp(name, "seats") == 0)
        return set_seats(org, value);
    if (strcmp(name, "custom_fields") == 0)
        return add_custom_fields(org, value);
    if (strcmp(name, "email_domains") == 0)
        return set_email_domains(org, value);
    if (strcmp(name, "needed") == 0)
        return set_needed(org, value);
    if (json_object_is_type(value, json_type_boolean))
        return set_flag(org, name, json_object_get_boolean(value));
    if (json_object_is_type(value, json_type_int))
        return set_number(org, name, json_object_get_int64(value));
    return "there is no such setting, or it has another type";
}

static void
apply_settings(struct call *call)
{
    if (!json_object_is_type(call->json, json_type_object)) {
        refuse_control(call, 400, "settings are an object");
        return;
    }
    json_object_object_foreach(call->json, name, value)
    {
        const char *reason = apply_setting(call->org, name, value);
        if (reason) {
            AUTO_FREE char *text = text_format("%s: %s", name, reason);
            refuse_control(call, 400, text);
            return;
        }
    }
    answer_done(call);
}

/* ---- users, as if another admin had made or changed them ---- */

static void
put_default(struct json_object *record, const char *name, const char *value)
{
    if (!js_get_nocase(record, name))
        js_put_text(record, name, value);
}

static const char *
profile_named(struct org *org, const char *name)
{
    struct table *profiles = &org->tables[OBJECT_PROFILE];

    for (size_t i = 0; i < profiles->count; i++) {
        if (strcmp(js_get_text(profiles->rows[i]->values, "Name"), name) == 0)
            return profiles->rows[i]->id;
    }
    return NULL;
}

static void
put_defaults(struct org *org, struct json_object *record)
{
    struct json_object *username = js_get_nocase(record, "Username");

    put_default(record, "LastName", "Doe");
    put_default(record, "Email", username ? json_object_get_string(username) : NULL);
    put_default(record, "Alias", "doe");
    put_default(record, "TimeZoneSidKey", "America/Los_Angeles");
    put_default(record, "LocaleSidKey", "en_US");
    put_default(record, "EmailEncodingKey", "UTF-8");
    put_default(record, "LanguageLocaleKey", "en_US");
    put_default(record, "ProfileId", profile_named(org, "Standard User"));
}

static void
answer_user(struct call *call, struct row *row)
{
    reply_json(call->reply, 200, user_state(row));
}

static void
create_user(struct call *call)
{
    struct refusal refusal;
    struct row *row;

    if (!json_object_is_type(call->json, json_type_object)) {
        refuse_control(call, 400, "a user is an object of fields");
        return;
    }
    put_defaults(call->org, call->json);
    if (record_create(call->org, &objects[OBJECT_USER], call->json, call->org->other_admin, &row,
                      NULL, &refusal))
        answer_user(call, row);
    else
        reply_refusal(call->reply, &refusal);
}

/* In the UI an admin's change of e-mail needs no verification (3.8). */
static void
update_user(struct call *call, struct row *row)
{
    bool verification = call->org->settings.email_verification;
    struct refusal refusal;
    bool updated;

    if (!json_object_is_type(call->json, json_type_object)) {
        refuse_control(call, 400, "a user is an object of fields");
        return;
    }
    call->org->settings.email_verification = false;
    updated = record_update(row, call->json, call->org->other_admin, NULL, &refusal);
    call->org->settings.email_verification = verification;
    if (updated)
        answer_user(call, row);
    else
        reply_refusal(call->reply, &refusal);
}

/* By Id or by Username. */
static struct row *
user_of(struct call *call, const char *name)
{
    struct row *row;
    char id[ID_SIZE];

    if (id_normalise(name, id))
        return org_find(call->org, "User", id);
    row = rows_holder(call->org, org_field(call->org, &objects[OBJECT_USER], "Username"), name);
    return row && row->org == call->org ? row : NULL;
}

/* Sets a password, as the user himself would. */
static void
give_password(struct call *call, struct row *row)
{
    const char *password = js_get_text(call->json, "password");
    struct refusal refusal;

    if (!password)
        refuse_control(call, 400, "password takes an object with a 'password'");
    else if (user_set_password(row, password, &refusal))
        answer_done(call);
    else
        refuse_control(call, 400, refusal.message);
}

/* Whether the user has that password now. */
static void
check_password(struct call *call, struct row *row)
{
    const char *password = js_get_text(call->json, "password");
    struct json_object *last = row->passwords ? json_object_array_get_idx(row->passwords, 0) : NULL;
    struct json_object *answer;

    if (!password) {
        refuse_control(call, 400, "check_password takes an object with a 'password'");
        return;
    }
    answer = js_object();
    js_put_flag(answer, "matches", last && strcmp(json_object_get_string(last), password) == 0);
    reply_json(call->reply, 200, answer);
}

static void
answer_users(struct call *call)
{
    bool post = call_method_is(call, "POST");
    struct row *row;

    if (call->segment_count == 2 && post) {
        create_user(call);
        return;
    }
    row = call->segment_count > 2 ? user_of(call, call->segments[2]) : NULL;
    if (!row) {
        refuse_control(call, 404, "there is no such user in this org");
    } else if (call->segment_count == 3 && call_method_is(call, "GET")) {
        answer_user(call, row);
    } else if (call->segment_count == 3 && call_method_is(call, "PATCH")) {
        update_user(call, row);
    } else if (call->segment_count == 4 && post && strcmp(call->segments[3], "verify_email") == 0) {
        user_verify_email(row);
        answer_user(call, row);
    } else if (call->segment_count == 4 && post && strcmp(call->segments[3], "password") == 0) {
        give_password(call, row);
    } else if (call->segment_count == 4 && post &&
               strcmp(call->segments[3], "check_password") == 0) {
        check_password(call, row);
    } else {
        refuse_control(call, 405,
                       "users: POST, GET or PATCH of one, POST .../verify_email, "
                       ".../password or .../check_password");
    }
}

/* ---- routes ---- */

static void
answer_calls(struct call *call)
{
    reply_json(call->reply, 200, calls_state(call->org->calls));
}

static void
forget_calls(struct call *call)
{
    calls_free(call->org->calls);
    call->org->calls = calls_new();
    answer_done(call);
}

static void
answer_faults(struct call *call)
{
    reply_json(call->reply, 200, faults_state(call->org->faults));
}

static void
expire_tokens(struct call *call)
{
    json_object_put(call->org->tokens);
    call->org->tokens = js_object();
    answer_done(call);
}

/* What a name's new value must be like: the value it replaces; a text may be taken away. */
static void
change_app(struct call *call)
{
    if (!json_object_is_type(call->json, json_type_object)) {
        refuse_control(call, 400, "the app's settings are an object");
        return;
    }
    json_object_object_foreach(call->json, name, value)
    {
        struct json_object *old = NULL;
        bool known = json_object_object_get_ex(call->org->app, name, &old);
        if (!known || (old && value && json_object_get_type(old) != json_object_get_type(value))) {
            AUTO_FREE char *text =
                text_format("%s: no setting of the app, or of another type", name);
            refuse_control(call, 400, text);
            return;
        }
        js_put(call->org->app, name, json_object_get(value));
    }
    reply_json(call->reply, 200, json_object_get(call->org->app));
}

/* A refresh token as an earlier `sfprov login` would have got it. */
static void
give_refresh_token(struct call *call)
{
    const char *username = js_get_text(call->json, "username");
    struct row *user = username ? oauth_user(call->org, username) : NULL;
    struct json_object *answer;
    AUTO_FREE char *token = NULL;

    if (!user) {
        refuse_control(call, 404, "there is no such user in this org");
        return;
    }
    token = refresh_token_new(call->org, user);
    answer = js_object();
    js_put_text(answer, "refresh_token", token);
    reply_json(call->reply, 200, answer);
}

/* exchange.c has them. */
static void
land(struct call *call)
{
    call->org->landing = true;
    answer_done(call);
}

static void
reset(struct call *call)
{
    org_reset(call->org);
    answer_done(call);
}

static const struct {
    const char *method, *name;
    void (*answer)(struct call *call);
} routes[] = {
    { "GET", "state", answer_state },
    { "GET", "calls", answer_calls },
    { "DELETE", "calls", forget_calls },
    { "GET", "faults", answer_faults },
    { "POST", "faults", add_faults },
    { "DELETE", "faults", clear_faults },
    { "POST", "settings", apply_settings },
    { "POST", "app", change_app },
    { "POST", "refresh_token", give_refresh_token },
    { "POST", "expire_tokens", expire_tokens },
    { "POST", "land", land },
    { "POST", "reset", reset },
};

void
control_answer(struct call *call)
{
    const struct request *request = call->request;
    const char *name = call->segment_count > 1 ? call->segments[1] : "";
    struct json_fault fault;

    if (request->body_bytes &&
        !json_read(request->body, request->body_bytes, &call->json, &fault)) {
        refuse_control(call, 400, fault.text);
        return;
    }
    if (strcmp(name, "users") == 0) {
        answer_users(call);
        return;
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (call->segment_count == 2 && strcmp(routes[i].name, name) == 0 &&
            call_method_is(call, routes[i].method)) {
            routes[i].answer(call);
            return;
        }
    }
    refuse_control(call, 404, "there is no such control call");
}
