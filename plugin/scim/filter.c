/*
 * Filters (RFC 7644 3.4.2.2): their syntax, and whether what they are laid over passes. A value
 * filter, inside the brackets of a path, names sub-attributes of one element; a filter over
 * resources names paths, and of several values one that passes is enough. Which attribute is
 * filtered, and what becomes of what passes, is decided by the callers.
 *
 * Strings compare without case, values of `value` included: the User schema marks nearly all of its
 * strings caseExact false (RFC 7643 8.7.1), and this room knows no other schema to ask.
 */
#include "plugin/scim/filter.h"

#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/scim/parts.h"
#include "plugin/scim/patch.h"
#include "plugin/scim/path.h"

/* Bounds the recursion of parser and evaluation, together with the length limit of a path. */
#define MAX_PARENTHESES 8
/* Bounds the work of one PATCH, together with SCIM_MAX_OPERATIONS. */
#define MAX_COMPARISONS 16
/* The same for a filter over resources, which an admin writes. */
#define RESOURCE_MAX_BYTES       4096
#define RESOURCE_MAX_COMPARISONS 64

enum kind {
    AND,
    OR,
    NOT,
    PRESENT,
    COMPARE
};
enum comparison {
    EQ,
    NE,
    CO,
    SW,
    EW,
    GT,
    GE,
    LT,
    LE
};

static const char *const comparison_names[] = {
    "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"
};

struct scim_filter {
    enum kind kind;
    struct scim_filter *left, *right; /* AND and OR have both, NOT the left one */
    char *name;                       /* what is compared: of an element its sub-attribute, */
    struct scim_path *path; /* of a resource the values at a path; the other one is NULL */
    enum comparison comparison;
    struct value *value; /* NULL: the literal null */
    struct pool pool;    /* where it is */
};

struct parser {
    const char *text;
    size_t at;
    bool over_resource;
    int depth, comparisons;
    struct prov_error *err;
};

void
scim_filter_free(struct scim_filter *filter)
{
    if (!filter)
        return;
    scim_filter_free(filter->left);
    scim_filter_free(filter->right);
    free(filter->name);
    scim_path_free(filter->path);
    pool_done(&filter->pool);
    free(filter);
}

static void
skip_blanks(struct parser *parser)
{
    parser->at += strspn(parser->text + parser->at, " \t");
}

static int
fail(const struct parser *parser, const char *why)
{
    if (parser->over_resource)
        return error_set(parser->err, PROV_E_INVALID,
                         "filter '%.*s' is not valid at position %zu: %s; a filter looks like "
                         "userType eq \"Employee\" and not (title co \"Trainee\")",
                         scim_shown_length(parser->text), parser->text, parser->at + 1, why);
    return scim_syntax_error(parser->text, parser->at, why, parser->err);
}

static int
fail_limit(const struct parser *parser, const char *what, int limit)
{
    return error_set(parser->err, PROV_E_LIMIT, "%s '%.*s' has more than %d %s: simplify %s",
                     parser->over_resource ? "filter" : "path", scim_shown_length(parser->text),
                     parser->text, limit, what, parser->over_resource ? "it" : "its filter");
}

/* Whether this word comes next, as a whole word. */
static bool
next_is(const struct parser *parser, const char *word)
{
    size_t length = strlen(word);

    return scim_name_length(parser->text + parser->at) == length &&
           ascii_compare_start(parser->text + parser->at, word, length) == 0;
}

/* Takes over left and right, also when it fails. */
static int
join(enum kind kind, struct scim_filter *left, struct scim_filter *right, struct scim_filter **ret,
     struct prov_error *err)
{
    struct scim_filter *filter = calloc(1, sizeof(*filter));

    if (!filter) {
        scim_filter_free(left);
        scim_filter_free(right);
        return error_nomem(err);
    }
    filter->kind = kind;
    filter->left = left;
    filter->right = right;
    *ret = filter;
    return PROV_OK;
}

/* Bytes of the JSON string or number that comes next; 0: none does. */
static size_t
literal_length(const char *text)
{
    size_t length = 1;

    if (text[0] != '"')
        return strspn(text, "0123456789+-.eE");
    while (text[length] != '"') {
        if (text[length] == '\\')
            length++;
        if (text[length] == '\0')
            return 0;
        length++;
    }
    return length + 1;
}

