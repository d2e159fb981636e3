/* From mapping rules as data to compiled rules: lays them over the default mapping, checks each
 * key, and names every fault with its place. Applying them is mapping.c's business. */
#include "schema/mapping_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema/letters.h"

#define PLACE_SIZE 64

static const char *const rule_keys[] = { "field",    "source", "constant", "default", "lower",
                                         "truncate", "apply",  "absent",   "remove" };

/* One rule on its way to being compiled. */
struct draft {
    struct json_object *rule;
    char place[PLACE_SIZE]; /* "mapping[3]" */
    const struct mapping_defaults *defaults;
    struct fault_list *faults;
};

static void refuse(struct draft *draft, const char *key, const char *remedy, const char *format,
                   ...) PRINTF_LIKE(4, 5);

static void
refuse(struct draft *draft, const char *key, const char *remedy, const char *format, ...)
{
    struct json_object *value = key ? json_get(draft->rule, key) : NULL;
    AUTO_FREE char *place = NULL;
    AUTO_FREE char *reason = NULL;
    AUTO_FREE char *shown = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = letters_vformat(format, arguments);
    va_end(arguments);
    place = letters_format("%s%s%s", draft->place, key ? "." : "", key ? key : "");
    if (json_object_is_type(value, json_type_string))
        shown = strdup(json_object_get_string(value));
    else if (value)
        shown = json_text(value);
    if (!place || !reason || (value && !shown))
        draft->faults->result = PROV_E_NOMEM;
    else
        faults_add(draft->faults, place, shown, remedy, "%s", reason);
}

static void
check_keys(struct draft *draft)
{
    json_object_object_foreach(draft->rule, key, value)
    {
        struct nearest nearest = { .word = key };
        bool known = false;
        (void)value;
        for (size_t i = 0; i < sizeof(rule_keys) / sizeof(rule_keys[0]); i++) {
            known = known || strcmp(rule_keys[i], key) == 0;
            nearest_offer(&nearest, rule_keys[i]);
        }
        if (!known)
            refuse(draft, key, "remove it or correct its name",
                   "no rule has the key '%.60s'; the nearest known one is '%s'", key, nearest.best);
    }
}

static void
refuse_field(struct draft *draft, const char *field)
{
    struct nearest nearest = { .word = field };
    const struct user_field *rows;
    AUTO_FREE char *remedy = NULL;
    size_t count;

    rows = user_field_all(&count);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, rows[i].name);
    remedy = letters_format("write '%s', or the API name of a custom field, which ends in __c",
                            nearest.best);
    if (!remedy)
        draft->faults->result = PROV_E_NOMEM;
    else
        refuse(draft, "field", remedy, "Salesforce users have no such standard field");
}

/* The rule's field, if a mapping may write it. */
static const char *
check_field(struct draft *draft)
{
    const char *field = json_get_string(draft->rule, "field");
    struct mapping_rule probe = { 0 };

    if (!field || !*field) {
        refuse(draft, "field", "name a Salesforce field, such as \"field\": \"Title\"",
               "a rule needs the name of the field it writes");
        return NULL;
    }
    if (!mapping_rule_bind(&probe, field)) {
        refuse_field(draft, field);
        return NULL;
    }
    if (probe.fact && probe.fact->ours) {
        refuse(draft, "field", probe.fact->instead, "sfprov plans '%s' itself, no rule can",
               probe.fact->name);
        return NULL;
    }
    if (probe.fact && probe.fact->read_only) {
        refuse(draft, "field", probe.fact->instead ? probe.fact->instead : "remove the rule",
               "Salesforce lets nobody write '%s'", probe.fact->name);
        return NULL;
    }
    return field;
}

static void
add_source(struct draft *draft, struct mapping_rule *rule, struct json_object *source)
{
    struct prov_error why = PROV_ERROR_INIT;
    struct mapping_source *to = &rule->sources[rule->source_count];
    const char *text = json_object_get_string(source);
    int result = PROV_OK;

    if (!json_object_is_type(source, json_type_string) || !*text) {
        refuse(draft, "source", "write it as \"source\": \"title\"",
               "a source is the text of a SCIM path");
        return;
    }
    if (*text == '$' && strcmp(text, "$alias") != 0) {
        refuse(draft, "source", "write \"$alias\", or a SCIM path",
               "'%.60s' is no source that sfprov derives", text);
        return;
    }
    if (*text != '$')
        result = scim_path_parse(text, &to->path, &why);
    if (result == PROV_E_NOMEM) {
        draft->faults->result = result;
        return;
    }
    if (result) {
        refuse(draft, "source", "correct the SCIM path, see docs/mapping.md", "%s", why.text);
        return;
    }
    to->text = strdup(text);
    rule->source_count++; /* also without text: path is freed through it */
    if (!to->text)
        draft->faults->result = PROV_E_NOMEM;
}

