/* How long events are kept, in pages, what the host has not been told, and the room in the file. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/store/db.h"
#include "tests/unit/scratch.h"

#define IN_TX(store, call)                                                                         \
    do {                                                                                           \
        T_OK(store_begin(store, STORE_UNFENCED, &err), &err);                                      \
        T_OK(call, &err);                                                                          \
        T_OK(store_commit(store, &err), &err);                                                     \
    } while (0)

static void
the_host_is_told_of_settled_events_until_it_took_them(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *subjects = NULL;
    AUTO_JSON struct json_object *events = NULL;
    AUTO_JSON struct json_object *rest = NULL;
    AUTO_JSON struct json_object *nobody = NULL;
    struct json_object *first;
    struct scratch s;
    struct untold_part all = { 0 };
    int64_t after = 0;
    const struct link link = { .settled_version = 2 };

    scratch_make(&s);
    all.subject = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_accept(s.store, scratch_event_of(ISSUER, "j2", "t2", "/Users/1", "put", "{}"));
    scratch_put(s.store, "j3", "/Users/2", "b");
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_put(s.store, "j4", "/Users/1", "c"); /* not settled yet */
    T_OK(store_untold_events(s.store, 10, &after, &subjects, &err), &err);
    T_INT(json_object_array_length(subjects), 1);
    T_INT(json_object_get_int64(json_object_array_get_idx(subjects, 0)), 2);
    T_OK(store_untold(s.store, &all, &link, 0, &events, &err), &err);
    T_INT(json_object_array_length(events), 2);
    first = json_object_array_get_idx(events, 0);
    T_STR(json_get_string(first, "jti"), "j1");
    T_STR(json_get_string(first, "txn"), NULL);
    T_STR(json_get_string(json_object_array_get_idx(events, 1), "txn"), "t2");
    IN_TX(s.store, store_told(s.store, json_get_int(first, "seq", 0), TOLD, &err));
    T_OK(store_untold(s.store, &all, &link, 0, &rest, &err), &err);
    T_INT(json_object_array_length(rest), 1);
    first = json_object_array_get_idx(rest, 0);
    T_STR(json_get_string(first, "jti"), "j2");
    IN_TX(s.store, store_told(s.store, json_get_int(first, "seq", 0), TOLD, &err));
    after = 0;
    T_OK(store_untold_events(s.store, 10, &after, &nobody, &err), &err);
    T_INT(json_object_array_length(nobody), 0);
    scratch_remove(&s);
}

/* Who was told that it is refused hears of it again when it is confirmed, and then no more. */
static void
a_refusal_that_was_told_is_told_again_when_it_is_delivered(void)
{
    AUTO_JSON struct json_object *refused = NULL, *delivered = NULL, *after = NULL;
    const struct link parked = { .settled_version = 1 };
    const struct link done = { .settled_version = 1, .confirmed_version = 1 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    struct untold_part all = { 0 };

    scratch_make(&s);
    all.subject = scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_told(s.store, 1, TOLD_FOR_NOW, &err));
    T_OK(store_untold(s.store, &all, &parked, 0, &refused, &err), &err);
    T_INT(json_object_array_length(refused), 0);
    T_OK(store_untold(s.store, &all, &done, 0, &delivered, &err), &err);
    T_INT(json_object_array_length(delivered), 1);
    IN_TX(s.store, store_told(s.store, 1, TOLD, &err));
    T_OK(store_untold(s.store, &all, &done, 0, &after, &err), &err);
    T_INT(json_object_array_length(after), 0);
    scratch_remove(&s);
}

