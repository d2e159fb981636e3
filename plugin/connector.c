/*
 * The entry point: checks what the host hands over, wires the rooms, and gives the answers back in
 * the ABI's terms. Decides nothing about users; that is done in the rooms.
 *
 * Concurrency  A connector is immutable but for `runtime`, which holds everything that belongs to
 *              one process (store, worker). A forked child finds that the runtime is its parent's,
 *              leaves it alone (neither used nor freed: its threads and locks are not there), and
 *              makes its own (design rule 19).
 */
#include <provisioning/connector.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/base/cleanup.h"
#include "plugin/base/json.h"
#include "plugin/delivery/delivery.h"
#include "plugin/delivery/preview.h"
#include "plugin/lists.h"
#include "plugin/requests.h"
#include "plugin/resolve.h"
#include "schema/scope.h"

/* A call may hand over this many events: bounds memory, and the time others wait for the commit. */
#define SUBMIT_MAX 10000

/* How much of a struct every host has: all up to `last`, which ended it in minor version 0. */
#define MINOR_0(type, last) (offsetof(struct type, last) + sizeof(((struct type *)0)->last))

/* What belongs to one process. */
struct runtime {
    pid_t pid;
    struct store *store;
    struct delivery *delivery;
    struct resync_work work; /* of the host */
};

struct prov_connector {
    struct fields *fields;
    struct json_object *warnings;
    uint32_t flags;
    struct prov_host host;
    struct log log;
    _Atomic(struct runtime *) runtime;
};

struct prov_snapshot {
    struct prov_connector *connector;
    struct list *list;
};

/* ---- runtime ---- */

static void
runtime_free(struct runtime *runtime)
{
    if (!runtime)
        return;
    delivery_free(runtime->delivery);
    store_free(runtime->store);
    resync_work_free(&runtime->work);
    free(runtime);
}

static bool
in_scope(const void *fields, struct value *resource)
{
    return scope_admits(fields, resource, NULL, 0);
}

/* `before` is of the process that this one was forked from, or NULL. */
static int
runtime_new(struct prov_connector *connector, struct runtime *before, struct runtime **ret,
            struct prov_error *err)
{
    struct runtime *runtime = calloc(1, sizeof(*runtime));
    struct delivery_settings settings = { .fields = connector->fields, .host = &connector->host };
    int r = runtime ? store_new(connector->fields->store, &runtime->store, err) : error_nomem(err);

    if (runtime) {
        runtime->work = (struct resync_work)RESYNC_WORK_INIT;
        runtime->work.before = before ? &before->work : NULL;
    }
    if (!r) {
        runtime->pid = getpid();
        store_set_scope(runtime->store, in_scope, connector->fields);
        if (connector->fields->provision_passwords)
            store_keep_passwords(runtime->store, connector->fields->sealing_key);
        settings.store = runtime->store;
        r = delivery_new(&settings, &runtime->delivery, err);
    }
    if (r) {
        runtime_free(runtime);
        return r;
    }
    *ret = runtime;
    return PROV_OK;
}

/* This process's runtime, made by whoever comes first. Does no I/O. */
static int
runtime_of(struct prov_connector *connector, struct runtime **ret, struct prov_error *err)
{
    struct runtime *there = atomic_load(&connector->runtime), *mine = NULL;
    int r;

    while (!there || there->pid != getpid()) {
        if (!mine) {
            r = runtime_new(connector, there, &mine, err);
            if (r)
                return r;
        }
        if (atomic_compare_exchange_strong(&connector->runtime, &there, mine)) {
            there = mine;
            mine = NULL;
        }
    }
    runtime_free(mine);
    *ret = there;
    return PROV_OK;
}

static bool
has_worker(const struct prov_connector *connector)
{
    return !(connector->flags & (PROV_OPEN_NO_WORKER | PROV_OPEN_NEVER_DELIVER));
}

