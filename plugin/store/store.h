/*
 * The store: what is wanted and what is there, for each subject (design 2). One SQLite file, used
 * by any number of threads and processes.
 *
 * Locks     `write` guards the connection that accept and delivery use, one short transaction at a
 *           time; `read` guards the connection of the queries. Nothing of the host is called, and
 *           no network is waited for, while one is held.
 * Fork      An SQLite connection must not cross a fork: the child would share the parent's locks
 *           without holding them (sqlite.org/howtocorrupt.html 2.6). So every open store closes its
 *           connections just before a fork (pthread_atfork), which waits for transactions under
 *           way, and the parent opens anew when it next needs one. The child inherits nothing that
 *           is open; it leaves the parent's store object alone, whose queue may belong to a thread
 *           it does not have, and makes its own.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugin/base/json.h"
#include "plugin/event/event.h"
#include "plugin/store/outcome.h"

/* Of the tables this sfprov reads and writes; older ones are brought up to date (schema.c). */
#define STORE_SCHEMA_VERSION 18

struct store;

/* Makes a store object for an absolute path; touches no disk. */
MUST_CHECK int store_new(const char *path, struct store **ret, struct prov_error *err);
/* Closes; no other thread may be inside. NULL is allowed. */
void store_free(struct store *store);
DEFINE_CLEANUP(struct store *, store, store_free);
const char *store_path(const struct store *store);
/* Whether the file is there already, or cannot be looked for. Opening a store makes it; a mere look should not. */
bool store_exists(const struct store *store);
/* Whether the store could be used as far as its place goes; makes nothing. PROV_E_STORE. */
MUST_CHECK int store_check_place(const struct store *store, struct prov_error *err);

/* SQLite keeps no count of the memory that it takes, which costs a lock for each piece: for the whole process, and
 * before anybody in it has used SQLite, or it does nothing. No other thread may use SQLite meanwhile. */
void store_count_no_memory(void);

/*
 * Names who is in scope by the connector fields: their leavers go ahead like the others (rule 7), and
 * the guard of a list counts them. Called inside transactions, from any thread; must not block.
 * Before the first use of the store. Without one everybody is in scope.
 */
typedef bool (*store_scope_fn)(const void *context, struct value *resource);
void store_set_scope(struct store *store, store_scope_fn in_scope, const void *context);

/*
 * From now on passwords of events are kept, sealed with the keys that `source` names (base/seal.h). Before
 * the first use of the store; borrowed. The keys are read when they are first needed, so that tools
 * that need none may do without. NULL, or not called: passwords are dropped.
 */
void store_keep_passwords(struct store *store, const char *source);

/* ---- accepting (group.c, accept.c) ---- */

struct store_answer {
    enum prov_answer_status status;
    bool duplicate;
    int64_t version;
    struct prov_error error; /* refused: why; unknown: why, if the caller set it */
    /* Neither accepted nor refused yet: the host has to be asked for the resource (event_asks), the
     * subject having `version`; or an event before it in this call has to. The call is to be made
     * again with these events. */
    bool asks, waits;
};

/*
 * Folds events, in order, and returns when they are on disk. Calls
 * that come together share one commit. The caller zeroes the answers and sets error.size. An event
 * that is NULL was settled before and keeps its answer. Of an event with can_ask that asks the host, and was
 * not answered for the version that the subject has now, nothing is kept (`asks`); one whose ask failed
 * is PROV_ANSWER_UNKNOWN, and so are those after it of the same subject. PROV_E_STORE: nothing of this call is known to be durable, and every other answer is
 * PROV_ANSWER_UNKNOWN. Blocks for a flush.
 */
MUST_CHECK int store_accept(struct store *store, struct event *const *events, size_t count,
                            struct store_answer *answers, struct prov_error *err);

/* ---- snapshots (snapshot.c, snapshot_apply.c) ---- */

/* One thread at a time uses a snapshot; it is freed before its store. */
struct store_snapshot;

struct store_guard {
    int64_t floor, percent; /* more lost than floor and than percent of those in scope: refused */
};

/* One user of the list. */
struct store_listed {
    const struct event *event; /* a put of the snapshot's issuer; its jti does not count */
    const char *alias;         /* as others of the list name him as their manager; NULL: none */
    const char *place;         /* "line 17", for messages; NULL: not told */
    bool bare;       /* is there, and stays as they are: what the event puts does not count; */
    bool inactive;   /* but is inactive from now on */
    bool unreadable; /* not all that is put was read: the rest is what was known */
};

