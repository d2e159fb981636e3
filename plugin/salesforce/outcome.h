/*
 * What an answer of Salesforce means. One table, pure (fact sheet 6.2; design rule 16): the first
 * key is the level, because the same code on a record concerns that user and on a call everyone.
 */
#ifndef SALESFORCE_OUTCOME_H
#define SALESFORCE_OUTCOME_H

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
};

/*
 * http_status 0 on record level. code and message may be NULL (an HTML page, an empty body). An
 * unknown code is SF_REFUSED on record level, never SF_HOLD; on call level the HTTP status decides:
 * 5xx on a write is SF_UNKNOWN; 401, 403, 404, 405, 407, 410, 415 and redirects concern everyone
 * and are SF_HOLD; other 4xx are SF_REFUSED. `write` says whether the call changes something; it
 * counts on call level only.
 */
struct sf_verdict sf_judge(enum sf_level level, int http_status, const char *code,
                           const char *message, int write);

const char *sf_outcome_name(enum sf_outcome outcome);

#endif
