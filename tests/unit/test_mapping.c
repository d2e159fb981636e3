/* The attribute mapping: what the default mapping makes of a SCIM user, what each key of a rule
 * does, and what is said of a value that does not fit. Also that docs/mapping.md shows the default
 * mapping, and examples that work. */
#include "schema/mapping_rule.h"
#include "schema/user_fields.h"
#include "tests/unit/mapping_json.h"

static const struct mapping_defaults defaults = {
    .time_zone = "GMT", .locale = "en_US", .language = "en_US", .email_encoding = "UTF-8"
};

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static struct mapping *
compile(const char *rules)
{
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *given = rules ? json(rules) : NULL;
    struct mapping *mapping = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(mapping_compile(given, &defaults, faults, &mapping, &err), &err);
    T_INT(json_object_array_length(faults), 0);
    return mapping;
}

#define AUTO_MAPPING CLEANUP(mapping_cleanup) struct mapping

/* One application with what comes out of it. */
struct run {
    int result;
    struct json_object *fields, *trace;
    struct prov_error err;
};

static void
run_cleanup(struct run *run)
{
    json_object_put(run->fields);
    json_object_put(run->trace);
}

#define AUTO_RUN CLEANUP(run_cleanup) struct run

static struct run
apply(const char *rules, const char *resource, bool creating)
{
    AUTO_MAPPING *mapping = compile(rules);
    AUTO_JSON struct json_object *user = json(resource);
    struct run run = { .err = PROV_ERROR_INIT };

    if (mapping)
        run.result = apply_mapping(mapping, user, creating, &run.fields, &run.trace, &run.err);
    return run;
}

/* The value of a field as JSON text; "(none)" when the mapping sends nothing. */
static const char *
sent(const struct run *run, const char *field)
{
    struct json_object *value = NULL;

    if (!run->fields || !json_object_object_get_ex(run->fields, field, &value))
        return "(none)";
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                        : json_object_to_json_string(value);
}

/* What the trace says of a field: "from|note". */
static const char *
traced(const struct run *run, const char *field)
{
    static char text[512];

    text[0] = '\0';
    for (size_t i = 0; run->trace && i < json_object_array_length(run->trace); i++) {
        struct json_object *entry = json_object_array_get_idx(run->trace, i);
        if (strcmp(json_get_string(entry, "field"), field) == 0)
            snprintf(text, sizeof(text), "%s|%s", json_get_string(entry, "from"),
                     json_get_string(entry, "note"));
    }
    return text;
}

static const char barbara[] =
    "{'userName':'bjensen@example.com','externalId':'701984',"
    "'name':{'familyName':'Jensen','givenName':'Barbara','middleName':'Jane',"
    "'honorificSuffix':'III'},'displayName':'Babs Jensen','nickName':'Babs',"
    "'emails':[{'value':'babs@jensen.org','type':'home'},"
    "{'value':'bjensen@example.com','type':'work','primary':true}],"
    "'phoneNumbers':[{'value':'555-555-4444','type':'mobile'},"
    "{'value':'tel:+1-201-555-0123','type':'work'},{'value':'555-1','type':'fax'}],"
    "'addresses':[{'streetAddress':'456 Hollywood Blvd','type':'home'},"
    "{'streetAddress':'100 Universal City Plaza\\nFloor 2','locality':'Hollywood','region':'CA',"
    "'postalCode':'91608','country':'USA','type':'work'}],"
    "'title':'Tour Guide','preferredLanguage':'en-GB, en;q=0.8','locale':'en-US',"
    "'timezone':'America/Los_Angeles','active':true,"
    "'" ENTERPRISE "':{'employeeNumber':'701984','organization':'Universal Studios',"
    "'division':'Theme Park','department':'Tour Operations','manager':{'value':'26118915'}}}";

/* ---- the default mapping ---- */

