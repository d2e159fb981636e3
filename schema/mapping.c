/* Applies a compiled mapping to a SCIM resource, and holds the default mapping. Decides which value
 * a field gets and whether the user can be sent at all; the form of a value is mapping_value.c's
 * business, the difference to what the org holds the planner's. */
#include "schema/mapping_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "schema/number.h"

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
        if (ascii_compare(mapping->rules[i].field, field) == 0)
            return true;
    }
    return false;
}

/* Before the point; 0 where the rule does not say how many, and all are sent. */
static size_t
digits_of(const struct mapping_rule *rule)
{
    return rule->precision > NUMBER_MAX_DIGITS ? 0 : rule->precision - rule->scale;
}

/* A rule that has a say after those of the same field before it. */
static void
widen(struct mapping_target *target, const struct mapping_rule *rule)
{
    if (!rule->max_characters || !target->max_characters)
        target->max_characters = 0;
    else if (rule->max_characters > target->max_characters)
        target->max_characters = rule->max_characters;
    target->create_only = target->create_only && rule->create_only;
    target->by_default = target->by_default && rule->given < 0;
    if (digits_of(rule) > target->max_digits)
        target->max_digits = digits_of(rule);
}

bool
mapping_target_at(const struct mapping *mapping, size_t index, struct mapping_target *ret)
{
    const char *last = "";
    bool found = false;

    for (size_t i = 0; i < mapping->count; i++) {
        const struct mapping_rule *rule = &mapping->rules[i];
        if (rule->remove)
            continue;
        if (ascii_compare(rule->field, last) == 0) {
            if (found)
                widen(ret, rule);
            continue;
        }
        if (found)
            return true;
        last = rule->field;
        found = index-- == 0;
        if (found)
            *ret =
                (struct mapping_target){ rule->field,          rule->fact,        (int)rule->kind,
                                         rule->max_characters, rule->create_only, rule->given < 0,
                                         digits_of(rule) };
    }
    return found;
}

/* The rule that makes a field one of this kind; NULL: it is none, as far as the mapping knows. */
static const struct mapping_rule *
rule_of_kind(const struct mapping *mapping, const char *field, enum user_field_kind kind)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (mapping->rules[i].kind == kind && ascii_compare(mapping->rules[i].field, field) == 0)
            return &mapping->rules[i];
    }
    return NULL;
}

/* The browser of who saves a user in Setup writes line ends of its own. */
static bool
same_lines(const char *ours, const char *theirs)
{
    for (;; ours++, theirs++) {
        ours += ours[0] == '\r' && ours[1] == '\n';
        theirs += theirs[0] == '\r' && theirs[1] == '\n';
        if (*ours != *theirs)
            return false;
        if (!*ours)
            return true;
    }
}

/* Salesforce takes an Id of 15 characters, and tells it with 18 (fact sheet 2.5). */
static bool
same_id(const char *ours, const char *theirs)
{
    return strlen(ours) >= 15 && strncmp(ours, theirs, 15) == 0;
}

/* Salesforce takes the codes of countries and states in any letter case, and tells them as its lists have them. */
static bool
same_code(const char *field, const char *ours, const char *theirs)
{
    return (ascii_compare(field, "CountryCode") == 0 || ascii_compare(field, "StateCode") == 0) &&
           ascii_compare(ours, theirs) == 0;
}

/* Whether two texts are the same choices, in another order or spelling. */
static bool
same_choices(const struct mapping_rule *rule, struct value *ours, struct value *theirs)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *our_choices = NULL, *their_choices = NULL;
    struct value_problem problem;
    const char *note;

    return mapping_value(&pool, rule, ours, &our_choices, &note, &problem) == PROV_OK &&
           mapping_value(&pool, rule, theirs, &their_choices, &note, &problem) == PROV_OK &&
           value_equal(our_choices, their_choices);
}

bool
mapping_same(const struct mapping *mapping, const char *field, struct value *ours,
             struct value *theirs)
{
    const struct mapping_rule *rule;