enum store_snapshot_how {
    STORE_SNAPSHOT_FORCE = 1,
    STORE_SNAPSHOT_DRY_RUN = 2
};

/* Makes room for a list beside the store; makes no store. PROV_E_STORE. */
MUST_CHECK int store_snapshot_begin(struct store *store, const char *issuer,
                                    struct store_snapshot **ret, struct prov_error *err);
/* Takes a copy. PROV_E_INVALID: a URI or an alias that came before, with both places. */
MUST_CHECK int store_snapshot_add(struct store_snapshot *snapshot, const struct store_listed *user,
                                  struct prov_error *err);
/* Borrowed. */
const char *store_snapshot_issuer(const struct store_snapshot *snapshot);
/*
 * One piece of the work after the last add: compares, asks the guard, folds; a piece holds a lock
 * for some hundred users at most. *ret_done: all is done. `how` is the same in every call of a
 * snapshot. After a failure no more steps may be taken; one while folding says that a part of the
 * list was applied.
 */
MUST_CHECK int store_snapshot_step(struct store_snapshot *snapshot, const struct store_guard *guard,
                                   uint32_t how, bool *ret_done, struct prov_error *err);
/* *ret: the report of snapshot_apply(), see sfprov-connector(7). */
MUST_CHECK int store_snapshot_report(const struct store_snapshot *snapshot, bool dry_run,
                                     struct json_object **ret, struct prov_error *err);
/* Changes with a number above `after`, in the order of the list, the lost last: array of {"seq",
 * "uri","userName","place","what","attributes","note"}. */
MUST_CHECK int store_snapshot_changes(struct store_snapshot *snapshot, int64_t after, int64_t limit,
                                      struct json_object **ret, struct prov_error *err);
/* What a change would fold, for a preview: a put, or a delete. It has no jti. The caller frees it. */
MUST_CHECK int store_snapshot_event(struct store_snapshot *snapshot, int64_t seq,
                                    struct event **ret, struct prov_error *err);
/* Notes that the user wants this Salesforce username. *ret_other: the URI of another user of the
 * list who wanted it first, heap, else NULL. */
MUST_CHECK int store_snapshot_claim(struct store_snapshot *snapshot, const char *username,
                                    const char *uri, char **ret_other, struct prov_error *err);
void store_snapshot_free(struct store_snapshot *snapshot);
DEFINE_CLEANUP(struct store_snapshot *, store_snapshot, store_snapshot_free);

/* ---- delivery (link.c, lease.c) ---- */

/* What is wanted. */
struct subject {
    int64_t id;
    char *iss, *uri;
    enum presence presence;
    struct value *resource; /* NULL: never seen, or damaged */
    bool damaged;           /* the store has one that cannot be read */
    int64_t version;
    struct pool pool; /* where the resource is */
};

/* ---- passwords to be set (command.c): what is no state ---- */

/* A password that waits, of a subject who is settled: in step, gone, or parked with an active account. */
struct store_password {
    int64_t subject, version, tries; /* tries: sends that had no answer */
    int64_t sent_us;                 /* the last of them, by Salesforce's clock; 0: none */
    char *uri, *salesforce_id, *sealed;
    bool active; /* there is an account, which is active by what was confirmed, and to be so */
};
void store_password_done(struct store_password *password);

/* One of which something is to be done now. *ret_found false: there is none. */
MUST_CHECK int store_password_due(struct store *store, int64_t now_us, struct store_password *ret,
                                  bool *ret_found, struct prov_error *err);
/* When the next is to be looked at; 0: none. Those whose subject is not settled do not count. */
MUST_CHECK int store_password_next(struct store *store, int64_t now_us, int64_t *ret_at_us,
                                   struct prov_error *err);
/* The password itself, for secret_free(). PROV_E_FIELDS, PROV_E_STATE: the key is not there; it opens
 * once it is. PROV_E_INVALID: it never will. */
MUST_CHECK int store_password_open(struct store *store, const struct store_password *password,
                                   char **ret, struct prov_error *err);
