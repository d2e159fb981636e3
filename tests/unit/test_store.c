/* Accepting events, and what becomes due of them: design rules 1 to 5 and the fold. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "tests/unit/scratch.h"

/* One look at a subject, as delivery sees it. */
static struct work
look(struct store *store, const char *uri)
{
    struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(store, ISSUER, uri, &work, &err), &err);
    return work;
}

static const char *
user_name(const struct work *work)
{
    return value_get_text(work->subject.resource, "userName");
}

static int64_t
count_of(struct store *store, const char *what)
{
    AUTO_JSON struct json_object *counts = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_read_counts(store, &counts, &err), &err);
    return json_get_int(counts, what, -1);
}

/* ---- one event ---- */

static void
an_accepted_event_outlives_the_process(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    T_TRUE(!store_exists(s.store));
    T_STR(store_path(s.store), s.path);
    answer = scratch_accept(s.store, scratch_event("j1", "/Users/1", "create",
                                                   "{\"userName\":\"ada\",\"active\":true}"));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_INT(answer.version, 1);
    T_TRUE(!answer.duplicate);
    T_TRUE(store_exists(s.store));
    scratch_restart(&s);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_STR(user_name(&work), "ada");
        T_STR(work.subject.iss, ISSUER);
        T_STR(work.subject.uri, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_IN);
        T_INT(work.subject.version, 1);
        T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    }
    scratch_remove(&s);
}

static void
the_same_event_again_is_one_event(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    scratch_put(s.store, "j2", "/Users/1", "ada2");
    for (int i = 0; i < 2; i++) {
        answer =
            scratch_accept(s.store, scratch_event("j1", "/Users/1", "put",
                                                  "{\"name\":{\"familyName\":\"Nym\"},"
                                                  "\"userName\":\"ada\"}")); /* keys turned round */
        T_INT(answer.status, PROV_ANSWER_ACCEPTED);
        T_TRUE(answer.duplicate);
        T_INT(answer.version, 1);
        scratch_restart(&s);
    }
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_STR(user_name(&work), "ada2");
        T_INT(work.subject.version, 2);
        T_INT(count_of(s.store, "events"), 2);
    }
    scratch_remove(&s);
}

static void
the_same_jti_with_another_content_is_refused(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    answer = scratch_accept(s.store, scratch_event("j1", "/Users/1", "delete", NULL));
    T_INT(answer.status, PROV_ANSWER_REFUSED);
    T_INT(answer.error.code, PROV_E_INVALID);
    T_HAS(answer.error.text, "'j1'");
    T_HAS(answer.error.text, "jti of its own");
    answer = scratch_accept(s.store, scratch_event("j1", "/Users/2", "delete", NULL));
    T_INT(answer.status, PROV_ANSWER_REFUSED);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_IN);
        T_INT(work.subject.version, 1);
        T_INT(scratch_id(s.store, "/Users/2"), 0);
        T_INT(count_of(s.store, "events"), 1);
    }
    scratch_remove(&s);
}

static void
issuers_do_not_share_jtis_or_users(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    answer = scratch_accept(s.store, scratch_event_of("https://other", "j1", NULL, "/Users/1",
                                                      "put", "{\"userName\":\"bob\"}"));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_TRUE(!answer.duplicate);
    T_INT(answer.version, 1);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_STR(user_name(&work), "ada");
        T_STR(scratch_due(s.store, DUE_NOW), "/Users/1 /Users/1");
    }
    scratch_remove(&s);
}

