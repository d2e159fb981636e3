/* Brings one value into the form that its Salesforce field takes, or says why it has none. Decides
 * kinds, lengths and spelling; where the value comes from is decided by mapping.c, and whether a
 * picklist has it by the org. */
#include "schema/mapping_rule.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "schema/letters.h"
#include "schema/locale.h"
#include "schema/moment.h"
#include "schema/number.h"

#define HOST_REMEDY "correct it at the host, or bring it into form with \"steps\""

#ifdef __clang_analyzer__ /* what it cannot see from elsewhere: it is never 0 */
#    define refuse(...) (value_problem_set(__VA_ARGS__), PROV_E_INVALID)
#else
#    define refuse value_problem_set
#endif

/* The start of a value, for a message. */
#define SHOWN_CHARACTERS 24
#define SHOWN_SIZE       (4 * SHOWN_CHARACTERS + 1)

static const char *
start_of(const char *text, char shown[SHOWN_SIZE])
{
    snprintf(shown, SHOWN_SIZE, "%s", text);
    letters_cut(shown, SHOWN_CHARACTERS); /* also drops a character that the copy cut in two */
    return shown;
}

bool
mapping_may_truncate(const struct mapping_rule *rule)
{
    return rule->kind == USER_FIELD_STRING || rule->kind == USER_FIELD_PHONE ||
           rule->kind == USER_FIELD_TEXT;
}

bool
mapping_rule_bind(struct mapping_rule *rule, const char *field)
{
    const struct user_field *fact = user_field_find(field);

    rule->fact = fact;
    if (fact) {
        rule->kind = fact->kind;
        rule->max_characters = fact->max_characters;
        return true;
    }
    rule->kind = user_field_is_switch(field) ? USER_FIELD_BOOLEAN : USER_FIELD_ANY;
    return rule->kind == USER_FIELD_BOOLEAN || user_field_is_custom(field);
}

/* Entra ID sends booleans as strings, in any case. */
static int
boolean_value(const char *text, struct value **ret, struct value_problem *problem)
{
    char shown[SHOWN_SIZE];

    if (ascii_compare(text, "true") != 0 && ascii_compare(text, "false") != 0)
        return refuse(problem, HOST_REMEDY, "takes true or false, the value is '%s'",
                      start_of(text, shown));
    *ret = value_boolean(ascii_compare(text, "true") == 0);
    return PROV_OK;
}

static int
number_value(struct pool *pool, const struct mapping_rule *rule, const char *given,
             struct value **ret, const char **ret_note, struct value_problem *problem)
{
    size_t length = strlen(given);
    char *text = pool_text(pool, given, length);
    char form[NUMBER_SIZE], shown[SHOWN_SIZE];
    bool rounded;
    enum number_fault fault;

    if (!text)
        return PROV_E_NOMEM;
    if (rule->kind == USER_FIELD_PERCENT && text[length - 1] == '%')
        text[--length] = '\0';
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    fault = number_form(text, rule->precision, rule->scale, form, &rounded);
    if (fault == NUMBER_NONE)
        return refuse(problem, HOST_REMEDY,
                      "takes a number in digits with a decimal point, the value is '%s'",
                      start_of(text, shown));
    if (fault == NUMBER_LARGE)
        return refuse(problem, HOST_REMEDY,
                      "has %zu digits before the decimal point, the value '%s' has more",
                      rule->precision - rule->scale, start_of(text, shown));
    *ret_note = rounded ? "rounded" : NULL;
    *ret = value_number(pool, form);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

static int
moment_value(struct pool *pool, const struct mapping_rule *rule, const char *text,
             struct value **ret, const char **ret_note, struct value_problem *problem)
{
    bool day = rule->kind == USER_FIELD_DATE;
    char form[MOMENT_SIZE], shown[SHOWN_SIZE];

