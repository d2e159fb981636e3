/* What the files of this room share. Not for other rooms. */
#ifndef DELIVERY_INTERNAL_H
#define DELIVERY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "patterns/username.h"
#include "plugin/delivery/codes.h"
#include "plugin/delivery/delivery.h"
#include "plugin/delivery/names_chain.h"
#include "plugin/delivery/refusals.h"

/* The profile that new users get. */
struct org_profile {
    char id[SF_ID_SIZE]; /* "": not known */
    char fault[400];     /* why not; "": not looked up yet */
};

/* What facts.c keeps of the org in whole. */
enum facts_list {
    FACTS_PROFILES, /* rows {"Id","Name","UserLicense":{"Name"}} */
    FACTS_ROLES,    /* {"Id","Name","DeveloperName"} */
    FACTS_LICENCES, /* {"Name","TotalLicenses","UsedLicenses"} */
    FACTS_LISTS
};

/* Who may pass: a hold or a pause may spare those who leave, see org.c. In order: the more severe is the
 * greater. */
enum passage {
    PASS_ALL,
    PASS_LEAVERS,
    PASS_NOBODY
};

/* Why not everybody passes, and until when by the wall clock (0: not known). */
struct stop {
    enum passage passage;
    int64_t until_us;
};

/* Calls that failed as a whole, in a row, the first at since_us; until_us is monotonic. */
struct backoff {
    int64_t failures, since_us, until_us;
};

/* Upkeep that is done a piece a round; two of them walk over the events of the store. */
struct event_walk {
    bool under_way;
    int64_t after; /* the last event looked at */
};

/* What the host has taken, and the store does not know yet: of a whole call one commit. */
struct taken {
    bool stuck; /* it could not be noted: that is done before the host is told more */
    size_t count;
    struct {
        int64_t event;
        enum told how;
    } list[256];
};

/* The host declined an outcome, or the store failed while it was told. A walk that came no further than `behind` goes on
 * there the next time, since what is never taken, and slowly, would keep the rest from the host otherwise. */
struct untold {
    bool some;
    int64_t after;                 /* of the events after this one */
    int64_t behind;                /* 0: the next walk begins at the first */
    struct backoff again;          /* until the host is told again */
    int64_t declined, declined_us; /* so many in a row, and so long that took */
};

#define FLIGHTS_MAX 25 /* the most of the connector field parallel_calls */

/* The calls under way: their list is of whoever holds delivery->lock (flights.c). */
struct flights {
    struct sf_session *session;
    pthread_mutex_t lock; /* guards `over` of those in the list */
    pthread_cond_t landed;
    struct flight *list[FLIGHTS_MAX + 1]; /* one more, for who leaves */
    size_t count;
};

struct delivery {
    struct store *store;
    const struct fields *fields;
    struct log log;            /* to `host`, until close() has given the worker up */
    struct prov_host host;     /* callbacks, all NULL if there is no host */
    atomic_bool abandoned;     /* close() did not wait any longer: the host must not be called */
    pthread_mutex_t host_lock; /* held while the host's log or outcome runs on our account */
    struct sf_session *session;
    int login_lock; /* of keeper.c; one thread is at the token endpoint */

    pthread_mutex_t lock; /* one round at a time */
    struct flights air;   /* may hold calls of earlier rounds */
    bool had_lease;
    bool knows_hold; /* the hold in force was probed, or made, by this object */
    bool no_trouble; /* the store is known to tell of no trouble */
    bool probing;    /* a call that fails prolongs the hold in force */
    bool knows_sandbox,
        is_sandbox;           /* is_sandbox: as far as is known; asked when it first matters */
    char user_id[SF_ID_SIZE]; /* the execution user */
    struct org_profile profile;
    struct json_object *names;              /* profiles and roles that are named, see org_names.h */
    struct json_object *lists[FACTS_LISTS]; /* {KEY:[rows],"read_us"}; NULL: not looked at */
    int64_t lists_since_us;                 /* what was read before is old */
    bool reference_refused;          /* Salesforce did not know an Id that was sent; see facts.c */
    struct json_object *facts;       /* what User's fields take, see facts.c; NULL: not known */
    struct facts_index *facts_index; /* of these; NULL: not made yet */
    bool facts_looked, facts_wanted; /* in the store; of the org, since it has refused a value */
    bool facts_asked;                /* of the org, whatever it answered; within the hour */
    struct json_object *seats; /* what is known of licence seats, see seats.c; NULL: nothing */
    int64_t seats_us;          /* read when; monotonic */
    struct refusals seen;      /* since the tally was written last, see quarantine.c */
    bool in_quarantine;        /* the hold in force is one */
    struct json_object
        *woken_codes;          /* codes, as a set, whose parked were made due since the upkeep */
    struct backoff pause;      /* of everybody */
    struct backoff rest_pause; /* of all but leavers: a write of theirs had no answer */
    int64_t
        leavers_looked_us;  /* while only leavers pass: their times up to this one were looked at */
    uint64_t calls_counted; /* of the session's, those that the store's totals have */
    int64_t calls_failed;   /* that they have not */
    int64_t quota_noted_us; /* the use of the quota was written when; monotonic */
    bool keeps_reserve;     /* its session does; that of an admin's look makes all its calls */
    int64_t upkeep_us;      /* when it last began */
    bool mended;            /* by the last round, which had failed */
    atomic_int failures;    /* rounds in a row */
    struct event_walk forgetting, forgetting_history, telling, shrinking;
    struct taken taken;   /* by the host, and not noted yet; see tell.c */
    struct untold untold; /* that is to be told again */

