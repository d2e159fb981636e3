/* The store as a file among others: who may open it, a full disk, a lock that somebody holds, a file
 * that is damaged, foreign or gone, a killed process, and forks (design rules 19 and 20). */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/store/db.h"
#include "tests/unit/scratch.h"

/* Submits one user; the result of store_accept(), with the status when ret_status is not NULL. */
static int
try_put(struct store *store, const char *jti, int *ret_status, struct prov_error *err)
{
    struct store_answer answer = { .error = PROV_ERROR_INIT };
    struct event *event = scratch_event(jti, "/Users/1", "put", "{\"userName\":\"ada\"}");
    int r;

    *err = (struct prov_error)PROV_ERROR_INIT;
    r = store_accept(store, &event, 1, &answer, err);
    if (ret_status)
        *ret_status = (int)answer.status;
    event_free(event);
    return r;
}

/* Refused with this in the message, and nothing is open or locked afterwards. */
static void
check_refused(const char *path, const char *part)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *fact = NULL;
    struct store *store = NULL;
    int status = 0;

    T_OK(store_new(path, &store, &err), &err);
    for (int i = 0; i < 2; i++) {
        T_INT(try_put(store, "j1", &status, &err), PROV_E_STORE);
        T_INT(err.code, PROV_E_STORE);
        T_HAS(err.text, part);
        T_INT(status, PROV_ANSWER_UNKNOWN);
    }
    T_INT(store_get_fact(store, "x", &fact, &err), PROV_E_STORE);
    T_INT(store_begin(store, STORE_UNFENCED, &err), PROV_E_STORE);
    store_free(store);
}

/* Descriptors of this process that are open on files of the directory. */
static size_t
open_files(const struct scratch *scratch, bool *ret_cloexec)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    size_t count = 0;

    while (directory && (entry = readdir(directory))) {
        char link[300], target[400];
        ssize_t length;
        snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
        length = readlink(link, target, sizeof(target) - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        if (!strstr(target, strrchr(scratch->directory, '/')))
            continue;
        count++;
        if (ret_cloexec && !(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC))
            *ret_cloexec = false;
    }
    if (directory)
        closedir(directory);
    return count;
}

/* SQLite finds nothing wrong with the file. */
static void
check_sound(const struct scratch *scratch)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    bool row = false;

    T_OK(db_open(scratch->path, &db, &err), &err);
    T_OK(db_select(db, &rows, &err, "PRAGMA integrity_check", ""), &err);
    T_OK(db_next(&rows, &row, &err), &err);
    T_STR(row ? db_text(&rows, 0) : "", "ok");
}

/* ---- who is told that it was written into ---- */

static void
a_watch_tells_of_commits_and_of_nothing_else(void)
{
    struct scratch scratch;
    struct prov_error err = PROV_ERROR_INIT;
    struct store *other = NULL, *nowhere = NULL;
    char path[300];
    FILE *file;
    int watch;

    scratch_make(&scratch);
    scratch_put(scratch.store, "j1", "/Users/1", "ada");
    watch = store_watch(scratch.store);
    T_TRUE(watch >= 0);
    T_TRUE(!store_watch_read(scratch.store, watch));

    snprintf(path, sizeof(path), "%s/another-wal", scratch.directory);
    file = fopen(path, "w");
    T_TRUE(file && fputs("text", file) >= 0 && fclose(file) == 0);
    T_TRUE(!store_watch_read(scratch.store, watch));
    unlink(path);

    T_OK(store_new(scratch.path, &other, &err), &err);
    scratch_put(other, "j2", "/Users/2", "zoe");
    T_TRUE(store_watch_read(scratch.store, watch));
    T_STR(scratch_due(scratch.store, DUE_NOW), "/Users/1 /Users/2");
    T_TRUE(!store_watch_read(scratch.store, watch));
    store_free(other);
    close(watch);

    snprintf(path, sizeof(path), "%s/nowhere/store.db", scratch.directory);
    T_OK(store_new(path, &nowhere, &err), &err);
    T_INT(store_watch(nowhere), -1);
    store_free(nowhere);
    scratch_remove(&scratch);
}

/* ---- who may open it ---- */

