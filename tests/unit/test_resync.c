/* The mark that a resync is needed: what makes it, what it outlives, what takes it away. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
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

/* A whole list, and nothing that was missed while it was under way. */
static void
apply_list(void)
{
    int64_t missed = 0;

    T_OK(resync_missed(store, &missed, &err), &err);
    T_OK(resync_done(store, missed, &err), &err);
}

static void
an_orderly_life_leaves_nothing(void)
{
    begin_case();
    T_STR(reason(), "none");
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_STR(reason(), "none");
    T_OK(resync_end(&work, store, &err), &err);
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
    apply_list();
    T_STR(reason(), "none");
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
    apply_list();
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
    apply_list();
    T_STR(reason(), "none");
    T_OK(resync_end(&work, store, &err), &err);
    T_STR(reason(), "none");
    end_case();
}

/* It goes to the background after it has begun, as servers do. */
static void
who_goes_on_in_a_child_is_at_work(void)
{
    struct resync_work own = RESYNC_WORK_INIT;
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
        own.before = &work;
        letter = read(go[0], &letter, 1) == 1 && !resync_end(&own, store, &err) ? 'y' : 'n';
        _exit(write(done[1], &letter, 1) != 1);
    }
    T_INT(waitpid(child, NULL, 0), child);
    T_STR(reason(), "none");
    T_INT(write(go[1], "g", 1), 1);
    T_INT(read(done[0], &letter, 1), 1);
    T_INT(letter, 'y');
    T_STR(reason(), "none");
    end_case();
}

/* Does what it is told, and says when it is done. */
static pid_t
begin_child(const char *orders, int done)
{
    struct resync_work own = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .before = &work };
    pid_t child = fork();
    int r = 0;

    for (const char *order = orders; child == 0 && !r && *order; order++)
        r = *order == 'b' ? resync_begin(&own, store, "child", &err)
                          : resync_end(&own, store, &err);
    if (child == 0)
        _exit(r || write(done, "y", 1) != 1 || sleep(60));
    return child;
}

static void
end_child(pid_t child)
{
    T_INT(kill(child, SIGKILL), 0);
    T_INT(waitpid(child, NULL, 0), child);
}

static void
a_parent_and_a_child_at_work_end_by_themselves(void)
{
    static const struct {
        const char *orders, *then;
    } lives[] = { { "", "none" }, { "e", "none" }, { "be", "none" }, { "b", "1: child, " } };
    int done[2];
    pid_t child;
    char letter;

    T_INT(pipe(done), 0);
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        begin_case();
        T_OK(resync_begin(&work, store, "parent", &err), &err);
        child = begin_child(lives[i].orders, done[1]);
        T_INT(read(done[0], &letter, 1), 1);
        end_child(child);
        T_HAS(reason(), lives[i].then);
        /* what the parent has begun is there all the same, whatever the child has said */
        resync_work_free(&work);
        work = (struct resync_work)RESYNC_WORK_INIT;
        T_HAS(reason(),
              lives[i].orders[0] == 'b' && !lives[i].orders[1] ? "2: child" : "1: parent");
        end_case();
    }
}

static void
a_killed_parent_is_noticed_while_its_child_is_at_work(void)
{
    int done[2], told[2];
    pid_t parent, child = 0;
    char letter;

    begin_case();
    T_INT(pipe(done), 0);
    T_INT(pipe(told), 0);
    parent = fork();
    if (parent == 0) {
        if (resync_begin(&work, store, "parent", &err))
            _exit(1);
        child = begin_child("b", done[1]);
        _exit(read(done[0], &letter, 1) != 1 ||
              write(told[1], &child, sizeof(child)) != sizeof(child) || sleep(60));
    }
    T_INT(read(told[0], &child, sizeof(child)), sizeof(child));
    T_STR(reason(), "none");
    end_child(parent);
    T_HAS(reason(), "1: parent, process ");
    T_INT(kill(child, SIGKILL), 0);
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
    apply_list();
    end_case();
}

