/* A fixed work of the connector whose cost is counted instead of timed: see docs/performance.md. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stdbool.h>

struct org_sim;

/* The org that answers. */
extern struct org_sim *gate_org;
/* Whether calls are counted from now on; returns whether they were. */
bool gate_count(bool on);

#endif
