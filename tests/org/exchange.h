/* One HTTP exchange with its faults, and the writes that land late. Threads: any; the world's mutex
 * is taken inside. */
#ifndef ORG_EXCHANGE_H
#define ORG_EXCHANGE_H

#include "tests/org/api.h"

struct exchanges;

/* Starts the timer thread for late writes; NULL when there can be none. */
struct exchanges *exchanges_new(struct world *world);
/* Ends waits under way, forgets writes not landed yet, joins the thread. */
void exchanges_stop(struct exchanges *exchanges);
void exchanges_free(struct exchanges *exchanges);

/* org NULL: the login host. The reply is the caller's to free. */
void exchange(struct exchanges *exchanges, struct org *org, const struct request *request,
              struct reply *reply);

#endif
