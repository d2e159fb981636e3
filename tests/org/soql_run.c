/* Runs parsed SOQL over an org's rows. Decides which objects, fields and comparisons there are
 * (2.10) and what they match: strings without regard to ASCII letter case, ids in either length.
 * Paging is left to api_query.c. */
#include "tests/org/soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct run {
    struct org *org;
    struct soql *soql;
    struct table *table;
    const char *version;
    struct refusal *refusal;
};

/* ---- names ---- */

static bool
no_column(struct run *run, size_t at, const char *name, const char *entity)
{
    return soql_refuse(run->soql->source, at, run->refusal, "INVALID_FIELD",
                       "No such column '%s' on entity '%s'. If you are attempting to use a custom "
                       "field, be sure to append the '__c' after the custom field name. Please "
                       "reference your WSDL or the describe call for the appropriate names.",
                       name, entity);
}

static const struct field_facts *
parent_field(struct run *run, const struct object_facts *facts, const char *relationship)
{
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(run->org, facts, i)); i++) {
        if (field->relationship && strcasecmp(field->relationship, relationship) == 0)
            return field;
    }
    return NULL;
}

static bool
resolve(struct run *run, const struct path *path, struct resolved *ret)
{
    const struct object_facts *facts = run->table->facts;
    AUTO_FREE char *copy = text_copy(path->text);
    char *rest = copy, *dot;

    *ret = (struct resolved){ 0 };
    /* the object's own name may stand before a field */
    dot = strchr(rest, '.');
    if (dot && strncasecmp(rest, facts->name, (size_t)(dot - rest)) == 0 &&
        strlen(facts->name) == (size_t)(dot - rest))
        rest = dot + 1;
    while ((dot = strchr(rest, '.'))) {
        const struct field_facts *parent;
        *dot = '\0';
        parent = parent_field(run, facts, rest);
        if (!parent || ret->parent_count == MAX_PARENTS)
            return soql_refuse(run->soql->source, path->at, run->refusal, "INVALID_FIELD",
                               "Didn't understand relationship '%s' in field path. If you are "
                               "attempting to use a custom relationship, be sure to append the "
                               "'__r' after the custom relationship name. Please reference your "
                               "WSDL or the describe call for the appropriate names.",
                               rest);
        ret->parents[ret->parent_count++] = parent;
        facts = org_table(run->org, parent->target)->facts;
        rest = dot + 1;
    }
    ret->field = org_field(run->org, facts, rest);
    return ret->field || no_column(run, path->at, rest, facts->name);
}

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

/* ---- is a comparison allowed? ---- */

static bool
wrong_kind(struct run *run, const struct condition *condition, const struct literal *literal,
           const struct field_facts *field)
{
    bool text =
        field->kind != KIND_BOOLEAN && field->kind != KIND_INT && field->kind != KIND_DATETIME;

    return soql_refuse(run->soql->source, literal->at, run->refusal, "INVALID_FIELD",
                       "value of filter criterion for field '%s' must be of type %s and should "
                       "%sbe enclosed in quotes",
                       condition->path.text,
                       field->kind == KIND_DATETIME ? "dateTime"
                       : text                       ? "string"
                                                    : field_kind_name(field->kind),
                       text ? "" : "not ");
}

static bool
check_literal(struct run *run, const struct condition *condition, struct literal *literal,
              const struct field_facts *field)
{
    char id[ID_SIZE];

    if (literal->kind == LITERAL_NULL) {
        bool equality = condition->operation != OP_LIKE &&
                        (condition->operation <= OP_NOT_EQUAL || condition->operation >= OP_IN);
        return equality || soql_refuse(run->soql->source, literal->at, run->refusal,
                                       "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on null");
    }
    switch (field->kind) {
    case KIND_BOOLEAN:
        return literal->kind == LITERAL_BOOLEAN || wrong_kind(run, condition, literal, field);
    case KIND_INT:
        return literal->kind == LITERAL_NUMBER || wrong_kind(run, condition, literal, field);
    case KIND_DATETIME:
        return literal->kind == LITERAL_DATETIME || wrong_kind(run, condition, literal, field);
    default:
        break;
    }
    if (literal->kind != LITERAL_STRING)
        return wrong_kind(run, condition, literal, field);
    if (field->kind != KIND_ID && field->kind != KIND_REFERENCE)
        return true;
    if (*literal->text && !id_normalise(literal->text, id))
        return soql_refuse(run->soql->source, literal->at, run->refusal,
                           "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: %s", literal->text);
    if (*literal->text) {
        free(literal->text);
        literal->text = text_copy(id);
    }
    return true;
}

