/*
 * Keeps a fork of the host away from library code in which our threads hold a lock of the whole
 * process: OpenSSL looks its digests up under locks of its own. A child that was forked at such a
 * moment would wait for ever for a thread that it does not have.
 *
 *     CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
 *
 * Sections are short, are not nested, and take no other lock. Who takes locks before a fork as well
 * and enters the gate while holding one calls fork_gate_watch() before its own pthread_atfork(), so
 * that its locks are taken first.
 */
#ifndef BASE_FORK_H
#define BASE_FORK_H

void fork_gate_watch(void);

int fork_gate_enter(void);
void fork_gate_leave(int *inside);

#endif
