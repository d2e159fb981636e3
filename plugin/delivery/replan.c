/* Counts whom a replan would change, and makes it happen: what is changed is plan.c's, that renaming
 * or deactivating many needs a word more (guard_floor, guard_percent) is decided here. A user who could not be planned
 * with the new fields is named and left as he is: a replan must not park who is in step. */
#include "plugin/delivery/replan.h"

#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"
#include "plugin/delivery/name_list.h"

#define PAGE 500

/* Whom to make due, and what is ordered. */
struct chosen {
    int64_t subject;
    unsigned orders;
};

/* A replan under way. */
struct replan {
    struct store *store;
    const struct fields *fields;
    const struct replan_order *order;
    struct json_object *changes; /* the first of them, as they are told */
    struct name_list names;      /* the usernames that it would give, once all are known */
    struct json_object *walked;  /* see names_follow() */
    struct chosen *chosen;
    size_t chosen_count, chosen_room;
    int64_t linked, created, renamed, updated, deactivated, blocked, unchanged;
};

static void
replan_done(struct replan *replan)
{
    json_object_put(replan->changes);
    json_object_put(replan->walked);
    name_list_done(&replan->names);
    free(replan->chosen);
}

static int
choose(struct replan *replan, int64_t subject, unsigned orders, struct prov_error *err)
{
    if (replan->chosen_count == replan->chosen_room) {
        size_t room = 2 * replan->chosen_room + PAGE;
        struct chosen *more = realloc(replan->chosen, room * sizeof(*more));
        if (!more)
            return error_nomem(err);
        replan->chosen = more;
        replan->chosen_room = room;
    }
    replan->chosen[replan->chosen_count++] = (struct chosen){ subject, orders };
    return PROV_OK;
}

/* ---- telling ---- */

/* The names of what would be sent. */
static struct json_object *
field_names(const struct value *fields)
{
    AUTO_JSON struct json_object *names = json_object_new_array();

    if (!names)
        return NULL;
    VALUE_EACH(fields, member)
    {
        if (json_append_string(names, member->name))
            return NULL;
    }
    return STEAL(names);
}

/* Adds a line to `changes`, as long as there is room for it. `reason`: of who is blocked or deactivated. */
static int
tell(struct replan *replan, const struct work *work, const struct plan *plan, const char *what,
     const char *reason, struct prov_error *err)
{
    struct json_object *line, *names;

    if ((int64_t)json_object_array_length(replan->changes) >= replan->order->limit)
        return PROV_OK;
    line = json_object_new_object();
    if (json_append(replan->changes, line))
        return error_nomem(err);
    names = field_names(plan->fields);
    if (json_put(line, "fields", names) || !names ||
        json_put_string(line, "iss", work->subject.iss) ||
        json_put_string(line, "uri", work->subject.uri) ||
        json_put_string(line, "userName", plan_user_name(&work->subject)) ||
        json_put_string(line, "what", what) ||
        json_put_string(line, "from", work->link.username_held) ||
        json_put_string(line, "to", plan->username) || json_put_string(line, "reason", reason))
        return error_nomem(err);
    return PROV_OK;
}

/* ---- one subject ---- */

/* As if the connector fields were new. The caller calls work_done() and plan_done() in any case. */
static int
plan_one(const struct replan *replan, int64_t subject, struct work *work, struct plan *plan,
         struct prov_error *err)
{
    struct plan_input input = {
        .fields = replan->fields, .subject = &work->subject, .link = &work->link, .replan = true
    };
    AUTO_FREE char *manager = NULL;
    char manager_id[19] = "";
    int r = store_load_id(replan->store, subject, work, err);

    if (r)
        return r;
    manager = plan_manager_uri(work->subject.resource);
    if (manager)
        r = store_linked_id(replan->store, work->subject.iss, manager, manager_id, err);
    input.manager_id = manager_id[0] ? manager_id : NULL;
    return r ? r : plan_make(&input, plan, err);
}

