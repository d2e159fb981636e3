/* Usernames among our own subjects (design rule 9): who waits for a name, and who goes out of the way. A
 * name that another one holds or wants is waited for; whoever frees it wakes those who wait. Where they
 * wait for each other in a ring, one steps aside to a temporary name, and the rest follows from that. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/released.h"
#include "plugin/scim/patch.h"

/* A chain of renames takes one call more than this, however long it is; and if it is longer, one of so many gets a
 * temporary name. */
#define CHAIN_CALLS 8

static struct item *
item_of(const struct round *round, int64_t subject)
{
    for (size_t i = 0; i < round->count; i++) {
        if (round->items[i].work.subject.id == subject)
            return &round->items[i];
    }
    return NULL;
}

/* What the holder of another name is about to get in this round, or waits for. */
static int
wish_in_round(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
              struct prov_error *err)
{
    const struct round *round = context;
    const struct item *item = item_of(round, claim->subject);

    if (!item)
        return names_wait_for(NULL, claim, ret, err);
    if (!names_go_aside(&item->plan) && !item->steps_aside && item->fate != FATE_READ_BACK &&
        value_get(item->plan.fields, "Username"))
        snprintf(ret, PATTERN_MAX_BYTES, "%s", item->plan.username);
    return PROV_OK;
}

/* Whether all wait for each other: he has the wanted name who wants the name of someone ... who wants
 * the name of this one. */
static int
find_ring(struct round *round, const struct item *item, bool *ret, struct prov_error *err)
{
    AUTO_FREE char *rival = NULL;
    enum names_end end = NAMES_HELD;
    int r = PROV_OK;

    *ret = false;
    if (!round->walked && !(round->walked = json_object_new_object()))
        return error_nomem(err);
    r = names_follow(round->delivery->store, item->work.subject.id, item->plan.username,
                     wish_in_round, round, round->walked, &end, &rival, err);
    *ret = !r && end == NAMES_RING;
    return r;
}

bool
names_are_temporary(const char *inputs)
{
    return inputs && strncmp(inputs, USERNAME_IS_TEMPORARY, strlen(USERNAME_IS_TEMPORARY)) == 0;
}

bool
names_go_aside(const struct plan *plan)
{
    return names_are_temporary(plan->username_inputs) && value_get(plan->fields, "Username");
}

const char *
names_given_up(const struct link *link)
{
    const char *name =
        names_are_temporary(link->username_inputs) ? strchr(link->username_inputs, ' ') : NULL;

    return name ? name + 1 : NULL;
}

int
names_wake(struct store *store, const char *name, struct prov_error *err)
{
    AUTO_FREE char *inputs = NULL;
    int r = store_wake_name(store, name, err);

    if (r)
        return r;
    if (asprintf(&inputs, "%s %s", USERNAME_IS_TEMPORARY, name) < 0) {
        inputs = NULL;
        return error_nomem(err);
    }
    return store_wake_holder(store, USERNAME_TEMPORARY_PREFIX, inputs, err);
}

/* Plans a name alone. What was to be sent is not done yet. */
static int
move_to(struct item *item, const char *name, const char *inputs, struct prov_error *err)
{
    struct plan *plan = &item->plan;
    struct value *value;

    value = value_string(&plan->pool, name);
    if (!value || plan_name(plan, name) || plan_put_alone(plan, "Username", value) ||
        set_text(&plan->username_inputs, inputs))
        return error_nomem(err);
    return PROV_OK;
}

/* The temporary name is the same at each try, so that a crash in between goes on. */
static int
step_aside(struct item *item, struct prov_error *err)
{
    const char *before = item->work.link.username_held;
    char name[USERNAME_MAX_CHARACTERS + 1];
    AUTO_FREE char *inputs = NULL;

    if (asprintf(&inputs, "%s %s", USERNAME_IS_TEMPORARY, before) < 0) {
        inputs = NULL;
        return error_nomem(err);
    }
    username_temporary(item->work.link.salesforce_id, before, name);
    return move_to(item, name, inputs, err);
}

