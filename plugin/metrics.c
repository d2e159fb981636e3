/* One table of metrics, from the members of the status. Names follow Prometheus: base units, `_total` for what
 * never falls, `_info` for what is text. States, outcomes and codes become labels as they come, so that a new
 * one needs no row here. */
#include "plugin/metrics.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"

struct page {
    FILE *file;
    struct json_object *status;
    const char *store;
};

struct metric {
    const char *name, *type, *help;
    void (*write)(const struct page *page, const struct metric *metric);
    const char *object, *key; /* where the status has it; object NULL: at the top */
    const char *label;        /* what the members of the object are */
};

/* ---- samples ---- */

static void
put_label(FILE *file, const char *name, const char *value)
{
    fprintf(file, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", file);
        else if (*value == '"' || *value == '\\')
            fprintf(file, "\\%c", *value);
        else
            fputc(*value, file);
    }
    fputc('"', file);
}

static void
begin_sample(const struct page *page, const struct metric *metric)
{
    fprintf(page->file, "%s{", metric->name);
    put_label(page->file, "store", page->store);
}

static void
add_label(const struct page *page, const char *name, const char *value)
{
    fputc(',', page->file);
    put_label(page->file, name, value ? value : "");
}

static void
end_sample(const struct page *page, int64_t value)
{
    fprintf(page->file, "} %lld\n", (long long)value);
}

static void
put_sample(const struct page *page, const struct metric *metric, int64_t value)
{
    begin_sample(page, metric);
    end_sample(page, value);
}

/* ---- kinds of metrics ---- */

static struct json_object *
member(const struct page *page, const struct metric *metric)
{
    struct json_object *object = page->status;

    if (metric->object)
        object = json_get(object, metric->object);
    return metric->key ? json_get(object, metric->key) : object;
}

static void
write_number(const struct page *page, const struct metric *metric)
{
    struct json_object *value = member(page, metric);

    if (value)
        put_sample(page, metric, json_object_get_int64(value));
}

static void
write_number_or_zero(const struct page *page, const struct metric *metric)
{
    struct json_object *value = member(page, metric);

    put_sample(page, metric, value ? json_object_get_int64(value) : 0);
}

static void
write_whether(const struct page *page, const struct metric *metric)
{
    put_sample(page, metric, member(page, metric) != NULL);
}

static void
write_count(const struct page *page, const struct metric *metric)
{
    struct json_object *array = member(page, metric);

    put_sample(page, metric, array ? (int64_t)json_object_array_length(array) : 0);
}

static void
write_time(const struct page *page, const struct metric *metric)
{
    struct json_object *value = member(page, metric);

    if (value)
        put_sample(page, metric, clock_parse(json_object_get_string(value)) / CLOCK_SECOND_US);
}

/* Each member of an object whose name begins with `key`; the rest of the name is the label. The total is the
 * sum of the others. */
static void
write_members(const struct page *page, const struct metric *metric)
{
    struct json_object *object =
        metric->object ? json_get(page->status, metric->object) : page->status;
    size_t begin = metric->key ? strlen(metric->key) : 0;

    if (!object)
        return;
    json_object_object_foreach(object, name, value)
    {
        if ((begin && strncmp(name, metric->key, begin) != 0) || strcmp(name, "total") == 0 ||
            !value) /* it cannot be read */
            continue;
        begin_sample(page, metric);
        add_label(page, metric->label, name + begin);
        end_sample(page, json_object_get_int64(value));
    }
}

static void
write_codes(const struct page *page, const struct metric *metric)
{
    struct json_object *codes = member(page, metric);

    for (size_t i = 0; codes && i < json_object_array_length(codes); i++) {
        struct json_object *entry = json_object_array_get_idx(codes, i);

        begin_sample(page, metric);
        add_label(page, "state", json_get_string(entry, "state"));
        add_label(page, "code", json_get_string(entry, "code"));
        end_sample(page, json_get_int(entry, "users", 0));
    }
}

/* Nothing while nobody waits; seats are the same. */
static void
write_waits(const struct page *page, const struct metric *metric)
{
    struct json_object *waits = json_get(page->status, "waits");

    for (size_t i = 0; waits && i < json_object_array_length(waits); i++) {
        struct json_object *entry = json_object_array_get_idx(waits, i);

        begin_sample(page, metric);
        add_label(page, "for", json_get_string(entry, "kind"));
        end_sample(page, json_get_int(entry, metric->key, 0));
    }
}

static void
write_seats(const struct page *page, const struct metric *metric)
{
    struct json_object *seats = member(page, metric);

    for (size_t i = 0; seats && i < json_object_array_length(seats); i++) {
        struct json_object *entry = json_object_array_get_idx(seats, i);

        begin_sample(page, metric);
        add_label(page, "licence", json_get_string(entry, "licence"));
        end_sample(page, json_get_int(entry, "waiting", 0));
    }
}

/* Both are always there, so that an alert sees the hold end. */
static void
write_hold(const struct page *page, const struct metric *metric)
{
    static const char *const whose[] = { "admin", "salesforce" };
    const char *by = json_get_string(member(page, metric), "by");

    for (size_t i = 0; i < sizeof(whose) / sizeof(whose[0]); i++) {
        begin_sample(page, metric);
        add_label(page, "by", whose[i]);
        end_sample(page, by && strcmp(by, whose[i]) == 0);
    }
}

/* What cannot be read has no sample. */
static bool
is_unreadable(struct json_object *status, const struct metric *metric)
{
    struct json_object *list = json_get(status, "unreadable");
    const char *member = metric->object ? metric->object : metric->key;

    for (size_t i = 0; member && list && i < json_object_array_length(list); i++) {
        if (strcmp(json_get_string(json_object_array_get_idx(list, i), "member"), member) == 0)
            return true;
    }
    return false;
}