static void
read_sources(struct draft *draft, struct mapping_rule *rule)
{
    struct json_object *source = json_get(draft->rule, "source");

    if (!json_object_is_type(source, json_type_array)) {
        add_source(draft, rule, source);
        return;
    }
    if (json_object_array_length(source) == 0 ||
        json_object_array_length(source) > MAPPING_MAX_SOURCES) {
        refuse(draft, "source", "list the paths in order, the best first",
               "a list of sources has 1 to %d paths", MAPPING_MAX_SOURCES);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(source); i++)
        add_source(draft, rule, json_object_array_get_idx(source, i));
}

/* The text that "$name" stands for; NULL if it is no such name. *ret_from: for the trace. */
static const char *
connector_value(const struct mapping_defaults *defaults, const char *name, const char **ret_from)
{
    const struct {
        const char *name, *from, *value;
    } values[] = {
        { "$time_zone", "connector field time_zone", defaults->time_zone },
        { "$locale", "connector field locale", defaults->locale },
        { "$language", "connector field language", defaults->language },
        { "$email_encoding", "connector field email_encoding", defaults->email_encoding },
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(values[i].name, name) == 0) {
            *ret_from = values[i].from;
            return values[i].value ? values[i].value : "";
        }
    }
    return NULL;
}

/* A "constant" or "default", converted to what the field takes. */
static void
read_literal(struct draft *draft, struct mapping_rule *rule, const char *key,
             struct json_object **ret, const char **ret_from)
{
    struct json_object *given = json_get(draft->rule, key);
    const char *text =
        json_object_is_type(given, json_type_string) ? json_object_get_string(given) : NULL;
    AUTO_JSON struct json_object *stands_for = NULL;
    struct value_problem problem;
    const char *note;
    int result;

    *ret_from = key;
    if (text && *text == '$') {
        const char *value =
            text[1] == '$' ? text + 1 : connector_value(draft->defaults, text, ret_from);
        if (!value) {
            refuse(draft, key,
                   "write $time_zone, $locale, $language or $email_encoding, or $$ "
                   "for a text that begins with $",
                   "'%.60s' stands for no connector field", text);
            return;
        }
        stands_for = json_object_new_string(value);
        if (!stands_for) {
            draft->faults->result = PROV_E_NOMEM;
            return;
        }
        given = stands_for;
    }
    if (!given || json_object_is_type(given, json_type_object) ||
        json_object_is_type(given, json_type_array)) {
        refuse(draft, key, "to clear a field, use \"absent\": \"clear\" with a source",
               "a %s is a text, a number, true or false", key);
        return;
    }
    result = mapping_value(rule, given, ret, &note, &problem);
    if (result == PROV_E_NOMEM)
        draft->faults->result = result;
    else if (result)
        refuse(draft, key, "correct it", "the field '%s' %s", rule->field, problem.reason);
    else if (!*ret && !stands_for)
        refuse(draft, key, "give a value or remove it", "a %s cannot be blank", key);
}

/* A key with two words to choose from; true if it says `other`, false for `usual` or absent. */
static bool
read_choice(struct draft *draft, const char *key, const char *usual, const char *other)
{
    const char *text = json_get_string(draft->rule, key);
    char remedy[80];

    if (!json_object_object_get_ex(draft->rule, key, NULL) || (text && strcmp(text, usual) == 0))
        return false;
    if (text && strcmp(text, other) == 0)
        return true;
    snprintf(remedy, sizeof(remedy), "write \"%s\" or \"%s\"", usual, other);
    refuse(draft, key, remedy, "'%s' has two values", key);
    return false;
}

static void
read_shape(struct draft *draft, struct mapping_rule *rule)
{
    struct json_object *lower = json_get(draft->rule, "lower");
    struct json_object *truncate = json_get(draft->rule, "truncate");
    size_t most = rule->max_characters ? rule->max_characters : 100000;

    if (lower && !json_object_is_type(lower, json_type_boolean))
        refuse(draft, "lower", "write true or false", "'lower' is a switch");
    rule->lower = json_object_get_boolean(lower);
    if (rule->lower && rule->kind == USER_FIELD_BOOLEAN)
        refuse(draft, "lower", "remove it", "'%s' is a boolean, it has no case", rule->field);
    if (!truncate)
        return;
    if (!mapping_may_truncate(rule))
        refuse(draft, "truncate",
               "remove it; a value that does not fit has to be shorter at the host",
               "a cut value of '%s' would be another value", rule->field);
    else if (!json_object_is_type(truncate, json_type_int) || json_object_get_int64(truncate) < 1 ||
             json_object_get_int64(truncate) > (int64_t)most)
        refuse(draft, "truncate", "correct the number",
               "'truncate' is the number of characters to keep, 1 to %zu for '%s'", most,
               rule->field);
    else
        rule->truncate = (size_t)json_object_get_int64(truncate);
}

