/*
 * connector.h - the binary interface between a host identity server and a provisioning connector.
 *
 * The connector is a shared object that exports one function, prov_connector_init(). The host
 * calls it once, gets a table of methods, and opens as many connectors as it likes, one for each
 * Salesforce org. Everything crosses as UTF-8 text or fixed-width integers: any language that can
 * call C can be a host. Nothing here needs a third-party header.
 *
 * Lifecycle   init -> describe, open -> check, preview, submit, snapshot_*, deliver, query, act
 *             -> close. open() reads and validates the connector fields and touches neither disk
 *             nor network; the store is opened by the first method that needs it, in the process
 *             that calls it.
 * Threads     Every method of one connector may be called from any thread at any time, except
 *             that close() must be the last call, behind the end of every snapshot too. One snapshot
 *             belongs to one thread at a time.
 * Fork        A forked child may use the connector: it starts afresh on the same store. Nothing of
 *             the parent is used, and the parent is not disturbed; a snapshot stays the parent's. While
 *             a call to Salesforce is under way libcurl and the resolver may hold locks, which a child
 *             that delivers would wait for: fork before the first submit, or open with
 *             PROV_OPEN_NEVER_DELIVER.
 * Unloading   dlclose() is allowed after the last close() and unloads nothing: the library stays to the end
 *             of the process, for a call that close() did not wait for. A newer one needs a new process.
 * Success     0. Anything else is a negative enum prov_code; `err`, where not NULL, then says
 *             what, which object, why, and what to do. `ret_` parameters are written only on
 *             success. Texts returned through `char **ret_json` belong to the caller, who gives
 *             them back with release().
 * Growth      A new method is appended to the table and a new member to a struct, below the mark
 *             of the last minor version; no argument is ever added. Every struct made by the
 *             caller starts with its size, so both sides know how much of it the other one has. One that
 *             a method fills is zeroed before: what an older connector does not know stays zero.
 * Process     The connector never calls exit(), installs no signal handler, raises no SIGPIPE, and
 *             writes nothing to stdout or stderr. Its threads take no signal; its descriptors are closed by
 *             exec().
 *
 * Clean as C99 with -pedantic and as C++.
 */
#ifndef PROVISIONING_CONNECTOR_H
#define PROVISIONING_CONNECTOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROV_ABI_MAJOR 1u
#define PROV_ABI_MINOR 1u

/* Largest event, listed user and request of query() and act(); and largest set of connector fields. */
#define PROV_EVENT_MAX_BYTES  (256u * 1024u)
#define PROV_FIELDS_MAX_BYTES (1024u * 1024u)

/* What the caller should do next. Values are part of the ABI. */
enum prov_code {
    PROV_OK = 0,
    PROV_E_INVALID = -1,     /* the call or its text is wrong: correct it */
    PROV_E_FIELDS = -2,      /* the connector fields are wrong: correct them */
    PROV_E_STORE = -3,       /* the store cannot be used now: nothing was accepted */
    PROV_E_REMOTE = -4,      /* Salesforce could not be reached or answered with an error */
    PROV_E_NOTFOUND = -5,    /* no such subject, event or method name; or no store yet */
    PROV_E_STATE = -6,       /* not now: closed, held elsewhere, out of order */
    PROV_E_NOMEM = -7,       /* out of memory */
    PROV_E_ABI = -8,         /* the two sides do not speak the same ABI */
    PROV_E_UNSUPPORTED = -9, /* known, but this version does not do it */
    PROV_E_LIMIT = -10       /* too large, too deep, too many */
};

/*
 * An error, in memory of the caller. Set `size` to sizeof before the call; the text is cut to
 * what fits. The text is one line for an operator and never holds a secret.
 */
struct prov_error {
    size_t size;
    int32_t code;
    uint32_t reserved;
    char text[1008];
};

/* One opened instance, for one Salesforce org. */
typedef struct prov_connector prov_connector;
/* A full list of users in the making. */
typedef struct prov_snapshot prov_snapshot;

enum prov_log_level {
    PROV_LOG_ERROR = 0,
    PROV_LOG_WARNING = 1,
    PROV_LOG_INFO = 2,
    PROV_LOG_DEBUG = 3
};

