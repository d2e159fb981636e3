/*
 * How far `follow` has heard a directory, beside the store; and that one follower at a time has that store.
 */
#ifndef CLI_FOLLOW_STATE_H
#define CLI_FOLLOW_STATE_H

#include "hosts/cli/host.h"

#define FOLLOW_NEWEST 8
#define FOLLOW_KEY    "entryUUID"
#define FOLLOW_CHANGE "entryCSN"

/* A change that was heard: the directory cannot be older than that, unless it comes from a backup. */
struct follow_change {
    char uuid[40]; /* whose; */
    char csn[64];  /* when: their entryCSN, or the newest one that was known when they went */
    bool gone;
    bool told; /* since follow_state_begin() */
    bool kept; /* the cookie stands for it; else the connection broke before that was heard */
};

struct follow_state {
    char *file;   /* STORE.follow */
    char *about;  /* whom, and what of them: what the file says of others means nothing */
    char *cookie; /* NULL: everything is heard from the beginning */
    struct follow_change newest[FOLLOW_NEWEST];
    size_t newest_count;
    bool list_waits;  /* one was not applied, and is heard again; what changes is heard meanwhile */
    bool list_waited; /* as it stands in the file */
    int lock;         /* of STORE.follow-lock, held as long as it is open; -1: none */
};

/* Takes the store for this follower, and reads, if it was of the same people (whom), read by the same columns, maps and
 * groups. columns: the text of the file, or NULL. Returns an enum exit_code and has said why; the caller closes *ret in
 * any case. */
int follow_state_open(struct host *host, const char *whom, const struct options *options,
                      const char *columns, struct follow_state *ret);
void follow_state_close(struct follow_state *state);

/* Notes what was heard; csn NULL: they are gone. */
void follow_state_heard(struct follow_state *state, const char *uuid, const char *csn);
/* It is heard once more: what was heard so far has to be found again; or, of a whole list, all of it is heard anew. */
void follow_state_begin(struct follow_state *state, bool whole);

/* Takes the cookie over, NULL allowed, and keeps it if it is another one, or a list waits that did not, or the other way
 * round. What cannot be written is told: it costs no more than hearing it twice. */
void follow_state_keep(struct follow_state *state, char *cookie);
/* As if it had never been heard. */
void follow_state_forget(struct follow_state *state);

#endif
