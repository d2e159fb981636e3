/* A simulated org and a connector on it, in one process; the connector has no thread of its own. */
#ifndef TORTURE_WORLD_H
#define TORTURE_WORLD_H

#include <json-c/json.h>
#include <provisioning/connector.h>
#include <stdbool.h>

#include "tests/org/sim.h"

struct world {
    struct org_sim *sim;
    char folder[64];  /* of the store; ends with a slash */
    char ca_file[64]; /* "": in clear */
    struct prov_vtable methods;
    struct prov_connector *connector;
    bool worker;             /* opened with the connector's own thread */
    struct prov_host host;   /* of the next open; all zero: none */
    const char *fields;      /* of who opens it on a thread of his own */
    struct prov_error error; /* of the last call that failed */
};

/* certificate ORG_SIM_PLAIN_HTTP, or ORG_SIM_GOOD: the CA is `ca.pem` in a directory of its own. */
void world_start(struct world *world, enum org_sim_certificate certificate);
void world_stop(struct world *world);
/* An empty org and no store. */
void world_reset(struct world *world);

/* The connector fields; `more`: further ones, `"batch_size":1,`; "" for none. Heap. */
char *world_fields(struct world *world, const char *more);
int world_open(struct world *world, const char *fields);
void world_close(struct world *world);

/* Status of the answer (enum prov_answer_status); 0: the call failed. */
unsigned world_submit(struct world *world, const char *event);
int world_deliver(struct world *world, struct prov_delivery *ret);
int world_act(struct world *world, const char *request);
/* NULL: the call failed. The caller puts it. */
struct json_object *world_query(struct world *world, const char *request);
/* Delivers until nothing is due; waits are passed by moving the clocks, once late writes have landed.
 * 0: it did not come to an end; `error` says where it stands. */
bool world_settle(struct world *world);

/* Posts to the org's control interface; body NULL: deletes there. */
void world_tell_org(struct world *world, const char *target, const char *body);
/* PATCH. */
void world_change_org(struct world *world, const char *target, const char *body);
/* Lets time pass for both sides, once late writes have landed: they take less than settle_window_s. */
void world_pass(struct world *world, int64_t us);
/* Users made through the API, as in GET /__org/state; with the number of passwords they were given. The
 * caller puts it. */
struct json_object *world_users(struct world *world);
/* Both sides, for a message. */
void world_print(struct json_object *users);
void world_print_subjects(struct world *world);

/* A sealing key in the folder of the store; its path, borrowed. */
char *world_key(struct world *world);
void world_write_key(struct world *world);
/* Whether that is the password of the user with this Id. */
bool world_has_password(struct world *world, const char *id, const char *password);

#endif