/* What is known of it now. */
struct store_password_news {
    int64_t tries, sent_us, next_us; /* sent_us 0: no send was without an answer */
    bool erase;                      /* it is settled: what is sealed is erased */
    const char *outcome; /* "delivered", "refused", "dropped", "unknown", "retry", "waiting" */
    const char *code, *message, *cause, *remedy;
};
/* [tx] What waits for the key, a right or its next try waits no more, of one subject or of all (0); but whose
 * send had no answer does. */
MUST_CHECK int store_password_hurry(struct store *store, int64_t subject, struct prov_error *err);
/* [tx] Settles all that wait, with news->outcome and its words; *ret_count: how many. */
MUST_CHECK int store_password_drop(struct store *store, const struct store_password_news *news,
                                   int64_t *ret_count, struct prov_error *err);
/* [tx] Writes that, unless a newer password has come. */
MUST_CHECK int store_password_put(struct store *store, const struct store_password *password,
                                  const struct store_password_news *news, struct prov_error *err);

/* What an admin ordered for a subject: in the rows of `due` that he made, then in the link, until a plan
 * made that way is settled (delivery/orders.c). */
enum order {
    ORDER_REPLAN = 1,  /* plan as if the connector fields were new (rule 10) */
    ORDER_RELEASE = 2, /* the guard lets its deactivation pass (rule 18) */
    ORDER_REPAIR = 4   /* compare with what the org holds now, not with what was confirmed */
};
#define ORDER_BITS 3

/* What a subject may wait for. */
#define WAIT_USERNAME   "username"   /* that another subject of ours holds or wants */
#define WAIT_MANAGER    "manager"    /* by URI; has no Salesforce Id yet */
#define WAIT_ACCOUNT    "account"    /* that fits, and that another subject has */
#define WAIT_SEAT       "seat"       /* of a licence, if it is known of which */
#define WAIT_RELEASE    "release"    /* of a username that is taken where nobody can see by whom */
#define WAIT_UNFREEZING "unfreezing" /* by whoever has frozen the account */
#define WAIT_LEAVING    "leaving"    /* Salesforce does not let a leaver's access be taken away */
/* A part of the user alone waits for these; the rest is delivered. */
#define WAITS_OF_PARTS "('" WAIT_MANAGER "', '" WAIT_UNFREEZING "')"

struct wait {
    char *kind;  /* WAIT_* */
    char *value; /* which one; NULL: any of that kind */
    int64_t since_us;
    bool is_long; /* it has lasted, and that is said */
};

/* What is there. Texts may be NULL. Written by delivery only. */
struct link {
    char salesforce_id[19];    /* "" until confirmed */
    struct value *confirmed;   /* field -> value last confirmed; NULL: nothing */
    int64_t confirmed_version; /* version that is there, all of it */
    int64_t settled_version;   /* version that outcome speaks of */
    char *username_wanted;     /* lower case, as are the next two */
    char *username_held;       /* confirmed; also while inactive */
    char *username_inputs;     /* what username_held was built from, see plan.h */
    struct value *in_flight;   /* {"op","fields","at_us"}: sent, answer not known; NULL: none */
    int64_t first_sent_us;     /* of a create that may have happened; 0: none */
    int64_t attempts;          /* tries in a row that will be tried again */
    int64_t next_us;           /* next try; 0: none */
    char *outcome;             /* "delivered", "nothing to do", "refused", "retry", "unknown",
                                  "waiting": for what another one has, see `waits` */
    char *code, *message, *cause, *remedy;
    char *last_action;  /* "created", "updated Title, Department", ... */
    char *plan_digest;  /* of the connector fields the outcome was planned with */
    struct wait *waits; /* what makes it due when it comes; heap, one of each kind */
    size_t wait_count;
    bool waits_changed; /* and not written yet */
    int64_t updated_us;
    bool frozen_by_others; /* was frozen before we wanted it, by the last look at that */
    int64_t last_history;  /* the newest row of what became of it; 0: none */
    /* The store's value cannot be read, and stands here as NULL: what is confirmed, or what is in
     * flight. Delivery must mend it before it plans. */
    bool damaged, damaged_flight;
    unsigned orders;        /* enum order: an admin's, not sent yet */
    unsigned flying;        /* those that what is in flight carries out */
    int64_t stored_version; /* settled_version as it stands in the store; 0: none. One that is
                             * wrong makes writing dearer, and no more */
    /* The newest event when it was read, and the version that was wanted then; as_of 0: not known. */
    int64_t as_of, wanted_version;
    struct pool pool; /* where its values are */
};

