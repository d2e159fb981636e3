/* The world of the torture tests. Fixed here: the connector fields that all of them use. */
#include "tests/torture/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/cleanup.h"
#include "plugin/base/json.h"
#include "tests/torture/shim.h"

#define SETTLE_ROUNDS 400
#define HOUR_US       INT64_C(3600000000)

int32_t prov_connector_init(uint32_t major, uint32_t minor, struct prov_vtable *vtable,
                            struct prov_error *err);

static void
must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "torture: %s\n", what);
    abort();
}

void
world_start(struct world *world, enum org_sim_certificate certificate)
{
    static const char *const names[] = { "acme" };
    char why[ORG_SIM_WHY_BYTES] = "";

    *world = (struct world){ .methods = { .size = sizeof(struct prov_vtable) },
                             .error = { .size = sizeof(struct prov_error) } };
    if (certificate != ORG_SIM_PLAIN_HTTP) {
        strcpy(world->ca_file, "/tmp/sfprov-torture-ca-XXXXXX");
        close(mkstemp(world->ca_file));
    }
    world->sim = org_sim_start(&(struct org_sim_options){ .names = names,
                                                          .name_count = 1,
                                                          .seats = 100,
                                                          .certificate = certificate,
                                                          .ca_file = world->ca_file },
                               why);
    must(world->sim != NULL, why);
    strcpy(world->folder, "/tmp/sfprov-torture-XXXXXX");
    must(mkdtemp(world->folder) != NULL, "no directory can be made in /tmp");
    strcat(world->folder, "/");
    must(prov_connector_init(1, 1, &world->methods, &world->error) == 0, world->error.text);
}

static void
empty_folder(const struct world *world)
{
    DIR *directory = opendir(world->folder);
    struct dirent *entry;
    char path[400];

    must(directory != NULL, "the directory of the store is gone");
    while ((entry = readdir(directory))) {
        snprintf(path, sizeof(path), "%s%s", world->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(directory);
}

void
world_stop(struct world *world)
{
    world_close(world);
    org_sim_stop(world->sim);
    empty_folder(world);
    rmdir(world->folder);
    if (world->ca_file[0])
        unlink(world->ca_file);
}

void
world_reset(struct world *world)
{
    world_close(world);
    empty_folder(world);
    world_tell_org(world, "/__org/reset", "{}");
    shim_clock_skew(0);
}

char *
world_fields(struct world *world, const char *more)
{
    AUTO_FREE char *ready = org_sim_ready(world->sim);
    struct json_object *facts = json_tokener_parse(ready);
    char *fields = NULL, trust[100] = "";

    if (world->ca_file[0])
        snprintf(trust, sizeof(trust), "\"ca_file\":\"%s\",", world->ca_file);

    must(facts && asprintf(&fields,
                           "{%s%s\"domain_name\":\"%s\",\"client_id\":\"%s\","
                           "\"client_secret\":\"%s\",\"profile\":\"Standard User\","
                           "\"provisioning_domain\":\"acme.example\","
                           "\"issuer\":\"https://idp.example\",\"settle_window_s\":60,"
                           "\"retry_max_s\":60,\"store\":\"%sstore.db\"}",
                           more, trust, org_sim_url(world->sim, "acme"),
                           json_get_string(facts, "client_id"),
                           json_get_string(facts, "client_secret"), world->folder) > 0,
         "no memory");
    json_object_put(facts);
    return fields;
}

int
world_open(struct world *world, const char *fields)
{
    struct prov_open options = { .size = sizeof(options),
                                 .fields = fields,
                                 .fields_length = strlen(fields),
                                 .flags = world->worker ? 0 : PROV_OPEN_NO_WORKER,
                                 .host = world->host.size ? &world->host : NULL };
    int r = world->methods.open(&options, &world->connector, NULL, &world->error);

    if (r)
        world->connector = NULL;
    return r;
}

void
world_close(struct world *world)
{
    world->methods.close(world->connector, 1000);
    world->connector = NULL;
}

unsigned
world_submit(struct world *world, const char *json)
{
    struct prov_event event = { sizeof(event), json, strlen(json) };
    struct prov_answer answer = { .size = sizeof(answer) };

    if (world->methods.submit(world->connector, &event, 1, &answer, &world->error))
        return 0;
    if (answer.status != PROV_ANSWER_ACCEPTED)
        world->error = answer.error;
    return answer.status;
}

int
world_deliver(struct world *world, struct prov_delivery *ret)
{
    *ret = (struct prov_delivery){ .size = sizeof(*ret) };
    return world->methods.deliver(world->connector, 0, ret, &world->error);
}

int
world_act(struct world *world, const char *request)
{
    char *answer = NULL;
    int r = world->methods.act(world->connector, request, strlen(request), &answer, &world->error);

    if (!r)
        world->methods.release(answer);
    return r;
}

struct json_object *
world_query(struct world *world, const char *request)
{
    struct json_object *result = NULL;
    char *answer = NULL;

    if (!world->methods.query(world->connector, request, strlen(request), &answer, &world->error))
        result = json_tokener_parse(answer);
    world->methods.release(answer);
    return result;
}

void
world_print(struct json_object *users)
{
    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct json_object *user = json_object_array_get_idx(users, i);
        const char *title = json_get_string(user, "Title"), *fax = json_get_string(user, "Fax");
        const char *manager = json_get_string(user, "ManagerId");
        printf("  in the org: %s %s title '%s' fax '%s' manager %s %s%s\n",
               json_get_string(user, "Id"), json_get_string(user, "Username"), title ? title : "",
               fax ? fax : "", manager ? manager : "-",
               json_get_bool(user, "IsActive", false) ? "active" : "inactive",
               json_get_bool(user, "frozen", false) ? ", frozen" : "");
    }
}

void
world_print_subjects(struct world *world)
{
    static const char request[] = "{\"query\":\"subjects\",\"limit\":100}";
    char *answer = NULL;

    if (world->methods.query(world->connector, request, strlen(request), &answer, &world->error))
        printf("  the store: %s\n", world->error.text);
    else
        printf("  the store: %s\n", answer);
    world->methods.release(answer);
}

static struct json_object *
org_state(struct world *world)
{
    AUTO_FREE char *text = org_sim_state(world->sim, "acme");
    struct json_object *state = json_tokener_parse(text);

    must(state != NULL, "the org has no state");
    return state;
}

char *
world_key(struct world *world)
{
    static char path[sizeof(world->folder) + 10];

    snprintf(path, sizeof(path), "%sseal.key", world->folder);
    return path;
}

void
world_write_key(struct world *world)
{
    static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    int fd = open(world_key(world), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && write(fd, key, sizeof(key) - 1) == (ssize_t)sizeof(key) - 1, "no key");
    close(fd);
}

bool
world_has_password(struct world *world, const char *id, const char *password)
{
    char target[100], body[100];
    AUTO_FREE char *answer = NULL;
    bool before = shim_be_connector(false);
    int status = 0;

    snprintf(target, sizeof(target), "/__org/users/%s/check_password", id);
    snprintf(body, sizeof(body), "{\"password\":\"%s\"}", password);
    answer = org_sim_ask(world->sim, "acme", "POST", target, body, &status);
    shim_be_connector(before);
    return answer && strstr(answer, "true") != NULL;
}

static void
await_late_writes(struct world *world)
{
    for (int i = 0; i < 2000; i++) {
        struct json_object *state = org_state(world);
        int64_t late = json_get_int(state, "late_writes", 0);
        json_object_put(state);
        if (late == 0)
            return;
        poll(NULL, 0, 2);
    }
    must(false, "late writes do not land");
}

bool
world_settle(struct world *world)
{
    struct prov_delivery report = { 0 };

    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        struct timespec now;
        int64_t wait_us;
        if (world_deliver(world, &report))
            return false;
        if (report.state == PROV_DELIVERY_IDLE)
            return true;
        clock_gettime(CLOCK_REALTIME, &now);
        wait_us = report.next_due_us - (int64_t)now.tv_sec * 1000000 - now.tv_nsec / 1000;
        /* an hour at most: a time further away may be none, after the clock was set back */
        if (wait_us > 0)
            world_pass(world, wait_us < HOUR_US ? wait_us + 1000 : HOUR_US);
    }
    snprintf(world->error.text, sizeof(world->error.text),
             "not settled after %d rounds: state %u, %llu pending", SETTLE_ROUNDS, report.state,
             (unsigned long long)report.pending);
    return false;
}

