/* The replan (design rule 10): changed connector fields reach users who are delivered only when an
 * admin asks for it, having seen whom it would rename. */
#ifndef DELIVERY_REPLAN_H
#define DELIVERY_REPLAN_H

#include "plugin/delivery/plan.h"

struct replan_order {
    int64_t subject; /* 0: everybody who has a Salesforce Id */
    bool dry_run;    /* only show what it would change */
    bool force;      /* rename more than the guard allows */
    int64_t limit;   /* so many changes are named, all are counted */
};

/*
 * Plans everybody as if the connector fields were new, counts and names the changes, and, unless it
 * is a dry run or the guard objects, makes them due. Reads the store page by page; asks Salesforce
 * nothing, so a changed profile is not counted ("looks_up" says so). JSON form: sfprov-connector(7).
 * Blocks for the store. PROV_E_STORE, PROV_E_NOMEM.
 */
MUST_CHECK int replan_run(struct store *store, const struct fields *fields,
                          const struct replan_order *order, struct json_object **ret,
                          struct prov_error *err);

#endif
