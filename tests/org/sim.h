/*
 * The simulated org inside a test program: started on free ports of 127.0.0.1, asked and stopped by
 * function calls. The program sfprov-org is a command line over this. See README.md.
 *
 * Threads  Any thread may ask; start and stop belong to one. Several may run in one process.
 * Blocking Asking waits as long as a fault or latency says that was set; stopping ends such waits.
 */
#ifndef ORG_SIM_H
#define ORG_SIM_H

#include <stdbool.h>
#include <stddef.h>

enum org_sim_certificate {
    ORG_SIM_PLAIN_HTTP,
    ORG_SIM_GOOD,        /* for 127.0.0.1, ::1 and localhost, by the CA of `ca_file` */
    ORG_SIM_EXPIRED,     /* the rest is good */
    ORG_SIM_WRONG_HOST,  /* for another host than the one that listens */
    ORG_SIM_SELF_SIGNED, /* by itself, while `ca_file` holds a CA that signed nothing */
    ORG_SIM_UNKNOWN_CA,  /* by another CA than the one of `ca_file` */
    ORG_SIM_OLD_TLS      /* good, but nothing newer than TLS 1.1 is spoken */
};

/* All zero and `seats` -1: two orgs, acme and globex, in clear. Nothing is kept after the start. */
struct org_sim_options {
    const char *const *names; /* of orgs: a-z, 0-9, hyphens */
    size_t name_count;
    const char *client_id, *client_secret; /* NULL: the default of README.md */
    long seats;                            /* of each licence; -1: the default */
    const char *const *custom_fields;      /* NAME[:LENGTH[:unique][:external]] */
    size_t custom_field_count;
    enum org_sim_certificate certificate;
    const char *ca_file; /* written: the CA certificate, PEM; needed for TLS */
};

struct org_sim;

enum {
    ORG_SIM_WHY_BYTES = 256
};

/* Listens when it returns. NULL: `why` says what could not be used or done. */
struct org_sim *org_sim_start(const struct org_sim_options *options, char why[ORG_SIM_WHY_BYTES]);
/* Ends waits and connections, forgets writes not landed yet. NULL is allowed. */
void org_sim_stop(struct org_sim *sim);

/* "https://127.0.0.1:40001"; NULL if there is no org of that name. Borrowed until the stop. */
const char *org_sim_url(const struct org_sim *sim, const char *org);
/* The ready file's JSON: addresses, client, CA file. Heap. */
char *org_sim_ready(const struct org_sim *sim);

/* One exchange without a connection, faults and log included: how a test reads and steers an org by
 * its control interface. body NULL: none. Heap, "" for an empty answer; NULL if there is no org of
 * that name, or the connection would have been closed. *ret_status may be NULL. */
char *org_sim_ask(struct org_sim *sim, const char *org, const char *method, const char *target,
                  const char *body, int *ret_status);
/* The same with headers of the caller's (api.h); the reply is the caller's to free. */
struct request;
struct reply;
void org_sim_exchange(struct org_sim *sim, const char *org, const struct request *request,
                      struct reply *reply);
/* GET /__org/state. Heap. */
char *org_sim_state(struct org_sim *sim, const char *org);

#endif
