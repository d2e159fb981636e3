/* Takes passwords out of an event before anything else sees it. For this room only. */
#ifndef EVENT_PASSWORD_H
#define EVENT_PASSWORD_H

#include "plugin/base/value.h"

/*
 * Whether the text of an event may name a password at all, so that the others need not be searched: false only
 * if the word is not in it, nor an escape that could spell it.
 */
bool event_may_hold_password(const char *json, size_t length);

/*
 * Removes every attribute whose name ends with `password`, at any depth, from the payload of an
 * event URI; from that of a PATCH also the operations whose path names one, and those that are
 * empty afterwards. Sets *found if there was one, and never clears it.
 */
void event_remove_password(struct value *payload, bool is_patch, bool *found);

/* Longer ones cannot be meant. */
#define PASSWORD_MAX_BYTES 4096

/*
 * Takes a copy of the user's own `password` (RFC 7643 4.1.1) that the payload sets, the last one of a
 * PATCH; *ret is from secret_alloc(), and stays as it is if there is none. Other attributes of that name
 * are no password of the user. PROV_E_INVALID: it is no text; PROV_E_LIMIT, PROV_E_NOMEM. No
 * text says anything of it.
 */
MUST_CHECK int event_take_password(struct value *payload, bool is_patch, char **ret,
                                   struct prov_error *err);

#endif
