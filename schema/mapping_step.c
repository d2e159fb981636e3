/* One step of a rule: replace, match, lookup, first, normalise, lower, upper, split. Decides what
 * each does and what is wrong with one; in which order they run is the rule's business. Every step is
 * linear in the length of its value (regex.h bounds its own). */
#include "schema/mapping_step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/value_json.h"
#include "schema/letters.h"

#define MAX_ENTRIES 5000

static const char *const kinds[] = { "replace",   "match", "lookup", "first",
                                     "normalise", "lower", "upper",  "split" };
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

int
value_problem_set(struct value_problem *problem, const char *remedy, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem->reason, sizeof(problem->reason), format, arguments);
    va_end(arguments);
    error_tidy(problem->reason);
    snprintf(problem->remedy, sizeof(problem->remedy), "%s", remedy);
    return PROV_E_INVALID;
}

void
mapping_step_cleanup(struct mapping_step *step)
{
    regex_free(step->regex);
    for (size_t i = 0; i < step->entry_count; i++)
        free(step->entries[i].key);
    free(step->entries);
    free(step->separator);
    *step = (struct mapping_step){ .kind = STEP_LOWER };
}

const char *
mapping_step_name(const struct mapping_step *step)
{
    return kinds[step->kind];
}

const char *
mapping_step_advice(const char *key)
{
    if (strcmp(key, "truncate") == 0)
        return "write \"too_long\": \"truncate\", or \"steps\": [{\"first\": 20}]";
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i], key) == 0)
            return "it is done by a step: write \"steps\": [{\"lower\": true}]";
    }
    return NULL;
}

bool
mapping_step_drops(const struct mapping_step *step)
{
    return step->kind == STEP_MATCH || step->kind == STEP_SPLIT || step->kind == STEP_REPLACE ||
           (step->kind == STEP_LOOKUP && !step->keeps && !step->refuses);
}

/* ---- compiling ---- */

static void
compile_regex(struct draft *draft, const char *key, struct mapping_step *step)
{
    const char *pattern = draft_text(draft, key), *with = draft_text(draft, "with");
    struct prov_error why = PROV_ERROR_INIT;
    bool in_with;
    char risk;
    int r;

    if (step->kind == STEP_REPLACE && !draft_has(draft, "with"))
        draft_refuse(draft, NULL, "add \"with\"; \"\" takes out what matches",
                     "a replacement says what it puts in");
    if (!pattern)
        return;
    r = regex_compile(pattern, with, &step->regex, &in_with, &why);
    if (r == PROV_E_NOMEM) {
        draft_nomem(draft);
        return;
    }
    if (r) {
        draft_refuse(draft, in_with ? "with" : key, "correct it, see docs/mapping.md", "%s",
                     why.text);
        return;
    }
    risk = draft->warnings ? regex_risk(step->regex) : '\0';
    if (risk)
        draft_warn(draft, key,
                   "do not repeat what is itself repeated, or make the inner one possessive (a++)",
                   "it goes back and forth too often: a value such as '%c' 200 times over would "
                   "park its user",
                   risk);
}

static bool
is_scalar(struct json_object *value)
{
    return !json_object_is_type(value, json_type_object) &&
           !json_object_is_type(value, json_type_array);
}

static int
compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct lookup_entry *)a)->key, ((const struct lookup_entry *)b)->key);
}

static void
fill_table(struct draft *draft, struct json_object *table, struct mapping_step *step)
{
    struct draft inner = draft_enter(draft, table, ".lookup");

    step->entries = calloc((size_t)json_object_object_length(table), sizeof(*step->entries));
    if (!step->entries) {
        draft_nomem(draft);
        return;
    }
    json_object_object_foreach(table, key, value)
    {
        AUTO_FREE char *trimmed = letters_trim(key);
        struct lookup_entry *entry = &step->entries[step->entry_count];
        if (!is_scalar(value)) {
            draft_refuse(&inner, key, "write what the field gets, or null for nothing",
                         "a lookup gives a text, a number, true, false or null");
            continue;
        }
        entry->key = trimmed ? letters_lower(trimmed) : NULL;
        if (!entry->key || value_from_json(draft->pool, value, &entry->value)) {
            free(entry->key);
            entry->key = NULL;
            draft_nomem(draft);
            return;
        }
        step->entry_count++;
    }
    qsort(step->entries, step->entry_count, sizeof(*step->entries), compare_entries);
    for (size_t i = 1; i < step->entry_count; i++) {
        if (strcmp(step->entries[i - 1].key, step->entries[i].key) == 0)
            draft_refuse(draft, "lookup", "keep one of them",
                         "'%.60s' is in the table twice; it is looked up without regard to case",
                         step->entries[i].key);
    }
}