/* event.told; 0: the host knows nothing of it. */
enum told {
    TOLD = 1,
    TOLD_FOR_NOW, /* that it was refused, or that its password waits: told again if that changes */
    TOLD_BEHIND,  /* for good, but one before it only for now */
    TOLD_PART,    /* that it is delivered but for a part, which waits */
    TOLD_WITHOUT  /* the same, and that the part has waited for long */
};

/* NULL: it does not wait for that; borrowed. */
struct wait *wait_of(const struct link *link, const char *kind);
bool wait_is_of_part(const struct wait *wait);
/* Of what is delivered but for parts that wait: TOLD: there are none; TOLD_WITHOUT: all have waited for long. */
enum told wait_told(const struct link *link);
/* From now on it waits for that; since when stays, if it does already. 0 or PROV_E_NOMEM. */
MUST_CHECK int wait_begin(struct link *link, const char *kind, const char *value, int64_t now_us);
void wait_end(struct link *link, const char *kind);
/* What has lasted since before_us or earlier is long. */
void wait_weigh(struct link *link, int64_t before_us);

/* A row of `due`; or an event that is news, with DUE_NOW and tie 0. */
struct due_key {
    int64_t at, seq, tie;
};

/* One due subject with all that delivery needs, and the rows of `due` that named it. */
struct work {
    struct subject subject;
    struct link link;
    struct due_key *due;
    size_t due_count;
    unsigned orders;      /* of the rows read */
    int64_t news_version; /* of the newest event among them; 0: there is none */
    bool only_news;
    /* Why its rows cannot be read, heap; then subject.id and `due` are all there is. NULL: they can. */
    char *unreadable;
};

void work_done(struct work *work);
void work_list_free(struct work *list, size_t count);
void link_done(struct link *link);
void subject_done(struct subject *subject);

/* A descriptor that is readable when something may have been written into the store, by whichever process; -1:
 * there is none, and whoever waits has to look now and then. The caller closes it. No lock, no connection. */
int store_watch(const struct store *store);
/* Takes off what came, and says whether it was about the store: its directory may hold other files. Then it
 * waits until what is being committed can be read. */
bool store_watch_read(struct store *store, int watch);

/* Places in `due`: urgent before new before what has a time. */
#define DUE_URGENT INT64_C(0)
#define DUE_NOW    INT64_C(1)

/*
 * Takes the right to deliver: an fcntl lock on `path`.lease, gone with the process, and a new epoch
 * that fences an older holder out. *ret_held false: another process (or another connector of this
 * one) has it. On taking it, whatever is in flight is made due.
 */
MUST_CHECK int store_lease_take(struct store *store, bool *ret_held, struct prov_error *err);
void store_lease_drop(struct store *store);
bool store_lease_held(struct store *store);

/* Who has it, of all processes. */
struct store_holder {
    bool held;
    int64_t process; /* its number; 0: not told, as of a process outside our namespace */
};
/* PROV_E_STORE: the lease file is there and cannot be read. Waits for no lock but a thread's that takes
 * the lease. */
MUST_CHECK int store_lease_holder(struct store *store, struct store_holder *ret,
                                  struct prov_error *err);

/* Subjects that a call is under way for: whoever reads what is due passes them over. */
struct under_way {
    int64_t *subjects; /* heap, ascending */
    size_t count;
    int64_t rows; /* of `due` that were read of them */
};
/* Up to limit subjects that are due, but for those under way (NULL: nobody is), most urgent first, with them who
 * waits to leave (WAIT_LEAVING) and is to be tried again by now; who stands on a damaged page is told by
 * work.unreadable. The caller frees the list. */
MUST_CHECK int store_due(struct store *store, int64_t now_us, int64_t limit,
                         const struct under_way *but, struct work **ret, size_t *ret_count,
                         struct prov_error *err);
/* The same while nobody but leavers may pass: what is urgent, and the times after looked_us; among them
 * may be others, but not the news that wait. */
MUST_CHECK int store_due_leavers(struct store *store, int64_t looked_us, int64_t now_us,
                                 int64_t limit, struct work **ret, size_t *ret_count,
                                 struct prov_error *err);
