/*
 * A fixed work in five stages: events accepted one by one, events accepted in arrays, all of them delivered to
 * an org in this process, then a change of each, and another one of which the host is told. Prints what each stage cost in flushes, calls to the
 * system and allocations; callgrind counts the instructions of the functions gate_*(), on this thread.
 *
 * usage: gate [AGAIN]  so many of the single events are accepted twice: a cost that the gate has to see.
 */
#include "tests/gate/gate.h"

#include <fcntl.h>
#include <provisioning/connector.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "tests/org/sim.h"

#define USERS 200 /* of each of two kinds: accepted alone, accepted in arrays */
#define GROUP 100

struct org_sim *gate_org;

int32_t prov_connector_init(uint32_t major, uint32_t minor, struct prov_vtable *vtable,
                            struct prov_error *err);

/* ---- counting ---- */

enum what {
    FLUSH,
    WRITE,
    READ,
    LOCK,
    ALLOCATION,
    WHAT_COUNT
};
static const char *const what_names[] = { "flushes", "writes", "reads", "locks", "allocations" };

static bool counting;
static long counts[WHAT_COUNT];

bool
gate_count(bool on)
{
    bool was = counting;

    counting = on;
    return was;
}

static void
count(enum what what)
{
    counts[what] += counting;
}

#define SHIM __attribute__((visibility("default")))

SHIM int
fdatasync(int fd)
{
    count(FLUSH);
    return (int)syscall(SYS_fdatasync, fd);
}

SHIM int
fsync(int fd)
{
    count(FLUSH);
    return (int)syscall(SYS_fsync, fd);
}

SHIM ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    count(WRITE);
    return syscall(SYS_pwrite64, fd, bytes, length, at);
}

SHIM ssize_t
pread64(int fd, void *bytes, size_t length, off64_t at)
{
    count(READ);
    return syscall(SYS_pread64, fd, bytes, length, at);
}

SHIM int
fcntl64(int fd, int command, ...)
{
    va_list rest;
    void *argument;

    va_start(rest, command);
    argument = va_arg(rest, void *);
    va_end(rest);
    count(LOCK);
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* Of our own code alone: the linker leads its calls here (--wrap), those of libraries go on as ever. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t most);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);

void *
__wrap_malloc(size_t size)
{
    count(ALLOCATION);
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t number, size_t size)
{
    count(ALLOCATION);
    return __real_calloc(number, size);
}

void *
__wrap_realloc(void *block, size_t size)
{
    count(ALLOCATION);
    return __real_realloc(block, size);
}

char *
__wrap_strdup(const char *text)
{
    count(ALLOCATION);
    return __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t most)
{
    count(ALLOCATION);
    return __real_strndup(text, most);
}

/* ---- the work ---- */

static struct prov_vtable methods = { .size = sizeof(methods) };
static prov_connector *connector;
static char *tokens[2 * USERS];

static void
must(bool done, const char *what, const char *why)
{
    if (done)
        return;
    fprintf(stderr, "gate: %s: %s\n", what, why);
    exit(1);
}

static void
make_tokens(const char *kind, const char *jtis, const char *title)
{
    for (int i = 0; i < 2 * USERS; i++) {
        free(tokens[i]);
        must(asprintf(&tokens[i],
                      "{\"iss\":\"https://idp.example\",\"iat\":1764000000,\"jti\":\"%s-%05d\","
                      "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/%05d\"},\"events\":{"
                      "\"urn:ietf:params:scim:event:prov:%s:full\":{\"data\":{"
                      "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],"
                      "\"id\":\"%05d\",\"userName\":\"user%05d\",\"active\":true,"
                      "\"name\":{\"givenName\":\"Ada\",\"familyName\":\"Lovelace-%05d\"},"
                      "\"title\":\"%s\",\"department\":\"Engines\",\"emails\":[{\"value\":"
                      "\"user%05d@acme.example\",\"type\":\"work\",\"primary\":true}],"
                      "\"phoneNumbers\":[{\"value\":\"+44 20 7946 %05d\",\"type\":\"work\"}]}}}}",
                      jtis, i, i, kind, i, i, i, title, i, i) > 0,
             "tokens", "out of memory");
    }
}

static void
submit(int first, size_t number)
{
    /* not on the stack, which our compiler options would clear: fifty kilobytes for one event */
    static struct prov_event events[GROUP];
    static struct prov_answer answers[GROUP];
    struct prov_error error = PROV_ERROR_INIT;

    for (size_t i = 0; i < number; i++) {
        const char *token = tokens[(size_t)first + i];
        events[i] = (struct prov_event){ sizeof(events[i]), token, strlen(token) };
        answers[i] = (struct prov_answer){ .size = sizeof(answers[i]) };
    }
    must(methods.submit(connector, events, number, answers, &error) == 0, "submit", error.text);
    for (size_t i = 0; i < number; i++)
        must(answers[i].status == PROV_ANSWER_ACCEPTED, "an event", answers[i].error.text);
}

