/*
 * What delivery costs, against a server of canned answers over TLS (canned.c), whose processor time does
 * not count:
 *
 *   user    processor for each user from submit to acknowledged, 200 a call, through the ABI as a host
 *   call    processor of one Collections call of 200 users, against h2load with the same body, one
 *           connection each, in turn
 *   alone   one event on an idle system: from submit to its request on the wire
 *   paced   10 000 users, the server answering in 200 ms: against the time of 50 calls at parallel_calls
 *
 * Judges nothing: goals are printed beside what was measured.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <provisioning/connector.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/cleanup.h"
#include "plugin/salesforce/session.h"
#include "tests/bench/canned.h"
#include "tests/bench/size.h"

#define PAIRS       7
#define ALONE       51
#define PACED_MS    200
#define PARALLEL    5
#define GROUP       100
#define TOKEN_BYTES 1200

static char directory[256], ca_file[300];
static struct canned *canned;
static size_t pairs, users, calls, paced_users; /* of this run */

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_deliver: %s: %s\n", what, why);
    exit(1);
}

static double
processor_s(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long long
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_value);
    return values[count / 2];
}

static void
tell(const char *name, double value, double goal)
{
    printf("deliver.%s %.2f goal %.2f %s\n", name, value, goal, value <= goal ? "met" : "not met");
    fflush(stdout);
}

/* ---- a host ---- */

struct host {
    struct prov_vtable api;
    prov_connector *connector;
    char store[300];
};

static void
host_open(struct host *host, const char *name, uint32_t flags, int parallel)
{
    const char *path = getenv("SFPROV_PLUGIN");
    void *library = dlopen(path ? path : ".libs/sfprov.so", RTLD_NOW);
    int32_t (*init)(uint32_t, uint32_t, struct prov_vtable *, struct prov_error *);
    struct prov_error err = { .size = sizeof(err) };
    struct prov_open open = { .size = sizeof(open), .flags = flags | PROV_OPEN_SQLITE_UNCOUNTED };
    char fields[1500];

    if (!library || !(init = dlsym(library, "prov_connector_init")))
        fail("the plugin", dlerror());
    snprintf(host->store, sizeof(host->store), "%s/%s.db", directory, name);
    snprintf(fields, sizeof(fields),
             "{\"domain_name\":\"https://127.0.0.1:%d\",\"client_id\":\"bench\","
             "\"client_secret\":\"bench-secret\",\"profile\":\"Standard User\",\"ca_file\":\"%s\","
             "\"provisioning_domain\":\"bench.example\",\"issuer\":\"https://bench.example\","
             "\"store\":\"%s\",\"parallel_calls\":%d,\"guard_percent\":100}",
             canned->port, ca_file, host->store, parallel);
    open.fields = fields;
    open.fields_length = strlen(fields);
    host->api.size = sizeof(host->api);
    if (init(PROV_ABI_MAJOR, PROV_ABI_MINOR, &host->api, &err) ||
        host->api.open(&open, &host->connector, NULL, &err))
        fail("open", err.text);
}

static size_t
write_event(char *token, size_t user, size_t version)
{
    static long jti;

    return (size_t)snprintf(
        token, TOKEN_BYTES,
        "{\"iss\":\"https://bench.example\",\"iat\":1764000000,\"jti\":\"b-%ld\","
        "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/%zu\"},\"events\":{"
        "\"urn:ietf:params:scim:event:prov:put:full\":{\"data\":{\"schemas\":["
        "\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"id\":\"%zu\",\"userName\":\"user%zu\","
        "\"active\":true,\"name\":{\"givenName\":\"Ada\",\"familyName\":\"Lovelace-%zu\"},"
        "\"title\":\"Analyst %zu\",\"department\":\"Engines %zu\","
        "\"emails\":[{\"value\":\"user%zu@bench.example\",\"type\":\"work\",\"primary\":true}],"
        "\"phoneNumbers\":[{\"value\":\"+44 20 7946 %04zu\",\"type\":\"work\"}]}}}}",
        jti++, user, user, user, user, version, version, user, user);
}

