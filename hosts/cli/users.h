/* SCIM users in JSON, one by one: one a line, a JSON array, or list responses (RFC 7644 3.4.2) one
 * after the other. Pure but for the source of its lines. */
#ifndef CLI_USERS_H
#define CLI_USERS_H

#include "hosts/cli/lines.h"

struct users_text {
    char *bytes;
    size_t length, room;
    bool over; /* longer than a user may be: the rest was dropped */
};

struct user_text {
    const char *json; /* NUL-terminated; an object as far as its brackets go */
    size_t length;
    size_t line, character; /* where it begins */
};

/* { .lines = ... }, with lines->pieces set */
struct users {
    struct lines *lines; /* borrowed */
    struct line piece;
    const char *at; /* in the piece; NULL: none yet */
    size_t depth;
    bool in_string, escaped;
    bool list;      /* the value at the top is an array, or Resources was met */
    bool resources; /* inside the array Resources */
    bool member;    /* an element of the list is being read */
    bool one_a_line;
    size_t key; /* of the outer object: where its last string begins in `outer` */
    struct users_text outer, inner;
    size_t outer_line, outer_character, inner_line, inner_character;
    size_t responses, seen; /* list responses, and users in them */
    long long total;        /* as the responses say */
};

/*
 * The next user. FOUND_FAULT with the place for one that is too long or, one a line, not closed at
 * the end of its line. FOUND_STOP for what is no JSON, and for list responses that hold fewer users
 * than their totalResults: a part of a list would make leavers of the rest.
 */
enum found users_next(struct users *users, struct user_text *ret, struct prov_error *err);
void users_clear(struct users *users);

#endif