    if (!(day ? moment_date(text, form) : moment_datetime(text, form)))
        return refuse(problem, HOST_REMEDY,
                      "takes a %s such as %s, of the years 1700 to 4000, the value is '%s'",
                      day ? "date" : "date and time", day ? "2026-05-01" : "2026-05-01T09:30:00Z",
                      start_of(text, shown));
    *ret_note = strcmp(form, text) == 0 ? NULL : "in Salesforce's spelling";
    *ret = value_string(pool, form);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

/* Only what cannot be an address: Salesforce decides what is one. */
static bool
may_be_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at && at > text && at[1] && !strpbrk(text, " \t\r\n,;<>\"") && !strchr(at + 1, '@');
}

static bool
may_be_id(const char *text)
{
    size_t length = strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    return !text[length] && (length == 15 || length == 18);
}

/* Names of profiles and roles: 255 and 80 are unsure, and what is too long is not found. */
#define NAME_MAX_CHARACTERS 255

static int
check_form(const struct mapping_rule *rule, const char *text, struct value_problem *problem)
{
    bool by_name = rule->fact && rule->fact->names;
    char shown[SHOWN_SIZE];

    if (rule->kind == USER_FIELD_REFERENCE && !by_name && !may_be_id(text))
        return refuse(problem, "give the Id of the record",
                      "takes a Salesforce Id of 15 or 18 characters, the value is '%s'",
                      start_of(text, shown));
    if (rule->kind == USER_FIELD_EMAIL && !may_be_email(text))
        return refuse(problem, HOST_REMEDY, "takes an e-mail address, the value is '%s'",
                      start_of(text, shown));
    if (rule->kind == USER_FIELD_URL && strpbrk(text, " \t\r\n"))
        return refuse(problem, HOST_REMEDY, "takes an address of the web, the value is '%s'",
                      start_of(text, shown));
    return PROV_OK;
}

static int
check_length(const struct mapping_rule *rule, const char *text, struct value_problem *problem)
{
    bool by_name = rule->fact && rule->fact->names;
    size_t most = by_name ? NAME_MAX_CHARACTERS : rule->max_characters, count;
    char remedy[160] = "shorten it at the host, or with \"steps\"";
    char shown[SHOWN_SIZE];

    if (most == 0 || strlen(text) <= most) /* a character has at least a byte */
        return PROV_OK;
    count = letters_units(text);
    if (count <= most)
        return PROV_OK;
    if (mapping_may_truncate(rule))
        snprintf(remedy, sizeof(remedy),
                 "shorten it at the host, or set \"too_long\": \"truncate\" in the mapping rule of "
                 "'%s'",
                 rule->field);
    return refuse(problem, remedy, "takes at most %zu characters, the value has %zu ('%s...')",
                  most, count, start_of(text, shown));
}

/* Takes over text; NULL, with which it may be called, is out of memory. */
static const char *
keep(struct pool *pool, char *text)
{
    AUTO_FREE char *owned = text;

    return owned ? pool_text(pool, owned, strlen(owned)) : NULL;
}

/* In Salesforce's spelling, where the field has one: the same text, or one in the pool. NULL: out of
 * memory. */
static const char *
respelled(struct pool *pool, const struct mapping_rule *rule, const char *text)
{
    if (rule->fact && strcmp(rule->fact->name, "LocaleSidKey") == 0)
        return keep(pool, locale_key(text));
    if (rule->fact && strcmp(rule->fact->name, "LanguageLocaleKey") == 0)
        return keep(pool, language_key(text));
    /* a telephone number of SCIM may be a URI (RFC 7643 4.1.2, RFC 3966), which Salesforce would show */
    if (rule->kind == USER_FIELD_PHONE && ascii_compare_start(text, "tel:", 4) == 0)
        return text + 4;
    return text;
}

/* Cut to the length of the field: in the pool. NULL: out of memory. */
static const char *
cut(struct pool *pool, const struct mapping_rule *rule, const char *text)
{
    char *copy = pool_text(pool, text, strlen(text));

    if (!copy)
        return NULL;
    letters_cut_units(copy, rule->max_characters);
    return keep(pool,
                letters_trim(copy)); /* the cut may have bared a blank, which Salesforce drops */
}

static int
text_value(struct pool *pool, const struct mapping_rule *rule, struct value *value,
           const char *text, struct value **ret, const char **ret_note,
           struct value_problem *problem)
{
    const char *shaped = respelled(pool, rule, text);
    int result;

