/* Applies a compiled mapping to a SCIM resource, and holds the default mapping. Decides which value
 * a field gets and whether the user can be sent at all; the form of a value is mapping_value.c's
 * business, the difference to what the org holds the planner's. */
#include "schema/mapping_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema/alias.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
#define ADDRESS    "addresses[type eq \\\"work\\\"]."
#define NUMBER(of) "phoneNumbers[type eq \\\"" of "\\\"].value"

/*
 * What SCIM's core and enterprise attributes can fill (fact sheet 7.2), and what every create needs
 * (3.2). docs/mapping.md holds it as a table and says what is left out on purpose; a test compares.
 * Settings that users change themselves in Salesforce are left alone when the host has none.
 */
static const char default_rules[] =
    "[{\"field\":\"LastName\",\"source\":[\"name.familyName\",\"displayName\"]},"
    "{\"field\":\"FirstName\",\"source\":\"name.givenName\"},"
    "{\"field\":\"Alias\",\"source\":\"$alias\",\"apply\":\"create\"},"
    "{\"field\":\"Email\",\"source\":[\"emails[primary eq true].value\","
    "\"emails[type eq \\\"work\\\"].value\",\"emails.value\"]},"
    "{\"field\":\"Title\",\"source\":\"title\"},"
    "{\"field\":\"CompanyName\",\"source\":\"" ENTERPRISE "organization\"},"
    "{\"field\":\"Division\",\"source\":\"" ENTERPRISE "division\"},"
    "{\"field\":\"Department\",\"source\":\"" ENTERPRISE "department\"},"
    "{\"field\":\"EmployeeNumber\",\"source\":\"" ENTERPRISE "employeeNumber\"},"
    "{\"field\":\"Phone\",\"source\":\"" NUMBER(
        "work") "\"},"
                "{\"field\":\"MobilePhone\",\"source\":\"" NUMBER(
                    "mobile") "\"},"
                              "{\"field\":\"Fax\",\"source\":\"" NUMBER(
                                  "fax") "\"},"
                                         "{\"field\":\"Street\",\"source\":\"" ADDRESS
                                         "streetAddress\"},"
                                         "{\"field\":\"City\",\"source\":\"" ADDRESS "locality\"},"
                                         "{\"field\":\"State\",\"source\":\"" ADDRESS "region\"},"
                                         "{\"field\":\"PostalCode\",\"source\":\"" ADDRESS
                                         "postalCode\"},"
                                         "{\"field\":\"Country\",\"source\":\"" ADDRESS
                                         "country\"},"
                                         "{\"field\":\"TimeZoneSidKey\",\"source\":\"timezone\","
                                         "\"default\":\"$time_zone\","
                                         "\"absent\":\"leave\"},"
                                         "{\"field\":\"LocaleSidKey\",\"source\":\"locale\","
                                         "\"default\":\"$locale\","
                                         "\"absent\":\"leave\"},"
                                         "{\"field\":\"LanguageLocaleKey\",\"source\":"
                                         "\"preferredLanguage\",\"default\":\"$language\","
                                         "\"absent\":\"leave\"},"
                                         "{\"field\":\"EmailEncodingKey\",\"constant\":\"$email_"
                                         "encoding\",\"apply\":\"create\"}]";

const char *
mapping_default_rules(void)
{
    return default_rules;
}

bool
mapping_has(const struct mapping *mapping, const char *field)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcasecmp(mapping->rules[i].field, field) == 0)
            return true;
    }
    return false;
}

/* One application of a mapping. */
struct run {
    struct json_object *resource;
    bool creating;
    struct json_object *fields, *trace;
    size_t problem_count, problem_length;
    char problems[900]; /* what fits an error; the count is exact */
};

/* What became of one rule. */
struct outcome {
    struct json_object *value; /* owned; NULL: nothing there */
    const char *from, *note;   /* borrowed */
};

static void
outcome_cleanup(struct outcome *outcome)
{
    json_object_put(outcome->value);
}

