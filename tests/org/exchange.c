/* One HTTP exchange: the fault that is due, the answer, the log. Decides in which order: a delay
 * comes before the call is applied, so that a client which gave up can look and find nothing yet;
 * a late write is applied by the timer thread after the connection was closed.
 *
 * Threads: one a connection, plus the timer. The world's mutex is held while a call is answered
 * and never while waiting. */
#include "tests/org/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/org/calls.h"
#include "tests/org/faults.h"

struct late_write {
    struct late_write *next;
    struct org *org;
    unsigned generation; /* of the org: a reset forgets its late writes */
    int64_t due_ms;      /* monotonic */
    bool held;           /* until the org is told to let it land */
    char *method, *target, *content_type, *body;
    size_t body_bytes;
};

struct exchanges {
    struct world *world;
    pthread_cond_t changed; /* with world->mutex; monotonic clock */
    pthread_t timer;
    bool stopping;
    struct late_write *late;
};

static int64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits with the mutex given up; early when all is to end. */
static void
wait_until(struct exchanges *exchanges, int64_t due_ms)
{
    struct timespec due = { (time_t)(due_ms / 1000), (long)(due_ms % 1000) * 1000000 };

    while (!exchanges->stopping && monotonic_ms() < due_ms)
        pthread_cond_timedwait(&exchanges->changed, &exchanges->world->mutex, &due);
}

static void
log_call(struct call *call)
{
    calls_add(call->org->calls, call, call->org->world->now_ms());
}

/* ---- late writes ---- */

static void
late_free(struct late_write *late)
{
    free(late->method);
    free(late->target);
    free(late->content_type);
    free(late->body);
    free(late);
}

static char *
copy_or_null(const char *text)
{
    return text ? text_copy(text) : NULL;
}

static void
late_add(struct exchanges *exchanges, struct call *call, int64_t delay_ms)
{
    const struct request *request = call->request;
    struct late_write *late = text_block(sizeof(*late));

    late->org = call->org;
    late->generation = call->org->generation;
    late->held = delay_ms < 0;
    late->due_ms = monotonic_ms() + delay_ms;
    late->method = text_copy(request->method);
    late->target = text_copy(request->target);
    late->content_type = copy_or_null(request->content_type);
    late->body_bytes = request->body_bytes;
    late->body = text_block(request->body_bytes + 1);
    if (request->body_bytes)
        memcpy(late->body, request->body, request->body_bytes);
    late->next = exchanges->late;
    exchanges->late = late;
    call->org->late_writes += !late->held;
    pthread_cond_broadcast(&exchanges->changed);
}

static void
late_apply(struct late_write *late)
{
    struct request request = { .method = late->method,
                               .target = late->target,
                               .content_type = late->content_type,
                               .body = late->body,
                               .body_bytes = late->body_bytes };
    struct reply reply = { 0 };
    struct call call;

    if (late->generation == late->org->generation) {
        late->org->late_writes -= !late->held;
        if (call_init(&call, late->org, &request, &reply)) {
            call.late = true;
            call.fault = "late";
            api_answer(&call);
            log_call(&call);
        }
        call_free(&call);
        reply_free(&reply);
    }
    late_free(late);
}

/* Takes out the first write that is due; else says when the next one is. */
static struct late_write *
late_take(struct exchanges *exchanges, int64_t *ret_next_ms)
{
    struct late_write **earliest = NULL, *taken;

    for (struct late_write **at = &exchanges->late; *at; at = &(*at)->next) {
        if ((*at)->held && (*at)->generation == (*at)->org->generation)
            continue;
        if (!earliest || (*at)->due_ms <= (*earliest)->due_ms)
            earliest = at;
    }
    if (!earliest) {
        *ret_next_ms = monotonic_ms() + 3600000;
        return NULL;
    }
    taken = *earliest;
    *ret_next_ms = taken->due_ms;
    if (taken->due_ms > monotonic_ms())
        return NULL;
    *earliest = taken->next;
    return taken;
}

/* The writes that were held, in the order in which they were sent. */
static void
land_all(struct exchanges *exchanges, struct org *org)
{
    struct late_write **at, **oldest;

    do {
        oldest = NULL;
        for (at = &exchanges->late; *at; at = &(*at)->next) {
            if ((*at)->org == org && (*at)->held)
                oldest = at;
        }
        if (oldest) {
            struct late_write *late = *oldest;
            *oldest = late->next;
            late_apply(late);
        }
    } while (oldest);
    org->landing = false;
}

