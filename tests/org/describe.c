/* Describe answers (2.6) made from the facts tables, so that what an org says of a field and what
 * user_rules.c does with it cannot differ. Keys that say nothing about users are left out. */
#include "tests/org/org.h"

#include <string.h>

static const char *
soap_type(enum field_kind kind)
{
    switch (kind) {
    case KIND_ID:
    case KIND_REFERENCE:
        return "tns:ID";
    case KIND_BOOLEAN:
        return "xsd:boolean";
    case KIND_DATETIME:
        return "xsd:dateTime";
    case KIND_INT:
        return "xsd:int";
    case KIND_ADDRESS:
        return "urn:address";
    default:
        return "xsd:string";
    }
}

static struct json_object *
picklist(const struct field_facts *field)
{
    struct json_object *values = js_array();

    for (const char *const *value = field->values; value && *value; value++) {
        struct json_object *entry = js_object();
        js_put_flag(entry, "active", true);
        js_put_flag(entry, "defaultValue", false);
        js_put_text(entry, "label", *value);
        js_put(entry, "validFor", NULL);
        js_put_text(entry, "value", *value);
        js_append(values, entry);
    }
    return values;
}

static struct json_object *
targets(const struct field_facts *field)
{
    struct json_object *names = js_array();

    if (field->target)
        js_append(names, js_string(field->target));
    return names;
}

/* Required on create is createable, not nillable and not defaulted (2.6). */
static bool
is_nillable(const struct field_facts *field)
{
    return !(field->flags & (FIELD_REQUIRED | FIELD_DEFAULTED | FIELD_NOT_NULL)) &&
           field->kind != KIND_BOOLEAN;
}

static struct json_object *
describe_field(const struct field_facts *field)
{
    struct json_object *result = js_object();
    bool in_where = !(field->flags & FIELD_NO_FILTER);
    bool text = field->kind != KIND_BOOLEAN && field->kind != KIND_INT &&
                field->kind != KIND_DATETIME && field->kind != KIND_ADDRESS;

    js_put_text(result, "name", field->name);
    js_put_text(result, "label", field->label);
    js_put_text(result, "type", field_kind_name(field->kind));
    js_put_text(result, "soapType", soap_type(field->kind));
    js_put_int(result, "length", text ? field->length : 0);
    js_put_int(result, "byteLength", text ? field->length * 3 : 0);
    js_put_flag(result, "nillable", is_nillable(field));
    js_put_flag(result, "createable", field->flags & FIELD_CREATE);
    js_put_flag(result, "updateable", field->flags & FIELD_UPDATE);
    js_put_flag(result, "defaultedOnCreate",
                field->flags & (FIELD_DEFAULTED | FIELD_NOT_NULL) || field->kind == KIND_BOOLEAN);
    js_put_flag(result, "unique", field->flags & FIELD_UNIQUE);
    js_put_flag(result, "caseSensitive", false);
    js_put_flag(result, "externalId", field->flags & FIELD_EXTERNAL_ID);
    js_put_flag(result, "idLookup", field->flags & FIELD_ID_LOOKUP);
    js_put_flag(result, "custom", field->flags & FIELD_CUSTOM);
    js_put_flag(result, "nameField", field->flags & FIELD_NAME_FIELD);
    js_put_flag(result, "restrictedPicklist", field->flags & FIELD_RESTRICTED);
    js_put(result, "picklistValues", picklist(field));
    js_put(result, "referenceTo", targets(field));
    js_put_text(result, "relationshipName", field->relationship);
    js_put_flag(result, "filterable", in_where);
    js_put_flag(result, "sortable", in_where);
    js_put_flag(result, "groupable", in_where && field->kind != KIND_DATETIME);
    js_put_flag(result, "calculated", false);
    js_put_flag(result, "autoNumber", false);
    js_put_flag(result, "encrypted", false);
    js_put_flag(result, "permissionable", field->flags & FIELD_CUSTOM);
    js_put_flag(result, "deprecatedAndHidden", false);
    js_put(result, "defaultValue", NULL);
    js_put(result, "calculatedFormula", NULL);
    js_put(result, "inlineHelpText", NULL);
    js_put_int(result, "digits", 0);
    js_put_int(result, "precision", 0);
    js_put_int(result, "scale", 0);
    return result;
}

static void
put_urls(struct json_object *result, const struct object_facts *facts, const char *version)
{
    static const char *const parts[][2] = { { "sobject", "" },
                                            { "describe", "/describe" },
                                            { "rowTemplate", "/{ID}" } };
    struct json_object *urls = js_object();

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        AUTO_FREE char *url =
            text_format("/services/data/%s/sobjects/%s%s", version, facts->name, parts[i][1]);
        js_put_text(urls, parts[i][0], url);
    }
    js_put(result, "urls", urls);
}

struct json_object *
describe_summary(const struct object_facts *facts, const char *version)
{
    struct json_object *result = js_object();

    js_put_text(result, "name", facts->name);
    js_put_text(result, "label", facts->label);
    js_put_text(result, "labelPlural", facts->plural);
    js_put_text(result, "keyPrefix", facts->prefix);
    js_put_flag(result, "createable", facts->writable);
    js_put_flag(result, "updateable", facts->writable);
    js_put_flag(result, "deletable", false); /* 3.1: User has no delete */
    js_put_flag(result, "undeletable", false);
    js_put_flag(result, "mergeable", false);
    js_put_flag(result, "queryable", true);
    js_put_flag(result, "retrieveable", true);
    js_put_flag(result, "replicateable", facts->writable);
    js_put_flag(result, "searchable", facts->writable);
    js_put_flag(result, "activateable", false);
    js_put_flag(result, "custom", false);
    js_put_flag(result, "customSetting", false);
    js_put_flag(result, "deprecatedAndHidden", false);
    js_put_flag(result, "triggerable", facts->writable);
    put_urls(result, facts, version);
    return result;
}

struct json_object *
describe_object(struct org *org, const struct object_facts *facts, const char *version)
{
    struct json_object *result = describe_summary(facts, version), *fields = js_array();
    const struct field_facts *field;

    for (size_t i = 0; (field = org_field_at(org, facts, i)); i++)
        js_append(fields, describe_field(field));
    js_put(result, "fields", fields);
    js_put(result, "childRelationships", js_array());
    js_put(result, "recordTypeInfos", js_array());
    js_put_text(result, "sobjectDescribeOption", "FULL");
    return result;
}