static void
all_files_are_private_whatever_the_umask(void)
{
    static const char *const names[] = { "store.db", "store.db-wal", "store.db-shm",
                                         "store.db.lease" };
    mode_t mask = umask(0);
    struct prov_error err = PROV_ERROR_INIT;
    bool held = false, cloexec = true;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    T_OK(store_lease_take(s.store, &held, &err), &err);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stat status;
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", s.directory, names[i]);
        T_INT(stat(path, &status), 0);
        T_INT(status.st_mode & 07777, 0600);
    }
    T_TRUE(open_files(&s, &cloexec) >= 4);
    T_TRUE(cloexec);
    umask(mask);
    scratch_remove(&s);
}

static void
a_store_that_others_can_read_is_refused(void)
{
    struct prov_error err;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_restart(&s);
    T_INT(chmod(s.path, 0640), 0);
    check_refused(s.path, "mode 0640");
    T_INT(try_put(s.store, "j2", NULL, &err), PROV_E_STORE);
    T_HAS(err.text, "chmod 600");
    T_INT(chmod(s.path, 0600), 0);
    T_OK(try_put(s.store, "j2", NULL, &err), &err); /* the same store object, corrected */
    T_INT(open_files(&s, NULL) > 0, 1);
    scratch_remove(&s);
}

static void
a_directory_in_which_others_may_write_is_refused(void)
{
    struct scratch s;

    scratch_make(&s);
    T_INT(chmod(s.directory, 0770), 0);
    check_refused(s.path, "chmod go-w");
    T_INT(chmod(s.directory, 0707), 0);
    check_refused(s.path, "chmod go-w");
    /* as in /tmp, where nobody can replace what is ours ... */
    T_INT(chmod(s.directory, 01777), 0);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_restart(&s);
    /* ... but can put a file there first */
    if (geteuid() == 0) {
        char wal[300];
        FILE *file;
        T_INT(chown(s.path, 65534, 65534), 0);
        check_refused(s.path, "store.db' belongs to another user");
        T_INT(chown(s.path, 0, 0), 0);
        snprintf(wal, sizeof(wal), "%s-wal", s.path);
        T_TRUE((file = fopen(wal, "w")) != NULL && fclose(file) == 0);
        T_INT(chown(wal, 65534, 65534), 0);
        check_refused(s.path, "store.db-wal' belongs to another user");
        T_INT(unlink(wal), 0);
    }
    T_INT(open_files(&s, NULL), 0);
    T_INT(chmod(s.directory, 0700), 0);
    scratch_remove(&s);
}

static void
what_is_no_file_of_ours_is_refused(void)
{
    struct scratch s;
    char path[300], other[300];

    scratch_make(&s);
    snprintf(path, sizeof(path), "%s/sub/store.db", s.directory);
    check_refused(path, "No such file or directory");
    check_refused("store.db", "no absolute path");
    check_refused("", "no absolute path");
    check_refused(s.directory, "no regular file");
    snprintf(path, sizeof(path), "%s/fifo", s.directory);
    T_INT(mkfifo(path, 0600), 0);
    check_refused(path, "no regular file");
    snprintf(other, sizeof(other), "%s/link.db", s.directory);
    T_INT(symlink(s.path, other), 0);
    check_refused(other, "no regular file");
    T_TRUE(!store_exists(s.store)); /* nor was anything made behind the link */
    snprintf(path, sizeof(path), "%s/", s.directory);
    check_refused(path, "store '");
    scratch_remove(&s);
}

static void
a_link_on_the_way_to_the_file_is_followed(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;
    struct scratch s;
    char link[300], path[320];

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    snprintf(link, sizeof(link), "%s/way", s.directory);
    T_INT(symlink(s.directory, link), 0);
    snprintf(path, sizeof(path), "%s/store.db", link);
    T_OK(store_new(path, &store, &err), &err);
    T_OK(try_put(store, "j2", NULL, &err), &err);
    T_INT(scratch_id(store, "/Users/1"), 1);
    store_free(store);
    scratch_remove(&s);
}

/* ---- what is in it ---- */