/* Each child is at work until it may end. */
static void
there_are_not_too_many_at_work(void)
{
    static const char long_name[] = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";
    int go[2], done[2], refused = 0;
    char answer, quotes[900];

    begin_case();
    T_INT(pipe(go), 0);
    T_INT(pipe(done), 0);
    for (int i = 0; i < 102; i++) {
        if (fork() == 0) {
            answer = resync_begin(&work, store, long_name, &err) ? 'n' : 'y';
            _exit(write(done[1], &answer, 1) != 1 || read(go[0], &answer, 1) != 1);
        }
        T_INT(read(done[0], &answer, 1), 1);
        refused += answer == 'n';
    }
    T_INT(refused, 2);
    T_STR(reason(), "none");
    memset(quotes, '"', sizeof(quotes) - 1); /* each takes two characters */
    quotes[sizeof(quotes) - 1] = '\0';
    T_OK(resync_late(store, long_name, quotes, &err), &err);
    T_OK(resync_miss(store, long_name, quotes, &err), &err);
    apply_list();
    for (int i = 0; i < 102; i++)
        T_INT(write(go[1], "g", 1), 1);
    while (wait(NULL) > 0)
        ;
    T_HAS(reason(), "100: \"\"\"");
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
    apply_list();
    T_STR(reason(), "none");
    end_case();
}

static void
what_is_late_is_marked_until_the_host_has_caught_up(void)
{
    int64_t before = 0;

    begin_case();
    T_OK(resync_join(store, &err), &err);
    T_OK(resync_caught_up(store, &err), &err);
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    T_OK(resync_late(store, "samba", "still full", &err), &err);
    T_STR(reason(), "2: still full");
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

/* Somebody else's list has taken the mark away, and there is a new one. */
static void
a_list_takes_no_mark_away_that_came_while_there_was_none(void)
{
    int64_t before = 0;

    begin_case();
    T_OK(resync_miss(store, "h", "one", &err), &err);
    T_OK(resync_missed(store, &before, &err), &err);
    T_OK(resync_done(store, before, &err), &err);
    T_STR(reason(), "none");
    T_OK(resync_miss(store, "h", "two", &err), &err);
    T_OK(resync_done(store, before, &err), &err);
    T_STR(reason(), "1: two");
    end_case();
}

static void
a_host_at_work_keeps_the_room_of_its_mark(void)
{
    struct stat facts;

    begin_case();
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_miss(store, "slapd", "one", &err), &err);
    apply_list();
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
    apply_list();
    T_STR(reason(), "none");
    end_case();
}

/* Their names are gone with the text, and their locks are not. */
static void
who_is_at_work_while_the_mark_is_damaged_is_still_expected_to_end(void)
{
    struct resync_work one = RESYNC_WORK_INIT, other = RESYNC_WORK_INIT;
    int fd;

    begin_case();
    T_OK(resync_begin(&one, store, "one", &err), &err);
    T_OK(resync_begin(&other, store, "other", &err), &err);
    fd = open(mark, O_WRONLY);
    T_INT(write(fd, "damage", 6), 6);
    close(fd);
    T_HAS(reason(), "1: the mark itself");
    apply_list();
    T_STR(reason(), "none");
    T_OK(resync_end(&one, store, &err), &err);
    T_STR(reason(), "none");
    resync_work_free(&other); /* without a word */
    T_HAS(reason(), "1: a host");
    T_HAS(reason(), "did not end in order");
    end_case();
}

/* Of an older version, of a newer one, or damaged. */
static void
a_mark_that_is_not_understood_counts(void)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"number\":2,\"processes\":[\"slapd, process 7\"]}",
        "{\"format\":1000,\"number\":1,\"at_work\":{}}",
        "{\"format\":1,\"number\":1,\"at_work\":{},\"missed\":7}",
        "{\"format\":1,\"number\":1,\"at_work\":{},\"late\":{\"count\":\"many\"}}",
        "{\"format\":1,\"number\":1,\"at_work\":[\"0 slapd, process 7\"]}",
        "{\"format\":1,\"number\":1,\"at_work\":{},\"missed\":{\"count\":9223372036854775807}}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t before = 0;
        int fd;
        begin_case();
        fd = open(mark, O_CREAT | O_WRONLY, 0600);
        T_INT(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
        close(fd);
        T_HAS(reason(), "1: the mark itself");
        T_OK(resync_missed(store, &before, &err), &err);
        T_OK(resync_done(store, before, &err), &err);
        T_STR(reason(), "none");
        end_case();
    }
}

static void
the_name_of_a_host_may_be_any(void)
{
    static const char *const names[] = {
        "a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
        "\1\"\\/\1\"\\/\1\"\\/\1\"\\/\1\"\\/", ""
    };
    AUTO_FREE char *endless = NULL;

    T_TRUE(asprintf(&endless, "%20000s", "h") > 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) + 1; i++) {
        const char *name = i < sizeof(names) / sizeof(names[0]) ? names[i] : endless;
        begin_case();
        T_OK(resync_begin(&work, store, name, &err), &err);
        T_STR(reason(), "none");
        T_OK(resync_miss(store, name, "one", &err), &err);
        T_STR(reason(), "1: one");
        T_OK(resync_end(&work, store, &err), &err);
        T_STR(reason(), "1: one");
        end_case();
    }
}

