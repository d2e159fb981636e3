/* Describe answers (2.6) made from the facts tables, so that what an org says of a field and what
 * rules.c does with it cannot differ. Every key that a captured describe had is there; those that say
 * nothing about the objects here have the value they have for plain fields. */
#include "tests/org/address.h"

#include <string.h>
#include <strings.h>

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
    case KIND_DATE:
        return "xsd:date";
    case KIND_INT:
        return "xsd:int";
    case KIND_DOUBLE:
    case KIND_CURRENCY:
    case KIND_PERCENT:
        return "xsd:double";
    case KIND_ADDRESS:
        return "urn:address";
    default:
        return "xsd:string";
    }
}

static struct json_object *
picklist(const struct field_facts *field)
{
    bool place = (field->flags & FIELD_PLACE) != 0;
    struct json_object *values = js_array();

    for (const char *const *value = field->values; value && *value; value++) {
        struct json_object *entry = js_object();
        AUTO_FREE char *valid_for = NULL;
        js_put_flag(entry, "active", true);
        js_put_flag(entry, "defaultValue", false);
        js_put_text(entry, "label", place ? address_label(field, *value) : *value);
        if (field == &address_fields[0])
            valid_for = address_valid_for(*value);
        js_put_text(entry, "validFor", valid_for);
        js_put_text(entry, "value", *value);
        js_append(values, entry);
    }
    return values;
}

static struct json_object *
targets(const struct field_facts *field)
{
    struct json_object *names = js_array();
    AUTO_FREE char *copy = text_copy(field->target ? field->target : "");
    char *rest = copy, *name;

    while (*copy && (name = strsep(&rest, ",")))
        js_append(names, js_string(name));
    return names;
}

/* Required on create is createable, not nillable and not defaulted (2.6). */
static bool
is_nillable(const struct field_facts *field)
{
    return !(field->flags & (FIELD_REQUIRED | FIELD_DEFAULTED | FIELD_NOT_NULL)) &&
           field->kind != KIND_BOOLEAN;
}

static bool
is_defaulted(const struct field_facts *field)
{
    return field->flags & (FIELD_DEFAULTED | FIELD_NOT_NULL) || field->kind == KIND_BOOLEAN;
}

/* The compound field a part belongs to (3.3). */
static const char *
compound_of(const struct object_facts *facts, const struct field_facts *field)
{
    static const char *const parts[][2] = {
        { "Street", "Address" },      { "City", "Address" },    { "State", "Address" },
        { "PostalCode", "Address" },  { "Country", "Address" }, { "StateCode", "Address" },
        { "CountryCode", "Address" }, { "FirstName", "Name" },  { "LastName", "Name" }
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if ((object_is(facts, OBJECT_USER) || object_is(facts, OBJECT_LEAD)) &&
            strcmp(field->name, parts[i][0]) == 0)
            return parts[i][1];
    }
    return NULL;
}

/* Lengths and digits: of text in characters and bytes (2.6: three a character), of numbers in
 * digits. */
static void
put_sizes(struct json_object *result, const struct field_facts *field)
{
    bool number = field_kind_is_number(field->kind);
    bool text =
        field_kind_is_text(field->kind) && field->kind != KIND_DATETIME && field->kind != KIND_DATE;
    bool real = number && field->kind != KIND_INT;

    js_put_int(result, "length", text ? field->length : 0);
    js_put_int(result, "byteLength", text ? field->length * 3 : 0);
    js_put_int(result, "digits", field->kind == KIND_INT ? 9 : 0);
    js_put_int(result, "precision", real ? (field->length ? field->length : 18) : 0);
    js_put_int(result, "scale", field->scale);
}