/* Each user of the range is given this version of a title and a department. */
static void
submit_users(struct host *host, size_t count, size_t version)
{
    static char tokens[GROUP][TOKEN_BYTES];
    static struct prov_answer answers[GROUP];
    struct prov_event events[GROUP];
    struct prov_error err = { .size = sizeof(err) };

    for (size_t first = 0; first < count; first += GROUP) {
        size_t some = count - first < GROUP ? count - first : GROUP;
        for (size_t i = 0; i < some; i++) {
            size_t length = write_event(tokens[i], first + i, version);
            events[i] = (struct prov_event){ .size = sizeof(events[i]),
                                             .json = tokens[i],
                                             .length = length };
            answers[i] = (struct prov_answer){ .size = sizeof(answers[i]) };
        }
        if (host->api.submit(host->connector, events, some, answers, &err))
            fail("submit", err.text);
        for (size_t i = 0; i < some; i++) {
            if (answers[i].status != PROV_ANSWER_ACCEPTED)
                fail("submit", answers[i].error.text);
        }
    }
}

static void
deliver_all(struct host *host, size_t count)
{
    struct prov_delivery report = { .size = sizeof(report) };
    struct prov_error err = { .size = sizeof(err) };
    size_t delivered = 0;

    do {
        if (host->api.deliver(host->connector, 60000, &report, &err))
            fail("deliver", err.text);
        delivered += (size_t)report.delivered;
    } while (report.state == PROV_DELIVERY_BUSY);
    if (delivered != count || report.state != PROV_DELIVERY_IDLE)
        fail("deliver", "not everybody was delivered");
}

/* ---- what is measured ---- */

/* So many Collections calls have come since. */
static void
tell_calls(const char *name, long long before)
{
    printf("deliver.%s_calls %lld\n", name, atomic_load(&canned->collections) - before);
}

static void
measure_user(void)
{
    double accept[PAIRS], deliver[PAIRS], both[PAIRS];
    struct host host = { .connector = NULL };
    long long before = atomic_load(&canned->collections);

    host_open(&host, "user", PROV_OPEN_NO_WORKER, 1);
    submit_users(&host, users, 0);
    deliver_all(&host, users);
    for (size_t pair = 0; pair < pairs; pair++) {
        double start = processor_s(RUSAGE_SELF), middle;
        submit_users(&host, users, pair + 1);
        middle = processor_s(RUSAGE_SELF);
        deliver_all(&host, users);
        deliver[pair] = (processor_s(RUSAGE_SELF) - middle) / (double)users * 1e6;
        accept[pair] = (middle - start) / (double)users * 1e6;
        both[pair] = accept[pair] + deliver[pair];
    }
    host.api.close(host.connector, 1000);
    tell_calls("user", before);
    printf("deliver.user_accept_us %.1f\n", median(accept, pairs));
    printf("deliver.user_deliver_us %.1f\n", median(deliver, pairs));
    tell("user_us", median(both, pairs), 30);
}

static const struct value *
bench_fields(struct pool *pool, size_t user)
{
    struct value *fields = NULL;
    char text[600];
    int length = snprintf(
        text, sizeof(text),
        "{\"Username\":\"primary-user%zu@bench.example\",\"Email\":\"primary-user%zu@bench."
        "example\","
        "\"LastName\":\"Lovelace\",\"FirstName\":\"Ada\",\"Alias\":\"adalove\",\"IsActive\":true,"
        "\"Title\":\"Analyst\",\"Department\":\"Engines\",\"Phone\":\"+44 20 7946 0000\","
        "\"ProfileId\":\"00e000000000001AAA\",\"TimeZoneSidKey\":\"Europe/London\","
        "\"LocaleSidKey\":\"en_GB\",\"LanguageLocaleKey\":\"en_US\",\"EmailEncodingKey\":\"UTF-"
        "8\"}",
        user, user);

    if (value_parse(pool, text, (size_t)length, "the fields", &fields, NULL))
        fail("call", "out of memory");
    return fields;
}

