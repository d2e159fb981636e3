/* What delivery reads and writes: due subjects, links, wake-ups, the lease and its fence (design
 * rules 9, 10, 13, 15). */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

#define HOUR_US INT64_C(3600000000)
#define NOW_US  (INT64_C(1800000000) * 1000000)

#define IN_TX(store, call)                                                                         \
    do {                                                                                           \
        T_OK(store_begin(store, STORE_UNFENCED, &err), &err);                                      \
        T_OK(call, &err);                                                                          \
        T_OK(store_commit(store, &err), &err);                                                     \
    } while (0)

/* ---- due ---- */

static void
what_is_due_later_is_not_due_now(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    int64_t subjects = -1, next = -1, one, two;
    struct scratch s;
    bool any = true;

    scratch_make(&s);
    T_OK(store_due_next(s.store, INT64_MAX, &any, &next, &err), &err);
    T_TRUE(!any);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    two = scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_due_add(s.store, one, NOW_US + HOUR_US, &err));
    IN_TX(s.store, store_due_add(s.store, two, NOW_US + 1, &err));
    IN_TX(s.store, store_due_add(s.store, two, NOW_US + 2, &err));
    T_STR(scratch_due(s.store, NOW_US), "");
    T_STR(scratch_due(s.store, NOW_US + 1), "/Users/2");
    T_STR(scratch_due(s.store, NOW_US + HOUR_US), "/Users/2 /Users/1");
    T_OK(store_due_count(s.store, INT64_MAX, &subjects, &err), &err);
    T_INT(subjects, 2);
    T_OK(store_due_next(s.store, INT64_MAX, &any, &next, &err), &err);
    T_TRUE(any);
    T_INT(next, NOW_US + 1);
    scratch_remove(&s);
}

static void
a_clock_that_was_set_back_delays_nothing_for_years(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_due_add(s.store, one, NOW_US + 24 * HOUR_US, &err));
    T_STR(scratch_due(s.store, NOW_US), "");
    T_STR(scratch_due(s.store, NOW_US - 10 * 365 * 24 * HOUR_US), "/Users/1");
    scratch_remove(&s);
}

