/*
 * The one user of PCRE2. Decides what a pattern may cost: its size, the text it is laid over, and
 * how often it may go back (the match limit). Each match is bounded by the limit, their number by
 * the length of the text, which is bounded itself; so no text takes longer than a fraction of a
 * second, and usual ones microseconds. No JIT: it needs memory that is both written and executed,
 * which hardened hosts forbid.
 */
#include "schema/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define MATCH_LIMIT    20000
#define HEAP_LIMIT_KIB 1024
#define NEST_LIMIT     32
#define RISK_LENGTH    200

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
    char *pattern, *with;
};

void
regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->limits);
    free(regex->pattern);
    free(regex->with);
    free(regex);
}

/* ---- compiling ---- */

/* The group that "$" in a replacement names: bytes after the "$", 0 if it names none there is. */
static size_t
group_length(const pcre2_code *code, const char *text)
{
    static const char digits[] = "0123456789";
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    bool braced = *text == '{';
    const char *name = text + (braced ? 1 : 0);
    bool number = strchr(digits, *name) && *name;
    size_t length = strspn(name, number ? digits : word);
    AUTO_FREE char *copy = strndup(name, length);
    uint32_t groups = 0;

    if (*text == '$')
        return 1;
    if (!copy || length == 0 || length > 32 || (braced && name[length] != '}'))
        return 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (number ? length > 3 || strtoul(copy, NULL, 10) > groups
               : pcre2_substring_number_from_name(code, (PCRE2_SPTR)copy) < 0)
        return 0;
    return length + (braced ? 2 : 0);
}

/* PCRE2 tells of a wrong replacement only when something matches. */
static int
check_with(const pcre2_code *code, const char *with, struct prov_error *err)
{
    for (const char *at = strchr(with, '$'); at; at = strchr(at, '$')) {
        size_t length = group_length(code, at + 1);
        if (length == 0)
            return error_set(err, PROV_E_INVALID,
                             "the '$' at position %zu names no group of the pattern; $1 is the "
                             "first group, ${name} one with a name, $$ a dollar",
                             (size_t)(at - with) + 1);
        at += 1 + length;
    }
    return PROV_OK;
}

static int
compile_code(const char *pattern, pcre2_code **ret, struct prov_error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_UCHAR why[160] = "";
    PCRE2_SIZE at = 0;
    int code = 0;

    if (!context)
        return error_nomem(err);
    pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    *ret = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    pcre2_compile_context_free(context);
    if (*ret)
        return PROV_OK;
    if (code == PCRE2_ERROR_NOMEMORY)
        return error_nomem(err);
    pcre2_get_error_message(code, why, sizeof(why));
    return error_set(err, PROV_E_INVALID, "not a regular expression, at position %zu: %s",
                     (size_t)at + 1, (const char *)why);
}

int
regex_compile(const char *pattern, const char *with, struct regex **ret, bool *ret_in_with,
              struct prov_error *err)
{
    CLEANUP(regex_cleanup) struct regex *regex = calloc(1, sizeof(*regex));
    uint32_t least = 0;
    int r;

    *ret_in_with = false;
    if (!regex)
        return error_nomem(err);
    if (strlen(pattern) > REGEX_MAX_PATTERN)
        return error_set(err, PROV_E_INVALID, "the regular expression is longer than %d bytes",
                         REGEX_MAX_PATTERN);
    r = compile_code(pattern, &regex->code, err);
    if (r)
        return r;
    pcre2_pattern_info(regex->code, PCRE2_INFO_MINLENGTH, &least);
    if (least > REGEX_MAX_TEXT)
        return error_set(err, PROV_E_INVALID,
                         "it can never match: it needs %u characters, and texts end at %d bytes",
                         (unsigned)least, REGEX_MAX_TEXT);
    *ret_in_with = true;
    r = with ? check_with(regex->code, with, err) : PROV_OK;
    if (r)
        return r;
    regex->limits = pcre2_match_context_create(NULL);
    regex->pattern = strdup(pattern);
    regex->with = strdup(with ? with : "$0");
    if (!regex->limits || !regex->pattern || !regex->with)
        return error_nomem(err);
    pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
    *ret = STEAL(regex);
    return PROV_OK;
}

/* ---- matching ---- */

static int
failed(const struct regex *regex, int code, struct prov_error *err)
{
    PCRE2_UCHAR why[160] = "";

    switch (code) {
    case PCRE2_ERROR_NOMEMORY:
        return error_set(err, PROV_E_LIMIT, "'%s' makes a text of more than %d bytes of it",
                         regex->pattern, REGEX_MAX_TEXT);
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return error_set(err, PROV_E_LIMIT,
                         "'%s' goes back and forth in it too often: make the pattern simpler",
                         regex->pattern);
    default:
        pcre2_get_error_message(code, why, sizeof(why));
        return error_set(err, PROV_E_LIMIT, "'%s' fails on it: %s", regex->pattern,
                         (const char *)why);
    }
}

/* *ret NULL: no match. */
static int
substitute(const struct regex *regex, const char *text, uint32_t options, char **ret,
           struct prov_error *err)
{
    pcre2_match_data *match = NULL;
    PCRE2_UCHAR made[REGEX_MAX_TEXT + 1];
    PCRE2_SIZE length = sizeof(made);
    int code;

    *ret = NULL;
    if (strlen(text) > REGEX_MAX_TEXT)
        return error_set(err, PROV_E_LIMIT, "is longer than the %d bytes that '%s' is tried on",
                         REGEX_MAX_TEXT, regex->pattern);
    match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    if (!match)
        return error_nomem(err);
    code = pcre2_substitute(regex->code, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0,
                            options | PCRE2_SUBSTITUTE_UNSET_EMPTY, match, regex->limits,
                            (PCRE2_SPTR)regex->with, PCRE2_ZERO_TERMINATED, made, &length);
    pcre2_match_data_free(match);
    if (code < 0)
        return failed(regex, code, err);
    if (code == 0)
        return PROV_OK;
    *ret = strndup((const char *)made, length);
    return *ret ? PROV_OK : error_nomem(err);
}

int
regex_replace(const struct regex *regex, const char *text, char **ret, struct prov_error *err)
{
    int r = substitute(regex, text, PCRE2_SUBSTITUTE_GLOBAL, ret, err);

    if (!r && !*ret)
        *ret = strdup(text);
    return r || *ret ? r : error_nomem(err);
}

int
regex_extract(const struct regex *regex, const char *text, char **ret, struct prov_error *err)
{
    return substitute(regex, text, PCRE2_SUBSTITUTE_REPLACEMENT_ONLY, ret, err);
}

char
regex_risk(const struct regex *regex)
{
    static const char common[] = "a0 .-";
    char tried[RISK_LENGTH + 1];
    bool seen[128] = { false };
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    char risky = '\0';

    /* repetitions of one character that end in another are what runaway patterns fail on */
    for (size_t i = 0; match && !risky && i < sizeof(common) - 1 + strlen(regex->pattern); i++) {
        char c = i < sizeof(common) - 1 ? common[i] : regex->pattern[i - (sizeof(common) - 1)];
        int code;
        if ((unsigned char)c >= 0x80 || seen[(unsigned char)c])
            continue;
        seen[(unsigned char)c] = true;
        memset(tried, c, RISK_LENGTH);
        tried[RISK_LENGTH] = '\x01';
        code = pcre2_match(regex->code, (PCRE2_SPTR)tried, RISK_LENGTH + 1, 0, 0, match,
                           regex->limits);
        if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT)
            risky = c;
    }
    pcre2_match_data_free(match);
    return risky;
}
