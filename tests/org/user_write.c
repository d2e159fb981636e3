/* What a write of a User does besides the row: the lower-cased username, the computed name, the
 * nickname by default, the e-mail change that waits for its verification (3.8), the rows that come
 * with a user, passwords (2.8). What is allowed is decided in rules.c and user_rules.c; the row is
 * written by record_write.c. */
#include "tests/org/rules.h"

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
copy_user_type(struct org *org, struct json_object *values)
{
    struct row *profile = org_find(org, "Profile", js_get_text(values, "ProfileId"));

    js_put_text(values, "UserType", js_get_text(profile->values, "UserType"));
}

void
user_finish(struct org *org, struct json_object *values)
{
    lower_username(values);
    compute_name(values);
    copy_user_type(org, values);
    if (!js_get(values, "CommunityNickname"))
        default_nickname(org, values);
}

/* ---- rows that come with a user ---- */

static struct row *
keyed_row(struct org *org, enum object_index object, const char *field, const char *value,
          const char *field2, const char *value2)
{
    AUTO_JS struct json_object *key = js_object();

    js_put_text(key, field, value);
    if (field2)
        js_put_text(key, field2, value2);
    return rows_key_holder(org, &objects[object], key);
}

struct row *
user_login(struct row *user)
{
    return keyed_row(user->org, OBJECT_USER_LOGIN, "UserId", user->id, NULL, NULL);
}

static struct json_object *
stamped(struct org *org, const char *by)
{
    struct json_object *values = js_object();
    char now[32];

    time_text(org->world->now_ms(), now);
    js_put_text(values, "SystemModstamp", now);
    js_put_text(values, "LastModifiedDate", now);
    js_put_text(values, "LastModifiedById", by);
    return values;
}

static void
add_login(struct row *user, struct changes *changes)
{
    struct json_object *values;

    if (user_login(user))
        return;
    values = stamped(user->org, user->id);
    js_put_text(values, "UserId", user->id);
    js_put_flag(values, "IsFrozen", false);
    js_put_flag(values, "IsPasswordLocked", false);
    org_row_create(user->org, OBJECT_USER_LOGIN, values, changes);
}

/* Every user has an assignment of the permission set that the profile owns, and of no other
 * profile's. */
static void
assign_profile_set(struct row *user, struct changes *changes)
{
    struct table *sets = &user->org->tables[OBJECT_PERMISSION_SET];
    const char *profile_id = js_get_text(user->values, "ProfileId");

    for (size_t i = 0; i < sets->count; i++) {
        const char *owner = js_get_text(sets->rows[i]->values, "ProfileId");
        bool wanted = owner && strcmp(owner, profile_id) == 0;
        struct row *held =
            owner && !sets->rows[i]->deleted
                ? keyed_row(user->org, OBJECT_PERMISSION_SET_ASSIGNMENT, "AssigneeId", user->id,
                            "PermissionSetId", sets->rows[i]->id)
                : NULL;
        if (wanted && !held) {
            struct json_object *values = stamped(user->org, user->id);
            js_put_text(values, "AssigneeId", user->id);
            js_put_text(values, "PermissionSetId", sets->rows[i]->id);
            js_put_flag(values, "IsActive", true);
            org_row_create(user->org, OBJECT_PERMISSION_SET_ASSIGNMENT, values, changes);
        } else if (held && !wanted) {
            org_row_delete(held, changes);
        }
    }
}

void
user_follow(struct row *user, struct changes *changes)
{
    assign_profile_set(user, changes);
    if (user->org->settings.login_rows)
        add_login(user, changes);
}

/* 3.8: the new address of an active user stays pending, and the old one is what is read. Asking for
 * the old address again withdraws the change. Heap, NULL for none. */
char *
user_hold_back_email(struct row *row, struct json_object *record, struct json_object *values)
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

void
user_verify_email(struct row *row)
{
    struct json_object *values;
    char now[32];

    if (!row->pending_email)
        return;
    time_text(row->org->world->now_ms(), now);
    values = js_members_copy(row->values);
    js_put_text(values, "Email", row->pending_email);
    js_put_text(values, "LastModifiedDate", now);
    js_put_text(values, "SystemModstamp", now);
    js_put_text(values, "LastModifiedById", row->id);
    org_row_update(row, values, NULL, NULL);
}

/* ---- passwords (2.8) ---- */

enum {
    MIN_PASSWORD = 8,
    REMEMBERED = 3
};

/* The default policy: eight characters, letters and numbers, none of the last three, not the
 * username. 2.8 has the code and the first words of one text; the other texts are unsure. */
static bool
check_password(struct row *user, const char *password, struct refusal *refusal)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct json_object *old = user->passwords;
    size_t kept = old ? json_object_array_length(old) : 0;

    if (text_units(password) < MIN_PASSWORD)
        return refuse(refusal, 400, "INVALID_NEW_PASSWORD", NULL,
                      "Your password must be at least %d characters long.", MIN_PASSWORD);
    if (!strpbrk(password, letters) || !strpbrk(password, "0123456789"))
        return refuse(refusal, 400, "INVALID_NEW_PASSWORD", NULL,
                      "Your password must have a mix of letters and numbers.");
    if (strcasestr(password, js_get_text(user->values, "Username")))
        return refuse(refusal, 400, "INVALID_NEW_PASSWORD", NULL,
                      "Your password cannot equal or contain your user name.");
    for (size_t i = 0; i < kept && i < REMEMBERED; i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(old, i)), password) == 0)
            return refuse(refusal, 400, "INVALID_NEW_PASSWORD", NULL, "invalid repeated password");
    }
    return true;
}

static void
keep_password(struct row *user, const char *password)
{
    struct json_object *all = js_array();
    struct json_object *values = js_members_copy(user->values);
    char now[32];

    js_append(all, js_string(password));
    for (size_t i = 0; user->passwords && i < json_object_array_length(user->passwords); i++)
        js_append(all, json_object_get(json_object_array_get_idx(user->passwords, i)));
    json_object_put(user->passwords);
    user->passwords = all;
    js_put_text(values, "LastPasswordChangeDate", time_text(user->org->world->now_ms(), now));
    org_row_update(user, values, user->pending_email, NULL);
    add_login(user, NULL);
}

bool
user_set_password(struct row *user, const char *password, struct refusal *refusal)
{
    if (!check_password(user, password, refusal))
        return false;
    keep_password(user, password);
    user->password_expired = false;
    return true;
}

/* Made from the row's history: a test org's passwords are no secrets. */
char *
user_reset_password(struct row *user)
{
    size_t number = user->passwords ? json_object_array_length(user->passwords) : 0;
    char *password = text_format("Temp%.15s%zu", user->id, number + 1);

    keep_password(user, password);
    user->password_expired = true;
    return password;
}