/* What describes the field's use. */
static void
put_flags(struct json_object *result, const struct field_facts *field)
{
    bool in_where = !(field->flags & FIELD_NO_FILTER);
    bool many = field->kind == KIND_MULTIPICKLIST, address = field->kind == KIND_ADDRESS;
    bool real = field_kind_is_number(field->kind) && field->kind != KIND_INT;
    bool writable = (field->flags & FIELD_WRITE) != 0;

    js_put_flag(result, "aggregatable", in_where && field->kind != KIND_BOOLEAN && !many);
    js_put_flag(result, "autoNumber", false);
    js_put_flag(result, "calculated", false);
    js_put_flag(result, "caseSensitive", field->flags & FIELD_CASE);
    js_put_flag(result, "createable", field->flags & FIELD_CREATE);
    js_put_flag(result, "custom", field->flags & FIELD_CUSTOM);
    js_put_flag(result, "defaultedOnCreate", is_defaulted(field));
    js_put_flag(result, "externalId", field->flags & FIELD_EXTERNAL_ID);
    js_put_flag(result, "filterable", in_where);
    js_put_flag(result, "groupable", in_where && field->kind != KIND_DATETIME && !real && !many);
    js_put_flag(result, "idLookup", field->flags & FIELD_ID_LOOKUP);
    js_put_flag(result, "nameField", field->flags & FIELD_NAME_FIELD);
    js_put_flag(result, "namePointing",
                field->kind == KIND_REFERENCE && field->target && strchr(field->target, ','));
    js_put_flag(result, "nillable", is_nillable(field));
    js_put_flag(result, "permissionable", (field->flags & FIELD_CUSTOM) && writable);
    js_put_flag(result, "polymorphicForeignKey", field->target && strchr(field->target, ','));
    js_put_flag(result, "queryByDistance", address);
    js_put_flag(result, "restrictedPicklist", field->flags & FIELD_RESTRICTED);
    js_put_flag(result, "sortable", in_where && !many);
    js_put_flag(result, "unique", field->flags & FIELD_UNIQUE);
    js_put_flag(result, "updateable", field->flags & FIELD_UPDATE);
}

