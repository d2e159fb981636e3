/* Runs checked SOQL over an org's rows (2.10): which rows match, their order, the records made of
 * them. Strings are compared without regard to letter case, ids in their long form. What a query may
 * ask for is left to soql_check.c, paging to api_query.c. */
#include "tests/org/soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The row at the end of a path's parents, or NULL. */
static struct row *
follow(struct row *row, const struct resolved *path, size_t parents)
{
    for (size_t i = 0; row && i < parents; i++) {
        const char *id = js_get_text(row->values, path->parents[i]->name);
        row = id ? org_find(row->org, path->parents[i]->target, id) : NULL;
    }
    return row;
}

static struct json_object *
value_of(struct row *row, const struct resolved *path)
{
    row = follow(row, path, path->parent_count);
    return row ? row_value(row, path->field) : NULL;
}

/* ---- matching ---- */

static int
order_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int
order_of_numbers(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Without regard to letter case, in every script. */
static int
order_of_texts(const char *a, const char *b)
{
    for (;;) {
        uint32_t x = text_lower_letter(text_next(&a)), y = text_lower_letter(text_next(&b));
        if (x != y || x == 0)
            return x < y ? -1 : x > y;
    }
}

static int64_t
moment_of(const struct field_facts *field, struct json_object *value)
{
    int64_t ms = 0;

    if (field->kind == KIND_DATE)
        date_parse(json_object_get_string(value), &ms);
    else
        time_parse(json_object_get_string(value), &ms);
    return ms;
}

/* <0, 0, >0 as strcmp: where the value stands to the literal. Both are set. Within a span of time is
 * equal to it. */
static int
compare_value(const struct field_facts *field, struct json_object *value,
              const struct literal *literal)
{
    int64_t ms;

    switch (literal->kind) {
    case LITERAL_BOOLEAN:
        return (int)json_object_get_boolean(value) - (int)literal->flag;
    case LITERAL_NUMBER:
        return order_of_numbers(json_object_get_double(value), literal->number);
    case LITERAL_DATE:
    case LITERAL_DATETIME:
        return order_of(moment_of(field, value), literal->time_ms);
    case LITERAL_SPAN:
        ms = moment_of(field, value);
        return ms < literal->time_ms ? -1 : ms >= literal->end_ms;
    default:
        break;
    }
    if (field->kind == KIND_ID || field->kind == KIND_REFERENCE || field->flags & FIELD_CASE)
        return strcmp(json_object_get_string(value), literal->text);
    return order_of_texts(json_object_get_string(value), literal->text);
}

/* One of a multi-select's values; "a;b" in the literal asks for both. */
static bool
holds_all(const char *values, const char *wanted)
{
    AUTO_FREE char *have = text_format(";%s;", values);
    AUTO_FREE char *copy = text_copy(wanted);
    char *rest = copy, *name;

    while ((name = strsep(&rest, ";"))) {
        AUTO_FREE char *one = text_format(";%s;", name);
        if (!strcasestr(have, one))
            return false;
    }
    return true;
}

static bool
includes_any(const char *values, const struct condition *condition)
{
    for (size_t i = 0; i < condition->literal_count; i++) {
        if (holds_all(values, condition->literals[i].text))
            return true;
    }
    return false;
}

/* % any characters, _ one of them; a backslash makes either a character. */
static bool
is_like(const char *text, const char *pattern, bool case_matters)
{
    const char *retry_text = NULL, *retry_pattern = NULL;

    while (*text) {
        const char *next_text = text, *next_pattern = pattern;
        bool escaped = *pattern == '\\' && pattern[1];
        uint32_t letter = text_next(&next_text), wanted;
        if (escaped)
            next_pattern++;
        wanted = *pattern ? text_next(&next_pattern) : 0;
        if (!escaped && wanted == '%') {
            retry_pattern = pattern = next_pattern;
            retry_text = text;
        } else if (wanted &&
                   ((!escaped && wanted == '_') || wanted == letter ||
                    (!case_matters && text_lower_letter(wanted) == text_lower_letter(letter)))) {
            pattern = next_pattern;
            text = next_text;
        } else if (retry_pattern) {
            text_next(&retry_text);
            pattern = retry_pattern;
            text = retry_text;
        } else {
            return false;
        }
    }
    while (*pattern == '%')
        pattern++;
    return !*pattern;
}

static bool
equals_any(const struct field_facts *field, struct json_object *value,
           const struct condition *condition)
{
    for (size_t i = 0; i < condition->literal_count; i++) {
        const struct literal *literal = &condition->literals[i];
        if (!value || soql_is_null(literal)) {
            if (!value && soql_is_null(literal))
                return true;
        } else if (compare_value(field, value, literal) == 0) {
            return true;
        }
    }
    return false;
}

static bool
matches_comparison(struct row *row, const struct condition *condition)
{
    AUTO_JS struct json_object *value = value_of(row, &condition->resolved);
    const struct field_facts *field = condition->resolved.field;
    const struct literal *literal = condition->literals;

    switch (condition->operation) {
    case OP_EQUAL:
    case OP_IN:
        return equals_any(field, value, condition);
    case OP_NOT_EQUAL:
    case OP_NOT_IN:
        return !equals_any(field, value, condition);
    case OP_INCLUDES:
        return value && includes_any(json_object_get_string(value), condition);
    case OP_EXCLUDES:
        return !value || !includes_any(json_object_get_string(value), condition);
    default:
        break;
    }
    if (!value || soql_is_null(literal))
        return false;
    if (condition->operation == OP_LIKE)
        return is_like(json_object_get_string(value), literal->text, field->flags & FIELD_CASE);
    switch (condition->operation) {
    case OP_LESS:
        return compare_value(field, value, literal) < 0;
    case OP_LESS_EQUAL:
        return compare_value(field, value, literal) <= 0;
    case OP_GREATER:
        return compare_value(field, value, literal) > 0;
    default:
        return compare_value(field, value, literal) >= 0;
    }
}

static bool
matches(struct row *row, const struct condition *condition)
{
    if (!condition)
        return true;
    switch (condition->kind) {
    case CONDITION_NOT:
        return !matches(row, condition->parts[0]);
    case CONDITION_AND:
        for (size_t i = 0; i < condition->part_count; i++) {
            if (!matches(row, condition->parts[i]))
                return false;
        }
        return true;
    case CONDITION_OR:
        for (size_t i = 0; i < condition->part_count; i++) {
            if (matches(row, condition->parts[i]))
                return true;
        }
        return false;
    default:
        return matches_comparison(row, condition);
    }
}

/* ---- order ---- */

struct sorted_row {
    struct row *row;
    struct json_object **keys;
    const struct soql *soql;
    const struct resolved *paths;
    size_t position;
};

static int
compare_values(const struct field_facts *field, struct json_object *a, struct json_object *b)
{
    if (field_kind_is_number(field->kind))
        return order_of_numbers(json_object_get_double(a), json_object_get_double(b));
    if (field->kind == KIND_DATE || field->kind == KIND_DATETIME)
        return order_of(moment_of(field, a), moment_of(field, b));
    if (field->kind == KIND_ID || field->kind == KIND_REFERENCE)
        return strcmp(json_object_get_string(a), json_object_get_string(b));
    return order_of_texts(json_object_get_string(a), json_object_get_string(b));
}

static int
compare_keys(const struct field_facts *field, struct json_object *a, struct json_object *b,
             const struct order *order)
{
    int result;

    if (!a || !b)
        return a == b ? 0 : (!a ? -1 : 1) * (order->nulls_last ? -1 : 1);
    result = compare_values(field, a, b);
    return order->descending ? -result : result;
}

static int
compare_rows(const void *a, const void *b)
{
    const struct sorted_row *x = a, *y = b;

    for (size_t i = 0; i < x->soql->order_count; i++) {
        int result = compare_keys(x->paths[i].field, x->keys[i], y->keys[i], &x->soql->orders[i]);
        if (result)
            return result;
    }
    return x->position < y->position ? -1 : 1;
}

static bool
sort_rows(struct run *run, struct row **rows, size_t count)
{
    size_t orders = run->soql->order_count;
    AUTO_FREE struct resolved *paths = text_block(orders * sizeof(*paths));
    AUTO_FREE struct sorted_row *sorted = NULL;

    for (size_t i = 0; i < orders; i++) {
        const struct path *path = &run->soql->orders[i].path;
        if (!soql_resolve(run, path, &paths[i]))
            return false;
        if (paths[i].field->flags & FIELD_NO_FILTER || paths[i].field->kind == KIND_MULTIPICKLIST)
            return soql_refuse(run->soql->source, path->at, run->refusal, "INVALID_FIELD",
                               "field '%s' can not be sorted in a query call", path->text);
    }
    if (orders == 0)
        return true;
    sorted = text_block(count * sizeof(*sorted));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct sorted_row){ rows[i], text_block(orders * sizeof(struct json_object *)),
                                         run->soql, paths, i };
        for (size_t j = 0; j < orders; j++)
            sorted[i].keys[j] = value_of(rows[i], &paths[j]);
    }
    qsort(sorted, count, sizeof(*sorted), compare_rows);
    for (size_t i = 0; i < count; i++) {
        rows[i] = sorted[i].row;
        for (size_t j = 0; j < orders; j++)
            json_object_put(sorted[i].keys[j]);
        free(sorted[i].keys);
    }
    return true;
}

