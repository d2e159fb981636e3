/*
 * Decides what is in the file, and that nobody waits without an end: a process that is stopped while it holds
 * it must not stop the others for good.
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
#define TRIES      1500

static int
failed(const char *path, const char *what, struct prov_error *err)
{
    return fault_set(err, PROV_E_STORE, "'%.400s' cannot be %s: %s", path, what, strerror(errno));
}

static int
hold(int fd)
{
    static const struct timespec pause = { .tv_nsec = TRY_MS * 1000000L };

    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        nanosleep(&pause, NULL);
    }
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