static void
write_info(const struct page *page, const struct metric *metric)
{
    char schema[24];

    snprintf(schema, sizeof(schema), "%lld", (long long)json_get_int(page->status, "schema", 0));
    begin_sample(page, metric);
    add_label(page, "version", json_get_string(page->status, "version"));
    add_label(page, "schema", schema);
    add_label(page, "org_id", json_get_string(page->status, "org_id"));
    end_sample(page, 1);
}

static const struct metric metrics[] = {
    { "sfprov_info", "gauge", "Version of sfprov, of the tables of the store, and the org.",
      write_info, NULL, NULL, NULL },
    { "sfprov_users", "gauge", "Users by state.", write_members, "subjects", NULL, "state" },
    { "sfprov_users_by_code", "gauge", "Users by the code of their last outcome.", write_codes,
      NULL, "codes", NULL },
    { "sfprov_oldest_pending_seconds", "gauge",
      "Age of the oldest event whose outcome is not known yet; 0: there is none.",
      write_number_or_zero, NULL, "oldest_pending_s", NULL },
    { "sfprov_hold", "gauge", "1: nothing is sent, by order of an admin or for what the org says.",
      write_hold, NULL, "hold", NULL },
    { "sfprov_trouble", "gauge", "1: calls to Salesforce fail in passing, and are retried.",
      write_whether, NULL, "trouble", NULL },
    { "sfprov_changes_missed", "gauge",
      "Changes that the host could not hand over; its users have to be listed anew.",
      write_number_or_zero, "resync", "missed", NULL },
    { "sfprov_deactivations_held", "gauge",
      "Deactivations that wait for an admin to release them, being so many.", write_number_or_zero,
      "guard", "held", NULL },
    { "sfprov_seats_wanted", "gauge", "Users who wait for a seat of a licence that has none left.",
      write_seats, NULL, "seats", NULL },
    { "sfprov_waits", "gauge", "Users who wait for something, by what it is.", write_waits, NULL,
      "users", NULL },
    { "sfprov_waits_long", "gauge", "Those who have waited for longer than wait_limit_hours.",
      write_waits, NULL, "long", NULL },
    { "sfprov_passwords", "gauge",
      "Passwords that wait to be set, and users whose newest was refused.", write_members,
      "passwords", NULL, "state" },
    { "sfprov_delivering", "gauge", "1: a process delivers this store.", write_whether, NULL,
      "delivering", NULL },
    { "sfprov_last_delivered_timestamp_seconds", "gauge",
      "When Salesforce last confirmed a change.", write_time, NULL, "last_delivered", NULL },
    { "sfprov_events_accepted_total", "counter", "Events accepted since the store was made.",
      write_number, NULL, "events_accepted", NULL },
    { "sfprov_events_settled_total", "counter",
      "Events whose outcome is known, or that a newer one replaced.", write_number, NULL,
      "events_settled", NULL },
    { "sfprov_events_kept", "gauge", "Events in the store.", write_number, NULL, "events", NULL },
    { "sfprov_changes_total", "counter", "Changes of users by what became of them.", write_members,
      NULL, "changes_", "outcome" },
    { "sfprov_api_calls_total", "counter", "Calls to Salesforce.", write_number, NULL, "api_calls",
      NULL },
    { "sfprov_api_calls_failed_total", "counter", "Calls to Salesforce that failed as a whole.",
      write_number, NULL, "api_calls_failed", NULL },
    { "sfprov_org_api_calls_used", "gauge", "API calls of the org in 24 hours, of all programs.",
      write_number, "api_usage", "used", NULL },
    { "sfprov_org_api_calls_limit", "gauge", "API calls that the org may make in 24 hours.",
      write_number, "api_usage", "max", NULL },
    { "sfprov_org_api_calls_reserve", "gauge",
      "API calls of the limit that sfprov leaves to others.", write_number, "api_usage", "reserve",
      NULL },
    { "sfprov_org_api_calls_seen_timestamp_seconds", "gauge",
      "When Salesforce last told the use of its API.", write_time, "api_usage", "seen", NULL },
    { "sfprov_store_bytes", "gauge", "Length of the store's file.", write_number, "files",
      "store_bytes", NULL },
    { "sfprov_store_wal_bytes", "gauge", "Length of the store's write-ahead log.", write_number,
      "files", "wal_bytes", NULL },
    { "sfprov_store_free_bytes", "gauge", "Free room on the file system of the store.",
      write_number, "files", "free_bytes", NULL },
    { "sfprov_unreadable", "gauge",
      "Members of the status that cannot be read, since the store is damaged.", write_count, NULL,
      "unreadable", NULL },
    { "sfprov_field_warnings", "gauge", "Connector fields that deserve a look.", write_count, NULL,
      "warnings", NULL },
};

int
metrics_text(struct json_object *status, char **ret, struct prov_error *err)
{
    const char *store = json_get_string(status, "store");
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    struct page page = { open_memstream(&text, &length), status, store ? store : "" };
    bool failed;

    if (!page.file)
        return error_nomem(err);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct metric *metric = &metrics[i];

        fprintf(page.file, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                metric->type);
        if (!is_unreadable(status, metric))
            metric->write(&page, metric);
    }
    failed = ferror(page.file) != 0;
    if (fclose(page.file) != 0 || failed)
        return error_nomem(err);
    *ret = STEAL(text);
    return PROV_OK;
}