static void
another_schema_version_is_refused(void)
{
    struct scratch s;
    char restore[100];

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_restart(&s);
    scratch_sql(&s, "UPDATE fact SET value = '99' WHERE key = 'schema'");
    check_refused(s.path, "schema version 99 and this sfprov knows versions 1 to");
    scratch_sql(&s, "UPDATE fact SET key = 'put aside' WHERE key = 'schema'");
    check_refused(s.path, "schema version 0");
    snprintf(restore, sizeof(restore),
             "UPDATE fact SET key = 'schema', value = '%d' WHERE key = 'put aside'",
             STORE_SCHEMA_VERSION);
    scratch_sql(&s, restore);
    T_INT(scratch_id(s.store, "/Users/1"), 1);
    scratch_remove(&s);
}

static void
a_database_of_another_program_is_left_alone(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_sql(&s, "CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('ada')");
    check_refused(s.path, "another program");
    scratch_sql(&s, "SELECT name FROM people; DROP TABLE people");
    scratch_put(s.store, "j1", "/Users/1", "a"); /* an empty one may be used */
    scratch_remove(&s);
}

static void
what_is_no_database_is_refused(void)
{
    struct scratch s;
    FILE *file;

    scratch_make(&s);
    file = fopen(s.path, "w");
    for (int i = 0; file && i < 500; i++)
        fputs("this is no database\n", file);
    T_TRUE(file && fclose(file) == 0);
    T_INT(chmod(s.path, 0600), 0);
    check_refused(s.path, "restore a backup");
    T_INT(open_files(&s, NULL), 0);
    scratch_remove(&s);
}

/* What changes a part of it has nothing to change, and the next whole user replaces it; nobody else
 * is harmed. */
static void
a_damaged_resource_is_replaced_by_the_next_whole_one(void)
{
    static const char patch[] =
        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"title\",\"value\":\"Dr\"}]}";
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct store_answer answer;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_sql(&s, "UPDATE subject SET resource = '{\"userName\":' WHERE uri = '/Users/1'");
    answer = scratch_accept(s.store, scratch_event("j3", "/Users/1", "patch", patch));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_INT(answer.version, 2);
    answer = scratch_accept(s.store, scratch_event("j4", "/Users/2", "delete", NULL));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    scratch_put(s.store, "j5", "/Users/1", "anew");
    T_OK(store_load(s.store, ISSUER, "/Users/1", &work, &err), &err);
    T_INT(work.subject.version, 3);
    T_STR(value_get_text(work.subject.resource, "userName"), "anew");
    scratch_remove(&s);
}

static void
a_store_that_was_moved_away_accepts_nothing(void)
{
    struct prov_error err;
    struct scratch s;
    char aside[300];
    int status = 0;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    snprintf(aside, sizeof(aside), "%s/aside", s.directory);
    T_INT(rename(s.path, aside), 0);
    usleep(20000); /* it is seen after ten milliseconds */
    T_INT(try_put(s.store, "j2", &status, &err), PROV_E_STORE);
    T_HAS(err.text, "was moved");
    T_INT(status, PROV_ANSWER_UNKNOWN);
    T_INT(rename(aside, s.path), 0);
    T_OK(try_put(s.store, "j2", &status, &err), &err);
    T_INT(status, PROV_ANSWER_ACCEPTED);
    scratch_remove(&s);
}

/* ---- a full disk ---- */

static struct event *
large_event(int number)
{
    char data[9000], jti[20], uri[20];
    int length = snprintf(data, sizeof(data), "{\"userName\":\"u\",\"nickName\":\"");

    memset(data + length, 'x', 8000);
    snprintf(data + length + 8000, 10, "\"}");
    snprintf(jti, sizeof(jti), "j%d", number);
    snprintf(uri, sizeof(uri), "/Users/%d", number % 3);
    return scratch_event(jti, uri, "put", data);
}

