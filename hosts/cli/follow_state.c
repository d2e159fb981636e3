/*
 * Decides what is kept of a directory that is followed. The file is replaced as a whole, so the lock is on one of
 * its own: two followers would go on from each other's cookie, and take each other's people for gone.
 */
#include "hosts/cli/follow_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/fnv.h"
#include "hosts/cli/input.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define STATE_BYTES (64u * 1024u)

/* ---- opening ---- */

static int
take_store(struct follow_state *state, const char *store)
{
    char *path = NULL;
    int code = CODE_DONE;

    if (asprintf(&path, "%s.follow-lock", store) < 0) {
        complain("out of memory");
        return CODE_FAILED;
    }
    state->lock =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, S_IRUSR | S_IWUSR);
    if (state->lock < 0) {
        complain("cannot open '%s': %s", path, strerror(errno));
        code = CODE_FAILED;
    } else if (flock(state->lock, LOCK_EX | LOCK_NB)) {
        complain("the store '%s' has a follower already (its lock is '%s'); a store follows one "
                 "directory: end that one first",
                 store, path);
        code = CODE_USAGE;
    }
    free(path);
    return code;
}

/* ---- the newest changes ---- */

/* The newest ones stay, in the order of their time; of the same time, who came last. */
static struct follow_change *
place_for(struct follow_state *state, const char *uuid, const char *csn)
{
    struct follow_change *oldest = &state->newest[0];

    for (size_t i = 0; i < state->newest_count; i++) {
        if (letters_same(state->newest[i].uuid, uuid))
            return &state->newest[i];
        if (strcmp(state->newest[i].csn, oldest->csn) < 0)
            oldest = &state->newest[i];
    }
    if (state->newest_count < FOLLOW_NEWEST) {
        state->newest[state->newest_count] = (struct follow_change){ .gone = false };
        return &state->newest[state->newest_count++];
    }
    return strcmp(oldest->csn, csn) <= 0 ? oldest : NULL;
}

/* What is told once more, as of who reports to somebody new, is what it was: the cookie stands for it if it did. What is
 * older than what was heard of the same person is no change at all. */
static void
note(struct follow_state *state, const char *uuid, const char *csn, bool gone)
{
    struct follow_change *change = place_for(state, uuid, csn);
    bool again = change && letters_same(change->uuid, uuid) && change->gone == gone &&
                 strcmp(csn, change->csn) <= 0;

    if (again)
        change->told |= !strcmp(csn, change->csn);
    if (!change || again)
        return;
    snprintf(change->uuid, sizeof(change->uuid), "%s", uuid);
    snprintf(change->csn, sizeof(change->csn), "%s", csn);
    change->gone = gone;
    change->told = true;
    change->kept = change->old = false;
}

void
follow_state_heard(struct follow_state *state, const char *uuid, const char *csn)
{
    char newest[sizeof(state->newest->csn)] = "";

    for (size_t i = 0; i < state->newest_count; i++) {
        if (strcmp(state->newest[i].csn, newest) > 0)
            memcpy(newest, state->newest[i].csn, sizeof(newest));
    }
    note(state, uuid, csn ? csn : newest, !csn);
}

void
follow_state_begin(struct follow_state *state, bool whole)
{
    if (whole)
        state->newest_count = 0;
    for (size_t i = 0; i < state->newest_count; i++)
        state->newest[i].told = false;
}

void
follow_state_list_begins(struct follow_state *state)
{
    for (size_t i = 0; i < state->newest_count; i++) {
        state->newest[i].old = true;
        state->newest[i].right = state->newest[i].gone;
    }
}

void
follow_state_in_list(struct follow_state *state, const char *uuid, const char *csn)
{
    for (size_t i = 0; i < state->newest_count; i++) {
        struct follow_change *change = &state->newest[i];

        if (letters_same(change->uuid, uuid))
            change->right = !change->gone && csn && strcmp(csn, change->csn) >= 0;
    }
}

static int64_t
now_s(void)
{
    return (int64_t)time(NULL);
}

void
follow_state_list_ends(struct follow_state *state, bool applied)
{
    size_t left = 0;

    for (size_t i = 0; i < state->newest_count; i++) {
        const struct follow_change *change = &state->newest[i];

        if (!applied || !change->old || change->right)
            state->newest[left++] = *change;
    }
    state->newest_count = left;
    state->list_waits = !applied;
    if (applied)
        state->listed_s = now_s();
    state->changed = true;
}

bool
follow_state_list_is_due(const struct follow_state *state, int64_t after_s)
{
    int64_t ago_s = now_s() - state->listed_s;

    /* of a clock that was set back nobody knows */
    return after_s && (ago_s < 0 || ago_s >= after_s);
}

static void
kept(struct follow_state *state)
{
    for (size_t i = 0; i < state->newest_count; i++)
        state->newest[i].kept = true;
}