static void
only_the_rows_that_were_read_are_deleted(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "b");
    T_OK(store_due(s.store, DUE_NOW, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    T_INT(list[0].due_count, 2);
    T_INT(list[0].subject.version, 2);
    scratch_put(s.store, "j3", "/Users/1", "c"); /* while its sender is under way */
    IN_TX(s.store, store_due_delete(s.store, &list[0], &err));
    work_list_free(list, count);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    T_INT(scratch_drain(s.store, DUE_NOW), 1);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_remove(&s);
}

static void
an_order_that_was_put_off_is_not_lost_when_its_subject_is_settled(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;
    int64_t id;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    T_INT(scratch_drain(s.store, DUE_NOW), 1);
    id = scratch_id(s.store, "/Users/1");
    IN_TX(s.store, store_due_order(s.store, id, ORDER_REPLAN, &err));
    T_OK(store_due(s.store, DUE_NOW, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    IN_TX(s.store, store_due_put_off(s.store, &list[0], NOW_US + HOUR_US, &err));
    work_list_free(list, count);
    IN_TX(s.store, store_due_add(s.store, id, NOW_US, &err));
    T_INT(scratch_drain(s.store, NOW_US), 1);
    T_OK(store_due(s.store, NOW_US + HOUR_US, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    T_INT(count ? list[0].orders : 0, ORDER_REPLAN);
    work_list_free(list, count);
    scratch_remove(&s);
}

static void
the_limit_counts_rows_and_the_rest_stays_due(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    size_t total = 0;

    scratch_make(&s);
    for (int i = 0; i < 7; i++) {
        char jti[20], uri[20];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i % 4);
        scratch_put(s.store, jti, uri, "a");
    }
    for (int round = 0; round < 10 && *scratch_due(s.store, DUE_NOW); round++) {
        struct work *list = NULL;
        size_t count = 0;
        T_OK(store_due(s.store, DUE_NOW, 3, NULL, &list, &count, &err), &err);
        T_TRUE(count >= 1 && count <= 3);
        for (size_t i = 0; i < count; i++) {
            total += list[i].due_count;
            IN_TX(s.store, store_due_delete(s.store, &list[i], &err));
        }
        work_list_free(list, count);
    }
    T_INT(total, 7);
    scratch_remove(&s);
}

/* ---- links ---- */

static struct link
full_link(void)
{
    struct link link = { .salesforce_id = "005000000000001AAA",
                         .confirmed_version = 3,
                         .settled_version = 4,
                         .first_sent_us = 5,
                         .attempts = 6,
                         .next_us = 7,
                         .updated_us = 8 };

    link.confirmed = value_of("{\"Title\":\"Bo\xc3\x9f \\\"x\\\"\",\"Phone\":null}");
    link.in_flight = value_of("{\"op\":\"update\"}");
    link.username_wanted = strdup("wanted@x.example");
    link.username_held = strdup("held@x.example");
    link.username_inputs = strdup("{\"userName\":\"w\"}");
    link.outcome = strdup("refused");
    link.code = strdup("CODE");
    link.message = strdup("message");
    link.cause = strdup("cause");
    link.remedy = strdup("remedy");
    link.last_action = strdup("created");
    link.plan_digest = strdup("digest");
    T_OK(wait_begin(&link, WAIT_MANAGER, "/Users/9", 9), NULL);
    T_OK(wait_begin(&link, WAIT_UNFREEZING, NULL, 10), NULL);
    wait_weigh(&link, 9);
    return link;
}

static void
a_link_comes_back_as_it_was_written(void)
{
    CLEANUP(link_done) struct link link = full_link();
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t id;

    scratch_make(&s);
    id = scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_STR(work.link.salesforce_id, link.salesforce_id);
    T_TRUE(value_equal(work.link.confirmed, link.confirmed));
    T_TRUE(value_equal(work.link.in_flight, link.in_flight));
    T_INT(work.link.confirmed_version, 3);
    T_INT(work.link.settled_version, 4);
    T_INT(work.link.first_sent_us, 5);
    T_INT(work.link.attempts, 6);
    T_INT(work.link.next_us, 7);
    T_INT(work.link.updated_us, 8);
    T_STR(work.link.username_wanted, "wanted@x.example");
    T_STR(work.link.username_held, "held@x.example");
    T_STR(work.link.username_inputs, "{\"userName\":\"w\"}");
    T_STR(work.link.outcome, "refused");
    T_STR(work.link.code, "CODE");
    T_STR(work.link.message, "message");
    T_STR(work.link.cause, "cause");
    T_STR(work.link.remedy, "remedy");
    T_STR(work.link.last_action, "created");
    T_STR(work.link.plan_digest, "digest");
    T_INT(work.link.wait_count, 2);
    T_STR(wait_of(&work.link, WAIT_MANAGER)->value, "/Users/9");
    T_INT(wait_of(&work.link, WAIT_MANAGER)->since_us, 9);
    T_TRUE(wait_of(&work.link, WAIT_MANAGER)->is_long);
    T_STR(wait_of(&work.link, WAIT_UNFREEZING)->value, NULL);
    T_TRUE(!wait_of(&work.link, WAIT_UNFREEZING)->is_long && !work.link.waits_changed);
    scratch_remove(&s);
}

static void
a_link_is_overwritten_whole(void)
{
    CLEANUP(link_done) struct link link = full_link();
    CLEANUP(work_done) struct work work = { 0 };
    struct link empty = { .settled_version = 1, .waits_changed = true };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t id;

    scratch_make(&s);
    id = scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    IN_TX(s.store, store_put_link(s.store, id, &empty, &err));
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_STR(work.link.salesforce_id, "");
    T_TRUE(!work.link.confirmed && !work.link.in_flight && !work.link.outcome);
    T_TRUE(!work.link.wait_count && !work.link.username_held);
    T_INT(work.link.settled_version, 1);
    scratch_remove(&s);
}

/* The next are the two ways in which a link is written. */
static void
what_is_looked_up_follows_the_link(void)
{
    CLEANUP(link_done) struct link link = full_link();
    CLEANUP(name_claim_done) struct name_claim claim = { 0 };
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t id, holder = 0;

    scratch_make(&s);
    id = scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    link.attempts = 60; /* nothing that is looked up */
    IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_INT(work.link.attempts, 60);
    T_STR(work.link.username_wanted, "wanted@x.example");
    free(link.username_wanted);
    link.username_wanted = strdup("held@x.example");
    T_OK(wait_begin(&link, WAIT_MANAGER, "/Users/8", 11), NULL);
    link.salesforce_id[14] = '2';
    link.attempts = 61;
    IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    T_OK(store_name_claim(s.store, "wanted@x.example", 0, &claim, &err), &err);
    T_INT(claim.subject, 0);
    T_OK(store_name_claim(s.store, "held@x.example", 0, &claim, &err), &err);
    T_INT(claim.subject, id);
    T_TRUE(claim.holds);
    T_OK(store_id_holder(s.store, "005000000000002AAA", 0, &holder, &err), &err);
    T_INT(holder, id);
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_wake(s.store, WAIT_MANAGER, "/Users/9", NULL, 9, &err));
    T_STR(scratch_due(s.store, DUE_NOW), "");
    IN_TX(s.store, store_wake(s.store, WAIT_MANAGER, "/Users/8", NULL, 9, &err));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    work_done(&work);
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_INT(work.link.attempts, 61);
    T_STR(work.link.username_wanted, "held@x.example");
    scratch_remove(&s);
}

/* A create has no link before its answer, and its username is claimed all the same. */
static void
what_is_in_flight_stands_by_itself(void)
{
    CLEANUP(link_done) struct link link = { .first_sent_us = 5 };
    CLEANUP(name_claim_done) struct name_claim claim = { 0 };
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t id, found = 0;

    scratch_make(&s);
    id = scratch_put(s.store, "j1", "/Users/1", "a");
    link.in_flight = value_of("{\"op\":\"create\"}");
    link.username_wanted = strdup("wanted@x.example");
    IN_TX(s.store, store_put_flight(s.store, id, &link, &err));
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_TRUE(value_equal(work.link.in_flight, link.in_flight));
    T_STR(work.link.username_wanted, "wanted@x.example");
    T_INT(work.link.first_sent_us, 5);
    T_OK(store_name_claim(s.store, "wanted@x.example", 0, &claim, &err), &err);
    T_INT(claim.subject, id);
    T_TRUE(!claim.holds);
    T_STR(claim.uri, "/Users/1");
    T_OK(store_find(s.store, "Wanted@x.example", &found, &err), &err);
    T_INT(found, id);
    link.in_flight = NULL;
    link.first_sent_us = 0;
    IN_TX(s.store, store_put_flight(s.store, id, &link, &err));
    work_done(&work);
    T_OK(store_load_id(s.store, id, &work, &err), &err);
    T_TRUE(!work.link.in_flight && !work.link.username_wanted && !work.link.first_sent_us);
    scratch_remove(&s);
}

static void
two_subjects_cannot_hold_one_salesforce_id(void)
{
    struct link link = { .salesforce_id = "005000000000001AAA" };
    struct prov_error err = PROV_ERROR_INIT;
    char id[19] = "x";
    struct scratch s;
    int64_t one, two;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    two = scratch_put(s.store, "j2", "/Users/2", "b");
    IN_TX(s.store, store_put_link(s.store, one, &link, &err));
    T_OK(store_begin(s.store, STORE_UNFENCED, &err), &err);
    T_INT(store_put_link(s.store, two, &link, &err), PROV_E_STORE);
    T_INT(err.code, PROV_E_STORE);
    T_HAS(err.text, "salesforce_id"); /* the reason is not cut off behind a long statement */
    store_rollback(s.store);
    T_OK(store_linked_id(s.store, ISSUER, "/Users/2", id, &err), &err);
    T_STR(id, "");
    /* two who are not linked are no conflict */
    link.salesforce_id[0] = '\0';
    IN_TX(s.store, store_put_link(s.store, two, &link, &err));
    scratch_remove(&s);
}

static void
what_is_rolled_back_never_was(void)
{
    struct link link = { .salesforce_id = "005000000000001AAA" };
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *fact = NULL;
    char id[19];
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    T_OK(store_begin(s.store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(s.store, one, &link, &err), &err);
    T_OK(store_put_fact(s.store, "org_id", "00D", &err), &err);
    store_rollback(s.store);
    T_OK(store_linked_id(s.store, ISSUER, "/Users/1", id, &err), &err);
    T_STR(id, "");
    T_OK(store_get_fact(s.store, "org_id", &fact, &err), &err);
    T_STR(fact, NULL);
    /* and the lock is free */
    scratch_put(s.store, "j2", "/Users/1", "a");
    scratch_remove(&s);
}

static void
facts_are_set_changed_and_forgotten(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    scratch_make(&s);
    for (int i = 0; i < 2; i++) {
        AUTO_FREE char *fact = NULL;
        IN_TX(s.store, store_put_fact(s.store, "hold", i ? "two" : "one", &err));
        T_OK(store_get_fact(s.store, "hold", &fact, &err), &err);
        T_STR(fact, i ? "two" : "one");
    }
    {
        AUTO_FREE char *fact = NULL;
        IN_TX(s.store, store_put_fact(s.store, "hold", NULL, &err));
        T_OK(store_get_fact(s.store, "hold", &fact, &err), &err);
        T_STR(fact, NULL);
    }
    scratch_remove(&s);
}

/* ---- who waits for whom ---- */

/* Links of /Users/1 to /Users/4, nothing due. */
static void
make_waiting(struct scratch *s)
{
    static struct wait name = { (char *)WAIT_USERNAME, (char *)"ada@x.example", 5, false };
    static struct wait manager = { (char *)WAIT_MANAGER, (char *)"/Users/3", 6, false };
    static const struct link links[] = {
        { .outcome = (char *)"waiting",
          .waits = &name,
          .wait_count = 1,
          .waits_changed = true,
          .plan_digest = (char *)"old" },
        { .outcome = (char *)"delivered",
          .waits = &manager,
          .wait_count = 1,
          .waits_changed = true,
          .plan_digest = (char *)"old",
          .salesforce_id = "005000000000002AAA" },
        { .outcome = (char *)"delivered",
          .username_held = (char *)"ada@x.example",
          .username_wanted = (char *)"eve@x.example",
          .plan_digest = (char *)"new",
          .salesforce_id = "005000000000003AAA" },
        { .outcome = (char *)"refused", .plan_digest = (char *)"new" },
    };
    struct prov_error err = PROV_ERROR_INIT;

    scratch_make(s);
    for (int i = 0; i < 4; i++) {
        char jti[20], uri[20];
        int64_t id;
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i + 1);
        id = scratch_put(s->store, jti, uri, "a");
        IN_TX(s->store, store_put_link(s->store, id, &links[i], &err));
    }
    scratch_drain(s->store, DUE_NOW);
    /* the same URI of another issuer waits for nobody of ours */
    scratch_accept(s->store, scratch_event_of("https://other", "j9", NULL, "/Users/3", "put",
                                              "{\"userName\":\"x\"}"));
    scratch_drain(s->store, DUE_NOW);
}

static void
who_holds_a_name_of_a_kind_is_woken_by_what_it_was_made_of(void)
{
    static const char *const held[][2] = { { "swap-1@x.example", "temporary ada@x.example" },
                                           { "swap-2@x.example", "temporary eve@x.example" },
                                           { "swa@x.example", "temporary ada@x.example" },
                                           { "swb@x.example", "temporary ada@x.example" } };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    scratch_make(&s);
    for (size_t i = 0; i < 4; i++) {
        char jti[20], uri[40];
        struct link link = { .salesforce_id = "",
                             .username_held = (char *)held[i][0],
                             .username_inputs = (char *)held[i][1] };
        int64_t id;
        snprintf(jti, sizeof(jti), "j%zu", i);
        snprintf(uri, sizeof(uri), "/Users/%zu", i + 1);
        id = scratch_put(s.store, jti, uri, "a");
        IN_TX(s.store, store_put_link(s.store, id, &link, &err));
    }
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_wake_holder(s.store, "swap-", "temporary ada@x.example", &err));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    scratch_remove(&s);
}

static void
who_waits_is_woken_and_nobody_else(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t count = -1;

    make_waiting(&s);
    IN_TX(s.store, store_wake_name(s.store, "ada@x.example", &err));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_wake_name(s.store, "eve@x.example", &err));
    IN_TX(s.store, store_wake(s.store, WAIT_MANAGER, "/Users/3", "https://other", 99, &err));
    T_STR(scratch_due(s.store, DUE_NOW), "");
    IN_TX(s.store, store_wake(s.store, WAIT_MANAGER, "/Users/3", ISSUER, 99, &err));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/2");
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_replan_parked(s.store, "new", &err));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1"); /* not the delivered: rule 10 */
    scratch_drain(s.store, DUE_NOW);
    IN_TX(s.store, store_due_parked(s.store, &count, &err));
    T_INT(count, 2);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/4");
    scratch_remove(&s);
}

