/* The plan, pure: design rules 4, 7, 8, 10, 12 and 13; and the words for what it did. */
#include "tests/unit/situation.h"

static const char *
sent_text(struct situation *s, const char *field)
{
    return value_get_text(s->plan.fields, field);
}

static bool
sends(struct situation *s, const char *field)
{
    return value_has(s->plan.fields, field);
}

static const char *
from_of(struct situation *s, const char *field)
{
    for (size_t i = 0; i < value_count(s->plan.trace); i++) {
        struct value *line = value_at(s->plan.trace, i);
        if (strcmp(value_get_text(line, "field"), field) == 0)
            return value_get_text(line, "from");
    }
    return NULL;
}

/* ---- create ---- */

static void
a_new_user_is_created_with_all_that_is_known(void)
{
    struct situation s;

    want(&s, ",\"correlation_field\":\"Host_Id__c\"", "{" ADA ",\"title\":\"Boss\"}");
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    T_STR(s.plan.username, "ada@acme.example");
    T_STR(sent_text(&s, "Username"), "ada@acme.example");
    T_STR(sent_text(&s, "LastName"), "Nym");
    T_STR(sent_text(&s, "Email"), "ada@x.example");
    T_STR(sent_text(&s, "Title"), "Boss");
    T_STR(sent_text(&s, "Alias"), "anym");
    T_STR(sent_text(&s, "ProfileId"), PROFILE);
    T_STR(sent_text(&s, "Host_Id__c"), "https://hr.example#/Users/1");
    T_STR(sent_text(&s, "TimeZoneSidKey"), "GMT");
    T_TRUE(value_get_boolean(s.plan.fields, "IsActive", false));
    T_STR(from_of(&s, "Username"), "provisioning pattern");
    T_STR(from_of(&s, "Title"), "title");
    T_TRUE(!sends(&s, "Id"));
    done(&s);
}

static void
a_create_leaves_out_what_there_is_nothing_of(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    VALUE_EACH(s.plan.fields, member)
    {
        T_TRUE(member->value != NULL);
        T_TRUE(strcmp(member->name, "Title") != 0 && strcmp(member->name, "ManagerId") != 0);
    }
    /* rule 12: it is the SAML login id, and nobody asked for it */
    T_TRUE(!sends(&s, "FederationIdentifier"));
    done(&s);
}

static void
without_a_profile_id_the_plan_is_made_and_lacks_it(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    s.profile_id = NULL;
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    T_TRUE(!sends(&s, "ProfileId"));
    done(&s);
}

static void
nobody_is_created_who_is_not_wanted_active(void)
{
    struct situation s;

    want(&s, "", "{" ADA ",\"active\":false}");
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    T_TRUE(!s.plan.username);
    T_TRUE(s.plan.fields == NULL);
    reconfigure(&s, ",\"create_inactive\":true");
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    T_TRUE(!value_get_boolean(s.plan.fields, "IsActive", true));
    /* but never who is gone or out of scope */
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    s.subject.presence = PRESENCE_OUT;
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    done(&s);
}

/* ---- parked ---- */

static void
who_was_never_seen_is_parked_and_the_reason_says_what_to_send(void)
{
    struct situation s;

    want(&s, "", NULL);
    make(&s);
    T_INT(s.plan.action, PLAN_PARK);
    T_STR(s.plan.code, "RESOURCE_NEVER_SEEN");
    T_HAS(s.plan.reason, "prov:put:full");
    /* and is no reason to deactivate a user whom an admin linked: nobody said he is inactive */
    strcpy(s.link.salesforce_id, ID);
    make(&s);
    T_INT(s.plan.action, PLAN_PARK);
    T_STR(s.plan.code, "RESOURCE_NEVER_SEEN");
    done(&s);
}