/* Who was told that a part waits hears of it again when all parts have waited for long, and when none waits. */
static void
what_was_told_but_for_a_part_is_told_again_when_that_has_changed(void)
{
    static const int64_t since[] = { 9, 5, 0 };
    static const enum told before[] = { TOLD_PART, TOLD_WITHOUT };
    static const size_t again[][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 } };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    struct untold_part all = { 0 };
    int64_t one;

    scratch_make(&s);
    one = all.subject = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    for (int i = 0; i < 6; i++) {
        AUTO_JSON struct json_object *events = NULL, *subjects = NULL;
        CLEANUP(work_done) struct work work = { 0 };
        int64_t after = 0;
        T_OK(store_load_id(s.store, one, &work, &err), &err);
        wait_end(&work.link, WAIT_MANAGER);
        wait_end(&work.link, WAIT_UNFREEZING);
        if (since[i / 2]) {
            T_OK(wait_begin(&work.link, WAIT_MANAGER, "/Users/9", 4), &err);
            T_OK(wait_begin(&work.link, WAIT_UNFREEZING, NULL, since[i / 2]), &err);
        }
        wait_weigh(&work.link, 5);
        IN_TX(s.store, store_put_link(s.store, one, &work.link, &err));
        IN_TX(s.store, store_told(s.store, 1, before[i % 2], &err));
        T_OK(store_untold(s.store, &all, &work.link, 0, &events, &err), &err);
        T_INT(json_object_array_length(events), again[i / 2][i % 2]);
        T_OK(store_untold_events(s.store, 10, &after, &subjects, &err), &err);
        T_INT(json_object_array_length(subjects), again[i / 2][i % 2]);
    }
    scratch_remove(&s);
}

/* How many events of that part are to be told. */
static size_t
untold_of(struct store *store, int64_t subject, int64_t last, bool alone)
{
    const struct untold_part part = { subject, last, alone };
    const struct link link = { .settled_version = 3 };
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *events = NULL;

    T_OK(store_untold(store, &part, &link, 0, &events, &err), &err);
    return json_object_array_length(events);
}

/* One that was told although one before it was not, since that could not be read, hides it from nobody who asks from
 * there. */
static void
what_was_told_alone_hides_nothing_before_it(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t one;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "aa");
    scratch_put(s.store, "j3", "/Users/1", "aaa");
    T_INT(untold_of(s.store, one, 0, false), 3);
    T_INT(untold_of(s.store, one, 2, false), 2);
    T_INT(untold_of(s.store, one, 2, true), 1);
    IN_TX(s.store, store_told(s.store, 3, TOLD, &err));
    T_INT(untold_of(s.store, one, 0, false), 0);
    T_INT(untold_of(s.store, one, 3, true), 0);
    T_INT(untold_of(s.store, one, 2, false), 2);
    scratch_remove(&s);
}

/* The jtis of all events that are kept, with blanks between. Static text. */
static const char *
kept(struct store *store)
{
    static char names[1000];
    AUTO_JSON struct json_object *page = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *events;
    size_t length = 0;

    T_OK(store_read_events(store, 0, 1000, &page, &err), &err);
    events = json_get(page, "events");
    names[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(events) && length < sizeof(names); i++)
        length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? " " : "",
                                   json_get_string(json_object_array_get_idx(events, i), "jti"));
    return names;
}

/* Walks to the end. Returns in how many pages. */
static int
forget(struct store *store, int64_t before_us, bool keep_untold, int64_t limit)
{
    struct store_retention retention = { before_us, keep_untold, limit };
    struct prov_error err = PROV_ERROR_INIT;
    int64_t after = 0;
    int pages = 0;

    do {
        IN_TX(store, store_forget_events(store, &retention, &after, &err));
        pages++;
    } while (after != 0 && pages < 100);
    return pages;
}

static void
only_settled_events_are_forgotten(void)
{
    struct store_answer answer;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_accept(s.store, scratch_event("j3", "/Groups/1", "delete", NULL));
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_put(s.store, "j4", "/Users/1", "aa");
    scratch_put(s.store, "j5", "/Users/2", "bb"); /* the newest is kept for its number */
    T_INT(forget(s.store, 1000, false, 100), 1);  /* all are younger: nobody reads on */
    T_STR(kept(s.store), "j1 j2 j3 j4 j5");
    forget(s.store, INT64_MAX, false, 100);
    T_STR(kept(s.store), "j2 j4 j5");
    /* the price: a repeated one is a new one after that time */
    answer = scratch_accept(s.store, scratch_event("j1", "/Users/1", "put", "{}"));
    T_TRUE(!answer.duplicate);
    T_INT(answer.version, 3);
    scratch_remove(&s);
}

static void
what_is_tried_again_is_not_settled(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "aa");
    scratch_put(s.store, "j3", "/Users/2", "b");
    scratch_settle(s.store, "/Users/1", "retry", NULL);
    forget(s.store, INT64_MAX, false, 100);
    T_STR(kept(s.store), "j2 j3");
    scratch_remove(&s);
}