/* Whether something urgent is due, or a leaver to be tried again, and the next time after now_us that stands there (0: none). */
MUST_CHECK int store_due_leavers_next(struct store *store, int64_t now_us, bool *ret_urgent,
                                      int64_t *ret_at_us, struct prov_error *err);
/* Whether anybody is due at some time, and the earliest time that stands there (0: none). Who is settled, and
 * looked at again after now_us, counts for the time alone. */
MUST_CHECK int store_due_next(struct store *store, int64_t now_us, bool *ret_any,
                              int64_t *ret_at_us, struct prov_error *err);
/* Subjects that are due at some time, but for those parked, or held by the guard. Reads all of `due`. */
MUST_CHECK int store_due_count(struct store *store, int64_t now_us, int64_t *ret_subjects,
                               struct prov_error *err);

/*
 * A write transaction. STORE_FENCED (delivery) fails with PROV_E_STATE when the lease has been
 * taken over (rule 15): the caller drops what it knows, the new holder reads back. STORE_UNFENCED
 * is for an admin's orders, which write only facts and `due`. Between begin() and commit() or
 * rollback() only the functions marked [tx] may be called, and nothing that waits.
 */
enum store_fence {
    STORE_FENCED,
    STORE_UNFENCED
};
MUST_CHECK int store_begin(struct store *store, enum store_fence fence, struct prov_error *err);
MUST_CHECK int store_commit(struct store *store, struct prov_error *err);
void store_rollback(struct store *store);

/* One outcome of a subject: what was decided, the call that led to it, what came of it. Names of fields, no
 * values; texts are borrowed and may be NULL. */
struct history {
    int64_t at_us, version;
    const char *outcome, *code, *message, *action;
    const char *operation;                 /* of the call; NULL: there was none */
    int64_t records, took_us, http_status; /* http_status 0: no answer */
    const char *request_id;                /* Salesforce's, for its support */
};
/* [tx] Adds it behind *last, the subject's newest row, which it becomes; one like the newest is counted
 * there. */
MUST_CHECK int store_history_add(struct store *store, int64_t subject, const struct history *row,
                                 int64_t *last, struct prov_error *err);
/* What a note is about. */
#define NOTE_ORDER    "order"
#define NOTE_HOLD     "hold"
#define NOTE_PASSWORD "password"
#define NOTE_ACCOUNT  "account"
#define NOTE_STORE    "store"
/* [tx] Adds to a subject's story (0: to everybody's) what is no outcome: an order, a hold, a password. `what`:
 * NOTE_ORDER, ... */
MUST_CHECK int store_note(struct store *store, int64_t subject, const char *what, const char *text,
                          struct prov_error *err);
/* [tx] Writes the link of a subject, with what is in flight. */
MUST_CHECK int store_put_link(struct store *store, int64_t subject, const struct link *link,
                              struct prov_error *err);
/* [tx] Of a link what is in flight alone (NULL: nothing), where the rest stands as it was read. */
MUST_CHECK int store_put_flight(struct store *store, int64_t subject, const struct link *link,
                                struct prov_error *err);
/* [tx] Deletes the rows of `due` that were read, and the times at which this subject was to be looked
 * at later: only delivery writes those, and whoever settles says anew when. */
MUST_CHECK int store_due_delete(struct store *store, const struct work *work,
                                struct prov_error *err);
/* [tx] The rows of `due` that were read move to a time, with their orders. */
MUST_CHECK int store_due_put_off(struct store *store, const struct work *work, int64_t at_us,
                                 struct prov_error *err);
/* The URI of a subject, found without its row, which may be unreadable; reads an index. Heap, NULL:
 * not found. */
MUST_CHECK int store_uri_by_index(struct store *store, int64_t subject, char **ret,
                                  struct prov_error *err);
/* [tx] Makes a subject due; DUE_URGENT, DUE_NOW or a time. */
MUST_CHECK int store_due_add(struct store *store, int64_t subject, int64_t at,
                             struct prov_error *err);
/* [tx] Makes a subject due with orders, of enum order. */
MUST_CHECK int store_due_order(struct store *store, int64_t subject, unsigned orders,
                               struct prov_error *err);
/* Up to limit ids of subjects that have a Salesforce Id, in order, after one of them. */
MUST_CHECK int store_linked(struct store *store, int64_t after, int64_t limit, int64_t *ret,
                            size_t *ret_count, struct prov_error *err);
