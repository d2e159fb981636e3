/*
 * The connector as the adapter uses it: loads sfprov.so, opens it, hands events over, and keeps the
 * mark that says a resync is needed. Knows the plugin by its public header alone, and no server.
 */
#ifndef ADAPTER_SUBMIT_H
#define ADAPTER_SUBMIT_H

#include "hosts/adapter/settings.h"
#include "hosts/adapter/token.h"

struct submit;

struct submit_options {
    const char *host; /* "slapd" */
    bool
        several; /* it has several processes, and what one of them missed the next one hands over */
    /* One line for the server's log; level as enum prov_log_level. From any thread. */
    void (*log)(int level, const char *line);
};

/*
 * Loads the plugin and validates the connector fields; touches neither the store nor the network.
 * PROV_E_FIELDS and others say what is wrong. `settings` is borrowed; its fields may be wiped then.
 */
int submit_open(const struct settings *settings, const struct submit_options *options,
                struct submit **ret, struct prov_error *err);

/*
 * Begins the work in this process: the mark says from now on that a host is at work, and delivery
 * starts. Once a process, by whoever comes first; a failure goes to the log, and is tried again.
 */
void submit_begin(struct submit *submit);

/*
 * Hands the tokens over, in order; returns when they are on disk. Otherwise says why in the log, leaves
 * the mark that a resync is needed, or of several processes that they are late, and returns PROV_E_STORE if none
 * of them was taken, PROV_E_STATE if some were. What the connector refuses for good is marked as missed, and no
 * failure, unless somebody's lock is not taken either. refusable: the change will be refused if none is taken, and is
 * then no change: there is no mark.
 * `what` is for the log: the DN.
 */
int submit_tokens(struct submit *submit, const char *what, const struct token *tokens, size_t count,
                  bool refusable, struct prov_error *err);

/* What could not even be made a token of: marks that a resync is needed. */
void submit_missed(struct submit *submit, const char *what, const struct prov_error *why);

/* What another process, or this one, hands over with what comes next; and that all such was handed over. */
void submit_late(struct submit *submit, const char *what, const struct prov_error *why);
void submit_caught_up(struct submit *submit);

/* The same of a change that will be refused for it: only the log says so. */
void submit_refused(struct submit *submit, const char *what, const struct prov_error *why);

/* Whether the store takes a change at this moment: it writes one. PROV_E_STORE: it does not. */
int submit_ready(struct submit *submit, struct prov_error *err);

/* The same as of names.h, of the connector field `issuer`. The caller frees *ret_uri. */
int submit_find(struct submit *submit, const char *name, char **ret_uri, struct prov_error *err);
int submit_new_uri(struct submit *submit, const char *name, char **ret_uri, struct prov_error *err);

/* The path of the store; heap. Touches it not. */
int submit_store(struct submit *submit, char **ret, struct prov_error *err);

/* Whether the connector knows of any user. */
int submit_knows_any(struct submit *submit, bool *ret, struct prov_error *err);

/* What the connector knows of a user, as JSON; heap, NULL: nothing. PROV_E_NOTFOUND: it has none of this URI. */
int submit_resource(struct submit *submit, const char *uri, char **ret, struct prov_error *err);

/* How the connector has a user: not at all, or deleted; out of scope; in scope. */
enum submit_presence {
    SUBMIT_GONE,
    SUBMIT_OUT,
    SUBMIT_IN
};
int submit_presence(struct submit *submit, const char *uri, enum submit_presence *ret,
                    struct prov_error *err);

/* What the connector has of one in scope: as unreadable_source.known, of a struct submit. */
int submit_in_scope(void *submit, const char *uri, char **ret, struct prov_error *err);

/* Says that nothing is under way in this process, until submit_begin() is called again; for a process
 * that may be ended by anybody while it waits. */
void submit_pause(struct submit *submit);

/* Ends delivery, waiting some seconds for a call under way; NULL is allowed. */
void submit_close(struct submit *submit);

#endif
