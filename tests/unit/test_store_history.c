/* What became of a subject: rows, one like the newest counted, the last of them told, old ones forgotten. */
#include <fcntl.h>
#include <unistd.h>

#include "plugin/store/db.h"
#include "tests/unit/scratch.h"

#define IN_TX(store, call)                                                                         \
    do {                                                                                           \
        T_OK(store_begin(store, STORE_UNFENCED, &err), &err);                                      \
        T_OK(call, &err);                                                                          \
        T_OK(store_commit(store, &err), &err);                                                     \
    } while (0)

static const struct history refusal = { .version = 1,
                                        .outcome = "refused",
                                        .code = "STRING_TOO_LONG",
                                        .message = "Title: too long",
                                        .action = "create",
                                        .operation = "create",
                                        .records = 3,
                                        .took_us = 41400,
                                        .http_status = 200,
                                        .request_id = "7c1b" };

/* Adds the row to the subject's, and puts the link with it. */
static void
add(struct store *store, int64_t subject, struct history row, int64_t at_s)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    row.at_us = at_s * 1000000;
    T_OK(store_load_id(store, subject, &work, &err), &err);
    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
    T_OK(store_history_add(store, subject, &row, &work.link.last_history, &err), &err);
    T_OK(store_put_link(store, subject, &work.link, &err), &err);
    T_OK(store_commit(store, &err), &err);
}

static struct json_object *
rows_of(struct store *store, const char *uri)
{
    AUTO_JSON struct json_object *subject = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_read_subject(store, uri, &subject, &err), &err);
    return json_object_get(json_get(subject, "history"));
}

/* The outcomes of a user with their times: "refused 2, delivered 1". Static text. */
static const char *
story(struct store *store, const char *uri)
{
    static char text[2000];
    AUTO_JSON struct json_object *rows = rows_of(store, uri);
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %d", i ? ", " : "",
                             json_get_string(row, "outcome"), (int)json_get_int(row, "times", -1));
    }
    return text;
}

static void
one_like_the_newest_is_counted_with_it(void)
{
    struct history delivered = { .version = 1, .outcome = "delivered", .action = "created" };
    struct history later = refusal, other = refusal;
    AUTO_JSON struct json_object *rows = NULL;
    struct json_object *row, *call;
    struct scratch s;
    int64_t one, two;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    two = scratch_put(s.store, "j2", "/Users/2", "b");
    later.took_us = 900;
    later.request_id = "9d2c";
    other.version = 2;
    add(s.store, one, refusal, 1);
    add(s.store, two, refusal, 1);
    add(s.store, one, later, 5);
    T_STR(story(s.store, "/Users/1"), "refused 2");
    rows = rows_of(s.store, "/Users/1");
    row = json_object_array_get_idx(rows, 0);
    T_STR(json_get_string(row, "first"), "1970-01-01T00:00:01Z");
    T_STR(json_get_string(row, "at"), "1970-01-01T00:00:05Z");
    T_STR(json_get_string(row, "message"), "Title: too long");
    call = json_get(row, "call");
    T_INT(json_get_int(call, "took_ms", -1), 1);
    T_INT(json_get_int(call, "http_status", -1), 200);
    T_STR(json_get_string(call, "request_id"), "9d2c");
    add(s.store, one, other, 6);
    add(s.store, one, delivered, 7);
    add(s.store, one, delivered, 8); /* each is a change */
    T_STR(story(s.store, "/Users/1"), "refused 2, refused 1, delivered 1, delivered 1");
    T_STR(story(s.store, "/Users/2"), "refused 1");
    scratch_remove(&s);
}

static void
the_last_fifty_are_told(void)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct history row = refusal;
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    for (int i = 1; i <= 60; i++) {
        row.version = i;
        add(s.store, one, row, i);
    }
    rows = rows_of(s.store, "/Users/1");
    T_INT(json_object_array_length(rows), 50);
    T_INT(json_get_int(json_object_array_get_idx(rows, 0), "version", -1), 11);
    T_INT(json_get_int(json_object_array_get_idx(rows, 49), "version", -1), 60);
    scratch_remove(&s);
}

/* Two rows a page, until the walk is over. */
static void
forget_before(struct store *store, int64_t before_s)
{
    struct store_retention retention = { .before_us = before_s * 1000000, .limit = 2 };
    struct prov_error err = PROV_ERROR_INIT;
    int64_t after = 0;

    for (int pages = 0; pages == 0 || after; pages++) {
        T_TRUE(pages < 10);
        IN_TX(store, store_forget_history(store, &retention, &after, &err));
    }
}