static void *
run_timer(void *argument)
{
    struct exchanges *exchanges = argument;
    struct late_write *late;
    int64_t next_ms;

    pthread_mutex_lock(&exchanges->world->mutex);
    while (!exchanges->stopping) {
        late = late_take(exchanges, &next_ms);
        if (late) {
            late_apply(late);
            continue;
        }
        struct timespec due = { (time_t)(next_ms / 1000), (long)(next_ms % 1000) * 1000000 };
        pthread_cond_timedwait(&exchanges->changed, &exchanges->world->mutex, &due);
    }
    pthread_mutex_unlock(&exchanges->world->mutex);
    return NULL;
}

struct exchanges *
exchanges_new(struct world *world)
{
    struct exchanges *exchanges = text_block(sizeof(*exchanges));
    pthread_condattr_t attributes;

    exchanges->world = world;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&exchanges->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&exchanges->timer, NULL, run_timer, exchanges) != 0) {
        pthread_cond_destroy(&exchanges->changed);
        free(exchanges);
        return NULL;
    }
    return exchanges;
}

void
exchanges_stop(struct exchanges *exchanges)
{
    pthread_mutex_lock(&exchanges->world->mutex);
    exchanges->stopping = true;
    pthread_cond_broadcast(&exchanges->changed);
    pthread_mutex_unlock(&exchanges->world->mutex);
    pthread_join(exchanges->timer, NULL);
}

void
exchanges_free(struct exchanges *exchanges)
{
    while (exchanges->late) {
        struct late_write *next = exchanges->late->next;
        late_free(exchanges->late);
        exchanges->late = next;
    }
    pthread_cond_destroy(&exchanges->changed);
    free(exchanges);
}

/* ---- faults on the answer ---- */

static void
set_body(struct reply *reply, const char *body, const char *content_type)
{
    free(reply->body);
    reply->body = text_copy(body);
    reply->body_bytes = strlen(body);
    reply_header(reply, "Content-Type", content_type);
}

/* The words Salesforce has for a status (6.2). */
static void
put_status_error(struct call *call, int status)
{
    static const struct {
        int status;
        const char *code, *message;
    } known[] = { { 401, "INVALID_SESSION_ID", "Session expired or invalid" },
                  { 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded." },
                  { 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred." },
                  { 503, "SERVER_UNAVAILABLE", "Server too busy" } };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].status == status) {
            reply_error(call->reply, status, known[i].code, "%s", known[i].message);
            return;
        }
    }
    reply_error(call->reply, status, "UNKNOWN_EXCEPTION", "Status %d on command", status);
}

static void
answer_status(struct call *call, const struct fault *fault)
{
    if (fault->commit)
        api_answer(call);
    if (fault->body) {
        set_body(call->reply, fault->body, "application/json;charset=UTF-8");
        call->reply->status = fault->status;
    } else if (strcmp(fault_kind(call), "token") == 0) {
        set_body(call->reply,
                 "{\"error\":\"unknown_error\",\"error_description\":\"retry your "
                 "request\"}",
                 "application/json;charset=UTF-8");
        call->reply->status = fault->status;
    } else {
        put_status_error(call, fault->status);
    }
    if (json_object_is_type(fault->headers, json_type_object)) {
        json_object_object_foreach(fault->headers, name, value)
        {
            reply_header(call->reply, name, json_object_get_string(value));
        }
    }
}

/* An answer of Collections that does not fit its question. */
static void
spoil_array(struct reply *reply, enum fault_action action)
{
    AUTO_JS struct json_object *results = reply->body ? json_tokener_parse(reply->body) : NULL;
    struct json_object *spoilt;
    size_t count;

    if (!json_object_is_type(results, json_type_array))
        return;
    count = json_object_array_length(results);
    spoilt = js_array();
    for (size_t i = 0; i < count; i++) {
        size_t from = action == FAULT_SWAP_ARRAY ? count - 1 - i : i;
        if (action != FAULT_SHORT_ARRAY || i + 1 < count)
            js_append(spoilt, json_object_get(json_object_array_get_idx(results, from)));
    }
    if (action == FAULT_LONG_ARRAY && count > 0)
        js_append(spoilt, json_object_get(json_object_array_get_idx(results, 0)));
    reply_json(reply, reply->status, spoilt);
}