static void
a_full_scim_user_fills_what_the_default_mapping_names(void)
{
    static const char *const want[][2] = {
        { "LastName", "Jensen" },
        { "FirstName", "Barbara" },
        { "Alias", "bjensen" },
        { "Email", "bjensen@example.com" },
        { "Title", "Tour Guide" },
        { "CompanyName", "Universal Studios" },
        { "Division", "Theme Park" },
        { "Department", "Tour Operations" },
        { "EmployeeNumber", "701984" },
        { "Phone", "+1-201-555-0123" },
        { "MobilePhone", "555-555-4444" },
        { "Fax", "555-1" },
        { "Street", "100 Universal City Plaza\nFloor 2" },
        { "City", "Hollywood" },
        { "State", "CA" },
        { "PostalCode", "91608" },
        { "Country", "USA" },
        { "TimeZoneSidKey", "America/Los_Angeles" },
        { "LocaleSidKey", "en_US" },
        { "LanguageLocaleKey", "en_GB" },
        { "EmailEncodingKey", "UTF-8" },
    };
    AUTO_RUN run = apply(NULL, barbara, true);

    T_OK(run.result, &run.err);
    for (size_t i = 0; i < COUNT(want); i++)
        T_STR(sent(&run, want[i][0]), want[i][1]);
    T_INT(json_object_object_length(run.fields), COUNT(want));
    T_STR(traced(&run, "Alias"), "$alias: name.givenName, name.familyName|");
    T_STR(traced(&run, "EmailEncodingKey"), "connector field email_encoding|");
    T_STR(traced(&run, "LocaleSidKey"), "locale|in Salesforce's spelling");
    T_STR(traced(&run, "Email"), "emails[primary eq true].value|");
}

static void
the_least_of_users_can_be_created(void)
{
    AUTO_RUN run = apply(NULL,
                         "{'userName':'cher','name':{'familyName':'Cher'},"
                         "'emails':[{'value':'cher@example.com'}]}",
                         true);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "LastName"), "Cher");
    T_STR(sent(&run, "Alias"), "cher");
    T_STR(sent(&run, "TimeZoneSidKey"), "GMT");
    T_STR(sent(&run, "LocaleSidKey"), "en_US");
    T_STR(sent(&run, "LanguageLocaleKey"), "en_US");
    T_STR(sent(&run, "FirstName"), "null");
    T_STR(traced(&run, "TimeZoneSidKey"), "connector field time_zone|");
}

static void
every_required_field_is_covered_or_planned_by_sfprov(void)
{
    AUTO_MAPPING *mapping = compile(NULL);
    const struct user_field *rows;
    size_t count, required = 0;

    rows = user_field_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].required) {
            required++;
            T_TRUE(rows[i].ours || rows[i].names || mapping_has(mapping, rows[i].name));
        }
        if (rows[i].ours || rows[i].read_only)
            T_TRUE(!mapping_has(mapping, rows[i].name));
    }
    T_INT(required, 9); /* fact sheet 3.2 */
    T_TRUE(!mapping_has(mapping, "FederationIdentifier"));
    T_TRUE(!mapping_has(mapping, "CommunityNickname"));
}

static void
what_users_set_themselves_is_left_alone_after_creation(void)
{
    AUTO_RUN none = apply(NULL, "{'name':{'familyName':'A'},'emails':[{'value':'a@b.c'}]}", false);
    AUTO_RUN given = apply(NULL, barbara, false);

    T_OK(none.result, &none.err);
    T_STR(sent(&none, "TimeZoneSidKey"), "(none)");
    T_STR(sent(&none, "LocaleSidKey"), "(none)");
    T_STR(sent(&none, "LanguageLocaleKey"), "(none)");
    T_STR(sent(&none, "EmailEncodingKey"), "(none)");
    T_STR(sent(&none, "Alias"), "(none)");
    T_STR(sent(&none, "Title"), "null");
    T_STR(traced(&none, "Alias"), "|left as it is: set only when the user is created");
    T_STR(traced(&none, "TimeZoneSidKey"), "|left as it is: the resource has no value");
    T_STR(traced(&none, "Title"), "|cleared: the resource has no value");
    T_STR(sent(&given, "TimeZoneSidKey"), "America/Los_Angeles");
}

