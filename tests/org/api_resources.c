/* What the API says about itself (2.4): its resources, the limits, how many records there are. Lists
 * what is simulated, and nothing a client would then find missing. */
#include "tests/org/api.h"

#include <string.h>

void
api_resources(struct call *call)
{
    static const char *const names[] = { "sobjects", "query", "queryAll", "limits", "composite" };
    struct json_object *map = js_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_FREE char *path = text_format("/services/data/%s/%s", call->version, names[i]);
        js_put_text(map, names[i], path);
    }
    AUTO_FREE char *identity = text_format("%s/id/%s/%s", call->org->world->login_origin,
                                           call->org->id, call->org->execution_user);
    js_put_text(map, "identity", identity);
    reply_json(call->reply, 200, map);
}

static void
put_limit(struct json_object *limits, const char *name, int64_t max, int64_t used)
{
    struct json_object *limit = js_object();

    js_put_int(limit, "Max", max);
    js_put_int(limit, "Remaining", used < max ? max - used : 0);
    js_put(limits, name, limit);
}

static int64_t
custom_set_count(struct org *org)
{
    struct table *sets = &org->tables[OBJECT_PERMISSION_SET];
    int64_t count = 0;

    for (size_t i = 0; i < sets->count; i++)
        count += !sets->rows[i]->deleted && js_get_flag(sets->rows[i]->values, "IsCustom", false);
    return count;
}

/* The names that orgs were seen to answer with; the numbers of a Developer Edition (2.4). */
static const struct {
    const char *name;
    int64_t max;
} limits_known[] = {
    { "AnalyticsExternalDataSizeMB", 40960 },
    { "ConcurrentAsyncGetReportInstances", 200 },
    { "ConcurrentEinsteinDataInsightsStoryCreation", 5 },
    { "ConcurrentEinsteinDiscoveryStoryCreation", 2 },
    { "ConcurrentSyncReportRuns", 20 },
    { "ContentPublicationLimit", 5000 },
    { "DailyAnalyticsDataflowJobExecutions", 60 },
    { "DailyAnalyticsUploadedFilesSizeMB", 51200 },
    { "DailyAsyncApexExecutions", 250000 },
    { "DailyAsyncApexTests", 500 },
    { "DailyBulkApiBatches", 15000 },
    { "DailyBulkV2QueryFileStorageMB", 976562 },
    { "DailyBulkV2QueryJobs", 10000 },
    { "DailyDeliveredPlatformEvents", 10000 },
    { "DailyDurableGenericStreamingApiEvents", 10000 },
    { "DailyDurableStreamingApiEvents", 10000 },
    { "DailyEinsteinDataInsightsStoryCreation", 1000 },
    { "DailyEinsteinDiscoveryPredictAPICalls", 50000 },
    { "DailyEinsteinDiscoveryPredictionsByCDC", 500000 },
    { "DailyEinsteinDiscoveryStoryCreation", 100 },
    { "DailyFunctionsApiCallLimit", 235000 },
    { "DailyGenericStreamingApiEvents", 10000 },
    { "DailyStandardVolumePlatformEvents", 10000 },
    { "DailyStreamingApiEvents", 10000 },
    { "DailyWorkflowEmails", 1890 },
    { "DataStorageMB", 5 },
    { "DurableStreamingApiConcurrentClients", 20 },
    { "FileStorageMB", 20 },
    { "HourlyAsyncReportRuns", 1200 },
    { "HourlyDashboardRefreshes", 200 },
    { "HourlyDashboardResults", 5000 },
    { "HourlyDashboardStatuses", 999999999 },
    { "HourlyLongTermIdMapping", 100000 },
    { "HourlyManagedContentPublicRequests", 50000 },
    { "HourlyODataCallout", 1000 },
    { "HourlyPublishedPlatformEvents", 50000 },
    { "HourlyPublishedStandardVolumePlatformEvents", 1000 },
    { "HourlyShortTermIdMapping", 100000 },
    { "HourlySyncReportRuns", 500 },
    { "HourlyTimeBasedWorkflow", 1000 },
    { "MassEmail", 10 },
    { "MonthlyEinsteinDiscoveryStoryCreation", 500 },
    { "Package2VersionCreates", 6 },
    { "Package2VersionCreatesWithoutValidation", 500 },
    { "PrivateConnectOutboundCalloutHourlyLimitMB", 0 },
    { "SingleEmail", 15 },
    { "StreamingApiConcurrentClients", 20 },
};

void
api_limits(struct call *call)
{
    struct json_object *limits = js_object();
    int64_t sets = custom_set_count(call->org);

    if (!call->org->settings.view_setup) { /* 2.4; the words are unsure */
        json_object_put(limits);
        reply_error(call->reply, 403, "INSUFFICIENT_ACCESS",
                    "You do not have permission to view this record.");
        return;
    }
    put_limit(limits, "DailyApiRequests", call->org->settings.api_max, call->org->usage.api_calls);
    put_limit(js_get(limits, "DailyApiRequests"), "simulated", 0, 0); /* of an app: 2.4 */
    for (size_t i = 0; i < sizeof(limits_known) / sizeof(limits_known[0]); i++)
        put_limit(limits, limits_known[i].name, limits_known[i].max, 0);
    put_limit(limits, "PermissionSets", 1500, sets); /* 2.4 */
    put_limit(js_get(limits, "PermissionSets"), "CreateCustom", 1000, sets);
    reply_json(call->reply, 200, limits);
}

static int64_t
live_rows(const struct table *table)
{
    int64_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        count += !table->rows[i]->deleted;
    return count;
}

/* 2.4: ?sObjects=User,Lead; of all when none is named. Names that are no objects are left out
 * (unsure). */
void
api_record_count(struct call *call)
{
    const char *wanted = call_parameter(call, "sObjects");
    struct json_object *answer = js_object(), *list = js_array();
    AUTO_FREE char *names = wanted && *wanted ? text_format(",%s,", wanted) : NULL;

    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        AUTO_FREE char *name = text_format(",%s,", objects[i].name);
        struct json_object *entry;
        if (names && !strcasestr(names, name))
            continue;
        entry = js_object();
        js_put_int(entry, "count", live_rows(&call->org->tables[i]));
        js_put_text(entry, "name", objects[i].name);
        js_append(list, entry);
    }
    js_put(answer, "sObjects", list);
    reply_json(call->reply, 200, answer);
}
