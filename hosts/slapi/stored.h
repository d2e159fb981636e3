/* slapd's entries as its database has them, for which there is no function of SLAPI's. */
#ifndef SLAPI_STORED_H
#define SLAPI_STORED_H

#include <stdbool.h>

#include <slapi-plugin.h>

/*
 * The entry that the operation is about, as it is after it, to be given back by stored_release(). NULL: it is not there,
 * or a search may find something else than what is stored, or this slapd has not got the functions. To be called
 * in a PRE_RESULT function.
 */
Slapi_Entry *stored_entry(Slapi_PBlock *block);
void stored_release(Slapi_PBlock *block, Slapi_Entry *entry);

/* Whether what names an entry by its DN follows when it is renamed: the overlay refint sees to that, some time after the client
 * was told. */
bool stored_follows(Slapi_PBlock *block);

#endif