static bool
has(struct draft *draft, const char *key)
{
    return json_object_object_get_ex(draft->rule, key, NULL);
}

static void
compile_rule(struct draft *draft, struct mapping_rule *rule)
{
    const char *field = json_get_string(draft->rule, "field");

    rule->field =
        mapping_rule_bind(rule, field) && rule->fact ? strdup(rule->fact->name) : strdup(field);
    if (!rule->field) {
        draft->faults->result = PROV_E_NOMEM;
        return;
    }
    read_shape(draft, rule);
    if (has(draft, "source") && has(draft, "constant"))
        refuse(draft, NULL, "keep one of them; \"default\" is for when the source has no value",
               "the rule of '%s' has both a source and a constant", rule->field);
    else if (has(draft, "source"))
        read_sources(draft, rule);
    else if (has(draft, "constant"))
        read_literal(draft, rule, "constant", &rule->constant, &rule->constant_from);
    else
        refuse(draft, NULL, "add \"source\" or \"constant\"",
               "the rule of '%s' says neither where its value comes from nor what it is",
               rule->field);
    if (has(draft, "constant") && !has(draft, "source") &&
        (has(draft, "default") || has(draft, "absent")))
        refuse(draft, has(draft, "default") ? "default" : "absent", "remove it",
               "a constant is never absent");
    else if (has(draft, "default"))
        read_literal(draft, rule, "default", &rule->fallback, &rule->fallback_from);
    rule->create_only = read_choice(draft, "apply", "always", "create");
    rule->leave = read_choice(draft, "absent", "clear", "leave");
}

/* The index of the rule for a field in an array of rules, or its length. */
static size_t
find_rule(struct json_object *rules, const char *field)
{
    size_t count = rules ? json_object_array_length(rules) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *name = json_get_string(json_object_array_get_idx(rules, i), "field");
        if (name && field && strcasecmp(name, field) == 0)
            return i;
    }
    return count;
}

/* {"field":X,"remove":true}: whether it says so. */
static bool
removes(struct draft *draft, bool there)
{
    struct json_object *remove = json_get(draft->rule, "remove");
    const struct user_field *fact = user_field_find(json_get_string(draft->rule, "field"));

    if (!has(draft, "remove"))
        return false;
    if (!json_object_is_type(remove, json_type_boolean) || !json_object_get_boolean(remove))
        refuse(draft, "remove", "write true, or leave the key out", "'remove' can only be true");
    else if (json_object_object_length(draft->rule) > 2)
        refuse(draft, NULL, "keep \"field\" and \"remove\" only, or leave \"remove\" out",
               "a rule that is removed can say nothing else");
    else if (fact && fact->required)
        refuse(draft, "field", "give it another source or a constant instead",
               "Salesforce creates no user without '%s'", fact->name);
    else if (!there)
        refuse(draft, "field", "drop this entry",
               "there is nothing to remove: the default mapping has no such rule");
    return true;
}

/* Base with the members of over laid on it; a new reference. NULL when out of memory. */
static struct json_object *
overlay(struct json_object *base, struct json_object *over)
{
    AUTO_JSON struct json_object *both = NULL;

    if (!base || json_object_object_get_ex(over, "source", NULL) ||
        json_object_object_get_ex(over, "constant", NULL))
        return json_ref(over);
    both = json_object_new_object();
    if (!both)
        return NULL;
    json_object_object_foreach(base, base_key, base_value)
    {
        if (json_put(both, base_key, json_ref(base_value)))
            return NULL;
    }
    json_object_object_foreach(over, key, value)
    {
        if (json_put(both, key, json_ref(value)))
            return NULL;
    }
    return STEAL(both);
}

static void
rule_cleanup(struct mapping_rule *rule)
{
    free(rule->field);
    json_object_put(rule->constant);
    json_object_put(rule->fallback);
    for (size_t i = 0; i < MAPPING_MAX_SOURCES; i++) {
        free(rule->sources[i].text);
        scim_path_free(rule->sources[i].path);
    }
}

