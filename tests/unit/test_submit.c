/* What an adapter does with the mark that a resync is needed, by the connector itself: it is part of this program. */
#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/adapter/submit.h"
#include "plugin/resync.h"

static struct prov_error err = PROV_ERROR_INIT;
static char folder[64], store[96], said[8192];
static struct submit *submit;

static void
log_line(int level, const char *line)
{
    (void)level;
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

/* The store's folder is not there yet. */
static void
begin_case(void)
{
    static char fields[1000];
    const struct submit_options options = { .host = "slapd", .log = log_line };
    struct settings settings = { .fields = fields, .fields_file = "fields.json" };

    said[0] = '\0';
    strcpy(folder, "/tmp/sfprov-submit-XXXXXX");
    T_TRUE(mkdtemp(folder) != NULL);
    T_INT(rmdir(folder), 0);
    snprintf(store, sizeof(store), "%s/store.db", folder);
    settings.fields_length = (size_t)snprintf(
        fields, sizeof(fields),
        "{\"domain_name\":\"http://127.0.0.1:9\",\"client_id\":\"id\",\"client_secret\":\"secret\","
        "\"profile\":\"Standard User\",\"provisioning_domain\":\"acme.example\","
        "\"issuer\":\"https://idp.example\",\"store\":\"%s\"}",
        store);
    T_OK(submit_open(&settings, &options, &submit, &err), &err);
}

static void
end_case(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".resync" };
    char path[128];

    submit_close(submit);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", store, ends[i]);
        unlink(path);
    }
    T_INT(rmdir(folder), 0);
}

static int
hand_over_one(const struct token_spec *spec)
{
    struct token token;
    int r;

    T_OK(token_make(spec, &token, &err), &err);
    r = submit_tokens(submit, "uid=ada", &token, 1, false, &err);
    token_clear(&token);
    return r;
}

/* Hands one person over. */
static int
hand_over(void)
{
    const struct token_spec spec = { .kind = TOKEN_CREATE,
                                     .host = "slapd",
                                     .uri = "/Users/1",
                                     .resource = "{\"userName\":\"ada\"}" };

    return hand_over_one(&spec);
}

static const char *
reason(void)
{
    static char text[1000];
    AUTO_JSON struct json_object *shown = NULL;

    T_OK(resync_read(store, &shown, &err), &err);
    snprintf(text, sizeof(text), "%s", shown ? json_get_string(shown, "reason") : "none");
    return text;
}

static void
a_mark_that_could_not_be_made_is_made_later(void)
{
    int64_t missed = 0;

    begin_case();
    T_INT(hand_over(), PROV_E_STORE);
    T_HAS(said, "cannot begin: ");
    T_HAS(said, "cannot mark that a resync is needed: ");
    T_INT(mkdir(folder, 0700), 0);
    T_OK(hand_over(), &err);
    T_STR(reason(), "changes were missed while no mark could be made");
    T_OK(resync_missed(store, &missed, &err), &err);
    T_OK(resync_done(store, missed, &err), &err);
    T_OK(hand_over(), &err);
    T_STR(reason(), "none"); /* once */
    end_case();
}

static void
a_mark_that_could_not_be_made_is_made_at_the_end(void)
{
    begin_case();
    T_INT(hand_over(), PROV_E_STORE);
    T_INT(mkdir(folder, 0700), 0);
    submit_close(submit);
    submit = NULL;
    T_STR(reason(), "changes were missed while no mark could be made");
    end_case();
}

/* It goes to the background after it has begun. */
static void
who_ends_in_a_child_has_ended(void)
{
    int done[2];
    pid_t parent;
    char letter = 'n';

    begin_case();
    T_INT(mkdir(folder, 0700), 0);
    T_INT(pipe(done), 0);
    parent = fork();
    if (parent == 0) {
        submit_begin(submit);
        parent = getpid();
        if (fork() != 0)
            _exit(0);
        while (getppid() == parent)
            usleep(1000);
        submit_close(submit);
        _exit(write(done[1], "y", 1) != 1);
    }
    T_INT(waitpid(parent, NULL, 0), parent);
    close(done[1]);
    T_INT(read(done[0], &letter, 1), 1);
    T_INT(read(done[0], &letter, 1), 0); /* it is gone */
    T_INT(letter, 'y');
    T_STR(reason(), "none");
    end_case();
}

/* A password longer than the connector takes; nobody is made known by that. */
static void
a_lock_counts_of_who_is_refused(void)
{
    static char password[8192];
    struct token_spec spec = { .kind = TOKEN_PUT,
                               .host = "slapd",
                               .uri = "/Users/1",
                               .resource = "{\"userName\":\"ada\",\"active\":false}",
                               .inactive = true,
                               .password = password,
                               .password_length = sizeof(password) };
    char *resource = NULL;

    memset(password, 'x', sizeof(password));
    begin_case();
    T_INT(mkdir(folder, 0700), 0);
    T_OK(hand_over(), &err);
    T_OK(hand_over_one(&spec), &err);
    T_HAS(reason(), "attribute 'password' has more than");
    T_OK(submit_resource(submit, "/Users/1", &resource, &err), &err);
    T_HAS(resource, "\"active\":false");
    free(resource);
    spec.uri = "/Users/2";
    T_OK(hand_over_one(&spec), &err);
    T_INT(submit_resource(submit, "/Users/2", &resource, &err), PROV_E_NOTFOUND);
    end_case();
}

/* Which is for the whole process, so this can only be seen by whoever uses SQLite first. */
static void
nobody_counts_the_memory_that_sqlite_takes(void)
{
    begin_case();
    T_INT(mkdir(folder, 0700), 0);
    T_OK(hand_over(), &err);
    T_INT(sqlite3_memory_used(), 0);
    end_case();
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_mark_that_could_not_be_made_is_made_later),
    UNIT_CASE(a_mark_that_could_not_be_made_is_made_at_the_end),
    UNIT_CASE(who_ends_in_a_child_has_ended),
    UNIT_CASE(a_lock_counts_of_who_is_refused),
    UNIT_CASE(nobody_counts_the_memory_that_sqlite_takes),
};

int
main(int argc, char **argv)
{
    return unit_run("submit", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
