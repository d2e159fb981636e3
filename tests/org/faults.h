/* Faults on command: what a test asks an org to do wrong (README.md). */
#ifndef ORG_FAULTS_H
#define ORG_FAULTS_H

#include "tests/org/org.h"

struct call;

enum fault_action {
    FAULT_NONE,
    FAULT_STATUS,
    FAULT_DROP_BEFORE,
    FAULT_DROP_AFTER,
    FAULT_LATE,
    FAULT_DELAY,
    FAULT_SLOW,
    FAULT_GARBAGE,
    FAULT_CUT,
    FAULT_SHORT_ARRAY,
    FAULT_LONG_ARRAY,
    FAULT_SWAP_ARRAY,
    FAULT_REFUSE_RECORD,
    FAULT_REFUSE_CALL
};

struct fault {
    char *on;
    int64_t times; /* left; -1: no end */
    int64_t skip;
    enum fault_action action;
    char *action_name;
    struct json_object *match; /* field -> value, or NULL */
    int status;
    char *body, *code, *message, *fields;
    struct json_object *headers;
    int64_t delay_ms;
    bool commit; /* status: the call is applied all the same */
};

struct fault_list *faults_new(void);
void faults_free(struct fault_list *faults);
/* False and the reason for what is not a fault. */
bool fault_add(struct fault_list *faults, struct json_object *description, char **ret_reason);
struct json_object *faults_state(struct fault_list *faults);

/* What kind of call this is: "create", "update", "collections", "query", ... */
const char *fault_kind(const struct call *call);

/* The fault of the whole call that is due, counted down; false for none. *ret is a copy that
 * fault_clear() releases. */
bool faults_take(struct org *org, struct call *call, struct fault *ret);
void fault_clear(struct fault *fault);

/* The refusal due for one record; row is NULL for a create. */
bool faults_refuse_record(struct org *org, struct call *call, struct row *row,
                          struct json_object *record, struct refusal *refusal);

#endif
