/* The sources of a rule: reads them, and collects what they lead to. A term gives a list of values:
 * a path all that it leads to, several sources those of the first that has any, a join one text;
 * steps are done to each value. What the field makes of the list is mapping.c's business. */
#include "schema/mapping_term.h"

#include <stdio.h>
#include <string.h>

#include "schema/alias.h"
#include "schema/letters.h"

/* Values that a trace shows of one step. */
#define TRACED 10

void
mapping_term_cleanup(struct mapping_term *term)
{
    free(term->text);
    scim_path_free(term->path);
    for (size_t i = 0; i < term->part_count; i++)
        mapping_term_cleanup(&term->parts[i]);
    free(term->parts);
    free(term->join);
    for (size_t i = 0; i < term->step_count; i++)
        mapping_step_cleanup(&term->steps[i]);
    free(term->steps);
    *term = (struct mapping_term){ 0 };
}

const char *
mapping_term_first(const struct mapping_term *term)
{
    while (!term->text && term->part_count > 0)
        term = &term->parts[0];
    return term->text ? term->text : "";
}

/* ---- compiling ---- */

void
mapping_warn_stranger(struct draft *draft, const char *key, const char *text, const char *name,
                      const char *const *known, size_t count)
{
    struct nearest nearest = { .word = name };
    AUTO_FREE char *remedy = NULL;

    for (size_t i = 0; name && i < count; i++)
        nearest_offer(&nearest, known[i]);
    if (!name)
        return;
    remedy = letters_format("write '%s', if that is meant; an attribute of the host's own is best "
                            "named with the URN of its schema",
                            nearest.best ? nearest.best : "");
    if (remedy)
        draft_warn(draft, key, remedy, "no schema of SCIM users has '%.60s' (in '%.80s')", name,
                   text);
    else
        draft_nomem(draft);
}

static void
compile_leaf(struct draft *draft, struct json_object *source, struct mapping_term *ret)
{
    struct prov_error why = PROV_ERROR_INIT;
    const char *text = json_object_get_string(source);
    const char *const *known = NULL;
    size_t count = 0;
    int result = PROV_OK;

    if (!json_object_is_type(source, json_type_string) || !*text) {
        draft_refuse(draft, "source", "write it as \"source\": \"title\"",
                     "a source is the text of a SCIM path, or an object with a source of its own");
        return;
    }
    if (*text == '$' && strcmp(text, "$alias") != 0) {
        draft_refuse(draft, "source", "write \"$alias\", or a SCIM path",
                     "'%.60s' is no source that sfprov derives", text);
        return;
    }
    if (*text != '$')
        result = scim_path_parse(text, &ret->path, &why);
    if (result && result != PROV_E_NOMEM) {
        draft_refuse(draft, "source", "correct the SCIM path, see docs/mapping.md", "%s", why.text);
        return;
    }
    ret->text = strdup(text);
    if (result || !ret->text)
        draft_nomem(draft);
    else if (ret->path)
        mapping_warn_stranger(draft, "source", text, scim_path_stranger(ret->path, &known, &count),
                              known, count);
}

static void
compile_steps(struct draft *draft, struct mapping_term *ret)
{
    struct json_object *steps = json_get(draft->object, "steps");
    size_t count;

    if (!draft_has(draft, "steps"))
        return;
    if (!json_object_is_type(steps, json_type_array) || json_object_array_length(steps) == 0 ||
        json_object_array_length(steps) > MAPPING_MAX_STEPS) {
        draft_refuse(draft, "steps", "write them as \"steps\": [{\"lower\": true}]",
                     "steps are an array of 1 to %d, done in order", MAPPING_MAX_STEPS);
        return;
    }
    count = json_object_array_length(steps);
    ret->steps = calloc(count, sizeof(*ret->steps));
    if (!ret->steps) {
        draft_nomem(draft);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct draft inner =
            draft_enter(draft, json_object_array_get_idx(steps, i), ".steps[%zu]", i);
        mapping_step_compile(&inner, &ret->steps[ret->step_count++]);
    }
}

static void compile_term(struct draft *draft, bool many, int depth, struct mapping_term *ret);

/* A source that is an object has source, join and steps of its own. */
static void
compile_inner(struct draft *draft, struct json_object *source, size_t at, bool many, int depth,
              struct mapping_term *ret)
{
    static const char *const keys[] = { "source", "join", "steps" };
    struct draft inner = draft_enter(draft, source, ".source[%zu]", at);