static pid_t forked;

static int64_t
forking_clock(void)
{
    forked = fork();
    if (forked == 0)
        _exit(sleep(30) != 0);
    return INT64_C(1700000000) * CLOCK_SECOND_US;
}

/* The host forks in one thread while another one writes the mark. */
static void
a_child_that_is_forked_meanwhile_keeps_nobody_waiting(void)
{
    int64_t (*real_clock)(void) = clock_now_us;

    begin_case();
    alarm(20);
    clock_now_us = forking_clock;
    T_OK(resync_miss(store, "h", "one", &err), &err);
    clock_now_us = real_clock;
    T_STR(reason(), "1: one");
    alarm(0);
    T_INT(kill(forked, SIGKILL), 0);
    T_INT(waitpid(forked, NULL, 0), forked);
    end_case();
}

/* As a process holds the mark that was stopped meanwhile. */
static int
hold_mark(void)
{
    int fd = open(mark, O_RDWR | O_CLOEXEC);

    T_INT(flock(fd, LOCK_EX), 0);
    alarm(20); /* nobody waits without an end */
    resync_wait_ms = 50;
    return fd;
}

/* It goes on with what it was about to write. */
static void
give_mark_back(int fd, const char *text)
{
    T_INT(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    close(fd);
    alarm(0);
    resync_wait_ms = 10000;
}

static char *
text_of_mark(char text[15000])
{
    int fd = open(mark, O_RDONLY);

    T_INT(read(fd, text, 14999), 14999);
    close(fd);
    text[14999] = '\0';
    return text;
}

static void
a_process_that_hangs_with_the_mark_stops_nobody_and_hides_no_miss(void)
{
    AUTO_JSON struct json_object *shown = NULL;
    char text[15000];
    int64_t before = 0;
    int fd;

    begin_case();
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_missed(store, &before, &err), &err);
    text_of_mark(text);
    fd = hold_mark();
    T_INT(resync_read(store, &shown, &err), PROV_E_STORE);
    T_HAS(err.text, mark);
    T_HAS(err.text, "another process holds it");
    T_INT(resync_missed(store, &before, &err), PROV_E_STORE);
    T_INT(resync_end(&work, store, &err), PROV_E_STORE);
    T_OK(resync_miss(store, "slapd", "disk full", &err), &err);
    give_mark_back(fd, text);
    T_OK(resync_done(store, before, &err), &err); /* a list that began before that */
    T_STR(reason(), "1: slapd: disk full");
    T_STR(reason(), "1: slapd: disk full");
    apply_list();
    T_STR(reason(), "none");
    T_OK(resync_end(&work, store, &err), &err);
    T_STR(reason(), "none");
    end_case();
}

/* Each change of a host asks again, and each must not take that long. */
static void
for_who_keeps_the_mark_is_waited_once(void)
{
    char text[15000];
    int64_t before;
    int fd;

    begin_case();
    T_OK(resync_join(store, &err), &err);
    text_of_mark(text);
    fd = hold_mark();
    resync_wait_ms = 800;
    before = clock_monotonic_us();
    for (int i = 0; i < 10; i++)
        T_INT(resync_begin(&work, store, "slapd", &err), PROV_E_STORE);
    T_TRUE(clock_monotonic_us() - before > 800 * 1000);
    T_TRUE(clock_monotonic_us() - before < 10 * 800 * 1000);
    give_mark_back(fd, text);
    T_OK(resync_begin(&work, store, "slapd", &err), &err);
    T_OK(resync_end(&work, store, &err), &err);
    fd = hold_mark();
    resync_wait_ms = 300;
    before = clock_monotonic_us();
    T_INT(resync_join(store, &err), PROV_E_STORE);
    T_TRUE(clock_monotonic_us() - before > 300 * 1000); /* it is somebody else */
    give_mark_back(fd, text);
    T_OK(resync_join(store, &err), &err);
    end_case();
}