static void
ask_org(struct world *world, const char *method, const char *target, const char *body)
{
    int status = 0;
    bool before = shim_be_connector(false); /* the org answers on this thread, by its own clock */
    AUTO_FREE char *answer = org_sim_ask(world->sim, "acme", method, target, body, &status);

    shim_be_connector(before);
    if (status >= 300)
        fprintf(stderr, "torture: the org answers %s with %d: %s\n", target, status, answer);
    must(status < 300, "the org was told something it does not know");
}

void
world_tell_org(struct world *world, const char *target, const char *body)
{
    ask_org(world, body ? "POST" : "DELETE", target, body);
}

void
world_change_org(struct world *world, const char *target, const char *body)
{
    ask_org(world, "PATCH", target, body);
}

void
world_pass(struct world *world, int64_t us)
{
    await_late_writes(world);
    shim_clock_move(us);
}

struct json_object *
world_users(struct world *world)
{
    static const char own[] = ".simulated.example";
    struct json_object *state = org_state(world), *users = json_object_new_array();
    struct json_object *all = json_get(state, "users"), *frozen = json_get(state, "frozen");

    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *user = json_object_array_get_idx(all, i);
        const char *name = json_get_string(user, "Username");
        if (strstr(name, own))
            continue;
        for (size_t at = 0; at < json_object_array_length(frozen); at++) {
            if (strcmp(json_object_get_string(json_object_array_get_idx(frozen, at)), name) == 0)
                json_object_object_add(user, "frozen", json_object_new_boolean(true));
        }
        json_object_object_add(
            user, "passwords",
            json_object_new_int64(json_get_int(json_get(state, "passwords_set"), name, 0)));
        json_object_array_add(users, json_object_get(user));
    }
    json_object_put(state);
    return users;
}
