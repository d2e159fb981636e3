/* Makes and removes what the store's tests work on. */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/store/db.h"

void
scratch_make(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    struct prov_error err = PROV_ERROR_INIT;

    *scratch = (struct scratch){ .store = NULL };
    snprintf(scratch->directory, sizeof(scratch->directory), "%s/sfprov-unit-XXXXXX",
             base && *base ? base : "/tmp");
    T_TRUE(mkdtemp(scratch->directory) != NULL);
    snprintf(scratch->path, sizeof(scratch->path), "%s/store.db", scratch->directory);
    T_OK(store_new(scratch->path, &scratch->store, &err), &err);
}

void
scratch_restart(struct scratch *scratch)
{
    struct prov_error err = PROV_ERROR_INIT;

    store_free(scratch->store);
    T_OK(store_new(scratch->path, &scratch->store, &err), &err);
}

void
scratch_remove(struct scratch *scratch)
{
    DIR *directory;
    struct dirent *entry;

    store_free(scratch->store);
    scratch->store = NULL;
    directory = opendir(scratch->directory);
    while (directory && (entry = readdir(directory))) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", scratch->directory, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(path) != 0)
            rmdir(path);
    }
    if (directory)
        closedir(directory);
    T_INT(rmdir(scratch->directory), 0);
}

/* ---- events ---- */

static const char *
event_uri(const char *kind)
{
    static const struct {
        const char *kind, *uri;
    } uris[] = { { "put", "prov:put:full" },          { "create", "prov:create:full" },
                 { "patch", "prov:patch:full" },      { "activate", "prov:activate" },
                 { "deactivate", "prov:deactivate" }, { "add", "feed:add" },
                 { "remove", "feed:remove" },         { "delete", "prov:delete" } };

    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        if (strcmp(kind, uris[i].kind) == 0)
            return uris[i].uri;
    }
    return kind;
}

struct event *
scratch_event_of(const char *issuer, const char *jti, const char *txn, const char *uri,
                 const char *kind, const char *data)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *text = NULL;
    struct event *event = NULL;
    int length = asprintf(&text,
                          "{\"iss\":\"%s\",\"jti\":\"%s\"%s%s%s,\"sub_id\":{\"format\":\"scim\","
                          "\"uri\":\"%s\"},\"events\":{\"urn:ietf:params:scim:event:%s\":{%s%s}}}",
                          issuer, jti, txn ? ",\"txn\":\"" : "", txn ? txn : "", txn ? "\"" : "",
                          uri, event_uri(kind), data ? "\"data\":" : "", data ? data : "");

    T_TRUE(length > 0);
    T_OK(event_parse(text, (size_t)length, NULL, &event, &err), &err);
    return event;
}

struct event *
scratch_event(const char *jti, const char *uri, const char *kind, const char *data)
{
    return scratch_event_of(ISSUER, jti, NULL, uri, kind, data);
}

struct store_answer
scratch_accept(struct store *store, struct event *event)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct store_answer answer = { .error = PROV_ERROR_INIT };

    T_OK(store_accept(store, &event, 1, &answer, &err), &err);
    event_free(event);
    return answer;
}

int64_t
scratch_put(struct store *store, const char *jti, const char *uri, const char *user_name)
{
    char data[300];

    snprintf(data, sizeof(data), "{\"userName\":\"%s\",\"name\":{\"familyName\":\"Nym\"}}",
             user_name);
    T_INT(scratch_accept(store, scratch_event(jti, uri, "put", data)).status, PROV_ANSWER_ACCEPTED);
    return scratch_id(store, uri);
}

/* ---- delivery's part ---- */

int64_t
scratch_id(struct store *store, const char *uri)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(store, ISSUER, uri, &work, &err), &err);
    return work.subject.id;
}

