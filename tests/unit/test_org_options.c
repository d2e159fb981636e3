/* The simulated org with what a real one may have switched on: lists of states and countries, allowed e-mail domains,
 * users who are needed in Setup, numbers of few digits, the limit of long calls. The words are those of the fact sheet
 * and of the articles named in address.c and user_rules.c. */
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/ask.h"

#define USERS DATA "/sobjects/User"

static void
set(const char *settings)
{
    T_INT(ask_exchange(acme, "POST", "/__org/settings", settings), 200);
}

static int
change(const char *id, const char *fields)
{
    return ask(acme, "PATCH", user_path(id), fields);
}

static void
is_place(const char *id, const char *country, const char *country_code, const char *state,
         const char *state_code)
{
    T_STR(user_text(acme, id, "Country"), country);
    T_STR(user_text(acme, id, "CountryCode"), country_code);
    T_STR(user_text(acme, id, "State"), state);
    T_STR(user_text(acme, id, "StateCode"), state_code);
}

/* ---- states and countries ---- */

static void
without_the_lists_any_country_is_taken_and_there_are_no_codes(void)
{
    ask_begin();
    make_user(acme, "a@b.cc", ",\"Country\":\"Narnia\",\"State\":\"Far East\"");
    T_INT(ask(acme, "POST", USERS, good_user("c@b.cc", ",\"CountryCode\":\"DE\"")), 400);
    T_STR(error_code(), "INVALID_FIELD");
    ask_end();
}

/* One fault each, on top of a good user. */
static const struct {
    const char *more, *text, *field;
} wrong_places[] = {
    { ",\"Country\":\"DE\"",
      "There's a problem with this country, even though it may appear correct. Please select a "
      "country/territory from the list of valid countries.: Country",
      "[\"Country\"]" },
    { ",\"CountryCode\":\"XX\"", "list of valid countries.: Country Code", "[\"CountryCode\"]" },
    { ",\"State\":\"Texas\"",
      "A country/territory must be specified before specifying a state value for field: "
      "State/Province",
      "[\"State\"]" },
    { ",\"CountryCode\":\"US\",\"State\":\"Bavaria\"",
      "There's a problem with this state, even though it may appear correct. Please select a state "
      "from the list of valid states.: State/Province",
      "[\"State\"]" },
    { ",\"CountryCode\":\"DE\",\"StateCode\":\"TX\"",
      "The existing country/territory doesn't recognize the state value for field: State/Province "
      "Code",
      "[\"StateCode\"]" },
    { ",\"CountryCode\":\"DE\",\"Country\":\"France\"",
      "Mismatched integration value and ISO code for field: Country", "[\"Country\"]" },
};

static void
what_is_not_in_the_lists_is_refused_with_its_words(void)
{
    ask_begin();
    set("{\"address_picklists\":true}");
    for (size_t i = 0; i < sizeof(wrong_places) / sizeof(wrong_places[0]); i++) {
        T_INT(ask(acme, "POST", USERS, good_user("a@b.cc", wrong_places[i].more)), 400);
        T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
        T_HAS(error_text(), wrong_places[i].text);
        T_HAS(answer.body, wrong_places[i].field);
    }
    ask_end();
}

static void
name_and_code_follow_each_other(void)
{
    const char *id;

    ask_begin();
    set("{\"address_picklists\":true}");
    id = make_user(acme, "a@b.cc", ",\"Country\":\"United States\",\"State\":\"Washington\"");
    is_place(id, "United States", "US", "Washington", "WA");
    T_INT(change(id, "{\"CountryCode\":\"au\"}"), 400); /* its WA is another one */
    T_INT(change(id, "{\"CountryCode\":\"au\",\"StateCode\":\"wa\"}"), 204);
    is_place(id, "Australia", "AU", "Western Australia", "WA");
    T_INT(change(id, "{\"CountryCode\":\"DE\"}"), 400);
    T_HAS(error_text(), "doesn't recognize the state value");
    T_INT(change(id, "{\"CountryCode\":\"DE\",\"StateCode\":null}"), 204);
    is_place(id, "Germany", "DE", "", "");
    T_INT(change(id, "{\"Country\":null}"), 204);
    is_place(id, "", "", "", "");
    ask_end();
}

