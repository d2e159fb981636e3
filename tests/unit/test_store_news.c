/* News: events that delivery has not taken yet are due without a row of `due`, and none is lost or taken twice,
 * in whatever order they are settled, and wherever a process ends. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/store/db.h"
#include "tests/unit/scratch.h"

static void
begin(struct store *store)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
}

static void
commit(struct store *store)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_commit(store, &err), &err);
}

#define TAKEN "SELECT n FROM tally WHERE what = 'total' AND code = 'news'"

static void
put_users(struct store *store, int users)
{
    for (int i = 1; i <= users; i++) {
        char jti[20], uri[20];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        scratch_put(store, jti, uri, "a");
    }
}

/* As delivery does it, in one transaction: the link of who was read, and what was read of him. */
static void
settle(struct store *store, struct work *work)
{
    struct prov_error err = PROV_ERROR_INIT;

    work->link.settled_version = work->subject.version;
    free(work->link.outcome);
    work->link.outcome = strdup("nothing to do");
    T_OK(store_put_link(store, work->subject.id, &work->link, &err), &err);
    T_OK(store_due_delete(store, work, &err), &err);
}

/* Settles who is due, but for one of them (0: nobody). */
static size_t
settle_all_but(struct store *store, int64_t subject, int64_t limit)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    size_t count = 0, settled = 0;

    T_OK(store_due(store, DUE_NOW, limit, NULL, &list, &count, &err), &err);
    begin(store);
    for (size_t i = 0; i < count; i++) {
        if (list[i].subject.id == subject)
            continue;
        settle(store, &list[i]);
        settled++;
    }
    commit(store);
    work_list_free(list, count);
    return settled;
}

static void
what_is_settled_out_of_turn_is_not_taken_again(void)
{
    struct scratch s;

    scratch_make(&s);
    put_users(s.store, 4);
    scratch_settle(s.store, "/Users/3", "delivered", "005000000000003AAA");
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/2 /Users/4");
    T_INT(scratch_number(&s, TAKEN), 0);
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/2 /Users/4");
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    T_INT(scratch_number(&s, TAKEN), 1);
    scratch_settle(s.store, "/Users/2", "refused", NULL);
    T_INT(scratch_number(&s, TAKEN), 3);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/4");
    scratch_settle(s.store, "/Users/4", "delivered", "005000000000004AAA");
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_put(s.store, "j5", "/Users/3", "b");
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/3");
    scratch_remove(&s);
}

/* What was settled is counted no more, though the number waits for the first. */
static void
numbers_do_not_count_what_is_settled(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    int64_t subjects = -1, next = -1;
    struct scratch s;
    bool any = false;

    scratch_make(&s);
    put_users(s.store, 3);
    scratch_settle(s.store, "/Users/2", "delivered", "005000000000002AAA");
    T_OK(store_due_count(s.store, DUE_NOW, &subjects, &err), &err);
    T_INT(subjects, 2);
    T_OK(store_due_next(s.store, DUE_NOW, &any, &next, &err), &err);
    T_TRUE(any && next == DUE_NOW);
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_settle(s.store, "/Users/3", "delivered", "005000000000003AAA");
    T_OK(store_due_count(s.store, DUE_NOW, &subjects, &err), &err);
    T_INT(subjects, 0);
    T_OK(store_due_next(s.store, DUE_NOW, &any, &next, &err), &err);
    T_TRUE(!any && next == 0);
    scratch_remove(&s);
}

/* A process that was killed may have left the number behind what is settled. */
static void
a_number_that_lags_is_brought_up_without_a_delivery(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t next;
    bool any = true;

    scratch_make(&s);
    put_users(s.store, 3);
    T_INT(settle_all_but(s.store, 0, 100), 3);
    scratch_sql(&s, "UPDATE tally SET n = 0 WHERE code = 'news'");
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), 3);
    T_OK(store_due_next(s.store, DUE_NOW, &any, &next, &err), &err);
    T_TRUE(!any);
    scratch_remove(&s);
}

/* The first is settled as a leaver, and so his put is passed over, at a time when there is more to do: who was
 * looked at behind him, and is to be tried later, must not look due for ever. */
