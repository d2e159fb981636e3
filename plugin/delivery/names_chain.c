/* Follows usernames from holder to holder: who has the wanted one wants the name of someone ... and in the end
 * stands a name that is free, somebody who keeps his, or the one who asks. What a holder is about to get is
 * known in one way to a round, in another to a replan, and in a third to a preview. */
#include <stdio.h>

#include "plugin/delivery/internal.h"

/* A longer chain is waited for, not followed: everybody in it looks along it. */
#define CHAIN_MAX 1000

int
names_wait_for(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
               struct prov_error *err)
{
    (void)context;
    (void)err;
    snprintf(ret, PATTERN_MAX_BYTES, "%s", claim->waits_name ? claim->waits_name : "");
    return PROV_OK;
}

int
names_follow(struct store *store, int64_t subject, const char *wanted, names_wish wish,
             void *context, enum names_end *ret, char **ret_rival, struct prov_error *err)
{
    char name[PATTERN_MAX_BYTES];
    int64_t who = subject;
    int r = PROV_OK;

    *ret_rival = NULL;
    *ret = NAMES_HELD;
    snprintf(name, sizeof(name), "%s", wanted);
    for (int steps = 0; !r && steps < CHAIN_MAX; steps++) {
        CLEANUP(name_claim_done) struct name_claim claim = { 0 };
        r = store_name_claim(store, name, who, &claim, err);
        if (r)
            return r;
        if (!claim.subject || (claim.holds && claim.subject == subject)) {
            *ret = claim.subject ? NAMES_RING : NAMES_FREE;
            return PROV_OK;
        }
        if (!*ret_rival)
            *ret_rival = STEAL(claim.uri);
        name[0] = '\0';
        if (claim.holds) /* who only wants it may get it any time */
            r = wish(context, &claim, name, err);
        if (!name[0])
            return r;
        who = claim.subject;
    }
    return r;
}
