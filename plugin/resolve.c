/*
 * Decides when the host is asked for a resource, how often, and what its answer is worth. Accepting
 * comes first: it finds duplicates, and which events need the host's word (event_asks). Those are
 * asked about, no lock held, and accepted again; a fold is kept only if the subject has still the
 * version it had before the question, else the host is asked anew. So a slow host delays its own
 * submit and nobody else's, and what it said never undoes a newer event.
 *
 * A question that fails loses nothing: the event is answered "not known", and the host, which still
 * has it, submits it again.
 */
#include "plugin/resolve.h"

#include <string.h>

#include "plugin/base/cleanup.h"

/* A subject that changes more often while the host is asked is left to a later submit. */
#define MOST_ASKED 5
/* Resources held at once: bounds memory. */
#define ASKED_AT_ONCE 200

/* Whether this thread is inside the host's resolve. */
static _Thread_local bool asking;

/* A question under way; the host sees the first member. */
struct question {
    struct prov_resolve request;
    struct event *event;
    struct prov_error *err;
    int result; /* of what was given */
    int given;
};

static void
take_answer(const struct prov_resolve *request, const char *json, size_t length)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the question holds the request, const for the host */
    struct question *question = (struct question *)(void *)(uintptr_t)request;

    if (question->given++ > 0)
        return;
    question->result = json ? event_take_resource(question->event, json, length, question->err)
                            : error_set(question->err, PROV_E_INVALID, "it is NULL");
}

static int
judge(struct question *question, int32_t code)
{
    struct event *event = question->event;
    struct prov_error *err = question->err;

    if (code == PROV_E_NOTFOUND && question->given == 0) {
        event->ask = EVENT_NOT_THERE;
        return PROV_OK;
    }
    if (code != PROV_OK)
        return error_set(
            err, PROV_E_STATE,
            "the host's resolve callback failed for '%s' with %s (%d); submit the event "
            "again later",
            event->uri, error_code_name(code), (int)code);
    if (question->given != 1)
        return error_set(err, PROV_E_INVALID,
                         "the host's resolve callback gave %s for '%s'; correct it and submit the "
                         "event again",
                         question->given ? "more than one resource" : "no resource", event->uri);
    return question->result == PROV_OK || question->result == PROV_E_NOMEM
               ? question->result
               : error_wrap(err, question->result,
                            "the resource that the host's resolve callback gave for '%s' cannot be "
                            "used; correct it and submit the event again",
                            event->uri);
}

/* Asks the host. On failure event->ask is EVENT_ASK_FAILED and *err says why. */
static int
ask(const struct resolver *resolver, struct event *event, struct prov_error *err)
{
    struct question question = { .request = { .size = sizeof(question.request),
                                              .issuer = event->iss,
                                              .uri = event->uri,
                                              .kinds = event->kinds,
                                              .give = take_answer },
                                 .event = event,
                                 .err = err };
    int result;

    if (asking) {
        result =
            error_set(err, PROV_E_STATE,
                      "the event of '%s' was submitted from inside the resolve callback, and the "
                      "host would have to be asked; submit it again after the callback",
                      event->uri);
    } else if (event->asked++ == MOST_ASKED) {
        result = error_set(err, PROV_E_STATE,
                           "user '%s' changed %d times while the host was asked for the resource; "
                           "submit the event again",
                           event->uri, MOST_ASKED);
    } else {
        asking = true;
        result =
            judge(&question, resolver->host->resolve(resolver->host->context, &question.request));
        asking = false;
    }
    if (result != PROV_OK)
        event->ask = EVENT_ASK_FAILED;
    return result;
}

/* ---- submit ---- */

static void
prepare(const struct resolver *resolver, struct event **events, size_t count,
        struct store_answer *answers)
{
    for (size_t i = 0; i < count; i++) {
        struct event *event = events[i];
        if (!event)
            continue;
        event->can_ask = resolver->host->resolve != NULL;
        if (event->can_ask || !event->notice || event->deleted || event->ignored)
            continue;
        answers[i].status = PROV_ANSWER_REFUSED;
        error_set(&answers[i].error, PROV_E_UNSUPPORTED,
                  "event '%s' names attributes only, and the host has no resolve callback to be "
                  "asked for the resource: send the full form, with 'data', or offer the callback",
                  event->kinds);
        event_free(event);
        events[i] = NULL;
    }
}

static void
ask_for(const struct resolver *resolver, struct event *event, struct store_answer *answer)
{
    event->asked_version = answer->version;
    answer->version = 0;
    if (ask(resolver, event, &answer->error) == PROV_OK && event->ask == EVENT_NOT_THERE)
        log_line(resolver->log, PROV_LOG_WARNING,
                 "event '%s' of '%s': the host's resolve callback knows no such user; the event is "
                 "accepted, and what is known of the user stays",
                 event->kinds, event->uri);
}

/* Asks what is to be asked, and takes out of `pending` what is settled. *ret_left: how many are not. */
static void
ask_all(const struct resolver *resolver, struct event **pending, size_t count,
        struct store_answer *answers, size_t *ret_left)
{
    size_t asked = 0;

    *ret_left = 0;
    for (size_t i = 0; i < count; i++) {
        if (!pending[i])
            continue;
        if (answers[i].asks && asked < ASKED_AT_ONCE) {
            ask_for(resolver, pending[i], &answers[i]);
            asked++;
        } else if (!answers[i].asks && !answers[i].waits) {
            pending[i]->resource = NULL;
            pending[i] = NULL;
            continue;
        }
        ++*ret_left;
    }
}

int
resolve_accept(const struct resolver *resolver, struct store *store, struct event **events,
               size_t count, struct store_answer *answers, struct prov_error *err)
{
    AUTO_FREE struct event **several = count > 1 ? calloc(count, sizeof(struct event *)) : NULL;
    struct event *one = NULL, **pending = count > 1 ? several : &one;
    size_t left = count;
    int result = pending ? PROV_OK : error_nomem(err);

    prepare(resolver, events, count, answers);
    if (result == PROV_OK)
        memcpy(pending, events, count * sizeof(struct event *));
    while (result == PROV_OK && left > 0) {
        result = store_accept(store, pending, count, answers, err);
        if (result == PROV_OK)
            ask_all(resolver, pending, count, answers, &left);
    }
    for (size_t i = 0; result != PROV_OK && i < count; i++) {
        /* those accepted before the store failed too: submitted again they are duplicates */
        if (answers[i].status != PROV_ANSWER_REFUSED)
            answers[i] = (struct store_answer){ .status = PROV_ANSWER_UNKNOWN, .error = *err };
    }
    return result;
}

/* ---- preview ---- */

int
resolve_for_preview(const struct resolver *resolver, struct event *event, struct prov_error *err)
{
    if (resolver->host->resolve)
        return ask(resolver, event, err);
    if (!event->notice)
        return PROV_OK;
    return error_set(err, PROV_E_UNSUPPORTED,
                     "event '%s' names attributes only, and the host has no resolve callback to be "
                     "asked for the resource: send the full form, with 'data'",
                     event->kinds);
}