static void add_problem(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add_problem(struct run *run, const char *format, ...)
{
    size_t room = sizeof(run->problems) - run->problem_length;
    va_list arguments;
    int length;

    run->problem_count++;
    va_start(arguments, format);
    length = vsnprintf(run->problems + run->problem_length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        run->problems[run->problem_length] = '\0'; /* no half sentences: the count tells of it */
    else
        run->problem_length += (size_t)length;
}

/* What a source holds: borrowed from the resource, or *owned for a derived one. */
static int
look_up(const struct run *run, const struct mapping_source *source, struct json_object **ret,
        struct json_object **owned, const char **ret_from)
{
    AUTO_FREE char *alias = NULL;

    *ret_from = source->text;
    if (source->path) {
        *ret = scim_path_get(source->path, run->resource);
        return PROV_OK;
    }
    alias = alias_derive(run->resource, ret_from);
    if (!alias && *ret_from)
        return PROV_E_NOMEM;
    if (alias && !(*owned = json_object_new_string(alias)))
        return PROV_E_NOMEM;
    *ret = *owned;
    return PROV_OK;
}

/* The first source with a value that is not blank. *ret_failed: one that cannot be sent was met and
 * noted; the sources after it are not asked, as they would hide it. */
static int
from_sources(struct run *run, const struct mapping_rule *rule, struct outcome *outcome,
             bool *ret_failed)
{
    for (size_t i = 0; i < rule->source_count && !outcome->value; i++) {
        AUTO_JSON struct json_object *owned = NULL;
        struct json_object *found = NULL;
        struct value_problem problem;
        int result = look_up(run, &rule->sources[i], &found, &owned, &outcome->from);

        if (result)
            return result;
        if (!found)
            continue;
        result = mapping_value(rule, found, &outcome->value, &outcome->note, &problem);
        if (result == PROV_E_NOMEM)
            return result;
        if (result) {
            add_problem(run, "%s'%s' (from '%s') %s: %s", run->problem_count ? "; " : "",
                        rule->field, outcome->from, problem.reason, problem.remedy);
            *ret_failed = true;
            return PROV_OK;
        }
    }
    return PROV_OK;
}

static int
copy_of(struct json_object *value, struct json_object **ret)
{
    return json_object_deep_copy(value, ret, NULL) == 0 ? PROV_OK : PROV_E_NOMEM;
}

/* A value where no source has one: the default. */
static int
from_default(const struct run *run, const struct mapping_rule *rule, struct outcome *outcome)
{
    outcome->from = "";
    outcome->note = NULL;
    if (!rule->fallback || (rule->leave && !run->creating))
        return PROV_OK;
    outcome->from = rule->fallback_from;
    return copy_of(rule->fallback, &outcome->value);
}

static int
trace(const struct run *run, const struct mapping_rule *rule, struct json_object *value,
      const char *from, const char *note)
{
    AUTO_JSON struct json_object *entry = json_object_new_object();

    if (!entry || json_put_string(entry, "field", rule->field) ||
        json_put(entry, "value", json_ref(value)) || json_put_string(entry, "from", from) ||
        json_put_string(entry, "note", note ? note : "") ||
        json_object_array_add(run->trace, entry) != 0)
        return PROV_E_NOMEM;
    STEAL(entry);
    return PROV_OK;
}

/* Nothing there: a fault, left alone, or cleared. */
static int
nothing_there(struct run *run, const struct mapping_rule *rule)
{
    bool switch_off = !rule->any_kind && rule->kind == USER_FIELD_BOOLEAN;
    struct json_object *cleared = NULL;
    int result;

    if (rule->fact && rule->fact->required && (run->creating || !rule->leave)) {
        add_problem(run,
                    "%s'%s' is required by Salesforce and %s%s%s%s: give it a value at the host, "
                    "or a \"default\" in its mapping rule",
                    run->problem_count ? "; " : "", rule->field,
                    rule->source_count ? "the resource has no '" : "its constant is blank",
                    rule->source_count ? rule->sources[0].text : "", rule->source_count ? "'" : "",
                    rule->source_count > 1 ? " and none of its other sources" : "");
        return PROV_OK;
    }
    if (rule->leave)
        return trace(run, rule, NULL, "", "left as it is: the resource has no value");
    /* a checkbox is never null in Salesforce */
    if (switch_off && !(cleared = json_object_new_boolean(false)))
        return PROV_E_NOMEM;
    result = trace(run, rule, cleared, "", "cleared: the resource has no value");
    return result ? (json_object_put(cleared), result)
                  : json_put(run->fields, rule->field, cleared);
}

static int
apply_rule(struct run *run, const struct mapping_rule *rule)
{
    CLEANUP(outcome_cleanup) struct outcome outcome = { 0 };
    bool failed = false;
    int result;

    if (rule->create_only && !run->creating)
        return trace(run, rule, NULL, "", "left as it is: set only when the user is created");
    if (rule->constant) {
        outcome.from = rule->constant_from;
        result = copy_of(rule->constant, &outcome.value);
    } else {
        result = from_sources(run, rule, &outcome, &failed);
        if (!result && !failed && !outcome.value)
            result = from_default(run, rule, &outcome);
    }
    if (result || failed)
        return result;
    if (!outcome.value)
        return nothing_there(run, rule);
    result = trace(run, rule, outcome.value, outcome.from, outcome.note);
    return result ? result : json_put(run->fields, rule->field, STEAL(outcome.value));
}

int
mapping_apply(const struct mapping *mapping, struct json_object *resource, bool creating,
              struct json_object **ret_fields, struct json_object **ret_trace,
              struct prov_error *err)
{
    AUTO_JSON struct json_object *fields = json_object_new_object();
    AUTO_JSON struct json_object *steps = json_object_new_array();
    struct run run = {
        .resource = resource, .creating = creating, .fields = fields, .trace = steps
    };

    if (!fields || !steps)
        return error_nomem(err);
    if (!json_object_is_type(resource, json_type_object))
        return error_set(err, PROV_E_INVALID,
                         "the resource is no JSON object: the host has to send a SCIM user");
    for (size_t i = 0; i < mapping->count; i++) {
        if (apply_rule(&run, &mapping->rules[i]))
            return error_nomem(err);
    }
    if (run.problem_count > 1)
        return error_set(err, PROV_E_INVALID, "%zu fields cannot be sent: %s", run.problem_count,
                         run.problems);
    if (run.problem_count == 1)
        return error_set(err, PROV_E_INVALID, "%s", run.problems);
    *ret_fields = STEAL(fields);
    if (ret_trace)
        *ret_trace = STEAL(steps);
    return PROV_OK;
}
