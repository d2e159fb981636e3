/*
 * Reading back what was sent without a certain answer (design rule 14). What is found as sent
 * settles at once; "not there" or "old value" is believed only when the settle window has passed,
 * because Salesforce may work on a call long after its sender has given up. Then what was read
 * becomes what is confirmed, and the plan is made anew.
 */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/clock.h"
#include "plugin/base/value_json.h"
#include "plugin/delivery/internal.h"

/* Users read back and settled together. */
#define QUERY_MAX 200

/* How much earlier than our first send an account may seem to be made: answers and records have their times
 * from different servers, and of an org that tells no time our own clock is all there is. */
#define CLOCK_SKEW_US (300 * CLOCK_SECOND_US)

static bool
is_create(const struct item *item)
{
    const char *op = value_get_text(item->work.link.in_flight, "op");

    return op && strcmp(op, "create") == 0;
}

/* ---- asking ---- */

/* Names of all fields that are in flight for these items, as an object used as a set. */
static struct json_object *
fields_in_flight(struct item **items, size_t count)
{
    AUTO_JSON struct json_object *set = json_object_new_object();

    for (size_t i = 0; set && i < count; i++) {
        VALUE_EACH(flight_fields(items[i]), member)
        {
            if (json_put_bool(set, member->name, true))
                return NULL;
        }
    }
    return STEAL(set);
}

static struct json_object *
row_of(struct json_object *rows, const struct item *item, bool by_name)
{
    const char *name = value_get_text(flight_fields(item), "Username");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *id = json_get_string(row, "Id"), *username = json_get_string(row, "Username");
        if (by_name ? name && username && username_equal(name, username)
                    : id && strcmp(id, item->work.link.salesforce_id) == 0)
            return row;
    }
    return NULL;
}

/* ---- judging ---- */

/* When we first sent, by Salesforce's clock: ours may be wrong by any amount, and CreatedDate is compared
 * with it. What of it is told by our wall clock is the time between two sends alone. */
static int64_t
first_sent_there_us(struct delivery *d, const struct link *link)
{
    int64_t now = sf_session_now_us(d->session), before;

    if (!now || !link->in_flight)
        return link->first_sent_us;
    before = value_get_integer(link->in_flight, "at_us", 0) - link->first_sent_us;
    return now - flight_age_us(link) - (before > 0 ? before : 0);
}

/* Whether a user found under our username is the one we created: the correlation field says so, or
 * our execution user created it since we first sent; and no other subject of ours has it. */
static int
judge_ours(struct delivery *d, const struct item *item, struct json_object *row, bool *ret_ours,
           struct prov_error *err)
{
    const char *field = d->fields->correlation_field;
    const char *creator = json_get_string(row, "CreatedById"), *id = json_get_string(row, "Id");
    const char *sent = field ? value_get_text(flight_fields(item), field) : NULL;
    const char *there = field ? json_get_string(row, field) : NULL;
    bool sent_before = item->work.link.first_sent_us != 0;
    int64_t other = 0;
    int r = store_id_holder(d->store, id ? id : "", item->work.subject.id, &other, err);

    *ret_ours = false;
    if (r || other || !id)
        return r;
    if (sent && there && strcmp(sent, there) == 0)
        *ret_ours = true;
    else if (sent_before && creator && strcmp(creator, d->user_id) == 0)
        *ret_ours = clock_parse(json_get_string(row, "CreatedDate")) >=
                    first_sent_there_us(d, &item->work.link) - CLOCK_SKEW_US;
    return PROV_OK;
}

/* *ret_shown false: the answer does not tell of the field. Else what is there, in the pool. */
static int
look_at(struct pool *pool, struct json_object *row, const char *field, bool *ret_shown,
        struct value **ret)
{
    struct json_object *there = NULL;

    *ret = NULL;
    *ret_shown = json_object_object_get_ex(row, field, &there);
    return value_from_json(pool, there, ret);
}

static bool
is_same_name(const struct member *sent, const struct value *there)
{
    const char *ours = value_text(sent->value), *theirs = value_text(there);

    return strcmp(sent->name, "Username") == 0 && ours && theirs && username_equal(ours, theirs);
}

