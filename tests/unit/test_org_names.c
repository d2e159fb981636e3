/* Profiles and roles that the mapping names: what a plan makes of them with what is known of the org.
 * What is asked of the org, and in how many queries, is in e2e/test_facts.py. */
#include "plugin/delivery/org_names.h"
#include "plugin/delivery/plan.h"
#include "schema/letters.h"
#include "tests/unit/mapping_json.h"

/* One resolution. */
struct resolved {
    struct value *wanted, *lacks;
    const char *fault;
};

static struct resolved
resolve(const char *names, const char *wanted, struct json_object **ret_names)
{
    struct resolved resolved = { .wanted = value_quoted(wanted) };

    *ret_names = names ? json(names) : NULL;
    T_INT(org_names_resolve(&test_values, *ret_names, resolved.wanted, &resolved.lacks,
                            &resolved.fault),
          PROV_OK);
    return resolved;
}

static void
resolves(const char *names, const char *wanted, const char *after, const char *lacks,
         const char *fault)
{
    struct json_object *known;
    struct resolved got = resolve(names, wanted, &known);
    AUTO_FREE char *got_wanted = value_json(got.wanted), *got_lacks = value_json(got.lacks);

    T_STR(got_wanted, after);
    T_STR(got.lacks ? got_lacks : "", lacks);
    T_STR(got.fault ? got.fault : "", fault);
    json_object_put(known);
}

#define KNOWN                                                                                      \
    "{'UserRole':{'sales':'00E5g0000A7E9vkEQC','gone':{'fault':'there is no role'}},"              \
    "'Profile':{'sales':'00e5g0000A7E9vhAQC'}}"

static void
a_known_name_becomes_its_id_whatever_its_case(void)
{
    resolves(KNOWN, "{'UserRoleId':'SALES','ProfileId':'Sales','Title':'sales'}",
             "{\"UserRoleId\":\"00E5g0000A7E9vkEQC\",\"ProfileId\":\"00e5g0000A7E9vhAQC\","
             "\"Title\":\"sales\"}",
             "", "");
}

static void
an_id_is_no_name(void)
{
    resolves(NULL, "{'UserRoleId':'00E5g0000A7E9vk','ProfileId':'00e5g0000A7E9vhAQC'}",
             "{\"UserRoleId\":\"00E5g0000A7E9vkEQC\",\"ProfileId\":\"00e5g0000A7E9vhAQC\"}", "",
             "");
}

static void
an_id_of_another_object_is_a_name(void)
{
    resolves(NULL, "{'UserRoleId':'00e5g0000A7E9vhAQC'}", "{}",
             "[{\"object\":\"UserRole\",\"name\":\"00e5g0000A7E9vhAQC\"}]", "");
}

static void
an_unknown_name_is_taken_out_and_asked_for(void)
{
    resolves(NULL, "{'UserRoleId':'Sales','ProfileId':'Admins'}", "{}",
             "[{\"object\":\"Profile\",\"name\":\"Admins\"},"
             "{\"object\":\"UserRole\",\"name\":\"Sales\"}]",
             "");
}

static void
a_name_that_the_org_has_not_is_a_fault_until_it_is_forgotten(void)
{
    AUTO_JSON struct json_object *known = json(KNOWN);

    resolves(KNOWN, "{'UserRoleId':'Gone'}", "{\"UserRoleId\":\"Gone\"}", "", "there is no role");
    org_names_forget_missing(known);
    T_TRUE(json_get(json_get(known, "UserRole"), "gone") == NULL);
    T_TRUE(json_get(json_get(known, "UserRole"), "sales") != NULL);
    org_names_forget_missing(NULL);
}

static void
a_cleared_role_is_cleared(void)
{
    resolves(NULL, "{'UserRoleId':null}", "{\"UserRoleId\":null}", "", "");
}

/* ---- in the org's lists ---- */

#define ROLES                                                                                      \
    "[{'Id':'00E5g0000A7E9vkEQC','Name':'Sales','DeveloperName':'Sales_1'},"                       \
    "{'Id':'00E5g0000A7E9vlEQC','Name':'Sales','DeveloperName':'Sales_2'},"                        \
    "{'Id':'00E5g0000A7E9vmEQC','Name':'Sales_2','DeveloperName':'Other'},"                        \
    "{'Id':'nonsense','Name':'Broken','DeveloperName':'Broken'},{'Name':'Hidden'},{}]"

static void
finds(const char *name, const char *found)
{
    AUTO_JSON struct json_object *rows = json(ROLES);
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    AUTO_JSON struct json_object *known = json_object_new_object();
    AUTO_FREE char *key = letters_lower(name);
    bool missing;
    struct json_object *answer;

    T_INT(org_names_want(wanted, name), PROV_OK);
    T_INT(org_names_learn(known, "UserRole", wanted, rows, &missing), PROV_OK);
    answer = json_get(known, key);
    T_INT(missing, !json_object_is_type(answer, json_type_string));
    T_STR(missing ? json_get_string(answer, "fault") : json_object_get_string(answer), found);
}