/* The username that the replan would give a subject; "": none. `ret_uri` (or NULL): who that is, heap. */
static int
name_for(const struct replan *replan, int64_t subject, char ret[PATTERN_MAX_BYTES], char **ret_uri,
         struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { 0 };
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };
    int r = plan_one(replan, subject, &work, &plan, err);

    ret[0] = '\0';
    if (!r && value_get(plan.fields, "Username"))
        snprintf(ret, PATTERN_MAX_BYTES, "%s", plan.username);
    if (!r && ret_uri)
        *ret_uri = STEAL(work.subject.uri);
    return r;
}

/* Of several who would be given one username the first is. *ret_rival: who that is, if not this subject; heap. */
static int
find_first(const struct replan *replan, const char *name, int64_t subject, char **ret_rival,
           struct prov_error *err)
{
    size_t count = 0;
    const struct named *run = name_list_find(&replan->names, name, &count);
    int r = PROV_OK;

    for (size_t i = 0; !r && !*ret_rival && i < count && run[i].subject < subject; i++) {
        AUTO_FREE char *uri = NULL;
        char other[PATTERN_MAX_BYTES];
        r = name_for(replan, run[i].subject, other, &uri, err);
        if (!r && strcmp(other, name) == 0)
            *ret_rival = STEAL(uri);
    }
    return r;
}

/* What the holder of a username is given instead; of one user alone, what he waits for. */
static int
wish_in_replan(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
               struct prov_error *err)
{
    const struct replan *replan = context;
    AUTO_FREE char *first = NULL;
    int r;

    if (replan->order->subject)
        return names_wait_for(NULL, claim, ret, err);
    r = name_for(replan, claim->subject, ret, NULL, err);
    if (!r && ret[0])
        r = find_first(replan, ret, claim->subject, &first, err);
    if (first)
        ret[0] = '\0';
    return r;
}

/* Who keeps this user from getting the username; NULL: nobody, or only who is renamed before, or changes
 * places with him. Heap. */
static int
find_rival(struct replan *replan, const struct work *work, const char *name, char **ret,
           struct prov_error *err)
{
    AUTO_FREE char *rival = NULL;
    enum names_end end = NAMES_HELD;
    int r = find_first(replan, name, work->subject.id, ret, err);

    if (r || *ret)
        return r;
    r = names_follow(replan->store, work->subject.id, name, wish_in_replan, replan, replan->walked,
                     &end, &rival, err);
    if (!r && end == NAMES_HELD)
        *ret = STEAL(rival);
    return r;
}

/* Whoever may get a username with a number is given one, if that is wanted (username_taken). */
static int
number_name(const struct replan *replan, const struct work *work, struct plan *plan, char **rival,
            struct prov_error *err)
{
    char name[USERNAME_MAX_CHARACTERS + 1];
    unsigned number = 0;
    int r;

    if (!names_takes_number(plan, &work->link))
        return PROV_OK;
    r = names_free(replan->store, replan->fields, plan, work->subject.id, NULL, &number, name, err);
    if (r || !number)
        return r;
    free(STEAL(*rival));
    return plan_name(plan, name) ? error_nomem(err) : PROV_OK;
}

/* A plan that changes something. */
static int
count_change(struct replan *replan, const struct work *work, struct plan *plan,
             struct prov_error *err)
{
    bool renames = value_get(plan->fields, "Username") != NULL;
    AUTO_FREE char *rival = NULL;
    char reason[400];
    int r = renames ? find_rival(replan, work, plan->username, &rival, err) : PROV_OK;