/*
 * A question for the resource of a user, see resolve below. Valid until the callback returns; texts
 * are NUL-terminated.
 */
struct prov_resolve {
    size_t size;
    const char *issuer;
    const char *uri;   /* "/Users/7" */
    const char *kinds; /* of the event that needs it, for a log: "prov:put:notice" */
    /* Takes the resource, one JSON object as in create and put events, at most
     * PROV_EVENT_MAX_BYTES; copied before it returns. To be called once, on the thread of the
     * callback, with the pointer that the callback got. */
    void (*give)(const struct prov_resolve *question, const char *json, size_t length);
    /* End of minor version 0. */
};

/*
 * What the host offers; every callback may be NULL. They are called from the connector's own
 * thread or from inside a method, on several threads at once, without a lock on the store. None is
 * called once close() has returned; but an outcome() or log() that close() found under way, and that did not
 * return within timeout_ms and a second, is still under way then.
 */
struct prov_host {
    size_t size;
    void *context;
    /* One line of log, NUL-terminated, without newline or secret. Must not call back. */
    void (*log)(void *context, int32_t level, const char *line);
    /*
     * What became of an event: RFC 9967 misc:asyncresp claims as JSON. Return 0 when it has been
     * taken; it is told again, also after a restart, until then: at least once. It may call submit,
     * preview, query and act, but not deliver, check or close, which wait for the round that is telling.
     */
    int32_t (*outcome)(void *context, const char *json, size_t length);
    /*
     * Asks for the whole resource of a user, as it is at the host now: for a notice, which names
     * attributes only; for an event without data about a user never seen; for a feed:add without
     * data of a user who was out or gone. Called inside submit and preview, on the thread of the
     * caller, and on several at once if the host submits on several. Other submits go on meanwhile.
     * Return 0 after question->give(); PROV_E_NOTFOUND if there is no such user: the event is then
     * accepted, and changes nothing of what is known of the user's attributes; anything else is a
     * failure: the event's answer is PROV_ANSWER_UNKNOWN, so it is to be submitted again. It may be
     * asked again at once if the user changes meanwhile. It may submit events that need no question;
     * it must not call close.
     */
    int32_t (*resolve)(void *context, const struct prov_resolve *question);
    /* End of minor version 0. */
};

enum prov_open_flag {
    PROV_OPEN_NO_WORKER = 1u,     /* no thread of our own; the host drives with deliver() */
    PROV_OPEN_NEVER_DELIVER = 2u, /* a tool or short-lived process: deliver() is refused as well */
    /* Since minor version 1. Nobody in this process asks SQLite how much memory it takes, or limits that: so it
     * is not counted, which makes each event cheaper. It is for the whole process, and does nothing where SQLite
     * is in use already; no other thread may begin to use SQLite during open(). */
    PROV_OPEN_SQLITE_UNCOUNTED = 4u
};

struct prov_open {
    size_t size;
    const char *fields; /* the connector fields: one JSON object, see describe(); copied */
    size_t fields_length;
    uint32_t flags; /* enum prov_open_flag */
    uint32_t reserved;
    const struct prov_host *host; /* copied; may be NULL */
    /* End of minor version 0. */
};

/* One event: the JSON claims of one RFC 9967 Security Event Token. */
struct prov_event {
    size_t size;
    const char *json;
    size_t length;
    /* End of minor version 0. */
};

enum prov_answer_status {
    PROV_ANSWER_ACCEPTED = 1, /* durable: it will be delivered, or stand with its reason */
    PROV_ANSWER_REFUSED = 2,  /* cannot be folded; `error` says where and why. Do not repeat */
    PROV_ANSWER_UNKNOWN = 3   /* not known whether it is durable: submit the same jti again */
};

struct prov_answer {
    size_t size;
    uint32_t status;         /* enum prov_answer_status */
    uint32_t duplicate;      /* 1: the same event had been accepted before */
    int64_t version;         /* accepted: the subject's version that contains this event */
    struct prov_error error; /* refused and unknown: why; its size is set by the connector */
    /* End of minor version 0. */
};

