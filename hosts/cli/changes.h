/* What a list changed, told user by user, however many they are. */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include <json-c/json.h>

#include "hosts/cli/host.h"
#include "hosts/cli/table.h"

struct changes {
    struct host *host;
    prov_snapshot *snapshot;
    /* {"uri","userName","place","what","attributes","note","happened","username","salesforce_id",
     * "state","outcome","code","message","cause","remedy","rival"}; borrowed. */
    void (*tell)(void *context, struct json_object *user);
    void *context;
};

/* Joins the changes of a list that is done with what became of each user at Salesforce, or, in a dry
 * run, with what would; `report` is that of snapshot_apply(). */
int changes_tell(struct changes *changes, struct json_object *report);

/* The table: host user, what happened, Salesforce username, Salesforce Id, outcome. Rows are printed
 * as they come; the caller flushes the last ones and frees it. */
struct table *changes_table(void);
void changes_row(struct table *table, struct json_object *user);

#endif
