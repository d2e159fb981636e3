/* Decides what has to be sent for one subject (design rules 4, 7, 8, 10, 12, 13). Which field comes
 * from which attribute is the mapping's, what the username is the pattern's; here they become a
 * difference. Username, ProfileId, ManagerId, IsActive and the correlation field are planned here,
 * because they follow from more than the resource. */
#include "plugin/delivery/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/ascii.h"
#include "plugin/delivery/codes.h"
#include "plugin/delivery/org_names.h"
#include "plugin/delivery/released.h"
#include "plugin/scim/patch.h"
#include "schema/scope.h"

#define EXTENSION  "urn:ietf:params:scim:schemas:extension:sfprov:1.0:User"
#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

/* ---- what the resource says ---- */

static const char *
string_of(const struct value *object, const char *name)
{
    const char *text = value_text(value_get_nocase(object, name));

    return text && *text ? text : NULL;
}

const char *
plan_user_name(const struct subject *subject)
{
    const char *name = string_of(subject->resource, "userName");

    return name ? name : subject->uri;
}

static struct value *
manager_of(const struct value *resource)
{
    return value_get_nocase(value_get_nocase(resource, ENTERPRISE), "manager");
}

/* What a manager is named by besides `$ref`; NULL: nothing. Entra sends the bare id. */
static const char *
manager_value(const struct value *manager)
{
    const char *bare = value_text(manager);

    return bare && *bare ? bare : string_of(manager, "value");
}

/* Whether a manager is named at all, be it in a way that nobody understands. */
static bool
names_manager(const struct value *resource)
{
    struct value *manager = manager_of(resource);

    return string_of(manager, "$ref") || manager_value(manager);
}

char *
plan_manager_uri(struct value *resource)
{
    struct value *manager = manager_of(resource);
    const char *ref = string_of(manager, "$ref"), *value = manager_value(manager);
    char *uri = ref ? event_user_uri(ref) : NULL;

    if (uri || !value)
        return uri;
    if (*value == '/' || strstr(value, "://"))
        return event_user_uri(value);
    return asprintf(&uri, "/Users/%s", value) < 0 ? NULL : uri;
}

char *
plan_correlation(const struct subject *subject)
{
    char *text = NULL;

    return asprintf(&text, "%s#%s", subject->iss, subject->uri) < 0 ? NULL : text;
}

/* ---- the username ---- */

struct pattern_user
plan_pattern_user(const struct fields *fields, struct value *resource)
{
    struct value *extension = value_get_nocase(resource, EXTENSION);
    const char *user_domain = string_of(extension, "userDomain");
    const char *tenant = string_of(extension, "tenantDomain");

    return (struct pattern_user){ .entity_name = string_of(resource, "userName"),
                                  .user_domain = user_domain ? user_domain : fields->user_domain,
                                  .tenant_domain = tenant ? tenant : fields->tenant_domain,
                                  .identity_provider = fields->identity_provider };
}

/*
 * What the host says that a username is built from. Connector fields do not count: a new separator
 * must not creep through an org as its users change (rule 10), so a username follows only a change
 * of these, or a replan.
 */
static char *
username_inputs(struct pool *pool, struct value *resource)
{
    static const char *const names[] = { "tenantDomain", "userDomain", "userName" }; /* sorted */
    struct value *extension = value_get_nocase(resource, EXTENSION), *inputs = value_object(pool);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct value *given = value_get_nocase(i < 2 ? extension : resource, names[i]);
        if (value_is(given, VALUE_TEXT) && given->length > 0 &&
            value_add(pool, inputs, names[i], strlen(names[i]), given))
            return NULL;
    }
    return inputs ? value_json(inputs) : NULL;
}