/* What was accepted before the disk was full is there, what was not can be sent again. */
static void
fill_the_disk(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *counts = NULL;
    struct store *store = NULL;
    int accepted = 0, r = 0;

    T_OK(store_new(scratch->path, &store, &err), &err);
    T_OK(try_put(store, "first", NULL, &err), &err);
    scratch_limit_files(600000);
    while (!r && accepted < 200) {
        struct store_answer answer = { .error = PROV_ERROR_INIT };
        struct event *event = large_event(accepted);
        r = store_accept(store, &event, 1, &answer, &err);
        T_INT(answer.status, r ? PROV_ANSWER_UNKNOWN : PROV_ANSWER_ACCEPTED);
        T_INT(answer.version > 0, r == 0);
        accepted += r == 0;
        event_free(event);
    }
    T_INT(r, PROV_E_STORE);
    T_HAS(err.text, "make room");
    T_TRUE(accepted > 3 && accepted < 200);
    T_OK(store_read_counts(store, &counts, &err), &err); /* reading goes on */
    T_INT(json_get_int(counts, "events", -1), accepted + 1);
    scratch_limit_files(RLIM_INFINITY);
    T_TRUE(!scratch_accept(store, large_event(accepted)).duplicate);
    T_TRUE(scratch_accept(store, large_event(accepted)).duplicate);
    T_TRUE(scratch_accept(store, large_event(accepted - 1)).duplicate);
    store_free(store);
}

static void
a_full_disk_loses_nothing_that_was_accepted(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_in_child(&s, fill_the_disk);
    scratch_remove(&s);
}

static void
start_on_a_full_disk(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;
    bool held = false;

    T_OK(store_new(scratch->path, &store, &err), &err);
    for (rlim_t bytes = 0; bytes < 80000; bytes += 9000) {
        scratch_limit_files(bytes);
        if (try_put(store, "j1", NULL, &err) == PROV_OK)
            break;
        T_INT(err.code, PROV_E_STORE);
        T_HAS(err.text, "make room");
        T_TRUE(store_lease_take(store, &held, &err) != PROV_OK || held);
        store_lease_drop(store);
    }
    scratch_limit_files(RLIM_INFINITY);
    T_OK(try_put(store, "j1", NULL, &err), &err);
    T_OK(store_lease_take(store, &held, &err), &err);
    T_TRUE(held);
    store_free(store);
}

static void
a_store_that_could_not_be_made_is_made_later(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_in_child(&s, start_on_a_full_disk);
    scratch_remove(&s);
}

/* ---- a process that is killed ---- */

/* Submits until it is killed, and says so of each event that was accepted. */
static void
submit_and_tell(const struct scratch *scratch, int told)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_OK(store_new(scratch->path, &store, &err), &err);
    for (int i = 0;; i++) {
        T_INT(scratch_accept(store, large_event(i)).status, PROV_ANSWER_ACCEPTED);
        T_INT(write(told, "x", 1), 1);
    }
}

static void
what_was_accepted_survives_its_process(void)
{
    for (int round = 0; round < 5; round++) {
        AUTO_JSON struct json_object *counts = NULL;
        struct prov_error err = PROV_ERROR_INIT;
        int told[2], child, status, accepted = 0;
        struct scratch s;
        char byte;

        scratch_make(&s);
        T_INT(pipe(told), 0);
        child = scratch_start_child(&s, submit_and_tell, told[1]);
        close(told[1]);
        while (accepted < 3 + round && read(told[0], &byte, 1) == 1)
            accepted++;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        while (read(told[0], &byte, 1) == 1)
            accepted++;
        close(told[0]);
        T_OK(store_read_counts(s.store, &counts, &err), &err);
        /* one more may be there, of which it had no time to tell */
        T_TRUE(accepted >= 3 + round);
        T_TRUE(json_get_int(counts, "events", -1) >= accepted);
        T_TRUE(json_get_int(counts, "events", -1) <= accepted + 1);
        check_sound(&s);
        scratch_remove(&s);
    }
}

/* ---- a lock that somebody holds ---- */

/* Says that it holds the write lock, and holds it until half a second after a byte comes. */
static void
hold_the_lock(const struct scratch *scratch, int parent)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char byte;

    T_OK(db_open(scratch->path, &db, &err), &err);
    T_OK(db_begin(db, &err), &err);
    T_INT(write(parent, "x", 1), 1);
    T_INT(read(parent, &byte, 1), 1);
    usleep(500000);
    db_rollback(db);
}

