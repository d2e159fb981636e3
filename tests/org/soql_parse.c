/* SOQL text to its parsed form, by recursive descent over tokens that know their place. Decides
 * what is well formed (2.10): the escapes of strings, that AND and OR do not mix without
 * parentheses, sizes. Whether objects and fields exist is left to soql_run.c. */
#include "tests/org/soql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_SOQL_CHARACTERS = 100000, /* 2.10 */
    MAX_STRING_CHARACTERS = 4000, /* 2.10 */
    MAX_OFFSET = 2000,            /* 2.10 */
    MAX_FIELDS_LIMIT = 200,       /* 2.10 */
    MAX_NESTING = 50
};

enum token_kind {
    TOKEN_END,
    TOKEN_WORD, /* identifiers, keywords, paths */
    TOKEN_STRING,
    TOKEN_NUMBER, /* numbers, dates, datetimes */
    TOKEN_SIGN,
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    size_t at, length;
};

struct parser {
    const char *source;
    int64_t now_ms;
    struct token token; /* the one looked at */
    struct soql *soql;
    struct refusal *refusal;
    int nesting;
};

bool
soql_refuse(const char *source, size_t at, struct refusal *refusal, const char *code,
            const char *format, ...)
{
    AUTO_FREE char *why = NULL;
    unsigned row = 1, column = 1;
    size_t from = at > 40 ? at - 40 : 0, line_start = 0;
    va_list arguments;
    int length;

    for (size_t i = 0; i < at; i++) {
        column++;
        if (source[i] == '\n') {
            row++;
            column = 1;
            line_start = i + 1;
        }
    }
    if (from < line_start)
        from = line_start;
    while (from < at && ((unsigned char)source[from] & 0xC0) == 0x80)
        from++;
    va_start(arguments, format);
    length = vasprintf(&why, format, arguments);
    va_end(arguments);
    if (length < 0)
        why = text_copy(code);
    length = (int)strcspn(source + from, "\n");
    if (length > (int)(at - from) + 30)
        length = (int)(at - from) + 30;
    while (length > 0 && ((unsigned char)source[from + (size_t)length] & 0xC0) == 0x80)
        length--;
    return refuse(refusal, 400, code, NULL, "\n%.*s\n%*s^\nERROR at Row:%u:Column:%u\n%s", length,
                  source + from, (int)(at - from), "", row, column, why);
}

/* ---- tokens ---- */

static bool
in_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* The colon of LAST_N_DAYS:30. */
static bool
counts_units(const char *text)
{
    return text[0] == ':' && text[1] >= '0' && text[1] <= '9';
}

static size_t
string_length(const char *text)
{
    size_t length = 1;

    while (text[length] && text[length] != '\'')
        length += text[length] == '\\' && text[length + 1] ? 2 : 1;
    return text[length] ? length + 1 : 0;
}

static void
advance(struct parser *parser)
{
    const char *source = parser->source;
    size_t at = parser->token.at + parser->token.length;
    struct token *token = &parser->token;

    at += strspn(source + at, " \t\r\n");
    *token = (struct token){ TOKEN_BAD, at, 1 };
    if (!source[at]) {
        *token = (struct token){ TOKEN_END, at, 0 };
    } else if (source[at] == '\'') {
        token->length = string_length(source + at);
        token->kind = token->length ? TOKEN_STRING : TOKEN_BAD;
    } else if ((source[at] >= '0' && source[at] <= '9') || source[at] == '-' || source[at] == '+') {
        token->kind = TOKEN_NUMBER;
        while (in_word(source[at + token->length]) || strchr("+-:", source[at + token->length])) {
            if (!source[at + token->length])
                break;
            token->length++;
        }
    } else if (in_word(source[at]) && source[at] != '.') {
        token->kind = TOKEN_WORD;
        while (in_word(source[at + token->length]) || counts_units(source + at + token->length))
            token->length++;
    } else if (strchr("(),=<>!", source[at])) {
        token->kind = TOKEN_SIGN;
        if (strchr("<>!", source[at]) && source[at + 1] == '=')
            token->length = 2;
        if (source[at] == '<' && source[at + 1] == '>')
            token->length = 2;
    }
}

