/* Setting a user's password (fact sheet 2.8). The body is in secret memory, and no word of the answer
 * that could hold the password is passed on. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/secret.h"
#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"

/* {"NewPassword":"..."}, in secret memory. */
static char *
make_body(const char *password)
{
    static const char head[] = "{\"NewPassword\":\"", tail[] = "\"}";
    char *body = secret_alloc(sizeof(head) + sizeof(tail) + 6 * strlen(password));
    char *at = body;

    if (!body)
        return NULL;
    at = stpcpy(at, head);
    for (const char *c = password; *c; c++) {
        if ((unsigned char)*c < 0x20) {
            at = stpcpy(at, "\\u00");
            *at++ = (char)('0' + (*c >> 4));
            *at++ = "0123456789abcdef"[*c & 15];
        } else {
            if (*c == '"' || *c == '\\')
                *at++ = '\\';
            *at++ = *c;
        }
    }
    stpcpy(at, tail);
    return body;
}

/* The one call that is about a single record, and has its fault as the call's: what says nothing about the
 * connection holds nobody else (design rule 16). */
static void
judge_record(struct sf_call *call)
{
    static const char *const codes[] = { "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY",
                                         "NOT_FOUND" };

    for (size_t i = 0; call->outcome == SF_HOLD && i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(call->code, codes[i]) == 0) {
            struct sf_verdict verdict =
                sf_judge(SF_LEVEL_RECORD, call->http_status, call->code, call->message, 1);
            call->outcome = verdict.outcome;
            call->cause = verdict.cause;
            call->remedy = verdict.remedy;
        }
    }
}

int
sf_set_password(struct sf_session *session, const char *id, const char *password,
                struct sf_call *call)
{
    AUTO_SECRET char *body = make_body(password);
    struct session_request request = {
        .method = "POST", .body = body, .body_secret = true, .write = true
    };
    struct http_answer answer;
    char path[128];
    int r;

    if (!body) {
        answer_out_of_memory(call);
        return PROV_E_NOMEM;
    }
    snprintf(path, sizeof(path), "/services/data/%s/sobjects/User/%s/password",
             session_api_version(session), id);
    request.path = path;
    request.body_length = strlen(body);
    r = session_call(session, &request, &answer, call);
    if (r)
        return r;
    if (call->outcome == SF_DELIVERED)
        http_answer_clear(&answer);
    judge_record(call);
    answer_redact(call->message, password);
    if (strstr(call->message, password)) /* too short to be redacted; then nothing is said */
        call->message[0] = '\0';
    return PROV_OK;
}