static void
a_txn_is_the_same_event_only_with_the_same_content(void)
{
    static const char ada[] = "{\"userName\":\"ada\"}", eve[] = "{\"userName\":\"eve\"}";
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    answer = scratch_accept(s.store, scratch_event_of(ISSUER, "j1", "t", "/Users/1", "put", ada));
    T_INT(answer.version, 1);
    answer = scratch_accept(s.store, scratch_event_of(ISSUER, "j2", "t", "/Users/1", "put", ada));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_TRUE(answer.duplicate);
    T_INT(answer.version, 1);
    /* one transaction of the host may touch a user twice, and others */
    answer = scratch_accept(s.store, scratch_event_of(ISSUER, "j3", "t", "/Users/1", "put", eve));
    T_TRUE(!answer.duplicate);
    T_INT(answer.version, 2);
    answer = scratch_accept(s.store, scratch_event_of(ISSUER, "j4", "t", "/Users/2", "put", ada));
    T_TRUE(!answer.duplicate);
    /* without a txn the same content is another event */
    answer = scratch_accept(s.store, scratch_event("j5", "/Users/1", "put", eve));
    T_TRUE(!answer.duplicate);
    T_INT(answer.version, 3);
    scratch_remove(&s);
}

static void
every_event_raises_the_version_even_if_it_changes_nothing(void)
{
    struct scratch s;

    scratch_make(&s);
    for (int i = 1; i <= 3; i++) {
        char jti[16];
        snprintf(jti, sizeof(jti), "j%d", i);
        scratch_put(s.store, jti, "/Users/1", "ada");
        scratch_settle(s.store, "/Users/1", "refused", NULL);
        T_STR(scratch_due(s.store, DUE_NOW), "");
    }
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.version, 3);
        T_INT(work.link.settled_version, 3);
    }
    scratch_remove(&s);
}

static void
what_cannot_be_folded_leaves_no_trace(void)
{
    static const char wrong[] = "{\"Operations\":[{\"op\":\"replace\",\"path\":\"emails[type eq "
                                "\\\"x\\\" or value pr].value\",\"value\":\"y\"}]}";
    static const char right[] = "{\"Operations\":[{\"op\":\"replace\",\"path\":\"title\","
                                "\"value\":\"Boss\"}]}";
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    scratch_drain(s.store, DUE_NOW);
    answer = scratch_accept(s.store, scratch_event("j2", "/Users/1", "patch", wrong));
    T_INT(answer.status, PROV_ANSWER_REFUSED);
    T_INT(answer.error.code, PROV_E_INVALID);
    T_HAS(answer.error.text, "noTarget");
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(count_of(s.store, "events"), 1);
    /* the jti is free: the host may send the corrected event under it */
    answer = scratch_accept(s.store, scratch_event("j2", "/Users/1", "patch", right));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_INT(answer.version, 2);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_STR(value_get_text(work.subject.resource, "title"), "Boss");
    }
    scratch_remove(&s);
}

/* ---- several events in one call ---- */

static void
events_of_one_call_fold_in_order_and_each_for_itself(void)
{
    struct scratch s;
    struct prov_error err = PROV_ERROR_INIT;
    struct event *events[] = {
        scratch_event("j1", "/Users/1", "put", "{\"userName\":\"ada\"}"),
        NULL, /* refused by whoever read it */
        scratch_event("j2", "/Users/1", "delete", NULL),
        scratch_event("j1", "/Users/1", "put", "{\"userName\":\"ada\"}"),
        scratch_event("j1", "/Users/1", "put", "{\"userName\":\"eve\"}"),
        scratch_event("j3", "/Users/1", "add", NULL),
    };
    struct store_answer answers[6];

    scratch_make(&s);
    for (size_t i = 0; i < 6; i++)
        answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    answers[1].status = PROV_ANSWER_REFUSED;
    error_set(&answers[1].error, PROV_E_INVALID, "no token");
    T_OK(store_accept(s.store, events, 6, answers, &err), &err);
    T_INT(answers[0].version, 1);
    T_INT(answers[1].status, PROV_ANSWER_REFUSED);
    T_STR(answers[1].error.text, "no token");
    T_INT(answers[2].version, 2);
    T_INT(answers[3].status, PROV_ANSWER_ACCEPTED);
    T_TRUE(answers[3].duplicate);
    T_INT(answers[4].status, PROV_ANSWER_REFUSED);
    T_INT(answers[5].version, 3);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_IN);
        T_STR(user_name(&work), "ada");
        T_INT(work.due_count, 0);
    }
    for (size_t i = 0; i < 6; i++)
        event_free(events[i]);
    scratch_remove(&s);
}

