/* The codes that are not Salesforce's but the connector's own, and what is said with each. Pure. */
#ifndef DELIVERY_CODES_H
#define DELIVERY_CODES_H

#include <stddef.h>

#define CODE_ACCOUNT_MISSING      "ACCOUNT_MISSING"
#define CODE_ACCOUNT_UNREADABLE   "ACCOUNT_UNREADABLE"
#define CODE_GONE                 "GONE"
#define CODE_LEAVES_SCOPE         "LEAVES_SCOPE"
#define CODE_MANAGER_AWAITED      "MANAGER_AWAITED"
#define CODE_MAPPING              "MAPPING"
#define CODE_MATCH_HELD           "MATCH_HELD"
#define CODE_MATCH_LEAVER         "MATCH_LEAVER"
#define CODE_MATCH_NO_TEXT        "MATCH_NO_TEXT"
#define CODE_MATCH_OTHER          "MATCH_OTHER"
#define CODE_MATCH_OURS           "MATCH_OURS"
#define CODE_MATCH_REFUSED        "MATCH_REFUSED"
#define CODE_MATCH_SEVERAL        "MATCH_SEVERAL"
#define CODE_NAME_NOT_FOUND       "NAME_NOT_FOUND"
#define CODE_NO_ANSWER            "NO_ANSWER"
#define CODE_NO_USER_LOGIN        "NO_USER_LOGIN"
#define CODE_OUT_OF_SCOPE         "OUT_OF_SCOPE"
#define CODE_PASSWORD_DAMAGED     "PASSWORD_DAMAGED"
#define CODE_PASSWORD_HASHED      "PASSWORD_HASHED"
#define CODE_PASSWORD_KEY         "PASSWORD_KEY"
#define CODE_PASSWORD_NO_ANSWER   "PASSWORD_NO_ANSWER"
#define CODE_PASSWORD_NOT_ACTIVE  "PASSWORD_NOT_ACTIVE"
#define CODE_PASSWORD_OFF         "PASSWORD_OFF"
#define CODE_PROFILE_NOT_FOUND    "PROFILE_NOT_FOUND"
#define CODE_RESOURCE_NEVER_SEEN  "RESOURCE_NEVER_SEEN"
#define CODE_STAYS_FROZEN         "STAYS_FROZEN"
#define CODE_STORE_DAMAGED        "STORE_DAMAGED"
#define CODE_USERNAME             "USERNAME"
#define CODE_USERNAME_ELSEWHERE   "USERNAME_ELSEWHERE"
#define CODE_USERNAME_IN_USE_HERE "USERNAME_IN_USE_HERE"
#define CODE_USERNAME_SWAP        "USERNAME_SWAP"
/* store.h has GUARD_CODE: the store counts by it. */

/* Salesforce's own code, said before it would: parked either way, and looked at again by itself. */
#define CODE_NO_SEAT "LICENSE_LIMIT_EXCEEDED"

/* The same, by what the org has said of its fields (org_facts.h). */
#define CODE_NO_CHOICE    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
#define CODE_NO_FIELD     "INVALID_FIELD"
#define CODE_NOT_WRITABLE "INVALID_FIELD_FOR_INSERT_UPDATE"
#define CODE_TOO_LONG     "STRING_TOO_LONG"

/* Salesforce's for an Id that leads nowhere: a profile or role that was deleted (fact sheet 6.2). */
#define CODE_REFERENCE "INVALID_CROSS_REFERENCE_KEY"

/* Salesforce's for who would be above his own manager (fact sheet 6.2; code unsure). */
#define CODE_CIRCULAR "CIRCULAR_DEPENDENCY"

struct code_words {
    const char *code;
    const char *state; /* what becomes of the user: "parked", "waiting", "held", ... */
    const char *cause; /* in an admin's words; static */
    const char *remedy;
};

/* Never NULL: a code that is not in the table has words that say so. Static. */
const struct code_words *code_words(const char *code);
/* What a user with this code waits for, one of WAIT_*; NULL: the user does not wait. */
const char *code_waits_for(const char *code);
/* What is said of a wait of this kind (WAIT_*), whatever the user's code. Never NULL; static. */
const struct code_words *wait_words(const char *kind);
/* The table, for documents and tests. */
const struct code_words *code_table(size_t *ret_count);

#endif
