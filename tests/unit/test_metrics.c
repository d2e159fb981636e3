/* The status in the text format of Prometheus. tests/e2e/test_monitoring.py reads it with Prometheus' own
 * parser; here stands what that is lenient about. */
#include "plugin/metrics.h"

#include <string.h>

#include "plugin/base/cleanup.h"
#include "tests/unit/unit.h"

static char *
text_of(const char *json)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *status = NULL;
    char *text = NULL;

    T_OK(json_parse(json, strlen(json), "the status", &status, &err), &err);
    T_OK(metrics_text(status, &text, &err), &err);
    return text;
}

static size_t
times(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

static void
labels_are_escaped(void)
{
    AUTO_FREE char *text =
        text_of("{\"store\":\"/a\\\\b\\\"c\\nd/ü\",\"schema\":9,\"version\":\"1\","
                "\"codes\":[{\"state\":\"parked\",\"code\":\"X\\\"}\",\"users\":3}]}");

    T_HAS(
        text,
        "sfprov_users_by_code{store=\"/a\\\\b\\\"c\\nd/ü\",state=\"parked\",code=\"X\\\"}\"} 3\n");
    T_HAS(text, "version=\"1\",schema=\"9\",org_id=\"\"} 1\n");
}

static void
every_metric_has_its_help_and_its_type_once_and_before_it(void)
{
    AUTO_FREE char *text = text_of("{\"store\":\"s\"}");
    size_t metrics = times(text, "# HELP ");

    T_TRUE(metrics > 20);
    T_INT(times(text, "# TYPE "), metrics);
    for (char *line = strtok(text, "\n"), *type; line; line = strtok(NULL, "\n")) {
        char name[100] = "";
        if (strncmp(line, "# HELP ", 7) != 0)
            continue;
        T_INT(sscanf(line, "# HELP %99s", name), 1);
        T_TRUE(strncmp(name, "sfprov_", 7) == 0);
        type = strtok(NULL, "\n");
        T_TRUE(type && strncmp(type, "# TYPE ", 7) == 0 && strstr(type, name) == type + 7);
        /* `_total` is for counters, and they have it */
        T_INT(type && strstr(type, " counter") != NULL, strstr(name, "_total") != NULL);
    }
}

static void
what_is_not_known_is_left_out_and_what_is_not_so_is_nought(void)
{
    AUTO_FREE char *text = text_of("{\"store\":\"s\",\"hold\":null,\"trouble\":null,\"guard\":null,"
                                   "\"delivering\":null,\"api_usage\":null,\"last_delivered\":null,"
                                   "\"oldest_pending_s\":null,\"files\":{\"free_bytes\":null}}");

    T_TRUE(!strstr(text, "sfprov_org_api_calls_used{"));
    T_TRUE(!strstr(text, "sfprov_last_delivered_timestamp_seconds{"));
    T_TRUE(!strstr(text, "sfprov_store_free_bytes{"));
    T_HAS(text, "sfprov_oldest_pending_seconds{store=\"s\"} 0\n");
    T_HAS(text, "sfprov_deactivations_held{store=\"s\"} 0\n");
    T_HAS(text, "sfprov_delivering{store=\"s\"} 0\n");
    T_HAS(text, "sfprov_trouble{store=\"s\"} 0\n");
    T_HAS(text, "sfprov_hold{store=\"s\",by=\"admin\"} 0\n");
    T_HAS(text, "sfprov_hold{store=\"s\",by=\"salesforce\"} 0\n");
}

static void
states_and_outcomes_are_labels_as_they_come(void)
{
    AUTO_FREE char *text =
        text_of("{\"store\":\"s\",\"subjects\":{\"in_step\":5,\"new_state\":2,\"total\":7},"
                "\"changes_delivered\":9,\"changes_new\":1,\"passwords\":{\"waiting\":4},"
                "\"hold\":{\"by\":\"admin\"},\"guard\":{\"held\":6},\"delivering\":{\"process\":1},"
                "\"last_delivered\":\"1970-01-02T00:00:07Z\",\"warnings\":[1,2]}");

    T_HAS(text, "sfprov_users{store=\"s\",state=\"in_step\"} 5\n");
    T_HAS(text, "sfprov_users{store=\"s\",state=\"new_state\"} 2\n");
    T_TRUE(!strstr(text, "state=\"total\""));
    T_HAS(text, "sfprov_changes_total{store=\"s\",outcome=\"delivered\"} 9\n");
    T_HAS(text, "sfprov_changes_total{store=\"s\",outcome=\"new\"} 1\n");
    T_HAS(text, "sfprov_passwords{store=\"s\",state=\"waiting\"} 4\n");
    T_HAS(text, "sfprov_hold{store=\"s\",by=\"admin\"} 1\n");
    T_HAS(text, "sfprov_hold{store=\"s\",by=\"salesforce\"} 0\n");
    T_HAS(text, "sfprov_deactivations_held{store=\"s\"} 6\n");
    T_HAS(text, "sfprov_delivering{store=\"s\"} 1\n");
    T_HAS(text, "sfprov_last_delivered_timestamp_seconds{store=\"s\"} 86407\n");
    T_HAS(text, "sfprov_field_warnings{store=\"s\"} 2\n");
}

static void
what_cannot_be_read_is_left_out_and_is_no_nought(void)
{
    AUTO_FREE char *text =
        text_of("{\"store\":\"s\",\"changes_delivered\":null,\"changes_refused\":null,"
                "\"api_calls\":null,\"oldest_pending_s\":null,\"waits\":null,\"guard\":null,"
                "\"passwords\":null,\"unreadable\":[{\"member\":\"changes_delivered\"},"
                "{\"member\":\"changes_refused\"},{\"member\":\"api_calls\"},"
                "{\"member\":\"oldest_pending_s\"},{\"member\":\"waits\"},"
                "{\"member\":\"guard\"},{\"member\":\"passwords\"}]}");

    T_HAS(text, "sfprov_unreadable{store=\"s\"} 7\n");
    T_TRUE(!strstr(text, "sfprov_changes_total{"));
    T_TRUE(!strstr(text, "sfprov_api_calls_total{"));
    T_TRUE(!strstr(text, "sfprov_oldest_pending_seconds{"));
    T_TRUE(!strstr(text, "sfprov_waits{"));
    T_TRUE(!strstr(text, "sfprov_deactivations_held{"));
    T_TRUE(!strstr(text, "sfprov_passwords{"));
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(labels_are_escaped),
        UNIT_CASE(every_metric_has_its_help_and_its_type_once_and_before_it),
        UNIT_CASE(what_is_not_known_is_left_out_and_what_is_not_so_is_nought),
        UNIT_CASE(states_and_outcomes_are_labels_as_they_come),
        UNIT_CASE(what_cannot_be_read_is_left_out_and_is_no_nought),
    };

    return unit_run("metrics", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