/* Events are looked up several at a time: who comes again among them is looked up anew. */
static void
who_comes_again_in_a_call_is_folded_on_what_came_before(void)
{
    enum {
        EVENTS = 40,
        USERS = 3
    };
    struct scratch s;
    struct prov_error err = PROV_ERROR_INIT;
    struct event *events[EVENTS];
    struct store_answer answers[EVENTS];
    int versions[USERS] = { 0 };

    scratch_make(&s);
    for (int i = 0; i < EVENTS; i++) {
        char jti[20], uri[20], data[60];
        /* one user alone, then two and three in turn */
        int user = i < 10 ? 0 : i % (i < 25 ? 2 : USERS);
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", user);
        snprintf(data, sizeof(data), "{\"userName\":\"u%d-%d\"}", user, i);
        events[i] = scratch_event(jti, uri, "put", data);
        answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    }
    T_OK(store_accept(s.store, events, EVENTS, answers, &err), &err);
    for (int i = 0; i < EVENTS; i++) {
        int user = i < 10 ? 0 : i % (i < 25 ? 2 : USERS);
        T_INT(answers[i].status, PROV_ANSWER_ACCEPTED);
        T_INT(answers[i].version, ++versions[user]);
        event_free(events[i]);
    }
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/0");
        T_STR(user_name(&work), "u0-39");
        T_INT(work.subject.version, versions[0]);
    }
    scratch_remove(&s);
}

static void
no_events_are_no_reason_to_fail(void)
{
    struct scratch s;
    struct prov_error err = PROV_ERROR_INIT;

    scratch_make(&s);
    T_OK(store_accept(s.store, NULL, 0, NULL, &err), &err);
    scratch_remove(&s);
}

static void
what_is_no_user_is_accepted_and_left_alone(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    answer = scratch_accept(s.store, scratch_event("j1", "/Groups/1", "create", "{\"x\":1}"));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_INT(answer.version, 0);
    answer = scratch_accept(s.store, scratch_event("j1", "/Groups/1", "create", "{\"x\":1}"));
    T_TRUE(answer.duplicate);
    T_STR(scratch_due(s.store, DUE_NOW), "");
    T_INT(scratch_id(s.store, "/Groups/1"), 0);
    T_INT(count_of(s.store, "events"), 1);
    scratch_remove(&s);
}

/* ---- the fold ---- */

static void
presence_is_apart_from_the_resource(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    scratch_accept(s.store, scratch_event("j2", "/Users/1", "delete", NULL));
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_GONE);
        T_STR(user_name(&work), "ada"); /* for the leaver's work */
    }
    scratch_accept(s.store, scratch_event("j3", "/Users/1", "activate", NULL));
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_GONE);
    }
    scratch_put(s.store, "j4", "/Users/1", "ada");
    scratch_accept(s.store, scratch_event("j5", "/Users/1", "remove", NULL));
    scratch_put(s.store, "j6", "/Users/1", "ada");
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_INT(work.subject.presence, PRESENCE_OUT);
        T_INT(work.subject.version, 6);
    }
    scratch_remove(&s);
}

static void
a_change_of_a_user_never_seen_is_kept_as_such(void)
{
    struct scratch s;
    struct store_answer answer;

    scratch_make(&s);
    answer = scratch_accept(s.store, scratch_event("j1", "/Users/1", "patch",
                                                   "{\"Operations\":[{\"op\":\"add\",\"path\":"
                                                   "\"title\",\"value\":\"x\"}]}"));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_TRUE(work.subject.resource == NULL);
        T_INT(work.subject.version, 1);
        T_STR(scratch_due(s.store, DUE_NOW), "/Users/1");
    }
    scratch_put(s.store, "j2", "/Users/1", "ada");
    {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_STR(user_name(&work), "ada");
    }
    scratch_remove(&s);
}

