/* What a write of a User does once it is allowed: defaults, the lower-cased username, the computed
 * name, stamps, and the e-mail change that waits for its verification (3.8). What is allowed is
 * decided in user_rules.c; record-level faults come first (faults.h). */
#include "tests/org/org.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
lower_username(struct json_object *values)
{
    const char *username = js_get_text(values, "Username");

    if (username) {
        AUTO_FREE char *lower = text_lower(username);
        js_put_text(values, "Username", lower);
    }
}

static void
compute_name(struct json_object *values)
{
    const char *first = js_get_text(values, "FirstName"), *last = js_get_text(values, "LastName");

    if (first) {
        AUTO_FREE char *name = text_format("%s %s", first, last);
        js_put_text(values, "Name", name);
    } else {
        js_put_text(values, "Name", last);
    }
}

/* 3.2: from the e-mail's local part plus digits; the rule itself is unsure. */
static void
default_nickname(struct org *org, struct json_object *values)
{
    const struct field_facts *field = org_field(org, &objects[OBJECT_USER], "CommunityNickname");
    const char *email = js_get_text(values, "Email");
    AUTO_FREE char *nickname = NULL;
    uint64_t number = org->next_number;

    do {
        free(nickname);
        nickname =
            text_format("%.*s%llu", (int)(strcspn(email, "@") < 20 ? strcspn(email, "@") : 20),
                        email, (unsigned long long)(1000000 + number++));
    } while (rows_holder(org, field, nickname));
    js_put_text(values, "CommunityNickname", nickname);
}

static void
stamp(struct org *org, struct json_object *values, const char *by)
{
    char now[32];

    time_text(org->world->now_ms(), now);
    js_put_text(values, "LastModifiedDate", now);
    js_put_text(values, "SystemModstamp", now);
    js_put_text(values, "LastModifiedById", by);
}

static void
copy_user_type(struct org *org, struct json_object *values)
{
    struct row *profile = org_find(org, "Profile", js_get_text(values, "ProfileId"));

    js_put_text(values, "UserType", js_get_text(profile->values, "UserType"));
}

bool
user_create(struct org *org, struct json_object *record, const char *by, struct row **ret,
            struct changes *changes, struct refusal *refusal)
{
    AUTO_JS struct json_object *values = NULL;

    if (!user_check(org, NULL, record, &values, refusal))
        return false;
    lower_username(values);
    compute_name(values);
    copy_user_type(org, values);
    if (!js_get(values, "CommunityNickname"))
        default_nickname(org, values);
    stamp(org, values, by);
    js_put_text(values, "CreatedById", by);
    js_put_text(values, "CreatedDate", js_get_text(values, "LastModifiedDate"));
    *ret = org_row_create(org, OBJECT_USER, STEAL(values), changes);
    return true;
}

/* 3.8: the new address of an active user stays pending, and the old one is what is read. Asking for
 * the old address again withdraws the change. Heap, NULL for none. */
static char *
hold_back_email(struct row *row, struct json_object *record, struct json_object *values)
{
    const char *before = js_get_text(row->values, "Email"), *after = js_get_text(values, "Email");
    char *pending;

    if (!js_get_nocase(record, "Email"))
        return row->pending_email ? text_copy(row->pending_email) : NULL;
    if (!row->org->settings.email_verification || strcmp(before, after) == 0 ||
        !js_get_flag(row->values, "IsActive", false))
        return NULL;
    pending = text_copy(after);
    js_put_text(values, "Email", before);
    return pending;
}

bool
user_update(struct row *row, struct json_object *record, const char *by, struct changes *changes,
            struct refusal *refusal)
{
    AUTO_JS struct json_object *values = NULL;
    AUTO_FREE char *pending = NULL;

    if (!user_check(row->org, row, record, &values, refusal))
        return false;
    /* the members are shared with the row as it was; what follows replaces, never changes them */
    pending = hold_back_email(row, record, values);
    lower_username(values);
    compute_name(values);
    copy_user_type(row->org, values);
    stamp(row->org, values, by);
    org_row_update(row, STEAL(values), pending, changes);
    return true;
}

void
user_verify_email(struct row *row)
{
    struct json_object *values;

    if (!row->pending_email)
        return;
    values = js_members_copy(row->values);
    js_put_text(values, "Email", row->pending_email);
    stamp(row->org, values, row->id);
    org_row_update(row, values, NULL, NULL);
}