void
plan_say(struct plan *plan, const char *format, ...)
{
    char text[sizeof(((struct prov_error *)0)->text)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    error_tidy(text);
    plan->reason = pool_text(&plan->pool, text, strlen(text));
}

int
plan_name(struct plan *plan, const char *name)
{
    plan->username = pool_text(&plan->pool, name, strlen(name));
    return plan->username ? PROV_OK : PROV_E_NOMEM;
}

static int
park(struct plan *plan, const char *code, const char *reason)
{
    plan->action = PLAN_PARK;
    plan->code = code;
    plan_say(plan, "%s", reason);
    return PROV_OK;
}

/* The name of a leaver whose username is given free; one that was keeps it. */
static int
choose_released(const struct link *link, struct plan *plan)
{
    char name[PATTERN_MAX_BYTES];

    if (released_undo(link->username_held, link->salesforce_id, name))
        return plan_name(plan, link->username_held);
    released_name(link->username_held, link->salesforce_id, name);
    return plan_name(plan, name);
}

/* Whether the account of an inactive user has a name to give free. */
static bool
gives_name_free(const struct plan_input *input)
{
    return input->fields->leavers_release && input->link->salesforce_id[0] &&
           input->link->username_held;
}

/* The number behind the name that was built from these inputs (username_taken); 0: there is none. */
static unsigned
number_of(const char *inputs)
{
    return inputs[0] >= '0' && inputs[0] <= '9' && inputs[1] == ' ' ? (unsigned)(inputs[0] - '0')
                                                                    : 0;
}

static const char *
without_number(const char *inputs)
{
    return number_of(inputs) ? inputs + 2 : inputs;
}

int
plan_number(struct plan *plan, const char *name, unsigned number)
{
    char *inputs = NULL;

    if (asprintf(&inputs, "%u %s", number, without_number(plan->username_inputs)) < 0)
        return PROV_E_NOMEM;
    free(plan->username_inputs);
    plan->username_inputs = inputs;
    if (!plan->plain)
        plan->plain = plan->username;
    return plan_name(plan, name);
}

/* Who has a number keeps it when the name takes another form: without it the name may be another one's. */
static int
keep_number(const struct fields *fields, unsigned number, struct plan *plan)
{
    char form[USERNAME_MAX_CHARACTERS + 1];

    if (!number || !fields->suffixes ||
        !username_numbered(plan->username, fields->username_suffix ? fields->username_suffix : "",
                           number, form))
        return PROV_OK;
    username_lower(form);
    return plan_number(plan, form, number);
}

/* The name an account has now, or had before it was given free; plan->username stays NULL if that is not known. */
static int
keep_name(const struct link *link, struct plan *plan)
{
    char before[PATTERN_MAX_BYTES];

    if (!released_is(link->username_held) ||
        !released_undo(link->username_held, link->salesforce_id, before))
        return plan_name(plan, link->username_held);
    return before[0] ? plan_name(plan, before) : PROV_OK;
}

/* By the pattern, or parks. */
static int
build_username(const struct plan_input *input, unsigned number, struct plan *plan,
               struct prov_error *err)
{
    struct pattern_user user = plan_pattern_user(input->fields, input->subject->resource);
    struct prov_error why = PROV_ERROR_INIT;
    char name[PATTERN_MAX_BYTES];
    int fault;

    plan->username = NULL;
    if (!user.entity_name)
        return park(plan, CODE_USERNAME,
                    "the resource has no userName, so no Salesforce username can be built; send "
                    "one from the host");
    if (pattern_render(input->fields->pattern, &user, name, sizeof(name), NULL, &why))
        return park(plan, CODE_USERNAME, why.text);
    fault = username_check(name, &why);
    if (!fault)
        username_lower(name);
    if (name[0] && plan_name(plan, name)) /* also one that is not valid, which is shown */
        return error_nomem(err);
    if (fault)
        return park(plan, CODE_USERNAME, why.text);
    return keep_number(input->fields, number, plan) ? error_nomem(err) : PROV_OK;
}

/* Of who has left the account stays as it is until the return. */
static bool
is_replanned(const struct plan_input *input, const struct plan *plan)
{
    return input->replan && plan->wanted;
}

/* Fills plan->username, or parks. */
static int
choose_username(const struct plan_input *input, struct plan *plan, struct prov_error *err)
{
    const struct link *link = input->link;

    if (!scim_is_active(input->subject->resource) && gives_name_free(input))
        return choose_released(link, plan) ? error_nomem(err) : PROV_OK;
    plan->username_inputs = username_inputs(&plan->pool, input->subject->resource);
    if (!plan->username_inputs)
        return error_nomem(err);
    if (!link->username_held || !link->username_inputs ||
        strcmp(without_number(link->username_inputs), plan->username_inputs) != 0)
        return build_username(input, 0, plan, err);
    if (!is_replanned(input, plan) && keep_name(link, plan))
        return error_nomem(err);
    if (!plan->username)
        return build_username(input, number_of(link->username_inputs), plan, err);
    free(plan->username_inputs);
    plan->username_inputs = strdup(link->username_inputs);
    return plan->username_inputs ? PROV_OK : error_nomem(err);
}

int
plan_segments(const struct fields *fields, const struct subject *subject, struct json_object **ret,
              struct prov_error *err)
{
    struct pattern_user user = plan_pattern_user(fields, subject->resource);
    AUTO_JSON struct json_object *list = json_object_new_array();
    struct pattern_segment segments[PATTERN_MAX_SEGMENTS];
    char username[PATTERN_MAX_BYTES];
    size_t count = 0;
    int r;

    if (!list)
        return error_nomem(err);
    r = pattern_explain(fields->pattern, &user, username, sizeof(username), segments, &count, err);
    for (size_t i = 0; !r && i < count; i++) {
        struct json_object *row = json_object_new_object();
        if (json_append(list, row) || json_put_string(row, "source", segments[i].source) ||
            json_put_string(row, "origin", segments[i].origin) ||
            json_put(
                row, "text",
                json_object_new_string_len(username + segments[i].start, (int)segments[i].length)))
            return error_nomem(err);
    }
    if (!r)
        *ret = STEAL(list);
    return r;
}

/* ---- the difference ---- */

static struct value *
what_is_there(const struct plan_input *input)
{
    return input->there ? input->there : input->link->confirmed;
}

static bool
is_there(const struct plan_input *input, const char *field, struct value *wanted)
{
    struct value *there = value_get(what_is_there(input), field);

    /* a field we never sent is not there as far as we know: null equals absent */
    if (value_is(there, VALUE_TEXT) && value_is(wanted, VALUE_TEXT) &&
        strcmp(field, "Username") == 0)
        return username_equal(there->text, wanted->text);
    return mapping_same(input->fields->mapping, field, wanted, there);
}

/* Adds a field of our own to what is wanted (NULL clears it), with the line of the trace that says
 * why. */
static int
want(struct plan *plan, struct value *wanted, const char *field, struct value *value,
     const char *from)
{
    struct value *line;

    if (value_put(&plan->pool, wanted, field, value))
        return PROV_E_NOMEM;
    if (!plan->trace)
        return PROV_OK;
    line = value_object(&plan->pool);
    if (value_append(&plan->pool, plan->trace, line) ||
        value_put_text(&plan->pool, line, "field", field) ||
        value_put(&plan->pool, line, "value", value))
        return PROV_E_NOMEM;
    return value_put_text(&plan->pool, line, "from", from);
}

static int
want_text(struct plan *plan, struct value *wanted, const char *field, const char *text,
          const char *from)
{
    struct value *value = text ? value_string(&plan->pool, text) : NULL;

    /* out of memory must not read as "clear the field" */
    return text && !value ? PROV_E_NOMEM : want(plan, wanted, field, value, from);
}

/* Whoever no rule gives a profile gets that of the connector field. Where there are rules it follows
 * the resource as they do: who is no contractor any more must not keep a contractor's profile. */
static int
want_profile(const struct plan_input *input, struct plan *plan, struct value *wanted,
             bool from_fields)
{
    static const char from[] = "connector field profile";

    if (value_get(wanted, "ProfileId"))
        return PROV_OK;
    if (mapping_has(input->fields->mapping, "ProfileId"))
        return want_text(plan, wanted, "ProfileId", input->fields->profile, from);
    if (from_fields && input->profile_id)
        return want_text(plan, wanted, "ProfileId", input->profile_id, from);
    return PROV_OK;
}

/* Who returns is active, and not frozen any more if it was we who froze the account. Whom we freeze stays active, or
 * what the account was. */
static int
want_access(const struct plan_input *input, struct plan *plan, struct value *wanted, bool creating)
{
    bool wants_active = scim_is_active(input->subject->resource);
    int r;

    if (!wants_active && input->fields->leavers_freeze && !creating)
        return PROV_OK;
    r = want(plan, wanted, "IsActive", value_boolean(wants_active), "in scope and active");
    if (r || !wants_active)
        return r;
    if (input->link->frozen_by_others) {
        plan->code = CODE_STAYS_FROZEN;
        plan->reason = "the account stays frozen, for it was not the connector that froze it, as "
                       "far as is known";
        return PROV_OK;
    }
    if (!link_is_frozen(input->link))
        return PROV_OK;
    return want(plan, wanted, FROZEN_FIELD, value_boolean(false), "in scope and active");
}

static int
want_our_fields(const struct plan_input *input, struct plan *plan, struct value *wanted,
                bool creating)
{
    const char *correlation_field = input->fields->correlation_field;
    AUTO_FREE char *correlation = NULL;
    /* what follows from connector fields alone does not creep through an org (rule 10) */
    bool from_fields = creating || is_replanned(input, plan);
    int r = want_access(input, plan, wanted, creating);

    if (!r)
        r = want_text(plan, wanted, "Username", plan->username,
                      plan->username_inputs ? "provisioning pattern" : "leaver_action");
    if (!r)
        r = want_profile(input, plan, wanted, from_fields);
    /* an adopted account may lack it, or hold a leaver's */
    if (!r && correlation_field &&
        (from_fields || value_has(input->link->confirmed, correlation_field))) {
        correlation = plan_correlation(input->subject);
        r = correlation ? want_text(plan, wanted, correlation_field, correlation, "issuer and URI")
                        : PROV_E_NOMEM;
    }
    /* a manager who is not linked yet is left as is; the plan is made anew when he arrives. So is one
     * who is named in a way that says nobody: only no manager at all clears the field. */
    if (!r && (input->manager_id || !names_manager(input->subject->resource)))
        r = want_text(plan, wanted, "ManagerId", input->manager_id, "manager");
    return r;
}

/* What was confirmed once, is not there any more, and follows from no rule: the profile of a create, a
 * field that the mapping does not know any more. A repair sets back that as well. */
static int
want_back(const struct plan_input *input, struct value *wanted, struct plan *plan)
{
    if (!input->there)
        return PROV_OK;
    VALUE_EACH(input->link->confirmed, member)
    {
        if (value_has(wanted, member->name) || is_there(input, member->name, member->value))
            continue;
        if (value_put(&plan->pool, plan->fields, member->name, member->value))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

/* Moves what differs from what is there into plan->fields. */
static int
difference(const struct plan_input *input, struct value *wanted, bool creating, struct plan *plan)
{
    plan->fields = value_object(&plan->pool);
    if (!plan->fields)
        return PROV_E_NOMEM;
    VALUE_EACH(wanted, member)
    {
        if (creating ? !member->value : is_there(input, member->name, member->value))
            continue;
        if (value_add(&plan->pool, plan->fields, member->name, member->name_length, member->value))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

/* The account is as it should be before its user gets in again; and UserLogin is another object, which
 * never stands in one call with users. */
static void
unfreeze_last(struct plan *plan)
{
    if (plan->action != PLAN_UPDATE || !value_has(plan->fields, FROZEN_FIELD))
        return;
    if (value_count(plan->fields) == 1) {
        plan->action = PLAN_UNFREEZE;
        return;
    }
    value_remove(plan->fields, FROZEN_FIELD);
    plan->more = true;
}

static int
plan_fields(const struct plan_input *input, bool creating, struct plan *plan,
            struct prov_error *err)
{
    struct value *wanted = NULL;
    struct prov_error why = PROV_ERROR_INIT;
    const char *fault = NULL;
    int r = choose_username(input, plan, err);

    if (r || plan->action == PLAN_PARK)
        return r;
    plan->manager_uri = plan_manager_uri(input->subject->resource);
    r = mapping_apply(&plan->pool, input->fields->mapping, input->subject->resource, creating,
                      &wanted, input->traced ? &plan->trace : NULL, &why);
    if (r == PROV_E_NOMEM)
        return error_nomem(err);
    if (r)
        return park(plan, CODE_MAPPING, why.text);
    if (want_our_fields(input, plan, wanted, creating) ||
        org_names_resolve(&plan->pool, input->names, wanted, &plan->lacks, &fault))
        return error_nomem(err);
    if (fault)
        return park(plan, CODE_NAME_NOT_FOUND, fault);
    if (difference(input, wanted, creating, plan) || want_back(input, wanted, plan))
        return error_nomem(err);
    plan->action = creating                        ? PLAN_CREATE
                   : value_count(plan->fields) > 0 ? PLAN_UPDATE
                                                   : PLAN_NOTHING;
    unfreeze_last(plan);
    return PROV_OK;
}

/* ---- leaving ---- */

static bool
is_named(const char *names, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = names; (at = ascii_find(at, name)); at += length) {
        if ((at == names || at[-1] == ',') && (at[length] == ',' || !at[length]))
            return true;
    }
    return false;
}

int
plan_correct(const struct plan_input *input, const char *names, struct plan *plan, bool *ret,
             struct prov_error *err)
{
    CLEANUP(plan_done) struct plan all = { .action = PLAN_NOTHING };
    bool known = names[0] && input->subject->resource;
    int r = known ? plan_fields(input, false, &all, err) : PROV_OK;

    *ret = false;
    if (r || all.action == PLAN_PARK)
        return r;
    VALUE_EACH(all.fields, member)
    {
        struct value *value = NULL;
        if (!is_named(names, member->name) || value_has(plan->fields, member->name) ||
            !mapping_has(input->fields->mapping, member->name))
            continue;
        if (value_copy(&plan->pool, member->value, &value) ||
            value_put(&plan->pool, plan->fields, member->name, value))
            return error_nomem(err);
        *ret = true;
    }
    return PROV_OK;
}

int
plan_put_alone(struct plan *plan, const char *field, struct value *value)
{
    plan->fields = value_object(&plan->pool);
    return value_put(&plan->pool, plan->fields, field, value);
}

static int
plan_switch(struct plan *plan, enum plan_action action, const char *field, bool value,
            struct prov_error *err)
{
    plan->action = action;
    return plan_put_alone(plan, field, value_boolean(value)) ? error_nomem(err) : PROV_OK;
}

/* Takes access away, alone (rule 7). Whoever Salesforce does not let be deactivated is frozen by the round
 * (freeze.c), and is planned here again when the deactivation is tried anew. */
static int
plan_leaving(const struct plan_input *input, struct plan *plan, struct prov_error *err)
{
    plan->more = plan->in_scope || input->fields->leavers_release;
    return input->fields->leavers_freeze
               ? plan_switch(plan, PLAN_FREEZE, FROZEN_FIELD, true, err)
               : plan_switch(plan, PLAN_DEACTIVATE, "IsActive", false, err);
}

/* Of an account that nobody uses any more the username is given free. */
static int
plan_release(const struct plan_input *input, struct plan *plan, struct prov_error *err)
{
    struct value *name;

    if (!gives_name_free(input))
        return PROV_OK;
    if (choose_released(input->link, plan))
        return error_nomem(err);
    if (strcmp(plan->username, input->link->username_held) == 0) {
        plan->username = NULL;
        return PROV_OK;
    }
    plan->action = PLAN_UPDATE;
    name = value_string(&plan->pool, plan->username);
    return !name || plan_put_alone(plan, "Username", name) ? error_nomem(err) : PROV_OK;
}

/* Whether there is access to take away: a reactivation, or an unfreezing, that is in flight may have
 * happened. */
static bool
may_have_access(const struct plan_input *input)
{
    struct value *there = what_is_there(input);
    struct value *flight = value_get(input->link->in_flight, "fields");
    bool may_be_active =
        value_get_boolean(there, "IsActive", true) || value_get_boolean(flight, "IsActive", false);

    if (!input->fields->leavers_freeze || !may_be_active)
        return may_be_active;
    return !value_get_boolean(there, FROZEN_FIELD, false) ||
           !value_get_boolean(flight, FROZEN_FIELD, true);
}

/* ---- scope (rule 4) ---- */

static void
say_out_of_scope(const struct plan_input *input, struct plan *plan)
{
    char why[sizeof(((struct prov_error *)0)->text)] = "";

    (void)scope_admits(input->fields, input->subject->resource, why, sizeof(why));
    plan_say(plan, "%s", why);
}

/* Why the subject is not in scope; *ret_by_fields: the connector fields alone say so. */
static bool
find_scope(const struct plan_input *input, struct plan *plan, bool *ret_by_fields)
{
    const struct subject *subject = input->subject;
    const char *why =
        subject->presence == PRESENCE_GONE
            ? "the user is gone at the host; only a create or put event, or feed:add, "
              "brings the user back"
        : subject->presence == PRESENCE_OUT
            ? "out of scope: the host took the user out of the feed; only a feed:add "
              "event brings the user back"
            : NULL;

    *ret_by_fields = false;
    if (why) {
        plan->code = subject->presence == PRESENCE_GONE ? CODE_GONE : CODE_OUT_OF_SCOPE;
        plan->reason = why;
        return false;
    }
    /* of a subject whose resource was never seen nobody knows */
    if (!subject->resource || scope_admits(input->fields, subject->resource, NULL, 0))
        return true;
    say_out_of_scope(input, plan);
    plan->code = CODE_OUT_OF_SCOPE;
    *ret_by_fields = true;
    return false;
}

/* Whether this version of the subject was settled, and was in scope then: what has changed since is
 * the connector fields alone. */
static bool
was_settled_in_scope(const struct plan_input *input)
{
    const struct link *link = input->link;
    bool settled = link->outcome && (strcmp(link->outcome, "delivered") == 0 ||
                                     strcmp(link->outcome, "nothing to do") == 0);

    return settled && link->settled_version == input->subject->version &&
           !(link->code && strcmp(link->code, CODE_OUT_OF_SCOPE) == 0);
}

/* Whether a user stays whom the connector fields alone let in no more. */
static bool
is_withheld(const struct plan_input *input, bool by_fields)
{
    return by_fields && !input->replan && was_settled_in_scope(input);
}

/* A changed field must not deactivate an org by itself (rule 10): who is delivered stays, whatever
 * made the subject due, until there is news of the user, or a replan. */
static void
wait_for_news(struct plan *plan)
{
    static const char note[] = "; the account stays until the user's next event or a replan";
    char why[sizeof(((struct prov_error *)0)->text) - sizeof(note)];

    plan->code = CODE_LEAVES_SCOPE;
    snprintf(why, sizeof(why), "%s", plan->reason ? plan->reason : "");
    error_tidy(why); /* perhaps cut in a character */
    plan_say(plan, "%s%s", why, note);
}

bool
plan_is_out(const struct fields *fields, const struct work *work)
{
    const struct plan_input input = { .fields = fields,
                                      .subject = &work->subject,
                                      .link = &work->link,
                                      .replan = work->link.orders & ORDER_REPLAN };
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };
    bool by_fields;

    return !find_scope(&input, &plan, &by_fields) &&
           !(may_have_access(&input) && is_withheld(&input, by_fields));
}

int
plan_make(const struct plan_input *input, struct plan *ret, struct prov_error *err)
{
    const struct subject *subject = input->subject;
    bool linked = input->link->salesforce_id[0] != '\0', by_fields;

    *ret = (struct plan){ .action = PLAN_NOTHING };
    ret->in_scope = find_scope(input, ret, &by_fields);
    ret->wanted = ret->in_scope && subject->resource && scim_is_active(subject->resource);
    if (linked && !ret->wanted && (!ret->in_scope || subject->resource) && may_have_access(input)) {
        if (ret->in_scope)
            ret->reason = "the user is inactive at the host";
        if (!is_withheld(input, by_fields))
            return plan_leaving(input, ret, err);
        wait_for_news(ret);
    }
    /* nothing more is sent, linked or not */
    if (!ret->in_scope)
        return strcmp(ret->code, CODE_LEAVES_SCOPE) != 0 ? plan_release(input, ret, err) : PROV_OK;
    if (!subject->resource && subject->damaged)
        return park(ret, CODE_STORE_DAMAGED,
                    "what the host said of this user cannot be read any more");
    if (!subject->resource)
        return park(ret, CODE_RESOURCE_NEVER_SEEN,
                    "the host has only sent changes of this user, never the user; send a "
                    "prov:put:full (or create:full) event with the whole resource");
    if (!linked && !ret->wanted && !input->fields->create_inactive)
        return PROV_OK; /* no ghosts that hold usernames (rule 8) */
    return plan_fields(input, !linked, ret, err);
}

void
plan_done(struct plan *plan)
{
    pool_done(&plan->pool);
    free(plan->username_inputs);
    free(plan->manager_uri);
    *plan = (struct plan){ .action = PLAN_NOTHING };
}

/* ---- words ---- */

const char *
plan_action_name(enum plan_action action)
{
    static const char *const names[] = { "nothing", "create",   "update", "deactivate",
                                         "freeze",  "unfreeze", "park" };

    return names[action];
}

char *
plan_field_names(const struct value *sent)
{
    char names[400] = "";
    size_t length = 0;

    VALUE_EACH(sent, member)
    {
        const char *field = member->name;
        if (strcmp(field, "IsActive") == 0 || strcmp(field, "Id") == 0)
            continue;
        if (length + strlen(field) + 8 > sizeof(names)) {
            strcpy(names + length, ", ...");
            break;
        }
        length = (size_t)(stpcpy(stpcpy(names + length, length ? ", " : ""), field) - names);
    }
    return strdup(names);
}

char *
plan_describe(bool create, const struct value *sent, const struct value *before)
{
    AUTO_FREE char *names = plan_field_names(sent);
    struct value *active = value_get(sent, "IsActive");
    const char *to = value_get_text(sent, "Username"), *from = value_get_text(before, "Username");
    char *text = NULL;

    if (create)
        return strdup("created");
    if (value_get(sent, FROZEN_FIELD))
        return strdup(value_get_boolean(sent, FROZEN_FIELD, false) ? "frozen" : "unfrozen");
    if (value_is(active, VALUE_FALSE))
        return strdup("deactivated");
    if (!names)
        return NULL;
    if (to && from && strcmp(from, to) != 0)
        return asprintf(&text, "renamed %s to %s", from, to) < 0 ? NULL : text;
    if (active)
        return asprintf(&text, "reactivated%s%s", *names ? ", updated " : "", names) < 0 ? NULL
                                                                                         : text;
    return asprintf(&text, "updated %s", names) < 0 ? NULL : text;
}
