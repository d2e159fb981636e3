/* Asks the simulated org without a server: a request in, the reply kept until the next one. */
#ifndef UNIT_ASK_H
#define UNIT_ASK_H

#include "tests/org/exchange.h"
#include "tests/unit/unit.h"

extern struct world *world; /* of two orgs */
extern struct org *acme, *globex;
extern int64_t ask_now_ms; /* what the clock shows */

/* The last reply: its body parsed (NULL if it is no JSON), and as text. */
extern struct reply answer;
extern struct json_object *answer_json;

#define DATA "/services/data/v67.0"

/* A new world, each org with a session; every case starts with it and ends with ask_end(). */
void ask_begin(void);
void ask_end(void);

/* Sends with the org's session and application/json; returns the status. */
int ask(struct org *org, const char *method, const char *target, const char *body);
/* "Bearer ..." */
const char *ask_session(struct org *org);
/* The same with whatever the request holds; org NULL asks the login host. */
int ask_raw(struct org *org, const struct request *request);
/* Through exchange(), so with faults; control calls too. */
int ask_exchange(struct org *org, const char *method, const char *target, const char *body);
/* What they go through, for a thread of its own. */
struct exchanges *ask_exchanges(void);
/* GET .../query?q= with the SOQL encoded. */
int ask_soql(struct org *org, const char *soql);

/* A record of a good user of that name; more is put behind it: ",\"Title\":\"x\"". Static buffer,
 * four of them in turn. */
const char *good_user(const char *username, const char *more);
/* Creates it; returns its Id (static, four in turn), "" and a failed check when refused. */
const char *make_user(struct org *org, const char *username, const char *more);
/* A path into a user's row. */
const char *user_path(const char *id);

/* A member of the last answer's first error (2.12), "" if there is none. */
const char *error_code(void);
const char *error_text(void);
/* The error of the index'th result of Collections: its statusCode, "" for a success. */
const char *result_code(size_t index);
const char *result_id(size_t index);
size_t answer_length(void);
/* The header of the last reply, "" if absent. */
const char *answer_header(const char *name);
/* A text field of the user as the API shows it; "" for null. */
const char *user_text(struct org *org, const char *id, const char *field);

#endif
