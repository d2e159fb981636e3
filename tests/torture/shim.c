/* The shim: which calls count, and what becomes of the n-th. What a loss leaves of the files is
 * decided in loss.c. */
#include "tests/torture/shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/torture/loss.h"

#define SHOWN   __attribute__((visibility("default")))
#define HOUR_US INT64_C(3600000000)
/* The C library's own definition; asked for with the shim unarmed, since dlsym() allocates. */
#define REAL(name) ((__typeof__(&name))real(#name))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define HAS_MEMORY false
#else
#    define HAS_MEMORY true
#endif
const bool shim_has_memory = HAS_MEMORY;

int shim_trace_fd = -1;
static __thread struct shim_plan plan;
static __thread bool armed, connector, halves;
static __thread long count;
static int64_t moved_us;
static int64_t skew_us;
static bool holds;
static int64_t held_us[CLOCK_BOOTTIME + 1]; /* by clock: when it was held */
static uint64_t random_state;

static void *
real(const char *name)
{
    bool before = armed;
    void *found;

    armed = false;
    found = dlsym(RTLD_NEXT, name);
    armed = before;
    if (!found)
        abort();
    return found;
}

void
shim_arm(const struct shim_plan *to)
{
    plan = *to;
    count = 0;
    armed = true;
}

long
shim_disarm(void)
{
    armed = false;
    return count;
}

void
shim_trace(void)
{
    bool before = armed;
    void *frames[40];
    int depth;

    armed = false;
    depth = backtrace(frames, sizeof(frames) / sizeof(frames[0]));
    if (ftruncate(shim_trace_fd, 0) == 0 && lseek(shim_trace_fd, 0, SEEK_SET) == 0)
        backtrace_symbols_fd(frames, depth, shim_trace_fd);
    armed = before;
}

void
shim_print_trace(void)
{
    char text[4096];
    ssize_t length = pread(shim_trace_fd, text, sizeof(text), 0);

    if (length > 0)
        printf("%.*s", (int)length, text);
}

/* Counts a call; true: it is to fail, errno is set. */
static bool
strikes(enum shim_class class, int error)
{
    if (!armed || !(plan.classes & class))
        return false;
    count++;
    if (plan.action == SHIM_COUNT || count < plan.nth ||
        (count > plan.nth && plan.action != SHIM_FAIL_ON && plan.action != SHIM_SHORT))
        return false;
    if (plan.action == SHIM_SHORT && count == plan.nth) {
        halves = true;
        return false;
    }
    if (plan.action == SHIM_STOP) {
        raise(SIGSTOP);
        return false;
    }
    if (plan.action == SHIM_LOSE)
        loss_write(plan.chance);
    if (plan.action == SHIM_LOSE || plan.action == SHIM_DIE)
        _exit(SHIM_EXIT_CODE);
    if (shim_trace_fd >= 0)
        shim_trace();
    errno = plan.error ? plan.error : error;
    return true;
}

/* A call that needs room on the disk; a disk that is full refuses those only. */
static bool
strikes_space(void)
{
    return plan.classes & SHIM_SPACE ? strikes(SHIM_SPACE, ENOSPC) : false;
}

static bool
is_socket(int fd)
{
    int type;
    socklen_t length = sizeof(type);
    int before = errno;
    bool is = armed && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;

    errno = before;
    return is;
}

/* A socket has its own faults; curl also reads and writes with the calls for files. */
static bool
strikes_file(int fd, int error)
{
    if (is_socket(fd))
        return strikes(SHIM_SOCKET, ECONNRESET);
    return (error == ENOSPC && strikes_space()) || strikes(SHIM_STORE, error);
}

/* ---- files ---- */

SHOWN int
open64(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode = 0;
    int fd;

    va_start(more, flags);
    if (flags & (O_CREAT | O_TMPFILE))
        mode = va_arg(more, mode_t);
    va_end(more);
    if (strikes(SHIM_STORE, flags & O_CREAT ? ENOSPC : EIO))
        return -1;
    if (flags & O_CREAT && access(path, F_OK) != 0 && strikes_space())
        return -1;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    loss_opened(fd, path, flags);
    return fd;
}

SHOWN int
open(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode = 0;

    va_start(more, flags);
    if (flags & (O_CREAT | O_TMPFILE))
        mode = va_arg(more, mode_t);
    va_end(more);
    return open64(path, flags, mode);
}

SHOWN ssize_t
pwrite64(int fd, const void *data, size_t length, off64_t at)
{
    ssize_t done;

    halves = false;
    if (strikes_file(fd, ENOSPC))
        return -1;
    done = REAL(pwrite64)(fd, data, halves ? (length + 1) / 2 : length, at);
    if (done > 0)
        loss_written(fd, data, (size_t)done, at);
    return done;
}

