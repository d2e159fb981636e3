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
put_guard(struct json_object *result, const struct guard_numbers *numbers)
{
    struct json_object *guard = numbers->held ? json_object_new_object() : NULL;

    if ((numbers->held && !guard) || json_put(result, "guard", guard))
        return PROV_E_NOMEM;
    if (!guard)
        return PROV_OK;
    if (json_put_int(guard, "held", numbers->held))
        return PROV_E_NOMEM;
    return json_put_string(guard, "remedy",
                           "look whether so many are to leave; then release, or correct the host");
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

/* What the store says of itself, and of who uses it. */
static int
put_store(const struct request_context *context, struct json_object *result, struct prov_error *err)
{
    AUTO_FREE char *org_id = NULL;
    struct json_object *files = NULL;
    struct store_holder holder;
    int r = store_get_fact(context->store, "org_id", &org_id, err);

    if (!r)
        r = store_read_files(context->store, &files, err);
    if (!r && json_put(result, "files", files))
        r = error_nomem(err);
    if (!r)
        r = store_lease_holder(context->store, &holder, err);
    if (r)
        return r;
    if (put_holder(result, &holder) || json_put_string(result, "version", PACKAGE_VERSION) ||
        json_put_int(result, "schema", STORE_SCHEMA_VERSION) ||
        json_put(result, "org_id", org_id ? json_object_new_string(org_id) : NULL))
        return error_nomem(err);
    return PROV_OK;
}

/* What keeps delivery from going on, or may do so soon. */
static int
put_obstacles(const struct request_context *context, struct json_object *result,
              struct prov_error *err)
{
    AUTO_JSON struct json_object *hold = NULL;
    AUTO_JSON struct json_object *trouble = NULL;
    struct json_object *usage = NULL, *seats = NULL;
    struct guard_numbers guard;
    int r = delivery_hold_read(context->store, &hold, err);

    if (!r)
        r = delivery_trouble_read(context->store, &trouble, err);
    if (!r)
        r = store_guard_numbers(context->store, &guard, err);
    if (!r)
        r = delivery_quota_read(context->store, context->fields, &usage, err);
    if (!r && json_put(result, "api_usage", usage))
        r = error_nomem(err);
    if (!r)
        r = delivery_seats_read(context->store, &seats, err);
    if (!r && json_put(result, "seats", seats))
        r = error_nomem(err);
    if (r)
        return r;
    if (put_guard(result, &guard) ||
        json_put_string(result, "state",
                        hold                                           ? "held"
                        : json_get_int(result, "due", 0) || guard.held ? "pending"
                                                                       : "idle") ||
        put_shown(result, "hold", hold) || put_shown(result, "trouble", trouble))
        return error_nomem(err);
    return PROV_OK;
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
    struct json_object *wanted = json_get(request, "format"), *warnings = NULL, *resync = NULL;
    const char *format = wanted ? json_get_string(request, "format") : "json";
    bool metrics = format && strcmp(format, "prometheus") == 0;
    int r;

    if (!metrics && (!format || strcmp(format, "json") != 0))
        return error_set(err, PROV_E_INVALID,
                         "the format '%s' is not known: it is json or prometheus",
                         format ? format : json_object_get_string(wanted));
    r = store_read_counts(context->store, &result, err);
    if (!r)
        r = put_obstacles(context, result, err);
    if (!r)
        r = resync_read(context->fields->store, &resync, err);
    if (!r && json_put(result, "resync", resync))
        r = error_nomem(err);
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