static void
the_work_email_is_taken_when_none_is_primary_and_else_the_first(void)
{
    AUTO_RUN work = apply(NULL,
                          "{'name':{'familyName':'A'},'emails':[{'value':'h@x.y',"
                          "'type':'home'},{'value':'w@x.y','type':'work'}]}",
                          true);
    AUTO_RUN first = apply(NULL,
                           "{'name':{'familyName':'A'},'emails':[{'value':'h@x.y',"
                           "'type':'home'},{'value':'o@x.y','type':'other'}]}",
                           true);

    T_STR(sent(&work, "Email"), "w@x.y");
    T_STR(sent(&first, "Email"), "h@x.y");
}

static void
a_display_name_stands_in_for_a_missing_family_name(void)
{
    AUTO_RUN run = apply(NULL, "{'displayName':'Prince','emails':[{'value':'p@x.y'}]}", true);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "LastName"), "Prince");
    T_STR(sent(&run, "Alias"), "prince");
}

static void
an_attribute_of_the_home_is_not_taken_for_work(void)
{
    AUTO_RUN run = apply(NULL,
                         "{'name':{'familyName':'A'},'emails':[{'value':'a@b.c'}],"
                         "'addresses':[{'locality':'Secret Place','type':'home'}],"
                         "'phoneNumbers':[{'value':'1','type':'home'}]}",
                         false);

    T_STR(sent(&run, "City"), "null");
    T_STR(sent(&run, "Phone"), "null");
}

/* ---- what cannot be sent ---- */

static void
all_missing_required_fields_are_named(void)
{
    AUTO_RUN run = apply(NULL, "{'title':'x'}", true);

    T_INT(run.result, PROV_E_INVALID);
    T_HAS(run.err.text, "3 fields cannot be sent");
    T_HAS(run.err.text, "'LastName' is required by Salesforce and the resource has no "
                        "'name.familyName' and none of its other sources");
    T_HAS(run.err.text, "'Email' is required");
    T_HAS(run.err.text, "'Alias' is required by Salesforce and the resource has no '$alias'");
    T_HAS(run.err.text, "give it a value at the host");
    T_TRUE(run.fields == NULL && run.trace == NULL);
}

static void
a_required_field_is_never_cleared(void)
{
    AUTO_RUN run = apply(NULL, "{'name':{'familyName':''},'emails':[{'value':'a@b.c'}]}", false);

    T_INT(run.result, PROV_E_INVALID);
    T_HAS(run.err.text, "'LastName' is required");
}

static void
every_value_that_does_not_fit_is_named_with_limit_source_and_remedy(void)
{
    AUTO_RUN run = apply(
        NULL,
        "{'name':{'familyName':'A','givenName':'"
        "ääääääääääääääääääääääääääääääääääääääääX'},"
        "'emails':[{'value':'no address'}],'timezone':'Mars/Base/On/The/Northern/Polar/Ice/Cap/12',"
        "'" ENTERPRISE "':{'employeeNumber':'123456789012345678901'},'title':['a','b'],"
        "'locale':{'a':1}}",
        true);

    T_INT(run.result, PROV_E_INVALID);
    T_HAS(run.err.text, "5 fields cannot be sent");
    T_HAS(run.err.text, "'FirstName' (from 'name.givenName') takes at most 40 characters, the "
                        "value has 41 ('ääääääääääääääääääääääää...')");
    T_HAS(run.err.text, "shorten it at the host, or set \"too_long\": \"truncate\" in the "
                        "mapping rule of 'FirstName'");
    T_HAS(run.err.text, "'Email' (from 'emails.value') takes an e-mail address, the value is "
                        "'no address'");
    T_HAS(run.err.text, "'EmployeeNumber' (from '" ENTERPRISE ":employeeNumber')");
}

static void
lengths_count_characters_not_bytes(void)
{
    AUTO_RUN run = apply(NULL,
                         "{'name':{'familyName':'A','givenName':'"
                         "ääääääääääääääääääääääääääääääääääääääää'},"
                         "'emails':[{'value':'a@b.c'}]}",
                         false);

    T_OK(run.result, &run.err);
}