static void
a_username_that_cannot_be_built_parks(void)
{
    static const struct {
        const char *more, *resource, *reason;
    } cases[] = {
        { "", "{" NAME "," MAIL "}", "no userName" },
        { "", "{\"userName\":\"\"," NAME "}", "no userName" },
        { "", "{\"userName\":7," NAME "}", "no userName" },
        { "", "{\"userName\":\"a b\"," NAME "," MAIL "}", "a b" },
        { ",\"provisioning_domain\":\"\"", "{\"userName\":\"ada\"," NAME "}", "'@'" },
        { "",
          "{\"userName\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaa\"," NAME "," MAIL "}",
          "80" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct situation s;
        want(&s, cases[i].more, cases[i].resource);
        make(&s);
        T_INT(s.plan.action, PLAN_PARK);
        T_STR(s.plan.code, "USERNAME");
        T_HAS(s.plan.reason, cases[i].reason);
        T_TRUE(s.plan.fields == NULL);
        done(&s);
    }
}

static void
what_the_mapping_refuses_parks(void)
{
    struct situation s;

    want(&s, "", "{\"userName\":\"ada\"," NAME "}");
    make(&s);
    T_INT(s.plan.action, PLAN_PARK);
    T_STR(s.plan.code, "MAPPING");
    T_HAS(s.plan.reason, "'Email'");
    change(&s, "[]");
    make(&s);
    T_INT(s.plan.action, PLAN_PARK);
    done(&s);
}

static void
a_corrected_event_releases_who_was_parked(void)
{
    struct situation s;

    want(&s, "", "{\"userName\":\"ada\"," NAME "}");
    make(&s);
    T_INT(s.plan.action, PLAN_PARK);
    change(&s, "{" ADA "}");
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    T_TRUE(s.plan.code == NULL);
    T_TRUE(!s.plan.reason);
    done(&s);
}

/* ---- the difference ---- */

static void
what_is_there_already_is_not_sent(void)
{
    struct situation s;

    want(&s, "", "{" ADA ",\"title\":\"Boss\"}");
    deliver(&s);
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    T_STR(sent(&s), "{}");
    /* nor is another spelling of the same */
    change(&s, "{\"title\":\"Boss\"," MAIL ",\"userName\":\"ADA\"," NAME ",\"active\":true,"
               "\"nickName\":\"not mapped\"}");
    make(&s);
    T_STR(sent(&s), "{}");
    T_INT(s.plan.action, PLAN_NOTHING);
    done(&s);
}

static void
only_what_differs_is_sent(void)
{
    struct situation s;

    want(&s, "",
         "{" ADA ",\"title\":\"Boss\",\"phoneNumbers\":[{\"type\":\"work\",\"value\":"
         "\"1\"}]}");
    deliver(&s);
    change(&s, "{" ADA ",\"title\":\"Chief\"}");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Phone\":null,\"Title\":\"Chief\"}"); /* what is gone is cleared */
    done(&s);
}

static void
null_and_absent_are_the_same(void)
{
    struct situation s;

    want(&s, "", "{" ADA ",\"title\":null}");
    deliver(&s);
    confirm(&s, "Title", NULL); /* as read back from the org */
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    value_remove(s.link.confirmed, "Title");
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    confirm(&s, "Title", value_string(&test_values, "was set there"));
    make(&s);
    T_STR(sent(&s), "{\"Title\":null}");
    done(&s);
}

static void
who_comes_back_is_reactivated_with_what_changed_meanwhile(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    confirm(&s, "IsActive", value_boolean(false));
    change(&s, "{" ADA ",\"title\":\"Back\"}");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"IsActive\":true,\"Title\":\"Back\"}");
    done(&s);
}

static void
who_is_linked_and_unknown_gets_everything_but_what_only_a_create_sets(void)
{
    struct situation s;

    want(&s, ",\"correlation_field\":\"Host_Id__c\"", "{" ADA "}");
    strcpy(s.link.salesforce_id, ID); /* adopted: linked, nothing confirmed */
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent_text(&s, "Username"), "ada@acme.example");
    T_TRUE(value_get_boolean(s.plan.fields, "IsActive", false));
    T_TRUE(!sends(&s, "ProfileId") && !sends(&s, "Alias") && !sends(&s, "Host_Id__c"));
    done(&s);
}

/* ---- deactivation: rule 7 ---- */