static void
usernames_and_ids_of_other_subjects_are_found(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    static const struct {
        const char *name, *id, *except, *found;
    } cases[] = {
        { "ada@x.example", NULL, "/Users/1", "/Users/3" }, /* held */
        { "eve@x.example", NULL, "/Users/1", "/Users/3" }, /* wanted */
        { "ada@x.example", NULL, "/Users/3", NULL },       /* one's own */
        { "bob@x.example", NULL, "/Users/1", NULL },
        { NULL, "005000000000003AAA", "/Users/1", "/Users/3" },
        { NULL, "005000000000003AAA", "/Users/3", NULL },
        { NULL, "005000000000009AAA", "/Users/1", NULL },
        { NULL, "", "/Users/1", NULL },
    };

    make_waiting(&s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t except = scratch_id(s.store, cases[i].except), holder = -1;
        if (!cases[i].name)
            T_OK(store_id_holder(s.store, cases[i].id, except, &holder, &err), &err);
        if (cases[i].name) {
            CLEANUP(name_claim_done) struct name_claim claim = { 0 };
            T_OK(store_name_claim(s.store, cases[i].name, except, &claim, &err), &err);
            T_STR(claim.uri, cases[i].found);
            T_INT(claim.holds, cases[i].found && strcmp(cases[i].name, "ada@x.example") == 0);
        } else
            T_INT(holder, cases[i].found ? scratch_id(s.store, cases[i].found) : 0);
    }
    {
        char id[19] = "";
        T_OK(store_linked_id(s.store, ISSUER, "/Users/3", id, &err), &err);
        T_STR(id, "005000000000003AAA");
        T_OK(store_linked_id(s.store, "https://other", "/Users/3", id, &err), &err);
        T_STR(id, "");
    }
    scratch_remove(&s);
}