    if (shaped && strcmp(shaped, text) != 0)
        *ret_note = "in Salesforce's spelling";
    if (shaped && rule->truncate && letters_units(shaped) > rule->max_characters) {
        shaped = cut(pool, rule, shaped);
        *ret_note = "cut to the length of the field";
    }
    if (!shaped)
        return PROV_E_NOMEM;
    if (!*shaped)
        return PROV_OK;
    result = check_form(rule, shaped, problem);
    if (!result)
        result = check_length(rule, shaped, problem);
    if (result)
        return result;
    *ret = shaped == value_text(value) ? value : value_string(pool, shaped);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

/* ---- several values ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The parts of a text between semicolons, appended as texts. */
static int
add_choices(struct pool *pool, struct value *choices, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ";");
        AUTO_FREE char *part = strndup(text, length);
        AUTO_FREE char *choice = part ? letters_trim(part) : NULL;
        if (!choice)
            return PROV_E_NOMEM;
        if (*choice && value_append_text(pool, choices, choice))
            return PROV_E_NOMEM;
        text += length + (text[length] ? 1 : 0);
    }
    return PROV_OK;
}

/* Sorted, each once: SCIM gives them in any order, and another order is no change. NULL: out of
 * memory. */
static char *
join_choices(struct value *choices)
{
    size_t count = value_count(choices), size = 0;
    AUTO_FREE const char **sorted = calloc(count + 1, sizeof(*sorted));
    char *joined = NULL;
    FILE *out = sorted ? open_memstream(&joined, &size) : NULL;

    if (!out)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = value_text(value_at(choices, i));
    qsort(sorted, count, sizeof(*sorted), compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0)
            fprintf(out, "%s%s", i ? ";" : "", sorted[i]);
    }
    if (fclose(out) == 0)
        return joined;
    free(joined);
    return NULL;
}

/* ---- any value ---- */

/* The text of a scalar, trimmed: its own, or in the pool. PROV_E_INVALID for one that has none. */
static int
text_of(struct pool *pool, const struct value *value, const char **ret,
        struct value_problem *problem)
{
    if (!value || !value_is_scalar(value))
        return refuse(problem,
                      "let the rule's source lead to one attribute, such as 'name.familyName'",
                      "takes one value, the source leads to several or to none");
    if (value_has_nul(value))
        return refuse(problem, "correct it at the host",
                      "takes text, the value holds a NUL character");
    *ret = value_spelling(value);
    if (!letters_is_trimmed(*ret))
        *ret = keep(pool, letters_trim(*ret));
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

static int
choices_value(struct pool *pool, const struct mapping_rule *rule, struct value *value,
              struct value **ret, struct value_problem *problem)
{
    struct value *choices = value_array(pool);
    AUTO_FREE char *joined = NULL;
    bool list = value_is(value, VALUE_ARRAY);
    size_t count = list ? value_count(value) : 1;
    int r = choices ? PROV_OK : PROV_E_NOMEM;

    for (size_t i = 0; !r && i < count; i++) {
        const char *text = NULL;
        r = text_of(pool, list ? value_at(value, i) : value, &text, problem);
        if (!r)
            r = add_choices(pool, choices, text);
    }
    if (r || value_count(choices) == 0)
        return r;
    joined = join_choices(choices);
    if (!joined)
        return PROV_E_NOMEM;
    r = check_length(rule, joined, problem);
    if (r)
        return r;
    *ret = value_string(pool, joined);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

int
mapping_value(struct pool *pool, const struct mapping_rule *rule, struct value *value,
              struct value **ret, const char **ret_note, struct value_problem *problem)
{
    const char *text = NULL;
    int result;

    *ret = NULL;
    *ret_note = NULL;
    if (rule->kind == USER_FIELD_MULTI_PICKLIST)
        return choices_value(pool, rule, value, ret, problem);
    result = text_of(pool, value, &text, problem);
    if (result || !*text)
        return result;
    switch (rule->kind) {
    case USER_FIELD_BOOLEAN:
        return boolean_value(text, ret, problem);
    case USER_FIELD_NUMBER:
    case USER_FIELD_CURRENCY:
    case USER_FIELD_PERCENT:
        return number_value(pool, rule, text, ret, ret_note, problem);
    case USER_FIELD_DATE:
    case USER_FIELD_DATETIME:
        return moment_value(pool, rule, text, ret, ret_note, problem);
    case USER_FIELD_ANY:
        if (!value_is(value, VALUE_TEXT)) {
            *ret = value;
            return PROV_OK;
        }
        return text_value(pool, rule, value, text, ret, ret_note, problem);
    default:
        return text_value(pool, rule, value, text, ret, ret_note, problem);
    }
}