static void
who_waits_behind_what_is_passed_over_is_not_due(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;
    int64_t next = 0;
    bool any = false;

    scratch_make(&s);
    put_users(s.store, 2);
    T_OK(store_due(s.store, DUE_NOW, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 2);
    begin(s.store); /* as after a failure that passes */
    T_OK(store_due_delete(s.store, &list[1], &err), &err);
    T_OK(store_due_add(s.store, list[1].subject.id, 1000, &err), &err);
    commit(s.store);
    work_list_free(list, count);
    scratch_accept(s.store, scratch_event("d1", "/Users/1", "delete", NULL));
    T_OK(store_due(s.store, DUE_URGENT, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    begin(s.store);
    settle(s.store, &list[0]);
    commit(s.store);
    work_list_free(list, count);
    T_STR(scratch_due(s.store, 1000), "/Users/2"); /* here the put is passed over */
    T_STR(scratch_due(s.store, 999), "");
    T_OK(store_due_next(s.store, 999, &any, &next, &err), &err);
    T_TRUE(any);
    T_INT(next, 1000);
    scratch_remove(&s);
}

static void
what_is_rolled_back_is_owed(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    put_users(s.store, 3);
    T_OK(store_due(s.store, DUE_NOW, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 3);
    begin(s.store);
    for (size_t i = 0; i < count; i++)
        settle(s.store, &list[i]);
    store_rollback(s.store);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/2 /Users/3");
    T_INT(scratch_number(&s, TAKEN), 0);
    begin(s.store);
    settle(s.store, &list[1]);
    commit(s.store);
    work_list_free(list, count);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/3");
    scratch_remove(&s);
}

static void
who_is_under_way_is_passed_over_and_not_lost(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *flying = NULL, *list = NULL;
    size_t flying_count = 0, count = 0;
    struct under_way under_way = { 0 };
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    put_users(s.store, 2);
    one = scratch_id(s.store, "/Users/1");
    T_OK(store_due(s.store, DUE_NOW, 1, NULL, &flying, &flying_count, &err), &err);
    T_INT(flying_count, 1);
    scratch_put(s.store, "n1", "/Users/1", "b"); /* while the call is in the air */
    scratch_put(s.store, "n2", "/Users/3", "c");
    under_way = (struct under_way){ &one, 1, 1 };
    T_OK(store_due(s.store, DUE_NOW, 100, &under_way, &list, &count, &err), &err);
    T_INT(count, 2);
    T_STR(list[0].subject.uri, "/Users/2");
    T_STR(list[1].subject.uri, "/Users/3");
    begin(s.store);
    for (size_t i = 0; i < count; i++)
        settle(s.store, &list[i]);
    commit(s.store);
    work_list_free(list, count);
    begin(s.store); /* it lands */
    settle(s.store, &flying[0]);
    commit(s.store);
    work_list_free(flying, flying_count);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    T_INT(settle_all_but(s.store, 0, 100), 1);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), 4);
    scratch_remove(&s);
}

/* His events are no news: he is due by his row, and by nothing else once he was looked at. */
static void
a_leaver_is_no_news(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    put_users(s.store, 2);
    scratch_accept(s.store, scratch_event("d1", "/Users/2", "delete", NULL));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/2 /Users/1");
    T_OK(store_due(s.store, DUE_URGENT, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    begin(s.store); /* to be tried again at a time: his version is not settled */
    T_OK(store_due_delete(s.store, &list[0], &err), &err);
    T_OK(store_due_add(s.store, list[0].subject.id, INT64_MAX / 2, &err), &err);
    commit(s.store);
    work_list_free(list, count);
    T_INT(settle_all_but(s.store, scratch_id(s.store, "/Users/2"), 100), 1);
    T_INT(scratch_number(&s, "SELECT count(*) FROM event WHERE urgent AND seq = 3"), 1);
    T_STR(scratch_due(s.store, DUE_NOW),
          "/Users/2"); /* for the put before, of which nobody knows */
    T_INT(scratch_drain(s.store, DUE_NOW), 1);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), 3);
    scratch_remove(&s);
}

static void
accept_many(struct store *store, const char *path, int from, int many)
{
    enum {
        EVENTS = 100
    };
    struct prov_error err = PROV_ERROR_INIT;
    struct event *events[EVENTS];
    struct store_answer answers[EVENTS];

    for (int first = from; first < from + many; first += EVENTS) {
        for (int i = 0; i < EVENTS; i++) {
            char jti[30], uri[30];
            snprintf(jti, sizeof(jti), "m%s%d", path, first + i);
            snprintf(uri, sizeof(uri), "%s%d", path, first + i);
            events[i] = scratch_event(jti, uri, "put", "{\"userName\":\"a\"}");
            answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
        }
        T_OK(store_accept(store, events, EVENTS, answers, &err), &err);
        for (int i = 0; i < EVENTS; i++) {
            T_INT(answers[i].status, PROV_ANSWER_ACCEPTED);
            event_free(events[i]);
        }
    }
}

static void
events_of_no_user_are_passed_over_for_good(void)
{
    struct scratch s;

    scratch_make(&s);
    accept_many(s.store, "/Groups/", 0, 900);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), 0); /* not worth a flush */
    accept_many(s.store, "/Groups/", 900, 300);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), 1200);
    put_users(s.store, 1);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    scratch_remove(&s);
}

