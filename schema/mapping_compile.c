/* From mapping rules as data to compiled rules: lays them over the default mapping, checks each
 * rule, and names every fault with its place. Sources and steps are read by mapping_term.c; applying
 * a rule is mapping.c's business. */
#include "plugin/base/value_json.h"
#include "schema/mapping_rule.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "schema/letters.h"
#include "schema/number.h"

static const char *const rule_keys[] = { "field",    "when",     "source", "join",   "steps",
                                         "constant", "default",  "kind",   "length", "precision",
                                         "scale",    "too_long", "apply",  "absent", "remove" };

/* ---- the field ---- */

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
        draft_nomem(draft);
    else
        draft_refuse(draft, "field", remedy, "Salesforce users have no such standard field");
}

/* The rule's field, if a mapping may write it. */
static const char *
check_field(struct draft *draft)
{
    const char *field = json_get_string(draft->object, "field");
    struct mapping_rule probe = { 0 };

    if (!field || !*field) {
        draft_refuse(draft, "field", "name a Salesforce field, such as \"field\": \"Title\"",
                     "a rule needs the name of the field it writes");
        return NULL;
    }
    if (!mapping_rule_bind(&probe, field)) {
        refuse_field(draft, field);
        return NULL;
    }
    if (probe.fact && probe.fact->ours) {
        draft_refuse(draft, "field", probe.fact->instead, "sfprov plans '%s' itself, no rule can",
                     probe.fact->name);
        return NULL;
    }
    if (probe.fact && probe.fact->read_only) {
        draft_refuse(draft, "field", probe.fact->instead ? probe.fact->instead : "remove the rule",
                     "Salesforce lets nobody write '%s'", probe.fact->name);
        return NULL;
    }
    return field;
}

static bool
is_number(enum user_field_kind kind)
{
    return kind == USER_FIELD_NUMBER || kind == USER_FIELD_CURRENCY || kind == USER_FIELD_PERCENT;
}

/* The kind that the rule gives its custom field. */
static const struct user_kind *
find_kind(struct draft *draft)
{
    const char *name = draft_text(draft, "kind");
    char remedy[200] = "write one of";
    const struct user_kind *kinds;
    size_t count, length = strlen(remedy);

    kinds = user_kind_all(&count);
    for (size_t i = 0; name && i < count; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
        if (length < sizeof(remedy))
            length += (size_t)snprintf(remedy + length, sizeof(remedy) - length, "%s %s",
                                       i ? "," : "", kinds[i].name);
    }
    if (name)
        draft_refuse(draft, "kind", remedy, "there is no such kind of field");
    return NULL;
}

static void
read_number_size(struct draft *draft, struct mapping_rule *rule)
{
    bool sized = draft_has(draft, "precision") || draft_has(draft, "scale");

    /* unless the rule says how many digits the org keeps, all are sent */
    rule->scale = draft_number(draft, "scale", 0, NUMBER_MAX_DIGITS, sized ? 0 : NUMBER_MAX_DIGITS);
    rule->precision = draft_number(draft, "precision", 1, NUMBER_MAX_DIGITS,
                                   sized ? NUMBER_MAX_DIGITS : 2 * NUMBER_MAX_DIGITS);
    if (rule->scale > rule->precision) {
        draft_refuse(draft, "scale", "precision counts all digits, scale those behind the point",
                     "a field cannot have more digits behind the point than digits");
        rule->scale = rule->precision;
    }
}

static void
refuse_key(struct draft *draft, const char *key, const char *reason)
{
    if (draft_has(draft, key))
        draft_refuse(draft, key, "remove it", "%s", reason);
}