static void
call_once(struct sf_session *session, const struct sf_change *changes)
{
    CLEANUP(sf_batch_cleanup) struct sf_batch *batch = NULL;
    static struct sf_record results[SF_MAX_RECORDS];
    struct sf_call call;

    if (sf_batch_new(SF_CREATE_USERS, changes, SF_MAX_RECORDS, &batch, &call) ||
        sf_batch_send(session, batch, SF_CAN_WAIT, results, &call) || call.outcome != SF_DELIVERED)
        fail("call", call.message);
}

/* The body of our calls, for h2load. */
static void
write_body(const struct sf_change *changes, const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file)
        fail(path, "cannot be written");
    fputs("{\"allOrNone\":false,\"records\":[", file);
    for (size_t i = 0; i < SF_MAX_RECORDS; i++) {
        AUTO_FREE char *text = value_json(changes[i].fields);
        fprintf(file, "%s{\"attributes\":{\"type\":\"User\"},%s", i ? "," : "", text + 1);
    }
    fputs("]}", file);
    if (fclose(file))
        fail(path, "cannot be written");
}

/* Processor of h2load for so many calls; negative if there is none. */
static double
h2load_s(const char *body, size_t times)
{
    char count[24], url[100];
    double before = processor_s(RUSAGE_CHILDREN);
    int status = 0;
    pid_t child;

    snprintf(count, sizeof(count), "%zu", times);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/services/data/v67.0/composite/sobjects",
             canned->port);
    child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, 1);
        execlp("h2load", "h2load", "--h1", "-c", "1", "-m", "1", "-n", count, "-d", body, "-H",
               "Content-Type: application/json", url, (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status == 0 ? processor_s(RUSAGE_CHILDREN) - before : -1;
}

static struct sf_session *
bench_session(void)
{
    struct sf_settings settings = { .api_version = "v67.0",
                                    .client_id = "bench",
                                    .client_secret = "bench-secret",
                                    .user_agent = "sfprov-bench",
                                    .ca_file = ca_file };
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;
    char origin[60], endpoint[100];

    snprintf(origin, sizeof(origin), "https://127.0.0.1:%d", canned->port);
    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", origin);
    settings.origin = origin;
    settings.token_endpoint = endpoint;
    if (sf_session_new(&settings, &session, &err))
        fail("call", err.text);
    return session;
}

static double
our_call_us(struct sf_session *session, const struct sf_change *changes)
{
    double start = processor_s(RUSAGE_SELF);

    for (size_t i = 0; i < calls; i++)
        call_once(session, changes);
    return (processor_s(RUSAGE_SELF) - start) / (double)calls * 1e6;
}

static double
h2load_call_us(const char *body)
{
    double all = h2load_s(body, 4 * calls + 1), start = h2load_s(body, 1);

    if (all < 0 || start < 0)
        fail("h2load", "not there, or failed; it is in the package nghttp2-client");
    return (all - start) / (4 * (double)calls) * 1e6;
}

static void
measure_call(void)
{
    AUTO_POOL struct pool pool = { 0 };
    struct sf_change changes[SF_MAX_RECORDS];
    struct sf_session *session = bench_session();
    double ours[PAIRS], theirs[PAIRS], ratio[PAIRS];
    long long before = atomic_load(&canned->collections);
    char body[300];

    for (size_t i = 0; i < SF_MAX_RECORDS; i++)
        changes[i] = (struct sf_change){ .fields = bench_fields(&pool, i) };
    snprintf(body, sizeof(body), "%s/body.json", directory);
    write_body(changes, body);
    call_once(session, changes);
    for (size_t pair = 0; pair < pairs; pair++) {
        if (pair % 2)
            theirs[pair] = h2load_call_us(body);
        ours[pair] = our_call_us(session, changes);
        if (pair % 2 == 0)
            theirs[pair] = h2load_call_us(body);
        ratio[pair] = ours[pair] / theirs[pair];
    }
    tell_calls("call", before);
    printf("deliver.call_us %.0f\n", median(ours, pairs));
    printf("deliver.call_h2load_us %.0f\n", median(theirs, pairs));
    tell("call_to_h2load", median(ratio, pairs), 2);
    sf_session_free(session);
}

static void
wait_for_calls(long long count)
{
    const struct timespec moment = { 0, 200000 };

    for (int i = 0; atomic_load(&canned->collections) < count; i++) {
        if (i > 100000)
            fail("alone", "no call came");
        nanosleep(&moment, NULL);
    }
}

static void
measure_alone(void)
{
    const struct timespec quiet = { 0, 20000000 };
    struct host host = { .connector = NULL };
    size_t times = bench_size(ALONE, 3);
    double took_ms[ALONE];

    host_open(&host, "alone", 0, 1);
    for (size_t i = 0; i < times; i++) {
        long long count = atomic_load(&canned->collections), start;
        nanosleep(&quiet, NULL);
        start = now_us();
        submit_users(&host, 1, i);
        wait_for_calls(count + 1);
        took_ms[i] = (double)(atomic_load(&canned->collection_at_us) - start) / 1000;
    }
    host.api.close(host.connector, 1000);
    tell("alone_ms", median(took_ms + 1, times - 1), 2); /* the first one also logs in */
}

static void
measure_paced(void)
{
    struct host host = { .connector = NULL };
    long long before = atomic_load(&canned->collections);
    size_t full = (paced_users + SF_MAX_RECORDS - 1) / SF_MAX_RECORDS;
    double ratios[PAIRS], bare_s = (double)full / PARALLEL * PACED_MS / 1000;

    host_open(&host, "paced", PROV_OPEN_NO_WORKER, PARALLEL);
    submit_users(&host, paced_users, 0);
    deliver_all(&host, paced_users);
    atomic_store(&canned->latency_ms, PACED_MS);
    for (size_t pair = 0; pair < pairs; pair++) {
        long long start;
        submit_users(&host, paced_users, pair + 1);
        start = now_us();
        deliver_all(&host, paced_users);
        ratios[pair] = (double)(now_us() - start) / 1e6 / bare_s;
    }
    atomic_store(&canned->latency_ms, 0);
    host.api.close(host.connector, 1000);
    tell_calls("paced", before);
    printf("deliver.paced_bare_s %.2f\n", bare_s);
    tell("paced_to_bare", median(ratios, pairs), 1.1);
}

/* ---- begin and end ---- */

static void
clean_up(void)
{
    static const char *const names[] = { "user", "alone", "paced" };
    static const char *const ends[] = { "", "-wal", "-shm", ".lease" };
    char path[400];

    canned_stop(canned);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++) {
            snprintf(path, sizeof(path), "%s/%s.db%s", directory, names[i], ends[n]);
            unlink(path);
        }
    }
    snprintf(path, sizeof(path), "%s/body.json", directory);
    unlink(path);
    unlink(ca_file);
    rmdir(directory);
}

/* With an argument, only the measurement of that name. */
int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*measure)(void);
    } all[] = { { "user", measure_user },
                { "call", measure_call },
                { "alone", measure_alone },
                { "paced", measure_paced } };
    const char *tmp = getenv("TMPDIR");

    pairs = bench_size(PAIRS, 1);
    users = bench_size(2000, 400);
    calls = bench_size(400, 2);
    paced_users = bench_size(10000, 1000);
    snprintf(directory, sizeof(directory), "%s/sfprov-bench.XXXXXX",
             tmp && *tmp == '/' ? tmp : "/tmp");
    if (!mkdtemp(directory))
        fail(directory, "cannot be made");
    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", directory);
    canned = canned_start(ca_file);
    atexit(clean_up);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (argc < 2 || strcmp(argv[1], all[i].name) == 0)
            all[i].measure();
    }
    return 0;
}