void
mapping_free(struct mapping *mapping)
{
    for (size_t i = 0; mapping && i < mapping->count; i++)
        rule_cleanup(&mapping->rules[i]);
    free(mapping);
}

/* What can be told of a rule whose field is wrong. */
static void
check_without_field(struct draft *draft)
{
    CLEANUP(rule_cleanup) struct mapping_rule rule = { .any_kind = true };

    if (has(draft, "source"))
        read_sources(draft, &rule);
    rule.create_only = read_choice(draft, "apply", "always", "create");
    rule.leave = read_choice(draft, "absent", "clear", "leave");
}

/* Compiles one rule of the caller, if its field is sound and not met before. */
static void
compile_given(struct draft *draft, struct json_object *base, struct json_object *rules, size_t at,
              struct mapping *mapping)
{
    struct json_object *given = draft->rule;
    AUTO_JSON struct json_object *merged = NULL;
    const char *field;
    size_t in_base, first;

    if (!json_object_is_type(given, json_type_object)) {
        refuse(draft, NULL, "write it as {\"field\": \"Title\", \"source\": \"title\"}",
               "a rule is a JSON object");
        return;
    }
    check_keys(draft);
    field = check_field(draft);
    if (!field) {
        check_without_field(draft);
        return;
    }
    first = find_rule(rules, field);
    if (first < at) {
        refuse(draft, "field", "keep one of them", "'%s' has a rule already, mapping[%zu]", field,
               first);
        return;
    }
    in_base = find_rule(base, field);
    if (removes(draft, in_base < json_object_array_length(base)))
        return;
    merged = overlay(json_object_array_get_idx(base, in_base), given);
    if (!merged) {
        draft->faults->result = PROV_E_NOMEM;
        return;
    }
    draft->rule = merged;
    compile_rule(draft, &mapping->rules[mapping->count++]);
    draft->rule = given;
}

static struct mapping *
compile_all(struct json_object *base, struct json_object *rules,
            const struct mapping_defaults *defaults, struct fault_list *faults)
{
    size_t base_count = json_object_array_length(base);
    size_t count = rules ? json_object_array_length(rules) : 0;
    struct mapping *mapping =
        calloc(1, sizeof(*mapping) + (base_count + count) * sizeof(mapping->rules[0]));
    struct draft draft = { .defaults = defaults, .faults = faults };

    for (size_t i = 0; mapping && i < base_count; i++) {
        draft.rule = json_object_array_get_idx(base, i);
        snprintf(draft.place, sizeof(draft.place), "default mapping[%zu]", i);
        if (find_rule(rules, json_get_string(draft.rule, "field")) == count)
            compile_rule(&draft, &mapping->rules[mapping->count++]);
    }
    for (size_t i = 0; mapping && i < count; i++) {
        draft.rule = json_object_array_get_idx(rules, i);
        snprintf(draft.place, sizeof(draft.place), "mapping[%zu]", i);
        compile_given(&draft, base, rules, i, mapping);
    }
    return mapping;
}

int
mapping_compile_list(struct json_object *rules, const struct mapping_defaults *defaults,
                     struct fault_list *faults, struct mapping **ret, struct prov_error *err)
{
    static const struct mapping_defaults none;
    CLEANUP(mapping_cleanup) struct mapping *mapping = NULL;
    AUTO_JSON struct json_object *base = NULL;
    const char *text = mapping_default_rules();
    size_t before = json_object_array_length(faults->array);
    int result;

    if (rules && !json_object_is_type(rules, json_type_array)) {
        faults_add(faults, "mapping", NULL, "write it as [{\"field\": ..., \"source\": ...}]",
                   "the mapping is an array of rules");
        rules = NULL;
    } else if (rules && json_object_array_length(rules) > MAPPING_MAX_RULES) {
        faults_add(faults, "mapping", NULL, "a user has fewer fields: remove rules",
                   "the mapping has more than %d rules", MAPPING_MAX_RULES);
        rules = NULL;
    }
    result = json_parse(text, strlen(text), "the default mapping", &base, err);
    if (result)
        return result;
    mapping = compile_all(base, rules, defaults ? defaults : &none, faults);
    if (!mapping || faults->result)
        return error_nomem(err);
    if (json_object_array_length(faults->array) > before)
        return faults_first(faults->array, err);
    *ret = STEAL(mapping);
    return PROV_OK;
}

int
mapping_compile(struct json_object *rules, const struct mapping_defaults *defaults,
                struct json_object *faults, struct mapping **ret, struct prov_error *err)
{
    struct fault_list list = { .array = faults };

    return mapping_compile_list(rules, defaults, &list, ret, err);
}
