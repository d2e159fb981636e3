/*
 * `sync`: a full list of people (rule 6). Decides how a list is read (its format, its columns), that
 * its faults are told together and one of them changes nothing, that an entry of a directory which cannot be read
 * is no fault of the list, and how the outcome is told. Who was
 * hired, changed or lost is the plugin's finding, and so is whether a list that loses many may be
 * applied. Nothing here grows with the list.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/adapter/names.h"
#include "hosts/adapter/unreadable.h"
#include "hosts/cli/adapter_file.h"
#include "hosts/cli/changes.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/host.h"
#include "hosts/cli/input.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/people.h"
#include "hosts/cli/person.h"
#include "hosts/cli/program.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/cli/subjects.h"
#include "hosts/ldap/groups.h"
#include "hosts/ldap/search.h"

#define FAULTS_SHOWN   20
#define FAULTS_MAX     1000 /* it is read no further: a directory may go on telling the same for ever */
#define ATTRIBUTES_MAX 1000
#define COLUMNS_BYTES  (1024u * 1024u)
#define STEP_MS        200u
#define PROGRESS_EVERY 1000u

struct sync {
    struct adapter_file adapter; /* of --adapter */
    const struct options *options;
    const char *file;
    int fd;
    char **words;           /* of the command that writes it */
    struct program program; /* that one, while it runs */
    char *columns;          /* the text of the columns file */
    struct people *people;
    struct search *search; /* of a directory */
    struct groups *groups; /* of --groups; NULL: what the directory says of an entry's counts */
    struct host host;
    prov_snapshot *snapshot;
    size_t listed, faults, unreadable;
    struct json_object *report; /* of snapshot_apply() */
    struct drive_view view;
    int64_t start_us;
};

/* ---- what the command line says of the list ---- */

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
choose_format(const struct sync *sync, enum people_format *ret)
{
    static const struct {
        const char *word;
        enum people_format format;
    } words[] = { { "csv", PEOPLE_CSV },
                  { "ldif", PEOPLE_LDIF },
                  { "json", PEOPLE_JSON },
                  { "jsonl", PEOPLE_JSON },
                  { "ndjson", PEOPLE_JSON } };
    const char *dot = sync->options->command ? NULL : strrchr(sync->file, '.');
    const char *word = sync->options->format;

    if (!sync->options->command && connection_is_url(sync->file)) {
        *ret = PEOPLE_LDAP;
        return CODE_DONE;
    }

    if (!word)
        word = dot ? dot + 1 : "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (letters_same(words[i].word, word)) {
            *ret = words[i].format;
            return CODE_DONE;
        }
    }
    complain("'%s': its name does not tell what it is; say so with --format csv, ldif or json",
             sync->file);
    return CODE_USAGE;
}

/* A command begins with the first read, when the connector takes the list up: so whatever happens to a
 * user while it runs has happened since the list began. */
static long
read_source(void *context, char *to, size_t size)
{
    struct sync *sync = context;
    struct prov_error err = { .size = sizeof(err) };
    ssize_t got;

    if (sync->options->command && sync->fd < 0) {
        if (program_start(sync->words, &sync->program, &err)) {
            complain("%s", err.text);
            return -EPIPE;
        }
        sync->fd = sync->program.fd;
    }
    do
        got = read(sync->fd, to, size);
    while (got < 0 && errno == EINTR && !interrupt_seen());
    if (got == 0 && sync->program.process && program_end(&sync->program, sync->file, &err)) {
        complain("%s", err.text);
        return -EPIPE;
    }
    return got < 0 ? -errno : (long)got;
}

static int
check_directory(const struct sync *sync)
{
    const struct options *options = sync->options;
    bool directory = !options->command && connection_is_url(sync->file);

    if (!directory && (options->bind_dn || options->password_file || options->groups.count))
        complain("--bind-dn, --password-file and --groups are for a directory, ldap://...");
    else if (directory && options->format)
        complain("--format is for files; '%s' is a directory", sync->file);
    else
        return CODE_DONE;
    return CODE_USAGE;
}

