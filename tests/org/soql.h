/* SOQL as far as an org here understands it (2.10): the parsed form. */
#ifndef ORG_SOQL_H
#define ORG_SOQL_H

#include "tests/org/org.h"

enum literal_kind {
    LITERAL_NULL,
    LITERAL_BOOLEAN,
    LITERAL_STRING,
    LITERAL_NUMBER,
    LITERAL_DATE,
    LITERAL_DATETIME,
    LITERAL_SPAN /* TODAY, LAST_N_DAYS:3: time_ms up to, not including, end_ms */
};

struct literal {
    enum literal_kind kind;
    char *text; /* a string's value; for LIKE still with \% and \_ and \\ */
    double number;
    int64_t time_ms, end_ms;
    bool flag;
    size_t at;
};

enum operation {
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_LIKE,
    OP_IN,
    OP_NOT_IN,
    OP_INCLUDES,
    OP_EXCLUDES
};

struct path {
    char *text; /* "Profile.Name" */
    size_t at;
};

enum {
    MAX_PARENTS = 5
};

/* A path that was looked up: from the queried row over parents to a field. */
struct resolved {
    const struct field_facts *parents[MAX_PARENTS];
    size_t parent_count;
    const struct field_facts *field;
};

enum condition_kind {
    CONDITION_COMPARE,
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_NOT
};

struct condition {
    enum condition_kind kind;
    struct condition **parts; /* AND, OR, NOT */
    size_t part_count;
    struct path path;         /* COMPARE, and what follows */
    struct resolved resolved; /* filled when it is checked */
    enum operation operation;
    struct literal *literals;
    size_t literal_count;
    struct soql *subselect; /* IN (SELECT ...): its rows become literals when it is checked */
};

enum aggregate_function {
    AGGREGATE_COUNT,
    AGGREGATE_COUNT_DISTINCT,
    AGGREGATE_MIN,
    AGGREGATE_MAX
};

/* COUNT(Id) total: of the path of the same index. */
struct aggregate {
    enum aggregate_function function;
    char *alias; /* NULL: expr0, expr1, ... */
};

/* FIELDS(...) in a SELECT list. */
enum field_group {
    FIELDS_NONE,
    FIELDS_STANDARD,
    FIELDS_CUSTOM,
    FIELDS_ALL
};

struct order {
    struct path path;
    bool descending, nulls_last;
};

struct soql {
    const char *source; /* borrowed */
    bool count_rows;    /* COUNT() */
    struct path *paths;
    size_t path_count;
    struct aggregate *aggregates; /* none, or one a path */
    size_t aggregate_count;
    enum field_group group;
    struct path object;
    char *alias; /* of the object, or NULL */
    struct condition *where;
    struct order *orders;
    size_t order_count;
    int64_t limit; /* -1: none */
    int64_t offset;
};

/* A query that runs over an org. */
struct run {
    struct org *org;
    struct soql *soql;
    struct table *table;
    const char *version;
    bool with_deleted;
    bool nested; /* a subselect */
    int subselects;
    struct refusal *refusal;
};

/* False and *refusal for anything that is not SOQL as described in README.md. now_ms: what TODAY is
 * reckoned from. */
bool soql_parse(const char *source, int64_t now_ms, struct soql **ret, struct refusal *refusal);
void soql_free(struct soql *soql);

/* Refuses with Salesforce's excerpt, caret line and place before the text (2.10). */
PRINTF_LIKE(5, 6)
bool soql_refuse(const char *source, size_t at, struct refusal *refusal, const char *code,
                 const char *format, ...);

/* soql_dates.c: the span of a date literal; false for a word that is none. */
bool soql_date_span(const char *literal, int64_t now_ms, int64_t *ret_from_ms, int64_t *ret_to_ms);

/* soql_check.c: finds the object; expands FIELDS(); finds the fields of a SELECT list into paths (one
 * a path); finds the fields of WHERE and whether they may be compared so, ids in their long form. */
bool soql_find_object(struct run *run);
bool soql_expand(struct run *run);
bool soql_check_selected(struct run *run, struct resolved *paths);
bool soql_check_where(struct run *run);
bool soql_resolve(struct run *run, const struct path *path, struct resolved *ret);
/* soql_run.c: the ids a subselect finds, appended to the condition's literals. */
bool soql_run_subselect(struct run *run, struct condition *condition);
/* In SOQL an empty string and null are the same. */
bool soql_is_null(const struct literal *literal);

static inline void
soql_cleanup(struct soql **variable)
{
    soql_free(*variable);
}

#define AUTO_SOQL CLEANUP(soql_cleanup)

#endif
