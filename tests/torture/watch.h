/* A limit for who hangs. */
#ifndef TORTURE_WATCH_H
#define TORTURE_WATCH_H

/* From now on this process has so many seconds; then `over` is called, in a signal's handler, and SIGALRM ends the
 * process. Time in which it was stopped does not count. What it forks has no limit. */
void watch_begin(int seconds, void (*over)(void));
void watch_end(void);

#endif
