/*
 * The calls of the C library under the connector: counted, made to fail, made to end the process,
 * and with them the loss of a machine; and the clocks. The definitions stand in the test program, so
 * that SQLite, libcurl and json-c find them before those of the C library.
 *
 * Threads  Only calls of the thread that armed the shim count: the simulated org runs beside it.
 */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

enum shim_class {
    SHIM_STORE = 1,  /* open, read, write, flush, truncate, unlink, map, lock */
    SHIM_SOCKET = 2, /* socket, connect, send, receive */
    SHIM_MEMORY = 4, /* malloc, calloc, realloc */
    SHIM_SPACE = 8   /* of SHIM_STORE those that need room on the disk */
};

enum shim_action {
    SHIM_COUNT,
    SHIM_FAIL,    /* once */
    SHIM_FAIL_ON, /* from then on */
    SHIM_SHORT,   /* as SHIM_FAIL_ON, but of the first a half is written yet */
    SHIM_DIE,     /* _exit() before the call is done */
    SHIM_STOP,    /* SIGSTOP before the call is done */
    SHIM_LOSE /* as SHIM_DIE, and what was not flushed is gone, but for what chance left there */
};

struct shim_plan {
    unsigned classes;
    enum shim_action action;
    long nth;  /* the first is 1 */
    int error; /* errno of a call that fails; 0: one that fits it */
    unsigned chance;
};

/* What the process ends with at SHIM_DIE and SHIM_LOSE. */
#define SHIM_EXIT_CODE 77

/* Whether allocations can be made to fail: not under a sanitizer, which has its own. */
extern const bool shim_has_memory;

/* Where to write from where the last call that failed was made; -1: nowhere. Addresses for addr2line -e. */
extern int shim_trace_fd;
/* Writes there from where it is called. */
void shim_trace(void);
/* To stdout, what was written there last. */
void shim_print_trace(void);

void shim_arm(const struct shim_plan *plan);
/* Returns how many calls were counted since. */
long shim_disarm(void);

/* For SHIM_LOSE: files whose path begins so are followed from now on; at the loss their directory is
 * written anew with what a machine that lost its power would find. */
void shim_follow(const char *directory);

/* Whether names of hosts are not found; numbers are. */
void shim_names_fail(bool fail);

/* Whether SQLite's pauses end at once: it waits so for who has locked a file. */
void shim_sleepless(bool sleepless);

/* Moves the clocks of everybody, the connector's and the org's; forward. */
void shim_clock_move(int64_t us);
/* Sets the wall clock of the calling thread (the connector) apart from the org's. */
void shim_clock_skew(int64_t us);
/* Whether the calling thread is the connector's, or the org's, which has a wall clock of its own. Returns
 * which it was; who calls one of these functions is the connector's. */
bool shim_be_connector(bool is);
/* Whether the clocks stand still but for what they are moved by; not those of the libraries. Nothing that
 * waits by the monotonic clock may run meanwhile. */
void shim_clock_hold(bool hold);
/* Holds the clocks at a full hour; what is random for the connector follows from the seed. */
void shim_begin(uint64_t seed);

#endif
