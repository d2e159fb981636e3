/*
 * Decides what is in the mark, and that it outlives the process, a full disk and a machine that stops. The file is
 * never removed: so it has its room before a host begins again, and whoever opens it holds the one that all hold. What
 * is not understood in it counts as missed, an empty file too: its text never got there.
 *
 * Whoever holds the file may be stopped by somebody, for hours, so nobody waits for it without a limit, and it is held
 * for no flush. A miss that cannot be put into the text meanwhile becomes a note, behind the text, which needs no lock:
 * whoever reads the mark next takes it into the text.
 */
#include "plugin/resync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"

#define FORMAT      1
#define MARK_BYTES  16384 /* always, so that it never needs more room than it has */
#define NOTE_BYTES  400
#define TEXT_BYTES  (MARK_BYTES - 2 * NOTE_BYTES)
#define COUNT_MAX   (INT64_C(1) << 40) /* of more nobody knows, but damage */
#define REASON_MAX  900
#define WORKERS_MAX 100 /* processes of hosts at work at the same time */
#define HOST_MAX    20
#define WORKER_MAX  80

/* A mark is {"format","number","host","at_work"}, and misses of two kinds, each {"count","since","reason"}; and the
 * numbers of the last notes that were taken into it. */
#define AT_WORK "at_work" /* {"17":"slapd, process 1234, begun 2026-11-22T13:40:05Z"} */
#define MISSED  "missed"
#define LATE    "late" /* the host hands it over by itself */

int resync_wait_ms = 2000;

/* All of it fits: of a name and a reason JSON makes at most twice as much, and 16 is for what stands around them. */
_Static_assert(WORKERS_MAX *(WORKER_MAX + HOST_MAX + 16) + 2 * (2 * REASON_MAX + 140) < TEXT_BYTES,
               "the mark has room for all that may be in it");

struct mark {
    int fd;         /* -1: there is no file */
    bool held;      /* by this process's descriptor */
    bool unflushed; /* written, and the disk does not have it yet */
    char *path;
    struct json_object *json;
};

static int64_t
count_of(const struct mark *mark, const char *kind)
{
    return json_get_int(json_get(mark->json, kind), "count", 0);
}

/* By its word: a child that was forked meanwhile has a copy of the descriptor. */
static void
give_back(struct mark *mark)
{
    if (mark->held)
        flock(mark->fd, LOCK_UN);
    mark->held = false;
}

static void
mark_close(struct mark *mark)
{
    give_back(mark);
    if (mark->unflushed)
        fdatasync(mark->fd);
    if (mark->fd >= 0)
        close(mark->fd);
    free(mark->path);
    json_object_put(mark->json);
}

static int
failed(const struct mark *mark, const char *what, struct prov_error *err)
{
    return error_set(err, PROV_E_STORE, "the mark for a resync '%s' cannot be %s: %s", mark->path,
                     what, strerror(errno));
}

/* ---- processes at work ---- */

/* Who is at work at place 17 holds byte 17 behind the text. */
static struct flock
place_of(int place)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MARK_BYTES + place, .l_len = 1
    };
}

