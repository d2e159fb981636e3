/* Shows a plan without making it happen. What is not known without asking Salesforce (the profile's
 * id, whether a username is taken there) is named under looks_up instead of being guessed. */
#include "plugin/delivery/preview.h"

#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/value_json.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_names.h"

/* The call that would be made, with this user's fields as they would be sent. */
static int
add_calls(struct json_object *result, const struct fields *fields, const struct plan *plan,
          const struct link *link)
{
    struct json_object *calls = json_object_new_array(), *call, *body;
    char path[100];

    if (json_put(result, "calls", calls))
        return PROV_E_NOMEM;
    if (!plan->fields || plan->action == PLAN_NOTHING || plan->action == PLAN_PARK)
        return PROV_OK;
    snprintf(path, sizeof(path), "/services/data/%s/composite/sobjects", fields->api_version);
    call = json_object_new_object();
    if (json_append(calls, call))
        return PROV_E_NOMEM;
    body = json_object_new_object();
    if (json_put(call, "body", body))
        return PROV_E_NOMEM;
    VALUE_EACH(plan->fields, member)
    {
        bool of_login = strcmp(member->name, FROZEN_FIELD) == 0;
        struct json_object *value = NULL;
        if (json_from_value(member->value, &value) ||
            json_put(body, of_login ? "IsFrozen" : member->name, value))
            return PROV_E_NOMEM;
        if (of_login) /* its record has an id of its own, which is looked up */
            return json_put_string(call, "method", "PATCH") || json_put_string(call, "path", path)
                       ? PROV_E_NOMEM
                       : PROV_OK;
    }
    if (link->salesforce_id[0] && json_put_string(body, "id", link->salesforce_id))
        return PROV_E_NOMEM;
    if (json_put_string(call, "method", plan->action == PLAN_CREATE ? "POST" : "PATCH"))
        return PROV_E_NOMEM;
    return json_put_string(call, "path", path);
}

/* Whether the segments make this username: one that is kept was perhaps built by an older pattern. */
static bool
spell(struct json_object *segments, const char *username)
{
    char text[PATTERN_MAX_BYTES] = "";
    size_t length = 0;

    for (size_t i = 0; segments && i < json_object_array_length(segments); i++) {
        const char *part = json_get_string(json_object_array_get_idx(segments, i), "text");
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", part ? part : "");
        if (length >= sizeof(text))
            return false;
    }
    return username_equal(text, username) != 0;
}

