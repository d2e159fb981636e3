/*
 * Decides what is in the file, and that nobody waits without an end: a process that is stopped while it holds
 * it must not stop the others, nor hold each of them up anew. So who has waited for nothing leaves word of it in the
 * last byte of the text, which is nobody's else, and whoever holds the file next takes it away.
 */
#include "hosts/ldb/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/fault.h"

#define TEXT_BYTES 128 /* always, so that it never needs more room than it has */
#define TRY_MS     10
#define TRIES      500
#define NO_USE     '!' /* in the place of the end of the line */

static int
failed(const char *path, const char *what, struct prov_error *err)
{
    return fault_set(err, PROV_E_STORE, "'%.400s' cannot be %s: %s", path, what, strerror(errno));
}

static void
pause_a_moment(void)
{
    static const struct timespec moment = { .tv_nsec = TRY_MS * 1000000L };

    nanosleep(&moment, NULL);
}

void (*cursor_pause)(void) = pause_a_moment;

static bool
is_of_no_use(int fd)
{
    char end;

    return pread(fd, &end, 1, TEXT_BYTES - 1) == 1 && end == NO_USE;
}

static void
put_end(int fd, char end)
{
    (void)!pwrite(fd, &end, 1, TEXT_BYTES - 1); /* else the next one waits as well */
}

/*
 * The word is read after the first try, not before it, since it concerns whoever holds the file then. Where the holder
 * changes between the last try and the word, that is met by the next one; until that one has released the file nobody
 * waits for it, which makes changes late and loses none.
 */
static int
hold(int fd)
{
    bool known = false;

    for (int i = 0; i < TRIES && !known; i++) {
        if (i)
            cursor_pause();
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (is_of_no_use(fd))
                put_end(fd, '\n');
            return 0;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        known = i == 0 && is_of_no_use(fd);
    }
    if (!known)
        put_end(fd, NO_USE);
    errno = ETIMEDOUT;
    return -1;
}

/* What cannot be read tells nothing. */
static void
parse(char *text, struct cursor *cursor)
{
    char id[CURSOR_ID_MAX];
    uint64_t usn;

    if (sscanf(text, "sfprov-usn 1 %39s %" SCNu64, id, &usn) != 2)
        return;
    memcpy(cursor->id, id, sizeof(id));
    cursor->usn = usn;
}

int
cursor_hold(const char *path, struct cursor *ret, struct prov_error *err)
{
    struct cursor cursor = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
    char text[TEXT_BYTES + 1] = "";
    int result = PROV_OK;

    ret->fd = -1;
    if (cursor.fd < 0)
        return failed(path, "opened", err);
    if (hold(cursor.fd))
        result = failed(path, "locked", err);
    else if (pread(cursor.fd, text, TEXT_BYTES, 0) < 0)
        result = failed(path, "read", err);
    if (result) {
        close(cursor.fd);
        return result;
    }
    parse(text, &cursor);
    *ret = cursor;
    return PROV_OK;
}

int
cursor_put(struct cursor *cursor, const char *id, uint64_t usn, struct prov_error *err)
{
    bool fresh = !cursor->id[0];
    char text[TEXT_BYTES + 1];

    snprintf(text, sizeof(text), "%-*s\n", TEXT_BYTES - 1, "");
    text[snprintf(text, sizeof(text), "sfprov-usn 1 %.39s %" PRIu64, id, usn)] = ' ';
    if (pwrite(cursor->fd, text, TEXT_BYTES, 0) != TEXT_BYTES || (fresh && fsync(cursor->fd)))
        return fault_set(err, PROV_E_STORE,
                         "it cannot be written how far changes were handed over: %s",
                         strerror(errno));
    snprintf(cursor->id, sizeof(cursor->id), "%s", id);
    cursor->usn = usn;
    return PROV_OK;
}

void
cursor_release(struct cursor *cursor)
{
    if (cursor->fd >= 0)
        close(cursor->fd);
    cursor->fd = -1;
}