    pthread_mutex_t thread_lock;
    pthread_cond_t moved;
    pthread_t thread;
    bool running, stopping, woken, ended;
    int bell;  /* an eventfd: rung with each change of stopping and woken, for who waits */
    int watch; /* of the store, see store_watch(); the worker's */
};

/* The last call of a round that had to do with a subject. */
struct call_note {
    const char *operation; /* static; NULL: there was none */
    size_t records;        /* in the call */
    int64_t took_us;
    int http_status; /* 0: no answer */
    char request_id[64];
};

/* What is said of an outcome; each may be NULL. */
struct said {
    const char *code, *message, *cause, *remedy;
};

/*
 * What becomes of a subject in a round. The steps of a round look at it, and change it, and there is no mark
 * besides; each end has its case in settle(). What a round does not bring to an end stays due.
 */
enum fate {
    /* on the way */
    FATE_LATER, /* nothing in this round: another one of it has to do with what this one needs. Or (PLAN_PARK) whether
                 * a temporary name is given back is not decided yet */
    FATE_READ_BACK, /* in flight, and nothing may be sent before that is read back */
    FATE_LOOK_UP, /* planned in full when the org has told a profile, a role, or how the account is */
    FATE_LOOK_FROZEN, /* nothing to send; whether somebody has unfrozen the account is looked up */
    FATE_SEND,        /* as plan.action says */
    FATE_SENT,
    FATE_FREEZE,    /* could not be deactivated: is frozen next */
    FATE_WHOSE,     /* refused, for somebody has the username: who is that? */
    FATE_UNMANAGED, /* refused for the manager: the rest is sent again without him */
    FATE_CORRECTED, /* a deactivation, refused for a value: it is sent again with the host's correction */
    /* ends that need no call */
    FATE_FORGOTTEN, /* the store has no such subject any more */
    FATE_NOTHING,   /* there is nothing to send */
    FATE_HELD,      /* a deactivation that the guard holds */
    FATE_PARKED,    /* cannot be sent; plan.code and plan.reason say why, and what it waits for */
    FATE_STAYS_PARKED, /* as before, and waits for the name it wants as well */
    /* ends of what was sent */
    FATE_DELIVERED,
    FATE_FOUND,        /* no answer came, and it is there as it was sent */
    FATE_ASIDE,        /* has a temporary username, or the one before it again, and is no further */
    FATE_REFUSED,      /* item.said says why, and what it waits for */
    FATE_FROZEN,       /* cannot be deactivated (item.blocker), and is frozen */
    FATE_NOT_FROZEN,   /* cannot be frozen (item.said), and perhaps not be deactivated either */
    FATE_RETRY,        /* for what item.said says */
    FATE_UNKNOWN,      /* no certain answer: item.said.message */
    FATE_NOT_HAPPENED, /* no answer came, and it is not there: planned anew */
};

/* One subject in a round. */
struct item {
    struct work work;
    struct plan
        plan; /* action: PLAN_NOTHING or PLAN_PARK also where another fate than FATE_SEND has been found */
    enum fate fate;
    struct said said;    /* of its end; borrowed, until it is settled */
    const char *account; /* FATE_DELIVERED, FATE_FOUND: its Id, of who had none; borrowed as well */
    size_t share;        /* how many may be in its call (send.c) */
    struct value
        *there; /* of who is repaired: what the org holds, in the link's pool; NULL: not read */
    struct sf_record
        *blocker; /* why Salesforce does not let the user be deactivated; NULL: it may */
    char login_id[SF_ID_SIZE]; /* of the user's UserLogin; "": not looked up, or there is none */
    bool found_frozen;         /* is to be frozen, and somebody else has done so */
    bool look_failed;          /* whether the account is frozen still could not be looked up */
    bool steps_aside;          /* is on a ring of usernames, and goes to a temporary one */
    unsigned suffix;           /* the number behind the username that was tried last; 0: none was */
    struct call_note call;
    const char
        *mended; /* what of it the store could not tell, and nobody was told yet; NULL: nothing */
    bool as_before;       /* nothing came of it but what stood there already */
    bool without_manager; /* ManagerId was refused and left out of what is sent */
    const char
        *adopted_by; /* the field by which an account was found and adopted; NULL: none was */
    char manager_id[SF_ID_SIZE]; /* of the manager the resource names; "": none, or not linked */
};

