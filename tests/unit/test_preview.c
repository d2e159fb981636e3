/* The preview: the plan of an event that has not come, which touches nothing. */
#include "plugin/delivery/preview.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

#define NAME "\"name\":{\"familyName\":\"Nym\"},\"emails\":[{\"value\":\"ada@x.example\"}]"
#define ADA  "\"userName\":\"ada\"," NAME
#define ID   "005000000000001AAA"

static struct fields *
fields_with(const char *more)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct fields *fields = NULL;
    char text[1500];

    snprintf(text, sizeof(text),
             "{\"domain_name\":\"acme\",\"client_id\":\"c\",\"client_secret\":\"cAnArY\","
             "\"profile\":\"Standard User\",\"store\":\"/nowhere/store.db\","
             "\"provisioning_domain\":\"acme.example\"%s}",
             more);
    T_OK(fields_parse(text, strlen(text), &fields, NULL, NULL, &err), &err);
    return fields;
}

/* What the event would do; the caller frees it. */
static struct json_object *
preview(struct scratch *s, const char *more_fields, struct event *event)
{
    CLEANUP(fields_cleanup) struct fields *fields = fields_with(more_fields);
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *result = NULL;

    T_OK(preview_event(s->store, fields, event, &result, &err), &err);
    event_free(event);
    return result;
}

/* A list of texts in one, with "; " between. Static. */
static const char *
texts(struct json_object *result, const char *name)
{
    static char text[1500];
    struct json_object *list = json_get(result, name);
    size_t length = 0;

    T_TRUE(json_object_is_type(list, json_type_array));
    text[0] = '\0';
    for (size_t i = 0; list && i < json_object_array_length(list) && length < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? "; " : "",
                                   json_object_get_string(json_object_array_get_idx(list, i)));
    return text;
}

static struct json_object *
body(struct json_object *result)
{
    struct json_object *calls = json_get(result, "calls");

    T_INT(json_object_array_length(calls), 1);
    return json_get(json_object_array_get_idx(calls, 0), "body");
}

/* What delivery would have stored of /Users/<n>. */
static void
link_to(struct scratch *s, const char *uri, const char *id, const char *username,
        struct value *in_flight)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct value *confirmed = value_of("{\"LastName\":\"Nym\",\"Email\":\"ada@x.example\","
                                       "\"IsActive\":true}");
    struct link link = { .settled_version = 1, .confirmed_version = 1, .confirmed = confirmed };

    snprintf(link.salesforce_id, sizeof(link.salesforce_id), "%s", id);
    link.username_held = (char *)username;
    link.username_inputs = (char *)"{\"userName\":\"ada\"}";
    link.in_flight = in_flight;
    T_INT(value_put_text(&test_values, confirmed, "Username", username), PROV_OK);
    T_OK(store_begin(s->store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(s->store, scratch_id(s->store, uri), &link, &err), &err);
    T_OK(store_commit(s->store, &err), &err);
}

static void
a_new_user_is_shown_and_no_store_is_made(void)
{
    AUTO_JSON struct json_object *result = NULL;
    struct json_object *call;
    struct scratch s;

    scratch_make(&s);
    result = preview(&s, "", scratch_event("j", "/Users/1", "create", "{" ADA "}"));
    T_TRUE(!store_exists(s.store));
    T_STR(json_get_string(result, "action"), "create");
    T_TRUE(!json_get_bool(result, "known", true));
    T_STR(json_get_string(result, "username"), "ada@acme.example");
    T_STR(json_get_string(json_get(result, "user"), "uri"), "/Users/1");
    T_STR(json_get_string(json_get(result, "user"), "iss"), ISSUER);
    T_INT(json_object_array_length(json_get(result, "segments")), 3);
    call = json_object_array_get_idx(json_get(result, "calls"), 0);
    T_STR(json_get_string(call, "method"), "POST");
    T_STR(json_get_string(call, "path"), "/services/data/v67.0/composite/sobjects");
    T_STR(json_get_string(body(result), "Username"), "ada@acme.example");
    T_STR(texts(result, "reasons"), "");
    T_STR(texts(result, "looks_up"), "the id of profile 'Standard User'");
    scratch_remove(&s);
}