enum prov_delivery_state {
    PROV_DELIVERY_IDLE =
        1, /* nothing is due, but at next_due_us parked users, or outcomes the host declined */
    PROV_DELIVERY_BUSY = 2,     /* time ran out, more is due now */
    PROV_DELIVERY_WAITING = 3,  /* nothing due now; something is due later, see next_due_us */
    PROV_DELIVERY_HELD = 4,     /* the connector is on hold: query status for the reason */
    PROV_DELIVERY_ELSEWHERE = 5 /* another process delivers this store */
};

struct prov_delivery {
    size_t size;
    uint32_t state; /* enum prov_delivery_state */
    uint32_t reserved;
    uint64_t delivered;  /* subjects settled as wanted by this call */
    uint64_t refused;    /* subjects parked by this call */
    uint64_t retried;    /* subjects put back to be tried later by this call */
    uint64_t pending;    /* subjects not settled yet, in the whole store */
    uint64_t api_calls;  /* Salesforce API calls made by this call, token requests left out */
    int64_t next_due_us; /* when to call again, microseconds since the epoch; 0: when something is
                          * submitted */
    /* End of minor version 0. */
};

enum prov_snapshot_flag {
    PROV_SNAPSHOT_FORCE = 1u,   /* apply even if empty or if the guard objects */
    PROV_SNAPSHOT_DRY_RUN = 2u, /* say what would happen, change nothing */
    PROV_SNAPSHOT_TOLERANT = 4u /* a user who cannot be read spoils nothing, see snapshot_add */
};

/*
 * The methods. The host zeroes the struct, sets `size`, and passes it to prov_connector_init();
 * the connector writes what fits.
 */
struct prov_vtable {
    size_t size;
    const char *name;    /* "salesforce" */
    const char *version; /* of the connector, "0.1.0" */

    /* Connector fields as a JSON Schema. Does not block. */
    int32_t (*describe)(char **ret_json, struct prov_error *err);

    /*
     * Validates the fields and makes a connector. Touches neither disk nor network.
     * PROV_E_FIELDS: `err` holds the first fault, and *ret_faults, where ret_faults is not NULL,
     * all of them as {"faults":[{"field","value","reason","remedy"}],"warnings":[...]} (this one
     * `ret_` is written on that failure). query "fields" has the warnings of a connector that opened.
     */
    int32_t (*open)(const struct prov_open *options, prov_connector **ret_connector,
                    char **ret_faults, struct prov_error *err);

    /* Stops delivery, waiting at most timeout_ms for a call under way; what is undelivered stays
     * in the store. NULL is allowed. The connector must not be used afterwards. */
    void (*close)(prov_connector *connector, uint32_t timeout_ms);

    /* Test connection. Blocks on the network. {"ok","worst","steps":[{name,status,seen,cause,remedy}]} */
    int32_t (*check)(prov_connector *connector, char **ret_json, struct prov_error *err);

    /* What would become of this event: username, fields, calls, reasons. Changes nothing, asks
     * Salesforce nothing; reads the store, and asks the host where submit would. A host that can veto
     * calls it first. */
    int32_t (*preview)(prov_connector *connector, const struct prov_event *event, char **ret_json,
                       struct prov_error *err);

    /*
     * Hands over `count` events, at most 10000, in order. `events` and `answers` are arrays whose
     * stride is events[0].size and answers[0].size; set `size` in every element. Blocks for one flush
     * to disk, up to 10 seconds for another process that holds the store, and for the host's own
     * resolve; never for Salesforce. 0: every event has its answer. A failure of the store is
     * PROV_E_STORE with every answer UNKNOWN that is not REFUSED. Of a call that fails otherwise no
     * answer counts.
     */
    int32_t (*submit)(prov_connector *connector, const struct prov_event *events, size_t count,
                      struct prov_answer *answers, struct prov_error *err);

