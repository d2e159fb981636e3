/* A store of an older version: golden ones, written by the sfprov that knew schema 1 and by the one that knew
 * schema 12, are brought up to date with all that they hold, and whatever stops that on its way leaves them as
 * they were. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/base/secret.h"
#include "plugin/store/schema.h"
#include "tests/unit/scratch.h"

#define IDP "https://idp.example"

static char *
read_golden(int version)
{
    const char *top = getenv("srcdir");
    char path[400];
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    FILE *file;

    snprintf(path, sizeof(path), "%s/tests/golden/store/schema-%d.sql", top ? top : ".", version);
    file = fopen(path, "r");
    T_TRUE(file != NULL);
    length = file ? getdelim(&text, &room, '\0', file) : -1;
    T_TRUE(length > 5000);
    if (file)
        fclose(file);
    return text;
}

static void
make_golden(struct scratch *scratch, int version)
{
    AUTO_FREE char *sql = read_golden(version);

    scratch_make(scratch);
    scratch_sql(scratch, sql);
}

static int64_t
version_of(const struct scratch *scratch)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    bool row = false;

    T_OK(db_open(scratch->path, &db, &err), &err);
    T_OK(db_select(db, &rows, &err, "SELECT value FROM fact WHERE key = 'schema'", ""), &err);
    T_OK(db_next(&rows, &row, &err), &err);
    return row ? db_int(&rows, 0) : -1;
}

/* ---- what it holds ---- */

static void
check_counts(struct store *store)
{
    AUTO_JSON struct json_object *counts = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *subjects;

    T_OK(store_read_counts(store, &counts, &err), &err);
    subjects = json_get(counts, "subjects");
    T_INT(json_get_int(subjects, "total", -1), 9);
    T_INT(json_get_int(subjects, "in_step", -1), 2);
    T_INT(json_get_int(subjects, "pending", -1), 3);
    T_INT(json_get_int(subjects, "parked", -1), 2);
    T_INT(json_get_int(subjects, "waiting", -1), 1);
    T_INT(json_get_int(subjects, "in_flight", -1), 1);
    T_INT(json_get_int(counts, "events", -1), 14);
    T_INT(json_get_int(counts, "due", -1), 4);
}

static void
check_subjects(struct store *store)
{
    CLEANUP(work_done) struct work ada = { 0 };
    CLEANUP(work_done) struct work hal = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *org = NULL;

    T_OK(store_load(store, IDP, "/Users/ada", &ada, &err), &err);
    T_INT(ada.subject.version, 2);
    T_STR(value_get_text(ada.subject.resource, "title"), "Countess");
    T_STR(value_get_text(ada.link.confirmed, "Title"), "Analyst");
    T_STR(ada.link.salesforce_id, "0055g0000A7E9vpAQC");
    T_STR(ada.link.username_held, "primary-ada@acme.example");
    T_OK(store_load(store, IDP, "/Users/hal", &hal, &err), &err);
    T_STR(value_get_text(hal.link.in_flight, "op"), "create");
    T_STR(hal.link.username_wanted, "primary-hal@acme.example");
    T_OK(store_get_fact(store, "org_id", &org, &err), &err);
    T_STR(org, "00D5g0000A7E9vcEQC");
}

/* Every event of a user is in his story, oldest first. */
static void
check_story(struct store *store)
{
    AUTO_JSON struct json_object *bob = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *events;

    T_OK(store_read_subject(store, "/Users/bob", &bob, &err), &err);
    events = json_get(bob, "events");
    T_INT(json_object_array_length(events), 3);
    for (size_t i = 0; i < json_object_array_length(events); i++)
        T_INT(json_get_int(json_object_array_get_idx(events, i), "version", -1), i + 1);
}