static void
old_ones_are_forgotten_and_those_that_came_again_stay(void)
{
    struct history next = refusal;
    struct scratch s;
    int64_t users[4];

    scratch_make(&s);
    for (int i = 0; i < 4; i++) {
        char jti[8], uri[16];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        users[i] = scratch_put(s.store, jti, uri, jti);
        add(s.store, users[i], refusal, 1);
    }
    add(s.store, users[0], refusal, 20); /* all of the first page came again */
    add(s.store, users[1], refusal, 20);
    next.version = 2;
    add(s.store, users[2], next, 21);
    forget_before(s.store, 10);
    T_STR(story(s.store, "/Users/0"), "refused 2");
    T_STR(story(s.store, "/Users/1"), "refused 2");
    T_STR(story(s.store, "/Users/2"), "refused 1");
    T_STR(story(s.store, "/Users/3"), "");
    add(s.store, users[3], refusal, 22); /* its link names a row that is gone */
    T_STR(story(s.store, "/Users/3"), "refused 1");
    forget_before(s.store, 90);
    T_STR(story(s.store, "/Users/2"), "");
    T_STR(story(s.store, "/Users/3"), "refused 1"); /* the newest: no number comes twice */
    add(s.store, users[0], refusal, 95);
    T_STR(story(s.store, "/Users/0"), "refused 1");
    scratch_remove(&s);
}

/* "delivered, superseded by 3": what is said of a user's events, oldest first. Static text. */
static const char *
events_of(struct store *store, const char *uri)
{
    static char text[400];
    AUTO_JSON struct json_object *subject = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *list;
    size_t length = 0;

    T_OK(store_read_subject(store, uri, &subject, &err), &err);
    list = json_get(subject, "events");
    text[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *event = json_object_array_get_idx(list, i);
        int64_t by = json_get_int(event, "superseded_by", 0);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? ", " : "",
                                   json_get_string(event, "outcome"));
        if (by)
            length += (size_t)snprintf(text + length, sizeof(text) - length, " by %d", (int)by);
    }
    return text;
}

static void
what_was_settled_in_place_of_an_event_is_said_as_far_as_outcomes_tell(void)
{
    struct history delivered = { .version = 1, .outcome = "delivered", .action = "created" };
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "b");
    scratch_put(s.store, "j3", "/Users/1", "c");
    add(s.store, one, delivered, 1);
    delivered.version = 3;
    add(s.store, one, delivered, 20);
    scratch_sql(&s, "UPDATE link SET settled_version = 3, confirmed_version = 3,"
                    " outcome = 'delivered'");
    T_STR(events_of(s.store, "/Users/1"), "delivered, superseded by 3, delivered");
    forget_before(s.store, 10); /* the second may have had an outcome that is forgotten */
    T_STR(story(s.store, "/Users/1"), "delivered 1");
    T_STR(events_of(s.store, "/Users/1"), "delivered, delivered, delivered");
    scratch_remove(&s);
}

static void
a_damaged_history_is_put_aside(void)
{
    struct prov_error err = PROV_ERROR_INIT, why = PROV_ERROR_INIT;
    struct history next = refusal;
    struct store_mended mended;
    int64_t one, two, last = 1;
    struct scratch s;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    two = scratch_put(s.store, "j2", "/Users/2", "b");
    add(s.store, two, refusal, 1);
    add(s.store, one, refusal, 1);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(!mended.due && !mended.flight && !mended.history);
    scratch_restart(&s);
    scratch_damage(&s, "SELECT rootpage FROM sqlite_schema WHERE name = 'history'");
    next.version = 2;
    T_OK(store_begin(s.store, STORE_UNFENCED, &err), &err);
    T_INT(store_history_add(s.store, one, &next, &last, &why), PROV_E_STORE);
    store_rollback(s.store);
    T_OK(store_mend(s.store, &mended, &err), &err);
    T_TRUE(!mended.due && !mended.flight && mended.history);
    T_STR(story(s.store, "/Users/1"), "");
    for (int i = 2; i < 5; i++) { /* numbers begin anew, and meet those that links name */
        next.version = i;
        add(s.store, one, next, i);
    }
    T_STR(story(s.store, "/Users/1"), "refused 1, refused 1, refused 1");
    T_STR(story(s.store, "/Users/2"), "");
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(one_like_the_newest_is_counted_with_it),
        UNIT_CASE(the_last_fifty_are_told),
        UNIT_CASE(old_ones_are_forgotten_and_those_that_came_again_stay),
        UNIT_CASE(what_was_settled_in_place_of_an_event_is_said_as_far_as_outcomes_tell),
        UNIT_CASE(a_damaged_history_is_put_aside),
    };

    return unit_run("store_history", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