static void
a_record_is_found_by_developer_name_before_label_and_by_id(void)
{
    finds("sales_1", "00E5g0000A7E9vkEQC");
    finds("SALES_2", "00E5g0000A7E9vlEQC");
    finds("00E5g0000A7E9vk", "00E5g0000A7E9vkEQC");
    finds("00E5g0000A7E9vmEQC", "00E5g0000A7E9vmEQC");
}

static void
what_is_not_found_or_several_times_is_told(void)
{
    finds("sales", "the org has several roles called 'sales'; give the developer name or the Id "
                   "instead");
    finds("broken", "the org answered with an id for role 'broken' that is none");
    finds("hidden", "the org answered with an id for role 'hidden' that is none");
    finds("Salez", "there is no role 'Salez' in the org; the nearest are 'Sales', "
                   "'Sales_2'");
}

/* ---- in a plan ---- */

/* *ret_fields outlives the plan, whose values may be the mapping's. */
static void
plan_with(const char *resource, const char *names, struct fields **ret_fields, struct plan *plan)
{
    static const char fields_text[] =
        "{'domain_name':'acme','client_id':'c','client_secret':'cAnArY','profile':'Standard User',"
        "'store':'/nowhere/store.db','provisioning_domain':'acme.example','mapping':"
        "[{'field':'UserRoleId','source':'title'},{'field':'ProfileId','when':'userType pr',"
        "'source':'userType'}]}";
    AUTO_JSON struct json_object *fields_json = json(fields_text);
    AUTO_JSON struct json_object *known = names ? json(names) : NULL;
    const char *text = json_object_to_json_string(fields_json);
    struct prov_error err = PROV_ERROR_INIT;
    struct subject subject = { .id = 1, .presence = PRESENCE_IN, .version = 1 };
    struct link link = { 0 };
    struct plan_input input = { .subject = &subject, .link = &link, .names = known };

    T_OK(fields_parse(text, strlen(text), ret_fields, NULL, NULL, &err), &err);
    subject.iss = strdup("i");
    subject.uri = strdup("/Users/1");
    subject.resource = value_quoted(resource);
    input.fields = *ret_fields;
    T_OK(plan_make(&input, plan, &err), &err);
    subject_done(&subject);
    link_done(&link);
}

#define ADA "'userName':'ada','name':{'familyName':'A'},'emails':[{'value':'a@b.c'}]"

static void
a_plan_without_knowledge_lacks_the_names_and_leaves_the_fields_out(void)
{
    CLEANUP(fields_cleanup) struct fields *fields = NULL;
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };

    plan_with("{" ADA ",'title':'Sales'}", NULL, &fields, &plan);
    T_INT(plan.action, PLAN_CREATE);
    T_INT(value_count(plan.lacks), 2);
    T_TRUE(!value_get(plan.fields, "UserRoleId") && !value_get(plan.fields, "ProfileId"));
}

static void
a_plan_with_knowledge_sends_the_ids(void)
{
    CLEANUP(fields_cleanup) struct fields *fields = NULL;
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };

    plan_with("{" ADA ",'title':'Sales','userType':'sales'}", KNOWN, &fields, &plan);
    T_STR(value_get_text(plan.fields, "UserRoleId"), "00E5g0000A7E9vkEQC");
    T_STR(value_get_text(plan.fields, "ProfileId"), "00e5g0000A7E9vhAQC");
    T_TRUE(plan.lacks == NULL);
}

static void
a_missing_name_parks(void)
{
    CLEANUP(fields_cleanup) struct fields *fields = NULL;
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };

    plan_with("{" ADA ",'title':'gone','userType':'sales'}", KNOWN, &fields, &plan);
    T_INT(plan.action, PLAN_PARK);
    T_STR(plan.code, "NAME_NOT_FOUND");
    T_STR(plan.reason, "there is no role");
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_known_name_becomes_its_id_whatever_its_case),
    UNIT_CASE(an_id_is_no_name),
    UNIT_CASE(an_id_of_another_object_is_a_name),
    UNIT_CASE(an_unknown_name_is_taken_out_and_asked_for),
    UNIT_CASE(a_name_that_the_org_has_not_is_a_fault_until_it_is_forgotten),
    UNIT_CASE(a_cleared_role_is_cleared),
    UNIT_CASE(a_record_is_found_by_developer_name_before_label_and_by_id),
    UNIT_CASE(what_is_not_found_or_several_times_is_told),
    UNIT_CASE(a_plan_without_knowledge_lacks_the_names_and_leaves_the_fields_out),
    UNIT_CASE(a_plan_with_knowledge_sends_the_ids),
    UNIT_CASE(a_missing_name_parks),
};

int
main(int argc, char **argv)
{
    return unit_run("org_names", cases, COUNT(cases), argc, argv);
}