/* Without a key, whose URI it is has to be asked of the store, by the name. */
static int
choose_key(const struct options *options, struct people_options *how)
{
    how->key = options->key;
    if (!options->by_name)
        return CODE_DONE;
    how->key = "userName";
    if (options->key)
        complain("--by-name is for lists that have no key; '--key %s' names one", options->key);
    else if (how->format != PEOPLE_CSV && how->format != PEOPLE_JSON)
        complain("--by-name is for lists that have no key; entries of a directory have one");
    else
        return CODE_DONE;
    return CODE_USAGE;
}

static int
open_directory(struct sync *sync)
{
    const char *attributes[ATTRIBUTES_MAX + 1] = { NULL };
    const struct connection_options how = { .url = sync->file,
                                            .attributes = attributes,
                                            .bind_dn = sync->options->bind_dn,
                                            .password_file = sync->options->password_file,
                                            .active_directory = letters_same(
                                                people_key(sync->people), "objectGUID") };
    struct prov_error err = { .size = sizeof(err) };
    int result = PROV_OK;

    for (size_t i = 0; i < ATTRIBUTES_MAX && people_attribute(sync->people, i); i++)
        attributes[i] = people_attribute(sync->people, i);
    if (sync->options->groups.count) {
        sync->groups = groups_new();
        result = sync->groups ? PROV_OK : fault_nomem(&err);
    }
    for (size_t i = 0; i < sync->options->groups.count && !result; i++)
        result = groups_read(sync->groups, &how, sync->options->groups.texts[i], &err);
    if (!result)
        result = search_open(&how, &sync->search, &err);
    if (!result)
        return CODE_DONE;
    complain("%s", err.text);
    return result == PROV_E_INVALID ? CODE_USAGE : CODE_FAILED;
}

static enum found
next_of_directory(void *context, struct ldap_entry *ret, struct prov_error *err)
{
    struct sync *sync = context;
    enum found found;
    bool meant = false;

    do
        found = search_next(sync->search, ret, err);
    while (found == FOUND_ITEM && !adapter_file_means(&sync->adapter, ret->dn, &meant, err) &&
           !meant);
    if (found == FOUND_ITEM && !meant)
        return FOUND_STOP;
    if (found == FOUND_ITEM && sync->groups && groups_write(sync->groups, ret, err))
        return FOUND_STOP;
    return found;
}