/* The literal after an operator, RFC 7159's, and True, False and Null as Entra ID writes them. */
static int
take_literal(struct parser *parser, struct pool *pool, struct value **ret)
{
    const char *text = parser->text + parser->at;
    size_t length = literal_length(text);
    bool is_true = next_is(parser, "true");
    int result = PROV_E_INVALID;

    if (is_true || next_is(parser, "false")) {
        length = scim_name_length(text);
        *ret = value_boolean(is_true);
        result = PROV_OK;
    } else if (next_is(parser, "null")) {
        length = scim_name_length(text);
        result = PROV_OK;
    } else if (length > 0) {
        result = value_parse(pool, text, length, "the filter's value", ret, NULL);
    }
    if (result == PROV_E_NOMEM)
        return error_nomem(parser->err);
    if (result != PROV_OK)
        return fail(parser, "a JSON string in double quotes, a number, true, false or null is "
                            "needed here");
    parser->at += length;
    return PROV_OK;
}

/* RFC 7644 3.4.2.2, table 3: which literals an operator takes. */
static const char *
unfit(enum comparison comparison, struct value *literal)
{
    bool is_string = value_is(literal, VALUE_TEXT);

    if (comparison >= CO && comparison <= EW && !is_string)
        return "co, sw and ew compare with a string";
    if (comparison >= GT && (!literal || value_is_boolean(literal)))
        return "gt, ge, lt and le compare with a string or a number";
    return NULL;
}

/* Bytes of the attribute path that comes next, its value filter included. */
static size_t
path_length(const char *text)
{
    bool inside = false, quoted = false;
    size_t length = 0;

    for (; text[length]; length++) {
        char c = text[length];
        if (quoted && c == '\\' && text[length + 1])
            length++;
        else if (c == '"' && inside)
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == ']'))
            inside = c == '[';
        else if (!inside && strchr(" \t()\"", c))
            break;
    }
    return length;
}

/* What is compared: a sub-attribute, or in a filter over resources a path. */
static int
take_operand(struct parser *parser, struct scim_filter *filter)
{
    const char *text = parser->text + parser->at;
    size_t length = parser->over_resource ? path_length(text) : scim_name_length(text);
    AUTO_FREE char *name = strndup(text, length);
    struct prov_error why = PROV_ERROR_INIT;
    int result = PROV_OK;

    if (!name)
        return error_nomem(parser->err);
    if (length == 0)
        return fail(parser, parser->over_resource ? "the name of an attribute is needed here"
                                                  : "the name of a sub-attribute is needed here");
    if (!parser->over_resource)
        filter->name = STEAL(name);
    else
        result = scim_path_parse(name, &filter->path, &why);
    if (result == PROV_E_NOMEM)
        return error_nomem(parser->err);
    if (result != PROV_OK)
        return error_set(parser->err, result, "filter '%.*s' is not valid at position %zu: %s",
                         scim_shown_length(parser->text), parser->text, parser->at + 1, why.text);
    parser->at += length;
    return PROV_OK;
}

/* `name pr` or `name operator literal`; of a resource also `name[value filter]` alone. The RFC's own
 * example leaves out the blank before a quote. */
static int
take_comparison(struct parser *parser, struct scim_filter **ret)
{
    CLEANUP(scim_filter_cleanup) struct scim_filter *filter = calloc(1, sizeof(*filter));
    size_t count = sizeof(comparison_names) / sizeof(comparison_names[0]), i = 0;
    int most = parser->over_resource ? RESOURCE_MAX_COMPARISONS : MAX_COMPARISONS;
    const char *why;
    int result;

    if (!filter)
        return error_nomem(parser->err);
    if (++parser->comparisons > most)
        return fail_limit(parser, "comparisons", most);
    result = take_operand(parser, filter);
    if (result != PROV_OK)
        return result;
    skip_blanks(parser);
    filter->kind = next_is(parser, "pr") ? PRESENT : COMPARE;
    while (filter->kind == COMPARE && i < count && !next_is(parser, comparison_names[i]))
        i++;
    if (i == count && filter->path && filter->path->filter && !filter->path->sub) {
        filter->kind = PRESENT;
        *ret = STEAL(filter);
        return PROV_OK;
    }
    if (i == count)
        return fail(parser, "eq, ne, co, sw, ew, gt, ge, lt, le or pr is needed here");
    parser->at += 2;
    skip_blanks(parser);
    if (filter->kind == COMPARE) {
        filter->comparison = (enum comparison)i;
        result = take_literal(parser, &filter->pool, &filter->value);
        if (result != PROV_OK)
            return result;
        why = unfit(filter->comparison, filter->value);
        if (why)
            return fail(parser, why);
    }
    *ret = STEAL(filter);
    return PROV_OK;
}

