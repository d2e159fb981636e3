/* Who has to be renamed before another one can be. */
#ifndef DELIVERY_NAMES_CHAIN_H
#define DELIVERY_NAMES_CHAIN_H

#include "patterns/pattern.h"
#include "plugin/base/json.h"
#include "plugin/store/store.h"

/* The username that the holder of another one is about to get; "" stands there: none. */
typedef int (*names_wish)(void *context, const struct name_claim *claim,
                          char ret[PATTERN_MAX_BYTES], struct prov_error *err);
/* The one he waits for, as the store tells. No context. */
int names_wait_for(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
                   struct prov_error *err);

enum names_end {
    NAMES_FREE, /* nobody has it, or those who have are about to be renamed, one after the other */
    NAMES_RING, /* they wait for each other, and for this one */
    NAMES_HELD  /* who has it keeps it, as far as is known */
};
/* Whether a subject can have the username it wants. In `walked`, an object, stands where names lead that were followed
 * before, as long as nobody wishes something else. *ret_rival: the URI of who has it now, heap; NULL: nobody has. */
MUST_CHECK int names_follow(struct store *store, int64_t subject, const char *wanted,
                            names_wish wish, void *context, struct json_object *walked,
                            enum names_end *ret, char **ret_rival, struct prov_error *err);

#endif
