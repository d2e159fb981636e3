/*
 * Whether a directory has what was heard of it last. One that was restored, or a replica that lags behind, may go on from
 * a cookie without a word of what it does not know.
 */
#ifndef CLI_FOLLOW_AGE_H
#define CLI_FOLLOW_AGE_H

#include "hosts/cli/follow_state.h"
#include "hosts/ldap/content.h"

struct follow_lack {
    bool any;  /* a change that was heard is not there; */
    bool kept; /* one that the cookie stands for */
};

/* Looks for the newest changes that it has not told anew since follow_state_begin(). As content_search(). */
int follow_age_look(const struct follow_state *state, struct content *content,
                    struct follow_lack *ret, struct prov_error *err);

#endif