SHOWN ssize_t
write(int fd, const void *data, size_t length)
{
    off_t at;
    ssize_t done;

    if (strikes_file(fd, ENOSPC))
        return -1;
    at = loss_follows(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    done = REAL(write)(fd, data, length);
    if (done > 0)
        loss_written(fd, data, (size_t)done, at);
    return done;
}

SHOWN ssize_t
pread64(int fd, void *data, size_t length, off64_t at)
{
    return strikes_file(fd, EIO) ? -1 : REAL(pread64)(fd, data, length, at);
}

/* How often nothing has come yet depends on the time it takes, and is not counted. */
static ssize_t
received(ssize_t done)
{
    bool none = done < 0 && (errno == EAGAIN || errno == EINTR);

    return none || !strikes(SHIM_SOCKET, ECONNRESET) ? done : -1;
}

SHOWN ssize_t
read(int fd, void *data, size_t length)
{
    if (is_socket(fd))
        return received(REAL(read)(fd, data, length));
    return strikes(SHIM_STORE, EIO) ? -1 : REAL(read)(fd, data, length);
}

SHOWN int
ftruncate64(int fd, off64_t length)
{
    int r;

    if (strikes_file(fd, EIO))
        return -1;
    r = REAL(ftruncate64)(fd, length);
    if (r == 0)
        loss_truncated(fd, length);
    return r;
}

/* Locks of files are taken with it; a lock is given back without fail. Not ENOLCK, for which SQLite waits. */
SHOWN int
fcntl64(int fd, int command, ...)
{
    bool takes = false;
    va_list more;
    void *argument;

    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    if (command == F_SETLK || command == F_SETLKW)
        takes = ((struct flock *)argument)->l_type != F_UNLCK;
    return takes && strikes(SHIM_STORE, EIO) ? -1 : REAL(fcntl64)(fd, command, argument);
}

SHOWN int
fcntl(int fd, int command, ...)
{
    va_list more;
    void *argument;

    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    return fcntl64(fd, command, argument);
}

/* Of files: the index of the write-ahead log. */
SHOWN void *
mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    if (fd >= 0 && strikes(SHIM_STORE, ENOMEM))
        return MAP_FAILED;
    return REAL(mmap64)(at, length, protection, flags, fd, offset);
}

SHOWN int
fsync(int fd)
{
    if (strikes_file(fd, EIO))
        return -1;
    loss_flushed(fd);
    return 0; /* the disk of a test need not turn */
}

SHOWN int
fdatasync(int fd)
{
    return fsync(fd);
}

SHOWN int
unlink(const char *path)
{
    int r;

    if (strikes(SHIM_STORE, EIO))
        return -1;
    r = REAL(unlink)(path);
    if (r == 0)
        loss_unlinked(path);
    return r;
}

/* ---- sockets ---- */

SHOWN int
socket(int domain, int type, int protocol)
{
    return strikes(SHIM_SOCKET, EMFILE) ? -1 : REAL(socket)(domain, type, protocol);
}

SHOWN int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return strikes(SHIM_SOCKET, ECONNREFUSED) ? -1 : REAL(connect)(fd, address, length);
}

static bool names_fail;

void
shim_names_fail(bool fail)
{
    __atomic_store_n(&names_fail, fail, __ATOMIC_SEQ_CST);
}

SHOWN int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret)
{
    if (name && strspn(name, "0123456789.:") != strlen(name) &&
        __atomic_load_n(&names_fail, __ATOMIC_SEQ_CST))
        return EAI_AGAIN;
    return REAL(getaddrinfo)(name, service, hints, ret);
}

SHOWN ssize_t
send(int fd, const void *data, size_t length, int flags)
{
    return strikes(SHIM_SOCKET, ECONNRESET) ? -1 : REAL(send)(fd, data, length, flags);
}

SHOWN ssize_t
recv(int fd, void *data, size_t length, int flags)
{
    return received(REAL(recv)(fd, data, length, flags));
}

/* ---- memory ---- */

#if HAS_MEMORY
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count_, size_t size);
void *__libc_realloc(void *block, size_t size);