/* "kind", "length", "precision", "scale" of a custom field. */
static void
read_kind(struct draft *draft, struct mapping_rule *rule)
{
    const struct user_kind *kind = NULL;

    if (!user_field_is_custom(rule->field)) {
        refuse_key(draft, "kind", "what a standard field is, is known");
        refuse_key(draft, "length",
                   "how long a standard field is, is known; {\"first\": 20} as a "
                   "step keeps fewer characters");
    } else if (draft_has(draft, "kind")) {
        kind = find_kind(draft);
    } else {
        refuse_key(draft, "length", "it goes with \"kind\": \"text\" or \"long_text\"");
    }
    if (kind) {
        rule->kind = kind->kind;
        rule->max_characters = kind->max_characters;
    }
    if (kind && kind->ceiling_characters)
        rule->max_characters =
            draft_number(draft, "length", 1, kind->ceiling_characters, kind->max_characters);
    else if (kind)
        refuse_key(draft, "length", "it goes with \"kind\": \"text\" or \"long_text\"");
    if (is_number(rule->kind)) {
        read_number_size(draft, rule);
    } else {
        refuse_key(draft, "precision", "it goes with \"kind\": \"number\" and its like");
        refuse_key(draft, "scale", "it goes with \"kind\": \"number\" and its like");
    }
}

/* ---- literals ---- */

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
read_literal(struct draft *draft, struct mapping_rule *rule, const char *key, struct value **ret,
             const char **ret_from)
{
    struct json_object *literal = json_get(draft->object, key);
    const char *text = json_get_string(draft->object, key);
    struct value *given = NULL;
    struct value_problem problem;
    bool stands_for = text && *text == '$';
    const char *note;
    int result;

    *ret_from = key;
    if (stands_for) {
        const char *value =
            text[1] == '$' ? text + 1 : connector_value(draft->defaults, text, ret_from);
        if (!value) {
            draft_refuse(draft, key,
                         "write $time_zone, $locale, $language or $email_encoding, or $$ "
                         "for a text that begins with $",
                         "'%.60s' stands for no connector field", text);
            return;
        }
        given = value_string(draft->pool, value);
        result = given ? PROV_OK : PROV_E_NOMEM;
    } else {
        result = value_from_json(draft->pool, literal, &given);
    }
    if (!result && (!given || !value_is_scalar(given))) {
        draft_refuse(draft, key, "to clear a field, use \"absent\": \"clear\" with a source",
                     "a %s is a text, a number, true or false", key);
        return;
    }
    if (!result)
        result = mapping_value(draft->pool, rule, given, ret, &note, &problem);
    if (result == PROV_E_NOMEM)
        draft_nomem(draft);
    else if (result)
        draft_refuse(draft, key, "correct it", "the field '%s' %s", rule->field, problem.reason);
    else if (!*ret && !stands_for)
        draft_refuse(draft, key, "give a value or remove it", "a %s cannot be blank", key);
}

/* Values of a lookup that become the field's as they stand must fit it. */
static void
check_lookup_value(struct draft *draft, const char *key, struct value *value, void *context)
{
    struct value *converted = NULL;
    struct value_problem problem;
    const char *note;
    int result =
        value ? mapping_value(draft->pool, context, value, &converted, &note, &problem) : PROV_OK;

    if (result == PROV_E_NOMEM)
        draft_nomem(draft);
    else if (result)
        draft_refuse(draft, key, "correct it", "the field '%s' %s",
                     ((const struct mapping_rule *)context)->field, problem.reason);
}

static void
check_lookup(struct draft *draft, const struct mapping_step *step, void *context)
{
    struct json_object *table = json_get(draft->object, "lookup");
    struct draft inner = draft_enter(draft, table, ".lookup");

    if (!json_object_is_type(table, json_type_object))
        return;
    json_object_object_foreach(table, key, entry)
    {
        struct value *value = NULL;
        if (value_from_json(draft->pool, entry, &value) != PROV_OK)
            draft_nomem(draft);
        else if (value_is_scalar(value))
            check_lookup_value(&inner, key, value, context);
    }
    if (step->fallback)
        check_lookup_value(draft, "default", step->fallback, context);
}

/* ---- one rule ---- */

static void
read_condition(struct draft *draft, struct mapping_rule *rule)
{
    const char *text = draft_text(draft, "when");
    const char *const *known = NULL;
    struct prov_error why = PROV_ERROR_INIT;
    size_t count = 0;
    int result = text ? scim_filter_compile(text, &rule->when, &why) : PROV_OK;

    if (result == PROV_E_NOMEM || (text && !(rule->condition = strdup(text))))
        draft_nomem(draft);
    else if (result)
        draft_refuse(draft, "when", "correct the SCIM filter, see docs/mapping.md", "%s", why.text);
    else if (text)
        mapping_warn_stranger(draft, "when", text, scim_filter_stranger(rule->when, &known, &count),
                              known, count);
}

