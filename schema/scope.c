/*
 * Decides who is in scope. Both fields narrow: a user must pass the filter and be in one of the
 * groups. Groups and roles are one list, as in WSO2's role-based provisioning: what one host calls a
 * role is a group of another, and both are compared by value and by display, without case. A
 * resource that names no groups is in none: RFC 7643 2.5 makes no difference between the two.
 */
#include "schema/scope.h"

#include <stdio.h>
#include <string.h>

#include "plugin/scim/filter.h"
#include "schema/letters.h"
#include "schema/names.h"

/* ---- reading the fields ---- */

static const char list_remedy[] =
    "write [\"sales\", \"support\"], or the same as one text with commas: \"sales, support\"";

static void
check_groups(struct fields *fields, struct fault_list *faults)
{
    if (names_read(&fields->scope_groups, "scope_groups", list_remedy, faults) &&
        json_object_array_length(fields->scope_groups) == 0)
        faults_add(faults, "scope_groups", NULL,
                   "name the groups; or remove the field, then every user is in scope",
                   "it is a list without a name, so nobody would be in scope");
}

void
scope_check(struct fields *fields, struct fault_list *faults)
{
    struct prov_error why = PROV_ERROR_INIT;
    int result;

    if (fields->scope_groups)
        check_groups(fields, faults);
    if (!fields->scope_filter)
        return;
    result = scim_filter_compile(fields->scope_filter, &fields->scope, &why);
    if (result == PROV_E_NOMEM)
        faults->result = result;
    else if (result)
        faults_add(faults, "scope_filter", fields->scope_filter, "correct it there", "%s",
                   why.text);
}

/* ---- deciding ---- */

static bool
is_listed(struct json_object *names, struct value *value)
{
    const char *text = value_text(value);

    for (size_t i = 0; text && i < json_object_array_length(names); i++) {
        if (letters_same(text, json_object_get_string(json_object_array_get_idx(names, i))))
            return true;
    }
    return false;
}

/* Whether a group or role, or the bare name of one, is listed. */
static bool
element_listed(struct json_object *names, struct value *element)
{
    if (!value_is(element, VALUE_OBJECT))
        return is_listed(names, element);
    return is_listed(names, value_get_nocase(element, "value")) ||
           is_listed(names, value_get_nocase(element, "display"));
}

/* *ret_named: the resource names any group or role at all. */
static bool
in_a_group(struct json_object *names, struct value *resource, bool *ret_named)
{
    static const char *const attributes[] = { "groups", "roles" };

    *ret_named = false;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        struct value *list = value_get_nocase(resource, attributes[i]);
        size_t count = value_is(list, VALUE_ARRAY) ? value_count(list) : list != NULL;
        for (size_t k = 0; k < count; k++) {
            struct value *element = value_is(list, VALUE_ARRAY) ? value_at(list, k) : list;
            *ret_named = true;
            if (element_listed(names, element))
                return true;
        }
    }
    return false;
}

/* "'sales', 'support' and 3 more" */
static void
write_names(struct json_object *names, char *text, size_t size)
{
    size_t count = json_object_array_length(names), length = 0, i = 0;

    text[0] = '\0';
    for (; i < count && i < 5 && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s'%s'", i ? ", " : "",
                                   json_object_get_string(json_object_array_get_idx(names, i)));
    if (i < count && length < size)
        snprintf(text + length, size - length, " and %zu more", count - i);
    error_tidy(text);
}

bool
scope_admits(const struct fields *fields, struct value *resource, char *why, size_t size)
{
    char names[300];
    bool named;

    if (fields->scope_groups && !in_a_group(fields->scope_groups, resource, &named)) {
        if (why) {
            write_names(fields->scope_groups, names, sizeof(names));
            snprintf(
                why, size,
                named ? "out of scope: the user has none of the groups or roles of scope_groups, "
                        "%s"
                      : "out of scope: the host names no group or role of the user, and "
                        "scope_groups asks for one of %s",
                names);
            error_tidy(why);
        }
        return false;
    }
    if (fields->scope && !scim_filter_match(fields->scope, resource)) {
        if (why) {
            snprintf(why, size, "out of scope: the user does not pass scope_filter, %s",
                     fields->scope_filter);
            error_tidy(why);
        }
        return false;
    }
    return true;
}
