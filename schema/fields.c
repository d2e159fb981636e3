/* Reads connector fields: finds each by its name or WSO2's, whatever form the configuration has,
 * brings it to its type, and collects all faults. What the values mean is judged in
 * fields_check.c; the fields themselves stand in fields_table.c. */
#include "schema/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/secret_ref.h"
#include "schema/fields_check.h"
#include "schema/fields_table.h"
#include "schema/letters.h"

#define MOST_FIELDS 64

/* One run of the parser. */
struct reader {
    struct fields_draft draft;
    const struct field_row *rows;
    size_t count;
    struct {
        struct json_object *value; /* borrowed; NULL: not given */
        const char *key;           /* the name it was given under */
    } given[MOST_FIELDS];
    bool refused[MOST_FIELDS]; /* already has a fault */
};

/* Of a value that may be a secret. */
static void
wiped_cleanup(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
}
#define AUTO_WIPED CLEANUP(wiped_cleanup)

static char **
text_member(struct fields *fields, const struct field_row *row)
{
    return (char **)(void *)((char *)fields + row->offset);
}

static int64_t *
integer_member(struct fields *fields, const struct field_row *row)
{
    return (int64_t *)(void *)((char *)fields + row->offset);
}

static struct json_object **
json_member(struct fields *fields, const struct field_row *row)
{
    return (struct json_object **)(void *)((char *)fields + row->offset);
}

static bool *
boolean_member(struct fields *fields, const struct field_row *row)
{
    return (bool *)(void *)((char *)fields + row->offset);
}

void
fields_free(struct fields *fields)
{
    const struct field_row *rows;
    size_t count;

    if (!fields)
        return;
    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        char *text;
        if (rows[i].type != FIELD_TEXT)
            continue;
        text = *text_member(fields, &rows[i]);
        if (text && rows[i].flags & FIELD_SECRET)
            explicit_bzero(text, strlen(text));
        free(text);
    }
    json_object_put(fields->mapping_rules);
    json_object_put(fields->scope_groups);
    json_object_put(fields->match);
    json_object_put(fields->allowed_hosts);
    free(fields->audience);
    scim_filter_free(fields->scope);
    pattern_free(fields->pattern);
    mapping_free(fields->mapping);
    free(fields);
}

/* ---- finding ---- */

static const struct field_row *
find_row(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->count; i++) {
        const struct field_row *row = &reader->rows[i];
        if (strcmp(row->name, name) == 0 || (row->alias && strcmp(row->alias, name) == 0))
            return row;
    }
    return NULL;
}

/* A value as text; heap, NULL when out of memory. */
static char *
spelled(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ? strdup(json_object_get_string(value))
                                                        : json_text(value);
}

static void refuse(struct reader *reader, const struct field_row *row, const char *remedy,
                   const char *format, ...) PRINTF_LIKE(4, 5);

static void
refuse(struct reader *reader, const struct field_row *row, const char *remedy, const char *format,
       ...)
{
    size_t at = (size_t)(row - reader->rows);
    bool shown = reader->given[at].value && !(row->flags & FIELD_SECRET);
    AUTO_FREE char *value = shown ? spelled(reader->given[at].value) : NULL;
    AUTO_FREE char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = letters_vformat(format, arguments);
    va_end(arguments);
    reader->refused[at] = true;
    if (reason && (value || !shown))
        faults_add(&reader->draft.faults, row->name, value, remedy, "%s", reason);
    else
        reader->draft.faults.result = PROV_E_NOMEM;
}

/* The value of an unknown field is never shown: it may be a secret under a misspelt name. */
static void
refuse_unknown(struct reader *reader, const char *key)
{
    struct nearest nearest = { .word = key };
    AUTO_FREE char *remedy = NULL;

    for (size_t i = 0; i < reader->count; i++) {
        nearest_offer(&nearest, reader->rows[i].name);
        if (reader->rows[i].alias)
            nearest_offer(&nearest, reader->rows[i].alias);
    }
    remedy = nearest_is_near(&nearest)
                 ? letters_format(
                       "the nearest known field is '%s'; correct the name or remove the field",
                       nearest.best)
                 : strdup("remove it; `sfprov fields` lists them");
    if (remedy)
        faults_add(&reader->draft.faults, key, NULL, remedy, "no connector field has this name");
    else
        reader->draft.faults.result = PROV_E_NOMEM;
}