static void
read_words(struct draft *draft, struct mapping_rule *rule)
{
    static const char *const applies[] = { "always", "create" };
    static const char *const absents[] = { "clear", "leave" };
    static const char *const lengths[] = { "refuse", "truncate" };

    rule->create_only = draft_choice(draft, "apply", applies, 2) == 1;
    rule->leave = draft_choice(draft, "absent", absents, 2) == 1;
    rule->truncate = draft_choice(draft, "too_long", lengths, 2) == 1;
    if (!rule->truncate || !rule->field)
        return;
    if (rule->kind == USER_FIELD_ANY)
        draft_refuse(draft, "too_long", "add \"kind\": \"text\" and \"length\"",
                     "how long '%s' is, only the org knows", rule->field);
    else if (!mapping_may_truncate(rule))
        draft_refuse(draft, "too_long",
                     "remove it; a value that does not fit has to be shorter at the host",
                     "a cut value of '%s' would be another value", rule->field);
}

/* Where the value comes from: a source, a constant, and the default. */
static void
read_origin(struct draft *draft, struct mapping_rule *rule)
{
    bool source = draft_has(draft, "source"), constant = draft_has(draft, "constant");

    if (source && constant)
        draft_refuse(draft, NULL,
                     "keep one of them; \"default\" is for when the source has no value",
                     "the rule of '%s' has both a source and a constant", rule->field);
    else if (source)
        mapping_term_compile(draft, rule->kind == USER_FIELD_MULTI_PICKLIST, &rule->term);
    else if (constant)
        read_literal(draft, rule, "constant", &rule->constant, &rule->constant_from);
    else
        draft_refuse(draft, NULL, "add \"source\" or \"constant\"",
                     "the rule of '%s' says neither where its value comes from nor what it is",
                     rule->field);
    if (source && !constant) {
        mapping_term_last_lookups(draft, &rule->term, check_lookup, rule);
        if (draft_has(draft, "default"))
            read_literal(draft, rule, "default", &rule->fallback, &rule->fallback_from);
        return;
    }
    if (!constant || source)
        return;
    refuse_key(draft, "default", "a constant is never absent");
    refuse_key(draft, "absent", "a constant is never absent");
    refuse_key(draft, "steps", "a constant needs no steps: write what comes of them");
    refuse_key(draft, "join", "a constant has nothing to join");
}

static void
compile_rule(struct draft *draft, struct mapping_rule *rule)
{
    const char *field = json_get_string(draft->object, "field");

    rule->field =
        mapping_rule_bind(rule, field) && rule->fact ? strdup(rule->fact->name) : strdup(field);
    if (!rule->field) {
        draft_nomem(draft);
        return;
    }
    read_condition(draft, rule);
    read_kind(draft, rule);
    read_words(draft, rule);
    if (draft_has(draft, "remove"))
        rule->remove = true;
    else
        read_origin(draft, rule);
}

static void
rule_cleanup(struct mapping_rule *rule)
{
    free(rule->field);
    free(rule->condition);
    scim_filter_free(rule->when);
    mapping_term_cleanup(&rule->term);
}

void
mapping_free(struct mapping *mapping)
{
    for (size_t i = 0; mapping && i < mapping->count; i++)
        rule_cleanup(&mapping->rules[i]);
    if (mapping)
        pool_done(&mapping->pool);
    free(mapping);
}

/* ---- laying rules over the default mapping ---- */

/* The compilation of a whole mapping. */
struct overlay {
    struct pool pool;                 /* of what is compiled */
    struct json_object *base, *given; /* given: NULL or an array */
    struct mapping_rule *rules;       /* one for each that is given; without field: not compiled */
    size_t count;
    struct draft draft;
};

static void
overlay_done(struct overlay *overlay)
{
    for (size_t i = 0; i < overlay->count; i++)
        rule_cleanup(&overlay->rules[i]);
    free(overlay->rules);
    pool_done(&overlay->pool);
}

static bool
is_for(struct json_object *rules, size_t at, const char *field)
{
    const char *name = json_get_string(json_object_array_get_idx(rules, at), "field");

    return name && field && ascii_compare(name, field) == 0;
}

