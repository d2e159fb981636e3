/*
 * What the org says of itself, kept in the store with its age: its profiles, roles and licences, what User's fields
 * take, and for `sfprov org` API versions, limits and the rights of the execution user. Nobody else asks for them.
 *
 * Profiles, roles and licences are read whole when somebody first needs one, and again when what is kept is older
 * than the one who asks takes.
 *
 * The fields are used to park whom the org would refuse, without a call. They are read before the first user is
 * sent, when the org has refused a value, and when they object to somebody and are older than some minutes. What is
 * missing, or cannot be read, stops nobody: the org decides, and is asked again within the hour.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_facts.h"
#include "plugin/delivery/org_names.h"
#include "plugin/delivery/rights.h"

#define FACT_USER  "org_user"
#define FACT_ABOUT "org_about"
/* Nobody is parked for what an older answer says. */
#define KEEP_US (300 * CLOCK_SECOND_US)

static const struct list {
    const char *fact, *key, *soql;
} lists[FACTS_LISTS] = {
    { "org_profiles", "profiles", "SELECT Id, Name, UserLicense.Name FROM Profile ORDER BY Name" },
    { "org_roles", "roles", "SELECT Id, Name, DeveloperName FROM UserRole ORDER BY Name" },
    { "org_licences", "licences",
      "SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense ORDER BY Name" },
};

/* ---- keeping ---- */

static int
read_fact(struct store *store, const char *key, struct json_object **ret, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;
    int r = store_get_fact(store, key, &text, err);

    return r || !text ? r : json_parse(text, strlen(text), "a fact of the store", ret, err);
}

/* [tx] */
static int
put_fact(struct store *store, const char *key, struct json_object *value, struct prov_error *err)
{
    AUTO_FREE char *text = json_text(value);

    return text ? store_put_fact(store, key, text, err) : error_nomem(err);
}

/* [tx] The fields, and their time apart: it is all that each round has to look at. */
static int
put_user(struct store *store, struct json_object *user, struct prov_error *err)
{
    char time[24];
    int r = put_fact(store, FACT_USER, user, err);

    snprintf(time, sizeof(time), "%" PRId64, json_get_int(user, "read_us", 0));
    return r ? r : store_put_fact(store, FACTS_USER_AT, time, err);
}

/* [tx] Those who were parked for what has changed since. */
static int
wake_parked(struct store *store, struct prov_error *err)
{
    size_t count;
    const char *const *codes = org_facts_codes(&count);
    int r = PROV_OK;

    for (size_t i = 0; !r && i < count; i++)
        r = store_due_code(store, codes[i], INT64_MAX, err);
    return r;
}

static int
keep_user(struct delivery *d, struct json_object *before, struct json_object *user,
          struct prov_error *err)
{
    bool changed = before && !json_equal(json_get(before, "fields"), json_get(user, "fields"));
    int r;

    if (!store_exists(d->store)) /* a look makes none */
        return PROV_OK;
    r = store_begin(d->store, STORE_UNFENCED, err);
    if (r)
        return r;
    r = put_user(d->store, user, err);
    if (!r && changed)
        r = wake_parked(d->store, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

/* [tx] Another org's say nothing of this one. */
int
facts_forget(struct store *store, struct prov_error *err)
{
    static const char *const keys[] = { FACT_USER, FACTS_USER_AT, FACT_ABOUT };
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
        r = store_put_fact(store, keys[i], NULL, err);
    for (size_t i = 0; !r && i < FACTS_LISTS; i++)
        r = store_put_fact(store, lists[i].fact, NULL, err);
    return r;
}

/* ---- profiles, roles, licences ---- */

/* [tx] Who was parked since a profile or role was not there, or its Id was another one's. */
static int
wake_named(struct store *store, struct prov_error *err)
{
    static const char *const codes[] = { CODE_NAME_NOT_FOUND, CODE_PROFILE_NOT_FOUND,
                                         CODE_REFERENCE };
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(codes) / sizeof(codes[0]); i++)
        r = store_due_code(store, codes[i], INT64_MAX, err);
    return r;
}

static int
keep_list(struct delivery *d, enum facts_list which, struct json_object *list,
          struct prov_error *err)
{
    const char *key = lists[which].key;
    struct json_object *before = json_get(d->lists[which], key);
    bool changed = which != FACTS_LICENCES && before && !json_equal(before, json_get(list, key));
    int r;