static void
who_is_wanted_inactive_is_due_ahead_of_all_others(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_put(s.store, "j3", "/Users/3", "c");
    scratch_put(s.store, "j4", "/Users/4", "d");
    scratch_accept(s.store, scratch_event("j5", "/Users/3", "deactivate", NULL));
    scratch_accept(s.store, scratch_event("j6", "/Users/4", "delete", NULL));
    scratch_accept(s.store, scratch_event("j7", "/Users/2", "remove", NULL));
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/3 /Users/4 /Users/2 /Users/1");
    T_STR(scratch_due(s.store, DUE_URGENT), "/Users/3 /Users/4 /Users/2");
    scratch_remove(&s);
}

/* ---- many at once ---- */

#define THREADS       24
#define EACH          10
#define COMMIT_STEP_S 1

static int64_t
stepping_clock(void)
{
    static int64_t now_us = INT64_C(1800000000000000);

    return __atomic_add_fetch(&now_us, COMMIT_STEP_S * CLOCK_SECOND_US, __ATOMIC_SEQ_CST);
}

/* How many commits took the events in: the clock is read once for each. */
static size_t
commits(struct store *store, int64_t after)
{
    AUTO_JSON struct json_object *page = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *events;
    const char *before = "";
    size_t count = 0;

    T_OK(store_read_events(store, after, 1000, &page, &err), &err);
    events = json_get(page, "events");
    for (size_t i = 0; i < json_object_array_length(events); i++) {
        const char *at = json_get_string(json_object_array_get_idx(events, i), "received");
        count += strcmp(at, before) != 0;
        before = at;
    }
    return count;
}

struct submitter {
    struct store *store;
    const char *prefix, *uri;
    int number, events;
    int64_t versions[EACH];
    unsigned failures;
};

static atomic_uint calls_begun;

static void *
submit(void *argument)
{
    struct submitter *me = argument;

    for (int i = 0; i < me->events; i++) {
        struct prov_error err = PROV_ERROR_INIT;
        struct store_answer answer = { .error = PROV_ERROR_INIT };
        struct event *event;
        char text[300];
        snprintf(text, sizeof(text),
                 "{\"iss\":\"" ISSUER "\",\"jti\":\"%s-%d-%d\",\"sub_id\":{\"format\":\"scim\","
                 "\"uri\":\"%s\"},\"events\":{\"urn:ietf:params:scim:event:prov:put:full\":"
                 "{\"data\":{\"userName\":\"u%d\"}}}}",
                 me->prefix, me->number, i, me->uri, i);
        if (event_parse(text, strlen(text), NULL, &event, &err)) {
            me->failures++;
            continue;
        }
        calls_begun++;
        me->failures += store_accept(me->store, &event, 1, &answer, &err) != 0;
        me->failures += answer.status != PROV_ANSWER_ACCEPTED || answer.duplicate;
        me->versions[i] = answer.version;
        event_free(event);
    }
    return NULL;
}

static void
run_submitters(struct submitter *list, size_t count)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < count; i++)
        T_INT(pthread_create(&threads[i], NULL, submit, &list[i]), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < count; i++)
        T_INT(list[i].failures, 0);
}

static void
callers_that_come_together_share_one_commit(void)
{
    struct submitter list[THREADS];
    pthread_t threads[THREADS];
    struct prov_error err = PROV_ERROR_INIT;
    int64_t (*clock)(void) = clock_now_us;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "first", "/Users/0", "x");
    clock_now_us = stepping_clock;
    T_OK(store_begin(s.store, STORE_UNFENCED, &err), &err); /* so that all have to wait */
    calls_begun = 0;
    for (int i = 0; i < THREADS; i++) {
        list[i] = (struct submitter){
            .store = s.store, .prefix = "t", .uri = "/Users/1", .number = i, .events = 1
        };
        T_INT(pthread_create(&threads[i], NULL, submit, &list[i]), 0);
    }
    while (calls_begun < THREADS)
        usleep(1000);
    usleep(200000); /* and have come to where they wait */
    store_rollback(s.store);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    T_INT(count_of(s.store, "events"), THREADS + 1);
    T_TRUE(commits(s.store, 1) <= 3);
    clock_now_us = clock;
    scratch_remove(&s);
}

