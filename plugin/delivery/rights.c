/*
 * What the execution user may do, as the org itself says it: the permission sets that are assigned to it, that of
 * its profile among them, each with a switch for each right. What one of them gives it has. That a permission set
 * group shows as its own set is unsure, so a right that is not found here may still be there: whoever uses this
 * warns, and lets calls decide.
 */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"
#include "plugin/delivery/rights.h"

static const struct {
    const char *field, *label;
} rights[] = {
    { "PermissionsApiEnabled", "API Enabled" },
    { "PermissionsManageInternalUsers", "Manage Internal Users" },
    { "PermissionsManageUsers", "Manage Users" },
    { "PermissionsViewSetup", "View Setup and Configuration" },
};

#define RIGHTS (sizeof(rights) / sizeof(rights[0]))

static int
add_given(struct json_object *ret, struct json_object *rows)
{
    for (size_t i = 0; i < RIGHTS; i++) {
        bool given = false;
        for (size_t k = 0; k < json_object_array_length(rows); k++) {
            struct json_object *set = json_get(json_object_array_get_idx(rows, k), "PermissionSet");
            given = given || json_get_bool(set, rights[i].field, false);
        }
        if (given && json_append_string(ret, rights[i].label))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

int
rights_read(struct sf_session *session, const char *user_id, struct json_object **ret,
            struct sf_call *ret_call)
{
    AUTO_JSON struct json_object *given = json_object_new_array();
    AUTO_JSON struct json_object *rows = NULL;
    char soql[400];
    size_t length = (size_t)snprintf(soql, sizeof(soql), "SELECT Id");
    int r;

    for (size_t i = 0; i < RIGHTS; i++)
        length += (size_t)snprintf(soql + length, sizeof(soql) - length, ", PermissionSet.%s",
                                   rights[i].field);
    snprintf(soql + length, sizeof(soql) - length,
             " FROM PermissionSetAssignment WHERE AssigneeId = '%s'", user_id);
    r = given ? sf_query(session, soql, SF_CAN_WAIT, &rows, ret_call) : PROV_E_NOMEM;
    if (r || ret_call->outcome != SF_DELIVERED)
        return r;
    if (add_given(given, rows))
        return PROV_E_NOMEM;
    *ret = STEAL(given);
    return PROV_OK;
}

static bool
has(struct json_object *given, const char *label)
{
    for (size_t i = 0; i < json_object_array_length(given); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(given, i)), label) == 0)
            return true;
    }
    return false;
}

const char *
rights_missing(struct json_object *given)
{
    if (!has(given, "API Enabled"))
        return "API Enabled";
    /* the larger one holds the smaller */
    if (!has(given, "Manage Internal Users") && !has(given, "Manage Users"))
        return "Manage Internal Users";
    return has(given, "View Setup and Configuration") ? NULL : "View Setup and Configuration";
}
