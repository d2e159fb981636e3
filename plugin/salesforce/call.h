/* One call to the data API through the session: what session.c offers to users.c. Private to
 * plugin/salesforce/. */
#ifndef SALESFORCE_CALL_H
#define SALESFORCE_CALL_H

#include "plugin/salesforce/http.h"
#include "plugin/salesforce/session.h"

struct session_request {
    const char *method;
    const char *path; /* from "/services/..." on */
    const char *body; /* JSON; NULL for none */
    size_t body_length;
    enum sf_urgency urgency;
    bool body_secret;       /* see http.h */
    bool write;             /* the call changes something: no answer is SF_UNKNOWN */
    bool anonymous;         /* to the configured origin, without a token */
    struct sf_trace *trace; /* filled; NULL: it is not asked for */
};

/*
 * Sends with the shared token, renewed once on a 401. With SF_DELIVERED the answer is a 2xx and
 * the caller's to clear; it is empty otherwise. PROV_E_NOMEM only if nothing was sent.
 */
MUST_CHECK int session_call(struct sf_session *session, const struct session_request *request,
                            struct http_answer *ret_answer, struct sf_call *call);

/* A GET whose answer is one JSON value, which the caller owns (SF_DELIVERED only). */
MUST_CHECK int session_get(struct sf_session *session, const struct session_request *request,
                           struct json_object **ret, struct sf_call *call);

/* "v67.0", borrowed. */
const char *session_api_version(const struct sf_session *session);

#endif