static int
open_people(struct sync *sync)
{
    const struct options *options = sync->options;
    struct people_options how = { .columns = { .maps = options->maps.texts,
                                               .map_count = options->maps.count },
                                  .entries = { .next = next_of_directory, .context = sync },
                                  .any_class = sync->adapter.any_class };
    struct text_source source = { .read = read_source, .context = sync };
    struct prov_error err = { .size = sizeof(err) };
    size_t length;

    if (read_separator(options, &how.separator) || choose_format(sync, &how.format) ||
        check_directory(sync) || choose_key(options, &how))
        return CODE_USAGE;
    if (options->columns &&
        input_read(options->columns, COLUMNS_BYTES, &sync->columns, &length, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    how.columns.file = sync->columns;
    if ((how.format != PEOPLE_LDAP && !options->command &&
         input_open(sync->file, &sync->fd, &err)) ||
        people_open(&how, source, &sync->people, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    return how.format == PEOPLE_LDAP ? open_directory(sync) : CODE_DONE;
}

/* ---- reading ---- */

static void
tell_fault(struct sync *sync, const struct prov_error *err)
{
    if (sync->faults++ < FAULTS_SHOWN)
        complain("%s: %s", sync->file, err->text);
}

/* Whose user the person is. *ret_uri: heap; NULL: as the key says. */
static int
find_user(struct sync *sync, const struct person *person, char **ret_uri, struct prov_error *err)
{
    const struct names names = { .api = &sync->host.api,
                                 .connector = sync->host.connector,
                                 .issuer = sync->options->issuer };
    int result;

    *ret_uri = NULL;
    if (!sync->options->by_name || !person->name)
        return PROV_OK;
    result = names_find(&names, person->name, ret_uri, err);
    if (!result && !*ret_uri)
        result = names_new_uri(&names, person->name, ret_uri, err);
    return result;
}

static int
add_user(void *context, const struct person_listed *listed, struct prov_error *err)
{
    struct sync *sync = context;
    char *text = NULL;
    size_t length;
    int result = person_list(listed, &text, &length, err);

    if (!result)
        result = sync->host.api.snapshot_add(sync->snapshot, text, length, err);
    free(text);
    return result;
}

/* What is wrong with a person is told with the place. */
static int
add_person(struct sync *sync, const struct person *person, struct prov_error *err)
{
    char *uri = NULL, reason[sizeof(err->text)];
    int result = find_user(sync, person, &uri, err);

    if (!result)
        result = add_user(sync,
                          &(struct person_listed){ .uri = uri ? uri : person->uri,
                                                   .resource = person->resource,
                                                   .place = person->place,
                                                   .alias = person->alias },
                          err);
    free(uri);
    if (result && !strstr(err->text, person->place)) {
        snprintf(reason, sizeof(reason), "%s", err->text);
        snprintf(err->text, sizeof(err->text), "%.160s: %.800s", person->place, reason);
    }
    return result;
}

/* Somebody of a directory who cannot be read, and is there all the same: what can be read of them counts. */
static int
leave_person(struct sync *sync, const struct person *person, struct prov_error *fault)
{
    const struct person_listed listed = { .uri = person->uri,
                                          .place = person->place,
                                          .alias = person->alias };
    struct host_users users = { &sync->host, sync->options->issuer };
    const struct unreadable_source source = { host_in_scope, &users };
    struct prov_error err = { .size = sizeof(err) };
    struct entry_options how;
    const struct ldap_entry *entry = people_entry(sync->people, &how);
    int result = unreadable_list(&source, &how, entry, &listed, add_user, sync, &err);

    if (result) {
        *fault = err;
        return result;
    }
    sync->unreadable++;
    complain("%s: %s; the rest of them counts, and that stays as it was", sync->file, fault->text);
    return PROV_OK;
}

/* Takes up one person, or the fault of one. Returns an exit code; a fault of the list is told, and none. */
static int
take_person(struct sync *sync, enum found found, const struct person *person,
            struct prov_error *fault)
{
    bool nameless = found == FOUND_ITEM && !person->name;
    int result = found == FOUND_ITEM ? add_person(sync, person, fault) : PROV_E_INVALID;

    if (nameless && !result)
        complain("%s: note: %s has no userName", sync->file, person->place);
    if (sync->search && person->uri && (result == PROV_E_INVALID || result == PROV_E_LIMIT))
        result = leave_person(sync, person, fault);
    if (result == PROV_E_INVALID || result == PROV_E_LIMIT)
        tell_fault(sync, fault);
    else if (result)
        return host_failed("cannot take the list up", fault);
    if (++sync->listed % PROGRESS_EVERY == 0)
        screen_progress("reading: %zu people", sync->listed);
    return CODE_DONE;
}

static int
refuse(struct sync *sync)
{
    if (sync->faults > FAULTS_SHOWN)
        complain("%s: and %zu more%s", sync->file, sync->faults - FAULTS_SHOWN,
                 sync->faults < FAULTS_MAX ? "" : "; it was read no further");
    complain("%s: the list is refused as a whole, nothing was changed", sync->file);
    return CODE_USAGE;
}

static void
tell_notes(struct sync *sync)
{
    char *note;

    while ((note = people_note(sync->people))) {
        complain("%s: note: %s", sync->file, note);
        free(note);
    }
}

static int
read_people(struct sync *sync)
{
    struct prov_error err = { .size = sizeof(err) };
    enum found found = FOUND_ITEM;
    int code = CODE_DONE;

    while (found != FOUND_END && found != FOUND_STOP && !code && !interrupt_seen() &&
           sync->faults < FAULTS_MAX) {
        struct person person = { .line = 0 };

        found = people_next(sync->people, &person, &err);
        if (found == FOUND_ITEM || found == FOUND_FAULT)
            code = take_person(sync, found, &person, &err);
        else if (found != FOUND_END)
            tell_fault(sync, &err);
    }
    screen_progress_end();
    if (code)
        return code;
    if (interrupt_seen()) {
        complain("interrupted; nothing was changed");
        return CODE_INTERRUPTED;
    }
    if (sync->faults)
        return refuse(sync);
    tell_notes(sync);
    return CODE_DONE;
}

/* ---- applying ---- */

static void
show_step(const struct sync *sync)
{
    struct json_object *counts = reply_get(sync->report, "counts");
    int64_t changes = reply_number(counts, "hired") + reply_number(counts, "changed") +
                      reply_number(counts, "returned") + reply_number(counts, "lost");

    if (!strcmp(reply_word(sync->report, "state"), "folding"))
        screen_progress("accepting: %" PRId64 " of %" PRId64 " changes",
                        reply_number(sync->report, "folded"), changes);
    else
        screen_progress("comparing: %" PRId64 " of %zu people",
                        reply_number(sync->report, "compared"), sync->listed);
}

/* Steps until the list is applied. An interrupt is heeded while nothing was changed yet. */
static int
apply_list(struct sync *sync)
{
    struct prov_error err = { .size = sizeof(err) };
    int code = CODE_DONE;

    do {
        char *text = NULL;

        if (interrupt_seen() && strcmp(reply_word(sync->report, "state"), "folding")) {
            screen_progress_end();
            complain("interrupted; nothing was changed");
            return CODE_INTERRUPTED;
        }
        json_object_put(sync->report);
        sync->report = NULL;
        if (sync->host.api.snapshot_apply(sync->snapshot, STEP_MS, &text, &err)) {
            screen_progress_end();
            return host_failed("cannot apply the list", &err);
        }
        code = host_answer(&sync->host, text, &sync->report);
        show_step(sync);
    } while (!code && strcmp(reply_word(sync->report, "state"), "done"));
    screen_progress_end();
    if (!code && reply_number(sync->report, "unknown_managers"))
        complain("%s: note: managers who are neither in the list nor known: %" PRId64
                 ", the first at %s",
                 sync->file, reply_number(sync->report, "unknown_managers"),
                 reply_word(sync->report, "unknown_manager_place"));
    return code;
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

/* ---- telling ---- */

static void
print_counts(const struct sync *sync, int64_t parked, size_t rivals)
{
    static const char *const names[] = { "hired", "changed", "returned",
                                         "lost",  "skipped", "unreadable" };
    struct json_object *counts = reply_get(sync->report, "counts");
    double seconds = (double)(clock_us() - sync->start_us) / 1e6;

    printf("%" PRId64 " people listed:", reply_number(counts, "listed"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (reply_number(counts, names[i]))
            printf(" %" PRId64 " %s,", reply_number(counts, names[i]), names[i]);
    }
    printf(" %" PRId64 " unchanged; ", reply_number(counts, "unchanged"));
    if (rivals)
        printf("%zu would share a username with another of the list; ", rivals);
    if (sync->options->dry_run)
        printf("a dry run, nothing was changed or sent; ");
    else if (sync->options->no_deliver)
        printf("accepted, not delivered here; ");
    else
        printf("%" PRIu64 " changes delivered, %" PRId64 " users parked or waiting, %" PRIu64
               " pending; %" PRIu64 " API calls; ",
               sync->view.delivered, parked, sync->view.pending, sync->view.api_calls);
    printf("%.1f s\n", seconds);
}

struct telling {
    struct table *table; /* NULL: JSON */
    size_t users, rivals;
};

static void
tell_user(void *context, struct json_object *user)
{
    struct telling *telling = context;

    telling->rivals += reply_text(user, "rival") != NULL;
    if (telling->table)
        changes_row(telling->table, user);
    else
        printf("%s%s", telling->users ? "," : "",
               json_object_to_json_string_ext(user, JSON_C_TO_STRING_PLAIN |
                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
    telling->users++;
}

static int
report_text(struct sync *sync, struct changes *changes, int64_t parked_users)
{
    struct telling *telling = changes->context;
    struct json_object *parked;
    int code;

    telling->table = changes_table();
    code = changes_tell(changes, sync->report);
    table_flush(telling->table);
    if (table_rows(telling->table))
        putchar('\n');
    table_free(telling->table);
    if (code)
        return code;
    parked = parked_users ? parked_list(&sync->host) : NULL;
    parked_print(parked, parked_users);
    json_object_put(parked);
    print_counts(sync, parked_users, telling->rivals);
    return CODE_DONE;
}

/* {"users":[...],...}: the users first, printed as they come. */
static int
report_json(struct sync *sync, struct changes *changes, int64_t parked_users, int code)
{
    static const char *const members[] = { "applied", "dry_run", "reason", "counts" };
    struct json_object *answer = json_object_new_object();
    struct json_object *parked = parked_users ? parked_list(&sync->host) : NULL;
    const char *rest;
    int result;

    fputs("{\"users\":[", stdout);
    result = changes_tell(changes, sync->report);
    fputs("],", stdout);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct json_object *value = reply_get(sync->report, members[i]);

        if (value)
            reply_put(answer, members[i], json_object_get(value));
    }
    parked_put(answer, parked);
    json_object_put(parked);
    if (!sync->options->dry_run && !sync->options->no_deliver)
        reply_put(answer, "delivery", drive_summary(&sync->view, code));
    reply_put(answer, "seconds", reply_seconds(clock_us() - sync->start_us));
    rest = json_object_to_json_string_ext(answer,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    puts(rest + 1); /* after its opening bracket */
    json_object_put(answer);
    return result;
}

static int
report(struct sync *sync, int code)
{
    struct telling telling = { .users = 0 };
    struct changes changes = {
        .host = &sync->host, .snapshot = sync->snapshot, .tell = tell_user, .context = &telling
    };
    int64_t parked_users = sync->options->dry_run ? 0 : parked_count(&sync->host);
    int result = sync->options->json ? report_json(sync, &changes, parked_users, code)
                                     : report_text(sync, &changes, parked_users);

    if (result)
        return result;
    return !code && (parked_users || sync->unreadable) ? CODE_PARKED : code;
}

/* ---- all of it ---- */

static int
take_list(struct sync *sync)
{
    const struct options *options = sync->options;
    bool tool = options->dry_run || options->no_deliver;
    int code = read_people(sync), refused;

    if (!code)
        code = apply_list(sync);
    if (code)
        return code;
    refused = explain_refusal(sync);
    if (!refused && !tool)
        code = deliver(sync);
    if (refused)
        code = refused;
    if (!refused || options->dry_run || options->json)
        code = report(sync, code);
    return code;
}

static int
sync_people(struct sync *sync)
{
    const struct options *options = sync->options;
    bool tool = options->dry_run || options->no_deliver;
    uint32_t flags = (options->force ? PROV_SNAPSHOT_FORCE : 0u) |
                     (options->dry_run ? PROV_SNAPSHOT_DRY_RUN : 0u) |
                     (sync->search ? PROV_SNAPSHOT_TOLERANT : 0u);
    struct prov_error err = { .size = sizeof(err) };
    int code =
        host_open(options, tool ? PROV_OPEN_NEVER_DELIVER : PROV_OPEN_NO_WORKER, &sync->host);

    if (code)
        return code;
    interrupt_watch();
    if (sync->host.api.snapshot_begin(sync->host.connector, options->issuer, flags, &sync->snapshot,
                                      &err)) {
        code = host_failed("cannot begin the list", &err);
    } else {
        code = take_list(sync);
        sync->host.api.snapshot_end(sync->snapshot, 0, NULL, NULL);
    }
    host_close(&sync->host);
    return code;
}

int
command_sync(const struct options *options, const struct arguments *arguments)
{
    struct sync sync = { .fd = -1, .start_us = clock_us() };
    int code;

    if (arguments->count > 1 && !options->command) {
        complain("'%s' is one argument too many; a list is one file", arguments->texts[1]);
        return CODE_USAGE;
    }
    sync.words = arguments->texts;
    code = adapter_file_read(options, arguments->texts[0], &sync.adapter);
    sync.options = &sync.adapter.options;
    sync.file = sync.adapter.url;
    if (!code)
        code = open_people(&sync);
    if (!code)
        code = sync_people(&sync);
    people_free(sync.people);
    search_free(sync.search);
    groups_free(sync.groups);
    free(sync.columns);
    if (sync.program.process)
        program_stop(&sync.program);
    else if (!options->command && sync.fd > STDIN_FILENO)
        close(sync.fd);
    json_object_put(sync.report);
    adapter_file_close(&sync.adapter);
    return code;
}
