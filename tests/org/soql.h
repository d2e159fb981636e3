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
    LITERAL_DATETIME
};

struct literal {
    enum literal_kind kind;
    char *text; /* a string's value; for LIKE still with \% and \_ and \\ */
    double number;
    int64_t time_ms;
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
    OP_NOT_IN
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
};

struct order {
    struct path path;
    bool descending, nulls_last;
};

struct soql {
    const char *source; /* borrowed */
    bool count_rows;    /* COUNT() */
    char *count_field;  /* COUNT(Field) */
    struct path *paths;
    size_t path_count;
    struct path object;
    struct condition *where;
    struct order *orders;
    size_t order_count;
    int64_t limit; /* -1: none */
    int64_t offset;
};

/* False and *refusal for anything that is not SOQL as described in README.md. */
bool soql_parse(const char *source, struct soql **ret, struct refusal *refusal);
void soql_free(struct soql *soql);

/* Refuses with Salesforce's excerpt, caret line and place before the text (2.10). */
PRINTF_LIKE(5, 6)
bool soql_refuse(const char *source, size_t at, struct refusal *refusal, const char *code,
                 const char *format, ...);

static inline void
soql_cleanup(struct soql **variable)
{
    soql_free(*variable);
}

#define AUTO_SOQL CLEANUP(soql_cleanup)

#endif