    if (value_equal(ours, theirs))
        return true;
    if (!value_is(ours, VALUE_TEXT) || !value_is(theirs, VALUE_TEXT))
        return false;
    if (same_lines(value_text(ours), value_text(theirs)) ||
        same_code(field, value_text(ours), value_text(theirs)))
        return true;
    if (rule_of_kind(mapping, field, USER_FIELD_REFERENCE))
        return same_id(value_text(ours), value_text(theirs));
    rule = rule_of_kind(mapping, field, USER_FIELD_MULTI_PICKLIST);
    return rule && same_choices(rule, ours, theirs);
}

/* One application of a mapping. */
struct run {
    struct pool *pool;
    struct value *resource;
    bool creating;
    struct value *fields;
    struct value *trace; /* NULL: nobody wants to see it */
    size_t problem_count, problem_length;
    char problems[900];           /* what fits an error; the count is exact */
    struct value_problem problem; /* the last one */
};

/* What became of one rule. */
struct outcome {
    struct value *value; /* NULL: nothing there */
    struct value *steps; /* what each step made of it; NULL: nobody wants to see it */
    const char *from;    /* NULL: nowhere */
    const char *note;    /* static */
};

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

/* Out of memory, or a value that cannot be sent, which is noted. */
static int
not_made(struct run *run, const struct mapping_rule *rule, const char *from, int result,
         bool *ret_failed)
{
    if (result == PROV_E_NOMEM)
        return result;
    *ret_failed = true;
    add_problem(run, "%s'%s' (from '%s') %s: %s", run->problem_count ? "; " : "", rule->field,
                from ? from : mapping_term_first(&rule->term), run->problem.reason,
                run->problem.remedy);
    return PROV_OK;
}

/* What the sources and steps of the rule give. *ret_failed: something that cannot be sent. */
static int
from_sources(struct run *run, const struct mapping_rule *rule, struct outcome *outcome,
             bool *ret_failed)
{
    struct value *list = value_array(run->pool), *value;
    struct term_run term_run = { .pool = run->pool,
                                 .resource = run->resource,
                                 .problem = &run->problem };
    int result;

    outcome->steps = run->trace ? value_array(run->pool) : NULL;
    if (!list || (run->trace && !outcome->steps))
        return PROV_E_NOMEM;
    term_run.trace = outcome->steps;
    result = mapping_term_values(&rule->term, &term_run, list);
    outcome->from = term_run.from;
    if (result)
        return not_made(run, rule, outcome->from, result, ret_failed);
    if (value_count(list) == 0)
        return PROV_OK;
    value = rule->kind == USER_FIELD_MULTI_PICKLIST ? list : value_at(list, 0);
    result = mapping_value(run->pool, rule, value, &outcome->value, &outcome->note, &run->problem);
    return result ? not_made(run, rule, outcome->from, result, ret_failed) : PROV_OK;
}

/* A value where no source has one: the default. */
static void
from_default(const struct run *run, const struct mapping_rule *rule, struct outcome *outcome)
{
    outcome->note = NULL;
    if (!rule->fallback || (rule->leave && !run->creating))
        return;
    outcome->from = rule->fallback_from;
    outcome->value = rule->fallback;
}

/* The line of a field: value, where it comes from, by which rule, through which steps. */
static int
trace(const struct run *run, const struct mapping_rule *rule, struct value *value,
      const struct outcome *outcome, const char *note)
{
    struct pool *pool = run->pool;
    struct value *entry;
    char place[32] = "default mapping";

    if (!run->trace)
        return PROV_OK;
    entry = value_object(pool);
    if (rule->given >= 0)
        snprintf(place, sizeof(place), "mapping[%d]", rule->given);
    if (!entry || value_put_text(pool, entry, "field", rule->field) ||
        value_put(pool, entry, "value", value) ||
        value_put_text(pool, entry, "from", outcome && outcome->from ? outcome->from : "") ||
        value_put_text(pool, entry, "note", note ? note : "") ||
        value_put_text(pool, entry, "rule", place))
        return PROV_E_NOMEM;
    if (outcome && value_count(outcome->steps) > 0 &&
        value_put(pool, entry, "steps", outcome->steps))
        return PROV_E_NOMEM;
    return value_append(pool, run->trace, entry);
}

static int
give(struct run *run, const struct mapping_rule *rule, struct value *value)
{
    return value_add(run->pool, run->fields, rule->field, strlen(rule->field), value);
}