/* Starts the worker, if there is to be one, and tells it that something may be due. */
static void
drive(struct prov_connector *connector, struct runtime *runtime)
{
    struct prov_error error = PROV_ERROR_INIT;

    if (!has_worker(connector))
        return;
    if (delivery_start(runtime->delivery, &error))
        log_line(&connector->log, PROV_LOG_ERROR, "%s; the next submit tries again", error.text);
    else
        delivery_wake(runtime->delivery);
}

/* ---- small checks of what the host hands over ---- */

static int
no_connector(struct prov_error *err)
{
    return error_set(err, PROV_E_INVALID, "the connector is NULL; open one first");
}

/* A JSON text for the caller, who gives it back with release(). */
static int
hand_over(struct json_object *value, char **ret_json, struct prov_error *err)
{
    char *text;

    if (!ret_json)
        return PROV_OK;
    text = json_text(value);
    if (!text)
        return error_nomem(err);
    *ret_json = text;
    return PROV_OK;
}

static void
release(char *text)
{
    free(text);
}

/* ---- describe, open, close ---- */

static int32_t
describe(char **ret_json, struct prov_error *err)
{
    if (!ret_json)
        return error_set(err, PROV_E_INVALID, "describe: ret_json is NULL");
    return fields_describe(ret_json, err);
}

static void
hand_over_faults(struct json_object *faults, struct json_object *warnings, char **ret_faults)
{
    AUTO_JSON struct json_object *all = json_object_new_object();

    if (ret_faults && all && json_put(all, "faults", json_ref(faults)) == PROV_OK &&
        json_put(all, "warnings", json_ref(warnings)) == PROV_OK)
        *ret_faults = json_text(all);
}

static struct prov_host
copy_host(const struct prov_host *host)
{
    struct prov_host copy = { .size = sizeof(copy) };

    /* an older host has a shorter struct: what it lacks stays NULL */
    if (host)
        memcpy(&copy, host, host->size < sizeof(copy) ? host->size : sizeof(copy));
    return copy;
}

static int
check_options(const struct prov_open *options, struct prov_error *err)
{
    const uint32_t known =
        PROV_OPEN_NO_WORKER | PROV_OPEN_NEVER_DELIVER | PROV_OPEN_SQLITE_UNCOUNTED;

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): the size of a pointer is meant */
    if (!options || options->size < MINOR_0(prov_open, host))
        return error_set(err, PROV_E_ABI,
                         "open: the options are NULL or their size is too small; set size to "
                         "sizeof(struct prov_open)");
    /* else its callbacks would be missing without a word, or one be cut in two */
    if (options->host && options->host->size < MINOR_0(prov_host, resolve))
        return error_set(err, PROV_E_ABI,
                         "open: the size of the host's callbacks is too small; set size to "
                         "sizeof(struct prov_host)");
    if (!options->fields)
        return error_set(err, PROV_E_INVALID, "open: the connector fields are NULL");
    if (options->fields_length > PROV_FIELDS_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT, "the connector fields are %zu bytes, at most %u fit",
                         options->fields_length, PROV_FIELDS_MAX_BYTES);
    if (options->flags & ~known)
        return error_set(err, PROV_E_UNSUPPORTED, "open: flags 0x%x are not known to this version",
                         (unsigned)(options->flags & ~known));
    return PROV_OK;
}

static void
close_connector(prov_connector *connector, uint32_t timeout_ms)
{
    struct runtime *runtime = connector ? atomic_load(&connector->runtime) : NULL;

    if (!connector)
        return;
    /* the parent's runtime is abandoned in a child; a worker that does not end in time keeps what
     * it uses, and ends by itself */
    if (runtime && runtime->pid == getpid()) {
        if (!delivery_stop(runtime->delivery, timeout_ms)) {
            log_line(&connector->log, PROV_LOG_WARNING,
                     "close: a call to Salesforce did not end within %u ms; it ends by itself",
                     (unsigned)timeout_ms);
            return;
        }
        runtime_free(runtime);
    }
    fields_free(connector->fields);
    json_object_put(connector->warnings);
    free(connector);
}

