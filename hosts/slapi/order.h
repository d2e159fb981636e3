/*
 * The order of what is handed over, for each entry the order in which it changed: an older state must
 * not come after a newer one. Reading an entry and submitting it happen while its DN is held; whoever
 * may not read meanwhile (389 DS, which holds locks of its own) compares counts instead.
 */
#ifndef SLAPI_ORDER_H
#define SLAPI_ORDER_H

/* Holds a DN, or every DN (NULL). Blocks. Not nested. */
void order_hold(const char *dn);
void order_release(const char *dn);

/* How often the DN was released; another number: something may have been submitted since. */
unsigned long order_count(const char *dn);

#endif
