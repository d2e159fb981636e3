/*
 * One RFC 9967 Security Event Token: what happened to whom, and how it folds into what is known of
 * that subject. Pure: no I/O, no clock.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "plugin/base/digest.h"
#include "plugin/base/value.h"

enum event_data {
    EVENT_NO_DATA,
    EVENT_CREATE,
    EVENT_PUT,
    EVENT_PATCH
};
enum event_switch {
    EVENT_NO_SWITCH,
    EVENT_ACTIVATE,
    EVENT_DEACTIVATE
};
enum event_feed {
    EVENT_NO_FEED,
    EVENT_FEED_ADD,
    EVENT_FEED_REMOVE
};

/* What came of asking the host for the resource (connector.h, resolve). */
enum event_ask {
    EVENT_NOT_ASKED,
    EVENT_RESOLVED,  /* `resource` is what the host has, asked when the subject had asked_version */
    EVENT_NOT_THERE, /* the host has no such user: the data folds into nothing */
    EVENT_ASK_FAILED /* nobody knows: the event is not to be accepted */
};

/* Its texts and values live in its pool, as it does itself. */
struct event {
    struct pool pool;
    const char *iss, *jti, *txn; /* txn may be NULL */
    int64_t iat;                 /* seconds; 0 when missing; for people only */
    const char *uri;             /* sub_id.uri as event_user_uri() writes it, "/Users/7" */
    const char *kinds;           /* for people: "prov:put:full prov:activate" */
    /* Of iss, uri and events in canonical form, password left out; jti, iat, txn, aud do not
     * count, so that a txn can be recognised in another token. */
    char digest[DIGEST_HEX_SIZE];

    enum event_data data;
    bool notice; /* of the data only the names are there: the host has to be asked for it */
    struct value *payload;    /* the resource or the PatchOp, without password; NULL: none */
    const char *payload_text; /* canonical; NULL: there is none, or it was not written */
    const char *etag;         /* `version` of the payload; may be NULL */
    enum event_switch active;
    enum event_feed feed;
    bool deleted;
    /* A subject that is no user (/Groups/...): accepted, folds into nothing, keeps no data. */
    bool ignored;
    bool had_password; /* one was removed */
    /* The `password` of the user that a create, put or patch sets, from secret_alloc(); NULL: none. It is
     * no part of payload and digest. */
    char *password;

    /* filled by who asks the host (plugin/resolve.c) */
    bool can_ask; /* the host can be asked at all */
    enum event_ask ask;
    struct value *resource; /* EVENT_RESOLVED: the whole resource, without password */
    int64_t asked_version;
    int asked; /* how often */
};

/* What is known of a subject. */
enum presence {
    PRESENCE_IN = 1,
    PRESENCE_OUT = 2,
    PRESENCE_GONE = 3
};

struct subject_state {
    enum presence presence;
    struct value *resource; /* NULL: never seen */
};

/*
 * Reads and checks one token. PROV_E_INVALID says which claim and what is wrong with it (a
 * contradictory pair of event URIs, `full` without `data`, a notice without `attributes`, an unknown
 * URI, no jti, ...); PROV_E_LIMIT for size, depth and over-long claims. What is in the data
 * is not looked at, but for the form of a PATCH. A delete may come with data, the last that is
 * known. default_issuer may be NULL. The caller frees *ret.
 */
MUST_CHECK int event_parse(const char *json, size_t length, const char *default_issuer,
                           struct event **ret, struct prov_error *err);
/* One that says nothing yet; NULL when out of memory. */
struct event *event_new(void);
void event_free(struct event *event);
DEFINE_CLEANUP(struct event *, event, event_free);

/*
 * The one spelling of a reference to a user, so that all that mean the same user are the same text:
 * "/Users/7" of "/Users/7", "../Users/7" and "https://host/scim/v2/Users/7?x=1". What stands before
 * /Users/ is dropped, for the issuer already tells one host from another; a host with several
 * tenants gives each an issuer of its own. NULL: no user is named, or out of memory. For sub_id.uri
 * and for manager.$ref. The caller owns it.
 */
char *event_user_uri(const char *reference);

/*
 * Whether the host has to be asked for the resource before the event folds into this state: of a
 * notice; of one that leaves a subject in scope of whom no resource was ever seen (rule 4); and of a
 * feed:add without data, since nobody tells what changes while a subject is out of the feed. Not of a
 * delete, and not where the event brings the whole resource.
 */
bool event_asks(const struct event *event, const struct subject_state *state);

/* Takes the resource that the host gave, as JSON, and strips it of passwords; event->ask becomes
 * EVENT_RESOLVED. PROV_E_INVALID: no JSON, or no object; PROV_E_LIMIT. */
MUST_CHECK int event_take_resource(struct event *event, const char *json, size_t length,
                                   struct prov_error *err);

/*
 * Folds an event into a state: data, then activate or deactivate, then feed, then delete. The state
 * is replaced on success and untouched on failure. Its new resource lives in the pool, or is the one it had,
 * or the event's. A subject never seen has
 * presence PRESENCE_IN and no resource. Only create, put and feed:add revive one that is gone; only
 * feed:add takes in one that is out of scope. A delete keeps the resource, for the leaver's work.
 * *ret_changed
 * (or NULL): whether the state is another one now. A PATCH for a subject without resource leaves
 * it without one (the planner parks it as "resource never seen"), and so does an activate or a
 * deactivate. Where event_asks(), what the host gave stands for the data; without it a notice leaves
 * the resource as it is. PROV_E_INVALID: the PATCH does not apply to this resource.
 */
MUST_CHECK int event_fold(struct pool *pool, const struct event *event, struct subject_state *state,
                          bool *ret_changed, struct prov_error *err);

/* Whether a password has the form of a hash ({SSHA}..., $6$...), which no system can take for the password. */
bool event_password_is_hashed(const char *password);

#endif
