/* Finds the accounts that subjects without one may adopt, and judges whether they may (design rule 11).
 * Which fields are compared is the admin's word; several hits, somebody else's account and our own
 * are never adopted. */
#include "plugin/delivery/match.h"

#include <stdio.h>
#include <string.h>

#include "plugin/delivery/codes.h"
#include "schema/letters.h"

/* Values in one question; lookup.c cuts it further. */
#define VALUES_MAX 200

void
match_done(struct match *match)
{
    json_object_put(match->rows);
    *match = (struct match){ 0 };
}

/* ---- finding ---- */

/* A custom field is spelled in the mapping, in `match` and in the org as it was typed there. */
static const char *
text_of(struct json_object *row, const char *key)
{
    struct json_object *value = json_get_nocase(row, key, NULL);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* What a subject is looked up by; NULL: it has no such value. */
static const char *
value_of(const struct match *match, const char *key)
{
    const char *value = value_text(value_get_nocase(match->fields, key));

    return value && *value ? value : NULL;
}

static int
add_row(struct match *match, const char *key, struct json_object *row, struct prov_error *err)
{
    if (!match->rows && !(match->rows = json_object_new_array()))
        return error_nomem(err);
    match->key = key;
    return json_append(match->rows, json_ref(row)) ? error_nomem(err) : PROV_OK;
}

/* Whether the row is for one of several spellings: in some unique fields letter case matters (fact sheet 2.10), and then
 * it is not for all of them. */
static bool
is_ambiguous(struct match **asked, size_t count, const char *key, const char *there)
{
    const char *first = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(asked[i], key);
        if (!letters_same(value, there))
            continue;
        if (first && strcmp(first, value) != 0)
            return true;
        first = value;
    }
    return false;
}

/* Gives a row to everybody it matches; *ret_given false: to nobody. */
static int
give_row(struct match **asked, size_t count, const char *key, struct json_object *row,
         bool *ret_given, struct prov_error *err)
{
    const char *there = text_of(row, key);
    int r = PROV_OK;

    *ret_given = false;
    if (there && is_ambiguous(asked, count, key, there))
        return PROV_OK;
    for (size_t i = 0; !r && i < count; i++) {
        bool same = count == 1; /* the org says so, however it compares */
        if (!same && there)     /* Salesforce compares most texts without regard to case */
            same = letters_same(value_of(asked[i], key), there);
        if (same) {
            *ret_given = true;
            r = add_row(asked[i], key, row, err);
        }
    }
    return r;
}

static void
forget_rows(struct match **asked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_object_put(asked[i]->rows);
        asked[i]->rows = NULL;
        asked[i]->key = NULL;
    }
}

/* Every field of these plans, and the correlation field: what is adopted is compared with them; and whether it is
 * frozen. */
static struct json_object *
fields_wanted(struct match **asked, size_t count, const char *correlation_field)
{
    AUTO_JSON struct json_object *set = json_object_new_object();

    for (size_t i = 0; set && i < count; i++) {
        VALUE_EACH(asked[i]->fields, member)
        {
            if (json_put_bool(set, member->name, true))
                return NULL;
        }
    }
    if (set && (json_put_bool(set, FROZEN_FIELD, true) ||
                (correlation_field && json_put_bool(set, correlation_field, true))))
        return NULL;
    return STEAL(set);
}

/*
 * Asks for at most VALUES_MAX subjects by one key. A row that belongs to none of them, or to one of several who differ
 * in letter case, matched by a rule of the org's that we do not know: then the question is put in halves, since taking
 * it for no hit would make a second account, and giving it to all of them would give somebody another's.
 */
static int
ask(struct delivery *d, struct match **asked, size_t count, const char *key,
    struct sf_call *ret_call, struct prov_error *err)
{
    AUTO_JSON struct json_object *fields =
        fields_wanted(asked, count, d->fields->correlation_field);
    AUTO_JSON struct json_object *rows = NULL;
    const char *values[VALUES_MAX];
    /* whose an account is must be seen, or it would be taken from them */
    struct lookup lookup = { .key = key,
                             .values = values,
                             .count = count,
                             .fields = fields,
                             .always = d->fields->correlation_field };
    bool given = true;
    int r;

