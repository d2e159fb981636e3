/*
 * Reports whose manager's entry was not there when they were read: whoever adds it hands them over anew. In memory,
 * and a fixed number of them: a whole list (sync) sees them all. Any thread.
 */
#ifndef SLAPI_WAITING_H
#define SLAPI_WAITING_H

/* That `report` waits for an entry at `manager`; both are DNs. What has no room is not kept. */
void waiting_note(const char *manager, const char *report);

/* Who waits for the entry at this DN, and waits no more: DNs, an array that ends with NULL, of the caller, who frees
 * each and the array. NULL: nobody. */
char **waiting_take(const char *manager);

#endif