static void
read_newest(struct follow_state *state, struct json_object *changes)
{
    for (size_t i = 0; i < reply_count(changes) && i < FOLLOW_NEWEST; i++) {
        struct json_object *change = reply_item(changes, i);

        note(state, reply_word(change, "uuid"), reply_word(change, "csn"),
             reply_flag(change, "gone"));
    }
    kept(state);
}

static struct json_object *
write_newest(const struct follow_state *state)
{
    struct json_object *changes = json_object_new_array();

    for (size_t i = 0; changes && i < state->newest_count; i++) {
        const struct follow_change *change = &state->newest[i];
        struct json_object *one = json_object_new_object();

        reply_put_text(one, "uuid", change->uuid);
        reply_put_text(one, "csn", change->csn);
        reply_put(one, "gone", json_object_new_boolean(change->gone));
        json_object_array_add(changes, one);
    }
    return changes;
}

/* ---- reading ---- */

/* No cookie: there is none, or it is of another URL. */
static void
read_state(struct follow_state *state)
{
    struct prov_error err = { .size = sizeof(err) };
    struct json_object *json;
    char *text = NULL;
    size_t length;

    if (access(state->file, F_OK) || input_read(state->file, STATE_BYTES, &text, &length, &err))
        return;
    json = json_tokener_parse(text);
    if (!strcmp(reply_word(json, "url"), state->about) && reply_text(json, "cookie")) {
        state->cookie = strdup(reply_text(json, "cookie"));
        state->list_waits = reply_flag(json, "list_waits");
        state->listed_s = reply_number(json, "listed");
        read_newest(state, reply_get(json, "newest"));
    }
    json_object_put(json);
    free(text);
}

/* Heap; NULL when out of memory. */
static char *
about_what(const char *whom, const struct options *options, const char *columns)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    fputs(whom, to);
    for (size_t i = 0; i < options->groups.count; i++)
        fprintf(to, " --groups '%s'", options->groups.texts[i]);
    for (size_t i = 0; i < options->maps.count; i++)
        fprintf(to, " --map '%s'", options->maps.texts[i]);
    if (columns)
        fprintf(to, " --columns %" PRIx64, fnv_add(FNV_NOTHING, columns));
    if (!fclose(to))
        return text;
    free(text);
    return NULL;
}

int
follow_state_open(struct host *host, const char *whom, const struct options *options,
                  const char *columns, struct follow_state *ret)
{
    struct json_object *answer = NULL;
    const char *store;
    int code;

    *ret = (struct follow_state){ .lock = -1 };
    code = host_query(host, host_request("query", "fields"), &answer);
    if (!code && !reply_text(reply_get(answer, "fields"), "issuer")) {
        complain("the field 'issuer' is not set: it says whose users these are; set it");
        code = CODE_FIELDS;
    }
    if (code) {
        json_object_put(answer);
        return code;
    }
    store = reply_word(reply_get(answer, "fields"), "store");
    ret->about = about_what(whom, options, columns);
    if (asprintf(&ret->file, "%s.follow", store) < 0)
        ret->file = NULL;
    if (ret->about && ret->file) {
        code = take_store(ret, store);
    } else {
        complain("out of memory");
        code = CODE_FAILED;
    }
    if (!code)
        read_state(ret);
    json_object_put(answer);
    return code;
}

void
follow_state_close(struct follow_state *state)
{
    if (state->lock >= 0)
        close(state->lock);
    free(state->file);
    free(state->about);
    free(state->cookie);
    *state = (struct follow_state){ .lock = -1 };
}

/* ---- keeping ---- */

/* Whole or not at all, and on disk. */
static int
write_file(const char *file, const char *text)
{
    char path[4096];
    int fd, reason = 0;
    size_t length = strlen(text);

    snprintf(path, sizeof(path), "%s.new", file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return errno;
    if (write(fd, text, length) != (ssize_t)length || fsync(fd))
        reason = errno ? errno : EIO;
    if (close(fd) && !reason)
        reason = errno;
    if (!reason && rename(path, file))
        reason = errno;
    return reason;
}

void
follow_state_keep(struct follow_state *state, char *cookie)
{
    struct json_object *json;
    int reason;

    if (!cookie || (state->cookie && !strcmp(cookie, state->cookie) && !state->changed)) {
        free(cookie);
        return;
    }
    json = json_object_new_object();
    reply_put_text(json, "url", state->about);
    reply_put_text(json, "cookie", cookie);
    reply_put(json, "list_waits", json_object_new_boolean(state->list_waits));
    reply_put(json, "listed", json_object_new_int64(state->listed_s));
    reply_put(json, "newest", write_newest(state));
    reason = write_file(state->file, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
    json_object_put(json);
    if (reason)
        complain("cannot write '%s': %s; when it is started again it hears all from the beginning",
                 state->file, strerror(reason));
    free(state->cookie);
    state->cookie = cookie;
    state->changed = false;
    kept(state);
}

void
follow_state_forget(struct follow_state *state)
{
    free(state->cookie);
    state->cookie = NULL;
    state->newest_count = 0;
    state->list_waits = false;
    unlink(state->file);
}