/* What cannot be found out counts as at work: a false alarm would call for a list that nobody needs. */
static bool
is_held(const struct mark *mark, int place)
{
    struct flock lock = place_of(place);

    return fcntl(mark->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* Who is said to be at the place; NULL: nobody. */
static const char *
worker_at(const struct mark *mark, int place)
{
    char key[16];

    snprintf(key, sizeof(key), "%d", place);
    return json_get_string(json_get(mark->json, AT_WORK), key);
}

static int
put_worker(struct mark *mark, int place, const char *worker, struct prov_error *err)
{
    char key[16];

    snprintf(key, sizeof(key), "%d", place);
    return json_put_string(json_get(mark->json, AT_WORK), key, worker) ? error_nomem(err) : PROV_OK;
}

/* Whoever holds a place, in a mark whose text is lost: of them the locks are left, and they will end like others. */
static int
put_holders(struct mark *mark, struct prov_error *err)
{
    for (int place = 0; place < WORKERS_MAX; place++) {
        if (is_held(mark, place) &&
            put_worker(mark, place, "a host that was at work with a damaged mark", err))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

static void
leave(struct mark *mark, int place)
{
    char key[16];

    snprintf(key, sizeof(key), "%d", place);
    json_object_object_del(json_get(mark->json, AT_WORK), key);
}

static int add_miss(struct mark *mark, const char *kind, const char *reason,
                    struct prov_error *err);
static int mark_write(struct mark *mark, struct prov_error *err);

/* Whoever is at work no more and has not said that it ended may have missed what it did last. */
static int
bury(struct mark *mark, bool *found, struct prov_error *err)
{
    char reason[REASON_MAX];

    for (int place = 0; place < WORKERS_MAX; place++) {
        const char *worker = worker_at(mark, place);

        if (!worker || is_held(mark, place))
            continue;
        snprintf(reason, sizeof(reason),
                 "%s, did not end in order: what it did last may not have been handed over",
                 worker);
        leave(mark, place);
        if (add_miss(mark, MISSED, reason, err))
            return PROV_E_NOMEM;
        *found = true;
    }
    return PROV_OK;
}

/* ---- notes ---- */

/* A note is a line "NUMBER HOST: REASON", written at once over the one before of its kind. */
struct note {
    const char *kind, *number; /* the name of the number in the text */
    off_t place;
};

static const struct note notes[] = { { MISSED, "missed_note", TEXT_BYTES },
                                     { LATE, "late_note", TEXT_BYTES + NOTE_BYTES } };

static int
put(const struct mark *mark, const char *bytes, size_t length, off_t at, struct prov_error *err)
{
    while (length > 0) {
        ssize_t done = pwrite(mark->fd, bytes, length, at);
        if (done <= 0)
            return failed(mark, "written", err);
        bytes += done;
        at += done;
        length -= (size_t)done;
    }
    return PROV_OK;
}

static int
leave_note(const struct mark *mark, const struct note *note, const char *host, const char *reason,
           struct prov_error *err)
{
    char line[NOTE_BYTES];
    size_t length;
    int r;

    snprintf(line, sizeof(line) - 1, "%lld %.*s: %s", 1 + (long long)random_below(INT64_MAX),
             HOST_MAX, host, reason);
    error_tidy(line);
    length = strlen(line);
    line[length] = '\n';
    r = put(mark, line, length + 1, note->place, err);
    if (!r && fdatasync(mark->fd) != 0)
        r = failed(mark, "written", err);
    return r;
}

static int
take_note(struct mark *mark, const struct note *note, char *line, bool *found,
          struct prov_error *err)
{
    char *reason;
    int64_t number;

    line[NOTE_BYTES - 1] = '\0';
    line[strcspn(line, "\n")] = '\0';
    number = strtoll(line, &reason, 10);
    if (number <= 0 || number == json_get_int(mark->json, note->number, 0))
        return PROV_OK;
    *found = true;
    if (json_put_int(mark->json, note->number, number))
        return error_nomem(err);
    return add_miss(mark, note->kind, reason + strspn(reason, " "), err);
}

/* ---- the file ---- */

static int
mark_clear(struct mark *mark, struct prov_error *err)
{
    json_object_put(mark->json);
    mark->json = json_object_new_object();
    if (json_put_int(mark->json, "format", FORMAT) || json_put_int(mark->json, "number", 1) ||
        json_put(mark->json, AT_WORK, json_object_new_object()))
        return error_nomem(err);
    return PROV_OK;
}

static bool
is_understood(const struct mark *mark)
{
    return json_get_int(mark->json, "format", 0) == FORMAT &&
           json_get_int(mark->json, "number", 0) > 0 &&
           json_object_is_type(json_get(mark->json, AT_WORK), json_type_object) &&
           (!json_get(mark->json, MISSED) || count_of(mark, MISSED) > 0) &&
           (!json_get(mark->json, LATE) || count_of(mark, LATE) > 0) &&
           count_of(mark, MISSED) < COUNT_MAX && count_of(mark, LATE) < COUNT_MAX;
}

/* What is there and not in the text yet. That is written, for the time since when it is known; if it cannot be, the
 * next one who looks finds the same. */
static int
mark_gather(struct mark *mark, char bytes[MARK_BYTES + 1], struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    bool found = false;
    int r = PROV_OK;

    if (is_understood(mark)) {
        r = bury(mark, &found, err);
    } else {
        found = true;
        r = mark_clear(mark, err);
        if (!r)
            r = put_holders(mark, err);
        if (!r)
            r = add_miss(mark, MISSED,
                         "the mark itself is damaged, was not written in full, or is of another "
                         "version of sfprov, and cannot be read",
                         err);
    }
    for (size_t i = 0; !r && i < sizeof(notes) / sizeof(notes[0]); i++)
        r = take_note(mark, &notes[i], bytes + notes[i].place, &found, err);
    if (!r && found)
        mark->unflushed = mark_write(mark, &ignored) == PROV_OK;
    return r;
}

static int
mark_read(struct mark *mark, struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    char bytes[MARK_BYTES + 1];
    ssize_t length = pread(mark->fd, bytes, MARK_BYTES, 0);

    if (length < 0)
        return failed(mark, "read", err);
    memset(bytes + length, 0, sizeof(bytes) - (size_t)length);
    (void)!json_parse(bytes, strnlen(bytes, TEXT_BYTES), "the mark", &mark->json, &ignored);
    return mark_gather(mark, bytes, err);
}

/* Whoever was waited for once, in vain, is not waited for that long by the next change, until the mark was free. */
static int
mark_hold(struct mark *mark, struct prov_error *err)
{
    static const struct timespec pause = { .tv_nsec = 2000000 };
    static atomic_bool in_vain;
    int wait_ms = in_vain ? resync_wait_ms / 40 : resync_wait_ms;
    int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000);

    while (flock(mark->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failed(mark, "locked", err);
        if (clock_monotonic_us() > until_us) {
            in_vain = true;
            return error_set(err, PROV_E_STORE,
                             "the mark for a resync '%s' cannot be read: another process holds it "
                             "for longer than %d ms; look for one that is stopped or hangs "
                             "(lslocks names it), and let it go on, or end it",
                             mark->path, resync_wait_ms);
        }
        nanosleep(&pause, NULL);
    }
    in_vain = false;
    mark->held = true;
    return PROV_OK;
}

/* A host may have closed the standard files and write to them all the same. */
static int
open_file(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600), above = fd;

    if (fd >= 0 && fd <= STDERR_FILENO) {
        above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(fd);
    }
    return above;
}

/* Opens, holds and reads it. Without `make`, a file that is not there is no fault. */
static int
mark_open(const char *store, bool make, struct mark *ret, struct prov_error *err)
{
    bool fresh = false;
    off_t length;
    int r;

    *ret = (struct mark){ .fd = -1 };
    if (asprintf(&ret->path, "%s.resync", store) < 0) {
        ret->path = NULL;
        return error_nomem(err);
    }
    ret->fd = open_file(ret->path, 0);
    if (ret->fd < 0 && errno == ENOENT && !make)
        return PROV_OK;
    if (ret->fd < 0 && errno == ENOENT) {
        ret->fd = open_file(ret->path, O_CREAT | O_EXCL);
        fresh = ret->fd >= 0;
        if (!fresh && errno == EEXIST)
            ret->fd = open_file(ret->path, 0);
    }
    if (ret->fd < 0)
        return failed(ret, "opened", err);
    r = mark_hold(ret, err);
    length = r ? 0 : lseek(ret->fd, 0, SEEK_END);
    if (!r && length < MARK_BYTES) /* the notes have their room too */
        r = put(ret, "\n", 1, MARK_BYTES - 1, err);
    /* another one may have been faster with what we made */
    if (!r && (!fresh || length != 0))
        return mark_read(ret, err);
    if (!r)
        r = mark_clear(ret, err);
    if (!r)
        r = mark_write(ret, err);
    ret->unflushed = !r;
    return r;
}

static int
mark_write(struct mark *mark, struct prov_error *err)
{
    char text[TEXT_BYTES];
    const char *json = json_borrow_text(mark->json);
    size_t length = json ? strlen(json) : 0;

    if (!json)
        return error_nomem(err);
    if (length >= sizeof(text))
        return error_set(err, PROV_E_LIMIT, "the mark for a resync is too long");
    memset(text, ' ', sizeof(text));
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it ends with its line */
    memcpy(text, json, length);
    text[sizeof(text) - 1] = '\n';
    return put(mark, text, sizeof(text), 0, err);
}

/* Written for good, and not held any more. */
static int
mark_save(struct mark *mark, struct prov_error *err)
{
    int r = mark_write(mark, err);

    give_back(mark);
    if (!r && fdatasync(mark->fd) != 0)
        r = failed(mark, "written", err);
    mark->unflushed = false;
    return r;
}

/* The host by a name that fits. */
static int
put_host(struct mark *mark, const char *host, struct prov_error *err)
{
    char name[HOST_MAX + 1];

    snprintf(name, sizeof(name), "%s", host);
    error_tidy(name);
    return json_put_string(mark->json, "host", name) ? error_nomem(err) : PROV_OK;
}

/* Of several reasons for what was missed the first is kept; of what is late the last one, which is why it still is. The
 * number is another one than any before, also of a mark that is gone. */
static int
add_miss(struct mark *mark, const char *kind, const char *reason, struct prov_error *err)
{
    struct json_object *misses = json_get(mark->json, kind);
    int64_t count = count_of(mark, kind);
    char since[21], shown[REASON_MAX];

    if (json_put_int(mark->json, "number", 1 + (int64_t)random_below(INT64_MAX)))
        return error_nomem(err);
    snprintf(shown, sizeof(shown), "%s", reason);
    error_tidy(shown);
    if (count)
        return json_put_int(misses, "count", count + 1) ||
                       (strcmp(kind, LATE) == 0 && json_put_string(misses, "reason", shown))
                   ? error_nomem(err)
                   : PROV_OK;
    misses = json_object_new_object();
    if (!misses || json_put(mark->json, kind, misses) || json_put_int(misses, "count", 1) ||
        json_put_string(misses, "since", clock_format(clock_now_us(), since)) ||
        json_put_string(misses, "reason", shown))
        return error_nomem(err);
    return PROV_OK;
}

/* ---- begin, end ---- */

static void
give_up(struct resync_work *work)
{
    if (work->fd >= 0)
        close(work->fd);
    work->fd = -1;
}

/* With a fork the child has the lock of what its parent began. That is the child's to go on with when the parent is
 * gone, as of a server that went to the background, and else the parent's alone. */
static void
take_over(struct resync_work *work, struct mark *mark)
{
    for (struct resync_work *before = STEAL(work->before); before; before = before->before) {
        if (before->fd < 0)
            continue;
        give_up(before);
        if (!is_held(mark, before->place))
            leave(mark, before->place);
    }
}

/* Holds the first place that is free, by a descriptor of its own: the lock ends with that one. Whoever is said to be at
 * a place and does not hold it has gone since the mark was read, and is still to be buried. */
static int
take_place(const struct mark *mark, int *ret_fd, int *ret_place, struct prov_error *err)
{
    *ret_fd = open_file(mark->path, 0);
    if (*ret_fd < 0)
        return failed(mark, "opened", err);
    for (*ret_place = 0; *ret_place < WORKERS_MAX; ++*ret_place) {
        struct flock lock = place_of(*ret_place);

        if (worker_at(mark, *ret_place))
            continue;
        if (fcntl(*ret_fd, F_OFD_SETLK, &lock) == 0)
            return PROV_OK;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return failed(mark, "locked", err);
    }
    return error_set(err, PROV_E_LIMIT,
                     "%d processes are at work on the store already, by '%s'; what further ones "
                     "miss when they do not end in order is not marked",
                     WORKERS_MAX, mark->path);
}

static int
begin(struct resync_work *work, struct mark *mark, const char *host, struct prov_error *err)
{
    char worker[WORKER_MAX], now[21];
    int fd = -1, place = 0;
    int r = take_place(mark, &fd, &place, err);

    if (!r)
        r = put_host(mark, host, err);
    if (!r) {
        snprintf(worker, sizeof(worker), "%s, process %ld, begun %s",
                 json_get_string(mark->json, "host"), (long)getpid(),
                 clock_format(clock_now_us(), now));
        r = put_worker(mark, place, worker, err);
    }
    if (!r)
        r = mark_save(mark, err);
    if (r) {
        if (fd >= 0)
            close(fd);
        return r;
    }
    /* in this order: a fork at this moment hands them on */
    work->place = place;
    work->fd = fd;
    return PROV_OK;
}

int
resync_begin(struct resync_work *work, const char *store, const char *host, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark = { .fd = -1 };
    int r = PROV_OK;

    pthread_mutex_lock(&work->lock);
    if (work->fd < 0) {
        r = mark_open(store, true, &mark, err);
        if (!r) {
            take_over(work, &mark);
            r = begin(work, &mark, host, err);
        }
    }
    pthread_mutex_unlock(&work->lock);
    return r;
}

int
resync_end(struct resync_work *work, const char *store, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark = { .fd = -1 };
    int r = PROV_OK;

    pthread_mutex_lock(&work->lock);
    if (work->fd >= 0 || work->before) {
        r = mark_open(store, false, &mark, err);
        if (!r)
            take_over(work, &mark);
        if (!r && work->fd >= 0)
            leave(&mark, work->place);
        /* not flushed: should the machine stop now, there is a list too many, and none too few */
        if (!r && mark.fd >= 0)
            r = mark_write(&mark, err);
        if (!r)
            give_up(work);
    }
    pthread_mutex_unlock(&work->lock);
    return r;
}

void
resync_work_free(struct resync_work *work)
{
    give_up(work);
    pthread_mutex_destroy(&work->lock);
}

int
resync_join(const char *store, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, true, &mark, err);

    return !r && mark.unflushed ? mark_save(&mark, err) : r;
}

static int
miss(const char *store, const char *host, const struct note *note, const char *reason,
     struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, true, &mark, err);

    if (!r)
        r = put_host(&mark, host, err);
    if (!r)
        r = add_miss(&mark, note->kind, reason, err);
    if (!r)
        r = mark_save(&mark, err);
    /* whatever kept it from being put into the text */
    return r && mark.fd >= 0 ? leave_note(&mark, note, host, reason, err) : r;
}

int
resync_miss(const char *store, const char *host, const char *reason, struct prov_error *err)
{
    return miss(store, host, &notes[0], reason, err);
}

int
resync_late(const char *store, const char *host, const char *reason, struct prov_error *err)
{
    return miss(store, host, &notes[1], reason, err);
}

int
resync_caught_up(const char *store, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, false, &mark, err);

    if (r || mark.fd < 0 || !count_of(&mark, LATE))
        return r;
    json_object_object_del(mark.json, LATE);
    return mark_save(&mark, err);
}

