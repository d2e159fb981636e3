/*
 * Input of events. Decides what one event is in a text (a line, an object, an array's element) and
 * takes lines off a descriptor as they come, with a bound on their length. Does not judge events:
 * that is the plugin's part, and it says more about a bad one than a parser here could.
 */
#include "hosts/cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/strict.h"

#define READ_BYTES 262144u

static const char blanks[] = " \t\r\n";

/* Reads all of fd; 0, or errno, EFBIG when it is longer than max_bytes. */
static int
read_all(int fd, size_t max_bytes, char **ret_text, size_t *ret_length)
{
    size_t length = 0, capacity = 0;
    char *text = NULL;
    ssize_t got;

    for (;;) {
        if (capacity - length < READ_BYTES + 1) {
            size_t wanted = capacity ? capacity * 2 : 2 * READ_BYTES;
            char *more = realloc(text, wanted);

            if (!more) {
                free(text);
                return ENOMEM;
            }
            text = more;
            capacity = wanted;
        }
        got = read(fd, text + length, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || length + (size_t)got > max_bytes) {
            int reason = got < 0 ? errno : EFBIG;

            free(text);
            return reason;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return 0;
}

int
input_open(const char *file, int *ret_fd, struct prov_error *err)
{
    int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    struct stat status;
    int reason;

    if (fd < 0)
        return fault_set(err, PROV_E_INVALID, "cannot read '%s': %s", file, strerror(errno));
    reason = fstat(fd, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    if (!reason) {
        *ret_fd = fd;
        return PROV_OK;
    }
    if (fd > STDIN_FILENO)
        close(fd);
    if (reason == EISDIR)
        return fault_set(err, PROV_E_INVALID,
                         "'%s' is a directory: name a file in it, or - for standard input", file);
    return fault_set(err, PROV_E_INVALID, "cannot read '%s': %s", file, strerror(reason));
}

int
input_read(const char *file, size_t max_bytes, char **ret_text, size_t *ret_length,
           struct prov_error *err)
{
    int fd = -1, reason, r = input_open(file, &fd, err);

    if (r)
        return r;
    reason = read_all(fd, max_bytes, ret_text, ret_length);
    if (fd > STDIN_FILENO)
        close(fd);
    if (reason == EFBIG)
        return fault_set(err, PROV_E_LIMIT, "'%s' is longer than %zu bytes", file, max_bytes);
    if (reason)
        return fault_set(err, PROV_E_INVALID, "cannot read '%s': %s", file, strerror(reason));
    return PROV_OK;
}

/* Parses one JSON value and nothing after it; NULL with the error and its offset otherwise. Strictly, or a
 * comment could hold what looks like the end of an event. */
static struct json_object *
parse_whole(const char *text, size_t length, const char **ret_reason, size_t *ret_offset)
{
    struct json_object *value = strict_parse(text, length, ret_reason, ret_offset);

    if (*ret_reason)
        return NULL;
    if (!value)
        *ret_reason = "null is no event";
    if (*ret_offset < length && strspn(text + *ret_offset, blanks) < length - *ret_offset) {
        *ret_reason = "more text after its end";
        json_object_put(value);
        return NULL;
    }
    return value;
}

static int
add_event(struct input_events *events, struct input_event event, struct prov_error *err)
{
    /* Doubled at powers of two. */
    if ((events->count & (events->count - 1)) == 0) {
        size_t capacity = events->count ? events->count * 2 : 1;
        struct input_event *more = realloc(events->events, capacity * sizeof(*more));

        if (!more)
            return fault_nomem(err);
        events->events = more;
    }
    events->events[events->count++] = event;
    return PROV_OK;
}

/* Where the element that starts here ends: at a comma or bracket of the array around it. The text
 * is JSON. */
static char *
element_end(char *at)
{
    int depth = 0;

    for (; depth > 0 || (*at != ',' && *at != ']'); at++) {
        if (*at == '[' || *at == '{')
            depth++;
        else if (*at == ']' || *at == '}')
            depth--;
        else if (*at == '"')
            for (at++; *at != '"'; at++)
                at += *at == '\\';
    }
    return at;
}

/* Each element as its bytes stand there: written anew, json-c would have changed some of them in
 * silence that the plugin refuses. */
static int
split_array(size_t count, struct input_events *events, struct prov_error *err)
{
    char *at = strchr(events->text, '[');

    events->numbered = true;
    for (size_t i = 0; i < count; i++) {
        struct input_event event = { .line = i + 1 };
        char *end;
        int result;

        at += 1 + strspn(at + 1, blanks);
        end = element_end(at);
        event.json = at;
        event.length = (size_t)(end - at);
        while (event.length && strchr(blanks, at[event.length - 1]))
            event.length--;
        at[event.length] = '\0';
        result = add_event(events, event, err);
        if (result)
            return result;
        at = end;
    }
    return PROV_OK;
}

static int
split_lines(struct input_events *events, size_t length, struct prov_error *err)
{
    char *at = events->text, *end = at + length, *stop;
    size_t line = 1;
    int result;

    for (; at < end; at = stop + 1, line++) {
        struct input_event event = { .json = at, .line = line };

        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        event.length = (size_t)(stop - at);
        *stop = '\0';
        if (strspn(at, blanks) == event.length)
            continue;
        result = add_event(events, event, err);
        if (result)
            return result;
    }
    return PROV_OK;
}

/* Whether some line is an object by itself: then the text is meant as lines, and a bad line is
 * that line's fault alone. */
static bool
is_lines(const char *text, const char *end)
{
    const char *reason, *stop;
    size_t offset;

    for (; text < end; text = stop + 1) {
        struct json_object *value;
        size_t length;
        char *line;

        stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        length = (size_t)(stop - text);
        if (text[strspn(text, " \t")] != '{')
            continue;
        line = strndup(text, length);
        value = line ? parse_whole(line, length, &reason, &offset) : NULL;
        free(line);
        json_object_put(value);
        if (value)
            return true;
    }
    return false;
}

static int
not_json(const char *text, size_t offset, const char *reason, struct prov_error *err)
{
    size_t line = 1, character = 1;

    for (size_t i = 0; i < offset && text[i]; i++) {
        if (text[i] == '\n') {
            line++;
            character = 1;
        } else {
            character += ((unsigned char)text[i] & 0xc0) != 0x80;
        }
    }
    return fault_set(
        err, PROV_E_INVALID,
        "line %zu, character %zu: no JSON: %s; give one event a line, one JSON object, "
        "or a JSON array of events",
        line, character, reason);
}

int
input_split(char *text, size_t length, struct input_events *ret, struct prov_error *err)
{
    struct input_events events = { .text = text };
    struct input_event only = { .json = text, .length = length, .line = 1 };
    const char *reason;
    size_t offset;
    struct json_object *value = parse_whole(text, length, &reason, &offset);
    int result;

    if (text[strspn(text, blanks)] == '\0')
        result = fault_set(err, PROV_E_INVALID, "there is no event in it");
    else if (json_object_is_type(value, json_type_array))
        result = split_array(json_object_array_length(value), &events, err);
    else if (value)
        result = add_event(&events, only, err);
    else if (text[strspn(text, blanks)] != '[' && is_lines(text, text + length))
        result = split_lines(&events, length, err);
    else
        result = not_json(text, offset, reason, err);
    json_object_put(value);
    if (result) {
        input_clear(&events);
        return result;
    }
    *ret = events;
    return PROV_OK;
}

void
input_clear(struct input_events *events)
{
    free(events->events);
    free(events->text);
    *events = (struct input_events){ .count = 0 };
}

/* One line, its end at `stop`; the bytes up to and with it are taken. */
static struct input_event
take_line(struct input_lines *lines, size_t length, size_t with_end)
{
    struct input_event event = { .json = lines->bytes + lines->start, .length = length };

    lines->start += with_end;
    lines->count -= with_end;
    event.line = ++lines->line;
    return event;
}

enum input_what
input_next(struct input_lines *lines, struct input_event *ret)
{
    while (lines->count || (lines->ended && lines->skipping)) {
        char *bytes = lines->bytes + lines->start, *stop = memchr(bytes, '\n', lines->count);
        size_t length = stop ? (size_t)(stop - bytes) : lines->count;
        struct input_event event;

        if (!stop && !lines->ended) {
            /* Too long already: drop what is there, and the rest as it comes. */
            if (lines->skipping || length > PROV_EVENT_MAX_BYTES) {
                lines->count = 0;
                lines->skipping = true;
            }
            return INPUT_NONE;
        }
        event = take_line(lines, length, length + (stop ? 1 : 0));
        if (lines->skipping || length > PROV_EVENT_MAX_BYTES) {
            lines->skipping = false;
            *ret = event;
            return INPUT_TOO_LONG;
        }
        if (length > strspn(event.json, blanks)) {
            *ret = event;
            return INPUT_LINE;
        }
    }
    return INPUT_NONE;
}

int
input_fill(struct input_lines *lines, int timeout_ms)
{
    struct pollfd wait = { .fd = lines->fd, .events = POLLIN };
    ssize_t got;

    if (lines->start) {
        memmove(lines->bytes, lines->bytes + lines->start, lines->count);
        lines->start = 0;
    }
    if (lines->capacity - lines->count < READ_BYTES + 1) {
        size_t capacity = lines->capacity + PROV_EVENT_MAX_BYTES + 2 * READ_BYTES;
        char *more = realloc(lines->bytes, capacity);

        if (!more)
            return ENOMEM;
        lines->bytes = more;
        lines->capacity = capacity;
    }
    if (poll(&wait, 1, timeout_ms) < 0)
        return errno == EINTR ? 0 : errno;
    if (wait.revents == 0)
        return 0;
    got = read(lines->fd, lines->bytes + lines->count, READ_BYTES);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : errno;
    lines->ended = got == 0;
    lines->count += (size_t)got;
    lines->bytes[lines->count] = '\0';
    return 0;
}

void
input_lines_clear(struct input_lines *lines)
{
    free(lines->bytes);
    *lines = (struct input_lines){ .fd = -1 };
}
