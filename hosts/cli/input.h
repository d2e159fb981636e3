/* Reading what the user gave: whole files, and events one after the other. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <provisioning/connector.h>

/* Opens a file, or takes stdin for "-". PROV_E_INVALID names the file and why; a directory is refused. */
int input_open(const char *file, int *ret_fd, struct prov_error *err);
/* Reads a file, or stdin for "-", of at most max_bytes; NUL-terminated. The caller frees *ret_text.
 * PROV_E_INVALID names the file and why. */
int input_read(const char *file, size_t max_bytes, char **ret_text, size_t *ret_length,
               struct prov_error *err);

/* One event of a text. */
struct input_event {
    const char *json;
    size_t length;
    size_t line; /* where it stands, from 1; of a JSON array: its number in it */
};

struct input_events {
    struct input_event *events;
    size_t count;
    bool numbered; /* a JSON array: `line` counts its elements */
    char *text;    /* owns the bytes of all events */
};

/* Takes a text apart: JSON lines, one JSON object, or a JSON array of them. Takes text over, also
 * when it fails. The caller gives *ret to input_clear(). PROV_E_INVALID with line and character. */
int input_split(char *text, size_t length, struct input_events *ret, struct prov_error *err);
void input_clear(struct input_events *events);

/* Lines from a descriptor, as they come. */
struct input_lines {
    int fd;
    bool ended;
    size_t line; /* number of the last line taken */
    char *bytes;
    size_t start, count, capacity;
    bool skipping; /* the rest of a line that was too long */
};

enum input_what {
    INPUT_LINE,
    INPUT_TOO_LONG,
    INPUT_NONE
};

/*
 * Takes the next line that is there in full (the last one need not end with a line end), borrowed
 * until the next input_fill(). INPUT_TOO_LONG once for a line above PROV_EVENT_MAX_BYTES, which is
 * skipped. Blank lines are passed over.
 */
enum input_what input_next(struct input_lines *lines, struct input_event *ret);

/* Reads what is there, waiting at most timeout_ms for it. 0, or errno. */
int input_fill(struct input_lines *lines, int timeout_ms);
void input_lines_clear(struct input_lines *lines);

#endif