#define WIDE         300
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A call of several events, one a user. */
struct call {
    struct store *store;
    const int *users;
    struct store_answer answers[10];
    size_t count;
    int result;
};

static void *
submit_call(void *argument)
{
    struct call *call = argument;
    struct event *events[COUNT(call->answers)];
    struct prov_error err = PROV_ERROR_INIT;

    for (size_t i = 0; i < call->count; i++) {
        char jti[20], uri[20];
        snprintf(jti, sizeof(jti), "again-%d", call->users[i]);
        snprintf(uri, sizeof(uri), "/Users/%03d", call->users[i]);
        events[i] = scratch_event(jti, uri, "put", "{\"userName\":\"again\"}");
        call->answers[i] = (struct store_answer){ .error = PROV_ERROR_INIT };
    }
    call->result = store_accept(call->store, events, call->count, call->answers, &err);
    for (size_t i = 0; i < call->count; i++)
        event_free(events[i]);
    return NULL;
}

/* Two calls that share a commit, which meets the page of the last user: each event is committed alone then, and that
 * fails for another reason. */
static void
share_a_damaged_page_on_a_full_disk(const struct scratch *scratch)
{
    static const int first[] = { 0 }, second[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, WIDE - 1 };
    struct call calls[] = { { .users = first, .count = COUNT(first) },
                            { .users = second, .count = COUNT(second) } };
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;
    pthread_t threads[COUNT(calls)];

    T_OK(store_new(scratch->path, &store, &err), &err);
    T_OK(store_begin(store, STORE_UNFENCED, &err), &err); /* so that both have to wait */
    scratch_limit_files(20);
    for (size_t i = 0; i < COUNT(calls); i++) {
        calls[i].store = store;
        T_INT(pthread_create(&threads[i], NULL, submit_call, &calls[i]), 0);
        usleep(200000);
    }
    store_rollback(store);
    for (size_t i = 0; i < COUNT(calls); i++)
        pthread_join(threads[i], NULL);
    scratch_limit_files(RLIM_INFINITY);
    store_free(store);
    T_INT(scratch_number(scratch, "SELECT count(*) FROM event WHERE jti LIKE 'again-%'"), 0);
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (size_t k = 0; k < calls[i].count; k++) {
            T_INT(calls[i].answers[k].status, PROV_ANSWER_UNKNOWN);
            T_INT(calls[i].answers[k].version, 0);
            T_HAS(calls[i].answers[k].error.text, "store '");
        }
    }
}

static void
nothing_is_accepted_that_a_failed_commit_was_to_write(void)
{
    struct scratch s;

    scratch_make(&s);
    for (int i = 0; i < WIDE; i++) {
        char jti[20], uri[20];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%03d", i);
        scratch_put(s.store, jti, uri, "somebody with a name that takes some room");
    }
    store_free(STEAL(s.store));
    scratch_damage(&s, "SELECT pageno FROM dbstat WHERE name = 'subject' AND pagetype = 'leaf'"
                       " ORDER BY path DESC LIMIT 1");
    scratch_in_child(&s, share_a_damaged_page_on_a_full_disk);
    scratch_remove(&s);
}

static void
many_threads_lose_and_double_nothing(void)
{
    struct submitter list[THREADS];
    bool seen[THREADS * EACH + 1] = { false };
    struct scratch s;

    scratch_make(&s);
    for (int i = 0; i < THREADS; i++)
        list[i] = (struct submitter){
            .store = s.store, .prefix = "t", .uri = "/Users/1", .number = i, .events = EACH
        };
    run_submitters(list, THREADS);
    for (int i = 0; i < THREADS; i++) {
        for (int k = 0; k < EACH; k++) {
            int64_t version = list[i].versions[k];
            T_TRUE(version >= 1 && version <= THREADS * EACH);
            T_TRUE(k == 0 || version > list[i].versions[k - 1]); /* in its caller's order */
            if (version >= 1 && version <= THREADS * EACH) {
                T_TRUE(!seen[version]);
                seen[version] = true;
            }
        }
    }
    T_INT(count_of(s.store, "events"), THREADS * EACH);
    scratch_remove(&s);
}

