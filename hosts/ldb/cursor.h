/*
 * How far the directory's changes were handed over: the last update sequence number (USN) of it, in a file
 * beside the store that the processes of the server share. Who holds the file hands over; the others wait.
 * An older number than the true one does no harm, since states are handed over: so writing it needs no flush.
 */
#ifndef LDB_CURSOR_H
#define LDB_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <provisioning/connector.h>

#define CURSOR_ID_MAX 40

struct cursor {
    int fd; /* -1: not held */
    char id
        [CURSOR_ID_MAX]; /* of the database whose numbers they are (invocationId); "": nothing is known */
    uint64_t usn;
};

/*
 * Holds the file, waiting some seconds for whoever else holds it, and reads it. Where somebody has waited for nothing,
 * nobody waits again before it was released. A file that is not there is made. PROV_E_STORE: it cannot be, and why;
 * then nothing is held.
 */
int cursor_hold(const char *path, struct cursor *ret, struct prov_error *err);
/* Writes where the caller has come to. PROV_E_STORE. */
int cursor_put(struct cursor *cursor, const char *id, uint64_t usn, struct prov_error *err);
void cursor_release(struct cursor *cursor);

/* Lets a moment pass; a test may put another in its place. */
extern void (*cursor_pause)(void);

#endif