static int
required_is_missing(struct run *run, const struct mapping_rule *rule)
{
    const char *source = mapping_term_first(&rule->term);

    add_problem(run,
                "%s'%s' is required by Salesforce and %s%s%s%s: give it a value at the host, "
                "or a \"default\" in its mapping rule",
                run->problem_count ? "; " : "", rule->field,
                *source ? "the resource has no '" : "its constant is blank", source,
                *source ? "'" : "",
                rule->term.part_count > 1 ? " and none of its other sources" : "");
    return PROV_OK;
}

/* Nothing there: a fault, left alone, or cleared. */
static int
nothing_there(struct run *run, const struct mapping_rule *rule, const struct outcome *outcome,
              const char *why)
{
    bool required = rule->fact && rule->fact->required;
    struct value *cleared = NULL;
    char note[120];
    int result = PROV_OK;

    /* a profile has a connector field behind it, which the plan sees to */
    if (required && rule->fact->names)
        return PROV_OK;
    if (required && (run->creating || !rule->leave))
        return required_is_missing(run, rule);
    /* a checkbox is never null in Salesforce */
    if (!rule->leave && rule->kind == USER_FIELD_BOOLEAN)
        cleared = value_boolean(false);
    if (run->trace) {
        snprintf(note, sizeof(note), "%s: %s", rule->leave ? "left as it is" : "cleared", why);
        result = trace(run, rule, cleared, outcome, note);
    }
    return result || rule->leave ? result : give(run, rule, cleared);
}

static int
apply_rule(struct run *run, const struct mapping_rule *rule)
{
    struct outcome outcome = { 0 };
    bool failed = false;
    int result = PROV_OK;

    if (rule->remove)
        return trace(run, rule, NULL, NULL, "left as it is: the rule takes the field out");
    if (rule->create_only && !run->creating)
        return trace(run, rule, NULL, NULL, "left as it is: set only when the user is created");
    if (rule->constant) {
        outcome.from = rule->constant_from;
        outcome.value = rule->constant;
    } else {
        result = from_sources(run, rule, &outcome, &failed);
        if (!result && !failed && !outcome.value)
            from_default(run, rule, &outcome);
    }
    if (result || failed)
        return result;
    if (!outcome.value)
        return nothing_there(run, rule, &outcome,
                             outcome.from ? "the steps make nothing of what the resource has"
                                          : "the resource has no value");
    result = trace(run, rule, outcome.value, &outcome, outcome.note);
    return result ? result : give(run, rule, outcome.value);
}

/* Applies the first rule that holds, of those of the field of rule `at`; *ret_next is behind them. */
static int
apply_field(struct run *run, const struct mapping *mapping, size_t at, size_t *ret_next)
{
    const struct mapping_rule *rules = mapping->rules, *holds = NULL;
    size_t next = at;

    for (; next < mapping->count && (next == at || rules[next].alternative); next++) {
        if (!holds && (!rules[next].when || scim_filter_match(rules[next].when, run->resource)))
            holds = &rules[next];
    }
    *ret_next = next;
    /* whoever an earlier rule held for may no longer be one of those: what it gave goes away */
    return holds ? apply_rule(run, holds)
                 : nothing_there(run, &rules[next - 1], NULL, "no rule of the field holds");
}

int
mapping_apply(struct pool *pool, const struct mapping *mapping, struct value *resource,
              bool creating, struct value **ret_fields, struct value **ret_trace,
              struct prov_error *err)
{
    struct run run = { .pool = pool,
                       .resource = resource,
                       .creating = creating,
                       .fields = value_object(pool),
                       .trace = ret_trace ? value_array(pool) : NULL };

    if (!run.fields || (ret_trace && !run.trace))
        return error_nomem(err);
    if (!value_is(resource, VALUE_OBJECT))
        return error_set(err, PROV_E_INVALID,
                         "the resource is no JSON object: the host has to send a SCIM user");
    for (size_t i = 0; i < mapping->count;) {
        if (apply_field(&run, mapping, i, &i))
            return error_nomem(err);
    }
    if (run.problem_count > 1)
        return error_set(err, PROV_E_INVALID, "%zu fields cannot be sent: %s", run.problem_count,
                         run.problems);
    if (run.problem_count == 1)
        return error_set(err, PROV_E_INVALID, "%s", run.problems);
    *ret_fields = run.fields;
    if (ret_trace)
        *ret_trace = run.trace;
    return PROV_OK;
}