/* The due rows of one subject, or of all (0). */
static size_t
delete_due(struct store *store, int64_t subject, int64_t now_us)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    size_t count = 0, named = 0;

    T_OK(store_due(store, now_us, 1000, NULL, &list, &count, &err), &err);
    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (subject && list[i].subject.id != subject)
            continue;
        T_OK(store_due_delete(store, &list[i], &err), &err);
        named++;
    }
    T_OK(store_commit(store, &err), &err);
    work_list_free(list, count);
    return named;
}

size_t
scratch_drain(struct store *store, int64_t now_us)
{
    return delete_due(store, 0, now_us);
}

void
scratch_settle(struct store *store, const char *uri, const char *outcome, const char *salesforce_id)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(store, ISSUER, uri, &work, &err), &err);
    delete_due(store, work.subject.id, DUE_NOW);
    work.link.settled_version = work.subject.version;
    if (strcmp(outcome, "delivered") == 0)
        work.link.confirmed_version = work.subject.version;
    free(work.link.outcome);
    work.link.outcome = strdup(outcome);
    snprintf(work.link.salesforce_id, sizeof(work.link.salesforce_id), "%s",
             salesforce_id ? salesforce_id : "");
    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(store, work.subject.id, &work.link, &err), &err);
    T_OK(store_commit(store, &err), &err);
}

const char *
scratch_due(struct store *store, int64_t now_us)
{
    static char names[4000];
    struct prov_error err = PROV_ERROR_INIT;
    struct work *list = NULL;
    size_t count = 0, length = 0;

    T_OK(store_due(store, now_us, 1000, NULL, &list, &count, &err), &err);
    names[0] = '\0';
    for (size_t i = 0; i < count && length < sizeof(names); i++)
        length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? " " : "",
                                   list[i].subject.uri ? list[i].subject.uri : "(none)");
    work_list_free(list, count);
    return names;
}

void
scratch_sql(const struct scratch *scratch, const char *sql)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(db_open(scratch->path, &db, &err), &err);
    if (db)
        T_OK(db_script(db, sql, &err), &err);
}

int64_t
scratch_number(const struct scratch *scratch, const char *sql)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    bool row = false;

    T_OK(db_open(scratch->path, &db, &err), &err);
    T_OK(db_one_row(db, &rows, &row, &err, sql, ""), &err);
    return row ? db_int(&rows, 0) : -1;
}

static char kept[64];
static int64_t damaged_at;

void
scratch_damage(const struct scratch *scratch, const char *which)
{
    char nonsense[sizeof(kept)];
    int file;

    damaged_at = (scratch_number(scratch, which) - 1) * scratch_number(scratch, "PRAGMA page_size");
    memset(nonsense, 0xff, sizeof(nonsense));
    T_INT(scratch_number(scratch, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    file = open(scratch->path, O_RDWR);
    T_INT(pread(file, kept, sizeof(kept), damaged_at), sizeof(kept));
    T_INT(pwrite(file, nonsense, sizeof(nonsense), damaged_at), sizeof(nonsense));
    close(file);
}

void
scratch_repair(const struct scratch *scratch)
{
    int file = open(scratch->path, O_WRONLY);

    T_INT(pwrite(file, kept, sizeof(kept), damaged_at), sizeof(kept));
    close(file);
}

void
scratch_limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    T_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    T_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* ---- children ---- */

static unsigned
failures(void)
{
    return CU_get_number_of_failures();
}

static void
check_child(int child)
{
    int status = -1;

    T_INT(waitpid(child, &status, 0), child);
    T_INT(status, 0);
}

void
scratch_in_child(const struct scratch *scratch, void (*run)(const struct scratch *))
{
    int child = fork();

    if (child == 0) {
        unsigned before = failures();
        run(scratch);
        _exit(failures() == before ? 0 : 1);
    }
    check_child(child);
}

int
scratch_start_child(const struct scratch *scratch, void (*run)(const struct scratch *, int),
                    int number)
{
    int child = fork();

    if (child == 0) {
        unsigned before = failures();
        run(scratch, number);
        _exit(failures() == before ? 0 : 1);
    }
    return child;
}

void
scratch_join(const int *children, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_child(children[i]);
}