static void
one_thread_reads_while_others_submit(void)
{
    struct submitter list[4];
    pthread_t threads[4];
    struct scratch s;
    int64_t before = 0;

    scratch_make(&s);
    for (int i = 0; i < 4; i++) {
        list[i] = (struct submitter){
            .store = s.store, .prefix = "t", .uri = "/Users/1", .number = i, .events = EACH
        };
        T_INT(pthread_create(&threads[i], NULL, submit, &list[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        CLEANUP(work_done) struct work work = look(s.store, "/Users/1");
        T_TRUE(work.subject.version >= before);
        before = work.subject.version;
        scratch_drain(s.store, DUE_NOW);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    T_INT(count_of(s.store, "events"), 4 * EACH);
    scratch_remove(&s);
}

/* A process of its own: its own store object, several threads. */
static void
submit_as_process(const struct scratch *scratch, int number)
{
    static const char *const prefixes[] = { "p0", "p1", "p2", "p3" };
    struct submitter list[2];
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    for (int i = 0; i < 2; i++)
        list[i] = (struct submitter){ .store = store,
                                      .prefix = prefixes[number],
                                      .uri = i ? "/Users/1" : "/Users/2",
                                      .number = i,
                                      .events = EACH };
    run_submitters(list, 2);
    store_free(store);
}

static void
several_processes_share_one_store_from_its_first_moment(void)
{
    /* the first moment is the hard one: all make the file, switch it to WAL and make the tables */
    for (int round = 0; round < 4; round++) {
        struct scratch s;
        int children[4];

        scratch_make(&s);
        for (int i = 0; i < 4; i++)
            children[i] = scratch_start_child(&s, submit_as_process, i);
        scratch_join(children, 4);
        T_INT(count_of(s.store, "events"), 4 * 2 * EACH);
        {
            CLEANUP(work_done) struct work one = look(s.store, "/Users/1");
            CLEANUP(work_done) struct work two = look(s.store, "/Users/2");
            T_INT(one.subject.version, 4 * EACH);
            T_INT(two.subject.version, 4 * EACH);
        }
        scratch_remove(&s);
    }
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(an_accepted_event_outlives_the_process),
        UNIT_CASE(the_same_event_again_is_one_event),
        UNIT_CASE(the_same_jti_with_another_content_is_refused),
        UNIT_CASE(issuers_do_not_share_jtis_or_users),
        UNIT_CASE(a_txn_is_the_same_event_only_with_the_same_content),
        UNIT_CASE(every_event_raises_the_version_even_if_it_changes_nothing),
        UNIT_CASE(what_cannot_be_folded_leaves_no_trace),
        UNIT_CASE(events_of_one_call_fold_in_order_and_each_for_itself),
        UNIT_CASE(who_comes_again_in_a_call_is_folded_on_what_came_before),
        UNIT_CASE(no_events_are_no_reason_to_fail),
        UNIT_CASE(what_is_no_user_is_accepted_and_left_alone),
        UNIT_CASE(presence_is_apart_from_the_resource),
        UNIT_CASE(a_change_of_a_user_never_seen_is_kept_as_such),
        UNIT_CASE(who_is_wanted_inactive_is_due_ahead_of_all_others),
        UNIT_CASE(callers_that_come_together_share_one_commit),
        UNIT_CASE(nothing_is_accepted_that_a_failed_commit_was_to_write),
        UNIT_CASE(many_threads_lose_and_double_nothing),
        UNIT_CASE(one_thread_reads_while_others_submit),
        UNIT_CASE(several_processes_share_one_store_from_its_first_moment),
    };

    return unit_run("store", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