static void
a_value_with_a_nul_is_not_cut_in_silence(void)
{
    AUTO_RUN run =
        apply(NULL, "{'name':{'familyName':'A\\u0000B'},'emails':[{'value':'a@b.c'}]}", false);

    T_INT(run.result, PROV_E_INVALID);
    T_HAS(run.err.text, "'LastName' (from 'name.familyName')");
    T_HAS(run.err.text, "NUL");
}

static void
a_resource_that_is_no_object_is_refused(void)
{
    AUTO_RUN list = apply(NULL, "[]", true);

    T_INT(list.result, PROV_E_INVALID);
    T_HAS(list.err.text, "no JSON object");
}

/* ---- the keys of a rule ---- */

#define PERSON "'name':{'familyName':'A'},'emails':[{'value':'a@b.c'}]"

static void
a_rule_with_a_source_takes_the_place_of_the_default_one(void)
{
    AUTO_RUN run =
        apply("[{'field':'title','source':['custom','" ENTERPRISE ":costCenter'],"
              "'default':'none'}]",
              "{" PERSON ",'title':'ignored','" ENTERPRISE "':{'costCenter':'4130'}}", false);
    AUTO_RUN dflt = apply("[{'field':'Title','source':'custom','default':'none'}]",
                          "{" PERSON ",'title':'ignored'}", false);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "Title"), "4130");
    T_STR(sent(&dflt, "Title"), "none");
    T_STR(traced(&dflt, "Title"), "default|");
}

static void
a_rule_without_source_changes_only_what_it_names(void)
{
    AUTO_RUN run = apply("[{'field':'Title','steps':[{'lower':true},{'first':5}]},"
                         "{'field':'Alias','apply':'always'}]",
                         "{" PERSON ",'title':'ÉCOLE NORMALE'}", false);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "Title"), "école");
    T_STR(sent(&run, "Alias"), "a");
    T_STR(traced(&run, "Title"), "title|");
}

static void
first_counts_characters_and_drops_a_bared_blank(void)
{
    AUTO_RUN run = apply(
        "[{'field':'FirstName','steps':[{'first':3}]},{'field':'Title','steps':[{'first':4}]}]",
        "{'name':{'familyName':'A','givenName':'日本語テキスト'},'title':'Der Chef',"
        "'emails':[{'value':'a@b.c'}]}",
        false);

    T_STR(sent(&run, "FirstName"), "日本語");
    T_STR(sent(&run, "Title"), "Der");
}

static void
a_constant_needs_no_source(void)
{
    AUTO_RUN run =
        apply("[{'field':'CompanyName','constant':'Acme $$'},"
              "{'field':'UserPermissionsMarketingUser','constant':'False'},"
              "{'field':'Region__c','constant':7},{'field':'LanguageLocaleKey',"
              "'constant':'$language','apply':'create'},{'field':'AboutMe','constant':'$$5'}]",
              "{" PERSON "}", true);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "CompanyName"), "Acme $$");
    T_STR(sent(&run, "UserPermissionsMarketingUser"), "false");
    T_TRUE(json_object_is_type(json_get(run.fields, "UserPermissionsMarketingUser"),
                               json_type_boolean));
    T_STR(sent(&run, "Region__c"), "7");
    T_STR(sent(&run, "AboutMe"), "$5");
    T_STR(sent(&run, "LanguageLocaleKey"), "en_US");
    T_STR(traced(&run, "CompanyName"), "constant|");
}

static void
absent_leave_sends_nothing_and_clear_sends_null(void)
{
    static const char rules[] =
        "[{'field':'Title','absent':'leave'},"
        "{'field':'Division','absent':'clear'},"
        "{'field':'Code__c','source':'code','default':'x','absent':'leave'}]";
    AUTO_RUN update =
        apply(rules, "{" PERSON ",'title':'  ','" ENTERPRISE "':{'division':null}}", false);
    AUTO_RUN create = apply(rules, "{" PERSON "}", true);

    T_STR(sent(&update, "Title"), "(none)");
    T_STR(sent(&update, "Division"), "null");
    T_STR(sent(&update, "Code__c"), "(none)");
    T_STR(sent(&create, "Title"), "(none)");
    T_STR(sent(&create, "Code__c"), "x");
}