static void
what_is_late_while_the_mark_is_held_hides_no_miss(void)
{
    char text[15000];
    int fd;

    begin_case();
    T_OK(resync_join(store, &err), &err);
    text_of_mark(text);
    fd = hold_mark();
    T_OK(resync_miss(store, "samba", "a long reason for which there is room, and more", &err),
         &err);
    T_OK(resync_miss(store, "samba", "refused", &err), &err);
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    give_mark_back(fd, text);
    T_STR(reason(), "2: samba: refused");
    T_OK(resync_caught_up(store, &err), &err);
    T_STR(reason(), "1: samba: refused");
    apply_list();
    fd = hold_mark();
    T_OK(resync_late(store, "samba", "disk full", &err), &err);
    give_mark_back(fd, text_of_mark(text));
    T_STR(reason(), "1: samba: disk full");
    T_OK(resync_caught_up(store, &err), &err);
    T_STR(reason(), "none");
    end_case();
}

/* The mark was made, and its text never got there. */
static void
a_miss_is_noted_in_a_mark_that_has_no_text_yet(void)
{
    int fd;

    begin_case();
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    fd = hold_mark();
    T_OK(resync_miss(store, "slapd", "disk full", &err), &err);
    give_mark_back(fd, "");
    T_HAS(reason(), "2: the mark itself");
    apply_list();
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

/* Where the limit cuts a write in two, the system says why with the second part only. */
static void
what_is_written_in_part_is_told_with_the_reason(void)
{
    const struct rlimit limit = { 8192, 8192 };
    pid_t child;
    int status = 0;

    begin_case();
    child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        errno = 0;
        _exit(setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
              resync_miss(store, "h", "x", &err) != PROV_E_STORE ||
              !strstr(err.text, strerror(EFBIG)));
    }
    T_INT(waitpid(child, &status, 0), child);
    T_INT(status, 0);
    end_case();
}

static void
what_a_host_writes_to_files_that_it_has_closed_is_not_in_the_mark(void)
{
    static const char line[] = "a line for the log that is there no more\n";
    pid_t child;
    int status = 0;

    begin_case();
    child = fork();
    if (child == 0) {
        for (int fd = 0; fd <= 2; fd++)
            close(fd);
        status = resync_begin(&work, store, "slapd", &err) != PROV_OK;
        for (int fd = 0; fd <= 2; fd++)
            status |= write(fd, line, sizeof(line)) >= 0;
        _exit(status | (resync_end(&work, store, &err) != PROV_OK));
    }
    T_INT(waitpid(child, &status, 0), child);
    T_INT(status, 0);
    T_STR(reason(), "none");
    end_case();
}

static void
who_joins_in_is_not_expected_to_end(void)
{
    struct stat facts;

    begin_case();
    T_OK(resync_join(store, &err), &err);
    T_OK(resync_join(store, &err), &err);
    T_STR(reason(), "none");
    T_INT(stat(mark, &facts), 0);
    T_TRUE(facts.st_size > 0); /* it has its room */
    T_OK(resync_miss(store, "samba", "disk full", &err), &err);
    T_OK(resync_join(store, &err), &err);
    T_STR(reason(), "1: disk full");
    apply_list();
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
    UNIT_CASE(a_parent_and_a_child_at_work_end_by_themselves),
    UNIT_CASE(a_killed_parent_is_noticed_while_its_child_is_at_work),
    UNIT_CASE(two_at_work_in_one_process_end_by_themselves),
    UNIT_CASE(there_are_not_too_many_at_work),
    UNIT_CASE(what_was_missed_outlives_the_host_and_keeps_its_first_reason),
    UNIT_CASE(a_list_takes_the_mark_away_unless_more_was_missed_since),
    UNIT_CASE(a_host_at_work_keeps_the_room_of_its_mark),
    UNIT_CASE(a_list_takes_no_mark_away_that_came_while_there_was_none),
    UNIT_CASE(an_empty_or_broken_mark_counts),
    UNIT_CASE(who_is_at_work_while_the_mark_is_damaged_is_still_expected_to_end),
    UNIT_CASE(a_mark_that_is_not_understood_counts),
    UNIT_CASE(the_name_of_a_host_may_be_any),
    UNIT_CASE(a_child_that_is_forked_meanwhile_keeps_nobody_waiting),
    UNIT_CASE(a_process_that_hangs_with_the_mark_stops_nobody_and_hides_no_miss),
    UNIT_CASE(for_who_keeps_the_mark_is_waited_once),
    UNIT_CASE(what_is_late_while_the_mark_is_held_hides_no_miss),
    UNIT_CASE(a_miss_is_noted_in_a_mark_that_has_no_text_yet),
    UNIT_CASE(what_cannot_be_written_is_told),
    UNIT_CASE(what_a_host_writes_to_files_that_it_has_closed_is_not_in_the_mark),
    UNIT_CASE(what_is_written_in_part_is_told_with_the_reason),
};

int
main(int argc, char **argv)
{
    return unit_run("resync", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