static void
a_deactivation_is_planned_alone(void)
{
    static const struct {
        enum presence presence;
        const char *resource;
    } cases[] = {
        { PRESENCE_IN, "{" ADA ",\"title\":\"New\",\"active\":false}" },
        { PRESENCE_IN, "{" ADA ",\"active\":\"False\"}" },
        { PRESENCE_OUT, "{" ADA ",\"title\":\"New\",\"active\":true}" },
        { PRESENCE_GONE, "{" ADA "}" },
        /* neither pattern nor mapping is asked */
        { PRESENCE_GONE, "{}" },
        { PRESENCE_IN, "{\"userName\":\"not a name\",\"active\":false}" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct situation s;
        want(&s, "", "{" ADA "}");
        deliver(&s);
        s.subject.presence = cases[i].presence;
        change(&s, cases[i].resource);
        make(&s);
        T_INT(s.plan.action, PLAN_DEACTIVATE);
        T_STR(sent(&s), "{\"IsActive\":false}");
        T_TRUE(!s.plan.username);
        done(&s);
    }
}

static void
a_deactivation_takes_what_was_corrected_of_the_fields_that_are_named(void)
{
    static const char leaver[] = "{" ADA ",\"title\":\"New\",\"active\":false}";
    static const struct {
        const char *resource, *names, *sent;
    } cases[] = {
        { leaver, "Title", "{\"IsActive\":false,\"Title\":\"New\"}" },
        { leaver, "Email,title,Phone", "{\"IsActive\":false,\"Title\":\"New\"}" },
        { leaver, "Email", NULL }, /* as it is confirmed */
        { leaver, "", NULL },
        { leaver, "Job_Title,Title__c,SubTitle", NULL },
        { leaver, "IsActive", NULL },
        /* not the mapping's: nobody is renamed so */
        { "{\"userName\":\"other\",\"active\":false}", "Username", NULL },
        { "{\"userName\":\"not a name\",\"title\":\"New\",\"active\":false}", "Title", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        struct plan_input input;
        struct situation s;
        bool corrected = true;
        want(&s, "", "{" ADA "}");
        deliver(&s);
        change(&s, cases[i].resource);
        make(&s);
        input = (struct plan_input){ .fields = s.fields, .subject = &s.subject, .link = &s.link };
        for (int again = 0; again < 2; again++) { /* it is not corrected twice */
            T_INT(plan_correct(&input, cases[i].names, &s.plan, &corrected, &err), PROV_OK);
            T_TRUE(corrected == (cases[i].sent && !again));
        }
        T_INT(s.plan.action, PLAN_DEACTIVATE);
        T_STR(sent(&s), cases[i].sent ? cases[i].sent : "{\"IsActive\":false}");
        done(&s);
    }
}

static void
a_deactivation_needs_no_resource_and_no_confirmed_fields(void)
{
    struct situation s;

    want(&s, "", NULL);
    s.subject.presence = PRESENCE_GONE;
    strcpy(s.link.salesforce_id, ID);
    make(&s);
    T_INT(s.plan.action, PLAN_DEACTIVATE);
    T_STR(sent(&s), "{\"IsActive\":false}");
    done(&s);
}

static void
a_reactivation_in_flight_may_have_happened(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    confirm(&s, "IsActive", value_boolean(false));
    s.link.in_flight = value_of("{\"fields\":{\"IsActive\":true}}");
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_DEACTIVATE);
    done(&s);
}

static void
after_the_deactivation_the_rest_follows_for_who_is_in_scope(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    confirm(&s, "IsActive", value_boolean(false));
    change(&s, "{\"userName\":\"ada.left\"," NAME "," MAIL ",\"active\":false}");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Username\":\"ada.left@acme.example\"}");
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    s.subject.presence = PRESENCE_OUT;
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    done(&s);
}

/* ---- what connector fields change: rule 10 ---- */

#define DOTS ",\"provisioning_pattern\":\"{UD,UN}\",\"provisioning_separator\":\".\""

static void
a_username_is_kept_when_only_connector_fields_changed(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    reconfigure(&s, DOTS ",\"provisioning_domain\":\"new.example\"");
    change(&s, "{" ADA ",\"title\":\"Boss\"}");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Title\":\"Boss\"}");
    T_STR(s.plan.username, "ada@acme.example");
    /* even if the new fields would park everybody */
    reconfigure(&s, ",\"provisioning_domain\":\"\"");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    done(&s);
}