/* The keys that no field here uses (2.6). */
static void
put_unused(struct json_object *result)
{
    static const char *const flags[] = {
        "aiPredictionField",
        "cascadeDelete",
        "dependentPicklist",
        "deprecatedAndHidden",
        "displayLocationInDecimal",
        "encrypted",
        "formulaTreatNullNumberAsZero",
        "highScaleNumber",
        "htmlFormatted",
        "restrictedDelete",
        "searchPrefilterable",
        "writeRequiresMasterRead",
    };
    static const char *const nulls[] = {
        "calculatedFormula",
        "controllerName",
        "defaultValueFormula",
        "extraTypeInfo",
        "filteredLookupInfo",
        "inlineHelpText",
        "mask",
        "maskType",
        "referenceTargetField",
        "relationshipOrder",
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        js_put_flag(result, flags[i], false);
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        js_put(result, nulls[i], NULL);
}

static struct json_object *
describe_field(const struct object_facts *facts, const struct field_facts *field)
{
    struct json_object *result = js_object();

    js_put_text(result, "name", field->name);
    js_put_text(result, "label", field->label);
    js_put_text(result, "type", field_kind_name(field->kind));
    js_put_text(result, "soapType", soap_type(field->kind));
    js_put_text(result, "compoundFieldName", compound_of(facts, field));
    put_sizes(result, field);
    put_flags(result, field);
    put_unused(result);
    if (field == &address_fields[0]) { /* which states there are depends on the country */
        js_put_text(result, "controllerName", "CountryCode");
        js_put_flag(result, "dependentPicklist", true);
    }
    js_put(result, "defaultValue", field->kind == KIND_BOOLEAN ? json_object_new_boolean(0) : NULL);
    js_put(result, "picklistValues", picklist(field));
    js_put(result, "referenceTo", targets(field));
    js_put_text(result, "relationshipName", field->relationship);
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

/* The flags a describe of all objects has for each; those in the first list are false here. */
static void
put_object_flags(struct json_object *result, const struct object_facts *facts, bool may_write)
{
    static const char *const never[] = {
        "activateable",        "custom",      "customSetting", "deepCloneable",
        "deprecatedAndHidden", "hasSubtypes", "isInterface",   "isSubtype",
    };
    bool person = object_is(facts, OBJECT_USER) || object_is(facts, OBJECT_LEAD);

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        js_put_flag(result, never[i], false);
    js_put_flag(result, "createable", facts->flags & CAN_CREATE && may_write);
    js_put_flag(result, "updateable", facts->flags & CAN_UPDATE && may_write);
    js_put_flag(result, "deletable", facts->flags & CAN_DELETE); /* 3.1: User has no delete */
    js_put_flag(result, "undeletable", facts->flags & HAS_BIN);
    js_put_flag(result, "mergeable", object_is(facts, OBJECT_LEAD));
    js_put_flag(result, "queryable", true);
    js_put_flag(result, "retrieveable", true);
    js_put_flag(result, "replicateable", person);
    js_put_flag(result, "searchable", person);
    js_put_flag(result, "feedEnabled", person);
    js_put_flag(result, "layoutable", person);
    js_put_flag(result, "triggerable", person);
    js_put_flag(result, "mruEnabled", person);
}

struct json_object *
describe_summary(struct org *org, const struct object_facts *facts, const char *version)
{
    bool may_write = org->settings.manage_users || !object_is(facts, OBJECT_USER);
    struct json_object *result = js_object();

    js_put_text(result, "name", facts->name);
    js_put_text(result, "label", facts->label);
    js_put_text(result, "labelPlural", facts->plural);
    js_put_text(result, "keyPrefix", facts->prefix);
    js_put(result, "associateEntityType", NULL);
    js_put(result, "associateParentEntity", NULL);
    put_object_flags(result, facts, may_write);
    put_urls(result, facts, version);
    return result;
}

/* A reference of another object to this one. Its name from the parent's side is not simulated. */
static void
add_child(struct json_object *children, const struct object_facts *child,
          const struct field_facts *field)
{
    struct json_object *entry = js_object();

    js_put_flag(entry, "cascadeDelete", false);
    js_put_text(entry, "childSObject", child->name);
    js_put_flag(entry, "deprecatedAndHidden", false);
    js_put_text(entry, "field", field->name);
    js_put(entry, "junctionIdListNames", js_array());
    js_put(entry, "junctionReferenceTo", js_array());
    js_put(entry, "relationshipName", NULL);
    js_put_flag(entry, "restrictedDelete", false);
    js_append(children, entry);
}

static bool
leads_to(const struct field_facts *field, const char *object)
{
    AUTO_FREE char *all = text_format(",%s,", field->target ? field->target : "");
    AUTO_FREE char *one = text_format(",%s,", object);

    return strstr(all, one) != NULL;
}

static struct json_object *
children_of(struct org *org, const struct object_facts *facts)
{
    struct json_object *children = js_array();
    const struct field_facts *field;

    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        for (size_t j = 0; (field = org_field_at(org, &objects[i], j)); j++) {
            if (leads_to(field, facts->name))
                add_child(children, &objects[i], field);
        }
    }
    return children;
}

static struct json_object *
scopes(void)
{
    static const char *const names[][2] = { { "everything", "All" }, { "mine", "My" } };
    struct json_object *list = js_array();

    for (size_t i = 0; i < 2; i++) {
        struct json_object *scope = js_object();
        js_put_text(scope, "label", names[i][1]);
        js_put_text(scope, "name", names[i][0]);
        js_append(list, scope);
    }
    return list;
}

struct json_object *
describe_object(struct org *org, const struct object_facts *facts, const char *version)
{
    static const char *const nulls[] = {
        "defaultImplementation", "extendedBy",       "extendsInterfaces",     "implementedBy",
        "implementsInterfaces",  "lookupLayoutable", "networkScopeFieldName", "listviewable",
    };
    struct json_object *result = describe_summary(org, facts, version), *fields = js_array();
    const struct field_facts *field;

    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        js_put(result, nulls[i], NULL);
    for (size_t i = 0; (field = org_field_at(org, facts, i)); i++)
        js_append(fields, describe_field(facts, field));
    js_put(result, "fields", fields);
    js_put(result, "actionOverrides", js_array());
    js_put(result, "childRelationships", children_of(org, facts));
    js_put(result, "namedLayoutInfos", js_array());
    js_put(result, "recordTypeInfos", js_array());
    js_put(result, "supportedScopes", scopes());
    js_put_flag(result, "compactLayoutable", object_is(facts, OBJECT_USER));
    js_put_flag(result, "searchLayoutable", object_is(facts, OBJECT_USER));
    js_put_text(result, "sobjectDescribeOption", "FULL");
    return result;
}