    if (!fields)
        return error_nomem(err);
    for (size_t i = 0; i < count; i++)
        values[i] = value_of(asked[i], key);
    r = lookup_users(d, &lookup, &rows, ret_call, err);
    if (r || ret_call->outcome != SF_DELIVERED)
        return r;
    for (size_t i = 0; !r && given && i < json_object_array_length(rows); i++)
        r = give_row(asked, count, key, json_object_array_get_idx(rows, i), &given, err);
    if (r || given)
        return r;
    forget_rows(asked, count);
    r = ask(d, asked, count / 2, key, ret_call, err);
    if (r || ret_call->outcome != SF_DELIVERED)
        return r;
    return ask(d, asked + count / 2, count - count / 2, key, ret_call, err);
}

static int
refuse(struct match *match, const char *code)
{
    match->verdict = MATCH_REFUSE;
    match->code = code;
    error_tidy(match->reason);
    return PROV_OK;
}

/* Accounts are looked up by text. Taking a number for no value would make a second account. */
static void
refuse_no_text(struct match *match, const char *key)
{
    struct value *value = value_get_nocase(match->fields, key);

    if (match->key || !value || value_is(value, VALUE_TEXT))
        return;
    match->key = key;
    snprintf(match->reason, sizeof(match->reason),
             "accounts are looked up by '%s', and its value is no text but %s", key,
             value_spelling(value));
    refuse(match, CODE_MATCH_NO_TEXT);
}

static int
find_by(struct delivery *d, struct match *list, size_t count, const char *key,
        struct sf_call *ret_call, struct prov_error *err)
{
    struct match *asked[VALUES_MAX];
    size_t filled = 0;
    int r = PROV_OK;

    for (size_t i = 0; !r && ret_call->outcome == SF_DELIVERED && i < count; i++) {
        refuse_no_text(&list[i], key);
        if (!list[i].key && value_of(&list[i], key))
            asked[filled++] = &list[i];
        if (filled > 0 && (filled == VALUES_MAX || i + 1 == count)) {
            r = ask(d, asked, filled, key, ret_call, err);
            filled = 0;
        }
    }
    return r;
}

/* ---- judging ---- */

static int
refuse_several(struct match *match)
{
    size_t count = json_object_array_length(match->rows);
    int length = snprintf(match->reason, sizeof(match->reason), "%zu accounts have %s '%s':", count,
                          match->key, value_of(match, match->key));

    for (size_t i = 0; i < count && i < 4 && length > 0 && (size_t)length < sizeof(match->reason);
         i++) {
        struct json_object *row = json_object_array_get_idx(match->rows, i);
        length +=
            snprintf(match->reason + length, sizeof(match->reason) - (size_t)length, "%s %s (%s%s)",
                     i ? "," : "", json_get_string(row, "Username"), json_get_string(row, "Id"),
                     json_get_bool(row, "IsActive", true) ? "" : ", inactive");
    }
    return refuse(match, CODE_MATCH_SEVERAL);
}

/* Of whom the text "issuer#URI" speaks; 0: of nobody the store knows. Either part may hold a '#'. */
static int
find_correlated(struct delivery *d, const char *text, int64_t *ret_id, struct prov_error *err)
{
    int r = PROV_OK;

    *ret_id = 0;
    for (const char *mark = strchr(text, '#'); !r && mark && !*ret_id;
         mark = strchr(mark + 1, '#')) {
        CLEANUP(work_done) struct work work = { 0 };
        AUTO_FREE char *iss = strndup(text, (size_t)(mark - text));
        r = iss ? store_load(d->store, iss, mark + 1, &work, err) : error_nomem(err);
        *ret_id = work.subject.id;
    }
    return r;
}

/* Whom the correlation field names, if that is not this subject: *ret_id of the subject in the store,
 * 0 when the store does not know him; *ret_other false: nobody. */
static int
find_other(struct delivery *d, const struct match *match, struct json_object *row, bool *ret_other,
           int64_t *ret_id, struct prov_error *err)
{
    const char *field = d->fields->correlation_field;
    const char *there = field ? text_of(row, field) : NULL;
    AUTO_FREE char *ours = plan_correlation(match->subject);

    *ret_id = 0;
    if (!ours)
        return error_nomem(err);
    *ret_other = there && *there && strcmp(there, ours) != 0;
    return *ret_other ? find_correlated(d, there, ret_id, err) : PROV_OK;
}