/* ---- item.c ---- */

/* Whether it is to be sent in this round, and so. */
bool item_sends(const struct item *item, enum plan_action action);
/* Whether the fate is an end that no call leads to. */
bool item_ends_here(const struct item *item);
/* Whether it has come to an end. */
bool item_ended(const struct item *item);
/* Whether there was nothing to do, nor to find out; though there may be something to say. */
bool item_was_in_step(const struct item *item);
/* Whether the user is wanted, and the account stays frozen, since somebody else has frozen it. */
bool item_stays_frozen(const struct item *item);
/* Nothing is sent for it: this is its fate instead. */
void item_stop(struct item *item, enum fate fate);
/* It cannot be sent: the code (static) and the reason, in one line. */
__attribute__((format(printf, 3, 4))) void item_park(struct item *item, const char *code,
                                                     const char *format, ...);

/* The items of a round. They last until the round is over, and each of its calls. */
struct item_list {
    size_t holders, count;
    struct item items[];
};
struct item_list *item_list_new(size_t room);
struct item_list *item_list_hold(struct item_list *list);
/* NULL is allowed. */
void item_list_release(struct item_list *list);

/* What a round has come to. */
struct round {
    struct delivery *delivery;
    struct prov_delivery *report;
    struct item_list *list;
    struct item *items; /* of the list */
    size_t count;
    struct json_object *names;  /* set of the usernames that a plan of this round will claim */
    struct json_object *walked; /* see names_follow(); NULL: nothing is known */
    bool stop;                  /* hold or back-off: leave the rest due */
    enum failure {              /* of a call of the round: the worst is what counts */
        FAILED_NONE,
        FAILED_WRITE, /* without an answer, of no leaver */
        FAILED_CALL,
        FAILED_ORG
    } failed;
    bool leavers_only;  /* the same, but leavers go on */
    bool yields;        /* the same, to who has left meanwhile: what is in the air may stay there */
    bool urgent_left;   /* something urgent was due when this round had sent its leavers */
    size_t rest_calls;  /* calls of others than leavers */
    size_t begun;       /* calls */
    size_t settled;     /* subjects; also those of calls that an earlier round began */
    bool guard_told;    /* its log line is written */
    bool guard_read;    /* the two that follow are known */
    bool seats_refused; /* Salesforce had no seat for somebody to whom it was sent */
    int64_t freed_seats;                /* accounts that were deactivated in this round */
    bool moved_managers;                /* an account has another manager, or none any more */
    int64_t guard_since_us, guard_done; /* the window, and what was deactivated in it */
};

/* ---- org.c: who we are, what is held ---- */

/* Makes sure of the token, and that it leads to the org of this store. *ret_ready false: the
 * connector is on hold or pauses. Asks Salesforce only if there is no token. */
MUST_CHECK int org_ready(struct delivery *delivery, bool *ret_ready, struct prov_error *err);
/* For queries: an error if the token leads to another org than that of this store (rule 17). That there is
 * no token is left to the call that needs it. Writes nothing, needs no lock. */
MUST_CHECK int org_refuse_other(struct delivery *delivery, struct prov_error *err);
/* Looks for the profile that new users get, if it is not known. *ret_ready as above; a profile that
 * is not there leaves delivery->profile.id empty and says why in its fault. */
MUST_CHECK int org_ready_for_creates(struct delivery *delivery, bool *ret_ready,
                                     struct prov_error *err);
/* Puts the connector on hold, or pauses it, as the verdict on a call says; logs one line. */
MUST_CHECK int org_call_failed(struct delivery *delivery, const struct sf_call *call,
                               struct prov_error *err);
/* The same of a write without an answer: whoever leaves is still tried, which tells whether it was this
 * write or the connection. */
MUST_CHECK int org_write_failed(struct delivery *delivery, const struct sf_call *call,
                                struct prov_error *err);
void org_call_passed(struct delivery *delivery);
/* A write passed that was no leaver's. */
void org_write_passed(struct delivery *delivery);
/* Whether a hold is in force now; one by Salesforce whose probe is due is tried. */
MUST_CHECK int org_held(struct delivery *delivery, struct stop *ret, struct prov_error *err);
/* What the back-off of the connection lets pass now. */
struct stop org_pause(const struct delivery *delivery);
/* A hold that spares leavers, and is looked at again in some minutes. */
MUST_CHECK int org_hold_rest(struct delivery *delivery, const char *reason, const char *cause,
                             const char *remedy, struct prov_error *err);