/* ---- records ---- */

/* Puts one selected value into its place, with the parents' objects around it; a parent that is
 * not there is null (2.10). */
static void
put_selected(struct run *run, struct json_object *record, struct row *row,
             const struct resolved *path)
{
    for (size_t i = 0; i < path->parent_count; i++) {
        const char *name = path->parents[i]->relationship;
        struct row *parent = follow(row, path, i + 1);
        struct json_object *inner = js_get(record, name);
        if (!parent) {
            js_put(record, name, NULL);
            return;
        }
        if (!inner) {
            inner = js_object();
            row_put_attributes(inner, parent->table->facts->name, parent->id, run->version);
            js_put(record, name, inner);
        }
        record = inner;
    }
    js_put(record, path->field->name, value_of(row, path));
}

static struct json_object *
record_of(struct run *run, struct row *row, const struct resolved *paths)
{
    struct json_object *record = js_object();

    row_put_attributes(record, run->table->facts->name, row->id, run->version);
    for (size_t i = 0; i < run->soql->path_count; i++)
        put_selected(run, record, row, &paths[i]);
    return record;
}

static int
by_text(const void *a, const void *b)
{
    return order_of_texts(*(const char *const *)a, *(const char *const *)b);
}

static int64_t
count_distinct(const char **texts, size_t count)
{
    int64_t distinct = 0;

    qsort(texts, count, sizeof(*texts), by_text);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || order_of_texts(texts[i - 1], texts[i]) != 0;
    return distinct;
}

