/*
 * `sync`: a full list of people from a CSV file (rule 6). Decides that the whole file is read and
 * checked before the plugin hears of it, and how the outcome is told. Who was hired, changed or
 * lost is the plugin's finding, and so is whether a list that loses many may be applied.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/changes.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/host.h"
#include "hosts/cli/input.h"
#include "hosts/cli/people.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/subjects.h"

struct sync {
    const struct options *options;
    const char *file;
    struct csv csv;
    struct people *people;
    struct host host;
    struct json_object *report; /* of snapshot_end() */
    struct drive_view view;
    int64_t start_us;
};

static int
read_separator(const struct options *options, char *ret)
{
    const char *text = options->separator;

    *ret = ',';
    if (!text)
        return CODE_DONE;
    *ret = (char)(strcmp(text, "tab") ? *text : '\t');
    if (strcmp(text, "tab") && (strlen(text) != 1 || strchr("\"\r\n", *text))) {
        complain("--separator '%s': give one character, or 'tab'", text);
        return CODE_USAGE;
    }
    return CODE_DONE;
}

static int
read_people(struct sync *sync)
{
    struct people_options how = { .key = sync->options->key,
                                  .maps = sync->options->maps,
                                  .map_count = sync->options->map_count };
    struct prov_error err = { .size = sizeof(err) };
    size_t length, missing, line;
    char *text = NULL, separator;
    int result;

    if (read_separator(sync->options, &separator))
        return CODE_USAGE;
    if (input_read(sync->file, CSV_MAX_BYTES, &text, &length, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    result = csv_parse(text, length, separator, &sync->csv, &err);
    free(text);
    if (!result)
        result = people_read(&sync->csv, &how, &sync->people, &err);
    if (result) {
        complain("%s: %s", sync->file, err.text);
        complain("nothing was changed");
        return CODE_USAGE;
    }
    missing = people_without_manager(sync->people, &line);
    if (missing)
        complain("%s:%zu: note: %zu people name a manager who is not in the list", sync->file, line,
                 missing);
    return CODE_DONE;
}

/* One user of the list: {"uri":...,"data":{...}}. */
static int
add_person(struct sync *sync, prov_snapshot *snapshot, size_t index, struct prov_error *err)
{
    struct json_object *user = json_object_new_object(), *resource = NULL;
    char *uri = people_uri(sync->people, index);
    const char *text;
    int result = people_resource(sync->people, index, &resource, err);

    if (!result) {
        reply_put_text(user, "uri", uri);
        reply_put(user, "data", resource);
        text = json_object_to_json_string_ext(user, JSON_C_TO_STRING_PLAIN);
        result = sync->host.api.snapshot_add(snapshot, text, strlen(text), err);
    }
    free(uri);
    json_object_put(user);
    return result;
}

static int
take_snapshot(struct sync *sync)
{
    struct prov_error err = { .size = sizeof(err) };
    const struct options *options = sync->options;
    uint32_t flags = (options->force ? PROV_SNAPSHOT_FORCE : 0u) |
                     (options->dry_run ? PROV_SNAPSHOT_DRY_RUN : 0u);
    prov_snapshot *snapshot = NULL;
    char *text = NULL;

    if (sync->host.api.snapshot_begin(sync->host.connector, options->issuer, flags, &snapshot,
                                      &err))
        return host_failed("cannot begin the list", &err);
    for (size_t i = 0; i < people_count(sync->people); i++) {
        char place[64];

        if (!interrupt_seen() && !add_person(sync, snapshot, i, &err))
            continue;
        sync->host.api.snapshot_end(snapshot, 0, &text, NULL);
        sync->host.api.release(text);
        if (interrupt_seen()) {
            complain("interrupted; nothing was changed");
            return CODE_INTERRUPTED;
        }
        snprintf(place, sizeof(place), "line %zu", people_line(sync->people, i));
        complain("%s: the list is refused as a whole, nothing was changed", sync->file);
        return host_failed(place, &err);
    }
    if (sync->host.api.snapshot_end(snapshot, 1, &text, &err))
        return host_failed("cannot apply the list", &err);
    return host_answer(&sync->host, text, &sync->report);
}

/* Not applied and no dry run: the guard, or an empty list. */
static int
explain_refusal(const struct sync *sync)
{
    const char *reason = reply_text(sync->report, "reason");

    if (reply_flag(sync->report, "applied") || !reason)
        return CODE_DONE;
    complain("the list was not applied%s: %s", sync->options->dry_run ? " and would not be" : "",
             reason);
    if (!sync->options->dry_run)
        complain("'--dry-run' shows whom the list would change, '--force' applies it");
    return CODE_USAGE;
}

static int
deliver(struct sync *sync)
{
    struct drive *drive;
    int code = drive_start(&sync->host, &drive);

    if (code)
        return code;
    drive_kick(drive);
    code = drive_finish(drive, sync->options->timeout_s, "");
    sync->view = drive_look(drive);
    drive_explain(&sync->host, &sync->view, code);
    sync->view = drive_stop(drive, code);
    return code;
}

static void
print_counts(const struct sync *sync, int64_t parked)
{
    static const char *const names[] = { "hired", "changed", "returned", "lost", "skipped" };
    struct json_object *counts = reply_get(sync->report, "counts");
    double seconds = (double)(clock_us() - sync->start_us) / 1e6;

    printf("%" PRId64 " people listed:", reply_number(counts, "listed"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (reply_number(counts, names[i]))
            printf(" %" PRId64 " %s,", reply_number(counts, names[i]), names[i]);
    }
    printf(" %" PRId64 " unchanged; ", reply_number(counts, "unchanged"));
    if (sync->options->dry_run)
        printf("a dry run, nothing was changed or sent; ");
    else if (sync->options->no_deliver)
        printf("accepted, not delivered here; ");
    else
        printf("%" PRIu64 " changes delivered, %" PRId64 " users parked, %" PRIu64
               " pending; %" PRIu64 " API calls; ",
               sync->view.delivered, parked, sync->view.pending, sync->view.api_calls);
    printf("%.1f s\n", seconds);
}

static void
print_json(const struct sync *sync, struct json_object *users, struct json_object *parked, int code)
{
    static const char *const members[] = { "applied", "dry_run", "reason", "counts" };
    struct json_object *answer = json_object_new_object();

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct json_object *value = reply_get(sync->report, members[i]);

        if (value)
            reply_put(answer, members[i], json_object_get(value));
    }
    reply_put(answer, "users", users);
    reply_put(answer, "parked", parked);
    if (!sync->options->dry_run && !sync->options->no_deliver)
        reply_put(answer, "delivery", drive_summary(&sync->view, code));
    reply_put(answer, "seconds", reply_seconds(clock_us() - sync->start_us));
    host_print_json(answer);
    json_object_put(answer);
}

static int
report(struct sync *sync, int code)
{
    struct host *host = &sync->host;
    struct json_object *users = NULL, *parked = NULL;
    bool dry_run = sync->options->dry_run;
    int64_t parked_users = dry_run ? 0 : parked_count(host);
    int result;

    if (dry_run)
        result = changes_preview(host, sync->report, sync->people, sync->options->issuer, &users);
    else
        result = changes_outcome(host, sync->report, &users);
    if (result)
        return result;
    if (parked_users)
        parked = parked_list(host);
    if (sync->options->json) {
        print_json(sync, users, parked, code);
    } else {
        changes_print(users);
        parked_print(parked, parked_users);
        print_counts(sync, parked_users);
        json_object_put(users);
        json_object_put(parked);
    }
    return !code && parked_users ? CODE_PARKED : code;
}

static int
sync_people(struct sync *sync)
{
    const struct options *options = sync->options;
    bool tool = options->dry_run || options->no_deliver;
    int code =
        host_open(options, tool ? PROV_OPEN_NEVER_DELIVER : PROV_OPEN_NO_WORKER, &sync->host);
    int refused;

    if (code)
        return code;
    interrupt_watch();
    code = take_snapshot(sync);
    if (!code) {
        refused = explain_refusal(sync);
        if (!refused && !tool)
            code = deliver(sync);
        if (refused)
            code = refused;
        if (!refused || options->dry_run || options->json)
            code = report(sync, code);
    }
    host_close(&sync->host);
    return code;
}

int
command_sync(const struct options *options, const struct arguments *arguments)
{
    struct sync sync = { .options = options, .file = arguments->texts[0], .start_us = clock_us() };
    int code = read_people(&sync);

    if (!code)
        code = sync_people(&sync);
    people_free(sync.people);
    csv_clear(&sync.csv);
    json_object_put(sync.report);
    return code;
}