/* The same with those who were kept from an account by their scope. */
MUST_CHECK int store_replannable(struct store *store, int64_t after, int64_t limit, int64_t *ret,
                                 size_t *ret_count, struct prov_error *err);
/* The same of subjects in the feed that have no Salesforce Id. */
MUST_CHECK int store_unlinked(struct store *store, int64_t after, int64_t limit, int64_t *ret,
                              size_t *ret_count, struct prov_error *err);
/* The same of subjects whose resource was seen, and who are not gone. */
MUST_CHECK int store_seen(struct store *store, int64_t after, int64_t limit, int64_t *ret,
                          size_t *ret_count, struct prov_error *err);

/* ---- who waits (wait.c) ---- */

/* [tx] Makes due up to limit subjects that wait for this, those first who were looked at longest ago.
 * value NULL: so many for each value of the kind; iss NULL: of any issuer. */
MUST_CHECK int store_wake(struct store *store, const char *kind, const char *value, const char *iss,
                          int64_t limit, struct prov_error *err);
/* [tx] Makes due who waits for a username that is given up, and who waits for theirs, and so on. */
MUST_CHECK int store_wake_name(struct store *store, const char *username, struct prov_error *err);
/* [tx] Makes due who holds a username that begins so, made of these inputs; those who hold such a username are read. */
MUST_CHECK int store_wake_holder(struct store *store, const char *prefix, const char *inputs,
                                 struct prov_error *err);
/* [tx] Makes due who waits since before_us or longer, which is not said yet; or since a time after now_us, which
 * a wrong clock has written. Reads all who wait. */
MUST_CHECK int store_wake_long(struct store *store, int64_t before_us, int64_t now_us,
                               struct prov_error *err);
/* [tx] Makes due who waits for a username, and was not looked at after before_us. */
MUST_CHECK int store_due_names(struct store *store, int64_t before_us, struct prov_error *err);
/* [tx] Makes due who waits for the username that this subject holds. */
MUST_CHECK int store_due_for_name_of(struct store *store, int64_t subject, struct prov_error *err);
/* [tx] Makes a subject due if the manager it waits for has been linked by now, which may have
 * happened earlier in this very transaction. */
MUST_CHECK int store_due_if_linked(struct store *store, int64_t subject, const char *iss,
                                   const char *manager_uri, struct prov_error *err);
/* [tx] Makes due every parked subject planned with other connector fields (rule 10). */
MUST_CHECK int store_replan_parked(struct store *store, const char *plan_digest,
                                   struct prov_error *err);
/* [tx] Makes due up to limit subjects that are parked with this code, those first who were looked at
 * longest ago. */
MUST_CHECK int store_due_code(struct store *store, const char *code, int64_t limit,
                              struct prov_error *err);
/* The subject among them, of those who are not tried again at a time of their own; 0: nobody. */
MUST_CHECK int store_parked_with(struct store *store, const char *code, int64_t *ret_subject,
                                 struct prov_error *err);
/* [tx] Of each code makes due up to limit subjects, those first who were looked at longest ago, and nobody
 * after before_us; but none who waits for a username. Reads all who are parked. */
MUST_CHECK int store_due_long_parked(struct store *store, int64_t before_us, int64_t limit,
                                     struct prov_error *err);
/* [tx] Makes due all parked, *ret_count subjects. */
MUST_CHECK int store_due_parked(struct store *store, int64_t *ret_count, struct prov_error *err);
/*
 * What is looked up between the two is of one state of the store, and costs less, since the locks of the file
 * are asked for once. Nothing may be written in between, nor anything waited for. Not nested.
 */
MUST_CHECK int store_view(struct store *store, struct prov_error *err);
void store_view_end(struct store *store);

/* Who holds a username, or else wants it. */
struct name_claim {
    int64_t subject; /* 0: nobody */
    bool holds;
    char *uri;
    char *waits_name; /* the username that subject waits for; NULL: none */
};
void name_claim_done(struct name_claim *claim);
/* `except`: a subject that is left out; 0: none. */
MUST_CHECK int store_name_claim(struct store *store, const char *username, int64_t except,
                                struct name_claim *ret, struct prov_error *err);
/* Whether somebody who has an account waits for this username, and was not refused. */
MUST_CHECK int store_name_awaited(struct store *store, const char *username, bool *ret,
                                  struct prov_error *err);