/* ---- the lease ---- */

static bool
take(struct store *store)
{
    struct prov_error err = PROV_ERROR_INIT;
    bool held = false;

    T_OK(store_lease_take(store, &held, &err), &err);
    return held;
}

static void
child_cannot_take(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    T_TRUE(!take(store));
    T_INT(store_begin(store, STORE_FENCED, &err), PROV_E_STATE);
    store_free(store);
}

static void
child_can_take(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    T_TRUE(take(store));
    T_OK(store_begin(store, STORE_FENCED, &err), &err);
    T_OK(store_commit(store, &err), &err);
    store_free(store);
}

static struct store_holder
holder_of(struct store *store)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_holder holder = { .process = -1 };

    T_OK(store_lease_holder(store, &holder, &err), &err);
    return holder;
}

static void
child_sees_its_parent(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_holder holder;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    holder = holder_of(store);
    T_TRUE(holder.held);
    T_INT(holder.process, getppid());
    store_free(store);
}

static void
who_delivers_is_told_and_goes_on_holding_the_lease(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *second = NULL;
    struct scratch s;

    scratch_make(&s);
    T_OK(store_new(s.path, &second, &err), &err);
    T_TRUE(!holder_of(s.store).held); /* there is no lease file yet */
    T_TRUE(take(s.store));
    T_INT(holder_of(s.store).process, getpid());
    T_INT(holder_of(second).process, getpid());
    /* neither look has dropped the lock */
    scratch_in_child(&s, child_sees_its_parent);
    scratch_in_child(&s, child_cannot_take);
    store_lease_drop(s.store);
    T_TRUE(!holder_of(second).held); /* now there is one, that nobody holds */
    T_INT(holder_of(second).process, 0);
    store_free(second);
    scratch_remove(&s);
}

