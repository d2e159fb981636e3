/* From an HTTP answer to what became of a call. Private to plugin/salesforce/. */
#ifndef SALESFORCE_ANSWER_H
#define SALESFORCE_ANSWER_H

#include "plugin/salesforce/http.h"
#include "plugin/salesforce/session.h"

/* Copies Salesforce's words for an operator: HTML tags and control characters become spaces, runs
 * of spaces one; cut between two characters. NULL is "". */
void answer_clean(const char *text, char *ret, size_t room);

/* What one answer, or all pages of a query, may take in memory: values, a container for eight. A page
 * of 2000 users with all their fields has some 150 000. */
#define ANSWER_MAX_VALUES 500000u
#define QUERY_MAX_VALUES  2000000u

/*
 * The body as JSON. Refused beyond what json_parse() refuses: NUL written as \u0000, which Salesforce
 * stores nowhere and which would end a text early for us, and more than ANSWER_MAX_VALUES: "{}," is
 * three bytes there and a kilobyte here. *ret_values (may be NULL) is what was counted.
 */
MUST_CHECK int answer_parse(const struct http_answer *answer, const char *what,
                            struct json_object **ret, size_t *ret_values, struct prov_error *err);

bool answer_is_success(const struct http_answer *answer);

/* Replaces each occurrence of a secret in text, in place. NULL texts and short secrets do
 * nothing. */
void answer_redact(char *text, const char *secret);

/* A verdict of our own, with words in the place of Salesforce's message. */
void answer_tell(struct sf_call *call, enum sf_outcome outcome, const char *cause,
                 const char *remedy, const char *format, ...) PRINTF_LIKE(5, 6);

/* SF_REFUSED for the caller's own fault: nothing is sent. Returns the code. */
int answer_refuse(struct sf_call *call, int code, const char *why);

/* SF_RETRY: nothing was sent, or a read could not be finished. */
void answer_out_of_memory(struct sf_call *call);

/* What came of a call that ended with `answer`; a 2xx is SF_DELIVERED, its body is not looked at. */
void answer_judge(const struct http_answer *answer, enum sf_level level, int write,
                  struct sf_call *call);

/* "api-usage=18/5000": the first number is what is used (fact sheet 2.3). False: leaves both. */
bool answer_usage(const char *limit_info, int64_t *used, int64_t *max);

/* 299 - "This API is deprecated ...": what the header Warning says of the version of the API that was called (fact
 * sheet 10); "" if it says something else, or nothing. */
void answer_deprecation(const char *warning, char *ret, size_t room);

#endif
