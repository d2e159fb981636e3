/* The table of connector fields shown three ways: as JSON Schema for forms, as a sample file to
 * fill in, and as a section of the manual. Adds nothing that is not in the table, but for the form
 * of mapping rules, which mapping.h owns. */
#include "schema/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/fields_table.h"
#include "schema/letters.h"

/* One mapping rule in JSON Schema: what mapping.h says of its keys. */
static const char rule_schema[] =
    "{\"type\":\"object\",\"required\":[\"field\"],\"additionalProperties\":false,\"properties\":{"
    "\"field\":{\"type\":\"string\",\"description\":\"API name of the Salesforce field.\"},"
    "\"when\":{\"type\":\"string\",\"description\":\"SCIM filter on the user; of the rules of a "
    "field the first that holds counts.\"},"
    "\"source\":{\"type\":[\"string\",\"object\",\"array\"],"
    "\"items\":{\"type\":[\"string\",\"object\"]},\"minItems\":1,\"maxItems\":8,"
    "\"description\":\"SCIM path, or several, the best first; an object has source, join and steps "
    "of its own.\"},"
    "\"join\":{\"type\":\"string\",\"description\":\"All values of all sources in one text, with "
    "this between them.\"},"
    "\"steps\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":16,\"items\":{\"type\":\"object\","
    "\"properties\":{\"replace\":{\"type\":\"string\"},\"match\":{\"type\":\"string\"},"
    "\"with\":{\"type\":\"string\"},\"lookup\":{\"type\":\"object\"},\"default\":{},"
    "\"unknown\":{\"enum\":[\"absent\",\"keep\",\"refuse\"]},\"first\":{\"type\":\"integer\"},"
    "\"normalise\":{\"const\":true},\"lower\":{\"const\":true},\"upper\":{\"const\":true},"
    "\"split\":{\"type\":\"string\"}},\"additionalProperties\":false},"
    "\"description\":\"What is done to the value, in order.\"},"
    "\"constant\":{\"type\":[\"string\",\"number\",\"boolean\"],"
    "\"description\":\"A value instead of a source.\"},"
    "\"default\":{\"type\":[\"string\",\"number\",\"boolean\"],"
    "\"description\":\"When no source has a value.\"},"
    "\"kind\":{\"enum\":[\"text\",\"long_text\",\"number\",\"currency\",\"percent\",\"boolean\","
    "\"date\",\"datetime\",\"picklist\",\"multi_picklist\",\"email\",\"phone\",\"url\","
    "\"reference\"],\"description\":\"What a custom field is in the org.\"},"
    "\"length\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"Characters of a text.\"},"
    "\"precision\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":18,"
    "\"description\":\"Digits of a number.\"},"
    "\"scale\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":18,"
    "\"description\":\"Those behind the decimal point.\"},"
    "\"too_long\":{\"enum\":[\"refuse\",\"truncate\"],\"default\":\"refuse\"},"
    "\"apply\":{\"enum\":[\"always\",\"create\"],\"default\":\"always\"},"
    "\"absent\":{\"enum\":[\"clear\",\"leave\"],\"default\":\"clear\"},"
    "\"remove\":{\"const\":true,\"description\":\"Takes the default rule of this field out; under "
    "a condition, leaves the field alone.\"}}}";

static const char *
type_name(const struct field_row *row)
{
    static const char *const names[] = { [FIELD_TEXT] = "string",
                                         [FIELD_BOOLEAN] = "boolean",
                                         [FIELD_INTEGER] = "integer",
                                         [FIELD_RULES] = "array",
                                         [FIELD_NAMES] = "array" };

    return names[row->type];
}

/* The default in its JSON type; NULL when there is none (or no memory). */
static struct json_object *
default_value(const struct field_row *row)
{
    if (!row->fallback)
        return NULL;
    if (row->type == FIELD_BOOLEAN)
        return json_object_new_boolean(strcmp(row->fallback, "true") == 0);
    if (row->type == FIELD_INTEGER)
        return json_object_new_int64(strtoll(row->fallback, NULL, 10));
    return json_object_new_string(row->fallback);
}

static int
put_limits(struct json_object *property, const struct field_row *row)
{
    struct json_object *value = default_value(row);

    if (row->fallback && (!value || json_put(property, "default", value)))
        return PROV_E_NOMEM;
    if (row->type == FIELD_INTEGER && (json_put_int(property, "minimum", row->minimum) ||
                                       json_put_int(property, "maximum", row->maximum)))
        return PROV_E_NOMEM;
    return json_put_string(property, "x-unit", row->unit);
}