static void
one_connector_of_one_process_delivers(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *second = NULL;
    struct scratch s;

    scratch_make(&s);
    T_OK(store_new(s.path, &second, &err), &err);
    T_TRUE(take(s.store));
    T_TRUE(take(s.store)); /* again is no matter */
    T_TRUE(store_lease_held(s.store));
    T_TRUE(!take(second));
    T_TRUE(!store_lease_held(second));
    scratch_in_child(&s, child_cannot_take);
    /* the second one's attempt, and its end, must not drop the first one's lock */
    store_free(second);
    scratch_in_child(&s, child_cannot_take);
    T_OK(store_begin(s.store, STORE_FENCED, &err), &err);
    T_OK(store_commit(s.store, &err), &err);
    store_lease_drop(s.store);
    T_TRUE(!store_lease_held(s.store));
    scratch_in_child(&s, child_can_take);
    T_TRUE(take(s.store));
    scratch_remove(&s);
}

static void
take_and_wait(const struct scratch *scratch, int ready)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    T_TRUE(take(store));
    T_INT(write(ready, "x", 1), 1);
    pause();
}

static void
a_process_that_dies_leaves_the_lease_to_the_next(void)
{
    struct scratch s;
    int ready[2], child, status;
    char byte;

    scratch_make(&s);
    T_INT(pipe(ready), 0);
    child = scratch_start_child(&s, take_and_wait, ready[1]);
    T_INT(read(ready[0], &byte, 1), 1);
    T_TRUE(!take(s.store));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    T_TRUE(take(s.store));
    close(ready[0]);
    close(ready[1]);
    scratch_remove(&s);
}