static bool
at_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_WORD && parser->token.length == strlen(word) &&
           strncasecmp(parser->source + parser->token.at, word, parser->token.length) == 0;
}

static bool
at_sign(const struct parser *parser, const char *sign)
{
    return parser->token.kind == TOKEN_SIGN && parser->token.length == strlen(sign) &&
           strncmp(parser->source + parser->token.at, sign, parser->token.length) == 0;
}

static bool
take_word(struct parser *parser, const char *word)
{
    if (!at_word(parser, word))
        return false;
    advance(parser);
    return true;
}

static bool
take_sign(struct parser *parser, const char *sign)
{
    if (!at_sign(parser, sign))
        return false;
    advance(parser);
    return true;
}

/* 6.2: "unexpected token: ..." */
static bool
unexpected(struct parser *parser)
{
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_END)
        return soql_refuse(parser->source, token->at, parser->refusal, "MALFORMED_QUERY",
                           "unexpected token: '<EOF>'");
    return soql_refuse(parser->source, token->at, parser->refusal, "MALFORMED_QUERY",
                       "unexpected token: '%.*s'", token->length ? (int)token->length : 1,
                       parser->source + token->at);
}

static bool
need_sign(struct parser *parser, const char *sign)
{
    return take_sign(parser, sign) || unexpected(parser);
}

static bool
is_keyword(const struct parser *parser)
{
    static const char *const keywords[] = { "SELECT", "FROM",  "WHERE",  "ORDER", "LIMIT",
                                            "OFFSET", "AND",   "OR",     "NOT",   "IN",
                                            "LIKE",   "GROUP", "HAVING", "NULLS" };

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (at_word(parser, keywords[i]))
            return true;
    }
    return false;
}

static bool
take_name(struct parser *parser, struct path *ret)
{
    const char *from = parser->source + parser->token.at;

    if (parser->token.kind != TOKEN_WORD)
        return unexpected(parser);
    ret->text = text_format("%.*s", (int)parser->token.length, from);
    ret->at = parser->token.at;
    advance(parser);
    return true;
}

static bool
take_path(struct parser *parser, struct path *ret)
{
    return is_keyword(parser) ? unexpected(parser) : take_name(parser, ret);
}

/* Behind FROM; Group is an object too. */
static bool
take_object(struct parser *parser, struct path *ret)
{
    return at_word(parser, "GROUP") ? take_name(parser, ret) : take_path(parser, ret);
}

/* ---- literals ---- */

static bool
take_unicode(struct parser *parser, size_t *at, struct text *value)
{
    char digits[5] = { 0 }, *end;
    unsigned long code_point;

    memcpy(digits, parser->source + *at, strnlen(parser->source + *at, 4));
    code_point = strtoul(digits, &end, 16);
    if (end != digits + 4 || code_point == 0 || (code_point >= 0xD800 && code_point <= 0xDFFF))
        return soql_refuse(parser->source, *at, parser->refusal, "MALFORMED_QUERY",
                           "illegal unicode escape in string");
    text_add_code_point(value, (uint32_t)code_point);
    *at += 4;
    return true;
}

/* 2.10: \\ \' \" \n \r \t \b \f \uXXXX, in LIKE also \% and \_; any other backslash is an error.
 * For LIKE the value keeps \%, \_ and \\, so that the pattern can tell them. */