/* Another subject that is linked to this Salesforce Id: *ret_id, 0 when there is none. */
MUST_CHECK int store_id_holder(struct store *store, const char *salesforce_id, int64_t except,
                               int64_t *ret_id, struct prov_error *err);
/* Salesforce Id linked to a URI of an issuer; "" when there is none yet. */
MUST_CHECK int store_linked_id(struct store *store, const char *iss, const char *uri, char ret[19],
                               struct prov_error *err);

/* What the guard weighs. */
#define GUARD_CODE "GUARD"
struct guard_numbers {
    int64_t due;  /* active accounts with urgent news that is not released */
    int64_t held; /* deactivations that the guard holds: link.code is GUARD_CODE */
};
MUST_CHECK int store_guard_numbers(struct store *store, struct guard_numbers *ret,
                                   struct prov_error *err);
/* Accounts that are active as far as we know. */
MUST_CHECK int store_active_accounts(struct store *store, int64_t *ret, struct prov_error *err);
/* [tx] Lets pass what is held, *ret_count subjects, and what is due now. */
MUST_CHECK int store_guard_release(struct store *store, int64_t *ret_count, struct prov_error *err);

/* What was damaged and is made anew. */
struct store_mended {
    bool
        due; /* from what is wanted and what is there; an admin's orders not settled yet are lost */
    bool news; /* the same, and no order is lost: events that are not taken yet cannot be read */
    bool
        flight; /* nobody knows who it was: all who are due count as sent to, and what was sent as damaged */
    bool wait;    /* empty: whoever may have waited is due, and waits from now on */
    bool history; /* of all subjects, empty */
};
/* Reads all of them. */
MUST_CHECK int store_mend(struct store *store, struct store_mended *ret, struct prov_error *err);

/* What was done so far; kept with the store, so that it outlives processes. */
enum store_counter {
    STORE_CALLS,          /* API calls */
    STORE_CALLS_FAILED,   /* those that did not pass as a whole */
    STORE_DELIVERED,      /* changes */
    STORE_REFUSED,        /* changes that were parked */
    STORE_RETRIED,        /* changes to be tried again */
    STORE_SETTLED_EVENTS, /* events whose outcome is known, those that another one replaced too */
    STORE_FORGOTTEN,      /* events that are not kept any more */
    STORE_COUNTERS
};
/* [tx] Written by store_commit(). */
void store_count(struct store *store, enum store_counter counter, int64_t more);

/* Small facts of the store: "org_id", "hold", "plan_digest". *ret is heap, NULL when not set. */
MUST_CHECK int store_get_fact(struct store *store, const char *key, char **ret,
                              struct prov_error *err);
/* [tx] value NULL forgets the fact. */
MUST_CHECK int store_put_fact(struct store *store, const char *key, const char *value,
                              struct prov_error *err);

/* Which events of a subject: `last` (0: the newest) and those before it, or it alone. */
struct untold_part {
    int64_t subject, last;
    bool alone;
};
/* Settled ones that the host has not been told of, or that were told for now and are told otherwise
 * since: array of {"seq","iss","jti","txn","version","kinds","password_fault",
 * "password_waits"}. What came at long_us or earlier is told though a password waits for its key
 * or a right. */
MUST_CHECK int store_untold(struct store *store, const struct untold_part *part,
                            const struct link *link, int64_t long_us, struct json_object **ret,
                            struct prov_error *err);
/* [tx] The host knows. */
MUST_CHECK int store_told(struct store *store, int64_t seq, enum told told, struct prov_error *err);

/* ---- retention (retention.c) ---- */

struct store_retention {
    int64_t before_us; /* forgotten is what was received before */
    bool keep_untold;  /* keep what the host has not been told of */
    int64_t limit;     /* events looked at in one call */
};

/* [tx] Forgets settled events among the next ones after *after (0: from the first); the newest event
 * stays. *after: the last one looked at, 0 when all that come after are young. */
MUST_CHECK int store_forget_events(struct store *store, const struct store_retention *retention,
                                   int64_t *after, struct prov_error *err);
/* [tx] The same for what became of subjects, newest rows of them too; keep_untold does not count. */
MUST_CHECK int store_forget_history(struct store *store, const struct store_retention *retention,
                                    int64_t *after, struct prov_error *err);
