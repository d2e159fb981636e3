/* What an outcome makes of a user: one list for SQL and for C. Any other outcome ("retry", "unknown", "held")
 * is under way, and what was sent without an answer is in flight whatever the outcome says. */
#ifndef STORE_OUTCOME_H
#define STORE_OUTCOME_H

#include <stdbool.h>
#include <string.h>

#define OUTCOME_DELIVERED "delivered"
#define OUTCOME_NOTHING   "nothing to do"
#define OUTCOME_REFUSED   "refused"
#define OUTCOME_WAITING   "waiting" /* for what another one has; see WAIT_* */

/* Lists for SQL. */
#define OUTCOMES_IN_STEP "('" OUTCOME_DELIVERED "', '" OUTCOME_NOTHING "')"
/* Tried again when what stands in the way has changed, not before. */
#define OUTCOMES_BLOCKED "('" OUTCOME_REFUSED "', '" OUTCOME_WAITING "')"
/* The host has its answer; who waits has none yet. */
#define OUTCOMES_OVER "('" OUTCOME_DELIVERED "', '" OUTCOME_NOTHING "', '" OUTCOME_REFUSED "')"
/* Nothing is owed to the org now: of in step and of blocked, until a newer event comes. */
#define OUTCOMES_SETTLED                                                                           \
    "('" OUTCOME_DELIVERED "', '" OUTCOME_NOTHING "', '" OUTCOME_REFUSED "', '" OUTCOME_WAITING "')"

/* NULL: none. */
static inline bool
outcome_is(const char *outcome, const char *which)
{
    return outcome && strcmp(outcome, which) == 0;
}

static inline bool
outcome_is_in_step(const char *outcome)
{
    return outcome_is(outcome, OUTCOME_DELIVERED) || outcome_is(outcome, OUTCOME_NOTHING);
}

static inline bool
outcome_is_blocked(const char *outcome)
{
    return outcome_is(outcome, OUTCOME_REFUSED) || outcome_is(outcome, OUTCOME_WAITING);
}

static inline bool
outcome_is_settled(const char *outcome)
{
    return outcome_is_in_step(outcome) || outcome_is_blocked(outcome);
}

#endif