    if (!store_exists(d->store)) /* a look makes none */
        return PROV_OK;
    r = store_begin(d->store, STORE_UNFENCED, err);
    if (r)
        return r;
    r = put_fact(d->store, lists[which].fact, list, err);
    if (!r && changed)
        r = wake_named(d->store, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

/* Rows without what is of the transport. */
static void
tidy_rows(struct json_object *rows)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct json_object *licence = json_get(row, "UserLicense");
        json_object_object_del(row, "attributes");
        if (json_object_is_type(licence, json_type_object))
            json_object_object_del(licence, "attributes");
    }
}

static int
read_list(struct delivery *d, enum facts_list which, struct sf_call *ret_call,
          struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_JSON struct json_object *list = json_object_new_object();
    struct prov_error ignored = PROV_ERROR_INIT;
    int64_t now = clock_now_us();
    int r = list ? PROV_OK : PROV_E_NOMEM;

    if (!r) /* a probe is how it is seen that the use of the API has fallen */
        r = sf_query(d->session, lists[which].soql, d->probing ? SF_URGENT : SF_CAN_WAIT, &rows,
                     ret_call);
    if (r)
        return error_nomem(err);
    if (ret_call->outcome != SF_DELIVERED)
        return PROV_OK;
    tidy_rows(rows);
    if (json_put(list, lists[which].key, STEAL(rows)) || json_put_int(list, "read_us", now))
        return error_nomem(err);
    /* a store that cannot be written stops whoever has something to write; this is only read again */
    r = keep_list(d, which, list, &ignored);
    json_object_put(d->lists[which]);
    d->lists[which] = STEAL(list);
    return r == PROV_E_NOMEM ? error_nomem(err) : PROV_OK;
}

/* One of the future is none: the clock was set back. */
static bool
is_of(struct json_object *list, int64_t since_us)
{
    int64_t at = json_get_int(list, "read_us", 0);

    return list && at >= since_us && at <= clock_now_us();
}

int
facts_list(struct delivery *d, enum facts_list which, int64_t since_us,
           struct json_object **ret_rows, struct sf_call *ret_call, struct prov_error *err)
{
    int64_t since = since_us > d->lists_since_us ? since_us : d->lists_since_us;
    struct prov_error ignored = PROV_ERROR_INIT;
    int r = PROV_OK;

    *ret_rows = NULL;
    *ret_call = (struct sf_call){ .outcome = SF_DELIVERED, .cause = "", .remedy = "" };
    if (!is_of(d->lists[which], since) && store_exists(d->store)) {
        json_object_put(STEAL(d->lists[which]));
        /* one that cannot be read is read anew of the org */
        if (read_fact(d->store, lists[which].fact, &d->lists[which], &ignored) == PROV_E_NOMEM)
            return error_nomem(err);
    }
    if (!is_of(d->lists[which], since))
        r = read_list(d, which, ret_call, err);
    if (!r && ret_call->outcome == SF_DELIVERED)
        *ret_rows = json_get(d->lists[which], lists[which].key);
    return r;
}

void
facts_drop_lists(struct delivery *d)
{
    for (size_t i = 0; i < FACTS_LISTS; i++)
        json_object_put(STEAL(d->lists[i]));
}

/* ---- reading ---- */

/* *ret_call says what came of it; *ret is set with SF_DELIVERED. */
static int
read_user(struct delivery *d, struct json_object **ret, struct sf_call *ret_call,
          struct prov_error *err)
{
    AUTO_JSON struct json_object *describe = NULL;
    AUTO_JSON struct json_object *user = NULL;

    if (sf_describe(d->session, "User", &describe, ret_call))
        return error_nomem(err);
    if (ret_call->outcome != SF_DELIVERED)
        return PROV_OK;
    user = org_facts_trim(describe);
    if (!user || json_put_int(user, "read_us", clock_now_us()))
        return error_nomem(err);
    *ret = STEAL(user);
    return PROV_OK;
}

static void
drop_facts(struct delivery *d)
{
    free(STEAL(d->facts_index));
    json_object_put(STEAL(d->facts));
}

/* Into delivery->facts; as they were, if the org does not tell. */
static int
read_anew(struct delivery *d, struct prov_error *err)
{
    AUTO_JSON struct json_object *user = NULL;
    struct sf_call call = { 0 };
    int r = read_user(d, &user, &call, err);

    d->facts_wanted = false;
    if (r || !user)
        return r;
    r = keep_user(d, d->facts, user, err);
    drop_facts(d);
    d->facts = STEAL(user);
    return r;
}

static int64_t
age_us(struct json_object *facts)
{
    int64_t age = clock_now_us() - json_get_int(facts, "read_us", 0);

    return age < 0 ? INT64_MAX : age; /* the clock was set back */
}

/* Another process may have read them, or an admin's retry struck them out. */
static int
look_for_facts(struct delivery *d, struct prov_error *err)
{
    AUTO_FREE char *at = NULL;
    int r;

    if (d->facts_looked && !d->facts)
        return PROV_OK;
    d->facts_looked = true;
    r = store_get_fact(d->store, FACTS_USER_AT, &at, err);
    if (!r && d->facts && at && strtoll(at, NULL, 10) == json_get_int(d->facts, "read_us", 0))
        return PROV_OK;
    drop_facts(d);
    return r || !at ? r : read_fact(d->store, FACT_USER, &d->facts, err);
}

/* Nothing was ever read. What an admin's retry struck out is still there, and is not read again for it: then
 * the org decides. */
static int
are_new(struct delivery *d, bool *ret, struct prov_error *err)
{
    AUTO_FREE char *kept = NULL;
    int r = PROV_OK;

    *ret = false;
    if (d->facts || d->facts_asked)
        return PROV_OK;
    d->facts_asked = true;
    r = store_get_fact(d->store, FACT_USER, &kept, err);
    *ret = !r && !kept;
    return r;
}

/* ---- before sending ---- */

static bool
is_to_be_sent(const struct item *item)
{
    return item_sends(item, PLAN_CREATE) || item_sends(item, PLAN_UPDATE);
}

static bool
sends(const struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        if (is_to_be_sent(&round->items[i]))
            return true;
    }
    return false;
}

