/*
 * Tells whoever waits that the store was written into, also by another process: the kernel says so of the
 * write-ahead log, into which every commit goes. The directory is watched, since the log comes and goes; the file
 * itself is opened by nobody but SQLite. Where the kernel cannot say it (no watch is left, another machine
 * writes), whoever waits looks now and then, as without it.
 *
 * The log is written before the commit can be read. Who commits has the write lock until then, so whoever was
 * told takes it once.
 */
#include "plugin/store/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

int
store_watch(const struct store *store)
{
    AUTO_FREE char *directory = strdup(store->path);
    int watch = directory ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    char *slash;

    if (watch < 0)
        return -1;
    slash = strrchr(directory, '/');
    slash[slash == directory] = '\0';
    if (inotify_add_watch(watch, directory, IN_MODIFY | IN_ONLYDIR) < 0) {
        close(watch);
        return -1;
    }
    return watch;
}

bool
store_watch_read(struct store *store, int watch)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    const char *name = strrchr(store->path, '/') + 1;
    size_t length = strlen(name);
    _Alignas(struct inotify_event) char bytes[4096];
    bool written = false;
    ssize_t got;

    while ((got = read(watch, bytes, sizeof(bytes))) > 0) {
        const struct inotify_event *event;
        for (const char *at = bytes; at < bytes + got; at += sizeof(*event) + event->len) {
            event = (const struct inotify_event *)at;
            written = written || (event->mask & IN_Q_OVERFLOW) ||
                      (event->len > 0 && strncmp(event->name, name, length) == 0 &&
                       strcmp(event->name + length, "-wal") == 0);
        }
    }
    if (written && store_begin(store, STORE_UNFENCED, &ignored) == PROV_OK)
        store_rollback(store);
    return written;
}
