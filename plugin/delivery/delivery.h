/*
 * Delivery: takes what is due, plans, sends, settles, until nothing is left.
 *
 * Concurrency  One round at a time, under delivery->lock: by the worker thread, or by whoever calls
 *              delivery_run(). Nothing of the host is called while a lock of the store is held.
 * State        Everything that must outlive the process is in the store before it is sent; a
 *              delivery object holds only caches (org facts, back-off of the connection).
 */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include "plugin/base/log.h"
#include "plugin/delivery/plan.h"
#include "plugin/salesforce/session.h"
#include "plugin/store/store.h"

struct delivery;

struct delivery_settings {
    struct store *store; /* borrowed, as is all of this; must outlive the delivery */
    const struct fields *fields;
    const struct prov_host *host; /* for log() and outcome(); may be NULL */
};

/* Does no I/O. */
MUST_CHECK int delivery_new(const struct delivery_settings *settings, struct delivery **ret,
                            struct prov_error *err);
/* The worker must have been stopped. NULL is allowed. */
void delivery_free(struct delivery *delivery);

/*
 * Rounds on the caller's thread until nothing is due now or max_ms is over (0: one round). Blocks
 * on the network. PROV_E_STORE, PROV_E_NOMEM; an unreachable Salesforce is no error, see *ret.
 */
MUST_CHECK int delivery_run(struct delivery *delivery, uint32_t max_ms, struct prov_delivery *ret,
                            struct prov_error *err);

/* The thread. start() is idempotent; wake() says that something may be due; stop() makes calls
 * under way end, and returns false if the thread did not end in time (then it must be abandoned). */
MUST_CHECK int delivery_start(struct delivery *delivery, struct prov_error *err);
void delivery_wake(struct delivery *delivery);
bool delivery_stop(struct delivery *delivery, uint32_t timeout_ms);

/* Test connection (check.c): {"ok",steps}. Blocks on the network. */
/* What the org says of itself, as it is kept; `anew`: asked now, PROV_E_REMOTE if it does not tell. Blocks for
 * some calls then. *ret is the caller's. */
MUST_CHECK int delivery_org(struct delivery *delivery, bool anew, struct json_object **ret,
                            struct prov_error *err);
MUST_CHECK int delivery_check(struct delivery *delivery, struct json_object *field_warnings,
                              struct json_object **ret, struct prov_error *err);

/* One subject, or (subject 0) at most `limit` of them after an id. */
struct page_request {
    int64_t subject, after, limit;
    bool dry_run; /* of a repair */
};

/*
 * What `match` would find for those who have no account yet: one subject, or a page of them, `after` an
 * id. Changes nothing. *ret: {"matches":[...],"next":id or null}, see sfprov-connector(7). Blocks on
 * the network. PROV_E_FIELDS: no field `match`; PROV_E_REMOTE: a call did not pass. (match_query.c)
 */
MUST_CHECK int delivery_match(struct delivery *delivery, const struct page_request *request,
                              struct json_object **ret, struct prov_error *err);

/* What the org holds that differs from what was confirmed, of one subject or a page of them. Changes
 * nothing. *ret: {"looked_at","same","in_flight","drift":[...],"next"}. Blocks on the network.
 * PROV_E_REMOTE: a call did not pass. (drift.c) */
MUST_CHECK int delivery_drift(struct delivery *delivery, const struct page_request *request,
                              struct json_object **ret, struct prov_error *err);

/* The same, and orders that who differs be set back: *ret has "count" and "dry_run" as well. Delivery does
 * it; it reads each account again before. */
MUST_CHECK int delivery_repair(struct delivery *delivery, const struct page_request *request,
                               struct json_object **ret, struct prov_error *err);

/*
 * Having the app approved in a browser, for the flow refresh_token (login.c). Without a code *ret is
 * {"authorize_url","state","verifier"}; with the code that came back {"org_id","user_id"}, and the
 * refresh token is kept sealed. PROV_E_STATE: another flow, or no sealing key; PROV_E_REMOTE with
 * Salesforce's words and the remedy. Blocks on the network.
 */
struct login_request {
    const char *redirect_uri, *state, *verifier, *code; /* code NULL: begin */
};
MUST_CHECK int delivery_login(struct delivery *delivery, const struct login_request *request,
                              struct json_object **ret, struct prov_error *err);

/* The hold in force as JSON, or NULL; an admin's hold; its end. (org.c) */
MUST_CHECK int delivery_hold_read(struct store *store, struct json_object **ret,
                                  struct prov_error *err);
/* What keeps calls from passing at the moment, though nothing is held; NULL: nothing known. */
MUST_CHECK int delivery_trouble_read(struct store *store, struct json_object **ret,
                                     struct prov_error *err);
/* The org's API calls of 24 hours as an answer told them last: {"used","max","reserve","left","seen",
 * "age_s"}, or NULL: it told none yet. (quota.c) */
MUST_CHECK int delivery_quota_read(struct store *store, const struct fields *fields,
                                   struct json_object **ret, struct prov_error *err);
/* Puts "cause" and "remedy" to each of "waits" in a user's row, or in the status: a user has one code, and may wait for
 * several things. (waits.c) */
MUST_CHECK int delivery_explain_waits(struct json_object *row, struct prov_error *err);
/* Licences that users wait for: array of {"licence","used","total","waiting","seen","remedy"}; licence, used, total
 * and seen are null where the org does not tell. (seats.c) */
MUST_CHECK int delivery_seats_read(struct store *store, struct json_object **ret,
                                   struct prov_error *err);
MUST_CHECK int delivery_hold_by_admin(struct store *store, const char *reason,
                                      struct prov_error *err);
MUST_CHECK int delivery_resume(struct store *store, struct prov_error *err);
/* An admin's retry waits for nothing that delivery waits for of its own accord: ends a hold that no admin
 * ordered, and a pause. */
MUST_CHECK int delivery_try_now(struct store *store, struct prov_error *err);

#endif