/* One who stays due keeps nobody behind him from being over: he gets a row. */
static void
who_is_left_behind_has_a_row(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *left = NULL;
    size_t left_count = 0, settled = 0;
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    put_users(s.store, 1);
    one = scratch_id(s.store, "/Users/1");
    T_OK(store_due(s.store, DUE_NOW, 1, NULL, &left, &left_count, &err), &err);
    accept_many(s.store, "/Users/m", 0, 5200);
    while (settled < 5200) {
        size_t more = settle_all_but(s.store, one, 1000);
        T_TRUE(more > 0);
        if (!more)
            break;
        settled += more;
    }
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    T_INT(scratch_number(&s, TAKEN), 5201);
    T_INT(scratch_number(&s, "SELECT count(*) FROM due"), 1);
    scratch_restart(&s);
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    begin(s.store); /* as it was read, before it had one */
    settle(s.store, &left[0]);
    commit(s.store);
    work_list_free(left, left_count);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, "SELECT count(*) FROM due"), 0);
    scratch_remove(&s);
}

/* Another process has delivered meanwhile, and is further. */
static void
the_number_never_goes_back(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct store *other;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    put_users(s.store, 3);
    T_OK(store_due(s.store, DUE_NOW, 1, NULL, &list, &count, &err), &err);
    T_OK(store_new(s.path, &other, &err), &err);
    T_INT(settle_all_but(other, 0, 100), 3);
    begin(s.store);
    settle(s.store, &list[0]);
    commit(s.store);
    work_list_free(list, count);
    store_free(other);
    T_INT(scratch_number(&s, TAKEN), 3);
    scratch_remove(&s);
}

/* ---- damage ---- */

#define LEAVES     "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf' ORDER BY path"
#define FIRST_LEAF LEAVES " LIMIT 1"
#define LAST_LEAF  LEAVES " DESC LIMIT 1"

static bool
take(struct store *store)
{
    struct prov_error err = PROV_ERROR_INIT;
    bool held = false;

    T_OK(store_lease_take(store, &held, &err), &err);
    return held;
}

static void
news_that_cannot_be_read_are_found_by_their_users(void)
{
    struct prov_error err = PROV_ERROR_INIT, why = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct store_mended mended;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    accept_many(s.store, "/Users/m", 0, 300);
    store_free(STEAL(s.store));
    scratch_damage(&s, FIRST_LEAF);
    T_OK(store_new(s.path, &s.store, &err), &err);
    T_INT(store_due(s.store, DUE_NOW, 1000, NULL, &list, &count, &why), PROV_E_STORE);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(mended.news && !mended.due && !mended.flight && !mended.history);
    T_OK(store_due(s.store, DUE_NOW, 1000, NULL, &list, &count, &err), &err);
    T_INT(count, 300);
    work_list_free(list, count);
    accept_many(s.store, "/Users/m", 300, 100);
    T_INT(settle_all_but(s.store, 0, 1000), 400);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_remove(&s);
}