__attribute__((noinline)) static void
gate_accept_alone(int again)
{
    for (int i = 0; i < USERS; i++) {
        submit(i, 1);
        if (i < again)
            submit(i, 1);
    }
}

__attribute__((noinline)) static void
gate_accept_groups(int again)
{
    (void)again;
    for (int i = USERS; i < 2 * USERS; i += GROUP)
        submit(i, GROUP);
}

static long told;

static int32_t
take_outcome(void *context, const char *json, size_t length)
{
    (void)context;
    (void)json;
    (void)length;
    told++;
    return 0;
}

static void
deliver_all(void)
{
    struct prov_error error = PROV_ERROR_INIT;
    struct prov_delivery report = { .size = sizeof(report) };

    must(methods.deliver(connector, 60000, &report, &error) == 0, "deliver", error.text);
    must(report.state == PROV_DELIVERY_IDLE && report.pending == 0, "deliver", "it is not done");
}

__attribute__((noinline)) static void
gate_deliver(int again)
{
    (void)again;
    deliver_all();
}

/* Of each user who is there one field differs. */
__attribute__((noinline)) static void
gate_changes(int again)
{
    (void)again;
    deliver_all();
}

/* The same, and the host is told of each. */
__attribute__((noinline)) static void
gate_told(int again)
{
    (void)again;
    deliver_all();
    must(told == 2 * USERS, "the host", "was not told of all once");
}

static void
run(const char *stage, void (*work)(int), int again)
{
    memset(counts, 0, sizeof(counts));
    gate_count(true);
    work(again);
    gate_count(false);
    for (int i = 0; i < WHAT_COUNT; i++)
        printf("%s.%s %ld\n", stage, what_names[i], counts[i]);
}

/* ---- begin and end ---- */

static char *
start_org(const char *folder)
{
    static const char *const names[] = { "acme" };
    char why[ORG_SIM_WHY_BYTES] = "";
    struct json_object *ready;
    char *text, *fields = NULL;

    gate_org = org_sim_start(
        &(struct org_sim_options){ .names = names, .name_count = 1, .seats = 10000 }, why);
    must(gate_org != NULL, "the org", why);
    text = org_sim_ready(gate_org);
    ready = json_tokener_parse(text);
    must(asprintf(&fields,
                  "{\"domain_name\":\"%s\",\"client_id\":\"%s\",\"client_secret\":\"%s\","
                  "\"profile\":\"Standard User\",\"provisioning_domain\":\"acme.example\","
                  "\"issuer\":\"https://idp.example\",\"parallel_calls\":1,"
                  "\"store\":\"%s/store.db\"}",
                  org_sim_url(gate_org, "acme"), json_get_string(ready, "client_id"),
                  json_get_string(ready, "client_secret"), folder) > 0,
         "fields", "out of memory");
    json_object_put(ready);
    free(text);
    return fields;
}

static void
open_connector(const char *fields, const struct prov_host *host)
{
    struct prov_error error = PROV_ERROR_INIT;
    struct prov_open options = { .size = sizeof(options),
                                 .flags = PROV_OPEN_NO_WORKER | PROV_OPEN_SQLITE_UNCOUNTED,
                                 .fields = fields,
                                 .fields_length = strlen(fields),
                                 .host = host };

    must(methods.open(&options, &connector, NULL, &error) == 0, "open", error.text);
}

/* Everybody is given a title, in arrays. */
static void
submit_all(const char *jtis, const char *title)
{
    make_tokens("put", jtis, title);
    for (int i = 0; i < 2 * USERS; i += GROUP)
        submit(i, GROUP);
}

static void
remove_folder(const char *folder)
{
    static const char *const names[] = { "", "-wal", "-shm", ".lease" };
    char path[300];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/store.db%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int
main(int argc, char **argv)
{
    char folder[] = "/tmp/sfprov-gate.XXXXXX";
    int again = argc > 1 ? atoi(argv[1]) : 0;
    const struct prov_host host = { .size = sizeof(host), .outcome = take_outcome };
    struct prov_error error = PROV_ERROR_INIT;
    char *fields;

    /* the other one begins from chance, and with it how often names collide */
    json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
    must(mkdtemp(folder) != NULL, folder, "cannot be made");
    must(prov_connector_init(1, 1, &methods, &error) == 0, "init", error.text);
    make_tokens("create", "create", "Analyst");
    fields = start_org(folder);
    open_connector(fields, NULL);
    run("accept_alone", gate_accept_alone, again);
    run("accept_groups", gate_accept_groups, again);
    run("deliver", gate_deliver, again);
    submit_all("first", "Countess");
    run("deliver_changes", gate_changes, again);
    methods.close(connector, 1000);
    open_connector(fields, &host);
    deliver_all(); /* the host is told of all that was before it */
    told = 0;
    submit_all("second", "Enchantress");
    run("deliver_told", gate_told, again);
    methods.close(connector, 1000);
    free(fields);
    org_sim_stop(gate_org);
    for (int i = 0; i < 2 * USERS; i++)
        free(tokens[i]);
    remove_folder(folder);
    return 0;
}