/* WSO2's export has blank properties for what is not set. */
static bool
is_blank(struct json_object *value)
{
    return !value || (json_object_is_type(value, json_type_string) &&
                      json_object_get_string(
                          value)[strspn(json_object_get_string(value), " \t\r\n")] == '\0');
}

/* Whether two values are the same, one of them perhaps written as text. */
static bool
same_value(struct reader *reader, struct json_object *a, struct json_object *b)
{
    AUTO_WIPED char *one = spelled(a);
    AUTO_WIPED char *other = spelled(b);

    if (!one || !other)
        reader->draft.faults.result = PROV_E_NOMEM;
    if (json_object_get_type(a) == json_object_get_type(b))
        return json_equal(a, b);
    return one && other && ascii_compare(one, other) == 0;
}

static void
take(struct reader *reader, const char *key, struct json_object *value)
{
    const struct field_row *row = find_row(reader, key);
    const char *ignored = row ? NULL : fields_ignored(key);
    size_t at;

    if (ignored) {
        faults_add(&reader->draft.warnings, key, NULL, "remove it to be rid of this line",
                   "it is ignored: %s", ignored);
        return;
    }
    if (!row) {
        refuse_unknown(reader, key);
        return;
    }
    at = (size_t)(row - reader->rows);
    if (is_blank(value))
        return;
    if (!reader->given[at].value) {
        reader->given[at].value = value;
        reader->given[at].key = key;
    } else if (!same_value(reader, reader->given[at].value, value)) {
        faults_add(&reader->draft.faults, row->name, NULL, "keep one of the two",
                   "'%s' and '%s' are the same field and have different values",
                   reader->given[at].key, key);
        reader->refused[at] = true;
    }
}

/* What to do with each field of a configuration, and with entries of a list that name none. */
struct visitor {
    void (*field)(struct reader *reader, const char *key, struct json_object *value);
    void (*odd)(struct reader *reader, size_t at);
};

static void
visit_list(struct reader *reader, struct json_object *list, const struct visitor *visitor)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *entry = json_object_array_get_idx(list, i);
        const char *key = json_get_string(entry, "name");
        if (!key)
            key = json_get_string(entry, "key");
        if (key)
            visitor->field(reader, key, json_get(entry, "value"));
        else if (visitor->odd)
            visitor->odd(reader, i);
    }
}

/* What WSO2 writes beside its list of properties: about its own switches, nothing for us. */
static bool
is_beside_properties(const char *key)
{
    static const char *const names[] = { "connectorId",     "name",         "displayName",
                                         "enabled",         "isEnabled",    "isDefault",
                                         "blockingEnabled", "rulesEnabled", "isBlockingEnabled",
                                         "isRulesEnabled",  "self",         "valid" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], key) == 0)
            return true;
    }
    return false;
}

/* Visits every field, whatever form the configuration has: an object of fields; WSO2's list of
 * {"name" or "key", "value"}; or an object that holds such a list, perhaps with fields beside it. */
static void
visit(struct reader *reader, struct json_object *root, const struct visitor *visitor)
{
    static const char *const lists[] = { "properties", "provisioningProperties" };
    bool has_list = false;

    if (json_object_is_type(root, json_type_array)) {
        visit_list(reader, root, visitor);
        return;
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct json_object *list = json_get(root, lists[i]);
        if (json_object_is_type(list, json_type_array)) {
            has_list = true;
            visit_list(reader, list, visitor);
        }
    }
    json_object_object_foreach(root, key, value)
    {
        bool is_list = json_object_is_type(value, json_type_array) &&
                       (strcmp(key, lists[0]) == 0 || strcmp(key, lists[1]) == 0);
        if (!is_list && !(has_list && is_beside_properties(key)))
            visitor->field(reader, key, value);
    }
}