static void
a_username_follows_what_the_host_says(void)
{
    static const char *const changed[] = {
        "{\"userName\":\"eve\"," NAME "," MAIL "}",
        "{" ADA "," EXTENSION ":{\"userDomain\":\"LAB\"}}",
        "{" ADA "," EXTENSION ":{\"tenantDomain\":\"t.example\"}}",
    };
    static const char *const names[] = { "primary.eve@acme.example", "lab.ada@acme.example",
                                         "primary.ada@acme.example" };

    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        struct situation s;
        want(&s, "", "{" ADA "}");
        deliver(&s);
        reconfigure(&s, DOTS);
        change(&s, changed[i]);
        make(&s);
        T_INT(s.plan.action, PLAN_UPDATE);
        T_STR(sent_text(&s, "Username"), names[i]);
        done(&s);
    }
}

static void
a_replan_brings_the_connector_fields_to_who_is_delivered(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    reconfigure(&s, DOTS ",\"correlation_field\":\"Host_Id__c\"");
    s.profile_id = "00e000000000002AAA";
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    s.replan = true;
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Host_Id__c\":\"https://hr.example#/Users/1\",\"ProfileId\":"
                    "\"00e000000000002AAA\",\"Username\":\"primary.ada@acme.example\"}");
    done(&s);
}

static void
a_replan_leaves_who_is_inactive_as_is(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    reconfigure(&s, DOTS ",\"correlation_field\":\"Host_Id__c\"");
    s.profile_id = "00e000000000002AAA";
    s.replan = true;
    change(&s, "{" ADA ",\"active\":false}");
    make(&s);
    T_INT(s.plan.action, PLAN_DEACTIVATE);
    confirm(&s, "IsActive", value_boolean(false));
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    change(&s, "{" ADA "}");
    make(&s);
    T_STR(sent_text(&s, "Username"), "primary.ada@acme.example");
    T_STR(sent_text(&s, "ProfileId"), "00e000000000002AAA");
    done(&s);
}

static void
a_repair_sets_back_what_is_not_there_any_more(void)
{
    struct value *there;
    struct situation s;

    want(&s, "", "{" ADA ",\"title\":\"Chief\"}");
    deliver(&s);
    there = value_of("{\"Title\":\"Clerk\",\"ProfileId\":\"00e000000000002AAA\","
                     "\"Username\":\"mine@acme.example\"}");
    VALUE_EACH(s.link.confirmed, ours)
    {
        if (!value_has(there, ours->name))
            T_INT(value_put(&test_values, there, ours->name, ours->value), PROV_OK);
    }
    s.profile_id = "00e000000000003AAA"; /* a new one does not creep in with it */
    s.there = there;
    make(&s);
    T_STR(sent(&s), "{\"ProfileId\":\"" PROFILE "\",\"Title\":\"Chief\","
                    "\"Username\":\"ada@acme.example\"}");
    s.there = s.link.confirmed;
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    done(&s);
}

static void
who_never_had_a_username_gets_the_one_of_the_fields_in_force(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    make(&s); /* planned, and never delivered */
    s.link.username_wanted = strdup(s.plan.username);
    reconfigure(&s, DOTS);
    make(&s);
    T_STR(sent_text(&s, "Username"), "primary.ada@acme.example");
    done(&s);
}

static void
the_username_inputs_tell_what_counts(void)
{
    struct situation s;
    AUTO_FREE char *first = NULL;

    want(&s, "", "{" ADA "," EXTENSION ":{\"userDomain\":\"LAB\"}}");
    make(&s);
    T_STR(s.plan.username_inputs, "{\"userDomain\":\"LAB\",\"userName\":\"Ada\"}");
    first = strdup(s.plan.username_inputs);
    change(&s, "{" EXTENSION ":{\"userDomain\":\"LAB\",\"x\":1},\"title\":\"Boss\"," ADA "}");
    reconfigure(&s, DOTS);
    make(&s);
    T_STR(s.plan.username_inputs, first);
    done(&s);
}

/* ---- the manager: rule 13 ---- */