/* A hold that spares leavers because most are refused with `code`; it is probed with one of those. */
MUST_CHECK int org_quarantine(struct delivery *delivery, const char *code, const char *reason,
                              const char *cause, const char *remedy, struct prov_error *err);
/* An admin's retry ends a pause. */
MUST_CHECK int org_listen(struct delivery *delivery, struct prov_error *err);

/* ---- quarantine.c: most users are refused alike ---- */

#define TALLY_FACT "tally"
/* A user was refused, for what item.said says, whose link is as it was before. 0 or PROV_E_NOMEM. */
MUST_CHECK int quarantine_note_refused(struct delivery *delivery, const struct item *item);
/* After a call was settled: holds all but leavers, and stops the round, if too many were refused alike. */
MUST_CHECK int quarantine_weigh(struct round *round, struct prov_error *err);
/* Tries one of those who are parked with the code. Whether it passes is *ret_passed; true also if nobody is
 * left. */
MUST_CHECK int quarantine_probe(struct delivery *delivery, const char *code, bool *ret_passed,
                                struct prov_error *err);

/* ---- quota.c: the org's API calls of 24 hours ---- */

/* The session makes no call of the reserve (connector field api_reserve_percent) for what can wait; of the call that
 * it did not make org_call_failed() makes a hold that spares leavers. */
MUST_CHECK int quota_hold(struct delivery *delivery, struct prov_error *err);
/* The same before a call: if one more would touch it, sets round->leavers_only. */
MUST_CHECK int quota_check(struct round *round, struct prov_error *err);
/* [tx] Keeps what the last answer told, for `status` and for other processes. */
MUST_CHECK int quota_note(struct delivery *delivery, struct prov_error *err);
#define DEPRECATION_REMEDY "Set 'api_version' to a newer one that the org offers."
/* Whether the org is a sandbox, for is_sandbox: one call, once. Who gets no answer takes it for one, and asks
 * again the next time. */
MUST_CHECK int org_learn_kind(struct delivery *delivery, struct prov_error *err);
/* Looks the profile up by a list of profiles that was read at since_us (wall clock) or later. *ret_call says what
 * came of the call. What it learns is kept in delivery->names, so a check has a delivery of its own. */
MUST_CHECK int org_find_profile(struct delivery *delivery, int64_t since_us,
                                struct org_profile *ret, struct sf_call *ret_call,
                                struct prov_error *err);

/* ---- lookup.c: reading users ---- */

/* What is asked: User rows whose `key` is one of `values`. */
struct lookup {
    const char *key;
    const char *const *values;
    size_t count;
    struct json_object *fields; /* names wanted besides Id, Username, IsActive, CreatedById and
                                   CreatedDate, as an object used as a set; NULL: none */
    const char *always;         /* one more, without which an answer is worth nothing; NULL: none */
};

/*
 * Reads all rows there are, in as many calls as needed; stops at the first that does not pass, which
 * *ret_call tells. *ret_rows (SF_DELIVERED only) is an array the caller owns, in no order. A row
 * lacks our fields where the org refused them, but for `always`: they are not readable there. Changes nothing of the
 * delivery's, so queries need no lock. PROV_E_NOMEM.
 */
MUST_CHECK int lookup_users(struct delivery *delivery, const struct lookup *lookup,
                            struct json_object **ret_rows, struct sf_call *ret_call,
                            struct prov_error *err);

/*
 * Reads the UserLogin rows of users by their ids: {"Id","UserId","IsFrozen"}, in no order; not every user
 * has one. As above.
 */
MUST_CHECK int lookup_logins(struct delivery *delivery, const char *const *ids, size_t count,
                             enum sf_urgency urgency, struct json_object **ret_rows,
                             struct sf_call *ret_call, struct prov_error *err);

/* ---- login.c: the session, from the connector fields ---- */

/* Makes delivery->session. The limits are those of the connector fields, or these, if they are shorter and
 * not 0. */
MUST_CHECK int login_session(struct delivery *delivery, int64_t connect_ms, int64_t request_ms,
                             struct prov_error *err);

/* ---- keeper.c: tokens in the store, sealed ---- */

/* Nothing is kept without a sealing key. */
struct sf_keeper keeper_of(struct delivery *delivery);

/* ---- twin.c: two stores for one org ---- */

/* Whether an account was made for a user of this issuer, or by us, and the store knows nothing of it. */
MUST_CHECK int twin_judge(struct delivery *delivery, const struct subject *subject,
                          struct json_object *row, bool *ret, struct prov_error *err);
/* Looks in the org for one such account of the field `issuer`, by the correlation field. *ret_seen: a
 * sentence, heap; NULL: none was found, or there is nothing to look by. *ret_call says what came of the
 * call. Touches nothing of the delivery's. */
