/*
 * Decides what is in the mark, and that it outlives the process, a full disk and a machine that stops. An
 * empty or broken file is a mark as well: its room was taken and its text never got there.
 */
#include "plugin/resync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/base/clock.h"

#define MARK_BYTES  16384 /* always, so that it never needs more room than it has */
#define REASON_MAX  900
#define WORKERS_MAX 100 /* processes of hosts at work at the same time */
#define WORKER_MAX  120

/* What is in the mark: misses of two kinds, each {"count","since","reason"}. */
#define MISSED "missed"
#define LATE   "late" /* the host hands it over by itself */

/* The file, held by this process's descriptor until it is closed. */
struct mark {
    int fd; /* -1: there is no file */
    char *path;
    struct json_object *json;
};

static int64_t
count_of(const struct mark *mark, const char *kind)
{
    return json_get_int(json_get(mark->json, kind), "count", 0);
}

static void
mark_close(struct mark *mark)
{
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

/* An entry is "17 slapd, process 1234, begun 2026-11-22T13:40:05Z"; its work holds byte 17 behind the text. */
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

static bool
is_at_work(const struct mark *mark, const char *worker)
{
    int place = 0;

    return worker && sscanf(worker, "%d", &place) == 1 && place >= 0 && place < WORKERS_MAX &&
           is_held(mark, place);
}

static int add_miss(struct mark *mark, const char *kind, const char *reason,
                    struct prov_error *err);
static int mark_write(struct mark *mark, struct prov_error *err);

/* Whoever is at work no more and has not said that it ended may have missed what it did last. That is written, for
 * the time since when it is known; if it cannot be, the next one who looks finds the same. */
static int
bury(struct mark *mark, struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    bool found = false;
    struct json_object *workers = json_get(mark->json, "at_work");
    char reason[REASON_MAX];

    for (size_t i =
             json_object_is_type(workers, json_type_array) ? json_object_array_length(workers) : 0;
         i-- > 0;) {
        const char *worker = json_object_get_string(json_object_array_get_idx(workers, i));
        const char *who = worker ? strchr(worker, ' ') : NULL;

        if (is_at_work(mark, worker))
            continue;
        snprintf(reason, sizeof(reason),
                 "%.200s, did not end in order: what it did last may not have been handed over",
                 who ? who + 1 : "a host");
        json_object_array_del_idx(workers, i, 1);
        if (add_miss(mark, MISSED, reason, err))
            return PROV_E_NOMEM;
        found = true;
    }
    if (found)
        (void)!mark_write(mark, &ignored);
    return PROV_OK;
}

/* ---- the file ---- */

static int
mark_parse(struct mark *mark, struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    char text[MARK_BYTES + 1];
    ssize_t length = pread(mark->fd, text, MARK_BYTES, 0);

    if (length < 0)
        return failed(mark, "read", err);
    text[length] = '\0';
    if (!json_parse(text, strlen(text), "the mark", &mark->json, &ignored) &&
        json_object_is_type(mark->json, json_type_object))
        return bury(mark, err);
    json_object_put(mark->json);
    mark->json = json_object_new_object();
    return add_miss(mark, MISSED, "the mark itself could not be written in full", err);
}

/* Opens, holds and reads it. Without `make`, a file that is not there is no fault. */
static int
mark_open(const char *store, bool make, struct mark *ret, struct prov_error *err)
{
    struct stat facts;

    *ret = (struct mark){ .fd = -1 };
    if (asprintf(&ret->path, "%s.resync", store) < 0) {
        ret->path = NULL;
        return error_nomem(err);
    }
    for (;;) {
        int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
        bool fresh = false;

        ret->fd = open(ret->path, flags);
        if (ret->fd < 0 && errno == ENOENT && make) {
            ret->fd = open(ret->path, flags | O_CREAT | O_EXCL, 0600);
            fresh = ret->fd >= 0;
            if (!fresh && errno == EEXIST)
                continue;
        }
        if (ret->fd < 0 && errno == ENOENT && !make)
            return PROV_OK;
        if (ret->fd < 0)
            return failed(ret, "opened", err);
        while (flock(ret->fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (fresh) {
            ret->json = json_object_new_object();
            return ret->json ? PROV_OK : error_nomem(err);
        }
        /* somebody may have taken it away while we waited */
        if (fstat(ret->fd, &facts) == 0 && facts.st_nlink > 0)
            return mark_parse(ret, err);
        close(ret->fd);
        ret->fd = -1;
    }
}

static int
mark_write(struct mark *mark, struct prov_error *err)
{
    char text[MARK_BYTES];
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
    if (pwrite(mark->fd, text, sizeof(text), 0) != (ssize_t)sizeof(text) ||
        fdatasync(mark->fd) != 0)
        return failed(mark, "written", err);
    return PROV_OK;
}

/* Not needed any more, unless a host is at work, or takes turns, or something was missed. */
static int
mark_keep(struct mark *mark, struct prov_error *err)
{
    struct json_object *workers = json_get(mark->json, "at_work");
    bool empty =
        !json_object_is_type(workers, json_type_array) || !json_object_array_length(workers);

    if (!empty || json_get(mark->json, "joined") || count_of(mark, MISSED) || count_of(mark, LATE))
        return mark_write(mark, err);
    if (unlink(mark->path) != 0 && errno != ENOENT)
        return failed(mark, "removed", err);
    return PROV_OK;
}

/* Of several reasons the first is kept. */
static int
add_miss(struct mark *mark, const char *kind, const char *reason, struct prov_error *err)
{
    struct json_object *misses = json_get(mark->json, kind);
    int64_t count = count_of(mark, kind);
    char since[21], shown[REASON_MAX];

    if (json_put_int(mark->json, "number", json_get_int(mark->json, "number", 0) + 1))
        return error_nomem(err);
    if (count)
        return json_put_int(misses, "count", count + 1) ? error_nomem(err) : PROV_OK;
    misses = json_object_new_object();
    snprintf(shown, sizeof(shown), "%s", reason);
    error_tidy(shown);
    if (!misses || json_put(mark->json, kind, misses) || json_put_int(misses, "count", 1) ||
        json_put_string(misses, "since", clock_format(clock_now_us(), since)) ||
        json_put_string(misses, "reason", shown))
        return error_nomem(err);
    return PROV_OK;
}

/* ---- begin, end ---- */

/* What is at the place out of those at work. */
static void
leave(struct mark *mark, int place)
{
    struct json_object *workers = json_get(mark->json, "at_work");

    for (size_t i =
             json_object_is_type(workers, json_type_array) ? json_object_array_length(workers) : 0;
         i-- > 0;) {
        const char *worker = json_object_get_string(json_object_array_get_idx(workers, i));

        if (worker && atoi(worker) == place)
            json_object_array_del_idx(workers, i, 1);
    }
}

/* Holds the first place that is free, by a descriptor of its own: the lock ends with that one. */
static int
take_place(struct resync_work *work, const struct mark *mark, struct prov_error *err)
{
    work->fd = open(mark->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (work->fd < 0)
        return failed(mark, "opened", err);
    for (work->place = 0; work->place < WORKERS_MAX; work->place++) {
        struct flock lock = place_of(work->place);

        if (fcntl(work->fd, F_OFD_SETLK, &lock) == 0)
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
    struct json_object *workers = json_get(mark->json, "at_work");
    char self[WORKER_MAX], now[21];
    int r = take_place(work, mark, err);

    if (r)
        return r;
    if (!json_object_is_type(workers, json_type_array)) {
        workers = json_object_new_array();
        if (json_put(mark->json, "at_work", workers) || !workers)
            return error_nomem(err);
    }
    snprintf(self, sizeof(self), "%d %.20s, process %ld, begun %s", work->place, host,
             (long)getpid(), clock_format(clock_now_us(), now));
    if (json_put_string(mark->json, "host", host) ||
        json_append(workers, json_object_new_string(self)))
        return error_nomem(err);
    return mark_write(mark, err);
}

static void
give_up(struct resync_work *work)
{
    if (work->fd >= 0)
        close(work->fd);
    work->fd = -1;
}

int
resync_begin(struct resync_work *work, const char *store, const char *host, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark = { .fd = -1 };
    int r = PROV_OK;

    pthread_mutex_lock(&work->lock);
    if (work->fd < 0) {
        r = mark_open(store, true, &mark, err);
        if (!r)
            r = begin(work, &mark, host, err);
        if (r)
            give_up(work);
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
    if (work->fd >= 0) {
        r = mark_open(store, false, &mark, err);
        if (!r && mark.fd >= 0) {
            leave(&mark, work->place);
            r = mark_keep(&mark, err);
        }
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
resync_join(const char *store, const char *host, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, true, &mark, err);

    if (r || json_get(mark.json, "joined"))
        return r;
    if (json_put_string(mark.json, "host", host) || json_put_int(mark.json, "joined", 1))
        return error_nomem(err);
    return mark_write(&mark, err);
}

static int
miss(const char *store, const char *host, const char *kind, const char *reason,
     struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, true, &mark, err);

    if (!r && json_put_string(mark.json, "host", host))
        r = error_nomem(err);
    if (!r)
        r = add_miss(&mark, kind, reason, err);
    return r ? r : mark_write(&mark, err);
}

int
resync_miss(const char *store, const char *host, const char *reason, struct prov_error *err)
{
    return miss(store, host, MISSED, reason, err);
}

int
resync_late(const char *store, const char *host, const char *reason, struct prov_error *err)
{
    return miss(store, host, LATE, reason, err);
}

int
resync_caught_up(const char *store, struct prov_error *err)
{
    CLEANUP(mark_close) struct mark mark;
    int r = mark_open(store, false, &mark, err);

    if (r || mark.fd < 0 || !count_of(&mark, LATE))
        return r;
    json_object_object_del(mark.json, LATE);
    return mark_keep(&mark, err);
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
    return mark_keep(&mark, err);
}

int
resync_read(const char *store, struct json_object **ret, struct prov_error *err)
{
    static const char list[] = "give a full list of the host's users to sfprov sync; once it is "
                               "applied, the mark goes away";
    static const char wait[] = "the host hands it over with its next change, and then the mark "
                               "goes away; a full list given to sfprov sync does it at once";
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