static int
find_fault(struct delivery *d, const struct item *item, struct facts_fault *ret, bool *ret_found,
           struct prov_error *err)
{
    if (!d->facts_index && !(d->facts_index = org_facts_index(d->facts)))
        return error_nomem(err);
    *ret_found =
        org_facts_fault(d->facts_index, item->plan.fields, item->plan.action == PLAN_CREATE, ret);
    return PROV_OK;
}

static int
weigh(struct round *round, struct item *item, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    struct facts_fault fault;
    bool found = false;
    int r = find_fault(d, item, &fault, &found, err);

    if (r || !found)
        return r;
    if (age_us(d->facts) > KEEP_US) {
        r = read_anew(d, err);
        if (!r)
            r = find_fault(d, item, &fault, &found, err);
    }
    if (r || !found || age_us(d->facts) > KEEP_US)
        return r;
    item_park(item, fault.code, "%s", fault.text);
    return PROV_OK;
}

int
facts_check(struct round *round, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    bool read = false;
    int r = look_for_facts(d, err);

    if (!r && sends(round)) {
        r = are_new(d, &read, err);
        read = read || (d->facts_wanted && (!d->facts || age_us(d->facts) > KEEP_US));
    }
    if (!r && read)
        r = read_anew(d, err);
    for (size_t i = 0; !r && d->facts && i < round->count; i++) {
        if (is_to_be_sent(&round->items[i]))
            r = weigh(round, &round->items[i], err);
    }
    return r;
}

void
facts_follow_refused(struct delivery *d)
{
    if (!d->reference_refused)
        return;
    d->reference_refused = false;
    d->lists_since_us = clock_now_us() - KEEP_US;
    org_names_drop(d);
}

void
facts_note_refused(struct delivery *d, const char *code)
{
    size_t count;
    const char *const *codes = org_facts_codes(&count);

    for (size_t i = 0; i < count; i++)
        d->facts_wanted = d->facts_wanted || strcmp(codes[i], code) == 0;
    d->reference_refused = d->reference_refused || strcmp(CODE_REFERENCE, code) == 0;
}

/* ---- `sfprov org` ---- */

/* Those of the execution user; left out where they are hidden. */
static int
read_rights(struct delivery *d, struct json_object *about, struct sf_call *call)
{
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    struct json_object *given = NULL;
    int r = sf_identity(d->session, org_id, user_id, call);

    if (!r && call->outcome == SF_DELIVERED)
        r = rights_read(d->session, user_id, &given, call);
    return r || !given ? r : json_put(about, "rights", given);
}

/* What the org does not show is left out: it is for an admin to look at. */
static int
read_about(struct delivery *d, struct json_object **ret, struct sf_call *call)
{
    AUTO_JSON struct json_object *about = json_object_new_object();
    struct json_object *part = NULL;
    int r = about ? PROV_OK : PROV_E_NOMEM;

    if (!r)
        r = sf_versions(d->session, &part, call);
    if (!r && call->outcome == SF_DELIVERED)
        r = json_put(about, "versions", STEAL(part));
    if (!r)
        r = sf_limits(d->session, &part, call);
    if (!r && call->outcome == SF_DELIVERED)
        r = json_put(about, "limits", STEAL(part));
    if (!r)
        r = read_rights(d, about, call);
    if (r || json_put_int(about, "read_us", clock_now_us()))
        return PROV_E_NOMEM;
    *ret = STEAL(about);
    return PROV_OK;
}