static int32_t
open_connector(const struct prov_open *options, prov_connector **ret_connector, char **ret_faults,
               struct prov_error *err)
{
    AUTO_JSON struct json_object *faults = NULL;
    struct prov_connector *connector;
    int r = check_options(options, err);

    if (!r && !ret_connector)
        r = error_set(err, PROV_E_INVALID, "open: ret_connector is NULL");
    if (r)
        return r;
    connector = calloc(1, sizeof(*connector));
    if (!connector)
        return error_nomem(err);
    connector->flags = options->flags;
    connector->host = copy_host(options->host);
    connector->log = (struct log){ connector->host.context, connector->host.log };
    r = fields_parse(options->fields, options->fields_length, &connector->fields,
                     &connector->warnings, &faults, err);
    if (r) {
        hand_over_faults(faults, connector->warnings, ret_faults);
        close_connector(connector, 0);
        return r;
    }
    for (size_t i = 0; i < json_object_array_length(connector->warnings); i++) {
        struct json_object *warning = json_object_array_get_idx(connector->warnings, i);
        log_line(&connector->log, PROV_LOG_WARNING, "field '%s': %s; %s",
                 json_get_string(warning, "field"), json_get_string(warning, "reason"),
                 json_get_string(warning, "remedy"));
    }
    if (options->flags & PROV_OPEN_SQLITE_UNCOUNTED)
        store_count_no_memory();
    *ret_connector = connector;
    return PROV_OK;
}

/* connector may be NULL: then nobody is asked, for the call is refused. */
static struct resolver
resolver_of(const struct prov_connector *connector)
{
    return connector ? (struct resolver){ &connector->host, &connector->log }
                     : (struct resolver){ NULL, NULL };
}

/* ---- check, preview ---- */

static int32_t
check(prov_connector *connector, char **ret_json, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = NULL;
    struct runtime *runtime;
    int r = connector ? runtime_of(connector, &runtime, err) : no_connector(err);

    if (!r)
        r = delivery_check(runtime->delivery, connector->warnings, &result, err);
    return r ? r : hand_over(result, ret_json, err);
}

static int32_t
preview(prov_connector *connector, const struct prov_event *event, char **ret_json,
        struct prov_error *err)
{
    AUTO_JSON struct json_object *result = NULL;
    CLEANUP(event_cleanup) struct event *parsed = NULL;
    const struct resolver resolver = resolver_of(connector);
    struct runtime *runtime;
    bool asks = false;
    int r = connector ? runtime_of(connector, &runtime, err) : no_connector(err);

    if (!r && (!event || event->size < MINOR_0(prov_event, length) || !event->json))
        r = error_set(err, PROV_E_INVALID,
                      "preview: the event is NULL, or its size is not set to sizeof(struct "
                      "prov_event)");
    if (!r)
        r = event_parse(event->json, event->length, connector->fields->issuer, &parsed, err);
    if (!r)
        r = preview_asks(runtime->store, parsed, &asks, err);
    if (!r && asks)
        r = resolve_for_preview(&resolver, parsed, err);
    if (!r)
        r = preview_event(runtime->store, connector->fields, parsed, &result, err);
    return r ? r : hand_over(result, ret_json, err);
}

/* ---- submit ---- */

/* The i-th element of an array whose stride the host chose. */
static const struct prov_event *
event_at(const struct prov_event *events, size_t index)
{
    return (const struct prov_event *)(const void *)((const char *)events + index * events[0].size);
}

static struct prov_answer *
answer_at(struct prov_answer *answers, size_t stride, size_t index)
{
    return (struct prov_answer *)(void *)((char *)answers + index * stride);
}

