/* What was there before it was followed counts as flushed. Keeps, for each followed file, its content at the last flush,
 * and the writes since. A file that was never flushed is not there after the loss; the shared memory of the WAL (-shm) never is. A
 * name that was unlinked stays away: SQLite does not rely on it. */
#include "tests/torture/loss.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/torture/shim.h"

#define FILES_MAX 16
#define FDS_MAX   256
#define SECTOR    512

struct change {
    off_t at;
    size_t length; /* of data; NULL data: the file was cut there */
    char *data;
};

struct file {
    char path[256];
    char *flushed;
    size_t size;
    bool was_flushed;
    struct change *changes;
    size_t change_count;
};

static char followed[200];
static struct file files[FILES_MAX];
static signed char file_of[FDS_MAX]; /* 1 and more: the number of the file */

void
shim_follow(const char *directory)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        for (size_t change = 0; change < files[i].change_count; change++)
            free(files[i].changes[change].data);
        free(files[i].changes);
        free(files[i].flushed);
    }
    memset(files, 0, sizeof(files));
    memset(file_of, 0, sizeof(file_of));
    strncpy(followed, directory, sizeof(followed) - 1);
}

static struct file *
file_at(int fd)
{
    return fd >= 0 && fd < FDS_MAX && file_of[fd] ? &files[file_of[fd] - 1] : NULL;
}

bool
loss_follows(int fd)
{
    return file_at(fd) != NULL;
}

static void
read_file(struct file *file, int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || status.st_size == 0)
        return;
    file->size = (size_t)status.st_size;
    file->flushed = malloc(file->size);
    if (!file->flushed ||
        syscall(SYS_pread64, fd, file->flushed, file->size, 0) != (long)file->size)
        abort();
    file->was_flushed = true;
}

static signed char
number_of(int fd, const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (!files[i].path[0]) {
            strncpy(files[i].path, path, sizeof(files[i].path) - 1);
            read_file(&files[i], fd);
        }
        if (strcmp(files[i].path, path) == 0)
            return (signed char)(i + 1);
    }
    abort();
}

void
loss_opened(int fd, const char *path, int flags)
{
    size_t length = strlen(path);

    if (fd < 0 || fd >= FDS_MAX)
        return;
    file_of[fd] = 0;
    if (!followed[0] || strncmp(path, followed, strlen(followed)) != 0 || (flags & O_DIRECTORY) ||
        strcmp(path, followed) == 0 || (length > 4 && strcmp(path + length - 4, "-shm") == 0))
        return;
    file_of[fd] = number_of(fd, path);
}

static void
add(struct file *file, struct change change)
{
    file->changes = realloc(file->changes, (file->change_count + 1) * sizeof(*file->changes));
    if (!file->changes)
        abort();
    file->changes[file->change_count++] = change;
}

void
loss_written(int fd, const void *data, size_t length, off_t at)
{
    struct file *file = file_at(fd);
    struct change change = { .at = at, .length = length };

    if (!file)
        return;
    change.data = malloc(length);
    if (!change.data)
        abort();
    memcpy(change.data, data, length);
    add(file, change);
}

void
loss_truncated(int fd, off_t length)
{
    struct file *file = file_at(fd);

    if (file)
        add(file, (struct change){ .at = length });
}

static void
apply(struct file *file, const struct change *change)
{
    size_t at = (size_t)change->at, end = at + change->length;

    if (end > file->size || !change->data) {
        file->flushed = realloc(file->flushed, end + 1);
        if (!file->flushed)
            abort();
        if (end > file->size)
            memset(file->flushed + file->size, 0, end - file->size);
        file->size = end;
    }
    if (change->data)
        memcpy(file->flushed + at, change->data, change->length);
}

void
loss_flushed(int fd)
{
    struct file *file = file_at(fd);

    if (!file)
        return;
    for (size_t i = 0; i < file->change_count; i++) {
        apply(file, &file->changes[i]);
        free(file->changes[i].data);
    }
    file->change_count = 0;
    file->was_flushed = true;
}

void
loss_unlinked(const char *path)
{
    for (size_t i = 0; i < FILES_MAX && files[i].path[0]; i++) {
        if (strcmp(files[i].path, path) != 0)
            continue;
        free(files[i].flushed);
        files[i].flushed = NULL;
        files[i].size = files[i].change_count = 0;
        files[i].was_flushed = false;
    }
}

static void
write_file(const struct file *file)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 ||
        syscall(SYS_write, fd, file->flushed ? file->flushed : "", file->size) != (long)file->size)
        abort();
    close(fd);
}

/* One of a number, by chance. */
static unsigned
draw(uint64_t *state, unsigned count)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % count;
}

/* A disk takes each sector by itself; sometimes all that was written together, or nearly all, or hardly any. */
static void
keep_some(struct file *file, const struct change *change, uint64_t *state)
{
    static const unsigned of_16[] = { 0, 1, 8, 15, 16, 16 };
    unsigned kept = of_16[draw(state, sizeof(of_16) / sizeof(of_16[0]))];
    struct change piece = *change;
    size_t done = 0;

    do {
        piece.at = change->at + (off_t)done;
        piece.length = SECTOR - (size_t)piece.at % SECTOR;
        if (piece.length > change->length - done)
            piece.length = change->length - done;
        if (draw(state, 16) < kept) {
            apply(file, &piece);
            file->was_flushed = true;
        }
        done += piece.length;
        piece.data += change->data ? piece.length : 0;
    } while (done < change->length);
}

void
loss_write(unsigned chance)
{
    uint64_t state = chance;
    char shared[300];

    shim_disarm();
    for (size_t i = 0; i < FILES_MAX && files[i].path[0]; i++) {
        struct file *file = &files[i];
        for (size_t change = 0; chance && change < file->change_count; change++)
            keep_some(file, &file->changes[change], &state);
        syscall(SYS_unlink, file->path);
        if (file->was_flushed)
            write_file(file);
        strcpy(shared, file->path);
        strcat(shared, "-shm");
        syscall(SYS_unlink, shared);
    }
}
