/* What a write of a record does once it is allowed: stamps, the row, and the rows that come and go
 * with it. Decides too which objects have a call at all, and that setup objects and others are not
 * written together (5.3). What is allowed in a record is decided in rules.c; record-level faults come
 * first (faults.h). */
#include "tests/org/rules.h"

#include <string.h>

bool
record_call_check(const struct object_facts *facts, unsigned call, struct refusal *refusal)
{
    if (facts->flags & call)
        return true;
    return refuse(refusal, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "",
                  "entity type cannot be %s: %s",
                  call == CAN_CREATE   ? "inserted"
                  : call == CAN_UPDATE ? "updated"
                                       : "deleted",
                  facts->label);
}

bool
record_right_check(struct org *org, const struct object_facts *facts, const char *by,
                   struct refusal *refusal)
{
    bool guarded = object_is(facts, OBJECT_USER) || object_is(facts, OBJECT_USER_LOGIN);

    if (org->settings.manage_users || !guarded || strcmp(by, org->execution_user) != 0)
        return true;
    return refuse(refusal, 403, "INSUFFICIENT_ACCESS_OR_READONLY", "",
                  "insufficient access rights on object id");
}

/* 5.3: a User's insert without a role, and an update that leaves these fields alone, go together with
 * anything; so do insert and update of a Group. */
static bool
goes_with_anything(const struct object_facts *facts, struct row *row, struct json_object *record)
{
    static const char *const fields[] = { "IsActive", "ForecastEnabled", "IsPortalEnabled",
                                          "Username", "ProfileId",       "UserRoleId" };

    if (object_is(facts, OBJECT_GROUP))
        return record != NULL;
    if (!object_is(facts, OBJECT_USER))
        return false;
    for (size_t i = row ? 0 : 5; i < 6; i++) {
        if (js_get_nocase(record, fields[i]))
            return false;
    }
    return true;
}

/* record NULL: a deletion. */
static bool
check_mixed(const struct object_facts *facts, struct row *row, struct json_object *record,
            struct changes *changes, struct refusal *refusal)
{
    bool setup = (facts->flags & IS_SETUP) != 0;
    const struct object_facts *before;

    if (!changes || (setup && goes_with_anything(facts, row, record)))
        return true;
    before = setup ? changes->other : changes->setup;
    if (before)
        return refuse(refusal, 400, "MIXED_DML_OPERATION", "",
                      "DML operation on setup object is not permitted after you have updated a "
                      "non-setup object (or vice versa): %s, original object: %s",
                      facts->name, before->name);
    if (setup && !changes->setup)
        changes->setup = facts;
    if (!setup && !changes->other)
        changes->other = facts;
    return true;
}

static void
put_stamp(struct org *org, const struct object_facts *facts, struct json_object *values,
          const char *name, const char *value)
{
    if (org_field(org, facts, name))
        js_put_text(values, name, value);
}

static void
stamp(struct org *org, const struct object_facts *facts, struct json_object *values, const char *by,
      bool created)
{
    char now[32];

    time_text(org->world->now_ms(), now);
    put_stamp(org, facts, values, "LastModifiedDate", now);
    put_stamp(org, facts, values, "SystemModstamp", now);
    put_stamp(org, facts, values, "LastModifiedById", by);
    if (!created)
        return;
    put_stamp(org, facts, values, "CreatedDate", now);
    put_stamp(org, facts, values, "CreatedById", by);
}

bool
record_create(struct org *org, const struct object_facts *facts, struct json_object *record,
              const char *by, struct row **ret, struct changes *changes, struct refusal *refusal)
{
    AUTO_JS struct json_object *values = js_object();
    struct examined examined = { org, facts, NULL, record, values, by, refusal };

    if (!record_call_check(facts, CAN_CREATE, refusal) ||
        !record_right_check(org, facts, by, refusal) || !rules_check(&examined) ||
        !check_mixed(facts, NULL, record, changes, refusal))
        return false;
    if (object_is(facts, OBJECT_GROUP_MEMBER)) {
        *ret = rows_key_holder(org, facts, values); /* 5.1: the existing one is returned */
        if (*ret)
            return true;
    }
    if (object_is(facts, OBJECT_USER))
        user_finish(org, values);
    stamp(org, facts, values, by, true);
    *ret = org_row_create(org, (enum object_index)(facts - objects), STEAL(values), changes);
    if (object_is(facts, OBJECT_USER))
        user_follow(*ret, changes);
    return true;
}

bool
record_update(struct row *row, struct json_object *record, const char *by, struct changes *changes,
              struct refusal *refusal)
{
    const struct object_facts *facts = row->table->facts;
    AUTO_JS struct json_object *values = js_members_copy(row->values);
    AUTO_FREE char *pending = NULL;
    struct examined examined = { row->org, facts, row, record, values, by, refusal };

    if (!record_call_check(facts, CAN_UPDATE, refusal) ||
        !record_right_check(row->org, facts, by, refusal) || !rules_check(&examined) ||
        !check_mixed(facts, row, record, changes, refusal))
        return false;
    /* the members are shared with the row as it was; what follows replaces, never changes them */
    if (object_is(facts, OBJECT_USER)) {
        pending = user_hold_back_email(row, record, values);
        user_finish(row->org, values);
    }
    stamp(row->org, facts, values, by, false);
    org_row_update(row, STEAL(values), pending, changes);
    if (object_is(facts, OBJECT_USER))
        user_follow(row, changes);
    return true;
}

/* Members go with their group. */
static void
delete_members(struct row *group, struct changes *changes)
{
    struct table *members = &group->org->tables[OBJECT_GROUP_MEMBER];

    for (size_t i = 0; i < members->count; i++) {
        struct row *row = members->rows[i];
        if (!row->deleted && (strcmp(js_get_text(row->values, "GroupId"), group->id) == 0 ||
                              strcmp(js_get_text(row->values, "UserOrGroupId"), group->id) == 0))
            org_row_delete(row, changes);
    }
}

bool
record_delete(struct row *row, struct changes *changes, struct refusal *refusal)
{
    const struct object_facts *facts = row->table->facts;

    if (!record_call_check(facts, CAN_DELETE, refusal) || !setup_check_delete(row, refusal) ||
        !check_mixed(facts, row, NULL, changes, refusal))
        return false;
    if (object_is(facts, OBJECT_GROUP))
        delete_members(row, changes);
    org_row_delete(row, changes);
    return true;
}
