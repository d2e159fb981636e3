/* What the files of this room share. Not for other rooms. */
#ifndef DELIVERY_INTERNAL_H
#define DELIVERY_INTERNAL_H

#include <pthread.h>

#include "plugin/delivery/delivery.h"

struct delivery {
    struct store *store;
    const struct fields *fields;
    struct log log;
    struct prov_host host; /* callbacks, all NULL if there is no host */
    struct sf_session *session;

    pthread_mutex_t lock; /* one round at a time */
    bool had_lease;
    /* org facts, kept for the life of this object */
    char org_id[SF_ID_SIZE], user_id[SF_ID_SIZE];
    char profile_id[SF_ID_SIZE];
    char profile_fault[400]; /* why profile_id is not known; "": not looked up yet */
    /* back-off of the connection: calls that failed as a whole and surely did nothing */
    int64_t failures, paused_until_us;
    int64_t forgot_events_us;

    pthread_mutex_t thread_lock;
    pthread_cond_t moved;
    pthread_t thread;
    bool running, stopping, woken;
};

/* One subject in a round. */
struct item {
    struct work work;
    struct plan plan;
    bool reads_back;             /* in flight, and nothing may be sent before it is read back */
    char manager_id[SF_ID_SIZE]; /* of the manager the resource names; "": none, or not linked */
};

/* What a round has come to. */
struct round {
    struct delivery *delivery;
    struct prov_delivery *report;
    struct item *items;
    size_t count;
    struct json_object *names; /* usernames taken by a plan of this round -> URI */
    bool stop;                 /* hold, back-off, or asked to stop: leave the rest due */
};

/* ---- org.c: who we are, what is held ---- */

/* Makes sure of token, org and profile. *ret_ready false: the connector is on hold or pauses. */
MUST_CHECK int org_ready(struct delivery *delivery, bool *ret_ready, struct prov_error *err);
/* Puts the connector on hold, or pauses it, as the verdict on a call says; logs one line. */
MUST_CHECK int org_call_failed(struct delivery *delivery, const struct sf_call *call,
                               struct prov_error *err);
void org_call_passed(struct delivery *delivery);
/* Whether a hold is in force now; one by Salesforce whose probe is due is tried. */
MUST_CHECK int org_held(struct delivery *delivery, bool *ret_held, int64_t *ret_until_us,
                        struct prov_error *err);
/* Looks the profile up. *ret_call says what came of the call; the fault text is set if it is not
 * there. */
MUST_CHECK int org_find_profile(struct delivery *delivery, struct sf_call *ret_call,
                                struct prov_error *err);

/* ---- round.c ---- */

/* Works through what is due now. *ret_subjects: how many, 0 also when the round had to stop. */
MUST_CHECK int round_run(struct delivery *delivery, struct prov_delivery *report,
                         size_t *ret_subjects, struct prov_error *err);
/* What is done at the first round and once an hour. */
MUST_CHECK int round_upkeep(struct delivery *delivery, struct prov_error *err);

/* ---- send.c: batches ---- */

enum send_kind {
    SEND_DEACTIVATIONS,
    SEND_UPDATES,
    SEND_CREATES
};

/* Sends all items of the round whose plan is of this kind. */
MUST_CHECK int send_all(struct round *round, enum send_kind kind, struct prov_error *err);

/* ---- settle.c: what became of a subject ---- */

/* [tx] What was sent is there. */
MUST_CHECK int settle_delivered(struct round *round, struct item *item, const char *id,
                                struct prov_error *err);
/* [tx] The record was refused, or cannot be planned: parked. Texts are copied. */
MUST_CHECK int settle_refused(struct round *round, struct item *item, const char *code,
                              const char *message, const char *cause, const char *remedy,
                              struct prov_error *err);
/* [tx] It will be tried again. */
MUST_CHECK int settle_retry(struct round *round, struct item *item, const struct sf_record *record,
                            struct prov_error *err);
/* [tx] Sent, no certain answer: looked at again until the settle window is over. */
MUST_CHECK int settle_unknown(struct round *round, struct item *item, const char *message,
                              struct prov_error *err);
/* [tx] There is nothing to send. */
MUST_CHECK int settle_nothing(struct round *round, struct item *item, struct prov_error *err);
/* After the commit: the log line, and the host's outcome callback. */
void settle_tell(struct round *round, const struct item *item);
/* Tells the host what it has not been told, at most some hundred subjects. */
MUST_CHECK int settle_tell_rest(struct delivery *delivery, struct prov_error *err);

/* ---- unknown.c: reading back (rule 14) ---- */

/* Settles what is in flight as far as the org shows it; what can be planned again is left planned
 * as due. */
MUST_CHECK int unknown_settle(struct round *round, struct prov_error *err);
/* A create was refused because the username is taken: ours after all, or whose? */
MUST_CHECK int unknown_username_taken(struct round *round, struct item **items, size_t count,
                                      struct prov_error *err);

/* Replaces a heap text; 0 or PROV_E_NOMEM. */
MUST_CHECK int set_text(char **place, const char *text);

#endif
