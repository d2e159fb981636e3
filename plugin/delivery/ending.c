/* Writes what became of a subject: its words, the usernames it keeps others off, its link, a row of its history, and
 * when it is due again. What became of it is decided in settle.c. */
#include "plugin/delivery/ending.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"

void
ending_done(struct ending *ending)
{
    free(ending->message);
}

int
set_text(char **place, const char *text)
{
    char *copy = text && *text ? strdup(text) : NULL;

    if (text && *text && !copy)
        return PROV_E_NOMEM;
    free(*place);
    *place = copy;
    return PROV_OK;
}

bool
text_is(const char *text, const char *other)
{
    return strcmp(text ? text : "", other ? other : "") == 0;
}

static int
put_words(struct link *link, const char *outcome, const struct said *said, struct prov_error *err)
{
    if (set_text(&link->outcome, outcome) || set_text(&link->code, said->code) ||
        set_text(&link->message, said->message) || set_text(&link->cause, said->cause) ||
        set_text(&link->remedy, said->remedy))
        return error_nomem(err);
    return PROV_OK;
}

/* [tx] Who is looked at again, and is as before, is counted no more; who waits, or is held, not at all; and who
 * needed nothing only when he was adopted. What did not happen was counted when it had no answer. */
static void
count_settled(struct store *store, const struct item *item)
{
    const struct link *link = &item->work.link;

    if (item->as_before || item->fate == FATE_NOT_HAPPENED ||
        (item->fate == FATE_NOTHING && !item->adopted_by))
        return;
    if (outcome_is(link->outcome, OUTCOME_DELIVERED))
        store_count(store, STORE_DELIVERED, 1);
    else if (outcome_is(link->outcome, OUTCOME_REFUSED))
        store_count(store, STORE_REFUSED, 1);
    else if (outcome_is(link->outcome, "retry") || outcome_is(link->outcome, "unknown"))
        store_count(store, STORE_RETRIED, 1);
}

/* [tx] Whoever waits for a leaver's account may have it when nothing of it is in flight. */
static int
offer_account(struct store *store, const struct item *item, struct prov_error *err)
{
    const struct link *link = &item->work.link;

    return item->plan.in_scope || !link->salesforce_id[0] || link->in_flight
               ? PROV_OK
               : store_wake(store, WAIT_ACCOUNT, NULL, NULL, INT64_MAX, err);
}

/* [tx] For the user's story. What was ordered is in none of what was damaged. */
static int
note_mended(struct store *store, struct item *item, struct prov_error *err)
{
    AUTO_FREE char *text = NULL;

    if (!item->mended)
        return PROV_OK;
    if (asprintf(&text, STORE_WAS_DAMAGED, item->mended) < 0) {
        text = NULL;
        return error_nomem(err);
    }
    item->mended = NULL;
    return store_note(store, item->work.subject.id, NOTE_STORE, text, err);
}

/* Writes the link and deletes the rows of `due` that were read. A manager who was linked since the
 * plan was made, perhaps by the same call, would wake nobody any more: then it is due at once. Only
 * a manager the plan looked for counts: one awaited earlier may have been linked long ago. */
static int
put_link(struct round *round, struct item *item, struct prov_error *err)
{
    struct store *store = round->delivery->store;
    const struct subject *subject = &item->work.subject;
    const char *manager = item->plan.manager_uri;
    struct link *link = &item->work.link;
    int r;

    round->settled++;
    link->updated_us = clock_now_us();
    count_settled(store, item);
    store_count(store, STORE_SETTLED_EVENTS, link->settled_version - link->stored_version);
    r = note_mended(store, item, err);
    if (!r)
        r = history_add(round, item, err);
    if (!r)
        r = store_put_link(store, subject->id, link, err);
    link->stored_version = link->settled_version;
    if (!r)
        r = store_due_delete(store, &item->work, err);
    if (!r && manager && !item->manager_id[0])
        r = store_due_if_linked(store, subject->id, subject->iss, manager, err);
    return r ? r : offer_account(store, item, err);
}

int
settle_claim(struct round *round, struct link *link, const char *name, struct prov_error *err)
{
    AUTO_FREE char *before = STEAL(link->username_wanted);

    if (set_text(&link->username_wanted, name))
        return error_nomem(err);
    if (!before || (name && strcmp(before, name) == 0) ||
        (link->username_held && strcmp(before, link->username_held) == 0))
        return PROV_OK;
    /* who could not go back is not tried at once again */
    return text_is(before, names_given_up(link))
               ? store_wake_name(round->delivery->store, before, err)
               : names_wake(round->delivery->store, before, err);
}

/* [tx] The username held is the one confirmed; and, unless what was wanted is tried again, no other is claimed but
 * what is in flight. Whoever waits for one that is given up is woken. */
static int
put_names(struct round *round, struct link *link, bool keeps_claim, struct prov_error *err)
{
    const char *now = value_get_text(link->confirmed, "Username");
    const char *flying = value_get_text(value_get(link->in_flight, "fields"), "Username");
    AUTO_FREE char *before = NULL;
    int r = PROV_OK;

    if (now && !(link->username_held && strcmp(link->username_held, now) == 0)) {
        before = STEAL(link->username_held);
        if (set_text(&link->username_held, now))
            return error_nomem(err);
        if (before)
            r = names_wake(round->delivery->store, before, err);
    }
    return r || keeps_claim ? r
                            : settle_claim(round, link, flying ? flying : link->username_held, err);
}

static int64_t
window_end_us(const struct delivery *d)
{
    return clock_now_us() + d->fields->settle_window_s * CLOCK_SECOND_US;
}

static int
make_due(struct round *round, const struct item *item, const struct ending *ending,
         struct prov_error *err)
{
    struct store *store = round->delivery->store;
    int64_t subject = item->work.subject.id, next_us = item->work.link.next_us;
    int r = next_us ? store_due_add(store, subject, next_us, err) : PROV_OK;

    if (!r && ending->lands_late)
        r = store_due_add(store, subject, window_end_us(round->delivery), err);
    return r || !ending->now ? r : store_due_add(store, subject, DUE_NOW, err);
}

int
ending_write(struct round *round, struct item *item, const struct ending *ending,
             struct prov_error *err)
{
    struct store *store = round->delivery->store;
    const struct subject *subject = &item->work.subject;
    struct link *link = &item->work.link;
    int r = put_words(link, ending->outcome, &ending->said, err);

    if (!r)
        r = put_names(round, link, ending->keeps_claim, err);
    if (!r)
        r = put_link(round, item, err);
    if (!r && ending->arrives)
        r = store_wake(store, WAIT_MANAGER, subject->uri, subject->iss, INT64_MAX, err);
    return r ? r : make_due(round, item, ending, err);
}