static void
a_known_user_is_folded_in_memory_only(void)
{
    AUTO_JSON struct json_object *result = NULL;
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    link_to(&s, "/Users/1", ID, "ada@acme.example", NULL);
    scratch_drain(s.store, DUE_NOW);
    result =
        preview(&s, "", scratch_event("j2", "/Users/1", "put", "{" ADA ",\"title\":\"Boss\"}"));
    T_STR(json_get_string(result, "action"), "update");
    T_TRUE(json_get_bool(result, "known", false));
    T_STR(json_get_string(body(result), "Title"), "Boss");
    T_STR(json_get_string(body(result), "id"), ID);
    T_INT(json_object_object_length(body(result)), 2);
    T_STR(texts(result, "looks_up"), "");
    T_OK(store_load(s.store, ISSUER, "/Users/1", &work, &err), &err);
    T_INT(work.subject.version, 1);
    T_TRUE(value_get(work.subject.resource, "title") == NULL);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_remove(&s);
}

static void
the_reason_says_why_nothing_is_sent(void)
{
    AUTO_JSON struct json_object *same = NULL;
    AUTO_JSON struct json_object *ghost = NULL;
    AUTO_JSON struct json_object *parked = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    link_to(&s, "/Users/1", ID, "ada@acme.example", NULL);
    same = preview(&s, "", scratch_event("j2", "/Users/1", "put", "{" ADA "}"));
    T_STR(json_get_string(same, "action"), "nothing");
    T_STR(texts(same, "reasons"), "Salesforce holds all of this already");
    T_STR(texts(same, "calls"), "");
    ghost = preview(&s, "", scratch_event("j2", "/Users/2", "put", "{" ADA ",\"active\":false}"));
    T_STR(json_get_string(ghost, "action"), "nothing");
    T_HAS(texts(ghost, "reasons"), "has no Salesforce account");
    parked = preview(&s, "", scratch_event("j2", "/Users/3", "activate", NULL));
    T_STR(json_get_string(parked, "action"), "park");
    T_HAS(texts(parked, "reasons"), "prov:put:full");
    T_STR(texts(parked, "calls"), "");
    scratch_remove(&s);
}

static void
a_username_that_another_subject_has_is_named_if_it_would_be_sent(void)
{
    AUTO_JSON struct json_object *second = NULL;
    AUTO_JSON struct json_object *first = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    scratch_put(s.store, "j2", "/Users/2", "ada");
    link_to(&s, "/Users/1", ID, "ada@acme.example", NULL);
    second = preview(&s, "", scratch_event("j3", "/Users/2", "put", "{" ADA "}"));
    T_STR(json_get_string(second, "action"), "create");
    T_HAS(texts(second, "reasons"), "'/Users/1'");
    /* who holds it and keeps it waits for nobody, even if another one wants it */
    link_to(&s, "/Users/2", "005000000000002AAA", "ada@acme.example", NULL);
    first = preview(&s, "", scratch_event("j4", "/Users/1", "put", "{" ADA ",\"title\":\"x\"}"));
    T_STR(json_get_string(first, "action"), "update");
    T_STR(texts(first, "reasons"), "");
    scratch_remove(&s);
}

static void
a_username_that_is_kept_is_not_explained_by_another_pattern(void)
{
    AUTO_JSON struct json_object *result = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    link_to(&s, "/Users/1", ID, "ada@acme.example", NULL);
    result = preview(&s, ",\"provisioning_pattern\":\"{UD,UN}\"",
                     scratch_event("j2", "/Users/1", "put", "{" ADA ",\"title\":\"Boss\"}"));
    T_STR(json_get_string(result, "username"), "ada@acme.example");
    T_TRUE(json_get(result, "segments") == NULL);
    scratch_remove(&s);
}

