/* What a list changed, told user by user. */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include <json-c/json.h>

#include "hosts/cli/host.h"
#include "hosts/cli/people.h"

/*
 * Joins the changes of a report of snapshot_end() with what became of each user at Salesforce:
 * *ret is an array of {"uri","userName","happened","what","attributes","note","username",
 * "salesforce_id","state","outcome","code","message","cause","remedy"}.
 */
int changes_outcome(struct host *host, struct json_object *report, struct json_object **ret);

/* The same for a dry run, where each change is previewed: "outcome" says what would be done. */
int changes_preview(struct host *host, struct json_object *report, const struct people *people,
                    const char *issuer, struct json_object **ret);

/* The table: host user, what happened, Salesforce username, Salesforce Id, outcome. */
void changes_print(struct json_object *users);

#endif
