/*
 * `run` and `deliver`: events as JSON lines until the end of input, delivered meanwhile, until all
 * is settled. Decides when a batch is handed over: when it is full, or when no more input is there
 * yet; what arrives while one batch goes to disk makes the next. Delivery has a thread of its own
 * (drive.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/cli/answers.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/daemon.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/host.h"
#include "hosts/cli/subjects.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define LOOK_MS 200 /* how often we look up from an input that gives nothing */

struct run {
    struct host host;
    struct drive *drive;
    struct input_lines lines;
    struct answers answers;
    struct input_event batch[ANSWERS_BATCH];
    size_t count;
    int64_t start_us;
};

static int
hand_over(struct run *run)
{
    int code;

    if (run->count == 0)
        return CODE_DONE;
    code = answers_submit(&run->host, run->batch, run->count, &run->answers);
    run->count = 0;
    if (code)
        return code;
    answers_complain(&run->answers);
    drive_kick(run->drive);
    return CODE_DONE;
}

/* Takes all lines that are there; full batches are handed over. */
static int
take_lines(struct run *run)
{
    struct input_event event;
    enum input_what what;
    int code;

    while ((what = input_next(&run->lines, &event)) != INPUT_NONE) {
        if (what == INPUT_TOO_LONG) {
            complain("%s:%zu: refused: the line is longer than %u bytes", run->answers.file,
                     event.line, PROV_EVENT_MAX_BYTES);
            run->answers.refused++;
            continue;
        }
        run->batch[run->count++] = event;
        if (run->count < ANSWERS_BATCH)
            continue;
        code = hand_over(run);
        if (code)
            return code;
    }
    return CODE_DONE;
}

static void
show_progress(const struct run *run)
{
    struct drive_view view = drive_look(run->drive);
    char prefix[96];

    snprintf(prefix, sizeof(prefix), "%" PRIu64 " accepted, %" PRIu64 " refused; ",
             run->answers.accepted, run->answers.refused);
    drive_progress(&view, prefix, run->start_us);
}

/* Reads to the end of input. Lines are borrowed from the reader's buffer, so a batch is handed
 * over before more is read. */
static int
read_input(struct run *run)
{
    int code, reason;

    while (!run->lines.ended && !interrupt_seen()) {
        reason = input_fill(&run->lines, LOOK_MS);
        if (reason) {
            complain("cannot read '%s': %s", run->answers.file, strerror(reason));
            return CODE_FAILED;
        }
        code = take_lines(run);
        if (!code)
            code = hand_over(run);
        if (code)
            return code;
        show_progress(run);
    }
    return CODE_DONE;
}

static void
print_json(const struct run *run, const struct drive_view *view, struct json_object *parked,
           int code)
{
    struct json_object *summary = json_object_new_object();

    reply_put(summary, "accepted", json_object_new_int64((int64_t)run->answers.accepted));
    reply_put(summary, "duplicates", json_object_new_int64((int64_t)run->answers.duplicates));
    reply_put(summary, "refused", json_object_new_int64((int64_t)run->answers.refused));
    reply_put(summary, "delivery", drive_summary(view, code));
    parked_put(summary, parked);
    reply_put(summary, "seconds", reply_seconds(clock_us() - run->start_us));
    host_print_json(summary);
    json_object_put(summary);
}

/* Returns the exit code: parked users and refused lines make a difference to it. */
static int
report(const struct options *options, struct run *run, const struct drive_view *view, int code)
{
    int64_t parked_users = parked_count(&run->host);
    struct json_object *parked = parked_users ? parked_list(&run->host) : NULL;

    if (options->json) {
        print_json(run, view, parked, code);
    } else {
        parked_print(parked, parked_users);
        if (run->lines.fd >= 0)
            answers_count(&run->answers, "; ");
        printf("%" PRIu64 " changes delivered, %" PRId64 " users parked or waiting, %" PRIu64
               " pending; %" PRIu64 " API calls; %.1f s\n",
               view->delivered, parked_users, view->pending, view->api_calls,
               (double)(clock_us() - run->start_us) / 1e6);
    }
    json_object_put(parked);
    return !code && (run->answers.refused || parked_users) ? CODE_PARKED : code;
}

static int
run_all(const struct options *options, struct run *run)
{
    struct drive_view view;
    char prefix[96] = "";
    int code = drive_start(&run->host, &run->drive);

    if (code)
        return code;
    code = run->lines.fd >= 0 ? read_input(run) : CODE_DONE;
    if (run->lines.fd >= 0)
        snprintf(prefix, sizeof(prefix), "%" PRIu64 " accepted, %" PRIu64 " refused; ",
                 run->answers.accepted, run->answers.refused);
    if (!code)
        code = drive_finish(run->drive, options->timeout_s, prefix);
    screen_progress_end();
    view = drive_look(run->drive);
    drive_explain(&run->host, &view, code);
    view = drive_stop(run->drive, code);
    return report(options, run, &view, code);
}

static int
run_file(const struct options *options, const char *file, int fd)
{
    struct prov_error err = { .size = sizeof(err) };
    struct run *run = calloc(1, sizeof(*run));
    int code;

    if (!run) {
        complain("out of memory");
        return CODE_FAILED;
    }
    run->start_us = clock_us();
    run->lines.fd = fd;
    run->answers.file = file;
    run->answers.what = "line";
    code = host_open(options, PROV_OPEN_NO_WORKER, &run->host);
    if (!code) {
        if (fd < 0 && host_lacks_store(&run->host, &err)) { /* delivering would make one */
            code = host_failed("nothing to deliver", &err);
        } else {
            interrupt_watch();
            code = run_all(options, run);
        }
        host_close(&run->host);
    }
    input_lines_clear(&run->lines);
    free(run);
    return code;
}

int
command_run(const struct options *options, const struct arguments *arguments)
{
    const char *file = arguments->count ? arguments->texts[0] : NULL;
    struct prov_error err = { .size = sizeof(err) };
    int fd, code;

    if (options->daemon == (file != NULL) || (options->daemon && options->resources) ||
        (options->daemon && options->timeout_s)) {
        complain(options->daemon ? "--daemon takes no file, no --resources and no --timeout: it "
                                   "delivers what others accept, until it is told to end"
                                 : "'run' needs FILE|-, or --daemon to deliver what others accept");
        return CODE_USAGE;
    }
    if (options->daemon)
        return daemon_run(options);
    if (input_open(file, &fd, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    code = run_file(options, file, fd);
    if (fd != STDIN_FILENO)
        close(fd);
    return code;
}

int
command_deliver(const struct options *options, const struct arguments *arguments)
{
    (void)arguments;
    return run_file(options, "", -1);
}