static int take_or(struct parser *parser, struct scim_filter **ret);

/* A comparison, or a filter in parentheses, perhaps negated. */
static int
take_term(struct parser *parser, struct scim_filter **ret)
{
    struct scim_filter *inner = NULL;
    size_t start = parser->at;
    bool negated = false;
    int result;

    if (next_is(parser, "not")) {
        parser->at += strlen("not");
        skip_blanks(parser);
        negated = parser->text[parser->at] == '(';
        if (!negated)
            parser->at = start; /* an attribute of that name */
    }
    if (parser->text[parser->at] != '(')
        return take_comparison(parser, ret);
    if (++parser->depth > MAX_PARENTHESES)
        return fail_limit(parser, "parentheses in each other", MAX_PARENTHESES);
    parser->at++;
    result = take_or(parser, &inner);
    if (result != PROV_OK)
        return result;
    if (parser->text[parser->at] != ')') {
        scim_filter_free(inner);
        return fail(parser, "')', 'and' or 'or' is needed here");
    }
    parser->depth--;
    parser->at++;
    if (negated)
        return join(NOT, inner, NULL, ret, parser->err);
    *ret = inner;
    return PROV_OK;
}

/* One or more of what `take` reads, joined by word. */
static int
take_joined(struct parser *parser, const char *word, enum kind kind,
            int (*take)(struct parser *, struct scim_filter **), struct scim_filter **ret)
{
    CLEANUP(scim_filter_cleanup) struct scim_filter *left = NULL;
    struct scim_filter *right = NULL;
    int result;

    skip_blanks(parser);
    result = take(parser, &left);
    if (result != PROV_OK)
        return result;
    for (skip_blanks(parser); next_is(parser, word); skip_blanks(parser)) {
        parser->at += strlen(word);
        skip_blanks(parser);
        result = take(parser, &right);
        if (result != PROV_OK)
            return result;
        result = join(kind, STEAL(left), right, &left, parser->err);
        if (result != PROV_OK)
            return result;
    }
    *ret = STEAL(left);
    return PROV_OK;
}

static int
take_and(struct parser *parser, struct scim_filter **ret)
{
    return take_joined(parser, "and", AND, take_term, ret);
}

/* `and` binds closer than `or` (RFC 7644 3.4.2.2). */
static int
take_or(struct parser *parser, struct scim_filter **ret)
{
    return take_joined(parser, "or", OR, take_and, ret);
}

int
scim_filter_parse(const char *text, size_t *position, struct scim_filter **ret,
                  struct prov_error *err)
{
    struct parser parser = { .text = text, .at = *position, .err = err };
    int result = take_or(&parser, ret);

    if (result == PROV_OK)
        *position = parser.at;
    return result;
}

int
scim_filter_compile(const char *text, struct scim_filter **ret, struct prov_error *err)
{
    struct parser parser = { .text = text, .over_resource = true, .err = err };
    CLEANUP(scim_filter_cleanup) struct scim_filter *filter = NULL;
    int result;

    if (strlen(text) > RESOURCE_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "filter '%.*s...' is longer than %d bytes: shorten it",
                         scim_shown_length(text), text, RESOURCE_MAX_BYTES);
    result = take_or(&parser, &filter);
    if (result == PROV_OK && text[parser.at] != '\0')
        result = fail(&parser, "'and', 'or' or the end of the filter is needed here");
    if (result == PROV_OK)
        *ret = STEAL(filter);
    return result;
}

/* A string, or the text of a boolean: hosts send primary as "True". NULL for other values. */
static const char *
comparable_text(struct value *value)
{
    if (value_is_boolean(value))
        return value_is(value, VALUE_TRUE) ? "true" : "false";
    return value_text(value);
}

/* Below, at or above zero as a stands before, at or behind b. False: they cannot be compared. */
static bool
order(struct value *a, struct value *b, int *ret)
{
    const char *left = comparable_text(a), *right = comparable_text(b);

    if (left && right) {
        *ret = ascii_compare(left, right);
        return true;
    }
    if (!value_is_number(a) || !value_is_number(b))
        return false;
    if (value_equal(a, b))
        *ret = 0;
    else
        *ret = value_real(a) < value_real(b) ? -1 : 1;
    return true;
}

static bool
text_matches(enum comparison comparison, const char *text, const char *part)
{
    size_t length = strlen(text), wanted = strlen(part);

    if (comparison == CO)
        return ascii_find(text, part) != NULL;
    if (wanted > length)
        return false;
    return ascii_compare_start(comparison == SW ? text : text + length - wanted, part, wanted) == 0;
}