MUST_CHECK int twin_find(struct delivery *delivery, char **ret_seen, struct sf_call *ret_call,
                         struct prov_error *err);
extern const char twin_cause[];
/* Heap; NULL when out of memory. */
char *twin_remedy(const struct delivery *delivery);

/* ---- round.c ---- */

/* Works through what is due now; of leavers only, if so. *ret_subjects: how many, 0 also when the round
 * had to stop. */
MUST_CHECK int round_run(struct delivery *delivery, bool leavers_only, struct prov_delivery *report,
                         size_t *ret_subjects, struct prov_error *err);
/* A round of this subject alone, due or not. */
MUST_CHECK int round_run_one(struct delivery *delivery, int64_t subject,
                             struct prov_delivery *report, struct prov_error *err);
/* Waits for the calls that are in the air, and settles what came of them; whatever it returns, none is left. */
MUST_CHECK int round_land(struct delivery *delivery, struct prov_delivery *report,
                          struct prov_error *err);
/* Whether the subject is in the round, or in a call that an earlier one began: then what is written of him
 * elsewhere would be overwritten. */
bool round_knows(const struct round *round, int64_t subject);
/* Plans an item, with what is known of it and of the org now. */
MUST_CHECK int round_plan(struct round *round, struct item *item, struct prov_error *err);
/* The same of a deactivation that was refused: see plan_correct(). */
MUST_CHECK int round_correct(struct round *round, struct item *item, const char *names, bool *ret,
                             struct prov_error *err);

/* ---- upkeep.c ---- */

/* What is begun at the first round and once an hour, and a piece of it. */
MUST_CHECK int upkeep_step(struct delivery *delivery, struct prov_error *err);

/* ---- send.c: batches ---- */

enum send_kind {
    SEND_DEACTIVATIONS,
    SEND_FREEZES,
    SEND_UNFREEZES,
    SEND_UPDATES,
    SEND_CREATES
};

/* ---- password.c ---- */

/* Sets some of the passwords that wait. Adds to *ret_count how many were settled or put off. */
MUST_CHECK int password_run(struct delivery *delivery, size_t *ret_count, struct prov_error *err);
/* They are not provisioned any more: erases those that wait. */
MUST_CHECK int password_forget(struct delivery *delivery, struct prov_error *err);

/* ---- flights.c: calls under way at the same time ---- */

/* One call: of whom, its body, and, when it is over, what came of it. */
struct flight {
    struct item_list *list; /* held */
    struct item **items;    /* heap; of the list */
    size_t count;
    enum send_kind kind;
    enum sf_urgency urgency;
    struct sf_batch *batch;
    struct sf_record *results;
    struct sf_call call;
    int result; /* of sf_batch_send() */
    /* flights.c */
    struct flights *flights;
    pthread_t thread;
    bool has_thread, over;
};
void flight_free(struct flight *flight);
DEFINE_CLEANUP(struct flight *, flight, flight_free);

void flights_init(struct flights *flights, struct sf_session *session);
void flights_done(struct flights *flights);
/* Takes the flight over until flights_wait() gives it back; FLIGHTS_MAX and one of leavers at most. `alone`: blocks until the
 * call is over. */
void flights_start(struct flights *flights, struct flight *flight, bool alone);
#define FLIGHTS_FOR_EVER INT64_MAX
/* Blocks until one is over, in no order; NULL: none was within so long (by the machine's clock, also where a test
 * has another one). There must be one. */
struct flight *flights_wait(struct flights *flights, int64_t most_us);

/* [tx] Makes what is in flight of the item's plan, and claims its username. */
MUST_CHECK int send_fly(struct round *round, struct item *item, enum send_kind kind,
                        struct prov_error *err);
/* A call ready to be sent: what is in it is stored as in flight. The items must last. */
MUST_CHECK int send_make(struct round *round, struct item **items, size_t count,
                         enum send_kind kind, struct flight **ret, struct prov_error *err);
/* Settles what came of it. */
MUST_CHECK int send_settle(struct round *round, const struct flight *flight,
                           struct prov_error *err);
enum plan_action send_action(enum send_kind kind);
bool send_is_of_leavers(enum send_kind kind);
bool send_is_of_logins(enum send_kind kind);

/* ---- share_calls.c: which users go in which call, and when ---- */

/* Sends all items of the round whose plan is of this kind. Updates that share the time with others may be in
 * the air still: their fate is settled when there is need of their place, or by send_land(). */
MUST_CHECK int send_all(struct round *round, enum send_kind kind, struct prov_error *err);
/* Waits until at most so many calls are in the air, and settles those that are over. After an error the others
 * are not settled: they are left in flight, and read back. */