static void
what_the_host_was_not_told_is_kept_if_it_wants_to_know(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_accept(s.store,
                   scratch_event("j3", "/Groups/1", "delete", NULL)); /* nobody to tell of */
    scratch_put(s.store, "j4", "/Users/3", "c");
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_settle(s.store, "/Users/2", "delivered", "005000000000002AAA");
    IN_TX(s.store, store_told(s.store, 1, TOLD, &err));
    forget(s.store, INT64_MAX, true, 100);
    T_STR(kept(s.store), "j2 j4");
    forget(s.store, INT64_MAX, false, 100);
    T_STR(kept(s.store), "j4");
    scratch_remove(&s);
}

static void
the_walk_goes_in_pages_and_is_stopped_by_the_young_alone(void)
{
    struct scratch s;
    char jti[8];

    scratch_make(&s);
    for (int i = 1; i <= 9; i++) {
        snprintf(jti, sizeof(jti), "j%d", i);
        scratch_put(s.store, jti, "/Users/1", "a");
    }
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_sql(&s, "UPDATE event SET received_us = 1000 WHERE seq <= 6");
    /* a clock that was wrong for two pages hides nobody behind them */
    scratch_sql(&s, "UPDATE event SET received_us = 9000000000000000000 WHERE seq <= 4");
    T_INT(forget(s.store, 2000, false, 2), 4);
    T_STR(kept(s.store), "j1 j2 j3 j4 j7 j8 j9");
    scratch_remove(&s);
}

static void
the_untold_are_found_page_by_page(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *first = NULL;
    AUTO_JSON struct json_object *second = NULL;
    AUTO_JSON struct json_object *end = NULL;
    AUTO_JSON struct json_object *around = NULL;
    AUTO_JSON struct json_object *nothing = NULL;
    struct scratch s;
    int64_t after = 0;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "aa");
    scratch_put(s.store, "j3", "/Users/2", "b");
    scratch_settle(s.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_settle(s.store, "/Users/2", "refused", NULL);
    T_OK(store_untold_events(s.store, 2, &after, &first, &err), &err);
    T_INT(json_object_array_length(first), 1);
    T_INT(after, 2);
    T_OK(store_untold_events(s.store, 2, &after, &second, &err), &err);
    T_INT(json_object_array_length(second), 1);
    T_OK(store_untold_events(s.store, 2, &after, &end, &err), &err);
    T_INT(json_object_array_length(end), 0);
    T_INT(after, 0);
    T_OK(store_untold_around(s.store, 2, &after, &around, &err), &err);
    T_INT(json_object_array_length(around), 2);
    T_INT(json_object_get_int64(json_object_array_get_idx(around, 0)), 1);
    T_INT(after, 2);
    after = 3;
    T_OK(store_untold_around(s.store, 2, &after, &nothing, &err), &err);
    T_INT(json_object_array_length(nothing), 0);
    T_INT(after, 0);
    scratch_remove(&s);
}

/* ---- the file itself ---- */

static struct json_object *
inspect(const struct scratch *s, bool full)
{
    struct json_object *answer = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_inspect(s->store, full, &answer, &err), &err);
    return answer;
}

static void
a_look_at_a_store_makes_none(void)
{
    struct scratch s;

    scratch_make(&s);
    {
        AUTO_JSON struct json_object *answer = inspect(&s, true);
        T_TRUE(!json_get_bool(answer, "exists", true));
        T_TRUE(json_get_bool(answer, "sound", false));
        T_TRUE(!store_exists(s.store));
    }
    scratch_remove(&s);
}

static void
a_sound_store_tells_what_is_in_it(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "b");
    {
        AUTO_JSON struct json_object *answer = inspect(&s, true);
        T_TRUE(json_get_bool(answer, "sound", false));
        T_INT(json_object_array_length(json_get(answer, "problems")), 0);
        T_INT(json_get_int(answer, "schema", 0), STORE_SCHEMA_VERSION);
        T_INT(json_get_int(answer, "users", 0), 1);
        T_INT(json_get_int(answer, "events", 0), 2);
        T_TRUE(json_get_int(answer, "wal_bytes", 0) > 0);
    }
    scratch_remove(&s);
}

/* What a full look says that the tables do not agree in, one a line. */
static void
differences(const struct scratch *s, char *ret, size_t size)
{
    AUTO_JSON struct json_object *answer = inspect(s, true);
    struct json_object *list = json_get(answer, "differences");

    ret[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(list); i++)
        snprintf(ret + strlen(ret), size - strlen(ret), "%s\n",
                 json_object_get_string(json_object_array_get_idx(list, i)));
    T_INT(json_get_bool(answer, "sound", false), !*ret);
    T_INT(json_object_array_length(json_get(answer, "problems")), 0);
}