static bool
check_comparison(struct run *run, struct condition *condition)
{
    const struct field_facts *field;
    bool ordered = condition->operation >= OP_LESS && condition->operation <= OP_LIKE;

    if (!resolve(run, &condition->path, &condition->resolved))
        return false;
    field = condition->resolved.field;
    if (field->flags & FIELD_NO_FILTER)
        return soql_refuse(run->soql->source, condition->path.at, run->refusal, "INVALID_FIELD",
                           "field '%s' can not be filtered in a query call", condition->path.text);
    if ((ordered && field->kind == KIND_BOOLEAN) ||
        (condition->operation == OP_LIKE &&
         (field->kind == KIND_ID || field->kind == KIND_REFERENCE || field->kind == KIND_INT ||
          field->kind == KIND_DATETIME)))
        return soql_refuse(run->soql->source, condition->path.at, run->refusal,
                           "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on %s field",
                           field_kind_name(field->kind));
    for (size_t i = 0; i < condition->literal_count; i++) {
        if (!check_literal(run, condition, &condition->literals[i], field))
            return false;
    }
    return true;
}

static bool
check_condition(struct run *run, struct condition *condition)
{
    if (condition->kind == CONDITION_COMPARE)
        return check_comparison(run, condition);
    for (size_t i = 0; i < condition->part_count; i++) {
        if (!check_condition(run, condition->parts[i]))
            return false;
    }
    return true;
}

/* ---- matching ---- */

/* <0, 0, >0 as strcmp. Both are set. */
static int
compare_value(const struct field_facts *field, struct json_object *value,
              const struct literal *literal)
{
    int64_t ms = 0;

    switch (field->kind) {
    case KIND_BOOLEAN:
        return (int)json_object_get_boolean(value) - (int)literal->flag;
    case KIND_INT: {
        double number = json_object_get_double(value);
        return number < literal->number ? -1 : number > literal->number;
    }
    case KIND_DATETIME:
        time_parse(json_object_get_string(value), &ms);
        return ms < literal->time_ms ? -1 : ms > literal->time_ms;
    case KIND_ID:
    case KIND_REFERENCE:
        return strcmp(json_object_get_string(value), literal->text);
    default:
        return strcasecmp(json_object_get_string(value), literal->text);
    }
}

static bool
same_letter(char a, char b)
{
    return strncasecmp(&a, &b, 1) == 0;
}

static bool
is_like(const char *text, const char *pattern)
{
    const char *retry_text = NULL, *retry_pattern = NULL;

    while (*text) {
        bool escaped = *pattern == '\\' && pattern[1];
        char wanted = escaped ? pattern[1] : *pattern;
        if (!escaped && wanted == '%') {
            retry_pattern = ++pattern;
            retry_text = text;
        } else if (wanted && ((!escaped && wanted == '_') || same_letter(wanted, *text))) {
            pattern += escaped ? 2 : 1;
            text++;
        } else if (retry_pattern) {
            pattern = retry_pattern;
            text = ++retry_text;
        } else {
            return false;
        }
    }
    while (*pattern == '%')
        pattern++;
    return !*pattern;
}

/* In SOQL an empty string and null are the same. */
static bool
is_null_literal(const struct literal *literal)
{
    return literal->kind == LITERAL_NULL || (literal->kind == LITERAL_STRING && !*literal->text);
}

