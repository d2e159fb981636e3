/* One process submits, in one call, more than SQLite keeps in memory of a transaction, and is struck meanwhile: what
 * was written to the log by then stands where others write as soon as that is rolled back. So the other process
 * submits as much at once, and the first goes on. */
#include "tests/torture/beside.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/base/cleanup.h"
#include "plugin/base/json.h"
#include "plugin/store/db.h"
#include "tests/torture/watch.h"

#define USER_COUNT 45 /* of either side; there are 100 seats */
#define FILLER_MAX (PROV_EVENT_MAX_BYTES - 1000)
#define TRIES      3
#define HANG_S     60 /* of the other process, and of who waits for it */

enum side {
    STRUCK,
    OTHER,
    SIDE_COUNT
};

/* What a side was answered accepted: the last number of each user, and how many there were. */
struct accepted {
    unsigned last[USER_COUNT], times[USER_COUNT];
};

/* Of all processes. */
static struct shared {
    struct accepted accepted[SIDE_COUNT];
    unsigned number; /* of what was submitted last; the title of its users */
    size_t unsure;   /* so many users of it have no answer yet */
    size_t wanted;   /* users that the other is to submit; 0: it is to end */
    bool refused;    /* the other, which nothing strikes */
    long log_bytes;  /* after the last commit */
    unsigned rolled_back;
    sem_t asked, answered;
} * shared;

static const char *fields;
static size_t filler; /* of an event: those of a call do not fit into the cache */
static pid_t other;

/* ---- submitting ---- */

/* What fills it tells which event it was, so that no page of it can stand in another one's place unseen. */
static char
letter_of(unsigned number)
{
    return (char)('a' + number % 26);
}

/* No memory is asked for, which may be refused here. */
static struct prov_event
event_of(enum side side, size_t user, unsigned number)
{
    static char texts[USER_COUNT][PROV_EVENT_MAX_BYTES];
    char *text = texts[user], uri[20];
    size_t length;

    snprintf(uri, sizeof(uri), "%c%zu", "so"[side], user);
    length = (size_t)snprintf(
        text, PROV_EVENT_MAX_BYTES - FILLER_MAX,
        "{\"jti\":\"%u-%s\",\"iss\":\"https://idp.example\",\"sub_id\":{\"format\":\"scim\","
        "\"uri\":\"/Users/%s\"},\"events\":{\"urn:ietf:params:scim:event:prov:put:full\":"
        "{\"data\":{\"userName\":\"%s\",\"active\":true,\"title\":\"t%u\",\"name\":{"
        "\"familyName\":\"Doe\"},\"emails\":[{\"value\":\"%s@example.com\",\"primary\":true}],"
        "\"urn:example:notes\":{\"text\":\"",
        number, uri, uri, uri, number, uri);
    memset(text + length, letter_of(number), filler);
    strcpy(text + length + filler, "\"}}}}}");
    return (struct prov_event){ sizeof(struct prov_event), text, strlen(text) };
}

/* Whether all were accepted: they are one transaction. */
static bool
submit(struct world *world, enum side side, size_t users, unsigned number)
{
    struct prov_event events[USER_COUNT] = { { 0 } };
    struct prov_answer answers[USER_COUNT];

    for (size_t i = 0; i < users; i++) {
        events[i] = event_of(side, i, number);
        answers[i] = (struct prov_answer){ .size = sizeof(answers[i]) };
    }
    if (world->methods.submit(world->connector, events, users, answers, &world->error))
        return false;
    for (size_t i = 0; i < users; i++) {
        if (answers[i].status == PROV_ANSWER_ACCEPTED)
            continue;
        world->error = answers[i].error;
        return false;
    }
    for (size_t i = 0; i < users; i++) {
        shared->accepted[side].last[i] = number;
        shared->accepted[side].times[i]++;
    }
    return true;
}

/* ---- the other process ---- */

