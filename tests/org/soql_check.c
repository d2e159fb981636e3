/* What a query asks for: which object, which fields, which comparisons there are (2.10). Decides all
 * that can be refused before a row is looked at; the rows are left to soql_run.c. */
#include "tests/org/soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_SUBSELECTS = 2 /* the SOQL reference, semi-joins */
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

/* The object's own name, or its alias, may stand before a field. */
static const char *
skip_object(struct run *run, const char *path)
{
    const char *dot = strchr(path, '.'), *alias = run->soql->alias;
    size_t length = dot ? (size_t)(dot - path) : 0;
    const char *object = run->table->facts->name;

    if (dot && ((strlen(object) == length && strncasecmp(path, object, length) == 0) ||
                (alias && strlen(alias) == length && strncasecmp(path, alias, length) == 0)))
        return dot + 1;
    return path;
}

bool
soql_resolve(struct run *run, const struct path *path, struct resolved *ret)
{
    const struct object_facts *facts = run->table->facts;
    AUTO_FREE char *copy = text_copy(skip_object(run, path->text));
    char *rest = copy, *dot;

    *ret = (struct resolved){ 0 };
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

bool
soql_find_object(struct run *run)
{
    const struct path *object = &run->soql->object;

    run->table = org_table(run->org, object->text);
    /* 2.9: needs Manage Users, 5.1: View Setup; that they are hidden without is unsure */
    if (run->table &&
        ((object_is(run->table->facts, OBJECT_USER_LOGIN) && !run->org->settings.manage_users) ||
         (object_is(run->table->facts, OBJECT_PERMISSION_SET_ASSIGNMENT) &&
          !run->org->settings.view_setup)))
        run->table = NULL;
    return run->table ||
           soql_refuse(run->soql->source, object->at, run->refusal, "INVALID_TYPE",
                       "sObject type '%s' is not supported. If you are attempting to use a custom "
                       "object, be sure to append the '__c' after the entity name. Please "
                       "reference your WSDL or the describe call for the appropriate names.",
                       object->text);
}

static bool
is_in_group(const struct field_facts *field, enum field_group group)
{
    bool custom = field->flags & FIELD_CUSTOM;

    return group == FIELDS_ALL || (group == FIELDS_CUSTOM) == custom;
}

bool
soql_expand(struct run *run)
{
    struct soql *soql = run->soql;
    const struct field_facts *field;

    for (size_t i = 0;
         soql->group != FIELDS_NONE && (field = org_field_at(run->org, run->table->facts, i));
         i++) {
        if (!is_in_group(field, soql->group))
            continue;
        soql->paths = text_resize(soql->paths, (soql->path_count + 1) * sizeof(*soql->paths));
        soql->paths[soql->path_count++] = (struct path){ text_copy(field->name), 0 };
    }
    return soql->count_rows || soql->path_count > 0 ||
           refuse(run->refusal, 400, "MALFORMED_QUERY", NULL,
                  "The SOQL FIELDS function found no fields on %s", run->table->facts->name);
}

/* MIN and MAX of what has an order; COUNT of anything that can be filtered (texts unsure). */
static bool
check_aggregate(struct run *run, size_t index, const struct field_facts *field)
{
    enum aggregate_function function = run->soql->aggregates[index].function;
    bool ordered = function == AGGREGATE_MIN || function == AGGREGATE_MAX;

    if (field->flags & FIELD_NO_FILTER || (ordered && field->kind == KIND_BOOLEAN))
        return soql_refuse(run->soql->source, run->soql->paths[index].at, run->refusal,
                           "MALFORMED_QUERY", "field %s does not support aggregate operator",
                           run->soql->paths[index].text);
    return true;
}

/* A field selected twice is refused (INVALID_FIELD, text unsure). */
bool
soql_check_selected(struct run *run, struct resolved *paths)
{
    struct soql *soql = run->soql;

    for (size_t i = 0; i < soql->path_count; i++) {
        if (!soql_resolve(run, &soql->paths[i], &paths[i]))
            return false;
        if (i < soql->aggregate_count && !check_aggregate(run, i, paths[i].field))
            return false;
        for (size_t j = 0; !soql->aggregate_count && j < i; j++) {
            if (strcasecmp(soql->paths[j].text, soql->paths[i].text) == 0)
                return soql_refuse(soql->source, soql->paths[i].at, run->refusal, "INVALID_FIELD",
                                   "duplicate field selected: %s", soql->paths[i].text);
        }
    }
    return true;
}

/* ---- is a comparison allowed? ---- */

static bool
wrong_kind(struct run *run, const struct condition *condition, const struct literal *literal,
           const struct field_facts *field)
{
    bool text =
        field_kind_is_text(field->kind) && field->kind != KIND_DATETIME && field->kind != KIND_DATE;

    return soql_refuse(run->soql->source, literal->at, run->refusal, "INVALID_FIELD",
                       "value of filter criterion for field '%s' must be of type %s and should "
                       "%sbe enclosed in quotes",
                       condition->path.text,
                       field->kind == KIND_DATETIME ? "dateTime"
                       : text                       ? "string"
                                                    : field_kind_name(field->kind),
                       text ? "" : "not ");
}

/* Which literal a field that is written without quotes takes; LITERAL_STRING for the others. */
static enum literal_kind
literal_of(enum field_kind kind)
{
    return kind == KIND_BOOLEAN         ? LITERAL_BOOLEAN
           : kind == KIND_DATETIME      ? LITERAL_DATETIME
           : kind == KIND_DATE          ? LITERAL_DATE
           : field_kind_is_number(kind) ? LITERAL_NUMBER
                                        : LITERAL_STRING;
}

bool
soql_is_null(const struct literal *literal)
{
    return literal->kind == LITERAL_NULL || (literal->kind == LITERAL_STRING && !*literal->text);
}

static bool
check_id(struct run *run, struct literal *literal)
{
    char id[ID_SIZE];

    if (!*literal->text)
        return true;
    if (!id_normalise(literal->text, id))
        return soql_refuse(run->soql->source, literal->at, run->refusal,
                           "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: %s", literal->text);
    free(literal->text);
    literal->text = text_copy(id);
    return true;
}

static bool
check_literal(struct run *run, const struct condition *condition, struct literal *literal,
              const struct field_facts *field)
{
    enum literal_kind wanted = literal_of(field->kind);
    bool moment = wanted == LITERAL_DATE || wanted == LITERAL_DATETIME;

    if (literal->kind == LITERAL_NULL) {
        bool equality = condition->operation <= OP_NOT_EQUAL || condition->operation == OP_IN ||
                        condition->operation == OP_NOT_IN;
        return equality || soql_refuse(run->soql->source, literal->at, run->refusal,
                                       "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on null");
    }
    if (literal->kind != wanted && !(moment && literal->kind == LITERAL_SPAN))
        return wrong_kind(run, condition, literal, field);
    if (field->kind == KIND_ID || field->kind == KIND_REFERENCE)
        return check_id(run, literal);
    return true;
}

/* Which operators a field has; LIKE is for text, INCLUDES for what holds several values. */
static bool
check_operator(struct run *run, const struct condition *condition, const struct field_facts *field)
{
    enum operation operation = condition->operation;
    bool ordered = operation >= OP_LESS && operation <= OP_LIKE;
    bool among = operation == OP_INCLUDES || operation == OP_EXCLUDES;
    bool good = true;

    if (field->flags & FIELD_NO_FILTER)
        return soql_refuse(run->soql->source, condition->path.at, run->refusal, "INVALID_FIELD",
                           "field '%s' can not be filtered in a query call", condition->path.text);
    if (ordered)
        good = field->kind != KIND_BOOLEAN && field->kind != KIND_MULTIPICKLIST;
    if (operation == OP_LIKE)
        good = good && literal_of(field->kind) == LITERAL_STRING && field->kind != KIND_ID &&
               field->kind != KIND_REFERENCE;
    if (among)
        good = field->kind == KIND_MULTIPICKLIST;
    return good || soql_refuse(run->soql->source, condition->path.at, run->refusal,
                               "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on %s field",
                               field_kind_name(field->kind));
}

/* ---- semi-joins: WHERE Id IN (SELECT ...) ---- */

/* The objects an id in this field may be of, ',' between. */
static const char *
objects_of(const struct object_facts *facts, const struct field_facts *field)
{
    return field->kind == KIND_ID ? facts->name : field->target;
}

static bool
share_object(const char *some, const char *others)
{
    AUTO_FREE char *names = text_copy(some);
    AUTO_FREE char *all = text_format(",%s,", others);
    char *rest = names, *name;

    while ((name = strsep(&rest, ","))) {
        AUTO_FREE char *wanted = text_format(",%s,", name);
        if (strstr(all, wanted))
            return true;
    }
    return false;
}

static bool
is_id_kind(const struct field_facts *field)
{
    return field->kind == KIND_ID || field->kind == KIND_REFERENCE;
}

static bool
refuse_join(struct run *run, size_t at, const char *text, const char *name)
{
    return soql_refuse(run->soql->source, at, run->refusal, "MALFORMED_QUERY", "%s%s%s%s", text,
                       name ? "'" : "", name ? name : "", name ? "'" : "");
}

/* The first three texts as seen in public reports, the others unsure. */
static bool
check_join(struct run *run, struct condition *condition)
{
    struct soql *inner = condition->subselect;
    struct run inside = { .org = run->org, .soql = inner, .refusal = run->refusal };
    struct resolved selected;
    size_t at = condition->path.at;

    if (!is_id_kind(condition->resolved.field) || condition->resolved.parent_count > 0)
        return refuse_join(run, at,
                           "semi join sub selects can only be compared with id fields of "
                           "the object itself, cannot use: ",
                           condition->path.text);
    if (!soql_find_object(&inside))
        return false;
    if (inner->path_count != 1 || inner->aggregate_count || inner->group != FIELDS_NONE)
        return refuse_join(run, at, "semi join sub selects query exactly one field", NULL);
    if (!soql_resolve(&inside, &inner->paths[0], &selected))
        return false;
    if (!is_id_kind(selected.field) || selected.parent_count > 0)
        return refuse_join(
            run, inner->paths[0].at,
            "semi join sub selects can only query id fields, cannot use: ", inner->paths[0].text);
    if (inside.table == run->table)
        return refuse_join(run, inner->object.at,
                           "The inner and outer selects should not be on the same object type",
                           NULL);
    if (!share_object(objects_of(run->table->facts, condition->resolved.field),
                      objects_of(inside.table->facts, selected.field)))
        return refuse_join(run, at,
                           "The left operand and the field of the sub select are ids of different "
                           "objects",
                           NULL);
    if (++run->subselects > MAX_SUBSELECTS)
        return refuse_join(run, at, "at most 2 semi join sub-selects are allowed", NULL);
    return soql_run_subselect(run, condition);
}

static bool
check_comparison(struct run *run, struct condition *condition)
{
    const struct field_facts *field;

    if (!soql_resolve(run, &condition->path, &condition->resolved))
        return false;
    field = condition->resolved.field;
    if (!check_operator(run, condition, field))
        return false;
    if (condition->subselect && !check_join(run, condition))
        return false;
    for (size_t i = 0; i < condition->literal_count; i++) {
        if (!check_literal(run, condition, &condition->literals[i], field))
            return false;
    }
    return true;
}

/* Sub-selects stand alone or in a top-level AND; texts as seen in public reports. */
static bool
check_place(struct run *run, const struct condition *condition, const struct condition *group,
            int depth)
{
    if (!condition->subselect)
        return true;
    if (run->nested)
        return refuse_join(run, condition->path.at,
                           "Nesting of semi join sub-selects is not supported", NULL);
    if (group && group->kind == CONDITION_OR)
        return refuse_join(run, condition->path.at,
                           "Semi join sub-selects are not allowed with the 'OR' operator", NULL);
    if (depth > 1 || (group && group->kind == CONDITION_NOT))
        return refuse_join(run, condition->path.at,
                           "Semi join sub-selects are only allowed at the top level WHERE "
                           "expressions and not in nested WHERE expressions.",
                           NULL);
    return true;
}

static bool
check_condition(struct run *run, struct condition *condition, const struct condition *group,
                int depth)
{
    if (condition->kind == CONDITION_COMPARE)
        return check_place(run, condition, group, depth) && check_comparison(run, condition);
    for (size_t i = 0; i < condition->part_count; i++) {
        if (!check_condition(run, condition->parts[i], condition, depth + 1))
            return false;
    }
    return true;
}

bool
soql_check_where(struct run *run)
{
    return !run->soql->where || check_condition(run, run->soql->where, NULL, 0);
}