static void
compile_lookup(struct draft *draft, struct mapping_step *step)
{
    static const char *const unknowns[] = { "absent", "keep", "refuse" };
    struct json_object *table = json_get(draft->object, "lookup");
    struct json_object *fallback = json_get(draft->object, "default");
    size_t unknown = draft_choice(draft, "unknown", unknowns, 3);

    step->keeps = unknown == 1;
    step->refuses = unknown == 2;
    if (draft_has(draft, "default") && draft_has(draft, "unknown"))
        draft_refuse(draft, "unknown", "keep one of them",
                     "a default and 'unknown' both say what becomes of what is not in the table");
    if (draft_has(draft, "default") && (!fallback || !is_scalar(fallback)))
        draft_refuse(draft, "default", "write the value, or leave the key out for none",
                     "a default is a text, a number, true or false");
    else if (value_from_json(draft->pool, fallback, &step->fallback))
        draft_nomem(draft);
    if (!json_object_is_type(table, json_type_object) || json_object_object_length(table) == 0)
        draft_refuse(draft, "lookup", "write it as {\"lookup\": {\"from\": \"to\"}}",
                     "a lookup is a table with at least one row");
    else if (json_object_object_length(table) > MAX_ENTRIES)
        draft_refuse(draft, NULL, "let the host send the value instead",
                     "a lookup has at most %d rows", MAX_ENTRIES);
    else
        fill_table(draft, table, step);
}

static void
compile_split(struct draft *draft, struct mapping_step *step)
{
    const char *separator = draft_text(draft, "split");

    if (separator && !*separator)
        draft_refuse(draft, "split", "write the separator, such as \",\"",
                     "a text cannot be split at nothing");
    else if (separator && !(step->separator = strdup(separator)))
        draft_nomem(draft);
}

/* The kind of a step is the one of its keys that names one. */
static bool
find_kind(struct draft *draft, enum step_kind *ret)
{
    size_t found = 0;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (draft_has(draft, kinds[i])) {
            *ret = (enum step_kind)i;
            found++;
        }
    }
    if (found == 1)
        return true;
    draft_refuse(draft, NULL, found ? "make a step of each" : "write it as {\"lower\": true}",
                 "a step does one thing: replace, match, lookup, first, normalise, lower, upper or "
                 "split");
    return false;
}

void
mapping_step_compile(struct draft *draft, struct mapping_step *ret)
{
    static const char *const keys[][3] = {
        [STEP_REPLACE] = { "replace", "with" },
        [STEP_MATCH] = { "match", "with" },
        [STEP_LOOKUP] = { "lookup", "default", "unknown" },
        [STEP_FIRST] = { "first" },
        [STEP_NORMALISE] = { "normalise" },
        [STEP_LOWER] = { "lower" },
        [STEP_UPPER] = { "upper" },
        [STEP_SPLIT] = { "split" },
    };
    size_t count = 0;

    *ret = (struct mapping_step){ .kind = STEP_LOWER };
    if (!json_object_is_type(draft->object, json_type_object)) {
        draft_refuse(draft, NULL, "write it as {\"lower\": true}", "a step is a JSON object");
        return;
    }
    if (!find_kind(draft, &ret->kind))
        return;
    while (count < 3 && keys[ret->kind][count])
        count++;
    draft_check_keys(draft, "step of this kind", keys[ret->kind], count, NULL);
    switch (ret->kind) {
    case STEP_REPLACE:
    case STEP_MATCH:
        compile_regex(draft, kinds[ret->kind], ret);
        break;
    case STEP_LOOKUP:
        compile_lookup(draft, ret);
        break;
    case STEP_FIRST:
        ret->first = draft_number(draft, "first", 1, 1000, 1);
        break;
    case STEP_SPLIT:
        compile_split(draft, ret);
        break;
    default:
        if (!draft_flag(draft, kinds[ret->kind]) &&
            json_object_is_type(json_get(draft->object, kinds[ret->kind]), json_type_boolean))
            draft_refuse(draft, kinds[ret->kind], "write true, or take the step out",
                         "a step that is switched off does nothing");
    }
}

