/* One user's events and what became of them, as one line of time. */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include <json-c/json.h>

/* Prints the story of a subject, the answer to {"query":"subject"}, newest last; nothing if there is none. */
void story_print(struct json_object *subject);

#endif
