/* Who is in scope: filters over a resource, groups and roles, and what the plan makes of it (design
 * rules 4, 7 and 10). */
#include "plugin/delivery/plan.h"
#include "plugin/scim/filter.h"
#include "schema/scope.h"
#include "tests/unit/values.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define ID         "005000000000001AAA"
#define ADA                                                                                        \
    "\"userName\":\"ada\",\"name\":{\"familyName\":\"Nym\"},\"emails\":[{\"value\":\"a@x."         \
    "example\"}]"
#define IN_SALES  "{" ADA ",\"groups\":[{\"value\":\"g7\",\"display\":\"Sales\"}]}"
#define NO_GROUPS "{" ADA ",\"groups\":[]}"
#define OF_SALES  ",\"scope_groups\":\"sales\""

/* ---- filters ---- */

static const char user[] =
    "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"bjensen\","
    "\"userType\":\"Employee\",\"nickName\":\"\",\"loginCount\":7,\"Active\":\"True\","
    "\"name\":{\"familyName\":\"O'Malley\",\"givenName\":\"Barbara\"},"
    "\"meta\":{\"lastModified\":\"2026-05-13T04:42:34Z\"},"
    "\"emails\":[{\"type\":\"work\",\"value\":\"bj@acme.example\",\"primary\":true},"
    "{\"type\":\"home\",\"value\":\"bj@home.example\"}],"
    "\"groups\":[{\"value\":\"g1\",\"display\":\"Sales\"},{\"value\":\"g2\",\"display\":\"All "
    "(EU)\"}],"
    "\"tags\":[\"blue\",\"green\"],\"" ENTERPRISE "\":{\"department\":\"Tour: East\","
    "\"manager\":{\"value\":\"26118915\"}}}";

/* "in", "out", or the text of the error; static. */
static const char *
passes(const char *text, const char *resource_text)
{
    static struct prov_error err;
    CLEANUP(scim_filter_cleanup) struct scim_filter *filter = NULL;
    struct value *resource = value_of(resource_text);

    err = (struct prov_error)PROV_ERROR_INIT;
    if (scim_filter_compile(text, &filter, &err) != PROV_OK)
        return err.text;
    return scim_filter_match(filter, resource) ? "in" : "out";
}

