/* Dispatches queries and acts to the rooms that answer them. */
#include "plugin/requests.h"

#include <string.h>

#include "plugin/base/secret_ref.h"
#include "plugin/delivery/collisions.h"
#include "plugin/delivery/replan.h"
#include "plugin/status.h"

/* ---- queries ---- */

static int
query_subjects(const struct request_context *context, struct json_object *request,
               struct json_object **ret, struct prov_error *err)
{
    static const char *const states[] = { "all",     "in_step", "pending",
                                          "waiting", "parked",  "in_flight" };
    const char *state = json_get_string(request, "state");
    AUTO_JSON struct json_object *result = NULL;
    bool known = state == NULL;
    struct json_object *list;
    int r;

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        known = known || strcmp(states[i], state) == 0;
    if (!known)
        return error_set(
            err, PROV_E_INVALID,
            "there is no state '%s': it is all, in_step, pending, waiting, parked or in_flight",
            state);
    if (json_get_string(request, "userName") && !json_get_string(request, "issuer") &&
        json_put_string(request, "issuer", context->fields->issuer))
        return error_nomem(err);
    r = store_read_subjects(context->store, request, &result, err);
    list = json_get(result, "subjects");
    for (size_t i = 0; !r && i < json_object_array_length(list); i++)
        r = delivery_explain_waits(json_object_array_get_idx(list, i), err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

static const char *
user_of(struct json_object *request, struct prov_error *err)
{
    const char *user = json_get_string(request, "user");

    if (!user || !*user)
        error_set(err, PROV_E_INVALID,
                  "the request needs \"user\": a URI, a userName, a Salesforce username or an Id");
    return user && *user ? user : NULL;
}

static int
query_subject(const struct request_context *context, struct json_object *request,
              struct json_object **ret, struct prov_error *err)
{
    const char *user = user_of(request, err);
    AUTO_JSON struct json_object *result = NULL;
    int r = user ? store_read_subject(context->store, user, &result, err) : PROV_E_INVALID;

    if (!r)
        r = delivery_explain_waits(result, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

static int
query_events(const struct request_context *context, struct json_object *request,
             struct json_object **ret, struct prov_error *err)
{
    int64_t limit = json_get_int(request, "limit", 200);

    if (limit < 1 || limit > 1000)
        return error_set(err, PROV_E_INVALID, "limit %lld is not from 1 to 1000", (long long)limit);
    return store_read_events(context->store, json_get_int(request, "after", 0), limit, ret, err);
}

/* Of a secret that is kept in a file, which is read where it is used. What stands in the environment of a service is
 * there, and not where somebody looks. */
static int
warn_of_secret(const char *name, const char *place, struct json_object *warnings,
               struct prov_error *err)
{
    struct prov_error why = PROV_ERROR_INIT;
    struct json_object *warning;
    AUTO_SECRET char *bytes = NULL;
    const char *remedy;
    size_t length;
    int r = secret_ref_read_bytes(place, &bytes, &length, &why);

    if (r != PROV_E_FIELDS)
        return r ? error_nomem(err) : PROV_OK;
    remedy = strstr(why.text, "; ");
    if (remedy)
        why.text[remedy - why.text] = '\0';
    warning = json_object_new_object();
    return json_append(warnings, warning) || !warning || json_put_string(warning, "field", name) ||
                   json_put_string(warning, "value", place) ||
                   json_put_string(warning, "reason", why.text) ||
                   json_put_string(warning, "remedy", remedy ? remedy + 2 : NULL)
               ? error_nomem(err)
               : PROV_OK;
}

static int
warn_of_secrets(struct json_object *values, struct json_object *warnings, struct prov_error *err)
{
    int r = PROV_OK;

    json_object_object_foreach(values, name, value)
    {
        const char *place = json_object_get_string(value);
        if (!r && place && strncmp(place, "file:", 5) == 0 && fields_is_secret(name))
            r = warn_of_secret(name, place, warnings, err);
    }
    return r;
}

static int
query_fields(const struct request_context *context, struct json_object *request,
             struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = NULL;
    struct json_object *warnings = NULL;
    int r = fields_effective(context->fields, &result, err);

    (void)request;
    if (r)
        return r;
    /* threads share the warnings, as in status_query() */
    if ((context->warnings && json_object_deep_copy(context->warnings, &warnings, NULL) != 0) ||
        (!warnings && !(warnings = json_object_new_array())) ||
        json_put(result, "warnings", warnings))
        return error_nomem(err);
    r = warn_of_secrets(json_get(result, "fields"), warnings, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* A query or an act that asks Salesforce about one user, or about a page of them. */
static int
query_page(const struct request_context *context, struct json_object *request,
           int (*answer)(struct delivery *, const struct page_request *, struct json_object **,
                         struct prov_error *),
           struct json_object **ret, struct prov_error *err)
{
    struct page_request page = { .after = json_get_int(request, "after", 0),
                                 .limit = json_get_int(request, "limit", 200),
                                 .dry_run = json_get_bool(request, "dry_run", false) };
    const char *user = json_get_string(request, "user");
    int r = PROV_OK;

    if (page.limit < 1 || page.limit > 1000)
        return error_set(err, PROV_E_INVALID, "limit %lld is not from 1 to 1000",
                         (long long)page.limit);
    if (user)
        r = store_find(context->store, user, &page.subject, err);
    return r ? r : answer(context->delivery, &page, ret, err);
}

static int
query_match(const struct request_context *context, struct json_object *request,
            struct json_object **ret, struct prov_error *err)
{
    return query_page(context, request, delivery_match, ret, err);
}

static int
query_drift(const struct request_context *context, struct json_object *request,
            struct json_object **ret, struct prov_error *err)
{
    return query_page(context, request, delivery_drift, ret, err);
}

static int
query_org(const struct request_context *context, struct json_object *request,
          struct json_object **ret, struct prov_error *err)
{
    return delivery_org(context->delivery, json_get_bool(request, "refresh", false), ret, err);
}

static int
query_collisions(const struct request_context *context, struct json_object *request,
                 struct json_object **ret, struct prov_error *err)
{
    return collisions_find(context->store, context->fields, request, ret, err);
}

static int
query_store(const struct request_context *context, struct json_object *request,
            struct json_object **ret, struct prov_error *err)
{
    return store_inspect(context->store, json_get_bool(request, "full", false), ret, err);
}

/* ---- acts ---- */

static int
answer_count(int64_t count, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();

    if (!result || json_put_int(result, "count", count))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

/* One subject, and who waits for his username: they may exchange theirs; or all that are parked (subject 0). */
static int
make_due(struct store *store, int64_t subject, int64_t *ret_count, struct prov_error *err)
{
    int r = store_begin(store, STORE_UNFENCED, err);

    if (r)
        return r;
    *ret_count = 1;
    r = subject ? store_due_add(store, subject, DUE_NOW, err)
                : store_due_parked(store, ret_count, err);
    if (!r && subject)
        r = store_due_for_name_of(store, subject, err);
    if (!r)
        r = store_password_hurry(store, subject, err);
    if (!r)
        r = store_note(store, subject, NOTE_ORDER,
                       subject ? "retry" : "retry of all who were parked", err);
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}

static int
act_retry(const struct request_context *context, struct json_object *request,
          struct json_object **ret, struct prov_error *err)
{
    const char *state = json_get_string(request, "state"), *user;
    int64_t subject = 0, count = 0;
    int r = PROV_OK;

    if (!state || strcmp(state, "parked") != 0) {
        user = user_of(request, err);
        r = user ? store_find(context->store, user, &subject, err) : PROV_E_INVALID;
    }
    if (!r)
        r = make_due(context->store, subject, &count, err);
    if (!r)
        r = delivery_try_now(context->store, err);
    return r ? r : answer_count(count, ret, err);
}

static int
act_hold(const struct request_context *context, struct json_object *request,
         struct json_object **ret, struct prov_error *err)
{
    const char *reason = json_get_string(request, "reason");
    int r = delivery_hold_by_admin(context->store, reason ? reason : "no reason given", err);

    return r ? r : answer_count(1, ret, err);
}

static int
act_resume(const struct request_context *context, struct json_object *request,
           struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *hold = NULL;
    int r = delivery_hold_read(context->store, &hold, err);

    (void)request;
    if (!r && hold)
        r = delivery_resume(context->store, err);
    return r ? r : answer_count(hold != NULL, ret, err);
}

static int
act_replan(const struct request_context *context, struct json_object *request,
           struct json_object **ret, struct prov_error *err)
{
    struct replan_order order = { .dry_run = json_get_bool(request, "dry_run", false),
                                  .force = json_get_bool(request, "force", false),
                                  .limit = json_get_int(request, "limit", 200) };
    const char *user = json_get_string(request, "user");
    bool all = json_get_bool(request, "all", false);
    int r = PROV_OK;

    if (all == (user != NULL))
        return error_set(err, PROV_E_INVALID,
                         "replan needs either \"user\", or \"all\":true for everybody who is in "
                         "Salesforce");
    if (order.limit < 0 || order.limit > 100000)
        return error_set(err, PROV_E_INVALID, "limit %lld is not from 0 to 100000",
                         (long long)order.limit);
    if (user)
        r = store_find(context->store, user, &order.subject, err);
    return r ? r : replan_run(context->store, context->fields, &order, ret, err);
}

static int
act_repair(const struct request_context *context, struct json_object *request,
           struct json_object **ret, struct prov_error *err)
{
    if (json_get_bool(request, "all", false) == (json_get_string(request, "user") != NULL))
        return error_set(err, PROV_E_INVALID,
                         "repair needs either \"user\", or \"all\":true for everybody who is in "
                         "Salesforce");
    return query_page(context, request, delivery_repair, ret, err);
}

/* Lets deactivations pass that the guard holds, and those that are due now. */
static int
act_release(const struct request_context *context, struct json_object *request,
            struct json_object **ret, struct prov_error *err)
{
    int64_t count = 0;
    int r = store_begin(context->store, STORE_UNFENCED, err);

    (void)request;
    if (r)
        return r;
    r = store_guard_release(context->store, &count, err);
    if (!r && count > 0)
        r = store_note(context->store, 0, NOTE_ORDER, "release of deactivations", err);
    if (r) {
        store_rollback(context->store);
        return r;
    }
    r = store_commit(context->store, err);
    return r ? r : answer_count(count, ret, err);
}

/* Others submit and deliver meanwhile: each piece is a short transaction. */
static int
act_vacuum(const struct request_context *context, struct json_object *request,
           struct json_object **ret, struct prov_error *err)
{
    bool more = true;
    int r = PROV_OK;

    (void)request;
    while (!r && more)
        r = store_give_back(context->store, 0, &more, err);
    if (!r)
        r = store_checkpoint(context->store, 0, err);
    return r ? r : answer_count(1, ret, err);
}

/* The worker itself is started by who calls: by any act. */
static int
act_start(const struct request_context *context, struct json_object *request,
          struct json_object **ret, struct prov_error *err)
{
    (void)request;
    if (!context->worker)
        return error_set(err, PROV_E_STATE,
                         "this connector was opened without a worker: open it without "
                         "PROV_OPEN_NO_WORKER and PROV_OPEN_NEVER_DELIVER, or call deliver()");
    return answer_count(1, ret, err);
}

static int
act_login(const struct request_context *context, struct json_object *request,
          struct json_object **ret, struct prov_error *err)
{
    const struct login_request login = { .redirect_uri = json_get_string(request, "redirect_uri"),
                                         .state = json_get_string(request, "state"),
                                         .verifier = json_get_string(request, "verifier"),
                                         .code = json_get_string(request, "code") };

    return delivery_login(context->delivery, &login, ret, err);
}

/* Whether the store takes a change at this moment: one is written, and flushed. */
static int
write_something(const struct request_context *context, struct prov_error *err)
{
    int r = store_begin(context->store, STORE_UNFENCED, err);

    if (r)
        return r;
    r = store_put_fact(context->store, "host_ready", "", err);
    if (r) {
        store_rollback(context->store);
        return r;
    }
    return store_commit(context->store, err);
}

/* A host tells how it stands: it begins, joins in or ends its work, has missed a change or is late with one, has
 * caught up, asks whether one can be kept. But for the last, the store is not looked at: it may be what fails. */
static int
act_host(const struct request_context *context, struct json_object *request,
         struct json_object **ret, struct prov_error *err)
{
    const char *state = json_get_string(request, "state"), *host = json_get_string(request, "name");
    const char *reason = json_get_string(request, "reason"), *store = context->fields->store;
    int r;

    if (!host || !*host)
        host = "host";
    if (!state)
        state = "";
    if (!strcmp(state, "begun"))
        r = resync_begin(context->work, store, host, err);
    else if (!strcmp(state, "joined"))
        r = resync_join(store, err);
    else if (!strcmp(state, "ended"))
        r = resync_end(context->work, store, err);
    else if (!strcmp(state, "missed"))
        r = resync_miss(store, host, reason ? reason : "no reason given", err);
    else if (!strcmp(state, "late"))
        r = resync_late(store, host, reason ? reason : "no reason given", err);
    else if (!strcmp(state, "caught_up"))
        r = resync_caught_up(store, err);
    else if (!strcmp(state, "ready"))
        r = write_something(context, err);
    else
        r = error_set(
            err, PROV_E_INVALID,
            "the state of a host is begun, joined, ended, missed, late, caught_up or ready, "
            "not '%s'",
            state);
    return r ? r : answer_count(1, ret, err);
}

static int
act_unsupported(const struct request_context *context, struct json_object *request,
                struct json_object **ret, struct prov_error *err)
{
    (void)context;
    (void)ret;
    return error_set(
        err, PROV_E_UNSUPPORTED,
        "'%s' is not done by this version of sfprov; it knows retry, hold, resume, replan, "
        "repair, release, login, start, host and vacuum",
        json_get_string(request, "act"));
}

/* ---- dispatch ---- */

struct request {
    const char *name;
    int (*answer)(const struct request_context *, struct json_object *, struct json_object **,
                  struct prov_error *);
    bool of_store; /* has an answer only where a store is; makes none */
};

/* A path that was misspelled looks like this: an answer of zeros would hide it. */
static int
refuse_without_store(const struct store *store, struct prov_error *err)
{
    return store_exists(store)
               ? PROV_OK
               : error_set(err, PROV_E_NOTFOUND,
                           "no store at '%s' yet: the first event that is accepted makes it. If "
                           "events were accepted before, correct the field 'store': the host "
                           "names another file, or another SFPROV_FIELDS",
                           store_path(store));
}

static int
dispatch(const struct request *table, const char *key, const struct request_context *context,
         struct json_object *request, struct json_object **ret, struct prov_error *err)
{
    const char *name = json_get_string(request, key);

    if (!name)
        return error_set(err, PROV_E_INVALID, "the request has no \"%s\"; it begins {\"%s\":\"%s\"",
                         key, key, table[0].name);
    for (; table->name; table++) {
        int r = PROV_OK;
        if (strcmp(table->name, name) != 0)
            continue;
        if (table->of_store)
            r = refuse_without_store(context->store, err);
        return r ? r : table->answer(context, request, ret, err);
    }
    return error_set(err, PROV_E_NOTFOUND, "there is no %s '%s'; see sfprov-connector(7)", key,
                     name);
}

int
request_query(const struct request_context *context, struct json_object *request,
              struct json_object **ret, struct prov_error *err)
{
    static const struct request table[] = { { "status", status_query, true },
                                            { "subjects", query_subjects, true },
                                            { "subject", query_subject, true },
                                            { "events", query_events, true },
                                            { "fields", query_fields, false },
                                            { "match", query_match, true },
                                            { "drift", query_drift, true },
                                            { "collisions", query_collisions, true },
                                            { "store", query_store, false },
                                            { "org", query_org, false },
                                            { NULL, NULL, false } };

    return dispatch(table, "query", context, request, ret, err);
}

int
request_act(const struct request_context *context, struct json_object *request,
            struct json_object **ret, struct prov_error *err)
{
    static const struct request table[] = {
        { "retry", act_retry, true },
        { "hold", act_hold, false }, /* before the first event, if need be */
        { "resume", act_resume, true },
        { "replan", act_replan, true },
        { "adopt", act_unsupported, false },
        { "discard", act_unsupported, false },
        { "repair", act_repair, true },
        { "vacuum", act_vacuum, true },
        { "release", act_release, true },
        { "login", act_login, false },
        { "start", act_start, false },
        { "host", act_host, false },
        { NULL, NULL, false },
    };

    return dispatch(table, "act", context, request, ret, err);
}