static void
a_username_that_is_not_valid_is_shown_and_explained(void)
{
    AUTO_JSON struct json_object *result = NULL;
    struct scratch s;

    scratch_make(&s);
    result = preview(&s, "",
                     scratch_event("j", "/Users/1", "put", "{\"userName\":\"Ada Nym\"," NAME "}"));
    T_STR(json_get_string(result, "action"), "park");
    T_HAS(json_get_string(result, "username"), "da nym@acme.example");
    T_TRUE(json_object_array_length(json_get(result, "segments")) > 0);
    scratch_remove(&s);
}

static void
only_a_deactivation_overtakes_what_is_in_flight(void)
{
    struct value *flight = value_of("{}");
    AUTO_JSON struct json_object *update = NULL;
    AUTO_JSON struct json_object *leave = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    link_to(&s, "/Users/1", ID, "ada@acme.example", flight);
    update =
        preview(&s, "", scratch_event("j2", "/Users/1", "put", "{" ADA ",\"title\":\"Boss\"}"));
    T_HAS(texts(update, "reasons"), "read back first");
    leave = preview(&s, "", scratch_event("j2", "/Users/1", "delete", NULL));
    T_STR(json_get_string(leave, "action"), "deactivate");
    T_HAS(texts(leave, "reasons"), "the user is gone at the host");
    T_TRUE(json_get(leave, "username") == NULL);
    scratch_remove(&s);
}

static void
a_manager_who_is_not_linked_is_looked_up_later(void)
{
    static const char managed[] =
        "{" ADA ",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"manager\":"
        "{\"value\":\"2\"}}}";
    AUTO_JSON struct json_object *before = NULL;
    AUTO_JSON struct json_object *after = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/2", "eve");
    before = preview(&s, "", scratch_event("j2", "/Users/1", "put", managed));
    T_HAS(texts(before, "looks_up"), "manager '/Users/2'");
    T_TRUE(json_get(body(before), "ManagerId") == NULL);
    link_to(&s, "/Users/2", ID, "eve@acme.example", NULL);
    after = preview(&s, "", scratch_event("j2", "/Users/1", "put", managed));
    T_STR(texts(after, "looks_up"), "the id of profile 'Standard User'");
    T_STR(json_get_string(body(after), "ManagerId"), ID);
    scratch_remove(&s);
}

static void
what_submit_would_refuse_or_ignore_is_told_so(void)
{
    CLEANUP(fields_cleanup) struct fields *fields = fields_with("");
    CLEANUP(event_cleanup)
    struct event *group = scratch_event("j", "/Groups/1", "create", "{\"x\":1}");
    CLEANUP(event_cleanup)
    struct event *patch =
        scratch_event("j", "/Users/1", "patch",
                      "{\"Operations\":[{\"op\":\"replace\",\"path\":\"emails[type eq \\\"x\\\" or "
                      "value pr].value\",\"value\":\"y\"}]}");
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *result = NULL;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    T_INT(preview_event(s.store, fields, group, &result, &err), PROV_E_UNSUPPORTED);
    T_HAS(err.text, "'/Groups/1'");
    T_INT(preview_event(s.store, fields, patch, &result, &err), PROV_E_INVALID);
    T_HAS(err.text, "noTarget");
    T_TRUE(result == NULL);
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_new_user_is_shown_and_no_store_is_made),
        UNIT_CASE(a_known_user_is_folded_in_memory_only),
        UNIT_CASE(the_reason_says_why_nothing_is_sent),
        UNIT_CASE(a_username_that_another_subject_has_is_named_if_it_would_be_sent),
        UNIT_CASE(a_username_that_is_kept_is_not_explained_by_another_pattern),
        UNIT_CASE(a_username_that_is_not_valid_is_shown_and_explained),
        UNIT_CASE(only_a_deactivation_overtakes_what_is_in_flight),
        UNIT_CASE(a_manager_who_is_not_linked_is_looked_up_later),
        UNIT_CASE(what_submit_would_refuse_or_ignore_is_told_so),
    };

    return unit_run("preview", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