/* Whether an account gets another username, as far as is planned. */
static bool
is_renamed(const struct item *item)
{
    return item_sends(item, PLAN_UPDATE) && value_get(item->plan.fields, "Username");
}

/* On a ring that this one closes every second steps aside with him, in one call, so that all the others get their
 * names in the next, and these in a third, however long it is. */
static int
part_ring(struct round *round, const struct item *first, struct prov_error *err)
{
    const struct item *at = first;
    int r = PROV_OK;

    for (bool aside = false; !r; aside = !aside) {
        CLEANUP(name_claim_done) struct name_claim claim = { 0 };
        struct item *next;
        r = store_name_claim(round->delivery->store, at->plan.username, at->work.subject.id, &claim,
                             err);
        if (r || !claim.holds || claim.subject == first->work.subject.id)
            break;
        next = item_of(round, claim.subject);
        if (!next || !is_renamed(next))
            break;
        next->steps_aside = aside;
        at = next;
    }
    return r;
}

/* Whether what is wanted was refused before, and not for having waited for long. Such a one does not step aside
 * again: he would be left with the temporary name, and his own would be the other's. */
static bool
was_parked(const struct item *item)
{
    const struct link *link = &item->work.link;

    return outcome_is(link->outcome, OUTCOME_REFUSED) && !code_waits_for(link->code) &&
           link->settled_version == item->work.subject.version;
}

/* The one in the round who is to get the name that this one gives up; NULL: nobody. */
static struct item *
heir_of(const struct round *round, struct json_object *wanted, const struct item *item)
{
    const char *name = item->work.link.username_held;
    int64_t place = name ? json_get_int(wanted, name, -1) : -1;

    return place < 0 ? NULL : &round->items[place];
}

/* A straight chain moves up by one in each call, for what Salesforce makes of two in one call is not sure. On a long
 * one every so many steps aside, and what is before and behind moves up at the same time. */
static void
part_chain(const struct round *round, struct json_object *wanted, const struct item *first)
{
    struct item *at = heir_of(round, wanted, first);
    size_t calls = 2;

    /* a store may be wrong, and have two hold one name: then they may go round */
    for (size_t i = 0; i < round->count && at && heir_of(round, wanted, at); i++) {
        at->steps_aside = calls >= CHAIN_CALLS && !was_parked(at);
        calls = at->steps_aside ? 1 : calls + 1;
        at = heir_of(round, wanted, at);
    }
}

/* Whether others move up if this one gets his name, and that is likely: the first who wants it gets it, and who was
 * refused may be again. Else one of them would be left on a temporary name. */
static bool
leads_chain(const struct round *round, struct json_object *wanted, const struct item *item)
{
    return is_renamed(item) && !was_parked(item) && heir_of(round, wanted, item) &&
           json_get_int(wanted, item->plan.username, -1) == item - round->items;
}

/* Chains end with a name that is free. */
static int
part_chains(struct round *round, struct prov_error *err)
{
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    int r = wanted ? PROV_OK : error_nomem(err);

    for (size_t i = 0; !r && i < round->count; i++) {
        const struct item *item = &round->items[i];
        /* who is repaired may want back what he counts as having */
        if (is_renamed(item) && !text_is(item->plan.username, item->work.link.username_held) &&
            !json_get(wanted, item->plan.username) &&
            json_put_int(wanted, item->plan.username, (int64_t)i))
            r = error_nomem(err);
    }
    for (size_t i = 0; !r && i < round->count; i++) {
        CLEANUP(name_claim_done) struct name_claim claim = { 0 };
        const struct item *item = &round->items[i];
        if (!leads_chain(round, wanted, item))
            continue;
        r = store_name_claim(round->delivery->store, item->plan.username, item->work.subject.id,
                             &claim, err);
        if (!r && !claim.subject)
            part_chain(round, wanted, item);
    }
    return r;
}

/* Of a leaver's account, to whom a name is of no use before the return: then it is built anew, for what the
 * name was built from stays as it is, and so does the order of a replan. */
