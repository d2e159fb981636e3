/*
 * Decides what is kept of a directory that is followed. The file is replaced as a whole, so the lock is on one of
 * its own: two followers would go on from each other's cookie, and take each other's people for gone.
 */
#include "hosts/cli/follow_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/input.h"
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
    if (!strcmp(reply_word(json, "url"), state->url) && reply_text(json, "cookie"))
        state->cookie = strdup(reply_text(json, "cookie"));
    json_object_put(json);
    free(text);
}

int
follow_state_open(struct host *host, const char *url, struct follow_state *ret)
{
    struct json_object *answer = NULL;
    const char *store;
    int code;

    *ret = (struct follow_state){ .lock = -1 };
    code = host_query(host, host_request("query", "fields"), &answer);
    if (code)
        return code;
    store = reply_word(reply_get(answer, "fields"), "store");
    ret->url = strdup(url);
    if (asprintf(&ret->file, "%s.follow", store) < 0)
        ret->file = NULL;
    if (ret->url && ret->file) {
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
    free(state->url);
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

    if (!cookie || (state->cookie && !strcmp(cookie, state->cookie))) {
        free(cookie);
        return;
    }
    json = json_object_new_object();
    reply_put_text(json, "url", state->url);
    reply_put_text(json, "cookie", cookie);
    reason = write_file(state->file, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
    json_object_put(json);
    if (reason)
        complain("cannot write '%s': %s; when it is started again it hears all from the beginning",
                 state->file, strerror(reason));
    free(state->cookie);
    state->cookie = cookie;
}

void
follow_state_forget(struct follow_state *state)
{
    free(state->cookie);
    state->cookie = NULL;
    unlink(state->file);
}