static int
put_property(struct json_object *properties, const struct field_row *row, size_t order,
             struct prov_error *err)
{
    struct json_object *property = json_object_new_object();
    struct json_object *items = NULL;
    const char *item;
    int result;

    if (!property || json_put(properties, row->name, property) ||
        json_put_string(property, "title", row->title) ||
        json_put_string(property, "description", row->help) ||
        json_put_string(property, "type", type_name(row)) || put_limits(property, row) ||
        (row->flags & FIELD_SECRET && json_put_bool(property, "writeOnly", true)) ||
        (row->flags & FIELD_LEGACY && json_put_bool(property, "deprecated", true)) ||
        json_put_string(property, "x-alias", row->alias) ||
        json_put_string(property, "x-group", row->group) ||
        json_put_int(property, "x-order", (int64_t)order))
        return error_nomem(err);
    if (row->type != FIELD_RULES && row->type != FIELD_NAMES)
        return PROV_OK;
    item = row->type == FIELD_RULES ? rule_schema : "{\"type\":\"string\"}";
    result = json_parse(item, strlen(item), "the schema of a list's entry", &items, err);
    if (result)
        return result;
    return json_put(property, "items", items) ? error_nomem(err) : PROV_OK;
}

/* ---- what each flow needs ---- */

/* {"flow":{"const":name}} with flow there, or, where it is not, what says the same; NULL: out of memory. */
static struct json_object *
when_flow(const struct flow_row *flow)
{
    AUTO_FREE char *text = NULL;
    struct json_object *when = NULL;
    static const char unsaid[] =
        "{\"not\":{\"anyOf\":[{\"required\":[\"flow\"]},{\"required\":[\"private_key\"]},"
        "{\"required\":[\"refresh_token\"]},{\"required\":[\"use_password_grant\"],"
        "\"properties\":{\"use_password_grant\":{\"const\":true}}}]}}";

    text = letters_format(
        "{\"anyOf\":[{\"required\":[\"flow\"],\"properties\":{\"flow\":{\"const\":\"%s\"}}},%s%s%s%"
        "s]}",
        flow->name, flow->hint ? "{\"not\":{\"required\":[\"flow\"]},\"required\":[\"" : "",
        flow->hint ? flow->hint : unsaid, flow->hint ? "\"]" : "",
        !flow->hint                                     ? ""
        : strcmp(flow->hint, "use_password_grant") == 0 ? ",\"properties\":{\"use_password_grant\":"
                                                          "{\"const\":true}}}"
                                                        : "}");
    if (!text || json_parse(text, strlen(text), "the schema of a flow", &when, NULL))
        return NULL;
    return when;
}

/* "allOf": one condition for each flow. */
static int
put_flows(struct json_object *schema)
{
    struct json_object *all = json_object_new_array();
    const struct flow_row *flows;
    size_t count;

    if (json_put(schema, "allOf", all) || !all)
        return PROV_E_NOMEM;
    flows = fields_flows(&count);
    for (size_t i = 0; i < count; i++) {
        struct json_object *part = json_object_new_object(), *then = json_object_new_object();
        struct json_object *required = json_object_new_array();
        struct json_object *when = when_flow(&flows[i]);
        if (json_append(all, part) || json_put(part, "if", when) || json_put(part, "then", then) ||
            json_put(then, "required", required) || !part || !when || !then || !required)
            return PROV_E_NOMEM;
        for (const struct flow_need *need = flows[i].needs; need->field; need++) {
            if (json_append_string(required, need->field))
                return PROV_E_NOMEM;
        }
    }
    return PROV_OK;
}