    /* A full list of one issuer's users: who is not in it is gone. `issuer` NULL: the field. One
     * thread at a time uses a snapshot, in the process that began it: a forked child is told
     * PROV_E_STATE, and drops it. The list may be longer than memory: it waits in a nameless file
     * beside the store. */
    int32_t (*snapshot_begin)(prov_connector *connector, const char *issuer, uint32_t flags,
                              prov_snapshot **ret_snapshot, struct prov_error *err);
    /* One user: {"uri":"/Users/7","data":{SCIM resource},"place":"line 17","alias":"uid=ada,..."},
     * the last two optional. A refused one spoils the whole list; more may be added to learn of
     * further faults. With PROV_SNAPSHOT_TOLERANT it does not; add whoever is refused again without
     * "data": such a user is there, cannot be read, and stays as they are; or with "unreadable":true,
     * and what is known in the place of what cannot be read. Who is not added is gone.
     * PROV_E_STATE once the list is being compared. */
    int32_t (*snapshot_add)(prov_snapshot *snapshot, const char *json, size_t length,
                            struct prov_error *err);
    /* Applies the list (apply 1), unless that was done by snapshot_apply(), or drops it (apply 0),
     * and frees the snapshot in any case. The report holds the first 1000 changes; a list that is
     * dropped has none, and *ret_json is NULL. */
    int32_t (*snapshot_end)(prov_snapshot *snapshot, int32_t apply, char **ret_json,
                            struct prov_error *err);

    /*
     * Delivers what is due on the caller's thread, for at most max_ms and the call that is under way
     * then; 0: one round. Blocks on the network, and for another thread that delivers. `ret` may be
     * NULL; set its `size`. What fails for Salesforce is no failure of the call: see
     * `state`. A round that fails for the store (PROV_E_STORE) or for memory is not made again by
     * itself, and may have made API calls whose answers are read back by the next one: then *ret is
     * written too, and the host does not call again before next_due_us, which is a second away at
     * first (retry_first_s) and up to a minute where it fails again and again. What is pending is
     * not told then, and all that was accepted stays due.
     */
    int32_t (*deliver)(prov_connector *connector, uint32_t max_ms, struct prov_delivery *ret,
                       struct prov_error *err);

    /* Reads. {"query":"status"}, {"query":"subjects","state":"parked","after":0,"limit":100},
     * {"query":"subject","user":"/Users/7"}. Blocks on the disk; "match", "drift", and "org" with
     * "refresh", on the network. See sfprov-connector(7). */
    int32_t (*query)(prov_connector *connector, const char *request, size_t length, char **ret_json,
                     struct prov_error *err);

    /* Orders. {"act":"retry","user":"/Users/7"}, {"act":"hold"}, ... Blocks on the disk; "login" and
     * "repair" on the network. See sfprov-connector(7). */
    int32_t (*act)(prov_connector *connector, const char *request, size_t length, char **ret_json,
                   struct prov_error *err);

    /* Gives back a text that a method returned. NULL is allowed. */
    void (*release)(char *text);
    /* End of minor version 0. */

    /* Compares the list and applies it, for at most max_ms at a time (0: until done). Call it again
     * until "state" is "done"; between calls a host may show progress, or drop the list while
     * "state" is "comparing" and so change nothing. Same report as snapshot_end(), no changes. */
    int32_t (*snapshot_apply)(prov_snapshot *snapshot, uint32_t max_ms, char **ret_json,
                              struct prov_error *err);
    /* The changes, once done, from the one after `after` (0: the first), at most `limit`, 1 to 1000.
     * {"changes":[...],"next":17}. In a dry run each has its plan: call it in order. */
    int32_t (*snapshot_changes)(prov_snapshot *snapshot, int64_t after, uint32_t limit,
                                char **ret_json, struct prov_error *err);
    /* End of minor version 1. */
};

/*
 * The one exported function. Fills *vtable as far as vtable->size reaches and returns 0, or
 * PROV_E_ABI when the host's major version is another one or its table is too short to hold every
 * method of minor version 0. Allocates nothing.
 */
int32_t prov_connector_init(uint32_t abi_major, uint32_t abi_minor, struct prov_vtable *vtable,
                            struct prov_error *err);

typedef int32_t (*prov_connector_init_fn)(uint32_t, uint32_t, struct prov_vtable *,
                                          struct prov_error *);

#ifdef __cplusplus
}
#endif

#endif
