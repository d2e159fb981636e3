/* Mapping rules that cannot be: what is said of each, and where. */
#include "tests/unit/mapping_json.h"

static const struct mapping_defaults defaults = {
    .time_zone = "GMT", .locale = "en_US", .language = "en_US", .email_encoding = "UTF-8"
};

/* The first fault of one set of rules: "field: reason: remedy". */
static const char *
fault_of(const char *rules, size_t *ret_count)
{
    static char text[2048];
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *given = json(rules);
    struct mapping *mapping = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int result = mapping_compile(given, &defaults, faults, &mapping, &err);
    struct json_object *first = json_object_array_get_idx(faults, 0);

    T_INT(result, PROV_E_FIELDS);
    T_TRUE(mapping == NULL);
    mapping_free(mapping);
    snprintf(text, sizeof(text), "%s: %s: %s", json_get_string(first, "field"),
             json_get_string(first, "reason"), json_get_string(first, "remedy"));
    *ret_count = json_object_array_length(faults);
    return text;
}

static void
every_fault_of_a_rule_has_its_place_and_remedy(void)
{
    static const char *const faults[][2] = {
        { "{}", "mapping: the mapping is an array" },
        { "['x']", "mapping[0]: a rule is a JSON object" },
        { "[{'source':'x'}]", "mapping[0].field: a rule needs the name of the field" },
        { "[{'field':7,'source':'x'}]", "mapping[0].field: a rule needs the name" },
        { "[{'field':'Titel','source':'x'}]", "write 'Title', or the API name of a custom field" },
        { "[{'field':'Region_c','source':'x'}]", "custom field, which ends in __c" },
        { "[{'field':'__c','source':'x'}]", "no such standard field" },
        { "[{'field':'A-B__c','source':'x'}]", "no such standard field" },
        { "[{'field':'Name','source':'x'}]", "lets nobody write 'Name': map FirstName" },
        { "[{'field':'UserType','source':'x'}]", "lets nobody write 'UserType'" },
        { "[{'field':'username','source':'x'}]", "connector fields provisioning_pattern" },
        { "[{'field':'IsActive','source':'x'}]", "sfprov plans 'IsActive' itself" },
        { "[{'field':'ManagerId','source':'x'}]", "enterprise attribute `manager`" },
        { "[{'field':'Id','source':'x'}]", "keeps the link" },
        { "[{'field':'Title'},{'field':'Nick__c'}]", "neither where its value comes from" },
        { "[{'field':'Title','source':'a','constant':'b'}]", "both a source and a constant" },
        { "[{'field':'Title','source':''}]", "mapping[0].source: a source is the text" },
        { "[{'field':'Title','source':[]}]", "1 to 8 paths" },
        { "[{'field':'Title','source':['a',7]}]", "a source is the text of a SCIM path" },
        { "[{'field':'Title','source':'emails[type'}]", "position" },
        { "[{'field':'Title','source':'$nick'}]", "'$nick' is no source" },
        { "[{'field':'Title','source':'a','sorce':'b'}]", "the nearest known one is 'source'" },
        { "[{'field':'Title','constant':null}]", "use \"absent\": \"clear\"" },
        { "[{'field':'Title','constant':' '}]", "cannot be blank" },
        { "[{'field':'Title','constant':'$title'}]", "stands for no connector field" },
        { "[{'field':'Title','constant':['a']}]", "a text, a number, true or false" },
        { "[{'field':'Title','constant':'a','default':'b'}]", "never absent" },
        { "[{'field':'Title','constant':'a','absent':'leave'}]", "never absent" },
        { "[{'field':'ForecastEnabled','constant':'yes'}]", "takes true or false" },
        { "[{'field':'CallCenterId','constant':'Sales'}]", "15 or 18 characters" },
        { "[{'field':'Email','source':'a','default':'nobody'}]", "e-mail address" },
        { "[{'field':'EmployeeNumber','constant':'123456789012345678901'}]", "at most 20" },
        { "[{'field':'Title','truncate':5}]", "too_long" },
        { "[{'field':'Title','lower':true}]", "done by a step" },
        { "[{'field':'Title','too_long':'cut'}]", "write \"refuse\" or \"truncate\"" },
        { "[{'field':'Email','too_long':'truncate'}]", "a cut value of 'Email'" },
        { "[{'field':'ForecastEnabled','source':'x','too_long':'truncate'}]", "another value" },
        { "[{'field':'A__c','source':'x','too_long':'truncate'}]", "only the org knows" },
        { "[{'field':'Title','kind':'text'}]", "standard field is, is known" },
        { "[{'field':'Title','length':20}]", "{\"first\": 20}" },
        { "[{'field':'A__c','source':'x','kind':'txt'}]", "write one of text, long_text" },
        { "[{'field':'A__c','source':'x','kind':7}]", "'kind' is a text" },
        { "[{'field':'A__c','source':'x','length':7}]", "goes with \"kind\"" },
        { "[{'field':'A__c','source':'x','kind':'date','length':7}]", "goes with \"kind\"" },
        { "[{'field':'A__c','source':'x','kind':'text','length':256}]", "from 1 to 255" },
        { "[{'field':'A__c','source':'x','kind':'text','scale':2}]", "\"kind\": \"number\"" },
        { "[{'field':'A__c','source':'x','kind':'number','precision':19}]", "from 1 to 18" },
        { "[{'field':'A__c','source':'x','kind':'number','precision':2,'scale':3}]",
          "cannot have more digits behind the point" },
        { "[{'field':'A__c','kind':'number','constant':'x'}]", "takes a number in digits" },
        { "[{'field':'A__c','kind':'date','source':'x','default':'1.5.2026'}]", "takes a date" },
        { "[{'field':'A__c','kind':'text','length':2,'constant':'abc'}]", "at most 2 characters" },
        { "[{'field':'Title','when':'userType eq','source':'x'}]", "mapping[0].when" },
        { "[{'field':'Title','when':7,'source':'x'}]", "mapping[0].when: 'when' is a text" },
        { "[{'field':'Title','join':1}]", "mapping[0].join: 'join' is a text" },
        { "[{'field':'Title','constant':'a','steps':[{'lower':true}]}]", "needs no steps" },
        { "[{'field':'Title','constant':'a','join':''}]", "nothing to join" },
        { "[{'field':'Title','steps':[]}]", "an array of 1 to 16" },
        { "[{'field':'Title','steps':{'lower':true}}]", "an array of 1 to 16" },
        { "[{'field':'Title','steps':['lower']}]", "mapping[0].steps[0]: a step is a JSON object" },
        { "[{'field':'Title','steps':[{}]}]", "a step does one thing" },
        { "[{'field':'Title','steps':[{'lower':true,'upper':true}]}]", "make a step of each" },
        { "[{'field':'Title','steps':[{'lower':false}]}]", "switched off does nothing" },
        { "[{'field':'Title','steps':[{'lower':1}]}]", "'lower' is a switch" },
        { "[{'field':'Title','steps':[{'first':0}]}]", "steps[0].first: 'first' is a number" },
        { "[{'field':'Title','steps':[{'split':''}]}]", "cannot be split at nothing" },
        { "[{'field':'Title','steps':[{'first':1,'with':'x'}]}]", "has the key 'with'" },
        { "[{'field':'Title','steps':[{'replace':'a'}]}]", "says what it puts in" },
        { "[{'field':'Title','steps':[{'replace':'(','with':''}]}]",
          "mapping[0].steps[0].replace: not a regular expression, at position 2" },
        { "[{'field':'Title','steps':[{'replace':'a','with':'$1'}]}]",
          "mapping[0].steps[0].with: the '$' at position 1 names no group" },
        { "[{'field':'Title','steps':[{'replace':'(a)','with':'${1'}]}]", "names no group" },
        { "[{'field':'Title','steps':[{'match':'(?<n>a)','with':'x${m}'}]}]", "position 2" },
        { "[{'field':'Title','steps':[{'match':'a{3000}'}]}]", "can never match" },
        { "[{'field':'Title','steps':[{'match':'\\\\C'}]}]", "not a regular expression" },
        { "[{'field':'Title','steps':[{'lookup':{}}]}]", "at least one row" },
        { "[{'field':'Title','steps':[{'lookup':{'a':['b']}}]}]", "lookup.a: a lookup gives" },
        { "[{'field':'Title','steps':[{'lookup':{'a':'b','A':'c'}}]}]", "in the table twice" },
        { "[{'field':'Title','steps':[{'lookup':{'a':'b'},'unknown':'drop'}]}]",
          "write \"absent\", \"keep\" or \"refuse\"" },
        { "[{'field':'Title','steps':[{'lookup':{'a':'b'},'unknown':'keep','default':'x'}]}]",
          "keep one of them" },
        { "[{'field':'Title','steps':[{'lookup':{'a':'b'},'default':null}]}]", "a default is" },
        { "[{'field':'A__c','kind':'number','source':'x','steps':[{'lookup':{'a':'b'}}]}]",
          "mapping[0].steps[0].lookup.a: the field 'A__c' takes a number" },
        { "[{'field':'A__c','kind':'boolean','source':[{'source':'x','steps':[{'lookup':"
          "{'a':true},'default':'no'}]}]}]",
          "mapping[0].source[0].steps[0].default: the field 'A__c' takes true or false" },
        { "[{'field':'Title','source':{'join':' '}}]", "mapping[0].source[0]: it says not" },
        { "[{'field':'Title','source':{'source':'title','when':'x'}}]", "no source has the key" },
        { "[{'field':'Title','source':[{'source':{'source':{'source':{'source':'x'}}}}]}]",
          "more than 4 deep" },
        { "[{'field':'Title','apply':'update'}]", "write \"always\" or \"create\"" },
        { "[{'field':'Title','absent':true}]", "write \"clear\" or \"leave\"" },
        { "[{'field':'Title','remove':false}]", "can only be true" },
        { "[{'field':'Title','remove':true,'source':'x'}]", "can say nothing else" },
        { "[{'field':'LastName','remove':true}]", "creates no user without 'LastName'" },
        { "[{'field':'AboutMe','remove':true}]", "nothing to remove" },
    };
    size_t count;

    for (size_t i = 0; i < COUNT(faults); i++) {
        T_HAS(fault_of(faults[i][0], &count), faults[i][1]);
        T_INT(count, 1);
    }
}

static void
all_faults_of_all_rules_are_told(void)
{
    size_t count;
    const char *first =
        fault_of("[{'field':'Title','source':'a','too_long':1,'apply':'x','oops':1},"
                 "{'field':'Nope','source':'a[','absent':1},{'field':'TITLE','source':'b'}]",
                 &count);

    T_HAS(first, "mapping[0].oops");
    T_INT(count, 7);
}

static void
two_rules_for_one_field_are_refused(void)
{
    size_t count;

    T_HAS(fault_of("[{'field':'Title','source':'a'},{'field':'title','source':'b'}]", &count),
          "mapping[1].field: 'title' has a rule already, mapping[0]");
}

static const struct unit_case cases[] = {
    UNIT_CASE(every_fault_of_a_rule_has_its_place_and_remedy),
    UNIT_CASE(all_faults_of_all_rules_are_told),
    UNIT_CASE(two_rules_for_one_field_are_refused),
};

int
main(int argc, char **argv)
{
    return unit_run("mapping_rules", cases, COUNT(cases), argc, argv);
}
