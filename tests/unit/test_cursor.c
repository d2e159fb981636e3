/* How far a directory's changes were handed over: the file that the processes of Samba share. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/ldb/cursor.h"

static struct prov_error err = { .size = sizeof(err) };
static char folder[64], path[96];

static void
begin_case(void)
{
    strcpy(folder, "/tmp/sfprov-cursor-XXXXXX");
    T_TRUE(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/store.db.usn", folder);
}

static void
end_case(void)
{
    unlink(path);
    T_INT(rmdir(folder), 0);
}

static void
write_text(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    T_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
what_was_written_is_read(void)
{
    struct cursor cursor;
    struct stat facts;

    begin_case();
    T_OK(cursor_hold(path, &cursor, &err), &err);
    T_STR(cursor.id, "");
    T_OK(cursor_put(&cursor, "8f2e460b13148e40848fd0b399bdcd10", 18446744073709551615u, &err),
         &err);
    T_OK(cursor_put(&cursor, "8f2e460b13148e40848fd0b399bdcd10", 7, &err), &err);
    cursor_release(&cursor);
    cursor_release(&cursor);
    T_OK(cursor_hold(path, &cursor, &err), &err);
    T_STR(cursor.id, "8f2e460b13148e40848fd0b399bdcd10");
    T_INT(cursor.usn, 7);
    cursor_release(&cursor);
    T_INT(stat(path, &facts), 0);
    T_INT(facts.st_size, 128); /* always, so that a full disk does not matter */
    T_INT(facts.st_mode & 0777, 0600);
    end_case();
}

static void
what_cannot_be_read_tells_nothing(void)
{
    static const char *const texts[] = { "", "broken", "sfprov-usn 2 abc 7\n", "sfprov-usn 1 abc",
                                         "sfprov-usn 1 abc x" };
    struct cursor cursor;

    begin_case();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(texts[i]);
        T_OK(cursor_hold(path, &cursor, &err), &err);
        T_STR(cursor.id, "");
        cursor_release(&cursor);
    }
    end_case();
}

static void
one_process_holds_it_at_a_time(void)
{
    struct cursor cursor;
    int status = 0;
    pid_t child;

    begin_case();
    T_OK(cursor_hold(path, &cursor, &err), &err);
    child = fork();
    if (!child) {
        close(cursor.fd); /* its parent's, which holds it */
        _exit(cursor_hold(path, &cursor, &err) || cursor.usn != 9);
    }
    usleep(50000);
    T_INT(waitpid(child, &status, WNOHANG), 0);
    T_OK(cursor_put(&cursor, "abc", 9, &err), &err);
    cursor_release(&cursor);
    T_INT(waitpid(child, &status, 0), child);
    T_INT(status, 0);
    end_case();
}

static int pauses;

static void
count_pause(void)
{
    pauses++;
}

/* As one that is stopped while it holds the file. */
static void
for_who_does_not_go_on_is_waited_once(void)
{
    void (*real_pause)(void) = cursor_pause;
    struct cursor stopped, cursor;

    begin_case();
    T_OK(cursor_hold(path, &stopped, &err), &err);
    T_OK(cursor_put(&stopped, "abc", 7, &err), &err);
    cursor_pause = count_pause;
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    T_TRUE(pauses > 0);
    T_HAS(err.text, "cannot be locked");
    pauses = 0;
    for (int i = 0; i < 3; i++)
        T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    T_INT(pauses, 0);
    cursor_release(&stopped);
    /* it has gone on, and is waited for again */
    T_OK(cursor_hold(path, &stopped, &err), &err);
    T_STR(stopped.id, "abc");
    T_INT(stopped.usn, 7);
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    T_TRUE(pauses > 0);
    cursor_release(&stopped);
    cursor_pause = real_pause;
    end_case();
}

static struct cursor first, second;
static int tries;
static void (*before_try)(void), (*after_try)(void);

/* In the place of the C library's, so that the file changes hands at the moment that a case means. */
int
flock(int fd, int operation)
{
    int result;

    tries++;
    if (before_try)
        before_try();
    result = (int)syscall(SYS_flock, fd, operation);
    if (after_try) {
        int error = errno;

        after_try();
        errno = error;
    }
    return result;
}

/* Who held the file goes on, and another one holds it. */
static void
change_hands(void)
{
    before_try = after_try = NULL;
    cursor_release(&first);
    T_OK(cursor_hold(path, &second, &err), &err);
}

static void
release_second(void)
{
    cursor_release(&second);
}

static void
who_comes_as_the_file_changes_hands_waits_for_the_new_holder(void)
{
    void (*real_pause)(void) = cursor_pause;
    struct cursor cursor;

    begin_case();
    T_OK(cursor_hold(path, &first, &err), &err);
    cursor_pause = count_pause;
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    cursor_pause = release_second;
    before_try = change_hands;
    T_OK(cursor_hold(path, &cursor, &err), &err);
    T_INT(second.fd, -1);
    cursor_release(&cursor);
    cursor_pause = real_pause;
    end_case();
}

static int tries_of_who_waits;

static void
change_hands_at_the_last_try(void)
{
    if (tries == tries_of_who_waits)
        change_hands();
}

/* The word is meant for the first and met by the second: nobody waits for that one, and all for who comes then. */
static void
a_word_that_comes_too_late_is_good_for_one_holder(void)
{
    void (*real_pause)(void) = cursor_pause;
    struct cursor cursor;

    begin_case();
    T_OK(cursor_hold(path, &first, &err), &err);
    cursor_pause = count_pause;
    tries = 0;
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    tries_of_who_waits = tries;
    cursor_release(&first);
    T_OK(cursor_hold(path, &first, &err), &err);
    tries = 0;
    after_try = change_hands_at_the_last_try;
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    T_INT(first.fd, -1);
    pauses = 0;
    T_INT(cursor_hold(path, &cursor, &err), PROV_E_STORE);
    T_INT(pauses, 0);
    cursor_release(&second);
    T_OK(cursor_hold(path, &second, &err), &err);
    cursor_pause = release_second;
    T_OK(cursor_hold(path, &cursor, &err), &err);
    cursor_release(&cursor);
    cursor_pause = real_pause;
    end_case();
}

static void
a_file_that_cannot_be_made_is_told(void)
{
    struct cursor cursor = { .fd = 0 };

    T_INT(cursor_hold("/nowhere/store.db.usn", &cursor, &err), PROV_E_STORE);
    T_INT(cursor.fd, -1);
    T_HAS(err.text, "'/nowhere/store.db.usn' cannot be opened");
}

static const struct unit_case cases[] = {
    UNIT_CASE(what_was_written_is_read),
    UNIT_CASE(what_cannot_be_read_tells_nothing),
    UNIT_CASE(one_process_holds_it_at_a_time),
    UNIT_CASE(for_who_does_not_go_on_is_waited_once),
    UNIT_CASE(who_comes_as_the_file_changes_hands_waits_for_the_new_holder),
    UNIT_CASE(a_word_that_comes_too_late_is_good_for_one_holder),
    UNIT_CASE(a_file_that_cannot_be_made_is_told),
};

int
main(int argc, char **argv)
{
    return unit_run("cursor", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
