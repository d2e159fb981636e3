/* The life of a store that two processes write. */
#ifndef TORTURE_BESIDE_H
#define TORTURE_BESIDE_H

#include "tests/torture/shim.h"
#include "tests/torture/world.h"

/* Once, by the process that judges; the fields are borrowed for as long as it lives. */
void beside_begin(struct world *world, const char *fields);

/* Starts the other process, on a world that was reset. It submits when the one that is struck asks for it. */
void beside_start(struct world *world);
/* What the process does that is struck; arms the shim. */
void beside_live(struct world *world, const struct shim_plan *plan);
/* Once that one is over: the other submits a last time and ends; then all must be there that either was answered
 * accepted. What is wrong, or NULL. */
const char *beside_judge(struct world *world);
/* How often, since it began, a transaction was rolled back of which a part stood in the log. */
unsigned beside_rolled_back(void);

#endif