static void
odd_entry(struct reader *reader, size_t at)
{
    AUTO_FREE char *place = letters_format("properties[%zu]", at);

    if (place)
        faults_add(&reader->draft.faults, place, NULL,
                   "write it as {\"name\": \"sf-domain-name\", \"value\": ...}",
                   "an entry of the list has a name (or key) and a value");
    else
        reader->draft.faults.result = PROV_E_NOMEM;
}

/* Notes every text in a secret's value, of whatever type it was given. */
static void
note_secret(struct reader *reader, const char *key, struct json_object *value)
{
    const struct field_row *row = find_row(reader, key);
    struct fault_list *faults = &reader->draft.faults;
    AUTO_WIPED char *given = NULL;
    AUTO_WIPED char *text = NULL;
    struct json_object *secret;

    if (!row || !(row->flags & FIELD_SECRET) || is_blank(value))
        return;
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            note_secret(reader, key, member);
        }
        return;
    }
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            note_secret(reader, key, json_object_array_get_idx(value, i));
        return;
    }
    given = spelled(value);
    text = given ? letters_trim(given) : NULL;
    secret = text ? json_object_new_string(text) : NULL;
    if (!secret || json_object_array_add(faults->secrets, secret) != 0) {
        json_object_put(secret);
        faults->result = PROV_E_NOMEM;
    }
}

/* ---- converting ---- */

/* A value in angle brackets stands in the sample to be replaced. */
static bool
is_placeholder(const char *text)
{
    return text[0] == '<' && text[strlen(text) - 1] == '>';
}

/* Position, from 1, of the first control character of a value's text; 0 if there is none. A NUL,
 * which JSON can write, ends the text before the value. */
static size_t
control_character(const char *text, struct json_object *value, bool lines)
{
    for (const char *c = text; *c; c++) {
        if (lines && (*c == '\n' || *c == '\r'))
            continue;
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return (size_t)(c - text) + 1;
    }
    if (json_object_is_type(value, json_type_string) &&
        strlen(json_object_get_string(value)) < (size_t)json_object_get_string_len(value))
        return strlen(text) + 1;
    return 0;
}

/* A secret may be named by where it is kept; whether it is there is seen when it is needed. */
static bool
check_reference(struct reader *reader, const struct field_row *row, const char *text)
{
    struct prov_error why = PROV_ERROR_INIT;
    char *remedy;

    if (secret_ref_check(text, &why) == PROV_OK)
        return true;
    remedy = strstr(why.text, "; ");
    if (remedy) {
        *remedy = '\0';
        remedy += 2;
    }
    refuse(reader, row, remedy ? remedy : "correct it", "%s", why.text);
    return false;
}

static void
read_text(struct reader *reader, const struct field_row *row, struct json_object *value)
{
    bool is_number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    AUTO_WIPED char *given = NULL;
    AUTO_WIPED char *text = NULL;
    size_t bad;

    if (!json_object_is_type(value, json_type_string) &&
        !(is_number && row->flags & FIELD_NUMERIC)) {
        refuse(reader, row, "write it in quotes", "a text is needed, this is of type %s",
               json_type_to_name(json_object_get_type(value)));
        return;
    }
    given = spelled(value);
    if (given)
        text = row->flags & FIELD_VERBATIM ? STEAL(given) : letters_trim(given);
    if (!text) {
        reader->draft.faults.result = PROV_E_NOMEM;
        return;
    }
    bad = control_character(text, value, row->flags & FIELD_LINES);
    if (bad)
        refuse(reader, row, "remove line breaks, tabs and other control characters",
               "it holds a control character at position %zu", bad);
    else if (is_placeholder(text))
        refuse(reader, row, row->help, "it still holds the placeholder of the sample");
    else if (row->flags & FIELD_SECRET && text[strspn(text, "*")] == '\0')
        refuse(reader, row, "enter the secret itself", "it is masked: an export does not hold it");
    else if (row->flags & FIELD_SECRET && !check_reference(reader, row, text))
        return;
    else
        *text_member(reader->draft.fields, row) = STEAL(text);
}