static void
keep_name(struct item *item)
{
    struct plan *plan = &item->plan;

    free(STEAL(plan->username_inputs));
    value_remove(plan->fields, "Username");
    if (value_count(plan->fields) == 0)
        item_stop(item, FATE_NOTHING);
}

static bool
is_leaver(const struct item *item)
{
    return item->work.link.salesforce_id[0] && !scim_is_active(item->work.subject.resource);
}

static void
park(struct item *item, const char *other)
{
    const struct link *link = &item->work.link;
    bool aside = names_given_up(link) != NULL;

    item_park(item, CODE_USERNAME_IN_USE_HERE, "username '%s' is held or wanted by '%s' too%s%s",
              item->plan.username, other, aside ? NAME_FOR_NOW : "",
              aside ? link->username_held : "");
}

int
names_free(struct store *store, const struct fields *fields, const struct plan *plan,
           int64_t subject, struct json_object *not_these, unsigned *number, char *ret,
           struct prov_error *err)
{
    const char *between = fields->username_suffix ? fields->username_suffix : "";
    const char *plain = plan->plain ? plan->plain : plan->username;

    for (unsigned n = *number < USERNAME_NUMBER_MIN ? USERNAME_NUMBER_MIN : *number + 1;
         fields->suffixes && n <= USERNAME_NUMBER_MAX; n++) {
        CLEANUP(name_claim_done) struct name_claim claim = { 0 };
        int r = PROV_OK;
        if (!username_numbered(plain, between, n, ret))
            break;
        username_lower(ret);
        if (json_get(not_these, ret))
            continue;
        if (store)
            r = store_name_claim(store, ret, subject, &claim, err);
        if (r || !claim.subject) {
            *number = n;
            return r;
        }
    }
    *number = 0;
    return PROV_OK;
}

int
names_next(struct round *round, struct item *item, bool *ret_found, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct plan *plan = &item->plan;
    char name[USERNAME_MAX_CHARACTERS + 1];
    unsigned number = item->suffix;
    int r;

    *ret_found = false;
    /* a name that is given free is no name of the pattern's */
    if (!d->fields->suffixes || names_go_aside(plan) || !plan->username_inputs ||
        !value_get(plan->fields, "Username"))
        return PROV_OK;
    r = names_free(d->store, d->fields, plan, item->work.subject.id, round->names, &number, name,
                   err);
    if (r || !number)
        return r;
    item->suffix = number;
    if (plan_number(plan, name, number) ||
        value_put_text(&plan->pool, plan->fields, "Username", name) ||
        json_put_bool(round->names, name, true))
        return error_nomem(err);
    *ret_found = true;
    return PROV_OK;
}

bool
names_takes_number(const struct plan *plan, const struct link *link)
{
    char before[PATTERN_MAX_BYTES];

    return plan->action == PLAN_CREATE || plan->plain ||
           (link->username_held && released_undo(link->username_held, link->salesforce_id, before));
}

/* Whether the account has its name again after it stepped aside in vain. Who was refused then would be refused again, and
 * they would take turns for ever. */
static bool
just_went_back(const struct item *item)
{
    const struct link *link = &item->work.link;

    return text_is(link->code, CODE_USERNAME_SWAP) && !names_given_up(link);
}

/* Another subject has the name. */
static int
wait_for(struct round *round, struct item *item, const struct name_claim *claim,
         struct prov_error *err)
{
    const struct item *other = item_of(round, claim->subject);
    bool ring, found = false, parked = was_parked(item);
    int r;

    if (item->steps_aside && !parked)
        return step_aside(item, err);
    r = find_ring(round, item, &ring, err);
    if (r)
        return r;
    if (ring && !parked && !just_went_back(item)) {
        r = part_ring(round, item, err);
        return r ? r : step_aside(item, err);
    }
    /* this very round may free the name before the store knows that someone waits for it: look again
     * when it is over. Of who is put off himself that is not to be expected */
    if (other && other->fate != FATE_LATER && other->fate != FATE_RETRY) {
        item_stop(item, FATE_LATER);
        return PROV_OK;
    }
    if (names_takes_number(&item->plan, &item->work.link))
        r = names_next(round, item, &found, err);
    if (r || found)
        return r;
    if (is_leaver(item))
        keep_name(item);
    else if (ring && parked) /* he is tried when the other one steps aside */
        item_stop(item, FATE_STAYS_PARKED);
    else
        park(item, claim->uri);
    return PROV_OK;
}