/* The field `flow` is a choice. */
static int
put_choices(struct json_object *properties)
{
    struct json_object *choices = json_object_new_array();
    const struct flow_row *flows;
    size_t count;

    if (json_put(json_get(properties, "flow"), "enum", choices) || !choices)
        return PROV_E_NOMEM;
    flows = fields_flows(&count);
    for (size_t i = 0; i < count; i++) {
        if (json_append_string(choices, flows[i].name))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

int
fields_describe(char **ret_json, struct prov_error *err)
{
    AUTO_JSON struct json_object *schema = json_object_new_object();
    AUTO_JSON struct json_object *properties = json_object_new_object();
    AUTO_JSON struct json_object *required = json_object_new_array();
    const struct field_row *rows;
    size_t count;
    char *text;

    if (!schema || !properties || !required)
        return error_nomem(err);
    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        int result = put_property(properties, &rows[i], i + 1, err);
        if (result)
            return result;
        if (rows[i].flags & FIELD_REQUIRED &&
            json_object_array_add(required, json_object_new_string(rows[i].name)) != 0)
            return error_nomem(err);
    }
    if (put_choices(properties) ||
        json_put_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema") ||
        json_put_string(schema, "title", "Connector fields of sfprov") ||
        json_put_string(schema, "type", "object") ||
        json_put(schema, "properties", STEAL(properties)) ||
        json_put(schema, "required", STEAL(required)) ||
        json_put_bool(schema, "additionalProperties", false) || put_flows(schema))
        return error_nomem(err);
    text = json_text(schema);
    if (!text)
        return error_nomem(err);
    *ret_json = text;
    return PROV_OK;
}

/* ---- sample ---- */

static struct json_object *
sample_value(const struct field_row *row)
{
    if (row->sample)
        return json_object_new_string(row->sample);
    if (row->type == FIELD_RULES)
        return json_object_new_array();
    return row->fallback ? default_value(row) : json_object_new_string("");
}

/* One field a line. json-c's own pretty form differs between its versions, and the file is
 * committed. */
static int
write_sample(FILE *out)
{
    const struct field_row *rows;
    const char *before = "{\n";
    size_t count;

    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON struct json_object *value = NULL;
        AUTO_FREE char *text = NULL;
        if (rows[i].flags & FIELD_LEGACY)
            continue;
        value = sample_value(&rows[i]);
        text = value ? json_text(value) : NULL;
        if (!text)
            return PROV_E_NOMEM;
        fprintf(out, "%s  \"%s\": %s", before, rows[i].name, text);
        before = ",\n";
    }
    fputs("\n}\n", out);
    return PROV_OK;
}

/* What write puts into a stream, as heap text. */
static int
written(int (*write)(FILE *out), char **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool failed;

    if (!out)
        return error_nomem(err);
    failed = write(out) != PROV_OK || ferror(out) != 0;
    if (fclose(out) != 0 || failed)
        return error_nomem(err);
    *ret = STEAL(text);
    return PROV_OK;
}

int
fields_sample(char **ret_json, struct prov_error *err)
{
    return written(write_sample, ret_json, err);
}

/* ---- manual ---- */

/* Text for mdoc: backslashes doubled, minus signs kept for copying, one sentence a line. */
static void
write_text(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool ends = (*c == '.' || *c == '?') && c[1] == ' ';
        if (c == text && (*c == '.' || *c == '\''))
            fputs("\\&", out);
        if (*c == '\\')
            fputs("\\e", out);
        else if (*c == '-')
            fputs("\\-", out);
        else
            fputc(*c, out);
        if (ends) {
            fputc('\n', out);
            c++;
            if (c[1] == '.' || c[1] == '\'')
                fputs("\\&", out);
        }
    }
    fputc('\n', out);
}

static void
write_literal(FILE *out, const char *before, const char *value, const char *after)
{
    fprintf(out, "%s\n.Ql ", before);
    for (const char *c = value; *c; c++) {
        if (*c == '\\' || *c == '-')
            fputs(*c == '-' ? "\\-" : "\\e", out);
        else
            fputc(*c, out);
    }
    fprintf(out, "%s\n", after);
}

static void
write_row(FILE *out, const struct field_row *row)
{
    fprintf(out, ".It Va %s\n", row->name);
    write_text(out, row->help);
    if (row->type == FIELD_INTEGER)
        fprintf(out, "A whole number from %lld to %lld, in %s.\n", (long long)row->minimum,
                (long long)row->maximum, row->unit);
    if (row->flags & FIELD_REQUIRED)
        fputs("Required.\n", out);
    if (row->flags & FIELD_SECRET)
        fputs("A secret: it appears in no message, and may be named by where it is kept; see "
              ".Sx SECRETS .\n",
              out);
    if (row->fallback)
        write_literal(out, "The default is", row->fallback, " .");
    if (row->alias)
        write_literal(out, "WSO2 calls it", row->alias, " .");
}

static int
write_manual(FILE *out)
{
    const struct field_row *rows;
    const char *group = NULL;
    size_t count;

    fputs(".\\\" Made from schema/fields_table.c: test_fields --print-mdoc\n", out);
    rows = fields_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!group || strcmp(group, rows[i].group) != 0) {
            fputs(group ? ".El\n" : "", out);
            fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", rows[i].group);
            group = rows[i].group;
        }
        write_row(out, &rows[i]);
    }
    fputs(".El\n", out);
    return PROV_OK;
}

int
fields_mdoc(char **ret_mdoc, struct prov_error *err)
{
    return written(write_manual, ret_mdoc, err);
}