    if (!r && rival)
        r = number_name(replan, work, plan, &rival, err);
    if (r)
        return r;
    if (rival) {
        replan->blocked++;
        snprintf(reason, sizeof(reason),
                 "username '%s' is held by '%s', or to be given to it; if that one is renamed, "
                 "replan again afterwards",
                 plan->username, rival);
        error_tidy(reason);
        return tell(replan, work, plan, "blocked", reason, err);
    }
    if (plan->action == PLAN_CREATE)
        replan->created++;
    else if (renames)
        replan->renamed++;
    else
        replan->updated++;
    r = tell(replan, work, plan,
             plan->action == PLAN_CREATE ? "created"
             : renames                   ? "renamed"
                                         : "updated",
             NULL, err);
    return r ? r : choose(replan, work->subject.id, ORDER_REPLAN, err);
}

/* A user whom changed scope fields let in no more. Leavers are pending by themselves. */
static int
count_deactivation(struct replan *replan, const struct work *work, const struct plan *plan,
                   struct prov_error *err)
{
    int r;

    if (work->subject.presence != PRESENCE_IN || plan->in_scope) {
        replan->unchanged++;
        return choose(replan, work->subject.id, ORDER_REPLAN, err);
    }
    replan->deactivated++;
    r = tell(replan, work, plan, "deactivated", plan->reason, err);
    /* the guard is asked here; whoever is to leave later is none of those it counts now */
    return r ? r : choose(replan, work->subject.id, ORDER_REPLAN | ORDER_RELEASE, err);
}

static int
count_one(struct replan *replan, int64_t subject, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { 0 };
    CLEANUP(plan_done) struct plan plan = { .action = PLAN_NOTHING };
    int r = plan_one(replan, subject, &work, &plan, err);

    if (r)
        return r;
    replan->linked += work.link.salesforce_id[0] != '\0';
    switch (plan.action) {
    case PLAN_PARK:
        replan->blocked++;
        return tell(replan, &work, &plan, "blocked", plan.reason, err);
    case PLAN_CREATE:
    case PLAN_UPDATE:
    case PLAN_UNFREEZE:
        return count_change(replan, &work, &plan, err);
    case PLAN_DEACTIVATE:
    case PLAN_FREEZE:
        return count_deactivation(replan, &work, &plan, err);
    default: /* nothing differs but the profile, perhaps */
        if (!work.link.salesforce_id[0])
            return PROV_OK;
        replan->unchanged++;
        return choose(replan, subject, ORDER_REPLAN,
                      err); /* of who has left it is for the return */
    }
}

static int
name_one(struct replan *replan, int64_t subject, struct prov_error *err)
{
    char name[PATTERN_MAX_BYTES];
    int r = name_for(replan, subject, name, NULL, err);

    return r || !name[0] ? r : name_list_add(&replan->names, name, subject, err);
}

static int
for_each(struct replan *replan,
         int (*step)(struct replan *replan, int64_t subject, struct prov_error *err),
         struct prov_error *err)
{
    int64_t page[PAGE], after = 0;
    size_t count = PAGE;
    int r = PROV_OK;

    while (!r && count == PAGE) {
        r = store_replannable(replan->store, after, PAGE, page, &count, err);
        for (size_t i = 0; !r && i < count; i++)
            r = step(replan, page[i], err);
        if (count > 0)
            after = page[count - 1];
    }
    return r;
}

/* Everybody is planned twice: who has to be renamed before whom is known only when all names are. */
static int
count_all(struct replan *replan, struct prov_error *err)
{
    int r;

    if (replan->order->subject)
        return count_one(replan, replan->order->subject, err);
    r = for_each(replan, name_one, err);
    name_list_sort(&replan->names);
    return r ? r : for_each(replan, count_one, err);
}

/* ---- the order ---- */

/* So many in one transaction, which keeps hosts from submitting meanwhile. */
#define PORTION 1000