static int
check_name(struct round *round, struct item *item, struct prov_error *err)
{
    CLEANUP(name_claim_done) struct name_claim claim = { 0 };
    const char *wanted = item->plan.username;
    int r;

    if (!value_get(item->plan.fields, "Username"))
        return PROV_OK;
    if (json_get(round->names, item->plan.username)) {
        item_stop(item, FATE_LATER);
        return PROV_OK;
    }
    r = store_name_claim(round->delivery->store, item->plan.username, item->work.subject.id, &claim,
                         err);
    if (!r && claim.subject)
        r = wait_for(round, item, &claim, err);
    if (item->plan.username != wanted || !value_get(item->plan.fields, "Username"))
        json_object_put(STEAL(round->walked)); /* he wishes something else now */
    if (!r && (!claim.subject || names_go_aside(&item->plan)) &&
        json_put_bool(round->names, item->plan.username, true))
        r = error_nomem(err);
    return r;
}

/* ---- back to the name that was given up ---- */

/* Whether the round does not bring him nearer to the name he wants. Who was refused it may never be let have it, though
 * nobody has it; and to a leaver it is of no use. */
static bool
gets_nowhere(const struct item *item)
{
    switch (item->fate) {
    case FATE_PARKED:
    case FATE_STAYS_PARKED:
        return true;
    case FATE_NOTHING:
        return item->plan.in_scope;
    case FATE_LATER:
        return item->plan.action == PLAN_PARK || was_parked(item);
    default:
        return item_sends(item, PLAN_UPDATE) &&
               (was_parked(item) || !value_get(item->plan.fields, "Username"));
    }
}

/* Whether the name is another one's, or is about to be. */
static int
is_passed_on(const struct round *round, const struct item *item, const char *name, bool *ret,
             struct prov_error *err)
{
    CLEANUP(name_claim_done) struct name_claim claim = { 0 };
    struct store *store = round->delivery->store;
    int r;

    *ret = json_get(round->names, name) != NULL;
    if (*ret)
        return PROV_OK;
    r = store_name_claim(store, name, item->work.subject.id, &claim, err);
    *ret = claim.subject != 0;
    return r || *ret ? r : store_name_awaited(store, name, ret, err);
}

/* Who stepped aside in vain has his own name again before anything else is done for him, though his other values cannot
 * be planned. */
static int
go_back(struct round *round, struct item *item, struct prov_error *err)
{
    const char *name = names_given_up(&item->work.link);
    bool passed_on = false;
    int r;

    if (!name || !gets_nowhere(item))
        return PROV_OK;
    r = is_passed_on(round, item, name, &passed_on, err);
    if (r)
        return r;
    if (!passed_on) {
        r = move_to(item, name, USERNAME_IS_TEMPORARY, err);
        if (!r && json_put_bool(round->names, name, true))
            r = error_nomem(err);
        item->fate = FATE_SEND;
        item->plan.action = PLAN_UPDATE;
        item->plan.code = item->plan.reason = NULL;
    } else if (item->plan.action == PLAN_PARK) {
        item->fate = FATE_PARKED;
    }
    return r;
}

static int
check_names(struct round *round, enum plan_action action, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < round->count; i++) {
        if (item_sends(&round->items[i], action))
            r = check_name(round, &round->items[i], err);
    }
    return r;
}

int
names_check(struct round *round, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int r = store_view(store, err);

    if (r)
        return r;
    r = part_chains(round, err);
    if (!r)
        r = check_names(round, PLAN_UPDATE, err);
    for (size_t i = 0; !r && i < round->count; i++)
        r = go_back(round, &round->items[i], err);
    /* a newcomer must not take the name that one who steps aside has made room for */
    if (!r)
        r = check_names(round, PLAN_CREATE, err);
    store_view_end(store);
    return r;
}