static int
refresh(struct delivery *d, struct json_object **ret_user, struct json_object **ret_about,
        struct prov_error *err)
{
    struct sf_call call = { 0 };
    int64_t begun_us = clock_now_us();
    int r = store_exists(d->store) ? org_refuse_other(d, err) : PROV_OK;

    if (!r)
        r = read_user(d, ret_user, &call, err);
    for (size_t i = 0; !r && *ret_user && i < FACTS_LISTS; i++) {
        struct json_object *rows;
        r = facts_list(d, (enum facts_list)i, begun_us, &rows, &call, err);
    }
    if (!r && *ret_user && read_about(d, ret_about, &call))
        r = error_nomem(err);
    if (r)
        return r;
    if (!*ret_user || !*ret_about)
        return error_set(err, PROV_E_REMOTE, "the org cannot be read: %s%s%s; cause: %s; to do: %s",
                         call.code, call.code[0] ? ": " : "", call.message, call.cause,
                         call.remedy);
    return PROV_OK;
}

static int
keep_all(struct delivery *d, struct json_object *user, struct json_object *about,
         struct prov_error *err)
{
    AUTO_JSON struct json_object *before = NULL;
    int r;

    if (!store_exists(d->store))
        return PROV_OK;
    r = read_fact(d->store, FACT_USER, &before, err);
    if (!r)
        r = keep_user(d, before, user, err);
    if (!r)
        r = store_begin(d->store, STORE_UNFENCED, err);
    if (r)
        return r;
    r = put_fact(d->store, FACT_ABOUT, about, err);
    if (!r)
        return store_commit(d->store, err);
    store_rollback(d->store);
    return r;
}

/* Moves what is in a fact into the answer; its time as text and age. */
static int
show(struct json_object *result, struct json_object *fact, const char *time_key,
     const char *age_key)
{
    int64_t at = json_get_int(fact, "read_us", 0);
    char time[21];

    if (!fact)
        return json_put(result, time_key, NULL);
    json_object_object_foreach(fact, key, value)
    {
        if (strcmp(key, "read_us") != 0 && json_put(result, key, json_ref(value)))
            return PROV_E_NOMEM;
    }
    return json_put_string(result, time_key, clock_format(at, time)) ||
                   json_put_int(result, age_key, (clock_now_us() - at) / CLOCK_SECOND_US)
               ? PROV_E_NOMEM
               : PROV_OK;
}

static int
show_lists(struct delivery *d, struct json_object *result, struct prov_error *err)
{
    for (size_t i = 0; i < FACTS_LISTS; i++) {
        AUTO_JSON struct json_object *kept = NULL;
        struct json_object *list = d->lists[i];
        char time_key[24], age_key[24];
        int r = PROV_OK;

        if (store_exists(d->store)) { /* another process may have read it anew */
            r = read_fact(d->store, lists[i].fact, &kept, err);
            list = kept;
        }
        snprintf(time_key, sizeof(time_key), "%s_read", lists[i].key);
        snprintf(age_key, sizeof(age_key), "%s_age_s", lists[i].key);
        if (r)
            return r;
        if (show(result, list, time_key, age_key))
            return error_nomem(err);
    }
    return PROV_OK;
}

static int
answer_org(struct delivery *d, bool anew, struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *user = NULL;
    AUTO_JSON struct json_object *about = NULL;
    AUTO_JSON struct json_object *result = json_object_new_object();
    AUTO_FREE char *org_id = NULL;
    bool there = store_exists(d->store);
    int r = PROV_OK;

    if (anew)
        r = refresh(d, &user, &about, err);
    if (!r && anew)
        r = keep_all(d, user, about, err);
    if (!r && !anew && there)
        r = read_fact(d->store, FACT_USER, &user, err);
    if (!r && !anew && there)
        r = read_fact(d->store, FACT_ABOUT, &about, err);
    if (!r && there)
        r = store_get_fact(d->store, "org_id", &org_id, err);
    if (r)
        return r;
    if (!result || json_put(result, "org_id", org_id ? json_object_new_string(org_id) : NULL) ||
        show(result, user, "fields_read", "fields_age_s") || show(result, about, "read", "age_s"))
        return error_nomem(err);
    r = show_lists(d, result, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}

/* On the host's thread, while delivery may use its own lists; it finds what is read here in the store. A session of its
 * own, as a check has: what an admin asks for are a few calls, and the org's limits are looked at when they are used up,
 * so the reserve is no bar to them. */
int
delivery_org(struct delivery *d, bool anew, struct json_object **ret, struct prov_error *err)
{
    struct delivery own = { .store = d->store, .fields = d->fields };
    int r = anew ? login_session(&own, 0, 0, err) : PROV_OK;

    if (!r)
        r = answer_org(&own, anew, ret, err);
    facts_drop_lists(&own);
    sf_session_free(own.session);
    return r;
}
