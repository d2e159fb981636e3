/* Rows of subjects: asking for them page by page, and telling of the parked ones. */
#ifndef CLI_SUBJECTS_H
#define CLI_SUBJECTS_H

#include <json-c/json.h>

#include "hosts/cli/host.h"

/*
 * All rows that fit the request, {"query":"subjects",...} without "after" and "limit", up to limit
 * (0: all), as an array. The request is taken over. Who stands on a damaged page of the store is named
 * on stderr; *ret_hidden (NULL allowed): how many.
 */
int subjects_list(struct host *host, struct json_object *request, long limit,
                  struct json_object **ret, size_t *ret_hidden);

/* What became of a pending user's news so far, such as "retry"; NULL when nothing did: what stands there
 * then settled an older event. Borrowed. */
const char *outcome_open(struct json_object *row);

/* The host's name of a user, or the URI when only changes of the user came. Borrowed. */
const char *host_name(struct json_object *row);

/* Users who are parked or wait, as an array, at most the first 1000; NULL after an error, which was said. */
struct json_object *parked_list(struct host *host);

/* Puts them into an answer, those who are parked and those who wait apart; null: there are none. */
void parked_put(struct json_object *answer, struct json_object *rows);

/* How many there are in the store; 0 after an error. */
int64_t parked_count(struct host *host);

/* A block for each reason: who, Salesforce's words, cause, remedy; `total` of them are in the store. */
void parked_print(struct json_object *rows, int64_t total);

#endif