static void
a_store_that_is_locked_is_waited_for_and_then_refused(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int pair[2], child, status = 0;
    bool held = true;
    char byte;

    db_busy_timeout_ms = 100;
    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    T_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    child = scratch_start_child(&s, hold_the_lock, pair[1]);
    T_INT(read(pair[0], &byte, 1), 1);
    T_INT(try_put(s.store, "j2", &status, &err), PROV_E_STORE);
    T_HAS(err.text, "look for one that hangs");
    T_INT(status, PROV_ANSWER_UNKNOWN);
    T_INT(store_lease_take(s.store, &held, &err), PROV_E_STORE);
    T_TRUE(!store_lease_held(s.store));
    T_INT(scratch_id(s.store, "/Users/1"), 1);        /* reading does not wait */
    T_STR(scratch_due(s.store, DUE_NOW), "/Users/1"); /* and who is due is not unreadable */
    db_busy_timeout_ms = 10000;
    scratch_restart(&s);
    T_INT(write(pair[0], "x", 1), 1);
    T_OK(try_put(s.store, "j2", &status, &err), &err); /* waits until the other is done */
    T_INT(status, PROV_ANSWER_ACCEPTED);
    scratch_join(&child, 1);
    close(pair[0]);
    close(pair[1]);
    scratch_remove(&s);
}

/* ---- forks ---- */

static void
child_finds_nothing_open(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    T_INT(open_files(scratch, NULL), 0);
    T_OK(store_new(scratch->path, &store, &err), &err);
    T_OK(try_put(store, "child", NULL, &err), &err);
    store_free(store);
}

static void
a_fork_hands_no_connection_to_the_child(void)
{
    struct store_answer answer;
    struct scratch s;

    scratch_make(&s);
    scratch_in_child(&s, child_finds_nothing_open); /* before use */
    scratch_put(s.store, "j1", "/Users/2", "a");
    T_TRUE(open_files(&s, NULL) > 0);
    scratch_in_child(&s, child_finds_nothing_open); /* after */
    answer = scratch_accept(s.store, scratch_event("j2", "/Users/2", "delete", NULL));
    T_INT(answer.version, 2);
    T_INT(scratch_id(s.store, "/Users/1"), 1);
    scratch_remove(&s);
}

struct busy {
    struct store *store;
    int number;
    unsigned failures;
};

#define BUSY_EVENTS 60

static void *
keep_busy(void *argument)
{
    struct busy *me = argument;

    for (int i = 0; i < BUSY_EVENTS; i++) {
        struct store_answer answer = { .error = PROV_ERROR_INIT };
        struct prov_error err = PROV_ERROR_INIT;
        struct event *event = NULL;
        CLEANUP(work_done) struct work work = { 0 };
        char text[300];
        snprintf(text, sizeof(text),
                 "{\"iss\":\"" ISSUER "\",\"jti\":\"b%d-%d\",\"sub_id\":{\"format\":\"scim\","
                 "\"uri\":\"/Users/%d\"},\"events\":{\"urn:ietf:params:scim:event:prov:delete\":"
                 "{}}}",
                 me->number, i, me->number);
        me->failures += event_parse(text, strlen(text), NULL, &event, &err) != 0 ||
                        store_accept(me->store, &event, 1, &answer, &err) != 0 ||
                        answer.version != i + 1 ||
                        store_load(me->store, ISSUER, "/Users/0", &work, &err) != 0;
        event_free(event);
    }
    return NULL;
}

static void
submit_in_child(const struct scratch *scratch, int number)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;
    char jti[20];

    snprintf(jti, sizeof(jti), "c%d", number);
    T_OK(store_new(scratch->path, &store, &err), &err);
    T_OK(try_put(store, jti, NULL, &err), &err);
    store_free(store);
}

/* Takes the locks in every order that delivery does. */
static void *
keep_leasing(void *argument)
{
    struct busy *me = argument;

    for (int i = 0; i < BUSY_EVENTS / 2; i++) {
        struct prov_error err = PROV_ERROR_INIT;
        int64_t next;
        bool held = false, any;
        char id[19];
        if (store_lease_take(me->store, &held, &err) || !held) {
            me->failures++;
            continue;
        }
        if (store_begin(me->store, STORE_FENCED, &err)) {
            me->failures++;
        } else { /* a read inside a write, as a settle does */
            me->failures += store_linked_id(me->store, ISSUER, "/Users/1", id, &err) != 0 ||
                            store_put_fact(me->store, "x", "y", &err) != 0 ||
                            store_commit(me->store, &err) != 0;
        }
        me->failures += store_due_next(me->store, INT64_MAX, &any, &next, &err) != 0 ||
                        !store_lease_held(me->store);
        store_lease_drop(me->store);
    }
    return NULL;
}