static void
a_country_that_goes_takes_its_state_along(void)
{
    const char *id;

    ask_begin();
    set("{\"address_picklists\":true}");
    id = make_user(acme, "a@b.cc", ",\"CountryCode\":\"CA\",\"StateCode\":\"ON\"");
    T_INT(change(id, "{\"CountryCode\":null,\"StateCode\":\"ON\"}"), 400);
    T_INT(change(id, "{\"CountryCode\":null}"), 204);
    is_place(id, "", "", "", "");
    ask_end();
}

static void
what_stood_there_before_the_lists_is_refused_at_the_next_change(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", ",\"Country\":\"Deutschland\"");
    set("{\"address_picklists\":true}");
    T_INT(change(id, "{\"IsActive\":false}"), 400);
    T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
    T_INT(change(id, "{\"CountryCode\":\"DE\",\"IsActive\":false}"), 204);
    ask_end();
}

static struct json_object *
described(const char *name)
{
    struct json_object *fields;

    T_INT(ask(acme, "GET", USERS "/describe", NULL), 200);
    fields = js_get(answer_json, "fields");
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        if (strcmp(js_get_text(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

static void
describe_shows_the_lists_and_which_state_goes_with_which_country(void)
{
    struct json_object *field, *first;

    ask_begin();
    T_TRUE(!described("CountryCode"));
    set("{\"address_picklists\":true}");
    field = described("CountryCode");
    T_STR(js_get_text(field, "type"), "picklist");
    T_STR(js_get_text(field, "compoundFieldName"), "Address");
    T_TRUE(js_get_flag(field, "restrictedPicklist", false));
    first = json_object_array_get_idx(js_get(field, "picklistValues"), 0);
    T_STR(js_get_text(first, "value"), "AT");
    T_STR(js_get_text(first, "label"), "Austria");
    field = described("StateCode");
    T_TRUE(js_get_flag(field, "dependentPicklist", false));
    T_STR(js_get_text(field, "controllerName"), "CountryCode");
    first = json_object_array_get_idx(js_get(field, "picklistValues"), 0);
    T_STR(js_get_text(first, "value"), "BC");
    T_STR(js_get_text(first, "validFor"), "CAAA"); /* the fifth country, Canada */
    T_STR(js_get_text(described("Country"), "type"), "string");
    T_INT(ask(acme, "GET", DATA "/sobjects/Lead/describe", NULL), 200);
    T_HAS(answer.body, "\"StateCode\"");
    ask_end();
}

/* ---- e-mail domains ---- */

static void
only_allowed_domains_are_taken_of_who_is_made_or_changed(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", ""); /* an address of acme.com */
    T_INT(ask_soql(acme, "SELECT Domain FROM AllowedEmailDomain"), 400);
    T_STR(error_code(), "INVALID_TYPE");
    set("{\"email_domains\":[\"com\",\"emea.acme.com\"]}");
    T_INT(ask(acme, "POST", USERS, good_user("c@b.cc", "")), 400);
    T_STR(error_code(), "INVALID_EMAIL_ADDRESS");
    T_STR(error_text(), "Invalid Email Address: Must be in domain(s) com, emea.acme.com");
    T_HAS(answer.body, "[\"Email\"]");
    T_INT(change(id, "{\"IsActive\":false}"), 400); /* in the middle of leaving */
    T_STR(error_code(), "INVALID_EMAIL_ADDRESS");
    T_INT(ask_soql(acme, "SELECT Domain FROM AllowedEmailDomain ORDER BY Domain"), 200);
    T_HAS(answer.body, "emea.acme.com");
    T_INT(change(id, "{\"Email\":\"jane@EMEA.acme.com\"}"), 204);
    set("{\"email_domains\":[\"Acme.com\"]}"); /* the new address waits for its owner */
    make_user(acme, "c@b.cc", "");
    set("{\"email_domains\":[]}");
    T_INT(change(id, "{\"IsActive\":false}"), 204);
    ask_end();
}

/* ---- letter case ---- */

/* 2.10: "except for unique case-sensitive fields" */
static void
letter_case_matters_in_the_field_that_says_so(void)
{
    const char *upper, *lower;

    ask_begin();
    T_INT(ask_exchange(acme, "POST", "/__org/settings",
                       "{\"custom_fields\":[{\"name\":\"Key__c\",\"case_sensitive\":true}]}"),
          400);
    T_HAS(answer.body, "letter case matters in unique fields only");
    set("{\"custom_fields\":[{\"name\":\"Key__c\",\"unique\":true,\"external_id\":true,"
        "\"case_sensitive\":true}]}");
    upper = make_user(acme, "a@b.cc", ",\"Key__c\":\"AB\"");
    lower = make_user(acme, "c@b.cc", ",\"Key__c\":\"ab\"");
    T_INT(ask(acme, "POST", USERS, good_user("d@b.cc", ",\"Key__c\":\"ab\"")), 400);
    T_STR(error_code(), "DUPLICATE_VALUE");
    T_INT(ask_soql(acme, "SELECT Id FROM User WHERE Key__c IN ('ab','aB')"), 200);
    T_HAS(answer.body, "\"totalSize\":1");
    T_HAS(answer.body, lower);
    T_INT(ask_soql(acme, "SELECT Id FROM User WHERE Key__c LIKE 'A%'"), 200);
    T_HAS(answer.body, "\"totalSize\":1");
    T_HAS(answer.body, upper);
    T_INT(ask(acme, "GET", USERS "/Key__c/AB", NULL), 200);
    T_HAS(answer.body, upper);
    T_TRUE(js_get_flag(described("Key__c"), "caseSensitive", false));
    T_TRUE(!js_get_flag(described("EmployeeNumber"), "caseSensitive", true));
    ask_end();
}

/* ---- the language of messages ---- */

static void
messages_are_in_a_language_that_nobody_has_to_understand(void)
{
    ask_begin();
    set("{\"translated\":true}");
    T_INT(ask(acme, "POST", USERS,
              good_user("a@b.cc", ",\"EmployeeNumber\":\"123456789012345678901\"")),
          400);
    T_STR(error_code(), "STRING_TOO_LONG");
    T_STR(error_text(), "No se ha podido hacer: [\"EmployeeNumber\"]");
    T_INT(ask(acme, "POST", DATA "/composite/sobjects",
              "{\"records\":[{\"attributes\":{\"type\":\"User\"},\"LastName\":\"x\"}]}"),
          200);
    T_STR(result_code(0), "REQUIRED_FIELD_MISSING");
    T_HAS(answer.body, "No se ha podido hacer: [\\\"Username\\\",");
    T_TRUE(!strstr(answer.body, "Required fields"));
    T_INT(ask_soql(acme, "SELECT Nothing FROM User"), 400);
    T_STR(error_code(), "INVALID_FIELD");
    T_STR(error_text(), "No se ha podido hacer: []");
    make_user(acme, "a@b.cc", "");
    ask_end();
}

/* ---- who is needed ---- */

static void
who_is_needed_in_setup_stays_active(void)
{
    const char *id;

    ask_begin();
    id = make_user(acme, "a@b.cc", "");
    set("{\"needed\":{\"default_lead_owner\":\"a@b.cc\",\"case_rules\":\"A@b.cc\"}}");
    T_INT(change(id, "{\"IsActive\":false}"), 400);
    T_STR(error_code(), "FIELD_INTEGRITY_EXCEPTION");
    T_HAS(error_text(), "the default owner of leads");
    set("{\"needed\":{\"default_lead_owner\":null}}");
    T_INT(change(id, "{\"IsActive\":false}"), 400);
    T_HAS(error_text(), "case assignment/escalation rules");
    T_INT(change(id, "{\"Title\":\"Chief\"}"), 204);
    set("{\"needed\":{\"case_rules\":null}}");
    T_INT(change(id, "{\"IsActive\":false}"), 204);
    T_INT(ask_exchange(acme, "POST", "/__org/settings", "{\"needed\":{\"boss\":\"a@b.cc\"}}"), 400);
    ask_end();
}

static void
who_is_the_value_of_a_hierarchy_field_stays_active(void)
{
    char more[128];
    const char *deputy, *boss;

    ask_begin();
    set("{\"custom_fields\":[{\"name\":\"Deputy__c\",\"type\":\"reference\",\"target\":\"User\","
        "\"hierarchy\":true}]}");
    deputy = make_user(acme, "a@b.cc", "");
    snprintf(more, sizeof(more), ",\"Deputy__c\":\"%s\",\"ManagerId\":\"%s\"", deputy, deputy);
    boss = make_user(acme, "c@b.cc", more);
    T_INT(change(deputy, "{\"IsActive\":false}"), 400);
    T_STR(error_text(), "Cannot complete this operation. Cannot inactivate user that is the value "
                        "of a hierarchy field: Deputy__c");
    snprintf(more, sizeof(more), "{\"Deputy__c\":\"%s\"}", boss);
    T_INT(change(deputy, more), 400);
    T_STR(error_code(), "CIRCULAR_DEPENDENCY");
    T_INT(change(boss, "{\"Deputy__c\":null}"), 204);
    T_INT(change(deputy, "{\"IsActive\":false}"), 204); /* a manager is no such thing */
    ask_end();
}

/* ---- numbers ---- */

static void
digits_before_the_point_are_counted_and_those_behind_are_kept(void)
{
    const char *id;

    ask_begin();
    set("{\"custom_fields\":[{\"name\":\"Score__c\",\"type\":\"double\",\"precision\":10,"
        "\"scale\":8}]}");
    T_INT(ask(acme, "POST", USERS, good_user("a@b.cc", ",\"Score__c\":100")), 400);
    T_STR(error_code(), "NUMBER_OUTSIDE_VALID_RANGE");
    T_STR(error_text(), "Score__c: value outside of valid range on numeric field: 100");
    id = make_user(acme, "a@b.cc", ",\"Score__c\":99.123456789");
    T_INT(ask(acme, "GET", user_path(id), NULL), 200);
    T_HAS(answer.body, "\"Score__c\":99.123456789");
    T_INT(js_get_int(described("Score__c"), "precision", 0), 10);
    T_INT(js_get_int(described("Score__c"), "scale", 0), 8);
    ask_end();
}

/* ---- long calls ---- */

static void *
ask_for_long(void *seen)
{
    struct request request = { .method = "GET",
                               .target = DATA "/limits",
                               .authorization = ask_session(acme) };
    struct reply reply = { 0 };

    exchange(ask_exchanges(), acme, &request, &reply);
    *(int *)seen = reply.status;
    reply_free(&reply);
    return NULL;
}

static int64_t
under_way(void)
{
    int64_t count;

    pthread_mutex_lock(&world->mutex);
    count = acme->usage.under_way;
    pthread_mutex_unlock(&world->mutex);
    return count;
}

static void
so_many_calls_may_take_long_at_a_time(void)
{
    pthread_t thread;
    int status = 0;

    ask_begin();
    set("{\"long_call_ms\":30,\"long_calls_max\":1}");
    T_INT(ask_exchange(acme, "POST", "/__org/faults",
                       "{\"on\":\"limits\",\"do\":\"delay\",\"delay_ms\":300}"),
          200);
    pthread_create(&thread, NULL, ask_for_long, &status);
    while (under_way() == 0)
        usleep(1000);
    usleep(50000);
    T_INT(ask_exchange(acme, "GET", USERS "/describe", NULL), 403);
    T_STR(error_code(), "REQUEST_LIMIT_EXCEEDED");
    T_STR(error_text(), "ConcurrentPerOrgLongTxn Limit exceeded.");
    pthread_join(thread, NULL);
    T_INT(status, 200);
    T_INT(ask_exchange(acme, "GET", USERS "/describe", NULL), 200);
    ask_end();
}

static const struct unit_case cases[] = {
    UNIT_CASE(without_the_lists_any_country_is_taken_and_there_are_no_codes),
    UNIT_CASE(what_is_not_in_the_lists_is_refused_with_its_words),
    UNIT_CASE(name_and_code_follow_each_other),
    UNIT_CASE(a_country_that_goes_takes_its_state_along),
    UNIT_CASE(what_stood_there_before_the_lists_is_refused_at_the_next_change),
    UNIT_CASE(describe_shows_the_lists_and_which_state_goes_with_which_country),
    UNIT_CASE(only_allowed_domains_are_taken_of_who_is_made_or_changed),
    UNIT_CASE(letter_case_matters_in_the_field_that_says_so),
    UNIT_CASE(messages_are_in_a_language_that_nobody_has_to_understand),
    UNIT_CASE(who_is_needed_in_setup_stays_active),
    UNIT_CASE(who_is_the_value_of_a_hierarchy_field_stays_active),
    UNIT_CASE(digits_before_the_point_are_counted_and_those_behind_are_kept),
    UNIT_CASE(so_many_calls_may_take_long_at_a_time),
};

int
main(int argc, char **argv)
{
    return unit_run("org_options", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