static bool
decode_string(struct parser *parser, bool like, struct text *value)
{
    static const char from[] = "\\'\"nrtbfNRTBF", to[] = "\\'\"\n\r\t\b\f\n\r\t\b\f";
    const char *source = parser->source;
    size_t at = parser->token.at + 1, end = parser->token.at + parser->token.length - 1;

    text_add(value, "", 0);
    while (at < end) {
        char c = source[at++];
        if (c != '\\') {
            text_add(value, &c, 1);
            continue;
        }
        c = source[at++];
        if (like && (c == '%' || c == '_' || c == '\\')) {
            text_add(value, source + at - 2, 2);
        } else if (c == 'u' || c == 'U') {
            if (!take_unicode(parser, &at, value))
                return false;
        } else if (c && strchr(from, c)) {
            text_add(value, &to[strchr(from, c) - from], 1);
        } else {
            return soql_refuse(source, at - 2, parser->refusal, "MALFORMED_QUERY",
                               "Invalid string literal: illegal character sequence '\\%c' in "
                               "string literal",
                               c);
        }
    }
    if (text_units(value->data) > MAX_STRING_CHARACTERS)
        return soql_refuse(source, parser->token.at, parser->refusal, "MALFORMED_QUERY",
                           "string literal too long");
    return true;
}

static bool
number_literal(struct parser *parser, struct literal *ret)
{
    AUTO_FREE char *text =
        text_format("%.*s", (int)parser->token.length, parser->source + parser->token.at);
    char *end;

    if (time_parse(text, &ret->time_ms)) {
        ret->kind = LITERAL_DATETIME;
    } else if (date_parse(text, &ret->time_ms)) {
        ret->kind = LITERAL_DATE;
    } else {
        ret->kind = LITERAL_NUMBER;
        ret->number = strtod(text, &end);
        if (*end || end == text || strpbrk(text, "xXnNpP"))
            return unexpected(parser);
    }
    advance(parser);
    return true;
}

static bool
take_span(struct parser *parser, struct literal *ret)
{
    AUTO_FREE char *text =
        text_format("%.*s", (int)parser->token.length, parser->source + parser->token.at);

    if (parser->token.kind != TOKEN_WORD ||
        !soql_date_span(text, parser->now_ms, &ret->time_ms, &ret->end_ms))
        return unexpected(parser);
    ret->kind = LITERAL_SPAN;
    advance(parser);
    return true;
}

static bool
take_literal(struct parser *parser, bool like, struct literal *ret)
{
    AUTO_TEXT struct text value = { 0 };

    ret->at = parser->token.at;
    if (parser->token.kind == TOKEN_STRING) {
        if (!decode_string(parser, like, &value))
            return false;
        ret->kind = LITERAL_STRING;
        ret->text = STEAL(value.data);
        advance(parser);
        return true;
    }
    if (parser->token.kind == TOKEN_NUMBER)
        return number_literal(parser, ret);
    if (take_word(parser, "null")) {
        ret->kind = LITERAL_NULL;
        return true;
    }
    ret->kind = LITERAL_BOOLEAN;
    ret->flag = at_word(parser, "true");
    return take_word(parser, "true") || take_word(parser, "false") || take_span(parser, ret);
}

static struct literal *
add_literal(struct condition *condition)
{
    size_t count = condition->literal_count++;

    condition->literals =
        text_resize(condition->literals, (count + 1) * sizeof(*condition->literals));
    condition->literals[count] = (struct literal){ 0 };
    return &condition->literals[count];
}

/* ---- WHERE ---- */

static bool take_condition(struct parser *parser, struct condition **ret);
static bool take_subselect(struct parser *parser, struct condition *condition);

static void
condition_free(struct condition *condition)
{
    if (!condition)
        return;
    for (size_t i = 0; i < condition->part_count; i++)
        condition_free(condition->parts[i]);
    for (size_t i = 0; i < condition->literal_count; i++)
        free(condition->literals[i].text);
    free(condition->parts);
    free(condition->literals);
    free(condition->path.text);
    soql_free(condition->subselect);
    free(condition);
}

static void
condition_cleanup(struct condition **variable)
{
    condition_free(*variable);
}

#define AUTO_CONDITION CLEANUP(condition_cleanup)

static void
add_part(struct condition *condition, struct condition *part)
{
    condition->parts =
        text_resize(condition->parts, (condition->part_count + 1) * sizeof(struct condition *));
    condition->parts[condition->part_count++] = part;
}

