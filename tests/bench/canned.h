/* A server of canned answers over TLS, in a process of its own: what a bench spends is then the
 * connector's alone. It keeps no users and checks nothing; tests/org does. */
#ifndef BENCH_CANNED_H
#define BENCH_CANNED_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* In memory that both processes see. */
struct canned {
    atomic_int latency_ms;         /* before each answer to a Collections call */
    atomic_llong collections;      /* calls so far */
    atomic_llong collection_at_us; /* the first byte of the last one came when; monotonic clock */
    int port;
    pid_t process;
};

/* Ends the program when it cannot. ca_file: written, PEM. */
struct canned *canned_start(const char *ca_file);
void canned_stop(struct canned *canned);

#endif