static void
put_answer(struct prov_answer *answer, const struct store_answer *from)
{
    answer->status = (uint32_t)from->status;
    answer->duplicate = from->duplicate;
    answer->version = from->version;
    if (from->error.code) {
        answer->error = from->error;
    } else { /* all of it is a kilobyte */
        answer->error.code = PROV_OK;
        answer->error.text[0] = '\0';
    }
    answer->error.size = sizeof(answer->error);
}

static void
events_free(struct event **events, size_t count)
{
    for (size_t i = 0; events && i < count; i++)
        event_free(events[i]);
}

/* Whether each element of an array has the size that the first one has, its stride. */
static bool
has_stride(const void *array, size_t count, size_t least)
{
    const size_t stride = *(const size_t *)array;

    if (stride < least || stride % sizeof(size_t) != 0)
        return false;
    for (size_t i = 1; i < count; i++) {
        if (*(const size_t *)(const void *)((const char *)array + i * stride) != stride)
            return false;
    }
    return true;
}

static int
check_submit(const prov_connector *connector, const struct prov_event *events, size_t count,
             const struct prov_answer *answers, struct prov_error *err)
{
    if (!connector)
        return no_connector(err);
    if (count > 0 && (!events || !answers))
        return error_set(err, PROV_E_INVALID, "submit: events or answers are NULL");
    if (count > SUBMIT_MAX)
        return error_set(err, PROV_E_LIMIT, "submit: %zu events in one call, at most %d fit", count,
                         SUBMIT_MAX);
    if (count > 0 && (!has_stride(events, count, MINOR_0(prov_event, length)) ||
                      !has_stride(answers, count, MINOR_0(prov_answer, error))))
        return error_set(err, PROV_E_ABI,
                         "submit: set `size` in every event and every answer; it is the stride of "
                         "its array");
    return PROV_OK;
}

/* Parses what can be parsed; an event that cannot is refused in its answer and stays NULL. All is zeroed before. */
static void
parse_events(const prov_connector *connector, const struct prov_event *events, size_t count,
             struct event **parsed, struct store_answer *answers)
{
    for (size_t i = 0; i < count; i++) {
        const struct prov_event *event = event_at(events, i);
        answers[i].error.size = sizeof(answers[i].error);
        answers[i].status = PROV_ANSWER_UNKNOWN;
        if (!event->json) {
            answers[i].status = PROV_ANSWER_REFUSED;
            error_set(&answers[i].error, PROV_E_INVALID, "the event is NULL");
        } else if (event_parse(event->json, event->length, connector->fields->issuer, &parsed[i],
                               &answers[i].error)) {
            parsed[i] = NULL;
            if (answers[i].error.code != PROV_E_NOMEM)
                answers[i].status = PROV_ANSWER_REFUSED;
        }
    }
}

/* One event alone, as most servers hand over, needs no memory but the caller's stack. */
static int32_t
submit(prov_connector *connector, const struct prov_event *events, size_t count,
       struct prov_answer *answers, struct prov_error *err)
{
    const struct resolver resolver = resolver_of(connector);
    struct runtime *runtime = NULL;
    struct event *event = NULL, **parsed = &event;
    struct store_answer result = { .asks = false }, *results = &result;
    AUTO_FREE struct event **more_events = NULL;
    AUTO_FREE struct store_answer *more_results = NULL;
    struct prov_error why =
        PROV_ERROR_INIT; /* whole, for the answers, whatever room the host's has */
    size_t stride;
    int r = check_submit(connector, events, count, answers, err);

    if (r || count == 0)
        return r;
    stride = answers[0].size;
    if (count > 1) {
        parsed = more_events = calloc(count, sizeof(struct event *));
        results = more_results = calloc(count, sizeof(*results));
    }
    r = parsed && results ? runtime_of(connector, &runtime, &why) : error_nomem(&why);
    if (!r) {
        parse_events(connector, events, count, parsed, results);
        r = resolve_accept(&resolver, runtime->store, parsed, count, results, &why);
        for (size_t i = 0; i < count; i++)
            put_answer(answer_at(answers, stride, i), &results[i]);
    }
    events_free(parsed, count);
    if (r)
        return error_set(err, r, "%s", why.text);
    drive(connector, runtime);
    return PROV_OK;
}

