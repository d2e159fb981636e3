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
    bool told;  /* since follow_state_begin() */
    bool kept;  /* the cookie stands for it; else the connection broke before that was heard */
    bool old;   /* it was known when the list was begun that is being heard; */
    bool right; /* by which it is so still */
};

struct follow_state {
    char *file;   /* STORE.follow */
    char *about;  /* whom, and what of them: what the file says of others means nothing */
    char *cookie; /* NULL: everything is heard from the beginning */
    struct follow_change newest[FOLLOW_NEWEST];
    size_t newest_count;
    bool list_waits;  /* one was not applied, and is heard again; what changes is heard meanwhile */
    int64_t listed_s; /* when one was applied last, since 1970; 0: none was */
    bool changed;     /* this does not stand in the file yet */
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

/* A list beside what is heard: it begins, has somebody, whose entryCSN may be NULL, and is over. What is otherwise than it
 * was heard last, as of one who was moved away with others, is no sign of an older directory from then on. */
void follow_state_list_begins(struct follow_state *state);
void follow_state_in_list(struct follow_state *state, const char *uuid, const char *csn);
void follow_state_list_ends(struct follow_state *state, bool applied);
/* Whether the last one was applied as long ago as that; 0: never. */
bool follow_state_list_is_due(const struct follow_state *state, int64_t after_s);

/* Takes the cookie over, NULL allowed, and keeps it if it is another one, or what goes with it. What cannot be written is told: it costs no more than hearing it twice. */
void follow_state_keep(struct follow_state *state, char *cookie);
/* As if it had never been heard. */
void follow_state_forget(struct follow_state *state);

#endif
