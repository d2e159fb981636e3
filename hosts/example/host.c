/*
 * A host in C, as a server would be one, cut down to what is about sfprov. It loads the connector, hands over events
 * (JSON, one a line of the standard input), drives delivery on a thread of its own, and prints what becomes of each.
 *
 *     cc $(pkg-config --cflags sfprov) -o host host.c -pthread -ldl
 *     ./host "$(pkg-config --variable=plugin sfprov)" /etc/sfprov/fields.json <events.jsonl
 *
 * It ends when the input has ended and delivery has nothing to do now; what is undelivered stays in the store. The
 * header provisioning/connector.h and sfprov-connector(7) say all that is taken for granted here.
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): POSIX names it so */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <provisioning/connector.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct host {
    struct prov_vtable api;
    prov_connector *connector;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool submitted; /* since delivery was called last */
    bool ended;     /* the input */
};

/* ---- what the connector calls, on several threads at once ---- */

static void
print_log(void *context, int32_t level, const char *line)
{
    (void)context;
    if (level <= PROV_LOG_WARNING)
        fprintf(stderr, "host: %s\n", line);
}

/* A server would note by "txn" that its event is settled. What it does not take (another answer than 0) comes again. */
static int32_t
print_outcome(void *context, const char *json, size_t length)
{
    (void)context;
    printf("outcome %.*s\n", (int)length, json);
    fflush(stdout);
    return 0;
}

/* ---- delivery ---- */

/* Sleeps until the time that delivery named, or something is submitted; after a failure that does not count. */
static void
wait_for_work(struct host *host, int64_t next_due_us, bool failed)
{
    const struct timespec until = { .tv_sec = (time_t)(next_due_us / 1000000),
                                    .tv_nsec = (long)(next_due_us % 1000000) * 1000 };
    int r = 0;

    while (r == 0 && !host->ended && (failed || !host->submitted)) {
        if (next_due_us > 0) /* of the real-time clock, as the condition's is */
            r = pthread_cond_timedwait(&host->bell, &host->lock, &until);
        else
            r = pthread_cond_wait(&host->bell, &host->lock);
    }
}

/* A host that leaves out PROV_OPEN_NO_WORKER needs nothing of this: then a thread of the connector does it. */
static void *
deliver(void *argument)
{
    struct host *host = argument;
    bool over = false;

    while (!over) {
        struct prov_delivery report = { .size = sizeof(report) };
        struct prov_error err = { .size = sizeof(err) };
        int32_t r;

        pthread_mutex_lock(&host->lock);
        host->submitted = false;
        pthread_mutex_unlock(&host->lock);
        r = host->api.deliver(host->connector, 1000, &report, &err);
        if (r != PROV_OK)
            fprintf(stderr, "host: delivery: %s\n", err.text);
        pthread_mutex_lock(&host->lock);
        if (r != PROV_OK || report.state != PROV_DELIVERY_BUSY)
            wait_for_work(host, report.next_due_us, r != PROV_OK);
        over = host->ended && !host->submitted && report.state != PROV_DELIVERY_BUSY;
        pthread_mutex_unlock(&host->lock);
    }
    return NULL;
}

/* ---- events ---- */

/* Any thread of a server may do this; it waits for the disk, never for Salesforce. */
static void
submit(struct host *host, const char *json, size_t length)
{
    const struct prov_event event = { .size = sizeof(event), .json = json, .length = length };
    struct prov_answer answer = { .size = sizeof(answer) };
    struct prov_error err = { .size = sizeof(err) };
    int32_t r = host->api.submit(host->connector, &event, 1, &answer, &err);

    /* whether it is on disk is not known: the same event again, which is never taken twice */
    while (r == PROV_E_STORE || (r == PROV_OK && answer.status == PROV_ANSWER_UNKNOWN)) {
        fprintf(stderr, "host: not known, again in a second: %s\n",
                r == PROV_OK ? answer.error.text : err.text);
        sleep(1);
        r = host->api.submit(host->connector, &event, 1, &answer, &err);
    }
    if (r != PROV_OK)
        printf("failed %s\n", err.text);
    else if (answer.status == PROV_ANSWER_REFUSED)
        printf("refused %s\n", answer.error.text);
    else
        printf("accepted%s\n", answer.duplicate ? ", as before" : "");
    fflush(stdout);
    pthread_mutex_lock(&host->lock);
    host->submitted = true;
    pthread_cond_signal(&host->bell);
    pthread_mutex_unlock(&host->lock);
}

static void
submit_lines(struct host *host)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, stdin)) > 0)
        submit(host, line, (size_t)length);
    free(line);
}

/* ---- life ---- */

static bool
load(struct host *host, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "prov_connector_init") : NULL;
    struct prov_error err = { .size = sizeof(err) };
    prov_connector_init_fn init;

    if (!symbol) {
        fprintf(stderr, "host: %s\n", dlerror());
        return false;
    }
    memcpy(&init, &symbol, sizeof(init)); /* C knows no cast from data to code */
    host->api.size = sizeof(host->api);
    if (init(PROV_ABI_MAJOR, PROV_ABI_MINOR, &host->api, &err) != PROV_OK) {
        fprintf(stderr, "host: %s\n", err.text);
        return false;
    }
    printf("loaded %s %s\n", host->api.name, host->api.version);
    return true;
}

/* The connector fields, in memory that the caller frees; NULL if they cannot be read. */
static char *
read_fields(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "r");
    char *text = file ? malloc(PROV_FIELDS_MAX_BYTES) : NULL;

    if (text)
        *ret_length = fread(text, 1, PROV_FIELDS_MAX_BYTES, file);
    else
        perror(path);
    if (file)
        fclose(file);
    return text;
}

static bool
open_connector(struct host *host, const char *path)
{
    const struct prov_host callbacks = {
        .size = sizeof(callbacks), .context = host, .log = print_log, .outcome = print_outcome
    };
    struct prov_open options = { .size = sizeof(options),
                                 .flags = PROV_OPEN_NO_WORKER,
                                 .host = &callbacks };
    struct prov_error err = { .size = sizeof(err) };
    char *faults = NULL, *fields = read_fields(path, &options.fields_length);
    int32_t r;

    if (!fields)
        return false;
    options.fields = fields;
    r = host->api.open(&options, &host->connector, &faults, &err);
    if (r != PROV_OK)
        fprintf(stderr, "host: %s\nhost: %s\n", err.text, faults ? faults : "no more is known");
    host->api.release(faults);
    free(fields);
    return r == PROV_OK;
}

int
main(int argc, char **argv)
{
    static struct host host = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                .bell = PTHREAD_COND_INITIALIZER };
    pthread_t thread;

    if (argc != 3) {
        fprintf(stderr, "usage: host SFPROV.SO FIELDS.JSON <events.jsonl\n");
        return 2;
    }
    /* a server that becomes a daemon forks before it opens the connector */
    if (!load(&host, argv[1]) || !open_connector(&host, argv[2]))
        return 1;
    if (pthread_create(&thread, NULL, deliver, &host) != 0)
        return 1;
    submit_lines(&host);
    pthread_mutex_lock(&host.lock);
    host.ended = true;
    pthread_cond_signal(&host.bell);
    pthread_mutex_unlock(&host.lock);
    pthread_join(thread, NULL);
    /* the last call, when no other thread is in a method any more */
    host.api.close(host.connector, 5000);
    return 0;
}