static void
a_manager_is_read_in_every_form(void)
{
    static const struct {
        const char *manager, *uri;
    } cases[] = {
        { "{\"value\":\"9\"}", "/Users/9" },
        { "{\"value\":\"/Users/9\"}", "/Users/9" },
        { "{\"value\":\"https://hr.example/scim/v2/Users/9\"}", "/Users/9" },
        { "\"9\"", "/Users/9" },
        { "{\"$ref\":\"../Users/9\"}", "/Users/9" },
        { "{\"$ref\":\"https://hr.example/scim/v2/Users/9?x=1\",\"value\":\"8\"}", "/Users/9" },
        { "{\"$ref\":\"/Groups/9\",\"value\":\"8\"}", "/Users/8" },
        { "{\"$ref\":\"\",\"value\":\"8\"}", "/Users/8" },
        { "{\"Value\":\"9\"}", "/Users/9" },
        { "{\"value\":\"\"}", NULL },
        { "{\"displayName\":\"Boss\"}", NULL },
        { "{\"$ref\":\"/Groups/9\"}", NULL },
        { "{\"value\":7}", NULL },
        { "\"\"", NULL },
        { "{}", NULL },
        { "null", NULL },
        { "[]", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[300];
        AUTO_FREE char *uri = NULL;
        snprintf(text, sizeof(text), "{" ENTERPRISE ":{\"manager\":%s}}", cases[i].manager);
        uri = plan_manager_uri(value_of(text));
        T_STR(uri, cases[i].uri);
    }
    T_TRUE(plan_manager_uri(NULL) == NULL);
}

#define MANAGED "{" ADA "," ENTERPRISE ":{\"manager\":{\"value\":\"9\"}}}"

static void
a_manager_who_is_linked_is_sent_and_one_who_is_not_blocks_nothing(void)
{
    struct situation s;

    want(&s, "", MANAGED);
    make(&s);
    T_INT(s.plan.action, PLAN_CREATE);
    T_TRUE(!sends(&s, "ManagerId"));
    T_STR(s.plan.manager_uri, "/Users/9");
    deliver(&s);
    s.manager_id = "005000000000009AAA"; /* he has arrived */
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"ManagerId\":\"005000000000009AAA\"}");
    done(&s);
}

static void
a_manager_is_cleared_only_when_there_is_none(void)
{
    struct situation s;

    want(&s, "", MANAGED);
    s.manager_id = "005000000000009AAA";
    deliver(&s);
    T_STR(value_get_text(s.link.confirmed, "ManagerId"), "005000000000009AAA");
    s.manager_id = NULL; /* another one, who is not linked yet: left as it is */
    change(&s, "{" ADA "," ENTERPRISE ":{\"manager\":{\"value\":\"10\"}}}");
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    /* one who is named in a way that nobody understands */
    change(&s, "{" ADA "," ENTERPRISE ":{\"manager\":{\"$ref\":\"/Groups/1\"}}}");
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    T_TRUE(s.plan.manager_uri == NULL);
    change(&s, "{" ADA "}");
    make(&s);
    T_STR(sent(&s), "{\"ManagerId\":null}");
    done(&s);
}

/* ---- words ---- */

static const char *
described(bool create, const char *fields, const char *before)
{
    static char text[700];
    struct value *sent_fields = value_of(fields);
    struct value *confirmed = before ? value_of(before) : NULL;
    AUTO_FREE char *words = plan_describe(create, sent_fields, confirmed);

    snprintf(text, sizeof(text), "%s", words ? words : "(none)");
    return text;
}

static void
what_was_done_is_told_in_words(void)
{
    T_STR(described(true, "{\"Username\":\"a@x\",\"IsActive\":true}", NULL), "created");
    T_STR(described(false, "{\"IsActive\":false}", "{}"), "deactivated");
    T_STR(described(false, "{\"UserLogin.IsFrozen\":true}", "{}"), "frozen");
    T_STR(described(false, "{\"UserLogin.IsFrozen\":false}", "{}"), "unfrozen");
    T_STR(described(false, "{\"IsActive\":true}", "{}"), "reactivated");
    T_STR(described(false, "{\"IsActive\":true,\"Title\":\"x\"}", NULL),
          "reactivated, updated Title");
    T_STR(described(false, "{\"Id\":\"005\",\"Title\":\"x\",\"Phone\":null}", "{}"),
          "updated Title, Phone");
    T_STR(described(false, "{\"Username\":\"b@x\",\"Title\":\"x\"}", "{\"Username\":\"a@x\"}"),
          "renamed a@x to b@x");
    T_STR(described(false, "{\"Username\":\"b@x\"}", "{}"), "updated Username");
    T_STR(described(false, "{\"Username\":\"b@x\",\"Title\":\"x\"}", "{\"Username\":\"b@x\"}"),
          "updated Username, Title");
}