    if (depth == MAPPING_MAX_DEPTH) {
        draft_refuse(draft, "source", "write it with fewer of them",
                     "sources stand inside each other more than %d deep", MAPPING_MAX_DEPTH);
        return;
    }
    draft_check_keys(&inner, "source", keys, 3, mapping_step_advice);
    if (draft_has(&inner, "source"))
        compile_term(&inner, many, depth + 1, ret);
    else
        draft_refuse(&inner, NULL, "add \"source\"", "it says not where its value comes from");
}

static void
compile_parts(struct draft *draft, int depth, struct mapping_term *ret)
{
    struct json_object *source = json_get(draft->object, "source");
    bool list = json_object_is_type(source, json_type_array);
    size_t count = list ? json_object_array_length(source) : 1;

    if (count == 0 || count > MAPPING_MAX_SOURCES) {
        draft_refuse(draft, "source", "list the paths in order, the best first",
                     "a list of sources has 1 to %d paths", MAPPING_MAX_SOURCES);
        return;
    }
    ret->parts = calloc(count, sizeof(*ret->parts));
    if (!ret->parts) {
        draft_nomem(draft);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *part = list ? json_object_array_get_idx(source, i) : source;
        struct mapping_term *to = &ret->parts[ret->part_count++];
        to->many = ret->many;
        if (json_object_is_type(part, json_type_object))
            compile_inner(draft, part, i, ret->many, depth, to);
        else
            compile_leaf(draft, part, to);
    }
}

static void
compile_term(struct draft *draft, bool many, int depth, struct mapping_term *ret)
{
    const char *join = draft_text(draft, "join");

    if (join && !(ret->join = strdup(join)))
        draft_nomem(draft);
    compile_steps(draft, ret);
    ret->many = many || join;
    for (size_t i = 0; i < ret->step_count; i++)
        ret->many = ret->many || mapping_step_drops(&ret->steps[i]);
    compile_parts(draft, depth, ret);
}

void
mapping_term_compile(struct draft *draft, bool many, struct mapping_term *ret)
{
    compile_term(draft, many, 1, ret);
}

void
mapping_term_last_lookups(struct draft *draft, const struct mapping_term *term,
                          mapping_lookup_seen *seen, void *context)
{
    struct json_object *source = json_get(draft->object, "source");
    size_t last = term->step_count - 1;

    if (term->step_count > 0) {
        struct json_object *steps = json_get(draft->object, "steps");
        struct draft inner =
            draft_enter(draft, json_object_array_get_idx(steps, last), ".steps[%zu]", last);
        if (term->steps[last].kind == STEP_LOOKUP)
            seen(&inner, &term->steps[last], context);
        return;
    }
    for (size_t i = 0; !term->join && i < term->part_count; i++) {
        struct json_object *part = json_object_is_type(source, json_type_array)
                                       ? json_object_array_get_idx(source, i)
                                       : source;
        struct draft inner = draft_enter(draft, part, ".source[%zu]", i);
        mapping_term_last_lookups(&inner, &term->parts[i], seen, context);
    }
}

/* ---- evaluating ---- */

static int
note_from(struct term_run *run, const char *text)
{
    size_t length = run->from ? strlen(run->from) : 0, size = length + strlen(text) + 3;
    char *both;

    if (!run->from) {
        run->from = text;
        return PROV_OK;
    }
    both = pool_alloc(run->pool, size);
    if (!both)
        return PROV_E_NOMEM;
    snprintf(both, size, "%s, %s", run->from, text);
    run->from = both;
    return PROV_OK;
}

static bool
is_blank(const struct value *value)
{
    return !value || (value->type == VALUE_TEXT && strspn(value->text, " \t\r\n") == value->length);
}

/* A path may end at an element of a multi-valued attribute, whose value is in `value` (RFC 7643
 * 2.4). */
static int
collect(struct pool *pool, struct value *list, struct value *value)
{
    struct value *inner = value_get_nocase(value, "value");

    value = inner ? inner : value;
    return is_blank(value) ? PROV_OK : value_append(pool, list, value);
}

