/*
 * Decides that the mark says why the directory is not followed now, and that each try which fails alike is no further
 * one. Whatever else is marked asks for a resync as well, and stays.
 */
#include "hosts/cli/follow_mark.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define REASON_SIZE 900 /* the mark keeps no more */

static void
tell(struct host *host, const char *state, const char *reason)
{
    struct json_object *request = host_request("act", "host"), *answer = NULL;

    reply_put_text(request, "name", "sfprov follow");
    reply_put_text(request, "state", state);
    if (reason)
        reply_put_text(request, "reason", reason);
    host_act(host, request, &answer); /* says itself what fails */
    json_object_put(answer);
}

void
follow_mark_prepare(struct host *host)
{
    tell(host, "joined", NULL);
}

void
follow_mark_missed(struct host *host, const char *format, ...)
{
    char reason[REASON_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    utf8_mend(reason); /* else the mark is refused */
    complain("%s; a resync is needed (sfprov status)", reason);
    tell(host, "missed", reason);
}

/* Whether something is marked that this would not be news beside: not ours, or the same, or nothing has failed. */
static bool
says_enough(struct json_object *status, const char *ours, const char *reason, bool failed)
{
    const char *marked = reply_text(reply_get(status, "resync"), "reason");

    return marked &&
           (!failed || strncmp(marked, ours, strlen(ours)) != 0 || !strcmp(marked, reason));
}

void
follow_mark_late(struct host *host, const char *url, bool ever, const char *why)
{
    struct prov_error err = { .size = sizeof(err) };
    struct json_object *status = NULL;
    char ours[400], reason[REASON_SIZE];

    snprintf(ours, sizeof(ours), "'%.350s' is not followed", url);
    snprintf(reason, sizeof(reason), "%s%s: %s", ours,
             ever ? "" : ", and nothing of it was heard in full yet",
             why ? why : "a list of it is being heard");
    utf8_mend(reason);
    /* no store yet shows nothing, and has the status say no more than that */
    if (host_ask(host, host_request("query", "status"), &status, &err) == PROV_E_NOTFOUND)
        tell(host, "ready", NULL);
    if (!says_enough(status, ours, reason, why != NULL))
        tell(host, "late", reason);
    json_object_put(status);
}

void
follow_mark_caught_up(struct host *host)
{
    tell(host, "caught_up", NULL);
}