static void
a_new_holder_finds_due_whatever_is_in_flight(void)
{
    CLEANUP(link_done) struct link link = full_link();
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    IN_TX(s.store, store_put_link(s.store, one, &link, &err));
    scratch_drain(s.store, DUE_NOW);
    T_TRUE(take(s.store));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    scratch_remove(&s);
}

/* Whether a transaction of a sender would begin; none is left. */
static int
try_fenced(struct store *store, struct prov_error *err)
{
    int r = store_begin(store, STORE_FENCED, err);

    if (!r)
        store_rollback(store);
    return r;
}

static void
a_sender_that_was_fenced_out_writes_nothing(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    char lease[300];
    struct scratch s;

    scratch_make(&s);
    T_INT(try_fenced(s.store, &err), PROV_E_STATE); /* never taken */
    T_TRUE(take(s.store));
    /* what no lock can stop: somebody deletes the lock file, and another process makes it anew */
    snprintf(lease, sizeof(lease), "%s.lease", s.path);
    T_INT(unlink(lease), 0);
    scratch_in_child(&s, child_can_take);
    T_INT(try_fenced(s.store, &err), PROV_E_STATE);
    T_HAS(err.text, "taken delivery over");
    /* no lock was left behind, and an admin's orders pass */
    T_OK(store_begin(s.store, STORE_UNFENCED, &err), &err);
    store_rollback(s.store);
    store_lease_drop(s.store);
    T_TRUE(take(s.store));
    T_OK(try_fenced(s.store, &err), &err);
    scratch_remove(&s);
}

static void
the_lease_file_is_private_and_the_store_owners(void)
{
    struct stat status;
    char lease[300];
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    if (geteuid() == 0) /* a tool run by root must not lock the host's user out */
        T_INT(chown(s.path, 65534, 65534), 0);
    T_TRUE(take(s.store));
    snprintf(lease, sizeof(lease), "%s.lease", s.path);
    T_INT(stat(lease, &status), 0);
    T_INT(status.st_mode & 07777, 0600);
    T_INT(status.st_uid, geteuid() == 0 ? 65534 : geteuid());
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(what_is_due_later_is_not_due_now),
        UNIT_CASE(a_clock_that_was_set_back_delays_nothing_for_years),
        UNIT_CASE(only_the_rows_that_were_read_are_deleted),
        UNIT_CASE(an_order_that_was_put_off_is_not_lost_when_its_subject_is_settled),
        UNIT_CASE(the_limit_counts_rows_and_the_rest_stays_due),
        UNIT_CASE(a_link_comes_back_as_it_was_written),
        UNIT_CASE(a_link_is_overwritten_whole),
        UNIT_CASE(what_is_looked_up_follows_the_link),
        UNIT_CASE(what_is_in_flight_stands_by_itself),
        UNIT_CASE(two_subjects_cannot_hold_one_salesforce_id),
        UNIT_CASE(what_is_rolled_back_never_was),
        UNIT_CASE(facts_are_set_changed_and_forgotten),
        UNIT_CASE(who_holds_a_name_of_a_kind_is_woken_by_what_it_was_made_of),
        UNIT_CASE(who_waits_is_woken_and_nobody_else),
        UNIT_CASE(usernames_and_ids_of_other_subjects_are_found),
        UNIT_CASE(who_delivers_is_told_and_goes_on_holding_the_lease),
        UNIT_CASE(one_connector_of_one_process_delivers),
        UNIT_CASE(a_process_that_dies_leaves_the_lease_to_the_next),
        UNIT_CASE(a_new_holder_finds_due_whatever_is_in_flight),
        UNIT_CASE(a_sender_that_was_fenced_out_writes_nothing),
        UNIT_CASE(the_lease_file_is_private_and_the_store_owners),
    };

    return unit_run("store_delivery", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