static int
shows_as_sent(const struct delivery *d, const struct item *item, struct json_object *row, bool *ret)
{
    AUTO_POOL struct pool pool = { 0 };
    int r = PROV_OK;

    *ret = true;
    VALUE_EACH(flight_fields(item), sent)
    {
        struct value *there = NULL;
        bool shown = false;
        if (r || !*ret)
            break;
        r = look_at(&pool, row, sent->name, &shown, &there);
        /* a bare query does not tell; a new address is pending until its owner confirms it */
        *ret = shown && (strcmp(sent->name, "Email") == 0 || is_same_name(sent, there) ||
                         mapping_same(d->fields->mapping, sent->name, sent->value, there));
    }
    return r;
}

/* ---- settling [tx] ---- */

/* Of whom a repair was ordered the account is read anyway, and must not be taken for confirmed: what
 * was to be set back would be wanted then. */
static bool
is_read_again(const struct link *link)
{
    return (orders_in_force(link) & ORDER_REPAIR) && link->salesforce_id[0];
}

/* What is there is what the answer shows. */
static int
believe(struct item *item, struct json_object *row, struct prov_error *err)
{
    struct link *link = &item->work.link;
    const char *inputs = value_get_text(link->in_flight, "inputs");

    if (!link->confirmed && !(link->confirmed = value_object(&link->pool)))
        return error_nomem(err);
    VALUE_EACH(flight_fields(item), sent)
    {
        struct value *there = NULL;
        bool shown = false;
        if (!row || strcmp(sent->name, "Email") == 0 || is_read_again(link))
            continue;
        if (look_at(&link->pool, row, sent->name, &shown, &there))
            return error_nomem(err);
        /* what is not known is to be sent again; and nobody who is not frozen has that field */
        if (!shown || (strcmp(sent->name, FROZEN_FIELD) == 0 && !value_is(there, VALUE_TRUE)))
            value_remove(link->confirmed, sent->name);
        else if (value_put(&link->pool, link->confirmed, sent->name, there))
            return error_nomem(err);
        /* the name it was built from goes with the name */
        if (inputs && is_same_name(sent, there) && set_text(&link->username_inputs, inputs))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* Somebody else's account has the username that was sent. */
static int
refuse_taken(struct round *round, struct item *item, struct json_object *row,
             struct prov_error *err)
{
    const char *name = value_get_text(flight_fields(item), "Username");
    AUTO_FREE char *remedy = NULL;
    bool twin = false;
    char message[300];
    int r = twin_judge(round->delivery, &item->work.subject, row, &twin, err);

    if (r)
        return r;
    if (twin && !(remedy = twin_remedy(round->delivery)))
        return error_nomem(err);
    snprintf(message, sizeof(message), "username '%s'%s belongs to %s user %s of this org",
             name ? name : "", item->suffix ? ", the last of those that were tried," : "",
             json_get_bool(row, "IsActive", true) ? "the active" : "the inactive",
             json_get_string(row, "Id"));
    item->fate = FATE_REFUSED;
    item->said = (struct said){
        "DUPLICATE_USERNAME", message,
        twin ? twin_cause : "the user was there before, or was made by someone else",
        twin ? remedy
             : "rename that user in Salesforce, or change the user's name at the host; it is "
               "planned again at the next event or by `retry`"
    };
    return settle(round, item, err);
}

/* Nobody can see who has it: it is waited for, or parked when that has lasted. */
static int
refuse_elsewhere(struct round *round, struct item *item, struct prov_error *err)
{
    const struct code_words *words = code_words(CODE_USERNAME_ELSEWHERE);
    char message[200];

    release_words(item, message, sizeof(message));
    item->fate = FATE_REFUSED;
    item->said =
        release_is_over(round->delivery, item)
            ? (struct said){ "DUPLICATE_USERNAME", message,
                             "usernames are unique over all Salesforce orgs, and another org has "
                             "this one",
                             "free it there, or set provisioning_domain or provisioning_pattern so "
                             "that another one is built, then retry" }
            : (struct said){ CODE_USERNAME_ELSEWHERE, message, words->cause, words->remedy };
    return settle(round, item, err);
}

/* Whether another username is to be tried, because this one belongs to a stranger. An account that we may have
 * made ourselves is no stranger: a second one would double the user. Of one whose send was refused it is planned here. */
static int
judge_taken(struct round *round, struct item *item, struct json_object *row, bool was_refused,
            bool *ret_again, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    bool twin = false;
    int r = PROV_OK;

    *ret_again = false;
    if (!d->fields->suffixes)
        return PROV_OK;
    if (row)
        r = twin_judge(d, &item->work.subject, row, &twin, err);
    if (r || twin)
        return r;
    if (was_refused && !row && !release_is_over(d, item)) /* it may come free by itself */
        return PROV_OK;
    if (was_refused)
        return names_next(round, item, ret_again, err);
    *ret_again = row != NULL;
    return PROV_OK;
}

/* What an answer of the org says of one item. */
struct seen {
    struct json_object *row; /* borrowed; NULL: it is not there */
    bool ours;
    bool again; /* the name is a stranger's, and another one is to be tried */
};

/* Of what had no answer. */
static int
settle_read(struct round *round, struct item *item, const struct seen *seen, struct prov_error *err)
{
    const struct code_words *words = code_words(CODE_ACCOUNT_MISSING);
    struct json_object *row = seen->row;
    bool created = is_create(item), over = flight_window_over(round->delivery, item),
         as_sent = created;
    int r = PROV_OK;

    if (created && row && !seen->ours && !seen->again)
        return refuse_taken(round, item, row, err);
    if (created && row && !seen->ours)
        row =
            NULL; /* a stranger's: what was sent is not there, and lands no more after the window */
    if (row && !created && shows_as_sent(round->delivery, item, row, &as_sent))
        return error_nomem(err);
    if (over) /* nothing lands any more */
        value_remove(item->work.link.in_flight, "late");
    item->said = (struct said){ .message = "sent without an answer; not seen in the org yet" };
    if (row && as_sent && !flight_is_mixed(&item->work.link)) {
        item_is_there(item, FATE_FOUND, json_get_string(row, "Id"));
    } else if (!over) {
        item->fate = FATE_UNKNOWN;
    } else if (!created && !row) {
        item->fate = FATE_REFUSED;
        item->said =
            (struct said){ CODE_ACCOUNT_MISSING,
                           "the Salesforce user this subject is linked to is not in the org",
                           words->cause, words->remedy };
    } else {
        item->fate = FATE_NOT_HAPPENED;
        r = believe(item, row, err);
    }
    return r ? r : settle(round, item, err);
}

/* Of a name that is taken. */
static int
settle_taken(struct round *round, struct item *item, const struct seen *seen,
             struct prov_error *err)
{
    if (seen->again) {
        item->fate = FATE_SEND;
        return PROV_OK;
    }
    if (!seen->row)
        return refuse_elsewhere(round, item, err);
    if (!seen->ours)
        return refuse_taken(round, item, seen->row, err);
    item_is_there(item, FATE_FOUND, json_get_string(seen->row, "Id"));
    return settle(round, item, err);
}

/* ---- in chunks ---- */

enum reading {
    READ_CREATES, /* unknown creates, by username */
    READ_UPDATES, /* unknown updates, by Id */
    READ_TAKEN    /* creates refused because the username is taken, by username */
};

/* Only an earlier send of ours can have made the user whose name is in the way now. */
static bool
was_sent_before(const struct item *item)
{
    int64_t first = item->work.link.first_sent_us;

    return first && first < value_get_integer(item->work.link.in_flight, "at_us", 0);
}

/* Asks for the users of these items. Of what an answer does not show, because the org refused the
 * field, it is not known whether it happened. */
static int
ask(struct round *round, struct item **items, size_t count, bool by_name,
    struct json_object **ret_rows, struct prov_error *err)
{
    struct delivery *d = round->delivery;
    AUTO_JSON struct json_object *fields = fields_in_flight(items, count);
    const char *values[QUERY_MAX];
    struct lookup lookup = {
        .key = by_name ? "Username" : "Id", .values = values, .count = count, .fields = fields
    };
    struct sf_call call;
    int r;

    if (!fields)
        return error_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const char *name = value_get_text(flight_fields(items[i]), "Username");
        values[i] = !by_name ? items[i]->work.link.salesforce_id : name ? name : "";
    }
    r = lookup_users(d, &lookup, ret_rows, &call, err);
    if (r)
        return r;
    if (items[0]->fate ==
        FATE_READ_BACK) /* of a name that is taken the call that was refused is told */
        history_note_call(items, count, "read back", &call);
    if (call.outcome == SF_DELIVERED) {
        org_call_passed(d);
        return PROV_OK;
    }
    round->stop = true; /* they stay in flight and due */
    return org_call_failed(d, &call, err);
}

/* What the rows say of each. */
static int
judge_chunk(struct round *round, struct item **items, size_t count, struct json_object *rows,
            enum reading reading, struct seen *ret, struct prov_error *err)
{
    bool by_name = reading != READ_UPDATES;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < count; i++) {
        struct json_object *row = row_of(rows, items[i], by_name);
        ret[i] = (struct seen){ .row = row };
        if (row && by_name && (reading == READ_CREATES || was_sent_before(items[i])))
            r = judge_ours(round->delivery, items[i], row, &ret[i].ours, err);
        else if (!row && reading == READ_TAKEN)
            r = org_learn_kind(round->delivery, err);
        if (!r && by_name && !ret[i].ours)
            r = judge_taken(round, items[i], row, reading == READ_TAKEN, &ret[i].again, err);
    }
    return r;
}