static void
a_rule_can_be_taken_out(void)
{
    AUTO_RUN run = apply("[{'field':'street','remove':true}]", barbara, true);

    T_OK(run.result, &run.err);
    T_STR(sent(&run, "Street"), "(none)");
    T_STR(sent(&run, "City"), "Hollywood");
}

static void
booleans_come_as_strings_in_any_case(void)
{
    static const char rules[] = "[{'field':'ForecastEnabled','source':'forecast'},"
                                "{'field':'UserPreferencesDarkMode','source':'dark'}]";
    AUTO_RUN entra = apply(rules, "{" PERSON ",'forecast':'True','dark':false}", false);
    AUTO_RUN none = apply(rules, "{" PERSON "}", false);
    AUTO_RUN bad = apply(rules, "{" PERSON ",'forecast':'yes','dark':1}", false);

    T_STR(sent(&entra, "ForecastEnabled"), "true");
    T_STR(sent(&entra, "UserPreferencesDarkMode"), "false");
    T_STR(sent(&none, "ForecastEnabled"), "false");
    T_INT(bad.result, PROV_E_INVALID);
    T_HAS(bad.err.text, "'ForecastEnabled' (from 'forecast') takes true or false, the value is "
                        "'yes'");
    T_HAS(bad.err.text, "the value is '1'");
}

static void
a_custom_field_takes_any_one_value(void)
{
    static const char rules[] = "[{'field':'A__c','source':'a'},{'field':'b__C','source':'b'},"
                                "{'field':'ns__D__c','source':'d'},{'field':'E__c','source':'e'}]";
    AUTO_RUN run =
        apply(rules, "{" PERSON ",'a':1.5,'b':true,'d':'text','e':[{'value':'v'}]}", false);
    AUTO_RUN bad = apply(rules, "{" PERSON ",'a':{'x':1}}", false);

    T_STR(sent(&run, "A__c"), "1.5");
    T_STR(sent(&run, "b__C"), "true");
    T_STR(sent(&run, "ns__D__c"), "text");
    T_STR(sent(&run, "E__c"), "v");
    T_HAS(bad.err.text, "'A__c' (from 'a') takes one value");
}

static void
numbers_and_booleans_become_text_where_text_is_needed(void)
{
    AUTO_RUN run =
        apply(NULL, "{" PERSON ",'title':false,'" ENTERPRISE "':{'employeeNumber':42}}", false);

    T_STR(sent(&run, "EmployeeNumber"), "42");
    T_STR(sent(&run, "Title"), "false");
    T_TRUE(json_object_is_type(json_get(run.fields, "EmployeeNumber"), json_type_string));
}

static void
a_reference_must_be_an_id(void)
{
    static const char rules[] = "[{'field':'CallCenterId','source':'role'}]";
    AUTO_RUN good = apply(rules, "{" PERSON ",'role':'04v5g000000AbCdEAK'}", false);
    AUTO_RUN bad = apply(rules, "{" PERSON ",'role':'Sales'}", false);

    T_STR(sent(&good, "CallCenterId"), "04v5g000000AbCdEAK");
    T_HAS(bad.err.text, "takes a Salesforce Id of 15 or 18 characters, the value is 'Sales'");
}

static void
values_lose_white_space_at_their_ends(void)
{
    AUTO_RUN run = apply(NULL,
                         "{'name':{'familyName':' Jensen\\n'},'emails':[{'value':'a@b.c '}],"
                         "'title':' '}",
                         false);

    T_STR(sent(&run, "LastName"), "Jensen");
    T_STR(sent(&run, "Email"), "a@b.c");
    T_STR(sent(&run, "Title"), "null");
}

