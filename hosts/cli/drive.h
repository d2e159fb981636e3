/* Delivery on a thread of the program's own, and the wait until everything is settled. */
#ifndef CLI_DRIVE_H
#define CLI_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "hosts/cli/host.h"

struct drive;

/* What came of it so far. */
struct drive_view {
    uint64_t delivered, parked, retried, api_calls; /* by this program */
    uint64_t pending;                               /* in the whole store */
    uint32_t state;                                 /* enum prov_delivery_state; 0: none yet */
    int64_t next_due_us;
    bool settled; /* of all that was there when drive_kick() was called last */
    int32_t code; /* deliver() failed: enum prov_code */
    char error[1008];
};

/* Starts delivering. Returns an exit code; the caller gives *ret to drive_stop(). */
int drive_start(struct host *host, struct drive **ret);

/* Something new is in the store. */
void drive_kick(struct drive *drive);

struct drive_view drive_look(struct drive *drive);

/* Waits until all is settled, delivery is held or fails, timeout_s (0: none) is over or the user
 * interrupts. Draws the progress line with `prefix` in front. Returns an exit code. */
int drive_finish(struct drive *drive, long timeout_s, const char *prefix);

/* Ends delivery after the call under way, frees it and returns what came of it in all. If that call
 * does not end in time, the program ends here with `code`: nothing is lost by that, the store knows
 * what is in flight. */
struct drive_view drive_stop(struct drive *drive, int code);

/* Redraws the progress line. */
void drive_progress(const struct drive_view *view, const char *prefix, int64_t since_us);

/* For --json. NULL when out of memory. */
struct json_object *drive_summary(const struct drive_view *view, int code);

/* Says on stderr why delivery did not finish. */
void drive_explain(struct host *host, const struct drive_view *view, int code);

/* From here on SIGINT and SIGTERM only make interrupt_seen() say yes; a second one ends the
 * program at once. */
void interrupt_watch(void);
bool interrupt_seen(void);

/* Microseconds of a clock that nobody sets. */
int64_t clock_us(void);

#endif