static int
settle_chunk(struct round *round, struct item **items, size_t count, enum reading reading,
             struct prov_error *err)
{
    CLEANUP(telling_end) struct telling telling = { .delivery = round->delivery };
    struct store *store = round->delivery->store;
    AUTO_JSON struct json_object *rows = NULL;
    struct seen seen[QUERY_MAX];
    int r;

    r = ask(round, items, count, reading != READ_UPDATES, &rows, err);
    if (r || round->stop)
        return r;
    r = judge_chunk(round, items, count, rows, reading, seen, err);
    if (!r)
        r = store_begin(store, STORE_FENCED, err);
    if (r)
        return r;
    for (size_t i = 0; !r && i < count; i++)
        r = reading == READ_TAKEN ? settle_taken(round, items[i], &seen[i], err)
                                  : settle_read(round, items[i], &seen[i], err);
    if (r) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    for (size_t i = 0; !r && i < count; i++) {
        if (item_ended(items[i]))
            tell_settled(&telling, items[i]);
    }
    return r;
}

/* Items that stay in flight and are to be read back, of one kind. */
static int
settle_kind(struct round *round, enum reading reading, struct prov_error *err)
{
    struct item *chunk[QUERY_MAX];
    size_t filled = 0;
    int r = PROV_OK;

    for (size_t i = 0; !r && !round->stop && i < round->count; i++) {
        struct item *item = &round->items[i];
        if (item->fate != FATE_READ_BACK || is_create(item) != (reading == READ_CREATES))
            continue;
        chunk[filled++] = item;
        if (filled == QUERY_MAX) {
            r = settle_chunk(round, chunk, filled, reading, err);
            filled = 0;
        }
    }
    if (!r && !round->stop && filled > 0)
        r = settle_chunk(round, chunk, filled, reading, err);
    return r;
}

int
unknown_settle(struct round *round, struct prov_error *err)
{
    int r = settle_kind(round, READ_CREATES, err);

    return r ? r : settle_kind(round, READ_UPDATES, err);
}

int
unknown_username_taken(struct round *round, struct item **items, size_t count,
                       struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && !round->stop && i < count; i += QUERY_MAX)
        r = settle_chunk(round, items + i, count - i < QUERY_MAX ? count - i : QUERY_MAX,
                         READ_TAKEN, err);
    return r;
}