static bool
take_operation(struct parser *parser, enum operation *ret)
{
    static const struct {
        const char *sign;
        enum operation operation;
    } signs[] = { { "=", OP_EQUAL },       { "!=", OP_NOT_EQUAL },     { "<>", OP_NOT_EQUAL },
                  { "<=", OP_LESS_EQUAL }, { ">=", OP_GREATER_EQUAL }, { "<", OP_LESS },
                  { ">", OP_GREATER } };
    static const struct {
        const char *word;
        enum operation operation;
    } words[] = { { "LIKE", OP_LIKE },
                  { "IN", OP_IN },
                  { "INCLUDES", OP_INCLUDES },
                  { "EXCLUDES", OP_EXCLUDES } };

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (take_sign(parser, signs[i].sign)) {
            *ret = signs[i].operation;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (take_word(parser, words[i].word)) {
            *ret = words[i].operation;
            return true;
        }
    }
    if (!take_word(parser, "NOT") || !take_word(parser, "IN"))
        return unexpected(parser);
    *ret = OP_NOT_IN;
    return true;
}

static bool
take_list(struct parser *parser, struct condition *condition)
{
    bool in = condition->operation == OP_IN || condition->operation == OP_NOT_IN;

    if (!need_sign(parser, "("))
        return false;
    if (in && at_word(parser, "SELECT"))
        return take_subselect(parser, condition) && need_sign(parser, ")");
    do {
        if (!take_literal(parser, false, add_literal(condition)))
            return false;
    } while (take_sign(parser, ","));
    return need_sign(parser, ")");
}

static bool
take_comparison(struct parser *parser, struct condition **ret)
{
    AUTO_CONDITION struct condition *condition = text_block(sizeof(*condition));
    bool taken;

    condition->kind = CONDITION_COMPARE;
    if (!take_path(parser, &condition->path) || !take_operation(parser, &condition->operation))
        return false;
    if (condition->operation >= OP_IN)
        taken = take_list(parser, condition);
    else
        taken = take_literal(parser, condition->operation == OP_LIKE, add_literal(condition));
    if (!taken)
        return false;
    *ret = STEAL(condition);
    return true;
}

static bool
take_unit(struct parser *parser, struct condition **ret)
{
    AUTO_CONDITION struct condition *not = NULL;
    struct condition *part = NULL;
    bool taken;

    if (parser->nesting >= MAX_NESTING)
        return unexpected(parser);
    parser->nesting++;
    if (take_word(parser, "NOT")) {
        not = text_block(sizeof(*not ));
        not ->kind = CONDITION_NOT;
        taken = take_unit(parser, &part);
        if (taken) {
            add_part(not, part);
            *ret = STEAL(not );
        }
    } else if (take_sign(parser, "(")) {
        taken = take_condition(parser, &part) && need_sign(parser, ")");
        if (taken)
            *ret = part;
        else
            condition_free(part);
    } else {
        taken = take_comparison(parser, ret);
    }
    parser->nesting--;
    return taken;
}

/* 2.10: mixing AND and OR needs parentheses. The other word ends the group, and no caller takes
 * it for anything. */
static bool
take_condition(struct parser *parser, struct condition **ret)
{
    AUTO_CONDITION struct condition *first = NULL;
    AUTO_CONDITION struct condition *group = NULL;
    const char *word;

    if (!take_unit(parser, &first))
        return false;
    if (!at_word(parser, "AND") && !at_word(parser, "OR")) {
        *ret = STEAL(first);
        return true;
    }
    word = at_word(parser, "AND") ? "AND" : "OR";
    group = text_block(sizeof(*group));
    group->kind = *word == 'A' ? CONDITION_AND : CONDITION_OR;
    add_part(group, STEAL(first));
    while (take_word(parser, word)) {
        struct condition *part = NULL;
        if (!take_unit(parser, &part))
            return false;
        add_part(group, part);
    }
    *ret = STEAL(group);
    return true;
}

/* ---- the clauses ---- */