SHOWN void *
malloc(size_t size)
{
    return strikes(SHIM_MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

SHOWN void *
calloc(size_t number, size_t size)
{
    return strikes(SHIM_MEMORY, ENOMEM) ? NULL : __libc_calloc(number, size);
}

SHOWN void *
realloc(void *block, size_t size)
{
    return strikes(SHIM_MEMORY, ENOMEM) ? NULL : __libc_realloc(block, size);
}

/* json-c before 0.17 does not look whether it got the copy of an object's key, and crashes: nothing a
 * caller could do about it. */
static bool
is_spared(const void *caller)
{
    Dl_info from;
    bool before = armed, spared;

    armed = false;
    spared = json_c_version_num() < (17 << 8) && dladdr(caller, &from) != 0 && from.dli_fname &&
             strstr(from.dli_fname, "libjson-c");
    armed = before;
    return spared;
}

SHOWN char *
strdup(const char *text)
{
    bool before = armed;
    size_t size = strlen(text) + 1;
    char *copy;

    if (armed && (plan.classes & SHIM_MEMORY) && is_spared(__builtin_return_address(0)))
        armed = false;
    copy = malloc(size);
    armed = before;
    return copy ? memcpy(copy, text, size) : NULL;
}
#endif

/* ---- clocks ---- */

void
shim_clock_move(int64_t us)
{
    __atomic_add_fetch(&moved_us, us, __ATOMIC_SEQ_CST);
    connector = true;
}

void
shim_clock_skew(int64_t us)
{
    skew_us = us;
    connector = true;
}

bool
shim_be_connector(bool is)
{
    bool before = connector;

    connector = is;
    return before;
}

static bool is_sleepless;

void
shim_sleepless(bool sleepless)
{
    is_sleepless = sleepless;
}

SHOWN int
usleep(useconds_t us)
{
    return connector && is_sleepless ? 0 : REAL(usleep)(us);
}

/* A thread that the connector's side starts is the connector's. */
struct start {
    void *(*run)(void *);
    void *argument;
    bool connector;
};

static void *
run_started(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    connector = start.connector;
    return start.run(start.argument);
}

SHOWN int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
               void *argument)
{
    struct start *start = malloc(sizeof(*start));
    int r;

    if (!start)
        return EAGAIN;
    *start = (struct start){ run, argument, connector };
    r = REAL(pthread_create)(thread, attributes, run_started, start);
    if (r)
        free(start);
    return r;
}

#ifdef __SANITIZE_ADDRESS__
static bool
others_sleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    bool sleep = true;

    if (!tasks)
        abort();
    for (struct dirent *entry; sleep && (entry = readdir(tasks));) {
        char path[sizeof("/proc/self/task//stat") + sizeof(entry->d_name)], text[256], *state;
        FILE *file;
        if (entry->d_name[0] == '.' || atol(entry->d_name) == syscall(SYS_gettid))
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
        file = fopen(path, "re");
        if (!file)
            continue; /* it has ended */
        state = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
        sleep = !state || state[2] == 'S';
        fclose(file);
    }
    closedir(tasks);
    return sleep;
}

/* The allocator of the sanitizer has locks, which a fork copies as they are: where a thread of the org held
 * one, the child waits for it for ever. Who sleeps holds none; two looks, since a packet may be on its way. */
SHOWN pid_t
fork(void)
{
    for (int looks = 0, tries = 0; looks < 2 && tries < 1000; tries++) {
        looks = others_sleep() ? looks + 1 : 0;
        (void)poll(NULL, 0, 1);
    }
    return REAL(fork)();
}
#endif

static int64_t
read_clock(clockid_t id)
{
    struct timespec now;

    (void)syscall(SYS_clock_gettime, id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Code of this program, which the plugin and the org are part of; the libraries are not. */
static bool
is_own(const void *caller)
{
    extern const char __executable_start, etext;

    return (uintptr_t)caller >= (uintptr_t)&__executable_start &&
           (uintptr_t)caller < (uintptr_t)&etext;
}

/* SQLite sleeps with this one where it is newer. Our own pauses are none of those. */
SHOWN int
nanosleep(const struct timespec *time, struct timespec *ret_rest)
{
    bool skips = connector && is_sleepless && !is_own(__builtin_return_address(0));

    return skips ? 0 : REAL(nanosleep)(time, ret_rest);
}

void
shim_clock_hold(bool hold)
{
    static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

    for (size_t i = 0; hold && !holds && i < sizeof(ids) / sizeof(ids[0]); i++)
        held_us[ids[i]] = read_clock(ids[i]);
    holds = hold;
}

/* The wall clock is moved for all; the others for the connector only, since the org waits on them. */
SHOWN int
clock_gettime(clockid_t id, struct timespec *ret)
{
    bool wall = id == CLOCK_REALTIME, own = is_own(__builtin_return_address(0));
    int64_t us;

    if ((!wall && !connector) || (!wall && id != CLOCK_MONOTONIC && id != CLOCK_BOOTTIME))
        return (int)syscall(SYS_clock_gettime, id, ret);
    us = holds && own ? held_us[id] : read_clock(id);
    us += __atomic_load_n(&moved_us, __ATOMIC_SEQ_CST);
    if (wall && connector) {
        us += skew_us;
        if (holds && own) /* no two readings are the same */
            __atomic_add_fetch(&moved_us, 1, __ATOMIC_SEQ_CST);
    }
    ret->tv_sec = (time_t)(us / 1000000);
    ret->tv_nsec = (long)(us % 1000000 * 1000);
    return 0;
}

/* ---- chance ---- */

void
shim_begin(uint64_t seed)
{
    int64_t now;

    holds = false;
    shim_clock_hold(true);
    now = held_us[CLOCK_REALTIME] + __atomic_load_n(&moved_us, __ATOMIC_SEQ_CST);
    shim_clock_move(HOUR_US - now % HOUR_US);
    random_state = seed | 1;
}

SHOWN ssize_t
getrandom(void *data, size_t length, unsigned flags)
{
    unsigned char *bytes = data;

    if (!random_state || !connector || !is_own(__builtin_return_address(0)))
        return syscall(SYS_getrandom, data, length, flags);
    for (size_t at = 0; at < length; at++) {
        uint64_t z =
            __atomic_add_fetch(&random_state, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_SEQ_CST);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        bytes[at] = (unsigned char)(z ^ z >> 31);
    }
    return (ssize_t)length;
}