MUST_CHECK int send_land(struct round *round, size_t count, struct prov_error *err);
/* Waits a moment for one of the calls that are in the air, and settles it. */
MUST_CHECK int send_land_some(struct round *round, struct prov_error *err);

/* ---- in_flight.c: what was sent to a subject, and has no answer yet ---- */

/* The transfer that had no answer took so long, and was the last of its call: before it a token may have been asked for,
 * which is no part of the settle window. PROV_E_NOMEM. */
MUST_CHECK int flight_began(struct link *link, int64_t took_us);
/* How often in a row what was sent got no answer, and had not happened. */
int64_t flight_tries(const struct link *link);

/*
 * What is in flight (link.in_flight):
 * {"op","fields","inputs","version","at_us","up_us","boot","late","counts","first_step","tries"}.
 * It was sent at at_us by the wall clock; and, unless the machine has started anew since, at up_us by
 * a clock that nobody sets.
 * The admin's orders that it carries out stand in the link (orders.c). "counts": for the guard.
 * "tries": sends before this one that were read back and had not happened.
 * "late": a deactivation was sent over a change without an answer, and both are in it: the earlier
 * one may land after ours, so it is read back when the settle window is over, and never before.
 */
bool flight_is_mixed(const struct link *link);
/* Whether it gives the account a temporary username, or the one before it again, and no more. */
bool flight_is_aside(const struct link *link);
/* Whether more is wanted with that version, and follows when it is there. */
bool flight_is_first_step(const struct link *link);
/* Its fields; borrowed. */
struct value *flight_fields(const struct item *item);
/* The version that was sent: it may be older than what is wanted by now. Without a flight what is wanted. */
int64_t flight_version(const struct item *item);
/* How long ago it was sent. */
int64_t flight_age_us(const struct link *link);
/* Whether the settle window is over. */
bool flight_window_over(const struct delivery *delivery, const struct item *item);
/* Whether a mixed flight's settle window is over, so that reading it back decides. */
bool flight_has_settled(const struct delivery *delivery, const struct item *item);
/* The last send surely did nothing: what is in flight is what was before it. */
void flight_failed(struct link *link);
/*
 * Makes a link whose stored values are damaged fit for planning. What is confirmed is then not known,
 * so everything is sent again. Of what is in flight the name that is wanted is left: enough to read it back, when
 * the settle window, which begins anew, is over; of a create at once.
 */
MUST_CHECK int flight_mend(struct delivery *delivery, struct item *item, struct prov_error *err);
/* In words, with item.mended. */
#define STORE_WAS_DAMAGED                                                                          \
    "the store is damaged where %s stands; the org is read, and everything is sent again"

/* ---- waits.c: what a subject waits for, and how long ---- */

/* All that the subject waits for by its plan: what keeps it from being delivered (WAIT_*; NULL: nothing does); and
 * the parts of it that others are needed for: a manager who is not linked yet, and somebody who unfreezes the account.
 * And what of it lasts. Copies; 0 or PROV_E_NOMEM. */
MUST_CHECK int await(const struct delivery *delivery, struct item *item, const char *kind,
                     const char *value);
/* Who is to lose access and has it still waits to leave; others do not. The same. */
MUST_CHECK int await_leaving(struct item *item);
/* Since when or earlier a wait is a long one (connector field wait_limit_hours): then it is told like a
 * refusal, and goes on. */
int64_t long_wait_us(const struct delivery *delivery);
/* Whether what keeps the subject from being delivered has lasted as long. */
bool is_kept_for_long(const struct link *link);
/* Who waits for what another one has is not refused; but who does so for long is, and is woken all the same: sets
 * what the item waits for by its code (item->said). *ret_message: what is said of it, heap. */
MUST_CHECK int weigh_wait(const struct delivery *delivery, struct item *item,
                          const char **ret_outcome, char **ret_message, struct prov_error *err);
/* Of a username that was refused, and that nobody can see: whether it was waited for as long as a refreshed sandbox
 * may take to give it free, just now, or before. */
bool release_is_over(const struct delivery *delivery, const struct item *item);
/* What is said of such a one. */
void release_words(const struct item *item, char *ret, size_t size);
/* When it is tried again. */
int64_t release_again_us(void);

/* ---- settle.c: what became of a subject ---- */

/*
 * [tx] The item's fate, which must be an end, becomes its link, a row of its history, and the times when it is due
 * again; the rows of `due` that were read are deleted. To be told after the commit (tell.c).
 */
MUST_CHECK int settle(struct round *round, struct item *item, struct prov_error *err);
/* The end of what was sent, and is there; `account`: its Id, borrowed until it is settled. */
void item_is_there(struct item *item, enum fate fate, const char *account);
/* [tx] The username that others keep off, besides the one held: what is in flight or tried again, else
 * what is held. Whoever waits for the one given up is woken. */