static long
log_bytes(const struct world *world)
{
    char path[sizeof(world->folder) + 20];
    struct stat status;

    snprintf(path, sizeof(path), "%sstore.db-wal", world->folder);
    return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

static void
await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0 && errno == EINTR)
        ;
}

static void
live_beside(struct world *world)
{
    unsigned number = 1000; /* not the jti of the first one's */

    watch_begin(HANG_S, shim_trace);
    shim_be_connector(true);
    if (world_open(world, fields))
        shared->refused = true;
    for (await(&shared->asked); shared->wanted; await(&shared->asked)) {
        if (!submit(world, OTHER, shared->wanted, ++number)) {
            shared->refused = true;
            printf("  the other process: %s\n", world->error.text);
        }
        sem_post(&shared->answered);
    }
    world_close(world);
    _exit(0);
}

/* As much as the first one lost, so that it is written in the same places; else a little. */
static void
ask_other(const struct world *world, bool lost)
{
    shared->rolled_back += lost && log_bytes(world) > shared->log_bytes;
    shared->wanted = lost ? USER_COUNT : 1;
    sem_post(&shared->asked);
    await(&shared->answered);
    shared->log_bytes = log_bytes(world);
}

void
beside_start(struct world *world)
{
    unsigned before = shared->rolled_back;

    *shared = (struct shared){ .rolled_back = before };
    sem_init(&shared->asked, 1, 0);
    sem_init(&shared->answered, 1, 0);
    fflush(stdout);
    other = fork();
    if (other == 0)
        live_beside(world);
    watch_begin(HANG_S, shim_trace);
    ask_other(world, false);
    watch_end();
}