static void
a_full_look_tells_where_the_tables_do_not_agree(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    char found[1000];

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_note(s.store, 0, NOTE_HOLD, "begun", &err));
    differences(&s, found, sizeof(found));
    T_STR(found, "");
    {
        AUTO_JSON struct json_object *answer = inspect(&s, false);
        T_INT(json_get_int(answer, "notes", 0), 1);
        T_INT(json_get_int(answer, "outcomes", -1), 0);
        T_INT(json_get_int(answer, "passwords", -1), 0);
        T_INT(json_get_int(answer, "in_flight", -1), 0);
    }
    scratch_sql(&s, "INSERT INTO tally VALUES ('refused', 'USERNAME', 2);"
                    "INSERT INTO tally VALUES ('active', '', 1);");
    differences(&s, found, sizeof(found));
    T_STR(found, "users who are 'active': status tells 1, and there are 0\n"
                 "users who are 'refused with USERNAME': status tells 2, and there are 0\n");
    scratch_sql(&s, "DELETE FROM tally;"
                    "INSERT INTO wait VALUES (1, 'manager', '7', 1, 0), (1, 'username', 'a', 1, 1);"
                    "INSERT INTO tally VALUES ('waits', 'manager', 1), ('waits', 'username', 1),"
                    " ('waits_long', 'username', 1);");
    differences(&s, found, sizeof(found));
    T_STR(found, "");
    scratch_sql(&s, "DELETE FROM tally; DELETE FROM wait;"
                    "INSERT INTO wait VALUES (79, 'manager', '7', 1, 1);");
    differences(&s, found, sizeof(found));
    T_STR(found, "users who are 'waits with manager': status tells 0, and there are 1\n"
                 "users who are 'waits_long with manager': status tells 0, and there are 1\n"
                 "table 'wait': 1 rows of users who are not there\n");
    scratch_sql(&s, "DELETE FROM wait; INSERT INTO history (subject, first_us, at_us, version,"
                    " outcome) VALUES (77, 1, 1, 1, 'refused');"
                    "INSERT INTO command (subject, kind, version, updated_us) VALUES (78, 'x', 1,"
                    " 1);");
    differences(&s, found, sizeof(found));
    T_STR(found, "table 'command': 1 rows of users who are not there\n"
                 "table 'history': 1 rows of users who are not there\n");
    scratch_remove(&s);
}

static int64_t
number(const struct scratch *s, const char *key)
{
    AUTO_JSON struct json_object *answer = inspect(s, false);

    return json_get_int(answer, key, -1);
}

static void
a_new_store_has_small_pages_and_an_old_one_keeps_its_own(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    T_INT(number(&s, "page_bytes"), 2048);
    scratch_restart(&s);
    scratch_sql(&s, "PRAGMA journal_mode=DELETE; PRAGMA page_size=4096; VACUUM");
    scratch_put(s.store, "j2", "/Users/1", "b");
    T_INT(number(&s, "page_bytes"), 4096);
    scratch_remove(&s);
}

/* Gives back in pieces. Returns how many it took. */
static int
give_back(const struct scratch *s, int64_t keep_percent)
{
    struct prov_error err = PROV_ERROR_INIT;
    bool more = true;
    int pieces = 0;

    while (more && pieces < 100) {
        T_OK(store_give_back(s->store, keep_percent, &more, &err), &err);
        pieces++;
    }
    T_OK(store_checkpoint(s->store, 0, &err), &err);
    return pieces;
}

static void
what_is_free_is_given_back_in_pieces(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t bytes;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    IN_TX(s.store, store_put_fact(s.store, "x", "y", &err));
    scratch_sql(&s, "INSERT INTO fact SELECT 'long', hex(zeroblob(5000000))"); /* some 5000 pages */
    scratch_sql(&s, "DELETE FROM fact WHERE key = 'long'");
    T_TRUE(number(&s, "free_pages") > 2000);
    T_INT(give_back(&s, 100), 1);
    T_TRUE(number(&s, "free_pages") > 2000);
    bytes = number(&s, "bytes");
    T_TRUE(give_back(&s, 0) > 2);
    T_INT(number(&s, "free_pages"), 0);
    T_TRUE(number(&s, "bytes") < bytes / 10);
    T_INT(number(&s, "wal_bytes"), 0);
    scratch_remove(&s);
}