/* What was accepted before is known still, and news for old subjects fold into them. */
static void
check_events(struct store *store)
{
    static const char ada[] = "{\"userName\":\"ada\",\"title\":\"Countess\"}";
    struct store_answer answer;

    answer = scratch_accept(
        store, scratch_event_of(IDP, "golden-13", NULL, "/Users/bob", "deactivate", NULL));
    T_INT(answer.status, PROV_ANSWER_ACCEPTED);
    T_TRUE(answer.duplicate);
    T_INT(answer.version, 3);
    answer = scratch_accept(
        store, scratch_event_of(IDP, "golden-13", NULL, "/Users/ada", "deactivate", NULL));
    T_INT(answer.status, PROV_ANSWER_REFUSED);
    answer = scratch_accept(store, scratch_event_of(IDP, "n1", NULL, "/Users/ada", "put", ada));
    T_TRUE(!answer.duplicate);
    T_INT(answer.version, 3);
    answer = scratch_accept(store, scratch_event_of(IDP, "n2", NULL, "/Users/new", "put", ada));
    T_INT(answer.version, 1);
    T_STR(scratch_due(store, DUE_NOW), "/Users/bob /Users/ada /Users/jan /Users/new /Users/hal");
}

static void
a_store_of_schema_1_is_brought_up_to_date(void)
{
    struct scratch s;

    make_golden(&s, 1);
    T_INT(version_of(&s), 1);
    check_counts(s.store);
    T_INT(version_of(&s), STORE_SCHEMA_VERSION);
    check_subjects(s.store);
    check_story(s.store);
    check_events(s.store);
    scratch_restart(&s);
    T_INT(scratch_id(s.store, "/Users/ada"), 0); /* of another issuer */
    scratch_remove(&s);
}

/* ---- schema 12: with a history, things in flight, and sealed passwords ---- */

static void
check_flights(struct store *store)
{
    CLEANUP(work_done) struct work bob = { 0 };
    CLEANUP(work_done) struct work hal = { 0 };
    CLEANUP(work_done) struct work mia = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(store, IDP, "/Users/bob", &bob, &err), &err);
    T_STR(value_get_text(bob.link.in_flight, "op"), "update");
    T_STR(value_get_text(value_get(bob.link.in_flight, "fields"), "Title"), "Chief");
    T_STR(value_get_text(bob.link.confirmed, "Title"), "Engineer");
    T_STR(bob.link.username_wanted, "primary-bob@acme.example");
    T_STR(bob.link.username_held, "primary-bob@acme.example");
    T_STR(bob.link.outcome, "unknown");
    T_OK(store_load(store, IDP, "/Users/hal", &hal, &err), &err);
    T_STR(value_get_text(hal.link.in_flight, "op"), "create");
    T_STR(hal.link.username_wanted, "primary-hal@acme.example");
    T_TRUE(!hal.link.username_held && hal.link.first_sent_us > 0);
    T_OK(store_load(store, IDP, "/Users/mia", &mia, &err), &err);
    T_TRUE(!mia.link.in_flight);
    T_TRUE(wait_of(&mia.link, WAIT_MANAGER) != NULL);
    T_STR(wait_of(&mia.link, WAIT_MANAGER)->value, "/Users/max");
}

static void
check_history(struct store *store)
{
    AUTO_JSON struct json_object *bob = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *rows;

    T_OK(store_read_subject(store, "/Users/bob", &bob, &err), &err);
    rows = json_get(bob, "history");
    T_INT(json_object_array_length(rows), 3);
    T_STR(json_get_string(json_object_array_get_idx(rows, 0), "action"), "created");
    T_STR(json_get_string(json_object_array_get_idx(rows, 2), "outcome"), "unknown");
}

static void
settle_jan(struct store *store)
{
    CLEANUP(work_done) struct work jan = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(store, IDP, "/Users/jan", &jan, &err), &err);
    snprintf(jan.link.salesforce_id, sizeof(jan.link.salesforce_id), "0055g0000A7E9zzAQC");
    jan.link.outcome = strdup(OUTCOME_DELIVERED);
    jan.link.settled_version = jan.subject.version;
    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(store, jan.subject.id, &jan.link, &err), &err);
    T_OK(store_commit(store, &err), &err);
}