/* ---- running ---- */

/* Appends text, unless it is blank. Takes it over; NULL: out of memory. */
static int
give(struct pool *pool, struct value *list, char *text)
{
    AUTO_FREE char *owned = text;
    AUTO_FREE char *trimmed = owned ? letters_trim(owned) : NULL;

    if (!trimmed)
        return PROV_E_NOMEM;
    return *trimmed ? value_append_text(pool, list, trimmed) : PROV_OK;
}

static int
run_regex(struct pool *pool, const struct mapping_step *step, const char *text, struct value *list,
          struct value_problem *problem)
{
    struct prov_error why = PROV_ERROR_INIT;
    char *made = NULL;
    int r = step->kind == STEP_REPLACE ? regex_replace(step->regex, text, &made, &why)
                                       : regex_extract(step->regex, text, &made, &why);

    if (r == PROV_E_NOMEM)
        return r;
    if (r)
        return value_problem_set(problem, "correct the value at the host, or the step",
                                 "cannot be made: the step '%s' failed on the value: %s",
                                 mapping_step_name(step), why.text);
    return made ? give(pool, list, made) : PROV_OK;
}

static int
run_lookup(struct pool *pool, const struct mapping_step *step, const char *text, struct value *list,
           struct value_problem *problem)
{
    AUTO_FREE char *key = letters_lower(text);
    struct lookup_entry wanted = { .key = key };
    const struct lookup_entry *found;

    if (!key)
        return PROV_E_NOMEM;
    found =
        bsearch(&wanted, step->entries, step->entry_count, sizeof(*step->entries), compare_entries);
    if (found)
        return found->value ? value_append(pool, list, found->value) : PROV_OK;
    if (step->fallback)
        return value_append(pool, list, step->fallback);
    if (step->refuses)
        return value_problem_set(problem, "add it to the table, or correct it at the host",
                                 "has no value: '%.60s' is not in the lookup table", text);
    return step->keeps ? give(pool, list, strdup(text)) : PROV_OK;
}

static int
run_split(struct pool *pool, const struct mapping_step *step, const char *text, struct value *list)
{
    size_t length = strlen(step->separator);
    const char *end;
    int r = PROV_OK;

    for (; !r && (end = strstr(text, step->separator)); text = end + length)
        r = give(pool, list, strndup(text, (size_t)(end - text)));
    return r ? r : give(pool, list, strdup(text));
}

static char *
first_letters(const char *text, size_t count)
{
    char *cut = strdup(text);

    if (cut)
        letters_cut(cut, count);
    return cut;
}

int
mapping_step_run(struct pool *pool, const struct mapping_step *step, struct value *value,
                 struct value *list, struct value_problem *problem)
{
    AUTO_FREE char *text = NULL;

    if (!value_is_scalar(value))
        return value_problem_set(problem,
                                 "let the source lead to one attribute, such as 'name.familyName'",
                                 "takes one value, the source leads to several or to none");
    if (value_has_nul(value))
        return value_problem_set(problem, "correct it at the host",
                                 "takes text, the value holds a NUL character");
    text = letters_trim(value_spelling(value));
    if (!text)
        return PROV_E_NOMEM;
    switch (step->kind) {
    case STEP_REPLACE:
    case STEP_MATCH:
        return run_regex(pool, step, text, list, problem);
    case STEP_LOOKUP:
        return run_lookup(pool, step, text, list, problem);
    case STEP_FIRST:
        return give(pool, list, first_letters(text, step->first));
    case STEP_NORMALISE:
        return give(pool, list, letters_plain(text));
    case STEP_LOWER:
        return give(pool, list, letters_lower(text));
    case STEP_UPPER:
        return give(pool, list, letters_upper(text));
    default:
        return run_split(pool, step, text, list);
    }
}