/* Nothing can be accepted then; but who was is delivered, and when it can again, nobody is forgotten. */
static void
where_the_end_of_the_events_is_lost_others_are_delivered(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_mended mended;
    int64_t next;
    struct scratch s;
    bool any = false;

    scratch_make(&s);
    accept_many(s.store, "/Users/m", 0, 300);
    store_free(STEAL(s.store));
    scratch_damage(&s, LAST_LEAF);
    T_OK(store_new(s.path, &s.store, &err), &err);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(mended.news);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(!mended.news);
    T_INT(settle_all_but(s.store, 0, 200), 200);
    T_OK(store_due_next(s.store, DUE_NOW, &any, &next, &err), &err);
    T_TRUE(any);
    T_TRUE(take(s.store));
    T_INT(scratch_number(&s, TAKEN), INT64_MAX);
    store_lease_drop(s.store);
    store_free(STEAL(s.store));
    scratch_repair(&s);
    T_OK(store_new(s.path, &s.store, &err), &err);
    accept_many(s.store, "/Users/n", 0, 100);
    T_TRUE(take(s.store));
    T_TRUE(scratch_number(&s, TAKEN) < INT64_MAX);
    T_TRUE(settle_all_but(s.store, 0, 1000) >= 200);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_put(s.store, "late", "/Users/late", "a");
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/late");
    scratch_remove(&s);
}

/* As after a fault of the disk that passes, and before anybody takes delivery over. */
static void
an_end_of_the_events_that_is_back_is_read_again(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_mended mended;
    struct scratch s;
    pid_t child;

    scratch_make(&s);
    accept_many(s.store, "/Users/m", 0, 300);
    store_free(STEAL(s.store));
    scratch_damage(&s, LAST_LEAF);
    T_OK(store_new(s.path, &s.store, &err), &err);
    T_TRUE(take(s.store));
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(mended.news);
    T_INT(settle_all_but(s.store, 0, 1000), 300);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_number(&s, TAKEN), INT64_MAX);
    child = fork(); /* by another process: closing the file here would drop SQLite's locks */
    if (child == 0) {
        scratch_repair(&s);
        _exit(0);
    }
    T_INT(waitpid(child, NULL, 0), child);
    scratch_put(s.store, "late", "/Users/late", "a");
    (void)scratch_due(s.store, DUE_NOW); /* finds that it can be read, and the next one reads it */
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/late");
    T_TRUE(scratch_number(&s, TAKEN) < INT64_MAX);
    T_INT(settle_all_but(s.store, 0, 1000), 1);
    scratch_put(s.store, "later", "/Users/later", "a");
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/later");
    scratch_remove(&s);
}

/* Who takes delivery over makes due what is in flight, and who is tried again has a row: neither needs the events. */
static void
what_is_no_news_is_due_without_the_end_of_the_events(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_mended mended;
    struct scratch s;

    scratch_make(&s);
    accept_many(s.store, "/Users/m", 0, 300);
    scratch_sql(&s, "INSERT INTO flight VALUES (7, NULL, 1, '{}')");
    store_free(STEAL(s.store));
    scratch_damage(&s, LAST_LEAF);
    T_OK(store_new(s.path, &s.store, &err), &err);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(mended.news);
    T_TRUE(take(s.store));
    begin(s.store);
    T_OK(store_due_add(s.store, 8, 1000, &err), &err);
    commit(s.store);
    T_INT(scratch_number(&s, "SELECT count(*) FROM due WHERE subject IN (7, 8)"), 4);
    scratch_remove(&s);
}