static int
values_at_path(const struct mapping_term *term, const struct term_run *run, struct value *list)
{
    struct value *all;
    int r = PROV_OK;

    if (!term->many)
        return collect(run->pool, list, scim_path_get(term->path, run->resource));
    all = value_array(run->pool);
    if (!all || scim_path_list(run->pool, term->path, run->resource, all))
        return PROV_E_NOMEM;
    for (size_t i = 0; !r && i < value_count(all); i++)
        r = collect(run->pool, list, value_at(all, i));
    return r;
}

static int
leaf_values(const struct mapping_term *term, struct term_run *run, struct value *list)
{
    size_t before = value_count(list);
    const char *from = term->text;
    AUTO_FREE char *alias = NULL;
    int r;

    if (term->path) {
        r = values_at_path(term, run, list);
    } else {
        alias = alias_derive(run->resource, &from);
        if (!alias)
            return from ? PROV_E_NOMEM : PROV_OK;
        r = value_append_text(run->pool, list, alias);
    }
    return !r && value_count(list) > before ? note_from(run, from) : r;
}

static int
refuse_join(struct term_run *run)
{
    return value_problem_set(run->problem,
                             "let each source lead to one attribute, such as 'name.familyName'",
                             "takes one text, a source of its join leads to a complex value");
}

/* All parts in one text. */
static int
joined_values(const struct mapping_term *term, struct term_run *run, struct value *list)
{
    struct value *all = value_array(run->pool);
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    FILE *out;
    int r = all ? PROV_OK : PROV_E_NOMEM;

    for (size_t i = 0; !r && i < term->part_count; i++)
        r = mapping_term_values(&term->parts[i], run, all);
    if (r || value_count(all) == 0)
        return r;
    for (size_t i = 0; i < value_count(all); i++) {
        if (!value_is_scalar(value_at(all, i)))
            return refuse_join(run);
    }
    out = open_memstream(&text, &size);
    if (!out)
        return PROV_E_NOMEM;
    for (size_t i = 0; i < value_count(all); i++)
        fprintf(out, "%s%s", i ? term->join : "", value_spelling(value_at(all, i)));
    if (fclose(out) != 0)
        return PROV_E_NOMEM;
    return value_append_text(run->pool, list, text);
}

/* What the sources give, before the steps. */
static int
source_values(const struct mapping_term *term, struct term_run *run, struct value *list)
{
    size_t before = value_count(list);
    int r = PROV_OK;

    if (!term->parts)
        return leaf_values(term, run, list);
    if (term->join)
        return joined_values(term, run, list);
    for (size_t i = 0; !r && i < term->part_count && value_count(list) == before; i++)
        r = mapping_term_values(&term->parts[i], run, list);
    return r;
}

/* What a step made: one value, or the first of several. */
static int
trace_step(struct term_run *run, const struct mapping_step *step, struct value *made)
{
    struct pool *pool = run->pool;
    size_t count = value_count(made);
    struct value *line, *shown = value_at(made, 0);
    int r = PROV_OK;

    if (!run->trace)
        return PROV_OK;
    if (count > 1 && !(shown = value_array(pool)))
        return PROV_E_NOMEM;
    for (size_t i = 0; !r && count > 1 && i < count && i < TRACED; i++)
        r = value_append(pool, shown, value_at(made, i));
    line = value_object(pool);
    if (r || value_append(pool, run->trace, line) || value_put(pool, line, "value", shown))
        return PROV_E_NOMEM;
    return value_put_text(pool, line, "step", mapping_step_name(step));
}

int
mapping_term_values(const struct mapping_term *term, struct term_run *run, struct value *list)
{
    struct value *values = term->step_count > 0 ? value_array(run->pool) : list;
    int r = values ? source_values(term, run, values) : PROV_E_NOMEM;

    for (size_t s = 0; !r && s < term->step_count && value_count(values) > 0; s++) {
        struct value *made = value_array(run->pool);
        r = made ? PROV_OK : PROV_E_NOMEM;
        for (size_t i = 0; !r && i < value_count(values); i++)
            r = mapping_step_run(run->pool, &term->steps[s], value_at(values, i), made,
                                 run->problem);
        values = made;
        if (!r)
            r = trace_step(run, &term->steps[s], values);
    }
    for (size_t i = 0; !r && values != list && i < value_count(values); i++)
        r = value_append(run->pool, list, value_at(values, i));
    return r;
}
