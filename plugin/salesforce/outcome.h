/*
 * What an answer of Salesforce means. One table, pure (fact sheet 6.2; design rule 16): the first
 * key is the level, because the same code on a record concerns that user and on a call everyone.
 */
#ifndef SALESFORCE_OUTCOME_H
#define SALESFORCE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

enum sf_level {
    SF_LEVEL_TOKEN, /* the token endpoint's answer: {"error","error_description"} */
    SF_LEVEL_CALL,  /* the data API refused the call as a whole */
    SF_LEVEL_RECORD /* one record's statusCode inside HTTP 200 */
};

enum sf_outcome {
    SF_DELIVERED, /* Salesforce confirmed */
    SF_RETRY,     /* will pass: lock, 5xx of a call that surely did nothing, not sent */
    SF_REFUSED,   /* this subject (record) or this body (call) is at fault */
    SF_HOLD,      /* the org or the credentials are at fault; call and token level only */
    SF_UNKNOWN    /* sent, no certain answer: rule 14 */
};

struct sf_verdict {
    enum sf_outcome outcome;
    const char *cause;  /* in an admin's words; static, never NULL */
    const char *remedy; /* what to do; static, never NULL */
    bool known;         /* the code has a row of its own; else this is the safe default */
};

/*
 * http_status 0 on record level. code and message may be NULL (an HTML page, an empty body). What a
 * code that is not known means, so that nothing is lost and nobody is stopped for one user's sake:
 *   record  SF_REFUSED, never SF_HOLD: that user is parked with Salesforce's words, and looked at again
 *           every hour; success false says that nothing was done.
 *   call    as the HTTP status says. 5xx on a write is SF_UNKNOWN, as it may have been done; 401, 403,
 *           404, 405, 407, 410, 415 and redirects concern everyone and are SF_HOLD; other 4xx are
 *           SF_REFUSED, and the call is bisected.
 *   token   SF_HOLD, but for 5xx, 408 and 420, which pass: without a token nothing can be sent.
 * `write` says whether the call changes something; it counts on call level only.
 */
struct sf_verdict sf_judge(enum sf_level level, int http_status, const char *code,
                           const char *message, int write);

/* ---- the table, for documents and tests ---- */

#define SF_ON(level) (1u << (level))

struct sf_code {
    unsigned levels; /* of SF_ON() */
    const char *code;
    const char *text;                  /* must occur in the message, in any case; NULL: any text */
    enum sf_outcome on_read, on_write; /* they differ on call level only; a record is a write */
    const char *cause, *remedy;
};

/* A range of HTTP statuses that come without a code. */
struct sf_status {
    int first, last;
    enum sf_outcome on_read, on_write;
    const char *cause, *remedy;
};

/* Static; the first row that fits counts. */
const struct sf_code *sf_codes(size_t *ret_count);
const struct sf_code *sf_blockers(size_t *ret_count); /* why a user cannot be deactivated */
const struct sf_status *sf_statuses(size_t *ret_count);

const char *sf_outcome_name(enum sf_outcome outcome);

#endif