static void
choices_in_another_order_are_the_same(void)
{
    AUTO_MAPPING *mapping = compile("[{'field':'Skills__c','kind':'multi_picklist','source':'x'},"
                                    "{'field':'Note__c','source':'y'}]");
    struct value *one = value_quoted("'a;b'");
    struct value *other = value_quoted("'b;a'");
    struct value *more = value_quoted("'b;a;c'");

    T_TRUE(mapping_same(mapping, "skills__C", one, other));
    T_TRUE(!mapping_same(mapping, "Skills__c", one, more));
    T_TRUE(!mapping_same(mapping, "Skills__c", one, NULL));
    T_TRUE(!mapping_same(mapping, "Note__c", one, other));
    T_TRUE(mapping_same(mapping, "Note__c", one, one));
    T_TRUE(mapping_same(mapping, "Note__c", NULL, NULL));
}

static void
another_spelling_of_an_id_or_of_lines_is_the_same(void)
{
    AUTO_MAPPING *mapping = compile("[{'field':'Boss__c','kind':'reference','source':'x'},"
                                    "{'field':'Note__c','source':'y'}]");
    struct value *short_id = value_quoted("'0055g00000AbCdF'");
    struct value *long_id = value_quoted("'0055g00000AbCdFAAV'");
    struct value *other_id = value_quoted("'0055g00000AbCdGAAV'");
    struct value *two = value_quoted("'a\\nb'");

    T_TRUE(mapping_same(mapping, "boss__C", short_id, long_id));
    T_TRUE(!mapping_same(mapping, "Boss__c", short_id, other_id));
    T_TRUE(!mapping_same(mapping, "Note__c", short_id, long_id));
    T_TRUE(!mapping_same(mapping, "Boss__c", value_quoted("'0055'"), long_id));
    T_TRUE(mapping_same(mapping, "Note__c", two, value_quoted("'a\\r\\nb'")));
    T_TRUE(mapping_same(mapping, "Note__c", value_quoted("'a\\r\\nb'"), two));
    T_TRUE(!mapping_same(mapping, "Note__c", two, value_quoted("'a\\rb'")));
    T_TRUE(!mapping_same(mapping, "Note__c", two, value_quoted("'a\\r\\n'")));
    T_TRUE(!mapping_same(mapping, "Note__c", two, value_quoted("'a\\nb\\r\\n'")));
}

/* ---- the document ---- */

/* One rule as a row of the table in docs/mapping.md. */
static void
write_table_row(FILE *out, struct json_object *rule)
{
    struct json_object *source = json_get(rule, "source");
    const char *fallback = json_get_string(rule, "default");
    const char *absent = json_get_string(rule, "absent");
    const char *apply_when = json_get_string(rule, "apply");

    fprintf(out, "| `%s` |", json_get_string(rule, "field"));
    if (json_object_is_type(source, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(source); i++)
            fprintf(out, "%s `%s`", i ? ", else" : "",
                    json_object_get_string(json_object_array_get_idx(source, i)));
    } else if (source) {
        fprintf(out, " `%s`", json_object_get_string(source));
    } else {
        fprintf(out, " constant `%s`", json_get_string(rule, "constant"));
    }
    fprintf(out, " | %s%s%s | %s | %s |\n", fallback ? "`" : "", fallback ? fallback : "",
            fallback ? "`" : "", apply_when ? apply_when : "always",
            source ? (absent ? absent : "clear") : "");
}

/* The table; heap. No checks: also used outside of a test. */
static char *
table(void)
{
    AUTO_JSON struct json_object *rules = NULL;
    const char *text = mapping_default_rules();
    char *written = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&written, &length);

    if (json_parse(text, strlen(text), "the default mapping", &rules, NULL) == PROV_OK) {
        fputs("| Salesforce field | from | default | apply | absent |\n|---|---|---|---|---|\n",
              out);
        for (size_t i = 0; i < json_object_array_length(rules); i++)
            write_table_row(out, json_object_array_get_idx(rules, i));
    }
    fclose(out);
    return written;
}

static void
the_document_holds_the_default_mapping(void)
{
    const char *top = getenv("srcdir");
    AUTO_FREE char *want = table();
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/docs/mapping.md", top ? top : ".");
    file = fopen(path, "r");
    T_TRUE(file != NULL);
    if (!file)
        return;
    if (getdelim(&text, &size, '\0', file) < 0)
        T_TRUE(false);
    fclose(file);
    T_HAS(want, "| `LastName` |");
    T_HAS(text, want);
}

