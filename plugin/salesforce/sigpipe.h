/* Writing to a connection that is gone, without a signal for the host. Private to plugin/salesforce/. */
#ifndef SALESFORCE_SIGPIPE_H
#define SALESFORCE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

/*
 * OpenSSL writes without MSG_NOSIGNAL. A SIGPIPE goes to the writing thread, so it is blocked here
 * and taken off the queue before the mask is given back; one that was pending before stays.
 */
struct sigpipe_guard {
    sigset_t before;
    bool active;
};

/* Both in one thread, around what writes. */
void sigpipe_block(struct sigpipe_guard *guard);
void sigpipe_restore(const struct sigpipe_guard *guard);

#endif