static struct path *
add_path(struct soql *soql)
{
    soql->paths = text_resize(soql->paths, (soql->path_count + 1) * sizeof(*soql->paths));
    soql->paths[soql->path_count] = (struct path){ 0 };
    return &soql->paths[soql->path_count++];
}

/* A name behind COUNT(Id), or behind the object in FROM; NULL when none stands there. */
static char *
take_alias(struct parser *parser)
{
    char *alias;

    if (parser->token.kind != TOKEN_WORD || is_keyword(parser))
        return NULL;
    alias = text_format("%.*s", (int)parser->token.length, parser->source + parser->token.at);
    advance(parser);
    return alias;
}

/* After "COUNT(" was seen. */
static bool
take_aggregate(struct parser *parser, enum aggregate_function function)
{
    struct soql *soql = parser->soql;

    if (function == AGGREGATE_COUNT && soql->path_count == 0 && take_sign(parser, ")")) {
        soql->count_rows = true;
        return true;
    }
    soql->aggregates =
        text_resize(soql->aggregates, (soql->aggregate_count + 1) * sizeof(*soql->aggregates));
    soql->aggregates[soql->aggregate_count++] = (struct aggregate){ function, NULL };
    if (!take_path(parser, add_path(soql)) || !need_sign(parser, ")"))
        return false;
    soql->aggregates[soql->aggregate_count - 1].alias = take_alias(parser);
    return true;
}

/* After "FIELDS(" was seen. */
static bool
take_group(struct parser *parser)
{
    static const char *const names[] = { "STANDARD", "CUSTOM", "ALL" };

    for (size_t i = 0; parser->soql->group == FIELDS_NONE && i < 3; i++) {
        if (take_word(parser, names[i])) {
            parser->soql->group = (enum field_group)(FIELDS_STANDARD + i);
            return need_sign(parser, ")");
        }
    }
    return unexpected(parser);
}

/* Without GROUP BY aggregates do not stand beside fields. */
static bool
take_selected(struct parser *parser)
{
    static const char *const functions[] = { "COUNT", "COUNT_DISTINCT", "MIN", "MAX" };
    struct soql *soql = parser->soql;
    struct path path = { 0 };
    struct token token = parser->token;

    if (!take_path(parser, &path))
        return false;
    if (!at_sign(parser, "(")) {
        *add_path(soql) = path;
        if (!soql->aggregate_count)
            return true;
        parser->token = token;
        return unexpected(parser);
    }
    AUTO_FREE char *function = path.text;
    advance(parser);
    if (strcasecmp(function, "FIELDS") == 0 && !soql->aggregate_count)
        return take_group(parser);
    for (size_t i = 0; soql->path_count == soql->aggregate_count && i < 4; i++) {
        if (strcasecmp(function, functions[i]) == 0)
            return take_aggregate(parser, (enum aggregate_function)i);
    }
    parser->token = token;
    return unexpected(parser);
}

static bool
take_select(struct parser *parser)
{
    if (!take_word(parser, "SELECT"))
        return unexpected(parser);
    do {
        if (!take_selected(parser))
            return false;
    } while (!parser->soql->count_rows && take_sign(parser, ","));
    if (!take_word(parser, "FROM"))
        return unexpected(parser);
    if (!take_object(parser, &parser->soql->object))
        return false;
    parser->soql->alias = take_alias(parser);
    return !take_word(parser, "WHERE") || take_condition(parser, &parser->soql->where);
}

/* A subselect has no ORDER BY, LIMIT or OFFSET; what else it may not is left to soql_check.c. */
static bool
take_subselect(struct parser *parser, struct condition *condition)
{
    struct soql *outer = parser->soql;
    bool taken;

    condition->subselect = text_block(sizeof(struct soql));
    condition->subselect->source = parser->source;
    condition->subselect->limit = -1;
    parser->soql = condition->subselect;
    taken = take_select(parser);
    parser->soql = outer;
    return taken;
}