MUST_CHECK int settle_claim(struct round *round, struct link *link, const char *name,
                            struct prov_error *err);
/* Whether this version is parked already; with the code, if one is given. */
bool was_refused_with(const struct item *item, const char *code);
/* Replaces a heap text; 0 or PROV_E_NOMEM. */
MUST_CHECK int set_text(char **place, const char *text);
/* NULL and "" are alike, as for set_text(). */
bool text_is(const char *text, const char *other);

/* ---- orders.c: what an admin ordered ---- */

/* Those of the rows of `due` that were read, and of those in the link what has not lapsed. Once, before the
 * subject is planned. */
void orders_take(const struct fields *fields, struct work *work);
/* In the link or in flight. */
unsigned orders_in_force(const struct link *link);
/* Of those in the link what the item's plan leaves undone: of who has left a replan is for the return. */
unsigned orders_left(const struct item *item);
/* What the item's plan carries out flies from now on, with what did already. Before the link has the new flight. */
void orders_fly(struct item *item);
/* What is in flight did not happen, or nobody knows what it was: its orders are to be sent again. */
void orders_return(struct link *link);

/* ---- tell.c: the log line, and the word to the host ---- */

/* What the host takes meanwhile is noted at the end; a crash before that has the host told again.
 * CLEANUP(telling_end) struct telling telling = { .delivery = delivery }; */
struct telling {
    struct delivery *delivery;
};
/* Notes it; what cannot be noted is later, and the log says so. */
void telling_end(struct telling *telling);

/* After the commit: the log line, and the host's outcome callback. */
void tell_settled(struct telling *telling, const struct item *item);
/* The same when the user's password is settled, which his events wait for. */
void tell_password(struct delivery *delivery, int64_t subject);
/* Tells the host what it has not been told of the next `limit` events after *after, as
 * store_untold_events() walks. What it declines, or cannot be read, is for tell_later(), and keeps no other from
 * being told; *ret_whole false: it declined much, and slowly, so the rest is left, which is what comes after *after. */
MUST_CHECK int tell_rest(struct delivery *delivery, int64_t limit, int64_t *after, bool *ret_whole,
                         struct prov_error *err);
/* Events after this one are to be told again, with back-off to an hour. */
void tell_later(struct delivery *delivery, int64_t after);
/* Its time has come, or it has taken one: what it declined so far does not count any more. */
void tell_asks_anew(struct delivery *delivery);

/* ---- history.c: what became of a subject, one outcome a row ---- */

/* Of these items the call was about; `operation` is static. */
void history_note_call(struct item **items, size_t count, const char *operation,
                       const struct sf_call *call);
/* [tx] Before the link is put: adds its outcome to the subject's history. */
MUST_CHECK int history_add(struct round *round, struct item *item, struct prov_error *err);

/* ---- freeze.c: access taken away, and given back, by UserLogin ---- */

/* Keeps why Salesforce refused to deactivate the user. */
MUST_CHECK int freeze_note_blocker(struct item *item, const struct sf_record *blocker,
                                   struct prov_error *err);
/* The same, and the item is to be frozen instead (FATE_FREEZE). */
MUST_CHECK int freeze_instead(struct item *item, const struct sf_record *blocker,
                              struct prov_error *err);
/* Sends what the round has to freeze, or to unfreeze. */
MUST_CHECK int freeze_all(struct round *round, struct prov_error *err);
MUST_CHECK int unfreeze_all(struct round *round, struct prov_error *err);
/* Looks whether those who were frozen by others are so still. */
MUST_CHECK int freeze_look(struct round *round, struct prov_error *err);

/* ---- guard.c: mass deactivations (rule 18) ---- */

/* Marks the deactivations of this round that the guard holds: they are not sent. */
MUST_CHECK int guard_check(struct round *round, struct prov_error *err);
/* Whether what is about to be sent takes the access of an account that has it, by what is there now; kept with what
 * is in flight, since who reads it back does not know any more what a repair has read. */
bool guard_counts(const struct item *item);
/* [tx] What is in flight is there: counts it, if it counts. Once, whether an answer or reading it back told. */
MUST_CHECK int guard_count(struct round *round, struct item *item, struct prov_error *err);

/* ---- names.c: usernames among our subjects (rule 9) ---- */

/* Makes sure that nobody of ours holds or wants the usernames that this round would send: who has to wait
 * is parked, or put off to the next round, or steps aside, or goes back from where he stepped. */
MUST_CHECK int names_check(struct round *round, struct prov_error *err);
/* Plans the next form of a username that is taken (connector field username_taken) which none of ours has.
 * *ret_found false: there is none, or none is wanted. */
MUST_CHECK int names_next(struct round *round, struct item *item, bool *ret_found,
                          struct prov_error *err);
