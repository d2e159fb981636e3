/* Brings one value into the form that its Salesforce field takes, or says why it has none. Decides
 * kinds, lengths and spelling; where the value comes from is decided by mapping.c, and whether a
 * picklist has it by the org. */
#include "schema/mapping_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema/letters.h"
#include "schema/locale.h"

#define HOST_REMEDY "correct it at the host"

static int refuse(struct value_problem *problem, const char *remedy, const char *format, ...)
    PRINTF_LIKE(3, 4);

static int
refuse(struct value_problem *problem, const char *remedy, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem->reason, sizeof(problem->reason), format, arguments);
    va_end(arguments);
    snprintf(problem->remedy, sizeof(problem->remedy), "%s", remedy);
    return PROV_E_INVALID;
}

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
    return rule->any_kind || rule->kind == USER_FIELD_STRING || rule->kind == USER_FIELD_PHONE ||
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
    rule->kind = user_field_is_switch(field) ? USER_FIELD_BOOLEAN : USER_FIELD_STRING;
    rule->any_kind = user_field_is_custom(field);
    return rule->any_kind || rule->kind == USER_FIELD_BOOLEAN;
}

/* Entra ID sends booleans as strings, in any case. */
static int
boolean_value(struct json_object *value, struct json_object **ret, struct value_problem *problem)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
    char shown[SHOWN_SIZE];
    bool is_true = json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);

    if (!text && !json_object_is_type(value, json_type_boolean))
        return refuse(problem, HOST_REMEDY, "takes true or false, the value is a %s",
                      json_type_to_name(json_object_get_type(value)));
    if (text && strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return refuse(problem, HOST_REMEDY, "takes true or false, the value is '%s'",
                      start_of(text, shown));
    *ret = json_object_new_boolean(text ? strcasecmp(text, "true") == 0 : is_true);
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

static int
check_text(const struct mapping_rule *rule, const char *text, struct value_problem *problem)
{
    size_t count = letters_count(text);
    char remedy[160] = "shorten it at the host";
    char shown[SHOWN_SIZE];

    if (!rule->any_kind && rule->kind == USER_FIELD_REFERENCE && !may_be_id(text))
        return refuse(problem, "give the Id of the record",
                      "takes a Salesforce Id of 15 or 18 characters, the value is '%s'",
                      start_of(text, shown));
    if (!rule->any_kind && rule->kind == USER_FIELD_EMAIL && !may_be_email(text))
        return refuse(problem, HOST_REMEDY, "takes an e-mail address, the value is '%s'",
                      start_of(text, shown));
    if (rule->max_characters == 0 || count <= rule->max_characters)
        return PROV_OK;
    if (mapping_may_truncate(rule))
        snprintf(remedy, sizeof(remedy),
                 "shorten it at the host, or set \"truncate\": %zu in the mapping rule of '%s'",
                 rule->max_characters, rule->field);
    return refuse(problem, remedy, "takes at most %zu characters, the value has %zu ('%s...')",
                  rule->max_characters, count, start_of(text, shown));
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
    else if (!rule->any_kind && rule->kind == USER_FIELD_PHONE)
        key = without_tel(given);
    else
        return STEAL(given);
    if (key && strcmp(key, given) != 0)
        *ret_note = "in Salesforce's spelling";
    return key;
}

/* Trims, respells, lowers and cuts. Heap; NULL when out of memory. */
static char *
shaped(const struct mapping_rule *rule, const char *given, const char **ret_note)
{
    AUTO_FREE char *text = letters_trim(given);

    if (text)
        text = respelled(rule, STEAL(text), ret_note);
    if (text && rule->lower) {
        char *lower = letters_lower(text);
        if (lower && strcmp(lower, text) != 0)
            *ret_note = "in lower case";
        free(text);
        text = lower;
    }
    if (text && rule->truncate && letters_count(text) > rule->truncate) {
        char *cut;
        letters_cut(text, rule->truncate);
        cut = letters_trim(text); /* the cut may have bared a blank, which Salesforce drops */
        free(text);
        text = cut;
        *ret_note = rule->lower ? "in lower case, cut" : "cut";
    }
    return STEAL(text);
}

static bool
is_scalar(struct json_object *value)
{
    return value && !json_object_is_type(value, json_type_object) &&
           !json_object_is_type(value, json_type_array);
}

int
mapping_value(const struct mapping_rule *rule, struct json_object *value, struct json_object **ret,
              const char **ret_note, struct value_problem *problem)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *plain = NULL;
    int result;

    *ret = NULL;
    *ret_note = NULL;
    /* a path may end at an element of a multi-valued attribute, whose value is in `value` (RFC 7643
     * 2.4) */
    if (json_object_is_type(value, json_type_object))
        value = json_get_nocase(value, "value", NULL);
    if (!is_scalar(value))
        return refuse(problem,
                      "let the rule's source lead to one attribute, such as 'name.familyName'",
                      "takes one value, the source leads to several or to none");
    if (json_object_is_type(value, json_type_string) &&
        strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
        return refuse(problem, HOST_REMEDY, "takes text, the value holds a NUL character");
    if (json_object_is_type(value, json_type_string) &&
        strspn(json_object_get_string(value), " \t\r\n") ==
            (size_t)json_object_get_string_len(value))
        return PROV_OK;
    if (!rule->any_kind && rule->kind == USER_FIELD_BOOLEAN)
        return boolean_value(value, ret, problem);
    if (rule->any_kind && !json_object_is_type(value, json_type_string))
        return json_object_deep_copy(value, ret, NULL) == 0 ? PROV_OK : PROV_E_NOMEM;
    plain = json_object_is_type(value, json_type_string) ? strdup(json_object_get_string(value))
                                                         : json_text(value);
    text = plain ? shaped(rule, plain, ret_note) : NULL;
    if (!text)
        return PROV_E_NOMEM;
    if (!*text)
        return PROV_OK;
    result = check_text(rule, text, problem);
    if (result)
        return result;
    *ret = json_object_new_string(text);
    return *ret ? PROV_OK : PROV_E_NOMEM;
}