/* An attribute that is not there equals null, and differs from everything else. */
static bool
compares(const struct scim_filter *filter, struct value *value)
{
    enum comparison comparison = filter->comparison;
    int difference;

    if (!scim_is_present(value) || !filter->value)
        return comparison == EQ   ? !scim_is_present(value) && !scim_is_present(filter->value)
               : comparison == NE ? scim_is_present(value) || scim_is_present(filter->value)
                                  : false;
    if (comparison >= CO && comparison <= EW) {
        const char *text = comparable_text(value);
        return text && text_matches(comparison, text, value_text(filter->value));
    }
    if (!order(value, filter->value, &difference))
        return comparison == NE;
    switch (comparison) {
    case EQ:
        return difference == 0;
    case NE:
        return difference != 0;
    case GT:
        return difference > 0;
    case GE:
        return difference >= 0;
    case LT:
        return difference < 0;
    default:
        return difference <= 0;
    }
}

/* One value at the path of a comparison, or NULL for none. */
static bool
value_passes(const struct scim_filter *filter, struct value *value)
{
    if (filter->kind == PRESENT)
        return scim_is_present(value);
    /* of a complex value without sub-attribute its `value` is meant (RFC 7644 3.4.2.2) */
    if (!filter->path->sub && value_is(value, VALUE_OBJECT))
        value = scim_element_part(value, "value");
    return compares(filter, value);
}

/* One of several values that passes is enough (RFC 7644 3.4.2.2). */
static bool
resource_passes(const struct scim_filter *filter, struct value *resource)
{
    const struct scim_path *path = filter->path;
    struct value *values;
    struct scim_place place;
    size_t count = 1, met = 0;

    scim_path_locate(path, resource, &place);
    values = place.value;
    /* who is not said to be inactive is active, here as everywhere */
    if (!values && place.attribute && !place.schema &&
        ascii_compare(place.attribute, "active") == 0)
        values = value_boolean(scim_is_active(resource));
    if (value_is(values, VALUE_ARRAY))
        count = value_count(values);
    for (size_t i = 0; i < count; i++) {
        struct value *value = value_is(values, VALUE_ARRAY) ? value_at(values, i) : values;
        if (path->filter && !(value && scim_filter_match(path->filter, value)))
            continue;
        met++;
        if (value_passes(filter, path->sub ? scim_element_part(value, path->sub) : value))
            return true;
    }
    return met == 0 && value_passes(filter, NULL);
}

const char *
scim_filter_stranger(const struct scim_filter *filter, const char *const **ret_known,
                     size_t *ret_count)
{
    const char *name = NULL;

    if (!filter)
        return NULL;
    if (filter->path)
        name = scim_path_stranger(filter->path, ret_known, ret_count);
    if (!name)
        name = scim_filter_stranger(filter->left, ret_known, ret_count);
    return name ? name : scim_filter_stranger(filter->right, ret_known, ret_count);
}

bool
scim_filter_match(const struct scim_filter *filter, struct value *element)
{
    if (filter->path)
        return resource_passes(filter, element);
    switch (filter->kind) {
    case AND:
        return scim_filter_match(filter->left, element) &&
               scim_filter_match(filter->right, element);
    case OR:
        return scim_filter_match(filter->left, element) ||
               scim_filter_match(filter->right, element);
    case NOT:
        return !scim_filter_match(filter->left, element);
    case PRESENT:
        return scim_is_present(scim_element_part(element, filter->name));
    default:
        return compares(filter, scim_element_part(element, filter->name));
    }
}

bool
scim_filter_describes(const struct scim_filter *filter)
{
    if (filter->kind == AND)
        return scim_filter_describes(filter->left) && scim_filter_describes(filter->right);
    return filter->kind == COMPARE && filter->comparison == EQ && filter->value &&
           ascii_compare(filter->name, "value") != 0 && ascii_compare(filter->name, "$ref") != 0;
}

/* Adds what a describing filter says to the element. */
static int
describe(struct pool *pool, const struct scim_filter *filter, struct value *element)
{
    int result;

    if (filter->kind == AND) {
        result = describe(pool, filter->left, element);
        return result == PROV_OK ? describe(pool, filter->right, element) : result;
    }
    return value_put(pool, element, filter->name, filter->value);
}

struct value *
scim_filter_element(struct pool *pool, const struct scim_filter *filter)
{
    struct value *element = value_object(pool);

    if (!element || !scim_filter_describes(filter) || describe(pool, filter, element) != PROV_OK)
        return NULL;
    return element;
}