/* Only who is new, returns after the name was given free, or has a number already gets one for the sake of another of
 * ours: of two who have names one may be about to give his to the other, and would have it under another form. */
bool names_takes_number(const struct plan *plan, const struct link *link);
/* The form after `number` of the planned username that none of ours has, nor is in the set; *number 0: there is none. `ret`
 * has room for a username; store NULL: there is nobody of ours. */
MUST_CHECK int names_free(struct store *store, const struct fields *fields, const struct plan *plan,
                          int64_t subject, struct json_object *not_these, unsigned *number,
                          char *ret, struct prov_error *err);
/* link.username_inputs of an account with a temporary username: no inputs are like it, so the username is built
 * anew at the next plan. Behind it, and a blank, stands the name that was given up for it, for who has it still. */
#define USERNAME_IS_TEMPORARY "temporary"
#define NAME_FOR_NOW          "; meanwhile the account has the temporary name "
bool names_are_temporary(const char *inputs);
/* [tx] A username is given up: whoever waits for it is due, and whoever gave it up for a temporary one. */
MUST_CHECK int names_wake(struct store *store, const char *name, struct prov_error *err);
/* Whether the plan is to go to a temporary username, or back, and no further in this round. */
bool names_go_aside(const struct plan *plan);
/* The name that the account gave up for a temporary one, which it has; borrowed. NULL: it has none. */
const char *names_given_up(const struct link *link);

/* ---- facts.c: what the org says of its fields ---- */

/* Parks those of the round whose values the org would refuse. Asks Salesforce only if it has refused one, or
 * if what is known is old and objects to somebody; an org that does not tell stops nobody. */
MUST_CHECK int facts_check(struct round *round, struct prov_error *err);
/* A record was refused: if it was for a field or an Id, what is kept of the org may be old. */
void facts_note_refused(struct delivery *delivery, const char *code);
/* The store's fact that says when the fields were read. Without it they do not count. */
#define FACTS_USER_AT "org_user_at_us"

/* Rows of the org, borrowed until the next call for the same list: what is kept if it was read at since_us (wall
 * clock) or later, else read anew and kept. *ret_call says what came of that; with SF_DELIVERED alone there are rows.
 * A store that cannot be used keeps nothing, and is no error. 0 or PROV_E_NOMEM. */
MUST_CHECK int facts_list(struct delivery *delivery, enum facts_list which, int64_t since_us,
                          struct json_object **ret_rows, struct sf_call *ret_call,
                          struct prov_error *err);
/* What names and Ids are taken from is no older, unless something objects to it. */
#define FACTS_OLD_US (24 * 3600 * CLOCK_SECOND_US)
/* Before a round plans: if Salesforce refused an Id, nothing that is older than some minutes serves any more. */
void facts_follow_refused(struct delivery *delivery);
void facts_drop_lists(struct delivery *delivery);
/* [tx] Strikes out all that is kept of the org. */
MUST_CHECK int facts_forget(struct store *store, struct prov_error *err);

/* ---- seats.c: licences ---- */

/* The row of the licence that a profile (its Id) takes a seat of; borrowed. NULL: the org does not tell, or there is
 * no limit. Pure. */
struct json_object *seats_row(struct json_object *profiles, struct json_object *licences,
                              const char *profile);

/* Parks those of the round who would get no seat. Asks Salesforce at most once for the numbers; round->stop as
 * ever. */
MUST_CHECK int seats_check(struct round *round, struct prov_error *err);
/* The licence of which the item takes a seat, as far as is known; borrowed. NULL: it is not. */
const char *seats_licence(const struct delivery *delivery, const struct item *item);
/* At the end of a round: as many who wait for a seat become due as were given back in it; and where Salesforce
 * refused one, the numbers are read anew. */
MUST_CHECK int seats_wake(struct round *round, struct prov_error *err);

/* ---- repair.c: setting back what was changed by hand ---- */

/* Whether the item is to be repaired and its account was not read yet: nothing is sent for it before,
 * but a deactivation. */
bool repair_is_due(const struct item *item);
/* Reads the accounts of those, and plans them anew; who is not there is parked. */
MUST_CHECK int repair_read(struct round *round, struct prov_error *err);

/* ---- unknown.c: reading back (rule 14) ---- */

/* Settles what is in flight as far as the org shows it; what can be planned again is left planned
 * as due. */
MUST_CHECK int unknown_settle(struct round *round, struct prov_error *err);
/* A create was refused because the username is taken: ours after all, or whose? */
MUST_CHECK int unknown_username_taken(struct round *round, struct item **items, size_t count,
                                      struct prov_error *err);

/* Tells the host an outcome; false: not taken, to be told again. (worker.c) */
bool host_told(struct delivery *delivery, const char *json);

#endif
