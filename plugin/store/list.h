/*
 * A list being taken, for the files of the store that do it: snapshot.c (its life, what is added,
 * what is told), snapshot_apply.c (comparing and folding), difference.c.
 */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "plugin/store/internal.h"

enum list_phase {
    LIST_OPEN,    /* users are added */
    LIST_LISTED,  /* those listed are compared with what is known */
    LIST_LOST,    /* who is known and not listed is found */
    LIST_FOLDING, /* the changes are folded */
    LIST_DONE
};

enum list_what {
    LIST_HIRED,
    LIST_CHANGED,
    LIST_RETURNED,
    LIST_GONE,
    LIST_SKIPPED,
    LIST_UNCHANGED,
    LIST_UNREADABLE,
    LIST_WHATS
};

/* "hired", ..., as reports tell it. */
const char *list_what_name(enum list_what what);

struct store_snapshot {
    struct store *store;
    char *issuer;
    char id[33];
    int64_t begun_after; /* the newest event when the list began */
    bool aliases;        /* some user has one */
    /*
     * Scratch file:  listed(seq, uri, alias, place, manager, data); no data: who cannot be read
     *                change(seq, listed, uri, user_name, place, what, attributes, note)
     *                claim(username, uri)
     */
    struct db *scratch;

    enum list_phase phase;
    int64_t cursor;   /* LISTED: listed.seq, FOLDING: change.seq, of the last one done */
    char *cursor_uri; /* LOST: of the last one done */
    int64_t listed, compared, folded;
    int64_t counts[LIST_WHATS];
    int64_t in_scope, at_risk; /* subjects of the issuer; of those, who would be deactivated */
    int64_t unknown_managers;
    char *unknown_manager_place; /* of the first */
    char *reason;                /* the guard objects; NULL: it does not */
    bool applied;
};

/* The names of attributes that differ, as a JSON array. */
MUST_CHECK int list_difference(struct value *before, struct value *after, struct json_object **ret,
                               struct prov_error *err);

/* The manager that a resource names: "/Users/7" of a $ref, or the value as it stands. Heap; NULL:
 * none, or out of memory. */
char *list_manager(struct value *resource);

#endif