static void
read_boolean(struct reader *reader, const struct field_row *row, struct json_object *value)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

    if (json_object_is_type(value, json_type_boolean))
        *boolean_member(reader->draft.fields, row) = json_object_get_boolean(value);
    else if (ascii_compare(text, "true") == 0 || ascii_compare(text, "false") == 0)
        *boolean_member(reader->draft.fields, row) = ascii_compare(text, "true") == 0;
    else
        refuse(reader, row, "write true or false", "it is a switch");
}

static bool
whole_number(struct json_object *value, int64_t *ret)
{
    const char *text;
    char *end = NULL;

    if (json_object_is_type(value, json_type_int)) {
        *ret = json_object_get_int64(value);
        return true;
    }
    if (!json_object_is_type(value, json_type_string))
        return false;
    text = json_object_get_string(value);
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end > text && *end == '\0';
}

static void
read_integer(struct reader *reader, const struct field_row *row, struct json_object *value)
{
    AUTO_FREE char *remedy = NULL;
    int64_t number;

    if (whole_number(value, &number) && number >= row->minimum && number <= row->maximum) {
        *integer_member(reader->draft.fields, row) = number;
        return;
    }
    remedy = letters_format("give a whole number from %lld to %lld%s%s%s", (long long)row->minimum,
                            (long long)row->maximum, row->unit ? " (" : "",
                            row->unit ? row->unit : "", row->unit ? ")" : "");
    if (remedy)
        refuse(reader, row, remedy, "it is no whole number in the range of this field");
    else
        reader->draft.faults.result = PROV_E_NOMEM;
}

static void
use_default(struct reader *reader, const struct field_row *row)
{
    struct fields *fields = reader->draft.fields;

    if (!row->fallback)
        return;
    if (row->type == FIELD_BOOLEAN)
        *boolean_member(fields, row) = strcmp(row->fallback, "true") == 0;
    else if (row->type == FIELD_INTEGER)
        *integer_member(fields, row) = strtoll(row->fallback, NULL, 10);
    else if (!(*text_member(fields, row) = strdup(row->fallback)))
        reader->draft.faults.result = PROV_E_NOMEM;
}

/* A copy, since all that the fields are read from is wiped. */
static void
read_json_value(struct reader *reader, const struct field_row *row, struct json_object *value)
{
    if (json_object_deep_copy(value, json_member(reader->draft.fields, row), NULL) != 0)
        reader->draft.faults.result = PROV_E_NOMEM;
}

static void
read_row(struct reader *reader, size_t at)
{
    const struct field_row *row = &reader->rows[at];
    struct json_object *value = reader->given[at].value;

    /* a number that is refused leaves its default, so that no second fault comes of it */
    if (!value || row->type == FIELD_INTEGER)
        use_default(reader, row);
    if (!value && row->flags & FIELD_REQUIRED && !reader->refused[at])
        refuse(reader, row, row->help, "it is required and not set");
    if (!value || reader->refused[at])
        return;
    switch (row->type) {
    case FIELD_TEXT:
        read_text(reader, row, value);
        break;
    case FIELD_BOOLEAN:
        read_boolean(reader, row, value);
        break;
    case FIELD_INTEGER:
        read_integer(reader, row, value);
        break;
    case FIELD_RULES:
        /* no rules are the default mapping, which must not count as another plan */
        if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) > 0)
            read_json_value(reader, row, value);
        break;
    case FIELD_NAMES: /* brought to a list by names.c */
        read_json_value(reader, row, value);
        break;
    }
}

/* ---- digest ---- */

static int
add_to_plan(struct json_object *plan, struct fields *fields, const struct field_row *row)
{
    if (row->type == FIELD_TEXT)
        return json_put_string(plan, row->name, *text_member(fields, row));
    if (row->type == FIELD_BOOLEAN)
        return json_put_bool(plan, row->name, *boolean_member(fields, row));
    if (row->type == FIELD_INTEGER)
        return json_put_int(plan, row->name, *integer_member(fields, row));
    return json_put(plan, row->name, json_ref(*json_member(fields, row)));
}

