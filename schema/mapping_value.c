/* Brings one value into the form that its Salesforce field takes, or says why it has none. Decides
 * kinds, lengths and spelling; where the value comes from is decided by mapping.c, and whether a
 * picklist has it by the org. */
#include "schema/mapping_rule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema/letters.h"
#include "schema/locale.h"
#include "schema/moment.h"
#include "schema/number.h"

#define HOST_REMEDY "correct it at the host, or bring it into form with \"steps\""

#define refuse value_problem_set

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
boolean_value(const char *text, struct json_object **ret, struct value_problem *problem)
{
    char shown[SHOWN_SIZE];

    if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return refuse(problem, HOST_REMEDY, "takes true or false, the value is '%s'",
                      start_of(text, shown));
    *ret = json_object_new_boolean(strcasecmp(text, "true") == 0);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

static int
number_value(const struct mapping_rule *rule, char *text, struct json_object **ret,
             const char **ret_note, struct value_problem *problem)
{
    size_t length = strlen(text);
    char form[NUMBER_SIZE], shown[SHOWN_SIZE];
    bool rounded;
    enum number_fault fault;

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
    /* the text keeps what a double would lose */
    *ret = strchr(form, '.') ? json_object_new_double_s(strtod(form, NULL), form)
                             : json_object_new_int64(strtoll(form, NULL, 10));
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

static int
moment_value(const struct mapping_rule *rule, const char *text, struct json_object **ret,
             const char **ret_note, struct value_problem *problem)
{
    bool day = rule->kind == USER_FIELD_DATE;
    char form[MOMENT_SIZE], shown[SHOWN_SIZE];

    if (!(day ? moment_date(text, form) : moment_datetime(text, form)))
        return refuse(problem, HOST_REMEDY,
                      "takes a %s such as %s, of the years 1700 to 4000, the value is '%s'",
                      day ? "date" : "date and time", day ? "2026-05-01" : "2026-05-01T09:30:00Z",
                      start_of(text, shown));
    *ret_note = strcmp(form, text) == 0 ? NULL : "in Salesforce's spelling";
    *ret = json_object_new_string(form);
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
    size_t count = letters_count(text);
    size_t most = by_name ? NAME_MAX_CHARACTERS : rule->max_characters;
    char remedy[160] = "shorten it at the host, or with \"steps\"";
    char shown[SHOWN_SIZE];

    if (most == 0 || count <= most)
        return PROV_OK;
    if (mapping_may_truncate(rule))
        snprintf(remedy, sizeof(remedy),
                 "shorten it at the host, or set \"too_long\": \"truncate\" in the mapping rule of "
                 "'%s'",
                 rule->field);
    return refuse(problem, remedy, "takes at most %zu characters, the value has %zu ('%s...')",
                  most, count, start_of(text, shown));
}

/* A telephone number of SCIM may be a URI (RFC 7643 4.1.2, RFC 3966); Salesforce shows it as it is.
 */
static char *
without_tel(const char *number)
{
    return strdup(strncasecmp(number, "tel:", 4) == 0 ? number + 4 : number);
}

/* In Salesforce's spelling, where the field has one. Takes over text; NULL when out of memory. */
static char *
respelled(const struct mapping_rule *rule, char *text, const char **ret_note)
{
    AUTO_FREE char *given = text;
    char *key;

    if (rule->fact && strcmp(rule->fact->name, "LocaleSidKey") == 0)
        key = locale_key(given);
    else if (rule->fact && strcmp(rule->fact->name, "LanguageLocaleKey") == 0)
        key = language_key(given);
    else if (rule->kind == USER_FIELD_PHONE)
        key = without_tel(given);
    else
        return STEAL(given);
    if (key && strcmp(key, given) != 0)
        *ret_note = "in Salesforce's spelling";
    return key;
}

/* Cuts what is too long, if the rule says so. Takes over text; NULL when out of memory. */
static char *
cut(const struct mapping_rule *rule, char *text, const char **ret_note)
{
    AUTO_FREE char *given = text;

    if (!rule->truncate || letters_count(given) <= rule->max_characters)
        return STEAL(given);
    letters_cut(given, rule->max_characters);
    *ret_note = "cut to the length of the field";
    return letters_trim(given); /* the cut may have bared a blank, which Salesforce drops */
}

static int
text_value(const struct mapping_rule *rule, char *text, struct json_object **ret,
           const char **ret_note, struct value_problem *problem)
{
    AUTO_FREE char *shaped = respelled(rule, strdup(text), ret_note);
    int result;

    if (shaped)
        shaped = cut(rule, STEAL(shaped), ret_note);
    if (!shaped)
        return PROV_E_NOMEM;
    if (!*shaped)
        return PROV_OK;
    result = check_form(rule, shaped, problem);
    if (!result)
        result = check_length(rule, shaped, problem);
    if (result)
        return result;
    *ret = json_object_new_string(shaped);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

/* ---- several values ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The parts of a text between semicolons, appended as strings. */
static int
add_choices(struct json_object *choices, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ";");
        AUTO_FREE char *part = strndup(text, length);
        AUTO_FREE char *choice = part ? letters_trim(part) : NULL;
        if (!choice)
            return PROV_E_NOMEM;
        if (*choice && json_append_string(choices, choice))
            return PROV_E_NOMEM;
        text += length + (text[length] ? 1 : 0);
    }
    return PROV_OK;
}

/* Sorted, each once: SCIM gives them in any order, and another order is no change. NULL: out of
 * memory. */
static char *
join_choices(struct json_object *choices)
{
    size_t count = json_object_array_length(choices), size = 0;
    AUTO_FREE const char **sorted = calloc(count + 1, sizeof(*sorted));
    char *joined = NULL;
    FILE *out = sorted ? open_memstream(&joined, &size) : NULL;

    if (!out)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_object_get_string(json_object_array_get_idx(choices, i));
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

static bool
is_scalar(struct json_object *value)
{
    return value && !json_object_is_type(value, json_type_object) &&
           !json_object_is_type(value, json_type_array);
}

/* The text of a scalar, trimmed: heap. PROV_E_INVALID for one that has none. */
static int
text_of(struct json_object *value, char **ret, struct value_problem *problem)
{
    AUTO_FREE char *plain = NULL;

    if (!is_scalar(value))
        return refuse(problem,
                      "let the rule's source lead to one attribute, such as 'name.familyName'",
                      "takes one value, the source leads to several or to none");
    plain = json_object_is_type(value, json_type_string) ? strdup(json_object_get_string(value))
                                                         : json_text(value);
    if (!plain)
        return PROV_E_NOMEM;
    if (json_object_is_type(value, json_type_string) &&
        strlen(plain) != (size_t)json_object_get_string_len(value))
        return refuse(problem, "correct it at the host",
                      "takes text, the value holds a NUL character");
    *ret = letters_trim(plain);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

static int
choices_value(const struct mapping_rule *rule, struct json_object *value, struct json_object **ret,
              struct value_problem *problem)
{
    AUTO_JSON struct json_object *choices = json_object_new_array();
    AUTO_FREE char *joined = NULL;
    bool list = json_object_is_type(value, json_type_array);
    size_t count = list ? json_object_array_length(value) : 1;
    int r = choices ? PROV_OK : PROV_E_NOMEM;

    for (size_t i = 0; !r && i < count; i++) {
        AUTO_FREE char *text = NULL;
        r = text_of(list ? json_object_array_get_idx(value, i) : value, &text, problem);
        if (!r && text)
            r = add_choices(choices, text);
    }
    if (r || json_object_array_length(choices) == 0)
        return r;
    joined = join_choices(choices);
    if (!joined)
        return PROV_E_NOMEM;
    r = check_length(rule, joined, problem);
    if (r)
        return r;
    *ret = json_object_new_string(joined);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}

int
mapping_value(const struct mapping_rule *rule, struct json_object *value, struct json_object **ret,
              const char **ret_note, struct value_problem *problem)
{
    AUTO_FREE char *text = NULL;
    int result;

    *ret = NULL;
    *ret_note = NULL;
    if (rule->kind == USER_FIELD_MULTI_PICKLIST)
        return choices_value(rule, value, ret, problem);
    result = text_of(value, &text, problem);
    if (result || !text || !*text)
        return result;
    switch (rule->kind) {
    case USER_FIELD_BOOLEAN:
        return boolean_value(text, ret, problem);
    case USER_FIELD_NUMBER:
    case USER_FIELD_CURRENCY:
    case USER_FIELD_PERCENT:
        return number_value(rule, text, ret, ret_note, problem);
    case USER_FIELD_DATE:
    case USER_FIELD_DATETIME:
        return moment_value(rule, text, ret, ret_note, problem);
    case USER_FIELD_ANY:
        if (!json_object_is_type(value, json_type_string))
            return json_object_deep_copy(value, ret, NULL) == 0 ? PROV_OK : PROV_E_NOMEM;
        return text_value(rule, text, ret, ret_note, problem);
    default:
        return text_value(rule, text, ret, ret_note, problem);
    }
}
