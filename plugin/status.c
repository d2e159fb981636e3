/* Puts together what the rooms know of how things stand; derives nothing that the store has not counted. */
#include "plugin/status.h"

#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/metrics.h"
#include "plugin/resync.h"

/* A hold or a trouble as it is shown: times in words. NULL stays NULL. */
static int
put_shown(struct json_object *result, const char *key, struct json_object *stored)
{
    static const char *const texts[] = { "by", "reason", "cause", "remedy" };
    struct json_object *shown = stored ? json_object_new_object() : NULL;
    int64_t probe_us = json_get_int(stored, "probe_us", 0);
    char time[21];

    if ((stored && !shown) || json_put(result, key, shown))
        return PROV_E_NOMEM;
    if (!stored)
        return PROV_OK;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (json_put_string(shown, texts[i], json_get_string(stored, texts[i])))
            return PROV_E_NOMEM;
    }
    if (json_get_bool(stored, "spares_leavers", false) &&
        json_put_bool(shown, "spares_leavers", true))
        return PROV_E_NOMEM;
    clock_format(json_get_int(stored, "since_us", 0), time);
    if (json_put_string(shown, "since", time))
        return PROV_E_NOMEM;
    return probe_us ? json_put_string(shown, "next_probe", clock_format(probe_us, time)) : PROV_OK;
}

/* Deactivations that the guard holds; null when there are none. */
static int
put_guard(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    struct guard_numbers numbers;
    struct json_object *guard;
    int r = store_guard_numbers(context->store, &numbers, err);

    if (r)
        return r;
    guard = numbers.held ? json_object_new_object() : NULL;
    if ((numbers.held && !guard) || json_put(result, "guard", guard) ||
        (guard &&
         (json_put_int(guard, "held", numbers.held) ||
          json_put_string(guard, "remedy",
                          "look whether so many are to leave; then release, or correct the host"))))
        return error_nomem(err);
    return PROV_OK;
}

/* Who delivers at the moment; null: nobody. */
static int
put_holder(struct json_object *result, const struct store_holder *holder)
{
    struct json_object *shown = holder->held ? json_object_new_object() : NULL;

    if ((holder->held && !shown) || json_put(result, "delivering", shown))
        return PROV_E_NOMEM;
    if (!shown)
        return PROV_OK;
    return holder->process ? json_put_int(shown, "process", holder->process)
                           : json_put(shown, "process", NULL);
}

static int
put_org(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    AUTO_FREE char *org_id = NULL;
    int r = store_get_fact(context->store, "org_id", &org_id, err);

    if (!r && json_put(result, "org_id", org_id ? json_object_new_string(org_id) : NULL))
        r = error_nomem(err);
    return r;
}

/* What the store says of itself, and of who uses it. */
static int
put_store(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    struct json_object *files = NULL;
    struct store_holder holder;
    int r = store_read_files(context->store, &files, err);

    if (!r && json_put(result, "files", files))
        r = error_nomem(err);
    if (!r)
        r = store_lease_holder(context->store, &holder, err);
    if (r)
        return r;
    if (put_holder(result, &holder) || json_put_string(result, "version", PACKAGE_VERSION) ||
        json_put_int(result, "schema", STORE_SCHEMA_VERSION))
        return error_nomem(err);
    return PROV_OK;
}

static int
put_hold(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    AUTO_JSON struct json_object *hold = NULL;
    int r = delivery_hold_read(context->store, &hold, err);

    return !r && put_shown(result, "hold", hold) ? error_nomem(err) : r;
}

static int
put_trouble(const struct request_context *context, struct json_object *result,
            struct prov_error *err)
{
    AUTO_JSON struct json_object *trouble = NULL;
    int r = delivery_trouble_read(context->store, &trouble, err);

    return !r && put_shown(result, "trouble", trouble) ? error_nomem(err) : r;
}

static int
put_usage(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    struct json_object *usage = NULL;
    int r = delivery_quota_read(context->store, context->fields, &usage, err);

    return !r && json_put(result, "api_usage", usage) ? error_nomem(err) : r;
}

static int
put_seats(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    struct json_object *seats = NULL;
    int r = delivery_seats_read(context->store, &seats, err);

    return !r && json_put(result, "seats", seats) ? error_nomem(err) : r;
}

static int
put_resync(const struct request_context *context, struct json_object *result,
           struct prov_error *err)
{
    struct json_object *resync = NULL;
    int r = resync_read(context->fields->store, &resync, err);

    return !r && json_put(result, "resync", resync) ? error_nomem(err) : r;
}

/* What keeps delivery from going on, or may do so soon. What is due and cannot be read is due. */
static int
put_obstacles(const struct request_context *context, struct json_object *result,
              struct prov_error *err)
{
    static const struct {
        int (*put)(const struct request_context *context, struct json_object *result,
                   struct prov_error *err);
        const char *members[2]; /* NULL behind the last */
    } parts[] = { { put_hold, { "hold" } },    { put_trouble, { "trouble" } },
                  { put_guard, { "guard" } },  { put_usage, { "api_usage" } },
                  { put_seats, { "seats" } },  { put_org, { "org_id" } },
                  { put_resync, { "resync" } } };
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct prov_error why = PROV_ERROR_INIT;
        r = store_or_unreadable(result, parts[i].members, parts[i].put(context, result, &why), &why,
                                err);
    }
    if (!r && json_put_string(result, "state",
                              json_get(result, "hold") ? "held"
                              : json_get_int(result, "due", 1) > 0 || json_get(result, "guard")
                                  ? "pending"
                                  : "idle"))
        r = error_nomem(err);
    return r;
}

/* The status in numbers takes the place of *status. */
static int
to_metrics(struct json_object **status, struct prov_error *err)
{
    AUTO_JSON struct json_object *answer = json_object_new_object();
    AUTO_FREE char *text = NULL;
    int r = metrics_text(*status, &text, err);

    if (r)
        return r;
    if (!answer || json_put_string(answer, "content_type", METRICS_CONTENT_TYPE) ||
        json_put_string(answer, "text", text))
        return error_nomem(err);
    json_object_put(*status);
    *status = STEAL(answer);
    return PROV_OK;
}

int
status_query(const struct request_context *context, struct json_object *request,
             struct json_object **ret, struct prov_error *err)
{
    AUTO_JSON struct json_object *result = NULL;
    struct json_object *wanted = json_get(request, "format"), *warnings = NULL;
    const char *format = wanted ? json_get_string(request, "format") : "json";
    bool metrics = format && strcmp(format, "prometheus") == 0;
    int r;

    if (!metrics && (!format || strcmp(format, "json") != 0))
        return error_set(err, PROV_E_INVALID,
                         "the format '%s' is not known: it is json or prometheus",
                         format ? format : json_object_get_string(wanted));
    r = store_read_counts(context->store, &result, err);
    if (!r)
        r = delivery_explain_waits(result, err);
    if (!r)
        r = put_obstacles(context, result, err);
    if (!r)
        r = put_store(context, result, err);
    if (r)
        return r;
    /* threads share the warnings, and json-c counts references without locks */
    if ((context->warnings && json_object_deep_copy(context->warnings, &warnings, NULL) != 0) ||
        json_put(result, "warnings", warnings))
        return error_nomem(err);
    if (metrics)
        r = to_metrics(&result, err);
    if (!r)
        *ret = STEAL(result);
    return r;
}