static void
answer_with_fault(struct exchanges *exchanges, struct call *call, const struct fault *fault)
{
    switch (fault->action) {
    case FAULT_STATUS:
        answer_status(call, fault);
        break;
    case FAULT_DROP_BEFORE:
        call->reply->delivery = DELIVERY_CLOSE;
        break;
    case FAULT_DROP_AFTER:
        api_answer(call);
        call->reply->delivery = DELIVERY_CLOSE;
        break;
    case FAULT_LATE:
        /* Salesforce took the call, so it had a session */
        if (!call_is_authorized(call))
            break;
        late_add(exchanges, call, fault->delay_ms);
        call->reply->delivery = DELIVERY_CLOSE;
        break;
    case FAULT_DELAY:
        wait_until(exchanges, monotonic_ms() + fault->delay_ms);
        api_answer(call);
        break;
    case FAULT_SLOW:
        api_answer(call);
        call->reply->delivery = DELIVERY_SLOW;
        call->reply->pause_ms = fault->delay_ms;
        break;
    case FAULT_GARBAGE:
        api_answer(call);
        set_body(call->reply, "<html><head><title>Down for maintenance</title></head></html>",
                 "text/html;charset=UTF-8");
        break;
    case FAULT_CUT:
        api_answer(call);
        call->reply->delivery = DELIVERY_CUT;
        break;
    case FAULT_REFUSE_CALL:
        reply_error(call->reply, fault->status, fault->code ? fault->code : "UNKNOWN_EXCEPTION",
                    "%s", fault->message ? fault->message : "Refused on command");
        break;
    default:
        api_answer(call);
        spoil_array(call->reply, fault->action);
        break;
    }
}

/*
 * Who sees what is computed anew for a user's activity, profile, role or username, with the memberships
 * of groups locked meanwhile (3.5, 4.5). Which calls really meet is unsure; here all of them do that are
 * under way at the same time, because one of them is made to wait.
 */
static bool
takes_locks(const struct call *call)
{
    static const char *const fields[] = { "\"IsActive\"", "\"ProfileId\"", "\"UserRoleId\"",
                                          "\"Username\"" };
    const struct request *request = call->request;

    if (!request->body || call_method_is(call, "GET") || !strstr(call->path, "/sobjects"))
        return false;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (memmem(request->body, request->body_bytes, fields[i], strlen(fields[i])))
            return true;
    }
    return false;
}

static void
answer_by_org(struct exchanges *exchanges, struct call *call)
{
    struct fault fault;

    if (call->org->settings.latency_ms > 0)
        wait_until(exchanges, monotonic_ms() + call->org->settings.latency_ms);
    if (faults_take(call->org, call, &fault)) {
        call->fault = fault.action_name;
        answer_with_fault(exchanges, call, &fault);
        log_call(call);
        fault_clear(&fault);
    } else {
        api_answer(call);
        log_call(call);
    }
}

/* Whether the org has as many long calls under way as it allows, before this one. */
static bool
meets_long_calls(const struct org *org)
{
    int64_t now = monotonic_ms(), count = 0;

    for (size_t i = 0; i < MAX_UNDER_WAY; i++) {
        int64_t since = org->under_way_since_ms[i];
        count += since && now - since >= org->settings.long_call_ms;
    }
    return count >= org->settings.long_calls_max;
}

/* A place among those under way; one that nobody looks at when there are too many. */
static int64_t *
take_place(struct org *org)
{
    static int64_t nowhere;

    for (size_t i = 0; i < MAX_UNDER_WAY; i++) {
        if (!org->under_way_since_ms[i])
            return &org->under_way_since_ms[i];
    }
    return &nowhere;
}

static void
exchange_with_org(struct exchanges *exchanges, struct call *call)
{
    struct usage *usage = &call->org->usage;
    bool locks = takes_locks(call);
    unsigned generation = call->org->generation;
    int64_t *since;

    if (call->segment_count > 0 && strcmp(call->segments[0], "__org") == 0) {
        control_answer(call);
        if (call->org->landing)
            land_all(exchanges, call->org);
        return;
    }
    call->met_lock = locks && usage->locking > 0;
    call->met_long_calls = meets_long_calls(call->org);
    since = take_place(call->org);
    *since = monotonic_ms();
    usage->locking += locks;
    if (++usage->under_way > usage->most_under_way)
        usage->most_under_way = usage->under_way;
    answer_by_org(exchanges, call);
    if (generation != call->org->generation) /* a reset has forgotten it */
        return;
    usage->under_way--;
    *since = 0;
    usage->locking -= locks;
}

/* RFC 9110 6.6.1: by the same clock as what is stored. */
static void
put_date(const struct world *world, struct reply *reply)
{
    time_t seconds = (time_t)(world->now_ms() / 1000);
    struct tm utc;
    char date[40];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    reply_header(reply, "Date", date);
}

void
exchange(struct exchanges *exchanges, struct org *org, const struct request *request,
         struct reply *reply)
{
    struct call call;

    pthread_mutex_lock(&exchanges->world->mutex);
    if (call_init(&call, org, request, reply)) {
        if (org)
            exchange_with_org(exchanges, &call);
        else
            login_answer(exchanges->world, &call);
        put_date(exchanges->world, reply);
    }
    call_free(&call);
    pthread_mutex_unlock(&exchanges->world->mutex);
}
