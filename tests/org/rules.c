/* Which writes an org takes, and with which words it refuses the others: the rules that every object
 * shares. Their order is that of 11.1 item 5 (unsure in reality): unknown field, read-only field,
 * JSON type, required, length, picklist, references, form of username and e-mail, duplicates; then
 * those of the object (user_rules.c, setup_rules.c). The first rule that fails answers; whether
 * Salesforce ever reports several is unsure (section 12). What a write then does is left to
 * record_write.c. */
#include "tests/org/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/org/address.h"
#include "tests/org/json_read.h"

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

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static char *
trimmed_copy(const char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t length;

    text += strspn(text, blanks);
    length = strlen(text);
    while (length && strchr(blanks, text[length - 1]))
        length--;
    return text_format("%.*s", (int)length, text);
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
is_typed(const struct field_facts *field, struct json_object *value)
{
    enum json_type type = json_object_get_type(value);
    int64_t ignored;

    if (field->kind == KIND_BOOLEAN)
        return type == json_type_boolean;
    if (!value)
        return true;
    if (field->kind == KIND_ADDRESS)
        return type == json_type_object;
    if (field_kind_is_number(field->kind))
        return type == json_type_int || (type == json_type_double && field->kind != KIND_INT);
    if (type != json_type_string)
        return false;
    if (field->kind == KIND_DATETIME)
        return is_blank(json_object_get_string(value)) ||
               time_parse(json_object_get_string(value), &ignored);
    if (field->kind == KIND_DATE)
        return is_blank(json_object_get_string(value)) ||
               date_parse(json_object_get_string(value), &ignored);
    return true;
}

static bool
check_type(const struct field_facts *field, struct json_object *value, struct refusal *refusal)
{
    return is_typed(field, value) || refuse_type(field, value, refusal);
}

static bool
check_known(struct org *org, const struct object_facts *facts, struct json_object *record,
            struct refusal *refusal)
{
    json_object_object_foreach(record, name, value)
    {
        (void)value;
        if (!is_envelope(name) && !org_field(org, facts, name))
            return refuse(refusal, 400, "INVALID_FIELD", NULL,
                          "No such column '%s' on sobject of type %s", name, facts->name);
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
check_types(struct org *org, const struct object_facts *facts, struct json_object *record,
            struct refusal *refusal)
{
    json_object_object_foreach(record, name, value)
    {
        const struct field_facts *field = is_envelope(name) ? NULL : org_field(org, facts, name);
        if (field && !check_type(field, value, refusal))
            return false;
    }
    return true;
}

bool
record_read_check(struct org *org, const struct object_facts *facts, struct json_object *record,
                  struct refusal *refusal)
{
    return check_known(org, facts, record, refusal) && check_once(record, refusal) &&
           check_types(org, facts, record, refusal);
}

/* ---- the rules of one record ---- */

static void
add_name(struct text *names, const char *separator, const char *name)
{
    text_addf(names, "%s%s", names->length ? separator : "", name);
}

/* 6.2: all read-only fields in one message. */
static bool
check_writable(struct examined *examined)
{
    AUTO_TEXT struct text shown = { 0 };
    AUTO_TEXT struct text listed = { 0 };
    unsigned needed = examined->row ? FIELD_UPDATE : FIELD_CREATE;

    json_object_object_foreach(examined->record, name, value)
    {
        const struct field_facts *field = org_field(examined->org, examined->facts, name);
        (void)value;
        if (!field || is_envelope(name) || is_id(name) || field->flags & needed)
            continue;
        add_name(&shown, ", ", field->name);
        add_name(&listed, ",", field->name);
    }
    if (!shown.length)
        return true;
    return refuse(examined->refusal, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", listed.data,
                  "Unable to create/update fields: %s. Please check the security settings of this "
                  "field and verify that it is read/write for your profile or permission set.",
                  shown.data);
}

/* As it will be read: a moment in UTC (2.1), a text without white space at its ends (Change Data Capture
 * Developer Guide, "Considerations for Newline Characters"; line ends stay as the API got them). */
static struct json_object *
stored_value(const struct field_facts *field, struct json_object *value)
{
    int64_t ms;
    char text[32];

    if (field->kind == KIND_DATETIME && time_parse(json_object_get_string(value), &ms))
        return js_string(time_text(ms, text));
    if (value && field_kind_is_number(field->kind) &&
        field->kind != KIND_INT) /* 5 is read as 5.0 */
        return js_double(json_object_get_double(value));
    if (field_kind_is_text(field->kind)) {
        AUTO_FREE char *trimmed = trimmed_copy(json_object_get_string(value));
        return js_string(trimmed);
    }
    return js_scalar_copy(value);
}

/* The record's fields over the row's: null and "" clear a field (2.5). That white space alone
 * counts as empty is unsure. */
static void
merge(struct examined *examined)
{
    json_object_object_foreach(examined->record, name, value)
    {
        const struct field_facts *field = is_envelope(name) || is_id(name)
                                              ? NULL
                                              : org_field(examined->org, examined->facts, name);
        if (!field)
            continue;
        if (!value || (field_kind_is_text(field->kind) && is_blank(json_object_get_string(value))))
            json_object_object_del(examined->values, field->name);
        else
            js_put(examined->values, field->name, stored_value(field, value));
    }
}

/* 3.2: all missing ones in one message. On update only a field that was sent can be missing. */
static bool
check_required(struct examined *examined)
{
    AUTO_TEXT struct text shown = { 0 };
    AUTO_TEXT struct text listed = { 0 };
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(examined->org, examined->facts, i)); i++) {
        bool text = field_kind_is_text(field->kind);
        bool needed = field->flags & FIELD_REQUIRED ||
                      (examined->row && text && field->flags & FIELD_DEFAULTED);
        if (!needed || js_get(examined->values, field->name))
            continue;
        add_name(&shown, ", ", field->name);
        add_name(&listed, ",", field->name);
    }
    if (!shown.length)
        return true;
    return refuse(examined->refusal, 400, "REQUIRED_FIELD_MISSING", listed.data,
                  "Required fields are missing: [%s]", shown.data);
}

/* 3.3. Counted in UTF-16 units, the larger count (unsure). */
static bool
check_length(struct examined *examined, const struct field_facts *field, const char *value)
{
    if (field->kind == KIND_REFERENCE || field->kind == KIND_PICKLIST ||
        field->kind == KIND_MULTIPICKLIST || field->length == 0 ||
        text_units(value) <= (size_t)field->length)
        return true;
    return refuse(examined->refusal, 400, "STRING_TOO_LONG", field->name,
                  "%s: data value too large: %s (max length=%d)", field->label, value,
                  field->length);
}

static bool
is_listed(const struct field_facts *field, const char *value, size_t length)
{
    for (const char *const *known = field->values; known && *known; known++) {
        if (strlen(*known) == length && strncmp(*known, value, length) == 0)
            return true;
    }
    return false;
}

/* 3.4. Values are compared as they are written (unsure). */
static bool
check_picklist(struct examined *examined, const struct field_facts *field, const char *value)
{
    bool many = field->kind == KIND_MULTIPICKLIST;
    const char *at = value;
    bool known = true;

    if ((field->kind != KIND_PICKLIST && !many) || !(field->flags & FIELD_RESTRICTED) ||
        field->flags & FIELD_PLACE)
        return true;
    while (known && *at) {
        size_t length = many ? strcspn(at, ";") : strlen(at);
        known = is_listed(field, at, length);
        at += length + (at[length] ? 1 : 0);
    }
    return known ||
           refuse(examined->refusal, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
                  "%s: bad value for restricted picklist field: %s", field->label, value);
}

/* Each parent's parent, until none, or the row again: loops are refused (3.3; code and text unsure,
 * the code is a member of the enum in 6.2). */
static bool
check_loop(struct examined *examined, const struct field_facts *field, const char *parent_id)
{
    struct table *table = org_table(examined->org, examined->facts->name);
    struct row *at = table_find(table, parent_id);
    bool manager = object_is(examined->facts, OBJECT_USER);

    for (size_t steps = 0; examined->row && at && steps <= table->count; steps++) {
        const char *next = js_get_text(at->values, field->name);
        if (at == examined->row)
            return refuse(examined->refusal, 400, "CIRCULAR_DEPENDENCY", field->name,
                          "%s: a %s cannot be their own %s, directly or through others",
                          field->label, manager ? "user" : "record",
                          manager ? "manager" : "parent");
        at = next ? table_find(table, next) : NULL;
    }
    return true;
}

/* 6.2: MALFORMED_ID for another object's id, INVALID_CROSS_REFERENCE_KEY for one that is not
 * there. The row then holds the 18-character form (2.5). */
static bool
check_reference(struct examined *examined, const struct field_facts *field, const char *value)
{
    char id[ID_SIZE];
    bool any_target = false;
    struct table *target = NULL;

    if (id_normalise(value, id))
        target = org_target(examined->org, field, id, &any_target);
    if (!id_normalise(value, id) || (!target && any_target))
        return refuse(examined->refusal, 400, "MALFORMED_ID", field->name,
                      "%s: id value of incorrect type: %s", field->label, value);
    if (!target || !table_find(target, id))
        return refuse(examined->refusal, 400, "INVALID_CROSS_REFERENCE_KEY", field->name,
                      "invalid cross reference id");
    js_put_text(examined->values, field->name, id);
    return !(field->flags & FIELD_NO_LOOP) || check_loop(examined, field, id);
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
check_form(struct examined *examined, const struct field_facts *field, const char *value)
{
    if (object_is(examined->facts, OBJECT_USER) && strcmp(field->name, "Username") == 0 &&
        !username_shaped(value))
        return refuse(examined->refusal, 400, "INVALID_EMAIL_ADDRESS", "Username",
                      "Username must be in the form of an email address (for example, "
                      "john@acme.com)");
    if (field->kind == KIND_EMAIL && !email_shaped(value))
        return refuse(examined->refusal, 400, "INVALID_EMAIL_ADDRESS", field->name,
                      "%s: invalid email address: %s", field->label, value);
    return true;
}

/* 3.5 and 6.2, texts as captured: the <br> and the trailing space are Salesforce's. */
static bool
check_duplicate(struct examined *examined, const struct field_facts *field, const char *value)
{
    bool is_username =
        object_is(examined->facts, OBJECT_USER) && strcmp(field->name, "Username") == 0;
    struct row *holder = is_username || field->flags & FIELD_UNIQUE
                             ? rows_holder(examined->org, field, value)
                             : NULL;

    if (!holder || holder == examined->row)
        return true;
    if (is_username)
        return refuse(examined->refusal, 400, "DUPLICATE_USERNAME", "Username",
                      "Duplicate Username.<br>The username already exists in this or another "
                      "Salesforce organization. Usernames must be unique across all Salesforce "
                      "organizations. To resolve, use a different username (it doesn't need to "
                      "match the user's email address). ");
    if (strcmp(field->name, "CommunityNickname") == 0)
        return refuse(examined->refusal, 400, "DUPLICATE_COMM_NICKNAME", "CommunityNickname",
                      "Duplicate Nickname.<br>Another user has already selected this "
                      "nickname.<br>Please select another.");
    /* the 15-character id is what captures show; for FederationIdentifier the code is unsure */
    return refuse(examined->refusal, 400, "DUPLICATE_VALUE", "",
                  "duplicate value found: %s duplicates value on record with id: %.15s",
                  field->name, holder->id);
}

typedef bool (*field_rule)(struct examined *examined, const struct field_facts *field,
                           const char *value);

/* One rule over all fields that were sent and hold text. */
static bool
check_sent(struct examined *examined, field_rule rule)
{
    json_object_object_foreach(examined->record, name, value)
    {
        const struct field_facts *field = is_envelope(name) || is_id(name)
                                              ? NULL
                                              : org_field(examined->org, examined->facts, name);
        const char *text = field ? text_after(examined, field->name) : NULL;
        (void)value;
        if (text && !rule(examined, field, text))
            return false;
    }
    return true;
}

static bool
check_only_references(struct examined *examined, const struct field_facts *field, const char *value)
{
    return field->kind != KIND_REFERENCE || check_reference(examined, field, value);
}

/* The digits before the point are those that the scale leaves of the precision, whatever stands behind it; what is
 * behind is kept as sent, however long (help.salesforce.com 000387302). */
static bool
check_numbers(struct examined *examined)
{
    json_object_object_foreach(examined->record, name, value)
    {
        const struct field_facts *field = org_field(examined->org, examined->facts, name);
        double limit;
        if (!field || !value || !field_kind_is_number(field->kind))
            continue;
        limit = pow(
            10, field->kind == KIND_INT ? 9 : (field->length ? field->length : 18) - field->scale);
        if (fabs(json_object_get_double(value)) >= limit)
            return refuse(examined->refusal, 400, "NUMBER_OUTSIDE_VALID_RANGE", field->name,
                          "%s: value outside of valid range on numeric field: %s", field->label,
                          json_object_get_string(value));
    }
    return true;
}

/* A key of several fields that another row has. */
static bool
check_key(struct examined *examined)
{
    struct row *holder = rows_key_holder(examined->org, examined->facts, examined->values);
    const char *name;

    if (!holder || holder == examined->row || object_is(examined->facts, OBJECT_GROUP_MEMBER))
        return true; /* a member twice is answered with the first (5.1) */
    if (object_is(examined->facts, OBJECT_PERMISSION_SET_ASSIGNMENT)) {
        name = text_after(examined, "PermissionSetId") ? "PermissionSetId" : "PermissionSetGroupId";
        AUTO_FREE char *fields = text_format("AssigneeId,%s", name);
        /* 5.3: two spaces and 15-character ids */
        return refuse(examined->refusal, 400, "DUPLICATE_VALUE", fields,
                      "Duplicate PermissionSetAssignment.  Assignee: %.15s; Permission Set: %.15s",
                      text_after(examined, "AssigneeId"), text_after(examined, name));
    }
    name = examined->facts->key[examined->facts->key[1] ? 1 : 0];
    /* unsure: DUPLICATE_DEVELOPER_NAME is a member of the enum, the text is ours */
    if (examined->facts->flags & CAN_UPDATE)
        return refuse(examined->refusal, 400, "DUPLICATE_DEVELOPER_NAME", name,
                      "The %s %s is already in use: %s", examined->facts->label, name,
                      text_after(examined, name));
    return refuse(examined->refusal, 400, "DUPLICATE_VALUE", "",
                  "duplicate value found: %s duplicates value on record with id: %.15s", name,
                  holder->id);
}

/* 2.5: Id in a body is refused (text unsure). */
static bool
check_no_id(struct examined *examined)
{
    return refuse(examined->refusal, 400, "INVALID_FIELD", NULL,
                  "The Id field should not be specified in the sobject data.");
}

bool
rules_check(struct examined *examined)
{
    struct org *org = examined->org;
    const struct object_facts *facts = examined->facts;

    if (!check_known(org, facts, examined->record, examined->refusal) ||
        !check_once(examined->record, examined->refusal) || !check_writable(examined) ||
        !check_types(org, facts, examined->record, examined->refusal))
        return false;
    if (js_get_nocase(examined->record, "Id") && !examined->row)
        return check_no_id(examined);
    if (!examined->row && object_is(facts, OBJECT_USER)) /* 3.3: default true is unsure */
        js_put_flag(examined->values, "IsActive", true);
    merge(examined);
    if (!check_required(examined) || !check_numbers(examined) ||
        !check_sent(examined, check_length) || !check_sent(examined, check_picklist) ||
        !check_sent(examined, check_only_references) || !check_sent(examined, check_form) ||
        !check_sent(examined, check_duplicate))
        return false;
    return address_check(examined) && user_check(examined) && setup_check(examined) &&
           check_key(examined);
}