/* Of each subject the newest settled event the host has not been told of, among the next `limit` events after
 * *after: array of numbers. *after: the last event looked at, 0 when there are no more. Who is refused and tried
 * again by itself is among them only if that has lasted. */
MUST_CHECK int store_untold_events(struct store *store, int64_t limit, int64_t *after,
                                   struct json_object **ret, struct prov_error *err);
/* The same where some cannot be read: all the events, told or not, in their order. */
MUST_CHECK int store_untold_around(struct store *store, int64_t limit, int64_t *after,
                                   struct json_object **ret, struct prov_error *err);
/* Whether a read failed since this was asked last because the file is damaged there; not for a lock, say. */
bool store_met_damage(struct store *store);

/* ---- the file itself (inspect.c) ---- */

/*
 * {"store","exists","bytes","wal_bytes","schema","page_bytes","pages","free_pages","users","events",
 * "due","links","problems","sound"}: what SQLite finds wrong, at most twenty texts. `full` compares
 * the indexes with the tables too. Makes nothing, migrates nothing. Reads the whole file; forks of this
 * process wait for it. PROV_E_STORE: not to be opened at all, with the reason.
 */
MUST_CHECK int store_inspect(struct store *store, bool full, struct json_object **ret,
                             struct prov_error *err);
/* {"store_bytes","wal_bytes","free_bytes"}: the two files, and what is free for us on their file system
 * (null: it does not tell). Opens nothing. */
MUST_CHECK int store_read_files(struct store *store, struct json_object **ret,
                                struct prov_error *err);
/* Gives a piece of what is free in the file back, all but so many percent of its length, in a short
 * transaction. *ret_more: call it again. */
MUST_CHECK int store_give_back(struct store *store, int64_t keep_percent, bool *ret_more,
                               struct prov_error *err);
/* Copies the write-ahead log into the file once it is store_log_pages longer than the last time. Others
 * may commit meanwhile; they wait for a flush or two at the end. Any thread. */
MUST_CHECK int store_sweep(struct store *store, struct prov_error *err);
/* Shorter in tests. */
extern long store_log_pages;
/* Brings a write-ahead log longer than above_bytes into the file and empties it; waits a second at most
 * for those who read in it, and leaves it to the next call if they go on. */
MUST_CHECK int store_checkpoint(struct store *store, int64_t above_bytes, struct prov_error *err);

/* ---- reading (read.c); JSON forms in sfprov-connector(7) ---- */

MUST_CHECK int store_read_counts(struct store *store, struct json_object **ret,
                                 struct prov_error *err);
/* What came of a part of that answer, with its members, NULL behind the last: if the store could not read it, they are
 * null and named in `unreadable`, and all else goes on, for whatever the store failed: the reason says so. */
MUST_CHECK int store_or_unreadable(struct json_object *result, const char *const *members, int r,
                                   const struct prov_error *why, struct prov_error *err);
MUST_CHECK int store_read_subjects(struct store *store, struct json_object *request,
                                   struct json_object **ret, struct prov_error *err);
MUST_CHECK int store_read_subject(struct store *store, const char *user, struct json_object **ret,
                                  struct prov_error *err);
MUST_CHECK int store_read_events(struct store *store, int64_t after, int64_t limit,
                                 struct json_object **ret, struct prov_error *err);
/* How many wait for a seat: object of licence -> number; "" stands for one that the org does not tell. */
MUST_CHECK int store_read_seats_wanted(struct store *store, struct json_object **ret,
                                       struct prov_error *err);
/* One subject with its link, as delivery would see it; id 0: not known. For preview and acts. */
MUST_CHECK int store_load(struct store *store, const char *iss, const char *uri,
                          struct work *ret_work, struct prov_error *err);
MUST_CHECK int store_load_id(struct store *store, int64_t subject, struct work *ret_work,
                             struct prov_error *err);
MUST_CHECK int store_load_of_event(struct store *store, int64_t event, struct work *ret_work,
                                   struct prov_error *err);
/* The id of the one subject that `user` means (URI, userName, Salesforce username or Id).
 * PROV_E_NOTFOUND; PROV_E_INVALID names the several that fit. */
MUST_CHECK int store_find(struct store *store, const char *user, int64_t *ret_id,
                          struct prov_error *err);

#endif
