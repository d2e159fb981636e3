/*
 * The name that a leaver's account gets when its username is given free (connector field leaver_action):
 * "jdoe@acme.example" becomes "jdoe@acme.example.left-<Salesforce Id>", so that it is an e-mail address
 * still, nobody else has it, and what it was can be read off. Where that would be longer than 80
 * characters it is "left-<Salesforce Id>@released.invalid". Lower case. Pure.
 */
#ifndef DELIVERY_RELEASED_H
#define DELIVERY_RELEASED_H

#include <stdbool.h>

#include "patterns/username.h"

/* `ret` has room for PATTERN_MAX_BYTES. */
void released_name(const char *username, const char *salesforce_id, char *ret);

/* Whether a username may be such a name at all. */
bool released_is(const char *username);

/* Whether a username is such a name of this account. If so `ret` is what it was, "" where the name does
 * not tell. */
bool released_undo(const char *username, const char *salesforce_id, char *ret);

#endif