static void
who_is_owed_and_not_due_is_a_difference(void)
{
    AUTO_JSON struct json_object *sound = NULL;
    AUTO_JSON struct json_object *answer = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *differences;
    struct scratch s;

    scratch_make(&s);
    put_users(s.store, 3);
    scratch_accept(s.store, scratch_event("d1", "/Users/2", "delete", NULL));
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    T_OK(store_inspect(s.store, true, &sound, &err), &err);
    T_TRUE(json_get_bool(sound, "sound", false));
    T_INT(json_get_int(sound, "due", -1), 1);
    T_INT(json_get_int(sound, "news", -1), 2);
    scratch_sql(&s, "UPDATE tally SET n = 3 WHERE code = 'news'");
    T_OK(store_inspect(s.store, true, &answer, &err), &err);
    T_TRUE(!json_get_bool(answer, "sound", true));
    differences = json_get(answer, "differences");
    T_INT(json_object_array_length(differences), 1);
    T_STR(json_object_get_string(json_object_array_get_idx(differences, 0)),
          "users with news whom nothing makes due: 1");
    scratch_remove(&s);
}

/* He waits for an admin, without a row of `due` and unsettled. */
static void
whom_the_guard_holds_is_no_difference(void)
{
    AUTO_JSON struct json_object *answer = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    struct scratch s;
    size_t count = 0;

    scratch_make(&s);
    put_users(s.store, 1);
    T_INT(settle_all_but(s.store, 0, 100), 1);
    scratch_accept(s.store, scratch_event("d1", "/Users/1", "delete", NULL));
    T_OK(store_due(s.store, DUE_NOW, 100, NULL, &list, &count, &err), &err);
    T_INT(count, 1);
    free(list[0].link.outcome);
    list[0].link.outcome = strdup("held");
    free(list[0].link.code);
    list[0].link.code = strdup(GUARD_CODE);
    begin(s.store);
    T_OK(store_put_link(s.store, list[0].subject.id, &list[0].link, &err), &err);
    T_OK(store_due_delete(s.store, &list[0], &err), &err);
    commit(s.store);
    work_list_free(list, count);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    scratch_sql(&s, "UPDATE tally SET n = 2 WHERE code = 'news'");
    T_OK(store_inspect(s.store, true, &answer, &err), &err);
    T_TRUE(json_get_bool(answer, "sound", false));
    scratch_remove(&s);
}

#define COMING 12

static void *
put_them(void *store)
{
    put_users(store, COMING);
    return NULL;
}

/* Under ThreadSanitizer, and with luck, this tells of what the two would write without a lock; so it is done more
 * than once. */
static void
users_who_come_while_others_are_settled_are_taken_once(void)
{
    for (int time = 0; time < 20; time++) {
        struct scratch s;
        pthread_t thread;
        size_t settled = 0;

        scratch_make(&s);
        T_INT(pthread_create(&thread, NULL, put_them, s.store), 0);
        while (settled < COMING)
            settled += settle_all_but(s.store, 0, 7);
        T_INT(pthread_join(thread, NULL), 0);
        T_INT((int64_t)settled, COMING);
        T_INT(scratch_number(&s, TAKEN), COMING);
        T_STR(scratch_due(s.store, DUE_NOW), "");
        scratch_remove(&s);
    }
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(what_is_settled_out_of_turn_is_not_taken_again),
        UNIT_CASE(numbers_do_not_count_what_is_settled),
        UNIT_CASE(a_number_that_lags_is_brought_up_without_a_delivery),
        UNIT_CASE(who_waits_behind_what_is_passed_over_is_not_due),
        UNIT_CASE(what_is_rolled_back_is_owed),
        UNIT_CASE(users_who_come_while_others_are_settled_are_taken_once),
        UNIT_CASE(who_is_under_way_is_passed_over_and_not_lost),
        UNIT_CASE(a_leaver_is_no_news),
        UNIT_CASE(events_of_no_user_are_passed_over_for_good),
        UNIT_CASE(who_is_left_behind_has_a_row),
        UNIT_CASE(the_number_never_goes_back),
        UNIT_CASE(news_that_cannot_be_read_are_found_by_their_users),
        UNIT_CASE(where_the_end_of_the_events_is_lost_others_are_delivered),
        UNIT_CASE(an_end_of_the_events_that_is_back_is_read_again),
        UNIT_CASE(what_is_no_news_is_due_without_the_end_of_the_events),
        UNIT_CASE(who_is_owed_and_not_due_is_a_difference),
        UNIT_CASE(whom_the_guard_holds_is_no_difference),
    };

    return unit_run("store_news", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