static bool
take_orders(struct parser *parser)
{
    struct soql *soql = parser->soql;

    do {
        struct order *order;
        soql->orders = text_resize(soql->orders, (soql->order_count + 1) * sizeof(*soql->orders));
        order = &soql->orders[soql->order_count++];
        *order = (struct order){ 0 };
        if (!take_path(parser, &order->path))
            return false;
        order->descending = take_word(parser, "DESC");
        if (!order->descending)
            take_word(parser, "ASC");
        order->nulls_last = false; /* the SOQL reference: null values are sorted first */
        if (!take_word(parser, "NULLS"))
            continue;
        order->nulls_last = take_word(parser, "LAST");
        if (!order->nulls_last && !take_word(parser, "FIRST"))
            return unexpected(parser);
    } while (take_sign(parser, ","));
    return true;
}

static bool
take_count_number(struct parser *parser, int64_t *ret)
{
    const char *from = parser->source + parser->token.at;

    if (parser->token.kind != TOKEN_NUMBER || parser->token.length > 9 ||
        strspn(from, "0123456789") < parser->token.length)
        return unexpected(parser);
    *ret = strtoll(from, NULL, 10);
    advance(parser);
    return true;
}

static bool
take_tail(struct parser *parser)
{
    struct soql *soql = parser->soql;
    size_t at;

    if (take_word(parser, "ORDER") &&
        (!(take_word(parser, "BY") || unexpected(parser)) || !take_orders(parser)))
        return false;
    if (take_word(parser, "LIMIT") && !take_count_number(parser, &soql->limit))
        return false;
    at = parser->token.at;
    if (take_word(parser, "OFFSET") && !take_count_number(parser, &soql->offset))
        return false;
    if (parser->token.kind != TOKEN_END)
        return unexpected(parser);
    if (soql->aggregate_count && (soql->order_count || soql->limit >= 0 || soql->offset))
        return refuse(parser->refusal, 400, "MALFORMED_QUERY", NULL,
                      "Non-grouped query that uses overall aggregate functions cannot also use %s",
                      soql->order_count  ? "ORDER BY"
                      : soql->limit >= 0 ? "LIMIT"
                                         : "OFFSET");
    if (soql->group > FIELDS_STANDARD && (soql->limit < 0 || soql->limit > MAX_FIELDS_LIMIT))
        return refuse(parser->refusal, 400, "MALFORMED_QUERY", NULL,
                      "The SOQL FIELDS function must have a LIMIT of at most %d", MAX_FIELDS_LIMIT);
    if (soql->offset > MAX_OFFSET)
        return soql_refuse(parser->source, at, parser->refusal, "NUMBER_OUTSIDE_VALID_RANGE",
                           "Maximum SOQL offset allowed is %d", MAX_OFFSET);
    return true;
}

void
soql_free(struct soql *soql)
{
    if (!soql)
        return;
    for (size_t i = 0; i < soql->path_count; i++)
        free(soql->paths[i].text);
    for (size_t i = 0; i < soql->order_count; i++)
        free(soql->orders[i].path.text);
    condition_free(soql->where);
    for (size_t i = 0; i < soql->aggregate_count; i++)
        free(soql->aggregates[i].alias);
    free(soql->aggregates);
    free(soql->alias);
    free(soql->paths);
    free(soql->orders);
    free(soql->object.text);
    free(soql);
}

bool
soql_parse(const char *source, int64_t now_ms, struct soql **ret, struct refusal *refusal)
{
    AUTO_SOQL struct soql *soql = text_block(sizeof(*soql));
    struct parser parser = { .source = source, .now_ms = now_ms, .soql = soql, .refusal = refusal };

    if (text_units(source) > MAX_SOQL_CHARACTERS)
        return refuse(refusal, 400, "MALFORMED_QUERY", NULL,
                      "SOQL statements can not be longer than %d characters", MAX_SOQL_CHARACTERS);
    soql->source = source;
    soql->limit = -1;
    advance(&parser);
    if (!take_select(&parser) || !take_tail(&parser))
        return false;
    *ret = STEAL(soql);
    return true;
}