/* Whether it was accepted all that time, and ended in order. */
static bool
end_other(void)
{
    int status = 0;

    shared->wanted = 0;
    sem_post(&shared->asked);
    while (waitpid(other, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 && !shared->refused;
}

/* ---- the process that is struck ---- */

static bool
submit_beside(struct world *world, size_t users)
{
    shared->number++;
    shared->unsure = users;
    for (int times = 0; times < TRIES && shared->unsure; times++) {
        if (submit(world, STRUCK, users, shared->number))
            shared->unsure = 0;
        ask_other(world, shared->unsure > 0);
    }
    return shared->unsure == 0;
}

/* Opening and preparing is struck in the life of one process. The log begins anew for what is struck: of pages that
 * stand in it some are read when a transaction is rolled back, and SQLite's own reading would hide what is left. */
void
beside_live(struct world *world, const struct shim_plan *plan)
{
    if (world_open(world, fields) || !submit_beside(world, 1) ||
        world_act(world, "{\"act\":\"vacuum\"}"))
        abort();
    shared->log_bytes = log_bytes(world);
    shim_arm(plan);
    submit_beside(world, USER_COUNT);
    world_close(world);
}

/* ---- what must be ---- */

/* Accounts that are what was accepted last, each once. */
static size_t
count_right(struct json_object *users, enum side side)
{
    size_t right = 0;

    for (size_t user = 0; user < USER_COUNT; user++) {
        char name[40], title[20];
        size_t there = 0;
        snprintf(name, sizeof(name), "%c%zu@acme.example", "so"[side], user);
        snprintf(title, sizeof(title), "t%u", shared->accepted[side].last[user]);
        for (size_t i = 0; i < json_object_array_length(users); i++) {
            struct json_object *account = json_object_array_get_idx(users, i);
            if (strcmp(json_get_string(account, "Username"), name) == 0)
                there += strcmp(json_get_string(account, "Title"), title) == 0 ? 1 : 2;
        }
        right += there == 1;
    }
    return right;
}

static size_t
users_expected(void)
{
    size_t expected = 0;

    for (int side = 0; side < SIDE_COUNT; side++) {
        for (size_t user = 0; user < USER_COUNT; user++)
            expected += shared->accepted[side].times[user] > 0;
    }
    return expected;
}

static bool
is_org_right(struct world *world)
{
    AUTO_JSON struct json_object *users = world_users(world);

    return count_right(users, STRUCK) + count_right(users, OTHER) == users_expected() &&
           json_object_array_length(users) == users_expected();
}

static struct db *
open_store(const struct world *world)
{
    struct prov_error error = PROV_ERROR_INIT;
    struct db *db = NULL;
    char path[sizeof(world->folder) + 20];

    snprintf(path, sizeof(path), "%sstore.db", world->folder);
    if (db_open(path, &db, &error))
        abort();
    return db;
}

/* Each event that was accepted is a version of its user, and the last is there from end to end. */
static bool
is_kept(const struct db_rows *rows)
{
    const char *name = db_text(rows, 0) + strlen("/Users/");
    const struct accepted *accepted = &shared->accepted[*name == 'o' ? OTHER : STRUCK];
    size_t user = (size_t)atol(name + 1) % USER_COUNT;
    char letter[] = { letter_of(accepted->last[user]), '\0' };
    const char *text = strstr(db_text(rows, 2), "\"text\":\"");

    return db_int(rows, 1) == accepted->times[user] && text &&
           strspn(text + strlen("\"text\":\""), letter) == filler;
}

static bool
are_all_kept(struct world *world)
{
    CLEANUP(db_cleanup) struct db *db = open_store(world);
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    size_t kept = 0;
    bool row = true;

    if (db_select(db, &rows, &world->error, "SELECT uri, version, resource FROM subject", ""))
        return false;
    while (row) {
        if (db_next(&rows, &row, &world->error) || (row && !is_kept(&rows)))
            return false;
        kept += row;
    }
    return kept == users_expected();
}

static bool
is_store_sound(struct world *world)
{
    AUTO_JSON struct json_object *answer =
        world_query(world, "{\"query\":\"store\",\"full\":true}");
    bool sound = json_get_bool(answer, "sound", false);

    if (!sound)
        printf("  the store's check: %s\n", json_object_to_json_string(answer));
    return sound;
}

const char *
beside_judge(struct world *world)
{
    bool ended;

    watch_begin(HANG_S, shim_trace);
    ask_other(world, shared->unsure > 0);
    ended = end_other();
    watch_end();
    if (!ended)
        return "the other process was refused, or ended";
    if (world_open(world, fields))
        return "the store cannot be opened again";
    if (!is_store_sound(world))
        return "the store is damaged";
    if (shared->unsure && !submit(world, STRUCK, shared->unsure, shared->number))
        return "the host cannot go on";
    if (!are_all_kept(world))
        return "the store has not what was accepted";
    if (!world_settle(world))
        return "what was accepted is not delivered";
    return is_org_right(world) ? NULL : "the org is not what was accepted";
}

unsigned
beside_rolled_back(void)
{
    return shared->rolled_back;
}

/* ---- once ---- */

static int64_t
ask_number(struct db *db, const char *pragma)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error error = PROV_ERROR_INIT;
    bool row = false;

    if (db_one_row(db, &rows, &row, &error, pragma, "") || !row)
        abort();
    return db_int(&rows, 0);
}

/* What a connection to the store keeps in memory. */
static size_t
cache_bytes(struct world *world)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    int64_t size;

    if (world_open(world, fields) || !submit(world, STRUCK, 1, 1))
        abort();
    db = open_store(world);
    size = ask_number(db, "PRAGMA cache_size"); /* pages, or, below zero, KiB */
    return (size_t)(size < 0 ? -size * 1024 : size * ask_number(db, "PRAGMA page_size"));
}

/* Three times what the cache takes, if events may be so large: what fails is to fail while a part stands in the log. */
void
beside_begin(struct world *world, const char *of_connector)
{
    size_t cache;

    fields = of_connector;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    cache = cache_bytes(world);
    filler = cache * 3 / USER_COUNT < FILLER_MAX ? cache * 3 / USER_COUNT : FILLER_MAX;
    if (filler * USER_COUNT < cache / 4 * 5)
        abort(); /* more users are needed */
    world_reset(world);
}