/* The pages in the log: as many frames as bear the salts of its head, https://www.sqlite.org/walformat.html. */
static int64_t
log_frames(const struct scratch *s)
{
    unsigned char head[32], frame[24];
    int64_t frames = 0, frame_bytes;
    char path[300];
    int file;

    snprintf(path, sizeof(path), "%s-wal", s->path);
    file = open(path, O_RDONLY | O_CLOEXEC);
    T_INT(pread(file, head, sizeof(head), 0), sizeof(head));
    frame_bytes = 24 + (head[10] << 8 | head[11]);
    while (pread(file, frame, sizeof(frame), 32 + frames * frame_bytes) == sizeof(frame) &&
           memcmp(frame + 8, head + 16, 8) == 0)
        frames++;
    close(file);
    return frames;
}

/* Accepts so many events alone, each a commit of some pages. Returns the pages of the longest log seen. */
static int64_t
longest_log(const struct scratch *s, int events, bool delivers)
{
    struct prov_error err = PROV_ERROR_INIT;
    int64_t longest = 0;
    char jti[20];

    for (int i = 0; i < events; i++) {
        int64_t frames;
        snprintf(jti, sizeof(jti), "j%d", i);
        scratch_put(s->store, jti, "/Users/1", "a");
        if (delivers)
            T_OK(store_sweep(s->store, &err), &err);
        frames = log_frames(s);
        longest = frames > longest ? frames : longest;
    }
    return longest;
}

static void
the_log_stays_short_whether_somebody_delivers_or_not(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    CLEANUP(db_cleanup) struct db *reader = NULL;
    long before = store_log_pages;
    struct scratch s;

    store_log_pages = 100;
    for (int delivers = 0; delivers < 2; delivers++) {
        int64_t longest, most = delivers ? 100 : 200;
        scratch_make(&s);
        longest = longest_log(&s, 200, delivers);
        T_TRUE(longest > most - 20 && longest < most + 20);
        scratch_remove(&s);
    }
    /* somebody who reads keeps the log from beginning anew: it grows, and shrinks no commit's rate */
    scratch_make(&s);
    scratch_put(s.store, "j", "/Users/1", "a");
    T_OK(db_open(s.path, &reader, &err), &err);
    T_OK(db_script(reader, "BEGIN; SELECT count(*) FROM subject", &err), &err);
    T_TRUE(longest_log(&s, 200, true) > 400);
    T_OK(db_script(reader, "COMMIT", &err), &err);
    for (int i = 0; i < 2; i++) { /* the first copies the rest, the second begins anew */
        char jti[20];
        snprintf(jti, sizeof(jti), "again%d", i);
        store_log_pages = 1;
        scratch_put(s.store, jti, "/Users/1", "a");
        T_OK(store_sweep(s.store, &err), &err);
    }
    db_close(STEAL(reader));
    scratch_remove(&s);
    store_log_pages = before;
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(the_host_is_told_of_settled_events_until_it_took_them),
        UNIT_CASE(a_refusal_that_was_told_is_told_again_when_it_is_delivered),
        UNIT_CASE(what_was_told_alone_hides_nothing_before_it),
        UNIT_CASE(what_was_told_but_for_a_part_is_told_again_when_that_has_changed),
        UNIT_CASE(only_settled_events_are_forgotten),
        UNIT_CASE(what_is_tried_again_is_not_settled),
        UNIT_CASE(what_the_host_was_not_told_is_kept_if_it_wants_to_know),
        UNIT_CASE(the_walk_goes_in_pages_and_is_stopped_by_the_young_alone),
        UNIT_CASE(the_untold_are_found_page_by_page),
        UNIT_CASE(a_look_at_a_store_makes_none),
        UNIT_CASE(a_sound_store_tells_what_is_in_it),
        UNIT_CASE(a_full_look_tells_where_the_tables_do_not_agree),
        UNIT_CASE(a_new_store_has_small_pages_and_an_old_one_keeps_its_own),
        UNIT_CASE(what_is_free_is_given_back_in_pieces),
        UNIT_CASE(the_log_stays_short_whether_somebody_delivers_or_not),
    };

    return unit_run("store_retention", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