/* A new reference; nulls do not count. */
static struct json_object *
aggregate(struct row **rows, size_t count, const struct resolved *path,
          enum aggregate_function function)
{
    AUTO_JS struct json_object *kept = js_array();
    AUTO_FREE const char **texts = text_block(count * sizeof(*texts));
    struct json_object *best = NULL;
    size_t set = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *value = value_of(rows[i], path);
        int order;
        if (!value)
            continue;
        js_append(kept, value);
        texts[set++] = json_object_get_string(value);
        order = best ? compare_values(path->field, value, best) : 0;
        if (!best || (function == AGGREGATE_MIN && order < 0) ||
            (function == AGGREGATE_MAX && order > 0))
            best = value;
    }
    if (function == AGGREGATE_COUNT)
        return json_object_new_int64((int64_t)set);
    if (function == AGGREGATE_COUNT_DISTINCT)
        return json_object_new_int64(count_distinct(texts, set));
    return json_object_get(best);
}

/* One row with a value for each aggregate: expr0, expr1, ... where they have no name (2.10). */
static struct json_object *
aggregates(struct run *run, struct row **rows, size_t count, const struct resolved *paths)
{
    struct json_object *record = js_object(), *attributes = js_object();
    unsigned unnamed = 0;

    js_put_text(attributes, "type", "AggregateResult");
    js_put(record, "attributes", attributes);
    for (size_t i = 0; i < run->soql->aggregate_count; i++) {
        const struct aggregate *one = &run->soql->aggregates[i];
        AUTO_FREE char *name =
            one->alias ? text_copy(one->alias) : text_format("expr%u", unnamed++);
        js_put(record, name, aggregate(rows, count, &paths[i], one->function));
    }
    return record;
}

static void
collect(struct run *run, struct row **rows, size_t count, const struct resolved *paths,
        struct query_result *ret)
{
    ret->records = js_array();
    ret->total = count;
    if (run->soql->count_rows)
        return;
    if (run->soql->aggregate_count) {
        js_append(ret->records, aggregates(run, rows, count, paths));
        ret->total = 1;
        return;
    }
    for (size_t i = 0; i < count; i++)
        js_append(ret->records, record_of(run, rows[i], paths));
}

/* ---- which rows are looked at ---- */

/* A comparison that an index answers: Id or a unique field of the object itself, =, or IN. */
static bool
is_indexed(const struct condition *condition)
{
    const struct resolved *path = &condition->resolved;
    bool unique =
        path->field && (path->field->kind == KIND_ID || path->field->flags & FIELD_UNIQUE ||
                        strcmp(path->field->name, "Username") == 0);

    if (condition->kind != CONDITION_COMPARE || !unique || path->parent_count > 0 ||
        (condition->operation != OP_EQUAL && condition->operation != OP_IN))
        return false;
    for (size_t i = 0; i < condition->literal_count; i++) {
        if (soql_is_null(&condition->literals[i]))
            return false;
    }
    return true;
}