UNIT_FORKING static void
forks_while_other_threads_work_harm_nobody(void)
{
    struct busy busy[4];
    pthread_t threads[4];
    AUTO_JSON struct json_object *counts = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int children[12];

    scratch_make(&s);
    for (int i = 0; i < 4; i++) {
        busy[i] = (struct busy){ s.store, i + 10, 0 };
        T_INT(pthread_create(&threads[i], NULL, i < 3 ? keep_busy : keep_leasing, &busy[i]), 0);
    }
    for (int i = 0; i < 12; i++) {
        children[i] = scratch_start_child(&s, submit_in_child, i);
        usleep(2000);
    }
    scratch_join(children, 12);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        T_INT(busy[i].failures, 0);
    }
    T_OK(store_read_counts(s.store, &counts, &err), &err);
    T_INT(json_get_int(counts, "events", -1), 3 * BUSY_EVENTS + 12);
    check_sound(&s);
    scratch_remove(&s);
}

/* A thread that begins with a store: looks, or looks while it writes, as an upkeep does. */
struct beginner {
    struct store *store;
    pthread_barrier_t *start;
    bool writes;
    struct prov_error err;
    int result;
};

static void *
begin_with(void *argument)
{
    struct beginner *me = argument;
    AUTO_FREE char *fact = NULL;

    pthread_barrier_wait(me->start);
    me->result = me->writes ? store_begin(me->store, STORE_UNFENCED, &me->err) : PROV_OK;
    if (!me->result) {
        me->result = store_get_fact(me->store, "x", &fact, &me->err);
        if (me->writes)
            store_rollback(me->store);
    }
    return NULL;
}

static void
threads_that_begin_with_a_new_store_do_not_wait_for_each_other(void)
{
    int timeout_ms = db_busy_timeout_ms;

    db_busy_timeout_ms = 200; /* who waits for the other one finds the store locked */
    for (int round = 0; round < 60; round++) {
        struct beginner two[2];
        pthread_barrier_t start;
        pthread_t threads[2];
        struct scratch s;

        scratch_make(&s);
        pthread_barrier_init(&start, NULL, 2);
        for (int i = 0; i < 2; i++) {
            two[i] = (struct beginner){ s.store, &start, i == 0, PROV_ERROR_INIT, 0 };
            T_INT(pthread_create(&threads[i], NULL, begin_with, &two[i]), 0);
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            T_OK(two[i].result, &two[i].err);
        }
        pthread_barrier_destroy(&start);
        scratch_remove(&s);
    }
    db_busy_timeout_ms = timeout_ms;
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_watch_tells_of_commits_and_of_nothing_else),
        UNIT_CASE(all_files_are_private_whatever_the_umask),
        UNIT_CASE(a_store_that_others_can_read_is_refused),
        UNIT_CASE(a_directory_in_which_others_may_write_is_refused),
        UNIT_CASE(what_is_no_file_of_ours_is_refused),
        UNIT_CASE(a_link_on_the_way_to_the_file_is_followed),
        UNIT_CASE(another_schema_version_is_refused),
        UNIT_CASE(a_database_of_another_program_is_left_alone),
        UNIT_CASE(what_is_no_database_is_refused),
        UNIT_CASE(a_damaged_resource_is_replaced_by_the_next_whole_one),
        UNIT_CASE(a_store_that_was_moved_away_accepts_nothing),
        UNIT_CASE(a_full_disk_loses_nothing_that_was_accepted),
        UNIT_CASE(a_store_that_could_not_be_made_is_made_later),
        UNIT_CASE(what_was_accepted_survives_its_process),
        UNIT_CASE(threads_that_begin_with_a_new_store_do_not_wait_for_each_other),
        UNIT_CASE(a_store_that_is_locked_is_waited_for_and_then_refused),
        UNIT_CASE(a_fork_hands_no_connection_to_the_child),
        UNIT_CASE_FORKING_AMONG_THREADS(forks_while_other_threads_work_harm_nobody)
    };

    return unit_run("store_file", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
