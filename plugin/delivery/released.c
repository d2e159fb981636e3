/* The username of a leaver's account that is given free, and the way back. When that is done is decided
 * by plan.c. */
#include "plugin/delivery/released.h"

#include <stdio.h>
#include <string.h>

#include "patterns/pattern.h"

/* Of a Salesforce username, in characters. */
#define USERNAME_MAX 80

/* ".left-" and the Id; ids with 18 characters differ in lower case too. */
static void
make_suffix(const char *salesforce_id, char *ret, size_t room)
{
    snprintf(ret, room, ".left-%s", salesforce_id);
    username_lower(ret);
}

void
released_name(const char *username, const char *salesforce_id, char *ret)
{
    char suffix[40];

    make_suffix(salesforce_id, suffix, sizeof(suffix));
    if (strlen(username) + strlen(suffix) <= USERNAME_MAX)
        snprintf(ret, PATTERN_MAX_BYTES, "%s%s", username, suffix);
    else
        snprintf(ret, PATTERN_MAX_BYTES, "%s@released.invalid", suffix + 1);
}

bool
released_is(const char *username)
{
    return strstr(username, "left-") != NULL;
}

bool
released_undo(const char *username, const char *salesforce_id, char *ret)
{
    char suffix[40];
    size_t length, tail;

    make_suffix(salesforce_id, suffix, sizeof(suffix));
    length = strlen(username);
    tail = strlen(suffix);
    ret[0] = '\0';
    if (length > tail && strcmp(username + length - tail, suffix) == 0) {
        snprintf(ret, PATTERN_MAX_BYTES, "%.*s", (int)(length - tail), username);
        return true;
    }
    return strncmp(username, suffix + 1, tail - 1) == 0 &&
           strcmp(username + tail - 1, "@released.invalid") == 0;
}