/* The condition itself, or one of those it needs all of; NULL if none. */
static const struct condition *
indexed_part(const struct condition *condition)
{
    if (!condition || is_indexed(condition))
        return condition;
    for (size_t i = 0; condition->kind == CONDITION_AND && i < condition->part_count; i++) {
        if (is_indexed(condition->parts[i]))
            return condition->parts[i];
    }
    return NULL;
}

static int
by_id(const void *a, const void *b)
{
    const struct row *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id); /* ids ascend with creation */
}

/* The rows an index gives for a condition, each once and in order of creation. */
static size_t
look_up(struct run *run, const struct condition *condition, struct row **rows)
{
    const struct field_facts *field = condition->resolved.field;
    size_t found = 0, kept = 0;

    for (size_t i = 0; i < condition->literal_count; i++) {
        const char *text = condition->literals[i].text;
        struct row *row = field->kind == KIND_ID ? table_find_any(run->table, text)
                                                 : rows_holder(run->org, field, text);
        if (row && row->org == run->org)
            rows[found++] = row;
    }
    qsort(rows, found, sizeof(struct row *), by_id);
    for (size_t i = 0; i < found; i++) {
        if (kept == 0 || rows[kept - 1] != rows[i])
            rows[kept++] = rows[i];
    }
    return kept;
}

/* 2.10: queryAll finds what is in the bin; what has none is gone. */
static bool
is_seen(const struct run *run, const struct row *row)
{
    return !row->deleted || (run->with_deleted && run->table->facts->flags & HAS_BIN);
}

/* Heap: the rows that match. An index saves looking at all of them: a query for 200 usernames in
 * an org of many users is what the plugin does most. */
static struct row **
select_rows(struct run *run, size_t *ret_count)
{
    const struct condition *where = run->soql->where, *indexed = indexed_part(where);
    size_t room = indexed ? indexed->literal_count : run->table->count, count = 0;
    struct row **rows = text_block(room * sizeof(struct row *));

    if (indexed)
        room = look_up(run, indexed, rows);
    else if (room)
        memcpy(rows, run->table->rows, room * sizeof(struct row *));
    for (size_t i = 0; i < room; i++) {
        if (is_seen(run, rows[i]) && matches(rows[i], where))
            rows[count++] = rows[i];
    }
    *ret_count = count;
    return rows;
}

bool
soql_run_subselect(struct run *run, struct condition *condition)
{
    struct run inside = {
        .org = run->org, .soql = condition->subselect, .nested = true, .refusal = run->refusal
    };
    struct resolved path;
    AUTO_FREE struct row **rows = NULL;
    size_t count;

    if (!soql_find_object(&inside) || !soql_check_selected(&inside, &path))
        return false;
    if (!soql_check_where(&inside))
        return false;
    rows = select_rows(&inside, &count);
    condition->literals = text_block(count * sizeof(*condition->literals));
    for (size_t i = 0; i < count; i++) {
        AUTO_JS struct json_object *id = value_of(rows[i], &path);
        if (id)
            condition->literals[condition->literal_count++] = (struct literal){
                .kind = LITERAL_STRING,
                .text = text_copy(json_object_get_string(id)),
                .at = condition->path.at,
            };
    }
    return true;
}

bool
soql_run(struct org *org, const char *source, const char *version, bool with_deleted,
         struct query_result *ret, struct refusal *refusal)
{
    AUTO_SOQL struct soql *soql = NULL;
    AUTO_FREE struct resolved *paths = NULL;
    AUTO_FREE struct row **rows = NULL;
    struct run run = {
        .org = org, .version = version, .with_deleted = with_deleted, .refusal = refusal
    };
    size_t count, from;

    if (!soql_parse(source, org->world->now_ms(), &soql, refusal))
        return false;
    run.soql = soql;
    if (!soql_find_object(&run) || !soql_expand(&run))
        return false;
    paths = text_block(soql->path_count * sizeof(*paths));
    if (!soql_check_selected(&run, paths) || !soql_check_where(&run))
        return false;
    rows = select_rows(&run, &count);
    if (!sort_rows(&run, rows, count))
        return false;
    from = (size_t)soql->offset < count ? (size_t)soql->offset : count;
    count -= from;
    if (soql->limit >= 0 && (size_t)soql->limit < count)
        count = (size_t)soql->limit;
    collect(&run, rows + from, count, paths, ret);
    return true;
}