/* The default rule of a field; NULL: it has none. */
static struct json_object *
base_rule(const struct overlay *overlay, const char *field)
{
    for (size_t i = 0; i < json_object_array_length(overlay->base); i++) {
        if (is_for(overlay->base, i, field))
            return json_object_array_get_idx(overlay->base, i);
    }
    return NULL;
}

/* Base with the members of over laid on it; a new reference. NULL when out of memory. */
static struct json_object *
lay_over(struct json_object *base, struct json_object *over)
{
    AUTO_JSON struct json_object *both = NULL;

    if (!base || json_object_object_get_ex(over, "source", NULL) ||
        json_object_object_get_ex(over, "constant", NULL) ||
        json_object_object_get_ex(over, "remove", NULL))
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

/* {"field":X,"remove":true} takes the field out, or leaves it alone under a condition. */
static void
check_remove(struct draft *draft, bool something_there)
{
    struct json_object *remove = json_get(draft->object, "remove");
    const struct user_field *fact = user_field_find(json_get_string(draft->object, "field"));
    int allowed = draft_has(draft, "when") ? 3 : 2;

    if (!draft_has(draft, "remove"))
        return;
    if (!json_object_is_type(remove, json_type_boolean) || !json_object_get_boolean(remove))
        draft_refuse(draft, "remove", "write true, or leave the key out",
                     "'remove' can only be true");
    else if (json_object_object_length(draft->object) > allowed)
        draft_refuse(draft, NULL,
                     "keep \"field\", \"when\" and \"remove\" only, or leave "
                     "\"remove\" out",
                     "a rule that is removed can say nothing else");
    else if (fact && fact->required && !fact->names)
        draft_refuse(draft, "field", "give it another source or a constant instead",
                     "Salesforce creates no user without '%s'", fact->name);
    else if (!something_there && !draft_has(draft, "when"))
        draft_refuse(draft, "field", "drop this entry",
                     "there is nothing to remove: the default mapping has no such rule");
}

/* What earlier rules of the field leave for this one. False: nothing, and it is no rule. */
static bool
check_order(struct overlay *overlay, struct draft *draft, const char *field, size_t at,
            bool *ret_first)
{
    const char *condition = json_get_string(draft->object, "when");

    *ret_first = true;
    for (size_t i = 0; i < at; i++) {
        struct json_object *earlier = json_object_array_get_idx(overlay->given, i);
        const char *its = json_get_string(earlier, "when");
        if (!is_for(overlay->given, i, field))
            continue;
        *ret_first = false;
        if (!its && !condition) {
            draft_refuse(draft, "field", "keep one of them, or give the first a \"when\"",
                         "'%s' has a rule already, mapping[%zu]", field, i);
            return false;
        }
        if (!its || (condition && strcmp(its, condition) == 0)) {
            draft_warn(draft, condition ? "when" : "field", "put it before that one, or remove it",
                       "this rule is never reached: mapping[%zu] of '%s' holds whenever it does", i,
                       field);
            return true;
        }
    }
    return true;
}

/* What can be told of a rule whose field is wrong. */
static void
check_without_field(struct draft *draft)
{
    CLEANUP(rule_cleanup) struct mapping_rule rule = { .kind = USER_FIELD_ANY };

    if (draft_has(draft, "source"))
        mapping_term_compile(draft, false, &rule.term);
    read_condition(draft, &rule);
    read_words(draft, &rule);
}

/* Compiles one rule of the caller, if its field is sound. */
static void
compile_given(struct overlay *overlay, size_t at)
{
    struct draft draft =
        draft_enter(&overlay->draft, json_object_array_get_idx(overlay->given, at), "[%zu]", at);
    AUTO_JSON struct json_object *merged = NULL;
    struct json_object *base;
    const char *field;
    bool first;

    if (!json_object_is_type(draft.object, json_type_object)) {
        draft_refuse(&draft, NULL, "write it as {\"field\": \"Title\", \"source\": \"title\"}",
                     "a rule is a JSON object");
        return;
    }
    draft_check_keys(&draft, "rule", rule_keys, sizeof(rule_keys) / sizeof(rule_keys[0]),
                     mapping_step_advice);
    field = check_field(&draft);
    if (!field) {
        check_without_field(&draft);
        return;
    }
    if (!check_order(overlay, &draft, field, at, &first))
        return;
    base = base_rule(overlay, field);
    check_remove(&draft, base || !first);
    merged = lay_over(base, draft.object);
    if (!merged) {
        draft_nomem(&draft);
        return;
    }
    draft.object = merged;
    overlay->rules[at].given = (int)at;
    compile_rule(&draft, &overlay->rules[at]);
}

/* Moves the given rules of a field into the mapping. False: there is still room for a rule behind
 * them. */
static bool
move_given(struct overlay *overlay, const char *field, struct mapping *mapping)
{
    size_t before = mapping->count;
    bool ends = false;

    for (size_t i = 0; i < overlay->count; i++) {
        struct mapping_rule *rule = &overlay->rules[i];
        if (!rule->field || ascii_compare(rule->field, field) != 0)
            continue;
        ends = ends || !rule->condition;
        mapping->rules[mapping->count++] = *rule;
        *rule = (struct mapping_rule){ .given = -1 };
    }
    /* one that only takes the field out leaves nothing to do */
    if (mapping->count == before + 1 && mapping->rules[before].remove &&
        !mapping->rules[before].condition) {
        rule_cleanup(&mapping->rules[before]);
        mapping->rules[before] = (struct mapping_rule){ .given = -1 };
        mapping->count = before;
    }
    return ends;
}

static struct mapping *
assemble(struct overlay *overlay)
{
    size_t base_count = json_object_array_length(overlay->base);
    struct mapping *mapping =
        calloc(1, sizeof(*mapping) + (base_count + overlay->count) * sizeof(mapping->rules[0]));
    struct draft standard = overlay->draft;

    snprintf(standard.place, sizeof(standard.place), "default mapping");
    for (size_t i = 0; mapping && i < base_count; i++) {
        struct draft draft =
            draft_enter(&standard, json_object_array_get_idx(overlay->base, i), "[%zu]", i);
        struct mapping_rule *rule;
        if (move_given(overlay, json_get_string(draft.object, "field"), mapping))
            continue;
        rule = &mapping->rules[mapping->count++];
        rule->given = -1;
        compile_rule(&draft, rule);
    }
    for (size_t i = 0; mapping && i < overlay->count; i++) {
        AUTO_FREE char *field = overlay->rules[i].field ? strdup(overlay->rules[i].field) : NULL;
        if (field)
            move_given(overlay, field, mapping);
        else if (overlay->rules[i].field)
            overlay->draft.faults->result = PROV_E_NOMEM;
    }
    return mapping;
}

int
mapping_compile_list(struct json_object *rules, const struct mapping_defaults *defaults,
                     struct fault_list *faults, struct fault_list *warnings, struct mapping **ret,
                     struct prov_error *err)
{
    static const struct mapping_defaults none;
    CLEANUP(mapping_cleanup) struct mapping *mapping = NULL;
    CLEANUP(overlay_done)
    struct overlay overlay = { .draft = { .place = "mapping",
                                          .defaults = defaults ? defaults : &none,
                                          .faults = faults,
                                          .warnings = warnings } };
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
    overlay.draft.pool = &overlay.pool;
    overlay.base = base;
    overlay.given = rules;
    overlay.rules = calloc(MAPPING_MAX_RULES, sizeof(*overlay.rules));
    if (!overlay.rules)
        return error_nomem(err);
    overlay.count = rules ? json_object_array_length(rules) : 0;
    for (size_t i = 0; i < overlay.count; i++)
        compile_given(&overlay, i);
    mapping = assemble(&overlay);
    if (!mapping || faults->result)
        return error_nomem(err);
    if (json_object_array_length(faults->array) > before)
        return faults_first(faults->array, err);
    for (size_t i = 1; i < mapping->count; i++)
        mapping->rules[i].alternative =
            ascii_compare(mapping->rules[i - 1].field, mapping->rules[i].field) == 0;
    mapping->pool = overlay.pool;
    overlay.pool = (struct pool){ 0 };
    *ret = STEAL(mapping);
    return PROV_OK;
}

int
mapping_compile(struct json_object *rules, const struct mapping_defaults *defaults,
                struct json_object *faults, struct mapping **ret, struct prov_error *err)
{
    struct fault_list list = { .array = faults };

    return mapping_compile_list(rules, defaults, &list, NULL, ret, err);
}