static int
order_portion(struct replan *replan, size_t first, size_t count, struct prov_error *err)
{
    int r = store_begin(replan->store, STORE_UNFENCED, err);

    if (r)
        return r;
    if (first == 0)
        r = store_note(replan->store, replan->order->subject, NOTE_ORDER,
                       replan->order->subject ? "replan" : "replan of everybody", err);
    for (size_t i = first; !r && i < first + count; i++)
        r = store_due_order(replan->store, replan->chosen[i].subject, replan->chosen[i].orders,
                            err);
    if (r) {
        store_rollback(replan->store);
        return r;
    }
    return store_commit(replan->store, err);
}

/* Who is cut off in between has ordered it for some; the same replan again does the rest. */
static int
make_due(struct replan *replan, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < replan->chosen_count; i += PORTION)
        r = order_portion(replan, i,
                          replan->chosen_count - i < PORTION ? replan->chosen_count - i : PORTION,
                          err);
    return r;
}

static bool
too_many(const struct replan *replan, int64_t count)
{
    return count > replan->fields->guard_floor &&
           count * 100 > replan->fields->guard_percent * replan->linked;
}

/* Why the guard objects; "": it does not. One user who is named is meant. */
static void
objection(const struct replan *replan, char *ret, size_t size)
{
    const struct fields *fields = replan->fields;
    bool renames = too_many(replan, replan->renamed);

    *ret = '\0';
    if (replan->order->subject || (!renames && !too_many(replan, replan->deactivated)))
        return;
    snprintf(ret, size,
             "it would %s %lld of %lld users, more than guard_floor (%lld) and guard_percent "
             "(%lld%%) allow; nothing was changed. %s. If that is meant, force it",
             renames ? "rename" : "deactivate",
             (long long)(renames ? replan->renamed : replan->deactivated),
             (long long)replan->linked, (long long)fields->guard_floor,
             (long long)fields->guard_percent,
             renames ? "Renamed users log in with the new name"
                     : "They are out of scope by scope_filter or scope_groups");
}

/* A changed profile cannot be told from here: its Id is Salesforce's. */
static struct json_object *
looks_up(const struct fields *fields)
{
    AUTO_JSON struct json_object *list = json_object_new_array();
    char text[400];

    snprintf(text, sizeof(text),
             "the id of profile '%s': whoever got another profile here before is changed too, and "
             "is not counted",
             fields->profile);
    error_tidy(text);
    return json_append_string(list, text) == PROV_OK ? STEAL(list) : NULL;
}

static int
report(struct replan *replan, bool applied, const char *reason, struct json_object **ret,
       struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *counts = json_object_new_object();

    if (!result || json_put(result, "counts", counts) || !counts ||
        json_put_bool(result, "applied", applied) ||
        json_put_bool(result, "dry_run", replan->order->dry_run) ||
        json_put_string(result, "reason", *reason ? reason : NULL) ||
        json_put_int(counts, "linked", replan->linked) ||
        json_put_int(counts, "created", replan->created) ||
        json_put_int(counts, "deactivated", replan->deactivated) ||
        json_put_int(counts, "renamed", replan->renamed) ||
        json_put_int(counts, "updated", replan->updated) ||
        json_put_int(counts, "blocked", replan->blocked) ||
        json_put_int(counts, "unchanged", replan->unchanged) ||
        json_put(result, "looks_up", looks_up(replan->fields)) ||
        json_put(result, "changes", json_ref(replan->changes)))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

int
replan_run(struct store *store, const struct fields *fields, const struct replan_order *order,
           struct json_object **ret, struct prov_error *err)
{
    CLEANUP(replan_done)
    struct replan replan = { .store = store,
                             .fields = fields,
                             .order = order,
                             .changes = json_object_new_array(),
                             .walked = json_object_new_object() };
    char reason[500];
    bool apply;
    int r = replan.changes && replan.walked ? count_all(&replan, err) : error_nomem(err);

    if (r)
        return r;
    objection(&replan, reason, sizeof(reason));
    apply = !order->dry_run && (!*reason || order->force);
    if (apply)
        r = make_due(&replan, err);
    return r ? r : report(&replan, apply, apply ? "" : reason, ret, err);
}