int
resync_missed(const char *store, int64_t *ret, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, false, &mark, err);

    if (!r)
        *ret = json_get_int(mark.json, "number", 0);
    return r;
}

int
resync_done(const char *store, int64_t missed, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, false, &mark, err);

    if (r || mark.fd < 0 || json_get_int(mark.json, "number", 0) != missed)
        return r;
    json_object_object_del(mark.json, MISSED);
    json_object_object_del(mark.json, LATE);
    return mark_save(&mark, err);
}

int
resync_read(const char *store, struct json_object **ret, struct prov_error *err)
{
    static const char list[] = "give a full list of the host's users to sfprov sync; once it is "
                               "applied, the mark goes away";
    static const char wait[] =
        "the host hands it over by itself, with its next change or once what the reason says is "
        "mended, and then the mark goes away; a full list given to sfprov sync does it at once";
    CLEANUP(mark_close) struct mark mark;
    AUTO_JSON struct json_object *shown = NULL;
    struct json_object *misses;
    int r = mark_open(store, false, &mark, err);
    int64_t missed, late;

    *ret = NULL;
    if (r)
        return r;
    missed = count_of(&mark, MISSED);
    late = count_of(&mark, LATE);
    if (!missed && !late)
        return PROV_OK;
    misses = json_get(mark.json, missed ? MISSED : LATE);
    shown = json_object_new_object();
    if (json_put_int(shown, "missed", missed + late) ||
        json_put_string(shown, "host", json_get_string(mark.json, "host")) ||
        json_put_string(shown, "since", json_get_string(misses, "since")) ||
        json_put_string(shown, "reason", json_get_string(misses, "reason")) ||
        json_put_string(shown, "remedy", missed ? list : wait))
        return error_nomem(err);
    *ret = STEAL(shown);
    return PROV_OK;
}