/* It waits for its user to be settled. */
static void
check_password(const struct scratch *scratch)
{
    static const char key[] = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\n";
    CLEANUP(store_password_done) struct store_password password = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_SECRET char *clear = NULL;
    char path[400], source[410];
    bool found = true;
    FILE *file;

    snprintf(path, sizeof(path), "%s/seal.key", scratch->directory);
    snprintf(source, sizeof(source), "file:%s", path);
    umask(077);
    file = fopen(path, "w");
    T_TRUE(file != NULL);
    if (!file)
        return;
    fputs(key, file);
    fclose(file);
    store_keep_passwords(scratch->store, source);
    T_OK(store_password_due(scratch->store, 1, &password, &found, &err), &err);
    T_TRUE(!found);
    settle_jan(scratch->store);
    T_OK(store_password_due(scratch->store, 1, &password, &found, &err), &err);
    T_STR(password.uri, "/Users/jan");
    if (!found)
        return;
    T_OK(store_password_open(scratch->store, &password, &clear, &err), &err);
    T_STR(clear, "Jackdaw-9-Jetty");
    unlink(path);
}

static void
a_store_of_schema_12_is_brought_up_to_date(void)
{
    AUTO_JSON struct json_object *counts = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    make_golden(&s, 12);
    T_INT(version_of(&s), 12);
    T_OK(store_read_counts(s.store, &counts, &err), &err);
    T_STR(json_object_to_json_string(json_get(counts, "subjects")),
          "{ \"in_step\": 3, \"pending\": 1, \"waiting\": 1, \"parked\": 1, \"in_flight\": 2,"
          " \"total\": 8 }");
    T_INT(version_of(&s), STORE_SCHEMA_VERSION);
    check_flights(s.store);
    check_history(s.store);
    check_password(&s);
    scratch_remove(&s);
}

/* Tables and indexes with their columns, whatever the SQL was that made them. */
static void
list_tables(const char *path, struct json_object *list)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    bool row = true;

    T_OK(schema_open(path, &db, &err), &err);
    T_OK(db_select(db, &rows, &err,
                   "SELECT m.type || ' ' || m.name || ' ' || coalesce(c.name, '') || ' '"
                   " || coalesce(c.type, '') || c.\"notnull\" || coalesce(c.dflt_value, '')"
                   " || c.pk FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c"
                   " WHERE m.type = 'table' AND m.name <> 'sqlite_sequence'"
                   " UNION ALL"
                   " SELECT 'index ' || m.tbl_name || ' ' || l.name || ' ' || l.\"unique\""
                   " || l.partial || ' ' || coalesce(c.name, '') || coalesce(c.coll, '')"
                   " || c.seqno || c.key || coalesce(substr(m.sql, instr(m.sql, ' WHERE ')), '')"
                   " FROM sqlite_schema m, pragma_index_list(m.tbl_name) l,"
                   " pragma_index_xinfo(l.name) c WHERE m.type = 'index' AND m.name = l.name"
                   " ORDER BY 1",
                   ""),
         &err);
    while (row && db_next(&rows, &row, &err) == PROV_OK && row)
        T_OK(json_append(list, json_object_new_string(db_text(&rows, 0))), &err);
}

static void
an_old_and_a_new_store_have_the_same_tables(void)
{
    static const int golden[] = { 1, 12 };

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        AUTO_JSON struct json_object *migrated = json_object_new_array();
        AUTO_JSON struct json_object *made = json_object_new_array();
        struct scratch old, new;
        make_golden(&old, golden[i]);
        scratch_make(&new);
        list_tables(old.path, migrated);
        list_tables(new.path, made);
        T_TRUE(json_object_array_length(made) > 60);
        T_STR(json_object_to_json_string(migrated), json_object_to_json_string(made));
        scratch_remove(&old);
        scratch_remove(&new);
    }
}

/* ---- what stops it on its way ---- */

static void
migrate_without_room(const struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct rlimit limit;
    int refused = 0;

    signal(SIGXFSZ, SIG_IGN);
    T_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (limit.rlim_cur = 512; limit.rlim_cur < 400000; limit.rlim_cur += 9000) {
        CLEANUP(db_cleanup) struct db *db = NULL;
        int r;
        T_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = schema_open(scratch->path, &db, &err);
        if (!r)
            break;
        T_INT(r, PROV_E_STORE);
        T_HAS(err.text, "make room");
        refused++;
    }
    T_TRUE(refused > 0 && limit.rlim_cur < 400000);
}

static void
a_full_disk_leaves_the_old_store_as_it_was(void)
{
    struct scratch s;

    make_golden(&s, 1);
    scratch_in_child(&s, migrate_without_room);
    check_counts(s.store);
    check_subjects(s.store);
    scratch_remove(&s);
}

