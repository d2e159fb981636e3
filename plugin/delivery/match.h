/* Accounts that are in the org before we created anything (design rule 11): who is whose, by the
 * fields that the connector field `match` names. */
#ifndef DELIVERY_MATCH_H
#define DELIVERY_MATCH_H

#include "plugin/delivery/internal.h"

enum match_verdict {
    MATCH_NONE,  /* nobody in the org: to be created */
    MATCH_ADOPT, /* one account, and nothing speaks against it */
    MATCH_WAIT,  /* one account, of a leaver whose last change is not known yet; reason says so */
    MATCH_REFUSE /* several, or one that is not to be had; code and reason say why */
};

/* One subject that is to be created, and what the org has for it. */
struct match {
    const struct subject *subject; /* borrowed */
    const struct value *fields;    /* of its planned create; borrowed */
    const char *key;               /* the field that matched; NULL: none did */
    struct json_object *rows;      /* the accounts it matched; owned */
    enum match_verdict verdict;
    const char *code; /* MATCH_REFUSE: "MATCH_SEVERAL", "MATCH_HELD", "MATCH_OTHER", "MATCH_OURS",
                         "MATCH_NO_TEXT" */
    char reason[500];
    int64_t holder; /* MATCH_ADOPT: a leaver's subject that the account is to be taken from; 0 */
};

void match_done(struct match *match);

/*
 * Looks all of them up, key by key in the order of the field `match`: who matched by one is not
 * looked up by the next. Then judges. Asks Salesforce in batches; stops at the first call that does
 * not pass (*ret_call). Touches nothing of the delivery's, so queries need no lock.
 */
MUST_CHECK int match_find(struct delivery *delivery, struct match *list, size_t count,
                          struct sf_call *ret_call, struct prov_error *err);

/* Looks up, adopts or parks whoever is to be created in this round; the adopted are planned anew. */
MUST_CHECK int match_creates(struct round *round, struct prov_error *err);

#endif