/* The default mapping counts as well: another version of sfprov may plan otherwise. */
static int
make_digest(const struct reader *reader, struct fields *fields)
{
    AUTO_JSON struct json_object *plan = json_object_new_object();
    AUTO_FREE char *text = NULL;

    if (!plan || json_put_string(plan, "default_mapping", mapping_default_rules()))
        return PROV_E_NOMEM;
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->rows[i].flags & FIELD_PLAN && add_to_plan(plan, fields, &reader->rows[i]))
            return PROV_E_NOMEM;
    }
    text = json_canonical(plan);
    return text ? digest_hex(text, strlen(text), fields->plan_digest) : PROV_E_NOMEM;
}

/* ---- all together ---- */

static struct json_object *
read_json(const char *json, size_t length, struct fault_list *faults)
{
    struct json_object *root = NULL;
    struct prov_error why = PROV_ERROR_INIT;
    /* what editors of Windows put before a text */
    size_t mark = length >= 3 && !memcmp(json, "\xef\xbb\xbf", 3) ? 3 : 0;
    int result =
        length > PROV_FIELDS_MAX_BYTES
            ? error_set(&why, PROV_E_LIMIT, "the connector fields are larger than 1 MiB")
            : json_parse(json + mark, length - mark, "the set of connector fields", &root, &why);

    if (result == PROV_E_NOMEM)
        faults->result = result;
    else if (result)
        faults_add(faults, "(all fields)", NULL, "correct the JSON", "%s", why.text);
    else if (!json_object_is_type(root, json_type_object) &&
             !json_object_is_type(root, json_type_array))
        faults_add(faults, "(all fields)", NULL, "write them as {\"domain_name\": ..., ...}",
                   "the connector fields are one JSON object");
    else
        return root;
    json_wipe(root);
    json_object_put(root);
    return NULL;
}

static void
read_all(struct reader *reader, struct json_object *root)
{
    const struct visitor secrets = { .field = note_secret };
    const struct visitor all = { .field = take, .odd = odd_entry };

    visit(reader, root, &secrets); /* first, so that no message can hold one */
    visit(reader, root, &all);
    for (size_t i = 0; i < reader->count; i++)
        read_row(reader, i);
    fields_check(&reader->draft);
    /* a secret may stand under a misspelt name, or where nothing is read */
    json_wipe(root);
    json_wipe(reader->draft.faults.secrets);
}

int
fields_parse(const char *json, size_t length, struct fields **ret,
             struct json_object **ret_warnings, struct json_object **ret_faults,
             struct prov_error *err)
{
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *warnings = json_object_new_array();
    AUTO_JSON struct json_object *secrets = json_object_new_array();
    AUTO_JSON struct json_object *root = NULL;
    CLEANUP(fields_cleanup) struct fields *fields = calloc(1, sizeof(*fields));
    struct reader reader = { .draft = { .fields = fields,
                                        .faults = { .array = faults, .secrets = secrets },
                                        .warnings = { .array = warnings, .secrets = secrets } } };

    if (!faults || !warnings || !secrets || !fields)
        return error_nomem(err);
    reader.rows = fields_table(&reader.count);
    root = read_json(json, length, &reader.draft.faults);
    if (root)
        read_all(&reader, root);
    if (reader.draft.faults.result || reader.draft.warnings.result)
        return error_nomem(err);
    if (json_object_array_length(faults) > 0) {
        int result = faults_first(faults, err);
        if (ret_faults)
            *ret_faults = STEAL(faults);
        if (ret_warnings)
            *ret_warnings = STEAL(warnings);
        return result;
    }
    if (make_digest(&reader, fields))
        return error_nomem(err);
    *ret = STEAL(fields);
    if (ret_warnings)
        *ret_warnings = STEAL(warnings);
    return PROV_OK;
}