/* What the mapping made of the resource; for a create without what is left empty. */
static int
add_fields(struct json_object *result, const struct plan *plan)
{
    struct json_object *shown = json_object_new_array();

    if (!shown || json_put(result, "fields", shown))
        return PROV_E_NOMEM;
    for (size_t i = 0; i < value_count(plan->trace); i++) {
        const struct value *line = value_at(plan->trace, i);
        struct json_object *json = NULL;
        if (plan->action == PLAN_CREATE && !value_get(line, "value"))
            continue;
        if (json_from_value(line, &json) || json_append(shown, json))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

static const char *
reason_for_nothing(const struct work *work)
{
    if (work->link.salesforce_id[0])
        return "Salesforce holds all of this already";
    return "the user is not wanted active and has no Salesforce account";
}

/* Who has the username, and keeps it; where they would exchange theirs the note says so. */
static int
find_rival(struct store *store, const struct work *work, const struct plan *plan, char **ret_rival,
           char **ret_note, struct prov_error *err)
{
    AUTO_FREE char *rival = NULL;
    AUTO_JSON struct json_object *walked = json_object_new_object();
    enum names_end end = NAMES_HELD;
    int r = walked ? names_follow(store, work->subject.id, plan->username, names_wait_for, NULL,
                                  walked, &end, &rival, err)
                   : error_nomem(err);

    if (!r && end == NAMES_RING &&
        asprintf(ret_note,
                 "'%s' has the username, and waits for one to be given up: they change places by "
                 "way of a temporary username",
                 rival) < 0) {
        *ret_note = NULL;
        return error_nomem(err);
    }
    if (!r && end == NAMES_HELD)
        *ret_rival = STEAL(rival);
    return r;
}

/* Plans, or tells, what is sent instead of a username that is taken (connector field username_taken). */
static int
try_suffix(struct store *store, const struct fields *fields, const struct work *work,
           struct plan *plan, char **taken_by, char **ret_note, struct prov_error *err)
{
    char name[USERNAME_MAX_CHARACTERS + 1];
    unsigned number = 0;
    bool instead = *taken_by && names_takes_number(plan, &work->link);
    int r, written;

    if (!value_get(plan->fields, "Username") || (*taken_by && !instead))
        return PROV_OK;
    r = names_free(store, fields, plan, work->subject.id, NULL, &number, name, err);
    if (r || !number)
        return r;
    written =
        instead
            ? asprintf(ret_note, "'%s' has the username '%s'; this user gets a number behind it",
                       *taken_by, plan->username)
            : asprintf(ret_note, "if the username is taken in Salesforce, '%s' is tried next",
                       name);
    if (written < 0) {
        *ret_note = NULL;
        return error_nomem(err);
    }
    if (!instead)
        return PROV_OK;
    free(STEAL(*taken_by));
    return plan_name(plan, name) || value_put_text(&plan->pool, plan->fields, "Username", name)
               ? error_nomem(err)
               : PROV_OK;
}

static int
add_reasons(struct json_object *result, const struct plan *plan, const struct work *work,
            const char *taken_by, const char *note)
{
    struct json_object *reasons = json_object_new_array();
    char text[400];
    int r = json_put(result, "reasons", reasons);

    if (!r && plan->reason)
        r = json_append_string(reasons, plan->reason);
    else if (!r && plan->action == PLAN_NOTHING)
        r = json_append_string(reasons, reason_for_nothing(work));
    if (!r && work->link.in_flight && !plan_takes_access(plan))
        r = json_append_string(reasons, "an earlier change is in flight; it is read back first");
    if (!r && taken_by) {
        snprintf(text, sizeof(text), "the username is held or wanted by '%s' too; it would wait",
                 taken_by);
        error_tidy(text);
        r = json_append_string(reasons, text);
    }
    return r || !note ? r : json_append_string(reasons, note);
}

static int
add_look_ups(struct json_object *result, const struct fields *fields, const struct plan *plan,
             bool manager_linked)
{
    struct json_object *list = json_object_new_array();
    char text[300];
    int r = json_put(result, "looks_up", list);

    for (size_t i = 0; !r && i < value_count(plan->lacks); i++) {
        const struct value *lack = value_at(plan->lacks, i);
        snprintf(text, sizeof(text), "the id of %s '%s'",
                 org_names_word(value_get_text(lack, "object")), value_get_text(lack, "name"));
        error_tidy(text);
        r = json_append_string(list, text);
    }
    if (!r && plan->action == PLAN_CREATE && !mapping_has(fields->mapping, "ProfileId")) {
        snprintf(text, sizeof(text), "the id of profile '%s'", fields->profile);
        error_tidy(text);
        r = json_append_string(list, text);
    }
    if (!r && (plan->action == PLAN_FREEZE || plan->action == PLAN_UNFREEZE))
        r = json_append_string(list, "the UserLogin of the user, which says whether it is frozen");
    if (!r && plan->manager_uri && !manager_linked) {
        snprintf(text, sizeof(text),
                 "manager '%s' has no Salesforce Id yet; ManagerId follows when he has",
                 plan->manager_uri);
        error_tidy(text);
        r = json_append_string(list, text);
    }
    return r;
}

static int
show(struct store *store, const struct fields *fields, struct work *work, bool known,
     struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    AUTO_JSON struct json_object *segments = NULL;
    AUTO_FREE char *manager = plan_manager_uri(work->subject.resource);
    AUTO_FREE char *taken_by = NULL, *note = NULL;
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };
    struct plan_input input = {
        .fields = fields, .subject = &work->subject, .link = &work->link, .traced = true
    };
    struct prov_error ignored = PROV_ERROR_INIT;
    struct json_object *user = json_object_new_object();
    char manager_id[19] = "";
    bool stored = store_exists(store);
    int r = result && user ? PROV_OK : error_nomem(err);

    if (!r && manager && stored)
        r = store_linked_id(store, work->subject.iss, manager, manager_id, err);
    input.manager_id = manager_id[0] ? manager_id : NULL;
    if (!r)
        r = plan_make(&input, &plan, err);
    /* a name that is not going to be sent waits for nobody */
    if (!r && value_get(plan.fields, "Username") && stored)
        r = find_rival(store, work, &plan, &taken_by, &note, err);
    if (!r && !note)
        r = try_suffix(stored ? store : NULL, fields, work, &plan, &taken_by, &note, err);
    if (!r && plan.username &&
        (plan_segments(fields, &work->subject, &segments, &ignored) ||
         !spell(segments, plan.username))) {
        json_object_put(segments); /* a name that is kept, or parked: the plan says why */
        segments = NULL;
    }
    if (r) {
        json_object_put(user);
        return r;
    }
    if (json_put(result, "user", user) || json_put_string(user, "iss", work->subject.iss) ||
        json_put_string(user, "uri", work->subject.uri) || json_put_bool(result, "known", known) ||
        json_put_string(result, "action", plan_action_name(plan.action)) ||
        json_put_string(result, "username", plan.username) ||
        json_put(result, "segments", STEAL(segments)) || add_fields(result, &plan) ||
        add_calls(result, fields, &plan, &work->link) ||
        add_reasons(result, &plan, work, taken_by, note) ||
        add_look_ups(result, fields, &plan, manager_id[0] != '\0'))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

int
preview_asks(struct store *store, const struct event *event, bool *ret, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { .subject = { .presence = PRESENCE_IN } };
    struct subject_state state;
    int r = store_exists(store) ? store_load(store, event->iss, event->uri, &work, err) : PROV_OK;

    if (r)
        return r;
    state = (struct subject_state){ work.subject.id ? work.subject.presence : PRESENCE_IN,
                                    work.subject.resource };
    *ret = event_asks(event, &state);
    return PROV_OK;
}

int
preview_event(struct store *store, const struct fields *fields, const struct event *event,
              struct json_object **ret, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { .subject = { .presence = PRESENCE_IN } };
    struct subject_state state;
    bool changed, known;
    int r;

    if (event->ignored)
        return error_set(err, PROV_E_UNSUPPORTED,
                         "'%s' is no user: the event would be accepted and ignored", event->uri);
    r = store_exists(store) ? store_load(store, event->iss, event->uri, &work, err) : PROV_OK;
    if (r)
        return r;
    known = work.subject.id != 0;
    if (!known) {
        work.subject.presence = PRESENCE_IN;
        work.subject.iss = strdup(event->iss);
        work.subject.uri = strdup(event->uri);
        if (!work.subject.iss || !work.subject.uri)
            return error_nomem(err);
    }
    state.presence = work.subject.presence;
    state.resource = work.subject.resource;
    r = event_fold(&work.subject.pool, event, &state, &changed, err);
    work.subject.presence = state.presence;
    work.subject.resource = state.resource;
    work.subject.version++; /* as accepting it would: the plan tells news from a second look */
    return r ? r : show(store, fields, &work, known, ret, err);
}