/* ---- snapshots ---- */

static int
no_snapshot(struct prov_error *err)
{
    return error_set(err, PROV_E_INVALID, "the snapshot is NULL; begin one first");
}

static int32_t
snapshot_begin(prov_connector *connector, const char *issuer, uint32_t flags,
               prov_snapshot **ret_snapshot, struct prov_error *err)
{
    struct prov_snapshot *snapshot;
    struct runtime *runtime;
    int r = connector ? runtime_of(connector, &runtime, err) : no_connector(err);

    if (!r && !ret_snapshot)
        r = error_set(err, PROV_E_INVALID, "snapshot_begin: ret_snapshot is NULL");
    if (r)
        return r;
    snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return error_nomem(err);
    r = list_begin(runtime->store, connector->fields, issuer, flags, &snapshot->list, err);
    if (r) {
        free(snapshot);
        return r;
    }
    snapshot->connector = connector;
    *ret_snapshot = snapshot;
    return PROV_OK;
}

static int32_t
snapshot_add(prov_snapshot *snapshot, const char *json, size_t length, struct prov_error *err)
{
    return snapshot ? list_add(snapshot->list, json, length, err) : no_snapshot(err);
}

/* Applies, and gives the report. */
static int
apply(struct prov_snapshot *snapshot, uint32_t max_ms, bool with_changes, char **ret_json,
      struct prov_error *err)
{
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error ignored = PROV_ERROR_INIT;
    struct runtime *runtime;
    bool done = false;
    int r = list_apply(snapshot->list, max_ms, &done, err);

    /* also what was applied before the store failed */
    if ((done || r == PROV_E_STORE) &&
        runtime_of(snapshot->connector, &runtime, &ignored) == PROV_OK)
        drive(snapshot->connector, runtime);
    if (!r)
        r = list_report(snapshot->list, with_changes, &report, err);
    return r ? r : hand_over(report, ret_json, err);
}

static int32_t
snapshot_apply(prov_snapshot *snapshot, uint32_t max_ms, char **ret_json, struct prov_error *err)
{
    return snapshot ? apply(snapshot, max_ms, false, ret_json, err) : no_snapshot(err);
}

static int32_t
snapshot_changes(prov_snapshot *snapshot, int64_t after, uint32_t limit, char **ret_json,
                 struct prov_error *err)
{
    AUTO_JSON struct json_object *page = NULL;
    int r = snapshot ? list_changes(snapshot->list, after, limit, &page, err) : no_snapshot(err);

    return r ? r : hand_over(page, ret_json, err);
}

static int32_t
snapshot_end(prov_snapshot *snapshot, int32_t apply_it, char **ret_json, struct prov_error *err)
{
    int r;

    if (!snapshot)
        return no_snapshot(err);
    if (!apply_it && ret_json)
        *ret_json = NULL;
    r = apply_it ? apply(snapshot, 0, true, ret_json, err) : PROV_OK;
    list_free(snapshot->list);
    free(snapshot);
    return r;
}

/* ---- deliver, query, act ---- */

static int32_t
deliver(prov_connector *connector, uint32_t max_ms, struct prov_delivery *ret,
        struct prov_error *err)
{
    struct prov_delivery report = { .size = sizeof(report) };
    struct runtime *runtime;
    int r = connector ? runtime_of(connector, &runtime, err) : no_connector(err);

    if (r)
        return r;
    if (ret && ret->size < MINOR_0(prov_delivery, next_due_us))
        return error_set(err, PROV_E_ABI,
                         "deliver: the size of the report is too small; set size to sizeof(struct "
                         "prov_delivery)");
    if (connector->flags & PROV_OPEN_NEVER_DELIVER)
        return error_set(err, PROV_E_STATE,
                         "this connector was opened never to deliver (PROV_OPEN_NEVER_DELIVER)");
    r = delivery_run(runtime->delivery, max_ms, &report, err);
    if (!ret || (r && report.next_due_us == 0))
        return r;
    report.size = ret->size;
    memcpy(ret, &report, ret->size < sizeof(report) ? ret->size : sizeof(report));
    return r;
}