/* An account that another subject has, or has had. It moves only from one who is gone or out of scope
 * (plan_is_out()), and when nothing of him is in flight any more. */
static int
judge_holder(struct delivery *d, struct match *match, int64_t holder, const char *id,
             struct prov_error *err)
{
    CLEANUP(work_done) struct work other = { 0 };
    int r = store_load_id(d->store, holder, &other, err);
    bool out;

    if (r)
        return r;
    out = plan_is_out(d->fields, &other);
    if (out && !other.link.in_flight) {
        match->holder = strcmp(other.link.salesforce_id, id) == 0 ? holder : 0;
        return PROV_OK;
    }
    snprintf(match->reason, sizeof(match->reason), "account %s with %s '%s' belongs to '%s' (%s)%s",
             id, match->key, value_of(match, match->key), other.subject.uri,
             plan_user_name(&other.subject),
             other.link.in_flight ? ", and a change of it is in flight" : "");
    if (!out)
        return refuse(match, CODE_MATCH_HELD);
    match->verdict = MATCH_WAIT;
    error_tidy(match->reason);
    return PROV_OK;
}

/* Whether another subject of the host's, who is in scope, has this account. */
static int
is_in_use(struct delivery *d, const struct match *match, struct json_object *row, bool *ret,
          struct prov_error *err)
{
    CLEANUP(work_done) struct work other = { 0 };
    int64_t holder = 0;
    int r = store_id_holder(d->store, json_get_string(row, "Id"), match->subject->id, &holder, err);

    if (!r && holder)
        r = store_load_id(d->store, holder, &other, err);
    *ret = !r && holder != 0 && !plan_is_out(d->fields, &other);
    return r;
}

/* Of several accounts those that others have are none of ours; if all are, one stands for them. */
static int
leave_out_used(struct delivery *d, struct match *match, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = json_object_array_length(match->rows); !r && i > 0; i--) {
        bool used = false;
        r = is_in_use(d, match, json_object_array_get_idx(match->rows, i - 1), &used, err);
        if (!r && used && json_object_array_length(match->rows) > 1)
            json_object_array_del_idx(match->rows, i - 1, 1);
    }
    return r;
}

static int
judge(struct delivery *d, struct match *match, const char *our_user, struct prov_error *err)
{
    struct json_object *row;
    const char *id;
    int64_t holder = 0;
    bool other = false;
    int r = leave_out_used(d, match, err);

    if (r)
        return r;
    match->verdict = MATCH_ADOPT;
    if (json_object_array_length(match->rows) > 1)
        return refuse_several(match);
    row = json_object_array_get_idx(match->rows, 0);
    id = json_get_string(row, "Id");
    if (strcmp(id, our_user) == 0) {
        snprintf(match->reason, sizeof(match->reason),
                 "account %s with %s '%s' is the one this connector works as", id, match->key,
                 value_of(match, match->key));
        return refuse(match, CODE_MATCH_OURS);
    }
    r = store_id_holder(d->store, id, match->subject->id, &holder, err);
    if (!r && holder)
        return judge_holder(d, match, holder, id, err);
    if (!r)
        r = find_other(d, match, row, &other, &holder, err);
    if (r || !other)
        return r;
    if (holder)
        return judge_holder(d, match, holder, id, err);
    snprintf(match->reason, sizeof(match->reason), "account %s with %s '%s' has %s '%s'", id,
             match->key, value_of(match, match->key), d->fields->correlation_field,
             text_of(row, d->fields->correlation_field));
    return refuse(match, CODE_MATCH_OTHER);
}

int
match_find(struct delivery *d, struct match *list, size_t count, struct sf_call *ret_call,
           struct prov_error *err)
{
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    size_t keys = d->fields->match ? json_object_array_length(d->fields->match) : 0;
    int r = sf_identity(d->session, org_id, user_id, ret_call);

    if (r)
        return error_nomem(err);
    for (size_t i = 0; !r && ret_call->outcome == SF_DELIVERED && i < keys; i++)
        r = find_by(d, list, count,
                    json_object_get_string(json_object_array_get_idx(d->fields->match, i)),
                    ret_call, err);
    for (size_t i = 0; !r && ret_call->outcome == SF_DELIVERED && i < count; i++) {
        if (list[i].rows)
            r = judge(d, &list[i], user_id, err);
    }
    return r;
}