static void
a_long_list_of_fields_is_cut_short(void)
{
    struct value *fields = value_of("{}");
    AUTO_FREE char *words = NULL;

    for (int i = 0; i < 200; i++) {
        char name[30];
        snprintf(name, sizeof(name), "Custom_%d__c", i);
        T_INT(value_put_integer(&test_values, fields, name, i), PROV_OK);
    }
    words = plan_describe(false, fields, NULL);
    T_HAS(words, "updated Custom_0__c, Custom_1__c");
    T_STR(words + strlen(words) - 5, ", ...");
    T_TRUE(strlen(words) < 420);
}

static void
a_user_is_called_by_the_name_the_host_uses(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    T_STR(plan_user_name(&s.subject), "Ada");
    change(&s, "{\"USERNAME\":\"x\"}");
    T_STR(plan_user_name(&s.subject), "x");
    change(&s, "{}");
    T_STR(plan_user_name(&s.subject), "/Users/1");
    done(&s);
}

/* ---- segments ---- */

static void
segments_say_where_a_username_comes_from(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *segments = NULL;
    AUTO_FREE char *text = NULL;
    struct json_object *none = NULL;
    struct situation s;

    want(&s, DOTS, "{" ADA "}");
    T_OK(plan_segments(s.fields, &s.subject, &segments, &err), &err);
    text = json_text(json_object_array_get_idx(segments, 2));
    T_INT(json_object_array_length(segments), 5);
    T_STR(text, "{\"source\":\"UN\",\"origin\":\"user name\",\"text\":\"ada\"}");
    change(&s, "{}");
    T_TRUE(plan_segments(s.fields, &s.subject, &none, &err) != 0);
    T_TRUE(none == NULL);
    done(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_new_user_is_created_with_all_that_is_known),
        UNIT_CASE(a_create_leaves_out_what_there_is_nothing_of),
        UNIT_CASE(without_a_profile_id_the_plan_is_made_and_lacks_it),
        UNIT_CASE(nobody_is_created_who_is_not_wanted_active),
        UNIT_CASE(who_was_never_seen_is_parked_and_the_reason_says_what_to_send),
        UNIT_CASE(a_username_that_cannot_be_built_parks),
        UNIT_CASE(what_the_mapping_refuses_parks),
        UNIT_CASE(a_corrected_event_releases_who_was_parked),
        UNIT_CASE(what_is_there_already_is_not_sent),
        UNIT_CASE(only_what_differs_is_sent),
        UNIT_CASE(null_and_absent_are_the_same),
        UNIT_CASE(who_comes_back_is_reactivated_with_what_changed_meanwhile),
        UNIT_CASE(who_is_linked_and_unknown_gets_everything_but_what_only_a_create_sets),
        UNIT_CASE(a_deactivation_is_planned_alone),
        UNIT_CASE(a_deactivation_takes_what_was_corrected_of_the_fields_that_are_named),
        UNIT_CASE(a_deactivation_needs_no_resource_and_no_confirmed_fields),
        UNIT_CASE(a_reactivation_in_flight_may_have_happened),
        UNIT_CASE(after_the_deactivation_the_rest_follows_for_who_is_in_scope),
        UNIT_CASE(a_username_is_kept_when_only_connector_fields_changed),
        UNIT_CASE(a_username_follows_what_the_host_says),
        UNIT_CASE(a_replan_brings_the_connector_fields_to_who_is_delivered),
        UNIT_CASE(a_replan_leaves_who_is_inactive_as_is),
        UNIT_CASE(a_repair_sets_back_what_is_not_there_any_more),
        UNIT_CASE(who_never_had_a_username_gets_the_one_of_the_fields_in_force),
        UNIT_CASE(the_username_inputs_tell_what_counts),
        UNIT_CASE(a_manager_is_read_in_every_form),
        UNIT_CASE(a_manager_who_is_linked_is_sent_and_one_who_is_not_blocks_nothing),
        UNIT_CASE(a_manager_is_cleared_only_when_there_is_none),
        UNIT_CASE(what_was_done_is_told_in_words),
        UNIT_CASE(a_long_list_of_fields_is_cut_short),
        UNIT_CASE(a_user_is_called_by_the_name_the_host_uses),
        UNIT_CASE(segments_say_where_a_username_comes_from),
    };

    return unit_run("plan", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