static int
answer_request(prov_connector *connector, const char *request, size_t length, char **ret_json,
               struct prov_error *err,
               int (*answer)(const struct request_context *, struct json_object *,
                             struct json_object **, struct prov_error *))
{
    AUTO_JSON struct json_object *parsed = NULL;
    AUTO_JSON struct json_object *result = NULL;
    struct request_context context;
    struct runtime *runtime;
    int r = connector ? runtime_of(connector, &runtime, err) : no_connector(err);

    if (!r && !request)
        r = error_set(err, PROV_E_INVALID, "the request is NULL");
    if (!r && length > PROV_EVENT_MAX_BYTES)
        r = error_set(err, PROV_E_LIMIT, "the request has %zu bytes, at most %u fit", length,
                      PROV_EVENT_MAX_BYTES);
    if (!r)
        r = json_parse(request, length, "the request", &parsed, err);
    if (r)
        return r;
    context =
        (struct request_context){ runtime->store, runtime->delivery,   connector->fields,
                                  &runtime->work, connector->warnings, has_worker(connector) };
    r = answer(&context, parsed, &result, err);
    return r ? r : hand_over(result, ret_json, err);
}

static int32_t
query(prov_connector *connector, const char *request, size_t length, char **ret_json,
      struct prov_error *err)
{
    return answer_request(connector, request, length, ret_json, err, request_query);
}

static int32_t
act(prov_connector *connector, const char *request, size_t length, char **ret_json,
    struct prov_error *err)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    struct runtime *runtime;
    int r = answer_request(connector, request, length, ret_json, err, request_act);

    if (!r && runtime_of(connector, &runtime, &ignored) == PROV_OK)
        drive(connector, runtime);
    return r;
}

/* ---- the entry ---- */

__attribute__((visibility("default"))) int32_t
prov_connector_init(uint32_t abi_major, uint32_t abi_minor, struct prov_vtable *vtable,
                    struct prov_error *err)
{
    static const struct prov_vtable methods = { .size = sizeof(methods),
                                                .name = "salesforce",
                                                .version = PACKAGE_VERSION,
                                                .describe = describe,
                                                .open = open_connector,
                                                .close = close_connector,
                                                .check = check,
                                                .preview = preview,
                                                .submit = submit,
                                                .snapshot_begin = snapshot_begin,
                                                .snapshot_add = snapshot_add,
                                                .snapshot_end = snapshot_end,
                                                .deliver = deliver,
                                                .query = query,
                                                .act = act,
                                                .release = release,
                                                .snapshot_apply = snapshot_apply,
                                                .snapshot_changes = snapshot_changes };
    /* what every host has: the methods of minor version 0 */
    const size_t minor_0 = offsetof(struct prov_vtable, snapshot_apply);
    size_t size;

    (void)
        abi_minor; /* a newer host finds NULL for what we lack; an older one sets a smaller size */
    if (abi_major != PROV_ABI_MAJOR)
        return error_set(err, PROV_E_ABI,
                         "the host speaks ABI major version %u and this connector %u: install a "
                         "connector built for the host's version",
                         (unsigned)abi_major, PROV_ABI_MAJOR);
    if (!vtable || vtable->size < minor_0)
        return error_set(err, PROV_E_ABI,
                         "the method table is NULL or too short: set its size to sizeof(struct "
                         "prov_vtable)");
    size = vtable->size < sizeof(methods) ? vtable->size : sizeof(methods);
    memcpy((char *)vtable + sizeof(vtable->size), (const char *)&methods + sizeof(methods.size),
           size - sizeof(methods.size));
    return PROV_OK;
}