static void
filter_over_a_resource_knows_every_form(void)
{
    static const struct {
        const char *filter, *answer;
    } table[] = {
        { "userType eq \"employee\"", "in" },
        { "USERTYPE EQ \"Employee\"", "in" },
        { "userName ne \"x\"", "in" },
        { "title ne \"x\"", "in" },
        { "title eq null", "in" },
        { "userName co \"jen\"", "in" },
        { "userName sw \"bj\" and userName ew \"sen\"", "in" },
        { "loginCount gt 6 and loginCount ge 7 and loginCount lt 8 and loginCount le 7", "in" },
        { "loginCount gt 7", "out" },
        { "meta.lastModified gt \"2026-05-13T04:42:33Z\"", "in" },
        { "title pr", "out" },
        { "nickName pr", "out" },
        { "name pr and emails pr", "in" },
        { "name.familyName co \"O'Malley\"", "in" },
        { "not (userType eq \"Employee\")", "out" },
        { "not(title pr)", "in" },
        { "userType eq \"x\" and title pr or userName pr", "in" },
        { "userType eq \"x\" and (title pr or userName pr)", "out" },
        { "emails eq \"bj@home.example\"", "in" },
        { "emails.value ew \"@home.example\" and emails.type eq \"work\"", "in" },
        { "emails[type eq \"work\" and value ew \"@home.example\"]", "out" },
        { "emails[type eq \"work\" and value ew \"@acme.example\"]", "in" },
        { "not (emails[type eq \"other\"]) and emails[type eq \"home\"].value pr", "in" },
        { "emails[type eq \"work\"].value eq \"bj@home.example\"", "out" },
        { "groups.display eq \"all (eu)\"", "in" },
        { "groups[display eq \"All (EU)\" and not (value eq \"g1\")]", "in" },
        { "groups.display ne \"Sales\"", "in" },
        { "not (groups.display eq \"Sales\")", "out" },
        { "tags eq \"green\" and tags eq \"blue\"", "in" },
        { "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "in" },
        { ENTERPRISE ":department eq \"Tour: East\"", "in" },
        { "(" ENTERPRISE ":manager.value eq \"26118915\")", "in" },
        { "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw \"Bar\"", "in" },
        { ENTERPRISE " pr", "in" },
        { "urn:acme:params:scim:schemas:hr:1.0:User:badge pr", "out" },
        { "department sw \"tour\"", "in" },
        { "active eq true", "in" },
        { "active eq false", "out" },
        { "  userName pr  ", "in" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *answer = passes(table[i].filter, user);
        if (strcmp(answer, table[i].answer) != 0)
            printf("\n    %s\n", table[i].filter);
        T_STR(answer, table[i].answer);
    }
}

static void
an_absent_active_is_true_in_a_filter_too(void)
{
    T_STR(passes("active eq true", "{}"), "in");
    T_STR(passes("active pr", "{}"), "in");
    T_STR(passes("active eq true", "{\"active\":\"False\"}"), "out");
    T_STR(passes("active eq false", "{\"active\":null}"), "out");
}

static void
a_wrong_filter_is_refused_with_its_position(void)
{
    char long_filter[5000];

    T_HAS(passes("", "{}"), "position 1: the name of an attribute is needed here");
    T_HAS(passes("userName", "{}"), "position 9: eq, ne, co, sw, ew, gt, ge, lt, le or pr");
    T_HAS(passes("userName is \"x\"", "{}"), "position 10: eq, ne");
    T_HAS(passes("userName eq x", "{}"), "position 13: a JSON string in double quotes");
    T_HAS(passes("userName eq \"x", "{}"), "position 13: a JSON string");
    T_HAS(passes("loginCount sw 7", "{}"), "co, sw and ew compare with a string");
    T_HAS(passes("active gt true", "{}"), "gt, ge, lt and le compare with");
    T_HAS(passes("(userName pr", "{}"), "position 13: ')', 'and' or 'or' is needed here");
    T_HAS(passes("userName pr and", "{}"), "position 16: the name of an attribute");
    T_HAS(passes("userName pr title pr", "{}"), "position 13: 'and', 'or' or the end");
    T_HAS(passes("userName pr and emails[type is \"work\"]", "{}"), "position 17: path 'emails[");
    T_HAS(passes("emails[type eq \"work\"", "{}"), "position 1: path 'emails[");
    T_HAS(passes("user..Name pr", "{}"), "position 1: path 'user..Name'");
    T_HAS(passes("((((((((((a pr))))))))))", "{}"), "more than 8 parentheses");
    memset(long_filter, 'a', sizeof(long_filter) - 1);
    long_filter[sizeof(long_filter) - 1] = '\0';
    T_HAS(passes(long_filter, "{}"), "is longer than 4096 bytes");
    long_filter[0] = '\0';
    for (int i = 0; i < 65; i++)
        strcat(long_filter, i ? " or a pr" : "a pr");
    T_HAS(passes(long_filter, "{}"), "more than 64 comparisons");
}

/* Every prefix of a filter is either taken or refused; nothing else happens (ASan watches). */
static void
a_filter_cut_anywhere_does_no_harm(void)
{
    static const char whole[] = "not (emails[type eq \"wo\\\"rk\" and value pr].value co \"@\") or "
                                "(" ENTERPRISE ":department sw \"a\" and title pr)";
    char cut[sizeof(whole)];

    for (size_t length = 0; length < sizeof(whole); length++) {
        snprintf(cut, length + 1, "%s", whole);
        T_TRUE(*passes(cut, user) != '\0');
    }
    T_STR(passes(whole, user), "in");
}

/* ---- the fields ---- */

static struct fields *
fields_with(const char *more, struct prov_error *err)
{
    struct fields *fields = NULL;
    char text[2000];

    snprintf(text, sizeof(text),
             "{\"domain_name\":\"acme\",\"client_id\":\"c\",\"client_secret\":\"cAnArY\","
             "\"profile\":\"Standard User\",\"store\":\"/nowhere/store.db\","
             "\"provisioning_domain\":\"acme.example\"%s}",
             more);
    return fields_parse(text, strlen(text), &fields, NULL, NULL, err) == PROV_OK ? fields : NULL;
}

/* "in", why not, or the fault of the fields; static. */
static const char *
scope(const char *more, const char *resource_text)
{
    static struct prov_error err;
    static char why[1000];
    CLEANUP(fields_cleanup) struct fields *fields = NULL;
    struct value *resource = value_of(resource_text);

    err = (struct prov_error)PROV_ERROR_INIT;
    fields = fields_with(more, &err);
    if (!fields)
        return err.text;
    return scope_admits(fields, resource, why, sizeof(why)) ? "in" : why;
}

static void
groups_and_roles_are_found_by_value_or_display_without_case(void)
{
    static const char *const in[] = {
        "{\"groups\":[{\"value\":\"x\"},{\"display\":\"SALES\"}]}",
        "{\"groups\":[{\"value\":\"sales\",\"display\":\"Vertrieb\"}]}",
        "{\"Roles\":[{\"value\":\"Sales\"}]}",
        "{\"roles\":[\"sales\"]}",
        "{\"roles\":\"sales\"}",
        "{\"groups\":{\"display\":\"support\"}}",
        "{\"groups\":[{\"display\":\"cn=A,dc=x\"}]}",
    };
    static const char list[] = ",\"scope_groups\":[\"Sales\",\" support \",\"cn=A,dc=x\"]";

    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
        T_STR(scope(list, in[i]), "in");
    T_HAS(scope(list, "{\"groups\":[{\"value\":\"salesmen\"},7,null,{\"value\":7}]}"),
          "none of the groups or roles of scope_groups, 'Sales', 'support', 'cn=A,dc=x'");
    T_HAS(scope(list, "{\"title\":\"sales\"}"), "the host names no group or role of the user");
    T_STR(scope(",\"scope_groups\":\" sales ,, support\"", "{\"roles\":[\"Support\"]}"), "in");
    T_STR(scope("", "{}"), "in");
    T_STR(scope(",\"scope_groups\":\"  \"", "{}"), "in");
}

static void
both_fields_narrow(void)
{
    static const char both[] = OF_SALES ",\"scope_filter\":\"userType eq \\\"Employee\\\"\"";

    T_STR(scope(both, "{\"userType\":\"Employee\",\"roles\":[\"sales\"]}"), "in");
    T_HAS(scope(both, "{\"userType\":\"Employee\"}"), "scope_groups");
    T_HAS(scope(both, "{\"userType\":\"Guest\",\"roles\":[\"sales\"]}"),
          "out of scope: the user does not pass scope_filter, userType eq \"Employee\"");
}

static void
a_wrong_scope_is_a_fault_of_its_field(void)
{
    T_HAS(scope(",\"scope_filter\":\"userType = 'Employee'\"", "{}"), "'scope_filter' is");
    T_HAS(scope(",\"scope_filter\":\"userType = 'Employee'\"", "{}"), "position 10: eq, ne, co");
    T_HAS(scope(",\"scope_filter\":7", "{}"), "write it in quotes");
    T_HAS(scope(",\"scope_groups\":[]", "{}"), "nobody would be in scope");
    T_HAS(scope(",\"scope_groups\":[\"sales\",7]", "{}"), "entry 2 is of type int");
    T_HAS(scope(",\"scope_groups\":{\"a\":1}", "{}"), "a list of names is needed");
}

/* ---- the plan ---- */

struct situation {
    struct fields *fields;
    struct subject subject;
    struct link link;
    struct plan plan;
    bool replan;
};

static void
configure(struct situation *s, const char *more)
{
    struct prov_error err = PROV_ERROR_INIT;

    fields_free(s->fields);
    s->fields = fields_with(more, &err);
    T_TRUE(s->fields != NULL);
}

static void
describe(struct situation *s, const char *resource)
{
    s->subject.resource = value_of(resource);
    s->subject.version++;
}

static enum plan_action
plan(struct situation *s)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct plan_input input = {
        .fields = s->fields, .subject = &s->subject, .link = &s->link, .replan = s->replan
    };

    plan_done(&s->plan);
    T_OK(plan_make(&input, &s->plan, &err), &err);
    return s->plan.action;
}

static void
start(struct situation *s, const char *more, const char *resource)
{
    *s = (struct situation){ .subject = { .id = 1, .presence = PRESENCE_IN } };
    s->subject.iss = strdup("https://hr.example");
    s->subject.uri = strdup("/Users/1");
    configure(s, more);
    describe(s, resource);
}

/* What was planned is there, and settled. */
static void
deliver(struct situation *s)
{
    T_INT(plan(s), PLAN_CREATE);
    strcpy(s->link.salesforce_id, ID);
    T_INT(value_copy(&test_values, s->plan.fields, &s->link.confirmed), PROV_OK);
    s->link.username_held = strdup(s->plan.username);
    s->link.username_inputs = strdup(s->plan.username_inputs);
    s->link.outcome = strdup("delivered");
    s->link.settled_version = s->subject.version;
}

static void
done(struct situation *s)
{
    plan_done(&s->plan);
    subject_done(&s->subject);
    link_done(&s->link);
    fields_free(s->fields);
}

static void
out_of_scope_is_not_created_and_says_why(void)
{
    struct situation s;

    start(&s, OF_SALES ",\"create_inactive\":true", NO_GROUPS);
    T_INT(plan(&s), PLAN_NOTHING);
    T_TRUE(!s.plan.in_scope);
    T_STR(s.plan.code, "OUT_OF_SCOPE");
    T_HAS(s.plan.reason, "scope_groups");
    describe(&s, IN_SALES);
    T_INT(plan(&s), PLAN_CREATE);
    T_TRUE(s.plan.in_scope);
    T_TRUE(s.plan.code == NULL);
    done(&s);
}

static void
losing_scope_is_a_deactivation_alone_and_gaining_it_an_update(void)
{
    struct situation s;

    start(&s, OF_SALES, IN_SALES);
    deliver(&s);
    /* neither pattern nor mapping is asked: this resource could not even be planned */
    describe(&s, "{\"groups\":[]}");
    T_INT(plan(&s), PLAN_DEACTIVATE);
    T_INT(value_count(s.plan.fields), 1);
    T_STR(s.plan.code, "OUT_OF_SCOPE");
    T_INT(value_put(&test_values, s.link.confirmed, "IsActive", value_boolean(false)), PROV_OK);
    T_INT(plan(&s), PLAN_NOTHING);
    describe(&s, IN_SALES);
    T_INT(plan(&s), PLAN_UPDATE);
    T_TRUE(value_get_boolean(s.plan.fields, "IsActive", false));
    done(&s);
}

static void
a_changed_filter_alone_deactivates_nobody_who_is_delivered(void)
{
    struct situation s;

    start(&s, "", IN_SALES);
    deliver(&s);
    configure(&s, ",\"scope_groups\":\"support\"");
    T_INT(plan(&s), PLAN_NOTHING);
    T_STR(s.plan.code, "LEAVES_SCOPE");
    T_HAS(s.plan.reason, "the account stays until the user's next event or a replan");
    /* settled so, and made due again by another cause: still nothing */
    s.link.code = strdup("LEAVES_SCOPE");
    T_INT(plan(&s), PLAN_NOTHING);
    s.replan = true;
    T_INT(plan(&s), PLAN_DEACTIVATE);
    s.replan = false;
    s.subject.version++; /* any event of the user */
    T_INT(plan(&s), PLAN_DEACTIVATE);
    done(&s);
}

static void
who_is_parked_or_was_out_follows_the_fields_in_force(void)
{
    struct situation s;

    start(&s, "", IN_SALES);
    deliver(&s);
    configure(&s, ",\"scope_groups\":\"support\"");
    free(s.link.outcome);
    s.link.outcome = strdup("refused");
    T_INT(plan(&s), PLAN_DEACTIVATE);
    /* a deactivation for scope that an older change undid is sent again */
    free(s.link.outcome);
    s.link.outcome = strdup("delivered");
    s.link.code = strdup("OUT_OF_SCOPE");
    T_INT(plan(&s), PLAN_DEACTIVATE);
    done(&s);
}

static void
whose_resource_was_never_seen_is_parked_whatever_the_scope(void)
{
    struct situation s;

    start(&s, OF_SALES, IN_SALES);
    s.subject.resource = NULL;
    T_INT(plan(&s), PLAN_PARK);
    T_STR(s.plan.code, "RESOURCE_NEVER_SEEN");
    s.subject.presence = PRESENCE_OUT;
    T_INT(plan(&s), PLAN_NOTHING);
    done(&s);
}

static void
a_long_filter_does_not_cut_the_note_off(void)
{
    char more[2000] = ",\"scope_filter\":\"";
    struct situation s;

    start(&s, "", IN_SALES);
    deliver(&s);
    for (int i = 0; i < 60; i++)
        strcat(more, i ? " and title pr" : "nickName sw \\\"\u00e4\u00e4\u00e4\\\"");
    strcat(more, "\"");
    configure(&s, more);
    T_INT(plan(&s), PLAN_NOTHING);
    T_HAS(s.plan.reason, "; the account stays until the user's next event or a replan");
    done(&s);
}

static const struct unit_case cases[] = {
    UNIT_CASE(filter_over_a_resource_knows_every_form),
    UNIT_CASE(an_absent_active_is_true_in_a_filter_too),
    UNIT_CASE(a_wrong_filter_is_refused_with_its_position),
    UNIT_CASE(a_filter_cut_anywhere_does_no_harm),
    UNIT_CASE(groups_and_roles_are_found_by_value_or_display_without_case),
    UNIT_CASE(both_fields_narrow),
    UNIT_CASE(a_wrong_scope_is_a_fault_of_its_field),
    UNIT_CASE(out_of_scope_is_not_created_and_says_why),
    UNIT_CASE(losing_scope_is_a_deactivation_alone_and_gaining_it_an_update),
    UNIT_CASE(a_changed_filter_alone_deactivates_nobody_who_is_delivered),
    UNIT_CASE(who_is_parked_or_was_out_follows_the_fields_in_force),
    UNIT_CASE(whose_resource_was_never_seen_is_parked_whatever_the_scope),
    UNIT_CASE(a_long_filter_does_not_cut_the_note_off),
};

int
main(int argc, char **argv)
{
    return unit_run("scope", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