static bool
equals_any(const struct field_facts *field, struct json_object *value,
           const struct condition *condition)
{
    for (size_t i = 0; i < condition->literal_count; i++) {
        const struct literal *literal = &condition->literals[i];
        if (!value || is_null_literal(literal)) {
            if (!value && is_null_literal(literal))
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
    default:
        break;
    }
    if (!value || is_null_literal(literal))
        return false;
    if (condition->operation == OP_LIKE)
        return is_like(json_object_get_string(value), literal->text);
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
    size_t position;
};

static int
compare_keys(struct json_object *a, struct json_object *b, const struct order *order)
{
    int result;

    if (!a || !b)
        return a == b ? 0 : (!a ? -1 : 1) * (order->nulls_last ? -1 : 1);
    if (json_object_is_type(a, json_type_int)) {
        int64_t x = json_object_get_int64(a), y = json_object_get_int64(b);
        result = x < y ? -1 : x > y;
    } else {
        result = strcasecmp(json_object_get_string(a), json_object_get_string(b));
    }
    return order->descending ? -result : result;
}

static int
compare_rows(const void *a, const void *b)
{
    const struct sorted_row *x = a, *y = b;

    for (size_t i = 0; i < x->soql->order_count; i++) {
        int result = compare_keys(x->keys[i], y->keys[i], &x->soql->orders[i]);
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
        if (!resolve(run, &run->soql->orders[i].path, &paths[i]))
            return false;
    }
    if (orders == 0)
        return true;
    sorted = text_block(count * sizeof(*sorted));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct sorted_row){ rows[i], text_block(orders * sizeof(struct json_object *)),
                                         run->soql, i };
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

/* COUNT(Field): one row with the number of rows in which it is not null (2.10). */
static struct json_object *
aggregate(struct row **rows, size_t count, const struct resolved *path)
{
    struct json_object *record = js_object(), *attributes = js_object();
    int64_t set = 0;

    for (size_t i = 0; i < count; i++) {
        AUTO_JS struct json_object *value = value_of(rows[i], path);
        set += value ? 1 : 0;
    }
    js_put_text(attributes, "type", "AggregateResult");
    js_put(record, "attributes", attributes);
    js_put_int(record, "expr0", set);
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
    if (run->soql->count_field) {
        js_append(ret->records, aggregate(rows, count, &paths[0]));
        ret->total = 1;
        return;
    }
    for (size_t i = 0; i < count; i++)
        js_append(ret->records, record_of(run, rows[i], paths));
}

/* A field selected twice is refused (INVALID_FIELD, text unsure). */
static bool
resolve_selected(struct run *run, struct resolved *paths)
{
    struct soql *soql = run->soql;

    for (size_t i = 0; i < soql->path_count; i++) {
        if (!resolve(run, &soql->paths[i], &paths[i]))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcasecmp(soql->paths[j].text, soql->paths[i].text) == 0)
                return soql_refuse(soql->source, soql->paths[i].at, run->refusal, "INVALID_FIELD",
                                   "duplicate field selected: %s", soql->paths[i].text);
        }
    }
    return true;
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
        if (is_null_literal(&condition->literals[i]))
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
        struct row *row = field->kind == KIND_ID ? table_find(run->table, text)
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
        if (matches(rows[i], where))
            rows[count++] = rows[i];
    }
    *ret_count = count;
    return rows;
}

bool
soql_run(struct org *org, const char *source, const char *version, struct query_result *ret,
         struct refusal *refusal)
{
    AUTO_SOQL struct soql *soql = NULL;
    AUTO_FREE struct resolved *paths = NULL;
    AUTO_FREE struct row **rows = NULL;
    struct run run = { .org = org, .version = version, .refusal = refusal };
    size_t count, from;

    if (!soql_parse(source, &soql, refusal))
        return false;
    run.soql = soql;
    run.table = org_table(org, soql->object.text);
    if (!run.table)
        return soql_refuse(source, soql->object.at, refusal, "INVALID_TYPE",
                           "sObject type '%s' is not supported. If you are attempting to use a "
                           "custom object, be sure to append the '__c' after the entity name. "
                           "Please reference your WSDL or the describe call for the appropriate "
                           "names.",
                           soql->object.text);
    paths = text_block(soql->path_count * sizeof(*paths));
    if (!resolve_selected(&run, paths) || (soql->where && !check_condition(&run, soql->where)))
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
