/* What the tests of the Salesforce room share: a session with a scripted org, and one call of each
 * kind. The ids have right suffixes. */
#ifndef SALESFORCE_SESSION_TEST_H
#define SALESFORCE_SESSION_TEST_H

#include "plugin/base/clock.h"
#include "plugin/salesforce/session.h"
#include "tests/unit/batches.h"
#include "tests/unit/loopback.h"
#include "tests/unit/unit.h"

#define ORG_ID    "00D5g000008abcdEAA"
#define RUN_AS_ID "0055g00000AbCdEAAV"
#define SECRET    "cAnArY/+&=%consumer"
#define TOKEN     "00D5g000008abcd!cAnArY.first_token"
#define TOKEN_2   "00D5g000008abcd!cAnArY.second_token"

#define AT_TOKEN  "POST /services/oauth2/token"
#define AT_CREATE "POST /services/data/v67.0/composite/sobjects"
#define AT_UPDATE "PATCH /services/data/v67.0/composite/sobjects"
#define AT_QUERY  "GET /services/data/v67.0/query"

#define TOKEN_REPLY(token)                                                                         \
    "{\"access_token\":\"" token "\",\"signature\":\"c2ln\",\"scope\":\"api\","                    \
    "\"instance_url\":\"@ORIGIN@\",\"id\":\"https://login.salesforce.com/id/" ORG_ID "/" RUN_AS_ID \
    "\",\"token_type\":\"Bearer\",\"issued_at\":\"1763809320123\"}"
#define EXPIRED                                                                                    \
    "[{\"message\":\"Session expired or invalid\",\"errorCode\":\"INVALID_SESSION_ID\"}]"
#define NO_ROWS   "{\"totalSize\":0,\"done\":true,\"records\":[]}"
#define CREATED   "[{\"id\":\"0055g00000AbCdFAAV\",\"success\":true,\"errors\":[]}]"
#define JSON_TYPE "Content-Type: application/json;charset=UTF-8\r\n"

/* The usual token reply, as often as asked. */
#define GIVES_TOKEN                                                                                \
    {                                                                                              \
        .where = AT_TOKEN, .status = 200, .header = JSON_TYPE, .body = TOKEN_REPLY(TOKEN),         \
        .times = 1000                                                                              \
    }

/* The limit of a call that is to come to its end: a slow machine is no failure. */
#define NO_HURRY_MS 60000

#define START(answers) loopback_start(answers, sizeof(answers) / sizeof(answers[0]))

static inline struct sf_session *
open_at(const char *origin, const char *token_endpoint, int64_t timeout_ms)
{
    const struct sf_settings settings = { .origin = origin,
                                          .api_version = "v67.0",
                                          .token_endpoint = token_endpoint,
                                          .client_id = "3MVG9 key&",
                                          .client_secret = SECRET,
                                          .user_agent = "sfprov/test",
                                          .connect_timeout_ms = timeout_ms,
                                          .request_timeout_ms = timeout_ms };
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;

    T_OK(sf_session_new(&settings, &session, &err), &err);
    return session;
}

static inline struct sf_session *
open_session(const struct loopback *server, int64_t timeout_ms)
{
    char endpoint[128];

    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(server));
    return open_at(loopback_origin(server), endpoint, timeout_ms);
}

/* Ends both, the session first, so that its connections close. */
static inline void
end(struct sf_session *session, struct loopback *server)
{
    sf_session_free(session);
    loopback_stop(server);
}

/* A read without rows: what came of it. */
static inline struct sf_call
query_call(struct sf_session *session)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;

    T_INT(sf_query(session, "SELECT Id FROM User", SF_CAN_WAIT, &rows, &call), PROV_OK);
    return call;
}

/* A write of one user. */
static inline struct sf_call
create_call(struct sf_session *session, struct sf_record *record)
{
    AUTO_JSON struct json_object *records =
        json_tokener_parse("[{\"Username\":\"ann@acme.com\",\"LastName\":\"Ann\"}]");
    struct sf_record own;
    struct sf_call call;

    T_INT(send_users(session, false, records, record ? record : &own, &call), PROV_OK);
    return call;
}

#endif