static struct mapping *
compile_quietly(const char *text)
{
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *warnings = json_object_new_array();
    AUTO_JSON struct json_object *rules = NULL;
    struct fault_list fault_list = { .array = faults }, warning_list = { .array = warnings };
    struct mapping *mapping = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(json_parse(text, strlen(text), "the example", &rules, &err), &err);
    T_OK(mapping_compile_list(rules, &defaults, &fault_list, &warning_list, &mapping, &err), &err);
    T_STR(json_object_to_json_string(warnings), "[ ]");
    return mapping;
}

/* Every rule shown in the document, between ```json and ```, compiles, and no warning is given. */
static void
every_example_of_the_document_compiles_without_warning(void)
{
    const char *top = getenv("srcdir");
    AUTO_FREE char *text = NULL;
    size_t size = 0, examples = 0;
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/docs/mapping.md", top ? top : ".");
    file = fopen(path, "r");
    T_TRUE(file != NULL);
    if (!file)
        return;
    if (getdelim(&text, &size, '\0', file) < 0)
        text[0] = '\0';
    fclose(file);
    for (char *at = strstr(text, "```json\n"), *end; at; at = strstr(end, "```json\n")) {
        AUTO_MAPPING *mapping = NULL;
        at += strlen("```json\n");
        end = strstr(at, "\n```");
        if (!end)
            break;
        *end++ = '\0';
        mapping = compile_quietly(at);
        T_TRUE(mapping != NULL);
        examples++;
    }
    T_TRUE(examples >= 18);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_full_scim_user_fills_what_the_default_mapping_names),
    UNIT_CASE(the_least_of_users_can_be_created),
    UNIT_CASE(every_required_field_is_covered_or_planned_by_sfprov),
    UNIT_CASE(what_users_set_themselves_is_left_alone_after_creation),
    UNIT_CASE(the_work_email_is_taken_when_none_is_primary_and_else_the_first),
    UNIT_CASE(a_display_name_stands_in_for_a_missing_family_name),
    UNIT_CASE(an_attribute_of_the_home_is_not_taken_for_work),
    UNIT_CASE(all_missing_required_fields_are_named),
    UNIT_CASE(a_required_field_is_never_cleared),
    UNIT_CASE(every_value_that_does_not_fit_is_named_with_limit_source_and_remedy),
    UNIT_CASE(lengths_count_characters_not_bytes),
    UNIT_CASE(a_value_with_a_nul_is_not_cut_in_silence),
    UNIT_CASE(a_resource_that_is_no_object_is_refused),
    UNIT_CASE(a_rule_with_a_source_takes_the_place_of_the_default_one),
    UNIT_CASE(a_rule_without_source_changes_only_what_it_names),
    UNIT_CASE(first_counts_characters_and_drops_a_bared_blank),
    UNIT_CASE(a_constant_needs_no_source),
    UNIT_CASE(absent_leave_sends_nothing_and_clear_sends_null),
    UNIT_CASE(a_rule_can_be_taken_out),
    UNIT_CASE(booleans_come_as_strings_in_any_case),
    UNIT_CASE(a_custom_field_takes_any_one_value),
    UNIT_CASE(numbers_and_booleans_become_text_where_text_is_needed),
    UNIT_CASE(a_reference_must_be_an_id),
    UNIT_CASE(values_lose_white_space_at_their_ends),
    UNIT_CASE(choices_in_another_order_are_the_same),
    UNIT_CASE(another_spelling_of_an_id_or_of_lines_is_the_same),
    UNIT_CASE(the_document_holds_the_default_mapping),
    UNIT_CASE(every_example_of_the_document_compiles_without_warning),
};

/* --print-table: the default mapping as it stands in docs/mapping.md. */
int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--print-table") == 0) {
        AUTO_FREE char *text = table();
        fputs(text, stdout);
        return 0;
    }
    return unit_run("mapping", cases, COUNT(cases), argc, argv);
}
