/* The mark that a resync is needed: what makes it, what it outlives, what takes it away. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/resync.h"

static struct prov_error err = PROV_ERROR_INIT;
static struct resync_work work = RESYNC_WORK_INIT;
static char folder[64], store[96], mark[128];

static void
begin_case(void)
{
    strcpy(folder, "/tmp/sfprov-resync-XXXXXX");
    T_TRUE(mkdtemp(folder) != NULL);
    snprintf(store, sizeof(store), "%s/store.db", folder);
    snprintf(mark, sizeof(mark), "%s.resync", store);
}

static void
end_case(void)
{
    unlink(mark);
    T_INT(rmdir(folder), 0);
}

/* Whether it is marked, and the reason. */
static const char *
reason(void)
{
    static char text[1000];
    AUTO_JSON struct json_object *shown = NULL;

    T_OK(resync_read(store, &shown, &err), &err);
    if (!shown)
        return "none";
    snprintf(text, sizeof(text), "%lld: %s", (long long)json_get_int(shown, "missed", 0),
             json_get_string(shown, "reason"));
    return text;
}

static void
an_orderly_life_leaves_nothing(void)
{
    begin_case();
    T_STR(reason(), "none");
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_STR(reason(), "none");
    T_OK(resync_end(&work, store, &err), &err);
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

/* A process of its own that begins, and ends in order or not; it is gone, or a zombie (reap false), when
 * this returns. */
static pid_t
other_process(const char *host, bool in_order, bool reap)
{
    struct resync_work own = RESYNC_WORK_INIT;
    siginfo_t info;
    pid_t child = fork();

    if (child == 0) {
        if (resync_begin(&own, store, host, &err))
            _exit(1);
        _exit(in_order && resync_end(&own, store, &err) ? 1 : 0);
    }
    T_INT(waitid(P_PID, (id_t)child, &info, WEXITED | (reap ? 0 : WNOWAIT)), 0);
    T_INT(info.si_status, 0);
    return child;
}

static void
a_process_that_is_gone_without_an_end_is_a_mark(void)
{
    pid_t zombie;

    begin_case();
    other_process("slapd", true, true);
    T_STR(reason(), "none");
    other_process("slapd", false, true);
    T_HAS(reason(), "1: slapd, process ");
    T_HAS(reason(), "did not end in order");
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_end(&work, store, &err), &err);
    T_HAS(reason(), "1: slapd, process ");
    zombie = other_process("slapd", false, false);
    T_HAS(reason(), "2: slapd, process ");
    T_INT(waitpid(zombie, NULL, 0), zombie);
    T_OK(resync_done(store, 2, &err), &err);
    T_STR(reason(), "none");
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

static int64_t now_us;

static int64_t
test_clock(void)
{
    return now_us;
}

/* Not when somebody asked last, by which a mark would never become old. */
static void
a_mark_tells_since_when_it_is_known(void)
{
    int64_t (*real_clock)(void) = clock_now_us;
    char since[2][21] = { "", "" };

    begin_case();
    clock_now_us = test_clock;
    now_us = INT64_C(1700000000) * CLOCK_SECOND_US;
    other_process("slapd", false, true);
    for (int i = 0; i < 2; i++) {
        AUTO_JSON struct json_object *shown = NULL;
        T_OK(resync_read(store, &shown, &err), &err);
        snprintf(since[i], sizeof(since[i]), "%s", json_get_string(shown, "since"));
        now_us += 60 * CLOCK_SECOND_US;
    }
    clock_now_us = real_clock;
    T_STR(since[0], "2023-11-14T22:13:20Z");
    T_STR(since[1], since[0]);
    T_OK(resync_done(store, 1, &err), &err);
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

static void
several_processes_are_at_work_at_a_time(void)
{
    begin_case();
    T_OK(resync_begin(&work, store, "kadmind", &err), &err);
    T_OK(resync_begin(&work, store, "kadmind", &err), &err);
    other_process("kadmin.local", true, true);
    T_STR(reason(), "none");
    other_process("kadmin.local", false, true);
    T_HAS(reason(), "1: kadmin.local, process ");
    T_OK(resync_done(store, 1, &err), &err);
    T_STR(reason(), "none");
    T_INT(access(mark, F_OK), 0);
    T_OK(resync_end(&work, store, &err), &err);
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

/* It goes to the background after it has begun, as servers do. */
static void
who_goes_on_in_a_child_is_at_work(void)
{
    int go[2], done[2];
    char letter;
    pid_t child;

    begin_case();
    T_INT(pipe(go), 0);
    T_INT(pipe(done), 0);
    child = fork();
    if (child == 0) {
        if (resync_begin(&work, store, "slapd", &err) || fork() != 0)
            _exit(0);
        letter = read(go[0], &letter, 1) == 1 && !resync_end(&work, store, &err) ? 'y' : 'n';
        _exit(write(done[1], &letter, 1) != 1);
    }
    T_INT(waitpid(child, NULL, 0), child);
    T_STR(reason(), "none");
    T_INT(access(mark, F_OK), 0);
    T_INT(write(go[1], "g", 1), 1);
    T_INT(read(done[0], &letter, 1), 1);
    T_INT(letter, 'y');
    T_STR(reason(), "none");
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

static void
two_at_work_in_one_process_end_by_themselves(void)
{
    struct resync_work other = RESYNC_WORK_INIT;

    begin_case();
    T_OK(resync_begin(&work, store, "one", &err), &err);
    T_OK(resync_begin(&other, store, "other", &err), &err);
    T_OK(resync_end(&work, store, &err), &err);
    T_STR(reason(), "none");
    resync_work_free(&other); /* without a word */
    T_HAS(reason(), "1: other, process ");
    T_OK(resync_done(store, 1, &err), &err);
    end_case();
}

/* Each child is at work until it may end. */
static void
there_are_not_too_many_at_work(void)
{
    int go[2], done[2], refused = 0;
    char answer, quotes[900];

    begin_case();
    T_INT(pipe(go), 0);
    T_INT(pipe(done), 0);
    for (int i = 0; i < 102; i++) {
        if (fork() == 0) {
            answer = resync_begin(&work, store, "a host with quite a long name", &err) ? 'n' : 'y';
            _exit(write(done[1], &answer, 1) != 1 || read(go[0], &answer, 1) != 1);
        }
        T_INT(read(done[0], &answer, 1), 1);
        refused += answer == 'n';
    }
    T_INT(refused, 2);
    T_STR(reason(), "none");
    memset(quotes, '"', sizeof(quotes) - 1); /* each takes two characters */
    quotes[sizeof(quotes) - 1] = '\0';
    T_OK(resync_miss(store, "a host with quite a long name", quotes, &err), &err);
    T_OK(resync_done(store, 1, &err), &err);
    for (int i = 0; i < 102; i++)
        T_INT(write(go[1], "g", 1), 1);
    while (wait(NULL) > 0)
        ;
    T_HAS(reason(), "100: a host with quite a ");
    end_case();
}

static void
what_was_missed_outlives_the_host_and_keeps_its_first_reason(void)
{
    begin_case();
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_miss(store, "slapd", "disk full\n", &err), &err);
    T_OK(resync_miss(store, "slapd", "still full", &err), &err);
    T_OK(resync_end(&work, store, &err), &err);
    T_STR(reason(), "2: disk full ");
    end_case();
}

static void
a_list_takes_the_mark_away_unless_more_was_missed_since(void)
{
    int64_t before = 0;

    begin_case();
    T_OK(resync_miss(store, "h", "one", &err), &err);
    T_OK(resync_missed(store, &before, &err), &err);
    T_OK(resync_miss(store, "h", "two", &err), &err);
    T_OK(resync_done(store, before, &err), &err);
    T_STR(reason(), "2: one");
    T_OK(resync_done(store, 2, &err), &err);
    T_STR(reason(), "none");
    T_TRUE(access(mark, F_OK) != 0);
    end_case();
}

static void
what_is_late_is_marked_until_the_host_has_caught_up(void)
{
    int64_t before = 0;

    begin_case();
    T_OK(resync_join(store, "samba", &err), &err);
    T_OK(resync_caught_up(store, &err), &err);
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    T_OK(resync_late(store, "samba", "still full", &err), &err);
    T_STR(reason(), "2: disk full");
    T_OK(resync_caught_up(store, &err), &err);
    T_STR(reason(), "none");
    T_INT(access(mark, F_OK), 0); /* it keeps its room */
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    T_OK(resync_miss(store, "samba", "refused", &err), &err);
    T_STR(reason(), "2: refused");
    T_OK(resync_caught_up(store, &err), &err);
    T_STR(reason(), "1: refused"); /* that one the host does not hand over by itself */
    /* what was missed since a list began is not in it, however few are left */
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    T_OK(resync_missed(store, &before, &err), &err);
    T_OK(resync_caught_up(store, &err), &err);
    T_OK(resync_miss(store, "samba", "refused too", &err), &err);
    T_OK(resync_done(store, before, &err), &err);
    T_STR(reason(), "2: refused");
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    T_OK(resync_missed(store, &before, &err), &err);
    T_OK(resync_done(store, before, &err), &err);
    T_STR(reason(), "none");
    unlink(mark);
    end_case();
}

static void
a_host_at_work_keeps_the_room_of_its_mark(void)
{
    struct stat facts;

    begin_case();
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_miss(store, "slapd", "one", &err), &err);
    T_OK(resync_done(store, 1, &err), &err);
    T_INT(stat(mark, &facts), 0);
    T_INT(facts.st_size, 16384);
    T_OK(resync_miss(store, "slapd", "two", &err), &err);
    T_INT(stat(mark, &facts), 0);
    T_INT(facts.st_size, 16384);
    T_STR(reason(), "1: two");
    end_case();
}

static void
an_empty_or_broken_mark_counts(void)
{
    int fd;

    begin_case();
    fd = open(mark, O_CREAT | O_WRONLY, 0600);
    T_HAS(reason(), "1: the mark itself");
    T_INT(write(fd, "{\"mis", 5), 5);
    close(fd);
    T_HAS(reason(), "1: the mark itself");
    T_OK(resync_done(store, 1, &err), &err);
    T_STR(reason(), "none");
    end_case();
}

static void
what_cannot_be_written_is_told(void)
{
    begin_case();
    T_INT(mkdir(mark, 0700), 0);
    T_INT(resync_miss(store, "h", "x", &err), PROV_E_STORE);
    T_HAS(err.text, mark);
    rmdir(mark);
    end_case();
}

static void
who_joins_in_is_not_expected_to_end(void)
{
    struct stat facts;

    begin_case();
    T_OK(resync_join(store, "samba", &err), &err);
    T_OK(resync_join(store, "samba", &err), &err);
    T_STR(reason(), "none");
    T_INT(stat(mark, &facts), 0);
    T_TRUE(facts.st_size > 0); /* it has its room */
    T_OK(resync_miss(store, "samba", "disk full", &err), &err);
    T_OK(resync_join(store, "samba", &err), &err);
    T_STR(reason(), "1: disk full");
    T_OK(resync_done(store, 1, &err), &err);
    T_STR(reason(), "none");
    T_INT(stat(mark, &facts), 0);
    end_case();
}

static const struct unit_case cases[] = {
    UNIT_CASE(who_joins_in_is_not_expected_to_end),
    UNIT_CASE(what_is_late_is_marked_until_the_host_has_caught_up),
    UNIT_CASE(an_orderly_life_leaves_nothing),
    UNIT_CASE(a_process_that_is_gone_without_an_end_is_a_mark),
    UNIT_CASE(a_mark_tells_since_when_it_is_known),
    UNIT_CASE(several_processes_are_at_work_at_a_time),
    UNIT_CASE(who_goes_on_in_a_child_is_at_work),
    UNIT_CASE(two_at_work_in_one_process_end_by_themselves),
    UNIT_CASE(there_are_not_too_many_at_work),
    UNIT_CASE(what_was_missed_outlives_the_host_and_keeps_its_first_reason),
    UNIT_CASE(a_list_takes_the_mark_away_unless_more_was_missed_since),
    UNIT_CASE(a_host_at_work_keeps_the_room_of_its_mark),
    UNIT_CASE(an_empty_or_broken_mark_counts),
    UNIT_CASE(what_cannot_be_written_is_told),
};

int
main(int argc, char **argv)
{
    return unit_run("resync", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