static void
just_open(const struct scratch *scratch, int ignored)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    (void)ignored;
    T_OK(schema_open(scratch->path, &db, &err), &err);
}

/* Enough rows that a kill can hit the middle of the work. */
#define MORE_SUBJECTS                                                                              \
    "INSERT INTO subject WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n"         \
    " WHERE i < 3000) SELECT i, 'x', '/Users/' || i, 1, '{\"userName\":\"u' || i || '\"}',"        \
    " 'u' || i, NULL, 1, 1 FROM n"

static void
a_killed_migration_is_begun_anew(void)
{
    for (int i = 0; i < 14; i++) {
        CLEANUP(work_done) struct work ada = { 0 };
        struct prov_error err = PROV_ERROR_INIT;
        int64_t version;
        struct scratch s;
        int child, status;

        make_golden(&s, 1);
        scratch_sql(&s, MORE_SUBJECTS);
        child = scratch_start_child(&s, just_open, 0);
        usleep((useconds_t)(i * 1500));
        kill(child, SIGKILL);
        T_INT(waitpid(child, &status, 0), child);
        version = version_of(&s);
        T_TRUE(version == 1 || version == STORE_SCHEMA_VERSION);
        T_OK(store_load(s.store, IDP, "/Users/ada", &ada, &err), &err);
        T_STR(ada.link.salesforce_id, "0055g0000A7E9vpAQC");
        work_done(&ada);
        T_OK(store_load(s.store, "x", "/Users/3000", &ada, &err), &err);
        T_INT(version_of(&s), STORE_SCHEMA_VERSION);
        scratch_remove(&s);
    }
}

/* An older sfprov that goes on with what it knows: it holds the file open until nobody reads its
 * pipe any more; its own copy of the reading end must not count. */
static int held_pipe[2];

static void
hold_open(const struct scratch *scratch, int until)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char byte = 'x';

    close(held_pipe[0]);
    T_OK(db_open(scratch->path, &db, &err), &err);
    T_INT(write(until, &byte, 1), 1);
    for (int i = 0; i < 200 && write(until, &byte, 1) >= 0; i++)
        usleep(50000);
}

static void
an_old_store_in_use_is_left_alone(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int child;
    char byte;

    db_busy_timeout_ms = 150;
    make_golden(&s, 1);
    T_INT(pipe(held_pipe), 0);
    signal(SIGPIPE, SIG_IGN);
    child = scratch_start_child(&s, hold_open, held_pipe[1]);
    close(held_pipe[1]);
    T_INT(read(held_pipe[0], &byte, 1), 1);
    {
        CLEANUP(db_cleanup) struct db *db = NULL;
        T_INT(schema_open(s.path, &db, &err), PROV_E_STORE);
        T_HAS(err.text, "while another process has it open: end the processes");
        T_TRUE(db == NULL);
    }
    T_INT(version_of(&s), 1);
    close(held_pipe[0]);
    db_busy_timeout_ms = 10000;
    check_counts(s.store); /* waits for the other to end */
    T_INT(version_of(&s), STORE_SCHEMA_VERSION);
    kill(child, SIGKILL);
    waitpid(child, &(int){ 0 }, 0);
    scratch_remove(&s);
}

static void
open_and_count(const struct scratch *scratch, int ignored)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store *store = NULL;

    (void)ignored;
    T_OK(store_new(scratch->path, &store, &err), &err);
    check_counts(store);
    store_free(store);
}

static void
several_that_start_at_once_migrate_it_once(void)
{
    int children[4];
    struct scratch s;

    make_golden(&s, 1);
    for (int i = 0; i < 4; i++)
        children[i] = scratch_start_child(&s, open_and_count, 0);
    scratch_join(children, 4);
    check_events(s.store);
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_store_of_schema_1_is_brought_up_to_date),
        UNIT_CASE(a_store_of_schema_12_is_brought_up_to_date),
        UNIT_CASE(an_old_and_a_new_store_have_the_same_tables),
        UNIT_CASE(a_full_disk_leaves_the_old_store_as_it_was),
        UNIT_CASE(a_killed_migration_is_begun_anew),
        UNIT_CASE(an_old_store_in_use_is_left_alone),
        UNIT_CASE(several_that_start_at_once_migrate_it_once),
    };

    return unit_run("store_schema", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
